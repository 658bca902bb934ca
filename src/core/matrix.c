/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The matrix: profiles of egress and ingress, taken from the world, intersected and remembered (matrix_sets.c).
 *
 * Theory of operation. Nothing is kept per pair of a class and a peer: the world finds the profile in two short searches, and
 * what is kept grows with the profiles that there are. Most pairs have nothing to say to each other; which, is asked of the
 * world once for each identity, a bit for every other. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "matrix_internal.h"

/* What a profile allows. */
static int matrix_profile(struct matrix *matrix, const struct profile *profile, const struct conns **ret)
{
        size_t cap = matrix->by_profile_cap;
        const struct conns *conns;
        int r;

        if (profile->id < cap && matrix->by_profile[profile->id]) {
                *ret = matrix->by_profile[profile->id];
                return 0;
        }

        r = array_reserve(&matrix->by_profile, &matrix->by_profile_cap, (size_t)profile->id + 1,
                          sizeof(*matrix->by_profile));
        if (r < 0)
                return r;
        memset(matrix->by_profile + cap, 0, (matrix->by_profile_cap - cap) * sizeof(*matrix->by_profile));

        r = conns_builder_start(&matrix->builder);
        for (size_t i = 0; r >= 0 && i < profile->spans_len; i++) {
                const struct profile_span *span = &profile->spans[i];

                if (span->cause.action == ACTION_ALLOW)
                        r = conns_builder_add(&matrix->builder, conns_proto_of(span->protocol), span->ports);
        }
        if (r < 0)
                return r;

        r = conns_builder_finish(matrix, profile->other.action == ACTION_ALLOW, &conns);
        if (r < 0)
                return r;

        r = matrix_intersect(matrix, conns, matrix->limit, &conns);
        if (r < 0)
                return r;

        matrix->by_profile[profile->id] = conns;
        *ret = conns;
        return 0;
}

static int matrix_init_endpoints(struct matrix *matrix)
{
        const struct inventory *inventory = matrix->inventory;

        matrix->families = arena_array(matrix->arena, inventory->endpoints_len, sizeof(*matrix->families));
        if (!matrix->families)
                return -ENOMEM;

        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i];

                for (size_t j = 0; j < endpoint->addrs_len; j++)
                        matrix->families[i] |= (uint8_t)(1 << endpoint->addrs[j].family);
        }

        return 0;
}

static int matrix_init(struct matrix *matrix)
{
        const struct conns_part all[] = {
                {CONNS_TCP, {PORT_MIN, PORT_MAX}},
                {CONNS_UDP, {PORT_MIN, PORT_MAX}},
                {CONNS_SCTP, {PORT_MIN, PORT_MAX}},
                {CONNS_PROTO_MAX, {0, 0}},
        };
        int r;

        matrix->arena = arena_new();
        if (!matrix->arena)
                return -ENOMEM;

        for (enum direction i = 0; i < DIR_MAX; i++) {
                matrix->classes[i] =
                        arena_array(matrix->arena, world_classes(matrix->world, i), sizeof(*matrix->classes[i]));
                if (!matrix->classes[i])
                        return -ENOMEM;
        }

        r = matrix_conns(matrix, NULL, 0, &matrix->empty);
        if (r < 0)
                return r;

        r = matrix_conns(matrix, all, ARRAY_SIZE(all), &matrix->full);
        if (r < 0)
                return r;

        matrix->limit = matrix->full;
        for (enum addr_family i = 0; i < ADDR_FAMILY_MAX; i++) {
                struct matrix_range range = {{addr_lowest(i), addr_highest(i)}, matrix->full};

                matrix->unlimited[i].ranges = arena_memdup(matrix->arena, &range, sizeof(range));
                if (!matrix->unlimited[i].ranges)
                        return -ENOMEM;
                matrix->unlimited[i].len = 1;
        }

        return matrix_init_endpoints(matrix);
}

int matrix_new(struct matrix **ret, struct world *world)
{
        _cleanup_(matrix_freep) struct matrix *matrix = NULL;
        int r;

        matrix = calloc(1, sizeof(*matrix));
        if (!matrix)
                return -ENOMEM;

        matrix->world = world;
        matrix->inventory = world_inventory(world);
        r = matrix_init(matrix);
        if (r < 0)
                return r;

        *ret = steal(matrix);
        return 0;
}

struct matrix *matrix_free(struct matrix *matrix)
{
        if (!matrix)
                return NULL;

        str_index_fini(&matrix->conns_index);
        str_index_fini(&matrix->op_index);
        free(matrix->conns);
        free(matrix->by_profile);
        free(matrix->builder.words);
        free(matrix->pairs);
        arena_free(matrix->arena);
        free(matrix);
        return NULL;
}

void matrix_limit(struct matrix *matrix, const struct conns *limit)
{
        matrix->limit = limit;
        for (enum addr_family i = 0; i < ADDR_FAMILY_MAX; i++)
                matrix->unlimited[i].ranges[0].conns = limit;
}

static const struct addr *endpoint_addr(const struct endpoint *endpoint, size_t i)
{
        return endpoint->addrs_len > 0 ? &endpoint->addrs[i] : NULL;
}

/* What subject's class says to the peer under one of its addresses. */
static int matrix_side(struct matrix *matrix, enum direction direction, size_t subject, size_t peer, size_t addr,
                       const struct conns **ret)
{
        uint32_t class = world_class(matrix->world, direction, subject);
        const struct profile *profile;
        int r;

        if (class == UINT32_MAX) {
                *ret = matrix->limit;
                return 0;
        }

        r = world_profile(matrix->world, direction, class, peer,
                          endpoint_addr(&matrix->inventory->endpoints[peer], addr), &profile);
        if (r < 0)
                return r;

        return matrix_profile(matrix, profile, ret);
}

