/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nft keeps with objects for itself, opaque to the kernel: comments, and what its listing needs to know. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/ruleset.h>

struct nlattr;

/* The kernel's own limit. */
#define USERDATA_MAX 256

/* Each fills buf and returns the bytes used; 0: no user data. */
size_t userdata_of_set(uint8_t buf[static USERDATA_MAX], const struct rs_set *set);
/* open: a range that reaches the highest key, so that no end follows it. */
size_t userdata_of_elem(uint8_t buf[static USERDATA_MAX], const struct rs_elem *elem, bool open);
size_t userdata_of_rule(uint8_t buf[static USERDATA_MAX], const struct rs_rule *rule);

/* The comment in a rule's or an element's user data (both number it alike), copied into the arena; NULL where there is
 * none, where it is longer than RS_COMMENT_MAX, or where the data make no sense. 0 or -ENOMEM. */
int userdata_comment(const struct nlattr *attr, struct arena *arena, const char **ret);
