/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The matrix: sets of connections, pairs, addresses treated apart, the outside, limits. */
#include <netinet/in.h>

#include <vethwall/matrix.h>

#include "scene.h"

#define INVENTORY                                                                                                      \
        "apiVersion: vethwall.io/v1\n"                                                                                 \
        "kind: Inventory\n"                                                                                            \
        "namespaces:\n"                                                                                                \
        "  other: {}\n"                                                                                                \
        "endpoints:\n"                                                                                                 \
        "- {name: web, namespace: shop, labels: {app: web}, addresses: [10.0.0.2, 10.1.0.2, 'fd00::2']}\n"             \
        "- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.3, 'fd00::3']}\n"                         \
        "- {name: bare, namespace: shop, labels: {app: bare}}\n"                                                       \
        "- {name: six, namespace: other, addresses: ['fd00::9']}\n"                                                    \
        "- {name: four, namespace: other, addresses: [10.0.0.4]}\n"                                                    \
        "- {name: node, namespace: other, labels: {app: web}, addresses: [192.0.2.1], hostNetwork: true}\n"

#define POLICY(spec)                                                                                                   \
        "apiVersion: networking.k8s.io/v1\n"                                                                           \
        "kind: NetworkPolicy\n"                                                                                        \
        "metadata: {name: p, namespace: shop}\n"                                                                       \
        "spec: " spec "\n"

struct fixture {
        struct scene scene;
        struct matrix *matrix;
};

static void start(struct fixture *f, const char *policies)
{
        *f = (struct fixture){0};
        scene_init(&f->scene, policies, INVENTORY);
        assert_int_equal(matrix_new(&f->matrix, f->scene.world), 0);
}

static void stop(struct fixture *f)
{
        matrix_free(f->matrix);
        scene_fini(&f->scene);
}

static struct matrix_flow between(struct fixture *f, const char *src, const char *dst)
{
        struct matrix_flow flow;

        assert_int_equal(
                matrix_between(f->matrix, scene_endpoint(&f->scene, src), scene_endpoint(&f->scene, dst), &flow), 0);
        return flow;
}

static const struct conns *make(struct fixture *f, const struct conns_part *parts, size_t len)
{
        const struct conns *conns;

        assert_int_equal(matrix_conns(f->matrix, parts, len, &conns), 0);
        return conns;
}

static void assert_ports(const struct conns *conns, enum conns_proto proto, const struct port_range *ports, size_t len)
{
        assert_int_equal(conns->ports_len[proto], len);
        for (size_t i = 0; i < len; i++) {
                assert_int_equal(conns->ports[proto][i].first, ports[i].first);
                assert_int_equal(conns->ports[proto][i].last, ports[i].last);
        }
}

static void sets_are_canonical_and_shared(_unused_ void **state)
{
        const struct conns_part messy[] = {
                {CONNS_UDP, {53, 53}}, {CONNS_TCP, {81, 90}},     {CONNS_TCP, {80, 80}},
                {CONNS_TCP, {85, 95}}, {CONNS_PROTO_MAX, {0, 0}}, {CONNS_TCP, {200, 200}},
        };
        const struct conns_part neat[] = {
                {CONNS_TCP, {80, 95}},
                {CONNS_TCP, {200, 200}},
                {CONNS_UDP, {53, 53}},
                {CONNS_PROTO_MAX, {0, 0}},
        };
        struct fixture f;
        const struct conns *conns;

        start(&f, "");
        conns = make(&f, messy, ARRAY_SIZE(messy));
        assert_ptr_equal(conns, make(&f, neat, ARRAY_SIZE(neat)));
        assert_ports(conns, CONNS_TCP, (struct port_range[]){{80, 95}, {200, 200}}, 2);
        assert_ports(conns, CONNS_UDP, (struct port_range[]){{53, 53}}, 1);
        assert_ports(conns, CONNS_SCTP, NULL, 0);
        assert_true(conns->other);
        stop(&f);
}

