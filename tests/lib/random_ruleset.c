/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every object has a generator of its own, made from the seed and its name. So an object is the same whatever is around
 * it and in whatever order the objects are added, and a pair of rulesets can differ in single objects. */
#include <errno.h>
#include <string.h>

#include "random_ruleset.h"
#include "rng.h"

#define SETS 10
#define ELEMS 12
#define CHAINS 6
#define RULES 8

/* Chains from this one on call no other: there can be no loop. */
#define FIRST_LEAF 3

enum what { TABLE, SET, ELEM, CHAIN, RULE };

struct build {
        const struct random_ruleset *how;
        struct ruleset *ruleset;
        struct rs_table *table;
        uint64_t table_id;
};

static uint64_t id(const struct build *build, enum what what, uint64_t a, uint64_t b)
{
        return (uint64_t)what << 48 | build->table_id << 32 | a << 16 | b;
}

/* The object's generator: in some cases, the salted one. */
static struct rng rng_of(const struct build *build, enum what what, uint64_t a, uint64_t b)
{
        uint64_t name = id(build, what, a, b);
        struct rng coin = rng_for(build->how->seed ^ build->how->salt, name, 1);

        return rng_for(build->how->seed, name, rng_chance(&coin, build->how->change) ? build->how->salt : 0);
}

static void order_of(const struct build *build, enum what what, uint64_t a, size_t *order, size_t len)
{
        struct rng rng = rng_for(build->how->shuffle, id(build, what, a, 0), 2);

        rng_order(&rng, order, len);
}

static char *name(const struct build *build, const char *prefix, size_t i)
{
        return arena_printf(build->ruleset->arena, "%s%zu", prefix, i);
}

static const char *comment(struct rng *rng)
{
        static const char *const texts[] = {"shop/web ingress[0]", "default", "\xc3\xa9\xc3\xa0 'quoted' \\ {};#"};

        return rng_chance(rng, 50) ? NULL : texts[rng_below(rng, ARRAY_SIZE(texts))];
}

/* Verdicts of maps and rules may call leaves only. */
static struct rs_verdict verdict(const struct build *build, struct rng *rng, bool call)
{
        struct rs_verdict ret = {(enum rs_verdict_kind)rng_below(rng, call ? RS_VERDICT_MAX : RS_JUMP), NULL};

        if (ret.kind == RS_JUMP || ret.kind == RS_GOTO)
                ret.chain = name(build, "chain", FIRST_LEAF + rng_below(rng, CHAINS - FIRST_LEAF));
        return ret;
}

/* What a set is does not depend on whether it is there: the rules must know. */
static enum rs_key key_of(size_t set)
{
        return (enum rs_key)(set % RS_KEY_MAX);
}

static bool is_map(size_t set)
{
        return set % 3 != 0;
}

static enum rs_field field_of(enum rs_key key, struct rng *rng)
{
        switch (key) {
        case RS_KEY_ADDR4:
        case RS_KEY_ADDR6:
                return rng_chance(rng, 50) ? RS_FIELD_SADDR : RS_FIELD_DADDR;
        case RS_KEY_ADDR4_PAIR:
        case RS_KEY_ADDR6_PAIR:
                return RS_FIELD_SADDR_DADDR;
        case RS_KEY_PROTO:
                return RS_FIELD_PROTO;
        case RS_KEY_PROTO_PORT:
                return RS_FIELD_PROTO_DPORT;
        case RS_KEY_ICMPV6_TYPE:
        case RS_KEY_MAX:
                break;
        }
        return RS_FIELD_ICMPV6_TYPE;
}

