/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint that look at endpoints rather than at policies: who is held by none, who is cut off, who cannot ask for
 * names; and at tiers: equal priorities, and passing on to nobody. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

/* namespaces */

static void check_unselected(struct lint *lint, uint32_t ns)
{
        static const struct lint_note note = {.hint = "add a policy with podSelector: {} to the namespace"};
        const struct world *world = lint->world;
        size_t n = 0, first = WORLD_OUTSIDE;
        char name[LINT_NAME_MAX];

        for (uint32_t i = world->ns_identities[ns]; i < world->ns_identities[ns + 1]; i++) {
                const struct identity *identity = &world->identities[i];
                bool selected = false;

                for (enum direction d = 0; d < DIR_MAX; d++)
                        selected |= world->classes[d][identity->class[d]].policies_len > 0;
                if (selected)
                        continue;
                n += identity->endpoints_len;
                if (first == WORLD_OUTSIDE || identity->endpoints[0] < first)
                        first = identity->endpoints[0];
        }
        if (n == 0)
                return;
        lint_endpoint_name(lint, first, name);
        if (n == 1)
                lint_report(lint, "VW306", NULL, &note, "%s is selected by no policy: it is open in both directions",
                            name);
        else
                lint_report(lint, "VW306", NULL, &note,
                            "%s and %zu more of its namespace are selected by no policy: they are open in both "
                            "directions",
                            name, n - 1);
}

/* The policies of a tier and namespace stand together. */
static void check_default_deny(struct lint *lint)
{
        static const struct lint_note note = {
                .hint = "add a policy with podSelector: {} and no rules for this direction"};
        const struct policy_set *set = lint->policies;

        for (size_t i = 0, j; i < set->policies_len; i = j) {
                bool closed[DIR_MAX] = {false};

                for (j = i; j < set->policies_len && set->policies[j].tier == set->policies[i].tier &&
                            (j == i || (set->policies[i].ns && strcmp(set->policies[j].ns, set->policies[i].ns) == 0));
                     j++)
                        for (enum direction d = 0; d < DIR_MAX; d++)
                                closed[d] |= set->policies[j].applies[d] && set->policies[j].pod_selector->len == 0;
                for (enum direction d = 0; set->policies[i].tier == TIER_NETWORK_POLICY && d < DIR_MAX; d++)
                        if (!closed[d])
                                lint_report(lint, "VW307", &set->policies[i].name_loc, &note,
                                            "no policy of namespace %s isolates the %s of all its endpoints: one that "
                                            "is added later is open",
                                            set->policies[i].ns, direction_name(d));
        }
}

/* reach */

struct reach {
        bool any;     /* something is allowed */
        bool outside; /* something but DNS is, to or from addresses that are no endpoint's */
        bool dns_udp, dns_tcp;
};

static void add_case(struct lint *lint, const struct lint_case *c, void *arg)
{
        const struct profile *profile;
        struct reach *reach = arg;
        size_t peer = c->peer == NONE ? WORLD_OUTSIDE : lint->world->identities[c->peer].endpoints[0];

        if (world_profile(lint->world, c->direction, c->class, peer, c->addr, &profile) < 0) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < profile->spans_len; i++) {
                const struct profile_span *span = &profile->spans[i];

                if (span->cause.action != ACTION_ALLOW)
                        continue;
                reach->any = true;
                reach->outside |= c->peer == NONE && !(span->ports.first == 53 && span->ports.last == 53);
        }
        reach->any |= profile->other.action == ACTION_ALLOW;
        reach->dns_udp |= profile_at(profile, IPPROTO_UDP, 53)->action == ACTION_ALLOW;
        reach->dns_tcp |= profile_at(profile, IPPROTO_TCP, 53)->action == ACTION_ALLOW;
}

