/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages, one after the other, through the decoders: of links where the input begins with "l", else of rulesets.
 * What comes of the latter is printed, compared with nothing, and encoded as what would undo it and do it again. */
#include <errno.h>
#include <string.h>

#include <linux/netlink.h>

#include <vethwall/diff.h>
#include <vethwall/strbuf.h>

#include "fuzz.h"
#include "link/decode.h"
#include "nft/nft.h"
#include "oom.h"

#define MESSAGES_MAX 64

/* The next message in memory of its own; one that says it is longer than what is left is as long as that. False at the
 * end. */
static bool next_message(struct fuzz_input *input, struct fuzz_part *ret)
{
        struct nlmsghdr header;

        if (input->size < sizeof(header))
                return false;
        memcpy(&header, input->bytes, sizeof(header));
        if (header.nlmsg_len < sizeof(header))
                return false;
        *ret = fuzz_bytes(input, header.nlmsg_len);
        header.nlmsg_len = (uint32_t)ret->size;
        memcpy(ret->bytes, &header, sizeof(header));
        for (size_t i = ret->size; i % NLMSG_ALIGNTO != 0; i++)
                fuzz_byte(input);
        return true;
}

static void decode_link(const struct nlmsghdr *header)
{
        struct bridge_message bridge;
        struct link_message link;
        int r;

        r = link_decode(header, &link);
        fuzz_must(r == 0 || r == -EBADMSG, "a message is understood or broken");
        r = bridge_decode(header, &bridge);
        fuzz_must(r == 0 || r == -EBADMSG, "a bridge's message is understood or broken");
}

static int decode_ruleset(struct ruleset *ruleset, const struct fuzz_part *messages, size_t len)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < len; i++) {
                r = nft_decode(ruleset, (const void *)messages[i].bytes);
                if (r == -EBADMSG)
                        r = 0;
        }
        if (r == 0) {
                nft_decode_finish(ruleset);
                ruleset_seal(ruleset);
        }
        return r;
}

/* What makes one of the other, printed and encoded. */
static int plan(const struct ruleset *from, const struct ruleset *to)
{
        struct nft_batch batch = NFT_BATCH_INIT;
        struct strbuf buf = STRBUF_INIT;
        struct plan plan = PLAN_INIT;
        int r;

        r = ruleset_diff(&plan, from, to, true);
        if (r == 0) {
                plan_text(&buf, &plan);
                r = strbuf_check(&buf);
        }
        if (r == 0)
                r = nft_encode(&batch, &plan, 1, 0);
        nft_batch_fini(&batch);
        strbuf_fini(&buf);
        plan_fini(&plan);
        return r;
}

static int use(const struct ruleset *ruleset)
{
        _cleanup_(ruleset_freep) struct ruleset *empty = NULL;
        struct strbuf buf = STRBUF_INIT;
        int r;

        ruleset_text(&buf, ruleset, true);
        r = strbuf_check(&buf);
        strbuf_fini(&buf);
        if (r == 0)
                r = ruleset_new(&empty);
        if (r < 0)
                return r;
        ruleset_seal(empty);
        r = plan(ruleset, empty);
        return r == 0 ? plan(empty, ruleset) : r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
        struct fuzz_input input = {bytes, size};
        struct fuzz_part messages[MESSAGES_MAX];
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        uint8_t kind = fuzz_byte(&input);
        uint32_t oom = fuzz_oom(&input);
        size_t len = 0;
        int r;

        while (len < MESSAGES_MAX && next_message(&input, &messages[len]))
                len++;
        if (kind == 'l') {
                for (size_t i = 0; i < len; i++)
                        decode_link((const void *)messages[i].bytes);
        } else {
                fuzz_must(ruleset_new(&ruleset) == 0, "there is memory");
                oom_after(oom);
                r = decode_ruleset(ruleset, messages, len);
                fuzz_judge(r == 0 ? use(ruleset) : r, true);
        }
        for (size_t i = 0; i < len; i++)
                fuzz_part_fini(&messages[i]);
        return 0;
}
