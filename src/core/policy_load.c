/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy files into a policy set: which objects a file holds, and their metadata. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "names.h"
#include "policy_build.h"

#define NAMESPACE_DEFAULT "default"
#define KINDS_HINT                                                                                                     \
        "read are NetworkPolicy, ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy, Namespace and " \
        "List"

struct src_loc loader_loc(const struct policy_loader *loader, const struct doc_node *node)
{
        return (struct src_loc){.file = loader->file_index, .line = node->line, .col = node->col};
}

void *loader_array(struct policy_loader *loader, size_t len, size_t size)
{
        void *ret = arena_array(loader->set->arena, len, size);

        if (!ret)
                loader->file->oom = true;
        return ret;
}

char *loader_strdup(struct policy_loader *loader, const char *text)
{
        char *ret = arena_strdup(loader->set->arena, text);

        if (!ret)
                loader->file->oom = true;
        return ret;
}

bool loader_check_fields(struct policy_loader *loader, const struct doc_node *node, const char *what,
                         const char *const *names, size_t len)
{
        return doc_check_fields_hinting(loader->file, node, what, names, len, hint_misplaced);
}

static void remember_place(struct policy_loader *loader, const struct doc_node *name, struct name_place *place)
{
        _cleanup_free_ char *source = NULL;

        if (doc_source(loader->file, name->line, name->col, &source, &place->source_col) < 0)
                loader->file->oom = true;
        place->loc = loader_loc(loader, name);
        place->end_col = name->end_col;
        place->source = source ? loader_strdup(loader, source) : NULL;
}

/* Labels or annotations: a mapping of texts. ret is NULL where only their types matter. */
static void load_text_map(struct policy_loader *loader, const struct doc_node *meta, const char *field,
                          const char *what, struct label_set *ret)
{
        struct doc_node *map = NULL;
        size_t i;

        if (!doc_get_map(loader->file, meta, field, &map))
                return;
        if (ret)
                ret->items = loader_array(loader, map->len, sizeof(*ret->items));
        for (i = 0; i < map->len; i++) {
                const char *text = doc_pair_text(loader->file, &map->pairs[i], what);
                struct label *label = ret && ret->items && text ? &ret->items[ret->len] : NULL;

                if (!label)
                        continue;
                label->key = loader_strdup(loader, map->pairs[i].key->text);
                label->value = loader_strdup(loader, text);
                if (label->key && label->value)
                        ret->len++;
        }
        if (ret)
                label_set_normalise(ret);
}

/* What is expected of a policy. The types are checked with all annotations. */
static void load_expectation(struct policy_loader *loader, const struct doc_node *object, const char *name,
                             struct policy_expectation *ret)
{
        const struct doc_node *annotations = doc_get(doc_get(object, "metadata"), "annotations");
        const struct doc_node *node = annotations && annotations->kind == DOC_MAP ? doc_get(annotations, name) : NULL;

        if (!node || node->kind != DOC_STRING)
                return;
        ret->text = loader_strdup(loader, node->text);
        ret->loc = loader_loc(loader, node);
}

static void load_expectations(struct policy_loader *loader, const struct doc_node *object, struct policy *policy)
{
        load_expectation(loader, object, POLICY_UNREACHABLE_ANNOTATION, &policy->unreachable);
        load_expectation(loader, object, POLICY_ELEMENTS_ANNOTATION, &policy->elements);
}

enum object_scope {
        SCOPE_NAMESPACED, /* lives in a namespace */
        SCOPE_CLUSTER,    /* cluster-wide */
        SCOPE_NAMESPACE,  /* is one */
};

/* What metadata says. name is NULL where it is missing or wrong. */
struct metadata {
        const char *name;
        const char *ns;
        bool ns_defaulted;
        struct label_set labels;
        struct name_place place;
};

