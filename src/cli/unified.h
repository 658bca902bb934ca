/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference of two texts, line by line, as patch(1) takes it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/strbuf.h>

/* Appends the unified difference with three lines around each change; nothing where the texts are the same. In colour it is
 * for a terminal, and cleaned. 0 or -ENOMEM. */
int unified_diff(struct strbuf *buf, const char *name, const char *old, size_t old_size, const char *new,
                 size_t new_size, bool colour);
