/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes: whom the policies that differ are about. A class says the same as before to whoever matches none of their rules,
 * as long as it is isolated as before and what its policies have in common is in the same order. */
#include <errno.h>
#include <string.h>

#include "changes_internal.h"
#include "world_internal.h"

struct reaching {
        struct change_build *build;
        uint32_t *const *contents;
        size_t *first[CHANGE_SIDE_MAX]; /* per identity: its first kind in kinds; one more for the end */
        size_t *kinds[CHANGE_SIDE_MAX];
        bool *in;      /* owned; scratch, per kind */
        size_t *found; /* owned; scratch */
        size_t found_len;
};

/* The kinds of each identity. Those of a side that are not there, and the host's, are of none. */
static int index_kinds(struct reaching *reaching, enum change_side side)
{
        const struct change_build *build = reaching->build;
        const struct world *world = build->worlds[side];
        size_t *first, *kinds, len = build->changes->kinds_len;

        first = arena_array(build->arena, world->identities_len + 2, sizeof(*first));
        kinds = arena_array(build->arena, len, sizeof(*kinds));
        if (!first || !kinds)
                return -ENOMEM;

        /* Counted two places on, so that filling moves each to its own. */
        for (int fill = 0; fill < 2; fill++) {
                for (size_t i = 0; i < len; i++) {
                        const struct endpoint *endpoint = changes_member(build, i, side);
                        uint32_t identity =
                                endpoint ? world_identity(world, (size_t)(endpoint - world->inventory->endpoints))
                                         : NONE;

                        if (identity != NONE && fill)
                                kinds[first[identity + 1]++] = i;
                        else if (identity != NONE)
                                first[identity + 2]++;
                }
                for (size_t i = 2; !fill && i < world->identities_len + 2; i++)
                        first[i] += first[i - 1];
        }

        reaching->first[side] = first;
        reaching->kinds[side] = kinds;
        return 0;
}

static bool has_content(const struct reaching *reaching, enum change_side side, const struct class *class,
                        uint32_t content)
{
        for (size_t i = 0; i < class->policies_len; i++)
                if (reaching->contents[side][class->policy_ids[i]] == content)
                        return true;

        return false;
}

/* The next policy of the class from i on that the other side's has too; policies_len: none. */
static size_t next_common(const struct reaching *reaching, enum change_side side,
                          const struct class *const classes[static CHANGE_SIDE_MAX], size_t i)
{
        enum change_side other = side == CHANGE_OLD ? CHANGE_NEW : CHANGE_OLD;

        while (i < classes[side]->policies_len &&
               !has_content(reaching, other, classes[other], reaching->contents[side][classes[side]->policy_ids[i]]))
                i++;

        return i;
}

static bool same_order(const struct reaching *reaching, const struct class *const classes[static CHANGE_SIDE_MAX])
{
        const struct class *old = classes[CHANGE_OLD], *new = classes[CHANGE_NEW];
        size_t i = next_common(reaching, CHANGE_OLD, classes, 0), j = next_common(reaching, CHANGE_NEW, classes, 0);

        while (i < old->policies_len && j < new->policies_len) {
                if (reaching->contents[CHANGE_OLD][old->policy_ids[i]] !=
                    reaching->contents[CHANGE_NEW][new->policy_ids[j]])
                        return false;
                i = next_common(reaching, CHANGE_OLD, classes, i + 1);
                j = next_common(reaching, CHANGE_NEW, classes, j + 1);
        }

        return i == old->policies_len && j == new->policies_len;
}

static void find(struct reaching *reaching, size_t kind)
{
        if (!reaching->in[kind])
                reaching->found[reaching->found_len++] = kind;
        reaching->in[kind] = true;
}

/* Whether the kind has an address in a block of the rule; exceptions do not matter, as more may be found than need be. */
static bool in_blocks(const struct rule *rule, const struct endpoint *endpoint)
{
        for (size_t i = 0; endpoint && i < rule->peers_len; i++)
                for (size_t j = 0; rule->peers[i].kind == PEER_BLOCK && j < endpoint->addrs_len; j++)
                        if (prefix_contains(&rule->peers[i].cidr, &endpoint->addrs[j]))
                                return true;

        return false;
}

