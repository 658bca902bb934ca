#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent without any engine: endpoints are network namespaces of a static inventory, on two bridges of a private host.
# What policy allows passes and what it denies does not, on one bridge, across bridges and to the host; through changes,
# mistakes, restarts, kills and other people's hands.
#
#   test-agent.sh VETHWALLD VETHWALL PROBE
set -euo pipefail
# shellcheck source=agent-lab.sh
source "$(dirname "${BASH_SOURCE[0]}")/agent-lab.sh"

bridge br-a 1
bridge br-b 2
bridge plain0 3
endpoint web br-a 1 2
endpoint client br-a 1 3
endpoint evil br-a 1 4
endpoint other br-b 2 2
endpoint left plain0 3 2
endpoint right plain0 3 3
"$probe" serve host tcp/8000 &

# before the first start: the ground that is laid at boot

inventory web client evil other
config
allowed web tcp/10.1.2.2/80 "before anything is loaded"
base() {
        "$vethwalld" -c "$TEST_TMP/${1:-config.yaml}" --base
}
check_eq "the base is loaded" "the base is loaded" "$(base)"
denied web tcp/10.1.2.2/80 "on the base"
denied web tcp/fd00:2::2/80 "on the base"
denied web tcp/10.1.1.1/8000 "on the base: not even its host knows it"
allowed left tcp/10.1.3.3/80 "on a bridge that is not managed, on the base"
check_eq "what is there stays" "there are rules already; they stay" "$(base)"
check "the base can be removed" "$vethwalld" -c "$TEST_TMP/config.yaml" --teardown
echo 'policies: {' >"$TEST_TMP/broken.yaml"
check_match "a configuration that is refused leaves nothing open" 'the base is loaded$' "$(base broken.yaml 2>&1)"
denied web tcp/10.1.2.2/80 "on the base of no configuration"
check "that can be removed too" "$vethwalld" -c "$TEST_TMP/config.yaml" --teardown

# first start

web_policy client other
check "the files are good" "$vethwalld" -c "$TEST_TMP/config.yaml" --check
nft add table inet witness
nft add chain inet witness c
agent_start
check_soon "the service manager is told" 5 grep -q READY=1 "$TEST_TMP/notified"

allowed client tcp/10.1.1.2/80 "on the same bridge"
allowed client tcp/fd00:1::2/80 "on the same bridge"
denied client tcp/10.1.1.2/81 "on the same bridge"
denied client tcp/fd00:1::2/81 "on the same bridge"
denied client icmp/10.1.1.2 "on the same bridge"
denied evil tcp/10.1.1.2/80 "on the same bridge"
denied evil tcp/fd00:1::2/80 "on the same bridge"
allowed other tcp/10.1.1.2/80 "across bridges"
denied other udp/10.1.1.2/53 "across bridges"
allowed web tcp/10.1.2.2/80 "which is open, across bridges"
allowed web tcp/10.1.1.1/8000 "its host"
check "the host reaches web" "$probe" 2000 tcp/10.1.1.2/81
allowed left tcp/10.1.3.3/80 "on a bridge that is not managed"
check_eq "a bridge that is not managed is left alone" 0 "$(cat /sys/class/net/plain0/bridge/nf_call_iptables)"

# status and metrics

check_eq "state" ok "$(query status 'd["state"]')"
check_eq "endpoints by the command" 4 "$("$vethwall" endpoints -o json | grep -c '"namespace"')"
check_eq "bridges" "[('br-a', True), ('br-b', True)]" \
        "$(query status '[(b["name"], b["isolated"]) for b in d["bridges"]]')"
check_eq "an endpoint's links" "[{'name': 'vweb', 'bridge': 'br-a'}]" \
        "$(query endpoints '[e["links"] for e in d["endpoints"] if e["name"] == "web"][0]')"
check_eq "an endpoint's addresses" "['10.1.1.2', 'fd00:1::2']" \
        "$(query endpoints '[e["addresses"] for e in d["endpoints"] if e["name"] == "web"][0]')"
check_eq "an endpoint's policies" "{'isolated': True, 'policies': ['shop/web']}" \
        "$(query endpoints '[e["ingress"] for e in d["endpoints"] if e["name"] == "web"][0]')"
check_eq "a policy" "[('NetworkPolicy', 'shop', 'web', 1, ['ingress'], 1)]" \
        "$(query policies '[tuple(p[k] for k in ("kind", "namespace", "name", "line", "directions", "endpoints"))
                for p in d["policies"]]')"
