/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations of a plan in the words of nft's own commands, one object each. */
#include <inttypes.h>
#include <stdint.h>

#include <core/ruleset_text.h>

#include "describe.h"

static void describe_start(struct strbuf *buf, const struct plan_op *op, const char *verb, const char *what)
{
        strbuf_printf(buf, "%s %s %s %s", verb, what, rs_family_name(op->family), op->table);
}

static void describe_key(struct strbuf *buf, const struct rs_set *set, const struct rs_elem *elem)
{
        struct rs_set keys = *set;
        struct rs_elem key = *elem;

        keys.map = false;
        key.comment = NULL;
        rs_elem_text(buf, &keys, &key);
}

static void describe_elems(struct strbuf *buf, const struct plan_op *op, size_t elem, size_t first_elem,
                           size_t elems_len)
{
        strbuf_printf(buf, " %s { ", op->set->name);
        if (elem < op->elems_len) {
                describe_key(buf, op->set, op->elems[elem]);
        } else if (elems_len > 0 && first_elem + elems_len <= op->elems_len) {
                describe_key(buf, op->set, op->elems[first_elem]);
                if (elems_len > 1)
                        strbuf_printf(buf, ", one of %zu elements", elems_len);
        }
        strbuf_puts(buf, " }");
}

void describe_op(struct strbuf *buf, const struct plan_op *op, size_t elem, size_t first_elem, size_t elems_len)
{
        switch (op->kind) {
        case PLAN_DEL_TABLE:
                describe_start(buf, op, "delete", "table");
                break;
        case PLAN_ADD_TABLE:
                describe_start(buf, op, "add", "table");
                break;
        case PLAN_ADD_CHAIN:
        case PLAN_DEL_CHAIN:
                describe_start(buf, op, op->kind == PLAN_ADD_CHAIN ? "add" : "delete", "chain");
                strbuf_printf(buf, " %s", op->chain->name);
                break;
        case PLAN_ADD_SET:
        case PLAN_DEL_SET:
                describe_start(buf, op, op->kind == PLAN_ADD_SET ? "add" : "delete", op->set->map ? "map" : "set");
                strbuf_printf(buf, " %s", op->set->name);
                break;
        case PLAN_DEL_ELEMS:
        case PLAN_ADD_ELEMS:
                describe_start(buf, op, op->kind == PLAN_ADD_ELEMS ? "add" : "delete", "element");
                describe_elems(buf, op, elem, first_elem, elems_len);
                break;
        case PLAN_DEL_RULE:
                describe_start(buf, op, "delete", "rule");
                strbuf_printf(buf, " %s handle %" PRIu64, op->chain->name, op->old_rule->handle);
                break;
        case PLAN_ADD_RULE:
                describe_start(buf, op, "add", "rule");
                strbuf_printf(buf, " %s", op->chain->name);
                if (op->rule->comment)
                        strbuf_printf(buf, " comment \"%s\"", op->rule->comment);
                break;
        case PLAN_KIND_MAX:
                break;
        }
}
