/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bump allocator over a list of growing chunks. Chunks come zeroed from calloc(), which for the large ones costs
 * nothing until they are touched; so no allocation clears memory again. */
#include <errno.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/arena.h>

#define CHUNK_MIN ((size_t)1 << 12)
#define CHUNK_MAX ((size_t)1 << 18)

struct chunk {
        struct chunk *next;
        size_t size; /* bytes in data */
        size_t used;
        alignas(max_align_t) char data[];
};

struct arena {
        struct chunk *chunks; /* the first one is the one being filled */
        size_t next_size;
        size_t held;
};

struct arena *arena_new(void)
{
        struct arena *arena = calloc(1, sizeof(*arena));

        if (arena)
                arena->next_size = CHUNK_MIN;
        return arena;
}

struct arena *arena_free(struct arena *arena)
{
        struct chunk *chunk, *next;

        if (!arena)
                return NULL;
        for (chunk = arena->chunks; chunk; chunk = next) {
                next = chunk->next;
                free(chunk);
        }
        free(arena);
        return NULL;
}

/* What is large against a chunk gets one of its own, behind the one being filled, so that the rest of that is not
 * lost. */
static struct chunk *add_chunk(struct arena *arena, size_t need)
{
        bool own = need > arena->next_size / 4;
        size_t size = own ? need : arena->next_size;
        struct chunk *chunk;

        if (size > SIZE_MAX - sizeof(*chunk))
                return NULL;
        chunk = calloc(1, sizeof(*chunk) + size);
        if (!chunk)
                return NULL;
        chunk->size = size;
        arena->held += sizeof(*chunk) + size;

        if (own && arena->chunks) {
                chunk->next = arena->chunks->next;
                arena->chunks->next = chunk;
        } else {
                chunk->next = arena->chunks;
                arena->chunks = chunk;
        }
        if (!own && arena->next_size < CHUNK_MAX)
                arena->next_size *= 2;
        return chunk;
}

static void *take(struct arena *arena, size_t size, size_t align)
{
        struct chunk *chunk = arena->chunks;
        size_t start = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;
        void *ret;

        if (!chunk || start > chunk->size || size > chunk->size - start) {
                chunk = add_chunk(arena, size);
                if (!chunk)
                        return NULL;
                start = 0;
        }
        ret = chunk->data + start;
        chunk->used = start + size;
        return ret;
}

void *arena_alloc(struct arena *arena, size_t size)
{
        return take(arena, size, alignof(max_align_t));
}

void *arena_array(struct arena *arena, size_t len, size_t size)
{
        size_t total;

        if (__builtin_mul_overflow(len, size, &total))
                return NULL;
        return arena_alloc(arena, total);
}

char *arena_strdup(struct arena *arena, const char *text)
{
        return arena_strndup(arena, text, strlen(text));
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
        char *ret = len < SIZE_MAX ? take(arena, len + 1, 1) : NULL;

        if (ret && len > 0)
                memcpy(ret, text, len);
        return ret;
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
        void *ret = arena_alloc(arena, size);

        if (ret && size > 0)
                memcpy(ret, data, size);
        return ret;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
        va_list args;
        char *ret = NULL;
        int len;

        va_start(args, fmt);
        len = vsnprintf(NULL, 0, fmt, args);
        va_end(args);
        if (len >= 0)
                ret = take(arena, (size_t)len + 1, 1);
        if (!ret)
                return NULL;
        va_start(args, fmt);
        vsnprintf(ret, (size_t)len + 1, fmt, args);
        va_end(args);
        return ret;
}

size_t arena_size(const struct arena *arena)
{
        return arena->held;
}

int array_reserve(void *items, size_t *cap, size_t need, size_t size)
{
        size_t want = *cap < 8 ? 8 : *cap, total;
        void *moved;

        if (need <= *cap)
                return 0;
        while (want < need) {
                if (want > SIZE_MAX / 2)
                        return -ENOMEM;
                want *= 2;
        }
        if (__builtin_mul_overflow(want, size, &total))
                return -ENOMEM;
        moved = realloc(*(void **)items, total);
        if (!moved)
                return -ENOMEM;
        *(void **)items = moved;
        *cap = want;
        return 0;
}
