/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation, for programs and for people. */
#include <assert.h>
#include <string.h>

#include "cause.h"
#include "explain.h"
#include "output.h"

static void json_side(struct strbuf *buf, const struct answer *answer, enum direction direction)
{
        const struct explain_side *side = &answer->explanation->sides[direction];

        strbuf_printf(buf, "\"%s\": ", direction_name(direction));
        put_cause_json(buf, answer->policies, &side->cause, side->status == EXPLAIN_JUDGED);
}

void answer_json(struct strbuf *buf, const struct answer *answer)
{
        strbuf_printf(buf, "{\"verdict\": \"%s\",\n ", action_name(answer->explanation->verdict));
        json_side(buf, answer, DIR_EGRESS);
        strbuf_puts(buf, ",\n ");
        json_side(buf, answer, DIR_INGRESS);
        strbuf_puts(buf, "}\n");
}

static void put_verdict(struct strbuf *buf, const struct answer *answer, enum action verdict)
{
        put_colour(buf, answer->colour, verdict == ACTION_ALLOW ? COLOUR_GREEN : COLOUR_RED,
                   verdict == ACTION_ALLOW ? "allowed" : "denied");
}

static void put_party(struct strbuf *buf, const struct answer *answer, const struct explain_party *party,
                      bool with_addr)
{
        char text[ADDR_TEXT_MAX];

        if (party->endpoint == WORLD_OUTSIDE) {
                strbuf_puts(buf, addr_format(&party->addr, text));
                if (with_addr)
                        strbuf_puts(buf, " (outside)");
                return;
        }

        put_endpoint(buf, &answer->inventory->endpoints[party->endpoint]);
        if (with_addr)
                strbuf_printf(buf, " (%s)", party->has_addr ? addr_format(&party->addr, text) : "no address");
}

static void put_label(struct strbuf *buf, const char *key, const char *value)
{
        strbuf_clean(buf, key);
        strbuf_putc(buf, '=');
        strbuf_clean(buf, value[0] != '\0' ? value : "\"\"");
}

/* "app=web" for what matchLabels says, "app In (web, api)" for the rest. */
static void put_requirement(struct strbuf *buf, const struct label_requirement *requirement)
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

