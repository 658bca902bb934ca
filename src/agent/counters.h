/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each rule of each policy decided, summed over the kernel's elements and rules, as totals that never go backwards:
 * when elements go away, what they had counted is carried on. */
#pragma once

#include <stddef.h>

#include <vethwall/ruleset.h>

struct counter_row {
        char *ns;           /* owned; "" for a cluster-wide policy or where no policy decided */
        char *policy;       /* owned; "" where no policy decided */
        const char *reason; /* static storage */
        int32_t rule;       /* -1: no rule, the default */
        enum direction direction;
        enum action action;
        struct rs_counter carried; /* of what the kernel does not hold any more */
        struct rs_counter current; /* of what it held when last read */
};

struct counters {
        struct counter_row *rows; /* owned; sorted by ns, policy, direction, rule, action, reason */
        size_t len, cap;
};

#define COUNTERS_INIT                                                                                                  \
        {                                                                                                              \
                NULL, 0, 0                                                                                             \
        }

void counters_fini(struct counters *counters);

/* Takes the kernel's counters anew. actual must be at least as recent as in the last call; compiled is the ruleset it was
 * made from, which knows the origins. 0 or -ENOMEM (the rows are then as before, or some still lack). */
int counters_update(struct counters *counters, const struct ruleset *compiled, const struct ruleset *actual);

static inline struct rs_counter counter_total(const struct counter_row *row)
{
        return (struct rs_counter){row->carried.packets + row->current.packets,
                                   row->carried.bytes + row->current.bytes};
}
