/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules as the expressions that nft would generate for their text, and back.
 *
 * A field of a packet can only be loaded once it is known to be there: nft puts "meta nfproto ipv4" before an IPv4
 * address, "meta l4proto icmpv6" before an ICMPv6 type, and does so once in a rule. It hides these dependencies again
 * when it lists a rule, so that they have to be exactly what it expects. One deviation: nft before 1.0.9 adds a byte
 * order conversion to protocol . port lookups in sets with ranges, which does nothing and costs time in each packet. */
#include <endian.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/base.h>

#include "attr.h"
#include "expr.h"

/* The second part of a concatenation follows the first in the registers, which the kernel numbers in two ways: the
 * 16-byte registers 1 to 4 and, over the same space, the 4-byte registers 8 to 23. */
#define REG_FIRST NFT_REG_1
#define REG_AFTER_4 NFT_REG32_01
#define REG_AFTER_16 NFT_REG_2

enum net {
        NET_UNKNOWN,
        NET_IPV4,
        NET_IPV6,
};

/* What the rule's expressions so far have made sure of. */
struct known {
        enum net net;
        bool icmpv6;
};

/* Whether the set that the match (or, past the last match, the map that the action) names holds IPv6 addresses. */
typedef bool (*is_ipv6_fn)(const void *user, const char *set, size_t match);

struct writer {
        struct expr_list *list;
        enum rs_family family;
        struct known known;
        is_ipv6_fn is_ipv6;
        const void *user;
};

static int put(struct writer *writer, const struct expr *expr)
{
        struct expr_list *list = writer->list;
        int r;

        r = array_reserve(&list->items, &list->cap, list->len + 1, sizeof(*list->items));
        if (r < 0)
                return r;
        list->items[list->len++] = *expr;
        return 0;
}

static int put_meta(struct writer *writer, uint32_t key)
{
        return put(writer, &(struct expr){.kind = EXPR_META, .key = key, .reg = REG_FIRST});
}

static int put_payload(struct writer *writer, uint32_t base, uint32_t offset, uint32_t len, uint32_t reg)
{
        return put(writer,
                   &(struct expr){.kind = EXPR_PAYLOAD, .base = base, .offset = offset, .len = len, .reg = reg});
}

static int put_cmp(struct writer *writer, uint32_t op, const void *data, uint32_t size)
{
        struct expr expr = {.kind = EXPR_CMP, .reg = REG_FIRST, .op = op, .data_len = size};

        memcpy(expr.data, data, size);
        return put(writer, &expr);
}

static int require_net_inet(struct writer *writer, enum net net)
{
        uint8_t proto = net == NET_IPV4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
        int r;

        r = put_meta(writer, NFT_META_NFPROTO);
        return r < 0 ? r : put_cmp(writer, NFT_CMP_EQ, &proto, sizeof(proto));
}

