/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latent changes: who is told of, where, and that nothing is told where nothing can come of it. */
#include <netinet/in.h>
#include <stdio.h>

#include <vethwall/latent.h>

#include "scene.h"

#define POLICY(name, spec)                                                                                             \
        "---\n"                                                                                                        \
        "apiVersion: networking.k8s.io/v1\n"                                                                           \
        "kind: NetworkPolicy\n"                                                                                        \
        "metadata: {name: " name ", namespace: shop}\n"                                                                \
        "spec: " spec "\n"

#define INVENTORY                                                                                                      \
        "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"                                                    \
        "- {name: db, namespace: shop, labels: {app: db}, addresses: [10.0.0.3]}\n"                                    \
        "- {name: web, namespace: shop, labels: {app: web}, addresses: [10.0.0.2]}\n"

#define NOBODY "apiVersion: vethwall.io/v1\nkind: Inventory\n"

#define DB_FROM(app, port)                                                                                             \
        POLICY("db",                                                                                                   \
               "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: " app      \
               "}}}], ports: [{port: " port "}]}]}")

struct fixture {
        struct scene scenes[CHANGE_SIDE_MAX];
        struct changes *changes;
        struct latent *latent;
};

static void start(struct fixture *f, const char *old, const char *new, const char *inventory)
{
        *f = (struct fixture){0};
        scene_init(&f->scenes[CHANGE_OLD], old, inventory);
        scene_init(&f->scenes[CHANGE_NEW], new, inventory);
        assert_int_equal(changes_new(&f->changes, f->scenes[CHANGE_OLD].world, f->scenes[CHANGE_NEW].world), 0);
        assert_int_equal(latent_new(&f->latent, f->scenes[CHANGE_OLD].world, f->scenes[CHANGE_NEW].world, f->changes),
                         0);
        assert_false(f->latent->bounded);
}

static void stop(struct fixture *f)
{
        latent_free(f->latent);
        changes_free(f->changes);
        scene_fini(&f->scenes[CHANGE_OLD]);
        scene_fini(&f->scenes[CHANGE_NEW]);
}

static const struct latent_party *party_of(const struct fixture *f, const struct change_end *end)
{
        assert_false(end->outside);
        return &f->latent->parties[f->latent->changes->kinds[end->kind].parties[0]];
}

/* A future party with one place: in shop, with this app. */
static void assert_app(const struct latent_party *party, const char *app)
{
        assert_true(party->future);
        assert_int_equal(party->places_len, 1);
        assert_int_equal(party->places[0].namespaces_len, 1);
        assert_string_equal(party->places[0].namespaces[0], "shop");
        assert_null(party->places[0].new_namespace);
        assert_int_equal(party->places[0].labels->len, 1);
        assert_int_equal(party->places[0].labels->requirements[0].op, LABEL_IN);
        assert_int_equal(party->places[0].labels->requirements[0].values_len, 1);
        assert_string_equal(party->places[0].labels->requirements[0].values[0], app);
}

static void nobody_is_told_of_the_same_policies(_unused_ void **state)
{
        struct fixture f;

        start(&f, DB_FROM("web", "80"), DB_FROM("web", "80"), NOBODY);
        assert_int_equal(f.latent->changes->len, 0);
        stop(&f);
}

/* Who is there is told of in the changes, and those who are like them are not told of again. */
static void who_is_there_is_not_latent(_unused_ void **state)
{
        struct fixture f;

        start(&f, DB_FROM("web", "80"), DB_FROM("web", "81"), INVENTORY);
        assert_int_equal(f.changes->len, 1);
        assert_int_equal(f.latent->changes->len, 0);
        stop(&f);
}

static void one_that_is_there_and_one_that_is_not(_unused_ void **state)
{
        const struct change *change;
        struct fixture f;

        start(&f, DB_FROM("web", "80"), DB_FROM("mail", "80"), INVENTORY);
        assert_int_equal(f.changes->len, 1);
        assert_true(f.changes->items[0].narrows);
        assert_int_equal(f.latent->changes->len, 1);
        change = &f.latent->changes->items[0];
        assert_true(change->widens && !change->narrows);
        assert_app(party_of(&f, &change->src), "mail");
        assert_false(party_of(&f, &change->dst)->future);
        assert_int_equal(party_of(&f, &change->dst)->kind, f.changes->items[0].dst.kind);
        assert_true(conns_allow(change->conns[CHANGE_NEW], IPPROTO_TCP, 80));
        stop(&f);
}

