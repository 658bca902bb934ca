/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps: nodes, and the edges between them.
 *
 * Theory of operation. map_group.c says which endpoints are alike, map_outside.c cuts the outside into the parts that
 * somebody treats alike, map_name.c names the groups. Edges are not kept: a node's are asked of the matrix when they are
 * wanted, for one member in place of all, so a map is as large as its nodes and not their product. */
#include <errno.h>
#include <string.h>

#include "map_internal.h"

struct map_pair map_members(const struct map *map, size_t src, size_t dst)
{
        return (struct map_pair){map->nodes[src].members[0], map->nodes[dst].members[dst == src]};
}

static int add_edge(struct map_state *state, size_t *len, struct map_edge edge)
{
        int r;

        r = array_reserve(&state->edges, &state->edges_cap, *len + 1, sizeof(*state->edges));
        if (r < 0)
                return r;

        state->edges[(*len)++] = edge;
        return 0;
}

static int edges_of_group(struct map_state *state, size_t src, size_t *len)
{
        const struct map *map = &state->map;
        const struct map_links *links = state->links[src][DIR_EGRESS];
        struct matrix_flow flow;
        int r = 0;

        for (size_t dst = 0; r == 0 && dst < map->groups_len; dst++) {
                struct map_pair pair;

                if (dst == src && map->nodes[src].members_len == 1)
                        continue;

                pair = map_members(map, src, dst);
                r = matrix_between(state->matrix, pair.src, pair.dst, &flow);
                if (r == 0 && !conns_is_empty(flow.conns))
                        r = add_edge(state, len, (struct map_edge){dst, flow.conns, flow.pairs_len > 0});
        }

        for (size_t i = 0; r == 0 && i < links->len; i++)
                r = add_edge(
                        state, len,
                        (struct map_edge){map->groups_len + links->items[i].outside, links->items[i].conns, false});

        return r;
}

static int edges_of_outside(struct map_state *state, size_t src, size_t *len)
{
        int r;

        for (size_t dst = 0; dst < state->map.groups_len; dst++) {
                const struct map_links *links = state->links[dst][DIR_INGRESS];

                for (size_t i = 0; i < links->len; i++) {
                        if (state->map.groups_len + links->items[i].outside != src)
                                continue;

                        r = add_edge(state, len, (struct map_edge){dst, links->items[i].conns, false});
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

int map_edges(struct map *map, size_t src, const struct map_edge **ret, size_t *ret_len)
{
        struct map_state *state = map->state;
        size_t len = 0;
        int r;

        r = src < map->groups_len ? edges_of_group(state, src, &len) : edges_of_outside(state, src, &len);
        if (r < 0)
                return r;

        *ret = state->edges;
        *ret_len = len;
        return 0;
}

/* The members of all groups, given the group of each endpoint. */
static int fill_members(struct map_state *state, const size_t *of)
{
        size_t n = state->inventory->endpoints_len, *members, at = 0;

        members = arena_array(state->arena, n, sizeof(*members));
        if (!members)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++)
                state->nodes[of[i]].members_len++;
        for (size_t i = 0; i < state->map.groups_len; i++) {
                state->nodes[i].members = members + at;
                at += state->nodes[i].members_len;
                state->nodes[i].members_len = 0;
        }
        for (size_t i = 0; i < n; i++) {
                struct map_node *node = &state->nodes[of[i]];

                members[(size_t)(node->members - members) + node->members_len++] = i;
        }

        return 0;
}

static int fill_links(struct map_state *state)
{
        int r;

        state->links = arena_array(state->arena, state->map.groups_len, sizeof(*state->links));
        if (!state->links)
                return -ENOMEM;

        for (size_t i = 0; i < state->map.groups_len; i++) {
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        r = map_outside_links(state, d, state->nodes[i].members[0], &state->links[i][d]);
                        if (r < 0)
                                return r;
                }
        }

        return map_outside_sort(state);
}

static int map_init(struct map_state *state, bool group)
{
        size_t n = state->inventory->endpoints_len;
        struct map *map = &state->map;
        _cleanup_free_ size_t *of = NULL;
        int r = 0;

        of = calloc(n + 1, sizeof(*of));
        state->arena = arena_new();
        if (!of || !state->arena)
                return -ENOMEM;

        map->groups_len = n;
        for (size_t i = 0; i < n; i++)
                of[i] = i;
        if (group)
                r = map_group(state, of, &map->groups_len);
        if (r < 0)
                return r;

        state->nodes = arena_array(state->arena, map->groups_len, sizeof(*state->nodes));
        if (!state->nodes)
                return -ENOMEM;

        r = fill_members(state, of);
        if (r == 0)
                r = fill_links(state);
        if (r == 0)
                r = map_name(state);
        return r;
}

/* Now that it is known how many parts the outside has. */
static int add_outside(struct map_state *state)
{
        struct map *map = &state->map;
        struct map_node *nodes;

        map->len = map->groups_len + state->outside.parts_len;
        nodes = arena_array(state->arena, map->len, sizeof(*nodes));
        if (!nodes)
                return -ENOMEM;

        if (map->groups_len > 0)
                memcpy(nodes, state->nodes, map->groups_len * sizeof(*nodes));
        for (size_t i = 0; i < state->outside.parts_len; i++)
                nodes[map->groups_len + i] = state->outside.parts[i]->node;

        map->nodes = state->nodes = nodes;
        return 0;
}

int map_new(struct map **ret, struct matrix *matrix, struct world *world, bool group)
{
        _cleanup_(map_freep) struct map *map = NULL;
        struct map_state *state;
        int r;

        state = calloc(1, sizeof(*state));
        if (!state)
                return -ENOMEM;

        map = &state->map;
        map->state = state;
        state->matrix = matrix;
        state->world = world;
        state->inventory = world_inventory(world);
        r = map_init(state, group);
        if (r == 0)
                r = add_outside(state);
        if (r < 0)
                return r;

        *ret = steal(map);
        return 0;
}

struct map *map_free(struct map *map)
{
        struct map_state *state;

        if (!map)
                return NULL;

        state = map->state;
        map_outside_fini(&state->outside);
        free(state->edges);
        arena_free(state->arena);
        free(state);
        return NULL;
}