check_match "a policy's file" '/web.yaml$' "$(query policies 'd["policies"][0]["file"]')"
rule='[r["packets"] for r in d["rules"] if r["policy"] == "web" and r["rule"] == 0][0]'
check_eq "the rule has counted a packet a connection" 3 "$(query counters "$rule")"
check_eq "and so says the metric" 3 "$(value vethwall_rule_packets_total 'policy="web",rule="0"')"
check_match "denied packets are counted" '^[1-9]' "$(value vethwall_rule_packets_total 'policy="web",rule="",direction="ingress",verdict="deny"')"
check_eq "healthz" ok "$(curl -s "$metrics/healthz")"
check_eq "another path" 404 "$(curl -s -o /dev/null -w '%{http_code}' "$metrics/x")"
check_match "another method" '^(405|501)$' "$(curl -s -o /dev/null -w '%{http_code}' -d x "$metrics/metrics")"
check_match "a header too large" '^(000|400|413)$' \
        "$(curl -s -o /dev/null -w '%{http_code}' -H "X: $(head -c 9000 /dev/zero | tr '\0' x)" "$metrics/metrics" || true)"
check_match "OpenMetrics when asked for" '# EOF$' \
        "$(curl -s -H 'Accept: application/openmetrics-text; version=1.0.0' "$metrics/metrics")"
if command -v promtool >/dev/null; then
        curl -s "$metrics/metrics" >"$TEST_TMP/metrics"
        check_eq "promtool has nothing to say" "" "$(promtool check metrics <"$TEST_TMP/metrics" 2>&1)"
fi

# least privilege

of_agent() {
        awk -v name="$1:" '$1 == name { print $2 }' "/proc/$agent_pid/status"
}
# CAP_NET_BROADCAST, CAP_NET_ADMIN and CAP_SYS_PTRACE
check_eq "the agent has kept three capabilities" 0000000000081800 "$(of_agent CapEff)"
check_eq "and could not have others" "0000000000081800 0000000000081800" "$(of_agent CapPrm) $(of_agent CapBnd)"
check_eq "nor gain any" 1 "$(of_agent NoNewPrivs)"
filtered=$(query status '[c["inForce"] or c["reason"] == "not wanted" for c in d["confinement"] if c["name"] == "seccomp"][0]')
check_eq "its system calls are few" True "$filtered"
check_match "the command tells" 'Confined by: +no-new-privileges, capabilities' "$("$vethwall" status)"

# the control socket

check_eq "mode of the control socket" 600 "$(stat -c %a "$VETHWALL_SOCKET")"
other_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
check_not "another user cannot connect" "${other_user[@]}" \
        curl -sf --unix-socket "$VETHWALL_SOCKET" http://localhost/v1/status
chmod 666 "$VETHWALL_SOCKET"
check_eq "and is not answered even where the mode lets him in" 403 "$("${other_user[@]}" \
        curl -s -o /dev/null -w '%{http_code}' --unix-socket "$VETHWALL_SOCKET" http://localhost/v1/status)"
chmod 600 "$VETHWALL_SOCKET"
check_eq "an unknown resource" 404 "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$VETHWALL_SOCKET" \
        http://localhost/v1/nothing)"
check_not "a second agent does not start" "$vethwalld" -c "$TEST_TMP/config.yaml"
check_not "--teardown does not run beside an agent" "$vethwalld" -c "$TEST_TMP/config.yaml" --teardown
check "and has removed nothing" nft list table inet vethwall

# A client that hangs up in the middle of an answer.
python3 - <<'END'
import socket
for _ in range(20):
    s = socket.create_connection(("127.0.0.1", 9746))
    s.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 20)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()
END
check_eq "clients that hang up do no harm" ok "$(curl -s "$metrics/healthz")"

# changes of policy, with a transfer running

web_policy client other evil
allowed evil tcp/10.1.1.2/80 "when the policy was changed"
web_policy client other
check_soon "evil is shut out when it is changed back" 5 blocks evil tcp/10.1.1.2/80

# A line every 20 ms, numbered, until there is the file "stop".
cat >"$TEST_TMP/stream" <<END
#!/bin/sh
i=0
until [ -e $TEST_TMP/stop ]; do i=\$((i + 1)); echo \$i; busybox usleep 20000; done
echo end
END
chmod 755 "$TEST_TMP/stream"
ip netns exec other busybox nc -ll -p 7000 -e "$TEST_TMP/stream" &
download() {
        until ip netns exec web busybox nc 10.1.2.2 7000 >"$TEST_TMP/download" && [[ -s $TEST_TMP/download ]]; do
                sleep 0.1
        done
}
download &
download=$!
progress() {
        lines <"$TEST_TMP/download"
}
moves() {
        local before

        before=$(progress)
        wait_for 5 eval "((\$(progress) > $before + 5))"
}
check_soon "a download runs" 10 moves

