/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection prober for tests and the demonstration, linked statically so that it runs in any container.
 *
 *   probe serve [NAME] PROTO/PORT...     answers on tcp and udp ports, v4 and v6, until it is killed
 *   probe MILLISECONDS TARGET...         tries all targets at once and prints a line for each, in their order:
 *                                        open, refused, unreachable (an error came back) or silent
 *
 * TARGET is tcp/ADDRESS/PORT, udp/ADDRESS/PORT or icmp/ADDRESS. A TCP target is open when the server's answer has
 * come back, not when the handshake is done; the answer is an HTTP response, for wget's sake. Exit status 0 if all
 * are open, 1 if not, 2 on trouble. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TARGETS_MAX 256

enum kind {
        KIND_TCP,
        KIND_UDP,
        KIND_ICMP,
};

enum outcome {
        OUTCOME_PENDING,
        OUTCOME_OPEN,
        OUTCOME_REFUSED,
        OUTCOME_UNREACHABLE,
};

struct target {
        enum kind kind;
        enum outcome outcome;
        bool connected; /* tcp: the handshake is done and the request is out */
        struct sockaddr_storage addr;
        socklen_t addr_size;
        int fd;
};

/* Of this run's echo requests: with an earlier one's id they would belong to its connection, which conntrack remembers. */
static uint16_t echo_id;

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

static _Noreturn void die(const char *what)
{
        fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
        exit(2);
}

static bool parse_kind(const char *text, size_t len, enum kind *ret)
{
        static const char *const names[] = {[KIND_TCP] = "tcp", [KIND_UDP] = "udp", [KIND_ICMP] = "icmp"};

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                if (strlen(names[i]) == len && memcmp(names[i], text, len) == 0) {
                        *ret = (enum kind)i;
                        return true;
                }
        }
        return false;
}

static bool parse_port(const char *text, uint16_t *ret)
{
        char *end;
        unsigned long port = strtoul(text, &end, 10);

        if (*text == '\0' || *end != '\0' || port == 0 || port > 65535)
                return false;
        *ret = (uint16_t)port;
        return true;
}

static bool set_address(struct target *target, const char *text, uint16_t port)
{
        struct sockaddr_in *v4 = (void *)&target->addr;
        struct sockaddr_in6 *v6 = (void *)&target->addr;

        memset(&target->addr, 0, sizeof(target->addr));
        if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
                v4->sin_family = AF_INET;
                v4->sin_port = htons(port);
                target->addr_size = sizeof(*v4);
                return true;
        }
        if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
                v6->sin6_family = AF_INET6;
                v6->sin6_port = htons(port);
                target->addr_size = sizeof(*v6);
                return true;
        }
        return false;
}

static bool parse_target(const char *text, struct target *ret)
{
        const char *slash = strchr(text, '/');
        const char *last = strrchr(text, '/');
        char address[INET6_ADDRSTRLEN];
        uint16_t port = 0;
        size_t len;

        if (!slash || !parse_kind(text, (size_t)(slash - text), &ret->kind))
                return false;
        if (ret->kind == KIND_ICMP)
                return set_address(ret, slash + 1, 0);
        len = (size_t)(last - slash) - 1;
        if (last == slash || len >= sizeof(address) || !parse_port(last + 1, &port))
                return false;
        memcpy(address, slash + 1, len);
        address[len] = '\0';
        return set_address(ret, address, port);
}

static uint16_t checksum(const void *data, size_t size)
{
        const uint8_t *bytes = data;
        uint32_t sum = 0;

        for (size_t i = 0; i < size; i += 2)
                sum += (uint32_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0);
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return htons((uint16_t)~sum);
}

static void failed(struct target *target, int error)
{
        target->outcome = error == ECONNREFUSED ? OUTCOME_REFUSED : OUTCOME_UNREACHABLE;
}

