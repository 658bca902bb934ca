/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The canonical form of policy files: what is formatted, and in which order its fields stand. */
#include <errno.h>
#include <string.h>

#include <vethwall/format.h>
#include <vethwall/policy.h>

#include "format_internal.h"

/* One order for all mappings: no two kinds of them disagree. Fields that are not here stay behind those that are, as they
 * were. */
static const char *const field_order[] = {
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "status",
        "items",
        "name",
        "namespace",
        "labels",
        "annotations",
        "tier",
        "priority",
        "subject",
        "action",
        "namespaceSelector",
        "podSelector",
        "ipBlock",
        "policyTypes",
        "ingress",
        "egress",
        "from",
        "to",
        "protocols",
        "ports",
        "namespaces",
        "pods",
        "networks",
        "nodes",
        "domainNames",
        "matchLabels",
        "matchExpressions",
        "key",
        "operator",
        "values",
        "cidr",
        "except",
        "protocol",
        "port",
        "endPort",
        "portNumber",
        "portRange",
        "namedPort",
        "start",
        "end",
        "tcp",
        "udp",
        "sctp",
        "destinationNamedPort",
        "destinationPort",
        "number",
        "range",
};

struct sorted {
        struct layout_item *item;
        size_t rank;
        size_t pos;
};

static int cmp_rank(const void *pa, const void *pb)
{
        const struct sorted *a = pa, *b = pb;

        if (a->rank != b->rank)
                return a->rank < b->rank ? -1 : 1;
        return (a->pos > b->pos) - (a->pos < b->pos);
}

static int cmp_key(const void *pa, const void *pb)
{
        const struct sorted *a = pa, *b = pb;

        return strcmp(a->item->key, b->item->key);
}

static size_t rank_of(const char *key)
{
        size_t i;

        for (i = 0; i < ARRAY_SIZE(field_order) && strcmp(field_order[i], key) != 0; i++)
                continue;
        return i;
}

static int sort_map(struct arena *arena, struct layout_item *map, bool labels)
{
        struct sorted *sorted = arena_array(arena, map->len, sizeof(*sorted));
        struct layout_item *child;
        bool moved = false;
        size_t len = 0, i;

        if (!sorted)
                return -ENOMEM;
        for (child = map->first; child; child = child->next, len++)
                sorted[len] = (struct sorted){.item = child, .rank = labels ? 0 : rank_of(child->key), .pos = len};
        qsort(sorted, len, sizeof(*sorted), labels ? cmp_key : cmp_rank);
        map->first = map->last = NULL;
        map->len = 0;
        for (i = 0; i < len; i++) {
                moved |= sorted[i].pos != i;
                layout_add(map, sorted[i].item);
        }
        /* Empty lines made groups of the old order. */
        for (child = moved ? map->first : NULL; child; child = child->next) {
                child->blank = false;
                if (child->head.first)
                        child->head.first->blank = false;
        }
        return 0;
}

/* Mappings whose keys are the author's own, in the order of the alphabet. */
static bool is_labels(const char *key)
{
        return key &&
               (strcmp(key, "labels") == 0 || strcmp(key, "annotations") == 0 || strcmp(key, "matchLabels") == 0);
}

int format_sort(struct arena *arena, struct layout_item *object)
{
        struct layout_item *child;
        int r = 0;

        if (object->kind == DOC_MAP && object->len > 1)
                r = sort_map(arena, object, is_labels(object->key));
        for (child = object->first; r == 0 && child; child = child->next)
                r = format_sort(arena, child);
        return r;
}

static const char *text_of(const struct layout_item *item)
{
        return item && item->kind == DOC_STRING ? item->text : "";
}

static bool knows_items(const struct layout_item *list, bool typed)
{
        const struct layout_item *items = layout_get(list, "items"), *item;

        for (item = items && items->kind == DOC_LIST ? items->first : NULL; item; item = item->next)
                if (!format_knows(item) && !(typed && !layout_get(item, "kind")))
                        return false;
        return true;
}

bool format_knows(const struct layout_item *object)
{
        static const struct {
                const char *api_version;
                const char *kind;
        } known[] = {
                {"networking.k8s.io/v1", "NetworkPolicy"},
                {"policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"},
                {"policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"},
                {"policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"},
                {"v1", "Namespace"},
        };
        const char *api_version = text_of(layout_get(object, "apiVersion"));
        const char *kind = text_of(layout_get(object, "kind"));
        size_t i;

        for (i = 0; i < ARRAY_SIZE(known); i++)
                if (strcmp(api_version, known[i].api_version) == 0 && strcmp(kind, known[i].kind) == 0)
                        return true;
        if (strcmp(kind, "List") == 0 && strcmp(api_version, "v1") == 0)
                return knows_items(object, false);
        if (strcmp(kind, "NetworkPolicyList") == 0 && strcmp(api_version, "networking.k8s.io/v1") == 0)
                return knows_items(object, true);
        return false;
}

