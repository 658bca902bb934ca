/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of few paths. Every node stands on the left, where its paths begin, and on the right, where those to it end,
 * at a chip that tells the connections: so wires only cross the gap between, and no text lies in their way. */
#include <errno.h>
#include <string.h>

#include "matrix_svg.h"

#define GAP 200
#define PADDING 14
#define HEADING 30
#define BETWEEN_BOXES 14
#define BETWEEN_CHIPS 5
#define BETWEEN_NODES 10
#define COLOURS 8

enum side {
        LEFT,
        RIGHT,
        SIDE_MAX,
};

/* Paths that end at one chip: to one node, of the same connections. */
struct chip {
        const struct path *path; /* the first of them */
        struct svg_lines lines;
        size_t y, height;
};

struct place {
        struct svg_lines lines;
        size_t y, height;
        size_t text_height;
        bool shown; /* the outside is, on the side where it has paths */
        bool any;   /* it has paths on this side */
        size_t colour;
};

struct wires {
        struct picture *picture;
        struct place *places[SIDE_MAX]; /* owned, per node */
        struct chip *chips;             /* owned, by destination */
        size_t chips_len;
        size_t *chip_of; /* owned, per path */
        size_t *order;   /* owned: the nodes, box by box, the outside last */
        size_t x[SIDE_MAX], width[SIDE_MAX], end;
        size_t chips_width;
};

static void wires_fini(struct wires *wires)
{
        for (enum side side = 0; side < SIDE_MAX; side++) {
                for (size_t i = 0; wires->places[side] && i < wires->picture->report->map->len; i++)
                        svg_lines_fini(&wires->places[side][i].lines);
                free(wires->places[side]);
        }
        for (size_t i = 0; i < wires->chips_len; i++)
                svg_lines_fini(&wires->chips[i].lines);
        free(wires->chips);
        free(wires->chip_of);
        free(wires->order);
}

static int find_chips(struct wires *wires)
{
        const struct picture *picture = wires->picture;

        wires->chips = calloc(picture->paths_len + 1, sizeof(*wires->chips));
        wires->chip_of = calloc(picture->paths_len + 1, sizeof(*wires->chip_of));
        if (!wires->chips || !wires->chip_of)
                return -ENOMEM;

        for (size_t i = 0; i < picture->paths_len; i++) {
                const struct path *path = &picture->paths[i];
                size_t j = wires->chips_len;

                while (j > 0 && wires->chips[j - 1].path->dst == path->dst) {
                        const struct path *other = wires->chips[j - 1].path;

                        if (other->conns == path->conns && other->by_address == path->by_address)
                                break;
                        j--;
                }
                if (j > 0 && wires->chips[j - 1].path->dst == path->dst) {
                        wires->chip_of[i] = j - 1;
                        continue;
                }

                wires->chip_of[i] = wires->chips_len;
                wires->chips[wires->chips_len] = (struct chip){.path = path, .lines = SVG_LINES_INIT};
                picture_conns(&wires->chips[wires->chips_len++].lines, path);
        }

        return 0;
}

static int find_places(struct wires *wires)
{
        const struct picture *picture = wires->picture;
        const struct map *map = picture->report->map;

        for (enum side side = 0; side < SIDE_MAX; side++) {
                wires->places[side] = calloc(map->len + 1, sizeof(struct place));
                if (!wires->places[side])
                        return -ENOMEM;

                for (size_t i = 0; i < map->len; i++) {
                        struct place *place = &wires->places[side][i];

                        for (size_t j = 0; j < picture->paths_len; j++)
                                place->any |= (side == LEFT ? picture->paths[j].src : picture->paths[j].dst) == i;
                        place->shown = place->any || i < map->groups_len;
                        picture_node(&place->lines, &map->nodes[i], map->nodes[i].ns, PICTURE_NAME_COLUMNS, 2);
                        place->text_height = place->lines.len * SVG_LINE + 7;
                }
        }

        return 0;
}

