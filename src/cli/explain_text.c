/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An explanation, for people: the verdict, and then tier by tier who was asked and what he said. */
#include <string.h>

#include "cause.h"
#include "explain.h"
#include "output.h"

/* Policies without a priority of their own are behind all that have one. */
#define PRIORITY_MAX 1000

static void put_verdict(struct strbuf *buf, const struct answer *answer, enum action verdict)
{
        put_colour(buf, answer->colour, verdict == ACTION_ALLOW ? COLOUR_GREEN : COLOUR_RED,
                   verdict == ACTION_ALLOW ? "allowed" : "denied");
}

/* "ingress[2] "ssh", pass": the action goes without saying in a NetworkPolicy. */
static void put_rule_title(struct strbuf *buf, const struct policy *policy, const struct rule *rule,
                           enum direction direction)
{
        strbuf_printf(buf, "%s[%u]", direction_name(direction), rule->index);
        if (rule->name) {
                strbuf_puts(buf, " \"");
                strbuf_clean(buf, rule->name);
                strbuf_putc(buf, '"');
        }
        if (policy->tier != TIER_NETWORK_POLICY)
                strbuf_printf(buf, ", %s", action_name(rule->action));
}

/* "from[2]", or "from[2-5]" for several that answer alike. */
static void put_peers(struct strbuf *buf, const char *side, size_t first, size_t last, struct strbuf *text)
{
        if (strbuf_check(text) < 0) {
                buf->failed = true;
                return;
        }

        strbuf_printf(buf, "          %s[%zu", side, first);
        if (last > first)
                strbuf_printf(buf, "-%zu", last);
        strbuf_printf(buf, "]  %s\n", text->text);
}

/* What each peer of a rule answers, where none matches. */
static void put_peer_answers(struct strbuf *buf, const struct answer *answer, const struct policy *policy,
                             const struct explain_rule *rule, const char *side, const struct explain_party *peer)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT, next = STRBUF_INIT;
        size_t first = 0;

        for (size_t i = 0; i < rule->peers_len; i++) {
                strbuf_clear(&next);
                put_peer_answer(&next, answer, policy, &rule->peers[i], peer);
                if (strbuf_check(&next) < 0) {
                        buf->failed = true;
                        return;
                }
                if (i > 0 && strcmp(text.text, next.text) != 0) {
                        put_peers(buf, side, first, i - 1, &text);
                        first = i;
                }
                strbuf_clear(&text);
                strbuf_add(&text, next.text, next.len);
        }
        if (rule->peers_len > 0)
                put_peers(buf, side, first, rule->peers_len - 1, &text);
}

/* What keeps a rule from matching, a line each; and what lets one match that names what cannot be told. */
static void put_reasons(struct strbuf *buf, const struct answer *answer, const struct policy *policy,
                        const struct explain_rule *rule, enum direction direction, const struct explain_party *peer)
{
        const char *side = direction == DIR_EGRESS ? "to" : "from";

        if (rule->rule->fails_closed && rule->matches == rule->peer_matches) {
                strbuf_printf(buf, "          %s  ", side);
                put_closed_answer(buf, rule->rule);
                strbuf_putc(buf, '\n');
        }
        if (!rule->peer_matches)
                put_peer_answers(buf, answer, policy, rule, side, peer);
        if (rule->ports != EXPLAIN_PORT_MATCHES) {
                strbuf_puts(buf, "          ports  ");
                put_ports_answer(buf, answer, rule);
                strbuf_putc(buf, '\n');
        }
}

/* "matches", in the colour of what comes of it. */
static void put_match(struct strbuf *buf, const struct answer *answer, const struct explain_tier *tier,
                      const struct explain_rule *rule)
{
        bool decides = tier->rule == rule->rule;

        switch (rule->rule->action) {
        case ACTION_ALLOW:
                put_colour(buf, answer->colour && decides, COLOUR_GREEN, decides ? "matches" : "matches too");
                break;
        case ACTION_DENY:
                put_colour(buf, answer->colour && decides, COLOUR_RED, "matches");
                break;
        case ACTION_PASS:
                put_colour(buf, answer->colour && decides, COLOUR_YELLOW, "matches");
                strbuf_puts(buf, ": the next tier is asked");
                break;
        case ACTION_MAX:
                break;
        }
}

