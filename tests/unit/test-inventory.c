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
#include <vethwall/strbuf.h>

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

static void assert_same_labels(const struct label_set *a, const struct label_set *b)
{
        for (size_t i = 0; i < a->len; i++) {
                const char *value = label_set_get(b, a->items[i].key);

                if (!value && a->items[i].key[0] != '\0')
                        fail_msg("label %s is lost", a->items[i].key);
                if (value)
                        assert_string_equal(value, a->items[i].value);
        }
}

static void assert_same(const struct inventory *a, const struct inventory *b)
{
        assert_int_equal(a->namespaces_len, b->namespaces_len);
        for (size_t i = 0; i < a->namespaces_len; i++) {
                assert_string_equal(a->namespaces[i].name, b->namespaces[i].name);
                assert_same_labels(&a->namespaces[i].labels, &b->namespaces[i].labels);
        }
        assert_int_equal(a->endpoints_len, b->endpoints_len);
        for (size_t i = 0; i < a->endpoints_len; i++) {
                const struct endpoint *x = &a->endpoints[i], *y = &b->endpoints[i];

                assert_string_equal(x->ns, y->ns);
                assert_string_equal(x->name, y->name);
                assert_string_equal(x->runtime, y->runtime);
                assert_string_equal(x->id, y->id);
                assert_int_equal(x->host_network, y->host_network);
                assert_same_labels(&x->labels, &y->labels);
                assert_int_equal(x->addrs_len, y->addrs_len);
                for (size_t j = 0; j < x->addrs_len; j++)
                        assert_true(addr_equal(&x->addrs[j], &y->addrs[j]));
                assert_int_equal(x->ports_len, y->ports_len);
                for (size_t j = 0; j < x->ports_len; j++) {
                        assert_string_equal(x->ports[j].name, y->ports[j].name);
                        assert_int_equal(x->ports[j].protocol, y->ports[j].protocol);
                        assert_int_equal(x->ports[j].port, y->ports[j].port);
                }
                assert_int_equal(x->published_len, y->published_len);
                for (size_t j = 0; j < x->published_len; j++) {
                        assert_int_equal(x->published[j].protocol, y->published[j].protocol);
                        assert_int_equal(x->published[j].port, y->published[j].port);
                        assert_int_equal(x->published[j].target, y->published[j].target);
                }
        }
}

/* What an agent may know of: names and labels that no one would write into a file. */
static void fill_odd(struct inventory *inventory)
{
        static struct label labels[] = {
                {"vethwall.io/name", "web.1"},
                {"vethwall.io/image", "nginx_1.25"},
                {"vethwall.io/network.front", "true"},
                {"vethwall.io/port.bad port", "http"},
                {"empty value", ""},
                {"true", "yes"},
                {"null", "~"},
                {"quoted \"\\ \x01\x7f", "\n two\r\n lines\t"},
                {"\xc2\x85 next line", "\xe2\x80\xa8 separator \xef\xbb\xbf mark \xf0\x9f\x90\xb3"},
                {"? a: [b, {c}] # d", "&a *b !c |d >e 'f' %g @h `i"},
        };
        static struct label ns_labels[] = {{"team", "a b"}, {NAMESPACE_NAME_LABEL, "forged"}};
        struct addr addrs[] = {parse("10.0.0.1"), parse("fd00::1")};
        struct named_port ports[] = {{"http", IPPROTO_TCP, 80}, {"dns", IPPROTO_UDP, 53}, {"x", IPPROTO_SCTP, 65535}};
        static struct label unwritable[] = {{"", "nothing could name it"}};
        struct published_port published[] = {{IPPROTO_TCP, 8080, 80}, {IPPROTO_UDP, 53, 53}};
        const struct endpoint odd = {
                .ns = "Team.A_1",
                .name = "k8s_POD \"x\"",
                .runtime = "docker",
                .id = "0123456789abcdef",
                .labels = {labels, ARRAY_SIZE(labels)},
                .addrs = addrs,
                .addrs_len = 2,
                .ports = ports,
                .ports_len = 3,
                .published = published,
                .published_len = 2,
        };
        const struct endpoint node = {.ns = "shop", .name = "node", .host_network = true};
        const struct endpoint bare = {.ns = "shop", .name = "bare", .labels = {unwritable, 1}};

        assert_int_equal(inventory_add_endpoint(inventory, &odd), 0);
        assert_int_equal(inventory_add_endpoint(inventory, &bare), 0);
        assert_int_equal(inventory_add_endpoint(inventory, &node), 0);
        assert_int_equal(inventory_add_namespace(inventory, &(struct namespace){"shop", {ns_labels, 2}}), 0);
        assert_int_equal(inventory_seal(inventory), 0);
}

static void test_written_and_read_it_is_the_same(void **state)
{
        _cleanup_(inventory_freep) struct inventory *odd = NULL, *again = NULL;
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        (void)state;
        assert_int_equal(inventory_new(&odd), 0);
        fill_odd(odd);
        inventory_write(&text, odd);
        assert_null(strstr(text.text, "nothing could name it"));
        assert_int_equal(strbuf_check(&text), 0);
        assert_int_equal(inventory_new(&again), 0);
        assert_int_equal(inventory_load(again, "agent", text.text, text.len, &diags), 0);
        if (diags.len > 0)
                fail_msg("%s in:\n%s", diags.items[0].message, text.text);
        assert_int_equal(inventory_seal(again), 0);
        assert_same(odd, again);
}

/* Only an agent may say what is derived. */
static void test_only_what_was_observed_is_taken_as_it_is(void **state)
{
        static const char *const observed =
                "apiVersion: vethwall.io/v1\nkind: Inventory\nobserved: true\n"
                "endpoints: [{ name: a, runtime: docker, labels: { vethwall.io/runtime: docker } }]\n";
        static const char *const written = "apiVersion: vethwall.io/v1\nkind: Inventory\n"
                                           "endpoints: [{ name: b, labels: { vethwall.io/runtime: docker } }]\n";
        static const char *const slash = "apiVersion: vethwall.io/v1\nkind: Inventory\nobserved: true\n"
                                         "endpoints: [{ name: a/b }, { name: a, namespace: \"\" }]\n";
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        struct diag_list diags = DIAG_LIST_INIT;

        (void)state;
        assert_int_equal(inventory_new(&inventory), 0);
        assert_int_equal(inventory_load(inventory, "x", observed, strlen(observed), &diags), 0);
        assert_int_equal(diags.len, 0);
        assert_int_equal(inventory_load(inventory, "x", written, strlen(written), &diags), 0);
        assert_int_equal(diags.errors, 1);
        diag_list_fini(&diags);
        assert_int_equal(inventory_load(inventory, "x", slash, strlen(slash), &diags), 0);
        assert_int_equal(diags.errors, 2);
        diag_list_fini(&diags);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fill_and_find),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_duplicates_across_files),
                cmocka_unit_test(test_named_port),
                cmocka_unit_test(test_written_and_read_it_is_the_same),
                cmocka_unit_test(test_only_what_was_observed_is_taken_as_it_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
