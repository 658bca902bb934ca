/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The census: every class asked about everything once, and what can come of it. Rules of lint that speak of more than one
 * policy decide on it. Private to the core. */
#pragma once

#include "lint_internal.h"

/* A flow in one direction's view, to be shown as the operands of vethwall explain. */
struct lint_flow {
        enum direction direction;
        uint32_t class;
        size_t subject;                 /* endpoint of the class */
        size_t peer;                    /* endpoint, or WORLD_OUTSIDE */
        const struct addr *addr;        /* the peer's; NULL: none matters, or range says */
        const struct addr_range *range; /* outside: any address of it; NULL: any that no block of the class holds */
        struct lint_port port;
};

#define LINT_FLOW_MAX (3 * LINT_NAME_MAX)

/* "shop/web-1 shop/api-1 TCP/80". Returns buf, or NULL where no address is left for the outside. */
const char *lint_flow_text(const struct lint *lint, const struct lint_flow *flow, char buf[static LINT_FLOW_MAX]);

/* Whether a makes the better example: it has an endpoint and a port. */
bool lint_flow_is_plainer(const struct lint_flow *a, const struct lint_flow *b);

/* Rules that hold together for some flow. What decides, and what would without one of them, is known by them alone. */
struct lint_situation {
        const uint32_t *held;  /* indexes into world.rules[direction], in the order in which they decide */
        size_t len;            /* at least one */
        bool isolated;         /* a NetworkPolicy isolates the subject */
        struct lint_flow flow; /* one of this kind */
};

/* What decides. */
struct lint_outcome {
        enum action action; /* ACTION_ALLOW or ACTION_DENY */
        enum tier tier;
        uint32_t rule; /* NONE: isolation, or the default action */
};

/* As the world judges, from a tier on. */
struct lint_outcome lint_judge(const struct lint *lint, enum direction direction, const uint32_t *held, size_t len,
                               bool isolated, enum tier from);

/* What a class has to do with anybody at all. */
struct lint_reach {
        bool any;              /* something is allowed */
        bool outside;          /* something but DNS is, to or from addresses that are no endpoint's */
        bool dns_udp, dns_tcp; /* to anybody */
};

struct lint_census {
        struct arena *arena;
        struct lint_situation *situations[DIR_MAX]; /* owned; in the order in which they were met */
        size_t situations_len[DIR_MAX];
        size_t situations_cap[DIR_MAX];
        struct lint_reach *reach[DIR_MAX];  /* per class */
        struct lint_flow *decided[DIR_MAX]; /* per rule: a flow that it decides; subject WORLD_OUTSIDE: there is none */
};

void lint_census_fini(struct lint_census *census);

/* Takes it. Once for a world. */
void lint_take_census(struct lint *lint);
