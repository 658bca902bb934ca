/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps of random worlds against the matrix, asked for every pair of endpoints: what holds between two members of groups is
 * what their edge says; two endpoints that no flow tells apart are in one group, and others are not; and a group's name
 * is no other's.
 *
 * test-map [SEED [WORLDS]] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/map.h>

#include "gen.h"

struct check {
        const struct inventory *inventory;
        struct matrix *matrix;
        struct map *map;
        size_t *group_of; /* owned */
};

struct tally {
        size_t worlds, groups, large, edges, outside, apart;
};

static int family_of(const struct addr *addr)
{
        return addr ? addr->family : ADDR_FAMILY_MAX;
}

/* 1 if both flows allow the same, address by address in their order. */
static int same_flow(struct matrix *matrix, size_t a_src, size_t a_dst, size_t b_src, size_t b_dst)
{
        _cleanup_free_ struct matrix_pair *pairs = NULL;
        struct matrix_flow a, b;
        int r;

        r = matrix_between(matrix, a_src, a_dst, &a);
        if (r < 0)
                return r;

        pairs = calloc(a.pairs_len + 1, sizeof(*pairs));
        if (!pairs)
                return -ENOMEM;
        if (a.pairs_len > 0)
                memcpy(pairs, a.pairs, a.pairs_len * sizeof(*pairs));

        r = matrix_between(matrix, b_src, b_dst, &b);
        if (r < 0)
                return r;
        if (a.conns != b.conns || a.pairs_len != b.pairs_len)
                return 0;

        for (size_t i = 0; i < a.pairs_len; i++)
                if (pairs[i].conns != b.pairs[i].conns || family_of(pairs[i].src) != family_of(b.pairs[i].src) ||
                    family_of(pairs[i].dst) != family_of(b.pairs[i].dst))
                        return 0;

        return 1;
}

static int same_outside(struct matrix *matrix, size_t a, size_t b)
{
        const struct matrix_range *x, *y;
        size_t x_len, y_len;
        int r;

        for (enum direction direction = 0; direction < DIR_MAX; direction++) {
                for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                        r = matrix_outside(matrix, direction, a, family, &x, &x_len);
                        if (r == 0)
                                r = matrix_outside(matrix, direction, b, family, &y, &y_len);
                        if (r < 0)
                                return r;

                        if (x_len != y_len)
                                return 0;
                        for (size_t i = 0; i < x_len; i++)
                                if (x[i].conns != y[i].conns || !addr_equal(&x[i].range.last, &y[i].range.last))
                                        return 0;
                }
        }

        return 1;
}

/* The definition: exchanging the two changes no flow. */
static int alike(const struct check *check, size_t a, size_t b)
{
        int r;

        r = same_outside(check->matrix, a, b);
        if (r > 0)
                r = same_flow(check->matrix, a, b, b, a);
        for (size_t i = 0; r > 0 && i < check->inventory->endpoints_len; i++) {
                if (i == a || i == b)
                        continue;

                r = same_flow(check->matrix, a, i, b, i);
                if (r > 0)
                        r = same_flow(check->matrix, i, a, i, b);
        }

        return r;
}

static int check_groups(const struct check *check)
{
        const struct endpoint *endpoints = check->inventory->endpoints;
        int r;

        for (size_t i = 0; i < check->inventory->endpoints_len; i++) {
                for (size_t j = 0; j < i; j++) {
                        r = alike(check, i, j);
                        if (r < 0)
                                return r;
                        if ((r > 0) == (check->group_of[i] == check->group_of[j]))
                                continue;

                        printf("# %s/%s and %s/%s are %s\n", endpoints[i].ns, endpoints[i].name, endpoints[j].ns,
                               endpoints[j].name, r > 0 ? "alike and in two groups" : "in one group and not alike");
                        return -EBADMSG;
                }
        }

        return 0;
}

static int check_edge(const struct check *check, size_t src, size_t dst, const struct map_edge *edge)
{
        const struct map_node *a = &check->map->nodes[src], *b = &check->map->nodes[dst];
        struct matrix_flow flow;
        int r;

        for (size_t i = 0; i < a->members_len; i++) {
                for (size_t j = 0; j < b->members_len; j++) {
                        if (a->members[i] == b->members[j])
                                continue;

                        r = matrix_between(check->matrix, a->members[i], b->members[j], &flow);
                        if (r < 0)
                                return r;
                        if (edge ? edge->conns == flow.conns && edge->by_address == (flow.pairs_len > 0)
                                 : conns_is_empty(flow.conns))
                                continue;

                        printf("# %s to %s: the edge is wrong\n", a->text, b->text);
                        return -EBADMSG;
                }
        }

        return 0;
}