static void check_class(struct lint *lint, enum direction direction, uint32_t id)
{
        static const struct lint_note dns = {.hint = "allow UDP and TCP port 53 to the resolver"};
        const struct class *class = &lint->world->classes[direction][id];
        struct reach reach = {0};
        char name[LINT_NAME_MAX];

        if (!class->isolated_by)
                return;
        lint_cases(lint, direction, id, add_case, &reach);
        if (lint->r < 0)
                return;
        lint_endpoint_name(lint, lint->world->identities[class->identities[0]].endpoints[0], name);
        if (!reach.any)
                lint_report(lint, "VW309", &class->isolated_by->name_loc, NULL, "%s %s nobody", name,
                            direction == DIR_INGRESS ? "can be reached by" : "can reach");
        if (direction == DIR_EGRESS && reach.outside && !(reach.dns_udp && reach.dns_tcp))
                lint_report(lint, "VW308", &class->isolated_by->name_loc, &dns,
                            "%s may reach addresses outside but ask nobody for names by %s", name,
                            reach.dns_udp   ? "TCP, which long answers need"
                            : reach.dns_tcp ? "UDP"
                                            : "UDP or TCP");
}

void lint_classes(struct lint *lint)
{
        for (uint32_t i = 0; i < lint->world->namespaces_len; i++)
                check_unselected(lint, i);
        check_default_deny(lint);
        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t i = 0; lint->r == 0 && i < lint->world->classes_len[d]; i++)
                        check_class(lint, d, i);
}

/* tiers */

struct conflict {
        uint32_t policies[2];
        bool found;
        const struct rule *rules[2];
        bool has_witness;
        char witness[3 * LINT_NAME_MAX];
};

static void note_conflict(struct lint *lint, const struct lint_case *c, const struct lint_port *port,
                          struct conflict *conflict)
{
        const struct class *class = &lint->world->classes[c->direction][c->class];
        char subject[LINT_NAME_MAX], peer[LINT_NAME_MAX], service[32] = "icmp";

        conflict->found = true;
        if (c->peer == NONE && !c->addr)
                return;
        lint_endpoint_name(lint, lint->world->identities[class->identities[0]].endpoints[0], subject);
        if (c->addr)
                addr_format(c->addr, peer);
        else
                lint_endpoint_name(lint, lint->world->identities[c->peer].endpoints[0], peer);
        if (port->protocol != 0)
                snprintf(service, sizeof(service), "%s/%u", lint_protocol_name(port->protocol), port->port);
        snprintf(conflict->witness, sizeof(conflict->witness), "%s %s %s", c->direction == DIR_EGRESS ? subject : peer,
                 c->direction == DIR_EGRESS ? peer : subject, service);
        conflict->has_witness = true;
}

/* What the first rule of each of the two that holds says. */
static void compare_case(struct lint *lint, const struct lint_case *c, void *arg)
{
        struct conflict *conflict = arg;
        size_t len = 0;
        _cleanup_free_ struct lint_port *ports = conflict->found ? NULL : lint_case_ports(lint, c, &len);

        for (size_t i = 0; ports && i < len && !conflict->found; i++) {
                const struct rule *first[2] = {NULL, NULL};

                for (size_t j = 0; j < c->rules_len; j++) {
                        const struct world_rule *rule = &lint->world->rules[c->direction][c->rules[j]];

                        for (size_t k = 0; k < 2; k++)
                                if (!first[k] && rule->policy == conflict->policies[k] &&
                                    lint_rule_holds(lint, c, c->rules[j], &ports[i]))
                                        first[k] = rule->rule;
                }
                if (!first[0] || !first[1] || first[0]->action == first[1]->action)
                        continue;
                conflict->rules[0] = first[0];
                conflict->rules[1] = first[1];
                note_conflict(lint, c, &ports[i], conflict);
        }
}

