/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fewest rules that keep a dead one from deciding: for each situation it is in there is a set of rules that would each do,
 * and what is looked for is the smallest set that has a member of each. */
#include <errno.h>
#include <string.h>

#include "lint_dead.h"

/* So many sets are looked at for one rule before what was found so far will do. */
#define BUDGET 20000u

struct blockers {
        uint32_t *items; /* heap; the sets one after the other */
        size_t items_len, items_cap;
        size_t *ends; /* heap; where each set ends */
        size_t len, cap;
        size_t budget;
};

static enum tier tier_of(const struct lint *lint, enum direction direction, uint32_t rule)
{
        return lint->policies->policies[lint->world->rules[direction][rule].policy].tier;
}

static void add(struct lint *lint, struct blockers *blockers, uint32_t item)
{
        if (array_reserve(&blockers->items, &blockers->items_cap, blockers->items_len + 1, sizeof(uint32_t)) < 0)
                lint->r = -ENOMEM;
        else
                blockers->items[blockers->items_len++] = item;
}

/* Those that would each keep the rule from deciding in the situation, and that decide something themselves. */
static void add_set(struct lint *lint, const struct lint_fate *fates, const struct lint_situation *situation,
                    uint32_t rule, struct blockers *blockers)
{
        enum direction d = situation->flow.direction;
        enum tier tier = tier_of(lint, d, rule), passed = TIER_MAX;

        if (array_reserve(&blockers->ends, &blockers->cap, blockers->len + 1, sizeof(*blockers->ends)) < 0) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < situation->len; i++) {
                uint32_t other = situation->held[i];
                enum tier other_tier = tier_of(lint, d, other);

                if (other_tier > tier || (other >= rule && tier != TIER_NETWORK_POLICY))
                        break;
                if (other == rule || other_tier == passed)
                        continue;
                if (other_tier < tier && lint->world->rules[d][other].rule->action == ACTION_PASS)
                        passed = other_tier;
                else if (fates[other].alive && (other_tier == tier || other_tier == TIER_ADMIN))
                        add(lint, blockers, other);
        }
        if (tier == TIER_BASELINE && situation->isolated)
                add(lint, blockers, NONE);
        blockers->ends[blockers->len++] = blockers->items_len;
}

static size_t set_first(const struct blockers *blockers, size_t set)
{
        return set == 0 ? 0 : blockers->ends[set - 1];
}

static bool has_member(const struct blockers *blockers, size_t set, const uint32_t *chosen, size_t len)
{
        for (size_t i = set_first(blockers, set); i < blockers->ends[set]; i++)
                for (size_t j = 0; j < len; j++)
                        if (blockers->items[i] == chosen[j])
                                return true;
        return false;
}

/* The smallest set that has no member among the chosen; SIZE_MAX: each has. */
static size_t find_open(struct blockers *blockers, const uint32_t *chosen, size_t len)
{
        size_t best = SIZE_MAX, best_len = SIZE_MAX;

        for (size_t i = 0; i < blockers->len; i++) {
                size_t set_len = blockers->ends[i] - set_first(blockers, i);

                blockers->budget -= blockers->budget > 0;
                if (set_len >= best_len || has_member(blockers, i, chosen, len))
                        continue;
                best = i;
                best_len = set_len;
        }
        return best;
}

/* Completes the chosen to at most max. Each set that is open needs one of its own members. */
static bool complete(struct blockers *blockers, uint32_t *chosen, size_t len, size_t max, size_t *ret_len)
{
        size_t open = find_open(blockers, chosen, len);

        if (open == SIZE_MAX) {
                *ret_len = len;
                return true;
        }
        for (size_t i = set_first(blockers, open); len < max && i < blockers->ends[open]; i++) {
                chosen[len] = blockers->items[i];
                if (blockers->budget > 0 && complete(blockers, chosen, len + 1, max, ret_len))
                        return true;
        }
        return false;
}

