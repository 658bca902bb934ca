/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint that look at endpoints rather than at policies: who is held by none, who is cut off, who cannot ask for
 * names. */
#include <errno.h>
#include <string.h>

#include "lint_census.h"

/* namespaces */

/* Whom a namespace's policies pass over. Where it has none, somebody else may be at home there: then it is only a note. */
static void check_unselected(struct lint *lint, uint32_t ns, const struct policy *policy)
{
        static const struct lint_note note = {.hint = "add a policy with podSelector: {} to the namespace"};
        const struct world *world = lint->world;
        enum diag_severity severity = policy ? DIAG_WARNING : DIAG_INFO;
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
                lint_report_as(lint, severity, "VW306", policy ? &policy->name_loc : NULL, &note,
                               "%s is selected by no policy: it is open in both directions", name);
        else
                lint_report_as(lint, severity, "VW306", policy ? &policy->name_loc : NULL, &note,
                               "%s and %zu more of its namespace are selected by no policy: they are open in both "
                               "directions",
                               name, n - 1);
}

/* Whether a cluster-wide policy closes the direction to all endpoints of all namespaces. */
static bool closes_everywhere(const struct policy *policy, enum direction d)
{
        if (policy->tier == TIER_NETWORK_POLICY || !policy->applies[d] || policy->pod_selector->len > 0 ||
            (policy->ns_selector && policy->ns_selector->len > 0))
                return false;
        for (size_t i = 0; i < policy->rules_len[d]; i++) {
                const struct rule *rule = &policy->rules[d][i];

                for (size_t j = 0; rule->action == ACTION_DENY && rule->any_port && j < rule->peers_len; j++)
                        if (rule->peers[j].kind == PEER_SELECTOR && rule->peers[j].ns_selector &&
                            rule->peers[j].ns_selector->len == 0 &&
                            (!rule->peers[j].pod_selector || rule->peers[j].pod_selector->len == 0))
                                return true;
        }
        return false;
}

struct cover {
        bool some[DIR_MAX]; /* a policy of the namespace isolates some endpoints */
        bool all[DIR_MAX];  /* one isolates whoever is there */
};

/* What nobody isolates at all is left open on purpose, or is for another to close: that is only a note. */
static void report_uncovered(struct lint *lint, const struct policy *first, const struct cover *cover)
{
        static const struct lint_note note = {
                .hint = "add a policy with podSelector: {} and no rules for this direction"};

        for (enum direction d = 0; d < DIR_MAX; d++)
                if (!cover->all[d])
                        lint_report_as(lint, cover->some[d] ? DIAG_WARNING : DIAG_INFO, "VW307", &first->name_loc,
                                       &note,
                                       "no policy of namespace %s isolates the %s of all its endpoints: one that is "
                                       "added later is open",
                                       first->ns, direction_name(d));
}

/* The policies of a tier and namespace stand together. */
static void check_default_deny(struct lint *lint)
{
        const struct policy_set *set = lint->policies;
        bool everywhere[DIR_MAX] = {false};

        for (size_t i = 0; i < set->policies_len; i++)
                for (enum direction d = 0; d < DIR_MAX; d++)
                        everywhere[d] |= closes_everywhere(&set->policies[i], d);
        for (size_t i = 0, j; i < set->policies_len; i = j) {
                const struct policy *first = &set->policies[i];
                struct cover cover = {.all = {everywhere[DIR_INGRESS], everywhere[DIR_EGRESS]}};

                for (j = i; j < set->policies_len && set->policies[j].tier == first->tier &&
                            (j == i || (first->ns && strcmp(set->policies[j].ns, first->ns) == 0));
                     j++) {
                        for (enum direction d = 0; d < DIR_MAX; d++) {
                                cover.some[d] |= set->policies[j].applies[d];
                                cover.all[d] |= set->policies[j].applies[d] && set->policies[j].pod_selector->len == 0;
                        }
                }
                if (first->tier == TIER_NETWORK_POLICY)
                        report_uncovered(lint, first, &cover);
        }
}

/* reach */

/* The first rule by which a NetworkPolicy was to open something to the class, or NONE. */
static uint32_t find_allow(const struct lint *lint, enum direction d, const struct class *class, bool everything)
{
        for (size_t i = 0; i < class->rules_len; i++) {
                const struct world_rule *rule = &lint->world->rules[d][class->rules[i]];

                if (lint->policies->policies[rule->policy].tier == TIER_NETWORK_POLICY &&
                    (!everything || (rule->rule->any_peer && rule->rule->any_port)))
                        return class->rules[i];
        }
        return NONE;
}

