/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics: collected, sorted, printed. What comes from the user's files goes through here on its way to a
 * terminal, so control characters are replaced. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/diag.h>
#include <vethwall/strbuf.h>

#include "utf8.h"

static void place_fini(struct diag_place *place)
{
        free(place->file);
        free(place->message);
        free(place->source);
}

static void diag_fini(struct diag *diag)
{
        for (size_t i = 0; i < diag->places_len; i++)
                place_fini(&diag->places[i]);
        free(diag->places);
        free(diag->file);
        free(diag->message);
        free(diag->hint);
        free(diag->source);
        free(diag->witness);
        free(diag->reason);
}

void diag_list_fini(struct diag_list *list)
{
        size_t i;

        for (i = 0; i < list->len; i++)
                diag_fini(&list->items[i]);
        free(list->items);
        *list = (struct diag_list)DIAG_LIST_INIT;
}

static bool copy_text(char **ret, const char *text)
{
        *ret = text ? strdup(text) : NULL;
        return !text || *ret;
}

static bool copy_places(struct diag *diag, const struct diag *where)
{
        if (where->places_len == 0)
                return true;
        diag->places = calloc(where->places_len, sizeof(*diag->places));
        if (!diag->places)
                return false;
        for (size_t i = 0; i < where->places_len; i++) {
                const struct diag_place *from = &where->places[i];
                struct diag_place *to = &diag->places[diag->places_len++];

                *to = *from;
                to->file = to->message = to->source = NULL;
                if (!copy_text(&to->file, from->file) || !copy_text(&to->message, from->message) ||
                    !copy_text(&to->source, from->source))
                        return false;
        }
        return true;
}

bool diag_make_room(struct diag_list *list, enum diag_severity severity)
{
        size_t last = 0;

        if (list->len < DIAG_LIST_MAX)
                return true;
        if (list->settled[severity])
                return false;
        for (size_t i = 1; i < list->len; i++)
                if (list->items[i].severity >= list->items[last].severity)
                        last = i;
        if (list->items[last].severity <= severity) {
                list->settled[severity] = true;
                return false;
        }
        diag_fini(&list->items[last]);
        list->len--;
        memmove(&list->items[last], &list->items[last + 1], (list->len - last) * sizeof(*list->items));
        list->dropped++;
        return true;
}

void diag_drop(struct diag_list *list, enum diag_severity severity)
{
        list->errors += severity == DIAG_ERROR;
        list->dropped++;
}

int diag_add(struct diag_list *list, const struct diag *where, const char *fmt, ...)
{
        struct diag diag = *where;
        va_list args;
        int len;

        if (!diag_make_room(list, where->severity)) {
                diag_drop(list, where->severity);
                return 0;
        }
        list->errors += where->severity == DIAG_ERROR;
        if (array_reserve(&list->items, &list->cap, list->len + 1, sizeof(*list->items)) < 0)
                return -ENOMEM;

        diag.file = diag.hint = diag.source = diag.witness = diag.reason = diag.message = NULL;
        diag.places = NULL;
        diag.places_len = 0;
        va_start(args, fmt);
        len = vasprintf(&diag.message, fmt, args);
        va_end(args);
        if (len < 0)
                diag.message = NULL;
        if (!diag.message || !copy_text(&diag.file, where->file) || !copy_text(&diag.hint, where->hint) ||
            !copy_text(&diag.source, where->source) || !copy_text(&diag.witness, where->witness) ||
            !copy_text(&diag.reason, where->reason) || !copy_places(&diag, where)) {
                diag_fini(&diag);
                return -ENOMEM;
        }
        list->items[list->len++] = diag;
        return 0;
}

static int cmp_optional(const char *a, const char *b)
{
        if (!a || !b)
                return (a != NULL) - (b != NULL);
        return strcmp(a, b);
}

static int cmp_unsigned(unsigned a, unsigned b)
{
        return (a > b) - (a < b);
}

