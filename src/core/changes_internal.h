/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The making of changes, shared by the files that do it.
 *
 * Theory of operation. Endpoints are of one kind where every world gives them one identity and no block of either policy
 * set cuts between their addresses; whatever becomes of one's flows becomes of the others'. Two kinds are compared only
 * where something that differs bears on them: a policy that selects one, by its content and not by its name or place, or
 * what the kind itself is. Then the sets that their profiles allow are compared, which are one object where they are
 * equal; and only for what is left, ports and rules are looked at: that is a shift, worked out once and remembered.
 *
 * Two inventories make four worlds, each policy set in each inventory. What two of them have to say of kinds that are the
 * same in both inventories is known from the other two. */
#pragma once

#include <vethwall/arena.h>
#include <vethwall/changes.h>
#include <vethwall/strbuf.h>

#include "index.h"

/* The worlds: the two that are compared come first and have the numbers of their sides. */
enum {
        CROSS_OLD = CHANGE_SIDE_MAX, /* old policies, new inventory */
        CROSS_NEW,                   /* new policies, old inventory */
        CHANGE_WORLDS,
};

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
        const struct change_part *parts; /* their ranges are not set; the arena of the changes has them */
        size_t parts_len;
};

/* The kinds to which a kind may say another thing than before. */
struct change_reach {
        bool whole;    /* all */
        size_t *kinds; /* ascending */
        size_t len;
};

/* The sets that the profiles of a world allow, by the profiles' numbers. */
struct profile_conns {
        const struct conns **items; /* owned; NULL: not asked yet */
        size_t cap;
};

struct change_build {
        struct changes *changes;
        struct arena *arena; /* of the build alone */
        struct world *worlds[CHANGE_WORLDS];
        size_t worlds_len; /* CHANGE_WORLDS or, where there is one inventory, CHANGE_SIDE_MAX */
        struct world *owned[CHANGE_WORLDS];
        struct profile *open;   /* of what no policy judges: allows everything */
        struct profile *absent; /* of what is not there */
        const struct conns *everything, *nothing;
        struct profile_conns conns[CHANGE_SIDE_MAX];

        const bool *wanted;                  /* per endpoint of the one inventory; NULL: all of them */
        bool *moved;                         /* per kind: it is not the same on both sides */
        bool *touched[DIR_MAX];              /* per kind: other policies select it, by their content */
        struct change_reach *reach[DIR_MAX]; /* per kind */

        const struct change_shift **shifts; /* owned; the objects are the build arena's */
        size_t shifts_len, shifts_cap;
        struct str_index shift_index;
        struct str_index reason_index;
        struct strbuf key; /* scratch */

        struct change_ways ways[CHANGE_WORLDS]; /* scratch */
};

/* A change in the making: its parts grow on the heap. */
struct change_draft {
        struct change change;
        const struct change_shift *only; /* the one shift that it is made of, or NULL */
        struct change_part *parts;       /* owned */
        size_t parts_len, parts_cap;
        struct change_pair *pairs; /* owned */
        size_t pairs_len, pairs_cap;
        bool apart; /* some address pair differs from another */
};

/* Which inventory a world has. */
static inline enum change_side world_side(size_t world)
{
        return world == CHANGE_OLD || world == CROSS_NEW ? CHANGE_OLD : CHANGE_NEW;
}

/* Fills changes->parties and kinds. 0 or -ENOMEM. */
int changes_find_kinds(struct change_build *build);

/* Fills moved, touched and reach, after the kinds. 0 or -ENOMEM. */
int changes_find_touched(struct change_build *build);

/* Fills reach, with the contents of the policies. 0 or -ENOMEM. */
int changes_find_reach(struct change_build *build, uint32_t *const contents[static CHANGE_SIDE_MAX]);

/* The kind's endpoint on a side: its first member's, or NULL where it is not there. */
const struct endpoint *changes_member(const struct change_build *build, size_t kind, enum change_side side);

/* The number of its policies' content, for each policy of both sets: equal where they mean the same, whatever their names
 * and places. The arrays are the arena's. 0 or -ENOMEM. */
int changes_policy_contents(struct arena *arena, const struct policy_set *const sets[static CHANGE_SIDE_MAX],
                            uint32_t *ret[static CHANGE_SIDE_MAX]);

/* Whether two rules mean the same. */
bool changes_same_rule(const struct rule *a, const struct rule *b);

/* As changes_new(), of worlds of one inventory, but only what has an end that is wanted, by its place in the inventory. */
int changes_new_of(struct changes **ret, struct world *old, struct world *new, const bool *wanted);

/* ways is one list for each of the first worlds, the two sides at least: without the others it is the policies that turn
 * things. 0 or -ENOMEM. */
int changes_shift(struct change_build *build, const struct change_ways *ways, size_t worlds,
                  const struct change_shift **ret);
int change_ways_add(struct change_ways *ways, const struct profile *egress, const struct profile *ingress, size_t src,
                    size_t dst);

/* What a profile of a side's world allows. 0 or -ENOMEM. */
int changes_conns(struct change_build *build, enum change_side side, const struct profile *profile,
                  const struct conns **ret);

void change_draft_fini(struct change_draft *draft);
void change_draft_start(struct change_draft *draft, const struct change_end *src, const struct change_end *dst);
int change_draft_add_part(struct change_draft *draft, const struct change_part *part);
int change_draft_add_shift(struct change_draft *draft, struct matrix *sets, const struct change_shift *shift,
                           size_t src, size_t dst);

/* Adds the change to the list, if it is one. */
int change_draft_finish(struct change_draft *draft, struct changes *changes);

/* A kind and the outside, in a direction. */
int changes_outside(struct change_build *build, struct change_draft *draft, enum direction d, size_t kind);