static void load_name(struct policy_loader *loader, const struct doc_node *meta, enum object_scope scope,
                      struct metadata *ret)
{
        const struct doc_node *node = doc_get(meta, "name");
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];
        const char *text = NULL;
        bool valid;

        if (!node || node->kind == DOC_NULL) {
                doc_diag(loader->file, meta, DIAG_ERROR, "VW005", "give one: name: allow-web",
                         "metadata has no \"name\"");
                return;
        }
        if (!doc_get_string(loader->file, meta, "name", &text))
                return;
        valid = scope == SCOPE_NAMESPACE ? namespace_name_is_valid(text) : object_name_is_valid(text);
        if (!valid) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW008",
                         hint_text(hint, text,
                                   scope == SCOPE_NAMESPACE
                                           ? "a name is at most 63 lower-case letters, digits, \"-\" and \"_\""
                                           : "a name is at most 253 lower-case letters, digits, \"-\", \"_\" "
                                             "and \".\", with a letter or "
                                             "digit at both ends"),
                         "\"%s\" is not a valid name", doc_shown(text, shown));
                return;
        }
        remember_place(loader, node, &ret->place);
        ret->name = loader_strdup(loader, text);
}

static void load_ns(struct policy_loader *loader, const struct doc_node *meta, struct metadata *ret)
{
        const char *text = NAMESPACE_DEFAULT;
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];

        ret->ns_defaulted = !doc_present(meta, "namespace");
        doc_get_string(loader->file, meta, "namespace", &text);
        if (!namespace_name_is_valid(text))
                doc_diag(loader->file, doc_get(meta, "namespace"), DIAG_ERROR, "VW008",
                         hint_text(hint, text, "a name is at most 63 lower-case letters, digits, \"-\" and \"_\""),
                         "\"%s\" is not a valid namespace", doc_shown(text, shown));
        ret->ns = loader_strdup(loader, text);
}

/* A key that was meant to be the one that is missing, or NULL. */
static const struct doc_node *find_misspelt(const struct doc_node *object, const char *wanted)
{
        size_t i;

        for (i = 0; i < object->len; i++)
                if (strcmp(object->pairs[i].key->text, wanted) != 0 &&
                    doc_nearest(object->pairs[i].key->text, &wanted, 1))
                        return object->pairs[i].key;
        return NULL;
}

static void report_missing(struct policy_loader *loader, const struct doc_node *object, const char *field,
                           const char *example)
{
        const struct doc_node *empty = doc_get(object, field), *misspelt = empty ? NULL : find_misspelt(object, field);
        char hint[DOC_HINT_MAX];

        /* That was reported as a field that is not known. */
        if (misspelt)
                return;
        snprintf(hint, sizeof(hint),
                 empty ? "indent \"%2$s\" and what belongs to it further than \"%1$s:\""
                       : "write \"%s:\" and below it, indented, \"%s\"",
                 field, example);
        if (empty)
                doc_diag(loader->file, empty, DIAG_ERROR, "VW005", hint, "\"%s\" is empty", field);
        else
                doc_diag(loader->file, object, DIAG_ERROR, "VW005", hint, "the object has no \"%s\"", field);
}

static const char *const metadata_fields[] = {
        "name",
        "namespace",
        "labels",
        "annotations",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "ownerReferences",
        "finalizers",
        "generateName",
        "selfLink",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
};

static const char *const object_fields[] = {"apiVersion", "kind", "metadata", "spec", "status"};

/* The fields of an object. Where metadata or spec is missing or empty, what stands beside it instead of in it is no second
 * mistake. */
static bool check_object_fields(struct policy_loader *loader, const struct doc_node *object, const char *what)
{
        static const char *const inner[] = {"podSelector", "policyTypes", "ingress", "egress",
                                            "subject",     "priority",    "tier"};
        const char *names[ARRAY_SIZE(object_fields) + ARRAY_SIZE(inner) + 4];
        size_t len = ARRAY_SIZE(object_fields);

        memcpy(names, object_fields, sizeof(object_fields));
        if (!doc_present(object, "spec") && !find_misspelt(object, "spec")) {
                memcpy(names + len, inner, sizeof(inner));
                len += ARRAY_SIZE(inner);
        }
        if (!doc_present(object, "metadata") && !find_misspelt(object, "metadata")) {
                memcpy(names + len, metadata_fields, 4 * sizeof(*names));
                len += 4;
        }
        return loader_check_fields(loader, object, what, names, len);
}

