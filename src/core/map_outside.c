/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps: the outside, in the parts that endpoints treat alike. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map_internal.h"

/* What the matrix says of an endpoint and the outside, in one direction. */
struct answer {
        const struct matrix_range *ranges[ADDR_FAMILY_MAX];
        size_t len[ADDR_FAMILY_MAX];
};

void map_outside_fini(struct map_outside *outside)
{
        free(outside->parts);
        free(outside->links);
        str_index_fini(&outside->part_index);
        str_index_fini(&outside->links_index);
        str_index_fini(&outside->answer_index);
        strbuf_fini(&outside->key);
}

bool map_is_everywhere(const struct map_node *node)
{
        if (node->members || node->ranges_len != ADDR_FAMILY_MAX)
                return false;

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                struct addr first = addr_lowest(family), last = addr_highest(family);

                if (!addr_equal(&node->ranges[family].first, &first) || !addr_equal(&node->ranges[family].last, &last))
                        return false;
        }

        return true;
}

/* The number of the part that is these ranges. */
static int intern_part(struct map_state *state, const struct addr_range *ranges, size_t len, uint32_t *ret)
{
        struct map_outside *outside = &state->outside;
        size_t size = len * sizeof(*ranges);
        struct map_part *part;
        int r;

        if (str_index_get(&outside->part_index, ranges, size, ret))
                return 0;

        r = array_reserve(&outside->parts, &outside->parts_cap, outside->parts_len + 1, sizeof(*outside->parts));
        if (r < 0)
                return r;

        part = arena_alloc(state->arena, sizeof(*part));
        if (!part)
                return -ENOMEM;

        part->node.ranges = arena_memdup(state->arena, ranges, size);
        part->node.ranges_len = len;
        if (!part->node.ranges)
                return -ENOMEM;

        r = str_index_put(&outside->part_index, part->node.ranges, size, (uint32_t)outside->parts_len);
        if (r < 0)
                return r;

        part->number = (uint32_t)outside->parts_len;
        outside->parts[outside->parts_len++] = part;
        *ret = part->number;
        return 0;
}

static bool seen_before(const struct answer *answer, enum addr_family family, size_t at)
{
        const struct conns *conns = answer->ranges[family][at].conns;

        for (enum addr_family f = 0; f <= family; f++)
                for (size_t i = 0; i < (f == family ? at : answer->len[f]); i++)
                        if (answer->ranges[f][i].conns == conns)
                                return true;

        return false;
}

/* The part of the outside on which conns holds. */
static int find_part(struct map_state *state, const struct answer *answer, const struct conns *conns, uint32_t *ret)
{
        _cleanup_free_ struct addr_range *ranges = NULL;
        size_t len = 0;

        ranges = calloc(answer->len[ADDR_V4] + answer->len[ADDR_V6], sizeof(*ranges));
        if (!ranges)
                return -ENOMEM;

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++)
                for (size_t i = 0; i < answer->len[family]; i++)
                        if (answer->ranges[family][i].conns == conns)
                                ranges[len++] = answer->ranges[family][i].range;

        return intern_part(state, ranges, len, ret);
}

static int intern_links(struct map_state *state, const struct map_link *items, size_t len, uint32_t *ret)
{
        struct map_outside *outside = &state->outside;
        struct map_links *links;
        void *key;
        int r;

        strbuf_clear(&outside->key);
        for (size_t i = 0; i < len; i++) {
                const uint32_t words[] = {items[i].outside, items[i].conns->id};

                strbuf_add(&outside->key, (const char *)words, sizeof(words));
        }
        r = strbuf_check(&outside->key);
        if (r < 0 || str_index_get(&outside->links_index, outside->key.text, outside->key.len, ret))
                return r;

        r = array_reserve(&outside->links, &outside->links_cap, outside->links_len + 1, sizeof(*outside->links));
        if (r < 0)
                return r;

        links = arena_alloc(state->arena, sizeof(*links));
        if (!links)
                return -ENOMEM;

        key = arena_memdup(state->arena, outside->key.text, outside->key.len);
        links->id = (uint32_t)outside->links_len;
        links->items = arena_memdup(state->arena, items, len * sizeof(*items));
        links->len = len;
        if (!links->items || !key)
                return -ENOMEM;

        r = str_index_put(&outside->links_index, key, outside->key.len, links->id);
        if (r < 0)
                return r;

        *ret = links->id;
        outside->links[outside->links_len++] = links;
        return 0;
}

