/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy files that are right: what they come to mean. tests/golden/refused has those that are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/diag.h>
#include <vethwall/policy.h>
#include <vethwall/settings.h>
#include <vethwall/strbuf.h>

struct fixture {
        struct policy_set *set;
        struct diag_list diags;
};

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        assert_int_equal(policy_set_new(&f->set), 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        diag_list_fini(&f->diags);
        policy_set_free(f->set);
        free(f);
        return 0;
}

static void load(struct fixture *f, const char *name, const char *text)
{
        size_t size = strlen(text);
        char *copy = malloc(size + 1);

        /* No NUL behind the bytes, and the bytes gone once they are read. */
        assert_non_null(copy);
        memcpy(copy, text, size);
        copy = realloc(copy, size > 0 ? size : 1);
        assert_int_equal(policy_set_load(f->set, name, copy, size, &f->diags), 0);
        free(copy);
}

static void seal(struct fixture *f)
{
        assert_int_equal(policy_set_seal(f->set, &f->diags), 0);
        if (f->diags.len > 0) {
                struct strbuf buf = STRBUF_INIT;

                diag_list_format(&buf, &f->diags, false);
                print_message("%s", buf.text);
                strbuf_fini(&buf);
        }
        assert_int_equal(f->diags.len, 0);
}

/* A NetworkPolicy shop/web with this spec, alone in the set. */
static const struct policy *load_spec(struct fixture *f, const char *spec)
{
        char text[4096];

        policy_set_free(f->set);
        assert_int_equal(policy_set_new(&f->set), 0);
        snprintf(text, sizeof(text),
                 "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: web, namespace: shop "
                 "}\nspec: %s\n",
                 spec);
        load(f, "p.yaml", text);
        seal(f);
        assert_int_equal(f->set->policies_len, 1);
        return &f->set->policies[0];
}

static void test_everything_is_kept(void **state)
{
        struct fixture *f = *state;
        const struct policy *policy;
        const struct rule *rule;
        const struct peer *peer;

        policy = load_spec(f,
                           "\n"
                           "  podSelector:\n"
                           "    matchLabels: { app: web, tier: \"\" }\n"
                           "    matchExpressions:\n"
                           "      - { key: app, operator: NotIn, values: [db, api] }\n"
                           "      - { key: x, operator: DoesNotExist }\n"
                           "  policyTypes: [Egress, Ingress]\n"
                           "  ingress:\n"
                           "    - from:\n"
                           "        - podSelector: {}\n"
                           "          namespaceSelector: { matchLabels: { team: a } }\n"
                           "        - ipBlock: { cidr: 10.1.2.3/8, except: [10.1.0.0/16, 10.2.0.0/16] }\n"
                           "      ports:\n"
                           "        - { port: 8000, endPort: 8080, protocol: UDP }\n"
                           "        - { port: http }\n"
                           "        - { protocol: SCTP }\n"
                           "        - {}\n"
                           "    - {}\n"
                           "  egress:\n"
                           "    - to: [ { namespaceSelector: {} }, { podSelector: { matchLabels: { app: db } } } ]\n");
        assert_int_equal(policy->tier, TIER_NETWORK_POLICY);
        assert_string_equal(policy->ns, "shop");
        assert_string_equal(policy->name, "web");
        assert_int_equal(policy->loc.line, 1);
        assert_int_equal(policy->name_loc.line, 3);
        assert_int_equal(policy->name_loc.col, 19);
        assert_string_equal(f->set->files[policy->loc.file], "p.yaml");
        assert_true(policy->applies[DIR_INGRESS] && policy->applies[DIR_EGRESS]);

        assert_int_equal(policy->pod_selector->len, 4);
        assert_string_equal(policy->pod_selector->requirements[0].key, "app");
        assert_int_equal(policy->pod_selector->requirements[0].op, LABEL_IN);
        assert_int_equal(policy->pod_selector->requirements[1].op, LABEL_NOT_IN);
        assert_string_equal(policy->pod_selector->requirements[1].values[0], "api");
        assert_string_equal(policy->pod_selector->requirements[2].values[0], "");
        assert_int_equal(policy->pod_selector->requirements[3].op, LABEL_DOES_NOT_EXIST);
        assert_int_equal(policy->pod_selector->requirements[3].loc.line, 9);

        assert_int_equal(policy->rules_len[DIR_INGRESS], 2);
        rule = &policy->rules[DIR_INGRESS][0];
        assert_int_equal(rule->action, ACTION_ALLOW);
        assert_int_equal(rule->loc.line, 12);
        assert_false(rule->any_peer || rule->any_port);
        assert_int_equal(rule->peers_len, 2);
        peer = &rule->peers[0];
        assert_int_equal(peer->kind, PEER_SELECTOR);
        assert_int_equal(peer->pod_selector->len, 0);
        assert_int_equal(peer->ns_selector->len, 1);
        peer = &rule->peers[1];
        assert_int_equal(peer->kind, PEER_BLOCK);
        assert_int_equal(peer->cidr.len, 8);
        assert_true(prefix_has_host_bits(&peer->cidr));
        assert_int_equal(peer->excepts_len, 2);

        assert_int_equal(rule->ports_len, 4);
        assert_int_equal(rule->ports[0].protocol, IPPROTO_UDP);
        assert_int_equal(rule->ports[0].range.first, 8000);
        assert_int_equal(rule->ports[0].range.last, 8080);
        assert_int_equal(rule->ports[1].kind, PORT_NAME);
        assert_string_equal(rule->ports[1].name, "http");
        assert_int_equal(rule->ports[1].protocol, IPPROTO_TCP);
        assert_int_equal(rule->ports[2].protocol, IPPROTO_SCTP);
        assert_int_equal(rule->ports[2].range.first, 0);
        assert_int_equal(rule->ports[2].range.last, 65535);
        assert_int_equal(rule->ports[3].protocol, IPPROTO_TCP);
        assert_int_equal(rule->ports[3].range.last, 65535);

        rule = &policy->rules[DIR_INGRESS][1];
        assert_int_equal(rule->index, 1);
        assert_true(rule->any_peer && rule->any_port);
        rule = &policy->rules[DIR_EGRESS][0];
        assert_true(rule->any_port);
        assert_null(rule->peers[0].pod_selector);
        assert_int_equal(rule->peers[0].ns_selector->len, 0);
        assert_null(rule->peers[1].ns_selector);
}

