/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions as netlink attributes and back. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/base.h>

#include "attr.h"
#include "expr.h"

/* More than any rule of ours has, and a bound on what a hostile message makes us keep. */
#define EXPR_LIST_MAX 512

static const char *const names[] = {
        [EXPR_META] = "meta", [EXPR_CT] = "ct",         [EXPR_PAYLOAD] = "payload", [EXPR_BITWISE] = "bitwise",
        [EXPR_CMP] = "cmp",   [EXPR_LOOKUP] = "lookup", [EXPR_COUNTER] = "counter", [EXPR_IMMEDIATE] = "immediate",
};

void expr_list_fini(struct expr_list *list)
{
        free(list->items);
        *list = (struct expr_list)EXPR_LIST_INIT;
}

static bool text_equal(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

static bool expr_equal(const struct expr *a, const struct expr *b)
{
        return a->kind == b->kind && a->kind != EXPR_OTHER && a->reg == b->reg && a->key == b->key &&
               a->base == b->base && a->offset == b->offset && a->len == b->len && a->op == b->op &&
               a->data_len == b->data_len && memcmp(a->data, b->data, a->data_len) == 0 && text_equal(a->set, b->set) &&
               a->negate == b->negate && a->vmap == b->vmap && a->verdict.kind == b->verdict.kind &&
               text_equal(a->verdict.chain, b->verdict.chain);
}

bool expr_list_equal(const struct expr_list *a, const struct expr_list *b)
{
        if (a->len != b->len)
                return false;
        for (size_t i = 0; i < a->len; i++)
                if (!expr_equal(&a->items[i], &b->items[i]))
                        return false;
        return true;
}

static int32_t verdict_code(enum rs_verdict_kind kind)
{
        switch (kind) {
        case RS_ACCEPT:
                return NF_ACCEPT;
        case RS_DROP:
                return NF_DROP;
        case RS_RETURN:
                return NFT_RETURN;
        case RS_JUMP:
                return NFT_JUMP;
        case RS_GOTO:
                return NFT_GOTO;
        case RS_VERDICT_MAX:
                break;
        }
        return NFT_BREAK;
}

void verdict_put(struct nlmsghdr *message, uint16_t type, const struct rs_verdict *verdict)
{
        struct nlattr *data = mnl_attr_nest_start(message, type);
        struct nlattr *nest = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);

        mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htobe32((uint32_t)verdict_code(verdict->kind)));
        if (verdict->kind == RS_JUMP || verdict->kind == RS_GOTO)
                mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, verdict->chain);
        mnl_attr_nest_end(message, nest);
        mnl_attr_nest_end(message, data);
}

int verdict_read(const struct nlattr *attr, struct rs_verdict *ret)
{
        const struct nlattr *data[NFTA_DATA_MAX + 1], *tb[NFTA_VERDICT_MAX + 1];
        struct rs_verdict verdict = {RS_ACCEPT, NULL};
        uint32_t code;
        int r;

        r = attr_index_nested(attr, data, ARRAY_SIZE(data));
        if (r < 0)
                return r;
        if (!data[NFTA_DATA_VERDICT])
                return -ENOTSUP;
        r = attr_index_nested(data[NFTA_DATA_VERDICT], tb, ARRAY_SIZE(tb));
        if (r < 0)
                return r;
        r = attr_u32(tb[NFTA_VERDICT_CODE], &code);
        if (r < 0)
                return r;
        while (verdict.kind < RS_VERDICT_MAX && verdict_code(verdict.kind) != (int32_t)code)
                verdict.kind++;
        if (verdict.kind == RS_VERDICT_MAX)
                return -ENOTSUP;
        if (verdict.kind == RS_JUMP || verdict.kind == RS_GOTO) {
                r = attr_text(tb[NFTA_VERDICT_CHAIN], &verdict.chain);
                if (r < 0)
                        return r;
        }
        *ret = verdict;
        return 0;
}

int counter_read(const struct nlattr *attr, struct rs_counter *ret)
{
        const struct nlattr *tb[NFTA_COUNTER_MAX + 1];
        struct rs_counter count = {0, 0};
        int r;

        r = attr_index_nested(attr, tb, ARRAY_SIZE(tb));
        if (r < 0)
                return r;
        /* As written by us or by nft a counter has no values yet. */
        if (tb[NFTA_COUNTER_PACKETS]) {
                r = attr_u64(tb[NFTA_COUNTER_PACKETS], &count.packets);
                if (r < 0)
                        return r;
        }
        if (tb[NFTA_COUNTER_BYTES]) {
                r = attr_u64(tb[NFTA_COUNTER_BYTES], &count.bytes);
                if (r < 0)
                        return r;
        }
        *ret = count;
        return 0;
}

