/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inventory files into an inventory. Labels are any texts here: container engines do not keep to Kubernetes' syntax. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "inventory_build.h"
#include "names.h"

#define API_VERSION "vethwall.io/v1"
#define NAMESPACE_DEFAULT "default"
#define NAMESPACE_HINT "a name is at most 63 lower-case letters, digits, \"-\" and \"_\""
#define LABEL_PREFIX "vethwall.io/"
#define PORT_LABEL_PREFIX "vethwall.io/port."

struct inventory_loader {
        struct inventory *inventory;
        struct doc_file *file;
        struct arena *arena; /* of this call */
        const char *name;    /* the file's, in the inventory's arena */
        bool observed; /* an agent wrote the document: names and labels are what they are, derived ones included */
};

static void *scratch(struct inventory_loader *loader, size_t len, size_t size)
{
        void *ret = arena_array(loader->arena, len, size);

        if (!ret)
                loader->file->oom = true;
        return ret;
}

/* What we say of an endpoint ourselves; its owner cannot say otherwise. */
static bool is_derived_label(const char *key)
{
        static const char *const derived[] = {"name", "image", "runtime"};
        const char *rest = key + strlen(LABEL_PREFIX);
        size_t i;

        if (strncmp(key, LABEL_PREFIX, strlen(LABEL_PREFIX)) != 0)
                return false;
        for (i = 0; i < ARRAY_SIZE(derived); i++)
                if (strcmp(rest, derived[i]) == 0)
                        return true;
        return strncmp(rest, "network.", strlen("network.")) == 0;
}

/* With room for extra more. */
static void load_labels(struct inventory_loader *loader, const struct doc_node *node, bool endpoint, size_t extra,
                        struct label_set *ret)
{
        struct doc_node *map = NULL;
        char shown[DOC_SHOWN_MAX];
        size_t i;

        doc_get_map(loader->file, node, "labels", &map);
        ret->items = scratch(loader, (map ? map->len : 0) + extra, sizeof(*ret->items));
        for (i = 0; map && ret->items && i < map->len; i++) {
                const struct doc_pair *pair = &map->pairs[i];
                const char *value = doc_pair_text(loader->file, pair, "label");

                if (!value)
                        continue;
                if (endpoint && !loader->observed && is_derived_label(pair->key->text))
                        doc_diag(loader->file, pair->key, DIAG_ERROR, "VW005",
                                 "remove it; it is set by what the endpoint is", "the label \"%s\" cannot be given",
                                 doc_shown(pair->key->text, shown));
                else
                        ret->items[ret->len++] = (struct label){.key = pair->key->text, .value = value};
        }
}

static void load_addresses(struct inventory_loader *loader, const struct doc_node *node, struct endpoint *endpoint)
{
        char shown[DOC_SHOWN_MAX];
        struct doc_node *list = NULL;
        size_t i;

        if (!doc_get_list(loader->file, node, "addresses", &list))
                return;
        endpoint->addrs = scratch(loader, list->len, sizeof(*endpoint->addrs));
        for (i = 0; endpoint->addrs && i < list->len; i++) {
                const struct doc_node *item = list->items[i];

                if (item->kind != DOC_STRING)
                        doc_diag(loader->file, item, DIAG_ERROR, "VW004", "write an address in quotes",
                                 "an address must be a string, not %s", doc_kind_name(item->kind));
                else if (addr_parse(item->text, &endpoint->addrs[endpoint->addrs_len]))
                        endpoint->addrs_len++;
                else
                        doc_diag(loader->file, item, DIAG_ERROR, "VW004",
                                 strchr(item->text, '/') ? "write the address alone, without a length"
                                                         : "write an IPv4 or IPv6 address",
                                 "\"%s\" is not an address", doc_shown(item->text, shown));
        }
}

/* TCP, UDP or SCTP in either case; 0 where it is none of them. */
static uint8_t parse_protocol(const char *text)
{
        static const struct {
                const char *upper, *lower;
                uint8_t number;
        } protocols[] = {{"TCP", "tcp", IPPROTO_TCP}, {"UDP", "udp", IPPROTO_UDP}, {"SCTP", "sctp", IPPROTO_SCTP}};
        size_t i;

        for (i = 0; i < ARRAY_SIZE(protocols); i++)
                if (strcmp(text, protocols[i].upper) == 0 || strcmp(text, protocols[i].lower) == 0)
                        return protocols[i].number;
        return 0;
}

