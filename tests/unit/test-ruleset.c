/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ruleset model: canonical order, search, equality. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/ruleset.h>

#include "random_ruleset.h"
#include "rng.h"

static struct rs_elem *add_port(struct rs_set *set, uint8_t protocol, uint16_t first, uint16_t last)
{
        struct rs_elem *elem = rs_set_add_elem(set);

        assert_non_null(elem);
        rs_key_proto_port(elem->key, protocol, first);
        rs_key_proto_port(elem->key_end, protocol, last);
        return elem;
}

static struct rs_elem *add_range(struct rs_set *set, const char *first, const char *last)
{
        struct rs_elem *elem = rs_set_add_elem(set);
        struct addr addr;

        assert_non_null(elem);
        assert_true(addr_parse(first, &addr));
        rs_key_addr(elem->key, &addr);
        assert_true(addr_parse(last, &addr));
        rs_key_addr(elem->key_end, &addr);
        return elem;
}

static const struct rs_elem *find_addr(const struct rs_set *set, const char *text)
{
        uint8_t key[RS_KEY_SIZE_MAX];
        struct addr addr;

        assert_true(addr_parse(text, &addr));
        rs_key_addr(key, &addr);
        return rs_set_find_elem(set, key);
}

static void test_seal_sorts(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct rs_table *table;
        struct rs_set *set;

        (void)state;
        assert_int_equal(ruleset_new(&ruleset), 0);
        assert_non_null(ruleset_add_table(ruleset, RS_BRIDGE, "b"));
        assert_non_null(ruleset_add_table(ruleset, RS_INET, "z"));
        table = ruleset_add_table(ruleset, RS_INET, "a");
        assert_non_null(rs_table_add_chain(table, "y"));
        assert_non_null(rs_table_add_chain(table, "x"));
        assert_non_null(rs_table_add_set(table, "t", RS_KEY_ADDR4));
        set = rs_table_add_set(table, "s", RS_KEY_ADDR4);
        add_range(set, "10.0.0.9", "0.0.0.0");
        add_range(set, "9.0.0.10", "0.0.0.0");
        ruleset_seal(ruleset);

        assert_string_equal(ruleset->tables[0].name, "a");
        assert_string_equal(ruleset->tables[1].name, "z");
        assert_int_equal(ruleset->tables[2].family, RS_BRIDGE);
        table = ruleset_find_table(ruleset, RS_INET, "a");
        assert_ptr_equal(table, &ruleset->tables[0]);
        assert_null(ruleset_find_table(ruleset, RS_BRIDGE, "a"));
        assert_string_equal(table->chains[0].name, "x");
        assert_ptr_equal(rs_table_find_chain(table, "y"), &table->chains[1]);
        assert_null(rs_table_find_chain(table, "z"));
        set = rs_table_find_set(table, "s");
        assert_ptr_equal(set, &table->sets[0]);
        assert_int_equal(set->elems[0].key[0], 9);
        /* Without ranges the end of an element is the element. */
        assert_memory_equal(set->elems[0].key_end, set->elems[0].key, RS_KEY_SIZE_MAX);
        assert_null(rs_table_find_set(table, ""));
}

static void test_find_in_ranges(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct rs_set *set;

        (void)state;
        assert_int_equal(ruleset_new(&ruleset), 0);
        set = rs_table_add_set(ruleset_add_table(ruleset, RS_INET, "t"), "s", RS_KEY_ADDR4);
        set->interval = true;
        assert_null(find_addr(set, "1.2.3.4"));
        add_range(set, "255.255.255.255", "255.255.255.255");
        add_range(set, "0.0.0.0", "9.255.255.255");
        add_range(set, "10.0.0.1", "10.0.1.0");
        ruleset_seal(ruleset);

        assert_ptr_equal(find_addr(set, "0.0.0.0"), &set->elems[0]);
        assert_ptr_equal(find_addr(set, "9.255.255.255"), &set->elems[0]);
        assert_null(find_addr(set, "10.0.0.0"));
        assert_ptr_equal(find_addr(set, "10.0.0.1"), &set->elems[1]);
        assert_ptr_equal(find_addr(set, "10.0.0.255"), &set->elems[1]);
        assert_ptr_equal(find_addr(set, "10.0.1.0"), &set->elems[1]);
        assert_null(find_addr(set, "10.0.1.1"));
        assert_null(find_addr(set, "255.255.255.254"));
        assert_ptr_equal(find_addr(set, "255.255.255.255"), &set->elems[2]);
}

