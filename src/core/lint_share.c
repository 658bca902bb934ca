/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints that share a network namespace: their packets cannot be told apart, so policies that select one and not the
 * other cannot be kept. */
#include <errno.h>
#include <string.h>

#include "lint_internal.h"

static int cmp_netns(const void *pa, const void *pb)
{
        const struct endpoint *a = *(const struct endpoint *const *)pa, *b = *(const struct endpoint *const *)pb;
        int cmp = strcmp(a->netns, b->netns);

        return cmp ? cmp : (a > b) - (a < b);
}

/* The first policy that is in one of the classes alone; *ret_one is whether it is in the first. NONE: there is none. */
static uint32_t find_difference(const struct class *one, const struct class *two, bool *ret_one)
{
        size_t i = 0, j = 0;

        while (i < one->policies_len && j < two->policies_len && one->policy_ids[i] == two->policy_ids[j]) {
                i++;
                j++;
        }
        if (i == one->policies_len && j == two->policies_len)
                return NONE;
        *ret_one = j == two->policies_len || (i < one->policies_len && one->policy_ids[i] < two->policy_ids[j]);
        return *ret_one ? one->policy_ids[i] : two->policy_ids[j];
}

static void check_pair(struct lint *lint, size_t a, size_t b)
{
        static const struct lint_note note = {
                .hint = "give them the same labels, or list them as one endpoint",
        };
        const struct world *world = lint->world;
        char one[LINT_NAME_MAX], two[LINT_NAME_MAX], name[LINT_NAME_MAX];

        for (enum direction d = 0; d < DIR_MAX; d++) {
                uint32_t x = world_class(world, d, a), y = world_class(world, d, b), p;
                bool first;

                if (x == NONE || y == NONE || x == y)
                        continue;
                p = find_difference(&world->classes[d][x], &world->classes[d][y], &first);
                if (p == NONE)
                        continue;
                lint_report(
                        lint, "VW504", lint_subject_loc(&lint->policies->policies[p]), &note,
                        "%s selects %s and not %s, which shares its network namespace \"%s\": their traffic cannot be "
                        "told apart",
                        lint_policy_name(&lint->policies->policies[p], name),
                        lint_endpoint_name(lint, first ? a : b, one), lint_endpoint_name(lint, first ? b : a, two),
                        world->inventory->endpoints[a].netns);
                return;
        }
}

void lint_shares(struct lint *lint)
{
        const struct inventory *inventory = lint->world->inventory;
        _cleanup_free_ const struct endpoint **named = calloc(inventory->endpoints_len + 1, sizeof(*named));
        size_t len = 0, first = 0;

        if (!named) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < inventory->endpoints_len; i++)
                if (inventory->endpoints[i].netns)
                        named[len++] = &inventory->endpoints[i];
        if (len > 1)
                qsort(named, len, sizeof(*named), cmp_netns);
        for (size_t i = 1; i < len; i++) {
                if (strcmp(named[first]->netns, named[i]->netns) != 0)
                        first = i;
                else
                        check_pair(lint, (size_t)(named[first] - inventory->endpoints),
                                   (size_t)(named[i] - inventory->endpoints));
        }
}