bool named_port_parse(const char *name, const char *text, struct named_port *ret)
{
        size_t digits = strspn(text, "0123456789"), i;
        struct named_port port = {.name = name, .protocol = IPPROTO_TCP};
        unsigned number = 0;

        if (!port_name_is_valid(name) || digits == 0 || digits > 5 || text[0] == '0')
                return false;
        for (i = 0; i < digits; i++)
                number = number * 10 + (unsigned)(text[i] - '0');
        if (text[digits] == '/')
                port.protocol = parse_protocol(text + digits + 1);
        else if (text[digits] != '\0')
                return false;
        if (number > UINT16_MAX || port.protocol == 0)
                return false;
        port.port = (uint16_t)number;
        *ret = port;
        return true;
}

static void load_port(struct inventory_loader *loader, const struct doc_node *node, struct endpoint *endpoint)
{
        static const char *const fields[] = {"name", "port", "protocol"};
        struct named_port port = {.protocol = IPPROTO_TCP};
        const char *protocol = NULL;
        char shown[DOC_SHOWN_MAX];
        int64_t number = 0;

        if (!doc_check_fields(loader->file, node, "a port", fields, ARRAY_SIZE(fields)))
                return;
        if (!doc_get(node, "name") || !doc_get(node, "port")) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW005", "write { name: http, port: 80, protocol: TCP }",
                         "the port has no \"%s\"", doc_get(node, "name") ? "port" : "name");
                return;
        }
        if (!doc_get_string(loader->file, node, "name", &port.name) ||
            !doc_get_int(loader->file, node, "port", 1, UINT16_MAX, &number))
                return;
        if (doc_get_string(loader->file, node, "protocol", &protocol))
                port.protocol = parse_protocol(protocol);
        port.port = (uint16_t)number;
        if (!port_name_is_valid(port.name))
                doc_diag(loader->file, doc_get(node, "name"), DIAG_ERROR, "VW203",
                         "a name is at most 15 lower-case letters, digits and single inner \"-\", with at least one "
                         "letter",
                         "\"%s\" is not a valid port name", doc_shown(port.name, shown));
        else if (port.protocol == 0)
                doc_diag(loader->file, doc_get(node, "protocol"), DIAG_ERROR, "VW203", NULL,
                         "\"protocol\" must be TCP, UDP or SCTP, not \"%s\"", doc_shown(protocol, shown));
        else
                endpoint->ports[endpoint->ports_len++] = port;
}

/* Named ports from the list and from labels. */
static void load_ports(struct inventory_loader *loader, const struct doc_node *node, struct endpoint *endpoint)
{
        const struct doc_node *labels = doc_get(node, "labels");
        struct doc_node *list = NULL;
        char shown[DOC_SHOWN_MAX];
        size_t i;

        doc_get_list(loader->file, node, "ports", &list);
        endpoint->ports = scratch(loader, (list ? list->len : 0) + endpoint->labels.len, sizeof(*endpoint->ports));
        if (!endpoint->ports)
                return;
        for (i = 0; list && i < list->len; i++)
                load_port(loader, list->items[i], endpoint);
        /* An agent lists them all. */
        for (i = 0; !loader->observed && i < endpoint->labels.len; i++) {
                const struct label *label = &endpoint->labels.items[i];

                if (strncmp(label->key, PORT_LABEL_PREFIX, strlen(PORT_LABEL_PREFIX)) != 0)
                        continue;
                if (named_port_parse(label->key + strlen(PORT_LABEL_PREFIX), label->value,
                                     &endpoint->ports[endpoint->ports_len]))
                        endpoint->ports_len++;
                else
                        doc_diag(loader->file, doc_get(labels, label->key), DIAG_ERROR, "VW203",
                                 "write " PORT_LABEL_PREFIX "http: \"8080/tcp\"", "the label \"%s\" names no port",
                                 doc_shown(label->key, shown));
        }
}

static bool load_published_port(struct inventory_loader *loader, const struct doc_node *node,
                                struct published_port *ret)
{
        static const char *const fields[] = {"port", "protocol", "target"};
        const char *protocol = NULL;
        char shown[DOC_SHOWN_MAX];
        int64_t port = 0, target = 0;

