/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inventory: filling, sealing, finding, and its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/diag.h>
#include <vethwall/inventory.h>

static struct addr parse(const char *text)
{
        struct addr addr;

        assert_true(addr_parse(text, &addr));
        return addr;
}

static void add(struct inventory *inventory, const char *ns, const char *name, int expected)
{
        assert_int_equal(inventory_add_endpoint(inventory, &(struct endpoint){.ns = ns, .name = name}), expected);
}

static void test_fill_and_find(void **state)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct label labels[] = {{"b", "1"}, {"a", "2"}},
                     ns_labels[] = {{"team", "x"}, {NAMESPACE_NAME_LABEL, "forged"}};
        struct addr addrs[] = {parse("fd00::1"), parse("10.0.0.2"), parse("10.0.0.1"), parse("10.0.0.2")};
        struct named_port ports[] = {{"web", IPPROTO_TCP, 80}, {"dns", IPPROTO_UDP, 53}, {"dns", IPPROTO_TCP, 53}};
        struct endpoint endpoint = {
                .ns = "shop",
                .name = "web",
                .labels = {labels, 2},
                .addrs = addrs,
                .addrs_len = 4,
                .ports = ports,
                .ports_len = 3,
        };
        const struct endpoint *found;

        (void)state;
        assert_int_equal(inventory_new(&inventory), 0);
        add(inventory, "b", "y", 0);
        assert_int_equal(inventory_add_endpoint(inventory, &endpoint), 0);
        assert_int_equal(inventory_add_endpoint(inventory, &endpoint), INVENTORY_E_DUPLICATE);
        add(inventory, "a", "z", 0);
        add(inventory, "b", "x", 0);
        add(inventory, "b", "y", INVENTORY_E_DUPLICATE);
        assert_int_equal(inventory_add_namespace(inventory, &(struct namespace){"shop", {ns_labels, 2}}), 0);
        assert_int_equal(inventory_add_namespace(inventory, &(struct namespace){"shop", {0}}), INVENTORY_E_DUPLICATE);
        assert_int_equal(inventory_add_namespace(inventory, &(struct namespace){"empty", {0}}), 0);
        /* Everything was copied. */
        memset(labels, 0, sizeof(labels));
        memset(addrs, 0, sizeof(addrs));
        memset(ports, 0, sizeof(ports));
        assert_int_equal(inventory_seal(inventory), 0);
        assert_null(inventory->build);

        assert_int_equal(inventory->endpoints_len, 4);
        assert_string_equal(inventory->endpoints[0].name, "z");
        assert_string_equal(inventory->endpoints[1].name, "x");
        assert_string_equal(inventory->endpoints[2].name, "y");
        found = inventory_find(inventory, "shop", "web");
        assert_ptr_equal(found, &inventory->endpoints[3]);
        assert_null(inventory_find(inventory, "shop", "x"));
        assert_string_equal(found->id, "");
        assert_string_equal(found->runtime, "");
        assert_null(found->netns);
        assert_string_equal(label_set_get(&found->labels, "a"), "2");
        assert_int_equal(found->addrs_len, 3);
        assert_int_equal(found->addrs[0].bytes[3], 1);
        assert_int_equal(found->addrs[2].family, ADDR_V6);
        assert_string_equal(found->ports[0].name, "dns");
        assert_int_equal(found->ports[0].protocol, IPPROTO_TCP);

        assert_int_equal(inventory->namespaces_len, 4);
        assert_string_equal(label_set_get(&inventory_find_namespace(inventory, "shop")->labels, NAMESPACE_NAME_LABEL),
                            "shop");
        assert_string_equal(label_set_get(&inventory_find_namespace(inventory, "shop")->labels, "team"), "x");
        assert_string_equal(label_set_get(&inventory_find_namespace(inventory, "a")->labels, NAMESPACE_NAME_LABEL),
                            "a");
        assert_null(inventory_find_namespace(inventory, "none"));
}

static void test_empty(void **state)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;

        (void)state;
        assert_int_equal(inventory_new(&inventory), 0);
        assert_int_equal(inventory_seal(inventory), 0);
        assert_null(inventory_find(inventory, "a", "b"));
        assert_null(inventory_find_namespace(inventory, "a"));
}

static void load(struct inventory *inventory, const char *name, const char *text, size_t errors)
{
        struct diag_list diags = DIAG_LIST_INIT;

        assert_int_equal(inventory_load(inventory, name, text, strlen(text), &diags), 0);
        if (diags.errors != errors)
                fail_msg("%s", diags.len > 0 ? diags.items[0].message : "no error");
        diag_list_fini(&diags);
}

