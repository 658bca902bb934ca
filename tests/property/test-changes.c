/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-changes [SEED [WORLDS]]: a random world and the same world without some of its pieces. The difference of a world
 * and itself is empty; the difference one way is that of the other way reversed; and what it says of every pair of
 * endpoints, and of the outside, is what the two matrices say: new = old - removed + added. What is called the cause is what
 * turns the flow in the matrix of the one policies and the other inventory. Every reason replays: explain says the same of a
 * connection of it. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/changes.h>
#include <vethwall/explain.h>

#include "gen.h"

static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP};

struct side {
        struct gen_loaded loaded;
        struct gen_targets targets;
        struct world *world;
        struct matrix *matrix;
};

struct tally {
        size_t worlds, changes, pairs, apart, ranges, unchanged, joint, absent;
        size_t origins[CHANGE_ORIGIN_MAX], witnesses;
};

/* The worlds of one side's policies and the other's inventory; by the side of the policies. */
struct crossed {
        struct world *world;
        struct matrix *matrix;
};

struct check {
        struct side *sides; /* old and new */
        struct crossed crossed[CHANGE_SIDE_MAX];
        struct changes *changes;
        const struct change **table; /* owned; per pair of parties */
        struct tally *tally;
};

static void side_fini(struct side *side)
{
        matrix_free(side->matrix);
        world_free(side->world);
        gen_targets_fini(&side->targets);
        gen_loaded_fini(&side->loaded);
}

static int side_init(struct side *side, const struct gen_world *gen)
{
        int r;

        *side = (struct side){0};
        r = gen_load(&side->loaded, gen, &(struct gen_order){0});
        if (r == 0)
                r = gen_targets(&side->targets, &side->loaded);
        if (r == 0)
                r = world_new(&side->world, side->loaded.policies, side->loaded.inventory, &gen->settings);
        if (r == 0)
                r = matrix_new(&side->matrix, side->world);
        return r;
}

/* Some pieces; of the policies alone, of the inventory alone, or of both. */
static void drop(struct gen_world *gen)
{
        struct rng rng = rng_for(gen->seed, 9, 9);
        uint32_t of = rng_below(&rng, 4);

        for (size_t i = 0; i < gen->len; i++) {
                bool inventory = gen->pieces[i].kind == GEN_NAMESPACE || gen->pieces[i].kind == GEN_ENDPOINT;

                if (of == 0 || inventory == (of == 1))
                        gen->pieces[i].dropped = rng_chance(&rng, 15);
        }
}

/* Sets of two matrices. */
static bool same_conns(const struct conns *a, const struct conns *b)
{
        for (size_t i = 0; i < CONNS_PROTO_MAX; i++)
                if (a->ports_len[i] != b->ports_len[i] ||
                    (a->ports_len[i] > 0 &&
                     memcmp(a->ports[i], b->ports[i], a->ports_len[i] * sizeof(*a->ports[i])) != 0))
                        return false;

        return a->other == b->other;
}

/* new = old - removed + added, and nothing is removed that was not there, or added that was. An address of the outside has
 * one reason; between two endpoints, one pair of addresses may have another than the next. */
static bool adds_up_at(const struct change *change, const struct addr *addr, uint8_t protocol, uint16_t port)
{
        bool old = conns_allow(change->conns[CHANGE_OLD], protocol, port);
        bool new = conns_allow(change->conns[CHANGE_NEW], protocol, port);
        size_t added = 0, removed = 0;

        for (size_t i = 0; i < change->parts_len; i++) {
                const struct change_part *part = &change->parts[i];

                if (!conns_allow(part->conns, protocol, port) || (addr && !addr_range_contains(&part->range, addr)))
                        continue;
                if (part->reason->widens)
                        added++;
                else
                        removed++;
        }

        return (added > 0) == (!old && new) && (removed > 0) == (old && !new) && (!addr || added + removed <= 1);
}

