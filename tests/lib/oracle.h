/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the policies say about one packet, found by reading them from top to bottom each time. It shares no code with the
 * core's world and compiler beyond labels and addresses: that it agrees with them is worth something only because it
 * was written from the meaning of the language alone, with loops and predicates and nothing remembered. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/settings.h>

/* All borrowed. */
struct oracle {
        const struct policy_set *policies;
        const struct inventory *inventory;
        const struct settings *settings;
};

/* The first packet of a flow, forwarded by the host, or (own_host) to or from the host itself. */
struct oracle_packet {
        struct addr saddr, daddr;
        uint8_t protocol;
        bool has_ports;
        uint16_t dport;
        uint8_t icmpv6_type;
        const char *iifname; /* "" where there is none */
        const char *oifname;
        bool own_host;
};

/* One endpoint's word on the packet. */
struct oracle_side {
        const struct endpoint *subject; /* NULL: no endpoint, or one of the host's own; nothing is asked */
        enum action action;             /* ACTION_ALLOW or ACTION_DENY */
        enum tier tier;                 /* the one that decided */
};

/* The endpoint with this address, host-network ones left out; or NULL. */
const struct endpoint *oracle_endpoint(const struct oracle *oracle, const struct addr *addr);

/* Whether the packet gets where it wants to. */
bool oracle_allows(const struct oracle *oracle, const struct oracle_packet *packet);

/* What the source's egress or the destination's ingress says, whatever else holds. */
struct oracle_side oracle_side(const struct oracle *oracle, const struct oracle_packet *packet,
                               enum direction direction);

/* Whether the policy selects the endpoint and speaks about the direction. */
bool oracle_selects(const struct oracle *oracle, const struct policy *policy, const struct endpoint *endpoint,
                    enum direction direction);

/* Whether a rule of the policy's direction matches the packet. */
bool oracle_rule_matches(const struct oracle *oracle, const struct policy *policy, const struct rule *rule,
                         const struct oracle_packet *packet, enum direction direction);
