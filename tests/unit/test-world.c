/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies resolved against an inventory: classes, profiles, the outside, and the rule that decided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/diag.h>
#include <vethwall/world.h>

struct fixture {
        struct policy_set *policies;
        struct inventory *inventory;
        struct world *world;
};

static void fixture_init(struct fixture *f, const char *policies, const char *inventory)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;

        assert_int_equal(policy_set_new(&f->policies), 0);
        assert_int_equal(policy_set_load(f->policies, "p.yaml", policies, strlen(policies), &diags), 0);
        assert_int_equal(policy_set_seal(f->policies, &diags), 0);
        assert_int_equal(inventory_new(&f->inventory), 0);
        assert_int_equal(inventory_load(f->inventory, "i.yaml", inventory, strlen(inventory), &diags), 0);
        assert_int_equal(inventory_seal(f->inventory), 0);
        assert_int_equal(diags.errors, 0);
        assert_int_equal(world_new(&f->world, f->policies, f->inventory, &settings_default), 0);
}

static void fixture_fini(struct fixture *f)
{
        world_free(f->world);
        inventory_free(f->inventory);
        policy_set_free(f->policies);
}

static size_t at(const struct fixture *f, const char *ns, const char *name)
{
        const struct endpoint *endpoint = inventory_find(f->inventory, ns, name);

        assert_non_null(endpoint);
        return (size_t)(endpoint - f->inventory->endpoints);
}

/* What the subject's side says to a peer endpoint (NULL: the outside) met under addr (NULL: none). */
static const struct cause *ask(const struct fixture *f, enum direction d, const char *subject, const char *peer,
                               const char *addr, uint8_t protocol, uint16_t port)
{
        const struct profile *profile = NULL;
        struct addr a;

        if (addr)
                assert_true(addr_parse(addr, &a));
        assert_int_equal(world_profile(f->world, d, world_class(f->world, d, at(f, "shop", subject)),
                                       peer ? at(f, "shop", peer) : WORLD_OUTSIDE, addr ? &a : NULL, &profile),
                         0);
        return profile_at(profile, protocol, port);
}

#define INVENTORY                                                                                                      \
        "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"                                                    \
        "- {name: web-1, namespace: shop, labels: {app: web}, addresses: [10.0.0.2]}\n"                                \
        "- {name: web-2, namespace: shop, labels: {app: web}, addresses: [10.0.0.3]}\n"                                \
        "- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.4, 'fd00::4'],\n"                         \
        "   ports: [{name: sql, port: 5432}]}\n"                                                                       \
        "- {name: db-2, namespace: shop, labels: {app: db}, addresses: [10.0.0.5],\n"                                  \
        "   ports: [{name: sql, port: 6432}]}\n"                                                                       \
        "- {name: host, namespace: shop, labels: {app: web}, addresses: [10.0.0.9], hostNetwork: true}\n"

#define POLICY(name, spec)                                                                                             \
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"                                                 \
        "metadata: {name: " name ", namespace: shop}\nspec: {" spec "}\n"

static void endpoints_that_no_selector_tells_apart_share_classes(void **state)
{
        struct fixture f = {0};

        fixture_init(&f, POLICY("db", "podSelector: {matchLabels: {app: db}}"), INVENTORY);
        for (enum direction d = 0; d < DIR_MAX; d++)
                assert_int_equal(world_class(f.world, d, at(&f, "shop", "web-1")),
                                 world_class(f.world, d, at(&f, "shop", "web-2")));
        assert_int_not_equal(world_class(f.world, DIR_INGRESS, at(&f, "shop", "web-1")),
                             world_class(f.world, DIR_INGRESS, at(&f, "shop", "db")));
        assert_int_equal(world_class(f.world, DIR_EGRESS, at(&f, "shop", "web-1")),
                         world_class(f.world, DIR_EGRESS, at(&f, "shop", "db")));
        assert_int_equal(world_class(f.world, DIR_INGRESS, at(&f, "shop", "host")), UINT32_MAX);
        fixture_fini(&f);
        (void)state;
}

static void the_deciding_rule_is_named(void **state)
{
        struct fixture f = {0};
        const struct cause *cause;

        fixture_init(&f,
                     POLICY("b-web", "podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 1}]}, {from: "
                                     "[{podSelector: {matchLabels: {app: web}}}], ports: [{port: 5432}]}]")
                             POLICY("a-deny", "podSelector: {}"),
                     INVENTORY);
        cause = ask(&f, DIR_INGRESS, "db", "web-1", "10.0.0.2", IPPROTO_TCP, 5432);
        assert_int_equal(cause->action, ACTION_ALLOW);
        assert_string_equal(cause->policy->name, "b-web");
        assert_int_equal(cause->rule->index, 1);

        cause = ask(&f, DIR_INGRESS, "db", "web-1", "10.0.0.2", IPPROTO_UDP, 5432);
        assert_int_equal(cause->action, ACTION_DENY);
        assert_string_equal(cause->policy->name, "a-deny");
        assert_null(cause->rule);

        cause = ask(&f, DIR_EGRESS, "db", "web-1", "10.0.0.2", IPPROTO_TCP, 80);
        assert_int_equal(cause->action, ACTION_ALLOW);
        assert_int_equal(cause->tier, TIER_DEFAULT);
        fixture_fini(&f);
        (void)state;
}