        if (!doc_check_fields(loader->file, node, "a published port", fields, ARRAY_SIZE(fields)))
                return false;
        if (!doc_get(node, "port")) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW005", "write { port: 8080, target: 80, protocol: TCP }",
                         "the published port has no \"port\"");
                return false;
        }
        if (!doc_get_int(loader->file, node, "port", 1, UINT16_MAX, &port))
                return false;
        target = port;
        if (doc_get(node, "target") && !doc_get_int(loader->file, node, "target", 1, UINT16_MAX, &target))
                return false;
        *ret = (struct published_port){.protocol = IPPROTO_TCP, .port = (uint16_t)port, .target = (uint16_t)target};
        if (doc_get_string(loader->file, node, "protocol", &protocol))
                ret->protocol = parse_protocol(protocol);
        if (ret->protocol == 0)
                doc_diag(loader->file, doc_get(node, "protocol"), DIAG_ERROR, "VW203", NULL,
                         "\"protocol\" must be TCP, UDP or SCTP, not \"%s\"", doc_shown(protocol, shown));
        return ret->protocol != 0;
}

static void load_published(struct inventory_loader *loader, const struct doc_node *node, struct endpoint *endpoint)
{
        struct doc_node *list = NULL;

        if (!doc_get_list(loader->file, node, "published", &list))
                return;
        endpoint->published = scratch(loader, list->len, sizeof(*endpoint->published));
        for (size_t i = 0; endpoint->published && i < list->len; i++)
                if (load_published_port(loader, list->items[i], &endpoint->published[endpoint->published_len]))
                        endpoint->published_len++;
        if (endpoint->host_network && list->len > 0)
                doc_diag(loader->file, doc_get(node, "published"), DIAG_ERROR, "VW005", "remove one of the two",
                         "an endpoint with hostNetwork has no \"published\": its ports are the host's own");
}

/* Nothing that could stand for another file or another endpoint. */
static bool is_plain_name(const char *text)
{
        return *text && strlen(text) <= 253 && !strchr(text, '/') && strcmp(text, ".") != 0 &&
               strcmp(text, "..") != 0 && !text[strcspn(text, " \t\r\n\"'\\")];
}

/* Container engines have their own ideas of names; what an agent gives is unique, and has no "/". */
static bool is_observed_name(const char *text)
{
        return *text && !strchr(text, '/');
}

static bool load_identity(struct inventory_loader *loader, const struct doc_node *node, struct endpoint *endpoint)
{
        char shown[DOC_SHOWN_MAX];

        if (!doc_get(node, "name") || doc_get(node, "name")->kind == DOC_NULL) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW005", "give one: name: web-1",
                         "the endpoint has no \"name\"");
                return false;
        }
        endpoint->ns = NAMESPACE_DEFAULT;
        doc_get_string(loader->file, node, "namespace", &endpoint->ns);
        if (!doc_get_string(loader->file, node, "name", &endpoint->name))
                return false;
        if (loader->observed ? !is_observed_name(endpoint->name) : !is_plain_name(endpoint->name)) {
                doc_diag(loader->file, doc_get(node, "name"), DIAG_ERROR, "VW008",
                         "a name holds no \"/\", space or quote", "\"%s\" is not a valid name",
                         doc_shown(endpoint->name, shown));
                return false;
        }
        if (loader->observed ? !is_observed_name(endpoint->ns) : !namespace_name_is_valid(endpoint->ns)) {
                doc_diag(loader->file, doc_get(node, "namespace"), DIAG_ERROR, "VW008", NAMESPACE_HINT,
                         "\"%s\" is not a valid namespace", doc_shown(endpoint->ns, shown));
                return false;
        }
        return true;
}

static void load_host(struct inventory_loader *loader, const struct doc_node *node, struct endpoint *endpoint)
{
        char shown[DOC_SHOWN_MAX];

        doc_get_bool(loader->file, node, "hostNetwork", &endpoint->host_network);
        if (!doc_get_string(loader->file, node, "netns", &endpoint->netns))
                return;
        if (!is_plain_name(endpoint->netns))
                doc_diag(loader->file, doc_get(node, "netns"), DIAG_ERROR, "VW008",
                         "write the name that \"ip netns\" shows", "\"%s\" is not a valid name of a network namespace",
                         doc_shown(endpoint->netns, shown));
        else if (endpoint->host_network)
                doc_diag(loader->file, doc_get(node, "netns"), DIAG_ERROR, "VW005", "remove one of the two",
                         "an endpoint with hostNetwork has no \"netns\"");
}

