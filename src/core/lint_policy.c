/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint that look at one policy at a time and need no inventory. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

/* selectors */

static bool has_value(const struct label_requirement *requirement, const char *value)
{
        for (size_t i = 0; i < requirement->values_len; i++)
                if (strcmp(requirement->values[i], value) == 0)
                        return true;
        return false;
}

/* Whether the requirements first..end-1, all of one key, can hold together. */
static bool can_hold(const struct label_requirement *first, const struct label_requirement *end)
{
        const struct label_requirement *in = NULL;
        bool absent = false, present = false;

        for (const struct label_requirement *r = first; r < end; r++) {
                absent |= r->op == LABEL_DOES_NOT_EXIST;
                present |= r->op == LABEL_EXISTS || r->op == LABEL_IN;
                if (!in && r->op == LABEL_IN)
                        in = r;
        }
        if (absent || !in)
                return !(absent && present);
        for (size_t i = 0; i < in->values_len; i++) {
                const char *value = in->values[i];
                bool ok = true;

                for (const struct label_requirement *r = first; ok && r < end; r++)
                        ok = (r->op != LABEL_IN || has_value(r, value)) &&
                             (r->op != LABEL_NOT_IN || !has_value(r, value));
                if (ok)
                        return true;
        }
        return false;
}

static void check_selector(struct lint *lint, const struct selector *selector)
{
        static const struct lint_note note = {
                .hint = "all requirements must hold together; to choose between them, use In with several values or "
                        "peers "
                        "of their own",
        };

        for (size_t i = 0, j; selector && i < selector->len; i = j) {
                const struct label_requirement *first = &selector->requirements[i];

                for (j = i + 1; j < selector->len && strcmp(selector->requirements[j].key, first->key) == 0; j++)
                        ;
                if (!can_hold(first, &selector->requirements[j]))
                        lint_report(lint, "VW103", &first->loc, &note,
                                    "what is asked of the label \"%s\" can never hold: the selector selects nothing",
                                    first->key);
        }
}

bool lint_requirement_implies(const struct label_requirement *narrow, const struct label_requirement *wide)
{
        if (strcmp(narrow->key, wide->key) != 0)
                return false;
        switch (wide->op) {
        case LABEL_IN:
                if (narrow->op != LABEL_IN)
                        return false;
                for (size_t i = 0; i < narrow->values_len; i++)
                        if (!has_value(wide, narrow->values[i]))
                                return false;
                return true;
        case LABEL_NOT_IN:
                if (narrow->op == LABEL_DOES_NOT_EXIST)
                        return true;
                for (size_t i = 0; narrow->op == LABEL_IN && i < narrow->values_len; i++)
                        if (has_value(wide, narrow->values[i]))
                                return false;
                if (narrow->op == LABEL_IN)
                        return true;
                for (size_t i = 0; narrow->op == LABEL_NOT_IN && i < wide->values_len; i++)
                        if (!has_value(narrow, wide->values[i]))
                                return false;
                return narrow->op == LABEL_NOT_IN;
        case LABEL_EXISTS:
                return narrow->op == LABEL_EXISTS || narrow->op == LABEL_IN;
        case LABEL_DOES_NOT_EXIST:
                return narrow->op == LABEL_DOES_NOT_EXIST;
        case LABEL_OP_MAX:
                break;
        }
        return false;
}

bool lint_selector_covers(const struct selector *wide, const struct selector *narrow)
{
        for (size_t i = 0; wide && i < wide->len; i++) {
                bool implied = false;

                for (size_t j = 0; narrow && !implied && j < narrow->len; j++)
                        implied = lint_requirement_implies(&narrow->requirements[j], &wide->requirements[i]);
                if (!implied)
                        return false;
        }
        return true;
}

/* blocks */

static int cmp_prefix(const void *pa, const void *pb)
{
        const struct prefix *const *a = pa, *const *b = pb;
        struct addr_range x = prefix_range(*a), y = prefix_range(*b);
        int cmp = addr_cmp(&x.first, &y.first);

        return cmp ? cmp : (int)(*a)->len - (int)(*b)->len;
}