/* Kubernetes' defaulting, which is not what one would guess. */
static void test_policy_types(void **state)
{
        static const struct {
                const char *spec;
                bool ingress, egress;
        } cases[] = {
                {"{ podSelector: {} }", true, false},
                {"{ podSelector: {}, ingress: [ {} ] }", true, false},
                {"{ podSelector: {}, egress: [ {} ] }", true, true},
                {"{ podSelector: {}, egress: [] }", true, false},
                {"{ podSelector: {}, egress: ~ }", true, false},
                {"{ podSelector: {}, policyTypes: [], egress: [ {} ] }", true, true},
                {"{ podSelector: {}, policyTypes: [], egress: [] }", true, false},
                {"{ podSelector: {}, policyTypes: ~ }", true, false},
                {"{ podSelector: {}, policyTypes: [Egress] }", false, true},
                {"{ podSelector: {}, policyTypes: [Egress], ingress: [ {} ] }", false, true},
                {"{ podSelector: {}, policyTypes: [Ingress], egress: [ {} ] }", true, false},
                {"{ podSelector: {}, policyTypes: [Ingress, Egress] }", true, true},
        };
        struct fixture *f = *state;
        size_t i;

        for (i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct policy *policy = load_spec(f, cases[i].spec);

                if (policy->applies[DIR_INGRESS] != cases[i].ingress || policy->applies[DIR_EGRESS] != cases[i].egress)
                        fail_msg("%s", cases[i].spec);
        }
}

/* Rules of a direction that does not apply are kept: they are something to warn of. */
static void test_inert_rules_are_kept(void **state)
{
        const struct policy *policy = load_spec(*state, "{ policyTypes: [Egress], ingress: [ {}, {} ] }");

        assert_int_equal(policy->rules_len[DIR_INGRESS], 2);
}

