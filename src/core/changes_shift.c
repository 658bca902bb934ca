/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes: from the profiles before and after to the connections that turned, and what turned them. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "changes_internal.h"

/* A growing set of connections. */
struct parts {
        struct conns_part *items; /* owned */
        size_t len, cap;
};

/* What is gathered for one shift. */
struct gather {
        struct change_build *build;
        const struct change_ways *ways; /* one for each world */
        size_t worlds;
        struct parts sides[CHANGE_SIDE_MAX];  /* what is allowed */
        const struct change_reason **reasons; /* owned; those met so far */
        struct parts *turned;                 /* owned, each; per reason: what turned by it */
        size_t len, cap, turned_cap;
};

static void gather_fini(struct gather *gather)
{
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                free(gather->sides[side].items);
        for (size_t i = 0; i < gather->len; i++)
                free(gather->turned[i].items);
        free(gather->turned);
        free(gather->reasons);
}

static void parts_fini(struct parts *parts)
{
        free(parts->items);
}

static int parts_add(struct parts *parts, enum conns_proto proto, struct port_range ports)
{
        int r;

        r = array_reserve(&parts->items, &parts->cap, parts->len + 1, sizeof(*parts->items));
        if (r < 0)
                return r;

        parts->items[parts->len++] = (struct conns_part){proto, ports};
        return 0;
}

/* Two words for an enum and two pointers, written one by one: a structure's padding has no value. */
static void reason_key(struct strbuf *buf, const struct change_reason *reason)
{
        strbuf_putc(buf, (char)('0' + reason->origin));
        for (enum direction d = 0; d < DIR_MAX; d++) {
                strbuf_putc(buf, reason->turned[d] ? '1' : '0');
                for (enum change_side side = 0; reason->turned[d] && side < CHANGE_SIDE_MAX; side++) {
                        const struct cause *cause = &reason->causes[d][side];

                        strbuf_putc(buf, (char)('0' + cause->action));
                        strbuf_putc(buf, (char)('0' + cause->tier));
                        strbuf_add(buf, (const char *)&cause->policy, sizeof(cause->policy));
                        strbuf_add(buf, (const char *)&cause->rule, sizeof(cause->rule));
                }
        }
}

static int reason_intern(struct change_build *build, const struct change_reason *reason,
                         const struct change_reason **ret)
{
        _cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
        struct changes *changes = build->changes;
        struct change_reason *kept;
        uint32_t id;
        void *copy;
        int r;

        reason_key(&key, reason);
        r = strbuf_check(&key);
        if (r < 0)
                return r;

        if (str_index_get(&build->reason_index, key.text, key.len, &id)) {
                *ret = changes->reasons[id];
                return 0;
        }

        r = array_reserve(&changes->reasons, &changes->reasons_cap, changes->reasons_len + 1,
                          sizeof(*changes->reasons));
        if (r < 0)
                return r;

        kept = arena_memdup(changes->arena, reason, sizeof(*reason));
        copy = arena_memdup(build->arena, key.text, key.len);
        if (!kept || !copy)
                return -ENOMEM;

        kept->id = (uint32_t)changes->reasons_len;
        r = str_index_put(&build->reason_index, copy, key.len, kept->id);
        if (r < 0)
                return r;

        changes->reasons[changes->reasons_len++] = kept;
        *ret = kept;
        return 0;
}

static const struct cause *way_cause(const struct change_way *way, enum direction d, enum conns_proto proto,
                                     uint16_t port)
{
        const struct profile *profile = way->profiles[d];

        return proto == CONNS_PROTO_MAX ? &profile->other : profile_at(profile, conns_proto_number(proto), port);
}

/* The way that decides at a port: the first that allows or, where none does, the first. */
static const struct change_way *decide(const struct change_ways *ways, enum conns_proto proto, uint16_t port,
                                       bool *ret_allows)
{
        for (size_t i = 0; i < ways->len; i++) {
                bool allows = true;

                for (enum direction d = 0; d < DIR_MAX; d++)
                        allows &= way_cause(&ways->items[i], d, proto, port)->action == ACTION_ALLOW;
                if (allows) {
                        *ret_allows = true;
                        return &ways->items[i];
                }
        }

        *ret_allows = false;
        return &ways->items[0];
}

static int gather_turned(struct gather *gather, const struct change_reason *found, enum conns_proto proto,
                         struct port_range ports)
{
        const struct change_reason *reason;
        size_t i;
        int r;

        r = reason_intern(gather->build, found, &reason);
        if (r < 0)
                return r;

