/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-reach [SEED [WORLDS]]: in random worlds nothing passes between two endpoints where world_reach() leaves out the one's
 * identity, and it leaves out some. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/world.h>

#include "gen.h"

struct tally {
        size_t pairs, listed, passing;
};

static bool has(const uint32_t *items, size_t len, uint32_t item)
{
        for (size_t i = 0; i < len; i++)
                if (items[i] == item)
                        return true;
        return false;
}

static bool spans_meet(const struct profile *out, const struct profile *in)
{
        if (out->other.action == ACTION_ALLOW && in->other.action == ACTION_ALLOW)
                return true;
        for (size_t i = 0; i < out->spans_len; i++) {
                const struct profile_span *a = &out->spans[i];

                for (size_t j = 0; j < in->spans_len; j++) {
                        const struct profile_span *b = &in->spans[j];

                        if (a->protocol == b->protocol && a->ports.first <= b->ports.last &&
                            b->ports.first <= a->ports.last && a->cause.action == ACTION_ALLOW &&
                            b->cause.action == ACTION_ALLOW)
                                return true;
                }
        }
        return false;
}

/* Under any addresses, of one family or not. */
static int passes(struct world *world, size_t src, size_t dst, bool *ret)
{
        const struct endpoint *a = &world_inventory(world)->endpoints[src],
                              *b = &world_inventory(world)->endpoints[dst];

        *ret = false;
        for (size_t i = 0; i == 0 || i < a->addrs_len; i++) {
                for (size_t j = 0; j == 0 || j < b->addrs_len; j++) {
                        const struct profile *out, *in;
                        int r = world_profile(world, DIR_EGRESS, world_class(world, DIR_EGRESS, src), dst,
                                              b->addrs_len > 0 ? &b->addrs[j] : NULL, &out);

                        if (r == 0)
                                r = world_profile(world, DIR_INGRESS, world_class(world, DIR_INGRESS, dst), src,
                                                  a->addrs_len > 0 ? &a->addrs[i] : NULL, &in);
                        if (r < 0)
                                return r;
                        *ret |= spans_meet(out, in);
                }
        }
        return 0;
}

static int check_source(struct world *world, size_t src, uint32_t *reach, struct tally *tally)
{
        const struct inventory *inventory = world_inventory(world);
        size_t len;
        int r = world_reach(world, world_identity(world, src), reach, &len);

        for (size_t i = 1; r == 0 && i < len; i++)
                if (reach[i - 1] >= reach[i])
                        return -EINVAL;
        for (size_t dst = 0; r == 0 && dst < inventory->endpoints_len; dst++) {
                uint32_t identity = world_identity(world, dst);
                bool listed, passing;

                if (dst == src || identity == UINT32_MAX)
                        continue;
                r = passes(world, src, dst, &passing);
                if (r < 0)
                        return r;
                listed = has(reach, len, identity);
                tally->pairs++;
                tally->listed += listed;
                tally->passing += passing;
                if (!listed && passing) {
                        fprintf(stderr, "%s/%s reaches %s/%s, which is not listed\n", inventory->endpoints[src].ns,
                                inventory->endpoints[src].name, inventory->endpoints[dst].ns,
                                inventory->endpoints[dst].name);
                        return -EINVAL;
                }
        }
        return r;
}

static int check_world(uint64_t seed, void *user)
{
        struct tally *tally = user;
        _cleanup_(gen_world_fini) struct gen_world gen = {0};
        _cleanup_(gen_loaded_fini) struct gen_loaded loaded = {0};
        _cleanup_(world_freep) struct world *world = NULL;
        _cleanup_free_ uint32_t *reach = NULL;
        int r;

        r = gen_world(&gen, seed);
        if (r == 0)
                r = gen_load(&loaded, &gen, &(struct gen_order){0});
        if (r == 0)
                r = world_new(&world, loaded.policies, loaded.inventory, &gen.settings);
        if (r < 0)
                return r;
        reach = calloc(world_identities(world) + 1, sizeof(*reach));
        if (!reach)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < loaded.inventory->endpoints_len; i++)
                if (world_identity(world, i) != UINT32_MAX)
                        r = check_source(world, i, reach, tally);
        return r;
}

int main(int argc, char **argv)
{
        struct tally tally = {0};

        if (!gen_run(argc, argv, 400, check_world, &tally, NULL))
                return 1;
        printf("%zu pairs, %zu listed, %zu pass something\n", tally.pairs, tally.listed, tally.passing);
        return tally.listed < tally.pairs && tally.passing > 0 ? 0 : 1;
}
