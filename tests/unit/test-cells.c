/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cells: every set of labels is in one, none is listed that nothing is in, and what is said to fit does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/cells.h"

#define NAME "kubernetes.io/metadata.name"

#define REQUIREMENT(o, k, ...)                                                                                         \
        {                                                                                                              \
                .op = (o), .key = (k), .values = (const char *[]){__VA_ARGS__},                                        \
                .values_len = ARRAY_SIZE(((const char *[]){__VA_ARGS__})) - 1                                          \
        }
#define SELECTOR(...)                                                                                                  \
        {                                                                                                              \
                .requirements = (struct label_requirement[]){__VA_ARGS__},                                             \
                .len = ARRAY_SIZE(((struct label_requirement[]){__VA_ARGS__}))                                         \
        }

static const struct selector web = SELECTOR(REQUIREMENT(LABEL_IN, "app", "web", NULL));
static const struct selector web_or_api = SELECTOR(REQUIREMENT(LABEL_IN, "app", "api", "web", NULL));
static const struct selector not_db = SELECTOR(REQUIREMENT(LABEL_NOT_IN, "app", "db", NULL));
static const struct selector has_app = SELECTOR(REQUIREMENT(LABEL_EXISTS, "app", NULL));
static const struct selector no_app = SELECTOR(REQUIREMENT(LABEL_DOES_NOT_EXIST, "app", NULL));
static const struct selector gold_web =
        SELECTOR(REQUIREMENT(LABEL_IN, "app", "web", NULL), REQUIREMENT(LABEL_IN, "tier", "gold", NULL));
static const struct selector never =
        SELECTOR(REQUIREMENT(LABEL_IN, "app", "web", NULL), REQUIREMENT(LABEL_NOT_IN, "app", "web", NULL));
static const struct selector shop = SELECTOR(REQUIREMENT(LABEL_IN, NAME, "shop", NULL));
static const struct selector lab = SELECTOR(REQUIREMENT(LABEL_IN, NAME, "lab", NULL));
static const struct selector everything = {.requirements = NULL};

struct fixture {
        struct arena *arena;
        struct cells cells;
};

static void start(struct fixture *f, const struct selector *const *selectors, size_t len, const struct cells_name *name,
                  size_t max)
{
        f->arena = arena_new();
        assert_non_null(f->arena);
        assert_int_equal(cells_find(f->arena, selectors, len, name, max, &f->cells), 0);
        for (size_t i = 0; i < f->cells.len; i++) {
                const struct cell *cell = &f->cells.items[i];

                assert_true(selector_matches(&cell->fits, &cell->labels));
                for (size_t j = 0; j < len; j++)
                        assert_int_equal(cells_bit(cell->matched, j),
                                         !selectors[j] || selector_matches(selectors[j], &cell->labels));
        }
}

static void stop(struct fixture *f)
{
        arena_free(f->arena);
}

static void nothing_to_tell_apart_is_one_cell(_unused_ void **state)
{
        const struct selector *selectors[] = {NULL, &everything};
        struct fixture f;

        start(&f, selectors, 0, NULL, 10);
        assert_int_equal(f.cells.len, 1);
        assert_int_equal(f.cells.items[0].fits.len, 0);
        stop(&f);

        start(&f, selectors, ARRAY_SIZE(selectors), NULL, 10);
        assert_int_equal(f.cells.len, 1);
        assert_int_equal(f.cells.items[0].fits.len, 0);
        assert_int_equal(f.cells.items[0].labels.len, 0);
        stop(&f);
}

static void what_contradicts_itself_is_in_no_cell(_unused_ void **state)
{
        const struct selector *selectors[] = {&never, &has_app, &no_app};
        struct fixture f;

        start(&f, selectors, ARRAY_SIZE(selectors), NULL, 10);
        assert_int_equal(f.cells.len, 2);
        for (size_t i = 0; i < f.cells.len; i++)
                assert_false(cells_bit(f.cells.items[i].matched, 0));
        stop(&f);
}

