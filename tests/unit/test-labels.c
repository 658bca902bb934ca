/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Label sets, selectors, and the syntax of labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/labels.h>

static struct label_set make_set(struct label *items, size_t len)
{
        struct label_set set = {.items = items, .len = len};

        label_set_normalise(&set);
        return set;
}

static void test_normalise(void **state)
{
        struct label items[] = {{"b", "1"}, {"a", "1"}, {"c", "1"}, {"a", "2"}, {"b", "0"}, {"a", "3"}};
        struct label_set set = make_set(items, ARRAY_SIZE(items));

        (void)state;
        assert_int_equal(set.len, 3);
        assert_string_equal(label_set_get(&set, "a"), "3");
        assert_string_equal(label_set_get(&set, "b"), "0");
        assert_string_equal(label_set_get(&set, "c"), "1");
        assert_null(label_set_get(&set, ""));
        assert_null(label_set_get(&set, "aa"));
        assert_null(label_set_get(&set, "d"));
}

/* Against a plain search, with keys in an order that repeats them near and far. */
static void test_normalise_many(void **state)
{
        static char texts[997][8];
        struct label items[997], copy[997];
        struct label_set set;
        size_t len, i, j;

        (void)state;
        for (len = 0; len <= ARRAY_SIZE(items); len += len < 40 ? 1 : 319) {
                for (i = 0; i < len; i++) {
                        snprintf(texts[i], sizeof(texts[i]), "k%zu", i * 7919 % (len / 3 + 1));
                        items[i] = copy[i] = (struct label){texts[i], texts[(i * 31 + 7) % len]};
                }
                set = make_set(items, len);
                for (i = 1; i < set.len; i++)
                        assert_true(strcmp(set.items[i - 1].key, set.items[i].key) < 0);
                for (i = 0; i < len; i++) {
                        const char *last = NULL;

                        for (j = 0; j < len; j++)
                                if (strcmp(copy[j].key, copy[i].key) == 0)
                                        last = copy[j].value;
                        assert_ptr_equal(label_set_get(&set, copy[i].key), last);
                }
        }
}

static void test_set_cmp(void **state)
{
        struct label a[] = {{"a", "1"}}, b[] = {{"a", "2"}}, c[] = {{"a", "1"}, {"b", "1"}};
        struct label_set none = {0}, sets[3] = {{a, 1}, {c, 2}, {b, 1}};

        (void)state;
        assert_int_equal(label_set_cmp(&none, &none), 0);
        assert_true(label_set_cmp(&none, &sets[0]) < 0);
        assert_true(label_set_cmp(&sets[0], &sets[1]) < 0);
        assert_true(label_set_cmp(&sets[1], &sets[2]) < 0);
        assert_true(label_set_cmp(&sets[2], &sets[0]) > 0);
        assert_int_equal(label_set_cmp(&sets[1], &sets[1]), 0);
}

/* labels.Requirement: NotIn and DoesNotExist hold where the key is absent; an empty value is a value. */
static void test_requirements(void **state)
{
        struct label items[] = {{"app", "web"}, {"empty", ""}};
        struct label_set labels = make_set(items, ARRAY_SIZE(items));
        const char *web[] = {"api", "web"}, *other[] = {"db"}, *blank[] = {""};
        static const struct {
                enum label_op op;
                const char *key;
                int values; /* 0: web, 1: other, 2: blank */
                bool matches;
        } cases[] = {
                {LABEL_IN, "app", 0, true},
                {LABEL_IN, "app", 1, false},
                {LABEL_IN, "none", 0, false},
                {LABEL_NOT_IN, "app", 0, false},
                {LABEL_NOT_IN, "app", 1, true},
                {LABEL_NOT_IN, "none", 0, true},
                {LABEL_IN, "empty", 2, true},
                {LABEL_IN, "none", 2, false},
                {LABEL_IN, "app", 2, false},
                {LABEL_NOT_IN, "empty", 2, false},
                {LABEL_NOT_IN, "none", 2, true},
                {LABEL_EXISTS, "app", -1, true},
                {LABEL_EXISTS, "empty", -1, true},
                {LABEL_EXISTS, "none", -1, false},
                {LABEL_DOES_NOT_EXIST, "app", -1, false},
                {LABEL_DOES_NOT_EXIST, "none", -1, true},
        };
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(cases); i++) {
                struct label_requirement requirement = {.op = cases[i].op, .key = cases[i].key};
                struct selector selector = {.requirements = &requirement, .len = 1};

                if (cases[i].values >= 0) {
                        requirement.values = cases[i].values == 0 ? web : cases[i].values == 1 ? other : blank;
                        requirement.values_len = cases[i].values == 0 ? 2 : 1;
                }
                if (label_requirement_matches(&requirement, &labels) != cases[i].matches)
                        fail_msg("%s %s", cases[i].key, label_op_name(cases[i].op));
                assert_int_equal(selector_matches(&selector, &labels), cases[i].matches);
                assert_ptr_equal(selector_failure(&selector, &labels), cases[i].matches ? NULL : &requirement);
        }
}

