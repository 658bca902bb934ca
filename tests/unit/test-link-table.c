/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The room link without a kernel: decoding of crafted and of broken messages, and what they do to the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include <link/decode.h>
#include <link/query.h>
#include <link/table.h>
#include <vethwall/base.h>

struct link_spec {
        int type;
        uint8_t family;
        int ifindex;
        const char *name;
        const char *kind;
        uint32_t master;
        uint32_t peer;    /* IFLA_LINK; always put for a veth, as the kernel does */
        bool has_netnsid; /* IFLA_LINK_NETNSID is put */
        int32_t netnsid;
        bool moved;
        bool up;
};

static struct nl_msg *link_message_new(const struct link_spec *spec)
{
        static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};
        struct ifinfomsg info = {
                .ifi_family = spec->family,
                .ifi_index = spec->ifindex,
                .ifi_flags = spec->up ? IFF_UP | IFF_BROADCAST : IFF_BROADCAST,
        };
        struct nl_msg *message = query_request(spec->type, 0, &info, sizeof(info));
        struct nlattr *nest;

        assert_non_null(message);
        if (spec->name)
                nla_put_string(message, IFLA_IFNAME, spec->name);
        nla_put(message, IFLA_ADDRESS, sizeof(mac), mac);
        if (spec->master)
                nla_put_u32(message, IFLA_MASTER, spec->master);
        if (spec->kind) {
                nla_put_u32(message, IFLA_LINK, spec->peer);
                nest = nla_nest_start(message, IFLA_LINKINFO);
                nla_put_string(message, IFLA_INFO_KIND, spec->kind);
                nla_nest_end(message, nest);
        }
        if (spec->has_netnsid)
                nla_put_s32(message, IFLA_LINK_NETNSID, spec->netnsid);
        if (spec->moved)
                nla_put_s32(message, IFLA_NEW_NETNSID, 3);
        return message;
}

static struct link_message decoded(struct nl_msg *owned)
{
        struct link_message message;

        assert_int_equal(link_decode(nlmsg_hdr(owned), &message), 0);
        nlmsg_free(owned);
        return message;
}

static int decode_result(struct nl_msg *owned)
{
        struct link_message message = {.nsid = 77};
        int r = link_decode(nlmsg_hdr(owned), &message);

        if (r < 0)
                assert_int_equal(message.nsid, 77);
        nlmsg_free(owned);
        return r;
}

#define LINK(...) link_message_new(&(struct link_spec){.type = RTM_NEWLINK, __VA_ARGS__})
#define DELLINK(...) link_message_new(&(struct link_spec){.type = RTM_DELLINK, __VA_ARGS__})
/* The peer is in the namespace with that id. */
#define IN(id) .has_netnsid = true, .netnsid = (id)
#define VETH(index, label, ...) LINK(.ifindex = (index), .name = (label), .kind = "veth", __VA_ARGS__)
#define DELVETH(index, label, ...) DELLINK(.ifindex = (index), .name = (label), .kind = "veth", __VA_ARGS__)

static struct nl_msg *addr_message_new(int type, uint8_t scope, uint32_t ifindex, const char *local, const char *other)
{
        struct addr addr;
        struct nl_msg *message;
        struct ifaddrmsg info;

        assert_true(addr_parse(local, &addr));
        info = (struct ifaddrmsg){
                .ifa_family = addr.family == ADDR_V4 ? AF_INET : AF_INET6,
                .ifa_scope = scope,
                .ifa_index = ifindex,
        };
        message = query_request(type, 0, &info, sizeof(info));
        assert_non_null(message);
        nla_put(message, other ? IFA_LOCAL : IFA_ADDRESS, (int)addr_size(addr.family), addr.bytes);
        if (other) {
                assert_true(addr_parse(other, &addr));
                nla_put(message, IFA_ADDRESS, (int)addr_size(addr.family), addr.bytes);
        }
        return message;
}

