/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All that a class can be asked: the peers and addresses that its rules tell apart, and for each the ports that they tell
 * apart. What the rules of lint claim about rules that are never reached is decided here and not by sampling. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

struct walk {
        struct lint *lint;
        enum direction direction;
        uint32_t class;
        bool every;            /* those that are alike too */
        uint32_t members[2];   /* endpoints of the class; NONE: it has no second */
        struct str_index seen; /* of lists, and of the peer where it resolves names */
        uint32_t last[3];      /* the last of them: neighbours are mostly alike */
        struct arena *arena;   /* of the keys */
        void (*fn)(struct lint *lint, const struct lint_case *c, void *arg);
        void *arg;
};

static int cmp_u32(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

/* The union of three rule lists. */
static uint32_t *merge(const struct world *world, const uint32_t lists[static 3], size_t *ret_len)
{
        size_t total = 0, n = 0, len = 0;
        uint32_t *rules;

        for (size_t i = 0; i < 3; i++)
                total += lists[i] == NONE ? 0 : world->lists[lists[i]].len;
        rules = calloc(total + 1, sizeof(*rules));
        if (!rules)
                return NULL;
        for (size_t i = 0; i < 3; i++)
                for (size_t j = 0; lists[i] != NONE && j < world->lists[lists[i]].len; j++)
                        rules[n++] = world->lists[lists[i]].rules[j];
        if (n > 1)
                qsort(rules, n, sizeof(*rules), cmp_u32);
        for (size_t i = 0; i < n; i++)
                if (len == 0 || rules[len - 1] != rules[i])
                        rules[len++] = rules[i];
        *ret_len = len;
        return rules;
}

/* Asks once for each set of rules. ask gives all but the rules. */
static void visit(struct walk *walk, const struct lint_case *ask, uint32_t peers, uint32_t blocks)
{
        struct world *world = walk->lint->world;
        const struct class *class = &world->classes[walk->direction][walk->class];
        bool has_names = walk->direction == DIR_EGRESS && class->has_names && ask->peer != NONE;
        uint32_t names = has_names ? world->identities[ask->peer].ports_id : NONE, unused;
        const uint32_t key[3] = {peers, blocks, names}, lists[3] = {peers, blocks, class->any_list};
        _cleanup_free_ uint32_t *rules = NULL;
        struct lint_case c = *ask;
        void *copy;

        if (walk->lint->r < 0 || (!walk->every && walk->seen.len > 0 && memcmp(walk->last, key, sizeof(key)) == 0))
                return;
        memcpy(walk->last, key, sizeof(key));
        if (!walk->every && str_index_get(&walk->seen, key, sizeof(key), &unused))
                return;
        copy = arena_memdup(walk->arena, key, sizeof(key));
        rules = merge(world, lists, &c.rules_len);
        if (!copy || !rules || str_index_put(&walk->seen, copy, sizeof(key), 0) < 0) {
                walk->lint->r = -ENOMEM;
                return;
        }
        c.rules = rules;
        walk->fn(walk->lint, &c, walk->arg);
}

/* Chooses a subject and a peer that are not the same endpoint: nobody is judged before itself. peers: one, and another
 * that is like it, or NONE. False where there are no two. */
static bool choose_pair(const struct walk *walk, const uint32_t peers[static 2], struct lint_case *ret)
{
        for (size_t i = 0; i < 2; i++) {
                for (size_t j = 0; j < 2; j++) {
                        if (peers[i] == NONE || walk->members[j] == NONE || peers[i] == walk->members[j])
                                continue;
                        ret->subject = walk->members[j];
                        ret->peer_endpoint = peers[i];
                        return true;
                }
        }
        return false;
}

/* The address under which an endpoint is in a spot. */
static const struct addr *spot_addr(const struct world *world, uint32_t spot, size_t endpoint)
{
        for (uint32_t i = world->endpoint_addrs[endpoint]; i < world->endpoint_addrs[endpoint + 1]; i++)
                if (world->addr_spots[i] == spot && world->spots[spot].addr)
                        return &world->inventory->endpoints[endpoint].addrs[i - world->endpoint_addrs[endpoint]];
        return NULL;
}

static void visit_identity(struct walk *walk, uint32_t id, uint32_t list)
{
        const struct world *world = walk->lint->world;
        const struct class *class = &world->classes[walk->direction][walk->class];
        const struct identity *identity = &world->identities[id];
        struct lint_case ask = {.direction = walk->direction, .class = walk->class, .peer = id};

        if (class->blocks_len[ADDR_V4] + class->blocks_len[ADDR_V6] == 0) {
                const uint32_t peers[2] = {identity->endpoints[0],
                                           identity->endpoints_len > 1 ? identity->endpoints[1] : NONE};

                if (choose_pair(walk, peers, &ask))
                        visit(walk, &ask, list, NONE);
                return;
        }
        for (size_t i = 0; i < identity->spots_len; i++) {
                const struct spot *spot = &world->spots[identity->spots[i]];
                const uint32_t peers[2] = {spot->endpoint, spot->others};

                if (!choose_pair(walk, peers, &ask))
                        continue;
                ask.addr = spot_addr(world, identity->spots[i], ask.peer_endpoint);
                visit(walk, &ask, list, spot->covered ? class_blocks_at(class, spot->addr) : NONE);
        }
}

static void visit_outside(struct walk *walk)
{
        const struct class *class = &walk->lint->world->classes[walk->direction][walk->class];
        struct lint_case ask = {
                .direction = walk->direction,
                .class = walk->class,
                .subject = walk->members[0],
                .peer = NONE,
                .peer_endpoint = WORLD_OUTSIDE,
        };

        visit(walk, &ask, NONE, NONE);
        for (enum addr_family f = 0; f < ADDR_FAMILY_MAX; f++) {
                for (size_t i = 0; i < class->blocks_len[f]; i++) {
                        ask.range = &class->blocks[f][i].range;
                        ask.addr = &ask.range->first;
                        visit(walk, &ask, NONE, class->blocks[f][i].list);
                }
        }
}

/* Two endpoints of the class. */
static void find_members(struct walk *walk)
{
        const struct world *world = walk->lint->world;
        const struct class *class = &world->classes[walk->direction][walk->class];
        size_t n = 0;

        walk->members[0] = walk->members[1] = NONE;
        for (size_t i = 0; i < class->identities_len && n < 2; i++)
                for (size_t j = 0; j < world->identities[class->identities[i]].endpoints_len && n < 2; j++)
                        walk->members[n++] = world->identities[class->identities[i]].endpoints[j];
}

static void take_walk(struct walk *walk)
{
        struct world *world = walk->lint->world;
        const struct class *c = &world->classes[walk->direction][walk->class];
        bool all = walk->every || (walk->direction == DIR_EGRESS && c->has_names);

        walk->arena = arena_new();
        if (!walk->arena || world_resolve_class(world, walk->direction, walk->class) < 0) {
                walk->lint->r = -ENOMEM;
                arena_free(walk->arena);
                return;
        }
        find_members(walk);
        visit_outside(walk);
        for (size_t i = 0; !all && i < c->peers_len; i++)
                visit_identity(walk, c->peers[i], c->peer_lists[i]);
        for (uint32_t i = 0; all && i < world->identities_len; i++)
                visit_identity(walk, i, class_peer_list(c, i));
        str_index_fini(&walk->seen);
        arena_free(walk->arena);
}

void lint_cases(struct lint *lint, enum direction direction, uint32_t class,
                void (*fn)(struct lint *lint, const struct lint_case *c, void *arg), void *arg)
{
        struct walk walk = {.lint = lint, .direction = direction, .class = class, .fn = fn, .arg = arg};

        take_walk(&walk);
}

void lint_all_cases(struct lint *lint, enum direction direction, uint32_t class,
                    void (*fn)(struct lint *lint, const struct lint_case *c, void *arg), void *arg)
{
        struct walk walk = {.lint = lint, .direction = direction, .class = class, .every = true, .fn = fn, .arg = arg};

        take_walk(&walk);
}

static void case_names(const struct lint *lint, const struct lint_case *c, const struct named_port **ret,
                       size_t *ret_len)
{
        const struct class *class = &lint->world->classes[c->direction][c->class];

        *ret = NULL;
        *ret_len = 0;
        if (c->direction == DIR_INGRESS) {
                *ret = class->ports;
                *ret_len = class->ports_len;
        } else if (c->peer != NONE) {
                *ret = lint->world->identities[c->peer].ports;
                *ret_len = lint->world->identities[c->peer].ports_len;
        }
}

/* A rule begins to hold, or ceases to, at a port. */
struct port_event {
        uint32_t at; /* protocol and port */
        uint32_t rule;
        bool begins;
};

static int cmp_event(const void *pa, const void *pb)
{
        const struct port_event *a = pa, *b = pb;

        return (a->at > b->at) - (a->at < b->at);
}

static uint32_t event_at(uint8_t protocol, uint32_t port)
{
        return (uint32_t)protocol << 17 | port;
}

static size_t add_events(struct port_event *events, uint8_t protocol, uint16_t first, uint16_t last, uint32_t rule)
{
        if (last == 0)
                return 0;
        events[0] = (struct port_event){event_at(protocol, first > 0 ? first : 1), rule, true};
        events[1] = (struct port_event){event_at(protocol, last + 1u), rule, false};
        return 2;
}

/* Sorted by where they are. NULL where memory is short. */
static struct port_event *collect_events(struct lint *lint, const struct lint_case *c, size_t *ret_len)
{
        const struct named_port *names;
        struct port_event *events;
        size_t names_len, total = 0, n = 0;

        case_names(lint, c, &names, &names_len);
        for (size_t i = 0; i < c->rules_len; i++)
                total += lint->world->rules[c->direction][c->rules[i]].rule->ports_len;
        events = calloc(2 * total * (names_len + 1) + 1, sizeof(*events));
        if (!events) {
                lint->r = -ENOMEM;
                return NULL;
        }
        for (size_t i = 0; i < c->rules_len; i++) {
                const struct rule *rule = lint->world->rules[c->direction][c->rules[i]].rule;

                for (size_t j = 0; j < rule->ports_len; j++) {
                        const struct port_match *match = &rule->ports[j];

                        if (match->kind == PORT_RANGE)
                                n += add_events(events + n, match->protocol, match->range.first, match->range.last,
                                                c->rules[i]);
                        for (size_t k = 0; match->kind == PORT_NAME && k < names_len; k++)
                                if (names[k].protocol == match->protocol && strcmp(names[k].name, match->name) == 0)
                                        n += add_events(events + n, match->protocol, names[k].port, names[k].port,
                                                        c->rules[i]);
                }
        }
        if (n > 1)
                qsort(events, n, sizeof(*events), cmp_event);
        *ret_len = n;
        return events;
}

/* The rules that hold, ascending, each with the number of its ports that do. */
struct holding {
        uint32_t *rules, *counts;
        size_t len;
};

static void change(struct holding *holding, uint32_t rule, bool begins)
{
        size_t i = holding->len;

        while (i > 0 && holding->rules[i - 1] >= rule)
                i--;
        if (i < holding->len && holding->rules[i] == rule) {
                holding->counts[i] += begins ? 1 : UINT32_MAX;
                if (holding->counts[i] > 0)
                        return;
                holding->len--;
                memmove(holding->rules + i, holding->rules + i + 1, (holding->len - i) * sizeof(uint32_t));
                memmove(holding->counts + i, holding->counts + i + 1, (holding->len - i) * sizeof(uint32_t));
                return;
        }
        memmove(holding->rules + i + 1, holding->rules + i, (holding->len - i) * sizeof(uint32_t));
        memmove(holding->counts + i + 1, holding->counts + i, (holding->len - i) * sizeof(uint32_t));
        holding->rules[i] = rule;
        holding->counts[i] = 1;
        holding->len++;
}

void lint_runs(struct lint *lint, const struct lint_case *c,
               void (*fn)(struct lint *lint, const struct lint_case *c, const struct lint_run *run, void *arg),
               void *arg)
{
        static const uint8_t protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
        size_t events_len = 0, at = 0;
        _cleanup_free_ struct port_event *events = collect_events(lint, c, &events_len);
        _cleanup_free_ uint32_t *space = calloc(2 * c->rules_len + 1, sizeof(*space));
        struct holding holding = {space, space, 0};

        if (!events || !space) {
                lint->r = -ENOMEM;
                return;
        }
        holding.counts += c->rules_len;
        for (size_t i = 0; i < c->rules_len; i++)
                if (lint->world->rules[c->direction][c->rules[i]].rule->any_port)
                        change(&holding, c->rules[i], true);
        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
                struct lint_run run = {.protocol = protocols[i], .held = holding.rules};
                uint32_t first = event_at(protocols[i], 1), end = event_at(protocols[i], UINT16_MAX + 1u);

                while (first < end) {
                        uint32_t next;

                        for (; at < events_len && events[at].at <= first; at++)
                                change(&holding, events[at].rule, events[at].begins);
                        next = at < events_len && events[at].at < end && protocols[i] != 0 ? events[at].at : end;
                        run.ports = (struct port_range){(uint16_t)first, (uint16_t)(next - 1)};
                        run.len = holding.len;
                        fn(lint, c, &run, arg);
                        first = next;
                }
        }
}
