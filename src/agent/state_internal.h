/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table behind struct state. Private to state.c, which fills it, and state_snapshot.c, which reads it. */
#pragma once

#include "state.h"

struct state {
        struct state_container **containers; /* owned; sorted by (runtime, id) */
        size_t containers_len, containers_cap;
        struct state_runtime *runtimes; /* owned */
        size_t runtimes_len, runtimes_cap;
        struct arena *namespaces_arena;
        const struct namespace *namespaces;
        size_t namespaces_len;
        uint64_t generations;
        uint64_t claims;
};
