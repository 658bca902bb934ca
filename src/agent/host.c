/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As the kernel lists them now. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include <vethwall/arena.h>

#include "host.h"

void host_fini(struct host *host)
{
        free(host->addrs);
        *host = (struct host){0};
}

static bool read_addr(const struct sockaddr *name, struct addr *ret)
{
        if (name && name->sa_family == AF_INET) {
                *ret = (struct addr){.family = ADDR_V4};
                memcpy(ret->bytes, &((const struct sockaddr_in *)(const void *)name)->sin_addr, addr_size(ADDR_V4));
                return true;
        }
        if (name && name->sa_family == AF_INET6) {
                *ret = (struct addr){.family = ADDR_V6};
                memcpy(ret->bytes, &((const struct sockaddr_in6 *)(const void *)name)->sin6_addr, addr_size(ADDR_V6));
                return true;
        }
        return false;
}

int host_read(struct host *ret)
{
        _cleanup_(host_fini) struct host host = {0};
        struct ifaddrs *list;
        int r = 0;

        if (getifaddrs(&list) < 0)
                return -errno;
        for (const struct ifaddrs *item = list; r == 0 && item; item = item->ifa_next) {
                struct addr addr;

                if (!read_addr(item->ifa_addr, &addr))
                        continue;
                r = array_reserve(&host.addrs, &host.cap, host.len + 1, sizeof(*host.addrs));
                if (r == 0)
                        host.addrs[host.len++] = addr;
        }
        freeifaddrs(list);
        if (r < 0)
                return r;
        *ret = host;
        host = (struct host){0};
        return 0;
}
