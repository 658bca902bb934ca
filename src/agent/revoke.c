/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The choice, without the kernel. */
#include <errno.h>
#include <string.h>

#include <vethwall/strbuf.h>

#include "revoke.h"

/* tenants */

void tenants_fini(struct tenants *tenants)
{
        for (size_t i = 0; i < tenants->len; i++)
                free(tenants->items[i].name);
        free(tenants->items);
        *tenants = (struct tenants){0};
}

int tenants_init(struct tenants *ret, const struct owners *owners, const struct inventory *inventory)
{
        _cleanup_(tenants_fini) struct tenants tenants = {0};

        tenants.items = calloc(owners->len + 1, sizeof(*tenants.items));
        if (!tenants.items)
                return -ENOMEM;
        for (size_t i = 0; i < owners->len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[owners->items[i].endpoint];
                _cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;

                strbuf_printf(&name, "%s %s %s/%s", endpoint->runtime, endpoint->id, endpoint->ns, endpoint->name);
                if (strbuf_check(&name) < 0)
                        return -ENOMEM;
                tenants.items[i].addr = owners->items[i].addr;
                tenants.items[i].name = strdup(name.text);
                if (!tenants.items[i].name)
                        return -ENOMEM;
                tenants.len++;
        }
        *ret = tenants;
        tenants = (struct tenants){0};
        return 0;
}

int tenants_left(const struct tenants *before, const struct tenants *now, struct addr **ret, size_t *ret_len)
{
        struct addr *left = calloc(before->len + 1, sizeof(*left));
        size_t len = 0;

        if (!left)
                return -ENOMEM;
        for (size_t i = 0, j = 0; i < before->len; i++) {
                const struct tenant *tenant = &before->items[i];

                while (j < now->len && addr_cmp(&now->items[j].addr, &tenant->addr) < 0)
                        j++;
                if (j == now->len || !addr_equal(&now->items[j].addr, &tenant->addr) ||
                    strcmp(now->items[j].name, tenant->name) != 0)
                        left[len++] = tenant->addr;
        }
        *ret = left;
        *ret_len = len;
        return 0;
}

/* flows */

static int by_addr(const void *a, const void *b)
{
        return addr_cmp(a, b);
}

static bool has_left(const struct revoke_view *view, const struct addr *addr)
{
        return bsearch(addr, view->left, view->left_len, sizeof(*addr), by_addr);
}

static bool is_host(const struct revoke_view *view, const struct addr *addr)
{
        for (size_t i = 0; i < view->host->len; i++)
                if (addr_equal(&view->host->addrs[i], addr))
                        return true;
        return false;
}

int revoke_choose(const struct revoke_view *view, const struct ct_flow *flow, enum revoke_choice *ret)
{
        struct explain_query query = {
                .src = owners_party(view->owners, ct_flow_src(flow)),
                .dst = owners_party(view->owners, ct_flow_dst(flow)),
                .protocol = flow->protocol,
                .port = ct_flow_port(flow),
        };
        struct explain_judgement judgement;
        int r;

        *ret = REVOKE_KEEP;
        if (has_left(view, &query.src.addr) || has_left(view, &query.dst.addr)) {
                *ret = REVOKE_RELEASED;
                return 0;
        }
        /* What nobody has answered is asked about with each packet. */
        if (!flow->replied || flow->related ||
            (query.src.endpoint == WORLD_OUTSIDE && query.dst.endpoint == WORLD_OUTSIDE))
                return 0;

        query.own_host = !view->host_policy && (is_host(view, &query.src.addr) || is_host(view, &query.dst.addr));
        r = explain_judge(view->world, &query, &judgement);
        if (r == 0 && judgement.verdict == ACTION_DENY)
                *ret = REVOKE_DENIED;
        return r;
}
