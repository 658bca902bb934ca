/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the kernel and their answers. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <vethwall/base.h>

#include "attr.h"
#include "nft.h"
#include "socket.h"

void nft_set_receive_size(const struct mnl_socket *socket, int size)
{
        int fd = mnl_socket_get_fd(socket);

        /* Forcing it takes CAP_NET_ADMIN; what one gets without is worth having too. */
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int nft_socket_open(struct mnl_socket **ret, unsigned groups)
{
        struct mnl_socket *socket;
        int r;

        socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
        if (!socket)
                return -errno;
        if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) {
                r = -errno;
                mnl_socket_close(socket);
                return r;
        }
        *ret = socket;
        return 0;
}

int nft_open(struct nft **ret)
{
        _cleanup_(nft_closep) struct nft *nft = NULL;
        int on = 1, r;

        nft = calloc(1, sizeof(*nft));
        if (!nft)
                return -ENOMEM;
        nft->buf = malloc(NFT_BUF_SIZE);
        if (!nft->buf)
                return -ENOMEM;
        r = nft_socket_open(&nft->socket, 0);
        if (r < 0)
                return r;
        /* A refused transaction is explained by one message for each of its faults, without a copy of what we sent. */
        nft_set_receive_size(nft->socket, 4 << 20);
        (void)mnl_socket_setsockopt(nft->socket, NETLINK_EXT_ACK, &on, sizeof(on));
        (void)mnl_socket_setsockopt(nft->socket, NETLINK_CAP_ACK, &on, sizeof(on));
        *ret = steal(nft);
        return 0;
}

struct nft *nft_close(struct nft *nft)
{
        if (!nft)
                return NULL;
        if (nft->socket)
                mnl_socket_close(nft->socket);
        free(nft->buf);
        free(nft);
        return NULL;
}

struct nlmsghdr *nft_request(struct nft *nft, void *buf, uint16_t type, uint16_t flags, uint8_t family)
{
        struct nlmsghdr *message = mnl_nlmsg_put_header(buf);
        struct nfgenmsg *header;

        message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
        message->nlmsg_flags = NLM_F_REQUEST | flags;
        message->nlmsg_seq = ++nft->seq;
        header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
        header->nfgen_family = family;
        header->version = NFNETLINK_V0;
        return message;
}

int nft_receive(struct nft *nft, int flags, size_t *ret_size)
{
        ssize_t n;

        do
                n = recv(mnl_socket_get_fd(nft->socket), nft->buf, NFT_BUF_SIZE, flags | MSG_TRUNC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if ((size_t)n > NFT_BUF_SIZE)
                return -EMSGSIZE;
        *ret_size = (size_t)n;
        return 0;
}

struct answer {
        nft_message_fn fn;
        void *user;
        uint32_t seq;
        bool multi;
        int error; /* the first */
        bool done;
};

static void note(struct answer *answer, int error)
{
        if (answer->error == 0)
                answer->error = error;
}

static void take_message(struct answer *answer, const struct nlmsghdr *message)
{
        int error = 0;

        if (message->nlmsg_seq != answer->seq)
                return;
        if (message->nlmsg_flags & NLM_F_DUMP_INTR)
                note(answer, -EAGAIN);
        if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
                answer->done = true;
                if (mnl_nlmsg_get_payload_len(message) >= sizeof(error))
                        memcpy(&error, mnl_nlmsg_get_payload(message), sizeof(error));
                if (error < 0)
                        note(answer, error);
                return;
        }
        if (message->nlmsg_type < NLMSG_MIN_TYPE)
                return;
        if (answer->error == 0)
                note(answer, answer->fn(answer->user, message));
        if (!answer->multi)
                answer->done = true;
}

int nft_ask(struct nft *nft, const struct nlmsghdr *request, nft_message_fn fn, void *user)
{
        struct answer answer = {
                .fn = fn,
                .user = user,
                .seq = request->nlmsg_seq,
                .multi = request->nlmsg_flags & NLM_F_DUMP,
        };

        if (mnl_socket_sendto(nft->socket, request, request->nlmsg_len) < 0)
                return -errno;
        while (!answer.done) {
                const struct nlmsghdr *message = (const void *)nft->buf;
                size_t size;
                int left, r;

                r = nft_receive(nft, 0, &size);
                if (r == -ENOBUFS) {
                        /* Part of the answer is lost, its end may still come: a dump goes on as we read. */
                        note(&answer, -EAGAIN);
                        continue;
                }
                if (r < 0)
                        return r;
                for (left = (int)size; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
                        take_message(&answer, message);
        }
        return answer.error;
}

static int take_genid(void *user, const struct nlmsghdr *message)
{
        const struct nlattr *tb[NFTA_GEN_MAX + 1];
        int r;

        if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
                return -EBADMSG;
        r = attr_index(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
                       mnl_nlmsg_get_payload_len(message) - sizeof(struct nfgenmsg), tb, ARRAY_SIZE(tb));
        return r < 0 ? r : attr_u32(tb[NFTA_GEN_ID], user);
}

int nft_genid(struct nft *nft, uint32_t *ret)
{
        uint32_t genid = 0;
        char buf[512];
        int r;

        r = nft_ask(nft, nft_request(nft, buf, NFT_MSG_GETGEN, 0, AF_UNSPEC), take_genid, &genid);
        if (r < 0)
                return r;
        *ret = genid;
        return 0;
}
