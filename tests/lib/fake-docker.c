/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine of fake-docker.h. It serves what the Docker runtime asks for and nothing else, in the form of API 1.41. */
#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fake-docker.h"

#define STREAMS_MAX 8
#define HELD_MAX 32

struct fake_docker {
        struct event_base *base;
        char *socket;
        struct evhttp *http;
        unsigned version_min, version_max, version_pinged;
        bool new_events;
        char *refuse_path;
        int refuse_status;
        unsigned refuse_times;
        char *hold_path;
        struct evhttp_request *held[HELD_MAX];
        size_t held_len;
        char *call_path;
        void (*call)(void *user);
        void *call_user;
        json_t *requests;   /* [path] */
        json_t *uris;       /* [whole uri], the same */
        json_t *containers; /* id -> {name, image, mode, labels, pid, ports} */
        json_t *networks;   /* id -> {name, driver, links: {container -> {v4, v6, endpoint, mac}}} */
        json_t *images;     /* id -> labels */
        json_t *events;     /* [{time, text}] */
        struct evhttp_request *streams[STREAMS_MAX];
        unsigned endpoints; /* made so far; numbers their ids */
        char text[32];
};

static json_t *member(json_t *object, const char *key)
{
        json_t *value = json_object_get(object, key);

        assert(value);
        return value;
}

static const char *text_of(json_t *object, const char *key)
{
        return json_string_value(member(object, key));
}

/* ---- life ---- */

struct fake_docker *fake_docker_new(struct event_base *base, const char *socket)
{
        struct fake_docker *fake = calloc(1, sizeof(*fake));

        assert(fake);
        fake->base = base;
        fake->socket = strdup(socket);
        fake->version_min = 1012;
        fake->version_max = 1041;
        fake->version_pinged = 1041;
        fake->requests = json_array();
        fake->uris = json_array();
        fake->containers = json_object();
        fake->networks = json_object();
        fake->images = json_object();
        fake->events = json_array();
        return fake;
}

void fake_docker_free(struct fake_docker *fake)
{
        fake_docker_die(fake, NULL);
        json_decref(fake->requests);
        json_decref(fake->uris);
        json_decref(fake->containers);
        json_decref(fake->networks);
        json_decref(fake->images);
        json_decref(fake->events);
        free(fake->refuse_path);
        free(fake->hold_path);
        free(fake->call_path);
        free(fake->socket);
        free(fake);
}

/* evhttp leaves a request whose client went away to whoever was about to answer it. */
static bool is_abandoned(struct evhttp_request *request)
{
        if (evhttp_request_get_connection(request))
                return false;
        evhttp_request_free(request);
        return true;
}

void fake_docker_die(struct fake_docker *fake, const char *last_words)
{
        if (!fake->http)
                return;
        for (size_t i = 0; i < STREAMS_MAX; i++) {
                int fd;

                if (!fake->streams[i] || is_abandoned(fake->streams[i]) || !last_words)
                        continue;
                /* Around evhttp, which would write it from the loop only: a chunk that promises more than it holds. */
                fd = (int)bufferevent_getfd(
                        evhttp_connection_get_bufferevent(evhttp_request_get_connection(fake->streams[i])));
                dprintf(fd, "fff\r\n%s", last_words);
        }
        for (size_t i = 0; i < fake->held_len; i++)
                is_abandoned(fake->held[i]);
        evhttp_free(fake->http);
        fake->http = NULL;
        memset(fake->streams, 0, sizeof(fake->streams));
        fake->held_len = 0;
        unlink(fake->socket);
}

/* ---- settings ---- */

void fake_docker_versions(struct fake_docker *fake, unsigned min, unsigned max, unsigned pinged)
{
        fake->version_min = min;
        fake->version_max = max;
        fake->version_pinged = pinged;
}

void fake_docker_new_events(struct fake_docker *fake, bool on)
{
        fake->new_events = on;
}

static void set_text(char **text, const char *value)
{
        free(*text);
        *text = value ? strdup(value) : NULL;
}

void fake_docker_refuse(struct fake_docker *fake, const char *path, int status, unsigned times)
{
        set_text(&fake->refuse_path, path);
        fake->refuse_status = status;
        fake->refuse_times = times;
}

