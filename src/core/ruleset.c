/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ruleset model: filling, canonical order, search and equality. Names live in the ruleset's arena, the arrays that
 * grow are on the heap. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <vethwall/ruleset.h>

static const size_t key_sizes[] = {
        [RS_KEY_ADDR4] = 4, [RS_KEY_ADDR6] = 16,     [RS_KEY_ADDR4_PAIR] = 8,  [RS_KEY_ADDR6_PAIR] = 32,
        [RS_KEY_PROTO] = 1, [RS_KEY_PROTO_PORT] = 8, [RS_KEY_ICMPV6_TYPE] = 1,
};
static_assert(ARRAY_SIZE(key_sizes) == RS_KEY_MAX, "every key type has a size");

size_t rs_key_size(enum rs_key key)
{
        return key_sizes[key];
}

int ruleset_new(struct ruleset **ret)
{
        struct ruleset *ruleset = calloc(1, sizeof(*ruleset));

        if (!ruleset)
                return -ENOMEM;
        ruleset->arena = arena_new();
        if (!ruleset->arena) {
                free(ruleset);
                return -ENOMEM;
        }
        *ret = ruleset;
        return 0;
}

static void table_fini(struct rs_table *table)
{
        for (size_t i = 0; i < table->chains_len; ++i)
                free(table->chains[i].rules);
        for (size_t i = 0; i < table->sets_len; ++i)
                free(table->sets[i].elems);
        free(table->chains);
        free(table->sets);
}

struct ruleset *ruleset_free(struct ruleset *ruleset)
{
        if (!ruleset)
                return NULL;
        for (size_t i = 0; i < ruleset->tables_len; ++i)
                table_fini(&ruleset->tables[i]);
        free(ruleset->tables);
        arena_free(ruleset->arena);
        free(ruleset);
        return NULL;
}

/* Room for one more object at the end of a heap array, zeroed. */
static void *append(void *items, size_t *len, size_t *cap, size_t size)
{
        char *item;

        if (array_reserve(items, cap, *len + 1, size) < 0)
                return NULL;
        item = *(char **)items + *len * size;
        memset(item, 0, size);
        ++*len;
        return item;
}

struct rs_table *ruleset_add_table(struct ruleset *ruleset, enum rs_family family, const char *name)
{
        struct rs_table *table =
                append(&ruleset->tables, &ruleset->tables_len, &ruleset->tables_cap, sizeof(*ruleset->tables));

        if (table) {
                table->family = family;
                table->name = name;
        }
        return table;
}

struct rs_chain *rs_table_add_chain(struct rs_table *table, const char *name)
{
        struct rs_chain *chain = append(&table->chains, &table->chains_len, &table->chains_cap, sizeof(*table->chains));

        if (chain)
                chain->name = name;
        return chain;
}

struct rs_set *rs_table_add_set(struct rs_table *table, const char *name, enum rs_key key)
{
        struct rs_set *set = append(&table->sets, &table->sets_len, &table->sets_cap, sizeof(*table->sets));

        if (set) {
                set->name = name;
                set->key = key;
        }
        return set;
}

struct rs_rule *rs_chain_add_rule(struct rs_chain *chain)
{
        struct rs_rule *rule = append(&chain->rules, &chain->rules_len, &chain->rules_cap, sizeof(*chain->rules));

        if (rule)
                rule->origin = RS_ORIGIN_NONE;
        return rule;
}

struct rs_elem *rs_set_add_elem(struct rs_set *set)
{
        struct rs_elem *elem = append(&set->elems, &set->elems_len, &set->elems_cap, sizeof(*set->elems));

        if (elem)
                elem->origin = RS_ORIGIN_NONE;
        return elem;
}

int rs_elem_cmp(enum rs_key key, const struct rs_elem *a, const struct rs_elem *b)
{
        size_t size = key_sizes[key];
        int r = memcmp(a->key, b->key, size);

        return r != 0 ? r : memcmp(a->key_end, b->key_end, size);
}

/* Keys are zero beyond their size, so that one comparison serves every type. */
static int elem_order(const void *a, const void *b)
{
        const struct rs_elem *x = a, *y = b;
        int r = memcmp(x->key, y->key, sizeof(x->key));

        return r != 0 ? r : memcmp(x->key_end, y->key_end, sizeof(x->key_end));
}

