/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink messages as plain values: no socket and no state, so that any bytes can be tried on it. */
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include <link/link.h>
#include <vethwall/addr.h>

enum link_message_kind {
        LINK_MESSAGE_OTHER,     /* nothing that this room looks at */
        LINK_MESSAGE_LINK,      /* a link is there */
        LINK_MESSAGE_LINK_GONE, /* it was deleted, or moved to another namespace */
        LINK_MESSAGE_ADDR,      /* an address came or changed */
        LINK_MESSAGE_ADDR_GONE,
        LINK_MESSAGE_NSID, /* an id for a namespace came */
        LINK_MESSAGE_NSID_GONE,
};

struct link_message {
        enum link_message_kind kind;

        /* _LINK, _LINK_GONE. link.generation is 0. */
        struct link link;
        bool paired;      /* the message knows the peer: link.netnsid and link.peer say where it is */
        bool has_netnsid; /* the peer is in another namespace than the link */
        bool moved;       /* _LINK_GONE: the link lives on in another namespace */

        /* _ADDR, _ADDR_GONE */
        struct addr addr;
        bool addr_is_usable; /* scope global or site, and not the loopback device's */

        int32_t nsid; /* _NSID, _NSID_GONE; -1: the namespace has no id */
};

/* One message whose header and length were checked by the caller (nlmsg_ok()). 0, or -EBADMSG; *ret is then
 * unchanged. */
int link_decode(const struct nlmsghdr *header, struct link_message *ret);

/* The two flags of a bridge that let its packets pass the inet hooks. */
struct bridge_message {
        uint32_t ifindex;
        bool is_bridge;
        bool call_iptables;
        bool call_ip6tables;
};

/* A RTM_NEWLINK message. 0 or -EBADMSG. */
int bridge_decode(const struct nlmsghdr *header, struct bridge_message *ret);