static void port_zero_is_no_port(_unused_ void **state)
{
        const struct conns_part zero[] = {{CONNS_TCP, {0, 0}}};
        const struct conns_part low[] = {{CONNS_TCP, {0, 5}}};
        struct fixture f;

        start(&f, "");
        assert_true(conns_is_empty(make(&f, zero, 1)));
        assert_ports(make(&f, low, 1), CONNS_TCP, (struct port_range[]){{1, 5}}, 1);
        stop(&f);
}

static void intersection_and_union(_unused_ void **state)
{
        const struct conns_part left[] = {{CONNS_TCP, {1, 100}}, {CONNS_TCP, {200, 300}}, {CONNS_SCTP, {7, 7}}};
        const struct conns_part right[] = {{CONNS_TCP, {50, 250}}, {CONNS_UDP, {53, 53}}, {CONNS_PROTO_MAX, {0, 0}}};
        const struct conns *a, *b, *both, *either, *again;
        struct fixture f;

        start(&f, "");
        a = make(&f, left, ARRAY_SIZE(left));
        b = make(&f, right, ARRAY_SIZE(right));

        assert_int_equal(matrix_intersect(f.matrix, a, b, &both), 0);
        assert_ports(both, CONNS_TCP, (struct port_range[]){{50, 100}, {200, 250}}, 2);
        assert_ports(both, CONNS_UDP, NULL, 0);
        assert_ports(both, CONNS_SCTP, NULL, 0);
        assert_false(both->other);

        assert_int_equal(matrix_unite(f.matrix, a, b, &either), 0);
        assert_ports(either, CONNS_TCP, (struct port_range[]){{1, 300}}, 1);
        assert_ports(either, CONNS_UDP, (struct port_range[]){{53, 53}}, 1);
        assert_ports(either, CONNS_SCTP, (struct port_range[]){{7, 7}}, 1);
        assert_true(either->other);

        /* The same object, whichever way it is asked for. */
        assert_int_equal(matrix_intersect(f.matrix, b, a, &again), 0);
        assert_ptr_equal(again, both);
        assert_int_equal(matrix_unite(f.matrix, either, a, &again), 0);
        assert_ptr_equal(again, either);
        stop(&f);
}

static void membership(_unused_ void **state)
{
        const struct conns_part parts[] = {{CONNS_TCP, {80, 81}}, {CONNS_PROTO_MAX, {0, 0}}};
        const struct conns *conns;
        struct fixture f;

        start(&f, "");
        conns = make(&f, parts, ARRAY_SIZE(parts));
        assert_false(conns_allow(conns, IPPROTO_TCP, 79));
        assert_true(conns_allow(conns, IPPROTO_TCP, 80));
        assert_true(conns_allow(conns, IPPROTO_TCP, 81));
        assert_false(conns_allow(conns, IPPROTO_TCP, 82));
        assert_false(conns_allow(conns, IPPROTO_UDP, 80));
        assert_true(conns_allow(conns, IPPROTO_ICMP, 0));
        stop(&f);
}

static void protocols_have_names_and_numbers(_unused_ void **state)
{
        assert_string_equal(conns_proto_name(CONNS_SCTP), "SCTP");
        for (enum conns_proto i = 0; i < CONNS_PROTO_MAX; i++)
                assert_int_equal(conns_proto_of(conns_proto_number(i)), i);
        assert_int_equal(conns_proto_of(IPPROTO_ICMP), CONNS_PROTO_MAX);
}

static void without_policy_all_is_open(_unused_ void **state)
{
        struct matrix_flow flow;
        struct fixture f;

        start(&f, "");
        flow = between(&f, "shop/web", "other/four");
        assert_true(conns_is_full(flow.conns));
        assert_int_equal(flow.pairs_len, 0);
        stop(&f);
}

