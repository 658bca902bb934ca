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

/* The ids of findings, each once, that are among the ids. */
void found(const struct run *run, const char *ids, char *buf, size_t size);

/* Texts that tests are made of. */
#define INVENTORY "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"
#define WEB "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2, \"fd00::2\"] }\n"
#define API "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3, \"fd00::3\"] }\n"
#define DB "  - { name: db-1, namespace: shop, labels: { app: db }, addresses: [10.0.0.4] }\n"

#define PROBE "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n"

#define NP(name, spec)                                                                                                 \
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: " name ", namespace: shop }\n"  \
        "spec: { " spec " }\n"
#define CNP(name, spec)                                                                                                \
        "---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: " name      \
        " }\nspec: { " spec " }\n"
#define ADMIN "tier: Admin, priority: 10, subject: { namespaces: {} }, "
#define SECOND "tier: Admin, priority: 20, subject: { namespaces: {} }, "
#define BASE "tier: Baseline, priority: 10, subject: { namespaces: {} }, "
#define TO(action, net) "{ action: " action ", to: [{ networks: [" net "] }] }"
