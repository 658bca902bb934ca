/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint: what is open and to whom, ports, shared namespaces and cost, case by case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lint-run.h"

static const char three[] = INVENTORY WEB API DB;
static const char four[] = INVENTORY WEB API DB PROBE;

#define ASSERT_NP(name, unreachable, spec)                                                                             \
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: " name "\n"                    \
        "  namespace: shop\n  annotations: { vethwall.io/assert-unreachable: \"" unreachable "\" }\nspec: { " spec     \
        " }\n"
#define FROM(app, port)                                                                                                \
        "policyTypes: [Ingress], ingress: [{ from: [{ podSelector: { matchLabels: { app: " app " } } }], ports: [{ "   \
        "protocol: TCP, port: " port " }] }]"
#define CLOSE_API NP("api", "podSelector: { matchLabels: { app: api } }, " FROM("web", "9000"))

/* The shortest way, each hop of which passes. */
static void assertions(void **state)
{
        static const struct {
                const char *policies, *way; /* NULL: there is none */
        } cases[] = {
                {ASSERT_NP("db", "shop/web-1", "podSelector: { matchLabels: { app: db } }, " FROM("web", "1")),
                 "shop/web-1 reaches shop/db-1 directly: shop/web-1 shop/db-1 TCP/1"},
                {ASSERT_NP("db", "shop/web-1", "podSelector: { matchLabels: { app: db } }, " FROM("api", "5432"))
                         CLOSE_API,
                 "shop/web-1 reaches shop/db-1 through others: shop/web-1 shop/api-1 TCP/9000, then shop/api-1 "
                 "shop/db-1 "
                 "TCP/5432"},
                {ASSERT_NP("db", "shop/*", "podSelector: { matchLabels: { app: db } }, " FROM("api", "5432")),
                 "shop/api-1 reaches shop/db-1 directly: shop/api-1 shop/db-1 TCP/5432"},
                {ASSERT_NP("db", "*/probe", "podSelector: { matchLabels: { app: db } }, " FROM("api", "5432"))
                         CLOSE_API,
                 "ops/probe reaches shop/db-1 through others: ops/probe shop/web-1 TCP/1, then shop/web-1 shop/api-1 "
                 "TCP/9000, then shop/api-1 shop/db-1 TCP/5432"},
                {ASSERT_NP("db", "ops/*", "podSelector: { matchLabels: { app: db } }, " FROM("api", "5432"))
                         CLOSE_API NP("web", "podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress]"),
                 NULL},
                {ASSERT_NP("db", "shop/db-1", "podSelector: { matchLabels: { app: db } }, " FROM("api", "5432")), NULL},
                {ASSERT_NP("db", "ops/*, shop/gone",
                           "podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress]"),
                 "\"shop/gone\" is no endpoint of the inventory"},
                {ASSERT_NP("db", "web", "podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress]"),
                 "\"web\" is no endpoint of the inventory"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                const char *hop;

                run_lint(&run, cases[i].policies, four);
                check_findings(&run);
                if (count(&run, "VW314") != (cases[i].way != NULL))
                        fail_msg("%s: %zu", cases[i].policies, count(&run, "VW314"));
                if (!cases[i].way)
                        continue;
                assert_string_equal(find(&run, "VW314")->message, cases[i].way);
                hop = find(&run, "VW314")->witness ? strstr(cases[i].way, ": ") : NULL;
                for (const char *next; hop; hop = next) {
                        _cleanup_(explanation_freep) struct explanation *explanation = NULL;
                        char text[512];

                        hop += strcspn(hop, " ") + 1;
                        next = strstr(hop, ", then");
                        snprintf(text, sizeof(text), "%.*s", next ? (int)(next - hop) : 500, hop);
                        next = next ? next + strlen(", then") : NULL;
                        explanation = replay(&run, text);
                        assert_int_equal(explanation->verdict, ACTION_ALLOW);
                }
        }
}

/* What is open to much of the world, or reaches it: only what the rule itself decides. */
static void services(void **state)
{
        static const struct {
                const char *policies, *found;
        } cases[] = {
                {NP("db",
                    "podSelector: {}, policyTypes: [Ingress], ingress: [{ from: [{ ipBlock: { cidr: 0.0.0.0/0 } }], "
                    "ports: [{ protocol: TCP, port: 5432 }] }]"),
                 "VW215"},
                {NP("db",
                    "podSelector: {}, policyTypes: [Ingress], ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8 } }], "
                    "ports: [{ protocol: TCP, port: 5432 }] }]"),
                 ""},
                {NP("db",
                    "podSelector: {}, policyTypes: [Ingress], ingress: [{ from: [{ ipBlock: { cidr: \"2000::/3\" } "
                    "}], ports: [{ protocol: TCP, port: 1, endPort: 65535 }] }]"),
                 "VW215"},
                {NP("db",
                    "podSelector: {}, policyTypes: [Ingress], ingress: [{ ports: [{ protocol: UDP, port: 5432 }, { "
                    "protocol: TCP, port: 8080 }] }]"),
                 ""},
                {NP("db",
                    "podSelector: {}, policyTypes: [Ingress], ingress: [{ ports: [{ protocol: TCP, port: 22 }] }]"),
                 "VW215"},
                {NP("db",
                    "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 0.0.0.0/1 } }] }]"),
                 "VW313"},
                {NP("db",
                    "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 198.51.100.0/24 } }] "
                    "}]"),
                 ""},
                {NP("db",
                    "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 198.51.100.0/24 } }], "
                    "ports: [{ protocol: TCP, port: 2375 }] }]"),
                 "VW313"},
                {NP("db",
                    "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 198.51.100.7/32 } }], "
                    "ports: [{ protocol: TCP, port: 2375 }] }]"),
                 ""},
                /* The Admin tier keeps it closed. */
                {NP("db",
                    "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: 198.51.100.0/24 } }], "
                    "ports: [{ protocol: TCP, port: 2375 }] }]")
                         CNP("a", ADMIN "egress: [" TO("Deny", "198.51.0.0/16") "]"),
                 ""},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                _cleanup_(explanation_freep) struct explanation *explanation = NULL;
                char ids[64];

                run_lint(&run, cases[i].policies, three);
                check_findings(&run);
                found(&run, "VW215 VW313", ids, sizeof(ids));
                if (strcmp(ids, cases[i].found) != 0)
                        fail_msg("%s: '%s'", cases[i].policies, ids);
                if (!ids[0])
                        continue;
                explanation = replay(&run, find(&run, ids)->witness);
                assert_int_equal(explanation->verdict, ACTION_ALLOW);
        }
}

/* Who is let in whatever labels it has. */
static void strangers(void **state)
{
        static const struct {
                const char *rule, *more;
                size_t n;
        } cases[] = {
                {"{ from: [{ podSelector: {} }], ports: [{ protocol: TCP, port: 80 }] }", "", 0},
                {"{ from: [{ podSelector: { matchLabels: { app: api } } }] }", "", 0},
                {"{ from: [{ podSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [db] }] } }] }", "",
                 1},
                {"{ from: [{ podSelector: { matchExpressions: [{ key: app, operator: Exists }] } }] }", "", 1},
                {"{ from: [{ podSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [db] }, { key: a, "
                 "operator: In, values: [b] }] } }] }",
                 "", 0},
                {"{ from: [{ namespaceSelector: { matchExpressions: [{ key: team, operator: DoesNotExist }] }, "
                 "podSelector: "
                 "{ matchLabels: { app: api } } }] }",
                 "", 0},
                {"{ from: [{ namespaceSelector: { matchExpressions: [{ key: team, operator: DoesNotExist }] } }] }", "",
                 1},
                {"{ ports: [{ protocol: TCP, port: 80 }] }", "", 1},
                {"{ ports: [{ protocol: TCP, port: 80 }] }",
                 CNP("a", ADMIN "ingress: [{ action: Deny, from: [{ namespaces: {} }] }]"), 0},
                {"{ ports: [{ protocol: TCP, port: 80 }] }",
                 CNP("a",
                     ADMIN "ingress: [{ action: Deny, from: [{ namespaces: { matchExpressions: [{ key: team, operator: "
                           "Exists }] } }] }]"),
                 1},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char text[2048];

                snprintf(text, sizeof(text),
                         NP("np", "podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress], ingress: [%s]"),
                         cases[i].rule);
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", cases[i].more);
                run_lint(&run, text, four);
                check_findings(&run);
                if (count(&run, "VW312") != cases[i].n)
                        fail_msg("%s: %zu", text, count(&run, "VW312"));
        }
}

/* Rules that could be one: any two of a NetworkPolicy, neighbours where there is an order. */
static void mergeable(void **state)
{
        static const struct {
                const char *policy;
                size_t n;
        } cases[] = {
                {NP("np",
                    "podSelector: {}, policyTypes: [Egress], egress: ["
                    "{ to: [{ ipBlock: { cidr: 192.0.2.0/24 } }, { podSelector: {} }], ports: [{ protocol: TCP, port: "
                    "80 }] }, { ports: [{ protocol: TCP, port: 81 }] }, { to: [{ podSelector: {} }, { ipBlock: { cidr: "
                    "192.0.2.0/24 } }], ports: [{ protocol: TCP, port: 82 }] }]"),
                 1},
                {NP("np",
                    "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ podSelector: {} }], ports: [{ protocol: "
                    "TCP, port: 80 }] }, { to: [{ namespaceSelector: {} }], ports: [{ protocol: UDP, port: 80 }] }]"),
                 0},
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") ", " TO("Deny", "198.51.100.0/24") "]"), 1},
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") ", " TO("Accept", "198.51.100.0/24") ", " TO(
                                  "Deny", "203.0.113.0/24") "]"),
                 0},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};

                run_lint(&run, cases[i].policy, NULL);
                check_findings(&run);
                assert_int_equal(run.result.counts[DIAG_ERROR], 0);
                if (count(&run, "VW602") != cases[i].n)
                        fail_msg("%s: %zu", cases[i].policy, count(&run, "VW602"));
        }
}

