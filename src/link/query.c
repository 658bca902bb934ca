/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The query socket. libnl builds and takes apart the messages; sending and receiving are done by hand, since its own
 * way through nl_recvmsgs() turns the kernel's errno into one of fewer codes. */
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include <link/query.h>

/* No dump datagram is larger: the kernel fills what the reader offers, up to this
 * (https://docs.kernel.org/userspace-api/netlink/intro.html, "Buffer sizing"). */
#define ANSWER_SIZE 32768

void query_close(struct query *query)
{
        if (query->fd >= 0)
                close(query->fd);
        query->fd = -1;
}

int query_open(struct query *ret)
{
        _cleanup_(query_close) struct query query = QUERY_NULL;
        struct sockaddr_nl local = {.nl_family = AF_NETLINK};
        int one = 1;

        query.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        if (query.fd < 0)
                return -errno;
        /* Without strict checking a dump ignores IFA_TARGET_NETNSID and speaks of our own namespace. */
        if (setsockopt(query.fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one)) < 0 ||
            bind(query.fd, (const struct sockaddr *)&local, sizeof(local)) < 0)
                return -errno;
        ret->fd = steal_fd(&query.fd);
        ret->seq = 0;
        return 0;
}

struct nl_msg *query_request(int type, int flags, const void *header, size_t size)
{
        _cleanup_(nlmsg_freep) struct nl_msg *request = NULL;

        request = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);
        if (!request || nlmsg_append(request, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0)
                return NULL;
        return steal(request);
}

struct answer {
        uint32_t seq;
        bool is_single; /* neither a dump nor an acknowledged request */
        query_cb cb;
        void *user;
        int result;
        bool interrupted;
        bool is_over;
};

static void take_message(struct answer *answer, const struct nlmsghdr *header)
{
        int r;

        /* What an earlier query left unread. */
        if (header->nlmsg_seq != answer->seq)
                return;
        if (header->nlmsg_flags & NLM_F_DUMP_INTR)
                answer->interrupted = true;
        if (header->nlmsg_type == NLMSG_ERROR || header->nlmsg_type == NLMSG_DONE) {
                /* Both begin with the result; old kernels end a dump without one. */
                if (nlmsg_datalen(header) >= (int)sizeof(int)) {
                        r = *(const int *)nlmsg_data(header);
                        if (r < 0 && answer->result == 0)
                                answer->result = r;
                }
                answer->is_over = true;
                return;
        }
        if (header->nlmsg_type < NLMSG_MIN_TYPE)
                return;
        if (answer->cb && answer->result == 0) {
                r = answer->cb(answer->user, header);
                if (r < 0)
                        answer->result = r;
        }
        if (answer->is_single)
                answer->is_over = true;
}

static int receive(int fd, struct answer *answer)
{
        _Alignas(struct nlmsghdr) char buf[ANSWER_SIZE];
        struct nlmsghdr *header = (struct nlmsghdr *)buf;
        ssize_t size;
        int rest;

        do
                size = recv(fd, buf, sizeof(buf), MSG_TRUNC);
        while (size < 0 && errno == EINTR);
        if (size < 0)
                return -errno;
        if ((size_t)size > sizeof(buf))
                return -EMSGSIZE;
        for (rest = (int)size; nlmsg_ok(header, rest) && !answer->is_over; header = nlmsg_next(header, &rest))
                take_message(answer, header);
        return 0;
}

int query_run(struct query *query, struct nl_msg *request, query_cb cb, void *user)
{
        struct nlmsghdr *header = nlmsg_hdr(request);
        struct answer answer = {.cb = cb, .user = user};
        int r;

        header->nlmsg_seq = answer.seq = ++query->seq;
        answer.is_single = !(header->nlmsg_flags & NLM_F_ACK) && (header->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP;
        if (send(query->fd, header, header->nlmsg_len, 0) < 0)
                return -errno;
        while (!answer.is_over) {
                r = receive(query->fd, &answer);
                if (r < 0)
                        return r;
        }
        if (answer.result < 0)
                return answer.result;
        return answer.interrupted ? QUERY_INTERRUPTED : 0;
}
