/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes: the endpoints of both inventories, and which of them nothing tells apart. */
#include <errno.h>
#include <string.h>

#include "changes_internal.h"
#include "cuts.h"

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

/* What tells the party's kind apart from others, as bytes. */
static int kind_key(const struct change_build *build, const struct change_party *party, const struct cuts *cuts,
                    struct strbuf *buf)
{
        strbuf_clear(buf);
        strbuf_putc(buf, same_addrs(party) ? '=' : '!');
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct endpoint *endpoint = party->endpoint[side];
                const struct inventory *inventory = world_inventory(build->worlds[side]);
                uint32_t word;

                strbuf_putc(buf, endpoint ? '+' : '-');
                if (!endpoint)
                        continue;

                word = world_identity(build->worlds[side], (size_t)(endpoint - inventory->endpoints));
                strbuf_add(buf, (const char *)&word, sizeof(word));
                word = (uint32_t)endpoint->addrs_len;
                strbuf_add(buf, (const char *)&word, sizeof(word));
                for (size_t i = 0; i < endpoint->addrs_len; i++) {
                        word = cuts_below(cuts, &endpoint->addrs[i]);
                        strbuf_putc(buf, (char)endpoint->addrs[i].family);
                        strbuf_add(buf, (const char *)&word, sizeof(word));
                }
        }

        return strbuf_check(buf);
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