static struct nl_msg *nsid_message_new(int type, int32_t nsid)
{
        struct rtgenmsg general = {.rtgen_family = AF_UNSPEC};
        struct nl_msg *message = query_request(type, 0, &general, sizeof(general));

        assert_non_null(message);
        nla_put_s32(message, NETNSA_NSID, nsid);
        return message;
}

/* What the callback heard, as text: "+web0 ~web0 -web0 @3". */
struct record {
        char text[256];
        struct link last;
};

static void record(void *user, const struct link_change *change)
{
        struct record *record = user;
        size_t at = strlen(record->text);
        char mark = '?';

        assert_non_null(change);
        switch (change->kind) {
        case LINK_ADDED:
                mark = '+';
                break;
        case LINK_CHANGED:
                mark = '~';
                break;
        case LINK_REMOVED:
                mark = '-';
                break;
        case LINK_NETNS:
                assert_null(change->link);
                (void)snprintf(record->text + at, sizeof(record->text) - at, "%s@%d", at ? " " : "", change->netnsid);
                return;
        }
        assert_non_null(change->link);
        assert_int_equal(change->netnsid, change->link->netnsid);
        record->last = *change->link;
        (void)snprintf(record->text + at, sizeof(record->text) - at, "%s%c%s", at ? " " : "", mark, change->link->name);
}

struct fixture {
        struct link_table table;
        struct record record;
        struct link_asks asks;
};

static void fixture_fini(struct fixture *fixture)
{
        link_table_fini(&fixture->table);
}

/* Applies a notification and returns what the callback heard of it. */
static const char *notify(struct fixture *fixture, int32_t origin, struct nl_msg *owned)
{
        struct link_message message = decoded(owned);

        fixture->record = (struct record){};
        assert_int_equal(link_table_notify(&fixture->table, &message, origin, record, &fixture->record, &fixture->asks),
                         0);
        return fixture->record.text;
}

static const char *answer(struct fixture *fixture, struct nl_msg *owned)
{
        struct link_message message = decoded(owned);

        fixture->record = (struct record){};
        link_table_answer(&fixture->table, &message, record, &fixture->record);
        return fixture->record.text;
}

static void assert_asks(const struct fixture *fixture, uint32_t ifindex)
{
        assert_int_equal(fixture->asks.len, 1);
        assert_int_equal(fixture->asks.ifindex[0], ifindex);
}

static const struct link *find(const struct fixture *fixture, uint32_t ifindex)
{
        const struct link *link = link_table_find(&fixture->table, ifindex);

        assert_non_null(link);
        assert_int_equal(link->ifindex, ifindex);
        return link;
}

static void assert_pairing(const struct fixture *fixture, uint32_t ifindex, int32_t netnsid, uint32_t peer)
{
        assert_int_equal(find(fixture, ifindex)->netnsid, netnsid);
        assert_int_equal(find(fixture, ifindex)->peer, peer);
}

static void a_link_is_decoded_whole(void **state _unused_)
{
        struct link_message m = decoded(VETH(5, "web0", .master = 3, .peer = 2, IN(4), .up = true));

        assert_int_equal(m.kind, LINK_MESSAGE_LINK);
        assert_int_equal(m.link.ifindex, 5);
        assert_string_equal(m.link.name, "web0");
        assert_string_equal(m.link.kind, "veth");
        assert_int_equal(m.link.master, 3);
        assert_int_equal(m.link.peer, 2);
        assert_int_equal(m.link.netnsid, 4);
        assert_memory_equal(m.link.mac, ((uint8_t[]){2, 0, 0, 0, 0, 7}), 6);
        assert_true(m.link.up && m.paired && m.has_netnsid && !m.moved);

        m = decoded(DELVETH(5, "web0", .peer = 2, .moved = true));
        assert_int_equal(m.kind, LINK_MESSAGE_LINK_GONE);
        assert_true(m.moved && m.paired && !m.has_netnsid && !m.link.up);
        assert_int_equal(m.link.netnsid, -1);
}

