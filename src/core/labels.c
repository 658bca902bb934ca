/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Label sets and selectors: order, lookup, matching, and Kubernetes' syntax. */
#include <assert.h>
#include <string.h>

#include <vethwall/labels.h>

#include "names.h"

#define LABEL_NAME_MAX 63

static void swap_blocks(struct label *items, size_t left, size_t right)
{
        size_t i, n = left + right;
        struct label tmp;

        for (i = 0; i < left / 2; i++) {
                tmp = items[i];
                items[i] = items[left - 1 - i];
                items[left - 1 - i] = tmp;
        }
        for (i = 0; i < right / 2; i++) {
                tmp = items[left + i];
                items[left + i] = items[n - 1 - i];
                items[n - 1 - i] = tmp;
        }
        for (i = 0; i < n / 2; i++) {
                tmp = items[i];
                items[i] = items[n - 1 - i];
                items[n - 1 - i] = tmp;
        }
}

/* How many of the len sorted items come before key; with equal, those of the same key count too. */
static size_t count_before(const struct label *items, size_t len, const char *key, bool equal)
{
        size_t low = 0, high = len;

        while (low < high) {
                size_t mid = low + (high - low) / 2;
                int cmp = strcmp(items[mid].key, key);

                if (cmp < 0 || (equal && cmp == 0))
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

/* Merges two sorted neighbours in place: the middle of the longer one is where both are cut. */
static void merge(struct label *items, size_t left, size_t right)
{
        size_t i, j;

        if (left == 0 || right == 0 || strcmp(items[left - 1].key, items[left].key) <= 0)
                return;
        if (left > right) {
                i = left / 2;
                j = count_before(items + left, right, items[i].key, false);
                swap_blocks(items + i, left - i, j);
                merge(items, i, j);
                merge(items + i + j + 1, left - i - 1, right - j);
        } else {
                j = right / 2;
                i = count_before(items, left, items[left + j].key, true);
                swap_blocks(items + i, left - i, j + 1);
                merge(items, i, j);
                merge(items + i + j + 1, left - i, right - j - 1);
        }
}

/* Stable, as qsort() is not, and without memory, which nobody could report the lack of. */
static void stable_sort(struct label *items, size_t len)
{
        size_t half = len / 2;

        if (len < 2)
                return;
        stable_sort(items, half);
        stable_sort(items + half, len - half);
        merge(items, half, len - half);
}

void label_set_normalise(struct label_set *set)
{
        size_t i, out = 0;

        stable_sort(set->items, set->len);
        for (i = 0; i < set->len; i++)
                if (i + 1 == set->len || strcmp(set->items[i].key, set->items[i + 1].key) != 0)
                        set->items[out++] = set->items[i];
        set->len = out;
}

const char *label_set_get(const struct label_set *set, const char *key)
{
        size_t at = count_before(set->items, set->len, key, false);

        return at < set->len && strcmp(set->items[at].key, key) == 0 ? set->items[at].value : NULL;
}

int label_set_cmp(const struct label_set *a, const struct label_set *b)
{
        size_t i;
        int cmp;

        for (i = 0; i < a->len && i < b->len; i++) {
                cmp = strcmp(a->items[i].key, b->items[i].key);
                if (cmp == 0)
                        cmp = strcmp(a->items[i].value, b->items[i].value);
                if (cmp != 0)
                        return cmp;
        }
        return a->len < b->len ? -1 : a->len > b->len;
}

static int cmp_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_value(const struct label_requirement *requirement, const char *value)
{
        if (requirement->values_len == 0)
                return false;
        return bsearch(&value, requirement->values, requirement->values_len, sizeof(*requirement->values), cmp_text);
}

bool label_requirement_matches(const struct label_requirement *requirement, const struct label_set *labels)
{
        const char *value = label_set_get(labels, requirement->key);

        switch (requirement->op) {
        case LABEL_IN:
                return value && has_value(requirement, value);
        case LABEL_NOT_IN:
                return !value || !has_value(requirement, value);
        case LABEL_EXISTS:
                return value;
        case LABEL_DOES_NOT_EXIST:
                return !value;
        case LABEL_OP_MAX:
                break;
        }
        return false;
}

bool selector_matches(const struct selector *selector, const struct label_set *labels)
{
        return !selector_failure(selector, labels);
}

const struct label_requirement *selector_failure(const struct selector *selector, const struct label_set *labels)
{
        size_t i;

        for (i = 0; i < selector->len; i++)
                if (!label_requirement_matches(&selector->requirements[i], labels))
                        return &selector->requirements[i];
        return NULL;
}

static int requirement_cmp(const struct label_requirement *a, const struct label_requirement *b)
{
        int cmp = strcmp(a->key, b->key);
        size_t i;

        if (cmp != 0)
                return cmp;
        if (a->op != b->op)
                return a->op < b->op ? -1 : 1;
        for (i = 0; i < a->values_len && i < b->values_len; i++) {
                cmp = strcmp(a->values[i], b->values[i]);
                if (cmp != 0)
                        return cmp;
        }
        return a->values_len < b->values_len ? -1 : a->values_len > b->values_len;
}

/* The place only breaks ties, so that the order does not depend on the sorting algorithm. */
static int cmp_requirement(const void *pa, const void *pb)
{
        const struct label_requirement *a = pa, *b = pb;
        int cmp = requirement_cmp(a, b);

        if (cmp == 0 && a->loc.line != b->loc.line)
                cmp = a->loc.line < b->loc.line ? -1 : 1;
        if (cmp == 0 && a->loc.col != b->loc.col)
                cmp = a->loc.col < b->loc.col ? -1 : 1;
        return cmp;
}

static void normalise_values(struct label_requirement *requirement)
{
        size_t i, out = 0;

        if (requirement->values_len == 0)
                return;
        qsort(requirement->values, requirement->values_len, sizeof(*requirement->values), cmp_text);
        for (i = 0; i < requirement->values_len; i++)
                if (out == 0 || strcmp(requirement->values[out - 1], requirement->values[i]) != 0)
                        requirement->values[out++] = requirement->values[i];
        requirement->values_len = out;
}

void selector_normalise(struct selector *selector)
{
        size_t i;

        for (i = 0; i < selector->len; i++)
                normalise_values(&selector->requirements[i]);
        if (selector->len > 1)
                qsort(selector->requirements, selector->len, sizeof(*selector->requirements), cmp_requirement);
}

int selector_cmp(const struct selector *a, const struct selector *b)
{
        size_t i;
        int cmp;

        for (i = 0; i < a->len && i < b->len; i++) {
                cmp = requirement_cmp(&a->requirements[i], &b->requirements[i]);
                if (cmp != 0)
                        return cmp;
        }
        return a->len < b->len ? -1 : a->len > b->len;
}

static bool is_alnum(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Alphanumeric ends; inside also "-_.". */
static bool name_is_valid(const char *text, size_t len)
{
        size_t i;

        if (len == 0 || len > LABEL_NAME_MAX || !is_alnum(text[0]) || !is_alnum(text[len - 1]))
                return false;
        for (i = 0; i < len; i++)
                if (!is_alnum(text[i]) && text[i] != '-' && text[i] != '_' && text[i] != '.')
                        return false;
        return true;
}

bool label_key_is_valid(const char *key)
{
        const char *slash = strchr(key, '/');

        if (!slash)
                return name_is_valid(key, strlen(key));
        return dns_subdomain_is_valid(key, (size_t)(slash - key)) && name_is_valid(slash + 1, strlen(slash + 1));
}

bool label_value_is_valid(const char *value)
{
        return value[0] == '\0' || name_is_valid(value, strlen(value));
}

const char *label_op_name(enum label_op op)
{
        static const char *const names[] = {"In", "NotIn", "Exists", "DoesNotExist"};

        static_assert(ARRAY_SIZE(names) == LABEL_OP_MAX, "names do not match enum label_op");
        return names[op];
}
