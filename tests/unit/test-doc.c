/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The document reader: places, types, what is refused, and that hostile files are refused cheaply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/doc.h>
#include <vethwall/strbuf.h>

struct fixture {
        struct arena *arena;
        struct diag_list diags;
        struct doc_file file;
};

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        f->arena = arena_new();
        assert_non_null(f->arena);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        diag_list_fini(&f->diags);
        arena_free(f->arena);
        free(f);
        return 0;
}

static void parse_bytes(struct fixture *f, const char *bytes, size_t size)
{
        /* A copy without a NUL behind it, so that the sanitizer sees every byte read beyond the end. */
        char *copy = arena_memdup(f->arena, bytes, size);

        assert_non_null(copy);
        assert_int_equal(doc_parse(&f->file, f->arena, "t.yaml", copy, size, &f->diags), 0);
}

static struct doc_node *parse(struct fixture *f, const char *text)
{
        parse_bytes(f, text, strlen(text));
        if (f->diags.len > 0) {
                struct strbuf buf = STRBUF_INIT;

                diag_list_format(&buf, &f->diags, false);
                print_message("%s", buf.text);
                strbuf_fini(&buf);
        }
        assert_int_equal(f->diags.len, 0);
        assert_int_equal(f->file.docs_len, 1);
        return f->file.docs[0];
}

static void assert_refused(struct fixture *f, const char *text, const char *expected)
{
        struct strbuf buf = STRBUF_INIT;

        parse_bytes(f, text, strlen(text));
        diag_list_format(&buf, &f->diags, false);
        assert_int_equal(strbuf_check(&buf), 0);
        assert_string_equal(buf.text, expected);
        strbuf_fini(&buf);
        diag_list_fini(&f->diags);
}

static void test_places(void **state)
{
        struct fixture *f = *state;
        struct doc_node *doc = parse(f, "# héé\nspec:\n  \"é\": [a, \"b c\"]\n  text: |\n    x\n"), *spec, *list;

        spec = doc_get(doc, "spec");
        assert_non_null(spec);
        assert_int_equal(spec->line, 3);
        assert_int_equal(spec->col, 3);
        list = doc_get(spec, "é");
        assert_int_equal(list->kind, DOC_LIST);
        assert_int_equal(list->len, 2);
        assert_int_equal(list->line, 3);
        assert_int_equal(list->col, 8);
        assert_int_equal(list->items[1]->col, 12);
        assert_int_equal(list->items[1]->end_col, 17);
        assert_string_equal(list->items[1]->text, "b c");
        assert_int_equal(doc_get(spec, "text")->end_col, 0);
        assert_null(doc_get(spec, "none"));
        assert_null(doc_get(list, "none"));
        assert_null(doc_get(NULL, "none"));
}

static void test_types(void **state)
{
        static const struct {
                const char *text;
                enum doc_kind kind;
                int64_t integer;
        } cases[] = {
                {"web", DOC_STRING, 0},
                {"\"80\"", DOC_STRING, 0},
                {"'yes'", DOC_STRING, 0},
                {"80", DOC_INT, 80},
                {"-80", DOC_INT, -80},
                {"+80", DOC_INT, 80},
                {"0", DOC_INT, 0},
                {"010", DOC_INT, 8},
                {"0o10", DOC_INT, 8},
                {"08", DOC_FLOAT, 0},
                {"0x1F", DOC_INT, 31},
                {"0b101", DOC_INT, 5},
                {"1_000", DOC_INT, 1000},
                {"99999999999999999999", DOC_INT, INT64_MAX},
                {"-99999999999999999999", DOC_INT, -INT64_MAX},
                {"1.0", DOC_FLOAT, 0},
                {"1.", DOC_FLOAT, 0},
                {".5", DOC_FLOAT, 0},
                {"1e3", DOC_FLOAT, 0},
                {"1e", DOC_STRING, 0},
                {".inf", DOC_FLOAT, 0},
                {"-.INF", DOC_FLOAT, 0},
                {".nan", DOC_FLOAT, 0},
                {"1.2.3", DOC_STRING, 0},
                {"10.0.0.0/8", DOC_STRING, 0},
                {"-", DOC_LIST, 0},
                {"0x", DOC_STRING, 0},
                {"2024-01-01", DOC_STRING, 0},
                {"12:30", DOC_STRING, 0},
                {"true", DOC_BOOL, 1},
                {"yes", DOC_BOOL, 1},
                {"ON", DOC_BOOL, 1},
                {"y", DOC_BOOL, 1},
                {"n", DOC_BOOL, 0},
                {"No", DOC_BOOL, 0},
                {"off", DOC_BOOL, 0},
                {"yEs", DOC_STRING, 0},
                {"~", DOC_NULL, 0},
                {"null", DOC_NULL, 0},
                {"", DOC_NULL, 0},
                {"!!str 80", DOC_STRING, 0},
                {"! 80", DOC_STRING, 0},
                {"!!int 80", DOC_INT, 80},
        };
        struct fixture *f = *state;
        char text[64];
        size_t i;

        for (i = 0; i < ARRAY_SIZE(cases); i++) {
                struct doc_node *value;

                snprintf(text, sizeof(text), "k: %s%s\n", cases[i].kind == DOC_LIST ? "\n  " : "", cases[i].text);
                value = doc_get(parse(f, text), "k");
                if (value->kind != cases[i].kind)
                        fail_msg("%s is %s", cases[i].text, doc_kind_name(value->kind));
                if (value->kind == DOC_INT)
                        assert_int_equal(value->integer, cases[i].integer);
                if (value->kind == DOC_BOOL)
                        assert_int_equal(value->boolean, cases[i].integer);
        }
}

