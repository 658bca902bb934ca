/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a transaction does when things are not as expected: refusals, other people's changes, notifications. On a real
 * kernel, in a network namespace of the test's own. */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <vethwall/diff.h>
#include <vethwall/strbuf.h>

#include <nft/nft.h>

#include "rulesets.h"
#include "sandbox.h"

static int start(void **state)
{
        struct nft *nft;

        if (sandbox_nft(NULL, NULL, "flush", "ruleset", NULL) != 0 || nft_open(&nft) < 0)
                return -1;
        *state = nft;
        return 0;
}

static int stop(void **state)
{
        nft_close(*state);
        return 0;
}

static void run_nft(const char *input)
{
        assert_int_equal(sandbox_nft(input, NULL, "-f", "-", NULL), 0);
}

static struct ruleset *read_back(struct nft *nft, uint32_t *ret_genid)
{
        struct ruleset *ruleset = NULL;

        assert_int_equal(nft_read(nft, "vethwall", &ruleset, ret_genid), 0);
        return ruleset;
}

static struct ruleset *empty_ruleset(void)
{
        struct ruleset *ruleset = NULL;

        assert_int_equal(ruleset_new(&ruleset), 0);
        ruleset_seal(ruleset);
        return ruleset;
}

/* From a state that need not be the kernel's. The text of what was refused is appended to *ret_text. */
static int commit_from(struct nft *nft, const struct ruleset *have, const struct ruleset *want, uint32_t genid,
                       bool check, struct strbuf *text)
{
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        struct diag_list diags = DIAG_LIST_INIT;
        struct nft_result result;
        int r;

        assert_int_equal(ruleset_diff(&plan, have, want, true), 0);
        r = nft_commit(nft, &plan, genid, check, &result, &diags);
        if (r == 0)
                assert_int_equal(diags.len, 0);
        if (text)
                diag_list_format(text, &diags, false);
        diag_list_fini(&diags);
        return r;
}

static void commit(struct nft *nft, const struct ruleset *want)
{
        _cleanup_(ruleset_freep) struct ruleset *have = NULL;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        uint32_t genid;

        have = read_back(nft, &genid);
        if (commit_from(nft, have, want, genid, false, &text) != 0)
                fail_msg("%s", text.text);
}

static void counters_of_what_stays_are_kept(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *few = ruleset_large(3), *more = ruleset_large(500), *got = NULL;
        uint8_t key[RS_KEY_SIZE_MAX] = {10, 0, 0, 1};
        struct rs_chain *chain;
        struct rs_elem *elem;

        commit(*state, few);
        run_nft("delete element inet vethwall egress4 { 10.0.0.1 }\n"
                "add element inet vethwall egress4 { 10.0.0.1 counter packets 7 bytes 700 : jump out_1 }\n"
                "insert rule inet vethwall forward counter packets 3 bytes 300 accept\n");
        commit(*state, more);
        got = read_back(*state, NULL);
        elem = rs_set_find_elem(rs_table_find_set(&got->tables[0], "egress4"), key);
        assert_non_null(elem);
        assert_int_equal(elem->counter.packets, 7);
        assert_int_equal(elem->counter.bytes, 700);

        /* The inserted rule was not wanted, whatever it counts. */
        chain = rs_table_find_chain(&got->tables[0], "forward");
        assert_int_equal(chain->rules_len, 4);
        assert_true(ruleset_equal(got, more));
}

static void rule_counters_are_read(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *got = NULL;

        run_nft("table inet vethwall {\n chain c {\n counter packets 5 bytes 55 accept comment \"one\"\n }\n }\n");
        got = read_back(*state, NULL);
        assert_int_equal(got->tables[0].chains[0].rules[0].count.packets, 5);
        assert_int_equal(got->tables[0].chains[0].rules[0].count.bytes, 55);
        assert_string_equal(got->tables[0].chains[0].rules[0].comment, "one");
}

