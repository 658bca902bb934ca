/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a network namespace to the links that lead into it. The namespace is named to the kernel by a descriptor, and
 * from then on by its id; nothing enters it. The descriptor is held for as long as the questions take, some ten
 * microseconds, so that the id cannot be given to another namespace meanwhile, and no longer: it keeps the namespace,
 * and so a dead container's links, in being. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/magic.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include <link/watch.h>

static void close_fd(int *fd)
{
        if (*fd >= 0)
                close(*fd);
}

void link_netns_fini(struct link_netns *netns)
{
        free(netns->links);
        free(netns->addrs);
        *netns = (struct link_netns){.netnsid = -1};
}

static int answer_id(void *user, const struct nlmsghdr *header)
{
        return link_decode(header, user);
}

/* By NETNSA_FD or NETNSA_PID. 0, LINK_E_NO_ID or a negative errno. */
static int query_id(struct link_watch *watch, int attribute, uint32_t value, int32_t *ret)
{
        struct rtgenmsg general = {.rtgen_family = AF_UNSPEC};
        _cleanup_(nlmsg_freep) struct nl_msg *request = NULL;
        struct link_message message = {.nsid = -1};
        int r;

        request = query_request(RTM_GETNSID, 0, &general, sizeof(general));
        if (!request || nla_put_u32(request, attribute, value) < 0)
                return -ENOMEM;
        r = query_run(&watch->query, request, answer_id, &message);
        if (r < 0)
                return r;
        if (message.nsid < 0)
                return LINK_E_NO_ID;
        *ret = message.nsid;
        return 0;
}

/* The table may be behind, and a link in it that led to a dead namespace must not be taken for one that leads to the
 * new owner of the id. So the kernel is asked about each. A link that the table does not have yet is announced. */
static int find_links(struct link_watch *watch, struct link_netns *netns)
{
        size_t candidates = 0;
        int r;

        for (size_t i = 0; i < watch->table.len; i++)
                candidates += watch->table.links[i].netnsid == netns->netnsid;
        if (candidates == 0)
                return 0;
        netns->links = reallocarray(NULL, candidates, sizeof(const struct link *));
        if (!netns->links)
                return -ENOMEM;
        for (size_t i = 0; i < watch->table.len; i++) {
                const struct link *link = &watch->table.links[i];
                struct link_message now;

                if (link->netnsid != netns->netnsid)
                        continue;
                r = link_query(&watch->query, link->ifindex, &now);
                if (r < 0 && r != -ENODEV)
                        return r;
                if (r == 0 && now.link.netnsid == link->netnsid && strcmp(now.link.name, link->name) == 0)
                        netns->links[netns->links_len++] = link;
        }
        return 0;
}

struct addrs {
        struct addr *addrs;
        size_t len;
        size_t alloc;
        int32_t netnsid;
};

static void addrs_fini(struct addrs *addrs)
{
        free(addrs->addrs);
}

static int answer_addr(void *user, const struct nlmsghdr *header)
{
        struct addrs *addrs = user;
        struct link_message message;
        int r;

        r = link_decode(header, &message);
        if (r < 0)
                return r;
        if (message.kind != LINK_MESSAGE_ADDR || !message.addr_is_usable)
                return 0;
        if (addrs->len == addrs->alloc) {
                size_t alloc = addrs->alloc ? addrs->alloc * 2 : 8;
                struct addr *new = reallocarray(addrs->addrs, alloc, sizeof(*new));

                if (!new)
                        return -ENOMEM;
                addrs->addrs = new;
                addrs->alloc = alloc;
        }
        addrs->addrs[addrs->len++] = message.addr;
        return 0;
}

