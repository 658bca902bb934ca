/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the document reader share: doc.c parses, doc_text.c knows bytes, lines and scalars, doc_read.c serves
 * those who read the tree. Private to the core. */
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

/* Checks that all bytes are text that YAML allows, and sets file->marks on the way. 0, -EINVAL (reported), or
 * -ENOMEM. */
int doc_scan(struct doc_file *file, struct arena *arena);

/* Types a plain scalar as YAML 1.1 does it (the resolver of sigs.k8s.io/yaml) and sets kind, and integer or boolean. */
void doc_type_plain(struct doc_node *node);

/* doc_diag() at a place that has no node. */
void doc_diag_at(struct doc_file *file, unsigned line, unsigned col, const char *rule, const char *hint,
                 const char *fmt, ...) _printf_(6, 7);

/* doc_check_fields() with hints of the caller's for fields that are not known: hint returns one, or NULL where the general
 * one will do. */
bool doc_check_fields_hinting(struct doc_file *file, const struct doc_node *node, const char *what,
                              const char *const *names, size_t len, const char *(*hint)(const char *field));

/* Reports (VW004) a value that is no string: what "key" is what it is the value of (a label, "app"). */
bool doc_is_text(struct doc_file *file, const struct doc_node *node, const char *what, const char *key);

/* The value in a mapping of texts; NULL and reported where key or value is none. */
const char *doc_pair_text(struct doc_file *file, const struct doc_pair *pair, const char *what);

/* Asks for the nearest of the names, or says otherwise where none is near. Returns buf. */
#define DOC_HINT_MAX 160
const char *doc_hint_nearest(char buf[static DOC_HINT_MAX], const char *word, const char *const *names, size_t len,
                             const char *otherwise);
