/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of many paths, as tables: one for each namespace, and for the outside, with a column for each node in it and
 * a row for the sources that can open the same. So what a namespace lets in is read in one place, and a table is as large
 * as what there is to say. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "matrix_cards.h"

#define NAME_COLUMNS 20
#define RANGE_COLUMNS 32
#define NAME_LINES 4
#define HEADING_COLUMNS 44

/* Sources named in one row, namespaces in a heading, and lines of nodes that nobody reaches. */
#define SOURCES_SHOWN 6
#define BOXES_SHOWN 4
#define UNREACHED_SHOWN 5
#define UNREACHED_COLUMNS 60

static void card_fini(struct card *card)
{
        for (size_t i = 0; i < card->rows_len; i++) {
                free(card->rows[i].sources);
                free(card->rows[i].cells);
                svg_lines_fini(&card->rows[i].lines);
        }
        for (size_t i = 0; i < card->columns_len; i++)
                svg_lines_fini(&card->columns[i].lines);
        free(card->rows);
        free(card->columns);
        free(card->boxes);
        svg_lines_fini(&card->heading);
        svg_lines_fini(&card->unreached);
        strbuf_fini(&card->key);
}

void cards_fini(struct cards *cards)
{
        for (size_t i = 0; i < cards->len; i++)
                card_fini(&cards->items[i]);
        free(cards->items);
        free(cards->order);
}

const char *card_ns(const struct cards *cards, const struct card *card)
{
        return cards->picture->report->map->nodes[card->boxes[0]].ns;
}

static void find_paths(const struct picture *picture, struct column *column)
{
        size_t lo = 0, hi = picture->paths_len;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (picture->paths[mid].dst < column->node)
                        lo = mid + 1;
                else
                        hi = mid;
        }

        column->paths = picture->paths + lo;
        while (lo < picture->paths_len && picture->paths[lo].dst == column->node)
                lo++;
        column->paths_len = (size_t)(picture->paths + lo - column->paths);
}

/* Wide enough for its heading and for all that can stand in it. */
static void size_column(const struct map *map, struct column *column)
{
        size_t columns;

        column->lines = (struct svg_lines)SVG_LINES_INIT;
        picture_node(&column->lines, &map->nodes[column->node], map->nodes[column->node].ns,
                     column->node < map->groups_len ? NAME_COLUMNS : RANGE_COLUMNS, NAME_LINES);
        columns = column->lines.columns;
        for (size_t i = 0; i < column->paths_len; i++) {
                _cleanup_(svg_lines_fini) struct svg_lines lines = SVG_LINES_INIT;

                if (i > 0 && column->paths[i].conns == column->paths[i - 1].conns &&
                    column->paths[i].by_address == column->paths[i - 1].by_address)
                        continue;

                picture_conns(&lines, &column->paths[i]);
                if (lines.columns > columns)
                        columns = lines.columns;
        }

        column->width = columns * SVG_COLUMN + 2 * PICTURE_CHIP_PADDING + 8;
}

static bool same_path(const struct path *a, const struct path *b)
{
        return a && b ? a->conns == b->conns && a->by_address == b->by_address : a == b;
}

/* The row of those that can open the same; what an endpoint can open to itself is no matter. */
static struct row *find_row(struct card *card, const struct cell *cells)
{
        for (size_t i = 0; i < card->rows_len; i++) {
                struct row *row = &card->rows[i];
                size_t j = 0;

                while (j < card->columns_len &&
                       (row->cells[j].own || cells[j].own || same_path(row->cells[j].path, cells[j].path)))
                        j++;
                if (j == card->columns_len)
                        return row;
        }

        return NULL;
}

static int add_row(struct card *card, struct row **ret)
{
        int r;

        r = array_reserve(&card->rows, &card->rows_cap, card->rows_len + 1, sizeof(*card->rows));
        if (r < 0)
                return r;

        *ret = &card->rows[card->rows_len];
        **ret = (struct row){.cells = calloc(card->columns_len + 1, sizeof(struct cell)), .lines = SVG_LINES_INIT};
        if (!(*ret)->cells)
                return -ENOMEM;

        card->rows_len++;
        return 0;
}

