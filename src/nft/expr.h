/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few kernel expressions our rules are made of, as plain values. A rule goes to the kernel as
 *     rs_rule -> expressions -> attributes
 * and comes back the other way. Reading a rule ends by translating the result to expressions again: only a rule that
 * gives exactly what was read is ours, whatever else the kernel, nft or a newer version of either may do is foreign. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/ruleset.h>

struct nlattr;
struct nlmsghdr;

enum expr_kind {
        EXPR_META,    /* key -> reg */
        EXPR_CT,      /* key -> reg */
        EXPR_PAYLOAD, /* base, offset, len -> reg */
        EXPR_BITWISE, /* reg = reg & data */
        EXPR_CMP,     /* reg op data */
        EXPR_LOOKUP,  /* reg in set, or the verdict that the map holds for it */
        EXPR_COUNTER,
        EXPR_IMMEDIATE, /* verdict */
        EXPR_OTHER,     /* anything we do not emit */
};

#define EXPR_DATA_MAX 16

struct expr {
        enum expr_kind kind;
        uint32_t reg;
        uint32_t key;
        uint32_t base, offset, len;
        uint32_t op;
        uint8_t data[EXPR_DATA_MAX];
        uint32_t data_len;
        const char *set; /* borrowed, as is the verdict's chain */
        bool negate;
        bool vmap;
        struct rs_verdict verdict;
        struct rs_counter count;
};

struct expr_list {
        struct expr *items; /* owned */
        size_t len;
        size_t cap;
};

#define EXPR_LIST_INIT                                                                                                 \
        {                                                                                                              \
                NULL, 0, 0                                                                                             \
        }

void expr_list_fini(struct expr_list *list);

/* Counters' values do not count. */
bool expr_list_equal(const struct expr_list *a, const struct expr_list *b);

/* Bytes that expr_put() may need at most. */
size_t expr_size_max(const struct expr *expr);

/* Puts one expression as an element of a list of expressions (NFTA_LIST_ELEM). */
void expr_put(struct nlmsghdr *message, const struct expr *expr);

/* Appends what the attribute NFTA_RULE_EXPRESSIONS holds; what we do not know is EXPR_OTHER. 0, -ENOMEM, -EBADMSG. */
int expr_list_read(struct expr_list *list, const struct nlattr *attr);

/* Verdicts, as elements and rules hold them: the attribute NFTA_DATA_VERDICT within the nest type. */
void verdict_put(struct nlmsghdr *message, uint16_t type, const struct rs_verdict *verdict);

/* 0, -EBADMSG, or -ENOTSUP for a verdict that is none of ours (*ret then unchanged). */
int verdict_read(const struct nlattr *attr, struct rs_verdict *ret);

/* A counter's packets and bytes, from the attribute NFTA_EXPR_DATA. */
int counter_read(const struct nlattr *attr, struct rs_counter *ret);

/* The expressions of a rule, appended. The table says what the sets it names hold. 0 or -ENOMEM. */
int expr_list_from_rule(struct expr_list *list, const struct rs_table *table, const struct rs_rule *rule);

/* The inverse, into a zeroed rule: matches, counter and action. Texts are copied into the arena. Where the expressions
 * are not exactly those of a rule of ours, the rule is marked foreign. 0 or -ENOMEM. */
int expr_list_to_rule(const struct expr_list *list, enum rs_family family, struct arena *arena, struct rs_rule *rule);
