/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Docker Engine's JSON into values: events, networks, images, errors, and the parts that containers share with
 * them. See docker_decode.h; containers are in docker_decode_container.c. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/docker_json.h"

#define ID_MAX 128u
#define ERROR_MAX 512u /* of a plain text error */

void docker_json_drop(json_t **json)
{
        json_decref(*json);
}
static bool id_is_valid(const char *id, bool colons)
{
        size_t len = strlen(id);

        for (size_t i = 0; i < len; i++) {
                if (!isalnum((unsigned char)id[i]) && !(colons && id[i] == ':'))
                        return false;
        }
        return len > 0 && len <= ID_MAX;
}

bool docker_id_is_valid(const char *id)
{
        return id_is_valid(id, false);
}

bool docker_image_id_is_valid(const char *id)
{
        return id_is_valid(id, true);
}

/* Go writes a NUL in a string as \u0000, which jansson takes for an error of the whole text (in keys, whatever its
 * flags). One container's strange label must not hide all the others: the escape is replaced by that of U+FFFD. */
static void replace_nul_escapes(char *text, size_t size)
{
        static const char nul[6] = "\\u0000", replacement[6] = "\\ufffd";

        for (size_t i = 0; i + 1 < size; i += 2) {
                char *escape = memchr(text + i, '\\', size - i);

                if (!escape)
                        return;
                i = (size_t)(escape - text);
                if (size - i >= 6 && !memcmp(escape, nul, sizeof(nul)))
                        memcpy(escape, replacement, sizeof(replacement));
        }
}

int docker_json_parse(const char *bytes, size_t size, json_t **ret)
{
        _cleanup_free_ char *text = NULL;
        json_error_t error;
        json_t *root;

        text = malloc(size + 1);
        if (!text)
                return -ENOMEM;
        memcpy(text, bytes, size);
        replace_nul_escapes(text, size);
        root = json_loadb(text, size, 0, &error);
        if (!root)
                return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : DOCKER_E_MALFORMED;
        *ret = root;
        return 0;
}

/* The member's string, "" where there is none; NULL when memory is exhausted. */
const char *docker_json_text(struct arena *arena, const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return arena_strdup(arena, text ? text : "");
}

bool docker_json_id(const json_t *object, const char *key, const char **ret)
{
        const char *id = json_string_value(json_object_get(object, key));

        if (!id || !docker_id_is_valid(id))
                return false;
        *ret = id;
        return true;
}

/* ---- events ---- */

static const struct {
        const char *type;
        const char *action;
        enum docker_event_kind kind;
} event_names[] = {
        {"container", "create", DOCKER_EVENT_CREATE},
        {"container", "start", DOCKER_EVENT_START},
        {"container", "die", DOCKER_EVENT_DIE},
        {"container", "destroy", DOCKER_EVENT_DESTROY},
        {"container", "rename", DOCKER_EVENT_RENAME},
        {"network", "connect", DOCKER_EVENT_CONNECT},
        {"network", "disconnect", DOCKER_EVENT_DISCONNECT},
        {"network", "create", DOCKER_EVENT_NETWORK},
        {"network", "update", DOCKER_EVENT_NETWORK},
        {"network", "remove", DOCKER_EVENT_NETWORK},
        {"network", "destroy", DOCKER_EVENT_NETWORK},
        {"daemon", "reload", DOCKER_EVENT_RELOAD},
};

static enum docker_event_kind event_kind(const char *type, const char *action)
{
        for (size_t i = 0; i < ARRAY_SIZE(event_names); i++) {
                if (!strcmp(type, event_names[i].type) && !strcmp(action, event_names[i].action))
                        return event_names[i].kind;
        }
        return DOCKER_EVENT_OTHER;
}

