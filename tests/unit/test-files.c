/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and directories into memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vethwall/doc.h>

#include "files/files.h"

static char directory[] = "/tmp/vethwall-test-files.XXXXXX";

#define POLICY(name)                                                                                                   \
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: " name                               \
        " }\nspec: { podSelector: {} }\n"

static const struct {
        const char *path;
        const char *text; /* NULL: a directory */
} contents[] = {
        {"p", NULL},
        {"p/b.yaml", POLICY("b")},
        {"p/a.yml", POLICY("a")},
        {"p/c.json",
         "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"c\"},"
         "\"spec\":{\"podSelector\":{}}}"},
        {"p/.hidden.yaml", "not: { a policy"},
        {"p/notes.txt", "not: { a policy"},
        {"p/.yaml", "not: { a policy"},
        {"p/d.yaml", NULL},
        {"p/d.yaml/e.yaml", "not: { a policy"},
        {"single", POLICY("single")},
        {"broken.yaml", "a: [\n"},
        {"inventory.yaml", "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints: [ { name: web } ]\n"},
};

static const char *path_of(const char *name)
{
        static char path[2][4096];
        static unsigned turn;

        turn = 1 - turn;
        snprintf(path[turn], sizeof(path[turn]), "%s/%s", directory, name);
        return path[turn];
}

static int setup(void **state)
{
        size_t i;

        (void)state;
        assert_non_null(mkdtemp(directory));
        for (i = 0; i < ARRAY_SIZE(contents); i++) {
                FILE *file;

                if (!contents[i].text) {
                        assert_int_equal(mkdir(path_of(contents[i].path), 0700), 0);
                        continue;
                }
                file = fopen(path_of(contents[i].path), "we");
                assert_non_null(file);
                assert_true(fputs(contents[i].text, file) >= 0);
                assert_int_equal(fclose(file), 0);
        }
        return 0;
}

static int teardown(void **state)
{
        size_t i;

        (void)state;
        for (i = ARRAY_SIZE(contents); i > 0; i--)
                remove(path_of(contents[i - 1].path));
        remove(path_of("large.yaml"));
        return rmdir(directory);
}

static void test_directory(void **state)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        struct diag_list diags = DIAG_LIST_INIT;
        const char *paths[] = {path_of("p"), path_of("single")};

        (void)state;
        assert_int_equal(policies_read(paths, 2, &set, &diags), 0);
        assert_int_equal(diags.len, 0);
        assert_int_equal(set->policies_len, 4);
        assert_int_equal(set->files_len, 4);
        assert_string_equal(set->files[0], path_of("p/a.yml"));
        assert_string_equal(set->files[1], path_of("p/b.yaml"));
        assert_string_equal(set->files[2], path_of("p/c.json"));
        assert_string_equal(set->files[3], path_of("single"));
}

static void test_what_is_not_there(void **state)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        struct diag_list diags = DIAG_LIST_INIT;
        const char *paths[] = {path_of("none"), path_of("broken.yaml")};
        char *bytes = NULL;
        size_t size;

        (void)state;
        assert_int_equal(policies_read(paths, 2, &set, &diags), 0);
        assert_non_null(set);
        assert_int_equal(diags.errors, 2);
        assert_string_equal(diags.items[0].message, "cannot be read: No such file or directory");
        assert_string_equal(diags.items[0].file, paths[0]);
        diag_list_fini(&diags);

        assert_int_equal(file_read(path_of("p"), &bytes, &size, &diags), 0);
        assert_null(bytes);
        assert_string_equal(diags.items[0].message, "cannot be read: Is a directory");
        diag_list_fini(&diags);
}

/* Nobody writes to the pipe: who opened it would wait for ever. */
static void test_pipe_in_directory(void **state)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        struct diag_list diags = DIAG_LIST_INIT;
        const char *paths[] = {path_of("p")};
        int r;

        (void)state;
        assert_int_equal(mkfifo(path_of("p/pipe.yaml"), 0600), 0);
        r = policies_read(paths, 1, &set, &diags);
        assert_int_equal(unlink(path_of("p/pipe.yaml")), 0);
        assert_int_equal(r, 0);
        assert_int_equal(diags.errors, 1);
        assert_string_equal(diags.items[0].message, "is not a regular file");
        assert_string_equal(diags.items[0].file, path_of("p/pipe.yaml"));
        assert_int_equal(set->policies_len, 3);
        diag_list_fini(&diags);
}

/* What says nothing of its size: more than one read, and too much of it. */
static void test_pipes(void **state)
{
        _cleanup_free_ char *bytes = NULL;
        struct diag_list diags = DIAG_LIST_INIT;
        char path[64];
        size_t size;

        (void)state;
        for (unsigned i = 0; i < 2; i++) {
                size_t len = i == 0 ? 300000 : DOC_SIZE_MAX + 1;
                char *text = calloc(len, 1);
                FILE *pipe = popen(i == 0 ? "head -c 300000 /dev/zero" : "cat /dev/zero", "r");

                assert_non_null(text);
                assert_non_null(pipe);
                snprintf(path, sizeof(path), "/dev/fd/%d", fileno(pipe));
                assert_int_equal(file_read(path, &bytes, &size, &diags), 0);
                pclose(pipe);
                if (i == 0) {
                        assert_int_equal(size, len);
                        assert_memory_equal(bytes, text, len);
                        free(steal(bytes));
                } else {
                        assert_null(bytes);
                        assert_string_equal(diags.items[0].message, "the file is larger than 8 MiB");
                }
                free(text);
        }
        diag_list_fini(&diags);
}

static void test_size_limit(void **state)
{
        struct diag_list diags = DIAG_LIST_INIT;
        const char *path = path_of("large.yaml");
        char *bytes = NULL;
        size_t size = 0;
        FILE *file = fopen(path, "we");

        (void)state;
        assert_non_null(file);
        assert_int_equal(ftruncate(fileno(file), DOC_SIZE_MAX), 0);
        assert_int_equal(file_read(path, &bytes, &size, &diags), 0);
        assert_int_equal(size, DOC_SIZE_MAX);
        free(bytes);
        assert_int_equal(ftruncate(fileno(file), DOC_SIZE_MAX + 1), 0);
        assert_int_equal(file_read(path, &bytes, &size, &diags), 0);
        assert_null(bytes);
        assert_string_equal(diags.items[0].message, "the file is larger than 8 MiB");
        diag_list_fini(&diags);
        assert_int_equal(fclose(file), 0);
}

static void test_inventory(void **state)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct diag_list diags = DIAG_LIST_INIT;
        const char *paths[] = {path_of("inventory.yaml")};

        (void)state;
        assert_int_equal(inventory_read(paths, 1, &inventory, &diags), 0);
        assert_int_equal(diags.len, 0);
        assert_non_null(inventory_find(inventory, "default", "web"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_directory),         cmocka_unit_test(test_what_is_not_there),
                cmocka_unit_test(test_pipe_in_directory), cmocka_unit_test(test_pipes),
                cmocka_unit_test(test_size_limit),        cmocka_unit_test(test_inventory),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
