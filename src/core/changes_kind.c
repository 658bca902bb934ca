/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes: the endpoints of both inventories, and which of them nothing tells apart. */
#include <errno.h>
#include <string.h>

#include "changes_internal.h"
#include "cuts.h"
#include "world_internal.h"

static int endpoint_cmp(const struct endpoint *a, const struct endpoint *b)
{
        int c = strcmp(a->ns, b->ns);

        return c != 0 ? c : strcmp(a->name, b->name);
}

/* Both inventories as one list; each is sorted. */
static int find_parties(struct change_build *build)
{
        const struct inventory *old = world_inventory(build->worlds[CHANGE_OLD]);
        const struct inventory *new = world_inventory(build->worlds[CHANGE_NEW]);
        struct changes *changes = build->changes;
        size_t i = 0, j = 0;

        changes->parties =
                arena_array(changes->arena, old->endpoints_len + new->endpoints_len, sizeof(*changes->parties));
        if (!changes->parties)
                return -ENOMEM;

        while (i < old->endpoints_len || j < new->endpoints_len) {
                struct change_party *party = &changes->parties[changes->parties_len++];
                int c = i == old->endpoints_len   ? 1
                        : j == new->endpoints_len ? -1
                                                  : endpoint_cmp(&old->endpoints[i], &new->endpoints[j]);

                if (c <= 0)
                        party->endpoint[CHANGE_OLD] = &old->endpoints[i++];
                if (c >= 0)
                        party->endpoint[CHANGE_NEW] = &new->endpoints[j++];
        }

        return 0;
}

static bool same_addrs(const struct change_party *party)
{
        const struct endpoint *a = party->endpoint[CHANGE_OLD], *b = party->endpoint[CHANGE_NEW];

        if (!a || !b || a->addrs_len != b->addrs_len)
                return false;

        for (size_t i = 0; i < a->addrs_len; i++)
                if (!addr_equal(&a->addrs[i], &b->addrs[i]))
                        return false;

        return true;
}

static uint32_t party_identity(const struct change_build *build, size_t w, const struct endpoint *endpoint)
{
        const struct world *world = build->worlds[w];

        return world_identity(world, (size_t)(endpoint - world_inventory(world)->endpoints));
}

static void key_word(struct strbuf *buf, uint32_t word)
{
        strbuf_add(buf, (const char *)&word, sizeof(word));
}

/* What tells the party's kind apart from others, as bytes. */
static int kind_key(const struct change_build *build, const struct change_party *party, const struct cuts *cuts,
                    struct strbuf *buf)
{
        strbuf_clear(buf);
        strbuf_putc(buf, same_addrs(party) ? '=' : '!');
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct endpoint *endpoint = party->endpoint[side];

                strbuf_putc(buf, endpoint ? '+' : '-');
                if (!endpoint)
                        continue;

                for (size_t w = 0; w < build->worlds_len; w++)
                        if (world_side(w) == side)
                                key_word(buf, party_identity(build, w, endpoint));
                key_word(buf, (uint32_t)endpoint->addrs_len);
                for (size_t i = 0; i < endpoint->addrs_len; i++) {
                        strbuf_putc(buf, (char)endpoint->addrs[i].family);
                        key_word(buf, cuts_below(cuts, &endpoint->addrs[i]));
                }
        }

        return strbuf_check(buf);
}

static bool same_ports(const struct identity *a, const struct identity *b)
{
        if (a->ports_len != b->ports_len)
                return false;

        for (size_t i = 0; i < a->ports_len; i++)
                if (a->ports[i].protocol != b->ports[i].protocol || a->ports[i].port != b->ports[i].port ||
                    strcmp(a->ports[i].name, b->ports[i].name) != 0)
                        return false;

        return true;
}