static void test_documents(void **state)
{
        struct fixture *f = *state;
        static const char text[] =
                "\xef\xbb\xbf# comment\n---\n---\na: 1\n---\n~\n...\n---\n{\"b\": [1, \"x\\u0041\"]}\n";

        parse_bytes(f, text, strlen(text));
        assert_int_equal(f->diags.len, 0);
        assert_int_equal(f->file.docs_len, 2);
        assert_int_equal(f->file.docs[0]->line, 4);
        assert_string_equal(doc_get(f->file.docs[1], "b")->items[1]->text, "xA");

        parse_bytes(f, "", 0);
        assert_int_equal(f->file.docs_len, 0);
        assert_int_equal(f->diags.len, 0);
        parse_bytes(f, "\xef\xbb\xbf", 3);
        assert_int_equal(f->diags.len, 0);
}

static void test_json_with_tabs_and_crlf(void **state)
{
        struct fixture *f = *state;
        struct doc_node *doc =
                parse(f, "{\r\n\t\"kind\":\"List\",\r\n\t\"items\":[\r\n\t\t{\"a\":-1.5e3}\r\n\t]\r\n}\r\n");

        assert_int_equal(doc_get(doc, "items")->line, 3);
        assert_int_equal(doc_get(doc_get(doc, "items")->items[0], "a")->kind, DOC_FLOAT);
        assert_int_equal(doc_get(doc, "items")->items[0]->col, 3);
}

static void test_aliases(void **state)
{
        struct fixture *f = *state;
        struct doc_node *doc = parse(f, "a: &x {k: v}\nb: *x\nc: [*x, &x 5, *x]\n"), *c = doc_get(doc, "c");

        assert_ptr_equal(doc_get(doc, "a"), doc_get(doc, "b"));
        assert_ptr_equal(c->items[0], doc_get(doc, "a"));
        assert_int_equal(c->items[2]->integer, 5);
}

static void test_refused(void **state)
{
        struct fixture *f = *state;

        assert_refused(f, "a: 1\nb: 2\na: 3\n",
                       "t.yaml:3:1: error: duplicate key \"a\", first given in line 1 [VW002]\n  3 | a: 3\n    | ^\n"
                       "  help: remove one of the two\n"
                       "t.yaml:1:1: note: the first of them\n  1 | a: 1\n    | ^\n1 error\n");
        assert_refused(f, "a: &x {k: v}\nb:\n  <<: *x\n",
                       "t.yaml:3:3: error: merge keys (<<) are not supported [VW001]\n  3 |   <<: *x\n    |   ^\n"
                       "  help: write the fields out\n1 error\n");
        assert_refused(f, "a: *x\n",
                       "t.yaml:1:4: error: the alias *x refers to no anchor [VW001]\n  1 | a: *x\n    |    ^\n"
                       "  help: a text that begins with * needs quotes\n1 error\n");
        assert_refused(f, "a: &x [*x]\n",
                       "t.yaml:1:8: error: the alias *x refers to what it is a part of [VW001]\n"
                       "  1 | a: &x [*x]\n    |        ^\n1 error\n");
        assert_refused(f, "{{ x }}: 1\n",
                       "t.yaml:1:1: error: a key must be a text, not a mapping [VW001]\n  1 | {{ x }}: 1\n    | ^\n"
                       "  help: is this a template? Render it first\n1 error\n");
        assert_refused(f, "a: \"x\\0y\"\n",
                       "t.yaml:1:4: error: a text must not hold a NUL character [VW001]\n"
                       "  1 | a: \"x\\0y\"\n    |    ^\n1 error\n");
        assert_refused(f, "a: !foo x\n",
                       "t.yaml:1:4: error: the tag !foo is not understood [VW001]\n  1 | a: !foo x\n    |    ^\n"
                       "  help: remove the tag; a text that begins with ! needs quotes\n1 error\n");
        assert_refused(
                f, "a:\n\tb: 1\n",
                "t.yaml:2:1: error: a tab cannot indent [VW001]\n  2 | \tb: 1\n    | ^\n  help: indent with spaces\n"
                "1 error\n");
        assert_refused(f, "a: \xff\n",
                       "t.yaml:1:4: error: byte 0xff is not UTF-8 [VW001]\n  1 | a: \xef\xbf\xbd\n    |    ^\n"
                       "  help: save the file as UTF-8\n1 error\n");
        assert_refused(f, "a: \x1b[2J\n",
                       "t.yaml:1:4: error: the character U+001B is not allowed [VW001]\n  1 | a: \xef\xbf\xbd[2J\n"
                       "    |    ^\n  help: remove it, or write it as an escape in double quotes\n1 error\n");
}

