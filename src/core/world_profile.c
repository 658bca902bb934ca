/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a class says to a peer: from the rules that match the peer to the verdict for every port, shared by
 * content. Part of the world; world.c builds it. */
#include <vethwall/world.h>

#include <errno.h>
#include <string.h>

#include "world_internal.h"

static const uint8_t port_protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

bool cause_equal(const struct cause *a, const struct cause *b)
{
        return a->action == b->action && a->tier == b->tier && a->policy == b->policy && a->rule == b->rule;
}

const struct cause *profile_at(const struct profile *profile, uint8_t protocol, uint16_t port)
{
        for (size_t i = 0; i < profile->spans_len; i++) {
                const struct profile_span *span = &profile->spans[i];

                if (span->protocol == protocol && span->ports.first <= port && port <= span->ports.last)
                        return &span->cause;
        }
        return &profile->other;
}

/* rule lists */

int world_intern_list(struct world *world, const uint32_t *rules, size_t len, uint32_t *ret)
{
        struct rule_list list = {.len = len};
        int r;

        if (str_index_get(&world->list_index, rules, len * sizeof(*rules), ret))
                return 0;
        list.rules = arena_memdup(world->arena, rules, len * sizeof(*rules));
        if (!list.rules)
                return -ENOMEM;
        r = array_reserve(&world->lists, &world->lists_cap, world->lists_len + 1, sizeof(list));
        if (r < 0)
                return r;
        r = str_index_put(&world->list_index, list.rules, len * sizeof(*rules), (uint32_t)world->lists_len);
        if (r < 0)
                return r;
        *ret = (uint32_t)world->lists_len;
        world->lists[world->lists_len++] = list;
        return 0;
}

/* profiles */

/* What decides a port: the class, the rules that match the peer, and who resolves port names. */
struct judge {
        const struct world *world;
        enum direction direction;
        const struct class *class;
        const uint32_t *rules; /* ascending: the order in which they decide */
        size_t rules_len;
        const struct named_port *names;
        size_t names_len;
};

/* The ports of one protocol that each of a judge's rules speaks of: ascending, disjoint, no two that touch. A rule may list
 * thousands of them one by one. */
struct reach {
        struct port_range *ranges; /* owned */
        size_t *ends;              /* owned; of rule i they are those before ends[i], from ends[i - 1] on */
};

static void reach_fini(struct reach *reach)
{
        free(reach->ranges);
        free(reach->ends);
}

static int range_cmp(const void *a, const void *b)
{
        const struct port_range *x = a, *y = b;

        return (int)x->first - (int)y->first;
}

/* Sorts and joins; returns how many are left. */
static size_t join_ranges(struct port_range *ranges, size_t len)
{
        size_t n = 0;

        if (len > 1)
                qsort(ranges, len, sizeof(*ranges), range_cmp);
        for (size_t i = 0; i < len; i++) {
                if (n > 0 && ranges[i].first <= ranges[n - 1].last + 1u) {
                        if (ranges[i].last > ranges[n - 1].last)
                                ranges[n - 1].last = ranges[i].last;
                } else {
                        ranges[n++] = ranges[i];
                }
        }
        return n;
}

/* Adds the ranges of a rule behind the others. */
static int reach_add(struct reach *reach, size_t *len, size_t *cap, const struct judge *judge, const struct rule *rule,
                     uint8_t protocol)
{
        for (size_t i = 0; i < rule->ports_len; i++) {
                const struct port_match *match = &rule->ports[i];
                int r = array_reserve(&reach->ranges, cap, *len + 1 + judge->names_len, sizeof(*reach->ranges));

                if (r < 0)
                        return r;
                if (match->protocol != protocol)
                        continue;
                if (match->kind == PORT_RANGE)
                        reach->ranges[(*len)++] = match->range;
                for (size_t j = 0; match->kind == PORT_NAME && j < judge->names_len; j++)
                        if (judge->names[j].protocol == protocol && strcmp(judge->names[j].name, match->name) == 0)
                                reach->ranges[(*len)++] =
                                        (struct port_range){judge->names[j].port, judge->names[j].port};
        }
        return 0;
}

