/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From runtime events to endpoints: namespaces, labels, names, and above all who holds an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <agent/state.h>

static struct container_addr addr_of(const char *text)
{
        struct container_addr addr = {.network = "", .network_id = ""};

        assert_true(addr_parse(text, &addr.addr));
        return addr;
}

static bool event(struct state *state, enum runtime_event_kind kind, const struct container *container, const char *id)
{
        const struct runtime_event e = {
                .kind = kind,
                .runtime = container ? container->runtime : "docker",
                .container = container,
                .id = id,
                .reason = "test",
        };
        bool changed;

        assert_int_equal(state_event(state, &e, &changed), 0);
        return changed;
}

static bool put(struct state *state, const struct container *container)
{
        return event(state, RUNTIME_CONTAINER, container, NULL);
}

static struct state *new_state(void)
{
        struct state *state = NULL;

        assert_int_equal(state_new(&state), 0);
        assert_int_equal(state_add_runtime(state, "docker"), 0);
        assert_int_equal(state_add_runtime(state, "static"), 0);
        return state;
}

static struct inventory *snapshot(struct state *state)
{
        struct inventory *inventory = NULL;

        assert_int_equal(state_snapshot(state, &inventory), 0);
        return inventory;
}

/* A docker container with one address (NULL: none) and labels given as a set. */
static void put_simple(struct state *state, const char *id, const char *name, const char *addr)
{
        struct container_addr held = addr_of(addr ? addr : "0.0.0.0");
        struct container container = {
                .runtime = "docker", .id = id, .name = name, .image = "", .pid = addr ? 1 : 0, .addrs = &held};

        container.addrs_len = addr ? 1 : 0;
        put(state, &container);
}

/* The name of the only endpoint that holds the address, or NULL. */
static const char *holder(const struct inventory *inventory, const char *text)
{
        const char *name = NULL;
        struct addr addr;

        assert_true(addr_parse(text, &addr));
        for (size_t i = 0; i < inventory->endpoints_len; i++)
                for (size_t j = 0; j < inventory->endpoints[i].addrs_len; j++)
                        if (addr_equal(&inventory->endpoints[i].addrs[j], &addr)) {
                                assert_null(name);
                                name = inventory->endpoints[i].name;
                        }
        return name;
}

static void assert_holder(struct state *state, const char *addr, const char *name)
{
        _cleanup_(inventory_freep) struct inventory *inventory = snapshot(state);
        const char *held_by = holder(inventory, addr);

        if (name)
                assert_string_equal(held_by, name);
        else
                assert_null(held_by);
}

static void an_address_belongs_to_the_newest_claim(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();

        put_simple(state, "1", "old", "10.0.0.2");
        assert_holder(state, "10.0.0.2", "old");
        put_simple(state, "2", "new", "10.0.0.2");
        assert_holder(state, "10.0.0.2", "new");

        /* The engine is late to say that the old one is gone. */
        put_simple(state, "1", "old-renamed", "10.0.0.2");
        assert_holder(state, "10.0.0.2", "new");
        event(state, RUNTIME_GONE, NULL, "1");
        assert_holder(state, "10.0.0.2", "new");
        event(state, RUNTIME_GONE, NULL, "2");
        assert_holder(state, "10.0.0.2", NULL);
}

static void a_container_that_comes_back_claims_anew(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();

        /* "b" is older than "a", and gets a's address when it is started again. */
        put_simple(state, "b", "b", NULL);
        put_simple(state, "a", "a", "10.0.0.2");
        put_simple(state, "b", "b", "10.0.0.2");
        assert_holder(state, "10.0.0.2", "b");
        put_simple(state, "a", "a", NULL);
        assert_holder(state, "10.0.0.2", "b");
}

static void a_full_list_removes_what_it_does_not_name(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();

        put_simple(state, "1", "one", "10.0.0.2");
        put_simple(state, "2", "two", "10.0.0.3");
        event(state, RUNTIME_RESYNC, NULL, NULL);
        put_simple(state, "2", "two", "10.0.0.3");
        assert_holder(state, "10.0.0.2", "one");
        assert_true(event(state, RUNTIME_SYNCED, NULL, NULL));
        assert_holder(state, "10.0.0.2", NULL);
        assert_holder(state, "10.0.0.3", "two");
}

