/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shape of the compiled ruleset: what gets an element and what does not, what keeps its name, and what the base chains do
 * with those who are no endpoint. That verdicts are right is the property suite's affair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/compile.h>
#include <vethwall/diag.h>
#include <vethwall/diff.h>
#include <vethwall/strbuf.h>

#define HEAD "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"

#define POLICY(ns, name, spec)                                                                                         \
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"                                                 \
        "metadata: {name: " name ", namespace: " ns "}\nspec: {" spec "}\n"

/* Takes the inventory. */
static struct ruleset *compiled_from(const char *policy_text, struct inventory *inventory,
                                     const struct settings *settings)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(policy_set_freep) struct policy_set *policies = NULL;
        _cleanup_(world_freep) struct world *world = NULL;
        struct ruleset *ruleset = NULL;

        assert_int_equal(policy_set_new(&policies), 0);
        assert_int_equal(policy_set_load(policies, "p.yaml", policy_text, strlen(policy_text), &diags), 0);
        assert_int_equal(policy_set_seal(policies, &diags), 0);
        assert_int_equal(diags.errors, 0);
        assert_int_equal(inventory_seal(inventory), 0);
        assert_int_equal(world_new(&world, policies, inventory, settings ? settings : &settings_default), 0);
        assert_int_equal(compile(&ruleset, world), 0);
        inventory_free(inventory);
        return ruleset;
}

static struct ruleset *compiled(const char *policy_text, const char *inventory_text, const struct settings *settings)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct inventory *inventory = NULL;

        assert_int_equal(inventory_new(&inventory), 0);
        assert_int_equal(inventory_load(inventory, "i.yaml", inventory_text, strlen(inventory_text), &diags), 0);
        assert_int_equal(diags.errors, 0);
        return compiled_from(policy_text, inventory, settings);
}

static struct rs_table *table_of(const struct ruleset *ruleset)
{
        assert_int_equal(ruleset->tables_len, 1);
        return &ruleset->tables[0];
}

/* The only set or map whose name begins and ends so, or NULL. */
static const struct rs_set *set_like(const struct ruleset *ruleset, const char *prefix, const char *suffix)
{
        const struct rs_table *table = table_of(ruleset);
        const struct rs_set *found = NULL;

        for (size_t i = 0; i < table->sets_len; i++) {
                const char *name = table->sets[i].name;
                size_t len = strlen(name), n = strlen(suffix);

                if (strncmp(name, prefix, strlen(prefix)) == 0 && len >= n && strcmp(name + len - n, suffix) == 0) {
                        assert_null(found);
                        found = &table->sets[i];
                }
        }
        return found;
}

static enum rs_verdict_kind judge(const struct ruleset *ruleset, enum rs_hook hook, const char *in, const char *out,
                                  const char *from, const char *to, uint32_t state)
{
        struct rs_packet packet = {
                .hook = hook,
                .iifname = in,
                .oifname = out,
                .protocol = IPPROTO_TCP,
                .has_ports = true,
                .dport = 80,
                .ct_state = state,
        };
        struct rs_result result;

        assert_true(addr_parse(from, &packet.saddr));
        assert_true(addr_parse(to, &packet.daddr));
        assert_int_equal(ruleset_eval(ruleset, &packet, &result), 0);
        return result.verdict;
}

static void unknown_endpoints_pass_nothing_on_managed_interfaces(void **state)
{
        struct ruleset *rs = compiled("", HEAD "- {name: a, addresses: [10.0.0.2]}\n", NULL);

        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "eth0", "10.0.0.7", "192.0.2.1", RS_CT_NEW), RS_DROP);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "eth0", "docker0", "192.0.2.1", "10.0.0.7", RS_CT_NEW), RS_DROP);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "br-1", "10.0.0.2", "10.0.0.7", RS_CT_NEW), RS_DROP);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "eth0", "10.0.0.2", "192.0.2.1", RS_CT_NEW), RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "eth1", "eth0", "10.0.0.7", "192.0.2.1", RS_CT_NEW), RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_INPUT, "br-1", "", "10.0.0.7", "10.0.0.1", RS_CT_NEW), RS_DROP);
        assert_int_equal(judge(rs, RS_HOOK_INPUT, "br-1", "", "10.0.0.2", "10.0.0.1", RS_CT_NEW), RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_INPUT, "eth0", "", "10.0.0.7", "10.0.0.1", RS_CT_NEW), RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_OUTPUT, "", "br-1", "10.0.0.1", "10.0.0.7", RS_CT_NEW), RS_DROP);
        assert_int_equal(judge(rs, RS_HOOK_OUTPUT, "", "br-1", "10.0.0.1", "10.0.0.2", RS_CT_NEW), RS_ACCEPT);
        ruleset_free(rs);
        (void)state;
}

