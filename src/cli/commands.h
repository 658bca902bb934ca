/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands; each returns an exit code. */
#pragma once

#include "options.h"

int command_compile(const struct options *options);
int command_matrix(const struct options *options);
int command_diff(const struct options *options);
int command_explain(const struct options *options);
int command_lint(const struct options *options);
int command_fmt(const struct options *options);
int command_convert(const struct options *options);
int command_status(const struct options *options);
int command_endpoints(const struct options *options);
int command_inventory(const struct options *options);
int command_policies(const struct options *options);
int command_counters(const struct options *options);
