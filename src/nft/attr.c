/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bounded reading of netlink attributes. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "attr.h"

int attr_index(const void *data, size_t size, const struct nlattr **tb, size_t tb_len)
{
        const uint8_t *pos = data;

        for (size_t i = 0; i < tb_len; i++)
                tb[i] = NULL;
        while (size > 0) {
                const struct nlattr *attr = (const void *)pos;
                size_t step;

                if (size < sizeof(*attr) || attr->nla_len < sizeof(*attr) || attr->nla_len > size)
                        return -EBADMSG;
                if (mnl_attr_get_type(attr) < tb_len)
                        tb[mnl_attr_get_type(attr)] = attr;

                /* The last attribute's padding may be missing. */
                step = align4(attr->nla_len);
                if (step >= size)
                        break;
                pos += step;
                size -= step;
        }
        return 0;
}

int attr_index_nested(const struct nlattr *attr, const struct nlattr **tb, size_t tb_len)
{
        return attr_index(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr), tb, tb_len);
}

const struct nlattr *attr_next(const struct nlattr *nest, const struct nlattr *at)
{
        const uint8_t *start = mnl_attr_get_payload(nest);
        size_t size = mnl_attr_get_payload_len(nest);
        size_t pos = at ? (size_t)((const uint8_t *)at - start) + align4(at->nla_len) : 0;
        const struct nlattr *next = (const void *)(start + pos);

        if (pos >= size || size - pos < sizeof(*next) || next->nla_len < sizeof(*next) || next->nla_len > size - pos)
                return NULL;
        return next;
}

int attr_u32(const struct nlattr *attr, uint32_t *ret)
{
        uint32_t value_be;

        if (!attr || mnl_attr_get_payload_len(attr) != sizeof(value_be))
                return -EBADMSG;
        memcpy(&value_be, mnl_attr_get_payload(attr), sizeof(value_be));
        *ret = be32toh(value_be);
        return 0;
}

int attr_u32_if(const struct nlattr *attr, uint32_t *ret)
{
        return attr ? attr_u32(attr, ret) : 0;
}

int attr_u64(const struct nlattr *attr, uint64_t *ret)
{
        uint64_t value_be;

        if (!attr || mnl_attr_get_payload_len(attr) != sizeof(value_be))
                return -EBADMSG;
        memcpy(&value_be, mnl_attr_get_payload(attr), sizeof(value_be));
        *ret = be64toh(value_be);
        return 0;
}

int attr_text(const struct nlattr *attr, const char **ret_text)
{
        const char *text;

        if (!attr)
                return -EBADMSG;
        text = mnl_attr_get_payload(attr);
        if (!memchr(text, '\0', mnl_attr_get_payload_len(attr)))
                return -EBADMSG;
        *ret_text = text;
        return 0;
}
