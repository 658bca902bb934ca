/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff as markdown, for a review. Everything between the marks is escaped, so that a name stays a name. */
#include <string.h>

#include "diff_rows.h"
#include "output.h"

static void md_escape(struct strbuf *buf, struct strbuf *text)
{
        if (strbuf_check(text) < 0) {
                buf->failed = true;
                return;
        }

        for (const char *c = text->text; *c; c++) {
                if (strchr("\\`*_[]<>|#~&@!", *c))
                        strbuf_putc(buf, '\\');
                strbuf_putc(buf, *c);
        }
        strbuf_clear(text);
}

static void md_title(struct difference *difference, const char *text)
{
        strbuf_printf(difference->buf, "\n%s:\n\n", text);
}

static const struct diff_list md_list = {"- ", "", md_title, md_escape};

static void md_reason(struct difference *difference, const struct change_reason *reason, struct strbuf *text)
{
        static const enum direction order[] = {DIR_EGRESS, DIR_INGRESS};
        struct strbuf *buf = difference->buf;

        if (difference->two_inventories)
                strbuf_printf(buf, "\n**Cause**: %s.\n", change_origin_name(reason->origin));
        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
                enum direction d = order[i];

                if (!reason->turned[d])
                        continue;

                strbuf_puts(buf, d == DIR_EGRESS ? "\n**Egress** was " : "\n**Ingress** was ");
                put_change_cause(text, difference->policies[CHANGE_OLD], d, &reason->causes[d][CHANGE_OLD]);
                md_escape(buf, text);
                strbuf_puts(buf, "; now ");
                put_change_cause(text, difference->policies[CHANGE_NEW], d, &reason->causes[d][CHANGE_NEW]);
                md_escape(buf, text);
                strbuf_puts(buf, ".\n");
        }
        strbuf_puts(buf, "\n| | from | to | connections |\n| --- | --- | --- | --- |\n");
}

static void md_row(struct difference *difference, struct row *row, const struct row *end, struct strbuf *text)
{
        struct strbuf *buf = difference->buf;

        strbuf_printf(buf, "| `%c` | ", row->entries->sign);
        for (int i = 0; i < 2; i++) {
                if (row->entries->from_outside == (i == 0))
                        put_others(text, difference->changes, row);
                else
                        put_inner(text, difference->changes, row, end);
                md_escape(buf, text);
                strbuf_puts(buf, " | ");
        }
        put_turned(text, row->entries);
        md_escape(buf, text);
        strbuf_puts(buf, " |\n");
}

int diff_markdown(struct difference *difference)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        _cleanup_(rows_fini) struct rows rows = {0};
        struct strbuf *buf = difference->buf;
        int r;

        strbuf_puts(buf, "### Network policy: ");
        put_summary(buf, difference);
        strbuf_putc(buf, '\n');

        r = rows_make(difference->changes, &rows);
        if (r == 0)
                r = put_kinds(difference, &md_list);
        if (r == 0)
                r = put_facts(difference, &md_list);

        for (struct row *row = rows.items; r == 0 && row < rows.items + rows.len;) {
                const struct row *end = rows_reason_end(&rows, row);

                md_reason(difference, row->entries->reason, &text);
                for (; r == 0 && row < end; row++) {
                        if (!row->done)
                                md_row(difference, row, end, &text);
                        r = flush_out_partly(buf);
                }
        }

        if (r == 0)
                r = put_pairs(difference, &md_list);
        return r == 0 ? put_connections(difference, &md_list) : r;
}
