/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a world, shared by the files that build it, ask it for profiles, and compile it.
 *
 * Theory of operation. Nothing here is per endpoint where it can be per class:
 *   identity  endpoints that no selector in use can tell apart: same namespace, same values of the label keys
 *             that selectors name, same numbers for the port names that policies name
 *   spot      the addresses of an identity that no block tells apart
 *   group     the identities that one peer entry selects; equal entries share one group
 *   class     the identities that the same policies select in a direction (and, for ingress, that resolve the
 *             port names of these policies alike)
 *   rule list the rules of a class that match a peer, in the order in which they decide; it determines the
 *   profile   verdict and deciding rule for every protocol and port; profiles are shared by content */
#pragma once

#include <vethwall/strbuf.h>
#include <vethwall/world.h>

#include "index.h"

#define NONE UINT32_MAX

struct identity {
        uint32_t ns;              /* index into world.namespaces */
        struct label_set labels;  /* only keys that some pod selector names */
        struct named_port *ports; /* only names that some policy names; sorted */
        size_t ports_len;
        uint32_t ports_id;   /* equal where the ports are */
        uint32_t *endpoints; /* indexes into the inventory, ascending */
        size_t endpoints_len;
        size_t addrs_len[ADDR_FAMILY_MAX];
        uint32_t class[DIR_MAX];
        uint32_t *spots; /* ascending; after world_find_spots() */
        size_t spots_len;
};

/* Addresses of one identity that are alike to every policy, or what it is without an address. */
struct spot {
        uint32_t identity;       /* NONE: of the host network, which has none */
        uint32_t endpoint;       /* the first that has it */
        uint32_t others;         /* one more that has it, or NONE */
        bool covered;            /* some block of some policy has it */
        const struct addr *addr; /* one of them; NULL: none */
};

struct group {
        const char *key;      /* canonical text of the peer entry, own namespace resolved */
        const char *ns;       /* the only namespace it reaches into, or NULL; for its name */
        uint32_t *identities; /* ascending */
        size_t len;
        size_t addrs_len[ADDR_FAMILY_MAX];
};

struct world_rule {
        uint32_t policy; /* index into policies->policies */
        const struct rule *rule;
        uint32_t *groups; /* ascending, unique */
        size_t groups_len;
        bool has_blocks;
        bool has_names; /* some port is a name */
};

/* An interval of addresses that the same blocks cover. */
struct block_range {
        struct addr_range range;
        uint32_t list; /* rule list: the rules whose blocks cover it; any-peer rules are not in it */
};

struct class
{
        const struct policy **policies; /* in the order in which they decide */
        uint32_t *policy_ids;
        size_t policies_len;
        const struct policy *isolated_by; /* the first NetworkPolicy among them, or NULL */
        struct named_port *ports;         /* ingress: how the subject resolves the names its policies use */
        size_t ports_len;
        uint32_t *rules; /* indexes into world.rules[direction], ascending */
        size_t rules_len;
        uint32_t *identities; /* members, ascending */
        size_t identities_len;

        /* filled on first use */
        bool resolved;
        bool open;                  /* to a peer that no selector and no block knows */
        bool has_names;             /* some rule names a port */
        uint32_t any_list;          /* rule list: the any-peer rules */
        const struct profile *bare; /* for a peer that no selector and no block knows, where no port has a name */
        const uint32_t *peers;      /* identities that some selector of the class matches, ascending; may be shared */
        const uint32_t *peer_lists; /* for each of peers: its rule list, any-peer rules not in it */
        size_t peers_len;
        struct block_range *blocks[ADDR_FAMILY_MAX]; /* disjoint, ascending; covered space only */
        size_t blocks_len[ADDR_FAMILY_MAX];
        struct world_range *outside[ADDR_FAMILY_MAX];
        size_t outside_len[ADDR_FAMILY_MAX];
};

struct rule_list {
        uint32_t *rules; /* ascending */
        size_t len;
};

struct world {
        struct arena *arena;
        const struct policy_set *policies;
        const struct inventory *inventory;
        const struct settings *settings;

        struct namespace *namespaces; /* sorted by name: the inventory's, the policies' own, the Namespace objects */
        size_t namespaces_len;

        struct identity *identities;
        size_t identities_len;
        uint32_t *ns_identities;     /* per namespace: its first identity; one more for the end */
        uint32_t *endpoint_identity; /* NONE: host network */

        /* filled by world_find_spots() */
        bool spots_known;
        bool open_known;    /* class.open of every class, for world_reach() */
        struct spot *spots; /* owned */
        size_t spots_len, spots_cap;
        uint32_t *endpoint_addrs; /* per endpoint: where its addresses begin in addr_spots; one more for the end. An
                                   * endpoint without an address has one place too */
        uint32_t *addr_spots;

        struct group *groups;
        size_t groups_len, groups_cap;
        struct str_index group_index;

        struct world_rule *rules[DIR_MAX];
        size_t rules_len[DIR_MAX];
        uint32_t *policy_rules[DIR_MAX]; /* per policy: its first rule; one more for the end */

        struct class *classes[DIR_MAX];
        size_t classes_len[DIR_MAX];
        size_t classes_cap[DIR_MAX];

        struct rule_list *lists;
        size_t lists_len, lists_cap;
        struct str_index list_index;
        struct str_index peers_index; /* peers and their lists together */

        struct profile **profiles;
        size_t profiles_len, profiles_cap;
        struct str_index profile_by_list; /* direction, class, lists, and the peer where it resolves names */
        struct str_index profile_by_content;
};

/* Build steps, in this order. 0 or -ENOMEM. */
int world_build_namespaces(struct world *world);
int world_build_identities(struct world *world);

/* Index of a namespace, or NONE. */
uint32_t world_find_namespace(const struct world *world, const char *name);

/* Finds the spots, unless they are known. 0 or -ENOMEM. */
int world_find_spots(struct world *world);

/* Appends what the selector means: equal where selectors are. NULL is another than the one that selects everything. */
void selector_key(struct strbuf *buf, const struct selector *selector);

/* The group of a peer that selects, for a policy of own_ns. 0 or -ENOMEM. */
int world_peer_group(struct world *world, const char *own_ns, const struct peer *peer, uint32_t *ret);

/* The rule list with exactly these rules (ascending). 0 or -ENOMEM. */
int world_intern_list(struct world *world, const uint32_t *rules, size_t len, uint32_t *ret);

/* Fills what a class computes on first use. 0 or -ENOMEM. */
int world_resolve_class(struct world *world, enum direction direction, uint32_t class);

/* The profile of a class for a peer that exactly the union of these lists matches. peer is an identity or NONE; it
 * resolves port names for egress. lists holds up to len list ids; the class's any-peer list is added. */
int world_list_profile(struct world *world, enum direction direction, uint32_t class, const uint32_t *lists, size_t len,
                       uint32_t peer, const struct profile **ret);

/* The blocks' rule list at an address, or NONE where no block covers it. */
uint32_t class_blocks_at(const struct class *class, const struct addr *addr);

/* The selectors' rule list of a peer identity, or NONE. */
uint32_t class_peer_list(const struct class *class, uint32_t identity);
