/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An inventory as a file that reads as the same inventory: JSON, which is YAML. */
#include <string.h>

#include <vethwall/inventory.h>
#include <vethwall/matrix.h>
#include <vethwall/strbuf.h>

/* libyaml takes no keys of more than 1024 characters. */
#define KEY_SIZE_MAX 1000

/* No selector could name those that do not. */
static bool has_writable_key(const struct label *label)
{
        size_t len = strlen(label->key);

        return len > 0 && len <= KEY_SIZE_MAX;
}

/* "labels": {...}, the given key left out */
static void put_labels(struct strbuf *buf, const struct label_set *labels, const char *except)
{
        const char *separator = "";

        strbuf_puts(buf, "\"labels\": {");
        for (size_t i = 0; i < labels->len; i++) {
                const struct label *label = &labels->items[i];

                if (strcmp(label->key, except) == 0 || !has_writable_key(label))
                        continue;
                strbuf_puts(buf, separator);
                strbuf_json(buf, label->key);
                strbuf_puts(buf, ": ");
                strbuf_json(buf, label->value);
                separator = ", ";
        }
        strbuf_putc(buf, '}');
}

static void put_text(struct strbuf *buf, const char *key, const char *text)
{
        strbuf_printf(buf, "\"%s\": ", key);
        strbuf_json(buf, text);
        strbuf_puts(buf, ", ");
}

static void put_endpoint(struct strbuf *buf, const struct endpoint *endpoint)
{
        char text[ADDR_TEXT_MAX];

        strbuf_putc(buf, '{');
        put_text(buf, "name", endpoint->name);
        put_text(buf, "namespace", endpoint->ns);
        put_text(buf, "runtime", endpoint->runtime);
        put_text(buf, "id", endpoint->id);
        put_labels(buf, &endpoint->labels, "");
        strbuf_puts(buf, ", \"addresses\": [");
        for (size_t i = 0; i < endpoint->addrs_len; i++)
                strbuf_printf(buf, "%s\"%s\"", i > 0 ? ", " : "", addr_format(&endpoint->addrs[i], text));
        strbuf_puts(buf, "], \"ports\": [");
        for (size_t i = 0; i < endpoint->ports_len; i++) {
                const struct named_port *port = &endpoint->ports[i];

                strbuf_puts(buf, i > 0 ? ", {" : "{");
                put_text(buf, "name", port->name);
                strbuf_printf(buf, "\"port\": %u, \"protocol\": \"%s\"}", port->port,
                              conns_proto_name(conns_proto_of(port->protocol)));
        }
        strbuf_puts(buf, "], \"published\": [");
        for (size_t i = 0; i < endpoint->published_len; i++) {
                const struct published_port *port = &endpoint->published[i];

                strbuf_printf(buf, "%s{\"port\": %u, \"target\": %u, \"protocol\": \"%s\"}", i > 0 ? ", " : "",
                              port->port, port->target, conns_proto_name(conns_proto_of(port->protocol)));
        }
        strbuf_printf(buf, "], \"hostNetwork\": %s}", endpoint->host_network ? "true" : "false");
}

void inventory_write(struct strbuf *buf, const struct inventory *inventory)
{
        strbuf_puts(buf, "{\"apiVersion\": \"vethwall.io/v1\", \"kind\": \"Inventory\", \"observed\": true,\n"
                         " \"namespaces\": {");
        for (size_t i = 0; i < inventory->namespaces_len; i++) {
                const struct namespace *ns = &inventory->namespaces[i];

                strbuf_puts(buf, i > 0 ? ",\n  " : "\n  ");
                strbuf_json(buf, ns->name);
                strbuf_puts(buf, ": {");
                put_labels(buf, &ns->labels, NAMESPACE_NAME_LABEL);
                strbuf_putc(buf, '}');
        }
        strbuf_puts(buf, "},\n \"endpoints\": [");
        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                strbuf_puts(buf, i > 0 ? ",\n  " : "\n  ");
                put_endpoint(buf, &inventory->endpoints[i]);
        }
        strbuf_puts(buf, "]}");
}