static bool adds_up(const struct check *check, const struct change *change, const struct addr *addr)
{
        for (size_t i = 0; i < CHANGE_SIDE_MAX; i++) {
                const struct gen_targets *targets = &check->sides[i].targets;

                for (size_t j = 0; j < ARRAY_SIZE(protocols); j++)
                        for (size_t k = 0; k < targets->ports_len; k++)
                                if (targets->ports[k] > 0 && !adds_up_at(change, addr, protocols[j], targets->ports[k]))
                                        return false;
        }

        return true;
}

/* The turned directions' causes say what the part says. */
static bool reasons_hold(const struct change *change)
{
        for (size_t i = 0; i < change->parts_len; i++) {
                const struct change_reason *reason = change->parts[i].reason;
                bool any = false;

                if (conns_is_empty(change->parts[i].conns))
                        return false;
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        enum action old = reason->causes[d][CHANGE_OLD].action,
                                    new = reason->causes[d][CHANGE_NEW].action;

                        any |= reason->turned[d];
                        if (reason->turned[d] && (old == ACTION_ALLOW) != !reason->widens)
                                return false;
                        if (reason->turned[d] && (new == ACTION_ALLOW) != reason->widens)
                                return false;
                }
                if (!any)
                        return false;
        }

        return true;
}

static int fill_table(const struct changes *changes, const struct change *change, const struct change_party *src,
                      const struct change_party *dst, void *userdata)
{
        struct check *check = userdata;

        check->tally->changes++;
        check->tally->absent += (src && (!src->endpoint[CHANGE_OLD] || !src->endpoint[CHANGE_NEW]));
        for (size_t i = 0; i < change->parts_len; i++)
                check->tally->joint +=
                        change->parts[i].reason->turned[DIR_EGRESS] && change->parts[i].reason->turned[DIR_INGRESS];
        if (!reasons_hold(change))
                return -EBADMSG;
        if (src && dst) {
                const struct change **cell = &check->table[(size_t)(src - changes->parties) * changes->parties_len +
                                                           (size_t)(dst - changes->parties)];

                if (*cell)
                        return -EBADMSG;
                *cell = change;
        }

        return 0;
}

/* What a matrix with the inventory of a side says of two parties; NULL: one of them is not there. */
static int matrix_says_of(struct check *check, struct matrix *matrix, enum change_side side, size_t src, size_t dst,
                          struct matrix_flow *ret)
{
        const struct endpoint *first = check->sides[side].loaded.inventory->endpoints;
        const struct endpoint *a = check->changes->parties[src].endpoint[side];
        const struct endpoint *b = check->changes->parties[dst].endpoint[side];

        *ret = (struct matrix_flow){0};
        return a && b ? matrix_between(matrix, (size_t)(a - first), (size_t)(b - first), ret) : 0;
}

static int matrix_says(struct check *check, enum change_side side, size_t src, size_t dst, struct matrix_flow *ret)
{
        return matrix_says_of(check, check->sides[side].matrix, side, src, dst, ret);
}

/* The origin that the parts give a connection which turned; CHANGE_ORIGIN_MAX: none of them speaks of it. */
static enum change_origin origin_of(const struct change *change, uint8_t protocol, uint16_t port)
{
        for (size_t i = 0; i < change->parts_len; i++)
                if (conns_allow(change->parts[i].conns, protocol, port))
                        return change->parts[i].reason->origin;

        return CHANGE_ORIGIN_MAX;
}

/* Whether each connection that turned between the two is put down to what turns it alone. Where addresses are treated
 * differently somewhere, each has an origin of its own, and that is not looked at. */
