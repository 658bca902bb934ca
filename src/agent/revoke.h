/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that were let in before and would not be now. The rules let packets of established connections pass without
 * asking again; whoever changes what is allowed has to take those out of the kernel's table that no longer are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <conntrack/conntrack.h>
#include <vethwall/owners.h>
#include <vethwall/world.h>

#include "host.h"

/* Who had an address. */
struct tenant {
        struct addr addr;
        char *name; /* owned; differs between any two endpoints there ever were */
};

struct tenants {
        struct tenant *items; /* owned; sorted by address */
        size_t len;
};

/* 0 or -ENOMEM. */
int tenants_init(struct tenants *ret, const struct owners *owners, const struct inventory *inventory);
void tenants_fini(struct tenants *tenants);

/* Those addresses of before whose tenant is another now, or gone; sorted, to be freed. 0 or -ENOMEM. */
int tenants_left(const struct tenants *before, const struct tenants *now, struct addr **ret, size_t *ret_len);

/* What a flow is judged by. All borrowed. */
struct revoke_view {
        struct world *world;
        const struct owners *owners;
        const struct host *host;
        bool host_policy;
        const struct addr *left;
        size_t left_len;
};

enum revoke_choice {
        REVOKE_KEEP,
        REVOKE_DENIED,   /* one that policy denies now */
        REVOKE_RELEASED, /* of an address that has left, or has another tenant */
};

/* 0 or -ENOMEM. */
int revoke_choose(const struct revoke_view *view, const struct ct_flow *flow, enum revoke_choice *ret);

/* revoke_run.c */
struct revoke {
        struct tenants tenants; /* as of the last run that came to its end */
};

struct revoke_result {
        size_t denied, released; /* taken out of the table */
        size_t failed;           /* could not be */
        int error;               /* of the first of those */
};

struct realm;

/* Takes out of the kernel's table what the realm denies, and what belonged to addresses that have left since the last run.
 * 0, or a negative errno where not all could be looked at. */
int revoke_run(struct revoke *revoke, const struct realm *realm, struct revoke_result *ret);
void revoke_fini(struct revoke *revoke);
