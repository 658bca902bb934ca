/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-packets [SEED [WORLDS [PACKETS]]]: real packets through a real kernel that enforces the compiled ruleset arrive if
 * and only if the oracle and the interpreter say so. For each random world a host with its endpoints is made; every
 * packet is first sent without the ruleset and must arrive, then with it. After these come sentinels, on flows that were
 * begun before there was a ruleset: what has not arrived before the sentinel on the same way never will. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vethwall/diff.h>

#include "nft/nft.h"
#include "packet-lab.h"
#include "trial.h"

#define DEADLINE_SECONDS 60
#define RESEND_SECONDS 1
#define TRIES 4u

/* Packet numbers from here on are sentinels'. */
#define SENTINEL_FIRST 0x10000u
#define SENTINEL_PORT 7

/* No generated port is so high, but for the highest. */
#define SOURCE_PORT_FIRST 10000u

struct shot {
        struct oracle_packet packet;
        size_t from, to;
        bool arrived;
};

struct sentinel {
        size_t from, to;
        enum addr_family family;
        bool arrived;
};

struct range {
        struct packet_lab lab;
        struct trial *trial;
        struct shot *shots; /* owned */
        size_t shots_len;
        struct sentinel *sentinels; /* owned */
        size_t sentinels_len, sentinels_cap;
};

struct score {
        size_t packets, allowed, same_bridge, routed, own_host, v6;
};

static void *check(void *p)
{
        if (!p) {
                perror("memory");
                exit(1);
        }
        return p;
}

/* What no host forwards. */
static bool is_special(const struct addr *addr)
{
        static const char *const texts[] = {"0.0.0.0/8",    "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
                                            "10.99.0.1/32", "::/96",       "::ffff:0:0/96",  "fe80::/10",
                                            "ff00::/8",     "fd99::1/128"};
        struct prefix prefix;

        for (size_t i = 0; i < ARRAY_SIZE(texts); ++i)
                if (prefix_parse(texts[i], &prefix) && prefix_contains(&prefix, addr))
                        return true;
        return false;
}

/* A tracker knows these protocols' flows by their ports or numbers, so that each packet is the first of one. */
static bool is_sendable(const struct range *range, const struct oracle_packet *packet)
{
        if (is_special(&packet->saddr) || is_special(&packet->daddr))
                return false;
        if (packet->protocol == IPPROTO_ICMPV6)
                return packet->icmpv6_type == 128 || packet->icmpv6_type == 135 || packet->icmpv6_type == 136;
        if (packet->protocol != IPPROTO_GRE)
                return packet->protocol != IPPROTO_UDPLITE;
        for (size_t i = 0; i < range->shots_len; ++i) {
                const struct oracle_packet *other = &range->shots[i].packet;

                if (other->protocol == IPPROTO_GRE &&
                    (addr_equal(&other->saddr, &packet->saddr) || addr_equal(&other->saddr, &packet->daddr)))
                        return false;
        }
        return true;
}

/* An endpoint sends from its own address; others' addresses are used by the outside, and now and then by the stranger. */
static void place(const struct range *range, struct rng *rng, struct shot *shot)
{
        const struct packet_lab *lab = &range->lab;
        struct oracle_packet *packet = &shot->packet;
        uint8_t family = packet->saddr.family;

        shot->from = lab_node_of(lab, &packet->saddr);
        shot->to = lab_node_of(lab, &packet->daddr);
        packet->own_host = false;
        if (shot->from == LAB_OUTSIDE && rng_chance(rng, 20)) {
                shot->from = LAB_STRANGER;
                if (rng_chance(rng, 50))
                        packet->saddr = lab->nodes[LAB_STRANGER].addrs[family];
        } else if (shot->to == LAB_OUTSIDE && rng_chance(rng, 20)) {
                shot->to = LAB_STRANGER;
                packet->daddr = lab->nodes[LAB_STRANGER].addrs[family];
        } else if (rng_chance(rng, 10)) {
                packet->own_host = true;
                shot->to = LAB_HOST;
                packet->daddr = lab->nodes[LAB_HOST].addrs[family];
        } else if (rng_chance(rng, 10)) {
                packet->own_host = true;
                shot->from = LAB_HOST;
                packet->saddr = lab->nodes[LAB_HOST].addrs[family];
        }
        packet->iifname = lab->nodes[shot->from].ifname;
        packet->oifname = lab->nodes[shot->to].ifname;
}