/* What is complete before a syntax error is kept. */
static void test_kept_before_an_error(void **state)
{
        struct fixture *f = *state;
        static const char text[] = "a: 1\n---\nb: [\n";

        parse_bytes(f, text, strlen(text));
        assert_int_equal(f->diags.errors, 1);
        assert_int_equal(f->file.docs_len, 1);
}

static char *repeat(struct fixture *f, const char *text, size_t n)
{
        size_t len = strlen(text), i;
        char *ret = arena_array(f->arena, n * len + 1, 1);

        assert_non_null(ret);
        for (i = 0; i < n; i++)
                memcpy(ret + i * len, text, len);
        return ret;
}

static void assert_one_error(struct fixture *f, const char *bytes, size_t size, const char *rule)
{
        parse_bytes(f, bytes, size);
        assert_int_equal(f->diags.errors, 1);
        assert_string_equal(f->diags.items[0].rule, rule);
        diag_list_fini(&f->diags);
}

static void test_limits(void **state)
{
        struct fixture *f = *state;
        char *text;

        text = repeat(f, "[", 10000);
        assert_one_error(f, text, strlen(text), "VW008");
        text = repeat(f, "- ", 10000);
        assert_one_error(f, text, strlen(text), "VW008");
        text = repeat(f, "{a: ", 10000);
        assert_one_error(f, text, strlen(text), "VW008");
        text = repeat(f, "#", DOC_SIZE_MAX + 1);
        assert_one_error(f, text, strlen(text), "VW008");
        text = repeat(f, "%TAG !a! b\n", 10);
        assert_one_error(f, text, strlen(text), "VW001");
}

/* Nine levels of nine references each: 9^9 values in a few hundred bytes. The memory held is what was written. */
static void test_expansion_is_counted(void **state)
{
        struct fixture *f = *state;
        struct strbuf buf = STRBUF_INIT;
        size_t before = arena_size(f->arena);
        char c;
        int i;

        strbuf_puts(&buf, "a: &a [x, x, x, x, x, x, x, x, x]\n");
        for (c = 'b'; c <= 'i'; c++) {
                strbuf_printf(&buf, "%c: &%c [", c, c);
                for (i = 0; i < 9; i++)
                        strbuf_printf(&buf, "%s*%c", i > 0 ? ", " : "", c - 1);
                strbuf_puts(&buf, "]\n");
        }
        assert_int_equal(strbuf_check(&buf), 0);
        assert_one_error(f, buf.text, buf.len, "VW008");
        assert_true(arena_size(f->arena) - before < 100000);
        strbuf_fini(&buf);
}

static void test_depth_counts_aliases(void **state)
{
        struct fixture *f = *state;
        struct strbuf buf = STRBUF_INIT;

        strbuf_puts(&buf, "- &a ");
        strbuf_puts(&buf, repeat(f, "[", 40));
        strbuf_puts(&buf, repeat(f, "]", 40));
        strbuf_puts(&buf, "\n- ");
        strbuf_puts(&buf, repeat(f, "[", 40));
        strbuf_puts(&buf, "*a");
        strbuf_puts(&buf, repeat(f, "]", 40));
        assert_int_equal(strbuf_check(&buf), 0);
        assert_one_error(f, buf.text, buf.len, "VW008");
        strbuf_fini(&buf);
}

