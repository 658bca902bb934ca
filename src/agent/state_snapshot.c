/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From containers to endpoints: one network namespace is one endpoint, with its owner's labels, a name of its own
 * within its policy namespace, and those addresses that no newer container has claimed. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "state_internal.h"

#define LABEL_PREFIX "vethwall.io/"
#define PORT_PREFIX LABEL_PREFIX "port."
#define NETWORK_PREFIX LABEL_PREFIX "network."
#define SHORT_ID 12
#define JOINS_MAX 8

/* The first of these labels that is there gives the namespace. */
static const char *const ns_labels[] = {
        LABEL_PREFIX "namespace",
        "io.kubernetes.pod.namespace",
        "com.docker.compose.project",
        "io.podman.compose.project",
};

/* One address as one container claims it. */
struct claim {
        struct addr addr;
        uint64_t claim;
        const struct state_container *container;
};

struct snapshot {
        struct inventory *inventory;      /* owned */
        struct arena *arena;              /* owned: what inventory_add_endpoint() copies from */
        struct state_container **members; /* owned: endpoints to be, by generation */
        size_t members_len;
        struct claim *claims; /* owned; sorted by address, the newest first */
        size_t claims_len;
};

static void snapshot_fini(struct snapshot *snapshot)
{
        inventory_free(snapshot->inventory);
        arena_free(snapshot->arena);
        free(snapshot->members);
        free(snapshot->claims);
}

/* A container that joined another's network has that one as its owner; NULL where it is not known, or where they join
 * in a circle. */
static const struct state_container *owner(const struct state *state, const struct state_container *container)
{
        for (unsigned i = 0; container && container->joined; i++) {
                if (i == JOINS_MAX)
                        return NULL;
                container = state_find(state, container->runtime, container->joined);
        }
        return container;
}

static bool is_there(const struct state_container *container)
{
        return container->addrs_len > 0 || container->pid > 0 || container->netns ||
               strcmp(container->runtime, "static") == 0;
}

static int by_generation(const void *a, const void *b)
{
        const struct state_container *x = *(struct state_container *const *)a, *y = *(struct state_container *const *)b;

        return x->generation < y->generation ? -1 : x->generation > y->generation;
}

static int by_claim(const void *a, const void *b)
{
        const struct claim *x = a, *y = b;
        int order = addr_cmp(&x->addr, &y->addr);

        if (order != 0)
                return order;
        return x->claim > y->claim ? -1 : x->claim < y->claim;
}

static int collect(struct state *state, struct snapshot *snapshot)
{
        size_t addrs = 0;

        snapshot->members = calloc(state->containers_len + 1, sizeof(struct state_container *));
        if (!snapshot->members)
                return -ENOMEM;
        for (size_t i = 0; i < state->containers_len; i++) {
                struct state_container *container = state->containers[i];

                free(container->endpoint);
                container->endpoint = NULL;
                container->why_not = container->unenforced;
                if (container->joined) {
                        if (!owner(state, container))
                                container->why_not = "it shares the network of a container that is not known";
                        continue;
                }
                if (!is_there(container))
                        continue;
                if (container->host_network)
                        container->why_not = "it shares the host's network; no policy selects it";
                snapshot->members[snapshot->members_len++] = container;
                addrs += container->addrs_len;
        }
        qsort(snapshot->members, snapshot->members_len, sizeof(struct state_container *), by_generation);

        snapshot->claims = calloc(addrs + 1, sizeof(*snapshot->claims));
        if (!snapshot->claims)
                return -ENOMEM;
        for (size_t i = 0; i < snapshot->members_len; i++)
                for (size_t j = 0; j < snapshot->members[i]->addrs_len; j++)
                        snapshot->claims[snapshot->claims_len++] = (struct claim){
                                snapshot->members[i]->addrs[j].addr,
                                snapshot->members[i]->addrs[j].claim,
                                snapshot->members[i],
                        };
        qsort(snapshot->claims, snapshot->claims_len, sizeof(*snapshot->claims), by_claim);
        return 0;
}

