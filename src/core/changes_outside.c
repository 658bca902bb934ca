/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes between a kind and the outside, range by range. */
#include <errno.h>
#include <string.h>

#include "changes_internal.h"

/* The outside of a kind, in each of the worlds. */
struct outsides {
        size_t worlds;
        const struct world_range *ranges[CHANGE_WORLDS];
        struct world_range whole[CHANGE_WORLDS]; /* where nothing judges */
        size_t len[CHANGE_WORLDS], at[CHANGE_WORLDS];
};

/* Ranges come in order, so one that goes on ended just before this. */
static bool join_part(struct change_draft *draft, const struct change_part *part)
{
        for (size_t i = 0; i < draft->parts_len; i++) {
                struct change_part *last = &draft->parts[i];
                struct addr next = last->range.last;

                if (last->reason != part->reason || last->conns != part->conns || !addr_next(&next) ||
                    !addr_equal(&next, &part->range.first))
                        continue;
                last->range.last = part->range.last;
                return true;
        }

        return false;
}

/* What becomes of a range of the outside on which no profile changes. */
static int draft_add_range(struct change_draft *draft, struct changes *changes, const struct change_shift *shift,
                           const struct addr_range *range, enum direction d)
{
        struct change_end *outside = d == DIR_EGRESS ? &draft->change.dst : &draft->change.src;
        struct change_end src = draft->change.src, dst = draft->change.dst;
        int r;

        if (draft->change.conns[CHANGE_OLD] != shift->conns[CHANGE_OLD] ||
            draft->change.conns[CHANGE_NEW] != shift->conns[CHANGE_NEW]) {
                r = change_draft_finish(draft, changes);
                if (r < 0)
                        return r;

                change_draft_start(draft, &src, &dst);
                outside->range.first = range->first;
                memcpy(draft->change.conns, shift->conns, sizeof(shift->conns));
        }
        outside->range.last = range->last;

        for (size_t i = 0; i < shift->parts_len; i++) {
                struct change_part part = shift->parts[i];

                part.range = *range;
                if (join_part(draft, &part))
                        continue;

                r = change_draft_add_part(draft, &part);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int find_ranges(struct change_build *build, size_t w, enum direction d, size_t kind, enum addr_family family,
                       struct outsides *outsides)
{
        struct world *world = build->worlds[w];
        const struct endpoint *endpoint = changes_member(build, kind, world_side(w));
        uint32_t class = UINT32_MAX;

        if (endpoint)
                class = world_class(world, d, (size_t)(endpoint - world_inventory(world)->endpoints));
        if (class != UINT32_MAX)
                return world_outside(world, d, class, family, &outsides->ranges[w], &outsides->len[w]);

        outsides->whole[w] = (struct world_range){
                {addr_lowest(family), addr_highest(family)},
                endpoint ? build->open : build->absent,
        };
        outsides->ranges[w] = &outsides->whole[w];
        outsides->len[w] = 1;
        return 0;
}

static int outside_shift(struct change_build *build, const struct outsides *outsides, enum direction d,
                         const struct change_shift **ret)
{
        int r;

        for (size_t w = 0; w < outsides->worlds; w++) {
                const struct profile *profile = outsides->ranges[w][outsides->at[w]].profile;
                const struct profile *other = profile == build->absent ? build->absent : build->open;

                build->ways[w].len = 0;
                r = change_ways_add(&build->ways[w], d == DIR_EGRESS ? profile : other,
                                    d == DIR_EGRESS ? other : profile, 0, 0);
                if (r < 0)
                        return r;
        }

        return changes_shift(build, build->ways, outsides->worlds, ret);
}

/* The end of the cell that begins where all lists are: the nearest end of a range. */
static struct addr cell_end(const struct outsides *outsides)
{
        struct addr last = outsides->ranges[0][outsides->at[0]].range.last;

        for (size_t w = 1; w < outsides->worlds; w++) {
                const struct addr *other = &outsides->ranges[w][outsides->at[w]].range.last;

                if (addr_cmp(other, &last) < 0)
                        last = *other;
        }

        return last;
}

/* Moves on behind the cell. False at the end of the addresses. */
static bool next_cell(struct outsides *outsides, struct addr_range *cell)
{
        for (size_t w = 0; w < outsides->worlds; w++)
                outsides->at[w] += addr_equal(&outsides->ranges[w][outsides->at[w]].range.last, &cell->last);

        cell->first = cell->last;
        return addr_next(&cell->first);
}

/* Walks all lists of ranges at once. */
static int compare_outside(struct change_build *build, struct change_draft *draft, enum direction d, size_t kind,
                           enum addr_family family)
{
        const struct change_end inside = {.kind = kind}, outside = {.outside = true};
        struct addr_range cell = {.first = addr_lowest(family)};
        struct outsides outsides = {.worlds = build->moved[kind] ? build->worlds_len : CHANGE_SIDE_MAX};
        const struct change_shift *shift;
        int r;

        for (size_t w = 0; w < outsides.worlds; w++) {
                r = find_ranges(build, w, d, kind, family, &outsides);
                if (r < 0)
                        return r;
        }

        change_draft_start(draft, d == DIR_EGRESS ? &inside : &outside, d == DIR_EGRESS ? &outside : &inside);
        do {
                cell.last = cell_end(&outsides);
                r = outside_shift(build, &outsides, d, &shift);
                if (r == 0)
                        r = draft_add_range(draft, build->changes, shift, &cell, d);
                if (r < 0)
                        return r;
        } while (next_cell(&outsides, &cell));

        return change_draft_finish(draft, build->changes);
}

int changes_outside(struct change_build *build, struct change_draft *draft, enum direction d, size_t kind)
{
        int r = 0;

        for (enum addr_family family = 0; r == 0 && family < ADDR_FAMILY_MAX; family++)
                r = compare_outside(build, draft, d, kind, family);

        return r;
}
