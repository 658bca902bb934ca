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

static void visit(struct walk *walk, uint32_t peer, uint32_t peers, uint32_t blocks, const struct addr *addr)
{
        struct world *world = walk->lint->world;
        const struct class *class = &world->classes[walk->direction][walk->class];
        bool has_names = walk->direction == DIR_EGRESS && class->has_names && peer != NONE;
        uint32_t names = has_names ? world->identities[peer].ports_id : NONE, unused;
        const uint32_t key[3] = {peers, blocks, names}, lists[3] = {peers, blocks, class->any_list};
        struct lint_case c = {.direction = walk->direction, .class = walk->class, .peer = peer, .addr = addr};
        _cleanup_free_ uint32_t *rules = NULL;
        void *copy;

        if (walk->lint->r < 0 || (walk->seen.len > 0 && memcmp(walk->last, key, sizeof(key)) == 0))
                return;
        memcpy(walk->last, key, sizeof(key));
        if (str_index_get(&walk->seen, key, sizeof(key), &unused))
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

static void visit_identity(struct walk *walk, uint32_t id, uint32_t list)
{
        const struct world *world = walk->lint->world;
        const struct class *class = &world->classes[walk->direction][walk->class];
        const struct identity *identity = &world->identities[id];

        if (class->blocks_len[ADDR_V4] + class->blocks_len[ADDR_V6] == 0) {
                visit(walk, id, list, NONE, NULL);
                return;
        }
        for (size_t i = 0; i < identity->spots_len; i++) {
                const struct spot *spot = &world->spots[identity->spots[i]];

                visit(walk, id, list, spot->covered ? class_blocks_at(class, spot->addr) : NONE, spot->addr);
        }
}

void lint_cases(struct lint *lint, enum direction direction, uint32_t class,
                void (*fn)(struct lint *lint, const struct lint_case *c, void *arg), void *arg)
{
        struct walk walk = {
                .lint = lint, .direction = direction, .class = class, .arena = arena_new(), .fn = fn, .arg = arg};
        const struct class *c = &lint->world->classes[direction][class];

        if (!walk.arena || world_resolve_class(lint->world, direction, class) < 0) {
                lint->r = -ENOMEM;
                arena_free(walk.arena);
                return;
        }
        visit(&walk, NONE, NONE, NONE, NULL);
        for (enum addr_family f = 0; f < ADDR_FAMILY_MAX; f++)
                for (size_t i = 0; i < c->blocks_len[f]; i++)
                        visit(&walk, NONE, NONE, c->blocks[f][i].list, &c->blocks[f][i].range.first);
        for (size_t i = 0; i < c->peers_len; i++)
                visit_identity(&walk, c->peers[i], c->peer_lists[i]);
        for (uint32_t i = 0; direction == DIR_EGRESS && c->has_names && i < lint->world->identities_len; i++)
                visit_identity(&walk, i, class_peer_list(c, i));
        str_index_fini(&walk.seen);
        arena_free(walk.arena);
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

static int cmp_case_port(const void *pa, const void *pb)
{
        const struct lint_port *a = pa, *b = pb;

        return a->protocol != b->protocol ? (int)a->protocol - (int)b->protocol : (int)a->port - (int)b->port;
}

/* Where a port is the first of a run, it and, behind the run's end, the next one. */
static size_t add_run(struct lint_port *ports, uint8_t protocol, uint16_t first, uint16_t last)
{
        size_t n = 0;

        ports[n++] = (struct lint_port){protocol, first > 0 ? first : 1};
        if (last < UINT16_MAX)
                ports[n++] = (struct lint_port){protocol, (uint16_t)(last + 1)};
        return n;
}

struct lint_port *lint_case_ports(struct lint *lint, const struct lint_case *c, size_t *ret_len)
{
        static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
        const struct named_port *names;
        struct lint_port *ports;
        size_t names_len, total = 0, n = 0, len = 0;

        case_names(lint, c, &names, &names_len);
        for (size_t i = 0; i < c->rules_len; i++)
                total += lint->world->rules[c->direction][c->rules[i]].rule->ports_len;
        ports = calloc(4 + 2 * total * (names_len + 1), sizeof(*ports));
        if (!ports) {
                lint->r = -ENOMEM;
                return NULL;
        }
        ports[n++] = (struct lint_port){0, 0};
        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
                ports[n++] = (struct lint_port){protocols[i], 1};
        for (size_t i = 0; i < c->rules_len; i++) {
                const struct rule *rule = lint->world->rules[c->direction][c->rules[i]].rule;

                for (size_t j = 0; j < rule->ports_len; j++) {
                        const struct port_match *match = &rule->ports[j];

                        if (match->kind == PORT_RANGE)
                                n += add_run(ports + n, match->protocol, match->range.first, match->range.last);
                        for (size_t k = 0; match->kind == PORT_NAME && k < names_len; k++)
                                if (names[k].protocol == match->protocol && strcmp(names[k].name, match->name) == 0)
                                        n += add_run(ports + n, match->protocol, names[k].port, names[k].port);
                }
        }
        qsort(ports, n, sizeof(*ports), cmp_case_port);
        for (size_t i = 0; i < n; i++)
                if (len == 0 || cmp_case_port(&ports[len - 1], &ports[i]) != 0)
                        ports[len++] = ports[i];
        *ret_len = len;
        return ports;
}

bool lint_rule_holds(const struct lint *lint, const struct lint_case *c, uint32_t id, const struct lint_port *port)
{
        const struct rule *rule = lint->world->rules[c->direction][id].rule;
        const struct named_port *names;
        size_t names_len;

        case_names(lint, c, &names, &names_len);
        for (size_t i = 0; i < rule->ports_len; i++) {
                const struct port_match *match = &rule->ports[i];

                if (match->protocol != port->protocol)
                        continue;
                if (match->kind == PORT_RANGE && match->range.first <= port->port && port->port <= match->range.last)
                        return true;
                for (size_t j = 0; match->kind == PORT_NAME && j < names_len; j++)
                        if (names[j].protocol == port->protocol && names[j].port == port->port &&
                            strcmp(names[j].name, match->name) == 0)
                                return true;
        }
        return rule->any_port;
}
