/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of every flow between an old and a new policy set: exactly which connections become allowed or denied, and
 * by which rules. Old and new may have an inventory each; an endpoint is then the same where its namespace and name are.
 * The difference is found between endpoints that nothing tells apart, so its cost is by class, as the matrix's is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/base.h>
#include <vethwall/inventory.h>
#include <vethwall/matrix.h>
#include <vethwall/policy.h>
#include <vethwall/world.h>

enum change_side {
        CHANGE_OLD,
        CHANGE_NEW,
        CHANGE_SIDE_MAX,
};

/* An endpoint of either inventory. */
struct change_party {
        const struct endpoint *endpoint[CHANGE_SIDE_MAX]; /* NULL: not in that inventory; never both */
        size_t kind;
};

/* What differs of an endpoint between the inventories, of what policies can see. */
enum change_fact {
        CHANGE_FACT_ADDED,
        CHANGE_FACT_REMOVED,
        CHANGE_FACT_LABELS,
        CHANGE_FACT_NAMESPACE_LABELS,
        CHANGE_FACT_ADDRESSES,
        CHANGE_FACT_PORTS,
        CHANGE_FACT_HOST_NETWORK,
        CHANGE_FACT_MAX,
};

/* Endpoints that neither policy set can tell apart: they share every change. */
struct change_kind {
        const size_t *parties; /* ascending indexes into changes.parties */
        size_t len;
        bool same_addrs; /* the same addresses on both sides */
        unsigned facts;  /* a bit, 1u << enum change_fact, for each that differs */
};

/* What turned a flow: the smallest difference that does it alone. */
enum change_origin {
        CHANGE_BY_POLICY,    /* the new policies with the old inventory */
        CHANGE_BY_INVENTORY, /* the new inventory with the old policies */
        CHANGE_JOINT,        /* no one of them: it takes both, or either would do */
        CHANGE_ORIGIN_MAX,
};

/* Why flows changed: what decided before and after, in each direction whose verdict turned. */
struct change_reason {
        uint32_t id; /* in order of first appearance, from 0 */
        bool widens; /* denied before and allowed now; else the reverse */
        enum change_origin origin;
        bool turned[DIR_MAX];
        struct cause causes[DIR_MAX][CHANGE_SIDE_MAX]; /* zero where not turned; tier TIER_MAX: an end is not there */
};

struct change_part {
        const struct change_reason *reason;
        const struct conns *conns; /* what it allows or denies */
        struct addr_range range;   /* the outside: the addresses it is about */
};

/* One address of each end, treated in its own way. */
struct change_pair {
        size_t src; /* index into the endpoint's addresses */
        size_t dst;
        const struct conns *conns[CHANGE_SIDE_MAX];
};

/* One end of a change: endpoints of one kind, or addresses of the outside. */
struct change_end {
        bool outside;
        size_t kind;
        struct addr_range range;
};

struct change {
        struct change_end src; /* not outside if dst is. Both of one kind: any member and any other */
        struct change_end dst;
        const struct conns *conns[CHANGE_SIDE_MAX]; /* equal only where addresses are treated differently */
        const struct change_part *parts;            /* at least one */
        size_t parts_len;
        const struct change_pair *pairs; /* every address pair, where they are not treated alike; else NULL */
        size_t pairs_len;
        bool widens, narrows;      /* some connection is allowed or denied that was not */
        enum change_origin origin; /* of all its parts; of several: CHANGE_JOINT */
};

struct changes {
        struct arena *arena;          /* owned */
        struct matrix *sets;          /* owned; the sets of connections are its objects */
        struct change_party *parties; /* by namespace and name */
        size_t parties_len;
        struct change_kind *kinds; /* in order of their first members */
        size_t kinds_len;
        struct change
                *items; /* owned; by source kind: to the kinds, then to the outside in ascending order; then from the
                               * outside, by destination kind. Ranges of one source or destination are disjoint, and
                               * neighbours differ */
        size_t len, cap;
        const struct change_reason **reasons; /* owned; by id */
        size_t reasons_len, reasons_cap;
};

/* Borrows both worlds, which must outlive it. 0 or -ENOMEM. */
int changes_new(struct changes **ret, struct world *old, struct world *new);
struct changes *changes_free(struct changes *changes);
DEFINE_CLEANUP(struct changes *, changes_free)

const char *change_origin_name(enum change_origin origin); /* "policy", "inventory", "joint" */
const char *change_fact_name(enum change_fact fact);       /* "added", "labels", "namespace labels", ... */

/* Of how many pairs of endpoints, and of endpoints and ranges, the change speaks. */
size_t change_size(const struct changes *changes, const struct change *change);

/* Calls visit for each of these pairs, in the order in which the matrix lists flows: of each endpoint, to the endpoints and
 * then to the outside; then of the outside to each endpoint. An end that is outside is NULL. Stops at what is not 0, and
 * returns it; else 0 or -ENOMEM. */
typedef int (*change_visitor)(const struct changes *changes, const struct change *change,
                              const struct change_party *src, const struct change_party *dst, void *userdata);
int changes_visit(const struct changes *changes, change_visitor visit, void *userdata);