/* Whether the exceptions leave nothing. */
static bool is_covered(struct lint *lint, const struct peer *peer)
{
        _cleanup_free_ const struct prefix **excepts = calloc(peer->excepts_len + 1, sizeof(struct prefix *));
        struct addr_range rest = prefix_range(&peer->cidr);

        if (!excepts) {
                lint->r = -ENOMEM;
                return false;
        }
        for (size_t i = 0; i < peer->excepts_len; i++)
                excepts[i] = &peer->excepts[i];
        if (peer->excepts_len > 1)
                qsort(excepts, peer->excepts_len, sizeof(*excepts), cmp_prefix);
        for (size_t i = 0; i < peer->excepts_len; i++) {
                struct addr_range hole = prefix_range(excepts[i]);

                if (addr_cmp(&hole.first, &rest.first) > 0)
                        return false;
                if (addr_cmp(&hole.last, &rest.first) < 0)
                        continue;
                rest.first = hole.last;
                if (!addr_next(&rest.first) || addr_cmp(&rest.first, &rest.last) > 0)
                        return true;
        }
        return false;
}

static void check_host_bits(struct lint *lint, const struct peer *peer, const struct prefix *prefix)
{
        char given[ADDR_TEXT_MAX], first[ADDR_TEXT_MAX], meant[ADDR_TEXT_MAX + 32];
        struct prefix exact = {.addr = prefix_range(prefix).first, .len = prefix->len};

        if (!prefix_has_host_bits(prefix))
                return;
        snprintf(meant, sizeof(meant), "write %s, or a longer prefix", prefix_format(&exact, first));
        lint_report_as(lint, DIAG_WARNING, "VW207", &peer->loc, &(struct lint_note){.hint = meant},
                       "%s has bits set behind its length: it means all of %s", prefix_format(prefix, given), first);
}

static void check_block(struct lint *lint, const struct peer *peer)
{
        static const struct lint_note note = {.hint = "remove the block, or an except"};
        char text[ADDR_TEXT_MAX];

        check_host_bits(lint, peer, &peer->cidr);
        for (size_t i = 0; i < peer->excepts_len; i++)
                check_host_bits(lint, peer, &peer->excepts[i]);
        if (is_covered(lint, peer))
                lint_report(lint, "VW210", &peer->loc, &note,
                            "the excepts leave nothing of %s: the block never matches",
                            prefix_format(&peer->cidr, text));
}

static bool covers_address(const struct peer *peer, const struct addr *addr)
{
        if (peer->kind != PEER_BLOCK || !prefix_contains(&peer->cidr, addr))
                return false;
        for (size_t i = 0; i < peer->excepts_len; i++)
                if (prefix_contains(&peer->excepts[i], addr))
                        return false;
        return true;
}

static int cmp_block(const void *pa, const void *pb)
{
        const struct peer *const *a = pa, *const *b = pb;
        const struct prefix *x = &(*a)->cidr, *y = &(*b)->cidr;
        int cmp = cmp_prefix(&x, &y);

        if (cmp == 0)
                cmp = ((*a)->excepts_len > 0) - ((*b)->excepts_len > 0);
        if (cmp == 0)
                cmp = (*a)->loc.line < (*b)->loc.line ? -1 : (*a)->loc.line > (*b)->loc.line;
        return cmp ? cmp : (*a)->loc.col < (*b)->loc.col ? -1 : (*a)->loc.col > (*b)->loc.col;
}

/* Prefixes are nested or apart, so in order of their starts the last whole one says whether the next is in it. */
static void check_block_overlap(struct lint *lint, const struct rule *rule)
{
        _cleanup_free_ const struct peer **blocks = calloc(rule->peers_len + 1, sizeof(struct peer *));
        const struct peer *whole = NULL;
        char inner[ADDR_TEXT_MAX], outer[ADDR_TEXT_MAX];
        size_t len = 0;

        if (!blocks) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < rule->peers_len; i++)
                if (rule->peers[i].kind == PEER_BLOCK)
                        blocks[len++] = &rule->peers[i];
        if (len > 1)
                qsort(blocks, len, sizeof(*blocks), cmp_block);
        for (size_t i = 0; i < len; i++) {
                struct addr_range range = prefix_range(&blocks[i]->cidr);

                if (whole && prefix_contains(&whole->cidr, &range.first))
                        lint_report(lint, "VW213", &blocks[i]->loc,
                                    &(struct lint_note){.hint = "remove it",
                                                        .places = {{&whole->loc, "the block that holds it"}}},
                                    "%s is already within %s of the same rule", prefix_format(&blocks[i]->cidr, inner),
                                    prefix_format(&whole->cidr, outer));
                else if (blocks[i]->excepts_len == 0)
                        whole = blocks[i];
        }
}

