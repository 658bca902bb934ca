/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-change [SEED [WORLDS]]: the difference between the rulesets of a random world and of the same world without some of
 * its pieces, carried out on the one, gives the other; and it never takes a table away that is in force. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/diff.h>

#include "trial.h"

struct tally {
        size_t changes, ops, empty;
};

static bool try_plan(const struct ruleset *from, const struct ruleset *to, struct tally *tally)
{
        _cleanup_(ruleset_freep) struct ruleset *after = NULL;
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        const char *failure = NULL;
        int r;

        if (ruleset_diff(&plan, from, to, true) < 0)
                return false;
        r = ruleset_apply(&after, from, &plan);
        if (r < 0)
                failure = strerror(-r);
        else if (!ruleset_equal(after, to))
                failure = "the plan leads elsewhere";
        for (size_t i = 0; i < plan.len; ++i)
                if (plan.ops[i].kind == PLAN_DEL_TABLE)
                        failure = "the plan replaces the table";
        if (failure) {
                _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

                plan_text(&buf, &plan);
                printf("# %s:\n%s", failure, strbuf_check(&buf) == 0 ? buf.text : "");
        }
        ++tally->changes;
        tally->ops += plan.len;
        tally->empty += plan.len == 0;
        return !failure;
}

/* Drops one piece, or some of all. */
static void drop(struct gen_world *gen)
{
        struct rng rng = rng_for(gen->seed, 4, 4);

        if (gen->len > 0 && rng_chance(&rng, 50)) {
                gen->pieces[rng_below(&rng, (uint32_t)gen->len)].dropped = true;
                return;
        }
        for (size_t i = 0; i < gen->len; ++i)
                gen->pieces[i].dropped = rng_chance(&rng, 15);
}

static bool try_world(uint64_t seed, struct tally *tally)
{
        _cleanup_(gen_world_fini) struct gen_world gen = {.pieces = NULL};
        struct trial whole, part;
        bool ok;

        if (gen_world(&gen, seed) < 0 || trial_init(&whole, &gen, &(struct gen_order){0}) < 0)
                return false;
        drop(&gen);
        ok = trial_init(&part, &gen, &(struct gen_order){0}) == 0;
        if (ok) {
                ok = try_plan(whole.ruleset, part.ruleset, tally) && try_plan(part.ruleset, whole.ruleset, tally) &&
                     try_plan(whole.ruleset, whole.ruleset, &(struct tally){0});
                trial_fini(&part);
        }
        trial_fini(&whole);
        return ok;
}

int main(int argc, char **argv)
{
        uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
        uint64_t worlds = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000;
        struct tally tally = {0};

        for (uint64_t i = 0; i < worlds; ++i)
                if (!try_world(seed + i, &tally)) {
                        printf("not ok: %s %" PRIu64 " 1 shows it again\n", argv[0], seed + i);
                        return 1;
                }
        printf("%zu changes from seed %" PRIu64 ": %zu operations, %zu changes without any\n", tally.changes, seed,
               tally.ops, tally.empty);
        if (worlds >= 100 && tally.empty > tally.changes / 2) {
                printf("not ok: most changes change nothing\n");
                return 1;
        }
        return 0;
}
