/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Worlds of a known shape to measure with, as policy and inventory text for the real loaders. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/strbuf.h>

enum bench_world {
        WORLD_COMPOSE, /* 20 Compose projects of 10 to 50 containers, each with a handful of policies */
        WORLD_FLAT,    /* 1 000 containers in one namespace, 10 policies */
        WORLD_HUB,     /* 200 classes of 5, all allowed to 5 shared services */
        WORLD_REMOTE,  /* 200 local endpoints and 10 000 peers elsewhere */
        WORLD_OFFICE,  /* 50 projects of 20 endpoints with 10 policies each: 1 000 and 500 */
        WORLD_MAX,
};

const char *bench_world_name(enum bench_world world);

/* Appends the world's text. scale multiplies the number of projects (containers, classes, peers). Returns the number of
 * local endpoints; those that follow in the inventory are elsewhere (WORLD_REMOTE only, in namespaces far-...). */
size_t bench_world_text(enum bench_world world, size_t scale, struct strbuf *policies, struct strbuf *inventory);

/* One namespace of an organisation, each file on its own: 20 policies, 200 endpoints of 10 label sets. With changed some
 * of the policies are not what they were: a port more, a peer less, another address block. inventory may be NULL. */
#define BENCH_DEPARTMENT_POLICIES 20
#define BENCH_DEPARTMENT_ENDPOINTS 200
#define BENCH_DEPARTMENT_LABEL_SETS 10
void bench_department_text(size_t nr, bool changed, struct strbuf *policies, struct strbuf *inventory);