static int reach_init(struct reach *ret, const struct judge *judge, uint8_t protocol)
{
        size_t len = 0, cap = 0;

        ret->ends = calloc(judge->rules_len + 1, sizeof(*ret->ends));
        if (!ret->ends)
                return -ENOMEM;
        for (size_t i = 0; i < judge->rules_len; i++) {
                size_t first = len;
                int r = reach_add(ret, &len, &cap, judge, judge->world->rules[judge->direction][judge->rules[i]].rule,
                                  protocol);

                if (r < 0)
                        return r;
                if (len > first)
                        len = first + join_ranges(ret->ranges + first, len - first);
                ret->ends[i] = len;
        }
        return 0;
}

static bool reach_has(const struct reach *reach, size_t rule, uint16_t port)
{
        size_t low = rule > 0 ? reach->ends[rule - 1] : 0, high = reach->ends[rule];

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (port < reach->ranges[mid].first)
                        high = mid;
                else if (port > reach->ranges[mid].last)
                        low = mid + 1;
                else
                        return true;
        }
        return false;
}

/* reach NULL stands for all protocols without ports. */
static struct cause judge_port(const struct judge *judge, const struct reach *reach, uint16_t port)
{
        const struct policy *isolated_by = judge->class->isolated_by;
        bool passed[TIER_MAX] = {false};

        for (size_t i = 0; i < judge->rules_len; i++) {
                const struct world_rule *rule = &judge->world->rules[judge->direction][judge->rules[i]];
                const struct policy *policy = &judge->world->policies->policies[rule->policy];

                if (policy->tier == TIER_BASELINE && isolated_by)
                        break;
                if (passed[policy->tier] || !(rule->rule->any_port || (reach && reach_has(reach, i, port))))
                        continue;
                if (rule->rule->action == ACTION_PASS)
                        passed[policy->tier] = true;
                else
                        return (struct cause){rule->rule->action, policy->tier, policy, rule->rule};
        }
        if (isolated_by)
                return (struct cause){ACTION_DENY, TIER_NETWORK_POLICY, isolated_by, NULL};
        return (struct cause){judge->world->settings->default_action, TIER_DEFAULT, NULL, NULL};
}

