/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules and policies that decide nothing: what they allow or deny, others decide. Proved on every class, peer and port.
 *
 * In a tier with an order a rule decides where it is the first to hold. Among NetworkPolicies, which only add up, a rule is
 * needed where it alone holds; where several hold, one that is needed elsewhere stands for all, or else the first. So the
 * rules called dead here can all be removed together. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

#define BLAMED_MAX 3

struct fate {
        bool matched; /* it holds somewhere */
        bool alive;
        uint32_t blamed[BLAMED_MAX]; /* who decides in its stead */
        size_t blamed_len;
};

enum phase {
        PHASE_ALONE,  /* find the rules that are needed */
        PHASE_CHOOSE, /* choose one where several hold */
        PHASE_BLAME,  /* say who decides where a dead rule holds */
        PHASE_MAX,
};

struct trial {
        struct fate *fates; /* per rule of the direction */
        enum phase phase;
};

static void blame(struct fate *fate, uint32_t by)
{
        for (size_t i = 0; i < fate->blamed_len; i++)
                if (fate->blamed[i] == by)
                        return;
        if (fate->blamed_len < BLAMED_MAX)
                fate->blamed[fate->blamed_len++] = by;
}

/* Who decides among the NetworkPolicies' rules that hold; NONE while that is open. */
static uint32_t choose(const struct trial *trial, const uint32_t *held, size_t len)
{
        if (len == 1)
                return held[0];
        if (trial->phase == PHASE_ALONE)
                return NONE;
        for (size_t i = 0; i < len; i++)
                if (trial->fates[held[i]].alive)
                        return held[i];
        return held[0];
}

static enum tier tier_of(const struct lint *lint, enum direction direction, uint32_t rule)
{
        return lint->policies->policies[lint->world->rules[direction][rule].policy].tier;
}

/* Goes through the tiers for one port. held: the rules that hold, in order. */
static void try_port(struct lint *lint, struct trial *trial, const struct lint_case *c, const uint32_t *held,
                     size_t len)
{
        bool isolated = lint->world->classes[c->direction][c->class].isolated_by, decided = false;
        size_t i = 0;

        for (enum tier tier = 0; tier < TIER_DEFAULT; tier++) {
                size_t first = i, n;
                uint32_t winner;

                while (i < len && tier_of(lint, c->direction, held[i]) == tier)
                        i++;
                n = i - first;
                if (n == 0 || decided || (tier == TIER_BASELINE && isolated)) {
                        decided |= tier == TIER_NETWORK_POLICY && isolated;
                        continue;
                }
                winner = tier == TIER_NETWORK_POLICY ? choose(trial, held + first, n) : held[first];
                if (winner != NONE && trial->phase != PHASE_BLAME)
                        trial->fates[winner].alive = true;
                for (size_t j = first; trial->phase == PHASE_BLAME && j < i; j++)
                        if (!trial->fates[held[j]].alive)
                                blame(&trial->fates[held[j]], winner);
                decided = winner == NONE || lint->world->rules[c->direction][winner].rule->action != ACTION_PASS;
                for (size_t j = i; trial->phase == PHASE_BLAME && decided && j < len; j++)
                        if (!trial->fates[held[j]].alive)
                                blame(&trial->fates[held[j]], winner);
        }
}

static void try_case(struct lint *lint, const struct lint_case *c, void *arg)
{
        struct trial *trial = arg;
        _cleanup_free_ uint32_t *held = calloc(c->rules_len + 1, sizeof(*held));
        size_t ports_len = 0;
        _cleanup_free_ struct lint_port *ports = lint_case_ports(lint, c, &ports_len);

        if (!held)
                lint->r = -ENOMEM;
        for (size_t i = 0; held && ports && i < ports_len; i++) {
                size_t len = 0;

                for (size_t j = 0; j < c->rules_len; j++)
                        if (lint_rule_holds(lint, c, c->rules[j], &ports[i]))
                                held[len++] = c->rules[j];
                for (size_t j = 0; j < len; j++)
                        trial->fates[held[j]].matched = true;
                try_port(lint, trial, c, held, len);
        }
}

