/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which item a comment speaks of. Behind something on its line: of that. On a line of its own: of what comes next, unless
 * it is indented like the items of a collection that has ended above it; then it closes that collection. */
#include <errno.h>
#include <string.h>

#include "layout.h"

void layout_notes_add(struct layout_notes *notes, struct layout_note *note)
{
        note->next = NULL;
        if (notes->last)
                notes->last->next = note;
        else
                notes->first = note;
        notes->last = note;
}

void layout_notes_move(struct layout_notes *notes, struct layout_notes *more)
{
        if (!more->first)
                return;
        if (notes->last)
                notes->last->next = more->first;
        else
                notes->first = more->first;
        notes->last = more->last;
        *more = (struct layout_notes){NULL, NULL};
}

struct attach {
        const struct layout_mark *marks;
        size_t len;
        size_t next;         /* the first mark behind the comment */
        size_t closed_until; /* the mark of the collection that a comment closed: those below it go no deeper */
};

/* At the line's end there is room for one. A list's item that is a collection begins with the first of its own items, unless
 * an anchor stands there, so that a comment at the end of that line would be theirs. */
static void add_line(struct layout_item *item, struct layout_note *note)
{
        bool taken = item->line || (!item->key && !item->target && !item->anchor &&
                                    (item->kind == DOC_LIST || item->kind == DOC_MAP));

        if (taken)
                layout_notes_add(&item->head, note);
        else
                item->line = note;
}

static void attach_behind(const struct layout_mark *mark, struct layout_note *note)
{
        switch (mark->type) {
        case LAYOUT_DOC:
                if (mark->doc->line)
                        layout_notes_add(&mark->doc->root->head, note);
                else
                        mark->doc->line = note;
                return;
        case LAYOUT_DOC_END:
                layout_notes_add(&mark->doc->root->foot, note);
                return;
        case LAYOUT_ITEM:
        case LAYOUT_VALUE:
        case LAYOUT_BLOCK_END:
        case LAYOUT_FLOW_END:
                break;
        }
        if (mark->item == mark->doc->root)
                layout_notes_add(mark->type == LAYOUT_FLOW_END ? &mark->item->foot : &mark->item->head, note);
        else
                add_line(mark->item, note);
}

/* The collection among those that end here which the comment closes, or NULL. They end from the inside out. */
static struct layout_item *find_closed(struct attach *a, unsigned col, unsigned next_col)
{
        size_t i;

        if (col <= next_col)
                return NULL;
        for (i = a->closed_until > a->next ? a->closed_until : a->next;
             i < a->len && a->marks[i].type == LAYOUT_BLOCK_END; i++) {
                if (a->marks[i].item->items_col <= col) {
                        a->closed_until = i;
                        return a->marks[i].item;
                }
        }
        return NULL;
}

/* A comment on a line of its own, between the marks next - 1 and next. */
static void attach_alone(struct attach *a, const struct doc_comment *comment, struct layout_note *note)
{
        const struct layout_mark *before = a->next > 0 ? &a->marks[a->next - 1] : NULL, *after;
        struct layout_item *closed;
        size_t i = a->next;

        if (before && before->type == LAYOUT_VALUE && comment->offset < before->end) {
                layout_notes_add(&before->item->head, note);
                return;
        }
        while (i < a->len && a->marks[i].type == LAYOUT_BLOCK_END)
                i++;
        after = i < a->len ? &a->marks[i] : NULL;
        if (!after || (after->type == LAYOUT_DOC && before)) {
                layout_notes_add(&before->doc->root->foot, note);
        } else if (after->type == LAYOUT_DOC) {
                layout_notes_add(after->doc->has_dashes ? &after->doc->before : &after->doc->root->head, note);
        } else if (after->type == LAYOUT_DOC_END || after->type == LAYOUT_ITEM) {
                bool is_item = after->type == LAYOUT_ITEM;

                closed = find_closed(a, comment->col, is_item ? after->item->col : 0);
                if (closed)
                        layout_notes_add(&closed->foot, note);
                else if (!is_item)
                        layout_notes_add(&after->doc->root->foot, note);
                else if (after->item == after->doc->root->first)
                        layout_notes_add(&after->doc->root->head, note);
                else
                        layout_notes_add(&after->item->head, note);
        } else {
                layout_notes_add(after->type == LAYOUT_FLOW_END ? &after->item->foot : &after->item->head, note);
        }
}

int layout_attach(struct layout *layout, struct arena *arena, const struct layout_mark *marks, size_t marks_len,
                  const struct doc_comment *comments, size_t comments_len)
{
        struct attach a = {.marks = marks, .len = marks_len};
        size_t i;

        /* Without a document there is nothing to give them to, and nothing that will be printed. */
        for (i = 0; marks_len > 0 && i < comments_len; i++) {
                struct layout_note *note = arena_alloc(arena, sizeof(*note));

                if (!note)
                        return -ENOMEM;
                note->text = layout->file.bytes + comments[i].offset;
                note->size = comments[i].size;
                note->blank = layout_blank_above(layout, comments[i].offset);
                while (a.next < a.len && a.marks[a.next].offset <= comments[i].offset)
                        a.next++;
                if (comments[i].alone || a.next == 0)
                        attach_alone(&a, &comments[i], note);
                else
                        attach_behind(&a.marks[a.next - 1], note);
        }
        for (i = 0; i < layout->docs_len; i++) {
                struct layout_item *root = layout->docs[i].root;

                root->blank = root->first && root->first->blank;
        }
        return 0;
}
