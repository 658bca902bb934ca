/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From one ruleset to another: both are sorted, so a walk along neighbours finds what is new, gone or changed. The plan
 * is in phases, one kind of operation after the other over all tables, so that nothing is named before it is there and
 * nothing goes away while it is named. */
#include <errno.h>
#include <string.h>

#include <vethwall/diff.h>

/* Rules in the middle of a chain are matched to each other by their longest common subsequence while the table that
 * takes has no more cells than this; beyond, they are replaced. */
#define LCS_CELLS_MAX ((size_t)1 << 20)

/* What becomes of one table. */
struct pair {
        const struct rs_table *a; /* NULL: it is new */
        const struct rs_table *b; /* NULL: it goes */
        bool replace;             /* a is deleted as a whole, b added as a whole */
};

static struct plan_op *add_op(struct plan *plan, enum plan_kind kind, const struct rs_table *in)
{
        struct plan_op *op;

        if (array_reserve(&plan->ops, &plan->cap, plan->len + 1, sizeof(*plan->ops)) < 0)
                return NULL;
        op = &plan->ops[plan->len++];
        *op = (struct plan_op){.kind = kind, .family = in->family, .table = in->name, .in = in};
        return op;
}

static bool set_is_kept(const struct rs_set *a, const struct rs_set *b)
{
        return a->key == b->key && a->map == b->map && a->interval == b->interval && a->counter == b->counter;
}

static bool chain_is_kept(const struct rs_chain *a, const struct rs_chain *b)
{
        return a->hook == b->hook && (a->hook == RS_HOOK_NONE || a->priority == b->priority);
}

/* True if a has, or shares with b, what no change in place can bring to b's form. */
static bool needs_replacing(const struct rs_table *a, const struct rs_table *b)
{
        if (a->foreign)
                return true;
        for (size_t i = 0; i < a->sets_len; ++i) {
                const struct rs_set *set = rs_table_find_set(b, a->sets[i].name);

                if (a->sets[i].foreign || (set && !set_is_kept(&a->sets[i], set)))
                        return true;
        }
        for (size_t i = 0; i < a->chains_len; ++i) {
                const struct rs_chain *chain = rs_table_find_chain(b, a->chains[i].name);

                if (a->chains[i].foreign || (chain && !chain_is_kept(&a->chains[i], chain)))
                        return true;
        }
        return false;
}

static int pair_tables(const struct ruleset *a, const struct ruleset *b, bool purge, struct pair **ret, size_t *ret_len)
{
        struct pair *pairs = calloc(a->tables_len + b->tables_len + 1, sizeof(*pairs));
        size_t len = 0;

        if (!pairs)
                return -ENOMEM;
        for (size_t i = 0; purge && i < a->tables_len; ++i)
                if (!ruleset_find_table(b, a->tables[i].family, a->tables[i].name))
                        pairs[len++] = (struct pair){.a = &a->tables[i]};
        for (size_t i = 0; i < b->tables_len; ++i) {
                const struct rs_table *table = &b->tables[i];
                const struct rs_table *old = ruleset_find_table(a, table->family, table->name);

                pairs[len++] = (struct pair){.a = old, .b = table, .replace = old && needs_replacing(old, table)};
        }
        *ret = pairs;
        *ret_len = len;
        return 0;
}

/* The old table that is changed in place, or NULL. */
static const struct rs_table *kept(const struct pair *pair)
{
        return pair->replace || !pair->b ? NULL : pair->a;
}

static int del_table(struct plan *plan, const struct pair *pair)
{
        if (!pair->a || (pair->b && !pair->replace))
                return 0;
        return add_op(plan, PLAN_DEL_TABLE, pair->a) ? 0 : -ENOMEM;
}

static int add_table(struct plan *plan, const struct pair *pair)
{
        if (!pair->b || kept(pair))
                return 0;
        return add_op(plan, PLAN_ADD_TABLE, pair->b) ? 0 : -ENOMEM;
}

