/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network namespace of the test's own, and nft in it. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vethwall/base.h>

#include "sandbox.h"

#define SKIPPED 77

static bool privileged;

bool sandbox_is_privileged(void)
{
        return privileged;
}

static void map_root(uid_t uid, gid_t gid)
{
        const struct {
                const char *file;
                unsigned id;
        } maps[] = {{"/proc/self/setgroups", 0}, {"/proc/self/uid_map", uid}, {"/proc/self/gid_map", gid}};

        for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
                char text[64];
                int fd = open(maps[i].file, O_WRONLY | O_CLOEXEC);
                int len = i == 0 ? snprintf(text, sizeof(text), "deny")
                                 : snprintf(text, sizeof(text), "0 %u 1", maps[i].id);

                if (fd < 0 || write(fd, text, (size_t)len) != len) {
                        perror(maps[i].file);
                        exit(SKIPPED);
                }
                close(fd);
        }
}

void sandbox_enter(void)
{
        uid_t uid = geteuid();
        gid_t gid = getegid();

        privileged = uid == 0;
        if (unshare(uid == 0 ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0) {
                perror("unshare");
                exit(SKIPPED);
        }
        if (uid != 0)
                map_root(uid, gid);
        if (sandbox_nft(NULL, NULL, "list", "tables", NULL) != 0) {
                fprintf(stderr, "nft does not run here\n");
                exit(SKIPPED);
        }
}

static int memory_file(const char *text)
{
        int fd = memfd_create("nft", MFD_CLOEXEC);
        size_t len = text ? strlen(text) : 0;

        if (fd < 0 || write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) < 0)
                abort();
        return fd;
}

static char *read_all(int fd)
{
        off_t size = lseek(fd, 0, SEEK_END);
        char *text = malloc((size_t)size + 1);

        if (!text || pread(fd, text, (size_t)size, 0) != (ssize_t)size)
                abort();
        text[size] = '\0';
        return text;
}

int sandbox_nft(const char *input, char **ret_output, const char *arg, ...)
{
        const char *argv[16] = {"nft", arg};
        int in = memory_file(input), out = memory_file(NULL), status;
        va_list args;
        pid_t pid;

        va_start(args, arg);
        for (size_t i = 2; i < ARRAY_SIZE(argv) - 1 && argv[i - 1]; i++)
                argv[i] = va_arg(args, const char *);
        va_end(args);
        pid = fork();
        if (pid < 0)
                abort();
        if (pid == 0) {
                dup2(in, STDIN_FILENO);
                dup2(out, STDOUT_FILENO);
                if (ret_output)
                        dup2(out, STDERR_FILENO);
                execvp("nft", (char *const *)(void *)argv);
                _exit(127);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        abort();
        if (ret_output)
                *ret_output = read_all(out);
        close(in);
        close(out);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
