/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, prefixes and ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/addr.h>

static struct addr parse(const char *text)
{
        struct addr addr;

        if (!addr_parse(text, &addr))
                fail_msg("%s", text);
        return addr;
}

static struct prefix parse_prefix(const char *text)
{
        struct prefix prefix;

        if (!prefix_parse(text, &prefix))
                fail_msg("%s", text);
        return prefix;
}

static void test_addr_text(void **state)
{
        static const char *const cases[][2] = {
                {"10.0.0.1", "10.0.0.1"},
                {"0.0.0.0", "0.0.0.0"},
                {"255.255.255.255", "255.255.255.255"},
                {"::", "::"},
                {"FD00:0:0:0:0:0:0:1", "fd00::1"},
                {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
                {"::ffff:1.2.3.4", "::ffff:1.2.3.4"},
        };
        static const char *const wrong[] = {
                "",        "10.0.0",       "10.0.0.256", "010.0.0.1", "10.0.0.1 ", " 10.0.0.1", "10.0.0.1/32",
                "1::2::3", "fe80::1%eth0", "::g",        "[::1]",     "1.2.3.4.5", "12345::",   "localhost",
        };
        char buf[ADDR_TEXT_MAX];
        struct addr addr = {.family = 77};
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(cases); i++) {
                struct addr got = parse(cases[i][0]);

                assert_string_equal(addr_format(&got, buf), cases[i][1]);
        }
        for (i = 0; i < ARRAY_SIZE(wrong); i++)
                if (addr_parse(wrong[i], &addr))
                        fail_msg("%s", wrong[i]);
        assert_int_equal(addr.family, 77);
        assert_int_equal(parse("::ffff:1.2.3.4").family, ADDR_V6);
}

static void test_addr_order(void **state)
{
        static const char *const sorted[] = {"0.0.0.0", "9.255.255.255", "10.0.0.0", "255.255.255.255",
                                             "::",      "::1",           "fd00::"};
        size_t i, j;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(sorted); i++) {
                for (j = 0; j < ARRAY_SIZE(sorted); j++) {
                        struct addr a = parse(sorted[i]), b = parse(sorted[j]);
                        int cmp = addr_cmp(&a, &b);

                        assert_true(i < j ? cmp < 0 : i > j ? cmp > 0 : cmp == 0);
                        assert_int_equal(addr_equal(&a, &b), i == j);
                }
        }
}

static void test_addr_step(void **state)
{
        static const char *const pairs[][2] = {
                {"10.0.0.255", "10.0.1.0"},
                {"0.255.255.255", "1.0.0.0"},
                {"fd00::ffff", "fd00::1:0"},
                {"0:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1::"},
        };
        enum addr_family family;
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(pairs); i++) {
                struct addr low = parse(pairs[i][0]), high = parse(pairs[i][1]), step = low;

                assert_true(addr_next(&step));
                assert_true(addr_equal(&step, &high));
                assert_true(addr_prev(&step));
                assert_true(addr_equal(&step, &low));
        }
        for (family = 0; family < ADDR_FAMILY_MAX; family++) {
                struct addr low = addr_lowest(family), high = addr_highest(family), step = low;

                assert_false(addr_prev(&step));
                assert_true(addr_equal(&step, &low));
                step = high;
                assert_false(addr_next(&step));
                assert_true(addr_equal(&step, &high));
        }
}

static void test_prefix_text(void **state)
{
        static const char *const good[] = {"0.0.0.0/0", "10.1.2.3/8", "10.0.0.1/32",
                                           "::/0",      "fd00::/64",  "fd00::1/128"};
        static const char *const wrong[] = {
                "10.0.0.0",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/08",
                "10.0.0.0/-1",
                "10.0.0.0/+8",
                "10.0.0.0/8 ",
                "10.0.0/8",
                "::/129",
                "::/0128",
                "/8",
                "10.0.0.0/8/8",
                "10.0.0.0/1000",
                "10.0.0.0/8x",
                "10.0.0.0/a",
                "10.0.0.0/ 8",
                "",
        };
        struct prefix prefix = {.len = 77};
        char buf[ADDR_TEXT_MAX];
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(good); i++) {
                struct prefix got = parse_prefix(good[i]);

                assert_string_equal(prefix_format(&got, buf), good[i]);
        }
        for (i = 0; i < ARRAY_SIZE(wrong); i++)
                if (prefix_parse(wrong[i], &prefix))
                        fail_msg("%s", wrong[i]);
        assert_int_equal(prefix.len, 77);
}

