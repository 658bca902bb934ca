/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rulesets to netlink messages and back, without a kernel. */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <vethwall/diff.h>
#include <vethwall/strbuf.h>

#include <nft/nft.h>

#include "rulesets.h"

static void plan_from_empty(struct plan *plan, const struct ruleset *ruleset)
{
        _cleanup_(ruleset_freep) struct ruleset *empty = NULL;

        assert_int_equal(ruleset_new(&empty), 0);
        ruleset_seal(empty);
        assert_int_equal(ruleset_diff(plan, empty, ruleset, false), 0);
}

static const struct nlmsghdr *message_next(const struct nft_batch *batch, const struct nlmsghdr *message)
{
        const uint8_t *pos = message ? (const uint8_t *)message + (message->nlmsg_len + 3u) / 4 * 4 : batch->bytes;

        return pos < batch->bytes + batch->size ? (const void *)pos : NULL;
}

#define for_each_message(message, batch)                                                                               \
        for (const struct nlmsghdr *message = message_next(batch, NULL); message;                                      \
             message = message_next(batch, message))

static struct ruleset *decode(const struct nft_batch *batch)
{
        struct ruleset *ruleset;

        assert_int_equal(ruleset_new(&ruleset), 0);
        for_each_message(message, batch) assert_int_equal(nft_decode(ruleset, message), 0);
        nft_decode_finish(ruleset);
        ruleset_seal(ruleset);
        return ruleset;
}

static void assert_same(const struct ruleset *got, const struct ruleset *want)
{
        _cleanup_(strbuf_fini) struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;

        ruleset_text(&a, got, false);
        ruleset_text(&b, want, false);
        if (a.len != 0 || b.len != 0)
                assert_string_equal(a.text, b.text);
        assert_true(ruleset_equal(got, want));
}

static void assert_round_trip(const struct ruleset *ruleset)
{
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        _cleanup_(ruleset_freep) struct ruleset *again = NULL;

        plan_from_empty(&plan, ruleset);
        assert_int_equal(nft_encode(&batch, &plan, 1, 0), 0);
        again = decode(&batch);
        assert_same(again, ruleset);
}

static void every_form_comes_back(_unused_ void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_sample(true);

        assert_round_trip(ruleset);
}

static void random_rulesets_come_back(_unused_ void **state)
{
        for (uint64_t seed = 0; seed < 300; seed++) {
                _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_random(seed);

                assert_round_trip(ruleset);
        }
}

static uint32_t count_elems(const struct nlmsghdr *message)
{
        const struct nlattr *attr;
        uint32_t len = 0;

        if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
                return 0;
        for (attr = mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg));
             (const char *)attr < (const char *)mnl_nlmsg_get_payload_tail(message); attr = mnl_attr_next(attr)) {
                if (mnl_attr_get_type(attr) != NFTA_SET_ELEM_LIST_ELEMENTS)
                        continue;
                for (const struct nlattr *elem = mnl_attr_get_payload(attr);
                     (const char *)elem < (const char *)attr + attr->nla_len; elem = mnl_attr_next(elem))
                        len++;
        }
        return len;
}

static void many_elements_take_few_messages(_unused_ void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_large(20000);
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        uint32_t elems = 0, messages = 0;

        plan_from_empty(&plan, ruleset);
        assert_int_equal(nft_encode(&batch, &plan, 7, 0), 0);
        for_each_message(message, &batch)
        {
                uint32_t len = count_elems(message);

                if (len == 0)
                        continue;
                messages++;
                for (size_t i = 0; i < batch.spans_len; i++) {
                        if (batch.spans[i].seq != message->nlmsg_seq)
                                continue;
                        assert_int_equal(batch.spans[i].first_elem, elems);
                        assert_int_equal(batch.spans[i].elems_len, len);
                        assert_int_equal(plan.ops[batch.spans[i].op].kind, PLAN_ADD_ELEMS);
                }
                elems += len;
        }
        assert_int_equal(elems, 20000);
        assert_in_range(messages, 1, 32);
        assert_round_trip(ruleset);
}