        for (i = 0; i < gather->len && gather->reasons[i] != reason; i++)
                ;
        if (i == gather->len) {
                r = array_reserve(&gather->reasons, &gather->cap, i + 1, sizeof(*gather->reasons));
                if (r == 0)
                        r = array_reserve(&gather->turned, &gather->turned_cap, i + 1, sizeof(*gather->turned));
                if (r < 0)
                        return r;

                gather->reasons[i] = reason;
                gather->turned[i] = (struct parts){0};
                gather->len++;
        }

        return parts_add(&gather->turned[i], proto, ports);
}

/* Which difference alone turns what allows says of the worlds. */
static enum change_origin find_origin(const bool *allows, size_t worlds)
{
        bool policy, inventory;

        if (worlds == CHANGE_SIDE_MAX)
                return CHANGE_BY_POLICY;

        policy = allows[CROSS_NEW] == allows[CHANGE_NEW];
        inventory = allows[CROSS_OLD] == allows[CHANGE_NEW];
        if (policy == inventory)
                return CHANGE_JOINT;

        return policy ? CHANGE_BY_POLICY : CHANGE_BY_INVENTORY;
}

/* Ports on which no verdict changes; first is any of them. */
static int gather_ports(struct gather *gather, enum conns_proto proto, struct port_range ports)
{
        const struct change_way *ways[CHANGE_WORLDS];
        struct change_reason reason = {0};
        bool allows[CHANGE_WORLDS];
        int r;

        for (size_t w = 0; w < gather->worlds; w++)
                ways[w] = decide(&gather->ways[w], proto, ports.first, &allows[w]);
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                if (allows[side]) {
                        r = parts_add(&gather->sides[side], proto, ports);
                        if (r < 0)
                                return r;
                }
        }
        if (allows[CHANGE_OLD] == allows[CHANGE_NEW])
                return 0;

        reason.widens = allows[CHANGE_NEW];
        reason.origin = find_origin(allows, gather->worlds);
        for (enum direction d = 0; d < DIR_MAX; d++) {
                const struct cause *old = way_cause(ways[CHANGE_OLD], d, proto, ports.first);
                const struct cause *new = way_cause(ways[CHANGE_NEW], d, proto, ports.first);

                if (old->action == new->action)
                        continue;

                reason.turned[d] = true;
                reason.causes[d][CHANGE_OLD] = *old;
                reason.causes[d][CHANGE_NEW] = *new;
        }

        return gather_turned(gather, &reason, proto, ports);
}

