/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reconciliation against a kernel made of a ruleset and a generation: what it reads, when, and what it does where the
 * kernel refuses, fails, or has been changed meanwhile. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <agent/reconcile.h>

struct fake {
        struct ruleset *held; /* owned */
        uint32_t genid;
        uint64_t handles;
        unsigned reads, commits;
        int refuse;       /* errno of the next commit, or 0 */
        int fail;         /* negative errno of the next commit, or 0 */
        unsigned changes; /* so many commits find another generation */
};

/* As in the kernel, a rule gets its handle when it is added, and keeps it. */
static void give_handles(struct fake *fake)
{
        for (size_t i = 0; i < fake->held->tables_len; i++)
                for (size_t j = 0; j < fake->held->tables[i].chains_len; j++)
                        for (size_t k = 0; k < fake->held->tables[i].chains[j].rules_len; k++)
                                if (fake->held->tables[i].chains[j].rules[k].handle == 0)
                                        fake->held->tables[i].chains[j].rules[k].handle = ++fake->handles;
}

static const struct rs_rule *find_rule(const struct fake *fake, const struct plan_op *op)
{
        const struct rs_chain *chain =
                rs_table_find_chain(ruleset_find_table(fake->held, op->family, op->table), op->chain->name);

        assert_int_not_equal(op->old_rule->handle, 0);
        for (size_t i = 0; i < chain->rules_len; i++)
                if (chain->rules[i].handle == op->old_rule->handle)
                        return &chain->rules[i];
        fail();
        return NULL;
}

static int fake_read(void *user, struct ruleset **ret, uint32_t *ret_genid)
{
        struct fake *fake = user;
        struct plan nothing = PLAN_INIT;

        fake->reads++;
        *ret_genid = fake->genid;
        return ruleset_apply(ret, fake->held, &nothing);
}

static int fake_commit(void *user, const struct plan *plan, uint32_t genid, struct nft_result *ret,
                       struct diag_list *diags)
{
        struct fake *fake = user;
        const struct rs_rule **theirs;
        struct ruleset *after;
        int r;

        fake->commits++;
        if (fake->changes > 0) {
                fake->changes--;
                fake->genid++;
        }
        if (genid != fake->genid)
                return NFT_E_CHANGED;
        if (fake->fail) {
                r = fake->fail;
                fake->fail = 0;
                return r;
        }
        if (fake->refuse) {
                ret->error = fake->refuse;
                fake->refuse = 0;
                assert_int_equal(diag_add(diags, &(struct diag){.severity = DIAG_ERROR}, "refused"), 0);
                return NFT_E_REFUSED;
        }
        /* The plan names rules of the reconciler's copy; here they are those of the same handles. */
        theirs = calloc(plan->len + 1, sizeof(*theirs));
        assert_non_null(theirs);
        for (size_t i = 0; i < plan->len; i++)
                if ((theirs[i] = plan->ops[i].old_rule))
                        plan->ops[i].old_rule = find_rule(fake, &plan->ops[i]);
        r = ruleset_apply(&after, fake->held, plan);
        for (size_t i = 0; i < plan->len; i++)
                plan->ops[i].old_rule = theirs[i];
        free(theirs);
        if (r < 0)
                return r;
        ruleset_free(fake->held);
        fake->held = after;
        give_handles(fake);
        ret->genid = ++fake->genid;
        ret->bytes = 100;
        return 0;
}

static const struct reconcile_kernel kernel = {fake_read, fake_commit};

struct fixture {
        struct fake fake;
        struct reconcile *reconcile;
        struct config *config;
};

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        assert_int_equal(ruleset_new(&f->fake.held), 0);
        ruleset_seal(f->fake.held);
        f->fake.genid = 10;
        assert_int_equal(reconcile_new(&f->reconcile, &kernel, &f->fake), 0);
        assert_int_equal(config_default(&f->config), 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        reconcile_free(f->reconcile);
        config_unref(f->config);
        ruleset_free(f->fake.held);
        free(f);
        return 0;
}