/* The i-th element's key; those of different i are disjoint. width is one less than the number of keys in a range. */
static void fill_key(struct rs_elem *elem, enum rs_key key, size_t i, uint8_t width)
{
        static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_GRE};
        struct addr a4 = {.family = ADDR_V4, .bytes = {10, 0, 0, (uint8_t)(i * 16)}};
        struct addr a6 = {.family = ADDR_V6, .bytes = {0xfd, [15] = (uint8_t)(i * 16)}};

        switch (key) {
        case RS_KEY_ADDR4:
                rs_key_addr(elem->key, &a4);
                break;
        case RS_KEY_ADDR6:
                rs_key_addr(elem->key, &a6);
                break;
        case RS_KEY_ADDR4_PAIR:
                rs_key_addr_pair(elem->key, &a4, &a4);
                break;
        case RS_KEY_ADDR6_PAIR:
                rs_key_addr_pair(elem->key, &a6, &a6);
                break;
        case RS_KEY_PROTO_PORT:
                rs_key_proto_port(elem->key, protocols[i % 3], (uint16_t)(0x0100 + i * 16));
                break;
        case RS_KEY_PROTO:
                elem->key[0] = i < ARRAY_SIZE(protocols) ? protocols[i] : (uint8_t)(200 + i);
                break;
        case RS_KEY_ICMPV6_TYPE:
        case RS_KEY_MAX:
                elem->key[0] = (uint8_t)(i * 16 + 1);
                break;
        }
        memcpy(elem->key_end, elem->key, sizeof(elem->key));
        if (key == RS_KEY_PROTO_PORT)
                elem->key_end[5] = (uint8_t)(elem->key_end[5] + width);
        else
                elem->key_end[rs_key_size(key) - 1] = (uint8_t)(elem->key_end[rs_key_size(key) - 1] + width);
}

static int add_set(struct build *build, size_t i)
{
        struct rng rng = rng_of(build, SET, i, 0);
        enum rs_key key = key_of(i);
        size_t order[ELEMS];
        struct rs_set *set;

        set = rs_table_add_set(build->table, name(build, is_map(i) ? "map" : "set", i), key);
        if (!set)
                return -ENOMEM;
        set->map = is_map(i);
        set->interval = key != RS_KEY_PROTO && key != RS_KEY_ICMPV6_TYPE && rng_chance(&rng, 50);
        set->counter = rng_chance(&rng, 50);
        order_of(build, ELEM, i, order, ELEMS);
        for (size_t j = 0; j < ELEMS; ++j) {
                struct rng elem_rng = rng_of(build, ELEM, i, order[j]);
                struct rs_elem *elem;

                if (rng_chance(&elem_rng, 30))
                        continue;
                elem = rs_set_add_elem(set);
                if (!elem)
                        return -ENOMEM;
                fill_key(elem, key, order[j], set->interval ? (uint8_t)rng_below(&elem_rng, 15) : 0);
                if (set->map)
                        elem->verdict = verdict(build, &elem_rng, true);
                elem->comment = comment(&elem_rng);
        }
        return 0;
}

/* nft refuses a rule that asks for both IPv4 and IPv6. */
static bool suits(enum rs_key key, enum addr_family family)
{
        if (key == RS_KEY_ADDR4 || key == RS_KEY_ADDR4_PAIR)
                return family == ADDR_V4;
        return family == ADDR_V6 || (key != RS_KEY_ADDR6 && key != RS_KEY_ADDR6_PAIR && key != RS_KEY_ICMPV6_TYPE);
}

static void fill_match(const struct build *build, struct rng *rng, enum addr_family family, struct rs_match *match)
{
        static const char *const ifnames[] = {"br-*", "docker0", "veth*"};
        size_t set = rng_below(rng, (SETS + 2) / 3) * 3;

        match->kind = (enum rs_match_kind)rng_below(rng, RS_MATCH_MAX);
        /* Not every kernel tracks connections on bridges. */
        if ((match->kind == RS_MATCH_SET && !suits(key_of(set), family)) ||
            (match->kind == RS_MATCH_CT_STATE && build->table->family == RS_BRIDGE))
                match->kind = RS_MATCH_IIFNAME;
        switch (match->kind) {
        case RS_MATCH_CT_STATE:
                match->ct_state = 1 + rng_below(rng, 15);
                break;
        case RS_MATCH_IIFNAME:
        case RS_MATCH_OIFNAME:
                match->ifname = ifnames[rng_below(rng, ARRAY_SIZE(ifnames))];
                break;
        case RS_MATCH_SET:
                match->set = name(build, "set", set);
                match->field = field_of(key_of(set), rng);
                match->negate = rng_chance(rng, 30);
                break;
        case RS_MATCH_MAX:
                break;
        }
}

