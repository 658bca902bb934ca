/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference between two policy sets: the pairs of kinds that something bears on, and the outside of those kinds. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "changes_internal.h"
#include "world_internal.h"

const char *change_origin_name(enum change_origin origin)
{
        static const char *const names[] = {
                [CHANGE_BY_POLICY] = "policy",
                [CHANGE_BY_INVENTORY] = "inventory",
                [CHANGE_JOINT] = "joint",
        };

        return names[origin];
}

const char *change_fact_name(enum change_fact fact)
{
        static const char *const names[] = {
                [CHANGE_FACT_ADDED] = "added",
                [CHANGE_FACT_REMOVED] = "removed",
                [CHANGE_FACT_LABELS] = "labels",
                [CHANGE_FACT_NAMESPACE_LABELS] = "namespace labels",
                [CHANGE_FACT_ADDRESSES] = "addresses",
                [CHANGE_FACT_PORTS] = "ports",
                [CHANGE_FACT_HOST_NETWORK] = "host network",
        };

        return names[fact];
}

static size_t addrs_or_one(const struct endpoint *endpoint)
{
        return endpoint->addrs_len > 0 ? endpoint->addrs_len : 1;
}

/* What a kind says to another under one of its addresses. */
static int kind_profile(struct change_build *build, size_t w, enum direction d, const struct endpoint *subject,
                        const struct endpoint *peer, size_t addr, const struct profile **ret)
{
        struct world *world = build->worlds[w];
        const struct endpoint *first = world_inventory(world)->endpoints;
        uint32_t class = world_class(world, d, (size_t)(subject - first));

        if (class == UINT32_MAX) {
                *ret = build->open;
                return 0;
        }

        return world_profile(world, d, class, (size_t)(peer - first), peer->addrs_len > 0 ? &peer->addrs[addr] : NULL,
                             ret);
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
static int kind_ways(struct change_build *build, size_t w, size_t src, size_t dst)
{
        const struct endpoint *a = changes_member(build, src, world_side(w));
        const struct endpoint *b = changes_member(build, dst, world_side(w));
        struct change_ways *ways = &build->ways[w];
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

                        r = kind_profile(build, w, DIR_EGRESS, a, b, j, &out);
                        if (r == 0)
                                r = kind_profile(build, w, DIR_INGRESS, b, a, i, &in);
                        if (r == 0)
                                r = change_ways_add(ways, out, in, i, j);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

/* Whether the kinds meet in the same ways, and each allows what it did. */
static int ways_alike(struct change_build *build, bool *ret)
{
        const struct change_ways *old = &build->ways[CHANGE_OLD], *new = &build->ways[CHANGE_NEW];
        const struct conns *a, *b;
        int r;

        *ret = false;
        if (old->len != new->len)
                return 0;

        for (size_t i = 0; i < old->len; i++) {
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        r = changes_conns(build, CHANGE_OLD, old->items[i].profiles[d], &a);
                        if (r == 0)
                                r = changes_conns(build, CHANGE_NEW, new->items[i].profiles[d], &b);
                        if (r < 0)
                                return r;
                        if (a != b)
                                return 0;
                }
        }

        *ret = true;
        return 0;
}

/* Whether a kind says the same of another on both sides, under each address of its; neither moved. */
static int says_alike(struct change_build *build, enum direction d, size_t subject, size_t peer, bool *ret)
{
        const struct endpoint *peers[CHANGE_SIDE_MAX] = {changes_member(build, peer, CHANGE_OLD),
                                                         changes_member(build, peer, CHANGE_NEW)};
        int r = 0;

        *ret = true;
        for (size_t i = 0; *ret && i < addrs_or_one(peers[CHANGE_OLD]); i++) {
                const struct conns *conns[CHANGE_SIDE_MAX];

                for (enum change_side side = 0; r == 0 && side < CHANGE_SIDE_MAX; side++) {
                        const struct profile *profile;

                        r = kind_profile(build, side, d, changes_member(build, subject, side), peers[side], i,
                                         &profile);
                        if (r == 0)
                                r = changes_conns(build, side, profile, &conns[side]);
                }
                if (r < 0)
                        return r;
                *ret = conns[CHANGE_OLD] == conns[CHANGE_NEW];
        }

        return 0;
}

/* Where neither moved, only what is touched can differ: mostly one direction, and mostly it does not. */
static int are_alike(struct change_build *build, size_t src, size_t dst, bool *ret)
{
        bool egress = true, ingress = true;
        int r = 0;

        *ret = false;
        if (build->moved[src] || build->moved[dst])
                return 0;

        if (build->touched[DIR_EGRESS][src])
                r = says_alike(build, DIR_EGRESS, src, dst, &egress);
        if (r == 0 && egress && build->touched[DIR_INGRESS][dst])
                r = says_alike(build, DIR_INGRESS, dst, src, &ingress);
        *ret = egress && ingress;
        return r;
}

/* Under the same addresses on both sides, each pair of them is compared with itself; else all together. */
static int compare_kinds(struct change_build *build, struct change_draft *draft, size_t src, size_t dst)
{
        const struct change_end from = {.kind = src}, to = {.kind = dst};
        struct changes *changes = build->changes;
        const struct change_shift *shift;
        bool zip = changes->kinds[src].same_addrs && changes->kinds[dst].same_addrs, alike = false;
        /* What is the same in both inventories can be no cause. */
        size_t worlds = build->moved[src] || build->moved[dst] ? build->worlds_len : CHANGE_SIDE_MAX;
        int r;

        r = are_alike(build, src, dst, &alike);
        if (r < 0 || alike)
                return r;

        r = kind_ways(build, CHANGE_OLD, src, dst);
        if (r == 0)
                r = kind_ways(build, CHANGE_NEW, src, dst);
        if (r == 0)
                r = ways_alike(build, &alike);
        for (size_t w = CHANGE_SIDE_MAX; r == 0 && !alike && w < worlds; w++)
                r = kind_ways(build, w, src, dst);
        if (r < 0 || alike)
                return r;

        change_draft_start(draft, &from, &to);
        for (size_t i = 0; i < (zip ? build->ways[CHANGE_OLD].len : 1); i++) {
                struct change_ways one[CHANGE_WORLDS];

                for (size_t w = 0; w < worlds; w++)
                        one[w] = zip ? (struct change_ways){&build->ways[w].items[i], 1, 1} : build->ways[w];

                r = changes_shift(build, one, worlds, &shift);
                if (r == 0)
                        r = change_draft_add_shift(draft, changes->sets, shift, one[CHANGE_OLD].items[0].src,
                                                   one[CHANGE_OLD].items[0].dst);
                if (r < 0)
                        return r;
        }

        return change_draft_finish(draft, changes);
}

static bool kind_is_wanted(const struct change_build *build, size_t kind)
{
        return !build->wanted || build->wanted[changes_member(build, kind, CHANGE_OLD) -
                                               world_inventory(build->worlds[CHANGE_OLD])->endpoints];
}

/* Which pairs of kinds are compared. */
struct pairs {
        size_t *targets; /* owned; the kinds that flows to may have changed, whoever the source */
        size_t targets_len;
        size_t *first; /* owned; per source: where its own further targets begin in back; one more for the end */
        size_t *back;  /* owned */
        bool *in;      /* owned; scratch, per kind */
        size_t *found; /* owned; scratch: the targets of one source */
};

static void pairs_fini(struct pairs *pairs)
{
        free(pairs->targets);
        free(pairs->first);
        free(pairs->back);
        free(pairs->in);
        free(pairs->found);
}

/* From what destinations may say of sources to the destinations of each source. */
static int pairs_init(const struct change_build *build, struct pairs *pairs)
{
        const struct change_reach *reach = build->reach[DIR_INGRESS];
        size_t len = build->changes->kinds_len, total = 0;

        for (size_t i = 0; i < len; i++)
                total += reach[i].len;
        pairs->targets = calloc(len + 1, sizeof(size_t));
        pairs->first = calloc(len + 2, sizeof(size_t));
        pairs->back = calloc(total + 1, sizeof(size_t));
        pairs->in = calloc(len + 1, sizeof(bool));
        pairs->found = calloc(len + 1, sizeof(size_t));
        if (!pairs->targets || !pairs->first || !pairs->back || !pairs->in || !pairs->found)
                return -ENOMEM;

        for (size_t i = 0; i < len; i++) {
                if (reach[i].whole)
                        pairs->targets[pairs->targets_len++] = i;
                for (size_t j = 0; j < reach[i].len; j++)
                        pairs->first[reach[i].kinds[j] + 2]++;
        }
        /* Counted two places on, so that filling moves each to its own. */
        for (size_t i = 2; i < len + 2; i++)
                pairs->first[i] += pairs->first[i - 1];
        for (size_t i = 0; i < len; i++)
                for (size_t j = 0; j < reach[i].len; j++)
                        pairs->back[pairs->first[reach[i].kinds[j] + 1]++] = i;

        return 0;
}

static int size_cmp(const void *a, const void *b)
{
        size_t x = *(const size_t *)a, y = *(const size_t *)b;

        return (x > y) - (x < y);
}

static void add_found(struct pairs *pairs, const size_t *kinds, size_t len, size_t *found)
{
        for (size_t i = 0; i < len; i++) {
                if (!pairs->in[kinds[i]])
                        pairs->found[(*found)++] = kinds[i];
                pairs->in[kinds[i]] = true;
        }
}

/* The kinds that flows from a source to may have changed, ascending; into pairs->found. */
static size_t find_targets(const struct change_build *build, struct pairs *pairs, size_t src)
{
        const struct change_reach *reach = &build->reach[DIR_EGRESS][src];
        size_t found = 0;

        if (reach->whole) {
                for (; found < build->changes->kinds_len; found++)
                        pairs->found[found] = found;
                return found;
        }

        add_found(pairs, reach->kinds, reach->len, &found);
        add_found(pairs, pairs->targets, pairs->targets_len, &found);
        add_found(pairs, pairs->back + pairs->first[src], pairs->first[src + 1] - pairs->first[src], &found);
        for (size_t i = 0; i < found; i++)
                pairs->in[pairs->found[i]] = false;
        if (found > 1)
                qsort(pairs->found, found, sizeof(*pairs->found), size_cmp);
        return found;
}

static int compare_all(struct change_build *build, struct change_draft *draft)
{
        const struct changes *changes = build->changes;
        _cleanup_(pairs_fini) struct pairs pairs = {NULL};
        int r;

        r = pairs_init(build, &pairs);
        for (size_t src = 0; r == 0 && src < changes->kinds_len; src++) {
                size_t len = find_targets(build, &pairs, src);
                bool wanted = kind_is_wanted(build, src);

                for (size_t i = 0; r == 0 && i < len; i++) {
                        size_t dst = pairs.found[i];

                        if ((src != dst || changes->kinds[src].len > 1) && (wanted || kind_is_wanted(build, dst)))
                                r = compare_kinds(build, draft, src, dst);
                }
                if (r == 0 && wanted && build->touched[DIR_EGRESS][src])
                        r = changes_outside(build, draft, DIR_EGRESS, src);
        }

        for (size_t dst = 0; r == 0 && dst < changes->kinds_len; dst++)
                if (build->touched[DIR_INGRESS][dst] && kind_is_wanted(build, dst))
                        r = changes_outside(build, draft, DIR_INGRESS, dst);

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

static int build_profiles(struct change_build *build)
{
        static const struct conns_part all[] = {
                {CONNS_TCP, {1, UINT16_MAX}},
                {CONNS_UDP, {1, UINT16_MAX}},
                {CONNS_SCTP, {1, UINT16_MAX}},
                {CONNS_PROTO_MAX, {0, 0}},
        };
        /* The worlds count their profiles from 0. */
        const struct cause open = {ACTION_ALLOW, TIER_DEFAULT, NULL, NULL},
                           absent = {ACTION_DENY, TIER_MAX, NULL, NULL};
        int r;

        r = plain_profile(build, UINT32_MAX, &open, &build->open);
        if (r == 0)
                r = plain_profile(build, UINT32_MAX - 1, &absent, &build->absent);
        if (r == 0)
                r = matrix_conns(build->changes->sets, all, ARRAY_SIZE(all), &build->everything);
        if (r == 0)
                r = matrix_conns(build->changes->sets, NULL, 0, &build->nothing);
        return r;
}

/* With two inventories, the worlds that nobody ever had. */
static int build_worlds(struct change_build *build)
{
        struct world *old = build->worlds[CHANGE_OLD], *new = build->worlds[CHANGE_NEW];
        int r;

        build->worlds_len = CHANGE_SIDE_MAX;
        if (old->inventory == new->inventory)
                return 0;

        r = world_new(&build->owned[CROSS_OLD], old->policies, new->inventory, old->settings);
        if (r == 0)
                r = world_new(&build->owned[CROSS_NEW], new->policies, old->inventory, new->settings);
        if (r < 0)
                return r;

        build->worlds[CROSS_OLD] = build->owned[CROSS_OLD];
        build->worlds[CROSS_NEW] = build->owned[CROSS_NEW];
        build->worlds_len = CHANGE_WORLDS;
        return 0;
}

static int build_init(struct change_build *build)
{
        int r;

        build->arena = arena_new();
        if (!build->arena)
                return -ENOMEM;

        r = build_profiles(build);
        if (r == 0)
                r = build_worlds(build);
        if (r == 0)
                r = changes_find_kinds(build);
        if (r == 0)
                r = changes_find_touched(build);
        return r;
}

static void build_fini(struct change_build *build)
{
        for (size_t w = 0; w < CHANGE_WORLDS; w++) {
                world_free(build->owned[w]);
                free(build->ways[w].items);
        }
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                free(build->conns[side].items);
        str_index_fini(&build->shift_index);
        str_index_fini(&build->reason_index);
        strbuf_fini(&build->key);
        free(build->shifts);
        arena_free(build->arena);
}

int changes_new_of(struct changes **ret, struct world *old, struct world *new, const bool *wanted)
{
        _cleanup_(changes_freep) struct changes *changes = NULL;
        _cleanup_(change_draft_fini) struct change_draft draft = {0};
        _cleanup_(build_fini) struct change_build build = {
                .worlds = {[CHANGE_OLD] = old, [CHANGE_NEW] = new},
                .wanted = wanted,
        };
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
                r = compare_all(&build, &draft);
        if (r < 0)
                return r;

        *ret = steal(changes);
        return 0;
}

int changes_new(struct changes **ret, struct world *old, struct world *new)
{
        return changes_new_of(ret, old, new, NULL);
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
