/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter: each rule of nft's that it imitates, one by one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/ruleset.h>

#define CHAINS 20

/* A table, with places for what a test adds. */
struct fixture {
        struct ruleset *ruleset;
        struct rs_packet packet;
};

static int setup(void **state)
{
        struct fixture *fixture = calloc(1, sizeof(*fixture));

        assert_non_null(fixture);
        assert_int_equal(ruleset_new(&fixture->ruleset), 0);
        assert_non_null(ruleset_add_table(fixture->ruleset, RS_INET, "t"));
        fixture->packet = (struct rs_packet){
                .hook = RS_HOOK_FORWARD,
                .iifname = "br-1",
                .oifname = "eth0",
                .protocol = IPPROTO_TCP,
                .has_ports = true,
                .dport = 80,
                .ct_state = RS_CT_NEW,
        };
        assert_true(addr_parse("10.0.0.1", &fixture->packet.saddr));
        assert_true(addr_parse("10.0.0.2", &fixture->packet.daddr));
        *state = fixture;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *fixture = *state;

        ruleset_free(fixture->ruleset);
        free(fixture);
        return 0;
}

static void add_base(struct fixture *fixture, const char *name, int32_t priority)
{
        struct rs_chain *chain = rs_table_add_chain(&fixture->ruleset->tables[0], name);

        assert_non_null(chain);
        chain->hook = RS_HOOK_FORWARD;
        chain->priority = priority;
}

static struct rs_rule *add_rule(struct fixture *fixture, const char *name, enum rs_verdict_kind kind,
                                const char *target)
{
        struct rs_table *table = &fixture->ruleset->tables[0];
        struct rs_chain *chain = NULL;
        struct rs_rule *rule;

        for (size_t i = 0; i < table->chains_len; ++i)
                if (strcmp(table->chains[i].name, name) == 0)
                        chain = &table->chains[i];
        if (!chain)
                chain = rs_table_add_chain(table, name);
        rule = rs_chain_add_rule(chain);
        assert_non_null(rule);
        rule->verdict = (struct rs_verdict){kind, target};
        return rule;
}

static void expect_result(struct fixture *fixture, enum rs_verdict_kind verdict, uint32_t ingress, uint32_t egress)
{
        struct rs_result result;

        ruleset_seal(fixture->ruleset);
        assert_int_equal(ruleset_eval(fixture->ruleset, &fixture->packet, &result), 0);
        assert_int_equal(result.verdict, verdict);
        assert_int_equal(result.origins[DIR_INGRESS], ingress);
        assert_int_equal(result.origins[DIR_EGRESS], egress);
}

static void expect(struct fixture *fixture, enum rs_verdict_kind verdict)
{
        expect_result(fixture, verdict, RS_ORIGIN_NONE, RS_ORIGIN_NONE);
}

static void expect_refused(struct fixture *fixture)
{
        struct rs_result result = {.verdict = RS_GOTO};

        ruleset_seal(fixture->ruleset);
        assert_int_equal(ruleset_eval(fixture->ruleset, &fixture->packet, &result), -EINVAL);
        assert_int_equal(result.verdict, RS_GOTO);
}

static void test_empty(void **state)
{
        expect(*state, RS_ACCEPT);
        add_base(*state, "base", 0);
        expect(*state, RS_ACCEPT);
}

static void test_policy_is_accept(void **state)
{
        add_base(*state, "base", 0);
        add_rule(*state, "base", RS_RETURN, NULL);
        add_rule(*state, "base", RS_DROP, NULL);
        expect(*state, RS_ACCEPT);
}

static void test_other_hook(void **state)
{
        struct fixture *fixture = *state;

        add_base(fixture, "base", 0);
        add_rule(fixture, "base", RS_DROP, NULL);
        expect(fixture, RS_DROP);
        fixture->packet.hook = RS_HOOK_INPUT;
        expect(fixture, RS_ACCEPT);
        fixture->packet.hook = RS_HOOK_NONE;
        expect_refused(fixture);
}

