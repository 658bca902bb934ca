/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of containers. Engines reuse addresses at once and may tell of the new holder before the old one lets go;
 * so an address belongs to the newest claim on it, and what an old container gives back is only ever its own. */
#include <errno.h>
#include <string.h>

#include "state.h"
#include "state_internal.h"

int state_new(struct state **ret)
{
        struct state *state = calloc(1, sizeof(*state));

        if (!state)
                return -ENOMEM;
        *ret = state;
        return 0;
}

static struct state_container *container_free(struct state_container *container)
{
        if (!container)
                return NULL;
        arena_free(container->arena);
        free(container->addrs);
        free(container->links);
        free(container->endpoint);
        free(container);
        return NULL;
}
DEFINE_CLEANUP(struct state_container *, container_free)

struct state *state_free(struct state *state)
{
        if (!state)
                return NULL;
        for (size_t i = 0; i < state->containers_len; i++)
                container_free(state->containers[i]);
        free(state->containers);
        for (size_t i = 0; i < state->runtimes_len; i++) {
                free(state->runtimes[i].name);
                free(state->runtimes[i].lost);
        }
        free(state->runtimes);
        arena_free(state->namespaces_arena);
        free(state);
        return NULL;
}

static struct state_runtime *find_runtime(const struct state *state, const char *name)
{
        for (size_t i = 0; i < state->runtimes_len; i++)
                if (strcmp(state->runtimes[i].name, name) == 0)
                        return &state->runtimes[i];
        return NULL;
}

int state_add_runtime(struct state *state, const char *name)
{
        char *copy;
        int r;

        if (find_runtime(state, name))
                return 0;
        r = array_reserve(&state->runtimes, &state->runtimes_cap, state->runtimes_len + 1, sizeof(*state->runtimes));
        if (r < 0)
                return r;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        state->runtimes[state->runtimes_len++] = (struct state_runtime){.name = copy};
        return 0;
}

const struct state_runtime *state_runtimes(const struct state *state, size_t *ret_len)
{
        *ret_len = state->runtimes_len;
        return state->runtimes;
}

struct state_container *const *state_containers(const struct state *state, size_t *ret_len)
{
        *ret_len = state->containers_len;
        return state->containers;
}

