/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps: which endpoints nothing tells apart.
 *
 * Theory of operation. Endpoints of one kind differ in nothing that policies see: selectors and port names see the same
 * in them, and no block lies between their addresses. So only kinds are compared, each by one member. Two kinds K and L
 * are alike where their flows with every third are the same, and those between them, and inside each of them, are all one
 * and the same flow c. So the flows of K with all but itself, and with c in the place of its own, are those of L: their
 * hashes are equal, and a look-up for each c that K could have finds the group of L. A comparison of all flows then makes
 * sure. */
#include <errno.h>
#include <string.h>

#include "cuts.h"
#include "map_internal.h"

#define NOBODY SIZE_MAX

struct kind {
        size_t first, second; /* members; second is NOBODY where there is but one */
        const struct map_links *links[DIR_MAX];
        size_t group;
};

struct grouping {
        struct map_state *state;
        struct arena *arena; /* of the grouping alone */
        struct kind *kinds;  /* owned */
        size_t len, cap;
        struct str_index flow_index; /* flows that differ by address */
        uint32_t flows_len;
        struct str_index group_index;
        struct strbuf key; /* scratch */
        uint32_t *own;     /* owned; what a kind's own flow could be */
        size_t own_cap;
};

/* What tells a group: its flows, hashed with one flow in the place of its own, and that flow. */
struct group_key {
        uint64_t hash;
        uint32_t own;
        uint32_t links[DIR_MAX];
        uint32_t zero; /* no padding in a key */
};

static void grouping_fini(struct grouping *grouping)
{
        str_index_fini(&grouping->flow_index);
        str_index_fini(&grouping->group_index);
        strbuf_fini(&grouping->key);
        free(grouping->kinds);
        free(grouping->own);
        arena_free(grouping->arena);
}

/* What tells the endpoint's kind apart from others, as bytes. */
static int make_key(const struct map_state *state, const struct cuts *cuts, size_t endpoint, struct strbuf *key)
{
        const struct endpoint *e = &state->inventory->endpoints[endpoint];
        uint32_t word = world_identity(state->world, endpoint);

        strbuf_clear(key);
        strbuf_add(key, (const char *)&word, sizeof(word));
        for (size_t i = 0; i < e->addrs_len; i++) {
                word = cuts_below(cuts, &e->addrs[i]);
                strbuf_putc(key, (char)e->addrs[i].family);
                strbuf_add(key, (const char *)&word, sizeof(word));
        }

        return strbuf_check(key);
}

static int find_kinds(struct grouping *grouping, size_t *of)
{
        _cleanup_(str_index_fini) struct str_index index = STR_INDEX_INIT;
        _cleanup_(cuts_fini) struct cuts cuts = {0};
        struct map_state *state = grouping->state;
        struct strbuf *key = &grouping->key;
        uint32_t id;
        void *copy;
        int r;

        r = cuts_collect(&cuts, world_policies(state->world));
        if (r < 0)
                return r;
        cuts_sort(&cuts);

        for (size_t i = 0; i < state->inventory->endpoints_len; i++) {
                r = make_key(state, &cuts, i, key);
                if (r < 0)
                        return r;

                if (!str_index_get(&index, key->text, key->len, &id)) {
                        id = (uint32_t)grouping->len;
                        copy = arena_memdup(grouping->arena, key->text, key->len);
                        r = array_reserve(&grouping->kinds, &grouping->cap, grouping->len + 1,
                                          sizeof(*grouping->kinds));
                        if (r == 0)
                                r = copy ? str_index_put(&index, copy, key->len, id) : -ENOMEM;
                        if (r < 0)
                                return r;

                        grouping->kinds[grouping->len++] = (struct kind){.first = i, .second = NOBODY};
                } else if (grouping->kinds[id].second == NOBODY) {
                        grouping->kinds[id].second = i;
                }
                of[i] = id;
        }

        return 0;
}