/* Asks every class that both policies are in. Returns whether there is one. */
static bool compare(struct lint *lint, enum direction d, struct conflict *conflict)
{
        const uint32_t *first = lint->first[d], *classes = lint->classes[d];
        uint32_t i = first[conflict->policies[0]], j = first[conflict->policies[1]];
        bool common = false;

        while (lint->r == 0 && i < first[conflict->policies[0] + 1] && j < first[conflict->policies[1] + 1]) {
                if (classes[i] == classes[j]) {
                        common = true;
                        lint_cases(lint, d, classes[i], compare_case, conflict);
                }
                if (classes[i] <= classes[j])
                        i++;
                else
                        j++;
        }
        return common;
}

static void check_pair(struct lint *lint, uint32_t a, uint32_t b)
{
        static const char *const hint = "give them different priorities";
        const struct policy *p = &lint->policies->policies[a], *q = &lint->policies->policies[b];
        struct conflict conflict = {.policies = {a, b}};
        struct lint_note note = {.hint = hint};
        char one[LINT_NAME_MAX], two[LINT_NAME_MAX];
        bool common = false;

        for (enum direction d = 0; !conflict.found && d < DIR_MAX; d++) {
                common |= compare(lint, d, &conflict);
                if (!conflict.found)
                        continue;
                note.witness = conflict.has_witness ? conflict.witness : NULL;
                note.places[0] = (struct lint_place){&conflict.rules[0]->loc, "this rule decides otherwise"};
                lint_report(lint, "VW401", &conflict.rules[1]->loc, &note,
                            "%s and %s have the same priority and differ: which decides is not determined (here the "
                            "first)",
                            lint_rule_name(p, d, conflict.rules[0], one), lint_rule_name(q, d, conflict.rules[1], two));
        }
        note.places[0] = (struct lint_place){&p->name_loc, "the other policy of this priority"};
        if (common && !conflict.found)
                lint_report(lint, "VW402", &q->name_loc, &note,
                            "%s and %s have the same priority and endpoints in common", lint_policy_name(p, one),
                            lint_policy_name(q, two));
}

/* A pass that no NetworkPolicy and no Baseline policy takes up, for some endpoint. */
static void check_pass(struct lint *lint, uint32_t p, enum direction d)
{
        static const struct lint_note note = {
                .hint = "isolate the endpoint by a NetworkPolicy, or add a Baseline policy"};
        const struct policy *policy = &lint->policies->policies[p];
        char name[LINT_NAME_MAX];

        for (uint32_t i = lint->first[d][p]; i < lint->first[d][p + 1]; i++) {
                const struct class *class = &lint->world->classes[d][lint->classes[d][i]];

                if (class->isolated_by || class->policies[class->policies_len - 1]->tier == TIER_BASELINE)
                        continue;
                for (size_t j = 0; j < policy->rules_len[d]; j++)
                        if (policy->rules[d][j].action == ACTION_PASS)
                                lint_report(
                                        lint, "VW404", &policy->rules[d][j].loc, &note,
                                        "for %s this passes on to nobody: no NetworkPolicy isolates its %s, and "
                                        "the default action decides",
                                        lint_endpoint_name(
                                                lint, lint->world->identities[class->identities[0]].endpoints[0], name),
                                        direction_name(d));
                return;
        }
}

/* As many neighbours of one priority are compared with each. */
#define NEIGHBOURS_MAX 32

void lint_tiers(struct lint *lint)
{
        const struct policy *policies = lint->policies->policies;

        for (uint32_t i = 0; lint->r == 0 && i < lint->policies->policies_len; i++) {
                if (policies[i].tier == TIER_NETWORK_POLICY)
                        continue;
                for (uint32_t j = i + 1;
                     j < lint->policies->policies_len && j - i <= NEIGHBOURS_MAX &&
                     policies[j].tier == policies[i].tier && policies[j].priority == policies[i].priority;
                     j++)
                        check_pair(lint, i, j);
                for (enum direction d = 0; policies[i].tier == TIER_ADMIN && d < DIR_MAX; d++)
                        check_pass(lint, i, d);
        }
}
