/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the configuration file. Keys and defaults are those of the reference page; an unknown key is an error, because a
 * misspelt one would silently leave a default in force. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <files/files.h>
#include <vethwall/doc.h>

#include "config.h"

static const char *const default_policies[] = {"/etc/vethwall/policies"};

struct config *config_ref(struct config *config)
{
        config->refs++;
        return config;
}

struct config *config_unref(struct config *config)
{
        if (!config || --config->refs > 0)
                return NULL;
        arena_free(config->arena);
        free(config);
        return NULL;
}

int config_default(struct config **ret)
{
        _cleanup_(config_unrefp) struct config *config = calloc(1, sizeof(*config));

        if (!config)
                return -ENOMEM;
        config->refs = 1;
        config->arena = arena_new();
        if (!config->arena)
                return -ENOMEM;
        config->policies = arena_memdup(config->arena, default_policies, sizeof(default_policies));
        config->policies_len = ARRAY_SIZE(default_policies);
        config->settings = settings_default;
        addr_parse("127.0.0.1", &config->metrics_addr);
        config->metrics_port = 9746;
        config->control_socket = "/run/vethwall/control.sock";
        config->state = "/var/lib/vethwall";
        if (!config->policies)
                return -ENOMEM;

        *ret = steal(config);
        return 0;
}

/* A string that is not empty, copied; *ret is unchanged where the key is not there. */
static int read_text(struct config *config, struct doc_file *file, const struct doc_node *node, const char *key,
                     const char **ret)
{
        const char *text;

        if (!doc_get_string(file, node, key, &text))
                return 0;
        if (!*text) {
                doc_diag(file, doc_get(node, key), DIAG_ERROR, "VW004", NULL, "%s must not be empty", key);
                return 0;
        }
        text = arena_strdup(config->arena, text);
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

static int read_path(struct config *config, struct doc_file *file, const struct doc_node *node, const char *key,
                     const char **ret)
{
        const char *path = NULL;
        int r;

        r = read_text(config, file, node, key, &path);
        if (r < 0 || !path)
                return r;
        if (path[0] != '/')
                doc_diag(file, doc_get(node, key), DIAG_ERROR, "VW004",
                         "the agent has no working directory to speak of", "%s must be an absolute path", key);
        *ret = path;
        return 0;
}

static int read_texts(struct config *config, struct doc_file *file, const struct doc_node *node, const char *key,
                      bool paths, const char ***ret, size_t *ret_len)
{
        struct doc_node *list;
        const char **texts;

        if (!doc_get_list(file, node, key, &list))
                return 0;
        texts = arena_array(config->arena, list->len, sizeof(*texts));
        if (!texts)
                return -ENOMEM;
        for (size_t i = 0; i < list->len; i++) {
                const struct doc_node *item = list->items[i];

                if (item->kind != DOC_STRING || !*item->text) {
                        doc_diag(file, item, DIAG_ERROR, "VW004", NULL, "%s must hold strings, not %s", key,
                                 item->kind == DOC_STRING ? "an empty one" : doc_kind_name(item->kind));
                        continue;
                }
                if (paths && item->text[0] != '/')
                        doc_diag(file, item, DIAG_ERROR, "VW004", "the agent has no working directory to speak of",
                                 "%s must be absolute paths", key);
                texts[i] = arena_strdup(config->arena, item->text);
                if (!texts[i])
                        return -ENOMEM;
        }
        *ret = texts;
        *ret_len = list->len;
        return 0;
}

/* The index of the key's value among names, or -1 where it is not there or (reported) not among them. */
static int read_choice(struct doc_file *file, const struct doc_node *node, const char *key, const char *const *names,
                       size_t len)
{
        const char *text;

        if (!doc_get_string(file, node, key, &text))
                return -1;
        for (size_t i = 0; i < len; i++)
                if (strcmp(text, names[i]) == 0)
                        return (int)i;
        doc_diag(file, doc_get(node, key), DIAG_ERROR, "VW004", NULL, "%s must be %s%s%s%s%s, not \"%s\"", key,
                 names[0], len > 2 ? ", " : " or ", names[1], len > 2 ? " or " : "", len > 2 ? names[2] : "", text);
        return -1;
}

static int read_docker(struct config *config, struct doc_file *file, struct doc_node *runtimes)
{
        static const char *const fields[] = {"socket"};
        struct doc_node *node = doc_get(runtimes, "docker");

        if (!node)
                return 0;
        config->docker_socket = CONFIG_DOCKER_SOCKET;
        if (node->kind == DOC_NULL || !doc_check_fields(file, node, "docker", fields, ARRAY_SIZE(fields)))
                return 0;
        return read_path(config, file, node, "socket", &config->docker_socket);
}

static int read_static(struct config *config, struct doc_file *file, struct doc_node *runtimes)
{
        static const char *const fields[] = {"inventory"};
        struct doc_node *node = doc_get(runtimes, "static");

        if (!node)
                return 0;
        config->static_inventory = "/etc/vethwall/inventory.yaml";
        if (node->kind == DOC_NULL || !doc_check_fields(file, node, "static", fields, ARRAY_SIZE(fields)))
                return 0;
        return read_path(config, file, node, "inventory", &config->static_inventory);
}

static int read_runtimes(struct config *config, struct doc_file *file, struct doc_node *root)
{
        static const char *const fields[] = {"docker", "podman", "containerd", "static"};
        static const char *const unread[] = {"podman", "containerd"};
        struct doc_node *node;
        int r;

        if (!doc_get_map(file, root, "runtimes", &node))
                return 0;
        config->runtimes_given = true;
        doc_check_fields(file, node, "runtimes", fields, ARRAY_SIZE(fields));
        for (size_t i = 0; i < ARRAY_SIZE(unread); i++) {
                const struct doc_node *value = doc_get(node, unread[i]);

                /* Taking it and doing nothing would leave containers unguarded that their owner believes guarded. */
                if (value)
                        doc_diag(file, value, DIAG_ERROR, "VW004",
                                 "remove it, or list its containers in a static inventory",
                                 "this version does not read %s yet", unread[i]);
        }
        r = read_docker(config, file, node);
        return r < 0 ? r : read_static(config, file, node);
}

/* "127.0.0.1:9746" or "[::1]:9746". */
static bool parse_listen(const char *text, struct addr *ret_addr, uint16_t *ret_port)
{
        const char *colon = strrchr(text, ':');
        char host[ADDR_TEXT_MAX];
        unsigned long port;
        size_t len;
        char *end;

        if (!colon || colon[1] < '0' || colon[1] > '9')
                return false;
        port = strtoul(colon + 1, &end, 10);
        if (*end || end - colon > 6 || port > UINT16_MAX)
                return false;
        len = (size_t)(colon - text);
        if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
                text++;
                len -= 2;
        } else if (memchr(text, ':', len)) {
                return false;
        }
        if (len >= sizeof(host))
                return false;
        memcpy(host, text, len);
        host[len] = '\0';
        if (!addr_parse(host, ret_addr))
                return false;
        *ret_port = (uint16_t)port;
        return true;
}

