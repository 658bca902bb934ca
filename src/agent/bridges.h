/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The managed bridges, and whether policy holds for traffic between two of their ports: such traffic is switched, and
 * passes the inet hooks only through br_netfilter, which is turned on for each managed bridge alone. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include <link/link.h>
#include <vethwall/settings.h>

struct bridge {
        char name[IFNAMSIZ];
        uint32_t ifindex;
        const char *backend; /* "br_netfilter" or "none"; static */
        bool isolated;
        char reason[128]; /* why it is not; "" */
};

struct bridges {
        struct bridge *items; /* owned; in order of ifindex */
        size_t len, cap;
};

#define BRIDGES_INIT                                                                                                   \
        {                                                                                                              \
                NULL, 0, 0                                                                                             \
        }

void bridges_fini(struct bridges *bridges);

/* True if the name is one of the settings' interfaces. */
bool bridges_manage(const struct settings *settings, const char *name);

/* Looks at every bridge there is now, and isolates those that are managed and are not isolated. What is new or different
 * is logged. 0 or -ENOMEM. */
int bridges_refresh(struct bridges *bridges, struct link_watch *watch, const struct settings *settings);

const struct bridge *bridges_find(const struct bridges *bridges, const char *name);