/* ports */

static const char *port_text(const struct port_match *port, char buf[static 64])
{
        if (port->kind == PORT_NAME)
                snprintf(buf, 64, "%s %s", lint_protocol_name(port->protocol), port->name);
        else if (port->range.first == 0)
                snprintf(buf, 64, "all %s ports", lint_protocol_name(port->protocol));
        else if (port->range.first == port->range.last)
                snprintf(buf, 64, "%s %u", lint_protocol_name(port->protocol), port->range.first);
        else
                snprintf(buf, 64, "%s %u-%u", lint_protocol_name(port->protocol), port->range.first, port->range.last);
        return buf;
}

static int cmp_port(const void *pa, const void *pb)
{
        const struct port_match *a = *(const struct port_match *const *)pa, *b = *(const struct port_match *const *)pb;
        int cmp = (int)a->kind - (int)b->kind;

        if (cmp == 0)
                cmp = (int)a->protocol - (int)b->protocol;
        if (cmp == 0 && a->kind == PORT_NAME)
                cmp = strcmp(a->name, b->name);
        if (cmp == 0)
                cmp = (int)a->range.first - (int)b->range.first;
        if (cmp == 0)
                cmp = (int)b->range.last - (int)a->range.last;
        if (cmp == 0)
                cmp = a->loc.line < b->loc.line ? -1 : a->loc.line > b->loc.line;
        return cmp ? cmp : a->loc.col < b->loc.col ? -1 : a->loc.col > b->loc.col;
}

static bool ports_overlap(const struct port_match *a, const struct port_match *b)
{
        if (a->kind != b->kind || a->protocol != b->protocol)
                return false;
        return a->kind == PORT_NAME ? strcmp(a->name, b->name) == 0 : b->range.first <= a->range.last;
}

static void check_port_overlap(struct lint *lint, const struct rule *rule)
{
        _cleanup_free_ const struct port_match **ports = calloc(rule->ports_len + 1, sizeof(struct port_match *));
        const struct port_match *reach = NULL;
        char this[64], other[64];

        if (!ports) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < rule->ports_len; i++)
                ports[i] = &rule->ports[i];
        if (rule->ports_len > 1)
                qsort(ports, rule->ports_len, sizeof(*ports), cmp_port);
        for (size_t i = 0; i < rule->ports_len; i++) {
                if (reach && ports_overlap(reach, ports[i]))
                        lint_report(lint, "VW213", &ports[i]->loc,
                                    &(struct lint_note){.hint = "remove it, or make one range of the two",
                                                        .places = {{&reach->loc, "the other ports"}}},
                                    "%s overlaps with %s of the same rule", port_text(ports[i], this),
                                    port_text(reach, other));
                if (!reach || !ports_overlap(reach, ports[i]) || ports[i]->range.last > reach->range.last)
                        reach = ports[i];
        }
}

static bool has_port(const struct rule *rule, uint8_t protocol, uint16_t number)
{
        for (size_t i = 0; i < rule->ports_len; i++)
                if (rule->ports[i].kind == PORT_RANGE && rule->ports[i].protocol == protocol &&
                    rule->ports[i].range.first <= number && number <= rule->ports[i].range.last)
                        return true;
        return rule->any_port;
}

static void check_ports(struct lint *lint, const struct policy *policy, const struct rule *rule)
{
        static const struct lint_note all = {
                .hint = "list the ports that are needed, or remove \"ports\" to allow everything"};
        static const struct lint_note omitted = {
                .hint = "write protocol: TCP, or add the same port with protocol: UDP"};
        bool said = false;
        char text[64];

        for (size_t i = 0; policy->tier == TIER_NETWORK_POLICY && i < rule->ports_len; i++) {
                const struct port_match *port = &rule->ports[i];

                if (port->kind == PORT_RANGE && port->range.first == 0)
                        lint_report(lint, "VW202", &port->loc, &all, "an entry without \"port\" means %s",
                                    port_text(port, text));
                else if (port->protocol_defaulted && !said)
                        lint_report(lint, "VW216", &port->loc, &omitted, "no protocol is given, so this is %s alone",
                                    port_text(port, text));
                said |= port->protocol_defaulted;
        }
        check_port_overlap(lint, rule);
}

/* rules */

