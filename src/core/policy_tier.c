/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The spec of the cluster-wide kinds: ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2, and AdminNetworkPolicy and
 * BaselineAdminNetworkPolicy of v1alpha1, which say the same in older words. https://network-policy-api.sigs.k8s.io
 *
 * Peers that this host cannot tell (nodes, domainNames) fail closed, as v1alpha2 demands of options that are not
 * understood: a rule that accepts them matches nothing, one that denies or passes them denies everybody.
 * v1alpha1 does not ask for that; its nodes are those of a cluster, of which a host without one has none, and so select
 * nothing. */
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "names.h"
#include "policy_build.h"

#define PRIORITY_MAX 1000
#define NAME_MAX_LEN 100

struct tier_dialect {
        const char *kind;
        const char *actions[ACTION_MAX]; /* NULL: there is none */
        const char *ports;               /* the field of a rule that lists ports */
        bool tier_field;                 /* spec.tier says the tier */
        bool priority_field;
        bool strict;                 /* fails closed; no named ports beside addresses */
        enum tier tier;              /* where it does not */
        size_t rules_max, items_max; /* of a direction; of a rule's peers or ports */
};

static const struct tier_dialect dialects[] = {
        [TIER_KIND_CLUSTER] = {.kind = "ClusterNetworkPolicy",
                               .actions = {"Accept", "Deny", "Pass"},
                               .ports = "protocols",
                               .tier_field = true,
                               .priority_field = true,
                               .strict = true,
                               .tier = TIER_ADMIN,
                               .rules_max = 25,
                               .items_max = 25},
        [TIER_KIND_ADMIN] = {.kind = "AdminNetworkPolicy",
                             .actions = {"Allow", "Deny", "Pass"},
                             .ports = "ports",
                             .priority_field = true,
                             .tier = TIER_ADMIN,
                             .rules_max = 100,
                             .items_max = 100},
        [TIER_KIND_BASELINE] = {.kind = "BaselineAdminNetworkPolicy",
                                .actions = {"Allow", "Deny", NULL},
                                .ports = "ports",
                                .tier = TIER_BASELINE,
                                .rules_max = 100,
                                .items_max = 100},
};

const char *tier_kind_name(enum tier_kind kind)
{
        return dialects[kind].kind;
}

/* One rule on its way. */
struct tier_rule {
        struct policy_loader *loader;
        const struct tier_dialect *dialect;
        enum direction direction;
        struct rule *rule;
        size_t peers_cap, ports_cap;
        bool has_addresses;           /* networks, nodes or domainNames among the peers */
        bool is_open_ended;           /* some peer cannot be told here */
        const struct doc_node *named; /* the first named port */
};

/* A mapping without the one field that it needs. Unknown fields were reported as that; those that are there and empty are
 * not there. */
static void report_none(struct policy_loader *loader, const struct doc_node *node, const char *what,
                        const char *const *names, size_t len, const char *hint)
{
        if (node->len == 0)
                doc_diag(loader->file, node, DIAG_ERROR, "VW005", hint, "%s is empty", what);
        for (size_t i = 0; i < len; i++)
                if (doc_get(node, names[i]))
                        doc_diag(loader->file, doc_get(node, names[i]), DIAG_ERROR, "VW005",
                                 "indent what belongs to it further than this line", "\"%s\" is empty", names[i]);
}

/* The one field of a mapping that must have exactly one; NULL and reported where it has none or several. */
static const struct doc_node *only_field(struct policy_loader *loader, const struct doc_node *node, const char *what,
                                         const char *const *names, size_t len, const char **ret_name)
{
        const struct doc_node *found = NULL;
        char hint[DOC_HINT_MAX];
        size_t pos = 0;

        if (!loader_check_fields(loader, node, what, names, len))
                return NULL;
        for (size_t i = 0; i < len && pos < sizeof(hint); i++)
                pos += (size_t)snprintf(hint + pos, sizeof(hint) - pos, "%s%s", i ? ", " : "give one of: ", names[i]);
        for (size_t i = 0; i < len; i++) {
                const struct doc_node *value = doc_present(node, names[i]);

                if (!value)
                        continue;
                if (found) {
                        doc_diag(loader->file, value, DIAG_ERROR, "VW005",
                                 "keep one of the two; in a list, the other can be an item of its own",
                                 "%s cannot have both %s and %s", what, *ret_name, names[i]);
                        return NULL;
                }
                found = value;
                *ret_name = names[i];
        }
        if (!found)
                report_none(loader, node, what, names, len, hint);
        return found;
}

static struct selector *every(struct policy_loader *loader)
{
        return loader_array(loader, 1, sizeof(struct selector));
}

