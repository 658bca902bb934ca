#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real containers: tcp, udp and icmp, allowed and denied, on one bridge, across bridges, over IPv6, to the host and from
# it, and an interface on a managed bridge that belongs to no container.
set -euo pipefail
# shellcheck source=host.sh
source "$(dirname "${BASH_SOURCE[0]}")/host.sh"

make_image probe
policy shop <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: shop }
spec: { podSelector: {}, policyTypes: [Ingress, Egress] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: web } }
  policyTypes: [Ingress, Egress]
  ingress:
    - ports: [{ port: 8080 }]
  egress:
    - to: [{ podSelector: { matchLabels: { com.docker.compose.service: api } } }]
      ports: [{ port: 9000 }, { port: 9000, protocol: UDP }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: api, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: api } }
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{ podSelector: { matchLabels: { com.docker.compose.service: web } } }]
      ports: [{ port: 9000 }, { port: 9000, protocol: UDP }]
  egress:
    - to: [{ podSelector: { matchLabels: { com.docker.compose.service: db } } }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: db, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: db } }
  ingress:
    - from: [{ podSelector: { matchLabels: { com.docker.compose.service: api } } }]
END

docker network create --ipv6 --subnet 172.30.0.0/24 --subnet fd00:30::/64 front >/dev/null
docker network create --ipv6 --subnet 172.31.0.0/24 --subnet fd00:31::/64 back >/dev/null
agent_config 'hostTraffic: allow'
agent_start

container web front shop
container api front shop
container db front shop
container far back shop --label com.docker.compose.service=db
container stranger front other

web=$(addr web front) api=$(addr api front) db=$(addr db front) far=$(addr far back) stranger=$(addr stranger front)

allowed web "tcp/$api/9000" "one bridge, tcp"
denied web "tcp/$api/8080" "one bridge, tcp, another port"
allowed web "udp/$api/9000" "one bridge, udp"
denied web "icmp/$api" "a rule with ports lets no ping through"
denied web "tcp/$db/8080" "one bridge, past the tier between"
allowed api "tcp/$db/8080" "a rule without ports, tcp"
allowed api "udp/$db/9000" "a rule without ports, udp"
allowed api "icmp/$db" "a rule without ports, icmp"
denied db "tcp/$api/9000" "against the direction"
denied db "icmp/$api" "against the direction, icmp"
allowed stranger "tcp/$web/8080" "from another project to the open port"
denied stranger "tcp/$web/9000" "from another project to a closed port"
denied stranger "udp/$api/9000" "from another project, udp"
denied stranger "icmp/$db" "from another project, icmp"
denied api "tcp/$stranger/8080" "egress to another project"
allowed api "tcp/$api/8080" "an endpoint to itself"
check_eq "busybox wget brings the page" "api" "$(docker exec web timeout 5 wget -q -O - "http://$api:9000/")"
check_not "busybox wget is kept from the database" docker exec web timeout 1 wget -q -O - "http://$db:8080/"
check "busybox ping" docker exec api ping -q -c 2 -i 0.1 -W 1 "$db"
check_not "busybox ping is kept from the database" docker exec web ping -q -c 2 -i 0.1 -W 1 "$db"

web6=$(addr6 web front) api6=$(addr6 api front) db6=$(addr6 db front)
allowed web "tcp/$api6/9000" "IPv6, tcp"
allowed web "udp/$api6/9000" "IPv6, udp"
allowed api "icmp/$db6" "IPv6, icmp"
denied web "tcp/$db6/8080" "IPv6, tcp"
denied web "icmp/$db6" "IPv6, icmp"
allowed stranger "tcp/$web6/8080" "IPv6, from another project"
denied stranger "tcp/$api6/9000" "IPv6, from another project"

# Docker keeps its networks apart by rules of its own, and what policy allows changes nothing in that.
denied api "tcp/$far/8080" "across bridges, Docker's own isolation"
iptables -I DOCKER-USER -j ACCEPT
allowed api "tcp/$far/8080" "across bridges, once Docker lets it pass"
allowed api "icmp/$far" "across bridges, icmp"
denied web "tcp/$far/8080" "across bridges, denied by policy"
denied stranger "tcp/$far/8080" "across bridges, from another project"
denied far "tcp/$api/9000" "across bridges, against the direction"

# The containers' own host is let through both ways by default.
"$PROBE" serve host tcp/7000 udp/7000 &
server=$!
at_exit "kill $server"
gateway=172.30.0.1
allowed web "tcp/$gateway/7000" "container to its host, tcp"
allowed web "udp/$gateway/7000" "container to its host, udp"
allowed web "icmp/$gateway" "container to its host, icmp"
allowed host "tcp/$db/8080" "host to container"

# An interface that somebody put on the bridge, and that belongs to no container.
ip netns add intruder
ip link add intruder type veth peer name eth0 netns intruder
ip link set intruder master "$(bridge_of front)" up
ip -n intruder addr add 172.30.0.200/24 dev eth0
ip -n intruder link set eth0 up
denied netns:intruder "tcp/$web/8080" "no container, to an open port"
denied netns:intruder "icmp/$stranger" "no container, to a container that no policy closes"
denied netns:intruder "tcp/$gateway/7000" "no container, to the host"
denied stranger "icmp/172.30.0.200" "to what is no container"

check_match "nft lists the ruleset" "table inet vethwall" "$(nft list ruleset)"
check_agent_stops
denied web "tcp/$db/8080" "the rules stay when the agent has ended"
allowed web "tcp/$api/9000" "and so does what they allow"
check "teardown" "$VETHWALLD" -c "$TEST_TMP/agent.yaml" --teardown
allowed web "tcp/$db/8080" "after the teardown all is open"
check_eq "no table is left" "" "$(nft list tables | grep vethwall || true)"
check_match "Docker's rules are untouched" "DOCKER-USER" "$(iptables -S)"
done_testing
