/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vethwall explain found out, and the forms in which it says so. */
#pragma once

#include <vethwall/explain.h>
#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/ruleset.h>
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
        struct ruleset *ruleset;         /* owned; what the agent loads; NULL: there is no agent */
        const char *chains[DIR_MAX];     /* where in it the verdict stands; NULL: in none */
        bool colour;
};

void answer_json(struct strbuf *buf, const struct answer *answer);
void answer_text(struct strbuf *buf, const struct answer *answer);

/* explain_reason.c: the words for what an explanation holds. */
void put_party(struct strbuf *buf, const struct inventory *inventory, const struct explain_party *party,
               bool with_addr);

/* "app=web" for what matchLabels says, "app In (web, api)" for the rest. */
void put_requirement(struct strbuf *buf, const struct label_requirement *requirement);

/* "TCP 80-89", "TCP http" */
void put_port_match(struct strbuf *buf, const struct port_match *match);

/* How a peer entry of the policy's rule answers for the party; how the rule's ports do; and what a rule that cannot be
 * understood in full does instead. */
void put_peer_answer(struct strbuf *buf, const struct answer *answer, const struct policy *policy,
                     const struct explain_peer *peer, const struct explain_party *party);
void put_ports_answer(struct strbuf *buf, const struct answer *answer, const struct explain_rule *rule);
void put_closed_answer(struct strbuf *buf, const struct rule *rule);