void fake_docker_hold(struct fake_docker *fake, const char *path)
{
        set_text(&fake->hold_path, path);
}

void fake_docker_on_request(struct fake_docker *fake, const char *path, void (*call)(void *user), void *user)
{
        set_text(&fake->call_path, path);
        fake->call = call;
        fake->call_user = user;
}

static bool begins(const char *text, const char *prefix)
{
        return prefix && !strncmp(text, prefix, strlen(prefix));
}

unsigned fake_docker_requests(const struct fake_docker *fake, const char *path)
{
        unsigned len = 0;
        json_t *item;
        size_t i;

        json_array_foreach(fake->requests, i, item) len += begins(json_string_value(item), path);
        return len;
}

const char *fake_docker_last_uri(const struct fake_docker *fake, const char *path)
{
        for (size_t i = json_array_size(fake->requests); i-- > 0;) {
                if (begins(json_string_value(json_array_get(fake->requests, i)), path))
                        return json_string_value(json_array_get(fake->uris, i));
        }
        return "";
}

unsigned fake_docker_streams(const struct fake_docker *fake)
{
        unsigned len = 0;

        for (size_t i = 0; i < STREAMS_MAX; i++)
                len += fake->streams[i] != NULL;
        return len;
}

/* ---- the model ---- */

void fake_image(struct fake_docker *fake, const char *id, const char *labels)
{
        json_object_set_new(fake->images, id, json_loads(labels, JSON_ALLOW_NUL, NULL));
}

void fake_remove_image(struct fake_docker *fake, const char *id)
{
        json_object_del(fake->images, id);
}

void fake_network(struct fake_docker *fake, const char *id, const char *name, const char *driver)
{
        json_object_set_new(fake->networks, id, json_pack("{s:s, s:s, s:{}}", "name", name, "driver", driver, "links"));
}

void fake_remove_network(struct fake_docker *fake, const char *id)
{
        json_object_del(fake->networks, id);
}

void fake_container(struct fake_docker *fake, const char *id, const char *name, const char *image, const char *mode,
                    const char *labels)
{
        json_object_set_new(fake->containers, id,
                            json_pack("{s:s, s:s, s:s, s:o, s:i, s:{}}", "name", name, "image", image, "mode", mode,
                                      "labels", json_loads(labels, 0, NULL), "pid", 0, "ports"));
}

void fake_rename(struct fake_docker *fake, const char *id, const char *name)
{
        json_object_set_new(member(fake->containers, id), "name", json_string(name));
}

void fake_remove_container(struct fake_docker *fake, const char *id)
{
        json_object_del(fake->containers, id);
}

void fake_run(struct fake_docker *fake, const char *id, pid_t pid)
{
        json_object_set_new(member(fake->containers, id), "pid", json_integer(pid));
}

void fake_publish(struct fake_docker *fake, const char *id, const char *port, const char *host_port, const char *host)
{
        json_object_set_new(member(member(fake->containers, id), "ports"), port,
                            json_pack("[{s:s, s:s}]", "HostIp", host, "HostPort", host_port));
}

void fake_link(struct fake_docker *fake, const char *network, const char *container, const char *ipv4, const char *ipv6)
{
        unsigned number = ++fake->endpoints;

        json_object_set_new(member(member(fake->networks, network), "links"), container,
                            json_pack("{s:s, s:s, s:o, s:o}", "v4", ipv4, "v6", ipv6, "endpoint",
                                      json_sprintf("e%u", number), "mac", json_sprintf("02:42:00:00:00:%02x", number)));
}

void fake_unlink(struct fake_docker *fake, const char *network, const char *container)
{
        json_object_del(member(member(fake->networks, network), "links"), container);
}

/* ---- as the API shows it ---- */

static json_t *attachments(struct fake_docker *fake, const char *container)
{
        json_t *result = json_object(), *network;
        const char *id;

        json_object_foreach(fake->networks, id, network)
        {
                json_t *link = json_object_get(member(network, "links"), container);

                if (link)
                        json_object_set_new(result, text_of(network, "name"),
                                            json_pack("{s:s, s:s, s:s, s:s, s:s}", "NetworkID", id, "EndpointID",
                                                      text_of(link, "endpoint"), "IPAddress", text_of(link, "v4"),
                                                      "GlobalIPv6Address", text_of(link, "v6"), "MacAddress",
                                                      text_of(link, "mac")));
        }
        return result;
}

