/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall matrix for people: a list of flows, of few endpoints one by one, of many by groups of those that nothing tells
 * apart. */
#include <errno.h>
#include <string.h>

#include "matrix.h"
#include "output.h"

/* Members of a group named before the rest is only counted. */
#define MEMBERS_SHOWN 8

/* From more flows than this, those of one source with the same connections are one line. */
#define LINES_FEW 40

void put_node(struct strbuf *buf, const struct map_node *node)
{
        if (node->members) {
                strbuf_clean(buf, node->text);
        } else if (map_is_everywhere(node)) {
                strbuf_puts(buf, "outside");
        } else {
                for (size_t i = 0; i < node->ranges_len; i++) {
                        strbuf_puts(buf, i > 0 ? ", " : "");
                        put_range(buf, &node->ranges[i]);
                }
        }
}

static void put_members(struct report *report)
{
        const struct map *map = report->map;
        bool any = false;

        for (size_t i = 0; i < map->groups_len; i++) {
                const struct map_node *node = &map->nodes[i];

                if (node->members_len == 1)
                        continue;

                if (!any)
                        put_colour(report->buf, report->colour, COLOUR_BOLD, "Alike, and shown as one:\n");
                any = true;

                strbuf_puts(report->buf, "  ");
                put_node(report->buf, node);
                strbuf_putc(report->buf, ':');
                for (size_t j = 0; j < node->members_len && j < MEMBERS_SHOWN; j++) {
                        strbuf_puts(report->buf, j > 0 ? ", " : " ");
                        put_endpoint(report->buf, &report->inventory->endpoints[node->members[j]]);
                }
                if (node->members_len > MEMBERS_SHOWN)
                        strbuf_printf(report->buf, " and %zu more", node->members_len - MEMBERS_SHOWN);
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

/* What each address of the first members can open to each: those of the others are treated alike in their order. */
static int put_pairs(struct report *report, size_t src, size_t dst)
{
        const struct map *map = report->map;
        struct map_pair members = map_members(map, src, dst);
        bool first = map->nodes[src].members_len > 1 || map->nodes[dst].members_len > 1;
        struct matrix_flow flow;
        int r;

        r = matrix_between(report->matrix, members.src, members.dst, &flow);
        if (r < 0)
                return r;

        if (first)
                strbuf_puts(report->buf, "    not for all addresses alike; of the first of them:\n");
        for (size_t i = 0; i < flow.pairs_len; i++) {
                strbuf_puts(report->buf, "    ");
                put_pair_addr(report->buf, flow.pairs[i].src);
                strbuf_puts(report->buf, " -> ");
                put_pair_addr(report->buf, flow.pairs[i].dst);
                put_flow_conns(report, flow.pairs[i].conns);
        }

        return 0;
}

static bool edges_join(const struct map *map, const struct map_edge *a, const struct map_edge *b)
{
        return a->conns == b->conns && !a->by_address && !b->by_address &&
               (a->dst < map->groups_len) == (b->dst < map->groups_len);
}

static void put_dst(struct report *report, size_t src, size_t dst)
{
        if (dst == src)
                strbuf_puts(report->buf, "one another");
        else
                put_node(report->buf, &report->map->nodes[dst]);
}

/* What a node can open: a line for each other, or, with join, for all with the same connections. A flow that differs by
 * address has a line of its own in any case. */
static int put_edges(struct report *report, size_t src, bool join)
{
        _cleanup_free_ bool *done = NULL;
        const struct map_edge *edges;
        size_t len;
        int r;

        r = map_edges(report->map, src, &edges, &len);
        if (r < 0)
                return r;

        done = calloc(len + 1, sizeof(*done));
        if (!done)
                return -ENOMEM;

        for (size_t i = 0; i < len; i++) {
                if (done[i])
                        continue;

                put_node(report->buf, &report->map->nodes[src]);
                strbuf_puts(report->buf, " -> ");
                put_dst(report, src, edges[i].dst);
                for (size_t j = i + 1; join && j < len; j++) {
                        if (done[j] || !edges_join(report->map, &edges[i], &edges[j]))
                                continue;

                        strbuf_puts(report->buf, ", ");
                        put_dst(report, src, edges[j].dst);
                        done[j] = true;
                }

                put_flow_conns(report, edges[i].conns);
                if (edges[i].by_address) {
                        r = put_pairs(report, src, edges[i].dst);
                        if (r < 0)
                                return r;
                }
        }

        return flush_out_partly(report->buf);
}

static int count_edges(struct report *report, size_t *ret)
{
        const struct map_edge *edges;
        size_t len;
        int r;

        *ret = 0;
        for (size_t i = 0; i < report->map->len; i++) {
                r = map_edges(report->map, i, &edges, &len);
                if (r < 0)
                        return r;
                *ret += len;
        }

        return 0;
}

int report_list(struct report *report)
{
        const struct map *map = report->map;
        bool join = report->inventory->endpoints_len > REPORT_FEW;
        size_t edges;
        int r;

        if (!join) {
                r = count_edges(report, &edges);
                if (r < 0)
                        return r;
                join = edges > LINES_FEW;
        }

        put_members(report);
        for (size_t i = 0; i < map->len; i++) {
                r = put_edges(report, i, join);
                if (r != 0)
                        return r;
        }

        if (map->groups_len < report->inventory->endpoints_len)
                strbuf_printf(report->buf, "\n%zu endpoints, shown as %zu. Every pair of them: -o csv, -o json\n",
                              report->inventory->endpoints_len, map->groups_len);
        return 0;
}
