/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the cache knows of a container, as the agent gets it: which labels are its own, where its packets go. */
#include <errno.h>
#include <string.h>

#include "runtime/docker_cache.h"

#define COMPOSE_PREFIX "com.docker.compose."
#define COMPOSE_HASH "com.docker.compose.config-hash"
#define JOINED_PREFIX "container:"

static bool has_prefix(const char *text, const char *prefix)
{
        return !strncmp(text, prefix, strlen(prefix));
}

static bool is_from_image(const struct label *label, const struct label_set *image)
{
        const char *value = label_set_get(image, label->key);

        return value && !strcmp(value, label->value);
}

int docker_own_labels(struct arena *arena, const struct label_set *container, const struct label_set *image, bool trust,
                      struct label_set *ret)
{
        const char *hash = label_set_get(container, COMPOSE_HASH);
        bool by_compose = hash && !is_from_image(&(struct label){COMPOSE_HASH, hash}, image);
        struct label_set own = {0};

        own.items = arena_array(arena, container->len, sizeof(*own.items));
        if (!own.items)
                return -ENOMEM;
        for (size_t i = 0; i < container->len; i++) {
                const struct label *label = &container->items[i];
                bool keep = !is_from_image(label, image);

                if (!keep && !has_prefix(label->key, DOCKER_OWN_PREFIX))
                        keep = trust || (by_compose && has_prefix(label->key, COMPOSE_PREFIX));
                if (keep)
                        own.items[own.len++] = *label;
        }
        *ret = own;
        return 0;
}

bool docker_record_is_complete(const struct docker_record *record)
{
        return record->listed && record->labels_known && *record->info.name;
}

static int name_cmp(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int fill_networks(const struct docker_record *record, struct arena *arena, struct container *ret)
{
        const struct docker_info *info = &record->info;
        const char **names = arena_array(arena, info->attachments_len + record->links_len, sizeof(*names));
        size_t all = 0, len = 0;

        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < info->attachments_len; i++)
                names[all++] = info->attachments[i].name;
        for (size_t i = 0; i < record->links_len; i++)
                names[all++] = record->links[i].network->name;
        if (all)
                qsort(names, all, sizeof(*names), name_cmp);
        for (size_t i = 0; i < all; i++) {
                if (!len || strcmp(names[len - 1], names[i]) != 0)
                        names[len++] = names[i];
        }
        ret->networks = names;
        ret->networks_len = len;
        return 0;
}

static int fill_addrs(const struct docker_record *record, struct arena *arena, struct container *ret)
{
        struct container_addr *addrs = arena_array(arena, record->links_len * 2, sizeof(*addrs));
        size_t len = 0;

        if (!addrs)
                return -ENOMEM;
        for (size_t i = 0; i < record->links_len; i++) {
                const struct docker_link *link = &record->links[i];

                for (size_t k = 0; k < link->addrs_len; k++, len++) {
                        addrs[len].network = link->network->name;
                        addrs[len].network_id = link->network->id;
                        addrs[len].addr = link->addrs[k];
                        memcpy(addrs[len].mac, link->mac, sizeof(link->mac));
                }
        }
        ret->addrs = addrs;
        ret->addrs_len = len;
        return 0;
}

/* Only a bridge brings a container's packets through the host's hooks. */
static int fill_unenforced(const struct docker_record *record, struct arena *arena, struct container *ret)
{
        for (size_t i = 0; i < record->links_len && !ret->unenforced; i++) {
                const struct docker_network *network = record->links[i].network;

                if (!strcmp(network->driver, "bridge") || docker_network_is_plain(network))
                        continue;
                ret->unenforced = arena_printf(arena,
                                               "network %s uses the driver %s, whose traffic does not pass a bridge "
                                               "of this host",
                                               network->name, network->driver);
                if (!ret->unenforced)
                        return -ENOMEM;
        }
        return 0;
}

/* Docker writes the id there once the container is made; before, what the user gave: a name or the beginning of an id. */
static const char *joined_id(const struct docker_cache *cache, const char *text)
{
        if (docker_cache_record(cache, text))
                return text;
        for (size_t i = 0; i < cache->records_len; i++) {
                const struct docker_record *record = cache->records[i];

                if (record->listed && (!strcmp(record->info.name, text) || has_prefix(record->id, text)))
                        return record->id;
        }
        return text;
}

int docker_record_container(const struct docker_cache *cache, const struct docker_record *record, struct arena *arena,
                            struct container *ret)
{
        const struct docker_info *info = &record->info;
        struct container container = {
                .runtime = "docker",
                .id = record->id,
                .name = info->name,
                .image = info->image,
                .labels = record->labels,
                .pid = info->pid,
                .published = info->published,
                .published_len = info->published_len,
        };

        container.host_network = !strcmp(info->network_mode, "host");
        if (has_prefix(info->network_mode, JOINED_PREFIX))
                container.joined = joined_id(cache, info->network_mode + strlen(JOINED_PREFIX));
        if (*info->netns && !container.host_network)
                container.netns = info->netns;
        if (fill_networks(record, arena, &container) || fill_addrs(record, arena, &container) ||
            fill_unenforced(record, arena, &container))
                return -ENOMEM;
        *ret = container;
        return 0;
}
