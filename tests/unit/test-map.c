/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maps: which endpoints are one node, what the node is called, the outside in parts, edges. */
#include <vethwall/map.h>

#include "scene.h"

#define INVENTORY(endpoints)                                                                                           \
        "apiVersion: vethwall.io/v1\n"                                                                                 \
        "kind: Inventory\n"                                                                                            \
        "endpoints:\n" endpoints

#define ENDPOINT(ns, name, labels, addr)                                                                               \
        "- {namespace: " ns ", name: '" name "', labels: {" labels "}, addresses: ['" addr "']}\n"

#define POLICY(ns, name, spec)                                                                                         \
        "---\n"                                                                                                        \
        "apiVersion: networking.k8s.io/v1\n"                                                                           \
        "kind: NetworkPolicy\n"                                                                                        \
        "metadata: {name: " name ", namespace: " ns "}\n"                                                              \
        "spec: " spec "\n"

struct fixture {
        struct scene scene;
        struct matrix *matrix;
        struct map *map;
};

static void start(struct fixture *f, const char *policies, const char *inventory, bool group)
{
        *f = (struct fixture){0};
        scene_init(&f->scene, policies, inventory);
        assert_int_equal(matrix_new(&f->matrix, f->scene.world), 0);
        assert_int_equal(map_new(&f->map, f->matrix, f->scene.world, group), 0);
}

static void stop(struct fixture *f)
{
        map_free(f->map);
        matrix_free(f->matrix);
        scene_fini(&f->scene);
}

static size_t node(const struct fixture *f, const char *text)
{
        for (size_t i = 0; i < f->map->groups_len; i++)
                if (strcmp(f->map->nodes[i].text, text) == 0)
                        return i;

        for (size_t i = 0; i < f->map->groups_len; i++)
                print_error("there is %s\n", f->map->nodes[i].text);
        fail_msg("no node %s", text);
        return 0;
}

/* The edge, or NULL. */
static const struct map_edge *edge(struct fixture *f, size_t src, size_t dst)
{
        const struct map_edge *edges;
        size_t len;

        assert_int_equal(map_edges(f->map, src, &edges, &len), 0);
        for (size_t i = 0; i < len; i++)
                if (edges[i].dst == dst)
                        return &edges[i];

        return NULL;
}

#define TWO_APPS                                                                                                       \
        ENDPOINT("shop", "web-1", "app: web", "10.0.0.1")                                                              \
        ENDPOINT("shop", "web-2", "app: web", "10.0.0.2")                                                              \
        ENDPOINT("shop", "db", "app: db", "10.0.0.3")

#define WEB_TO_DB                                                                                                      \
        POLICY("shop", "db",                                                                                           \
               "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], " \
               "ports: [{port: 5432}]}]}")

static void alike_are_one_node(_unused_ void **state)
{
        struct fixture f;
        size_t web, db;

        start(&f, WEB_TO_DB, INVENTORY(TWO_APPS), true);
        assert_int_equal(f.map->groups_len, 2);
        web = node(&f, "shop: app=web (2)");
        db = node(&f, "shop/db");
        assert_int_equal(f.map->nodes[web].members_len, 2);
        assert_string_equal(f.map->nodes[web].ns, "shop");
        assert_string_equal(f.map->nodes[web].name, "app=web");
        assert_true(conns_allow(edge(&f, web, db)->conns, IPPROTO_TCP, 5432));
        assert_false(conns_allow(edge(&f, web, db)->conns, IPPROTO_TCP, 80));
        assert_true(conns_is_full(edge(&f, web, web)->conns)); /* one another */
        assert_null(edge(&f, db, db));
        stop(&f);
}

static void without_groups_each_is_a_node(_unused_ void **state)
{
        struct fixture f;

        start(&f, WEB_TO_DB, INVENTORY(TWO_APPS), false);
        assert_int_equal(f.map->groups_len, 3);
        assert_string_equal(f.map->nodes[1].text, "shop/web-1");
        assert_null(edge(&f, 1, 1));
        stop(&f);
}

static void nothing_is_a_map_too(_unused_ void **state)
{
        struct fixture f;

        start(&f, "", "apiVersion: vethwall.io/v1\nkind: Inventory\n", true);
        assert_int_equal(f.map->len, 0);
        stop(&f);
}

/* Two whose flows are the same, though policies tell their labels apart. */
static void flows_make_groups_and_not_labels(_unused_ void **state)
{
        struct fixture f;

        start(&f,
              POLICY("shop", "a", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress]}")
                      POLICY("shop", "b", "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress]}"),
              INVENTORY(TWO_APPS), true);
        assert_int_equal(f.map->len, 1);
        assert_string_equal(f.map->nodes[0].text, "shop/* (3)");
        assert_string_equal(f.map->nodes[0].name, "all endpoints");
        stop(&f);
}

/* They are exchanged only together with what they reach: each has its own. */
static void equal_roles_are_not_alike(_unused_ void **state)
{
        struct fixture f;

        start(&f,
              POLICY("a", "p", "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}")
                      POLICY("b", "p", "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}"),
              INVENTORY(ENDPOINT("a", "x", "", "10.0.0.1") ENDPOINT("a", "y", "", "10.0.0.2")
                                ENDPOINT("b", "x", "", "10.0.0.3") ENDPOINT("b", "y", "", "10.0.0.4")),
              true);
        assert_int_equal(f.map->groups_len, 2);
        assert_null(edge(&f, node(&f, "a/* (2)"), node(&f, "b/* (2)")));
        stop(&f);
}

#define CLOSE(ns, labels)                                                                                              \
        POLICY(ns, "closed", "{podSelector: {matchLabels: {" labels "}}, policyTypes: [Ingress, Egress]}")

