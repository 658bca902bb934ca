/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes between two worlds: what turned and why, kinds, the outside, addresses apart, endpoints that come and go. */
#include <netinet/in.h>
#include <stdio.h>

#include <vethwall/changes.h>

#include "scene.h"

#define ENDPOINTS(list) "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n" list

#define INVENTORY                                                                                                      \
        ENDPOINTS("- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.3]}\n"                          \
                  "- {name: web-1, namespace: shop, labels: {app: web}, addresses: [10.0.0.2, 10.1.0.2]}\n"            \
                  "- {name: web-2, namespace: shop, labels: {app: web}, addresses: [10.0.0.4, 10.1.0.4]}\n")

#define POLICY(name, spec)                                                                                             \
        "---\n"                                                                                                        \
        "apiVersion: networking.k8s.io/v1\n"                                                                           \
        "kind: NetworkPolicy\n"                                                                                        \
        "metadata: {name: " name ", namespace: shop}\n"                                                                \
        "spec: " spec "\n"

struct fixture {
        struct scene scenes[CHANGE_SIDE_MAX];
        struct changes *changes;
};

static void start_both(struct fixture *f, const char *old, const char *old_inventory, const char *new,
                       const char *new_inventory)
{
        *f = (struct fixture){0};
        scene_init(&f->scenes[CHANGE_OLD], old, old_inventory);
        scene_init(&f->scenes[CHANGE_NEW], new, new_inventory);
        assert_int_equal(changes_new(&f->changes, f->scenes[CHANGE_OLD].world, f->scenes[CHANGE_NEW].world), 0);
}

static void start(struct fixture *f, const char *old, const char *new)
{
        start_both(f, old, INVENTORY, new, INVENTORY);
}

static void stop(struct fixture *f)
{
        changes_free(f->changes);
        scene_fini(&f->scenes[CHANGE_OLD]);
        scene_fini(&f->scenes[CHANGE_NEW]);
}

static size_t kind_of(const struct fixture *f, const char *name)
{
        for (size_t i = 0; i < f->changes->parties_len; i++)
                for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                        if (f->changes->parties[i].endpoint[side] &&
                            strcmp(f->changes->parties[i].endpoint[side]->name, name) == 0)
                                return f->changes->parties[i].kind;

        fail_msg("no endpoint %s", name);
        return 0;
}

static const struct change *between(const struct fixture *f, const char *src, const char *dst)
{
        for (size_t i = 0; i < f->changes->len; i++) {
                const struct change *change = &f->changes->items[i];

                if (!change->src.outside && !change->dst.outside && change->src.kind == kind_of(f, src) &&
                    change->dst.kind == kind_of(f, dst))
                        return change;
        }

        return NULL;
}

static void assert_tcp(const struct conns *conns, uint16_t first, uint16_t last)
{
        assert_int_equal(conns->ports_len[CONNS_TCP], 1);
        assert_int_equal(conns->ports[CONNS_TCP][0].first, first);
        assert_int_equal(conns->ports[CONNS_TCP][0].last, last);
        assert_int_equal(conns->ports_len[CONNS_UDP], 0);
        assert_false(conns->other);
}

static void nothing_differs_from_itself(_unused_ void **state)
{
        const char *policy =
                POLICY("p", "{podSelector: {}, ingress: [{from: [{podSelector: {}}], ports: [{port: 80}]}]}");
        struct fixture f;

        start(&f, policy, policy);
        assert_int_equal(f.changes->len, 0);
        stop(&f);
}

