/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps: which endpoints nothing tells apart.
 *
 * Theory of operation. Endpoints of one kind differ in nothing that policies see: selectors and port names see the same
 * in them, and no block lies between their addresses. So only kinds are compared, each by one member. Two kinds K and L
 * are alike where their flows with every third are the same, and those between them, and inside each of them, are all one
 * and the same flow c. So the flows of K with all but itself, and with c in the place of its own, are those of L: their
 * hashes are equal, and a look-up for each c that K could have finds the group of L. A comparison of all flows then makes
 * sure. Only flows that may let something pass are asked for, so that this grows with them and not with all pairs. */
#include <errno.h>
#include <string.h>

#include "cuts.h"
#include "map_internal.h"

#define NOBODY SIZE_MAX

struct kind {
        size_t first, second; /* members; second is NOBODY where there is but one */
        size_t next;          /* the next of its identity, or NOBODY */
        const struct map_links *links[DIR_MAX];
        uint64_t hash;       /* of all its flows but its own */
        const uint32_t *own; /* what its own is, or, of a single endpoint, could be taken for */
        size_t own_len;
        size_t group;
};

struct grouping {
        struct map_state *state;
        struct arena *arena; /* of the grouping alone */
        struct kind *kinds;  /* owned */
        size_t len, cap;
        size_t *of_identity;         /* owned; per identity: its first kind, or NOBODY; one more for those without */
        uint32_t *reach;             /* owned; scratch */
        struct str_index flow_index; /* flows that differ by address */
        uint32_t flows_len;
        struct str_index group_index;
        struct strbuf key; /* scratch */
        uint32_t *own;     /* owned; what a kind's own flow could be */
        size_t own_cap;
        uint32_t nothing; /* the flow in which nothing passes */
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
        free(grouping->of_identity);
        free(grouping->reach);
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

/* Of a flow to or from a kind. That nothing passes is most of what there is, and adds nothing. */
static uint64_t flow_hash(const struct grouping *grouping, size_t kind, enum direction direction, uint32_t flow)
{
        uint64_t h = (uint64_t)(2 * kind + direction + 1) * 0x9e3779b97f4a7c15u ^ (uint64_t)flow << 20;

        if (flow == grouping->nothing)
                return 0;

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

/* Takes what one kind can open to another into the hashes of both. */
static int add_flow(struct grouping *grouping, size_t src, size_t dst, size_t *own_len)
{
        uint32_t flow;
        int r;

        if (src == dst)
                return 0;

        r = number_flow(grouping, src, dst, &flow);
        if (r < 0)
                return r;

        grouping->kinds[src].hash += flow_hash(grouping, dst, DIR_EGRESS, flow);
        grouping->kinds[dst].hash += flow_hash(grouping, src, DIR_INGRESS, flow);
        return grouping->kinds[src].second == NOBODY ? add_own(grouping, flow, own_len) : 0;
}

/* The same for all kinds of an identity. */
static int add_flows(struct grouping *grouping, size_t src, size_t first_dst, size_t *own_len)
{
        int r = 0;

        for (size_t dst = first_dst; r == 0 && dst != NOBODY; dst = grouping->kinds[dst].next)
                r = add_flow(grouping, src, dst, own_len);

        return r;
}

/* What the kind can open to all to whom something may pass. */
static int hash_flows(struct grouping *grouping, size_t src)
{
        struct kind *kind = &grouping->kinds[src];
        uint32_t identity = world_identity(grouping->state->world, kind->first), own;
        size_t identities = world_identities(grouping->state->world), len, own_len = 0;
        int r = 0;

        /* The host may be open to all, and all to it. */
        if (identity == UINT32_MAX) {
                for (size_t i = 0; r == 0 && i < grouping->len; i++)
                        r = add_flow(grouping, src, i, &own_len);
        } else {
                r = world_reach(grouping->state->world, identity, grouping->reach, &len);
                for (size_t i = 0; r == 0 && i < len; i++)
                        r = add_flows(grouping, src, grouping->of_identity[grouping->reach[i]], &own_len);
                if (r == 0)
                        r = add_flows(grouping, src, grouping->of_identity[identities], &own_len);
        }
        if (r == 0 && kind->second == NOBODY)
                r = add_own(grouping, grouping->nothing, &own_len);
        if (r == 0 && kind->second != NOBODY) {
                r = number_flow(grouping, src, src, &own);
                if (r == 0)
                        r = add_own(grouping, own, &own_len);
        }
        if (r < 0)
                return r;

        kind->own = arena_memdup(grouping->arena, grouping->own, own_len * sizeof(*grouping->own));
        kind->own_len = own_len;
        return kind->own ? 0 : -ENOMEM;
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
        int r;

        keys = calloc(self->own_len + 1, sizeof(*keys));
        if (!keys)
                return -ENOMEM;

        for (size_t i = 0; i < self->own_len; i++) {
                uint32_t found;

                keys[i].own = self->own[i];
                keys[i].hash = self->hash + flow_hash(grouping, kind, DIR_EGRESS, self->own[i]) +
                               flow_hash(grouping, kind, DIR_INGRESS, self->own[i]);
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

        return start_group(grouping, kind, keys, self->own_len);
}

/* The kinds of each identity. */
static int list_kinds(struct grouping *grouping)
{
        size_t identities = world_identities(grouping->state->world);

        grouping->of_identity = calloc(identities + 1, sizeof(*grouping->of_identity));
        grouping->reach = calloc(identities + 1, sizeof(*grouping->reach));
        if (!grouping->of_identity || !grouping->reach)
                return -ENOMEM;

        for (size_t i = 0; i <= identities; i++)
                grouping->of_identity[i] = NOBODY;
        for (size_t i = 0; i < grouping->len; i++) {
                uint32_t identity = world_identity(grouping->state->world, grouping->kinds[i].first);
                size_t *first = &grouping->of_identity[identity == UINT32_MAX ? identities : identity];

                grouping->kinds[i].next = *first;
                *first = i;
        }

        return 0;
}

static int place_kinds(struct grouping *grouping)
{
        const struct conns *nothing;
        int r;

        r = matrix_conns(grouping->state->matrix, NULL, 0, &nothing);
        if (r == 0)
                r = list_kinds(grouping);
        if (r < 0)
                return r;

        grouping->nothing = nothing->id;
        for (size_t i = 0; r == 0 && i < grouping->len; i++)
                r = hash_flows(grouping, i);
        for (size_t i = 0; r == 0 && i < grouping->len; i++) {
                for (enum direction d = 0; r == 0 && d < DIR_MAX; d++)
                        r = map_outside_links(grouping->state, d, grouping->kinds[i].first,
                                              &grouping->kinds[i].links[d]);
                if (r == 0)
                        r = place_kind(grouping, i);
        }

        return r;
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
