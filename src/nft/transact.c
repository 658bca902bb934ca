/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One plan, one transaction.
 *
 * The kernel takes a batch only whole: everything from BATCH_BEGIN to BATCH_END lies in one sendmsg(), is worked off
 * before that returns, and takes effect at once or not at all (nfnetlink_rcv_batch() in net/netfilter/nfnetlink.c).
 * Without BATCH_END it is tried and thrown away, which is how nft checks a ruleset. No acknowledgements are asked for:
 * what is in the receive queue after sendmsg() are the errors, all of them, and none means success. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <vethwall/base.h>
#include <vethwall/strbuf.h>

#include "attr.h"
#include "describe.h"
#include "nft.h"
#include "socket.h"

/* One fault often causes a row of others. */
#define REPORTED_MAX 16

struct commit {
        const struct plan *plan;
        const struct nft_batch *batch;
        uint32_t seq; /* of BATCH_BEGIN */
        struct diag_list *diags;
        unsigned reported;
        int error; /* the first, positive; 0: none */
        bool changed;
};

static const struct nft_batch_span *find_span(const struct nft_batch *batch, uint32_t seq)
{
        /* Every message between the first and the last has one, in order. */
        size_t index = batch->spans_len > 0 ? (size_t)(seq - batch->spans[0].seq) : 0;

        return index < batch->spans_len ? &batch->spans[index] : NULL;
}

static const struct nlmsghdr *find_message(const struct nft_batch *batch, uint32_t seq)
{
        size_t pos = 0;

        while (pos < batch->size) {
                const struct nlmsghdr *message = (const void *)(batch->bytes + pos);

                if (message->nlmsg_seq == seq)
                        return message;
                pos += align4(message->nlmsg_len);
        }
        return NULL;
}

/* Which element of a message of ours the byte at offset belongs to. The end of a range counts with its start. */
static size_t elem_at(const struct nlmsghdr *message, uint32_t offset)
{
        const struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1], *elem, *part;
        size_t index = 0;

        if (attr_index(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
                       mnl_nlmsg_get_payload_len(message) - sizeof(struct nfgenmsg), tb, ARRAY_SIZE(tb)) < 0 ||
            !tb[NFTA_SET_ELEM_LIST_ELEMENTS])
                return DESCRIBE_NO_ELEM;
        attr_for_each(elem, tb[NFTA_SET_ELEM_LIST_ELEMENTS])
        {
                size_t start = (size_t)((const char *)elem - (const char *)message);

                index++;
                attr_for_each(part, elem)
                {
                        if (mnl_attr_get_type(part) == NFTA_SET_ELEM_FLAGS)
                                index--;
                }
                if (offset >= start && offset < start + elem->nla_len)
                        return index - 1;
        }
        return DESCRIBE_NO_ELEM;
}

struct explanation {
        const char *text; /* NULL: none */
        uint32_t offset;  /* 0: none */
};

static void read_explanation(const struct nlmsghdr *message, struct explanation *ret)
{
        const struct nlattr *tb[NLMSGERR_ATTR_OFFS + 1];
        size_t skip = sizeof(struct nlmsgerr), size = mnl_nlmsg_get_payload_len(message);
        const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

        if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
                return;
        if (!(message->nlmsg_flags & NLM_F_CAPPED)) {
                if (error->msg.nlmsg_len < sizeof(error->msg))
                        return;
                skip += align4(error->msg.nlmsg_len) - sizeof(error->msg);
        }
        if (skip > size || attr_index((const char *)error + skip, size - skip, tb, ARRAY_SIZE(tb)) < 0)
                return;
        if (tb[NLMSGERR_ATTR_MSG])
                (void)attr_text(tb[NLMSGERR_ATTR_MSG], &ret->text);
        if (tb[NLMSGERR_ATTR_OFFS] && mnl_attr_get_payload_len(tb[NLMSGERR_ATTR_OFFS]) == sizeof(ret->offset))
                ret->offset = mnl_attr_get_u32(tb[NLMSGERR_ATTR_OFFS]);
}

static void describe_refused(struct strbuf *buf, const struct commit *commit, uint32_t seq, uint32_t offset)
{
        const struct nft_batch_span *span = find_span(commit->batch, seq);
        const struct nlmsghdr *message = find_message(commit->batch, seq);
        size_t elem = DESCRIBE_NO_ELEM;

        if (!span) {
                strbuf_puts(buf, "the transaction");
                return;
        }
        if (span->elems_len > 0 && message && offset > 0)
                elem = elem_at(message, offset);
        if (elem != DESCRIBE_NO_ELEM)
                elem += span->first_elem;
        describe_op(buf, &commit->plan->ops[span->op], elem, span->first_elem, span->elems_len);
}

