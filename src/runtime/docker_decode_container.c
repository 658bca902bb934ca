/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers in the Docker Engine's JSON: the list's short form and the inspection's long one. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "runtime/docker_json.h"

static int attachment_cmp(const void *a, const void *b)
{
        return strcmp(((const struct docker_attachment *)a)->name, ((const struct docker_attachment *)b)->name);
}

static int decode_attachments(struct arena *arena, const json_t *json, struct docker_info *info)
{
        const json_t *networks = json_object_get(json_object_get(json, "NetworkSettings"), "Networks");
        const char *name;
        json_t *network;

        info->attachments = arena_array(arena, json_object_size(networks), sizeof(*info->attachments));
        if (!info->attachments)
                return -ENOMEM;
        json_object_foreach((json_t *)networks, name, network)
        {
                struct docker_attachment *attachment = &info->attachments[info->attachments_len++];

                attachment->name = arena_strdup(arena, name);
                attachment->network_id = docker_json_text(arena, network, "NetworkID");
                attachment->endpoint_id = docker_json_text(arena, network, "EndpointID");
                if (!attachment->name || !attachment->network_id || !attachment->endpoint_id)
                        return -ENOMEM;
                docker_json_addr(json_object_get(network, "IPAddress"), attachment->addrs, &attachment->addrs_len);
                docker_json_addr(json_object_get(network, "GlobalIPv6Address"), attachment->addrs,
                                 &attachment->addrs_len);
        }
        if (info->attachments_len)
                qsort(info->attachments, info->attachments_len, sizeof(*info->attachments), attachment_cmp);
        return 0;
}

static bool protocol_parse(const char *text, uint8_t *ret)
{
        if (!strcmp(text, "tcp"))
                *ret = IPPROTO_TCP;
        else if (!strcmp(text, "udp"))
                *ret = IPPROTO_UDP;
        else if (!strcmp(text, "sctp"))
                *ret = IPPROTO_SCTP;
        else
                return false;
        return true;
}

static bool port_in_range(json_int_t port)
{
        return port > 0 && port <= UINT16_MAX;
}

/* Only plain decimal numbers: a binding may also be a range or empty, and then the port is not known yet. */
static bool port_parse(const char *text, size_t len, uint16_t *ret)
{
        unsigned port = 0;

        if (!len || len > 5)
                return false;
        for (size_t i = 0; i < len; i++) {
                if (!isdigit((unsigned char)text[i]))
                        return false;
                port = port * 10 + (unsigned)(text[i] - '0');
        }
        if (!port_in_range((json_int_t)port))
                return false;
        *ret = (uint16_t)port;
        return true;
}

static int published_cmp(const void *a, const void *b)
{
        const struct container_published *x = a, *y = b;
        int r = (int)x->protocol - y->protocol;

        r = r ? r : (int)x->host_port - y->host_port;
        r = r ? r : addr_cmp(&x->host_addr, &y->host_addr);
        return r ? r : (int)x->container_port - y->container_port;
}

/* Adds a port, published on one host address or, where text is empty, on all of both families. */
static void publish(struct docker_info *info, struct container_published port, const char *host)
{
        if (*host) {
                if (addr_parse(host, &port.host_addr))
                        info->published[info->published_len++] = port;
                return;
        }
        for (int family = ADDR_V4; family < ADDR_FAMILY_MAX; family++) {
                port.host_addr = addr_lowest((enum addr_family)family);
                info->published[info->published_len++] = port;
        }
}

static void sort_published(struct docker_info *info)
{
        size_t len = 0;

        if (!info->published_len)
                return;
        qsort(info->published, info->published_len, sizeof(*info->published), published_cmp);
        for (size_t i = 0; i < info->published_len; i++) {
                if (!len || published_cmp(&info->published[len - 1], &info->published[i]))
                        info->published[len++] = info->published[i];
        }
        info->published_len = len;
}

/* The list's form: [{"IP", "PrivatePort", "PublicPort", "Type"}]. */
static int decode_list_ports(struct arena *arena, const json_t *ports, struct docker_info *info)
{
        const json_t *item;
        size_t i;

        info->published = arena_array(arena, json_array_size(ports) * 2, sizeof(*info->published));
        if (!info->published)
                return -ENOMEM;
        json_array_foreach(ports, i, item)
        {
                const char *type = json_string_value(json_object_get(item, "Type"));
                const char *host = json_string_value(json_object_get(item, "IP"));
                json_int_t inner = json_integer_value(json_object_get(item, "PrivatePort"));
                json_int_t outer = json_integer_value(json_object_get(item, "PublicPort"));
                struct container_published port = {0};

                if (!type || !protocol_parse(type, &port.protocol) || !port_in_range(inner) || !port_in_range(outer))
                        continue;
                port.container_port = (uint16_t)inner;
                port.host_port = (uint16_t)outer;
                publish(info, port, host ? host : "");
        }
        sort_published(info);
        return 0;
}

static size_t count_bindings(const json_t *ports)
{
        const char *key;
        json_t *bindings;
        size_t len = 0;

        json_object_foreach((json_t *)ports, key, bindings)
        {
                len += json_array_size(bindings);
        }
        return len;
}

