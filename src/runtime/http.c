/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP client of http.h.
 *
 * Theory of operation: libcurl tells which sockets and which timer it wants watched (on_curl_socket, on_curl_timer), and
 * libevent tells libcurl when they fire. Inside libcurl only bytes are collected. A request with something to tell goes
 * into the ready queue, and the queue is served after libcurl has returned: libcurl refuses to be called from its own
 * callbacks, and whoever reads an answer wants to ask the next question at once. */
#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include <vethwall/arena.h>
#include <vethwall/base.h>

#include "runtime/http.h"

/* What may wait in a stream's buffer beyond one line: what libcurl reads in one go before lines are taken out. */
#define STREAM_SLACK (4u << 20)
/* A stream that is refused comes with a message, of which no more than this is kept. */
#define REFUSAL_MAX (64u << 10)
/* Connections kept open for the next request. */
#define IDLE_CONNECTIONS 8L

struct http_request {
        LIST_ENTRY(http_request) entry;
        TAILQ_ENTRY(http_request) ready_entry;
        struct http_client *client;
        CURL *curl;
        size_t max;        /* of the body, or of a stream's line */
        http_line_cb line; /* NULL: no stream */
        http_done_cb done;
        void *user;
        char *bytes;
        size_t size;
        size_t cap;
        uint64_t received_us;
        bool is_ready; /* in the queue */
        bool is_done;
        CURLcode result;
        const char *refused; /* why we ended it ourselves */
        char error[CURL_ERROR_SIZE];
};

struct http_client {
        struct event_base *base;
        CURLM *multi;
        struct event *timer;
        char *socket;
        LIST_HEAD(, http_request) requests;
        TAILQ_HEAD(, http_request) ready;
        struct http_request *current; /* whose lines are being handed out; NULL once it is cancelled */
};