static void a_port_more_and_a_port_less(_unused_ void **state)
{
        const struct change *change;
        struct fixture f;

        start(&f, POLICY("p", "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 80, endPort: 90}]}]}"),
              POLICY("p", "{podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 85, endPort: 95}]}]}"));
        change = between(&f, "web-1", "db");
        assert_non_null(change);
        assert_true(change->widens && change->narrows);
        assert_tcp(change->conns[CHANGE_OLD], 80, 90);
        assert_tcp(change->conns[CHANGE_NEW], 85, 95);
        assert_int_equal(change->pairs_len, 0);
        assert_int_equal(change->parts_len, 2);
        for (size_t i = 0; i < 2; i++) {
                const struct change_reason *reason = change->parts[i].reason;

                assert_false(reason->turned[DIR_EGRESS]);
                assert_true(reason->turned[DIR_INGRESS]);
                assert_tcp(change->parts[i].conns, reason->widens ? 91 : 80, reason->widens ? 95 : 84);
                assert_ptr_equal(reason->causes[DIR_INGRESS][CHANGE_OLD].policy,
                                 &f.scenes[CHANGE_OLD].policies->policies[0]);
                assert_int_equal(reason->causes[DIR_INGRESS][CHANGE_OLD].rule != NULL, !reason->widens);
                assert_int_equal(reason->causes[DIR_INGRESS][CHANGE_NEW].rule != NULL, reason->widens);
        }
        assert_null(between(&f, "web-1", "web-1"));
        assert_null(between(&f, "db", "web-1"));
        stop(&f);
}

/* Both webs are one kind: one change speaks of two pairs, and of four among themselves. */
static void those_alike_share_a_change(_unused_ void **state)
{
        const struct change *change;
        struct fixture f;

        start(&f, "", POLICY("p", "{podSelector: {}}"));
        assert_int_equal(f.changes->kinds_len, 2);
        change = between(&f, "web-2", "db");
        assert_non_null(change);
        assert_int_equal(change_size(f.changes, change), 2);
        change = between(&f, "web-1", "web-2");
        assert_non_null(change);
        assert_int_equal(change_size(f.changes, change), 2);
        assert_null(between(&f, "db", "db"));
        stop(&f);

        /* A block that covers but one of them makes them two. */
        start(&f, "", POLICY("p", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.2/32}}]}]}"));
        assert_int_equal(f.changes->kinds_len, 3);
        stop(&f);
}

