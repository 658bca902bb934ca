/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference between two policy sets: every pair of kinds, and every kind and the outside, before and after. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "changes_internal.h"

/* A change in the making: its parts grow on the heap. */
struct draft {
        struct change change;
        struct change_part *parts; /* owned */
        size_t parts_len, parts_cap;
        struct change_pair *pairs; /* owned */
        size_t pairs_len, pairs_cap;
        bool apart; /* some address pair differs from another */
};

static void draft_fini(struct draft *draft)
{
        free(draft->parts);
        free(draft->pairs);
}

static void draft_start(struct draft *draft, const struct change_end *src, const struct change_end *dst)
{
        draft->change = (struct change){.src = *src, .dst = *dst};
        draft->parts_len = 0;
        draft->pairs_len = 0;
        draft->apart = false;
}

static int draft_add_part(struct draft *draft, const struct change_part *part)
{
        int r;

        r = array_reserve(&draft->parts, &draft->parts_cap, draft->parts_len + 1, sizeof(*draft->parts));
        if (r < 0)
                return r;

        draft->parts[draft->parts_len++] = *part;
        draft->change.widens |= part->reason->widens;
        draft->change.narrows |= !part->reason->widens;
        return 0;
}

/* What turned in another way, or in other addresses, by the same reason. */
static int draft_unite_part(struct draft *draft, struct matrix *sets, const struct change_part *part)
{
        for (size_t i = 0; i < draft->parts_len; i++)
                if (draft->parts[i].reason == part->reason)
                        return matrix_unite(sets, draft->parts[i].conns, part->conns, &draft->parts[i].conns);

        return draft_add_part(draft, part);
}

/* Adds the change to the list, if it is one. */
static int draft_finish(struct draft *draft, struct changes *changes)
{
        struct change *change = &draft->change;
        int r;

        if (draft->parts_len == 0)
                return 0;

        change->parts_len = draft->parts_len;
        change->parts = arena_memdup(changes->arena, draft->parts, draft->parts_len * sizeof(*draft->parts));
        if (!change->parts)
                return -ENOMEM;

        if (draft->apart) {
                change->pairs_len = draft->pairs_len;
                change->pairs = arena_memdup(changes->arena, draft->pairs, draft->pairs_len * sizeof(*draft->pairs));
                if (!change->pairs)
                        return -ENOMEM;
        }

        r = array_reserve(&changes->items, &changes->cap, changes->len + 1, sizeof(*changes->items));
        if (r < 0)
                return r;

        changes->items[changes->len++] = *change;
        return 0;
}

static size_t addrs_or_one(const struct endpoint *endpoint)
{
        return endpoint->addrs_len > 0 ? endpoint->addrs_len : 1;
}

/* What a kind says to another under one of its addresses. */
static int kind_profile(struct change_build *build, enum change_side side, enum direction d, size_t subject,
                        size_t peer, size_t addr, const struct profile **ret)
{
        const struct inventory *inventory = world_inventory(build->worlds[side]);
        const struct endpoint *a = changes_member(build, subject, side), *b = changes_member(build, peer, side);
        uint32_t class = world_class(build->worlds[side], d, (size_t)(a - inventory->endpoints));
        const struct profile ***row, **slot;
        int r;

        if (class == UINT32_MAX) {
                *ret = build->open;
                return 0;
        }

        row = &build->rows[side][d][class];
        if (!*row) {
                *row = arena_array(build->arena, build->slots[side][build->changes->kinds_len], sizeof(**row));
                if (!*row)
                        return -ENOMEM;
        }

        slot = &(*row)[build->slots[side][peer] + addr];
        if (!*slot) {
                r = world_profile(build->worlds[side], d, class, (size_t)(b - inventory->endpoints),
                                  b->addrs_len > 0 ? &b->addrs[addr] : NULL, slot);
                if (r < 0)
                        return r;
        }

        *ret = *slot;
        return 0;
}

static bool common_family(const struct endpoint *a, const struct endpoint *b)
{
        for (size_t i = 0; i < a->addrs_len; i++)
                for (size_t j = 0; j < b->addrs_len; j++)
                        if (a->addrs[i].family == b->addrs[j].family)
                                return true;

        return false;
}

