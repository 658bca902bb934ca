/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has an address: the way from what packets carry to the endpoints that policy speaks of. */
#pragma once

#include <stddef.h>

#include <vethwall/addr.h>
#include <vethwall/base.h>
#include <vethwall/explain.h>
#include <vethwall/inventory.h>

struct owner {
        struct addr addr;
        size_t endpoint; /* index into inventory->endpoints */
};

struct owners {
        struct owner *items; /* owned; sorted by address */
        size_t len;
};

/* A host-network endpoint's addresses are the host's, and have no owner. 0 or -ENOMEM. */
int owners_init(struct owners *ret, const struct inventory *inventory);
void owners_fini(struct owners *owners);

/* An endpoint, or WORLD_OUTSIDE. */
size_t owners_find(const struct owners *owners, const struct addr *addr);
/* The same as one side of a flow. */
struct explain_party owners_party(const struct owners *owners, const struct addr *addr);
