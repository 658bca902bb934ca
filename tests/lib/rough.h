/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document as some author might have written it: any order of keys, blocks and brackets, quotes and comments, anchors,
 * empty lines and odd indentation, all by chance. What it says is that of the tree it is made from, with annotations
 * of hard texts added to every metadata. */
#pragma once

#include <stddef.h>

#include <vethwall/doc.h>
#include <vethwall/strbuf.h>

#include "rng.h"

struct rough {
        struct strbuf *buf;
        struct rng rng;
        struct arena *arena;
        bool comments;  /* write some */
        bool order;     /* shuffle keys */
        size_t written; /* comments so far */
        unsigned block; /* how far the text above is indented, where it is a block; else 0 */
        const struct doc_node *anchors[8];
        size_t anchors_len;
};

/* Appends one document, beginning with dashes. 0 or -ENOMEM. */
int rough_doc(struct rough *rough, const struct doc_node *root);
