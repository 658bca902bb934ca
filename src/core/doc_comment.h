/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The comments of a YAML file, exactly: what libyaml passes over as such, and no "#" inside a text, be it plain, in
 * quotes or a block. Private to the core. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "doc_private.h"

struct doc_comment {
        unsigned line, col; /* of the "#", as a node's */
        size_t offset;      /* of the "#" in the file's bytes */
        size_t size;        /* up to the end of the line, white space there left out */
        bool alone;         /* nothing but white space stands before it on its line */
};

/* All comments in the order of the file, as far as the events go. *ret lives in the arena. 0 or -ENOMEM. */
int doc_comments(const struct doc_file *file, const struct doc_events *events, struct arena *arena,
                 struct doc_comment **ret, size_t *ret_len);

/* The same for bytes that are not parsed yet, as text in the arena that a comment's offset is in too; of a file with
 * mistakes, which are not reported, the comments before the first one. 0 or -ENOMEM. */
int doc_comments_of(const char *bytes, size_t size, struct arena *arena, const char **ret_text,
                    struct doc_comment **ret, size_t *ret_len);
