/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The matrix and the explanation against the oracle, on random worlds: every pair of addresses of two endpoints, every
 * endpoint and the addresses outside at which something may change, at every port at which something may.
 * test-matrix-oracle WORLDS [FIRST-SEED] */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/explain.h>
#include <vethwall/matrix.h>

#include "gen.h"
#include "oracle.h"

struct check {
        uint64_t seed;
        struct gen_loaded *loaded;
        struct gen_targets *targets;
        struct oracle oracle;
        struct world *world;
        struct matrix *matrix;
        struct rng rng;
        size_t verdicts, allowed, explained, ranges, apart;
};

static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP};

/* An endpoint that the packet's address leads to; addresses that two share are not asked about. */
static bool leads_to(const struct check *check, const struct addr *addr, const struct endpoint *endpoint)
{
        return oracle_endpoint(&check->oracle, addr) == (endpoint && !endpoint->host_network ? endpoint : NULL);
}

static bool oracle_verdict(const struct check *check, const struct oracle_packet *packet)
{
        struct oracle_side out = oracle_side(&check->oracle, packet, DIR_EGRESS);
        struct oracle_side in = oracle_side(&check->oracle, packet, DIR_INGRESS);

        return (!out.subject || out.action == ACTION_ALLOW) && (!in.subject || in.action == ACTION_ALLOW);
}

static struct explain_party party(const struct check *check, const struct endpoint *endpoint, const struct addr *addr)
{
        size_t index = endpoint ? (size_t)(endpoint - check->loaded->inventory->endpoints) : WORLD_OUTSIDE;

        return (struct explain_party){index, *addr, true};
}

/* Whether some rule matches in full is what a NetworkPolicy's verdict comes down to. */
static bool side_agrees(const struct explain_side *side, const struct oracle_side *want)
{
        bool any = false;

        if (side->status != EXPLAIN_JUDGED)
                return !want->subject && side->cause.action == ACTION_ALLOW;

        for (size_t i = 0; i < side->policies_len; i++) {
                if (side->policies[i].policy->tier != TIER_NETWORK_POLICY)
                        continue;

                for (size_t j = 0; j < side->policies[i].rules_len; j++)
                        any |= side->policies[i].rules[j].peer_matches &&
                               side->policies[i].rules[j].ports == EXPLAIN_PORT_MATCHES;
        }

        return want->subject && side->cause.action == want->action && side->cause.tier == want->tier &&
               (want->tier != TIER_NETWORK_POLICY || any == (want->action == ACTION_ALLOW)) &&
               (want->tier == TIER_DEFAULT) == !side->cause.policy;
}

static int check_explanation(struct check *check, const struct endpoint *src, const struct endpoint *dst,
                             const struct oracle_packet *packet)
{
        const struct explain_query query = {
                .src = party(check, src, &packet->saddr),
                .dst = party(check, dst, &packet->daddr),
                .protocol = packet->protocol,
                .port = packet->dport,
        };
        _cleanup_(explanation_freep) struct explanation *explanation = NULL;
        int r;

        r = explain(&explanation, check->world, &query);
        if (r < 0)
                return r;

        check->explained++;
        for (enum direction i = 0; i < DIR_MAX; i++) {
                struct oracle_side want = oracle_side(&check->oracle, packet, i);

                if (!side_agrees(&explanation->sides[i], &want)) {
                        fprintf(stderr, "the explanation of %s is wrong\n", direction_name(i));
                        return -EBADMSG;
                }
        }

        return (explanation->verdict == ACTION_ALLOW) == oracle_verdict(check, packet) ? 0 : -EBADMSG;
}

static int check_packet(struct check *check, const struct endpoint *src, const struct endpoint *dst,
                        const struct oracle_packet *packet, const struct conns *conns)
{
        bool want = oracle_verdict(check, packet);
        char saddr[ADDR_TEXT_MAX], daddr[ADDR_TEXT_MAX];
        int r = 0;

        check->verdicts++;
        check->allowed += want;
        if (conns_allow(conns, packet->protocol, packet->dport) != want)
                r = -EBADMSG;
        else if (rng_below(&check->rng, 64) == 0)
                r = check_explanation(check, src, dst, packet);

        if (r == -EBADMSG)
                fprintf(stderr, "world %llu: %s/%s %s -> %s/%s %s, protocol %u port %u: the oracle says %s\n",
                        (unsigned long long)check->seed, src ? src->ns : "", src ? src->name : "outside",
                        addr_format(&packet->saddr, saddr), dst ? dst->ns : "", dst ? dst->name : "outside",
                        addr_format(&packet->daddr, daddr), packet->protocol, packet->dport, want ? "allow" : "deny");
        return r;
}

static int check_addrs(struct check *check, const struct endpoint *src, const struct addr *saddr,
                       const struct endpoint *dst, const struct addr *daddr, const struct conns *conns)
{
        struct oracle_packet packet = {.saddr = *saddr, .daddr = *daddr, .iifname = "", .oifname = ""};
        int r = 0;

        if (!leads_to(check, saddr, src) || !leads_to(check, daddr, dst))
                return 0;

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(protocols); i++) {
                packet.protocol = protocols[i];
                packet.has_ports = protocols[i] != IPPROTO_ICMP;
                packet.dport = 0;
                for (size_t j = 0; r == 0 && packet.has_ports && j < check->targets->ports_len; j++) {
                        packet.dport = check->targets->ports[j];
                        if (packet.dport > 0)
                                r = check_packet(check, src, dst, &packet, conns);
                }
                if (!packet.has_ports)
                        r = check_packet(check, src, dst, &packet, conns);
        }

        return r;
}