static void test_long_lines_are_shortened(void **state)
{
        struct fixture *f = *state;
        struct strbuf buf = STRBUF_INIT;

        strbuf_puts(&buf, "{\"a\": [");
        strbuf_puts(&buf, repeat(f, "\"é\", ", 100));
        strbuf_puts(&buf, "!bad x, ");
        strbuf_puts(&buf, repeat(f, "\"é\", ", 100));
        strbuf_puts(&buf, "]}");
        assert_int_equal(strbuf_check(&buf), 0);
        parse_bytes(f, buf.text, buf.len);
        strbuf_clear(&buf);
        assert_int_equal(f->diags.len, 1);
        diag_format(&buf, &f->diags.items[0], false);
        assert_string_equal(
                buf.text,
                "t.yaml:1:508: error: the tag !bad is not understood [VW001]\n"
                "  1 | ...\"é\", \"é\", \"é\", \"é\", \"é\", \"é\", \"é\", \"é\", !bad x, \"é\", \"é\", \"é\", \"é\", "
                "\"é\", \"é\", \"é\", \"é\", \"é\", \"é\", \"é\", \"é\", \"é\", \"é\", \"é...\n"
                "    |                                            ^\n"
                "  help: remove the tag; a text that begins with ! needs quotes\n");
        strbuf_fini(&buf);
}

static void test_readers(void **state)
{
        static const char *const names[] = {"port", "name", "flag", "list", "map", "none"};
        struct fixture *f = *state;
        struct doc_node *doc = parse(f, "port: 80\nname: web\nflag: off\nlist: []\nmap: {}\nnone: ~\n"), *node = NULL;
        const char *text = NULL;
        int64_t integer = 0;
        bool flag = true;

        assert_true(doc_check_fields(&f->file, doc, "it", names, ARRAY_SIZE(names)));
        assert_true(doc_get_int(&f->file, doc, "port", 1, 65535, &integer));
        assert_int_equal(integer, 80);
        assert_true(doc_get_string(&f->file, doc, "name", &text));
        assert_string_equal(text, "web");
        assert_true(doc_get_bool(&f->file, doc, "flag", &flag));
        assert_false(flag);
        assert_true(doc_get_list(&f->file, doc, "list", &node));
        assert_int_equal(node->len, 0);
        assert_true(doc_get_map(&f->file, doc, "map", &node));
        assert_false(doc_get_map(&f->file, doc, "none", &node));
        assert_false(doc_get_string(&f->file, doc, "absent", &text));
        assert_int_equal(f->diags.len, 0);

        assert_false(doc_get_int(&f->file, doc, "port", 1, 79, &integer));
        assert_false(doc_get_string(&f->file, doc, "port", &text));
        assert_false(doc_get_int(&f->file, doc, "name", 1, 79, &integer));
        assert_false(doc_get_bool(&f->file, doc, "name", &flag));
        assert_false(doc_get_list(&f->file, doc, "map", &node));
        assert_false(doc_get_map(&f->file, doc, "list", &node));
        assert_false(doc_check_fields(&f->file, node, "it", names, 1) && node->kind != DOC_MAP);
        assert_int_equal(f->diags.errors, 6);
        assert_string_equal(f->diags.items[0].message, "\"port\" must be from 1 to 79, not 80");
        assert_string_equal(f->diags.items[1].message, "\"port\" must be a string, not a whole number (80)");
        assert_string_equal(f->diags.items[1].hint, "put it in quotes: \"80\"");
}

static void test_nearest(void **state)
{
        static const char *const names[] = {"podSelector", "namespaceSelector", "ipBlock", "to"};

        (void)state;
        assert_string_equal(doc_nearest("podselector", names, ARRAY_SIZE(names)), "podSelector");
        assert_string_equal(doc_nearest("podSelectr", names, ARRAY_SIZE(names)), "podSelector");
        assert_string_equal(doc_nearest("pdoSelectro", names, ARRAY_SIZE(names)), "podSelector");
        assert_string_equal(doc_nearest("ipblocks", names, ARRAY_SIZE(names)), "ipBlock");
        assert_null(doc_nearest("cidr", names, ARRAY_SIZE(names)));
        assert_null(doc_nearest("", names, ARRAY_SIZE(names)));
        assert_null(doc_nearest("xx", names, ARRAY_SIZE(names)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_places, setup, teardown),
                cmocka_unit_test_setup_teardown(test_types, setup, teardown),
                cmocka_unit_test_setup_teardown(test_documents, setup, teardown),
                cmocka_unit_test_setup_teardown(test_json_with_tabs_and_crlf, setup, teardown),
                cmocka_unit_test_setup_teardown(test_aliases, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(test_kept_before_an_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
                cmocka_unit_test_setup_teardown(test_expansion_is_counted, setup, teardown),
                cmocka_unit_test_setup_teardown(test_depth_counts_aliases, setup, teardown),
                cmocka_unit_test_setup_teardown(test_long_lines_are_shortened, setup, teardown),
                cmocka_unit_test_setup_teardown(test_readers, setup, teardown),
                cmocka_unit_test(test_nearest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
