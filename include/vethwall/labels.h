/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Label sets and selectors, with the semantics of Kubernetes' labels.Requirement
 * (k8s.io/apimachinery, pkg/labels): NotIn and DoesNotExist hold where the key is absent. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/base.h>

struct arena;

/* A place in a policy or inventory file. */
struct src_loc {
        uint32_t file; /* index into the set's files; UINT32_MAX: none */
        uint32_t line; /* 1-based; 0: unknown */
        uint32_t col;  /* 1-based, in characters */
};

struct label {
        const char *key;
        const char *value; /* never NULL; may be "" */
};

struct label_set {
        struct label *items; /* sorted by key, keys unique */
        size_t len;
};

enum label_op {
        LABEL_IN,
        LABEL_NOT_IN,
        LABEL_EXISTS,
        LABEL_DOES_NOT_EXIST,
        LABEL_OP_MAX,
};

struct label_requirement {
        enum label_op op;
        const char *key;
        const char **values; /* sorted; for LABEL_IN and LABEL_NOT_IN at least one */
        size_t values_len;
        struct src_loc loc;
};

/* All requirements must hold; one without any matches everything. */
struct selector {
        struct label_requirement *requirements; /* sorted by key, op, values */
        size_t len;
        struct src_loc loc;
};

/* Sorts items by key; of equal keys the last given wins and the earlier ones are removed. */
void label_set_normalise(struct label_set *set);

/* The value of key, or NULL if the set lacks it. */
const char *label_set_get(const struct label_set *set, const char *key);

int label_set_cmp(const struct label_set *a, const struct label_set *b);

bool label_requirement_matches(const struct label_requirement *requirement, const struct label_set *labels);
bool selector_matches(const struct selector *selector, const struct label_set *labels);

/* The first requirement that does not hold, or NULL where the selector matches. */
const struct label_requirement *selector_failure(const struct selector *selector, const struct label_set *labels);

/* Canonical order, after which equal selectors compare equal with selector_cmp(). */
void selector_normalise(struct selector *selector);
int selector_cmp(const struct selector *a, const struct selector *b);

/* Kubernetes' syntax: [prefix/]name, prefix a DNS-1123 subdomain of at most 253 characters, name at most
 * 63, alphanumeric ends, "-_." inside; a value is such a name or empty. */
bool label_key_is_valid(const char *key);
bool label_value_is_valid(const char *value);

const char *label_op_name(enum label_op op); /* "In", "NotIn", "Exists", "DoesNotExist" */
