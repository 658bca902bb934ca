/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether packets between two ports of a bridge pass the inet hooks (br_netfilter), and making them.
 *
 * Two switches lead there: the sysctls net.bridge.bridge-nf-call-iptables and -ip6tables, for all bridges of the network
 * namespace at once (which changes what virtual machines on other bridges see), and the same pair as flags of one
 * bridge. The flags exist wherever the kernel was built with br_netfilter, but do nothing before the module is loaded
 * (`modprobe br_netfilter`); the sysctls appear with the module, so they tell whether it is. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <link/watch.h>

#define SYSCTL_IPTABLES "/proc/sys/net/bridge/bridge-nf-call-iptables"
#define SYSCTL_IP6TABLES "/proc/sys/net/bridge/bridge-nf-call-ip6tables"

/* 0 or 1; -ENOENT where br_netfilter is not there, or another negative errno. */
static int read_switch(const char *path)
{
        char value = '0';
        ssize_t n;
        int fd, r;

        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, &value, 1);
        r = n < 0 ? -errno : n == 1 && value != '0';
        close(fd);
        return r;
}

static int answer_bridge(void *user, const struct nlmsghdr *header)
{
        return bridge_decode(header, user);
}

/* -ENODEV: no such link; -EINVAL: it is no bridge. */
static int query_bridge(struct query *query, const char *name, struct bridge_message *ret)
{
        struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
        _cleanup_(nlmsg_freep) struct nl_msg *request = NULL;
        int r;

        if (strlen(name) >= IFNAMSIZ)
                return -ENODEV;
        request = query_request(RTM_GETLINK, 0, &info, sizeof(info));
        if (!request || nla_put_string(request, IFLA_IFNAME, name) < 0 ||
            nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0)
                return -ENOMEM;
        r = query_run(query, request, answer_bridge, ret);
        if (r < 0)
                return r;
        return ret->is_bridge ? 0 : -EINVAL;
}

static int bridge_nf_state_on(struct query *query, const char *bridge)
{
        struct bridge_message message = {};
        int r, v4, v6;

        r = query_bridge(query, bridge, &message);
        if (r < 0)
                return r;
        v4 = read_switch(SYSCTL_IPTABLES);
        v6 = read_switch(SYSCTL_IP6TABLES);
        if (v4 == -ENOENT || v6 == -ENOENT)
                return BRIDGE_NF_UNAVAILABLE;
        if (v4 < 0 || v6 < 0)
                return v4 < 0 ? v4 : v6;
        return (v4 || message.call_iptables) && (v6 || message.call_ip6tables) ? BRIDGE_NF_ON : BRIDGE_NF_OFF;
}

int bridge_nf_state(const char *bridge)
{
        _cleanup_(query_close) struct query query = QUERY_NULL;
        int r;

        r = query_open(&query);
        if (r < 0)
                return r;
        return bridge_nf_state_on(&query, bridge);
}

int bridge_nf_enable(struct link_watch *watch, const char *bridge)
{
        _cleanup_(nlmsg_freep) struct nl_msg *request = NULL;
        struct bridge_message message = {};
        struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
        struct nlattr *link_info, *data;
        int r;

        r = bridge_nf_state_on(&watch->query, bridge);
        if (r < 0)
                return r;
        if (r == BRIDGE_NF_UNAVAILABLE)
                return -EOPNOTSUPP;
        r = query_bridge(&watch->query, bridge, &message);
        if (r < 0)
                return r;
        info.ifi_index = (int)message.ifindex;
        request = query_request(RTM_NEWLINK, NLM_F_ACK, &info, sizeof(info));
        if (!request)
                return -ENOMEM;
        link_info = nla_nest_start(request, IFLA_LINKINFO);
        if (!link_info || nla_put_string(request, IFLA_INFO_KIND, "bridge") < 0)
                return -ENOMEM;
        data = nla_nest_start(request, IFLA_INFO_DATA);
        if (!data || nla_put_u8(request, IFLA_BR_NF_CALL_IPTABLES, 1) < 0 ||
            nla_put_u8(request, IFLA_BR_NF_CALL_IP6TABLES, 1) < 0)
                return -ENOMEM;
        nla_nest_end(request, data);
        nla_nest_end(request, link_info);
        return query_run(&watch->query, request, NULL, NULL);
}