static int matrix_at(struct matrix *matrix, size_t src, size_t src_addr, size_t dst, size_t dst_addr,
                     const struct conns **ret)
{
        const struct conns *out, *in;
        int r;

        r = matrix_side(matrix, DIR_EGRESS, src, dst, dst_addr, &out);
        if (r < 0)
                return r;

        r = matrix_side(matrix, DIR_INGRESS, dst, src, src_addr, &in);
        if (r < 0)
                return r;

        return matrix_intersect(matrix, out, in, ret);
}

static int find_reach(struct matrix *matrix, uint32_t identity)
{
        size_t identities = world_identities(matrix->world), len;
        uint64_t *bits;
        int r;

        if (!matrix->reach) {
                matrix->reached = arena_array(matrix->arena, identities, sizeof(*matrix->reached));
                matrix->reach = arena_array(matrix->arena, identities, sizeof(*matrix->reach));
                if (!matrix->reached || !matrix->reach)
                        return -ENOMEM;
        }

        bits = arena_array(matrix->arena, identities / 64 + 1, sizeof(*bits));
        if (!bits)
                return -ENOMEM;

        r = world_reach(matrix->world, identity, matrix->reached, &len);
        if (r < 0)
                return r;

        for (size_t i = 0; i < len; i++)
                bits[matrix->reached[i] / 64] |= UINT64_C(1) << matrix->reached[i] % 64;
        matrix->reach[identity] = bits;
        return 0;
}

/* False where nothing passes, whatever the addresses. */
static int matrix_reaches(struct matrix *matrix, size_t src, size_t dst, bool *ret)
{
        uint32_t from = world_identity(matrix->world, src), to = world_identity(matrix->world, dst);
        int r;

        *ret = true;
        if (from == UINT32_MAX || to == UINT32_MAX)
                return 0;

        if (!matrix->reach || !matrix->reach[from]) {
                r = find_reach(matrix, from);
                if (r < 0)
                        return r;
        }

        *ret = matrix->reach[from][to / 64] >> to % 64 & 1;
        return 0;
}

int matrix_between(struct matrix *matrix, size_t src, size_t dst, struct matrix_flow *ret)
{
        const struct endpoint *a = &matrix->inventory->endpoints[src], *b = &matrix->inventory->endpoints[dst];
        bool mixed = !(matrix->families[src] & matrix->families[dst]);
        const struct conns *conns, *all = matrix->empty;
        bool differ = false, reaches;
        size_t len = 0;
        int r;

        if (src == dst) {
                *ret = (struct matrix_flow){matrix->limit, NULL, 0};
                return 0;
        }

        r = matrix_reaches(matrix, src, dst, &reaches);
        if (r < 0)
                return r;
        if (!reaches) {
                *ret = (struct matrix_flow){matrix->empty, NULL, 0};
                return 0;
        }

        for (size_t i = 0; i < (a->addrs_len > 0 ? a->addrs_len : 1); i++) {
                for (size_t j = 0; j < (b->addrs_len > 0 ? b->addrs_len : 1); j++) {
                        const struct addr *src_addr = endpoint_addr(a, i), *dst_addr = endpoint_addr(b, j);

                        if (!mixed && src_addr->family != dst_addr->family)
                                continue;

                        r = matrix_at(matrix, src, i, dst, j, &conns);
                        if (r < 0)
                                return r;

                        r = array_reserve(&matrix->pairs, &matrix->pairs_cap, len + 1, sizeof(*matrix->pairs));
                        if (r < 0)
                                return r;

                        matrix->pairs[len++] = (struct matrix_pair){src_addr, dst_addr, conns};
                        differ |= conns != matrix->pairs[0].conns;

                        r = matrix_unite(matrix, all, conns, &all);
                        if (r < 0)
                                return r;
                }
        }

        *ret = (struct matrix_flow){all, differ ? matrix->pairs : NULL, differ ? len : 0};
        return 0;
}

/* Ranges with their sets; neighbours whose profiles differ only in what decided become one. */
static int matrix_merge_outside(struct matrix *matrix, const struct world_range *ranges, size_t len,
                                struct outside *ret)
{
        struct matrix_range *merged;
        size_t merged_len = 0;
        int r;

        merged = arena_array(matrix->arena, len, sizeof(*merged));
        if (!merged)
                return -ENOMEM;

        for (size_t i = 0; i < len; i++) {
                const struct conns *conns;

                r = matrix_profile(matrix, ranges[i].profile, &conns);
                if (r < 0)
                        return r;

                if (merged_len > 0 && merged[merged_len - 1].conns == conns)
                        merged[merged_len - 1].range.last = ranges[i].range.last;
                else
                        merged[merged_len++] = (struct matrix_range){ranges[i].range, conns};
        }

        *ret = (struct outside){merged, merged_len};
        return 0;
}

int matrix_outside(struct matrix *matrix, enum direction direction, size_t endpoint, enum addr_family family,
                   const struct matrix_range **ret, size_t *ret_len)
{
        uint32_t class = world_class(matrix->world, direction, endpoint);
        struct outside *outside = &matrix->unlimited[family];
        const struct world_range *ranges;
        size_t len;
        int r;

        if (class != UINT32_MAX) {
                outside = &matrix->classes[direction][class].outside[family];
                if (!outside->ranges) {
                        r = world_outside(matrix->world, direction, class, family, &ranges, &len);
                        if (r < 0)
                                return r;

                        r = matrix_merge_outside(matrix, ranges, len, outside);
                        if (r < 0)
                                return r;
                }
        }

        *ret = outside->ranges;
        *ret_len = outside->len;
        return 0;
}