static void foreign_objects_are_seen_and_removed(void **state)
{
        static const char *const changes[] = {
                /* Rules that are almost ours, and one that brings a set and a chain of its own. */
                "add rule inet vethwall forward ip ttl 1 drop\n",
                "add rule inet vethwall forward ip saddr 10.0.0.0/8 accept\n",
                "add rule inet vethwall forward tcp dport { 80, 443 } jump { counter\n drop\n }\n",
                "add rule inet vethwall forward log prefix \"x\" accept\n",
                "add rule inet vethwall forward ct state != new accept\n",
                "add rule inet vethwall forward iifname != \"docker0\" accept\n",
                "add rule inet vethwall forward limit rate 1/second accept\n",
                "add chain inet vethwall mine { type nat hook prerouting priority 0; }\n",
                "add chain inet vethwall mine\n",
                "add set inet vethwall mine { type ipv4_addr; flags timeout; }\n",
                "add set inet vethwall mine { type ether_addr; }\n",
                "add map inet vethwall mine { type ipv4_addr : ipv4_addr; }\n",
                "add element inet vethwall egress4 { 10.9.9.9 : accept }\n",
                "delete element inet vethwall egress4 { 10.0.0.1 }\n",
                "add chain inet vethwall forward { policy drop; }\n",
                "flush chain inet vethwall forward\n",
                "add table inet vethwall { flags dormant; }\n",
                "delete table inet vethwall\n",
        };
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(5);

        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                _cleanup_(ruleset_freep) struct ruleset *changed = NULL, *restored = NULL;

                commit(*state, want);
                run_nft(changes[i]);
                changed = read_back(*state, NULL);
                if (ruleset_equal(changed, want))
                        fail_msg("not noticed: %s", changes[i]);
                commit(*state, want);
                restored = read_back(*state, NULL);
                if (!ruleset_equal(restored, want))
                        fail_msg("not restored after: %s", changes[i]);
        }
}

static void tables_of_others_are_left_alone(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(1), *empty = empty_ruleset(), *got = NULL;
        _cleanup_free_ char *before = NULL, *after = NULL;

        run_nft("table inet other {\n set vethwall { type ipv4_addr; }\n chain vethwall { accept; }\n }\n"
                "table ip vethwall {\n chain forward { type filter hook forward priority 0; }\n }\n");
        assert_int_equal(sandbox_nft(NULL, &before, "list", "ruleset", NULL), 0);
        got = read_back(*state, NULL);
        assert_int_equal(got->tables_len, 0);
        commit(*state, want);
        commit(*state, empty);
        assert_int_equal(sandbox_nft(NULL, &after, "list", "ruleset", NULL), 0);
        assert_string_equal(before, after);
}

static void refusal_names_the_element_and_changes_nothing(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(3000), *stale = ruleset_large(2000), *got = NULL;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        commit(*state, stale);
        run_nft("add element inet vethwall egress4 { 10.0.10.10 : accept }\n");
        assert_int_equal(commit_from(*state, stale, want, 0, false, &text), NFT_E_REFUSED);
        /* The kernel of the test tells the element; an old one only the message. */
        if (!strstr(text.text, "kernel refused: add element inet vethwall egress4 { 10.0.10.10 }: File exists") &&
            !strstr(text.text, ", one of "))
                fail_msg("%s", text.text);
        got = read_back(*state, NULL);
        assert_int_equal(rs_table_find_set(&got->tables[0], "egress4")->elems_len, 2001);
}

static void refusal_names_ranges_rules_and_objects(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *sample = ruleset_sample(false), *empty = empty_ruleset(), *got = NULL;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        run_nft("table inet vethwall {\n chain out_1 { accept; }\n set s_0_0 { type ipv4_addr; }\n }\n");
        assert_int_equal(commit_from(*state, empty, sample, 0, false, &text), NFT_E_REFUSED);
        assert_non_null(strstr(text.text, "kernel refused: add table inet vethwall: File exists"));
        assert_non_null(strstr(text.text, "kernel refused: add chain inet vethwall out_1: File exists"));
        assert_non_null(strstr(text.text, "kernel refused: add set inet vethwall s_0_0: File exists"));
        strbuf_clear(&text);

        run_nft("flush ruleset\n");
        commit(*state, sample);
        got = read_back(*state, NULL);
        run_nft("flush ruleset\n");
        assert_int_equal(commit_from(*state, got, empty, 0, false, &text), NFT_E_REFUSED);
        assert_non_null(strstr(text.text, "kernel refused: delete table inet vethwall: No such file or directory"));
}

