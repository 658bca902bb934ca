/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint: every example of every rule, and what the examples leave open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/explain.h>
#include <vethwall/lint.h>
#include <vethwall/strbuf.h>

#include "lint-run.h"

static void examples(void **state)
{
        (void)state;
        assert_true(lint_rules_len() > 0);
        for (size_t i = 0; i < lint_rules_len(); i++) {
                const struct lint_rule *rule = lint_rule_at(i);
                _cleanup_(run_fini) struct run bad = {0}, good = {0};

                if (i > 0)
                        assert_true(strcmp(lint_rule_at(i - 1)->id, rule->id) < 0);
                run_lint(&bad, rule->bad, rule->inventory);
                check_findings(&bad);
                if (count(&bad, rule->id) == 0)
                        fail_msg("%s: the bad example gives no finding", rule->id);
                run_lint(&good, rule->good, rule->inventory);
                check_findings(&good);
                if (count(&good, rule->id) > 0)
                        fail_msg("%s: the good example gives: %s", rule->id, find(&good, rule->id)->message);
                assert_int_equal(good.result.counts[DIAG_ERROR], 0);
        }
}

#define HEAD "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: shop }\nspec:\n"

/* While a document has errors only these are told. */
static void errors_first(void **state)
{
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        run_lint(&run, HEAD "  podSelector: {}\n  ingres: []\n---\napiVersion: v1\nkind: Service\n", NULL);
        assert_int_equal(count(&run, "VW003"), 1);
        assert_int_equal(count(&run, "VW007"), 1);
        assert_int_equal(run.result.findings.len, 2);
        assert_int_equal(run.result.counts[DIAG_ERROR], 1);
        assert_int_equal(run.result.counts[DIAG_WARNING], 1);
}

static void places(void **state)
{
        _cleanup_(run_fini) struct run run = {0}, marked = {0};
        const struct diag *diag;

        (void)state;
        run_lint(&run, HEAD "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n    - {}\n", NULL);
        diag = find(&run, "VW214");
        assert_string_equal(diag->file, "policy.yaml");
        assert_int_equal(diag->line, 8);
        assert_int_equal(diag->col, 7);
        assert_int_equal(diag->end_col, 9);
        assert_string_equal(diag->source, "    - {}");
        assert_non_null(diag->hint);

        /* A byte order mark is no part of the first line. */
        run_lint(&marked, "\xef\xbb\xbf{apiVersion: v1, kind: Service}\n", NULL);
        check_findings(&marked);
        assert_int_equal(marked.result.findings.len, 1);
        assert_string_equal(find(&marked, "VW007")->source, "{apiVersion: v1, kind: Service}");
}

/* Where a finding ends, in characters; and that a mark before the text counts for none. */
static void ends(void **state)
{
        static const struct {
                const char *peer;
                const char *meant;
        } cases[] = {
                {"{ namespaceSelector: {}, podSelector: { } }", "{ namespaceSelector: {}, podSelector: { } }"},
                {"{ namespaceSelector: { } } # \xc3\xa4", "{ namespaceSelector: { } }"},
                {"{ \"namespaceSelector\": {}, 'podSelector': { matchLabels: { } } }",
                 "{ \"namespaceSelector\": {}, 'podSelector': { matchLabels: { } } }"},
                {"{ namespaceSelector: {},\n          podSelector: {} }", "{ namespaceSelector: {},"},
                {"namespaceSelector: {}", "namespaceSelector"},
                {"\"namespaceSelector\": {}", "\"namespaceSelector\""},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                const struct diag *diag;
                char text[512];

                snprintf(text, sizeof(text),
                         "\xef\xbb\xbf# \xc3\xa4\n" HEAD
                         "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n      - %s\n",
                         cases[i].peer);
                run_lint(&run, text, NULL);
                check_findings(&run);
                diag = find(&run, "VW311");
                assert_int_equal(diag->line, 10);
                assert_int_equal(diag->col, 9);
                if (diag->end_col - diag->col != strlen(cases[i].meant))
                        fail_msg("%s: %u", cases[i].peer, diag->end_col);
        }
}

