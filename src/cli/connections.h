/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The open connections of the agent's endpoints, held against the policies in force and those that are to come: which of
 * them could not be opened again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/changes.h>
#include <vethwall/explain.h>

#include "diff.h"
#include "input.h"
#include "options.h"

/* Connections between the same ends, to the same port: they differ in the port that they come from. */
struct connection {
        struct explain_query query; /* the ends with their addresses */
        size_t count;
        struct explain_judgement judgements[CHANGE_SIDE_MAX];
};

struct connections {
        const struct inventory *inventory; /* borrowed */
        struct connection *items; /* owned; those that the new policies deny, by source, destination, service */
        size_t len, cap;
        bool known;    /* false: the agent could not read them */
        bool complete; /* false: there were more than it tells */
};

void connections_fini(struct connections *connections);

/* Asks the agent. Borrows from input, whose world judges the old side, and from the new world. 0, EXIT_TROUBLE after a
 * message, or a negative errno. */
int connections_read(struct connections *ret, const struct options *options, const struct input *input,
                     struct world *new);