static void stale_generation_is_noticed(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(2), *have = NULL, *got = NULL;
        uint32_t genid;

        have = read_back(*state, &genid);
        run_nft("add table ip other\n");
        assert_int_equal(commit_from(*state, have, want, genid, false, NULL), NFT_E_CHANGED);
        assert_int_equal(commit_from(*state, have, want, genid, true, NULL), NFT_E_CHANGED);
        got = read_back(*state, &genid);
        assert_int_equal(got->tables_len, 0);
        assert_int_equal(commit_from(*state, have, want, genid, false, NULL), 0);
}

static void check_changes_nothing(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_sample(false), *empty = empty_ruleset(), *got = NULL;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        uint32_t before, after;

        assert_int_equal(nft_genid(*state, &before), 0);
        assert_int_equal(commit_from(*state, empty, want, before, true, NULL), 0);
        assert_int_equal(nft_genid(*state, &after), 0);
        assert_int_equal(before, after);
        got = read_back(*state, NULL);
        assert_int_equal(got->tables_len, 0);

        commit(*state, want);
        assert_int_equal(commit_from(*state, empty, want, 0, true, &text), NFT_E_REFUSED);
        assert_non_null(strstr(text.text, "add table inet vethwall: File exists"));
}

/* A socket that owns a table of our name until it is closed. */
static struct mnl_socket *own_table(void)
{
        struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
        static const uint16_t types[] = {NFNL_MSG_BATCH_BEGIN, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE,
                                         NFNL_MSG_BATCH_END};
        char buf[1024];
        size_t size = 0;

        assert_non_null(socket);
        assert_int_equal(mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID), 0);
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                struct nlmsghdr *message = mnl_nlmsg_put_header(buf + size);
                struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

                message->nlmsg_type = types[i];
                message->nlmsg_flags = NLM_F_REQUEST | (i == 1 ? NLM_F_CREATE : 0);
                header->res_id = i == 1 ? 0 : htobe16(NFNL_SUBSYS_NFTABLES);
                if (i == 1) {
                        header->nfgen_family = NFPROTO_INET;
                        mnl_attr_put_strz(message, NFTA_TABLE_NAME, "vethwall");
                        mnl_attr_put_u32(message, NFTA_TABLE_FLAGS, htobe32(NFT_TABLE_F_OWNER));
                }
                size += message->nlmsg_len;
        }
        assert_int_equal(mnl_socket_sendto(socket, buf, size), size);
        return socket;
}

static void table_of_another_owner_is_refused(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(2), *have = NULL;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        struct mnl_socket *owner = own_table();
        uint32_t genid;

        have = read_back(*state, &genid);
        assert_int_equal(have->tables_len, 1);
        assert_true(have->tables[0].foreign);
        assert_int_equal(commit_from(*state, have, want, genid, false, &text), NFT_E_REFUSED);
        assert_non_null(strstr(text.text, "kernel refused: delete table inet vethwall: Operation not permitted"));
        mnl_socket_close(owner);
        commit(*state, want);
}

static void empty_plan_sends_nothing(void **state)
{
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        struct diag_list diags = DIAG_LIST_INIT;
        struct nft_result result;
        uint32_t genid;

        assert_int_equal(nft_genid(*state, &genid), 0);
        assert_int_equal(nft_commit(*state, &plan, 0, false, &result, &diags), 0);
        assert_int_equal(result.genid, genid);
        assert_int_equal(result.bytes, 0);
        /* Not even a stale generation matters. */
        assert_int_equal(nft_commit(*state, &plan, genid + 1000, false, &result, &diags), 0);
}

/* Makes and removes a table of another name until it is killed, with a little air between. */
static pid_t start_meddler(void)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid > 0)
                return pid;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                (void)sandbox_nft("add table ip meddler\n", NULL, "-f", "-", NULL);
                (void)sandbox_nft("delete table ip meddler\n", NULL, "-f", "-", NULL);
                (void)poll(NULL, 0, 10);
        }
}

static void reading_is_consistent_while_others_write(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_sample(false);
        uint32_t first, last = 0;
        pid_t meddler;

        commit(*state, want);
        assert_int_equal(nft_genid(*state, &first), 0);
        meddler = start_meddler();
        for (unsigned i = 0; i < 200; i++) {
                _cleanup_(ruleset_freep) struct ruleset *got = NULL;

                got = read_back(*state, &last);
                assert_true(ruleset_equal(got, want));
        }
        kill(meddler, SIGKILL);
        waitpid(meddler, NULL, 0);
        assert_true(last > first);
}