static void test_accept_ends_one_base_chain_only(void **state)
{
        add_base(*state, "a", 5);
        add_rule(*state, "a", RS_DROP, NULL);
        add_base(*state, "b", -5);
        add_rule(*state, "b", RS_ACCEPT, NULL);
        add_rule(*state, "b", RS_DROP, NULL);
        expect(*state, RS_DROP);
}

static void test_drop_is_final(void **state)
{
        struct fixture *fixture = *state;
        struct rs_origin origins[] = {{.direction = DIR_INGRESS}, {.direction = DIR_EGRESS}};

        fixture->ruleset->origins = origins;
        fixture->ruleset->origins_len = 2;
        add_base(fixture, "late", 5);
        add_rule(fixture, "late", RS_DROP, NULL)->origin = 1;
        add_base(fixture, "early", -5);
        add_rule(fixture, "early", RS_DROP, NULL)->origin = 0;
        expect_result(fixture, RS_DROP, 0, RS_ORIGIN_NONE);
}

static void test_jump_comes_back(void **state)
{
        add_base(*state, "base", 0);
        add_rule(*state, "base", RS_JUMP, "sub");
        add_rule(*state, "base", RS_DROP, NULL);
        add_rule(*state, "sub", RS_RETURN, NULL);
        add_rule(*state, "sub", RS_ACCEPT, NULL);
        expect(*state, RS_DROP);
}

static void test_goto_does_not(void **state)
{
        add_base(*state, "base", 0);
        add_rule(*state, "base", RS_GOTO, "sub");
        add_rule(*state, "base", RS_DROP, NULL);
        add_rule(*state, "sub", RS_RETURN, NULL);
        expect(*state, RS_ACCEPT);
}

/* A chain that was jumped to goes to another, whose end is its own: the caller goes on. */
static void test_goto_in_a_jump(void **state)
{
        add_base(*state, "base", 0);
        add_rule(*state, "base", RS_JUMP, "sub");
        add_rule(*state, "base", RS_DROP, NULL);
        add_rule(*state, "sub", RS_GOTO, "leaf");
        add_rule(*state, "sub", RS_ACCEPT, NULL);
        add_rule(*state, "leaf", RS_RETURN, NULL);
        expect(*state, RS_DROP);
}

static void chain_of_jumps(struct fixture *fixture, size_t len)
{
        static const char names[CHAINS][2] = {"b", "c", "d", "e", "f", "g", "h", "i", "j", "k",
                                              "l", "m", "n", "o", "p", "q", "r", "s", "t", "u"};

        add_base(fixture, names[0], 0);
        for (size_t i = 0; i < len; ++i)
                add_rule(fixture, names[i], i % 2 ? RS_JUMP : RS_GOTO, names[i + 1]);
        add_rule(fixture, names[len], RS_DROP, NULL);
}

static void test_depth(void **state)
{
        chain_of_jumps(*state, 15);
        expect(*state, RS_DROP);
}

static void test_too_deep(void **state)
{
        chain_of_jumps(*state, 16);
        expect_refused(*state);
}

static void test_loop(void **state)
{
        add_base(*state, "base", 0);
        add_rule(*state, "base", RS_JUMP, "sub");
        add_rule(*state, "sub", RS_GOTO, "sub");
        expect_refused(*state);
}

static void test_nowhere(void **state)
{
        add_base(*state, "base", 0);
        add_rule(*state, "base", RS_JUMP, "sub");
        expect_refused(*state);
}

static void test_into_a_base_chain(void **state)
{
        add_base(*state, "base", 0);
        add_base(*state, "other", 1);
        add_rule(*state, "base", RS_JUMP, "other");
        expect_refused(*state);
}

/* A chain that is not reached is not looked at. */
static void test_foreign(void **state)
{
        struct fixture *fixture = *state;

        add_base(fixture, "base", 0);
        add_rule(fixture, "base", RS_DROP, NULL);
        add_rule(fixture, "base", RS_ACCEPT, NULL)->foreign = true;
        expect(fixture, RS_DROP);
        fixture->ruleset->tables[0].chains[0].rules[0].foreign = true;
        expect_refused(fixture);
}

