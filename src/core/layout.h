/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A YAML or JSON file as its author laid it out: the values, and beside each the comments that speak of it, so that it can
 * be put in another order, changed and printed again. For what only reads values there is the tree of doc.h. Private to
 * the core.
 *
 * layout_read.c makes items of a file's events, layout_comment.c gives each comment to an item, layout_scalar.c knows how a
 * value is written, layout_print.c prints. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/arena.h>
#include <vethwall/doc.h>
#include <vethwall/strbuf.h>

#include "doc_comment.h"
#include "doc_private.h"

/* A comment, the "#" included. */
struct layout_note {
        struct layout_note *next;
        const char *text;
        size_t size;
        bool blank; /* an empty line stands above it */
};

struct layout_notes {
        struct layout_note *first, *last;
};

/* A value with its place in a collection: a pair of a mapping, an item of a list, or a document's root. */
struct layout_item {
        struct layout_item *next; /* in its collection */
        const char *key;          /* NULL where it stands in a list, or is a root */
        enum doc_kind key_kind;
        struct layout_notes head; /* comments above it */
        struct layout_note *line; /* the one at its first line's end, or NULL */
        bool blank;               /* an empty line stands above it, below its comments */
        enum doc_kind kind;
        enum doc_style style;
        const char *text; /* scalars */
        int64_t integer;
        bool boolean;
        const char *raw; /* folded scalars: the lines as written, with the sign's; else NULL */
        size_t raw_size;
        struct layout_item *first, *last; /* collections */
        size_t len;
        struct layout_notes foot;   /* comments at the end of a collection */
        const char *anchor;         /* the name that aliases use, or NULL */
        struct layout_item *target; /* aliases: the item with the anchor; else NULL */
        bool printed;               /* the anchor was printed */
        const struct doc_node *node;
        unsigned line_no, col; /* where it begins: its key, its dash, or its value */
        unsigned items_col;    /* where its items do; 0: nowhere */
};

struct layout_doc {
        struct layout_item *root;
        struct layout_notes before; /* comments in front of the first document's dashes */
        struct layout_note *line;   /* the comment behind the dashes */
        size_t offset, end;         /* its part of the file's bytes, from the dashes to the next document */
        bool has_dashes;
        bool is_odd; /* has directives, keys with anchors or the like, and can only be kept as it is */
};

struct layout {
        struct doc_file file;
        struct layout_doc *docs;
        size_t docs_len;
        bool is_json; /* one document, written as JSON has it */
        size_t notes; /* comments in the file */
};

/* Reads a file without mistakes; with some, which go to diags, there are no documents. bytes and name are borrowed.
 * 0 (look at diags->errors) or -ENOMEM. */
int layout_read(struct layout *ret, struct arena *arena, const char *name, const char *bytes, size_t size,
                struct diag_list *diags);

/* The value of a key of a mapping, aliases followed; or NULL. */
struct layout_item *layout_get(const struct layout_item *item, const char *key);

/* The item itself, or what it is an alias of. */
struct layout_item *layout_resolve(struct layout_item *item);

/* Appends to a collection. */
void layout_add(struct layout_item *collection, struct layout_item *item);

void layout_notes_add(struct layout_notes *notes, struct layout_note *note);

/* Moves all of more behind what notes holds. */
void layout_notes_move(struct layout_notes *notes, struct layout_notes *more);

/* Whether nothing stands before a place on its line, and above that an empty line. */
bool layout_blank_above(const struct layout *layout, size_t offset);

/* A place where something begins or ends. */
struct layout_mark {
        enum {
                LAYOUT_DOC,
                LAYOUT_ITEM,      /* an item begins */
                LAYOUT_VALUE,     /* its value does: a scalar, an alias, or a collection in brackets */
                LAYOUT_BLOCK_END, /* its collection without brackets ends before the next mark */
                LAYOUT_FLOW_END,
                LAYOUT_DOC_END,
        } type;
        size_t offset, end;
        struct layout_doc *doc;
        struct layout_item *item; /* NULL: of a document */
};

/* Gives every comment of the file to an item. */
int layout_attach(struct layout *layout, struct arena *arena, const struct layout_mark *marks, size_t marks_len,
                  const struct doc_comment *comments, size_t comments_len);

/* A scalar as YAML, behind what it is the value of and on that line; a text of several lines goes on below, indented. A
 * comment for the first line is the caller's, who hands it in. */
void layout_scalar(struct strbuf *buf, const struct layout_item *item, unsigned indent, const struct layout_note *line);

/* A text on one line, in quotes where it needs them. */
void layout_text(struct strbuf *buf, const char *text);

/* A whole number as decimal, so that all readers take it for the same. */
void layout_integer(struct strbuf *buf, const struct layout_item *item);

/* Prints one document. first: it is the first of the file, and begins without dashes unless it had them. */
void layout_print(struct strbuf *buf, struct layout_doc *doc, bool first);

void layout_print_json(struct strbuf *buf, const struct layout_doc *doc);