static void send_echo_request(struct target *target)
{
        struct icmphdr v4 = {.type = ICMP_ECHO, .un.echo = {.id = echo_id}};
        struct icmp6_hdr v6 = {.icmp6_type = ICMP6_ECHO_REQUEST, .icmp6_id = echo_id};
        bool is_v6 = target->addr.ss_family == AF_INET6;

        v4.checksum = checksum(&v4, sizeof(v4));
        if (send(target->fd, is_v6 ? (void *)&v6 : (void *)&v4, is_v6 ? sizeof(v6) : sizeof(v4), 0) < 0)
                failed(target, errno);
}

static void start(struct target *target)
{
        int family = target->addr.ss_family;
        int icmp = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
        int type = target->kind == KIND_TCP ? SOCK_STREAM : target->kind == KIND_UDP ? SOCK_DGRAM : SOCK_RAW;

        target->fd = socket(family, type | SOCK_NONBLOCK, target->kind == KIND_ICMP ? icmp : 0);
        if (target->fd < 0)
                die("socket");
        if (connect(target->fd, (void *)&target->addr, target->addr_size) < 0) {
                if (errno != EINPROGRESS)
                        failed(target, errno);
                return;
        }
        if (target->kind == KIND_UDP && send(target->fd, request, sizeof(request) - 1, 0) < 0)
                failed(target, errno);
        if (target->kind == KIND_ICMP)
                send_echo_request(target);
}

/* A raw socket is given every ICMP message from its peer; IPv4 with the IP header in front. */
static bool is_echo_reply(const struct target *target, const uint8_t *bytes, size_t size)
{
        struct icmphdr v4;
        struct icmp6_hdr v6;

        if (target->addr.ss_family == AF_INET6) {
                if (size < sizeof(v6))
                        return false;
                memcpy(&v6, bytes, sizeof(v6));
                return v6.icmp6_type == ICMP6_ECHO_REPLY && v6.icmp6_id == echo_id;
        }
        size_t header = size == 0 ? 0 : (bytes[0] & 0xfu) * 4u;

        if (size < header + sizeof(v4))
                return false;
        memcpy(&v4, bytes + header, sizeof(v4));
        return v4.type == ICMP_ECHOREPLY && v4.un.echo.id == echo_id;
}

static void ready(struct target *target)
{
        uint8_t bytes[2048];
        ssize_t size;

        if (target->kind == KIND_TCP && !target->connected) {
                int error = 0;
                socklen_t error_size = sizeof(error);

                if (getsockopt(target->fd, SOL_SOCKET, SO_ERROR, &error, &error_size) < 0)
                        die("getsockopt");
                if (error != 0) {
                        failed(target, error);
                        return;
                }
                target->connected = true;
                if (send(target->fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
                        failed(target, errno);
                return;
        }
        size = recv(target->fd, bytes, sizeof(bytes), 0);
        if (size < 0 && errno != EAGAIN)
                failed(target, errno);
        else if (size == 0)
                failed(target, ECONNREFUSED);
        else if (size > 0 && (target->kind != KIND_ICMP || is_echo_reply(target, bytes, (size_t)size)))
                target->outcome = OUTCOME_OPEN;
}

static int64_t now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int try_all(struct target *targets, size_t len, int64_t timeout_ms)
{
        static const char *const words[] = {[OUTCOME_PENDING] = "silent",
                                            [OUTCOME_OPEN] = "open",
                                            [OUTCOME_REFUSED] = "refused",
                                            [OUTCOME_UNREACHABLE] = "unreachable"};
        struct pollfd fds[TARGETS_MAX];
        int64_t deadline = now_ms() + timeout_ms;
        bool all_open = true;

        for (size_t i = 0; i < len; i++)
                start(&targets[i]);
        for (;;) {
                int64_t left = deadline - now_ms();
                size_t pending = 0;

                for (size_t i = 0; i < len; i++) {
                        struct target *t = &targets[i];
                        bool open = t->outcome == OUTCOME_PENDING;

                        fds[i] = (struct pollfd){.fd = open ? t->fd : -1, .events = POLLIN};
                        if (t->kind == KIND_TCP && !t->connected)
                                fds[i].events = POLLOUT;
                        pending += open;
                }
                if (pending == 0 || left <= 0)
                        break;
                if (poll(fds, len, (int)left) < 0 && errno != EINTR)
                        die("poll");
                for (size_t i = 0; i < len; i++) {
                        if (fds[i].fd >= 0 && fds[i].revents)
                                ready(&targets[i]);
                }
        }
        for (size_t i = 0; i < len; i++) {
                puts(words[targets[i].outcome]);
                all_open &= targets[i].outcome == OUTCOME_OPEN;
                close(targets[i].fd);
        }
        return all_open ? 0 : 1;
}

/* Where the kernel or the namespace has no IPv6, IPv4 alone. */
static int listen_on(enum kind kind, uint16_t port)
{
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
        int type = kind == KIND_TCP ? SOCK_STREAM : SOCK_DGRAM;
        int on = 1, off = 0, fd;

        fd = socket(AF_INET6, type, 0);
        if (fd >= 0) {
                setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
                setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
                if (bind(fd, (void *)&v6, sizeof(v6)) == 0 && (kind != KIND_TCP || listen(fd, 64) == 0))
                        return fd;
                close(fd);
        }
        fd = socket(AF_INET, type, 0);
        if (fd < 0)
                die("socket");
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, (void *)&v4, sizeof(v4)) < 0 || (kind == KIND_TCP && listen(fd, 64) < 0))
                die("bind");
        return fd;
}

