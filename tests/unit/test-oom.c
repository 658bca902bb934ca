/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Without memory: whichever allocation fails, the loaders and every part of the analysis say -ENOMEM, and leak and crash
 * nowhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/changes.h>
#include <vethwall/compile.h>
#include <vethwall/convert.h>
#include <vethwall/explain.h>
#include <vethwall/format.h>
#include <vethwall/lint.h>
#include <vethwall/matrix.h>
#include <vethwall/settings.h>
#include <vethwall/strbuf.h>

#include "oom.h"

static const char policies[] =
        "apiVersion: v1\nkind: List\nitems:\n"
        "  - { apiVersion: v1, kind: Namespace, metadata: { name: shop, labels: { a: b } } }\n"
        "  - { apiVersion: v1, kind: Namespace, metadata: { name: shop } }\n"
        "  - { apiVersion: apps/v1, kind: Deployment }\n"
        "---\n"
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: shop }\n"
        "spec:\n  podSelector: &s { matchLabels: { app: web }, matchExpressions: [ { key: k, operator: In, "
        "values: [v, w] } ] }\n"
        "  ingress:\n    - from:\n        - podSelector: *s\n        - ipBlock: { cidr: 10.0.0.0/8, except: "
        "[10.1.0.0/16] }\n      ports: [ { port: http }, { port: \"80\" }, { prot: x } ]\n";

static const char inventory_text[] =
        "apiVersion: vethwall.io/v1\nkind: Inventory\nnamespaces: { shop: { labels: { a: b } } }\n"
        "endpoints:\n"
        "  - { name: a, addresses: [10.0.0.1], labels: { app: web, vethwall.io/port.x: \"80\" }, netns: ns1 }\n"
        "  - { name: b, addresses: [10.0.0.1], ports: [ { name: http, port: 80 } ] }\n"
        "  - { name: b }\n";

static int load_policies(void *arg)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        int r;

        r = policy_set_new(&set);
        if (r == 0)
                r = policy_set_load(set, "p.yaml", policies, strlen(policies), arg);
        if (r == 0)
                r = policy_set_seal(set, arg);
        return r;
}

static int load_inventory(void *arg)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        int r;

        r = inventory_new(&inventory);
        if (r == 0)
                r = inventory_load(inventory, "i.yaml", inventory_text, strlen(inventory_text), arg);
        if (r == 0)
                r = inventory_seal(inventory);
        return r;
}

static const char unformatted[] = "# above\nkind: NetworkPolicy # beside\napiVersion: networking.k8s.io/v1\n"
                                  "metadata: { name: web, annotations: { a: \"1\\n2\", b: &x \"é\", c: *x } }\n"
                                  "spec: { ingress: [ { ports: [ { port: 0x50 } ] } ], podSelector: {} }\n"
                                  "---\nkind: Deployment\napiVersion: apps/v1\n# below\n";

static int format(void *arg)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        return format_policies(&text, "p.yaml", unformatted, strlen(unformatted), arg);
}

#define OLDER                                                                                                          \
        "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: { name: a } # beside\n"    \
        "spec: { priority: 1, subject: { namespaces: &n {} }, egress: [ { action: Allow, to: [ { namespaces: *n },\n"  \
        "  { nodes: {} } ], ports: [ { portRange: { protocol: UDP, start: 1, end: 2 } } ] }"

static const char older[] = OLDER " ] }\n";
static const char inexpressible[] = OLDER ", { action: Deny, to: [ { nodes: {} } ] } ] }\n";

static int convert_text(const char *text, void *arg)
{
        _cleanup_(strbuf_fini) struct strbuf converted = STRBUF_INIT;
        size_t count = 0;

        return convert_policies(&converted, &count, "p.yaml", text, strlen(text), arg);
}

static int convert(void *arg)
{
        return convert_text(older, arg);
}

static int convert_refused(void *arg)
{
        return convert_text(inexpressible, arg);
}

/* Fails one allocation after the other, until there is none left to fail; returns how many there are. The sealing of a
 * ruleset can do without memory. */
static uint32_t fail_each(int (*work)(void *arg), void *arg, bool seals)
{
        for (uint32_t n = 0;; n++) {
                int r;

                oom_after(n);
                r = work(arg);
                if (!oom_failed()) {
                        oom_after(OOM_NEVER);
                        assert_int_equal(r, 0);
                        return n;
                }
                if (r != -ENOMEM && !(seals && r == 0))
                        fail_msg("allocation %u failed, and the result was %d", n, r);
        }
}

