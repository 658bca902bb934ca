/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms in which vethwall matrix prints. Each appends to buf, flushing it to standard output as it fills, and
 * returns 0, EXIT_TROUBLE after a message, or a negative errno. */
#pragma once

#include <vethwall/inventory.h>
#include <vethwall/matrix.h>
#include <vethwall/strbuf.h>

#include "flow.h"

struct report {
        struct strbuf *buf;
        const struct inventory *inventory;
        struct matrix *matrix;
        const struct service *services; /* what was asked for; none: everything */
        size_t services_len;
        bool colour;
};

int report_json(struct report *report);
int report_csv(struct report *report);

/* One line per flow for a few endpoints; for many, endpoints that are treated alike are shown as one. */
int report_list(struct report *report);

/* A table for each service: sources down, destinations across. */
int report_grids(struct report *report);

/* More endpoints than this are not shown one by one. */
#define REPORT_FEW 12
