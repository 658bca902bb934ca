/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages, colour and tables of the command line. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/arena.h>

#include "options.h"
#include "output.h"

#define FLUSH_SIZE (64u << 10)

void complain(const char *fmt, ...)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        _cleanup_free_ char *text = NULL;
        va_list args;
        int len;

        va_start(args, fmt);
        len = vasprintf(&text, fmt, args);
        va_end(args);
        if (len < 0)
                text = NULL;

        if (text)
                strbuf_clean(&buf, text);
        fprintf(stderr, "vethwall: %s\n", text && strbuf_check(&buf) == 0 ? buf.text : "out of memory");
}

int complain_errno(int r)
{
        complain("%s", r == -ENOMEM ? "out of memory" : strerror(-r));
        return EXIT_TROUBLE;
}

void put_colour(struct strbuf *buf, bool on, enum colour colour, const char *text)
{
        static const char *const sequences[] = {
                [COLOUR_BOLD] = "\033[1m", [COLOUR_DIM] = "\033[2m",     [COLOUR_GREEN] = "\033[32m",
                [COLOUR_RED] = "\033[31m", [COLOUR_YELLOW] = "\033[33m",
        };
        static_assert(ARRAY_SIZE(sequences) == COLOUR_MAX, "a colour without a sequence");

        if (on)
                strbuf_puts(buf, sequences[colour]);
        strbuf_puts(buf, text);
        if (on)
                strbuf_puts(buf, "\033[0m");
}

int flush_out(struct strbuf *buf)
{
        int r;

        r = strbuf_check(buf);
        if (r < 0)
                return complain_errno(r);

        if (fwrite(buf->text, 1, buf->len, stdout) != buf->len || fflush(stdout) != 0) {
                complain("cannot write to standard output: %s", strerror(errno));
                return EXIT_TROUBLE;
        }

        strbuf_clear(buf);
        return 0;
}

int flush_out_partly(struct strbuf *buf)
{
        return buf->len >= FLUSH_SIZE || buf->failed ? flush_out(buf) : 0;
}

void table_init(struct table *table, const char *const *headings, size_t columns)
{
        *table = (struct table){.columns = columns};
        for (size_t i = 0; i < columns; i++)
                table_add(table, headings[i]);
}

void table_fini(struct table *table)
{
        for (size_t i = 0; i < table->len; i++)
                free(table->cells[i]);
        free(table->cells);
        *table = (struct table){0};
}

void table_add(struct table *table, const char *text)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        strbuf_clean(&buf, text && text[0] != '\0' ? text : "-");
        if (strbuf_check(&buf) < 0 || array_reserve(&table->cells, &table->cap, table->len + 1, sizeof(char *)) < 0)
                table->failed = true;
        else
                table->cells[table->len++] = steal(buf.text);
}

void table_add_number(struct table *table, long long number)
{
        char text[32];

        snprintf(text, sizeof(text), "%lld", number);
        table_add(table, text);
}

/* Characters of UTF-8, as good as columns for the names that occur. */
static size_t text_width(const char *text)
{
        size_t width = 0;

        for (; *text; text++)
                width += ((unsigned char)*text & 0xc0) != 0x80;

        return width;
}

static size_t column_width(const struct table *table, size_t column)
{
        size_t width = 0, cell;

        for (size_t i = column; i < table->len; i += table->columns) {
                cell = text_width(table->cells[i]);
                if (cell > width)
                        width = cell;
        }

        return width;
}

void table_print(struct strbuf *buf, const struct table *table, bool colour)
{
        _cleanup_free_ size_t *widths = NULL;

        widths = calloc(table->columns, sizeof(*widths));
        if (!widths || table->failed) {
                buf->failed = true;
                return;
        }

        for (size_t i = 0; i < table->columns; i++)
                widths[i] = column_width(table, i);

        for (size_t i = 0; i < table->len; i++) {
                bool last = i % table->columns == table->columns - 1;

                if (i < table->columns)
                        put_colour(buf, colour, COLOUR_BOLD, table->cells[i]);
                else
                        strbuf_puts(buf, table->cells[i]);

                if (last)
                        strbuf_putc(buf, '\n');
                else
                        strbuf_printf(buf, "%*s", (int)(widths[i % table->columns] - text_width(table->cells[i]) + 2),
                                      "");
        }
}

void put_range(struct strbuf *buf, const struct addr_range *range)
{
        char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX];
        struct prefix prefix;

        if (addr_equal(&range->first, &range->last))
                strbuf_puts(buf, addr_format(&range->first, first));
        else if (addr_range_is_prefix(range, &prefix))
                strbuf_puts(buf, prefix_format(&prefix, first));
        else
                strbuf_printf(buf, "%s-%s", addr_format(&range->first, first), addr_format(&range->last, last));
}