static json_t *summary(struct fake_docker *fake, const char *id, json_t *container)
{
        bool runs = json_integer_value(member(container, "pid")) > 0;

        return json_pack("{s:s, s:[o], s:s, s:s, s:O, s:s, s:[], s:{s:s}, s:{s:o}}", "Id", id, "Names",
                         json_sprintf("/%s", text_of(container, "name")), "Image", "an-image", "ImageID",
                         text_of(container, "image"), "Labels", member(container, "labels"), "State",
                         runs ? "running" : "created", "Ports", "HostConfig", "NetworkMode", text_of(container, "mode"),
                         "NetworkSettings", "Networks", attachments(fake, id));
}

static json_t *inspection(struct fake_docker *fake, const char *id, json_t *container)
{
        json_int_t pid = json_integer_value(member(container, "pid"));

        return json_pack("{s:s, s:o, s:s, s:{s:b, s:I}, s:{s:s, s:O}, s:{s:s, s:O}, s:{s:O, s:o, s:o}}", "Id", id,
                         "Name", json_sprintf("/%s", text_of(container, "name")), "Image", text_of(container, "image"),
                         "State", "Running", pid > 0, "Pid", pid, "Config", "Image", "an-image", "Labels",
                         member(container, "labels"), "HostConfig", "NetworkMode", text_of(container, "mode"),
                         "PortBindings", member(container, "ports"), "NetworkSettings", "Ports",
                         member(container, "ports"), "SandboxKey", json_sprintf("/run/docker/netns/%s", id), "Networks",
                         attachments(fake, id));
}

static json_t *page(const char *id, json_t *network, bool links)
{
        json_t *result = json_pack("{s:s, s:s, s:s, s:{}}", "Id", id, "Name", text_of(network, "name"), "Driver",
                                   text_of(network, "driver"), "Containers");
        const char *container;
        json_t *link;

        if (!links)
                return result;
        json_object_foreach(member(network, "links"), container, link)
        {
                const char *v6 = text_of(link, "v6");

                json_object_set_new(member(result, "Containers"), container,
                                    json_pack("{s:s, s:s, s:o, s:o}", "EndpointID", text_of(link, "endpoint"),
                                              "MacAddress", text_of(link, "mac"), "IPv4Address",
                                              json_sprintf("%s/16", text_of(link, "v4")), "IPv6Address",
                                              *v6 ? json_sprintf("%s/64", v6) : json_string("")));
        }
        return result;
}

/* ---- requests ---- */

static void send_json(struct evhttp_request *request, int status, json_t *json)
{
        struct evbuffer *body = evbuffer_new();
        char *text = json_dumps(json, JSON_COMPACT);

        evbuffer_add(body, text, strlen(text));
        evhttp_send_reply(request, status, NULL, body);
        evbuffer_free(body);
        free(text);
        json_decref(json);
}

static void send_message(struct evhttp_request *request, int status, const char *message)
{
        send_json(request, status, json_pack("{s:s}", "message", message));
}

static void ping(struct fake_docker *fake, struct evhttp_request *request)
{
        struct evkeyvalq *headers = evhttp_request_get_output_headers(request);

        if (fake->version_pinged) {
                snprintf(fake->text, sizeof(fake->text), "%u.%u", fake->version_pinged / 1000,
                         fake->version_pinged % 1000);
                evhttp_add_header(headers, "Api-Version", fake->text);
        }
        evhttp_send_reply(request, 200, NULL, NULL);
}

static void list(struct fake_docker *fake, struct evhttp_request *request, const struct evkeyvalq *query)
{
        const char *text = evhttp_find_header(query, "filters");
        json_t *filters = text ? json_loads(text, 0, NULL) : NULL;
        json_t *ids = json_object_get(filters, "id");
        json_t *result = json_array(), *container;
        const char *id;

        json_object_foreach(fake->containers, id, container)
        {
                bool wanted = !ids;
                json_t *item;
                size_t i;

                json_array_foreach(ids, i, item) wanted = wanted || !strcmp(json_string_value(item), id);
                if (wanted)
                        json_array_append_new(result, summary(fake, id, container));
        }
        json_decref(filters);
        send_json(request, 200, result);
}

