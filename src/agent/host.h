/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own addresses: what is between them and a container is own-host traffic. */
#pragma once

#include <stddef.h>

#include <vethwall/addr.h>
#include <vethwall/base.h>

struct host {
        struct addr *addrs; /* owned; in the kernel's order */
        size_t len, cap;
};

/* 0 or a negative errno. */
int host_read(struct host *ret);
void host_fini(struct host *host);
