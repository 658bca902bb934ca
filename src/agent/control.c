/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A UNIX socket for the command line. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"

static int make_parents(const char *path)
{
        char dir[PATH_MAX];

        if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
                return -ENAMETOOLONG;
        for (char *slash = strchr(dir + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                /* Whoever may speak to the agent is up to the socket, and not to the umask that it was started under. */
                if (mkdir(dir, 0755) == 0 ? chmod(dir, 0755) < 0 : errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        return 0;
}

static int socket_for(const char *path, struct sockaddr_un *ret)
{
        int fd;

        if (strlen(path) >= sizeof(ret->sun_path))
                return -ENAMETOOLONG;
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        strcpy(ret->sun_path, path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return fd < 0 ? -errno : fd;
}

bool control_is_live(const char *path)
{
        struct sockaddr_un name;
        int fd = socket_for(path, &name);
        bool live;

        if (fd < 0)
                return false;
        /* EAGAIN: it listens, and its queue is full. */
        live = connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0 || errno == EAGAIN;
        close(fd);
        return live;
}

/* What a dead agent left goes; what is no socket is not ours, and stays. */
static int remove_stale(const char *path)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;
        if (control_is_live(path))
                return -EADDRINUSE;
        return unlink(path) < 0 ? -errno : 0;
}

int control_listen(const char *path, int *ret_fd)
{
        struct sockaddr_un name;
        mode_t mask;
        int fd, r;

        r = make_parents(path);
        if (r < 0)
                return r;
        r = remove_stale(path);
        if (r < 0)
                return r;
        fd = socket_for(path, &name);
        if (fd < 0)
                return fd;
        mask = umask(0177);
        r = bind(fd, (const struct sockaddr *)&name, sizeof(name));
        umask(mask);
        if (r < 0 || listen(fd, 64) < 0) {
                r = -errno;
                close(fd);
                return r;
        }
        *ret_fd = fd;
        return 0;
}