/* namespaces: a selector; pods: two of them. An absent one matches everything, as Kubernetes reads it. */
static bool load_pods(struct policy_loader *loader, const struct doc_node *node, struct selector **ns_selector,
                      struct selector **pod_selector)
{
        static const char *const fields[] = {"namespaceSelector", "podSelector"};
        const struct doc_node *namespaces, *pods;

        if (!loader_check_fields(loader, node, "pods", fields, ARRAY_SIZE(fields)))
                return false;
        namespaces = doc_present(node, "namespaceSelector");
        pods = doc_present(node, "podSelector");
        *ns_selector = namespaces ? load_selector(loader, namespaces, "namespaceSelector") : every(loader);
        *pod_selector = pods ? load_selector(loader, pods, "podSelector") : every(loader);
        return true;
}

static void load_subject(struct policy_loader *loader, const struct doc_node *spec, struct policy *policy)
{
        static const char *const fields[] = {"namespaces", "pods"};
        const struct doc_node *subject = doc_present(spec, "subject"), *chosen;
        const char *field = NULL;

        if (!subject) {
                doc_diag(loader->file, spec, DIAG_ERROR, "VW005",
                         "write \"subject:\" and below it \"namespaces: {}\" for every endpoint",
                         "the policy has no \"subject\"");
                return;
        }
        chosen = only_field(loader, subject, "subject", fields, ARRAY_SIZE(fields), &field);
        if (!chosen)
                return;
        if (strcmp(field, "pods") == 0) {
                load_pods(loader, chosen, &policy->ns_selector, &policy->pod_selector);
                return;
        }
        policy->ns_selector = load_selector(loader, chosen, "namespaces");
        policy->pod_selector = every(loader);
}

/* peers */

static struct peer *add_peer(struct tier_rule *job, const struct doc_node *node, enum peer_kind kind)
{
        struct rule *rule = job->rule;
        struct peer *peer;

        if (rule->peers_len == job->peers_cap) {
                size_t cap = job->peers_cap ? 2 * job->peers_cap : 4;
                struct peer *grown = loader_array(job->loader, cap, sizeof(*grown));

                if (!grown)
                        return NULL;
                if (rule->peers_len > 0)
                        memcpy(grown, rule->peers, rule->peers_len * sizeof(*grown));
                rule->peers = grown;
                job->peers_cap = cap;
        }
        peer = &rule->peers[rule->peers_len++];
        peer->kind = kind;
        peer->loc = loader_loc(job->loader, node);
        return peer;
}

static bool is_list_of(struct tier_rule *job, const struct doc_node *node, const char *what)
{
        if (node->kind == DOC_LIST && node->len >= 1 && node->len <= job->dialect->items_max)
                return true;
        if (node->kind != DOC_LIST)
                doc_diag(job->loader->file, node, DIAG_ERROR, "VW004", "begin each item with \"- \"",
                         "\"%s\" must be a list, not %s", what, doc_kind_name(node->kind));
        else if (node->len == 0)
                doc_diag(job->loader->file, node, DIAG_ERROR, "VW005", "list at least one, or remove the field",
                         "\"%s\" is empty", what);
        else
                doc_diag(job->loader->file, node, DIAG_ERROR, "VW008", "split it over several rules",
                         "\"%s\" has %zu items; at most %zu are allowed", what, node->len, job->dialect->items_max);
        return false;
}

static void load_networks(struct tier_rule *job, const struct doc_node *node)
{
        if (!is_list_of(job, node, "networks"))
                return;
        for (size_t i = 0; i < node->len; i++) {
                struct prefix prefix;
                struct peer *peer;

                if (!load_cidr(job->loader, node->items[i], "a network", &prefix))
                        continue;
                peer = add_peer(job, node->items[i], PEER_BLOCK);
                if (peer)
                        peer->cidr = prefix;
        }
}

static void load_tier_peer(struct tier_rule *job, const struct doc_node *node)
{
        static const char *const fields[] = {"namespaces", "pods", "networks", "nodes", "domainNames"};
        struct policy_loader *loader = job->loader;
        const char *field = NULL;
        const struct doc_node *chosen =
                only_field(loader, node, "a peer", fields, job->direction == DIR_EGRESS ? 5 : 2, &field);
        struct peer *peer;

        if (!chosen)
                return;
        job->has_addresses |= strcmp(field, "namespaces") != 0 && strcmp(field, "pods") != 0;
        if (strcmp(field, "networks") == 0) {
                load_networks(job, chosen);
        } else if (strcmp(field, "nodes") == 0) {
                load_selector(loader, chosen, "nodes");
                job->is_open_ended |= job->dialect->strict;
        } else if (strcmp(field, "domainNames") == 0) {
                is_list_of(job, chosen, "domainNames");
                if (job->rule->action != ACTION_ALLOW)
                        doc_diag(loader->file, chosen, DIAG_ERROR, "VW005", "deny or pass by networks instead",
                                 "domainNames is only for rules that accept");
                job->is_open_ended = true;
        } else {
                peer = add_peer(job, node, PEER_SELECTOR);
                if (!peer)
                        return;
                if (strcmp(field, "namespaces") == 0)
                        peer->ns_selector = load_selector(loader, chosen, "namespaces");
                else if (!load_pods(loader, chosen, &peer->ns_selector, &peer->pod_selector))
                        job->rule->peers_len--;
        }
}

