/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that others keep from deciding in part, and the part that is left.
 *
 * It is told where the one that decides says otherwise, or is of the same policy. NetworkPolicies of different names overlap as
 * a matter of course. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_dead.h"

#define ISOLATION (NONE - 1)

static const struct policy *policy_of(const struct lint *lint, enum direction d, uint32_t rule)
{
        return &lint->policies->policies[lint->world->rules[d][rule].policy];
}

/* Who decides before the rule where they all hold: NONE, if nobody does; ISOLATION, if a NetworkPolicy isolates from it. */
static uint32_t find_decider(const struct lint *lint, enum direction d, const uint32_t *held, size_t len, bool isolated,
                             uint32_t rule)
{
        enum tier tier = policy_of(lint, d, rule)->tier, passed = TIER_MAX;

        for (size_t i = 0; i < len && held[i] < rule; i++) {
                enum tier other = policy_of(lint, d, held[i])->tier;

                if (other == passed)
                        continue;
                if (other == TIER_NETWORK_POLICY) {
                        if (tier == other && policy_of(lint, d, held[i]) == policy_of(lint, d, rule))
                                return held[i];
                        continue;
                }
                if (other == tier || lint->world->rules[d][held[i]].rule->action != ACTION_PASS)
                        return held[i];
                passed = other;
        }
        return tier == TIER_BASELINE && isolated ? ISOLATION : NONE;
}

static bool is_told(const struct lint *lint, enum direction d, uint32_t rule, uint32_t by)
{
        return by != NONE && by != ISOLATION &&
               (policy_of(lint, d, rule) == policy_of(lint, d, by) ||
                lint->world->rules[d][rule].rule->action != lint->world->rules[d][by].rule->action);
}

/* what is left */

/* Peers of which the same ports are left. */
struct rest {
        struct strbuf ports;
        struct strbuf peers;
        size_t peers_len;
};

#define RESTS_MAX 4
#define PEERS_MAX 3

struct survey {
        enum direction direction;
        uint32_t class;
        uint32_t rule;
        struct strbuf ports; /* left of the case that is being looked at */
        bool whole;          /* nothing of it is decided by others */
        bool any;            /* something of it is left */
        struct lint_run run; /* the last that is left and not written yet; ports.last 0: there is none */
        struct rest rests[RESTS_MAX];
        size_t rests_len;
        bool more;
};

static void put_run(struct survey *survey)
{
        const struct lint_run *run = &survey->run;
        const char *separator = survey->ports.len > 0 ? ", " : "";

        if (run->ports.last == 0)
                return;
        if (run->protocol == 0)
                strbuf_printf(&survey->ports, "%swhat has no ports", separator);
        else if (run->ports.first == run->ports.last)
                strbuf_printf(&survey->ports, "%s%s %u", separator, lint_protocol_name(run->protocol),
                              run->ports.first);
        else
                strbuf_printf(&survey->ports, "%s%s %u-%u", separator, lint_protocol_name(run->protocol),
                              run->ports.first, run->ports.last);
        survey->run.ports.last = 0;
}

static void survey_run(struct lint *lint, const struct lint_case *c, const struct lint_run *run, void *arg)
{
        bool isolated = lint->world->classes[c->direction][c->class].isolated_by, holds = false;
        struct survey *survey = arg;

        for (size_t i = 0; i < run->len; i++)
                holds |= run->held[i] == survey->rule;
        if (!holds)
                return;
        if (find_decider(lint, c->direction, run->held, run->len, isolated, survey->rule) != NONE) {
                survey->whole = false;
                return;
        }
        survey->any = true;
        if (survey->run.ports.last > 0 && survey->run.protocol == run->protocol &&
            survey->run.ports.last + 1 == run->ports.first) {
                survey->run.ports.last = run->ports.last;
                return;
        }
        put_run(survey);
        survey->run = *run;
}

static void put_peer(const struct lint *lint, const struct lint_case *c, struct strbuf *buf)
{
        char one[LINT_NAME_MAX], two[ADDR_TEXT_MAX];
        struct prefix prefix;

        if (c->peer != NONE) {
                size_t alike = lint->world->identities[c->peer].endpoints_len;

                strbuf_puts(buf, lint_endpoint_name(lint, c->peer_endpoint, one));
                alike -= lint->world->endpoint_identity[c->subject] == c->peer;
                strbuf_puts(buf, alike > 1 ? " and others like it" : "");
        }
        if (c->peer == NONE && !c->range)
                strbuf_puts(buf, "addresses that no block has");
        else if (c->peer == NONE && addr_range_is_prefix(c->range, &prefix))
                strbuf_puts(buf, prefix_format(&prefix, two));
        else if (c->peer == NONE)
                strbuf_printf(buf, "%s-%s", addr_format(&c->range->first, one), addr_format(&c->range->last, two));
}

