/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of connections. Equal sets are one object, so that a set is compared by its address and a pair of sets is combined
 * once. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "matrix_internal.h"

/* A set as words: how many ranges each protocol has, whether the rest is in it, then the ranges. Interning key. */
#define WORDS_HEAD (CONNS_PROTO_MAX + 1)

enum conns_op {
        OP_INTERSECT,
        OP_UNITE,
};

struct op_key {
        uint32_t op, a, b;
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

int conns_builder_start(struct conns_builder *builder)
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
int conns_builder_add(struct conns_builder *builder, enum conns_proto proto, struct port_range ports)
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

int conns_builder_finish(struct matrix *matrix, bool other, const struct conns **ret)
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

        r = conns_builder_start(&matrix->builder);
        for (size_t i = 0; r >= 0 && i < len; i++) {
                if (sorted[i].proto == CONNS_PROTO_MAX)
                        other = true;
                else
                        r = conns_builder_add(&matrix->builder, sorted[i].proto, sorted[i].ports);
        }
        if (r < 0)
                return r;

        return conns_builder_finish(matrix, other, ret);
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

                        r = conns_builder_add(builder, proto, both);
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

                        r = conns_builder_add(builder, proto, take ? x[i++] : y[j++]);
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

        r = conns_builder_start(&matrix->builder);
        if (r < 0)
                return r;

        r = op == OP_INTERSECT ? build_intersection(&matrix->builder, a, b) : build_union(&matrix->builder, a, b);
        if (r < 0)
                return r;

        r = conns_builder_finish(matrix, op == OP_INTERSECT ? a->other && b->other : a->other || b->other, &conns);
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
