/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink messages as the ruleset they describe, the inverse of encode.c. It reads what the kernel says, but trusts no
 * length: a message that makes no sense is an error, one that makes sense and is not ours is a foreign object. */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/base.h>

#include "attr.h"
#include "decode.h"
#include "expr.h"
#include "keytype.h"
#include "nft.h"
#include "userdata.h"

/* What the kernel says of every base chain; hardware offload, the other flag, is not ours. */
#define CHAIN_FLAGS_KNOWN NFT_CHAIN_BASE

/* Until nft_decode_finish() the end of a range is an element of its own, told by this verdict. */
#define END_MARK RS_VERDICT_MAX

static bool family_of(uint8_t nfproto, enum rs_family *ret)
{
        if (nfproto == NFPROTO_INET)
                *ret = RS_INET;
        else if (nfproto == NFPROTO_BRIDGE)
                *ret = RS_BRIDGE;
        else
                return false;
        return true;
}

static struct rs_table *find_table(struct ruleset *ruleset, enum rs_family family, const char *name)
{
        for (size_t i = 0; i < ruleset->tables_len; i++)
                if (ruleset->tables[i].family == family && strcmp(ruleset->tables[i].name, name) == 0)
                        return &ruleset->tables[i];
        return NULL;
}

static struct rs_chain *find_chain(struct decoder *decoder, struct rs_table *table, const char *name)
{
        for (size_t i = 0; i < table->chains_len; i++) {
                size_t at = (decoder->chain + i) % table->chains_len;

                if (strcmp(table->chains[at].name, name) == 0) {
                        decoder->chain = at;
                        return &table->chains[at];
                }
        }
        return NULL;
}

static struct rs_set *find_set(struct decoder *decoder, struct rs_table *table, const char *name)
{
        for (size_t i = 0; i < table->sets_len; i++) {
                size_t at = (decoder->set + i) % table->sets_len;

                if (strcmp(table->sets[at].name, name) == 0) {
                        decoder->set = at;
                        return &table->sets[at];
                }
        }
        return NULL;
}

static int table_by_attr(struct decoder *decoder, enum rs_family family, const struct nlattr *attr,
                         struct rs_table **ret)
{
        const char *name;
        int r;

        r = attr_text(attr, &name);
        if (r < 0)
                return r;
        *ret = find_table(decoder->ruleset, family, name);
        return *ret ? 0 : -EBADMSG;
}

static int decode_table(struct decoder *decoder, enum rs_family family, const struct nlattr *const *tb)
{
        struct rs_table *table;
        const char *name;
        uint32_t flags = 0;
        int r;

        r = attr_text(tb[NFTA_TABLE_NAME], &name);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_TABLE_FLAGS], &flags);
        if (r < 0)
                return r;
        if (find_table(decoder->ruleset, family, name))
                return -EBADMSG;
        name = arena_strdup(decoder->ruleset->arena, name);
        if (!name)
                return -ENOMEM;
        table = ruleset_add_table(decoder->ruleset, family, name);
        if (!table)
                return -ENOMEM;
        table->foreign = flags != 0;
        return 0;
}

static int decode_hook(const struct nlattr *const *tb, struct rs_chain *chain)
{
        const struct nlattr *hook[NFTA_HOOK_MAX + 1];
        uint32_t number, priority, policy = NF_ACCEPT;
        const char *type;
        int r;

        r = attr_index_nested(tb[NFTA_CHAIN_HOOK], hook, ARRAY_SIZE(hook));
        if (r == 0)
                r = attr_u32(hook[NFTA_HOOK_HOOKNUM], &number);
        if (r == 0)
                r = attr_u32(hook[NFTA_HOOK_PRIORITY], &priority);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_CHAIN_POLICY], &policy);
        if (r == 0)
                r = attr_text(tb[NFTA_CHAIN_TYPE], &type);
        if (r < 0)
                return r;
        if (number < RS_HOOK_MAX - RS_HOOK_PREROUTING)
                chain->hook = RS_HOOK_PREROUTING + number;
        else
                chain->foreign = true;
        chain->priority = (int32_t)priority;
        if (policy != NF_ACCEPT || strcmp(type, "filter") != 0)
                chain->foreign = true;
        return 0;
}