static bool holds(const struct snapshot *snapshot, const struct state_container *container, const struct addr *addr)
{
        size_t low = 0, high = snapshot->claims_len;

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (addr_cmp(&snapshot->claims[mid].addr, addr) < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low < snapshot->claims_len && snapshot->claims[low].container == container;
}

static const char *namespace_of(const struct state_container *container)
{
        if (container->ns)
                return container->ns;
        for (size_t i = 0; i < ARRAY_SIZE(ns_labels); i++) {
                const char *value = label_set_get(&container->labels, ns_labels[i]);

                if (value && *value && label_value_is_valid(value))
                        return value;
        }
        return "default";
}

/* Labels under our prefix that we derive ourselves; a container that brings one of its own does not keep it. */
static bool is_derived(const char *key)
{
        return strcmp(key, LABEL_PREFIX "name") == 0 || strcmp(key, LABEL_PREFIX "image") == 0 ||
               strcmp(key, LABEL_PREFIX "runtime") == 0 || strncmp(key, NETWORK_PREFIX, strlen(NETWORK_PREFIX)) == 0;
}

/* A selector can only name what is a label value; an image's reference is none because of its slashes and colon. What a
 * value cannot hold becomes "_". Where no short enough value comes of it, the text stays as it is, and matches by
 * Exists alone. */
static const char *label_value(struct arena *arena, const char *text)
{
        char *value = arena_strdup(arena, text);

        for (char *p = value; p && *p; p++)
                if (!isascii((unsigned char)*p) || (!isalnum((unsigned char)*p) && *p != '-' && *p != '_' && *p != '.'))
                        *p = '_';
        if (!value)
                return NULL;
        return label_value_is_valid(value) ? value : text;
}

static int endpoint_labels(struct arena *arena, const struct state_container *container, struct label_set *ret)
{
        size_t room = container->labels.len + container->networks_len + 3, len = 0;
        struct label *items = arena_array(arena, room, sizeof(*items));

        if (!items)
                return -ENOMEM;
        for (size_t i = 0; i < container->labels.len; i++)
                if (!is_derived(container->labels.items[i].key))
                        items[len++] = container->labels.items[i];
        items[len++] = (struct label){LABEL_PREFIX "name", label_value(arena, container->name)};
        items[len++] = (struct label){LABEL_PREFIX "runtime", container->runtime};
        if (*container->image)
                items[len++] = (struct label){LABEL_PREFIX "image", label_value(arena, container->image)};
        for (size_t i = 0; i < container->networks_len; i++)
                items[len++] = (struct label){arena_printf(arena, NETWORK_PREFIX "%s", container->networks[i]), "true"};
        for (size_t i = 0; i < len; i++)
                if (!items[i].key || !items[i].value)
                        return -ENOMEM;
        *ret = (struct label_set){items, len};
        label_set_normalise(ret);
        return 0;
}

static int endpoint_ports(struct arena *arena, const struct state_container *container, struct endpoint *ret)
{
        ret->ports = arena_array(arena, container->ports_len + container->labels.len, sizeof(*ret->ports));
        if (!ret->ports)
                return -ENOMEM;
        for (size_t i = 0; i < container->ports_len; i++)
                ret->ports[ret->ports_len++] = container->ports[i];
        for (size_t i = 0; i < container->labels.len; i++) {
                const struct label *label = &container->labels.items[i];

                if (strncmp(label->key, PORT_PREFIX, strlen(PORT_PREFIX)) == 0 &&
                    named_port_parse(label->key + strlen(PORT_PREFIX), label->value, &ret->ports[ret->ports_len]))
                        ret->ports_len++;
        }
        return 0;
}

static int endpoint_addrs(const struct snapshot *snapshot, const struct state_container *container,
                          struct endpoint *ret)
{
        ret->addrs = arena_array(snapshot->arena, container->addrs_len, sizeof(*ret->addrs));
        if (!ret->addrs)
                return -ENOMEM;
        for (size_t i = 0; i < container->addrs_len; i++)
                if (holds(snapshot, container, &container->addrs[i].addr))
                        ret->addrs[ret->addrs_len++] = container->addrs[i].addr;
        return 0;
}

/* The nth name to try: the container's own first; then, where an older container has it, with the id. */
static const char *nth_name(struct arena *arena, const struct state_container *container, unsigned n)
{
        /* A static endpoint's id is "namespace/name", and a name has no slash. */
        const char *slash = strrchr(container->id, '/'), *id = slash ? slash + 1 : container->id;

        switch (n) {
        case 0:
                return container->name;
        case 1:
                return arena_printf(arena, "%s-%.*s", container->name, SHORT_ID, id);
        case 2:
                return arena_printf(arena, "%s-%s", container->name, id);
        default:
                return arena_printf(arena, "%s-%s-%s.%u", container->name, container->runtime, id, n);
        }
}

static int add_member(struct snapshot *snapshot, struct state_container *container)
{
        struct endpoint endpoint = {
                .ns = namespace_of(container),
                .runtime = container->runtime,
                .id = container->id,
                .netns = container->netns,
                .host_network = container->host_network,
        };
        int r;

        r = endpoint_labels(snapshot->arena, container, &endpoint.labels);
        if (r < 0)
                return r;
        r = endpoint_ports(snapshot->arena, container, &endpoint);
        if (r < 0)
                return r;
        if (!container->host_network) {
                r = endpoint_addrs(snapshot, container, &endpoint);
                if (r < 0)
                        return r;
        }
        r = INVENTORY_E_DUPLICATE;
        for (unsigned n = 0; r == INVENTORY_E_DUPLICATE; n++) {
                endpoint.name = nth_name(snapshot->arena, container, n);
                if (!endpoint.name)
                        return -ENOMEM;
                r = inventory_add_endpoint(snapshot->inventory, &endpoint);
        }
        if (r < 0)
                return r;
        if (asprintf(&container->endpoint, "%s/%s", endpoint.ns, endpoint.name) < 0)
                container->endpoint = NULL;
        return container->endpoint ? 0 : -ENOMEM;
}

/* What joined an endpoint is called by its name. */
static int name_joined(struct state *state)
{
        for (size_t i = 0; i < state->containers_len; i++) {
                struct state_container *container = state->containers[i];
                const struct state_container *of = container->joined ? owner(state, container) : NULL;

                if (!of || !of->endpoint)
                        continue;
                container->endpoint = strdup(of->endpoint);
                if (!container->endpoint)
                        return -ENOMEM;
                container->why_not = of->why_not;
        }
        return 0;
}

int state_snapshot(struct state *state, struct inventory **ret)
{
        _cleanup_(snapshot_fini) struct snapshot snapshot = {0};
        int r;

        snapshot.arena = arena_new();
        if (!snapshot.arena)
                return -ENOMEM;
        r = inventory_new(&snapshot.inventory);
        if (r < 0)
                return r;
        for (size_t i = 0; i < state->namespaces_len; i++) {
                r = inventory_add_namespace(snapshot.inventory, &state->namespaces[i]);
                if (r < 0)
                        return r;
        }
        r = collect(state, &snapshot);
        for (size_t i = 0; r == 0 && i < snapshot.members_len; i++)
                r = add_member(&snapshot, snapshot.members[i]);
        if (r == 0)
                r = name_joined(state);
        if (r == 0)
                r = inventory_seal(snapshot.inventory);
        if (r < 0)
                return r;
        *ret = steal(snapshot.inventory);
        return 0;
}