/* By family: a dump of all families asks every protocol that has addresses, and some refuse a target namespace. */
static int dump_addrs(struct link_watch *watch, uint8_t family, struct addrs *addrs)
{
        struct ifaddrmsg info = {.ifa_family = family};
        size_t len = addrs->len;
        int r = QUERY_INTERRUPTED;

        for (int i = 0; i < LINK_DUMP_TRIES && r == QUERY_INTERRUPTED; i++) {
                _cleanup_(nlmsg_freep) struct nl_msg *request = NULL;

                addrs->len = len;
                request = query_request(RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
                if (!request || nla_put_u32(request, IFA_TARGET_NETNSID, (uint32_t)addrs->netnsid) < 0)
                        return -ENOMEM;
                r = query_run(&watch->query, request, answer_addr, addrs);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int compare_addrs(const void *a, const void *b)
{
        return addr_cmp(a, b);
}

static int find_addrs(struct link_watch *watch, struct link_netns *netns)
{
        _cleanup_(addrs_fini) struct addrs addrs = {.netnsid = netns->netnsid};
        size_t len = 0;
        int r;

        r = dump_addrs(watch, AF_INET, &addrs);
        if (r < 0)
                return r;
        r = dump_addrs(watch, AF_INET6, &addrs);
        if (r < 0)
                return r;
        if (addrs.len > 0)
                qsort(addrs.addrs, addrs.len, sizeof(*addrs.addrs), compare_addrs);
        for (size_t i = 0; i < addrs.len; i++)
                if (len == 0 || !addr_equal(&addrs.addrs[len - 1], &addrs.addrs[i]))
                        addrs.addrs[len++] = addrs.addrs[i];
        netns->addrs = steal(addrs.addrs);
        netns->addrs_len = len;
        return 0;
}

static int netns_by_id(struct link_watch *watch, int attribute, uint32_t value, struct link_netns *ret)
{
        _cleanup_(link_netns_fini) struct link_netns netns = {.netnsid = -1};
        int r;

        r = query_id(watch, attribute, value, &netns.netnsid);
        if (r != 0)
                return r;
        r = find_links(watch, &netns);
        if (r < 0)
                return r;
        r = find_addrs(watch, &netns);
        if (r < 0)
                return r;
        *ret = netns;
        netns = (struct link_netns){.netnsid = -1};
        return 0;
}

static int netns_by_fd(struct link_watch *watch, int fd, struct link_netns *ret)
{
        struct statfs fs;
        struct stat st;

        if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
                return -errno;
        /* The file that the namespace was bound to stays behind as an ordinary one when it is unmounted. */
        if (fs.f_type != NSFS_MAGIC)
                return LINK_E_GONE;
        if (st.st_dev == watch->own_dev && st.st_ino == watch->own_ino)
                return LINK_E_OWN;
        return netns_by_id(watch, NETNSA_FD, (uint32_t)fd, ret);
}

/* O_NONBLOCK: the path may be anything, and opening a FIFO would wait for its writer. */
static int open_netns(const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

        return fd < 0 ? -errno : fd;
}

int link_netns_by_path(struct link_watch *watch, const char *path, struct link_netns *ret)
{
        _cleanup_(close_fd) int fd = -1;
        char buf[64];
        int n;

        if (!strchr(path, '/')) {
                n = snprintf(buf, sizeof(buf), "/run/netns/%s", path);
                if (n < 0 || (size_t)n >= sizeof(buf))
                        return LINK_E_GONE;
                path = buf;
        }
        fd = open_netns(path);
        if (fd == -ENOENT || fd == -ENOTDIR)
                return LINK_E_GONE;
        if (fd < 0)
                return fd;
        return netns_by_fd(watch, fd, ret);
}

/* A process that has not exited still has its pid, and its namespace. 0 or a negative errno; LINK_E_GONE. */
static int check_lives(int pidfd)
{
        struct pollfd exited = {.fd = pidfd, .events = POLLIN};
        int r = poll(&exited, 1, 0);

        return r < 0 ? -errno : r > 0 ? LINK_E_GONE : 0;
}

/* Who is confined (Landlock) may not look into other processes. The kernel finds a namespace by pid without that; only that
 * it is our own one cannot be told apart from having no id. */
static int netns_by_pid_alone(struct link_watch *watch, int pidfd, int pid, struct link_netns *ret)
{
        _cleanup_(link_netns_fini) struct link_netns netns = {.netnsid = -1};
        int r;

        r = netns_by_id(watch, NETNSA_PID, (uint32_t)pid, &netns);
        if (r == -ESRCH)
                return LINK_E_GONE;
        if (r == 0)
                r = check_lives(pidfd);
        if (r != 0)
                return r;
        *ret = netns;
        netns = (struct link_netns){.netnsid = -1};
        return 0;
}

int link_netns_by_pid(struct link_watch *watch, int pid, struct link_netns *ret)
{
        _cleanup_(close_fd) int pidfd = -1, fd = -1;
        char path[64];
        int r;

        if (pid <= 0)
                return LINK_E_GONE;
        pidfd = pidfd_open(pid, 0);
        if (pidfd < 0)
                return errno == ESRCH ? LINK_E_GONE : -errno;
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
        fd = open_netns(path);
        if (fd == -ENOENT || fd == -ESRCH)
                return LINK_E_GONE;
        if (fd == -EACCES || fd == -EPERM)
                return netns_by_pid_alone(watch, pidfd, pid, ret);
        if (fd < 0)
                return fd;
        /* So it still had its pid when the path was opened. */
        r = check_lives(pidfd);
        return r != 0 ? r : netns_by_fd(watch, fd, ret);
}
