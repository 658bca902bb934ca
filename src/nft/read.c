/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our tables as the kernel holds them. A table comes in several dumps, between which anybody may change the ruleset; the
 * kernel marks a dump that was overtaken, and the generation before and after tells about the time between dumps. */
#include <errno.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/base.h>

#include "attr.h"
#include "decode.h"
#include "nft.h"
#include "socket.h"

/* Each attempt can only be spoilt by a transaction of somebody else; on a host that makes so many, waiting is the
 * caller's affair. */
#define ATTEMPTS_MAX 50

struct reading {
        struct nft *nft;
        const char *table;
        struct decoder decoder;
};

/* Keeps to our table. Its name is attribute 1 of every object: NFTA_TABLE_NAME, NFTA_CHAIN_TABLE and so on. */
static int take_object(void *user, const struct nlmsghdr *message)
{
        struct reading *reading = user;
        const struct nlattr *tb[NFTA_TABLE_NAME + 1];
        const char *name;
        int r;

        if (mnl_nlmsg_get_payload_len(message) < sizeof(struct nfgenmsg))
                return -EBADMSG;
        r = attr_index(mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg)),
                       mnl_nlmsg_get_payload_len(message) - sizeof(struct nfgenmsg), tb, ARRAY_SIZE(tb));
        if (r == 0)
                r = attr_text(tb[NFTA_TABLE_NAME], &name);
        if (r < 0)
                return r;
        return strcmp(name, reading->table) == 0 ? decoder_add(&reading->decoder, message) : 0;
}

/* All objects of a kind; only those of our table (and set) where the kernel can be asked so. */
static int dump(struct reading *reading, uint16_t type, uint8_t family, bool by_table, const char *set)
{
        char buf[2048] = {0}; /* libmnl leaves the padding after an attribute as it finds it */
        struct nlmsghdr *request;

        if (strlen(reading->table) >= NFT_NAME_MAXLEN || (set && strlen(set) >= NFT_NAME_MAXLEN))
                return -ENAMETOOLONG;
        request = nft_request(reading->nft, buf, type, NLM_F_DUMP, family);
        if (by_table)
                mnl_attr_put_strz(request, NFTA_SET_TABLE, reading->table);
        if (set)
                mnl_attr_put_strz(request, NFTA_SET_ELEM_LIST_SET, set);
        return nft_ask(reading->nft, request, take_object, reading);
}

static int read_elems(struct reading *reading, uint8_t family, const struct rs_table *table)
{
        int r;

        for (size_t i = 0; i < table->sets_len; i++) {
                if (table->sets[i].foreign)
                        continue;
                reading->decoder.set = i;
                r = dump(reading, NFT_MSG_GETSETELEM, family, true, table->sets[i].name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_family(struct reading *reading, uint8_t family)
{
        struct ruleset *ruleset = reading->decoder.ruleset;
        size_t tables_len = ruleset->tables_len;
        int r;

        r = dump(reading, NFT_MSG_GETTABLE, family, false, NULL);
        if (r < 0 || ruleset->tables_len == tables_len)
                return r;
        r = dump(reading, NFT_MSG_GETCHAIN, family, false, NULL);
        if (r == 0)
                r = dump(reading, NFT_MSG_GETSET, family, true, NULL);
        if (r == 0)
                r = dump(reading, NFT_MSG_GETRULE, family, true, NULL);
        if (r == 0)
                r = read_elems(reading, family, &ruleset->tables[tables_len]);
        return r;
}

/* The kernel keeps its place in the dump of a hash set as a count of elements. When the table is rehashed between two
 * messages, as a large transaction makes it do some time after the commit, the order changes under that count: some
 * elements come twice and others not at all, with no mark and no new generation. A walk of the table never lists less than
 * all there is, so whatever is missing was pushed out by something that came twice. */
static bool lists_an_elem_twice(const struct ruleset *ruleset)
{
        for (size_t i = 0; i < ruleset->tables_len; i++)
                for (size_t j = 0; j < ruleset->tables[i].sets_len; j++) {
                        const struct rs_set *set = &ruleset->tables[i].sets[j];

                        for (size_t k = 1; !set->foreign && k < set->elems_len; k++)
                                if (memcmp(set->elems[k - 1].key, set->elems[k].key, rs_key_size(set->key)) == 0)
                                        return true;
                }
        return false;
}

/* -EAGAIN: the ruleset changed meanwhile, or its tables were rehashed. */
static int read_once(struct nft *nft, const char *table, struct ruleset **ret, uint32_t *ret_genid)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct reading reading = {.nft = nft, .table = table};
        uint32_t before, after;
        int r;

        r = ruleset_new(&ruleset);
        if (r < 0)
                return r;
        reading.decoder.ruleset = ruleset;
        r = nft_genid(nft, &before);
        if (r == 0)
                r = read_family(&reading, NFPROTO_INET);
        if (r == 0)
                r = read_family(&reading, NFPROTO_BRIDGE);
        /* A table or set that went away between two dumps is missing, which is no fault of the reading. */
        if (r == -ENOENT)
                r = -EAGAIN;
        if (r == 0)
                r = nft_genid(nft, &after);
        if (r < 0)
                return r;
        if (before != after)
                return -EAGAIN;
        nft_decode_finish(ruleset);
        ruleset_seal(ruleset);
        if (lists_an_elem_twice(ruleset))
                return -EAGAIN;
        *ret = steal(ruleset);
        *ret_genid = after;
        return 0;
}

int nft_read(struct nft *nft, const char *table, struct ruleset **ret, uint32_t *ret_genid)
{
        uint32_t genid = 0;
        int r = -EAGAIN;

        for (unsigned i = 0; r == -EAGAIN && i < ATTEMPTS_MAX; i++)
                r = read_once(nft, table, ret, &genid);
        if (r == 0 && ret_genid)
                *ret_genid = genid;
        return r;
}
