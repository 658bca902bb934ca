/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libnetfilter_conntrack knows the attributes; this knows which of them make a flow. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#include "decode.h"

/* The attributes of one direction. */
struct tuple_attrs {
        enum nf_conntrack_attr v4_src, v4_dst, v6_src, v6_dst, sport, dport;
};

static const struct tuple_attrs original_attrs = {
        ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_SRC,
        ATTR_ORIG_IPV6_DST, ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST,
};

static const struct tuple_attrs reply_attrs = {
        ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_SRC,
        ATTR_REPL_IPV6_DST, ATTR_REPL_PORT_SRC, ATTR_REPL_PORT_DST,
};

static void destroyp(struct nf_conntrack **object)
{
        if (*object)
                nfct_destroy(*object);
}

static bool get_addr(const struct nf_conntrack *object, enum nf_conntrack_attr attr, enum addr_family family,
                     struct addr *ret)
{
        const void *bytes = nfct_attr_is_set(object, attr) > 0 ? nfct_get_attr(object, attr) : NULL;

        if (!bytes)
                return false;
        *ret = (struct addr){.family = (uint8_t)family};
        memcpy(ret->bytes, bytes, addr_size(family));
        return true;
}

static uint16_t get_port(const struct nf_conntrack *object, enum nf_conntrack_attr attr)
{
        return nfct_attr_is_set(object, attr) > 0 ? ntohs(nfct_get_attr_u16(object, attr)) : 0;
}

static uint8_t get_byte(const struct nf_conntrack *object, enum nf_conntrack_attr attr)
{
        return nfct_attr_is_set(object, attr) > 0 ? nfct_get_attr_u8(object, attr) : (uint8_t)0;
}

static bool get_tuple(const struct nf_conntrack *object, enum addr_family family, const struct tuple_attrs *attrs,
                      struct ct_tuple *ret)
{
        bool v4 = family == ADDR_V4;

        ret->sport = get_port(object, attrs->sport);
        ret->dport = get_port(object, attrs->dport);
        return get_addr(object, v4 ? attrs->v4_src : attrs->v6_src, family, &ret->src) &&
               get_addr(object, v4 ? attrs->v4_dst : attrs->v6_dst, family, &ret->dst);
}

static bool is_open(const struct nf_conntrack *object, uint8_t protocol)
{
        if (!(nfct_get_attr_u32(object, ATTR_STATUS) & IPS_SEEN_REPLY))
                return false;
        if (protocol != IPPROTO_TCP || nfct_attr_is_set(object, ATTR_TCP_STATE) <= 0)
                return true;

        switch (nfct_get_attr_u8(object, ATTR_TCP_STATE)) {
        case TCP_CONNTRACK_ESTABLISHED:
        case TCP_CONNTRACK_FIN_WAIT:
        case TCP_CONNTRACK_CLOSE_WAIT:
        case TCP_CONNTRACK_LAST_ACK:
                return true;
        default:
                return false;
        }
}

