/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Totals by rule. The compiled ruleset and the kernel's are walked side by side: one knows whom an element speaks for, the
 * other what it counted. */
#include <errno.h>
#include <string.h>

#include "counters.h"

void counters_fini(struct counters *counters)
{
        for (size_t i = 0; i < counters->len; i++) {
                free(counters->rows[i].ns);
                free(counters->rows[i].policy);
        }
        free(counters->rows);
        *counters = (struct counters)COUNTERS_INIT;
}

static int compare(const struct counter_row *row, const struct rs_origin *origin)
{
        int order = strcmp(row->ns, origin->ns);

        if (order == 0)
                order = strcmp(row->policy, origin->policy);
        if (order == 0)
                order = (int)row->direction - (int)origin->direction;
        if (order == 0)
                order = (row->rule > origin->rule) - (row->rule < origin->rule);
        if (order == 0)
                order = (int)row->action - (int)origin->action;
        return order == 0 ? strcmp(row->reason, origin->reason) : order;
}

/* The row of an origin, made where it is not there yet. */
static int find_row(struct counters *counters, const struct rs_origin *origin, size_t *ret)
{
        struct counter_row row = {
                .reason = origin->reason,
                .rule = origin->rule,
                .direction = origin->direction,
                .action = origin->action,
        };
        size_t low = 0, high = counters->len;
        int r;

        while (low < high) {
                size_t mid = low + (high - low) / 2;
                int order = compare(&counters->rows[mid], origin);

                if (order == 0) {
                        *ret = mid;
                        return 0;
                }
                if (order < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        r = array_reserve(&counters->rows, &counters->cap, counters->len + 1, sizeof(row));
        if (r < 0)
                return r;
        row.ns = strdup(origin->ns);
        row.policy = strdup(origin->policy);
        if (!row.ns || !row.policy) {
                free(row.ns);
                free(row.policy);
                return -ENOMEM;
        }
        memmove(&counters->rows[low + 1], &counters->rows[low], (counters->len++ - low) * sizeof(row));
        counters->rows[low] = row;
        *ret = low;
        return 0;
}

static void add(struct rs_counter *sums, uint32_t origin, const struct rs_counter *counter)
{
        if (origin == RS_ORIGIN_NONE)
                return;
        sums[origin].packets += counter->packets;
        sums[origin].bytes += counter->bytes;
}

static void sum_set(struct rs_counter *sums, const struct rs_set *compiled, const struct rs_set *actual)
{
        size_t i = 0, j = 0;

        while (i < compiled->elems_len && j < actual->elems_len) {
                int order = rs_elem_cmp(compiled->key, &compiled->elems[i], &actual->elems[j]);

                if (order == 0)
                        add(sums, compiled->elems[i].origin, &actual->elems[j].counter);
                i += order <= 0;
                j += order >= 0;
        }
}

static void sum_table(struct rs_counter *sums, const struct rs_table *compiled, const struct rs_table *actual)
{
        for (size_t i = 0; i < compiled->sets_len; i++) {
                const struct rs_set *set = rs_table_find_set(actual, compiled->sets[i].name);

                if (set && set->key == compiled->sets[i].key)
                        sum_set(sums, &compiled->sets[i], set);
        }
        for (size_t i = 0; i < compiled->chains_len; i++) {
                const struct rs_chain *chain = rs_table_find_chain(actual, compiled->chains[i].name);

                for (size_t j = 0; chain && j < chain->rules_len && j < compiled->chains[i].rules_len; j++)
                        if (rs_rule_equal(&compiled->chains[i].rules[j], &chain->rules[j]))
                                add(sums, compiled->chains[i].rules[j].origin, &chain->rules[j].count);
        }
}

/* A sum that fell lost elements since: the difference is carried, so that the total stays. */
static uint64_t carry(uint64_t carried, uint64_t before, uint64_t now)
{
        return now < before ? carried + (before - now) : carried;
}

static void set_current(struct counter_row *row, struct rs_counter now)
{
        row->carried.packets = carry(row->carried.packets, row->current.packets, now.packets);
        row->carried.bytes = carry(row->carried.bytes, row->current.bytes, now.bytes);
        row->current = now;
}

int counters_update(struct counters *counters, const struct ruleset *compiled, const struct ruleset *actual)
{
        _cleanup_free_ struct rs_counter *sums = calloc(compiled->origins_len + 1, sizeof(*sums));
        _cleanup_free_ struct rs_counter *now = NULL;
        size_t at;
        int r;

        if (!sums)
                return -ENOMEM;
        for (size_t i = 0; i < compiled->tables_len; i++) {
                const struct rs_table *table = &compiled->tables[i];
                const struct rs_table *other = ruleset_find_table(actual, table->family, table->name);

                if (other)
                        sum_table(sums, table, other);
        }
        for (size_t i = 0; i < compiled->origins_len; i++) {
                r = find_row(counters, &compiled->origins[i], &at);
                if (r < 0)
                        return r;
        }
        /* Several origins can share a row, and a row can have lost its last one. */
        now = calloc(counters->len + 1, sizeof(*now));
        if (!now)
                return -ENOMEM;
        for (size_t i = 0; i < compiled->origins_len; i++) {
                r = find_row(counters, &compiled->origins[i], &at);
                if (r < 0)
                        return r;
                now[at].packets += sums[i].packets;
                now[at].bytes += sums[i].bytes;
        }
        for (size_t i = 0; i < counters->len; i++)
                set_current(&counters->rows[i], now[i]);
        return 0;
}
