/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps: what a group is called.
 *
 * By the first of these that is true of its members and of no other endpoint: they are whole namespaces; a few labels
 * select them, in their namespace, in theirs together, or in all; they are those of a namespace whose names begin alike.
 * Otherwise by the first of them, and how many more there are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "map_internal.h"

/* More would be no name. */
#define LABELS_MAX 3
#define NAMESPACES_MAX 4

/* Labels that a group has in common, looked at for its selector. */
#define COMMON_MAX 16

/* The endpoints that have a label, ascending. */
struct holders {
        const struct label *label;
        size_t *items; /* arena */
        size_t len;
};

struct namer {
        struct map_state *state;
        struct arena *arena;     /* of the naming alone */
        struct str_index keys;   /* that selectors of policies speak of */
        struct str_index labels; /* key, NUL, value, NUL: number of the holders */
        struct holders *holders; /* owned */
        size_t holders_len, holders_cap;
        struct strbuf scratch;
};

/* Endpoints among which a name has to be unique: all from first to before end. */
struct stretch {
        size_t first, end;
};

/* One group being named. */
struct naming {
        struct map_node *node;
        struct stretch scope[NAMESPACES_MAX];
        size_t scope_len;
        const struct holders *common[COMMON_MAX];
        size_t common_len;
        const struct label *chosen[LABELS_MAX];
        size_t chosen_len;
        size_t *matching; /* owned: the endpoints of the scope that all chosen labels select */
        size_t matching_len;
};

static void namer_fini(struct namer *namer)
{
        str_index_fini(&namer->keys);
        str_index_fini(&namer->labels);
        strbuf_fini(&namer->scratch);
        free(namer->holders);
        arena_free(namer->arena);
}

