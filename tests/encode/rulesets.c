/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rulesets for tests of the nftables room. What runs out of memory here aborts: such a test has nothing to say. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/arena.h>

#include "rulesets.h"

static void *must(void *p)
{
        if (!p)
                abort();
        return p;
}

/* What rng choices are made with; splitmix64. */
struct rng {
        uint64_t state;
};

static uint64_t next(struct rng *rng)
{
        uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        return z ^ z >> 31;
}

static uint32_t below(struct rng *rng, uint32_t n)
{
        return (uint32_t)(next(rng) % n);
}

static bool chance(struct rng *rng, uint32_t percent)
{
        return below(rng, 100) < percent;
}

static struct rs_elem *add_elem(struct rs_set *set, const uint8_t *key, const uint8_t *key_end)
{
        struct rs_elem *elem = must(rs_set_add_elem(set));

        memcpy(elem->key, key, RS_KEY_SIZE_MAX);
        memcpy(elem->key_end, key_end ? key_end : key, RS_KEY_SIZE_MAX);
        elem->origin = RS_ORIGIN_NONE;
        return elem;
}

/* One part of a key from a number below 256. The numbers spread over the whole space: 0 is the lowest value, 255 the
 * highest where fill says so. */
static void fill_part(uint8_t *part, size_t size, uint8_t number, bool top)
{
        memset(part, top ? 0xff : 0, size);
        part[0] = number;
}

static const struct {
        size_t parts_len;
        size_t sizes[2];
} layouts[] = {
        [RS_KEY_ADDR4] = {1, {4}},           [RS_KEY_ADDR6] = {1, {16}}, [RS_KEY_ADDR4_PAIR] = {2, {4, 4}},
        [RS_KEY_ADDR6_PAIR] = {2, {16, 16}}, [RS_KEY_PROTO] = {1, {1}},  [RS_KEY_PROTO_PORT] = {2, {1, 2}},
        [RS_KEY_ICMPV6_TYPE] = {1, {1}},
};

static void make_key(uint8_t *key, enum rs_key type, uint8_t a, uint8_t b, bool top)
{
        memset(key, 0, RS_KEY_SIZE_MAX);
        fill_part(key, layouts[type].sizes[0], a, top);
        if (layouts[type].parts_len > 1)
                fill_part(key + (layouts[type].sizes[0] + 3) / 4 * 4, layouts[type].sizes[1], b, top);
}

static const char *const comments[] = {"shop/web ingress 0", "a", "default", NULL, "x: y (z), \xc3\xa4"};
#define CHAINS_MAX 8
#define CHAIN_FORMAT "out_%u"

static void random_verdict(struct rng *rng, struct ruleset *ruleset, struct rs_verdict *ret, uint32_t first_chain)
{
        ret->kind = below(rng, first_chain < CHAINS_MAX ? RS_VERDICT_MAX : RS_JUMP);
        ret->chain = NULL;
        if (ret->kind == RS_JUMP || ret->kind == RS_GOTO)
                ret->chain = must(
                        arena_printf(ruleset->arena, CHAIN_FORMAT, first_chain + below(rng, CHAINS_MAX - first_chain)));
}

static void random_elem(struct rng *rng, struct ruleset *ruleset, struct rs_set *set, const uint8_t *key,
                        const uint8_t *key_end)
{
        struct rs_elem *elem = add_elem(set, key, key_end);

        if (set->map)
                random_verdict(rng, ruleset, &elem->verdict, 0);
        if (chance(rng, 50))
                elem->comment = comments[below(rng, ARRAY_SIZE(comments))];
}