/* The inspection's form: {"80/tcp": [{"HostIp", "HostPort"}]}. */
static int decode_port_map(struct arena *arena, const json_t *ports, struct docker_info *info)
{
        const char *key;
        json_t *bindings;

        info->published = arena_array(arena, count_bindings(ports) * 2, sizeof(*info->published));
        if (!info->published)
                return -ENOMEM;
        json_object_foreach((json_t *)ports, key, bindings)
        {
                const char *slash = strchr(key, '/');
                struct container_published port = {0};
                const json_t *binding;
                size_t i;

                if (!slash || !port_parse(key, (size_t)(slash - key), &port.container_port) ||
                    !protocol_parse(slash + 1, &port.protocol))
                        continue;
                json_array_foreach(bindings, i, binding)
                {
                        const char *host = json_string_value(json_object_get(binding, "HostIp"));
                        const char *number = json_string_value(json_object_get(binding, "HostPort"));

                        if (number && port_parse(number, strlen(number), &port.host_port))
                                publish(info, port, host ? host : "");
                }
        }
        sort_published(info);
        return 0;
}

/* ---- containers ---- */

/* A container has its own name and one "/other/alias" for every link to it; a name holds no slash. */
static const char *own_name(const json_t *names)
{
        const json_t *item;
        size_t i;

        json_array_foreach(names, i, item)
        {
                const char *name = json_string_value(item);

                if (name && *name == '/' && !strchr(name + 1, '/'))
                        return name + 1;
        }
        return "";
}

static int decode_summary(struct arena *arena, const json_t *json, struct docker_info *ret)
{
        struct docker_info info = {.netns = ""};
        const char *state = json_string_value(json_object_get(json, "State"));
        int r;

        if (!docker_json_id(json, "Id", &info.id))
                return DOCKER_E_MALFORMED;
        info.id = arena_strdup(arena, info.id);
        info.name = arena_strdup(arena, own_name(json_object_get(json, "Names")));
        info.image = docker_json_text(arena, json, "Image");
        info.image_id = docker_json_text(arena, json, "ImageID");
        info.network_mode = docker_json_text(arena, json_object_get(json, "HostConfig"), "NetworkMode");
        if (!info.id || !info.name || !info.image || !info.image_id || !info.network_mode)
                return -ENOMEM;
        info.running = state && (!strcmp(state, "running") || !strcmp(state, "paused"));
        r = docker_json_labels(arena, json_object_get(json, "Labels"), &info.labels);
        r = r ? r : decode_attachments(arena, json, &info);
        r = r ? r : decode_list_ports(arena, json_object_get(json, "Ports"), &info);
        if (!r)
                *ret = info;
        return r;
}

int docker_decode_list(struct arena *arena, const char *bytes, size_t size, struct docker_info **ret, size_t *ret_len)
{
        _cleanup_json_ json_t *root = NULL;
        struct docker_info *infos;
        const json_t *item;
        size_t i, len = 0;
        int r;

        r = docker_json_parse(bytes, size, &root);
        if (r)
                return r;
        if (!json_is_array(root))
                return DOCKER_E_MALFORMED;
        infos = arena_array(arena, json_array_size(root), sizeof(*infos));
        if (!infos)
                return -ENOMEM;
        json_array_foreach(root, i, item)
        {
                r = decode_summary(arena, item, &infos[len]);
                if (r < 0)
                        return r;
                len += r == 0;
        }
        *ret = infos;
        *ret_len = len;
        return 0;
}

static pid_t decode_pid(const json_t *json)
{
        json_int_t pid = json_integer_value(json);

        return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

int docker_decode_inspect(struct arena *arena, const char *bytes, size_t size, struct docker_info *ret)
{
        _cleanup_json_ json_t *root = NULL;
        struct docker_info info = {0};
        const json_t *config, *host, *state, *settings, *ports;
        const char *name;
        int r;

        r = docker_json_parse(bytes, size, &root);
        if (r)
                return r;
        if (!docker_json_id(root, "Id", &info.id))
                return DOCKER_E_MALFORMED;
        config = json_object_get(root, "Config");
        host = json_object_get(root, "HostConfig");
        state = json_object_get(root, "State");
        settings = json_object_get(root, "NetworkSettings");
        name = json_string_value(json_object_get(root, "Name"));
        info.id = arena_strdup(arena, info.id);
        info.name = arena_strdup(arena, name ? name + (*name == '/') : "");
        info.image = docker_json_text(arena, config, "Image");
        info.image_id = docker_json_text(arena, root, "Image");
        info.network_mode = docker_json_text(arena, host, "NetworkMode");
        info.running = json_is_true(json_object_get(state, "Running"));
        /* The path outlives the container in there. */
        info.netns = info.running ? docker_json_text(arena, settings, "SandboxKey") : "";
        if (!info.id || !info.name || !info.image || !info.image_id || !info.network_mode || !info.netns)
                return -ENOMEM;
        info.pid = info.running ? decode_pid(json_object_get(state, "Pid")) : 0;
        /* Before the start only the wish is there, but for the port that the engine chooses it is all there is to know. */
        ports = json_object_get(settings, "Ports");
        if (!info.running && !count_bindings(ports))
                ports = json_object_get(host, "PortBindings");
        r = docker_json_labels(arena, json_object_get(config, "Labels"), &info.labels);
        r = r ? r : decode_attachments(arena, root, &info);
        r = r ? r : decode_port_map(arena, ports, &info);
        if (!r)
                *ret = info;
        return r;
}