int docker_decode_event(struct arena *arena, const char *bytes, size_t size, struct docker_event *ret)
{
        struct docker_event event = {.container = "", .network = ""};
        _cleanup_json_ json_t *root = NULL;
        const char *type, *action;
        const json_t *actor;
        int r;

        r = docker_json_parse(bytes, size, &root);
        if (r)
                return r;
        type = json_string_value(json_object_get(root, "Type"));
        action = json_string_value(json_object_get(root, "Action"));
        if (!type || !action)
                return DOCKER_E_MALFORMED;
        actor = json_object_get(root, "Actor");
        event.kind = event_kind(type, action);
        if (event.kind == DOCKER_EVENT_OTHER || event.kind == DOCKER_EVENT_RELOAD) {
                *ret = event;
                return 0;
        }
        if (!docker_json_id(actor, "ID", !strcmp(type, "network") ? &event.network : &event.container))
                return DOCKER_E_MALFORMED;
        /* A network's events name the container among the attributes; one that is none of ours may be there too. */
        if (event.kind == DOCKER_EVENT_CONNECT || event.kind == DOCKER_EVENT_DISCONNECT)
                docker_json_id(json_object_get(actor, "Attributes"), "container", &event.container);
        event.network = arena_strdup(arena, event.network);
        event.container = arena_strdup(arena, event.container);
        if (!event.network || !event.container)
                return -ENOMEM;
        *ret = event;
        return 0;
}

/* ---- parts of several ---- */

/* Null and absent are no labels; another type, or a label of another type, is not what the API promises. */
int docker_json_labels(struct arena *arena, const json_t *json, struct label_set *ret)
{
        struct label_set labels = {0};
        const char *key;
        json_t *value;

        if (json && !json_is_null(json) && !json_is_object(json))
                return DOCKER_E_MALFORMED;
        labels.items = arena_array(arena, json_object_size(json), sizeof(*labels.items));
        if (!labels.items)
                return -ENOMEM;
        json_object_foreach((json_t *)json, key, value)
        {
                struct label *label = &labels.items[labels.len++];

                if (!json_is_string(value))
                        return DOCKER_E_MALFORMED;
                label->key = arena_strdup(arena, key);
                label->value = arena_strdup(arena, json_string_value(value));
                if (!label->key || !label->value)
                        return -ENOMEM;
        }
        label_set_normalise(&labels);
        *ret = labels;
        return 0;
}

/* "172.18.0.2" or "172.18.0.2/16". */
void docker_json_addr(const json_t *json, struct addr *addrs, size_t *len)
{
        const char *text = json_string_value(json);
        char buf[ADDR_TEXT_MAX];
        size_t size;

        if (!text)
                return;
        size = strcspn(text, "/");
        if (size >= sizeof(buf))
                return;
        memcpy(buf, text, size);
        buf[size] = '\0';
        if (addr_parse(buf, &addrs[*len]))
                (*len)++;
}

/* ---- networks ---- */

static int endpoint_cmp(const void *a, const void *b)
{
        return strcmp(((const struct docker_endpoint *)a)->container, ((const struct docker_endpoint *)b)->container);
}

static void decode_mac(const json_t *json, uint8_t mac[static 6])
{
        const char *text = json_string_value(json);
        unsigned octets[6];
        char end;

        if (!text || strlen(text) != 17 ||
            sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &octets[0], &octets[1], &octets[2], &octets[3], &octets[4],
                   &octets[5], &end) != 6)
                return;
        for (size_t i = 0; i < 6; i++)
                mac[i] = (uint8_t)octets[i];
}

static int decode_endpoints(struct arena *arena, const json_t *json, struct docker_net *net)
{
        const char *container;
        json_t *item;

        net->endpoints = arena_array(arena, json_object_size(json), sizeof(*net->endpoints));
        if (!net->endpoints)
                return -ENOMEM;
        json_object_foreach((json_t *)json, container, item)
        {
                struct docker_endpoint *endpoint = &net->endpoints[net->endpoints_len];

                /* Endpoints without a container are keyed "ep-...", a swarm's own "ingress-sbox" and the like. */
                if (!docker_id_is_valid(container))
                        continue;
                endpoint->container = arena_strdup(arena, container);
                endpoint->endpoint_id = docker_json_text(arena, item, "EndpointID");
                if (!endpoint->container || !endpoint->endpoint_id)
                        return -ENOMEM;
                docker_json_addr(json_object_get(item, "IPv4Address"), endpoint->addrs, &endpoint->addrs_len);
                docker_json_addr(json_object_get(item, "IPv6Address"), endpoint->addrs, &endpoint->addrs_len);
                decode_mac(json_object_get(item, "MacAddress"), endpoint->mac);
                net->endpoints_len++;
        }
        if (net->endpoints_len)
                qsort(net->endpoints, net->endpoints_len, sizeof(*net->endpoints), endpoint_cmp);
        return 0;
}