static void networks(struct fake_docker *fake, struct evhttp_request *request)
{
        json_t *result = json_array(), *network;
        const char *id;

        json_object_foreach(fake->networks, id, network) json_array_append_new(result, page(id, network, false));
        send_json(request, 200, result);
}

static void send_line(struct evhttp_request *stream, const char *text)
{
        struct evbuffer *chunk = evbuffer_new();

        evbuffer_add_printf(chunk, "%s\n", text);
        evhttp_send_reply_chunk(stream, chunk);
        evbuffer_free(chunk);
}

static void on_stream_closed(struct evhttp_connection *connection, void *user)
{
        struct fake_docker *fake = user;

        for (size_t i = 0; i < STREAMS_MAX; i++) {
                if (fake->streams[i] &&
                    (is_abandoned(fake->streams[i]) || evhttp_request_get_connection(fake->streams[i]) == connection))
                        fake->streams[i] = NULL;
        }
}

static void follow(struct fake_docker *fake, struct evhttp_request *request, const struct evkeyvalq *query)
{
        const char *since = evhttp_find_header(query, "since");
        json_t *event;
        size_t i, slot = 0;

        while (slot < STREAMS_MAX && fake->streams[slot])
                slot++;
        assert(slot < STREAMS_MAX);
        fake->streams[slot] = request;
        evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_stream_closed, fake);
        evhttp_send_reply_start(request, 200, NULL);
        json_array_foreach(fake->events, i, event)
        {
                if (since && json_integer_value(member(event, "time")) >= atoll(since))
                        send_line(request, text_of(event, "text"));
        }
}

static void answer_object(struct fake_docker *fake, struct evhttp_request *request, const char *path)
{
        char id[160] = "";
        json_t *object;

        if (sscanf(path, "/containers/%150[^/]/json", id) == 1 && (object = json_object_get(fake->containers, id)))
                send_json(request, 200, inspection(fake, id, object));
        else if (sscanf(path, "/networks/%150[^/]", id) == 1 && (object = json_object_get(fake->networks, id)))
                send_json(request, 200, page(id, object, true));
        else if (sscanf(path, "/images/%150[^/]/json", id) == 1 && (object = json_object_get(fake->images, id)))
                send_json(request, 200, json_pack("{s:s, s:{s:O}}", "Id", id, "Config", "Labels", object));
        else
                send_message(request, 404, "No such object");
}

static bool version_is_refused(struct fake_docker *fake, struct evhttp_request *request, unsigned version)
{
        char text[128];

        if (version < fake->version_min)
                snprintf(text, sizeof(text),
                         "client version %u.%u is too old. Minimum supported API version is %u.%u, please upgrade",
                         version / 1000, version % 1000, fake->version_min / 1000, fake->version_min % 1000);
        else if (version > fake->version_max)
                snprintf(text, sizeof(text), "client version %u.%u is too new. Maximum supported API version is %u.%u",
                         version / 1000, version % 1000, fake->version_max / 1000, fake->version_max % 1000);
        else
                return false;
        send_message(request, 400, text);
        return true;
}

/* The path without version; the version 0 where there is none. */
static const char *split_version(const char *path, unsigned *version)
{
        unsigned major, minor;
        int used = 0;

        *version = 0;
        if (sscanf(path, "/v%u.%u%n", &major, &minor, &used) == 2) {
                *version = major * 1000 + minor;
                path += used;
        }
        return path;
}

static void answer(struct fake_docker *fake, struct evhttp_request *request)
{
        const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
        const char *text = evhttp_uri_get_query(uri);
        unsigned version;
        const char *path = split_version(evhttp_uri_get_path(uri), &version);
        struct evkeyvalq query;

        if (begins(path, fake->refuse_path) && fake->refuse_times) {
                fake->refuse_times--;
                send_message(request, fake->refuse_status, "as the test wants it");
                return;
        }
        if (!strcmp(path, "/_ping")) {
                ping(fake, request);
                return;
        }
        if (version_is_refused(fake, request, version))
                return;
        evhttp_parse_query_str(text ? text : "", &query);
        if (!strcmp(path, "/containers/json"))
                list(fake, request, &query);
        else if (!strcmp(path, "/networks"))
                networks(fake, request);
        else if (!strcmp(path, "/events"))
                follow(fake, request, &query);
        else
                answer_object(fake, request, path);
        evhttp_clear_headers(&query);
}

