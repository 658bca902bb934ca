/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The explanation of a verdict. The verdict and its cause are the world's own, the same that compile and matrix go by;
 * what each rule says is read from the policy again, one entry at a time, because classes no longer know it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/explain.h>
#include <vethwall/matrix.h>

/* One side's question: what do the policies of subject say to peer? */
struct question {
        struct world *world;
        enum direction direction;
        const struct explain_party *subject;
        const struct explain_party *peer;
        const struct explain_party *dst; /* one of the two: it resolves port names */
        uint8_t protocol;
        uint16_t port;
        bool own_host;
};

static const struct endpoint *party_endpoint(struct world *world, const struct explain_party *party)
{
        return party->endpoint == WORLD_OUTSIDE ? NULL : &world_inventory(world)->endpoints[party->endpoint];
}

static void ask_block(const struct question *question, struct explain_peer *ret)
{
        const struct peer *peer = ret->peer;
        const struct addr *addr = &question->peer->addr;

        if (!question->peer->has_addr) {
                ret->answer = EXPLAIN_PEER_NO_ADDRESS;
                return;
        }
        if (!prefix_contains(&peer->cidr, addr)) {
                ret->answer = EXPLAIN_PEER_BLOCK;
                return;
        }

        ret->answer = EXPLAIN_PEER_MATCHES;
        for (size_t i = 0; i < peer->excepts_len && !ret->except; i++) {
                if (prefix_contains(&peer->excepts[i], addr)) {
                        ret->answer = EXPLAIN_PEER_EXCEPT;
                        ret->except = &peer->excepts[i];
                }
        }
}

static void ask_selector(const struct question *question, const struct policy *policy, struct explain_peer *ret)
{
        const struct endpoint *endpoint = party_endpoint(question->world, question->peer);
        const struct peer *peer = ret->peer;

        if (!endpoint) {
                ret->answer = EXPLAIN_PEER_OUTSIDE;
                return;
        }
        if (endpoint->host_network) {
                ret->answer = EXPLAIN_PEER_HOST;
                return;
        }

        if (peer->ns_selector) {
                ret->failed =
                        selector_failure(peer->ns_selector, world_namespace_labels(question->world, endpoint->ns));
                if (ret->failed) {
                        ret->answer = EXPLAIN_PEER_NS_LABELS;
                        return;
                }
        } else if (policy->ns && strcmp(policy->ns, endpoint->ns) != 0) {
                ret->answer = EXPLAIN_PEER_NAMESPACE;
                return;
        }

        if (peer->pod_selector)
                ret->failed = selector_failure(peer->pod_selector, &endpoint->labels);
        ret->answer = ret->failed ? EXPLAIN_PEER_LABELS : EXPLAIN_PEER_MATCHES;
}

/* True if the destination gives a port of this name and protocol the number asked for. The host names no ports: it is
 * met by address alone. */
static bool name_resolves(const struct question *question, const struct port_match *match)
{
        const struct endpoint *endpoint = party_endpoint(question->world, question->dst);

        if (!endpoint || endpoint->host_network)
                return false;

        for (size_t i = 0; i < endpoint->ports_len; i++) {
                const struct named_port *port = &endpoint->ports[i];

                if (strcmp(port->name, match->name) == 0 && port->protocol == match->protocol &&
                    port->port == question->port)
                        return true;
        }

        return false;
}

static bool port_matches(const struct question *question, const struct port_match *match)
{
        if (match->protocol != question->protocol)
                return false;

        switch (match->kind) {
        case PORT_RANGE:
                return question->port >= match->range.first && question->port <= match->range.last;
        case PORT_NAME:
                return name_resolves(question, match);
        }

        return false;
}

static enum explain_port_answer ask_ports(const struct question *question, const struct rule *rule)
{
        if (rule->any_port)
                return EXPLAIN_PORT_MATCHES;
        if (conns_proto_of(question->protocol) == CONNS_PROTO_MAX)
                return EXPLAIN_PORT_NONE;

        for (size_t i = 0; i < rule->ports_len; i++)
                if (port_matches(question, &rule->ports[i]))
                        return EXPLAIN_PORT_MATCHES;

        return EXPLAIN_PORT_DIFFERS;
}

