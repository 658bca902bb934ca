/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A YAML or JSON file as a tree in which every node knows its place, and the readers that turn a mapping
 * into a struct with every mistake reported. Policies, inventories and the agent's configuration are all
 * read through it, so they refuse the same things with the same words.
 *
 * Refused while parsing: what libyaml refuses, duplicate keys, merge keys, non-scalar keys, text that is
 * not UTF-8, and files beyond the limits below. Scalars are typed as YAML 1.1 does it (Kubernetes' reader):
 * a bare yes, on, 010 or 1.0 is no string. Aliases are resolved and their expansion counts as nodes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/arena.h>
#include <vethwall/diag.h>

#define DOC_SIZE_MAX (8u << 20) /* bytes of one file */
#define DOC_DEPTH_MAX 64        /* nested collections */
#define DOC_NODES_MAX 400000u   /* nodes of one file, aliases expanded */
#define DOC_REPORTS_MAX 100     /* messages about one file that are kept; of the others only the number counts */

enum doc_kind {
        DOC_NULL,
        DOC_BOOL,
        DOC_INT,
        DOC_FLOAT,
        DOC_STRING,
        DOC_LIST,
        DOC_MAP,
        DOC_KIND_MAX,
};

struct doc_pair;
struct doc_mark;

/* Which members are there depends on the kind: look at it first. */
struct doc_node {
        enum doc_kind kind;
        unsigned line, col; /* 1-based; col in characters */
        unsigned end_col;   /* one past a scalar's last character on the same line; 0: unknown */
        union {
                const char *text;        /* scalars: the text, NUL-terminated (no NUL inside: that is refused) */
                struct doc_node **items; /* DOC_LIST */
                struct doc_pair *pairs;  /* DOC_MAP */
        };
        union {
                int64_t integer; /* DOC_INT; saturates */
                bool boolean;    /* DOC_BOOL */
                size_t len;      /* of items or pairs */
        };
};

struct doc_pair {
        struct doc_node *key; /* a scalar */
        struct doc_node *value;
};

/* One parsed file; what it points to lives in the arena and in the caller's bytes. */
struct doc_file {
        const char *name;
        const char *bytes; /* borrowed; for the source lines in messages */
        size_t size;
        struct doc_node **docs; /* the documents that are not empty */
        size_t docs_len;
        struct diag_list *diags; /* borrowed */
        size_t reports;          /* messages so far */
        bool oom;                /* set when a message could not be stored */
        struct doc_mark *marks;  /* places in bytes, at even distances, to find a line from */
        size_t marks_len;
};

/* Parses all documents. Errors go to diags; the documents before a syntax error are kept, so that their own
 * errors are found too. 0 (look at diags->errors) or -ENOMEM. name, bytes and diags are borrowed by *ret. */
int doc_parse(struct doc_file *ret, struct arena *arena, const char *name, const char *bytes, size_t size,
              struct diag_list *diags);

/* The value of a key, or NULL. node may be of any kind. */
struct doc_node *doc_get(const struct doc_node *node, const char *key);

/* An error (or other severity) at a node, with its source line and caret. rule and hint may be NULL. */
void doc_diag(struct doc_file *file, const struct doc_node *node, enum diag_severity severity, const char *rule,
              const char *hint, const char *fmt, ...) _printf_(6, 7);

/* Reports every key of the mapping that is not among the len names (VW003, with "did you mean"), or, where
 * node is no mapping, that (VW004). what names the mapping for people ("spec", "an ingress rule").
 * Returns false if node is no mapping. */
bool doc_check_fields(struct doc_file *file, const struct doc_node *node, const char *what, const char *const *names,
                      size_t len);

/* Typed reads of a key's value. A value of the wrong type is reported (VW004) with the remedy; absent and null
 * count as not there. Return true and set *ret only where a value of the right type is there. */
bool doc_get_string(struct doc_file *file, const struct doc_node *node, const char *key, const char **ret);
bool doc_get_int(struct doc_file *file, const struct doc_node *node, const char *key, int64_t min, int64_t max,
                 int64_t *ret);
bool doc_get_bool(struct doc_file *file, const struct doc_node *node, const char *key, bool *ret);
bool doc_get_list(struct doc_file *file, const struct doc_node *node, const char *key, struct doc_node **ret);
bool doc_get_map(struct doc_file *file, const struct doc_node *node, const char *key, struct doc_node **ret);

const char *doc_kind_name(enum doc_kind kind); /* "a string", "a list", ... */

/* A text of the user's for use in a message: shortened where it is long. Returns buf. */
#define DOC_SHOWN_MAX 80
const char *doc_shown(const char *text, char buf[static DOC_SHOWN_MAX]);

/* The text of a line for a message, NUL-terminated and shortened around col where it is long; *ret_col is the column that it
 * begins at. The caller frees *ret, which is NULL where there is no such line. 0 or -ENOMEM. */
int doc_source(const struct doc_file *file, unsigned line, unsigned col, char **ret, unsigned *ret_col);

/* The nearest of the names within a third of its length in edits, or NULL. */
const char *doc_nearest(const char *word, const char *const *names, size_t len);
