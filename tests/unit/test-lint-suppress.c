/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lint leaves out because the files say so, and what it says to those who say it wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/strbuf.h>

#include "lint-run.h"

#define HEAD "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: shop }\nspec:\n"

/* "VW214:8 VW310:9" */
static void list(struct strbuf *buf, const struct diag_list *findings)
{
        strbuf_clear(buf);
        strbuf_puts(buf, "");
        for (size_t i = 0; i < findings->len; i++)
                strbuf_printf(buf, "%s%s:%u", i ? " " : "", findings->items[i].rule, findings->items[i].line);
        assert_int_equal(strbuf_check(buf), 0);
}

static void expect(const char *text, const char *inventory, const char *told, const char *suppressed)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        _cleanup_(run_fini) struct run run = {0};

        run_lint(&run, text, inventory);
        check_findings(&run);
        list(&buf, &run.result.findings);
        if (strcmp(buf.text, told) != 0)
                fail_msg("%s\ntold: %s", text, buf.text);
        list(&buf, &run.result.suppressed);
        if (strcmp(buf.text, suppressed) != 0)
                fail_msg("%s\nsuppressed: %s", text, buf.text);
        for (size_t i = 0; i < run.result.suppressed.len; i++) {
                assert_non_null(run.result.suppressed.items[i].reason);
                assert_true(run.result.suppressed.items[i].end_col > run.result.suppressed.items[i].col);
        }
}

#define IGNORE(ids) "# vethwall: ignore[" ids "] it is meant"
#define HALL "  podSelector: {}\n  policyTypes: [Ingress]\n"

static void beside_and_above(void **state)
{
        (void)state;
        expect(HEAD HALL "  ingress:\n    - {} " IGNORE("VW214") "\n", NULL, "", "VW214:8");
        expect(HEAD HALL "  ingress:\n    " IGNORE("VW214") "\n    - {}\n", NULL, "", "VW214:9");
        expect(HEAD HALL "  ingress:\n" IGNORE("VW214") "\n\n    # more\n    - {}\n", NULL, "", "VW214:11");
        expect(HEAD HALL "  ingress:\n    - {}\n    " IGNORE("VW214") "\n", NULL, "VW214:8 VW902:9", "");
        expect(HEAD HALL "  ingress:\n    - {}\n    " IGNORE("VW214") "\n    - {}\n", NULL, "VW214:8", "VW214:10");
        expect(HEAD HALL "  ingress:\n    - {} " IGNORE("VW214") "\n    - {}\n", NULL, "VW214:9", "VW214:8");
        expect(HEAD HALL "  ingress: [{}] #vethwall:ignore [ VW214 , ]: it is\xc3\xa4\n", NULL, "VW903:7", "VW214:7");
}

