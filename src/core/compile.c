/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The compiler's frame: dispatch maps and base chains. compile_class.c fills in the classes.
 *
 * Theory of operation. A packet that begins a flow takes this way through table inet vethwall:
 *
 *     forward:  established or related: accept
 *               jump egress:   source address -> goto its class's chain, which returns or drops
 *               jump ingress:  destination address -> goto its class's chain, which accepts or drops
 *
 * The class chain is entered by goto, so its return leads back to the base chain; whatever falls out of a dispatch
 * map meets the lines below it, and there a managed interface means drop: what is no known endpoint passes nothing,
 * whether the agent lives or not. Traffic of a container with its own host takes the same maps in the input and
 * output hooks, or only the test for being known, as the settings say. Nothing here accepts what another table
 * drops: accept ends this table's chain, not the packet's way.
 *
 * Addresses are entered subject first, then peer. Against the other order (one map of peers, then subjects) this was
 * settled by counting elements on four worlds: see tests/bench/README.md. */
#include <vethwall/compile.h>

#include <errno.h>
#include <string.h>

#include "compile_internal.h"

/* Before Docker's and netavark's chains, which sit at priority filter. */
#define PRIORITY (-10)

static const char *const family_digit[] = {[ADDR_V4] = "4", [ADDR_V6] = "6"};

struct rs_rule *compile_rule(struct compiler *c, size_t chain, size_t matches)
{
        struct rs_rule *rule = rs_chain_add_rule(&c->table->chains[chain]);

        if (!rule)
                return NULL;
        rule->origin = RS_ORIGIN_NONE;
        if (matches > 0) {
                rule->matches = arena_array(c->ruleset->arena, matches, sizeof(*rule->matches));
                if (!rule->matches)
                        return NULL;
                rule->matches_len = matches;
        }
        return rule;
}

int compile_vmap_rule(struct compiler *c, size_t chain, enum rs_field field, const char *map)
{
        struct rs_rule *rule = compile_rule(c, chain, 0);

        if (!rule)
                return -ENOMEM;
        rule->action = RS_DO_VMAP;
        rule->field = field;
        rule->map = map;
        return 0;
}

struct rs_rule *compile_set_rule(struct compiler *c, size_t chain, enum rs_field field, const char *set)
{
        struct rs_rule *rule = compile_rule(c, chain, 1);

        if (rule) {
                rule->matches[0].kind = RS_MATCH_SET;
                rule->matches[0].field = field;
                rule->matches[0].set = set;
        }
        return rule;
}

bool compile_owns(const struct compiler *c, uint32_t endpoint, const struct addr *addr)
{
        uint32_t owner;

        return str_index_get(&c->owners, addr, sizeof(*addr), &owner) && owner == endpoint;
}

/* base chains */

static size_t add_chain(struct compiler *c, const char *name, enum rs_hook hook)
{
        struct rs_chain *chain = rs_table_add_chain(c->table, name);

        if (!chain)
                return SIZE_MAX;
        chain->hook = hook;
        chain->priority = hook == RS_HOOK_NONE ? 0 : PRIORITY;
        return c->table->chains_len - 1;
}

static int ct_rule(struct compiler *c, size_t chain, uint32_t state, struct rs_verdict verdict)
{
        struct rs_rule *rule = compile_rule(c, chain, 1);

        if (!rule)
                return -ENOMEM;
        rule->matches[0].kind = RS_MATCH_CT_STATE;
        rule->matches[0].ct_state = state;
        rule->verdict = verdict;
        return 0;
}

static int set_accept_rule(struct compiler *c, size_t chain, enum rs_field field, const char *set)
{
        struct rs_rule *rule = compile_set_rule(c, chain, field, set);

        if (!rule)
                return -ENOMEM;
        rule->verdict = (struct rs_verdict){RS_ACCEPT, NULL};
        return 0;
}

static int plain_rule(struct compiler *c, size_t chain, struct rs_verdict verdict)
{
        struct rs_rule *rule = compile_rule(c, chain, 0);

        if (!rule)
                return -ENOMEM;
        rule->verdict = verdict;
        return 0;
}