static int cmp_diag(const void *pa, const void *pb)
{
        const struct diag *a = pa, *b = pb;
        int cmp = cmp_optional(a->file, b->file);

        if (cmp == 0)
                cmp = cmp_unsigned(a->line, b->line);
        if (cmp == 0)
                cmp = cmp_unsigned(a->col, b->col);
        if (cmp == 0)
                cmp = strcmp(a->message, b->message);
        if (cmp == 0)
                cmp = cmp_unsigned(a->severity, b->severity);
        if (cmp == 0)
                cmp = cmp_optional(a->rule, b->rule);
        if (cmp == 0)
                cmp = cmp_optional(a->hint, b->hint);
        return cmp;
}

void diag_list_sort(struct diag_list *list)
{
        if (list->len > 1)
                qsort(list->items, list->len, sizeof(*list->items), cmp_diag);
}

const char *diag_severity_name(enum diag_severity severity)
{
        static const char *const names[] = {"error", "warning", "info"};

        static_assert(ARRAY_SIZE(names) == DIAG_SEVERITY_MAX, "names do not match enum diag_severity");
        return names[severity];
}

static const char *severity_colour(enum diag_severity severity)
{
        static const char *const colours[] = {"\033[1;31m", "\033[1;33m", "\033[1;36m"};

        static_assert(ARRAY_SIZE(colours) == DIAG_SEVERITY_MAX, "colours do not match enum diag_severity");
        return colours[severity];
}

static void paint(struct strbuf *buf, bool colour, const char *sequence)
{
        if (colour)
                strbuf_puts(buf, sequence);
}

/* One line, whatever is in it. */
static void add_clean(struct strbuf *buf, const char *text, size_t len)
{
        while (len > 0) {
                uint32_t code = 0;
                size_t size = utf8_decode(text, len, &code);

                if (size == 0 || (utf8_is_control(code) && code != '\t'))
                        strbuf_puts(buf, UTF8_REPLACEMENT);
                else
                        strbuf_add(buf, text, size);
                size = size ? size : 1;
                text += size;
                len -= size;
        }
}

/* The bytes of the character at text; a byte that is no UTF-8 counts as a character. */
static size_t char_size(const char *text, size_t len)
{
        uint32_t code;
        size_t size = utf8_decode(text, len, &code);

        return size ? size : 1;
}

/* Moves text on by up to n characters and says by how many it was. */
static unsigned skip_chars(const char **text, unsigned n)
{
        size_t left = strlen(*text);
        unsigned i;

        for (i = 0; i < n && left > 0; i++) {
                size_t size = char_size(*text, left);

                *text += size;
                left -= size;
        }
        return i;
}

/* Spaces under the len bytes before the place, tabs where these have tabs, so that the caret stands right. */
static void add_blank(struct strbuf *buf, const char *text, size_t len)
{
        while (len > 0) {
                size_t size = char_size(text, len);

                strbuf_putc(buf, *text == '\t' ? '\t' : ' ');
                text += size;
                len -= size;
        }
}

/* A line of a file, and the caret below it. */
struct excerpt {
        const char *text;
        unsigned line, col, end_col, text_col;
};

static void add_excerpt(struct strbuf *buf, const struct excerpt *excerpt, bool colour)
{
        unsigned before = excerpt->text_col > 1 ? excerpt->text_col - 1 : 0, col;
        const char *place = excerpt->text;
        char number[16];

        snprintf(number, sizeof(number), "%u", excerpt->line);
        strbuf_printf(buf, "  %s | ", number);
        add_clean(buf, excerpt->text, strlen(excerpt->text));
        strbuf_putc(buf, '\n');
        if (excerpt->col <= before || skip_chars(&place, excerpt->col - 1 - before) < excerpt->col - 1 - before)
                return;

        strbuf_printf(buf, "  %*s | ", (int)strlen(number), "");
        add_blank(buf, excerpt->text, (size_t)(place - excerpt->text));
        paint(buf, colour, "\033[1;32m");
        strbuf_putc(buf, '^');
        skip_chars(&place, 1);
        for (col = excerpt->col + 1; col < excerpt->end_col && skip_chars(&place, 1) > 0; col++)
                strbuf_putc(buf, '~');
        paint(buf, colour, "\033[0m");
        strbuf_putc(buf, '\n');
}

