/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall matrix for people: lists and grids.
 *
 * Two endpoints are alike where exchanging them changes no flow: then one line can speak for both, and a hundred
 * replicas take no more room than one. Being alike is an equivalence, so that endpoints fall into groups, and what
 * holds between two members of two groups (or of one) holds between any. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "matrix.h"
#include "options.h"
#include "output.h"

/* Members of a group named before the rest is only counted. */
#define MEMBERS_SHOWN 8

struct groups {
        size_t *members; /* owned; endpoints, group by group */
        size_t *starts;  /* owned; per group: where its members begin; one more for the end */
        size_t len;
};

static void groups_fini(struct groups *groups)
{
        free(groups->members);
        free(groups->starts);
}

static size_t group_size(const struct groups *groups, size_t group)
{
        return groups->starts[group + 1] - groups->starts[group];
}

static size_t group_member(const struct groups *groups, size_t group, size_t i)
{
        return groups->members[groups->starts[group] + i];
}

/* 1 if both flows are equal and treat all addresses equally, 0 if not, or a negative errno. */
static int same_flow(struct matrix *matrix, size_t a_src, size_t a_dst, size_t b_src, size_t b_dst)
{
        struct matrix_flow a, b;
        int r;

        r = matrix_between(matrix, a_src, a_dst, &a);
        if (r < 0 || a.pairs_len > 0)
                return r;

        r = matrix_between(matrix, b_src, b_dst, &b);
        if (r < 0 || b.pairs_len > 0)
                return r;

        return a.conns == b.conns;
}

static int same_outside(struct matrix *matrix, size_t a, size_t b)
{
        const struct matrix_range *x, *y;
        size_t x_len, y_len;
        int r;

        for (enum direction direction = 0; direction < DIR_MAX; direction++) {
                for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                        r = matrix_outside(matrix, direction, a, family, &x, &x_len);
                        if (r == 0)
                                r = matrix_outside(matrix, direction, b, family, &y, &y_len);
                        if (r < 0)
                                return r;

                        if (x_len != y_len)
                                return 0;
                        for (size_t i = 0; i < x_len; i++)
                                if (x[i].conns != y[i].conns || !addr_equal(&x[i].range.last, &y[i].range.last))
                                        return 0;
                }
        }

        return 1;
}

/* Endpoints are sorted by namespace, and where two differ, they mostly do so towards their own: looking from there on
 * finds it soon. */
static int alike(struct report *report, size_t a, size_t b)
{
        struct matrix *matrix = report->matrix;
        size_t n = report->inventory->endpoints_len;
        int r;

        r = same_outside(matrix, a, b);
        if (r > 0)
                r = same_flow(matrix, a, b, b, a);

        for (size_t i = 1; r > 0 && i < n; i++) {
                size_t other = (b + i) % n;

                if (other == a)
                        continue;

                r = same_flow(matrix, a, other, b, other);
                if (r > 0)
                        r = same_flow(matrix, other, a, other, b);
        }

        return r;
}

/* The group of each endpoint, numbered in order of their first members. The latest groups are tried first: they are of
 * the same namespace. */
static int assign_groups(struct report *report, bool join, size_t *groups, size_t *ret_len)
{
        _cleanup_free_ size_t *firsts = NULL;
        size_t len = 0;
        int r;

        firsts = calloc(report->inventory->endpoints_len + 1, sizeof(*firsts));
        if (!firsts)
                return -ENOMEM;

        for (size_t i = 0; i < report->inventory->endpoints_len; i++) {
                size_t group = join ? len : 0;

                for (; group > 0; group--) {
                        r = alike(report, firsts[group - 1], i);
                        if (r < 0)
                                return r;
                        if (r > 0)
                                break;
                }

                if (group == 0) {
                        firsts[len++] = i;
                        group = len;
                }
                groups[i] = group - 1;
        }

        *ret_len = len;
        return 0;
}