static void read_metrics(struct config *config, struct doc_file *file, struct doc_node *root)
{
        static const char *const fields[] = {"listen"};
        struct doc_node *node;
        const char *text;

        if (!doc_get_map(file, root, "metrics", &node))
                return;
        doc_check_fields(file, node, "metrics", fields, ARRAY_SIZE(fields));
        if (doc_get_string(file, node, "listen", &text) &&
            !parse_listen(text, &config->metrics_addr, &config->metrics_port))
                doc_diag(file, doc_get(node, "listen"), DIAG_ERROR, "VW004", "write 127.0.0.1:9746 or \"[::1]:9746\"",
                         "listen must be an address and a port, not \"%s\"", text);
}

static int read_control(struct config *config, struct doc_file *file, struct doc_node *root)
{
        static const char *const fields[] = {"socket"};
        struct doc_node *node;

        if (!doc_get_map(file, root, "control", &node))
                return 0;
        doc_check_fields(file, node, "control", fields, ARRAY_SIZE(fields));
        return read_path(config, file, node, "socket", &config->control_socket);
}

/* What the kernel would refuse, and what would cut off the host itself. */
static void check_interfaces(struct doc_file *file, const struct doc_node *list)
{
        for (size_t i = 0; i < list->len; i++) {
                const struct doc_node *item = list->items[i];
                size_t len = item->kind == DOC_STRING ? strlen(item->text) : 0, stem;

                if (len == 0)
                        continue;
                stem = item->text[len - 1] == '*' ? len - 1 : len;
                if (stem == 0)
                        doc_diag(file, item, DIAG_ERROR, "VW004",
                                 "name the bridges of the containers, for example \"br-*\"",
                                 "\"*\" would manage every interface, the host's own among them");
                else if (stem >= IFNAMSIZ)
                        doc_diag(file, item, DIAG_ERROR, "VW004", NULL, "an interface's name has at most %d characters",
                                 IFNAMSIZ - 1);
                else if (strcspn(item->text, "*/: \t\"\\") < stem)
                        doc_diag(file, item, DIAG_ERROR, "VW004", "a * can only stand at the end",
                                 "\"%s\" cannot be an interface's name", item->text);
        }
}

static int read_settings(struct config *config, struct doc_file *file, struct doc_node *root)
{
        static const char *const allow_deny[] = {"allow", "deny"};
        static const char *const allow_policy[] = {"allow", "policy"};
        struct settings *settings = &config->settings;
        const char **interfaces = NULL;
        size_t interfaces_len = 0;
        int choice, r;

        choice = read_choice(file, root, "defaultAction", allow_deny, ARRAY_SIZE(allow_deny));
        if (choice >= 0)
                settings->default_action = choice == 0 ? ACTION_ALLOW : ACTION_DENY;
        choice = read_choice(file, root, "unknownEndpoints", allow_deny, ARRAY_SIZE(allow_deny));
        if (choice >= 0)
                settings->unknown_deny = choice == 1;
        choice = read_choice(file, root, "hostTraffic", allow_policy, ARRAY_SIZE(allow_policy));
        if (choice >= 0)
                settings->host_policy = choice == 1;
        r = read_texts(config, file, root, "interfaces", false, &interfaces, &interfaces_len);
        if (r < 0 || !interfaces)
                return r;
        check_interfaces(file, doc_get(root, "interfaces"));
        settings->interfaces = interfaces;
        settings->interfaces_len = interfaces_len;
        return 0;
}

