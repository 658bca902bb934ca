/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks the Docker Engine what the cache wants to know, and puts the answers there. Each object has one question
 * under way at most; a failed one is asked again with growing delays. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <vethwall/strbuf.h>

#include "runtime/docker.h"

/* What is asked at once. Inspections wait for the container's lock, so for as long as its start or stop takes. */
#define INSPECTS_MAX 16u
#define NETWORKS_MAX 4u
#define IMAGES_MAX 4u
#define SUMMARY_IDS_MAX 50u

#define TIMEOUT_MS 10000u
#define INSPECT_TIMEOUT_MS 60000u

#define RETRY_MIN_US 50000u
#define RETRY_MAX_US 5000000u
/* A container that this many lists in a row do not have is gone, or never came to be. */
#define MISSING_MAX 4u

static bool fetch_is_due(const struct docker_fetch *fetch, uint64_t now_us)
{
        return fetch->wanted && !fetch->request && fetch->not_before_us <= now_us;
}

static bool fetch_is_pending(const struct docker_fetch *fetch)
{
        return fetch->wanted || fetch->request;
}

static void fetch_succeeded(struct docker_fetch *fetch)
{
        fetch->failures = 0;
        fetch->not_before_us = 0;
}

static void fetch_again_later(struct docker_fetch *fetch)
{
        uint64_t delay = (uint64_t)RETRY_MIN_US << (fetch->failures < 10 ? fetch->failures : 10);

        fetch->failures++;
        fetch->wanted = true;
        fetch->cause_us = fetch->asked_us ? fetch->asked_us : fetch->cause_us;
        fetch->not_before_us = monotonic_us() + (delay < RETRY_MAX_US ? delay : RETRY_MAX_US);
}

static void fetch_failed(struct docker *docker, struct docker_fetch *fetch)
{
        docker->stats.errors++;
        fetch_again_later(fetch);
}

static void fetch_asked(struct docker_fetch *fetch)
{
        fetch->wanted = false;
        fetch->asked_us = fetch->cause_us;
        fetch->cause_us = 0;
}

/* Whatever an answer changed was caused by what made us ask. */
static void blame(struct docker *docker, const struct docker_fetch *fetch)
{
        for (size_t i = 0; i < docker->cache.records_len; i++) {
                struct docker_record *record = docker->cache.records[i];

                if (record->changed && !record->cause_us)
                        record->cause_us = fetch->asked_us;
        }
}

static void fetch_start(struct docker *docker, struct docker_fetch *fetch, const char *path, unsigned timeout_ms,
                        http_done_cb done, void *user)
{
        fetch_asked(fetch);
        if (docker_get(docker, &fetch->request, path, timeout_ms, DOCKER_ANSWER_MAX, done, user)) {
                fetch->request = NULL;
                fetch_failed(docker, fetch);
        }
}

int docker_get(struct docker *docker, struct http_request **ret, const char *path, unsigned timeout_ms, size_t max,
               http_done_cb done, void *user)
{
        _cleanup_free_ char *full = NULL;

        if (asprintf(&full, "/v%u.%u%s", docker->version / 1000, docker->version % 1000, path) < 0) {
                full = NULL;
                return -ENOMEM;
        }
        docker->stats.requests++;
        return http_get(docker->http, ret, full, timeout_ms, max, done, user);
}

static bool reply_is_ok(const struct http_reply *reply)
{
        return reply->status == 200 && !reply->error;
}

static bool reply_is_gone(const struct http_reply *reply)
{
        return reply->status == 404 && !reply->error;
}

/* ---- some containers, by the list ---- */

static void summary_answered(struct docker *docker, const struct docker_info *infos, size_t len, uint64_t now_us)
{
        for (size_t i = 0; i < len; i++) {
                struct docker_record *record = docker_cache_record(&docker->cache, infos[i].id);

                if (!record || !record->asked)
                        continue;
                record->asked = false;
                fetch_succeeded(&record->list);
                if (docker_cache_apply_list(&docker->cache, record, &infos[i])) {
                        docker_fail(docker, "out of memory");
                        return;
                }
                blame(docker, &record->list);
        }
        for (size_t i = docker->cache.records_len; i-- > 0;) {
                struct docker_record *record = docker->cache.records[i];

                if (!record->asked)
                        continue;
                /* Not in the list: gone without our noticing, or not in it yet. */
                record->asked = false;
                fetch_again_later(&record->list);
                if (++record->missing > MISSING_MAX)
                        docker_forget_record(docker, record, now_us);
        }
}

static void on_summary(void *user, struct http_request *request, const struct http_reply *reply)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct docker *docker = user;
        struct docker_info *infos;
        size_t len;
        int r = DOCKER_E_MALFORMED;

        (void)request;
        docker->summary_fetch.request = NULL;
        if (arena && reply_is_ok(reply))
                r = docker_decode_list(arena, reply->body, reply->size, &infos, &len);
        if (!r) {
                fetch_succeeded(&docker->summary_fetch);
                summary_answered(docker, infos, len, reply->received_us);
        } else {
                fetch_failed(docker, &docker->summary_fetch);
                for (size_t i = 0; i < docker->cache.records_len; i++) {
                        struct docker_record *record = docker->cache.records[i];

                        if (record->asked) {
                                record->list.wanted = true;
                                record->list.cause_us = record->list.asked_us;
                        }
                        record->asked = false;
                }
        }
        docker_pump(docker);
}

