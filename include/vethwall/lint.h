/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is suspicious about policies that are well-formed: a table of rules, and the findings as diagnostics. What speaks
 * of flows is decided on the classes and profiles of a world, so it is what compile and explain say too. */
#pragma once

#include <stddef.h>

#include <vethwall/base.h>
#include <vethwall/diag.h>
#include <vethwall/policy.h>
#include <vethwall/world.h>

struct lint_rule {
        const char *id; /* stable */
        enum diag_severity severity;
        const char *summary;   /* what it finds */
        const char *why;       /* what comes of it */
        const char *bad;       /* a policy file that it finds something in */
        const char *good;      /* the same, done right */
        const char *inventory; /* that both speak of; NULL: the finding needs none */
};

/* Every rule there is, the loaders' included, in order of their ids; NULL from the end on. */
size_t lint_rules_len(void);
const struct lint_rule *lint_rule_at(size_t index);

/* NULL where there is none of this id. ret_index may be NULL. */
const struct lint_rule *lint_rule_find(const char *id, size_t *ret_index);

struct lint_result {
        struct diag_list findings; /* the loaders' diagnostics go here before lint() is called */
        size_t counts[DIAG_SEVERITY_MAX];
        struct diag_list suppressed; /* what the files tell to leave out, with the reason; counted nowhere else */
};

/* How many are suppressed, those that did not fit in the list included. */
static inline size_t lint_suppressed_len(const struct lint_result *result)
{
        return result->suppressed.len + result->suppressed.dropped;
}

void lint_result_fini(struct lint_result *result);

/* Adds what is found, sorts, and shows source lines where the set keeps its sources. Comments and annotations that
 * suppress a finding (the set must keep its sources for the comments) are heeded, but for the errors of the documents. While there are errors in the
 * documents nothing else is looked for: a set with a part missing would be judged wrongly. Without a world (NULL) the rules that
 * need an inventory are not asked. The world is of this set. 0 or -ENOMEM. */
int lint(struct lint_result *result, const struct policy_set *policies, struct world *world);