/* metadata as Kubernetes has it, with what a cluster adds when it prints an object. */
static bool load_metadata(struct policy_loader *loader, const struct doc_node *object, enum object_scope scope,
                          struct metadata *ret)
{
        const struct doc_node *meta = doc_get(object, "metadata");

        if (!meta || meta->kind == DOC_NULL) {
                report_missing(loader, object, "metadata", "name: ...");
                return false;
        }
        if (!loader_check_fields(loader, meta, "metadata", metadata_fields, ARRAY_SIZE(metadata_fields)))
                return false;
        load_name(loader, meta, scope, ret);
        if (scope == SCOPE_NAMESPACED)
                load_ns(loader, meta, ret);
        load_text_map(loader, meta, "labels", "label", scope == SCOPE_NAMESPACE ? &ret->labels : NULL);
        load_text_map(loader, meta, "annotations", "annotation", NULL);
        return ret->name && (scope != SCOPE_NAMESPACED || ret->ns);
}

static void add_policy(struct policy_loader *loader, struct policy *policy, const struct metadata *meta)
{
        struct policy_build *build = loader->set->build;

        policy->name = meta->name;
        policy->name_loc = meta->place.loc;
        if (array_reserve(&build->policies, &build->policies_cap, build->policies_len + 1, sizeof(*build->policies)) <
            0)
                loader->file->oom = true;
        else
                build->policies[build->policies_len++] = (struct built_policy){.policy = *policy, .place = meta->place};
}

/* The spec, or NULL and reported. */
static const struct doc_node *get_spec(struct policy_loader *loader, const struct doc_node *object, const char *example)
{
        const struct doc_node *spec = doc_present(object, "spec");

        if (!spec)
                report_missing(loader, object, "spec", example);
        return spec;
}

static void load_network_policy(struct policy_loader *loader, const struct doc_node *object)
{
        struct policy policy = {
                .kind = "NetworkPolicy", .tier = TIER_NETWORK_POLICY, .loc = loader_loc(loader, object)};
        const struct doc_node *spec;
        struct metadata meta = {0};
        bool named;

        if (!check_object_fields(loader, object, "a NetworkPolicy"))
                return;
        named = load_metadata(loader, object, SCOPE_NAMESPACED, &meta);
        load_expectations(loader, object, &policy);
        spec = get_spec(loader, object, "podSelector: ...");
        if (!spec)
                return;
        load_network_policy_spec(loader, spec, &policy);
        policy.ns = meta.ns;
        policy.ns_defaulted = meta.ns_defaulted;
        if (named && policy.pod_selector)
                add_policy(loader, &policy, &meta);
}

static void load_tier_policy(struct policy_loader *loader, const struct doc_node *object, enum tier_kind kind)
{
        struct policy policy = {.kind = tier_kind_name(kind), .loc = loader_loc(loader, object)};
        const struct doc_node *spec;
        struct metadata meta = {0};
        bool named;

        if (!check_object_fields(loader, object, policy.kind))
                return;
        named = load_metadata(loader, object, SCOPE_CLUSTER, &meta);
        load_expectations(loader, object, &policy);
        if (named && kind == TIER_KIND_BASELINE && strcmp(meta.name, "default") != 0)
                doc_diag(loader->file, doc_get(doc_get(object, "metadata"), "name"), DIAG_ERROR, "VW409",
                         "write name: default, or use ClusterNetworkPolicy with tier: Baseline",
                         "there is one BaselineAdminNetworkPolicy, and its name is \"default\"");
        spec = get_spec(loader, object, "subject: ...");
        if (!spec)
                return;
        load_tier_policy_spec(loader, spec, kind, &policy);
        if (named && policy.pod_selector)
                add_policy(loader, &policy, &meta);
}

