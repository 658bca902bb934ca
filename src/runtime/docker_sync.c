/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The full list: networks, then containers, then what only their own pages tell; see docker.c for the order of things. */
#include <errno.h>
#include <string.h>

#include "runtime/docker.h"

#define TIMEOUT_MS 10000u

static int apply_full_list(struct docker *docker, const struct docker_info *infos, size_t len)
{
        struct docker_cache *cache = &docker->cache;

        for (size_t i = 0; i < cache->records_len; i++)
                cache->records[i]->seen = false;
        for (size_t i = 0; i < len; i++) {
                struct docker_record *record = docker_cache_add_record(cache, infos[i].id);

                if (!record || docker_cache_apply_list(cache, record, &infos[i]))
                        return -ENOMEM;
                record->seen = true;
        }
        for (size_t i = cache->records_len; i-- > 0;) {
                struct docker_record *record = cache->records[i];

                /* One that was never in a list is just being created: an event told of it. */
                if (!record->seen && record->listed) {
                        record->reported = false; /* not naming it is enough */
                        docker_forget_record(docker, record, 0);
                        continue;
                }
                record->changed = true;
                record->reported = false;
                if (!record->cause_us)
                        record->cause_us = docker->cause_us;
                if (record->info.running || record->info.pid)
                        docker_want(&record->inspect, 0);
        }
        for (size_t i = 0; i < cache->networks_len; i++) {
                if (!docker_network_is_plain(cache->networks[i]))
                        docker_want(&cache->networks[i]->fetch, 0);
        }
        docker_cache_prune_images(cache);
        return 0;
}

static void begin_filling(struct docker *docker)
{
        int r = 0;

        docker->state = DOCKER_FILLING;
        docker->fill_us = monotonic_us();
        docker->networks_us = 0;
        docker->stats.connected = true;
        docker_tell(docker, (struct runtime_event){.kind = RUNTIME_RESYNC, .received_us = docker->cause_us});
        for (size_t i = 0; i < docker->queue_len && !r && docker->state == DOCKER_FILLING; i++)
                r = docker_apply_event(docker, &docker->queue[i]);
        docker->queue_len = 0;
        if (r)
                docker_fail(docker, "%s", strerror(-r));
        docker_pump(docker);
}

static void on_containers(void *user, struct http_request *request, const struct http_reply *reply)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct docker *docker = user;
        struct docker_info *infos;
        size_t len;
        int r;

        (void)request;
        docker->lists = NULL;
        if (reply->status != 200 || reply->error) {
                docker_fail_by_reply(docker, "cannot list containers", reply);
                return;
        }
        docker->cause_us = reply->received_us;
        r = arena ? docker_decode_list(arena, reply->body, reply->size, &infos, &len) : -ENOMEM;
        if (!r)
                r = apply_full_list(docker, infos, len);
        if (r)
                docker_fail(docker, "cannot list containers: %s", r < 0 ? strerror(-r) : "malformed answer");
        else
                begin_filling(docker);
}

static int apply_network_list(struct docker *docker, const struct docker_net *nets, size_t len)
{
        struct docker_cache *cache = &docker->cache;

        for (size_t i = 0; i < cache->networks_len; i++)
                cache->networks[i]->seen = false;
        for (size_t i = 0; i < len; i++) {
                struct docker_network *network = docker_cache_add_network(cache, nets[i].id);

                if (!network || docker_cache_apply_network_name(cache, network, &nets[i]))
                        return -ENOMEM;
                network->seen = true;
        }
        for (size_t i = cache->networks_len; i-- > 0;) {
                if (!cache->networks[i]->seen)
                        docker_forget_network(docker, cache->networks[i]);
        }
        return 0;
}

static void on_networks(void *user, struct http_request *request, const struct http_reply *reply)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct docker *docker = user;
        struct docker_net *nets;
        size_t len;
        int r;

        (void)request;
        docker->lists = NULL;
        if (reply->status != 200 || reply->error) {
                docker_fail_by_reply(docker, "cannot list networks", reply);
                return;
        }
        r = arena ? docker_decode_networks(arena, reply->body, reply->size, &nets, &len) : -ENOMEM;
        if (!r)
                r = apply_network_list(docker, nets, len);
        if (!r)
                r = docker_get(docker, &docker->lists, "/containers/json?all=1", TIMEOUT_MS, DOCKER_LIST_MAX,
                               on_containers, docker);
        if (r)
                docker_fail(docker, "cannot list networks: %s", r < 0 ? strerror(-r) : "malformed answer");
}

void docker_begin_listing(struct docker *docker)
{
        int r;

        docker->state = DOCKER_LISTING;
        docker->resync_wanted = false;
        r = docker_get(docker, &docker->lists, "/networks", TIMEOUT_MS, DOCKER_LIST_MAX, on_networks, docker);
        if (r)
                docker_fail(docker, "cannot list networks: %s", strerror(-r));
}

/* The engine has sent the headers of the event stream. A list that nothing would keep up to date is none. */
bool docker_is_followed(const struct docker *docker)
{
        return docker->stream && http_request_status(docker->stream) == 200;
}

/* Nothing more to wait for, or waited long enough. Until the networks' pages are here nothing is told, since records
 * without their addresses would look like containers that lost them. */
void docker_finish_filling(struct docker *docker, uint64_t now_us)
{
        bool late = now_us - docker->fill_us >= DOCKER_FILL_MAX_US;

        if (!docker->networks_us) {
                if (docker_fetch_networks_pending(docker) && !late)
                        return;
                docker->networks_us = now_us;
        }
        docker_tell_changes(docker);
        if (docker->state != DOCKER_FILLING)
                return;
        if (!docker_is_followed(docker)) {
                if (late)
                        docker_fail(docker, "the engine does not answer to following its events");
                return;
        }
        if (docker_fetch_labels_pending(docker) && !late)
                return;
        if (docker_fetch_inspects_pending(docker) && now_us - docker->networks_us < DOCKER_INSPECTS_MAX_US)
                return;
        docker->state = DOCKER_LIVE;
        docker->synced_us = now_us;
        docker->version_wanted = 0;
        docker->stats.resyncs++;
        free(docker->lost_reason);
        docker->lost_reason = NULL;
        docker_tell(docker, (struct runtime_event){.kind = RUNTIME_SYNCED, .received_us = docker->cause_us});
}
