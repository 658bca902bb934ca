/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation, for programs: the verdict and what decided it, and then all that was asked. */
#include <assert.h>

#include "cause.h"
#include "explain.h"
#include "output.h"

static const char *const status_names[] = {
        [EXPLAIN_JUDGED] = "judged", [EXPLAIN_OUTSIDE] = "outside",  [EXPLAIN_HOST] = "host",
        [EXPLAIN_SELF] = "self",     [EXPLAIN_OWN_HOST] = "ownHost",
};
static_assert(ARRAY_SIZE(status_names) == EXPLAIN_STATUS_MAX, "a status without a name");

static const char *const outcome_names[] = {
        [EXPLAIN_NOT_ASKED] = "notAsked", [EXPLAIN_NO_POLICY] = "noPolicy", [EXPLAIN_NO_MATCH] = "noMatch",
        [EXPLAIN_PASSED] = "passed",      [EXPLAIN_DECIDED] = "decided",
};
static_assert(ARRAY_SIZE(outcome_names) == EXPLAIN_OUTCOME_MAX, "an outcome without a name");

static const char *const peer_names[] = {
        [EXPLAIN_PEER_MATCHES] = "matches",
        [EXPLAIN_PEER_OUTSIDE] = "outside",
        [EXPLAIN_PEER_HOST] = "host",
        [EXPLAIN_PEER_NAMESPACE] = "otherNamespace",
        [EXPLAIN_PEER_NS_LABELS] = "namespaceLabels",
        [EXPLAIN_PEER_LABELS] = "labels",
        [EXPLAIN_PEER_NO_ADDRESS] = "noAddress",
        [EXPLAIN_PEER_BLOCK] = "block",
        [EXPLAIN_PEER_EXCEPT] = "except",
};
static_assert(ARRAY_SIZE(peer_names) == EXPLAIN_PEER_MAX, "an answer of a peer without a name");

static const char *const port_names[] = {
        [EXPLAIN_PORT_MATCHES] = "matches",
        [EXPLAIN_PORT_DIFFERS] = "differs",
        [EXPLAIN_PORT_NONE] = "protocolWithoutPorts",
};
static_assert(ARRAY_SIZE(port_names) == EXPLAIN_PORT_MAX, "an answer of ports without a name");

/* Where in the text of the answer we are. */
struct writer {
        struct strbuf *buf;
        const struct answer *answer;
        enum direction direction;
};

static void put_bool(struct strbuf *buf, const char *key, bool value)
{
        strbuf_printf(buf, ", \"%s\": %s", key, value ? "true" : "false");
}

/* A text that put made, as a JSON string. */
static void put_text(struct strbuf *buf, struct strbuf *text)
{
        if (strbuf_check(text) < 0)
                buf->failed = true;
        else
                strbuf_json(buf, text->text);
}

static void put_peer(const struct writer *writer, const struct policy *policy, const struct explain_peer *peer,
                     size_t index)
{
        const struct explain_query *query = &writer->answer->queries[writer->answer->shown];
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        struct strbuf *buf = writer->buf;
        char prefix[ADDR_TEXT_MAX];

        strbuf_printf(buf, "{\"peer\": %zu", index);
        put_bool(buf, "matches", peer->answer == EXPLAIN_PEER_MATCHES);
        strbuf_printf(buf, ", \"reason\": \"%s\"", peer_names[peer->answer]);
        if (peer->failed) {
                strbuf_puts(buf, ", \"requirement\": ");
                put_requirement(&text, peer->failed);
                put_text(buf, &text);
                strbuf_clear(&text);
        }
        if (peer->peer->kind == PEER_BLOCK)
                strbuf_printf(buf, ", \"cidr\": \"%s\"", prefix_format(&peer->peer->cidr, prefix));
        if (peer->except)
                strbuf_printf(buf, ", \"except\": \"%s\"", prefix_format(peer->except, prefix));
        strbuf_printf(buf, ", \"line\": %u, \"text\": ", peer->peer->loc.line);
        put_peer_answer(&text, writer->answer, policy, peer,
                        writer->direction == DIR_EGRESS ? &query->dst : &query->src);
        put_text(buf, &text);
        strbuf_putc(buf, '}');
}

static void put_ports(const struct writer *writer, const struct explain_rule *rule)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        struct strbuf *buf = writer->buf;

        strbuf_printf(buf, ",\n         \"ports\": {\"matches\": %s, \"reason\": \"%s\", \"listed\": [",
                      rule->ports == EXPLAIN_PORT_MATCHES ? "true" : "false", port_names[rule->ports]);
        for (size_t i = 0; i < rule->rule->ports_len; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                put_port_match(&text, &rule->rule->ports[i]);
                put_text(buf, &text);
                strbuf_clear(&text);
        }
        strbuf_puts(buf, "], \"text\": ");
        put_ports_answer(&text, writer->answer, rule);
        put_text(buf, &text);
        strbuf_putc(buf, '}');
}

static void put_rule(const struct writer *writer, const struct policy *policy, const struct explain_rule *rule)
{
        struct strbuf *buf = writer->buf;

        strbuf_printf(buf, "\n        {\"rule\": %u, \"name\": ", rule->rule->index);
        if (rule->rule->name)
                strbuf_json(buf, rule->rule->name);
        else
                strbuf_puts(buf, "null");
        strbuf_printf(buf, ", \"action\": \"%s\", \"line\": %u", action_name(rule->rule->action), rule->rule->loc.line);
        put_bool(buf, "asked", rule->asked);
        put_bool(buf, "matches", rule->matches);
        put_bool(buf, "failsClosed", rule->rule->fails_closed);
        put_bool(buf, "anyPeer", rule->rule->any_peer);
        strbuf_puts(buf, ",\n         \"peers\": [");
        for (size_t i = 0; i < rule->peers_len; i++) {
                strbuf_puts(buf, i > 0 ? ",\n          " : "\n          ");
                put_peer(writer, policy, &rule->peers[i], i);
        }
        strbuf_putc(buf, ']');
        put_bool(buf, "anyPort", rule->rule->any_port);
        if (!rule->rule->any_port)
                put_ports(writer, rule);
        strbuf_putc(buf, '}');
}