static void only_pairs_have_a_peer(void **state _unused_)
{
        struct link_message m = decoded(LINK(.ifindex = 5, .name = "mv0", .kind = "macvlan", .peer = 2, IN(1)));

        assert_false(m.paired);
        assert_int_equal(m.link.peer, 0);
        assert_int_equal(m.link.netnsid, -1);
        m = decoded(LINK(.ifindex = 5, .name = "nk0", .kind = "netkit", .peer = 2, IN(1)));
        assert_true(m.paired);
        assert_int_equal(m.link.netnsid, 1);
        m = decoded(LINK(.ifindex = 1, .name = "lo"));
        assert_string_equal(m.link.kind, "");
        assert_false(m.paired);
}

static void a_peer_in_a_dying_namespace_is_nowhere(void **state _unused_)
{
        struct link_message m = decoded(VETH(5, "web0", .peer = 2, IN(-1)));

        assert_true(m.paired);
        assert_int_equal(m.link.netnsid, -1);
        assert_int_equal(m.link.peer, 0);
        m = decoded(VETH(5, "web0", .peer = 0));
        assert_false(m.paired);
}

static void partial_messages_are_passed_over(void **state _unused_)
{
        struct nl_msg *wireless = LINK(.ifindex = 5, .name = "wlan0");

        nla_put(wireless, IFLA_WIRELESS, 4, "abc");
        assert_int_equal(decoded(wireless).kind, LINK_MESSAGE_OTHER);
        assert_int_equal(decoded(LINK(.ifindex = 5, .name = "web0", .family = AF_BRIDGE)).kind, LINK_MESSAGE_OTHER);
        assert_int_equal(decoded(DELLINK(.ifindex = 5, .name = "web0", .family = AF_BRIDGE)).kind, LINK_MESSAGE_OTHER);
        assert_int_equal(decoded(nlmsg_alloc_simple(RTM_NEWROUTE, 0)).kind, LINK_MESSAGE_OTHER);
}

static struct nl_msg *with_attr(struct nl_msg *message, int type, int size, const void *data)
{
        nla_put(message, type, size, data);
        return message;
}

static void broken_messages_are_refused(void **state _unused_)
{
        static const char unterminated[] = {'w', 'e', 'b'};
        static const struct {
                struct nlattr header;
                char text[4];
        } kind = {{.nla_len = sizeof(struct nlattr) + 4, .nla_type = IFLA_INFO_KIND}, {'v', 'e', 't', 'h'}};

        assert_int_equal(decode_result(nlmsg_alloc_simple(RTM_NEWLINK, 0)), -EBADMSG);
        assert_int_equal(decode_result(nlmsg_alloc_simple(RTM_NEWADDR, 0)), -EBADMSG);
        assert_int_equal(decode_result(nlmsg_alloc_simple(RTM_NEWNSID, 0)), -EBADMSG);
        assert_int_equal(decode_result(LINK(.ifindex = 5)), -EBADMSG);
        assert_int_equal(decode_result(LINK(.ifindex = 5, .name = "")), -EBADMSG);
        assert_int_equal(decode_result(LINK(.ifindex = 0, .name = "web0")), -EBADMSG);
        assert_int_equal(decode_result(LINK(.ifindex = -2, .name = "web0")), -EBADMSG);
        assert_int_equal(decode_result(LINK(.ifindex = 5, .name = "a-name-of-17-char")), -EBADMSG);
        assert_int_equal(decode_result(with_attr(LINK(.ifindex = 5), IFLA_IFNAME, 3, unterminated)), -EBADMSG);
        assert_int_equal(decode_result(with_attr(LINK(.ifindex = 5, .name = "web0"), IFLA_MASTER, 2, "a")), -EBADMSG);
        assert_int_equal(
                decode_result(with_attr(LINK(.ifindex = 5, .name = "web0"), IFLA_LINKINFO, sizeof(kind), &kind)),
                -EBADMSG);
        assert_int_equal(decode_result(with_attr(nlmsg_alloc_simple(RTM_NEWNSID, 0), NETNSA_NSID, 2, "a")), -EBADMSG);
        /* An address whose length is another family's. */
        assert_int_equal(
                decode_result(with_attr(query_request(RTM_NEWADDR, 0, &(struct ifaddrmsg){.ifa_family = AF_INET},
                                                      sizeof(struct ifaddrmsg)),
                                        IFA_LOCAL, 16, "0123456789abcdef")),
                -EBADMSG);
}

