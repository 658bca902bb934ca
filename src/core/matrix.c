/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The matrix: profiles of egress and ingress, taken from the world, intersected and remembered.
 *
 * Theory of operation. A profile's allowed part is a set of connections; equal sets are one object, so that a set is
 * compared by its address and a pair of sets is intersected once. Nothing is kept per pair of a class and a peer: the
 * world finds the profile in two short searches, and what is kept grows with the profiles that there are. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/matrix.h>

#include "index.h"

#define PORT_MIN 1
#define PORT_MAX UINT16_MAX

/* A set as words: how many ranges each protocol has, whether the rest is in it, then the ranges. Interning key. */
#define WORDS_HEAD (CONNS_PROTO_MAX + 1)

struct conns_builder {
        uint32_t *words; /* owned */
        size_t len;
        size_t cap;
};

struct outside {
        struct matrix_range *ranges; /* arena */
        size_t len;
};

struct class_cache {
        struct outside outside[ADDR_FAMILY_MAX];
};

enum conns_op {
        OP_INTERSECT,
        OP_UNITE,
};

struct op_key {
        uint32_t op, a, b;
};

struct matrix {
        struct world *world;
        const struct inventory *inventory;
        struct arena *arena;

        struct conns **conns; /* by id; the objects are the arena's */
        size_t conns_len, conns_cap;
        struct str_index conns_index;
        struct str_index op_index;
        const struct conns *full, *empty, *limit;

        const struct conns **by_profile; /* by profile id; NULL: not asked yet */
        size_t by_profile_cap;

        struct class_cache *classes[DIR_MAX];
        struct outside unlimited[ADDR_FAMILY_MAX]; /* of an endpoint that is the host */
        uint8_t *families;                         /* per endpoint: a bit for each family it has an address of */

        struct conns_builder builder;
        struct matrix_pair *pairs; /* of the last flow */
        size_t pairs_cap;
};

static const struct {
        const char *name;
        uint8_t protocol;
} conns_protos[] = {
        [CONNS_TCP] = {"TCP", IPPROTO_TCP},
        [CONNS_UDP] = {"UDP", IPPROTO_UDP},
        [CONNS_SCTP] = {"SCTP", IPPROTO_SCTP},
};
static_assert(ARRAY_SIZE(conns_protos) == CONNS_PROTO_MAX, "a protocol without a name");

const char *conns_proto_name(enum conns_proto proto)
{
        return conns_protos[proto].name;
}

uint8_t conns_proto_number(enum conns_proto proto)
{
        return conns_protos[proto].protocol;
}

enum conns_proto conns_proto_of(uint8_t protocol)
{
        for (enum conns_proto i = 0; i < CONNS_PROTO_MAX; i++)
                if (conns_protos[i].protocol == protocol)
                        return i;

        return CONNS_PROTO_MAX;
}

bool conns_is_empty(const struct conns *conns)
{
        for (size_t i = 0; i < CONNS_PROTO_MAX; i++)
                if (conns->ports_len[i] > 0)
                        return false;

        return !conns->other;
}

bool conns_is_full(const struct conns *conns)
{
        for (size_t i = 0; i < CONNS_PROTO_MAX; i++)
                if (conns->ports_len[i] != 1 || conns->ports[i][0].first != PORT_MIN ||
                    conns->ports[i][0].last != PORT_MAX)
                        return false;

        return conns->other;
}

bool conns_allow(const struct conns *conns, uint8_t protocol, uint16_t port)
{
        enum conns_proto proto = conns_proto_of(protocol);

        if (proto == CONNS_PROTO_MAX)
                return conns->other;

        for (size_t i = 0; i < conns->ports_len[proto]; i++)
                if (port >= conns->ports[proto][i].first && port <= conns->ports[proto][i].last)
                        return true;

        return false;
}

static int builder_start(struct conns_builder *builder)
{
        int r;

        r = array_reserve(&builder->words, &builder->cap, WORDS_HEAD, sizeof(*builder->words));
        if (r < 0)
                return r;

        memset(builder->words, 0, WORDS_HEAD * sizeof(*builder->words));
        builder->len = WORDS_HEAD;
        return 0;
}

