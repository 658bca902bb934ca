/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message of the kernel's table of connections as a value, and a value as the body of one. */
#pragma once

#include <linux/netlink.h>

#include "conntrack.h"

enum {
        CT_E_OTHER = 1, /* no message about a connection, or one without addresses of either family */
};

/* 0, CT_E_OTHER or -ENOMEM. */
int ct_decode(const struct nlmsghdr *message, struct ct_flow *ret);

/* Appends what names the flow; where blocked is set, also what makes it one that nobody has answered yet. 0, -ENOMEM, or
 * -EINVAL where the message would name none: the kernel would take that for all. */
int ct_encode(const struct ct_flow *flow, bool blocked, struct nlmsghdr *message);