static void aim(struct range *range, uint64_t seed, size_t packets)
{
        struct rng rng = rng_for(seed, 2, 2);
        struct gen_targets targets;

        range->shots = check(calloc(packets, sizeof(*range->shots)));
        if (gen_targets(&targets, &range->trial->loaded) < 0)
                exit(1);
        for (size_t tries = 0; tries < packets * 20 && range->shots_len < packets; ++tries) {
                struct shot shot = {.arrived = false};

                gen_packet(&shot.packet, &rng, &range->trial->oracle, &targets);
                if (!is_sendable(range, &shot.packet))
                        continue;
                place(range, &rng, &shot);
                if (shot.from != shot.to)
                        range->shots[range->shots_len++] = shot;
        }
        gen_targets_fini(&targets);
}

static void collect(struct range *range)
{
        uint32_t id;
        size_t node;

        while (lab_receive(&range->lab, &node, &id)) {
                if (id >= SENTINEL_FIRST && id - SENTINEL_FIRST < range->sentinels_len) {
                        if (range->sentinels[id - SENTINEL_FIRST].to == node)
                                range->sentinels[id - SENTINEL_FIRST].arrived = true;
                } else if (id < range->shots_len && range->shots[id].to == node) {
                        range->shots[id].arrived = true;
                }
        }
}

static void fire(struct range *range, size_t i)
{
        struct shot *shot = &range->shots[i];
        struct wire_packet packet = {
                .saddr = shot->packet.saddr,
                .daddr = shot->packet.daddr,
                .protocol = shot->packet.protocol,
                .sport = (uint16_t)(SOURCE_PORT_FIRST + i),
                .dport = shot->packet.dport,
                .icmp_type = shot->packet.protocol == IPPROTO_ICMP ? 8 : shot->packet.icmpv6_type,
                .id = (uint32_t)i,
        };

        shot->arrived = false;
        lab_send(&range->lab, shot->from, &packet);
        collect(range);
}

static void send_sentinel(struct range *range, size_t i)
{
        struct sentinel *sentinel = &range->sentinels[i];
        struct wire_packet packet = {
                .saddr = range->lab.nodes[sentinel->from].addrs[sentinel->family],
                .daddr = range->lab.nodes[sentinel->to].addrs[sentinel->family],
                .protocol = IPPROTO_UDP,
                .sport = SENTINEL_PORT,
                .dport = SENTINEL_PORT,
                .id = SENTINEL_FIRST + (uint32_t)i,
        };

        sentinel->arrived = false;
        lab_send(&range->lab, sentinel->from, &packet);
        collect(range);
}

static size_t find_sentinel(const struct range *range, size_t from, size_t to, enum addr_family family)
{
        size_t i = 0;

        while (i < range->sentinels_len && (range->sentinels[i].from != from || range->sentinels[i].to != to ||
                                            range->sentinels[i].family != family))
                ++i;
        return i;
}

static void add_sentinel(struct range *range, size_t from, size_t to, enum addr_family family)
{
        if (find_sentinel(range, from, to, family) < range->sentinels_len)
                return;
        if (array_reserve(&range->sentinels, &range->sentinels_cap, range->sentinels_len + 1,
                          sizeof(*range->sentinels)) < 0)
                exit(1);
        range->sentinels[range->sentinels_len++] = (struct sentinel){from, to, family, false};
}

/* One for every way that a packet takes, and one back, without which its flow would not be an established one. */
static void post_sentinels(struct range *range)
{
        for (size_t i = 0; i < range->shots_len; ++i) {
                const struct shot *shot = &range->shots[i];

                add_sentinel(range, shot->from, shot->to, shot->packet.saddr.family);
                add_sentinel(range, shot->to, shot->from, shot->packet.saddr.family);
        }
}

/* Sends every sentinel and waits for all of them. A host that is busy may lose one on its queues; it is sent again, and what it
 * follows is before it all the same. */
