/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random worlds as a user would write them: policy files and an inventory file, as text, in pieces that can be left out
 * and put in another order; and packets that meet what the world is about. Names, labels, addresses and ports come from
 * small alphabets, so that everything meets everything. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/settings.h>
#include <vethwall/strbuf.h>

#include "oracle.h"
#include "rng.h"

#define GEN_FILES 3

enum gen_kind {
        GEN_NAMESPACE, /* of the inventory */
        GEN_ENDPOINT,
        GEN_LABELS, /* a Namespace object among the policies */
        GEN_POLICY,
        GEN_INGRESS, /* a rule; its parent is a policy */
        GEN_EGRESS,
        GEN_PEER, /* its parent is a rule */
        GEN_PORT,
};

struct gen_piece {
        enum gen_kind kind;
        size_t parent;     /* index of a piece before this one */
        size_t file;       /* policies and Namespace objects: in which of the files */
        char *text;        /* owned */
        const char *ports; /* policies: what their rules call the list of ports; static */
        bool tiered;       /* policies: cluster-wide, of a tier */
        bool dropped;      /* left out, with all that is in it */
};

struct gen_world {
        uint64_t seed;
        struct settings settings;
        struct gen_piece *pieces; /* owned */
        size_t len, cap;
};

/* What changes nothing in the meaning. */
struct gen_order {
        uint64_t shuffle;     /* 0: as generated; else the order of objects and endpoints, and in which file they are */
        bool rename;          /* other file names */
        bool rename_policies; /* other names, in the same order */
        bool quiet;           /* does not print what the loaders refuse */
};

/* The world's files, and what the loaders make of them. */
struct gen_loaded {
        struct strbuf policy_files[GEN_FILES];
        struct strbuf inventory_file;
        struct policy_set *policies;
        struct inventory *inventory;
};

int gen_world(struct gen_world *ret, uint64_t seed);
void gen_world_fini(struct gen_world *world);

/* Everything that is not dropped, through the loaders. Where they refuse anything, it is printed (but see quiet) and -EINVAL
 * returned. */
int gen_load(struct gen_loaded *ret, const struct gen_world *world, const struct gen_order *order);
void gen_loaded_fini(struct gen_loaded *loaded);

/* The addresses and ports at which a loaded world's verdicts may change, and some more. */
struct gen_targets {
        struct addr *addrs[ADDR_FAMILY_MAX]; /* owned */
        size_t addrs_len[ADDR_FAMILY_MAX], addrs_cap[ADDR_FAMILY_MAX];
        uint16_t *ports; /* owned */
        size_t ports_len, ports_cap;
};

int gen_targets(struct gen_targets *ret, const struct gen_loaded *loaded);
void gen_targets_fini(struct gen_targets *targets);

/* The names in the packet are static. */
void gen_packet(struct oracle_packet *ret, struct rng *rng, const struct oracle *oracle,
                const struct gen_targets *targets);

/* What a program [SEED [WORLDS]] does: calls try with so many seeds, from SEED (1) on, until one fails, and says then how to see
 * it again. -EBADMSG: what was found wrong is printed already. *ret_worlds: how many; may be NULL. Whether none failed. */
bool gen_run(int argc, char **argv, uint64_t worlds, int (*try)(uint64_t seed, void *user), void *user,
             uint64_t *ret_worlds);