static void usable_addresses_are_told_from_others(void **state _unused_)
{
        static const struct {
                uint8_t scope;
                uint32_t ifindex;
                const char *addr;
                bool usable;
        } cases[] = {
                {RT_SCOPE_UNIVERSE, 2, "10.0.0.2", true},     {RT_SCOPE_SITE, 2, "10.0.0.2", true},
                {RT_SCOPE_LINK, 2, "10.0.0.2", false},        {RT_SCOPE_HOST, 2, "10.0.0.2", false},
                {RT_SCOPE_UNIVERSE, 1, "10.0.0.2", false},    {RT_SCOPE_UNIVERSE, 2, "127.0.0.2", false},
                {RT_SCOPE_UNIVERSE, 2, "169.254.1.1", false}, {RT_SCOPE_UNIVERSE, 2, "169.253.1.1", true},
                {RT_SCOPE_UNIVERSE, 2, "fd00::2", true},      {RT_SCOPE_UNIVERSE, 2, "2001:db8::2", true},
                {RT_SCOPE_LINK, 2, "fe80::2", false},         {RT_SCOPE_UNIVERSE, 2, "febf::2", false},
                {RT_SCOPE_SITE, 2, "fec0::2", true},          {RT_SCOPE_UNIVERSE, 2, "::1", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct link_message m =
                        decoded(addr_message_new(RTM_NEWADDR, cases[i].scope, cases[i].ifindex, cases[i].addr, NULL));
                char text[ADDR_TEXT_MAX];

                assert_int_equal(m.kind, LINK_MESSAGE_ADDR);
                assert_string_equal(addr_format(&m.addr, text), cases[i].addr);
                if (m.addr_is_usable != cases[i].usable)
                        fail_msg("%s, scope %u", cases[i].addr, cases[i].scope);
        }
}

static void a_point_to_point_address_is_the_local_one(void **state _unused_)
{
        struct link_message m = decoded(addr_message_new(RTM_DELADDR, 0, 2, "10.0.0.2", "10.0.0.9"));
        char text[ADDR_TEXT_MAX];

        assert_int_equal(m.kind, LINK_MESSAGE_ADDR_GONE);
        assert_string_equal(addr_format(&m.addr, text), "10.0.0.2");
}

static void namespace_ids_are_decoded(void **state _unused_)
{
        assert_int_equal(decoded(nsid_message_new(RTM_NEWNSID, 7)).kind, LINK_MESSAGE_NSID);
        assert_int_equal(decoded(nsid_message_new(RTM_NEWNSID, 7)).nsid, 7);
        assert_int_equal(decoded(nsid_message_new(RTM_DELNSID, 7)).kind, LINK_MESSAGE_NSID_GONE);
        assert_int_equal(decoded(nsid_message_new(RTM_NEWNSID, -5)).nsid, -1);
}

static void a_bridges_flags_are_decoded(void **state _unused_)
{
        for (int i = 0; i < 4; i++) {
                struct nl_msg *message = LINK(.ifindex = 5, .name = "br0");
                struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO), *data;
                struct bridge_message bridge;

                nla_put_string(message, IFLA_INFO_KIND, "bridge");
                data = nla_nest_start(message, IFLA_INFO_DATA);
                nla_put_u8(message, IFLA_BR_NF_CALL_IPTABLES, (uint8_t)(i & 1));
                nla_put_u8(message, IFLA_BR_NF_CALL_IP6TABLES, (uint8_t)(i >> 1));
                nla_nest_end(message, data);
                nla_nest_end(message, info);
                assert_int_equal(bridge_decode(nlmsg_hdr(message), &bridge), 0);
                assert_true(bridge.is_bridge);
                assert_int_equal(bridge.ifindex, 5);
                assert_int_equal(bridge.call_iptables, i & 1);
                assert_int_equal(bridge.call_ip6tables, i >> 1);
                nlmsg_free(message);
        }
}

