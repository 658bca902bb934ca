/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a document: which are text, where lines begin, and what type a plain scalar has. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "utf8.h"

#define MARK_DISTANCE 512u

/* A line is shown whole where the place is near its start and it is not much longer; else from SHOWN_BEFORE characters
 * before the place, SHOWN characters of it. */
#define SHOWN_WHOLE 80u
#define SHOWN_BEFORE 40u
#define SHOWN 120u

/* YAML 1.1 knows more line breaks than editors do; libyaml counts lines by them. */
static bool is_break(uint32_t code)
{
        return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

/* YAML's c-printable without the byte order mark. */
static bool is_printable(uint32_t code)
{
        return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code <= 0x7e) || code == 0x85 ||
               (code >= 0xa0 && code <= 0xfffd && code != 0xfeff) || code >= 0x10000;
}

void doc_advance(const struct doc_file *file, struct doc_mark *mark, size_t size, uint32_t code)
{
        bool inner;

        mark->offset += size;
        inner = code == '\r' && mark->offset < file->size && file->bytes[mark->offset] == '\n';
        if (is_break(code) && !inner) {
                mark->line++;
                mark->col = 1;
        } else if (!inner) {
                mark->col++;
        }
}

/* Editors and shells of other systems write it, and say so with a byte order mark. */
static bool is_utf16(const struct doc_file *file)
{
        return file->size >= 2 && (memcmp(file->bytes, "\xff\xfe", 2) == 0 || memcmp(file->bytes, "\xfe\xff", 2) == 0);
}

static int refuse(struct doc_file *file, const struct doc_mark *at, size_t size, uint32_t code)
{
        unsigned byte = (unsigned char)file->bytes[at->offset];

        if (is_utf16(file))
                doc_diag_at(file, 0, 0, "VW001", "save the file as UTF-8", "the file is UTF-16 or UTF-32, not UTF-8");
        else if (size == 0)
                doc_diag_at(file, at->line, at->col, "VW001", "save the file as UTF-8", "byte 0x%02x is not UTF-8",
                            byte);
        else if (code == 0)
                doc_diag_at(file, at->line, at->col, "VW001", "is this a text file, saved as UTF-8?",
                            "a NUL character is not allowed");
        else
                doc_diag_at(file, at->line, at->col, "VW001", "remove it, or write it as an escape in double quotes",
                            "the character U+%04X is not allowed", code);
        return -EINVAL;
}

void doc_file_init(struct doc_file *file, const char *name, const char *bytes, size_t size, struct diag_list *diags)
{
        size_t bom = size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

        *file = (struct doc_file){.name = name, .bytes = bytes + bom, .size = size - bom, .diags = diags};
}

int doc_scan(struct doc_file *file, struct arena *arena)
{
        struct doc_mark at = {.offset = 0, .line = 1, .col = 1};

        file->marks = arena_array(arena, file->size / MARK_DISTANCE + 1, sizeof(*file->marks));
        if (!file->marks)
                return -ENOMEM;
        while (at.offset < file->size) {
                uint32_t code = 0;
                size_t size = utf8_decode(file->bytes + at.offset, file->size - at.offset, &code);

                if (at.offset >= file->marks_len * MARK_DISTANCE)
                        file->marks[file->marks_len++] = at;
                if (size == 0 || !is_printable(code))
                        return refuse(file, &at, size, code);
                if (at.col == 1 && code == '%' && file->size - at.offset > 4 &&
                    memcmp(file->bytes + at.offset, "%TAG", 4) == 0) {
                        doc_diag_at(file, at.line, at.col, "VW001", "remove the line",
                                    "the directive %%TAG is not supported");
                        return -EINVAL;
                }
                doc_advance(file, &at, size, code);
        }
        return 0;
}

/* The offset of a place; SIZE_MAX where there is none. */
static size_t find_place(const struct doc_file *file, unsigned line, unsigned col)
{
        size_t low = 0, high = file->marks_len;
        struct doc_mark at;

        while (low < high) {
                size_t mid = low + (high - low) / 2;
                const struct doc_mark *mark = &file->marks[mid];

                if (mark->line < line || (mark->line == line && mark->col <= col))
                        low = mid + 1;
                else
                        high = mid;
        }
        if (low == 0)
                return SIZE_MAX;
        at = file->marks[low - 1];
        while (at.offset < file->size && (at.line < line || (at.line == line && at.col < col))) {
                uint32_t code = 0;
                size_t size = utf8_decode(file->bytes + at.offset, file->size - at.offset, &code);

                if (at.line == line && is_break(code))
                        break;
                if (at.offset + 1 == file->size) {
                        at.offset++;
                        break;
                }
                doc_advance(file, &at, size ? size : 1, code);
        }
        return at.line == line ? at.offset : SIZE_MAX;
}

