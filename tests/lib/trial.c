/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds a compiled world against the oracle. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/explain.h>

#include "trial.h"

static const char *const action_names[] = {"allow", "deny", "pass"};

int trial_init(struct trial *ret, const struct gen_world *gen, const struct gen_order *order)
{
        struct trial trial = {.world = NULL};
        int r;

        r = gen_load(&trial.loaded, gen, order);
        if (r < 0)
                return r;
        trial.oracle = (struct oracle){trial.loaded.policies, trial.loaded.inventory, &gen->settings};
        r = world_new(&trial.world, trial.loaded.policies, trial.loaded.inventory, &gen->settings);
        if (r == 0)
                r = compile(&trial.ruleset, trial.world);
        if (r < 0) {
                trial_fini(&trial);
                return r;
        }
        *ret = trial;
        return 0;
}

void trial_fini(struct trial *trial)
{
        ruleset_free(trial->ruleset);
        world_free(trial->world);
        gen_loaded_fini(&trial->loaded);
}

struct rs_packet trial_packet(const struct oracle_packet *packet)
{
        return (struct rs_packet){
                .hook = !packet->own_host    ? RS_HOOK_FORWARD
                        : packet->oifname[0] ? RS_HOOK_OUTPUT
                                             : RS_HOOK_INPUT,
                .iifname = packet->iifname,
                .oifname = packet->oifname,
                .saddr = packet->saddr,
                .daddr = packet->daddr,
                .protocol = packet->protocol,
                .has_ports = packet->has_ports,
                .dport = packet->dport,
                .icmpv6_type = packet->icmpv6_type,
                .ct_state = RS_CT_NEW,
        };
}

static const struct policy *find_policy(const struct oracle *oracle, const struct rs_origin *origin)
{
        for (size_t i = 0; i < oracle->policies->policies_len; ++i) {
                const struct policy *policy = &oracle->policies->policies[i];

                if (policy->tier == origin->tier && strcmp(policy->name, origin->policy) == 0 &&
                    strcmp(policy->ns ? policy->ns : "", origin->ns) == 0)
                        return policy;
        }
        return NULL;
}

/* A rule speaks for what it matches, and a policy for whom it isolates; both for the endpoints they select. */
static bool policy_speaks(const struct oracle *oracle, const struct policy *policy, int64_t rule,
                          const struct oracle_packet *packet, const struct oracle_side *side, enum direction direction)
{
        if (!side->subject || !oracle_selects(oracle, policy, side->subject, direction))
                return false;
        if (rule < 0)
                return policy->tier == TIER_NETWORK_POLICY;
        return (size_t)rule < policy->rules_len[direction] &&
               oracle_rule_matches(oracle, policy, &policy->rules[direction][rule], packet, direction);
}

static bool origin_is_right(const struct trial *trial, const struct rs_origin *origin,
                            const struct oracle_packet *packet, enum direction direction)
{
        struct oracle_side side = oracle_side(&trial->oracle, packet, direction);
        const struct policy *policy;

        if (origin->direction != direction)
                return false;
        if (strcmp(origin->reason, "unknown-endpoint") == 0)
                return origin->action == ACTION_DENY && !side.subject;
        if (strcmp(origin->reason, "own-host") == 0)
                return origin->action == ACTION_ALLOW && packet->own_host;
        if (origin->action != side.action || origin->tier != side.tier)
                return false;
        if (strcmp(origin->reason, "default") == 0)
                return side.tier == TIER_DEFAULT && origin->policy[0] == '\0';
        policy = find_policy(&trial->oracle, origin);
        return policy && policy_speaks(&trial->oracle, policy, origin->rule, packet, &side, direction) &&
               (origin->rule < 0) == (strcmp(origin->reason, "isolated") == 0);
}

static bool verdict_agrees(const struct trial *trial, const struct oracle_packet *packet, struct strbuf *why)
{
        struct rs_packet seen = trial_packet(packet);
        bool allowed = oracle_allows(&trial->oracle, packet), denial_named = false;
        struct rs_result result;
        int r;

        r = ruleset_eval(trial->ruleset, &seen, &result);
        if (r < 0) {
                strbuf_printf(why, "the ruleset cannot be interpreted: %s", strerror(-r));
                return false;
        }
        if ((result.verdict == RS_ACCEPT) != allowed) {
                strbuf_printf(why, "the ruleset says %s, the policies say %s",
                              result.verdict == RS_ACCEPT ? "accept" : "drop", action_names[!allowed]);
                return false;
        }
        for (enum direction d = 0; d < DIR_MAX; ++d) {
                const struct rs_origin *origin;

                if (result.origins[d] == RS_ORIGIN_NONE)
                        continue;
                origin = &trial->ruleset->origins[result.origins[d]];
                if (!origin_is_right(trial, origin, packet, d)) {
                        strbuf_printf(why, "%s is put down to %s (%s) %s/%s rule %d, which says no such thing",
                                      direction_name(d), tier_name(origin->tier), origin->reason, origin->ns,
                                      origin->policy, origin->rule);
                        return false;
                }
                denial_named = denial_named || origin->action == ACTION_DENY;
        }
        if (allowed == denial_named)
                strbuf_printf(why, allowed ? "allowed, but a denial is named" : "denied, and nothing is named for it");
        return allowed != denial_named;
}

