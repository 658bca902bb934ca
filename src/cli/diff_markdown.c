/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff as markdown, for a review. Everything between the marks is escaped, so that a name stays a name. */
#include <string.h>

#include "diff_rows.h"

static void md_escape(struct strbuf *buf, const char *text)
{
        for (const char *c = text; *c; c++) {
                if (strchr("\\`*_[]<>|#~&@!", *c))
                        strbuf_putc(buf, '\\');
                strbuf_putc(buf, *c);
        }
}

static void md_filter(struct strbuf *buf, struct strbuf *text)
{
        if (strbuf_check(text) < 0)
                buf->failed = true;
        else
                md_escape(buf, text->text);
        strbuf_clear(text);
}

static void md_title(struct difference *difference, const char *text)
{
        strbuf_printf(difference->buf, "\n%s:\n\n", text);
}

static void md_cause(struct difference *difference, enum change_side side, const struct change_reason *reason,
                     enum direction d)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        put_change_cause(&text, difference->policies[side], d, &reason->causes[d][side]);
        md_filter(difference->buf, &text);
}

static void md_reason(struct difference *difference, const struct change_reason *reason)
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
                md_cause(difference, CHANGE_OLD, reason, d);
                strbuf_puts(buf, "; now ");
                md_cause(difference, CHANGE_NEW, reason, d);
                strbuf_puts(buf, ".\n");
        }
        strbuf_puts(buf, "\n| | from | to | connections |\n| --- | --- | --- | --- |\n");
}

static void md_row(struct difference *difference, const struct row *row)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        struct strbuf *buf = difference->buf;

        strbuf_printf(buf, "| `%c` | ", row->sign);
        md_escape(buf, row->src);
        strbuf_puts(buf, " | ");
        md_escape(buf, row->dst);
        strbuf_puts(buf, " | ");
        put_turned(&text, row);
        md_filter(buf, &text);
        strbuf_puts(buf, " |\n");
}

/* A table ends where the next line is none of its. */
static void md_rows_end(_unused_ struct difference *difference)
{
}

int diff_markdown(struct difference *difference)
{
        static const struct diff_form form = {
                "- ", "", md_title, md_filter, md_reason, md_row, md_rows_end,
        };

        strbuf_puts(difference->buf, "### Network policy: ");
        put_summary(difference->buf, difference);
        strbuf_putc(difference->buf, '\n');
        return diff_write(difference, &form);
}