/* Whom a rule matches; false where that is everybody. */
static bool find_peers(struct reaching *reaching, enum change_side side, const struct world_rule *rule)
{
        const struct change_build *build = reaching->build;
        const struct world *world = build->worlds[side];

        if (rule->rule->any_peer || rule->rule->fails_closed)
                return false;

        for (size_t i = 0; i < rule->groups_len; i++) {
                const struct group *group = &world->groups[rule->groups[i]];

                for (size_t j = 0; j < group->len; j++)
                        for (size_t k = reaching->first[side][group->identities[j]];
                             k < reaching->first[side][group->identities[j] + 1]; k++)
                                find(reaching, reaching->kinds[side][k]);
        }
        for (size_t i = 0; rule->has_blocks && i < build->changes->kinds_len; i++)
                if (in_blocks(rule->rule, changes_member(build, i, side)))
                        find(reaching, i);

        return true;
}

static bool find_all(struct reaching *reaching, enum direction d, const struct class *const classes[CHANGE_SIDE_MAX])
{
        bool whole = !classes[CHANGE_OLD]->isolated_by != !classes[CHANGE_NEW]->isolated_by ||
                     !same_order(reaching, classes);

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                enum change_side other = side == CHANGE_OLD ? CHANGE_NEW : CHANGE_OLD;
                const struct world *world = reaching->build->worlds[side];

                for (size_t i = 0; !whole && i < classes[side]->policies_len; i++) {
                        uint32_t policy = classes[side]->policy_ids[i];

                        if (has_content(reaching, other, classes[other], reaching->contents[side][policy]))
                                continue;
                        for (uint32_t j = world->policy_rules[d][policy];
                             !whole && j < world->policy_rules[d][policy + 1]; j++)
                                whole = !find_peers(reaching, side, &world->rules[d][j]);
                }
        }

        return !whole;
}

static int size_cmp(const void *a, const void *b)
{
        size_t x = *(const size_t *)a, y = *(const size_t *)b;

        return (x > y) - (x < y);
}

static int find_reach(struct reaching *reaching, enum direction d, size_t kind, struct change_reach *reach)
{
        struct change_build *build = reaching->build;
        const struct class *classes[CHANGE_SIDE_MAX];
        int r = 0;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct world *world = build->worlds[side];
                const struct endpoint *endpoint = changes_member(build, kind, side);

                classes[side] =
                        &world->classes[d][world_class(world, d, (size_t)(endpoint - world->inventory->endpoints))];
        }

        reach->whole = !find_all(reaching, d, classes);
        if (!reach->whole) {
                qsort(reaching->found, reaching->found_len, sizeof(*reaching->found), size_cmp);
                reach->len = reaching->found_len;
                reach->kinds = arena_memdup(build->arena, reaching->found, reach->len * sizeof(*reach->kinds));
                r = reach->kinds ? 0 : -ENOMEM;
        }
        for (size_t i = 0; i < reaching->found_len; i++)
                reaching->in[reaching->found[i]] = false;
        reaching->found_len = 0;
        return r;
}

int changes_find_reach(struct change_build *build, uint32_t *const contents[static CHANGE_SIDE_MAX])
{
        struct reaching reaching = {.build = build, .contents = contents};
        size_t len = build->changes->kinds_len;
        int r = 0;

        reaching.in = calloc(len + 1, sizeof(*reaching.in));
        reaching.found = calloc(len + 1, sizeof(*reaching.found));
        if (!reaching.in || !reaching.found)
                r = -ENOMEM;
        for (enum change_side side = 0; r == 0 && side < CHANGE_SIDE_MAX; side++)
                r = index_kinds(&reaching, side);
        for (enum direction d = 0; r == 0 && d < DIR_MAX; d++) {
                build->reach[d] = arena_array(build->arena, len, sizeof(*build->reach[d]));
                if (!build->reach[d])
                        r = -ENOMEM;
                for (size_t i = 0; r == 0 && i < len; i++) {
                        if (build->moved[i])
                                build->reach[d][i].whole = true;
                        else if (build->touched[d][i])
                                r = find_reach(&reaching, d, i, &build->reach[d][i]);
                }
        }

        free(reaching.in);
        free(reaching.found);
        return r;
}
