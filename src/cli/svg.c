/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawing as SVG: see svg.h. */
#include "svg.h"

#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

/* Light first; then what differs in the dark. Text on its ground keeps WCAG's 4.5:1, lines 3:1. */
static const char style[] =
        ".bg{fill:#fff}.box{fill:#f6f8fa;stroke:#d1d9e0}.node{fill:#fff;stroke:#d1d9e0}"
        ".t{fill:#1f2328}.d{fill:#59636e}.s{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\","
        "Arial,\"DejaVu Sans\",sans-serif}.h{font-size:22px;font-weight:600}.p{font-size:13px}.c{font-size:12px;"
        "font-weight:600;letter-spacing:.04em}"
        ".m{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;"
        "font-size:13px}.b{font-weight:700}"
        ".r{stroke:#d1d9e0}.some{fill:#ddf4ff}.all{fill:#ffe9c2}.st{fill:#0a4b9c}.at{fill:#6b3d00}"
        ".w{fill:none;stroke-width:2}.head{fill:#59636e}"
        ".w0{stroke:#0969da}.w1{stroke:#1a7f37}.w2{stroke:#9a6700}.w3{stroke:#8250df}.w4{stroke:#bf3989}"
        ".w5{stroke:#0f766e}.w6{stroke:#bc4c00}.w7{stroke:#57606a}"
        ".f0{fill:#0969da}.f1{fill:#1a7f37}.f2{fill:#9a6700}.f3{fill:#8250df}.f4{fill:#bf3989}.f5{fill:#0f766e}"
        ".f6{fill:#bc4c00}.f7{fill:#57606a}"
        "@media(prefers-color-scheme:dark){"
        ".bg{fill:#0d1117}.box{fill:#161b22;stroke:#3d444d}.node{fill:#0d1117;stroke:#3d444d}"
        ".t{fill:#e6edf3}.d{fill:#9da7b3}.r{stroke:#3d444d}.some{fill:#123256}.all{fill:#4a3208}.st{fill:#b6dcff}"
        ".at{fill:#ffd58a}.head{fill:#9da7b3}"
        ".w0{stroke:#58a6ff}.w1{stroke:#3fb950}.w2{stroke:#d29922}.w3{stroke:#bc8cff}.w4{stroke:#f778ba}"
        ".w5{stroke:#2dd4bf}.w6{stroke:#f0883e}.w7{stroke:#8b949e}"
        ".f0{fill:#58a6ff}.f1{fill:#3fb950}.f2{fill:#d29922}.f3{fill:#bc8cff}.f4{fill:#f778ba}.f5{fill:#2dd4bf}"
        ".f6{fill:#f0883e}.f7{fill:#8b949e}}";