/* The nodes of a side from top to bottom: the outside is first where paths come from, and last where they go to. */
static size_t node_at(const struct wires *wires, enum side side, size_t i)
{
        const struct map *map = wires->picture->report->map;
        size_t outside = map->len - map->groups_len;

        if (side == RIGHT)
                return wires->order[i];

        return i < outside ? map->groups_len + i : wires->order[i - outside];
}

/* Of those that paths come from, in the order in which they stand. */
static void colour_places(struct wires *wires)
{
        size_t colours = 0;

        for (size_t i = 0; i < wires->picture->report->map->len; i++) {
                struct place *place = &wires->places[LEFT][node_at(wires, LEFT, i)];

                if (place->any)
                        place->colour = colours++ % COLOURS;
        }
}

static void size_places(struct wires *wires)
{
        const struct map *map = wires->picture->report->map;

        for (size_t i = 0; i < wires->chips_len; i++) {
                struct chip *chip = &wires->chips[i];
                struct place *place = &wires->places[RIGHT][chip->path->dst];
                size_t width = chip->lines.columns * SVG_COLUMN + 2 * PICTURE_CHIP_PADDING;

                chip->height = picture_chip_height(&chip->lines);
                place->height += chip->height + (place->height > 0 ? BETWEEN_CHIPS : 0);
                if (width > wires->chips_width)
                        wires->chips_width = width;
        }

        for (enum side side = 0; side < SIDE_MAX; side++) {
                size_t columns = 0;

                for (size_t i = 0; i < map->len; i++) {
                        struct place *place = &wires->places[side][i];

                        if (!place->shown)
                                continue;
                        if (place->text_height > place->height)
                                place->height = place->text_height;
                        if (place->lines.columns > columns)
                                columns = place->lines.columns;
                        if (strlen(picture_box(map, i)) > columns)
                                columns = strlen(picture_box(map, i));
                }
                if (columns > PICTURE_NAME_COLUMNS)
                        columns = PICTURE_NAME_COLUMNS;
                wires->width[side] = columns * SVG_COLUMN + 3 * PADDING + 10;
        }

        wires->width[RIGHT] += wires->chips_width;
        wires->x[LEFT] = PICTURE_MARGIN;
        wires->x[RIGHT] = PICTURE_MARGIN + wires->width[LEFT] + GAP;
}

static void draw_heading(struct wires *wires, enum side side, size_t node, size_t y)
{
        const struct map *map = wires->picture->report->map;
        _cleanup_(svg_lines_fini) struct svg_lines lines = SVG_LINES_INIT;

        svg_lines_add(&lines, picture_box(map, node), PICTURE_NAME_COLUMNS);
        svg_text_lines(&wires->picture->body, wires->x[side] + PADDING, y + 20, map->nodes[node].ns ? "m b t" : "m b d",
                       &lines);
}

/* Gives the nodes of a side their places, box by box, and draws the boxes. */
static void place_side(struct wires *wires, enum side side)
{
        const struct map *map = wires->picture->report->map;
        size_t y = PICTURE_TOP + 30, begun = SIZE_MAX, box_y = y;

        for (size_t i = 0; i <= map->len; i++) {
                size_t node = i < map->len ? node_at(wires, side, i) : SIZE_MAX;

                if (node != SIZE_MAX && !wires->places[side][node].shown)
                        continue;

                if (begun != SIZE_MAX && (node == SIZE_MAX || !picture_same_box(map, begun, node))) {
                        svg_rect(&wires->picture->body, wires->x[side], box_y, wires->width[side], y - box_y + 2, 8,
                                 "box");
                        draw_heading(wires, side, begun, box_y);
                        y += 2 + BETWEEN_BOXES;
                        begun = SIZE_MAX;
                }
                if (node == SIZE_MAX)
                        break;

                if (begun == SIZE_MAX) {
                        begun = node;
                        box_y = y;
                        y += HEADING;
                }
                wires->places[side][node].y = y;
                y += wires->places[side][node].height + BETWEEN_NODES;
        }

        if (y > wires->end)
                wires->end = y;
}

static void place_chips(struct wires *wires)
{
        for (size_t i = 0; i < wires->chips_len; i++) {
                struct chip *chip = &wires->chips[i];

                if (i > 0 && wires->chips[i - 1].path->dst == chip->path->dst)
                        chip->y = wires->chips[i - 1].y + wires->chips[i - 1].height + BETWEEN_CHIPS;
                else
                        chip->y = wires->places[RIGHT][chip->path->dst].y;
        }
}

