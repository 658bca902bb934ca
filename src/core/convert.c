/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Older policies rewritten in place in a file's layout: comments stay with the fields they stood by, or go to the nearest
 * that is still there. Rules that hold more than v1alpha2 allows are split into several that stand together and do the
 * same; since the first that matches decides, that changes nothing. */
#include <errno.h>
#include <string.h>

#include <vethwall/convert.h>

#include "convert_internal.h"
#include "format_internal.h"

#define RULES_MAX 25

static void add_first(struct layout_item *map, struct layout_item *item)
{
        item->next = map->first;
        map->first = item;
        map->len++;
}

static int convert_spec(struct convert *c, struct layout_item *object, bool baseline)
{
        static const enum direction directions[] = {DIR_INGRESS, DIR_EGRESS};
        struct layout_item *spec = layout_get(object, "spec"), *tier, *priority;
        size_t i;
        int r = 0;

        tier = convert_new(c, "tier", DOC_STRING, baseline ? "Baseline" : "Admin");
        priority = convert_new(c, "priority", DOC_INT, "1000");
        if (!tier || !priority)
                return -ENOMEM;
        if (baseline) {
                priority->integer = CONVERT_BASELINE_PRIORITY;
                add_first(spec, priority);
        }
        add_first(spec, tier);
        for (i = 0; r == 0 && i < ARRAY_SIZE(directions); i++) {
                struct layout_item *rules = layout_get(spec, direction_name(directions[i]));

                if (!rules || rules->kind != DOC_LIST)
                        continue;
                r = convert_rules(c, rules, directions[i]);
                if (r == 0 && rules->len > RULES_MAX)
                        convert_refuse(c, rules, "split the policy in two with priorities that follow each other",
                                       "%zu rules are needed for %s; a ClusterNetworkPolicy has at most %d", rules->len,
                                       direction_name(directions[i]), RULES_MAX);
        }
        return r;
}

static const char *text_of(const struct layout_item *object, const char *key)
{
        const struct layout_item *item = layout_get(object, key);

        return item && item->kind == DOC_STRING ? item->text : "";
}

static bool is_old(const struct layout_item *object)
{
        return strcmp(text_of(object, "apiVersion"), "policy.networking.k8s.io/v1alpha1") == 0;
}

static void set_text(struct layout_item *item, const char *text)
{
        item->text = text;
        item->style = DOC_PLAIN;
        item->raw = NULL;
}

static int convert_object(struct convert *c, struct layout_item *object)
{
        bool baseline = strcmp(text_of(object, "kind"), "BaselineAdminNetworkPolicy") == 0;

        set_text(layout_get(object, "apiVersion"), "policy.networking.k8s.io/v1alpha2");
        set_text(layout_get(object, "kind"), "ClusterNetworkPolicy");
        c->count++;
        return convert_spec(c, object, baseline);
}

/* The object, or the first item of a List, that is to be converted; or the next such one behind before. */
static struct layout_item *next_old(struct layout_item *root, const struct layout_item *before)
{
        struct layout_item *items = layout_get(root, "items"), *item;

        if (is_old(root))
                return before ? NULL : root;
        if (!items || items->kind != DOC_LIST || strcmp(text_of(root, "kind"), "List") != 0)
                return NULL;
        for (item = before ? before->next : items->first; item; item = item->next)
                if (is_old(item))
                        return item;
        return NULL;
}

static int convert_doc(struct convert *c, struct layout_doc *doc, bool *ret)
{
        struct layout_item *object = next_old(doc->root, NULL);
        int r = 0;

        *ret = object;
        if (!object)
                return 0;
        if (doc->is_odd) {
                convert_refuse(c, object,
                               "remove the directive; give every anchor a name of its own, and none to a key",
                               "a document with a directive, or with anchors at keys, is not converted");
                return 0;
        }
        r = convert_expand(c, doc->root);
        for (object = next_old(doc->root, NULL); r == 0 && object; object = next_old(doc->root, object))
                r = convert_object(c, object);
        return r == 0 ? format_sort(c->arena, doc->root) : r;
}

