/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The worlds of worlds.h. */
#include "worlds.h"

#include <stdbool.h>
#include <stdio.h>

static const char *const names[] = {
        [WORLD_COMPOSE] = "compose", [WORLD_FLAT] = "flat",     [WORLD_HUB] = "hub",
        [WORLD_REMOTE] = "remote",   [WORLD_OFFICE] = "office",
};

static const char *const apps[] = {"web", "api", "db", "cache", "worker"};

const char *bench_world_name(enum bench_world world)
{
        return names[world];
}

static void begin(struct strbuf *inventory)
{
        strbuf_puts(inventory, "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n");
}

/* The nth endpoint of the inventory holds 10.x.y.z with n in the last three bytes. */
static void endpoint(struct strbuf *inventory, const char *ns, size_t n, const char *labels)
{
        strbuf_printf(inventory, "- {name: c%zu, namespace: %s, labels: {%s}, addresses: [10.%zu.%zu.%zu]}\n", n, ns,
                      labels, (n + 2) >> 16, ((n + 2) >> 8) & 255, (n + 2) & 255);
}

static void policy(struct strbuf *policies, const char *ns, const char *name, const char *spec)
{
        strbuf_printf(policies,
                      "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                      "metadata: {name: %s, namespace: %s}\nspec: {%s}\n",
                      name, ns, spec);
}

/* What a careful project of three tiers has. */
static size_t project(struct strbuf *policies, struct strbuf *inventory, const char *ns, size_t first, size_t len,
                      bool more)
{
        char labels[64];

        for (size_t i = 0; i < len; i++) {
                snprintf(labels, sizeof(labels), "app: %s, nr: \"%zu\"", apps[i % ARRAY_SIZE(apps)], i);
                endpoint(inventory, ns, first + i, labels);
        }
        policy(policies, ns, "default-deny", "podSelector: {}, policyTypes: [Ingress, Egress]");
        policy(policies, ns, "dns",
               "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.255.0.0/16}}], "
               "ports: [{protocol: UDP, port: 53}, {port: 53}]}]");
        policy(policies, ns, "web", "podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]");
        policy(policies, ns, "web-to-api",
               "podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], "
               "ports: [{port: 8080}]}]");
        policy(policies, ns, "api-to-db",
               "podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: api}}}], "
               "ports: [{port: 5432}]}]");
        policy(policies, ns, "inside",
               "podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}], "
               "ports: [{port: 1024, endPort: 65535}]}]");
        if (!more)
                return len;
        policy(policies, ns, "metrics",
               "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: "
               "{kubernetes.io/metadata.name: p0}}}], ports: [{port: 9100}]}]");
        policy(policies, ns, "cache",
               "podSelector: {matchLabels: {app: cache}}, ingress: [{from: [{podSelector: {matchExpressions: "
               "[{key: app, operator: In, values: [api, worker]}]}}], ports: [{port: 6379}]}]");
        policy(policies, ns, "worker-out",
               "podSelector: {matchLabels: {app: worker}}, policyTypes: [Egress], egress: [{to: [{ipBlock: "
               "{cidr: 0.0.0.0/0, except: [10.0.0.0/8, 192.168.0.0/16]}}], ports: [{port: 443}]}]");
        policy(policies, ns, "debug",
               "podSelector: {matchLabels: {app: api}}, ingress: [{from: [{ipBlock: {cidr: "
               "192.0.2.0/24}}], ports: [{port: 9229}]}]");
        return len;
}

static size_t projects(struct strbuf *policies, struct strbuf *inventory, size_t count, size_t least, size_t most,
                       bool more)
{
        size_t n = 0;
        char ns[32];

        for (size_t i = 0; i < count; i++) {
                snprintf(ns, sizeof(ns), "p%zu", i);
                n += project(policies, inventory, ns, n, least + (count > 1 ? i * (most - least) / (count - 1) : 0),
                             more);
        }
        return n;
}

