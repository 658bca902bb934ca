# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the Docker tests share, sourced first by each: the script is run again inside a private host with an engine of its
# own, and then finds here how to start the agent, containers and an outside client, and how to try connections.
#
#   NAME.sh VETHWALLD VETHWALL PROBE

docker_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PATH=/usr/sbin:/sbin:$PATH

if [[ -z ${VETHWALL_TEST_INSIDE:-} ]]; then
        dir=$(mktemp -d)
        trap 'rm -rf "$dir"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
        status=0
        VETHWALL_TEST_INSIDE=1 bash "$docker_dir/../lib/docker-host.sh" "$dir" "$0" "$@" || status=$?
        if [[ $status == 77 ]]; then
                echo "1..0 # SKIP no Docker engine can be run here"
                exit 0
        fi
        exit "$status"
fi

# shellcheck source-path=SCRIPTDIR source=../lib/lib.sh
source "$docker_dir/../lib/lib.sh"

VETHWALLD=$(readlink -f "$1")
VETHWALL=$(readlink -f "$2")
PROBE=$(readlink -f "$3")
export VETHWALLD VETHWALL PROBE
export VETHWALL_SOCKET=/run/vethwall/control.sock
policies=$TEST_TMP/policies
agent_pid=
agent_wrapper=() # what the agent is run under
agent_patience=20 # seconds until it must be ready

# The image "vw" with the prober in it; more arguments are docker commit's.
make_image() {
        local image=$1 container

        shift
        container=$(docker create vw true)
        docker cp "$PROBE" "$container:/bin/probe" >/dev/null
        docker commit "$@" "$container" "$image" >/dev/null
        docker rm "$container" >/dev/null
}

# agent_config [LINE...]: writes the agent's configuration, with further lines.
agent_config() {
        mkdir -p "$policies"
        printf '%s\n' \
                'apiVersion: vethwall.io/v1' \
                'kind: AgentConfig' \
                "policies: [$policies]" \
                'runtimes: { docker: { socket: /run/docker.sock } }' \
                'metrics: { listen: 127.0.0.1:9746 }' \
                "control: { socket: $VETHWALL_SOCKET }" \
                "state: $TEST_TMP/state" \
                "$@" >"$TEST_TMP/agent.yaml"
}

is_ready() {
        curl -sf -o /dev/null http://127.0.0.1:9746/readyz
}

agent_start() {
        "${agent_wrapper[@]}" "$VETHWALLD" -c "$TEST_TMP/agent.yaml" >>"$TEST_TMP/agent.log" 2>&1 &
        agent_pid=$!
        wait_for "$agent_patience" is_ready || {
                note "$(tail -n 30 "$TEST_TMP/agent.log")"
                bail_out "the agent did not become ready"
        }
}

# Its exit status is this function's. Not for `check`, whose command is a subshell's: the agent is this shell's child.
agent_stop() {
        local status=0

        kill -TERM "$agent_pid"
        wait "$agent_pid" || status=$?
        agent_pid=
        return "$status"
}

check_agent_stops() {
        local status=0

        agent_stop || status=$?
        check_eq "the agent ends with status 0" 0 "$status"
}

# The last words of an agent that is still there when the script ends, if something failed.
agent_log() {
        if ((test_failures > 0)); then
                note "the agent's log:" "$(tail -n 40 "$TEST_TMP/agent.log")"
        fi
        [[ -z $agent_pid ]] || agent_stop || note "the agent ended with status $?"
}
at_exit agent_log

# Writes a policy file in one step, as an editor or a deployment does; its text is standard input.
policy() {
        mkdir -p "$policies"
        cat >"$TEST_TMP/policy.new"
        mv "$TEST_TMP/policy.new" "$policies/$1.yaml"
}

# container NAME NETWORK PROJECT ARGUMENT...: a container of the image "probe" in a Compose project. The arguments are
# docker run's options; the ports to serve are taken from SERVE.
SERVE=(tcp/8080 tcp/9000 udp/9000)
container() {
        local name=$1 network=$2 project=$3

        shift 3
        docker run -d --name "$name" --network "$network" --label "com.docker.compose.project=$project" \
                --label "com.docker.compose.service=$name" "$@" "${IMAGE:-probe}" \
                probe serve "$name" "${SERVE[@]}" >/dev/null
}

# addr CONTAINER NETWORK, addr6 CONTAINER NETWORK
addr() {
        docker inspect -f "{{(index .NetworkSettings.Networks \"$2\").IPAddress}}" "$1"
}

addr6() {
        docker inspect -f "{{(index .NetworkSettings.Networks \"$2\").GlobalIPv6Address}}" "$1"
}

bridge_of() {
        echo "br-$(docker network inspect -f '{{.Id}}' "$1" | cut -c 1-12)"
}

# A client beyond the host's uplink, in the namespace "outside".
outside_up() {
        ip netns add outside
        ip link add uplink type veth peer name eth0 netns outside
        ip addr add 198.51.100.1/24 dev uplink
        ip addr add 2001:db8:51::1/64 dev uplink nodad
        ip link set uplink up
        ip -n outside addr add 198.51.100.2/24 dev eth0
        ip -n outside addr add 2001:db8:51::2/64 dev eth0 nodad
        ip -n outside link set lo up
        ip -n outside link set eth0 up
        ip -n outside route add default via 198.51.100.1
        ip -n outside route add default via 2001:db8:51::1
}

# in_place PLACE COMMAND...: in a container, or in a network namespace written netns:NAME, or on the host (host).
in_place() {
        local place=$1

        shift
        case $place in
        host) "$@" ;;
        netns:*) ip netns exec "${place#netns:}" "$@" ;;
        *) docker exec "$place" "$@" ;;
        esac
}

# try PLACE TARGET [MILLISECONDS]: open, refused, unreachable or silent.
try() {
        local probe=probe

        [[ $1 != host && $1 != netns:* ]] || probe=$PROBE
        in_place "$1" "$probe" "${3:-1500}" "$2" || true
}

reaches() {
        local got

        got=$(try "$1" "$2")
        [[ $got == open ]] || { echo "$1 -> $2: $got" && return 1; }
}

# Dropped without a word: a refusal would be the answer of somebody who was reached.
blocked() {
        local got

        got=$(try "$1" "$2" 700)
        [[ $got == silent ]] || { echo "$1 -> $2: $got" && return 1; }
}

# allowed/denied PLACE TARGET WHAT: a check each; what has just been changed may take a moment to apply.
allowed() {
        check_soon "$3: $1 -> $2 passes" 5 reaches "$1" "$2"
}

denied() {
        check_soon "$3: $1 -> $2 is dropped" 5 blocked "$1" "$2"
}

# The value of a metric, summed over all label sets that match: metric NAME [REGEX].
metric() {
        local text

        text=$(curl -sf http://127.0.0.1:9746/metrics) || return
        awk -v name="$1" -v labels="${2:-}" '
                $1 ~ "^" name "([{]|$)" && $0 ~ labels { sum += $NF; found = 1 }
                END { if (!found) exit 1; printf "%.15g\n", sum }' <<<"$text"
}
