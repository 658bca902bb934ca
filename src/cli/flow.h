/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows as people write and read them: PROTO/PORT, the two ends, and sets of connections. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <vethwall/inventory.h>
#include <vethwall/matrix.h>
#include <vethwall/strbuf.h>

struct service {
        const char *text; /* as given */
        uint8_t protocol;
        uint16_t port; /* 0 for protocols without ports */
};

/* "tcp/80", "icmp", or a protocol's number. 0, or EXIT_TROUBLE after a message. */
int service_parse(const char *text, struct service *ret);

/* What a command line calls an end of a flow. */
struct end {
        size_t endpoint; /* index, or WORLD_OUTSIDE */
        bool by_address; /* addr is how it was named */
        struct addr addr;
};

/* "ns/name", a name that is unique, or an address; one that an endpoint has is that endpoint's. 0, or EXIT_TROUBLE after
 * a message. */
int end_parse(const struct inventory *inventory, const char *text, struct end *ret);

/* "TCP 80, 443-445, UDP 53", "everything", "nothing". */
void put_conns(struct strbuf *buf, const struct conns *conns);

/* What of it is of one protocol, which it has; CONNS_PROTO_MAX: of those without ports. */
void put_conns_proto(struct strbuf *buf, const struct conns *conns, enum conns_proto proto);

/* The value of "conns", and after it "other": {"TCP": [[80, 80]]}, "other": false */
void put_conns_json(struct strbuf *buf, const struct conns *conns);

/* Both in one object: {"TCP": [[80, 80]], "other": false} */
void put_conns_json_object(struct strbuf *buf, const struct conns *conns);

/* What service_parse() reads: "tcp/80", "icmp", "47". */
void put_service(struct strbuf *buf, uint8_t protocol, uint16_t port);

/* "ns/name", as text or as a JSON string. */
void put_endpoint(struct strbuf *buf, const struct endpoint *endpoint);
void put_endpoint_json(struct strbuf *buf, const struct endpoint *endpoint);