static int ask_rule(const struct question *question, const struct policy *policy, const struct rule *rule,
                    struct arena *arena, struct explain_rule *ret)
{
        struct explain_peer *peers;

        peers = arena_array(arena, rule->peers_len, sizeof(*peers));
        if (!peers)
                return -ENOMEM;

        *ret = (struct explain_rule){
                .rule = rule,
                .peer_matches = rule->any_peer,
                .ports = ask_ports(question, rule),
                .peers = peers,
                .peers_len = rule->peers_len,
        };
        for (size_t i = 0; i < rule->peers_len; i++) {
                peers[i].peer = &rule->peers[i];
                switch (rule->peers[i].kind) {
                case PEER_SELECTOR:
                        ask_selector(question, policy, &peers[i]);
                        break;
                case PEER_BLOCK:
                        ask_block(question, &peers[i]);
                        break;
                }
                ret->peer_matches |= peers[i].answer == EXPLAIN_PEER_MATCHES;
        }

        ret->matches = ret->peer_matches && ret->ports == EXPLAIN_PORT_MATCHES;
        return 0;
}

/* Takes a rule's answer for what it is worth after those before it. NetworkPolicies add up, so each of theirs is asked;
 * in the other tiers the first rule that matches ends it. */
static void hear(struct explain_tier *tier, const struct policy *policy, struct explain_rule *rule)
{
        bool settled = tier->outcome == EXPLAIN_PASSED || tier->outcome == EXPLAIN_DECIDED;

        rule->asked = tier->outcome != EXPLAIN_NOT_ASKED && (!settled || policy->tier == TIER_NETWORK_POLICY);
        if (!rule->asked || !rule->matches || settled)
                return;

        tier->outcome = rule->rule->action == ACTION_PASS ? EXPLAIN_PASSED : EXPLAIN_DECIDED;
        tier->policy = policy;
        tier->rule = rule->rule;
}

static int ask_policy(const struct question *question, const struct policy *policy, struct arena *arena,
                      struct explain_tier *tier, struct explain_policy *ret)
{
        struct explain_rule *rules;
        size_t len = policy->rules_len[question->direction];
        int r;

        rules = arena_array(arena, len, sizeof(*rules));
        if (!rules)
                return -ENOMEM;

        for (size_t i = 0; i < len; i++) {
                r = ask_rule(question, policy, &policy->rules[question->direction][i], arena, &rules[i]);
                if (r < 0)
                        return r;

                hear(tier, policy, &rules[i]);
        }

        *ret = (struct explain_policy){policy, rules, len};
        return 0;
}

/* Asks the policies from *next on that are of one tier, and moves *next behind them. */
static int ask_tier(const struct question *question, const struct policy *const *policies, size_t len, enum tier tier,
                    struct arena *arena, struct explain_policy *answers, size_t *next, struct explain_tier *ret)
{
        int r;

        ret->first = *next;
        for (; *next < len && policies[*next]->tier == tier; ++*next) {
                if (ret->outcome == EXPLAIN_NO_POLICY)
                        ret->outcome = EXPLAIN_NO_MATCH;
                r = ask_policy(question, policies[*next], arena, ret, &answers[*next]);
                if (r < 0)
                        return r;
        }
        ret->len = *next - ret->first;

        /* That it selects the endpoint is enough: what no rule allows is denied. */
        if (tier == TIER_NETWORK_POLICY && ret->outcome == EXPLAIN_NO_MATCH) {
                ret->outcome = EXPLAIN_DECIDED;
                ret->policy = policies[ret->first];
        }
        return 0;
}

static int ask_tiers(const struct question *question, uint32_t class, struct arena *arena, struct explain_side *ret)
{
        const struct policy *const *policies;
        struct explain_policy *answers;
        size_t len, next = 0;
        bool decided = false;
        int r;

        len = world_class_policies(question->world, question->direction, class, &policies);
        answers = arena_array(arena, len, sizeof(*answers));
        if (!answers)
                return -ENOMEM;

        for (enum tier tier = 0; tier < TIER_DEFAULT; tier++) {
                ret->tiers[tier].outcome = decided ? EXPLAIN_NOT_ASKED : EXPLAIN_NO_POLICY;
                r = ask_tier(question, policies, len, tier, arena, answers, &next, &ret->tiers[tier]);
                if (r < 0)
                        return r;

                decided |= ret->tiers[tier].outcome == EXPLAIN_DECIDED;
        }
        ret->tiers[TIER_DEFAULT].outcome = decided ? EXPLAIN_NOT_ASKED : EXPLAIN_DECIDED;

        ret->policies = answers;
        ret->policies_len = len;
        return 0;
}

