/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of each rule in the census. Private to the core. */
#pragma once

#include "lint_census.h"

struct lint_fate {
        const struct lint_flow *flow; /* one that it holds for; NULL: there is none */
        bool alive;                   /* it decides something */
        /* Of a dead one, after lint_blame(): the fewest that decide in its stead wherever it holds. NONE stands for isolation by
         * NetworkPolicies. */
        uint32_t blamed[LINT_PLACES_MAX];
        size_t blamed_len;
        size_t more; /* so many are left out of blamed */
};

/* Finds who decides in the stead of every rule that is dead. fates: per rule of the direction. */
void lint_blame(struct lint *lint, enum direction direction, struct lint_fate *fates);

/* Reports the rules that are alive and do not decide all that they speak of. */
void lint_parts(struct lint *lint, enum direction direction, const struct lint_fate *fates);
