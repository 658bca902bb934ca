/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint: what the rules about policies together claim, case by case, each witness replayed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/strbuf.h>

#include "lint-run.h"

static const char three[] = INVENTORY WEB API DB;

static const struct cause *side(const struct explanation *explanation, enum direction direction)
{
        return &explanation->sides[direction].cause;
}

/* Which of the rules about dead rules speaks, and how severely. */
static void dead_or_why(void **state)
{
        static const struct {
                const char *policies, *found;
                enum diag_severity severity;
        } cases[] = {
                /* One policy with an order: the same again is harmless, the contrary is not. */
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") ", " TO("Deny", "192.0.2.0/25") "]"), "VW410",
                 DIAG_INFO},
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") ", " TO("Accept", "192.0.2.0/25") "]"), "VW301",
                 DIAG_ERROR},
                {CNP("a", ADMIN "egress: [" TO("Accept", "192.0.2.0/25") ", " TO("Deny", "192.0.2.0/24") "]"), "", 0},
                /* Two policies of the Admin tier. */
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") "]") CNP(
                         "b", SECOND "egress: [" TO("Accept", "192.0.2.0/25") ", " TO("Deny", "198.51.100.0/24") "]"),
                 "VW403", DIAG_ERROR},
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") "]")
                         CNP("b", SECOND "egress: [" TO("Deny", "192.0.2.0/25") ", " TO("Deny", "198.51.100.0/24") "]"),
                 "VW403", DIAG_WARNING},
                /* Admin before NetworkPolicies, unless it passes. */
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") "]")
                         NP("np", "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: "
                                  "192.0.2.0/25 } }], ports: [{ protocol: TCP, port: 443 }] }]"),
                 "VW403", DIAG_WARNING},
                {CNP("a", ADMIN "egress: [" TO("Pass", "192.0.2.0/24") ", " TO("Deny", "0.0.0.0/0") "]")
                         NP("np", "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: "
                                  "192.0.2.0/25 } }], ports: [{ protocol: TCP, port: 443 }] }]"),
                 "", 0},
                /* Baseline behind isolation, which is said of the policy. */
                {CNP("a", BASE "egress: [" TO("Deny", "192.0.2.0/24") "]")
                         NP("np", "podSelector: {}, policyTypes: [Egress]"),
                 "VW405", DIAG_WARNING},
                {CNP("a", BASE "egress: [" TO("Deny", "192.0.2.0/24") "]")
                         NP("np", "podSelector: { matchLabels: { app: web } }, policyTypes: [Egress]"),
                 "", 0},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char ids[64];

                run_lint(&run, cases[i].policies, three);
                check_findings(&run);
                found(&run, "VW301 VW403 VW405 VW410", ids, sizeof(ids));
                if (strcmp(ids, cases[i].found) != 0)
                        fail_msg("%s: '%s'", cases[i].policies, ids);
                if (ids[0])
                        assert_int_equal(find(&run, ids)->severity, cases[i].severity);
        }
}

/* The fewest rules are named, wherever in the order they are: neither rule 0 nor rule 1 is needed beside rule 3. */
static void fewest_blamed(void **state)
{
        _cleanup_(run_fini) struct run run = {0};
        _cleanup_(explanation_freep) struct explanation *explanation = NULL;
        const struct diag *diag;

        (void)state;
        run_lint(&run,
                 NP("np", "podSelector: {}, policyTypes: [Ingress], ingress: ["
                          "{ ports: [{ protocol: TCP, port: 80 }, { protocol: UDP, port: 1 }] }, "
                          "{ ports: [{ protocol: TCP, port: 81 }, { protocol: UDP, port: 2 }] }, "
                          "{ ports: [{ protocol: TCP, port: 80, endPort: 81 }] }, "
                          "{ ports: [{ protocol: TCP, port: 80, endPort: 90 }] }]"),
                 three);
        check_findings(&run);
        assert_int_equal(count(&run, "VW301"), 1);
        diag = find(&run, "VW301");
        assert_string_equal(diag->message, "ingress[2] of NetworkPolicy shop/np decides nothing: ingress[3] of "
                                           "NetworkPolicy shop/np does");
        assert_int_equal(diag->places_len, 1);
        explanation = replay(&run, diag->witness);
        assert_int_equal(explanation->verdict, ACTION_ALLOW);
}

