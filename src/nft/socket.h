/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netlink socket and how a question is put to it; shared by reading, committing and the monitor. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mnl_socket;
struct nlmsghdr;

struct nft {
        struct mnl_socket *socket;
        uint32_t seq;     /* of the last message sent */
        uint8_t *buf;     /* NFT_BUF_SIZE bytes, for what is received */
        size_t send_size; /* what the send buffer is known to take */
};

/* The kernel fills at most 32 KiB at once with a dump, and reports errors in far smaller messages. */
#define NFT_BUF_SIZE ((size_t)128 << 10)

/* A buffer of this many bytes, beyond the system's limit where we may. */
void nft_set_receive_size(const struct mnl_socket *socket, int size);

/* Opens and binds; groups is a mask of multicast groups. */
int nft_socket_open(struct mnl_socket **ret, unsigned groups);

/* A message of nf_tables in buf, which holds at least 512 bytes. */
struct nlmsghdr *nft_request(struct nft *nft, void *buf, uint16_t type, uint16_t flags, uint8_t family);

/* One datagram into nft->buf. 0: nothing is there (MSG_DONTWAIT in flags). */
int nft_receive(struct nft *nft, int flags, size_t *ret_size);

/* Sends a request and gives each message of the answer to the callback, to the end of it even when the callback failed.
 * 0, the callback's or the kernel's negative error, or -EAGAIN: the ruleset changed meanwhile and the answer mixes old
 * and new. */
typedef int (*nft_message_fn)(void *user, const struct nlmsghdr *message);
int nft_ask(struct nft *nft, const struct nlmsghdr *request, nft_message_fn fn, void *user);
