/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vethwall explain found out, and the forms in which it says so. */
#pragma once

#include <vethwall/explain.h>
#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/strbuf.h>
#include <vethwall/world.h>

#include "flow.h"

struct answer {
        const struct policy_set *policies;
        const struct inventory *inventory;
        struct world *world;
        struct service service;
        struct explain_query *queries; /* owned; the address pairs */
        enum action *verdicts;         /* owned; of each */
        size_t queries_len;
        size_t shown;                    /* the pair that explanation is about */
        struct explanation *explanation; /* owned */
        bool colour;
};

void answer_json(struct strbuf *buf, const struct answer *answer);
void answer_text(struct strbuf *buf, const struct answer *answer);