static int check_origins(struct check *check, const struct change *change, size_t src, size_t dst,
                         const struct matrix_flow flows[static CHANGE_SIDE_MAX])
{
        const struct gen_targets *targets = &check->sides[CHANGE_OLD].targets;
        struct matrix_flow policy, inventory = {0};
        int r;

        r = matrix_says_of(check, check->crossed[CHANGE_NEW].matrix, CHANGE_OLD, src, dst, &policy);
        if (r == 0 && policy.pairs_len == 0)
                r = matrix_says_of(check, check->crossed[CHANGE_OLD].matrix, CHANGE_NEW, src, dst, &inventory);
        if (r < 0 || policy.pairs_len + inventory.pairs_len + flows[0].pairs_len + flows[1].pairs_len > 0)
                return r;

        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
                for (size_t j = 0; j < targets->ports_len; j++) {
                        uint16_t port = targets->ports[j];
                        bool new = flows[CHANGE_NEW].conns &&conns_allow(flows[CHANGE_NEW].conns, protocols[i], port);
                        bool by_policy = (policy.conns && conns_allow(policy.conns, protocols[i], port)) == new;
                        bool by_inventory =
                                (inventory.conns && conns_allow(inventory.conns, protocols[i], port)) == new;
                        enum change_origin origin = origin_of(change, protocols[i], port);

                        if (origin == CHANGE_ORIGIN_MAX)
                                continue;
                        check->tally->origins[origin]++;
                        if (origin != (by_policy == by_inventory ? CHANGE_JOINT
                                       : by_policy               ? CHANGE_BY_POLICY
                                                                 : CHANGE_BY_INVENTORY))
                                return -EBADMSG;
                }
        }

        return 0;
}

static bool pairs_agree(const struct change *change, enum change_side side, const struct matrix_flow *flow)
{
        if (change->pairs_len == 0)
                return true;
        if (flow->pairs_len > 0 && flow->pairs_len != change->pairs_len)
                return false;
        for (size_t i = 0; i < change->pairs_len; i++)
                if (!same_conns(change->pairs[i].conns[side], flow->pairs_len > 0 ? flow->pairs[i].conns : flow->conns))
                        return false;

        return true;
}

/* A connection of the part, if it has any that a packet could show. */
static bool find_witness(const struct conns *conns, struct explain_query *query)
{
        for (enum conns_proto i = 0; i < CONNS_PROTO_MAX; i++) {
                if (conns->ports_len[i] == 0)
                        continue;
                query->protocol = conns_proto_number(i);
                query->port = conns->ports[i][0].last;
                return true;
        }

        query->protocol = IPPROTO_ICMP;
        query->port = 0;
        return conns->other;
}

static struct explain_party make_party(const struct check *check, enum change_side side, size_t party)
{
        const struct endpoint *endpoint = check->changes->parties[party].endpoint[side];
        struct explain_party ret = {
                .endpoint = (size_t)(endpoint - check->sides[side].loaded.inventory->endpoints),
                .has_addr = endpoint->addrs_len > 0,
        };

        if (ret.has_addr)
                ret.addr = endpoint->addrs[0];
        return ret;
}

/* What explain says of a connection of each part, on each side, is what the part says: the verdict, and, where a direction
 * turned, by which cause. Where addresses are several, a part may be about any of them, and that is not looked at. */
static int check_witnesses(struct check *check, const struct change *change, size_t src, size_t dst)
{
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct endpoint *a = check->changes->parties[src].endpoint[side];
                const struct endpoint *b = check->changes->parties[dst].endpoint[side];

                for (size_t i = 0; a && b && a->addrs_len <= 1 && b->addrs_len <= 1 && i < change->parts_len; i++) {
                        const struct change_reason *reason = change->parts[i].reason;
                        struct explain_query query = {
                                .src = make_party(check, side, src),
                                .dst = make_party(check, side, dst),
                        };
                        struct explain_judgement judgement;
                        int r;

                        if (!find_witness(change->parts[i].conns, &query))
                                return -EBADMSG;
                        r = explain_judge(check->sides[side].world, &query, &judgement);
                        if (r < 0)
                                return r;
                        check->tally->witnesses++;
                        if ((judgement.verdict == ACTION_ALLOW) != (reason->widens == (side == CHANGE_NEW)))
                                return -EBADMSG;
                        for (enum direction d = 0; d < DIR_MAX; d++)
                                if (reason->turned[d] && !cause_equal(&judgement.causes[d], &reason->causes[d][side]))
                                        return -EBADMSG;
                }
        }

        return 0;
}

