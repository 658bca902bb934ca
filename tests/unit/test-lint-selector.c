/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint: what selectors take in, who is passed over, and what files do not show at a glance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lint-run.h"

#define POLICY(name)                                                                                                   \
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: " name ", namespace: shop "          \
        "}\nspec:\n"
#define PEER(peer)                                                                                                     \
        POLICY("web")                                                                                                  \
        "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n    - from: [" peer "]\n"                            \
        "      ports: [{ protocol: TCP, port: 80 }]\n"
#define SUBJECT(subject) POLICY("web") "  podSelector: " subject "\n  policyTypes: [Ingress]\n"

static const char pods[] = "apiVersion: vethwall.io/v1\nkind: Inventory\n"
                           "namespaces: { ops: { labels: { team: ops } }, lab: {} }\nendpoints:\n"
                           "  - { name: web-1, namespace: shop, labels: { app: web, env: prod } }\n"
                           "  - { name: web-2, namespace: shop, labels: { app: web, env: prod } }\n"
                           "  - { name: api-1, namespace: shop, labels: { app: api, env: prod } }\n"
                           "  - { name: raw-1, namespace: shop, labels: { env: prod } }\n"
                           "  - { name: raw-2, namespace: shop, labels: { env: prod, x: a } }\n"
                           "  - { name: raw-3, namespace: shop, labels: { env: prod, x: b } }\n"
                           "  - { name: raw-4, namespace: shop, labels: { env: prod, x: c } }\n"
                           "  - { name: probe, namespace: ops, labels: { app: probe } }\n"
                           "  - { name: bench, namespace: lab }\n";

struct expected {
        const char *policies;
        const char *message; /* of the only finding of the rule, from its beginning on; NULL: there is none */
};

static void expect(const char *id, const struct expected *cases, size_t len, const char *inventory)
{
        for (size_t i = 0; i < len; i++) {
                _cleanup_(run_fini) struct run run = {0};

                run_lint(&run, cases[i].policies, inventory);
                check_findings(&run);
                if (count(&run, id) != (cases[i].message ? 1 : 0))
                        fail_msg("%s\n%zu findings of %s: %s", cases[i].policies, count(&run, id), id,
                                 count(&run, id) > 0 ? find(&run, id)->message : "");
                if (cases[i].message &&
                    strncmp(find(&run, id)->message, cases[i].message, strlen(cases[i].message)) != 0)
                        fail_msg("%s\n%s", cases[i].policies, find(&run, id)->message);
        }
}

#define NOT_IN(key, value) "{ key: " key ", operator: NotIn, values: [" value "] }"

static void who_lacks_a_label(void **state)
{
        static const struct expected cases[] = {
                {PEER("{ podSelector: { matchExpressions: [" NOT_IN("app", "web") "] } }"),
                 "NotIn also selects who has no label \"app\" at all: shop/raw-1, shop/raw-2, shop/raw-3 and others"},
                {PEER("{ podSelector: { matchExpressions: [" NOT_IN("env", "test") "] } }"), NULL},
                {PEER("{ podSelector: { matchExpressions: [" NOT_IN("app",
                                                                    "web") ", { key: app, operator: Exists }] } }"),
                 NULL},
                {PEER("{ podSelector: { matchExpressions: [{ key: app, operator: DoesNotExist }] } }"), NULL},
                {PEER("{ podSelector: { matchExpressions: [" NOT_IN("app", "web") ", " NOT_IN(
                         "x", "a, b") "] } }, "
                                      "{ podSelector: { matchLabels: { x: a }, matchExpressions: [" NOT_IN(
                                              "x", "b") "] } }"),
                 NULL},
                {PEER("{ namespaceSelector: { matchExpressions: [" NOT_IN("team", "ops") "] } }"),
                 "NotIn also selects who has no label \"team\" at all: lab and shop"},
                {SUBJECT("{ matchLabels: { x: a }, matchExpressions: [" NOT_IN("app", "web") "] }"),
                 "NotIn also selects who has no label \"app\" at all: shop/raw-2"},
        };

        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        expect("VW108", cases, 4, pods);
        expect("VW108", cases + 5, ARRAY_SIZE(cases) - 5, pods);
        /* Each of two peers is told of, though what they select was looked at once. */
        run_lint(&run, cases[4].policies, pods);
        assert_int_equal(count(&run, "VW108"), 2);
}

