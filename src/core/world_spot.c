/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spots: the addresses of one identity that no block of any policy tells apart. What is asked of every address of every
 * endpoint is asked of a spot once. */
#include <errno.h>
#include <string.h>

#include "cuts.h"
#include "world_internal.h"

/* How many blocks cover each interval between cuts; those that none covers are one. */
static int32_t *count_cover(const struct world *world, const struct cuts *cuts)
{
        int32_t *cover = calloc(cuts->len + 1, sizeof(*cover));

        if (!cover)
                return NULL;
        for (enum direction d = 0; d < DIR_MAX; d++) {
                for (size_t i = 0; i < world->rules_len[d]; i++) {
                        const struct rule *rule = world->rules[d][i].rule;

                        for (size_t j = 0; j < rule->peers_len; j++) {
                                struct addr_range range;
                                struct addr end;

                                if (rule->peers[j].kind != PEER_BLOCK)
                                        continue;
                                range = prefix_range(&rule->peers[j].cidr);
                                cover[cuts_below(cuts, &range.first)]++;
                                if (cuts_after(&range, &end))
                                        cover[cuts_below(cuts, &end)]--;
                        }
                }
        }
        for (size_t i = 1; i <= cuts->len; i++)
                cover[i] += cover[i - 1];
        return cover;
}

#define UNCOVERED UINT32_MAX

struct spot_key {
        uint32_t identity;
        uint32_t family; /* ADDR_FAMILY_MAX: no address */
        uint32_t interval;
};

/* The number of the key's spot, a new one where there is none yet. */
static int find_spot(struct world *world, struct str_index *index, const struct spot_key *key, uint32_t endpoint,
                     const struct addr *addr, uint32_t *ret)
{
        struct spot *spot;
        void *copy;
        int r;

        if (str_index_get(index, key, sizeof(*key), ret)) {
                spot = &world->spots[*ret];
                if (spot->others == NONE && spot->endpoint != endpoint)
                        spot->others = endpoint;
                return 0;
        }
        copy = arena_memdup(world->arena, key, sizeof(*key));
        if (!copy)
                return -ENOMEM;
        r = array_reserve(&world->spots, &world->spots_cap, world->spots_len + 1, sizeof(*world->spots));
        if (r < 0)
                return r;
        *ret = (uint32_t)world->spots_len;
        r = str_index_put(index, copy, sizeof(*key), *ret);
        if (r < 0)
                return r;
        world->spots[world->spots_len++] = (struct spot){
                .identity = key->identity,
                .endpoint = endpoint,
                .others = NONE,
                .covered = key->interval != UNCOVERED,
                .addr = addr,
        };
        return 0;
}

static int number_addrs(struct world *world, const struct cuts *cuts, const int32_t *cover)
{
        const struct inventory *inventory = world->inventory;
        _cleanup_(str_index_fini) struct str_index index = STR_INDEX_INIT;

        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i];
                struct spot_key key = {world->endpoint_identity[i], ADDR_FAMILY_MAX, UNCOVERED};
                uint32_t *slots = world->addr_spots + world->endpoint_addrs[i];

                for (size_t j = 0; j < endpoint->addrs_len || j == 0; j++) {
                        const struct addr *addr = endpoint->addrs_len > 0 ? &endpoint->addrs[j] : NULL;
                        int r;

                        if (addr) {
                                key.family = addr->family;
                                key.interval = cuts_below(cuts, addr);
                                if (cover[key.interval] == 0)
                                        key.interval = UNCOVERED;
                        }
                        r = find_spot(world, &index, &key, (uint32_t)i, addr, &slots[j]);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* Lists each identity's spots. */
static int list_spots(struct world *world)
{
        uint32_t *items = arena_array(world->arena, world->spots_len, sizeof(*items));
        size_t at = 0;

        if (!items)
                return -ENOMEM;
        for (size_t i = 0; i < world->identities_len; i++)
                world->identities[i].spots_len = 0;
        for (size_t i = 0; i < world->spots_len; i++)
                if (world->spots[i].identity != NONE)
                        world->identities[world->spots[i].identity].spots_len++;
        for (size_t i = 0; i < world->identities_len; i++) {
                struct identity *identity = &world->identities[i];

                identity->spots = items + at;
                at += identity->spots_len;
                identity->spots_len = 0;
        }
        for (size_t i = 0; i < world->spots_len; i++) {
                struct identity *identity;

                if (world->spots[i].identity == NONE)
                        continue;
                identity = &world->identities[world->spots[i].identity];
                identity->spots[identity->spots_len++] = (uint32_t)i;
        }
        return 0;
}

int world_find_spots(struct world *world)
{
        const struct inventory *inventory = world->inventory;
        _cleanup_(cuts_fini) struct cuts cuts = {0};
        _cleanup_free_ int32_t *cover = NULL;
        int r;

        if (world->spots_known)
                return 0;
        world->spots_len = 0;
        world->endpoint_addrs = arena_array(world->arena, inventory->endpoints_len + 1, sizeof(*world->endpoint_addrs));
        if (!world->endpoint_addrs)
                return -ENOMEM;
        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                size_t len = inventory->endpoints[i].addrs_len;

                world->endpoint_addrs[i + 1] = world->endpoint_addrs[i] + (len > 0 ? (uint32_t)len : 1);
        }
        world->addr_spots =
                arena_array(world->arena, world->endpoint_addrs[inventory->endpoints_len], sizeof(*world->addr_spots));
        if (!world->addr_spots)
                return -ENOMEM;
        r = cuts_collect(&cuts, world->policies);
        if (r < 0)
                return r;
        cuts_sort(&cuts);
        cover = count_cover(world, &cuts);
        if (!cover)
                return -ENOMEM;
        r = number_addrs(world, &cuts, cover);
        if (r == 0)
                r = list_spots(world);
        world->spots_known = r == 0;
        return r;
}
