/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a class computes on first use: which peers its selectors match, and how its blocks cut the address space. Part of
 * the world; world_profile.c makes profiles of the rule lists found here. */
#include <errno.h>
#include <string.h>

#include "world_internal.h"

struct pair {
        uint32_t identity;
        uint32_t rule;
};

static int pair_cmp(const void *a, const void *b)
{
        const struct pair *x = a, *y = b;

        if (x->identity != y->identity)
                return x->identity < y->identity ? -1 : 1;
        return (x->rule > y->rule) - (x->rule < y->rule);
}

static int resolve_any(struct world *world, enum direction d, struct class *class)
{
        _cleanup_free_ uint32_t *any = malloc((class->rules_len + 1) * sizeof(*any));
        size_t len = 0;

        if (!any)
                return -ENOMEM;
        for (size_t i = 0; i < class->rules_len; i++) {
                const struct world_rule *rule = &world->rules[d][class->rules[i]];

                class->has_names |= rule->has_names;
                if (rule->rule->any_peer)
                        any[len++] = class->rules[i];
        }
        return world_intern_list(world, any, len, &class->any_list);
}

/* Many classes have the same peers and lists ("the whole namespace, and every front end"): these are held once. words are
 * the peers, then their lists. */
static int share_peers(struct world *world, struct class *class, const uint32_t *words, size_t peers)
{
        const uint32_t *kept = str_index_key(&world->peers_index, words, 2 * peers * sizeof(*words));

        if (!kept) {
                int r;

                kept = arena_memdup(world->arena, words, 2 * peers * sizeof(*words));
                if (!kept)
                        return -ENOMEM;
                r = str_index_put(&world->peers_index, kept, 2 * peers * sizeof(*words), 0);
                if (r < 0)
                        return r;
        }
        class->peers = kept;
        class->peer_lists = kept + peers;
        class->peers_len = peers;
        return 0;
}

static int resolve_peer_lists(struct world *world, struct class *class, const struct pair *pairs, size_t len)
{
        _cleanup_free_ uint32_t *rules = malloc((class->rules_len + 1) * sizeof(*rules));
        _cleanup_free_ uint32_t *words = NULL;
        size_t peers = 0, at = 0;

        if (!rules)
                return -ENOMEM;
        for (size_t i = 0; i < len; i++)
                peers += i == 0 || pairs[i].identity != pairs[i - 1].identity;
        words = malloc((2 * peers + 1) * sizeof(*words));
        if (!words)
                return -ENOMEM;

        for (size_t i = 0; i < len;) {
                size_t n = 0, j = i;
                int r;

                for (; j < len && pairs[j].identity == pairs[i].identity; j++)
                        if (n == 0 || rules[n - 1] != pairs[j].rule)
                                rules[n++] = pairs[j].rule;
                r = world_intern_list(world, rules, n, &words[peers + at]);
                if (r < 0)
                        return r;
                words[at++] = pairs[i].identity;
                i = j;
        }
        return share_peers(world, class, words, peers);
}

static int resolve_peers(struct world *world, enum direction d, struct class *class)
{
        _cleanup_free_ struct pair *pairs = NULL;
        size_t len = 0, n = 0;

        for (size_t i = 0; i < class->rules_len; i++) {
                const struct world_rule *rule = &world->rules[d][class->rules[i]];

                for (size_t j = 0; j < rule->groups_len; j++)
                        len += world->groups[rule->groups[j]].len;
        }
        pairs = malloc((len + 1) * sizeof(*pairs));
        if (!pairs)
                return -ENOMEM;
        for (size_t i = 0; i < class->rules_len; i++) {
                const struct world_rule *rule = &world->rules[d][class->rules[i]];

                for (size_t j = 0; j < rule->groups_len; j++) {
                        const struct group *group = &world->groups[rule->groups[j]];

                        for (size_t k = 0; k < group->len; k++)
                                pairs[n++] = (struct pair){group->identities[k], class->rules[i]};
                }
        }
        qsort(pairs, len, sizeof(*pairs), pair_cmp);
        return resolve_peer_lists(world, class, pairs, len);
}

/* A rule's block begins to cover, or ceases to cover, the addresses from addr on. */
struct edge {
        struct addr addr;
        uint32_t rule;
        bool begins;
};

struct edges {
        struct edge *items; /* heap */
        size_t len, cap;
};

static int edge_cmp(const void *a, const void *b)
{
        return addr_cmp(&((const struct edge *)a)->addr, &((const struct edge *)b)->addr);
}

static int edges_add(struct edges *edges, const struct addr_range *range, uint32_t rule)
{
        struct addr after = range->last;
        int r = array_reserve(&edges->items, &edges->cap, edges->len + 2, sizeof(*edges->items));

        if (r < 0)
                return r;
        edges->items[edges->len++] = (struct edge){range->first, rule, true};
        if (addr_next(&after))
                edges->items[edges->len++] = (struct edge){after, rule, false};
        return 0;
}

static int prefix_cmp(const void *a, const void *b)
{
        struct addr_range x = prefix_range(a), y = prefix_range(b);

        return addr_cmp(&x.first, &y.first);
}

