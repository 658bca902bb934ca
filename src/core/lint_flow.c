/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Half-open flows: what a rule of one side allows by selecting a peer, and the other side denies to all that are selected. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

/* Peers that are asked before nothing is claimed about an item: what passes is mostly seen at the first. */
#define TRIES_MAX 4096u

struct half {
        size_t tries;
        bool passes;
        bool found; /* a flow that the rule allows; the rest is set then */
        size_t subject, peer;
        struct lint_port port;
        const struct cause *denied; /* by the other side */
};

static const char *service_text(const struct lint_port *port, char buf[static 32])
{
        if (port->protocol == 0)
                snprintf(buf, 32, "icmp");
        else
                snprintf(buf, 32, "%s/%u", lint_protocol_name(port->protocol), port->port);
        return buf;
}

/* Whether the profile allows a port of the run. */
static bool run_passes(const struct profile *profile, uint8_t protocol, uint16_t first, uint16_t last)
{
        for (size_t i = 0; i < profile->spans_len; i++) {
                const struct profile_span *span = &profile->spans[i];

                if (span->protocol == protocol && span->cause.action == ACTION_ALLOW && span->ports.first <= last &&
                    first <= span->ports.last && span->ports.last > 0)
                        return true;
        }
        return false;
}

static bool anything_passes(const struct profile *profile)
{
        for (size_t i = 0; i < profile->spans_len; i++)
                if (profile->spans[i].cause.action == ACTION_ALLOW)
                        return true;
        return profile->other.action == ACTION_ALLOW;
}

static void note_denied(struct half *half, const struct profile *other, size_t subject, size_t peer,
                        const struct lint_port *port)
{
        if (half->found)
                return;
        half->found = true;
        half->subject = subject;
        half->peer = peer;
        half->port = *port;
        half->denied = profile_at(other, port->protocol, port->port);
}

/* The ports of the rule, names as the destination has them, against the other side's profile. */
static void try_ports(struct half *half, const struct rule *rule, const struct identity *destination,
                      const struct profile *other, size_t subject, size_t peer)
{
        if (rule->any_port) {
                if (anything_passes(other))
                        half->passes = true;
                else
                        note_denied(half, other, subject, peer, &(struct lint_port){IPPROTO_TCP, 80});
                return;
        }
        for (size_t i = 0; i < rule->ports_len; i++) {
                const struct port_match *match = &rule->ports[i];

                if (match->kind == PORT_RANGE) {
                        const struct lint_port port = {match->protocol,
                                                       match->range.first > 0 ? match->range.first : 1};

                        if (run_passes(other, match->protocol, port.port, match->range.last))
                                half->passes = true;
                        else
                                note_denied(half, other, subject, peer, &port);
                        continue;
                }
                for (size_t j = 0; j < destination->ports_len; j++) {
                        const struct named_port *named = &destination->ports[j];
                        const struct lint_port port = {named->protocol, named->port};

                        if (named->protocol != match->protocol || strcmp(named->name, match->name) != 0)
                                continue;
                        if (run_passes(other, named->protocol, named->port, named->port))
                                half->passes = true;
                        else
                                note_denied(half, other, subject, peer, &port);
                }
        }
}

/* One subject endpoint and one peer endpoint, under every address of the subject: the other side may know it by that. */
static void try_pair(struct lint *lint, enum direction direction, const struct rule *rule, size_t subject, size_t peer,
                     struct half *half)
{
        enum direction other = direction == DIR_INGRESS ? DIR_EGRESS : DIR_INGRESS;
        struct world *world = lint->world;
        const struct endpoint *endpoint = &world->inventory->endpoints[subject];
        const struct identity *mine = &world->identities[world->endpoint_identity[subject]];
        const struct identity *theirs = &world->identities[world->endpoint_identity[peer]];

        for (size_t i = 0; !half->passes && (i == 0 || i < endpoint->addrs_len); i++) {
                const struct profile *profile;

                half->tries++;
                if (world_profile(world, other, theirs->class[other], subject,
                                  endpoint -> addrs_len > 0 ? &endpoint -> addrs[i] : NULL, &profile) < 0) {
                        lint->r = -ENOMEM;
                        return;
                }
                try_ports(half, rule, direction == DIR_INGRESS ? mine : theirs, profile, subject, peer);
        }
}