static void serve_summary(struct docker *docker, uint64_t now_us)
{
        _cleanup_(strbuf_fini) struct strbuf filter = STRBUF_INIT;
        _cleanup_free_ char *escaped = NULL, *path = NULL;
        size_t len = 0;

        if (docker->summary_fetch.request || docker->summary_fetch.not_before_us > now_us)
                return;
        for (size_t i = 0; i < docker->cache.records_len && len < SUMMARY_IDS_MAX; i++) {
                struct docker_record *record = docker->cache.records[i];

                if (!fetch_is_due(&record->list, now_us))
                        continue;
                strbuf_printf(&filter, "%s\"%s\"", len ? "," : "{\"id\":[", record->id);
                record->asked = true;
                fetch_asked(&record->list);
                len++;
        }
        if (!len)
                return;
        strbuf_puts(&filter, "]}");
        if (strbuf_check(&filter) || !(escaped = http_escape(filter.text)) ||
            asprintf(&path, "/containers/json?all=1&filters=%s", escaped) < 0) {
                path = NULL;
                docker_fail(docker, "out of memory");
                return;
        }
        docker->summary_fetch.wanted = true;
        fetch_start(docker, &docker->summary_fetch, path, TIMEOUT_MS, on_summary, docker);
}

/* ---- inspections ---- */

static void on_inspect(void *user, struct http_request *request, const struct http_reply *reply)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct docker_record *record = user;
        struct docker *docker = record->docker;
        struct docker_info info;
        int r = DOCKER_E_MALFORMED;

        (void)request;
        record->inspect.request = NULL;
        if (arena && reply_is_ok(reply))
                r = docker_decode_inspect(arena, reply->body, reply->size, &info);
        if (!r && strcmp(info.id, record->id) != 0)
                r = DOCKER_E_MALFORMED;
        if (!r) {
                fetch_succeeded(&record->inspect);
                r = docker_cache_apply_inspect(&docker->cache, record, &info);
                blame(docker, &record->inspect);
                if (r)
                        docker_fail(docker, "out of memory");
        } else if (reply_is_gone(reply)) {
                fetch_succeeded(&record->inspect);
                record->list.wanted = true;
        } else {
                fetch_failed(docker, &record->inspect);
        }
        docker_pump(docker);
}

static void serve_inspects(struct docker *docker, uint64_t now_us)
{
        size_t running = 0;

        for (size_t i = 0; i < docker->cache.records_len; i++)
                running += docker->cache.records[i]->inspect.request != NULL;
        for (size_t i = 0; i < docker->cache.records_len && running < INSPECTS_MAX; i++) {
                struct docker_record *record = docker->cache.records[i];
                char path[DOCKER_ID_SIZE + 32];

                if (!fetch_is_due(&record->inspect, now_us))
                        continue;
                snprintf(path, sizeof(path), "/containers/%s/json", record->id);
                fetch_start(docker, &record->inspect, path, INSPECT_TIMEOUT_MS, on_inspect, record);
                running++;
        }
}

/* ---- networks ---- */

static void on_network(void *user, struct http_request *request, const struct http_reply *reply)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct docker_network *network = user;
        struct docker *docker = network->docker;
        struct docker_net net;
        int r = DOCKER_E_MALFORMED;

        (void)request;
        network->fetch.request = NULL;
        if (arena && reply_is_ok(reply))
                r = docker_decode_network(arena, reply->body, reply->size, &net);
        if (!r && strcmp(net.id, network->id) != 0)
                r = DOCKER_E_MALFORMED;
        if (!r) {
                fetch_succeeded(&network->fetch);
                r = docker_cache_apply_network(&docker->cache, network, &net);
                blame(docker, &network->fetch);
                if (r)
                        docker_fail(docker, "out of memory");
        } else if (reply_is_gone(reply)) {
                docker_forget_network(docker, network);
        } else {
                fetch_failed(docker, &network->fetch);
        }
        docker_pump(docker);
}

static void serve_networks(struct docker *docker, uint64_t now_us)
{
        size_t running = 0;

        for (size_t i = 0; i < docker->cache.networks_len; i++)
                running += docker->cache.networks[i]->fetch.request != NULL;
        for (size_t i = 0; i < docker->cache.networks_len && running < NETWORKS_MAX; i++) {
                struct docker_network *network = docker->cache.networks[i];
                char path[DOCKER_ID_SIZE + 32];

                if (!fetch_is_due(&network->fetch, now_us))
                        continue;
                snprintf(path, sizeof(path), "/networks/%s", network->id);
                fetch_start(docker, &network->fetch, path, TIMEOUT_MS, on_network, network);
                running++;
        }
}

/* ---- images ---- */

