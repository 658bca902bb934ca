#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ports that Docker publishes on the host, asked from outside: the container's own policy decides. What Docker's userland
# proxy relays comes from the host, so there hostTraffic: policy has to.
set -euo pipefail
# shellcheck source=host.sh
source "$(dirname "${BASH_SOURCE[0]}")/host.sh"

make_image probe
policy shop <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: web } }
  ingress:
    - ports: [{ port: 8080 }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: office, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: admin } }
  ingress:
    - from:
        - ipBlock: { cidr: 198.51.100.0/24, except: [198.51.100.3/32] }
        - ipBlock: { cidr: "2001:db8:51::/64", except: ["2001:db8:51::3/128"] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: closed, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: api } }
END
docker network create --subnet 172.30.0.0/24 front >/dev/null
outside_up
ip -n outside addr add 198.51.100.3/24 dev eth0
ip -n outside addr add 2001:db8:51::3/64 dev eth0 nodad
agent_config
agent_start

container web front shop -p 18080:8080 -p 19000:9000 -p 19000:9000/udp
container api front shop -p 28080:8080 -p 29000:9000/udp
container admin front shop -p 38080:8080
container open front other -p 48080:8080 -p 49000:9000/udp

host=198.51.100.1 host6=2001:db8:51::1
allowed netns:outside "tcp/$host/18080" "published and allowed"
denied netns:outside "tcp/$host/19000" "published, not allowed"
denied netns:outside "udp/$host/19000" "published, not allowed, udp"
denied netns:outside "tcp/$host/28080" "published by a closed container"
denied netns:outside "udp/$host/29000" "published by a closed container, udp"
allowed netns:outside "tcp/$host/48080" "published by a container without policy"
allowed netns:outside "udp/$host/49000" "published by a container without policy, udp"
allowed netns:outside "tcp/$host/38080" "the client's address is in the block"

# The same from the excepted address.
ip -n outside route replace 198.51.100.0/24 dev eth0 src 198.51.100.3
denied netns:outside "tcp/$host/38080" "the client's address is excepted"
allowed netns:outside "tcp/$host/18080" "and has no part in the other policy"
ip -n outside route replace 198.51.100.0/24 dev eth0 src 198.51.100.2

# IPv6 clients: this engine manages no ip6tables, so its userland proxy accepts them and connects to the container from the
# host, whose own traffic is let through.
allowed netns:outside "tcp/$host6/18080" "IPv6, published and allowed"
allowed netns:outside "tcp/$host6/48080" "IPv6, published by a container without policy"

# What is published is open to the host itself, and the host's own services are none of our business.
allowed host "tcp/127.0.0.1/18080" "the host, through the proxy"
"$PROBE" serve host tcp/7000 &
server=$!
at_exit "kill $server"
allowed netns:outside "tcp/$host/7000" "a service of the host's own"
allowed netns:outside "tcp/$host6/7000" "a service of the host's own, IPv6"

# A policy that opens it, while it runs.
policy api <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: api-from-outside, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: api } }
  ingress: [{ ports: [{ port: 8080 }] }]
END
allowed netns:outside "tcp/$host/28080" "opened at run time"
rm "$policies/api.yaml"
denied netns:outside "tcp/$host/28080" "and closed again"

docker rm -f api >/dev/null
SERVE=(tcp/7100)
container later front other -p 28080:7100
allowed netns:outside "tcp/$host/28080" "a published port that changes hands"
docker rm -f later >/dev/null

# With the host judged like anybody else, the proxy too gets only where policy allows the host to go.
SERVE=(tcp/8080 tcp/9000 udp/9000)
container api front shop -p 28080:8080 -p 29000:9000/udp
check_agent_stops
agent_config 'hostTraffic: policy'
agent_start
allowed netns:outside "tcp/$host6/18080" "hostTraffic: policy, IPv6, published and allowed"
denied netns:outside "tcp/$host6/19000" "hostTraffic: policy, IPv6, not allowed"
denied netns:outside "udp/$host6/19000" "hostTraffic: policy, IPv6, not allowed, udp"
denied netns:outside "tcp/$host6/28080" "hostTraffic: policy, IPv6, a closed container"
denied netns:outside "udp/$host6/29000" "hostTraffic: policy, IPv6, a closed container, udp"
allowed netns:outside "tcp/$host/18080" "hostTraffic: policy, published and allowed"
denied netns:outside "tcp/$host/28080" "hostTraffic: policy, a closed container"
denied host "tcp/$(addr api front)/8080" "hostTraffic: policy, the host itself to a closed container"
allowed host "tcp/$(addr web front)/8080" "hostTraffic: policy, the host itself where all are allowed"
done_testing
