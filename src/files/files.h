/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files into memory, for the agent and the command line alike. */
#pragma once

#include <stddef.h>

#include <vethwall/diag.h>
#include <vethwall/inventory.h>
#include <vethwall/policy.h>

/* Reads a whole file, "-" being standard input. What cannot be read, or is larger than DOC_SIZE_MAX, becomes an error in
 * diags; *ret is then NULL. The bytes are the caller's to free. 0 or -ENOMEM. */
int file_read(const char *path, char **ret, size_t *ret_size, struct diag_list *diags);

/* Reads every policy file of paths into a sealed set. A directory stands for its *.yaml, *.yml and *.json files, in order
 * of name, without descending and without names that begin with a dot. A path that is not there is an error.
 * 0 (look at diags->errors; *ret is there all the same) or -ENOMEM. */
int policies_read(const char *const *paths, size_t len, struct policy_set **ret, struct diag_list *diags);

/* The same, and the set keeps the files' bytes. */
int policies_read_with_sources(const char *const *paths, size_t len, struct policy_set **ret, struct diag_list *diags);

/* The same for inventory files. */
int inventory_read(const char *const *paths, size_t len, struct inventory **ret, struct diag_list *diags);

/* Hands every policy file of paths, directories understood as above, to visit, which returns 0 or a negative errno that ends it all. 0 (look at diags->errors), -ENOMEM, or
 * what visit returned. */
int policy_files_visit(const char *const *paths, size_t len, struct diag_list *diags,
                       int (*visit)(void *arg, const char *path, const char *bytes, size_t size), void *arg);

/* The name of a path in messages: standard input has one. */
const char *file_shown(const char *path);

/* Puts other bytes in the place of a file's, all at once or not at all, and keeps its mode and owner. Where the path is a
 * symbolic link, the file it leads to is replaced, and the link stays. What cannot be done becomes an error in diags.
 * 0 or -ENOMEM. */
int file_replace(const char *path, const char *bytes, size_t size, struct diag_list *diags);
