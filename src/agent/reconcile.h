/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the kernel hold what policies and inventory ask for: compile, compare with what it holds, one transaction. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nft/nft.h>
#include <vethwall/compile.h>

#include "config.h"
#include "counters.h"

/* A policy set in use by several. */
struct policies {
        unsigned refs;
        struct policy_set *set; /* owned, sealed */
};

/* Takes over the set, also where it fails. NULL: no memory. */
struct policies *policies_new(struct policy_set *set);
struct policies *policies_ref(struct policies *policies);
struct policies *policies_unref(struct policies *policies); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct policies *, policies_unref)

/* Everything that one ruleset follows from, kept together as long as it is in force. */
struct realm {
        struct config *config;       /* a reference */
        struct settings settings;    /* lives in config, or is stricter than what stands there */
        struct policies *policies;   /* a reference */
        struct inventory *inventory; /* owned */
        struct world *world;         /* owned */
};

/* Takes over the inventory, also where it fails; takes references of the others. policies NULL: none could be read, and
 * none were in force before: then every endpoint is denied everything but its own host's traffic, because what the
 * policies would have said is not known. 0 or -ENOMEM. */
int realm_new(struct realm **ret, struct config *config, struct policies *policies, struct inventory *inventory);
struct realm *realm_free(struct realm *realm);
DEFINE_CLEANUP(struct realm *, realm_free)

/* The way to the kernel, exchangeable for tests. As nft_read() and nft_commit(). */
struct reconcile_kernel {
        int (*read)(void *user, struct ruleset **ret, uint32_t *ret_genid);
        int (*commit)(void *user, const struct plan *plan, uint32_t genid, struct nft_result *ret,
                      struct diag_list *diags);
};

struct reconcile_result {
        bool committed; /* false: there was nothing to change */
        size_t ops;
        size_t bytes;
        int error;               /* RECONCILE_E_REFUSED: the kernel's errno, positive */
        uint64_t compile_us;     /* world and compile together */
        uint64_t transaction_us; /* all of reading, comparing and committing */
        uint64_t committed_us;   /* CLOCK_MONOTONIC when the kernel had taken it */
};

struct reconcile;

/* 0 or -ENOMEM. kernel and user are borrowed. */
int reconcile_new(struct reconcile **ret, const struct reconcile_kernel *kernel, void *user);
struct reconcile *reconcile_free(struct reconcile *reconcile);
DEFINE_CLEANUP(struct reconcile *, reconcile_free)

enum {
        RECONCILE_E_REFUSED = 1, /* the kernel refused the transaction; diags say why; what was in force still is */
};

/* Brings the realm into force and keeps it; where it fails, the realm is freed and the one before stays in force.
 * 0, RECONCILE_E_REFUSED or a negative errno. */
int reconcile_apply(struct reconcile *reconcile, struct realm *realm, struct reconcile_result *ret,
                    struct diag_list *diags);

/* The kernel's ruleset is of this generation now, and our tables are what they were (somebody changed another). */
void reconcile_moved(struct reconcile *reconcile, uint32_t genid);
/* The kept copy is not to be trusted: the next apply reads the kernel's. */
void reconcile_forget(struct reconcile *reconcile);
/* True if this generation is that of a transaction of ours. */
bool reconcile_is_own(const struct reconcile *reconcile, uint32_t genid);

/* Reads the kernel's ruleset where no copy is kept; true in *ret if any table of ours is there. 0 or a negative errno. */
int reconcile_kernel_holds(struct reconcile *reconcile, bool *ret);

/* Reads the kernel's counters. *ret_intact: our tables are as we left them. 0 or a negative errno. */
int reconcile_count(struct reconcile *reconcile, bool *ret_intact);

/* What is in force; NULL before the first success. */
const struct realm *reconcile_realm(const struct reconcile *reconcile);
const struct counters *reconcile_counters(const struct reconcile *reconcile);
