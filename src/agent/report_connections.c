/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections that endpoints hold open, as the kernel follows them. What policy makes of them is for who asks. */
#include <errno.h>
#include <string.h>

#include <conntrack/conntrack.h>
#include <vethwall/owners.h>

#include "report.h"

/* Beyond this many the answer says that it is not whole: it is made in memory, while nothing else is done. */
#define CONNECTIONS_MAX 200000

struct collect {
        struct strbuf *buf;
        struct owners owners;
        size_t len;
        bool truncated;
};

static bool is_endpoint(const struct collect *collect, const struct addr *addr)
{
        return owners_find(&collect->owners, addr) != WORLD_OUTSIDE;
}

static void put_tuple(struct strbuf *buf, const char *key, const struct ct_tuple *tuple)
{
        char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];

        strbuf_printf(buf, ", \"%s\": {\"src\": \"%s\", \"dst\": \"%s\", \"sport\": %u, \"dport\": %u}", key,
                      addr_format(&tuple->src, src), addr_format(&tuple->dst, dst), tuple->sport, tuple->dport);
}

static int take_flow(void *user, const struct ct_flow *flow)
{
        struct collect *collect = user;

        if (!flow->open || (!is_endpoint(collect, ct_flow_src(flow)) && !is_endpoint(collect, ct_flow_dst(flow))))
                return 0;
        if (collect->len == CONNECTIONS_MAX) {
                collect->truncated = true;
                return 0;
        }
        strbuf_printf(collect->buf, "%s\n  {\"protocol\": %u", collect->len++ > 0 ? "," : "", flow->protocol);
        put_tuple(collect->buf, "original", &flow->original);
        put_tuple(collect->buf, "reply", &flow->reply);
        strbuf_putc(collect->buf, '}');
        return 0;
}

static int dump(struct collect *collect)
{
        _cleanup_(conntrack_closep) struct conntrack *conntrack = NULL;
        int r = conntrack_open(&conntrack);

        return r < 0 ? r : conntrack_dump(conntrack, take_flow, collect);
}

int report_connections(struct strbuf *buf, const struct report_view *view)
{
        _cleanup_(strbuf_fini) struct strbuf list = STRBUF_INIT;
        struct collect collect = {.buf = &list};
        int r;

        if (!view->realm)
                return REPORT_E_EARLY;
        r = owners_init(&collect.owners, view->realm->inventory);
        if (r == 0)
                r = dump(&collect);
        owners_fini(&collect.owners);
        if (r == -ENOMEM || strbuf_check(&list) < 0)
                return -ENOMEM;
        if (r < 0) {
                char text[128];

                strbuf_puts(buf, "{\"connections\": null, \"error\": ");
                strbuf_json(buf, strerror_r(-r, text, sizeof(text)));
                strbuf_puts(buf, "}\n");
        } else {
                strbuf_printf(buf, "{\"connections\": [%s], \"truncated\": %s}\n", list.text,
                              collect.truncated ? "true" : "false");
        }
        return strbuf_check(buf);
}