/* Containers whose own labels cannot be told from their image's are not reported: the kernel treats them as unknown. */
static void complain_of_image(struct docker *docker, struct docker_image *image, const char *why)
{
        if (image->complained)
                return;
        image->complained = true;
        docker_log(docker, LOG_WARNING,
                   "image %.19s cannot be asked for its labels (%s): its containers stay unknown until it can",
                   image->id, why);
}

static void on_image(void *user, struct http_request *request, const struct http_reply *reply)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct docker_image *image = user;
        struct docker *docker = image->docker;
        struct label_set labels;
        int r = DOCKER_E_MALFORMED;

        (void)request;
        image->fetch.request = NULL;
        if (arena && reply_is_ok(reply))
                r = docker_decode_image(arena, reply->body, reply->size, &labels);
        if (!r) {
                fetch_succeeded(&image->fetch);
                image->fetch.wanted = false;
                if (docker_cache_apply_image(&docker->cache, image, &labels))
                        docker_fail(docker, "out of memory");
        } else {
                const char *why = reply->error;

                if (!why && arena)
                        why = reply->status == 200
                                      ? "its description is malformed"
                                      : docker_decode_error(arena, reply->body, reply->size, reply->status);
                fetch_failed(docker, &image->fetch);
                complain_of_image(docker, image, why ? why : "out of memory");
        }
        docker_pump(docker);
}

static void serve_images(struct docker *docker, uint64_t now_us)
{
        size_t running = 0;

        for (size_t i = 0; i < docker->cache.images_len; i++)
                running += docker->cache.images[i]->fetch.request != NULL;
        for (size_t i = 0; i < docker->cache.images_len && running < IMAGES_MAX; i++) {
                struct docker_image *image = docker->cache.images[i];
                char path[DOCKER_ID_SIZE + 32];

                if (!fetch_is_due(&image->fetch, now_us))
                        continue;
                snprintf(path, sizeof(path), "/images/%s/json", image->id);
                fetch_start(docker, &image->fetch, path, TIMEOUT_MS, on_image, image);
                running++;
        }
}

/* ---- all of them ---- */

void docker_fetch_serve(struct docker *docker, uint64_t now_us)
{
        /* The networks first: they are what stands between a starting container and its rules. */
        serve_networks(docker, now_us);
        serve_summary(docker, now_us);
        serve_images(docker, now_us);
        serve_inspects(docker, now_us);
}

static void earlier(uint64_t *due_us, const struct docker_fetch *fetch, uint64_t now_us)
{
        /* What is due already waits for a slot or an answer, not for time to pass. */
        if (fetch->wanted && !fetch->request && fetch->not_before_us > now_us && fetch->not_before_us < *due_us)
                *due_us = fetch->not_before_us;
}

uint64_t docker_fetch_due(const struct docker *docker, uint64_t now_us)
{
        uint64_t due_us = UINT64_MAX;

        earlier(&due_us, &docker->summary_fetch, now_us);
        for (size_t i = 0; i < docker->cache.records_len; i++) {
                earlier(&due_us, &docker->cache.records[i]->list, now_us);
                earlier(&due_us, &docker->cache.records[i]->inspect, now_us);
        }
        for (size_t i = 0; i < docker->cache.networks_len; i++)
                earlier(&due_us, &docker->cache.networks[i]->fetch, now_us);
        for (size_t i = 0; i < docker->cache.images_len; i++)
                earlier(&due_us, &docker->cache.images[i]->fetch, now_us);
        return due_us;
}

bool docker_fetch_networks_pending(const struct docker *docker)
{
        for (size_t i = 0; i < docker->cache.networks_len; i++) {
                if (fetch_is_pending(&docker->cache.networks[i]->fetch))
                        return true;
        }
        return false;
}

bool docker_fetch_labels_pending(const struct docker *docker)
{
        for (size_t i = 0; i < docker->cache.images_len; i++) {
                if (fetch_is_pending(&docker->cache.images[i]->fetch) && !docker->cache.images[i]->complained)
                        return true;
        }
        return false;
}

bool docker_fetch_inspects_pending(const struct docker *docker)
{
        for (size_t i = 0; i < docker->cache.records_len; i++) {
                if (fetch_is_pending(&docker->cache.records[i]->inspect))
                        return true;
        }
        return false;
}

static void fetch_reset(struct docker_fetch *fetch)
{
        http_cancel(fetch->request);
        *fetch = (struct docker_fetch){0};
}

void docker_fetch_reset(struct docker *docker)
{
        fetch_reset(&docker->summary_fetch);
        for (size_t i = 0; i < docker->cache.records_len; i++) {
                fetch_reset(&docker->cache.records[i]->list);
                fetch_reset(&docker->cache.records[i]->inspect);
                docker->cache.records[i]->asked = false;
                docker->cache.records[i]->missing = 0;
        }
        for (size_t i = 0; i < docker->cache.networks_len; i++)
                fetch_reset(&docker->cache.networks[i]->fetch);
        for (size_t i = 0; i < docker->cache.images_len; i++)
                fetch_reset(&docker->cache.images[i]->fetch);
}