static void test_absent_null_and_empty(void **state)
{
        static const char *const everything[] = {
                "{ policyTypes: [Ingress] }",
                "{ podSelector: ~ }",
                "{ podSelector: {} }",
                "{ podSelector: { matchLabels: ~, matchExpressions: [] } }",
        };
        static const char *const any[] = {
                "{ ingress: [ {} ] }",
                "{ ingress: [ { from: [], ports: [] } ] }",
                "{ ingress: [ { from: ~, ports: ~ } ] }",
        };
        struct fixture *f = *state;
        const struct policy *policy;
        size_t i;

        for (i = 0; i < ARRAY_SIZE(everything); i++)
                assert_int_equal(load_spec(f, everything[i])->pod_selector->len, 0);
        for (i = 0; i < ARRAY_SIZE(any); i++) {
                const struct rule *rule = &load_spec(f, any[i])->rules[DIR_INGRESS][0];

                assert_true(rule->any_peer && rule->any_port);
        }
        policy = load_spec(f, "{ ingress: [ { from: [ { podSelector: {}, namespaceSelector: ~ } ] } ] }");
        assert_null(policy->rules[DIR_INGRESS][0].peers[0].ns_selector);
        assert_non_null(policy->rules[DIR_INGRESS][0].peers[0].pod_selector);
        policy = load_spec(f, "{ ingress: [ { ports: [ { port: 80, protocol: ~, endPort: ~ } ] } ] }");
        assert_int_equal(policy->rules[DIR_INGRESS][0].ports[0].range.last, 80);
}

static void test_objects(void **state)
{
        struct fixture *f = *state;

        load(f, "a.yaml",
             "apiVersion: v1\n"
             "kind: List\n"
             "items:\n"
             "  - apiVersion: v1\n"
             "    kind: Namespace\n"
             "    metadata: { name: shop, labels: { team: a, kubernetes.io/metadata.name: shop }, uid: x }\n"
             "    spec: { finalizers: [kubernetes] }\n"
             "    status: { phase: Active }\n"
             "  - apiVersion: apps/v1\n"
             "    kind: Deployment\n"
             "    anything: [goes, here, 1]\n"
             "  - apiVersion: v1\n"
             "    kind: Service\n"
             "---\n"
             "---\n"
             "apiVersion: crd.projectcalico.org/v1\n"
             "kind: NetworkPolicy\n");
        load(f, "b.json",
             "{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"NetworkPolicyList\", \"metadata\": {}, \"items\": "
             "[\n"
             "{\"metadata\": {\"name\": \"b\", \"annotations\": {\"note\": \"x\"}, \"generation\": 2, \"labels\": "
             "{\"a\": \"b\"}},\n"
             " \"spec\": {\"podSelector\": {}}, \"status\": {\"conditions\": []}},\n"
             "{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"NetworkPolicy\", \"metadata\": {\"name\": "
             "\"a.b\", \"namespace\": "
             "\"my_project-\"}, \"spec\": {\"podSelector\": {}}}]}\n");
        load(f, "empty.yaml", "");
        load(f, "c.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: { name: alpha }\n");
        seal(f);

        assert_int_equal(f->set->files_len, 4);
        assert_int_equal(f->set->policies_len, 2);
        assert_string_equal(f->set->policies[0].ns, "default");
        assert_string_equal(f->set->policies[0].name, "b");
        assert_int_equal(f->set->policies[0].loc.file, 1);
        assert_string_equal(f->set->policies[1].ns, "my_project-");
        assert_int_equal(f->set->namespaces_len, 2);
        assert_string_equal(f->set->namespaces[0].name, "alpha");
        assert_string_equal(label_set_get(&f->set->namespaces[0].labels, NAMESPACE_NAME_LABEL), "alpha");
        assert_string_equal(label_set_get(&f->set->namespaces[1].labels, "team"), "a");
        assert_int_equal(f->set->namespaces[1].labels.len, 2);
        assert_int_equal(f->set->skipped_len, 3);
        assert_string_equal(f->set->skipped[0].api_version, "apps/v1");
        assert_string_equal(f->set->skipped[0].kind, "Deployment");
        assert_int_equal(f->set->skipped[0].loc.line, 9);
        assert_string_equal(f->set->skipped[1].kind, "Service");
        assert_string_equal(f->set->skipped[2].api_version, "crd.projectcalico.org/v1");
}

static void load_named(struct fixture *f, const char *file, const char *ns, const char *name)
{
        char text[256];

        snprintf(text, sizeof(text),
                 "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: { name: %s, namespace: %s }\n"
                 "spec: { podSelector: {} }\n",
                 name, ns);
        load(f, file, text);
}

