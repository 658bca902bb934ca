/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies resolved against an inventory: who is selected by what, in which class, and what a class says to a
 * peer, port by port, with the rule that decided. compile, matrix and explain all ask here, so what one of
 * them says is what the others do. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/settings.h>

/* Why a flow is allowed or denied in one direction. */
struct cause {
        enum action action; /* ACTION_ALLOW or ACTION_DENY */
        enum tier tier;
        const struct policy *policy; /* TIER_DEFAULT: NULL */
        const struct rule *rule;     /* NULL: the policy isolates, and nothing allowed it; or TIER_DEFAULT */
};

/* A run of ports with one cause. */
struct profile_span {
        uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
        struct port_range ports;
        struct cause cause;
};

/* A verdict as a function of protocol and destination port. Equal profiles of one class are the same object. */
struct profile {
        uint32_t id;                /* unique in the world */
        struct profile_span *spans; /* TCP, UDP, SCTP in this order; each covers 0..65535 without a gap */
        size_t spans_len;
        struct cause other; /* every protocol without ports */
};

struct world;

/* Borrows policies, inventory and settings, all sealed, which must outlive it. 0 or -ENOMEM. */
int world_new(struct world **ret, const struct policy_set *policies, const struct inventory *inventory,
              const struct settings *settings);
struct world *world_free(struct world *world);
DEFINE_CLEANUP(struct world *, world_free)

const struct inventory *world_inventory(const struct world *world);
const struct policy_set *world_policies(const struct world *world);

/* A namespace's labels, from the inventory and the policy files' Namespace objects together. */
const struct label_set *world_namespace_labels(const struct world *world, const char *ns);

/* Number of subject classes of a direction, and the class of endpoint (an index into inventory->endpoints).
 * Endpoints of one class are treated alike in that direction, whoever the peer. A host-network endpoint has none:
 * UINT32_MAX. */
size_t world_classes(const struct world *world, enum direction direction);
uint32_t world_class(const struct world *world, enum direction direction, size_t endpoint);

/* What selectors and port names see of an endpoint: those with the same number differ, to the policies, in their
 * addresses alone. UINT32_MAX for a host-network endpoint. */
uint32_t world_identity(const struct world *world, size_t endpoint);

/* How many identities there are; they are numbered from 0. */
size_t world_identities(const struct world *world);

/* The identities that an endpoint of this one may be able to open something to: all of those, and few others. To whatever
 * is not among them nothing passes. Its own is among them where that holds between two of its endpoints. Endpoints of the
 * host network have no identity and are not spoken of. ret has room for all identities and becomes ascending. 0 or -ENOMEM. */
int world_reach(struct world *world, uint32_t identity, uint32_t *ret, size_t *ret_len);

/* True if some NetworkPolicy isolates the class. */
bool world_class_is_isolated(const struct world *world, enum direction direction, uint32_t class);

/* The policies that select the class, in the order in which they decide. */
size_t world_class_policies(const struct world *world, enum direction direction, uint32_t class,
                            const struct policy *const **ret);

#define WORLD_OUTSIDE SIZE_MAX

/* What the class says to a peer: endpoint is an index into inventory->endpoints or WORLD_OUTSIDE; addr is the address
 * it is met under, or NULL where it has none (no ipBlock matches it then). *ret is the world's. 0 or -ENOMEM. */
int world_profile(struct world *world, enum direction direction, uint32_t class, size_t endpoint,
                  const struct addr *addr, const struct profile **ret);

/* The outside, cut where the class's verdicts change: disjoint ranges that together cover the family, each with its
 * profile; neighbours differ. ranges is the world's. 0 or -ENOMEM. */
struct world_range {
        struct addr_range range;
        const struct profile *profile;
};
int world_outside(struct world *world, enum direction direction, uint32_t class, enum addr_family family,
                  const struct world_range **ret, size_t *ret_len);

/* The span that holds a port, or the profile's cause for a protocol without ports. */
const struct cause *profile_at(const struct profile *profile, uint8_t protocol, uint16_t port);

bool cause_equal(const struct cause *a, const struct cause *b);