static void remember_place(struct inventory_loader *loader, const struct doc_node *node)
{
        struct inventory_build *build = loader->inventory->build;
        size_t need = build->endpoints_len;

        if (array_reserve(&build->places, &build->places_cap, need, sizeof(*build->places)) < 0) {
                loader->file->oom = true;
                return;
        }
        while (build->places_len < need)
                build->places[build->places_len++] = (struct endpoint_place){0};
        build->places[need - 1] = (struct endpoint_place){.file = loader->name, .line = node->line};
}

/* ", first at FILE:LINE" where it is known. */
static const char *first_place(const struct inventory_build *build, size_t index, char buf[static 300])
{
        const struct endpoint_place *place = index < build->places_len ? &build->places[index] : NULL;

        buf[0] = '\0';
        if (place && place->file)
                snprintf(buf, 300, ", first at %s:%u", place->file, place->line);
        return buf;
}

static void report_twice(struct inventory_loader *loader, const struct doc_node *node, const struct endpoint *endpoint)
{
        _cleanup_free_ char *full = NULL;
        char place[300];
        uint32_t index = UINT32_MAX;

        if (asprintf(&full, "%s/%s", endpoint->ns, endpoint->name) < 0) {
                full = NULL;
                loader->file->oom = true;
                return;
        }
        str_index_get(&loader->inventory->build->by_name, full, strlen(full), &index);
        doc_diag(loader->file, doc_get(node, "name"), DIAG_ERROR, "VW006", "rename or remove one of the two",
                 "endpoint %s is given twice%s", full, first_place(loader->inventory->build, index, place));
}

static void check_address(struct inventory_loader *loader, const struct doc_node *node, const struct addr *addr)
{
        struct inventory_build *build = loader->inventory->build;
        uint32_t self = (uint32_t)build->endpoints_len - 1, index;
        const struct endpoint *endpoint = &build->endpoints[self], *other;
        char text[ADDR_TEXT_MAX], place[300];

        if (!str_index_get(&build->by_addr, addr, sizeof(*addr), &index)) {
                const struct addr *key = arena_memdup(loader->inventory->arena, addr, sizeof(*addr));

                if (!key || str_index_put(&build->by_addr, key, sizeof(*key), self) < 0)
                        loader->file->oom = true;
                return;
        }
        if (index == self)
                return;
        other = &build->endpoints[index];
        doc_diag(loader->file, node, DIAG_ERROR, "VW006",
                 "an address belongs to one endpoint; those that share the host's take hostNetwork: true",
                 "address %s of endpoint %s/%s is also that of %s/%s%s", addr_format(addr, text), endpoint->ns,
                 endpoint->name, other->ns, other->name, first_place(build, index, place));
}

/* An address stands for one endpoint: with two, one would get what is allowed to the other. */
static void check_addresses(struct inventory_loader *loader, const struct doc_node *node)
{
        const struct inventory_build *build = loader->inventory->build;
        const struct doc_node *list = doc_get(node, "addresses");
        struct addr addr;
        size_t i;

        if (!list || list->kind != DOC_LIST || build->endpoints[build->endpoints_len - 1].host_network)
                return;
        for (i = 0; i < list->len; i++)
                if (list->items[i]->kind == DOC_STRING && addr_parse(list->items[i]->text, &addr))
                        check_address(loader, list->items[i], &addr);
}

static void load_endpoint(struct inventory_loader *loader, const struct doc_node *node)
{
        static const char *const fields[] = {"name",  "namespace", "labels",      "addresses",
                                             "ports", "published", "hostNetwork", "netns"};
        static const char *const observed[] = {"name",      "namespace",   "labels",  "addresses", "ports",
                                               "published", "hostNetwork", "runtime", "id"};
        struct endpoint endpoint = {.runtime = "static", .id = ""};
        bool named;
        int r;

        if (!doc_check_fields(loader->file, node, "an endpoint", loader->observed ? observed : fields,
                              loader->observed ? ARRAY_SIZE(observed) : ARRAY_SIZE(fields)))
                return;
        named = load_identity(loader, node, &endpoint);
        load_labels(loader, node, true, 2, &endpoint.labels);
        load_addresses(loader, node, &endpoint);
        load_ports(loader, node, &endpoint);
        load_host(loader, node, &endpoint);
        load_published(loader, node, &endpoint);
        if (!named || loader->file->oom)
                return;
        if (loader->observed) {
                doc_get_string(loader->file, node, "runtime", &endpoint.runtime);
                doc_get_string(loader->file, node, "id", &endpoint.id);
        } else {
                endpoint.labels.items[endpoint.labels.len++] = (struct label){LABEL_PREFIX "name", endpoint.name};
                endpoint.labels.items[endpoint.labels.len++] = (struct label){LABEL_PREFIX "runtime", endpoint.runtime};
        }
        r = inventory_add_endpoint(loader->inventory, &endpoint);
        if (r < 0) {
                loader->file->oom = true;
        } else if (r == INVENTORY_E_DUPLICATE) {
                report_twice(loader, node, &endpoint);
        } else {
                remember_place(loader, node);
                check_addresses(loader, node);
        }
}

