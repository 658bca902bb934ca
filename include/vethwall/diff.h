/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference between two rulesets, as the shortest list of changes that one nftables transaction can
 * make, in an order that the kernel accepts (what is referred to is there before, and gone after, what
 * refers to it). */
#pragma once

#include <stddef.h>

#include <vethwall/ruleset.h>

enum plan_kind {
        PLAN_DEL_TABLE, /* with all it holds */
        PLAN_ADD_TABLE,
        PLAN_ADD_CHAIN, /* without its rules */
        PLAN_ADD_SET,   /* without its elements */
        PLAN_DEL_RULE,  /* old_rule, by its handle */
        PLAN_DEL_ELEMS, /* elems, of the set as it was */
        PLAN_ADD_ELEMS, /* elems, of the set as it will be */
        PLAN_ADD_RULE,  /* rule, after old_rule, or at the chain's end where that is NULL: see at_start */
        PLAN_DEL_CHAIN,
        PLAN_DEL_SET,
        PLAN_KIND_MAX,
};

struct plan_op {
        enum plan_kind kind;
        enum rs_family family;
        const char *table;
        const struct rs_table *in;    /* the table as it will be (PLAN_DEL_*: as it was): encoding a rule needs the key
                                         * types of the sets it names */
        const struct rs_chain *chain; /* chain and rule operations */
        const struct rs_set *set;     /* set and element operations */
        const struct rs_rule *rule;   /* PLAN_ADD_RULE */
        const struct rs_rule *old_rule; /* PLAN_DEL_RULE: the rule; PLAN_ADD_RULE: the kept rule it follows */
        bool at_start;                  /* PLAN_ADD_RULE with no old_rule: before all others (ops come in such an
                                         * order that inserting one by one gives the right sequence) */
        const struct rs_elem **elems;   /* owned by the plan; in order of their keys */
        size_t elems_len;
};

/* Borrows from both rulesets: it must not outlive either. */
struct plan {
        struct plan_op *ops; /* owned */
        size_t len;
        size_t cap;
};

#define PLAN_INIT                                                                                                      \
        {                                                                                                              \
                NULL, 0, 0                                                                                             \
        }

void plan_fini(struct plan *plan);

/* What turns a into b; both sealed. Tables that only a has are left alone unless purge: then they go too. An empty
 * plan (len 0) means there is nothing to do. A set or base chain whose definition changed replaces its table.
 * 0 or -ENOMEM, *ret then unchanged. */
int ruleset_diff(struct plan *ret, const struct ruleset *a, const struct ruleset *b, bool purge);

/* The ruleset that the kernel would hold after the plan; for tests, and to keep the agent's copy of the kernel's
 * state. It owns all it holds and knows no origins; what a plan keeps keeps its handle and counters. a is the very object
 * that the plan was made from, or has equal contents where the plan names no rule of it.
 * 0, -ENOMEM, or -EINVAL where the plan does not fit a. */
int ruleset_apply(struct ruleset **ret, const struct ruleset *a, const struct plan *plan);

struct strbuf;

/* One line an operation, or an element, "+ element inet vethwall egress4 { 10.0.0.2 : goto out_shop }", for dry runs and tests. */
void plan_text(struct strbuf *buf, const struct plan *plan);
