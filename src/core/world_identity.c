/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world's namespaces and identities. Part of the world; world.c builds groups, rules and classes on them. */
#include <errno.h>
#include <string.h>

#include "world_internal.h"

/* namespaces */

static int namespace_cmp(const void *a, const void *b)
{
        return strcmp(((const struct namespace *)a)->name, ((const struct namespace *)b)->name);
}

static int namespace_merge(struct world *world, struct namespace *into, const struct namespace *from)
{
        struct label_set merged;
        size_t len = into->labels.len + from->labels.len;

        if (from->labels.len == 0)
                return 0;

        merged.items = arena_array(world->arena, len, sizeof(*merged.items));
        if (!merged.items)
                return -ENOMEM;
        if (into->labels.len > 0)
                memcpy(merged.items, into->labels.items, into->labels.len * sizeof(*merged.items));
        memcpy(merged.items + into->labels.len, from->labels.items, from->labels.len * sizeof(*merged.items));
        merged.len = len;
        label_set_normalise(&merged);
        into->labels = merged;
        return 0;
}

/* One namespace for each name that inventory, policies or Namespace objects mention. Labels add up; where both give a
 * key, the Namespace object's value holds, being the one written beside the policies. */
int world_build_namespaces(struct world *world)
{
        const struct inventory *inventory = world->inventory;
        const struct policy_set *policies = world->policies;
        size_t max = inventory->namespaces_len + policies->policies_len + policies->namespaces_len;
        struct namespace *all = arena_array(world->arena, max, sizeof(*all));
        size_t n = 0, len = 0;

        if (!all)
                return -ENOMEM;
        for (size_t i = 0; i < inventory->namespaces_len; i++)
                all[n++] = inventory->namespaces[i];
        for (size_t i = 0; i < policies->policies_len; i++)
                if (policies->policies[i].ns)
                        all[n++].name = policies->policies[i].ns;
        for (size_t i = 0; i < policies->namespaces_len; i++)
                all[n++].name = policies->namespaces[i].name;
        if (n > 0)
                qsort(all, n, sizeof(*all), namespace_cmp);

        for (size_t i = 0; i < n; i++) {
                if (len > 0 && strcmp(all[len - 1].name, all[i].name) == 0) {
                        if (all[i].labels.len > 0)
                                all[len - 1] = all[i];
                } else {
                        all[len++] = all[i];
                }
        }
        for (size_t i = 0, j = 0; i < len; i++) {
                /* A sealed inventory has the name itself, or the name that a namespace stands for. */
                const char *name = label_set_get(&all[i].labels, NAMESPACE_NAME_LABEL);
                struct label name_label = {NAMESPACE_NAME_LABEL, name ? name : all[i].name};
                struct namespace name_only = {.name = all[i].name, .labels = {&name_label, 1}};
                int r;

                while (j < policies->namespaces_len && strcmp(policies->namespaces[j].name, all[i].name) < 0)
                        j++;
                if (j < policies->namespaces_len && strcmp(policies->namespaces[j].name, all[i].name) == 0) {
                        r = namespace_merge(world, &all[i], &policies->namespaces[j]);
                        if (r < 0)
                                return r;
                }
                r = namespace_merge(world, &all[i], &name_only);
                if (r < 0)
                        return r;
        }
        world->namespaces = all;
        world->namespaces_len = len;
        return 0;
}

uint32_t world_find_namespace(const struct world *world, const char *name)
{
        struct namespace key = {.name = name};
        const struct namespace *ns = NULL;

        if (world->namespaces_len > 0)
                ns = bsearch(&key, world->namespaces, world->namespaces_len, sizeof(key), namespace_cmp);
        return ns ? (uint32_t)(ns - world->namespaces) : NONE;
}

/* identities */

struct name_list {
        const char **names; /* heap */
        size_t len, cap;
};

static int name_list_add(struct name_list *list, const char *name)
{
        int r = array_reserve(&list->names, &list->cap, list->len + 1, sizeof(*list->names));

        if (r < 0)
                return r;
        list->names[list->len++] = name;
        return 0;
}

