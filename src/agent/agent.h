/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent as a whole: what main() starts. */
#pragma once

#include "config.h"

struct agent;

/* Opens everything: the kernel's doors, the sockets, the watches; reads the policies once. What went wrong has been
 * logged. config is the agent's reference from here on, also where it fails; config_path as in config_read(), borrowed. 0
 * or a negative errno. */
int agent_new(struct agent **ret, struct config *config, const char *config_path);
struct agent *agent_free(struct agent *agent);
DEFINE_CLEANUP(struct agent *, agent_free)

/* Runs until SIGTERM or SIGINT. 0 or a negative errno. */
int agent_run(struct agent *agent);

/* Removes our tables from the kernel, and nothing else. *ret_removed: how many there were. 0 or a negative errno. */
int agent_teardown(size_t *ret_removed);

/* Where no table of ours is in the kernel, loads what holds before anything is known: managed interfaces pass nothing.
 * *ret_loaded: it was not there. 0 or a negative errno. */
int agent_base(struct config *config, bool *ret_loaded);