policy broken <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: broken, namespace: shop }
spec: { podSelectr: {} }
END
check_soon "a broken policy is noticed" 5 is degraded query status 'd["state"]'
check_match "with its place" '^\(.*/broken.yaml., 4, [0-9]+\)$' \
        "$(query status 'tuple(d["policyErrors"][0][k] for k in ("file", "line", "column"))')"
check_match "and logged with it" '/broken.yaml:4:[0-9]+: ' "$(cat "$log")"
check "the metric says so" test "$(value vethwall_policy_errors)" -ge 1
check "it is still ready" ready
allowed client tcp/10.1.1.2/80 "under the last good policies"
denied evil tcp/10.1.1.2/80 "under the last good policies"
logged=$(grep -c broken.yaml:4 "$log")
touch "$policies/broken.yaml"
loads=$(value vethwall_policy_loads_total 'result="refused"')
kill -HUP "$agent_pid"
reloaded() {
        (($(value vethwall_policy_loads_total 'result="refused"') > loads))
}
check_soon "it is read again" 5 reloaded
check_eq "the same errors are logged once" "$logged" "$(grep -c broken.yaml:4 "$log")"
rm "$policies/broken.yaml"
check_soon "mended" 5 is ok query status 'd["state"]'

# A deployment that replaces the directory, and one that swaps a symbolic link.
mv "$policies" "$TEST_TMP/old"
mkdir "$policies"
web_policy evil
allowed evil tcp/10.1.1.2/80 "when the directory was replaced"
check_soon "and client is shut out" 5 blocks client tcp/10.1.1.2/80
rm -r "$policies"
ln -s "$TEST_TMP/old" "$policies"
allowed client tcp/10.1.1.2/80 "when it became a link"
check_soon "and evil is shut out" 5 blocks evil tcp/10.1.1.2/80
check "the download went on" moves

# tiers: rules for the whole host around the NetworkPolicies

tier_rules() {
        query counters '[(r["policy"], r["rule"]) for r in d["rules"] if r["policy"] == "guard" and r["packets"] > 0]'
}
policy guard <<'END'
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: guard }
spec:
  tier: Admin
  priority: 10
  subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: web } } } }
  ingress:
    - action: Pass
      from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: client } } } }]
    - action: Accept
      from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: evil } } } }]
      protocols: [{ tcp: { destinationPort: { number: 81 } } }]
    - action: Deny
      from: [{ namespaces: {} }]
  egress:
    - action: Deny
      to: [{ networks: [10.1.2.0/24] }]
      protocols: [{ tcp: { destinationPort: { range: { start: 70, end: 80 } } } }]
    - action: Deny
      to: [{ nodes: {} }]
      protocols: [{ udp: {} }]
END
check_soon "a policy of the Admin tier applies" 5 blocks other tcp/10.1.1.2/80
denied other tcp/fd00:1::2/80 "which NetworkPolicy would allow"
allowed client tcp/10.1.1.2/80 "which passes to NetworkPolicy, on the same bridge"
denied client tcp/10.1.1.2/81 "which NetworkPolicy does not allow"
allowed evil tcp/10.1.1.2/81 "which NetworkPolicy would not allow"
allowed evil tcp/fd00:1::2/81 "which NetworkPolicy would not allow"
denied evil tcp/10.1.1.2/80 "where nothing accepts"
denied web tcp/10.1.2.2/80 "in a network that is denied"
allowed web tcp/10.1.2.2/81 "beyond the ports that are denied"
allowed web tcp/fd00:2::2/80 "in the other family"
denied web udp/10.1.2.2/53 "since what cannot be told fails closed"
check_match "each rule has counted" "'guard', 1.*'guard', 2.*'guard', 0" "$(tier_rules)"
policy floor <<'END'
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: floor }
spec:
  tier: Baseline
  priority: 0
  subject: { namespaces: {} }
  ingress:
    - action: Deny
      from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: evil } } } }]