static void match_interface(struct fixture *fixture, enum rs_match_kind kind, const char *pattern,
                            enum rs_verdict_kind verdict)
{
        struct rs_table *table = &fixture->ruleset->tables[0];
        struct rs_match match = {.kind = kind, .ifname = pattern};

        if (table->chains_len == 0) {
                add_base(fixture, "base", 0);
                add_rule(fixture, "base", RS_DROP, NULL);
        }
        table->chains[0].rules[0].matches = &match;
        table->chains[0].rules[0].matches_len = 1;
        expect(fixture, verdict);
        table->chains[0].rules[0].matches_len = 0;
}

static void test_interfaces(void **state)
{
        match_interface(*state, RS_MATCH_IIFNAME, "br-1", RS_DROP);
        match_interface(*state, RS_MATCH_IIFNAME, "br-", RS_ACCEPT);
        match_interface(*state, RS_MATCH_IIFNAME, "br-*", RS_DROP);
        match_interface(*state, RS_MATCH_IIFNAME, "br-1*", RS_DROP);
        match_interface(*state, RS_MATCH_IIFNAME, "br-11*", RS_ACCEPT);
        match_interface(*state, RS_MATCH_IIFNAME, "*", RS_DROP);
        match_interface(*state, RS_MATCH_OIFNAME, "br-*", RS_ACCEPT);
        match_interface(*state, RS_MATCH_OIFNAME, "eth0", RS_DROP);
}

static void test_ct_state(void **state)
{
        struct rs_match match = {.kind = RS_MATCH_CT_STATE, .ct_state = RS_CT_ESTABLISHED | RS_CT_RELATED};
        struct fixture *fixture = *state;
        struct rs_rule *rule;

        add_base(fixture, "base", 0);
        rule = add_rule(fixture, "base", RS_DROP, NULL);
        rule->matches = &match;
        rule->matches_len = 1;
        expect(fixture, RS_ACCEPT);
        fixture->packet.ct_state = RS_CT_RELATED;
        expect(fixture, RS_DROP);
}

/* One set with one key; a rule that drops what is in it, or not in it. */
static struct rs_match *set_rule(struct fixture *fixture, enum rs_key key, enum rs_field field, const uint8_t *value)
{
        static struct rs_match match;
        struct rs_set *set = rs_table_add_set(&fixture->ruleset->tables[0], "s", key);
        struct rs_rule *rule;

        memcpy(rs_set_add_elem(set)->key, value, RS_KEY_SIZE_MAX);
        match = (struct rs_match){.kind = RS_MATCH_SET, .field = field, .set = "s"};
        add_base(fixture, "base", 0);
        rule = add_rule(fixture, "base", RS_DROP, NULL);
        rule->matches = &match;
        rule->matches_len = 1;
        return &match;
}

static void test_sets(void **state)
{
        struct fixture *fixture = *state;
        uint8_t key[RS_KEY_SIZE_MAX];
        struct rs_match *match;

        rs_key_addr(key, &fixture->packet.saddr);
        match = set_rule(fixture, RS_KEY_ADDR4, RS_FIELD_SADDR, key);
        expect(fixture, RS_DROP);
        match->negate = true;
        expect(fixture, RS_ACCEPT);
        match->field = RS_FIELD_DADDR;
        expect(fixture, RS_DROP);
        match->negate = false;
        expect(fixture, RS_ACCEPT);
        /* An IPv6 packet has no such field: neither in nor not in. */
        assert_true(addr_parse("::1", &fixture->packet.saddr));
        assert_true(addr_parse("::2", &fixture->packet.daddr));
        expect(fixture, RS_ACCEPT);
        match->negate = true;
        expect(fixture, RS_ACCEPT);
        match->field = RS_FIELD_PROTO;
        expect_refused(fixture);
        match->field = RS_FIELD_SADDR;
        match->set = "other";
        expect_refused(fixture);
}

