/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing flows. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <vethwall/doc.h>
#include <vethwall/world.h>

#include "flow.h"
#include "options.h"
#include "output.h"

/* The protocols that people name. getprotobyname() would depend on a file that a container image may lack. */
static const struct {
        const char *name;
        uint8_t protocol;
} protocols[] = {
        {"tcp", IPPROTO_TCP},   {"udp", IPPROTO_UDP},       {"sctp", IPPROTO_SCTP},
        {"icmp", IPPROTO_ICMP}, {"icmpv6", IPPROTO_ICMPV6}, {"ipv6-icmp", IPPROTO_ICMPV6},
        {"igmp", IPPROTO_IGMP}, {"gre", IPPROTO_GRE},       {"esp", IPPROTO_ESP},
        {"ah", IPPROTO_AH},     {"dccp", IPPROTO_DCCP},     {"udplite", IPPROTO_UDPLITE},
};

/* Decimal, without sign or leading zeros; false beyond max. */
static bool parse_number(const char *text, unsigned max, unsigned *ret)
{
        unsigned value = 0;

        if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
                return false;

        for (; *text; text++) {
                if (*text < '0' || *text > '9')
                        return false;
                value = value * 10 + (unsigned)(*text - '0');
                if (value > max)
                        return false;
        }

        *ret = value;
        return true;
}

static bool parse_protocol(const char *text, size_t len, uint8_t *ret)
{
        char name[16];
        unsigned number;

        if (len >= sizeof(name))
                return false;

        memcpy(name, text, len);
        name[len] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
                if (strcasecmp(name, protocols[i].name) == 0) {
                        *ret = protocols[i].protocol;
                        return true;
                }
        }

        if (!parse_number(name, UINT8_MAX, &number))
                return false;

        *ret = (uint8_t)number;
        return true;
}

int service_parse(const char *text, struct service *ret)
{
        size_t len = strcspn(text, "/");
        const char *port = text[len] ? text + len + 1 : NULL;
        struct service service = {.text = text};
        unsigned number = 0;

        if (!parse_protocol(text, len, &service.protocol)) {
                complain("'%s' names no protocol: write tcp/80, udp/53, sctp/7777, icmp or a protocol's number", text);
                return EXIT_TROUBLE;
        }

        if (conns_proto_of(service.protocol) == CONNS_PROTO_MAX) {
                if (port) {
                        complain("'%s': this protocol has no ports: write '%.*s'", text, (int)len, text);
                        return EXIT_TROUBLE;
                }
        } else if (!port) {
                complain("'%s' lacks a port: write %s/80", text, text);
                return EXIT_TROUBLE;
        } else if (!parse_number(port, UINT16_MAX, &number) || number == 0) {
                complain("'%s': a port is a number from 1 to 65535", text);
                return EXIT_TROUBLE;
        }

        service.port = (uint16_t)number;
        *ret = service;
        return 0;
}

void put_service(struct strbuf *buf, uint8_t protocol, uint16_t port)
{
        const char *name = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(protocols) && !name; i++)
                if (protocols[i].protocol == protocol)
                        name = protocols[i].name;

        if (name)
                strbuf_puts(buf, name);
        else
                strbuf_printf(buf, "%u", protocol);
        if (conns_proto_of(protocol) != CONNS_PROTO_MAX)
                strbuf_printf(buf, "/%u", port);
}

static bool has_addr(const struct endpoint *endpoint, const struct addr *addr)
{
        for (size_t i = 0; i < endpoint->addrs_len; i++)
                if (addr_equal(&endpoint->addrs[i], addr))
                        return true;

        return false;
}

/* Containers on the host's network all have the host's addresses: any of them will do, but an endpoint of its own with
 * that address comes first. */
static int end_by_addr(const struct inventory *inventory, const struct addr *addr, const char *text, struct end *ret)
{
        size_t found = WORLD_OUTSIDE;

        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i], *other;

                if (!has_addr(endpoint, addr))
                        continue;

                other = found == WORLD_OUTSIDE ? NULL : &inventory->endpoints[found];
                if (other && !other->host_network && !endpoint->host_network) {
                        complain("%s is an address of %s/%s and of %s/%s: name the one you mean", text, other->ns,
                                 other->name, endpoint->ns, endpoint->name);
                        return EXIT_TROUBLE;
                }
                if (!other || (other->host_network && !endpoint->host_network))
                        found = i;
        }

        *ret = (struct end){found, true, *addr};
        return 0;
}

static void unknown_endpoint(const struct inventory *inventory, const char *text)
{
        _cleanup_free_ const char **names = NULL;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        const char *nearest = NULL;
        bool whole = strchr(text, '/');
        size_t offset = 0;

        /* "ns/name" for each, one after the other in the buffer; pointers only once it has stopped growing. */
        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                if (whole)
                        strbuf_printf(&buf, "%s/", inventory->endpoints[i].ns);
                strbuf_add(&buf, inventory->endpoints[i].name, strlen(inventory->endpoints[i].name) + 1);
        }

        names = calloc(inventory->endpoints_len + 1, sizeof(*names));
        if (names && strbuf_check(&buf) == 0) {
                for (size_t i = 0; i < inventory->endpoints_len; i++) {
                        names[i] = buf.text + offset;
                        offset += strlen(names[i]) + 1;
                }
                nearest = doc_nearest(text, names, inventory->endpoints_len);
        }

        if (nearest)
                complain("no endpoint is called '%s': did you mean '%s'?", text, nearest);
        else
                complain("'%s' is neither an endpoint of the inventory (namespace/name) nor an address", text);
}