/* The messages of one run. */
struct loading {
        int (*load)(void *diags);
        size_t errors;
};

static int load_once(void *arg)
{
        struct loading *loading = arg;
        struct diag_list diags = DIAG_LIST_INIT;
        int r;

        r = loading->load(&diags);
        loading->errors = diags.errors;
        diag_list_fini(&diags);
        return r;
}

static void test_policies(void **state)
{
        struct loading loading = {.load = load_policies};

        (void)state;
        assert_true(fail_each(load_once, &loading, false) > 20);
        assert_int_equal(loading.errors, 3);
}

static void test_inventory(void **state)
{
        struct loading loading = {.load = load_inventory};

        (void)state;
        assert_true(fail_each(load_once, &loading, false) > 20);
        assert_int_equal(loading.errors, 2);
}

static void test_format(void **state)
{
        struct loading loading = {.load = format};

        (void)state;
        assert_true(fail_each(load_once, &loading, false) > 20);
        assert_int_equal(loading.errors, 0);
}

static void test_convert(void **state)
{
        struct loading good = {.load = convert}, bad = {.load = convert_refused};

        (void)state;
        assert_true(fail_each(load_once, &good, false) > 20);
        assert_int_equal(good.errors, 0);
        assert_true(fail_each(load_once, &bad, false) > 20);
        assert_int_equal(bad.errors, 1);
}

/* Two sets of policies over one inventory, with a finding of most rules, changes both ways, and an outside that is cut. */
#define POLICY(name, spec)                                                                                             \
        "---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " name                          \
        ", namespace: shop}, spec: {" spec "}}\n"

static const char old_policies[] =
        POLICY("a", "podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], "
                    "ingress: [{from: [{podSelector: {matchLabels: {app: db}}}], ports: "
                    "[{port: http}]}, {from: [{ipBlock: {cidr: 10.0.0.0/8, except: "
                    "[10.0.0.0/24]}}]}]")
                POLICY("b", "podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]");

static const char new_policies[] =
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: t}\n"
        "spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: "
        "{matchLabels: {team: x}}}]}, {action: Accept, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: "
        "{number: 80}}}]}]}\n" POLICY(
                "a", "podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress], ingress: [{from: "
                     "[{podSelector: {matchLabels: {app: db}}}, {podSelector: {matchLabels: {app: dv}}}], ports: "
                     "[{port: http}, {port: 80}]}, {from: [{ipBlock: {cidr: 10.0.0.0/9}}]}]")
                POLICY("c", "podSelector: {matchExpressions: [{key: app, operator: In, values: [db]}]}, policyTypes: "
                            "[Ingress], ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 5432}]}, {ports: "
                            "[{port: 5432}]}]");

static const char both_inventory[] =
        "apiVersion: vethwall.io/v1\nkind: Inventory\nnamespaces: {shop: {labels: {team: a}}, x: {labels: {team: x}}}\n"
        "endpoints:\n"
        "  - {name: web, namespace: shop, labels: {app: web}, addresses: [10.0.0.2, 'fd00::2'], ports: [{name: http, "
        "port: 8080}]}\n"
        "  - {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.3]}\n"
        "  - {name: other, namespace: x, addresses: [10.128.0.3]}\n"
        "  - {name: host, hostNetwork: true, addresses: [10.0.0.1]}\n";

struct sides {
        struct policy_set *policies[2]; /* old and new */
        struct inventory *inventory;
};

static int setup(void **state)
{
        static const char *const texts[] = {old_policies, new_policies};
        static struct sides sides;
        struct diag_list diags = DIAG_LIST_INIT;

        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(policy_set_new(&sides.policies[i]), 0);
                sides.policies[i]->keeps_sources = true;
                assert_int_equal(policy_set_load(sides.policies[i], "p.yaml", texts[i], strlen(texts[i]), &diags), 0);
                assert_int_equal(policy_set_seal(sides.policies[i], &diags), 0);
        }
        assert_int_equal(inventory_new(&sides.inventory), 0);
        assert_int_equal(inventory_load(sides.inventory, "i.yaml", both_inventory, strlen(both_inventory), &diags), 0);
        assert_int_equal(inventory_seal(sides.inventory), 0);
        assert_int_equal(diags.len, 0);
        *state = &sides;
        return 0;
}

