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
};

#define INPUT_INIT                                                                                                     \
        {                                                                                                              \
                NULL, NULL, NULL                                                                                       \
        }

void input_fini(struct input *input);

/* Reads what -p and -i name. Diagnostics go to standard error. 0, or EXIT_TROUBLE where there are errors among them. */
int input_read(struct input *ret, const struct options *options);

/* The pieces of which that is made. The policies of some files and directories; 0 (look at diags->errors) or -ENOMEM. */
int input_policies(struct policy_set **ret, const char *const *paths, size_t len, struct diag_list *diags);

/* Prints what was found. 0, or EXIT_TROUBLE where there are errors among it. */
int input_judge(const struct diag_list *diags, bool colour);