/* The table is sorted by (runtime, id). Returns where the container is or would be. */
static size_t position(const struct state *state, const char *runtime, const char *id, bool *ret_found)
{
        size_t low = 0, high = state->containers_len;

        *ret_found = false;
        while (low < high) {
                size_t mid = low + (high - low) / 2;
                const struct state_container *container = state->containers[mid];
                int order = strcmp(container->runtime, runtime);

                if (order == 0)
                        order = strcmp(container->id, id);
                if (order == 0)
                        *ret_found = true;
                if (order < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

struct state_container *state_find(const struct state *state, const char *runtime, const char *id)
{
        bool found;
        size_t at = position(state, runtime, id, &found);

        return found ? state->containers[at] : NULL;
}

/* An address that the container held before keeps its claim; a new one is claimed now. */
static void claim_addr(struct state *state, const struct state_container *old, struct state_addr *ret,
                       const struct addr *addr)
{
        ret->addr = *addr;
        for (size_t i = 0; old && i < old->addrs_len; i++)
                if (addr_equal(&old->addrs[i].addr, addr)) {
                        ret->claim = old->addrs[i].claim;
                        return;
                }
        ret->claim = ++state->claims;
}

static const char *copy_text(struct arena *arena, const char *text, bool *failed)
{
        const char *copy = text ? arena_strdup(arena, text) : NULL;

        if (text && !copy)
                *failed = true;
        return copy;
}

static int copy_lists(struct state_container *copy, const struct container *from)
{
        bool failed = false;

        copy->labels.items = arena_array(copy->arena, from->labels.len, sizeof(struct label));
        copy->ports = arena_array(copy->arena, from->ports_len, sizeof(struct named_port));
        copy->networks = arena_array(copy->arena, from->networks_len, sizeof(char *));
        copy->addrs = calloc(from->addrs_len + 1, sizeof(struct state_addr));
        if (!copy->labels.items || !copy->ports || !copy->networks || !copy->addrs)
                return -ENOMEM;
        copy->labels.len = from->labels.len;
        for (size_t i = 0; i < from->labels.len; i++) {
                copy->labels.items[i].key = copy_text(copy->arena, from->labels.items[i].key, &failed);
                copy->labels.items[i].value = copy_text(copy->arena, from->labels.items[i].value, &failed);
        }
        copy->ports_len = from->ports_len;
        for (size_t i = 0; i < from->ports_len; i++) {
                copy->ports[i] = from->ports[i];
                copy->ports[i].name = copy_text(copy->arena, from->ports[i].name, &failed);
        }
        copy->networks_len = from->networks_len;
        for (size_t i = 0; i < from->networks_len; i++)
                copy->networks[i] = copy_text(copy->arena, from->networks[i], &failed);
        copy->addrs_len = from->addrs_len;
        for (size_t i = 0; i < from->addrs_len; i++)
                copy->addrs[i].addr = from->addrs[i].addr;
        return failed ? -ENOMEM : 0;
}

static int container_new(struct state_container **ret, const struct container *from)
{
        _cleanup_(container_freep) struct state_container *copy = calloc(1, sizeof(*copy));
        bool failed = false;
        int r;

        if (!copy)
                return -ENOMEM;
        copy->arena = arena_new();
        if (!copy->arena)
                return -ENOMEM;
        copy->runtime = copy_text(copy->arena, from->runtime, &failed);
        copy->id = copy_text(copy->arena, from->id, &failed);
        copy->name = copy_text(copy->arena, from->name, &failed);
        copy->image = copy_text(copy->arena, from->image ? from->image : "", &failed);
        copy->ns = copy_text(copy->arena, from->ns, &failed);
        copy->netns = copy_text(copy->arena, from->netns, &failed);
        copy->joined = copy_text(copy->arena, from->joined, &failed);
        copy->unenforced = copy_text(copy->arena, from->unenforced, &failed);
        copy->pid = from->pid;
        copy->host_network = from->host_network;
        copy->netnsid = -1;
        copy->links_stale = true;
        /* Only where the administrator named the namespace: a container may give itself any address in its own. */
        copy->addrs_from_netns = from->addrs_len == 0 && from->netns && strcmp(from->runtime, "static") == 0;
        if (failed)
                return -ENOMEM;
        r = copy_lists(copy, from);
        if (r < 0)
                return r;
        *ret = steal(copy);
        return 0;
}

static bool text_equal(const char *a, const char *b)
{
        return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_network(const struct state_container *a, const struct state_container *b)
{
        return text_equal(a->netns, b->netns) && a->pid == b->pid;
}

static bool container_equal(const struct state_container *a, const struct state_container *b)
{
        if (!text_equal(a->name, b->name) || !text_equal(a->image, b->image) || !text_equal(a->ns, b->ns) ||
            !text_equal(a->joined, b->joined) || !text_equal(a->unenforced, b->unenforced) || !same_network(a, b) ||
            a->host_network != b->host_network || label_set_cmp(&a->labels, &b->labels) != 0 ||
            a->addrs_from_netns != b->addrs_from_netns || a->ports_len != b->ports_len ||
            a->networks_len != b->networks_len)
                return false;
        if (!a->addrs_from_netns && a->addrs_len != b->addrs_len)
                return false;
        for (size_t i = 0; !a->addrs_from_netns && i < a->addrs_len; i++)
                if (!addr_equal(&a->addrs[i].addr, &b->addrs[i].addr))
                        return false;
        for (size_t i = 0; i < a->ports_len; i++)
                if (!text_equal(a->ports[i].name, b->ports[i].name) || a->ports[i].port != b->ports[i].port ||
                    a->ports[i].protocol != b->ports[i].protocol)
                        return false;
        for (size_t i = 0; i < a->networks_len; i++)
                if (!text_equal(a->networks[i], b->networks[i]))
                        return false;
        return true;
}

/* Until the namespace has been asked again, what it held is the best that is known. */
static void inherit_links(struct state_container *container, struct state_container *old)
{
        container->netnsid = old->netnsid;
        container->links = steal(old->links);
        container->links_len = old->links_len;
        if (!container->addrs_from_netns || !old->addrs_from_netns)
                return;
        free(container->addrs);
        container->addrs = steal(old->addrs);
        container->addrs_len = old->addrs_len;
}

static int put_container(struct state *state, const struct container *from, bool *ret_changed)
{
        _cleanup_(container_freep) struct state_container *container = NULL;
        struct state_container *old;
        bool found;
        size_t at;
        int r;

        r = array_reserve(&state->containers, &state->containers_cap, state->containers_len + 1,
                          sizeof(struct state_container *));
        if (r < 0)
                return r;
        r = container_new(&container, from);
        if (r < 0)
                return r;
        at = position(state, from->runtime, from->id, &found);
        old = found ? state->containers[at] : NULL;
        container->listed = true;

        if (old && container_equal(old, container)) {
                old->listed = true;
                return 0;
        }
        for (size_t i = 0; i < container->addrs_len; i++)
                claim_addr(state, old, &container->addrs[i], &from->addrs[i].addr);
        container->generation = old ? old->generation : ++state->generations;
        if (old && same_network(old, container))
                inherit_links(container, old);
        if (old)
                container_free(old);
        else
                memmove(&state->containers[at + 1], &state->containers[at],
                        (state->containers_len++ - at) * sizeof(struct state_container *));
        state->containers[at] = steal(container);
        *ret_changed = true;
        return 0;
}

static void remove_at(struct state *state, size_t at)
{
        container_free(state->containers[at]);
        memmove(&state->containers[at], &state->containers[at + 1],
                (--state->containers_len - at) * sizeof(struct state_container *));
}

static void begin_list(struct state *state, struct state_runtime *runtime)
{
        runtime->resyncing = true;
        for (size_t i = 0; i < state->containers_len; i++)
                if (strcmp(state->containers[i]->runtime, runtime->name) == 0)
                        state->containers[i]->listed = false;
}

static void end_list(struct state *state, struct state_runtime *runtime, bool *ret_changed)
{
        for (size_t i = state->containers_len; runtime->resyncing && i-- > 0;)
                if (strcmp(state->containers[i]->runtime, runtime->name) == 0 && !state->containers[i]->listed) {
                        remove_at(state, i);
                        *ret_changed = true;
                }
        if (!runtime->synced)
                *ret_changed = true;
        runtime->resyncing = false;
        runtime->synced = true;
        runtime->connected = true;
        free(runtime->lost);
        runtime->lost = NULL;
}

static int set_namespaces(struct state *state, const struct namespace *namespaces, size_t len)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct namespace *copies;
        bool failed = false;

        copies = arena ? arena_array(arena, len, sizeof(*copies)) : NULL;
        if (!copies)
                return -ENOMEM;
        for (size_t i = 0; i < len; i++) {
                const struct label_set *from = &namespaces[i].labels;

                copies[i].name = copy_text(arena, namespaces[i].name, &failed);
                copies[i].labels.items = arena_array(arena, from->len, sizeof(struct label));
                if (!copies[i].labels.items)
                        return -ENOMEM;
                copies[i].labels.len = from->len;
                for (size_t j = 0; j < from->len; j++) {
                        copies[i].labels.items[j].key = copy_text(arena, from->items[j].key, &failed);
                        copies[i].labels.items[j].value = copy_text(arena, from->items[j].value, &failed);
                }
        }
        if (failed)
                return -ENOMEM;
        arena_free(state->namespaces_arena);
        state->namespaces_arena = steal(arena);
        state->namespaces = copies;
        state->namespaces_len = len;
        return 0;
}

int state_event(struct state *state, const struct runtime_event *event, bool *ret_changed)
{
        struct state_runtime *runtime = find_runtime(state, event->runtime);
        bool found;
        size_t at;

        *ret_changed = false;
        if (!runtime)
                return 0;
        switch (event->kind) {
        case RUNTIME_RESYNC:
                begin_list(state, runtime);
                if (!event->namespaces)
                        return 0;
                *ret_changed = true;
                return set_namespaces(state, event->namespaces, event->namespaces_len);
        case RUNTIME_CONTAINER:
                return put_container(state, event->container, ret_changed);
        case RUNTIME_GONE:
                at = position(state, event->runtime, event->id, &found);
                if (found) {
                        remove_at(state, at);
                        *ret_changed = true;
                }
                return 0;
        case RUNTIME_SYNCED:
                end_list(state, runtime, ret_changed);
                return 0;
        case RUNTIME_LOST:
                runtime->connected = false;
                runtime->resyncing = false;
                free(runtime->lost);
                runtime->lost = strdup(event->reason ? event->reason : "out of reach");
                return runtime->lost ? 0 : -ENOMEM;
        case RUNTIME_EVENT_MAX:
                break;
        }
        return 0;
}

static bool links_equal(const struct state_container *container, int32_t netnsid, const struct state_link *links,
                        size_t len)
{
        if (container->netnsid != netnsid || container->links_len != len)
                return false;
        for (size_t i = 0; i < len; i++)
                if (strcmp(container->links[i].name, links[i].name) != 0 ||
                    strcmp(container->links[i].bridge, links[i].bridge) != 0)
                        return false;
        return true;
}

static bool addrs_equal(const struct state_container *container, const struct addr *addrs, size_t len)
{
        if (container->addrs_len != len)
                return false;
        for (size_t i = 0; i < len; i++)
                if (!addr_equal(&container->addrs[i].addr, &addrs[i]))
                        return false;
        return true;
}

int state_set_links(struct state *state, struct state_container *container, int32_t netnsid,
                    const struct state_link *links, size_t links_len, const struct addr *addrs, size_t addrs_len,
                    bool *ret_changed)
{
        *ret_changed = false;
        container->links_stale = false;
        if (!links_equal(container, netnsid, links, links_len)) {
                struct state_link *copy = malloc((links_len + 1) * sizeof(*copy));

                if (!copy)
                        return -ENOMEM;
                if (links_len > 0)
                        memcpy(copy, links, links_len * sizeof(*copy));
                free(container->links);
                container->links = copy;
                container->links_len = links_len;
                container->netnsid = netnsid;
        }
        if (container->addrs_from_netns && !addrs_equal(container, addrs, addrs_len)) {
                struct state_addr *claimed = calloc(addrs_len + 1, sizeof(*claimed));

                if (!claimed)
                        return -ENOMEM;
                for (size_t i = 0; i < addrs_len; i++)
                        claim_addr(state, container, &claimed[i], &addrs[i]);
                free(container->addrs);
                container->addrs = claimed;
                container->addrs_len = addrs_len;
                *ret_changed = true;
        }
        return 0;
}