static void too_much(void **state)
{
        static const struct expected cases[] = {
                {SUBJECT("{ matchLabels: { app: web } }"), NULL},
                {SUBJECT("{ matchLabels: { app: web }, matchExpressions: [{ key: app, operator: Exists }] }"),
                 "this says nothing more of the label \"app\""},
                {SUBJECT("{ matchLabels: { app: web }, matchExpressions: [{ key: app, operator: In, values: [web] }] "
                         "}"),
                 "this says nothing more of the label \"app\""},
                {SUBJECT("{ matchExpressions: [{ key: app, operator: In, values: [web, api] }, " NOT_IN("app",
                                                                                                        "api") "] }"),
                 NULL},
                {SUBJECT("{ matchExpressions: [{ key: app, operator: In, values: [web, api] }, " NOT_IN("app",
                                                                                                        "db") "] }"),
                 "this says nothing more of the label \"app\""},
                {SUBJECT("{ matchLabels: { env: prod } }"), "the selector takes in every endpoint of its namespace"},
                {PEER("{ podSelector: { matchLabels: { env: prod } } }"),
                 "the selector takes in every endpoint of its namespace"},
                {PEER("{ podSelector: { matchLabels: { app: web } } }"), NULL},
                {PEER("{ namespaceSelector: { matchExpressions: [{ key: kubernetes.io/metadata.name, operator: Exists "
                      "}] } }"),
                 "the selector takes in every endpoint of every namespace"},
                {PEER("{ namespaceSelector: { matchLabels: { team: ops } } }"), NULL},
                {PEER("{ namespaceSelector: {} }"), NULL},
        };

        (void)state;
        expect("VW110", cases, ARRAY_SIZE(cases), pods);
        expect("VW110", cases, 5, NULL);
}

static void who_claims_it(void **state)
{
        static const struct expected cases[] = {
                {PEER("{ namespaceSelector: {}, podSelector: { matchLabels: { app: probe } } }"),
                 "whoever starts a container, in whatever namespace, can give it the label \"app\""},
                {PEER("{ namespaceSelector: { matchExpressions: [" NOT_IN(
                         "team", "lab") "] }, podSelector: { matchLabels: { app: "
                                        "probe } } }"),
                 "whoever starts a container"},
                {PEER("{ namespaceSelector: { matchLabels: { team: ops } }, podSelector: { matchLabels: { app: probe } "
                      "} }"),
                 NULL},
                {PEER("{ podSelector: { matchLabels: { app: probe } } }"), NULL},
                {PEER("{ namespaceSelector: {}, podSelector: { matchExpressions: [" NOT_IN("app", "probe") "] } }"),
                 NULL},
                {POLICY("web") "  podSelector: {}\n  policyTypes: [Egress]\n  egress:\n    - to: [{ namespaceSelector: "
                               "{}, "
                               "podSelector: { matchLabels: { app: probe } } }]\n",
                 NULL},
        };

        (void)state;
        expect("VW111", cases, ARRAY_SIZE(cases), NULL);
}

static void never_such(void **state)
{
        static const struct expected cases[] = {
                {SUBJECT("{ matchLabels: { com.docker.compose.project: Shop } }"),
                 "the label \"com.docker.compose.project\" is never \"Shop\""},
                {SUBJECT("{ matchLabels: { com.docker.compose.project: shop-1_a } }"), NULL},
                {SUBJECT("{ matchLabels: { com.docker.compose.projects: Shop } }"), NULL},
                {SUBJECT("{ matchLabels: { com.docker.compose.container-number: one } }"), "the label"},
                {SUBJECT("{ matchLabels: { com.docker.compose.container-number: \"1\" } }"), NULL},
                {SUBJECT("{ matchLabels: { vethwall.io/network.front: yes-it-is } }"), "the label"},
                {SUBJECT("{ matchLabels: { vethwall.io/network.front: \"true\" } }"), NULL},
                {SUBJECT("{ matchLabels: { kubernetes.io/metadata.name: shop } }"), "no container is given the label"},
                {PEER("{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: Ops } } }"),
                 "the label \"kubernetes.io/metadata.name\" is never \"Ops\""},
                {PEER("{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ops } } }"), NULL},
        };

        (void)state;
        expect("VW112", cases, ARRAY_SIZE(cases), NULL);
}

static void files(void **state)
{
        static const struct expected cases[] = {
                {SUBJECT("&a { matchLabels: { app: web } }"), NULL},
                {SUBJECT("&a { matchLabels: { app: web } }") "  ingress: [{ from: [{ podSelector: *a }] }]\n",
                 "*a stands for what is written elsewhere"},
                {"# a\n---\n# b\n" SUBJECT("{}") "---\n", NULL},
                {SUBJECT("{}") "---\n\n# nothing\n--- # more\n" POLICY(
                         "b") "  podSelector: {}\n  policyTypes: [Egress]\n",
                 "the document before this line is empty"},
                {SUBJECT("{}") "---\n" POLICY("b") "  podSelector: {}\n  policyTypes: [Egress]\n", NULL},
        };
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        expect("VW011", cases, ARRAY_SIZE(cases), NULL);
        run_lint(&run, cases[1].policies, NULL);
        assert_int_equal(find(&run, "VW011")->line, 7);
        assert_int_equal(find(&run, "VW011")->places_len, 1);
        assert_int_equal(find(&run, "VW011")->places[0].line, 5);
        run_fini(&run);
        run_lint(&run, cases[3].policies, NULL);
        assert_int_equal(find(&run, "VW011")->line, 10);
}