static void established_flows_pass_and_invalid_packets_do_not(void **state)
{
        struct ruleset *rs = compiled(POLICY("default", "deny", "podSelector: {}, policyTypes: [Ingress, Egress]"),
                                      HEAD "- {name: a, addresses: [10.0.0.2]}\n", NULL);

        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "eth0", "10.0.0.2", "192.0.2.1", RS_CT_ESTABLISHED),
                         RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "eth0", "10.0.0.2", "192.0.2.1", RS_CT_NEW), RS_DROP);
        ruleset_free(rs);

        rs = compiled("", HEAD "- {name: a, addresses: [10.0.0.2]}\n", NULL);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "eth0", "10.0.0.2", "192.0.2.1", RS_CT_INVALID), RS_DROP);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "eth1", "eth0", "10.9.0.2", "192.0.2.1", RS_CT_INVALID), RS_ACCEPT);
        ruleset_free(rs);
        (void)state;
}

static void host_traffic_follows_the_settings(void **state)
{
        const char *deny = POLICY("default", "deny", "podSelector: {}, policyTypes: [Ingress, Egress]");
        struct settings settings = settings_default;
        struct ruleset *rs = compiled(deny, HEAD "- {name: a, addresses: [10.0.0.2]}\n", &settings);

        assert_int_equal(judge(rs, RS_HOOK_INPUT, "br-1", "", "10.0.0.2", "10.0.0.1", RS_CT_NEW), RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_OUTPUT, "", "br-1", "10.0.0.1", "10.0.0.2", RS_CT_NEW), RS_ACCEPT);
        ruleset_free(rs);

        settings.host_policy = true;
        rs = compiled(deny, HEAD "- {name: a, addresses: [10.0.0.2]}\n", &settings);
        assert_int_equal(judge(rs, RS_HOOK_INPUT, "br-1", "", "10.0.0.2", "10.0.0.1", RS_CT_NEW), RS_DROP);
        assert_int_equal(judge(rs, RS_HOOK_OUTPUT, "", "br-1", "10.0.0.1", "10.0.0.2", RS_CT_NEW), RS_DROP);
        assert_int_equal(judge(rs, RS_HOOK_INPUT, "br-1", "", "10.0.0.7", "10.0.0.1", RS_CT_NEW), RS_DROP);
        ruleset_free(rs);
        (void)state;
}

static void unknown_endpoints_can_be_allowed(void **state)
{
        struct settings settings = settings_default;
        struct ruleset *rs;

        settings.unknown_deny = false;
        rs = compiled("", HEAD "- {name: a, addresses: [10.0.0.2]}\n", &settings);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "eth0", "10.0.0.7", "192.0.2.1", RS_CT_NEW), RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_INPUT, "br-1", "", "10.0.0.7", "10.0.0.1", RS_CT_NEW), RS_ACCEPT);
        ruleset_free(rs);
        (void)state;
}

static void an_endpoint_reaches_itself_under_all_its_addresses(void **state)
{
        struct ruleset *rs = compiled(POLICY("default", "deny", "podSelector: {}, policyTypes: [Ingress, Egress]"),
                                      HEAD "- {name: a, addresses: [10.0.0.2, 10.1.0.2]}\n"
                                           "- {name: b, addresses: [10.0.0.3]}\n",
                                      NULL);

        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "br-1", "10.0.0.2", "10.0.0.2", RS_CT_NEW), RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "br-2", "10.0.0.2", "10.1.0.2", RS_CT_NEW), RS_ACCEPT);
        assert_int_equal(judge(rs, RS_HOOK_FORWARD, "br-1", "br-1", "10.0.0.2", "10.0.0.3", RS_CT_NEW), RS_DROP);
        ruleset_free(rs);
        (void)state;
}

/* 40 endpoints of one namespace, every fourth an api. */
static void crowd(struct strbuf *inventory, size_t len)
{
        strbuf_puts(inventory, HEAD);
        for (size_t i = 0; i < len; i++)
                strbuf_printf(inventory,
                              "- {name: c%zu, namespace: shop, labels: {app: %s}, addresses: [10.0.0.%zu]}\n", i,
                              i % 4 ? "web" : "api", i + 2);
}

#define CROWD_POLICIES                                                                                                 \
        POLICY("shop", "all", "podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 9100}]}]")        \
        POLICY("shop", "api",                                                                                          \
               "podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: "                              \
               "{matchLabels: {app: web}}}], ports: [{port: 80}]}]")

static void groups_that_several_classes_name_are_held_once(void **state)
{
        _cleanup_(strbuf_fini) struct strbuf inventory = STRBUF_INIT;
        struct ruleset *rs;
        const struct rs_set *group, *exceptions;

        crowd(&inventory, 40);
        rs = compiled(CROWD_POLICIES, inventory.text, NULL);
        group = set_like(rs, "peers_shop_", "_4");
        assert_non_null(group);
        assert_int_equal(group->elems_len, 40);
        /* Only where a peer is more than one of the crowd does it have an element of its own. */
        exceptions = set_like(rs, "in_shop_all_", "_peers4");
        assert_non_null(exceptions);
        assert_int_equal(exceptions->elems_len, 30);
        ruleset_free(rs);
        (void)state;
}