/* The label that says the name is not given, it follows. */
static void add_name_label(struct policy_loader *loader, const struct doc_node *object, struct metadata *meta)
{
        const char *given = label_set_get(&meta->labels, NAMESPACE_NAME_LABEL);
        struct label *items;

        if (given && strcmp(given, meta->name) != 0)
                doc_diag(loader->file, doc_get(doc_get(doc_get(object, "metadata"), "labels"), NAMESPACE_NAME_LABEL),
                         DIAG_ERROR, "VW005", "remove it",
                         "the label " NAMESPACE_NAME_LABEL " is always the namespace's name");
        if (given)
                return;
        items = loader_array(loader, meta->labels.len + 1, sizeof(*items));
        if (!items)
                return;
        if (meta->labels.len > 0)
                memcpy(items, meta->labels.items, meta->labels.len * sizeof(*items));
        items[meta->labels.len] = (struct label){.key = NAMESPACE_NAME_LABEL, .value = meta->name};
        meta->labels.items = items;
        meta->labels.len++;
        label_set_normalise(&meta->labels);
}

static void load_namespace(struct policy_loader *loader, const struct doc_node *object)
{
        static const char *const fields[] = {"apiVersion", "kind", "metadata", "spec", "status"};
        struct policy_build *build = loader->set->build;
        struct metadata meta = {0};

        if (!loader_check_fields(loader, object, "a Namespace", fields, ARRAY_SIZE(fields)) ||
            !load_metadata(loader, object, SCOPE_NAMESPACE, &meta))
                return;
        add_name_label(loader, object, &meta);
        if (array_reserve(&build->namespaces, &build->namespaces_cap, build->namespaces_len + 1,
                          sizeof(*build->namespaces)) < 0)
                loader->file->oom = true;
        else
                build->namespaces[build->namespaces_len++] = (struct built_namespace){
                        .ns = {.name = meta.name, .labels = meta.labels},
                        .place = meta.place,
                };
}

static void skip_object(struct policy_loader *loader, const struct doc_node *object, const char *api_version,
                        const char *kind)
{
        struct policy_build *build = loader->set->build;
        struct skipped_object skipped = {
                .api_version = loader_strdup(loader, api_version),
                .kind = loader_strdup(loader, kind),
                .loc = loader_loc(loader, object),
        };

        if (array_reserve(&build->skipped, &build->skipped_cap, build->skipped_len + 1, sizeof(skipped)) < 0)
                loader->file->oom = true;
        else
                build->skipped[build->skipped_len++] = skipped;
}

static bool group_is(const char *api_version, const char *group)
{
        size_t len = strlen(group);

        return strncmp(api_version, group, len) == 0 && api_version[len] == '/';
}

/* Ours to read or to refuse: an object that was meant for us must not be passed over because of a slip. */
static bool is_ours(const char *api_version, const char *kind)
{
        static const char *const kinds[] = {
                "NetworkPolicy",        "NetworkPolicyList",  "Namespace",
                "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy",
        };
        static const char *const versions[] = {"networking.k8s.io/v1", "policy.networking.k8s.io/v1alpha2",
                                               "extensions/v1beta1"};

        if (group_is(api_version, "networking.k8s.io") || group_is(api_version, "policy.networking.k8s.io"))
                return true;
        if (!doc_nearest(kind, kinds, ARRAY_SIZE(kinds)))
                return false;
        /* Groups of others have a dot in their names. */
        return !memchr(api_version, '.', strcspn(api_version, "/")) ||
               doc_nearest(api_version, versions, ARRAY_SIZE(versions));
}