static void test_file(void **state)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        const struct endpoint *web, *host;

        (void)state;
        assert_int_equal(inventory_new(&inventory), 0);
        load(inventory, "a.yaml",
             "apiVersion: vethwall.io/v1\n"
             "kind: Inventory\n"
             "namespaces:\n"
             "  shop: { labels: { team: a } }\n"
             "  bare:\n"
             "endpoints:\n"
             "  - name: web-1\n"
             "    namespace: shop\n"
             "    labels:\n"
             "      app: web\n"
             "      com.docker.compose.project.config_files: \"a b, c/d\"\n"
             "      vethwall.io/namespace: other\n"
             "      vethwall.io/port.admin: \"8080/tcp\"\n"
             "      vethwall.io/port.dns: \"53/UDP\"\n"
             "      vethwall.io/port.alt: \"81\"\n"
             "    addresses: [10.0.0.2, \"fd00::2\", 10.0.0.2]\n"
             "    ports: [ { name: http, port: 80, protocol: TCP }, { name: s, port: 9, protocol: SCTP } ]\n"
             "    published: [ { port: 8080, target: 80 }, { port: 53, protocol: udp }, { port: 8080, target: 80 } ]\n"
             "    netns: web\n"
             "  - { name: host, hostNetwork: true, addresses: [10.0.0.2, 192.168.1.1] }\n",
             0);
        load(inventory, "b.json",
             "{\"apiVersion\":\"vethwall.io/"
             "v1\",\"kind\":\"Inventory\",\"endpoints\":[{\"name\":\"db\",\"addresses\":[]}]}",
             0);
        assert_int_equal(inventory_seal(inventory), 0);

        web = inventory_find(inventory, "shop", "web-1");
        assert_non_null(web);
        assert_string_equal(web->runtime, "static");
        assert_string_equal(web->netns, "web");
        assert_int_equal(web->addrs_len, 2);
        assert_string_equal(label_set_get(&web->labels, "vethwall.io/name"), "web-1");
        assert_string_equal(label_set_get(&web->labels, "vethwall.io/runtime"), "static");
        assert_string_equal(label_set_get(&web->labels, "com.docker.compose.project.config_files"), "a b, c/d");
        assert_int_equal(web->ports_len, 5);
        assert_string_equal(web->ports[0].name, "admin");
        assert_int_equal(web->ports[0].port, 8080);
        assert_int_equal(web->ports[1].port, 81);
        assert_int_equal(web->ports[2].protocol, IPPROTO_UDP);
        assert_int_equal(web->ports[4].protocol, IPPROTO_SCTP);
        assert_int_equal(web->published_len, 2);
        assert_int_equal(web->published[0].protocol, IPPROTO_TCP);
        assert_int_equal(web->published[0].port, 8080);
        assert_int_equal(web->published[0].target, 80);
        assert_int_equal(web->published[1].protocol, IPPROTO_UDP);
        assert_int_equal(web->published[1].target, 53);
        assert_string_equal(label_set_get(&inventory_find_namespace(inventory, "shop")->labels, "team"), "a");
        assert_non_null(inventory_find_namespace(inventory, "bare"));

        host = inventory_find(inventory, "default", "host");
        assert_true(host->host_network);
        assert_null(host->netns);
        assert_non_null(inventory_find(inventory, "default", "db"));
}

static void test_duplicates_across_files(void **state)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct diag_list diags = DIAG_LIST_INIT;
        const char *text = "apiVersion: vethwall.io/v1\nkind: Inventory\nnamespaces: { shop: {} }\nendpoints:\n"
                           "  - { name: a, addresses: [10.0.0.1] }\n";
        const char *other = "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n"
                            "  - { name: b, namespace: shop, addresses: [10.0.0.1] }\n";

        (void)state;
        assert_int_equal(inventory_new(&inventory), 0);
        /* One that came otherwise has no place in a file. */
        add(inventory, "default", "c", 0);
        load(inventory, "one.yaml", text, 0);
        assert_int_equal(inventory_load(inventory, "two.yaml", text, strlen(text), &diags), 0);
        assert_int_equal(inventory_load(inventory, "three.yaml", other, strlen(other), &diags), 0);
        assert_int_equal(diags.errors, 3);
        assert_string_equal(diags.items[0].message, "namespace shop is given twice");
        assert_string_equal(diags.items[1].message, "endpoint default/a is given twice, first at one.yaml:5");
        assert_string_equal(diags.items[2].message,
                            "address 10.0.0.1 of endpoint shop/b is also that of default/a, first at one.yaml:5");
        diag_list_fini(&diags);
        text = "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints:\n  - { name: c }\n";
        assert_int_equal(inventory_load(inventory, "four.yaml", text, strlen(text), &diags), 0);
        assert_string_equal(diags.items[0].message, "endpoint default/c is given twice");
        diag_list_fini(&diags);
}

static void test_named_port(void **state)
{
        static const char *const wrong[] = {"",    "0",   "65536",    "080", "80/",   "80/icmp",
                                            "tcp", "80 ", "80/tcp/x", "-1",  "999999"};
        struct named_port port = {.port = 7};
        size_t i;

        (void)state;
        for (i = 0; i < ARRAY_SIZE(wrong); i++)
                if (named_port_parse("web", wrong[i], &port))
                        fail_msg("%s", wrong[i]);
        assert_false(named_port_parse("Web", "80", &port));
        assert_false(named_port_parse("", "80", &port));
        assert_false(named_port_parse("80", "80", &port));
        assert_int_equal(port.port, 7);
        assert_true(named_port_parse("web", "65535/sctp", &port));
        assert_int_equal(port.port, 65535);
        assert_int_equal(port.protocol, IPPROTO_SCTP);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fill_and_find), cmocka_unit_test(test_empty),
                cmocka_unit_test(test_file),          cmocka_unit_test(test_duplicates_across_files),
                cmocka_unit_test(test_named_port),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