static void both_directions_must_allow(_unused_ void **state)
{
        static const char policies[] =
                POLICY("{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}], "
                       "ports: [{port: 80, endPort: 90}]}]}") "---\n"
                                                              "apiVersion: networking.k8s.io/v1\n"
                                                              "kind: NetworkPolicy\n"
                                                              "metadata: {name: q, namespace: shop}\n"
                                                              "spec: {podSelector: {matchLabels: {app: web}}, "
                                                              "policyTypes: [Egress], "
                                                              "egress: [{ports: [{port: 85, endPort: 100}]}]}\n";
        struct matrix_flow flow;
        struct fixture f;

        start(&f, policies);
        flow = between(&f, "shop/web", "shop/db");
        assert_ports(flow.conns, CONNS_TCP, (struct port_range[]){{85, 90}}, 1);
        assert_false(flow.conns->other);
        assert_true(conns_is_empty(between(&f, "other/four", "shop/db").conns));
        assert_true(conns_is_full(between(&f, "shop/db", "shop/web").conns));
        stop(&f);
}

static void an_endpoint_reaches_itself(_unused_ void **state)
{
        struct fixture f;

        start(&f, POLICY("{podSelector: {}, policyTypes: [Ingress, Egress]}"));
        assert_true(conns_is_full(between(&f, "shop/web", "shop/web").conns));
        assert_true(conns_is_empty(between(&f, "shop/web", "shop/db").conns));
        stop(&f);
}

static void a_block_may_cover_one_address(_unused_ void **state)
{
        char text[ADDR_TEXT_MAX];
        struct matrix_flow flow;
        struct fixture f;

        start(&f,
              POLICY("{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16}}]}]}"));
        flow = between(&f, "shop/web", "shop/db");
        assert_true(conns_is_full(flow.conns));

        /* Two addresses of IPv4 and one of IPv6 on the one side, one of each on the other: three pairs. */
        assert_int_equal(flow.pairs_len, 3);
        for (size_t i = 0; i < flow.pairs_len; i++) {
                assert_int_equal(flow.pairs[i].src->family, flow.pairs[i].dst->family);
                assert_true(conns_is_full(flow.pairs[i].conns) ==
                            (strcmp(addr_format(flow.pairs[i].src, text), "10.1.0.2") == 0));
        }
        stop(&f);
}

static void an_endpoint_without_address_is_met_by_its_labels(_unused_ void **state)
{
        struct fixture f;

        start(&f, POLICY("{podSelector: {matchLabels: {app: db}}, ingress: ["
                         "{from: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 80}]}, "
                         "{from: [{podSelector: {matchLabels: {app: bare}}}], ports: [{port: 443}]}]}"));
        assert_ports(between(&f, "shop/bare", "shop/db").conns, CONNS_TCP, (struct port_range[]){{443, 443}}, 1);
        assert_true(conns_is_full(between(&f, "shop/db", "shop/bare").conns));
        stop(&f);
}

static void endpoints_without_a_common_family_are_judged_all_the_same(_unused_ void **state)
{
        struct matrix_flow flow;
        struct fixture f;

        start(&f, POLICY("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}"));
        flow = between(&f, "other/six", "other/four");
        assert_true(conns_is_full(flow.conns));
        assert_true(conns_is_full(between(&f, "other/six", "shop/db").conns));
        stop(&f);
}

static void the_host_is_met_by_address_alone(_unused_ void **state)
{
        struct fixture f;

        start(&f,
              POLICY("{podSelector: {matchLabels: {app: db}}, ingress: ["
                     "{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]}, "
                     "{from: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 443}]}]}"));
        assert_ports(between(&f, "other/node", "shop/db").conns, CONNS_TCP, (struct port_range[]){{443, 443}}, 1);
        assert_ports(between(&f, "shop/web", "shop/db").conns, CONNS_TCP, (struct port_range[]){{80, 80}}, 1);
        assert_true(conns_is_full(between(&f, "shop/db", "other/node").conns));
        stop(&f);
}

