/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms in which vethwall matrix prints. Each appends to buf, flushing it to standard output as it fills, and
 * returns 0, EXIT_TROUBLE after a message, or a negative errno. */
#pragma once

#include <vethwall/inventory.h>
#include <vethwall/map.h>
#include <vethwall/matrix.h>
#include <vethwall/strbuf.h>

#include "flow.h"

struct report {
        struct strbuf *buf;
        const struct inventory *inventory;
        struct matrix *matrix;
        struct map *map;                /* NULL for the forms that list every pair */
        const struct service *services; /* what was asked for; none: everything */
        size_t services_len;
        bool colour;
};

/* Every pair, in this order: of each endpoint, to the endpoints and then the outside; then of the outside to each. */
int report_json(struct report *report);
int report_csv(struct report *report);

/* Lines, each what one node of the map can open to another, or to several. */
int report_list(struct report *report);

/* A table for each service: sources down, destinations across. Of single endpoints. */
int report_grids(struct report *report);

/* The map for Graphviz, and as a picture. */
int report_dot(struct report *report);
int report_svg(struct report *report);

/* A node of the map, on one line. */
void put_node(struct strbuf *buf, const struct map_node *node);

/* More endpoints than this are not shown one by one. */
#define REPORT_FEW 12