static int set_order(const void *a, const void *b)
{
        const struct rs_set *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static int chain_order(const void *a, const void *b)
{
        const struct rs_chain *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static int table_order(const void *a, const void *b)
{
        const struct rs_table *x = a, *y = b;

        if (x->family != y->family)
                return x->family < y->family ? -1 : 1;
        return strcmp(x->name, y->name);
}

/* Most arrays arrive in order, and looking costs less than sorting. */
static void sort(void *items, size_t len, size_t size, int (*order)(const void *, const void *))
{
        const char *item = items;

        for (size_t i = 1; i < len; ++i, item += size)
                if (order(item, item + size) > 0) {
                        qsort(items, len, size, order);
                        return;
                }
}

/* An element by the beginning of its key, as a number in the order of keys. */
struct elem_ref {
        uint64_t prefix;
        const struct rs_elem *elem;
};

static int elem_ref_order(const void *a, const void *b)
{
        const struct elem_ref *x = a, *y = b;

        if (x->prefix != y->prefix)
                return x->prefix < y->prefix ? -1 : 1;
        return elem_order(x->elem, y->elem);
}

static bool elems_are_sorted(const struct rs_set *set)
{
        for (size_t i = 1; i < set->elems_len; ++i)
                if (elem_order(&set->elems[i - 1], &set->elems[i]) > 0)
                        return false;
        return true;
}

/* Elements are large against what decides their order, and there may be very many: sorting references and moving each
 * element once takes a fraction of the time. Without memory for that they are sorted in place. */
static void sort_elems(struct rs_set *set)
{
        size_t len = set->elems_len;
        _cleanup_free_ struct elem_ref *refs = NULL;
        struct rs_elem *sorted;

        if (elems_are_sorted(set))
                return;
        refs = malloc(len * sizeof(*refs));
        sorted = malloc(len * sizeof(*sorted));
        if (!refs || !sorted) {
                free(sorted);
                qsort(set->elems, len, sizeof(*set->elems), elem_order);
                return;
        }
        for (size_t i = 0; i < len; ++i) {
                refs[i].prefix = 0;
                for (size_t j = 0; j < sizeof(refs[i].prefix); ++j)
                        refs[i].prefix = refs[i].prefix << 8 | set->elems[i].key[j];
                refs[i].elem = &set->elems[i];
        }
        qsort(refs, len, sizeof(*refs), elem_ref_order);
        for (size_t i = 0; i < len; ++i)
                sorted[i] = *refs[i].elem;
        free(set->elems);
        set->elems = sorted;
        set->elems_cap = len;
}

static void seal_set(struct rs_set *set)
{
        if (!set->interval)
                for (size_t i = 0; i < set->elems_len; ++i)
                        memcpy(set->elems[i].key_end, set->elems[i].key, sizeof(set->elems[i].key));
        sort_elems(set);
}

void ruleset_seal(struct ruleset *ruleset)
{
        for (size_t i = 0; i < ruleset->tables_len; ++i) {
                struct rs_table *table = &ruleset->tables[i];

                for (size_t j = 0; j < table->sets_len; ++j)
                        seal_set(&table->sets[j]);
                sort(table->sets, table->sets_len, sizeof(*table->sets), set_order);
                sort(table->chains, table->chains_len, sizeof(*table->chains), chain_order);
        }
        sort(ruleset->tables, ruleset->tables_len, sizeof(*ruleset->tables), table_order);
}

/* bsearch() wants a pointer that is not NULL even for no items. */
static void *find(const void *key, const void *items, size_t len, size_t size, int (*order)(const void *, const void *))
{
        return len > 0 ? bsearch(key, items, len, size, order) : NULL;
}

struct rs_table *ruleset_find_table(const struct ruleset *ruleset, enum rs_family family, const char *name)
{
        struct rs_table key = {.family = family, .name = name};

        return find(&key, ruleset->tables, ruleset->tables_len, sizeof(key), table_order);
}

struct rs_chain *rs_table_find_chain(const struct rs_table *table, const char *name)
{
        struct rs_chain key = {.name = name};

        return find(&key, table->chains, table->chains_len, sizeof(key), chain_order);
}

struct rs_set *rs_table_find_set(const struct rs_table *table, const char *name)
{
        struct rs_set key = {.name = name};

        return find(&key, table->sets, table->sets_len, sizeof(key), set_order);
}

/* The parts of a concatenation: how many, and where each begins and how long it is. */
static size_t key_parts(enum rs_key key, size_t offsets[static 2], size_t sizes[static 2])
{
        offsets[0] = 0;
        sizes[0] = key_sizes[key];
        switch (key) {
        case RS_KEY_ADDR4_PAIR:
        case RS_KEY_ADDR6_PAIR:
                sizes[0] = sizes[1] = offsets[1] = key_sizes[key] / 2;
                return 2;
        case RS_KEY_PROTO_PORT:
                sizes[0] = 1;
                offsets[1] = 4;
                sizes[1] = 2;
                return 2;
        case RS_KEY_ADDR4:
        case RS_KEY_ADDR6:
        case RS_KEY_PROTO:
        case RS_KEY_ICMPV6_TYPE:
        case RS_KEY_MAX:
                break;
        }
        return 1;
}

static bool elem_holds(const struct rs_elem *elem, const uint8_t *key, size_t parts, const size_t *offsets,
                       const size_t *sizes)
{
        for (size_t i = 0; i < parts; ++i)
                if (memcmp(elem->key + offsets[i], key + offsets[i], sizes[i]) > 0 ||
                    memcmp(elem->key_end + offsets[i], key + offsets[i], sizes[i]) < 0)
                        return false;
        return true;
}

struct rs_elem *rs_set_find_elem(const struct rs_set *set, const uint8_t *key)
{
        size_t size = key_sizes[set->key], low = 0, high = set->elems_len, offsets[2], sizes[2], parts;

        /* Past the last element that does not begin after the key. */
        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (memcmp(set->elems[middle].key, key, size) <= 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low == 0)
                return NULL;
        if (!set->interval)
                return memcmp(set->elems[low - 1].key, key, size) == 0 ? &set->elems[low - 1] : NULL;

        /* Disjoint ranges of one part: it is this one or none. Boxes of two parts can be disjoint and yet follow
         * each other in any way, so that an earlier one may be it. */
        parts = key_parts(set->key, offsets, sizes);
        do {
                if (elem_holds(&set->elems[--low], key, parts, offsets, sizes))
                        return &set->elems[low];
        } while (parts > 1 && low > 0);
        return NULL;
}

/* NULL and NULL are equal, NULL and a text are not. */
static bool text_equal(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

bool rs_verdict_equal(const struct rs_verdict *a, const struct rs_verdict *b)
{
        return a->kind == b->kind && text_equal(a->chain, b->chain);
}

static bool match_equal(const struct rs_match *a, const struct rs_match *b)
{
        if (a->kind != b->kind)
                return false;
        switch (a->kind) {
        case RS_MATCH_CT_STATE:
                return a->ct_state == b->ct_state;
        case RS_MATCH_IIFNAME:
        case RS_MATCH_OIFNAME:
                return text_equal(a->ifname, b->ifname);
        case RS_MATCH_SET:
                return a->negate == b->negate && a->field == b->field && text_equal(a->set, b->set);
        case RS_MATCH_MAX:
                break;
        }
        return false;
}

bool rs_rule_equal(const struct rs_rule *a, const struct rs_rule *b)
{
        if (a->foreign || b->foreign || a->action != b->action || a->counter != b->counter ||
            a->matches_len != b->matches_len || !text_equal(a->comment, b->comment))
                return false;
        for (size_t i = 0; i < a->matches_len; ++i)
                if (!match_equal(&a->matches[i], &b->matches[i]))
                        return false;
        switch (a->action) {
        case RS_DO_VERDICT:
                return rs_verdict_equal(&a->verdict, &b->verdict);
        case RS_DO_VMAP:
                return a->field == b->field && text_equal(a->map, b->map);
        }
        return false;
}

bool rs_elem_equal(const struct rs_elem *a, const struct rs_elem *b)
{
        return elem_order(a, b) == 0 && rs_verdict_equal(&a->verdict, &b->verdict) &&
               text_equal(a->comment, b->comment);
}

static bool set_equal(const struct rs_set *a, const struct rs_set *b)
{
        if (a->foreign || b->foreign || strcmp(a->name, b->name) != 0 || a->key != b->key || a->map != b->map ||
            a->interval != b->interval || a->counter != b->counter || a->elems_len != b->elems_len)
                return false;
        for (size_t i = 0; i < a->elems_len; ++i)
                if (!rs_elem_equal(&a->elems[i], &b->elems[i]))
                        return false;
        return true;
}

static bool chain_equal(const struct rs_chain *a, const struct rs_chain *b)
{
        if (a->foreign || b->foreign || strcmp(a->name, b->name) != 0 || a->hook != b->hook ||
            (a->hook != RS_HOOK_NONE && a->priority != b->priority) || a->rules_len != b->rules_len)
                return false;
        for (size_t i = 0; i < a->rules_len; ++i)
                if (!rs_rule_equal(&a->rules[i], &b->rules[i]))
                        return false;
        return true;
}

static bool table_equal(const struct rs_table *a, const struct rs_table *b)
{
        if (a->foreign || b->foreign || table_order(a, b) != 0 || a->sets_len != b->sets_len ||
            a->chains_len != b->chains_len)
                return false;
        for (size_t i = 0; i < a->sets_len; ++i)
                if (!set_equal(&a->sets[i], &b->sets[i]))
                        return false;
        for (size_t i = 0; i < a->chains_len; ++i)
                if (!chain_equal(&a->chains[i], &b->chains[i]))
                        return false;
        return true;
}

bool ruleset_equal(const struct ruleset *a, const struct ruleset *b)
{
        if (a->tables_len != b->tables_len)
                return false;
        for (size_t i = 0; i < a->tables_len; ++i)
                if (!table_equal(&a->tables[i], &b->tables[i]))
                        return false;
        return true;
}

void rs_key_addr(uint8_t key[static RS_KEY_SIZE_MAX], const struct addr *addr)
{
        memset(key, 0, RS_KEY_SIZE_MAX);
        memcpy(key, addr->bytes, addr_size(addr->family));
}

void rs_key_addr_pair(uint8_t key[static RS_KEY_SIZE_MAX], const struct addr *a, const struct addr *b)
{
        size_t size = addr_size(a->family);

        memset(key, 0, RS_KEY_SIZE_MAX);
        memcpy(key, a->bytes, size);
        memcpy(key + size, b->bytes, size);
}

void rs_key_proto_port(uint8_t key[static RS_KEY_SIZE_MAX], uint8_t protocol, uint16_t port)
{
        memset(key, 0, RS_KEY_SIZE_MAX);
        key[0] = protocol;
        key[4] = (uint8_t)(port >> 8);
        key[5] = (uint8_t)port;
}
