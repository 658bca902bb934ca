/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Suppressions in comments: what they say, and which lines they are about. The lines are gone through once; a scope is what
 * a line with suppressions begins, and stays on a stack until a line comes that is not part of it. */
#include <errno.h>
#include <string.h>

#include "doc_comment.h"
#include "doc_private.h"
#include "lint_suppress.h"
#include "utf8.h"

#define MARKER "vethwall:"

struct scope {
        unsigned indent;
        bool item;         /* of a list: its line begins with "- " */
        bool document;     /* all of it */
        size_t first, end; /* the suppressions that are about it */
};

struct sweep {
        struct lint *lint;
        uint32_t index; /* of the file */
        struct doc_file file;
        struct scope *scopes; /* owned */
        size_t scopes_len, scopes_cap;
        size_t waiting; /* the suppressions from here on wait for a line */
        bool begins;    /* nothing of the document was seen yet */
        unsigned last;  /* the last line that holds anything */
};

/* Most files have none, and are not read again for it. */
static bool has_marker(const char *bytes, size_t size)
{
        const char *end = bytes + size, *p = bytes;

        while ((size_t)(end - p) >= strlen(MARKER) && (p = memchr(p, MARKER[0], (size_t)(end - p)))) {
                if ((size_t)(end - p) >= strlen(MARKER) && memcmp(p, MARKER, strlen(MARKER)) == 0)
                        return true;
                p++;
        }
        return false;
}

/* what a comment says */

static struct src_loc place_in(const struct sweep *sweep, const struct doc_comment *comment, const char *text,
                               const char *place)
{
        unsigned col = comment->col;

        for (const char *p = text; p < place; p++)
                col += ((unsigned char)*p & 0xc0) != 0x80;
        return (struct src_loc){.file = sweep->index, .line = comment->line, .col = col};
}

/* "ignore", or what was meant so. NULL where the comment is prose. */
static char *find_word(char *text, bool *ret_right)
{
        static const char *const words[] = {"ignore"};
        char *word = text + strspn(text, "# \t"), kept;
        size_t len;

        if (strncmp(word, MARKER, strlen(MARKER)) != 0)
                return NULL;
        word += strlen(MARKER);
        word += strspn(word, " \t");
        len = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-");
        kept = word[len];
        word[len] = '\0';
        *ret_right = strcmp(word, words[0]) == 0;
        if (!*ret_right && (kept != '[' || !doc_nearest(word, words, ARRAY_SIZE(words))))
                return NULL;
        word[len] = kept;
        return word;
}

static void read_ids(struct sweep *sweep, const struct doc_comment *comment, const char *text, char *ids,
                     const char *reason)
{
        while (ids) {
                char *next = strchr(ids, ',');
                struct suppression item = {.file = sweep->index, .reason = reason};
                size_t len;

                if (next)
                        *next++ = '\0';
                ids += strspn(ids, " \t");
                len = strlen(ids);
                while (len > 0 && (ids[len - 1] == ' ' || ids[len - 1] == '\t'))
                        ids[--len] = '\0';
                item.loc = place_in(sweep, comment, text, ids);
                lint_add_suppression(sweep->lint, &item, ids);
                ids = next;
        }
}

static void read_comment(struct sweep *sweep, const struct doc_comment *comment, const char *bytes)
{
        static const struct lint_note note = {.hint = "write # vethwall: ignore[VW301] and the reason"};
        char *text, *word, *open, *close;
        const char *reason;
        struct src_loc loc;
        bool right;

        if (!has_marker(bytes + comment->offset, comment->size))
                return;
        text = arena_strndup(sweep->lint->suppressions->arena, bytes + comment->offset, comment->size);
        if (!text) {
                sweep->lint->r = -ENOMEM;
                return;
        }
        word = find_word(text, &right);
        if (!word)
                return;
        loc = place_in(sweep, comment, text, word);
        open = word + strspn(word, "abcdefghijklmnopqrstuvwxyz");
        open += strspn(open, " \t");
        close = *open == '[' ? strchr(open, ']') : NULL;
        if (!right || !close || open[1 + strspn(open + 1, " \t,")] == ']') {
                lint_report(sweep->lint, "VW903", &loc, &note, "the comment names no rule to ignore");
                return;
        }
        *close = '\0';
        reason = lint_trim_reason(close + 1);
        if (!reason)
                lint_report_no_reason(sweep->lint, &loc);
        read_ids(sweep, comment, text, open + 1, reason);
}

/* what it is about */

