/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Half-open flows: what a rule of one side allows by selecting a peer, and the other side denies to all that are selected. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

/* Pairs of a spot and of peers that are alike. Past them nothing is claimed about an item: what passes is mostly seen at
 * the first, so only a very large set that is closed all over comes here. */
#define TRIES_MAX 65536u

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

/* Peers that the other side treats alike: of one class there, and alike in their port names. */
struct alike {
        uint32_t class, ports_id;
        uint32_t identity;
        uint32_t spare; /* another identity, or NONE */
};

static int alike_cmp(const void *pa, const void *pb)
{
        const struct alike *a = pa, *b = pb;

        if (a->class != b->class)
                return a->class < b->class ? -1 : 1;
        if (a->ports_id != b->ports_id)
                return a->ports_id < b->ports_id ? -1 : 1;
        return (a->identity > b->identity) - (a->identity < b->identity);
}

/* The group's members, one for all that are alike. To be freed; NULL where memory is short. */
static struct alike *find_alike(struct lint *lint, enum direction other, const struct group *group, size_t *ret_len)
{
        struct alike *items = calloc(group->len + 1, sizeof(*items));
        size_t len = 0;

        if (!items) {
                lint->r = -ENOMEM;
                return NULL;
        }
        for (size_t i = 0; i < group->len; i++) {
                const struct identity *identity = &lint->world->identities[group->identities[i]];

                items[i] = (struct alike){identity->class[other], identity -> ports_id, group -> identities[i], NONE};
        }
        if (group->len > 1)
                qsort(items, group->len, sizeof(*items), alike_cmp);
        for (size_t i = 0; i < group->len; i++) {
                if (len == 0 || items[len - 1].class != items[i].class || items[len - 1].ports_id != items[i].ports_id)
                        items[len++] = items[i];
                else if (items[len - 1].spare == NONE)
                        items[len - 1].spare = items[i].identity;
        }
        *ret_len = len;
        return items;
}

/* Two endpoints that are not the same, of a spot and of one of the peers; false where there are none. */
static bool pick_pair(const struct world *world, const struct spot *spot, const struct alike *peers, size_t *subject,
                      size_t *peer)
{
        const uint32_t ids[] = {peers->identity, peers->spare};

        for (size_t i = 0; i < ARRAY_SIZE(ids) && ids[i] != NONE; i++) {
                const struct identity *identity = &world->identities[ids[i]];

                *subject = spot->endpoint;
                *peer = identity->endpoints[0];
                if (*peer == *subject && identity->endpoints_len > 1)
                        *peer = identity->endpoints[1];
                if (*peer == *subject && spot->others != NONE)
                        *subject = spot->others;
                if (*peer != *subject)
                        return true;
        }
        return false;
}

/* An address of the subject that is in the spot: the other side knows it by that. */
static const struct addr *addr_in(const struct world *world, const struct spot *spot, size_t subject)
{
        const struct endpoint *endpoint = &world->inventory->endpoints[subject];

        for (size_t i = 0; spot->addr && i < endpoint->addrs_len; i++)
                if (&world->spots[world->addr_spots[world->endpoint_addrs[subject] + i]] == spot)
                        return &endpoint->addrs[i];
        return NULL;
}

static void try_spot(struct lint *lint, enum direction direction, const struct rule *rule, const struct spot *spot,
                     const struct alike *peers, struct half *half)
{
        enum direction other = direction == DIR_INGRESS ? DIR_EGRESS : DIR_INGRESS;
        struct world *world = lint->world;
        const struct profile *profile;
        uint32_t destination;
        size_t subject, peer;

        if (!pick_pair(world, spot, peers, &subject, &peer))
                return;
        half->tries++;
        if (world_profile(world, other, peers->class, subject, addr_in(world, spot, subject), &profile) < 0) {
                lint->r = -ENOMEM;
                return;
        }
        destination = direction == DIR_INGRESS ? spot->identity : world->endpoint_identity[peer];
        try_ports(half, rule, &world->identities[destination], profile, subject, peer);
}

static void try_item(struct lint *lint, uint32_t p, enum direction direction, const struct rule *rule,
                     const struct group *group, struct half *half)
{
        const struct world *world = lint->world;
        size_t peers_len = 0;
        _cleanup_free_ struct alike *peers =
                find_alike(lint, direction == DIR_INGRESS ? DIR_EGRESS : DIR_INGRESS, group, &peers_len);

        for (uint32_t i = lint->first[direction][p]; peers && i < lint->first[direction][p + 1]; i++) {
                const struct class *class = &world->classes[direction][lint->classes[direction][i]];

                for (size_t j = 0; j < class->identities_len; j++) {
                        const struct identity *subjects = &world->identities[class->identities[j]];

                        for (size_t k = 0; k < subjects->spots_len * peers_len; k++) {
                                if (half->passes || half->tries >= TRIES_MAX || lint->r < 0)
                                        return;
                                try_spot(lint, direction, rule, &world->spots[subjects->spots[k / peers_len]],
                                         &peers[k % peers_len], half);
                        }
                }
        }
}

static void report_half(struct lint *lint, enum direction direction, const struct policy *policy,
                        const struct rule *rule, const struct peer *peer, const struct half *half)
{
        char rule_name[LINT_NAME_MAX], by[LINT_NAME_MAX], subject[LINT_NAME_MAX], other[LINT_NAME_MAX], service[32];
        char witness[3 * LINT_NAME_MAX], hint[2 * LINT_NAME_MAX];
        const struct cause *denied = half->denied;
        struct lint_note note = {.hint = hint, .witness = witness};

        lint_rule_name(policy, direction, rule, rule_name);
        lint_endpoint_name(lint, half->subject, subject);
        lint_endpoint_name(lint, half->peer, other);
        service_text(&half->port, service);
        snprintf(witness, sizeof(witness), "%s %s %s", direction == DIR_EGRESS ? subject : other,
                 direction == DIR_EGRESS ? other : subject, service);
        if (denied->rule) {
                lint_rule_name(denied->policy, direction == DIR_EGRESS ? DIR_INGRESS : DIR_EGRESS, denied->rule, by);
                note.places[0] = (struct lint_place){&denied->rule->loc, "this rule denies it"};
        } else if (denied->policy) {
                lint_policy_name(denied->policy, by);
                note.places[0] = (struct lint_place){&denied->policy->name_loc,
                                                     "this policy isolates the other side, and no rule allows it"};
        } else {
                snprintf(by, sizeof(by), "the default action");
        }
        snprintf(hint, sizeof(hint), "allow it on the other side too: an %s rule for %s",
                 direction == DIR_EGRESS ? "ingress" : "egress", other);
        lint_report(lint, "VW305", &peer->loc, &note,
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
