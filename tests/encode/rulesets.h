/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rulesets for tests of the nftables room: one with every form there is, and random ones. */
#pragma once

#include <stdint.h>

#include <vethwall/ruleset.h>

/* Sealed. ct: rules of the bridge table may look at connections, which not every kernel can. */
struct ruleset *ruleset_sample(bool bridge_ct);

/* Sealed, and such that the kernel takes it. Equal seeds give equal rulesets; names and keys come from small pools, so
 * that two of them have much in common. */
struct ruleset *ruleset_random(uint64_t seed);

/* An inet table with one base chain and one map of len IPv4 addresses. */
struct ruleset *ruleset_large(uint32_t len);
