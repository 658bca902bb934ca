/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An HTTP client for engines that listen on a UNIX socket: libcurl's multi interface on libevent. Nothing here
 * blocks, every answer has a deadline and a size limit, and callbacks never run inside libcurl, so they may start
 * and cancel requests as they like. They must not free the client. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <vethwall/base.h>

struct event_base;
struct http_client;
struct http_request;

struct http_reply {
        int status;           /* 0: there was no answer, error says why */
        const char *error;    /* why the answer is missing or incomplete, one line; NULL: it is whole */
        const char *body;     /* NUL-terminated; of a stream only where the status is not 200 */
        size_t size;          /* of the body, without the NUL */
        uint64_t received_us; /* CLOCK_MONOTONIC when its last bytes came */
};

/* Called once, after which the request is gone; not called for one that was cancelled. reply and what it points to
 * are borrowed for the time of the call. */
typedef void (*http_done_cb)(void *user, struct http_request *request, const struct http_reply *reply);

/* One line of a stream, without its line break, NUL-terminated and borrowed. */
typedef void (*http_line_cb)(void *user, const char *line, size_t size, uint64_t received_us);

/* socket is the path of the UNIX socket, which need not be there. 0, -ENOMEM or another negative errno. */
int http_client_new(struct http_client **ret, struct event_base *base, const char *socket);

/* Cancels what is under way. */
struct http_client *http_client_free(struct http_client *client);
DEFINE_CLEANUP(struct http_client *, http_client_free)

/* GET path (with its query, already escaped), answered within timeout_ms and size_max bytes or not at all. 0 and the
 * request, which is good until done or cancelled; -ENOMEM or another negative errno. */
int http_get(struct http_client *client, struct http_request **ret, const char *path, unsigned timeout_ms,
             size_t size_max, http_done_cb done, void *user);

/* GET path, whose answer goes on for as long as the server likes: each line goes to line(), and done() tells of its
 * end. A line longer than line_max ends it with an error. */
int http_stream(struct http_client *client, struct http_request **ret, const char *path, size_t line_max,
                http_line_cb line, http_done_cb done, void *user);

/* NULL is fine. Returns NULL. */
struct http_request *http_cancel(struct http_request *request);

/* The status of the answer once its headers are here, else 0. */
int http_request_status(const struct http_request *request);

/* The value of a header of the answer, borrowed, or NULL. In done() only. */
const char *http_request_header(struct http_request *request, const char *name);

/* The text escaped for a query's value; the caller's to free. NULL when memory is exhausted. */
char *http_escape(const char *text);

/* A Date header in seconds since the epoch; -1 if text is none. */
int64_t http_date(const char *text);

/* CLOCK_MONOTONIC in microseconds. */
uint64_t monotonic_us(void);