static void put_explain_policy(const struct writer *writer, const struct explain_policy *policy)
{
        struct strbuf *buf = writer->buf;

        strbuf_puts(buf, "\n       {\"policy\": ");
        put_policy_json(buf, policy->policy);
        strbuf_printf(buf, ", \"kind\": \"%s\", ", policy->policy->kind);
        put_place_json(buf, writer->answer->policies, &policy->policy->loc);
        strbuf_puts(buf, ", \"rules\": [");
        for (size_t i = 0; i < policy->rules_len; i++) {
                strbuf_puts(buf, i > 0 ? "," : "");
                put_rule(writer, policy->policy, &policy->rules[i]);
        }
        strbuf_puts(buf, "]}");
}

static void put_tier(const struct writer *writer, enum tier tier)
{
        const struct explain_side *side = &writer->answer->explanation->sides[writer->direction];
        const struct explain_tier *said = &side->tiers[tier];
        struct strbuf *buf = writer->buf;

        strbuf_printf(buf, "\n     {\"tier\": \"%s\", \"outcome\": \"%s\", \"policy\": ", tier_name(tier),
                      outcome_names[said->outcome]);
        put_policy_json(buf, said->policy);
        if (said->rule)
                strbuf_printf(buf, ", \"rule\": %u", said->rule->index);
        else
                strbuf_puts(buf, ", \"rule\": null");
        strbuf_puts(buf, ", \"policies\": [");
        for (size_t i = 0; i < said->len; i++) {
                strbuf_puts(buf, i > 0 ? "," : "");
                put_explain_policy(writer, &side->policies[said->first + i]);
        }
        strbuf_puts(buf, "]}");
}

static void put_trace(struct strbuf *buf, const struct answer *answer, enum direction direction)
{
        const struct explain_side *side = &answer->explanation->sides[direction];
        const struct writer writer = {buf, answer, direction};

        strbuf_printf(buf, ",\n   \"%s\": {\"status\": \"%s\", ", direction_name(direction),
                      status_names[side->status]);
        if (answer->chains[direction])
                strbuf_printf(buf, "\"chain\": \"%s\", ", answer->chains[direction]);
        strbuf_puts(buf, "\"tiers\": [");
        for (enum tier tier = 0; side->status == EXPLAIN_JUDGED && tier < TIER_MAX; tier++) {
                strbuf_puts(buf, tier > 0 ? "," : "");
                put_tier(&writer, tier);
        }
        strbuf_puts(buf, "]}");
}

static void put_party_json(struct strbuf *buf, const struct answer *answer, const char *key,
                           const struct explain_party *party)
{
        char text[ADDR_TEXT_MAX];

        strbuf_printf(buf, "\"%s\": {\"endpoint\": ", key);
        if (party->endpoint == WORLD_OUTSIDE)
                strbuf_puts(buf, "null");
        else
                put_endpoint_json(buf, &answer->inventory->endpoints[party->endpoint]);
        if (party->has_addr)
                strbuf_printf(buf, ", \"address\": \"%s\"}", addr_format(&party->addr, text));
        else
                strbuf_puts(buf, ", \"address\": null}");
}

/* The address pairs, each with its verdict; what is traced is one of them. */
static void put_pairs(struct strbuf *buf, const struct answer *answer)
{
        for (size_t i = 0; i < answer->queries_len; i++) {
                strbuf_puts(buf, i > 0 ? ",\n    {" : "\n    {");
                put_party_json(buf, answer, "src", &answer->queries[i].src);
                strbuf_puts(buf, ", ");
                put_party_json(buf, answer, "dst", &answer->queries[i].dst);
                strbuf_printf(buf, ", \"verdict\": \"%s\"", action_name(answer->verdicts[i]));
                put_bool(buf, "traced", i == answer->shown);
                strbuf_putc(buf, '}');
        }
}

static void put_side(struct strbuf *buf, const struct answer *answer, enum direction direction)
{
        const struct explain_side *side = &answer->explanation->sides[direction];

        strbuf_printf(buf, "\"%s\": ", direction_name(direction));
        put_cause_json(buf, answer->policies, &side->cause, side->status == EXPLAIN_JUDGED);
}

void answer_json(struct strbuf *buf, const struct answer *answer)
{
        strbuf_printf(buf, "{\"verdict\": \"%s\",\n ", action_name(answer->explanation->verdict));
        put_side(buf, answer, DIR_EGRESS);
        strbuf_puts(buf, ",\n ");
        put_side(buf, answer, DIR_INGRESS);
        strbuf_printf(buf, ",\n \"trace\": {\n   \"protocol\": %u, \"port\": ", answer->service.protocol);
        if (answer->service.port > 0)
                strbuf_printf(buf, "%u", answer->service.port);
        else
                strbuf_puts(buf, "null");
        strbuf_puts(buf, ", \"addresses\": [");
        put_pairs(buf, answer);
        strbuf_putc(buf, ']');
        put_trace(buf, answer, DIR_EGRESS);
        put_trace(buf, answer, DIR_INGRESS);
        strbuf_puts(buf, "}}\n");
}
