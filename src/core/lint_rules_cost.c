/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of VW6: cost. */
#include "lint_rules.h"

/* clang-format off */
const struct lint_rule lint_rules_cost[] = {
        {
                .id = "VW601",
                .severity = DIAG_WARNING,
                .summary = "policies that cost many elements of the kernel's sets",
                .why = "Loading and memory grow with the elements; the time for a packet does not. It is told of a "
                       "policy that costs more than 10000, or than its annotation vethwall.io/max-elements says, "
                       "and of all together from 100000 on. Counted are the addresses of peers, blocks with their "
                       "excepts, and ports, once for each class of endpoints that the policy selects; peers that "
                       "classes have in common are one set from 16 addresses on.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata:\n"
                       "  name: web\n"
                       "  namespace: shop\n"
                       "  annotations: { vethwall.io/max-elements: \"5\" }\n"
                       "spec:\n"
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: {} }, { ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.64/26] } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }, { protocol: TCP, port: 443 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata:\n"
                        "  name: web\n"
                        "  namespace: shop\n"
                        "  annotations: { vethwall.io/max-elements: \"50\" }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: {} }, { ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.64/26] } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }, { protocol: TCP, port: 443 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW602",
                .severity = DIAG_INFO,
                .summary = "rules that could be one",
                .why = "Two rules of a policy with the same peers and different ports, or the same ports and "
                       "different peers, say what one rule says with both. Where there is an order only neighbours "
                       "with one action are told.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 443 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }, { protocol: TCP, port: 443 }]\n",
        },
        {
                .id = "VW603",
                .severity = DIAG_WARNING,
                .summary = "a selector by a label that changes with every start or version",
                .why = "The next container has another value: the policy lets it out of its protection, or locks it "
                       "out. Known are the labels of Compose and Swarm for hash, image, number, task and version, "
                       "those of controllers for hash, generation, index, job and pod, and those of images and "
                       "charts for build, revision and version.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { com.docker.compose.config-hash: 0f1e2d3c } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { com.docker.compose.service: web } }\n"
                        "  policyTypes: [Ingress]\n",
        },
};
/* clang-format on */
const size_t lint_rules_cost_len = ARRAY_SIZE(lint_rules_cost);
