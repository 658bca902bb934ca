/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint that look at tiers: equal priorities, passing on to nobody, and Baseline policies beside NetworkPolicies. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_census.h"

/* equal priorities */

/* Pairs of policies of one priority that something was said of. */
struct pairs {
        struct arena *arena;
        struct str_index index;
};

/* Whether the pair is new. */
static bool add_pair(struct lint *lint, struct pairs *pairs, uint32_t a, uint32_t b)
{
        const uint32_t key[2] = {a, b};
        uint32_t unused;
        void *copy;

        if (str_index_get(&pairs->index, key, sizeof(key), &unused))
                return false;
        copy = arena_memdup(pairs->arena, key, sizeof(key));
        if (!copy || str_index_put(&pairs->index, copy, sizeof(key), 0) < 0) {
                lint->r = -ENOMEM;
                return false;
        }
        return true;
}

static void report_conflict(struct lint *lint, const struct lint_situation *situation, uint32_t a, uint32_t b)
{
        enum direction d = situation->flow.direction;
        const struct world_rule *rules[2] = {&lint->world->rules[d][a], &lint->world->rules[d][b]};
        char one[LINT_NAME_MAX], two[LINT_NAME_MAX], witness[LINT_FLOW_MAX];
        const struct lint_note note = {
                .hint = "give them different priorities",
                .witness = lint_flow_text(lint, &situation->flow, witness),
                .places = {{&rules[0]->rule->loc, "this rule decides otherwise"}},
        };

        lint_report(lint, "VW401", &rules[1]->rule->loc, &note,
                    "%s and %s have the same priority and differ: which decides is not determined (here the first)",
                    lint_rule_name(&lint->policies->policies[rules[0]->policy], d, rules[0]->rule, one),
                    lint_rule_name(&lint->policies->policies[rules[1]->policy], d, rules[1]->rule, two));
}

static bool same_priority(const struct policy *a, const struct policy *b)
{
        return a->tier == b->tier && a->tier != TIER_NETWORK_POLICY && a->priority == b->priority;
}

/* What becomes of the flow if the rule at i comes before all others of its priority. */
static enum action verdict_by(const struct lint *lint, const struct lint_situation *situation, size_t i)
{
        enum direction d = situation->flow.direction;
        const struct world_rule *rule = &lint->world->rules[d][situation->held[i]];

        if (rule->rule->action != ACTION_PASS)
                return rule->rule->action;
        return lint_judge(lint, d, situation->held, situation->len, situation->isolated,
                          lint->policies->policies[rule->policy].tier + 1)
                .action;
}

/* The first rule of a tier decides, and with it all policies of its priority claim to. */
static void compare_tier(struct lint *lint, const struct lint_situation *situation, size_t first, struct pairs *pairs)
{
        const struct world_rule *rules = lint->world->rules[situation->flow.direction];
        const struct policy *policies = lint->policies->policies;
        uint32_t policy = rules[situation->held[first]].policy, last = policy;
        enum action verdict = verdict_by(lint, situation, first);

        for (size_t i = first + 1; i < situation->len; i++) {
                const struct world_rule *rule = &rules[situation->held[i]];

                if (!same_priority(&policies[policy], &policies[rule->policy]))
                        return;
                if (rule->policy == last)
                        continue;
                last = rule->policy;
                if (verdict_by(lint, situation, i) != verdict && add_pair(lint, pairs, policy, rule->policy))
                        report_conflict(lint, situation, situation->held[first], situation->held[i]);
        }
}

static void compare(struct lint *lint, const struct lint_situation *situation, struct pairs *pairs)
{
        const struct world_rule *rules = lint->world->rules[situation->flow.direction];
        enum tier tier = TIER_MAX;

        for (size_t i = 0; lint->r == 0 && i < situation->len; i++) {
                const struct world_rule *rule = &rules[situation->held[i]];

                if (lint->policies->policies[rule->policy].tier == tier)
                        continue;
                tier = lint->policies->policies[rule->policy].tier;
                if (tier == TIER_BASELINE && situation->isolated)
                        return;
                if (tier != TIER_NETWORK_POLICY)
                        compare_tier(lint, situation, i, pairs);
                if (tier == TIER_NETWORK_POLICY || rule->rule->action != ACTION_PASS)
                        return;
        }
}