static void test_address_pairs(void **state)
{
        struct fixture *fixture = *state;
        uint8_t key[RS_KEY_SIZE_MAX];

        assert_true(addr_parse("fd00::1", &fixture->packet.saddr));
        assert_true(addr_parse("fd00::2", &fixture->packet.daddr));
        rs_key_addr_pair(key, &fixture->packet.saddr, &fixture->packet.daddr);
        set_rule(fixture, RS_KEY_ADDR6_PAIR, RS_FIELD_SADDR_DADDR, key);
        expect(fixture, RS_DROP);
        fixture->packet.daddr = fixture->packet.saddr;
        expect(fixture, RS_ACCEPT);
}

static void test_ports(void **state)
{
        struct fixture *fixture = *state;
        uint8_t key[RS_KEY_SIZE_MAX];
        struct rs_match *match;

        rs_key_proto_port(key, IPPROTO_TCP, 80);
        match = set_rule(fixture, RS_KEY_PROTO_PORT, RS_FIELD_PROTO_DPORT, key);
        expect(fixture, RS_DROP);
        fixture->packet.protocol = IPPROTO_UDP;
        expect(fixture, RS_ACCEPT);
        match->negate = true;
        expect(fixture, RS_DROP);
        fixture->packet.has_ports = false;
        expect(fixture, RS_ACCEPT);
}

static void test_icmpv6_type(void **state)
{
        const uint8_t key[RS_KEY_SIZE_MAX] = {135};
        struct fixture *fixture = *state;

        set_rule(fixture, RS_KEY_ICMPV6_TYPE, RS_FIELD_ICMPV6_TYPE, key);
        fixture->packet.icmpv6_type = 135;
        expect(fixture, RS_ACCEPT);
        fixture->packet.protocol = IPPROTO_ICMPV6;
        expect(fixture, RS_DROP);
        fixture->packet.icmpv6_type = 128;
        expect(fixture, RS_ACCEPT);
}

/* What the map lacks goes on to the next rule; origins come from elements; lookups are counted. */
static void test_vmap(void **state)
{
        struct rs_origin origins[] = {{.direction = DIR_EGRESS}, {.direction = DIR_INGRESS}};
        struct fixture *fixture = *state;
        struct rs_result result;
        struct rs_elem *elem;
        struct rs_rule *rule;
        struct rs_set *map;

        fixture->ruleset->origins = origins;
        fixture->ruleset->origins_len = 2;
        map = rs_table_add_set(&fixture->ruleset->tables[0], "m", RS_KEY_PROTO);
        map->map = true;
        elem = rs_set_add_elem(map);
        elem->key[0] = IPPROTO_TCP;
        elem->verdict.kind = RS_RETURN;
        elem->origin = 0;
        add_base(fixture, "base", 0);
        add_rule(fixture, "base", RS_JUMP, "sub");
        add_rule(fixture, "base", RS_ACCEPT, NULL)->origin = 1;
        rule = add_rule(fixture, "sub", RS_ACCEPT, NULL);
        rule->action = RS_DO_VMAP;
        rule->field = RS_FIELD_PROTO;
        rule->map = "m";
        add_rule(fixture, "sub", RS_DROP, NULL);
        expect_result(fixture, RS_ACCEPT, 1, 0);
        assert_int_equal(ruleset_eval(fixture->ruleset, &fixture->packet, &result), 0);
        assert_int_equal(result.lookups, 1);
        fixture->packet.protocol = IPPROTO_UDP;
        expect(fixture, RS_DROP);
        rs_table_find_set(&fixture->ruleset->tables[0], "m")->map = false;
        expect_refused(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_empty),
                TEST(test_policy_is_accept),
                TEST(test_other_hook),
                TEST(test_accept_ends_one_base_chain_only),
                TEST(test_drop_is_final),
                TEST(test_jump_comes_back),
                TEST(test_goto_does_not),
                TEST(test_goto_in_a_jump),
                TEST(test_depth),
                TEST(test_too_deep),
                TEST(test_loop),
                TEST(test_nowhere),
                TEST(test_into_a_base_chain),
                TEST(test_foreign),
                TEST(test_interfaces),
                TEST(test_ct_state),
                TEST(test_sets),
                TEST(test_address_pairs),
                TEST(test_ports),
                TEST(test_icmpv6_type),
                TEST(test_vmap),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