static void batch_carries_the_generation(_unused_ void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_large(1);
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;

        plan_from_empty(&plan, ruleset);
        for (uint32_t genid = 0; genid < 2; genid++) {
                _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
                const struct nlmsghdr *first, *last = NULL;
                const struct nlattr *attr;

                assert_int_equal(nft_encode(&batch, &plan, 100, genid * 0x01020304), 0);
                first = (const void *)batch.bytes;
                assert_int_equal(first->nlmsg_type, NFNL_MSG_BATCH_BEGIN);
                assert_int_equal(first->nlmsg_seq, 100);
                attr = mnl_nlmsg_get_payload_offset(first, sizeof(struct nfgenmsg));
                if (genid) {
                        assert_int_equal(mnl_attr_get_type(attr), NFNL_BATCH_GENID);
                        assert_int_equal(mnl_attr_get_u32(attr), htobe32(0x01020304));
                } else {
                        assert_ptr_equal(attr, mnl_nlmsg_get_payload_tail(first));
                }
                for_each_message(message, &batch)
                {
                        assert_int_equal(message->nlmsg_flags & NLM_F_ACK, 0);
                        last = message;
                }
                assert_int_equal(last->nlmsg_type, NFNL_MSG_BATCH_END);
                assert_int_equal(last->nlmsg_seq, 100 + batch.spans_len + 1);
        }
}

/* What nft --debug=netlink prints for the text of rules of the sample, as libnftnl prints our messages. */
static const char dispatch_inet[] = "  [ meta load nfproto => reg 1 ]\n"
                                    "  [ cmp eq reg 1 0x0000000a ]\n"
                                    "  [ meta load l4proto => reg 1 ]\n"
                                    "  [ cmp eq reg 1 0x0000003a ]\n"
                                    "  [ payload load 1b @ transport header + 0 => reg 1 ]\n"
                                    "  [ lookup reg 1 set s_6_0 ]\n"
                                    "  [ payload load 16b @ network header + 24 => reg 1 ]\n"
                                    "  [ lookup reg 1 set s_1_0 ]\n"
                                    "  [ payload load 1b @ transport header + 0 => reg 1 ]\n"
                                    "  [ lookup reg 1 set s_6_2 ]\n"
                                    "  [ counter pkts 0 bytes 0 ]\n"
                                    "  [ payload load 16b @ network header + 8 => reg 1 ]\n"
                                    "  [ payload load 16b @ network header + 24 => reg 2 ]\n"
                                    "  [ lookup reg 1 set s_3_1 dreg 0 ]\n";
static const char dispatch_bridge[] = "  [ payload load 2b @ link header + 12 => reg 1 ]\n"
                                      "  [ cmp eq reg 1 0x0000dd86 ]\n";
static const char ports_bridge[] = "  [ meta load l4proto => reg 1 ]\n"
                                   "  [ payload load 2b @ transport header + 2 => reg 9 ]\n"
                                   "  [ lookup reg 1 set s_5_2 ]\n"
                                   "  [ meta load protocol => reg 1 ]\n"
                                   "  [ cmp eq reg 1 0x00000008 ]\n"
                                   "  [ payload load 4b @ network header + 12 => reg 1 ]\n"
                                   "  [ lookup reg 1 set s_0_2 ]\n"
                                   "  [ payload load 4b @ network header + 16 => reg 1 ]\n"
                                   "  [ lookup reg 1 set s_0_3 dreg 0 ]\n";
static const char state_inet[] = "  [ ct load state => reg 1 ]\n"
                                 "  [ bitwise reg 1 = ( reg 1 & 0x00000006 ) ^ 0x00000000 ]\n"
                                 "  [ cmp neq reg 1 0x00000000 ]\n"
                                 "  [ immediate reg 0 accept ]\n";
static const char wildcard_inet[] = "  [ meta load iifname => reg 1 ]\n"
                                    "  [ cmp eq reg 1 0x002d7262 ]\n"
                                    "  [ meta load oifname => reg 1 ]\n"
                                    "  [ cmp eq reg 1 0x64636261 0x68676665 0x6c6b6a69 0x00006e6d ]\n"
                                    "  [ immediate reg 0 jump -> out_1 ]\n";