#define POLICY                                                                                                         \
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: shop }\n"            \
        "spec:\n  podSelector: { matchLabels: { app: web } }\n"                                                        \
        "  ingress:\n  - from: [ { podSelector: { matchLabels: { app: client } } } ]\n    ports: [ { port: "
#define POLICY_END " } ]\n"

static struct policies *policies_of(const char *text)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct policy_set *set = NULL;
        struct policies *policies;

        assert_int_equal(policy_set_new(&set), 0);
        assert_int_equal(policy_set_load(set, "p.yaml", text, strlen(text), &diags), 0);
        assert_int_equal(policy_set_seal(set, &diags), 0);
        assert_int_equal(diags.errors, 0);
        policies = policies_new(set);
        assert_non_null(policies);
        return policies;
}

/* web is 10.0.0.1, and clients follow. */
static struct inventory *inventory_of(unsigned clients)
{
        struct inventory *inventory = NULL;

        assert_int_equal(inventory_new(&inventory), 0);
        for (unsigned i = 0; i <= clients; i++) {
                struct label label = {"app", i == 0 ? "web" : "client"};
                struct addr addr = {.family = ADDR_V4, .bytes = {10, 0, 0, (uint8_t)(i + 1)}};
                char name[16];
                struct endpoint endpoint = {
                        .ns = "shop",
                        .name = name,
                        .runtime = "static",
                        .id = "",
                        .labels = {&label, 1},
                        .addrs = &addr,
                        .addrs_len = 1,
                };

                snprintf(name, sizeof(name), "e%u", i);
                assert_int_equal(inventory_add_endpoint(inventory, &endpoint), 0);
        }
        assert_int_equal(inventory_seal(inventory), 0);
        return inventory;
}

static int apply(struct fixture *f, const char *policy, unsigned clients, struct reconcile_result *ret)
{
        _cleanup_(policies_unrefp) struct policies *policies = policy ? policies_of(policy) : NULL;
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct realm *realm = NULL;
        int r;

        assert_int_equal(realm_new(&realm, f->config, policies, inventory_of(clients)), 0);
        r = reconcile_apply(f->reconcile, realm, ret, &diags);
        assert_int_equal(diags.errors, r == RECONCILE_E_REFUSED ? 1 : 0);
        return r;
}

static void assert_in_force(struct fixture *f)
{
        _cleanup_(ruleset_freep) struct ruleset *compiled = NULL;

        assert_int_equal(compile(&compiled, reconcile_realm(f->reconcile)->world), 0);
        assert_true(ruleset_equal(compiled, f->fake.held));
}

static void the_first_apply_reads_once_and_commits(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        assert_null(reconcile_realm(f->reconcile));
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        assert_true(result.committed);
        assert_int_equal(result.bytes, 100);
        assert_int_equal(f->fake.reads, 1);
        assert_int_equal(f->fake.commits, 1);
        assert_in_force(f);
        assert_true(reconcile_is_own(f->reconcile, f->fake.genid));
        assert_false(reconcile_is_own(f->reconcile, f->fake.genid + 1));
}

static void nothing_to_change_sends_nothing(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        assert_false(result.committed);
        assert_int_equal(f->fake.reads, 1);
        assert_int_equal(f->fake.commits, 1);
}

static void a_new_agent_finds_its_rules_again(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        reconcile_free(f->reconcile);
        assert_int_equal(reconcile_new(&f->reconcile, &kernel, &f->fake), 0);
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        assert_false(result.committed);
        assert_int_equal(f->fake.commits, 1);
}

static void a_container_of_a_known_class_costs_no_reading(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        for (unsigned i = 3; i < 10; i++) {
                assert_int_equal(apply(f, POLICY "80" POLICY_END, i, &result), 0);
                assert_true(result.committed);
                assert_in_force(f);
        }
        assert_int_equal(f->fake.reads, 1);
}

static void changes_back_and_forth_end_in_what_is_asked_for(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        for (unsigned i = 0; i < 6; i++) {
                assert_int_equal(apply(f, i % 2 ? POLICY "80" POLICY_END : POLICY "443" POLICY_END, i % 4, &result), 0);
                assert_in_force(f);
        }
}

static void a_moved_generation_is_read_again(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        f->fake.changes = 2;
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 3, &result), 0);
        assert_int_equal(f->fake.reads, 3);
        assert_in_force(f);
}

static void a_notice_of_the_new_generation_saves_the_reading(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        reconcile_moved(f->reconcile, ++f->fake.genid);
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 3, &result), 0);
        assert_int_equal(f->fake.reads, 1);
        /* One that comes late does not turn the clock back. */
        reconcile_moved(f->reconcile, f->fake.genid - 1);
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 4, &result), 0);
        assert_int_equal(f->fake.reads, 1);
}

static void a_generation_that_never_rests_is_given_up(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        f->fake.changes = 1000;
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 3, &result), -EAGAIN);
        f->fake.changes = 0;
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 3, &result), 0);
        assert_in_force(f);
}

static void what_the_kernel_refuses_leaves_the_last_good(void **state)
{
        struct fixture *f = *state;
        const struct realm *before;
        struct reconcile_result result;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        before = reconcile_realm(f->reconcile);
        f->fake.refuse = EOPNOTSUPP;
        assert_int_equal(apply(f, POLICY "443" POLICY_END, 2, &result), RECONCILE_E_REFUSED);
        assert_int_equal(result.error, EOPNOTSUPP);
        assert_ptr_equal(reconcile_realm(f->reconcile), before);
        assert_in_force(f);
        f->fake.fail = -ENOBUFS;
        assert_int_equal(apply(f, POLICY "443" POLICY_END, 2, &result), -ENOBUFS);
        assert_ptr_equal(reconcile_realm(f->reconcile), before);
        assert_int_equal(apply(f, POLICY "443" POLICY_END, 2, &result), 0);
        assert_in_force(f);
}