static size_t flat(struct strbuf *policies, struct strbuf *inventory, size_t len)
{
        char text[256], name[32];

        for (size_t i = 0; i < len; i++) {
                snprintf(text, sizeof(text), "app: a%zu, nr: \"%zu\"", i % 20, i);
                endpoint(inventory, "flat", i, text);
        }
        policy(policies, "flat", "default-deny", "podSelector: {}");
        policy(policies, "flat", "metrics",
               "podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 9100}]}]");
        for (size_t i = 0; i < 8; i++) {
                snprintf(name, sizeof(name), "app-%zu", i);
                snprintf(text, sizeof(text),
                         "podSelector: {matchLabels: {app: a%zu}}, ingress: [{from: [{podSelector: {matchLabels: "
                         "{app: a%zu}}}], ports: [{port: %zu}]}]",
                         i, i + 1, 8000 + i);
                policy(policies, "flat", name, text);
        }
        return len;
}

static size_t hub(struct strbuf *policies, struct strbuf *inventory, size_t classes)
{
        char text[256], ns[32];
        size_t n = 0;

        for (size_t i = 0; i < 5; i++) {
                snprintf(text, sizeof(text), "service: s%zu", i);
                endpoint(inventory, "hub", n++, text);
        }
        policy(policies, "hub", "shared",
               "podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 443}]}]");
        for (size_t i = 0; i < classes; i++) {
                snprintf(ns, sizeof(ns), "team-%zu", i);
                for (size_t j = 0; j < 5; j++) {
                        snprintf(text, sizeof(text), "app: a%zu", j);
                        endpoint(inventory, ns, n++, text);
                }
                policy(policies, ns, "only-hub",
                       "podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{namespaceSelector: "
                       "{matchLabels: {kubernetes.io/metadata.name: hub}}}], ports: [{port: 443}]}]");
        }
        return n;
}

static size_t remote(struct strbuf *policies, struct strbuf *inventory, size_t peers)
{
        char text[256], ns[32], name[32];
        size_t local = projects(policies, inventory, 10, 20, 20, false);

        for (size_t i = 0; i < peers; i++) {
                snprintf(ns, sizeof(ns), "far-%zu", i % 100);
                snprintf(text, sizeof(text), "app: %s, nr: \"%zu\"", apps[i % ARRAY_SIZE(apps)], i);
                endpoint(inventory, ns, local + i, text);
        }
        for (size_t i = 0; i < 10; i++) {
                snprintf(ns, sizeof(ns), "p%zu", i);
                policy(policies, ns, "from-everyone",
                       "podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {}, "
                       "podSelector: {matchLabels: {app: web}}}], ports: [{port: 8443}]}]");
                for (size_t j = 0; j < 3; j++) {
                        snprintf(name, sizeof(name), "to-far-%zu", j);
                        snprintf(text, sizeof(text),
                                 "podSelector: {matchLabels: {app: %s}}, policyTypes: [Egress], egress: [{to: "
                                 "[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: far-%zu}}}]}]",
                                 apps[j], i * 10 + j);
                        policy(policies, ns, name, text);
                }
        }
        return local;
}

size_t bench_world_text(enum bench_world world, size_t scale, struct strbuf *policies, struct strbuf *inventory)
{
        begin(inventory);
        switch (world) {
        case WORLD_COMPOSE:
                return projects(policies, inventory, 20 * scale, 10, 50, true);
        case WORLD_FLAT:
                return flat(policies, inventory, 1000 * scale);
        case WORLD_HUB:
                return hub(policies, inventory, 200 * scale);
        case WORLD_REMOTE:
                return remote(policies, inventory, 10000 * scale);
        case WORLD_OFFICE:
                return projects(policies, inventory, 50 * scale, 20, 20, true);
        case WORLD_MAX:
                break;
        }
        return 0;
}