/* Each policy is named once, with the first before it that shares endpoints. */
static void find_common(struct lint *lint, struct pairs *pairs)
{
        static const struct lint_note hint = {.hint = "give them different priorities"};
        const struct policy *policies = lint->policies->policies;
        _cleanup_free_ bool *said = calloc(lint->policies->policies_len + 1, sizeof(*said));
        char one[LINT_NAME_MAX], two[LINT_NAME_MAX];

        if (!said) {
                lint->r = -ENOMEM;
                return;
        }
        for (enum direction d = 0; d < DIR_MAX; d++) {
                for (size_t i = 0; i < lint->world->classes_len[d]; i++) {
                        const struct class *class = &lint->world->classes[d][i];

                        for (size_t j = 1; j < class->policies_len; j++) {
                                uint32_t p = class->policy_ids[j - 1], q = class->policy_ids[j];
                                struct lint_note note = hint;

                                if (said[q] || !same_priority(&policies[p], &policies[q]) ||
                                    !add_pair(lint, pairs, p, q))
                                        continue;
                                said[q] = true;
                                note.places[0] =
                                        (struct lint_place){&policies[p].name_loc, "the other policy of this priority"};
                                lint_report(lint, "VW402", &policies[q].name_loc, &note,
                                            "%s and %s have the same priority and endpoints in common",
                                            lint_policy_name(&policies[p], one), lint_policy_name(&policies[q], two));
                        }
                }
        }
}

static void check_priorities(struct lint *lint)
{
        const struct lint_census *census = lint->census;
        struct pairs pairs = {.arena = arena_new()};

        if (!pairs.arena)
                lint->r = -ENOMEM;
        for (enum direction d = 0; d < DIR_MAX; d++)
                for (size_t i = 0; lint->r == 0 && i < census->situations_len[d]; i++)
                        compare(lint, &census->situations[d][i], &pairs);
        if (lint->r == 0)
                find_common(lint, &pairs);
        str_index_fini(&pairs.index);
        arena_free(pairs.arena);
}

/* passing */

/* A Pass of the Admin tier that leaves a flow to the default action. */
static void check_pass(struct lint *lint, const struct lint_situation *situation, bool *said)
{
        static const char *const hint = "isolate the endpoint by a NetworkPolicy, or add a Baseline policy";
        enum direction d = situation->flow.direction;
        const struct world_rule *rule = &lint->world->rules[d][situation->held[0]];
        struct lint_outcome outcome;
        char name[LINT_NAME_MAX], witness[LINT_FLOW_MAX];

        if (said[situation->held[0]] || rule->rule->action != ACTION_PASS ||
            lint->policies->policies[rule->policy].tier != TIER_ADMIN)
                return;
        outcome = lint_judge(lint, d, situation->held, situation->len, situation->isolated, TIER_ADMIN);
        if (outcome.tier != TIER_DEFAULT || outcome.action != ACTION_ALLOW)
                return;
        said[situation->held[0]] = true;
        lint_report(
                lint, "VW404", &rule->rule->loc,
                &(struct lint_note){.hint = hint, .witness = lint_flow_text(lint, &situation->flow, witness)},
                "for %s this passes on to nobody: no NetworkPolicy isolates its %s, no Baseline rule decides, and the "
                "default action allows it",
                lint_endpoint_name(lint, situation->flow.subject, name), direction_name(d));
}

static void check_passes(struct lint *lint)
{
        for (enum direction d = 0; d < DIR_MAX; d++) {
                _cleanup_free_ bool *said = calloc(lint->world->rules_len[d] + 1, sizeof(*said));

                if (!said)
                        lint->r = -ENOMEM;
                for (size_t i = 0; said && i < lint->census->situations_len[d]; i++)
                        check_pass(lint, &lint->census->situations[d][i], said);
        }
}

