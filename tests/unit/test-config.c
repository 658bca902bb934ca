/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's configuration: every key, its default, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <agent/config.h>

#define HEAD "apiVersion: vethwall.io/v1\nkind: AgentConfig\n"

static struct config *parse(const char *text, struct diag_list *diags)
{
        struct config *config = NULL;

        assert_int_equal(config_parse(&config, "c.yaml", text, strlen(text), diags), 0);
        return config;
}

static struct config *parse_good(const char *text)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct config *config = parse(text, &diags);

        if (diags.len > 0)
                print_message("%u: %s\n", diags.items[0].line, diags.items[0].message);
        assert_int_equal(diags.len, 0);
        assert_non_null(config);
        return config;
}

static void an_empty_file_gives_the_defaults(void **state _unused_)
{
        static const char *const texts[] = {"", HEAD, HEAD "runtimes:\nmetrics:\n"};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(config_unrefp) struct config *config = parse_good(texts[i]);
                char addr[ADDR_TEXT_MAX];

                assert_int_equal(config->policies_len, 1);
                assert_string_equal(config->policies[0], "/etc/vethwall/policies");
                assert_false(config->runtimes_given);
                assert_null(config->docker_socket);
                assert_null(config->static_inventory);
                assert_int_equal(config->same_bridge, SAME_BRIDGE_AUTO);
                assert_int_equal(config->settings.default_action, ACTION_ALLOW);
                assert_true(config->settings.unknown_deny);
                assert_false(config->settings.host_policy);
                assert_int_equal(config->settings.interfaces_len, 4);
                assert_string_equal(config->settings.interfaces[1], "br-*");
                assert_false(config->trust_image_labels);
                assert_string_equal(addr_format(&config->metrics_addr, addr), "127.0.0.1");
                assert_int_equal(config->metrics_port, 9746);
                assert_string_equal(config->control_socket, "/run/vethwall/control.sock");
                assert_string_equal(config->state, "/var/lib/vethwall");
        }
}

static void every_key_is_read(void **state _unused_)
{
        _cleanup_(config_unrefp) struct config *config = parse_good(HEAD "policies: [/a, /b]\n"
                                                                         "runtimes:\n"
                                                                         "  docker: { socket: /d.sock }\n"
                                                                         "  static: { inventory: /i.yaml }\n"
                                                                         "interfaces: [\"br*\"]\n"
                                                                         "sameBridge: br_netfilter\n"
                                                                         "unknownEndpoints: allow\n"
                                                                         "defaultAction: deny\n"
                                                                         "hostTraffic: policy\n"
                                                                         "trustImageLabels: true\n"
                                                                         "metrics: { listen: \"[::1]:80\" }\n"
                                                                         "control: { socket: /c.sock }\n"
                                                                         "state: /s\n");
        char addr[ADDR_TEXT_MAX];

        assert_int_equal(config->policies_len, 2);
        assert_string_equal(config->policies[1], "/b");
        assert_true(config->runtimes_given);
        assert_string_equal(config->docker_socket, "/d.sock");
        assert_string_equal(config->static_inventory, "/i.yaml");
        assert_int_equal(config->settings.interfaces_len, 1);
        assert_string_equal(config->settings.interfaces[0], "br*");
        assert_int_equal(config->same_bridge, SAME_BRIDGE_BR_NETFILTER);
        assert_false(config->settings.unknown_deny);
        assert_int_equal(config->settings.default_action, ACTION_DENY);
        assert_true(config->settings.host_policy);
        assert_true(config->trust_image_labels);
        assert_string_equal(addr_format(&config->metrics_addr, addr), "::1");
        assert_int_equal(config->metrics_port, 80);
        assert_string_equal(config->control_socket, "/c.sock");
        assert_string_equal(config->state, "/s");
}

static void a_runtime_named_without_more_has_its_defaults(void **state _unused_)
{
        _cleanup_(config_unrefp) struct config *config = parse_good(HEAD "runtimes:\n  docker:\n  static: {}\n");

        assert_string_equal(config->docker_socket, CONFIG_DOCKER_SOCKET);
        assert_string_equal(config->static_inventory, "/etc/vethwall/inventory.yaml");
}

