/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host for packet tests, made with iproute2 in network namespaces without names. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if_ether.h>

#include <vethwall/strbuf.h>

#include "packet-lab.h"
#include "sandbox.h"

#define GATEWAY4 "169.254.1.1"
#define GATEWAY6 "fe80::1"

static const char *const bridges[] = {"br-0", "br-1"};

static void die(const char *what)
{
        perror(what);
        exit(1);
}

void lab_enter(void)
{
        cpu_set_t cpus;
        int cpu = sched_getcpu();

        sandbox_enter();
        CPU_ZERO(&cpus);
        CPU_SET((size_t)(cpu < 0 ? 0 : cpu), &cpus);
        if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
                die("sched_setaffinity");
}

void lab_run(const char *input, const char *const *argv)
{
        int in = memfd_create("input", MFD_CLOEXEC), status;
        size_t len = strlen(input);
        pid_t pid;

        if (in < 0 || write(in, input, len) != (ssize_t)len || lseek(in, 0, SEEK_SET) < 0)
                die("memfd");
        pid = fork();
        if (pid < 0)
                die("fork");
        if (pid == 0) {
                dup2(in, STDIN_FILENO);
                execvp(argv[0], (char *const *)(void *)argv);
                _exit(127);
        }
        close(in);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        die("waitpid");
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
                fprintf(stderr, "%s failed on:\n%s", argv[0], input);
                exit(1);
        }
}

static void run_ip(struct strbuf *batch)
{
        static const char *const argv[] = {"ip", "-batch", "-", NULL};

        if (strbuf_check(batch) < 0)
                die("strbuf");
        lab_run(batch->text, argv);
        strbuf_clear(batch);
}

static void set_sysctl(const char *name, const char *value)
{
        char path[128];
        int fd;

        snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, value, strlen(value)) < 0)
                die(path);
        close(fd);
}

static void enter(int netns)
{
        if (setns(netns, CLONE_NEWNET) < 0)
                die("setns");
}

static int new_netns(void)
{
        int fd;

        if (unshare(CLONE_NEWNET) < 0)
                die("unshare");
        fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                die("/proc/self/ns/net");
        return fd;
}

static void add_mac(struct strbuf *buf, size_t node)
{
        strbuf_printf(buf, "02:00:00:00:%02zx:%02zx", node >> 8, node & 0xff);
}

/* A packet for the address goes out of the device to that node, without asking who has it. */
static void add_neighbour(struct strbuf *buf, const struct addr *addr, const char *device, size_t node)
{
        char text[ADDR_TEXT_MAX];

        addr_format(addr, text);
        strbuf_printf(buf, "route add %s dev %s\nneigh add %s dev %s nud permanent lladdr ", text, device, text,
                      device);
        add_mac(buf, node);
        strbuf_putc(buf, '\n');
}

/* The default routes, to what is known by the gateway's addresses. */
static void add_gateway(struct strbuf *buf, const char *device, size_t node)
{
        strbuf_printf(buf, "neigh add " GATEWAY4 " dev %s nud permanent lladdr ", device);
        add_mac(buf, node);
        strbuf_printf(buf, "\nneigh add " GATEWAY6 " dev %s nud permanent lladdr ", device);
        add_mac(buf, node);
        strbuf_printf(buf, "\nroute add default via " GATEWAY4 " dev %s onlink\n", device);
        strbuf_printf(buf, "route add ::/0 via " GATEWAY6 " dev %s\n", device);
}

static void receive_frames(struct lab_node *node)
{
        struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
        int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        addr.sll_ifindex = (int)if_nametoindex("eth0");
        if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
                die("packet socket");
        node->receive[node->receive_len++] = fd;
}

/* The host sees frames that it will yet refuse; so here it is what comes out above its firewall. */
static void receive_protocols(struct lab_node *node)
{
        static const struct {
                int family, protocol;
        } kinds[] = {
                {AF_INET, IPPROTO_TCP},  {AF_INET, IPPROTO_UDP},     {AF_INET, IPPROTO_SCTP}, {AF_INET, IPPROTO_ICMP},
                {AF_INET, IPPROTO_GRE},  {AF_INET6, IPPROTO_TCP},    {AF_INET6, IPPROTO_UDP}, {AF_INET6, IPPROTO_SCTP},
                {AF_INET6, IPPROTO_GRE}, {AF_INET6, IPPROTO_ICMPV6},
        };

        for (size_t i = 0; i < ARRAY_SIZE(kinds); ++i) {
                int fd = socket(kinds[i].family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, kinds[i].protocol);

                if (fd < 0)
                        die("raw socket");
                node->receive[node->receive_len++] = fd;
        }
}

/* Sockets for whole packets. What the v6 one receives is nobody's business: IPPROTO_RAW receives nothing. */
static void open_senders(struct lab_node *node)
{
        node->send[ADDR_V4] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
        node->send[ADDR_V6] = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
        if (node->send[ADDR_V4] < 0 || node->send[ADDR_V6] < 0)
                die("raw socket");
}