/* In ascending order of protocol, then of first port. */
static int builder_add(struct conns_builder *builder, enum conns_proto proto, struct port_range ports)
{
        uint32_t *last;
        int r;

        if (ports.first < PORT_MIN)
                ports.first = PORT_MIN;
        if (ports.last < ports.first)
                return 0;

        if (builder->words[proto] > 0) {
                last = &builder->words[builder->len - 1];
                if (ports.first <= (*last & 0xffff) + 1) {
                        if (ports.last > (*last & 0xffff))
                                *last = (*last & 0xffff0000) | ports.last;
                        return 0;
                }
        }

        r = array_reserve(&builder->words, &builder->cap, builder->len + 1, sizeof(*builder->words));
        if (r < 0)
                return r;

        builder->words[builder->len++] = (uint32_t)ports.first << 16 | ports.last;
        builder->words[proto]++;
        return 0;
}

/* A new object for what the builder holds. */
static int conns_new(struct matrix *matrix, const uint32_t *words, struct conns **ret)
{
        const uint32_t *word = words + WORDS_HEAD;
        struct conns *conns;

        conns = arena_alloc(matrix->arena, sizeof(*conns));
        if (!conns)
                return -ENOMEM;

        conns->id = (uint32_t)matrix->conns_len;
        conns->other = words[CONNS_PROTO_MAX];
        for (size_t i = 0; i < CONNS_PROTO_MAX; i++) {
                conns->ports_len[i] = words[i];
                conns->ports[i] = arena_array(matrix->arena, words[i], sizeof(*conns->ports[i]));
                if (!conns->ports[i])
                        return -ENOMEM;

                for (size_t j = 0; j < words[i]; j++, word++)
                        conns->ports[i][j] = (struct port_range){(uint16_t)(*word >> 16), (uint16_t)*word};
        }

        *ret = conns;
        return 0;
}

static int builder_finish(struct matrix *matrix, bool other, const struct conns **ret)
{
        struct conns_builder *builder = &matrix->builder;
        size_t size = builder->len * sizeof(*builder->words);
        struct conns *conns;
        uint32_t id, *words;
        int r;

        builder->words[CONNS_PROTO_MAX] = other;
        if (str_index_get(&matrix->conns_index, builder->words, size, &id)) {
                *ret = matrix->conns[id];
                return 0;
        }

        r = array_reserve(&matrix->conns, &matrix->conns_cap, matrix->conns_len + 1, sizeof(*matrix->conns));
        if (r < 0)
                return r;

        words = arena_memdup(matrix->arena, builder->words, size);
        if (!words)
                return -ENOMEM;

        r = conns_new(matrix, words, &conns);
        if (r < 0)
                return r;

        r = str_index_put(&matrix->conns_index, words, size, conns->id);
        if (r < 0)
                return r;

        matrix->conns[matrix->conns_len++] = conns;
        *ret = conns;
        return 0;
}

static int part_cmp(const void *a, const void *b)
{
        const struct conns_part *x = a, *y = b;

        if (x->proto != y->proto)
                return x->proto < y->proto ? -1 : 1;

        return (x->ports.first > y->ports.first) - (x->ports.first < y->ports.first);
}