static void assert_range(const struct matrix_range *range, const char *first, const char *last)
{
        char text[ADDR_TEXT_MAX];

        assert_string_equal(addr_format(&range->range.first, text), first);
        assert_string_equal(addr_format(&range->range.last, text), last);
}

static void the_outside_is_cut_where_verdicts_change(_unused_ void **state)
{
        const struct matrix_range *ranges;
        struct fixture f;
        size_t len;

        /* The second block says nothing new: its neighbours are merged, though another rule decides. */
        start(&f, POLICY("{podSelector: {matchLabels: {app: db}}, ingress: ["
                         "{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.5.0.0/16]}}], ports: [{port: 80}]}, "
                         "{from: [{ipBlock: {cidr: 11.0.0.0/8}}], ports: [{port: 80}]}]}"));

        assert_int_equal(
                matrix_outside(f.matrix, DIR_INGRESS, scene_endpoint(&f.scene, "shop/db"), ADDR_V4, &ranges, &len), 0);
        assert_int_equal(len, 5);
        assert_range(&ranges[0], "0.0.0.0", "9.255.255.255");
        assert_range(&ranges[1], "10.0.0.0", "10.4.255.255");
        assert_range(&ranges[2], "10.5.0.0", "10.5.255.255");
        assert_range(&ranges[3], "10.6.0.0", "11.255.255.255");
        assert_range(&ranges[4], "12.0.0.0", "255.255.255.255");
        assert_true(conns_is_empty(ranges[2].conns));
        assert_ptr_equal(ranges[1].conns, ranges[3].conns);
        assert_ports(ranges[1].conns, CONNS_TCP, (struct port_range[]){{80, 80}}, 1);

        assert_int_equal(
                matrix_outside(f.matrix, DIR_INGRESS, scene_endpoint(&f.scene, "shop/db"), ADDR_V6, &ranges, &len), 0);
        assert_int_equal(len, 1);
        assert_true(conns_is_empty(ranges[0].conns));

        assert_int_equal(
                matrix_outside(f.matrix, DIR_EGRESS, scene_endpoint(&f.scene, "shop/db"), ADDR_V6, &ranges, &len), 0);
        assert_int_equal(len, 1);
        assert_range(&ranges[0], "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        assert_true(conns_is_full(ranges[0].conns));
        stop(&f);
}

static void a_limit_holds_everywhere(_unused_ void **state)
{
        const struct conns_part parts[] = {{CONNS_TCP, {80, 80}}};
        const struct matrix_range *ranges;
        const struct conns *limit;
        struct fixture f;
        size_t len;

        start(&f, "");
        limit = make(&f, parts, 1);
        matrix_limit(f.matrix, limit);
        assert_ptr_equal(between(&f, "shop/web", "shop/db").conns, limit);
        assert_ptr_equal(between(&f, "other/node", "other/four").conns, limit);
        assert_int_equal(
                matrix_outside(f.matrix, DIR_EGRESS, scene_endpoint(&f.scene, "other/node"), ADDR_V4, &ranges, &len),
                0);
        assert_int_equal(len, 1);
        assert_ptr_equal(ranges[0].conns, limit);
        stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sets_are_canonical_and_shared),
                cmocka_unit_test(port_zero_is_no_port),
                cmocka_unit_test(intersection_and_union),
                cmocka_unit_test(membership),
                cmocka_unit_test(protocols_have_names_and_numbers),
                cmocka_unit_test(without_policy_all_is_open),
                cmocka_unit_test(both_directions_must_allow),
                cmocka_unit_test(an_endpoint_reaches_itself),
                cmocka_unit_test(a_block_may_cover_one_address),
                cmocka_unit_test(an_endpoint_without_address_is_met_by_its_labels),
                cmocka_unit_test(endpoints_without_a_common_family_are_judged_all_the_same),
                cmocka_unit_test(the_host_is_met_by_address_alone),
                cmocka_unit_test(the_outside_is_cut_where_verdicts_change),
                cmocka_unit_test(a_limit_holds_everywhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
