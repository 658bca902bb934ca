/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The spec of a NetworkPolicy: subject, directions, rules, peers, ports. */
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "names.h"
#include "policy_build.h"

static const char *const spec_fields[] = {"podSelector", "policyTypes", "ingress", "egress"};
static const char *const peer_fields[] = {"podSelector", "namespaceSelector", "ipBlock"};
static const char *const block_fields[] = {"cidr", "except"};
static const char *const port_fields[] = {"protocol", "port", "endPort"};
static const char *const policy_types[] = {"Ingress", "Egress"};

const struct doc_node *doc_present(const struct doc_node *node, const char *key)
{
        const struct doc_node *value = doc_get(node, key);

        return value && value->kind != DOC_NULL ? value : NULL;
}

bool load_cidr(struct policy_loader *loader, const struct doc_node *node, const char *what, struct prefix *ret)
{
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX] =
                                           "write an address, \"/\" and a length: 10.0.0.0/8; every address "
                                           "is 0.0.0.0/0 and ::/0, and names are not resolved";
        struct addr addr;

        if (node->kind != DOC_STRING) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW004",
                         node->kind == DOC_LIST ? "give each an ipBlock of its own" : hint,
                         "%s must be a string, not %s", what, doc_kind_name(node->kind));
                return false;
        }
        if (prefix_parse(node->text, ret))
                return true;
        doc_shown(node->text, shown);
        if (addr_parse(node->text, &addr)) {
                if (strcmp(node->text, "0.0.0.0") == 0 || strcmp(node->text, "::") == 0)
                        snprintf(hint, sizeof(hint), "every address is %s/0", shown);
                else
                        snprintf(hint, sizeof(hint), "for this one address write %s/%d", shown,
                                 addr.family == ADDR_V4 ? 32 : 128);
                doc_diag(loader->file, node, DIAG_ERROR, "VW207", hint, "\"%s\" is an address and not a CIDR", shown);
                return false;
        }
        if (strchr(node->text, '/'))
                snprintf(hint, sizeof(hint),
                         "write an address in full and without leading zeros, \"/\" and a length up to 32, or 128 for "
                         "IPv6");
        doc_diag(loader->file, node, DIAG_ERROR, "VW207", hint, "\"%s\" is not a valid CIDR", shown);
        return false;
}

static void report_except(struct policy_loader *loader, const struct doc_node *node, const struct prefix *except,
                          const struct prefix *cidr)
{
        char inner[ADDR_TEXT_MAX], outer[ADDR_TEXT_MAX];
        const char *problem, *hint = "an except is a smaller part of its cidr; remove it, or widen the cidr";

        prefix_format(except, inner);
        prefix_format(cidr, outer);
        if (except->addr.family != cidr->addr.family)
                problem = "except %s is not of the same address family as cidr %s";
        else if (except->len <= cidr->len && prefix_contains(except, &cidr->addr))
                problem = "except %s leaves nothing of cidr %s";
        else
                problem = "except %s is outside of cidr %s";
        doc_diag(loader->file, node, DIAG_ERROR, "VW207", hint, problem, inner, outer);
}

static void load_excepts(struct policy_loader *loader, const struct doc_node *list, struct peer *peer)
{
        size_t i;

        peer->excepts = loader_array(loader, list->len, sizeof(*peer->excepts));
        for (i = 0; peer->excepts && i < list->len; i++) {
                struct prefix prefix;

                if (!load_cidr(loader, list->items[i], "except", &prefix))
                        continue;
                if (prefix_is_strictly_inside(&prefix, &peer->cidr))
                        peer->excepts[peer->excepts_len++] = prefix;
                else
                        report_except(loader, list->items[i], &prefix, &peer->cidr);
        }
}

static bool load_block(struct policy_loader *loader, const struct doc_node *node, struct peer *peer)
{
        const struct doc_node *cidr;
        struct doc_node *excepts = NULL;
        char hint[DOC_HINT_MAX];

        peer->kind = PEER_BLOCK;
        if (node->kind != DOC_MAP) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW004", hint_block(hint, node),
                         "ipBlock must be a mapping, not %s", doc_kind_name(node->kind));
                return false;
        }
        if (!loader_check_fields(loader, node, "ipBlock", block_fields, ARRAY_SIZE(block_fields)))
                return false;
        cidr = doc_present(node, "cidr");
        if (!cidr) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW005", "give one: cidr: 10.0.0.0/8",
                         "the ipBlock has no \"cidr\"");
                return false;
        }
        if (!load_cidr(loader, cidr, "cidr", &peer->cidr))
                return false;
        if (doc_get_list(loader->file, node, "except", &excepts))
                load_excepts(loader, excepts, peer);
        return true;
}

