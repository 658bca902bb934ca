/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff for programs: one document, the pairs in the order of the matrix. */
#include "cause.h"
#include "diff.h"
#include "diff_ends.h"
#include "flow.h"
#include "output.h"

static void json_cause(struct difference *difference, enum change_side side, const struct cause *cause)
{
        if (cause->tier == TIER_MAX)
                strbuf_puts(difference->buf, "null");
        else
                put_cause_json(difference->buf, difference->policies[side], cause, true);
}

/* True if an earlier part of the change says the same of the direction. */
static bool named_before(const struct change *change, size_t part, enum direction d)
{
        const struct change_reason *reason = change->parts[part].reason;

        for (size_t i = 0; i < part; i++) {
                const struct change_reason *other = change->parts[i].reason;

                if (other->turned[d] && other->origin == reason->origin &&
                    cause_equal(&other->causes[d][CHANGE_OLD], &reason->causes[d][CHANGE_OLD]) &&
                    cause_equal(&other->causes[d][CHANGE_NEW], &reason->causes[d][CHANGE_NEW]))
                        return true;
        }

        return false;
}

static void json_rules(struct difference *difference, const struct change *change)
{
        static const enum direction order[] = {DIR_EGRESS, DIR_INGRESS};
        struct strbuf *buf = difference->buf;
        bool first = true;

        strbuf_puts(buf, ",\n   \"rules\": [");
        for (size_t i = 0; i < change->parts_len; i++) {
                const struct change_reason *reason = change->parts[i].reason;

                for (size_t j = 0; j < ARRAY_SIZE(order); j++) {
                        enum direction d = order[j];

                        if (!reason->turned[d] || named_before(change, i, d))
                                continue;

                        strbuf_printf(buf, "%s\n    {\"direction\": \"%s\", \"old\": ", first ? "" : ",",
                                      direction_name(d));
                        first = false;
                        json_cause(difference, CHANGE_OLD, &reason->causes[d][CHANGE_OLD]);
                        strbuf_puts(buf, ", \"new\": ");
                        json_cause(difference, CHANGE_NEW, &reason->causes[d][CHANGE_NEW]);
                        strbuf_printf(buf, ", \"cause\": \"%s\"}", change_origin_name(reason->origin));
                }
        }
        strbuf_putc(buf, ']');
}

static void json_addr(struct strbuf *buf, const struct endpoint *endpoint, size_t i)
{
        char text[ADDR_TEXT_MAX];

        if (i < endpoint->addrs_len)
                strbuf_printf(buf, "\"%s\"", addr_format(&endpoint->addrs[i], text));
        else
                strbuf_puts(buf, "null");
}

/* Addresses apart are those of both sides. */
static void json_pairs(struct strbuf *buf, const struct change *change, const struct change_party *src,
                       const struct change_party *dst)
{
        for (size_t i = 0; i < change->pairs_len; i++) {
                const struct change_pair *pair = &change->pairs[i];

                strbuf_puts(buf, i == 0 ? ",\n   \"byAddress\": [\n    {\"src\": " : ",\n    {\"src\": ");
                json_addr(buf, src->endpoint[CHANGE_NEW], pair->src);
                strbuf_puts(buf, ", \"dst\": ");
                json_addr(buf, dst->endpoint[CHANGE_NEW], pair->dst);
                strbuf_puts(buf, ", \"old\": ");
                put_conns_json_object(buf, pair->conns[CHANGE_OLD]);
                strbuf_puts(buf, ", \"new\": ");
                put_conns_json_object(buf, pair->conns[CHANGE_NEW]);
                strbuf_puts(buf, i == change->pairs_len - 1 ? "}]" : "}");
        }
}

static void json_facts(struct strbuf *buf, const struct changes *changes, const struct change_end *end)
{
        unsigned facts = end->outside ? 0 : changes->kinds[end->kind].facts;
        const char *comma = "";

        strbuf_putc(buf, '[');
        for (enum change_fact fact = 0; fact < CHANGE_FACT_MAX; fact++) {
                if (!(facts & 1u << fact))
                        continue;
                strbuf_printf(buf, "%s\"%s\"", comma, change_fact_name(fact));
                comma = ", ";
        }
        strbuf_putc(buf, ']');
}