int matrix_conns(struct matrix *matrix, const struct conns_part *parts, size_t len, const struct conns **ret)
{
        _cleanup_free_ struct conns_part *sorted = NULL;
        bool other = false;
        int r;

        sorted = calloc(len + 1, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;

        if (len > 0)
                memcpy(sorted, parts, len * sizeof(*parts));
        qsort(sorted, len, sizeof(*sorted), part_cmp);

        r = builder_start(&matrix->builder);
        for (size_t i = 0; r >= 0 && i < len; i++) {
                if (sorted[i].proto == CONNS_PROTO_MAX)
                        other = true;
                else
                        r = builder_add(&matrix->builder, sorted[i].proto, sorted[i].ports);
        }
        if (r < 0)
                return r;

        return builder_finish(matrix, other, ret);
}

static int build_intersection(struct conns_builder *builder, const struct conns *a, const struct conns *b)
{
        for (enum conns_proto proto = 0; proto < CONNS_PROTO_MAX; proto++) {
                const struct port_range *x = a->ports[proto], *y = b->ports[proto];
                size_t i = 0, j = 0;
                int r;

                while (i < a->ports_len[proto] && j < b->ports_len[proto]) {
                        struct port_range both = {
                                x[i].first > y[j].first ? x[i].first : y[j].first,
                                x[i].last < y[j].last ? x[i].last : y[j].last,
                        };

                        r = builder_add(builder, proto, both);
                        if (r < 0)
                                return r;

                        if (x[i].last < y[j].last)
                                i++;
                        else
                                j++;
                }
        }

        return 0;
}

static int build_union(struct conns_builder *builder, const struct conns *a, const struct conns *b)
{
        for (enum conns_proto proto = 0; proto < CONNS_PROTO_MAX; proto++) {
                const struct port_range *x = a->ports[proto], *y = b->ports[proto];
                size_t i = 0, j = 0;
                int r;

                while (i < a->ports_len[proto] || j < b->ports_len[proto]) {
                        bool take = j == b->ports_len[proto] || (i < a->ports_len[proto] && x[i].first <= y[j].first);

                        r = builder_add(builder, proto, take ? x[i++] : y[j++]);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

static int matrix_combine(struct matrix *matrix, enum conns_op op, const struct conns *a, const struct conns *b,
                          const struct conns **ret)
{
        struct op_key key = {op, a->id < b->id ? a->id : b->id, a->id < b->id ? b->id : a->id}, *kept;
        const struct conns *conns;
        uint32_t id;
        int r;

        if (str_index_get(&matrix->op_index, &key, sizeof(key), &id)) {
                *ret = matrix->conns[id];
                return 0;
        }

        r = builder_start(&matrix->builder);
        if (r < 0)
                return r;

        r = op == OP_INTERSECT ? build_intersection(&matrix->builder, a, b) : build_union(&matrix->builder, a, b);
        if (r < 0)
                return r;

        r = builder_finish(matrix, op == OP_INTERSECT ? a->other && b->other : a->other || b->other, &conns);
        if (r < 0)
                return r;

        kept = arena_memdup(matrix->arena, &key, sizeof(key));
        if (!kept)
                return -ENOMEM;

        r = str_index_put(&matrix->op_index, kept, sizeof(*kept), conns->id);
        if (r < 0)
                return r;

        *ret = conns;
        return 0;
}

int matrix_intersect(struct matrix *matrix, const struct conns *a, const struct conns *b, const struct conns **ret)
{
        if (a == b || b == matrix->full || a == matrix->empty) {
                *ret = a;
                return 0;
        }
        if (a == matrix->full || b == matrix->empty) {
                *ret = b;
                return 0;
        }

        return matrix_combine(matrix, OP_INTERSECT, a, b, ret);
}

int matrix_unite(struct matrix *matrix, const struct conns *a, const struct conns *b, const struct conns **ret)
{
        if (a == b || b == matrix->empty || a == matrix->full) {
                *ret = a;
                return 0;
        }
        if (a == matrix->empty || b == matrix->full) {
                *ret = b;
                return 0;
        }

        return matrix_combine(matrix, OP_UNITE, a, b, ret);
}

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

        r = builder_start(&matrix->builder);
        for (size_t i = 0; r >= 0 && i < profile->spans_len; i++) {
                const struct profile_span *span = &profile->spans[i];

                if (span->cause.action == ACTION_ALLOW)
                        r = builder_add(&matrix->builder, conns_proto_of(span->protocol), span->ports);
        }
        if (r < 0)
                return r;

        r = builder_finish(matrix, profile->other.action == ACTION_ALLOW, &conns);
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

int matrix_between(struct matrix *matrix, size_t src, size_t dst, struct matrix_flow *ret)
{
        const struct endpoint *a = &matrix->inventory->endpoints[src], *b = &matrix->inventory->endpoints[dst];
        bool mixed = !(matrix->families[src] & matrix->families[dst]);
        const struct conns *conns, *all = matrix->empty;
        bool differ = false;
        size_t len = 0;
        int r;

        if (src == dst) {
                *ret = (struct matrix_flow){matrix->limit, NULL, 0};
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