static void refuse_object(struct policy_loader *loader, const struct doc_node *object, const char *api_version,
                          const char *kind)
{
        static const struct {
                const char *kind;
                const char *api_version;
        } read[] = {
                {"NetworkPolicy", "networking.k8s.io/v1"},
                {"NetworkPolicyList", "networking.k8s.io/v1"},
                {"Namespace", "v1"},
                {"ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2"},
                {"AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1"},
                {"BaselineAdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1"},
                {"List", "v1"},
        };
        char shown_version[DOC_SHOWN_MAX], shown_kind[DOC_SHOWN_MAX], hint[DOC_HINT_MAX] = KINDS_HINT;
        const struct doc_node *place = doc_get(object, "kind");
        size_t i;

        for (i = 0; i < ARRAY_SIZE(read); i++) {
                if (strcmp(kind, read[i].kind) == 0) {
                        place = doc_get(object, "apiVersion");
                        snprintf(hint, sizeof(hint), "write apiVersion: %s", read[i].api_version);
                        break;
                }
                if (strcmp(api_version, read[i].api_version) == 0 && doc_nearest(kind, &read[i].kind, 1)) {
                        snprintf(hint, sizeof(hint), "did you mean \"%s\"?", read[i].kind);
                        break;
                }
        }
        doc_diag(loader->file, place, DIAG_ERROR, "VW007", hint, "kind \"%s\" of apiVersion \"%s\" is not read",
                 doc_shown(kind, shown_kind), doc_shown(api_version, shown_version));
}

static void load_object(struct policy_loader *loader, const struct doc_node *object, const char *api_version,
                        const char *kind);

/* An object that lacks what says what it is: one message, whatever it lacks. */
static void report_header(struct policy_loader *loader, const struct doc_node *object, bool has_version, bool has_kind)
{
        const char *missing = has_version ? "kind" : "apiVersion";
        const struct doc_node *misspelt = find_misspelt(object, missing);
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];

        if (misspelt) {
                snprintf(hint, sizeof(hint), "did you mean \"%s\"?", missing);
                doc_diag(loader->file, misspelt, DIAG_ERROR, "VW003", hint, "unknown field \"%s\"",
                         doc_shown(misspelt->text, shown));
        } else if (has_version || has_kind) {
                doc_diag(loader->file, object, DIAG_ERROR, "VW005",
                         has_version ? "write kind: NetworkPolicy"
                                     : "a NetworkPolicy has apiVersion: networking.k8s.io/v1",
                         "the object has no \"%s\"", missing);
        } else {
                doc_diag(loader->file, object, DIAG_ERROR, "VW005",
                         doc_get(object, "services")
                                 ? "this looks like a Compose file; policies are files of their own"
                                 : "a policy begins with apiVersion: networking.k8s.io/v1 and kind: NetworkPolicy",
                         "the object has no \"apiVersion\" and no \"kind\"");
        }
}

/* "kind:" with nothing behind it is as good as none. */
static bool has_value(const struct doc_node *object, const char *key)
{
        const struct doc_node *value = doc_get(object, key);

        return value && value->kind != DOC_NULL;
}

/* What an object says it is; an item of a typed list may leave it to the list. */
static void load_any(struct policy_loader *loader, const struct doc_node *object, bool in_typed_list)
{
        const char *api_version = NULL, *kind = NULL;
        bool has_version, has_kind;

        if (object->kind != DOC_MAP) {
                doc_diag(loader->file, object, DIAG_ERROR, "VW004",
                         object->kind == DOC_LIST ? "separate objects by lines \"---\", without \"- \" before them"
                                                  : "a document begins with apiVersion, kind and metadata",
                         "an object must be a mapping, not %s", doc_kind_name(object->kind));
                return;
        }
        load_ignores(loader, object);
        has_version = has_value(object, "apiVersion");
        has_kind = has_value(object, "kind");
        if (in_typed_list && !has_version && !has_kind) {
                load_network_policy(loader, object);
                return;
        }
        if (!has_version || !has_kind) {
                report_header(loader, object, has_version, has_kind);
                return;
        }
        doc_get_string(loader->file, object, "apiVersion", &api_version);
        doc_get_string(loader->file, object, "kind", &kind);
        if (api_version && kind)
                load_object(loader, object, api_version, kind);
}