static int decode_chain(struct decoder *decoder, enum rs_family family, const struct nlattr *const *tb)
{
        struct rs_table *table;
        struct rs_chain *chain;
        const char *name;
        uint32_t flags = 0;
        int r;

        r = table_by_attr(decoder, family, tb[NFTA_CHAIN_TABLE], &table);
        if (r == 0)
                r = attr_text(tb[NFTA_CHAIN_NAME], &name);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_CHAIN_FLAGS], &flags);
        if (r < 0)
                return r;
        /* A chain written inside a rule comes and goes with that rule, which is foreign. */
        if (flags & NFT_CHAIN_BINDING)
                return 0;
        if (find_chain(decoder, table, name))
                return -EBADMSG;
        name = arena_strdup(decoder->ruleset->arena, name);
        if (!name)
                return -ENOMEM;
        chain = rs_table_add_chain(table, name);
        if (!chain)
                return -ENOMEM;
        decoder->chain = table->chains_len - 1;
        chain->foreign = flags & ~(uint32_t)CHAIN_FLAGS_KNOWN;
        return tb[NFTA_CHAIN_HOOK] ? decode_hook(tb, chain) : 0;
}

/* An expression that every element gets: none or a counter are ours. */
static int decode_set_expr(const struct nlattr *const *tb, struct rs_set *set)
{
        const struct nlattr *expr[NFTA_EXPR_MAX + 1];
        const char *name;
        int r;

        if (tb[NFTA_SET_EXPRESSIONS])
                set->foreign = true;
        if (!tb[NFTA_SET_EXPR])
                return 0;
        r = attr_index_nested(tb[NFTA_SET_EXPR], expr, ARRAY_SIZE(expr));
        if (r == 0)
                r = attr_text(expr[NFTA_EXPR_NAME], &name);
        if (r < 0)
                return r;
        set->counter = strcmp(name, "counter") == 0;
        if (!set->counter)
                set->foreign = true;
        return 0;
}

static int decode_set_fields(const struct nlattr *desc, struct rs_set *set)
{
        const struct nlattr *tb[NFTA_SET_DESC_MAX + 1], *none[1], *elem;
        const struct keytype *type = keytype_get(set->key);
        size_t parts_len = 0;
        int r;

        r = attr_index_nested(desc, tb, ARRAY_SIZE(tb));
        if (r < 0)
                return r;
        if (tb[NFTA_SET_DESC_SIZE])
                set->foreign = true;
        if (!tb[NFTA_SET_DESC_CONCAT])
                return 0;
        r = attr_index_nested(tb[NFTA_SET_DESC_CONCAT], none, ARRAY_SIZE(none));
        if (r < 0)
                return r;
        attr_for_each(elem, tb[NFTA_SET_DESC_CONCAT])
        {
                const struct nlattr *field[NFTA_SET_FIELD_MAX + 1];
                uint32_t len;

                r = attr_index_nested(elem, field, ARRAY_SIZE(field));
                if (r == 0)
                        r = attr_u32(field[NFTA_SET_FIELD_LEN], &len);
                if (r < 0)
                        return r;
                if (parts_len >= type->parts_len || len != type->parts[parts_len])
                        set->foreign = true;
                parts_len++;
        }
        if (parts_len != type->parts_len)
                set->foreign = true;
        return 0;
}

struct set_numbers {
        uint32_t flags, type, len, data_type, policy, timeout;
};

/* The set's own form. An unknown key type leaves a foreign set whose elements are not looked at. */
static void check_set(const struct set_numbers *numbers, struct rs_set *set)
{
        uint32_t known = NFT_SET_INTERVAL | NFT_SET_MAP | NFT_SET_CONCAT;
        enum rs_key key = keytype_find(numbers->type);
        bool concat = numbers->flags & NFT_SET_CONCAT;

        set->map = numbers->flags & NFT_SET_MAP;
        set->interval = numbers->flags & NFT_SET_INTERVAL;
        if (key == RS_KEY_MAX || numbers->len != rs_key_size(key)) {
                set->foreign = true;
                return;
        }
        set->key = key;
        if ((numbers->flags & ~known) || concat != (set->interval && keytype_get(key)->parts_len > 1) ||
            (set->map && numbers->data_type != NFT_DATA_VERDICT) || numbers->policy != NFT_SET_POL_PERFORMANCE)
                set->foreign = true;
}