/* What was written must be read without a complaint. That no name is given twice is for convert_check() to see. */
static int check_written(const struct layout *layout, const struct strbuf *text, bool *ret)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct layout written;
        int r = arena ? policy_set_new(&set) : -ENOMEM;

        if (r == 0)
                r = policy_set_load(set, "", text->text, text->len, &diags);
        if (r == 0)
                r = layout_read(&written, arena, "", text->text, text->len, &diags);
        *ret = r == 0 && diags.errors == 0 && written.notes == layout->notes && written.docs_len == layout->docs_len;
        return r;
}

static int write_converted(struct convert *c, struct strbuf *ret, const bool *wanted)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        bool good = false;
        int r;

        format_write(&text, c->layout, wanted);
        r = strbuf_check(&text);
        if (r == 0)
                r = check_written(c->layout, &text, &good);
        if (r < 0)
                return r;
        if (!good)
                return format_report_unwritable(c->layout->file.name, c->layout->file.diags);
        strbuf_add(ret, text.text, text.len);
        return strbuf_check(ret);
}

int convert_policies(struct strbuf *ret, size_t *ret_count, const char *name, const char *bytes, size_t size,
                     struct diag_list *diags)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        size_t errors = diags->errors, i;
        struct layout layout;
        struct convert c = {.layout = &layout, .arena = arena};
        bool *wanted;
        int r;

        if (!arena)
                return -ENOMEM;
        r = format_read(&layout, arena, name, bytes, size, diags);
        if (r < 0 || diags->errors > errors)
                return r;
        wanted = arena_array(arena, layout.docs_len, sizeof(*wanted));
        if (!wanted)
                return -ENOMEM;
        for (i = 0; r == 0 && i < layout.docs_len; i++)
                r = convert_doc(&c, &layout.docs[i], &wanted[i]);
        if (r == 0 && layout.file.oom)
                r = -ENOMEM;
        if (r < 0 || diags->errors > errors)
                return r;
        *ret_count += c.count;
        return write_converted(&c, ret, wanted);
}

/* the whole set */

static bool is_cluster(const struct policy *policy)
{
        return strcmp(policy->kind, "ClusterNetworkPolicy") == 0;
}

static int report(const struct policy_set *set, struct diag_list *diags, const struct policy *policy,
                  const struct policy *other, const char *hint, const char *what)
{
        const struct diag where = {
                .severity = DIAG_ERROR,
                .rule = "VW409",
                .file = (char *)set->files[policy->name_loc.file],
                .line = policy->name_loc.line,
                .col = policy->name_loc.col,
                .hint = (char *)hint,
        };

        return diag_add(diags, &where, "%s %s cannot be converted: %s %s, at %s:%u, %s", policy->kind, policy->name,
                        other->kind, other->name, set->files[other->name_loc.file], other->name_loc.line, what);
}

static int check_pair(const struct policy_set *set, struct diag_list *diags, const struct policy *old,
                      const struct policy *other)
{
        bool both = !is_cluster(other);

        if (strcmp(old->name, other->name) == 0 && (!both || old < other))
                return report(set, diags, old, other, "rename one of the two",
                              both ? "would become a ClusterNetworkPolicy of the same name" : "has that name already");
        if (old->tier == TIER_BASELINE && other->tier == TIER_BASELINE && is_cluster(other) &&
            other->priority == CONVERT_BASELINE_PRIORITY && strcmp(other->name, old->name) > 0)
                return report(set, diags, old, other, "give that one a lower priority number",
                              "has priority 1000 too, and would decide after it instead of before");
        return 0;
}

int convert_check(const struct policy_set *set, struct diag_list *diags)
{
        size_t i, j;
        int r = 0;

        for (i = 0; i < set->policies_len; i++) {
                const struct policy *old = &set->policies[i];

                if (old->tier == TIER_NETWORK_POLICY || is_cluster(old))
                        continue;
                for (j = 0; r == 0 && j < set->policies_len; j++)
                        if (j != i && set->policies[j].tier != TIER_NETWORK_POLICY)
                                r = check_pair(set, diags, old, &set->policies[j]);
        }
        return r;
}