/* Where there is no small set: one member of each open set until none is open. */
static void blame_any(struct lint *lint, struct blockers *blockers, struct lint_fate *fate)
{
        _cleanup_free_ uint32_t *chosen = calloc(blockers->len + 1, sizeof(*chosen));
        size_t len = 0, open;

        if (!chosen) {
                lint->r = -ENOMEM;
                return;
        }
        while ((open = find_open(blockers, chosen, len)) != SIZE_MAX)
                chosen[len++] = blockers->items[set_first(blockers, open)];
        fate->blamed_len = len < LINT_PLACES_MAX ? len : LINT_PLACES_MAX;
        fate->more = len - fate->blamed_len;
        memcpy(fate->blamed, chosen, fate->blamed_len * sizeof(*chosen));
}

static void blame(struct lint *lint, enum direction d, struct lint_fate *fates, uint32_t rule,
                  const uint32_t *situations, size_t len, struct blockers *blockers)
{
        struct lint_fate *fate = &fates[rule];
        bool found = false;

        blockers->items_len = blockers->len = 0;
        blockers->budget = BUDGET;
        for (size_t i = 0; lint->r == 0 && i < len; i++)
                add_set(lint, fates, &lint->census->situations[d][situations[i]], rule, blockers);
        for (size_t max = 1; lint->r == 0 && !found && max <= LINT_PLACES_MAX && blockers->budget > 0; max++)
                found = complete(blockers, fate->blamed, 0, max, &fate->blamed_len);
        if (lint->r == 0 && !found)
                blame_any(lint, blockers, fate);
}

/* Among NetworkPolicies order does not count: rules that are dead in the same situations are so for the same reason. */
static bool is_like(const struct lint *lint, enum direction d, const size_t *first, const uint32_t *where, uint32_t a,
                    uint32_t b)
{
        size_t len = first[a + 1] - first[a];

        return tier_of(lint, d, a) == TIER_NETWORK_POLICY && tier_of(lint, d, b) == TIER_NETWORK_POLICY &&
               len == first[b + 1] - first[b] && memcmp(where + first[a], where + first[b], len * sizeof(*where)) == 0;
}

static void blame_like(struct lint_fate *fate, const struct lint_fate *other)
{
        memcpy(fate->blamed, other->blamed, sizeof(fate->blamed));
        fate->blamed_len = other->blamed_len;
        fate->more = other->more;
}

void lint_blame(struct lint *lint, enum direction d, struct lint_fate *fates)
{
        const struct lint_census *census = lint->census;
        size_t rules = lint->world->rules_len[d], total = 0;
        _cleanup_free_ size_t *first = calloc(rules + 2, sizeof(*first));
        _cleanup_free_ uint32_t *where = NULL;
        uint32_t last = NONE;
        struct blockers blockers = {0};

        /* The situations of each dead rule: those of rule r from first[r] on, up to first[r + 1]. */
        for (size_t i = 0; first && i < census->situations_len[d]; i++)
                for (size_t j = 0; j < census->situations[d][i].len; j++)
                        if (!fates[census->situations[d][i].held[j]].alive) {
                                first[census->situations[d][i].held[j] + 2]++;
                                total++;
                        }
        where = calloc(total + 1, sizeof(*where));
        if (!first || !where) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 2; i < rules + 2; i++)
                first[i] += first[i - 1];
        for (uint32_t i = 0; i < census->situations_len[d]; i++)
                for (size_t j = 0; j < census->situations[d][i].len; j++)
                        if (!fates[census->situations[d][i].held[j]].alive)
                                where[first[census->situations[d][i].held[j] + 1]++] = i;
        for (uint32_t i = 0; lint->r == 0 && i < rules; i++) {
                if (fates[i].alive || first[i] == first[i + 1])
                        continue;
                if (last != NONE && is_like(lint, d, first, where, last, i))
                        blame_like(&fates[i], &fates[last]);
                else
                        blame(lint, d, fates, i, where + first[i], first[i + 1] - first[i], &blockers);
                last = i;
        }
        free(blockers.items);
        free(blockers.ends);
}
