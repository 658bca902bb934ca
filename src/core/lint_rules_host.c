/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of VW5: hosts and runtimes. */
#include "lint_rules.h"

/* clang-format off */
const struct lint_rule lint_rules_host[] = {
        {
                .id = "VW501",
                .severity = DIAG_WARNING,
                .summary = "a policy that means a container in the host's network",
                .why = "It is the host, and no policy holds for it.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - name: node-exporter\n"
                             "    namespace: shop\n"
                             "    labels: { app: exporter }\n"
                             "    addresses: [192.0.2.1]\n"
                             "    hostNetwork: true\n",
        },
        {
                .id = "VW502",
                .severity = DIAG_WARNING,
                .summary = "an except for the host's own address",
                .why = "A container's own host reaches it whatever the policy says.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.1/32] } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.2/32] } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - name: node-exporter\n"
                             "    namespace: shop\n"
                             "    labels: { app: exporter }\n"
                             "    addresses: [192.0.2.1]\n"
                             "    hostNetwork: true\n",
        },
        {
                .id = "VW504",
                .severity = DIAG_WARNING,
                .summary = "endpoints that share a network namespace and not their policies",
                .why = "What is in one network namespace has one set of addresses, and no packet tells who of it "
                       "sent it or is meant. In an inventory, endpoints with the same netns share it; the agent "
                       "makes one endpoint of containers that do.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2], netns: pod-1 }\n"
                             "  - { name: helper-1, namespace: shop, labels: { app: helper }, netns: pod-1 }\n",
        },
        {
                .id = "VW507",
                .severity = DIAG_INFO,
                .summary = "an isolated direction whose rules all list ports",
                .why = "ping and every protocol without ports is dropped.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n",
        },
};
/* clang-format on */
const size_t lint_rules_host_len = ARRAY_SIZE(lint_rules_host);
