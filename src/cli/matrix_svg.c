/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall matrix as a picture: what both forms share, and which of them is drawn. */
#include <errno.h>
#include <string.h>

#include "matrix_svg.h"
#include "output.h"

/* Beyond these, wires are a tangle. */
#define WIRES_NODES 16
#define WIRES_PATHS 24

/* Ranges of the outside that are shown one by one. */
#define RANGES_SHOWN 4

/* Services that the title names. */
#define SERVICES_SHOWN 4

/* Of the proportional font, in tenths of pixels: no text of ours is wider. */
#define TITLE_COLUMN 150
#define CAPTION_COLUMN 83

const char *picture_box(const struct map *map, size_t node)
{
        const char *ns = map->nodes[node].ns;

        return node >= map->groups_len ? "outside" : ns ? ns : "several namespaces";
}

bool picture_same_box(const struct map *map, size_t a, size_t b)
{
        const char *x = map->nodes[a].ns, *y = map->nodes[b].ns;

        if ((a >= map->groups_len) != (b >= map->groups_len))
                return false;

        return x && y ? strcmp(x, y) == 0 : x == y;
}

size_t *picture_order(const struct map *map)
{
        size_t *order, n = 0;

        order = calloc(map->len + 1, sizeof(*order));
        if (!order)
                return NULL;

        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < map->groups_len; i++)
                        if ((map->nodes[i].ns != NULL) == (pass == 0))
                                order[n++] = i;
        for (size_t i = map->groups_len; i < map->len; i++)
                order[n++] = i;

        return order;
}

/* What the buffer holds, as lines. */
static void add_lines(struct svg_lines *lines, struct strbuf *buf, size_t columns, size_t max)
{
        if (strbuf_check(buf) < 0)
                lines->text.failed = true;
        else if (max == 1)
                svg_lines_add(lines, buf->text, columns);
        else
                svg_lines_wrap(lines, buf->text, columns, max);
        strbuf_clear(buf);
}

static void add_ranges(struct svg_lines *lines, const struct map_node *node, size_t columns)
{
        size_t shown = node->ranges_len > RANGES_SHOWN ? RANGES_SHOWN - 1 : node->ranges_len;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        for (size_t i = 0; i < shown; i++) {
                put_range(&buf, &node->ranges[i]);
                add_lines(lines, &buf, columns, 4);
        }

        if (node->ranges_len > shown) {
                strbuf_printf(&buf, "and %zu more", node->ranges_len - shown);
                add_lines(lines, &buf, columns, 1);
        }
}

void picture_relative(struct strbuf *buf, const struct map_node *node, const char *ns)
{
        if (!ns || !node->ns || strcmp(ns, node->ns) != 0) {
                put_node(buf, node);
        } else {
                strbuf_clean(buf, node->name);
                if (node->members_len > 1)
                        strbuf_printf(buf, " (%zu)", node->members_len);
        }
}

void picture_node(struct svg_lines *lines, const struct map_node *node, const char *ns, size_t columns, size_t max)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        if (map_is_everywhere(node)) {
                svg_lines_add(lines, "every address", columns);
                return;
        }
        if (!node->members) {
                add_ranges(lines, node, columns);
                return;
        }

        picture_relative(&buf, node, ns);
        add_lines(lines, &buf, columns, max);
}

void picture_describe(struct strbuf *buf, const struct path *path, const struct map *map, const char *ns)
{
        picture_relative(buf, &map->nodes[path->src], ns);
        if (path->dst == path->src) {
                strbuf_puts(buf, " to one another");
        } else {
                strbuf_puts(buf, " to ");
                picture_relative(buf, &map->nodes[path->dst], ns);
        }
        strbuf_puts(buf, ": ");
        put_conns(buf, path->conns);
        if (path->by_address)
                strbuf_puts(buf, ", for some addresses");
}

void picture_conns(struct svg_lines *lines, const struct path *path)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        const struct conns *conns = path->conns;

        if (conns_is_full(conns)) {
                svg_lines_add(lines, "everything", PICTURE_CONNS_COLUMNS);
        } else {
                for (enum conns_proto proto = 0; proto <= CONNS_PROTO_MAX; proto++) {
                        if (proto == CONNS_PROTO_MAX ? !conns->other : conns->ports_len[proto] == 0)
                                continue;

                        put_conns_proto(&buf, conns, proto);
                        add_lines(lines, &buf, PICTURE_CONNS_COLUMNS, 2);
                }
        }

        if (path->by_address)
                svg_lines_add(lines, "for some addresses", PICTURE_CONNS_COLUMNS);
}

size_t picture_chip_height(const struct svg_lines *lines)
{
        return lines->len * SVG_LINE + 7;
}

