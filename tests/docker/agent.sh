#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent under traffic: restarted with nothing changed, killed, given a broken policy and a mended one, with a slow
# download running through it all and losing not a line.
set -euo pipefail
# shellcheck source=host.sh
source "$(dirname "${BASH_SOURCE[0]}")/host.sh"

make_image probe
policy shop <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: server, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: server } }
  ingress:
    - from: [{ podSelector: { matchLabels: { com.docker.compose.service: client } } }]
      ports: [{ port: 8080 }, { port: 7000 }]
END
docker network create --subnet 172.30.0.0/24 one >/dev/null
agent_config
agent_start
container server one shop
container client one shop
server=$(addr server one)
allowed client "tcp/$server/8080" "to begin with"
denied client "tcp/$server/9000" "to begin with"

# A download of a line every 50 ms, that ends when the server's file /stop appears; its lines are numbered.
docker exec -d server nc -ll -p 7000 -e sh -c \
        'i=0; until [ -e /stop ]; do i=$((i + 1)); echo $i; usleep 50000; done; echo end'
docker exec client sh -c "until nc $server 7000 >/download && [ -s /download ]; do :; done" &
download=$!
progress() {
        docker exec client cat /download | lines
}
moves() {
        local before

        before=$(progress)
        wait_for 5 eval "((\$(progress) > $before + 2))"
}
check_soon "the download runs" 10 moves

# Restarted with nothing changed: not one change to the kernel's tables, counters kept.
rules() {
        nft -s list table inet vethwall
}
packets() {
        nft -j list table inet vethwall | grep -o '"packets": *[0-9]*' | awk -F: '{ s += $2 } END { print s }'
}
before=$(rules)
counted=$(packets)
check "packets have been counted" test "$counted" -gt 0
nft monitor >"$TEST_TMP/monitor" 2>&1 &
monitor=$!
at_exit "kill $monitor 2>/dev/null"
check_agent_stops
check "the download goes on without the agent" moves
denied client "tcp/$server/9000" "without the agent"
agent_start
check "the download goes on with the next agent" moves
check_eq "the rules are the same" "$before" "$(rules)"
check_eq "the agent's own count: nothing committed" 0 \
        "$(metric vethwall_transactions_total 'result="committed"' || echo missing)"
check "the counters went on" test "$(packets)" -ge "$counted"
kill -KILL "$agent_pid"
wait "$agent_pid" 2>/dev/null || true
check "the download goes on when the agent was killed" moves
agent_start
check "and with the one after" moves
check_eq "the rules are the same" "$before" "$(rules)"

# nft's own notice of a new generation would be there too if a transaction had been committed.
nft add table inet witness
wait_for 5 grep -q witness "$TEST_TMP/monitor" || bail_out "nft monitor does not report"
check_eq "no transaction touched the tables" "" "$(grep vethwall "$TEST_TMP/monitor" || true)"
nft delete table inet witness

# A broken policy: reported, and the last good ones stay.
cp "$policies/shop.yaml" "$TEST_TMP/good.yaml"
sed 's/podSelector: { matchLabels/podSelectr: { matchLabels/' "$TEST_TMP/good.yaml" | policy shop
reported() {
        grep -q 'shop.yaml:[0-9]*:[0-9]*: .*podSelectr' "$TEST_TMP/agent.log"
}
check_soon "a broken policy is reported with its place" 5 reported
allowed client "tcp/$server/8080" "while the policy is broken"
denied client "tcp/$server/9000" "while the policy is broken"
check "the download goes on" moves
container late one shop --label com.docker.compose.service=client
allowed late "tcp/$server/8080" "a container that starts while the policy is broken"
denied late "tcp/$server/9000" "a container that starts while the policy is broken"

sed 's/port: 8080/port: 9000/' "$TEST_TMP/good.yaml" | policy shop
allowed client "tcp/$server/9000" "mended, and changed"
denied client "tcp/$server/8080" "mended, and changed"
check "the download goes on" moves
policy shop <"$TEST_TMP/good.yaml"
allowed client "tcp/$server/8080" "changed back"

docker exec server touch /stop
status=0
wait "$download" || status=$?
check_eq "the download ends" 0 "$status"
lost() {
        docker exec client cat /download | awk '$1 != NR && $1 != "end" { print "line " NR ": " $0 } END { if ($1 != "end") print "no end" }'
}
check_eq "not a line is lost" "" "$(lost)"

# Somebody else flushes our table: it is put right.
nft flush table inet vethwall
denied client "tcp/$server/9000" "after a foreign flush"
allowed client "tcp/$server/8080" "after a foreign flush"
nft delete table inet vethwall
denied client "tcp/$server/9000" "after a foreign delete"

curl -sf http://127.0.0.1:9746/metrics >"$TEST_TMP/metrics"
check "promtool finds nothing wrong with the metrics" promtool check metrics <"$TEST_TMP/metrics"
check_eq "README.md lists these metrics and no others" \
        "$(sed -n 's/^# TYPE \([a-z_0-9]*\) .*/\1/p' "$TEST_TMP/metrics" | sort)" \
        "$(sed -n 's/^| `\(vethwall_[a-z_0-9]*\)` .*/\1/p' "$docker_dir/../../README.md" | sort)"
check "status" "$VETHWALL" status
check_agent_stops
done_testing
