/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plan does, carried out on a ruleset in memory, and its text. */
#include <errno.h>
#include <string.h>

#include <vethwall/diff.h>

#include "ruleset_text.h"

void plan_fini(struct plan *plan)
{
        for (size_t i = 0; i < plan->len; ++i)
                free(plan->ops[i].elems);
        free(plan->ops);
        *plan = (struct plan)PLAN_INIT;
}

/* Objects under change, as lists of what they will be copied from. The lists of chains, sets and tables are sorted when
 * something is looked up in them after an addition. */
struct draft_chain {
        const struct rs_chain *from;
        const struct rs_rule **rules; /* owned */
        size_t len, cap;
        bool gone;
};

struct draft_set {
        const struct rs_set *from;
        const struct rs_elem **elems; /* owned; sorted */
        size_t len, cap;
        bool gone;
};

struct draft_table {
        const struct rs_table *from;
        struct draft_chain *chains; /* owned */
        size_t chains_len, chains_cap;
        struct draft_set *sets; /* owned */
        size_t sets_len, sets_cap;
        bool unsorted;
        bool gone;
};

struct draft {
        struct draft_table *tables; /* owned */
        size_t len, cap;
};

static void draft_fini(struct draft *draft)
{
        for (size_t i = 0; i < draft->len; ++i) {
                struct draft_table *table = &draft->tables[i];

                for (size_t j = 0; j < table->chains_len; ++j)
                        free(table->chains[j].rules);
                for (size_t j = 0; j < table->sets_len; ++j)
                        free(table->sets[j].elems);
                free(table->chains);
                free(table->sets);
        }
        free(draft->tables);
}

/* Room for one more at the end of a heap array, zeroed. */
static void *append(void *items, size_t *len, size_t *cap, size_t size)
{
        char *item;

        if (array_reserve(items, cap, *len + 1, size) < 0)
                return NULL;
        item = *(char **)items + (*len)++ * size;
        memset(item, 0, size);
        return item;
}

static struct draft_table *add_table(struct draft *draft, const struct rs_table *from)
{
        struct draft_table *table = append(&draft->tables, &draft->len, &draft->cap, sizeof(*draft->tables));

        if (table)
                table->from = from;
        return table;
}

static struct draft_chain *add_chain(struct draft_table *table, const struct rs_chain *from)
{
        struct draft_chain *chain = append(&table->chains, &table->chains_len, &table->chains_cap, sizeof(*chain));

        table->unsorted = true;
        if (chain)
                chain->from = from;
        return chain;
}

static struct draft_set *add_set(struct draft_table *table, const struct rs_set *from)
{
        struct draft_set *set = append(&table->sets, &table->sets_len, &table->sets_cap, sizeof(*set));

        table->unsorted = true;
        if (set)
                set->from = from;
        return set;
}

static int draft_chain_from(struct draft_table *table, const struct rs_chain *from)
{
        struct draft_chain *chain = add_chain(table, from);

        if (!chain || array_reserve(&chain->rules, &chain->cap, from->rules_len, sizeof(*chain->rules)) < 0)
                return -ENOMEM;
        for (; chain->len < from->rules_len; ++chain->len)
                chain->rules[chain->len] = &from->rules[chain->len];
        return 0;
}

static int draft_set_from(struct draft_table *table, const struct rs_set *from)
{
        struct draft_set *set = add_set(table, from);

        if (!set || array_reserve(&set->elems, &set->cap, from->elems_len, sizeof(*set->elems)) < 0)
                return -ENOMEM;
        for (; set->len < from->elems_len; ++set->len)
                set->elems[set->len] = &from->elems[set->len];
        return 0;
}