static void close_scope(struct sweep *sweep)
{
        const struct scope *scope = &sweep->scopes[--sweep->scopes_len];

        for (size_t i = scope->first; i < scope->end; i++)
                sweep->lint->suppressions->items[i].last = lint_spot(sweep->last, UINT32_MAX);
}

static void close_all(struct sweep *sweep)
{
        while (sweep->scopes_len > 0)
                close_scope(sweep);
}

/* The items of a list may stand as far out as the key that they belong to. */
static bool is_closed_by(const struct scope *scope, unsigned indent, bool item)
{
        return !scope->document && (scope->indent > indent || (scope->indent == indent && (scope->item || !item)));
}

static void take_line(struct sweep *sweep, unsigned line, unsigned indent, bool item)
{
        struct suppressions *all = sweep->lint->suppressions;

        while (sweep->scopes_len > 0 && is_closed_by(&sweep->scopes[sweep->scopes_len - 1], indent, item))
                close_scope(sweep);
        if (sweep->waiting < all->len) {
                if (array_reserve(&sweep->scopes, &sweep->scopes_cap, sweep->scopes_len + 1, sizeof(*sweep->scopes)) <
                    0) {
                        sweep->lint->r = -ENOMEM;
                        return;
                }
                sweep->scopes[sweep->scopes_len++] = (struct scope){
                        .indent = indent,
                        .item = item,
                        .document = sweep->begins,
                        .first = sweep->waiting,
                        .end = all->len,
                };
                for (size_t i = sweep->waiting; i < all->len; i++)
                        all->items[i].first = lint_spot(line, 1);
                sweep->waiting = all->len;
        }
        sweep->begins = false;
        sweep->last = line;
}

/* Whether a line, or what is left of it, holds anything but a comment. */
static bool is_empty(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r' && text[i] != '\n')
                        return text[i] == '#';
        return true;
}

/* A line that ends a document and begins another: "---", "...", or a directive before one. */
static bool is_border(const struct sweep *sweep, const char *text, size_t len)
{
        if (len > 0 && text[0] == '%')
                return sweep->begins;
        return len >= 3 && (memcmp(text, "---", 3) == 0 || memcmp(text, "...", 3) == 0) &&
               (len == 3 || strchr(" \t\r\n", text[3]));
}

static void sweep_line(struct sweep *sweep, unsigned line, const char *text, size_t len)
{
        unsigned indent = 0;

        if (is_empty(text, len))
                return;
        if (is_border(sweep, text, len)) {
                close_all(sweep);
                sweep->begins = true;
                if (text[0] == '%' || is_empty(text + 3, len - 3))
                        return;
        }
        while (text[indent] == ' ')
                indent++;
        take_line(sweep, line, indent,
                  text[indent] == '-' && (indent + 1 == len || strchr(" \t\r\n", text[indent + 1])));
}

static void sweep_lines(struct sweep *sweep, const struct doc_comment *comments, size_t comments_len)
{
        const struct doc_file *file = &sweep->file;
        struct doc_mark at = {.line = 1, .col = 1};
        size_t comment = 0;

        while (sweep->lint->r == 0 && at.offset < file->size) {
                struct doc_mark start = at;

                while (at.line == start.line && at.offset < file->size) {
                        uint32_t code = 0;
                        size_t size = utf8_decode(file->bytes + at.offset, file->size - at.offset, &code);

                        doc_advance(file, &at, size ? size : 1, code);
                }
                for (; comment < comments_len && comments[comment].line == start.line; comment++)
                        read_comment(sweep, &comments[comment], file->bytes);
                sweep_line(sweep, start.line, file->bytes + start.offset, at.offset - start.offset);
        }
        close_all(sweep);
}

void lint_read_comments(struct lint *lint, uint32_t index)
{
        const struct policy_source *source = &lint->policies->sources[index];
        struct sweep sweep = {.lint = lint, .index = index, .begins = true, .waiting = lint->suppressions->len};
        _cleanup_(arena_freep) struct arena *arena = NULL;
        struct doc_comment *comments = NULL;
        size_t comments_len = 0;

        if (!has_marker(source->bytes, source->size))
                return;
        arena = arena_new();
        if (!arena ||
            doc_comments_of(source->bytes, source->size, arena, &sweep.file.bytes, &comments, &comments_len) < 0) {
                lint->r = -ENOMEM;
                return;
        }
        sweep.file.size = source->size;
        sweep_lines(&sweep, comments, comments_len);
        free(sweep.scopes);
}