static void survey_case(struct lint *lint, const struct lint_case *c, void *arg)
{
        struct survey *survey = arg;
        struct rest *rest = NULL;

        strbuf_clear(&survey->ports);
        survey->whole = true;
        survey->any = false;
        lint_runs(lint, c, survey_run, survey);
        put_run(survey);
        if (lint->r < 0 || !survey->any)
                return;
        if (survey->whole && strbuf_check(&survey->ports) == 0) {
                strbuf_clear(&survey->ports);
                strbuf_puts(&survey->ports, "all of it");
        }
        if (strbuf_check(&survey->ports) < 0) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; !rest && i < survey->rests_len; i++)
                if (strcmp(survey->rests[i].ports.text, survey->ports.text) == 0)
                        rest = &survey->rests[i];
        if (!rest && survey->rests_len == RESTS_MAX) {
                survey->more = true;
                return;
        }
        if (!rest) {
                rest = &survey->rests[survey->rests_len++];
                rest->ports = survey->ports;
                survey->ports = (struct strbuf)STRBUF_INIT;
        }
        if (rest->peers_len++ < PEERS_MAX) {
                strbuf_puts(&rest->peers, rest->peers_len > 1 ? ", " : "");
                put_peer(lint, c, &rest->peers);
                if (strbuf_check(&rest->peers) < 0)
                        lint->r = -ENOMEM;
        }
}

/* "TCP 81-90 for shop/api-1, 192.0.2.0/24 and 3 more; all of it for ops/probe" */
static void put_rests(const struct survey *survey, struct strbuf *buf)
{
        if (survey->rests_len == 0)
                strbuf_puts(buf, "nothing here, but something for others");
        for (size_t i = 0; i < survey->rests_len; i++) {
                const struct rest *rest = &survey->rests[i];

                strbuf_printf(buf, "%s%s for %s", i > 0 ? "; " : "", rest->ports.text, rest->peers.text);
                if (rest->peers_len > PEERS_MAX)
                        strbuf_printf(buf, " and %zu more", rest->peers_len - PEERS_MAX);
        }
        if (survey->more)
                strbuf_puts(buf, "; and more");
}

static void report(struct lint *lint, const struct lint_situation *situation, uint32_t id, uint32_t by,
                   const char *left)
{
        enum direction d = situation->flow.direction;
        const struct rule *rule = lint->world->rules[d][id].rule, *other = lint->world->rules[d][by].rule;
        char name[LINT_NAME_MAX], other_name[LINT_NAME_MAX], subject[LINT_NAME_MAX], witness[LINT_FLOW_MAX];
        const struct lint_note note = {
                .hint = "take the part out of the rule, or move the rule up if it was meant to decide",
                .witness = lint_flow_text(lint, &situation->flow, witness),
                .places = {{&other->loc, "this rule decides the other part"}},
        };

        lint_report(lint, "VW302", &rule->loc, &note, "for %s %s decides a part of what %s speaks of; left is %s",
                    lint_endpoint_name(lint, situation->flow.subject, subject),
                    lint_rule_name(policy_of(lint, d, by), d, other, other_name),
                    lint_rule_name(policy_of(lint, d, id), d, rule, name), left);
}

static void look_at(struct lint *lint, const struct lint_situation *situation, uint32_t id, uint32_t by)
{
        struct survey survey = {.direction = situation->flow.direction, .class = situation->flow.class, .rule = id};
        _cleanup_(strbuf_fini) struct strbuf left = STRBUF_INIT;
        bool failed = false;

        lint_all_cases(lint, survey.direction, survey.class, survey_case, &survey);
        for (size_t i = 0; i < survey.rests_len; i++)
                failed |= strbuf_check(&survey.rests[i].peers) < 0;
        if (!failed)
                put_rests(&survey, &left);
        if (failed || strbuf_check(&left) < 0)
                lint->r = -ENOMEM;
        if (lint->r == 0)
                report(lint, situation, id, by, left.text);
        strbuf_fini(&survey.ports);
        for (size_t i = 0; i < survey.rests_len; i++) {
                strbuf_fini(&survey.rests[i].ports);
                strbuf_fini(&survey.rests[i].peers);
        }
}

void lint_parts(struct lint *lint, enum direction d, const struct lint_fate *fates)
{
        const struct lint_census *census = lint->census;
        _cleanup_free_ bool *said = calloc(lint->world->rules_len[d] + 1, sizeof(*said));

        if (!said) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < census->situations_len[d]; i++) {
                const struct lint_situation *situation = &census->situations[d][i];

                for (size_t j = 0; lint->r == 0 && j < situation->len; j++) {
                        uint32_t rule = situation->held[j], by;

                        if (said[rule] || !fates[rule].alive)
                                continue;
                        by = find_decider(lint, d, situation->held, situation->len, situation->isolated, rule);
                        if (!is_told(lint, d, rule, by))
                                continue;
                        said[rule] = true;
                        look_at(lint, situation, rule, by);
                }
        }
}
