/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Half-open flows: what a rule of one side allows by selecting a peer, and the other side denies to all that are selected. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

/* Pairs of a spot and of peers that are alike. Past them nothing is claimed about an item: what passes is mostly seen at
 * the first, so only a very large set that is closed all over comes here. */
#define TRIES_MAX 65536u

/* What became of one entry of a rule's ports, or of all where it lists none. */
struct half {
        bool passes;
        bool found; /* a flow that the rule allows and the other side denies; the rest is set then */
        size_t subject, peer;
        struct lint_port port;
        const struct cause *denied;
};

struct trial {
        const struct policy *policy;
        const struct rule *rule;
        enum direction direction;
        struct half *halves; /* per port of the rule; one where it lists none */
        size_t len;
        size_t tries;
        bool all_pass;
};

/* Two endpoints, and what each side says. own is NULL where the rule is certain to decide there. */
struct pair {
        size_t subject, peer;
        const struct profile *own, *other;
};

static const char *service_text(const struct lint_port *port, char buf[static 32])
{
        if (port->protocol == 0)
                snprintf(buf, 32, "icmp");
        else
                snprintf(buf, 32, "%s/%u", lint_protocol_name(port->protocol), port->port);
        return buf;
}

static void note_denied(struct half *half, const struct pair *pair, struct lint_port port)
{
        if (half->found)
                return;
        half->found = true;
        half->subject = pair->subject;
        half->peer = pair->peer;
        half->port = port;
        half->denied = profile_at(pair->other, port.protocol, port.port);
}

/* Ports that one side treats alike, against the other's. */
static void try_span(struct half *half, const struct pair *pair, const struct profile_span *own, uint16_t first,
                     uint16_t last)
{
        for (size_t i = 0; !half->passes && i < pair->other->spans_len; i++) {
                const struct profile_span *span = &pair->other->spans[i];
                uint16_t from = span->ports.first > first ? span->ports.first : first;

                if (span->protocol != own->protocol || from > last || span->ports.last < from)
                        continue;
                if (span->cause.action == ACTION_ALLOW)
                        half->passes = true;
                else
                        note_denied(half, pair, (struct lint_port){own->protocol, from});
        }
}

static void try_run(struct half *half, const struct pair *pair, uint8_t protocol, uint16_t first, uint16_t last)
{
        const struct profile_span all = {.protocol = protocol, .ports = {0, UINT16_MAX}};

        first = first > 0 ? first : 1;
        if (!pair->own)
                try_span(half, pair, &all, first, last);
        for (size_t i = 0; pair->own && !half->passes && i < pair->own->spans_len; i++) {
                const struct profile_span *span = &pair->own->spans[i];

                if (span->protocol == protocol && span->cause.action == ACTION_ALLOW && span->ports.last >= first &&
                    span->ports.first <= last)
                        try_span(half, pair, span, span->ports.first > first ? span->ports.first : first,
                                 span->ports.last < last ? span->ports.last : last);
        }
}

static void try_everything(struct half *half, const struct pair *pair)
{
        static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
                try_run(half, pair, protocols[i], 1, UINT16_MAX);
        if (pair->own && pair->own->other.action != ACTION_ALLOW)
                return;
        if (pair->other->other.action == ACTION_ALLOW)
                half->passes = true;
        else
                note_denied(half, pair, (struct lint_port){0, 0});
}

