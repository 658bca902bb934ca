/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as one batch of netlink messages, byte for byte what nft sends for the same text where that matters to the
 * kernel or to nft's listing. Each message is written into space reserved beforehand, so that the writing itself cannot
 * fail. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/base.h>

#include "attr.h"
#include "expr.h"
#include "keytype.h"
#include "nft.h"
#include "userdata.h"

/* Room for any message without its names, expressions and elements. */
#define MESSAGE_MAX 1024

/* An attribute's length is 16 bits wide, and the elements of a message are nested in one. */
#define ELEMS_MAX 65000

struct encoder {
        struct nft_batch *batch;
        uint32_t seq;
        uint32_t set_id;
        struct expr_list exprs; /* kept for its memory */
};

void nft_batch_fini(struct nft_batch *batch)
{
        free(batch->bytes);
        free(batch->spans);
        *batch = (struct nft_batch)NFT_BATCH_INIT;
}

static uint8_t nfproto(enum rs_family family)
{
        return family == RS_INET ? NFPROTO_INET : NFPROTO_BRIDGE;
}

/* Starts a message that will not grow beyond size_max bytes. */
static int begin(struct encoder *encoder, size_t size_max, uint16_t type, uint16_t flags, uint8_t family,
                 uint16_t res_id, struct nlmsghdr **ret)
{
        struct nft_batch *batch = encoder->batch;
        struct nlmsghdr *message;
        struct nfgenmsg *header;
        size_t need = batch->size + size_max;
        int r;

        /* Doubling, because a batch grows to megabytes. */
        if (need > batch->cap) {
                r = array_reserve(&batch->bytes, &batch->cap, need > 2 * batch->cap ? need : 2 * batch->cap, 1);
                if (r < 0)
                        return r;
                /* libmnl leaves the padding after an attribute as it finds it. */
                memset(batch->bytes + batch->size, 0, batch->cap - batch->size);
        }
        message = mnl_nlmsg_put_header(batch->bytes + batch->size);
        message->nlmsg_type = type;
        message->nlmsg_flags = NLM_F_REQUEST | flags;
        message->nlmsg_seq = encoder->seq++;
        header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
        header->nfgen_family = family;
        header->version = NFNETLINK_V0;
        header->res_id = htobe16(res_id);
        *ret = message;
        return 0;
}

static int begin_op(struct encoder *encoder, size_t size_max, uint16_t type, uint16_t flags, const struct plan_op *op,
                    struct nlmsghdr **ret)
{
        return begin(encoder, size_max + MESSAGE_MAX + strlen(op->table), NFNL_SUBSYS_NFTABLES << 8 | type, flags,
                     nfproto(op->family), 0, ret);
}

static void end(struct encoder *encoder, const struct nlmsghdr *message)
{
        encoder->batch->size += message->nlmsg_len;
}

static int end_op(struct encoder *encoder, const struct nlmsghdr *message, uint32_t op, uint32_t first_elem,
                  uint32_t elems_len)
{
        struct nft_batch *batch = encoder->batch;
        int r;

        r = array_reserve(&batch->spans, &batch->spans_cap, batch->spans_len + 1, sizeof(*batch->spans));
        if (r < 0)
                return r;
        batch->spans[batch->spans_len++] = (struct nft_batch_span){
                .seq = message->nlmsg_seq, .op = op, .first_elem = first_elem, .elems_len = elems_len};
        end(encoder, message);
        return 0;
}

static int encode_bound(struct encoder *encoder, uint16_t type, uint32_t genid)
{
        struct nlmsghdr *message;
        int r;

        r = begin(encoder, MESSAGE_MAX, type, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, &message);
        if (r < 0)
                return r;
        if (genid != 0)
                mnl_attr_put_u32(message, NFNL_BATCH_GENID, htobe32(genid));
        end(encoder, message);
        return 0;
}

static void put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
        mnl_attr_put_u32(message, type, htobe32(value));
}