static void mistakes_are_refused_where_they_stand(void **state _unused_)
{
        static const struct {
                const char *text;
                unsigned line;
                const char *message; /* part of it */
        } cases[] = {
                {HEAD "polices: [/a]\n", 3, "polices"},
                {HEAD "policies: /a\n", 3, "policies"},
                {HEAD "policies: [a]\n", 3, "absolute"},
                {HEAD "policies: [1]\n", 3, "string"},
                {HEAD "policies: [\"\"]\n", 3, "empty"},
                {HEAD "runtimes: { podman: { socket: /p } }\n", 3, "does not read podman yet"},
                {HEAD "runtimes: { containerd: }\n", 3, "does not read containerd yet"},
                {HEAD "runtimes: { dokcer: {} }\n", 3, "dokcer"},
                {HEAD "runtimes:\n  docker: { sock: /p }\n", 4, "sock"},
                {HEAD "runtimes:\n  docker: { socket: p }\n", 4, "absolute"},
                {HEAD "runtimes:\n  static: { inventory: \"\" }\n", 4, "empty"},
                {HEAD "interfaces: br0\n", 3, "interfaces"},
                {HEAD "interfaces: [\"*\"]\n", 3, "every interface"},
                {HEAD "interfaces: [\"a*b\"]\n", 3, "cannot be"},
                {HEAD "interfaces: [\"a b\"]\n", 3, "cannot be"},
                {HEAD "interfaces: [abcdefghijklmnop]\n", 3, "at most 15"},
                {HEAD "sameBridge: bridge\n", 3, "no bridge backend yet"},
                {HEAD "sameBridge: off\n", 3, "sameBridge"},
                {HEAD "unknownEndpoints: drop\n", 3, "allow or deny"},
                {HEAD "defaultAction: accept\n", 3, "allow or deny"},
                {HEAD "hostTraffic: deny\n", 3, "allow or policy"},
                {HEAD "trustImageLabels: yes please\n", 3, "trustImageLabels"},
                {HEAD "metrics: { listen: localhost:1 }\n", 3, "listen"},
                {HEAD "metrics: { listen: \"127.0.0.1\" }\n", 3, "listen"},
                {HEAD "metrics: { listen: \"127.0.0.1:65536\" }\n", 3, "listen"},
                {HEAD "metrics: { listen: \"::1:80\" }\n", 3, "listen"},
                {HEAD "metrics: { port: 1 }\n", 3, "port"},
                {HEAD "control: { socket: [] }\n", 3, "socket"},
                {"kind: AgentConfig\n", 1, "apiVersion is missing"},
                {"apiVersion: vethwall.io/v2\nkind: AgentConfig\n", 1, "vethwall.io/v1"},
                {"apiVersion: vethwall.io/v1\nkind: Inventory\n", 2, "AgentConfig"},
                {HEAD "---\n" HEAD, 4, "one document"},
                {"[]\n", 1, ""},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;

                assert_null(parse(cases[i].text, &diags));
                assert_int_equal(diags.errors, 1);
                if (!strstr(diags.items[0].message, cases[i].message))
                        fail_msg("%s: %s", cases[i].text, diags.items[0].message);
                assert_int_equal(diags.items[0].line, cases[i].line);
        }
}

static void all_mistakes_are_found_at_once(void **state _unused_)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;

        assert_null(parse(HEAD "a: 1\ndefaultAction: x\nmetrics: { listen: y }\n", &diags));
        assert_int_equal(diags.errors, 3);
}

static void what_needs_a_restart_is_named(void **state _unused_)
{
        static const struct {
                const char *text, *key;
        } cases[] = {
                {"runtimes: { docker: }\n", "runtimes"},
                {"trustImageLabels: true\n", "trustImageLabels"},
                {"metrics: { listen: \"127.0.0.1:1\" }\n", "metrics"},
                {"control: { socket: /x }\n", "control"},
                {"state: /x\n", "state"},
                {"defaultAction: deny\ninterfaces: []\npolicies: []\n", NULL},
        };
        _cleanup_(config_unrefp) struct config *running = parse_good(HEAD);

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[256] = HEAD;
                _cleanup_(config_unrefp) struct config *wanted = NULL;
                const char *key;

                strcat(text, cases[i].text);
                wanted = parse_good(text);
                key = config_needs_restart(running, wanted);
                if (cases[i].key)
                        assert_string_equal(key, cases[i].key);
                else
                        assert_null(key);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_file_gives_the_defaults),
                cmocka_unit_test(every_key_is_read),
                cmocka_unit_test(a_runtime_named_without_more_has_its_defaults),
                cmocka_unit_test(mistakes_are_refused_where_they_stand),
                cmocka_unit_test(all_mistakes_are_found_at_once),
                cmocka_unit_test(what_needs_a_restart_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
