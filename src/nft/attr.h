/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading netlink attributes that may lie about their lengths. Writing is libmnl's own mnl_attr_put*(). Reading goes
 * through here and not through libnftnl, because libnftnl refuses a whole object over one expression it does not know
 * and trusts the lengths inside user data, where we must tell "not ours" from "broken" and survive both. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h> /* before linux/in.h, which the kernel headers below bring */

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

/* Fills tb[type] with the attributes of the size bytes at data; types of tb_len and above are left out, absent ones are
 * NULL. 0, or -EBADMSG where the attributes do not fill the space. */
int attr_index(const void *data, size_t size, const struct nlattr **tb, size_t tb_len);
int attr_index_nested(const struct nlattr *attr, const struct nlattr **tb, size_t tb_len);

/* The attribute after at, or the first where at is NULL; NULL at the end, or where no whole attribute follows. */
const struct nlattr *attr_next(const struct nlattr *nest, const struct nlattr *at);

#define attr_for_each(attr, nest) for ((attr) = attr_next(nest, NULL); (attr); (attr) = attr_next(nest, attr))

/* libmnl's own macros do not survive the compiler's warnings about conversions. */
static inline size_t align4(size_t size)
{
        return (size + 3) / 4 * 4;
}

/* The value, in host byte order; -EBADMSG for an attribute of another length or, for text, without a NUL. *ret_text
 * borrows from the message. */
int attr_u32(const struct nlattr *attr, uint32_t *ret);
int attr_u64(const struct nlattr *attr, uint64_t *ret);
int attr_text(const struct nlattr *attr, const char **ret_text);

/* For optional attributes: absent leaves *ret as it is. */
int attr_u32_if(const struct nlattr *attr, uint32_t *ret);