static void a_flushed_table_is_restored(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;
        bool holds;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        ruleset_free(f->fake.held);
        assert_int_equal(ruleset_new(&f->fake.held), 0);
        ruleset_seal(f->fake.held);
        f->fake.genid++;
        reconcile_forget(f->reconcile);
        assert_int_equal(reconcile_kernel_holds(f->reconcile, &holds), 0);
        assert_false(holds);
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        assert_true(result.committed);
        assert_in_force(f);
        assert_int_equal(reconcile_kernel_holds(f->reconcile, &holds), 0);
        assert_true(holds);
}

static void counting_finds_a_change_that_nobody_told_of(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;
        bool intact;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        assert_int_equal(reconcile_count(f->reconcile, &intact), 0);
        assert_true(intact);
        f->fake.held->tables[0].chains[0].rules[0].counter = !f->fake.held->tables[0].chains[0].rules[0].counter;
        assert_int_equal(reconcile_count(f->reconcile, &intact), 0);
        assert_false(intact);
}

/* The verdict for a first packet through the forward hook. */
static enum rs_verdict_kind verdict(const struct fixture *f, const char *from, const char *to)
{
        struct rs_packet packet = {
                .hook = RS_HOOK_FORWARD,
                .iifname = "br-x",
                .oifname = "br-x",
                .protocol = IPPROTO_TCP,
                .has_ports = true,
                .dport = 80,
                .ct_state = RS_CT_NEW,
        };
        struct rs_result result;

        assert_true(addr_parse(from, &packet.saddr));
        assert_true(addr_parse(to, &packet.daddr));
        assert_int_equal(ruleset_eval(f->fake.held, &packet, &result), 0);
        return result.verdict;
}

static void without_any_policies_known_everything_is_denied(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;

        f->config->settings.unknown_deny = false;
        assert_int_equal(apply(f, NULL, 2, &result), 0);
        assert_int_equal(verdict(f, "10.0.0.2", "10.0.0.1"), RS_DROP);
        assert_int_equal(verdict(f, "10.0.0.9", "10.0.0.8"), RS_DROP);
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        assert_int_equal(verdict(f, "10.0.0.2", "10.0.0.1"), RS_ACCEPT);
        assert_int_equal(verdict(f, "10.0.0.9", "10.0.0.1"), RS_DROP);
        assert_int_equal(verdict(f, "10.0.0.9", "10.0.0.8"), RS_ACCEPT);
}

static void counters_outlive_what_counted(void **state)
{
        struct fixture *f = *state;
        struct reconcile_result result;
        uint64_t before = 0, after = 0;
        bool intact;

        assert_int_equal(apply(f, POLICY "80" POLICY_END, 2, &result), 0);
        for (size_t i = 0; i < f->fake.held->tables[0].sets_len; i++)
                for (size_t j = 0; j < f->fake.held->tables[0].sets[i].elems_len; j++)
                        f->fake.held->tables[0].sets[i].elems[j].counter = (struct rs_counter){1, 60};
        /* Not counted yet: the clients go at once. */
        assert_int_equal(apply(f, POLICY "80" POLICY_END, 0, &result), 0);
        for (size_t i = 0; i < reconcile_counters(f->reconcile)->len; i++)
                before += counter_total(&reconcile_counters(f->reconcile)->rows[i]).packets;
        assert_true(before >= 4);
        assert_int_equal(reconcile_count(f->reconcile, &intact), 0);
        for (size_t i = 0; i < reconcile_counters(f->reconcile)->len; i++)
                after += counter_total(&reconcile_counters(f->reconcile)->rows[i]).packets;
        assert_int_equal(after, before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(the_first_apply_reads_once_and_commits),
                TEST(nothing_to_change_sends_nothing),
                TEST(a_new_agent_finds_its_rules_again),
                TEST(a_container_of_a_known_class_costs_no_reading),
                TEST(changes_back_and_forth_end_in_what_is_asked_for),
                TEST(a_moved_generation_is_read_again),
                TEST(a_notice_of_the_new_generation_saves_the_reading),
                TEST(a_generation_that_never_rests_is_given_up),
                TEST(what_the_kernel_refuses_leaves_the_last_good),
                TEST(a_flushed_table_is_restored),
                TEST(counting_finds_a_change_that_nobody_told_of),
                TEST(without_any_policies_known_everything_is_denied),
                TEST(counters_outlive_what_counted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