END
check_soon "the Baseline tier decides where nothing else does" 5 blocks evil tcp/10.1.2.2/80
allowed client tcp/10.1.2.2/80 "of which Baseline says nothing"
allowed client tcp/10.1.1.2/80 "which NetworkPolicy isolates"
policy floor <<'END'
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: { name: default }
spec:
  subject: { namespaces: {} }
  ingress:
    - { action: Deny, from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: client } } } }] }
END
check_soon "and so it does in its older form" 5 blocks client tcp/10.1.2.2/80
allowed evil tcp/10.1.2.2/80 "of which that says nothing"
policy guard <<'END'
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: guard }
spec:
  priority: 10
  subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: web } } } }
  ingress:
    - action: Allow
      from: [{ pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: evil } } } }]
      ports: [{ portNumber: { protocol: TCP, port: 80 } }]
END
allowed evil tcp/10.1.1.2/80 "by an AdminNetworkPolicy"
allowed other tcp/10.1.1.2/80 "by NetworkPolicy again"
rm "$policies/guard.yaml" "$policies/floor.yaml"
check_soon "without them NetworkPolicy alone decides" 5 blocks evil tcp/10.1.1.2/80
allowed client tcp/10.1.2.2/80 "which is open again"

# restart

# The monitor must be listening before anything is judged by its silence.
nft monitor >"$TEST_TMP/monitor" 2>&1 &
listening() {
        nft add set inet witness s '{ type ipv4_addr; }'
        nft delete set inet witness s
        grep -q witness "$TEST_TMP/monitor"
}
check_soon "nft monitor listens" 5 listening
# The order of chains in the kernel is that of their making, which is not the rules'.
listed() {
        nft -s list table inet vethwall | sort
}
rules=$(listed)
# What the kernel itself has counted: what it forgot with a rule that was gone for a while is the last agent's memory.
packets=$(nft list table inet vethwall | sed -n 's/.*packets \([0-9]*\) .*"allow shop\/web ingress\[0\]".*/\1/p' | head -n 1)
check "the kernel has counted" test "$packets" -gt 0
check_stops
check_not "the control socket is gone" test -e "$VETHWALL_SOCKET"
denied evil tcp/10.1.1.2/80 "without an agent"
check "the download went on without an agent" moves
agent_start
check_eq "the first pass changes nothing" "0 1" \
        "$(value vethwall_transactions_total 'result="committed"') $(value vethwall_transactions_total 'result="empty"')"
check_eq "the rules are the same" "$rules" "$(listed)"
check "the counters went on" test "$(query counters "$rule")" -ge "$packets"
kill_agent
denied evil tcp/10.1.1.2/80 "when the agent was killed"
allowed client tcp/10.1.1.2/80 "when the agent was killed"
agent_start
check_eq "a socket that was left behind is replaced" ok "$(query status 'd["state"]')"
check_eq "and again nothing changes" 0 "$(value vethwall_transactions_total 'result="committed"')"
check "the download went on through it all" moves
nft add set inet witness last '{ type ipv4_addr; }'
check_soon "the monitor is up to date" 5 grep -q 'witness last' "$TEST_TMP/monitor"
check_eq "no transaction touched the rules" "" "$(grep vethwall "$TEST_TMP/monitor" || true)"

# other hands

packets=$(query counters "$rule")
nft delete table inet vethwall
check_soon "a deleted table is restored" 5 nft list table inet vethwall
check_soon "and as it was" 5 is "$rules" listed
nft flush chain inet vethwall ingress
check_soon "a flushed chain is restored" 5 is "$rules" listed
denied evil tcp/10.1.1.2/80 "after that"
check_eq "both were counted" 2 "$(value vethwall_foreign_changes_total)"
check "the rule's counter did not go backwards" test "$(query counters "$rule")" -ge "$packets"
ip link set br-a type bridge nf_call_iptables 0
check_soon "a bridge's flag that was turned off is turned on again" 10 \
        is 1 cat /sys/class/net/br-a/bridge/nf_call_iptables

# endpoints that come, go and change

endpoint late br-a 1 5
denied late tcp/10.1.1.3/80 "while it is no known endpoint"
inventory web client evil other late
allowed late tcp/10.1.1.3/80 "when the inventory was changed"
ip -n late addr add 10.1.1.6/32 dev eth0
check_soon "a new address is known" 5 is "['10.1.1.5', '10.1.1.6', 'fd00:1::5']" \
        query endpoints '[e["addresses"] for e in d["endpoints"] if e["name"] == "late"][0]'