static void test_selector(void **state)
{
        struct label items[] = {{"app", "web"}};
        struct label_set labels = make_set(items, 1), none = {0};
        struct label_requirement requirements[] = {{.op = LABEL_EXISTS, .key = "app"},
                                                   {.op = LABEL_EXISTS, .key = "tier"}};
        struct selector both = {.requirements = requirements, .len = 2}, all = {0};

        (void)state;
        assert_true(selector_matches(&all, &none));
        assert_true(selector_matches(&all, &labels));
        assert_false(selector_matches(&both, &labels));
        assert_ptr_equal(selector_failure(&both, &labels), &requirements[1]);
}

static void test_selector_order(void **state)
{
        const char *v1[] = {"b", "a", "b"}, *v2[] = {"a", "b"}, *v3[] = {"a"};
        struct label_requirement r1[] = {{.op = LABEL_EXISTS, .key = "z"},
                                         {.op = LABEL_IN, .key = "k", .values = v1, .values_len = 3}};
        struct label_requirement r2[] = {{.op = LABEL_IN, .key = "k", .values = v2, .values_len = 2},
                                         {.op = LABEL_EXISTS, .key = "z"}};
        struct label_requirement r3[] = {{.op = LABEL_IN, .key = "k", .values = v3, .values_len = 1},
                                         {.op = LABEL_EXISTS, .key = "z"}};
        struct selector a = {r1, 2, {0}}, b = {r2, 2, {0}}, c = {r3, 2, {0}}, none = {0};

        (void)state;
        selector_normalise(&a);
        selector_normalise(&b);
        selector_normalise(&c);
        selector_normalise(&none);
        assert_int_equal(selector_cmp(&a, &b), 0);
        assert_true(selector_cmp(&c, &a) < 0);
        assert_true(selector_cmp(&none, &c) < 0);
        assert_true(selector_cmp(&a, &none) > 0);
        assert_int_equal(a.requirements[0].values_len, 2);
}

static void test_syntax(void **state)
{
        static const char *const keys[] = {
                "a", "A1", "a-b_c.d", "example.com/a", "a.b-c/X", "kubernetes.io/metadata.name"};
        static const char *const no_keys[] = {"",      "-a",     "a-",   "a b",   "/a", "a/",    "A.com/a",
                                              "a/b/c", "a..b/c", "-a/b", "a_b/c", "é",  "a.-b/c"};
        static const char *const values[] = {"", "a", "1.0", "A_b-C"};
        static const char *const no_values[] = {"-", "a b", "a/b", ".a", "a.", "é"};
        char text[320];
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(keys); i++)
                if (!label_key_is_valid(keys[i]))
                        fail_msg("%s", keys[i]);
        for (i = 0; i < ARRAY_SIZE(no_keys); i++)
                if (label_key_is_valid(no_keys[i]))
                        fail_msg("%s", no_keys[i]);
        for (i = 0; i < ARRAY_SIZE(values); i++)
                if (!label_value_is_valid(values[i]))
                        fail_msg("%s", values[i]);
        for (i = 0; i < ARRAY_SIZE(no_values); i++)
                if (label_value_is_valid(no_values[i]))
                        fail_msg("%s", no_values[i]);
        memset(text, 'a', sizeof(text));
        text[63] = '\0';
        assert_true(label_value_is_valid(text));
        assert_true(label_key_is_valid(text));
        text[63] = 'a';
        text[64] = '\0';
        assert_false(label_value_is_valid(text));
        assert_false(label_key_is_valid(text));
        memset(text, 'a', sizeof(text));
        memcpy(text + 253, "/k", 3);
        assert_true(label_key_is_valid(text));
        memset(text, 'a', sizeof(text));
        memcpy(text + 254, "/k", 3);
        assert_false(label_key_is_valid(text));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_normalise), cmocka_unit_test(test_normalise_many),
                cmocka_unit_test(test_set_cmp),   cmocka_unit_test(test_requirements),
                cmocka_unit_test(test_selector),  cmocka_unit_test(test_selector_order),
                cmocka_unit_test(test_syntax),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
