/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of packets, checksums included: a tracker calls a packet with a wrong one invalid. */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "wire.h"

#define MAGIC 0x7668776cu

/* What every packet ends in. */
struct tail {
        uint32_t magic_be;
        uint32_t id_be;
};

/* RFC 1071, of an even number of bytes. */
static uint32_t sum(uint32_t start, const void *data, size_t size)
{
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i += 2)
                start += (uint32_t)bytes[i] << 8 | bytes[i + 1];
        return start;
}

static uint16_t fold(uint32_t value)
{
        while (value >> 16)
                value = (value & 0xffff) + (value >> 16);
        return htons((uint16_t)~value);
}

/* RFC 9260, appendix A; least significant byte first. */
static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
        uint32_t crc = UINT32_MAX;

        for (size_t i = 0; i < size; ++i) {
                crc ^= bytes[i];
                for (size_t bit = 0; bit < 8; ++bit)
                        crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        }
        return htole32(~crc);
}

/* Addresses, length and protocol, which transport checksums cover. */
static uint32_t pseudo_header(const struct wire_packet *packet, size_t size)
{
        size_t len = addr_size(packet->saddr.family);
        uint32_t ret = packet->protocol + (uint32_t)size;

        return sum(sum(ret, packet->saddr.bytes, len), packet->daddr.bytes, len);
}

static struct tail make_tail(const struct wire_packet *packet)
{
        return (struct tail){htonl(MAGIC), htonl(packet->id)};
}

/* A SYN with data. */
static size_t make_tcp(uint8_t *bytes, const struct wire_packet *packet)
{
        struct {
                struct tcphdr tcp;
                struct tail tail;
        } segment = {.tail = make_tail(packet)};

        segment.tcp.source = htons(packet->sport);
        segment.tcp.dest = htons(packet->dport);
        segment.tcp.seq = htonl(packet->id);
        segment.tcp.doff = sizeof(segment.tcp) / 4;
        segment.tcp.syn = 1;
        segment.tcp.window = htons(1024);
        segment.tcp.check = fold(sum(pseudo_header(packet, sizeof(segment)), &segment, sizeof(segment)));
        memcpy(bytes, &segment, sizeof(segment));
        return sizeof(segment);
}

static size_t make_udp(uint8_t *bytes, const struct wire_packet *packet)
{
        struct {
                struct udphdr udp;
                struct tail tail;
        } datagram = {.tail = make_tail(packet)};

        datagram.udp.source = htons(packet->sport);
        datagram.udp.dest = htons(packet->dport);
        datagram.udp.len = htons(sizeof(datagram));
        datagram.udp.check = fold(sum(pseudo_header(packet, sizeof(datagram)), &datagram, sizeof(datagram)));
        if (datagram.udp.check == 0)
                datagram.udp.check = UINT16_MAX;
        memcpy(bytes, &datagram, sizeof(datagram));
        return sizeof(datagram);
}

/* An INIT chunk with a parameter of a kind that is to be skipped. */
static size_t make_sctp(uint8_t *bytes, const struct wire_packet *packet)
{
        struct {
                uint16_t sport_be, dport_be;
                uint32_t verification_tag;
                uint32_t checksum;
                uint8_t chunk_type, chunk_flags;
                uint16_t chunk_len_be;
                uint32_t initiate_tag_be;
                uint32_t window_be;
                uint16_t streams_out_be, streams_in_be;
                uint32_t tsn_be;
                uint16_t parameter_type_be, parameter_len_be;
                struct tail tail;
        } init = {
                .sport_be = htons(packet->sport),
                .dport_be = htons(packet->dport),
                .chunk_type = 1,
                .chunk_len_be = htons(32),
                .initiate_tag_be = htonl(packet->id + 1),
                .window_be = htonl(65536),
                .streams_out_be = htons(1),
                .streams_in_be = htons(1),
                .tsn_be = htonl(1),
                .parameter_type_be = htons(0x8001),
                .parameter_len_be = htons(12),
                .tail = make_tail(packet),
        };

        static_assert(sizeof(init) == 44, "no padding");
        init.checksum = crc32c((const uint8_t *)&init, sizeof(init));
        memcpy(bytes, &init, sizeof(init));
        return sizeof(init);
}

/* An echo request for either family; for other ICMPv6 types the same bytes. */
static size_t make_icmp(uint8_t *bytes, const struct wire_packet *packet)
{
        struct {
                struct icmphdr icmp;
                uint8_t target[16];
                struct tail tail;
        } message = {.tail = make_tail(packet)};
        uint32_t start = packet->protocol == IPPROTO_ICMPV6 ? pseudo_header(packet, sizeof(message)) : 0;

        message.icmp.type = packet->icmp_type;
        message.icmp.un.echo.id = htons(packet->sport);
        message.icmp.checksum = fold(sum(start, &message, sizeof(message)));
        memcpy(bytes, &message, sizeof(message));
        return sizeof(message);
}

static size_t make_gre(uint8_t *bytes, const struct wire_packet *packet)
{
        struct {
                uint16_t flags;
                uint16_t protocol_be;
                struct tail tail;
        } gre = {0, htons(0x0800), make_tail(packet)};

        memcpy(bytes, &gre, sizeof(gre));
        return sizeof(gre);
}

static size_t make_transport(uint8_t *bytes, const struct wire_packet *packet)
{
        if (packet->protocol == IPPROTO_TCP)
                return make_tcp(bytes, packet);
        if (packet->protocol == IPPROTO_UDP)
                return make_udp(bytes, packet);
        if (packet->protocol == IPPROTO_SCTP)
                return make_sctp(bytes, packet);
        if (packet->protocol == IPPROTO_GRE)
                return make_gre(bytes, packet);
        return make_icmp(bytes, packet);
}

size_t wire_make(uint8_t bytes[static WIRE_SIZE_MAX], const struct wire_packet *packet)
{
        struct iphdr v4 = {.version = 4, .ihl = 5, .ttl = 64, .protocol = packet->protocol};
        struct ip6_hdr v6 = {.ip6_flow = htonl(6u << 28)};
        size_t size;

        if (packet->saddr.family == ADDR_V4) {
                size = sizeof(v4) + make_transport(bytes + sizeof(v4), packet);
                v4.tot_len = htons((uint16_t)size);
                v4.id = htons((uint16_t)(packet->id | 1));
                memcpy(&v4.saddr, packet->saddr.bytes, 4);
                memcpy(&v4.daddr, packet->daddr.bytes, 4);
                v4.check = fold(sum(0, &v4, sizeof(v4)));
                memcpy(bytes, &v4, sizeof(v4));
                return size;
        }
        size = make_transport(bytes + sizeof(v6), packet);
        v6.ip6_plen = htons((uint16_t)size);
        v6.ip6_nxt = packet->protocol;
        v6.ip6_hlim = 255; /* neighbour discovery must not have been routed */
        memcpy(&v6.ip6_src, packet->saddr.bytes, 16);
        memcpy(&v6.ip6_dst, packet->daddr.bytes, 16);
        memcpy(bytes, &v6, sizeof(v6));
        return size + sizeof(v6);
}

bool wire_id(const uint8_t *bytes, size_t size, uint32_t *ret)
{
        struct tail tail;

        if (size < sizeof(tail))
                return false;
        memcpy(&tail, bytes + size - sizeof(tail), sizeof(tail));
        if (tail.magic_be != htonl(MAGIC))
                return false;
        *ret = ntohl(tail.id_be);
        return true;
}
