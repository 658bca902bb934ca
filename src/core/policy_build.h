/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy set while it is filled: arrays that grow, on the heap, until sealing moves them to the set's arena. Private
 * to the core. */
#pragma once

#include <stddef.h>

#include <vethwall/doc.h>
#include <vethwall/policy.h>

#include "doc_private.h"

/* Where an object's name stands, for the message that there are two of it: the file's bytes are gone by then. */
struct name_place {
        struct src_loc loc;
        unsigned end_col;
        const char *source; /* NULL where it could not be found */
        unsigned source_col;
};

struct built_policy {
        struct policy policy;
        struct name_place place;
};

struct built_namespace {
        struct namespace ns;
        struct name_place place;
};

struct policy_build {
        const char **files; /* the array is owned; the names are the arena's */
        size_t files_len, files_cap;
        struct policy_source *sources; /* the array is owned; where the set keeps them */
        size_t sources_len, sources_cap;
        struct built_policy *policies;
        size_t policies_len, policies_cap;
        struct built_namespace *namespaces;
        size_t namespaces_len, namespaces_cap;
        struct skipped_object *skipped;
        size_t skipped_len, skipped_cap;
        struct policy_ignore *ignores;
        size_t ignores_len, ignores_cap;
};

/* The order in which policies decide, and in which a sealed set has them. */
int policy_cmp(const struct policy *a, const struct policy *b);

/* NULL is fine. */
void policy_build_free(struct policy_build *build);

/* One file on its way into a set. Whoever lacks memory sets file->oom and goes on; the end looks. */
struct policy_loader {
        struct policy_set *set;
        struct doc_file *file;
        uint32_t file_index;
};

struct src_loc loader_loc(const struct policy_loader *loader, const struct doc_node *node);

/* len zeroed objects of size bytes from the set's arena, or NULL and file->oom. */
void *loader_array(struct policy_loader *loader, size_t len, size_t size);
char *loader_strdup(struct policy_loader *loader, const char *text);

/* doc_check_fields(), knowing where misplaced fields belong. */
bool loader_check_fields(struct policy_loader *loader, const struct doc_node *node, const char *what,
                         const char *const *names, size_t len);

/* Remedies; those with buf return it. Where a field belongs that does not belong here, or NULL. */
const char *hint_misplaced(const char *field);

/* For a name or label that is none, where templates and word processors leave their traces. */
const char *hint_text(char buf[static DOC_HINT_MAX], const char *text, const char *otherwise);

/* For what stands in the place of a peer, an ipBlock, a selector (what: "podSelector"). */
const char *hint_peer(char buf[static DOC_HINT_MAX], const struct doc_node *node);
const char *hint_block(char buf[static DOC_HINT_MAX], const struct doc_node *node);
const char *hint_selector(char buf[static DOC_HINT_MAX], const struct doc_node *node, const char *what);

/* A selector from its node; NULL only where memory is exhausted. What is wrong is reported and left out. what: "podSelector". */
struct selector *load_selector(struct policy_loader *loader, const struct doc_node *node, const char *what);

/* The annotations of an object that speak to lint. */
void load_ignores(struct policy_loader *loader, const struct doc_node *object);

/* The value of a key; absent and null are the same to Kubernetes: NULL. */
const struct doc_node *doc_present(const struct doc_node *node, const char *key);

/* A CIDR from its node; false and reported where it is none. what: "cidr". */
bool load_cidr(struct policy_loader *loader, const struct doc_node *node, const char *what, struct prefix *ret);

/* The field "protocol", TCP where there is none; false and reported where it is none of ours. */
bool load_protocol(struct policy_loader *loader, const struct doc_node *node, uint8_t *ret);

/* The cluster-wide kinds. */
enum tier_kind {
        TIER_KIND_CLUSTER,
        TIER_KIND_ADMIN,
        TIER_KIND_BASELINE,
        TIER_KIND_MAX,
};

const char *tier_kind_name(enum tier_kind kind);

/* The spec of one of them into policy; its pod_selector is NULL where the subject was wrong (reported). */
void load_tier_policy_spec(struct policy_loader *loader, const struct doc_node *spec, enum tier_kind kind,
                           struct policy *policy);

/* The spec of a NetworkPolicy into policy, whose pod_selector is set in any case but exhausted memory. */
void load_network_policy_spec(struct policy_loader *loader, const struct doc_node *spec, struct policy *policy);