/* Ranges between rng cuts, many of them adjacent. For concatenations the second part is cut again for each. */
static void random_ranges(struct rng *rng, struct ruleset *ruleset, struct rs_set *set)
{
        uint8_t key[RS_KEY_SIZE_MAX], key_end[RS_KEY_SIZE_MAX];
        uint32_t steps[] = {1, 1, 2, 7, 60, 200};

        for (uint32_t a = below(rng, 3), step; a < 256; a += step) {
                step = steps[below(rng, ARRAY_SIZE(steps))];
                if (chance(rng, 40))
                        continue;
                uint32_t last = a + step > 256 || chance(rng, 10) ? 255 : a + step - 1;
                bool two = layouts[set->key].parts_len > 1 && chance(rng, 50);
                uint32_t cut = two ? 1 + below(rng, 254) : 255;

                make_key(key, set->key, (uint8_t)a, 0, false);
                make_key(key_end, set->key, (uint8_t)last, (uint8_t)cut, chance(rng, 90));
                if (memcmp(key, key_end, sizeof(key)) > 0)
                        continue;
                random_elem(rng, ruleset, set, key, key_end);
                if (two) {
                        make_key(key, set->key, (uint8_t)a, (uint8_t)(cut + 1), false);
                        make_key(key_end, set->key, (uint8_t)last, 255, true);
                        random_elem(rng, ruleset, set, key, key_end);
                }
                a = last + 1 - step;
        }
}

static void random_keys(struct rng *rng, struct ruleset *ruleset, struct rs_set *set)
{
        uint8_t key[RS_KEY_SIZE_MAX];

        for (uint32_t a = 0; a < 256; a += 1 + below(rng, 40)) {
                make_key(key, set->key, (uint8_t)a, (uint8_t)(a * 7), false);
                random_elem(rng, ruleset, set, key, NULL);
        }
}

/* Every form a set can have is there with one name; a few are left out. */
static void random_sets(struct rng *rng, struct ruleset *ruleset, struct rs_table *table)
{
        for (enum rs_key key = RS_KEY_ADDR4; key < RS_KEY_MAX; key++)
                for (unsigned form = 0; form < 4; form++) {
                        struct rs_set *set;

                        if (chance(rng, 20))
                                continue;
                        set = must(rs_table_add_set(table, must(arena_printf(ruleset->arena, "set_%u_%u", key, form)),
                                                    key));
                        set->map = form & 1;
                        set->interval = form & 2;
                        set->counter = key & 1;
                        if (chance(rng, 10))
                                continue;
                        if (set->interval)
                                random_ranges(rng, ruleset, set);
                        else
                                random_keys(rng, ruleset, set);
                }
}

static bool is_ipv6_key(enum rs_key key)
{
        return key == RS_KEY_ADDR6 || key == RS_KEY_ADDR6_PAIR || key == RS_KEY_ICMPV6_TYPE;
}

static bool is_ipv4_key(enum rs_key key)
{
        return key == RS_KEY_ADDR4 || key == RS_KEY_ADDR4_PAIR;
}

static enum rs_field field_of(struct rng *rng, enum rs_key key)
{
        static const enum rs_field fields[] = {
                [RS_KEY_ADDR4] = RS_FIELD_SADDR,
                [RS_KEY_ADDR6] = RS_FIELD_SADDR,
                [RS_KEY_ADDR4_PAIR] = RS_FIELD_SADDR_DADDR,
                [RS_KEY_ADDR6_PAIR] = RS_FIELD_SADDR_DADDR,
                [RS_KEY_PROTO] = RS_FIELD_PROTO,
                [RS_KEY_PROTO_PORT] = RS_FIELD_PROTO_DPORT,
                [RS_KEY_ICMPV6_TYPE] = RS_FIELD_ICMPV6_TYPE,
        };

        return fields[key] == RS_FIELD_SADDR && chance(rng, 50) ? RS_FIELD_DADDR : fields[key];
}

/* A set of the table that is a map or not and fits a rule on packets of this family; NULL: none found. */
static const struct rs_set *pick_set(struct rng *rng, const struct rs_table *table, bool map, bool ipv6)
{
        for (unsigned i = 0; i < 20 && table->sets_len > 0; i++) {
                const struct rs_set *set = &table->sets[below(rng, (uint32_t)table->sets_len)];

                if (set->map == map && (ipv6 ? !is_ipv4_key(set->key) : !is_ipv6_key(set->key)))
                        return set;
        }
        return NULL;
}