static int check_pair(struct check *check, size_t src, size_t dst)
{
        const struct change *change = check->table[src * check->changes->parties_len + dst];
        struct matrix_flow flows[CHANGE_SIDE_MAX];
        int r;

        check->tally->pairs++;
        check->tally->unchanged += !change;
        check->tally->apart += change && change->pairs_len > 0;
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                r = matrix_says(check, side, src, dst, &flows[side]);
                if (r < 0)
                        return r;
                if (!change)
                        continue;
                if (!(flows[side].conns ? same_conns(change->conns[side], flows[side].conns)
                                        : conns_is_empty(change->conns[side])))
                        return -EBADMSG;
                if (flows[side].conns && !pairs_agree(change, side, &flows[side]))
                        return -EBADMSG;
        }
        if (change && change->pairs_len == 0 && !adds_up(check, change, NULL))
                return -EBADMSG;
        if (change) {
                r = check_witnesses(check, change, src, dst);
                return r == 0 ? check_origins(check, change, src, dst, flows) : r;
        }
        if (!flows[CHANGE_OLD].conns || !flows[CHANGE_NEW].conns) {
                for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                        if (flows[side].conns && !conns_is_empty(flows[side].conns))
                                return -EBADMSG;
                return 0;
        }
        if (flows[CHANGE_OLD].pairs_len != flows[CHANGE_NEW].pairs_len &&
            check->changes->kinds[check->changes->parties[src].kind].same_addrs &&
            check->changes->kinds[check->changes->parties[dst].kind].same_addrs)
                return -EBADMSG;

        return same_conns(flows[CHANGE_OLD].conns, flows[CHANGE_NEW].conns) ? 0 : -EBADMSG;
}

static const struct conns *outside_at(struct check *check, enum change_side side, enum direction d, size_t party,
                                      const struct addr *addr)
{
        const struct endpoint *endpoint = check->changes->parties[party].endpoint[side];
        const struct matrix_range *ranges;
        size_t len;

        if (!endpoint || matrix_outside(check->sides[side].matrix, d,
                                        (size_t)(endpoint - check->sides[side].loaded.inventory->endpoints),
                                        addr->family, &ranges, &len) < 0)
                return NULL;

        while (!addr_range_contains(&ranges->range, addr))
                ranges++;

        return ranges->conns;
}

/* The change of the party's kind that covers the address, or NULL; no two may. */
static int change_at(const struct check *check, enum direction d, size_t party, const struct addr *addr,
                     const struct change **ret)
{
        const struct changes *changes = check->changes;

        *ret = NULL;
        for (size_t i = 0; i < changes->len; i++) {
                const struct change *change = &changes->items[i];
                const struct change_end *outside = d == DIR_EGRESS ? &change->dst : &change->src;
                const struct change_end *inside = d == DIR_EGRESS ? &change->src : &change->dst;

                if (!outside->outside || inside->outside || inside->kind != changes->parties[party].kind ||
                    !addr_range_contains(&outside->range, addr))
                        continue;
                if (*ret)
                        return -EBADMSG;
                *ret = change;
        }

        return 0;
}

static int check_outside(struct check *check, enum direction d, size_t party, const struct addr *addr)
{
        const struct conns *old = outside_at(check, CHANGE_OLD, d, party, addr);
        const struct conns *new = outside_at(check, CHANGE_NEW, d, party, addr);
        const struct change *change;
        int r;

        r = change_at(check, d, party, addr, &change);
        if (r < 0)
                return r;

        check->tally->ranges += change != NULL;
        if (!change)
                return (old && new ? same_conns(old, new)
                                   : (!old || conns_is_empty(old)) && (!new || conns_is_empty(new)))
                               ? 0
                               : -EBADMSG;
        if (!(old ? same_conns(old, change->conns[CHANGE_OLD]) : conns_is_empty(change->conns[CHANGE_OLD])) ||
            !(new ? same_conns(new, change->conns[CHANGE_NEW]) : conns_is_empty(change->conns[CHANGE_NEW])))
                return -EBADMSG;

        return adds_up(check, change, addr) ? 0 : -EBADMSG;
}