static int add_chains(struct plan *plan, const struct pair *pair)
{
        struct plan_op *op;

        for (size_t i = 0; pair->b && i < pair->b->chains_len; ++i) {
                const struct rs_chain *chain = &pair->b->chains[i];

                if (kept(pair) && rs_table_find_chain(pair->a, chain->name))
                        continue;
                op = add_op(plan, PLAN_ADD_CHAIN, pair->b);
                if (!op)
                        return -ENOMEM;
                op->chain = chain;
        }
        return 0;
}

static int add_sets(struct plan *plan, const struct pair *pair)
{
        struct plan_op *op;

        for (size_t i = 0; pair->b && i < pair->b->sets_len; ++i) {
                const struct rs_set *set = &pair->b->sets[i];

                if (kept(pair) && rs_table_find_set(pair->a, set->name))
                        continue;
                op = add_op(plan, PLAN_ADD_SET, pair->b);
                if (!op)
                        return -ENOMEM;
                op->set = set;
        }
        return 0;
}

static int del_chains(struct plan *plan, const struct pair *pair)
{
        const struct rs_table *old = kept(pair);
        struct plan_op *op;

        for (size_t i = 0; old && i < old->chains_len; ++i) {
                if (rs_table_find_chain(pair->b, old->chains[i].name))
                        continue;
                op = add_op(plan, PLAN_DEL_CHAIN, old);
                if (!op)
                        return -ENOMEM;
                op->chain = &old->chains[i];
        }
        return 0;
}

static int del_sets(struct plan *plan, const struct pair *pair)
{
        const struct rs_table *old = kept(pair);
        struct plan_op *op;

        for (size_t i = 0; old && i < old->sets_len; ++i) {
                if (rs_table_find_set(pair->b, old->sets[i].name))
                        continue;
                op = add_op(plan, PLAN_DEL_SET, old);
                if (!op)
                        return -ENOMEM;
                op->set = &old->sets[i];
        }
        return 0;
}

/* The elements of a that b does not have in the same form, in order; with a and b changed about: those to add. */
static int only_in(const struct rs_set *a, const struct rs_set *b, const struct rs_elem ***ret, size_t *ret_len)
{
        _cleanup_free_ const struct rs_elem **elems = NULL;
        size_t len = 0, cap = 0, j = 0;

        for (size_t i = 0; i < a->elems_len; ++i) {
                while (j < b->elems_len && rs_elem_cmp(a->key, &b->elems[j], &a->elems[i]) < 0)
                        ++j;
                if (j < b->elems_len && rs_elem_equal(&a->elems[i], &b->elems[j]))
                        continue;
                if (array_reserve(&elems, &cap, len + 1, sizeof(*elems)) < 0)
                        return -ENOMEM;
                elems[len++] = &a->elems[i];
        }
        *ret = steal(elems);
        *ret_len = len;
        return 0;
}

/* A set that goes takes its elements along; but an older kernel counts a chain as used by the verdicts of such a map
 * until the transaction is over, and would not let the chain go. */
static int with_chain(const struct rs_set *set, const struct rs_elem ***ret, size_t *ret_len)
{
        const struct rs_elem **elems = NULL;
        size_t len = 0, cap = 0;

        for (size_t i = 0; i < set->elems_len; ++i) {
                if (!set->elems[i].verdict.chain)
                        continue;
                if (array_reserve(&elems, &cap, len + 1, sizeof(*elems)) < 0) {
                        free(elems);
                        return -ENOMEM;
                }
                elems[len++] = &set->elems[i];
        }
        *ret = elems;
        *ret_len = len;
        return 0;
}

/* Takes elems over. */
static int add_elems_op(struct plan *plan, enum plan_kind kind, const struct rs_table *in, const struct rs_set *set,
                        const struct rs_elem **elems, size_t len)
{
        struct plan_op *op;

        if (len == 0) {
                free(elems);
                return 0;
        }
        op = add_op(plan, kind, in);
        if (!op) {
                free(elems);
                return -ENOMEM;
        }
        op->set = set;
        op->elems = elems;
        op->elems_len = len;
        return 0;
}