static void on_request(struct evhttp_request *request, void *user)
{
        struct fake_docker *fake = user;
        unsigned version;
        const char *path = split_version(evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request)), &version);

        json_array_append_new(fake->requests, json_string(path));
        json_array_append_new(fake->uris, json_string(evhttp_request_get_uri(request)));
        if (fake->call && begins(path, fake->call_path)) {
                void (*call)(void *call_user) = fake->call;

                fake->call = NULL;
                call(fake->call_user);
        }
        if (begins(path, fake->hold_path)) {
                assert(fake->held_len < HELD_MAX);
                fake->held[fake->held_len++] = request;
                return;
        }
        answer(fake, request);
}

void fake_docker_release(struct fake_docker *fake)
{
        set_text(&fake->hold_path, NULL);
        for (size_t i = 0; i < fake->held_len; i++)
                answer(fake, fake->held[i]);
        fake->held_len = 0;
}

void fake_docker_listen(struct fake_docker *fake)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r;

        assert(fd >= 0 && strlen(fake->socket) < sizeof(address.sun_path));
        strcpy(address.sun_path, fake->socket);
        r = bind(fd, (struct sockaddr *)&address, sizeof(address));
        assert(r == 0);
        r = listen(fd, 64);
        assert(r == 0);
        json_array_clear(fake->events);
        fake->http = evhttp_new(fake->base);
        assert(fake->http);
        evhttp_set_gencb(fake->http, on_request, fake);
        r = evhttp_accept_socket(fake->http, fd);
        assert(r == 0);
        (void)r;
}

/* ---- events ---- */

void fake_line(struct fake_docker *fake, const char *text)
{
        for (size_t i = 0; i < STREAMS_MAX; i++) {
                if (fake->streams[i])
                        send_line(fake->streams[i], text);
        }
}

static void publish(struct fake_docker *fake, json_t *event)
{
        struct timespec now;
        char *text;

        clock_gettime(CLOCK_REALTIME, &now);
        json_object_set_new(event, "time", json_integer(now.tv_sec));
        json_object_set_new(event, "timeNano", json_integer(now.tv_sec * 1000000000ll + now.tv_nsec));
        json_object_set_new(event, "scope", json_string("local"));
        text = json_dumps(event, JSON_COMPACT);
        json_array_append_new(fake->events, json_pack("{s:I, s:s}", "time", (json_int_t)now.tv_sec, "text", text));
        fake_line(fake, text);
        free(text);
        json_decref(event);
}

void fake_event(struct fake_docker *fake, const char *action, const char *container)
{
        json_t *object = json_object_get(fake->containers, container);
        json_t *labels = object ? json_copy(member(object, "labels")) : json_object();
        json_t *event;

        json_object_set_new(labels, "image", json_string("an-image"));
        json_object_set_new(labels, "name", json_string(object ? text_of(object, "name") : "gone"));
        event = json_pack("{s:s, s:s, s:{s:s, s:o}}", "Type", "container", "Action", action, "Actor", "ID", container,
                          "Attributes", labels);
        if (!fake->new_events) {
                json_object_set_new(event, "status", json_string(action));
                json_object_set_new(event, "id", json_string(container));
                json_object_set_new(event, "from", json_string("an-image"));
        }
        publish(fake, event);
}

void fake_network_event(struct fake_docker *fake, const char *action, const char *network, const char *container)
{
        json_t *attributes = json_pack("{s:s, s:s}", "name", "a-network", "type", "bridge");

        if (container)
                json_object_set_new(attributes, "container", json_string(container));
        publish(fake, json_pack("{s:s, s:s, s:{s:s, s:o}}", "Type", "network", "Action", action, "Actor", "ID", network,
                                "Attributes", attributes));
}

void fake_daemon_event(struct fake_docker *fake, const char *action)
{
        publish(fake, json_pack("{s:s, s:s, s:{s:s, s:{}}}", "Type", "daemon", "Action", action, "Actor", "ID",
                                "AAAA:BBBB", "Attributes"));
}
