/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Docker Engine as a source of container records.
 *
 * Theory of operation. The engine's events tell that something happened, not what is so now: they come late, twice, in
 * another order in another release, and some are lost with the engine. So an event only says what to ask about, and
 * records are made of answers alone (docker_fetch.c asks, docker_cache.c keeps). Asking is cheap, and takes no lock of
 * the engine's: a container's labels from the list, right at `create`; its addresses from the network's page, right at
 * `network connect`, long before its first process runs. Only the inspection, for process and network namespace, waits
 * until a start is over, and nothing waits for it.
 *
 * Without a gap: the events are subscribed from a time before the first question (since=), then the lists are taken, then
 * the events that came meanwhile are applied. An end of the stream, whatever the reason, begins all of it anew:
 *
 *     WAITING -> PINGING -> LISTING -> FILLING -> LIVE
 *        ^          |          |          |         |   RESYNC is told on entering FILLING, SYNCED on leaving it
 *        +----------+----------+----------+---------+ */
#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "runtime/docker.h"

/* The API versions this file was written for. An engine that wants another says so and gets it. */
#define VERSION_MIN 1041u
#define VERSION_MAX 1047u

#define BACKOFF_MIN_US 50000u
#define BACKOFF_MAX_US 5000000u
/* A connection that held this long was a good one: after it the delay begins anew. */
#define GOOD_US 5000000u
#define TIMEOUT_MS 10000u
/* Full lists on top of each other are of no use. */
#define RESYNC_GAP_US 200000u
/* The headers of the event stream come without a call back; this often it is looked whether they are here. */
#define HEADERS_US 10000u
/* The engine itself keeps no more than 256 events. */
#define QUEUE_MAX 65536u

static const char event_filter[] =
        "{\"type\":[\"container\",\"network\",\"daemon\"],"
        "\"event\":[\"create\",\"start\",\"die\",\"destroy\",\"rename\",\"connect\",\"disconnect\",\"update\","
        "\"remove\",\"reload\"]}";

/* ---- telling the agent ---- */

void docker_tell(struct docker *docker, struct runtime_event event)
{
        event.runtime = "docker";
        if (!event.received_us)
                event.received_us = monotonic_us();
        docker->runtime.cb(docker->runtime.user, &event);
}

void docker_log(struct docker *docker, int level, const char *fmt, ...)
{
        char text[512];
        va_list args;

        if (!docker->runtime.log)
                return;
        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        docker->runtime.log(docker->runtime.user, level, text);
}

static int tell_record(struct docker *docker, struct docker_record *record)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct container container;

        if (!arena || docker_record_container(&docker->cache, record, arena, &container))
                return -ENOMEM;
        record->changed = false;
        record->released = false;
        record->reported = true;
        docker_tell(docker, (struct runtime_event){.kind = RUNTIME_CONTAINER,
                                                   .container = &container,
                                                   .received_us = record->cause_us});
        record->cause_us = 0;
        return 0;
}

/* First those that gave an address back, then all others: another container may have it already. */
void docker_tell_changes(struct docker *docker)
{
        for (int pass = 0; pass < 2; pass++) {
                for (size_t i = 0; i < docker->cache.records_len; i++) {
                        struct docker_record *record = docker->cache.records[i];

                        if (!record->changed || !docker_record_is_complete(record) || (pass == 0 && !record->released))
                                continue;
                        if (tell_record(docker, record)) {
                                docker_fail(docker, "out of memory");
                                return;
                        }
                }
        }
}

/* ---- the timer ---- */

static void set_timer(struct docker *docker, uint64_t at_us, uint64_t now_us)
{
        uint64_t delay = at_us > now_us ? at_us - now_us : 0;
        struct timeval timeout = {.tv_sec = (time_t)(delay / 1000000), .tv_usec = (suseconds_t)(delay % 1000000)};

        if (at_us == UINT64_MAX)
                event_del(docker->timer);
        else
                event_add(docker->timer, &timeout);
}

