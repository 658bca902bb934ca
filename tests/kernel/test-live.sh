#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Questions about what a running agent has in force: it gives its policies, its inventory, its settings and the open
# connections, and the command line says from them what the packets then do.
#
#   test-live.sh VETHWALLD VETHWALL PROBE
set -euo pipefail
# shellcheck source=agent-lab.sh
source "$(dirname "${BASH_SOURCE[0]}")/agent-lab.sh"

bridge br-a 1
bridge br-b 2
endpoint web br-a 1 2
endpoint client br-a 1 3
endpoint evil br-a 1 4
endpoint other br-b 2 2
inventory web client evil other
config
web_policy client other

# says STATUS COMMAND...: what vethwall says, and that it ends with this status.
says() {
        local want=$1 got=0

        shift
        "$vethwall" "$@" >"$TEST_TMP/said" 2>&1 || got=$?
        check_eq "status of: vethwall $*" "$want" "$got"
        said=$(cat "$TEST_TMP/said")
}

says 2 explain --live client web tcp/80
check_match "no agent is said" 'is vethwalld running' "$said"
agent_start

# what is in force

says 0 explain --live client web tcp/80
check_match "by the rule in the agent's file" "allowed by NetworkPolicy shop/web, ingress\[0\], $policies/web.yaml:7" "$said"
allowed client tcp/10.1.1.2/80 "as it says"
says 1 explain --live shop/evil shop/web tcp/80
check_match "for a reason" 'needs app=client, has app=evil' "$said"
chain=$(sed -n 's/.*In the kernel: chain inet vethwall //p' <<<"$said" | tail -n 1)
check "the chain that it names is there" nft list chain inet vethwall "$chain"
denied evil tcp/10.1.1.2/80 "as it says"
says 1 explain --live 192.0.2.7 10.1.1.2 tcp/80
says 0 explain --live 10.1.1.1 web tcp/81
check_match "its own host may" 'the other end is its own host' "$said"
check "as it does" "$probe" 2000 tcp/10.1.1.2/81
says 0 matrix --live tcp/80
check_match "who can reach whom" 'shop/client' "$said"
says 0 diff --live "$policies"
check_match "nothing would change" 'identical' "$said"
says 0 inventory
printf '%s\n' "$said" >"$TEST_TMP/inventory.json"
"$vethwall" matrix --live -o json >"$TEST_TMP/live.json"
"$vethwall" matrix -p "$policies" -i "$TEST_TMP/inventory.json" -o json >"$TEST_TMP/files.json"
check "the agent's state as files gives the same matrix" cmp "$TEST_TMP/live.json" "$TEST_TMP/files.json"
check_eq "another user is not told" 403 "$(chmod 666 "$VETHWALL_SOCKET" && setpriv --reuid 65534 --regid 65534 --clear-groups \
        curl -s -o /dev/null -w '%{http_code}' --unix-socket "$VETHWALL_SOCKET" http://localhost/v1/state)"
chmod 600 "$VETHWALL_SOCKET"

# a change before it is made

mkdir "$TEST_TMP/planned"
sed 's/app: client/app: evil/' "$policies/web.yaml" >"$TEST_TMP/planned/web.yaml"
says 1 diff --live "$TEST_TMP/planned"
check_match "who would lose" '- shop/client -> shop/web: TCP 80' "$said"
check_match "who would gain" '\+ shop/evil -> shop/web: TCP 80' "$said"
says 1 diff --live "$TEST_TMP/planned" -o json
check_eq "and so for programs" "['shop/client', 'shop/evil']" \
        "$(python3 -c 'import json, sys; print([c["src"] for c in json.load(sys.stdin)["changes"]])' <<<"$said")"
denied evil tcp/10.1.1.2/80 "as nothing was changed"

# open connections

# hold NAME FROM ADDRESS PORT: opens a connection, and keeps it open.
hold() {
        ip netns exec "$2" python3 - "$3" "$4" "$TEST_TMP/held.$1" <<'END' &
import socket, sys, time
while True:
    try:
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)
        break
    except OSError:
        time.sleep(0.05)
s.settimeout(None)
s.sendall(b"x")
s.recv(1)
open(sys.argv[3], "w").close()
s.recv(1)
END
        check_soon "a connection is open: $1" 10 test -e "$TEST_TMP/held.$1"
}

