/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses at which what policies say of addresses can change. Private to the core. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/policy.h>

/* The addresses at which some block begins or has ended, sorted and unique, IPv4 before IPv6. Between two of them all
 * addresses are alike. */
struct cuts {
        struct addr *items; /* owned */
        size_t len, cap;
};

void cuts_fini(struct cuts *cuts);

/* Adds those of every block that a policy of the set names where it applies. 0 or -ENOMEM. */
int cuts_collect(struct cuts *cuts, const struct policy_set *set);

/* After the last was collected, before anything is asked. */
void cuts_sort(struct cuts *cuts);

/* How many cuts are at or below the address: the number of its interval. */
uint32_t cuts_below(const struct cuts *cuts, const struct addr *addr);

/* The cut where a range has ended; false where nothing comes after it. */
bool cuts_after(const struct addr_range *range, struct addr *ret);
