/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of VW1: selectors and the names they stand on. */
#include "lint_rules.h"

/* clang-format off */
const struct lint_rule lint_rules_selector[] = {
        {
                .id = "VW101",
                .severity = DIAG_ERROR,
                .summary = "a label key or value in a selector that no label can have",
                .why = "The selector can never match.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: \"web server\" } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW102",
                .severity = DIAG_ERROR,
                .summary = "an operator that is unknown or does not fit its values",
                .why = "A cluster refuses the selector.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchExpressions: [{ key: app, operator: Exists, values: [web] }] }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchExpressions: [{ key: app, operator: In, values: [web] }] }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW103",
                .severity = DIAG_ERROR,
                .summary = "a selector that contradicts itself",
                .why = "It selects nothing, whatever the labels: the policy or the rule is dead.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector:\n"
                       "    matchLabels: { app: web }\n"
                       "    matchExpressions: [{ key: app, operator: NotIn, values: [web] }]\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector:\n"
                        "    matchLabels: { app: web }\n"
                        "    matchExpressions: [{ key: tier, operator: NotIn, values: [test] }]\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW104",
                .severity = DIAG_WARNING,
                .summary = "a policy that selects no endpoint",
                .why = "It protects nothing: a label or a namespace is not what it was taken for.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: front } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW105",
                .severity = DIAG_WARNING,
                .summary = "a peer that selects no endpoint",
                .why = "The rule lets nobody in, or out, by it.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: proxy } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
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
                .id = "VW106",
                .severity = DIAG_WARNING,
                .summary = "a namespaceSelector that matches no namespace",
                .why = "There is no such project, so the peer is nobody.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ namespaceSelector: { matchLabels: { team: blue } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n",
        },
        {
                .id = "VW107",
                .severity = DIAG_WARNING,
                .summary = "a label key or value one letter away from one that is there",
                .why = "A misspelt label selects nothing, and behind NotIn everything.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: apii } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
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
                .id = "VW108",
                .severity = DIAG_WARNING,
                .summary = "a NotIn that also selects who lacks the label",
                .why = "NotIn holds where the label is absent. A container that nobody has labelled, or a "
                       "namespace, is let in, or isolated, by a requirement that was meant to tell the labelled "
                       "apart.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [web] }] } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from:\n"
                        "        - podSelector:\n"
                        "            matchExpressions:\n"
                        "              - { key: app, operator: NotIn, values: [web] }\n"
                        "              - { key: app, operator: Exists }\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - { name: shell, namespace: shop, addresses: [10.0.0.4] }\n",
        },
        {
                .id = "VW109",
                .severity = DIAG_WARNING,
                .summary = "a namespaceSelector and a podSelector in two items",
                .why = "Two items mean \"or\"; in one item, without the second dash, they mean \"and\".",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from:\n"
                       "        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } }\n"
                       "        - podSelector: { matchLabels: { app: probe } }\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from:\n"
                        "        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } }\n"
                        "          podSelector: { matchLabels: { app: probe } }\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n"
                             "  - { name: shell, namespace: ops, labels: { app: shell }, addresses: [10.0.1.3] }\n",
        },
        {
                .id = "VW110",
                .severity = DIAG_INFO,
                .summary = "a selector that says more than it needs to, or selects everybody",
                .why = "A requirement that another implies changes nothing, and hides what is meant. Labels "
                       "that all endpoints of a namespace have do not tell them apart; those to come may lack "
                       "them.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector:\n"
                       "    matchLabels: { app: web }\n"
                       "    matchExpressions: [{ key: app, operator: Exists }]\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW111",
                .severity = DIAG_WARNING,
                .summary = "an ingress rule that trusts a label of any namespace",
                .why = "Labels are given by whoever starts a container. A rule that asks for a label alone, of "
                       "every namespace, lets in everybody who may start one anywhere on the host; which "
                       "namespaces are meant is for the rule to say.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: probe } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from:\n"
                        "        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } }\n"
                        "          podSelector: { matchLabels: { app: probe } }\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW112",
                .severity = DIAG_WARNING,
                .summary = "a label value that nothing can have",
                .why = "Some labels are always made by the same hand: Compose names projects in lower case, "
                       "vethwall.io/network.NAME is always \"true\", and kubernetes.io/metadata.name is a label "
                       "of namespaces. A selector that asks for anything else selects nothing.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { com.docker.compose.project: Shop } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { com.docker.compose.project: shop } }\n"
                        "  policyTypes: [Ingress]\n",
        },
};
/* clang-format on */
const size_t lint_rules_selector_len = ARRAY_SIZE(lint_rules_selector);
