/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Comments: each is found with its place, and nothing inside a text is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <core/doc_comment.h>
#include <vethwall/strbuf.h>

/* "LINE:COL TEXT" a line, with a "+" before it where other text stands on the line. */
static void show(struct strbuf *buf, const char *bytes, size_t size)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct doc_comment *comments = NULL;
        const char *text = NULL;
        size_t len = 0, i;
        /* A copy without a NUL behind it, so that the sanitizer sees every byte read beyond the end. */
        char *copy = arena_memdup(arena, bytes, size);

        assert_non_null(copy);
        assert_int_equal(doc_comments_of(copy, size, arena, &text, &comments, &len), 0);
        for (i = 0; i < len; i++)
                strbuf_printf(buf, "%s%u:%u %.*s\n", comments[i].alone ? "" : "+", comments[i].line, comments[i].col,
                              (int)comments[i].size, text + comments[i].offset);
}

static void test_comments(void **state)
{
        static const struct {
                const char *text;
                const char *expected;
        } cases[] = {
                {"", ""},
                {"# a", "1:1 # a\n"},
                {"\xef\xbb\xbf# a\nb: 1", "1:1 # a\n"},
                {"#\n  # b \t\na: 1 # c\r\n# d\r\n", "1:1 #\n2:3 # b\n+3:6 # c\n4:1 # d\n"},
                {"a: b#c\nd: e #f\ng#h: 1\n", "+2:6 #f\n"},
                {"a: 'b # c' # d\ne: \"f # \\\" # g\"#h\n", "+1:12 # d\n+2:16 #h\n"},
                {"a: \"b\n  # c\n  d\" # e\nf: 'g\n\n  # h'\n", "+3:6 # e\n"},
                {"a: b\n  c d\n  # e\nf: 1\n", "3:3 # e\n"},
                {"a: | # b\n  # c\n  d # e\n\n  # f\n# g\nh: 1\n", "+1:6 # b\n6:1 # g\n"},
                {"a: >-2 # b\n    # c\n   # d\n # e\nf: |\n", "+1:8 # b\n4:2 # e\n"},
                {"- |\n  # a\n # b\n- - |\n   # c\n  # d\n", "3:2 # b\n6:3 # d\n"},
                {"a: &x # b\n  # c\n  \"d # e\" # f\ng: *x # h\n", "+1:7 # b\n2:3 # c\n+3:11 # f\n+4:7 # h\n"},
                {"a: !!str # b\n  | # c\n  # d\ne: !!str\n", "+1:10 # b\n+2:5 # c\n"},
                {"a: &x # b\nc: &y\n  # d\n  e: 1\n", "+1:7 # b\n3:3 # d\n"},
                {"a: [ # b\n  c, # d\n  e#f, \"#\",#g\n  # h\n] # i\n",
                 "+1:6 # b\n+2:6 # d\n+3:12 #g\n4:3 # h\n+5:3 # i\n"},
                {"{\"a\": \"# b\", 'c': '''#d'} # e\n", "+1:27 # e\n"},
                {"%YAML 1.1 # a\n# b\n--- # c\nd: 1\n... # e\n# f\n---\n# g\n",
                 "+1:11 # a\n2:1 # b\n+3:5 # c\n+5:5 # e\n6:1 # f\n8:1 # g\n"},
                {"--- | # a\n # b\n--- '# c'\n--- # d\n", "+1:7 # a\n+4:5 # d\n"},
                {"é: ü # ä\nb: # 日本\n", "+1:6 # ä\n+2:4 # 日本\n"},
                {"a: b\xe2\x80\xa8# c\nd: 1 # e\n", "2:1 # c\n+3:6 # e\n"},
                {"? # a\n b # c\n: # d\n c\n", "+1:3 # a\n+2:4 # c\n+3:3 # d\n"},
                {"a: 1 # b\nc: [ # d\n# e\n}\n# f\n", "+1:6 # b\n"},
                {"a: 1 # b\nc: *none # d\n", "+1:6 # b\n"},
        };
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(cases); i++) {
                struct strbuf buf = STRBUF_INIT;

                strbuf_puts(&buf, "");
                show(&buf, cases[i].text, strlen(cases[i].text));
                assert_int_equal(strbuf_check(&buf), 0);
                assert_string_equal(buf.text ? buf.text : "", cases[i].expected);
                strbuf_fini(&buf);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_comments),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