static int encode_table(struct encoder *encoder, const struct plan_op *op, uint32_t index, bool add)
{
        struct nlmsghdr *message;
        int r;

        r = begin_op(encoder, 0, add ? NFT_MSG_NEWTABLE : NFT_MSG_DELTABLE, add ? NLM_F_CREATE | NLM_F_EXCL : 0, op,
                     &message);
        if (r < 0)
                return r;
        mnl_attr_put_strz(message, NFTA_TABLE_NAME, op->table);
        if (add)
                put_u32(message, NFTA_TABLE_FLAGS, 0);
        return end_op(encoder, message, index, 0, 0);
}

static uint32_t hook_number(enum rs_hook hook)
{
        /* NF_INET_* and NF_BR_* number these alike. */
        return (uint32_t)hook - (uint32_t)RS_HOOK_PREROUTING;
}

static int encode_chain(struct encoder *encoder, const struct plan_op *op, uint32_t index, bool add)
{
        struct nlmsghdr *message;
        struct nlattr *nest;
        int r;

        r = begin_op(encoder, strlen(op->chain->name), add ? NFT_MSG_NEWCHAIN : NFT_MSG_DELCHAIN,
                     add ? NLM_F_CREATE | NLM_F_EXCL : 0, op, &message);
        if (r < 0)
                return r;
        mnl_attr_put_strz(message, NFTA_CHAIN_TABLE, op->table);
        mnl_attr_put_strz(message, NFTA_CHAIN_NAME, op->chain->name);
        if (add && op->chain->hook != RS_HOOK_NONE) {
                mnl_attr_put_strz(message, NFTA_CHAIN_TYPE, "filter");
                put_u32(message, NFTA_CHAIN_POLICY, NF_ACCEPT);
                nest = mnl_attr_nest_start(message, NFTA_CHAIN_HOOK);
                put_u32(message, NFTA_HOOK_HOOKNUM, hook_number(op->chain->hook));
                put_u32(message, NFTA_HOOK_PRIORITY, (uint32_t)op->chain->priority);
                mnl_attr_nest_end(message, nest);
        }
        return end_op(encoder, message, index, 0, 0);
}

static void put_set_fields(struct nlmsghdr *message, const struct keytype *type)
{
        struct nlattr *desc = mnl_attr_nest_start(message, NFTA_SET_DESC);
        struct nlattr *concat = mnl_attr_nest_start(message, NFTA_SET_DESC_CONCAT);

        for (size_t i = 0; i < type->parts_len; i++) {
                struct nlattr *field = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

                put_u32(message, NFTA_SET_FIELD_LEN, type->parts[i]);
                mnl_attr_nest_end(message, field);
        }
        mnl_attr_nest_end(message, concat);
        mnl_attr_nest_end(message, desc);
}

static void put_set_counter(struct nlmsghdr *message)
{
        struct nlattr *expr = mnl_attr_nest_start(message, NFTA_SET_EXPR);

        mnl_attr_put_strz(message, NFTA_EXPR_NAME, "counter");
        mnl_attr_nest_end(message, mnl_attr_nest_start(message, NFTA_EXPR_DATA));
        mnl_attr_nest_end(message, expr);
}

