/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nftables boundary: the ruleset model to netlink messages and back, and transactions. It knows nothing of
 * policies. Kernel documentation: include/uapi/linux/netfilter/nf_tables.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/diag.h>
#include <vethwall/diff.h>
#include <vethwall/ruleset.h>

/* A batch in memory; encoding needs no socket and no privilege. */
struct nft_batch {
        uint8_t *bytes; /* owned; whole netlink messages, from BATCH_BEGIN to BATCH_END */
        size_t size;
        size_t cap;
        struct nft_batch_span *spans; /* owned; which operation of the plan each message came from */
        size_t spans_len;
        size_t spans_cap;
};

struct nft_batch_span {
        uint32_t seq;
        uint32_t op;         /* index into plan->ops */
        uint32_t first_elem; /* element messages: the first of the operation's elements in this message */
        uint32_t elems_len;
};

#define NFT_BATCH_INIT                                                                                                 \
        {                                                                                                              \
                NULL, 0, 0, NULL, 0, 0                                                                                 \
        }

void nft_batch_fini(struct nft_batch *batch);

/* genid: the ruleset generation the plan was made against; the kernel refuses the batch (ERESTART) if it is another
 * now. 0: do not check. 0 or -ENOMEM. */
int nft_encode(struct nft_batch *ret, const struct plan *plan, uint32_t seq, uint32_t genid);

/* Adds what one message of a dump (or of a batch) holds to an unsealed ruleset. Messages of other tables are the caller's
 * to leave out. Forms we do not emit become foreign objects. 0, -ENOMEM, or -EBADMSG for a message that is broken. */
struct nlmsghdr;
int nft_decode(struct ruleset *ruleset, const struct nlmsghdr *message);

/* After the last message and before ruleset_seal(): joins the starts and ends of ranges, which come as elements of their
 * own and may be spread over messages. Foreign sets lose their elements. */
void nft_decode_finish(struct ruleset *ruleset);

struct nft;

/* 0 or a negative errno. */
int nft_open(struct nft **ret);
struct nft *nft_close(struct nft *nft);
DEFINE_CLEANUP(struct nft *, nft_close)

/* Reads our tables (inet and bridge, of this name) with counters, handles and elements, consistent: repeated if the
 * generation changes meanwhile. *ret is sealed; ret_genid may be NULL. 0 or a negative errno. */
int nft_read(struct nft *nft, const char *table, struct ruleset **ret, uint32_t *ret_genid);

enum {
        NFT_E_REFUSED = 1, /* the kernel refused the transaction: diags say which object and why; nothing changed */
        NFT_E_CHANGED = 2, /* the ruleset's generation is no longer genid: read again */
};

struct nft_result {
        uint32_t genid; /* generation after the commit */
        size_t bytes;   /* of the batch */
        size_t messages;
        int error; /* NFT_E_REFUSED: the kernel's errno, positive */
};

/* One atomic transaction. With check it is tried and not committed. 0 (also for an empty plan: nothing is sent), a
 * condition above, or a negative errno. */
int nft_commit(struct nft *nft, const struct plan *plan, uint32_t genid, bool check, struct nft_result *ret,
               struct diag_list *diags);

/* Current generation of the ruleset. */
int nft_genid(struct nft *nft, uint32_t *ret);

/* Notifications of ruleset changes by anybody. The fd is readable when nft_monitor_dispatch() has something to do; the
 * callback gets the new generation, the name and pid of who made it ("" and 0 where the kernel does not say), and whether
 * our tables (of this name) were touched; lost is true where notifications overflowed. */
struct nft_monitor;
struct nft_change {
        uint32_t genid;
        const char *program;
        uint32_t pid;
        bool ours;
        bool lost;
};
typedef void (*nft_monitor_cb)(void *user, const struct nft_change *change);
int nft_monitor_new(struct nft_monitor **ret, const char *table, nft_monitor_cb cb, void *user);
struct nft_monitor *nft_monitor_free(struct nft_monitor *monitor);
int nft_monitor_fd(const struct nft_monitor *monitor);
int nft_monitor_dispatch(struct nft_monitor *monitor);