/* nft lists the port of a packet that is known to be ICMPv6 by another name. */
static bool asks_port_of_icmpv6(const struct rs_rule *rule, enum rs_key key)
{
        for (size_t i = 0; i < rule->matches_len; ++i)
                if (rule->matches[i].kind == RS_MATCH_SET && rule->matches[i].field == RS_FIELD_ICMPV6_TYPE)
                        return key == RS_KEY_PROTO_PORT;
        return false;
}

static int fill_rule(const struct build *build, struct rng *rng, struct rs_rule *rule, bool call)
{
        enum addr_family family = rng_chance(rng, 50) ? ADDR_V4 : ADDR_V6;
        size_t map = rng_below(rng, SETS / 3) * 3 + 1 + rng_below(rng, 2);

        rule->matches_len = rng_below(rng, 3);
        rule->matches = arena_array(build->ruleset->arena, rule->matches_len, sizeof(*rule->matches));
        if (!rule->matches)
                return -ENOMEM;
        for (size_t i = 0; i < rule->matches_len; ++i)
                fill_match(build, rng, family, &rule->matches[i]);
        rule->comment = comment(rng);
        rule->counter = rng_chance(rng, 40);
        if (call && suits(key_of(map), family) && !asks_port_of_icmpv6(rule, key_of(map)) && rng_chance(rng, 70)) {
                rule->action = RS_DO_VMAP;
                rule->map = name(build, "map", map);
                rule->field = field_of(key_of(map), rng);
        } else {
                rule->action = RS_DO_VERDICT;
                rule->verdict = verdict(build, rng, call);
        }
        return 0;
}

static int add_chain(struct build *build, size_t i)
{
        struct rng rng = rng_of(build, CHAIN, i, 0);
        struct rs_chain *chain = rs_table_add_chain(build->table, name(build, "chain", i));
        int r = 0;

        if (!chain)
                return -ENOMEM;
        if (i < FIRST_LEAF && rng_chance(&rng, 60)) {
                chain->hook = rng_chance(&rng, 80) ? RS_HOOK_FORWARD : RS_HOOK_INPUT;
                chain->priority = (int32_t)rng_below(&rng, 40) - 20;
        }
        for (size_t j = 0; r == 0 && j < RULES; ++j) {
                struct rng rule_rng = rng_of(build, RULE, i, j);
                struct rs_rule *rule;

                if (rng_chance(&rule_rng, 40))
                        continue;
                rule = rs_chain_add_rule(chain);
                r = rule ? fill_rule(build, &rule_rng, rule, i < FIRST_LEAF) : -ENOMEM;
        }
        return r;
}

/* All chains and sets that rules and elements may name are there; others come and go. */
static int add_table(struct build *build, size_t i)
{
        struct rng rng = rng_of(build, TABLE, i, 0);
        size_t order[SETS];
        int r = 0;

        if (i > 0 && rng_chance(&rng, 60))
                return 0;
        build->table = ruleset_add_table(build->ruleset, i == 0 ? RS_INET : RS_BRIDGE, "vethwall");
        if (!build->table)
                return -ENOMEM;
        order_of(build, SET, 0, order, SETS);
        for (size_t j = 0; r == 0 && j < SETS; ++j)
                r = add_set(build, order[j]);
        order_of(build, CHAIN, 0, order, CHAINS);
        for (size_t j = 0; r == 0 && j < CHAINS; ++j)
                r = add_chain(build, order[j]);
        for (size_t j = 0; r == 0 && j < 2; ++j) {
                build->table_id |= 8; /* sets and chains of another kind: nobody names them */
                if (rng_chance(&rng, 50) && !rs_table_add_chain(build->table, name(build, "extra", j)))
                        r = -ENOMEM;
                if (r == 0 && rng_chance(&rng, 50))
                        r = add_set(build, SETS + 1 + j);
        }
        return r;
}

int random_ruleset(struct ruleset **ret, const struct random_ruleset *how)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct build build = {.how = how};
        size_t order[2];
        int r;

        r = ruleset_new(&ruleset);
        if (r < 0)
                return r;
        build.ruleset = ruleset;
        order_of(&build, TABLE, 0, order, ARRAY_SIZE(order));
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(order); ++i) {
                build.table_id = order[i];
                r = add_table(&build, order[i]);
        }
        if (r < 0)
                return r;
        ruleset_seal(ruleset);
        *ret = steal(ruleset);
        return 0;
}
