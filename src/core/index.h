/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An index from byte strings to numbers: an open-addressing hash table, private to the core. Keys are borrowed and
 * must stay in place and unchanged as long as the index is used. Iteration is not offered, so that no result can
 * depend on the table's order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/base.h>

struct str_index_slot {
        const void *key; /* NULL: free */
        uint32_t size;
        uint32_t hash;
        uint32_t value;
};

struct str_index {
        struct str_index_slot *slots; /* owned; a power of two of them */
        size_t cap;
        size_t len;
};

#define STR_INDEX_INIT                                                                                                 \
        {                                                                                                              \
                NULL, 0, 0                                                                                             \
        }

void str_index_fini(struct str_index *index);

/* Sets the value of a key, whether it is there or not; key is not NULL. 0 or -ENOMEM, the index then unchanged. */
int str_index_put(struct str_index *index, const void *key, size_t size, uint32_t value);

/* The key as it was put, or NULL: for keeping one copy of equal texts. */
const void *str_index_key(const struct str_index *index, const void *key, size_t size);

/* False where the key is not there; *ret is then unchanged. */
bool str_index_get(const struct str_index *index, const void *key, size_t size, uint32_t *ret);
