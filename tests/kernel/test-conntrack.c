/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's table of connections, with real ones in it, in a network namespace of the test's own. */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <conntrack/conntrack.h>

#include "sandbox.h"

/* The client asks for port 8080 of one address; port 9000 of another answers, which sees the client under a third. */
#define CLIENT "127.0.0.7"
#define ASKED "127.0.0.9"
#define SERVER "127.0.0.8"
#define FACADE "127.0.0.6"
#define DEADLINE_S 10

static const char ruleset[] = "table ip t {\n"
                              "  chain out { type nat hook output priority -100;\n"
                              "    ip daddr " ASKED " meta l4proto { tcp, udp } th dport 8080 dnat to " SERVER ":9000\n"
                              "  }\n"
                              "  chain post { type nat hook postrouting priority 100;\n"
                              "    ip saddr " CLIENT " snat to " FACADE "\n"
                              "  }\n"
                              "}\n"
                              "table ip6 t {\n"
                              "  chain input {\n"
                              "    type filter hook input priority 0;\n"
                              "    ct state invalid drop\n"
                              "  }\n"
                              "}\n";

static void lo_up(void)
{
        struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
        close(fd);
}

static int start(void **state)
{
        struct conntrack *conntrack = NULL;

        lo_up();
        if (sandbox_nft(ruleset, NULL, "-f", "-", NULL) != 0 || conntrack_open(&conntrack) < 0)
                return -1;
        *state = conntrack;
        return 0;
}

static int stop(void **state)
{
        conntrack_close(*state);
        return 0;
}

static struct addr parse(const char *text)
{
        struct addr addr;

        assert_true(addr_parse(text, &addr));
        return addr;
}

static socklen_t name_of(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
        struct addr addr = parse(text);

        memset(ret, 0, sizeof(*ret));
        if (addr.family == ADDR_V4) {
                struct sockaddr_in *name = (struct sockaddr_in *)ret;

                name->sin_family = AF_INET;
                name->sin_port = htons(port);
                memcpy(&name->sin_addr, addr.bytes, 4);
                return sizeof(*name);
        } else {
                struct sockaddr_in6 *name = (struct sockaddr_in6 *)ret;

                name->sin6_family = AF_INET6;
                name->sin6_port = htons(port);
                memcpy(&name->sin6_addr, addr.bytes, 16);
                return sizeof(*name);
        }
}

static int socket_at(int type, const char *addr, uint16_t port)
{
        struct sockaddr_storage name;
        socklen_t size = name_of(addr, port, &name);
        int fd = socket(name.ss_family, type | SOCK_CLOEXEC, 0), on = 1;

        assert_true(fd >= 0);
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)&name, size), 0);
        return fd;
}

static void connect_to(int fd, const char *addr, uint16_t port)
{
        struct sockaddr_storage name;
        socklen_t size = name_of(addr, port, &name);

        assert_int_equal(connect(fd, (const struct sockaddr *)&name, size), 0);
}

/* The flow from a source to what was asked for. */
struct search {
        struct addr src, dst;
        uint8_t protocol;
        size_t found;
        struct ct_flow flow;
};

static int look(void *user, const struct ct_flow *flow)
{
        struct search *search = user;

        if (flow->protocol == search->protocol && addr_equal(&flow->original.src, &search->src) &&
            addr_equal(&flow->original.dst, &search->dst)) {
                search->flow = *flow;
                search->found++;
        }
        return 0;
}

static struct search find(struct conntrack *conntrack, uint8_t protocol, const char *src, const char *dst)
{
        struct search search = {.src = parse(src), .dst = parse(dst), .protocol = protocol};

        assert_int_equal(conntrack_dump(conntrack, look, &search), 0);
        return search;
}

static void a_translated_connection_is_seen_from_both_ends(void **state)
{
        struct addr server = parse(SERVER), facade = parse(FACADE);
        int listener = socket_at(SOCK_STREAM, SERVER, 9000), client = socket_at(SOCK_STREAM, CLIENT, 0), peer;
        time_t deadline = time(NULL) + DEADLINE_S;
        struct search search;

        assert_int_equal(listen(listener, 1), 0);
        connect_to(client, ASKED, 8080);
        peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(peer >= 0);

        search = find(*state, IPPROTO_TCP, CLIENT, ASKED);
        assert_int_equal(search.found, 1);
        assert_true(search.flow.open);
        assert_int_equal(search.flow.original.dport, 8080);
        assert_true(addr_equal(ct_flow_dst(&search.flow), &server));
        assert_int_equal(ct_flow_port(&search.flow), 9000);
        assert_true(addr_equal(&search.flow.reply.dst, &facade));

        close(client);
        close(peer);
        close(listener);
        while ((search = find(*state, IPPROTO_TCP, CLIENT, ASKED)).found > 0 && search.flow.open &&
               time(NULL) < deadline)
                usleep(10000);
        assert_true(search.found == 0 || !search.flow.open);
}

