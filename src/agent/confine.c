/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Least privilege, with libcap and libseccomp; Landlock has no library. */
#include "confine.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vethwall/base.h>

static const char *const names[] = {
        [CONFINE_NO_NEW_PRIVILEGES] = "no-new-privileges",
        [CONFINE_CAPABILITIES] = "capabilities",
        [CONFINE_FILES] = "landlock",
        [CONFINE_SYSTEM_CALLS] = "seccomp",
};
static_assert(ARRAY_SIZE(names) == CONFINE_MAX, "a confinement without a name");

const char *confine_name(enum confinement what)
{
        return names[what];
}

const struct confine_capability confine_capabilities[] = {
        {CAP_NET_ADMIN, "nftables, links, and connection tracking"},
        {CAP_NET_BROADCAST, "news of links in other network namespaces"},
        {CAP_SYS_PTRACE, "/proc/PID/ns/net of processes that are not the agent's user's"},
};
const size_t confine_capabilities_len = ARRAY_SIZE(confine_capabilities);

static int give_up_new_privileges(void)
{
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* capabilities */

static void free_caps(cap_t *caps)
{
        if (*caps)
                cap_free(*caps);
}

/* Out of the bounding set too, while there is CAP_SETPCAP to do it with: what is run later could not have them either. */
static void drop_bounds(void)
{
        for (cap_value_t i = 0; i <= cap_max_bits(); i++) {
                bool kept = false;

                for (size_t j = 0; j < confine_capabilities_len; j++)
                        kept |= confine_capabilities[j].number == i;
                if (!kept)
                        (void)cap_drop_bound(i);
        }
}

static int give_up_capabilities(void)
{
        __attribute__((cleanup(free_caps))) cap_t had = cap_get_proc(), kept = cap_init();

        if (!had || !kept)
                return -errno;
        for (size_t i = 0; i < confine_capabilities_len; i++) {
                cap_value_t number = confine_capabilities[i].number;
                cap_flag_value_t has = CAP_CLEAR;

                if (cap_get_flag(had, number, CAP_PERMITTED, &has) < 0 || has == CAP_CLEAR)
                        continue;
                if (cap_set_flag(kept, CAP_PERMITTED, 1, &number, CAP_SET) < 0 ||
                    cap_set_flag(kept, CAP_EFFECTIVE, 1, &number, CAP_SET) < 0)
                        return -errno;
        }
        drop_bounds();
        return cap_set_proc(kept) < 0 ? -errno : 0;
}

/* files */

/* What makes, changes and removes; of an older kernel's headers that it has names for. */
#define WRITE_ACCESS                                                                                                   \
        (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |              \
         LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                    \
         LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                 \
         LANDLOCK_ACCESS_FS_MAKE_SYM)
#define FILE_ACCESS LANDLOCK_ACCESS_FS_WRITE_FILE

static int allow_beneath(int ruleset, const char *path, uint64_t access)
{
        struct landlock_path_beneath_attr rule = {.allowed_access = access};
        int r = 0;

        rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
        if (rule.parent_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
                r = -errno;
        close(rule.parent_fd);
        return r;
}

static int give_up_files(const char *const *writable, size_t len)
{
        struct landlock_ruleset_attr attr = {.handled_access_fs = WRITE_ACCESS | LANDLOCK_ACCESS_FS_EXECUTE};
        int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0), r;

        if (ruleset < 0)
                return errno == ENOSYS ? -EOPNOTSUPP : -errno;
        r = allow_beneath(ruleset, "/dev/null", FILE_ACCESS);
        for (size_t i = 0; r == 0 && i < len; i++)
                r = allow_beneath(ruleset, writable[i], WRITE_ACCESS);
        if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
                r = -errno;
        close(ruleset);
        return r;
}

/* system calls */

/* By name, since not every architecture has every one. */
static const char *const calls[] = {
        /* files */
        "access",
        "chmod",
        "chown",
        "close",
        "dup",
        "dup2",
        "dup3",
        "faccessat",
        "faccessat2",
        "fadvise64",
        "fchmod",
        "fchmodat",
        "fchown",
        "fchownat",
        "fcntl",
        "fcntl64",
        "fdatasync",
        "flock",
        "fstat",
        "fstat64",
        "fstatat64",
        "fstatfs",
        "fstatfs64",
        "fsync",
        "ftruncate",
        "ftruncate64",
        "getcwd",
        "getdents",
        "getdents64",
        "lseek",
        "_llseek",
        "lstat",
        "lstat64",
        "mkdir",
        "mkdirat",
        "newfstatat",
        "open",
        "openat",
        "pread64",
        "pwrite64",
        "read",
        "readlink",
        "readlinkat",
        "readv",
        "rename",
        "renameat",
        "renameat2",
        "stat",
        "stat64",
        "statfs",
        "statfs64",
        "statx",
        "umask",
        "unlink",
        "unlinkat",
        "write",
        "writev",
        /* waiting */
        "clock_getres",
        "clock_gettime",
        "clock_gettime64",
        "clock_nanosleep",
        "clock_nanosleep_time64",
        "epoll_create1",
        "epoll_ctl",
        "epoll_pwait",
        "epoll_pwait2",
        "epoll_wait",
        "eventfd2",
        "gettimeofday",
        "inotify_add_watch",
        "inotify_init1",
        "inotify_rm_watch",
        "nanosleep",
        "pidfd_open",
        "pipe",
        "pipe2",
        "poll",
        "ppoll",
        "ppoll_time64",
        "pselect6",
        "pselect6_time64",
        "select",
        "_newselect",
        "signalfd4",
        "time",
        "timerfd_create",
        "timerfd_settime",
        "timerfd_settime64",
        /* sockets; socket() itself below */
        "accept",
        "accept4",
        "bind",
        "connect",
        "getpeername",
        "getsockname",
        "getsockopt",
        "listen",
        "recv",
        "recvfrom",
        "recvmmsg",
        "recvmsg",
        "send",
        "sendmmsg",
        "sendmsg",
        "sendto",
        "setsockopt",
        "shutdown",
        "socketpair",
        /* memory, threads of libcurl's and the process's own affairs */
        "brk",
        "exit",
        "exit_group",
        "futex",
        "futex_time64",
        "getegid",
        "geteuid",
        "getgid",
        "getpgrp",
        "getpid",
        "getppid",
        "getrandom",
        "getrlimit",
        "gettid",
        "getuid",
        "madvise",
        "membarrier",
        "mmap",
        "mmap2",
        "mprotect",
        "mremap",
        "munmap",
        "prlimit64",
        "restart_syscall",
        "rseq",
        "rt_sigaction",
        "rt_sigprocmask",
        "rt_sigreturn",
        "sched_getaffinity",
        "sched_yield",
        "set_robust_list",
        "set_tid_address",
        "sigaltstack",
        "sigreturn",
        "sysinfo",
        "tgkill",
        "ugetrlimit",
        "uname",
};

static const int socket_families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
static const unsigned long ioctls[] = {FIONREAD, FIONBIO, TCGETS, SIOCGIFNAME, SIOCGIFINDEX, SIOCGIFFLAGS};

static int allow_call(scmp_filter_ctx filter, const char *name)
{
        int number = seccomp_syscall_resolve_name(name);

        /* Not of this architecture: a pseudo number, or none. */
        return number < 0 ? 0 : seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

/* Those whose first arguments tell what they are for. */
static int allow_some(scmp_filter_ctx filter)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(socket_families); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                                     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)socket_families[i]));
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(ioctls); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                                     SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)ioctls[i]));
        /* A thread, and no process; clone3() hides its flags in memory, and libc falls back where there is none. */
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        return r;
}

