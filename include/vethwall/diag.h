/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with the user's input, and where. Diagnostics are collected, never printed at the point
 * of failure, so that one run reports all of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/base.h>

struct strbuf;

enum diag_severity {
        DIAG_ERROR,
        DIAG_WARNING,
        DIAG_INFO,
        DIAG_SEVERITY_MAX,
};

/* Another place that a diagnostic speaks of. */
struct diag_place {
        char *file;         /* owned */
        unsigned line, col; /* 1-based, col in characters */
        unsigned end_col;   /* as in struct diag, and the next three */
        char *message;      /* owned; what stands there, or what it does */
        char *source;       /* owned */
        unsigned source_col;
};

struct diag {
        enum diag_severity severity;
        const char *rule;          /* stable id ("VW003"); static storage, or NULL */
        char *file;                /* owned; NULL where no file is concerned */
        unsigned line;             /* 1-based; 0: the whole file */
        unsigned col;              /* 1-based, in characters; 0: the whole line */
        unsigned end_col;          /* one past the last character, on the same line; 0: unknown */
        char *message;             /* owned; one line, no final stop */
        char *hint;                /* owned; the remedy, one line; or NULL */
        char *source;              /* owned; the text of the line, shortened around col where it is long; or NULL */
        char *witness;             /* owned; a flow that shows it, as the operands of vethwall explain; or NULL */
        unsigned source_col;       /* the column that source begins at; 0 or 1 where nothing is left out before it */
        struct diag_place *places; /* owned */
        size_t places_len;
        char *reason; /* owned; why the files tell to leave it out; or NULL, and it is told */
};

struct diag_list {
        struct diag *items; /* owned */
        size_t len;
        size_t cap;
        size_t errors;                   /* number of errors, those dropped included */
        size_t dropped;                  /* items counted and not kept */
        bool settled[DIAG_SEVERITY_MAX]; /* the list is full, and nothing in it is less severe than this */
};

#define DIAG_LIST_INIT                                                                                                 \
        {                                                                                                              \
                NULL, 0, 0, 0, 0,                                                                                      \
                {                                                                                                      \
                        0                                                                                              \
                }                                                                                                      \
        }

/* A hostile file cannot make the list grow without bound: past this many items only the number counts, of the least severe
 * ones first. */
#define DIAG_LIST_MAX 1000

void diag_list_fini(struct diag_list *list);

/* Appends a diagnostic. where gives everything but the message, all copied (its texts may be NULL, those of its places but
 * for source not); the message is fmt. 0 or -ENOMEM. */
int diag_add(struct diag_list *list, const struct diag *where, const char *fmt, ...) _printf_(3, 4);

/* Whether one of this severity would be kept. Where the list is full the last of the least severe ones gives way to one
 * that is more severe: it is dropped. */
bool diag_make_room(struct diag_list *list, enum diag_severity severity);

/* Counts a diagnostic of which nothing is kept. */
void diag_drop(struct diag_list *list, enum diag_severity severity);

/* By file, line, column, then message; stable for equal input. */
void diag_list_sort(struct diag_list *list);

const char *diag_severity_name(enum diag_severity severity);

/* One diagnostic:
 *     FILE:LINE:COL: error: MESSAGE [VW003]
 *       12 |   podSelectr: {}
 *          |   ^~~~~~~~~~
 *       help: HINT
 *       seen by: vethwall explain WITNESS
 *     FILE:LINE:COL: note: MESSAGE, and its line: every other place
 * With colour, severity and caret carry ANSI sequences. */
void diag_format(struct strbuf *buf, const struct diag *diag, bool colour);

/* All of them, with a closing line "2 errors, 1 warning". Nothing for an empty list. */
void diag_list_format(struct strbuf *buf, const struct diag_list *list, bool colour);

/* The same, and the closing line counts those that were left out as the files tell: "1 warning, 3 suppressed". */
void diag_list_format_beside(struct strbuf *buf, const struct diag_list *list, size_t suppressed, bool colour);
