/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two sides, each of policies and an inventory, as vethwall diff reports it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/changes.h>
#include <vethwall/latent.h>
#include <vethwall/settings.h>
#include <vethwall/strbuf.h>

#include "options.h"

struct connections;

/* What the files themselves have to say. */
enum diff_text {
        DIFF_TEXT_SAME,
        DIFF_TEXT_CHANGED,
        DIFF_TEXT_UNKNOWN, /* standard input can be read only once */
};

/* The two sides, sealed. */
struct diff_sides {
        const struct policy_set *policies[CHANGE_SIDE_MAX];
        const struct inventory *inventories[CHANGE_SIDE_MAX]; /* may be the same */
        const struct settings *settings;
        enum diff_text text;
        const struct connections *connections; /* open ones, judged by both; NULL: nobody asked */
};

/* Compares the sides, and writes the report to standard output in the format of the options. Returns 0 or EXIT_DIFFERENT as
 * --fail-on has it, or EXIT_TROUBLE after a message. */
int diff_report(const struct diff_sides *sides, const struct options *options);

/* What was found out, and the forms in which it is said. Each appends to buf, flushing it to standard output as it fills,
 * and returns 0, EXIT_TROUBLE after a message, or a negative errno. */
struct difference {
        struct strbuf *buf;
        const struct policy_set *policies[CHANGE_SIDE_MAX];
        const struct changes *changes;
        const struct latent *latent;
        enum diff_text text;
        size_t widened, narrowed, both;        /* pairs; those that are both are in neither of the others */
        size_t origins[CHANGE_ORIGIN_MAX];     /* the same pairs, by what changed them */
        const struct connections *connections; /* NULL: nobody asked */
        bool two_inventories;
        bool colour;
};

/* ", "connections": ..." as members of the report; nothing where nobody asked. */
int json_connections(struct difference *difference);

int diff_json(struct difference *difference);
int diff_text(struct difference *difference);
int diff_markdown(struct difference *difference);