static void report_empty_peer(struct policy_loader *loader, const struct doc_node *node)
{
        size_t i;

        if (node->len == 0)
                doc_diag(loader->file, node, DIAG_ERROR, "VW005",
                         "\"podSelector: {}\" is every endpoint of this namespace, \"namespaceSelector: {}\" every "
                         "endpoint "
                         "of all",
                         "the peer is empty");
        for (i = 0; i < node->len; i++) {
                const struct doc_pair *pair = &node->pairs[i];

                /* A field that is not known was reported as that. */
                if (pair->value->kind == DOC_NULL)
                        doc_diag(loader->file, pair->key, DIAG_ERROR, "VW005",
                                 "indent what belongs to it further than this line; to select everything write {}",
                                 "\"%s\" is empty", pair->key->text);
        }
}

/* False where the peer says nothing that could be kept; it was reported then. */
static bool load_peer(struct policy_loader *loader, const struct doc_node *node, struct peer *peer)
{
        const struct doc_node *pods, *namespaces, *block;
        char hint[DOC_HINT_MAX];

        if (node->kind != DOC_MAP) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW004", hint_peer(hint, node),
                         "a peer must be a mapping, not %s", doc_kind_name(node->kind));
                return false;
        }
        if (!loader_check_fields(loader, node, "a peer", peer_fields, ARRAY_SIZE(peer_fields)))
                return false;
        pods = doc_present(node, "podSelector");
        namespaces = doc_present(node, "namespaceSelector");
        block = doc_present(node, "ipBlock");
        peer->kind = PEER_SELECTOR;
        peer->loc = loader_loc(loader, node);
        if (pods)
                peer->pod_selector = load_selector(loader, pods, "podSelector");
        if (namespaces)
                peer->ns_selector = load_selector(loader, namespaces, "namespaceSelector");
        if (block && (pods || namespaces))
                doc_diag(loader->file, block, DIAG_ERROR, "VW005", "make it an item of its own, with \"- \" before it",
                         "ipBlock cannot stand beside a selector in one peer");
        if (block)
                return load_block(loader, block, peer);
        if (!pods && !namespaces)
                report_empty_peer(loader, node);
        return peer->pod_selector || peer->ns_selector;
}

bool load_protocol(struct policy_loader *loader, const struct doc_node *node, uint8_t *ret)
{
        static const char *const names[] = {"TCP", "UDP", "SCTP"};
        static const uint8_t numbers[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
        const struct doc_node *value = doc_present(node, "protocol");
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];
        const char *text = NULL;
        size_t i;

        *ret = IPPROTO_TCP;
        if (value && value->kind != DOC_STRING) {
                doc_diag(loader->file, value, DIAG_ERROR, "VW203",
                         value->kind == DOC_LIST ? "each protocol is an item of its own, with its port"
                                                 : "write TCP, UDP or SCTP",
                         "\"protocol\" must be TCP, UDP or SCTP, not %s", doc_kind_name(value->kind));
                return false;
        }
        if (!doc_get_string(loader->file, node, "protocol", &text))
                return !value;
        for (i = 0; i < ARRAY_SIZE(names); i++) {
                if (strcmp(text, names[i]) == 0) {
                        *ret = numbers[i];
                        return true;
                }
        }
        doc_hint_nearest(hint, text, names, ARRAY_SIZE(names),
                         "a rule without ports allows every protocol, ICMP included");
        doc_diag(loader->file, doc_get(node, "protocol"), DIAG_ERROR, "VW203", hint,
                 "\"protocol\" must be TCP, UDP or SCTP, not \"%s\"", doc_shown(text, shown));
        return false;
}

/* A name, or what somebody wrote for a number. */
static bool load_port_name(struct policy_loader *loader, const struct doc_node *node, struct port_match *port)
{
        size_t digits = strspn(node->text, "0123456789"), len = strlen(node->text);
        char shown[DOC_SHOWN_MAX];
        const char *hint;

        if (port_name_is_valid(node->text)) {
                port->kind = PORT_NAME;
                port->name = loader_strdup(loader, node->text);
                return port->name;
        }
        if (digits == len && len > 0)
                hint = "a number is written without quotes";
        else if (digits > 0 && strspn(node->text, "0123456789-:") == len)
                hint = "a range is written as two fields: port: 8000 and endPort: 8080";
        else if (strcmp(node->text, "*") == 0)
                hint = "for all ports of a protocol give \"protocol\" alone; for everything leave \"ports\" out";
        else if (strchr(node->text, ','))
                hint = "each port is an item of its own, with \"- port: \" before it";
        else if (strchr(node->text, '/'))
                hint = "the protocol is a field of its own: protocol: UDP";
        else
                hint = "a name is at most 15 lower-case letters, digits and single inner \"-\", with at least one "
                       "letter";
        doc_diag(loader->file, node, DIAG_ERROR, "VW203", hint, "\"%s\" is neither a port number nor a valid port name",
                 doc_shown(node->text, shown));
        return false;
}