static int draft_from(struct draft *draft, const struct ruleset *ruleset)
{
        for (size_t i = 0; i < ruleset->tables_len; ++i) {
                const struct rs_table *from = &ruleset->tables[i];
                struct draft_table *table = add_table(draft, from);
                int r = table ? 0 : -ENOMEM;

                for (size_t j = 0; r == 0 && j < from->chains_len; ++j)
                        r = draft_chain_from(table, &from->chains[j]);
                for (size_t j = 0; r == 0 && j < from->sets_len; ++j)
                        r = draft_set_from(table, &from->sets[j]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static struct draft_table *find_table(struct draft *draft, const struct plan_op *op)
{
        for (size_t i = 0; i < draft->len; ++i)
                if (!draft->tables[i].gone && draft->tables[i].from->family == op->family &&
                    strcmp(draft->tables[i].from->name, op->table) == 0)
                        return &draft->tables[i];
        return NULL;
}

static int chain_order(const void *a, const void *b)
{
        const struct draft_chain *x = a, *y = b;

        return strcmp(x->from->name, y->from->name);
}

static int set_order(const void *a, const void *b)
{
        const struct draft_set *x = a, *y = b;

        return strcmp(x->from->name, y->from->name);
}

/* False where two have one name. */
static bool sort(void *items, size_t len, size_t size, int (*order)(const void *, const void *))
{
        const char *item = items;

        if (len > 0)
                qsort(items, len, size, order);
        for (size_t i = 1; i < len; ++i, item += size)
                if (order(item, item + size) == 0)
                        return false;
        return true;
}

static bool sort_table(struct draft_table *table)
{
        table->unsorted = false;
        return sort(table->chains, table->chains_len, sizeof(*table->chains), chain_order) &&
               sort(table->sets, table->sets_len, sizeof(*table->sets), set_order);
}

static struct draft_chain *find_chain(struct draft_table *table, const struct plan_op *op)
{
        struct draft_chain key = {.from = op->chain}, *ret;

        if (!op->chain || (table->unsorted && !sort_table(table)) || table->chains_len == 0)
                return NULL;
        ret = bsearch(&key, table->chains, table->chains_len, sizeof(key), chain_order);
        return ret && !ret->gone ? ret : NULL;
}

static struct draft_set *find_set(struct draft_table *table, const struct plan_op *op)
{
        struct draft_set key = {.from = op->set}, *ret;

        if (!op->set || (table->unsorted && !sort_table(table)) || table->sets_len == 0)
                return NULL;
        ret = bsearch(&key, table->sets, table->sets_len, sizeof(key), set_order);
        return ret && !ret->gone ? ret : NULL;
}

static int del_elems(struct draft_set *set, const struct plan_op *op)
{
        size_t kept = 0, j = 0;

        for (size_t i = 0; i < set->len; ++i) {
                if (j < op->elems_len && rs_elem_cmp(set->from->key, set->elems[i], op->elems[j]) == 0)
                        ++j;
                else
                        set->elems[kept++] = set->elems[i];
        }
        set->len = kept;
        return j == op->elems_len ? 0 : -EINVAL;
}

static int add_elems(struct draft_set *set, const struct plan_op *op)
{
        size_t i = set->len, j = op->elems_len, end = i + j;

        if (array_reserve(&set->elems, &set->cap, end, sizeof(*set->elems)) < 0)
                return -ENOMEM;
        set->len = end;
        while (j > 0) {
                int r = i > 0 ? rs_elem_cmp(set->from->key, set->elems[i - 1], op->elems[j - 1]) : -1;

                if (r == 0)
                        return -EINVAL;
                set->elems[--end] = r > 0 ? set->elems[--i] : op->elems[--j];
        }
        return 0;
}

/* The place of a rule in the chain, or its length. */
static size_t rule_index(const struct draft_chain *chain, const struct rs_rule *rule)
{
        size_t i = 0;

        while (i < chain->len && chain->rules[i] != rule)
                ++i;
        return i;
}

static int del_rule(struct draft_chain *chain, const struct rs_rule *rule)
{
        size_t i = rule_index(chain, rule);

        if (i == chain->len)
                return -EINVAL;
        memmove(&chain->rules[i], &chain->rules[i + 1], (chain->len - i - 1) * sizeof(*chain->rules));
        --chain->len;
        return 0;
}

static int add_rule(struct draft_chain *chain, const struct plan_op *op)
{
        size_t i = op->at_start ? 0 : chain->len;

        if (op->old_rule) {
                i = rule_index(chain, op->old_rule) + 1;
                if (i > chain->len)
                        return -EINVAL;
        }
        if (array_reserve(&chain->rules, &chain->cap, chain->len + 1, sizeof(*chain->rules)) < 0)
                return -ENOMEM;
        memmove(&chain->rules[i + 1], &chain->rules[i], (chain->len - i) * sizeof(*chain->rules));
        chain->rules[i] = op->rule;
        ++chain->len;
        return 0;
}

static int apply_op(struct draft *draft, const struct plan_op *op)
{
        struct draft_table *table = find_table(draft, op);
        struct draft_chain *chain;
        struct draft_set *set;

        if (op->kind == PLAN_ADD_TABLE)
                return table ? -EINVAL : add_table(draft, op->in) ? 0 : -ENOMEM;
        if (!table)
                return -EINVAL;

        switch (op->kind) {
        case PLAN_DEL_TABLE:
                table->gone = true;
                return 0;
        case PLAN_ADD_CHAIN:
                return add_chain(table, op->chain) ? 0 : -ENOMEM;
        case PLAN_ADD_SET:
                return add_set(table, op->set) ? 0 : -ENOMEM;
        case PLAN_DEL_RULE:
                chain = find_chain(table, op);
                return chain ? del_rule(chain, op->old_rule) : -EINVAL;
        case PLAN_DEL_ELEMS:
                set = find_set(table, op);
                return set ? del_elems(set, op) : -EINVAL;
        case PLAN_ADD_ELEMS:
                set = find_set(table, op);
                return set ? add_elems(set, op) : -EINVAL;
        case PLAN_ADD_RULE:
                chain = find_chain(table, op);
                return chain ? add_rule(chain, op) : -EINVAL;
        case PLAN_DEL_CHAIN:
                chain = find_chain(table, op);
                if (!chain || chain->len > 0)
                        return -EINVAL;
                chain->gone = true;
                return 0;
        case PLAN_DEL_SET:
                set = find_set(table, op);
                if (!set)
                        return -EINVAL;
                set->gone = true;
                return 0;
        case PLAN_ADD_TABLE:
        case PLAN_KIND_MAX:
                break;
        }
        return -EINVAL;
}

/* A copy of a name or comment that may be NULL; false: no memory. */
static bool copy_text(struct arena *arena, const char *text, const char **ret)
{
        *ret = text ? arena_strdup(arena, text) : NULL;
        return *ret || !text;
}

static int copy_rule(struct arena *arena, const struct rs_rule *from, struct rs_rule *to)
{
        *to = *from;
        to->origin = RS_ORIGIN_NONE;
        to->matches = arena_array(arena, from->matches_len, sizeof(*to->matches));
        if (!to->matches || !copy_text(arena, from->verdict.chain, &to->verdict.chain) ||
            !copy_text(arena, from->map, &to->map) || !copy_text(arena, from->comment, &to->comment))
                return -ENOMEM;
        for (size_t i = 0; i < from->matches_len; ++i) {
                struct rs_match *match = &to->matches[i];

                *match = from->matches[i];
                if (!copy_text(arena, match->ifname, &match->ifname) || !copy_text(arena, match->set, &match->set))
                        return -ENOMEM;
        }
        return 0;
}

static int copy_chain(struct arena *arena, const struct draft_chain *from, struct rs_table *table)
{
        struct rs_chain *to = rs_table_add_chain(table, NULL);
        int r = 0;

        if (!to || !copy_text(arena, from->from->name, &to->name) ||
            array_reserve(&to->rules, &to->rules_cap, from->len, sizeof(*to->rules)) < 0)
                return -ENOMEM;
        to->hook = from->from->hook;
        to->priority = from->from->priority;
        to->foreign = from->from->foreign;
        for (; r == 0 && to->rules_len < from->len; ++to->rules_len)
                r = copy_rule(arena, from->rules[to->rules_len], &to->rules[to->rules_len]);
        return r;
}

static int copy_set(struct arena *arena, const struct draft_set *from, struct rs_table *table)
{
        struct rs_set *to = rs_table_add_set(table, NULL, from->from->key);

        if (!to || !copy_text(arena, from->from->name, &to->name) ||
            array_reserve(&to->elems, &to->elems_cap, from->len, sizeof(*to->elems)) < 0)
                return -ENOMEM;
        to->map = from->from->map;
        to->interval = from->from->interval;
        to->counter = from->from->counter;
        to->foreign = from->from->foreign;
        for (; to->elems_len < from->len; ++to->elems_len) {
                struct rs_elem *elem = &to->elems[to->elems_len];

                *elem = *from->elems[to->elems_len];
                elem->origin = RS_ORIGIN_NONE;
                if (!copy_text(arena, elem->verdict.chain, &elem->verdict.chain) ||
                    !copy_text(arena, elem->comment, &elem->comment))
                        return -ENOMEM;
        }
        return 0;
}

static int copy_table(struct ruleset *ruleset, const struct draft_table *from)
{
        struct rs_table *to = ruleset_add_table(ruleset, from->from->family, NULL);
        int r = 0;

        if (!to || !copy_text(ruleset->arena, from->from->name, &to->name))
                return -ENOMEM;
        to->foreign = from->from->foreign;
        for (size_t i = 0; r == 0 && i < from->chains_len; ++i)
                if (!from->chains[i].gone)
                        r = copy_chain(ruleset->arena, &from->chains[i], to);
        for (size_t i = 0; r == 0 && i < from->sets_len; ++i)
                if (!from->sets[i].gone)
                        r = copy_set(ruleset->arena, &from->sets[i], to);
        return r;
}

int ruleset_apply(struct ruleset **ret, const struct ruleset *a, const struct plan *plan)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        _cleanup_(draft_fini) struct draft draft = {NULL, 0, 0};
        int r;

        r = draft_from(&draft, a);
        for (size_t i = 0; r == 0 && i < plan->len; ++i)
                r = apply_op(&draft, &plan->ops[i]);
        for (size_t i = 0; r == 0 && i < draft.len; ++i)
                r = sort_table(&draft.tables[i]) ? 0 : -EINVAL;
        if (r == 0)
                r = ruleset_new(&ruleset);
        for (size_t i = 0; r == 0 && i < draft.len; ++i)
                if (!draft.tables[i].gone)
                        r = copy_table(ruleset, &draft.tables[i]);
        if (r < 0)
                return r;
        ruleset_seal(ruleset);
        *ret = steal(ruleset);
        return 0;
}

static void elems_text(struct strbuf *buf, const struct plan_op *op, char sign)
{
        for (size_t i = 0; i < op->elems_len; ++i) {
                strbuf_printf(buf, "%c element %s %s %s { ", sign, rs_family_name(op->family), op->table,
                              op->set->name);
                rs_elem_text(buf, op->set, op->elems[i]);
                strbuf_puts(buf, " }\n");
        }
}

static void rule_text(struct strbuf *buf, const struct plan_op *op, char sign, const struct rs_rule *rule)
{
        strbuf_printf(buf, "%c rule %s %s %s ", sign, rs_family_name(op->family), op->table, op->chain->name);
        rs_rule_text(buf, op->in, rule);
        strbuf_putc(buf, '\n');
}

static void chain_text(struct strbuf *buf, const struct plan_op *op, char sign, bool declare)
{
        strbuf_printf(buf, "%c chain %s %s %s", sign, rs_family_name(op->family), op->table, op->chain->name);
        if (declare)
                rs_chain_text(buf, op->family, op->chain, " { ", " }");
        strbuf_putc(buf, '\n');
}

static void set_text(struct strbuf *buf, const struct plan_op *op, char sign, bool declare)
{
        strbuf_printf(buf, "%c %s %s %s %s", sign, op->set->map ? "map" : "set", rs_family_name(op->family), op->table,
                      op->set->name);
        if (declare) {
                strbuf_puts(buf, " {");
                rs_set_text(buf, op->set, " ", ";");
                strbuf_puts(buf, " }");
        }
        strbuf_putc(buf, '\n');
}

static void op_text(struct strbuf *buf, const struct plan_op *op)
{
        switch (op->kind) {
        case PLAN_DEL_TABLE:
        case PLAN_ADD_TABLE:
                strbuf_printf(buf, "%c table %s %s\n", op->kind == PLAN_DEL_TABLE ? '-' : '+',
                              rs_family_name(op->family), op->table);
                break;
        case PLAN_ADD_CHAIN:
                chain_text(buf, op, '+', true);
                break;
        case PLAN_ADD_SET:
                set_text(buf, op, '+', true);
                break;
        case PLAN_DEL_RULE:
                rule_text(buf, op, '-', op->old_rule);
                break;
        case PLAN_DEL_ELEMS:
                elems_text(buf, op, '-');
                break;
        case PLAN_ADD_ELEMS:
                elems_text(buf, op, '+');
                break;
        case PLAN_ADD_RULE:
                rule_text(buf, op, '+', op->rule);
                break;
        case PLAN_DEL_CHAIN:
                chain_text(buf, op, '-', false);
                break;
        case PLAN_DEL_SET:
                set_text(buf, op, '-', false);
                break;
        case PLAN_KIND_MAX:
                break;
        }
}

void plan_text(struct strbuf *buf, const struct plan *plan)
{
        for (size_t i = 0; i < plan->len; ++i)
                op_text(buf, &plan->ops[i]);
}