static int add_source(struct card *card, size_t source, const struct cell *cells)
{
        struct row *row = find_row(card, cells);
        int r;

        if (!row) {
                r = add_row(card, &row);
                if (r < 0)
                        return r;

                memcpy(row->cells, cells, card->columns_len * sizeof(*cells));
        }

        r = array_reserve(&row->sources, &row->sources_cap, row->sources_len + 1, sizeof(*row->sources));
        if (r < 0)
                return r;

        row->sources[row->sources_len++] = source;
        for (size_t i = 0; i < card->columns_len; i++)
                if (row->cells[i].own)
                        row->cells[i] = cells[i];
        return 0;
}

/* Every column's paths are sorted by source: merges them. */
static int find_rows(const struct map *map, struct card *card)
{
        _cleanup_free_ struct cell *cells = NULL;
        int r;

        cells = calloc(card->columns_len + 1, sizeof(*cells));
        if (!cells)
                return -ENOMEM;

        for (;;) {
                size_t source = SIZE_MAX;

                for (size_t i = 0; i < card->columns_len; i++) {
                        const struct column *column = &card->columns[i];

                        if (column->next < column->paths_len && column->paths[column->next].src < source)
                                source = column->paths[column->next].src;
                }
                if (source == SIZE_MAX)
                        return 0;

                for (size_t i = 0; i < card->columns_len; i++) {
                        struct column *column = &card->columns[i];
                        bool here = column->next < column->paths_len && column->paths[column->next].src == source;

                        cells[i].path = here ? &column->paths[column->next++] : NULL;
                        cells[i].own = column->node == source && map->nodes[source].members_len == 1;
                }

                r = add_source(card, source, cells);
                if (r < 0)
                        return r;
        }
}

/* Sources of the table's own namespace come first. */
static int make_rows(const struct map *map, struct card *card)
{
        _cleanup_free_ struct row *sorted = NULL;
        size_t n = 0;
        int r;

        r = find_rows(map, card);
        if (r < 0)
                return r;

        sorted = calloc(card->rows_len + 1, sizeof(*sorted));
        if (!sorted)
                return -ENOMEM;

        for (int pass = 0; pass < 2; pass++) {
                for (size_t i = 0; i < card->rows_len; i++) {
                        bool own = picture_same_box(map, card->rows[i].sources[0], card->boxes[0]);

                        if (own == (pass == 0))
                                sorted[n++] = card->rows[i];
                }
        }
        if (n > 0)
                memcpy(card->rows, sorted, n * sizeof(*sorted));
        return 0;
}

static void add_key(struct card *card, const struct map_node *node, const char *ns)
{
        picture_relative(&card->key, node, ns);
        strbuf_putc(&card->key, '\0');
}

/* All that the table says, in words relative to its namespace. */
static int make_key(const struct map *map, struct card *card)
{
        const char *ns = map->nodes[card->boxes[0]].ns;

        strbuf_putc(&card->key, ns ? 'n' : '-');
        for (size_t i = 0; i < card->columns_len; i++)
                add_key(card, &map->nodes[card->columns[i].node], ns);
        for (size_t i = 0; i < card->rows_len; i++) {
                const struct row *row = &card->rows[i];

                strbuf_putc(&card->key, '\n');
                for (size_t j = 0; j < row->sources_len; j++)
                        add_key(card, &map->nodes[row->sources[j]], ns);
                for (size_t j = 0; j < card->columns_len; j++) {
                        const struct path *path = row->cells[j].path;

                        strbuf_printf(&card->key, "%d %u %d,", path != NULL, path ? path->conns->id : 0,
                                      path && path->by_address);
                }
        }

        return strbuf_check(&card->key);
}

