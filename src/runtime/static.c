/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The static runtime: endpoints that an inventory file names, for hosts or containers without an engine. An
 * endpoint with `netns:` is handed on with that name, so that the agent can look up its addresses and host ends. */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <vethwall/diag.h>
#include <vethwall/strbuf.h>

#include "files/files.h"
#include "runtime/runtime.h"

struct static_runtime {
        struct runtime runtime; /* first */
        char *path;
        runtime_diags_cb diags;
        struct event *timer; /* reads the file, from the loop */
        struct runtime_stats stats;
};

static void tell(struct static_runtime *source, struct runtime_event event)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        event.runtime = "static";
        event.received_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
        source->runtime.cb(source->runtime.user, &event);
}

/* The last good list stays with the agent. */
static void tell_lost(struct static_runtime *source, const char *reason)
{
        source->stats.errors++;
        source->stats.connected = false;
        tell(source, (struct runtime_event){.kind = RUNTIME_LOST, .reason = reason});
}

static int tell_endpoint(struct static_runtime *source, const struct endpoint *endpoint)
{
        _cleanup_free_ struct container_addr *addrs = NULL;
        _cleanup_free_ char *id = NULL;
        struct container container = {
                .runtime = "static",
                .name = endpoint->name,
                .image = "",
                .ns = endpoint->ns,
                .labels = endpoint->labels,
                .netns = endpoint->netns,
                .host_network = endpoint->host_network,
                .addrs_len = endpoint->addrs_len,
                .ports = endpoint->ports,
                .ports_len = endpoint->ports_len,
        };

        if (asprintf(&id, "%s/%s", endpoint->ns, endpoint->name) < 0) {
                id = NULL;
                return -ENOMEM;
        }
        addrs = calloc(endpoint->addrs_len ? endpoint->addrs_len : 1, sizeof(*addrs));
        if (!addrs)
                return -ENOMEM;
        for (size_t i = 0; i < endpoint->addrs_len; i++) {
                addrs[i].network = "";
                addrs[i].network_id = "";
                addrs[i].addr = endpoint->addrs[i];
        }
        container.id = id;
        container.addrs = addrs;
        tell(source, (struct runtime_event){.kind = RUNTIME_CONTAINER, .container = &container});
        return 0;
}

static void tell_list(struct static_runtime *source, const struct inventory *inventory)
{
        tell(source, (struct runtime_event){.kind = RUNTIME_RESYNC,
                                            .namespaces = inventory->namespaces,
                                            .namespaces_len = inventory->namespaces_len});
        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                if (tell_endpoint(source, &inventory->endpoints[i])) {
                        tell_lost(source, "out of memory");
                        return;
                }
        }
        source->stats.connected = true;
        source->stats.resyncs++;
        tell(source, (struct runtime_event){.kind = RUNTIME_SYNCED});
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct static_runtime *source = user;
        const char *path = source->path;
        char reason[256];
        int r;

        (void)fd;
        (void)what;
        source->stats.requests++;
        r = inventory_read(&path, 1, &inventory, &diags);
        if (r) {
                tell_lost(source, strerror(-r));
                return;
        }
        if (diags.len && source->diags)
                source->diags(source->runtime.user, &diags);
        if (diags.errors) {
                snprintf(reason, sizeof(reason), "%s: %zu error%s, the last good inventory stays", path, diags.errors,
                         diags.errors == 1 ? "" : "s");
                tell_lost(source, reason);
                return;
        }
        tell_list(source, inventory);
}

static struct static_runtime *static_of(struct runtime *runtime)
{
        return container_of(runtime, struct static_runtime, runtime);
}

static void static_free(struct runtime *runtime)
{
        struct static_runtime *source = static_of(runtime);

        if (source->timer)
                event_free(source->timer);
        free(source->path);
        free(source);
}

static void static_resync(struct runtime *runtime)
{
        event_active(static_of(runtime)->timer, EV_TIMEOUT, 1);
}

static int static_start(struct runtime *runtime)
{
        static_resync(runtime);
        return 0;
}

static void static_stats(const struct runtime *runtime, struct runtime_stats *ret)
{
        *ret = container_of(runtime, const struct static_runtime, runtime)->stats;
}

static const struct runtime_vtable static_vtable = {
        .name = "static",
        .free = static_free,
        .start = static_start,
        .resync = static_resync,
        .stats = static_stats,
};

int static_new(struct runtime **ret, struct event_base *base, const char *inventory, runtime_cb cb, runtime_log_cb log,
               runtime_diags_cb diags, void *user)
{
        struct static_runtime *source = calloc(1, sizeof(*source));

        if (!source)
                return -ENOMEM;
        source->runtime = (struct runtime){.vtable = &static_vtable, .base = base, .cb = cb, .log = log, .user = user};
        source->diags = diags;
        source->path = strdup(inventory);
        source->timer = evtimer_new(base, on_timer, source);
        if (!source->path || !source->timer) {
                static_free(&source->runtime);
                return -ENOMEM;
        }
        *ret = &source->runtime;
        return 0;
}