static const struct endpoint *endpoint_of(const struct packet_lab *lab, size_t node)
{
        return node < LAB_FIRST ? NULL : &lab->inventory->endpoints[node - LAB_FIRST];
}

static bool is_there(const struct packet_lab *lab, size_t node)
{
        return lab->nodes[node].netns >= 0;
}

/* Calls add_neighbour() for every address of the node. */
static void add_neighbours(const struct packet_lab *lab, struct strbuf *buf, const char *device, size_t node)
{
        const struct endpoint *endpoint = endpoint_of(lab, node);

        for (size_t i = 0; endpoint && i < endpoint->addrs_len; ++i)
                add_neighbour(buf, &endpoint->addrs[i], device, node);
        for (size_t i = 0; !endpoint && i < ADDR_FAMILY_MAX; ++i)
                add_neighbour(buf, &lab->nodes[node].addrs[i], device, node);
}

static void make_host(struct packet_lab *lab)
{
        struct lab_node *host = &lab->nodes[LAB_HOST];
        _cleanup_(strbuf_fini) struct strbuf batch = STRBUF_INIT;

        host->netns = new_netns();
        set_sysctl("ipv4/ip_forward", "1");
        set_sysctl("ipv6/conf/all/forwarding", "1");
        set_sysctl("ipv4/conf/all/rp_filter", "0");
        set_sysctl("ipv4/conf/default/rp_filter", "0");
        /* The bridges are given to the firewall one by one, as the agent does it. */
        set_sysctl("bridge/bridge-nf-call-iptables", "0");
        set_sysctl("bridge/bridge-nf-call-ip6tables", "0");
        /* What was begun before the rules must still be known after them, however slow the machine is. Where connection
         * tracking is a module that nobody has asked for yet, its own half a minute has to do. */
        if (access("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", W_OK) == 0) {
                set_sysctl("netfilter/nf_conntrack_udp_timeout", "600");
                set_sysctl("netfilter/nf_conntrack_udp_timeout_stream", "600");
        }
        for (size_t i = 0; i < ARRAY_SIZE(bridges); ++i) {
                strbuf_printf(&batch, "link add %s address ", bridges[i]);
                add_mac(&batch, LAB_HOST);
                strbuf_printf(&batch, " type bridge nf_call_iptables 1 nf_call_ip6tables 1 mcast_snooping 0\n");
                strbuf_printf(&batch, "link set %s up\n", bridges[i]);
        }
        strbuf_puts(&batch, "link set lo up\naddr add 10.99.0.1/32 dev lo\naddr add fd99::1/128 dev lo\n");
        run_ip(&batch);
        open_senders(host);
        receive_protocols(host);
}

/* The namespace of a node, and the cable from the host to it. */
static void make_node(struct packet_lab *lab, size_t i)
{
        struct lab_node *node = &lab->nodes[i];
        bool routed = i == LAB_OUTSIDE;
        _cleanup_(strbuf_fini) struct strbuf batch = STRBUF_INIT;

        node->netns = new_netns();
        enter(lab->nodes[LAB_HOST].netns);
        node->ifname = routed ? "up0" : bridges[i % ARRAY_SIZE(bridges)];
        strbuf_printf(&batch, routed ? "link add up0 address " : "link add v%zu address ", i);
        add_mac(&batch, routed ? LAB_HOST : 0xff00 + i);
        strbuf_puts(&batch, " type veth peer name eth0 address ");
        add_mac(&batch, i);
        strbuf_printf(&batch, " netns /proc/%d/fd/%d\n", getpid(), node->netns);
        if (routed) {
                strbuf_puts(&batch, "link set up0 up\n");
                add_gateway(&batch, "up0", i);
        } else {
                strbuf_printf(&batch, "link set v%zu master %s up\n", i, node->ifname);
                add_neighbours(lab, &batch, node->ifname, i);
        }
        run_ip(&batch);
}

/* The node's own view: who is on its bridge, and that all others are behind the host. */
static void furnish_node(struct packet_lab *lab, size_t i)
{
        struct lab_node *node = &lab->nodes[i];
        _cleanup_(strbuf_fini) struct strbuf batch = STRBUF_INIT;

        enter(node->netns);
        strbuf_puts(&batch, "link set lo up\nlink set eth0 up\n");
        add_gateway(&batch, "eth0", LAB_HOST);
        for (size_t j = LAB_STRANGER; j < lab->len; ++j)
                if (j != i && is_there(lab, j) && lab->nodes[j].ifname == node->ifname)
                        add_neighbours(lab, &batch, "eth0", j);
        run_ip(&batch);
        open_senders(node);
        receive_frames(node);
}

static void set_addr(struct lab_node *node, const char *text)
{
        struct addr addr;

        if (!addr_parse(text, &addr))
                abort();
        node->addrs[addr.family] = addr;
        node->has_addr[addr.family] = true;
}

