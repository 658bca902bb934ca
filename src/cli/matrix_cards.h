/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of the picture of many paths: what is in each, and how large it is. */
#pragma once

#include "matrix_svg.h"

#define CARD_PADDING 14
#define CARD_HEADING 34
#define CARD_WIDTH_MAX 1400

/* A node of the table's namespace that can be reached. */
struct column {
        size_t node;
        const struct path *paths; /* to it, by source; the picture's */
        size_t paths_len;
        size_t next; /* of these, while rows are made */
        struct svg_lines lines;
        size_t width;
};

struct cell {
        const struct path *path; /* NULL: nothing */
        bool own;                /* of a single endpoint and itself: says nothing */
};

/* Sources that can open the same. */
struct row {
        size_t *sources; /* owned */
        size_t sources_len, sources_cap;
        struct cell *cells; /* owned, per column */
        struct svg_lines lines;
        size_t height;
};

/* One table; of a namespace too wide for one, several. Tables in which all is the same but for the namespace are one, for
 * all these namespaces. */
struct card {
        size_t *boxes; /* owned: a node of each namespace, for the heading */
        size_t boxes_len, boxes_cap;
        struct column *columns; /* owned */
        size_t columns_len;
        struct row *rows; /* owned */
        size_t rows_len, rows_cap;
        struct svg_lines heading, unreached;
        struct strbuf key; /* all that it says */
        size_t names_width, header_lines, heading_height, width, height;
};

struct cards {
        struct picture *picture;
        size_t *order; /* owned: the nodes, box by box */
        struct card *items;
        size_t len, cap;
};

void cards_fini(struct cards *cards);

/* 0 or -ENOMEM. */
int cards_make(struct cards *cards, struct picture *picture);

/* The namespace of a table, where all its columns are of one; else NULL. */
const char *card_ns(const struct cards *cards, const struct card *card);