static void both_directions_may_have_turned(_unused_ void **state)
{
        const struct change *change;
        struct fixture f;

        start(&f, "",
              POLICY("in", "{podSelector: {matchLabels: {app: db}}}")
                      POLICY("out", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}"));
        change = between(&f, "web-1", "db");
        assert_non_null(change);
        assert_int_equal(change->parts_len, 1);
        assert_true(change->parts[0].reason->turned[DIR_EGRESS] && change->parts[0].reason->turned[DIR_INGRESS]);
        assert_string_equal(change->parts[0].reason->causes[DIR_EGRESS][CHANGE_NEW].policy->name, "out");
        assert_int_equal(change->parts[0].reason->causes[DIR_EGRESS][CHANGE_OLD].tier, TIER_DEFAULT);
        assert_string_equal(change->parts[0].reason->causes[DIR_INGRESS][CHANGE_NEW].policy->name, "in");
        stop(&f);
}

static void addresses_may_turn_apart(_unused_ void **state)
{
        const struct change *change;
        struct fixture f;

        start(&f,
              POLICY("p",
                     "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/16}}]}]}"),
              POLICY("p",
                     "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16}}]}]}"));
        change = between(&f, "web-1", "db");
        assert_non_null(change);
        assert_ptr_equal(change->conns[CHANGE_OLD], change->conns[CHANGE_NEW]);
        assert_true(change->widens && change->narrows);
        assert_int_equal(change->pairs_len, 2);
        assert_int_equal(change->pairs[0].src, 0);
        assert_true(conns_is_full(change->pairs[0].conns[CHANGE_OLD]));
        assert_true(conns_is_empty(change->pairs[0].conns[CHANGE_NEW]));
        assert_true(conns_is_empty(change->pairs[1].conns[CHANGE_OLD]));
        assert_true(conns_is_full(change->pairs[1].conns[CHANGE_NEW]));
        stop(&f);
}

static void the_outside_is_cut_by_both(_unused_ void **state)
{
        static const char *const want[] = {"192.0.2.0", "192.0.2.127", "192.0.3.0", "192.0.3.255"};
        struct fixture f;
        size_t n = 0;

        start(&f,
              POLICY("p",
                     "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}]}"),
              POLICY("p",
                     "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.128/25}}, "
                     "{ipBlock: {cidr: 192.0.3.0/24}}]}]}"));
        for (size_t i = 0; i < f.changes->len; i++) {
                const struct change *change = &f.changes->items[i];
                char text[ADDR_TEXT_MAX];

                assert_true(change->src.outside);
                assert_true(n < 2);
                assert_string_equal(addr_format(&change->src.range.first, text), want[2 * n]);
                assert_string_equal(addr_format(&change->src.range.last, text), want[2 * n + 1]);
                assert_int_equal(change->widens, n == 1);
                assert_int_equal(change->narrows, n == 0);
                n++;
        }
        assert_int_equal(n, 2);
        stop(&f);
}

/* One range with one result; two rules say so for its halves. */
static void a_range_may_have_two_reasons(_unused_ void **state)
{
        const struct change *change;
        struct fixture f;

        start(&f, POLICY("p", "{podSelector: {matchLabels: {app: db}}}"),
              POLICY("p",
                     "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/25}}]}, "
                     "{from: [{ipBlock: {cidr: 192.0.2.128/25}}]}]}"));
        assert_int_equal(f.changes->len, 1);
        change = &f.changes->items[0];
        assert_int_equal(change->parts_len, 2);
        assert_true(addr_equal(&change->parts[0].range.first, &change->src.range.first));
        assert_true(addr_equal(&change->parts[1].range.last, &change->src.range.last));
        assert_int_equal(change->parts[0].range.last.bytes[3], 127);
        assert_int_equal(change->parts[1].range.first.bytes[3], 128);
        assert_ptr_not_equal(change->parts[0].reason, change->parts[1].reason);
        stop(&f);
}

static void endpoints_come_and_go(_unused_ void **state)
{
        const struct change *change;
        struct fixture f;

        start_both(&f, "", ENDPOINTS("- {name: a, addresses: [10.0.0.1]}\n- {name: b, addresses: [10.0.0.2]}\n"), "",
                   ENDPOINTS("- {name: b, addresses: [10.0.0.9]}\n- {name: c, addresses: [10.0.0.3]}\n"));
        assert_int_equal(f.changes->parties_len, 3);
        change = between(&f, "a", "b");
        assert_non_null(change);
        assert_true(change->narrows && !change->widens);
        assert_int_equal(change->parts[0].reason->causes[DIR_INGRESS][CHANGE_NEW].tier, TIER_MAX);
        change = between(&f, "b", "c");
        assert_non_null(change);
        assert_true(change->widens && conns_is_empty(change->conns[CHANGE_OLD]));
        assert_null(between(&f, "a", "c"));
        stop(&f);
}

/* The cache is allowed by the new policies, the shell by its new label, and jobs only by both; db has another address. */
static void what_turns_a_flow_is_told(_unused_ void **state)
{
        static const struct {
                const char *src;
                enum change_origin origin;
                unsigned facts;
        } want[] = {
                {"cache", CHANGE_BY_POLICY, 0},
                {"shell", CHANGE_BY_INVENTORY, 1u << CHANGE_FACT_LABELS},
                {"jobs", CHANGE_JOINT, 1u << CHANGE_FACT_LABELS},
        };
        const struct change *change;
        struct fixture f;

        start_both(&f,
                   POLICY("p", "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: "
                               "{app: web}}}]}]}"),
                   ENDPOINTS("- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.1]}\n"
                             "- {name: cache, namespace: shop, labels: {app: cache}}\n"
                             "- {name: shell, namespace: shop, labels: {app: shell}}\n"
                             "- {name: jobs, namespace: shop, labels: {app: jobs}}\n"),
                   POLICY("p", "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
                               "{matchExpressions: [{key: app, operator: In, values: [web, cache, worker]}]}}]}]}"),
                   ENDPOINTS("- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.9]}\n"
                             "- {name: cache, namespace: shop, labels: {app: cache}}\n"
                             "- {name: shell, namespace: shop, labels: {app: web}}\n"
                             "- {name: jobs, namespace: shop, labels: {app: worker}}\n"));
        assert_int_equal(f.changes->len, ARRAY_SIZE(want));
        assert_int_equal(f.changes->kinds[kind_of(&f, "db")].facts, 1u << CHANGE_FACT_ADDRESSES);
        for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
                change = between(&f, want[i].src, "db");
                assert_non_null(change);
                assert_int_equal(change->origin, want[i].origin);
                assert_int_equal(change->parts_len, 1);
                assert_int_equal(change->parts[0].reason->origin, want[i].origin);
                assert_int_equal(f.changes->kinds[change->src.kind].facts, want[i].facts);
        }
        stop(&f);
}

