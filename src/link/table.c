/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of links. An array in order of ifindex: the kernel counts them upwards, so that a new link nearly always
 * goes to the end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/base.h>

#include <link/table.h>

void link_table_fini(struct link_table *table)
{
        free(table->links);
        *table = (struct link_table){};
}

/* The first link whose ifindex is not below the given one; len if there is none. */
static size_t lower_bound(const struct link_table *table, uint32_t ifindex)
{
        size_t low = 0, high = table->len;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (table->links[middle].ifindex < ifindex)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

struct link *link_table_find(const struct link_table *table, uint32_t ifindex)
{
        size_t at = lower_bound(table, ifindex);

        return at < table->len && table->links[at].ifindex == ifindex ? &table->links[at] : NULL;
}

struct link *link_table_find_name(const struct link_table *table, const char *name)
{
        for (size_t i = 0; i < table->len; i++)
                if (strcmp(table->links[i].name, name) == 0)
                        return &table->links[i];
        return NULL;
}

static int reserve(struct link_table *table)
{
        size_t alloc = table->alloc ? table->alloc * 2 : 64;
        struct link *links;

        if (table->len < table->alloc)
                return 0;
        links = reallocarray(table->links, alloc, sizeof(*links));
        if (!links)
                return -ENOMEM;
        table->links = links;
        table->alloc = alloc;
        return 0;
}

static void ask(struct link_asks *asks, uint32_t ifindex)
{
        if (asks->len < ARRAY_SIZE(asks->ifindex))
                asks->ifindex[asks->len++] = ifindex;
}

static bool is_paired_with(const struct link *link, int32_t netnsid, uint32_t peer)
{
        return link->netnsid == netnsid && link->peer == peer;
}

static bool link_equal(const struct link *a, const struct link *b)
{
        return strcmp(a->name, b->name) == 0 && strcmp(a->kind, b->kind) == 0 && a->master == b->master &&
               is_paired_with(a, b->netnsid, b->peer) && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 && a->up == b->up;
}

static void change(struct link *link, const struct link *to, link_cb cb, void *user)
{
        uint64_t generation = link->generation;

        if (link_equal(link, to))
                return;
        *link = *to;
        link->generation = generation;
        cb(user, &(struct link_change){.kind = LINK_CHANGED, .link = link, .netnsid = link->netnsid});
}

static int add(struct link_table *table, const struct link *new, link_cb cb, void *user)
{
        size_t at = lower_bound(table, new->ifindex);
        struct link *link;
        int r;

        r = reserve(table);
        if (r < 0)
                return r;
        link = &table->links[at];
        memmove(link + 1, link, (table->len - at) * sizeof(*link));
        *link = *new;
        link->generation = ++table->generation;
        table->len++;
        cb(user, &(struct link_change){.kind = LINK_ADDED, .link = link, .netnsid = link->netnsid});
        return 0;
}

static int notify_link(struct link_table *table, const struct link_message *message, link_cb cb, void *user,
                       struct link_asks *asks)
{
        struct link *link = link_table_find(table, message->link.ifindex);
        struct link to = message->link;

        if (!link)
                return add(table, &to, cb, user);
        if (message->paired && !is_paired_with(link, to.netnsid, to.peer))
                ask(asks, link->ifindex);
        to.netnsid = link->netnsid;
        to.peer = link->peer;
        change(link, &to, cb, user);
        return 0;
}

static void notify_gone(struct link_table *table, const struct link_message *message, link_cb cb, void *user)
{
        struct link *link = link_table_find(table, message->link.ifindex);
        struct link last;

        if (!link)
                return;
        last = *link;
        table->len--;
        memmove(link, link + 1, (table->len - (size_t)(link - table->links)) * sizeof(*link));
        cb(user, &(struct link_change){.kind = LINK_REMOVED, .link = &last, .netnsid = last.netnsid});
}

/* A message about a link also says who its peer is; if that is one of ours, its pairing may just have changed. */
static void ask_for_partner(const struct link_table *table, const struct link_message *message, int32_t origin,
                            struct link_asks *asks)
{
        const struct link *partner;

        /* Of a link here the peer is here if it is in the same namespace, of one elsewhere if it is not. */
        if (!message->paired || message->has_netnsid != (origin >= 0))
                return;
        partner = link_table_find(table, message->link.peer);
        if (!partner || strcmp(partner->kind, message->link.kind) != 0)
                return;
        if (message->moved ||
            (message->kind == LINK_MESSAGE_LINK && !is_paired_with(partner, origin, message->link.ifindex)))
                ask(asks, partner->ifindex);
}

/* The id may be given to another namespace before the links of the dead one are gone. */
static void forget_netns(struct link_table *table, int32_t netnsid, link_cb cb, void *user)
{
        for (size_t i = 0; i < table->len; i++) {
                struct link to = table->links[i];

                if (to.netnsid != netnsid)
                        continue;
                to.netnsid = -1;
                to.peer = 0;
                change(&table->links[i], &to, cb, user);
        }
}

int link_table_notify(struct link_table *table, const struct link_message *message, int32_t origin, link_cb cb,
                      void *user, struct link_asks *ret_asks)
{
        struct link_change netns = {.kind = LINK_NETNS, .netnsid = origin};
        int r = 0;

        *ret_asks = (struct link_asks){};
        switch (message->kind) {
        case LINK_MESSAGE_OTHER:
                break;
        case LINK_MESSAGE_LINK:
                if (origin < 0)
                        r = notify_link(table, message, cb, user, ret_asks);
                ask_for_partner(table, message, origin, ret_asks);
                break;
        case LINK_MESSAGE_LINK_GONE:
                if (origin < 0)
                        notify_gone(table, message, cb, user);
                ask_for_partner(table, message, origin, ret_asks);
                break;
        case LINK_MESSAGE_ADDR:
        case LINK_MESSAGE_ADDR_GONE:
                if (origin >= 0 && message->addr_is_usable)
                        cb(user, &netns);
                break;
        case LINK_MESSAGE_NSID:
        case LINK_MESSAGE_NSID_GONE:
                /* What ids another namespace gives is its own affair. */
                if (origin >= 0 || message->nsid < 0)
                        break;
                if (message->kind == LINK_MESSAGE_NSID_GONE)
                        forget_netns(table, message->nsid, cb, user);
                netns.netnsid = message->nsid;
                cb(user, &netns);
                break;
        }
        return r;
}

void link_table_answer(struct link_table *table, const struct link_message *message, link_cb cb, void *user)
{
        struct link *link = link_table_find(table, message->link.ifindex);
        struct link_change left = {.kind = LINK_NETNS};
        struct link to = message->link;

        if (!link || message->kind != LINK_MESSAGE_LINK)
                return;
        if (!message->paired) {
                to.netnsid = link->netnsid;
                to.peer = link->peer;
        }
        left.netnsid = link->netnsid;
        change(link, &to, cb, user);
        if (left.netnsid >= 0 && left.netnsid != to.netnsid)
                cb(user, &left);
}

int link_table_gather(struct link_table *dump, const struct link_message *message)
{
        int r;

        if (message->kind != LINK_MESSAGE_LINK)
                return 0;
        r = reserve(dump);
        if (r < 0)
                return r;
        dump->links[dump->len] = message->link;
        dump->links[dump->len].generation = dump->len;
        dump->len++;
        return 0;
}

/* By ifindex; what was gathered later comes first. */
static int gathered_cmp(const void *a, const void *b)
{
        const struct link *la = a, *lb = b;

        if (la->ifindex != lb->ifindex)
                return la->ifindex < lb->ifindex ? -1 : 1;
        return la->generation > lb->generation ? -1 : 1;
}

/* An ifindex comes back only if somebody asks for it by number, but then nothing else tells the new link from the old
 * one, since the messages between were lost. So whatever marks a link's identity must be the same. */
static bool is_same_link(const struct link *old, const struct link *new)
{
        return strcmp(old->name, new->name) == 0 && strcmp(old->kind, new->kind) == 0 &&
               is_paired_with(old, new->netnsid, new->peer) && memcmp(old->mac, new->mac, sizeof(old->mac)) == 0;
}

void link_table_replace(struct link_table *table, struct link_table *dump)
{
        size_t len = 0;

        if (dump->len > 0)
                qsort(dump->links, dump->len, sizeof(*dump->links), gathered_cmp);
        dump->generation = table->generation;
        for (size_t i = 0; i < dump->len; i++) {
                struct link *link = &dump->links[len];
                const struct link *old;

                if (len > 0 && dump->links[len - 1].ifindex == dump->links[i].ifindex)
                        continue;
                *link = dump->links[i];
                old = link_table_find(table, link->ifindex);
                link->generation = old && is_same_link(old, link) ? old->generation : ++dump->generation;
                len++;
        }
        dump->len = len;
        link_table_fini(table);
        *table = *dump;
        *dump = (struct link_table){};
}