/* In which ways two kinds meet: as the matrix has it, under addresses of one family or, where there are none, under all. */
static int kind_ways(struct change_build *build, enum change_side side, size_t src, size_t dst,
                     struct change_ways *ways)
{
        const struct endpoint *a = changes_member(build, src, side), *b = changes_member(build, dst, side);
        const struct profile *out, *in;
        bool common;
        int r;

        ways->len = 0;
        if (!a || !b)
                return change_ways_add(ways, build->absent, build->absent, 0, 0);

        common = common_family(a, b);
        for (size_t i = 0; i < addrs_or_one(a); i++) {
                for (size_t j = 0; j < addrs_or_one(b); j++) {
                        if (common && a->addrs[i].family != b->addrs[j].family)
                                continue;

                        r = kind_profile(build, side, DIR_EGRESS, src, dst, j, &out);
                        if (r == 0)
                                r = kind_profile(build, side, DIR_INGRESS, dst, src, i, &in);
                        if (r == 0)
                                r = change_ways_add(ways, out, in, i, j);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

/* Adds what becomes of one way, or of all at once. */
static int draft_add_shift(struct draft *draft, struct changes *changes, const struct change_shift *shift, size_t src,
                           size_t dst)
{
        struct change_pair pair = {src, dst, {shift->conns[CHANGE_OLD], shift->conns[CHANGE_NEW]}};
        struct change *change = &draft->change;
        int r;

        r = array_reserve(&draft->pairs, &draft->pairs_cap, draft->pairs_len + 1, sizeof(*draft->pairs));
        if (r < 0)
                return r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                if (draft->pairs_len == 0)
                        change->conns[side] = pair.conns[side];
                draft->apart |= draft->pairs_len > 0 && draft->pairs[0].conns[side] != pair.conns[side];
                r = matrix_unite(changes->sets, change->conns[side], pair.conns[side], &change->conns[side]);
                if (r < 0)
                        return r;
        }
        draft->pairs[draft->pairs_len++] = pair;

        for (size_t i = 0; i < shift->parts_len; i++) {
                r = draft_unite_part(draft, changes->sets, &shift->parts[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Under the same addresses on both sides, each pair of them is compared with itself; else all together. */
static int compare_kinds(struct change_build *build, struct change_ways *ways, struct draft *draft, size_t src,
                         size_t dst)
{
        const struct change_end from = {.kind = src}, to = {.kind = dst};
        struct changes *changes = build->changes;
        const struct change_shift *shift;
        bool zip = changes->kinds[src].same_addrs && changes->kinds[dst].same_addrs;
        int r;

        draft_start(draft, &from, &to);
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                r = kind_ways(build, side, src, dst, &ways[side]);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < (zip ? ways[CHANGE_OLD].len : 1); i++) {
                struct change_way *old = &ways[CHANGE_OLD].items[i], *new = &ways[CHANGE_NEW].items[i];
                const struct change_ways one[CHANGE_SIDE_MAX] = {{old, 1, 1}, {new, 1, 1}};

                r = changes_shift(build, zip ? one : ways, &shift);
                if (r == 0)
                        r = draft_add_shift(draft, changes, shift, old->src, old->dst);
                if (r < 0)
                        return r;
        }

        return draft_finish(draft, changes);
}

/* What becomes of a range of the outside on which no profile changes. */
static int draft_add_range(struct draft *draft, struct changes *changes, const struct change_shift *shift,
                           const struct addr_range *range, enum direction d)
{
        struct change_end *outside = d == DIR_EGRESS ? &draft->change.dst : &draft->change.src;
        struct change_end src = draft->change.src, dst = draft->change.dst;
        struct change_part *last;
        int r;

        if (draft->change.conns[CHANGE_OLD] != shift->conns[CHANGE_OLD] ||
            draft->change.conns[CHANGE_NEW] != shift->conns[CHANGE_NEW]) {
                r = draft_finish(draft, changes);
                if (r < 0)
                        return r;

                draft_start(draft, &src, &dst);
                outside->range.first = range->first;
                memcpy(draft->change.conns, shift->conns, sizeof(shift->conns));
        }
        outside->range.last = range->last;

        for (size_t i = 0; i < shift->parts_len; i++) {
                struct change_part part = shift->parts[i];
                struct addr next;
                bool joined = false;

                /* Ranges come in order, so one that goes on ended just before this. */
                for (size_t j = 0; !joined && j < draft->parts_len; j++) {
                        last = &draft->parts[j];
                        next = last->range.last;
                        joined = last->reason == part.reason && last->conns == part.conns && addr_next(&next) &&
                                 addr_equal(&next, &range->first);
                        if (joined)
                                last->range.last = range->last;
                }
                if (joined)
                        continue;

                part.range = *range;
                r = draft_add_part(draft, &part);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The outside of a kind on one side. Where nothing judges, whole is filled, and is all there is. */
static int kind_outside(struct change_build *build, enum change_side side, enum direction d, size_t kind,
                        enum addr_family family, struct world_range *whole, const struct world_range **ret,
                        size_t *ret_len)
{
        const struct endpoint *endpoint = changes_member(build, kind, side);
        uint32_t class = UINT32_MAX;

        if (endpoint)
                class = world_class(build->worlds[side], d,
                                    (size_t)(endpoint - world_inventory(build->worlds[side])->endpoints));
        if (class != UINT32_MAX)
                return world_outside(build->worlds[side], d, class, family, ret, ret_len);

        *whole = (struct world_range){
                {addr_lowest(family), addr_highest(family)},
                endpoint ? build->open : build->absent,
        };
        *ret = whole;
        *ret_len = 1;
        return 0;
}

static int outside_shift(struct change_build *build, struct change_ways *ways, enum direction d,
                         const struct profile *const profiles[static CHANGE_SIDE_MAX], const struct change_shift **ret)
{
        int r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct profile *profile = profiles[side];
                const struct profile *other = profile == build->absent ? build->absent : build->open;

                ways[side].len = 0;
                r = change_ways_add(&ways[side], d == DIR_EGRESS ? profile : other, d == DIR_EGRESS ? other : profile,
                                    0, 0);
                if (r < 0)
                        return r;
        }

        return changes_shift(build, ways, ret);
}

/* Walks both lists of ranges at once. */
static int compare_outside(struct change_build *build, struct change_ways *ways, struct draft *draft, enum direction d,
                           size_t kind, enum addr_family family)
{
        const struct change_end inside = {.kind = kind}, outside = {.outside = true};
        const struct world_range *ranges[CHANGE_SIDE_MAX];
        struct world_range whole[CHANGE_SIDE_MAX];
        size_t len[CHANGE_SIDE_MAX], at[CHANGE_SIDE_MAX] = {0};
        struct addr first = addr_lowest(family);
        int r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                r = kind_outside(build, side, d, kind, family, &whole[side], &ranges[side], &len[side]);
                if (r < 0)
                        return r;
        }

        draft_start(draft, d == DIR_EGRESS ? &inside : &outside, d == DIR_EGRESS ? &outside : &inside);
        while (at[CHANGE_OLD] < len[CHANGE_OLD] && at[CHANGE_NEW] < len[CHANGE_NEW]) {
                const struct world_range *old = &ranges[CHANGE_OLD][at[CHANGE_OLD]];
                const struct world_range *new = &ranges[CHANGE_NEW][at[CHANGE_NEW]];
                int c = addr_cmp(&old->range.last, &new->range.last);
                const struct addr_range cell = {first, c < 0 ? old->range.last : new->range.last};
                const struct change_shift *shift;

                r = outside_shift(build, ways, d, (const struct profile *[]){old->profile, new->profile}, &shift);
                if (r == 0)
                        r = draft_add_range(draft, build->changes, shift, &cell, d);
                if (r < 0)
                        return r;

                at[CHANGE_OLD] += c <= 0;
                at[CHANGE_NEW] += c >= 0;
                first = cell.last;
                addr_next(&first);
        }

        return draft_finish(draft, build->changes);
}

static int compare_outsides(struct change_build *build, struct change_ways *ways, struct draft *draft, enum direction d,
                            size_t kind)
{
        int r = 0;

        for (enum addr_family family = 0; r == 0 && family < ADDR_FAMILY_MAX; family++)
                r = compare_outside(build, ways, draft, d, kind, family);

        return r;
}

static int compare_all(struct change_build *build, struct change_ways *ways, struct draft *draft)
{
        const struct changes *changes = build->changes;
        int r = 0;

        for (size_t src = 0; r == 0 && src < changes->kinds_len; src++) {
                for (size_t dst = 0; r == 0 && dst < changes->kinds_len; dst++)
                        if (src != dst || changes->kinds[src].len > 1)
                                r = compare_kinds(build, ways, draft, src, dst);
                if (r == 0)
                        r = compare_outsides(build, ways, draft, DIR_EGRESS, src);
        }

        for (size_t dst = 0; r == 0 && dst < changes->kinds_len; dst++)
                r = compare_outsides(build, ways, draft, DIR_INGRESS, dst);

        return r;
}

/* A profile that says one thing about everything. */
static int plain_profile(struct change_build *build, uint32_t id, const struct cause *cause, struct profile **ret)
{
        struct profile *profile;

        profile = arena_alloc(build->arena, sizeof(*profile));
        if (!profile)
                return -ENOMEM;

        profile->id = id;
        profile->other = *cause;
        profile->spans_len = CONNS_PROTO_MAX;
        profile->spans = arena_array(build->arena, profile->spans_len, sizeof(*profile->spans));
        if (!profile->spans)
                return -ENOMEM;

        for (enum conns_proto proto = 0; proto < CONNS_PROTO_MAX; proto++)
                profile->spans[proto] = (struct profile_span){conns_proto_number(proto), {0, UINT16_MAX}, *cause};

        *ret = profile;
        return 0;
}

static int build_slots(struct change_build *build, enum change_side side)
{
        const struct changes *changes = build->changes;
        size_t *slots;

        slots = arena_array(build->arena, changes->kinds_len + 1, sizeof(*slots));
        if (!slots)
                return -ENOMEM;

        for (size_t i = 0; i < changes->kinds_len; i++) {
                const struct endpoint *endpoint = changes_member(build, i, side);

                slots[i + 1] = slots[i] + (endpoint ? addrs_or_one(endpoint) : 0);
        }
        build->slots[side] = slots;

        for (enum direction d = 0; d < DIR_MAX; d++) {
                build->rows[side][d] =
                        arena_array(build->arena, world_classes(build->worlds[side], d), sizeof(*build->rows[side][d]));
                if (!build->rows[side][d])
                        return -ENOMEM;
        }

        return 0;
}

static int build_init(struct change_build *build)
{
        /* The worlds count their profiles from 0. */
        const struct cause open = {ACTION_ALLOW, TIER_DEFAULT, NULL, NULL},
                           absent = {ACTION_DENY, TIER_MAX, NULL, NULL};
        int r;

        build->arena = arena_new();
        if (!build->arena)
                return -ENOMEM;

        r = plain_profile(build, UINT32_MAX, &open, &build->open);
        if (r == 0)
                r = plain_profile(build, UINT32_MAX - 1, &absent, &build->absent);
        if (r == 0)
                r = changes_find_kinds(build);
        for (enum change_side side = 0; r == 0 && side < CHANGE_SIDE_MAX; side++)
                r = build_slots(build, side);

        return r;
}

static void build_fini(struct change_build *build)
{
        str_index_fini(&build->shift_index);
        str_index_fini(&build->reason_index);
        strbuf_fini(&build->key);
        free(build->shifts);
        arena_free(build->arena);
}

int changes_new(struct changes **ret, struct world *old, struct world *new)
{
        struct change_ways ways[CHANGE_SIDE_MAX] = {{0}, {0}};
        _cleanup_(changes_freep) struct changes *changes = NULL;
        _cleanup_(draft_fini) struct draft draft = {0};
        _cleanup_(build_fini) struct change_build build = {.worlds = {[CHANGE_OLD] = old, [CHANGE_NEW] = new}};
        int r;

        changes = calloc(1, sizeof(*changes));
        if (!changes)
                return -ENOMEM;

        changes->arena = arena_new();
        if (!changes->arena)
                return -ENOMEM;

        build.changes = changes;
        r = matrix_new(&changes->sets, new);
        if (r == 0)
                r = build_init(&build);
        if (r == 0)
                r = compare_all(&build, ways, &draft);
        free(ways[CHANGE_OLD].items);
        free(ways[CHANGE_NEW].items);
        if (r < 0)
                return r;

        *ret = steal(changes);
        return 0;
}

struct changes *changes_free(struct changes *changes)
{
        if (!changes)
                return NULL;

        matrix_free(changes->sets);
        free(changes->items);
        free(changes->reasons);
        arena_free(changes->arena);
        free(changes);
        return NULL;
}
