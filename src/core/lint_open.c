/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint about what stays open: a default deny undone by another policy, and rules that let in whoever comes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_census.h"

/* a default deny undone */

static uint32_t find_open_rule(const struct lint *lint, enum direction d, uint32_t policy)
{
        for (uint32_t i = lint->world->policy_rules[d][policy]; i < lint->world->policy_rules[d][policy + 1]; i++)
                if (lint->world->rules[d][i].rule->any_peer && lint->world->rules[d][i].rule->any_port)
                        return i;
        return NONE;
}

static void report_undone(struct lint *lint, enum direction d, const struct class *class, uint32_t rule,
                          const struct policy *deny)
{
        const struct policy *open = &lint->policies->policies[lint->world->rules[d][rule].policy];
        const struct lint_flow *flow = &lint->census->decided[d][rule];
        char one[LINT_NAME_MAX], two[LINT_NAME_MAX], name[LINT_NAME_MAX], witness[LINT_FLOW_MAX];
        const struct lint_note note = {
                .hint = "remove one of the two: policies add up, and what one allows no other takes back",
                .witness = flow->subject != WORLD_OUTSIDE ? lint_flow_text(lint, flow, witness) : NULL,
                .places = {{&deny->name_loc, "this policy closes what is opened here"}},
        };

        lint_report(lint, "VW304", &lint->world->rules[d][rule].rule->loc, &note,
                    "%s closes the %s of %s, and this rule of %s opens it to everybody", lint_policy_name(deny, one),
                    direction_name(d),
                    lint_endpoint_name(lint, lint->world->identities[class->identities[0]].endpoints[0], name),
                    lint_policy_name(open, two));
}

static void check_undone(struct lint *lint, enum direction d, bool *said)
{
        for (size_t i = 0; i < lint->world->classes_len[d]; i++) {
                const struct class *class = &lint->world->classes[d][i];
                const struct policy *deny = NULL;

                for (size_t j = 0; !deny && j < class->policies_len; j++)
                        if (class->policies[j]->tier == TIER_NETWORK_POLICY && class->policies[j]->rules_len[d] == 0)
                                deny = class->policies[j];
                for (size_t j = 0; deny && j < class->policies_len; j++) {
                        uint32_t rule = class->policies[j]->tier == TIER_NETWORK_POLICY
                                                ? find_open_rule(lint, d, class->policy_ids[j])
                                                : NONE;

                        if (rule == NONE || said[rule])
                                continue;
                        said[rule] = true;
                        report_undone(lint, d, class, rule, deny);
                }
        }
}

/* whoever comes */

/* A container that nobody has thought of: in a namespace that is there or not, without labels, or with values for all of
 * them that no policy names. */
struct stranger {
        bool own_namespace; /* in the class's */
        bool ns_labelled;   /* if in a new one */
        bool labelled;
};

static const struct stranger strangers[] = {
        {false, false, false}, {false, false, true}, {false, true, false},
        {false, true, true},   {true, false, false}, {true, false, true},
};

/* What everybody has, a stranger too. */
static bool is_always_there(const char *key)
{
        return strcmp(key, NAMESPACE_NAME_LABEL) == 0 || strcmp(key, "vethwall.io/name") == 0 ||
               strcmp(key, "vethwall.io/runtime") == 0;
}

static bool selects_unknown(const struct selector *selector, bool labelled)
{
        for (size_t i = 0; selector && i < selector->len; i++) {
                const struct label_requirement *requirement = &selector->requirements[i];
                bool there = labelled || is_always_there(requirement->key);

                if (requirement->op == LABEL_IN || (requirement->op == LABEL_EXISTS && !there) ||
                    (requirement->op == LABEL_DOES_NOT_EXIST && there))
                        return false;
        }
        return true;
}

/* What a rule lets strangers in by; ns is where a stranger to its class's namespace is. */
static bool peer_selects(const struct lint *lint, const struct policy *policy, const struct peer *peer,
                         const struct stranger *stranger, const char *ns)
{
        if (peer->kind == PEER_BLOCK)
                return peer->cidr.len == 0 && peer->excepts_len == 0;
        if (!selects_unknown(peer->pod_selector, stranger->labelled))
                return false;
        if (!peer->ns_selector)
                return stranger->own_namespace && policy->ns && strcmp(policy->ns, ns) == 0;
        if (!stranger->own_namespace)
                return selects_unknown(peer->ns_selector, stranger->ns_labelled);
        return selector_matches(peer->ns_selector, world_namespace_labels(lint->world, ns));
}

static const struct peer *find_peer(const struct lint *lint, const struct world_rule *rule,
                                    const struct stranger *stranger, const char *ns)
{
        for (size_t i = 0; i < rule->rule->peers_len; i++)
                if (peer_selects(lint, &lint->policies->policies[rule->policy], &rule->rule->peers[i], stranger, ns))
                        return &rule->rule->peers[i];
        return NULL;
}

