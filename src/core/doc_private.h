/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the document reader share: doc.c parses, doc_text.c knows bytes, lines and scalars, doc_read.c serves
 * those who read the tree, doc_comment.c finds what the tree leaves out. Private to the core. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/doc.h>

/* A place in the bytes, for finding others from. */
struct doc_mark {
        size_t offset;
        unsigned line, col;
};

/* The file as it is written, one event after the other: for those who must know more than the tree does. */
enum doc_event_type {
        DOC_EVENT_DOCUMENT,     /* the three dashes, or the place where a document begins without them */
        DOC_EVENT_DOCUMENT_END, /* the three dots, or the place where the next token is */
        DOC_EVENT_SCALAR,
        DOC_EVENT_ALIAS,
        DOC_EVENT_BEGIN, /* of a collection: its node says which */
        DOC_EVENT_END,   /* of the innermost one */
};

enum doc_style {
        DOC_PLAIN,
        DOC_SINGLE_QUOTED,
        DOC_DOUBLE_QUOTED,
        DOC_LITERAL, /* | */
        DOC_FOLDED,  /* > */
        DOC_BLOCK,   /* collections: by indentation */
        DOC_FLOW,    /* collections: in brackets */
};

struct doc_event {
        enum doc_event_type type;
        enum doc_style style;  /* scalars and collections */
        bool tagged;           /* a tag was written */
        unsigned line, col;    /* where it begins, an anchor and a tag included */
        unsigned end_line;     /* where it ends */
        size_t offset, end;    /* the same in bytes; a collection's END has where it ends */
        const char *anchor;    /* the name, or NULL */
        struct doc_node *node; /* scalars, collections' BEGIN and aliases: what it is or stands for */
};

struct doc_events {
        struct doc_event *items; /* owned */
        size_t len, cap;
        bool complete; /* to the end of the file */
};

void doc_events_fini(struct doc_events *events);

/* Turns offset and end from characters into bytes of the file. */
void doc_place_events(const struct doc_file *file, struct doc_events *events);

/* doc_parse(), keeping what was read in events, which the caller initialises with zero and frees. Where the file has
 * errors, they go as far as the first of them. */
int doc_parse_events(struct doc_file *ret, struct arena *arena, const char *name, const char *bytes, size_t size,
                     struct diag_list *diags, struct doc_events *events);

/* Moves over one character of size bytes: lines and columns as libyaml counts them. */
void doc_advance(const struct doc_file *file, struct doc_mark *mark, size_t size, uint32_t code);

/* A file before it is scanned. A byte order mark is no part of the text. */
void doc_file_init(struct doc_file *file, const char *name, const char *bytes, size_t size, struct diag_list *diags);

/* Checks that all bytes are text that YAML allows, and sets file->marks on the way. 0, -EINVAL (reported), or
 * -ENOMEM. */
int doc_scan(struct doc_file *file, struct arena *arena);

/* Types a plain scalar as YAML 1.1 does it (the resolver of sigs.k8s.io/yaml) and sets kind, and integer or boolean. */
void doc_type_plain(struct doc_node *node);

/* Whether two trees hold the same values, lists in the same order. arena is for the work. 0 or -ENOMEM. */
int doc_compare(struct arena *arena, const struct doc_node *a, const struct doc_node *b, bool *ret);

/* What libyaml says of a text that is none, and where; context may be NULL. */
struct doc_problem {
        const char *problem, *context;
        unsigned line, col;
        unsigned context_line, context_col;
};

void doc_report_problem(struct doc_file *file, const struct doc_problem *problem);

/* doc_diag() at a place that has no node. */
void doc_diag_at(struct doc_file *file, unsigned line, unsigned col, const char *rule, const char *hint,
                 const char *fmt, ...) _printf_(6, 7);

/* doc_diag() of an error that speaks of another node of the file too; what says what that is. */
void doc_diag_twice(struct doc_file *file, const struct doc_node *node, const char *rule, const char *hint,
                    const struct doc_node *other, const char *what, const char *fmt, ...) _printf_(7, 8);

/* doc_check_fields() with hints of the caller's for fields that are not known: hint returns one, or NULL where the general
 * one will do. */
bool doc_check_fields_hinting(struct doc_file *file, const struct doc_node *node, const char *what,
                              const char *const *names, size_t len, const char *(*hint)(const char *field));

/* Reports (VW004) a value that is no string: what "key" is what it is the value of (a label, "app"). */
bool doc_is_text(struct doc_file *file, const struct doc_node *node, const char *what, const char *key);

/* The value in a mapping of texts; NULL and reported where key or value is none. */
const char *doc_pair_text(struct doc_file *file, const struct doc_pair *pair, const char *what);

#define DOC_HINT_MAX 160

/* What word processors leave behind, quotes and spaces that are none: true, and the hint in buf, where text holds any. */
bool doc_hint_character(char buf[static DOC_HINT_MAX], const char *text);

/* Asks for the nearest of the names, or says otherwise where none is near. Returns buf. */
const char *doc_hint_nearest(char buf[static DOC_HINT_MAX], const char *word, const char *const *names, size_t len,
                             const char *otherwise);