/* Of the rule's worst finding; DIAG_SEVERITY_MAX: there is none. */
static enum diag_severity severity(const char *policies, const char *id)
{
        _cleanup_(run_fini) struct run run = {0};
        enum diag_severity worst = DIAG_SEVERITY_MAX;

        run_lint(&run, policies, pods);
        check_findings(&run);
        for (size_t i = 0; i < run.result.findings.len; i++)
                if (strcmp(run.result.findings.items[i].rule, id) == 0 && run.result.findings.items[i].severity < worst)
                        worst = run.result.findings.items[i].severity;
        return worst;
}

/* A default deny is no oversight, and neither is a direction or a namespace that nobody speaks of. */
static void left_open(void **state)
{
        static const char baseline[] =
                "---\napiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
                "metadata: { name: closed }\nspec:\n  tier: Baseline\n  priority: 1\n  subject: { namespaces: {} }\n"
                "  ingress: [{ action: Deny, from: [{ namespaces: {} }] }]\n"
                "  egress: [{ action: Deny, to: [{ namespaces: {} }] }]\n";
        char text[2048];

        (void)state;
        assert_int_equal(severity(SUBJECT("{}"), "VW307"), DIAG_INFO);
        assert_int_equal(severity(SUBJECT("{ matchLabels: { app: web } }"), "VW307"), DIAG_WARNING);
        snprintf(text, sizeof(text), SUBJECT("{ matchLabels: { app: web } }") "%s", baseline);
        assert_int_equal(severity(text, "VW307"), DIAG_SEVERITY_MAX);
        assert_int_equal(severity(POLICY("a") "  podSelector: {}\n  policyTypes: [Ingress, Egress]\n", "VW307"),
                         DIAG_SEVERITY_MAX);

        assert_int_equal(severity(SUBJECT("{ matchLabels: { app: web } }"), "VW306"), DIAG_WARNING);
        assert_int_equal(severity(SUBJECT("{}"), "VW306"), DIAG_INFO);
        snprintf(text, sizeof(text), "%s---\n%s", SUBJECT("{ matchLabels: { app: web } }"), baseline + 4);
        assert_int_equal(severity(text, "VW306"), DIAG_SEVERITY_MAX);
}

static void cut_off(void **state)
{
        (void)state;
        assert_int_equal(severity(SUBJECT("{}"), "VW309"), DIAG_SEVERITY_MAX);
        assert_int_equal(severity(PEER("{ podSelector: { matchLabels: { app: web } } }"), "VW309"), DIAG_SEVERITY_MAX);
        assert_int_equal(severity(PEER("{ podSelector: { matchLabels: { app: none } } }"), "VW309"), DIAG_WARNING);
        assert_int_equal(severity(SUBJECT("{}") "  ingress: [{}]\n", "VW309"), DIAG_INFO);
        assert_int_equal(severity(SUBJECT("{}") "---\n" POLICY("b") "  podSelector: { matchLabels: { app: web } }\n"
                                                                    "  policyTypes: [Ingress]\n  ingress:\n"
                                                                    "    - from: [{ podSelector: { matchLabels: { app: "
                                                                    "none } } }]\n",
                                  "VW309"),
                         DIAG_WARNING);
}

/* What is said of a direction is what explain says of a flow in it. */
static void cut_off_witness(void **state)
{
        static const struct {
                const char *policies;
                enum action action;
        } cases[] = {
                {PEER("{ podSelector: { matchLabels: { app: none } } }"), ACTION_DENY},
                {SUBJECT("{}") "  ingress: [{}]\n", ACTION_ALLOW},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(explanation_freep) struct explanation *explanation = NULL;
                _cleanup_(run_fini) struct run run = {0};

                run_lint(&run, cases[i].policies, pods);
                explanation = replay(&run, find(&run, "VW309")->witness);
                assert_int_equal(explanation->sides[DIR_INGRESS].cause.action, cases[i].action);
                assert_non_null(explanation->sides[DIR_INGRESS].cause.policy);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(who_lacks_a_label), cmocka_unit_test(too_much),        cmocka_unit_test(who_claims_it),
                cmocka_unit_test(never_such),        cmocka_unit_test(files),           cmocka_unit_test(left_open),
                cmocka_unit_test(cut_off),           cmocka_unit_test(cut_off_witness),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