static void answer_tcp(int listener, const char *name)
{
        int fd = accept(listener, NULL, NULL);
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        char bytes[2048];

        if (fd < 0)
                return;
        if (fork() == 0) {
                /* The request is read first: closing with it unread would reset the connection. */
                if (poll(&readable, 1, 1000) > 0 && read(fd, bytes, sizeof(bytes)) > 0)
                        dprintf(fd, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n%s\n", name);
                _exit(0);
        }
        close(fd);
}

static void answer_udp(int fd)
{
        struct sockaddr_storage peer;
        socklen_t peer_size = sizeof(peer);
        char bytes[2048];
        ssize_t size = recvfrom(fd, bytes, sizeof(bytes), 0, (void *)&peer, &peer_size);

        if (size >= 0)
                (void)sendto(fd, bytes, (size_t)size, 0, (void *)&peer, peer_size);
}

static int serve(char **args, size_t len)
{
        const char *name = "hello";
        struct pollfd fds[TARGETS_MAX];
        enum kind kinds[TARGETS_MAX];
        uint16_t port;

        if (len > 0 && !strchr(args[0], '/')) {
                name = args[0];
                args++;
                len--;
        }
        signal(SIGCHLD, SIG_IGN);
        for (size_t i = 0; i < len; i++) {
                const char *slash = strchr(args[i], '/');

                errno = EINVAL;
                if (!slash || !parse_kind(args[i], (size_t)(slash - args[i]), &kinds[i]) || kinds[i] == KIND_ICMP ||
                    !parse_port(slash + 1, &port))
                        die(args[i]);
                fds[i] = (struct pollfd){.fd = listen_on(kinds[i], port), .events = POLLIN};
        }
        for (;;) {
                if (poll(fds, len, -1) < 0 && errno != EINTR)
                        die("poll");
                for (size_t i = 0; i < len; i++) {
                        if (fds[i].revents && kinds[i] == KIND_TCP)
                                answer_tcp(fds[i].fd, name);
                        else if (fds[i].revents)
                                answer_udp(fds[i].fd);
                }
        }
}

int main(int argc, char **argv)
{
        static struct target targets[TARGETS_MAX];
        size_t len = argc > 2 ? (size_t)argc - 2 : 0;

        errno = EINVAL;
        if (len == 0 || len > TARGETS_MAX)
                die("usage: probe serve [NAME] PROTO/PORT... | probe MILLISECONDS TARGET...");
        if (strcmp(argv[1], "serve") == 0)
                return serve(argv + 2, len);
        for (size_t i = 0; i < len; i++) {
                errno = EINVAL;
                if (!parse_target(argv[i + 2], &targets[i]))
                        die(argv[i + 2]);
        }
        if (getrandom(&echo_id, sizeof(echo_id), 0) != sizeof(echo_id))
                die("getrandom");
        return try_all(targets, len, strtol(argv[1], NULL, 10));
}