static void links_are_kept_in_order_and_found(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};

        assert_string_equal(notify(&f, -1, LINK(.ifindex = 9, .name = "c")), "+c");
        assert_string_equal(notify(&f, -1, LINK(.ifindex = 2, .name = "a")), "+a");
        assert_string_equal(notify(&f, -1, LINK(.ifindex = 5, .name = "b")), "+b");
        assert_int_equal(f.table.len, 3);
        assert_int_equal(f.table.links[0].ifindex, 2);
        assert_int_equal(f.table.links[1].ifindex, 5);
        assert_int_equal(f.table.links[2].ifindex, 9);
        assert_null(link_table_find(&f.table, 3));
        assert_null(link_table_find(&f.table, 10));
        assert_int_equal(link_table_find_name(&f.table, "b")->ifindex, 5);
        assert_null(link_table_find_name(&f.table, "d"));
        assert_string_equal(notify(&f, -1, DELLINK(.ifindex = 5, .name = "b")), "-b");
        assert_null(link_table_find(&f.table, 5));
        assert_string_equal(notify(&f, -1, DELLINK(.ifindex = 5, .name = "b")), "");
        assert_int_equal(f.table.len, 2);
}

static void only_a_difference_is_a_change(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};
        uint64_t generation;

        notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0)));
        generation = find(&f, 5)->generation;
        assert_string_equal(notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0))), "");
        assert_string_equal(notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0), .up = true)), "~web0");
        assert_string_equal(notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0), .up = true, .master = 3)), "~web0");
        assert_int_equal(find(&f, 5)->master, 3);
        assert_string_equal(notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0), .up = true)), "~web0");
        assert_int_equal(find(&f, 5)->master, 0);
        assert_string_equal(notify(&f, -1, VETH(5, "new0", .peer = 2, IN(0), .up = true)), "~new0");
        assert_int_equal(find(&f, 5)->generation, generation);
}

static void what_is_absent_clears_no_pairing(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};

        notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0)));
        assert_string_equal(notify(&f, -1, VETH(5, "web0", .peer = 0)), "");
        assert_int_equal(f.asks.len, 0);
        notify(&f, -1, LINK(.ifindex = 5, .name = "web0", .family = AF_BRIDGE));
        assert_pairing(&f, 5, 0, 2);
        assert_string_equal(answer(&f, VETH(5, "web0", .peer = 0)), "");
        assert_pairing(&f, 5, 0, 2);
        assert_string_equal(notify(&f, -1, DELVETH(5, "web0", .peer = 0)), "-web0");
        assert_int_equal(f.record.last.netnsid, 0);
        assert_int_equal(f.record.last.peer, 2);
}

static void a_pairing_moves_only_by_the_kernels_answer(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};

        notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0)));
        assert_string_equal(notify(&f, -1, VETH(5, "web0", .peer = 8, IN(1))), "");
        assert_asks(&f, 5);
        assert_pairing(&f, 5, 0, 2);
        assert_string_equal(answer(&f, VETH(5, "web0", .peer = 2, IN(0))), "");
        assert_string_equal(answer(&f, VETH(5, "web0", .peer = 8, IN(1))), "~web0 @0");
        assert_pairing(&f, 5, 1, 8);
        assert_string_equal(answer(&f, VETH(6, "db0", .peer = 8, IN(1))), "");
        assert_null(link_table_find(&f.table, 6));
        /* The peer comes here. */
        assert_string_equal(answer(&f, VETH(5, "web0", .peer = 6)), "~web0 @1");
        assert_pairing(&f, 5, -1, 6);
}