/* A finding shows what else it speaks of, with the lines. */
static void other_places(void **state)
{
        _cleanup_(run_fini) struct run run = {0};
        const struct diag *diag;

        (void)state;
        run_lint(&run,
                 HEAD "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n"
                      "    - from: [{ ipBlock: { cidr: 10.0.0.0/8 } }]\n"
                      "    - from: [{ ipBlock: { cidr: 10.0.0.0/24 } }]\n",
                 "apiVersion: vethwall.io/v1\nkind: Inventory\n"
                 "endpoints: [{ name: a, namespace: shop, addresses: [192.0.2.1] }]\n");
        check_findings(&run);
        diag = find(&run, "VW301");
        assert_int_equal(diag->line, 9);
        assert_int_equal(diag->places_len, 1);
        assert_string_equal(diag->places[0].file, "policy.yaml");
        assert_int_equal(diag->places[0].line, 8);
        assert_int_equal(diag->places[0].col, 7);
        assert_string_equal(diag->places[0].source, "    - from: [{ ipBlock: { cidr: 10.0.0.0/8 } }]");
}

static void contradictions(void **state)
{
        static const struct {
                const char *requirements;
                bool dead;
        } cases[] = {
                {"{ key: a, operator: In, values: [p] }, { key: a, operator: In, values: [q] }", true},
                {"{ key: a, operator: In, values: [p, q] }, { key: a, operator: In, values: [q, r] }", false},
                {"{ key: a, operator: In, values: [p] }, { key: a, operator: NotIn, values: [p, q] }", true},
                {"{ key: a, operator: In, values: [p, r] }, { key: a, operator: NotIn, values: [p, q] }", false},
                {"{ key: a, operator: Exists }, { key: a, operator: DoesNotExist }", true},
                {"{ key: a, operator: In, values: [p] }, { key: a, operator: DoesNotExist }", true},
                {"{ key: a, operator: NotIn, values: [p] }, { key: a, operator: DoesNotExist }", false},
                {"{ key: a, operator: NotIn, values: [p] }, { key: a, operator: Exists }", false},
                {"{ key: a, operator: Exists }, { key: b, operator: DoesNotExist }", false},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char text[512];

                snprintf(text, sizeof(text),
                         HEAD "  podSelector: { matchExpressions: [%s] }\n  policyTypes: [Ingress]\n",
                         cases[i].requirements);
                run_lint(&run, text, NULL);
                if ((count(&run, "VW103") == 1) != cases[i].dead)
                        fail_msg("%s", cases[i].requirements);
        }
}

static void overlaps(void **state)
{
        static const struct {
                const char *ports;
                size_t n;
        } cases[] = {
                {"{ protocol: TCP, port: 80 }, { protocol: UDP, port: 80 }", 0},
                {"{ protocol: TCP, port: 80 }, { protocol: TCP, port: 80 }", 1},
                {"{ protocol: TCP, port: 1, endPort: 9 }, { protocol: TCP, port: 2 }, { protocol: TCP, port: 8 }", 2},
                {"{ protocol: TCP, port: 1, endPort: 9 }, { protocol: TCP, port: 10 }", 0},
                {"{ protocol: TCP, port: a }, { protocol: TCP, port: a }, { protocol: TCP, port: b }", 1},
                {"{ protocol: TCP, port: 5, endPort: 9 }, { protocol: TCP, port: 1, endPort: 5 }", 1},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char text[512];

                snprintf(text, sizeof(text),
                         HEAD "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n    - ports: [%s]\n",
                         cases[i].ports);
                run_lint(&run, text, NULL);
                if (count(&run, "VW213") != cases[i].n)
                        fail_msg("%s: %zu", cases[i].ports, count(&run, "VW213"));
        }
}

