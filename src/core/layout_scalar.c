/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a value is written: plain where every reader of YAML 1.1 and 1.2 takes it for the same, else in quotes; a text of
 * several lines as a block. */
#include <stdio.h>
#include <string.h>

#include "layout.h"
#include "utf8.h"

static bool is_break(uint32_t code)
{
        return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

static bool is_shown(uint32_t code)
{
        return code >= 0x20 && !utf8_is_control(code) && !is_break(code) && code != 0xfeff && code != 0xfffe &&
               code != 0xffff;
}

static size_t count_digits(const char *text)
{
        return strspn(text, "0123456789_");
}

/* Numbers of base 60, times and dates, which only YAML 1.1 knows: 1:20, 2024-01-31. */
static bool is_old_number(const char *text)
{
        const char *at = text + (*text == '-' || *text == '+');
        size_t digits = count_digits(at);

        if (digits == 0)
                return false;
        if (digits == 4 && at[4] == '-' && at == text)
                return strspn(at, "0123456789-+:.TtZz \t") == strlen(at);
        return at[digits] == ':' && strspn(at, "0123456789_:.") == strlen(at);
}

/* Numbers with "_" or a point that not everybody takes for such. */
static bool is_spaced_number(const char *text)
{
        const char *at = text + (*text == '-' || *text == '+');
        size_t whole = count_digits(at);

        at += whole;
        if (*at == '.')
                at++;
        at += count_digits(at);
        if (*at == 'e' || *at == 'E') {
                at++;
                at += *at == '-' || *at == '+';
                at += count_digits(at);
        }
        return whole > 0 && *at == '\0';
}

/* Whether the text can stand without quotes, behind "key: " or "- ", and is a text to all. */
static bool is_plain(const char *text)
{
        struct doc_node node = {.kind = DOC_STRING, .text = text};
        size_t len = strlen(text), i;

        if (len == 0 || strchr("-?:,[]{}#&*!|>'\"%@` =", text[0]) || text[len - 1] == ' ' || text[len - 1] == ':' ||
            strcmp(text, "<<") == 0 || strcmp(text, "...") == 0)
                return false;
        doc_type_plain(&node);
        if (node.kind != DOC_STRING || is_old_number(text) || is_spaced_number(text))
                return false;
        for (i = 0; i < len;) {
                uint32_t code = 0;
                size_t size = utf8_decode(text + i, len - i, &code);

                if (size == 0 || !is_shown(code) || (code == ':' && text[i + 1] == ' ') ||
                    (code == '#' && i > 0 && text[i - 1] == ' '))
                        return false;
                i += size;
        }
        return true;
}

static void put_escape(struct strbuf *buf, uint32_t code)
{
        if (code == '\n')
                strbuf_puts(buf, "\\n");
        else if (code == '\t')
                strbuf_puts(buf, "\\t");
        else if (code == '\r')
                strbuf_puts(buf, "\\r");
        else if (code <= 0xff)
                strbuf_printf(buf, "\\x%02X", code);
        else if (code <= 0xffff)
                strbuf_printf(buf, "\\u%04X", code);
        else
                strbuf_printf(buf, "\\U%08X", code);
}

static void put_double_quoted(struct strbuf *buf, const char *text)
{
        size_t len = strlen(text), i;

        strbuf_putc(buf, '"');
        for (i = 0; i < len;) {
                uint32_t code = 0;
                size_t size = utf8_decode(text + i, len - i, &code);

                size = size ? size : 1;
                if (code == '"' || code == '\\')
                        strbuf_printf(buf, "\\%c", (char)code);
                else if (is_shown(code))
                        strbuf_add(buf, text + i, size);
                else
                        put_escape(buf, code);
                i += size;
        }
        strbuf_putc(buf, '"');
}

static bool is_one_line(const char *text)
{
        size_t len = strlen(text), i;

        for (i = 0; i < len;) {
                uint32_t code = 0;
                size_t size = utf8_decode(text + i, len - i, &code);

                if (size == 0 || !is_shown(code))
                        return false;
                i += size;
        }
        return true;
}

void layout_text(struct strbuf *buf, const char *text)
{
        if (is_plain(text)) {
                strbuf_puts(buf, text);
        } else if (text[strcspn(text, "\"\\")] && !strchr(text, '\'') && is_one_line(text)) {
                strbuf_putc(buf, '\'');
                strbuf_puts(buf, text);
                strbuf_putc(buf, '\'');
        } else {
                put_double_quoted(buf, text);
        }
}

void layout_integer(struct strbuf *buf, const struct layout_item *item)
{
        bool saturated = item->integer == INT64_MAX || item->integer == -INT64_MAX;

        if (saturated)
                strbuf_puts(buf, item->text);
        else
                strbuf_printf(buf, "%lld", (long long)item->integer);
}

/* blocks */

/* Whether the text can be a block: lines to read as they are, the first not indented, no more than one break at the end. */
static bool is_block(const char *text)
{
        size_t len = strlen(text), i;

        if (!strchr(text, '\n') || strchr(" \t\n", text[0]) || (text[len - 1] == '\n' && text[len - 2] == '\n'))
                return false;
        for (i = 0; i < len;) {
                uint32_t code = 0;
                size_t size = utf8_decode(text + i, len - i, &code);

                if (size == 0 || (!is_shown(code) && code != '\n' && code != '\t'))
                        return false;
                i += size;
        }
        return true;
}

static void put_sign(struct strbuf *buf, char sign, const char *text, const struct layout_note *line)
{
        size_t len = strlen(text);

        strbuf_putc(buf, sign);
        if (text[len - 1] != '\n')
                strbuf_putc(buf, '-');
        if (line) {
                strbuf_putc(buf, ' ');
                strbuf_add(buf, line->text, line->size);
        }
}

static void put_lines(struct strbuf *buf, const char *text, size_t len, size_t skip, unsigned indent)
{
        size_t i = 0;

        while (i < len) {
                const char *end = memchr(text + i, '\n', len - i);
                size_t size = end ? (size_t)(end - text) - i : len - i, skipped = 0;

                while (skipped < skip && skipped < size && text[i + skipped] == ' ')
                        skipped++;
                strbuf_putc(buf, '\n');
                if (size > skipped)
                        strbuf_printf(buf, "%*s%.*s", (int)indent, "", (int)(size - skipped), text + i + skipped);
                i += size + 1;
        }
}

/* The lines of a folded text below its sign, empty ones at both ends left out. False where the sign has a digit, which
 * says how far they are indented. */
static bool find_lines(const struct layout_item *item, const char **ret, size_t *ret_size)
{
        const char *at = item->raw, *end = at + item->raw_size, *line;

        for (; at < end && *at != '\n' && *at != ' '; at++)
                if (*at >= '0' && *at <= '9')
                        return false;
        while (at < end && *at != '\n')
                at++;
        while (end > at && (end[-1] == ' ' || end[-1] == '\n'))
                end--;
        for (line = at; at < end && (*at == ' ' || *at == '\n'); at++)
                if (*at == '\n')
                        line = at + 1;
        *ret = line;
        *ret_size = (size_t)(end - line);
        return line < end;
}

/* A folded text keeps its author's lines. False where they cannot simply be moved. */
static bool put_folded(struct strbuf *buf, const struct layout_item *item, unsigned indent,
                       const struct layout_note *line)
{
        size_t len = strlen(item->text), size = 0, skip = 0;
        const char *lines = NULL;

        if (!item->raw || len < 2 || strchr(" \t\n", item->text[0]) ||
            (item->text[len - 1] == '\n' && item->text[len - 2] == '\n') || memchr(item->raw, '\r', item->raw_size) ||
            !find_lines(item, &lines, &size))
                return false;
        while (lines[skip] == ' ')
                skip++;
        put_sign(buf, '>', item->text, line);
        put_lines(buf, lines, size, skip, indent);
        return true;
}

void layout_scalar(struct strbuf *buf, const struct layout_item *item, unsigned indent, const struct layout_note *line)
{
        switch (item->kind) {
        case DOC_STRING:
                if (put_folded(buf, item, indent, line))
                        return;
                if (is_block(item->text)) {
                        size_t len = strlen(item->text);

                        put_sign(buf, '|', item->text, line);
                        put_lines(buf, item->text, len - (item->text[len - 1] == '\n'), 0, indent);
                        return;
                }
                layout_text(buf, item->text);
                break;
        case DOC_BOOL:
                strbuf_puts(buf, item->boolean ? "true" : "false");
                break;
        case DOC_INT:
                layout_integer(buf, item);
                break;
        case DOC_NULL:
        case DOC_FLOAT:
                strbuf_puts(buf, item->text);
                break;
        case DOC_LIST:
        case DOC_MAP:
        case DOC_KIND_MAX:
                break;
        }
        if (line) {
                strbuf_putc(buf, ' ');
                strbuf_add(buf, line->text, line->size);
        }
}