/* What changed it and, where it was the inventory, what is different of the ends. */
static void json_origin(struct strbuf *buf, const struct changes *changes, const struct change *change)
{
        strbuf_printf(buf, ",\n   \"cause\": \"%s\"", change_origin_name(change->origin));
        if (change->origin == CHANGE_BY_POLICY)
                return;

        strbuf_puts(buf, ", \"inventory\": {\"src\": ");
        json_facts(buf, changes, &change->src);
        strbuf_puts(buf, ", \"dst\": ");
        json_facts(buf, changes, &change->dst);
        strbuf_putc(buf, '}');
}

static void json_end(struct strbuf *buf, const struct change_party *party, const struct change_end *end)
{
        char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX];

        if (party)
                put_endpoint_json(buf, party->endpoint[party->endpoint[CHANGE_NEW] ? CHANGE_NEW : CHANGE_OLD]);
        else
                strbuf_printf(buf, "\"%s-%s\"", addr_format(&end->range.first, first),
                              addr_format(&end->range.last, last));
}

struct json_state {
        struct difference *difference;
        bool any;
};

static const char *change_type(const struct change *change)
{
        return conns_is_empty(change->conns[CHANGE_OLD])   ? "added"
               : conns_is_empty(change->conns[CHANGE_NEW]) ? "removed"
                                                           : "changed";
}

static void json_conns(struct strbuf *buf, const struct change *change)
{
        strbuf_puts(buf, ",\n   \"old\": ");
        put_conns_json_object(buf, change->conns[CHANGE_OLD]);
        strbuf_puts(buf, ", \"new\": ");
        put_conns_json_object(buf, change->conns[CHANGE_NEW]);
}

static int json_change(const struct changes *changes, const struct change *change, const struct change_party *src,
                       const struct change_party *dst, void *userdata)
{
        struct json_state *state = userdata;
        struct strbuf *buf = state->difference->buf;

        strbuf_printf(buf, "%s\n  {\"type\": \"%s\", \"src\": ", state->any ? "," : "", change_type(change));
        state->any = true;
        json_end(buf, src, &change->src);
        strbuf_puts(buf, ", \"dst\": ");
        json_end(buf, dst, &change->dst);
        json_conns(buf, change);
        json_origin(buf, changes, change);
        json_pairs(buf, change, src, dst);
        json_rules(state->difference, change);
        strbuf_putc(buf, '}');
        return flush_out_partly(buf);
}

/* latent */

static void json_requirements(struct strbuf *buf, const struct selector *selector)
{
        strbuf_puts(buf, "{\"matchExpressions\": [");
        for (size_t i = 0; i < selector->len; i++) {
                const struct label_requirement *requirement = &selector->requirements[i];

                strbuf_puts(buf, i > 0 ? ", {\"key\": " : "{\"key\": ");
                strbuf_json(buf, requirement->key);
                strbuf_printf(buf, ", \"operator\": \"%s\"", label_op_name(requirement->op));
                for (size_t j = 0; j < requirement->values_len; j++) {
                        strbuf_puts(buf, j > 0 ? ", " : ", \"values\": [");
                        strbuf_json(buf, requirement->values[j]);
                }
                strbuf_puts(buf, requirement->values_len > 0 ? "]}" : "}");
        }
        strbuf_puts(buf, "]}");
}

static void json_place(struct strbuf *buf, const struct latent_place *place, bool more)
{
        strbuf_puts(buf, more ? ",\n     {\"namespaces\": [" : "\n     {\"namespaces\": [");
        for (size_t i = 0; i < place->namespaces_len; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                strbuf_json(buf, place->namespaces[i]);
        }
        strbuf_puts(buf, "], \"newNamespace\": ");
        if (place->new_namespace)
                json_requirements(buf, place->new_namespace);
        else
                strbuf_puts(buf, "null");
        strbuf_puts(buf, ", \"podSelector\": ");
        json_requirements(buf, place->labels);
        strbuf_putc(buf, '}');
}

