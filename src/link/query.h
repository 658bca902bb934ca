/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to rtnetlink and their answers, on a socket apart from the notifications. */
#pragma once

#include <stdint.h>

#include <netlink/msg.h>

#include <vethwall/base.h>

DEFINE_CLEANUP(struct nl_msg *, nlmsg_free)

struct query {
        int fd;
        uint32_t seq;
};

#define QUERY_NULL ((struct query){.fd = -1})

int query_open(struct query *ret);
void query_close(struct query *query);

/* One message of the answer. 0 or a negative errno, which query_run() returns once it has read the rest. */
typedef int (*query_cb)(void *user, const struct nlmsghdr *header);

enum {
        QUERY_INTERRUPTED = 1, /* a dump was disturbed by changes: parts may be missing or old */
};

/* Sends and waits for the end of the answer, which the kernel has ready when the send returns. The request's flags
 * say what that end is: NLM_F_DUMP, NLM_F_ACK, or else one message. cb may be NULL where no message is expected. 0,
 * QUERY_INTERRUPTED, or a negative errno, the kernel's own included. */
int query_run(struct query *query, struct nl_msg *request, query_cb cb, void *user);

/* A new request with its fixed header; attributes are put with nla_put_*(). NULL: no memory. */
struct nl_msg *query_request(int type, int flags, const void *header, size_t size);
