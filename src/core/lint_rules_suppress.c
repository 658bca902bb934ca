/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of VW9: what the files tell lint to leave out. */
#include "lint_rules.h"

/* clang-format off */
const struct lint_rule lint_rules_suppress[] = {
        {
                .id = "VW901",
                .severity = DIAG_ERROR,
                .summary = "a suppression without a reason",
                .why = "Who reads it later cannot tell whether it still holds, so it is not heeded until it says why.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    # vethwall: ignore[VW214]\n"
                       "    - {}\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    # vethwall: ignore[VW214] the shop is open to everybody\n"
                        "    - {}\n",
        },
        {
                .id = "VW902",
                .severity = DIAG_WARNING,
                .summary = "a suppression that suppresses nothing",
                .why = "What it was for is gone, or it stands in the wrong place. Left alone it would hide the next finding "
                       "of its kind. A comment is about the line that it stands on, or, alone on its line, about the next "
                       "one that holds anything else, and about the lines below that one that are indented further; on or "
                       "above the first line of a document it is about all of that. An annotation is about its object. A "
                       "rule that needs an inventory is not missed where none is given. The errors of a document cannot "
                       "be suppressed: with one it is not read at all.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress] # vethwall: ignore[VW214] the shop is open to everybody\n"
                       "  ingress:\n"
                       "    - from: [{ podSelector: { matchLabels: { app: api } } }]\n"
                       "      ports: [{ protocol: TCP, port: 80 }]\n",
                .good = "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata:\n"
                        "  name: web\n"
                        "  namespace: shop\n"
                        "  annotations:\n"
                        "    vethwall.io/ignore.VW214: the shop is open to everybody\n"
                        "spec:\n"
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    - {}\n",
        },
        {
                .id = "VW903",
                .severity = DIAG_ERROR,
                .summary = "a suppression of a rule that there is not",
                .why = "It does nothing. What it was meant for is found all the same, or will be.",
                .bad = NETWORK_POLICY("web")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Ingress]\n"
                       "  ingress:\n"
                       "    # vethwall: ignore[VW2I4] the shop is open to everybody\n"
                       "    - {}\n",
                .good = NETWORK_POLICY("web")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress]\n"
                        "  ingress:\n"
                        "    # vethwall: ignore[VW214] the shop is open to everybody\n"
                        "    - {}\n",
        },
};
/* clang-format on */
const size_t lint_rules_suppress_len = ARRAY_SIZE(lint_rules_suppress);
