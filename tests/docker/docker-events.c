/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints what the Docker runtime reports, one JSON object a line, for the test script beside it.
 *
 *   docker-events [--trust] SOCKET
 *
 * It ends with SIGTERM or SIGINT. `lag_us` is the time from the arrival of the engine's event to the record, `time_us`
 * the wall clock at the record. SIGHUP asks for a full list. */
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime/runtime.h"

static const char *const kind_names[] = {"resync", "container", "gone", "synced", "lost"};
_Static_assert(ARRAY_SIZE(kind_names) == RUNTIME_EVENT_MAX, "one name a kind");

static uint64_t now_us(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static json_t *addrs_json(const struct container *container)
{
        json_t *list = json_array();
        char text[ADDR_TEXT_MAX];

        for (size_t i = 0; i < container->addrs_len; i++) {
                const struct container_addr *addr = &container->addrs[i];
                char mac[18];

                snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", addr->mac[0], addr->mac[1], addr->mac[2],
                         addr->mac[3], addr->mac[4], addr->mac[5]);
                json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "network", addr->network, "addr",
                                                      addr_format(&addr->addr, text), "mac", mac));
        }
        return list;
}

static json_t *published_json(const struct container *container)
{
        json_t *list = json_array();
        char text[ADDR_TEXT_MAX];

        for (size_t i = 0; i < container->published_len; i++) {
                const struct container_published *port = &container->published[i];

                json_array_append_new(list, json_sprintf("%s %u %u/%u", addr_format(&port->host_addr, text),
                                                         port->host_port, port->container_port, port->protocol));
        }
        return list;
}

static json_t *container_json(const struct container *container)
{
        json_t *labels = json_object();
        json_t *networks = json_array();

        for (size_t i = 0; i < container->labels.len; i++)
                json_object_set_new(labels, container->labels.items[i].key,
                                    json_string(container->labels.items[i].value));
        for (size_t i = 0; i < container->networks_len; i++)
                json_array_append_new(networks, json_string(container->networks[i]));
        return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s?, s:i, s:s?, s:b, s:s?}", "id", container->id, "name",
                         container->name, "image", container->image, "labels", labels, "networks", networks, "addrs",
                         addrs_json(container), "published", published_json(container), "netns", container->netns,
                         "pid", (int)container->pid, "joined", container->joined, "host", container->host_network,
                         "unenforced", container->unenforced);
}

static void on_event(void *user, const struct runtime_event *event)
{
        json_t *line = event->container ? container_json(event->container) : json_object();

        (void)user;
        json_object_set_new(line, "kind", json_string(kind_names[event->kind]));
        if (event->id)
                json_object_set_new(line, "id", json_string(event->id));
        if (event->reason)
                json_object_set_new(line, "reason", json_string(event->reason));
        json_object_set_new(line, "time_us", json_integer((json_int_t)now_us(CLOCK_REALTIME)));
        json_object_set_new(line, "lag_us", json_integer((json_int_t)(now_us(CLOCK_MONOTONIC) - event->received_us)));
        json_dumpf(line, stdout, JSON_COMPACT | JSON_SORT_KEYS);
        putchar('\n');
        fflush(stdout);
        json_decref(line);
}

static void on_log(void *user, int level, const char *text)
{
        (void)user;
        fprintf(stderr, "<%d>%s\n", level, text);
}

static void on_end(evutil_socket_t number, short what, void *user)
{
        (void)number;
        (void)what;
        event_base_loopbreak(user);
}

static void on_hangup(evutil_socket_t number, short what, void *user)
{
        struct runtime *runtime = user;

        (void)number;
        (void)what;
        runtime->vtable->resync(runtime);
}

int main(int argc, char **argv)
{
        bool trust = argc == 3 && !strcmp(argv[1], "--trust");
        struct event *on_term, *on_int, *on_hup;
        struct runtime_stats stats;
        struct runtime *runtime;
        struct event_base *base;

        if (argc != 2 + trust) {
                fprintf(stderr, "usage: docker-events [--trust] SOCKET\n");
                return 2;
        }
        base = event_base_new();
        if (!base || docker_new(&runtime, base, argv[argc - 1], trust, on_event, on_log, NULL))
                return 2;
        on_term = evsignal_new(base, SIGTERM, on_end, base);
        on_int = evsignal_new(base, SIGINT, on_end, base);
        on_hup = evsignal_new(base, SIGHUP, on_hangup, runtime);
        event_add(on_term, NULL);
        event_add(on_int, NULL);
        event_add(on_hup, NULL);
        if (runtime->vtable->start(runtime))
                return 2;
        event_base_dispatch(base);
        runtime->vtable->stats(runtime, &stats);
        fprintf(stderr, "events %llu resyncs %llu requests %llu errors %llu\n", (unsigned long long)stats.events,
                (unsigned long long)stats.resyncs, (unsigned long long)stats.requests,
                (unsigned long long)stats.errors);
        runtime->vtable->free(runtime);
        event_free(on_term);
        event_free(on_int);
        event_free(on_hup);
        event_base_free(base);
        return 0;
}