/* Labels of the namespace from the inventory are one thing, from a Namespace object beside the policies another. */
static void labels_of_a_namespace_belong_to_where_they_are(_unused_ void **state)
{
        const char *policy = POLICY("p", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: "
                                         "{team: a}}}]}]}");
        const char *labelled = POLICY("p", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: "
                                           "{team: a}}}]}]}") "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: "
                                                              "lab, labels: {team: a}}\n";
        const char *plain = "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n- {name: x, namespace: lab}\n"
                            "- {name: db, namespace: shop}\n";
        const char *team = "apiVersion: vethwall.io/v1\nkind: Inventory\nnamespaces: {lab: {labels: {team: a}}}\n"
                           "endpoints:\n- {name: x, namespace: lab}\n- {name: db, namespace: shop}\n";
        struct fixture f;

        start_both(&f, policy, plain, policy, team);
        assert_int_equal(f.changes->len, 1);
        assert_int_equal(f.changes->items[0].origin, CHANGE_BY_INVENTORY);
        assert_int_equal(f.changes->kinds[kind_of(&f, "x")].facts, 1u << CHANGE_FACT_NAMESPACE_LABELS);
        stop(&f);

        start_both(&f, policy, plain, labelled, plain);
        assert_int_equal(f.changes->len, 1);
        assert_int_equal(f.changes->items[0].origin, CHANGE_BY_POLICY);
        assert_int_equal(f.changes->kinds[kind_of(&f, "x")].facts, 0);
        stop(&f);
}

struct visit {
        char text[512];
};

static int note(_unused_ const struct changes *changes, _unused_ const struct change *change,
                const struct change_party *src, const struct change_party *dst, void *userdata)
{
        struct visit *visit = userdata;
        size_t len = strlen(visit->text);

        snprintf(visit->text + len, sizeof(visit->text) - len, "%s>%s ", src ? src->endpoint[CHANGE_NEW]->name : "*",
                 dst ? dst->endpoint[CHANGE_NEW]->name : "*");
        return 0;
}

static int stop_at_once(_unused_ const struct changes *changes, _unused_ const struct change *change,
                        _unused_ const struct change_party *src, _unused_ const struct change_party *dst,
                        void *userdata)
{
        ++*(int *)userdata;
        return 7;
}

static void visits_go_in_the_matrix_order(_unused_ void **state)
{
        struct visit visit = {""};
        struct fixture f;
        int calls = 0;

        start(&f, "", POLICY("p", "{podSelector: {matchLabels: {app: web}}}"));
        assert_int_equal(changes_visit(f.changes, note, &visit), 0);
        assert_string_equal(visit.text, "db>web-1 db>web-2 web-1>web-2 web-2>web-1 *>web-1 *>web-1 *>web-2 *>web-2 ");
        assert_int_equal(changes_visit(f.changes, stop_at_once, &calls), 7);
        assert_int_equal(calls, 1);
        stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_differs_from_itself),
                cmocka_unit_test(a_port_more_and_a_port_less),
                cmocka_unit_test(those_alike_share_a_change),
                cmocka_unit_test(both_directions_may_have_turned),
                cmocka_unit_test(addresses_may_turn_apart),
                cmocka_unit_test(the_outside_is_cut_by_both),
                cmocka_unit_test(a_range_may_have_two_reasons),
                cmocka_unit_test(endpoints_come_and_go),
                cmocka_unit_test(what_turns_a_flow_is_told),
                cmocka_unit_test(labels_of_a_namespace_belong_to_where_they_are),
                cmocka_unit_test(visits_go_in_the_matrix_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
