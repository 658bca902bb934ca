/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands share for writing: messages, colour, tables. Names come from containers that others run, so
 * nothing reaches a terminal but through strbuf_clean() or as JSON. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/addr.h>
#include <vethwall/base.h>
#include <vethwall/strbuf.h>

#define CONTROL_SOCKET "/run/vethwall/control.sock"

/* One line on standard error, "vethwall: ...". */
void complain(const char *fmt, ...) _printf_(1, 2);

/* Says that memory is exhausted, or what else r, a negative errno, means. Returns EXIT_TROUBLE. */
int complain_errno(int r);

enum colour {
        COLOUR_BOLD,
        COLOUR_DIM,
        COLOUR_GREEN,
        COLOUR_RED,
        COLOUR_YELLOW,
        COLOUR_MAX,
};

/* The text, between the sequences of a colour where on is true. */
void put_colour(struct strbuf *buf, bool on, enum colour colour, const char *text);

/* Writes the buffer to standard output and empties it. Returns 0 or, after a message, EXIT_TROUBLE. */
int flush_out(struct strbuf *buf);

/* The same, once enough has gathered. */
int flush_out_partly(struct strbuf *buf);

/* A table: cells left-aligned under a heading, rows in the order added. */
struct table {
        size_t columns;
        char **cells; /* owned, each; cleaned */
        size_t len;
        size_t cap;
        bool failed;
};

void table_init(struct table *table, const char *const *headings, size_t columns);
void table_fini(struct table *table);

/* Adds the next cell; NULL or "" shows as a dash. */
void table_add(struct table *table, const char *text);

/* The numbers as a cell. */
void table_add_number(struct table *table, long long number);

void table_print(struct strbuf *buf, const struct table *table, bool colour);

/* A range of addresses for people: an address, a prefix, or "first-last". */
void put_range(struct strbuf *buf, const struct addr_range *range);
