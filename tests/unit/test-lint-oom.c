/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint without memory: whichever allocation fails, it says -ENOMEM, and leaks and crashes nowhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/lint.h>
#include <vethwall/settings.h>

#include "oom.h"

/* A set that many rules have something to say of, and that suppresses some of it. */
static const char policies[] =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: { annotations: { vethwall.io/ignore.VW007: shipped along } "
        "}\n"
        "---\n---\n"
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: closed, namespace: shop }\n"
        "spec: { podSelector: {}, policyTypes: [Ingress, Egress] }\n"
        "---\n"
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: shop }\n"
        "spec:\n"
        "  podSelector: { matchLabels: { app: web }, matchExpressions: [{ key: app, operator: Exists }] }\n"
        "  ingress:\n"
        "    - {} # vethwall: ignore[VW214, VW304] open to everybody\n"
        "    # vethwall: ignore[VW301]\n"
        "    - from: [{ podSelector: &api { matchLabels: { app: api } } }]\n"
        "      ports: [{ port: 80 }, { port: 80, endPort: 90 }, { port: http }]\n"
        "    - from: [{ podSelector: *api }, { podSelector: { matchLabels: { app: apii } } },\n"
        "             { namespaceSelector: {} }, { namespaceSelector: { matchLabels: { a: b } } },\n"
        "             { podSelector: { matchExpressions: [{ key: app, operator: NotIn, values: [db] }] } },\n"
        "             { namespaceSelector: {}, podSelector: { matchLabels: { app: web } } }]\n"
        "  egress:\n"
        "    - to: [{ ipBlock: { cidr: 10.0.0.1/8, except: [10.0.0.0/9, 10.128.0.0/9] } }, { ipBlock: { cidr: "
        "10.0.0.0/24 } }]\n"
        "    - to: [{ podSelector: { matchLabels: { app: db } } }] # vethwall: ignore[VW3O5] x\n"
        "      ports: [{ protocol: TCP, port: 5432 }, { protocol: UDP }]\n"
        "---\n"
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: one }\n"
        "spec:\n  tier: Admin\n  priority: 1\n  subject: { namespaces: {} }\n"
        "  egress:\n    - { action: Deny, to: [{ networks: [10.0.0.0/24] }] }\n"
        "    - { action: Accept, to: [{ networks: [10.0.0.0/25] }] }\n"
        "    - { action: Pass, to: [{ namespaces: {} }] }\n"
        "---\n"
        "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: { name: two }\n"
        "spec:\n  tier: Admin\n  priority: 1\n  subject: { namespaces: {} }\n"
        "  egress: [{ action: Accept, to: [{ networks: [10.0.0.0/24] }] }]\n";

static const char inventory_text[] =
        "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"
        "  - { name: web-1, namespace: shop, labels: { app: web }, addresses: [10.0.0.2, \"fd00::2\"],\n"
        "      ports: [{ name: http, port: 8080 }] }\n"
        "  - { name: api-1, namespace: shop, labels: { app: api }, addresses: [10.0.0.3] }\n"
        "  - { name: db-1, namespace: shop, labels: { app: db }, addresses: [10.0.0.4] }\n"
        "  - { name: raw, namespace: shop, addresses: [10.0.0.5] }\n"
        "  - { name: probe, namespace: ops, labels: { app: probe }, addresses: [10.0.1.2] }\n"
        "  - { name: host, namespace: shop, labels: { app: web }, addresses: [192.0.2.1], hostNetwork: true }\n";

struct subject {
        struct policy_set *policies;
        struct inventory *inventory;
        struct world *world;
        struct lint_result result;
};

static void subject_fini(struct subject *subject)
{
        world_free(subject->world);
        policy_set_free(subject->policies);
        inventory_free(subject->inventory);
        lint_result_fini(&subject->result);
}

static void subject_init(struct subject *subject)
{
        struct diag_list *diags = &subject->result.findings;

        *subject = (struct subject){0};
        assert_int_equal(policy_set_new(&subject->policies), 0);
        subject->policies->keeps_sources = true;
        assert_int_equal(policy_set_load(subject->policies, "p.yaml", policies, strlen(policies), diags), 0);
        assert_int_equal(policy_set_seal(subject->policies, diags), 0);
        assert_int_equal(inventory_new(&subject->inventory), 0);
        assert_int_equal(inventory_load(subject->inventory, "i.yaml", inventory_text, strlen(inventory_text), diags),
                         0);
        assert_int_equal(inventory_seal(subject->inventory), 0);
        assert_int_equal(diags->len, 0);
        assert_int_equal(world_new(&subject->world, subject->policies, subject->inventory, &settings_default), 0);
}

static size_t count_rules(const struct diag_list *findings)
{
        size_t n = 0;

        for (size_t i = 0; i < findings->len; i++) {
                size_t before = 0;

                while (before < i && strcmp(findings->items[before].rule, findings->items[i].rule) != 0)
                        before++;
                n += before == i;
        }
        return n;
}

static void fail_each(bool with_inventory)
{
        uint32_t n;

        for (n = 0;; n++) {
                _cleanup_(subject_fini) struct subject subject;
                bool failed;
                int r;

                subject_init(&subject);
                oom_after(n);
                r = lint(&subject.result, subject.policies, with_inventory ? subject.world : NULL);
                failed = oom_failed();
                oom_after(OOM_NEVER);
                if (!failed) {
                        assert_int_equal(r, 0);
                        assert_true(count_rules(&subject.result.findings) > (with_inventory ? 20 : 10));
                        assert_true(subject.result.suppressed.len > 1);
                        break;
                }
                if (r != -ENOMEM)
                        fail_msg("allocation %u failed, and the result was %d", n, r);
        }
        assert_true(n > 100);
}

static void documents(void **state)
{
        (void)state;
        fail_each(false);
}

static void documents_and_inventory(void **state)
{
        (void)state;
        fail_each(true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(documents),
                cmocka_unit_test(documents_and_inventory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
