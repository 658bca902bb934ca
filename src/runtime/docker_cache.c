/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cache of docker_cache.h.
 *
 * Where each part of a record comes from: labels, name, image, network mode from list and inspection alike; process and
 * network namespace from the inspection alone, since the list lags behind at the end of a container; addresses from the
 * networks' own pages alone, since only those know them before the container starts. A network's page is a whole: what
 * it does not name has no address on it, so an address that moves from one container to the next moves in one step,
 * whichever event came first. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "runtime/docker_cache.h"

/* ---- sorted arrays of pointers to structs that begin with their owner and their id ---- */

struct keyed {
        struct docker *docker;
        char *id;
};

static_assert(offsetof(struct docker_record, id) == offsetof(struct keyed, id), "a record is keyed");
static_assert(offsetof(struct docker_network, id) == offsetof(struct keyed, id), "a network is keyed");
static_assert(offsetof(struct docker_image, id) == offsetof(struct keyed, id), "an image is keyed");

/* The place of id, or where it belongs. */
static size_t keyed_search(void *const *items, size_t len, const char *id, bool *ret_found)
{
        size_t low = 0, high = len;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int r = strcmp(((struct keyed *)items[middle])->id, id);

                if (r == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (r < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        *ret_found = false;
        return low;
}

static void *keyed_find(void *const *items, size_t len, const char *id)
{
        bool found;
        size_t i = keyed_search(items, len, id, &found);

        return found ? items[i] : NULL;
}

/* Adds a zeroed object of size bytes, or gives the one there is. NULL: no memory. */
static void *keyed_add(void ***items, size_t *len, size_t *cap, struct docker *docker, const char *id, size_t size)
{
        _cleanup_free_ struct keyed *item = NULL;
        bool found;
        size_t i = keyed_search(*items, *len, id, &found);

        if (found)
                return (*items)[i];
        item = calloc(1, size);
        if (!item || array_reserve(items, cap, *len + 1, sizeof(**items)))
                return NULL;
        item->docker = docker;
        item->id = strdup(id);
        if (!item->id)
                return NULL;
        memmove(&(*items)[i + 1], &(*items)[i], (*len - i) * sizeof(**items));
        (*items)[i] = item;
        (*len)++;
        return steal(item);
}

static void keyed_remove(void **items, size_t *len, const char *id)
{
        bool found;
        size_t i = keyed_search(items, *len, id, &found);

        memmove(&items[i], &items[i + 1], (*len - i - 1) * sizeof(*items));
        (*len)--;
}

struct docker_record *docker_cache_record(const struct docker_cache *cache, const char *id)
{
        return keyed_find((void **)cache->records, cache->records_len, id);
}

struct docker_network *docker_cache_network(const struct docker_cache *cache, const char *id)
{
        return keyed_find((void **)cache->networks, cache->networks_len, id);
}

struct docker_record *docker_cache_add_record(struct docker_cache *cache, const char *id)
{
        return keyed_add((void ***)&cache->records, &cache->records_len, &cache->records_cap, cache->docker, id,
                         sizeof(struct docker_record));
}

static void link_fini(struct docker_link *link)
{
        free(link->endpoint_id);
}

static void record_free(struct docker_record *record)
{
        for (size_t i = 0; i < record->links_len; i++)
                link_fini(&record->links[i]);
        free(record->links);
        arena_free(record->arena);
        free(record->id);
        free(record);
}

void docker_cache_remove_record(struct docker_cache *cache, struct docker_record *record)
{
        keyed_remove((void **)cache->records, &cache->records_len, record->id);
        record_free(record);
}

static void network_free(struct docker_network *network)
{
        free(network->id);
        free(network->name);
        free(network->driver);
        free(network);
}

struct docker_network *docker_cache_add_network(struct docker_cache *cache, const char *id)
{
        struct docker_network *network = keyed_add((void ***)&cache->networks, &cache->networks_len,
                                                   &cache->networks_cap, cache->docker, id, sizeof(*network));

        if (!network || network->name)
                return network;
        network->name = strdup("");
        network->driver = strdup("");
        if (network->name && network->driver)
                return network;
        docker_cache_remove_network(cache, network);
        return NULL;
}

static void remove_link(struct docker_record *record, size_t i)
{
        link_fini(&record->links[i]);
        record->links_len--;
        memmove(&record->links[i], &record->links[i + 1], (record->links_len - i) * sizeof(*record->links));
        record->changed = true;
        record->released = true;
}

static struct docker_link *find_link(const struct docker_record *record, const struct docker_network *network)
{
        for (size_t i = 0; i < record->links_len; i++) {
                if (record->links[i].network == network)
                        return &record->links[i];
        }
        return NULL;
}

void docker_cache_remove_network(struct docker_cache *cache, struct docker_network *network)
{
        for (size_t i = 0; i < cache->records_len; i++) {
                struct docker_link *link = find_link(cache->records[i], network);

                if (link)
                        remove_link(cache->records[i], (size_t)(link - cache->records[i]->links));
        }
        keyed_remove((void **)cache->networks, &cache->networks_len, network->id);
        network_free(network);
}

static void image_free(struct docker_image *image)
{
        arena_free(image->arena);
        free(image->id);
        free(image);
}

void docker_cache_prune_images(struct docker_cache *cache)
{
        size_t len = 0;

        for (size_t i = 0; i < cache->images_len; i++) {
                struct docker_image *image = cache->images[i];
                bool used = image->fetch.request != NULL;

                for (size_t k = 0; k < cache->records_len && !used; k++) {
                        const struct docker_record *record = cache->records[k];

                        used = !record->listed || !strcmp(record->info.image_id, image->id);
                }
                if (used)
                        cache->images[len++] = image;
                else
                        image_free(image);
        }
        cache->images_len = len;
}

void docker_cache_fini(struct docker_cache *cache)
{
        for (size_t i = 0; i < cache->records_len; i++)
                record_free(cache->records[i]);
        for (size_t i = 0; i < cache->networks_len; i++)
                network_free(cache->networks[i]);
        for (size_t i = 0; i < cache->images_len; i++)
                image_free(cache->images[i]);
        free(cache->records);
        free(cache->networks);
        free(cache->images);
        *cache = (struct docker_cache){0};
}

bool docker_network_is_plain(const struct docker_network *network)
{
        return !strcmp(network->driver, "host") || !strcmp(network->driver, "null");
}

/* ---- labels ---- */

static bool needs_image(const struct docker_cache *cache, const struct label_set *labels)
{
        if (!cache->trust_image_labels)
                return labels->len > 0;
        for (size_t i = 0; i < labels->len; i++) {
                if (!strncmp(labels->items[i].key, DOCKER_OWN_PREFIX, strlen(DOCKER_OWN_PREFIX)))
                        return true;
        }
        return false;
}

/* Works out the record's own labels, or wants what is needed for that. */
static int resolve_labels(struct docker_cache *cache, struct docker_record *record)
{
        static const struct label_set none = {0};
        const struct label_set *from = &none;
        struct docker_image *image;
        int r;

        record->labels_known = false;
        if (needs_image(cache, &record->info.labels)) {
                if (!docker_image_id_is_valid(record->info.image_id))
                        return 0;
                image = keyed_add((void ***)&cache->images, &cache->images_len, &cache->images_cap, cache->docker,
                                  record->info.image_id, sizeof(*image));
                if (!image)
                        return -ENOMEM;
                if (!image->known) {
                        image->fetch.wanted = image->fetch.wanted || !image->fetch.request;
                        return 0;
                }
                from = &image->labels;
        }
        r = docker_own_labels(record->arena, &record->info.labels, from, cache->trust_image_labels, &record->labels);
        record->labels_known = r == 0;
        return r;
}

/* ---- answers ---- */

static int copy_labels(struct arena *arena, const struct label_set *from, struct label_set *ret)
{
        struct label_set labels = {.len = from->len};

        labels.items = arena_array(arena, from->len, sizeof(*labels.items));
        if (!labels.items)
                return -ENOMEM;
        for (size_t i = 0; i < from->len; i++) {
                labels.items[i].key = arena_strdup(arena, from->items[i].key);
                labels.items[i].value = arena_strdup(arena, from->items[i].value);
                if (!labels.items[i].key || !labels.items[i].value)
                        return -ENOMEM;
        }
        *ret = labels;
        return 0;
}

static int copy_attachments(struct arena *arena, const struct docker_info *from, struct docker_info *to)
{
        to->attachments = arena_memdup(arena, from->attachments, from->attachments_len * sizeof(*from->attachments));
        if (!to->attachments)
                return -ENOMEM;
        for (size_t i = 0; i < from->attachments_len; i++) {
                struct docker_attachment *attachment = &to->attachments[i];

                attachment->name = arena_strdup(arena, attachment->name);
                attachment->network_id = arena_strdup(arena, attachment->network_id);
                attachment->endpoint_id = arena_strdup(arena, attachment->endpoint_id);
                if (!attachment->name || !attachment->network_id || !attachment->endpoint_id)
                        return -ENOMEM;
        }
        return 0;
}

static int copy_info(struct arena *arena, const struct docker_info *from, struct docker_info *ret)
{
        struct docker_info info = *from;

        info.id = arena_strdup(arena, from->id);
        info.name = arena_strdup(arena, from->name);
        info.image = arena_strdup(arena, from->image);
        info.image_id = arena_strdup(arena, from->image_id);
        info.network_mode = arena_strdup(arena, from->network_mode);
        info.netns = arena_strdup(arena, from->netns);
        info.published = arena_memdup(arena, from->published, from->published_len * sizeof(*from->published));
        if (!info.id || !info.name || !info.image || !info.image_id || !info.network_mode || !info.netns ||
            !info.published)
                return -ENOMEM;
        if (copy_labels(arena, &from->labels, &info.labels) || copy_attachments(arena, from, &info))
                return -ENOMEM;
        *ret = info;
        return 0;
}

static bool published_equal(const struct container_published *a, const struct container_published *b)
{
        return a->protocol == b->protocol && addr_equal(&a->host_addr, &b->host_addr) && a->host_port == b->host_port &&
               a->container_port == b->container_port;
}

/* Of what the agent is told. */
static bool info_equal(const struct docker_info *a, const struct docker_info *b)
{
        if (strcmp(a->name, b->name) != 0 || strcmp(a->image, b->image) != 0 ||
            strcmp(a->network_mode, b->network_mode) != 0 || strcmp(a->netns, b->netns) != 0 || a->pid != b->pid ||
            label_set_cmp(&a->labels, &b->labels) != 0 || a->attachments_len != b->attachments_len ||
            a->published_len != b->published_len)
                return false;
        for (size_t i = 0; i < a->attachments_len; i++) {
                if (strcmp(a->attachments[i].name, b->attachments[i].name) != 0)
                        return false;
        }
        for (size_t i = 0; i < a->published_len; i++) {
                if (!published_equal(&a->published[i], &b->published[i]))
                        return false;
        }
        return true;
}

static int replace_info(struct docker_cache *cache, struct docker_record *record, const struct docker_info *from)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct docker_info info;

        if (!arena || copy_info(arena, from, &info))
                return -ENOMEM;
        if (!record->listed || !info_equal(&record->info, &info))
                record->changed = true;
        arena_free(record->arena);
        record->arena = steal(arena);
        record->info = info;
        record->listed = true;
        record->missing = 0;
        return resolve_labels(cache, record);
}

int docker_cache_apply_list(struct docker_cache *cache, struct docker_record *record, const struct docker_info *info)
{
        struct docker_info merged = *info;

        if (record->listed) {
                merged.running = record->info.running;
                merged.pid = record->info.pid;
                merged.netns = record->info.netns;
                /* Until it runs the list has no ports, and the inspection has at least those asked for by number. */
                if (!info->published_len) {
                        merged.published = record->info.published;
                        merged.published_len = record->info.published_len;
                }
        }
        return replace_info(cache, record, &merged);
}

static bool attachment_is_linked(const struct docker_record *record, const struct docker_attachment *attachment,
                                 const struct docker_network *network)
{
        const struct docker_link *link = find_link(record, network);

        if (!link)
                return !*attachment->endpoint_id;
        if (strcmp(link->endpoint_id, attachment->endpoint_id) != 0 || link->addrs_len != attachment->addrs_len)
                return false;
        for (size_t i = 0; i < link->addrs_len; i++) {
                if (!addr_equal(&link->addrs[i], &attachment->addrs[i]))
                        return false;
        }
        return true;
}

/* Where the inspection and the networks' pages do not say the same, one of them is old: the pages are asked again. */
static int confirm_links(struct docker_cache *cache, struct docker_record *record)
{
        const struct docker_info *info = &record->info;

        for (size_t i = 0; i < info->attachments_len; i++) {
                const struct docker_attachment *attachment = &info->attachments[i];
                struct docker_network *network;

                if (!docker_id_is_valid(attachment->network_id))
                        continue;
                network = docker_cache_add_network(cache, attachment->network_id);
                if (!network)
                        return -ENOMEM;
                if (!docker_network_is_plain(network) && !attachment_is_linked(record, attachment, network))
                        network->fetch.wanted = true;
        }
        for (size_t i = 0; i < record->links_len; i++) {
                bool named = false;

                for (size_t k = 0; k < info->attachments_len && !named; k++)
                        named = !strcmp(info->attachments[k].network_id, record->links[i].network->id);
                if (!named)
                        record->links[i].network->fetch.wanted = true;
        }
        return 0;
}

int docker_cache_apply_inspect(struct docker_cache *cache, struct docker_record *record, const struct docker_info *info)
{
        int r = replace_info(cache, record, info);

        return r ? r : confirm_links(cache, record);
}

int docker_cache_apply_network_name(struct docker_cache *cache, struct docker_network *network,
                                    const struct docker_net *net)
{
        _cleanup_free_ char *name = strdup(net->name);
        _cleanup_free_ char *driver = strdup(net->driver);

        if (!name || !driver)
                return -ENOMEM;
        if (!strcmp(network->name, name) && !strcmp(network->driver, driver))
                return 0;
        free(network->name);
        free(network->driver);
        network->name = steal(name);
        network->driver = steal(driver);
        for (size_t i = 0; i < cache->records_len; i++) {
                if (find_link(cache->records[i], network))
                        cache->records[i]->changed = true;
        }
        return 0;
}

static bool link_equal(const struct docker_link *link, const struct docker_endpoint *endpoint)
{
        if (strcmp(link->endpoint_id, endpoint->endpoint_id) != 0 || link->addrs_len != endpoint->addrs_len ||
            memcmp(link->mac, endpoint->mac, sizeof(link->mac)) != 0)
                return false;
        for (size_t i = 0; i < link->addrs_len; i++) {
                if (!addr_equal(&link->addrs[i], &endpoint->addrs[i]))
                        return false;
        }
        return true;
}

static int apply_endpoint(struct docker_record *record, struct docker_network *network,
                          const struct docker_endpoint *endpoint)
{
        struct docker_link *link = find_link(record, network);
        char *endpoint_id;

        if (link && link_equal(link, endpoint))
                return 0;
        if (link)
                remove_link(record, (size_t)(link - record->links));
        endpoint_id = strdup(endpoint->endpoint_id);
        if (!endpoint_id || array_reserve(&record->links, &record->links_cap, record->links_len + 1, sizeof(*link))) {
                free(endpoint_id);
                return -ENOMEM;
        }
        link = &record->links[record->links_len++];
        *link = (struct docker_link){.network = network, .endpoint_id = endpoint_id, .addrs_len = endpoint->addrs_len};
        memcpy(link->addrs, endpoint->addrs, sizeof(link->addrs));
        memcpy(link->mac, endpoint->mac, sizeof(link->mac));
        record->changed = true;
        return 0;
}

/* A container that only the network knows: the event that told of it was lost, or is on its way. */
static int add_strangers(struct docker_cache *cache, const struct docker_net *net)
{
        for (size_t i = 0; i < net->endpoints_len; i++) {
                struct docker_record *record = docker_cache_record(cache, net->endpoints[i].container);

                if (record)
                        continue;
                record = docker_cache_add_record(cache, net->endpoints[i].container);
                if (!record)
                        return -ENOMEM;
                record->list.wanted = true;
                record->inspect.wanted = true;
        }
        return 0;
}

int docker_cache_apply_network(struct docker_cache *cache, struct docker_network *network, const struct docker_net *net)
{
        size_t next = 0;
        int r;

        r = docker_cache_apply_network_name(cache, network, net);
        if (r)
                return r;
        r = add_strangers(cache, net);
        if (r)
                return r;
        /* Both are sorted by the container's id. */
        for (size_t i = 0; i < cache->records_len; i++) {
                struct docker_record *record = cache->records[i];
                struct docker_link *link;
                int order = 1;

                while (next < net->endpoints_len && (order = strcmp(net->endpoints[next].container, record->id)) < 0)
                        next++;
                if (next < net->endpoints_len && order == 0) {
                        r = apply_endpoint(record, network, &net->endpoints[next++]);
                        if (r)
                                return r;
                        continue;
                }
                link = find_link(record, network);
                if (link)
                        remove_link(record, (size_t)(link - record->links));
        }
        return 0;
}

int docker_cache_apply_image(struct docker_cache *cache, struct docker_image *image, const struct label_set *labels)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        int r;

        if (!arena || copy_labels(arena, labels, &image->labels))
                return -ENOMEM;
        arena_free(image->arena);
        image->arena = steal(arena);
        image->known = true;
        for (size_t i = 0; i < cache->records_len; i++) {
                struct docker_record *record = cache->records[i];

                if (!record->listed || record->labels_known || strcmp(record->info.image_id, image->id) != 0)
                        continue;
                r = resolve_labels(cache, record);
                if (r)
                        return r;
                record->changed = true;
        }
        return 0;
}