static uint64_t min_us(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* ---- connection lost ---- */

static void cancel_all(struct docker *docker)
{
        docker->ping = http_cancel(docker->ping);
        docker->stream = http_cancel(docker->stream);
        docker->lists = http_cancel(docker->lists);
        docker_fetch_reset(docker);
        docker->queue_len = 0;
}

void docker_fail(struct docker *docker, const char *fmt, ...)
{
        uint64_t now_us = monotonic_us();
        char reason[512];
        va_list args;

        va_start(args, fmt);
        vsnprintf(reason, sizeof(reason), fmt, args);
        va_end(args);
        cancel_all(docker);
        docker->stats.errors++;
        docker->stats.connected = false;
        if (docker->following_us && now_us - docker->following_us > GOOD_US)
                docker->backoff_us = 0;
        docker->following_us = 0;
        docker->state = DOCKER_WAITING;
        docker->attempt_us = now_us + docker->backoff_us;
        docker->backoff_us = docker->backoff_us ? min_us(docker->backoff_us * 2, BACKOFF_MAX_US) : BACKOFF_MIN_US;
        set_timer(docker, docker->attempt_us, now_us);
        if (docker->lost_reason && !strcmp(docker->lost_reason, reason))
                return;
        free(docker->lost_reason);
        docker->lost_reason = strdup(reason);
        docker_tell(docker, (struct runtime_event){.kind = RUNTIME_LOST, .reason = reason});
}

/* An answer that is not what it should be. If the engine wants another version of its API, the next attempt gives it. */
void docker_fail_by_reply(struct docker *docker, const char *what, const struct http_reply *reply)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        const char *message = reply->error;
        unsigned wanted;

        if (!message && arena)
                message = docker_decode_error(arena, reply->body, reply->size, reply->status);
        if (!message)
                message = "out of memory";
        wanted = reply->status == 400 ? docker_version_wanted(message) : 0;
        if (wanted && wanted != docker->version && wanted != docker->version_wanted) {
                if (!docker->version_wanted)
                        docker->backoff_us = 0;
                docker->version_wanted = wanted;
        }
        docker_fail(docker, "%s: %s", what, message);
}

void docker_forget_record(struct docker *docker, struct docker_record *record, uint64_t cause_us)
{
        _cleanup_free_ char *id = NULL;

        record->list.request = http_cancel(record->list.request);
        record->inspect.request = http_cancel(record->inspect.request);
        if (!record->reported) {
                docker_cache_remove_record(&docker->cache, record);
                return;
        }
        id = strdup(record->id);
        if (!id) {
                docker_fail(docker, "out of memory");
                return;
        }
        docker_cache_remove_record(&docker->cache, record);
        docker_tell(docker, (struct runtime_event){.kind = RUNTIME_GONE, .id = id, .received_us = cause_us});
}

void docker_forget_network(struct docker *docker, struct docker_network *network)
{
        network->fetch.request = http_cancel(network->fetch.request);
        docker_cache_remove_network(&docker->cache, network);
}

/* ---- events ---- */

void docker_want(struct docker_fetch *fetch, uint64_t cause_us)
{
        fetch->wanted = true;
        if (!fetch->cause_us)
                fetch->cause_us = cause_us;
        /* New reason, new attempt: what failed before may be right now. */
        fetch->not_before_us = 0;
}

static int touch_record(struct docker *docker, const struct docker_queued *event, bool inspect)
{
        struct docker_record *record = docker_cache_add_record(&docker->cache, event->container);

        if (!record)
                return -ENOMEM;
        docker_want(&record->list, event->received_us);
        /* An inspection under way may be waiting for the end of a start or stop: it will tell of this one too. */
        if (record->inspect.request)
                record->inspect.asked_us = event->received_us;
        if (inspect || record->info.pid)
                docker_want(&record->inspect, event->received_us);
        return 0;
}

static int touch_network(struct docker *docker, const struct docker_queued *event)
{
        struct docker_network *network = docker_cache_add_network(&docker->cache, event->network);

        if (!network)
                return -ENOMEM;
        if (docker_network_is_plain(network))
                return 0;
        docker_want(&network->fetch, event->received_us);
        return 0;
}

int docker_apply_event(struct docker *docker, const struct docker_queued *event)
{
        struct docker_record *record;
        int r = 0;

        switch (event->kind) {
        case DOCKER_EVENT_CREATE:
        case DOCKER_EVENT_START:
        case DOCKER_EVENT_DIE:
                return touch_record(docker, event, true);
        case DOCKER_EVENT_RENAME:
                return touch_record(docker, event, false);
        case DOCKER_EVENT_DESTROY:
                record = docker_cache_record(&docker->cache, event->container);
                if (record)
                        docker_forget_record(docker, record, event->received_us);
                return 0;
        case DOCKER_EVENT_CONNECT:
        case DOCKER_EVENT_DISCONNECT:
                /* An endpoint may also belong to no container. */
                if (*event->container)
                        r = touch_record(docker, event, false);
                return r ? r : touch_network(docker, event);
        case DOCKER_EVENT_NETWORK:
                return touch_network(docker, event);
        case DOCKER_EVENT_RELOAD:
                docker->resync_wanted = true;
                return 0;
        case DOCKER_EVENT_OTHER:
        case DOCKER_EVENT_MAX:
                return 0;
        }
        return 0;
}