static void blocks(void **state)
{
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        run_lint(&run,
                 HEAD "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n"
                      "        - ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16] }\n"
                      "        - ipBlock: { cidr: 10.1.0.0/16 }\n"
                      "        - ipBlock: { cidr: 10.1.2.0/24 }\n"
                      "        - ipBlock: { cidr: 10.2.0.0/16 }\n",
                 NULL);
        assert_int_equal(count(&run, "VW213"), 1);
        assert_int_equal(find(&run, "VW213")->line, 11);
}

/* A cluster-wide policy has no pod selector to point at. */
static void place_of_a_cluster_policy(void **state)
{
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        run_lint(
                &run,
                "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: guard }\n"
                "spec:\n  tier: Admin\n  priority: 1\n  subject: { namespaces: { matchLabels: { team: b } } }\n"
                "  egress: [{ action: Deny, to: [{ networks: [192.0.2.0/24] }] }]\n",
                "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints: [{ name: a, addresses: [10.0.0.1] }]\n");
        check_findings(&run);
        assert_int_equal(find(&run, "VW104")->line, 3);
}

/* Only what nobody could have meant is called a slip. */
static void slips(void **state)
{
        static const struct {
                const char *label;
                bool slip;
        } cases[] = {
                {"app: frontned", true},  {"app: fronted", true},  {"app: frontendd", true}, {"aap: frontend", true},
                {"app: frontend", false}, {"app: backend", false}, {"app: worker-2", false}, {"app: fr", false},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char text[512];

                snprintf(text, sizeof(text), HEAD "  podSelector: { matchLabels: { %s } }\n  policyTypes: [Ingress]\n",
                         cases[i].label);
                run_lint(&run, text,
                         "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"
                         "  - { name: a, labels: { app: frontend } }\n  - { name: b, labels: { app: worker-1 } }\n");
                if ((count(&run, "VW107") == 1) != cases[i].slip)
                        fail_msg("%s", cases[i].label);
        }
}

static const char pods[] = "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"
                           "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"
                           "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
                           "  - { name: db-1, namespace: shop, labels: { app: db }, addresses: [10.0.0.4] }\n";

/* Which ingress rules of one policy are dead, as a text of their indexes, and with what severity. */
static void dead_rules(void **state)
{
        static const struct {
                const char *rules, *dead;
                enum diag_severity severity;
        } cases[] = {
                {"[{ from: [{ podSelector: {} }] }, { from: [{ podSelector: { matchLabels: { app: api } } }] }]", "1",
                 DIAG_WARNING},
                {"[{ from: [{ podSelector: { matchLabels: { app: api } } }] }, { from: [{ podSelector: {} }] }]", "0",
                 DIAG_WARNING},
                {"[{ ports: [{ port: 80 }] }, { ports: [{ port: 80 }] }]", "1", DIAG_WARNING},
                {"[{ ports: [{ port: 80 }] }, { ports: [{ port: 81 }] }, { ports: [{ port: 80, endPort: 81 }] }]", "2",
                 DIAG_INFO},
                {"[{ ports: [{ port: 80, endPort: 82 }] }, { ports: [{ port: 80 }] }, { ports: [{ port: 82 }] }]", "12",
                 DIAG_WARNING},
                {"[{ from: [{ podSelector: { matchLabels: { app: api } } }] }, { from: [{ podSelector: "
                 "{ matchExpressions: [{ key: app, operator: NotIn, values: [web, db] }] } }] }]",
                 "1", DIAG_INFO},
                {"[{ from: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }, { from: [{ ipBlock: { cidr: 10.0.0.0/24 } }] }]", "1",
                 DIAG_WARNING},
                {"[{ from: [{ ipBlock: { cidr: 10.0.0.0/24 } }] }, { from: [{ podSelector: {} }] }]", "1", DIAG_INFO},
                {"[{ from: [{ podSelector: {} }] }, { from: [{ ipBlock: { cidr: 10.0.0.0/24 } }] }]", "0", DIAG_INFO},
                {"[{ ports: [{ port: 80 }] }, { ports: [{ port: 80, protocol: UDP }] }, { ports: [{}] }]", "0",
                 DIAG_WARNING},
                {"[{ ports: [{}, { protocol: UDP }, { protocol: SCTP }] }, {}]", "0", DIAG_WARNING},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char text[1024], dead[16] = "";

                snprintf(text, sizeof(text), HEAD "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress: %s\n",
                         cases[i].rules);
                run_lint(&run, text, pods);
                check_findings(&run);
                for (size_t j = 0; j < run.result.findings.len; j++) {
                        const struct diag *diag = &run.result.findings.items[j];

                        if (strcmp(diag->rule, "VW301") != 0)
                                continue;
                        assert_int_equal(diag->severity, cases[i].severity);
                        strncat(dead, strchr(diag->message, '[') + 1, 1);
                }
                if (strcmp(dead, cases[i].dead) != 0)
                        fail_msg("%s: '%s'", cases[i].rules, dead);
        }
}