static void a_lost_engine_takes_nothing_with_it(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        const struct state_runtime *runtimes;
        size_t len;

        put_simple(state, "1", "one", "10.0.0.2");
        event(state, RUNTIME_SYNCED, NULL, NULL);
        event(state, RUNTIME_RESYNC, NULL, NULL);
        assert_false(event(state, RUNTIME_LOST, NULL, NULL));
        assert_holder(state, "10.0.0.2", "one");
        runtimes = state_runtimes(state, &len);
        assert_int_equal(len, 2);
        assert_false(runtimes[0].connected);
        assert_true(runtimes[0].synced);
        assert_string_equal(runtimes[0].lost, "test");
}

static void an_equal_record_is_no_change(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        struct container container = {.runtime = "docker", .id = "1", .name = "one", .image = "", .pid = 7};

        assert_true(put(state, &container));
        assert_false(put(state, &container));
        container.pid = 8;
        assert_true(put(state, &container));
}

static void the_namespace_follows_the_labels_in_order(void **unused _unused_)
{
        static struct label labels[] = {
                {"com.docker.compose.project", "compose"},
                {"io.kubernetes.pod.namespace", "pod"},
                {"io.podman.compose.project", "podman"},
                {"vethwall.io/namespace", "own"},
        };
        static const struct {
                size_t first, len;
                const char *ns;
        } cases[] = {{0, 4, "own"}, {0, 3, "pod"}, {0, 1, "compose"}, {2, 1, "podman"}, {0, 0, "default"}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(state_freep) struct state *state = new_state();
                _cleanup_(inventory_freep) struct inventory *inventory = NULL;
                struct container container = {.runtime = "docker", .id = "1", .name = "c", .image = "", .pid = 1};

                container.labels = (struct label_set){labels + cases[i].first, cases[i].len};
                put(state, &container);
                inventory = snapshot(state);
                assert_non_null(inventory_find(inventory, cases[i].ns, "c"));
        }
}

static void a_namespace_that_is_none_is_passed_over(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct label labels[] = {{"com.docker.compose.project", "shop"}, {"vethwall.io/namespace", "a b\""}};
        struct container container = {
                .runtime = "docker", .id = "1", .name = "c", .image = "", .pid = 1, .labels = {labels, 2}};

        put(state, &container);
        inventory = snapshot(state);
        assert_non_null(inventory_find(inventory, "shop", "c"));
}

static void derived_labels_cannot_be_overridden(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct label labels[] = {
                {"app", "web"},
                {"vethwall.io/image", "trusted"},
                {"vethwall.io/name", "db"},
                {"vethwall.io/network.secret", "true"},
                {"vethwall.io/runtime", "static"},
        };
        const char *networks[] = {"front"};
        struct container container = {.runtime = "docker",
                                      .id = "1",
                                      .name = "web-1",
                                      .image = "registry:5000/team/nginx:1.25",
                                      .pid = 1,
                                      .labels = {labels, ARRAY_SIZE(labels)},
                                      .networks = networks,
                                      .networks_len = 1};
        const struct label_set *got;

        put(state, &container);
        inventory = snapshot(state);
        got = &inventory->endpoints[0].labels;
        assert_string_equal(label_set_get(got, "app"), "web");
        assert_string_equal(label_set_get(got, "vethwall.io/name"), "web-1");
        assert_string_equal(label_set_get(got, "vethwall.io/image"), "registry_5000_team_nginx_1.25");
        assert_string_equal(label_set_get(got, "vethwall.io/runtime"), "docker");
        assert_string_equal(label_set_get(got, "vethwall.io/network.front"), "true");
        assert_null(label_set_get(got, "vethwall.io/network.secret"));
}

static void an_image_label_without_an_image_is_not_kept(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct label labels[] = {{"vethwall.io/image", "trusted"}};
        struct container container = {
                .runtime = "docker", .id = "1", .name = "c", .image = "", .pid = 1, .labels = {labels, 1}};

        put(state, &container);
        inventory = snapshot(state);
        assert_null(label_set_get(&inventory->endpoints[0].labels, "vethwall.io/image"));
}

