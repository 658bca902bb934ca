/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall matrix for programs: every pair of endpoints, as JSON and CSV. */
#include <errno.h>
#include <string.h>

#include "matrix.h"
#include "output.h"

/* One end of a flow as the formats write it: an endpoint, or addresses of the outside. */
struct flow_end {
        const struct endpoint *endpoint;
        const struct addr_range *range;
};

typedef int (*flow_writer)(struct report *report, const struct flow_end *src, const struct flow_end *dst,
                           const struct matrix_flow *flow, void *userdata);

static int each_to_endpoints(struct report *report, size_t src, flow_writer writer, void *userdata)
{
        const struct endpoint *endpoints = report->inventory->endpoints;
        const struct flow_end from = {.endpoint = &endpoints[src]};
        struct matrix_flow flow;
        int r;

        for (size_t dst = 0; dst < report->inventory->endpoints_len; dst++) {
                const struct flow_end to = {.endpoint = &endpoints[dst]};

                if (dst == src)
                        continue;

                r = matrix_between(report->matrix, src, dst, &flow);
                if (r < 0)
                        return r;

                if (conns_is_empty(flow.conns))
                        continue;

                r = writer(report, &from, &to, &flow, userdata);
                if (r != 0)
                        return r;
        }

        return 0;
}

static int each_outside(struct report *report, enum direction direction, size_t endpoint, flow_writer writer,
                        void *userdata)
{
        const struct flow_end inside = {.endpoint = &report->inventory->endpoints[endpoint]};
        const struct matrix_range *ranges;
        size_t len;
        int r;

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                r = matrix_outside(report->matrix, direction, endpoint, family, &ranges, &len);
                if (r < 0)
                        return r;

                for (size_t i = 0; i < len; i++) {
                        const struct flow_end outside = {.range = &ranges[i].range};
                        const struct matrix_flow flow = {.conns = ranges[i].conns};

                        if (conns_is_empty(flow.conns))
                                continue;

                        r = writer(report, direction == DIR_EGRESS ? &inside : &outside,
                                   direction == DIR_EGRESS ? &outside : &inside, &flow, userdata);
                        if (r != 0)
                                return r;
                }
        }

        return 0;
}

/* Every flow that is allowed, in this order: of each endpoint, to the endpoints and then the outside; then of the
 * outside to each endpoint. */
static int each_flow(struct report *report, flow_writer writer, void *userdata)
{
        int r;

        for (size_t i = 0; i < report->inventory->endpoints_len; i++) {
                r = each_to_endpoints(report, i, writer, userdata);
                if (r == 0)
                        r = each_outside(report, DIR_EGRESS, i, writer, userdata);
                if (r != 0)
                        return r;
        }

        for (size_t i = 0; i < report->inventory->endpoints_len; i++) {
                r = each_outside(report, DIR_INGRESS, i, writer, userdata);
                if (r != 0)
                        return r;
        }

        return 0;
}

static void json_end(struct strbuf *buf, const struct flow_end *end)
{
        char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX];

        if (end->endpoint)
                put_endpoint_json(buf, end->endpoint);
        else
                strbuf_printf(buf, "\"%s-%s\"", addr_format(&end->range->first, first),
                              addr_format(&end->range->last, last));
}

static void json_addr(struct strbuf *buf, const struct addr *addr)
{
        char text[ADDR_TEXT_MAX];

        if (addr)
                strbuf_printf(buf, "\"%s\"", addr_format(addr, text));
        else
                strbuf_puts(buf, "null");
}

