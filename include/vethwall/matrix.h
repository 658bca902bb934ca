/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who can reach whom: for every pair of endpoints, and for every endpoint and the outside, the connections that both
 * the source's egress and the destination's ingress allow. It says what policy allows; it does not ask whether there
 * is a route. A host-network endpoint is the host: nothing selects it, and it is met by address alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/base.h>
#include <vethwall/policy.h>
#include <vethwall/world.h>

/* The protocols with ports, in the order in which they are printed. */
enum conns_proto {
        CONNS_TCP,
        CONNS_UDP,
        CONNS_SCTP,
        CONNS_PROTO_MAX,
};

/* A set of connections. Port 0 is no port that a connection could have, so all ports are 1..65535. */
struct conns {
        uint32_t id;                               /* unique in its matrix: equal sets are the same object */
        struct port_range *ports[CONNS_PROTO_MAX]; /* sorted, disjoint, a gap between any two */
        size_t ports_len[CONNS_PROTO_MAX];
        bool other; /* every protocol without ports */
};

bool conns_is_empty(const struct conns *conns);
bool conns_is_full(const struct conns *conns);

/* port counts only for TCP, UDP and SCTP. */
bool conns_allow(const struct conns *conns, uint8_t protocol, uint16_t port);

const char *conns_proto_name(enum conns_proto proto); /* "TCP", "UDP", "SCTP" */

/* IPPROTO_TCP, IPPROTO_UDP or IPPROTO_SCTP; and back, CONNS_PROTO_MAX for a protocol without ports. */
uint8_t conns_proto_number(enum conns_proto proto);
enum conns_proto conns_proto_of(uint8_t protocol);

/* Remembers what it has worked out, so that asking for all pairs costs by class and not by endpoint. */
struct matrix;

/* Borrows the world, which must outlive it. 0 or -ENOMEM. */
int matrix_new(struct matrix **ret, struct world *world);
struct matrix *matrix_free(struct matrix *matrix);
DEFINE_CLEANUP(struct matrix *, matrix_free)

/* From now on every answer is limited to what limit, a set of this matrix, holds. Before the first question only. */
void matrix_limit(struct matrix *matrix, const struct conns *limit);

/* One address of each side. */
struct matrix_pair {
        const struct addr *src; /* the inventory's; NULL where the endpoint has none */
        const struct addr *dst;
        const struct conns *conns;
};

struct matrix_flow {
        const struct conns *conns;       /* the union over all address pairs; never NULL */
        const struct matrix_pair *pairs; /* every address pair, where they are treated differently; else NULL. Good
                                          * until the next call on the matrix */
        size_t pairs_len;
};

/* What src can open to dst, both indices into inventory->endpoints. Address pairs are of one family; two endpoints
 * without a family in common are compared under all their addresses, and one without any address is met by its labels
 * alone. An endpoint can always reach itself. 0 or -ENOMEM. */
int matrix_between(struct matrix *matrix, size_t src, size_t dst, struct matrix_flow *ret);

struct matrix_range {
        struct addr_range range;
        const struct conns *conns; /* may be empty */
};

/* What an endpoint can open to the outside (DIR_EGRESS), or the outside to it (DIR_INGRESS): disjoint ranges in
 * ascending order that cover the family, neighbours different. *ret is the matrix's. 0 or -ENOMEM. */
int matrix_outside(struct matrix *matrix, enum direction direction, size_t endpoint, enum addr_family family,
                   const struct matrix_range **ret, size_t *ret_len);

/* The matrix's own object for a set of connections: ports unsorted and overlapping as they come. 0 or -ENOMEM. */
struct conns_part {
        enum conns_proto proto; /* CONNS_PROTO_MAX: every protocol without ports */
        struct port_range ports;
};
int matrix_conns(struct matrix *matrix, const struct conns_part *parts, size_t len, const struct conns **ret);

/* What both, or either, of two sets of this matrix hold. 0 or -ENOMEM. */
int matrix_intersect(struct matrix *matrix, const struct conns *a, const struct conns *b, const struct conns **ret);
int matrix_unite(struct matrix *matrix, const struct conns *a, const struct conns *b, const struct conns **ret);