void picture_chip(struct strbuf *buf, size_t x, size_t y, size_t width, size_t height, const struct path *path,
                  const struct svg_lines *lines)
{
        bool all = conns_is_full(path->conns);

        svg_rect(buf, x, y, width, height, 5, all ? "all" : "some");
        svg_text_lines(buf, x + PICTURE_CHIP_PADDING, y + (height - lines->len * SVG_LINE) / 2 + 13,
                       all ? "m at" : "m st", lines);
}

static int path_cmp(const void *a, const void *b)
{
        const struct path *x = a, *y = b;

        if (x->dst != y->dst)
                return x->dst < y->dst ? -1 : 1;

        return (x->src > y->src) - (x->src < y->src);
}

static int collect_paths(struct picture *picture)
{
        struct map *map = picture->report->map;
        const struct map_edge *edges;
        size_t len, cap = 0;
        int r;

        for (size_t src = 0; src < map->len; src++) {
                r = map_edges(map, src, &edges, &len);
                if (r < 0)
                        return r;

                r = array_reserve(&picture->paths, &cap, picture->paths_len + len + 1, sizeof(*picture->paths));
                if (r < 0)
                        return r;

                for (size_t i = 0; i < len; i++)
                        picture->paths[picture->paths_len++] =
                                (struct path){src, edges[i].dst, edges[i].conns, edges[i].by_address};
        }

        if (picture->paths_len > 0)
                qsort(picture->paths, picture->paths_len, sizeof(*picture->paths), path_cmp);
        return 0;
}

/* " by tcp/80, udp/53" */
static void put_services(struct strbuf *buf, const struct report *report)
{
        size_t shown = report->services_len > SERVICES_SHOWN ? SERVICES_SHOWN - 1 : report->services_len;

        for (size_t i = 0; i < shown; i++) {
                strbuf_puts(buf, i == 0 ? " by " : ", ");
                strbuf_clean(buf, report->services[i].text);
        }
        if (report->services_len > shown)
                strbuf_printf(buf, " and %zu more", report->services_len - shown);
}

/* The legend, beside the caption's end: what the two colours say. */
static void draw_legend(struct strbuf *buf, size_t y, bool wires)
{
        svg_rect(buf, PICTURE_MARGIN, y - 11, 14, 14, 3, "some");
        svg_text(buf, PICTURE_MARGIN + 22, y, "s p d", "these protocols and ports");
        svg_rect(buf, PICTURE_MARGIN + 240, y - 11, 14, 14, 3, "all");
        svg_text(buf, PICTURE_MARGIN + 262, y, "s p d", "everything");
        if (wires)
                svg_text(buf, PICTURE_MARGIN + 370, y, "s p d", "grey: nothing allowed");
}

static size_t at_least(size_t a, size_t b)
{
        return a > b ? a : b;
}

static int draw(struct picture *picture, bool wires)
{
        _cleanup_(strbuf_fini) struct strbuf title = STRBUF_INIT, caption = STRBUF_INIT;
        const struct report *report = picture->report;
        size_t n = report->inventory->endpoints_len, groups = report->map->groups_len;
        size_t width = picture->width;

        strbuf_puts(&title, "Who can reach whom");
        put_services(&title, report);
        strbuf_printf(&caption, "%zu endpoint%s", n, n == 1 ? "" : "s");
        if (groups < n)
                strbuf_printf(&caption, " as %zu groups that nothing tells apart", groups);
        strbuf_printf(&caption, ", %s. What is not shown is denied.",
                      wires ? "sources left, destinations right" : "sources down, destinations across");
        if (strbuf_check(&title) < 0 || strbuf_check(&caption) < 0)
                return -ENOMEM;

        width = at_least(width, title.len * TITLE_COLUMN / 10 + 2 * PICTURE_MARGIN);
        width = at_least(width, caption.len * CAPTION_COLUMN / 10 + 2 * PICTURE_MARGIN);
        svg_begin(report->buf, width, picture->height, title.text, caption.text);
        svg_text(report->buf, PICTURE_MARGIN, 42, "s h t", title.text);
        svg_text(report->buf, PICTURE_MARGIN, 64, "s p d", caption.text);
        draw_legend(report->buf, 86, wires);
        if (picture->paths_len == 0)
                svg_text(report->buf, PICTURE_MARGIN, PICTURE_TOP + 20, "s p t", "Nothing is allowed.");
        strbuf_add(report->buf, picture->body.text, picture->body.len);
        svg_end(report->buf);
        return 0;
}

int report_svg(struct report *report)
{
        struct picture picture = {.report = report, .body = STRBUF_INIT};
        bool wires;
        int r;

        r = collect_paths(&picture);
        wires = report->map->len <= WIRES_NODES && picture.paths_len <= WIRES_PATHS;
        if (r == 0)
                r = wires ? picture_wires(&picture) : picture_cards(&picture);
        if (r == 0)
                r = strbuf_check(&picture.body);
        if (r == 0)
                r = draw(&picture, wires);

        strbuf_fini(&picture.body);
        free(picture.paths);
        return r;
}
