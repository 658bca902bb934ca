/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and policies that decide nothing: what they allow or deny, others decide. Proved on every situation of the census.
 *
 * In a tier with an order a rule decides where it is the first to hold. Among NetworkPolicies, which only add up, a rule is
 * needed where it alone holds; where several hold, one that is needed elsewhere stands for all, or else the first. So the
 * rules called dead here can all be removed together. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_dead.h"

static enum tier tier_of(const struct lint *lint, enum direction direction, uint32_t rule)
{
        return lint->policies->policies[lint->world->rules[direction][rule].policy].tier;
}

/* Who decides among the NetworkPolicies' rules that hold; NONE while that is open. */
static uint32_t choose(const struct lint_fate *fates, const uint32_t *held, size_t len, bool alone)
{
        if (len == 1)
                return held[0];
        if (alone)
                return NONE;
        for (size_t i = 0; i < len; i++)
                if (fates[held[i]].alive)
                        return held[i];
        return held[0];
}

/* Goes through the tiers. alone: only find the NetworkPolicies' rules that are needed; the others are chosen after. */
static void try_situation(const struct lint *lint, struct lint_fate *fates, const struct lint_situation *situation,
                          bool alone)
{
        enum direction d = situation->flow.direction;

        for (size_t i = 0, n; i < situation->len; i += n) {
                enum tier tier = tier_of(lint, d, situation->held[i]);
                uint32_t winner = situation->held[i];

                for (n = 1; i + n < situation->len && tier_of(lint, d, situation->held[i + n]) == tier; n++)
                        ;
                if (tier == TIER_BASELINE && situation->isolated)
                        return;
                if (tier == TIER_NETWORK_POLICY)
                        winner = choose(fates, situation->held + i, n, alone);
                if (winner != NONE)
                        fates[winner].alive = true;
                if (winner == NONE || lint->world->rules[d][winner].rule->action != ACTION_PASS)
                        return;
        }
}

static void judge(struct lint *lint, enum direction d, struct lint_fate *fates)
{
        const struct lint_census *census = lint->census;

        for (size_t i = 0; i < census->situations_len[d]; i++) {
                const struct lint_situation *situation = &census->situations[d][i];

                for (size_t j = 0; j < situation->len; j++) {
                        struct lint_fate *fate = &fates[situation->held[j]];

                        if (!fate->flow || lint_flow_is_plainer(&situation->flow, fate->flow))
                                fate->flow = &situation->flow;
                }
        }
        for (size_t i = 0; i < 2 * census->situations_len[d]; i++)
                try_situation(lint, fates, &census->situations[d][i % census->situations_len[d]],
                              i < census->situations_len[d]);
}

/* Whether one of those who decide in its stead covers the rule by what it says, and not only with this inventory. */
static bool is_always_dead(const struct lint *lint, enum direction d, const struct lint_fate *fates, uint32_t id)
{
        for (size_t i = 0; i < fates[id].blamed_len; i++)
                if (fates[id].blamed[i] != NONE &&
                    lint_rule_covers(lint, &lint->world->rules[d][fates[id].blamed[i]], &lint->world->rules[d][id]))
                        return true;
        return false;
}

/* How those who decide in a dead rule's stead stand to it. */
struct relation {
        bool differs;    /* one is of its tier and says otherwise */
        bool contrary;   /* one says otherwise */
        bool own;        /* all are of its own policy */
        bool from_above; /* one is of another policy of the Admin tier */
        bool isolation;  /* it takes isolation by NetworkPolicies too */
};

static struct relation relate(const struct lint *lint, enum direction d, const struct lint_fate *fates, uint32_t id)
{
        const struct world_rule *rule = &lint->world->rules[d][id];
        struct relation ret = {.own = true};

        for (size_t i = 0; i < fates[id].blamed_len; i++) {
                const struct world_rule *blamed;

                if (fates[id].blamed[i] == NONE) {
                        ret.isolation = true;
                        ret.own = false;
                        continue;
                }
                blamed = &lint->world->rules[d][fates[id].blamed[i]];
                ret.contrary |= blamed->rule->action != rule->rule->action;
                ret.differs |= blamed->rule->action != rule->rule->action &&
                               tier_of(lint, d, fates[id].blamed[i]) == tier_of(lint, d, id);
                ret.own &= blamed->policy == rule->policy;
                ret.from_above |= blamed->policy != rule->policy && tier_of(lint, d, fates[id].blamed[i]) == TIER_ADMIN;
        }
        return ret;
}