static void load_list(struct policy_loader *loader, const struct doc_node *object, bool typed)
{
        static const char *const fields[] = {"apiVersion", "kind", "metadata", "items"};
        struct doc_node *items = NULL;
        size_t i;

        loader_check_fields(loader, object, "a List", fields, ARRAY_SIZE(fields));
        if (!doc_get_list(loader->file, object, "items", &items))
                return;
        for (i = 0; i < items->len; i++)
                load_any(loader, items->items[i], typed);
}

static bool load_known_tier_kind(struct policy_loader *loader, const struct doc_node *object, const char *api_version,
                                 const char *kind)
{
        static const char *const versions[] = {
                [TIER_KIND_CLUSTER] = "policy.networking.k8s.io/v1alpha2",
                [TIER_KIND_ADMIN] = "policy.networking.k8s.io/v1alpha1",
                [TIER_KIND_BASELINE] = "policy.networking.k8s.io/v1alpha1",
        };

        for (enum tier_kind k = 0; k < TIER_KIND_MAX; k++) {
                if (strcmp(api_version, versions[k]) == 0 && strcmp(kind, tier_kind_name(k)) == 0) {
                        load_tier_policy(loader, object, k);
                        return true;
                }
        }
        return false;
}

static void load_object(struct policy_loader *loader, const struct doc_node *object, const char *api_version,
                        const char *kind)
{
        bool core = strcmp(api_version, "v1") == 0, networking = strcmp(api_version, "networking.k8s.io/v1") == 0;

        if (networking && strcmp(kind, "NetworkPolicy") == 0)
                load_network_policy(loader, object);
        else if (networking && strcmp(kind, "NetworkPolicyList") == 0)
                load_list(loader, object, true);
        else if (core && strcmp(kind, "List") == 0)
                load_list(loader, object, false);
        else if (core && strcmp(kind, "Namespace") == 0)
                load_namespace(loader, object);
        else if (load_known_tier_kind(loader, object, api_version, kind))
                return;
        else if (is_ours(api_version, kind))
                refuse_object(loader, object, api_version, kind);
        else
                skip_object(loader, object, api_version, kind);
}

/* Without a byte order mark, so that columns are those of the tree. */
static int keep_source(struct policy_set *set, const char *bytes, size_t size)
{
        struct policy_build *build = set->build;
        struct policy_source source = {.bytes = arena_memdup(set->arena, bytes, size), .size = size};

        if (!source.bytes ||
            array_reserve(&build->sources, &build->sources_cap, build->sources_len + 1, sizeof(*build->sources)) < 0)
                return -ENOMEM;
        build->sources[build->sources_len++] = source;
        return 0;
}

int policy_set_load(struct policy_set *set, const char *name, const char *bytes, size_t size, struct diag_list *diags)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct policy_build *build = set->build;
        struct doc_file file;
        struct policy_loader loader = {.set = set, .file = &file, .file_index = (uint32_t)build->files_len};
        const char *kept_name = arena_strdup(set->arena, name);
        size_t i;
        int r;

        if (!arena || !kept_name ||
            array_reserve(&build->files, &build->files_cap, build->files_len + 1, sizeof(*build->files)) < 0)
                return -ENOMEM;
        build->files[build->files_len++] = kept_name;
        r = doc_parse(&file, arena, kept_name, bytes, size, diags);
        if (r < 0)
                return r;
        if (set->keeps_sources && keep_source(set, file.bytes, file.size) < 0)
                return -ENOMEM;
        for (i = 0; i < file.docs_len; i++)
                load_any(&loader, file.docs[i], false);
        return file.oom ? -ENOMEM : 0;
}
