/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics: order, limits, and how they look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/diag.h>
#include <vethwall/strbuf.h>

static void assert_format(const struct diag_list *list, bool colour, const char *expected)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        diag_list_format(&buf, list, colour);
        assert_int_equal(strbuf_check(&buf), 0);
        assert_string_equal(buf.text, expected);
}

static void test_format(void **state)
{
        _cleanup_(diag_list_fini) struct diag_list list = DIAG_LIST_INIT;

        (void)state;
        assert_format(&list, false, "");
        assert_int_equal(diag_add(&list,
                                  &(struct diag){.severity = DIAG_ERROR,
                                                 .rule = "VW003",
                                                 .file = (char *)"p.yaml",
                                                 .line = 12,
                                                 .col = 3,
                                                 .end_col = 13,
                                                 .source = (char *)"  podSelectr: {}",
                                                 .hint = (char *)"did you mean \"podSelector\"?"},
                                  "unknown field \"%s\"", "podSelectr"),
                         0);
        assert_int_equal(
                diag_add(&list, &(struct diag){.severity = DIAG_WARNING, .file = (char *)"p.yaml", .line = 3}, "w"), 0);
        assert_int_equal(diag_add(&list, &(struct diag){.severity = DIAG_INFO, .file = (char *)"p.yaml"}, "i"), 0);
        assert_int_equal(diag_add(&list, &(struct diag){.severity = DIAG_ERROR}, "no file"), 0);
        assert_int_equal(list.errors, 2);
        assert_format(&list, false,
                      "p.yaml:12:3: error: unknown field \"podSelectr\" [VW003]\n"
                      "  12 |   podSelectr: {}\n"
                      "     |   ^~~~~~~~~~\n"
                      "  help: did you mean \"podSelector\"?\n"
                      "p.yaml:3: warning: w\n"
                      "p.yaml: info: i\n"
                      "error: no file\n"
                      "2 errors, 1 warning, 1 note\n");
        diag_list_sort(&list);
        assert_null(list.items[0].file);
        assert_string_equal(list.items[1].message, "i");
        assert_string_equal(list.items[2].message, "w");
}

/* Another place is shown as the first is, below all that is said of it. */
static void test_places(void **state)
{
        _cleanup_(diag_list_fini) struct diag_list list = DIAG_LIST_INIT;
        struct diag_place places[] = {
                {.file = (char *)"q.yaml",
                 .line = 7,
                 .col = 3,
                 .end_col = 5,
                 .message = (char *)"this decides",
                 .source = (char *)"- {}"},
                {.file = (char *)"r.yaml", .line = 1, .col = 1, .message = (char *)"and this"},
        };

        (void)state;
        assert_int_equal(diag_add(&list,
                                  &(struct diag){.severity = DIAG_WARNING,
                                                 .file = (char *)"p.yaml",
                                                 .line = 3,
                                                 .col = 1,
                                                 .hint = (char *)"h",
                                                 .places = places,
                                                 .places_len = ARRAY_SIZE(places)},
                                  "w"),
                         0);
        places[0].line = 9;
        assert_format(&list, false,
                      "p.yaml:3:1: warning: w\n"
                      "  help: h\n"
                      "q.yaml:7:3: note: this decides\n"
                      "  7 | - {}\n"
                      "    |   ^~\n"
                      "r.yaml:1:1: note: and this\n"
                      "1 warning\n");
}

static void test_colour(void **state)
{
        _cleanup_(diag_list_fini) struct diag_list list = DIAG_LIST_INIT;

        (void)state;
        assert_int_equal(diag_add(&list,
                                  &(struct diag){.severity = DIAG_ERROR,
                                                 .file = (char *)"f",
                                                 .line = 1,
                                                 .col = 1,
                                                 .source = (char *)"x"},
                                  "m"),
                         0);
        assert_format(&list, true,
                      "\033[1mf:1:1: \033[1;31merror: \033[0mm\n  1 | x\n    | \033[1;32m^\033[0m\n1 error\n");
}

/* The caret stands under its character whatever comes before, and what a terminal would obey is not passed on. */
static void test_source(void **state)
{
        _cleanup_(diag_list_fini) struct diag_list list = DIAG_LIST_INIT;
        struct diag where = {.severity = DIAG_ERROR, .file = (char *)"f\033[2J", .line = 1, .col = 4, .end_col = 99};

        (void)state;
        where.source = (char *)"\té\tx\033y";
        assert_int_equal(diag_add(&list, &where, "a\nb"), 0);
        where.source = (char *)"...cut";
        where.source_col = 98;
        where.col = 101;
        where.end_col = 0;
        assert_int_equal(diag_add(&list, &where, "c"), 0);
        where.col = 200;
        assert_int_equal(diag_add(&list, &where, "d"), 0);
        assert_format(&list, false,
                      "f\xef\xbf\xbd[2J:1:4: error: a\xef\xbf\xbd"
                      "b\n"
                      "  1 | \té\tx\xef\xbf\xbdy\n"
                      "    | \t \t^~~\n"
                      "f\xef\xbf\xbd[2J:1:101: error: c\n"
                      "  1 | ...cut\n"
                      "    |    ^\n"
                      "f\xef\xbf\xbd[2J:1:200: error: d\n"
                      "  1 | ...cut\n"
                      "3 errors\n");
}

static void test_limit(void **state)
{
        _cleanup_(diag_list_fini) struct diag_list list = DIAG_LIST_INIT;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        const char *end = "4 errors, 996 warnings, 24 more not shown\n";
        int i;

        (void)state;
        for (i = 0; i < DIAG_LIST_MAX + 24; i++)
                assert_int_equal(
                        diag_add(&list, &(struct diag){.severity = i < DIAG_LIST_MAX + 20 ? DIAG_WARNING : DIAG_ERROR},
                                 "%d", i),
                        0);
        assert_int_equal(list.len, DIAG_LIST_MAX);
        assert_int_equal(list.dropped, 24);
        /* An error is shown in a warning's stead, and of the errors that are not shown the number is known. */
        assert_int_equal(list.errors, 4);
        assert_string_equal(list.items[DIAG_LIST_MAX - 5].message, "995");
        assert_string_equal(list.items[DIAG_LIST_MAX - 1].message, "1023");
        diag_list_format(&buf, &list, false);
        assert_string_equal(buf.text + buf.len - strlen(end), end);
        for (i = 0; i < DIAG_LIST_MAX; i++)
                assert_int_equal(diag_add(&list, &(struct diag){.severity = DIAG_ERROR}, "e"), 0);
        assert_int_equal(list.len, DIAG_LIST_MAX);
        assert_int_equal(list.errors, DIAG_LIST_MAX + 4);
        assert_int_equal(list.dropped, 24 + DIAG_LIST_MAX);
        assert_int_equal(list.items[0].severity, DIAG_ERROR);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format), cmocka_unit_test(test_places), cmocka_unit_test(test_colour),
                cmocka_unit_test(test_source), cmocka_unit_test(test_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
