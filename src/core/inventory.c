/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inventory: filled from copies, then sorted and frozen. inventory_load.c fills it from a file. */
#include <errno.h>
#include <string.h>

#include <vethwall/inventory.h>

#include "inventory_build.h"

int inventory_new(struct inventory **ret)
{
        _cleanup_(inventory_freep) struct inventory *inventory = calloc(1, sizeof(*inventory));

        if (!inventory)
                return -ENOMEM;
        inventory->arena = arena_new();
        inventory->build = calloc(1, sizeof(*inventory->build));
        if (!inventory->arena || !inventory->build)
                return -ENOMEM;
        *ret = steal(inventory);
        return 0;
}

static void forget_indexes(struct inventory_build *build)
{
        str_index_fini(&build->by_name);
        str_index_fini(&build->by_namespace);
        str_index_fini(&build->by_addr);
        str_index_fini(&build->texts);
        free(steal(build->places));
}

void inventory_build_free(struct inventory_build *build)
{
        if (!build)
                return;
        forget_indexes(build);
        free(build->endpoints);
        free(build->namespaces);
        free(build);
}

struct inventory *inventory_free(struct inventory *inventory)
{
        if (!inventory)
                return NULL;
        inventory_build_free(inventory->build);
        free(inventory->endpoints);
        arena_free(inventory->arena);
        free(inventory);
        return NULL;
}

/* Endpoints are alike: one copy serves all equal texts. */
static bool copy_text(struct inventory *inventory, const char **text)
{
        struct str_index *texts = &inventory->build->texts;
        size_t size = strlen(*text) + 1;
        const char *copy = str_index_key(texts, *text, size);

        if (!copy) {
                copy = arena_strdup(inventory->arena, *text);
                if (!copy || str_index_put(texts, copy, size, 0) < 0)
                        return false;
        }
        *text = copy;
        return true;
}

static bool copy_labels(struct inventory *inventory, struct label_set *labels)
{
        struct label *items = arena_array(inventory->arena, labels->len, sizeof(*items));
        size_t i;

        if (!items)
                return false;
        for (i = 0; i < labels->len; i++) {
                items[i] = labels->items[i];
                if (!copy_text(inventory, &items[i].key) || !copy_text(inventory, &items[i].value))
                        return false;
        }
        labels->items = items;
        label_set_normalise(labels);
        return true;
}

static int cmp_addr(const void *a, const void *b)
{
        return addr_cmp(a, b);
}

static bool copy_addrs(struct arena *arena, struct endpoint *endpoint)
{
        size_t i, out = 0;

        endpoint->addrs = arena_memdup(arena, endpoint->addrs, endpoint->addrs_len * sizeof(*endpoint->addrs));
        if (!endpoint->addrs)
                return false;
        qsort(endpoint->addrs, endpoint->addrs_len, sizeof(*endpoint->addrs), cmp_addr);
        for (i = 0; i < endpoint->addrs_len; i++)
                if (out == 0 || !addr_equal(&endpoint->addrs[out - 1], &endpoint->addrs[i]))
                        endpoint->addrs[out++] = endpoint->addrs[i];
        endpoint->addrs_len = out;
        return true;
}

static int cmp_port(const void *pa, const void *pb)
{
        const struct named_port *a = pa, *b = pb;
        int cmp = strcmp(a->name, b->name);

        if (cmp == 0)
                cmp = (a->protocol > b->protocol) - (a->protocol < b->protocol);
        if (cmp == 0)
                cmp = (a->port > b->port) - (a->port < b->port);
        return cmp;
}

static bool copy_ports(struct inventory *inventory, struct endpoint *endpoint)
{
        size_t i;

        endpoint->ports =
                arena_memdup(inventory->arena, endpoint->ports, endpoint->ports_len * sizeof(*endpoint->ports));
        if (!endpoint->ports)
                return false;
        for (i = 0; i < endpoint->ports_len; i++)
                if (!copy_text(inventory, &endpoint->ports[i].name))
                        return false;
        qsort(endpoint->ports, endpoint->ports_len, sizeof(*endpoint->ports), cmp_port);
        return true;
}

static int cmp_published(const void *pa, const void *pb)
{
        const struct published_port *a = pa, *b = pb;

        if (a->protocol != b->protocol)
                return (int)a->protocol - (int)b->protocol;
        return a->port != b->port ? (int)a->port - (int)b->port : (int)a->target - (int)b->target;
}

static bool copy_published(struct arena *arena, struct endpoint *endpoint)
{
        struct published_port *ports =
                arena_memdup(arena, endpoint->published, endpoint->published_len * sizeof(*ports));
        size_t len = 0;

        if (!ports)
                return false;
        if (endpoint->published_len > 1)
                qsort(ports, endpoint->published_len, sizeof(*ports), cmp_published);
        for (size_t i = 0; i < endpoint->published_len; i++)
                if (len == 0 || cmp_published(&ports[len - 1], &ports[i]) != 0)
                        ports[len++] = ports[i];
        endpoint->published = ports;
        endpoint->published_len = len;
        return true;
}

