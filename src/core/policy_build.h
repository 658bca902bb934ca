/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy set while it is filled: arrays that grow, on the heap, until sealing moves them to the set's arena. Private
 * to the core. */
#pragma once

#include <stddef.h>

#include <vethwall/policy.h>

struct policy_build {
        const char **files; /* the array is owned; the names are the arena's */
        size_t files_cap;
        struct policy *policies;
        size_t policies_len;
        size_t policies_cap;
        struct namespace *namespaces;
        struct src_loc *namespace_locs; /* of metadata.name, in the order of namespaces */
        size_t namespaces_len;
        size_t namespaces_cap;
        size_t namespace_locs_cap;
        struct skipped_object *skipped;
        size_t skipped_len;
        size_t skipped_cap;
};

/* NULL is fine. */
void policy_build_free(struct policy_build *build);
