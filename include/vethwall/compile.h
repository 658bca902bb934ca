/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From policies and inventory to the nftables ruleset that enforces them. */
#pragma once

#include <vethwall/ruleset.h>
#include <vethwall/world.h>

#define RULESET_TABLE "vethwall"

/* The complete ruleset, sealed. Deterministic: equal input gives an equal ruleset, in whatever order it was
 * filled in, and names of chains and maps stay the same while what they stand for does. Counts on settings given to
 * world_new(). 0 or -ENOMEM. */
int compile(struct ruleset **ret, struct world *world);
