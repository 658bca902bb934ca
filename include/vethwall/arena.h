/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that lives and dies together: a policy set, an inventory, a ruleset each own one arena, and
 * every string and array inside them is allocated from it and never freed on its own. */
#pragma once

#include <stddef.h>

#include <vethwall/base.h>

struct arena;

/* Returns NULL when memory is exhausted. */
struct arena *arena_new(void);

/* Frees the arena and everything allocated from it. NULL is fine. Returns NULL. */
struct arena *arena_free(struct arena *arena);
DEFINE_CLEANUP(struct arena *, arena_free)

/* size bytes, zeroed, aligned for any type; NULL when memory is exhausted. A size of 0 gives a valid,
 * unusable pointer. */
void *arena_alloc(struct arena *arena, size_t size);

/* len objects of size bytes, zeroed; NULL on overflow or when memory is exhausted. */
void *arena_array(struct arena *arena, size_t len, size_t size);

/* Copies; NULL when memory is exhausted. The text of arena_strndup() is NUL-terminated. */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_printf(struct arena *arena, const char *fmt, ...) _printf_(2, 3);

/* Bytes held, for the agent's own metrics and for tests. */
size_t arena_size(const struct arena *arena);

/* Grows a heap array (not an arena's) so that it holds at least need elements of size bytes:
 *     r = array_reserve(&items, &cap, len + 1, sizeof(*items));
 * Returns 0 or -ENOMEM, the array unchanged. The new space is not zeroed. */
int array_reserve(void *items, size_t *cap, size_t need, size_t size);