static int u32_cmp(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

static int gather_protocol(struct gather *gather, enum conns_proto proto)
{
        _cleanup_free_ uint32_t *cuts = NULL;
        size_t len = 0, cap = 0;
        int r;

        for (size_t w = 0; w < gather->worlds; w++) {
                for (size_t i = 0; i < DIR_MAX * gather->ways[w].len; i++) {
                        const struct profile *profile = gather->ways[w].items[i / DIR_MAX].profiles[i % DIR_MAX];

                        r = array_reserve(&cuts, &cap, len + profile->spans_len + 1, sizeof(*cuts));
                        if (r < 0)
                                return r;

                        /* Port 0 is no port that a connection could have. */
                        for (size_t j = 0; j < profile->spans_len; j++)
                                if (profile->spans[j].protocol == conns_proto_number(proto) &&
                                    profile->spans[j].ports.last > 0)
                                        cuts[len++] =
                                                profile->spans[j].ports.first > 0 ? profile->spans[j].ports.first : 1;
                }
        }

        qsort(cuts, len, sizeof(*cuts), u32_cmp);
        for (size_t i = 0, next; i < len; i = next) {
                for (next = i + 1; next < len && cuts[next] == cuts[i]; next++)
                        ;

                r = gather_ports(
                        gather, proto,
                        (struct port_range){(uint16_t)cuts[i], next < len ? (uint16_t)(cuts[next] - 1) : UINT16_MAX});
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The shift that was gathered. */
static int gather_finish(struct gather *gather, const struct change_shift **ret)
{
        struct change_build *build = gather->build;
        struct matrix *sets = build->changes->sets;
        struct change_shift *shift;
        struct change_part *parts;
        int r;

        shift = arena_alloc(build->arena, sizeof(*shift));
        parts = arena_array(build->changes->arena, gather->len, sizeof(*parts));
        if (!shift || !parts)
                return -ENOMEM;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                r = matrix_conns(sets, gather->sides[side].items, gather->sides[side].len, &shift->conns[side]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < gather->len; i++) {
                parts[i].reason = gather->reasons[i];
                r = matrix_conns(sets, gather->turned[i].items, gather->turned[i].len, &parts[i].conns);
                if (r < 0)
                        return r;
        }

        shift->parts = parts;
        shift->parts_len = gather->len;
        *ret = shift;
        return 0;
}

static int shift_make(struct change_build *build, const struct change_ways *ways, size_t worlds,
                      const struct change_shift **ret)
{
        _cleanup_(gather_fini) struct gather gather = {.build = build, .ways = ways, .worlds = worlds};
        int r;

        for (enum conns_proto proto = 0; proto < CONNS_PROTO_MAX; proto++) {
                r = gather_protocol(&gather, proto);
                if (r < 0)
                        return r;
        }

        r = gather_ports(&gather, CONNS_PROTO_MAX, (struct port_range){0, 0});
        if (r < 0)
                return r;

        return gather_finish(&gather, ret);
}

/* Profile numbers are a world's own, but a key says which world each is of. */
static int shift_key(const struct change_ways *ways, size_t worlds, struct strbuf *buf)
{
        strbuf_putc(buf, (char)worlds);
        for (size_t w = 0; w < worlds; w++) {
                strbuf_add(buf, (const char *)&ways[w].len, sizeof(ways[w].len));
                for (size_t i = 0; i < ways[w].len; i++)
                        for (enum direction d = 0; d < DIR_MAX; d++)
                                strbuf_add(buf, (const char *)&ways[w].items[i].profiles[d]->id, sizeof(uint32_t));
        }

        return strbuf_check(buf);
}

int changes_shift(struct change_build *build, const struct change_ways *ways, size_t worlds,
                  const struct change_shift **ret)
{
        struct strbuf *key = &build->key;
        const struct change_shift *shift = NULL;
        uint32_t id;
        void *copy;
        int r;

        strbuf_clear(key);
        r = shift_key(ways, worlds, key);
        if (r < 0)
                return r;

        if (str_index_get(&build->shift_index, key->text, key->len, &id)) {
                *ret = build->shifts[id];
                return 0;
        }

        r = shift_make(build, ways, worlds, &shift);
        if (r == 0)
                r = array_reserve(&build->shifts, &build->shifts_cap, build->shifts_len + 1, sizeof(*build->shifts));
        if (r < 0)
                return r;

        copy = arena_memdup(build->arena, key->text, key->len);
        if (!copy)
                return -ENOMEM;

        r = str_index_put(&build->shift_index, copy, key->len, (uint32_t)build->shifts_len);
        if (r < 0)
                return r;

        build->shifts[build->shifts_len++] = shift;
        *ret = shift;
        return 0;
}

/* Sets are one object where they are equal, so profiles of two worlds can be compared by what they allow. */
int changes_conns(struct change_build *build, enum change_side side, const struct profile *profile,
                  const struct conns **ret)
{
        struct profile_conns *known = &build->conns[side];
        _cleanup_(parts_fini) struct parts parts = {0};
        size_t cap = known->cap;
        int r;

        if (profile == build->open || profile == build->absent) {
                *ret = profile == build->open ? build->everything : build->nothing;
                return 0;
        }
        if (profile->id < cap && known->items[profile->id]) {
                *ret = known->items[profile->id];
                return 0;
        }

        for (size_t i = 0; i < profile->spans_len; i++) {
                const struct profile_span *span = &profile->spans[i];
                struct port_range ports = {span->ports.first > 0 ? span->ports.first : 1, span->ports.last};

                if (span->cause.action != ACTION_ALLOW || ports.last == 0)
                        continue;
                r = parts_add(&parts, conns_proto_of(span->protocol), ports);
                if (r < 0)
                        return r;
        }
        if (profile->other.action == ACTION_ALLOW) {
                r = parts_add(&parts, CONNS_PROTO_MAX, (struct port_range){0, 0});
                if (r < 0)
                        return r;
        }

        r = array_reserve(&known->items, &known->cap, (size_t)profile->id + 1, sizeof(*known->items));
        if (r < 0)
                return r;
        memset(known->items + cap, 0, (known->cap - cap) * sizeof(*known->items));
        r = matrix_conns(build->changes->sets, parts.items, parts.len, &known->items[profile->id]);
        *ret = known->items[profile->id];
        return r;
}

int change_ways_add(struct change_ways *ways, const struct profile *egress, const struct profile *ingress, size_t src,
                    size_t dst)
{
        int r;

        r = array_reserve(&ways->items, &ways->cap, ways->len + 1, sizeof(*ways->items));
        if (r < 0)
                return r;

        ways->items[ways->len++] = (struct change_way){
                .profiles = {[DIR_EGRESS] = egress, [DIR_INGRESS] = ingress},
                .src = src,
                .dst = dst,
        };
        return 0;
}