/* A number for a flow that differs by address: equal where each address in its turn can do the same. */
static int number_pairs(struct grouping *grouping, const struct matrix_flow *flow, uint32_t *ret)
{
        struct strbuf *key = &grouping->key;
        void *copy;
        int r;

        strbuf_clear(key);
        for (size_t i = 0; i < flow->pairs_len; i++) {
                const struct matrix_pair *pair = &flow->pairs[i];
                const uint32_t words[] = {
                        pair->conns->id,
                        pair->src ? pair->src->family : ADDR_FAMILY_MAX,
                        pair->dst ? pair->dst->family : ADDR_FAMILY_MAX,
                };

                strbuf_add(key, (const char *)words, sizeof(words));
        }
        r = strbuf_check(key);
        if (r < 0 || str_index_get(&grouping->flow_index, key->text, key->len, ret))
                return r;

        copy = arena_memdup(grouping->arena, key->text, key->len);
        if (!copy)
                return -ENOMEM;

        *ret = UINT32_MAX - grouping->flows_len++;
        return str_index_put(&grouping->flow_index, copy, key->len, *ret);
}

/* What one kind can open to another, or its members to each other, as a number. */
static int number_flow(struct grouping *grouping, size_t src, size_t dst, uint32_t *ret)
{
        const struct kind *a = &grouping->kinds[src], *b = &grouping->kinds[dst];
        struct matrix_flow flow;
        int r;

        r = matrix_between(grouping->state->matrix, a->first, src == dst ? b->second : b->first, &flow);
        if (r < 0)
                return r;

        if (flow.pairs_len > 0)
                return number_pairs(grouping, &flow, ret);

        *ret = flow.conns->id;
        return 0;
}

static int number_flows(struct grouping *grouping, size_t a, size_t b, uint32_t *out, uint32_t *in)
{
        int r;

        r = number_flow(grouping, a, b, out);
        return r < 0 ? r : number_flow(grouping, b, a, in);
}

/* Of a place in the row of flows, and what is there. */
static uint64_t place_hash(size_t place, uint32_t out, uint32_t in)
{
        uint64_t h = (uint64_t)place * 0x9e3779b97f4a7c15u ^ ((uint64_t)out << 32 | in);

        h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
        h = (h ^ h >> 27) * 0x94d049bb133111ebu;
        return h ^ h >> 31;
}

static int add_own(struct grouping *grouping, uint32_t flow, size_t *len)
{
        int r;

        for (size_t i = 0; i < *len; i++)
                if (grouping->own[i] == flow)
                        return 0;

        r = array_reserve(&grouping->own, &grouping->own_cap, *len + 1, sizeof(*grouping->own));
        if (r < 0)
                return r;

        grouping->own[(*len)++] = flow;
        return 0;
}

/* The hash of all flows of a kind but its own; and what its own is, or, of a single endpoint, could be taken for. */
static int hash_flows(struct grouping *grouping, size_t kind, uint64_t *hash, size_t *own_len)
{
        bool single = grouping->kinds[kind].second == NOBODY;
        uint32_t out, in;
        int r;

        *hash = 0;
        *own_len = 0;
        for (size_t i = 0; i < grouping->len; i++) {
                if (i == kind)
                        continue;

                r = number_flows(grouping, kind, i, &out, &in);
                if (r < 0)
                        return r;

                *hash += place_hash(i, out, in);
                if (single && out == in) {
                        r = add_own(grouping, out, own_len);
                        if (r < 0)
                                return r;
                }
        }
        if (single)
                return 0;

        r = number_flow(grouping, kind, kind, &out);
        return r < 0 ? r : add_own(grouping, out, own_len);
}

