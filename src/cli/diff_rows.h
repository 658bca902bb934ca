/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The changes as people read them, by what caused them: one rule that changed is one entry with every flow that it turned.
 * Text and markdown write the same pieces, each in its own frame. */
#pragma once

#include "diff.h"

/* One part of a change, seen from its inner end: the source or, where that is the outside, the destination. */
struct entry {
        const struct change_reason *reason;
        const struct conns *conns;
        bool from_outside;
        char sign; /* '+' nothing was allowed before, '-' nothing is now, '~' something before and after */
        size_t kind;
        struct change_end other;
        size_t order;
};

/* Entries that differ in the other end alone. */
struct row {
        const struct entry *entries;
        size_t len;
        bool done;
};

struct rows {
        struct entry *entries; /* owned */
        struct row *items;     /* owned; by reason */
        size_t len;
};

/* 0 or -ENOMEM. */
int rows_make(const struct changes *changes, struct rows *ret);
void rows_fini(struct rows *rows);

/* The end of the reason's rows. */
struct row *rows_reason_end(const struct rows *rows, const struct row *row);

/* The pieces of a row: its inner ends, with those of all rows before end that join it, its other ends, what turned. */
void put_inner(struct strbuf *buf, const struct changes *changes, struct row *row, const struct row *end);
void put_others(struct strbuf *buf, const struct changes *changes, const struct row *row);
void put_turned(struct strbuf *buf, const struct entry *entry);

void put_change_cause(struct strbuf *buf, const struct policy_set *policies, enum direction d,
                      const struct cause *cause);

void put_summary(struct strbuf *buf, const struct difference *difference);

/* How a form shows a list: title, lines, end. Each line passes through filter, which empties it. */
struct diff_list {
        const char *bullet, *end;
        void (*title)(struct difference *difference, const char *text);
        void (*filter)(struct strbuf *buf, struct strbuf *text);
};

/* Adds the text as a line, and empties it. */
void put_line(struct difference *difference, const struct diff_list *list, struct strbuf *text);

/* Kinds of more than one endpoint that some change is about. */
int put_kinds(struct difference *difference, const struct diff_list *list);

/* Kinds that are not what they were, where that changed flows. */
int put_facts(struct difference *difference, const struct diff_list *list);

/* Where an endpoint's addresses are not treated alike: what becomes of each pair of them. */
int put_pairs(struct difference *difference, const struct diff_list *list);

/* Open connections that the new policies deny (connections_text.c). */
int put_connections(struct difference *difference, const struct diff_list *list);