/* Every flow of an endpoint that policies are asked about is put down to something. */
static bool cause_is_right(const struct trial *trial, const struct cause *cause, const struct oracle_packet *packet,
                           const struct oracle_side *side, enum direction direction)
{
        if (cause->action != side->action || cause->tier != side->tier)
                return false;
        if (side->tier == TIER_DEFAULT)
                return !cause->policy && !cause->rule;
        return cause->policy && policy_speaks(&trial->oracle, cause->policy,
                                              cause->rule ? (int64_t)cause->rule->index : -1, packet, side, direction);
}

/* Where both the world's list of ranges and its single answer speak of one address, they say the same. */
static bool outside_agrees(struct trial *trial, enum direction direction, uint32_t class, const struct addr *addr,
                           const struct profile *profile)
{
        const struct world_range *ranges;
        size_t len, found = 0;

        if (world_outside(trial->world, direction, class, addr->family, &ranges, &len) < 0)
                return false;
        for (size_t i = 0; i < len; ++i)
                if (addr_range_contains(&ranges[i].range, addr))
                        found += ranges[i].profile == profile ? 1 : len + 1;
        return found == 1;
}

static bool side_agrees(struct trial *trial, const struct oracle_packet *packet, enum direction direction,
                        struct strbuf *why)
{
        const struct addr *addr = direction == DIR_INGRESS ? &packet->saddr : &packet->daddr;
        struct oracle_side side = oracle_side(&trial->oracle, packet, direction);
        const struct endpoint *endpoints = trial->loaded.inventory->endpoints;
        const struct endpoint *peer = oracle_endpoint(&trial->oracle, addr);
        const struct profile *profile;
        uint32_t class;

        if (!side.subject)
                return true;
        class = world_class(trial->world, direction, (size_t)(side.subject - endpoints));
        if (class == UINT32_MAX || world_profile(trial->world, direction, class,
                                                 peer ? (size_t)(peer - endpoints) : WORLD_OUTSIDE, addr, &profile) < 0)
                strbuf_printf(why, "the world has no %s profile", direction_name(direction));
        else if (!cause_is_right(trial, profile_at(profile, packet->protocol, packet->dport), packet, &side, direction))
                strbuf_printf(why, "the world's %s profile differs from the policies' %s by the %s tier",
                              direction_name(direction), action_names[side.action], tier_name(side.tier));
        else if (!peer && !outside_agrees(trial, direction, class, addr, profile))
                strbuf_printf(why, "the world's %s ranges differ from its answer for the address",
                              direction_name(direction));
        else
                return true;
        return false;
}

/* The tiers, asked one by one, come to what the world says at once. */
static bool tiers_agree(const struct explain_side *side)
{
        size_t decided = 0;

        for (enum tier t = 0; t < TIER_MAX; ++t) {
                const struct explain_tier *tier = &side->tiers[t];

                if (tier->outcome != EXPLAIN_DECIDED)
                        continue;
                ++decided;
                if (t != side->cause.tier || tier->policy != side->cause.policy || tier->rule != side->cause.rule)
                        return false;
        }
        return decided == 1;
}

/* The ruleset puts the packet down to the same rule. */
static bool origin_agrees(const struct rs_origin *origin, const struct cause *cause)
{
        const char *ns = cause->policy && cause->policy->ns ? cause->policy->ns : "";

        return origin->action == cause->action && origin->tier == cause->tier &&
               strcmp(origin->policy, cause->policy ? cause->policy->name : "") == 0 && strcmp(origin->ns, ns) == 0 &&
               origin->rule == (cause->rule ? (int)cause->rule->index : -1);
}

static bool explained_side_agrees(const struct trial *trial, const struct oracle_packet *packet,
                                  const struct rs_result *result, const struct explain_side *explained,
                                  enum direction direction)
{
        struct oracle_side side = oracle_side(&trial->oracle, packet, direction);
        const struct rs_origin *origin = result->origins[direction] == RS_ORIGIN_NONE
                                                 ? NULL
                                                 : &trial->ruleset->origins[result->origins[direction]];

        if (!side.subject)
                return explained->status == EXPLAIN_OUTSIDE;
        if (explained->status != EXPLAIN_JUDGED || !tiers_agree(explained) ||
            !cause_is_right(trial, &explained->cause, packet, &side, direction))
                return false;
        return !origin || strcmp(origin->reason, "own-host") == 0 || origin_agrees(origin, &explained->cause);
}