static int end_by_name(const struct inventory *inventory, const char *text, struct end *ret)
{
        const char *slash = strchr(text, '/');
        size_t ns_len = slash ? (size_t)(slash - text) : 0, found = WORLD_OUTSIDE;
        const char *name = slash ? slash + 1 : text;

        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i];

                if (strcmp(endpoint->name, name) != 0)
                        continue;
                if (slash && (strlen(endpoint->ns) != ns_len || memcmp(endpoint->ns, text, ns_len) != 0))
                        continue;
                if (found != WORLD_OUTSIDE) {
                        complain("'%s' is a name in namespaces %s and %s: write namespace/name", text,
                                 inventory->endpoints[found].ns, endpoint->ns);
                        return EXIT_TROUBLE;
                }
                found = i;
        }

        if (found == WORLD_OUTSIDE) {
                unknown_endpoint(inventory, text);
                return EXIT_TROUBLE;
        }

        *ret = (struct end){.endpoint = found};
        return 0;
}

int end_parse(const struct inventory *inventory, const char *text, struct end *ret)
{
        struct addr addr;

        return addr_parse(text, &addr) ? end_by_addr(inventory, &addr, text, ret) : end_by_name(inventory, text, ret);
}

static bool is_all_ports(const struct conns *conns, enum conns_proto proto)
{
        return conns->ports_len[proto] == 1 && conns->ports[proto][0].first == 1 &&
               conns->ports[proto][0].last == UINT16_MAX;
}

void put_conns_proto(struct strbuf *buf, const struct conns *conns, enum conns_proto proto)
{
        if (proto == CONNS_PROTO_MAX) {
                strbuf_puts(buf, "ICMP and other protocols");
                return;
        }

        strbuf_printf(buf, "%s ", conns_proto_name(proto));
        if (is_all_ports(conns, proto)) {
                strbuf_puts(buf, "all ports");
                return;
        }

        for (size_t i = 0; i < conns->ports_len[proto]; i++) {
                const struct port_range *ports = &conns->ports[proto][i];

                strbuf_printf(buf, "%s%u", i > 0 ? ", " : "", ports->first);
                if (ports->last != ports->first)
                        strbuf_printf(buf, "-%u", ports->last);
        }
}

void put_conns(struct strbuf *buf, const struct conns *conns)
{
        const char *separator = "";

        if (conns_is_empty(conns) || conns_is_full(conns)) {
                strbuf_puts(buf, conns_is_empty(conns) ? "nothing" : "everything");
                return;
        }

        for (enum conns_proto proto = 0; proto <= CONNS_PROTO_MAX; proto++) {
                if (proto == CONNS_PROTO_MAX ? !conns->other : conns->ports_len[proto] == 0)
                        continue;

                strbuf_puts(buf, separator);
                put_conns_proto(buf, conns, proto);
                separator = ", ";
        }
}

/* A matrix has millions of these; printf() would be most of the time. */
static void put_port(struct strbuf *buf, uint16_t port)
{
        char digits[5];
        size_t at = sizeof(digits);

        do {
                digits[--at] = (char)('0' + port % 10);
                port /= 10;
        } while (port > 0);

        strbuf_add(buf, digits + at, sizeof(digits) - at);
}

/* "TCP": [[80, 80]], "UDP": ...; true if there was anything. */
static bool put_ports_json(struct strbuf *buf, const struct conns *conns)
{
        const char *separator = "\"";

        for (enum conns_proto proto = 0; proto < CONNS_PROTO_MAX; proto++) {
                if (conns->ports_len[proto] == 0)
                        continue;

                strbuf_puts(buf, separator);
                strbuf_puts(buf, conns_proto_name(proto));
                for (size_t i = 0; i < conns->ports_len[proto]; i++) {
                        strbuf_puts(buf, i == 0 ? "\": [[" : ", [");
                        put_port(buf, conns->ports[proto][i].first);
                        strbuf_puts(buf, ", ");
                        put_port(buf, conns->ports[proto][i].last);
                        strbuf_putc(buf, ']');
                }
                strbuf_putc(buf, ']');
                separator = ", \"";
        }

        return separator[0] == ',';
}

void put_conns_json(struct strbuf *buf, const struct conns *conns)
{
        strbuf_putc(buf, '{');
        put_ports_json(buf, conns);
        strbuf_puts(buf, conns->other ? "}, \"other\": true" : "}, \"other\": false");
}

void put_conns_json_object(struct strbuf *buf, const struct conns *conns)
{
        strbuf_putc(buf, '{');
        if (put_ports_json(buf, conns))
                strbuf_puts(buf, ", ");
        strbuf_puts(buf, conns->other ? "\"other\": true}" : "\"other\": false}");
}

void put_endpoint(struct strbuf *buf, const struct endpoint *endpoint)
{
        strbuf_clean(buf, endpoint->ns);
        strbuf_putc(buf, '/');
        strbuf_clean(buf, endpoint->name);
}

void put_endpoint_json(struct strbuf *buf, const struct endpoint *endpoint)
{
        _cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;

        strbuf_puts(&name, endpoint->ns);
        strbuf_putc(&name, '/');
        strbuf_puts(&name, endpoint->name);
        if (strbuf_check(&name) < 0)
                buf->failed = true;
        else
                strbuf_json(buf, name.text);
}
