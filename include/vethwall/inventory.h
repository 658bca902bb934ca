/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inventory: an immutable snapshot of namespaces and endpoints. It is filled once, sealed, and from
 * then on only read. An endpoint is one network namespace, whatever number of containers share it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/arena.h>
#include <vethwall/labels.h>

#define NAMESPACE_NAME_LABEL "kubernetes.io/metadata.name"

struct named_port {
        const char *name;
        uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP */
        uint16_t port;    /* host byte order */
};

/* A port of the host that leads to a port of the endpoint. Nothing is enforced by it; lint knows mistakes by it. */
struct published_port {
        uint8_t protocol; /* as above */
        uint16_t port;    /* of the host */
        uint16_t target;  /* of the endpoint: what policies speak of */
};

struct endpoint {
        const char *ns;
        const char *name;
        const char *runtime;     /* "static", "docker", ...; "" where unknown */
        const char *id;          /* container id; "" where there is none */
        const char *netns;       /* static runtime: the network namespace's name; else NULL */
        struct label_set labels; /* own and derived (vethwall.io/...) labels */
        struct addr *addrs;      /* all its addresses, sorted, unique */
        size_t addrs_len;
        struct named_port *ports; /* sorted by name, then protocol, then port */
        size_t ports_len;
        struct published_port *published; /* sorted by protocol, port, target; unique */
        size_t published_len;
        bool host_network; /* the host itself: no policy selects it, it is nobody's peer by label */
};

struct namespace
{
        const char *name;
        struct label_set labels; /* always with NAMESPACE_NAME_LABEL */
};

struct inventory {
        struct arena *arena;        /* owns everything below but the array of endpoints, which the inventory does */
        struct endpoint *endpoints; /* sorted by (ns, name), unique */
        size_t endpoints_len;
        struct namespace *namespaces; /* sorted by name; holds one for every endpoint's ns */
        size_t namespaces_len;
        /* filling state, NULL once sealed */
        struct inventory_build *build;
};

/* 0 or -ENOMEM. */
int inventory_new(struct inventory **ret);
struct inventory *inventory_free(struct inventory *inventory);
DEFINE_CLEANUP(struct inventory *, inventory_free)

/* Condition of the two functions below. */
enum {
        INVENTORY_E_DUPLICATE = 1, /* an endpoint of this ns and name, or a namespace of this name, is there */
};

/* Copies everything it is given; the order of calls does not matter. Before sealing only.
 * 0, INVENTORY_E_DUPLICATE or -ENOMEM. */
int inventory_add_namespace(struct inventory *inventory, const struct namespace *ns);
int inventory_add_endpoint(struct inventory *inventory, const struct endpoint *endpoint);

/* Sorts, adds the implied namespaces and their name labels, and freezes the inventory. 0 or -ENOMEM. */
int inventory_seal(struct inventory *inventory);

/* Binary searches on a sealed inventory; NULL where there is none. */
const struct endpoint *inventory_find(const struct inventory *inventory, const char *ns, const char *name);
const struct namespace *inventory_find_namespace(const struct inventory *inventory, const char *name);

/* A port as the label vethwall.io/port.<name> gives it: "8080", "53/udp". False where name or text is none; *ret, which
 * borrows name, is then unchanged. */
bool named_port_parse(const char *name, const char *text, struct named_port *ret);

struct diag_list;
struct strbuf;

/* Appends the sealed inventory as JSON that inventory_load() makes the same of: names, labels, addresses and ports, those
 * that the agent derived included. Left out are labels with keys that no file could hold. */
void inventory_write(struct strbuf *buf, const struct inventory *inventory);

/* Reads an inventory file (bytes in memory; name is for messages) into an unsealed inventory; may be called
 * for several files. Every error goes to diags, and the call goes on. 0 (look at diags->errors) or -ENOMEM. */
int inventory_load(struct inventory *inventory, const char *name, const char *bytes, size_t size,
                   struct diag_list *diags);