static int teardown(void **state)
{
        struct sides *sides = *state;

        for (size_t i = 0; i < 2; i++)
                policy_set_free(sides->policies[i]);
        inventory_free(sides->inventory);
        return 0;
}

static int make_world(struct world **ret, const struct sides *sides, size_t side)
{
        return world_new(ret, sides->policies[side], sides->inventory, &settings_default);
}

static int run_compile(void *arg)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        _cleanup_(world_freep) struct world *world = NULL;
        int r;

        r = make_world(&world, arg, 1);
        return r == 0 ? compile(&ruleset, world) : r;
}

static int run_matrix(void *arg)
{
        _cleanup_(world_freep) struct world *world = NULL;
        _cleanup_(matrix_freep) struct matrix *matrix = NULL;
        const struct sides *sides = arg;
        const struct matrix_range *ranges;
        struct matrix_flow flow;
        size_t len;
        int r;

        r = make_world(&world, sides, 1);
        if (r == 0)
                r = matrix_new(&matrix, world);
        for (size_t i = 0; r == 0 && i < sides->inventory->endpoints_len; i++) {
                for (size_t j = 0; r == 0 && j < sides->inventory->endpoints_len; j++)
                        r = matrix_between(matrix, i, j, &flow);
                for (enum direction d = 0; r == 0 && d < DIR_MAX; d++)
                        r = matrix_outside(matrix, d, i, ADDR_V4, &ranges, &len);
        }
        return r;
}

static int run_explain(void *arg)
{
        _cleanup_(world_freep) struct world *world = NULL;
        const struct sides *sides = arg;
        int r;

        r = make_world(&world, sides, 1);
        for (size_t i = 0; r == 0 && i < sides->inventory->endpoints_len; i++) {
                _cleanup_(explanation_freep) struct explanation *explanation = NULL;
                struct explain_query query = {
                        .src = {.endpoint = i, .addr = sides->inventory->endpoints[i].addrs[0], .has_addr = true},
                        .dst = {.endpoint = 2, .addr = sides->inventory->endpoints[2].addrs[0], .has_addr = true},
                        .protocol = IPPROTO_TCP,
                        .port = 80,
                };

                r = explain(&explanation, world, &query);
        }
        return r;
}

static int run_lint(void *arg)
{
        _cleanup_(world_freep) struct world *world = NULL;
        const struct sides *sides = arg;
        struct lint_result result = {.findings = DIAG_LIST_INIT};
        int r;

        r = make_world(&world, sides, 1);
        if (r == 0)
                r = lint(&result, sides->policies[1], world);
        if (r == 0)
                assert_true(result.findings.len > 5);
        lint_result_fini(&result);
        return r;
}

static int ignore_pair(const struct changes *changes, const struct change *change, const struct change_party *src,
                       const struct change_party *dst, void *userdata)
{
        (void)changes;
        (void)change;
        (void)src;
        (void)dst;
        (void)userdata;
        return 0;
}

static int run_changes(void *arg)
{
        _cleanup_(world_freep) struct world *old = NULL, *new = NULL;
        _cleanup_(changes_freep) struct changes *changes = NULL;
        int r;

        r = make_world(&old, arg, 0);
        if (r == 0)
                r = make_world(&new, arg, 1);
        if (r == 0)
                r = changes_new(&changes, old, new);
        if (r == 0)
                assert_true(changes->len > 5);
        return r == 0 ? changes_visit(changes, ignore_pair, NULL) : r;
}

static void test_compile(void **state)
{
        assert_true(fail_each(run_compile, *state, true) > 100);
}

static void test_matrix(void **state)
{
        assert_true(fail_each(run_matrix, *state, false) > 100);
}

static void test_explain(void **state)
{
        assert_true(fail_each(run_explain, *state, false) > 50);
}

static void test_lint(void **state)
{
        assert_true(fail_each(run_lint, *state, false) > 100);
}

static void test_changes(void **state)
{
        assert_true(fail_each(run_changes, *state, false) > 100);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_policies), cmocka_unit_test(test_inventory), cmocka_unit_test(test_format),
                cmocka_unit_test(test_convert),  cmocka_unit_test(test_compile),   cmocka_unit_test(test_matrix),
                cmocka_unit_test(test_explain),  cmocka_unit_test(test_lint),      cmocka_unit_test(test_changes),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