static void a_peer_that_moves_away_has_its_partner_asked_for(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};

        notify(&f, -1, VETH(4, "peer0", .peer = 0));
        assert_string_equal(notify(&f, -1, VETH(5, "web0", .peer = 4)), "+web0");
        assert_asks(&f, 4);
        answer(&f, VETH(4, "peer0", .peer = 5));
        assert_pairing(&f, 4, -1, 5);
        assert_string_equal(notify(&f, -1, DELVETH(4, "peer0", .peer = 5, .moved = true)), "-peer0");
        assert_asks(&f, 5);
        /* Deleted, not moved: the partner goes the same way. */
        notify(&f, -1, VETH(4, "peer0", .peer = 5));
        assert_string_equal(notify(&f, -1, DELVETH(4, "peer0", .peer = 5)), "-peer0");
        assert_int_equal(f.asks.len, 0);
}

static void a_message_from_elsewhere_is_only_a_hint(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};

        notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0)));
        notify(&f, -1, LINK(.ifindex = 6, .name = "eth0"));
        assert_string_equal(notify(&f, 0, VETH(2, "eth0", .peer = 5, IN(0))), "");
        assert_int_equal(f.asks.len, 0);
        assert_string_equal(notify(&f, 1, VETH(2, "eth0", .peer = 5, IN(0))), "");
        assert_asks(&f, 5);
        /* Both ends in the other namespace; a partner that is no veth; one that is not there; another's going. */
        notify(&f, 1, VETH(2, "eth0", .peer = 5));
        assert_int_equal(f.asks.len, 0);
        notify(&f, 1, VETH(2, "eth0", .peer = 6, IN(0)));
        assert_int_equal(f.asks.len, 0);
        notify(&f, 1, VETH(2, "eth0", .peer = 99, IN(0)));
        assert_int_equal(f.asks.len, 0);
        assert_string_equal(notify(&f, 1, DELVETH(5, "web0", .peer = 2, IN(0))), "");
        assert_int_equal(f.table.len, 2);
        assert_pairing(&f, 5, 0, 2);
}

static void a_reused_id_leads_to_no_old_link(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};
        uint64_t generation;

        notify(&f, -1, VETH(5, "web0", .peer = 2, IN(0)));
        notify(&f, -1, VETH(6, "db0", .peer = 2, IN(1)));
        generation = find(&f, 6)->generation;
        assert_string_equal(notify(&f, -1, nsid_message_new(RTM_DELNSID, 0)), "~web0 @0");
        assert_pairing(&f, 5, -1, 0);
        assert_pairing(&f, 6, 1, 2);
        assert_string_equal(notify(&f, -1, nsid_message_new(RTM_NEWNSID, 0)), "@0");
        assert_string_equal(notify(&f, -1, VETH(7, "web1", .peer = 2, IN(0))), "+web1");
        assert_true(find(&f, 7)->generation > generation);
        assert_string_equal(notify(&f, -1, DELVETH(5, "web0", .peer = 0)), "-web0");
        /* The name and the index too. */
        generation = find(&f, 7)->generation;
        assert_string_equal(notify(&f, -1, VETH(5, "web0", .peer = 2, IN(2))), "+web0");
        assert_true(find(&f, 5)->generation > generation);
        /* What ids another namespace gives does not matter. */
        assert_string_equal(notify(&f, 1, nsid_message_new(RTM_DELNSID, 2)), "");
        assert_pairing(&f, 5, 2, 2);
}

