/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of a map, in one of two forms: few paths as wires from sources to destinations, many as a table for each
 * namespace. */
#pragma once

#include "matrix.h"
#include "svg.h"

#define PICTURE_MARGIN 24

/* Where the body begins, below title and caption. */
#define PICTURE_TOP 100

/* The longest line of a name, and of connections, in columns. */
#define PICTURE_NAME_COLUMNS 36
#define PICTURE_CONNS_COLUMNS 20

struct path {
        size_t src, dst;
        const struct conns *conns;
        bool by_address;
};

struct picture {
        struct report *report;
        struct strbuf body; /* owned; what is drawn below the caption */
        struct path *paths; /* owned; by destination, then source */
        size_t paths_len;
        size_t width, height; /* of the body, from the picture's corner */
};

/* Draw the body, and set its width and height. 0 or -ENOMEM. */
int picture_wires(struct picture *picture);
int picture_cards(struct picture *picture);

/* The heading of the box in which a node stands: its namespace, or the outside. */
const char *picture_box(const struct map *map, size_t node);
bool picture_same_box(const struct map *map, size_t a, size_t b);

/* All nodes, so that those of one box stand together: of each namespace, of several, of the outside. NULL where memory is
 * exhausted; the caller's. */
size_t *picture_order(const struct map *map);

/* The lines by which a node is called where the namespace ns is known: of a group, its name on at most max lines of so many
 * columns; of the outside its ranges, if they are few. */
void picture_node(struct svg_lines *lines, const struct map_node *node, const char *ns, size_t columns, size_t max);

/* The same on one line and in full. */
void picture_relative(struct strbuf *buf, const struct map_node *node, const char *ns);

/* A path on one line, for what a reader is told of it. */
void picture_describe(struct strbuf *buf, const struct path *path, const struct map *map, const char *ns);

/* The lines of a path's connections. */
void picture_conns(struct svg_lines *lines, const struct path *path);

/* A chip with these connections, its upper left corner at x and y, its text in the middle of the width. */
#define PICTURE_CHIP_PADDING 8
size_t picture_chip_height(const struct svg_lines *lines);
void picture_chip(struct strbuf *buf, size_t x, size_t y, size_t width, size_t height, const struct path *path,
                  const struct svg_lines *lines);
