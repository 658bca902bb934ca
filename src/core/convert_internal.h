/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of converting share: convert.c knows objects and sets, convert_rule.c rules. Private to the core. */
#pragma once

#include <vethwall/policy.h>

#include "layout.h"

struct convert {
        struct layout *layout;
        struct arena *arena;
        size_t count; /* policies converted */
};

/* A new item, empty where it is a collection; NULL when memory is exhausted. key may be NULL. */
struct layout_item *convert_new(struct convert *c, const char *key, enum doc_kind kind, const char *text);

/* Replaces every alias by a copy of what it stands for, and forgets the anchors. 0 or -ENOMEM. */
int convert_expand(struct convert *c, struct layout_item *item);

/* The rules of one direction. What has no word in v1alpha2 is reported. 0 or -ENOMEM. */
int convert_rules(struct convert *c, struct layout_item *rules, enum direction direction);

/* An error at an item. */
#define convert_refuse(c, item, hint, ...)                                                                             \
        doc_diag_at(&(c)->layout->file, (item)->line_no, (item)->col, "VW409", hint, __VA_ARGS__)
