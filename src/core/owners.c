/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One sorted array, searched by halves. */
#include <vethwall/owners.h>

#include <errno.h>

static int by_addr(const void *a, const void *b)
{
        const struct owner *x = a, *y = b;

        return addr_cmp(&x->addr, &y->addr);
}

void owners_fini(struct owners *owners)
{
        free(owners->items);
        *owners = (struct owners){0};
}

int owners_init(struct owners *ret, const struct inventory *inventory)
{
        size_t room = 0;

        *ret = (struct owners){0};
        for (size_t i = 0; i < inventory->endpoints_len; i++)
                room += inventory->endpoints[i].addrs_len;
        ret->items = calloc(room + 1, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;

        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i];

                for (size_t j = 0; !endpoint->host_network && j < endpoint->addrs_len; j++)
                        ret->items[ret->len++] = (struct owner){endpoint->addrs[j], i};
        }
        qsort(ret->items, ret->len, sizeof(*ret->items), by_addr);
        return 0;
}

size_t owners_find(const struct owners *owners, const struct addr *addr)
{
        const struct owner key = {.addr = *addr}, *owner;

        owner = bsearch(&key, owners->items, owners->len, sizeof(key), by_addr);
        return owner ? owner->endpoint : WORLD_OUTSIDE;
}

struct explain_party owners_party(const struct owners *owners, const struct addr *addr)
{
        return (struct explain_party){owners_find(owners, addr), *addr, true};
}