/* The ports of the rule, names as the destination has them, against both sides. */
static void try_ports(struct trial *trial, const struct identity *destination, const struct pair *pair)
{
        const struct rule *rule = trial->rule;

        if (rule->any_port)
                try_everything(&trial->halves[0], pair);
        for (size_t i = 0; i < rule->ports_len; i++) {
                const struct port_match *match = &rule->ports[i];

                if (match->kind == PORT_RANGE)
                        try_run(&trial->halves[i], pair, match->protocol, match->range.first, match->range.last);
                for (size_t j = 0; match->kind == PORT_NAME && j < destination->ports_len; j++) {
                        const struct named_port *named = &destination->ports[j];

                        if (named->protocol == match->protocol && strcmp(named->name, match->name) == 0)
                                try_run(&trial->halves[i], pair, named->protocol, named->port, named->port);
                }
        }
        trial->all_pass = true;
        for (size_t i = 0; i < trial->len; i++)
                trial->all_pass &= trial->halves[i].passes;
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

/* The group's members, one for all that are alike, or, with each, all. To be freed; NULL where memory is short. */
static struct alike *find_alike(struct lint *lint, enum direction other, const struct group *group, bool each,
                                size_t *ret_len)
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
                if (len == 0 || each || items[len - 1].class != items[i].class ||
                    items[len - 1].ports_id != items[i].ports_id)
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

/* The addresses under which the own side may know the peer, one after the other. Where no tier stands before or behind the
 * rule, it decides whatever they are. */
static void try_pair(struct lint *lint, struct trial *trial, bool tiers, struct pair *pair)
{
        struct world *world = lint->world;
        const struct endpoint *peer = &world->inventory->endpoints[pair->peer];
        uint32_t class = world_class(world, trial->direction, pair->subject);
        size_t destination = trial->direction == DIR_INGRESS ? pair->subject : pair->peer;

        for (size_t i = 0; i == 0 || (tiers && i < peer->addrs_len); i++) {
                if (tiers && world_profile(world, trial->direction, class, pair->peer,
                                           peer->addrs_len > 0 ? &peer->addrs[i] : NULL, &pair->own) < 0)
                        lint->r = -ENOMEM;
                trial->tries++;
                if (lint->r == 0)
                        try_ports(trial, &world->identities[world->endpoint_identity[destination]], pair);
        }
}

static void try_spot(struct lint *lint, struct trial *trial, const struct spot *spot, const struct alike *peers,
                     bool tiers)
{
        enum direction other = trial->direction == DIR_INGRESS ? DIR_EGRESS : DIR_INGRESS;
        struct pair pair = {0};

        if (!pick_pair(lint->world, spot, peers, &pair.subject, &pair.peer))
                return;
        if (world_profile(lint->world, other, peers->class, pair.subject, addr_in(lint->world, spot, pair.subject),
                          &pair.other) < 0)
                lint->r = -ENOMEM;
        else
                try_pair(lint, trial, tiers, &pair);
}

static void try_class(struct lint *lint, struct trial *trial, const struct class *class, const struct group *group)
{
        enum direction other = trial->direction == DIR_INGRESS ? DIR_EGRESS : DIR_INGRESS;
        bool tiers = trial->policy->tier != TIER_NETWORK_POLICY || class->policies[0]->tier == TIER_ADMIN;
        size_t peers_len = 0;
        _cleanup_free_ struct alike *peers = find_alike(lint, other, group, tiers, &peers_len);

        for (size_t i = 0; peers && i < class->identities_len; i++) {
                const struct identity *subjects = &lint->world->identities[class->identities[i]];

                for (size_t j = 0; j < subjects->spots_len * peers_len; j++) {
                        if (trial->all_pass || trial->tries >= TRIES_MAX || lint->r < 0)
                                return;
                        try_spot(lint, trial, &lint->world->spots[subjects->spots[j / peers_len]],
                                 &peers[j % peers_len], tiers);
                }
        }
}

/* port is NULL where all that the rule allows is closed. */
static void report_half(struct lint *lint, const struct trial *trial, const struct peer *peer,
                        const struct port_match *port, const struct half *half)
{
        enum direction direction = trial->direction, opposite = direction == DIR_INGRESS ? DIR_EGRESS : DIR_INGRESS;
        char rule_name[LINT_NAME_MAX], by[LINT_NAME_MAX], subject[LINT_NAME_MAX], other[LINT_NAME_MAX], service[32];
        char witness[3 * LINT_NAME_MAX], hint[2 * LINT_NAME_MAX];
        const struct cause *denied = half->denied;
        struct lint_note note = {.hint = hint, .witness = witness};

        lint_rule_name(trial->policy, direction, trial->rule, rule_name);
        lint_endpoint_name(lint, half->subject, subject);
        lint_endpoint_name(lint, half->peer, other);
        service_text(&half->port, service);
        snprintf(witness, sizeof(witness), "%s %s %s", direction == DIR_EGRESS ? subject : other,
                 direction == DIR_EGRESS ? other : subject, service);
        if (denied->rule) {
                lint_rule_name(denied->policy, opposite, denied->rule, by);
                note.places[0] = (struct lint_place){&denied->rule->loc, "this rule denies it"};
        } else if (denied->policy) {
                lint_policy_name(denied->policy, by);
                note.places[0] = (struct lint_place){&denied->policy->name_loc,
                                                     "this policy isolates the other side, and no rule allows it"};
        } else {
                snprintf(by, sizeof(by), "the default action");
        }
        snprintf(hint, sizeof(hint), "allow it on the other side too: an %s rule for %s", direction_name(opposite),
                 other);
        lint_report(lint, "VW305", port ? &port->loc : &peer->loc, &note,
                    "%s allows this%s, but the %s of every endpoint that it selects is closed to it; for %s by %s",
                    rule_name, port ? " port" : "", direction_name(opposite), other, by);
}

static void check_item(struct lint *lint, uint32_t p, struct trial *trial, const struct peer *peer)
{
        const struct group *group = lint_peer_group(lint, trial->policy, peer);
        bool some = false;

        trial->tries = 0;
        trial->all_pass = false;
        memset(trial->halves, 0, trial->len * sizeof(*trial->halves));
        for (uint32_t i = lint->first[trial->direction][p]; group && i < lint->first[trial->direction][p + 1]; i++)
                try_class(lint, trial, &lint->world->classes[trial->direction][lint->classes[trial->direction][i]],
                          group);
        if (lint->r < 0 || trial->tries >= TRIES_MAX)
                return;
        for (size_t i = 0; i < trial->len; i++)
                some |= trial->halves[i].passes;
        for (size_t i = 0; i < trial->len; i++) {
                if (!trial->halves[i].found || trial->halves[i].passes)
                        continue;
                report_half(lint, trial, peer, some ? &trial->rule->ports[i] : NULL, &trial->halves[i]);
                if (!some)
                        return;
        }
}

static void check_rule(struct lint *lint, uint32_t p, enum direction d, const struct rule *rule)
{
        size_t len = rule->ports_len > 0 ? rule->ports_len : 1;
        _cleanup_free_ struct half *halves = calloc(len, sizeof(*halves));
        struct trial trial = {
                .policy = &lint->policies->policies[p], .rule = rule, .direction = d, .halves = halves, .len = len};

        if (!halves) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < rule->peers_len; i++)
                if (lint->r == 0 && rule->peers[i].kind == PEER_SELECTOR)
                        check_item(lint, p, &trial, &rule->peers[i]);
}

void lint_flows(struct lint *lint)
{
        for (uint32_t p = 0; p < lint->policies->policies_len; p++) {
                const struct policy *policy = &lint->policies->policies[p];

                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (size_t i = 0; policy->applies[d] && i < policy->rules_len[d]; i++)
                                if (lint->r == 0 && policy->rules[d][i].action == ACTION_ALLOW)
                                        check_rule(lint, p, d, &policy->rules[d][i]);
        }
}