static void json_future(struct strbuf *buf, const struct latent_party *party, bool source)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        put_future_text(&text, party, source);
        if (strbuf_check(&text) < 0) {
                buf->failed = true;
                return;
        }

        strbuf_puts(buf, "{\"future\": ");
        strbuf_json(buf, text.text);
        strbuf_puts(buf, ", \"places\": [");
        for (size_t i = 0; i < party->places_len; i++)
                json_place(buf, &party->places[i], i > 0);
        strbuf_puts(buf, "]");
        if (source || party->ports_len == 0) {
                strbuf_putc(buf, '}');
                return;
        }

        strbuf_puts(buf, party->has_ports ? ",\n     \"hasPorts\": [" : ",\n     \"hasNoPorts\": [");
        for (size_t i = 0; i < party->ports_len; i++) {
                strbuf_puts(buf, i > 0 ? ", {\"name\": " : "{\"name\": ");
                strbuf_json(buf, party->ports[i].name);
                if (party->has_ports)
                        strbuf_printf(buf, ", \"port\": %u", party->ports[i].port);
                strbuf_printf(buf, ", \"protocol\": \"%s\"}",
                              conns_proto_name(conns_proto_of(party->ports[i].protocol)));
        }
        strbuf_puts(buf, "]}");
}

static void json_latent_end(struct difference *difference, const struct change_end *end, bool source)
{
        const struct changes *changes = difference->latent->changes, *present = difference->changes;
        const struct latent_party *party;
        struct strbuf *buf = difference->buf;

        if (end->outside) {
                strbuf_puts(buf, "{\"range\": ");
                json_end(buf, NULL, end);
                strbuf_putc(buf, '}');
                return;
        }

        party = &difference->latent->parties[changes->kinds[end->kind].parties[0]];
        if (party->future) {
                json_future(buf, party, source);
                return;
        }

        strbuf_puts(buf, "{\"endpoints\": [");
        for (size_t i = 0; i < present->kinds[party->kind].len; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                json_end(buf, &present->parties[present->kinds[party->kind].parties[i]], end);
        }
        strbuf_puts(buf, "]}");
}

static int json_latent(struct difference *difference)
{
        const struct changes *changes = difference->latent->changes;
        struct strbuf *buf = difference->buf;
        int r = 0;

        strbuf_puts(buf, ",\n \"latent\": [");
        for (size_t i = 0; r == 0 && i < changes->len; i++) {
                const struct change *change = &changes->items[i];

                strbuf_printf(buf, "%s\n  {\"type\": \"%s\",\n   \"src\": ", i > 0 ? "," : "", change_type(change));
                json_latent_end(difference, &change->src, true);
                strbuf_puts(buf, ",\n   \"dst\": ");
                json_latent_end(difference, &change->dst, false);
                json_conns(buf, change);
                strbuf_printf(buf, ",\n   \"cause\": \"%s\"", change_origin_name(change->origin));
                json_rules(difference, change);
                strbuf_putc(buf, '}');
                r = flush_out_partly(buf);
        }
        strbuf_printf(buf, "%s],\n \"latentComplete\": %s", changes->len > 0 ? "\n " : "",
                      difference->latent->bounded ? "false" : "true");
        return r;
}

int diff_json(struct difference *difference)
{
        static const char *const text_changed[] = {
                [DIFF_TEXT_SAME] = "false",
                [DIFF_TEXT_CHANGED] = "true",
                [DIFF_TEXT_UNKNOWN] = "null",
        };
        struct json_state state = {difference, false};
        struct strbuf *buf = difference->buf;
        int r;

        strbuf_printf(buf, "{\"textChanged\": %s, \"widened\": %zu, \"narrowed\": %zu, \"both\": %zu,\n \"causes\": {",
                      text_changed[difference->text], difference->widened, difference->narrowed, difference->both);
        for (enum change_origin origin = 0; origin < CHANGE_ORIGIN_MAX; origin++)
                strbuf_printf(buf, "%s\"%s\": %zu", origin > 0 ? ", " : "", change_origin_name(origin),
                              difference->origins[origin]);
        strbuf_puts(buf, "},\n \"changes\": [");
        r = changes_visit(difference->changes, json_change, &state);
        if (r != 0)
                return r;

        strbuf_puts(buf, state.any ? "\n ]" : "]");
        r = json_latent(difference);
        if (r == 0)
                r = json_connections(difference);
        if (r != 0)
                return r;

        strbuf_puts(buf, "}\n");
        return 0;
}