static void size_row(const struct map *map, const struct card *card, struct row *row)
{
        size_t shown = row->sources_len > SOURCES_SHOWN ? SOURCES_SHOWN - 1 : row->sources_len, height;
        char more[48];

        for (size_t i = 0; i < shown; i++) {
                const struct map_node *node = &map->nodes[row->sources[i]];

                if (map_is_everywhere(node))
                        svg_lines_add(&row->lines, "outside", PICTURE_NAME_COLUMNS);
                else
                        picture_node(&row->lines, node, map->nodes[card->boxes[0]].ns, PICTURE_NAME_COLUMNS, 2);
        }
        if (row->sources_len > shown) {
                snprintf(more, sizeof(more), "and %zu more", row->sources_len - shown);
                svg_lines_add(&row->lines, more, PICTURE_NAME_COLUMNS);
        }

        row->height = row->lines.len * SVG_LINE + 14;
        for (size_t i = 0; i < card->columns_len; i++) {
                _cleanup_(svg_lines_fini) struct svg_lines lines = SVG_LINES_INIT;

                if (!row->cells[i].path)
                        continue;

                picture_conns(&lines, row->cells[i].path);
                height = picture_chip_height(&lines) + 8;
                if (height > row->height)
                        row->height = height;
        }
}

static void size_heading(const struct map *map, struct card *card)
{
        size_t shown = card->boxes_len > BOXES_SHOWN ? BOXES_SHOWN - 1 : card->boxes_len;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        for (size_t i = 0; i < shown; i++)
                strbuf_printf(&text, "%s%s", i > 0 ? ", " : "", picture_box(map, card->boxes[i]));
        if (card->boxes_len > shown)
                strbuf_printf(&text, " and %zu more", card->boxes_len - shown);
        if (strbuf_check(&text) < 0)
                card->heading.text.failed = true;
        else if (card->boxes_len == 1)
                svg_lines_add(&card->heading, text.text, HEADING_COLUMNS);
        else
                svg_lines_wrap(&card->heading, text.text, HEADING_COLUMNS, 3);

        card->heading_height = CARD_HEADING + (card->heading.len > 1 ? (card->heading.len - 1) * SVG_LINE : 0);
        if (card->boxes_len > 1)
                card->heading_height += SVG_LINE;
}

static size_t wider(size_t width, size_t columns)
{
        size_t other = columns * SVG_COLUMN + 2 * CARD_PADDING;

        return other > width ? other : width;
}

static void size_card(const struct map *map, struct card *card)
{
        size_heading(map, card);
        card->names_width = 6 * SVG_COLUMN;
        card->height = card->heading_height + CARD_PADDING;
        for (size_t i = 0; i < card->rows_len; i++) {
                size_row(map, card, &card->rows[i]);
                card->height += card->rows[i].height;
                if (card->rows[i].lines.columns * SVG_COLUMN > card->names_width)
                        card->names_width = card->rows[i].lines.columns * SVG_COLUMN;
        }
        card->names_width += 16;

        card->width = card->columns_len > 0 ? card->names_width + 2 * CARD_PADDING : 0;
        for (size_t i = 0; i < card->columns_len; i++) {
                card->width += card->columns[i].width;
                if (card->columns[i].lines.len > card->header_lines)
                        card->header_lines = card->columns[i].lines.len;
        }
        if (card->columns_len > 0)
                card->height += card->header_lines * SVG_LINE + 8;
        if (card->unreached.len > 0)
                card->height += (card->unreached.len + 1) * SVG_LINE + 8;

        /* Our own words are at most twenty columns. */
        card->width = wider(card->width, card->unreached.len > 0 ? 20 : 0);
        card->width = wider(card->width, card->unreached.columns);
        card->width = wider(card->width, card->heading.columns + 2);
        if (card->boxes_len > 1)
                card->width = wider(card->width, 20);
}

/* The nodes that nobody reaches, as text. */
static int list_unreached(const struct cards *cards, size_t first, size_t end, struct card *card)
{
        const struct map *map = cards->picture->report->map;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        for (size_t i = first; i < end; i++) {
                const struct map_node *node = &map->nodes[cards->order[i]];
                struct column column = {.node = cards->order[i]};

                find_paths(cards->picture, &column);
                if (column.paths_len > 0 || !node->members)
                        continue;

                strbuf_puts(&text, text.len > 0 ? ", " : "");
                picture_relative(&text, node, node->ns);
        }

        if (strbuf_check(&text) < 0)
                return -ENOMEM;

        if (text.len > 0)
                svg_lines_wrap(&card->unreached, text.text, UNREACHED_COLUMNS, UNREACHED_SHOWN);
        strbuf_add(&card->key, text.text, text.len);
        return strbuf_check(&card->key);
}

