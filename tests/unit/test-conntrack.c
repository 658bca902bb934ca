/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of the kernel's table of connections, as flows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

#include <conntrack/decode.h>

union message {
        struct nlmsghdr header;
        char bytes[1024];
};

struct spec {
        int family;
        uint8_t protocol;
        const char *addrs[4]; /* original source and destination, reply source and destination */
        uint16_t ports[4];
        uint32_t status;
        uint8_t tcp_state;
        uint16_t zone;
};

static void set_addrs(struct nf_conntrack *object, const struct spec *spec)
{
        static const enum nf_conntrack_attr v4[] = {ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_REPL_IPV4_SRC,
                                                    ATTR_REPL_IPV4_DST},
                                            v6[] = {ATTR_ORIG_IPV6_SRC, ATTR_ORIG_IPV6_DST, ATTR_REPL_IPV6_SRC,
                                                    ATTR_REPL_IPV6_DST},
                                            ports[] = {ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST, ATTR_REPL_PORT_SRC,
                                                       ATTR_REPL_PORT_DST};

        for (size_t i = 0; i < 4; i++) {
                unsigned char bytes[16];

                assert_int_equal(inet_pton(spec->family, spec->addrs[i], bytes), 1);
                nfct_set_attr(object, spec->family == AF_INET ? v4[i] : v6[i], bytes);
                if (spec->protocol == IPPROTO_TCP || spec->protocol == IPPROTO_UDP)
                        nfct_set_attr_u16(object, ports[i], htons(spec->ports[i]));
        }
}

/* The message that the kernel would send for it. */
static void make(union message *message, const struct spec *spec)
{
        struct nf_conntrack *object = nfct_new();
        struct nfgenmsg *header;

        assert_non_null(object);
        nfct_set_attr_u8(object, ATTR_ORIG_L3PROTO, (uint8_t)spec->family);
        nfct_set_attr_u8(object, ATTR_REPL_L3PROTO, (uint8_t)spec->family);
        nfct_set_attr_u8(object, ATTR_ORIG_L4PROTO, spec->protocol);
        nfct_set_attr_u8(object, ATTR_REPL_L4PROTO, spec->protocol);
        set_addrs(object, spec);
        nfct_set_attr_u32(object, ATTR_STATUS, spec->status);
        if (spec->protocol == IPPROTO_TCP)
                nfct_set_attr_u8(object, ATTR_TCP_STATE, spec->tcp_state);
        if (spec->protocol == IPPROTO_ICMP) {
                nfct_set_attr_u8(object, ATTR_ICMP_TYPE, 8);
                nfct_set_attr_u8(object, ATTR_ICMP_CODE, 0);
                nfct_set_attr_u16(object, ATTR_ICMP_ID, htons(7));
        }
        if (spec->zone)
                nfct_set_attr_u16(object, ATTR_ZONE, spec->zone);

        memset(message, 0, sizeof(*message));
        mnl_nlmsg_put_header(message->bytes);
        message->header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
        header = mnl_nlmsg_put_extra_header(&message->header, sizeof(*header));
        header->nfgen_family = (uint8_t)spec->family;
        assert_int_equal(nfct_nlmsg_build(&message->header, object), 0);
        nfct_destroy(object);
}

static const struct spec translated = {
        .family = AF_INET,
        .protocol = IPPROTO_TCP,
        .addrs = {"10.0.0.2", "192.0.2.1", "10.0.0.3", "192.0.2.1"},
        .ports = {40000, 8080, 80, 40001},
        .status = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED | IPS_SRC_NAT | IPS_DST_NAT,
        .tcp_state = TCP_CONNTRACK_ESTABLISHED,
        .zone = 7,
};

static void assert_addr(const struct addr *addr, const char *want)
{
        char text[ADDR_TEXT_MAX];

        assert_string_equal(addr_format(addr, text), want);
}

static void both_tuples_are_told(_unused_ void **state)
{
        union message message;
        struct ct_flow flow;

        make(&message, &translated);
        assert_int_equal(ct_decode(&message.header, &flow), 0);
        assert_int_equal(flow.protocol, IPPROTO_TCP);
        assert_addr(&flow.original.src, "10.0.0.2");
        assert_addr(&flow.original.dst, "192.0.2.1");
        assert_int_equal(flow.original.sport, 40000);
        assert_int_equal(flow.original.dport, 8080);
        assert_addr(&flow.reply.src, "10.0.0.3");
        assert_addr(&flow.reply.dst, "192.0.2.1");
        assert_int_equal(flow.reply.sport, 80);
        assert_int_equal(flow.reply.dport, 40001);
        assert_int_equal(flow.zone, 7);
        assert_true(flow.open);

        assert_addr(ct_flow_src(&flow), "10.0.0.2");
        assert_addr(ct_flow_dst(&flow), "10.0.0.3");
        assert_int_equal(ct_flow_port(&flow), 80);
}