static void rules_are_those_of_nft(_unused_ void **state)
{
        static const struct {
                const char *text;
                unsigned times;
        } expected[] = {
                {dispatch_inet, 1}, {dispatch_bridge, 10}, {ports_bridge, 1}, {state_inet, 2}, {wildcard_inet, 2}};
        _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_sample(true);
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        unsigned times[ARRAY_SIZE(expected)] = {0};

        plan_from_empty(&plan, ruleset);
        assert_int_equal(nft_encode(&batch, &plan, 1, 0), 0);
        for_each_message(message, &batch)
        {
                char text[4096];
                struct nftnl_rule *rule;

                if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE))
                        continue;
                rule = nftnl_rule_alloc();
                assert_non_null(rule);
                assert_int_equal(nftnl_rule_nlmsg_parse(message, rule), 0);
                assert_true(nftnl_rule_snprintf(text, sizeof(text), rule, NFTNL_OUTPUT_DEFAULT, 0) > 0);
                nftnl_rule_free(rule);
                for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
                        times[i] += strstr(text, expected[i].text) != NULL;
        }
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
                if (times[i] < expected[i].times)
                        fail_msg("rule is not there:\n%s", expected[i].text);
}

/* A copy of exactly the message's size, so that the address sanitizer sees any step beyond it. */
static struct nlmsghdr *copy_message(const struct nlmsghdr *message, uint32_t size)
{
        struct nlmsghdr *copy = malloc(size);

        assert_non_null(copy);
        memcpy(copy, message, size);
        copy->nlmsg_len = size;
        return copy;
}

static void decode_into(struct ruleset *ruleset, struct nlmsghdr *message)
{
        int r = nft_decode(ruleset, message);

        assert_true(r == 0 || r == -EBADMSG);
        free(message);
}

static void truncated_messages_are_survived(_unused_ void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_sample(true);
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        _cleanup_(ruleset_freep) struct ruleset *got = NULL;
        uint32_t broken = 0;

        plan_from_empty(&plan, ruleset);
        assert_int_equal(nft_encode(&batch, &plan, 1, 0), 0);
        assert_int_equal(ruleset_new(&got), 0);
        for_each_message(message, &batch)
        {
                for (uint32_t size = sizeof(*message); size < message->nlmsg_len; size++) {
                        struct nlmsghdr *copy = copy_message(message, size);

                        broken += nft_decode(got, copy) == -EBADMSG;
                        free(copy);
                }
                /* Whole, so that later messages find their table, chain or set; unless a shorter one did it. */
                decode_into(got, copy_message(message, message->nlmsg_len));
        }
        assert_true(broken > 1000);
        nft_decode_finish(got);
        ruleset_seal(got);
}

static void flipped_bytes_are_survived(_unused_ void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_sample(true);
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        uint64_t state64 = 1;

        plan_from_empty(&plan, ruleset);
        assert_int_equal(nft_encode(&batch, &plan, 1, 0), 0);
        for (unsigned round = 0; round < 200; round++) {
                _cleanup_(ruleset_freep) struct ruleset *got = NULL;
                _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

                assert_int_equal(ruleset_new(&got), 0);
                for_each_message(message, &batch)
                {
                        struct nlmsghdr *copy = copy_message(message, message->nlmsg_len);
                        uint32_t first = sizeof(*message) + sizeof(struct nfgenmsg);

                        for (unsigned i = 0; i < round % 4 && copy->nlmsg_len > first; i++) {
                                state64 = state64 * 6364136223846793005u + 1442695040888963407u;
                                ((uint8_t *)copy)[first + (state64 >> 33) % (copy->nlmsg_len - first)] ^=
                                        (uint8_t)(1u << (state64 >> 61));
                        }
                        decode_into(got, copy);
                }
                nft_decode_finish(got);
                ruleset_seal(got);
                ruleset_text(&text, got, false);
        }
}

/* The ruleset's messages with one attribute more, or another value, in those of one type. */
typedef void (*tamper_fn)(struct nlmsghdr *message);

static struct ruleset *decode_tampered(const struct ruleset *ruleset, uint8_t type, tamper_fn tamper)
{
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        struct ruleset *got;

        plan_from_empty(&plan, ruleset);
        assert_int_equal(nft_encode(&batch, &plan, 1, 0), 0);
        assert_int_equal(ruleset_new(&got), 0);
        for_each_message(message, &batch)
        {
                struct nlmsghdr *copy = malloc(message->nlmsg_len + 1024);

                assert_non_null(copy);
                memcpy(copy, message, message->nlmsg_len);
                if (message->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | type))
                        tamper(copy);
                assert_int_equal(nft_decode(got, copy), 0);
                free(copy);
        }
        nft_decode_finish(got);
        ruleset_seal(got);
        return got;
}