static void report_dead(struct lint *lint, enum direction d, const struct lint_fate *fates, uint32_t id)
{
        const struct world_rule *rule = &lint->world->rules[d][id];
        const struct lint_fate *fate = &fates[id];
        struct relation relation = relate(lint, d, fates, id);
        bool always = is_always_dead(lint, d, fates, id), above = relation.from_above;
        bool same = relation.own && !relation.differs && tier_of(lint, d, id) != TIER_NETWORK_POLICY;
        char name[LINT_NAME_MAX], other[LINT_NAME_MAX], witness[LINT_FLOW_MAX];
        struct lint_note note = {.witness = lint_flow_text(lint, fate->flow, witness)};
        struct strbuf by = STRBUF_INIT;
        size_t places = 0;

        for (size_t i = 0; i < fate->blamed_len; i++) {
                const struct world_rule *blamed;

                if (fate->blamed[i] == NONE) {
                        strbuf_printf(&by, "%sisolation by NetworkPolicies", i ? ", " : "");
                        continue;
                }
                blamed = &lint->world->rules[d][fate->blamed[i]];
                strbuf_printf(&by, "%s%s", i ? ", " : "",
                              lint_rule_name(&lint->policies->policies[blamed->policy], d, blamed->rule, other));
                note.places[places++] = (struct lint_place){&blamed->rule->loc, "this rule decides in its stead"};
        }
        if (fate->more > 0)
                strbuf_printf(&by, " and %zu more", fate->more);
        note.hint = above  ? "remove the rule, or let the Admin policy pass what is to be decided here"
                    : same ? "remove the rule, or move it up if it was meant to decide"
                           : "remove the rule, or correct what decides in its stead";
        if (strbuf_check(&by) < 0)
                lint->r = -ENOMEM;
        else
                lint_report_as(lint,
                               relation.differs                         ? DIAG_ERROR
                               : same                                   ? DIAG_INFO
                               : always || (above && relation.contrary) ? DIAG_WARNING
                                                                        : DIAG_INFO,
                               above  ? "VW403"
                               : same ? "VW410"
                                      : "VW301",
                               &rule->rule->loc, &note, "%s %s%s: %s %s",
                               lint_rule_name(&lint->policies->policies[rule->policy], d, rule->rule, name),
                               above || same ? "is never reached" : "decides nothing",
                               always ? "" : ", given this inventory", by.text,
                               fate->blamed_len + fate->more == 1 ? "does" : "do");
        strbuf_fini(&by);
}

/* Whether every rule of the policy is dead, or it has none, in the directions in which it applies. What isolation alone
 * makes dead is said of the rules. */
static bool is_idle(const struct lint *lint, struct lint_fate *const fates[DIR_MAX], uint32_t p)
{
        size_t first;

        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t i = lint->world->policy_rules[d][p]; i < lint->world->policy_rules[d][p + 1]; i++)
                        if (fates[d][i].alive || !fates[d][i].flow || relate(lint, d, fates[d], i).isolation)
                                return false;
        return lint_subjects(lint, p, &first) > 0;
}

/* A NetworkPolicy that isolates, whatever the labels, what p isolates in the direction, and that stays. Such a policy is in
 * every class that p is in. */
static const struct policy *find_isolation(const struct lint *lint, const bool *gone, uint32_t p, enum direction d)
{
        const struct policy *policies = lint->policies->policies;
        const struct class *class;

        if (lint->first[d][p] == lint->first[d][p + 1])
                return NULL;
        class = &lint->world->classes[d][lint->classes[d][lint->first[d][p]]];
        for (size_t i = 0; i < class->policies_len; i++) {
                uint32_t other = class->policy_ids[i];

                if (other != p && !gone[other] && policies[other].tier == TIER_NETWORK_POLICY &&
                    lint_subject_covers(&policies[other], &policies[p]))
                        return &policies[other];
        }
        return NULL;
}

/* Whether, of the endpoints that there are, others that stay isolate each. A default deny is there for those to come. */
static bool is_isolated_anyhow(const struct lint *lint, const bool *gone, uint32_t p, enum direction d)
{
        const struct policy *policies = lint->policies->policies;

        if (policies[p].pod_selector->len == 0)
                return false;
        for (uint32_t i = lint->first[d][p]; i < lint->first[d][p + 1]; i++) {
                const struct class *class = &lint->world->classes[d][lint->classes[d][i]];
                bool found = false;

                for (size_t j = 0; !found && j < class->policies_len; j++) {
                        uint32_t other = class->policy_ids[j];

                        found = other != p && !gone[other] && policies[other].tier == TIER_NETWORK_POLICY;
                }
                if (!found)
                        return false;
        }
        return true;
}

