/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff on a terminal. */
#include "diff_rows.h"
#include "output.h"

static void text_title(struct difference *difference, const char *text)
{
        put_colour(difference->buf, difference->colour, COLOUR_BOLD, text);
        strbuf_puts(difference->buf, ":\n");
}

static void text_filter(struct strbuf *buf, struct strbuf *text)
{
        if (strbuf_check(text) < 0)
                buf->failed = true;
        else
                strbuf_add(buf, text->text, text->len);
        strbuf_clear(text);
}

static void text_reason(struct difference *difference, const struct change_reason *reason)
{
        static const enum direction order[] = {DIR_EGRESS, DIR_INGRESS};
        struct strbuf *buf = difference->buf;

        if (difference->two_inventories) {
                put_colour(buf, difference->colour, COLOUR_BOLD, "Cause");
                strbuf_printf(buf, ": %s\n", change_origin_name(reason->origin));
        }
        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
                enum direction d = order[i];

                if (!reason->turned[d])
                        continue;

                put_colour(buf, difference->colour, COLOUR_BOLD, d == DIR_EGRESS ? "Egress" : "Ingress");
                strbuf_puts(buf, "\n  was ");
                put_change_cause(buf, difference->policies[CHANGE_OLD], d, &reason->causes[d][CHANGE_OLD]);
                strbuf_puts(buf, "\n  now ");
                put_change_cause(buf, difference->policies[CHANGE_NEW], d, &reason->causes[d][CHANGE_NEW]);
                strbuf_putc(buf, '\n');
        }
}

static void text_row(struct difference *difference, const struct row *row)
{
        const char sign[] = {row->sign, '\0'};
        struct strbuf *buf = difference->buf;

        strbuf_puts(buf, "    ");
        put_colour(buf, difference->colour, row->reason->widens ? COLOUR_GREEN : COLOUR_RED, sign);
        strbuf_putc(buf, ' ');
        strbuf_puts(buf, row->src);
        strbuf_puts(buf, " -> ");
        strbuf_puts(buf, row->dst);
        strbuf_puts(buf, ": ");
        put_turned(buf, row);
        strbuf_putc(buf, '\n');
}

static void text_rows_end(struct difference *difference)
{
        strbuf_putc(difference->buf, '\n');
}

int diff_text(struct difference *difference)
{
        static const struct diff_form form = {
                "  ", "\n", text_title, text_filter, text_reason, text_row, text_rows_end,
        };
        int r;

        r = diff_write(difference, &form);
        if (r != 0)
                return r;

        put_summary(difference->buf, difference);
        strbuf_putc(difference->buf, '\n');
        return 0;
}