static void addresses_in_namespaces_are_announced(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};

        assert_string_equal(notify(&f, 3, addr_message_new(RTM_NEWADDR, 0, 2, "10.0.0.2", NULL)), "@3");
        assert_string_equal(notify(&f, 3, addr_message_new(RTM_DELADDR, 0, 2, "fd00::2", NULL)), "@3");
        assert_string_equal(notify(&f, 3, addr_message_new(RTM_NEWADDR, RT_SCOPE_LINK, 2, "fe80::2", NULL)), "");
        assert_string_equal(notify(&f, -1, addr_message_new(RTM_NEWADDR, 0, 2, "10.0.0.2", NULL)), "");
}

static void gather(struct link_table *dump, struct nl_msg *owned)
{
        struct link_message message = decoded(owned);

        assert_int_equal(link_table_gather(dump, &message), 0);
}

static void a_dump_keeps_the_generation_of_what_is_the_same(void **state _unused_)
{
        _cleanup_(fixture_fini) struct fixture f = {};
        struct link_table dump = {};
        uint64_t generations[8];

        for (int i = 1; i < 8; i++) {
                char name[8];

                (void)snprintf(name, sizeof(name), "web%d", i);
                notify(&f, -1, VETH(i, name, .peer = 2, IN(i)));
                generations[i] = find(&f, (uint32_t)i)->generation;
        }
        /* In no order, one twice; 1 the same but up, 2 renamed, 3 paired anew, 4 gone, 5 the same, 6 of another kind. */
        gather(&dump, VETH(6, "web6", .peer = 2, IN(6)));
        gather(&dump, VETH(8, "web8", .peer = 2, IN(4)));
        gather(&dump, VETH(1, "web1", .peer = 2, IN(1), .up = true));
        gather(&dump, VETH(3, "web3", .peer = 2, IN(9)));
        gather(&dump, VETH(5, "web5", .peer = 2, IN(5)));
        gather(&dump, VETH(2, "other", .peer = 2, IN(2)));
        gather(&dump, LINK(.ifindex = 6, .name = "web6", .kind = "tun"));
        gather(&dump, DELVETH(7, "web7", .peer = 2, IN(7)));
        link_table_replace(&f.table, &dump);
        assert_null(dump.links);

        assert_int_equal(f.table.len, 6);
        assert_null(link_table_find(&f.table, 4));
        assert_null(link_table_find(&f.table, 7));
        assert_int_equal(find(&f, 1)->generation, generations[1]);
        assert_true(find(&f, 1)->up);
        assert_true(find(&f, 2)->generation > generations[7]);
        assert_true(find(&f, 3)->generation > generations[7]);
        assert_int_equal(find(&f, 5)->generation, generations[5]);
        assert_string_equal(find(&f, 6)->kind, "tun");
        assert_true(find(&f, 6)->generation > generations[7]);
        notify(&f, -1, LINK(.ifindex = 10, .name = "new"));
        assert_true(find(&f, 10)->generation > find(&f, 8)->generation);
        assert_true(find(&f, 8)->generation > generations[7]);

        link_table_replace(&f.table, &dump);
        assert_int_equal(f.table.len, 0);
}

