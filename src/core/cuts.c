/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cuts of cuts.h. */
#include "cuts.h"

#include <errno.h>
#include <stdlib.h>

void cuts_fini(struct cuts *cuts)
{
        free(cuts->items);
}

bool cuts_after(const struct addr_range *range, struct addr *ret)
{
        struct addr end = range->last;

        if (!addr_next(&end)) {
                if (end.family != ADDR_V4)
                        return false;
                end = addr_lowest(ADDR_V6);
        }
        *ret = end;
        return true;
}

static int cuts_add(struct cuts *cuts, const struct prefix *prefix)
{
        struct addr_range range = prefix_range(prefix);
        int r;

        r = array_reserve(&cuts->items, &cuts->cap, cuts->len + 2, sizeof(*cuts->items));
        if (r < 0)
                return r;

        cuts->items[cuts->len++] = range.first;
        if (cuts_after(&range, &range.last))
                cuts->items[cuts->len++] = range.last;
        return 0;
}

static int cuts_add_rule(struct cuts *cuts, const struct rule *rule)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < rule->peers_len; i++) {
                const struct peer *peer = &rule->peers[i];

                if (peer->kind != PEER_BLOCK)
                        continue;

                r = cuts_add(cuts, &peer->cidr);
                for (size_t j = 0; r == 0 && j < peer->excepts_len; j++)
                        r = cuts_add(cuts, &peer->excepts[j]);
        }

        return r;
}

int cuts_collect(struct cuts *cuts, const struct policy_set *set)
{
        int r = 0;

        for (size_t i = 0; i < set->policies_len; i++) {
                const struct policy *policy = &set->policies[i];

                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (size_t j = 0; r == 0 && policy->applies[d] && j < policy->rules_len[d]; j++)
                                r = cuts_add_rule(cuts, &policy->rules[d][j]);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int cut_cmp(const void *a, const void *b)
{
        return addr_cmp(a, b);
}

void cuts_sort(struct cuts *cuts)
{
        size_t len = 0;

        if (cuts->len == 0)
                return;

        qsort(cuts->items, cuts->len, sizeof(*cuts->items), cut_cmp);
        for (size_t i = 0; i < cuts->len; i++)
                if (len == 0 || !addr_equal(&cuts->items[len - 1], &cuts->items[i]))
                        cuts->items[len++] = cuts->items[i];
        cuts->len = len;
}

uint32_t cuts_below(const struct cuts *cuts, const struct addr *addr)
{
        size_t lo = 0, hi = cuts->len;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (addr_cmp(&cuts->items[mid], addr) <= 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }

        return (uint32_t)lo;
}