uint64_t monotonic_us(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

char *http_escape(const char *text)
{
        char *escaped = curl_easy_escape(NULL, text, 0);
        char *copy = escaped ? strdup(escaped) : NULL;

        curl_free(escaped);
        return copy;
}

int64_t http_date(const char *text)
{
        return curl_getdate(text, NULL);
}

static void make_ready(struct http_request *request)
{
        if (request->is_ready)
                return;
        TAILQ_INSERT_TAIL(&request->client->ready, request, ready_entry);
        request->is_ready = true;
}

static void unmake_ready(struct http_request *request)
{
        if (!request->is_ready)
                return;
        TAILQ_REMOVE(&request->client->ready, request, ready_entry);
        request->is_ready = false;
}

static void request_free(struct http_request *request)
{
        struct http_client *client = request->client;

        if (client->current == request)
                client->current = NULL;
        unmake_ready(request);
        LIST_REMOVE(request, entry);
        curl_multi_remove_handle(client->multi, request->curl);
        curl_easy_cleanup(request->curl);
        free(request->bytes);
        free(request);
}

struct http_request *http_cancel(struct http_request *request)
{
        if (request)
                request_free(request);
        return NULL;
}

const char *http_request_header(struct http_request *request, const char *name)
{
        struct curl_header *header;

        if (curl_easy_header(request->curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
                return NULL;
        return header->value;
}

int http_request_status(const struct http_request *request)
{
        long status = 0;

        curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
        return (int)status;
}

/* libcurl has bytes of the body. */
static size_t on_curl_data(char *data, size_t unit, size_t len, void *user)
{
        struct http_request *request = user;
        size_t size = unit * len;
        bool lines = request->line && http_request_status(request) == 200;
        size_t max = lines ? request->max + STREAM_SLACK : request->max;

        request->received_us = monotonic_us();
        if (request->line && !lines)
                max = REFUSAL_MAX;
        if (size > max - request->size) {
                request->refused = "the answer is larger than expected";
                return 0;
        }
        if (array_reserve(&request->bytes, &request->cap, request->size + size + 1, 1)) {
                request->refused = "out of memory";
                return 0;
        }
        memcpy(request->bytes + request->size, data, size);
        request->size += size;
        request->bytes[request->size] = '\0';
        if (lines)
                make_ready(request);
        return size;
}

/* Hands out the whole lines there are. False if the request was cancelled meanwhile. */
static bool deliver_lines(struct http_request *request)
{
        struct http_client *client = request->client;
        size_t start = 0;
        char *end;

        client->current = request;
        while ((end = memchr(request->bytes + start, '\n', request->size - start))) {
                size_t next = (size_t)(end - request->bytes) + 1;

                *end = '\0';
                if (next - 1 > start)
                        request->line(request->user, request->bytes + start, next - 1 - start, request->received_us);
                if (client->current != request)
                        return false;
                start = next;
        }
        client->current = NULL;
        request->size -= start;
        memmove(request->bytes, request->bytes + start, request->size);
        if (request->size > request->max && !request->is_done) {
                request->refused = "a line of the stream is longer than expected";
                request->is_done = true;
                make_ready(request);
        }
        return true;
}

/* libcurl would speak of the host in the URL, which is none. */
static const char *connect_error(struct http_request *request)
{
        long error = 0;

        curl_easy_getinfo(request->curl, CURLINFO_OS_ERRNO, &error);
        snprintf(request->error, sizeof(request->error), "%s: %s", request->client->socket,
                 error ? strerror((int)error) : "cannot connect");
        return request->error;
}

static void deliver_end(struct http_request *request)
{
        struct http_reply reply = {
                .status = http_request_status(request),
                .body = request->bytes ? request->bytes : "",
                .size = request->size,
                .received_us = request->received_us,
        };

        if (request->refused)
                reply.error = request->refused;
        else if (request->result == CURLE_COULDNT_CONNECT)
                reply.error = connect_error(request);
        else if (request->result != CURLE_OK)
                reply.error = request->error[0] ? request->error : curl_easy_strerror(request->result);
        else if (!reply.status)
                reply.error = "no answer";
        if (request->line && reply.status == 200) {
                reply.body = "";
                reply.size = 0;
        }
        if (!reply.received_us)
                reply.received_us = monotonic_us();
        request->done(request->user, request, &reply);
}

static void serve_ready(struct http_client *client)
{
        struct http_request *request;

        while ((request = TAILQ_FIRST(&client->ready))) {
                unmake_ready(request);
                if (request->line && request->size && http_request_status(request) == 200 && !request->refused) {
                        if (!deliver_lines(request))
                                continue;
                }
                if (!request->is_done || request->is_ready)
                        continue;
                client->current = request;
                deliver_end(request);
                if (client->current == request)
                        request_free(request);
        }
}

static void collect_finished(struct http_client *client)
{
        struct CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(client->multi, &left))) {
                struct http_request *request = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
                request->result = message->data.result;
                request->is_done = true;
                make_ready(request);
        }
}

static void act(struct http_client *client, curl_socket_t fd, int what)
{
        int running;

        curl_multi_socket_action(client->multi, fd, what, &running);
        collect_finished(client);
        serve_ready(client);
}

static void on_timer(evutil_socket_t fd, short what, void *user)
{
        (void)fd;
        (void)what;
        act(user, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(evutil_socket_t fd, short what, void *user)
{
        act(user, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static int on_curl_socket(CURL *curl, curl_socket_t fd, int what, void *user, void *socket_user)
{
        struct http_client *client = user;
        struct event *event = socket_user;
        short wanted = EV_PERSIST;

        (void)curl;
        if (event)
                event_free(event);
        curl_multi_assign(client->multi, fd, NULL);
        if (what == CURL_POLL_REMOVE)
                return 0;
        if (what & CURL_POLL_IN)
                wanted |= EV_READ;
        if (what & CURL_POLL_OUT)
                wanted |= EV_WRITE;
        event = event_new(client->base, fd, wanted, on_socket, client);
        if (!event)
                return -1;
        if (event_add(event, NULL)) {
                event_free(event);
                return -1;
        }
        curl_multi_assign(client->multi, fd, event);
        return 0;
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *user)
{
        struct http_client *client = user;
        struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

        (void)multi;
        if (timeout_ms < 0)
                return event_del(client->timer);
        return event_add(client->timer, &timeout);
}

int http_client_new(struct http_client **ret, struct event_base *base, const char *socket)
{
        _cleanup_(http_client_freep) struct http_client *client = NULL;

        if (curl_global_init(CURL_GLOBAL_DEFAULT))
                return -EIO;
        client = calloc(1, sizeof(*client));
        if (!client) {
                curl_global_cleanup();
                return -ENOMEM;
        }
        client->base = base;
        LIST_INIT(&client->requests);
        TAILQ_INIT(&client->ready);
        client->socket = strdup(socket);
        client->multi = curl_multi_init();
        client->timer = evtimer_new(base, on_timer, client);
        if (!client->socket || !client->multi || !client->timer)
                return -ENOMEM;
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
        curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
        curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
        curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
        *ret = steal(client);
        return 0;
}

struct http_client *http_client_free(struct http_client *client)
{
        struct http_request *request;

        if (!client)
                return NULL;
        while ((request = LIST_FIRST(&client->requests)))
                request_free(request);
        curl_multi_cleanup(client->multi);
        if (client->timer)
                event_free(client->timer);
        free(client->socket);
        free(client);
        curl_global_cleanup();
        return NULL;
}

static CURLcode set_options(struct http_request *request, const char *url, unsigned timeout_ms)
{
        CURL *curl = request->curl;
        CURLcode r = CURLE_OK;

#define SET(option, value) r = r ? r : curl_easy_setopt(curl, option, value)
        SET(CURLOPT_URL, url);
        SET(CURLOPT_UNIX_SOCKET_PATH, request->client->socket);
        SET(CURLOPT_PROXY, ""); /* the environment's proxies are for other things */
        SET(CURLOPT_PROTOCOLS_STR, "http");
        SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_WRITEFUNCTION, on_curl_data);
        SET(CURLOPT_WRITEDATA, request);
        SET(CURLOPT_PRIVATE, request);
        SET(CURLOPT_ERRORBUFFER, request->error);
        SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms); /* 0: none */
#undef SET
        return r;
}

static int request_new(struct http_client *client, struct http_request **ret, const char *path, unsigned timeout_ms,
                       size_t max, http_line_cb line, http_done_cb done, void *user)
{
        _cleanup_free_ char *url = NULL;
        struct http_request *request;
        CURLMcode r;

        /* The host's name is for the Host header alone. */
        if (asprintf(&url, "http://localhost%s", path) < 0) {
                url = NULL;
                return -ENOMEM;
        }
        request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;
        request->client = client;
        request->max = max;
        request->line = line;
        request->done = done;
        request->user = user;
        request->curl = curl_easy_init();
        if (!request->curl || set_options(request, url, timeout_ms)) {
                curl_easy_cleanup(request->curl);
                free(request);
                return -ENOMEM;
        }
        r = curl_multi_add_handle(client->multi, request->curl);
        if (r) {
                curl_easy_cleanup(request->curl);
                free(request);
                return r == CURLM_OUT_OF_MEMORY ? -ENOMEM : -EIO;
        }
        LIST_INSERT_HEAD(&client->requests, request, entry);
        *ret = request;
        return 0;
}

int http_get(struct http_client *client, struct http_request **ret, const char *path, unsigned timeout_ms,
             size_t size_max, http_done_cb done, void *user)
{
        return request_new(client, ret, path, timeout_ms, size_max, NULL, done, user);
}

int http_stream(struct http_client *client, struct http_request **ret, const char *path, size_t line_max,
                http_line_cb line, http_done_cb done, void *user)
{
        return request_new(client, ret, path, 0, line_max, line, done, user);
}
