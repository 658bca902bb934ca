/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A generated world on trial: loaded, resolved and compiled, and held against the oracle packet by packet. */
#pragma once

#include <vethwall/compile.h>
#include <vethwall/strbuf.h>

#include "gen.h"

struct trial {
        struct gen_loaded loaded;
        struct oracle oracle;
        struct world *world;
        struct ruleset *ruleset;
};

/* 0, -ENOMEM, or -EINVAL where the loaders refused the world. What gen points to must outlive the trial. */
int trial_init(struct trial *ret, const struct gen_world *gen, const struct gen_order *order);
void trial_fini(struct trial *trial);

/* The packet as the ruleset sees it. */
struct rs_packet trial_packet(const struct oracle_packet *packet);

/* True where everything agrees: the interpreted ruleset's verdict with the oracle's, the rules it names with what the
 * oracle says of those rules, the world's profiles with the oracle's word on each side, and explanations with all of them
 * and with the very rule that the ruleset names. Else why says what does not. */
bool trial_agrees(struct trial *trial, const struct oracle_packet *packet, struct strbuf *why);

/* Drops pieces of the world as long as the packet still does not agree. */
void trial_shrink(struct gen_world *gen, const struct oracle_packet *packet);

/* The world's files and the packet, for replaying by hand. */
void trial_print(const struct gen_world *gen, const struct oracle_packet *packet);
