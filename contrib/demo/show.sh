#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration itself, run by ../demo.sh inside a host of its own (namespaces), where everything that it starts ends
# with it.
#
#   show.sh docker|netns
#
# Environment: VETHWALLD, VETHWALL, PROBE (programs), DEMO_DIR (a directory to write in), DEMO_COLOUR=always.
set -euo pipefail

mode=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
policies=$DEMO_DIR/policies
export VETHWALL_SOCKET=/run/vethwall/control.sock
outside=198.51.100.2 uplink=198.51.100.1
declare -A address=([web]=172.30.0.2 [api]=172.30.0.3 [db]=172.30.0.4 [blog]=172.30.0.5)
declare -A project=([web]=shop [api]=shop [db]=shop [blog]=blog)
declare -A published=([web]=8080 [api]=9000 [db]=5432)
agent=

paint() {
        if [[ ${DEMO_COLOUR:-} == always ]]; then
                printf '\033[%sm%s\033[0m' "$1" "$2"
        else
                printf '%s' "$2"
        fi
}

steps=8
step_number=0
step() {
        step_number=$((step_number + 1))
        printf '\n%s\n' "$(paint '1;36' "$step_number. $1")"
}

say() {
        printf '   %s\n' "$@"
}

# Shows a command and its output.
shown() {
        printf '   %s\n' "$(paint 1 "\$ $1")"
        shift
        "$@" 2>&1 | sed 's/^/     /'
}

now_ms() {
        local us=${EPOCHREALTIME/[.,]/}

        echo $((us / 1000))
}

# wait_for SECONDS COMMAND...
wait_for() {
        local deadline=$((SECONDS + $1 + 1))

        shift
        until "$@" >/dev/null 2>&1; do
                ((SECONDS < deadline)) || return 1
                sleep 0.02
        done
}

