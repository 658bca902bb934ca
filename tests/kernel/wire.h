/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets as bytes: whole IP packets that a connection tracker takes for the beginning of a flow, each with a number in
 * its last bytes by which it is known again. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>

#define WIRE_SIZE_MAX 128

struct wire_packet {
        struct addr saddr, daddr;
        uint8_t protocol; /* TCP, UDP, SCTP, ICMP, ICMPV6 or GRE */
        uint16_t sport;   /* ICMP and ICMPV6: the identifier */
        uint16_t dport;
        uint8_t icmp_type; /* ICMP and ICMPV6 */
        uint32_t id;
};

/* Returns the size. */
size_t wire_make(uint8_t bytes[static WIRE_SIZE_MAX], const struct wire_packet *packet);

/* The number of one of our packets, or of what was made from its end; false for others. */
bool wire_id(const uint8_t *bytes, size_t size, uint32_t *ret);