/* The start of the character before offset, or offset itself at the start of a line. */
static size_t step_back(const struct doc_file *file, size_t offset)
{
        size_t start = offset;
        uint32_t code = 0;

        if (start == 0)
                return offset;
        do
                start--;
        while (start > 0 && offset - start < 4 && ((unsigned char)file->bytes[start] & 0xc0) == 0x80);
        if (utf8_decode(file->bytes + start, offset - start, &code) != offset - start)
                return offset - 1;
        return is_break(code) ? offset : start;
}

/* The end of the line, at most n characters on. */
static size_t line_end(const struct doc_file *file, size_t offset, unsigned n)
{
        for (; n > 0 && offset < file->size; n--) {
                uint32_t code = 0;
                size_t size = utf8_decode(file->bytes + offset, file->size - offset, &code);

                if (is_break(code))
                        break;
                offset += size ? size : 1;
        }
        return offset;
}

int doc_source(const struct doc_file *file, unsigned line, unsigned col, char **ret, unsigned *ret_col)
{
        size_t place = find_place(file, line, col ? col : 1), start, end, cut;
        unsigned before;

        *ret = NULL;
        *ret_col = 1;
        if (place == SIZE_MAX)
                return 0;
        for (start = cut = place, before = 0; before < SHOWN_WHOLE; before++) {
                size_t back = step_back(file, start);

                if (back == start)
                        break;
                start = back;
                if (before < SHOWN_BEFORE)
                        cut = back;
        }
        if (before == SHOWN_WHOLE && step_back(file, start) != start) {
                start = cut;
                *ret_col = col - SHOWN_BEFORE - 3;
        }
        end = line_end(file, start, SHOWN);
        if (asprintf(ret, "%s%.*s%s", *ret_col > 1 ? "..." : "", (int)(end - start), file->bytes + start,
                     line_end(file, end, 1) != end ? "..." : "") >= 0)
                return 0;
        *ret = NULL;
        return -ENOMEM;
}

static bool is_one_of(const char *text, const char *const *words, size_t len)
{
        size_t i;

        for (i = 0; i < len; i++)
                if (strcmp(text, words[i]) == 0)
                        return true;
        return false;
}

/* The value of a digit, or 99. */
static unsigned digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return (unsigned)(c - '0');
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;
}

/* [-+] and digits, which may hold "_"; a leading 0x, 0o, 0b or 0 gives the base. */
static bool type_integer(const char *text, int64_t *ret)
{
        bool negative = *text == '-', some = false, over = false;
        unsigned base = 10;
        int64_t value = 0;

        if (*text == '-' || *text == '+')
                text++;
        if (text[0] == '0' && text[1] != '\0') {
                base = text[1] == 'x' || text[1] == 'X' ? 16 : text[1] == 'b' || text[1] == 'B' ? 2 : 8;
                text += base == 8 && text[1] != 'o' && text[1] != 'O' ? 1 : 2;
        }
        for (; *text; text++) {
                unsigned digit = digit_value(*text);

                if (*text == '_')
                        continue;
                if (digit >= base)
                        return false;
                some = true;
                over |= __builtin_mul_overflow(value, (int64_t)base, &value);
                over |= __builtin_add_overflow(value, (int64_t)digit, &value);
        }
        if (over)
                value = INT64_MAX;
        *ret = negative ? -value : value;
        return some;
}

static size_t count_digits(const char *text)
{
        return strspn(text, "0123456789");
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(const char *text)
{
        size_t whole, part = 0;

        text += *text == '-' || *text == '+';
        whole = count_digits(text);
        text += whole;
        if (*text == '.') {
                part = count_digits(++text);
                text += part;
        }
        if (whole + part == 0)
                return false;
        if (*text == 'e' || *text == 'E') {
                text++;
                text += *text == '-' || *text == '+';
                if (count_digits(text) == 0)
                        return false;
                text += count_digits(text);
        }
        return *text == '\0';
}

void doc_type_plain(struct doc_node *node)
{
        static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
        static const char *const trues[] = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
        static const char *const falses[] = {"n",     "N",     "no",  "No",  "NO", "false",
                                             "False", "FALSE", "off", "Off", "OFF"};
        static const char *const floats[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                             "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};
        const char *text = node->text;

        if (*text && !strchr("~nNyYtTfFoO+-.0123456789", *text)) {
                node->kind = DOC_STRING;
        } else if (is_one_of(text, nulls, ARRAY_SIZE(nulls))) {
                node->kind = DOC_NULL;
        } else if (is_one_of(text, trues, ARRAY_SIZE(trues))) {
                node->kind = DOC_BOOL;
                node->boolean = true;
        } else if (is_one_of(text, falses, ARRAY_SIZE(falses))) {
                node->kind = DOC_BOOL;
                node->boolean = false;
        } else if (type_integer(text, &node->integer)) {
                node->kind = DOC_INT;
        } else if (is_float(text) || is_one_of(text, floats, ARRAY_SIZE(floats))) {
                node->kind = DOC_FLOAT;
        } else {
                node->kind = DOC_STRING;
        }
}
