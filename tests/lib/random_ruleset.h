/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random rulesets that the kernel accepts, for tests of the model, the text, the difference and the encoding. */
#pragma once

#include <vethwall/ruleset.h>

struct random_ruleset {
        uint64_t seed;
        uint64_t salt;    /* rulesets of one seed and different salts are alike ... */
        unsigned change;  /* ... but for so many percent of their objects */
        uint64_t shuffle; /* the order in which objects are added */
};

/* Sealed. 0 or -ENOMEM. */
int random_ruleset(struct ruleset **ret, const struct random_ruleset *how);
