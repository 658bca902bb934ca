/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message of the kernel's table of connections as a value. */
#pragma once

#include <linux/netlink.h>

#include "conntrack.h"

enum {
        CT_E_OTHER = 1, /* no message about a connection, or one without addresses of either family */
};

/* 0, CT_E_OTHER or -ENOMEM. */
int ct_decode(const struct nlmsghdr *message, struct ct_flow *ret);