static int add_keys(struct namer *namer, const struct selector *selector)
{
        for (size_t i = 0; selector && i < selector->len; i++) {
                const char *key = selector->requirements[i].key;
                int r;

                r = str_index_put(&namer->keys, key, strlen(key), 0);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int collect_keys(struct namer *namer)
{
        const struct policy_set *policies = world_policies(namer->state->world);
        int r;

        for (size_t i = 0; i < policies->policies_len; i++) {
                const struct policy *policy = &policies->policies[i];

                r = add_keys(namer, policy->pod_selector);
                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (size_t j = 0; j < policy->rules_len[d]; j++)
                                for (size_t k = 0; r == 0 && k < policy->rules[d][j].peers_len; k++)
                                        r = add_keys(namer, policy->rules[d][j].peers[k].pod_selector);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* The number of a label's holders. */
static int find_holders(struct namer *namer, const struct label *label, uint32_t *ret)
{
        void *key;
        int r;

        strbuf_clear(&namer->scratch);
        strbuf_add(&namer->scratch, label->key, strlen(label->key) + 1);
        strbuf_add(&namer->scratch, label->value, strlen(label->value) + 1);
        r = strbuf_check(&namer->scratch);
        if (r < 0 || str_index_get(&namer->labels, namer->scratch.text, namer->scratch.len, ret))
                return r;

        r = array_reserve(&namer->holders, &namer->holders_cap, namer->holders_len + 1, sizeof(*namer->holders));
        if (r < 0)
                return r;

        key = arena_memdup(namer->arena, namer->scratch.text, namer->scratch.len);
        if (!key)
                return -ENOMEM;

        *ret = (uint32_t)namer->holders_len;
        namer->holders[namer->holders_len++] = (struct holders){.label = label};
        return str_index_put(&namer->labels, key, namer->scratch.len, *ret);
}

static int collect_holders(struct namer *namer)
{
        const struct inventory *inventory = namer->state->inventory;
        uint32_t id;
        int r;

        for (int fill = 0; fill < 2; fill++) {
                for (size_t i = 0; fill && i < namer->holders_len; i++) {
                        struct holders *holders = &namer->holders[i];

                        holders->items = arena_array(namer->arena, holders->len, sizeof(*holders->items));
                        if (!holders->items)
                                return -ENOMEM;
                        holders->len = 0;
                }
                for (size_t i = 0; i < inventory->endpoints_len; i++) {
                        const struct label_set *labels = &inventory->endpoints[i].labels;

                        for (size_t j = 0; j < labels->len; j++) {
                                r = find_holders(namer, &labels->items[j], &id);
                                if (r < 0)
                                        return r;
                                if (fill)
                                        namer->holders[id].items[namer->holders[id].len] = i;
                                namer->holders[id].len++;
                        }
                }
        }

        return 0;
}

static const struct endpoint *endpoint_at(const struct namer *namer, size_t i)
{
        return &namer->state->inventory->endpoints[i];
}

/* The endpoints of the namespace of endpoint i: they are sorted by it. */
static struct stretch whole_namespace(const struct namer *namer, size_t i)
{
        const char *ns = endpoint_at(namer, i)->ns;
        struct stretch stretch = {i, i + 1};
        size_t lo = 0, hi = i;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (strcmp(endpoint_at(namer, mid)->ns, ns) < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        stretch.first = lo;

        hi = namer->state->inventory->endpoints_len;
        for (lo = i; lo < hi;) {
                size_t mid = lo + (hi - lo) / 2;

                if (strcmp(endpoint_at(namer, mid)->ns, ns) <= 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        stretch.end = hi;
        return stretch;
}

static size_t first_at_or_after(const struct holders *holders, size_t endpoint)
{
        size_t lo = 0, hi = holders->len;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (holders->items[mid] < endpoint)
                        lo = mid + 1;
                else
                        hi = mid;
        }

        return lo;
}

static size_t holders_within(const struct holders *holders, const struct naming *naming)
{
        size_t n = 0;

        for (size_t i = 0; i < naming->scope_len; i++)
                n += first_at_or_after(holders, naming->scope[i].end) -
                     first_at_or_after(holders, naming->scope[i].first);

        return n;
}

/* The labels that all members have, beside that of the namespace, which the name says anyway. */
static int find_common(struct namer *namer, struct naming *naming)
{
        const struct map_node *node = naming->node;
        const struct label_set *labels = &endpoint_at(namer, node->members[0])->labels;
        uint32_t id;
        int r;

        naming->common_len = 0;
        for (size_t i = 0; i < labels->len && naming->common_len < COMMON_MAX; i++) {
                bool all = true;

                for (size_t j = 1; all && j < node->members_len; j++) {
                        const char *value =
                                label_set_get(&endpoint_at(namer, node->members[j])->labels, labels->items[i].key);

                        all = value && strcmp(value, labels->items[i].value) == 0;
                }
                if (!all)
                        continue;

                r = find_holders(namer, &labels->items[i], &id);
                if (r < 0)
                        return r;
                naming->common[naming->common_len++] = &namer->holders[id];
        }

        return 0;
}

/* Among labels that select as much: those that policies speak of, then the shorter. */
static bool reads_better(const struct namer *namer, const struct label *a, const struct label *b)
{
        uint32_t zero;
        bool a_known = str_index_get(&namer->keys, a->key, strlen(a->key), &zero);
        bool b_known = str_index_get(&namer->keys, b->key, strlen(b->key), &zero);
        size_t a_len = strlen(a->key) + strlen(a->value), b_len = strlen(b->key) + strlen(b->value);

        if (a_known != b_known)
                return a_known;

        return a_len < b_len; /* else the first: they are sorted by key */
}

/* How many of what matches so far a label would leave. */
static size_t would_leave(const struct namer *namer, const struct naming *naming, const struct label *label)
{
        size_t n = 0;

        for (size_t i = 0; i < naming->matching_len; i++) {
                const char *value = label_set_get(&endpoint_at(namer, naming->matching[i])->labels, label->key);

                n += value && strcmp(value, label->value) == 0;
        }

        return n;
}

static const struct holders *best_label(const struct namer *namer, const struct naming *naming, size_t *ret_left)
{
        const struct holders *best = NULL;
        size_t best_left = naming->chosen_len > 0 ? naming->matching_len : SIZE_MAX;

        for (size_t i = 0; i < naming->common_len; i++) {
                const struct holders *holders = naming->common[i];
                size_t left = naming->chosen_len > 0 ? would_leave(namer, naming, holders->label)
                                                     : holders_within(holders, naming);

                if (left < best_left ||
                    (best && left == best_left && reads_better(namer, holders->label, best->label))) {
                        best = holders;
                        best_left = left;
                }
        }

        *ret_left = best_left;
        return best;
}

/* Keeps what the label matches. */
static int choose(struct namer *namer, struct naming *naming, const struct holders *holders)
{
        size_t n = 0;

        if (naming->chosen_len == 0) {
                free(naming->matching);
                naming->matching = calloc(holders->len, sizeof(*naming->matching));
                if (!naming->matching)
                        return -ENOMEM;

                for (size_t i = 0; i < naming->scope_len; i++)
                        for (size_t j = first_at_or_after(holders, naming->scope[i].first);
                             j < holders->len && holders->items[j] < naming->scope[i].end; j++)
                                naming->matching[n++] = holders->items[j];
        } else {
                for (size_t i = 0; i < naming->matching_len; i++) {
                        const struct label_set *labels = &endpoint_at(namer, naming->matching[i])->labels;
                        const char *value = label_set_get(labels, holders->label->key);

                        if (value && strcmp(value, holders->label->value) == 0)
                                naming->matching[n++] = naming->matching[i];
                }
        }

        naming->matching_len = n;
        naming->chosen[naming->chosen_len++] = holders->label;
        return 0;
}

/* Looks for labels that select the group within the scope, and nothing else. 1 if there are, 0 or -ENOMEM. Each time the
 * label is taken that leaves least: short selectors are found, not all of the shortest. */
static int select_group(struct namer *namer, struct naming *naming)
{
        size_t size = naming->node->members_len, left;

        naming->chosen_len = 0;
        while (naming->chosen_len < LABELS_MAX) {
                const struct holders *best = best_label(namer, naming, &left);
                int r;

                /* One that is sixteen times too wide is not worth the search. */
                if (!best || left > 16 * size + 256)
                        return 0;

                r = choose(namer, naming, best);
                if (r < 0)
                        return r;
                if (left == size)
                        return 1;
        }

        return 0;
}

static const char *keep(struct namer *namer)
{
        if (strbuf_check(&namer->scratch) < 0)
                return NULL;

        return arena_strdup(namer->state->arena, namer->scratch.text);
}

/* Sets the name, and the text, which is it with something before and after. */
static int set_name(struct namer *namer, struct map_node *node, const char *before, const char *name, const char *after)
{
        if (!before || !name)
                return -ENOMEM;

        node->name = name;
        strbuf_clear(&namer->scratch);
        strbuf_printf(&namer->scratch, "%s%s%s", before, name, after);
        node->text = keep(namer);
        return node->text ? 0 : -ENOMEM;
}

static const char *count_text(struct namer *namer, size_t n)
{
        return arena_printf(namer->arena, " (%zu)", n);
}

/* "shop", "{forum,shop}" or, with more than the shown ones, "{billing,forum and 3 more}". */
static void put_namespaces(struct namer *namer, const struct naming *naming, size_t shown, size_t more)
{
        strbuf_puts(&namer->scratch, shown > 1 ? "{" : "");
        for (size_t i = 0; i < shown; i++)
                strbuf_printf(&namer->scratch, "%s%s", i > 0 ? "," : "",
                              endpoint_at(namer, naming->scope[i].first)->ns);
        if (more > 0)
                strbuf_printf(&namer->scratch, " and %zu more", more);
        strbuf_puts(&namer->scratch, shown > 1 ? "}" : "");
}

/* "shop: ", "{forum,shop}: " or "*: " */
static const char *scope_text(struct namer *namer, const struct naming *naming)
{
        bool everywhere = naming->scope_len == 1 && !naming->node->ns;

        strbuf_clear(&namer->scratch);
        if (everywhere)
                strbuf_puts(&namer->scratch, "*");
        else
                put_namespaces(namer, naming, naming->scope_len, 0);
        strbuf_puts(&namer->scratch, ": ");
        return keep(namer);
}

static int name_by_labels(struct namer *namer, struct naming *naming)
{
        const char *before = scope_text(namer, naming), *name, *after;

        strbuf_clear(&namer->scratch);
        for (size_t i = 0; i < naming->chosen_len; i++)
                strbuf_printf(&namer->scratch, "%s%s=%s", i > 0 ? "," : "", naming->chosen[i]->key,
                              naming->chosen[i]->value);
        name = keep(namer);
        after = count_text(namer, naming->node->members_len);
        return after ? set_name(namer, naming->node, before, name, after) : -ENOMEM;
}

/* The namespaces of the members, if they are few; the members of each may be but some of its endpoints. Returns how many
 * namespaces there are, and whether the members are all of their endpoints. */
static size_t find_namespaces(struct namer *namer, struct naming *naming, bool *whole)
{
        const struct map_node *node = naming->node;
        size_t n = 0, all = 0;

        for (size_t i = 0; i < node->members_len; n++) {
                struct stretch stretch = whole_namespace(namer, node->members[i]);

                if (n < NAMESPACES_MAX)
                        naming->scope[n] = stretch;
                all += stretch.end - stretch.first;
                while (i < node->members_len && node->members[i] < stretch.end)
                        i++;
        }

        naming->scope_len = n < NAMESPACES_MAX ? n : NAMESPACES_MAX;
        *whole = all == node->members_len;
        return n;
}

static int name_by_namespaces(struct namer *namer, struct naming *naming, size_t n)
{
        struct map_node *node = naming->node;
        size_t shown = n > NAMESPACES_MAX ? NAMESPACES_MAX - 1 : n;
        const char *text, *after = count_text(namer, node->members_len);

        strbuf_clear(&namer->scratch);
        put_namespaces(namer, naming, shown, n - shown);
        strbuf_puts(&namer->scratch, "/*");
        text = keep(namer);
        if (!text || !after)
                return -ENOMEM;

        if (!node->ns)
                return set_name(namer, node, "", text, after);

        if (set_name(namer, node, text, "", after) < 0)
                return -ENOMEM;
        node->name = "all endpoints";
        return 0;
}

/* Names that begin alike, and no other name of the namespace does: "web-*". The members then stand in one row, as names
 * are sorted. 1 if it is so, 0 or -ENOMEM. */
static int name_by_prefix(struct namer *namer, struct naming *naming)
{
        struct map_node *node = naming->node;
        size_t first = node->members[0], last = node->members[node->members_len - 1], len = 0;
        const char *a = endpoint_at(namer, first)->name, *b = endpoint_at(namer, last)->name;
        const char *before, *name, *after;

        while (a[len] && a[len] == b[len])
                len++;
        if (last - first + 1 != node->members_len || len < 2 || (b[len] & 0xc0) == 0x80 || (a[len] & 0xc0) == 0x80)
                return 0;
        if (first > naming->scope[0].first && strncmp(endpoint_at(namer, first - 1)->name, a, len) == 0)
                return 0;
        if (last + 1 < naming->scope[0].end && strncmp(endpoint_at(namer, last + 1)->name, a, len) == 0)
                return 0;

        before = arena_printf(namer->arena, "%s/", node->ns);
        name = arena_printf(namer->state->arena, "%.*s*", (int)len, a);
        after = count_text(namer, node->members_len);
        if (!after || set_name(namer, node, before, name, after) < 0)
                return -ENOMEM;

        return 1;
}

static int name_by_first(struct namer *namer, struct map_node *node)
{
        const struct endpoint *first = endpoint_at(namer, node->members[0]);
        const char *before = arena_printf(namer->arena, "%s/", first->ns), *name;

        if (node->members_len == 1)
                return set_name(namer, node, before, first->name, "");

        name = arena_printf(namer->state->arena, "%s and %zu more", first->name, node->members_len - 1);
        if (set_name(namer, node, before, name, "") < 0)
                return -ENOMEM;

        if (!node->ns)
                node->name = node->text;
        return 0;
}

static int name_group(struct namer *namer, struct naming *naming)
{
        struct map_node *node = naming->node;
        bool whole;
        size_t n;
        int r;

        n = find_namespaces(namer, naming, &whole);
        node->ns = n == 1 ? endpoint_at(namer, node->members[0])->ns : NULL;
        if (node->members_len == 1)
                return name_by_first(namer, node);
        if (whole)
                return name_by_namespaces(namer, naming, n);

        r = find_common(namer, naming);
        if (r < 0)
                return r;

        r = n <= NAMESPACES_MAX ? select_group(namer, naming) : 0;
        if (r == 0 && n > 1) {
                naming->scope[0] = (struct stretch){0, namer->state->inventory->endpoints_len};
                naming->scope_len = 1;
                r = select_group(namer, naming);
        }
        if (r != 0)
                return r < 0 ? r : name_by_labels(namer, naming);

        if (n == 1) {
                r = name_by_prefix(namer, naming);
                if (r != 0)
                        return r < 0 ? r : 0;
        }

        return name_by_first(namer, node);
}

int map_name(struct map_state *state)
{
        _cleanup_(namer_fini) struct namer namer = {.state = state};
        size_t n = state->map.groups_len;
        int r = 0;

        namer.arena = arena_new();
        if (!namer.arena)
                return -ENOMEM;

        /* Labels are needed to name more than one endpoint alone. */
        if (n < state->inventory->endpoints_len) {
                r = collect_keys(&namer);
                if (r == 0)
                        r = collect_holders(&namer);
        }

        for (size_t i = 0; r == 0 && i < n; i++) {
                struct naming naming = {.node = &state->nodes[i]};

                r = name_group(&namer, &naming);
                free(naming.matching);
        }

        return r;
}
