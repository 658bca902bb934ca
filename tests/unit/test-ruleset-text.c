/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ruleset's text, form by form. That nft takes it is tested in the kernel suite. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/ruleset.h>
#include <vethwall/strbuf.h>

static struct rs_elem *add_elem(struct rs_set *set, const char *first, const char *last, struct rs_verdict verdict)
{
        struct rs_elem *elem = rs_set_add_elem(set);
        struct addr addr;

        assert_true(addr_parse(first, &addr));
        rs_key_addr(elem->key, &addr);
        assert_true(addr_parse(last, &addr));
        rs_key_addr(elem->key_end, &addr);
        elem->verdict = verdict;
        return elem;
}

static void expect_text(struct ruleset *ruleset, bool replace, const char *text)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        ruleset_seal(ruleset);
        ruleset_text(&buf, ruleset, replace);
        assert_int_equal(strbuf_check(&buf), 0);
        assert_string_equal(buf.text, text);
}

static void test_sets(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct rs_table *table;
        struct rs_elem *elem;
        struct rs_set *set;

        (void)state;
        assert_int_equal(ruleset_new(&ruleset), 0);
        table = ruleset_add_table(ruleset, RS_INET, "t");
        set = rs_table_add_set(table, "a", RS_KEY_ADDR4);
        set->map = true;
        set->interval = true;
        set->counter = true;
        add_elem(set, "10.0.0.0", "10.0.0.255", (struct rs_verdict){RS_GOTO, "c"})->comment = "shop/web";
        add_elem(set, "10.0.1.3", "10.0.1.9", (struct rs_verdict){RS_DROP, NULL});
        add_elem(set, "10.0.2.1", "10.0.2.1", (struct rs_verdict){RS_RETURN, NULL});
        set = rs_table_add_set(table, "b", RS_KEY_ADDR6_PAIR);
        elem = rs_set_add_elem(set);
        elem->key[0] = elem->key[16] = 0xfd;
        elem->key[31] = 1;
        set = rs_table_add_set(table, "c", RS_KEY_PROTO_PORT);
        set->interval = true;
        elem = rs_set_add_elem(set);
        rs_key_proto_port(elem->key, IPPROTO_TCP, 80);
        rs_key_proto_port(elem->key_end, IPPROTO_TCP, 80);
        elem = rs_set_add_elem(set);
        rs_key_proto_port(elem->key, 200, 0);
        rs_key_proto_port(elem->key_end, 200, 65535);
        set = rs_table_add_set(table, "d", RS_KEY_ICMPV6_TYPE);
        rs_set_add_elem(set)->key[0] = 135;
        rs_set_add_elem(set)->key[0] = 200;
        assert_non_null(rs_table_add_set(table, "e", RS_KEY_PROTO));
        expect_text(ruleset, false,
                    "table inet t {\n"
                    "\tmap a {\n"
                    "\t\ttype ipv4_addr : verdict\n"
                    "\t\tflags interval\n"
                    "\t\tcounter\n"
                    "\t\telements = {\n"
                    "\t\t\t10.0.0.0/24 comment \"shop/web\" : goto c,\n"
                    "\t\t\t10.0.1.3-10.0.1.9 : drop,\n"
                    "\t\t\t10.0.2.1 : return\n"
                    "\t\t}\n"
                    "\t}\n"
                    "\n"
                    "\tset b {\n"
                    "\t\ttype ipv6_addr . ipv6_addr\n"
                    "\t\telements = {\n"
                    "\t\t\tfd00:: . fd00::1\n"
                    "\t\t}\n"
                    "\t}\n"
                    "\n"
                    "\tset c {\n"
                    "\t\ttype inet_proto . inet_service\n"
                    "\t\tflags interval\n"
                    "\t\telements = {\n"
                    "\t\t\ttcp . 80,\n"
                    "\t\t\t200 . 0-65535\n"
                    "\t\t}\n"
                    "\t}\n"
                    "\n"
                    "\tset d {\n"
                    "\t\ttype icmpv6_type\n"
                    "\t\telements = {\n"
                    "\t\t\tnd-neighbor-solicit,\n"
                    "\t\t\t200\n"
                    "\t\t}\n"
                    "\t}\n"
                    "\n"
                    "\tset e {\n"
                    "\t\ttype inet_proto\n"
                    "\t}\n"
                    "}\n");
}

