/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Differences between rulesets, and plans carried out in memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/diff.h>
#include <vethwall/strbuf.h>

#include "random_ruleset.h"
#include "rng.h"

/* A table with a chain whose rules are "jump <letter>", one for each letter. */
static struct ruleset *with_rules(const char *letters)
{
        struct ruleset *ruleset;
        struct rs_chain *chain;
        struct rs_table *table;

        assert_int_equal(ruleset_new(&ruleset), 0);
        table = ruleset_add_table(ruleset, RS_INET, "t");
        chain = rs_table_add_chain(table, "c");
        for (; *letters; ++letters) {
                struct rs_rule *rule = rs_chain_add_rule(chain);

                rule->verdict.kind = RS_JUMP;
                rule->verdict.chain = arena_strndup(ruleset->arena, letters, 1);
        }
        ruleset_seal(ruleset);
        return ruleset;
}

static struct ruleset *with_elem(const char *addr, const char *comment, enum rs_verdict_kind verdict)
{
        struct ruleset *ruleset;
        struct rs_elem *elem;
        struct rs_table *table;
        struct rs_set *set;
        struct addr key;

        assert_int_equal(ruleset_new(&ruleset), 0);
        table = ruleset_add_table(ruleset, RS_INET, "t");
        set = rs_table_add_set(table, "m", RS_KEY_ADDR4);
        set->map = true;
        elem = rs_set_add_elem(set);
        assert_true(addr_parse(addr, &key));
        rs_key_addr(elem->key, &key);
        elem->comment = comment;
        elem->verdict.kind = verdict;
        ruleset_seal(ruleset);
        return ruleset;
}

/* The plan from a to b reads so, and does what it should. */
static void check(const struct ruleset *a, const struct ruleset *b, bool purge, const char *text)
{
        _cleanup_(ruleset_freep) struct ruleset *after = NULL;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;

        assert_int_equal(ruleset_diff(&plan, a, b, purge), 0);
        if (text) {
                plan_text(&buf, &plan);
                assert_int_equal(strbuf_check(&buf), 0);
                assert_string_equal(buf.text, text);
        }
        assert_int_equal(ruleset_apply(&after, a, &plan), 0);
        assert_true(ruleset_equal(after, b));
}

static void check_rules(const char *from, const char *to, const char *text)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_rules(from), *b = with_rules(to);

        check(a, b, false, text);
}

static void test_rules(void **state)
{
        (void)state;
        check_rules("abc", "abc", "");
        check_rules("", "ab", "+ rule inet t c jump a\n+ rule inet t c jump b\n");
        check_rules("abc", "", "- rule inet t c jump a\n- rule inet t c jump b\n- rule inet t c jump c\n");
        check_rules("ad", "abcd", "+ rule inet t c jump c\n+ rule inet t c jump b\n");
        check_rules("c", "abc", "+ rule inet t c jump b\n+ rule inet t c jump a\n");
        check_rules("abcde", "axcye",
                    "- rule inet t c jump b\n- rule inet t c jump d\n+ rule inet t c jump y\n+ rule inet t c jump x\n");
        check_rules("ab", "ba", "- rule inet t c jump b\n+ rule inet t c jump b\n");
        check_rules("aaa", "aa", "- rule inet t c jump a\n");
}

static void test_rules_at_random(void **state)
{
        struct rng rng = {5};

        (void)state;
        for (size_t i = 0; i < 2000; ++i) {
                char from[12], to[12];

                for (size_t j = 0; j < sizeof(from); ++j) {
                        from[j] = (char)('a' + rng_below(&rng, 4));
                        to[j] = (char)('a' + rng_below(&rng, 4));
                }
                from[rng_below(&rng, sizeof(from))] = '\0';
                to[rng_below(&rng, sizeof(to))] = '\0';
                check_rules(from, to, NULL);
        }
}

static void test_elements(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_elem("10.0.0.1", "x", RS_ACCEPT);
        _cleanup_(ruleset_freep) struct ruleset *verdict = with_elem("10.0.0.1", "x", RS_DROP);
        _cleanup_(ruleset_freep) struct ruleset *comment = with_elem("10.0.0.1", NULL, RS_ACCEPT);
        _cleanup_(ruleset_freep) struct ruleset *other = with_elem("9.0.0.1", "x", RS_ACCEPT);

        (void)state;
        check(a, a, true, "");
        check(a, verdict, false,
              "- element inet t m { 10.0.0.1 comment \"x\" : accept }\n"
              "+ element inet t m { 10.0.0.1 comment \"x\" : drop }\n");
        check(a, comment, false,
              "- element inet t m { 10.0.0.1 comment \"x\" : accept }\n"
              "+ element inet t m { 10.0.0.1 : accept }\n");
        check(a, other, false,
              "- element inet t m { 10.0.0.1 comment \"x\" : accept }\n"
              "+ element inet t m { 9.0.0.1 comment \"x\" : accept }\n");
}

