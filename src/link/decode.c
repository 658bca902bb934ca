/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoding of rtnetlink messages. libnl's policies check every attribute's length before it is read; an
 * attribute that the headers of the build do not know is passed over. */
#include <errno.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <link/decode.h>

/* The kernel gives every namespace's loopback device this index. */
#define LOOPBACK_IFINDEX 1

static const struct nla_policy link_policy[IFLA_MAX + 1] = {
        [IFLA_IFNAME] = {.type = NLA_STRING, .maxlen = IFNAMSIZ},
        [IFLA_MASTER] = {.type = NLA_U32},
        [IFLA_LINK] = {.type = NLA_U32},
        [IFLA_LINK_NETNSID] = {.type = NLA_S32},
        [IFLA_NEW_NETNSID] = {.type = NLA_S32},
        [IFLA_LINKINFO] = {.type = NLA_NESTED},
};

/* IFLA_INFO_DATA has no type here: what it holds depends on the kind, and some kinds do not nest. */
static const struct nla_policy info_policy[IFLA_INFO_MAX + 1] = {
        [IFLA_INFO_KIND] = {.type = NLA_STRING},
};

static const struct nla_policy bridge_policy[IFLA_BR_MAX + 1] = {
        [IFLA_BR_NF_CALL_IPTABLES] = {.type = NLA_U8},
        [IFLA_BR_NF_CALL_IP6TABLES] = {.type = NLA_U8},
};

static const struct nla_policy nsid_policy[NETNSA_MAX + 1] = {
        [NETNSA_NSID] = {.type = NLA_S32},
};

/* libnl's parsers take what they only read without const. */
static struct nlmsghdr *mutable_header(const struct nlmsghdr *header)
{
        return (struct nlmsghdr *)(uintptr_t)header;
}

static bool kind_is(const struct nlattr *attr, const char *kind)
{
        return attr && strcmp(nla_get_string(attr), kind) == 0;
}

/* The kinds that come in pairs. For the others IFLA_LINK names a parent (vlan, macvlan), not a peer. */
static bool kind_is_pair(const char *kind)
{
        return strcmp(kind, "veth") == 0 || strcmp(kind, "netkit") == 0;
}

/* A veth's message without IFLA_LINK_NETNSID means one of two things: the peer is in the same namespace (IFLA_LINK is
 * then its index), or the pair is being torn down and the kernel has already parted the two (IFLA_LINK is 0). The
 * second says nothing about where the peer was. An id below 0 is that of a namespace being torn down. */
static void decode_peer(struct nlattr *const *attrs, struct link_message *message)
{
        message->link.netnsid = -1;
        if (!kind_is_pair(message->link.kind) || !attrs[IFLA_LINK] || nla_get_u32(attrs[IFLA_LINK]) == 0)
                return;
        message->paired = true;
        message->link.peer = nla_get_u32(attrs[IFLA_LINK]);
        if (!attrs[IFLA_LINK_NETNSID])
                return;
        message->has_netnsid = true;
        message->link.netnsid = nla_get_s32(attrs[IFLA_LINK_NETNSID]);
        if (message->link.netnsid < 0) {
                message->link.netnsid = -1;
                message->link.peer = 0;
        }
}

static int decode_kind(struct nlattr *info, char kind[static 16])
{
        struct nlattr *attrs[IFLA_INFO_MAX + 1];
        size_t len;

        if (!info)
                return 0;
        if (nla_parse_nested(attrs, IFLA_INFO_MAX, info, info_policy) < 0)
                return -EBADMSG;
        if (!attrs[IFLA_INFO_KIND])
                return 0;
        len = strlen(nla_get_string(attrs[IFLA_INFO_KIND]));
        if (len >= 16)
                len = 15;
        memcpy(kind, nla_get_string(attrs[IFLA_INFO_KIND]), len);
        return 0;
}

static int decode_link(const struct nlmsghdr *header, struct link_message *message)
{
        const struct ifinfomsg *info;
        struct nlattr *attrs[IFLA_MAX + 1];
        struct link *link = &message->link;
        size_t len;

        if (nlmsg_parse(mutable_header(header), sizeof(*info), attrs, IFLA_MAX, link_policy) < 0)
                return -EBADMSG;
        info = nlmsg_data(header);
        /* A bridge speaks of its ports in messages of family AF_BRIDGE, which look the same and lack half of the
         * attributes; wireless extensions send a message with little more than the name. Neither describes the link. */
        if (info->ifi_family != AF_UNSPEC || attrs[IFLA_WIRELESS])
                return 0;
        if (!attrs[IFLA_IFNAME] || info->ifi_index <= 0)
                return -EBADMSG;
        len = strlen(nla_get_string(attrs[IFLA_IFNAME]));
        if (len == 0 || len >= IFNAMSIZ || decode_kind(attrs[IFLA_LINKINFO], link->kind) < 0)
                return -EBADMSG;
        memcpy(link->name, nla_get_string(attrs[IFLA_IFNAME]), len);
        link->ifindex = (uint32_t)info->ifi_index;
        link->up = info->ifi_flags & IFF_UP;
        if (attrs[IFLA_MASTER])
                link->master = nla_get_u32(attrs[IFLA_MASTER]);
        if (attrs[IFLA_ADDRESS] && nla_len(attrs[IFLA_ADDRESS]) == (int)sizeof(link->mac))
                memcpy(link->mac, nla_data(attrs[IFLA_ADDRESS]), sizeof(link->mac));
        decode_peer(attrs, message);
        message->moved = attrs[IFLA_NEW_NETNSID];
        message->kind = header->nlmsg_type == RTM_NEWLINK ? LINK_MESSAGE_LINK : LINK_MESSAGE_LINK_GONE;
        return 0;
}

