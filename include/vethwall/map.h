/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The matrix as a picture has it: endpoints that nothing tells apart are one node, as are the addresses outside that one
 * of them treats alike, and an edge says what one node can open to another. Two endpoints are alike where exchanging
 * them changes no flow. That is an equivalence, so what holds between two members of two nodes, or of one, holds between
 * any. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/addr.h>
#include <vethwall/base.h>
#include <vethwall/matrix.h>
#include <vethwall/world.h>

/* A group of endpoints, or a part of the outside. */
struct map_node {
        const size_t *members; /* indices into inventory->endpoints, ascending; NULL: the outside */
        size_t members_len;
        const struct addr_range *ranges; /* of the outside: disjoint, ascending, IPv4 first */
        size_t ranges_len;

        /* Names as the inventory has them, to be cleaned or escaped; NULL for the outside. */
        const char *ns;   /* of all members; NULL where they are of several */
        const char *name; /* within ns: "web-1", "app=web", "all endpoints", "web-1 and 2 more" */
        const char *text; /* the whole, unique in the map: "shop/web-1", "shop: app=web (120)" */
};

struct map_edge {
        size_t dst; /* a node; the source itself: any member to any other */
        const struct conns *conns;
        bool by_address; /* not for all their addresses: matrix_between() of members tells */
};

/* The nodes are in order: groups by their first member, then the outside, all of it first. */
struct map {
        const struct map_node *nodes;
        size_t len;
        size_t groups_len;
        struct map_state *state; /* the map's own */
};

/* Borrows the matrix, of this world, which must both outlive it. With group, endpoints that are alike become one node;
 * else each is one. 0 or -ENOMEM. */
int map_new(struct map **ret, struct matrix *matrix, struct world *world, bool group);
struct map *map_free(struct map *map);
DEFINE_CLEANUP(struct map *, map_free)

/* What a node can open to others, in their order; where that is nothing, there is no edge. Worked out at each call; *ret
 * is good until the next. 0 or -ENOMEM. */
int map_edges(struct map *map, size_t src, const struct map_edge **ret, size_t *ret_len);

/* The outside as a whole, of both families. */
bool map_is_everywhere(const struct map_node *node);

/* Two members to ask the matrix about, for what holds between any of src and any of dst. */
struct map_pair {
        size_t src, dst;
};
struct map_pair map_members(const struct map *map, size_t src, size_t dst);