size_t expr_size_max(const struct expr *expr)
{
        return 256 + (expr->set ? strlen(expr->set) : 0) + (expr->verdict.chain ? strlen(expr->verdict.chain) : 0);
}

static void put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
        mnl_attr_put_u32(message, type, htobe32(value));
}

static void put_data(struct nlmsghdr *message, uint16_t type, const void *data, size_t size)
{
        struct nlattr *nest = mnl_attr_nest_start(message, type);

        mnl_attr_put(message, NFTA_DATA_VALUE, size, data);
        mnl_attr_nest_end(message, nest);
}

static void put_body(struct nlmsghdr *message, const struct expr *expr)
{
        static const uint8_t zeros[EXPR_DATA_MAX];

        switch (expr->kind) {
        case EXPR_META:
                put_u32(message, NFTA_META_KEY, expr->key);
                put_u32(message, NFTA_META_DREG, expr->reg);
                break;
        case EXPR_CT:
                put_u32(message, NFTA_CT_KEY, expr->key);
                put_u32(message, NFTA_CT_DREG, expr->reg);
                break;
        case EXPR_PAYLOAD:
                put_u32(message, NFTA_PAYLOAD_DREG, expr->reg);
                put_u32(message, NFTA_PAYLOAD_BASE, expr->base);
                put_u32(message, NFTA_PAYLOAD_OFFSET, expr->offset);
                put_u32(message, NFTA_PAYLOAD_LEN, expr->len);
                break;
        case EXPR_BITWISE:
                put_u32(message, NFTA_BITWISE_SREG, expr->reg);
                put_u32(message, NFTA_BITWISE_DREG, expr->reg);
                put_u32(message, NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
                put_u32(message, NFTA_BITWISE_LEN, expr->data_len);
                put_data(message, NFTA_BITWISE_MASK, expr->data, expr->data_len);
                put_data(message, NFTA_BITWISE_XOR, zeros, expr->data_len);
                break;
        case EXPR_CMP:
                put_u32(message, NFTA_CMP_SREG, expr->reg);
                put_u32(message, NFTA_CMP_OP, expr->op);
                put_data(message, NFTA_CMP_DATA, expr->data, expr->data_len);
                break;
        case EXPR_LOOKUP:
                mnl_attr_put_strz(message, NFTA_LOOKUP_SET, expr->set);
                put_u32(message, NFTA_LOOKUP_SREG, expr->reg);
                if (expr->vmap)
                        put_u32(message, NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
                if (expr->negate)
                        put_u32(message, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
                break;
        case EXPR_COUNTER:
                mnl_attr_put_u64(message, NFTA_COUNTER_BYTES, 0);
                mnl_attr_put_u64(message, NFTA_COUNTER_PACKETS, 0);
                break;
        case EXPR_IMMEDIATE:
                put_u32(message, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
                verdict_put(message, NFTA_IMMEDIATE_DATA, &expr->verdict);
                break;
        case EXPR_OTHER:
                break;
        }
}

void expr_put(struct nlmsghdr *message, const struct expr *expr)
{
        struct nlattr *elem = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
        struct nlattr *data;

        mnl_attr_put_strz(message, NFTA_EXPR_NAME, names[expr->kind]);
        data = mnl_attr_nest_start(message, NFTA_EXPR_DATA);
        put_body(message, expr);
        mnl_attr_nest_end(message, data);
        mnl_attr_nest_end(message, elem);
}

/* A value nested as struct nft_data; one that is longer than any of ours makes the expression another's. */
static int read_data(const struct nlattr *attr, struct expr *ret)
{
        const struct nlattr *tb[NFTA_DATA_MAX + 1];
        int r;

        if (!attr)
                return -EBADMSG;
        r = attr_index_nested(attr, tb, ARRAY_SIZE(tb));
        if (r < 0)
                return r;
        if (!tb[NFTA_DATA_VALUE] || mnl_attr_get_payload_len(tb[NFTA_DATA_VALUE]) > EXPR_DATA_MAX) {
                ret->kind = EXPR_OTHER;
                return 0;
        }
        ret->data_len = mnl_attr_get_payload_len(tb[NFTA_DATA_VALUE]);
        memcpy(ret->data, mnl_attr_get_payload(tb[NFTA_DATA_VALUE]), ret->data_len);
        return 0;
}

static int read_load(const struct nlattr **tb, uint16_t key, uint16_t dreg, uint16_t sreg, uint16_t extra,
                     struct expr *ret)
{
        int r;

        if (tb[sreg] || (extra && tb[extra])) {
                ret->kind = EXPR_OTHER;
                return 0;
        }
        r = attr_u32(tb[key], &ret->key);
        return r < 0 ? r : attr_u32(tb[dreg], &ret->reg);
}

static int read_payload(const struct nlattr **tb, struct expr *ret)
{
        int r;

        if (tb[NFTA_PAYLOAD_SREG]) {
                ret->kind = EXPR_OTHER;
                return 0;
        }
        r = attr_u32(tb[NFTA_PAYLOAD_DREG], &ret->reg);
        if (r == 0)
                r = attr_u32(tb[NFTA_PAYLOAD_BASE], &ret->base);
        if (r == 0)
                r = attr_u32(tb[NFTA_PAYLOAD_OFFSET], &ret->offset);
        if (r == 0)
                r = attr_u32(tb[NFTA_PAYLOAD_LEN], &ret->len);
        return r;
}

static int read_bitwise(const struct nlattr **tb, struct expr *ret)
{
        uint32_t op = NFT_BITWISE_BOOL, dreg, len;
        struct expr xor = {.kind = EXPR_BITWISE};
        int r;

        r = attr_u32_if(tb[NFTA_BITWISE_OP], &op);
        if (r < 0)
                return r;
        if (op != NFT_BITWISE_BOOL || !tb[NFTA_BITWISE_MASK] || !tb[NFTA_BITWISE_XOR]) {
                ret->kind = EXPR_OTHER;
                return 0;
        }
        r = attr_u32(tb[NFTA_BITWISE_SREG], &ret->reg);
        if (r == 0)
                r = attr_u32(tb[NFTA_BITWISE_DREG], &dreg);
        if (r == 0)
                r = attr_u32(tb[NFTA_BITWISE_LEN], &len);
        if (r == 0)
                r = read_data(tb[NFTA_BITWISE_MASK], ret);
        if (r == 0)
                r = read_data(tb[NFTA_BITWISE_XOR], &xor);
        if (r < 0)
                return r;
        if (dreg != ret->reg || len != ret->data_len || xor.data_len != len)
                ret->kind = EXPR_OTHER;
        for (uint32_t i = 0; i < xor.data_len; i++)
                if (xor.data[i])
                        ret->kind = EXPR_OTHER;
        return 0;
}

static int read_cmp(const struct nlattr **tb, struct expr *ret)
{
        int r;

        r = attr_u32(tb[NFTA_CMP_SREG], &ret->reg);
        if (r == 0)
                r = attr_u32(tb[NFTA_CMP_OP], &ret->op);
        if (r == 0)
                r = read_data(tb[NFTA_CMP_DATA], ret);
        return r;
}

static int read_lookup(const struct nlattr **tb, struct expr *ret)
{
        uint32_t flags = 0, dreg = NFT_REG_VERDICT;
        int r;

        r = attr_text(tb[NFTA_LOOKUP_SET], &ret->set);
        if (r == 0)
                r = attr_u32(tb[NFTA_LOOKUP_SREG], &ret->reg);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_LOOKUP_FLAGS], &flags);
        if (r == 0)
                r = attr_u32_if(tb[NFTA_LOOKUP_DREG], &dreg);
        if (r < 0)
                return r;
        ret->vmap = tb[NFTA_LOOKUP_DREG] != NULL;
        ret->negate = flags & NFT_LOOKUP_F_INV;
        if (dreg != NFT_REG_VERDICT || (flags & ~(uint32_t)NFT_LOOKUP_F_INV))
                ret->kind = EXPR_OTHER;
        return 0;
}

static int read_immediate(const struct nlattr **tb, struct expr *ret)
{
        uint32_t dreg;
        int r;

        r = attr_u32(tb[NFTA_IMMEDIATE_DREG], &dreg);
        if (r < 0)
                return r;
        if (!tb[NFTA_IMMEDIATE_DATA])
                return -EBADMSG;
        if (dreg == NFT_REG_VERDICT) {
                r = verdict_read(tb[NFTA_IMMEDIATE_DATA], &ret->verdict);
                if (r != -ENOTSUP)
                        return r;
        }
        ret->kind = EXPR_OTHER;
        return 0;
}

static int read_body(enum expr_kind kind, const struct nlattr *data, struct expr *ret)
{
        /* The largest of the attribute sets, so that a newer kernel's additions do not fall off the end unseen. */
        const struct nlattr *tb[16];
        int r;

        r = attr_index_nested(data, tb, ARRAY_SIZE(tb));
        if (r < 0)
                return r;
        switch (kind) {
        case EXPR_META:
                return read_load(tb, NFTA_META_KEY, NFTA_META_DREG, NFTA_META_SREG, 0, ret);
        case EXPR_CT:
                return read_load(tb, NFTA_CT_KEY, NFTA_CT_DREG, NFTA_CT_SREG, NFTA_CT_DIRECTION, ret);
        case EXPR_PAYLOAD:
                return read_payload(tb, ret);
        case EXPR_BITWISE:
                return read_bitwise(tb, ret);
        case EXPR_CMP:
                return read_cmp(tb, ret);
        case EXPR_LOOKUP:
                return read_lookup(tb, ret);
        case EXPR_COUNTER:
                return counter_read(data, &ret->count);
        case EXPR_IMMEDIATE:
                return read_immediate(tb, ret);
        case EXPR_OTHER:
                return 0;
        }
        return 0;
}

/* nft before 1.0.9 converts the byte order of a one-byte value in a concatenation of ranges, which does nothing. */
static int read_byteorder(const struct nlattr *data, bool *ret_nothing)
{
        const struct nlattr *tb[NFTA_BYTEORDER_MAX + 1];
        uint32_t sreg, dreg, len, size;
        int r;

        r = attr_index_nested(data, tb, ARRAY_SIZE(tb));
        if (r == 0)
                r = attr_u32(tb[NFTA_BYTEORDER_SREG], &sreg);
        if (r == 0)
                r = attr_u32(tb[NFTA_BYTEORDER_DREG], &dreg);
        if (r == 0)
                r = attr_u32(tb[NFTA_BYTEORDER_LEN], &len);
        if (r == 0)
                r = attr_u32(tb[NFTA_BYTEORDER_SIZE], &size);
        if (r < 0)
                return r;
        *ret_nothing = sreg == dreg && len < size;
        return 0;
}

static int read_one(struct expr_list *list, const struct nlattr *attr)
{
        const struct nlattr *tb[NFTA_EXPR_MAX + 1];
        struct expr expr = {.kind = EXPR_META};
        const char *name;
        bool nothing = false;
        int r;

        r = attr_index_nested(attr, tb, ARRAY_SIZE(tb));
        if (r < 0)
                return r;
        r = attr_text(tb[NFTA_EXPR_NAME], &name);
        if (r < 0)
                return r;
        while (expr.kind < EXPR_OTHER && strcmp(name, names[expr.kind]) != 0)
                expr.kind++;
        if (tb[NFTA_EXPR_DATA]) {
                if (strcmp(name, "byteorder") == 0)
                        r = read_byteorder(tb[NFTA_EXPR_DATA], &nothing);
                else
                        r = read_body(expr.kind, tb[NFTA_EXPR_DATA], &expr);
                if (r < 0)
                        return r;
        } else {
                expr.kind = EXPR_OTHER;
        }
        if (nothing)
                return 0;
        r = array_reserve(&list->items, &list->cap, list->len + 1, sizeof(*list->items));
        if (r < 0)
                return r;
        list->items[list->len++] = expr;
        return 0;
}

int expr_list_read(struct expr_list *list, const struct nlattr *attr)
{
        const struct nlattr *none[1], *elem;
        int r;

        r = attr_index_nested(attr, none, ARRAY_SIZE(none));
        if (r < 0)
                return r;
        attr_for_each(elem, attr)
        {
                if (list->len >= EXPR_LIST_MAX)
                        return -EBADMSG;
                r = read_one(list, elem);
                if (r < 0)
                        return r;
        }
        return 0;
}
