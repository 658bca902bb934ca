/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cells of cells.h. */
#include <errno.h>
#include <string.h>

#include "cells.h"
#include "index.h"

/* What a key can be: absent, a value that some requirement names, or another. */
struct option {
        const char *value; /* NULL: absent */
        bool other;        /* value stands for all that nobody names */
        uint32_t *kills;   /* the selectors that cannot match then */
};

struct key {
        const char *key;
        struct option *options; /* absent, where it can be, then values in order, then the other one */
        size_t len;
};

struct plan {
        struct arena *arena;
        const struct selector *const *selectors;
        size_t len, words;
        const struct cells_name *name;
        struct key *keys;
        size_t keys_len;
};

/* What is still possible after some keys, and a choice of options that leads there. */
struct state {
        uint32_t *alive;
        uint32_t *choice; /* per key: its option */
};

struct states {
        struct state *items; /* owned */
        size_t len, cap;
};

static bool option_fits(const struct label_requirement *requirement, const char *value)
{
        struct label label = {requirement->key, value};
        const struct label_set labels = {&label, value ? 1 : 0};

        return label_requirement_matches(requirement, &labels);
}

static int text_cmp(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t sort_unique(const char **texts, size_t len)
{
        size_t n = 0;

        if (len > 0)
                qsort(texts, len, sizeof(*texts), text_cmp);
        for (size_t i = 0; i < len; i++)
                if (n == 0 || strcmp(texts[n - 1], texts[i]) != 0)
                        texts[n++] = texts[i];

        return n;
}

static bool has_text(const char *const *texts, size_t len, const char *text)
{
        return len > 0 && bsearch(&text, texts, len, sizeof(*texts), text_cmp);
}

/* A value that is neither among the texts nor taken. */
static const char *other_value(struct arena *arena, const char *const *texts, size_t len, const struct cells_name *name)
{
        const char *value = "other";

        for (unsigned i = 2;
             value && (has_text(texts, len, value) || (name && has_text(name->taken, name->taken_len, value))); i++)
                value = arena_printf(arena, "other-%u", i);

        return value;
}

static int collect_keys(struct plan *plan)
{
        _cleanup_free_ const char **keys = NULL;
        size_t len = 0;

        for (size_t i = 0; i < plan->len; i++)
                len += plan->selectors[i] ? plan->selectors[i]->len : 0;
        keys = calloc(len + 2, sizeof(*keys));
        if (!keys)
                return -ENOMEM;

        len = 0;
        for (size_t i = 0; i < plan->len; i++)
                for (size_t j = 0; plan->selectors[i] && j < plan->selectors[i]->len; j++)
                        keys[len++] = plan->selectors[i]->requirements[j].key;
        if (plan->name)
                keys[len++] = plan->name->key;
        len = sort_unique(keys, len);

        plan->keys = arena_array(plan->arena, len, sizeof(*plan->keys));
        if (!plan->keys)
                return -ENOMEM;
        for (size_t i = 0; i < len; i++)
                plan->keys[plan->keys_len++].key = keys[i];

        return 0;
}

/* Calls fn for every requirement of the key. */
static void each_requirement(const struct plan *plan, const char *key,
                             void (*fn)(size_t selector, const struct label_requirement *requirement, void *arg),
                             void *arg)
{
        for (size_t i = 0; i < plan->len; i++)
                for (size_t j = 0; plan->selectors[i] && j < plan->selectors[i]->len; j++)
                        if (strcmp(plan->selectors[i]->requirements[j].key, key) == 0)
                                fn(i, &plan->selectors[i]->requirements[j], arg);
}

struct values {
        const char **items; /* owned; NULL while they are counted */
        size_t len;
};

static void add_values(_unused_ size_t selector, const struct label_requirement *requirement, void *arg)
{
        struct values *values = arg;

        for (size_t i = 0; values->items && i < requirement->values_len; i++)
                values->items[values->len + i] = requirement->values[i];
        values->len += requirement->values_len;
}

static void mark_killed(size_t selector, const struct label_requirement *requirement, void *arg)
{
        struct option *option = arg;

        if (!option_fits(requirement, option->value))
                option->kills[selector / 32] |= 1u << selector % 32;
}

static int fill_options(struct plan *plan, struct key *key, const struct values *values)
{
        const struct cells_name *name = plan->name && strcmp(plan->name->key, key->key) == 0 ? plan->name : NULL;

        key->options = arena_array(plan->arena, values->len + 2, sizeof(*key->options));
        if (!key->options)
                return -ENOMEM;

        if (!name)
                key->options[key->len++] = (struct option){.value = NULL};
        for (size_t i = 0; i < values->len; i++)
                if (!name || !has_text(name->taken, name->taken_len, values->items[i]))
                        key->options[key->len++].value = values->items[i];
        key->options[key->len++] = (struct option){
                .value = other_value(plan->arena, values->items, values->len, name),
                .other = true,
        };
        if (!key->options[key->len - 1].value)
                return -ENOMEM;

        for (size_t i = 0; i < key->len; i++) {
                key->options[i].kills = arena_array(plan->arena, plan->words, sizeof(uint32_t));
                if (!key->options[i].kills)
                        return -ENOMEM;
                each_requirement(plan, key->key, mark_killed, &key->options[i]);
        }

        return 0;
}

static int find_options(struct plan *plan, struct key *key)
{
        struct values values = {NULL, 0};
        int r;

        each_requirement(plan, key->key, add_values, &values);
        values.items = calloc(values.len + 1, sizeof(*values.items));
        if (!values.items)
                return -ENOMEM;

        values.len = 0;
        each_requirement(plan, key->key, add_values, &values);
        values.len = sort_unique(values.items, values.len);
        r = fill_options(plan, key, &values);
        free(values.items);
        return r;
}

/* The state after the next key is the option, unless it is known. */
static int states_add(struct plan *plan, struct states *states, struct str_index *index, const struct state *from,
                      size_t key, uint32_t option, uint32_t *scratch)
{
        const uint32_t *kills = plan->keys[key].options[option].kills;
        struct state state;
        uint32_t known;
        int r;

        for (size_t i = 0; i < plan->words; i++)
                scratch[i] = from->alive[i] & ~kills[i];
        if (str_index_get(index, scratch, plan->words * sizeof(*scratch), &known))
                return 0;

        state.alive = arena_memdup(plan->arena, scratch, plan->words * sizeof(*scratch));
        state.choice = arena_memdup(plan->arena, from->choice, plan->keys_len * sizeof(*state.choice));
        if (!state.alive || !state.choice)
                return -ENOMEM;
        state.choice[key] = option;

        r = array_reserve(&states->items, &states->cap, states->len + 1, sizeof(*states->items));
        if (r == 0)
                r = str_index_put(index, state.alive, plan->words * sizeof(*scratch), (uint32_t)states->len);
        if (r < 0)
                return r;

        states->items[states->len++] = state;
        return 0;
}

/* Takes the states on by a key; at most max of them. */
static int take_key(struct plan *plan, struct states *states, size_t key, size_t max, uint32_t *scratch, bool *bounded)
{
        _cleanup_(str_index_fini) struct str_index index = STR_INDEX_INIT;
        struct states next = {NULL, 0, 0};
        int r = 0;

        for (size_t i = 0; r == 0 && i < states->len; i++) {
                for (uint32_t j = 0; r == 0 && j < plan->keys[key].len; j++) {
                        if (next.len == max)
                                *bounded = true;
                        else
                                r = states_add(plan, &next, &index, &states->items[i], key, j, scratch);
                }
        }

        free(states->items);
        *states = next;
        return r;
}

static int start_state(struct plan *plan, struct states *states)
{
        struct state state;
        int r;

        state.alive = arena_array(plan->arena, plan->words, sizeof(*state.alive));
        state.choice = arena_array(plan->arena, plan->keys_len, sizeof(*state.choice));
        if (!state.alive || !state.choice)
                return -ENOMEM;

        for (size_t i = 0; i < plan->len; i++)
                state.alive[i / 32] |= 1u << i % 32;
        r = array_reserve(&states->items, &states->cap, 1, sizeof(*states->items));
        if (r == 0)
                states->items[states->len++] = state;
        return r;
}

/* What fits a cell: for each key the options that, with what is chosen for the others, lead nowhere else. */
struct box {
        bool **in;          /* per key, per option */
        uint32_t **killers; /* per key: the selectors that every option in it kills */
};

static int box_start(struct plan *plan, const struct state *state, struct box *box)
{
        box->in = arena_array(plan->arena, plan->keys_len, sizeof(*box->in));
        box->killers = arena_array(plan->arena, plan->keys_len, sizeof(*box->killers));
        if (!box->in || !box->killers)
                return -ENOMEM;

        for (size_t i = 0; i < plan->keys_len; i++) {
                const struct option *option = &plan->keys[i].options[state->choice[i]];

                box->in[i] = arena_array(plan->arena, plan->keys[i].len, sizeof(bool));
                box->killers[i] = arena_memdup(plan->arena, option->kills, plan->words * sizeof(uint32_t));
                if (!box->in[i] || !box->killers[i])
                        return -ENOMEM;
                box->in[i][state->choice[i]] = true;
        }

        return 0;
}

/* Whether the key may be the option too: no selector that matches fails then, and none matches that did not, as some key
 * keeps it from it. */
static bool box_admits(const struct plan *plan, const struct box *box, const struct state *state, size_t key,
                       const struct option *option)
{
        for (size_t i = 0; i < plan->words; i++) {
                size_t rest = plan->len - i * 32;
                uint32_t all = rest < 32 ? (1u << rest) - 1 : UINT32_MAX, kept = state->alive[i];

                if (kept & option->kills[i])
                        return false;
                for (size_t j = 0; j < plan->keys_len; j++)
                        kept |= j == key ? 0 : box->killers[j][i];
                if (all & ~kept & ~option->kills[i])
                        return false;
        }

        return true;
}

/* A requirement can say "absent, or another than these", but not "absent, or one of these". */
static void box_make_plain(const struct key *key, bool *in, uint32_t choice)
{
        bool absent = !key->options[0].value && in[0], other = in[key->len - 1];

        if (!absent || other)
                return;

        if (choice != 0)
                in[0] = false;
        for (size_t i = 1; choice == 0 && i < key->len; i++)
                in[i] = false;
}

static void box_widen(struct plan *plan, struct box *box, const struct state *state, size_t key)
{
        const struct key *k = &plan->keys[key];

        for (size_t i = 0; i < k->len; i++)
                box->in[key][i] |= box_admits(plan, box, state, key, &k->options[i]);
        box_make_plain(k, box->in[key], state->choice[key]);

        for (size_t i = 0; i < k->len; i++)
                for (size_t j = 0; box->in[key][i] && j < plan->words; j++)
                        box->killers[key][j] &= k->options[i].kills[j];
}

static int add_requirement(struct plan *plan, struct selector *fits, enum label_op op, const struct key *key,
                           const bool *in, bool of_those_in)
{
        struct label_requirement *requirement = &fits->requirements[fits->len++];

        *requirement = (struct label_requirement){.op = op, .key = key->key};
        if (op == LABEL_EXISTS || op == LABEL_DOES_NOT_EXIST)
                return 0;

        requirement->values = arena_array(plan->arena, key->len, sizeof(*requirement->values));
        if (!requirement->values)
                return -ENOMEM;
        for (size_t i = 0; i < key->len; i++)
                if (key->options[i].value && !key->options[i].other && in[i] == of_those_in)
                        requirement->values[requirement->values_len++] = key->options[i].value;

        return 0;
}

/* The options of a key as requirements; all of them are none. */
static int describe_key(struct plan *plan, const struct key *key, const bool *in, struct selector *fits)
{
        bool can_absent = !key->options[0].value, absent = can_absent && in[0], other = in[key->len - 1];
        size_t left_out = 0;
        int r = 0;

        for (size_t i = 0; i < key->len; i++)
                left_out += !in[i] && key->options[i].value;

        if (!other && absent)
                return add_requirement(plan, fits, LABEL_DOES_NOT_EXIST, key, in, true);
        if (!other)
                return add_requirement(plan, fits, LABEL_IN, key, in, true);
        if (can_absent && !absent)
                r = add_requirement(plan, fits, LABEL_EXISTS, key, in, true);
        if (r == 0 && left_out > 0)
                r = add_requirement(plan, fits, LABEL_NOT_IN, key, in, false);
        return r;
}

static int make_cell(struct plan *plan, const struct state *state, struct cell *cell)
{
        struct box box;
        int r;

        cell->matched = state->alive;
        cell->labels.items = arena_array(plan->arena, plan->keys_len, sizeof(*cell->labels.items));
        cell->fits.requirements = arena_array(plan->arena, 2 * plan->keys_len, sizeof(*cell->fits.requirements));
        if (!cell->labels.items || !cell->fits.requirements)
                return -ENOMEM;

        r = box_start(plan, state, &box);
        for (size_t i = 0; r == 0 && i < plan->keys_len; i++) {
                const char *value = plan->keys[i].options[state->choice[i]].value;

                if (value)
                        cell->labels.items[cell->labels.len++] = (struct label){plan->keys[i].key, value};
                box_widen(plan, &box, state, i);
                r = describe_key(plan, &plan->keys[i], box.in[i], &cell->fits);
        }

        return r;
}

static int find_states(struct plan *plan, size_t max, struct states *states, bool *bounded)
{
        _cleanup_free_ uint32_t *scratch = NULL;
        int r;

        scratch = calloc(plan->words + 1, sizeof(*scratch));
        if (!scratch)
                return -ENOMEM;

        r = collect_keys(plan);
        for (size_t i = 0; r == 0 && i < plan->keys_len; i++)
                r = find_options(plan, &plan->keys[i]);
        if (r == 0)
                r = start_state(plan, states);
        for (size_t i = 0; r == 0 && i < plan->keys_len; i++)
                r = take_key(plan, states, i, max, scratch, bounded);

        return r;
}

int cells_find(struct arena *arena, const struct selector *const *selectors, size_t len, const struct cells_name *name,
               size_t max, struct cells *ret)
{
        struct plan plan = {
                .arena = arena, .selectors = selectors, .len = len, .words = cells_words(len), .name = name};
        struct states states = {NULL, 0, 0};
        struct cells cells = {NULL, 0, false};
        int r;

        r = find_states(&plan, max, &states, &cells.bounded);
        if (r == 0) {
                cells.items = arena_array(arena, states.len, sizeof(*cells.items));
                r = cells.items ? 0 : -ENOMEM;
        }
        for (size_t i = 0; r == 0 && i < states.len; i++)
                r = make_cell(&plan, &states.items[i], &cells.items[cells.len++]);

        free(states.items);
        if (r == 0)
                *ret = cells;
        return r;
}

/* Whether the value, NULL for absence, is what every requirement of the key wants. */
static bool value_fits_both(const struct selector *const both[static 2], const char *key, const char *value)
{
        for (size_t i = 0; i < 2; i++)
                for (size_t j = 0; j < both[i]->len; j++)
                        if (strcmp(both[i]->requirements[j].key, key) == 0 &&
                            !option_fits(&both[i]->requirements[j], value))
                                return false;

        return true;
}

static bool key_can_be(const struct selector *const both[static 2], const char *key)
{
        /* No value that a requirement names has a control character in it. */
        if (value_fits_both(both, key, NULL) || value_fits_both(both, key, "\001"))
                return true;

        for (size_t i = 0; i < 2; i++)
                for (size_t j = 0; j < both[i]->len; j++)
                        for (size_t k = 0; k < both[i]->requirements[j].values_len; k++)
                                if (strcmp(both[i]->requirements[j].key, key) == 0 &&
                                    value_fits_both(both, key, both[i]->requirements[j].values[k]))
                                        return true;

        return false;
}

bool selectors_meet(const struct selector *a, const struct selector *b)
{
        static const struct selector everything = {.requirements = NULL};
        const struct selector *const both[] = {a ? a : &everything, b ? b : &everything};

        for (size_t i = 0; i < 2; i++)
                for (size_t j = 0; j < both[i]->len; j++)
                        if (!key_can_be(both, both[i]->requirements[j].key))
                                return false;

        return true;
}