static int check_party(struct check *check, size_t party)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < check->changes->parties_len; i++)
                if (i != party)
                        r = check_pair(check, party, i);

        for (size_t side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct gen_targets *targets = &check->sides[side].targets;

                for (enum addr_family family = 0; family < ADDR_FAMILY_MAX; family++)
                        for (size_t i = 0; r == 0 && i < targets->addrs_len[family]; i++) {
                                r = check_outside(check, DIR_EGRESS, party, &targets->addrs[family][i]);
                                if (r == 0)
                                        r = check_outside(check, DIR_INGRESS, party, &targets->addrs[family][i]);
                        }
        }

        return r;
}

static bool same_end(const struct change_end *a, const struct change_end *b)
{
        return a->outside == b->outside &&
               (a->outside ? addr_equal(&a->range.first, &b->range.first) && addr_equal(&a->range.last, &b->range.last)
                           : a->kind == b->kind);
}

static bool is_reverse_part(const struct change_part *a, const struct change_part *b)
{
        if (a->reason->widens == b->reason->widens || !same_conns(a->conns, b->conns))
                return false;

        for (enum direction d = 0; d < DIR_MAX; d++) {
                if (a->reason->turned[d] != b->reason->turned[d])
                        return false;
                if (a->reason->turned[d] &&
                    (!cause_equal(&a->reason->causes[d][CHANGE_OLD], &b->reason->causes[d][CHANGE_NEW]) ||
                     !cause_equal(&a->reason->causes[d][CHANGE_NEW], &b->reason->causes[d][CHANGE_OLD])))
                        return false;
        }

        return true;
}

static bool is_reverse(const struct changes *a, const struct changes *b)
{
        if (a->len != b->len)
                return false;

        for (size_t i = 0; i < a->len; i++) {
                const struct change *x = &a->items[i], *y = &b->items[i];

                if (!same_end(&x->src, &y->src) || !same_end(&x->dst, &y->dst) || x->widens != y->narrows ||
                    x->narrows != y->widens || x->parts_len != y->parts_len || x->pairs_len != y->pairs_len ||
                    !same_conns(x->conns[CHANGE_OLD], y->conns[CHANGE_NEW]) ||
                    !same_conns(x->conns[CHANGE_NEW], y->conns[CHANGE_OLD]))
                        return false;
                for (size_t j = 0; j < x->parts_len; j++)
                        if (!is_reverse_part(&x->parts[j], &y->parts[j]))
                                return false;
        }

        return true;
}

static int check_all(struct check *check)
{
        _cleanup_(changes_freep) struct changes *back = NULL, *none = NULL;
        size_t len = check->changes->parties_len;
        int r;

        r = changes_new(&back, check->sides[CHANGE_NEW].world, check->sides[CHANGE_OLD].world);
        if (r == 0)
                r = changes_new(&none, check->sides[CHANGE_OLD].world, check->sides[CHANGE_OLD].world);
        if (r < 0)
                return r;
        if (none->len > 0 || !is_reverse(check->changes, back)) {
                printf("# %s\n", none->len > 0 ? "a world differs from itself" : "not reversed the other way");
                return -EBADMSG;
        }

        check->table = calloc(len * len + 1, sizeof(*check->table));
        if (!check->table)
                return -ENOMEM;

        r = changes_visit(check->changes, fill_table, check);
        for (size_t i = 0; r == 0 && i < len; i++)
                r = check_party(check, i);

        free(check->table);
        return r;
}

