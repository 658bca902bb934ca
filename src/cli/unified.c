/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that went and came, by Myers' greedy search ("An O(ND) Difference Algorithm and Its Variations", 1986). Texts that
 * differ in more lines than the search may cost are shown as replaced from the first difference to the last. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <vethwall/arena.h>

#include "output.h"
#include "unified.h"

#define CONTEXT 3
#define EDITS_MAX 1000

struct line {
        const char *text;
        size_t size; /* the line break included */
        bool changed;
};

struct lines {
        struct line *items; /* owned */
        size_t len, cap;
};

static void lines_fini(struct lines *lines)
{
        free(lines->items);
}

static int split(struct lines *lines, const char *text, size_t size)
{
        size_t i = 0;

        while (i < size) {
                const char *end = memchr(text + i, '\n', size - i);
                size_t len = end ? (size_t)(end - text) + 1 - i : size - i;

                if (array_reserve(&lines->items, &lines->cap, lines->len + 1, sizeof(*lines->items)) < 0)
                        return -ENOMEM;
                lines->items[lines->len++] = (struct line){.text = text + i, .size = len};
                i += len;
        }

        return 0;
}

static bool is_same(const struct line *a, const struct line *b)
{
        return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

/* The part in which the texts differ, and how far each diagonal of it was followed with how many edits. */
struct search {
        struct line *a, *b;
        size_t a_len, b_len;
        uint32_t *reach; /* owned; a row of 2 * EDITS_MAX + 1 diagonals for each number of edits */
        size_t edits;
};

static uint32_t *row_of(const struct search *s, size_t edits)
{
        return s->reach + edits * (2 * EDITS_MAX + 1) + EDITS_MAX;
}

/* Whether the way to diagonal k with that many edits came from the one above, by taking a line of b. */
static bool comes_down(const struct search *s, size_t edits, long k)
{
        const uint32_t *before = row_of(s, edits - 1);
        long e = (long)edits;

        return k == -e || (k != e && before[k - 1] < before[k + 1]);
}

static bool search_row(struct search *s, size_t edits)
{
        uint32_t *row = row_of(s, edits);
        long e = (long)edits;

        for (long k = -e; k <= e; k += 2) {
                size_t x = 0, y;

                if (edits > 0)
                        x = comes_down(s, edits, k) ? row_of(s, edits - 1)[k + 1] : row_of(s, edits - 1)[k - 1] + 1;
                y = (size_t)((long)x - k);
                while (x < s->a_len && y < s->b_len && is_same(&s->a[x], &s->b[y])) {
                        x++;
                        y++;
                }
                row[k] = (uint32_t)x;
                if (x >= s->a_len && y >= s->b_len)
                        return true;
        }

        return false;
}

/* Marks the lines on the way back from the end. */
static void walk_back(struct search *s)
{
        long k = (long)s->a_len - (long)s->b_len;

        for (size_t edits = s->edits; edits > 0; edits--) {
                bool down = comes_down(s, edits, k);
                size_t x, y;

                k += down ? 1 : -1;
                x = row_of(s, edits - 1)[k];
                y = (size_t)((long)x - k);
                if (down)
                        s->b[y].changed = true;
                else
                        s->a[x].changed = true;
        }
}

static void mark_all(struct search *s)
{
        for (size_t i = 0; i < s->a_len; i++)
                s->a[i].changed = true;
        for (size_t i = 0; i < s->b_len; i++)
                s->b[i].changed = true;
}

static int mark_changes(struct lines *a, struct lines *b)
{
        size_t start = 0, a_end = a->len, b_end = b->len;
        struct search s = {.edits = 0};
        bool found = false;

        while (start < a_end && start < b_end && is_same(&a->items[start], &b->items[start]))
                start++;
        while (a_end > start && b_end > start && is_same(&a->items[a_end - 1], &b->items[b_end - 1])) {
                a_end--;
                b_end--;
        }
        s.a_len = a_end - start;
        s.b_len = b_end - start;
        if (s.a_len + s.b_len == 0)
                return 0;
        s.a = a->items + start;
        s.b = b->items + start;
        if (s.a_len == 0 || s.b_len == 0) {
                mark_all(&s);
                return 0;
        }

        s.reach = calloc((EDITS_MAX + 1) * (2 * EDITS_MAX + 1), sizeof(*s.reach));
        if (!s.reach)
                return -ENOMEM;
        for (; !found && s.edits <= EDITS_MAX; s.edits += !found)
                found = search_row(&s, s.edits);
        if (found)
                walk_back(&s);
        else
                mark_all(&s);
        free(s.reach);
        return 0;
}

static void put_line(struct strbuf *buf, char sign, const struct line *line, bool colour)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, clean = STRBUF_INIT;
        bool ends = line->size > 0 && line->text[line->size - 1] == '\n';

        strbuf_putc(&text, sign);
        strbuf_add(&text, line->text, line->size - ends);
        if (strbuf_check(&text) < 0)
                buf->failed = true;
        else if (!colour)
                strbuf_add(buf, text.text, text.len);
        else {
                strbuf_clean(&clean, text.text);
                if (strbuf_check(&clean) < 0)
                        buf->failed = true;
                else
                        put_colour(buf, sign != ' ', sign == '-' ? COLOUR_RED : COLOUR_GREEN, clean.text);
        }
        strbuf_puts(buf, ends ? "\n" : "\n\\ No newline at end of file\n");
}

