/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The choice, made for all that the kernel follows. What goes is gathered first: the kernel's list is not changed while it
 * is read. */
#include <errno.h>

#include <vethwall/arena.h>

#include "reconcile.h"
#include "revoke.h"

/* How often a block is tried for a connection whose packets are always faster. */
#define TRIES_MAX 8

struct chosen {
        struct ct_flow flow;
        enum revoke_choice choice;
};

struct gather {
        const struct revoke_view *view;
        struct chosen *items; /* owned */
        size_t len, cap;
};

static void gather_fini(struct gather *gather)
{
        free(gather->items);
}

static int take_flow(void *user, const struct ct_flow *flow)
{
        struct gather *gather = user;
        enum revoke_choice choice;
        int r = revoke_choose(gather->view, flow, &choice);

        if (r < 0 || choice == REVOKE_KEEP)
                return r;
        r = array_reserve(&gather->items, &gather->cap, gather->len + 1, sizeof(*gather->items));
        if (r == 0)
                gather->items[gather->len++] = (struct chosen){*flow, choice};
        return r;
}

static bool is_translated(const struct ct_flow *flow)
{
        const struct ct_tuple *original = &flow->original, *reply = &flow->reply;

        return !addr_equal(&original->src, &reply->dst) || !addr_equal(&original->dst, &reply->src) ||
               original->sport != reply->dport || original->dport != reply->sport;
}

/* Where addresses are translated, the end that speaks next speaks to one that knows nothing of it. */
static int cut(struct conntrack *conntrack, const struct chosen *chosen)
{
        bool block = chosen->choice == REVOKE_DENIED && chosen->flow.protocol == IPPROTO_TCP &&
                     !is_translated(&chosen->flow);
        int r = -EEXIST;

        for (unsigned i = 0; r == -EEXIST && i < TRIES_MAX; i++) {
                r = conntrack_delete(conntrack, &chosen->flow);
                if (block && (r == 0 || r == -ENOENT))
                        r = conntrack_block(conntrack, &chosen->flow);
        }
        return r;
}

static int run(struct gather *gather, struct revoke_result *ret)
{
        _cleanup_(conntrack_closep) struct conntrack *conntrack = NULL;
        int r = conntrack_open(&conntrack);

        if (r == 0)
                r = conntrack_dump(conntrack, take_flow, gather);
        if (r < 0)
                return r;
        for (size_t i = 0; i < gather->len; i++) {
                r = cut(conntrack, &gather->items[i]);
                if (r == 0) {
                        (*(gather->items[i].choice == REVOKE_DENIED ? &ret->denied : &ret->released))++;
                } else if (r != -ENOENT) {
                        ret->error = ret->failed++ > 0 ? ret->error : r;
                }
        }
        return 0;
}

int revoke_run(struct revoke *revoke, const struct realm *realm, struct revoke_result *ret)
{
        _cleanup_(owners_fini) struct owners owners = {0};
        _cleanup_(host_fini) struct host host = {0};
        _cleanup_(tenants_fini) struct tenants tenants = {0};
        _cleanup_free_ struct addr *left = NULL;
        struct revoke_view view = {
                .world = realm->world, .owners = &owners, .host = &host, .host_policy = realm->settings.host_policy};
        _cleanup_(gather_fini) struct gather gather = {.view = &view};
        int r;

        *ret = (struct revoke_result){0};
        r = owners_init(&owners, realm->inventory);
        if (r == 0)
                r = tenants_init(&tenants, &owners, realm->inventory);
        if (r == 0)
                r = tenants_left(&revoke->tenants, &tenants, &left, &view.left_len);
        if (r == 0)
                r = host_read(&host);
        if (r < 0)
                return r;
        view.left = left;
        r = run(&gather, ret);
        if (r < 0)
                return r;

        tenants_fini(&revoke->tenants);
        revoke->tenants = tenants;
        tenants = (struct tenants){0};
        return 0;
}

void revoke_fini(struct revoke *revoke)
{
        tenants_fini(&revoke->tenants);
}