/* One character of clean UTF-8, its bytes, and how many columns it takes: two where it may be a wide one. */
static size_t char_size(const char *text)
{
        unsigned char c = (unsigned char)text[0];

        return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static size_t char_columns(const char *text)
{
        /* From U+1100 on, where Hangul and then the ideographs come. */
        return (unsigned char)text[0] > 0xe1 || ((unsigned char)text[0] == 0xe1 && (unsigned char)text[1] >= 0x84) ? 2
                                                                                                                   : 1;
}

/* Punctuation and the ellipsis of our own are narrow all the same. */
static size_t text_columns(const char *text, const char *end)
{
        size_t columns = 0;

        for (; text < end; text += char_size(text))
                columns += strncmp(text, ELLIPSIS, strlen(ELLIPSIS)) == 0 ? 1 : char_columns(text);

        return columns;
}

void svg_lines_fini(struct svg_lines *lines)
{
        strbuf_fini(&lines->text);
}

static void add_line(struct svg_lines *lines, const char *text, size_t len, const char *tail)
{
        size_t at = lines->text.len, columns;

        strbuf_add(&lines->text, text, len);
        strbuf_puts(&lines->text, tail);
        if (lines->text.failed)
                return;

        columns = text_columns(lines->text.text + at, lines->text.text + lines->text.len);
        if (columns > lines->columns)
                lines->columns = columns;
        strbuf_putc(&lines->text, '\0');
        lines->len++;
}

/* How many bytes of the text, from its start, go into so many columns. */
static size_t fit_start(const char *text, size_t columns)
{
        size_t len = 0;

        while (text[len] && char_columns(text + len) <= columns) {
                columns -= char_columns(text + len);
                len += char_size(text + len);
        }

        return len;
}

/* The same from its end. */
static size_t fit_end(const char *text, size_t columns)
{
        const char *end = text + strlen(text), *at = end;

        while (at > text) {
                const char *before = at - 1;

                while (before > text && ((unsigned char)*before & 0xc0) == 0x80)
                        before--;
                if (char_columns(before) > columns)
                        break;
                columns -= char_columns(before);
                at = before;
        }

        return (size_t)(end - at);
}

void svg_lines_add(struct svg_lines *lines, const char *text, size_t columns)
{
        _cleanup_(strbuf_fini) struct strbuf clean = STRBUF_INIT, shortened = STRBUF_INIT;
        size_t tail;

        strbuf_clean(&clean, text);
        if (strbuf_check(&clean) < 0) {
                lines->text.failed = true;
                return;
        }

        if (text_columns(clean.text, clean.text + clean.len) <= columns) {
                add_line(lines, clean.text, clean.len, "");
                return;
        }

        tail = fit_end(clean.text, (columns - 1) / 3);
        strbuf_add(&shortened, clean.text, fit_start(clean.text, columns - 1 - (columns - 1) / 3));
        strbuf_puts(&shortened, ELLIPSIS);
        strbuf_add(&shortened, clean.text + clean.len - tail, tail);
        if (strbuf_check(&shortened) < 0)
                lines->text.failed = true;
        else
                add_line(lines, shortened.text, shortened.len, "");
}

/* Where to end a line that has room for len bytes of the text: in its second half after the last blank, else after the
 * last mark, else just there. */
static size_t break_at(const char *text, size_t len)
{
        static const char *const marks[] = {" ", ",/:", "=-._"};

        for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
                for (size_t j = len; j > len / 2; j--)
                        if (strchr(marks[i], text[j - 1]))
                                return j;

        return len;
}

void svg_lines_wrap(struct svg_lines *lines, const char *text, size_t columns, size_t max)
{
        _cleanup_(strbuf_fini) struct strbuf clean = STRBUF_INIT;
        const char *at;

        strbuf_clean(&clean, text);
        if (strbuf_check(&clean) < 0) {
                lines->text.failed = true;
                return;
        }

        at = clean.text;
        for (size_t i = 1;; i++) {
                size_t len = fit_start(at, columns);

                if (at[len] == '\0') {
                        add_line(lines, at, len, "");
                        return;
                }
                if (i == max) {
                        add_line(lines, at, break_at(at, fit_start(at, columns - 1)), ELLIPSIS);
                        return;
                }

                len = break_at(at, len);
                add_line(lines, at, at[len - 1] == ' ' ? len - 1 : len, "");
                at += len;
        }
}

const char *svg_lines_first(const struct svg_lines *lines)
{
        return lines->text.text;
}

const char *svg_lines_next(const char *line)
{
        return line + strlen(line) + 1;
}

void svg_escape(struct strbuf *buf, const char *text)
{
        _cleanup_(strbuf_fini) struct strbuf clean = STRBUF_INIT;

        strbuf_clean(&clean, text);
        if (strbuf_check(&clean) < 0) {
                buf->failed = true;
                return;
        }

        for (const char *c = clean.text; *c; c += char_size(c)) {
                if (*c == '&')
                        strbuf_puts(buf, "&amp;");
                else if (*c == '<')
                        strbuf_puts(buf, "&lt;");
                else if (*c == '>')
                        strbuf_puts(buf, "&gt;");
                else if (*c == '"')
                        strbuf_puts(buf, "&quot;");
                else if (strncmp(c, "\xef\xbf\xbe", 3) == 0 || strncmp(c, "\xef\xbf\xbf", 3) == 0)
                        strbuf_puts(buf, "\xef\xbf\xbd"); /* U+FFFE and U+FFFF are no characters of XML */
                else
                        strbuf_add(buf, c, char_size(c));
        }
}

void svg_text(struct strbuf *buf, size_t x, size_t y, const char *class, const char *text)
{
        strbuf_printf(buf, "<text x=\"%zu\" y=\"%zu\" class=\"%s\">", x, y, class);
        svg_escape(buf, text);
        strbuf_puts(buf, "</text>\n");
}

void svg_text_lines(struct strbuf *buf, size_t x, size_t y, const char *class, const struct svg_lines *lines)
{
        const char *line = svg_lines_first(lines);

        buf->failed |= lines->text.failed;
        for (size_t i = 0; !buf->failed && i < lines->len; i++, line = svg_lines_next(line))
                svg_text(buf, x, y + i * SVG_LINE, class, line);
}

void svg_rect(struct strbuf *buf, size_t x, size_t y, size_t width, size_t height, size_t radius, const char *class)
{
        strbuf_printf(buf, "<rect x=\"%zu\" y=\"%zu\" width=\"%zu\" height=\"%zu\" rx=\"%zu\" class=\"%s\"/>\n", x, y,
                      width, height, radius, class);
}

void svg_line(struct strbuf *buf, size_t x1, size_t y1, size_t x2, size_t y2, const char *class)
{
        strbuf_printf(buf, "<path d=\"M%zu %zuL%zu %zu\" class=\"%s\"/>\n", x1, y1, x2, y2, class);
}

void svg_title(struct strbuf *buf, const char *text)
{
        strbuf_puts(buf, "<title>");
        svg_escape(buf, text);
        strbuf_puts(buf, "</title>\n");
}

void svg_begin(struct strbuf *buf, size_t width, size_t height, const char *title, const char *description)
{
        strbuf_printf(buf,
                      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%zu\" height=\"%zu\" viewBox=\"0 0 %zu %zu\" "
                      "role=\"graphics-document document\" aria-labelledby=\"title desc\">\n<title id=\"title\">",
                      width, height, width, height);
        svg_escape(buf, title);
        strbuf_puts(buf, "</title>\n<desc id=\"desc\">");
        svg_escape(buf, description);
        strbuf_printf(buf, "</desc>\n<style>%s</style>\n", style);
        svg_rect(buf, 0, 0, width, height, 0, "bg");
}

void svg_end(struct strbuf *buf)
{
        strbuf_puts(buf, "</svg>\n");
}