int ct_decode(const struct nlmsghdr *message, struct ct_flow *ret)
{
        _cleanup_(destroyp) struct nf_conntrack *object = NULL;
        enum addr_family family;
        uint8_t l3;

        if (message->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
                return CT_E_OTHER;
        object = nfct_new();
        if (!object)
                return -ENOMEM;
        if (nfct_nlmsg_parse(message, object) < 0)
                return CT_E_OTHER;
        l3 = nfct_get_attr_u8(object, ATTR_ORIG_L3PROTO);
        if (l3 != AF_INET && l3 != AF_INET6)
                return CT_E_OTHER;

        family = l3 == AF_INET ? ADDR_V4 : ADDR_V6;
        *ret = (struct ct_flow){
                .protocol = nfct_get_attr_u8(object, ATTR_ORIG_L4PROTO),
                .zone = nfct_attr_is_set(object, ATTR_ZONE) > 0 ? nfct_get_attr_u16(object, ATTR_ZONE) : (uint16_t)0,
        };
        if (!get_tuple(object, family, &original_attrs, &ret->original) ||
            !get_tuple(object, family, &reply_attrs, &ret->reply))
                return CT_E_OTHER;
        if (ret->protocol == IPPROTO_ICMP || ret->protocol == IPPROTO_ICMPV6) {
                ret->icmp.id = get_port(object, ATTR_ICMP_ID);
                ret->icmp.type = get_byte(object, ATTR_ICMP_TYPE);
                ret->icmp.code = get_byte(object, ATTR_ICMP_CODE);
        }
        ret->replied = nfct_get_attr_u32(object, ATTR_STATUS) & IPS_SEEN_REPLY;
        ret->related = nfct_get_attr_u32(object, ATTR_STATUS) & IPS_EXPECTED;
        ret->open = is_open(object, ret->protocol);
        return 0;
}

/* encoding */

/* TCP gives up after 15 minutes of sending again, with what Linux and others have as defaults. */
#define BLOCK_S 1200u

static void set_tuple(struct nf_conntrack *object, enum addr_family family, const struct tuple_attrs *attrs,
                      const struct ct_tuple *tuple)
{
        bool v4 = family == ADDR_V4;

        nfct_set_attr(object, v4 ? attrs->v4_src : attrs->v6_src, tuple->src.bytes);
        nfct_set_attr(object, v4 ? attrs->v4_dst : attrs->v6_dst, tuple->dst.bytes);
        nfct_set_attr_u16(object, attrs->sport, htons(tuple->sport));
        nfct_set_attr_u16(object, attrs->dport, htons(tuple->dport));
}

static void set_icmp(struct nf_conntrack *object, const struct ct_flow *flow)
{
        nfct_set_attr_u8(object, ATTR_ICMP_TYPE, flow->icmp.type);
        nfct_set_attr_u8(object, ATTR_ICMP_CODE, flow->icmp.code);
        nfct_set_attr_u16(object, ATTR_ICMP_ID, htons(flow->icmp.id));
}

static int is_name(const struct nlattr *attr, void *user)
{
        bool *named = user;

        *named |= mnl_attr_get_type(attr) == CTA_TUPLE_ORIG;
        return MNL_CB_OK;
}

static bool names_one(const struct nlmsghdr *message)
{
        bool named = false;

        return mnl_attr_parse(message, sizeof(struct nfgenmsg), is_name, &named) == MNL_CB_OK && named;
}

int ct_encode(const struct ct_flow *flow, bool blocked, struct nlmsghdr *message)
{
        _cleanup_(destroyp) struct nf_conntrack *object = nfct_new();
        enum addr_family family = flow->original.src.family;
        uint8_t l3 = family == ADDR_V4 ? AF_INET : AF_INET6;

        if (!object)
                return -ENOMEM;
        nfct_set_attr_u8(object, ATTR_ORIG_L3PROTO, l3);
        nfct_set_attr_u8(object, ATTR_ORIG_L4PROTO, flow->protocol);
        set_tuple(object, family, &original_attrs, &flow->original);
        if (flow->protocol == IPPROTO_ICMP || flow->protocol == IPPROTO_ICMPV6)
                set_icmp(object, flow);
        if (flow->zone)
                nfct_set_attr_u16(object, ATTR_ZONE, flow->zone);
        if (blocked) {
                nfct_set_attr_u8(object, ATTR_REPL_L3PROTO, l3);
                nfct_set_attr_u8(object, ATTR_REPL_L4PROTO, flow->protocol);
                set_tuple(object, family, &reply_attrs, &flow->reply);
                nfct_set_attr_u32(object, ATTR_TIMEOUT, BLOCK_S);
                nfct_set_attr_u8(object, ATTR_TCP_STATE, TCP_CONNTRACK_SYN_SENT);
        }
        if (nfct_nlmsg_build(message, object) < 0 || !names_one(message))
                return -EINVAL;
        return 0;
}