static void without_an_inventory_both_are_to_come(_unused_ void **state)
{
        const struct change *change;
        struct fixture f;

        start(&f, DB_FROM("web", "80"), DB_FROM("web", "81"), NOBODY);
        assert_int_equal(f.changes->len, 0);
        assert_int_equal(f.latent->changes->len, 1);
        change = &f.latent->changes->items[0];
        assert_true(change->widens && change->narrows);
        assert_app(party_of(&f, &change->src), "web");
        assert_app(party_of(&f, &change->dst), "db");
        assert_int_equal(f.latent->widened, 1);
        assert_int_equal(f.latent->narrowed, 1);
        stop(&f);
}

/* What other policies deny anyway does not change, whoever comes. */
static void what_is_hidden_is_not_told(_unused_ void **state)
{
        const char *closed = POLICY("web", "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}");
        char old[1024], new[1024];
        struct fixture f;

        snprintf(old, sizeof(old), "%s%s", closed, DB_FROM("web", "80"));
        snprintf(new, sizeof(new), "%s%s", closed, DB_FROM("web", "81"));
        start(&f, old, new, NOBODY);
        assert_int_equal(f.latent->changes->len, 0);
        stop(&f);
}

/* A policy that comes closes its future subjects to everybody: to one another, to others, and to the outside. */
static void isolation_of_those_to_come(_unused_ void **state)
{
        size_t outside = 0, own = 0, others = 0;
        struct fixture f;

        start(&f, "", POLICY("closed", "{podSelector: {}}"), NOBODY);
        for (size_t i = 0; i < f.latent->changes->len; i++) {
                const struct change *change = &f.latent->changes->items[i];

                assert_true(change->narrows);
                outside += change->src.outside;
                own += !change->src.outside && change->src.kind == change->dst.kind;
                others += !change->src.outside && change->src.kind != change->dst.kind;
                if (!change->src.outside && change->src.kind != change->dst.kind) {
                        assert_true(party_of(&f, &change->src)->unselected);
                        assert_non_null(party_of(&f, &change->src)->places[0].new_namespace);
                }
        }
        assert_int_equal(outside, 2);
        assert_int_equal(own, 1);
        assert_int_equal(others, 1);
        stop(&f);
}

/* Names of ports are what the destination makes of them. */
static void names_of_ports_tell_destinations_apart(_unused_ void **state)
{
        size_t with = 0, without = 0;
        struct fixture f;

        start(&f, DB_FROM("web", "80"), DB_FROM("web", "http"), NOBODY);
        for (size_t i = 0; i < f.latent->changes->len; i++) {
                const struct change *change = &f.latent->changes->items[i];
                const struct latent_party *dst = party_of(&f, &change->dst);

                assert_app(dst, "db");
                assert_int_equal(dst->ports_len, 1);
                assert_string_equal(dst->ports[0].name, "http");
                assert_int_equal(conns_allow(change->conns[CHANGE_NEW], IPPROTO_TCP, dst->ports[0].port),
                                 dst->has_ports);
                assert_false(conns_allow(change->conns[CHANGE_NEW], IPPROTO_TCP, 80));
                with += dst->has_ports;
                without += !dst->has_ports;
        }
        assert_int_equal(with, 1);
        assert_int_equal(without, 1);
        stop(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nobody_is_told_of_the_same_policies),
                cmocka_unit_test(who_is_there_is_not_latent),
                cmocka_unit_test(one_that_is_there_and_one_that_is_not),
                cmocka_unit_test(without_an_inventory_both_are_to_come),
                cmocka_unit_test(what_is_hidden_is_not_told),
                cmocka_unit_test(isolation_of_those_to_come),
                cmocka_unit_test(names_of_ports_tell_destinations_apart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