/* It takes two. */
static void two_blamed(void **state)
{
        _cleanup_(run_fini) struct run run = {0};
        const struct diag *diag;

        (void)state;
        run_lint(&run,
                 NP("np", "podSelector: {}, policyTypes: [Ingress], ingress: ["
                          "{ ports: [{ protocol: TCP, port: 80 }] }, { ports: [{ protocol: TCP, port: 81 }] }, "
                          "{ ports: [{ protocol: TCP, port: 80, endPort: 81 }] }]"),
                 three);
        diag = find(&run, "VW301");
        assert_string_equal(diag->message,
                            "ingress[2] of NetworkPolicy shop/np decides nothing, given this inventory: ingress[0] of "
                            "NetworkPolicy shop/np, ingress[1] of NetworkPolicy shop/np do");
        assert_int_equal(diag->places_len, 2);
        assert_int_equal(diag->severity, DIAG_INFO);
}

/* Nobody is judged before itself, so a rule that would match its own subject alone decides nothing. */
static void not_before_itself(void **state)
{
        static const char policies[] = NP(
                "np", "podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress], ingress: ["
                      "{ from: [{ podSelector: { matchLabels: { app: api } } }] }, "
                      "{ from: [{ podSelector: { matchExpressions: [{ key: app, operator: In, values: [web, api] }] } "
                      "}] }]");
        _cleanup_(run_fini) struct run one = {0}, two = {0};

        (void)state;
        run_lint(&one, policies, three);
        assert_int_equal(count(&one, "VW301"), 1);
        run_lint(&two, policies,
                 INVENTORY WEB API
                 "  - { name: web-2, namespace: shop, labels: { app: web }, addresses: [10.0.0.9] }\n");
        check_findings(&two);
        assert_int_equal(count(&two, "VW301"), 1);
        assert_non_null(strstr(find(&two, "VW301")->message, "ingress[0] of"));
}

/* Only where the order of equals changes the verdict. */
static void equal_priorities(void **state)
{
        static const struct {
                const char *policies, *found;
        } cases[] = {
                {CNP("a", ADMIN "egress: [" TO("Accept", "192.0.2.0/25") "]")
                         CNP("b", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") "]"),
                 "VW401"},
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/25") "]")
                         CNP("b", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") "]"),
                 "VW402"},
                {CNP("a", ADMIN "egress: [" TO("Accept", "192.0.2.0/25") "]")
                         CNP("b", ADMIN "egress: [" TO("Deny", "198.51.100.0/24") "]"),
                 "VW402"},
                /* To pass is to allow here, since nothing below denies; */
                {CNP("a", ADMIN "egress: [" TO("Pass", "192.0.2.0/25") "]")
                         CNP("b", ADMIN "egress: [" TO("Accept", "192.0.2.0/24") "]"),
                 "VW402"},
                /* and here it is to deny. */
                {CNP("a", ADMIN "egress: [" TO("Pass", "192.0.2.0/25") "]")
                         CNP("b", ADMIN "egress: [" TO("Accept", "192.0.2.0/24") "]")
                                 NP("np", "podSelector: {}, policyTypes: [Egress]"),
                 "VW401"},
                /* A third decides before both. */
                {CNP("a", SECOND "egress: [" TO("Accept", "192.0.2.0/25") "]")
                         CNP("b", SECOND "egress: [" TO("Deny", "192.0.2.0/25") "]")
                                 CNP("c", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") "]"),
                 "VW402"},
                /* NetworkPolicies decide before Baseline. */
                {CNP("a", BASE "egress: [" TO("Accept", "192.0.2.0/25") "]")
                         CNP("b", BASE "egress: [" TO("Deny", "192.0.2.0/24") "]")
                                 NP("np", "podSelector: {}, policyTypes: [Egress]"),
                 "VW402"},
                /* The first and the third of three. */
                {CNP("a", ADMIN "egress: [" TO("Accept", "192.0.2.0/25") "]")
                         CNP("b", ADMIN "egress: [" TO("Accept", "192.0.2.0/25") "]")
                                 CNP("c", ADMIN "egress: [" TO("Deny", "192.0.2.0/24") "]"),
                 "VW401 VW402"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                char ids[64];

                run_lint(&run, cases[i].policies, three);
                check_findings(&run);
                found(&run, "VW401 VW402", ids, sizeof(ids));
                if (strcmp(ids, cases[i].found) != 0 && strcmp(cases[i].found, "VW401 VW402") != 0)
                        fail_msg("%s: '%s'", cases[i].policies, ids);
                if (strstr(cases[i].found, "VW401"))
                        assert_non_null(find(&run, "VW401")->witness);
        }
}