static void test_tables(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_rules("a"), *none = NULL, *after = NULL;
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;

        (void)state;
        assert_int_equal(ruleset_new(&none), 0);
        ruleset_seal(none);
        check(none, a, false, "+ table inet t\n+ chain inet t c\n+ rule inet t c jump a\n");
        check(a, none, true, "- table inet t\n");
        assert_int_equal(ruleset_diff(&plan, a, none, false), 0);
        assert_int_equal(plan.len, 0);
        assert_int_equal(ruleset_apply(&after, a, &plan), 0);
        assert_true(ruleset_equal(after, a));
}

static void test_replaces(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_elem("10.0.0.1", NULL, RS_ACCEPT);
        _cleanup_(ruleset_freep) struct ruleset *b = with_elem("10.0.0.1", NULL, RS_ACCEPT);
        static const char text[] = "- table inet t\n"
                                   "+ table inet t\n"
                                   "+ map inet t m { type ipv4_addr : verdict; }\n"
                                   "+ element inet t m { 10.0.0.1 : accept }\n";

        (void)state;
        a->tables[0].sets[0].counter = true;
        check(a, b, false, text);
        a->tables[0].sets[0].counter = false;
        check(a, b, false, "");
        a->tables[0].sets[0].foreign = true;
        check(a, b, false, text);
        a->tables[0].sets[0].foreign = false;
        a->tables[0].foreign = true;
        check(a, b, false, text);
}

static void test_base_chain_replaces(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_rules("a"), *b = with_rules("a");

        (void)state;
        a->tables[0].chains[0].priority = 3;
        check(a, b, false, "");
        b->tables[0].chains[0].hook = RS_HOOK_FORWARD;
        b->tables[0].chains[0].priority = -10;
        check(a, b, false,
              "- table inet t\n+ table inet t\n"
              "+ chain inet t c { type filter hook forward priority filter - 10; policy accept; }\n"
              "+ rule inet t c jump a\n");
}

static void test_foreign_rule_goes(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_rules("abc"), *b = with_rules("ac");

        (void)state;
        a->tables[0].chains[0].rules[1].foreign = true;
        a->tables[0].chains[0].rules[1].handle = 12;
        check(a, b, false, "- rule inet t c # a rule of another form, handle 12\n");
}

/* What is named is there before and gone after what names it: a doomed map's calls and a doomed chain's rules go first. */
static void test_order(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_elem("10.0.0.1", NULL, RS_GOTO), *b = NULL;
        struct rs_rule *rule;

        (void)state;
        a->tables[0].sets[0].elems[0].verdict.chain = "leaf";
        assert_non_null(rs_table_add_chain(&a->tables[0], "leaf"));
        rule = rs_chain_add_rule(rs_table_add_chain(&a->tables[0], "top"));
        rule->action = RS_DO_VMAP;
        rule->field = RS_FIELD_SADDR;
        rule->map = "m";
        ruleset_seal(a);
        assert_int_equal(ruleset_new(&b), 0);
        assert_non_null(ruleset_add_table(b, RS_INET, "t"));
        ruleset_seal(b);
        check(a, b, false,
              "- rule inet t top ip saddr vmap @m\n"
              "- element inet t m { 10.0.0.1 : goto leaf }\n"
              "- chain inet t leaf\n- chain inet t top\n- map inet t m\n");
        check(b, a, false,
              "+ chain inet t leaf\n+ chain inet t top\n+ map inet t m { type ipv4_addr : verdict; }\n"
              "+ element inet t m { 10.0.0.1 : goto leaf }\n"
              "+ rule inet t top ip saddr vmap @m\n");
}