static int decode_set(struct decoder *decoder, enum rs_family family, const struct nlattr *const *tb)
{
        struct set_numbers numbers = {.policy = NFT_SET_POL_PERFORMANCE};
        struct rs_table *table;
        struct rs_set *set;
        const char *name;
        int r;

        r = table_by_attr(decoder, family, tb[NFTA_SET_TABLE], &table);
        if (r == 0)
                r = attr_text(tb[NFTA_SET_NAME], &name);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_SET_FLAGS], &numbers.flags);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_SET_KEY_TYPE], &numbers.type);
        if (r == 0)
                r = attr_u32(tb[NFTA_SET_KEY_LEN], &numbers.len);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_SET_DATA_TYPE], &numbers.data_type);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_SET_POLICY], &numbers.policy);
        if (r < 0)
                return r;
        /* A set written inside a rule comes and goes with that rule, which is foreign. */
        if (numbers.flags & NFT_SET_ANONYMOUS)
                return 0;
        if (find_set(decoder, table, name))
                return -EBADMSG;
        name = arena_strdup(decoder->ruleset->arena, name);
        if (!name)
                return -ENOMEM;
        set = rs_table_add_set(table, name, RS_KEY_ADDR4);
        if (!set)
                return -ENOMEM;
        decoder->set = table->sets_len - 1;
        check_set(&numbers, set);
        if (tb[NFTA_SET_TIMEOUT] || tb[NFTA_SET_GC_INTERVAL] || tb[NFTA_SET_OBJ_TYPE])
                set->foreign = true;
        r = decode_set_expr(tb, set);
        if (r == 0 && tb[NFTA_SET_DESC])
                r = decode_set_fields(tb[NFTA_SET_DESC], set);
        return r;
}

static int decode_key(const struct nlattr *attr, const struct rs_set *set, uint8_t ret[static RS_KEY_SIZE_MAX])
{
        const struct nlattr *data[NFTA_DATA_MAX + 1];
        size_t size = rs_key_size(set->key);
        int r;

        if (!attr)
                return -EBADMSG;
        r = attr_index_nested(attr, data, ARRAY_SIZE(data));
        if (r < 0)
                return r;
        if (!data[NFTA_DATA_VALUE] || mnl_attr_get_payload_len(data[NFTA_DATA_VALUE]) != size)
                return -EBADMSG;
        memcpy(ret, mnl_attr_get_payload(data[NFTA_DATA_VALUE]), size);
        return 0;
}

/* Any other expression would decide whether the element matches. */
static int decode_elem_expr(const struct nlattr *attr, struct rs_set *set, struct rs_elem *elem)
{
        const struct nlattr *tb[NFTA_EXPR_MAX + 1];
        const char *name;
        int r;

        r = attr_index_nested(attr, tb, ARRAY_SIZE(tb));
        if (r == 0)
                r = attr_text(tb[NFTA_EXPR_NAME], &name);
        if (r < 0)
                return r;
        if (strcmp(name, "counter") != 0) {
                set->foreign = true;
                return 0;
        }
        return tb[NFTA_EXPR_DATA] ? counter_read(tb[NFTA_EXPR_DATA], &elem->counter) : 0;
}

static int decode_elem_verdict(struct decoder *decoder, const struct nlattr *attr, struct rs_set *set,
                               struct rs_verdict *ret)
{
        int r;

        if (!attr)
                return -EBADMSG;
        r = verdict_read(attr, ret);
        if (r == -ENOTSUP) {
                set->foreign = true;
                return 0;
        }
        if (r < 0 || !ret->chain)
                return r;
        /* Many elements lead to few chains; keep each name once. */
        for (size_t i = set->elems_len; i-- > 0 && i + 4 >= set->elems_len;) {
                const char *chain = set->elems[i].verdict.chain;

                if (chain && strcmp(chain, ret->chain) == 0) {
                        ret->chain = chain;
                        return 0;
                }
        }
        ret->chain = arena_strdup(decoder->ruleset->arena, ret->chain);
        return ret->chain ? 0 : -ENOMEM;
}

