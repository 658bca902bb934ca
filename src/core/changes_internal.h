/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The making of changes, shared by the files that do it.
 *
 * Theory of operation. Endpoints are of one kind where both worlds give them one identity and no block of either cuts
 * between their addresses; whatever becomes of one's flows becomes of the others'. What becomes of a flow depends on four
 * profiles alone, egress and ingress before and after: that is a shift, worked out once and remembered. So thousands of
 * endpoints of some hundred kinds are some ten thousand look-ups. */
#pragma once

#include <vethwall/arena.h>
#include <vethwall/changes.h>
#include <vethwall/strbuf.h>

#include "index.h"

/* One way in which two ends meet: the profiles of the source's egress and the destination's ingress, and under which of
 * their addresses. */
struct change_way {
        const struct profile *profiles[DIR_MAX];
        size_t src, dst;
};

struct change_ways {
        struct change_way *items; /* owned */
        size_t len, cap;
};

/* What becomes of flows that could meet in any of the old ways, and now can in any of the new. */
struct change_shift {
        const struct conns *conns[CHANGE_SIDE_MAX];
        const struct change_part *parts; /* their ranges are not set */
        size_t parts_len;
};

struct change_build {
        struct changes *changes;
        struct arena *arena; /* of the build alone */
        struct world *worlds[CHANGE_SIDE_MAX];
        struct profile *open;   /* of what no policy judges: allows everything */
        struct profile *absent; /* of what is not there */

        const struct profile ***rows[CHANGE_SIDE_MAX][DIR_MAX]; /* per class: per slot; NULL: not asked yet */
        size_t *slots[CHANGE_SIDE_MAX]; /* per kind: its first slot, one for each address; one more for the end */

        const struct change_shift **shifts; /* owned; the objects are the build arena's */
        size_t shifts_len, shifts_cap;
        struct str_index shift_index;
        struct str_index reason_index;
        struct strbuf key; /* scratch */
};

/* Fills changes->parties and kinds. 0 or -ENOMEM. */
int changes_find_kinds(struct change_build *build);

/* 0 or -ENOMEM. */
int changes_shift(struct change_build *build, const struct change_ways ways[static CHANGE_SIDE_MAX],
                  const struct change_shift **ret);
int change_ways_add(struct change_ways *ways, const struct profile *egress, const struct profile *ingress, size_t src,
                    size_t dst);

/* The kind's endpoint on a side: its first member's, or NULL where it is not there. */
const struct endpoint *changes_member(const struct change_build *build, size_t kind, enum change_side side);