static void put_set(struct encoder *encoder, struct nlmsghdr *message, const struct rs_set *set)
{
        const struct keytype *type = keytype_get(set->key);
        bool concat = set->interval && type->parts_len > 1;
        uint8_t userdata[USERDATA_MAX];
        uint32_t flags = 0;

        if (set->interval)
                flags |= NFT_SET_INTERVAL;
        if (set->map)
                flags |= NFT_SET_MAP;
        if (concat)
                flags |= NFT_SET_CONCAT;
        put_u32(message, NFTA_SET_FLAGS, flags);
        put_u32(message, NFTA_SET_KEY_TYPE, type->type);
        put_u32(message, NFTA_SET_KEY_LEN, (uint32_t)rs_key_size(set->key));
        if (set->map) {
                put_u32(message, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
                put_u32(message, NFTA_SET_DATA_LEN, 0);
        }
        put_u32(message, NFTA_SET_ID, ++encoder->set_id);
        if (concat)
                put_set_fields(message, type);
        mnl_attr_put(message, NFTA_SET_USERDATA, userdata_of_set(userdata, set), userdata);
        if (set->counter)
                put_set_counter(message);
}

static int encode_set(struct encoder *encoder, const struct plan_op *op, uint32_t index, bool add)
{
        struct nlmsghdr *message;
        int r;

        r = begin_op(encoder, strlen(op->set->name), add ? NFT_MSG_NEWSET : NFT_MSG_DELSET,
                     add ? NLM_F_CREATE | NLM_F_EXCL : 0, op, &message);
        if (r < 0)
                return r;
        mnl_attr_put_strz(message, NFTA_SET_TABLE, op->table);
        mnl_attr_put_strz(message, NFTA_SET_NAME, op->set->name);
        if (add)
                put_set(encoder, message, op->set);
        return end_op(encoder, message, index, 0, 0);
}

static void put_key(struct nlmsghdr *message, uint16_t type, const uint8_t *key, size_t size)
{
        struct nlattr *nest = mnl_attr_nest_start(message, type);

        mnl_attr_put(message, NFTA_DATA_VALUE, size, key);
        mnl_attr_nest_end(message, nest);
}

static size_t elem_size_max(const struct rs_elem *elem)
{
        /* Keys, flags, verdict, user data, twice their headers, and the end of a range. */
        return 512 + (elem->verdict.chain ? strlen(elem->verdict.chain) : 0);
}

static void put_elem(struct nlmsghdr *message, const struct rs_set *set, const struct rs_elem *elem, bool add)
{
        size_t size = rs_key_size(set->key);
        uint8_t userdata[USERDATA_MAX], end_key[RS_KEY_SIZE_MAX];
        bool ends = set_has_ends(set);
        bool open = ends && !key_next(set->key, elem->key_end, end_key);
        size_t userdata_size = add ? userdata_of_elem(userdata, elem, open) : 0;
        struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

        put_key(message, NFTA_SET_ELEM_KEY, elem->key, size);
        if (set->interval && !ends)
                put_key(message, NFTA_SET_ELEM_KEY_END, elem->key_end, size);
        if (set->map && add)
                verdict_put(message, NFTA_SET_ELEM_DATA, &elem->verdict);
        if (userdata_size > 0)
                mnl_attr_put(message, NFTA_SET_ELEM_USERDATA, userdata_size, userdata);
        mnl_attr_nest_end(message, nest);

        if (!ends || open)
                return;
        nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
        put_u32(message, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        put_key(message, NFTA_SET_ELEM_KEY, end_key, size);
        mnl_attr_nest_end(message, nest);
}

/* As many of the operation's elements from *pos on as one message takes. */
static int encode_some_elems(struct encoder *encoder, const struct plan_op *op, uint32_t index, bool add, size_t *pos)
{
        struct nlmsghdr *message;
        struct nlattr *nest;
        size_t first = *pos;
        int r;

        r = begin_op(encoder, ELEMS_MAX + elem_size_max(op->elems[first]) + strlen(op->set->name),
                     add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, add ? NLM_F_CREATE | NLM_F_EXCL : 0, op, &message);
        if (r < 0)
                return r;
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, op->table);
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, op->set->name);
        nest = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
        do {
                put_elem(message, op->set, op->elems[*pos], add);
                (*pos)++;
        } while (*pos < op->elems_len && (size_t)((uint8_t *)mnl_nlmsg_get_payload_tail(message) - (uint8_t *)nest) +
                                                         elem_size_max(op->elems[*pos]) <=
                                                 ELEMS_MAX);
        mnl_attr_nest_end(message, nest);
        return end_op(encoder, message, index, (uint32_t)first, (uint32_t)(*pos - first));
}