static int decode_elem(struct decoder *decoder, struct rs_set *set, const struct nlattr *attr)
{
        const struct nlattr *tb[NFTA_SET_ELEM_MAX + 1];
        struct rs_elem value = {.origin = RS_ORIGIN_NONE}, *elem;
        uint32_t flags = 0;
        int r;

        r = attr_index_nested(attr, tb, ARRAY_SIZE(tb));
        if (r == 0)
                r = attr_u32_if(tb[NFTA_SET_ELEM_FLAGS], &flags);
        if (r < 0)
                return r;
        if ((flags & ~(uint32_t)NFT_SET_ELEM_INTERVAL_END) || (flags != 0 && !set_has_ends(set)) ||
            tb[NFTA_SET_ELEM_TIMEOUT] || tb[NFTA_SET_ELEM_EXPIRATION] || tb[NFTA_SET_ELEM_OBJREF] ||
            tb[NFTA_SET_ELEM_EXPRESSIONS]) {
                set->foreign = true;
                return 0;
        }
        r = decode_key(tb[NFTA_SET_ELEM_KEY], set, value.key);
        if (r == 0)
                r = decode_key(tb[NFTA_SET_ELEM_KEY_END] ? tb[NFTA_SET_ELEM_KEY_END] : tb[NFTA_SET_ELEM_KEY], set,
                               value.key_end);
        if (flags & NFT_SET_ELEM_INTERVAL_END)
                value.verdict.kind = END_MARK;
        else if (r == 0 && set->map)
                r = decode_elem_verdict(decoder, tb[NFTA_SET_ELEM_DATA], set, &value.verdict);
        if (r == 0 && tb[NFTA_SET_ELEM_EXPR])
                r = decode_elem_expr(tb[NFTA_SET_ELEM_EXPR], set, &value);
        if (r == 0)
                r = userdata_comment(tb[NFTA_SET_ELEM_USERDATA], decoder->ruleset->arena, &value.comment);
        if (r < 0 || set->foreign)
                return r;
        elem = rs_set_add_elem(set);
        if (!elem)
                return -ENOMEM;
        *elem = value;
        return 0;
}

static int decode_elems(struct decoder *decoder, enum rs_family family, const struct nlattr *const *tb)
{
        const struct nlattr *none[1], *elem;
        struct rs_table *table;
        struct rs_set *set;
        const char *name;
        int r;

        r = table_by_attr(decoder, family, tb[NFTA_SET_ELEM_LIST_TABLE], &table);
        if (r == 0)
                r = attr_text(tb[NFTA_SET_ELEM_LIST_SET], &name);
        if (r < 0)
                return r;
        set = find_set(decoder, table, name);
        if (!set || set->foreign || !tb[NFTA_SET_ELEM_LIST_ELEMENTS])
                return 0;
        r = attr_index_nested(tb[NFTA_SET_ELEM_LIST_ELEMENTS], none, ARRAY_SIZE(none));
        if (r < 0)
                return r;
        attr_for_each(elem, tb[NFTA_SET_ELEM_LIST_ELEMENTS])
        {
                r = decode_elem(decoder, set, elem);
                if (r < 0 || set->foreign)
                        return r;
        }
        return 0;
}