static void what_nobody_answers_is_not_open(void **state)
{
        int server = socket_at(SOCK_DGRAM, SERVER, 9000), client = socket_at(SOCK_DGRAM, CLIENT, 0);
        struct sockaddr_storage from;
        socklen_t size = sizeof(from);
        struct search search;
        char byte;

        connect_to(client, ASKED, 8080);
        assert_int_equal(send(client, "?", 1, 0), 1);
        assert_int_equal(recvfrom(server, &byte, 1, 0, (struct sockaddr *)&from, &size), 1);
        search = find(*state, IPPROTO_UDP, CLIENT, ASKED);
        assert_int_equal(search.found, 1);
        assert_false(search.flow.open);

        assert_int_equal(sendto(server, "!", 1, 0, (struct sockaddr *)&from, size), 1);
        assert_int_equal(recv(client, &byte, 1, 0), 1);
        search = find(*state, IPPROTO_UDP, CLIENT, ASKED);
        assert_int_equal(search.found, 1);
        assert_true(search.flow.open);
        close(client);
        close(server);
}

static void both_families_are_told(void **state)
{
        int listener = socket_at(SOCK_STREAM, "::1", 9000), client = socket_at(SOCK_STREAM, "::1", 0);
        struct search search;

        assert_int_equal(listen(listener, 1), 0);
        connect_to(client, "::1", 9000);
        search = find(*state, IPPROTO_TCP, "::1", "::1");
        assert_int_equal(search.found, 1);
        assert_true(search.flow.open);
        assert_int_equal(ct_flow_port(&search.flow), 9000);
        close(client);
        close(listener);
}

static void one_is_deleted_and_no_other(void **state)
{
        int server = socket_at(SOCK_DGRAM, SERVER, 9000),
            clients[2] = {socket_at(SOCK_DGRAM, CLIENT, 0), socket_at(SOCK_DGRAM, "127.0.0.3", 0)};
        struct search search;

        for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
                connect_to(clients[i], ASKED, 8080);
                assert_int_equal(send(clients[i], "?", 1, 0), 1);
        }
        search = find(*state, IPPROTO_UDP, "127.0.0.3", ASKED);
        assert_int_equal(search.found, 1);
        assert_int_equal(conntrack_delete(*state, &search.flow), 0);
        assert_int_equal(find(*state, IPPROTO_UDP, "127.0.0.3", ASKED).found, 0);
        assert_int_equal(conntrack_delete(*state, &search.flow), -ENOENT);
        assert_in_range(find(*state, IPPROTO_UDP, CLIENT, ASKED).found, 1, 10);
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                close(clients[i]);
        close(server);
}

static void an_echo_is_named_by_its_id(void **state)
{
        static const char request[8] = {8};
        int ping = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
        struct search search;

        assert_true(ping >= 0);
        connect_to(ping, SERVER, 0);
        assert_int_equal(send(ping, request, sizeof(request), 0), sizeof(request));
        search = find(*state, IPPROTO_ICMP, "127.0.0.1", SERVER);
        assert_int_equal(search.found, 1);
        assert_int_equal(search.flow.icmp.type, 8);
        assert_int_equal(conntrack_delete(*state, &search.flow), 0);
        assert_int_equal(find(*state, IPPROTO_ICMP, "127.0.0.1", SERVER).found, 0);
        close(ping);
}

static void a_blocked_one_is_not_taken_up(void **state)
{
        int listener = socket_at(SOCK_STREAM, SERVER, 9100), client = socket_at(SOCK_STREAM, "127.0.0.3", 9101), peer;
        struct search search;

        assert_int_equal(listen(listener, 1), 0);
        connect_to(client, SERVER, 9100);
        peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        assert_true(peer >= 0);
        search = find(*state, IPPROTO_TCP, "127.0.0.3", SERVER);
        assert_int_equal(search.found, 1);
        assert_true(search.flow.replied);
        assert_int_equal(conntrack_block(*state, &search.flow), -EEXIST);
        assert_int_equal(conntrack_delete(*state, &search.flow), 0);
        assert_int_equal(conntrack_block(*state, &search.flow), 0);
        assert_int_equal(send(peer, "!", 1, 0), 1);
        assert_int_equal(find(*state, IPPROTO_TCP, "127.0.0.3", SERVER).found, 0);
        search = find(*state, IPPROTO_TCP, SERVER, "127.0.0.3");
        assert_int_equal(search.found, 1);
        assert_false(search.flow.replied);
        close(client);
        close(peer);
        close(listener);
}

static int give_up(void *user, const struct ct_flow *flow _unused_)
{
        size_t *calls = user;

        ++*calls;
        return -ECANCELED;
}

/* More than one message holds, so that something is left to read when it is stopped; and the next dump is whole. */
static void a_dump_can_be_stopped(void **state)
{
        int sockets[300];
        size_t calls = 0;

        for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
                sockets[i] = socket_at(SOCK_DGRAM, "127.0.0.5", 0);
                connect_to(sockets[i], "127.0.0.4", (uint16_t)(1000 + i));
                assert_int_equal(send(sockets[i], "?", 1, 0), 1);
        }
        assert_int_equal(conntrack_dump(*state, give_up, &calls), -ECANCELED);
        assert_int_equal(calls, 1);
        assert_int_equal(find(*state, IPPROTO_UDP, "127.0.0.5", "127.0.0.4").found, ARRAY_SIZE(sockets));
        for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
                close(sockets[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_translated_connection_is_seen_from_both_ends),
                cmocka_unit_test(what_nobody_answers_is_not_open),
                cmocka_unit_test(both_families_are_told),
                cmocka_unit_test(one_is_deleted_and_no_other),
                cmocka_unit_test(an_echo_is_named_by_its_id),
                cmocka_unit_test(a_blocked_one_is_not_taken_up),
                cmocka_unit_test(a_dump_can_be_stopped),
        };

        sandbox_enter();
        return cmocka_run_group_tests(tests, start, stop);
}