/* 1 if the kinds are alike, 0 if not, or -ENOMEM. */
static int alike(struct grouping *grouping, size_t a, size_t b)
{
        const struct kind *x = &grouping->kinds[a], *y = &grouping->kinds[b];
        uint32_t own, back, out[2], in[2];
        int r;

        r = number_flows(grouping, a, b, &own, &back);
        if (r < 0 || own != back)
                return r;

        for (size_t i = 0; i < grouping->len; i++) {
                if (i == a || i == b) {
                        if (grouping->kinds[i].second == NOBODY)
                                continue;

                        r = number_flow(grouping, i, i, &back);
                        if (r < 0 || back != own)
                                return r;
                        continue;
                }

                r = number_flows(grouping, a, i, &out[0], &in[0]);
                if (r == 0)
                        r = number_flows(grouping, b, i, &out[1], &in[1]);
                if (r < 0 || out[0] != out[1] || in[0] != in[1])
                        return r;
        }

        return x->links[DIR_EGRESS] == y->links[DIR_EGRESS] && x->links[DIR_INGRESS] == y->links[DIR_INGRESS];
}

/* Puts the kind under each flow that its own could be. */
static int start_group(struct grouping *grouping, size_t kind, const struct group_key *keys, size_t len)
{
        uint32_t found;
        void *copy;
        int r;

        grouping->kinds[kind].group = kind;
        for (size_t i = 0; i < len; i++) {
                if (str_index_get(&grouping->group_index, &keys[i], sizeof(keys[i]), &found))
                        continue;

                copy = arena_memdup(grouping->arena, &keys[i], sizeof(keys[i]));
                if (!copy)
                        return -ENOMEM;

                r = str_index_put(&grouping->group_index, copy, sizeof(keys[i]), (uint32_t)kind);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Finds the group of a kind: that of an earlier one, or its own. */
static int place_kind(struct grouping *grouping, size_t kind)
{
        const struct kind *self = &grouping->kinds[kind];
        _cleanup_free_ struct group_key *keys = NULL;
        uint64_t hash;
        size_t len;
        int r;

        r = hash_flows(grouping, kind, &hash, &len);
        if (r < 0)
                return r;

        keys = calloc(len + 1, sizeof(*keys));
        if (!keys)
                return -ENOMEM;

        for (size_t i = 0; i < len; i++) {
                uint32_t found;

                keys[i].own = grouping->own[i];
                keys[i].hash = hash + place_hash(kind, grouping->own[i], grouping->own[i]);
                for (enum direction d = 0; d < DIR_MAX; d++)
                        keys[i].links[d] = self->links[d]->id;

                if (!str_index_get(&grouping->group_index, &keys[i], sizeof(keys[i]), &found))
                        continue;

                r = alike(grouping, found, kind);
                if (r < 0)
                        return r;
                if (r > 0) {
                        grouping->kinds[kind].group = found;
                        return 0;
                }
        }

        return start_group(grouping, kind, keys, len);
}

static int place_kinds(struct grouping *grouping)
{
        int r;

        for (size_t i = 0; i < grouping->len; i++) {
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        r = map_outside_links(grouping->state, d, grouping->kinds[i].first,
                                              &grouping->kinds[i].links[d]);
                        if (r < 0)
                                return r;
                }
                r = place_kind(grouping, i);
                if (r < 0)
                        return r;
        }

        return 0;
}

int map_group(struct map_state *state, size_t *of, size_t *ret_len)
{
        _cleanup_(grouping_fini) struct grouping grouping = {.state = state};
        _cleanup_free_ size_t *numbers = NULL;
        size_t len = 0;
        int r;

        grouping.arena = arena_new();
        if (!grouping.arena)
                return -ENOMEM;

        r = find_kinds(&grouping, of);
        if (r == 0)
                r = place_kinds(&grouping);
        if (r < 0)
                return r;

        numbers = calloc(grouping.len + 1, sizeof(*numbers));
        if (!numbers)
                return -ENOMEM;

        /* Kinds come in the order of their first members, and a group is named after its first kind. */
        for (size_t i = 0; i < grouping.len; i++)
                numbers[i] = grouping.kinds[i].group == i ? len++ : numbers[grouping.kinds[i].group];
        for (size_t i = 0; i < state->inventory->endpoints_len; i++)
                of[i] = numbers[of[i]];

        *ret_len = len;
        return 0;
}