static void random_match(struct rng *rng, const struct rs_table *table, bool ipv6, struct rs_match *match)
{
        static const char *const ifnames[] = {"docker0", "br-*", "veth*", "br-0123456789a*", "abcdefghijklmno"};
        const struct rs_set *set = pick_set(rng, table, false, ipv6);

        match->kind = below(rng, RS_MATCH_MAX);
        if (match->kind == RS_MATCH_CT_STATE && table->family == RS_BRIDGE)
                match->kind = RS_MATCH_IIFNAME;
        if (match->kind == RS_MATCH_SET && !set)
                match->kind = RS_MATCH_OIFNAME;
        match->ct_state = 1 + below(rng, 15);
        match->ifname = ifnames[below(rng, ARRAY_SIZE(ifnames))];
        if (match->kind == RS_MATCH_SET) {
                match->set = set->name;
                match->field = field_of(rng, set->key);
                match->negate = chance(rng, 30);
        }
}

/* Only base chains look into maps, and chains lead to later ones alone, so that there is no loop. */
static void random_rule(struct rng *rng, struct ruleset *ruleset, struct rs_table *table, struct rs_chain *chain,
                        uint32_t first_chain)
{
        struct rs_rule *rule = must(rs_chain_add_rule(chain));
        bool ipv6 = chance(rng, 50);
        const struct rs_set *map = chain->hook != RS_HOOK_NONE ? pick_set(rng, table, true, ipv6) : NULL;

        rule->origin = RS_ORIGIN_NONE;
        rule->matches_len = below(rng, 4);
        rule->matches = must(arena_array(ruleset->arena, rule->matches_len + 1, sizeof(*rule->matches)));
        for (size_t i = 0; i < rule->matches_len; i++)
                random_match(rng, table, ipv6, &rule->matches[i]);
        rule->counter = chance(rng, 40);
        if (chance(rng, 40))
                rule->comment = comments[below(rng, ARRAY_SIZE(comments))];
        if (map && chance(rng, 60)) {
                rule->action = RS_DO_VMAP;
                rule->map = map->name;
                rule->field = field_of(rng, map->key);
        } else {
                rule->action = RS_DO_VERDICT;
                random_verdict(rng, ruleset, &rule->verdict, first_chain);
        }
}

static void random_chains(struct rng *rng, struct ruleset *ruleset, struct rs_table *table)
{
        static const char *const names[] = {
                [RS_HOOK_PREROUTING] = "pre", [RS_HOOK_INPUT] = "in",         [RS_HOOK_FORWARD] = "forward",
                [RS_HOOK_OUTPUT] = "out",     [RS_HOOK_POSTROUTING] = "post",
        };
        struct rs_chain *chain;

        /* All regular chains are there, because elements may name any of them. */
        for (uint32_t i = 0; i < CHAINS_MAX; i++) {
                chain = must(rs_table_add_chain(table, must(arena_printf(ruleset->arena, CHAIN_FORMAT, i))));
                for (uint32_t rules = below(rng, 4); rules > 0; rules--)
                        random_rule(rng, ruleset, table, chain, i + 1);
        }
        for (enum rs_hook hook = RS_HOOK_PREROUTING; hook < RS_HOOK_MAX; hook++) {
                if (chance(rng, 40))
                        continue;
                chain = must(rs_table_add_chain(table, names[hook]));
                chain->hook = hook;
                chain->priority = chance(rng, 3) ? -200 : -10;
                for (uint32_t rules = below(rng, 10); rules > 0; rules--)
                        random_rule(rng, ruleset, table, chain, 0);
        }
}

struct ruleset *ruleset_random(uint64_t seed)
{
        struct rng rng = {.state = seed};
        struct ruleset *ruleset;

        if (ruleset_new(&ruleset) < 0)
                abort();
        for (enum rs_family family = RS_INET; family < RS_FAMILY_MAX; family++) {
                struct rs_table *table;

                if (chance(&rng, 15))
                        continue;
                table = must(ruleset_add_table(ruleset, family, "vethwall"));
                random_sets(&rng, ruleset, table);
                random_chains(&rng, ruleset, table);
        }
        ruleset_seal(ruleset);
        return ruleset;
}

static struct rs_rule *add_rule(struct ruleset *ruleset, struct rs_chain *chain, size_t matches_len)
{
        struct rs_rule *rule = must(rs_chain_add_rule(chain));