static void put_rule(struct strbuf *buf, const struct answer *answer, const struct explain_tier *tier,
                     const struct policy *policy, const struct explain_rule *rule, enum direction direction)
{
        const struct explain_query *query = &answer->queries[answer->shown];

        strbuf_puts(buf, "      ");
        put_rule_title(buf, policy, rule->rule, direction);
        strbuf_puts(buf, "  ");
        put_loc(buf, answer->policies, &rule->rule->loc);
        strbuf_puts(buf, "  ");
        if (!rule->asked)
                put_colour(buf, answer->colour, COLOUR_DIM, "not asked");
        else if (rule->matches)
                put_match(buf, answer, tier, rule);
        else
                strbuf_puts(buf, "does not match");
        strbuf_putc(buf, '\n');

        if (rule->asked)
                put_reasons(buf, answer, policy, rule, direction, direction == DIR_EGRESS ? &query->dst : &query->src);
}

static void put_explain_policy(struct strbuf *buf, const struct answer *answer, const struct explain_tier *tier,
                               const struct explain_policy *policy, enum direction direction)
{
        bool asked = policy->rules_len == 0 ? tier->outcome != EXPLAIN_NOT_ASKED : policy->rules[0].asked;

        strbuf_puts(buf, "    ");
        put_policy(buf, policy->policy);
        if (policy->policy->tier != TIER_NETWORK_POLICY && policy->policy->priority <= PRIORITY_MAX)
                strbuf_printf(buf, " (priority %d)", policy->policy->priority);
        strbuf_puts(buf, "  ");
        put_loc(buf, answer->policies, &policy->policy->loc);
        if (!asked) {
                strbuf_puts(buf, "  ");
                put_colour(buf, answer->colour, COLOUR_DIM, "not asked");
        }
        strbuf_putc(buf, '\n');

        if (policy->rules_len == 0)
                strbuf_printf(buf, "      has no %s rules\n", direction_name(direction));
        for (size_t i = 0; asked && i < policy->rules_len; i++)
                put_rule(buf, answer, tier, policy->policy, &policy->rules[i], direction);
}

/* " by guard, ingress[2]" */
static void put_decider(struct strbuf *buf, const struct explain_tier *tier, enum direction direction)
{
        if (!tier->rule) {
                strbuf_puts(buf, ", as no rule allows this");
                return;
        }

        strbuf_puts(buf, " by ");
        put_policy(buf, tier->policy);
        strbuf_printf(buf, ", %s[%u]", direction_name(direction), tier->rule->index);
}

static void put_tier(struct strbuf *buf, const struct answer *answer, enum tier tier, enum direction direction)
{
        const struct explain_side *side = &answer->explanation->sides[direction];
        const struct explain_tier *said = &side->tiers[tier];

        if (said->len == 0)
                return;

        strbuf_puts(buf, "  ");
        put_colour(buf, answer->colour, COLOUR_BOLD, tier_name(tier));
        strbuf_puts(buf, ": ");
        switch (said->outcome) {
        case EXPLAIN_NOT_ASKED:
                put_colour(buf, answer->colour, COLOUR_DIM, "not asked");
                break;
        case EXPLAIN_NO_MATCH:
                strbuf_puts(buf, "no rule matches");
                break;
        case EXPLAIN_PASSED:
                put_colour(buf, answer->colour, COLOUR_YELLOW, "passed on");
                put_decider(buf, said, direction);
                break;
        case EXPLAIN_DECIDED:
                put_verdict(buf, answer, side->cause.action);
                put_decider(buf, said, direction);
                break;
        case EXPLAIN_NO_POLICY:
        case EXPLAIN_OUTCOME_MAX:
                break;
        }
        strbuf_putc(buf, '\n');

        for (size_t i = 0; i < said->len; i++)
                put_explain_policy(buf, answer, said, &side->policies[said->first + i], direction);
}

