/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket, and the table read through it. */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>

#include "conntrack.h"
#include "decode.h"

/* The kernel fills as much as it is offered, up to this. */
#define BUF_SIZE 32768

struct conntrack {
        struct mnl_socket *socket;
        uint32_t seq;
        char buf[BUF_SIZE];
};

struct conntrack *conntrack_close(struct conntrack *conntrack)
{
        if (!conntrack)
                return NULL;
        if (conntrack->socket)
                mnl_socket_close(conntrack->socket);
        free(conntrack);
        return NULL;
}

int conntrack_open(struct conntrack **ret)
{
        _cleanup_(conntrack_closep) struct conntrack *conntrack = calloc(1, sizeof(*conntrack));

        if (!conntrack)
                return -ENOMEM;
        conntrack->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
        if (!conntrack->socket || mnl_socket_bind(conntrack->socket, 0, MNL_SOCKET_AUTOPID) < 0)
                return -errno;
        *ret = steal(conntrack);
        return 0;
}

static struct nlmsghdr *begin(struct conntrack *conntrack, uint16_t type, uint16_t flags, int family)
{
        struct nlmsghdr *message = mnl_nlmsg_put_header(conntrack->buf);
        struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

        message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
        message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
        message->nlmsg_seq = ++conntrack->seq;
        header->nfgen_family = (uint8_t)family;
        header->version = NFNETLINK_V0;
        return message;
}

/* Sends the message, and reads what is answered to its end. 0 or a negative errno. */
static int converse(struct conntrack *conntrack, const struct nlmsghdr *message, mnl_cb_t cb, void *user)
{
        unsigned port = mnl_socket_get_portid(conntrack->socket);
        ssize_t size;
        int r;

        if (mnl_socket_sendto(conntrack->socket, message, message->nlmsg_len) < 0)
                return -errno;
        do {
                do
                        size = mnl_socket_recvfrom(conntrack->socket, conntrack->buf, sizeof(conntrack->buf));
                while (size < 0 && errno == EINTR);
                if (size < 0)
                        return -errno;
                r = mnl_cb_run(conntrack->buf, (size_t)size, conntrack->seq, port, cb, user);
        } while (r > MNL_CB_STOP);
        return r < 0 ? -errno : 0;
}

struct dump {
        conntrack_cb cb;
        void *user;
        int result;
};

static int take(const struct nlmsghdr *message, void *user)
{
        struct dump *dump = user;
        struct ct_flow flow;

        /* The rest of a dump that was stopped is read to its end, so that the socket is good for the next. */
        if (dump->result != 0)
                return MNL_CB_OK;
        dump->result = ct_decode(message, &flow);
        if (dump->result == CT_E_OTHER)
                dump->result = 0;
        else if (dump->result == 0)
                dump->result = dump->cb(dump->user, &flow);
        return MNL_CB_OK;
}

int conntrack_dump(struct conntrack *conntrack, conntrack_cb cb, void *user)
{
        struct dump dump = {cb, user, 0};
        int r = converse(conntrack, begin(conntrack, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC), take, &dump);

        return r < 0 ? r : dump.result;
}

static int change(struct conntrack *conntrack, uint16_t type, uint16_t flags, const struct ct_flow *flow, bool blocked)
{
        int family = flow->original.src.family == ADDR_V4 ? AF_INET : AF_INET6;
        struct nlmsghdr *message = begin(conntrack, type, (uint16_t)(NLM_F_ACK | flags), family);
        int r = ct_encode(flow, blocked, message);

        return r < 0 ? r : converse(conntrack, message, NULL, NULL);
}

int conntrack_delete(struct conntrack *conntrack, const struct ct_flow *flow)
{
        return change(conntrack, IPCTNL_MSG_CT_DELETE, 0, flow, false);
}

int conntrack_block(struct conntrack *conntrack, const struct ct_flow *flow)
{
        const struct ct_tuple *answer = &flow->reply;
        struct ct_flow block = *flow;

        /* One that the server asked for and nobody answered: there only what opens one is valid, from who asked. Answers
         * would be valid; so they are to come from where no packet does, from the client to itself. */
        block.original = *answer;
        block.reply = (struct ct_tuple){answer->dst, answer->dst, answer->dport, answer->sport};
        return change(conntrack, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL, &block, true);
}