/* Where stands what makes a policy redundant: a policy that isolates, or NULL, and a rule for each of its own. */
static void note_instead(const struct lint *lint, struct lint_fate *const fates[DIR_MAX], uint32_t p,
                         const struct policy *isolation, struct lint_note *note)
{
        size_t len = 0;

        if (isolation)
                note->places[len++] =
                        (struct lint_place){&isolation->name_loc, "this policy isolates what it isolates"};
        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t i = lint->world->policy_rules[d][p];
                     i < lint->world->policy_rules[d][p + 1] && len < LINT_PLACES_MAX; i++)
                        if (fates[d][i].blamed_len > 0)
                                note->places[len++] =
                                        (struct lint_place){&lint->world->rules[d][fates[d][i].blamed[0]].rule->loc,
                                                            "this rule decides in the stead of one of its own"};
}

static void check_policy(struct lint *lint, struct lint_fate *const fates[DIR_MAX], uint32_t p, bool *gone)
{
        const struct policy *policy = &lint->policies->policies[p], *isolation = NULL;
        struct lint_note note = {.hint = "remove the policy"};
        enum diag_severity severity = DIAG_WARNING;
        char name[LINT_NAME_MAX], other[LINT_NAME_MAX];

        if (!is_idle(lint, fates, p))
                return;
        for (enum direction d = 0; policy->tier == TIER_NETWORK_POLICY && d < DIR_MAX; d++) {
                const struct policy *found;

                if (!policy->applies[d])
                        continue;
                found = find_isolation(lint, gone, p, d);
                if (!found && !is_isolated_anyhow(lint, gone, p, d))
                        return;
                if (!found)
                        severity = DIAG_INFO;
                else
                        isolation = found;
        }
        gone[p] = true;
        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t i = lint->world->policy_rules[d][p]; i < lint->world->policy_rules[d][p + 1]; i++)
                        if (!is_always_dead(lint, d, fates[d], i))
                                severity = DIAG_INFO;
        note_instead(lint, fates, p, isolation, &note);
        if (isolation)
                lint_report_as(lint, severity, "VW303", &policy->name_loc, &note,
                               "%s changes nothing%s: %s isolates what it isolates, and others allow what it allows",
                               lint_policy_name(policy, name), severity == DIAG_INFO ? ", given this inventory" : "",
                               lint_policy_name(isolation, other));
        else
                lint_report_as(lint, severity, "VW303", &policy->name_loc, &note,
                               "%s changes nothing%s: others decide all that it speaks of",
                               lint_policy_name(policy, name), severity == DIAG_INFO ? ", given this inventory" : "");
}

/* What is said of a Baseline rule that isolation alone keeps from deciding is said of all of its policy's. */
static bool is_reported(const struct lint *lint, const struct lint_fate *fates, enum direction d, uint32_t id,
                        const bool *gone)
{
        const struct lint_fate *fate = &fates[id];

        return fate->flow && !fate->alive && !gone[lint->world->rules[d][id].policy] &&
               !(fate->blamed_len == 1 && fate->blamed[0] == NONE);
}

void lint_dead(struct lint *lint)
{
        _cleanup_free_ bool *gone = calloc(lint->policies->policies_len + 1, sizeof(*gone));
        struct lint_fate *fates[DIR_MAX];

        for (enum direction d = 0; d < DIR_MAX; d++) {
                fates[d] = calloc(lint->world->rules_len[d] + 1, sizeof(*fates[d]));
                if (!gone || !fates[d])
                        lint->r = -ENOMEM;
                if (lint->r == 0)
                        judge(lint, d, fates[d]);
                if (lint->r == 0)
                        lint_blame(lint, d, fates[d]);
        }
        for (uint32_t i = 0; lint->r == 0 && i < lint->policies->policies_len; i++)
                check_policy(lint, fates, i, gone);
        for (enum direction d = 0; d < DIR_MAX; d++) {
                for (uint32_t i = 0; lint->r == 0 && i < lint->world->rules_len[d]; i++)
                        if (is_reported(lint, fates[d], d, i, gone))
                                report_dead(lint, d, fates[d], i);
                if (lint->r == 0)
                        lint_parts(lint, d, fates[d]);
                free(fates[d]);
        }
}