static int check_pair(struct check *check, size_t src, size_t dst)
{
        const struct endpoint *a = &check->loaded->inventory->endpoints[src];
        const struct endpoint *b = &check->loaded->inventory->endpoints[dst];
        struct matrix_flow flow;
        int r;

        r = matrix_between(check->matrix, src, dst, &flow);
        for (size_t i = 0; r == 0 && flow.pairs_len == 0 && i < a->addrs_len; i++)
                for (size_t j = 0; r == 0 && j < b->addrs_len; j++)
                        if (a->addrs[i].family == b->addrs[j].family)
                                r = check_addrs(check, a, &a->addrs[i], b, &b->addrs[j], flow.conns);

        check->apart += flow.pairs_len > 0;
        for (size_t i = 0; r == 0 && i < flow.pairs_len; i++)
                if (flow.pairs[i].src && flow.pairs[i].dst && flow.pairs[i].src->family == flow.pairs[i].dst->family)
                        r = check_addrs(check, a, flow.pairs[i].src, b, flow.pairs[i].dst, flow.pairs[i].conns);

        return r;
}

/* Ranges cover the family in order, without a gap, and no two neighbours are equal. */
static int check_ranges(struct check *check, const struct matrix_range *ranges, size_t len, enum addr_family family)
{
        struct addr next = addr_lowest(family), highest = addr_highest(family);

        for (size_t i = 0; i < len; i++) {
                if (!addr_equal(&ranges[i].range.first, &next) || (i > 0 && ranges[i].conns == ranges[i - 1].conns))
                        return -EBADMSG;
                next = ranges[i].range.last;
                if (!addr_next(&next) && i + 1 < len)
                        return -EBADMSG;
        }

        check->ranges += len;
        return len > 0 && addr_equal(&ranges[len - 1].range.last, &highest) ? 0 : -EBADMSG;
}

static int check_outside(struct check *check, enum direction direction, size_t endpoint, enum addr_family family)
{
        const struct endpoint *inside = &check->loaded->inventory->endpoints[endpoint];
        const struct matrix_range *ranges;
        size_t len, own = 0;
        int r;

        r = matrix_outside(check->matrix, direction, endpoint, family, &ranges, &len);
        if (r == 0)
                r = check_ranges(check, ranges, len, family);
        if (r == -EBADMSG)
                fprintf(stderr, "world %llu: the ranges of the outside are wrong\n", (unsigned long long)check->seed);

        while (own < inside->addrs_len && inside->addrs[own].family != family)
                own++;
        if (own == inside->addrs_len)
                return r;

        for (size_t i = 0; r == 0 && i < check->targets->addrs_len[family]; i++) {
                const struct addr *addr = &check->targets->addrs[family][i];
                size_t at = 0;

                while (!addr_range_contains(&ranges[at].range, addr))
                        at++;

                r = direction == DIR_EGRESS
                            ? check_addrs(check, inside, &inside->addrs[own], NULL, addr, ranges[at].conns)
                            : check_addrs(check, NULL, addr, inside, &inside->addrs[own], ranges[at].conns);
        }

        return r;
}

static int check_all(struct check *check)
{
        size_t len = check->loaded->inventory->endpoints_len;
        int r = 0;

        for (size_t i = 0; r == 0 && i < len; i++)
                for (size_t j = 0; r == 0 && j < len; j++)
                        if (i != j)
                                r = check_pair(check, i, j);

        for (size_t i = 0; r == 0 && i < len; i++)
                for (enum addr_family family = 0; r == 0 && family < ADDR_FAMILY_MAX; family++) {
                        r = check_outside(check, DIR_EGRESS, i, family);
                        if (r == 0)
                                r = check_outside(check, DIR_INGRESS, i, family);
                }

        return r;
}

static int check_world(struct check *check, uint64_t seed)
{
        _cleanup_(gen_world_fini) struct gen_world world = {0};
        _cleanup_(gen_loaded_fini) struct gen_loaded loaded = {0};
        _cleanup_(gen_targets_fini) struct gen_targets targets = {0};
        _cleanup_(matrix_freep) struct matrix *matrix = NULL;
        _cleanup_(world_freep) struct world *resolved = NULL;
        int r;

        r = gen_world(&world, seed);
        if (r == 0)
                r = gen_load(&loaded, &world, &(struct gen_order){0});
        if (r == 0)
                r = gen_targets(&targets, &loaded);
        if (r == 0)
                r = world_new(&resolved, loaded.policies, loaded.inventory, &world.settings);
        if (r == 0)
                r = matrix_new(&matrix, resolved);
        if (r < 0)
                return r;

        check->seed = seed;
        check->loaded = &loaded;
        check->targets = &targets;
        check->oracle = (struct oracle){loaded.policies, loaded.inventory, &world.settings};
        check->world = resolved;
        check->matrix = steal(matrix);
        check->rng = rng_for(seed, 0, 77);
        r = check_all(check);
        check->matrix = matrix_free(check->matrix);
        return r;
}

int main(int argc, char **argv)
{
        struct check check = {0};
        unsigned long worlds = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
        unsigned long first = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
        int r;

        for (unsigned long i = 0; i < worlds; i++) {
                r = check_world(&check, first + i);
                if (r < 0) {
                        fprintf(stderr, "world %lu: %s\n", first + i, r == -EBADMSG ? "no agreement" : strerror(-r));
                        return 1;
                }
        }

        printf("%lu worlds: %zu verdicts (%zu allowed), %zu explanations, %zu ranges, %zu pairs with addresses apart\n",
               worlds, check.verdicts, check.allowed, check.explained, check.ranges, check.apart);
        if (check.allowed > 0 && check.allowed < check.verdicts && check.explained > 0 && check.apart > 0)
                return 0;

        fprintf(stderr, "the worlds do not show everything\n");
        return 1;
}