static int encode_elems(struct encoder *encoder, const struct plan_op *op, uint32_t index, bool add)
{
        size_t pos = 0;
        int r;

        while (pos < op->elems_len) {
                r = encode_some_elems(encoder, op, index, add, &pos);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int encode_del_rule(struct encoder *encoder, const struct plan_op *op, uint32_t index)
{
        struct nlmsghdr *message;
        int r;

        r = begin_op(encoder, strlen(op->chain->name), NFT_MSG_DELRULE, 0, op, &message);
        if (r < 0)
                return r;
        mnl_attr_put_strz(message, NFTA_RULE_TABLE, op->table);
        mnl_attr_put_strz(message, NFTA_RULE_CHAIN, op->chain->name);
        mnl_attr_put_u64(message, NFTA_RULE_HANDLE, htobe64(op->old_rule->handle));
        return end_op(encoder, message, index, 0, 0);
}

/* The kernel adds a rule at the chain's end or, where a position is given, behind that rule if NLM_F_APPEND is set;
 * without it, at the chain's start (nf_tables_newrule()). */
static int encode_add_rule(struct encoder *encoder, const struct plan_op *op, uint32_t index)
{
        bool at_start = op->at_start && !op->old_rule;
        uint8_t userdata[USERDATA_MAX];
        size_t size_max = strlen(op->chain->name), userdata_size;
        struct nlmsghdr *message;
        struct nlattr *nest;
        int r;

        encoder->exprs.len = 0;
        r = expr_list_from_rule(&encoder->exprs, op->in, op->rule);
        if (r < 0)
                return r;
        for (size_t i = 0; i < encoder->exprs.len; i++)
                size_max += expr_size_max(&encoder->exprs.items[i]);

        r = begin_op(encoder, size_max, NFT_MSG_NEWRULE, NLM_F_CREATE | (at_start ? 0 : NLM_F_APPEND), op, &message);
        if (r < 0)
                return r;
        mnl_attr_put_strz(message, NFTA_RULE_TABLE, op->table);
        mnl_attr_put_strz(message, NFTA_RULE_CHAIN, op->chain->name);
        if (op->old_rule)
                mnl_attr_put_u64(message, NFTA_RULE_POSITION, htobe64(op->old_rule->handle));
        nest = mnl_attr_nest_start(message, NFTA_RULE_EXPRESSIONS);
        for (size_t i = 0; i < encoder->exprs.len; i++)
                expr_put(message, &encoder->exprs.items[i]);
        mnl_attr_nest_end(message, nest);
        userdata_size = userdata_of_rule(userdata, op->rule);
        if (userdata_size > 0)
                mnl_attr_put(message, NFTA_RULE_USERDATA, userdata_size, userdata);
        return end_op(encoder, message, index, 0, 0);
}

static int encode_op(struct encoder *encoder, const struct plan_op *op, uint32_t index)
{
        switch (op->kind) {
        case PLAN_DEL_TABLE:
        case PLAN_ADD_TABLE:
                return encode_table(encoder, op, index, op->kind == PLAN_ADD_TABLE);
        case PLAN_ADD_CHAIN:
        case PLAN_DEL_CHAIN:
                return encode_chain(encoder, op, index, op->kind == PLAN_ADD_CHAIN);
        case PLAN_ADD_SET:
        case PLAN_DEL_SET:
                return encode_set(encoder, op, index, op->kind == PLAN_ADD_SET);
        case PLAN_ADD_ELEMS:
        case PLAN_DEL_ELEMS:
                return encode_elems(encoder, op, index, op->kind == PLAN_ADD_ELEMS);
        case PLAN_DEL_RULE:
                return encode_del_rule(encoder, op, index);
        case PLAN_ADD_RULE:
                return encode_add_rule(encoder, op, index);
        case PLAN_KIND_MAX:
                break;
        }
        return -EINVAL;
}

static int encode(struct encoder *encoder, const struct plan *plan, uint32_t genid)
{
        int r;

        r = encode_bound(encoder, NFNL_MSG_BATCH_BEGIN, genid);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan->len; i++) {
                r = encode_op(encoder, &plan->ops[i], (uint32_t)i);
                if (r < 0)
                        return r;
        }
        return encode_bound(encoder, NFNL_MSG_BATCH_END, 0);
}

int nft_encode(struct nft_batch *ret, const struct plan *plan, uint32_t seq, uint32_t genid)
{
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        struct encoder encoder = {.batch = &batch, .seq = seq, .exprs = EXPR_LIST_INIT};
        int r;

        r = encode(&encoder, plan, genid);
        expr_list_fini(&encoder.exprs);
        if (r < 0)
                return r;
        *ret = batch;
        batch = (struct nft_batch)NFT_BATCH_INIT;
        return 0;
}
