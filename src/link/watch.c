/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Following the kernel's links.
 *
 * One socket in the agent's own namespace hears of every namespace that has an id there (NETLINK_LISTEN_ALL_NSID);
 * the id comes beside the message, in a control message, for which libnl has no room: hence recvmsg(). Questions go
 * through a second socket, so that an answer never waits behind a thousand notifications.
 *
 * A full socket loses messages and says so with ENOBUFS, once; it then loses more until the reader has emptied it
 * (https://docs.kernel.org/userspace-api/netlink/intro.html, "Buffer sizing"). So the rest is thrown away first, and
 * the dump taken after that. A message that comes between is older than the dump and still read: the table takes that
 * well (table.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <link/watch.h>

/* A thousand containers that start at once send some ten thousand messages. */
#define NOTIFICATION_BUFFER (8 * 1024 * 1024)
#define NOTIFICATION_SIZE 32768

/* Datagrams read in one dispatch; the rest keeps the descriptor readable, and other work gets its turn. */
#define DISPATCH_MAX 256

/* More than the buffer can hold, so that a drain that stops here has emptied it at least once. */
#define DRAIN_MAX 65536

/* What receive() returns beside 0 and a negative errno. */
enum {
        RECEIVE_EMPTY = 1,
        RECEIVE_LOST = 2,
};

static int open_notifications(int *ret)
{
        static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NSID};
        struct sockaddr_nl local = {.nl_family = AF_NETLINK};
        int fd, r, one = 1, size = NOTIFICATION_BUFFER;

        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (fd < 0)
                return -errno;
        /* The second is bounded by net.core.rmem_max, but needs no privilege. An overflow is dealt with in any case. */
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        if (bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0 ||
            setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &one, sizeof(one)) < 0)
                goto fail;
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
                        goto fail;
        *ret = fd;
        return 0;
fail:
        r = -errno;
        close(fd);
        return r;
}

/* Without the counters, which are the bulk of a message and of the work. */
static struct nl_msg *link_request(int flags, uint32_t ifindex)
{
        struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
        _cleanup_(nlmsg_freep) struct nl_msg *request = NULL;

        request = query_request(RTM_GETLINK, flags, &info, sizeof(info));
        if (!request || nla_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) < 0)
                return NULL;
        return steal(request);
}

static int answer_link(void *user, const struct nlmsghdr *header)
{
        return link_decode(header, user);
}

int link_query(struct query *query, uint32_t ifindex, struct link_message *ret)
{
        _cleanup_(nlmsg_freep) struct nl_msg *request = link_request(0, ifindex);
        struct link_message message = {};
        int r;

        if (!request)
                return -ENOMEM;
        r = query_run(query, request, answer_link, &message);
        if (r < 0)
                return r;
        if (message.kind != LINK_MESSAGE_LINK)
                return -EBADMSG;
        *ret = message;
        return 0;
}

static int gather(void *user, const struct nlmsghdr *header)
{
        struct link_message message;
        int r;

        r = link_decode(header, &message);
        if (r < 0)
                return r;
        return link_table_gather(user, &message);
}

/* The tries of a disturbed dump add up. What one of them missed another has, and what has gone since was announced. */
static int dump_links(struct link_watch *watch)
{
        _cleanup_(link_table_fini) struct link_table dump = {};
        int r = QUERY_INTERRUPTED;

        for (int i = 0; i < LINK_DUMP_TRIES && r == QUERY_INTERRUPTED; i++) {
                _cleanup_(nlmsg_freep) struct nl_msg *request = link_request(NLM_F_DUMP, 0);

                if (!request)
                        return -ENOMEM;
                r = query_run(&watch->query, request, gather, &dump);
                if (r < 0)
                        return r;
        }
        link_table_replace(&watch->table, &dump);
        return 0;
}

/* The id of the namespace that the message comes from; -1: our own. */
static int32_t origin_of(struct msghdr *message)
{
        int32_t nsid = -1;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c))
                if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID &&
                    c->cmsg_len >= CMSG_LEN(sizeof(nsid)))
                        memcpy(&nsid, CMSG_DATA(c), sizeof(nsid));
        return nsid;
}