/* Whether wide allows all that narrow does, whatever the inventory. */
static bool peer_covers(const struct policy *wide_policy, const struct peer *wide, const struct policy *narrow_policy,
                        const struct peer *narrow)
{
        if (wide->kind != narrow->kind)
                return false;
        if (wide->kind == PEER_BLOCK) {
                struct addr_range range = prefix_range(&narrow->cidr);

                return wide->excepts_len == 0 && wide->cidr.addr.family == narrow->cidr.addr.family &&
                       wide->cidr.len <= narrow->cidr.len && prefix_contains(&wide->cidr, &range.first);
        }
        if (!lint_selector_covers(wide->pod_selector, narrow->pod_selector))
                return false;
        if (wide->ns_selector)
                return narrow->ns_selector ? lint_selector_covers(wide->ns_selector, narrow->ns_selector)
                                           : wide->ns_selector->len == 0;
        return !narrow->ns_selector && narrow_policy->ns && wide_policy->ns &&
               strcmp(narrow_policy->ns, wide_policy->ns) == 0;
}

static bool ports_cover(const struct rule *wide, const struct rule *narrow)
{
        if (wide->any_port || narrow->any_port)
                return wide->any_port;
        for (size_t i = 0; i < narrow->ports_len; i++) {
                bool found = false;

                for (size_t j = 0; !found && j < wide->ports_len; j++) {
                        const struct port_match *w = &wide->ports[j], *n = &narrow->ports[i];

                        if (w->protocol != n->protocol || w->kind != n->kind)
                                continue;
                        found = n->kind == PORT_NAME
                                        ? strcmp(w->name, n->name) == 0
                                        : w->range.first <= n->range.first && n->range.last <= w->range.last;
                }
                if (!found)
                        return false;
        }
        return true;
}

static bool subject_covers(const struct policy *wide, const struct policy *narrow)
{
        if (!lint_selector_covers(wide->pod_selector, narrow->pod_selector))
                return false;
        if (wide->ns)
                return narrow->ns && strcmp(wide->ns, narrow->ns) == 0;
        if (!narrow->ns)
                return lint_selector_covers(wide->ns_selector, narrow->ns_selector);
        return !wide->ns_selector || wide->ns_selector->len == 0;
}

static bool rule_covers(const struct lint *lint, const struct world_rule *wide, const struct world_rule *narrow)
{
        const struct policy *w = &lint->policies->policies[wide->policy],
                            *n = &lint->policies->policies[narrow->policy];

        if (!subject_covers(w, n) || !ports_cover(wide->rule, narrow->rule))
                return false;
        if (wide->rule->any_peer || narrow->rule->any_peer)
                return wide->rule->any_peer;
        for (size_t i = 0; i < narrow->rule->peers_len; i++) {
                bool found = false;

                for (size_t j = 0; !found && j < wide->rule->peers_len; j++)
                        found = peer_covers(w, &wide->rule->peers[j], n, &narrow->rule->peers[i]);
                if (!found)
                        return false;
        }
        return true;
}

/* Whether one of those who decide in its stead covers the rule by what it says, and not only with this inventory. */
static bool is_always_dead(const struct lint *lint, enum direction d, const struct fate *fates, uint32_t id)
{
        for (size_t i = 0; i < fates[id].blamed_len; i++)
                if (rule_covers(lint, &lint->world->rules[d][fates[id].blamed[i]], &lint->world->rules[d][id]))
                        return true;
        return false;
}

static void report_dead(struct lint *lint, enum direction d, const struct fate *fates, uint32_t id)
{
        struct lint_note note = {.hint = "remove the rule, or correct the one that comes before it"};
        const struct world_rule *rule = &lint->world->rules[d][id];
        const struct fate *fate = &fates[id];
        char name[LINT_NAME_MAX], other[LINT_NAME_MAX];
        struct strbuf by = STRBUF_INIT;
        bool always = is_always_dead(lint, d, fates, id), differs = false;

        static_assert(BLAMED_MAX <= LINT_PLACES_MAX, "a place for each that is blamed");
        for (size_t i = 0; i < fate->blamed_len; i++) {
                const struct world_rule *blamed = &lint->world->rules[d][fate->blamed[i]];
                const struct policy *policy = &lint->policies->policies[blamed->policy];

                differs |= policy->tier == lint->policies->policies[rule->policy].tier &&
                           blamed->rule->action != rule->rule->action;
                strbuf_printf(&by, "%s%s", i ? ", " : "", lint_rule_name(policy, d, blamed->rule, other));
                note.places[i] = (struct lint_place){&blamed->rule->loc, "this rule decides in its stead"};
        }
        if (strbuf_check(&by) < 0)
                lint->r = -ENOMEM;
        else
                lint_report_as(lint,
                               differs  ? DIAG_ERROR
                               : always ? DIAG_WARNING
                                        : DIAG_INFO,
                               "VW301", &rule->rule->loc, &note, "%s decides nothing%s: %s does",
                               lint_rule_name(&lint->policies->policies[rule->policy], d, rule->rule, name),
                               always ? "" : ", given this inventory", by.text);
        strbuf_fini(&by);
}