/* The witness goes to the default action. */
static void pass_to_nobody(void **state)
{
        _cleanup_(run_fini) struct run run = {0}, caught = {0};
        _cleanup_(explanation_freep) struct explanation *explanation = NULL;

        (void)state;
        run_lint(&run,
                 CNP("a", ADMIN "egress: [" TO("Pass", "192.0.2.0/24") "]")
                         CNP("b", BASE "egress: [" TO("Deny", "192.0.2.0/25") "]"),
                 three);
        check_findings(&run);
        assert_int_equal(count(&run, "VW404"), 1);
        explanation = replay(&run, find(&run, "VW404")->witness);
        assert_int_equal(explanation->verdict, ACTION_ALLOW);
        assert_int_equal(side(explanation, DIR_EGRESS)->tier, TIER_DEFAULT);
        run_lint(&caught,
                 CNP("a", ADMIN "egress: [" TO("Pass", "192.0.2.0/25") "]")
                         CNP("b", BASE "egress: [" TO("Deny", "192.0.2.0/24") "]"),
                 three);
        assert_int_equal(count(&caught, "VW404"), 0);
}

/* A default deny is there for endpoints to come; a narrower policy is not. */
static void redundant_policies(void **state)
{
        static const struct {
                const char *policies;
                size_t n;
                enum diag_severity severity;
        } cases[] = {
                {NP("closed", "podSelector: {}, policyTypes: [Ingress]")
                         NP("web", "podSelector: { matchLabels: { app: web } }, policyTypes: [Ingress]"),
                 1, DIAG_WARNING},
                {NP("closed", "podSelector: {}, policyTypes: [Ingress]")
                         NP("web", "podSelector: { matchExpressions: [{ key: app, operator: Exists }] }, policyTypes: "
                                   "[Ingress], ingress: [{ ports: [{ protocol: TCP, port: 80 }] }]"),
                 0, 0},
                {NP("some", "podSelector: { matchExpressions: [{ key: app, operator: In, values: [web, api] }] }, "
                            "policyTypes: [Ingress], ingress: [{ ports: [{ protocol: TCP, port: 80 }] }]")
                         NP("web",
                            "podSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [api, db] }] "
                            "}, policyTypes: [Ingress]"),
                 1, DIAG_INFO},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};

                run_lint(&run, cases[i].policies, three);
                check_findings(&run);
                if (count(&run, "VW303") != cases[i].n)
                        fail_msg("%s: %zu", cases[i].policies, count(&run, "VW303"));
                if (cases[i].n > 0)
                        assert_int_equal(find(&run, "VW303")->severity, cases[i].severity);
        }
}

/* Half-open is what this side lets through and the other side lets in nowhere: all of a rule, or one of its ports. */
static void half_open(void **state)
{
        static const char out[] =
                NP("closed", "podSelector: { matchLabels: { app: api } }, policyTypes: [Ingress], ingress: [{ ports: "
                             "[{ protocol: TCP, port: 80 }, { protocol: UDP, port: 53 }] }]")
                        NP("out",
                           "podSelector: { matchLabels: { app: web } }, policyTypes: [Egress], egress: [{ to: [{ "
                           "podSelector: { matchLabels: { app: api } } }], ports: [%s] }]");
        static const struct {
                const char *ports, *more, *witness; /* NULL: nothing is half-open */
                bool port;                          /* said of the port */
        } cases[] = {
                {"{ protocol: TCP, port: 80 }", "", NULL, false},
                {"{ protocol: TCP, port: 81 }", "", "shop/web-1 shop/api-1 TCP/81", false},
                {"{ protocol: TCP, port: 80, endPort: 99 }", "", NULL, false},
                {"{ protocol: TCP, port: 80 }, { protocol: TCP, port: 53 }", "", "shop/web-1 shop/api-1 TCP/53", true},
                {"{ protocol: UDP, port: 53 }, { protocol: UDP }", "", NULL, false},
                /* What the own side denies is not half-open, */
                {"{ protocol: TCP, port: 81 }",
                 CNP("a", ADMIN "egress: [{ action: Deny, to: [{ namespaces: {} }], protocols: [{ tcp: { "
                                "destinationPort: { number: 81 } } }] }]"),
                 NULL, false},
                /* and of a range only what it leaves. */
                {"{ protocol: TCP, port: 80, endPort: 82 }",
                 CNP("a", ADMIN "egress: [{ action: Deny, to: [{ namespaces: {} }], protocols: [{ tcp: { "
                                "destinationPort: { range: { start: 80, end: 81 } } } }] }]"),
                 "shop/web-1 shop/api-1 TCP/82", false},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                _cleanup_(explanation_freep) struct explanation *explanation = NULL;
                char text[2048];

                snprintf(text, sizeof(text), out, cases[i].ports);
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", cases[i].more);
                run_lint(&run, text, three);
                check_findings(&run);
                if (count(&run, "VW305") != (cases[i].witness != NULL))
                        fail_msg("%s: %zu", text, count(&run, "VW305"));
                if (!cases[i].witness)
                        continue;
                assert_string_equal(find(&run, "VW305")->witness, cases[i].witness);
                assert_int_equal(strstr(find(&run, "VW305")->message, "this port") != NULL, cases[i].port);
                explanation = replay(&run, cases[i].witness);
                assert_int_equal(side(explanation, DIR_EGRESS)->action, ACTION_ALLOW);
                assert_int_equal(side(explanation, DIR_INGRESS)->action, ACTION_DENY);
        }
}