static void a_few_labels_may_select_a_group(_unused_ void **state)
{
        struct fixture f;

        start(&f, CLOSE("shop", "app: web, tier: front"),
              INVENTORY(ENDPOINT("shop", "a", "app: web, tier: front, nr: a", "10.0.0.1")
                                ENDPOINT("shop", "b", "app: web, tier: front, nr: b", "10.0.0.2")
                                        ENDPOINT("shop", "c", "app: web, tier: back", "10.0.0.3")
                                                ENDPOINT("shop", "d", "app: db, tier: front", "10.0.0.4")),
              true);
        node(&f, "shop: app=web,tier=front (2)");
        stop(&f);
}

/* The one that a policy speaks of, where several select as well. */
static void known_labels_are_preferred(_unused_ void **state)
{
        struct fixture f;

        start(&f, CLOSE("shop", "service: web"),
              INVENTORY(ENDPOINT("shop", "a", "a: b, service: web", "10.0.0.1") ENDPOINT(
                      "shop", "b", "a: b, service: web", "10.0.0.2") ENDPOINT("shop", "c", "a: c", "10.0.0.3")),
              true);
        node(&f, "shop: service=web (2)");
        stop(&f);
}

static void namespaces_have_names_together(_unused_ void **state)
{
        struct fixture f;

        start(&f, CLOSE("shop", "app: web") CLOSE("blog", "app: web"),
              INVENTORY(ENDPOINT("shop", "a", "app: web", "10.0.0.1") ENDPOINT("blog", "b", "app: web", "10.0.0.2")
                                ENDPOINT("shop", "c", "app: db", "10.0.0.3") ENDPOINT("lab", "d", "", "10.0.0.4")
                                        ENDPOINT("lab", "w", "app: web", "10.0.0.5")),
              true);
        assert_null(f.map->nodes[node(&f, "{blog,shop}: app=web (2)")].ns);
        node(&f, "lab/d and 2 more"); /* two of lab, and one of shop that has no label of theirs */
        stop(&f);
}

static void names_that_begin_alike(_unused_ void **state)
{
        struct fixture f;

        start(&f,
              POLICY("shop", "p",
                     "{podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}, "
                     "policyTypes: [Ingress, Egress]}"),
              INVENTORY(ENDPOINT("shop", "job-1", "", "10.0.0.1") ENDPOINT("shop", "job-2", "", "10.0.0.2")
                                ENDPOINT("shop", "web", "app: web", "10.0.0.3")),
              true);
        node(&f, "shop/job-* (2)");
        stop(&f);
}

static void the_outside_is_cut_in_parts(_unused_ void **state)
{
        struct fixture f;
        size_t web, db;

        start(&f,
              POLICY("shop", "p",
                     "{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], egress: "
                     "[{to: [{ipBlock: {cidr: 192.0.2.0/24}}, {ipBlock: {cidr: '2001:db8::/32'}}]}]}"),
              INVENTORY(TWO_APPS), true);
        assert_int_equal(f.map->len, f.map->groups_len + 2);
        assert_true(map_is_everywhere(&f.map->nodes[f.map->groups_len]));
        assert_false(map_is_everywhere(&f.map->nodes[f.map->groups_len + 1]));
        assert_int_equal(f.map->nodes[f.map->groups_len + 1].ranges_len, 2);

        web = node(&f, "shop: app=web (2)");
        db = node(&f, "shop/db");
        assert_non_null(edge(&f, web, f.map->groups_len));
        assert_non_null(edge(&f, f.map->groups_len, web));
        assert_non_null(edge(&f, db, f.map->groups_len + 1));
        assert_null(edge(&f, db, f.map->groups_len));
        assert_null(edge(&f, f.map->groups_len, db));
        stop(&f);
}

/* Members of a group have their addresses in the same places between the blocks. */
static void addresses_apart_are_marked(_unused_ void **state)
{
        const struct map_edge *found;
        struct map_pair pair;
        struct fixture f;
        size_t web, db;

        start(&f,
              POLICY("shop", "db",
                     "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16}}]}]}"),
              INVENTORY("- {namespace: shop, name: web-1, labels: {app: web}, addresses: [10.0.0.1, 10.1.0.1]}\n"
                        "- {namespace: shop, name: web-2, labels: {app: web}, addresses: [10.0.0.2, 10.1.0.2]}\n"
                        "- {namespace: shop, name: web-3, labels: {app: web}, addresses: [10.1.0.3, 10.1.0.4]}\n"
                        "- {namespace: shop, name: db, labels: {app: db}, addresses: [10.0.0.9]}\n"),
              true);
        web = node(&f, "shop/web-1 and 1 more");
        db = node(&f, "shop/db");
        found = edge(&f, web, db);
        assert_true(found->by_address);
        pair = map_members(f.map, web, db);
        assert_int_equal(pair.src, scene_endpoint(&f.scene, "shop/web-1"));
        assert_int_equal(pair.dst, scene_endpoint(&f.scene, "shop/db"));
        assert_false(edge(&f, node(&f, "shop/web-3"), db)->by_address);
        stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(alike_are_one_node),         cmocka_unit_test(without_groups_each_is_a_node),
                cmocka_unit_test(nothing_is_a_map_too),       cmocka_unit_test(flows_make_groups_and_not_labels),
                cmocka_unit_test(equal_roles_are_not_alike),  cmocka_unit_test(a_few_labels_may_select_a_group),
                cmocka_unit_test(known_labels_are_preferred), cmocka_unit_test(namespaces_have_names_together),
                cmocka_unit_test(names_that_begin_alike),     cmocka_unit_test(the_outside_is_cut_in_parts),
                cmocka_unit_test(addresses_apart_are_marked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