static void department_endpoints(size_t nr, struct strbuf *inventory)
{
        begin(inventory);
        for (size_t i = 0; i < BENCH_DEPARTMENT_ENDPOINTS; i++) {
                size_t app = i % BENCH_DEPARTMENT_LABEL_SETS;

                strbuf_printf(inventory,
                              "  - name: app-%zu-%zu\n    namespace: department-%zu\n"
                              "    labels: { app: app-%zu, tier: %s, team: team-%zu }\n"
                              "    addresses: [10.%zu.%zu.%zu, \"fd00:%zx::%zx\"]\n"
                              "    ports: [ { name: http, port: %zu, protocol: TCP } ]\n",
                              app, i / BENCH_DEPARTMENT_LABEL_SETS, nr, app, app < 5 ? "front" : "back", nr % 7,
                              nr / 250, nr % 250, i + 2, nr + 1, i + 2, 8000 + app);
        }
}

static void department_names(size_t nr, struct strbuf *policies)
{
        strbuf_printf(policies,
                      "apiVersion: v1\nkind: Namespace\nmetadata: {name: department-%zu, labels: {group: group-%zu}}\n",
                      nr, nr % 5);
}

/* Written as people write them, with a line for each thing. */
static void department_rule(struct strbuf *policies, size_t nr, size_t app, bool changed)
{
        strbuf_printf(policies,
                      "---\n# Who may call app-%zu.\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                      "metadata:\n  name: app-%zu-from\n  namespace: department-%zu\nspec:\n  podSelector:\n"
                      "    matchLabels:\n      app: app-%zu\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n"
                      "        - podSelector:\n            matchLabels:\n              app: app-%zu\n",
                      app, app, nr, app, (app + 9) % BENCH_DEPARTMENT_LABEL_SETS);
        if (app % 5 == 0 && !changed)
                strbuf_printf(policies,
                              "        - namespaceSelector:\n            matchLabels:\n              group: group-%zu\n"
                              "          podSelector:\n            matchLabels:\n              tier: front\n",
                              (nr + app) % 5);
        strbuf_printf(policies, "      ports:\n        - protocol: TCP\n          port: %s\n",
                      app % 2 == 0 ? "http" : "8443");
        if (app % 3 == 0 && changed)
                strbuf_puts(policies, "        - protocol: TCP\n          port: 9229\n");
}

void bench_department_text(size_t nr, bool changed, struct strbuf *policies, struct strbuf *inventory)
{
        char ns[32], name[32], text[512];

        if (inventory)
                department_endpoints(nr, inventory);
        snprintf(ns, sizeof(ns), "department-%zu", nr);
        department_names(nr, policies);
        policy(policies, ns, "default-deny", "podSelector: {}, policyTypes: [Ingress, Egress]");
        policy(policies, ns, "dns",
               "podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.255.0.0/16}}], "
               "ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]}]");
        policy(policies, ns, "inside",
               "podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}, {namespaceSelector: {}, "
               "podSelector: {matchLabels: {tier: back}}}], ports: [{protocol: TCP, port: 1024, endPort: 65535}]}]");
        policy(policies, ns, "metrics",
               "podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{namespaceSelector: {matchLabels: "
               "{kubernetes.io/metadata.name: department-0}}, podSelector: {matchLabels: {app: app-0}}}], ports: "
               "[{protocol: TCP, port: 9100}]}]");
        for (size_t app = 0; app < BENCH_DEPARTMENT_LABEL_SETS; app++)
                department_rule(policies, nr, app, changed);
        for (size_t app = 0; app < BENCH_DEPARTMENT_POLICIES - BENCH_DEPARTMENT_LABEL_SETS - 4; app++) {
                snprintf(name, sizeof(name), "app-%zu-out", app);
                snprintf(text, sizeof(text),
                         "podSelector: {matchLabels: {app: app-%zu}}, policyTypes: [Egress], egress: [{to: [{ipBlock: "
                         "{cidr: 198.51.%zu.0/%d}}], ports: [{protocol: TCP, port: %zu}]}]",
                         app, (nr * 8 + app) % 256, changed ? 25 : 24, 443 + app);
                policy(policies, ns, name, text);
        }
}
