/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The changes as people read them, by what caused them: one rule that changed is one entry with every flow that it turned.
 * Text and markdown write the same pieces, each in its own frame. */
#pragma once

#include "diff.h"
#include "diff_ends.h"

/* One line: some ends, and others that each of them has the same change with. */
struct row {
        const struct change_reason *reason;
        const struct conns *conns;
        char sign; /* '+' nothing was allowed before, '-' nothing is now, '~' something before and after */
        char *src; /* owned; who they are */
        char *dst;
};

struct rows {
        struct row *items; /* owned; by reason */
        size_t len;
};

/* The lines for what a view shows. 0 or -ENOMEM. */
int rows_make(const struct diff_view *view, struct diff_names *names, struct rows *ret);
void rows_fini(struct rows *rows);

/* What turned, as a sentence goes on after the ends. */
void put_turned(struct strbuf *buf, const struct row *row);

void put_change_cause(struct strbuf *buf, const struct policy_set *policies, enum direction d,
                      const struct cause *cause);

void put_summary(struct strbuf *buf, const struct difference *difference);

/* How a form shows things. A list: title, lines, end. A reason, and its rows. What is text of others passes through filter,
 * which empties it. */
struct diff_form {
        const char *bullet, *end;
        void (*title)(struct difference *difference, const char *text);
        void (*filter)(struct strbuf *buf, struct strbuf *text);
        void (*reason)(struct difference *difference, const struct change_reason *reason);
        void (*row)(struct difference *difference, const struct row *row);
        void (*rows_end)(struct difference *difference);
};

/* Everything but the summary. */
int diff_write(struct difference *difference, const struct diff_form *form);

/* Adds the text as a line, and empties it. */
void put_line(struct difference *difference, const struct diff_form *form, struct strbuf *text);

/* Open connections that the new policies deny (connections_text.c). */
int put_connections(struct difference *difference, const struct diff_form *form);