/* What some policies see of the party in one world and another, each with its own inventory. */
static unsigned compare_identities(const struct change_build *build, size_t old, size_t new,
                                   const struct change_party *party)
{
        const struct world *a = build->worlds[old], *b = build->worlds[new];
        uint32_t x = party_identity(build, old, party->endpoint[CHANGE_OLD]);
        uint32_t y = party_identity(build, new, party->endpoint[CHANGE_NEW]);
        unsigned facts = 0;

        if ((x == NONE) != (y == NONE))
                facts |= 1u << CHANGE_FACT_HOST_NETWORK;
        if (x == NONE || y == NONE)
                return facts;

        if (label_set_cmp(&a->identities[x].labels, &b->identities[y].labels) != 0)
                facts |= 1u << CHANGE_FACT_LABELS;
        if (!same_ports(&a->identities[x], &b->identities[y]))
                facts |= 1u << CHANGE_FACT_PORTS;
        if (label_set_cmp(&a->namespaces[a->identities[x].ns].labels, &b->namespaces[b->identities[y].ns].labels) != 0)
                facts |= 1u << CHANGE_FACT_NAMESPACE_LABELS;
        return facts;
}

/* Only what some policy can see; so all of a kind share it. */
static unsigned party_facts(const struct change_build *build, const struct change_party *party)
{
        unsigned facts = 0;

        if (!party->endpoint[CHANGE_OLD])
                return 1u << CHANGE_FACT_ADDED;
        if (!party->endpoint[CHANGE_NEW])
                return 1u << CHANGE_FACT_REMOVED;
        if (build->worlds_len == CHANGE_SIDE_MAX)
                return 0;

        if (!same_addrs(party))
                facts |= 1u << CHANGE_FACT_ADDRESSES;
        facts |= compare_identities(build, CHANGE_OLD, CROSS_OLD, party);
        facts |= compare_identities(build, CROSS_NEW, CHANGE_NEW, party);
        return facts;
}

static int assign_kinds(struct change_build *build, const struct cuts *cuts)
{
        _cleanup_(str_index_fini) struct str_index index = STR_INDEX_INIT;
        _cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
        struct changes *changes = build->changes;
        int r;

        for (size_t i = 0; i < changes->parties_len; i++) {
                struct change_party *party = &changes->parties[i];
                uint32_t id;
                void *copy;

                r = kind_key(build, party, cuts, &key);
                if (r < 0)
                        return r;

                if (!str_index_get(&index, key.text, key.len, &id)) {
                        copy = arena_memdup(build->arena, key.text, key.len);
                        if (!copy)
                                return -ENOMEM;

                        id = (uint32_t)changes->kinds_len++;
                        r = str_index_put(&index, copy, key.len, id);
                        if (r < 0)
                                return r;

                        changes->kinds[id].same_addrs = same_addrs(party);
                        changes->kinds[id].facts = party_facts(build, party);
                }
                party->kind = id;
                changes->kinds[id].len++;
        }

        return 0;
}

static int fill_kinds(struct changes *changes)
{
        size_t *members, *next;

        members = arena_array(changes->arena, changes->parties_len, sizeof(*members));
        next = calloc(changes->kinds_len + 1, sizeof(*next));
        if (!members || !next) {
                free(next);
                return -ENOMEM;
        }

        for (size_t i = 0, at = 0; i < changes->kinds_len; i++) {
                changes->kinds[i].parties = members + at;
                next[i] = at;
                at += changes->kinds[i].len;
        }
        for (size_t i = 0; i < changes->parties_len; i++)
                members[next[changes->parties[i].kind]++] = i;

        free(next);
        return 0;
}

int changes_find_kinds(struct change_build *build)
{
        _cleanup_(cuts_fini) struct cuts cuts = {0};
        struct changes *changes = build->changes;
        int r;

        r = find_parties(build);
        if (r < 0)
                return r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                r = cuts_collect(&cuts, world_policies(build->worlds[side]));
                if (r < 0)
                        return r;
        }
        cuts_sort(&cuts);

        changes->kinds = arena_array(changes->arena, changes->parties_len, sizeof(*changes->kinds));
        if (!changes->kinds)
                return -ENOMEM;

        r = assign_kinds(build, &cuts);
        if (r < 0)
                return r;

        return fill_kinds(changes);
}

const struct endpoint *changes_member(const struct change_build *build, size_t kind, enum change_side side)
{
        const struct changes *changes = build->changes;

        return changes->parties[changes->kinds[kind].parties[0]].endpoint[side];
}