static int make_links(struct map_state *state, const struct answer *answer, uint32_t *ret)
{
        _cleanup_free_ struct map_link *items = NULL;
        size_t len = 0;
        int r;

        items = calloc(answer->len[ADDR_V4] + answer->len[ADDR_V6], sizeof(*items));
        if (!items)
                return -ENOMEM;

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                for (size_t i = 0; i < answer->len[family]; i++) {
                        const struct conns *conns = answer->ranges[family][i].conns;

                        if (conns_is_empty(conns) || seen_before(answer, family, i))
                                continue;

                        items[len].conns = conns;
                        r = find_part(state, answer, conns, &items[len++].outside);
                        if (r < 0)
                                return r;
                }
        }

        return intern_links(state, items, len, ret);
}

int map_outside_links(struct map_state *state, enum direction direction, size_t endpoint, const struct map_links **ret)
{
        struct map_outside *outside = &state->outside;
        struct answer answer, *kept;
        uint32_t id;
        int r;

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                r = matrix_outside(state->matrix, direction, endpoint, family, &answer.ranges[family],
                                   &answer.len[family]);
                if (r < 0)
                        return r;
        }

        if (!str_index_get(&outside->answer_index, answer.ranges, sizeof(answer.ranges), &id)) {
                r = make_links(state, &answer, &id);
                if (r < 0)
                        return r;

                kept = arena_memdup(state->arena, &answer, sizeof(answer));
                if (!kept)
                        return -ENOMEM;

                r = str_index_put(&outside->answer_index, kept->ranges, sizeof(kept->ranges), id);
                if (r < 0)
                        return r;
        }

        *ret = outside->links[id];
        return 0;
}

static int part_cmp(const void *a, const void *b)
{
        const struct map_node *x = &(*(const struct map_part *const *)a)->node;
        const struct map_node *y = &(*(const struct map_part *const *)b)->node;
        bool x_all = map_is_everywhere(x), y_all = map_is_everywhere(y);

        if (x_all != y_all)
                return x_all ? -1 : 1;

        for (size_t i = 0; i < x->ranges_len && i < y->ranges_len; i++) {
                int c = addr_cmp(&x->ranges[i].first, &y->ranges[i].first);

                /* Of two that begin alike, the wider. */
                if (c == 0)
                        c = addr_cmp(&y->ranges[i].last, &x->ranges[i].last);
                if (c != 0)
                        return c;
        }

        return (x->ranges_len > y->ranges_len) - (x->ranges_len < y->ranges_len);
}

static int link_cmp(const void *a, const void *b)
{
        const struct map_link *x = a, *y = b;

        return (x->outside > y->outside) - (x->outside < y->outside);
}

int map_outside_sort(struct map_state *state)
{
        struct map_outside *outside = &state->outside;
        _cleanup_free_ uint32_t *numbers = NULL;

        numbers = calloc(outside->parts_len + 1, sizeof(*numbers));
        if (!numbers)
                return -ENOMEM;

        if (outside->parts_len > 0)
                qsort(outside->parts, outside->parts_len, sizeof(struct map_part *), part_cmp);
        for (size_t i = 0; i < outside->parts_len; i++)
                numbers[outside->parts[i]->number] = (uint32_t)i;

        for (size_t i = 0; i < outside->links_len; i++) {
                struct map_links *links = outside->links[i];

                for (size_t j = 0; j < links->len; j++)
                        links->items[j].outside = numbers[links->items[j].outside];
                if (links->len > 0)
                        qsort(links->items, links->len, sizeof(*links->items), link_cmp);
        }

        return 0;
}
