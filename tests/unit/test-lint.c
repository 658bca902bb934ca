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
#include <vethwall/settings.h>
#include <vethwall/strbuf.h>

struct run {
        struct policy_set *policies;
        struct inventory *inventory;
        struct world *world;
        struct lint_result result;
};

static void run_fini(struct run *run)
{
        world_free(run->world);
        policy_set_free(run->policies);
        inventory_free(run->inventory);
        lint_result_fini(&run->result);
}

/* inventory may be NULL. */
static void run_lint(struct run *run, const char *policies, const char *inventory)
{
        struct diag_list *diags = &run->result.findings;

        *run = (struct run){0};
        assert_int_equal(policy_set_new(&run->policies), 0);
        run->policies->keeps_sources = true;
        assert_int_equal(policy_set_load(run->policies, "policy.yaml", policies, strlen(policies), diags), 0);
        assert_int_equal(policy_set_seal(run->policies, diags), 0);
        if (inventory) {
                size_t before = diags->len;

                assert_int_equal(inventory_new(&run->inventory), 0);
                assert_int_equal(inventory_load(run->inventory, "inventory.yaml", inventory, strlen(inventory), diags),
                                 0);
                assert_int_equal(inventory_seal(run->inventory), 0);
                assert_int_equal(diags->len, before);
                assert_int_equal(world_new(&run->world, run->policies, run->inventory, &settings_default), 0);
        }
        assert_int_equal(lint(&run->result, run->policies, run->world), 0);
}

static size_t count(const struct run *run, const char *id)
{
        size_t n = 0;

        for (size_t i = 0; i < run->result.findings.len; i++)
                n += strcmp(run->result.findings.items[i].rule, id) == 0;
        return n;
}

static const struct diag *find(const struct run *run, const char *id)
{
        for (size_t i = 0; i < run->result.findings.len; i++)
                if (strcmp(run->result.findings.items[i].rule, id) == 0)
                        return &run->result.findings.items[i];
        fail_msg("no %s", id);
        return NULL;
}

/* Every finding is of a rule that is known, and, where a file is concerned, has a place with its line. */
static void check_findings(const struct run *run)
{
        size_t counts[DIAG_SEVERITY_MAX] = {0};

        for (size_t i = 0; i < run->result.findings.len; i++) {
                const struct diag *diag = &run->result.findings.items[i];

                assert_non_null(diag->rule);
                if (!lint_rule_find(diag->rule))
                        fail_msg("%s is not in the table", diag->rule);
                counts[diag->severity]++;
                if (!diag->file)
                        continue;
                assert_true(diag->line > 0);
                assert_true(diag->col > 0);
                assert_non_null(diag->source);
        }
        assert_memory_equal(counts, run->result.counts, sizeof(counts));
}

static void examples(void **state)
{
        (void)state;
        assert_true(lint_rules_len > 0);
        for (size_t i = 0; i < lint_rules_len; i++) {
                const struct lint_rule *rule = &lint_rules[i];
                _cleanup_(run_fini) struct run bad = {0}, good = {0};

                if (i > 0)
                        assert_true(strcmp(lint_rules[i - 1].id, rule->id) < 0);
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
        _cleanup_(run_fini) struct run run = {0};
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(examples),
                cmocka_unit_test(errors_first),
                cmocka_unit_test(places),
                cmocka_unit_test(contradictions),
                cmocka_unit_test(overlaps),
                cmocka_unit_test(blocks),
                cmocka_unit_test(place_of_a_cluster_policy),
                cmocka_unit_test(slips),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
