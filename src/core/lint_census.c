/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The census of lint_census.h. A situation is met at many flows and kept once: what lint asks of each rule grows with the
 * ways in which rules meet and not with the flows. */
#include "lint_census.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* sites */

static int cmp_site(const void *pa, const void *pb)
{
        const struct lint_site *a = pa, *b = pb;
        int cmp = addr_cmp(a->addr, b->addr);

        return cmp ? cmp : (a->endpoint > b->endpoint) - (a->endpoint < b->endpoint);
}

int lint_sites_fill(struct lint_sites *sites, const struct inventory *inventory)
{
        size_t total = 0;

        for (size_t i = 0; i < inventory->endpoints_len; i++)
                total += inventory->endpoints[i].addrs_len;
        sites->items = calloc(total + 1, sizeof(*sites->items));
        sites->hosts = calloc(total + 1, sizeof(*sites->hosts));
        if (!sites->items || !sites->hosts)
                return -ENOMEM;
        for (size_t i = 0; i < inventory->endpoints_len; i++) {
                for (size_t j = 0; j < inventory->endpoints[i].addrs_len; j++) {
                        struct lint_site site = {&inventory->endpoints[i].addrs[j], i};

                        if (inventory->endpoints[i].host_network)
                                sites->hosts[sites->hosts_len++] = site;
                        else
                                sites->items[sites->len++] = site;
                }
        }
        if (sites->len > 1)
                qsort(sites->items, sites->len, sizeof(*sites->items), cmp_site);
        return 0;
}

void lint_sites_fini(struct lint_sites *sites)
{
        free(sites->items);
        free(sites->hosts);
}

