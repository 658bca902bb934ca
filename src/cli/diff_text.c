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

static const struct diff_list text_list = {"  ", "\n", text_title, text_filter};

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

static void text_row(struct difference *difference, struct row *row, const struct row *end)
{
        const char sign[] = {row->entries->sign, '\0'};
        struct strbuf *buf = difference->buf;

        strbuf_puts(buf, "    ");
        put_colour(buf, difference->colour, row->entries->reason->widens ? COLOUR_GREEN : COLOUR_RED, sign);
        strbuf_putc(buf, ' ');
        if (row->entries->from_outside) {
                put_others(buf, difference->changes, row);
                strbuf_puts(buf, " -> ");
        }
        put_inner(buf, difference->changes, row, end);
        if (!row->entries->from_outside) {
                strbuf_puts(buf, " -> ");
                put_others(buf, difference->changes, row);
        }
        strbuf_puts(buf, ": ");
        put_turned(buf, row->entries);
        strbuf_putc(buf, '\n');
}

int diff_text(struct difference *difference)
{
        _cleanup_(rows_fini) struct rows rows = {0};
        struct strbuf *buf = difference->buf;
        int r;

        r = rows_make(difference->changes, &rows);
        if (r == 0)
                r = put_kinds(difference, &text_list);
        if (r == 0)
                r = put_facts(difference, &text_list);

        for (struct row *row = rows.items; r == 0 && row < rows.items + rows.len;) {
                const struct row *end = rows_reason_end(&rows, row);

                text_reason(difference, row->entries->reason);
                for (; r == 0 && row < end; row++) {
                        if (!row->done)
                                text_row(difference, row, end);
                        r = flush_out_partly(buf);
                }
                strbuf_putc(buf, '\n');
        }
        if (r != 0)
                return r;

        r = put_pairs(difference, &text_list);
        if (r == 0)
                r = put_connections(difference, &text_list);
        if (r != 0)
                return r;

        put_summary(buf, difference);
        strbuf_putc(buf, '\n');
        return 0;
}