        rule->origin = RS_ORIGIN_NONE;
        rule->matches_len = matches_len;
        rule->matches = must(arena_array(ruleset->arena, matches_len + 1, sizeof(*rule->matches)));
        return rule;
}

/* A rule for each set: a map decides, a set is matched, once plainly and once negated. */
static void sample_lookups(struct ruleset *ruleset, const struct rs_table *table, struct rs_chain *chain,
                           enum rs_field field, const struct rs_set *set)
{
        for (unsigned i = 0; i < 4; i++) {
                struct rs_rule *rule = add_rule(ruleset, chain, set->map ? 0 : 1);

                rule->counter = i & 2;
                if (set->map) {
                        rule->action = RS_DO_VMAP;
                        rule->field = field;
                        rule->map = set->name;
                } else {
                        rule->matches[0] = (struct rs_match){
                                .kind = RS_MATCH_SET, .field = field, .set = set->name, .negate = i & 1};
                        rule->verdict.kind = i & 1 ? RS_DROP : RS_RETURN;
                }
                if (i == 3)
                        rule->comment = table->family == RS_INET ? "shop/web egress 3" : "shop/web ingress 1";
        }
}

static void sample_sets(struct ruleset *ruleset, struct rs_table *table)
{
        uint8_t key[RS_KEY_SIZE_MAX], key_end[RS_KEY_SIZE_MAX];

        for (enum rs_key type = RS_KEY_ADDR4; type < RS_KEY_MAX; type++)
                for (unsigned form = 0; form < 8; form++) {
                        struct rs_set *set = must(rs_table_add_set(
                                table, must(arena_printf(ruleset->arena, "s_%u_%u", type, form)), type));

                        set->map = form & 1;
                        set->interval = form & 2;
                        set->counter = form & 4;
                        for (unsigned i = 0; i < RS_VERDICT_MAX; i++) {
                                struct rs_elem *elem;

                                /* The first range starts at the lowest key, the last reaches the highest; the
                                 * second and third are adjacent. */
                                make_key(key, type, (uint8_t)(i < 4 ? 3 * i : 250), (uint8_t)i, false);
                                make_key(key_end, type, (uint8_t)(i == 1 ? 5 : i < 4 ? 3 * i + 1 : 255), 255, true);
                                elem = add_elem(set, key, set->interval ? key_end : key);
                                elem->comment = i == 2 ? "why" : NULL;
                                if (!set->map)
                                        continue;
                                elem->verdict.kind = i;
                                if (i >= RS_JUMP)
                                        elem->verdict.chain = "out_1";
                        }
                }
}

