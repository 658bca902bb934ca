/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to the service manager. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "notify.h"

void notify_send(const char *fmt, ...)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        char text[1024];
        size_t path_len;
        va_list args;
        int fd;

        path_len = path ? strlen(path) : 0;
        if (path_len < 2 || path_len >= sizeof(addr.sun_path) || (path[0] != '/' && path[0] != '@'))
                return;
        memcpy(addr.sun_path, path, path_len);
        if (path[0] == '@')
                addr.sun_path[0] = '\0';

        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return;
        (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&addr,
                     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len));
        close(fd);
}

void notify_reloading(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        notify_send("RELOADING=1\nMONOTONIC_USEC=%llu",
                    (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}
