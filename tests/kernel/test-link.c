/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The room link against the kernel: veths, bridges and namespaces made for the test, in a host of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <link/link.h>
#include <vethwall/base.h>

#include "link-lab.h"

#define DEADLINE_MS 60000

struct lab {
        struct link_watch *watch;
        unsigned added, changed, removed, netns, lost;
        int32_t netns_id;      /* of the last LINK_NETNS */
        struct link last_gone; /* of the last LINK_REMOVED */
};

static void hear(void *user, const struct link_change *change)
{
        struct lab *lab = user;

        if (!change) {
                lab->lost++;
                return;
        }
        switch (change->kind) {
        case LINK_ADDED:
                lab->added++;
                break;
        case LINK_CHANGED:
                lab->changed++;
                break;
        case LINK_REMOVED:
                lab->removed++;
                lab->last_gone = *change->link;
                break;
        case LINK_NETNS:
                lab->netns++;
                lab->netns_id = change->netnsid;
                break;
        }
}

static void start(struct lab *lab)
{
        *lab = (struct lab){};
        assert_int_equal(link_watch_new(&lab->watch, hear, lab), 0);
}

static void lab_fini(struct lab *lab)
{
        lab->watch = link_watch_free(lab->watch);
}

static int64_t now_ms(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Waits a little for something to read, and reads it. */
static void turn(struct lab *lab)
{
        struct pollfd pollfd = {.fd = link_watch_fd(lab->watch), .events = POLLIN};

        (void)poll(&pollfd, 1, 20);
        assert_int_equal(link_watch_dispatch(lab->watch), 0);
}

/* Goes on until the condition holds; it is an expression, and sees what the last dispatch left. */
#define wait_until(lab, condition)                                                                                     \
        do {                                                                                                           \
                int64_t until = now_ms() + DEADLINE_MS;                                                                \
                while (!(condition)) {                                                                                 \
                        if (now_ms() > until)                                                                          \
                                fail_msg("in vain waited for: %s", #condition);                                        \
                        turn(lab);                                                                                     \
                }                                                                                                      \
        } while (0)

static void make_container(const char *netns, const char *host, const char *device, const char *bridge)
{
        lab_run("ip link add %s type veth peer name %s netns %s", host, device, netns);
        lab_run("ip link set %s %s%s up", host, bridge ? "master " : "", bridge ? bridge : "");
}

/* The names of the links and the addresses, as text: "a0 b0 / 10.0.0.1 fd00::1"; or the code. */
static const char *describe(int r, struct link_netns *netns)
{
        static char text[512];
        size_t at = 0;

        if (r != 0) {
                (void)snprintf(text, sizeof(text), "%d", r);
                return text;
        }
        text[0] = '\0';
        for (size_t i = 0; i < netns->links_len; i++)
                at += (size_t)snprintf(text + at, sizeof(text) - at, "%s ", netns->links[i]->name);
        at += (size_t)snprintf(text + at, sizeof(text) - at, "/");
        for (size_t i = 0; i < netns->addrs_len; i++) {
                char addr[ADDR_TEXT_MAX];

                at += (size_t)snprintf(text + at, sizeof(text) - at, " %s", addr_format(&netns->addrs[i], addr));
        }
        link_netns_fini(netns);
        return text;
}

static const char *by_path(struct lab *lab, const char *path)
{
        struct link_netns netns;

        return describe(link_netns_by_path(lab->watch, path, &netns), &netns);
}

static const char *by_pid(struct lab *lab, pid_t pid)
{
        struct link_netns netns;

        return describe(link_netns_by_pid(lab->watch, pid, &netns), &netns);
}

static int32_t id_of(struct lab *lab, const char *path)
{
        struct link_netns netns;
        int32_t id;

        assert_int_equal(link_netns_by_path(lab->watch, path, &netns), 0);
        id = netns.netnsid;
        link_netns_fini(&netns);
        return id;
}

static const char *code(int r)
{
        static char text[16];

        (void)snprintf(text, sizeof(text), "%d", r);
        return text;
}

static const struct link *link_named(const struct lab *lab, const char *name)
{
        const struct link *link = link_by_name(lab->watch, name);

        assert_non_null(link);
        return link;
}

static void each_namespace_has_its_own_links(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        size_t len;

        lab_run("ip link add br0 type bridge && ip link add br1 type bridge && ip link set br0 up && ip link set br1 "
                "up");
        for (int i = 1; i <= 3; i++) {
                char netns[8], a[8], b[8], addr[32];

                (void)snprintf(netns, sizeof(netns), "c%d", i);
                (void)snprintf(a, sizeof(a), "a%d", i);
                (void)snprintf(b, sizeof(b), "b%d", i);
                lab_netns_add(netns);
                make_container(netns, a, "eth0", "br0");
                make_container(netns, b, "eth1", "br1");
                (void)snprintf(addr, sizeof(addr), "10.0.0.%d/24", i);
                lab_addr_add(netns, "eth0", addr);
                (void)snprintf(addr, sizeof(addr), "fd00::%d/64", i);
                lab_addr_add(netns, "eth0", addr);
                (void)snprintf(addr, sizeof(addr), "10.1.0.%d/24", i);
                lab_addr_add(netns, "eth1", addr);
        }
        start(&lab);
        assert_string_equal(by_path(&lab, "c1"), "a1 b1 / 10.0.0.1 10.1.0.1 fd00::1");
        assert_string_equal(by_path(&lab, "c2"), "a2 b2 / 10.0.0.2 10.1.0.2 fd00::2");
        assert_string_equal(by_path(&lab, "/run/netns/c3"), "a3 b3 / 10.0.0.3 10.1.0.3 fd00::3");
        for (int i = 1; i <= 3; i++) {
                char a[8], b[8];

                (void)snprintf(a, sizeof(a), "a%d", i);
                (void)snprintf(b, sizeof(b), "b%d", i);
                assert_string_equal(link_named(&lab, a)->kind, "veth");
                assert_true(link_named(&lab, a)->up);
                assert_int_equal(link_named(&lab, a)->master, link_named(&lab, "br0")->ifindex);
                assert_int_equal(link_named(&lab, b)->master, link_named(&lab, "br1")->ifindex);
                assert_ptr_equal(link_by_index(lab.watch, link_named(&lab, a)->ifindex), link_named(&lab, a));
                /* The peers have the same index in all three: the id alone tells them apart. */
                assert_int_equal(link_named(&lab, a)->peer, link_named(&lab, "a1")->peer);
                assert_int_equal(link_named(&lab, b)->peer, link_named(&lab, "b1")->peer);
        }
        assert_string_equal(link_named(&lab, "br0")->kind, "bridge");
        assert_non_null(link_table(lab.watch, &len));
        assert_int_equal(len, 9);
        assert_int_equal(lab.added, 0);
}

static void names_and_ids_come_back_with_a_new_generation(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        uint64_t generation;
        int32_t id;

        start(&lab);
        lab_netns_add("c1");
        make_container("c1", "v0", "eth0", NULL);
        wait_until(&lab, link_by_name(lab.watch, "v0"));
        assert_string_equal(by_path(&lab, "c1"), "v0 /");
        generation = link_named(&lab, "v0")->generation;
        id = id_of(&lab, "c1");

        lab_netns_del("c1");
        wait_until(&lab, !link_by_name(lab.watch, "v0"));
        assert_string_equal(lab.last_gone.name, "v0");
        assert_int_equal(lab.last_gone.generation, generation);
        assert_string_equal(by_path(&lab, "c1"), code(LINK_E_GONE));

        lab_netns_add("c2");
        make_container("c2", "v0", "eth0", NULL);
        wait_until(&lab, link_by_name(lab.watch, "v0"));
        assert_string_equal(by_path(&lab, "c2"), "v0 /");
        assert_int_equal(id_of(&lab, "c2"), id);
        assert_true(link_named(&lab, "v0")->generation > generation);
}

/* The table is not read between: it still holds the dead namespace's link under the reused id. */
static void a_table_that_is_behind_gives_no_wrong_link(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        struct link_netns netns = {};
        int32_t id;
        int r = LINK_E_NO_ID;

        lab_netns_add("c1");
        make_container("c1", "v0", "eth0", NULL);
        start(&lab);
        id = id_of(&lab, "c1");
        lab_netns_del("c1");
        for (int64_t until = now_ms() + DEADLINE_MS; now_ms() < until;) {
                lab_netns_add("c2");
                make_container("c2", "v1", "eth0", NULL);
                r = link_netns_by_path(lab.watch, "c2", &netns);
                if (r == 0 && netns.netnsid == id)
                        break;
                if (r == 0)
                        link_netns_fini(&netns);
                lab_run("ip link del v1");
                lab_netns_del("c2");
        }
        assert_int_equal(r, 0);
        assert_int_equal(netns.netnsid, id);
        assert_int_equal(link_named(&lab, "v0")->netnsid, id);
        assert_int_equal(netns.links_len, 0);
        link_netns_fini(&netns);
        wait_until(&lab, link_by_name(lab.watch, "v1") && !link_by_name(lab.watch, "v0"));
        assert_string_equal(by_path(&lab, "c2"), "v1 /");
}

static void plugging_and_moving_is_followed(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        int32_t c1, c2;

        start(&lab);
        lab_netns_add("c1");
        lab_netns_add("c2");
        make_container("c1", "v0", "eth0", NULL);
        make_container("c2", "w0", "eth0", NULL);
        wait_until(&lab, link_by_name(lab.watch, "v0") && link_by_name(lab.watch, "w0"));
        c1 = id_of(&lab, "c1");
        c2 = id_of(&lab, "c2");
        make_container("c1", "v1", "eth1", NULL);
        wait_until(&lab, link_by_name(lab.watch, "v1"));
        assert_string_equal(by_path(&lab, "c1"), "v0 v1 /");

        /* Both ends here first, as Docker does it. */
        lab_run("ip link add v2 type veth peer name p2");
        wait_until(&lab, link_by_name(lab.watch, "v2") && link_by_name(lab.watch, "p2"));
        wait_until(&lab, link_named(&lab, "p2")->peer == link_named(&lab, "v2")->ifindex);
        assert_int_equal(link_named(&lab, "v2")->netnsid, -1);
        lab_run("ip link set p2 netns c1");
        wait_until(&lab, link_named(&lab, "v2")->netnsid == c1);
        assert_string_equal(by_path(&lab, "c1"), "v0 v1 v2 /");
        assert_null(link_by_name(lab.watch, "p2"));

        /* On to another container, and home. */
        lab_run("ip -n c1 link set p2 netns c2");
        wait_until(&lab, link_named(&lab, "v2")->netnsid == c2);
        assert_string_equal(by_path(&lab, "c2"), "w0 v2 /");
        lab_run("ip -n c2 link set p2 netns %d", (int)getpid());
        wait_until(&lab, link_named(&lab, "v2")->netnsid == -1 && link_by_name(lab.watch, "p2"));
        assert_int_equal(link_named(&lab, "v2")->peer, link_named(&lab, "p2")->ifindex);
        assert_string_equal(by_path(&lab, "c1"), "v0 v1 /");
        assert_string_equal(by_path(&lab, "c2"), "w0 /");
}

static void a_port_that_changes_its_bridge_is_followed(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        uint64_t generation;

        lab_netns_add("c1");
        lab_run("ip link add br0 type bridge && ip link add br1 type bridge");
        make_container("c1", "v0", "eth0", "br0");
        start(&lab);
        generation = link_named(&lab, "v0")->generation;
        lab_run("ip link set v0 master br1");
        wait_until(&lab, link_named(&lab, "v0")->master == link_named(&lab, "br1")->ifindex);
        lab_run("ip link set v0 nomaster");
        wait_until(&lab, link_named(&lab, "v0")->master == 0);
        lab_run("ip link set v0 down && ip link set v0 name web0 address 02:00:00:00:00:09");
        wait_until(&lab, link_by_name(lab.watch, "web0") && link_named(&lab, "web0")->mac[5] == 9);
        assert_false(link_named(&lab, "web0")->up);
        assert_int_equal(link_named(&lab, "web0")->generation, generation);
        assert_int_equal(lab.added + lab.removed, 0);
        assert_string_equal(by_path(&lab, "c1"), "web0 /");
}

static void an_address_inside_a_namespace_is_heard_of(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        unsigned netns;

        lab_netns_add("c1");
        lab_netns_add("c2");
        make_container("c1", "v0", "eth0", NULL);
        make_container("c2", "w0", "eth0", NULL);
        start(&lab);
        lab_addr_add("c2", "eth0", "10.9.9.9/24");
        wait_until(&lab, lab.netns > 0);
        assert_int_equal(lab.netns_id, id_of(&lab, "c2"));
        assert_string_equal(by_path(&lab, "c2"), "w0 / 10.9.9.9");
        netns = lab.netns;
        lab_addr_add("c2", "eth0", "fd00::9/64");
        wait_until(&lab, lab.netns > netns);
        assert_string_equal(by_path(&lab, "c2"), "w0 / 10.9.9.9 fd00::9");
        netns = lab.netns;
        lab_run("ip -n c2 addr del 10.9.9.9/24 dev eth0");
        wait_until(&lab, lab.netns > netns);
        assert_string_equal(by_path(&lab, "c2"), "w0 / fd00::9");
        /* What counts for nothing. The last one is heard of, and ends the wait. */
        netns = lab.netns;
        lab_addr_add("c1", "lo", "10.7.7.7/32");
        lab_addr_add("c1", "eth0", "169.254.7.7/16");
        lab_addr_add("c1", "eth0", "fe80::7/64");
        lab_addr_add("c1", "eth0", "10.1.1.1/24");
        wait_until(&lab, lab.netns > netns);
        assert_int_equal(lab.netns, netns + 1);
        assert_string_equal(by_path(&lab, "c1"), "v0 / 10.1.1.1");
}

static void a_user_namespace_of_its_own_hides_nothing(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        pid_t pid = lab_process(CLONE_NEWUSER | CLONE_NEWNET);
        unsigned netns;

        start(&lab);
        lab_run("ip link add v0 type veth peer name eth0 netns %d", (int)pid);
        wait_until(&lab, link_by_name(lab.watch, "v0"));
        assert_string_equal(by_pid(&lab, pid), "v0 /");
        netns = lab.netns;
        lab_run("nsenter --preserve-credentials -U -n -t %d ip addr add 10.4.4.4/24 dev eth0", (int)pid);
        wait_until(&lab, lab.netns > netns);
        assert_string_equal(by_pid(&lab, pid), "v0 / 10.4.4.4");
        lab_reap(pid);
        wait_until(&lab, !link_by_name(lab.watch, "v0"));
}

static void a_process_leads_to_its_namespace_while_it_lives(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        pid_t pid = lab_process(CLONE_NEWNET), own = lab_process(0);

        start(&lab);
        assert_string_equal(by_pid(&lab, pid), code(LINK_E_NO_ID));
        assert_string_equal(by_pid(&lab, own), code(LINK_E_OWN));
        assert_string_equal(by_pid(&lab, getpid()), code(LINK_E_OWN));
        lab_run("ip link add v0 type veth peer name eth0 netns %d", (int)pid);
        wait_until(&lab, link_by_name(lab.watch, "v0"));
        assert_string_equal(by_pid(&lab, pid), "v0 /");
        lab_kill(pid);
        assert_string_equal(by_pid(&lab, pid), code(LINK_E_GONE));
        lab_reap(pid);
        assert_string_equal(by_pid(&lab, pid), code(LINK_E_GONE));
        assert_string_equal(by_pid(&lab, 0), code(LINK_E_GONE));
        assert_string_equal(by_pid(&lab, -1), code(LINK_E_GONE));
        lab_reap(own);
}

static void what_is_no_namespace_is_told(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;

        start(&lab);
        lab_netns_add("c1");
        lab_run("touch /run/netns/plain && mkfifo /run/netns/fifo");
        assert_string_equal(by_path(&lab, "c1"), code(LINK_E_NO_ID));
        assert_string_equal(by_path(&lab, "missing"), code(LINK_E_GONE));
        assert_string_equal(by_path(&lab, "/run/netns/c1/below"), code(LINK_E_GONE));
        assert_string_equal(by_path(&lab, "plain"), code(LINK_E_GONE));
        assert_string_equal(by_path(&lab, "fifo"), code(LINK_E_GONE));
        assert_string_equal(by_path(&lab, "a-name-that-is-much-longer-than-any-name-of-a-namespace-would-ever-be"),
                            code(LINK_E_GONE));
        assert_string_equal(by_path(&lab, "/proc/self/ns/net"), code(LINK_E_OWN));
        assert_string_equal(by_path(&lab, "/proc/self/ns/uts"), code(-EINVAL));
}

/* Names, masters and pairings; the first difference, or NULL. */
static const char *difference(const struct lab *a, const struct lab *b)
{
        static char text[128];
        const struct link *la, *lb;
        size_t a_len, b_len;

        la = link_table(a->watch, &a_len);
        lb = link_table(b->watch, &b_len);
        for (size_t i = 0; i < a_len && i < b_len; i++) {
                if (la[i].ifindex == lb[i].ifindex && strcmp(la[i].name, lb[i].name) == 0 &&
                    la[i].master == lb[i].master && la[i].netnsid == lb[i].netnsid && la[i].peer == lb[i].peer &&
                    la[i].up == lb[i].up && memcmp(la[i].mac, lb[i].mac, 6) == 0)
                        continue;
                (void)snprintf(text, sizeof(text), "%s netns %d peer %u, %s netns %d peer %u", la[i].name,
                               la[i].netnsid, la[i].peer, lb[i].name, lb[i].netnsid, lb[i].peer);
                return text;
        }
        return a_len == b_len ? NULL : "length";
}

static bool is_right(const struct lab *lab)
{
        _cleanup_(lab_fini) struct lab fresh;

        start(&fresh);
        return difference(lab, &fresh) == NULL;
}

/* Some 2 000 changes: 300 pairs made, enslaved, set up, given an address; then some are renamed, moved and deleted. */
static int storm(void)
{
        FILE *ip = popen("ip -batch -", "w");

        if (!ip)
                return 1;
        for (int i = 0; i < 300; i++) {
                (void)fprintf(ip, "link add s%d type veth peer name p%d\n", i, i);
                (void)fprintf(ip, "link set s%d master br0\n", i);
                (void)fprintf(ip, "link set s%d up\n", i);
                (void)fprintf(ip, "link set s%d address 02:00:00:00:%02x:%02x\n", i, i / 256, i % 256);
        }
        for (int i = 0; i < 300; i += 3) {
                (void)fprintf(ip, "link set p%d netns c1\n", i);
                (void)fprintf(ip, "link set s%d nomaster\n", i + 1);
                (void)fprintf(ip, "link set p%d name q%d\n", i + 1, i + 1);
                (void)fprintf(ip, "link del s%d\n", i + 2);
        }
        return pclose(ip) != 0;
}

static void shrink_buffer(struct lab *lab)
{
        int size = 4096;

        assert_int_equal(setsockopt(link_watch_fd(lab->watch), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
}

static void an_overflow_ends_with_a_right_table(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        struct link_stats stats;
        uint64_t generation;

        lab_netns_add("c1");
        lab_run("ip link add br0 type bridge");
        make_container("c1", "v0", "eth0", "br0");
        start(&lab);
        shrink_buffer(&lab);
        generation = link_named(&lab, "v0")->generation;
        assert_int_equal(storm(), 0);
        turn(&lab);
        assert_int_equal(lab.lost, 1);
        assert_true(is_right(&lab));
        assert_int_equal(link_named(&lab, "v0")->generation, generation);
        assert_int_equal(link_named(&lab, "s0")->netnsid, id_of(&lab, "c1"));
        link_watch_stats(lab.watch, &stats);
        assert_int_equal(stats.resyncs, 1);
        /* And goes on as before. */
        lab_run("ip link del s0");
        wait_until(&lab, !link_by_name(lab.watch, "s0"));
        assert_true(is_right(&lab));
}

/* The same while it reads: overflows, dumps disturbed by changes, and messages older than the dump. */
static void overflows_during_a_storm_end_with_a_right_table(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;
        int status = -1;
        pid_t pid;

        lab_netns_add("c1");
        lab_run("ip link add br0 type bridge");
        make_container("c1", "v0", "eth0", "br0");
        start(&lab);
        shrink_buffer(&lab);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                _exit(storm());
        }
        wait_until(&lab, waitpid(pid, &status, WNOHANG) == pid);
        assert_int_equal(status, 0);
        wait_until(&lab, is_right(&lab));
        assert_true(lab.lost > 0);
        assert_int_equal(link_named(&lab, "s297")->netnsid, id_of(&lab, "c1"));
        assert_int_equal(link_named(&lab, "s298")->netnsid, -1);
}

static void two_hundred_namespaces_are_told_apart(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;

        start(&lab);
        lab_run("ip link add br0 type bridge");
        for (int i = 0; i < 200; i++) {
                char netns[8], addr[32];

                (void)snprintf(netns, sizeof(netns), "c%d", i);
                (void)snprintf(addr, sizeof(addr), "10.0.%d.1/16", i);
                lab_netns_add(netns);
                lab_run("ip link add v%d type veth peer name eth0 netns c%d", i, i);
                lab_addr_add(netns, "eth0", addr);
        }
        wait_until(&lab, link_by_name(lab.watch, "v199"));
        for (int i = 0; i < 200; i++) {
                char netns[8], expected[64];

                (void)snprintf(netns, sizeof(netns), "c%d", i);
                (void)snprintf(expected, sizeof(expected), "v%d / 10.0.%d.1", i, i);
                assert_string_equal(by_path(&lab, netns), expected);
        }
        for (int i = 0; i < 200; i++) {
                char netns[8];

                (void)snprintf(netns, sizeof(netns), "c%d", i);
                lab_netns_del(netns);
        }
        wait_until(&lab, link_table(lab.watch, &(size_t){0}) && lab.removed == 200);
        assert_true(is_right(&lab));
        assert_int_equal(lab.lost, 0);
}

static void nothing_is_left_open_and_nothing_held(void **state _unused_)
{
        size_t before = lab_open_fds();
        struct lab lab;

        start(&lab);
        lab_netns_add("c1");
        make_container("c1", "v0", "eth0", NULL);
        wait_until(&lab, link_by_name(lab.watch, "v0"));
        for (int i = 0; i < 100; i++) {
                assert_string_equal(by_path(&lab, "c1"), "v0 /");
                assert_string_equal(by_path(&lab, "missing"), code(LINK_E_GONE));
                assert_string_equal(by_pid(&lab, getpid()), code(LINK_E_OWN));
                assert_int_equal(bridge_nf_state("missing"), -ENODEV);
        }
        assert_int_equal(lab_open_fds(), before + 2);
        lab_netns_del("c1");
        wait_until(&lab, !link_by_name(lab.watch, "v0"));
        lab_fini(&lab);
        assert_int_equal(lab_open_fds(), before);
}

static unsigned counted(const char *counter)
{
        char command[128], line[256];
        unsigned packets = 0;
        FILE *nft;

        (void)snprintf(command, sizeof(command), "nft list counter inet lab %s", counter);
        nft = popen(command, "r");
        assert_non_null(nft);
        while (fgets(line, sizeof(line), nft))
                (void)sscanf(line, " packets %u", &packets);
        assert_int_equal(pclose(nft), 0);
        return packets;
}

/* One datagram from c1 to c2, which must arrive. Sent again until it does: the first may wait for a neighbour. */
static void send_between(int family, const char *to)
{
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(7777)};
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(7777)};
        const struct sockaddr *sa = family == AF_INET ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
        socklen_t size = family == AF_INET ? sizeof(v4) : sizeof(v6);
        int from = lab_socket("c1", family, SOCK_DGRAM), at = lab_socket("c2", family, SOCK_DGRAM);
        int64_t until = now_ms() + DEADLINE_MS;
        struct pollfd arrived = {.fd = at, .events = POLLIN};

        assert_int_equal(inet_pton(family, to, family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr), 1);
        assert_int_equal(bind(at, sa, size), 0);
        do {
                assert_true(now_ms() < until);
                (void)sendto(from, "x", 1, 0, sa, size);
        } while (poll(&arrived, 1, 100) == 0);
        close(from);
        close(at);
}

static void a_bridges_packets_are_made_to_pass_the_inet_hooks(void **state _unused_)
{
        _cleanup_(lab_fini) struct lab lab;

        lab_run("ip link add br0 type bridge && ip link add br1 type bridge && ip link set br0 up");
        if (bridge_nf_state("br0") == BRIDGE_NF_UNAVAILABLE) {
                print_message("no br_netfilter in this kernel\n");
                skip();
        }
        lab_run("echo 0 > /proc/sys/net/bridge/bridge-nf-call-iptables");
        lab_run("echo 0 > /proc/sys/net/bridge/bridge-nf-call-ip6tables");
        lab_netns_add("c1");
        lab_netns_add("c2");
        make_container("c1", "a1", "eth0", "br0");
        make_container("c2", "a2", "eth0", "br0");
        lab_addr_add("c1", "eth0", "10.0.0.1/24");
        lab_addr_add("c2", "eth0", "10.0.0.2/24");
        lab_addr_add("c1", "eth0", "fd00::1/64");
        lab_addr_add("c2", "eth0", "fd00::2/64");
        lab_run("nft 'table inet lab { counter v4 { } ; counter v6 { } ; chain forward { type filter hook forward "
                "priority 0 ; meta nfproto ipv4 counter name v4 ; meta nfproto ipv6 counter name v6 ; } ; }'");
        start(&lab);
        assert_int_equal(bridge_nf_state("br0"), BRIDGE_NF_OFF);
        send_between(AF_INET, "10.0.0.2");
        send_between(AF_INET6, "fd00::2");
        assert_int_equal(counted("v4") + counted("v6"), 0);

        assert_int_equal(bridge_nf_enable(lab.watch, "br0"), 0);
        assert_int_equal(bridge_nf_state("br0"), BRIDGE_NF_ON);
        assert_int_equal(bridge_nf_state("br1"), BRIDGE_NF_OFF);
        send_between(AF_INET, "10.0.0.2");
        send_between(AF_INET6, "fd00::2");
        assert_true(counted("v4") > 0);
        assert_true(counted("v6") > 0);
        lab_run("grep -q 0 /proc/sys/net/bridge/bridge-nf-call-iptables");

        /* The sysctl alone is enough, but only for both families. */
        lab_run("echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables");
        assert_int_equal(bridge_nf_state("br1"), BRIDGE_NF_OFF);
        lab_run("echo 1 > /proc/sys/net/bridge/bridge-nf-call-ip6tables");
        assert_int_equal(bridge_nf_state("br1"), BRIDGE_NF_ON);

        assert_int_equal(bridge_nf_state("a1"), -EINVAL);
        assert_int_equal(bridge_nf_enable(lab.watch, "a1"), -EINVAL);
        assert_int_equal(bridge_nf_enable(lab.watch, "missing"), -ENODEV);
        assert_int_equal(bridge_nf_enable(lab.watch, "a-name-that-is-too-long-for-a-link"), -ENODEV);
}

static int fresh_host(void **state _unused_)
{
        lab_reset();
        return 0;
}

#define kernel_test(f) cmocka_unit_test_setup(f, fresh_host)

int main(void)
{
        const struct CMUnitTest tests[] = {
                kernel_test(each_namespace_has_its_own_links),
                kernel_test(names_and_ids_come_back_with_a_new_generation),
                kernel_test(a_table_that_is_behind_gives_no_wrong_link),
                kernel_test(plugging_and_moving_is_followed),
                kernel_test(a_port_that_changes_its_bridge_is_followed),
                kernel_test(an_address_inside_a_namespace_is_heard_of),
                kernel_test(a_user_namespace_of_its_own_hides_nothing),
                kernel_test(a_process_leads_to_its_namespace_while_it_lives),
                kernel_test(what_is_no_namespace_is_told),
                kernel_test(an_overflow_ends_with_a_right_table),
                kernel_test(overflows_during_a_storm_end_with_a_right_table),
                kernel_test(two_hundred_namespaces_are_told_apart),
                kernel_test(nothing_is_left_open_and_nothing_held),
                kernel_test(a_bridges_packets_are_made_to_pass_the_inet_hooks),
        };

        lab_enter();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
