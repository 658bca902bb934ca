/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of an explanation: who a flow is between, and why a rule does not match it. */
#include <string.h>

#include "explain.h"
#include "output.h"

void put_party(struct strbuf *buf, const struct inventory *inventory, const struct explain_party *party, bool with_addr)
{
        char text[ADDR_TEXT_MAX];

        if (party->endpoint == WORLD_OUTSIDE) {
                strbuf_puts(buf, addr_format(&party->addr, text));
                if (with_addr)
                        strbuf_puts(buf, " (outside)");
                return;
        }

        put_endpoint(buf, &inventory->endpoints[party->endpoint]);
        if (with_addr)
                strbuf_printf(buf, " (%s)", party->has_addr ? addr_format(&party->addr, text) : "no address");
}

static void put_label(struct strbuf *buf, const char *key, const char *value)
{
        strbuf_clean(buf, key);
        strbuf_putc(buf, '=');
        strbuf_clean(buf, value[0] != '\0' ? value : "\"\"");
}

void put_requirement(struct strbuf *buf, const struct label_requirement *requirement)
{
        if (requirement->op == LABEL_IN && requirement->values_len == 1) {
                put_label(buf, requirement->key, requirement->values[0]);
                return;
        }

        strbuf_clean(buf, requirement->key);
        strbuf_printf(buf, " %s", label_op_name(requirement->op));
        for (size_t i = 0; i < requirement->values_len; i++) {
                strbuf_puts(buf, i == 0 ? " (" : ", ");
                if (requirement->values[i][0] == '\0')
                        strbuf_puts(buf, "\"\"");
                strbuf_clean(buf, requirement->values[i]);
        }
        if (requirement->values_len > 0)
                strbuf_putc(buf, ')');
}

/* "needs app=web, has app=db" */
static void put_failure(struct strbuf *buf, const struct label_requirement *requirement, const struct label_set *labels)
{
        const char *value = label_set_get(labels, requirement->key);

        strbuf_puts(buf, "needs ");
        put_requirement(buf, requirement);
        if (value) {
                strbuf_puts(buf, ", has ");
                put_label(buf, requirement->key, value);
        } else {
                strbuf_puts(buf, ", has no label ");
                strbuf_clean(buf, requirement->key);
        }
}

void put_peer_answer(struct strbuf *buf, const struct answer *answer, const struct policy *policy,
                     const struct explain_peer *peer, const struct explain_party *party)
{
        const struct endpoint *endpoint =
                party->endpoint == WORLD_OUTSIDE ? NULL : &answer->inventory->endpoints[party->endpoint];
        char text[ADDR_TEXT_MAX], block[ADDR_TEXT_MAX];

        switch (peer->answer) {
        case EXPLAIN_PEER_MATCHES:
                strbuf_puts(buf, "matches ");
                put_party(buf, answer->inventory, party, false);
                break;
        case EXPLAIN_PEER_OUTSIDE:
                strbuf_printf(buf, "selects endpoints, and %s is none", addr_format(&party->addr, text));
                break;
        case EXPLAIN_PEER_HOST:
                put_party(buf, answer->inventory, party, false);
                strbuf_puts(buf, " is on the host's network: labels do not select it, only ipBlock can");
                break;
        case EXPLAIN_PEER_NAMESPACE:
                strbuf_puts(buf, "selects in namespace ");
                strbuf_clean(buf, policy->ns);
                strbuf_puts(buf, " alone, and ");
                put_party(buf, answer->inventory, party, false);
                strbuf_puts(buf, " is in another");
                break;
        case EXPLAIN_PEER_NS_LABELS:
                strbuf_puts(buf, "namespace ");
                strbuf_clean(buf, endpoint->ns);
                strbuf_putc(buf, ' ');
                put_failure(buf, peer->failed, world_namespace_labels(answer->world, endpoint->ns));
                break;
        case EXPLAIN_PEER_LABELS:
                put_party(buf, answer->inventory, party, false);
                strbuf_putc(buf, ' ');
                put_failure(buf, peer->failed, &endpoint->labels);
                break;
        case EXPLAIN_PEER_NO_ADDRESS:
                put_party(buf, answer->inventory, party, false);
                strbuf_puts(buf, " has no address that a block could hold");
                break;
        case EXPLAIN_PEER_BLOCK:
                strbuf_printf(buf, "%s is not in %s", addr_format(&party->addr, text),
                              prefix_format(&peer->peer->cidr, block));
                break;
        case EXPLAIN_PEER_EXCEPT:
                strbuf_printf(buf, "%s is in the exception %s", addr_format(&party->addr, text),
                              prefix_format(peer->except, block));
                break;
        case EXPLAIN_PEER_MAX:
                break;
        }
}

void put_port_match(struct strbuf *buf, const struct port_match *match)
{
        strbuf_puts(buf, conns_proto_name(conns_proto_of(match->protocol)));
        switch (match->kind) {
        case PORT_RANGE:
                if (match->range.first == match->range.last)
                        strbuf_printf(buf, " %u", match->range.first);
                else if (match->range.first <= 1 && match->range.last == UINT16_MAX)
                        strbuf_puts(buf, " all ports");
                else
                        strbuf_printf(buf, " %u-%u", match->range.first, match->range.last);
                break;
        case PORT_NAME:
                strbuf_putc(buf, ' ');
                strbuf_clean(buf, match->name);
                break;
        }
}

static void put_named_ports(struct strbuf *buf, const struct answer *answer, const struct rule *rule)
{
        const struct explain_party *dst = &answer->queries[answer->shown].dst;
        const struct endpoint *endpoint =
                dst->endpoint == WORLD_OUTSIDE ? NULL : &answer->inventory->endpoints[dst->endpoint];

        /* As in the core: the host names no ports. */
        if (endpoint && endpoint->host_network)
                endpoint = NULL;

        for (size_t i = 0; i < rule->ports_len; i++) {
                const struct port_match *match = &rule->ports[i];
                bool found = false;

                if (match->kind != PORT_NAME || match->protocol != answer->service.protocol)
                        continue;

                strbuf_puts(buf, "; ");
                strbuf_clean(buf, match->name);
                for (size_t j = 0; endpoint && j < endpoint->ports_len; j++) {
                        if (strcmp(endpoint->ports[j].name, match->name) != 0 ||
                            endpoint->ports[j].protocol != match->protocol)
                                continue;
                        strbuf_printf(buf, "%s %u", found ? "," : " is", endpoint->ports[j].port);
                        found = true;
                }
                strbuf_puts(buf, found ? " there" : " names no port there");
        }
}

void put_ports_answer(struct strbuf *buf, const struct answer *answer, const struct explain_rule *rule)
{
        strbuf_clean(buf, answer->service.text);
        if (rule->ports == EXPLAIN_PORT_MATCHES) {
                strbuf_puts(buf, " is among them");
                return;
        }
        if (rule->ports == EXPLAIN_PORT_NONE) {
                strbuf_puts(buf, " has no ports, and a rule with ports speaks only of these");
                return;
        }

        strbuf_puts(buf, " is not among ");
        for (size_t i = 0; i < rule->rule->ports_len; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                put_port_match(buf, &rule->rule->ports[i]);
        }
        put_named_ports(buf, answer, rule->rule);
}

void put_closed_answer(struct strbuf *buf, const struct rule *rule)
{
        strbuf_puts(buf, "nodes or domainNames cannot be told on this host, so this ");
        strbuf_puts(buf, rule->action == ACTION_ALLOW ? "accepts nobody" : "denies everybody");
}