static void put_peer_answer(struct strbuf *buf, const struct answer *answer, const struct explain_policy *policy,
                            const struct explain_peer *peer, const struct explain_party *party)
{
        const struct endpoint *endpoint =
                party->endpoint == WORLD_OUTSIDE ? NULL : &answer->inventory->endpoints[party->endpoint];
        char text[ADDR_TEXT_MAX], block[ADDR_TEXT_MAX];

        switch (peer->answer) {
        case EXPLAIN_PEER_MATCHES:
                strbuf_puts(buf, "matches ");
                put_party(buf, answer, party, false);
                break;
        case EXPLAIN_PEER_OUTSIDE:
                strbuf_printf(buf, "selects endpoints, and %s is none", addr_format(&party->addr, text));
                break;
        case EXPLAIN_PEER_HOST:
                put_party(buf, answer, party, false);
                strbuf_puts(buf, " is on the host's network: labels do not select it, only ipBlock can");
                break;
        case EXPLAIN_PEER_NAMESPACE:
                strbuf_puts(buf, "selects in namespace ");
                strbuf_clean(buf, policy->policy->ns);
                strbuf_puts(buf, " alone, and ");
                put_party(buf, answer, party, false);
                strbuf_puts(buf, " is in another");
                break;
        case EXPLAIN_PEER_NS_LABELS:
                strbuf_puts(buf, "namespace ");
                strbuf_clean(buf, endpoint->ns);
                strbuf_putc(buf, ' ');
                put_failure(buf, peer->failed, world_namespace_labels(answer->world, endpoint->ns));
                break;
        case EXPLAIN_PEER_LABELS:
                put_party(buf, answer, party, false);
                strbuf_putc(buf, ' ');
                put_failure(buf, peer->failed, &endpoint->labels);
                break;
        case EXPLAIN_PEER_NO_ADDRESS:
                put_party(buf, answer, party, false);
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

static void put_port_match(struct strbuf *buf, const struct port_match *match)
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

                if (match->kind != PORT_NAME)
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

static void put_ports_answer(struct strbuf *buf, const struct answer *answer, const struct explain_rule *rule)
{
        strbuf_clean(buf, answer->service.text);
        if (rule->ports == EXPLAIN_PORT_NONE) {
                strbuf_puts(buf, " has no ports, and a rule with ports allows only these");
                return;
        }

        strbuf_puts(buf, " is not among ");
        for (size_t i = 0; i < rule->rule->ports_len; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                put_port_match(buf, &rule->rule->ports[i]);
        }
        put_named_ports(buf, answer, rule->rule);
}

/* A rule, and, where it does not match, everything that keeps it from doing so. */
static void put_rule(struct strbuf *buf, const struct answer *answer, const struct explain_policy *policy,
                     const struct explain_rule *rule, enum direction direction, const struct explain_party *peer)
{
        bool matches = rule->peer_matches && rule->ports == EXPLAIN_PORT_MATCHES;

        strbuf_printf(buf, "    %s[%u]  ", direction_name(direction), rule->rule->index);
        put_loc(buf, answer->policies, &rule->rule->loc);
        strbuf_puts(buf, "  ");
        if (matches)
                put_colour(buf, answer->colour, rule->rule->action == ACTION_DENY ? COLOUR_RED : COLOUR_GREEN,
                           "matches");
        else
                strbuf_puts(buf, "does not match");
        strbuf_putc(buf, '\n');

        for (size_t i = 0; !rule->peer_matches && i < rule->peers_len; i++) {
                strbuf_printf(buf, "        %s[%zu]  ", direction == DIR_EGRESS ? "to" : "from", i);
                put_peer_answer(buf, answer, policy, &rule->peers[i], peer);
                strbuf_putc(buf, '\n');
        }
        if (rule->ports != EXPLAIN_PORT_MATCHES) {
                strbuf_puts(buf, "        ports  ");
                put_ports_answer(buf, answer, rule);
                strbuf_putc(buf, '\n');
        }
}

static void put_policies(struct strbuf *buf, const struct answer *answer, enum direction direction,
                         const struct explain_party *peer)
{
        const struct explain_side *side = &answer->explanation->sides[direction];

        for (size_t i = 0; i < side->policies_len; i++) {
                const struct explain_policy *policy = &side->policies[i];

                strbuf_puts(buf, "  ");
                put_colour(buf, answer->colour, COLOUR_DIM, tier_name(policy->policy->tier));
                strbuf_putc(buf, ' ');
                put_policy(buf, policy->policy);
                strbuf_puts(buf, "  ");
                put_loc(buf, answer->policies, &policy->policy->loc);
                strbuf_putc(buf, '\n');

                if (policy->rules_len == 0)
                        strbuf_printf(buf, "    has no %s rules\n", direction_name(direction));
                for (size_t j = 0; j < policy->rules_len; j++)
                        put_rule(buf, answer, policy, &policy->rules[j], direction, peer);
        }
}

/* What decided, as the end of a line that begins "Egress of shop/web: allowed". */
static void put_cause(struct strbuf *buf, const struct answer *answer, enum direction direction)
{
        const struct explain_side *side = &answer->explanation->sides[direction];
        const struct cause *cause = &side->cause;

        switch (side->status) {
        case EXPLAIN_OUTSIDE:
                strbuf_puts(buf, ", as no policy judges the outside\n");
                return;
        case EXPLAIN_HOST:
                strbuf_puts(buf, ", as it is on the host's network and no policy selects it\n");
                return;
        case EXPLAIN_SELF:
                strbuf_puts(buf, ", as an endpoint always reaches itself\n");
                return;
        case EXPLAIN_JUDGED:
        case EXPLAIN_STATUS_MAX:
                break;
        }

        if (!cause->policy) {
                strbuf_printf(buf, " by default, as no policy isolates its %s\n", direction_name(direction));
                return;
        }

        strbuf_printf(buf, " by %s ", tier_name(cause->tier));
        put_policy(buf, cause->policy);
        if (cause->rule) {
                strbuf_printf(buf, ", %s[%u], ", direction_name(direction), cause->rule->index);
                put_loc(buf, answer->policies, &cause->rule->loc);
                strbuf_putc(buf, '\n');
        } else {
                strbuf_printf(buf, ", which isolates its %s; no rule allows this\n", direction_name(direction));
        }
}

static void put_side(struct strbuf *buf, const struct answer *answer, enum direction direction)
{
        const struct explain_query *query = &answer->queries[answer->shown];
        const struct explain_party *subject = direction == DIR_EGRESS ? &query->src : &query->dst;
        const struct explain_party *peer = direction == DIR_EGRESS ? &query->dst : &query->src;

        strbuf_puts(buf, direction == DIR_EGRESS ? "\nEgress of " : "\nIngress of ");
        put_party(buf, answer, subject, false);
        strbuf_puts(buf, ": ");
        put_verdict(buf, answer, answer->explanation->sides[direction].cause.action);
        put_cause(buf, answer, direction);
        put_policies(buf, answer, direction, peer);
}

static bool verdicts_differ(const struct answer *answer)
{
        for (size_t i = 1; i < answer->queries_len; i++)
                if (answer->verdicts[i] != answer->verdicts[0])
                        return true;

        return false;
}

void answer_text(struct strbuf *buf, const struct answer *answer)
{
        const struct explain_query *query = &answer->queries[answer->shown];
        enum action verdict = answer->explanation->verdict;

        put_colour(buf, answer->colour, verdict == ACTION_ALLOW ? COLOUR_GREEN : COLOUR_RED,
                   verdict == ACTION_ALLOW ? "ALLOWED" : "DENIED");
        strbuf_puts(buf, "  ");
        put_party(buf, answer, &query->src, true);
        strbuf_puts(buf, " -> ");
        put_party(buf, answer, &query->dst, true);
        strbuf_puts(buf, "  ");
        strbuf_clean(buf, answer->service.text);
        strbuf_putc(buf, '\n');

        if (query->src.has_addr && query->dst.has_addr && query->src.addr.family != query->dst.addr.family)
                strbuf_puts(buf, "They have no address family in common; this is what policy says all the same.\n");

        put_side(buf, answer, DIR_EGRESS);
        put_side(buf, answer, DIR_INGRESS);
        if (!verdicts_differ(answer))
                return;

        strbuf_puts(buf, "\nThe addresses are treated differently; the above is for the first that is allowed:\n");
        for (size_t i = 0; i < answer->queries_len; i++) {
                strbuf_puts(buf, "  ");
                put_party(buf, answer, &answer->queries[i].src, true);
                strbuf_puts(buf, " -> ");
                put_party(buf, answer, &answer->queries[i].dst, true);
                strbuf_puts(buf, "  ");
                put_verdict(buf, answer, answer->verdicts[i]);
                strbuf_putc(buf, '\n');
        }
}
