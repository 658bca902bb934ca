/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawing as SVG: one file that stands alone, without script and without anything fetched, whose colours follow the
 * reader's scheme. Coordinates are whole, so that equal input is equal output.
 *
 * What comes from an inventory is set in a fixed-width font, so that its width is known here: no program that could
 * measure text takes part. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/strbuf.h>

/* Of the fixed-width font, in pixels: of one column, rounded up, and from line to line. */
#define SVG_COLUMN 8
#define SVG_LINE 17

/* Lines of text, cleaned: no control character is left in them. */
struct svg_lines {
        struct strbuf text; /* each with its NUL */
        size_t len;
        size_t columns; /* of the longest */
};

#define SVG_LINES_INIT                                                                                                 \
        {                                                                                                              \
                STRBUF_INIT, 0, 0                                                                                      \
        }

void svg_lines_fini(struct svg_lines *lines);

/* Adds a line, shortened in its middle to so many columns. */
void svg_lines_add(struct svg_lines *lines, const char *text, size_t columns);

/* Adds the text as lines of at most so many columns, broken after punctuation where there is some; what does not go into
 * max lines is left out, with a mark. */
void svg_lines_wrap(struct svg_lines *lines, const char *text, size_t columns, size_t max);

const char *svg_lines_first(const struct svg_lines *lines);
const char *svg_lines_next(const char *line);

/* The text as character data or attribute value of XML. */
void svg_escape(struct strbuf *buf, const char *text);

/* A text at its base line; class is one of the style sheet's. */
void svg_text(struct strbuf *buf, size_t x, size_t y, const char *class, const char *text);

/* Lines from the first base line on. */
void svg_text_lines(struct strbuf *buf, size_t x, size_t y, const char *class, const struct svg_lines *lines);

void svg_rect(struct strbuf *buf, size_t x, size_t y, size_t width, size_t height, size_t radius, const char *class);
void svg_line(struct strbuf *buf, size_t x1, size_t y1, size_t x2, size_t y2, const char *class);

/* What a reader is told of the group just begun. */
void svg_title(struct strbuf *buf, const char *text);

/* The head of a picture of this size, with its title and description, to be followed by its body and svg_end(). */
void svg_begin(struct strbuf *buf, size_t width, size_t height, const char *title, const char *description);
void svg_end(struct strbuf *buf);