ip -n late addr del 10.1.1.5/24 dev eth0
check_soon "and an old one is forgotten" 5 is "['10.1.1.6']" \
        query endpoints '[[a for a in e["addresses"] if "." in a] for e in d["endpoints"] if e["name"] == "late"][0]'
ip netns pids late | xargs -r kill
ip netns del late
check_soon "a namespace that is gone is said aloud" 5 is "['shop/late']" \
        query status '[u["endpoint"] for u in d["unenforced"]]'
endpoint late br-b 2 5
check_soon "one of the same name in another place is found" 5 is "(['10.1.2.5', 'fd00:2::5'], 'br-b')" \
        query endpoints '[(e["addresses"], e["links"][0]["bridge"]) for e in d["endpoints"] if e["name"] == "late"][0]'
allowed late tcp/10.1.1.3/80 "from there"
printf 'kind: [' >"$TEST_TMP/inventory.yaml"
check_soon "a broken inventory is noticed" 5 is degraded query status 'd["state"]'
allowed late tcp/10.1.1.3/80 "under the last good inventory"
inventory web client evil other late
check_soon "and mended" 5 is ok query status 'd["state"]'

# the configuration, read again

config 'hostTraffic: policy'
kill -HUP "$agent_pid"
check_soon "a reload is told" 5 grep -q RELOADING=1 "$TEST_TMP/notified"
host_blocked() {
        [[ $("$probe" 300 tcp/10.1.1.2/81) == silent ]]
}
check_soon "the host is under policy now" 5 host_blocked
config
check_soon "and the file is watched too" 5 "$probe" 2000 tcp/10.1.1.2/81
config 'hostTrafic: policy'
kill -HUP "$agent_pid"
check_soon "a wrong configuration is refused" 5 is degraded query status 'd["state"]'
check "and the one before stays" "$probe" 2000 tcp/10.1.1.2/81
check_eq "--check refuses it" 2 "$("$vethwalld" -c "$TEST_TMP/config.yaml" --check >/dev/null 2>&1 || echo $?)"
config
check_soon "and mended" 5 is ok query status 'd["state"]'
touch "$TEST_TMP/stop"
wait "$download"
check_eq "the download came whole" "end" "$(tail -n 1 "$TEST_TMP/download")"
check_eq "and without a gap" "$(($(progress) - 1))" "$(tail -n 2 "$TEST_TMP/download" | head -n 1)"

# a start with policies that are wrong

check_stops
printf 'kind: [' >"$policies/broken.yaml"
notified() {
        grep -q READY=1 "$TEST_TMP/notified"
}
agent_start notified
check_not "an agent without policies is not ready" ready
check_eq "but alive" ok "$(curl -s "$metrics/healthz")"
allowed client tcp/10.1.1.2/80 "by what the earlier agent left"
denied evil tcp/10.1.1.2/80 "by what the earlier agent left"
check_eq "it changed nothing" "$(query status 'd["transactions"]["committed"]')" 0
check_stops
check "the rules can be removed" "$vethwalld" -c "$TEST_TMP/config.yaml" --teardown
check_not "and are gone" nft list table inet vethwall
check "others are not" nft list chain inet witness c
check "removing them again does no harm" "$vethwalld" -c "$TEST_TMP/config.yaml" --teardown
agent_start notified
denied client tcp/10.1.1.2/80 "while no policies are known"
denied evil tcp/10.1.1.3/80 "while no policies are known"
check "the host reaches web even so" "$probe" 2000 tcp/10.1.1.2/81
check_eq "state" degraded "$(query status 'd["state"]')"
rm "$policies/broken.yaml"
check_soon "mended, it is ready" 5 ready
allowed client tcp/10.1.1.2/80 "when the policies are known"
allowed evil tcp/10.1.1.3/80 "when the policies are known"
denied evil tcp/10.1.1.2/80 "when the policies are known"
check_stops

# doors that are taken

"$probe" serve taken tcp/9746 &
check_soon "the metrics' port is taken" 5 eval 'ss -Hltn sport = 9746 | grep -q .'
status=0
timeout 20 "$vethwalld" -c "$TEST_TMP/config.yaml" >"$TEST_TMP/taken" 2>&1 || status=$?
check_eq "the agent does not start on a taken port" 1 "$status"
check_match "that is said" 'metrics.listen: 127.0.0.1 port 9746 .*Address already in use' "$(cat "$TEST_TMP/taken")"
check "the rules can be removed" "$vethwalld" -c "$TEST_TMP/config.yaml" --teardown
done_testing
