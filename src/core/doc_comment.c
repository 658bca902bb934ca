/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comments, found between the scalars that the parser saw: outside of those a "#" can begin nothing else. (An anchor and a
 * tag cannot hold one, and after a plain text, which can, it begins a comment only where the parser ended the text.) The
 * one place inside a scalar's bounds is the first line of a block, behind its | or >. */
#include <errno.h>
#include <string.h>

#include "doc_comment.h"
#include "utf8.h"

void doc_events_fini(struct doc_events *events)
{
        free(events->items);
        *events = (struct doc_events){0};
}

/* A place counted both ways. Events follow one another nearly always, so that the way is short. */
struct cursor {
        const struct doc_file *file;
        size_t chars, offset;
};

static bool is_continuation(char c)
{
        return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t move_to(struct cursor *at, size_t chars)
{
        const struct doc_file *file = at->file;

        for (; at->chars < chars && at->offset < file->size; at->chars++) {
                at->offset++;
                while (at->offset < file->size && is_continuation(file->bytes[at->offset]))
                        at->offset++;
        }
        for (; at->chars > chars; at->chars--) {
                at->offset--;
                while (at->offset > 0 && is_continuation(file->bytes[at->offset]))
                        at->offset--;
        }
        return at->offset;
}

void doc_place_events(const struct doc_file *file, struct doc_events *events)
{
        struct cursor at = {.file = file};
        size_t i;

        for (i = 0; i < events->len; i++) {
                events->items[i].offset = move_to(&at, events->items[i].offset);
                events->items[i].end = move_to(&at, events->items[i].end);
        }
}

struct scan {
        const struct doc_file *file;
        struct doc_comment *items; /* owned */
        size_t len, cap;
        struct doc_mark at;
        bool blank; /* only white space so far on this line */
};

/* Moves over one character and returns it. */
static uint32_t next(struct scan *scan)
{
        unsigned line = scan->at.line;
        uint32_t code = UINT32_MAX;
        size_t size = utf8_decode(scan->file->bytes + scan->at.offset, scan->file->size - scan->at.offset, &code);

        doc_advance(scan->file, &scan->at, size ? size : 1, code);
        scan->blank = scan->at.line != line || (scan->blank && (code == ' ' || code == '\t'));
        return code;
}

static bool at_char(const struct scan *scan, size_t end, const char *chars)
{
        return scan->at.offset < end && strchr(chars, scan->file->bytes[scan->at.offset]);
}

/* The comment that begins here, and the way to the end of its line. */
static int take_comment(struct scan *scan)
{
        struct doc_comment comment = {
                .line = scan->at.line, .col = scan->at.col, .offset = scan->at.offset, .alone = scan->blank};
        size_t end = scan->at.offset;

        while (scan->at.offset < scan->file->size && scan->at.line == comment.line) {
                uint32_t code = next(scan);

                if (scan->at.line == comment.line && code != ' ' && code != '\t' && code != '\r')
                        end = scan->at.offset;
        }
        comment.size = end - comment.offset;
        if (array_reserve(&scan->items, &scan->cap, scan->len + 1, sizeof(*scan->items)) < 0)
                return -ENOMEM;
        scan->items[scan->len++] = comment;
        return 0;
}

static int take_or_pass(struct scan *scan)
{
        if (scan->file->bytes[scan->at.offset] == '#')
                return take_comment(scan);
        next(scan);
        return 0;
}

/* What stands between two scalars. */
static int scan_gap(struct scan *scan, size_t end)
{
        int r = 0;

        while (r == 0 && scan->at.offset < end)
                r = take_or_pass(scan);
        return r;
}

/* An anchor and a tag, which stand before the text, with comments between them. */
static int scan_properties(struct scan *scan, size_t end)
{
        int r = 0;

        while (r == 0 && at_char(scan, end, "&! \t\r\n#")) {
                if (at_char(scan, end, "&!"))
                        while (scan->at.offset < end && !at_char(scan, end, " \t\r\n"))
                                next(scan);
                else
                        r = take_or_pass(scan);
        }
        return r;
}

/* A scalar: nothing in it but behind the sign of a block. */
static int pass_scalar(struct scan *scan, const struct doc_event *event)
{
        bool block = event->style == DOC_LITERAL || event->style == DOC_FOLDED;
        int r = 0;
        unsigned line;

        if (event->anchor || event->tagged)
                r = scan_properties(scan, event->end);
        line = scan->at.line;
        while (block && r == 0 && scan->at.offset < event->end && scan->at.line == line)
                r = take_or_pass(scan);
        while (r == 0 && scan->at.offset < event->end)
                next(scan);
        return r;
}

int doc_comments(const struct doc_file *file, const struct doc_events *events, struct arena *arena,
                 struct doc_comment **ret, size_t *ret_len)
{
        struct scan scan = {.file = file, .at = {.line = 1, .col = 1}, .blank = true};
        size_t end = 0, i;
        int r = 0;

        for (i = 0; r == 0 && i < events->len; i++) {
                const struct doc_event *event = &events->items[i];

                end = event->end;
                if (event->type != DOC_EVENT_SCALAR)
                        continue;
                r = scan_gap(&scan, event->offset);
                if (r == 0)
                        r = pass_scalar(&scan, event);
        }
        if (r == 0)
                r = scan_gap(&scan, events->complete ? file->size : end);
        if (r == 0) {
                *ret = arena_memdup(arena, scan.items, scan.len * sizeof(*scan.items));
                *ret_len = scan.len;
        }
        free(scan.items);
        return r == 0 && !*ret ? -ENOMEM : r;
}

int doc_comments_of(const char *bytes, size_t size, struct arena *arena, const char **ret_text,
                    struct doc_comment **ret, size_t *ret_len)
{
        struct diag_list diags = DIAG_LIST_INIT;
        struct doc_events events = {0};
        struct doc_file file;
        int r;

        r = doc_parse_events(&file, arena, "", bytes, size, &diags, &events);
        if (r == 0)
                r = doc_comments(&file, &events, arena, ret, ret_len);
        if (r == 0)
                *ret_text = file.bytes;
        doc_events_fini(&events);
        diag_list_fini(&diags);
        return r;
}