static int name_cmp(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void name_list_sort(struct name_list *list)
{
        size_t len = 0;

        if (list->len == 0)
                return;
        qsort(list->names, list->len, sizeof(*list->names), name_cmp);
        for (size_t i = 0; i < list->len; i++)
                if (len == 0 || strcmp(list->names[len - 1], list->names[i]) != 0)
                        list->names[len++] = list->names[i];
        list->len = len;
}

static int add_selector_keys(struct name_list *keys, const struct selector *selector)
{
        for (size_t i = 0; selector && i < selector->len; i++) {
                int r = name_list_add(keys, selector->requirements[i].key);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* Every label key that a pod selector names, and every port name that a rule names. */
static int collect_names(const struct policy_set *policies, struct name_list *keys, struct name_list *ports)
{
        int r = 0;

        for (size_t i = 0; i < policies->policies_len; i++) {
                const struct policy *policy = &policies->policies[i];

                r = add_selector_keys(keys, policy->pod_selector);
                for (int d = 0; r == 0 && d < DIR_MAX; d++) {
                        for (size_t j = 0; r == 0 && j < policy->rules_len[d]; j++) {
                                const struct rule *rule = &policy->rules[d][j];

                                for (size_t k = 0; r == 0 && k < rule->peers_len; k++)
                                        r = add_selector_keys(keys, rule->peers[k].pod_selector);
                                for (size_t k = 0; r == 0 && k < rule->ports_len; k++)
                                        if (rule->ports[k].kind == PORT_NAME)
                                                r = name_list_add(ports, rule->ports[k].name);
                        }
                }
                if (r < 0)
                        return r;
        }
        name_list_sort(keys);
        name_list_sort(ports);
        return 0;
}

static bool name_list_has(const struct name_list *list, const char *name)
{
        return list->len > 0 && bsearch(&name, list->names, list->len, sizeof(name), name_cmp);
}

/* What tells the endpoint's identity apart from others, as bytes; ret_ports is where those of its ports begin. */
static int identity_key(struct strbuf *buf, uint32_t ns, const struct endpoint *endpoint, const struct name_list *keys,
                        const struct name_list *ports, size_t *ret_ports)
{
        size_t i = 0, j = 0;

        strbuf_clear(buf);
        strbuf_add(buf, (const char *)&ns, sizeof(ns));
        while (i < keys->len && j < endpoint->labels.len) {
                const struct label *label = &endpoint->labels.items[j];
                int c = strcmp(keys->names[i], label->key);

                if (c == 0) {
                        strbuf_add(buf, label->key, strlen(label->key) + 1);
                        strbuf_add(buf, label->value, strlen(label->value) + 1);
                }
                i += c <= 0;
                j += c >= 0;
        }
        strbuf_putc(buf, '\0');
        *ret_ports = buf->len;
        for (i = 0; i < endpoint->ports_len; i++) {
                const struct named_port *port = &endpoint->ports[i];

                if (!name_list_has(ports, port->name))
                        continue;
                strbuf_add(buf, port->name, strlen(port->name) + 1);
                strbuf_add(buf, (const char *)&port->protocol, sizeof(port->protocol));
                strbuf_add(buf, (const char *)&port->port, sizeof(port->port));
        }
        return strbuf_check(buf);
}

static int identity_fill(struct world *world, struct identity *identity, uint32_t ns, const struct endpoint *endpoint,
                         const struct name_list *keys, const struct name_list *ports)
{
        identity->ns = ns;
        for (int d = 0; d < DIR_MAX; d++)
                identity->class[d] = NONE;

        identity->labels.items = arena_array(world->arena, endpoint->labels.len, sizeof(*identity->labels.items));
        identity->ports = arena_array(world->arena, endpoint->ports_len, sizeof(*identity->ports));
        if (!identity->labels.items || !identity->ports)
                return -ENOMEM;
        for (size_t i = 0; i < endpoint->labels.len; i++)
                if (name_list_has(keys, endpoint->labels.items[i].key))
                        identity->labels.items[identity->labels.len++] = endpoint->labels.items[i];
        for (size_t i = 0; i < endpoint->ports_len; i++)
                if (name_list_has(ports, endpoint->ports[i].name))
                        identity->ports[identity->ports_len++] = endpoint->ports[i];
        return 0;
}

/* Turns the mapping endpoint -> identity round. */
static int identity_members(struct world *world)
{
        const struct inventory *inventory = world->inventory;

        for (size_t i = 0; i < inventory->endpoints_len; i++)
                if (world->endpoint_identity[i] != NONE)
                        world->identities[world->endpoint_identity[i]].endpoints_len++;
        for (size_t i = 0; i < world->identities_len; i++) {
                struct identity *identity = &world->identities[i];

                identity->endpoints = arena_array(world->arena, identity->endpoints_len, sizeof(*identity->endpoints));
                if (!identity->endpoints)
                        return -ENOMEM;
                identity->endpoints_len = 0;
        }
        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i];
                struct identity *identity;

                if (world->endpoint_identity[i] == NONE)
                        continue;
                identity = &world->identities[world->endpoint_identity[i]];
                identity->endpoints[identity->endpoints_len++] = (uint32_t)i;
                for (size_t j = 0; j < endpoint->addrs_len; j++)
                        identity->addrs_len[endpoint->addrs[j].family]++;
        }
        return 0;
}

static int intern_endpoints(struct world *world, const struct name_list *keys, const struct name_list *ports)
{
        const struct inventory *inventory = world->inventory;
        _cleanup_(str_index_fini) struct str_index index = STR_INDEX_INIT, ports_index = STR_INDEX_INIT;
        _cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
        uint32_t ports_len = 0;
        int r;

        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i];
                size_t ports_at;
                uint32_t ns = world_find_namespace(world, endpoint->ns);
                uint32_t id;

                if (endpoint->host_network) {
                        world->endpoint_identity[i] = NONE;
                        continue;
                }
                r = identity_key(&key, ns, endpoint, keys, ports, &ports_at);
                if (r < 0)
                        return r;
                if (!str_index_get(&index, key.text, key.len, &id)) {
                        char *copy = arena_memdup(world->arena, key.text, key.len);
                        uint32_t *ports_id = &world->identities[world->identities_len].ports_id;

                        id = (uint32_t)world->identities_len;
                        if (!copy)
                                return -ENOMEM;
                        r = str_index_put(&index, copy, key.len, id);
                        if (r == 0 && !str_index_get(&ports_index, copy + ports_at, key.len - ports_at, ports_id)) {
                                *ports_id = ports_len++;
                                r = str_index_put(&ports_index, copy + ports_at, key.len - ports_at, *ports_id);
                        }
                        if (r < 0)
                                return r;
                        r = identity_fill(world, &world->identities[id], ns, endpoint, keys, ports);
                        if (r < 0)
                                return r;
                        world->identities_len++;
                }
                world->endpoint_identity[i] = id;
        }
        return identity_members(world);
}

int world_build_identities(struct world *world)
{
        const struct inventory *inventory = world->inventory;
        struct name_list keys = {0}, ports = {0};
        int r;

        world->identities = arena_array(world->arena, inventory->endpoints_len, sizeof(*world->identities));
        world->endpoint_identity = arena_array(world->arena, inventory->endpoints_len, sizeof(uint32_t));
        world->ns_identities = arena_array(world->arena, world->namespaces_len + 1, sizeof(uint32_t));
        if (!world->identities || !world->endpoint_identity || !world->ns_identities)
                return -ENOMEM;

        r = collect_names(world->policies, &keys, &ports);
        if (r == 0)
                r = intern_endpoints(world, &keys, &ports);
        free(keys.names);
        free(ports.names);
        if (r < 0)
                return r;

        /* Endpoints come sorted by namespace, so identities do too. */
        for (size_t i = 0, ns = 0; ns <= world->namespaces_len; ns++) {
                while (i < world->identities_len && world->identities[i].ns < ns)
                        i++;
                world->ns_identities[ns] = (uint32_t)i;
        }
        return 0;
}
