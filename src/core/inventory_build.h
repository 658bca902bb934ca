/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An inventory while it is filled. Private to the core. */
#pragma once

#include <stddef.h>

#include <vethwall/inventory.h>

#include "index.h"

/* Where a file gave an endpoint; zeroed for one that came otherwise. */
struct endpoint_place {
        const char *file;
        unsigned line;
};

struct inventory_build {
        struct endpoint *endpoints; /* the array is owned; all else is the arena's */
        size_t endpoints_len;
        size_t endpoints_cap;
        struct namespace *namespaces;
        size_t namespaces_len;
        size_t namespaces_cap;
        struct endpoint_place *places; /* owned; of endpoints, as far as it reaches */
        size_t places_len;
        size_t places_cap;
        struct str_index by_name;      /* "ns/name" -> endpoint */
        struct str_index by_namespace; /* name -> namespace */
        struct str_index texts;        /* one copy of each */
        struct str_index by_addr;      /* struct addr -> endpoint of a file that is not the host */
};

/* NULL is fine. */
void inventory_build_free(struct inventory_build *build);