/* xorshift64: the same bytes on every run. */
static uint64_t next_random(uint64_t *state)
{
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

static void check_table(const struct link_table *table)
{
        for (size_t i = 0; i < table->len; i++) {
                const struct link *link = &table->links[i];

                assert_true(i == 0 || table->links[i - 1].ifindex < link->ifindex);
                assert_true(link->ifindex != 0 && link->netnsid >= -1 && link->generation != 0);
                assert_non_null(memchr(link->name, '\0', sizeof(link->name)));
                assert_non_null(memchr(link->kind, '\0', sizeof(link->kind)));
        }
}

static void ignore(void *user _unused_, const struct link_change *change _unused_)
{
}

/* Valid messages with some bytes changed and the end cut off, in memory of exactly their size: whatever is read beyond
 * is seen by the address sanitizer and by valgrind. */
static void mutated_messages_do_no_harm(void **state _unused_)
{
        struct nl_msg *seeds[] = {
                VETH(5, "web0", .master = 3, .peer = 2, IN(4), .up = true),
                DELVETH(5, "web0", .peer = 2, .moved = true),
                LINK(.ifindex = 3, .name = "br0", .kind = "bridge"),
                addr_message_new(RTM_NEWADDR, 0, 2, "10.0.0.2", "10.0.0.9"),
                addr_message_new(RTM_DELADDR, 0, 2, "fd00::2", NULL),
                nsid_message_new(RTM_DELNSID, 4),
        };
        _cleanup_(link_table_fini) struct link_table table = {};
        uint64_t random = 0x9e3779b97f4a7c15, accepted = 0;

        for (size_t i = 0; i < 60000; i++) {
                const struct nlmsghdr *seed = nlmsg_hdr(seeds[i % ARRAY_SIZE(seeds)]);
                size_t size = seed->nlmsg_len, flips = next_random(&random) % 4;
                _cleanup_free_ uint8_t *bytes = NULL;
                struct link_message message;
                struct bridge_message bridge;
                struct link_asks asks;

                if (next_random(&random) % 4 == 0)
                        size = sizeof(*seed) + next_random(&random) % (size - sizeof(*seed) + 1);
                bytes = malloc(size);
                assert_non_null(bytes);
                memcpy(bytes, seed, size);
                ((struct nlmsghdr *)(void *)bytes)->nlmsg_len = (uint32_t)size;
                for (size_t k = 0; k < flips && size > sizeof(*seed); k++)
                        bytes[sizeof(*seed) + next_random(&random) % (size - sizeof(*seed))] =
                                (uint8_t)next_random(&random);
                (void)bridge_decode((const struct nlmsghdr *)(void *)bytes, &bridge);
                if (link_decode((const struct nlmsghdr *)(void *)bytes, &message) < 0)
                        continue;
                accepted++;
                assert_int_equal(link_table_notify(&table, &message, (int32_t)(next_random(&random) % 3) - 1, ignore,
                                                   NULL, &asks),
                                 0);
                link_table_answer(&table, &message, ignore, NULL);
                if (table.len > 200)
                        link_table_fini(&table);
                check_table(&table);
        }
        assert_true(accepted > 10000);
        for (size_t i = 0; i < ARRAY_SIZE(seeds); i++)
                nlmsg_free(seeds[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_link_is_decoded_whole),
                cmocka_unit_test(only_pairs_have_a_peer),
                cmocka_unit_test(a_peer_in_a_dying_namespace_is_nowhere),
                cmocka_unit_test(partial_messages_are_passed_over),
                cmocka_unit_test(broken_messages_are_refused),
                cmocka_unit_test(usable_addresses_are_told_from_others),
                cmocka_unit_test(a_point_to_point_address_is_the_local_one),
                cmocka_unit_test(namespace_ids_are_decoded),
                cmocka_unit_test(a_bridges_flags_are_decoded),
                cmocka_unit_test(links_are_kept_in_order_and_found),
                cmocka_unit_test(only_a_difference_is_a_change),
                cmocka_unit_test(what_is_absent_clears_no_pairing),
                cmocka_unit_test(a_pairing_moves_only_by_the_kernels_answer),
                cmocka_unit_test(a_peer_that_moves_away_has_its_partner_asked_for),
                cmocka_unit_test(a_message_from_elsewhere_is_only_a_hint),
                cmocka_unit_test(a_reused_id_leads_to_no_old_link),
                cmocka_unit_test(addresses_in_namespaces_are_announced),
                cmocka_unit_test(a_dump_keeps_the_generation_of_what_is_the_same),
                cmocka_unit_test(mutated_messages_do_no_harm),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