static void add_location(struct strbuf *buf, const char *file, unsigned line, unsigned col)
{
        add_clean(buf, file, strlen(file));
        if (line > 0)
                strbuf_printf(buf, ":%u", line);
        if (line > 0 && col > 0)
                strbuf_printf(buf, ":%u", col);
        strbuf_puts(buf, ": ");
}

static void add_place(struct strbuf *buf, const struct diag_place *place, bool colour)
{
        paint(buf, colour, "\033[1m");
        add_location(buf, place->file, place->line, place->col);
        paint(buf, colour, severity_colour(DIAG_INFO));
        strbuf_puts(buf, "note: ");
        paint(buf, colour, "\033[0m");
        add_clean(buf, place->message, strlen(place->message));
        strbuf_putc(buf, '\n');
        if (place->source && place->line > 0)
                add_excerpt(
                        buf,
                        &(struct excerpt){place->source, place->line, place->col, place->end_col, place->source_col},
                        colour);
}

void diag_format(struct strbuf *buf, const struct diag *diag, bool colour)
{
        paint(buf, colour, "\033[1m");
        if (diag->file)
                add_location(buf, diag->file, diag->line, diag->col);
        paint(buf, colour, severity_colour(diag->severity));
        strbuf_printf(buf, "%s: ", diag_severity_name(diag->severity));
        paint(buf, colour, "\033[0m");
        add_clean(buf, diag->message, strlen(diag->message));
        if (diag->rule)
                strbuf_printf(buf, " [%s]", diag->rule);
        strbuf_putc(buf, '\n');
        if (diag->source && diag->line > 0)
                add_excerpt(buf,
                            &(struct excerpt){diag->source, diag->line, diag->col, diag->end_col, diag->source_col},
                            colour);
        if (diag->hint) {
                strbuf_puts(buf, "  help: ");
                add_clean(buf, diag->hint, strlen(diag->hint));
                strbuf_putc(buf, '\n');
        }
        if (diag->witness) {
                strbuf_puts(buf, "  seen by: vethwall explain ");
                add_clean(buf, diag->witness, strlen(diag->witness));
                strbuf_putc(buf, '\n');
        }
        for (size_t i = 0; i < diag->places_len; i++)
                add_place(buf, &diag->places[i], colour);
}

static void add_count(struct strbuf *buf, bool *some, size_t count, const char *noun, const char *plural)
{
        if (count == 0)
                return;
        strbuf_printf(buf, "%s%zu %s", *some ? ", " : "", count, count == 1 ? noun : plural);
        *some = true;
}

void diag_list_format(struct strbuf *buf, const struct diag_list *list, bool colour)
{
        diag_list_format_beside(buf, list, 0, colour);
}

void diag_list_format_beside(struct strbuf *buf, const struct diag_list *list, size_t suppressed, bool colour)
{
        size_t counts[DIAG_SEVERITY_MAX] = {0}, i;
        bool some = false;

        for (i = 0; i < list->len; i++) {
                diag_format(buf, &list->items[i], colour);
                counts[list->items[i].severity]++;
        }
        add_count(buf, &some, counts[DIAG_ERROR], "error", "errors");
        add_count(buf, &some, counts[DIAG_WARNING], "warning", "warnings");
        add_count(buf, &some, counts[DIAG_INFO], "note", "notes");
        add_count(buf, &some, list->dropped, "more not shown", "more not shown");
        add_count(buf, &some, suppressed, "suppressed", "suppressed");
        if (some)
                strbuf_putc(buf, '\n');
}
