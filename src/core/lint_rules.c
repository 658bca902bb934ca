/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint, as vethwall lint --explain prints them. Every example is a test. */
#include "lint_internal.h"

/* clang-format off */
const struct lint_rule lint_rules[] = {
        {
                .id = "VW001",
                .severity = DIAG_ERROR,
                .summary = "a file that cannot be read as YAML or JSON",
                .why = "A file that is not read is a policy that is missing.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "\tpolicyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW002",
                .severity = DIAG_ERROR,
                .summary = "a key given twice",
                .why = "Some readers take the last, some the first, and one of the two is lost without a word.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW003",
                .severity = DIAG_ERROR,
                .summary = "an unknown field",
                .why = "A misspelt field is left out, and what remains may select or allow far more.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelectr: { matchLabels: { app: api } } }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW004",
                .severity = DIAG_ERROR,
                .summary = "a value of the wrong type",
                .why = "yes, 010 and 1.0 without quotes are no strings in YAML, and what is meant is not what is "
                       "read.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { public: yes } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { public: \"yes\" } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW005",
                .severity = DIAG_ERROR,
                .summary = "a field that is missing, or two that exclude each other",
                .why = "The object says too little or too much to be understood in one way.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{}]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: {} }]\n",
        },
        {
                .id = "VW006",
                .severity = DIAG_ERROR,
                .summary = "two objects of one kind, namespace and name",
                .why = "In a cluster the one applied last would replace the other.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "---\n"
                       "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "---\n"
                        "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: all, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW007",
                .severity = DIAG_WARNING,
                .summary = "an object that is no policy and was skipped",
                .why = "A file that looks applied and is not.",
                .bad = "apiVersion: apps/v1\n"
                       "kind: Deployment\n"
                       "metadata: { name: web }\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW008",
                .severity = DIAG_ERROR,
                .summary = "a name, number or list beyond its limits",
                .why = "A cluster refuses the object.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: Web_1, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW009",
                .severity = DIAG_WARNING,
                .summary = "a policy without a namespace",
                .why = "It is put into the namespace \"default\", where it may select nothing.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW010",
                .severity = DIAG_WARNING,
                .summary = "a policy without policyTypes",
                .why = "What is left out means Ingress, and Egress only where there are egress rules: a rule "
                       "added or removed later changes what is isolated.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  egress:\n"
                       "    - to: [{ podSelector: {} }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ podSelector: {} }]\n",
        },
        {
                .id = "VW101",
                .severity = DIAG_ERROR,
                .summary = "a label key or value in a selector that no label can have",
                .why = "The selector can never match.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: \"web server\" } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW102",
                .severity = DIAG_ERROR,
                .summary = "an operator that is unknown or does not fit its values",
                .why = "A cluster refuses the selector.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchExpressions: [{ key: app, operator: Exists, values: [web] }] }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchExpressions: [{ key: app, operator: In, values: [web] }] }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW103",
                .severity = DIAG_ERROR,
                .summary = "a selector that contradicts itself",
                .why = "It selects nothing, whatever the labels: the policy or the rule is dead.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector:\n"
                       "    matchLabels: { app: web }\n"
                       "    matchExpressions: [{ key: app, operator: NotIn, values: [web] }]\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
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
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: front } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW105",
                .severity = DIAG_WARNING,
                .summary = "a peer that selects no endpoint",
                .why = "The rule lets nobody in, or out, by it.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: proxy } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW106",
                .severity = DIAG_WARNING,
                .summary = "a namespaceSelector that matches no namespace",
                .why = "There is no such project, so the peer is nobody.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ namespaceSelector: { matchLabels: { team: blue } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n",
        },
        {
                .id = "VW107",
                .severity = DIAG_WARNING,
                .summary = "a label key or value one letter away from one that is there",
                .why = "A misspelt label selects nothing, and behind NotIn everything.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: apii } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW109",
                .severity = DIAG_WARNING,
                .summary = "a namespaceSelector and a podSelector in two items",
                .why = "Two items mean \"or\"; in one item, without the second dash, they mean \"and\".",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from:\n"
                       "        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } }\n"
                       "        - podSelector: { matchLabels: { app: probe } }\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from:\n"
                        "        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } }\n"
                        "          podSelector: { matchLabels: { app: probe } }\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n"
                             "  - { name: shell, namespace: ops, labels: { app: shell }, addresses: [10.0.1.3] }\n",
        },
        {
                .id = "VW201",
                .severity = DIAG_WARNING,
                .summary = "rules in a direction that policyTypes leaves out",
                .why = "They are accepted and do nothing.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  egress:\n"
                       "    - to: [{ podSelector: {} }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress, Egress]\n"
                        "  egress:\n"
                        "    - to: [{ podSelector: {} }]\n",
        },
        {
                .id = "VW202",
                .severity = DIAG_WARNING,
                .summary = "an entry of ports without a port",
                .why = "It means all ports of its protocol, and by itself all TCP ports.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{}]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW203",
                .severity = DIAG_ERROR,
                .summary = "a port number, range or name that is none",
                .why = "A port in quotes is a name; a range goes from port up to endPort.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ port: \"80\" }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW204",
                .severity = DIAG_WARNING,
                .summary = "a port name that a destination does not know",
                .why = "The rule does not match there.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - ports: [{ protocol: TCP, port: metrics }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - ports: [{ protocol: TCP, port: http }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - name: web-1\n"
                             "    namespace: shop\n"
                             "    labels: { app: web }\n"
                             "    addresses: [10.0.0.2]\n"
                             "    ports: [{ name: http, port: 8080, protocol: TCP }]\n",
        },
        {
                .id = "VW206",
                .severity = DIAG_ERROR,
                .summary = "a port name for addresses",
                .why = "Names belong to endpoints; an address outside has none, and the rule never matches there.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n"
                       "  egress:\n"
                       "    - to: [{ ipBlock: { cidr: 192.0.2.0/24 } }]\n"
                       "      ports: [{ protocol: TCP, port: http }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ ipBlock: { cidr: 192.0.2.0/24 } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW207",
                .severity = DIAG_ERROR,
                .summary = "a CIDR that is none, an except that does not fit it, or (a warning) bits set behind "
                           "the length",
                .why = "10.0.0.5/8 means all of 10.0.0.0/8, which is rarely what was meant.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 10.0.0.5/8 } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 10.0.0.5/32 } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW208",
                .severity = DIAG_WARNING,
                .summary = "a block that holds endpoints' addresses",
                .why = "It matches them by address whatever their labels, and addresses change.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 10.0.0.0/8 } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.0.0.0/16] } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW209",
                .severity = DIAG_WARNING,
                .summary = "every address of one family, for endpoints that have both",
                .why = "0.0.0.0/0 does not cover IPv6, nor ::/0 IPv4.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 0.0.0.0/0 } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 0.0.0.0/0 } }, { ipBlock: { cidr: \"::/0\" } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2, \"fd00::2\"] }\n",
        },
        {
                .id = "VW210",
                .severity = DIAG_WARNING,
                .summary = "excepts that cover their whole cidr",
                .why = "The block matches no address.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.0/25, 192.0.2.128/25] } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.0/25] } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW213",
                .severity = DIAG_INFO,
                .summary = "ports or blocks of one rule that overlap",
                .why = "One of them says nothing new, and is left behind when the other is changed.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports:\n"
                       "        - { protocol: TCP, port: 8000, endPort: 8080 }\n"
                       "        - { protocol: TCP, port: 8080 }\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports:\n"
                        "        - { protocol: TCP, port: 8000, endPort: 8080 }\n"
                        "        - { protocol: TCP, port: 8443 }\n",
        },
        {
                .id = "VW214",
                .severity = DIAG_WARNING,
                .summary = "a rule that allows everything",
                .why = "The policy isolates and opens again: it restricts nothing.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - {}\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW216",
                .severity = DIAG_INFO,
                .summary = "a port without a protocol",
                .why = "It means TCP alone; DNS and HTTP/3 need UDP.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ port: 53 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]\n",
        },
        {
                .id = "VW301",
                .severity = DIAG_WARNING,
                .summary = "a rule that decides nothing, since others decide all that it speaks of",
                .why = "It looks as if it mattered. Removing it, or the others, by mistake is then easy.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: {} }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n"
                        "    - from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n",
        },
        {
                .id = "VW303",
                .severity = DIAG_WARNING,
                .summary = "a policy that changes nothing",
                .why = "Others isolate what it isolates and decide all that it speaks of.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: closed, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress]\n"
                       "---\n"
                       "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: closed, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress]\n"
                        "---\n"
                        "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW305",
                .severity = DIAG_WARNING,
                .summary = "a flow that one side allows and the other denies",
                .why = "A connection needs the egress of the one who opens it and the ingress of the one who "
                       "answers. This one times out.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: closed, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress, Egress]\n"
                       "---\n"
                       "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: closed, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n"
                        "---\n"
                        "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n"
                        "---\n"
                        "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: api-out, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: api } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ podSelector: { matchLabels: { app: web } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW306",
                .severity = DIAG_INFO,
                .summary = "an endpoint that no policy selects",
                .why = "It is open in both directions.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: closed, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW307",
                .severity = DIAG_INFO,
                .summary = "a namespace with policies and without a default deny",
                .why = "An endpoint that is added later is open.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: closed, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW308",
                .severity = DIAG_WARNING,
                .summary = "an endpoint that may go out and cannot ask for names",
                .why = "Its connections fail, since it cannot find out where to go.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n"
                       "  egress:\n"
                       "    - to: [{ ipBlock: { cidr: 192.0.2.0/24 } }]\n"
                       "      ports: [{ protocol: TCP, port: 443 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ ipBlock: { cidr: 192.0.2.0/24 } }]\n"
                        "      ports: [{ protocol: TCP, port: 443 }]\n"
                        "    - to: [{ ipBlock: { cidr: 198.51.100.53/32 } }]\n"
                        "      ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW309",
                .severity = DIAG_INFO,
                .summary = "an endpoint that is cut off in a direction",
                .why = "It may be meant; if not, rules are missing.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW310",
                .severity = DIAG_WARNING,
                .summary = "a block that holds the address of the cloud's metadata service",
                .why = "Who reaches 169.254.169.254 or fd00:ec2::254 can ask for the machine's credentials.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n"
                       "  egress:\n"
                       "    - to: [{ ipBlock: { cidr: 0.0.0.0/0 } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
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
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ namespaceSelector: {} }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
        },
        {
                .id = "VW401",
                .severity = DIAG_ERROR,
                .summary = "two policies of one priority that decide a flow differently",
                .why = "Which of them decides is not determined; another implementation may choose the other one.",
                .bad = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                       "kind: ClusterNetworkPolicy\n"
                       "metadata: { name: a-partner }\n"
                       "spec:\n"
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Accept, to: [{ networks: [192.0.2.128/25] }] }\n"
                       "---\n"
                       "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                       "kind: ClusterNetworkPolicy\n"
                       "metadata: { name: b-closed }\n"
                       "spec:\n"
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n",
                .good = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\n"
                        "metadata: { name: a-partner }\n"
                        "spec:\n"
                        "  tier: Admin\n"
                        "  priority: 9\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Accept, to: [{ networks: [192.0.2.128/25] }] }\n"
                        "---\n"
                        "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\n"
                        "metadata: { name: b-closed }\n"
                        "spec:\n"
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW402",
                .severity = DIAG_WARNING,
                .summary = "two policies of one priority that share endpoints",
                .why = "They agree today; a change of either can make them differ.",
                .bad = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                       "kind: ClusterNetworkPolicy\n"
                       "metadata: { name: a-closed }\n"
                       "spec:\n"
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n"
                       "---\n"
                       "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                       "kind: ClusterNetworkPolicy\n"
                       "metadata: { name: b-closed }\n"
                       "spec:\n"
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [198.51.100.0/24] }] }\n",
                .good = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\n"
                        "metadata: { name: a-closed }\n"
                        "spec:\n"
                        "  tier: Admin\n"
                        "  priority: 9\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n"
                        "---\n"
                        "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\n"
                        "metadata: { name: b-closed }\n"
                        "spec:\n"
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [198.51.100.0/24] }] }\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW404",
                .severity = DIAG_WARNING,
                .summary = "a Pass that nobody takes up",
                .why = "Nothing below isolates the endpoint, so the default action decides: it allows.",
                .bad = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                       "kind: ClusterNetworkPolicy\n"
                       "metadata: { name: guard }\n"
                       "spec:\n"
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Pass, to: [{ networks: [192.0.2.0/24] }] }\n",
                .good = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\n"
                        "metadata: { name: guard }\n"
                        "spec:\n"
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Pass, to: [{ networks: [192.0.2.0/24] }] }\n"
                        "---\n"
                        "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: closed, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n"
                        "---\n"
                        "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: closed, namespace: ops }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n",
        },
        {
                .id = "VW407",
                .severity = DIAG_WARNING,
                .summary = "a denial of everybody that leaves the outside out",
                .why = "Ingress rules of a ClusterNetworkPolicy see endpoints alone: addresses outside still come"
                       " in.",
                .bad = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                       "kind: ClusterNetworkPolicy\n"
                       "metadata: { name: guard }\n"
                       "spec:\n"
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  ingress:\n"
                       "    - { action: Deny, from: [{ namespaces: {} }] }\n",
                .good = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\n"
                        "metadata: { name: guard }\n"
                        "spec:\n"
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  ingress:\n"
                        "    - { action: Deny, from: [{ namespaces: { matchLabels: { team: test } } }] }\n",
        },
        {
                .id = "VW408",
                .severity = DIAG_WARNING,
                .summary = "a peer that this host cannot tell",
                .why = "nodes and domainNames fail closed: a rule that accepts matches nothing by them, any other"
                       " denies everybody.",
                .bad = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                       "kind: ClusterNetworkPolicy\n"
                       "metadata: { name: guard }\n"
                       "spec:\n"
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Accept, to: [{ domainNames: [example.com] }] }\n",
                .good = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\n"
                        "metadata: { name: guard }\n"
                        "spec:\n"
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Accept, to: [{ networks: [192.0.2.0/24] }] }\n",
        },
        {
                .id = "VW409",
                .severity = DIAG_ERROR,
                .summary = "a second Baseline policy, or one of another name; (a warning) an object of v1alpha1",
                .why = "v1alpha1 is given up; a cluster of today knows ClusterNetworkPolicy.",
                .bad = "apiVersion: policy.networking.k8s.io/v1alpha1\n"
                       "kind: AdminNetworkPolicy\n"
                       "metadata: { name: guard }\n"
                       "spec:\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n",
                .good = "apiVersion: policy.networking.k8s.io/v1alpha2\n"
                        "kind: ClusterNetworkPolicy\n"
                        "metadata: { name: guard }\n"
                        "spec:\n"
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n",
        },
        {
                .id = "VW501",
                .severity = DIAG_WARNING,
                .summary = "a policy that means a container in the host's network",
                .why = "It is the host, and no policy holds for it.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
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
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.1/32] } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ ipBlock: { cidr: 192.0.2.0/24, except: [192.0.2.2/32] } }]\n"
                        "      ports: [{ protocol: TCP, port: 80 }]\n",
                .inventory = "apiVersion: vethwall.io/v1\n"
                             "kind: Inventory\n"
                             "endpoints:\n"
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - name: node-exporter\n"
                             "    namespace: shop\n"
                             "    labels: { app: exporter }\n"
                             "    addresses: [192.0.2.1]\n"
                             "    hostNetwork: true\n",
        },
        {
                .id = "VW507",
                .severity = DIAG_INFO,
                .summary = "an isolated direction whose rules all list ports",
                .why = "ping and every protocol without ports is dropped.",
                .bad = "apiVersion: networking.k8s.io/v1\n"
                       "kind: NetworkPolicy\n"
                       "metadata: { name: web, namespace: shop }\n"
                       "spec:\n"
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: web, namespace: shop }\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n",
        },
};
/* clang-format on */
const size_t lint_rules_len = ARRAY_SIZE(lint_rules);
