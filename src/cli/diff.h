/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vethwall diff found out, and the forms in which it says so. Each appends to buf, flushing it to standard output as it
 * fills, and returns 0, EXIT_TROUBLE after a message, or a negative errno. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/changes.h>
#include <vethwall/strbuf.h>

/* What the files themselves have to say. */
enum diff_text {
        DIFF_TEXT_SAME,
        DIFF_TEXT_CHANGED,
        DIFF_TEXT_UNKNOWN, /* standard input can be read only once */
};

struct difference {
        struct strbuf *buf;
        const struct policy_set *policies[CHANGE_SIDE_MAX];
        const struct changes *changes;
        enum diff_text text;
        size_t widened, narrowed, both; /* pairs; those that are both are in neither of the others */
        bool colour;
};

int diff_json(struct difference *difference);
int diff_text(struct difference *difference);
int diff_markdown(struct difference *difference);