/* A policy's own limit, and what is none. */
static void element_limits(void **state)
{
        static const char *const limits[] = {"1", "999", "many", "0", "99999999999"};
        static const size_t n[] = {1, 0, 1, 1, 1};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char text[1024];

                snprintf(text, sizeof(text),
                         "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: np\n  namespace: "
                         "shop\n"
                         "  annotations: { vethwall.io/max-elements: \"%s\" }\n"
                         "spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{ from: [{ podSelector: {} }] }] "
                         "}\n",
                         limits[i]);
                run_lint(&run, text, three);
                check_findings(&run);
                if (count(&run, "VW601") != n[i])
                        fail_msg("%s: %zu", limits[i], count(&run, "VW601"));
        }
}

#define LISTS(ports) INVENTORY "  - { name: web-1, namespace: shop, labels: { app: web }, " ports " }\n"
#define LISTS_TOO(ports) "  - { name: web-2, namespace: shop, labels: { app: web }, " ports " }\n"

/* What is said of one port of a rule, by what the destinations list. */
static void ports(void **state)
{
        static const struct {
                const char *port, *inventory, *found;
        } cases[] = {
                {"port: 80", LISTS("ports: [{ name: http, port: 80 }]"), ""},
                {"port: 81", LISTS("ports: [{ name: http, port: 80 }]"), "VW212"},
                {"protocol: UDP, port: 80", LISTS("ports: [{ name: http, port: 80 }]"), "VW212"},
                {"port: 70, endPort: 90", LISTS("ports: [{ name: http, port: 80 }]"), ""},
                /* One that lists none may listen on it, and so may one whose label names another port. */
                {"port: 81", LISTS("ports: [{ name: http, port: 80 }]") LISTS_TOO("addresses: [10.0.0.3]"), ""},
                {"port: 81",
                 INVENTORY "  - { name: web-1, namespace: shop, labels: { app: web, vethwall.io/port.http: "
                           "\"80\" } }\n",
                 ""},
                {"port: 81", LISTS("ports: [{ name: http, port: 80 }]") LISTS_TOO("ports: [{ name: http, port: 81 }]"),
                 ""},
                {"port: 8080", LISTS("published: [{ port: 8080, target: 80 }]"), "VW211"},
                {"port: 80", LISTS("published: [{ port: 8080, target: 80 }]"), ""},
                {"port: 8080", LISTS("published: [{ port: 8080 }]"), ""},
                {"protocol: UDP, port: 8080", LISTS("published: [{ port: 8080, target: 80 }]"), ""},
                {"port: 8080", LISTS("published: [{ port: 8080, target: 80 }], ports: [{ name: alt, port: 8080 }]"),
                 ""},
                {"port: http",
                 LISTS("ports: [{ name: http, port: 80 }]") LISTS_TOO("ports: [{ name: http, port: 80 }]"), ""},
                {"port: http",
                 LISTS("ports: [{ name: http, port: 80 }]") LISTS_TOO("ports: [{ name: http, port: 81 }]"), "VW205"},
                {"port: http", LISTS("ports: [{ name: http, port: 80 }, { name: http, port: 81 }]"), "VW205"},
                {"port: http", LISTS("ports: [{ name: http, port: 80 }, { name: http, port: 80, protocol: UDP }]"), ""},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char text[1024], ids[64];

                snprintf(text, sizeof(text),
                         NP("np",
                            "podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress], ingress: [{ ports: [{ "
                            "%s }] }]"),
                         cases[i].port);
                run_lint(&run, text, cases[i].inventory);
                check_findings(&run);
                found(&run, "VW204 VW205 VW211 VW212", ids, sizeof(ids));
                if (strcmp(ids, cases[i].found) != 0)
                        fail_msg("%s, %s: '%s'", cases[i].port, cases[i].inventory, ids);
        }
}