static void host_network_is_no_peer_by_label_but_by_address(void **state)
{
        struct fixture f = {0};

        fixture_init(&f,
                     POLICY("label", "podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
                                     "{matchLabels: {app: web}}}], ports: [{port: 1}]}, {from: [{ipBlock: {cidr: "
                                     "10.0.0.8/31}}], ports: [{port: 2}]}]"),
                     INVENTORY);
        assert_int_equal(ask(&f, DIR_INGRESS, "db", "host", "10.0.0.9", IPPROTO_TCP, 1)->action, ACTION_DENY);
        assert_int_equal(ask(&f, DIR_INGRESS, "db", "host", "10.0.0.9", IPPROTO_TCP, 2)->action, ACTION_ALLOW);
        assert_int_equal(ask(&f, DIR_INGRESS, "db", "host", NULL, IPPROTO_TCP, 2)->action, ACTION_DENY);
        fixture_fini(&f);
        (void)state;
}

static void port_names_resolve_on_the_destination(void **state)
{
        struct fixture f = {0};

        fixture_init(&f,
                     POLICY("in", "podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: sql}]}]")
                             POLICY("out", "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: "
                                           "[{ports: [{port: sql}]}]"),
                     INVENTORY);
        assert_int_equal(ask(&f, DIR_INGRESS, "db", NULL, "192.0.2.1", IPPROTO_TCP, 5432)->action, ACTION_ALLOW);
        assert_int_equal(ask(&f, DIR_INGRESS, "db", NULL, "192.0.2.1", IPPROTO_TCP, 6432)->action, ACTION_DENY);
        assert_int_equal(ask(&f, DIR_INGRESS, "db-2", NULL, "192.0.2.1", IPPROTO_TCP, 6432)->action, ACTION_ALLOW);
        assert_int_equal(ask(&f, DIR_EGRESS, "web-1", "db", "10.0.0.4", IPPROTO_TCP, 5432)->action, ACTION_ALLOW);
        assert_int_equal(ask(&f, DIR_EGRESS, "web-1", "db-2", "10.0.0.5", IPPROTO_TCP, 5432)->action, ACTION_DENY);
        assert_int_equal(ask(&f, DIR_EGRESS, "web-1", NULL, "192.0.2.1", IPPROTO_TCP, 5432)->action, ACTION_DENY);
        fixture_fini(&f);
        (void)state;
}

static void the_outside_is_cut_at_blocks_and_excepts(void **state)
{
        static const char *const firsts[] = {"0.0.0.0", "10.0.0.0", "10.1.0.0", "10.2.0.0", "11.0.0.0"};
        static const enum action actions[] = {ACTION_DENY, ACTION_ALLOW, ACTION_DENY, ACTION_ALLOW, ACTION_DENY};
        const struct world_range *ranges;
        struct fixture f = {0};
        uint32_t class;
        size_t len;

        fixture_init(&f,
                     POLICY("out", "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: "
                                   "[{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 10.1.2.0/24]}}]}]"),
                     INVENTORY);
        class = world_class(f.world, DIR_EGRESS, at(&f, "shop", "web-1"));
        assert_int_equal(world_outside(f.world, DIR_EGRESS, class, ADDR_V4, &ranges, &len), 0);
        assert_int_equal(len, ARRAY_SIZE(firsts));
        for (size_t i = 0; i < len; i++) {
                char text[ADDR_TEXT_MAX];

                assert_string_equal(addr_format(&ranges[i].range.first, text), firsts[i]);
                assert_int_equal(ranges[i].profile->other.action, actions[i]);
        }
        assert_int_equal(world_outside(f.world, DIR_EGRESS, class, ADDR_V6, &ranges, &len), 0);
        assert_int_equal(len, 1);
        assert_int_equal(ranges[0].profile->other.action, ACTION_DENY);
        fixture_fini(&f);
        (void)state;
}

static void blocks_that_touch_the_ends_of_the_space_are_whole(void **state)
{
        const struct world_range *ranges;
        struct fixture f = {0};
        uint32_t class;
        size_t len;

        fixture_init(&f,
                     POLICY("all", "podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: "
                                   "[{ipBlock: {cidr: 0.0.0.0/0, except: [0.0.0.0/8, 255.0.0.0/8]}}, {ipBlock: "
                                   "{cidr: '::/0'}}]}]"),
                     INVENTORY);
        class = world_class(f.world, DIR_EGRESS, at(&f, "shop", "web-1"));
        assert_int_equal(world_outside(f.world, DIR_EGRESS, class, ADDR_V4, &ranges, &len), 0);
        assert_int_equal(len, 3);
        assert_int_equal(ranges[1].profile->other.action, ACTION_ALLOW);
        assert_int_equal(world_outside(f.world, DIR_EGRESS, class, ADDR_V6, &ranges, &len), 0);
        assert_int_equal(len, 1);
        assert_int_equal(ranges[0].profile->other.action, ACTION_ALLOW);
        fixture_fini(&f);
        (void)state;
}

