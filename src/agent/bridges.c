/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings managed bridges under the inet hooks. Somebody may turn a bridge's flag off again, for which there is no reliable
 * notice; so this runs on every change of a bridge and every few seconds. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bridges.h"
#include "log.h"

void bridges_fini(struct bridges *bridges)
{
        free(bridges->items);
        *bridges = (struct bridges)BRIDGES_INIT;
}

bool bridges_manage(const struct settings *settings, const char *name)
{
        for (size_t i = 0; i < settings->interfaces_len; i++) {
                const char *pattern = settings->interfaces[i];
                size_t len = strlen(pattern);

                if (len > 0 && pattern[len - 1] == '*' ? strncmp(name, pattern, len - 1) == 0
                                                       : strcmp(name, pattern) == 0)
                        return true;
        }
        return false;
}

const struct bridge *bridges_find(const struct bridges *bridges, const char *name)
{
        for (size_t i = 0; i < bridges->len; i++)
                if (strcmp(bridges->items[i].name, name) == 0)
                        return &bridges->items[i];
        return NULL;
}

static void isolate(struct bridge *bridge, struct link_watch *watch)
{
        int r = bridge_nf_state(bridge->name);

        if (r == BRIDGE_NF_OFF) {
                r = bridge_nf_enable(watch, bridge->name);
                if (r == 0)
                        r = bridge_nf_state(bridge->name);
        }
        bridge->isolated = r == BRIDGE_NF_ON;
        bridge->backend = bridge->isolated ? "br_netfilter" : "none";
        if (r < 0)
                snprintf(bridge->reason, sizeof(bridge->reason), "br_netfilter cannot be turned on: %s", strerror(-r));
        else if (r == BRIDGE_NF_UNAVAILABLE)
                snprintf(bridge->reason, sizeof(bridge->reason), "this kernel has no br_netfilter (not loaded?)");
        else if (r == BRIDGE_NF_OFF)
                snprintf(bridge->reason, sizeof(bridge->reason), "br_netfilter was turned on and is off again");
}

static void report(const struct bridge *bridge, const struct bridge *before)
{
        if (before && before->ifindex == bridge->ifindex && strcmp(before->reason, bridge->reason) == 0)
                return;
        if (bridge->isolated)
                log_info("bridge %s: policy holds between its ports (%s)", bridge->name, bridge->backend);
        else
                log_warning("bridge %s: traffic between two of its ports is NOT under policy: %s", bridge->name,
                            bridge->reason);
}

int bridges_refresh(struct bridges *bridges, struct link_watch *watch, const struct settings *settings)
{
        _cleanup_(bridges_fini) struct bridges found = BRIDGES_INIT;
        size_t len;
        const struct link *links = link_table(watch, &len);
        int r;

        for (size_t i = 0; i < len; i++) {
                struct bridge bridge = {.ifindex = links[i].ifindex};

                if (strcmp(links[i].kind, "bridge") != 0 || !bridges_manage(settings, links[i].name))
                        continue;
                memcpy(bridge.name, links[i].name, sizeof(bridge.name));
                r = array_reserve(&found.items, &found.cap, found.len + 1, sizeof(bridge));
                if (r < 0)
                        return r;
                found.items[found.len++] = bridge;
        }
        for (size_t i = 0; i < found.len; i++) {
                isolate(&found.items[i], watch);
                report(&found.items[i], bridges_find(bridges, found.items[i].name));
        }
        bridges_fini(bridges);
        *bridges = found;
        found = (struct bridges)BRIDGES_INIT;
        return 0;
}