static void test_order(void **state)
{
        static const char *const names[][2] = {{"b", "p2"}, {"a", "p3"}, {"b", "p1"}, {"a", "p2"}, {"c", "a"}};
        static const char *const sorted[][2] = {{"a", "p2"}, {"a", "p3"}, {"b", "p1"}, {"b", "p2"}, {"c", "a"}};
        struct fixture *f = *state;
        size_t i;

        for (i = 0; i < ARRAY_SIZE(names); i++)
                load_named(f, "p.yaml", names[i][0], names[i][1]);
        seal(f);
        assert_int_equal(f->set->policies_len, ARRAY_SIZE(sorted));
        for (i = 0; i < ARRAY_SIZE(sorted); i++) {
                assert_string_equal(f->set->policies[i].ns, sorted[i][0]);
                assert_string_equal(f->set->policies[i].name, sorted[i][1]);
        }
}

static void test_duplicates_across_files(void **state)
{
        struct fixture *f = *state;

        load_named(f, "one.yaml", "shop", "web");
        load_named(f, "two.yaml", "shop", "web");
        load_named(f, "three.yaml", "shop", "web");
        load_named(f, "four.yaml", "store", "web");
        assert_int_equal(policy_set_seal(f->set, &f->diags), 0);
        assert_int_equal(f->diags.errors, 2);
        assert_string_equal(f->diags.items[0].file, "two.yaml");
        assert_string_equal(f->diags.items[0].message, "NetworkPolicy shop/web is given twice, first at one.yaml:3");
        assert_string_equal(f->diags.items[0].source, "metadata: { name: web, namespace: shop }");
        assert_int_equal(f->diags.items[0].col, 19);
        assert_int_equal(f->diags.items[0].end_col, 22);
        assert_string_equal(f->diags.items[1].file, "three.yaml");
        assert_string_equal(f->diags.items[1].message, "NetworkPolicy shop/web is given twice, first at one.yaml:3");
        assert_int_equal(f->set->policies_len, 2);
}

static void test_names(void **state)
{
        enum direction direction;
        enum action action;
        enum tier tier;

        (void)state;
        for (direction = 0; direction < DIR_MAX; direction++)
                assert_true(strlen(direction_name(direction)) > 0);
        for (action = 0; action < ACTION_MAX; action++)
                assert_true(strlen(action_name(action)) > 0);
        for (tier = 0; tier < TIER_MAX; tier++)
                assert_true(strlen(tier_name(tier)) > 0);
        assert_string_equal(direction_name(DIR_EGRESS), "egress");
        assert_string_equal(tier_name(TIER_NETWORK_POLICY), "NetworkPolicy");
        assert_int_equal(settings_default.default_action, ACTION_ALLOW);
        assert_int_equal(settings_default.interfaces_len, 4);
}

/* A thousand policies of a usual size take memory in proportion to their text. */
static void test_memory(void **state)
{
        struct fixture *f = *state;
        struct strbuf buf = STRBUF_INIT;
        int i;

        for (i = 0; i < 1000; i++)
                strbuf_printf(&buf,
                              "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p-%d\n"
                              "  namespace: ns-%d\nspec:\n  podSelector:\n    matchLabels:\n      app: app-%d\n"
                              "  policyTypes:\n    - Ingress\n  ingress:\n    - from:\n        - podSelector:\n"
                              "            matchLabels:\n              app: app-%d\n        - ipBlock:\n"
                              "            cidr: 10.0.0.0/8\n      ports:\n        - port: 80\n          protocol: "
                              "TCP\n---\n",
                              i, i % 20, i % 50, (i + 1) % 50);
        assert_int_equal(strbuf_check(&buf), 0);
        load(f, "big.yaml", buf.text);
        seal(f);
        assert_int_equal(f->set->policies_len, 1000);
        assert_true(arena_size(f->set->arena) < buf.len * 4);
        strbuf_fini(&buf);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_everything_is_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_policy_types, setup, teardown),
                cmocka_unit_test_setup_teardown(test_inert_rules_are_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_absent_null_and_empty, setup, teardown),
                cmocka_unit_test_setup_teardown(test_objects, setup, teardown),
                cmocka_unit_test_setup_teardown(test_order, setup, teardown),
                cmocka_unit_test_setup_teardown(test_duplicates_across_files, setup, teardown),
                cmocka_unit_test(test_names),
                cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