static void other_protocols_and_families(_unused_ void **state)
{
        const struct spec v6 = {
                .family = AF_INET6,
                .protocol = IPPROTO_UDP,
                .addrs = {"fd00::2", "fd00::3", "fd00::3", "fd00::2"},
                .ports = {5353, 53, 53, 5353},
        };
        const struct spec icmp = {
                .family = AF_INET,
                .protocol = IPPROTO_ICMP,
                .addrs = {"10.0.0.2", "10.0.0.3", "10.0.0.3", "10.0.0.2"},
                .status = IPS_SEEN_REPLY,
        };
        union message message;
        struct ct_flow flow;

        make(&message, &v6);
        assert_int_equal(ct_decode(&message.header, &flow), 0);
        assert_addr(ct_flow_src(&flow), "fd00::2");
        assert_addr(ct_flow_dst(&flow), "fd00::3");
        assert_int_equal(ct_flow_port(&flow), 53);
        assert_int_equal(flow.zone, 0);
        assert_false(flow.open);

        make(&message, &icmp);
        assert_int_equal(ct_decode(&message.header, &flow), 0);
        assert_int_equal(flow.protocol, IPPROTO_ICMP);
        assert_int_equal(ct_flow_port(&flow), 0);
        assert_true(flow.open);
}

static void open_is_what_both_ends_hold(_unused_ void **state)
{
        static const struct {
                uint32_t status;
                uint8_t tcp_state;
                bool open;
        } cases[] = {
                {IPS_SEEN_REPLY, TCP_CONNTRACK_ESTABLISHED, true},
                {IPS_SEEN_REPLY, TCP_CONNTRACK_FIN_WAIT, true},
                {IPS_SEEN_REPLY, TCP_CONNTRACK_CLOSE_WAIT, true},
                {IPS_SEEN_REPLY, TCP_CONNTRACK_LAST_ACK, true},
                {IPS_SEEN_REPLY, TCP_CONNTRACK_SYN_RECV, false},
                {IPS_SEEN_REPLY, TCP_CONNTRACK_TIME_WAIT, false},
                {IPS_SEEN_REPLY, TCP_CONNTRACK_CLOSE, false},
                {0, TCP_CONNTRACK_SYN_SENT, false},
                {0, TCP_CONNTRACK_ESTABLISHED, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct spec spec = translated;
                union message message;
                struct ct_flow flow;

                spec.status = cases[i].status;
                spec.tcp_state = cases[i].tcp_state;
                make(&message, &spec);
                assert_int_equal(ct_decode(&message.header, &flow), 0);
                assert_int_equal(flow.open, cases[i].open);
        }
}

/* What is cut short is no flow, or one with less known of it, and nothing beyond its end is read. */
static void what_is_no_flow_is_none(_unused_ void **state)
{
        union message message;
        struct ct_flow flow;
        uint32_t len;

        make(&message, &translated);
        message.header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
        assert_int_equal(ct_decode(&message.header, &flow), CT_E_OTHER);

        make(&message, &translated);
        len = message.header.nlmsg_len;
        for (uint32_t i = (uint32_t)(sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg)); i < len; i++) {
                _cleanup_free_ struct nlmsghdr *cut = malloc(i);

                assert_non_null(cut);
                memcpy(cut, &message, i);
                cut->nlmsg_len = i;
                assert_in_range(ct_decode(cut, &flow), 0, CT_E_OTHER);
                if (i < 80)
                        assert_int_equal(ct_decode(cut, &flow), CT_E_OTHER);
        }
}

/* What would name none deletes all: the message must name the flow, with what the kernel tells flows apart by. */
static void a_flow_is_named_as_it_was_told(_unused_ void **state)
{
        const struct spec icmp = {
                .family = AF_INET,
                .protocol = IPPROTO_ICMP,
                .addrs = {"10.0.0.2", "10.0.0.3", "10.0.0.3", "10.0.0.2"},
                .status = IPS_SEEN_REPLY | IPS_EXPECTED,
        };
        const struct spec *const specs[] = {&translated, &icmp};

        for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
                union message told, named = {0};
                struct nf_conntrack *object = nfct_new();
                struct nfgenmsg *header;
                struct ct_flow flow;

                make(&told, specs[i]);
                assert_int_equal(ct_decode(&told.header, &flow), 0);
                assert_true(flow.replied);
                assert_int_equal(flow.related, specs[i] == &icmp);

                mnl_nlmsg_put_header(named.bytes);
                named.header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
                header = mnl_nlmsg_put_extra_header(&named.header, sizeof(*header));
                header->nfgen_family = AF_INET;
                assert_int_equal(ct_encode(&flow, false, &named.header), 0);
                assert_true(nfct_nlmsg_parse(&named.header, object) >= 0);
                assert_int_equal(nfct_get_attr_u32(object, ATTR_ORIG_IPV4_SRC), inet_addr("10.0.0.2"));
                assert_int_equal(nfct_attr_is_set(object, ATTR_REPL_IPV4_SRC) > 0, false);
                if (specs[i] == &icmp) {
                        assert_int_equal(nfct_get_attr_u8(object, ATTR_ICMP_TYPE), 8);
                        assert_int_equal(ntohs(nfct_get_attr_u16(object, ATTR_ICMP_ID)), 7);
                } else {
                        assert_int_equal(ntohs(nfct_get_attr_u16(object, ATTR_ORIG_PORT_SRC)), 40000);
                        assert_int_equal(nfct_get_attr_u16(object, ATTR_ZONE), 7);
                }
                nfct_destroy(object);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(both_tuples_are_told),           cmocka_unit_test(other_protocols_and_families),
                cmocka_unit_test(open_is_what_both_ends_hold),    cmocka_unit_test(what_is_no_flow_is_none),
                cmocka_unit_test(a_flow_is_named_as_it_was_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