static int groups_make(struct report *report, bool join, struct groups *ret)
{
        size_t n = report->inventory->endpoints_len, len, at = 0;
        _cleanup_(groups_fini) struct groups groups = {0};
        _cleanup_free_ size_t *of = NULL;
        int r;

        of = calloc(n + 1, sizeof(*of));
        groups.members = calloc(n + 1, sizeof(*groups.members));
        groups.starts = calloc(n + 1, sizeof(*groups.starts));
        if (!of || !groups.members || !groups.starts)
                return -ENOMEM;

        r = assign_groups(report, join, of, &len);
        if (r < 0)
                return r;

        for (size_t group = 0; group < len; group++) {
                groups.starts[group] = at;
                for (size_t i = 0; i < n; i++)
                        if (of[i] == group)
                                groups.members[at++] = i;
        }
        groups.starts[len] = at;
        groups.len = len;

        *ret = groups;
        groups = (struct groups){0};
        return 0;
}

static void put_group(struct report *report, const struct groups *groups, size_t group)
{
        put_endpoint(report->buf, &report->inventory->endpoints[group_member(groups, group, 0)]);
        if (group_size(groups, group) > 1)
                strbuf_printf(report->buf, " (+%zu)", group_size(groups, group) - 1);
}

static void put_members(struct report *report, const struct groups *groups)
{
        bool any = false;

        for (size_t group = 0; group < groups->len; group++) {
                size_t size = group_size(groups, group);

                if (size == 1)
                        continue;

                if (!any)
                        put_colour(report->buf, report->colour, COLOUR_BOLD, "Alike, and shown as one:\n");
                any = true;

                strbuf_puts(report->buf, "  ");
                put_group(report, groups, group);
                strbuf_putc(report->buf, ':');
                for (size_t i = 0; i < size && i < MEMBERS_SHOWN; i++) {
                        strbuf_puts(report->buf, i > 0 ? ", " : " ");
                        put_endpoint(report->buf, &report->inventory->endpoints[group_member(groups, group, i)]);
                }
                if (size > MEMBERS_SHOWN)
                        strbuf_printf(report->buf, " and %zu more", size - MEMBERS_SHOWN);
                strbuf_putc(report->buf, '\n');
        }

        if (any)
                strbuf_putc(report->buf, '\n');
}

static void put_flow_conns(struct report *report, const struct conns *conns)
{
        strbuf_puts(report->buf, ": ");
        put_conns(report->buf, conns);
        strbuf_putc(report->buf, '\n');
}

static void put_pair_addr(struct strbuf *buf, const struct addr *addr)
{
        char text[ADDR_TEXT_MAX];

        strbuf_puts(buf, addr ? addr_format(addr, text) : "no address");
}

static void put_pairs(struct report *report, const struct matrix_flow *flow)
{
        for (size_t i = 0; i < flow->pairs_len; i++) {
                strbuf_puts(report->buf, "    ");
                put_pair_addr(report->buf, flow->pairs[i].src);
                strbuf_puts(report->buf, " -> ");
                put_pair_addr(report->buf, flow->pairs[i].dst);
                put_flow_conns(report, flow->pairs[i].conns);
        }
}

/* What a group can open to another, or, where both are one, any member to any other. */
static int group_flow(struct report *report, const struct groups *groups, size_t src, size_t dst,
                      struct matrix_flow *ret)
{
        return matrix_between(report->matrix, group_member(groups, src, 0), group_member(groups, dst, dst == src), ret);
}

/* The destinations after the first that have the same flow, each marked as done. */
static int put_same_flows(struct report *report, const struct groups *groups, size_t src, size_t dst,
                          const struct conns *conns, bool *done)
{
        struct matrix_flow flow;
        int r;

        for (size_t i = dst + 1; i < groups->len; i++) {
                if (done[i])
                        continue;

                r = group_flow(report, groups, src, i, &flow);
                if (r < 0)
                        return r;

                if (flow.conns != conns || flow.pairs_len > 0)
                        continue;

                strbuf_puts(report->buf, i == src ? ", one another" : ", ");
                if (i != src)
                        put_group(report, groups, i);
                done[i] = true;
        }

        return 0;
}

/* Flows of one group to the others, one line for each that is allowed; or, with join, one line for all destinations
 * with the same connections. A flow that differs by address has a line of its own in any case. */