static void try_identities(struct lint *lint, enum direction direction, const struct rule *rule,
                           const struct identity *subjects, const struct identity *peers, struct half *half)
{
        for (size_t i = 0; i < subjects->endpoints_len; i++) {
                for (size_t j = 0; j < peers->endpoints_len; j++) {
                        if (half->passes || half->tries >= TRIES_MAX || lint->r < 0)
                                return;
                        if (subjects->endpoints[i] != peers->endpoints[j])
                                try_pair(lint, direction, rule, subjects->endpoints[i], peers->endpoints[j], half);
                }
        }
}

static void try_item(struct lint *lint, uint32_t p, enum direction direction, const struct rule *rule,
                     const struct group *group, struct half *half)
{
        const struct world *world = lint->world;

        for (uint32_t i = lint->first[direction][p]; i < lint->first[direction][p + 1]; i++) {
                const struct class *class = &world->classes[direction][lint->classes[direction][i]];

                for (size_t j = 0; j < class->identities_len; j++)
                        for (size_t k = 0; k < group->len && !half->passes && half->tries < TRIES_MAX; k++)
                                try_identities(lint, direction, rule, &world->identities[class->identities[j]],
                                               &world->identities[group->identities[k]], half);
        }
}

static void report_half(struct lint *lint, enum direction direction, const struct policy *policy,
                        const struct rule *rule, const struct peer *peer, const struct half *half)
{
        char rule_name[LINT_NAME_MAX], by[LINT_NAME_MAX], subject[LINT_NAME_MAX], other[LINT_NAME_MAX], service[32];
        char witness[3 * LINT_NAME_MAX], hint[2 * LINT_NAME_MAX];
        const struct cause *denied = half->denied;

        lint_rule_name(policy, direction, rule, rule_name);
        lint_endpoint_name(lint, half->subject, subject);
        lint_endpoint_name(lint, half->peer, other);
        service_text(&half->port, service);
        snprintf(witness, sizeof(witness), "%s %s %s", direction == DIR_EGRESS ? subject : other,
                 direction == DIR_EGRESS ? other : subject, service);
        if (denied->rule)
                lint_rule_name(denied->policy, direction == DIR_EGRESS ? DIR_INGRESS : DIR_EGRESS, denied->rule, by);
        else if (denied->policy)
                lint_policy_name(denied->policy, by);
        else
                snprintf(by, sizeof(by), "the default action");
        snprintf(hint, sizeof(hint), "allow it on the other side too: an %s rule for %s",
                 direction == DIR_EGRESS ? "ingress" : "egress", other);
        lint_report(lint, "VW305", &peer->loc, &(struct lint_note){.hint = hint, .witness = witness},
                    "%s allows this, but the %s of every endpoint that it selects is closed to it; for %s by %s",
                    rule_name, direction == DIR_EGRESS ? "ingress" : "egress", other, by);
}

static void check_item(struct lint *lint, uint32_t p, enum direction direction, const struct rule *rule,
                       const struct peer *peer)
{
        const struct policy *policy = &lint->policies->policies[p];
        struct half half = {0};
        uint32_t group;

        if (world_peer_group(lint->world, policy->ns, peer, &group) < 0) {
                lint->r = -ENOMEM;
                return;
        }
        try_item(lint, p, direction, rule, &lint->world->groups[group], &half);
        if (half.found && !half.passes && half.tries < TRIES_MAX)
                report_half(lint, direction, policy, rule, peer, &half);
}

void lint_flows(struct lint *lint)
{
        for (uint32_t p = 0; p < lint->policies->policies_len; p++) {
                const struct policy *policy = &lint->policies->policies[p];

                for (enum direction d = 0; d < DIR_MAX; d++) {
                        for (size_t i = 0; policy->applies[d] && i < policy->rules_len[d]; i++) {
                                const struct rule *rule = &policy->rules[d][i];

                                for (size_t j = 0; rule->action == ACTION_ALLOW && j < rule->peers_len; j++) {
                                        if (lint->r == 0 && rule->peers[j].kind == PEER_SELECTOR)
                                                check_item(lint, p, d, rule, &rule->peers[j]);
                                }
                        }
                }
        }
}