static void load_tier_peers(struct tier_rule *job, const struct doc_node *node)
{
        const char *field = job->direction == DIR_EGRESS ? "to" : "from";
        const struct doc_node *list = doc_present(node, field);

        if (!list) {
                doc_diag(job->loader->file, node, DIAG_ERROR, "VW005",
                         "every endpoint is \"- namespaces: {}\" there; in egress, every address is \"- networks: "
                         "[0.0.0.0/0, \"::/0\"]\"",
                         "the rule has no \"%s\"", field);
                return;
        }
        if (!is_list_of(job, list, field))
                return;
        for (size_t i = 0; i < list->len; i++)
                load_tier_peer(job, list->items[i]);
}

/* ports */

static void add_port(struct tier_rule *job, const struct doc_node *node, const struct port_match *match)
{
        struct rule *rule = job->rule;

        if (rule->ports_len == job->ports_cap) {
                size_t cap = job->ports_cap ? 2 * job->ports_cap : 4;
                struct port_match *grown = loader_array(job->loader, cap, sizeof(*grown));

                if (!grown)
                        return;
                if (rule->ports_len > 0)
                        memcpy(grown, rule->ports, rule->ports_len * sizeof(*grown));
                rule->ports = grown;
                job->ports_cap = cap;
        }
        rule->ports[rule->ports_len] = *match;
        rule->ports[rule->ports_len++].loc = loader_loc(job->loader, node);
}

/* A name stands for the port of that name whatever its protocol. */
static void add_named_port(struct tier_rule *job, const struct doc_node *node)
{
        static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
        char shown[DOC_SHOWN_MAX];
        const char *name;

        if (node->kind != DOC_STRING || !port_name_is_valid(node->text)) {
                doc_diag(job->loader->file, node, DIAG_ERROR, "VW203",
                         "a name is at most 15 lower-case letters, digits and single inner \"-\", with at least one "
                         "letter",
                         "\"%s\" is no port name", node->text ? doc_shown(node->text, shown) : "");
                return;
        }
        if (!job->named)
                job->named = node;
        name = loader_strdup(job->loader, node->text);
        for (size_t i = 0; name && i < ARRAY_SIZE(protocols); i++)
                add_port(job, node, &(struct port_match){.kind = PORT_NAME, .protocol = protocols[i], .name = name});
}

static bool get_port(struct tier_rule *job, const struct doc_node *node, const char *field, uint16_t *ret)
{
        int64_t number = 0;

        if (!doc_present(node, field)) {
                doc_diag(job->loader->file, node, DIAG_ERROR, "VW005", "give a number from 1 to 65535",
                         "there is no \"%s\"", field);
                return false;
        }
        if (!doc_get_int(job->loader->file, node, field, 1, UINT16_MAX, &number))
                return false;
        *ret = (uint16_t)number;
        return true;
}

static bool get_range(struct tier_rule *job, const struct doc_node *node, struct port_range *ret)
{
        if (!get_port(job, node, "start", &ret->first) || !get_port(job, node, "end", &ret->last))
                return false;
        if (ret->first < ret->last)
                return true;
        doc_diag(job->loader->file, doc_get(node, "end"), DIAG_ERROR, "VW203", "a range goes from start up to end",
                 "\"end\" %u is not above \"start\" %u", ret->last, ret->first);
        return false;
}