static int give_up_calls(void)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = 0;

        if (!filter)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(calls); i++)
                r = allow_call(filter, calls[i]);
        if (r == 0)
                r = allow_some(filter);
        /* All threads that there are. */
        if (r == 0)
                r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r == -ENOSYS ? -EOPNOTSUPP : r;
}

int confine(const bool wanted[static CONFINE_MAX], const char *const *writable, size_t writable_len,
            int ret[static CONFINE_MAX])
{
        for (enum confinement i = 0; i < CONFINE_MAX; i++)
                ret[i] = -ECANCELED;
        if (wanted[CONFINE_NO_NEW_PRIVILEGES])
                ret[CONFINE_NO_NEW_PRIVILEGES] = give_up_new_privileges();
        if (wanted[CONFINE_CAPABILITIES])
                ret[CONFINE_CAPABILITIES] = give_up_capabilities();
        if (wanted[CONFINE_FILES])
                ret[CONFINE_FILES] = give_up_files(writable, writable_len);
        /* The last, since the others need calls that it forbids. */
        if (wanted[CONFINE_SYSTEM_CALLS])
                ret[CONFINE_SYSTEM_CALLS] = give_up_calls();
        for (enum confinement i = 0; i < CONFINE_MAX; i++)
                if (ret[i] == -ENOMEM)
                        return -ENOMEM;
        return 0;
}
