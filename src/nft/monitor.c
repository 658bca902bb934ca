/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifications. The kernel announces every object that a transaction changed and at the end, once, the new generation
 * with the process that made it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <vethwall/base.h>

#include "attr.h"
#include "nft.h"
#include "socket.h"

/* A transaction announces each element on its own; what does not fit is lost, and reported as lost. */
#define RECEIVE_SIZE (16 << 20)

struct nft_monitor {
        struct nft receiver; /* for its socket and buffer; it sends nothing */
        char *table;
        nft_monitor_cb cb;
        void *user;
        bool ours; /* in the transaction being announced */
};

int nft_monitor_new(struct nft_monitor **ret, const char *table, nft_monitor_cb cb, void *user)
{
        struct nft_monitor *monitor = calloc(1, sizeof(*monitor));
        int r = -ENOMEM;

        if (!monitor)
                return -ENOMEM;
        monitor->cb = cb;
        monitor->user = user;
        monitor->table = strdup(table);
        monitor->receiver.buf = malloc(NFT_BUF_SIZE);
        if (monitor->table && monitor->receiver.buf)
                r = nft_socket_open(&monitor->receiver.socket, 1u << (NFNLGRP_NFTABLES - 1));
        if (r < 0) {
                nft_monitor_free(monitor);
                return r;
        }
        nft_set_receive_size(monitor->receiver.socket, RECEIVE_SIZE);
        *ret = monitor;
        return 0;
}

struct nft_monitor *nft_monitor_free(struct nft_monitor *monitor)
{
        if (!monitor)
                return NULL;
        if (monitor->receiver.socket)
                mnl_socket_close(monitor->receiver.socket);
        free(monitor->receiver.buf);
        free(monitor->table);
        free(monitor);
        return NULL;
}

int nft_monitor_fd(const struct nft_monitor *monitor)
{
        return mnl_socket_get_fd(monitor->receiver.socket);
}

static void take_generation(struct nft_monitor *monitor, const struct nlattr *const *tb)
{
        struct nft_change change = {.program = "", .ours = monitor->ours};

        monitor->ours = false;
        if (attr_u32(tb[NFTA_GEN_ID], &change.genid) < 0)
                return;
        (void)attr_u32_if(tb[NFTA_GEN_PROC_PID], &change.pid);
        if (tb[NFTA_GEN_PROC_NAME])
                (void)attr_text(tb[NFTA_GEN_PROC_NAME], &change.program);
        monitor->cb(monitor->user, &change);
}

static void take_message(struct nft_monitor *monitor, const struct nlmsghdr *message)
{
        const struct nlattr *tb[NFTA_GEN_MAX + 1];
        const struct nfgenmsg *header;
        const char *name;

        if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || mnl_nlmsg_get_payload_len(message) < sizeof(*header))
                return;
        header = mnl_nlmsg_get_payload(message);
        if (attr_index(mnl_nlmsg_get_payload_offset(message, sizeof(*header)),
                       mnl_nlmsg_get_payload_len(message) - sizeof(*header), tb, ARRAY_SIZE(tb)) < 0)
                return;
        if ((message->nlmsg_type & 0xff) == NFT_MSG_NEWGEN) {
                take_generation(monitor, tb);
                return;
        }
        /* In every other message the table's name is attribute 1. */
        if ((header->nfgen_family == NFPROTO_INET || header->nfgen_family == NFPROTO_BRIDGE) &&
            attr_text(tb[NFTA_TABLE_NAME], &name) == 0 && strcmp(name, monitor->table) == 0)
                monitor->ours = true;
}

int nft_monitor_dispatch(struct nft_monitor *monitor)
{
        for (;;) {
                const struct nlmsghdr *message = (const void *)monitor->receiver.buf;
                size_t size;
                int left, r;

                r = nft_receive(&monitor->receiver, MSG_DONTWAIT, &size);
                if (r == -EAGAIN)
                        return 0;
                if (r == -ENOBUFS) {
                        monitor->ours = false;
                        monitor->cb(monitor->user, &(struct nft_change){.program = "", .ours = true, .lost = true});
                        continue;
                }
                if (r < 0)
                        return r;
                for (left = (int)size; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
                        take_message(monitor, message);
        }
}
