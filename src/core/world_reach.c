/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which identities can be reached from one at all. Most pairs of a guarded host have nothing to say to each other; what asks
 * for all flows need not ask about those. */
#include <errno.h>
#include <string.h>

#include "world_internal.h"

static bool profile_allows(const struct profile *profile)
{
        for (size_t i = 0; i < profile->spans_len; i++)
                if (profile->spans[i].cause.action == ACTION_ALLOW)
                        return true;
        return profile->other.action == ACTION_ALLOW;
}

/* Whether a class lets anything pass to or from a peer that it knows nothing of. 0 or -ENOMEM. */
static int find_open(struct world *world, enum direction direction, uint32_t class)
{
        struct class *c = &world->classes[direction][class];
        const struct profile *profile;
        int r;

        r = world_resolve_class(world, direction, class);
        if (r < 0)
                return r;
        if (direction == DIR_EGRESS && c->has_names && world->lists[c->any_list].len > 0) {
                /* What a name means is the peer's affair. */
                c->open = true;
                return 0;
        }
        r = world_profile(world, direction, class, WORLD_OUTSIDE, NULL, &profile);
        if (r < 0)
                return r;
        c->open = profile_allows(profile);
        return 0;
}

static int find_all_open(struct world *world)
{
        int r = world_find_spots(world);

        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t i = 0; r == 0 && i < world->classes_len[d]; i++)
                        r = find_open(world, d, i);
        return r;
}

/* Whether some selector or block of the class has the identity. */
static bool class_knows(const struct world *world, const struct class *class, uint32_t id)
{
        const struct identity *identity = &world->identities[id];

        if (class_peer_list(class, id) != NONE)
                return true;
        if (class->blocks_len[ADDR_V4] + class->blocks_len[ADDR_V6] == 0)
                return false;
        for (size_t i = 0; i < identity->spots_len; i++) {
                const struct spot *spot = &world->spots[identity->spots[i]];

                if (spot->covered && class_blocks_at(class, spot->addr) != NONE)
                        return true;
        }
        return false;
}

static bool may_enter(const struct world *world, uint32_t src, uint32_t dst)
{
        const struct class *in = &world->classes[DIR_INGRESS][world->identities[dst].class[DIR_INGRESS]];

        return in->open || class_knows(world, in, src);
}

int world_reach(struct world *world, uint32_t identity, uint32_t *ret, size_t *ret_len)
{
        const struct class *out = &world->classes[DIR_EGRESS][world->identities[identity].class[DIR_EGRESS]];
        size_t len = 0;

        if (!world->open_known) {
                int r = find_all_open(world);

                if (r < 0)
                        return r;
                world->open_known = true;
        }

        if (!out->open && out->blocks_len[ADDR_V4] + out->blocks_len[ADDR_V6] == 0) {
                for (size_t i = 0; i < out->peers_len; i++)
                        if (may_enter(world, identity, out->peers[i]))
                                ret[len++] = out->peers[i];
        } else {
                for (uint32_t i = 0; i < world->identities_len; i++)
                        if ((out->open || class_knows(world, out, i)) && may_enter(world, identity, i))
                                ret[len++] = i;
        }
        *ret_len = len;
        return 0;
}
