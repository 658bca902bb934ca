/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The laboratory of link-lab.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>

#include "link-lab.h"

static _Noreturn void lab_fail(const char *what)
{
        (void)fprintf(stderr, "link-lab: %s: %s\n", what, strerror(errno));
        exit(1);
}

static void must(bool ok, const char *what)
{
        if (!ok)
                lab_fail(what);
}

static void write_file(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
        close(fd);
}

/* Where the caller has one id only, it becomes root of the new user namespace. */
static void map_ids(uid_t uid, gid_t gid)
{
        char map[64];

        write_file("/proc/self/setgroups", "deny");
        (void)snprintf(map, sizeof(map), "0 %u 1", uid);
        write_file("/proc/self/uid_map", map);
        (void)snprintf(map, sizeof(map), "0 %u 1", gid);
        write_file("/proc/self/gid_map", map);
}

void lab_enter(void)
{
        uid_t uid = getuid();
        gid_t gid = getgid();

        if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0) {
                (void)fprintf(stderr, "link-lab: no namespaces of one's own here: %s\n", strerror(errno));
                exit(77);
        }
        map_ids(uid, gid);
        must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount --make-rprivate /");
        must(mount("none", "/run", "tmpfs", 0, NULL) == 0, "mount /run");
        must(mkdir("/run/netns", 0755) == 0, "mkdir /run/netns");
}

void lab_run(const char *format, ...)
{
        char command[1024];
        va_list args;
        int n, status;

        va_start(args, format);
        n = vsnprintf(command, sizeof(command), format, args);
        va_end(args);
        must(n > 0 && (size_t)n < sizeof(command), "command too long");
        status = system(command);
        if (status != 0) {
                (void)fprintf(stderr, "link-lab: '%s' ended with %d\n", command, status);
                exit(1);
        }
}

/* Runs in the namespace of that name and comes back. */
static void enter_netns(const char *name, int *ret_back)
{
        char path[256];
        int fd;

        (void)snprintf(path, sizeof(path), "/run/netns/%s", name);
        *ret_back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        must(*ret_back >= 0 && fd >= 0 && setns(fd, CLONE_NEWNET) == 0, path);
        close(fd);
}

static void leave_netns(int back)
{
        must(setns(back, CLONE_NEWNET) == 0, "setns back");
        close(back);
}

void lab_netns_add(const char *name)
{
        char path[256];
        int fd, back;

        (void)snprintf(path, sizeof(path), "/run/netns/%s", name);
        fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
        back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        must(fd >= 0 && back >= 0, path);
        close(fd);
        must(unshare(CLONE_NEWNET) == 0, "unshare");
        must(mount("/proc/thread-self/ns/net", path, NULL, MS_BIND, NULL) == 0, path);
        leave_netns(back);
}

void lab_netns_del(const char *name)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "/run/netns/%s", name);
        must(umount2(path, MNT_DETACH) == 0 && unlink(path) == 0, path);
}

void lab_reset(void)
{
        DIR *dir = opendir("/run/netns");
        const struct dirent *entry;

        must(dir, "/run/netns");
        while ((entry = readdir(dir))) {
                char path[512];

                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "/run/netns/%s", entry->d_name);
                (void)umount2(path, MNT_DETACH);
                must(unlink(path) == 0, path);
        }
        closedir(dir);
        must(unshare(CLONE_NEWNET) == 0, "unshare");
}

static struct nl_sock *route_socket(void)
{
        struct nl_sock *sock = nl_socket_alloc();

        must(sock && nl_connect(sock, NETLINK_ROUTE) == 0, "rtnetlink");
        return sock;
}

static void set_up(struct nl_sock *sock, struct rtnl_link *link)
{
        struct rtnl_link *up = rtnl_link_alloc();

        rtnl_link_set_flags(up, IFF_UP);
        must(rtnl_link_change(sock, link, up, 0) == 0, "link up");
        rtnl_link_put(up);
}

void lab_addr_add(const char *netns, const char *device, const char *address)
{
        struct rtnl_addr *rta = rtnl_addr_alloc();
        struct rtnl_link *link = NULL;
        struct nl_addr *local = NULL;
        struct nl_sock *sock;
        int back;

        enter_netns(netns, &back);
        sock = route_socket();
        must(rtnl_link_get_kernel(sock, 0, device, &link) == 0, device);
        must(nl_addr_parse(address, AF_UNSPEC, &local) == 0, address);
        rtnl_addr_set_ifindex(rta, rtnl_link_get_ifindex(link));
        rtnl_addr_set_local(rta, local);
        rtnl_addr_set_flags(rta, IFA_F_NODAD);
        must(rtnl_addr_add(sock, rta, 0) == 0, address);
        set_up(sock, link);
        nl_addr_put(local);
        rtnl_addr_put(rta);
        rtnl_link_put(link);
        nl_socket_free(sock);
        leave_netns(back);
}

int lab_socket(const char *netns, int family, int type)
{
        int back, fd;

        enter_netns(netns, &back);
        fd = socket(family, type | SOCK_CLOEXEC, 0);
        must(fd >= 0, "socket");
        leave_netns(back);
        return fd;
}

pid_t lab_process(int namespaces)
{
        int ready[2];
        char byte;
        pid_t pid;

        must(pipe2(ready, O_CLOEXEC) == 0, "pipe");
        pid = fork();
        must(pid >= 0, "fork");
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (namespaces && unshare(namespaces) < 0)
                        _exit(1);
                if (namespaces & CLONE_NEWUSER)
                        map_ids(0, 0);
                if (write(ready[1], "r", 1) != 1)
                        _exit(1);
                for (;;)
                        pause();
        }
        close(ready[1]);
        must(read(ready[0], &byte, 1) == 1, "process in namespaces of its own");
        close(ready[0]);
        return pid;
}

void lab_kill(pid_t pid)
{
        siginfo_t info;

        (void)kill(pid, SIGKILL);
        (void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
}

void lab_reap(pid_t pid)
{
        lab_kill(pid);
        (void)waitpid(pid, NULL, 0);
}

size_t lab_open_fds(void)
{
        DIR *dir = opendir("/proc/self/fd");
        size_t n = 0;

        must(dir, "/proc/self/fd");
        while (readdir(dir))
                n++;
        closedir(dir);
        return n;
}
