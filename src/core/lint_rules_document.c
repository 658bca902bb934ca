/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of VW0: what a file says. */
#include "lint_rules.h"

/* clang-format off */
const struct lint_rule lint_rules_document[] = {
        {
                .id = "VW001",
                .severity = DIAG_ERROR,
                .summary = "a file that cannot be read as YAML or JSON",
                .why = "A file that is not read is a policy that is missing.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "\tpolicyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
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
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW003",
                .severity = DIAG_ERROR,
                .summary = "an unknown field",
                .why = "A misspelt field is left out, and what remains may select or allow far more.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelectr: { matchLabels: { app: api } } }]\n",
                .good = NETWORK_POLICY("web")
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
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { public: yes } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { public: \"yes\" } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW005",
                .severity = DIAG_ERROR,
                .summary = "a field that is missing, or two that exclude each other",
                .why = "The object says too little or too much to be understood in one way.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{}]\n",
                .good = NETWORK_POLICY("web")
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
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "---\n"
                       NETWORK_POLICY("web")
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "---\n"
                        NETWORK_POLICY("all")
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
                .good = NETWORK_POLICY("web")
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
                .bad = NETWORK_POLICY("Web_1")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n",
                .good = NETWORK_POLICY("web")
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
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n",
        },
        {
                .id = "VW010",
                .severity = DIAG_WARNING,
                .summary = "a policy without policyTypes",
                .why = "What is left out means Ingress, and Egress only where there are egress rules: a rule "
                       "added or removed later changes what is isolated.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  egress:\n"
                       "    - to: [{ podSelector: {} }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ podSelector: {} }]\n",
        },
        {
                .id = "VW011",
                .severity = DIAG_INFO,
                .summary = "an alias, or a document that holds nothing",
                .why = "An alias (*name) stands for what an anchor (&name) marks elsewhere in the document: who "
                       "changes the one changes the other. An empty document between two separators is mostly "
                       "the place of something that was lost, by a template that printed nothing.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: &who { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n"
                       "    - from: [{ podSelector: *who }]\n"
                       "      ports: [{ protocol: TCP, port: 81 }]\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                        "      ports: [{ protocol: TCP, port: 80, endPort: 81 }]\n",
        },
};
/* clang-format on */
const size_t lint_rules_document_len = ARRAY_SIZE(lint_rules_document);