/* In the bridge family nft asks for the protocol before an address, but looks into the header before an ICMPv6 type. */
static int require_net_bridge(struct writer *writer, enum net net, bool for_icmpv6)
{
        uint16_t type_be = htobe16(net == NET_IPV4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
        int r;

        if (for_icmpv6)
                r = put_payload(writer, NFT_PAYLOAD_LL_HEADER, offsetof(struct ether_header, ether_type),
                                sizeof(type_be), REG_FIRST);
        else
                r = put_meta(writer, NFT_META_PROTOCOL);
        return r < 0 ? r : put_cmp(writer, NFT_CMP_EQ, &type_be, sizeof(type_be));
}

static int require_net(struct writer *writer, enum net net, bool for_icmpv6)
{
        if (writer->known.net == net)
                return 0;
        writer->known.net = net;
        return writer->family == RS_INET ? require_net_inet(writer, net) : require_net_bridge(writer, net, for_icmpv6);
}

static int put_addr(struct writer *writer, bool ipv6, bool daddr, uint32_t reg)
{
        uint32_t first = ipv6 ? 8 : 12, len = ipv6 ? 16 : 4;

        return put_payload(writer, NFT_PAYLOAD_NETWORK_HEADER, daddr ? first + len : first, len, reg);
}

static int put_addrs(struct writer *writer, enum rs_field field, bool ipv6)
{
        int r;

        r = require_net(writer, ipv6 ? NET_IPV6 : NET_IPV4, false);
        if (r < 0)
                return r;
        r = put_addr(writer, ipv6, field == RS_FIELD_DADDR, REG_FIRST);
        if (r < 0 || field != RS_FIELD_SADDR_DADDR)
                return r;
        return put_addr(writer, ipv6, true, ipv6 ? REG_AFTER_16 : REG_AFTER_4);
}

static int put_icmpv6_type(struct writer *writer)
{
        static const uint8_t icmpv6 = IPPROTO_ICMPV6;
        int r;

        r = require_net(writer, NET_IPV6, true);
        if (r < 0)
                return r;
        if (!writer->known.icmpv6) {
                writer->known.icmpv6 = true;
                r = put_meta(writer, NFT_META_L4PROTO);
                if (r < 0)
                        return r;
                r = put_cmp(writer, NFT_CMP_EQ, &icmpv6, sizeof(icmpv6));
                if (r < 0)
                        return r;
        }
        return put_payload(writer, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, REG_FIRST);
}

/* Loads what a lookup takes as its key. */
static int put_field(struct writer *writer, enum rs_field field, bool ipv6)
{
        int r;

        switch (field) {
        case RS_FIELD_SADDR:
        case RS_FIELD_DADDR:
        case RS_FIELD_SADDR_DADDR:
                return put_addrs(writer, field, ipv6);
        case RS_FIELD_PROTO:
                return put_meta(writer, NFT_META_L4PROTO);
        case RS_FIELD_PROTO_DPORT:
                r = put_meta(writer, NFT_META_L4PROTO);
                return r < 0 ? r : put_payload(writer, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, REG_AFTER_4);
        case RS_FIELD_ICMPV6_TYPE:
                return put_icmpv6_type(writer);
        case RS_FIELD_MAX:
                break;
        }
        return -EINVAL;
}

static int put_ct_state(struct writer *writer, uint32_t state)
{
        static const uint8_t zero[sizeof(state)];
        struct expr bitwise = {.kind = EXPR_BITWISE, .reg = REG_FIRST, .data_len = sizeof(state)};
        int r;

        r = put(writer, &(struct expr){.kind = EXPR_CT, .key = NFT_CT_STATE, .reg = REG_FIRST});
        if (r < 0)
                return r;
        memcpy(bitwise.data, &state, sizeof(state));
        r = put(writer, &bitwise);
        return r < 0 ? r : put_cmp(writer, NFT_CMP_NEQ, zero, sizeof(zero));
}

static int put_ifname(struct writer *writer, uint32_t key, const char *ifname)
{
        uint8_t name[IFNAMSIZ] = {0};
        size_t len = strnlen(ifname, sizeof(name) - 1);
        bool wildcard = len > 0 && ifname[len - 1] == '*';
        int r;

        memcpy(name, ifname, len);
        r = put_meta(writer, key);
        return r < 0 ? r : put_cmp(writer, NFT_CMP_EQ, name, wildcard ? (uint32_t)len - 1 : (uint32_t)sizeof(name));
}

static int put_lookup(struct writer *writer, enum rs_field field, const char *set, size_t index, bool negate, bool vmap)
{
        int r;

        r = put_field(writer, field, writer->is_ipv6(writer->user, set, index));
        if (r < 0)
                return r;
        return put(writer,
                   &(struct expr){.kind = EXPR_LOOKUP, .reg = REG_FIRST, .set = set, .negate = negate, .vmap = vmap});
}

static int put_match(struct writer *writer, const struct rs_match *match, size_t index)
{
        switch (match->kind) {
        case RS_MATCH_CT_STATE:
                return put_ct_state(writer, match->ct_state);
        case RS_MATCH_IIFNAME:
                return put_ifname(writer, NFT_META_IIFNAME, match->ifname);
        case RS_MATCH_OIFNAME:
                return put_ifname(writer, NFT_META_OIFNAME, match->ifname);
        case RS_MATCH_SET:
                return put_lookup(writer, match->field, match->set, index, match->negate, false);
        case RS_MATCH_MAX:
                break;
        }
        return -EINVAL;
}

static int put_rule(struct writer *writer, const struct rs_rule *rule)
{
        int r;

        for (size_t i = 0; i < rule->matches_len; i++) {
                r = put_match(writer, &rule->matches[i], i);
                if (r < 0)
                        return r;
        }
        if (rule->counter) {
                r = put(writer, &(struct expr){.kind = EXPR_COUNTER});
                if (r < 0)
                        return r;
        }
        switch (rule->action) {
        case RS_DO_VERDICT:
                return put(writer, &(struct expr){.kind = EXPR_IMMEDIATE, .verdict = rule->verdict});
        case RS_DO_VMAP:
                return put_lookup(writer, rule->field, rule->map, rule->matches_len, false, true);
        }
        return -EINVAL;
}

static bool is_ipv6_by_table(const void *user, const char *name, _unused_ size_t match)
{
        const struct rs_set *set = rs_table_find_set(user, name);

        return set && (set->key == RS_KEY_ADDR6 || set->key == RS_KEY_ADDR6_PAIR);
}

int expr_list_from_rule(struct expr_list *list, const struct rs_table *table, const struct rs_rule *rule)
{
        struct writer writer = {
                .list = list,
                .family = table->family,
                .is_ipv6 = is_ipv6_by_table,
                .user = table,
        };

        return put_rule(&writer, rule);
}

/* Reading is lenient, and checked at the end by writing what was understood again. */
#define MATCHES_MAX 64

struct reader {
        const struct expr *items;
        size_t len;
        size_t pos;
        struct rs_match matches[MATCHES_MAX];
        bool ipv6[MATCHES_MAX + 1];
        size_t matches_len;
        struct rs_rule *rule;
};

static const struct expr *peek(const struct reader *reader, size_t ahead, enum expr_kind kind)
{
        static const struct expr none = {.kind = EXPR_OTHER};

        if (ahead >= reader->len - reader->pos || reader->items[reader->pos + ahead].kind != kind)
                return &none;
        return &reader->items[reader->pos + ahead];
}

static bool is_there(const struct expr *expr)
{
        return expr->kind != EXPR_OTHER;
}

/* A comparison right after a load that is not itself a match of ours only makes sure of a protocol. */
static void skip_dependencies(struct reader *reader)
{
        while ((is_there(peek(reader, 0, EXPR_META)) || is_there(peek(reader, 0, EXPR_PAYLOAD))) &&
               is_there(peek(reader, 1, EXPR_CMP)))
                reader->pos += 2;
}

static bool read_field(struct reader *reader, enum rs_field *ret_field, bool *ret_ipv6)
{
        const struct expr *meta = peek(reader, 0, EXPR_META), *first = peek(reader, 0, EXPR_PAYLOAD);
        bool second = is_there(peek(reader, 1, EXPR_PAYLOAD));

        *ret_ipv6 = false;
        if (is_there(meta)) {
                *ret_field = second ? RS_FIELD_PROTO_DPORT : RS_FIELD_PROTO;
        } else if (!is_there(first)) {
                return false;
        } else if (first->base == NFT_PAYLOAD_TRANSPORT_HEADER) {
                *ret_field = RS_FIELD_ICMPV6_TYPE;
        } else {
                *ret_ipv6 = first->len == 16;
                if (second)
                        *ret_field = RS_FIELD_SADDR_DADDR;
                else
                        *ret_field = first->offset == (*ret_ipv6 ? 8u : 12u) ? RS_FIELD_SADDR : RS_FIELD_DADDR;
        }
        reader->pos += second ? 2 : 1;
        return true;
}

static bool read_lookup(struct reader *reader, struct arena *arena, int *ret_error)
{
        const struct expr *lookup;
        enum rs_field field;
        const char *set;
        bool ipv6;

        skip_dependencies(reader);
        if (!read_field(reader, &field, &ipv6))
                return false;
        lookup = peek(reader, 0, EXPR_LOOKUP);
        if (!is_there(lookup) || reader->matches_len == MATCHES_MAX)
                return false;
        set = arena_strdup(arena, lookup->set);
        if (!set) {
                *ret_error = -ENOMEM;
                return false;
        }
        reader->ipv6[reader->matches_len] = ipv6;
        if (lookup->vmap) {
                reader->rule->action = RS_DO_VMAP;
                reader->rule->field = field;
                reader->rule->map = set;
        } else {
                reader->matches[reader->matches_len++] =
                        (struct rs_match){.kind = RS_MATCH_SET, .field = field, .set = set, .negate = lookup->negate};
        }
        reader->pos++;
        return true;
}

static bool read_ifname(struct reader *reader, struct arena *arena, enum rs_match_kind kind, int *ret_error)
{
        const struct expr *cmp = peek(reader, 1, EXPR_CMP);
        const char *ifname;

        if (!is_there(cmp) || reader->matches_len == MATCHES_MAX)
                return false;
        ifname = arena_printf(arena, "%.*s%s", (int)cmp->data_len, (const char *)cmp->data,
                              cmp->data_len == IFNAMSIZ ? "" : "*");
        if (!ifname) {
                *ret_error = -ENOMEM;
                return false;
        }
        reader->matches[reader->matches_len++] = (struct rs_match){.kind = kind, .ifname = ifname};
        reader->pos += 2;
        return true;
}

static bool read_ct_state(struct reader *reader)
{
        const struct expr *bitwise = peek(reader, 1, EXPR_BITWISE);
        struct rs_match match = {.kind = RS_MATCH_CT_STATE};

        if (!is_there(bitwise) || !is_there(peek(reader, 2, EXPR_CMP)) || reader->matches_len == MATCHES_MAX ||
            bitwise->data_len != sizeof(match.ct_state))
                return false;
        memcpy(&match.ct_state, bitwise->data, sizeof(match.ct_state));
        reader->matches[reader->matches_len++] = match;
        reader->pos += 3;
        return true;
}

static bool read_verdict(struct reader *reader, struct arena *arena, int *ret_error)
{
        struct rs_verdict verdict = reader->items[reader->pos++].verdict;

        if (verdict.chain) {
                verdict.chain = arena_strdup(arena, verdict.chain);
                if (!verdict.chain) {
                        *ret_error = -ENOMEM;
                        return false;
                }
        }
        reader->rule->verdict = verdict;
        return true;
}

/* One match, the counter or the action. False where it is none of these, or memory ran out. */
static bool read_statement(struct reader *reader, struct arena *arena, int *ret_error)
{
        const struct expr *expr = &reader->items[reader->pos];

        switch (expr->kind) {
        case EXPR_CT:
                return read_ct_state(reader);
        case EXPR_META:
                if (expr->key == NFT_META_IIFNAME)
                        return read_ifname(reader, arena, RS_MATCH_IIFNAME, ret_error);
                if (expr->key == NFT_META_OIFNAME)
                        return read_ifname(reader, arena, RS_MATCH_OIFNAME, ret_error);
                return read_lookup(reader, arena, ret_error);
        case EXPR_PAYLOAD:
                return read_lookup(reader, arena, ret_error);
        case EXPR_COUNTER:
                reader->rule->counter = true;
                reader->rule->count = expr->count;
                reader->pos++;
                return true;
        case EXPR_IMMEDIATE:
                return read_verdict(reader, arena, ret_error);
        case EXPR_BITWISE:
        case EXPR_CMP:
        case EXPR_LOOKUP:
        case EXPR_OTHER:
                break;
        }
        return false;
}

static bool is_ipv6_as_read(const void *user, _unused_ const char *set, size_t match)
{
        const struct reader *reader = user;

        return reader->ipv6[match];
}

/* Whether writing the rule gives what was read. */
static int check(const struct reader *reader, const struct expr_list *list, enum rs_family family, bool *ret_same)
{
        _cleanup_(expr_list_fini) struct expr_list again = EXPR_LIST_INIT;
        struct writer writer = {
                .list = &again,
                .family = family,
                .is_ipv6 = is_ipv6_as_read,
                .user = reader,
        };
        int r;

        r = put_rule(&writer, reader->rule);
        if (r < 0)
                return r;
        *ret_same = expr_list_equal(&again, list);
        return 0;
}

int expr_list_to_rule(const struct expr_list *list, enum rs_family family, struct arena *arena, struct rs_rule *rule)
{
        struct reader reader = {.items = list->items, .len = list->len, .rule = rule};
        bool ours = true;
        int r = 0;

        while (ours && reader.pos < reader.len)
                ours = read_statement(&reader, arena, &r);
        if (r < 0)
                return r;
        rule->matches_len = reader.matches_len;
        rule->matches = arena_memdup(arena, reader.matches, reader.matches_len * sizeof(*rule->matches));
        if (!rule->matches)
                return -ENOMEM;
        if (ours) {
                r = check(&reader, list, family, &ours);
                if (r < 0)
                        return r;
        }
        rule->foreign = !ours;
        return 0;
}
