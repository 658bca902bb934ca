/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells: what some selectors can tell apart. Every set of labels that there could be is in exactly one cell, and all of one
 * cell are matched by the same selectors; a cell that no labels are in is not listed. Private to the core.
 *
 * Theory of operation. A selector is an AND over keys, and of a key only the values that some requirement names can be told
 * apart, besides "another value" and "absent". So the keys are taken one after the other, and of what has been chosen only
 * the selectors that can still match are remembered: as many states as there are sets of them, however many ways lead
 * there. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/arena.h>
#include <vethwall/labels.h>

/* A key that every set has, and of which some values are not free. */
struct cells_name {
        const char *key;
        const char *const *taken; /* sorted */
        size_t taken_len;
};

struct cell {
        uint32_t *matched;       /* a bit for each selector, in words of 32 */
        struct label_set labels; /* the plainest that is in it */
        struct selector fits;    /* whose labels fit this are in it; not always all that are */
};

struct cells {
        struct cell *items; /* the arena's */
        size_t len;
        bool bounded; /* there are more than were asked for */
};

static inline size_t cells_words(size_t selectors)
{
        return (selectors + 31) / 32;
}

static inline bool cells_bit(const uint32_t *words, size_t i)
{
        return words[i / 32] >> i % 32 & 1;
}

/* A selector that is NULL matches everything; name may be NULL. At most max cells. 0 or -ENOMEM. */
int cells_find(struct arena *arena, const struct selector *const *selectors, size_t len, const struct cells_name *name,
               size_t max, struct cells *ret);

/* Whether some set of labels matches both; NULL matches everything. */
bool selectors_meet(const struct selector *a, const struct selector *b);