static void draw_nodes(struct wires *wires)
{
        struct strbuf *body = &wires->picture->body;
        const struct map *map = wires->picture->report->map;

        for (size_t i = 0; i < map->len; i++) {
                const struct place *left = &wires->places[LEFT][i], *right = &wires->places[RIGHT][i];

                if (left->shown)
                        svg_text_lines(body, wires->x[LEFT] + PADDING, left->y + 16, left->any ? "m t" : "m d",
                                       &left->lines);
                if (right->shown)
                        svg_text_lines(body, wires->x[RIGHT] + 2 * PADDING + wires->chips_width, right->y + 16,
                                       right->any ? "m t" : "m d", &right->lines);
        }
        for (size_t i = 0; i < wires->chips_len; i++)
                picture_chip(body, wires->x[RIGHT] + PADDING, wires->chips[i].y, wires->chips_width,
                             wires->chips[i].height, wires->chips[i].path, &wires->chips[i].lines);
}

/* A wire for each path, in the colour of its source. */
static int draw_wires(struct wires *wires)
{
        const struct picture *picture = wires->picture;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        struct strbuf *body = &wires->picture->body;
        size_t from = wires->x[LEFT] + wires->width[LEFT], to = wires->x[RIGHT] + PADDING;

        for (size_t i = 0; i < picture->paths_len; i++) {
                const struct path *path = &picture->paths[i];
                const struct chip *chip = &wires->chips[wires->chip_of[i]];
                const struct place *place = &wires->places[LEFT][path->src];
                size_t y1 = place->y + place->text_height / 2, y2 = chip->y + chip->height / 2;

                strbuf_clear(&text);
                picture_describe(&text, path, picture->report->map, NULL);
                if (strbuf_check(&text) < 0)
                        return -ENOMEM;

                strbuf_puts(body, "<g role=\"graphics-object group\">");
                svg_title(body, text.text);
                strbuf_printf(body, "<path d=\"M%zu %zuC%zu %zu %zu %zu %zu %zu\" class=\"w w%zu\"/></g>\n",
                              from - PADDING, y1, from + GAP / 2, y1, from + GAP / 2, y2, to - 8, y2, place->colour);
        }

        for (size_t i = 0; i < wires->chips_len; i++) {
                size_t y = wires->chips[i].y + wires->chips[i].height / 2;

                strbuf_printf(body, "<path d=\"M%zu %zul-9 -5v10z\" class=\"head\"/>\n", to - 1, y);
        }
        for (size_t i = 0; i < picture->report->map->len; i++) {
                const struct place *place = &wires->places[LEFT][i];

                if (place->any)
                        strbuf_printf(body, "<circle cx=\"%zu\" cy=\"%zu\" r=\"5\" class=\"f%zu\"/>\n", from - PADDING,
                                      place->y + place->text_height / 2, place->colour);
        }

        return 0;
}

int picture_wires(struct picture *picture)
{
        _cleanup_(wires_fini) struct wires wires = {.picture = picture};
        int r;

        wires.order = picture_order(picture->report->map);
        if (!wires.order)
                return -ENOMEM;

        r = find_places(&wires);
        if (r == 0)
                r = find_chips(&wires);
        if (r < 0)
                return r;

        colour_places(&wires);
        size_places(&wires);
        if (picture->report->map->len > 0) {
                svg_text(&picture->body, wires.x[LEFT], PICTURE_TOP + 18, "s c d", "FROM");
                svg_text(&picture->body, wires.x[RIGHT], PICTURE_TOP + 18, "s c d", "TO");
        }
        place_side(&wires, LEFT);
        place_side(&wires, RIGHT);
        place_chips(&wires);
        draw_nodes(&wires);
        picture->width = wires.x[RIGHT] + wires.width[RIGHT] + PICTURE_MARGIN;
        picture->height = wires.end + PICTURE_MARGIN - BETWEEN_BOXES;
        return draw_wires(&wires);
}