static int decode_rule(struct decoder *decoder, enum rs_family family, const struct nlattr *const *tb)
{
        _cleanup_(expr_list_fini) struct expr_list exprs = EXPR_LIST_INIT;
        struct rs_table *table;
        struct rs_chain *chain;
        struct rs_rule *rule;
        const char *name;
        int r;

        r = table_by_attr(decoder, family, tb[NFTA_RULE_TABLE], &table);
        if (r == 0)
                r = attr_text(tb[NFTA_RULE_CHAIN], &name);
        if (r < 0)
                return r;
        chain = find_chain(decoder, table, name);
        if (!chain)
                return 0;
        if (tb[NFTA_RULE_EXPRESSIONS]) {
                r = expr_list_read(&exprs, tb[NFTA_RULE_EXPRESSIONS]);
                if (r < 0)
                        return r;
        }
        rule = rs_chain_add_rule(chain);
        if (!rule)
                return -ENOMEM;
        rule->origin = RS_ORIGIN_NONE;
        if (tb[NFTA_RULE_HANDLE]) {
                r = attr_u64(tb[NFTA_RULE_HANDLE], &rule->handle);
                if (r < 0)
                        return r;
        }
        r = userdata_comment(tb[NFTA_RULE_USERDATA], decoder->ruleset->arena, &rule->comment);
        if (r == 0)
                r = expr_list_to_rule(&exprs, family, decoder->ruleset->arena, rule);
        return r;
}

int decoder_add(struct decoder *decoder, const struct nlmsghdr *message)
{
        const struct nlattr *tb[32];
        const struct nfgenmsg *header;
        enum rs_family family;
        int r;

        if (message->nlmsg_len < sizeof(*message) + sizeof(*header))
                return -EBADMSG;
        header = mnl_nlmsg_get_payload(message);
        if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || !family_of(header->nfgen_family, &family))
                return 0;
        r = attr_index(mnl_nlmsg_get_payload_offset(message, sizeof(*header)),
                       mnl_nlmsg_get_payload_len(message) - sizeof(*header), tb, ARRAY_SIZE(tb));
        if (r < 0)
                return r;
        switch (message->nlmsg_type & 0xff) {
        case NFT_MSG_NEWTABLE:
                return decode_table(decoder, family, tb);
        case NFT_MSG_NEWCHAIN:
                return decode_chain(decoder, family, tb);
        case NFT_MSG_NEWSET:
                return decode_set(decoder, family, tb);
        case NFT_MSG_NEWSETELEM:
                return decode_elems(decoder, family, tb);
        case NFT_MSG_NEWRULE:
                return decode_rule(decoder, family, tb);
        }
        return 0;
}

int nft_decode(struct ruleset *ruleset, const struct nlmsghdr *message)
{
        struct decoder decoder = {.ruleset = ruleset};

        return decoder_add(&decoder, message);
}

/* By key, an end before the start that follows it there. */
static int compare_edges(const void *a, const void *b)
{
        const struct rs_elem *x = a, *y = b;
        int r = memcmp(x->key, y->key, sizeof(x->key));

        if (r != 0)
                return r;
        return (y->verdict.kind == END_MARK) - (x->verdict.kind == END_MARK);
}

/* Joins each start with the end that follows it. The last range may have none and then reaches the highest key; nft
 * also puts an end at key zero before the first range. Anything else, two starts or two ends in a row, is no form that
 * deleting element by element could undo: the set is foreign. */
static void join_ranges(struct rs_set *set)
{
        struct rs_elem *elems = set->elems;
        static const uint8_t lowest[RS_KEY_SIZE_MAX];
        size_t len = 0;

        if (set->elems_len > 0)
                qsort(elems, set->elems_len, sizeof(*elems), compare_edges);
        for (size_t i = 0; i < set->elems_len; i++) {
                bool last = i + 1 == set->elems_len;

                if (elems[i].verdict.kind == END_MARK) {
                        if (i > 0 || memcmp(elems[i].key, lowest, sizeof(lowest)) != 0)
                                set->foreign = true;
                        continue;
                }
                elems[len] = elems[i];
                if (last) {
                        memset(elems[len].key_end, 0xff, rs_key_size(set->key));
                } else if (elems[i + 1].verdict.kind == END_MARK) {
                        key_prev(set->key, elems[++i].key, elems[len].key_end);
                } else {
                        set->foreign = true;
                }
                len++;
        }
        set->elems_len = len;
}

void nft_decode_finish(struct ruleset *ruleset)
{
        for (size_t i = 0; i < ruleset->tables_len; i++)
                for (size_t k = 0; k < ruleset->tables[i].sets_len; k++) {
                        struct rs_set *set = &ruleset->tables[i].sets[k];

                        if (set_has_ends(set))
                                join_ranges(set);
                        if (set->foreign)
                                set->elems_len = 0;
                }
}
