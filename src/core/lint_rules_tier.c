/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of VW4: tiers. */
#include "lint_rules.h"

/* clang-format off */
const struct lint_rule lint_rules_tier[] = {
        {
                .id = "VW401",
                .severity = DIAG_ERROR,
                .summary = "two policies of one priority that decide a flow differently",
                .why = "Which of them decides is not determined; another implementation may choose the other one.",
                .bad = CLUSTER_POLICY("a-partner")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Accept, to: [{ networks: [192.0.2.128/25] }] }\n"
                       "---\n"
                       CLUSTER_POLICY("b-closed")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n",
                .good = CLUSTER_POLICY("a-partner")
                        "  tier: Admin\n"
                        "  priority: 9\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Accept, to: [{ networks: [192.0.2.128/25] }] }\n"
                        "---\n"
                        CLUSTER_POLICY("b-closed")
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW402",
                .severity = DIAG_WARNING,
                .summary = "two policies of one priority that share endpoints",
                .why = "They agree today; a change of either can make them differ.",
                .bad = CLUSTER_POLICY("a-closed")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n"
                       "---\n"
                       CLUSTER_POLICY("b-closed")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [198.51.100.0/24] }] }\n",
                .good = CLUSTER_POLICY("a-closed")
                        "  tier: Admin\n"
                        "  priority: 9\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n"
                        "---\n"
                        CLUSTER_POLICY("b-closed")
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [198.51.100.0/24] }] }\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW403",
                .severity = DIAG_WARNING,
                .summary = "a rule that the Admin tier never lets decide",
                .why = "An Accept or Deny of the Admin tier ends the search. What a NetworkPolicy, a Baseline "
                       "policy or an Admin policy of lower precedence says of the same flows has no effect.",
                .bad = CLUSTER_POLICY("guard")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n"
                       "---\n"
                       NETWORK_POLICY("web-out")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n"
                       "  egress:\n"
                       "    - to: [{ ipBlock: { cidr: 192.0.2.0/25 } }]\n"
                       "      ports: [{ protocol: TCP, port: 443 }]\n",
                .good = CLUSTER_POLICY("guard")
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [198.51.100.0/24] }] }\n"
                        "---\n"
                        NETWORK_POLICY("web-out")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Egress]\n"
                        "  egress:\n"
                        "    - to: [{ ipBlock: { cidr: 192.0.2.0/25 } }]\n"
                        "      ports: [{ protocol: TCP, port: 443 }]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW404",
                .severity = DIAG_WARNING,
                .summary = "a Pass that nobody takes up",
                .why = "Nothing below isolates the endpoint, so the default action decides: it allows.",
                .bad = CLUSTER_POLICY("guard")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Pass, to: [{ networks: [192.0.2.0/24] }] }\n",
                .good = CLUSTER_POLICY("guard")
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Pass, to: [{ networks: [192.0.2.0/24] }] }\n"
                        "---\n"
                        NETWORK_POLICY("closed")
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n"
                        "---\n"
                        "apiVersion: networking.k8s.io/v1\n"
                        "kind: NetworkPolicy\n"
                        "metadata: { name: closed, namespace: ops }\n"
                        "spec:\n"
                        "  podSelector: {}\n"
                        "  policyTypes: [Ingress, Egress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                             "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n",
        },
        {
                .id = "VW405",
                .severity = DIAG_WARNING,
                .summary = "Baseline rules for endpoints that NetworkPolicies isolate",
                .why = "A Baseline policy decides only where no NetworkPolicy isolates the endpoint in that "
                       "direction. Here one isolates each, and the rules have no effect.",
                .bad = CLUSTER_POLICY("floor")
                       "  tier: Baseline\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  ingress:\n"
                       "    - { action: Deny, from: [{ namespaces: {} }] }\n"
                       "---\n"
                       NETWORK_POLICY("closed")
                       "  podSelector: {}\n"
                       "  policyTypes: [Ingress, Egress]\n",
                .good = CLUSTER_POLICY("floor")
                        "  tier: Baseline\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  ingress:\n"
                        "    - { action: Deny, from: [{ namespaces: {} }] }\n"
                        "---\n"
                        NETWORK_POLICY("closed")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress, Egress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW406",
                .severity = DIAG_WARNING,
                .summary = "a Baseline policy for an endpoint that is isolated in the other direction",
                .why = "Here tiers are asked for each direction alone. The text of the standard can be read for the "
                       "endpoint as a whole, and other implementations then leave the Baseline policy out.",
                .bad = CLUSTER_POLICY("floor")
                       "  tier: Baseline\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  ingress:\n"
                       "    - { action: Deny, from: [{ namespaces: {} }] }\n"
                       "---\n"
                       NETWORK_POLICY("closed")
                       "  podSelector: { matchLabels: { app: web } }\n"
                       "  policyTypes: [Egress]\n",
                .good = CLUSTER_POLICY("floor")
                        "  tier: Baseline\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  ingress:\n"
                        "    - { action: Deny, from: [{ namespaces: {} }] }\n"
                        "---\n"
                        NETWORK_POLICY("closed")
                        "  podSelector: { matchLabels: { app: web } }\n"
                        "  policyTypes: [Ingress, Egress]\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
        {
                .id = "VW407",
                .severity = DIAG_WARNING,
                .summary = "a denial of everybody that leaves the outside out",
                .why = "Ingress rules of a ClusterNetworkPolicy see endpoints alone: addresses outside still come"
                       " in.",
                .bad = CLUSTER_POLICY("guard")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  ingress:\n"
                       "    - { action: Deny, from: [{ namespaces: {} }] }\n",
                .good = CLUSTER_POLICY("guard")
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
                .bad = CLUSTER_POLICY("guard")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Accept, to: [{ domainNames: [example.com] }] }\n",
                .good = CLUSTER_POLICY("guard")
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
                .why = "v1alpha1 is given up; a cluster of today knows ClusterNetworkPolicy. vethwall convert rewrites the "
                       "files.",
                .bad = "apiVersion: policy.networking.k8s.io/v1alpha1\n"
                       "kind: AdminNetworkPolicy\n"
                       "metadata: { name: guard }\n"
                       "spec:\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n",
                .good = CLUSTER_POLICY("guard")
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n",
        },
        {
                .id = "VW410",
                .severity = DIAG_INFO,
                .summary = "a rule that those before it in the same policy leave nothing",
                .why = "The first rule that matches decides. These say the same, so nothing is lost; where they say "
                       "otherwise it is VW301, an error.",
                .bad = CLUSTER_POLICY("guard")
                       "  tier: Admin\n"
                       "  priority: 10\n"
                       "  subject: { namespaces: {} }\n"
                       "  egress:\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n"
                       "    - { action: Deny, to: [{ networks: [192.0.2.0/25] }] }\n",
                .good = CLUSTER_POLICY("guard")
                        "  tier: Admin\n"
                        "  priority: 10\n"
                        "  subject: { namespaces: {} }\n"
                        "  egress:\n"
                        "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n"
                        "    - { action: Deny, to: [{ networks: [198.51.100.0/24] }] }\n",
                .inventory = INVENTORY
                             "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                             "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n",
        },
};
/* clang-format on */
const size_t lint_rules_tier_len = ARRAY_SIZE(lint_rules_tier);
