/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text buffer: appending, JSON strings, failure that stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/strbuf.h>

static void test_append(void **state)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        int i;

        (void)state;
        assert_int_equal(strbuf_check(&buf), 0);
        assert_string_equal(buf.text, "");
        strbuf_puts(&buf, "a");
        strbuf_putc(&buf, 'b');
        strbuf_add(&buf, "cdef", 2);
        strbuf_add(&buf, NULL, 0);
        strbuf_printf(&buf, "%d%s", 7, "x");
        assert_string_equal(buf.text, "abcd7x");
        assert_int_equal(buf.len, 6);
        for (i = 0; i < 1000; i++)
                strbuf_printf(&buf, "%03d", i);
        assert_int_equal(buf.len, 3006);
        assert_string_equal(buf.text + 3003, "999");
        strbuf_clear(&buf);
        assert_string_equal(buf.text, "");
        assert_int_equal(strbuf_check(&buf), 0);
}

static void assert_json(const char *text, const char *expected)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        strbuf_json(&buf, text);
        assert_int_equal(strbuf_check(&buf), 0);
        assert_string_equal(buf.text, expected);
}

static void test_json(void **state)
{
        (void)state;
        assert_json("", "\"\"");
        assert_json("plain", "\"plain\"");
        assert_json("a\"b\\c", "\"a\\\"b\\\\c\"");
        assert_json("\n\t\r\x01\x1f\x7f", "\"\\n\\t\\r\\u0001\\u001f\\u007f\"");
        assert_json("é€😀", "\"é€😀\"");
        /* What YAML would read otherwise: a next line, separators of lines, a byte order mark. */
        assert_json("\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0", "\"\\u0080\\u0085\\u009f\xc2\xa0\"");
        assert_json("\xe2\x80\xa8\xe2\x80\xa9\xef\xbb\xbf", "\"\\u2028\\u2029\\ufeff\"");
        /* A byte alone, a sequence cut short, an overlong form, a surrogate, beyond the last character. */
        assert_json("\xff", "\"\xef\xbf\xbd\"");
        assert_json("\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
        assert_json("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
        assert_json("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
        assert_json("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_failure_stays(void **state)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        (void)state;
        strbuf_puts(&buf, "kept");
        strbuf_add(&buf, "x", SIZE_MAX - 1);
        assert_true(buf.failed);
        strbuf_puts(&buf, "not added");
        assert_true(strbuf_check(&buf) < 0);
        assert_string_equal(buf.text, "kept");
        strbuf_clear(&buf);
        strbuf_puts(&buf, "again");
        assert_int_equal(strbuf_check(&buf), 0);
        assert_string_equal(buf.text, "again");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_append),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_failure_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
