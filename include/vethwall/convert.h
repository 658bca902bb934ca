/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AdminNetworkPolicy and BaselineAdminNetworkPolicy (v1alpha1) as ClusterNetworkPolicy (v1alpha2): the same decisions in
 * the newer words. What those have no word for is refused. */
#pragma once

#include <stddef.h>

#include <vethwall/diag.h>
#include <vethwall/policy.h>
#include <vethwall/strbuf.h>

/* What an older policy becomes a Baseline policy with: the last priority there is. */
#define CONVERT_BASELINE_PRIORITY 1000

/* Appends the file to ret, with the documents that hold older policies converted and in canonical form, comments kept, and
 * all others as they are, to the byte. A file with mistakes, or with what cannot be converted, is refused: that goes to
 * diags, and ret gets nothing. *ret_count grows by the number of policies converted. 0 (look at diags->errors) or -ENOMEM. */
int convert_policies(struct strbuf *ret, size_t *ret_count, const char *name, const char *bytes, size_t size,
                     struct diag_list *diags);

/* Finds what only the whole set shows: names that would be given twice, and policies that would change their order. 0 (look at
 * diags->errors) or -ENOMEM. */
int convert_check(const struct policy_set *set, struct diag_list *diags);
