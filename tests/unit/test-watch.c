/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are followed: every way in which an editor, a deployment or Kubernetes changes them. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <agent/watch.h>

/* Each test has a directory of its own, and the watch follows DIR/p. */
struct fixture {
        char dir[64];
        struct watch *watch;
};

static char *path_of(const struct fixture *f, const char *name)
{
        char *path;

        assert_true(asprintf(&path, "%s/%s", f->dir, name) > 0);
        return path;
}

#define PATH(name) _cleanup_free_ char *name

static void write_file(const struct fixture *f, const char *name, const char *text)
{
        PATH(path) = path_of(f, name);
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(text, file);
        fclose(file);
}

static void make_dir(const struct fixture *f, const char *name)
{
        PATH(path) = path_of(f, name);

        assert_int_equal(mkdir(path, 0755), 0);
}

static void link_to(const struct fixture *f, const char *target, const char *name)
{
        PATH(path) = path_of(f, name);

        assert_int_equal(symlink(target, path), 0);
}

static void move(const struct fixture *f, const char *from, const char *to)
{
        PATH(a) = path_of(f, from);
        PATH(b) = path_of(f, to);

        assert_int_equal(rename(a, b), 0);
}

static void delete (const struct fixture *f, const char *name)
{
        PATH(path) = path_of(f, name);

        assert_int_equal(remove(path), 0);
}

/* Events are queued before the call that made them returns, so there is nothing to wait for. */
static unsigned changed(const struct fixture *f)
{
        unsigned what, busy;

        assert_int_equal(watch_dispatch(f->watch, &what, &busy), 0);
        return what;
}

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        strcpy(f->dir, "/tmp/vethwall-watch-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        assert_int_equal(watch_new(&f->watch), 0);
        *state = f;
        return 0;
}

static int remove_entry(const char *path, const struct stat *st _unused_, int type _unused_, struct FTW *ftw _unused_)
{
        return remove(path);
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        watch_free(f->watch);
        nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        free(f);
        return 0;
}

static void follow(const struct fixture *f, const char *name, unsigned what)
{
        PATH(path) = path_of(f, name);

        assert_int_equal(watch_add(f->watch, path, what), 0);
        assert_int_equal(changed(f), 0);
}

static void a_write_is_seen(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "p");
        write_file(f, "p/a.yaml", "1");
        follow(f, "p", WATCH_POLICIES);
        write_file(f, "p/a.yaml", "2");
        assert_int_equal(changed(f), WATCH_POLICIES);
        assert_int_equal(changed(f), 0);
        write_file(f, "p/b.yaml", "new");
        assert_int_equal(changed(f), WATCH_POLICIES);
        delete (f, "p/b.yaml");
        assert_int_equal(changed(f), WATCH_POLICIES);
}

static void a_rename_over_a_file_is_seen(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "p");
        write_file(f, "p/a.yaml", "1");
        write_file(f, "new", "2");
        follow(f, "p", WATCH_POLICIES);
        move(f, "new", "p/a.yaml");
        assert_int_equal(changed(f), WATCH_POLICIES);
}

static void neighbours_are_not_seen(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "p");
        follow(f, "p", WATCH_POLICIES);
        write_file(f, "q", "1");
        make_dir(f, "pp");
        assert_int_equal(changed(f), 0);
}

static void a_directory_that_comes_later_is_seen(void **state)
{
        struct fixture *f = *state;

        follow(f, "etc/vethwall/p", WATCH_POLICIES);
        make_dir(f, "etc");
        changed(f);
        make_dir(f, "etc/vethwall");
        changed(f);
        make_dir(f, "etc/vethwall/p");
        assert_int_equal(changed(f), WATCH_POLICIES);
        write_file(f, "etc/vethwall/p/a.yaml", "1");
        assert_int_equal(changed(f), WATCH_POLICIES);
}

static void a_directory_removed_and_made_anew_is_seen(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "p");
        follow(f, "p", WATCH_POLICIES);
        for (unsigned i = 0; i < 3; i++) {
                delete (f, "p");
                assert_int_equal(changed(f), WATCH_POLICIES);
                make_dir(f, "p");
                assert_int_equal(changed(f), WATCH_POLICIES);
                write_file(f, "p/a.yaml", "1");
                assert_int_equal(changed(f), WATCH_POLICIES);
                delete (f, "p/a.yaml");
                assert_int_equal(changed(f), WATCH_POLICIES);
        }
}

static void another_directory_in_its_place_is_seen(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "p");
        make_dir(f, "new");
        follow(f, "p", WATCH_POLICIES);
        move(f, "p", "old");
        move(f, "new", "p");
        assert_int_equal(changed(f), WATCH_POLICIES);
        write_file(f, "old/a.yaml", "1");
        assert_int_equal(changed(f), 0);
        write_file(f, "p/a.yaml", "1");
        assert_int_equal(changed(f), WATCH_POLICIES);
}