/* v1alpha2: tcp, udp or sctp with a destinationPort, or destinationNamedPort. */
static void load_protocol_item(struct tier_rule *job, const struct doc_node *node)
{
        static const char *const fields[] = {"tcp", "udp", "sctp", "destinationNamedPort"};
        static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
        static const char *const inner[] = {"destinationPort"}, *const forms[] = {"number", "range"};
        static const char *const range[] = {"start", "end"};
        struct port_match match = {.kind = PORT_RANGE, .range = {0, UINT16_MAX}};
        const char *field = NULL, *form = NULL;
        const struct doc_node *chosen = only_field(job->loader, node, "a protocol", fields, ARRAY_SIZE(fields), &field);
        const struct doc_node *port, *value;

        if (!chosen)
                return;
        if (strcmp(field, "destinationNamedPort") == 0) {
                add_named_port(job, chosen);
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
                if (strcmp(field, fields[i]) == 0)
                        match.protocol = protocols[i];
        if (!loader_check_fields(job->loader, chosen, field, inner, ARRAY_SIZE(inner)))
                return;
        port = doc_present(chosen, "destinationPort");
        if (port) {
                value = only_field(job->loader, port, "destinationPort", forms, ARRAY_SIZE(forms), &form);
                if (!value)
                        return;
                if (strcmp(form, "number") == 0) {
                        if (!get_port(job, port, "number", &match.range.first))
                                return;
                        match.range.last = match.range.first;
                } else if (!loader_check_fields(job->loader, value, "range", range, ARRAY_SIZE(range)) ||
                           !get_range(job, value, &match.range)) {
                        return;
                }
        }
        add_port(job, node, &match);
}

/* v1alpha1: portNumber, portRange or namedPort. */
static void load_port_item(struct tier_rule *job, const struct doc_node *node)
{
        static const char *const fields[] = {"portNumber", "portRange", "namedPort"};
        static const char *const number[] = {"protocol", "port"}, *const range[] = {"protocol", "start", "end"};
        struct port_match match = {.kind = PORT_RANGE};
        const char *field = NULL;
        const struct doc_node *chosen = only_field(job->loader, node, "a port", fields, ARRAY_SIZE(fields), &field);

        if (!chosen)
                return;
        if (strcmp(field, "namedPort") == 0) {
                add_named_port(job, chosen);
                return;
        }
        if (strcmp(field, "portNumber") == 0) {
                if (!loader_check_fields(job->loader, chosen, field, number, ARRAY_SIZE(number)) ||
                    !load_protocol(job->loader, chosen, &match.protocol) ||
                    !get_port(job, chosen, "port", &match.range.first))
                        return;
                match.range.last = match.range.first;
        } else if (!loader_check_fields(job->loader, chosen, field, range, ARRAY_SIZE(range)) ||
                   !load_protocol(job->loader, chosen, &match.protocol) || !get_range(job, chosen, &match.range)) {
                return;
        }
        add_port(job, node, &match);
}

static void load_tier_ports(struct tier_rule *job, const struct doc_node *node)
{
        const struct doc_node *list = doc_present(node, job->dialect->ports);

        job->rule->any_port = !list;
        if (!list || !is_list_of(job, list, job->dialect->ports))
                return;
        for (size_t i = 0; i < list->len; i++) {
                if (strcmp(job->dialect->ports, "protocols") == 0)
                        load_protocol_item(job, list->items[i]);
                else
                        load_port_item(job, list->items[i]);
        }
}

/* rules */

static void load_action(struct tier_rule *job, const struct doc_node *node)
{
        const char *const *actions = job->dialect->actions;
        size_t len = actions[ACTION_PASS] ? ACTION_MAX : ACTION_PASS;
        const struct doc_node *value = doc_present(node, "action");
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX], words[64];
        const char *text = NULL;

        if (actions[ACTION_PASS])
                snprintf(words, sizeof(words), "write %s, %s or %s", actions[0], actions[1], actions[ACTION_PASS]);
        else
                snprintf(words, sizeof(words), "write %s or %s", actions[0], actions[1]);
        if (!value) {
                doc_diag(job->loader->file, node, DIAG_ERROR, "VW005", words, "the rule has no \"action\"");
                return;
        }
        if (!doc_get_string(job->loader->file, node, "action", &text))
                return;
        for (size_t i = 0; i < len; i++) {
                if (strcmp(text, actions[i]) == 0) {
                        job->rule->action = (enum action)i;
                        return;
                }
        }
        doc_hint_nearest(hint, text, actions, len, words);
        doc_diag(job->loader->file, value, DIAG_ERROR, "VW004", hint, "\"%s\" is no action of %s",
                 doc_shown(text, shown), job->dialect->kind);
}

static void load_rule_name(struct tier_rule *job, const struct doc_node *node)
{
        const char *text = NULL;

        if (!doc_get_string(job->loader->file, node, "name", &text))
                return;
        if (strlen(text) > NAME_MAX_LEN)
                doc_diag(job->loader->file, doc_get(node, "name"), DIAG_ERROR, "VW008", "shorten it",
                         "a rule's name has at most %d characters", NAME_MAX_LEN);
        job->rule->name = loader_strdup(job->loader, text);
}