/* What the matrix says of the address and the endpoint. */
static int ask_outside(const struct check *check, enum direction direction, size_t endpoint, const struct addr *addr,
                       const struct conns **ret)
{
        const struct matrix_range *ranges;
        size_t len;
        int r;

        r = matrix_outside(check->matrix, direction, endpoint, addr->family, &ranges, &len);
        for (size_t i = 0; r == 0 && i < len; i++)
                if (addr_range_contains(&ranges[i].range, addr))
                        *ret = ranges[i].conns;
        return r;
}

/* Ranges and connections of an edge to or from the outside. */
static int check_outside(const struct check *check, enum direction direction, size_t group, size_t outside,
                         const struct conns *conns)
{
        const struct map_node *a = &check->map->nodes[group], *b = &check->map->nodes[outside];
        const struct conns *first = NULL, *last = NULL;
        int r = 0;

        for (size_t i = 0; i < a->members_len; i++) {
                for (size_t j = 0; r == 0 && j < b->ranges_len; j++) {
                        r = ask_outside(check, direction, a->members[i], &b->ranges[j].first, &first);
                        if (r == 0)
                                r = ask_outside(check, direction, a->members[i], &b->ranges[j].last, &last);
                        if (r == 0 && (first != conns || last != conns)) {
                                printf("# %s and the outside: the edge is wrong\n", a->text);
                                r = -EBADMSG;
                        }
                }
        }

        return r;
}

static int check_edges(const struct check *check, size_t src, struct tally *tally)
{
        const struct map_edge *edges;
        size_t len, next = 0;
        int r;

        r = map_edges(check->map, src, &edges, &len);
        if (r < 0)
                return r;

        tally->edges += len;
        for (size_t dst = 0; r == 0 && src < check->map->groups_len && dst < check->map->groups_len; dst++) {
                const struct map_edge *edge = next < len && edges[next].dst == dst ? &edges[next++] : NULL;

                tally->apart += edge && edge->by_address;
                r = check_edge(check, src, dst, edge);
        }
        for (; r == 0 && next < len; next++) {
                tally->outside++;
                r = src < check->map->groups_len
                            ? check_outside(check, DIR_EGRESS, src, edges[next].dst, edges[next].conns)
                            : check_outside(check, DIR_INGRESS, edges[next].dst, src, edges[next].conns);
        }

        return r;
}

static int check_map(struct check *check, struct tally *tally)
{
        struct map *map = check->map;
        int r;

        check->group_of = calloc(check->inventory->endpoints_len + 1, sizeof(*check->group_of));
        if (!check->group_of)
                return -ENOMEM;

        for (size_t i = 0; i < map->groups_len; i++) {
                tally->groups++;
                tally->large += map->nodes[i].members_len > 1;
                for (size_t j = 0; j < map->nodes[i].members_len; j++)
                        check->group_of[map->nodes[i].members[j]] = i;
                for (size_t j = 0; j < i; j++) {
                        if (strcmp(map->nodes[i].text, map->nodes[j].text) == 0) {
                                printf("# two groups are called %s\n", map->nodes[i].text);
                                return -EBADMSG;
                        }
                }
        }

        r = check_groups(check);
        for (size_t i = 0; r == 0 && i < map->len; i++)
                r = check_edges(check, i, tally);
        return r;
}

static int try_world(uint64_t seed, void *user)
{
        struct tally *tally = user;
        _cleanup_(gen_world_fini) struct gen_world gen = {.pieces = NULL};
        _cleanup_(gen_loaded_fini) struct gen_loaded loaded = {0};
        _cleanup_(world_freep) struct world *world = NULL;
        _cleanup_(matrix_freep) struct matrix *matrix = NULL;
        _cleanup_(map_freep) struct map *map = NULL;
        struct check check = {0};
        int r;

        r = gen_world(&gen, seed);
        if (r == 0)
                r = gen_load(&loaded, &gen, &(struct gen_order){0});
        if (r == 0)
                r = world_new(&world, loaded.policies, loaded.inventory, &gen.settings);
        if (r == 0)
                r = matrix_new(&matrix, world);
        if (r == 0)
                r = map_new(&map, matrix, world, true);
        if (r < 0)
                return r;

        check.inventory = loaded.inventory;
        check.matrix = matrix;
        check.map = map;
        r = check_map(&check, tally);
        free(check.group_of);
        tally->worlds++;
        return r;
}

int main(int argc, char **argv)
{
        struct tally tally = {0};
        uint64_t worlds;

        if (!gen_run(argc, argv, 200, try_world, &tally, &worlds))
                return 1;

        printf("%zu worlds: %zu groups (%zu of more than one), %zu edges (%zu with the outside, %zu by address)\n",
               tally.worlds, tally.groups, tally.large, tally.edges, tally.outside, tally.apart);
        if (worlds >= 100 && (tally.large == 0 || tally.outside == 0 || tally.apart == 0)) {
                printf("not ok: the worlds do not show everything\n");
                return 1;
        }

        return 0;
}
