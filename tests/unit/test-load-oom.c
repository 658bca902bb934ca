/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading without memory: whichever allocation fails, the loaders say -ENOMEM, and leak and crash nowhere. The linker
 * sends the core's allocations here (--wrap). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/convert.h>
#include <vethwall/diag.h>
#include <vethwall/format.h>
#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/strbuf.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t len, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
int __real_vasprintf(char **ret, const char *fmt, va_list args);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t len, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_vasprintf(char **ret, const char *fmt, va_list args) _printf_(2, 0);
int __wrap_asprintf(char **ret, const char *fmt, ...) _printf_(2, 3);

/* Allocations that still succeed; the one after them fails, once. */
static unsigned left = UINT32_MAX;
static unsigned failures;

static bool fails(void)
{
        if (left == UINT32_MAX)
                return false;
        if (left-- > 0)
                return false;
        left = UINT32_MAX;
        failures++;
        return true;
}

void *__wrap_malloc(size_t size)
{
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t len, size_t size)
{
        return fails() ? NULL : __real_calloc(len, size);
}

void *__wrap_realloc(void *p, size_t size)
{
        return fails() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *text)
{
        return fails() ? NULL : __real_strdup(text);
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list args)
{
        return fails() ? -1 : __real_vasprintf(ret, fmt, args);
}

int __wrap_asprintf(char **ret, const char *fmt, ...)
{
        va_list args;
        int r;

        va_start(args, fmt);
        r = __wrap_vasprintf(ret, fmt, args);
        va_end(args);
        return r;
}

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

static int load_policies(struct diag_list *diags)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        int r;

        r = policy_set_new(&set);
        if (r == 0)
                r = policy_set_load(set, "p.yaml", policies, strlen(policies), diags);
        if (r == 0)
                r = policy_set_seal(set, diags);
        return r;
}

static int load_inventory(struct diag_list *diags)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        int r;

        r = inventory_new(&inventory);
        if (r == 0)
                r = inventory_load(inventory, "i.yaml", inventory_text, strlen(inventory_text), diags);
        if (r == 0)
                r = inventory_seal(inventory);
        return r;
}

static const char unformatted[] = "# above\nkind: NetworkPolicy # beside\napiVersion: networking.k8s.io/v1\n"
                                  "metadata: { name: web, annotations: { a: \"1\\n2\", b: &x \"é\", c: *x } }\n"
                                  "spec: { ingress: [ { ports: [ { port: 0x50 } ] } ], podSelector: {} }\n"
                                  "---\nkind: Deployment\napiVersion: apps/v1\n# below\n";

static int format(struct diag_list *diags)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        return format_policies(&text, "p.yaml", unformatted, strlen(unformatted), diags);
}

/* Fails one allocation after the other, until there is none left to fail. */
static void fail_each(int (*load)(struct diag_list *diags), size_t errors)
{
        unsigned n;

        failures = 0;
        for (n = 0;; n++) {
                struct diag_list diags = DIAG_LIST_INIT;
                unsigned before = failures;
                size_t found;
                int r;

                left = n;
                r = load(&diags);
                left = UINT32_MAX;
                found = diags.errors;
                diag_list_fini(&diags);
                if (failures == before) {
                        assert_int_equal(r, 0);
                        assert_int_equal(found, errors);
                        break;
                }
                if (r != -ENOMEM)
                        fail_msg("allocation %u failed, and the result was %d", n, r);
        }
        assert_true(n > 20);
}

static void test_policies(void **state)
{
        (void)state;
        fail_each(load_policies, 3);
}

static void test_inventory(void **state)
{
        (void)state;
        fail_each(load_inventory, 2);
}

#define OLDER                                                                                                          \
        "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: { name: a } # beside\n"    \
        "spec: { priority: 1, subject: { namespaces: &n {} }, egress: [ { action: Allow, to: [ { namespaces: *n },\n"  \
        "  { nodes: {} } ], ports: [ { portRange: { protocol: UDP, start: 1, end: 2 } } ] }"

static const char older[] = OLDER " ] }\n";
static const char inexpressible[] = OLDER ", { action: Deny, to: [ { nodes: {} } ] } ] }\n";

static int convert_text(const char *text, struct diag_list *diags)
{
        _cleanup_(strbuf_fini) struct strbuf converted = STRBUF_INIT;
        size_t count = 0;

        return convert_policies(&converted, &count, "p.yaml", text, strlen(text), diags);
}

static int convert(struct diag_list *diags)
{
        return convert_text(older, diags);
}

static int convert_refused(struct diag_list *diags)
{
        return convert_text(inexpressible, diags);
}

static void test_format(void **state)
{
        (void)state;
        fail_each(format, 0);
}

static void test_convert(void **state)
{
        (void)state;
        fail_each(convert, 0);
        fail_each(convert_refused, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_policies),
                cmocka_unit_test(test_inventory),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_convert),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
