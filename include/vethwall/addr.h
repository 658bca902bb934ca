/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, prefixes, address ranges and port ranges as plain values. Addresses are in network byte
 * order, ports in host byte order. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/base.h>

enum addr_family {
        ADDR_V4,
        ADDR_V6,
        ADDR_FAMILY_MAX,
};

struct addr {
        uint8_t family;    /* enum addr_family */
        uint8_t bytes[16]; /* network byte order; IPv4 in the first four, the rest zero */
};

struct prefix {
        struct addr addr; /* as written: host bits may be set */
        uint8_t len;      /* bits: 0 to 32 or 128 */
};

/* Both ends included, of one family. */
struct addr_range {
        struct addr first;
        struct addr last;
};

/* Both ends included, host byte order. */
struct port_range {
        uint16_t first;
        uint16_t last;
};

/* Longest text of an address ("ffff:...:255.255.255.255") or prefix, NUL included. */
#define ADDR_TEXT_MAX 64

static inline size_t addr_size(enum addr_family family)
{
        return family == ADDR_V4 ? 4 : 16;
}

/* Strict: exactly one address (inet_pton's forms), nothing around it. False if text is none; *ret then
 * unchanged. An IPv4-mapped IPv6 address stays IPv6. */
bool addr_parse(const char *text, struct addr *ret);

/* Into buf, NUL-terminated, RFC 5952 for IPv6. Returns buf. */
char *addr_format(const struct addr *addr, char buf[static ADDR_TEXT_MAX]);

/* IPv4 before IPv6, then numerically: <0, 0, >0. */
int addr_cmp(const struct addr *a, const struct addr *b);
bool addr_equal(const struct addr *a, const struct addr *b);

/* The neighbour in numeric order. False at the end of the address space; *addr then unchanged. */
bool addr_next(struct addr *addr);
bool addr_prev(struct addr *addr);

/* The first and the last address of a family (0.0.0.0 and 255.255.255.255, or :: and ffff:...). */
struct addr addr_lowest(enum addr_family family);
struct addr addr_highest(enum addr_family family);

/* "10.0.0.0/8"; a missing or malformed length, or a family mismatch, is false. Leading zeros in the
 * length are refused. */
bool prefix_parse(const char *text, struct prefix *ret);
char *prefix_format(const struct prefix *prefix, char buf[static ADDR_TEXT_MAX]);
struct addr_range prefix_range(const struct prefix *prefix);
bool prefix_contains(const struct prefix *prefix, const struct addr *addr);
bool prefix_has_host_bits(const struct prefix *prefix);

/* True if inner lies in outer and is smaller than it (the rule for an ipBlock's except). */
bool prefix_is_strictly_inside(const struct prefix *inner, const struct prefix *outer);

bool addr_range_contains(const struct addr_range *range, const struct addr *addr);

/* If the range is exactly one prefix, that prefix. */
bool addr_range_is_prefix(const struct addr_range *range, struct prefix *ret);