ip netns exec web busybox nc -ll -p 7000 -e cat &
nft -f - <<'END'
table ip published {
        chain prerouting {
                type nat hook prerouting priority dstnat
                ip daddr 10.1.2.1 tcp dport 7070 dnat to 10.1.1.2:7000
        }
}
END
live_policy client other evil
hold stays client 10.1.1.2 7000
hold ends other 10.1.1.2 7000
hold published other 10.1.2.1 7070
hold denied evil 10.1.1.2 7000
live_policy client other
in_force() {
        ! query state 'd["policies"][0]["text"]' | grep -q evil
}
check_soon "evil may open no more" 5 in_force
evil_is_cut() {
        is 0 query connections 'len([c for c in d["connections"] if c["original"]["src"] == "10.1.1.4"])'
}
check_soon "and what it had open is cut" 5 evil_is_cut
sed '/app: other/d' "$policies/web.yaml" >"$TEST_TMP/planned/web.yaml"
says 1 diff --live "$TEST_TMP/planned"
check_match "those that are denied from now on" \
        'denied from now on.*shop/other \(10.1.2.2\) -> shop/web \(10.1.1.2\) tcp/7000, 2 connections: ingress denied by NetworkPolicy shop/web' \
        "$said"
check_eq "none is left that is denied already" "" "$(grep -F 'denied already' <<<"$said" || true)"
check_eq "none that stays allowed" "" "$(grep -F 'shop/client (' <<<"$said" || true)"
says 1 diff --live "$TEST_TMP/planned" -o json
check_eq "and so for programs" "[('shop/other', 'shop/web', 'tcp/7000', 2, 'allow')]" \
        "$(python3 -c 'import json, sys; print([(c["src"], c["dst"], c["service"], c["count"], c["old"])
                for c in json.load(sys.stdin)["connections"]])' <<<"$said")"
check_eq "as they were asked for" "[('10.1.2.1', 7070, '10.1.1.2', 7000)]" \
        "$(query connections '[(c["original"]["dst"], c["original"]["dport"], c["reply"]["src"], c["reply"]["sport"])
                for c in d["connections"] if c["original"]["dport"] == 7070]')"
web_policy client other
only_80() {
        ! query state 'd["policies"][0]["text"]' | grep -q 7000
}
check_soon "changed back" 5 only_80

# the files are broken: what is in force is still told, and where it stood

cp "$policies/web.yaml" "$TEST_TMP/good.yaml"
sed 's/podSelector/podSelectr/' "$policies/web.yaml" | policy web
check_soon "the mistake is noticed" 5 is degraded query status 'd["state"]'
says 0 explain --live client web tcp/80
check_match "the last good file is the one in force" "$policies/web.yaml:7" "$said"
check_eq "its text is given" "$(cat "$TEST_TMP/good.yaml")" "$(query state 'd["policies"][0]["text"]')"
says 0 diff --live "$TEST_TMP/good.yaml"
says 2 diff --live "$policies"
check_match "the mistake in the new ones is shown" 'did you mean' "$said"
policy web <"$TEST_TMP/good.yaml"
check_soon "mended" 5 is ok query status 'd["state"]'

# settings

config 'defaultAction: deny' 'hostTraffic: policy'
default_is() {
        is "$1" query state 'd["settings"]["defaultAction"]'
}
check_soon "the setting is told" 5 default_is deny
says 1 explain --live other client tcp/80
check_match "by default" 'denied by default' "$said"
denied other tcp/10.1.1.3/80 "as it says"
says 1 explain --live 10.1.1.1 web tcp/81
host_blocked() {
        [[ $("$probe" 300 tcp/10.1.1.2/81) == silent ]]
}
check "the host is under policy" host_blocked
config
check_soon "and told when it changes back" 5 default_is allow
says 0 explain --live other client tcp/80
check_stops

# an agent that has nothing in force yet

printf 'kind: [' >"$policies/broken.yaml"
notified() {
        grep -q READY=1 "$TEST_TMP/notified"
}
agent_start notified
says 2 explain --live client web tcp/80
check_match "is asked why" 'has nothing in force yet' "$said"
check_stops
check "the rules are removed" "$vethwalld" -c "$TEST_TMP/config.yaml" --teardown
done_testing
