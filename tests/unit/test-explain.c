/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Explanations: the verdict, the deciding rule, and what each rule answers. */
#include <netinet/in.h>

#include <vethwall/explain.h>

#include "scene.h"

#define INVENTORY                                                                                                      \
        "apiVersion: vethwall.io/v1\n"                                                                                 \
        "kind: Inventory\n"                                                                                            \
        "namespaces:\n"                                                                                                \
        "  other: {labels: {team: b}}\n"                                                                               \
        "endpoints:\n"                                                                                                 \
        "- {name: web, namespace: shop, labels: {app: web}, addresses: [10.0.0.2]}\n"                                  \
        "- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.3],\n"                                    \
        "   ports: [{name: sql, port: 5432, protocol: TCP}]}\n"                                                        \
        "- {name: bare, namespace: shop}\n"                                                                            \
        "- {name: far, namespace: other, labels: {app: web}, addresses: [10.0.0.4]}\n"                                 \
        "- {name: node, namespace: other, labels: {app: web}, addresses: [192.0.2.1], hostNetwork: true}\n"

static const char policies[] = "apiVersion: networking.k8s.io/v1\n"                              /* 1 */
                               "kind: NetworkPolicy\n"                                           /* 2 */
                               "metadata:\n"                                                     /* 3 */
                               "  name: db\n"                                                    /* 4 */
                               "  namespace: shop\n"                                             /* 5 */
                               "spec:\n"                                                         /* 6 */
                               "  podSelector:\n"                                                /* 7 */
                               "    matchLabels: {app: db}\n"                                    /* 8 */
                               "  ingress:\n"                                                    /* 9 */
                               "  - from:\n"                                                     /* 10 */
                               "    - podSelector:\n"                                            /* 11 */
                               "        matchLabels: {app: web}\n"                               /* 12 */
                               "    - namespaceSelector:\n"                                      /* 13 */
                               "        matchLabels: {team: c}\n"                                /* 14 */
                               "    - ipBlock: {cidr: 172.16.0.0/12, except: [172.17.0.0/16]}\n" /* 15 */
                               "    ports:\n"                                                    /* 16 */
                               "    - port: sql\n"                                               /* 17 */
                               "  - ports:\n"                                                    /* 18 */
                               "    - port: 9100\n"                                              /* 19 */
                               "---\n"                                                           /* 20 */
                               "apiVersion: networking.k8s.io/v1\n"                              /* 21 */
                               "kind: NetworkPolicy\n"                                           /* 22 */
                               "metadata: {name: shut, namespace: shop}\n"                       /* 23 */
                               "spec: {podSelector: {}, policyTypes: [Ingress]}\n";              /* 24 */

struct fixture {
        struct scene scene;
        struct explanation *explanation;
        bool own_host;
};

static struct explain_party party(const struct scene *scene, const char *text)
{
        struct explain_party party = {.endpoint = WORLD_OUTSIDE};

        if (addr_parse(text, &party.addr)) {
                party.has_addr = true;
                return party;
        }

        party.endpoint = scene_endpoint(scene, text);
        if (scene->inventory->endpoints[party.endpoint].addrs_len > 0) {
                party.addr = scene->inventory->endpoints[party.endpoint].addrs[0];
                party.has_addr = true;
        }
        return party;
}

static const struct explain_side *ask(struct fixture *f, const char *src, const char *dst, uint8_t protocol,
                                      uint16_t port, enum direction direction)
{
        struct explain_query query;

        if (!f->scene.world)
                scene_init(&f->scene, policies, INVENTORY);
        f->explanation = explanation_free(f->explanation);

        query = (struct explain_query){party(&f->scene, src), party(&f->scene, dst), protocol, port, f->own_host};
        assert_int_equal(explain(&f->explanation, f->scene.world, &query), 0);
        return &f->explanation->sides[direction];
}

