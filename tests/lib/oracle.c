/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The direct evaluator. Each function is one sentence of the policy language. */
#include <string.h>

#include "oracle.h"

/* A label of the namespace: every namespace is labelled with its name; the others come from the inventory and from
 * Namespace objects among the policies. */
static const char *namespace_label(const struct oracle *oracle, const char *ns, const char *key)
{
        const char *value;

        if (strcmp(key, NAMESPACE_NAME_LABEL) == 0)
                return ns;
        for (size_t i = 0; i < oracle->policies->namespaces_len; ++i)
                if (strcmp(oracle->policies->namespaces[i].name, ns) == 0) {
                        value = label_set_get(&oracle->policies->namespaces[i].labels, key);
                        if (value)
                                return value;
                }
        for (size_t i = 0; i < oracle->inventory->namespaces_len; ++i)
                if (strcmp(oracle->inventory->namespaces[i].name, ns) == 0)
                        return label_set_get(&oracle->inventory->namespaces[i].labels, key);
        return NULL;
}

static bool is_listed(const struct label_requirement *requirement, const char *value)
{
        for (size_t i = 0; i < requirement->values_len; ++i)
                if (strcmp(requirement->values[i], value) == 0)
                        return true;
        return false;
}

/* value: the label's, NULL where it is absent. */
static bool requirement_holds(const struct label_requirement *requirement, const char *value)
{
        switch (requirement->op) {
        case LABEL_IN:
                return value && is_listed(requirement, value);
        case LABEL_NOT_IN:
                return !value || !is_listed(requirement, value);
        case LABEL_EXISTS:
                return value != NULL;
        case LABEL_DOES_NOT_EXIST:
                return value == NULL;
        case LABEL_OP_MAX:
                break;
        }
        return false;
}

static bool selects_endpoint(const struct selector *selector, const struct endpoint *endpoint)
{
        for (size_t i = 0; i < selector->len; ++i)
                if (!requirement_holds(&selector->requirements[i],
                                       label_set_get(&endpoint->labels, selector->requirements[i].key)))
                        return false;
        return true;
}

static bool selects_namespace(const struct oracle *oracle, const struct selector *selector, const char *ns)
{
        for (size_t i = 0; i < selector->len; ++i)
                if (!requirement_holds(&selector->requirements[i],
                                       namespace_label(oracle, ns, selector->requirements[i].key)))
                        return false;
        return true;
}

const struct endpoint *oracle_endpoint(const struct oracle *oracle, const struct addr *addr)
{
        for (size_t i = 0; i < oracle->inventory->endpoints_len; ++i) {
                const struct endpoint *endpoint = &oracle->inventory->endpoints[i];

                for (size_t j = 0; !endpoint->host_network && j < endpoint->addrs_len; ++j)
                        if (addr_equal(&endpoint->addrs[j], addr))
                                return endpoint;
        }
        return NULL;
}

bool oracle_selects(const struct oracle *oracle, const struct policy *policy, const struct endpoint *endpoint,
                    enum direction direction)
{
        if (endpoint->host_network || !policy->applies[direction])
                return false;
        if (policy->ns && strcmp(policy->ns, endpoint->ns) != 0)
                return false;
        if (policy->ns_selector && !selects_namespace(oracle, policy->ns_selector, endpoint->ns))
                return false;
        return selects_endpoint(policy->pod_selector, endpoint);
}

static bool block_matches(const struct peer *peer, const struct addr *addr)
{
        if (!prefix_contains(&peer->cidr, addr))
                return false;
        for (size_t i = 0; i < peer->excepts_len; ++i)
                if (prefix_contains(&peer->excepts[i], addr))
                        return false;
        return true;
}

static bool peer_matches(const struct oracle *oracle, const struct policy *policy, const struct peer *peer,
                         const struct addr *addr)
{
        const struct endpoint *endpoint = oracle_endpoint(oracle, addr);

        if (peer->kind == PEER_BLOCK)
                return block_matches(peer, addr);
        if (!endpoint)
                return false;
        if (peer->ns_selector) {
                if (!selects_namespace(oracle, peer->ns_selector, endpoint->ns))
                        return false;
        } else if (policy->ns && strcmp(policy->ns, endpoint->ns) != 0) {
                return false;
        }
        return !peer->pod_selector || selects_endpoint(peer->pod_selector, endpoint);
}

/* Names are those of the endpoint that is connected to. */
static bool port_matches(const struct oracle *oracle, const struct port_match *port, const struct oracle_packet *packet)
{
        const struct endpoint *endpoint;

        if (!packet->has_ports || port->protocol != packet->protocol)
                return false;
        if (port->kind == PORT_RANGE)
                return port->range.first <= packet->dport && packet->dport <= port->range.last;
        endpoint = oracle_endpoint(oracle, &packet->daddr);
        for (size_t i = 0; endpoint && i < endpoint->ports_len; ++i)
                if (endpoint->ports[i].protocol == packet->protocol && endpoint->ports[i].port == packet->dport &&
                    strcmp(endpoint->ports[i].name, port->name) == 0)
                        return true;
        return false;
}

