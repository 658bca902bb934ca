/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open connections that the new policies deny, in the forms of vethwall diff. */
#include "cause.h"
#include "connections.h"
#include "diff_rows.h"
#include "explain.h"
#include "flow.h"
#include "output.h"

/* "ingress denied by ...", for each direction that denies. */
static void put_denials(struct strbuf *buf, const struct difference *difference, const struct connection *connection)
{
        static const enum direction order[] = {DIR_EGRESS, DIR_INGRESS};
        const struct explain_judgement *judgement = &connection->judgements[CHANGE_NEW];
        bool any = false;

        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
                enum direction d = order[i];

                if (judgement->causes[d].action != ACTION_DENY)
                        continue;

                strbuf_printf(buf, "%s%s ", any ? "; " : "", direction_name(d));
                put_change_cause(buf, difference->policies[CHANGE_NEW], d, &judgement->causes[d]);
                any = true;
        }
}

static void put_connection(struct strbuf *buf, const struct difference *difference, const struct connection *connection)
{
        const struct inventory *inventory = difference->connections->inventory;

        put_party(buf, inventory, &connection->query.src, true);
        strbuf_puts(buf, " -> ");
        put_party(buf, inventory, &connection->query.dst, true);
        strbuf_putc(buf, ' ');
        put_service(buf, connection->query.protocol, connection->query.port);
        if (connection->count > 1)
                strbuf_printf(buf, ", %zu connections", connection->count);
        strbuf_puts(buf, ": ");
        put_denials(buf, difference, connection);
}

/* Those that the old policies judge so. */
static int put_group(struct difference *difference, const struct diff_form *form, enum action old, const char *title)
{
        const struct connections *connections = difference->connections;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        bool any = false;
        int r;

        for (size_t i = 0; i < connections->len; i++) {
                const struct connection *connection = &connections->items[i];

                if (connection->judgements[CHANGE_OLD].verdict != old)
                        continue;

                if (!any)
                        form->title(difference, title);
                any = true;
                put_connection(&text, difference, connection);
                put_line(difference, form, &text);
                r = flush_out_partly(difference->buf);
                if (r != 0)
                        return r;
        }

        strbuf_puts(difference->buf, any ? form->end : "");
        return 0;
}

int put_connections(struct difference *difference, const struct diff_form *form)
{
        const struct connections *connections = difference->connections;
        int r;

        if (!connections)
                return 0;

        r = put_group(difference, form, ACTION_ALLOW, "Open connections that are denied from now on, and cut");
        if (r == 0)
                r = put_group(difference, form, ACTION_DENY, "Open connections that are denied already");
        if (r == 0 && connections->known && !connections->complete) {
                _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

                form->title(difference, "There are more open connections than the agent tells at once");
                strbuf_puts(&text, "those that are not told were not judged");
                put_line(difference, form, &text);
                strbuf_puts(difference->buf, form->end);
        }
        return r;
}

static void json_party(struct strbuf *buf, const struct difference *difference, const char *key,
                       const struct explain_party *party)
{
        const struct inventory *inventory = difference->connections->inventory;
        char text[ADDR_TEXT_MAX];

        strbuf_printf(buf, "\"%s\": ", key);
        if (party->endpoint == WORLD_OUTSIDE)
                strbuf_puts(buf, "null");
        else
                put_endpoint_json(buf, &inventory->endpoints[party->endpoint]);
        strbuf_printf(buf, ", \"%sAddress\": \"%s\", ", key, addr_format(&party->addr, text));
}

static void json_connection(struct strbuf *buf, const struct difference *difference,
                            const struct connection *connection)
{
        static const enum direction order[] = {DIR_EGRESS, DIR_INGRESS};
        const struct explain_judgement *old = &connection->judgements[CHANGE_OLD],
                                       *new = &connection->judgements[CHANGE_NEW];
        const char *separator = "";

        strbuf_putc(buf, '{');
        json_party(buf, difference, "src", &connection->query.src);
        json_party(buf, difference, "dst", &connection->query.dst);
        strbuf_puts(buf, "\"service\": \"");
        put_service(buf, connection->query.protocol, connection->query.port);
        strbuf_printf(buf, "\", \"count\": %zu, \"old\": \"%s\", \"new\": \"%s\",\n   \"rules\": [", connection->count,
                      action_name(old->verdict), action_name(new->verdict));
        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
                enum direction d = order[i];

                if (new->causes[d].action != ACTION_DENY)
                        continue;

                strbuf_printf(buf, "%s\n    {\"direction\": \"%s\", \"old\": ", separator, direction_name(d));
                put_cause_json(buf, difference->policies[CHANGE_OLD], &old->causes[d],
                               old->status[d] == EXPLAIN_JUDGED);
                strbuf_puts(buf, ", \"new\": ");
                put_cause_json(buf, difference->policies[CHANGE_NEW], &new->causes[d],
                               new->status[d] == EXPLAIN_JUDGED);
                strbuf_putc(buf, '}');
                separator = ",";
        }
        strbuf_puts(buf, "]}");
}

int json_connections(struct difference *difference)
{
        const struct connections *connections = difference->connections;
        struct strbuf *buf = difference->buf;

        if (!connections)
                return 0;
        if (!connections->known) {
                strbuf_puts(buf, ",\n \"connections\": null, \"connectionsComplete\": false");
                return 0;
        }

        strbuf_puts(buf, ",\n \"connections\": [");
        for (size_t i = 0; i < connections->len; i++) {
                int r;

                strbuf_puts(buf, i > 0 ? ",\n  " : "\n  ");
                json_connection(buf, difference, &connections->items[i]);
                r = flush_out_partly(buf);
                if (r != 0)
                        return r;
        }
        strbuf_printf(buf, "], \"connectionsComplete\": %s", connections->complete ? "true" : "false");
        return 0;
}
