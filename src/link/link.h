/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's network interfaces, followed by rtnetlink: which links there are, which host veth belongs to
 * which network namespace, which bridge it is a port of, and which addresses the namespace holds. No namespace
 * is entered and none is kept open, since a held one would keep a dead container's links alive. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>

/* A link of the agent's own network namespace. */
struct link {
        uint32_t ifindex;
        char name[IFNAMSIZ];
        char kind[16];   /* IFLA_INFO_KIND: "veth", "bridge", ...; "" where there is none */
        uint32_t master; /* ifindex of the bridge; 0: none */
        int32_t netnsid; /* id of the peer's namespace; -1: the peer is here, or there is none */
        uint32_t peer;   /* ifindex of the peer in its namespace; 0: unknown */
        uint8_t mac[6];
        bool up;
        uint64_t generation; /* new for every link created: ifindex and name are reused */
};

enum link_change_kind {
        LINK_ADDED,
        LINK_CHANGED,
        LINK_REMOVED, /* link is as it was last known */
        LINK_NETNS,   /* of the namespace netnsid: its addresses, its id, or what leads there; link is NULL */
};

struct link_change {
        enum link_change_kind kind;
        const struct link *link;
        int32_t netnsid;
};

/* change NULL: some were missed; every link and address may have changed (the table is already right again). */
typedef void (*link_cb)(void *user, const struct link_change *change);

struct link_stats {
        uint64_t events;
        uint64_t resyncs; /* full dumps after an overflow */
};

struct link_watch;

/* Subscribes, then takes the first dump, so that nothing is missed between. The callback is not called for what
 * the first dump found. 0 or a negative errno. */
int link_watch_new(struct link_watch **ret, link_cb cb, void *user);
struct link_watch *link_watch_free(struct link_watch *watch);

/* Readable when link_watch_dispatch() has something to do. */
int link_watch_fd(const struct link_watch *watch);

/* Reads what is there and calls back. Never blocks. An overflow of the socket is handled inside: a new dump and one
 * callback with NULL. 0 or a negative errno (the watch is then of no more use). */
int link_watch_dispatch(struct link_watch *watch);

void link_watch_stats(const struct link_watch *watch, struct link_stats *ret);

/* The table, in order of ifindex; good until the next dispatch. */
const struct link *link_table(const struct link_watch *watch, size_t *ret_len);
const struct link *link_by_index(const struct link_watch *watch, uint32_t ifindex);
const struct link *link_by_name(const struct link_watch *watch, const char *name);

enum {
        LINK_E_GONE = 1,  /* no such network namespace (any more) */
        LINK_E_OWN = 2,   /* it is the agent's own: the container has no network of its own */
        LINK_E_NO_ID = 3, /* the namespace has no id here: no link of ours leads into it (yet) */
};

/* What leads into a network namespace, found by its id. */
struct link_netns {
        int32_t netnsid;
        const struct link **links; /* owned array; the host ends, in order of ifindex; the table's, as above */
        size_t links_len;
        struct addr *addrs; /* owned; addresses of scope global or site, without loopback's; sorted, unique */
        size_t addrs_len;
};

void link_netns_fini(struct link_netns *netns);

/* By the path of a namespace file (a name without a slash is looked up in /run/netns), or by a process's pid, race-free
 * against reuse of the pid. 0, one of the conditions above, or a negative errno. */
int link_netns_by_path(struct link_watch *watch, const char *path, struct link_netns *ret);
int link_netns_by_pid(struct link_watch *watch, int pid, struct link_netns *ret);

enum {
        BRIDGE_NF_OFF,
        BRIDGE_NF_ON,          /* bridged packets pass the inet hooks already (sysctl or the bridge's own flag) */
        BRIDGE_NF_UNAVAILABLE, /* no br_netfilter in this kernel */
};

/* Whether packets switched by the bridge pass the inet forward hook, for IPv4 and IPv6 alike. One of BRIDGE_NF_ or a
 * negative errno. */
int bridge_nf_state(const char *bridge);

/* Makes them pass, on this bridge alone (IFLA_BR_NF_CALL_IPTABLES and _IP6TABLES). 0 or a negative errno. */
int bridge_nf_enable(struct link_watch *watch, const char *bridge);
