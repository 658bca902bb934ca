/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint run on texts, and its witnesses replayed. */
#pragma once

#include <vethwall/explain.h>
#include <vethwall/lint.h>

struct run {
        struct policy_set *policies;
        struct inventory *inventory;
        struct world *world;
        struct lint_result result;
};

void run_fini(struct run *run);

/* inventory may be NULL. Fails the test where the inventory has mistakes. */
void run_lint(struct run *run, const char *policies, const char *inventory);

/* How many findings a rule has. */
size_t count(const struct run *run, const char *id);

/* A rule's first finding; fails the test where there is none. */
const struct diag *find(const struct run *run, const char *id);

/* Every finding is of a rule that is known, has a place with its line where a file is concerned, and a witness that can be
 * replayed where it has one. */
void check_findings(const struct run *run);

/* What vethwall explain says to a witness. Fails the test where it is none. The caller frees it. */
struct explanation *replay(const struct run *run, const char *witness);
