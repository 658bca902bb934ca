/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nft's user data: a row of type, length, value, one byte each for the first two. libnftnl has the numbers and a parser,
 * which however trusts the lengths. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnftnl/udata.h>

#include <vethwall/arena.h>
#include <vethwall/base.h>

#include "keytype.h"
#include "userdata.h"

static_assert((int)NFTNL_UDATA_RULE_COMMENT == (int)NFTNL_UDATA_SET_ELEM_COMMENT, "one reader serves both");

/* nft's SET_ELEM_F_INTERVAL_OPEN. */
#define ELEM_INTERVAL_OPEN 1u
/* nft's number for a concatenation where it writes down how a key was declared. */
#define EXPR_CONCAT 13u

static size_t put(uint8_t *buf, size_t size, uint8_t type, const void *value, size_t len)
{
        buf[size] = type;
        buf[size + 1] = (uint8_t)len;
        memcpy(buf + size + 2, value, len);
        return size + 2 + len;
}

/* These numbers are in host byte order: they never leave the machine. */
static size_t put_u32(uint8_t *buf, size_t size, uint8_t type, uint32_t value)
{
        return put(buf, size, type, &value, sizeof(value));
}

size_t userdata_of_set(uint8_t buf[static USERDATA_MAX], const struct rs_set *set)
{
        const struct keytype *type = keytype_get(set->key);
        uint8_t typeof_key[16];
        size_t size = 0, typeof_size;

        size = put_u32(buf, size, NFTNL_UDATA_SET_KEYBYTEORDER, type->byteorder);
        if (set->map)
                size = put_u32(buf, size, NFTNL_UDATA_SET_DATABYTEORDER, 0);
        if (type->parts_len > 1) {
                typeof_size = put_u32(typeof_key, 0, NFTNL_UDATA_SET_TYPEOF_EXPR, EXPR_CONCAT);
                typeof_size = put(typeof_key, typeof_size, NFTNL_UDATA_SET_TYPEOF_DATA, "", 0);
                size = put(buf, size, NFTNL_UDATA_SET_KEY_TYPEOF, typeof_key, typeof_size);
        }
        if (set->map)
                size = put_u32(buf, size, NFTNL_UDATA_SET_DATA_INTERVAL, 0);
        return size;
}

static size_t put_comment(uint8_t *buf, const char *comment)
{
        size_t len, size;

        if (!comment)
                return 0;
        len = strnlen(comment, RS_COMMENT_MAX);
        size = put(buf, 0, NFTNL_UDATA_RULE_COMMENT, comment, len);
        buf[1]++;
        buf[size] = '\0';
        return size + 1;
}

size_t userdata_of_elem(uint8_t buf[static USERDATA_MAX], const struct rs_elem *elem, bool open)
{
        size_t size = put_comment(buf, elem->comment);

        return open ? put_u32(buf, size, NFTNL_UDATA_SET_ELEM_FLAGS, ELEM_INTERVAL_OPEN) : size;
}

size_t userdata_of_rule(uint8_t buf[static USERDATA_MAX], const struct rs_rule *rule)
{
        return put_comment(buf, rule->comment);
}

int userdata_comment(const struct nlattr *attr, struct arena *arena, const char **ret)
{
        const uint8_t *pos;
        size_t size;
        char *comment;

        *ret = NULL;
        if (!attr)
                return 0;
        pos = mnl_attr_get_payload(attr);
        size = mnl_attr_get_payload_len(attr);
        while (size >= 2 && pos[1] <= size - 2) {
                if (pos[0] == NFTNL_UDATA_RULE_COMMENT) {
                        if (pos[1] == 0 || pos[1] > RS_COMMENT_MAX + 1 || pos[2 + pos[1] - 1] != '\0')
                                return 0;
                        comment = arena_strndup(arena, (const char *)pos + 2, pos[1] - 1u);
                        if (!comment)
                                return -ENOMEM;
                        *ret = comment;
                        return 0;
                }
                size -= 2u + pos[1];
                pos += 2 + pos[1];
        }
        return 0;
}
