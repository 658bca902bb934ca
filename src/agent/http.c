/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evhttp with limits. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "http.h"
#include "log.h"

#define HEADERS_MAX 8192
#define BODY_MAX 1024
#define TIMEOUT_S 10

struct http {
        struct evhttp *server;
        struct evhttp_bound_socket *socket;
        struct event *resume; /* accepts again after descriptors ran out */
        bool check_peer;
        http_cb cb;
        void *user;
};

struct http *http_free(struct http *http)
{
        if (!http)
                return NULL;
        if (http->resume)
                event_free(http->resume);
        if (http->server)
                evhttp_free(http->server);
        free(http);
        return NULL;
}

static bool is_allowed(struct evhttp_request *request)
{
        struct evhttp_connection *connection = evhttp_request_get_connection(request);
        int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
        struct ucred peer;
        socklen_t size = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static void answer(struct evhttp_request *request, void *user)
{
        struct http *http = user;
        struct http_reply reply = {.code = 200, .type = "text/plain; charset=utf-8", .body = STRBUF_INIT};
        struct evbuffer *out = evhttp_request_get_output_buffer(request);
        const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
        const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

        if (http->check_peer && !is_allowed(request)) {
                reply.code = 403;
                strbuf_puts(&reply.body, "only root and the agent's own user may ask\n");
        } else {
                http->cb(http->user, path ? path : "/",
                         evhttp_find_header(evhttp_request_get_input_headers(request), "Accept"), &reply);
        }
        if (strbuf_check(&reply.body) < 0 || evbuffer_add(out, reply.body.text, reply.body.len) < 0) {
                strbuf_fini(&reply.body);
                evhttp_send_error(request, 500, NULL);
                return;
        }
        strbuf_fini(&reply.body);
        evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", reply.type);
        evhttp_send_reply(request, reply.code, NULL, NULL);
}

/* Out of descriptors, a listener would be called again at once, for ever. */
static void accept_failed(struct evconnlistener *listener, void *user)
{
        struct http *http = user;
        const struct timeval pause = {1, 0};

        log_errno(LOG_WARNING, -errno, "a connection could not be accepted");
        evconnlistener_disable(listener);
        event_add(http->resume, &pause);
}

static void resume(evutil_socket_t fd _unused_, short events _unused_, void *user)
{
        struct http *http = user;

        evconnlistener_enable(evhttp_bound_socket_get_listener(http->socket));
}

static int http_new(struct http **ret, struct event_base *base, http_cb cb, void *user)
{
        _cleanup_(http_freep) struct http *http = calloc(1, sizeof(*http));

        if (!http)
                return -ENOMEM;
        http->cb = cb;
        http->user = user;
        http->server = evhttp_new(base);
        http->resume = evtimer_new(base, resume, http);
        if (!http->server || !http->resume)
                return -ENOMEM;
        evhttp_set_allowed_methods(http->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
        evhttp_set_max_headers_size(http->server, HEADERS_MAX);
        evhttp_set_max_body_size(http->server, BODY_MAX);
        evhttp_set_timeout(http->server, TIMEOUT_S);
        evhttp_set_gencb(http->server, answer, http);
        *ret = steal(http);
        return 0;
}

static int take_socket(struct http *http, int fd)
{
        http->socket = evhttp_accept_socket_with_handle(http->server, fd);
        if (!http->socket)
                return -ENOMEM;
        evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(http->socket), accept_failed);
        return 0;
}

static int listen_tcp(const struct addr *addr, uint16_t port, int *ret, uint16_t *ret_port)
{
        union {
                struct sockaddr any;
                struct sockaddr_in v4;
                struct sockaddr_in6 v6;
        } name = {.any = {0}};
        socklen_t size = addr->family == ADDR_V4 ? sizeof(name.v4) : sizeof(name.v6);
        int fd, on = 1, r;

        if (addr->family == ADDR_V4) {
                name.v4.sin_family = AF_INET;
                name.v4.sin_port = htons(port);
                memcpy(&name.v4.sin_addr, addr->bytes, 4);
        } else {
                name.v6.sin6_family = AF_INET6;
                name.v6.sin6_port = htons(port);
                memcpy(&name.v6.sin6_addr, addr->bytes, 16);
        }
        fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 || bind(fd, &name.any, size) < 0 ||
            listen(fd, 64) < 0 || getsockname(fd, &name.any, &size) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        *ret_port = ntohs(addr->family == ADDR_V4 ? name.v4.sin_port : name.v6.sin6_port);
        *ret = fd;
        return 0;
}

int http_new_tcp(struct http **ret, struct event_base *base, const struct addr *addr, uint16_t port, http_cb cb,
                 void *user, uint16_t *ret_port)
{
        _cleanup_(http_freep) struct http *http = NULL;
        int fd = -1, r;

        r = http_new(&http, base, cb, user);
        if (r < 0)
                return r;
        r = listen_tcp(addr, port, &fd, ret_port);
        if (r < 0)
                return r;
        r = take_socket(http, fd);
        if (r < 0) {
                close(fd);
                return r;
        }
        *ret = steal(http);
        return 0;
}

int http_new_unix(struct http **ret, struct event_base *base, int fd, http_cb cb, void *user)
{
        _cleanup_(http_freep) struct http *http = NULL;
        int r;

        r = http_new(&http, base, cb, user);
        if (r < 0)
                return r;
        http->check_peer = true;
        r = take_socket(http, fd);
        if (r < 0)
                return r;
        *ret = steal(http);
        return 0;
}