/* In a tier with an order, a rule behind one that decides otherwise is an error. */
static void dead_in_a_tier(void **state)
{
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        run_lint(
                &run,
                "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: guard }\n"
                "spec:\n  tier: Admin\n  priority: 1\n  subject: { namespaces: {} }\n  egress:\n"
                "    - { action: Deny, to: [{ networks: [192.0.2.0/24] }] }\n"
                "    - { action: Accept, to: [{ networks: [192.0.2.128/25] }] }\n"
                "    - { action: Pass, to: [{ networks: [198.51.100.0/24] }] }\n"
                "    - { action: Deny, to: [{ networks: [198.51.100.0/25] }] }\n",
                pods);
        assert_int_equal(count(&run, "VW301"), 2);
        assert_int_equal(find(&run, "VW301")->severity, DIAG_ERROR);
        assert_int_equal(find(&run, "VW301")->line, 10);
}

/* The witness of a half-open flow is denied, and the side of the rule allows it. */
static void half_open(void **state)
{
        _cleanup_(run_fini) struct run run = {0};
        _cleanup_(explanation_freep) struct explanation *explanation = NULL;
        const char *witness;

        (void)state;
        run_lint(&run,
                 HEAD
                 "  podSelector: {}\n  policyTypes: [Ingress, Egress]\n---\n"
                 "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: out, namespace: shop }\n"
                 "spec:\n  podSelector: { matchLabels: { app: web } }\n  policyTypes: [Egress]\n  egress:\n"
                 "    - to: [{ podSelector: { matchLabels: { app: api } } }]\n"
                 "      ports: [{ protocol: TCP, port: 80 }]\n",
                 pods);
        check_findings(&run);
        assert_int_equal(count(&run, "VW305"), 1);
        witness = find(&run, "VW305")->witness;
        assert_string_equal(witness, "shop/web-1 shop/api-1 TCP/80");
        explanation = replay(&run, witness);
        assert_int_equal(explanation->verdict, ACTION_DENY);
        assert_int_equal(explanation->sides[DIR_EGRESS].cause.action, ACTION_ALLOW);
        assert_non_null(explanation->sides[DIR_EGRESS].cause.rule);
        assert_int_equal(explanation->sides[DIR_INGRESS].cause.action, ACTION_DENY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(examples),
                cmocka_unit_test(errors_first),
                cmocka_unit_test(places),
                cmocka_unit_test(ends),
                cmocka_unit_test(other_places),
                cmocka_unit_test(contradictions),
                cmocka_unit_test(overlaps),
                cmocka_unit_test(blocks),
                cmocka_unit_test(place_of_a_cluster_policy),
                cmocka_unit_test(slips),
                cmocka_unit_test(dead_rules),
                cmocka_unit_test(dead_in_a_tier),
                cmocka_unit_test(half_open),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