/* Of several attributes of one type the last counts. */
static void make_dormant(struct nlmsghdr *message)
{
        mnl_attr_put_u32(message, NFTA_TABLE_FLAGS, htobe32(NFT_TABLE_F_DORMANT));
}

static void drop_by_default(struct nlmsghdr *message)
{
        mnl_attr_put_u32(message, NFTA_CHAIN_POLICY, htobe32(NF_DROP));
}

static void give_timeout(struct nlmsghdr *message)
{
        mnl_attr_put_u64(message, NFTA_SET_TIMEOUT, htobe64(1000));
}

static void use_unknown_type(struct nlmsghdr *message)
{
        mnl_attr_put_u32(message, NFTA_SET_KEY_TYPE, htobe32(9));
}

static void replace_expressions(struct nlmsghdr *message)
{
        struct nlattr *list = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
        struct nlattr *elem = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

        mnl_attr_put_strz(message, NFTA_EXPR_NAME, "not-yet-invented");
        mnl_attr_nest_end(message, mnl_attr_nest_start(message, NFTA_EXPR_DATA));
        mnl_attr_nest_end(message, elem);
        mnl_attr_nest_end(message, list);
}

static void add_queue_verdict(struct nlmsghdr *message)
{
        static const uint8_t key[4] = {10, 200, 0, 1};
        struct nlattr *list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
        struct nlattr *elem = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
        struct nlattr *nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
        struct nlattr *verdict;

        mnl_attr_put(message, NFTA_DATA_VALUE, sizeof(key), key);
        mnl_attr_nest_end(message, nest);
        nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
        verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
        mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htobe32(NF_QUEUE));
        mnl_attr_nest_end(message, verdict);
        mnl_attr_nest_end(message, nest);
        mnl_attr_nest_end(message, elem);
        mnl_attr_nest_end(message, list);
}

static void other_forms_are_foreign(_unused_ void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_large(3);
        struct ruleset *got;

        got = decode_tampered(ruleset, NFT_MSG_NEWTABLE, make_dormant);
        assert_true(got->tables[0].foreign);
        assert_false(ruleset_equal(got, ruleset));
        ruleset_free(got);

        got = decode_tampered(ruleset, NFT_MSG_NEWCHAIN, give_timeout); /* an attribute chains do not have */
        assert_true(ruleset_equal(got, ruleset));
        ruleset_free(got);

        got = decode_tampered(ruleset, NFT_MSG_NEWCHAIN, drop_by_default);
        assert_true(rs_table_find_chain(&got->tables[0], "forward")->foreign);
        assert_false(rs_table_find_chain(&got->tables[0], "out_1")->foreign);
        ruleset_free(got);

        got = decode_tampered(ruleset, NFT_MSG_NEWSET, give_timeout);
        assert_true(got->tables[0].sets[0].foreign);
        ruleset_free(got);

        got = decode_tampered(ruleset, NFT_MSG_NEWSET, use_unknown_type);
        assert_true(got->tables[0].sets[0].foreign);
        assert_int_equal(got->tables[0].sets[0].elems_len, 0);
        ruleset_free(got);

        got = decode_tampered(ruleset, NFT_MSG_NEWRULE, replace_expressions);
        assert_true(rs_table_find_chain(&got->tables[0], "out_1")->rules[0].foreign);
        ruleset_free(got);

        got = decode_tampered(ruleset, NFT_MSG_NEWSETELEM, add_queue_verdict);
        assert_true(got->tables[0].sets[0].foreign);
        ruleset_free(got);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_form_comes_back),           cmocka_unit_test(random_rulesets_come_back),
                cmocka_unit_test(many_elements_take_few_messages), cmocka_unit_test(batch_carries_the_generation),
                cmocka_unit_test(rules_are_those_of_nft),          cmocka_unit_test(truncated_messages_are_survived),
                cmocka_unit_test(flipped_bytes_are_survived),      cmocka_unit_test(other_forms_are_foreign),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