static void a_swapped_config_map_is_seen(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "p");
        make_dir(f, "p/..1");
        write_file(f, "p/..1/a.yaml", "1");
        link_to(f, "..1", "p/..data");
        link_to(f, "..data/a.yaml", "p/a.yaml");
        follow(f, "p", WATCH_POLICIES);
        make_dir(f, "p/..2");
        write_file(f, "p/..2/a.yaml", "2");
        link_to(f, "..2", "p/..data_tmp");
        changed(f);
        move(f, "p/..data_tmp", "p/..data");
        assert_int_equal(changed(f), WATCH_POLICIES);
}

static void a_directory_behind_a_link_is_seen(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "v1");
        make_dir(f, "v2");
        link_to(f, "v1", "p");
        follow(f, "p", WATCH_POLICIES);
        write_file(f, "v1/a.yaml", "1");
        assert_int_equal(changed(f), WATCH_POLICIES);
        link_to(f, "v2", "tmp");
        move(f, "tmp", "p");
        assert_int_equal(changed(f), WATCH_POLICIES);
        write_file(f, "v2/a.yaml", "1");
        assert_int_equal(changed(f), WATCH_POLICIES);
        write_file(f, "v1/a.yaml", "1");
        assert_int_equal(changed(f), 0);
}

static void a_file_behind_a_link_in_the_directory_is_seen(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "p");
        make_dir(f, "elsewhere");
        write_file(f, "elsewhere/a.yaml", "1");
        link_to(f, "../elsewhere/a.yaml", "p/a.yaml");
        follow(f, "p", WATCH_POLICIES);
        write_file(f, "elsewhere/a.yaml", "2");
        assert_int_equal(changed(f), WATCH_POLICIES);
        write_file(f, "elsewhere/new", "3");
        move(f, "elsewhere/new", "elsewhere/a.yaml");
        assert_int_equal(changed(f), WATCH_POLICIES);
        write_file(f, "elsewhere/a.yaml", "4");
        assert_int_equal(changed(f), WATCH_POLICIES);
}

static void a_single_file_is_seen(void **state)
{
        struct fixture *f = *state;

        follow(f, "i.yaml", WATCH_INVENTORY);
        write_file(f, "i.yaml", "1");
        assert_int_equal(changed(f), WATCH_INVENTORY);
        write_file(f, "i.yaml", "2");
        assert_int_equal(changed(f), WATCH_INVENTORY);
        write_file(f, "new", "3");
        assert_int_equal(changed(f), 0);
        move(f, "new", "i.yaml");
        assert_int_equal(changed(f), WATCH_INVENTORY);
        delete (f, "i.yaml");
        assert_int_equal(changed(f), WATCH_INVENTORY);
}

static void what_is_being_written_is_busy(void **state)
{
        struct fixture *f = *state;
        PATH(path) = path_of(f, "p/a.yaml");
        unsigned what, busy;
        int fd;

        make_dir(f, "p");
        follow(f, "p", WATCH_POLICIES);
        fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(watch_dispatch(f->watch, &what, &busy), 0);
        assert_int_equal(what, 0);
        assert_int_equal(busy, WATCH_POLICIES);
        assert_int_equal(write(fd, "1", 1), 1);
        assert_int_equal(watch_dispatch(f->watch, &what, &busy), 0);
        assert_int_equal(what, 0);
        assert_int_equal(busy, WATCH_POLICIES);
        close(fd);
        assert_int_equal(watch_dispatch(f->watch, &what, &busy), 0);
        assert_int_equal(what, WATCH_POLICIES);
}

static void kinds_are_told_apart_and_forgotten(void **state)
{
        struct fixture *f = *state;

        make_dir(f, "p");
        follow(f, "p", WATCH_POLICIES);
        follow(f, "p/i.yaml", WATCH_INVENTORY);
        write_file(f, "p/i.yaml", "1");
        assert_int_equal(changed(f), WATCH_POLICIES | WATCH_INVENTORY);
        watch_remove(f->watch, WATCH_POLICIES);
        write_file(f, "p/i.yaml", "2");
        assert_int_equal(changed(f), WATCH_INVENTORY);
        write_file(f, "p/other.yaml", "2");
        assert_int_equal(changed(f), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(a_write_is_seen),
                TEST(a_rename_over_a_file_is_seen),
                TEST(neighbours_are_not_seen),
                TEST(a_directory_that_comes_later_is_seen),
                TEST(a_directory_removed_and_made_anew_is_seen),
                TEST(another_directory_in_its_place_is_seen),
                TEST(a_swapped_config_map_is_seen),
                TEST(a_directory_behind_a_link_is_seen),
                TEST(a_file_behind_a_link_in_the_directory_is_seen),
                TEST(a_single_file_is_seen),
                TEST(what_is_being_written_is_busy),
                TEST(kinds_are_told_apart_and_forgotten),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
