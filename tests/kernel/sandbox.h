/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network namespace of the test's own, and nft in it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Moves the process into a new network namespace (in a user namespace of its own where it is not root). Exits with 77,
 * which means skipped, where that is not possible or nft is missing. */
void sandbox_enter(void);

/* Whether the process was root before: without, nft cannot send a large batch. */
bool sandbox_is_privileged(void);

/* Runs nft with these arguments, ended by NULL, and with input as its standard input (NULL: none). Returns the exit code;
 * *ret_output, if not NULL, is what it printed, to be freed. */
int sandbox_nft(const char *input, char **ret_output, const char *arg, ...) __attribute__((sentinel));