static void stop(struct fixture *f)
{
        explanation_free(f->explanation);
        scene_fini(&f->scene);
}

static void a_named_port_decides(_unused_ void **state)
{
        const struct explain_side *side;
        struct fixture f = {0};

        side = ask(&f, "shop/web", "shop/db", IPPROTO_TCP, 5432, DIR_INGRESS);
        assert_int_equal(f.explanation->verdict, ACTION_ALLOW);
        assert_int_equal(side->status, EXPLAIN_JUDGED);
        assert_int_equal(side->cause.action, ACTION_ALLOW);
        assert_int_equal(side->cause.tier, TIER_NETWORK_POLICY);
        assert_string_equal(side->cause.policy->name, "db");
        assert_non_null(side->cause.rule);
        assert_int_equal(side->cause.rule->index, 0);
        assert_int_equal(side->cause.rule->loc.line, 10);

        assert_int_equal(side->policies_len, 2);
        assert_string_equal(side->policies[0].policy->name, "db");
        assert_string_equal(side->policies[1].policy->name, "shut");
        assert_int_equal(side->policies[1].rules_len, 0);
        assert_true(side->policies[0].rules[0].peer_matches);
        assert_int_equal(side->policies[0].rules[0].ports, EXPLAIN_PORT_MATCHES);
        assert_int_equal(side->policies[0].rules[1].ports, EXPLAIN_PORT_DIFFERS);

        side = &f.explanation->sides[DIR_EGRESS];
        assert_int_equal(side->cause.action, ACTION_ALLOW);
        assert_int_equal(side->cause.tier, TIER_DEFAULT);
        assert_null(side->cause.policy);
        assert_int_equal(side->policies_len, 0);
        stop(&f);
}

static void isolation_without_a_rule_denies(_unused_ void **state)
{
        const struct explain_side *side;
        struct fixture f = {0};

        side = ask(&f, "shop/web", "shop/db", IPPROTO_TCP, 22, DIR_INGRESS);
        assert_int_equal(f.explanation->verdict, ACTION_DENY);
        assert_int_equal(side->cause.action, ACTION_DENY);
        assert_int_equal(side->cause.tier, TIER_NETWORK_POLICY);
        assert_non_null(side->cause.policy);
        assert_null(side->cause.rule);
        assert_true(side->policies[0].rules[0].peer_matches);
        assert_int_equal(side->policies[0].rules[0].ports, EXPLAIN_PORT_DIFFERS);
        stop(&f);
}

static void a_rule_with_ports_says_nothing_of_icmp(_unused_ void **state)
{
        const struct explain_side *side;
        struct fixture f = {0};

        side = ask(&f, "shop/web", "shop/db", IPPROTO_ICMP, 0, DIR_INGRESS);
        assert_int_equal(side->cause.action, ACTION_DENY);
        assert_int_equal(side->policies[0].rules[1].ports, EXPLAIN_PORT_NONE);
        stop(&f);
}