/* The part that is left, in words. */
static void parts(void **state)
{
        static const struct {
                const char *policies, *left; /* NULL: nothing is told */
        } cases[] = {
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.128/25") ", " TO("Accept", "192.0.2.0/24") "]"),
                 "all of it for 192.0.2.0/25"},
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.64/26") ", " TO("Accept", "192.0.2.0/24") "]"),
                 "all of it for 192.0.2.0/26, 192.0.2.128/25"},
                {CNP("a", ADMIN "egress: [{ action: Deny, to: [{ namespaces: {} }], protocols: [{ tcp: { "
                                "destinationPort: { number: 81 } } }] }, { action: Accept, to: [{ namespaces: {} }], "
                                "protocols: [{ tcp: { destinationPort: { range: { start: 80, end: 89 } } } }] }]"),
                 "TCP 80, TCP 82-89 for shop/api-1 and others like it"},
                {CNP("a",
                     ADMIN "egress: [{ action: Deny, to: [{ namespaces: {} }], protocols: [{ tcp: { "
                           "destinationPort: { number: 81 } } }] }, { action: Accept, to: [{ namespaces: {} }] }]"),
                 "what has no ports, TCP 1-80, TCP 82-65535, UDP 1-65535, SCTP 1-65535 for shop/api-1 and others like "
                 "it"},
                /* Another policy that says the same is no matter, of the same policy it is. */
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/25") "]")
                         CNP("b", SECOND "egress: [" TO("Deny", "192.0.2.0/24") "]"),
                 NULL},
                {CNP("a", ADMIN "egress: [" TO("Accept", "192.0.2.0/25") "]")
                         CNP("b", SECOND "egress: [" TO("Deny", "192.0.2.0/24") "]"),
                 "all of it for 192.0.2.128/25"},
                {NP("one",
                    "podSelector: {}, policyTypes: [Ingress], ingress: [{ ports: [{ protocol: TCP, port: 80 }] }]")
                         NP("two",
                            "podSelector: {}, policyTypes: [Ingress], ingress: [{ ports: [{ protocol: TCP, port: "
                            "80, endPort: 89 }] }]"),
                 NULL},
                /* An Admin rule that denies a part of what a NetworkPolicy allows. */
                {CNP("a", ADMIN "egress: [" TO("Deny", "192.0.2.0/25") "]")
                         NP("np", "podSelector: {}, policyTypes: [Egress], egress: [{ to: [{ ipBlock: { cidr: "
                                  "192.0.2.0/24 } }], ports: [{ protocol: TCP, port: 443 }] }]"),
                 "all of it for 192.0.2.128/25"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(run_fini) struct run run = {0};
                const char *left;

                run_lint(&run, cases[i].policies, three);
                check_findings(&run);
                assert_int_equal(run.result.counts[DIAG_ERROR], 0);
                if (count(&run, "VW302") != (cases[i].left != NULL))
                        fail_msg("%s: %zu", cases[i].policies, count(&run, "VW302"));
                if (!cases[i].left)
                        continue;
                left = strstr(find(&run, "VW302")->message, "left is ") + strlen("left is ");
                assert_string_equal(left, cases[i].left);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(dead_or_why),
                cmocka_unit_test(fewest_blamed),
                cmocka_unit_test(two_blamed),
                cmocka_unit_test(not_before_itself),
                cmocka_unit_test(equal_priorities),
                cmocka_unit_test(pass_to_nobody),
                cmocka_unit_test(redundant_policies),
                cmocka_unit_test(half_open),
                cmocka_unit_test(parts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