struct changes {
        unsigned count, ours, lost;
        uint32_t genid, pid;
        char program[64];
};

static void note_change(void *user, const struct nft_change *change)
{
        struct changes *changes = user;

        changes->count++;
        changes->ours += change->ours;
        changes->lost += change->lost;
        changes->genid = change->genid;
        changes->pid = change->pid;
        snprintf(changes->program, sizeof(changes->program), "%s", change->program);
}

/* The monitor has something to do, and does it. */
static void dispatch(struct nft_monitor *monitor)
{
        struct pollfd pollfd = {.fd = nft_monitor_fd(monitor), .events = POLLIN};

        assert_int_equal(poll(&pollfd, 1, 5000), 1);
        assert_int_equal(nft_monitor_dispatch(monitor), 0);
}

static void monitor_sees_who_changes_what(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(5);
        struct nft_monitor *monitor = NULL;
        struct changes changes = {0};
        uint32_t genid;

        assert_int_equal(nft_monitor_new(&monitor, "vethwall", note_change, &changes), 0);
        assert_int_equal(nft_monitor_dispatch(monitor), 0);
        assert_int_equal(changes.count, 0);

        run_nft("add table ip vethwall\nadd table inet other\n");
        dispatch(monitor);
        assert_int_equal(changes.count, 1);
        assert_int_equal(changes.ours, 0);
        assert_string_equal(changes.program, "nft");
        assert_int_not_equal(changes.pid, 0);

        commit(*state, want);
        dispatch(monitor);
        assert_int_equal(changes.count, 2);
        assert_int_equal(changes.ours, 1);
        /* Not getpid(): the kernel tells the number in its first pid namespace. */
        assert_int_not_equal(changes.pid, 0);
        assert_int_equal(nft_genid(*state, &genid), 0);
        assert_int_equal(changes.genid, genid);

        run_nft("delete element inet vethwall egress4 { 10.0.0.1 }\n");
        dispatch(monitor);
        assert_int_equal(changes.ours, 2);
        run_nft("flush ruleset\n");
        dispatch(monitor);
        assert_int_equal(changes.ours, 3);
        assert_int_equal(changes.count, 4);
        assert_int_equal(changes.lost, 0);
        nft_monitor_free(monitor);
}

static void monitor_tells_what_it_lost(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(60000), *empty = empty_ruleset();
        struct nft_monitor *monitor = NULL;
        struct changes changes = {0};

        assert_int_equal(nft_monitor_new(&monitor, "vethwall", note_change, &changes), 0);
        for (unsigned i = 0; i < 10; i++) {
                assert_int_equal(commit_from(*state, empty, want, 0, false, NULL), 0);
                assert_int_equal(commit_from(*state, want, empty, 0, false, NULL), 0);
        }
        dispatch(monitor);
        assert_true(changes.lost > 0);
        assert_true(changes.ours > 0);
        nft_monitor_free(monitor);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(counters_of_what_stays_are_kept, start, stop),
                cmocka_unit_test_setup_teardown(rule_counters_are_read, start, stop),
                cmocka_unit_test_setup_teardown(foreign_objects_are_seen_and_removed, start, stop),
                cmocka_unit_test_setup_teardown(tables_of_others_are_left_alone, start, stop),
                cmocka_unit_test_setup_teardown(refusal_names_the_element_and_changes_nothing, start, stop),
                cmocka_unit_test_setup_teardown(refusal_names_ranges_rules_and_objects, start, stop),
                cmocka_unit_test_setup_teardown(stale_generation_is_noticed, start, stop),
                cmocka_unit_test_setup_teardown(check_changes_nothing, start, stop),
                cmocka_unit_test_setup_teardown(table_of_another_owner_is_refused, start, stop),
                cmocka_unit_test_setup_teardown(empty_plan_sends_nothing, start, stop),
                cmocka_unit_test_setup_teardown(reading_is_consistent_while_others_write, start, stop),
                cmocka_unit_test_setup_teardown(monitor_sees_who_changes_what, start, stop),
                cmocka_unit_test_setup_teardown(monitor_tells_what_it_lost, start, stop),
        };

        sandbox_enter();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