static void peers_say_why_they_do_not_match(_unused_ void **state)
{
        const struct explain_peer *peers;
        struct fixture f = {0};

        peers = ask(&f, "other/far", "shop/db", IPPROTO_TCP, 5432, DIR_INGRESS)->policies[0].rules[0].peers;
        assert_int_equal(peers[0].answer, EXPLAIN_PEER_NAMESPACE);
        assert_int_equal(peers[1].answer, EXPLAIN_PEER_NS_LABELS);
        assert_string_equal(peers[1].failed->key, "team");
        assert_int_equal(peers[2].answer, EXPLAIN_PEER_BLOCK);

        peers = ask(&f, "shop/bare", "shop/db", IPPROTO_TCP, 5432, DIR_INGRESS)->policies[0].rules[0].peers;
        assert_int_equal(peers[0].answer, EXPLAIN_PEER_LABELS);
        assert_string_equal(peers[0].failed->key, "app");
        assert_int_equal(peers[2].answer, EXPLAIN_PEER_NO_ADDRESS);

        peers = ask(&f, "172.17.0.1", "shop/db", IPPROTO_TCP, 5432, DIR_INGRESS)->policies[0].rules[0].peers;
        assert_int_equal(peers[0].answer, EXPLAIN_PEER_OUTSIDE);
        assert_int_equal(peers[2].answer, EXPLAIN_PEER_EXCEPT);
        assert_ptr_equal(peers[2].except, &peers[2].peer->excepts[0]);

        peers = ask(&f, "172.18.0.1", "shop/db", IPPROTO_TCP, 5432, DIR_INGRESS)->policies[0].rules[0].peers;
        assert_int_equal(peers[2].answer, EXPLAIN_PEER_MATCHES);
        assert_int_equal(f.explanation->verdict, ACTION_ALLOW);

        peers = ask(&f, "other/node", "shop/db", IPPROTO_TCP, 5432, DIR_INGRESS)->policies[0].rules[0].peers;
        assert_int_equal(peers[0].answer, EXPLAIN_PEER_HOST);
        assert_int_equal(f.explanation->verdict, ACTION_DENY);
        stop(&f);
}

static void some_sides_are_not_judged(_unused_ void **state)
{
        const struct explain_side *side;
        struct fixture f = {0};

        side = ask(&f, "shop/db", "198.51.100.1", IPPROTO_TCP, 443, DIR_INGRESS);
        assert_int_equal(side->status, EXPLAIN_OUTSIDE);
        assert_int_equal(f.explanation->verdict, ACTION_ALLOW);

        side = ask(&f, "shop/db", "other/node", IPPROTO_TCP, 443, DIR_INGRESS);
        assert_int_equal(side->status, EXPLAIN_HOST);
        assert_int_equal(side->cause.action, ACTION_ALLOW);

        f.own_host = true;
        side = ask(&f, "198.51.100.1", "shop/db", IPPROTO_TCP, 443, DIR_INGRESS);
        assert_int_equal(side->status, EXPLAIN_OWN_HOST);
        assert_int_equal(f.explanation->sides[DIR_EGRESS].status, EXPLAIN_OUTSIDE);
        assert_int_equal(f.explanation->verdict, ACTION_ALLOW);
        side = ask(&f, "other/node", "shop/db", IPPROTO_TCP, 443, DIR_EGRESS);
        assert_int_equal(side->status, EXPLAIN_HOST);
        assert_int_equal(f.explanation->sides[DIR_INGRESS].status, EXPLAIN_OWN_HOST);
        f.own_host = false;

        side = ask(&f, "shop/db", "shop/db", IPPROTO_TCP, 443, DIR_INGRESS);
        assert_int_equal(side->status, EXPLAIN_SELF);
        assert_int_equal(f.explanation->verdict, ACTION_ALLOW);
        stop(&f);
}

/* For every pair and some ports: a rule that matches in full is there exactly where the world says allow. */
static void answers_agree_with_the_verdict(_unused_ void **state)
{
        static const char *const parties[] = {"shop/web",   "shop/bare",  "other/far",  "other/node",
                                              "172.17.0.1", "172.18.0.1", "2001:db8::1"};
        static const struct {
                uint8_t protocol;
                uint16_t port;
        } services[] = {
                {IPPROTO_TCP, 5432}, {IPPROTO_TCP, 9100}, {IPPROTO_UDP, 5432}, {IPPROTO_TCP, 1}, {IPPROTO_ICMP, 0}};
        struct fixture f = {0};
        size_t allowed = 0;

        for (size_t i = 0; i < ARRAY_SIZE(parties); i++) {
                for (size_t j = 0; j < ARRAY_SIZE(services); j++) {
                        const struct explain_side *side =
                                ask(&f, parties[i], "shop/db", services[j].protocol, services[j].port, DIR_INGRESS);
                        bool any = false;

                        for (size_t p = 0; p < side->policies_len; p++)
                                for (size_t r = 0; r < side->policies[p].rules_len; r++)
                                        any |= side->policies[p].rules[r].peer_matches &&
                                               side->policies[p].rules[r].ports == EXPLAIN_PORT_MATCHES;

                        assert_int_equal(any, side->cause.action == ACTION_ALLOW);
                        allowed += any;
                }
        }

        /* 9100 from all seven, 5432 from web and from the block. */
        assert_int_equal(allowed, 9);
        stop(&f);
}

