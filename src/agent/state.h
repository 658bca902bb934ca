/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The containers that the runtimes told of, and what they mean for policy: which network namespace is an endpoint,
 * in which policy namespace, under which name, with which labels, and who holds an address. It is filled by runtime
 * events and by what rtnetlink says of a container's network namespace; out of it comes an immutable inventory. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <runtime/runtime.h>
#include <vethwall/inventory.h>

/* The host's end of a container's link. */
struct state_link {
        char name[IFNAMSIZ];
        char bridge[IFNAMSIZ]; /* "": not a port of any bridge */
};

/* One container as it was last told. Addresses may be claimed by several; the newest claim holds. */
struct state_addr {
        struct addr addr;
        uint64_t claim; /* rises with every claim made by anyone */
};

struct state_container {
        struct arena *arena; /* owns all that is not marked as owned */
        uint64_t generation; /* new for every container that comes; ids can come back */
        const char *runtime;
        const char *id;
        const char *name;
        const char *image;
        const char *ns; /* as the source says; NULL: from labels */
        struct label_set labels;
        const char *netns;
        pid_t pid;
        const char *joined;
        bool host_network;
        const char *unenforced;
        bool addrs_from_netns;    /* the source gave none: they are those found in the network namespace */
        struct state_addr *addrs; /* owned */
        size_t addrs_len;
        struct named_port *ports;
        size_t ports_len;
        const char **networks;
        size_t networks_len;

        /* What rtnetlink says, set by state_set_links(). */
        bool links_stale;         /* must be asked again */
        int32_t netnsid;          /* -1: unknown */
        struct state_link *links; /* owned */
        size_t links_len;

        /* Filled while a snapshot is taken. */
        bool listed;         /* by the runtime's full list that is under way */
        const char *why_not; /* static: why no policy can hold for it; NULL: it can */
        char *endpoint;      /* owned: "namespace/name" in the last snapshot, the owner's where joined; NULL: none */
};

struct state_runtime {
        char *name;  /* owned */
        bool synced; /* a full list was taken at least once */
        bool connected;
        bool resyncing;
        char *lost; /* owned: why it is out of reach; NULL: it is not */
};

struct state;

int state_new(struct state **ret);
struct state *state_free(struct state *state);
DEFINE_CLEANUP(struct state *, state_free)

/* Says that a runtime exists, before its first event. 0 or -ENOMEM. */
int state_add_runtime(struct state *state, const char *name);

/* Applies one event. *ret_changed: the inventory may be another now. 0 or -ENOMEM (the state is then as before, and the
 * runtime must be asked for a full list). */
int state_event(struct state *state, const struct runtime_event *event, bool *ret_changed);

/* In no particular order; pointers are good until the next event. */
struct state_container *const *state_containers(const struct state *state, size_t *ret_len);
struct state_container *state_find(const struct state *state, const char *runtime, const char *id);
const struct state_runtime *state_runtimes(const struct state *state, size_t *ret_len);

/* Records what leads into the container's network namespace (links are copied), and, for addrs_from_netns, the
 * addresses found in it. *ret_changed: as above. 0 or -ENOMEM. */
int state_set_links(struct state *state, struct state_container *container, int32_t netnsid,
                    const struct state_link *links, size_t links_len, const struct addr *addrs, size_t addrs_len,
                    bool *ret_changed);

/* The inventory as of now, sealed. 0 or -ENOMEM. */
int state_snapshot(struct state *state, struct inventory **ret);