/* A flow between the class and somebody else, or NULL where there is nobody. Returns buf. */
static const char *any_flow(const struct lint *lint, enum direction d, uint32_t id, char buf[static LINT_FLOW_MAX])
{
        struct lint_flow flow = {
                .direction = d,
                .class = id,
                .subject = lint_class_endpoint(lint, d, id),
                .port = {IPPROTO_TCP, 80},
        };

        while (flow.peer < lint->world->inventory->endpoints_len &&
               (flow.peer == flow.subject || lint->world->endpoint_identity[flow.peer] == NONE))
                flow.peer++;
        return flow.peer < lint->world->inventory->endpoints_len ? lint_flow_text(lint, &flow, buf) : NULL;
}

/* Who is isolated and has no rule is cut off on purpose. Who has rules was not meant to be. */
static void check_cut_off(struct lint *lint, enum direction d, uint32_t class_id, const char *name, bool *said)
{
        const struct class *class = &lint->world->classes[d][class_id];
        uint32_t id = find_allow(lint, d, class, false);
        char witness[LINT_FLOW_MAX];
        const struct lint_note note = {
                .hint = "correct the peers of the rule, or remove it if nobody is meant",
                .witness = any_flow(lint, d, class_id, witness),
                .places = {{&class->isolated_by->name_loc, "this policy isolates it"}},
        };

        if (id == NONE || said[id])
                return;
        said[id] = true;
        lint_report(lint, "VW309", &lint->world->rules[d][id].rule->loc, &note, "%s %s nobody, in spite of this rule",
                    name, d == DIR_INGRESS ? "can be reached by" : "can reach");
}

static void check_all_open(struct lint *lint, enum direction d, uint32_t class_id, const char *name, bool *said)
{
        const struct class *class = &lint->world->classes[d][class_id];
        char witness[LINT_FLOW_MAX];
        uint32_t id = class->policies[0]->tier == TIER_ADMIN ? NONE : find_allow(lint, d, class, true);
        const struct lint_note note = {
                .witness = any_flow(lint, d, class_id, witness),
                .places = {{&class->isolated_by->name_loc, "this policy isolates it"}},
        };

        if (id == NONE || said[id])
                return;
        said[id] = true;
        lint_report_as(lint, DIAG_INFO, "VW309", &lint->world->rules[d][id].rule->loc, &note,
                       "the %s of %s is isolated, and by this rule open all the same", direction_name(d), name);
}

static void check_class(struct lint *lint, enum direction direction, uint32_t id, bool *said)
{
        static const struct lint_note dns = {.hint = "allow UDP and TCP port 53 to the resolver"};
        const struct class *class = &lint->world->classes[direction][id];
        const struct lint_reach *reach = &lint->census->reach[direction][id];
        char name[LINT_NAME_MAX];

        if (!class->isolated_by)
                return;
        lint_endpoint_name(lint, lint->world->identities[class->identities[0]].endpoints[0], name);
        if (reach->any)
                check_all_open(lint, direction, id, name, said);
        else
                check_cut_off(lint, direction, id, name, said);
        if (direction == DIR_EGRESS && reach->outside && !(reach->dns_udp && reach->dns_tcp))
                lint_report(lint, "VW308", &class->isolated_by->name_loc, &dns,
                            "%s may reach addresses outside but ask nobody for names by %s", name,
                            reach->dns_udp   ? "TCP, which long answers need"
                            : reach->dns_tcp ? "UDP"
                                             : "UDP or TCP");
}

/* The first policy of every namespace, or NULL. */
static const struct policy **find_first(struct lint *lint)
{
        const struct policy **ret = calloc(lint->world->namespaces_len + 1, sizeof(*ret));

        if (!ret)
                lint->r = -ENOMEM;
        for (size_t i = 0; ret && i < lint->policies->policies_len; i++) {
                const struct policy *policy = &lint->policies->policies[i];
                uint32_t ns = policy->ns ? world_find_namespace(lint->world, policy->ns) : NONE;

                if (ns != NONE && !ret[ns])
                        ret[ns] = policy;
        }
        return ret;
}

void lint_classes(struct lint *lint)
{
        _cleanup_free_ const struct policy **first = find_first(lint);

        for (uint32_t i = 0; first && i < lint->world->namespaces_len; i++)
                check_unselected(lint, i, first[i]);
        check_default_deny(lint);
        for (enum direction d = 0; d < DIR_MAX; d++) {
                _cleanup_free_ bool *said = calloc(lint->world->rules_len[d] + 1, sizeof(*said));

                if (!said)
                        lint->r = -ENOMEM;
                for (uint32_t i = 0; lint->r == 0 && i < lint->world->classes_len[d]; i++)
                        check_class(lint, d, i, said);
        }
}