static int put_group_flows(struct report *report, const struct groups *groups, size_t src, bool join)
{
        _cleanup_free_ bool *done = NULL;
        struct matrix_flow flow;
        int r;

        done = calloc(groups->len + 1, sizeof(*done));
        if (!done)
                return -ENOMEM;

        done[src] = group_size(groups, src) == 1;
        for (size_t dst = 0; dst < groups->len; dst++) {
                if (done[dst])
                        continue;

                r = group_flow(report, groups, src, dst, &flow);
                if (r < 0)
                        return r;

                if (conns_is_empty(flow.conns))
                        continue;

                put_group(report, groups, src);
                strbuf_puts(report->buf, dst == src ? " -> one another" : " -> ");
                if (dst != src)
                        put_group(report, groups, dst);
                if (join && flow.pairs_len == 0) {
                        r = put_same_flows(report, groups, src, dst, flow.conns, done);
                        if (r < 0)
                                return r;
                }
                put_flow_conns(report, flow.conns);
                put_pairs(report, &flow);
        }

        return flush_out_partly(report->buf);
}

/* All ranges of both families. */
struct all_ranges {
        const struct matrix_range *ranges[ADDR_FAMILY_MAX];
        size_t len[ADDR_FAMILY_MAX];
};

static bool covers_family(const struct all_ranges *all, enum addr_family family, const struct conns *conns)
{
        return all->len[family] == 1 && all->ranges[family][0].conns == conns;
}

/* The addresses on which conns holds. */
static void put_outside(struct strbuf *buf, const struct all_ranges *all, const struct conns *conns)
{
        const char *separator = "";

        if (covers_family(all, ADDR_V4, conns) && covers_family(all, ADDR_V6, conns)) {
                strbuf_puts(buf, "outside");
                return;
        }

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                for (size_t i = 0; i < all->len[family]; i++) {
                        if (all->ranges[family][i].conns != conns)
                                continue;

                        strbuf_puts(buf, separator);
                        put_range(buf, &all->ranges[family][i].range);
                        separator = ", ";
                }
        }
}

static bool conns_come_first(const struct all_ranges *all, enum addr_family family, size_t at)
{
        const struct conns *conns = all->ranges[family][at].conns;

        for (enum addr_family f = 0; f <= family; f++)
                for (size_t i = 0; i < (f == family ? at : all->len[f]); i++)
                        if (all->ranges[f][i].conns == conns)
                                return false;

        return true;
}

/* Flows between a group and the outside: one line for each set of connections, with all addresses it holds for. */
static int put_outside_flows(struct report *report, const struct groups *groups, size_t group, enum direction direction)
{
        struct all_ranges all;
        int r;

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                r = matrix_outside(report->matrix, direction, group_member(groups, group, 0), family,
                                   &all.ranges[family], &all.len[family]);
                if (r < 0)
                        return r;
        }

        for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++) {
                for (size_t i = 0; i < all.len[family]; i++) {
                        const struct conns *conns = all.ranges[family][i].conns;

                        if (conns_is_empty(conns) || !conns_come_first(&all, family, i))
                                continue;

                        if (direction == DIR_EGRESS)
                                put_group(report, groups, group);
                        else
                                put_outside(report->buf, &all, conns);
                        strbuf_puts(report->buf, " -> ");
                        if (direction == DIR_EGRESS)
                                put_outside(report->buf, &all, conns);
                        else
                                put_group(report, groups, group);
                        put_flow_conns(report, conns);
                }
        }

        return flush_out_partly(report->buf);
}

int report_list(struct report *report)
{
        bool join = report->inventory->endpoints_len > REPORT_FEW;
        _cleanup_(groups_fini) struct groups groups = {0};
        int r;

        r = groups_make(report, join, &groups);
        if (r < 0)
                return r;

        put_members(report, &groups);
        for (size_t i = 0; i < groups.len; i++) {
                r = put_group_flows(report, &groups, i, join);
                if (r == 0)
                        r = put_outside_flows(report, &groups, i, DIR_EGRESS);
                if (r != 0)
                        return r;
        }

        for (size_t i = 0; i < groups.len; i++) {
                r = put_outside_flows(report, &groups, i, DIR_INGRESS);
                if (r != 0)
                        return r;
        }

        return 0;
}

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
