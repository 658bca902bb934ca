/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the compiler: compile.c drives and lays out the base chains, compile_class.c makes what one
 * class needs, compile_profile.c turns profiles into verdicts, compile_name.c names things. */
#pragma once

#include <vethwall/compile.h>

#include "world_internal.h"

/* What a profile becomes: a verdict of its own, or a chain to go to. */
struct compiled_profile {
        bool done;
        struct rs_verdict verdict;
        uint32_t origin; /* RS_ORIGIN_NONE where the verdict is a goto */
};

struct compiler {
        struct world *world;
        struct ruleset *ruleset;
        struct rs_table *table;
        struct rs_origin *origins; /* heap until the end */
        size_t origins_len, origins_cap;
        const char **origin_comments; /* heap; for each origin: "allow shop/web ingress[0]"; NULL: none of a policy's */
        size_t comments_cap;
        struct str_index origin_index;              /* direction and cause */
        struct compiled_profile *profiles[DIR_MAX]; /* heap; by profile id */
        size_t profiles_cap[DIR_MAX];
        struct str_index names;                   /* every chain, set and map name given out */
        struct str_index owners;                  /* address -> endpoint that holds it */
        uint32_t *group_uses;                     /* heap; per group: in how many class chains it would appear */
        bool *group_made[ADDR_FAMILY_MAX];        /* heap; per group: its set is there */
        const char **group_sets[ADDR_FAMILY_MAX]; /* heap; per group: the set's name */
        uint8_t *wide; /* heap; per identity: 1 + index of the first wide group it is in; else 0 */
};

/* A name nobody has yet, from readable parts (cut and cleaned) and a hash of what it stands for. NULL: no memory. */
const char *compile_name(struct compiler *c, const char *prefix, const char *part1, const char *part2, uint64_t hash,
                         const char *suffix);

/* FNV-1a, 64 bits; chained through seed. */
uint64_t compile_hash(uint64_t seed, const void *data, size_t size);
uint64_t compile_hash_text(uint64_t seed, const char *text);
#define COMPILE_HASH_SEED UINT64_C(0xcbf29ce484222325)

/* A comment nft can print and parse again: cut to its limit, quotes and control characters replaced. NULL: no memory. */
const char *compile_comment(struct compiler *c, const char *fmt, ...) _printf_(2, 3);

/* The origin of a cause; shared. Its comment, "allow shop/web ingress[0]" or "default deny shop/db ingress", is then
 * origin_comments[*ret]. 0 or -ENOMEM. */
int compile_origin(struct compiler *c, enum direction direction, const struct cause *cause, uint32_t *ret);

/* An origin that no policy is behind; its comment is the caller's affair. 0 or -ENOMEM. */
int compile_add_origin(struct compiler *c, const struct rs_origin *origin, const char *comment, uint32_t *ret);

/* The verdict of a profile in a direction, with the chain it may need. 0 or -ENOMEM. */
int compile_profile(struct compiler *c, enum direction direction, const struct profile *profile,
                    struct compiled_profile *ret);

/* The verdict under which a class's members are entered in the dispatch map, with the chain it may need. */
int compile_class(struct compiler *c, enum direction direction, uint32_t class, struct rs_verdict *ret,
                  uint32_t *ret_origin);

/* True if the address is this endpoint's, and not another's that gives the same. */
bool compile_owns(const struct compiler *c, uint32_t endpoint, const struct addr *addr);

/* Appends a rule with room for matches. NULL: no memory. */
struct rs_rule *compile_rule(struct compiler *c, size_t chain, size_t matches);

/* field vmap @map. 0 or -ENOMEM. */
int compile_vmap_rule(struct compiler *c, size_t chain, enum rs_field field, const char *map);

/* A rule that matches field in @set; the caller adds the verdict. NULL: no memory. */
struct rs_rule *compile_set_rule(struct compiler *c, size_t chain, enum rs_field field, const char *set);