static bool load_port_number(struct policy_loader *loader, const struct doc_node *node, const char *field,
                             uint16_t *ret)
{
        char shown[DOC_SHOWN_MAX];

        if (node->integer < 1 || node->integer > UINT16_MAX) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW203", "for all ports of a protocol give \"protocol\" alone",
                         "\"%s\" must be from 1 to 65535, not %s", field, doc_shown(node->text, shown));
                return false;
        }
        *ret = (uint16_t)node->integer;
        return true;
}

static bool load_port_value(struct policy_loader *loader, const struct doc_node *node, struct port_match *port)
{
        switch (node->kind) {
        case DOC_INT:
                if (!load_port_number(loader, node, "port", &port->range.first))
                        return false;
                port->range.last = port->range.first;
                return true;
        case DOC_STRING:
                return load_port_name(loader, node, port);
        case DOC_LIST:
                doc_diag(loader->file, node, DIAG_ERROR, "VW004",
                         "each port is an item of its own, with \"- port: \" before it",
                         "\"port\" must be a number or a name, not a list");
                return false;
        case DOC_NULL:
        case DOC_BOOL:
        case DOC_FLOAT:
        case DOC_MAP:
        case DOC_KIND_MAX:
                break;
        }
        doc_diag(loader->file, node, DIAG_ERROR, "VW004", "write a whole number, or a name in quotes",
                 "\"port\" must be a number or a name, not %s", doc_kind_name(node->kind));
        return false;
}

static bool load_end_port(struct policy_loader *loader, const struct doc_node *node, const struct doc_node *start,
                          struct port_match *port)
{
        uint16_t last = 0;

        if (node->kind != DOC_INT) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW203", "write it as a number, without quotes",
                         "\"endPort\" must be a number, not %s", doc_kind_name(node->kind));
                return false;
        }
        if (!start || start->kind != DOC_INT) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW203", "give the range's first port as a number: port: 8000",
                         start ? "\"endPort\" needs a \"port\" that is a number" : "\"endPort\" needs a \"port\"");
                return false;
        }
        if (!load_port_number(loader, node, "endPort", &last))
                return false;
        if (last < port->range.first) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW203", "the range goes from port up to endPort",
                         "\"endPort\" %u is below \"port\" %u", last, port->range.first);
                return false;
        }
        port->range.last = last;
        return true;
}

static bool load_port(struct policy_loader *loader, const struct doc_node *node, struct port_match *port)
{
        const struct doc_node *start, *end;
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];
        bool ok;

        if (node->kind == DOC_INT || node->kind == DOC_STRING) {
                size_t digits = strspn(node->text, "0123456789");

                if (digits > 0 && digits < 6 && node->text[digits] == '/')
                        snprintf(hint, sizeof(hint), "write \"- port: %.*s\" and below it \"protocol: ...\"",
                                 (int)digits, node->text);
                else
                        snprintf(hint, sizeof(hint), "write \"- port: %s\"", doc_shown(node->text, shown));
                doc_diag(loader->file, node, DIAG_ERROR, "VW004", hint, "a port must be a mapping, not %s",
                         doc_kind_name(node->kind));
                return false;
        }
        if (!loader_check_fields(loader, node, "a port", port_fields, ARRAY_SIZE(port_fields)))
                return false;
        start = doc_present(node, "port");
        end = doc_present(node, "endPort");
        *port = (struct port_match){.kind = PORT_RANGE, .range = {0, UINT16_MAX}, .loc = loader_loc(loader, node)};
        port->protocol_defaulted = !doc_present(node, "protocol");
        ok = load_protocol(loader, node, &port->protocol);
        if (start)
                ok = load_port_value(loader, start, port) && ok;
        if (end && (ok || !start))
                ok = load_end_port(loader, end, start, port) && ok;
        return ok;
}

/* from or to; a text in its place was meant as a peer. */
static const struct doc_node *get_peers(struct policy_loader *loader, const struct doc_node *node, const char *field)
{
        const struct doc_node *value = doc_present(node, field);
        struct doc_node *ret = NULL;
        char hint[DOC_HINT_MAX], shown[DOC_SHOWN_MAX];

        if (value && value->kind == DOC_STRING)
                doc_diag(loader->file, value, DIAG_ERROR, "VW004", hint_peer(hint, value),
                         "\"%s\" must be a list, not a string (%s)", field, doc_shown(value->text, shown));
        else
                doc_get_list(loader->file, node, field, &ret);
        return ret;
}