static void check_named_port_to_blocks(struct lint *lint, const struct policy *policy, enum direction direction,
                                       const struct rule *rule)
{
        static const struct lint_note note = {.hint = "give the port's number"};

        if (direction != DIR_EGRESS || policy->tier != TIER_NETWORK_POLICY || rule->peers_len == 0)
                return;
        for (size_t i = 0; i < rule->peers_len; i++)
                if (rule->peers[i].kind != PEER_BLOCK)
                        return;
        for (size_t i = 0; i < rule->ports_len; i++)
                if (rule->ports[i].kind == PORT_NAME)
                        lint_report_as(
                                lint, DIAG_WARNING, "VW206", &rule->ports[i].loc, &note,
                                "the port name \"%s\" means nothing to addresses outside: only endpoints have names "
                                "for ports",
                                rule->ports[i].name);
}

static void check_metadata_service(struct lint *lint, enum direction direction, const struct rule *rule)
{
        static const char *const services[] = {"169.254.169.254", "fd00:ec2::254"};
        static const struct lint_note note = {
                .hint = "add it to except, or allow it on purpose with a rule of its own that names the address",
        };

        if (direction != DIR_EGRESS || rule->action != ACTION_ALLOW || !has_port(rule, IPPROTO_TCP, 80))
                return;
        if (rule->any_peer && !rule->any_port)
                lint_report(lint, "VW310", &rule->loc, &note,
                            "without \"to\" this reaches the cloud's metadata service at %s too, which hands out the "
                            "machine's credentials",
                            services[0]);
        for (size_t i = 0; i < rule->peers_len; i++) {
                const struct peer *peer = &rule->peers[i];

                for (size_t j = 0; j < ARRAY_SIZE(services); j++) {
                        struct addr addr;

                        if (addr_parse(services[j], &addr) && covers_address(peer, &addr) &&
                            peer->cidr.len < (addr.family == ADDR_V4 ? 32 : 128))
                                lint_report(lint, "VW310", &peer->loc, &note,
                                            "this reaches the cloud's metadata service at %s, which hands out the "
                                            "machine's credentials",
                                            services[j]);
                }
        }
}

static void check_openness(struct lint *lint, const struct policy *policy, enum direction direction,
                           const struct rule *rule)
{
        static const struct lint_note wide = {
                .hint = "name peers or ports; if it is meant, write # vethwall: ignore[VW214] and why"};
        static const struct lint_note bare = {
                .hint = "add a podSelector to the item, or select namespaces by label",
        };

        if (rule->action != ACTION_ALLOW || policy->tier != TIER_NETWORK_POLICY)
                return;
        if (rule->any_peer && rule->any_port)
                lint_report(lint, "VW214", &rule->loc, &wide, "the rule allows every protocol and port %s everywhere",
                            direction == DIR_INGRESS ? "from" : "to");
        for (size_t i = 0; i < rule->peers_len; i++) {
                const struct peer *peer = &rule->peers[i];

                if (peer->kind == PEER_SELECTOR && peer->ns_selector && peer->ns_selector->len == 0 &&
                    (!peer->pod_selector || peer->pod_selector->len == 0))
                        lint_report(lint, "VW311", &peer->loc, &bare,
                                    "an empty namespaceSelector allows every endpoint of every namespace, those to "
                                    "come included");
        }
}

static void check_tier_rule(struct lint *lint, const struct policy *policy, enum direction direction,
                            const struct rule *rule)
{
        static const struct lint_note external = {
                .hint = "close the outside with a NetworkPolicy that isolates ingress",
        };
        static const struct lint_note closed = {.hint = "use networks"};

        if (policy->tier == TIER_NETWORK_POLICY)
                return;
        if (rule->fails_closed)
                lint_report(
                        lint, "VW408", &rule->loc, &closed,
                        rule->action == ACTION_ALLOW
                                ? "nodes or domainNames cannot be told on this host: the rule matches nothing by them"
                                : "nodes or domainNames cannot be told on this host: the rule denies everybody");
        for (size_t i = 0; direction == DIR_INGRESS && rule->action == ACTION_DENY && i < rule->peers_len; i++) {
                const struct peer *peer = &rule->peers[i];

                if (peer->kind == PEER_SELECTOR && peer->ns_selector && peer->ns_selector->len == 0 &&
                    (!peer->pod_selector || peer->pod_selector->len == 0))
                        lint_report(lint, "VW407", &peer->loc, &external,
                                    "this denies every endpoint and nobody outside: ingress rules of this kind do not "
                                    "see addresses that are no endpoint's");
        }
}