static void test_find_in_boxes(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        uint8_t key[RS_KEY_SIZE_MAX];
        struct rs_set *set;

        (void)state;
        assert_int_equal(ruleset_new(&ruleset), 0);
        set = rs_table_add_set(ruleset_add_table(ruleset, RS_INET, "t"), "s", RS_KEY_PROTO_PORT);
        set->interval = true;
        add_port(set, IPPROTO_TCP, 80, 90);
        add_port(set, IPPROTO_UDP, 0, 65535);
        /* A range of protocols: 1 to 200, ports 10 to 20, which begins before the others and holds keys after them. */
        add_port(set, 18, 10, 20)->key_end[0] = 200;
        ruleset_seal(ruleset);

        rs_key_proto_port(key, IPPROTO_TCP, 90);
        assert_ptr_equal(rs_set_find_elem(set, key), &set->elems[0]);
        rs_key_proto_port(key, IPPROTO_TCP, 91);
        assert_null(rs_set_find_elem(set, key));
        rs_key_proto_port(key, IPPROTO_UDP, 65535);
        assert_ptr_equal(rs_set_find_elem(set, key), &set->elems[1]);
        rs_key_proto_port(key, IPPROTO_SCTP, 15);
        assert_ptr_equal(rs_set_find_elem(set, key), &set->elems[2]);
        rs_key_proto_port(key, IPPROTO_SCTP, 21);
        assert_null(rs_set_find_elem(set, key));
        rs_key_proto_port(key, 5, 15);
        assert_null(rs_set_find_elem(set, key));
}

static void test_rules_differ(void **state)
{
        struct rs_match match = {.kind = RS_MATCH_SET, .field = RS_FIELD_SADDR, .set = "s"}, other = match;
        struct rs_rule a = {.matches = &match, .matches_len = 1, .verdict = {RS_JUMP, "c"}, .comment = "x"}, b = a;

        (void)state;
        b.matches = &other;
        b.handle = 7;
        b.origin = 7;
        b.count.packets = 7;
        assert_true(rs_rule_equal(&a, &b));
        other.negate = true;
        assert_false(rs_rule_equal(&a, &b));
        other = match;
        other.set = "t";
        assert_false(rs_rule_equal(&a, &b));
        other = match;
        other.field = RS_FIELD_DADDR;
        assert_false(rs_rule_equal(&a, &b));
        other = match;
        b.comment = NULL;
        assert_false(rs_rule_equal(&a, &b));
        b.comment = "x";
        b.verdict.chain = "d";
        assert_false(rs_rule_equal(&a, &b));
        b.verdict.chain = "c";
        b.counter = true;
        assert_false(rs_rule_equal(&a, &b));
        b.counter = false;
        assert_true(rs_rule_equal(&a, &b));
        b.foreign = true;
        assert_false(rs_rule_equal(&a, &b));
        assert_false(rs_rule_equal(&b, &b));
}

/* Whatever the order in which the objects came, the sealed ruleset is the same; and each change is seen. */
static void test_order_does_not_matter(void **state)
{
        (void)state;
        for (uint64_t seed = 0; seed < 200; ++seed) {
                _cleanup_(ruleset_freep) struct ruleset *a = NULL, *b = NULL, *c = NULL;

                assert_int_equal(random_ruleset(&a, &(struct random_ruleset){.seed = seed, .shuffle = 1}), 0);
                assert_int_equal(random_ruleset(&b, &(struct random_ruleset){.seed = seed, .shuffle = 2}), 0);
                assert_int_equal(random_ruleset(&c, &(struct random_ruleset){.seed = seed, .salt = 1, .change = 50}),
                                 0);
                assert_true(ruleset_equal(a, b));
                assert_false(ruleset_equal(a, c));
        }
}

static void test_foreign_equals_nothing(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *a = NULL;

        (void)state;
        assert_int_equal(random_ruleset(&a, &(struct random_ruleset){.seed = 1}), 0);
        assert_true(ruleset_equal(a, a));
        a->tables[0].foreign = true;
        assert_false(ruleset_equal(a, a));
        a->tables[0].foreign = false;
        a->tables[0].sets[0].foreign = true;
        assert_false(ruleset_equal(a, a));
        a->tables[0].sets[0].foreign = false;
        a->tables[0].chains[0].foreign = true;
        assert_false(ruleset_equal(a, a));
}

/* Sealing, comparing and finding a hundred thousand elements in random order: any quadratic step would show as minutes. */
static void test_large(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct rng rng = {1};
        struct rs_set *set;

        (void)state;
        assert_int_equal(ruleset_new(&ruleset), 0);
        set = rs_table_add_set(ruleset_add_table(ruleset, RS_INET, "t"), "s", RS_KEY_ADDR4);
        for (size_t i = 0; i < 100000; ++i) {
                uint64_t value = rng_next(&rng);

                memcpy(rs_set_add_elem(set)->key, &value, 4);
        }
        ruleset_seal(ruleset);
        for (size_t i = 0; i < set->elems_len; ++i) {
                const struct rs_elem *elem = rs_set_find_elem(set, set->elems[i].key);

                assert_non_null(elem);
                assert_memory_equal(elem->key, set->elems[i].key, 4);
                if (i > 0)
                        assert_true(rs_elem_cmp(set->key, &set->elems[i - 1], &set->elems[i]) <= 0);
        }
        assert_true(ruleset_equal(ruleset, ruleset));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_seal_sorts),
                cmocka_unit_test(test_find_in_ranges),
                cmocka_unit_test(test_find_in_boxes),
                cmocka_unit_test(test_rules_differ),
                cmocka_unit_test(test_order_does_not_matter),
                cmocka_unit_test(test_foreign_equals_nothing),
                cmocka_unit_test(test_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