static int del_elems(struct plan *plan, const struct pair *pair)
{
        const struct rs_table *old = kept(pair);
        const struct rs_elem **elems;
        size_t len;
        int r;

        for (size_t i = 0; old && i < old->sets_len; ++i) {
                const struct rs_set *set = rs_table_find_set(pair->b, old->sets[i].name);

                r = set ? only_in(&old->sets[i], set, &elems, &len) : with_chain(&old->sets[i], &elems, &len);
                if (r == 0)
                        r = add_elems_op(plan, PLAN_DEL_ELEMS, old, &old->sets[i], elems, len);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_elems(struct plan *plan, const struct pair *pair)
{
        static const struct rs_set nothing = {.name = ""};
        const struct rs_elem **elems;
        size_t len;
        int r;

        for (size_t i = 0; pair->b && i < pair->b->sets_len; ++i) {
                const struct rs_set *set = &pair->b->sets[i], *old = NULL;

                if (kept(pair))
                        old = rs_table_find_set(pair->a, set->name);
                r = only_in(set, old ? old : &nothing, &elems, &len);
                if (r == 0)
                        r = add_elems_op(plan, PLAN_ADD_ELEMS, pair->b, set, elems, len);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* For every rule of b: the rule of a that stays in its place, or NULL. */
struct matching {
        const struct rs_rule **old; /* owned; one for every rule of b */
        bool *stays;                /* owned; one for every rule of a */
};

static void matching_fini(struct matching *matching)
{
        free(matching->old);
        free(matching->stays);
}

static void keep(struct matching *matching, const struct rs_chain *a, size_t i, size_t j)
{
        matching->old[j] = &a->rules[i];
        matching->stays[i] = true;
}

/* Rules a[start..a_end) and b[start..b_end). */
static int match_middle(struct matching *matching, const struct rs_chain *a, const struct rs_chain *b, size_t start,
                        size_t a_end, size_t b_end)
{
        size_t rows = a_end - start + 1, cols = b_end - start + 1;
        _cleanup_free_ uint32_t *best = NULL;

        if (rows == 1 || cols == 1 || rows > LCS_CELLS_MAX / cols)
                return 0;
        best = calloc(rows * cols, sizeof(*best));
        if (!best)
                return -ENOMEM;
        /* best[i][j]: how many rules stay of those from i and j on. */
        for (size_t i = rows - 1; i-- > 0;)
                for (size_t j = cols - 1; j-- > 0;) {
                        uint32_t *cell = &best[i * cols + j];

                        if (rs_rule_equal(&a->rules[start + i], &b->rules[start + j]))
                                *cell = cell[cols + 1] + 1;
                        else
                                *cell = cell[cols] > cell[1] ? cell[cols] : cell[1];
                }
        for (size_t i = 0, j = 0; i < rows - 1 && j < cols - 1;) {
                const uint32_t *cell = &best[i * cols + j];

                if (rs_rule_equal(&a->rules[start + i], &b->rules[start + j]))
                        keep(matching, a, start + i++, start + j++);
                else if (cell[cols] > cell[1])
                        ++i;
                else
                        ++j;
        }
        return 0;
}

static int match_rules(struct matching *matching, const struct rs_chain *a, const struct rs_chain *b)
{
        size_t start = 0, a_end = a->rules_len, b_end = b->rules_len;

        matching->old = calloc(b->rules_len + 1, sizeof(*matching->old));
        matching->stays = calloc(a->rules_len + 1, sizeof(*matching->stays));
        if (!matching->old || !matching->stays)
                return -ENOMEM;
        for (; start < a_end && start < b_end && rs_rule_equal(&a->rules[start], &b->rules[start]); ++start)
                keep(matching, a, start, start);
        for (; a_end > start && b_end > start && rs_rule_equal(&a->rules[a_end - 1], &b->rules[b_end - 1]);
             --a_end, --b_end)
                keep(matching, a, a_end - 1, b_end - 1);
        return match_middle(matching, a, b, start, a_end, b_end);
}

static int del_rules(struct plan *plan, const struct rs_table *in, const struct rs_chain *chain, const bool *stays)
{
        struct plan_op *op;

        for (size_t i = 0; i < chain->rules_len; ++i) {
                if (stays && stays[i])
                        continue;
                op = add_op(plan, PLAN_DEL_RULE, in);
                if (!op)
                        return -ENOMEM;
                op->chain = chain;
                op->old_rule = &chain->rules[i];
        }
        return 0;
}

static int add_rule(struct plan *plan, const struct rs_table *in, const struct rs_chain *chain, size_t i,
                    const struct rs_rule *after, bool at_start)
{
        struct plan_op *op = add_op(plan, PLAN_ADD_RULE, in);

        if (!op)
                return -ENOMEM;
        op->chain = chain;
        op->rule = &chain->rules[i];
        op->old_rule = after;
        op->at_start = at_start;
        return 0;
}

/* What follows the last kept rule is appended in order. A run of new rules before that is put after the kept rule that
 * it follows (or at the start) last one first, as each goes directly behind that rule. */
static int add_new_rules(struct plan *plan, const struct rs_table *in, const struct rs_chain *chain,
                         const struct rs_rule *const *old)
{
        size_t tail = chain->rules_len, end;
        int r = 0;

        while (tail > 0 && !old[tail - 1])
                --tail;
        for (end = tail; r == 0 && end > 0;) {
                size_t start = end - 1;

                /* old[end - 1] is kept; the run before it is start..end - 1. */
                while (start > 0 && !old[start - 1])
                        --start;
                for (size_t i = end - 1; r == 0 && i-- > start;)
                        r = add_rule(plan, in, chain, i, start > 0 ? old[start - 1] : NULL, start == 0);
                end = start;
        }
        for (size_t i = tail; r == 0 && i < chain->rules_len; ++i)
                r = add_rule(plan, in, chain, i, NULL, false);
        return r;
}

static int change_rules(struct plan *plan, const struct pair *pair, const struct rs_chain *a, const struct rs_chain *b,
                        bool add)
{
        _cleanup_(matching_fini) struct matching matching = {NULL, NULL};
        int r = match_rules(&matching, a, b);

        if (r < 0)
                return r;
        return add ? add_new_rules(plan, pair->b, b, matching.old) : del_rules(plan, pair->a, a, matching.stays);
}

/* All rules of a chain that goes are deleted one by one: they may name chains and sets that go as well, and those must
 * not be in use when their turn comes. */
static int del_old_rules(struct plan *plan, const struct pair *pair)
{
        const struct rs_table *old = kept(pair);
        int r = 0;

        for (size_t i = 0; r == 0 && old && i < old->chains_len; ++i) {
                const struct rs_chain *chain = rs_table_find_chain(pair->b, old->chains[i].name);

                r = chain ? change_rules(plan, pair, &old->chains[i], chain, false)
                          : del_rules(plan, old, &old->chains[i], NULL);
        }
        return r;
}

static int add_rules(struct plan *plan, const struct pair *pair)
{
        static const struct rs_chain nothing = {.name = ""};
        int r = 0;

        for (size_t i = 0; r == 0 && pair->b && i < pair->b->chains_len; ++i) {
                const struct rs_chain *chain = &pair->b->chains[i], *old = NULL;

                if (kept(pair))
                        old = rs_table_find_chain(pair->a, chain->name);
                r = change_rules(plan, pair, old ? old : &nothing, chain, true);
        }
        return r;
}

int ruleset_diff(struct plan *ret, const struct ruleset *a, const struct ruleset *b, bool purge)
{
        static int (*const phases[])(struct plan *, const struct pair *) = {
                del_table, add_table, add_chains, add_sets,   del_old_rules,
                del_elems, add_elems, add_rules,  del_chains, del_sets,
        };
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_free_ struct pair *pairs = NULL;
        size_t len = 0;
        int r;

        r = pair_tables(a, b, purge, &pairs, &len);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(phases); ++i)
                for (size_t j = 0; r == 0 && j < len; ++j)
                        r = phases[i](&plan, &pairs[j]);
        if (r < 0)
                return r;
        *ret = plan;
        plan = (struct plan)PLAN_INIT;
        return 0;
}
