/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that a command is about, read and resolved. */
#pragma once

#include <vethwall/base.h>
#include <vethwall/diag.h>
#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/world.h>

#include "options.h"

struct input {
        struct policy_set *policies;
        struct inventory *inventory;
        struct world *world;
        const struct settings *settings; /* that the world goes by */
        struct arena *arena;             /* what settings and host live in; NULL where they are the defaults */
        const struct addr *host;         /* the addresses of the agent's host; none where there is no agent */
        size_t host_len;
        bool is_live; /* the agent's */
};

#define INPUT_INIT                                                                                                     \
        {                                                                                                              \
                NULL, NULL, NULL, NULL, NULL, NULL, 0, false                                                           \
        }

void input_fini(struct input *input);

/* Reads what -p and -i name, or asks the agent where --live stands for them. Diagnostics go to standard error. 0, or EXIT_TROUBLE where there are errors among them. */
int input_read(struct input *ret, const struct options *options);

/* True for an end (an endpoint's index, or WORLD_OUTSIDE and its address) that is the agent's host, where the agent lets
 * endpoints and their host talk whatever policy says. */
bool input_own_host(const struct input *input, size_t endpoint, const struct addr *addr);

/* The pieces of which that is made. The policies of some files and directories; 0 (look at diags->errors) or -ENOMEM. */
int input_policies(struct policy_set **ret, const char *const *paths, size_t len, struct diag_list *diags);

/* An object that is no policy is passed over, but never in silence: it may have been meant as one. 0 or -ENOMEM. */
int input_warn_skipped(struct diag_list *diags, const struct policy_set *set);

/* Prints what was found. 0, or EXIT_TROUBLE where there are errors among it. */
int input_judge(const struct diag_list *diags, bool colour);