static int report(struct commit *commit, int error, uint32_t seq, const struct explanation *explanation)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        int r;

        if (commit->error == 0)
                commit->error = error;
        if (commit->reported++ >= REPORTED_MAX)
                return 0;
        strbuf_puts(&buf, "kernel refused: ");
        describe_refused(&buf, commit, seq, explanation->offset);
        strbuf_printf(&buf, ": %s", strerror(error));
        if (explanation->text)
                strbuf_printf(&buf, " (%s)", explanation->text);
        r = strbuf_check(&buf);
        if (r < 0)
                return r;
        return diag_add(commit->diags, &(struct diag){.severity = DIAG_ERROR}, "%s", buf.text);
}

static int take_error(struct commit *commit, const struct nlmsghdr *message)
{
        struct explanation explanation = {NULL, 0};
        const struct nlmsgerr *error;

        if (message->nlmsg_type != NLMSG_ERROR || mnl_nlmsg_get_payload_len(message) < sizeof(*error))
                return 0;
        error = mnl_nlmsg_get_payload(message);
        if (error->error == 0 || message->nlmsg_seq - commit->seq > commit->batch->spans_len + 1)
                return 0;
        if (error->error == -ERESTART) {
                commit->changed = true;
                return 0;
        }
        read_explanation(message, &explanation);
        return report(commit, -error->error, message->nlmsg_seq, &explanation);
}

static int take_errors(struct nft *nft, struct commit *commit)
{
        for (;;) {
                const struct nlmsghdr *message = (const void *)nft->buf;
                size_t size;
                int left, r;

                r = nft_receive(nft, MSG_DONTWAIT, &size);
                if (r == -EAGAIN)
                        return 0;
                if (r == -ENOBUFS) {
                        /* More faults than the queue holds; that there are some is certain. */
                        r = commit->error ? 0 : report(commit, ENOBUFS, commit->seq, &(struct explanation){NULL, 0});
                        if (r < 0)
                                return r;
                        continue;
                }
                if (r < 0)
                        return r;
                for (left = (int)size; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
                        r = take_error(commit, message);
                        if (r < 0)
                                return r;
                }
        }
}

/* The kernel wants the whole message in the send buffer, whose usual size is 208 KiB. */
static void make_room(struct nft *nft, size_t size)
{
        int fd = mnl_socket_get_fd(nft->socket), bytes;

        /* It doubles what it is given, and keeps a little of it. */
        if (size + 4096 <= nft->send_size || size > INT32_MAX / 4)
                return;
        bytes = (int)size + 4096;
        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) == 0 ||
            setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) == 0)
                nft->send_size = (size_t)bytes;
}

static int send_batch(struct nft *nft, const struct nft_batch *batch, bool check)
{
        /* The last message is BATCH_END. */
        size_t size = check ? batch->size - sizeof(struct nlmsghdr) - sizeof(struct nfgenmsg) : batch->size;
        ssize_t n;

        make_room(nft, size);
        do
                n = mnl_socket_sendto(nft->socket, batch->bytes, size);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

/* Every transaction adds one to the generation, which is never zero (nf_tables_commit()). Reckoning is better than
 * asking: another's transaction may follow ours at once, and would then pass unnoticed. */
static int genid_after(struct nft *nft, uint32_t genid, uint32_t *ret)
{
        if (genid == 0)
                return nft_genid(nft, ret);
        *ret = genid + 1 == 0 ? 1 : genid + 1;
        return 0;
}

int nft_commit(struct nft *nft, const struct plan *plan, uint32_t genid, bool check, struct nft_result *ret,
               struct diag_list *diags)
{
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        struct commit commit = {.plan = plan, .batch = &batch, .diags = diags, .seq = nft->seq + 1};
        struct nft_result result = {.genid = genid};
        int r;

        if (plan->len > 0) {
                r = nft_encode(&batch, plan, commit.seq, genid);
                if (r < 0)
                        return r;
                nft->seq += (uint32_t)batch.spans_len + 2;
                r = send_batch(nft, &batch, check);
                if (r < 0)
                        return r;
                r = take_errors(nft, &commit);
                if (r < 0)
                        return r;
        }
        result.bytes = batch.size;
        result.messages = batch.spans_len;
        result.error = commit.error;
        if (plan->len > 0 && !check && !commit.changed && !commit.error)
                r = genid_after(nft, genid, &result.genid);
        else
                r = genid == 0 ? nft_genid(nft, &result.genid) : 0;
        if (r < 0)
                return r;
        *ret = result;
        if (commit.changed)
                return NFT_E_CHANGED;
        return commit.error ? NFT_E_REFUSED : 0;
}