/* Baseline */

/* Who is isolated in one direction alone, so that this Baseline policy decides in the other. */
static void check_half_isolated(struct lint *lint, uint32_t p, enum direction d)
{
        enum direction other = d == DIR_INGRESS ? DIR_EGRESS : DIR_INGRESS;
        const struct world *world = lint->world;
        const struct policy *policy = &lint->policies->policies[p], *by = NULL;
        size_t n = 0, first = WORLD_OUTSIDE;
        struct lint_note note = {0};
        char name[LINT_NAME_MAX], isolation[LINT_NAME_MAX], hint[64];

        for (uint32_t i = lint->first[d][p]; policy->rules_len[d] > 0 && i < lint->first[d][p + 1]; i++) {
                const struct class *class = &world->classes[d][lint->classes[d][i]];

                for (size_t j = 0; !class->isolated_by && j < class->identities_len; j++) {
                        const struct identity *identity = &world->identities[class->identities[j]];
                        const struct class *opposite = &world->classes[other][identity->class[other]];

                        if (!opposite->isolated_by)
                                continue;
                        n += identity->endpoints_len;
                        if (identity->endpoints[0] < first) {
                                first = identity->endpoints[0];
                                by = opposite->isolated_by;
                        }
                }
        }
        if (n == 0)
                return;
        lint_endpoint_name(lint, first, name);
        snprintf(hint, sizeof(hint), "isolate its %s by a NetworkPolicy too", direction_name(d));
        note.hint = hint;
        note.places[0] = (struct lint_place){&by->name_loc, "this policy isolates it in one direction"};
        if (n == 1)
                lint_report(
                        lint, "VW406", &policy->rules[d][0].loc, &note,
                        "%s isolates %s in %s alone, so this decides its %s here; others let Baseline policies decide "
                        "nothing for it",
                        lint_policy_name(by, isolation), name, direction_name(other), direction_name(d));
        else
                lint_report(lint, "VW406", &policy->rules[d][0].loc, &note,
                            "%s and %zu others are isolated in %s alone, so this decides their %s here; others let "
                            "Baseline "
                            "policies decide nothing for them",
                            name, n - 1, direction_name(other), direction_name(d));
}

/* A direction in which all that the policy selects is isolated. */
static void check_unreached(struct lint *lint, uint32_t p, enum direction d)
{
        static const char *const hint = "remove the rules, or let the NetworkPolicies isolate less";
        const struct policy *policy = &lint->policies->policies[p], *by = NULL;
        struct lint_note note = {.hint = hint};
        char name[LINT_NAME_MAX], isolation[LINT_NAME_MAX];

        for (uint32_t i = lint->first[d][p]; policy->rules_len[d] > 0 && i < lint->first[d][p + 1]; i++) {
                const struct class *class = &lint->world->classes[d][lint->classes[d][i]];

                if (!class->isolated_by)
                        return;
                by = by ? by : class->isolated_by;
        }
        if (!by)
                return;
        note.places[0] = (struct lint_place){&by->name_loc, "this policy isolates some of them"};
        lint_report(lint, "VW405", &policy->rules[d][0].loc, &note,
                    "the %s rules of %s are never reached: NetworkPolicies, %s for one, isolate all that it selects",
                    direction_name(d), lint_policy_name(policy, name), lint_policy_name(by, isolation));
}

void lint_tiers(struct lint *lint)
{
        check_priorities(lint);
        if (lint->r == 0)
                check_passes(lint);
        for (uint32_t i = 0; i < lint->policies->policies_len; i++) {
                for (enum direction d = 0; lint->policies->policies[i].tier == TIER_BASELINE && d < DIR_MAX; d++) {
                        check_half_isolated(lint, i, d);
                        check_unreached(lint, i, d);
                }
        }
}