int inventory_add_namespace(struct inventory *inventory, const struct namespace *ns)
{
        struct inventory_build *build = inventory->build;
        struct namespace copy = *ns;
        uint32_t index;

        if (str_index_get(&build->by_namespace, ns->name, strlen(ns->name), &index))
                return INVENTORY_E_DUPLICATE;
        if (array_reserve(&build->namespaces, &build->namespaces_cap, build->namespaces_len + 1, sizeof(copy)) < 0 ||
            !copy_text(inventory, &copy.name) || !copy_labels(inventory, &copy.labels) ||
            str_index_put(&build->by_namespace, copy.name, strlen(copy.name), (uint32_t)build->namespaces_len) < 0)
                return -ENOMEM;
        build->namespaces[build->namespaces_len++] = copy;
        return 0;
}

int inventory_add_endpoint(struct inventory *inventory, const struct endpoint *endpoint)
{
        struct inventory_build *build = inventory->build;
        struct arena *arena = inventory->arena;
        struct endpoint copy = *endpoint;
        const char *full;
        uint32_t index;

        full = arena_printf(arena, "%s/%s", copy.ns, copy.name);
        if (!full)
                return -ENOMEM;
        if (str_index_get(&build->by_name, full, strlen(full), &index))
                return INVENTORY_E_DUPLICATE;

        /* "ns/name" is kept for the index anyhow, and its end is the name. */
        copy.name = full + strlen(copy.ns) + 1;
        copy.runtime = copy.runtime ? copy.runtime : "";
        copy.id = copy.id ? copy.id : "";
        if (array_reserve(&build->endpoints, &build->endpoints_cap, build->endpoints_len + 1, sizeof(copy)) < 0 ||
            !copy_text(inventory, &copy.ns) || !copy_text(inventory, &copy.runtime) ||
            !copy_text(inventory, &copy.id) || (copy.netns && !copy_text(inventory, &copy.netns)) ||
            !copy_labels(inventory, &copy.labels) || !copy_addrs(arena, &copy) || !copy_ports(inventory, &copy) ||
            !copy_published(arena, &copy) ||
            str_index_put(&build->by_name, full, strlen(full), (uint32_t)build->endpoints_len) < 0)
                return -ENOMEM;
        build->endpoints[build->endpoints_len++] = copy;
        return 0;
}

static int cmp_endpoint(const void *pa, const void *pb)
{
        const struct endpoint *a = pa, *b = pb;
        int cmp = strcmp(a->ns, b->ns);

        return cmp ? cmp : strcmp(a->name, b->name);
}

static int cmp_namespace(const void *pa, const void *pb)
{
        const struct namespace *a = pa, *b = pb;

        return strcmp(a->name, b->name);
}

/* Nobody can give a namespace another name by label. */
static int add_name_label(struct arena *arena, struct namespace *ns)
{
        struct label *items = arena_array(arena, ns->labels.len + 1, sizeof(*items));

        if (!items)
                return -ENOMEM;
        if (ns->labels.len > 0)
                memcpy(items, ns->labels.items, ns->labels.len * sizeof(*items));
        items[ns->labels.len] = (struct label){.key = NAMESPACE_NAME_LABEL, .value = ns->name};
        ns->labels.items = items;
        ns->labels.len++;
        label_set_normalise(&ns->labels);
        return 0;
}

static int add_implied_namespaces(struct inventory *inventory)
{
        struct inventory_build *build = inventory->build;
        size_t i;
        int r;

        for (i = 0; i < build->endpoints_len; i++) {
                r = inventory_add_namespace(inventory, &(struct namespace){.name = build->endpoints[i].ns});
                if (r < 0)
                        return r;
        }
        for (i = 0; i < build->namespaces_len; i++) {
                r = add_name_label(inventory->arena, &build->namespaces[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int inventory_seal(struct inventory *inventory)
{
        struct inventory_build *build = inventory->build;
        struct endpoint *endpoints;
        struct namespace *namespaces;
        size_t len = build->endpoints_len;
        int r;

        r = add_implied_namespaces(inventory);
        if (r < 0)
                return r;
        forget_indexes(build);
        endpoints = realloc(build->endpoints, (len > 0 ? len : 1) * sizeof(*endpoints));
        if (!endpoints)
                return -ENOMEM;
        build->endpoints = endpoints;
        namespaces = arena_memdup(inventory->arena, build->namespaces, build->namespaces_len * sizeof(*namespaces));
        if (!namespaces)
                return -ENOMEM;
        qsort(endpoints, len, sizeof(*endpoints), cmp_endpoint);
        qsort(namespaces, build->namespaces_len, sizeof(*namespaces), cmp_namespace);
        inventory->endpoints = steal(build->endpoints);
        inventory->endpoints_len = len;
        inventory->namespaces = namespaces;
        inventory->namespaces_len = build->namespaces_len;
        inventory_build_free(steal(inventory->build));
        return 0;
}

const struct endpoint *inventory_find(const struct inventory *inventory, const char *ns, const char *name)
{
        const struct endpoint key = {.ns = ns, .name = name};

        if (inventory->endpoints_len == 0)
                return NULL;
        return bsearch(&key, inventory->endpoints, inventory->endpoints_len, sizeof(key), cmp_endpoint);
}

const struct namespace *inventory_find_namespace(const struct inventory *inventory, const char *name)
{
        const struct namespace key = {.name = name};

        if (inventory->namespaces_len == 0)
                return NULL;
        return bsearch(&key, inventory->namespaces, inventory->namespaces_len, sizeof(key), cmp_namespace);
}