static int u32_cmp(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

/* Every port at which some rule's reach begins or has ended, 0 always among them; sorted, unique. */
static int port_cuts(const struct judge *judge, const struct reach *reach, uint32_t **ret, size_t *ret_len)
{
        size_t ranges = judge->rules_len > 0 ? reach->ends[judge->rules_len - 1] : 0, len = 0, n = 0;
        uint32_t *cuts = calloc(2 * ranges + 1, sizeof(*cuts));

        if (!cuts)
                return -ENOMEM;
        cuts[len++] = 0;
        for (size_t i = 0; i < ranges; i++) {
                cuts[len++] = reach->ranges[i].first;
                cuts[len++] = reach->ranges[i].last + 1u;
        }
        qsort(cuts, len, sizeof(*cuts), u32_cmp);
        for (size_t i = 0; i < len && cuts[i] <= UINT16_MAX; i++)
                if (n == 0 || cuts[n - 1] != cuts[i])
                        cuts[n++] = cuts[i];
        *ret = cuts;
        *ret_len = n;
        return 0;
}

static int judge_protocol(const struct judge *judge, uint8_t protocol, struct profile_span **spans, size_t *len,
                          size_t *cap)
{
        _cleanup_(reach_fini) struct reach reach = {0};
        _cleanup_free_ uint32_t *cuts = NULL;
        size_t cuts_len = 0, first = *len;
        int r = reach_init(&reach, judge, protocol);

        if (r == 0)
                r = port_cuts(judge, &reach, &cuts, &cuts_len);
        if (r < 0)
                return r;
        for (size_t i = 0; i < cuts_len; i++) {
                struct profile_span span = {
                        .protocol = protocol,
                        .ports = {(uint16_t)cuts[i],
                                  i + 1 < cuts_len ? (uint16_t)(cuts[i + 1] - 1) : (uint16_t)UINT16_MAX},
                        .cause = judge_port(judge, &reach, (uint16_t)cuts[i]),
                };

                if (*len > first && cause_equal(&(*spans)[*len - 1].cause, &span.cause)) {
                        (*spans)[*len - 1].ports.last = span.ports.last;
                        continue;
                }
                r = array_reserve(spans, cap, *len + 1, sizeof(**spans));
                if (r < 0)
                        return r;
                (*spans)[(*len)++] = span;
        }
        return 0;
}

static void cause_key(struct strbuf *key, const struct cause *cause)
{
        strbuf_putc(key, (char)('0' + cause->action));
        strbuf_putc(key, (char)('0' + cause->tier));
        strbuf_add(key, (const char *)&cause->policy, sizeof(cause->policy));
        strbuf_add(key, (const char *)&cause->rule, sizeof(cause->rule));
}

static int profile_intern(struct world *world, const struct profile_span *spans, size_t len, const struct cause *other,
                          uint32_t *ret)
{
        _cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
        struct profile *profile;
        void *copy;
        int r;

        for (size_t i = 0; i < len; i++) {
                strbuf_add(&key, (const char *)&spans[i].protocol, sizeof(spans[i].protocol));
                strbuf_add(&key, (const char *)&spans[i].ports, sizeof(spans[i].ports));
                cause_key(&key, &spans[i].cause);
        }
        cause_key(&key, other);
        r = strbuf_check(&key);
        if (r < 0)
                return r;
        if (str_index_get(&world->profile_by_content, key.text, key.len, ret))
                return 0;

        copy = arena_memdup(world->arena, key.text, key.len);
        profile = arena_alloc(world->arena, sizeof(*profile));
        if (!copy || !profile)
                return -ENOMEM;
        profile->spans = arena_memdup(world->arena, spans, len * sizeof(*spans));
        if (!profile->spans)
                return -ENOMEM;
        profile->spans_len = len;
        profile->other = *other;
        profile->id = (uint32_t)world->profiles_len;
        r = array_reserve(&world->profiles, &world->profiles_cap, world->profiles_len + 1, sizeof(profile));
        if (r < 0)
                return r;
        r = str_index_put(&world->profile_by_content, copy, key.len, profile->id);
        if (r < 0)
                return r;
        world->profiles[world->profiles_len++] = profile;
        *ret = profile->id;
        return 0;
}

static int profile_make(struct world *world, const struct judge *judge, uint32_t *ret)
{
        _cleanup_free_ struct profile_span *spans = NULL;
        struct cause other = judge_port(judge, NULL, 0);
        size_t len = 0, cap = 0;

        for (size_t i = 0; i < ARRAY_SIZE(port_protocols); i++) {
                int r = judge_protocol(judge, port_protocols[i], &spans, &len, &cap);

                if (r < 0)
                        return r;
        }
        return profile_intern(world, spans, len, &other, ret);
}

/* The union of rule lists, ascending. */
static int merge_lists(const struct world *world, const uint32_t *lists, size_t len, uint32_t any, uint32_t **ret,
                       size_t *ret_len)
{
        size_t total = world->lists[any].len, n = 0, unique = 0;
        uint32_t *rules;

        for (size_t i = 0; i < len; i++)
                if (lists[i] != NONE)
                        total += world->lists[lists[i]].len;
        rules = malloc((total + 1) * sizeof(*rules));
        if (!rules)
                return -ENOMEM;
        for (size_t i = 0; i <= len; i++) {
                const struct rule_list *list;

                if (i < len && lists[i] == NONE)
                        continue;
                list = &world->lists[i < len ? lists[i] : any];
                memcpy(rules + n, list->rules, list->len * sizeof(*rules));
                n += list->len;
        }
        qsort(rules, n, sizeof(*rules), u32_cmp);
        for (size_t i = 0; i < n; i++)
                if (unique == 0 || rules[unique - 1] != rules[i])
                        rules[unique++] = rules[i];
        *ret = rules;
        *ret_len = unique;
        return 0;
}

#define LISTS_MAX 2

int world_list_profile(struct world *world, enum direction direction, uint32_t class, const uint32_t *lists, size_t len,
                       uint32_t peer, const struct profile **ret)
{
        const struct class *c = &world->classes[direction][class];
        uint32_t key[3 + LISTS_MAX] = {(uint32_t)direction, class, NONE, NONE, NONE};
        _cleanup_free_ uint32_t *rules = NULL;
        struct judge judge = {.world = world, .direction = direction, .class = c};
        uint32_t *copy;
        uint32_t id;
        int r;

        if (direction == DIR_EGRESS && c->has_names && peer != NONE)
                key[2] = world->identities[peer].ports_id;
        for (size_t i = 0; i < len; i++)
                key[3 + i] = lists[i];
        if (str_index_get(&world->profile_by_list, key, sizeof(key), &id)) {
                *ret = world->profiles[id];
                return 0;
        }

        r = merge_lists(world, lists, len, c->any_list, &rules, &judge.rules_len);
        if (r < 0)
                return r;
        judge.rules = rules;
        if (direction == DIR_INGRESS) {
                judge.names = c->ports;
                judge.names_len = c->ports_len;
        } else if (peer != NONE) {
                judge.names = world->identities[peer].ports;
                judge.names_len = world->identities[peer].ports_len;
        }
        r = profile_make(world, &judge, &id);
        if (r < 0)
                return r;
        copy = arena_memdup(world->arena, key, sizeof(key));
        if (!copy)
                return -ENOMEM;
        r = str_index_put(&world->profile_by_list, copy, sizeof(key), id);
        if (r < 0)
                return r;
        *ret = world->profiles[id];
        return 0;
}

int world_profile(struct world *world, enum direction direction, uint32_t class, size_t endpoint,
                  const struct addr *addr, const struct profile **ret)
{
        struct class *c = &world->classes[direction][class];
        uint32_t peer = endpoint == WORLD_OUTSIDE ? NONE : world->endpoint_identity[endpoint];
        uint32_t lists[LISTS_MAX];
        bool bare;
        int r = world_resolve_class(world, direction, class);

        if (r < 0)
                return r;
        lists[0] = peer == NONE ? NONE : class_peer_list(c, peer);
        lists[1] = addr ? class_blocks_at(c, addr) : NONE;
        bare = lists[0] == NONE && lists[1] == NONE && !(direction == DIR_EGRESS && c->has_names);
        if (bare && c->bare) {
                *ret = c->bare;
                return 0;
        }
        r = world_list_profile(world, direction, class, lists, ARRAY_SIZE(lists), peer, ret);
        if (r == 0 && bare)
                c->bare = *ret;
        return r;
}

/* the outside */

static void outside_add(struct world_range *ranges, size_t *len, const struct addr_range *range,
                        const struct profile *profile)
{
        if (*len > 0 && ranges[*len - 1].profile == profile)
                ranges[*len - 1].range.last = range->last;
        else
                ranges[(*len)++] = (struct world_range){*range, profile};
}

static int outside_fill(struct world *world, enum direction d, uint32_t class, enum addr_family family)
{
        struct class *c = &world->classes[d][class];
        struct world_range *ranges = arena_array(world->arena, 2 * c->blocks_len[family] + 1, sizeof(*ranges));
        struct addr_range rest = {addr_lowest(family), addr_highest(family)};
        uint32_t none[LISTS_MAX] = {NONE, NONE};
        const struct profile *bare, *profile;
        bool more = true;
        size_t len = 0;
        int r;

        if (!ranges)
                return -ENOMEM;
        r = world_list_profile(world, d, class, none, LISTS_MAX, NONE, &bare);
        if (r < 0)
                return r;
        for (size_t i = 0; i < c->blocks_len[family]; i++) {
                const struct block_range *block = &c->blocks[family][i];
                uint32_t lists[LISTS_MAX] = {NONE, block->list};

                r = world_list_profile(world, d, class, lists, LISTS_MAX, NONE, &profile);
                if (r < 0)
                        return r;
                if (addr_cmp(&rest.first, &block->range.first) < 0) {
                        struct addr_range gap = {rest.first, block->range.first};

                        addr_prev(&gap.last);
                        outside_add(ranges, &len, &gap, bare);
                }
                outside_add(ranges, &len, &block->range, profile);
                rest.first = block->range.last;
                more = addr_next(&rest.first);
        }
        if (more)
                outside_add(ranges, &len, &rest, bare);
        c->outside[family] = ranges;
        c->outside_len[family] = len;
        return 0;
}

int world_outside(struct world *world, enum direction direction, uint32_t class, enum addr_family family,
                  const struct world_range **ret, size_t *ret_len)
{
        int r = world_resolve_class(world, direction, class);

        if (r == 0 && !world->classes[direction][class].outside[family])
                r = outside_fill(world, direction, class, family);
        if (r < 0)
                return r;
        *ret = world->classes[direction][class].outside[family];
        *ret_len = world->classes[direction][class].outside_len[family];
        return 0;
}