/* One rule for each managed interface pattern. */
static int interface_rules(struct compiler *c, size_t chain, enum rs_match_kind kind, struct rs_verdict verdict,
                           const char *comment, uint32_t origin)
{
        const struct settings *settings = c->world->settings;

        for (size_t i = 0; i < settings->interfaces_len; i++) {
                struct rs_rule *rule = compile_rule(c, chain, 1);

                if (!rule)
                        return -ENOMEM;
                rule->matches[0].kind = kind;
                rule->matches[0].ifname = arena_strdup(c->ruleset->arena, settings->interfaces[i]);
                if (!rule->matches[0].ifname)
                        return -ENOMEM;
                rule->verdict = verdict;
                rule->comment = comment;
                rule->counter = comment;
                rule->origin = origin;
        }
        return 0;
}

static int special_origin(struct compiler *c, enum direction direction, const char *reason, uint32_t *ret)
{
        struct rs_origin origin = {
                .direction = direction,
                .action = ACTION_DENY,
                .tier = TIER_DEFAULT,
                .ns = "",
                .policy = "",
                .rule = -1,
                .reason = reason,
        };

        return compile_add_origin(c, &origin, NULL, ret);
}

/* Ends a chain: what came this far belongs to no known endpoint. */
static int unknown_rules(struct compiler *c, size_t chain, enum direction direction)
{
        uint32_t origin;
        int r;

        if (!c->world->settings->unknown_deny)
                return 0;
        r = special_origin(c, direction, "unknown-endpoint", &origin);
        if (r < 0)
                return r;
        return interface_rules(c, chain, direction == DIR_EGRESS ? RS_MATCH_IIFNAME : RS_MATCH_OIFNAME,
                               (struct rs_verdict){RS_DROP, NULL}, "unknown endpoint", origin);
}

/* The same for a chain that only managed interfaces lead to. */
static int unknown_rule(struct compiler *c, size_t chain, enum direction direction)
{
        struct rs_rule *rule = compile_rule(c, chain, 0);

        if (!rule)
                return -ENOMEM;
        rule->verdict = (struct rs_verdict){RS_DROP, NULL};
        rule->counter = true;
        rule->comment = "unknown endpoint";
        return special_origin(c, direction, "unknown-endpoint", &rule->origin);
}

/* What every hook begins with: flows that were let in before, and neighbour discovery, without which IPv6 does not
 * work at all (RFC 4861; it never leaves the link). */
static int begin_hook(struct compiler *c, size_t chain)
{
        int r = ct_rule(c, chain, RS_CT_ESTABLISHED | RS_CT_RELATED, (struct rs_verdict){RS_ACCEPT, NULL});

        if (r < 0)
                return r;
        return set_accept_rule(c, chain, RS_FIELD_ICMPV6_TYPE, "neighbour_discovery");
}

static int forward_chain(struct compiler *c, const bool self[static ADDR_FAMILY_MAX])
{
        size_t chain = add_chain(c, "forward", RS_HOOK_FORWARD), invalid;
        uint32_t origin;
        int r;

        if (chain == SIZE_MAX)
                return -ENOMEM;
        r = begin_hook(c, chain);
        if (r == 0 && c->world->settings->interfaces_len > 0) {
                /* Conntrack does not translate invalid packets: they would leave with the container's own address. Only
                 * on managed interfaces: the host's other traffic is none of our business. */
                r = ct_rule(c, chain, RS_CT_INVALID, (struct rs_verdict){RS_JUMP, "invalid"});
                if (r == 0)
                        r = special_origin(c, DIR_EGRESS, "invalid", &origin);
                invalid = add_chain(c, "invalid", RS_HOOK_NONE);
                if (invalid == SIZE_MAX)
                        return -ENOMEM;
                for (int side = 0; r == 0 && side < 2; side++)
                        r = interface_rules(c, invalid, side ? RS_MATCH_OIFNAME : RS_MATCH_IIFNAME,
                                            (struct rs_verdict){RS_DROP, NULL}, "invalid state", origin);
        }
        if (r == 0 && self[ADDR_V4])
                r = set_accept_rule(c, chain, RS_FIELD_SADDR_DADDR, "self4");
        if (r == 0 && self[ADDR_V6])
                r = set_accept_rule(c, chain, RS_FIELD_SADDR_DADDR, "self6");
        if (r == 0)
                r = plain_rule(c, chain, (struct rs_verdict){RS_JUMP, "egress"});
        if (r == 0)
                r = plain_rule(c, chain, (struct rs_verdict){RS_JUMP, "ingress"});
        return r;
}

