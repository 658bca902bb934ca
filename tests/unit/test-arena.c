/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arena: alignment, zeroed memory, large and many allocations; growing arrays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/arena.h>

static void test_alignment_and_zero(void **state)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        size_t size, i;

        (void)state;
        assert_non_null(arena);
        for (size = 0; size < 5000; size = size * 2 + 1) {
                unsigned char *p;

                assert_non_null(arena_strdup(arena, "x"));
                p = arena_alloc(arena, size);
                assert_non_null(p);
                assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
                for (i = 0; i < size; i++)
                        assert_int_equal(p[i], 0);
                memset(p, 0xff, size);
        }
}

static void test_large_and_overflow(void **state)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        char *small, *large, *after;

        (void)state;
        small = arena_strdup(arena, "small");
        large = arena_array(arena, 1000, 1000);
        assert_non_null(large);
        memset(large, 1, 1000000);
        after = arena_strdup(arena, "after");
        /* What is large does not waste the rest of the chunk that is being filled. */
        assert_ptr_equal(after, small + strlen("small") + 1);
        assert_string_equal(small, "small");
        assert_null(arena_array(arena, SIZE_MAX / 2, 3));
        assert_true(arena_size(arena) >= 1000000);
        assert_true(arena_size(arena) < 1100000);
}

static void test_text(void **state)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        const char data[] = {1, 2, 3};

        (void)state;
        assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
        assert_string_equal(arena_strndup(arena, "", 0), "");
        assert_string_equal(arena_printf(arena, "%s-%d", "x", 42), "x-42");
        assert_string_equal(arena_printf(arena, "%s", ""), "");
        assert_memory_equal(arena_memdup(arena, data, 3), data, 3);
        assert_non_null(arena_memdup(arena, NULL, 0));
}

static void test_many(void **state)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        char *first = arena_printf(arena, "%d", 0);
        size_t i, used = 0;

        (void)state;
        for (i = 1; i < 100000; i++) {
                char *text = arena_printf(arena, "%zu", i);

                assert_non_null(text);
                used += strlen(text) + 1;
        }
        assert_string_equal(first, "0");
        /* The last chunk may be nearly empty; nothing else is wasted. */
        assert_true(arena_size(arena) < used * 2);
}

static void test_array_reserve(void **state)
{
        _cleanup_free_ int *items = NULL;
        size_t cap = 0, i;

        (void)state;
        for (i = 0; i < 1000; i++) {
                assert_int_equal(array_reserve(&items, &cap, i + 1, sizeof(*items)), 0);
                items[i] = (int)i;
        }
        for (i = 0; i < 1000; i++)
                assert_int_equal(items[i], i);
        assert_true(cap >= 1000);
        assert_true(array_reserve(&items, &cap, SIZE_MAX / 2, sizeof(*items)) < 0);
        assert_int_equal(items[999], 999);
}

static void test_free_null(void **state)
{
        (void)state;
        assert_null(arena_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_alignment_and_zero),
                cmocka_unit_test(test_large_and_overflow),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_array_reserve),
                cmocka_unit_test(test_free_null),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