static int queue_event(struct docker *docker, const struct docker_queued *event)
{
        if (docker->queue_len >= QUEUE_MAX)
                return -ENOBUFS;
        if (array_reserve(&docker->queue, &docker->queue_cap, docker->queue_len + 1, sizeof(*docker->queue)))
                return -ENOMEM;
        docker->queue[docker->queue_len++] = *event;
        return 0;
}

static void on_line(void *user, const char *line, size_t size, uint64_t received_us)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct docker_queued queued = {.received_us = received_us};
        struct docker *docker = user;
        struct docker_event event;
        int r;

        r = arena ? docker_decode_event(arena, line, size, &event) : -ENOMEM;
        if (r > 0) {
                /* Whatever it was to say, the lists say it too. */
                docker->stats.errors++;
                docker->resync_wanted = true;
                docker_pump(docker);
                return;
        }
        if (!r) {
                docker->stats.events++;
                queued.kind = event.kind;
                snprintf(queued.container, sizeof(queued.container), "%s", event.container);
                snprintf(queued.network, sizeof(queued.network), "%s", event.network);
                r = docker->state == DOCKER_LISTING ? queue_event(docker, &queued)
                                                    : docker_apply_event(docker, &queued);
        }
        if (r)
                docker_fail(docker, "%s", strerror(-r));
        else
                docker_pump(docker);
}

static void on_stream_end(void *user, struct http_request *request, const struct http_reply *reply)
{
        struct docker *docker = user;

        (void)request;
        docker->stream = NULL;
        if (reply->status == 200)
                docker_fail(docker, "the event stream ended%s%s", reply->error ? ": " : "",
                            reply->error ? reply->error : "");
        else
                docker_fail_by_reply(docker, "cannot follow events", reply);
}

/* ---- connecting ---- */

static void begin_following(struct docker *docker)
{
        _cleanup_free_ char *filter = http_escape(event_filter), *path = NULL;
        int r;

        if (!filter || asprintf(&path, "/v%u.%u/events?since=%lld&filters=%s", docker->version / 1000,
                                docker->version % 1000, (long long)docker->since, filter) < 0) {
                path = NULL;
                docker_fail(docker, "out of memory");
                return;
        }
        docker->following_us = monotonic_us();
        docker->stats.requests++;
        r = http_stream(docker->http, &docker->stream, path, DOCKER_LINE_MAX, on_line, on_stream_end, docker);
        if (r)
                docker_fail(docker, "cannot follow events: %s", strerror(-r));
        else
                docker_begin_listing(docker);
}

/* The version both sides speak: the newer of ours unless the engine is older, or said which one it wants. */
static unsigned choose_version(const struct docker *docker, unsigned engine)
{
        if (docker->version_wanted)
                return docker->version_wanted;
        if (!engine)
                return VERSION_MIN;
        return engine < VERSION_MAX ? engine : VERSION_MAX;
}

static void on_ping(void *user, struct http_request *request, const struct http_reply *reply)
{
        const char *version = http_request_header(request, "Api-Version");
        const char *date = http_request_header(request, "Date");
        struct docker *docker = user;
        int64_t engine_now;

        docker->ping = NULL;
        if (reply->status != 200 || reply->error) {
                docker_fail_by_reply(docker, "cannot reach the engine", reply);
                return;
        }
        docker->version = choose_version(docker, version ? docker_version_parse(version) : 0);
        if (docker->version < VERSION_MIN) {
                docker->version_wanted = 0;
                docker_fail(docker, "the engine's API %u.%u is too old: at least %u.%u is needed",
                            docker->version / 1000, docker->version % 1000, VERSION_MIN / 1000, VERSION_MIN % 1000);
                return;
        }
        /* Events carry the engine's time. Both clocks are the same one as a rule; where not, the earlier counts. */
        engine_now = date ? http_date(date) : -1;
        if (engine_now > 0 && engine_now < docker->since)
                docker->since = engine_now;
        begin_following(docker);
}