/* input: from a container to its host; output: from the host to a container. */
static int host_chain(struct compiler *c, enum direction direction)
{
        bool from = direction == DIR_EGRESS;
        const struct settings *settings = c->world->settings;
        enum rs_field field = from ? RS_FIELD_SADDR : RS_FIELD_DADDR;
        const char *known = from ? "from_container" : "to_container";
        size_t chain, sub;
        int r;

        if (!settings->host_policy && !settings->unknown_deny)
                return 0;
        chain = add_chain(c, from ? "input" : "output", from ? RS_HOOK_INPUT : RS_HOOK_OUTPUT);
        if (chain == SIZE_MAX)
                return -ENOMEM;
        r = begin_hook(c, chain);
        if (r < 0)
                return r;
        if (settings->host_policy)
                return plain_rule(c, chain, (struct rs_verdict){RS_JUMP, from ? "egress" : "ingress"});

        r = interface_rules(c, chain, from ? RS_MATCH_IIFNAME : RS_MATCH_OIFNAME, (struct rs_verdict){RS_JUMP, known},
                            NULL, RS_ORIGIN_NONE);
        sub = add_chain(c, known, RS_HOOK_NONE);
        if (sub == SIZE_MAX)
                return -ENOMEM;
        if (r == 0)
                r = set_accept_rule(c, sub, field, "endpoints4");
        if (r == 0)
                r = set_accept_rule(c, sub, field, "endpoints6");
        return r == 0 ? unknown_rule(c, sub, direction) : r;
}

/* dispatch maps */

static struct rs_elem *add_addr_elem(struct rs_set *set, const struct addr *addr)
{
        struct rs_elem *elem = rs_set_add_elem(set);

        if (elem) {
                rs_key_addr(elem->key, addr);
                memcpy(elem->key_end, elem->key, sizeof(elem->key));
                elem->origin = RS_ORIGIN_NONE;
        }
        return elem;
}

/* A map of addresses to verdicts, or a set of addresses; *ret is its index in table->sets. */
static int add_addr_set(struct compiler *c, const char *stem, enum addr_family family, bool map, size_t *ret)
{
        const char *name = arena_printf(c->ruleset->arena, "%s%s", stem, family_digit[family]);
        struct rs_set *set;

        if (!name)
                return -ENOMEM;
        set = rs_table_add_set(c->table, name, family == ADDR_V4 ? RS_KEY_ADDR4 : RS_KEY_ADDR6);
        if (!set)
                return -ENOMEM;
        set->map = map;
        set->counter = map;
        *ret = c->table->sets_len - 1;
        return 0;
}

static int dispatch_class(struct compiler *c, enum direction d, uint32_t id, const size_t sets[static ADDR_FAMILY_MAX])
{
        const struct class *class = &c->world->classes[d][id];
        struct rs_verdict verdict;
        uint32_t origin;
        int r = compile_class(c, d, id, &verdict, &origin);

        if (r < 0)
                return r;
        for (size_t i = 0; i < class->identities_len; i++) {
                const struct identity *identity = &c->world->identities[class->identities[i]];

                for (size_t j = 0; j < identity->endpoints_len; j++) {
                        const struct endpoint *endpoint = &c->world->inventory->endpoints[identity->endpoints[j]];
                        const char *comment = compile_comment(c, "%s/%s", endpoint->ns, endpoint->name);

                        for (size_t k = 0; k < endpoint->addrs_len; k++) {
                                const struct addr *addr = &endpoint->addrs[k];
                                struct rs_elem *elem;

                                if (!compile_owns(c, identity->endpoints[j], addr))
                                        continue;
                                elem = add_addr_elem(&c->table->sets[sets[addr->family]], addr);
                                if (!elem || !comment)
                                        return -ENOMEM;
                                elem->verdict = verdict;
                                elem->origin = origin;
                                elem->comment = comment;
                        }
                }
        }
        return 0;
}

static bool class_has_addrs(const struct world *world, const struct class *class)
{
        for (size_t i = 0; i < class->identities_len; i++)
                for (int f = 0; f < ADDR_FAMILY_MAX; f++)
                        if (world->identities[class->identities[i]].addrs_len[f] > 0)
                                return true;
        return false;
}