void lab_start(struct packet_lab *ret, const struct inventory *inventory)
{
        struct packet_lab lab = {.len = LAB_FIRST + inventory->endpoints_len, .inventory = inventory};

        lab.nodes = calloc(lab.len, sizeof(*lab.nodes));
        if (!lab.nodes)
                die("calloc");
        for (size_t i = 0; i < lab.len; ++i) {
                const struct endpoint *endpoint = endpoint_of(&lab, i);

                lab.nodes[i].netns = -1;
                lab.nodes[i].ifname = "";
                for (size_t j = 0; endpoint && !endpoint->host_network && j < endpoint->addrs_len; ++j) {
                        lab.nodes[i].addrs[endpoint->addrs[j].family] = endpoint->addrs[j];
                        lab.nodes[i].has_addr[endpoint->addrs[j].family] = true;
                }
        }
        set_addr(&lab.nodes[LAB_HOST], "10.99.0.1");
        set_addr(&lab.nodes[LAB_HOST], "fd99::1");
        set_addr(&lab.nodes[LAB_OUTSIDE], "198.51.100.9");
        set_addr(&lab.nodes[LAB_OUTSIDE], "2001:db8::9");
        set_addr(&lab.nodes[LAB_STRANGER], "10.0.200.9");
        set_addr(&lab.nodes[LAB_STRANGER], "fd00:0:0:200::9");

        make_host(&lab);
        for (size_t i = LAB_OUTSIDE; i < lab.len; ++i)
                if (i < LAB_FIRST || !endpoint_of(&lab, i)->host_network)
                        make_node(&lab, i);
        for (size_t i = LAB_OUTSIDE; i < lab.len; ++i)
                if (is_there(&lab, i))
                        furnish_node(&lab, i);
        enter(lab.nodes[LAB_HOST].netns);
        *ret = lab;
}

void lab_stop(struct packet_lab *lab)
{
        for (size_t i = 0; i < lab->len; ++i) {
                struct lab_node *node = &lab->nodes[i];

                if (node->netns < 0)
                        continue;
                close(node->netns);
                close(node->send[ADDR_V4]);
                close(node->send[ADDR_V6]);
                for (size_t j = 0; j < node->receive_len; ++j)
                        close(node->receive[j]);
        }
        free(lab->nodes);
        lab->nodes = NULL;
}

size_t lab_node_of(const struct packet_lab *lab, const struct addr *addr)
{
        for (size_t i = 0; i < lab->len; ++i) {
                const struct endpoint *endpoint = endpoint_of(lab, i);

                if (!is_there(lab, i))
                        continue;
                for (size_t j = 0; endpoint && j < endpoint->addrs_len; ++j)
                        if (addr_equal(&endpoint->addrs[j], addr))
                                return i;
                for (size_t j = 0; !endpoint && j < ADDR_FAMILY_MAX; ++j)
                        if (addr_equal(&lab->nodes[i].addrs[j], addr))
                                return i;
        }
        return LAB_OUTSIDE;
}

bool lab_send(const struct packet_lab *lab, size_t node, const struct wire_packet *packet)
{
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
        bool is_v4 = packet->daddr.family == ADDR_V4;
        uint8_t bytes[WIRE_SIZE_MAX];
        size_t size = wire_make(bytes, packet);

        memcpy(&v4.sin_addr, packet->daddr.bytes, sizeof(v4.sin_addr));
        memcpy(&v6.sin6_addr, packet->daddr.bytes, sizeof(v6.sin6_addr));
        if (sendto(lab->nodes[node].send[packet->daddr.family], bytes, size, 0,
                   is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6, is_v4 ? sizeof(v4) : sizeof(v6)) >= 0)
                return true;
        if (errno != EPERM)
                die("sendto");
        return false;
}

bool lab_receive(const struct packet_lab *lab, size_t *ret_node, uint32_t *ret_id)
{
        for (size_t i = 0; i < lab->len; ++i)
                for (size_t j = 0; j < lab->nodes[i].receive_len; ++j) {
                        union {
                                struct sockaddr_ll link;
                                struct sockaddr_storage any;
                        } from = {.link = {.sll_pkttype = PACKET_HOST}};
                        socklen_t from_len = sizeof(from);
                        uint8_t bytes[2048];
                        ssize_t size;

                        while ((size = recvfrom(lab->nodes[i].receive[j], bytes, sizeof(bytes), 0,
                                                (struct sockaddr *)&from, &from_len)) >= 0) {
                                from_len = sizeof(from);
                                /* Not what it sent itself, nor what was flooded and is for another. */
                                if (from.any.ss_family == AF_PACKET && from.link.sll_pkttype != PACKET_HOST)
                                        continue;
                                if (!wire_id(bytes, (size_t)size, ret_id))
                                        continue;
                                *ret_node = i;
                                return true;
                        }
                        if (errno != EAGAIN)
                                die("recvfrom");
                }
        return false;
}
