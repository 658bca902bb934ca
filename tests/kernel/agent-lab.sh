#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A private host for tests of the agent, to be sourced with a test's own arguments, VETHWALLD VETHWALL PROBE: endpoints are
# network namespaces of a static inventory, on bridges. The test is started again inside the namespaces that make the host.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH=/usr/sbin:/sbin:$PATH LC_ALL=C

if [[ -z ${VETHWALL_TEST_INSIDE:-} ]]; then
        if [[ $(id -u) != 0 ]] || ! command -v nft ip unshare curl busybox python3 >/dev/null; then
                echo "1..0 # SKIP needs root, nft, ip, unshare, curl, busybox and python3"
                exit 0
        fi
        # All that is started lives in the process namespace, and ends with it.
        VETHWALL_TEST_INSIDE=1 exec setpriv --pdeathsig KILL \
                unshare -m -n -p -f --mount-proc --kill-child bash "$0" "$@"
fi

# shellcheck source=../lib/lib.sh
source "$here/../lib/lib.sh"
vethwalld=$(readlink -f "$1")
# shellcheck disable=SC2034 # for the test
vethwall=$(readlink -f "$2")
probe=$(readlink -f "$3")
export VETHWALL_SOCKET=/run/vethwall/control.sock
metrics=http://127.0.0.1:9746
policies=$TEST_TMP/policies
log=$TEST_TMP/agent.log
chmod 711 "$TEST_TMP"
mkdir "$policies"

# the host

mount -t tmpfs -o mode=755 tmpfs /run
mount -t sysfs sysfs /sys
mkdir /run/netns
ip link set lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

# Bridged packets shall not pass the inet hooks but where the agent says so.
sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0

# bridge NAME NUMBER
bridge() {
        ip link add "$1" type bridge
        ip addr add "10.1.$2.1/24" dev "$1"
        ip addr add "fd00:$2::1/64" dev "$1" nodad
        ip link set "$1" up
}

# endpoint NAME BRIDGE NUMBER HOST: a network namespace with a server in it.
endpoint() {
        local name=$1 bridge=$2 net=$3 host=$4

        ip netns add "$name"
        ip link add "v$name" type veth peer name eth0 netns "$name"
        ip link set "v$name" master "$bridge" up
        ip -n "$name" addr add "10.1.$net.$host/24" dev eth0
        ip -n "$name" addr add "fd00:$net::$host/64" dev eth0 nodad
        ip -n "$name" link set eth0 up
        ip -n "$name" link set lo up
        ip -n "$name" route add default via "10.1.$net.1"
        ip -n "$name" route add default via "fd00:$net::1"
        ip netns exec "$name" "$probe" serve "$name" tcp/80 tcp/81 udp/53 &
}

# what is tried

opens() {
        ip netns exec "$1" "$probe" 2000 "${@:2}"
}

blocks() {
        local outcome

        outcome=$(ip netns exec "$1" "$probe" 300 "$2") || true
        echo "$outcome"
        [[ $outcome == silent ]]
}

# allowed FROM TARGET WHEN; retried, since a packet may be lost where neighbours are not known yet.
allowed() {
        check_soon "$1 reaches $2 $3" 5 opens "$1" "$2"
}

denied() {
        check "$1 does not reach $2 $3" blocks "$1" "$2"
}

# files

policy() {
        cat >"$TEST_TMP/new"
        mv "$TEST_TMP/new" "$policies/$1.yaml"
}

# web_policy APP...: those apps may reach web's port 80.
web_policy() {
        local app

        {
                printf '%s\n' 'apiVersion: networking.k8s.io/v1' 'kind: NetworkPolicy' \
                        'metadata: { name: web, namespace: shop }' 'spec:' \
                        '  podSelector: { matchLabels: { app: web } }' '  ingress:' '    - ports: [{ port: 80 }]' \
                        '      from:'
                for app in "$@"; do
                        echo "        - podSelector: { matchLabels: { app: $app } }"
                done
        } | policy web
}

# live_policy APP...: as web_policy, for port 7000 of TCP and UDP, in one step.
live_policy() {
        mkdir -p "$TEST_TMP/draft"
        policies=$TEST_TMP/draft web_policy "$@"
        sed 's/{ port: 80 }/{ port: 80 }, { port: 7000 }, { port: 7000, protocol: UDP }/' "$TEST_TMP/draft/web.yaml" |
                policy web
}

# inventory NAME...: endpoints of the namespace shop, each with its name as app.
inventory() {
        local name

        {
                printf '%s\n' 'apiVersion: vethwall.io/v1' 'kind: Inventory' 'endpoints:'
                for name in "$@"; do
                        echo "  - { name: $name, namespace: shop, labels: { app: $name }, netns: $name }"
                done
        } >"$TEST_TMP/inventory.new"
        mv "$TEST_TMP/inventory.new" "$TEST_TMP/inventory.yaml"
}

# config [LINE...]
config() {
        printf '%s\n' 'apiVersion: vethwall.io/v1' 'kind: AgentConfig' "policies: [$policies]" \
                "runtimes: { static: { inventory: $TEST_TMP/inventory.yaml } }" "$@" >"$TEST_TMP/config.new"
        mv "$TEST_TMP/config.new" "$TEST_TMP/config.yaml"
}

# the agent

# A service manager that writes down what it is told.
python3 - "$TEST_TMP/notify" "$TEST_TMP/notified" <<'END' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
with open(sys.argv[2], "w") as out:
    while True:
        print(s.recv(4096).decode(), file=out, flush=True)
END
check_soon "the service manager listens" 10 test -S "$TEST_TMP/notify"

agent_pid=
ready() {
        curl -sf "$metrics/readyz"
}

agent_start() {
        : >"$TEST_TMP/notified"
        NOTIFY_SOCKET=$TEST_TMP/notify "$vethwalld" -c "$TEST_TMP/config.yaml" >>"$log" 2>&1 &
        agent_pid=$!
        wait_for 20 "${1:-ready}" || {
                note "$(tail -n 30 "$log")"
                bail_out "the agent did not become ready"
        }
}

# check_stops: a check of its own, because the agent is this shell's child and not a subshell's.
check_stops() {
        local status=0

        kill -TERM "$agent_pid"
        wait "$agent_pid" || status=$?
        check_eq "the agent stops with status 0" 0 "$status"
}

kill_agent() {
        kill -KILL "$agent_pid"
        wait "$agent_pid" 2>/dev/null || true
}

# value NAME [LABELS]: one metric's value.
value() {
        local text

        text=$(curl -sf "$metrics/metrics") || return
        awk -v name="$1" -v labels="${2:-}" \
                '!found && $0 ~ "^" name "[{ ]" && index($0, labels) { print $NF; found = 1 }' <<<"$text"
}

ask() {
        curl -sf --unix-socket "$VETHWALL_SOCKET" "http://localhost/v1/$1"
}

# query RESOURCE EXPRESSION: of Python, on the answer called d.
query() {
        ask "$1" | python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$2"
}

is() {
        [[ $("${@:2}") == "$1" ]]
}

show_log() {
        ((test_failures == 0)) || note "the agent's log:" "$(tail -n 60 "$log")"
}
at_exit show_log
