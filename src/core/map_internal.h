/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The making of a map, shared by the files that do it. */
#pragma once

#include <vethwall/arena.h>
#include <vethwall/map.h>
#include <vethwall/strbuf.h>

#include "index.h"

/* What an endpoint can open to a part of the outside, or that to it. */
struct map_link {
        uint32_t outside; /* its number */
        const struct conns *conns;
};

struct map_links {
        uint32_t id; /* equal links are the same object */
        struct map_link *items;
        size_t len;
};

struct map_part {
        struct map_node node;
        uint32_t number; /* as links have it, until they are sorted */
};

/* Parts of the outside, and the links to them, each kept once. */
struct map_outside {
        struct map_part **parts; /* owned; the objects are the arena's */
        size_t parts_len, parts_cap;
        struct map_links **links; /* owned; the objects are the arena's */
        size_t links_len, links_cap;
        struct str_index part_index, links_index;
        struct str_index answer_index; /* by what the matrix answered, which is one object for each class */
        struct strbuf key;             /* scratch */
};

struct map_state {
        struct map map;
        struct arena *arena;
        struct matrix *matrix;
        struct world *world;
        const struct inventory *inventory;
        struct map_node *nodes;                    /* the map's own, to be filled */
        const struct map_links *(*links)[DIR_MAX]; /* per group */
        struct map_outside outside;
        struct map_edge *edges; /* owned; of the last answer */
        size_t edges_cap;
};

void map_outside_fini(struct map_outside *outside);

/* The links of an endpoint. *ret is the state's. 0 or -ENOMEM. */
int map_outside_links(struct map_state *state, enum direction direction, size_t endpoint, const struct map_links **ret);

/* Once all links are there: sorts the parts as they are shown, and numbers them anew. 0 or -ENOMEM. */
int map_outside_sort(struct map_state *state);

/* The group of each endpoint, numbered in the order of their first members. 0 or -ENOMEM. */
int map_group(struct map_state *state, size_t *of, size_t *ret_len);

/* Names all nodes that are groups. 0 or -ENOMEM. */
int map_name(struct map_state *state);