static void test_apply_refuses(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_elem("10.0.0.1", NULL, RS_ACCEPT);
        _cleanup_(ruleset_freep) struct ruleset *b = with_elem("10.0.0.2", NULL, RS_ACCEPT);
        _cleanup_(ruleset_freep) struct ruleset *c = with_rules("a"), *after = NULL;
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;

        (void)state;
        assert_int_equal(ruleset_diff(&plan, a, b, false), 0);
        assert_int_equal(ruleset_apply(&after, b, &plan), -EINVAL); /* it would add what is there */
        assert_int_equal(ruleset_apply(&after, c, &plan), -EINVAL); /* the set is not there */
        plan_fini(&plan);
        assert_int_equal(ruleset_diff(&plan, c, a, false), 0);
        assert_int_equal(ruleset_apply(&after, a, &plan), -EINVAL); /* the rule is not there */
        assert_null(after);
}

static void test_apply_keeps(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = with_rules("ab"), *b = with_rules("xbc"), *after = NULL;
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        const struct rs_rule *rules;

        (void)state;
        a->tables[0].chains[0].rules[1].handle = 9;
        a->tables[0].chains[0].rules[1].count.packets = 5;
        assert_int_equal(ruleset_diff(&plan, a, b, false), 0);
        assert_int_equal(ruleset_apply(&after, a, &plan), 0);
        a = ruleset_free(a);
        b = ruleset_free(b);
        rules = after->tables[0].chains[0].rules;
        assert_string_equal(rules[0].verdict.chain, "x");
        assert_int_equal(rules[0].handle, 0);
        assert_string_equal(rules[1].verdict.chain, "b");
        assert_int_equal(rules[1].handle, 9);
        assert_int_equal(rules[1].count.packets, 5);
        assert_int_equal(rules[2].origin, RS_ORIGIN_NONE);
}

static void test_at_random(void **state)
{
        size_t ops = 0, replaced = 0;

        (void)state;
        for (uint64_t seed = 0; seed < 300; ++seed) {
                struct random_ruleset how = {.seed = seed, .salt = seed + 1, .change = (unsigned)(seed % 3) * 4};
                _cleanup_(ruleset_freep) struct ruleset *a = NULL, *b = NULL;
                _cleanup_(plan_fini) struct plan plan = PLAN_INIT;

                assert_int_equal(random_ruleset(&a, &(struct random_ruleset){.seed = seed, .shuffle = 3}), 0);
                assert_int_equal(random_ruleset(&b, &how), 0);
                check(a, a, true, "");
                check(a, b, true, NULL);
                check(b, a, true, NULL);
                assert_int_equal(ruleset_diff(&plan, a, b, true), 0);
                assert_int_equal(plan.len == 0, ruleset_equal(a, b));
                ops += plan.len;
                replaced += plan.len > 0 && plan.ops[0].kind == PLAN_DEL_TABLE;
        }
        /* The generator makes both kinds. */
        assert_true(ops > 1000);
        assert_true(replaced > 20 && replaced < 200);
}

/* One element more among a hundred thousand: one operation; any quadratic step would show as minutes. */
static void test_large(void **state)
{
        struct ruleset *rulesets[2] = {NULL, NULL};
        _cleanup_(ruleset_freep) struct ruleset *after = NULL;
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;

        (void)state;
        for (size_t i = 0; i < 2; ++i) {
                struct rs_set *set;

                assert_int_equal(ruleset_new(&rulesets[i]), 0);
                set = rs_table_add_set(ruleset_add_table(rulesets[i], RS_INET, "t"), "s", RS_KEY_PROTO_PORT);
                for (uint32_t j = 0; j < 100000 + i; ++j) {
                        struct rs_elem *elem = rs_set_add_elem(set);

                        rs_key_proto_port(elem->key, (uint8_t)(j >> 16), (uint16_t)j);
                        elem->comment = "x";
                }
                ruleset_seal(rulesets[i]);
        }
        assert_int_equal(ruleset_diff(&plan, rulesets[0], rulesets[1], false), 0);
        assert_int_equal(plan.len, 1);
        assert_int_equal(plan.ops[0].elems_len, 1);
        assert_int_equal(ruleset_apply(&after, rulesets[0], &plan), 0);
        assert_true(ruleset_equal(after, rulesets[1]));
        rulesets[1] = ruleset_free(rulesets[1]);
        rulesets[0] = ruleset_free(rulesets[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_rules_at_random),
                cmocka_unit_test(test_elements),
                cmocka_unit_test(test_tables),
                cmocka_unit_test(test_replaces),
                cmocka_unit_test(test_base_chain_replaces),
                cmocka_unit_test(test_foreign_rule_goes),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_apply_refuses),
                cmocka_unit_test(test_apply_keeps),
                cmocka_unit_test(test_at_random),
                cmocka_unit_test(test_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