static void sample_table(struct ruleset *ruleset, enum rs_family family, bool ct)
{
        static const enum rs_field fields[][2] = {
                [RS_KEY_ADDR4] = {RS_FIELD_SADDR, RS_FIELD_DADDR},
                [RS_KEY_ADDR6] = {RS_FIELD_SADDR, RS_FIELD_DADDR},
                [RS_KEY_ADDR4_PAIR] = {RS_FIELD_SADDR_DADDR, RS_FIELD_MAX},
                [RS_KEY_ADDR6_PAIR] = {RS_FIELD_SADDR_DADDR, RS_FIELD_MAX},
                [RS_KEY_PROTO] = {RS_FIELD_PROTO, RS_FIELD_MAX},
                [RS_KEY_PROTO_PORT] = {RS_FIELD_PROTO_DPORT, RS_FIELD_MAX},
                [RS_KEY_ICMPV6_TYPE] = {RS_FIELD_ICMPV6_TYPE, RS_FIELD_MAX},
        };
        static const char *const ifnames[] = {"docker0", "br-*", "abcdefghijklmno", "abcdefghijklmn*", "a*"};
        struct rs_table *table = must(ruleset_add_table(ruleset, family, "vethwall"));
        struct rs_chain *chain;
        struct rs_rule *rule;

        sample_sets(ruleset, table);
        chain = must(rs_table_add_chain(table, "out_1"));
        add_rule(ruleset, chain, 0)->verdict.kind = RS_RETURN;
        chain = must(rs_table_add_chain(table, "empty"));
        chain = must(rs_table_add_chain(table, "output"));
        chain->hook = RS_HOOK_OUTPUT;
        chain->priority = 100;
        chain = must(rs_table_add_chain(table, "forward"));
        chain->hook = RS_HOOK_FORWARD;
        chain->priority = -10;
        for (uint32_t state = 1; ct && state < 16; state++) {
                rule = add_rule(ruleset, chain, 1);
                rule->matches[0] = (struct rs_match){.kind = RS_MATCH_CT_STATE, .ct_state = state};
        }
        for (size_t i = 0; i < ARRAY_SIZE(ifnames); i++) {
                rule = add_rule(ruleset, chain, 2);
                rule->matches[0] = (struct rs_match){.kind = RS_MATCH_IIFNAME, .ifname = ifnames[i]};
                rule->matches[1] = (struct rs_match){.kind = RS_MATCH_OIFNAME, .ifname = ifnames[4 - i]};
                rule->verdict = (struct rs_verdict){i & 1 ? RS_JUMP : RS_GOTO, "out_1"};
        }
        for (size_t i = 0; i < table->sets_len; i++)
                for (size_t k = 0; k < 2; k++)
                        if (fields[table->sets[i].key][k] != RS_FIELD_MAX)
                                sample_lookups(ruleset, table, chain, fields[table->sets[i].key][k], &table->sets[i]);
        /* The dependencies of one match serve the next. */
        rule = add_rule(ruleset, chain, 3);
        rule->matches[0] = (struct rs_match){.kind = RS_MATCH_SET, .field = RS_FIELD_ICMPV6_TYPE, .set = "s_6_0"};
        rule->matches[1] = (struct rs_match){.kind = RS_MATCH_SET, .field = RS_FIELD_DADDR, .set = "s_1_0"};
        rule->matches[2] = (struct rs_match){.kind = RS_MATCH_SET, .field = RS_FIELD_ICMPV6_TYPE, .set = "s_6_2"};
        rule->counter = true;
        rule->action = RS_DO_VMAP;
        rule->field = RS_FIELD_SADDR_DADDR;
        rule->map = "s_3_1";
        rule = add_rule(ruleset, chain, 2);
        rule->matches[0] = (struct rs_match){.kind = RS_MATCH_SET, .field = RS_FIELD_PROTO_DPORT, .set = "s_5_2"};
        rule->matches[1] = (struct rs_match){.kind = RS_MATCH_SET, .field = RS_FIELD_SADDR, .set = "s_0_2"};
        rule->action = RS_DO_VMAP;
        rule->field = RS_FIELD_DADDR;
        rule->map = "s_0_3";
}

struct ruleset *ruleset_sample(bool bridge_ct)
{
        struct ruleset *ruleset;

        if (ruleset_new(&ruleset) < 0)
                abort();
        sample_table(ruleset, RS_INET, true);
        sample_table(ruleset, RS_BRIDGE, bridge_ct);
        ruleset_seal(ruleset);
        return ruleset;
}

struct ruleset *ruleset_large(uint32_t len)
{
        struct ruleset *ruleset;
        struct rs_table *table;
        struct rs_chain *chain;
        struct rs_set *set;

        if (ruleset_new(&ruleset) < 0)
                abort();
        table = must(ruleset_add_table(ruleset, RS_INET, "vethwall"));
        chain = must(rs_table_add_chain(table, "out_1"));
        add_rule(ruleset, chain, 0)->verdict.kind = RS_RETURN;
        chain = must(rs_table_add_chain(table, "forward"));
        chain->hook = RS_HOOK_FORWARD;
        chain->priority = -10;
        set = must(rs_table_add_set(table, "egress4", RS_KEY_ADDR4));
        set->map = true;
        set->counter = true;
        for (uint32_t i = 0; i < len; i++) {
                uint8_t key[RS_KEY_SIZE_MAX] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
                struct rs_elem *elem = add_elem(set, key, NULL);

                elem->verdict = (struct rs_verdict){RS_JUMP, "out_1"};
                elem->comment = i % 4 == 0 ? "shop/web egress" : NULL;
        }
        sample_lookups(ruleset, table, chain, RS_FIELD_SADDR, set);
        ruleset_seal(ruleset);
        return ruleset;
}