static void test_prefix_range(void **state)
{
        static const char *const cases[][3] = {
                {"10.1.2.3/8", "10.0.0.0", "10.255.255.255"},
                {"10.1.2.3/32", "10.1.2.3", "10.1.2.3"},
                {"10.1.2.3/0", "0.0.0.0", "255.255.255.255"},
                {"10.1.2.3/31", "10.1.2.2", "10.1.2.3"},
                {"10.1.2.3/9", "10.0.0.0", "10.127.255.255"},
                {"fd00::1/65", "fd00::", "fd00::7fff:ffff:ffff:ffff"},
                {"::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
        };
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(cases); i++) {
                struct prefix prefix = parse_prefix(cases[i][0]), back;
                struct addr_range range = prefix_range(&prefix);
                struct addr first = parse(cases[i][1]), last = parse(cases[i][2]), beyond = last;

                assert_true(addr_equal(&range.first, &first));
                assert_true(addr_equal(&range.last, &last));
                assert_true(prefix_contains(&prefix, &first));
                assert_true(prefix_contains(&prefix, &last));
                if (addr_next(&beyond))
                        assert_false(prefix_contains(&prefix, &beyond));
                assert_int_equal(prefix_has_host_bits(&prefix), !addr_equal(&prefix.addr, &first));
                assert_true(addr_range_is_prefix(&range, &back));
                assert_int_equal(back.len, prefix.len);
                assert_true(addr_equal(&back.addr, &first));
        }
}

static void test_range_is_no_prefix(void **state)
{
        static const char *const cases[][2] = {
                {"10.0.0.0", "10.0.0.2"},
                {"10.0.0.1", "10.0.0.2"},
                {"10.0.0.2", "10.0.0.5"},
                {"10.0.0.1", "10.0.0.3"},
                {"::", "::2"},
                {"10.0.0.0", "::"},
        };
        struct prefix prefix;
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(cases); i++) {
                struct addr_range range = {parse(cases[i][0]), parse(cases[i][1])};

                assert_false(addr_range_is_prefix(&range, &prefix));
        }
}

static void test_inside(void **state)
{
        static const struct {
                const char *inner, *outer;
                bool inside;
        } cases[] = {
                {"10.1.0.0/16", "10.0.0.0/8", true},  {"10.0.0.0/8", "10.0.0.0/8", false},
                {"10.0.0.0/8", "10.1.0.0/16", false}, {"11.0.0.0/16", "10.0.0.0/8", false},
                {"10.0.0.1/32", "0.0.0.0/0", true},   {"fd00::/64", "0.0.0.0/0", false},
                {"fd00::/64", "fd00::/63", true},     {"10.1.2.3/16", "10.1.9.9/15", true},
        };
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(cases); i++) {
                struct prefix inner = parse_prefix(cases[i].inner), outer = parse_prefix(cases[i].outer);

                assert_int_equal(prefix_is_strictly_inside(&inner, &outer), cases[i].inside);
        }
}

static void test_families_do_not_mix(void **state)
{
        struct prefix all = parse_prefix("0.0.0.0/0");
        struct addr mapped = parse("::ffff:10.0.0.1"), zero = parse("::");

        (void)state;
        assert_false(prefix_contains(&all, &mapped));
        assert_false(prefix_contains(&all, &zero));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_addr_text),    cmocka_unit_test(test_addr_order),
                cmocka_unit_test(test_addr_step),    cmocka_unit_test(test_prefix_text),
                cmocka_unit_test(test_prefix_range), cmocka_unit_test(test_range_is_no_prefix),
                cmocka_unit_test(test_inside),       cmocka_unit_test(test_families_do_not_mix),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