static void load_rule(struct policy_loader *loader, const struct doc_node *node, enum direction direction,
                      struct rule *rule)
{
        static const char *const fields[DIR_MAX][2] = {{"from", "ports"}, {"to", "ports"}};
        static const char *const names[DIR_MAX] = {"an ingress rule", "an egress rule"};
        const struct doc_node *peers;
        struct doc_node *ports = NULL;
        size_t i;

        rule->action = ACTION_ALLOW;
        rule->loc = loader_loc(loader, node);
        if (!loader_check_fields(loader, node, names[direction], fields[direction], 2))
                return;
        peers = get_peers(loader, node, fields[direction][0]);
        doc_get_list(loader->file, node, fields[direction][1], &ports);
        rule->any_peer = !peers || peers->len == 0;
        rule->any_port = !ports || ports->len == 0;
        rule->peers = loader_array(loader, peers ? peers->len : 0, sizeof(*rule->peers));
        rule->ports = loader_array(loader, ports ? ports->len : 0, sizeof(*rule->ports));
        if (!rule->peers || !rule->ports)
                return;
        for (i = 0; peers && i < peers->len; i++)
                if (load_peer(loader, peers->items[i], &rule->peers[rule->peers_len]))
                        rule->peers_len++;
        for (i = 0; ports && i < ports->len; i++)
                if (load_port(loader, ports->items[i], &rule->ports[rule->ports_len]))
                        rule->ports_len++;
}

static void load_rules(struct policy_loader *loader, const struct doc_node *spec, enum direction direction,
                       struct policy *policy)
{
        struct doc_node *list = NULL;
        struct rule *rules;
        size_t i;

        if (!doc_get_list(loader->file, spec, direction_name(direction), &list))
                return;
        rules = loader_array(loader, list->len, sizeof(*rules));
        if (!rules)
                return;
        for (i = 0; i < list->len; i++) {
                rules[i].index = (uint32_t)i;
                load_rule(loader, list->items[i], direction, &rules[i]);
        }
        policy->rules[direction] = rules;
        policy->rules_len[direction] = list->len;
}

static void load_policy_type(struct policy_loader *loader, const struct doc_node *node, struct policy *policy)
{
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];
        enum direction direction;

        for (direction = 0; direction < DIR_MAX; direction++) {
                if (node->kind == DOC_STRING && strcmp(node->text, policy_types[direction]) == 0) {
                        policy->applies[direction] = true;
                        return;
                }
        }
        if (node->kind != DOC_STRING) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW004", "write Ingress or Egress",
                         "an item of policyTypes must be a string, not %s", doc_kind_name(node->kind));
                return;
        }
        doc_hint_nearest(hint, node->text, policy_types, ARRAY_SIZE(policy_types), "write Ingress or Egress");
        doc_diag(loader->file, node, DIAG_ERROR, "VW004", hint, "unknown policy type \"%s\"",
                 doc_shown(node->text, shown));
}

/* Kubernetes' defaulting: absent or empty policyTypes mean Ingress, and Egress where there are egress rules. */
static void load_policy_types(struct policy_loader *loader, const struct doc_node *spec, struct policy *policy)
{
        struct doc_node *list = NULL;
        size_t i;

        doc_get_list(loader->file, spec, "policyTypes", &list);
        if (!list || list->len == 0) {
                policy->types_defaulted = true;
                policy->applies[DIR_INGRESS] = true;
                policy->applies[DIR_EGRESS] = policy->rules_len[DIR_EGRESS] > 0;
                return;
        }
        if (list->len > ARRAY_SIZE(policy_types))
                doc_diag(loader->file, list, DIAG_ERROR, "VW008", "list Ingress, Egress, or both once",
                         "more than two policyTypes");
        for (i = 0; i < list->len; i++)
                load_policy_type(loader, list->items[i], policy);
}

void load_network_policy_spec(struct policy_loader *loader, const struct doc_node *spec, struct policy *policy)
{
        const struct doc_node *pods = doc_get(spec, "podSelector");
        static const struct doc_node nothing = {.kind = DOC_NULL};

        policy->pod_selector = load_selector(loader, pods ? pods : &nothing, "podSelector");
        if (policy->pod_selector && !pods)
                policy->pod_selector->loc = loader_loc(loader, spec);
        if (!loader_check_fields(loader, spec, "spec", spec_fields, ARRAY_SIZE(spec_fields)))
                return;
        load_rules(loader, spec, DIR_INGRESS, policy);
        load_rules(loader, spec, DIR_EGRESS, policy);
        load_policy_types(loader, spec, policy);
}