static struct explain_party party(const struct trial *trial, const struct addr *addr)
{
        const struct endpoint *endpoint = oracle_endpoint(&trial->oracle, addr);

        return (struct explain_party){
                .endpoint = endpoint ? (size_t)(endpoint - trial->loaded.inventory->endpoints) : WORLD_OUTSIDE,
                .addr = *addr,
                .has_addr = true,
        };
}

/* The short answer is the long one. */
static bool judgement_agrees(struct world *world, const struct explain_query *query, const struct explanation *whole)
{
        struct explain_judgement judgement;

        if (explain_judge(world, query, &judgement) < 0 || judgement.verdict != whole->verdict)
                return false;
        for (enum direction d = 0; d < DIR_MAX; ++d)
                if (judgement.status[d] != whole->sides[d].status ||
                    !cause_equal(&judgement.causes[d], &whole->sides[d].cause))
                        return false;
        return true;
}

/* The explanation names the rule that the interpreted ruleset does, and its own reading of every rule comes to that. */
static bool explanation_agrees(struct trial *trial, const struct oracle_packet *packet, struct strbuf *why)
{
        const struct explain_query query = {
                .src = party(trial, &packet->saddr),
                .dst = party(trial, &packet->daddr),
                .protocol = packet->protocol,
                .port = packet->has_ports ? packet->dport : 0,
        };
        _cleanup_(explanation_freep) struct explanation *explanation = NULL;
        struct rs_packet seen = trial_packet(packet);
        struct rs_result result;

        if (query.src.endpoint == WORLD_OUTSIDE && query.dst.endpoint == WORLD_OUTSIDE)
                return true;
        if (explain(&explanation, trial->world, &query) < 0 || ruleset_eval(trial->ruleset, &seen, &result) < 0) {
                strbuf_printf(why, "the packet cannot be explained");
                return false;
        }
        if (!judgement_agrees(trial->world, &query, explanation)) {
                strbuf_printf(why, "the judgement differs from the explanation");
                return false;
        }
        if (query.src.endpoint == query.dst.endpoint)
                return explanation->verdict == ACTION_ALLOW;
        for (enum direction d = 0; d < DIR_MAX; ++d)
                if (!explained_side_agrees(trial, packet, &result, &explanation->sides[d], d)) {
                        strbuf_printf(why, "the explanation of %s differs", direction_name(d));
                        return false;
                }
        return true;
}

bool trial_agrees(struct trial *trial, const struct oracle_packet *packet, struct strbuf *why)
{
        return verdict_agrees(trial, packet, why) && side_agrees(trial, packet, DIR_EGRESS, why) &&
               side_agrees(trial, packet, DIR_INGRESS, why) && explanation_agrees(trial, packet, why);
}

static bool still_fails(const struct gen_world *gen, const struct oracle_packet *packet)
{
        _cleanup_(strbuf_fini) struct strbuf why = STRBUF_INIT;
        struct trial trial;
        bool ret;

        if (trial_init(&trial, gen, &(struct gen_order){.quiet = true}) < 0)
                return false;
        ret = !trial_agrees(&trial, packet, &why);
        trial_fini(&trial);
        return ret;
}

void trial_shrink(struct gen_world *gen, const struct oracle_packet *packet)
{
        bool again = true;

        while (again) {
                again = false;
                for (size_t i = 0; i < gen->len; ++i) {
                        if (gen->pieces[i].dropped)
                                continue;
                        gen->pieces[i].dropped = true;
                        if (still_fails(gen, packet))
                                again = true;
                        else
                                gen->pieces[i].dropped = false;
                }
        }
}

void trial_print(const struct gen_world *gen, const struct oracle_packet *packet)
{
        char saddr[ADDR_TEXT_MAX], daddr[ADDR_TEXT_MAX];
        struct gen_loaded loaded;

        printf("# settings: defaultAction %s, hostTraffic %s, unknownEndpoints %s\n",
               action_names[gen->settings.default_action], gen->settings.host_policy ? "policy" : "allow",
               gen->settings.unknown_deny ? "deny" : "allow");
        printf("# packet: %s -> %s, protocol %u, port %u%s, icmpv6 type %u, in \"%s\", out \"%s\"%s\n",
               addr_format(&packet->saddr, saddr), addr_format(&packet->daddr, daddr), packet->protocol, packet->dport,
               packet->has_ports ? "" : " (none)", packet->icmpv6_type, packet->iifname, packet->oifname,
               packet->own_host ? ", the host's own" : "");
        if (gen_load(&loaded, gen, &(struct gen_order){0}) < 0)
                return;
        printf("# inventory\n%s", loaded.inventory_file.text);
        for (size_t i = 0; i < GEN_FILES; ++i)
                printf("# policies, file %zu\n%s", i + 1, loaded.policy_files[i].text);
        gen_loaded_fini(&loaded);
}