static void test_rules(void **state)
{
        struct rs_match matches[] = {
                {.kind = RS_MATCH_CT_STATE, .ct_state = RS_CT_RELATED | RS_CT_ESTABLISHED},
                {.kind = RS_MATCH_IIFNAME, .ifname = "br-*"},
                {.kind = RS_MATCH_OIFNAME, .ifname = "docker0"},
                {.kind = RS_MATCH_SET, .field = RS_FIELD_SADDR_DADDR, .set = "pairs4"},
                {.kind = RS_MATCH_SET, .field = RS_FIELD_DADDR, .set = "six", .negate = true},
                {.kind = RS_MATCH_SET, .field = RS_FIELD_ICMPV6_TYPE, .set = "types"},
        };
        static const struct {
                enum rs_field field;
                const char *map;
        } vmaps[] = {
                {RS_FIELD_SADDR, "six"}, {RS_FIELD_DADDR, "four"}, {RS_FIELD_PROTO, "p"}, {RS_FIELD_PROTO_DPORT, "q"}};
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct rs_chain *chain;
        struct rs_table *table;
        struct rs_rule *rule;

        (void)state;
        assert_int_equal(ruleset_new(&ruleset), 0);
        table = ruleset_add_table(ruleset, RS_INET, "t");
        assert_non_null(rs_table_add_set(table, "six", RS_KEY_ADDR6));
        chain = rs_table_add_chain(table, "z");
        chain->hook = RS_HOOK_FORWARD;
        chain->priority = -10;
        for (size_t i = 0; i < ARRAY_SIZE(matches); ++i) {
                rule = rs_chain_add_rule(chain);
                rule->matches = &matches[i];
                rule->matches_len = 1;
                rule->counter = i % 2 == 1;
                rule->verdict.kind = i % 2 == 1 ? RS_DROP : RS_ACCEPT;
        }
        for (size_t i = 0; i < ARRAY_SIZE(vmaps); ++i) {
                rule = rs_chain_add_rule(chain);
                rule->action = RS_DO_VMAP;
                rule->field = vmaps[i].field;
                rule->map = vmaps[i].map;
        }
        rule = rs_chain_add_rule(chain);
        rule->matches = &matches[1];
        rule->matches_len = 2;
        rule->counter = true;
        rule->verdict = (struct rs_verdict){RS_JUMP, "a"};
        rule->comment = "why \"not\"\n";
        assert_non_null(rs_table_add_chain(table, "a"));
        expect_text(ruleset, true,
                    "table inet t\n"
                    "delete table inet t\n"
                    "table inet t {\n"
                    "\tset six {\n"
                    "\t\ttype ipv6_addr\n"
                    "\t}\n"
                    "\n"
                    "\tchain z {\n"
                    "\t\ttype filter hook forward priority filter - 10; policy accept;\n"
                    "\t\tct state established,related accept\n"
                    "\t\tiifname \"br-*\" counter drop\n"
                    "\t\toifname \"docker0\" accept\n"
                    "\t\tip saddr . ip daddr @pairs4 counter drop\n"
                    "\t\tip6 daddr != @six accept\n"
                    "\t\ticmpv6 type @types counter drop\n"
                    "\t\tip6 saddr vmap @six\n"
                    "\t\tip daddr vmap @four\n"
                    "\t\tmeta l4proto vmap @p\n"
                    "\t\tmeta l4proto . th dport vmap @q\n"
                    "\t\tiifname \"br-*\" oifname \"docker0\" counter jump a comment \"why 'not'?\"\n"
                    "\t}\n"
                    "\n"
                    "\tchain a {\n"
                    "\t}\n"
                    "}\n");
}

static void test_base_chains_in_order(void **state)
{
        static const struct {
                const char *name;
                enum rs_hook hook;
                int32_t priority;
        } chains[] = {{"a", RS_HOOK_OUTPUT, 0},
                      {"b", RS_HOOK_FORWARD, 20},
                      {"c", RS_HOOK_FORWARD, -155},
                      {"d", RS_HOOK_FORWARD, 20}};
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct rs_table *table;

        (void)state;
        assert_int_equal(ruleset_new(&ruleset), 0);
        table = ruleset_add_table(ruleset, RS_BRIDGE, "t");
        for (size_t i = 0; i < ARRAY_SIZE(chains); ++i) {
                struct rs_chain *chain = rs_table_add_chain(table, chains[i].name);

                chain->hook = chains[i].hook;
                chain->priority = chains[i].priority;
        }
        table->family = RS_INET;
        expect_text(ruleset, false,
                    "table inet t {\n"
                    "\tchain c {\n\t\ttype filter hook forward priority mangle - 5; policy accept;\n\t}\n\n"
                    "\tchain b {\n\t\ttype filter hook forward priority 20; policy accept;\n\t}\n\n"
                    "\tchain d {\n\t\ttype filter hook forward priority 20; policy accept;\n\t}\n\n"
                    "\tchain a {\n\t\ttype filter hook output priority filter; policy accept;\n\t}\n"
                    "}\n");
}

/* A comment that is too long is cut where a character ends. */
static void test_long_comment(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        char comment[201] = "", *end;

        (void)state;
        for (size_t i = 0; i < 100; ++i)
                memcpy(comment + 2 * i, "\xc3\xa9", 3);
        assert_int_equal(ruleset_new(&ruleset), 0);
        rs_chain_add_rule(rs_table_add_chain(ruleset_add_table(ruleset, RS_INET, "t"), "c"))->comment = comment;
        ruleset_text(&buf, ruleset, false);
        assert_int_equal(strbuf_check(&buf), 0);
        end = strrchr(buf.text, '"');
        assert_int_equal(end - strchr(buf.text, '"') - 1, 126);
        assert_memory_equal(end - 2, "\xc3\xa9", 2);
}

static void test_foreign(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct rs_table *table;
        struct rs_rule *rule;

        (void)state;
        assert_int_equal(ruleset_new(&ruleset), 0);
        table = ruleset_add_table(ruleset, RS_INET, "t");
        rs_table_add_set(table, "s", RS_KEY_ADDR4)->foreign = true;
        rs_table_add_chain(table, "a")->foreign = true;
        rule = rs_chain_add_rule(rs_table_add_chain(table, "b"));
        rule->foreign = true;
        rule->handle = 12;
        expect_text(ruleset, false,
                    "table inet t {\n"
                    "\t# a set of another form: s\n"
                    "\n"
                    "\t# a chain of another form: a\n"
                    "\n"
                    "\tchain b {\n"
                    "\t\t# a rule of another form, handle 12\n"
                    "\t}\n"
                    "}\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sets),
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_base_chains_in_order),
                cmocka_unit_test(test_long_comment),
                cmocka_unit_test(test_foreign),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
