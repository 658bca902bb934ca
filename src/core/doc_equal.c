/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether two trees say the same: the order of a mapping's keys and the way a value is written do not count. */
#include <errno.h>
#include <string.h>

#include "doc_private.h"

static int cmp_pair(const void *pa, const void *pb)
{
        const struct doc_pair *a = pa, *b = pb;

        return strcmp(a->key->text, b->key->text);
}

static struct doc_pair *sort_pairs(struct arena *arena, const struct doc_node *map)
{
        struct doc_pair *pairs = arena_memdup(arena, map->pairs, map->len * sizeof(*pairs));

        if (pairs && map->len > 0)
                qsort(pairs, map->len, sizeof(*pairs), cmp_pair);
        return pairs;
}

static int compare_maps(struct arena *arena, const struct doc_node *a, const struct doc_node *b, bool *ret)
{
        const struct doc_pair *as = sort_pairs(arena, a), *bs = sort_pairs(arena, b);
        size_t i;
        int r = 0;

        if (!as || !bs)
                return -ENOMEM;
        for (i = 0; r == 0 && *ret && i < a->len; i++) {
                r = doc_compare(arena, as[i].key, bs[i].key, ret);
                if (r == 0 && *ret)
                        r = doc_compare(arena, as[i].value, bs[i].value, ret);
        }
        return r;
}

int doc_compare(struct arena *arena, const struct doc_node *a, const struct doc_node *b, bool *ret)
{
        size_t i;
        int r = 0;

        *ret = a->kind == b->kind;
        if (!*ret)
                return 0;
        switch (a->kind) {
        case DOC_INT:
                *ret = a->integer == b->integer;
                return 0;
        case DOC_BOOL:
                *ret = a->boolean == b->boolean;
                return 0;
        case DOC_FLOAT:
        case DOC_STRING:
                *ret = strcmp(a->text, b->text) == 0;
                return 0;
        case DOC_LIST:
                *ret = a->len == b->len;
                for (i = 0; r == 0 && *ret && i < a->len; i++)
                        r = doc_compare(arena, a->items[i], b->items[i], ret);
                return r;
        case DOC_MAP:
                *ret = a->len == b->len;
                return *ret ? compare_maps(arena, a, b, ret) : 0;
        case DOC_NULL:
        case DOC_KIND_MAX:
                break;
        }
        return 0;
}