static void connect_engine(struct docker *docker)
{
        int r;

        docker->state = DOCKER_PINGING;
        docker->since = time(NULL) - 1;
        docker->stats.requests++;
        r = http_get(docker->http, &docker->ping, "/_ping", TIMEOUT_MS, DOCKER_ANSWER_MAX, on_ping, docker);
        if (r)
                docker_fail(docker, "cannot reach the engine: %s", strerror(-r));
}

void docker_pump(struct docker *docker)
{
        uint64_t now_us = monotonic_us();
        uint64_t next_us;

        if (docker->state == DOCKER_FILLING || docker->state == DOCKER_LIVE)
                docker_fetch_serve(docker, now_us);
        if (docker->state == DOCKER_FILLING)
                docker_finish_filling(docker, now_us);
        if (docker->state == DOCKER_LIVE)
                docker_tell_changes(docker);
        if (docker->state == DOCKER_LIVE && docker->resync_wanted && now_us - docker->synced_us >= RESYNC_GAP_US)
                docker_begin_listing(docker);

        /* In the other states the answer under way, or docker_fail()'s timer, is what comes next. */
        if (docker->state != DOCKER_FILLING && docker->state != DOCKER_LIVE)
                return;
        next_us = docker_fetch_due(docker, now_us);
        if (docker->state == DOCKER_FILLING) {
                next_us = min_us(next_us, docker->fill_us + DOCKER_FILL_MAX_US);
                if (!docker_is_followed(docker))
                        next_us = min_us(next_us, now_us + HEADERS_US);
                if (docker->networks_us && now_us - docker->networks_us < DOCKER_INSPECTS_MAX_US)
                        next_us = min_us(next_us, docker->networks_us + DOCKER_INSPECTS_MAX_US);
        } else if (docker->resync_wanted) {
                next_us = min_us(next_us, docker->synced_us + RESYNC_GAP_US);
        }
        set_timer(docker, next_us, now_us);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
        struct docker *docker = user;

        (void)fd;
        (void)what;
        if (docker->state == DOCKER_WAITING && monotonic_us() >= docker->attempt_us)
                connect_engine(docker);
        else if (docker->state == DOCKER_WAITING)
                set_timer(docker, docker->attempt_us, monotonic_us());
        else
                docker_pump(docker);
}

/* ---- the source ---- */

static struct docker *docker_of(struct runtime *runtime)
{
        return container_of(runtime, struct docker, runtime);
}

static void docker_free(struct runtime *runtime)
{
        struct docker *docker = docker_of(runtime);

        cancel_all(docker);
        http_client_free(docker->http);
        docker_cache_fini(&docker->cache);
        if (docker->timer)
                event_free(docker->timer);
        free(docker->queue);
        free(docker->lost_reason);
        free(docker->socket);
        free(docker);
}

static int docker_start(struct runtime *runtime)
{
        struct docker *docker = docker_of(runtime);

        docker->state = DOCKER_WAITING;
        docker->attempt_us = monotonic_us();
        set_timer(docker, docker->attempt_us, docker->attempt_us);
        return 0;
}

static void docker_resync(struct runtime *runtime)
{
        struct docker *docker = docker_of(runtime);

        docker->resync_wanted = true;
        /* Not from here: the caller may be a callback of ours. */
        if (docker->state == DOCKER_LIVE)
                set_timer(docker, 0, 0);
}

static void docker_stats(const struct runtime *runtime, struct runtime_stats *ret)
{
        *ret = container_of(runtime, const struct docker, runtime)->stats;
}

static const struct runtime_vtable docker_vtable = {
        .name = "docker",
        .free = docker_free,
        .start = docker_start,
        .resync = docker_resync,
        .stats = docker_stats,
};

int docker_new(struct runtime **ret, struct event_base *base, const char *socket, bool trust_image_labels,
               runtime_cb cb, runtime_log_cb log, void *user)
{
        struct docker *docker = calloc(1, sizeof(*docker));
        int r;

        if (!docker)
                return -ENOMEM;
        docker->runtime = (struct runtime){.vtable = &docker_vtable, .base = base, .cb = cb, .log = log, .user = user};
        docker->cache.docker = docker;
        docker->cache.trust_image_labels = trust_image_labels;
        docker->socket = strdup(socket);
        docker->timer = evtimer_new(base, on_timer, docker);
        r = docker->socket && docker->timer ? http_client_new(&docker->http, base, socket) : -ENOMEM;
        if (r) {
                docker_free(&docker->runtime);
                return r;
        }
        *ret = &docker->runtime;
        return 0;
}
