/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoding with a memory of where the last message belonged: dumps come ordered by chain and set, and looking each up
 * from the beginning would take quadratic time. */
#pragma once

#include <stddef.h>

#include <vethwall/ruleset.h>

struct nlmsghdr;

struct decoder {
        struct ruleset *ruleset;
        size_t chain; /* in its table; only a hint */
        size_t set;
};

/* As nft_decode(). */
int decoder_add(struct decoder *decoder, const struct nlmsghdr *message);