/* The block without its exceptions, piece by piece. */
static int edges_add_block(struct edges *edges, const struct peer *peer, uint32_t rule)
{
        _cleanup_free_ struct prefix *excepts = malloc((peer->excepts_len + 1) * sizeof(*excepts));
        struct addr_range rest = prefix_range(&peer->cidr);
        int r;

        if (!excepts)
                return -ENOMEM;
        if (peer->excepts_len > 0) {
                memcpy(excepts, peer->excepts, peer->excepts_len * sizeof(*excepts));
                qsort(excepts, peer->excepts_len, sizeof(*excepts), prefix_cmp);
        }
        for (size_t i = 0; i < peer->excepts_len; i++) {
                struct addr_range hole = prefix_range(&excepts[i]);

                if (addr_cmp(&hole.first, &rest.first) > 0) {
                        struct addr_range piece = {rest.first, hole.first};

                        addr_prev(&piece.last);
                        r = edges_add(edges, &piece, rule);
                        if (r < 0)
                                return r;
                }
                if (addr_cmp(&hole.last, &rest.first) < 0)
                        continue;
                rest.first = hole.last;
                if (!addr_next(&rest.first) || addr_cmp(&rest.first, &rest.last) > 0)
                        return 0;
        }
        return edges_add(edges, &rest, rule);
}

/* The rules whose blocks cover the point of a sweep; several blocks of one rule may. */
struct active {
        uint32_t *rules; /* ascending */
        uint32_t *counts;
        size_t len;
};

static void active_change(struct active *active, uint32_t rule, bool begins)
{
        size_t i = 0;

        while (i < active->len && active->rules[i] < rule)
                i++;
        if (i < active->len && active->rules[i] == rule) {
                active->counts[i] += begins ? 1 : UINT32_MAX;
                if (active->counts[i] > 0)
                        return;
                active->len--;
                memmove(active->rules + i, active->rules + i + 1, (active->len - i) * sizeof(*active->rules));
                memmove(active->counts + i, active->counts + i + 1, (active->len - i) * sizeof(*active->counts));
                return;
        }
        memmove(active->rules + i + 1, active->rules + i, (active->len - i) * sizeof(*active->rules));
        memmove(active->counts + i + 1, active->counts + i, (active->len - i) * sizeof(*active->counts));
        active->rules[i] = rule;
        active->counts[i] = 1;
        active->len++;
}

static int sweep(struct world *world, struct class *class, enum addr_family family, struct edges *edges,
                 struct active *active)
{
        struct block_range *ranges = arena_array(world->arena, edges->len, sizeof(*ranges));
        size_t len = 0;

        if (!ranges)
                return -ENOMEM;
        if (edges->len > 0)
                qsort(edges->items, edges->len, sizeof(*edges->items), edge_cmp);
        for (size_t i = 0; i < edges->len;) {
                struct addr_range range = {edges->items[i].addr, addr_highest(family)};
                uint32_t list;
                size_t j = i;
                int r;

                for (; j < edges->len && addr_equal(&edges->items[j].addr, &range.first); j++)
                        if (edges->items[j].begins)
                                active_change(active, edges->items[j].rule, true);
                for (size_t k = i; k < j; k++)
                        if (!edges->items[k].begins)
                                active_change(active, edges->items[k].rule, false);
                i = j;
                if (active->len == 0)
                        continue;
                if (j < edges->len) {
                        range.last = edges->items[j].addr;
                        addr_prev(&range.last);
                }
                r = world_intern_list(world, active->rules, active->len, &list);
                if (r < 0)
                        return r;
                ranges[len++] = (struct block_range){range, list};
        }
        class->blocks[family] = ranges;
        class->blocks_len[family] = len;
        return 0;
}

static int resolve_blocks(struct world *world, enum direction d, struct class *class, enum addr_family family)
{
        struct edges edges = {0};
        struct active active = {0};
        int r = 0;

        for (size_t i = 0; r == 0 && i < class->rules_len; i++) {
                const struct world_rule *rule = &world->rules[d][class->rules[i]];

                for (size_t j = 0; rule->has_blocks && r == 0 && j < rule->rule->peers_len; j++) {
                        const struct peer *peer = &rule->rule->peers[j];

                        if (peer->kind == PEER_BLOCK && peer->cidr.addr.family == family)
                                r = edges_add_block(&edges, peer, class->rules[i]);
                }
        }
        active.rules = malloc((class->rules_len + 1) * sizeof(*active.rules));
        active.counts = malloc((class->rules_len + 1) * sizeof(*active.counts));
        if (!active.rules || !active.counts)
                r = -ENOMEM;
        if (r == 0)
                r = sweep(world, class, family, &edges, &active);
        free(edges.items);
        free(active.rules);
        free(active.counts);
        return r;
}

int world_resolve_class(struct world *world, enum direction direction, uint32_t class)
{
        struct class *c = &world->classes[direction][class];
        int r;

        if (c->resolved)
                return 0;
        r = resolve_any(world, direction, c);
        if (r == 0)
                r = resolve_peers(world, direction, c);
        for (enum addr_family f = 0; r == 0 && f < ADDR_FAMILY_MAX; f++)
                r = resolve_blocks(world, direction, c, f);
        c->resolved = r == 0;
        return r;
}

uint32_t class_blocks_at(const struct class *class, const struct addr *addr)
{
        const struct block_range *ranges = class->blocks[addr->family];
        size_t lo = 0, hi = class->blocks_len[addr->family];

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (addr_cmp(&ranges[mid].range.last, addr) < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        if (lo < class->blocks_len[addr->family] && addr_range_contains(&ranges[lo].range, addr))
                return ranges[lo].list;
        return NONE;
}

uint32_t class_peer_list(const struct class *class, uint32_t identity)
{
        size_t lo = 0, hi = class->peers_len;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (class->peers[mid] < identity)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo < class->peers_len && class->peers[lo] == identity ? class->peer_lists[lo] : NONE;
}