size_t lint_sites_from(const struct lint_sites *sites, const struct addr *addr)
{
        size_t low = 0, high = sites->len;

        while (low < high) {
                size_t mid = low + (high - low) / 2;

                if (addr_cmp(sites->items[mid].addr, addr) < 0)
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

static bool is_taken(const struct lint_sites *sites, const struct addr *addr)
{
        size_t i = lint_sites_from(sites, addr);

        if (i < sites->len && addr_equal(sites->items[i].addr, addr))
                return true;
        for (i = 0; i < sites->hosts_len; i++)
                if (addr_equal(sites->hosts[i].addr, addr))
                        return true;
        return false;
}

/* flows */

/* An address of the range that is nobody's. */
static bool find_free(const struct lint_sites *sites, const struct addr_range *range, struct addr *ret)
{
        struct addr addr = range->first;

        while (is_taken(sites, &addr))
                if (!addr_next(&addr) || addr_cmp(&addr, &range->last) > 0)
                        return false;
        *ret = addr;
        return true;
}

/* For people: an address of those that are kept for documents, if one will do. */
static bool find_known(const struct lint *lint, const struct class *class, const struct lint_flow *flow,
                       enum addr_family family, struct addr *ret)
{
        static const char *const known[] = {"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"};

        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
                struct addr addr;

                if (!addr_parse(known[i], &addr) || addr.family != family || is_taken(&lint->sites, &addr))
                        continue;
                if (flow->range ? !addr_range_contains(flow->range, &addr) : class_blocks_at(class, &addr) != NONE)
                        continue;
                *ret = addr;
                return true;
        }
        return false;
}

/* In a gap between the blocks. */
static bool find_gap(const struct lint *lint, const struct class *class, enum addr_family family, struct addr *ret)
{
        struct addr_range gap = {addr_lowest(family), addr_highest(family)};

        for (size_t i = 0; i < class->blocks_len[family]; i++) {
                const struct addr_range *block = &class->blocks[family][i].range;

                if (addr_cmp(&gap.first, &block->first) < 0) {
                        gap.last = block->first;
                        addr_prev(&gap.last);
                        if (find_free(&lint->sites, &gap, ret))
                                return true;
                }
                gap.first = block->last;
                if (!addr_next(&gap.first))
                        return false;
        }
        gap.last = addr_highest(family);
        return find_free(&lint->sites, &gap, ret);
}

static bool find_outside(const struct lint *lint, const struct lint_flow *flow, struct addr *ret)
{
        const struct class *class = &lint->world->classes[flow->direction][flow->class];
        const struct endpoint *subject = &lint->world->inventory->endpoints[flow->subject];
        enum addr_family first = subject->addrs_len > 0 ? subject->addrs[0].family : ADDR_V4;

        if (flow->range)
                return find_known(lint, class, flow, flow->range->first.family, ret) ||
                       find_free(&lint->sites, flow->range, ret);
        for (size_t i = 0; i < ADDR_FAMILY_MAX; i++) {
                enum addr_family family = i == 0 ? first : first == ADDR_V4 ? ADDR_V6 : ADDR_V4;

                if (find_known(lint, class, flow, family, ret) || find_gap(lint, class, family, ret))
                        return true;
        }
        return false;
}

const char *lint_flow_text(const struct lint *lint, const struct lint_flow *flow, char buf[static LINT_FLOW_MAX])
{
        char subject[LINT_NAME_MAX], peer[LINT_NAME_MAX], service[32] = "icmp";
        struct addr addr;

        lint_endpoint_name(lint, flow->subject, subject);
        if (flow->peer == WORLD_OUTSIDE) {
                if (!find_outside(lint, flow, &addr))
                        return NULL;
                addr_format(&addr, peer);
        } else if (flow->addr) {
                addr_format(flow->addr, peer);
        } else {
                lint_endpoint_name(lint, flow->peer, peer);
        }
        if (flow->port.protocol != 0)
                snprintf(service, sizeof(service), "%s/%u", lint_protocol_name(flow->port.protocol), flow->port.port);
        snprintf(buf, LINT_FLOW_MAX, "%s %s %s", flow->direction == DIR_EGRESS ? subject : peer,
                 flow->direction == DIR_EGRESS ? peer : subject, service);
        return buf;
}

/* judging */

struct lint_outcome lint_judge(const struct lint *lint, enum direction direction, const uint32_t *held, size_t len,
                               bool isolated, enum tier from)
{
        enum tier passed = TIER_MAX;

        for (size_t i = 0; i < len; i++) {
                const struct world_rule *rule = &lint->world->rules[direction][held[i]];
                enum tier tier = lint->policies->policies[rule->policy].tier;

                if (tier == TIER_BASELINE && isolated)
                        break;
                if (tier < from || tier == passed)
                        continue;
                if (rule->rule->action != ACTION_PASS)
                        return (struct lint_outcome){rule->rule->action, tier, held[i]};
                passed = tier;
        }
        if (isolated)
                return (struct lint_outcome){ACTION_DENY, TIER_NETWORK_POLICY, NONE};
        return (struct lint_outcome){lint->world->settings->default_action, TIER_DEFAULT, NONE};
}

/* the census */

struct counting {
        struct lint_census *census;
        struct str_index index; /* of situations */
        struct lint_reach *reach;
        uint32_t *key; /* heap */
        size_t key_cap;
};

bool lint_flow_is_plainer(const struct lint_flow *a, const struct lint_flow *b)
{
        unsigned x = 2u * (a->peer != WORLD_OUTSIDE) + (a->port.protocol != 0),
                 y = 2u * (b->peer != WORLD_OUTSIDE) + (b->port.protocol != 0);

        return x > y;
}

static void add_situation(struct lint *lint, struct counting *counting, const struct lint_flow *flow, bool isolated,
                          const uint32_t *held, size_t len)
{
        struct lint_census *census = counting->census;
        enum direction d = flow->direction;
        struct lint_situation situation = {.len = len, .isolated = isolated, .flow = *flow};
        uint32_t id, *copy;

        if (array_reserve(&counting->key, &counting->key_cap, len + 1, sizeof(*counting->key)) < 0)
                goto oom;
        counting->key[0] = (uint32_t)d << 1 | isolated;
        memcpy(counting->key + 1, held, len * sizeof(*held));
        if (str_index_get(&counting->index, counting->key, (len + 1) * sizeof(*held), &id)) {
                if (lint_flow_is_plainer(flow, &census->situations[d][id].flow))
                        census->situations[d][id].flow = *flow;
                return;
        }
        copy = arena_memdup(census->arena, counting->key, (len + 1) * sizeof(*held));
        id = (uint32_t)census->situations_len[d];
        if (!copy ||
            array_reserve(&census->situations[d], &census->situations_cap[d], id + 1u, sizeof(situation)) < 0 ||
            str_index_put(&counting->index, copy, (len + 1) * sizeof(*held), id) < 0)
                goto oom;
        situation.held = copy + 1;
        census->situations[d][census->situations_len[d]++] = situation;
        return;
oom:
        lint->r = -ENOMEM;
}

static void count_reach(struct lint_reach *reach, const struct lint_case *c, const struct lint_run *run)
{
        bool has_dns = run->ports.first <= 53 && 53 <= run->ports.last;

        reach->any = true;
        reach->outside |= c->peer == NONE && run->protocol != 0 && !(run->ports.first == 53 && run->ports.last == 53);
        reach->dns_udp |= has_dns && run->protocol == IPPROTO_UDP;
        reach->dns_tcp |= has_dns && run->protocol == IPPROTO_TCP;
}

static void count_run(struct lint *lint, const struct lint_case *c, const struct lint_run *run, void *arg)
{
        struct counting *counting = arg;
        bool isolated = lint->world->classes[c->direction][c->class].isolated_by;
        struct lint_flow flow = {
                .direction = c->direction,
                .class = c->class,
                .subject = c->subject,
                .peer = c->peer_endpoint,
                .addr = c->addr,
                .range = c->range,
                .port = {run->protocol, run->ports.first},
        };
        struct lint_outcome outcome;

        if (lint->r < 0)
                return;
        outcome = lint_judge(lint, c->direction, run->held, run->len, isolated, TIER_ADMIN);
        if (outcome.action == ACTION_ALLOW)
                count_reach(counting->reach, c, run);
        if (outcome.rule != NONE) {
                struct lint_flow *decided = &counting->census->decided[c->direction][outcome.rule];

                if (decided->subject == WORLD_OUTSIDE || lint_flow_is_plainer(&flow, decided))
                        *decided = flow;
        }
        if (run->len > 0)
                add_situation(lint, counting, &flow, isolated, run->held, run->len);
}

static void count_case(struct lint *lint, const struct lint_case *c, void *arg)
{
        lint_runs(lint, c, count_run, arg);
}

void lint_take_census(struct lint *lint)
{
        struct lint_census *census = lint->census;
        struct counting counting = {.census = census};

        census->arena = arena_new();
        if (!census->arena)
                lint->r = -ENOMEM;
        for (enum direction d = 0; lint->r == 0 && d < DIR_MAX; d++) {
                census->reach[d] = arena_array(census->arena, lint->world->classes_len[d], sizeof(struct lint_reach));
                census->decided[d] = arena_array(census->arena, lint->world->rules_len[d], sizeof(struct lint_flow));
                if (!census->reach[d] || !census->decided[d])
                        lint->r = -ENOMEM;
                for (size_t i = 0; lint->r == 0 && i < lint->world->rules_len[d]; i++)
                        census->decided[d][i].subject = WORLD_OUTSIDE;
                for (uint32_t i = 0; lint->r == 0 && i < lint->world->classes_len[d]; i++) {
                        counting.reach = &census->reach[d][i];
                        lint_cases(lint, d, i, count_case, &counting);
                }
        }
        str_index_fini(&counting.index);
        free(counting.key);
}

void lint_census_fini(struct lint_census *census)
{
        for (enum direction d = 0; d < DIR_MAX; d++)
                free(census->situations[d]);
        arena_free(census->arena);
}