static int decode_net(struct arena *arena, const json_t *json, struct docker_net *ret)
{
        struct docker_net net = {0};
        int r;

        if (!docker_json_id(json, "Id", &net.id))
                return DOCKER_E_MALFORMED;
        net.id = arena_strdup(arena, net.id);
        net.name = docker_json_text(arena, json, "Name");
        net.driver = docker_json_text(arena, json, "Driver");
        if (!net.id || !net.name || !net.driver)
                return -ENOMEM;
        r = decode_endpoints(arena, json_object_get(json, "Containers"), &net);
        if (!r)
                *ret = net;
        return r;
}

int docker_decode_networks(struct arena *arena, const char *bytes, size_t size, struct docker_net **ret,
                           size_t *ret_len)
{
        _cleanup_json_ json_t *root = NULL;
        struct docker_net *nets;
        const json_t *item;
        size_t i, len = 0;
        int r;

        r = docker_json_parse(bytes, size, &root);
        if (r)
                return r;
        if (!json_is_array(root))
                return DOCKER_E_MALFORMED;
        nets = arena_array(arena, json_array_size(root), sizeof(*nets));
        if (!nets)
                return -ENOMEM;
        json_array_foreach(root, i, item)
        {
                r = decode_net(arena, item, &nets[len]);
                if (r < 0)
                        return r;
                len += r == 0;
        }
        *ret = nets;
        *ret_len = len;
        return 0;
}

int docker_decode_network(struct arena *arena, const char *bytes, size_t size, struct docker_net *ret)
{
        _cleanup_json_ json_t *root = NULL;
        int r;

        r = docker_json_parse(bytes, size, &root);
        return r ? r : decode_net(arena, root, ret);
}

/* ---- the rest ---- */

int docker_decode_image(struct arena *arena, const char *bytes, size_t size, struct label_set *ret)
{
        _cleanup_json_ json_t *root = NULL;
        const json_t *config;
        int r;

        r = docker_json_parse(bytes, size, &root);
        if (r)
                return r;
        /* An image without a configuration is no image, and its labels must not count as none. */
        config = json_object_get(root, "Config");
        if (!json_is_object(config))
                return DOCKER_E_MALFORMED;
        return docker_json_labels(arena, json_object_get(config, "Labels"), ret);
}

const char *docker_decode_error(struct arena *arena, const char *bytes, size_t size, int status)
{
        _cleanup_json_ json_t *root = NULL;
        const char *message = NULL;
        char *text;

        if (!docker_json_parse(bytes, size, &root))
                message = json_string_value(json_object_get(root, "message"));
        if (message)
                text = arena_strdup(arena, message);
        else if (!root && size) /* before it knows the version, the engine answers in plain text */
                text = arena_strndup(arena, bytes, size < ERROR_MAX ? size : ERROR_MAX);
        else
                text = arena_printf(arena, "HTTP status %d", status);
        if (!text)
                return NULL;
        for (char *c = text; *c; c++) {
                if (iscntrl((unsigned char)*c))
                        *c = ' ';
        }
        for (size_t len = strlen(text); len && text[len - 1] == ' '; len--)
                text[len - 1] = '\0';
        return text;
}

unsigned docker_version_parse(const char *text)
{
        unsigned major, minor;

        if (!isdigit((unsigned char)*text) || sscanf(text, "%3u.%3u", &major, &minor) != 2)
                return 0;
        return major * 1000 + minor;
}

unsigned docker_version_wanted(const char *message)
{
        static const char *const phrases[] = {
                "Minimum supported API version is ",
                "Maximum supported API version is ",
        };

        for (size_t i = 0; i < ARRAY_SIZE(phrases); i++) {
                const char *found = strcasestr(message, phrases[i]);

                if (found)
                        return docker_version_parse(found + strlen(phrases[i]));
        }
        return 0;
}