static int dispatch(struct compiler *c, enum direction d)
{
        static const char *const stems[] = {[DIR_INGRESS] = "ingress", [DIR_EGRESS] = "egress"};
        size_t chain = add_chain(c, stems[d], RS_HOOK_NONE);
        size_t sets[ADDR_FAMILY_MAX];
        int r = chain == SIZE_MAX ? -ENOMEM : 0;

        for (enum addr_family f = 0; r == 0 && f < ADDR_FAMILY_MAX; f++) {
                r = add_addr_set(c, stems[d], f, true, &sets[f]);
                if (r == 0)
                        r = compile_vmap_rule(c, chain, d == DIR_EGRESS ? RS_FIELD_SADDR : RS_FIELD_DADDR,
                                              c->table->sets[sets[f]].name);
        }
        if (r == 0)
                r = unknown_rules(c, chain, d);
        for (uint32_t i = 0; r == 0 && i < c->world->classes_len[d]; i++)
                if (class_has_addrs(c->world, &c->world->classes[d][i]))
                        r = dispatch_class(c, d, i, sets);
        return r;
}

/* Whether anything could keep the endpoint from itself. */
static bool is_restricted(const struct world *world, const struct identity *identity)
{
        if (world->settings->default_action == ACTION_DENY)
                return true;
        for (int d = 0; d < DIR_MAX; d++)
                if (world->classes[d][identity->class[d]].policies_len > 0)
                        return true;
        return false;
}

/* An endpoint can always reach itself, which a packet of it can only need after a translation of its destination (a
 * container that calls its own published port). */
static int add_self(struct compiler *c, bool ret[static ADDR_FAMILY_MAX])
{
        const struct world *world = c->world;
        size_t sets[ADDR_FAMILY_MAX] = {SIZE_MAX, SIZE_MAX};

        for (uint32_t i = 0; i < world->inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &world->inventory->endpoints[i];
                uint32_t id = world->endpoint_identity[i];

                if (id == NONE || !is_restricted(world, &world->identities[id]))
                        continue;
                for (size_t j = 0; j < endpoint->addrs_len * endpoint->addrs_len; j++) {
                        const struct addr *a = &endpoint->addrs[j / endpoint->addrs_len];
                        const struct addr *b = &endpoint->addrs[j % endpoint->addrs_len];
                        enum addr_family f = a->family;
                        struct rs_elem *elem;

                        if (a->family != b->family || !compile_owns(c, i, a) || !compile_owns(c, i, b))
                                continue;
                        if (sets[f] == SIZE_MAX) {
                                if (!rs_table_add_set(c->table, f == ADDR_V4 ? "self4" : "self6",
                                                      f == ADDR_V4 ? RS_KEY_ADDR4_PAIR : RS_KEY_ADDR6_PAIR))
                                        return -ENOMEM;
                                sets[f] = c->table->sets_len - 1;
                                ret[f] = true;
                        }
                        elem = rs_set_add_elem(&c->table->sets[sets[f]]);
                        if (!elem)
                                return -ENOMEM;
                        rs_key_addr_pair(elem->key, a, b);
                        memcpy(elem->key_end, elem->key, sizeof(elem->key));
                        elem->origin = RS_ORIGIN_NONE;
                }
        }
        return 0;
}

static int add_known(struct compiler *c)
{
        const struct inventory *inventory = c->world->inventory;
        const struct settings *settings = c->world->settings;
        size_t sets[ADDR_FAMILY_MAX];

        if (settings->host_policy || !settings->unknown_deny)
                return 0;
        for (enum addr_family f = 0; f < ADDR_FAMILY_MAX; f++) {
                int r = add_addr_set(c, "endpoints", f, false, &sets[f]);

                if (r < 0)
                        return r;
        }
        for (uint32_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i];

                for (size_t j = 0; j < endpoint->addrs_len; j++)
                        if (compile_owns(c, i, &endpoint->addrs[j]) &&
                            !add_addr_elem(&c->table->sets[sets[endpoint->addrs[j].family]], &endpoint->addrs[j]))
                                return -ENOMEM;
        }
        return 0;
}

static int add_neighbour_discovery(struct compiler *c)
{
        struct rs_set *set = rs_table_add_set(c->table, "neighbour_discovery", RS_KEY_ICMPV6_TYPE);

        if (!set)
                return -ENOMEM;
        for (uint8_t type = 133; type <= 137; type++) {
                struct rs_elem *elem = rs_set_add_elem(set);

                if (!elem)
                        return -ENOMEM;
                elem->key[0] = elem->key_end[0] = type;
                elem->origin = RS_ORIGIN_NONE;
        }
        return 0;
}