int format_read(struct layout *ret, struct arena *arena, const char *name, const char *bytes, size_t size,
                struct diag_list *diags)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        size_t errors = diags->errors;
        int r;

        *ret = (struct layout){.docs = NULL};
        r = policy_set_new(&set);
        if (r == 0)
                r = policy_set_load(set, name, bytes, size, diags);
        if (r == 0)
                r = policy_set_seal(set, diags);
        return r == 0 && diags->errors == errors ? layout_read(ret, arena, name, bytes, size, diags) : r;
}

/* The line ends of the file: those of its first line. */
static bool has_cr(const struct doc_file *file)
{
        const char *end = memchr(file->bytes, '\n', file->size);

        return end && end > file->bytes && end[-1] == '\r';
}

static void add_lines(struct strbuf *ret, struct strbuf *text, bool cr)
{
        size_t i, start = 0;

        if (strbuf_check(text) < 0) {
                ret->failed = true;
                return;
        }
        for (i = 0; cr && i < text->len; i++) {
                if (text->text[i] != '\n')
                        continue;
                strbuf_add(ret, text->text + start, i - start);
                strbuf_puts(ret, "\r\n");
                start = i + 1;
        }
        strbuf_add(ret, text->text + start, text->len - start);
}

void format_write(struct strbuf *ret, struct layout *layout, const bool *wanted)
{
        const struct doc_file *file = &layout->file;
        size_t i;

        if (layout->docs_len == 0)
                strbuf_add(ret, file->bytes, file->size);
        for (i = 0; i < layout->docs_len; i++) {
                _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
                struct layout_doc *doc = &layout->docs[i];

                if (!wanted[i]) {
                        strbuf_add(ret, file->bytes + doc->offset, doc->end - doc->offset);
                        continue;
                }
                if (layout->is_json)
                        layout_print_json(&text, doc);
                else
                        layout_print(&text, doc, i == 0);
                add_lines(ret, &text, has_cr(file));
        }
}

/* Reads what was written: a firewall's rules are not to depend on the printer being right. */
static int check_written(const struct layout *layout, struct arena *arena, const struct strbuf *text, bool *ret)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct layout written;
        size_t i;
        int r;

        r = layout_read(&written, arena, "", text->text ? text->text : "", text->len, &diags);
        *ret = r == 0 && diags.errors == 0 && written.notes == layout->notes &&
               written.file.docs_len == layout->file.docs_len;
        for (i = 0; r == 0 && *ret && i < layout->file.docs_len; i++)
                r = doc_compare(arena, layout->file.docs[i], written.file.docs[i], ret);
        return r;
}

int format_report_unwritable(const char *name, struct diag_list *diags)
{
        const struct diag where = {
                .severity = DIAG_ERROR,
                .file = (char *)name,
                .hint = "this is a mistake in vethwall and worth a report; the file stays as it is",
        };

        return diag_add(diags, &where, "what it says would not survive being written");
}

int format_policies(struct strbuf *ret, const char *name, const char *bytes, size_t size, struct diag_list *diags)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        size_t errors = diags->errors, i;
        struct layout layout;
        bool *wanted, same = false;
        int r;

        if (!arena)
                return -ENOMEM;
        r = format_read(&layout, arena, name, bytes, size, diags);
        if (r < 0 || diags->errors > errors)
                return r;
        wanted = arena_array(arena, layout.docs_len, sizeof(*wanted));
        if (!wanted)
                return -ENOMEM;
        for (i = 0; r == 0 && i < layout.docs_len; i++) {
                wanted[i] = !layout.docs[i].is_odd && format_knows(layout.docs[i].root);
                if (wanted[i])
                        r = format_sort(arena, layout.docs[i].root);
        }
        if (r < 0)
                return r;
        format_write(&text, &layout, wanted);
        r = strbuf_check(&text);
        if (r == 0)
                r = check_written(&layout, arena, &text, &same);
        if (r < 0)
                return r;
        if (!same)
                return format_report_unwritable(name, diags);
        strbuf_add(ret, text.text, text.len);
        return strbuf_check(ret);
}
