#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What happens to containers while the agent looks on: networks connected and disconnected, restart, rename, pause, an
# address that passes from one container to another, projects as namespaces, labels that came with the image.
set -euo pipefail
# shellcheck source=host.sh
source "$(dirname "${BASH_SOURCE[0]}")/host.sh"

make_image probe
make_image labelled --change 'LABEL role=trusted' --change 'LABEL vethwall.io/namespace=shop' \
        --change 'LABEL com.docker.compose.service=client'
make_image mislabelled --change 'LABEL role=nobody'
policy shop <<'END'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: server, namespace: shop }
spec:
  podSelector: { matchLabels: { com.docker.compose.service: server } }
  ingress:
    - from: [{ podSelector: { matchLabels: { com.docker.compose.service: client } } }]
      ports: [{ port: 8080 }]
    - from: [{ namespaceSelector: {}, podSelector: { matchLabels: { role: trusted } } }]
      ports: [{ port: 8080 }]
    - from: [{ podSelector: { matchLabels: { vethwall.io/name: bastion } } }]
      ports: [{ port: 9000 }]
END
docker network create --subnet 172.30.0.0/24 one >/dev/null
docker network create --subnet 172.31.0.0/24 two >/dev/null

# Containers that were there before the agent are as good as those that come later.
container server one shop
container client one shop
agent_config
agent_start
server=$(addr server one)
allowed client "tcp/$server/8080" "there before the agent"
denied client "tcp/$server/9000" "there before the agent"

# A project is a namespace: the same service name in another project is somebody else.
docker run -d --name client2 --network one --label com.docker.compose.project=copy \
        --label com.docker.compose.service=client probe probe serve tcp/8080 >/dev/null
denied client2 "tcp/$server/8080" "the same service in another project"
docker run -d --name client3 --network one --label vethwall.io/namespace=shop \
        --label com.docker.compose.project=copy --label com.docker.compose.service=client \
        probe probe serve tcp/8080 >/dev/null
allowed client3 "tcp/$server/8080" "our own label before Compose's"

# An image must not grant access.
docker run -d --name image-labels --network one labelled probe serve tcp/8080 >/dev/null
denied image-labels "tcp/$server/8080" "labels that the image brought"
docker run -d --name own-labels --network one --label role=trusted mislabelled probe serve tcp/8080 >/dev/null
allowed own-labels "tcp/$server/8080" "a label given by who started it, over the image's"

# Networks come and go.
docker network connect two server
docker run -d --name client4 --network two --label com.docker.compose.project=shop \
        --label com.docker.compose.service=client probe probe serve tcp/8080 >/dev/null
server2=$(addr server two)
allowed client4 "tcp/$server2/8080" "the address on a network connected later"
denied client4 "tcp/$server2/9000" "the address on a network connected later"
allowed client "tcp/$server/8080" "the first network goes on"
docker network disconnect one server
allowed client4 "tcp/$server2/8080" "after another network was disconnected"
docker network connect --ip 172.30.0.77 one server
allowed client "tcp/172.30.0.77/8080" "connected again with another address"
denied client "tcp/172.30.0.77/9000" "connected again with another address"

# The first packet of a process that starts is judged already: a loop from its first instruction never gets through.
docker run -d --name early --network one probe sh -c \
        'while :; do probe 300 tcp/172.30.0.77/8080; done' >/dev/null
sleeps_out() {
        (($(docker logs early | lines) >= 5))
}
check_soon "a container that tries from its first instruction" 20 sleeps_out
check_eq "... has never reached it" "silent" "$(docker logs early | sort -u)"
docker rm -f early >/dev/null

docker restart -t 0 server client >/dev/null
allowed client "tcp/172.30.0.77/8080" "after a restart"
denied client "tcp/172.30.0.77/9000" "after a restart"
docker pause server >/dev/null
docker unpause server >/dev/null
allowed client "tcp/172.30.0.77/8080" "after a pause"

denied client "tcp/172.30.0.77/9000" "before the rename"
docker rename client bastion
allowed bastion "tcp/172.30.0.77/9000" "a rename changes what vethwall.io/name selects"
docker rename bastion client
denied client "tcp/172.30.0.77/9000" "renamed back"

# An address that a container gives up is the next one's, with that one's policy.
docker rm -f client >/dev/null
container next one other --ip 172.30.0.200
docker rm -f next >/dev/null
docker run -d --name first --network one --ip 172.30.0.50 --label com.docker.compose.project=shop \
        --label com.docker.compose.service=client probe probe serve tcp/8080 >/dev/null
allowed first "tcp/172.30.0.77/8080" "the first owner of an address"
docker rm -f first >/dev/null
docker run -d --name second --network one --ip 172.30.0.50 --label com.docker.compose.project=other \
        --label com.docker.compose.service=client probe probe serve tcp/8080 >/dev/null
denied second "tcp/172.30.0.77/8080" "the next owner of the address"
docker rm -f server >/dev/null
SERVE=(tcp/9000)
container open one other --ip 172.30.0.77
SERVE=(tcp/8080 tcp/9000)
allowed second "tcp/172.30.0.77/9000" "a container without policy at a closed one's address"

# Containers that share a network namespace are one endpoint, with the labels of the one that owns it.
container server one shop
docker run -d --name side --network container:server --label com.docker.compose.service=client \
        --label com.docker.compose.project=shop probe probe serve side tcp/7000 >/dev/null
server=$(addr server one)
container client one shop
allowed client "tcp/$server/8080" "the owner of a shared namespace"
denied client "tcp/$server/7000" "the one who joined it"

# The engine restarts: its containers do too, with new namespaces, and are known again.
engine=$(cat /run/docker.pid)
kill "$engine"
wait_for 30 test ! -e "/proc/$engine" || bail_out "the engine did not end"
"$docker_dir/../lib/docker-host.sh" --engine
docker start server client >/dev/null
server=$(addr server one)
allowed client "tcp/$server/8080" "after the engine's restart"
denied client "tcp/$server/9000" "after the engine's restart"
check_eq "no transaction failed" 0 "$(metric vethwall_transactions_total 'result="failed"' || echo missing)"
done_testing