/* preparation */

static int find_owners(struct compiler *c)
{
        const struct inventory *inventory = c->world->inventory;

        for (uint32_t i = 0; i < inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &inventory->endpoints[i];

                for (size_t j = 0; !endpoint->host_network && j < endpoint->addrs_len; j++) {
                        uint32_t other;
                        int r;

                        if (str_index_get(&c->owners, &endpoint->addrs[j], sizeof(struct addr), &other))
                                continue;
                        r = str_index_put(&c->owners, &endpoint->addrs[j], sizeof(struct addr), i);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* In how many class chains each group would be spelt out. */
static void count_group_uses(struct compiler *c, uint32_t *seen)
{
        const struct world *world = c->world;
        uint32_t stamp = 0;

        for (int d = 0; d < DIR_MAX; d++) {
                for (size_t i = 0; i < world->classes_len[d]; i++) {
                        const struct class *class = &world->classes[d][i];

                        stamp++;
                        if (!class_has_addrs(world, class))
                                continue;
                        for (size_t j = 0; j < class->rules_len; j++) {
                                const struct world_rule *rule = &world->rules[d][class->rules[j]];

                                for (size_t k = 0; k < rule->groups_len; k++) {
                                        if (seen[rule->groups[k]] == stamp)
                                                continue;
                                        seen[rule->groups[k]] = stamp;
                                        c->group_uses[rule->groups[k]]++;
                                }
                        }
                }
        }
}

static int prepare(struct compiler *c)
{
        const struct world *world = c->world;
        _cleanup_free_ uint32_t *seen = calloc(world->groups_len + 1, sizeof(*seen));

        c->group_uses = calloc(world->groups_len + 1, sizeof(*c->group_uses));
        c->wide = calloc(world->identities_len + 1, sizeof(*c->wide));
        if (!seen || !c->group_uses || !c->wide)
                return -ENOMEM;
        for (int f = 0; f < ADDR_FAMILY_MAX; f++) {
                c->group_made[f] = calloc(world->groups_len + 1, sizeof(*c->group_made[f]));
                c->group_sets[f] = calloc(world->groups_len + 1, sizeof(*c->group_sets[f]));
                if (!c->group_made[f] || !c->group_sets[f])
                        return -ENOMEM;
        }
        count_group_uses(c, seen);
        return find_owners(c);
}

static void compiler_fini(struct compiler *c)
{
        ruleset_free(c->ruleset);
        free(c->origins);
        free(c->origin_comments);
        free(c->group_uses);
        free(c->wide);
        for (int f = 0; f < ADDR_FAMILY_MAX; f++) {
                free(c->group_made[f]);
                free(c->group_sets[f]);
        }
        for (int d = 0; d < DIR_MAX; d++)
                free(c->profiles[d]);
        str_index_fini(&c->origin_index);
        str_index_fini(&c->names);
        str_index_fini(&c->owners);
}

static int compile_table(struct compiler *c)
{
        bool self[ADDR_FAMILY_MAX] = {false};
        int r = prepare(c);

        if (r == 0)
                r = add_neighbour_discovery(c);
        if (r == 0)
                r = add_self(c, self);
        if (r == 0)
                r = add_known(c);
        if (r == 0)
                r = forward_chain(c, self);
        if (r == 0)
                r = host_chain(c, DIR_EGRESS);
        if (r == 0)
                r = host_chain(c, DIR_INGRESS);
        if (r == 0)
                r = dispatch(c, DIR_EGRESS);
        if (r == 0)
                r = dispatch(c, DIR_INGRESS);
        return r;
}

int compile(struct ruleset **ret, struct world *world)
{
        _cleanup_(compiler_fini) struct compiler c = {.world = world};
        int r = ruleset_new(&c.ruleset);

        if (r < 0)
                return r;
        c.table = ruleset_add_table(c.ruleset, RS_INET, RULESET_TABLE);
        if (!c.table)
                return -ENOMEM;
        r = compile_table(&c);
        if (r < 0)
                return r;
        c.ruleset->origins = arena_memdup(c.ruleset->arena, c.origins, c.origins_len * sizeof(*c.origins));
        if (c.origins_len > 0 && !c.ruleset->origins)
                return -ENOMEM;
        c.ruleset->origins_len = c.origins_len;
        ruleset_seal(c.ruleset);
        *ret = steal(c.ruleset);
        return 0;
}