/* *ret_class is set where the side is judged. */
static int judge_side(const struct question *question, enum explain_status *ret_status, struct cause *ret_cause,
                      uint32_t *ret_class)
{
        const struct explain_party *subject = question->subject, *peer = question->peer;
        const struct profile *profile;
        uint32_t class;
        int r;

        *ret_cause = (struct cause){ACTION_ALLOW, TIER_DEFAULT, NULL, NULL};
        if (subject->endpoint == WORLD_OUTSIDE || subject->endpoint == peer->endpoint) {
                *ret_status = subject->endpoint == WORLD_OUTSIDE ? EXPLAIN_OUTSIDE : EXPLAIN_SELF;
                return 0;
        }

        class = world_class(question->world, question->direction, subject->endpoint);
        if (class == UINT32_MAX || question->own_host) {
                *ret_status = class == UINT32_MAX ? EXPLAIN_HOST : EXPLAIN_OWN_HOST;
                return 0;
        }

        r = world_profile(question->world, question->direction, class, peer->endpoint,
                          peer->has_addr ? &peer->addr : NULL, &profile);
        if (r < 0)
                return r;

        *ret_status = EXPLAIN_JUDGED;
        *ret_cause = *profile_at(profile, question->protocol, question->port);
        *ret_class = class;
        return 0;
}

static int explain_side(const struct question *question, struct arena *arena, struct explain_side *ret)
{
        uint32_t class = UINT32_MAX;
        int r;

        *ret = (struct explain_side){0};
        r = judge_side(question, &ret->status, &ret->cause, &class);
        if (r < 0 || ret->status != EXPLAIN_JUDGED)
                return r;

        return ask_tiers(question, class, arena, ret);
}

static struct question make_question(struct world *world, const struct explain_query *query, enum direction direction)
{
        return (struct question){
                .world = world,
                .direction = direction,
                .subject = direction == DIR_EGRESS ? &query->src : &query->dst,
                .peer = direction == DIR_EGRESS ? &query->dst : &query->src,
                .dst = &query->dst,
                .protocol = query->protocol,
                .port = query->port,
                .own_host = query->own_host,
        };
}

int explain_judge(struct world *world, const struct explain_query *query, struct explain_judgement *ret)
{
        uint32_t class;
        int r;

        ret->verdict = ACTION_ALLOW;
        for (enum direction i = 0; i < DIR_MAX; i++) {
                const struct question question = make_question(world, query, i);

                r = judge_side(&question, &ret->status[i], &ret->causes[i], &class);
                if (r < 0)
                        return r;

                if (ret->causes[i].action != ACTION_ALLOW)
                        ret->verdict = ACTION_DENY;
        }

        return 0;
}

int explain(struct explanation **ret, struct world *world, const struct explain_query *query)
{
        _cleanup_(explanation_freep) struct explanation *explanation = NULL;
        int r;

        explanation = calloc(1, sizeof(*explanation));
        if (!explanation)
                return -ENOMEM;

        explanation->arena = arena_new();
        if (!explanation->arena)
                return -ENOMEM;

        explanation->verdict = ACTION_ALLOW;
        for (enum direction i = 0; i < DIR_MAX; i++) {
                const struct question question = make_question(world, query, i);

                r = explain_side(&question, explanation->arena, &explanation->sides[i]);
                if (r < 0)
                        return r;

                if (explanation->sides[i].cause.action != ACTION_ALLOW)
                        explanation->verdict = ACTION_DENY;
        }

        *ret = steal(explanation);
        return 0;
}

struct explanation *explanation_free(struct explanation *explanation)
{
        if (!explanation)
                return NULL;

        arena_free(explanation->arena);
        free(explanation);
        return NULL;
}
