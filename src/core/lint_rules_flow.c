/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of VW3: rules and policies together. */
#include "lint_rules.h"

/* clang-format off */
const struct lint_rule lint_rules_flow[] = {
        {
                .id = "VW301",
                .severity = DIAG_WARNING,
                .summary = "a rule that decides nothing, since others decide all that it speaks of",
                .why = "It looks as if it mattered. Removing it, or the others, by mistake is then easy.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: {} }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n"
                        "    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n",
        },
        {
                .id = "VW302",
                .severity = DIAG_INFO,
                .summary = "a rule that decides only a part of what it speaks of",
                .why = "Another rule comes before it for the rest. The finding says what is left, for one endpoint; "
                       "an exception before a wider rule is often meant so. Told where the other rule says "
                       "otherwise or is of the same policy: NetworkPolicies of different names overlap as a matter "
                       "of course.",
                .bad = CLUSTER_POLICY("guard")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.128/25] }] }\n"
                       "    - { action: Accept, to: [{ networks: [192.0.2.0/24] }] }\n",
                .good = CLUSTER_POLICY("guard")
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [192.0.2.128/25] }] }\n"
                        "    - { action: Accept, to: [{ networks: [192.0.2.0/25] }] }\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW303",
                .severity = DIAG_WARNING,
                .summary = "a policy that changes nothing",
                .why = "Others isolate what it isolates and decide all that it speaks of.",
                .bad = NETWORK_POLICY("closed")
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress]\n"
                       "---\n"
                       NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("closed")
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress]\n"
                        "---\n"
                        NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW304",
                .severity = DIAG_WARNING,
                .summary = "a default deny that another policy undoes",
                .why = "NetworkPolicies add up: one that allows everything leaves nothing of one that closes the "
                       "same endpoints.",
                .bad = NETWORK_POLICY("closed")
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress]\n"
                       "---\n"
                       NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - {}\n",
                .good = NETWORK_POLICY("closed")
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress]\n"
                        "---\n"
                        NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW305",
                .severity = DIAG_WARNING,
                .summary = "a flow that one side allows and the other denies",
                .why = "A connection needs the egress of the one who opens it and the ingress of the one who "
                       "answers. This one times out.",
                .bad = NETWORK_POLICY("closed")
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress, Egress]\n"
                       "---\n"
                       NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("closed")
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n"
                        "---\n"
                        NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n"
                        "---\n"
                        NETWORK_POLICY("api-out")
                        "  podSelector: { matchLabels: { app: api } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ podSelector: { matchLabels: { app: web } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW306",
                .severity = DIAG_WARNING,
                .summary = "an endpoint that the policies of its namespace pass over",
                .why = "No policy selects it, so it is open in both directions. Where a namespace has no policy "
                       "at all this is only a note: it may be the affair of another set of policies.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("closed")
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW307",
                .severity = DIAG_WARNING,
                .summary = "a namespace with policies for a direction and without a default deny",
                .why = "An endpoint that is added later, or whose label is misspelt, is open. For a direction "
                       "that no policy of the namespace isolates at all this is only a note: that it is open is "
                       "then no oversight of a selector. A cluster-wide policy that denies everybody counts as "
                       "a default deny.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("closed")
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW308",
                .severity = DIAG_WARNING,
                .summary = "an endpoint that may go out and cannot ask for names",
                .why = "Its connections fail, since it cannot find out where to go.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n"
                       "  egress:\n"
                       "    - to: [{ ipBlock: { cidr: 192.0.2.0/24 } }]\n"
                       "      ports: [{ protocol: TCP, port: 443 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ ipBlock: { cidr: 192.0.2.0/24 } }]\n"
                        "      ports: [{ protocol: TCP, port: 443 }]\n"
                        "    - to: [{ ipBlock: { cidr: 198.51.100.53/32 } }]\n"
                        "      ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW309",
                .severity = DIAG_WARNING,
                .summary = "an endpoint that is cut off in spite of rules, or open in spite of isolation",
                .why = "Nothing passes in the direction, though a rule was to let something pass: its peers are "
                       "nobody, or a policy of a higher tier denies them. Isolation without any rule, as a "
                       "default deny is, is taken to be meant. (A note) The other way round, an isolated "
                       "endpoint whose rules allow everything is as open as if no policy selected it.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: proxy } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW310",
                .severity = DIAG_WARNING,
                .summary = "a block that holds the address of the cloud's metadata service",
                .why = "Who reaches 169.254.169.254 or fd00:ec2::254 can ask for the machine's credentials.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n"
                       "  egress:\n"
                       "    - to: [{ ipBlock: { cidr: 0.0.0.0/0 } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [169.254.0.0/16] } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW311",
                .severity = DIAG_WARNING,
                .summary = "a bare empty namespaceSelector",
                .why = "It allows every endpoint of every namespace.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ namespaceSelector: {} }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW312",
                .severity = DIAG_INFO,
                .summary = "a rule that lets in containers nobody has thought of yet",
                .why = "A selector that only excludes (NotIn, DoesNotExist, Exists) and a rule without peers match "
                       "a container that is started tomorrow with labels of its own choice. What names all of its "
                       "own namespace is not told, nor what VW214 and VW311 tell. The witness is a flow of today "
                       "that the rule decides.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ namespaceSelector: { matchExpressions: [{ key: team, operator: NotIn, values: [guests] }] } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ namespaceSelector: { matchLabels: { team: shop } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW313",
                .severity = DIAG_WARNING,
                .summary = "the control socket of an engine or a cluster in reach",
                .why = "Who reaches Docker (2375, 2376), Swarm (2377), etcd (2379, 2380), the Kubernetes API (6443) "
                       "or a kubelet (10250, 10255) can start what it likes. It is said of rules without \"to\" that "
                       "list ports; of blocks shorter than /16 (/32), or with an address of a host of the "
                       "inventory, whatever ports they have; and of any block longer than one address for a port "
                       "that is given by its number.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n"
                       "  egress:\n"
                       "    - to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [169.254.0.0/16] } }]\n"
                       "      ports: [{ protocol: TCP, port: 1024, endPort: 65535 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [169.254.0.0/16] } }]\n"
                        "      ports: [{ protocol: TCP, port: 443 }]\n",
        },
        {
                .id = "VW314",
                .severity = DIAG_WARNING,
                .summary = "a way to what a policy says is not to be reached",
                .why = "The annotation vethwall.io/assert-unreachable of a policy lists endpoints, as "
                       "namespace/name or namespace/*, that must not reach what the policy selects, directly or "
                       "through others that they can reach: who takes over one of these is there. The finding gives "
                       "the shortest way, hop by hop; the witness is its last hop.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata:\n"
                       "  name: db\n"
                       "  namespace: shop\n"
                       "  annotations: { vethwall.io/assert-unreachable: \"shop/web-1\" }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: db } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 5432 }]\n"
                       "---\n"
                       NETWORK_POLICY("api")
                       "  podSelector: { matchLabels: { app: api } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: web } } }]\n"
                       "      ports: [{ protocol: TCP, port: 9000 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata:\n"
                        "  name: db\n"
                        "  namespace: shop\n"
                        "  annotations: { vethwall.io/assert-unreachable: \"shop/web-1\" }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: db } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 5432 }]\n"
                        "---\n"
                        NETWORK_POLICY("api")
                        "  podSelector: { matchLabels: { app: api } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: db } } }]\n"
                        "      ports: [{ protocol: TCP, port: 9000 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - { name: db-1, namespace: shop, labels: { app: db }, addresses: [10.0.0.4] }\n",
        },
};
/* clang-format on */
const size_t lint_rules_flow_len = ARRAY_SIZE(lint_rules_flow);
