/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's table of connections, as values. Address translation has a connection go by two pairs of ends: as its first
 * packet came, and as the answers come. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/base.h>

/* Ports in host byte order; 0 for protocols without. */
struct ct_tuple {
        struct addr src, dst;
        uint16_t sport, dport;
};

struct ct_flow {
        uint8_t protocol;
        struct ct_tuple original; /* of the first packet, before any translation: src is who asks */
        struct ct_tuple
                reply; /* of an answer, before any translation back: src is who answers, whatever was asked for */
        uint16_t zone;
        struct {
                uint16_t id; /* in host byte order */
                uint8_t type, code;
        } icmp;       /* of the first packet; ICMP and ICMPv6 only */
        bool replied; /* both ends have spoken: its packets are established ones, closing or not */
        bool related; /* another connection expected it, which policy was asked about */
        bool open;    /* both ends have spoken, and none has closed it */
};

/* What policy speaks of: who asks, before his address is translated, and who and which port answers. */
static inline const struct addr *ct_flow_src(const struct ct_flow *flow)
{
        return &flow->original.src;
}

static inline const struct addr *ct_flow_dst(const struct ct_flow *flow)
{
        return &flow->reply.src;
}

static inline uint16_t ct_flow_port(const struct ct_flow *flow)
{
        return flow->reply.sport;
}

struct conntrack;

/* Speaks to the kernel of the network namespace that the process is in. 0 or a negative errno. */
int conntrack_open(struct conntrack **ret);
struct conntrack *conntrack_close(struct conntrack *conntrack);
DEFINE_CLEANUP(struct conntrack *, conntrack_close)

/* Calls cb with each connection of either family, in no order; it is good for the call. What cb returns other than 0 ends
 * it and is returned; else 0 or a negative errno. */
typedef int (*conntrack_cb)(void *user, const struct ct_flow *flow);
int conntrack_dump(struct conntrack *conntrack, conntrack_cb cb, void *user);

/* Takes the connection of this original tuple and zone out of the table: its next packet begins a new one. 0, -ENOENT where
 * it is gone already, or another negative errno. */
int conntrack_delete(struct conntrack *conntrack, const struct ct_flow *flow);

/* For a TCP connection that was deleted. The kernel takes up what runs without being in its table, and begins with
 * whichever end speaks next: what the server of a connection sends on would be taken for one that the server opened. This
 * makes all that it sends on invalid, for as long as it may try again. 0, -EEXIST where a packet was faster, or another
 * negative errno. */
int conntrack_block(struct conntrack *conntrack, const struct ct_flow *flow);