static void read_same_bridge(struct config *config, struct doc_file *file, struct doc_node *root)
{
        static const char *const names[] = {"auto", "bridge", "br_netfilter"};

        switch (read_choice(file, root, "sameBridge", names, ARRAY_SIZE(names))) {
        case 1:
                doc_diag(file, doc_get(root, "sameBridge"), DIAG_ERROR, "VW004", "write auto or br_netfilter",
                         "this version has no bridge backend yet");
                break;
        case 2:
                config->same_bridge = SAME_BRIDGE_BR_NETFILTER;
                break;
        }
}

static void check_kind(struct doc_file *file, const struct doc_node *root)
{
        static const struct {
                const char *key, *value;
        } wanted[] = {{"apiVersion", "vethwall.io/v1"}, {"kind", "AgentConfig"}};
        const char *text;

        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
                const struct doc_node *node = doc_get(root, wanted[i].key);

                if (!node)
                        doc_diag(file, root, DIAG_ERROR, "VW004", NULL, "%s is missing; it must be %s", wanted[i].key,
                                 wanted[i].value);
                else if (doc_get_string(file, root, wanted[i].key, &text) && strcmp(text, wanted[i].value) != 0)
                        doc_diag(file, node, DIAG_ERROR, "VW004", NULL, "%s must be %s, not \"%s\"", wanted[i].key,
                                 wanted[i].value, text);
        }
}

static int read_root(struct config *config, struct doc_file *file, struct doc_node *root)
{
        static const char *const fields[] = {"apiVersion",
                                             "kind",
                                             "policies",
                                             "runtimes",
                                             "interfaces",
                                             "sameBridge",
                                             "unknownEndpoints",
                                             "defaultAction",
                                             "hostTraffic",
                                             "trustImageLabels",
                                             "metrics",
                                             "control",
                                             "state"};
        int r;

        if (!doc_check_fields(file, root, "the configuration", fields, ARRAY_SIZE(fields)))
                return 0;
        check_kind(file, root);
        r = read_texts(config, file, root, "policies", true, &config->policies, &config->policies_len);
        if (r < 0)
                return r;
        r = read_runtimes(config, file, root);
        if (r < 0)
                return r;
        r = read_settings(config, file, root);
        if (r < 0)
                return r;
        read_same_bridge(config, file, root);
        doc_get_bool(file, root, "trustImageLabels", &config->trust_image_labels);
        read_metrics(config, file, root);
        r = read_control(config, file, root);
        if (r < 0)
                return r;
        return read_path(config, file, root, "state", &config->state);
}

int config_parse(struct config **ret, const char *name, const char *bytes, size_t size, struct diag_list *diags)
{
        _cleanup_(config_unrefp) struct config *config = NULL;
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        size_t errors = diags->errors;
        struct doc_file file;
        int r;

        if (!arena)
                return -ENOMEM;
        r = config_default(&config);
        if (r < 0)
                return r;
        r = doc_parse(&file, arena, name, bytes, size, diags);
        if (r < 0)
                return r;
        for (size_t i = 1; i < file.docs_len; i++)
                doc_diag(&file, file.docs[i], DIAG_ERROR, "VW004", NULL, "a configuration is one document");
        if (file.docs_len > 0) {
                r = read_root(config, &file, file.docs[0]);
                if (r < 0)
                        return r;
        }
        if (file.oom)
                return -ENOMEM;
        *ret = diags->errors > errors ? NULL : steal(config);
        return 0;
}

int config_read(struct config **ret, const char *path, struct diag_list *diags)
{
        _cleanup_free_ char *bytes = NULL;
        size_t size;
        int r;

        if (!path && access(CONFIG_PATH, F_OK) < 0 && errno == ENOENT)
                return config_default(ret);
        if (!path)
                path = CONFIG_PATH;
        r = file_read(path, &bytes, &size, diags);
        if (r < 0)
                return r;
        if (!bytes) {
                *ret = NULL;
                return 0;
        }
        return config_parse(ret, path, bytes, size, diags);
}

static bool text_differs(const char *a, const char *b)
{
        return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

const char *config_needs_restart(const struct config *running, const struct config *wanted)
{
        if (running->runtimes_given != wanted->runtimes_given ||
            text_differs(running->docker_socket, wanted->docker_socket) ||
            text_differs(running->static_inventory, wanted->static_inventory))
                return "runtimes";
        if (running->trust_image_labels != wanted->trust_image_labels)
                return "trustImageLabels";
        if (!addr_equal(&running->metrics_addr, &wanted->metrics_addr) || running->metrics_port != wanted->metrics_port)
                return "metrics";
        if (text_differs(running->control_socket, wanted->control_socket))
                return "control";
        return text_differs(running->state, wanted->state) ? "state" : NULL;
}