/* By the scope and by the address as well: `ip addr add 169.254.1.1/16` makes an address of scope global. */
static bool addr_is_usable(const struct ifaddrmsg *info, const struct addr *addr)
{
        const uint8_t *b = addr->bytes;

        if (info->ifa_scope >= RT_SCOPE_LINK || info->ifa_index == LOOPBACK_IFINDEX)
                return false;
        if (addr->family == ADDR_V4)
                return b[0] != 127 && !(b[0] == 169 && b[1] == 254);
        return !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80) &&
               !IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)b);
}

static int decode_addr(const struct nlmsghdr *header, struct link_message *message)
{
        const struct ifaddrmsg *info;
        struct nlattr *attrs[IFA_MAX + 1];
        const struct nlattr *attr;

        if (nlmsg_parse(mutable_header(header), sizeof(*info), attrs, IFA_MAX, NULL) < 0)
                return -EBADMSG;
        info = nlmsg_data(header);
        if (info->ifa_family != AF_INET && info->ifa_family != AF_INET6)
                return 0;
        message->addr.family = info->ifa_family == AF_INET ? ADDR_V4 : ADDR_V6;
        /* On a point-to-point address IFA_ADDRESS is the other side's. */
        attr = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
        if (!attr || nla_len(attr) != (int)addr_size(message->addr.family))
                return -EBADMSG;
        memcpy(message->addr.bytes, nla_data(attr), addr_size(message->addr.family));
        message->addr_is_usable = addr_is_usable(info, &message->addr);
        message->kind = header->nlmsg_type == RTM_NEWADDR ? LINK_MESSAGE_ADDR : LINK_MESSAGE_ADDR_GONE;
        return 0;
}

static int decode_nsid(const struct nlmsghdr *header, struct link_message *message)
{
        struct nlattr *attrs[NETNSA_MAX + 1];

        if (nlmsg_parse(mutable_header(header), sizeof(struct rtgenmsg), attrs, NETNSA_MAX, nsid_policy) < 0 ||
            !attrs[NETNSA_NSID])
                return -EBADMSG;
        message->nsid = nla_get_s32(attrs[NETNSA_NSID]);
        if (message->nsid < 0)
                message->nsid = -1;
        message->kind = header->nlmsg_type == RTM_NEWNSID ? LINK_MESSAGE_NSID : LINK_MESSAGE_NSID_GONE;
        return 0;
}

int link_decode(const struct nlmsghdr *header, struct link_message *ret)
{
        struct link_message message = {.kind = LINK_MESSAGE_OTHER, .nsid = -1};
        int r = 0;

        switch (header->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
                r = decode_link(header, &message);
                break;
        case RTM_NEWADDR:
        case RTM_DELADDR:
                r = decode_addr(header, &message);
                break;
        case RTM_NEWNSID:
        case RTM_DELNSID:
                r = decode_nsid(header, &message);
                break;
        }
        if (r < 0)
                return r;
        *ret = message;
        return 0;
}

int bridge_decode(const struct nlmsghdr *header, struct bridge_message *ret)
{
        struct nlattr *attrs[IFLA_MAX + 1], *infos[IFLA_INFO_MAX + 1], *flags[IFLA_BR_MAX + 1];
        struct bridge_message message = {};
        const struct ifinfomsg *info;

        if (header->nlmsg_type != RTM_NEWLINK ||
            nlmsg_parse(mutable_header(header), sizeof(*info), attrs, IFLA_MAX, link_policy) < 0)
                return -EBADMSG;
        info = nlmsg_data(header);
        message.ifindex = (uint32_t)info->ifi_index;
        if (attrs[IFLA_LINKINFO]) {
                if (nla_parse_nested(infos, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], info_policy) < 0)
                        return -EBADMSG;
                message.is_bridge = kind_is(infos[IFLA_INFO_KIND], "bridge");
                if (message.is_bridge && infos[IFLA_INFO_DATA]) {
                        if (nla_parse_nested(flags, IFLA_BR_MAX, infos[IFLA_INFO_DATA], bridge_policy) < 0)
                                return -EBADMSG;
                        message.call_iptables =
                                flags[IFLA_BR_NF_CALL_IPTABLES] && nla_get_u8(flags[IFLA_BR_NF_CALL_IPTABLES]);
                        message.call_ip6tables =
                                flags[IFLA_BR_NF_CALL_IP6TABLES] && nla_get_u8(flags[IFLA_BR_NF_CALL_IP6TABLES]);
                }
        }
        *ret = message;
        return 0;
}