static bool sound_sentinels(struct range *range)
{
        struct timespec start, sent, now;
        size_t missing = 0;

        clock_gettime(CLOCK_MONOTONIC, &start);
        sent = start;
        for (size_t i = 0; i < range->sentinels_len; ++i)
                send_sentinel(range, i);
        do {
                collect(range);
                missing = 0;
                clock_gettime(CLOCK_MONOTONIC, &now);
                for (size_t i = 0; i < range->sentinels_len; ++i) {
                        if (range->sentinels[i].arrived)
                                continue;
                        missing++;
                        if (now.tv_sec - sent.tv_sec > RESEND_SECONDS)
                                send_sentinel(range, i);
                }
                if (now.tv_sec - sent.tv_sec > RESEND_SECONDS)
                        sent = now;
        } while (missing > 0 && now.tv_sec - start.tv_sec < DEADLINE_SECONDS);
        if (missing > 0)
                printf("# %zu of %zu sentinels did not arrive\n", missing, range->sentinels_len);
        return missing == 0;
}

/* Fires every shot. One that should arrive, and has not when the sentinels have, was lost on a queue of the host or was dropped by
 * the kernel: it is fired again, and only if it never arrives was it dropped. */
static bool fire_all(struct range *range, bool all_arrive)
{
        for (size_t i = 0; i < range->shots_len; ++i)
                fire(range, i);
        for (unsigned try = 0; try < TRIES; ++try) {
                size_t again = 0;

                if (!sound_sentinels(range))
                        return false;
                for (size_t i = 0; i < range->shots_len && try + 1 < TRIES; ++i) {
                        const struct shot *shot = &range->shots[i];

                        if (shot->arrived || !(all_arrive || oracle_allows(&range->trial->oracle, &shot->packet)))
                                continue;
                        fire(range, i);
                        again++;
                }
                if (again == 0)
                        break;
        }
        return true;
}

/* Tracks connections as any host with Docker does, and refuses nothing. */
static void start_tracking(void)
{
        static const char *const nft[] = {"nft", "-f", "-", NULL};

        lab_run("table inet lab {\n"
                "  chain forward { type filter hook forward priority 0; ct state new counter; }\n"
                "  chain input { type filter hook input priority 0; ct state new counter; }\n"
                "  chain output { type filter hook output priority 0; ct state new counter; }\n"
                "}\n",
                nft);
}

/* Everything arrives where nothing forbids it; or the lab proves nothing. */
static bool rehearse(struct range *range)
{
        static const char *const conntrack[] = {"sh", "-c", "conntrack -F 2>/dev/null", NULL};

        start_tracking();
        if (!sound_sentinels(range))
                return false;
        if (!fire_all(range, true))
                return false;
        for (size_t i = 0; i < range->shots_len; ++i)
                if (!range->shots[i].arrived) {
                        printf("# the lab itself loses packet %zu\n", i);
                        return false;
                }
        lab_run("", conntrack);
        /* Both ways once: from now on they are established. */
        return sound_sentinels(range) && sound_sentinels(range);
}

static bool enforce(const struct ruleset *ruleset)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(ruleset_freep) struct ruleset *before = NULL, *after = NULL;
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_(nft_closep) struct nft *nft = NULL;
        struct nft_result result;
        uint32_t genid;
        int r;

        r = nft_open(&nft);
        if (r == 0)
                r = nft_read(nft, RULESET_TABLE, &before, &genid);
        if (r == 0)
                r = ruleset_diff(&plan, before, ruleset, true);
        if (r == 0)
                r = nft_commit(nft, &plan, genid, false, &result, &diags);
        if (r == 0)
                r = nft_read(nft, RULESET_TABLE, &after, NULL);
        if (r != 0) {
                printf("# the ruleset cannot be loaded: %d %s\n", r, diags.len > 0 ? diags.items[0].message : "");
                return false;
        }
        if (!ruleset_equal(after, ruleset)) {
                printf("# the kernel holds another ruleset than was compiled\n");
                return false;
        }
        return true;
}

