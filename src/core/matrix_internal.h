/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of a matrix, shared by the files that make it. Private to the core. */
#pragma once

#include <vethwall/arena.h>
#include <vethwall/matrix.h>

#include "index.h"

#define PORT_MIN 1
#define PORT_MAX UINT16_MAX

struct conns_builder {
        uint32_t *words; /* owned */
        size_t len;
        size_t cap;
};

struct outside {
        struct matrix_range *ranges; /* arena */
        size_t len;
};

struct class_cache {
        struct outside outside[ADDR_FAMILY_MAX];
};

struct matrix {
        struct world *world;
        const struct inventory *inventory;
        struct arena *arena;

        struct conns **conns; /* by id; the objects are the arena's */
        size_t conns_len, conns_cap;
        struct str_index conns_index;
        struct str_index op_index;
        const struct conns *full, *empty, *limit;

        const struct conns **by_profile; /* by profile id; NULL: not asked yet */
        size_t by_profile_cap;

        struct class_cache *classes[DIR_MAX];
        struct outside unlimited[ADDR_FAMILY_MAX]; /* of an endpoint that is the host */
        uint8_t *families;                         /* per endpoint: a bit for each family it has an address of */

        uint64_t **reach;  /* per identity: a bit for each identity that it may reach; NULL: not asked yet */
        uint32_t *reached; /* scratch */

        struct conns_builder builder;
        struct matrix_pair *pairs; /* of the last flow */
        size_t pairs_cap;
};

/* Makes a set: start, then add in ascending order of protocol and of first port, then finish. 0 or -ENOMEM. */
int conns_builder_start(struct conns_builder *builder);
int conns_builder_add(struct conns_builder *builder, enum conns_proto proto, struct port_range ports);
int conns_builder_finish(struct matrix *matrix, bool other, const struct conns **ret);