leave() {
        local status=$?

        trap - EXIT
        [[ $status == 0 || $step_number == "$steps" ]] || printf '\n   %s\n' "The demonstration broke off (status $status)." >&2
        [[ -z $agent ]] || kill "$agent" 2>/dev/null || true
        exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The stage, with an engine.

docker_image() {
        local container

        container=$(docker create vw true)
        docker cp "$PROBE" "$container:/bin/probe" >/dev/null
        docker commit "$container" probe >/dev/null
        docker rm "$container" >/dev/null
}

docker_container() {
        local name=$1 publish=()

        [[ -z ${published[$name]:-} ]] || publish=(-p "${published[$name]}:${published[$name]}")
        docker run -d --name "$name" --network shop --ip "${address[$name]}" "${publish[@]}" \
                --label "com.docker.compose.project=${project[$name]}" \
                --label "com.docker.compose.service=$name" \
                probe probe serve "$name" tcp/8080 tcp/9000 tcp/5432 >/dev/null
}

docker_stage() {
        docker_image
        docker network create --subnet 172.30.0.0/24 shop >/dev/null
        for name in web api db blog; do
                docker_container "$name"
        done
}

# The stage, with network namespaces on a bridge.

netns_container() {
        local name=$1

        ip netns add "$name"
        ip link add "veth-$name" type veth peer name eth0 netns "$name"
        ip link set "veth-$name" master br-shop up
        ip -n "$name" link set lo up
        ip -n "$name" link set eth0 up
        ip -n "$name" addr add "${address[$name]}/24" dev eth0
        ip -n "$name" route add default via 172.30.0.1
        ip netns exec "$name" "$PROBE" serve "$name" tcp/8080 tcp/9000 tcp/5432 &
}

netns_stage() {
        mount -t tmpfs tmpfs /run
        mount -t sysfs sysfs /sys
        ip link set lo up
        echo 1 >/proc/sys/net/ipv4/ip_forward
        ip link add br-shop type bridge
        ip addr add 172.30.0.1/24 dev br-shop
        ip link set br-shop up
        for name in web api db blog; do
                netns_container "$name"
        done
}

outside_stage() {
        ip netns add outside
        ip link add uplink type veth peer name eth0 netns outside
        ip addr add $uplink/24 dev uplink
        ip link set uplink up
        ip -n outside link set lo up
        ip -n outside link set eth0 up
        ip -n outside addr add $outside/24 dev eth0
        ip -n outside route add default via $uplink
        ip netns exec outside "$PROBE" serve outside tcp/443 udp/53 &
}

# in_place PLACE COMMAND...: in a container, whatever plays it.
in_place() {
        local place=$1

        shift
        if [[ $place == outside || $mode == netns ]]; then
                ip netns exec "$place" "$@"
        else
                docker exec "$place" "$@"
        fi
}

# probe PLACE MILLISECONDS TARGET...
probe() {
        local place=$1 program=$PROBE

        shift
        [[ $place == outside || $mode == netns ]] || program=probe
        in_place "$place" "$program" "$@"
}

# What to try, as matrix.py reads it, with the prober's target at the end of each line.
cells() {
        local from to port from_key

        for from in web api db blog outside; do
                from_key=${project[$from]:-}/$from
                [[ $from != outside ]] || from_key=$outside
                for to in web api db blog; do
                        [[ $from != "$to" ]] || continue
                        if [[ $from == outside && $mode == docker ]]; then
                                # From outside there is a way in only where a port is published.
                                port=${published[$to]:-}
                                [[ -z $port ]] ||
                                        echo "$from $to $port tcp $port $from_key ${project[$to]}/$to tcp/$uplink/$port"
                                continue
                        fi
                        for port in 8080 9000 5432; do
                                echo "$from $to $port tcp $port $from_key ${project[$to]}/$to tcp/${address[$to]}/$port"
                        done
                        echo "$from $to ping icmp 0 $from_key ${project[$to]}/$to icmp/${address[$to]}"
                done
                if [[ $from != outside ]]; then
                        echo "$from outside dns udp 53 $from_key $outside udp/$outside/53"
                        echo "$from outside https tcp 443 $from_key $outside tcp/$outside/443"
                fi
        done
}

# Tries them, all of one source at once.
measure() {
        local from targets

        for from in web api db blog outside; do
                mapfile -t targets < <(awk -v from=$from '$1 == from { print $8 }' "$DEMO_DIR/cells")
                probe $from 1000 "${targets[@]}" || [[ $? == 1 ]]
        done
}

# The same containers for the command line, which asks neither engine nor agent.
inventory() {
        local name

        printf 'apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n'
        for name in web api db blog; do
                printf '  - name: %s\n    namespace: %s\n' "$name" "${project[$name]}"
                printf '    labels: { com.docker.compose.project: %s, com.docker.compose.service: %s }\n' \
                        "${project[$name]}" "$name"
                printf '    addresses: [%s]\n' "${address[$name]}"
                [[ ${1:-} != netns ]] || printf '    netns: %s\n' "$name"
        done
}

agent_config() {
        local runtime='docker: { socket: /run/docker.sock }'

        [[ $mode == docker ]] || runtime="static: { inventory: $DEMO_DIR/static.yaml }"
        printf '%s\n' 'apiVersion: vethwall.io/v1' 'kind: AgentConfig' "policies: [$policies]" \
                "runtimes: { $runtime }" 'metrics: { listen: 127.0.0.1:9746 }' \
                "control: { socket: $VETHWALL_SOCKET }" "state: $DEMO_DIR/state"
}

# In a subshell, which a connection refused ends.
is_ready() (
        exec 9<>/dev/tcp/127.0.0.1/9746
        printf 'GET /readyz HTTP/1.0\r\n\r\n' >&9
        read -r answer <&9
        [[ $answer == *' 200 '* ]]
)

compare() {
        "$VETHWALL" matrix -p "$policies" -i "$DEMO_DIR/inventory.yaml" -o json >"$DEMO_DIR/matrix.json"
        measure >"$DEMO_DIR/measured"
        "$here/matrix.py" "$DEMO_DIR/cells" "$DEMO_DIR/measured" "$DEMO_DIR/matrix.json" || failures=1
}

# until_word WORD PLACE TARGET: tries again and again until the outcome is WORD.
until_word() {
        local program=$PROBE

        [[ $mode == netns ]] || program=probe
        in_place "$2" sh -c 'until [ "$("$1" 40 "$2")" = "$3" ]; do :; done' sh "$program" "$3" "$1"
}

# timed WORD PLACE TARGET COMMAND...: runs the command and prints the milliseconds until the outcome is WORD.
timed() {
        local word=$1 place=$2 target=$3 begin waiter

        shift 3
        until_word "$word" "$place" "$target" &
        waiter=$!
        sleep 0.3 # for the waiting side to be at it
        begin=$(now_ms)
        "$@"
        wait "$waiter"
        echo $(($(now_ms) - begin))
}

engine_rules() {
        if command -v iptables-save >/dev/null; then
                iptables-save 2>/dev/null | grep -v '^[#:]' || true
        fi
}

failures=0
step "The stage"
if [[ $mode == docker ]]; then
        docker_stage
        say "A Docker engine of its own ($(docker version -f '{{.Server.Version}}')), and on one network the containers" \
                "  web, api, db   of the Compose project shop, their ports 8080, 9000, 5432 published on the host" \
                "  blog           of another project" \
                "and outside, beyond the host's uplink, a client that is also a server for DNS and HTTPS."
else
        netns_stage
        say "Network namespaces on a bridge: web, api, db of the project shop, blog of another project, and outside," \
                "beyond the host's uplink, a client that is also a server for DNS and HTTPS."
fi
outside_stage
cells >"$DEMO_DIR/cells"
inventory >"$DEMO_DIR/inventory.yaml"
inventory netns >"$DEMO_DIR/static.yaml"
mkdir -p "$policies"
agent_config >"$DEMO_DIR/agent.yaml"
engine_rules >"$DEMO_DIR/rules-before"
if ! wait_for 10 probe web 300 "tcp/${address[db]}/5432"; then
        say "The containers do not reach each other even without a policy: $(probe web 300 "tcp/${address[db]}/5432" 2>&1)"
        exit 1
fi
say "" "Who reaches whom before, tried with real connections (TCP 8080, 9000, 5432 and ping):" ""
measure >"$DEMO_DIR/measured"
"$here/matrix.py" "$DEMO_DIR/cells" "$DEMO_DIR/measured"

step "The policy, and the agent"
say "policies/examples/shop.yaml, five ordinary Kubernetes NetworkPolicies: web is open on 8080 and speaks to api," \
        "api to db, db to nobody; web and api may ask for DNS; all else in the project is closed."
cp "$top/policies/examples/shop.yaml" "$policies/"
begin=$(now_ms)
"$VETHWALLD" -c "$DEMO_DIR/agent.yaml" 2>"$DEMO_DIR/agent.log" &
agent=$!
if ! wait_for 20 is_ready; then
        cat "$DEMO_DIR/agent.log"
        exit 1
fi
say "" "vethwalld started: in force after $(($(now_ms) - begin)) ms."
shown "vethwall status" "$VETHWALL" status

step "Expected and measured"
compare

step "Why"
say "Somebody has broken into web and goes for the database."
shown "vethwall explain ... shop/web shop/db TCP/5432" \
        sh -c '"$@" || true' sh "$VETHWALL" explain -p "$policies" -i "$DEMO_DIR/inventory.yaml" shop/web shop/db TCP/5432
say "and tried: $(probe web 500 "tcp/${address[db]}/5432" || true)."
if [[ $mode == docker ]]; then
        say "A container that is started into the project now, and tries from its first instruction:"
        shown "docker run --label com.docker.compose.project=shop ... probe tcp/db/5432" \
                sh -c '"$@" || true' sh docker run --rm --network shop --label com.docker.compose.project=shop probe \
                probe 500 "tcp/${address[db]}/5432"
fi

step "A change, live"
say "A second file lets blog read from api:"
cat >"$DEMO_DIR/new.yaml" <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: blog-reads, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: api } }
  ingress:
    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: blog } } }]
      ports: [{ port: 9000 }]
