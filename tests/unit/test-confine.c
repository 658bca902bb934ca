/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent gives up is gone, and what it needs is there. Each case is a process of its own, since nothing that is given
 * up comes back. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <agent/confine.h>
#include <vethwall/base.h>

static char dir[] = "/tmp/vethwall-confine.XXXXXX";
static char inside[64], outside[64];

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(dir))
                return -1;
        snprintf(inside, sizeof(inside), "%s/in", dir);
        snprintf(outside, sizeof(outside), "%s/out", dir);
        return mkdir(inside, 0700) < 0 || mkdir(outside, 0700) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
        (void)state;
        return rmdir(inside) < 0 || rmdir(outside) < 0 || rmdir(dir) < 0 ? -1 : 0;
}

enum {
        CHILD_PASSED,
        CHILD_FAILED,
        CHILD_NOT_THERE, /* the kernel has no such thing */
};

/* Runs what in a process that has given up one thing. */
static void in_child(enum confinement given_up, bool (*what)(void))
{
        bool wanted[CONFINE_MAX] = {[CONFINE_NO_NEW_PRIVILEGES] = true};
        const char *writable[] = {inside, "/nonexistent/directory"};
        int status, ret[CONFINE_MAX];
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                wanted[given_up] = true;
                if (confine(wanted, writable, ARRAY_SIZE(writable), ret) < 0)
                        _exit(CHILD_FAILED);
                if (ret[given_up] == -EOPNOTSUPP)
                        _exit(CHILD_NOT_THERE);
                _exit(ret[given_up] == 0 && what() ? CHILD_PASSED : CHILD_FAILED);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == CHILD_NOT_THERE) {
                print_message("this kernel has no %s\n", confine_name(given_up));
                skip();
        }
        assert_int_equal(WEXITSTATUS(status), CHILD_PASSED);
}

static bool has_no_new_privileges(void)
{
        return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static void new_privileges(void **state)
{
        (void)state;
        in_child(CONFINE_NO_NEW_PRIVILEGES, has_no_new_privileges);
}

/* Of those that it had before, it has the named ones and no other; in the bounding set too. */
static bool had_admin;
static bool has_few_capabilities(void)
{
        cap_t caps = cap_get_proc();
        bool good = caps;

        for (cap_value_t i = 0; good && i <= cap_max_bits(); i++) {
                cap_flag_value_t has = CAP_CLEAR;
                bool named = false;

                for (size_t j = 0; j < confine_capabilities_len; j++)
                        named |= confine_capabilities[j].number == i;
                good = cap_get_flag(caps, i, CAP_EFFECTIVE, &has) == 0 && (named || has == CAP_CLEAR);
                if (good && i == CAP_NET_ADMIN)
                        good = (has == CAP_SET) == had_admin;
                if (good && had_admin && !named)
                        good = cap_get_bound(i) <= 0;
        }
        cap_free(caps);
        return good;
}

static void capabilities(void **state)
{
        cap_t caps = cap_get_proc();
        cap_flag_value_t has = CAP_CLEAR, setpcap = CAP_CLEAR;

        (void)state;
        assert_non_null(caps);
        assert_int_equal(cap_get_flag(caps, CAP_NET_ADMIN, CAP_EFFECTIVE, &has), 0);
        assert_int_equal(cap_get_flag(caps, CAP_SETPCAP, CAP_EFFECTIVE, &setpcap), 0);
        cap_free(caps);
        had_admin = has == CAP_SET && setpcap == CAP_SET;
        in_child(CONFINE_CAPABILITIES, has_few_capabilities);
}

static bool writes(const char *in)
{
        char path[96], other[96];
        bool good;
        int fd;

        snprintf(path, sizeof(path), "%s/file", in);
        snprintf(other, sizeof(other), "%s/renamed", in);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
                return false;
        good = write(fd, "x", 1) == 1 && rename(path, other) == 0 && unlink(other) == 0;
        close(fd);
        return good;
}

static bool runs(void)
{
        char *const argv[] = {(char *)"true", NULL};
        int status;
        pid_t pid = fork();

        if (pid < 0)
                return false;
        if (pid == 0) {
                execv("/bin/true", argv);
                _exit(1);
        }
        return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool may_read_and_write_inside_only(void)
{
        int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return false;
        close(fd);
        return writes(inside) && !writes(outside) && !runs();
}

static void files(void **state)
{
        (void)state;
        in_child(CONFINE_FILES, may_read_and_write_inside_only);
}

static bool makes_only_its_calls(void)
{
        int fds[2], raw, socket_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

        if (socket_fd < 0 || pipe2(fds, O_CLOEXEC) < 0)
                return false;
        close(fds[0]);
        close(fds[1]);
        close(socket_fd);
        raw = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (raw >= 0 || errno != EPERM)
                return false;
        if (unshare(CLONE_NEWUSER) == 0 || errno != EPERM)
                return false;
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
                return false;
        return fork() < 0 && errno == EPERM;
}

static void system_calls(void **state)
{
        (void)state;
        in_child(CONFINE_SYSTEM_CALLS, makes_only_its_calls);
}

static void what_is_not_wanted_stays(void **state)
{
        const bool wanted[CONFINE_MAX] = {false};
        int ret[CONFINE_MAX];

        (void)state;
        assert_int_equal(confine(wanted, NULL, 0, ret), 0);
        for (enum confinement i = 0; i < CONFINE_MAX; i++)
                assert_int_equal(ret[i], -ECANCELED);
        assert_true(writes(outside));
        assert_true(runs());
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(new_privileges),
                cmocka_unit_test(capabilities),
                cmocka_unit_test(files),
                cmocka_unit_test(system_calls),
                cmocka_unit_test(what_is_not_wanted_stays),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
