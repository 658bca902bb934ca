/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall matrix for people, of a few endpoints and of services that were asked for: a grid for each service. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "matrix.h"
#include "output.h"

enum cell {
        CELL_SELF,
        CELL_DENIED,
        CELL_ALLOWED,
        CELL_SOME,
        CELL_MAX,
};

/* How much of a number of cases is allowed. */
static enum cell cell_of(size_t allowed, size_t all)
{
        return allowed == 0 ? CELL_DENIED : allowed == all ? CELL_ALLOWED : CELL_SOME;
}

static int endpoint_cell(struct report *report, const struct service *service, size_t src, size_t dst, enum cell *ret)
{
        struct matrix_flow flow;
        size_t allowed = 0;
        int r;

        if (src == dst) {
                *ret = CELL_SELF;
                return 0;
        }

        r = matrix_between(report->matrix, src, dst, &flow);
        if (r < 0)
                return r;

        if (flow.pairs_len == 0) {
                *ret = cell_of(conns_allow(flow.conns, service->protocol, service->port), 1);
                return 0;
        }

        for (size_t i = 0; i < flow.pairs_len; i++)
                allowed += conns_allow(flow.pairs[i].conns, service->protocol, service->port);
        *ret = cell_of(allowed, flow.pairs_len);
        return 0;
}

/* ICMP has a form of its own for each family. */
static bool family_has(enum addr_family family, uint8_t protocol)
{
        return !(protocol == IPPROTO_ICMP && family == ADDR_V6) && !(protocol == IPPROTO_ICMPV6 && family == ADDR_V4);
}

static int outside_cell(struct report *report, const struct service *service, enum direction direction, size_t endpoint,
                        enum cell *ret)
{
        const struct matrix_range *ranges;
        size_t allowed = 0, all = 0, len;
        int r;

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                if (!family_has(family, service->protocol))
                        continue;

                r = matrix_outside(report->matrix, direction, endpoint, family, &ranges, &len);
                if (r < 0)
                        return r;

                for (size_t i = 0; i < len; i++, all++)
                        allowed += conns_allow(ranges[i].conns, service->protocol, service->port);
        }

        *ret = cell_of(allowed, all);
        return 0;
}

static void put_cell(struct report *report, int width, enum cell cell)
{
        strbuf_printf(report->buf, "%*s", width, "");
        switch (cell) {
        case CELL_SELF:
                put_colour(report->buf, report->colour, COLOUR_DIM, "-");
                break;
        case CELL_DENIED:
                put_colour(report->buf, report->colour, COLOUR_RED, "X");
                break;
        case CELL_ALLOWED:
                put_colour(report->buf, report->colour, COLOUR_GREEN, ".");
                break;
        case CELL_SOME:
                put_colour(report->buf, report->colour, COLOUR_YELLOW, "~");
                break;
        case CELL_MAX:
                break;
        }
}

/* One row; src is an endpoint or, at their number, the outside. */
static int put_row(struct report *report, const struct service *service, size_t src, int width)
{
        size_t n = report->inventory->endpoints_len;
        enum cell cell = CELL_SELF;
        int r = 0;

        for (size_t dst = 0; dst <= n; dst++) {
                if (src < n && dst < n)
                        r = endpoint_cell(report, service, src, dst, &cell);
                else if (src < n)
                        r = outside_cell(report, service, DIR_EGRESS, src, &cell);
                else if (dst < n)
                        r = outside_cell(report, service, DIR_INGRESS, dst, &cell);
                else
                        cell = CELL_SELF;
                if (r < 0)
                        return r;

                put_cell(report, width, cell);
        }

        strbuf_putc(report->buf, '\n');
        return 0;
}

static int name_width(const struct inventory *inventory, const struct service *service)
{
        size_t width = strlen("outside"), text;

        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                text = strlen(inventory->endpoints[i].ns) + 1 + strlen(inventory->endpoints[i].name);
                if (text > width)
                        width = text;
        }

        text = strlen(service->text);
        return (int)(text > width + 4 ? text - 4 : width);
}

static int put_grid(struct report *report, const struct service *service)
{
        size_t n = report->inventory->endpoints_len;
        int width = name_width(report->inventory, service), r;

        put_colour(report->buf, report->colour, COLOUR_BOLD, service->text);
        strbuf_printf(report->buf, "%*s", width + 4 - (int)strlen(service->text), "");
        for (size_t i = 0; i < n; i++)
                strbuf_printf(report->buf, "%3zu", i + 1);
        strbuf_puts(report->buf, "  *\n");

        for (size_t i = 0; i < n; i++) {
                const struct endpoint *endpoint = &report->inventory->endpoints[i];
                int pad = width - (int)(strlen(endpoint->ns) + 1 + strlen(endpoint->name));

                strbuf_printf(report->buf, "%3zu ", i + 1);
                put_endpoint(report->buf, endpoint);
                strbuf_printf(report->buf, "%*s", pad, "");
                r = put_row(report, service, i, 2);
                if (r < 0)
                        return r;
        }

        strbuf_printf(report->buf, "  * %-*s", width, "outside");
        return put_row(report, service, n, 2);
}

int report_grids(struct report *report)
{
        int r;

        for (size_t i = 0; i < report->services_len; i++) {
                r = put_grid(report, &report->services[i]);
                if (r < 0)
                        return r;
                strbuf_putc(report->buf, '\n');
        }

        strbuf_puts(report->buf, "From the row to the column: ");
        put_colour(report->buf, report->colour, COLOUR_GREEN, ".");
        strbuf_puts(report->buf, " allowed, ");
        put_colour(report->buf, report->colour, COLOUR_RED, "X");
        strbuf_puts(report->buf, " denied, ");
        put_colour(report->buf, report->colour, COLOUR_YELLOW, "~");
        strbuf_puts(report->buf, " allowed for some addresses only\n");
        return 0;
}