#define TIERS(admin_action)                                                                                            \
        "apiVersion: policy.networking.k8s.io/v1alpha2\n"                                                              \
        "kind: ClusterNetworkPolicy\n"                                                                                 \
        "metadata: {name: first}\n"                                                                                    \
        "spec:\n"                                                                                                      \
        "  tier: Admin\n"                                                                                              \
        "  priority: 1\n"                                                                                              \
        "  subject: {namespaces: {}}\n"                                                                                \
        "  ingress:\n"                                                                                                 \
        "  - {action: " admin_action ", from: [{namespaces: {}}], protocols: [{tcp: {}}]}\n"                           \
        "  - {action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {}}]}\n"                                       \
        "  egress:\n"                                                                                                  \
        "  - {action: Accept, to: [{domainNames: [example.com]}, {namespaces: {}}]}\n"                                 \
        "  - {action: Pass, to: [{nodes: {}}], protocols: [{udp: {}}]}\n"                                              \
        "---\n"                                                                                                        \
        "apiVersion: networking.k8s.io/v1\n"                                                                           \
        "kind: NetworkPolicy\n"                                                                                        \
        "metadata: {name: db, namespace: shop}\n"                                                                      \
        "spec: {podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 1}]}, {ports: [{port: 1}]}]}\n"       \
        "---\n"                                                                                                        \
        "apiVersion: policy.networking.k8s.io/v1alpha2\n"                                                              \
        "kind: ClusterNetworkPolicy\n"                                                                                 \
        "metadata: {name: last}\n"                                                                                     \
        "spec:\n"                                                                                                      \
        "  tier: Baseline\n"                                                                                           \
        "  priority: 1\n"                                                                                              \
        "  subject: {namespaces: {}}\n"                                                                                \
        "  ingress:\n"                                                                                                 \
        "  - {action: Deny, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 2}}}]}\n"

static void assert_outcomes(const struct explain_side *side, const enum explain_outcome want[static TIER_MAX])
{
        for (enum tier tier = 0; tier < TIER_MAX; tier++) {
                assert_int_equal(side->tiers[tier].outcome, want[tier]);
                if (side->tiers[tier].outcome != EXPLAIN_DECIDED)
                        continue;
                assert_int_equal(side->cause.tier, tier);
                assert_ptr_equal(side->cause.policy, side->tiers[tier].policy);
                assert_ptr_equal(side->cause.rule, side->tiers[tier].rule);
        }
}