/* Adds the namespace to a table that says the same of another. False where there is none. */
static int join_card(struct cards *cards, const struct card *card, bool *ret)
{
        *ret = false;
        for (size_t i = 0; i < cards->len; i++) {
                struct card *other = &cards->items[i];
                int r;

                if (other->key.len != card->key.len || memcmp(other->key.text, card->key.text, card->key.len) != 0)
                        continue;

                r = array_reserve(&other->boxes, &other->boxes_cap, other->boxes_len + 1, sizeof(*other->boxes));
                if (r < 0)
                        return r;

                other->boxes[other->boxes_len++] = card->boxes[0];
                *ret = true;
                return 0;
        }

        return 0;
}

/* Takes columns from the nodes of the order, from *at to before end, as many as go into one table. */
static int take_columns(const struct cards *cards, size_t *at, size_t end, struct card *card)
{
        const struct map *map = cards->picture->report->map;
        size_t width = PICTURE_NAME_COLUMNS * SVG_COLUMN + 2 * CARD_PADDING;

        card->columns = calloc(end - *at + 1, sizeof(*card->columns));
        if (!card->columns)
                return -ENOMEM;

        for (; *at < end; (*at)++) {
                struct column column = {.node = cards->order[*at]};

                find_paths(cards->picture, &column);
                if (column.paths_len == 0)
                        continue;

                size_column(map, &column);
                if (card->columns_len > 0 && width + column.width > CARD_WIDTH_MAX) {
                        svg_lines_fini(&column.lines);
                        break;
                }
                width += column.width;
                card->columns[card->columns_len++] = column;
        }

        return 0;
}

/* A table of nodes of one box, which are those of the order from first to before end; *at is where to go on. */
static int make_card(struct cards *cards, size_t first, size_t *at, size_t end)
{
        const struct map *map = cards->picture->report->map;
        _cleanup_(card_fini) struct card card = {
                .heading = SVG_LINES_INIT,
                .unreached = SVG_LINES_INIT,
                .key = STRBUF_INIT,
        };
        bool joined;
        int r;

        r = array_reserve(&card.boxes, &card.boxes_cap, 1, sizeof(*card.boxes));
        if (r < 0)
                return r;

        card.boxes[card.boxes_len++] = cards->order[first];
        r = take_columns(cards, at, end, &card);
        if (r == 0)
                r = make_rows(map, &card);
        if (r == 0)
                r = make_key(map, &card);
        if (r == 0 && *at == end)
                r = list_unreached(cards, first, end, &card);
        if (r == 0)
                r = join_card(cards, &card, &joined);
        if (r < 0 || joined || (card.columns_len == 0 && card.unreached.len == 0))
                return r;

        r = array_reserve(&cards->items, &cards->cap, cards->len + 1, sizeof(*cards->items));
        if (r < 0)
                return r;

        cards->items[cards->len++] = card;
        card = (struct card){0};
        return 0;
}

int cards_make(struct cards *cards, struct picture *picture)
{
        const struct map *map = picture->report->map;
        int r;

        *cards = (struct cards){.picture = picture};
        cards->order = picture_order(map);
        if (!cards->order)
                return -ENOMEM;

        for (size_t first = 0, end; first < map->len; first = end) {
                for (end = first + 1; end < map->len && picture_same_box(map, cards->order[first], cards->order[end]);)
                        end++;

                for (size_t at = first; at < end;) {
                        r = make_card(cards, first, &at, end);
                        if (r < 0)
                                return r;
                }
        }

        for (size_t i = 0; i < cards->len; i++)
                size_card(map, &cards->items[i]);
        return 0;
}