/* A run of lines of both texts around changes that stand near each other. */
struct hunk {
        size_t a, b, a_end, b_end;
};

/* The next hunk at or behind a place; false where there is no change any more. */
static bool next_hunk(const struct lines *a, const struct lines *b, size_t i, size_t j, struct hunk *ret)
{
        size_t same = 0, start;

        while (i < a->len && j < b->len && !a->items[i].changed && !b->items[j].changed) {
                i++;
                j++;
                same++;
        }
        if (i == a->len && j == b->len)
                return false;
        start = same < CONTEXT ? same : CONTEXT;
        ret->a = i - start;
        ret->b = j - start;
        for (same = 0; (i < a->len || j < b->len) && same <= 2 * CONTEXT;) {
                if (i < a->len && a->items[i].changed) {
                        i++;
                        same = 0;
                } else if (j < b->len && b->items[j].changed) {
                        j++;
                        same = 0;
                } else {
                        i++;
                        j++;
                        same++;
                }
        }
        same -= same < CONTEXT ? same : CONTEXT;
        ret->a_end = i - same;
        ret->b_end = j - same;
        return true;
}

static void put_span(struct strbuf *buf, char sign, size_t start, size_t len)
{
        strbuf_printf(buf, " %c%zu", sign, len > 0 ? start + 1 : start);
        if (len != 1)
                strbuf_printf(buf, ",%zu", len);
}

static void put_hunk(struct strbuf *buf, const struct lines *a, const struct lines *b, const struct hunk *hunk,
                     bool colour)
{
        size_t i = hunk->a, j = hunk->b;

        strbuf_puts(buf, "@@");
        put_span(buf, '-', hunk->a, hunk->a_end - hunk->a);
        put_span(buf, '+', hunk->b, hunk->b_end - hunk->b);
        strbuf_puts(buf, " @@\n");
        while (i < hunk->a_end || j < hunk->b_end) {
                if (i < hunk->a_end && a->items[i].changed)
                        put_line(buf, '-', &a->items[i++], colour);
                else if (j < hunk->b_end && b->items[j].changed)
                        put_line(buf, '+', &b->items[j++], colour);
                else {
                        put_line(buf, ' ', &a->items[i++], colour);
                        j++;
                }
        }
}

int unified_diff(struct strbuf *buf, const char *name, const char *old, size_t old_size, const char *new,
                 size_t new_size, bool colour)
{
        _cleanup_(lines_fini) struct lines a = {NULL, 0, 0}, b = {NULL, 0, 0};
        struct hunk hunk = {0, 0, 0, 0};
        bool any = false;
        int r;

        r = split(&a, old, old_size);
        if (r == 0)
                r = split(&b, new, new_size);
        if (r == 0)
                r = mark_changes(&a, &b);
        if (r < 0)
                return r;

        while (next_hunk(&a, &b, hunk.a_end, hunk.b_end, &hunk)) {
                if (!any)
                        strbuf_printf(buf, "--- %s\n+++ %s\n", name, name);
                any = true;
                put_hunk(buf, &a, &b, &hunk, colour);
        }

        return buf->failed ? -ENOMEM : 0;
}
