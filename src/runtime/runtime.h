/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every container engine is to the agent: a source of container records. An engine's file in this room
 * speaks its protocol, keeps its own view, and hands out whole records; what they mean for policy
 * (namespaces, derived labels, who owns an address) is decided by agent/state.c alone.
 *
 * The contract of a source:
 *   - RUNTIME_RESYNC, then RUNTIME_CONTAINER for every container, then RUNTIME_SYNCED: a full list; what was
 *     not named between the two is gone. Deltas may come between and count as named.
 *   - after that, RUNTIME_CONTAINER whenever anything in a record changed, RUNTIME_GONE when it is gone.
 *   - RUNTIME_LOST when the engine cannot be reached: what was known stays known; a full list follows once
 *     it is back.
 * Callbacks run on the event loop and never block. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vethwall/addr.h>
#include <vethwall/inventory.h>
#include <vethwall/labels.h>

struct event_base;

/* One address of a container, on one of its networks. */
struct container_addr {
        const char *network;    /* the network's name; "" for a static endpoint */
        const char *network_id; /* "" where the engine has none */
        struct addr addr;
        uint8_t mac[6]; /* all zero: unknown */
};

struct container_published {
        uint8_t protocol;
        struct addr host_addr; /* the wildcard address where published on all */
        uint16_t host_port;    /* host byte order */
        uint16_t container_port;
};

/* Everything is borrowed for the time of the callback. */
struct container {
        const char *runtime; /* "docker", "static", ... */
        const char *id;      /* unique in the runtime */
        const char *name;
        const char *image;       /* as the user named it; "" where there is none */
        const char *ns;          /* namespace where the source itself says it (static); else NULL: from labels */
        struct label_set labels; /* own labels; image-inherited ones only where trusted */
        const char *netns;       /* path of the network namespace; NULL: not known (yet) */
        pid_t pid;               /* 0: not running or not known */
        const char *joined;      /* id of the container whose network namespace this one shares; else NULL */
        bool host_network;
        const char *unenforced;             /* why the host cannot enforce policy on it (macvlan, ...); NULL: it can */
        const struct container_addr *addrs; /* those it holds now; none while it does not run */
        size_t addrs_len;
        const struct container_published *published;
        size_t published_len;
        const struct named_port *ports; /* named ports where the source itself says them (static) */
        size_t ports_len;
        const char *const *networks; /* names of all networks it is attached to, sorted */
        size_t networks_len;
};

enum runtime_event_kind {
        RUNTIME_RESYNC,
        RUNTIME_CONTAINER,
        RUNTIME_GONE,
        RUNTIME_SYNCED,
        RUNTIME_LOST,
        RUNTIME_EVENT_MAX,
};

struct runtime_event {
        enum runtime_event_kind kind;
        const char *runtime;
        const struct container *container;  /* RUNTIME_CONTAINER */
        const char *id;                     /* RUNTIME_GONE */
        const char *reason;                 /* RUNTIME_LOST: one line for people */
        const struct namespace *namespaces; /* RUNTIME_RESYNC: those whose labels the source itself says (static) */
        size_t namespaces_len;
        uint64_t received_us; /* CLOCK_MONOTONIC when what caused it arrived; for latency */
};

typedef void (*runtime_cb)(void *user, const struct runtime_event *event);

/* A line for the log; the room itself logs nothing. level as syslog(3)'s priorities. */
typedef void (*runtime_log_cb)(void *user, int level, const char *text);

struct runtime_stats {
        uint64_t events;  /* read from the engine */
        uint64_t resyncs; /* full lists taken */
        uint64_t requests;
        uint64_t errors;
        bool connected;
};

struct runtime;

struct runtime_vtable {
        const char *name;
        void (*free)(struct runtime *runtime);
        /* Begins; the first list follows from the loop. 0 or a negative errno. */
        int (*start)(struct runtime *runtime);
        /* Takes a full list soon. */
        void (*resync)(struct runtime *runtime);
        void (*stats)(const struct runtime *runtime, struct runtime_stats *ret);
};

/* The first member of every source's own struct. */
struct runtime {
        const struct runtime_vtable *vtable;
        struct event_base *base;
        runtime_cb cb;
        runtime_log_cb log;
        void *user; /* for both callbacks */
};

/* Docker Engine over its UNIX socket. 0, -ENOMEM or another negative errno. The socket need not be there yet. */
int docker_new(struct runtime **ret, struct event_base *base, const char *socket, bool trust_image_labels,
               runtime_cb cb, runtime_log_cb log, void *user);

/* The static runtime: an inventory file, re-read on resync (the agent watches the file). A file with errors is
 * reported through diags_cb (may be NULL) and the last good one stays. */
struct diag_list;
typedef void (*runtime_diags_cb)(void *user, const struct diag_list *diags);
int static_new(struct runtime **ret, struct event_base *base, const char *inventory, runtime_cb cb, runtime_log_cb log,
               runtime_diags_cb diags, void *user);
