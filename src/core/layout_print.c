/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Items as text: YAML in blocks of two spaces, at most one empty line in a row and none where a block begins; or JSON. */
#include <string.h>

#include "layout.h"

#define STEP 2u

struct printer {
        struct strbuf *buf;
        bool opened; /* a block begins here: an empty line would be nothing but a gap */
};

static void put_blank(struct printer *p, bool blank)
{
        if (blank && !p->opened)
                strbuf_putc(p->buf, '\n');
        p->opened = false;
}

static void put_indent(struct printer *p, unsigned indent)
{
        strbuf_printf(p->buf, "%*s", (int)indent, "");
}

static void put_notes(struct printer *p, const struct layout_notes *notes, unsigned indent)
{
        const struct layout_note *note;

        for (note = notes->first; note; note = note->next) {
                put_blank(p, note->blank);
                put_indent(p, indent);
                strbuf_add(p->buf, note->text, note->size);
                strbuf_putc(p->buf, '\n');
        }
}

static void put_line_note(struct printer *p, const struct layout_note *note)
{
        if (note) {
                strbuf_putc(p->buf, ' ');
                strbuf_add(p->buf, note->text, note->size);
        }
        strbuf_putc(p->buf, '\n');
}

static bool is_collection(const struct layout_item *item)
{
        return item->kind == DOC_LIST || item->kind == DOC_MAP;
}

static void put_items(struct printer *p, struct layout_item *collection, unsigned indent, bool inlined);

/* The value behind "key:" or "-". An anchor goes to where its item is first printed, which may be at an alias. */
static void put_value(struct printer *p, struct layout_item *item, unsigned indent)
{
        struct layout_item *value = layout_resolve(item);
        bool inlined = !item->key && !value->anchor && is_collection(value) && value->len > 0;

        if (value->anchor && value->printed) {
                strbuf_printf(p->buf, " *%s", value->anchor);
                put_line_note(p, item->line);
                return;
        }
        value->printed = true;
        if (value->anchor)
                strbuf_printf(p->buf, " &%s", value->anchor);
        if (is_collection(value) && value->len > 0) {
                if (inlined)
                        strbuf_putc(p->buf, ' ');
                else
                        put_line_note(p, item->line);
                p->opened = true;
                put_items(p, value, indent + STEP, inlined);
                put_notes(p, &value->foot, indent + STEP);
                return;
        }
        if (is_collection(value)) {
                strbuf_puts(p->buf, value->kind == DOC_LIST ? " []" : " {}");
                put_line_note(p, item->line);
                return;
        }
        if (value->kind != DOC_NULL || value->text[0] != '\0')
                strbuf_putc(p->buf, ' ');
        layout_scalar(p->buf, value, indent + STEP, item->line);
        strbuf_putc(p->buf, '\n');
}

static void put_items(struct printer *p, struct layout_item *collection, unsigned indent, bool inlined)
{
        struct layout_item *item;

        for (item = collection->first; item; item = item->next) {
                bool first = inlined && item == collection->first;

                if (!first) {
                        put_notes(p, &item->head, indent);
                        put_blank(p, item->blank);
                        put_indent(p, indent);
                }
                p->opened = false;
                if (!item->key)
                        strbuf_putc(p->buf, '-');
                else if (item->key_kind == DOC_STRING)
                        layout_text(p->buf, item->key);
                else
                        strbuf_puts(p->buf, item->key);
                if (item->key)
                        strbuf_putc(p->buf, ':');
                put_value(p, item, indent);
        }
}

/* Puts comments where there is a line for them: those of a list's item's first item above the dash, which stands on the
 * same line; those inside an empty collection above it. */
static void settle(struct layout_item *item)
{
        struct layout_item *child, *first = item->first;

        for (child = item->first; child; child = child->next)
                settle(child);
        if (is_collection(item) && item->len == 0)
                layout_notes_move(&item->head, &item->foot);
        for (child = item->kind == DOC_LIST ? first : NULL; child; child = child->next) {
                struct layout_item *inner = is_collection(child) && !child->anchor ? child->first : NULL;

                if (!inner)
                        continue;
                if (child->line) {
                        layout_notes_add(&child->head, child->line);
                        child->line = NULL;
                }
                if (!inner->head.first)
                        continue;
                inner->head.first->blank |= child->blank;
                child->blank = inner->blank;
                layout_notes_move(&child->head, &inner->head);
        }
}

void layout_print(struct strbuf *buf, struct layout_doc *doc, bool first)
{
        struct printer p = {.buf = buf, .opened = true};

        settle(doc->root);
        put_notes(&p, &doc->before, 0);
        if (!first || doc->has_dashes) {
                strbuf_puts(buf, "---");
                put_line_note(&p, doc->line);
        }
        p.opened = true;
        if (doc->root->head.first) {
                put_notes(&p, &doc->root->head, 0);
                put_blank(&p, doc->root->blank);
                p.opened = true;
        }
        put_items(&p, doc->root, 0, false);
        put_notes(&p, &doc->root->foot, 0);
}

static void put_json(struct strbuf *buf, const struct layout_item *item, unsigned indent)
{
        const char *brackets = item->kind == DOC_LIST ? "[]" : "{}";
        const struct layout_item *child;

        if (!is_collection(item)) {
                if (item->kind == DOC_STRING)
                        strbuf_json(buf, item->text);
                else if (item->kind == DOC_INT)
                        layout_integer(buf, item);
                else
                        strbuf_puts(buf, item->text);
                return;
        }
        strbuf_putc(buf, brackets[0]);
        for (child = item->first; child; child = child->next) {
                strbuf_printf(buf, "\n%*s", (int)(indent + STEP), "");
                if (child->key) {
                        strbuf_json(buf, child->key);
                        strbuf_puts(buf, ": ");
                }
                put_json(buf, child, indent + STEP);
                strbuf_puts(buf, child->next ? "," : "");
        }
        if (item->first)
                strbuf_printf(buf, "\n%*s", (int)indent, "");
        strbuf_putc(buf, brackets[1]);
}

void layout_print_json(struct strbuf *buf, const struct layout_doc *doc)
{
        put_json(buf, doc->root, 0);
        strbuf_putc(buf, '\n');
}
