/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chapters that the rules of lint are kept in, a file each. */
#pragma once

#include <vethwall/base.h>
#include <vethwall/lint.h>

/* How the files of the examples begin. */
#define NETWORK_POLICY(name)                                                                                           \
        "apiVersion: networking.k8s.io/v1\n"                                                                           \
        "kind: NetworkPolicy\n"                                                                                        \
        "metadata: { name: " name ", namespace: shop }\n"                                                              \
        "spec:\n"
#define CLUSTER_POLICY(name)                                                                                           \
        "apiVersion: policy.networking.k8s.io/v1alpha2\n"                                                              \
        "kind: ClusterNetworkPolicy\n"                                                                                 \
        "metadata: { name: " name " }\n"                                                                               \
        "spec:\n"
#define INVENTORY                                                                                                      \
        "apiVersion: vethwall.io/v1\n"                                                                                 \
        "kind: Inventory\n"                                                                                            \
        "endpoints:\n"

extern const struct lint_rule lint_rules_document[];
extern const size_t lint_rules_document_len;
extern const struct lint_rule lint_rules_selector[];
extern const size_t lint_rules_selector_len;
extern const struct lint_rule lint_rules_rule[];
extern const size_t lint_rules_rule_len;
extern const struct lint_rule lint_rules_flow[];
extern const size_t lint_rules_flow_len;
extern const struct lint_rule lint_rules_tier[];
extern const size_t lint_rules_tier_len;
extern const struct lint_rule lint_rules_host[];
extern const size_t lint_rules_host_len;
extern const struct lint_rule lint_rules_cost[];
extern const size_t lint_rules_cost_len;
extern const struct lint_rule lint_rules_suppress[];
extern const size_t lint_rules_suppress_len;