/* Whether every rule of the policy is dead, or it has none, in the directions in which it applies. */
static bool is_idle(const struct lint *lint, struct fate *const fates[DIR_MAX], uint32_t p)
{
        size_t first;

        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t i = lint->world->policy_rules[d][p]; i < lint->world->policy_rules[d][p + 1]; i++)
                        if (fates[d][i].alive || !fates[d][i].matched)
                                return false;
        return lint_subjects(lint, p, &first) > 0;
}

/* A NetworkPolicy that isolates, whatever the labels, what p isolates in the direction, and that stays. */
static const struct policy *find_isolation(const struct lint *lint, const bool *gone, uint32_t p, enum direction d)
{
        const struct policy *policy = &lint->policies->policies[p];

        for (uint32_t i = 0; i < lint->policies->policies_len; i++) {
                const struct policy *other = &lint->policies->policies[i];

                if (i != p && !gone[i] && other->tier == TIER_NETWORK_POLICY && other->applies[d] &&
                    subject_covers(other, policy))
                        return other;
        }
        return NULL;
}

/* Where stands what makes a policy redundant: a policy that isolates, or NULL, and a rule for each of its own. */
static void note_instead(const struct lint *lint, struct fate *const fates[DIR_MAX], uint32_t p,
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

static void check_policies(struct lint *lint, struct fate *const fates[DIR_MAX], bool *gone)
{
        char name[LINT_NAME_MAX], other[LINT_NAME_MAX];

        for (uint32_t i = 0; i < lint->policies->policies_len; i++) {
                const struct policy *policy = &lint->policies->policies[i], *isolation = NULL;
                struct lint_note note = {.hint = "remove the policy"};
                enum diag_severity severity = DIAG_WARNING;
                bool covered = true;

                if (!is_idle(lint, fates, i))
                        continue;
                for (enum direction d = 0; covered && policy->tier == TIER_NETWORK_POLICY && d < DIR_MAX; d++) {
                        if (!policy->applies[d])
                                continue;
                        isolation = find_isolation(lint, gone, i, d);
                        covered = isolation;
                }
                if (!covered)
                        continue;
                gone[i] = true;
                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (uint32_t j = lint->world->policy_rules[d][i]; j < lint->world->policy_rules[d][i + 1]; j++)
                                if (!is_always_dead(lint, d, fates[d], j))
                                        severity = DIAG_INFO;
                note_instead(lint, fates, i, isolation, &note);
                if (isolation)
                        lint_report_as(
                                lint, severity, "VW303", &policy->name_loc, &note,
                                "%s changes nothing%s: %s isolates what it isolates, and others allow what it allows",
                                lint_policy_name(policy, name), severity == DIAG_INFO ? ", given this inventory" : "",
                                lint_policy_name(isolation, other));
                else
                        lint_report_as(lint, severity, "VW303", &policy->name_loc, &note,
                                       "%s changes nothing%s: others decide all that it speaks of",
                                       lint_policy_name(policy, name),
                                       severity == DIAG_INFO ? ", given this inventory" : "");
        }
}

static bool judge(struct lint *lint, enum direction d, struct fate **ret)
{
        struct trial trial = {.fates = calloc(lint->world->rules_len[d] + 1, sizeof(struct fate))};

        *ret = trial.fates;
        if (!trial.fates)
                lint->r = -ENOMEM;
        for (; lint->r == 0 && trial.phase < PHASE_MAX; trial.phase++)
                for (uint32_t i = 0; lint->r == 0 && i < lint->world->classes_len[d]; i++)
                        lint_cases(lint, d, i, try_case, &trial);
        return lint->r == 0;
}

void lint_dead(struct lint *lint)
{
        struct fate *fates[DIR_MAX] = {NULL};
        _cleanup_free_ bool *gone = calloc(lint->policies->policies_len + 1, sizeof(*gone));

        if (!gone)
                lint->r = -ENOMEM;
        if (gone && judge(lint, DIR_INGRESS, &fates[DIR_INGRESS]) && judge(lint, DIR_EGRESS, &fates[DIR_EGRESS])) {
                check_policies(lint, fates, gone);
                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (uint32_t i = 0; i < lint->world->rules_len[d]; i++)
                                if (fates[d][i].matched && !fates[d][i].alive && !gone[lint->world->rules[d][i].policy])
                                        report_dead(lint, d, fates[d], i);
        }
        for (enum direction d = 0; d < DIR_MAX; d++)
                free(fates[d]);
}