static void check_rule(struct lint *lint, const struct policy *policy, enum direction direction,
                       const struct rule *rule)
{
        for (size_t i = 0; i < rule->peers_len; i++) {
                check_selector(lint, rule->peers[i].ns_selector);
                check_selector(lint, rule->peers[i].pod_selector);
                if (rule->peers[i].kind == PEER_BLOCK)
                        check_block(lint, &rule->peers[i]);
        }
        check_ports(lint, policy, rule);
        check_block_overlap(lint, rule);
        check_named_port_to_blocks(lint, policy, direction, rule);
        if (!policy->applies[direction])
                return;
        check_metadata_service(lint, direction, rule);
        check_openness(lint, policy, direction, rule);
        check_tier_rule(lint, policy, direction, rule);
}

/* policies */

static void check_inert(struct lint *lint, const struct policy *policy, enum direction direction)
{
        static const struct lint_note notes[DIR_MAX] = {
                {.hint = "add Ingress to policyTypes, or remove the rules"},
                {.hint = "add Egress to policyTypes, or remove the rules"},
        };
        char name[LINT_NAME_MAX];

        if (!policy->applies[direction] && policy->rules_len[direction] > 0)
                lint_report(lint, "VW201", &policy->rules[direction][0].loc, &notes[direction],
                            "policyTypes of %s leaves out %s, so its %s rules do nothing",
                            lint_policy_name(policy, name), direction == DIR_INGRESS ? "Ingress" : "Egress",
                            direction_name(direction));
}

static void check_other_protocols(struct lint *lint, const struct policy *policy)
{
        static const struct lint_note note = {
                .hint = "a rule without \"ports\" lets them pass; errors that belong to allowed connections always "
                        "pass",
        };
        char name[LINT_NAME_MAX];

        for (enum direction d = 0; policy->tier == TIER_NETWORK_POLICY && d < DIR_MAX; d++) {
                bool any = false;

                for (size_t i = 0; i < policy->rules_len[d]; i++)
                        any |= policy->rules[d][i].any_port;
                if (policy->applies[d] && policy->rules_len[d] > 0 && !any)
                        lint_report(lint, "VW507", &policy->rules[d][0].loc, &note,
                                    "every %s rule of %s lists ports: ping and all else without ports is dropped",
                                    direction_name(d), lint_policy_name(policy, name));
        }
}

static void check_defaults(struct lint *lint, const struct policy *policy)
{
        static const struct lint_note ns = {.hint = "write the namespace, which is the project, below metadata"};
        static const struct lint_note both = {.hint = "write policyTypes: [Ingress, Egress], or what is meant"};
        static const struct lint_note ingress = {.hint = "write policyTypes: [Ingress], or what is meant"};
        static const struct lint_note old = {.hint = "\"vethwall convert\" writes it as a ClusterNetworkPolicy of "
                                                     "policy.networking.k8s.io/v1alpha2"};
        char name[LINT_NAME_MAX];

        if (policy->ns_defaulted)
                lint_report(lint, "VW009", &policy->name_loc, &ns, "%s gives no namespace, so it is in \"%s\"",
                            lint_policy_name(policy, name), policy->ns);
        if (policy->types_defaulted)
                lint_report(lint, "VW010", &policy->name_loc, policy->applies[DIR_EGRESS] ? &both : &ingress,
                            "%s has no policyTypes, so it isolates %s", lint_policy_name(policy, name),
                            policy->applies[DIR_EGRESS] ? "ingress and egress" : "ingress alone");
        if (strcmp(policy->kind, "AdminNetworkPolicy") == 0 || strcmp(policy->kind, "BaselineAdminNetworkPolicy") == 0)
                lint_report_as(lint, DIAG_WARNING, "VW409", &policy->name_loc, &old,
                               "%s is of v1alpha1, which is given up", lint_policy_name(policy, name));
}

void lint_documents(struct lint *lint)
{
        for (size_t i = 0; i < lint->policies->policies_len; i++) {
                const struct policy *policy = &lint->policies->policies[i];

                check_defaults(lint, policy);
                check_selector(lint, policy->ns_selector);
                check_selector(lint, policy->pod_selector);
                check_other_protocols(lint, policy);
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        check_inert(lint, policy, d);
                        for (size_t j = 0; j < policy->rules_len[d]; j++)
                                check_rule(lint, policy, d, &policy->rules[d][j]);
                }
        }
}