/* What decided, as the end of a line that begins "Egress of shop/web: allowed". */
static void put_cause(struct strbuf *buf, const struct answer *answer, enum direction direction)
{
        const struct explain_side *side = &answer->explanation->sides[direction];
        const struct cause *cause = &side->cause;

        switch (side->status) {
        case EXPLAIN_OUTSIDE:
                strbuf_puts(buf, ", as no policy judges the outside\n");
                return;
        case EXPLAIN_HOST:
                strbuf_puts(buf, ", as it is on the host's network and no policy selects it\n");
                return;
        case EXPLAIN_SELF:
                strbuf_puts(buf, ", as an endpoint always reaches itself\n");
                return;
        case EXPLAIN_OWN_HOST:
                strbuf_puts(buf, ", as the other end is its own host (hostTraffic: allow)\n");
                return;
        case EXPLAIN_JUDGED:
        case EXPLAIN_STATUS_MAX:
                break;
        }

        if (!cause->policy) {
                strbuf_puts(buf, " by default, as no ");
                strbuf_printf(buf, side->policies_len == 0 ? "policy isolates its %s\n" : "policy decides its %s\n",
                              direction_name(direction));
                return;
        }

        strbuf_printf(buf, " by %s ", tier_name(cause->tier));
        put_policy(buf, cause->policy);
        if (cause->rule) {
                strbuf_printf(buf, ", %s[%u], ", direction_name(direction), cause->rule->index);
                put_loc(buf, answer->policies, &cause->rule->loc);
                strbuf_putc(buf, '\n');
        } else {
                strbuf_printf(buf, ", which isolates its %s; no rule allows this\n", direction_name(direction));
        }
}

static void put_side(struct strbuf *buf, const struct answer *answer, enum direction direction)
{
        const struct explain_query *query = &answer->queries[answer->shown];
        const struct explain_side *side = &answer->explanation->sides[direction];

        strbuf_puts(buf, direction == DIR_EGRESS ? "\nEgress of " : "\nIngress of ");
        put_party(buf, answer->inventory, direction == DIR_EGRESS ? &query->src : &query->dst, false);
        strbuf_puts(buf, ": ");
        put_verdict(buf, answer, side->cause.action);
        put_cause(buf, answer, direction);
        for (enum tier tier = 0; tier < TIER_DEFAULT; tier++)
                put_tier(buf, answer, tier, direction);
        if (side->status == EXPLAIN_JUDGED && side->policies_len > 0 && side->cause.tier == TIER_DEFAULT) {
                strbuf_puts(buf, "  ");
                put_colour(buf, answer->colour, COLOUR_BOLD, tier_name(TIER_DEFAULT));
                strbuf_puts(buf, ": ");
                put_verdict(buf, answer, side->cause.action);
                strbuf_putc(buf, '\n');
        }
        if (answer->chains[direction])
                strbuf_printf(buf, "  In the kernel: chain inet vethwall %s\n", answer->chains[direction]);
}

static bool verdicts_differ(const struct answer *answer)
{
        for (size_t i = 1; i < answer->queries_len; i++)
                if (answer->verdicts[i] != answer->verdicts[0])
                        return true;

        return false;
}

void answer_text(struct strbuf *buf, const struct answer *answer)
{
        const struct explain_query *query = &answer->queries[answer->shown];
        enum action verdict = answer->explanation->verdict;

        put_colour(buf, answer->colour, verdict == ACTION_ALLOW ? COLOUR_GREEN : COLOUR_RED,
                   verdict == ACTION_ALLOW ? "ALLOWED" : "DENIED");
        strbuf_puts(buf, "  ");
        put_party(buf, answer->inventory, &query->src, true);
        strbuf_puts(buf, " -> ");
        put_party(buf, answer->inventory, &query->dst, true);
        strbuf_puts(buf, "  ");
        strbuf_clean(buf, answer->service.text);
        strbuf_putc(buf, '\n');

        if (query->src.has_addr && query->dst.has_addr && query->src.addr.family != query->dst.addr.family)
                strbuf_puts(buf, "They have no address family in common; this is what policy says all the same.\n");

        put_side(buf, answer, DIR_EGRESS);
        put_side(buf, answer, DIR_INGRESS);
        if (!verdicts_differ(answer))
                return;

        strbuf_puts(buf, "\nThe addresses are treated differently; the above is for the first that is allowed:\n");
        for (size_t i = 0; i < answer->queries_len; i++) {
                strbuf_puts(buf, "  ");
                put_party(buf, answer->inventory, &answer->queries[i].src, true);
                strbuf_puts(buf, " -> ");
                put_party(buf, answer->inventory, &answer->queries[i].dst, true);
                strbuf_puts(buf, "  ");
                put_verdict(buf, answer, answer->verdicts[i]);
                strbuf_putc(buf, '\n');
        }
}