/* All that a line begins, and nothing beside it. */
static void what_a_line_begins(void **state)
{
        static const struct {
                const char *rules, *told, *suppressed;
        } cases[] = {
                {"  ingress:\n    - from:\n        - namespaceSelector: {}\n      ports:\n        - protocol: UDP\n",
                 "VW507:8 VW311:9 VW202:11", ""},
                {"  ingress:\n    " IGNORE("VW311, VW507,VW202") "\n    - from:\n        - namespaceSelector: {}\n"
                                                                 "      ports:\n        - protocol: UDP\n    - from:\n "
                                                                 "       - namespaceSelector: {}\n      ports: [{ "
                                                                 "protocol: TCP, port: 80 }]\n",
                 "VW602:13 VW311:14", "VW507:9 VW311:10 VW202:12"},
                {"  ingress: " IGNORE("VW311") "\n    - from:\n        - namespaceSelector: {}\n    - from:\n"
                                               "        - namespaceSelector: {}\n",
                 "", "VW311:9 VW311:11"},
                {"  ingress: " IGNORE("VW311") "\n  - from:\n    - namespaceSelector: {}\n  egress:\n  - to:\n"
                                               "    - namespaceSelector: {}\n",
                 "VW201:11", "VW311:9"},
                {"  ingress:\n  - from:\n    - namespaceSelector: {}\n    " IGNORE(
                         "VW202") "\n    ports:\n"
                                  "    - protocol: UDP\n    - protocol: TCP\n  - ports:\n    - protocol: UDP\n",
                 "VW507:8 VW311:9 VW202:15", "VW202:12 VW202:13"},
                {"  ingress:\n    - from:\n        " IGNORE("VW311") "\n        - namespaceSelector: {}\n"
                                                                     "        - namespaceSelector: {}\n",
                 "VW311:11", "VW311:10"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[1024];

                snprintf(text, sizeof(text), HEAD HALL "%s", cases[i].rules);
                expect(text, NULL, cases[i].told, cases[i].suppressed);
        }
}

/* Above or on the first line of a document: all of it, and nothing of the next. */
static void documents(void **state)
{
        static const char open[] = HEAD HALL "  ingress:\n    - {}\n",
                          next[] = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                   "metadata: { name: other, namespace: shop }\nspec:\n" HALL "  ingress:\n    - {}\n";
        char text[1024];

        (void)state;
        snprintf(text, sizeof(text), IGNORE("VW214") "\n%s---\n%s", open, next);
        expect(text, NULL, "VW214:18", "VW214:9");
        snprintf(text, sizeof(text), IGNORE("VW214") "\n---\n%s---\n%s", open, next);
        expect(text, NULL, "VW214:19", "VW214:10");
        snprintf(text, sizeof(text), "%%YAML 1.1\n--- " IGNORE("VW214") "\n%s...\n---\n%s", open, next);
        expect(text, NULL, "VW214:20", "VW214:10");
        snprintf(text, sizeof(text), "%s---\n# more\n" IGNORE("VW214") "\n%s", open, next);
        expect(text, NULL, "VW214:8", "VW214:19");
        expect("apiVersion: networking.k8s.io/v1 " IGNORE(
                       "VW214") "\nkind: NetworkPolicy\n"
                                "metadata: { name: web, namespace: shop }\nspec:\n" HALL "  ingress:\n    - {}\n",
               NULL, "", "VW214:8");
        expect("--- {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, " IGNORE(
                       "VW214") "\n"
                                "metadata: { name: web, namespace: shop }, spec: {\n podSelector: {},\n policyTypes: "
                                "[Ingress], ingress: [\n"
                                " {}]}}\n",
               NULL, "", "VW214:5");
        expect("apiVersion: v1\nkind: List\nitems:\n" IGNORE(
                       "VW214") "\n- apiVersion: networking.k8s.io/v1\n"
                                "  kind: NetworkPolicy\n  metadata: { name: web, namespace: shop }\n"
                                "  spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{}] }\n"
                                "- apiVersion: networking.k8s.io/v1\n"
                                "  kind: NetworkPolicy\n  metadata: { name: other, namespace: shop }\n"
                                "  spec: { podSelector: {}, policyTypes: [Ingress], ingress: [{}] }\n",
               NULL, "VW214:12", "VW214:8");
}

static void annotations(void **state)
{
        (void)state;
        expect("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec:\n" HALL "  ingress: [{}]\n"
               "metadata:\n  name: web\n  namespace: shop\n  annotations: { vethwall.io/ignore.VW214: it is meant }\n"
               "---\n" HEAD HALL "  ingress: [{}]\n",
               NULL, "VW006:14", "");
        expect("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec:\n" HALL "  ingress: [{}]\n"
               "metadata:\n  name: wab\n  namespace: shop\n  annotations: { vethwall.io/ignore.VW214: it is meant }\n"
               "---\n" HEAD HALL "  ingress: [{}]\n",
               NULL, "VW214:18", "VW214:6");
        /* On one line only the columns tell the objects apart. */
        expect("{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": ["
               "{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"NetworkPolicy\", \"metadata\": {\"name\": "
               "\"a\", "
               "\"namespace\": \"shop\", \"annotations\": {\"vethwall.io/ignore.VW214\": \"it is meant\"}}, \"spec\": "
               "{\"podSelector\": {}, \"policyTypes\": [\"Ingress\"], \"ingress\": [{}]}},"
               "{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"NetworkPolicy\", \"metadata\": {\"name\": "
               "\"b\", "
               "\"namespace\": \"shop\"}, \"spec\": "
               "{\"podSelector\": {}, \"policyTypes\": [\"Ingress\"], \"ingress\": [{}]}}]}",
               NULL, "VW214:1", "VW214:1");
        /* Objects that are not read are annotated too. */
        expect("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n"
               "  annotations: { vethwall.io/ignore.VW007: it is shipped with the policies }\n",
               NULL, "", "VW007:1");
        expect("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  annotations: { vethwall.io/ignore.VW007: ' -' }\n",
               NULL, "VW007:1 VW901:4", "");
        expect("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  annotations: { vethwall.io/ignore.VW07: a }\n",
               NULL, "VW007:1 VW903:4", "");
}

/* What looks like a comment and is none. */
static void no_comments(void **state)
{
        (void)state;
        expect("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
               "metadata:\n  name: web\n  namespace: shop\n  annotations:\n    a: \"\n      " IGNORE(
                       "VW214") "\"\n"
                                "    b: |\n      " IGNORE(
                                        "VW214") "\n    c: a#b\n"
                                                 "    d: | " IGNORE("VW010") "\n      #\nspec:\n  podSelector: {}\n  "
                                                                             "ingress:\n    - {}\n",
               NULL, "VW010:4 VW902:12 VW214:17", "");
        expect("# vethwall: the agent reads this\n#vethwall:\n# vethwall: ignored are others\n# see vethwall: "
               "ignore[x]\n"
               "# vethwall\n" HEAD HALL,
               NULL, "", "");
}

static void mistakes(void **state)
{
        static const struct {
                const char *comment, *told, *hint;
        } cases[] = {
                {"# vethwall: ignore[VW214]", "VW901:9", NULL},
                {"# vethwall: ignore[VW214]:  - ", "VW901:9", NULL},
                {"# vethwall: ignore[VW214, VW2O4]", "VW901:9 VW903:9", NULL},
                {"# vethwall: ignore[VW2214] x", "VW903:9", "did you mean VW214?"},
                {"# vethwall: ignore[vw214] x", "VW903:9", "did you mean VW214?"},
                {"# vethwall: ignore[openness] x", "VW903:9", "vethwall lint --explain all lists the rules"},
                {"# vethwall: ignore[ ] x", "VW903:9", "write # vethwall: ignore[VW301] and the reason"},
                {"# vethwall: ignore[VW214 x", "VW903:9", NULL},
                {"# vethwall: ignore VW214 x", "VW903:9", NULL},
                {"# vethwall: ignore", "VW903:9", NULL},
                {"# vethwall: Ignore[VW214] x", "VW903:9", NULL},
                {"# vethwall: ingore[VW214] x", "VW903:9", NULL},
                {"# vethwall: ignore[VW902] x", "VW902:9", "correct the other suppression"},
                {"# vethwall: ignore[VW311] x", "VW902:9", "remove it"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
                _cleanup_(run_fini) struct run run = {0};
                char text[512], told[64];

                snprintf(text, sizeof(text), HEAD HALL "  ingress:\n    - {}\n%s\n    - {}\n", cases[i].comment);
                snprintf(told, sizeof(told), "VW214:8 %s VW214:10", cases[i].told);
                run_lint(&run, text, NULL);
                check_findings(&run);
                list(&buf, &run.result.findings);
                if (strcmp(buf.text, told) != 0 || run.result.suppressed.len > 0)
                        fail_msg("%s: %s", cases[i].comment, buf.text);
                if (cases[i].hint)
                        assert_string_equal(run.result.findings.items[1].hint, cases[i].hint);
        }
}

/* The one nearest to the finding counts; the others are of no use. */
static void one_in_the_other(void **state)
{
        (void)state;
        expect(IGNORE("VW214") "\n" HEAD HALL "  ingress: " IGNORE("VW214") "\n    - {} " IGNORE("VW214") "\n", NULL,
               "VW902:1 VW902:8", "VW214:9");
        expect(IGNORE("VW214") "\n" HEAD HALL "  ingress: " IGNORE("VW214") "\n    - {} " IGNORE(
                       "VW214") "\n    - {}\n  egress: [{}]\n",
               NULL, "VW902:1 VW201:11", "VW214:9 VW214:10");
        expect(HEAD HALL "  ingress:\n    " IGNORE("VW214") "\n    " IGNORE("VW214") "\n    - {}\n", NULL, "VW902:8",
               "VW214:10");
}

#define PODS                                                                                                           \
        "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"                                                    \
        "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2] }\n"

/* A rule that was not asked is not missed. */
static void not_asked(void **state)
{
        static const char dead[] = HEAD HALL
                "  ingress:\n    - from: [{ podSelector: { matchLabels: { app: api } } }] " IGNORE("VW105") "\n",
                          alive[] = HEAD HALL
                          "  ingress:\n    - from: [{ podSelector: { matchLabels: { app: web } } }] " IGNORE(
                                  "VW105") "\n";
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        expect(dead, NULL, "", "");
        expect(alive, NULL, "", "");
        run_lint(&run, dead, PODS);
        assert_int_equal(count(&run, "VW105"), 0);
        assert_int_equal(count(&run, "VW902"), 0);
        run_fini(&run);
        run_lint(&run, alive, PODS);
        assert_int_equal(count(&run, "VW902"), 1);
}

/* A document with an error is not used, whatever it says. */
static void errors_stay(void **state)
{
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        run_lint(
                &run,
                HEAD HALL "  ingres: [] " IGNORE("VW003") "\n  egres: [] " IGNORE("VW003") "\n" IGNORE(
                        "VW214") "\n---\napiVersion: v1\nkind: Service " IGNORE("VW007") "\n---\n" IGNORE("VW007") "\na"
                                                                                                                   "piV"
                                                                                                                   "ers"
                                                                                                                   "ion"
                                                                                                                   ": "
                                                                                                                   "v1"
                                                                                                                   "\nk"
                                                                                                                   "ind"
                                                                                                                   ": "
                                                                                                                   "Ser"
                                                                                                                   "vic"
                                                                                                                   "e\n"
                                                                                                                   "---"
                                                                                                                   "\n" IGNORE(
                                                                                                                           "VW2I4") "\n",
                NULL);
        check_findings(&run);
        assert_int_equal(count(&run, "VW003"), 2);
        assert_int_equal(count(&run, "VW902"), 2);
        assert_int_equal(count(&run, "VW903"), 1);
        assert_int_equal(count(&run, "VW007"), 1);
        assert_int_equal(run.result.suppressed.len, 1);
        assert_int_equal(run.result.counts[DIAG_ERROR], 3);
        assert_non_null(strstr(find(&run, "VW902")->message, "cannot be suppressed"));
}

/* Errors that lint finds can be, and then count for nothing. */
static void other_errors(void **state)
{
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        run_lint(&run,
                 HEAD "  podSelector: { matchExpressions: [{ key: a, operator: Exists }, " IGNORE(
                         "VW103") "\n    { key: a, operator: DoesNotExist }] }\n  policyTypes: [Ingress]\n",
                 NULL);
        check_findings(&run);
        assert_int_equal(run.result.findings.len, 0);
        assert_int_equal(run.result.suppressed.len, 1);
        assert_string_equal(run.result.suppressed.items[0].reason, "it is meant");
        assert_int_equal(run.result.suppressed.items[0].severity, DIAG_ERROR);
        assert_int_equal(run.result.counts[DIAG_ERROR], 0);
}

/* Those that do not fit in the list are left out, and counted, all the same. */
static void many(void **state)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        _cleanup_(run_fini) struct run run = {0};

        (void)state;
        strbuf_puts(&text, IGNORE("VW214") "\n" HEAD HALL "  ingress:\n");
        for (size_t i = 0; i < DIAG_LIST_MAX + 7; i++)
                strbuf_puts(&text, "    - {}\n");
        assert_int_equal(strbuf_check(&text), 0);
        run_lint(&run, text.text, NULL);
        check_findings(&run);
        assert_int_equal(run.result.findings.len, 0);
        assert_int_equal(lint_suppressed_len(&run.result), DIAG_LIST_MAX + 7);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(beside_and_above),
                cmocka_unit_test(what_a_line_begins),
                cmocka_unit_test(documents),
                cmocka_unit_test(annotations),
                cmocka_unit_test(no_comments),
                cmocka_unit_test(mistakes),
                cmocka_unit_test(one_in_the_other),
                cmocka_unit_test(not_asked),
                cmocka_unit_test(errors_stay),
                cmocka_unit_test(other_errors),
                cmocka_unit_test(many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
