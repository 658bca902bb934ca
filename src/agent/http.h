/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small HTTP server for answers that are made at once: GET and HEAD, with limits on size and time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/strbuf.h>

struct event_base;
struct http;

struct http_reply {
        int code;         /* 200 unless changed */
        const char *type; /* static */
        struct strbuf body;
};

/* path has no query; accept is the header, or NULL. */
typedef void (*http_cb)(void *user, const char *path, const char *accept, struct http_reply *reply);

/* On an address. port 0: any; *ret_port is the one. 0 or a negative errno (-EADDRINUSE: taken). */
int http_new_tcp(struct http **ret, struct event_base *base, const struct addr *addr, uint16_t port, http_cb cb,
                 void *user, uint16_t *ret_port);

/* On a listening UNIX socket, which it takes over where it succeeds. Only root and the agent's own user are answered,
 * whatever the socket's mode. 0 or -ENOMEM. */
int http_new_unix(struct http **ret, struct event_base *base, int fd, http_cb cb, void *user);

struct http *http_free(struct http *http);
DEFINE_CLEANUP(struct http *, http_free)