END
sed 's/^/     /' "$DEMO_DIR/new.yaml"
say "blog -> api 9000 gets through $(timed open blog "tcp/${address[api]}/9000" \
        mv "$DEMO_DIR/new.yaml" "$policies/blog-reads.yaml") ms after the file was there."
compare
say "The file is removed: closed again after $(timed silent blog "tcp/${address[api]}/9000" \
        rm "$policies/blog-reads.yaml") ms."

step "A mistake"
say "Somebody mistypes a field. The agent says where, and the last good policies stay in force:"
sed 's/^  podSelector: {}/  podSelectr: {}/' "$top/policies/examples/shop.yaml" >"$DEMO_DIR/new.yaml"
mv "$DEMO_DIR/new.yaml" "$policies/shop.yaml"
wait_for 10 grep -q podSelectr "$DEMO_DIR/agent.log" || failures=1
grep -m 1 -A 3 podSelectr "$DEMO_DIR/agent.log" | sed "s|$policies/||; s/^/     /"
say "web -> api 9000: $(probe web 1000 "tcp/${address[api]}/9000" || true);" \
        "web -> db 5432: $(probe web 500 "tcp/${address[db]}/5432" || true)."
cp "$top/policies/examples/shop.yaml" "$DEMO_DIR/new.yaml"
mv "$DEMO_DIR/new.yaml" "$policies/shop.yaml"

step "What was counted"
shown "vethwall counters" "$VETHWALL" counters

step "The end"
kill -TERM "$agent"
wait "$agent" || failures=1
agent=
say "The agent has ended, and its rules stay: web -> db 5432: $(probe web 500 "tcp/${address[db]}/5432" || true)."
shown "vethwalld --teardown" "$VETHWALLD" -c "$DEMO_DIR/agent.yaml" --teardown
say "Now they are gone: web -> db 5432: $(probe web 1000 "tcp/${address[db]}/5432" || true)."
engine_rules >"$DEMO_DIR/rules-after"
if [[ $mode == docker ]]; then
        if cmp -s "$DEMO_DIR/rules-before" "$DEMO_DIR/rules-after"; then
                say "Docker's own rules are what they were."
        else
                say "Docker's own rules have changed:"
                diff "$DEMO_DIR/rules-before" "$DEMO_DIR/rules-after" | sed 's/^/     /' || true
                failures=1
        fi
fi
printf '\n'
if [[ $failures == 0 ]]; then
        say "$(paint '1;32' "Done: every connection behaved as the policy says.") ($SECONDS s)"
else
        say "$(paint '1;31' "Something was not as it should be; see above.")"
        sed 's/^/     /' "$DEMO_DIR/agent.log" | tail -n 20
fi
exit "$failures"