static void namespace_labels_come_from_objects_too(void **state)
{
        struct fixture f = {0};

        fixture_init(&f,
                     "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n"
                     "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n",
                     INVENTORY);
        assert_string_equal(label_set_get(world_namespace_labels(f.world, "shop"), "team"), "a");
        assert_string_equal(label_set_get(world_namespace_labels(f.world, "shop"), NAMESPACE_NAME_LABEL), "shop");
        assert_string_equal(label_set_get(world_namespace_labels(f.world, "empty"), NAMESPACE_NAME_LABEL), "empty");
        assert_null(world_namespace_labels(f.world, "nowhere"));
        fixture_fini(&f);
        (void)state;
}

/* A cluster-wide policy with one ingress rule for one TCP port from everywhere. */
static struct policy tier_policy(const char *name, enum tier tier, int priority, struct rule *rule,
                                 struct port_match *port, enum action action, uint16_t number)
{
        static struct selector everything;

        *port = (struct port_match){.kind = PORT_RANGE, .protocol = IPPROTO_TCP, .range = {number, number}};
        *rule = (struct rule){.action = action, .any_peer = true, .ports = port, .ports_len = 1};
        return (struct policy){
                .tier = tier,
                .priority = priority,
                .name = name,
                .pod_selector = &everything,
                .applies = {[DIR_INGRESS] = true},
                .rules = {[DIR_INGRESS] = rule},
                .rules_len = {[DIR_INGRESS] = 1},
        };
}

static void tiers_decide_in_order_and_pass_leaves_them(void **state)
{
        enum { PASS, ADMIN_DENY, ADMIN_LATE, NETWORK, BASELINE, LEN };
        struct rule rules[LEN];
        struct port_match ports[LEN];
        struct policy list[LEN] = {
                [PASS] = tier_policy("pass", TIER_ADMIN, 1, &rules[PASS], &ports[PASS], ACTION_PASS, 10),
                [ADMIN_DENY] =
                        tier_policy("deny", TIER_ADMIN, 2, &rules[ADMIN_DENY], &ports[ADMIN_DENY], ACTION_DENY, 20),
                [ADMIN_LATE] =
                        tier_policy("late", TIER_ADMIN, 3, &rules[ADMIN_LATE], &ports[ADMIN_LATE], ACTION_DENY, 10),
                [NETWORK] =
                        tier_policy("np", TIER_NETWORK_POLICY, 0, &rules[NETWORK], &ports[NETWORK], ACTION_ALLOW, 10),
                [BASELINE] = tier_policy("base", TIER_BASELINE, 0, &rules[BASELINE], &ports[BASELINE], ACTION_DENY, 30),
        };
        struct policy_set set = {.policies = list, .policies_len = LEN};
        struct fixture f = {0};
        struct world *tiered;

        list[NETWORK].ns = "shop";
        fixture_init(&f, "", INVENTORY);
        assert_int_equal(world_new(&tiered, &set, f.inventory, &settings_default), 0);
        world_free(f.world);
        f.world = tiered;
        assert_string_equal(ask(&f, DIR_INGRESS, "db", "web-1", NULL, IPPROTO_TCP, 10)->policy->name, "np");
        assert_string_equal(ask(&f, DIR_INGRESS, "db", "web-1", NULL, IPPROTO_TCP, 20)->policy->name, "deny");
        assert_int_equal(ask(&f, DIR_INGRESS, "db", "web-1", NULL, IPPROTO_TCP, 30)->tier, TIER_NETWORK_POLICY);
        world_free(f.world);

        /* Without a NetworkPolicy the Baseline tier is reached, and the default action behind it. */
        list[NETWORK] = list[BASELINE];
        set.policies_len = LEN - 1;
        assert_int_equal(world_new(&f.world, &set, f.inventory, &settings_default), 0);
        assert_string_equal(ask(&f, DIR_INGRESS, "db", "web-1", NULL, IPPROTO_TCP, 30)->policy->name, "base");
        assert_int_equal(ask(&f, DIR_INGRESS, "db", "web-1", NULL, IPPROTO_TCP, 10)->tier, TIER_DEFAULT);
        fixture_fini(&f);
        (void)state;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(endpoints_that_no_selector_tells_apart_share_classes),
                cmocka_unit_test(the_deciding_rule_is_named),
                cmocka_unit_test(host_network_is_no_peer_by_label_but_by_address),
                cmocka_unit_test(port_names_resolve_on_the_destination),
                cmocka_unit_test(the_outside_is_cut_at_blocks_and_excepts),
                cmocka_unit_test(blocks_that_touch_the_ends_of_the_space_are_whole),
                cmocka_unit_test(namespace_labels_come_from_objects_too),
                cmocka_unit_test(tiers_decide_in_order_and_pass_leaves_them),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