/* The same policies under other names, in other files and another order, are no change. */
static int check_renamed(const struct gen_world *gen, struct side *side)
{
        static const struct gen_order order = {.shuffle = 7, .rename = true, .rename_policies = true};
        _cleanup_(changes_freep) struct changes *changes = NULL;
        _cleanup_(world_freep) struct world *world = NULL;
        struct gen_loaded loaded;
        int r;

        r = gen_load(&loaded, gen, &order);
        if (r < 0)
                return r;

        r = world_new(&world, loaded.policies, side->loaded.inventory, &gen->settings);
        if (r == 0)
                r = changes_new(&changes, side->world, world);
        if (r == 0 && changes->len > 0) {
                printf("# names, or the order of the text, make a difference\n");
                r = -EBADMSG;
        }
        changes = changes_free(changes);
        world = world_free(world);
        gen_loaded_fini(&loaded);
        return r;
}

/* Each side's policies with the other's inventory. */
static int cross(struct check *check, const struct gen_world *gen)
{
        int r = 0;

        for (enum change_side side = 0; r == 0 && side < CHANGE_SIDE_MAX; side++) {
                struct crossed *crossed = &check->crossed[side];

                r = world_new(&crossed->world, check->sides[side].loaded.policies,
                              check->sides[side == CHANGE_OLD ? CHANGE_NEW : CHANGE_OLD].loaded.inventory,
                              &gen->settings);
                if (r == 0)
                        r = matrix_new(&crossed->matrix, crossed->world);
        }

        return r;
}

static int try_world(uint64_t seed, void *user)
{
        struct tally *tally = user;
        _cleanup_(gen_world_fini) struct gen_world gen = {.pieces = NULL};
        struct side sides[CHANGE_SIDE_MAX] = {{.world = NULL}, {.world = NULL}};
        struct check check = {.sides = sides, .tally = tally};
        int r;

        r = gen_world(&gen, seed);
        if (r == 0)
                r = side_init(&sides[CHANGE_OLD], &gen);
        if (r == 0)
                r = check_renamed(&gen, &sides[CHANGE_OLD]);
        if (r == 0) {
                drop(&gen);
                r = side_init(&sides[CHANGE_NEW], &gen);
        }
        if (r == 0)
                r = changes_new(&check.changes, sides[CHANGE_OLD].world, sides[CHANGE_NEW].world);
        if (r == 0)
                r = cross(&check, &gen);
        if (r == 0)
                r = check_all(&check);

        changes_free(check.changes);
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                matrix_free(check.crossed[side].matrix);
                world_free(check.crossed[side].world);
        }
        side_fini(&sides[CHANGE_OLD]);
        side_fini(&sides[CHANGE_NEW]);
        tally->worlds++;
        return r;
}

int main(int argc, char **argv)
{
        struct tally tally = {0};
        uint64_t worlds;

        if (!gen_run(argc, argv, 150, try_world, &tally, &worlds))
                return 1;

        printf("%zu witnesses; %zu connections by policy, %zu by inventory, %zu by both\n", tally.witnesses,
               tally.origins[CHANGE_BY_POLICY], tally.origins[CHANGE_BY_INVENTORY], tally.origins[CHANGE_JOINT]);
        printf("%zu worlds: %zu changes (%zu by both directions, %zu of endpoints that came or went), %zu pairs "
               "(%zu unchanged, %zu with addresses apart), %zu addresses outside with changes\n",
               tally.worlds, tally.changes, tally.joint, tally.absent, tally.pairs, tally.unchanged, tally.apart,
               tally.ranges);
        if (worlds >= 100 && (tally.origins[CHANGE_BY_POLICY] == 0 || tally.origins[CHANGE_BY_INVENTORY] == 0 ||
                              tally.origins[CHANGE_JOINT] == 0 || tally.witnesses == 0 || tally.joint == 0 ||
                              tally.absent == 0 || tally.unchanged == 0 || tally.apart == 0 || tally.ranges == 0)) {
                printf("not ok: the worlds do not show everything\n");
                return 1;
        }

        return 0;
}