static void a_pass_is_seen_and_what_comes_after(_unused_ void **state)
{
        const struct explain_side *side;
        struct fixture f = {0};

        scene_init(&f.scene, TIERS("Pass"), INVENTORY);
        side = ask(&f, "shop/web", "shop/db", IPPROTO_TCP, 1, DIR_INGRESS);
        assert_outcomes(side, (const enum explain_outcome[TIER_MAX]){EXPLAIN_PASSED, EXPLAIN_DECIDED, EXPLAIN_NOT_ASKED,
                                                                     EXPLAIN_NOT_ASKED});
        assert_int_equal(side->tiers[TIER_ADMIN].rule->index, 0);
        assert_true(side->policies[0].rules[0].asked);
        assert_true(side->policies[0].rules[1].matches);
        assert_false(side->policies[0].rules[1].asked);
        /* NetworkPolicies add up: what the second rule says counts too. */
        assert_true(side->policies[1].rules[0].asked && side->policies[1].rules[1].asked);
        assert_int_equal(side->tiers[TIER_NETWORK_POLICY].rule->index, 0);
        assert_false(side->policies[2].rules[0].asked);

        side = ask(&f, "shop/web", "shop/db", IPPROTO_TCP, 2, DIR_INGRESS);
        assert_int_equal(f.explanation->verdict, ACTION_DENY);
        assert_outcomes(side, (const enum explain_outcome[TIER_MAX]){EXPLAIN_PASSED, EXPLAIN_DECIDED, EXPLAIN_NOT_ASKED,
                                                                     EXPLAIN_NOT_ASKED});
        assert_null(side->tiers[TIER_NETWORK_POLICY].rule);

        side = ask(&f, "shop/db", "shop/web", IPPROTO_TCP, 2, DIR_INGRESS);
        assert_outcomes(side, (const enum explain_outcome[TIER_MAX]){EXPLAIN_PASSED, EXPLAIN_NO_POLICY, EXPLAIN_DECIDED,
                                                                     EXPLAIN_NOT_ASKED});

        side = ask(&f, "shop/db", "shop/web", IPPROTO_UDP, 2, DIR_INGRESS);
        assert_outcomes(side, (const enum explain_outcome[TIER_MAX]){EXPLAIN_NO_MATCH, EXPLAIN_NO_POLICY,
                                                                     EXPLAIN_NO_MATCH, EXPLAIN_DECIDED});
        stop(&f);
}

static void admin_ends_it(_unused_ void **state)
{
        const struct explain_side *side;
        struct fixture f = {0};

        scene_init(&f.scene, TIERS("Accept"), INVENTORY);
        side = ask(&f, "shop/web", "shop/db", IPPROTO_TCP, 2, DIR_INGRESS);
        assert_outcomes(side, (const enum explain_outcome[TIER_MAX]){EXPLAIN_DECIDED, EXPLAIN_NOT_ASKED,
                                                                     EXPLAIN_NOT_ASKED, EXPLAIN_NOT_ASKED});
        assert_false(side->policies[1].rules[0].asked);
        stop(&f);
}

static void what_cannot_be_told_fails_closed(_unused_ void **state)
{
        const struct explain_side *side;
        struct fixture f = {0};

        scene_init(&f.scene, TIERS("Pass"), INVENTORY);
        side = ask(&f, "shop/db", "shop/web", IPPROTO_TCP, 1, DIR_EGRESS);
        assert_true(side->policies[0].rules[0].rule->fails_closed);
        assert_false(side->policies[0].rules[0].matches);
        assert_outcomes(side, (const enum explain_outcome[TIER_MAX]){EXPLAIN_NO_MATCH, EXPLAIN_NO_POLICY,
                                                                     EXPLAIN_NO_POLICY, EXPLAIN_DECIDED});

        side = ask(&f, "shop/db", "shop/web", IPPROTO_UDP, 1, DIR_EGRESS);
        assert_true(side->policies[0].rules[1].rule->fails_closed);
        assert_outcomes(side, (const enum explain_outcome[TIER_MAX]){EXPLAIN_DECIDED, EXPLAIN_NOT_ASKED,
                                                                     EXPLAIN_NOT_ASKED, EXPLAIN_NOT_ASKED});
        assert_int_equal(side->cause.action, ACTION_DENY);
        stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_named_port_decides),
                cmocka_unit_test(isolation_without_a_rule_denies),
                cmocka_unit_test(a_rule_with_ports_says_nothing_of_icmp),
                cmocka_unit_test(peers_say_why_they_do_not_match),
                cmocka_unit_test(some_sides_are_not_judged),
                cmocka_unit_test(answers_agree_with_the_verdict),
                cmocka_unit_test(a_pass_is_seen_and_what_comes_after),
                cmocka_unit_test(admin_ends_it),
                cmocka_unit_test(what_cannot_be_told_fails_closed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
