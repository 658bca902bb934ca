/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types of keys, as the kernel and nft number them. */
#include <assert.h>
#include <string.h>

#include <vethwall/base.h>

#include "keytype.h"

/* From nft's include/datatype.h. */
#define TYPE_IPADDR 7u
#define TYPE_IP6ADDR 8u
#define TYPE_INET_PROTOCOL 12u
#define TYPE_INET_SERVICE 13u
#define TYPE_ICMP6_TYPE 29u
#define CONCAT(a, b) ((a) << 6 | (b))
#define BIG_ENDIAN_KEY 2u

static const struct keytype keytypes[] = {
        [RS_KEY_ADDR4] = {TYPE_IPADDR, BIG_ENDIAN_KEY, 1, {4}},
        [RS_KEY_ADDR6] = {TYPE_IP6ADDR, BIG_ENDIAN_KEY, 1, {16}},
        [RS_KEY_ADDR4_PAIR] = {CONCAT(TYPE_IPADDR, TYPE_IPADDR), 0, 2, {4, 4}},
        [RS_KEY_ADDR6_PAIR] = {CONCAT(TYPE_IP6ADDR, TYPE_IP6ADDR), 0, 2, {16, 16}},
        [RS_KEY_PROTO] = {TYPE_INET_PROTOCOL, 0, 1, {1}},
        [RS_KEY_PROTO_PORT] = {CONCAT(TYPE_INET_PROTOCOL, TYPE_INET_SERVICE), 0, 2, {1, 2}},
        [RS_KEY_ICMPV6_TYPE] = {TYPE_ICMP6_TYPE, BIG_ENDIAN_KEY, 1, {1}},
};
static_assert(ARRAY_SIZE(keytypes) == RS_KEY_MAX, "every key has a type");

const struct keytype *keytype_get(enum rs_key key)
{
        return &keytypes[key];
}

enum rs_key keytype_find(uint32_t type)
{
        enum rs_key key = RS_KEY_ADDR4;

        while (key < RS_KEY_MAX && keytypes[key].type != type)
                key++;
        return key;
}

bool set_has_ends(const struct rs_set *set)
{
        return set->interval && keytypes[set->key].parts_len == 1;
}

bool key_next(enum rs_key key, const uint8_t bytes[static RS_KEY_SIZE_MAX], uint8_t ret[static RS_KEY_SIZE_MAX])
{
        uint8_t next[RS_KEY_SIZE_MAX];

        memcpy(next, bytes, sizeof(next));
        for (size_t i = rs_key_size(key); i-- > 0;) {
                if (++next[i] != 0) {
                        memcpy(ret, next, sizeof(next));
                        return true;
                }
        }
        return false;
}

void key_prev(enum rs_key key, const uint8_t bytes[static RS_KEY_SIZE_MAX], uint8_t ret[static RS_KEY_SIZE_MAX])
{
        memcpy(ret, bytes, RS_KEY_SIZE_MAX);
        for (size_t i = rs_key_size(key); i-- > 0;)
                if (ret[i]-- != 0)
                        break;
}
