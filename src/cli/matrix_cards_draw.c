/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of many paths, drawn: the tables side by side where there is room, else one below the other. */
#include <errno.h>

#include "matrix_cards.h"

#define BETWEEN 20

struct drawing {
        struct cards cards;
        size_t x, y, shelf_height;
};

static int draw_cell(struct drawing *drawing, const struct card *card, const struct path *path, size_t x, size_t y,
                     size_t width, size_t height)
{
        _cleanup_(svg_lines_fini) struct svg_lines lines = SVG_LINES_INIT;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        struct strbuf *body = &drawing->cards.picture->body;

        picture_conns(&lines, path);
        picture_describe(&text, path, drawing->cards.picture->report->map, card_ns(&drawing->cards, card));
        if (strbuf_check(&text) < 0)
                return -ENOMEM;

        strbuf_puts(body, "<g role=\"graphics-object group\">");
        svg_title(body, text.text);
        picture_chip(body, x, y + 4, width - 8, height - 8, path, &lines);
        strbuf_puts(body, "</g>\n");
        return 0;
}

static int draw_rows(struct drawing *drawing, const struct card *card, size_t x, size_t y)
{
        struct strbuf *body = &drawing->cards.picture->body;
        int r;

        for (size_t i = 0; i < card->rows_len; i++) {
                const struct row *row = &card->rows[i];
                size_t at = x + CARD_PADDING + card->names_width;

                svg_line(body, x + CARD_PADDING, y, x + card->width - CARD_PADDING, y, "r");
                svg_text_lines(body, x + CARD_PADDING, y + (row->height - row->lines.len * SVG_LINE) / 2 + 13, "m t",
                               &row->lines);
                for (size_t j = 0; j < card->columns_len; at += card->columns[j++].width) {
                        if (!row->cells[j].path)
                                continue;

                        r = draw_cell(drawing, card, row->cells[j].path, at, y, card->columns[j].width, row->height);
                        if (r < 0)
                                return r;
                }
                y += row->height;
        }

        return 0;
}

/* What a reader is told of the table: all its namespaces. */
static void put_label(struct strbuf *body, const struct map *map, const struct card *card)
{
        strbuf_puts(body, "<g role=\"graphics-object group\" aria-label=\"");
        for (size_t i = 0; i < card->boxes_len; i++) {
                strbuf_puts(body, i > 0 ? ", " : "");
                svg_escape(body, picture_box(map, card->boxes[i]));
        }
        strbuf_puts(body, "\">\n");
}

static void draw_head(struct drawing *drawing, const struct card *card, size_t x, size_t y)
{
        struct strbuf *body = &drawing->cards.picture->body;
        size_t at = x + CARD_PADDING + card->names_width;

        svg_rect(body, x, y, card->width, card->height, 8, "box");
        svg_text_lines(body, x + CARD_PADDING, y + 23, card_ns(&drawing->cards, card) ? "m b t" : "m b d",
                       &card->heading);
        if (card->boxes_len > 1)
                svg_text(body, x + CARD_PADDING, y + card->heading_height - 11, "s p d", "each of them alike");
        for (size_t i = 0; i < card->columns_len; at += card->columns[i++].width)
                svg_text_lines(body, at + PICTURE_CHIP_PADDING,
                               y + card->heading_height + 13 +
                                       (card->header_lines - card->columns[i].lines.len) * SVG_LINE,
                               "m t", &card->columns[i].lines);
}

static int draw_card(struct drawing *drawing, const struct card *card)
{
        struct strbuf *body = &drawing->cards.picture->body;
        size_t x = drawing->x, y = drawing->y;
        int r;

        put_label(body, drawing->cards.picture->report->map, card);
        draw_head(drawing, card, x, y);
        y += card->heading_height + (card->columns_len > 0 ? card->header_lines * SVG_LINE + 8 : 0);

        r = draw_rows(drawing, card, x, y);
        if (r < 0)
                return r;

        for (size_t i = 0; i < card->rows_len; i++)
                y += card->rows[i].height;
        if (card->unreached.len > 0) {
                svg_text(body, x + CARD_PADDING, y + 20, "s p d", "reached by nobody");
                svg_text_lines(body, x + CARD_PADDING, y + 20 + SVG_LINE, "m d", &card->unreached);
        }
        strbuf_puts(body, "</g>\n");
        return 0;
}

int picture_cards(struct picture *picture)
{
        struct drawing drawing = {.x = PICTURE_MARGIN, .y = PICTURE_TOP + 6};
        int r;

        r = cards_make(&drawing.cards, picture);
        picture->height = drawing.y + PICTURE_MARGIN;
        for (size_t i = 0; r == 0 && i < drawing.cards.len; i++) {
                const struct card *card = &drawing.cards.items[i];

                if (drawing.x > PICTURE_MARGIN && drawing.x + card->width > PICTURE_MARGIN + CARD_WIDTH_MAX) {
                        drawing.x = PICTURE_MARGIN;
                        drawing.y += drawing.shelf_height + BETWEEN;
                        drawing.shelf_height = 0;
                }
                if (card->height > drawing.shelf_height)
                        drawing.shelf_height = card->height;

                r = draw_card(&drawing, card);
                drawing.x += card->width + BETWEEN;
                if (drawing.x + PICTURE_MARGIN - BETWEEN > picture->width)
                        picture->width = drawing.x + PICTURE_MARGIN - BETWEEN;
                picture->height = drawing.y + drawing.shelf_height + PICTURE_MARGIN;
        }

        cards_fini(&drawing.cards);
        return r;
}