static int json_flow(struct report *report, const struct flow_end *src, const struct flow_end *dst,
                     const struct matrix_flow *flow, void *userdata)
{
        struct strbuf *buf = report->buf;
        bool *first = userdata;

        strbuf_puts(buf, *first ? "\n  {\"src\": " : ",\n  {\"src\": ");
        *first = false;
        json_end(buf, src);
        strbuf_puts(buf, ", \"dst\": ");
        json_end(buf, dst);
        strbuf_puts(buf, ", \"conns\": ");
        put_conns_json(buf, flow->conns);

        for (size_t i = 0; i < flow->pairs_len; i++) {
                strbuf_puts(buf, i == 0 ? ", \"byAddress\": [\n    {\"src\": " : ",\n    {\"src\": ");
                json_addr(buf, flow->pairs[i].src);
                strbuf_puts(buf, ", \"dst\": ");
                json_addr(buf, flow->pairs[i].dst);
                strbuf_puts(buf, ", \"conns\": ");
                put_conns_json(buf, flow->pairs[i].conns);
                strbuf_puts(buf, i == flow->pairs_len - 1 ? "}]" : "}");
        }

        strbuf_putc(buf, '}');
        return flush_out_partly(buf);
}

int report_json(struct report *report)
{
        bool first = true;
        int r;

        strbuf_puts(report->buf, "{\"flows\": [");
        r = each_flow(report, json_flow, &first);
        if (r != 0)
                return r;

        strbuf_puts(report->buf, first ? "]}\n" : "\n]}\n");
        return 0;
}

/* A field, in quotes where RFC 4180 wants them. */
static void csv_field(struct strbuf *buf, const char *text)
{
        bool quote = strpbrk(text, ",\"\r\n");

        if (quote)
                strbuf_putc(buf, '"');
        for (; *text; text++) {
                if (*text == '"')
                        strbuf_putc(buf, '"');
                strbuf_putc(buf, *text);
        }
        if (quote)
                strbuf_putc(buf, '"');
}

static void csv_end(struct strbuf *buf, const struct flow_end *end)
{
        _cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
        char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX];

        if (end->endpoint)
                put_endpoint(&name, end->endpoint);
        else
                strbuf_printf(&name, "%s-%s", addr_format(&end->range->first, first),
                              addr_format(&end->range->last, last));

        if (strbuf_check(&name) < 0)
                buf->failed = true;
        else
                csv_field(buf, name.text);
        strbuf_putc(buf, ',');
}

static void csv_addr(struct strbuf *buf, const struct addr *addr)
{
        char text[ADDR_TEXT_MAX];

        if (addr)
                strbuf_puts(buf, addr_format(addr, text));
        strbuf_putc(buf, ',');
}

/* One row for each range of ports. */
static void csv_rows(struct strbuf *buf, const struct flow_end *src, const struct flow_end *dst,
                     const struct matrix_pair *pair)
{
        for (enum conns_proto proto = 0; proto <= CONNS_PROTO_MAX; proto++) {
                size_t len = proto == CONNS_PROTO_MAX ? pair->conns->other : pair->conns->ports_len[proto];

                for (size_t i = 0; i < len; i++) {
                        csv_end(buf, src);
                        csv_end(buf, dst);
                        csv_addr(buf, pair->src);
                        csv_addr(buf, pair->dst);
                        if (proto == CONNS_PROTO_MAX)
                                strbuf_puts(buf, "other,,\n");
                        else
                                strbuf_printf(buf, "%s,%u,%u\n", conns_proto_name(proto),
                                              pair->conns->ports[proto][i].first, pair->conns->ports[proto][i].last);
                }
        }
}

static int csv_flow(struct report *report, const struct flow_end *src, const struct flow_end *dst,
                    const struct matrix_flow *flow, _unused_ void *userdata)
{
        const struct matrix_pair all = {.conns = flow->conns};

        if (flow->pairs_len == 0)
                csv_rows(report->buf, src, dst, &all);
        for (size_t i = 0; i < flow->pairs_len; i++)
                csv_rows(report->buf, src, dst, &flow->pairs[i]);

        return flush_out_partly(report->buf);
}

int report_csv(struct report *report)
{
        strbuf_puts(report->buf, "src,dst,src_address,dst_address,protocol,first_port,last_port\n");
        return each_flow(report, csv_flow, NULL);
}