/* Whether it is worth saying: what names all of its own namespace, or all there is, or addresses, says so itself. */
static bool is_telling(const struct world_rule *rule)
{
        if (rule->rule->action != ACTION_ALLOW)
                return false;
        for (size_t i = 0; i < rule->rule->peers_len; i++) {
                const struct peer *peer = &rule->rule->peers[i];

                if (peer->kind == PEER_SELECTOR &&
                    ((peer->ns_selector && peer->ns_selector->len > 0) ||
                     (peer->pod_selector && peer->pod_selector->len > 0)) &&
                    (selects_unknown(peer->pod_selector, true) || selects_unknown(peer->pod_selector, false)))
                        return true;
        }
        return rule->rule->any_peer && !rule->rule->any_port;
}

struct opening {
        enum direction direction;
        const struct stranger *stranger;
        const char *ns;
        bool *said;    /* per rule of the direction */
        bool *telling; /* per rule of the direction */
};

static void report_opening(struct lint *lint, const struct lint_case *c, const struct opening *opening, uint32_t id,
                           const struct lint_run *run)
{
        const struct world_rule *rule = &lint->world->rules[c->direction][id];
        const struct peer *peer = find_peer(lint, rule, opening->stranger, opening->ns);
        const struct lint_flow *flow = &lint->census->decided[c->direction][id];
        char name[LINT_NAME_MAX], service[32] = "everything without ports", witness[LINT_FLOW_MAX];
        const struct lint_note note = {
                .hint = "ask for a label that those who are meant have",
                .witness = flow->subject != WORLD_OUTSIDE ? lint_flow_text(lint, flow, witness) : NULL,
        };

        if (run->protocol != 0 && run->ports.first == run->ports.last)
                snprintf(service, sizeof(service), "%s %u", lint_protocol_name(run->protocol), run->ports.first);
        else if (run->protocol != 0)
                snprintf(service, sizeof(service), "%s %u-%u", lint_protocol_name(run->protocol), run->ports.first,
                         run->ports.last);
        lint_report(lint, "VW312", peer ? &peer->loc : &rule->rule->loc, &note,
                    "a container that is still to come, whatever its labels%s, %s %s by this (%s)",
                    opening->stranger->own_namespace ? "" : " and namespace",
                    c->direction == DIR_INGRESS ? "reaches" : "is reached by",
                    lint_endpoint_name(lint, c->subject, name), service);
}

static void check_run(struct lint *lint, const struct lint_case *c, const struct lint_run *run, void *arg)
{
        const struct opening *opening = arg;
        bool isolated = lint->world->classes[c->direction][c->class].isolated_by;
        struct lint_outcome outcome = lint_judge(lint, c->direction, run->held, run->len, isolated, TIER_ADMIN);

        if (outcome.action != ACTION_ALLOW || outcome.rule == NONE || opening->said[outcome.rule] ||
            !opening->telling[outcome.rule])
                return;
        opening->said[outcome.rule] = true;
        report_opening(lint, c, opening, outcome.rule, run);
}

static void ask_stranger(struct lint *lint, uint32_t id, struct opening *opening)
{
        const struct class *class = &lint->world->classes[opening->direction][id];
        _cleanup_free_ uint32_t *rules = calloc(class->rules_len + 1, sizeof(*rules));
        struct lint_case c = {
                .direction = opening->direction,
                .class = id,
                .subject = lint_class_endpoint(lint, opening->direction, id),
                .peer = NONE,
                .peer_endpoint = WORLD_OUTSIDE,
                .rules = rules,
        };

        if (!rules) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < class->rules_len; i++) {
                const struct world_rule *rule = &lint->world->rules[opening->direction][class->rules[i]];

                if (rule->rule->any_peer || find_peer(lint, rule, opening->stranger, opening->ns))
                        rules[c.rules_len++] = class->rules[i];
        }
        lint_runs(lint, &c, check_run, opening);
}

static void check_class(struct lint *lint, uint32_t id, struct opening *opening)
{
        const struct class *class = &lint->world->classes[opening->direction][id];
        bool telling = false;

        for (size_t i = 0; !telling && i < class->rules_len; i++)
                telling = opening->telling[class->rules[i]] && !opening->said[class->rules[i]];
        opening->ns = class->isolated_by ? class->isolated_by->ns : NULL;
        for (size_t i = 0; telling && lint->r == 0 && i < ARRAY_SIZE(strangers); i++) {
                opening->stranger = &strangers[i];
                if (opening->ns || !strangers[i].own_namespace)
                        ask_stranger(lint, id, opening);
        }
}

void lint_open(struct lint *lint)
{
        for (enum direction d = 0; d < DIR_MAX; d++) {
                size_t len = lint->world->rules_len[d];
                _cleanup_free_ bool *flags = calloc(3 * len + 1, sizeof(*flags));
                struct opening opening = {.direction = d, .said = flags};

                if (!flags) {
                        lint->r = -ENOMEM;
                        return;
                }
                opening.telling = flags + len;
                for (size_t i = 0; i < len; i++)
                        opening.telling[i] = is_telling(&lint->world->rules[d][i]);
                for (uint32_t i = 0; lint->r == 0 && i < lint->world->classes_len[d]; i++)
                        check_class(lint, i, &opening);
                check_undone(lint, d, flags + 2 * len);
        }
}