static void named_ports_come_from_labels(void **unused _unused_)
{
        static const struct {
                const char *text;
                int protocol, port; /* 0: refused */
        } cases[] = {
                {"8080/tcp", IPPROTO_TCP, 8080},
                {"53/udp", IPPROTO_UDP, 53},
                {"9/SCTP", IPPROTO_SCTP, 9},
                {"80", IPPROTO_TCP, 80},
                {"0/tcp", 0, 0},
                {"65536/tcp", 0, 0},
                {"80/icmp", 0, 0},
                {"-1", 0, 0},
                {"", 0, 0},
                {" 80", 0, 0},
                {"80 ", 0, 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(state_freep) struct state *state = new_state();
                _cleanup_(inventory_freep) struct inventory *inventory = NULL;
                struct label labels[] = {{"vethwall.io/port.http", cases[i].text}};
                struct container container = {
                        .runtime = "docker", .id = "1", .name = "c", .image = "", .pid = 1, .labels = {labels, 1}};
                const struct endpoint *endpoint;

                put(state, &container);
                inventory = snapshot(state);
                endpoint = &inventory->endpoints[0];
                assert_int_equal(endpoint->ports_len, cases[i].port ? 1 : 0);
                if (!cases[i].port)
                        continue;
                assert_string_equal(endpoint->ports[0].name, "http");
                assert_int_equal(endpoint->ports[0].protocol, cases[i].protocol);
                assert_int_equal(endpoint->ports[0].port, cases[i].port);
        }
}

static void one_network_namespace_is_one_endpoint(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct container side = {.runtime = "docker", .id = "2", .name = "side", .image = "", .pid = 2, .joined = "1"};
        struct container lost = {.runtime = "docker", .id = "3", .name = "lost", .image = "", .pid = 3, .joined = "9"};

        put(state, &side);
        put(state, &lost);
        put_simple(state, "1", "main", "10.0.0.2");
        inventory = snapshot(state);
        assert_int_equal(inventory->endpoints_len, 1);
        assert_string_equal(inventory->endpoints[0].name, "main");
        assert_string_equal(state_find(state, "docker", "2")->endpoint, "default/main");
        assert_null(state_find(state, "docker", "2")->why_not);
        assert_null(state_find(state, "docker", "3")->endpoint);
        assert_non_null(state_find(state, "docker", "3")->why_not);
}

static void containers_that_join_in_a_circle_are_none(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct container a = {.runtime = "docker", .id = "a", .name = "a", .image = "", .pid = 2, .joined = "b"};
        struct container b = {.runtime = "docker", .id = "b", .name = "b", .image = "", .pid = 3, .joined = "a"};

        put(state, &a);
        put(state, &b);
        inventory = snapshot(state);
        assert_int_equal(inventory->endpoints_len, 0);
}

static void the_hosts_network_is_said_aloud(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct container container = {
                .runtime = "docker", .id = "1", .name = "h", .image = "", .pid = 1, .host_network = true};

        put(state, &container);
        inventory = snapshot(state);
        assert_true(inventory->endpoints[0].host_network);
        assert_non_null(state_find(state, "docker", "1")->why_not);
}

static void names_are_unique_in_a_namespace(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct container other = {
                .runtime = "static", .id = "0123456789abcdef", .name = "web", .image = "", .ns = "default"};

        put_simple(state, "fedcba9876543210", "web", "10.0.0.2");
        put(state, &other);
        inventory = snapshot(state);
        assert_int_equal(inventory->endpoints_len, 2);
        assert_string_equal(inventory_find(inventory, "default", "web")->runtime, "docker");
        assert_string_equal(inventory_find(inventory, "default", "web-0123456789ab")->runtime, "static");
}

static void a_stopped_container_is_no_endpoint(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;

        put_simple(state, "1", "stopped", NULL);
        inventory = snapshot(state);
        assert_int_equal(inventory->endpoints_len, 0);
}

static void an_engines_record_is_copied(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        char id[] = "1", name[] = "web", key[] = "app", value[] = "web";
        struct label label = {key, value};
        struct container container = {
                .runtime = "docker", .id = id, .name = name, .image = "", .pid = 1, .labels = {&label, 1}};

        put(state, &container);
        memset(id, 'x', 1);
        memset(name, 'x', 3);
        memset(key, 'x', 3);
        memset(value, 'x', 3);
        inventory = snapshot(state);
        assert_string_equal(inventory->endpoints[0].name, "web");
        assert_string_equal(label_set_get(&inventory->endpoints[0].labels, "app"), "web");
}

static void addresses_come_from_the_namespace_where_the_source_names_it(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        struct container container = {
                .runtime = "static", .id = "s/w", .name = "w", .image = "", .ns = "s", .netns = "w"};
        struct container engine = {.runtime = "docker", .id = "1", .name = "d", .image = "", .netns = "/d", .pid = 1};
        const struct state_link link = {.name = "veth0", .bridge = "br0"};
        struct addr addr;
        bool changed;

        assert_true(addr_parse("10.0.0.2", &addr));
        put(state, &container);
        put(state, &engine);
        assert_holder(state, "10.0.0.2", NULL);
        assert_int_equal(state_set_links(state, state_find(state, "static", "s/w"), 3, &link, 1, &addr, 1, &changed),
                         0);
        assert_true(changed);
        assert_holder(state, "10.0.0.2", "w");
        /* A container may give itself any address; only the engine says which are its own. */
        assert_int_equal(state_set_links(state, state_find(state, "docker", "1"), 4, &link, 1, &addr, 1, &changed), 0);
        assert_false(changed);
        assert_holder(state, "10.0.0.2", "w");
        /* Told again by the source, it keeps what was found. */
        assert_false(put(state, &container));
        assert_holder(state, "10.0.0.2", "w");
        assert_int_equal(state_set_links(state, state_find(state, "static", "s/w"), -1, NULL, 0, NULL, 0, &changed), 0);
        assert_true(changed);
        assert_holder(state, "10.0.0.2", NULL);
}

static void namespaces_of_the_source_reach_the_inventory(void **unused _unused_)
{
        _cleanup_(state_freep) struct state *state = new_state();
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct label label = {"team", "a"};
        const struct namespace ns = {.name = "shop", .labels = {&label, 1}};
        const struct runtime_event e = {
                .kind = RUNTIME_RESYNC, .runtime = "static", .namespaces = &ns, .namespaces_len = 1};
        bool changed;

        assert_int_equal(state_event(state, &e, &changed), 0);
        inventory = snapshot(state);
        assert_non_null(inventory_find_namespace(inventory, "shop"));
        assert_string_equal(label_set_get(&inventory_find_namespace(inventory, "shop")->labels, "team"), "a");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_address_belongs_to_the_newest_claim),
                cmocka_unit_test(a_container_that_comes_back_claims_anew),
                cmocka_unit_test(a_full_list_removes_what_it_does_not_name),
                cmocka_unit_test(a_lost_engine_takes_nothing_with_it),
                cmocka_unit_test(an_equal_record_is_no_change),
                cmocka_unit_test(the_namespace_follows_the_labels_in_order),
                cmocka_unit_test(a_namespace_that_is_none_is_passed_over),
                cmocka_unit_test(derived_labels_cannot_be_overridden),
                cmocka_unit_test(an_image_label_without_an_image_is_not_kept),
                cmocka_unit_test(named_ports_come_from_labels),
                cmocka_unit_test(one_network_namespace_is_one_endpoint),
                cmocka_unit_test(containers_that_join_in_a_circle_are_none),
                cmocka_unit_test(the_hosts_network_is_said_aloud),
                cmocka_unit_test(names_are_unique_in_a_namespace),
                cmocka_unit_test(a_stopped_container_is_no_endpoint),
                cmocka_unit_test(an_engines_record_is_copied),
                cmocka_unit_test(addresses_come_from_the_namespace_where_the_source_names_it),
                cmocka_unit_test(namespaces_of_the_source_reach_the_inventory),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