static void load_tier_rule(struct policy_loader *loader, const struct tier_dialect *dialect, enum direction direction,
                           const struct doc_node *node, struct rule *rule)
{
        const char *const fields[] = {"name", "action", direction == DIR_EGRESS ? "to" : "from", dialect->ports};
        struct tier_rule job = {.loader = loader, .dialect = dialect, .direction = direction, .rule = rule};

        rule->loc = loader_loc(loader, node);
        if (!loader_check_fields(loader, node, direction == DIR_EGRESS ? "an egress rule" : "an ingress rule", fields,
                                 ARRAY_SIZE(fields)))
                return;
        load_rule_name(&job, node);
        load_action(&job, node);
        load_tier_peers(&job, node);
        load_tier_ports(&job, node);
        if (job.named && job.has_addresses && dialect->strict)
                doc_diag(loader->file, job.named, DIAG_ERROR, "VW206", "give the port's number",
                         "a named port cannot stand with networks, nodes or domainNames, which have no names for "
                         "ports");
        if (job.is_open_ended) {
                rule->peers_len = 0;
                rule->any_peer = rule->action != ACTION_ALLOW;
                if (rule->action == ACTION_PASS)
                        rule->action = ACTION_DENY;
        }
        rule->fails_closed = job.is_open_ended;
}

static void load_tier_rules(struct policy_loader *loader, const struct tier_dialect *dialect,
                            const struct doc_node *spec, enum direction direction, struct policy *policy)
{
        struct doc_node *list = NULL;
        struct rule *rules;

        if (!doc_get_list(loader->file, spec, direction_name(direction), &list))
                return;
        if (list->len > dialect->rules_max)
                doc_diag(loader->file, list, DIAG_ERROR, "VW008", "split the policy",
                         "\"%s\" has %zu rules; at most %zu are allowed", direction_name(direction), list->len,
                         dialect->rules_max);
        rules = loader_array(loader, list->len, sizeof(*rules));
        if (!rules)
                return;
        for (size_t i = 0; i < list->len; i++) {
                rules[i].index = (uint32_t)i;
                load_tier_rule(loader, dialect, direction, list->items[i], &rules[i]);
        }
        policy->rules[direction] = rules;
        policy->rules_len[direction] = list->len;
        policy->applies[direction] = list->len > 0;
}

static void load_tier(struct policy_loader *loader, const struct doc_node *spec, struct policy *policy)
{
        static const char *const names[] = {"Admin", "Baseline"};
        static const enum tier tiers[] = {TIER_ADMIN, TIER_BASELINE};
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];
        const char *text = NULL;

        if (!doc_present(spec, "tier")) {
                doc_diag(loader->file, spec, DIAG_ERROR, "VW005", "write tier: Admin or tier: Baseline",
                         "the policy has no \"tier\"");
                return;
        }
        if (!doc_get_string(loader->file, spec, "tier", &text))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                if (strcmp(text, names[i]) == 0) {
                        policy->tier = tiers[i];
                        return;
                }
        }
        doc_hint_nearest(hint, text, names, ARRAY_SIZE(names), "write Admin or Baseline");
        doc_diag(loader->file, doc_get(spec, "tier"), DIAG_ERROR, "VW004", hint, "unknown tier \"%s\"",
                 doc_shown(text, shown));
}

void load_tier_policy_spec(struct policy_loader *loader, const struct doc_node *spec, enum tier_kind kind,
                           struct policy *policy)
{
        const struct tier_dialect *dialect = &dialects[kind];
        const char *fields[5] = {"subject", "ingress", "egress"};
        size_t len = 3;
        int64_t priority = 0;

        if (dialect->priority_field)
                fields[len++] = "priority";
        if (dialect->tier_field)
                fields[len++] = "tier";
        policy->tier = dialect->tier;
        if (!loader_check_fields(loader, spec, "spec", fields, len))
                return;
        if (dialect->tier_field)
                load_tier(loader, spec, policy);
        if (!dialect->priority_field)
                policy->priority = PRIORITY_MAX + 1; /* behind every policy of the tier that has one */
        else if (!doc_present(spec, "priority"))
                doc_diag(loader->file, spec, DIAG_ERROR, "VW005",
                         "give a number from 0 to 1000; lower ones decide first", "the policy has no \"priority\"");
        else if (doc_get_int(loader->file, spec, "priority", 0, PRIORITY_MAX, &priority))
                policy->priority = (int)priority;
        load_subject(loader, spec, policy);
        for (enum direction d = 0; d < DIR_MAX; d++)
                load_tier_rules(loader, dialect, spec, d, policy);
}
