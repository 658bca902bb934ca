/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-agree [SEED [WORLDS [PACKETS]]]: for random worlds and random packets, the compiled ruleset, interpreted, says what
 * the oracle reads in the policies; and how a world is written down makes no difference. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trial.h"

struct tally {
        uint64_t packets, allowed, own_host;
        uint64_t tiers[DIR_MAX][TIER_MAX];
};

static void count(struct tally *tally, const struct trial *trial, const struct oracle_packet *packet)
{
        ++tally->packets;
        tally->allowed += oracle_allows(&trial->oracle, packet);
        tally->own_host += packet->own_host;
        for (enum direction d = 0; d < DIR_MAX; ++d) {
                struct oracle_side side = oracle_side(&trial->oracle, packet, d);

                if (side.subject)
                        ++tally->tiers[d][side.tier];
        }
}

static bool try_packets(struct gen_world *gen, struct trial *trial, uint32_t packets, struct tally *tally)
{
        _cleanup_(gen_targets_fini) struct gen_targets targets = {.ports = NULL};
        _cleanup_(strbuf_fini) struct strbuf why = STRBUF_INIT;
        struct rng rng = rng_for(gen->seed, 1, 1);
        struct oracle_packet packet;

        if (gen_targets(&targets, &trial->loaded) < 0)
                return false;
        for (uint32_t i = 0; i < packets; ++i) {
                gen_packet(&packet, &rng, &trial->oracle, &targets);
                count(tally, trial, &packet);
                if (trial_agrees(trial, &packet, &why))
                        continue;
                printf("# %s\n", why.text);
                trial_shrink(gen, &packet);
                trial_print(gen, &packet);
                return false;
        }
        return true;
}

/* The same objects in another order, in other files of other names: the same text. */
static bool try_order(const struct gen_world *gen, const struct trial *trial)
{
        _cleanup_(strbuf_fini) struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
        struct trial other;
        bool same;

        if (trial_init(&other, gen, &(struct gen_order){.shuffle = 1, .rename = true}) < 0)
                return false;
        ruleset_text(&a, trial->ruleset, false);
        ruleset_text(&b, other.ruleset, false);
        same = strbuf_check(&a) == 0 && strbuf_check(&b) == 0 && strcmp(a.text, b.text) == 0;
        if (!same)
                printf("# the order of the input changes the ruleset; first:\n%s# then:\n%s", a.text, b.text);
        trial_fini(&other);
        return same;
}

static bool try_world(uint64_t seed, uint32_t packets, struct tally *tally)
{
        _cleanup_(gen_world_fini) struct gen_world gen = {.pieces = NULL};
        struct trial trial;
        bool ok;

        if (gen_world(&gen, seed) < 0 || trial_init(&trial, &gen, &(struct gen_order){0}) < 0)
                return false;
        ok = try_packets(&gen, &trial, packets, tally) && try_order(&gen, &trial);
        trial_fini(&trial);
        return ok;
}

/* A generator that never isolates anything, or always does, would agree with everything. */
static bool is_balanced(const struct tally *tally)
{
        uint64_t some = tally->packets / 100;

        for (enum direction d = 0; d < DIR_MAX; ++d)
                for (enum tier t = 0; t < TIER_MAX; ++t)
                        if (tally->tiers[d][t] < some)
                                return false;
        return tally->allowed > tally->packets / 5 && tally->allowed < tally->packets / 5 * 4 && tally->own_host > some;
}

int main(int argc, char **argv)
{
        uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
        uint64_t worlds = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000;
        uint32_t packets = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 500;
        struct tally tally = {0};

        for (uint64_t i = 0; i < worlds; ++i)
                if (!try_world(seed + i, packets, &tally)) {
                        printf("not ok: %s %" PRIu64 " 1 %u shows it again\n", argv[0], seed + i, packets);
                        return 1;
                }
        printf("%" PRIu64 " packets in %" PRIu64 " worlds from seed %" PRIu64 ": %" PRIu64 " allowed, %" PRIu64
               " with the host itself\n",
               tally.packets, worlds, seed, tally.allowed, tally.own_host);
        for (enum direction d = 0; d < DIR_MAX; ++d)
                printf("%s decided by tier: %" PRIu64 " Admin, %" PRIu64 " NetworkPolicy, %" PRIu64
                       " Baseline, %" PRIu64 " default\n",
                       direction_name(d), tally.tiers[d][TIER_ADMIN], tally.tiers[d][TIER_NETWORK_POLICY],
                       tally.tiers[d][TIER_BASELINE], tally.tiers[d][TIER_DEFAULT]);
        if (worlds >= 100 && !is_balanced(&tally)) {
                printf("not ok: the packets are all of one kind\n");
                return 1;
        }
        return 0;
}