/* All sets of these labels, each in exactly the cell that it matches like; and what fits a cell is in it. */
static void every_set_is_in_one_cell(_unused_ void **state)
{
        static const char *const apps[] = {NULL, "web", "api", "db", "mail"}, *const tiers[] = {NULL, "gold", "tin"};
        const struct selector *selectors[] = {&web, &web_or_api, &not_db, &has_app, &no_app, &gold_web, &never, NULL};
        size_t fitting = 0;
        struct fixture f;

        start(&f, selectors, ARRAY_SIZE(selectors), NULL, 100);
        for (size_t i = 0; i < ARRAY_SIZE(apps); i++) {
                for (size_t j = 0; j < ARRAY_SIZE(tiers); j++) {
                        struct label items[2];
                        struct label_set labels = {items, 0};
                        size_t found = 0;

                        if (apps[i])
                                items[labels.len++] = (struct label){"app", apps[i]};
                        if (tiers[j])
                                items[labels.len++] = (struct label){"tier", tiers[j]};
                        for (size_t k = 0; k < f.cells.len; k++) {
                                bool same = true;

                                for (size_t n = 0; n < ARRAY_SIZE(selectors); n++)
                                        same &= cells_bit(f.cells.items[k].matched, n) ==
                                                (!selectors[n] || selector_matches(selectors[n], &labels));
                                found += same;
                                if (selector_matches(&f.cells.items[k].fits, &labels)) {
                                        assert_true(same);
                                        fitting++;
                                }
                        }
                        assert_int_equal(found, 1);
                }
        }
        /* app web with tier gold and without, api, db, another, none: of each cell everything is said. */
        assert_int_equal(f.cells.len, 6);
        assert_int_equal(fitting, ARRAY_SIZE(apps) * ARRAY_SIZE(tiers));
        stop(&f);
}

/* A name is always there, and some are taken. */
static void names_are_never_absent(_unused_ void **state)
{
        static const char *const taken[] = {"other", "shop"};
        const struct selector *selectors[] = {&shop, &lab};
        const struct cells_name name = {NAME, taken, ARRAY_SIZE(taken)};
        struct fixture f;

        start(&f, selectors, ARRAY_SIZE(selectors), &name, 10);
        assert_int_equal(f.cells.len, 2);
        for (size_t i = 0; i < f.cells.len; i++) {
                const char *value = label_set_get(&f.cells.items[i].labels, NAME);

                assert_false(cells_bit(f.cells.items[i].matched, 0));
                assert_int_equal(strcmp(value, "lab") == 0, cells_bit(f.cells.items[i].matched, 1));
                assert_string_not_equal(value, "other");
        }
        stop(&f);
}

static void too_many_are_said_to_be(_unused_ void **state)
{
        struct selector selectors[8];
        struct label_requirement requirements[8];
        const struct selector *pointers[8];
        char keys[8][2];
        struct fixture f;

        for (size_t i = 0; i < 8; i++) {
                keys[i][0] = (char)('a' + i);
                keys[i][1] = '\0';
                requirements[i] = (struct label_requirement){.op = LABEL_EXISTS, .key = keys[i]};
                selectors[i] = (struct selector){.requirements = &requirements[i], .len = 1};
                pointers[i] = &selectors[i];
        }

        start(&f, pointers, 8, NULL, 256);
        assert_int_equal(f.cells.len, 256);
        assert_false(f.cells.bounded);
        stop(&f);
        start(&f, pointers, 8, NULL, 255);
        assert_int_equal(f.cells.len, 255);
        assert_true(f.cells.bounded);
        stop(&f);
}

static void selectors_meet_where_some_labels_match_both(_unused_ void **state)
{
        assert_true(selectors_meet(NULL, NULL));
        assert_true(selectors_meet(&web, NULL));
        assert_false(selectors_meet(&never, NULL));
        assert_true(selectors_meet(&web, &web_or_api));
        assert_true(selectors_meet(&web, &gold_web));
        assert_true(selectors_meet(&not_db, &no_app));
        assert_true(selectors_meet(&not_db, &has_app));
        assert_false(selectors_meet(&no_app, &has_app));
        assert_false(selectors_meet(&web, &no_app));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_to_tell_apart_is_one_cell),
                cmocka_unit_test(what_contradicts_itself_is_in_no_cell),
                cmocka_unit_test(every_set_is_in_one_cell),
                cmocka_unit_test(names_are_never_absent),
                cmocka_unit_test(too_many_are_said_to_be),
                cmocka_unit_test(selectors_meet_where_some_labels_match_both),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