static void load_namespace(struct inventory_loader *loader, const struct doc_pair *pair)
{
        static const char *const fields[] = {"labels"};
        struct namespace ns = {.name = pair->key->text};
        char shown[DOC_SHOWN_MAX];
        int r;

        if (pair->key->kind != DOC_STRING ||
            (loader->observed ? !is_observed_name(ns.name) : !namespace_name_is_valid(ns.name))) {
                doc_diag(loader->file, pair->key, DIAG_ERROR, "VW008", NAMESPACE_HINT,
                         "\"%s\" is not a valid namespace", doc_shown(ns.name, shown));
                return;
        }
        if (pair->value->kind != DOC_NULL) {
                if (!doc_check_fields(loader->file, pair->value, "a namespace", fields, ARRAY_SIZE(fields)))
                        return;
                load_labels(loader, pair->value, false, 0, &ns.labels);
        }
        if (loader->file->oom)
                return;
        r = inventory_add_namespace(loader->inventory, &ns);
        if (r < 0)
                loader->file->oom = true;
        else if (r == INVENTORY_E_DUPLICATE)
                doc_diag(loader->file, pair->key, DIAG_ERROR, "VW006", "give its labels in one place",
                         "namespace %s is given twice", ns.name);
}

/* The two fields that say what the file is. */
static bool check_header(struct inventory_loader *loader, const struct doc_node *doc, const char *field,
                         const char *expected)
{
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];
        const char *text = NULL;

        snprintf(hint, sizeof(hint), "write %s: %s", field, expected);
        if (!doc_get(doc, field)) {
                doc_diag(loader->file, doc, DIAG_ERROR, "VW005", hint, "the inventory has no \"%s\"", field);
                return false;
        }
        if (!doc_get_string(loader->file, doc, field, &text))
                return false;
        if (strcmp(text, expected) == 0)
                return true;
        doc_diag(loader->file, doc_get(doc, field), DIAG_ERROR, "VW007", hint, "%s \"%s\" is not read here", field,
                 doc_shown(text, shown));
        return false;
}

static void load_document(struct inventory_loader *loader, const struct doc_node *doc)
{
        static const char *const fields[] = {"apiVersion", "kind", "namespaces", "endpoints", "observed"};
        struct doc_node *namespaces = NULL, *endpoints = NULL;
        size_t i;

        if (doc->kind == DOC_MAP &&
            (!check_header(loader, doc, "apiVersion", API_VERSION) || !check_header(loader, doc, "kind", "Inventory")))
                return;
        if (!doc_check_fields(loader->file, doc, "an inventory", fields, ARRAY_SIZE(fields)))
                return;
        loader->observed = false;
        doc_get_bool(loader->file, doc, "observed", &loader->observed);
        doc_get_map(loader->file, doc, "namespaces", &namespaces);
        doc_get_list(loader->file, doc, "endpoints", &endpoints);
        for (i = 0; namespaces && i < namespaces->len; i++)
                load_namespace(loader, &namespaces->pairs[i]);
        for (i = 0; endpoints && i < endpoints->len; i++)
                load_endpoint(loader, endpoints->items[i]);
}

int inventory_load(struct inventory *inventory, const char *name, const char *bytes, size_t size,
                   struct diag_list *diags)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct doc_file file;
        struct inventory_loader loader = {
                .inventory = inventory,
                .file = &file,
                .arena = arena,
                .name = arena_strdup(inventory->arena, name),
        };
        size_t i;
        int r;

        if (!arena || !loader.name)
                return -ENOMEM;
        r = doc_parse(&file, arena, name, bytes, size, diags);
        if (r < 0)
                return r;
        for (i = 0; i < file.docs_len; i++)
                load_document(&loader, file.docs[i]);
        return file.oom ? -ENOMEM : 0;
}
