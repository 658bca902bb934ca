/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of index.h: linear probing, at most three quarters full. */
#include <errno.h>
#include <string.h>

#include "index.h"

/* Eight bytes at a time, each folded in by a multiplication whose high half comes back down, as in FNV with wider steps. */
static uint32_t hash_bytes(const void *key, size_t size)
{
        const unsigned char *p = key;
        uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ size, word;

        for (; size >= sizeof(word); p += sizeof(word), size -= sizeof(word)) {
                memcpy(&word, p, sizeof(word));
                hash = (hash ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
                hash ^= hash >> 32;
        }
        word = 0;
        if (size > 0)
                memcpy(&word, p, size);
        hash = (hash ^ word) * UINT64_C(0x94d049bb133111eb);
        hash ^= hash >> 29;
        hash *= UINT64_C(0xbf58476d1ce4e5b9);
        return (uint32_t)(hash >> 32);
}

void str_index_fini(struct str_index *index)
{
        free(index->slots);
        *index = (struct str_index)STR_INDEX_INIT;
}

/* The slot that holds the key, or the free one where it belongs. */
static struct str_index_slot *find_slot(const struct str_index *index, const void *key, size_t size, uint32_t hash)
{
        size_t at = hash & (index->cap - 1);

        for (;; at = (at + 1) & (index->cap - 1)) {
                struct str_index_slot *slot = &index->slots[at];

                if (!slot->key)
                        return slot;
                if (slot->hash == hash && slot->size == size && (size == 0 || memcmp(slot->key, key, size) == 0))
                        return slot;
        }
}

static int grow(struct str_index *index)
{
        struct str_index bigger = {.cap = index->cap ? index->cap * 2 : 16, .len = index->len};
        size_t i;

        bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
        if (!bigger.slots)
                return -ENOMEM;
        for (i = 0; i < index->cap; i++) {
                const struct str_index_slot *slot = &index->slots[i];

                if (slot->key)
                        *find_slot(&bigger, slot->key, slot->size, slot->hash) = *slot;
        }
        free(index->slots);
        *index = bigger;
        return 0;
}

int str_index_put(struct str_index *index, const void *key, size_t size, uint32_t value)
{
        uint32_t hash = hash_bytes(key, size);
        struct str_index_slot *slot;
        int r;

        if (size > UINT32_MAX)
                return -ENOMEM;
        if ((index->len + 1) > index->cap / 4 * 3) {
                r = grow(index);
                if (r < 0)
                        return r;
        }
        slot = find_slot(index, key, size, hash);
        if (!slot->key)
                index->len++;
        *slot = (struct str_index_slot){.key = key, .size = (uint32_t)size, .hash = hash, .value = value};
        return 0;
}

const void *str_index_key(const struct str_index *index, const void *key, size_t size)
{
        return index->len > 0 ? find_slot(index, key, size, hash_bytes(key, size))->key : NULL;
}

bool str_index_get(const struct str_index *index, const void *key, size_t size, uint32_t *ret)
{
        const struct str_index_slot *slot;

        if (index->len == 0)
                return false;
        slot = find_slot(index, key, size, hash_bytes(key, size));
        if (!slot->key)
                return false;
        *ret = slot->value;
        return true;
}
