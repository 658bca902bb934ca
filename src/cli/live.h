/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions about what the running agent has in force: its policies, its inventory and its settings take the place of
 * files. */
#pragma once

#include "input.h"
#include "options.h"

/* As input_read(), from the agent. The policies keep their sources. */
int live_read(struct input *ret, const struct options *options);

/* vethwall diff --live: an exit code. */
int live_diff(const struct options *options);
