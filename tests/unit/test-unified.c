/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Differences by lines: their form, and that what is shown leads from the one text to the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/unified.h"
#include "rng.h"

static void assert_diff(const char *old, const char *new, const char *expected)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        assert_int_equal(unified_diff(&buf, "f", old, strlen(old), new, strlen(new), false), 0);
        assert_int_equal(strbuf_check(&buf), 0);
        assert_string_equal(buf.text, expected);
}

static void test_form(void **state)
{
        (void)state;
        assert_diff("", "", "");
        assert_diff("a\n", "a\n", "");
        assert_diff("", "a\n", "--- f\n+++ f\n@@ -0,0 +1 @@\n+a\n");
        assert_diff("a\n", "", "--- f\n+++ f\n@@ -1 +0,0 @@\n-a\n");
        assert_diff("a\nb\n", "a\nc\n", "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
        assert_diff("a", "a\n", "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
        assert_diff("1\n2\n3\n4\n5\n6\n7\n8\n", "1\n2\n3\n4\nx\n6\n7\n8\n",
                    "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
        /* Changes with six lines between them are one hunk, with seven two. */
        assert_diff("a\n1\n2\n3\n4\n5\n6\nb\n", "1\n2\n3\n4\n5\n6\n",
                    "--- f\n+++ f\n@@ -1,8 +1,6 @@\n-a\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n");
        assert_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "1\n2\n3\n4\n5\n6\n7\n",
                    "--- f\n+++ f\n@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-b\n");
}

/* The old text with the difference applied, as patch does it. */
static void apply(struct strbuf *ret, const char *old, const char *diff)
{
        const char *line = old, *end;
        size_t at = 1;

        for (; *diff; diff = end + 1) {
                size_t start = 0, len = 1;

                end = strchr(diff, '\n');
                assert_non_null(end);
                if (strncmp(diff, "---", 3) == 0 || strncmp(diff, "+++", 3) == 0)
                        continue;
                if (diff[0] == '@') {
                        assert_true(sscanf(diff, "@@ -%zu,%zu", &start, &len) >= 1);
                        for (start += len == 0; at < start; at++) {
                                const char *next = strchr(line, '\n') + 1;

                                strbuf_add(ret, line, (size_t)(next - line));
                                line = next;
                        }
                        continue;
                }
                if (diff[0] != '-')
                        strbuf_add(ret, diff + 1, (size_t)(end - diff));
                if (diff[0] == '+')
                        continue;
                assert_memory_equal(line, diff + 1, (size_t)(end - diff));
                line += end - diff;
                at++;
        }
        strbuf_puts(ret, line);
}

static void write_lines(struct strbuf *buf, struct rng *rng, uint32_t len, uint32_t kinds)
{
        strbuf_puts(buf, "");
        for (uint32_t i = 0; i < len; i++)
                strbuf_printf(buf, "%u\n", rng_below(rng, kinds));
        assert_int_equal(strbuf_check(buf), 0);
}

static void test_apply(void **state)
{
        struct rng rng = rng_for(1, 2, 3);

        (void)state;
        for (size_t i = 0; i < 2000; i++) {
                _cleanup_(strbuf_fini) struct strbuf old = STRBUF_INIT, new = STRBUF_INIT, diff = STRBUF_INIT,
                                                     got = STRBUF_INIT;
                /* The last few differ in more lines than are searched for. */
                uint32_t len = i < 1995 ? 40 : 3000, kinds = 2 + rng_below(&rng, 20);

                write_lines(&old, &rng, rng_below(&rng, len), kinds);
                write_lines(&new, &rng, rng_below(&rng, len), kinds);
                assert_int_equal(unified_diff(&diff, "f", old.text, old.len, new.text, new.len, false), 0);
                assert_int_equal(strbuf_check(&diff), 0);
                apply(&got, old.text, diff.text);
                assert_int_equal(strbuf_check(&got), 0);
                assert_string_equal(got.text, new.text);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_form),
                cmocka_unit_test(test_apply),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