static void one_more_endpoint_costs_its_own_elements(void **state)
{
        _cleanup_(strbuf_fini) struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;
        struct ruleset *a, *b;
        struct plan plan = PLAN_INIT;
        size_t elems = 0;

        crowd(&before, 40);
        crowd(&after, 41);
        a = compiled(CROWD_POLICIES, before.text, NULL);
        b = compiled(CROWD_POLICIES, after.text, NULL);
        assert_int_equal(ruleset_diff(&plan, a, b, false), 0);
        for (size_t i = 0; i < plan.len; i++) {
                assert_int_equal(plan.ops[i].kind, PLAN_ADD_ELEMS);
                elems += plan.ops[i].elems_len;
        }
        /* egress4, ingress4, endpoints4, self4, and the crowd's set: an api is no exception anywhere. */
        assert_int_equal(elems, 5);
        plan_fini(&plan);
        ruleset_free(a);
        ruleset_free(b);
        (void)state;
}

static void an_edited_port_changes_one_element(void **state)
{
        struct plan plan = PLAN_INIT;
        struct ruleset *a = compiled(POLICY("shop", "in", "podSelector: {}, ingress: [{ports: [{port: 80}]}]"),
                                     HEAD "- {name: a, namespace: shop, addresses: [10.0.0.2]}\n", NULL);
        struct ruleset *b = compiled(POLICY("shop", "in", "podSelector: {}, ingress: [{ports: [{port: 81}]}]"),
                                     HEAD "- {name: a, namespace: shop, addresses: [10.0.0.2]}\n", NULL);

        assert_int_equal(ruleset_diff(&plan, a, b, false), 0);
        assert_int_equal(plan.len, 2);
        assert_int_equal(plan.ops[0].kind, PLAN_DEL_ELEMS);
        assert_int_equal(plan.ops[1].kind, PLAN_ADD_ELEMS);
        assert_int_equal(plan.ops[0].elems_len + plan.ops[1].elems_len, 2);
        plan_fini(&plan);
        ruleset_free(a);
        ruleset_free(b);
        (void)state;
}

static void ports_are_hashed_and_only_long_runs_are_ranges(void **state)
{
        struct ruleset *rs =
                compiled(POLICY("shop", "in",
                                "podSelector: {}, ingress: [{ports: [{port: 80, endPort: 83}, {port: 1000, "
                                "endPort: 2000}, {protocol: SCTP}]}]"),
                         HEAD "- {name: a, namespace: shop, addresses: [10.0.0.2]}\n", NULL);
        const struct rs_set *ports = set_like(rs, "ports_in_", "_ports");
        const struct rs_set *ranges = set_like(rs, "ports_in_", "_ranges");
        const struct rs_set *protos = set_like(rs, "ports_in_", "_protos");

        assert_non_null(ports);
        assert_int_equal(ports->elems_len, 4);
        assert_false(ports->interval);
        assert_non_null(ranges);
        assert_int_equal(ranges->elems_len, 1);
        assert_true(ranges->interval);
        assert_non_null(protos);
        assert_int_equal(protos->elems_len, 1);
        assert_int_equal(protos->elems[0].key[0], IPPROTO_SCTP);
        assert_string_equal(protos->elems[0].comment, "allow shop/in ingress[0]");
        ruleset_free(rs);
        (void)state;
}

static void names_that_nft_cannot_take_are_cleaned(void **state)
{
        struct addr addr;
        struct endpoint endpoint = {.ns = "Gr\xc3\xbc\xc3\x9f $x",
                                    .name = "a\"b\n",
                                    .addrs = &addr,
                                    .addrs_len = 1,
                                    .runtime = "docker",
                                    .id = ""};
        struct inventory *inventory = NULL;
        const struct rs_set *map;
        struct ruleset *rs;

        assert_true(addr_parse("10.0.0.2", &addr));
        assert_int_equal(inventory_new(&inventory), 0);
        assert_int_equal(inventory_add_endpoint(inventory, &endpoint), 0);
        rs = compiled_from("", inventory, NULL);
        map = rs_table_find_set(table_of(rs), "egress4");
        assert_non_null(map);
        assert_int_equal(map->elems_len, 1);
        for (const char *p = map->elems[0].comment; *p; p++)
                assert_true(*p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\');
        ruleset_free(rs);
        (void)state;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(unknown_endpoints_pass_nothing_on_managed_interfaces),
                cmocka_unit_test(established_flows_pass_and_invalid_packets_do_not),
                cmocka_unit_test(host_traffic_follows_the_settings),
                cmocka_unit_test(unknown_endpoints_can_be_allowed),
                cmocka_unit_test(an_endpoint_reaches_itself_under_all_its_addresses),
                cmocka_unit_test(groups_that_several_classes_name_are_held_once),
                cmocka_unit_test(one_more_endpoint_costs_its_own_elements),
                cmocka_unit_test(an_edited_port_changes_one_element),
                cmocka_unit_test(ports_are_hashed_and_only_long_runs_are_ranges),
                cmocka_unit_test(names_that_nft_cannot_take_are_cleaned),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