bool oracle_rule_matches(const struct oracle *oracle, const struct policy *policy, const struct rule *rule,
                         const struct oracle_packet *packet, enum direction direction)
{
        const struct addr *addr = direction == DIR_INGRESS ? &packet->saddr : &packet->daddr;
        bool peer = rule->any_peer, port = rule->any_port;

        for (size_t i = 0; !peer && i < rule->peers_len; ++i)
                peer = peer_matches(oracle, policy, &rule->peers[i], addr);
        for (size_t i = 0; !port && i < rule->ports_len; ++i)
                port = port_matches(oracle, &rule->ports[i], packet);
        return peer && port;
}

/* Lower priorities first, then by name. */
static bool comes_before(const struct policy *a, const struct policy *b)
{
        int r = strcmp(a->name, b->name);

        if (a->priority != b->priority)
                return a->priority < b->priority;
        return r != 0 ? r < 0 : a < b;
}

/* The next policy of the tier after last that selects the endpoint; NULL: no more. */
static const struct policy *next_policy(const struct oracle *oracle, enum tier tier, const struct endpoint *endpoint,
                                        enum direction direction, const struct policy *last)
{
        const struct policy *best = NULL;

        for (size_t i = 0; i < oracle->policies->policies_len; ++i) {
                const struct policy *policy = &oracle->policies->policies[i];

                if (policy->tier == tier && (!last || comes_before(last, policy)) &&
                    (!best || comes_before(policy, best)) && oracle_selects(oracle, policy, endpoint, direction))
                        best = policy;
        }
        return best;
}

/* In an ordered tier the first rule that matches decides. False where none does, or it passes. */
static bool ordered_tier(const struct oracle *oracle, enum tier tier, const struct oracle_packet *packet,
                         enum direction direction, struct oracle_side *side)
{
        const struct policy *policy = NULL;

        while ((policy = next_policy(oracle, tier, side->subject, direction, policy)))
                for (size_t i = 0; i < policy->rules_len[direction]; ++i) {
                        const struct rule *rule = &policy->rules[direction][i];

                        if (!oracle_rule_matches(oracle, policy, rule, packet, direction))
                                continue;
                        side->action = rule->action;
                        side->tier = tier;
                        return rule->action != ACTION_PASS;
                }
        return false;
}

/* NetworkPolicies isolate what they select, and their rules add up. False where none selects. */
static bool network_policies(const struct oracle *oracle, const struct oracle_packet *packet, enum direction direction,
                             struct oracle_side *side)
{
        const struct policy *policy = NULL;
        bool isolated = false, allowed = false;

        while ((policy = next_policy(oracle, TIER_NETWORK_POLICY, side->subject, direction, policy))) {
                isolated = true;
                for (size_t i = 0; !allowed && i < policy->rules_len[direction]; ++i)
                        allowed = oracle_rule_matches(oracle, policy, &policy->rules[direction][i], packet, direction);
        }
        side->action = allowed ? ACTION_ALLOW : ACTION_DENY;
        side->tier = TIER_NETWORK_POLICY;
        return isolated;
}

struct oracle_side oracle_side(const struct oracle *oracle, const struct oracle_packet *packet,
                               enum direction direction)
{
        struct oracle_side side = {
                .subject = oracle_endpoint(oracle, direction == DIR_INGRESS ? &packet->daddr : &packet->saddr)};

        if (side.subject && (ordered_tier(oracle, TIER_ADMIN, packet, direction, &side) ||
                             network_policies(oracle, packet, direction, &side) ||
                             ordered_tier(oracle, TIER_BASELINE, packet, direction, &side)))
                return side;
        side.action = oracle->settings->default_action;
        side.tier = TIER_DEFAULT;
        return side;
}

static bool is_managed(const struct settings *settings, const char *ifname)
{
        for (size_t i = 0; i < settings->interfaces_len; ++i) {
                const char *pattern = settings->interfaces[i];
                size_t len = strlen(pattern);

                if (len > 0 && pattern[len - 1] == '*' ? strncmp(pattern, ifname, len - 1) == 0
                                                       : strcmp(pattern, ifname) == 0)
                        return true;
        }
        return false;
}

bool oracle_allows(const struct oracle *oracle, const struct oracle_packet *packet)
{
        const struct endpoint *source = oracle_endpoint(oracle, &packet->saddr);
        const struct endpoint *target = oracle_endpoint(oracle, &packet->daddr);

        /* Without neighbour discovery there is no IPv6 at all. */
        if (packet->protocol == IPPROTO_ICMPV6 && packet->icmpv6_type >= 133 && packet->icmpv6_type <= 137)
                return true;
        if (oracle->settings->unknown_deny && ((!source && is_managed(oracle->settings, packet->iifname)) ||
                                               (!target && is_managed(oracle->settings, packet->oifname))))
                return false;
        if (packet->own_host && !oracle->settings->host_policy)
                return true;
        if (source && source == target)
                return true;
        if (source && oracle_side(oracle, packet, DIR_EGRESS).action == ACTION_DENY)
                return false;
        return !target || oracle_side(oracle, packet, DIR_INGRESS).action == ACTION_ALLOW;
}
