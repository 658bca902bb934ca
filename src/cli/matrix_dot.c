/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall matrix for Graphviz: a cluster for each namespace, an edge for what one node can open to another. */
#include <errno.h>
#include <string.h>

#include "matrix.h"
#include "output.h"

/* The text inside a quoted label. There a backslash begins an escape, and an ampersand an entity of HTML. */
static void put_label(struct strbuf *buf, const char *text)
{
        _cleanup_(strbuf_fini) struct strbuf clean = STRBUF_INIT;

        strbuf_clean(&clean, text);
        if (strbuf_check(&clean) < 0) {
                buf->failed = true;
                return;
        }

        for (const char *c = clean.text; *c; c++) {
                if (*c == '&')
                        strbuf_puts(buf, "&amp;");
                else if (*c == '"' || *c == '\\')
                        strbuf_printf(buf, "\\%c", *c);
                else
                        strbuf_putc(buf, *c);
        }
}

static void put_group(struct report *report, const char *indent, size_t i)
{
        const struct map_node *node = &report->map->nodes[i];
        struct strbuf *buf = report->buf;

        strbuf_printf(buf, "%sn%zu [label=\"", indent, i);
        put_label(buf, node->name);
        if (node->members_len > 1)
                strbuf_printf(buf, "\\n%zu endpoints", node->members_len);
        strbuf_puts(buf, "\"];\n");
}

/* The groups of one namespace follow one another, but for those of several. */
static void put_clusters(struct report *report)
{
        const struct map *map = report->map;
        const char *ns = NULL;
        size_t clusters = 0;

        for (size_t i = 0; i < map->groups_len; i++) {
                if (!map->nodes[i].ns)
                        continue;

                if (!ns || strcmp(ns, map->nodes[i].ns) != 0) {
                        if (ns)
                                strbuf_puts(report->buf, "  }\n");
                        ns = map->nodes[i].ns;
                        strbuf_printf(report->buf, "  subgraph cluster_%zu {\n    label=\"", clusters++);
                        put_label(report->buf, ns);
                        strbuf_puts(report->buf, "\";\n");
                }
                put_group(report, "    ", i);
        }

        if (ns)
                strbuf_puts(report->buf, "  }\n");
        for (size_t i = 0; i < map->groups_len; i++)
                if (!map->nodes[i].ns)
                        put_group(report, "  ", i);
}

static void put_outside(struct report *report)
{
        const struct map *map = report->map;

        for (size_t i = map->groups_len; i < map->len; i++) {
                const struct map_node *node = &map->nodes[i];

                strbuf_printf(report->buf, "  n%zu [shape=ellipse, label=\"", i);
                if (map_is_everywhere(node))
                        strbuf_puts(report->buf, "outside");
                for (size_t j = 0; j < node->ranges_len && !map_is_everywhere(node); j++) {
                        strbuf_puts(report->buf, j > 0 ? "\\n" : "");
                        put_range(report->buf, &node->ranges[j]);
                }
                strbuf_puts(report->buf, "\"];\n");
        }
}

static int put_edges(struct report *report, size_t src)
{
        const struct map_edge *edges;
        size_t len;
        int r;

        r = map_edges(report->map, src, &edges, &len);
        if (r < 0)
                return r;

        for (size_t i = 0; i < len; i++) {
                strbuf_printf(report->buf, "  n%zu -> n%zu [label=\"", src, edges[i].dst);
                put_conns(report->buf, edges[i].conns);
                strbuf_puts(report->buf, edges[i].by_address ? "\\nfor some addresses\", style=dashed];\n" : "\"];\n");
        }

        return flush_out_partly(report->buf);
}

int report_dot(struct report *report)
{
        int r;

        strbuf_puts(report->buf, "digraph vethwall {\n"
                                 "  graph [rankdir=LR, fontname=\"sans-serif\", style=rounded, color=gray50];\n"
                                 "  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n"
                                 "  edge [fontname=\"sans-serif\", fontsize=11];\n");
        put_clusters(report);
        put_outside(report);
        for (size_t i = 0; i < report->map->len; i++) {
                r = put_edges(report, i);
                if (r != 0)
                        return r;
        }

        strbuf_puts(report->buf, "}\n");
        return 0;
}