static int notify(struct link_watch *watch, const struct nlmsghdr *header, int32_t origin)
{
        struct link_message message, answer;
        struct link_asks asks;
        int r;

        /* A message that the kernel garbled, or that a later kernel writes in another way, is no reason to stop. */
        if (link_decode(header, &message) < 0)
                return 0;
        watch->stats.events++;
        r = link_table_notify(&watch->table, &message, origin, watch->cb, watch->user, &asks);
        if (r < 0)
                return r;
        for (size_t i = 0; i < asks.len; i++) {
                r = link_query(&watch->query, asks.ifindex[i], &answer);
                if (r == -ENODEV)
                        continue;
                if (r < 0)
                        return r;
                link_table_answer(&watch->table, &answer, watch->cb, watch->user);
        }
        return 0;
}

/* One datagram. 0, RECEIVE_EMPTY, RECEIVE_LOST, or a negative errno. */
static int receive(struct link_watch *watch, bool discard)
{
        _Alignas(struct nlmsghdr) char buf[NOTIFICATION_SIZE];
        _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int32_t)) + 64];
        struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
        struct sockaddr_nl sender = {};
        struct msghdr message = {
                .msg_name = &sender,
                .msg_namelen = sizeof(sender),
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control),
        };
        struct nlmsghdr *header = (struct nlmsghdr *)buf;
        ssize_t size;
        int rest, r;

        size = recvmsg(watch->fd, &message, 0);
        if (size < 0)
                return errno == EAGAIN ? RECEIVE_EMPTY : errno == EINTR ? 0 : errno == ENOBUFS ? RECEIVE_LOST : -errno;
        if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                return RECEIVE_LOST;
        if (discard || sender.nl_pid != 0)
                return 0;
        for (rest = (int)size; nlmsg_ok(header, rest); header = nlmsg_next(header, &rest)) {
                r = notify(watch, header, origin_of(&message));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int resync(struct link_watch *watch)
{
        int r = 0;

        for (size_t i = 0; i < DRAIN_MAX && r != RECEIVE_EMPTY; i++) {
                r = receive(watch, true);
                if (r < 0)
                        return r;
        }
        r = dump_links(watch);
        if (r < 0)
                return r;
        watch->stats.resyncs++;
        watch->cb(watch->user, NULL);
        return 0;
}

struct link_watch *link_watch_free(struct link_watch *watch)
{
        if (!watch)
                return NULL;
        if (watch->fd >= 0)
                close(watch->fd);
        query_close(&watch->query);
        link_table_fini(&watch->table);
        free(watch);
        return NULL;
}

DEFINE_CLEANUP(struct link_watch *, link_watch_free)

int link_watch_new(struct link_watch **ret, link_cb cb, void *user)
{
        _cleanup_(link_watch_freep) struct link_watch *watch = NULL;
        struct stat own;
        int r;

        watch = calloc(1, sizeof(*watch));
        if (!watch)
                return -ENOMEM;
        watch->fd = -1;
        watch->query = QUERY_NULL;
        watch->cb = cb;
        watch->user = user;

        if (stat("/proc/thread-self/ns/net", &own) < 0)
                return -errno;
        watch->own_dev = own.st_dev;
        watch->own_ino = own.st_ino;
        r = open_notifications(&watch->fd);
        if (r < 0)
                return r;
        r = query_open(&watch->query);
        if (r < 0)
                return r;
        r = dump_links(watch);
        if (r < 0)
                return r;

        *ret = steal(watch);
        return 0;
}

int link_watch_fd(const struct link_watch *watch)
{
        return watch->fd;
}

int link_watch_dispatch(struct link_watch *watch)
{
        int r;

        for (size_t i = 0; i < DISPATCH_MAX; i++) {
                r = receive(watch, false);
                if (r == RECEIVE_EMPTY)
                        return 0;
                if (r == RECEIVE_LOST)
                        r = resync(watch);
                if (r < 0)
                        return r;
        }
        return 0;
}

void link_watch_stats(const struct link_watch *watch, struct link_stats *ret)
{
        *ret = watch->stats;
}

const struct link *link_table(const struct link_watch *watch, size_t *ret_len)
{
        *ret_len = watch->table.len;
        return watch->table.links;
}

const struct link *link_by_index(const struct link_watch *watch, uint32_t ifindex)
{
        return link_table_find(&watch->table, ifindex);
}

const struct link *link_by_name(const struct link_watch *watch, const char *name)
{
        return link_table_find_name(&watch->table, name);
}