/* First the ruleset of a part of the world, then that of the whole: the way to it is a plan among live objects. */
static bool enforce_in_steps(const struct trial *trial, const struct gen_world *gen)
{
        struct rng rng = rng_for(gen->seed, 3, 3);
        struct gen_world part = *gen;
        struct trial before;
        bool ok;

        part.pieces = check(malloc((gen->len + 1) * sizeof(*part.pieces)));
        memcpy(part.pieces, gen->pieces, gen->len * sizeof(*part.pieces));
        for (size_t i = 0; i < part.len; ++i)
                part.pieces[i].dropped = rng_chance(&rng, 20);
        ok = trial_init(&before, &part, &(struct gen_order){0}) == 0;
        if (ok) {
                ok = enforce(before.ruleset) && enforce(trial->ruleset);
                trial_fini(&before);
        }
        free(part.pieces);
        return ok;
}

static bool judge(struct range *range, const struct gen_world *gen, size_t i, struct score *score)
{
        const struct shot *shot = &range->shots[i];
        struct rs_packet seen = trial_packet(&shot->packet);
        bool allowed = oracle_allows(&range->trial->oracle, &shot->packet);
        struct rs_result result;

        if (ruleset_eval(range->trial->ruleset, &seen, &result) < 0)
                return false;
        ++score->packets;
        score->allowed += shot->arrived;
        score->own_host += shot->packet.own_host;
        score->same_bridge += shot->packet.iifname == shot->packet.oifname;
        score->routed += !shot->packet.own_host && shot->packet.iifname != shot->packet.oifname;
        score->v6 += shot->packet.saddr.family == ADDR_V6;
        if (shot->arrived == allowed && allowed == (result.verdict == RS_ACCEPT))
                return true;
        printf("# packet %zu: kernel %s, policies %s, interpreter %s\n", i, shot->arrived ? "lets it pass" : "drops it",
               allowed ? "allow" : "deny", result.verdict == RS_ACCEPT ? "accept" : "drop");
        trial_print(gen, &shot->packet);
        return false;
}

static bool try_trial(struct trial *trial, const struct gen_world *gen, size_t packets, struct score *score)
{
        struct range range = {.trial = trial};
        bool ok;

        lab_start(&range.lab, trial->loaded.inventory);
        aim(&range, gen->seed, packets);
        post_sentinels(&range);
        ok = rehearse(&range) && enforce_in_steps(trial, gen);
        ok = ok && fire_all(&range, false);
        for (size_t i = 0; ok && i < range.shots_len; ++i)
                ok = judge(&range, gen, i, score);
        lab_stop(&range.lab);
        free(range.shots);
        free(range.sentinels);
        return ok;
}

static bool try_world(uint64_t seed, size_t packets, struct score *score)
{
        _cleanup_(gen_world_fini) struct gen_world gen = {.pieces = NULL};
        struct trial trial;
        bool ok;

        if (gen_world(&gen, seed) < 0 || trial_init(&trial, &gen, &(struct gen_order){0}) < 0)
                return false;
        ok = try_trial(&trial, &gen, packets, score);
        trial_fini(&trial);
        return ok;
}

int main(int argc, char **argv)
{
        uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
        uint64_t worlds = argc > 2 ? strtoull(argv[2], NULL, 0) : 16;
        size_t packets = argc > 3 ? strtoul(argv[3], NULL, 0) : 100;
        struct score score = {0};

        lab_enter();
        for (uint64_t i = 0; i < worlds; ++i)
                if (!try_world(seed + i, packets, &score)) {
                        printf("not ok: %s %" PRIu64 " 1 %zu shows it again\n", argv[0], seed + i, packets);
                        return 1;
                }
        printf("%zu packets: %zu arrived; %zu within a bridge, %zu routed, %zu to or from the host; %zu IPv6\n",
               score.packets, score.allowed, score.same_bridge, score.routed, score.own_host, score.v6);
        /* A lab of one kind of packet, or one that lets all pass, would prove little. */
        if (worlds >= 8 && (score.allowed < score.packets / 5 || score.allowed > score.packets / 5 * 4 ||
                            score.same_bridge < score.packets / 10 || score.routed < score.packets / 10 ||
                            score.own_host < score.packets / 50 || score.v6 < score.packets / 5)) {
                printf("not ok: the packets are all of one kind\n");
                return 1;
        }
        return 0;
}