/* Whose labels differ is nothing to policies that ask for none of them. */
static void shared_namespaces(void **state)
{
        static const char both[] =
                INVENTORY "  - { name: web-1, namespace: shop, labels: { app: web }, netns: pod-1 }\n"
                          "  - { name: web-2, namespace: shop, labels: { app: web, nr: \"2\" }, netns: pod-1 }\n"
                          "  - { name: api-1, namespace: shop, labels: { app: api }, netns: pod-2 }\n";
        _cleanup_(run_fini) struct run alike = {0}, other = {0};

        (void)state;
        run_lint(&alike, NP("np", "podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress]"), both);
        check_findings(&alike);
        assert_int_equal(count(&alike, "VW504"), 0);
        run_lint(&other, NP("np", "podSelector: { matchLabels: { nr: \"2\" } }, policyTypes: [Ingress]"), both);
        check_findings(&other);
        assert_int_equal(count(&other, "VW504"), 1);
        assert_string_equal(find(&other, "VW504")->message,
                            "NetworkPolicy shop/np selects shop/web-2 and not shop/web-1, which shares its network "
                            "namespace \"pod-1\": their traffic cannot be told apart");
}

/* The witness passes by the rule that opens what another policy closes. */
static void undone(void **state)
{
        _cleanup_(run_fini) struct run run = {0};
        _cleanup_(explanation_freep) struct explanation *explanation = NULL;

        (void)state;
        run_lint(&run,
                 NP("closed", "podSelector: {}, policyTypes: [Ingress]") NP(
                         "open", "podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress], ingress: [{}]"),
                 three);
        check_findings(&run);
        assert_int_equal(count(&run, "VW304"), 1);
        explanation = replay(&run, find(&run, "VW304")->witness);
        assert_int_equal(explanation->verdict, ACTION_ALLOW);
        assert_string_equal(explanation->sides[DIR_INGRESS].cause.policy->name, "open");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(assertions), cmocka_unit_test(services),          cmocka_unit_test(strangers),
                cmocka_unit_test(mergeable),  cmocka_unit_test(element_limits),    cmocka_unit_test(ports),
                cmocka_unit_test(undone),     cmocka_unit_test(shared_namespaces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
