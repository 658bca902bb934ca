/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Isolation that a policy's author asserts: from whom what it selects is not to be reached, directly or through others. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/explain.h>
#include <vethwall/matrix.h>

#include "lint_internal.h"

/* Endpoints that nobody can tell apart: of one identity, their addresses in the same spots. */
struct herd {
        uint32_t identity;
        uint32_t endpoint; /* one of them */
        uint32_t next;     /* another herd of the identity, or NONE */
};

struct search {
        struct matrix *matrix;
        struct arena *arena;
        struct herd *herds; /* arena */
        size_t herds_len;
        uint32_t *endpoint_herd; /* arena; per endpoint */
        uint32_t *first;         /* arena; per identity: its first herd */
        uint32_t *reach;         /* arena; room for all identities */

        /* one question */
        bool *wanted;       /* arena; per identity: the policy selects it */
        uint32_t *from;     /* arena; per herd: the herd it was reached from, itself at the start, NONE: not reached */
        uint32_t *endpoint; /* arena; per herd: the endpoint that was reached */
        uint32_t *queue;    /* arena */
        size_t queue_len;
};

/* herds */

static int find_herd(struct search *search, const struct world *world, struct str_index *index, uint32_t endpoint)
{
        uint32_t first = world->endpoint_addrs[endpoint], end = world->endpoint_addrs[endpoint + 1], id;
        uint32_t *key = arena_memdup(search->arena, world->addr_spots + first, (end - first) * sizeof(*key));
        size_t len = 0;

        if (!key)
                return -ENOMEM;
        /* Addresses are in order, so those of one spot stand together. */
        for (uint32_t i = 0; i < end - first; i++)
                if (len == 0 || key[len - 1] != key[i])
                        key[len++] = key[i];
        if (!str_index_get(index, key, len * sizeof(*key), &id)) {
                uint32_t identity = world->endpoint_identity[endpoint];

                id = (uint32_t)search->herds_len++;
                search->herds[id] = (struct herd){identity, endpoint, search->first[identity]};
                search->first[identity] = id;
                if (str_index_put(index, key, len * sizeof(*key), id) < 0)
                        return -ENOMEM;
        }
        search->endpoint_herd[endpoint] = id;
        return 0;
}

static int search_init(struct search *search, struct world *world)
{
        _cleanup_(str_index_fini) struct str_index index = STR_INDEX_INIT;
        size_t endpoints = world->inventory->endpoints_len, identities = world->identities_len;
        int r;

        search->arena = arena_new();
        if (!search->arena)
                return -ENOMEM;
        search->herds = arena_array(search->arena, endpoints, sizeof(*search->herds));
        search->endpoint_herd = arena_array(search->arena, endpoints, sizeof(uint32_t));
        search->first = arena_array(search->arena, identities, sizeof(uint32_t));
        search->reach = arena_array(search->arena, identities, sizeof(uint32_t));
        search->wanted = arena_array(search->arena, identities, sizeof(bool));
        search->from = arena_array(search->arena, endpoints, sizeof(uint32_t));
        search->endpoint = arena_array(search->arena, endpoints, sizeof(uint32_t));
        search->queue = arena_array(search->arena, endpoints, sizeof(uint32_t));
        if (!search->herds || !search->endpoint_herd || !search->first || !search->reach || !search->wanted ||
            !search->from || !search->endpoint || !search->queue)
                return -ENOMEM;
        for (size_t i = 0; i < identities; i++)
                search->first[i] = NONE;
        for (uint32_t i = 0; i < endpoints; i++) {
                if (world->endpoint_identity[i] == NONE)
                        continue;
                r = find_herd(search, world, &index, i);
                if (r < 0)
                        return r;
        }
        return matrix_new(&search->matrix, world);
}

static void search_fini(struct search *search)
{
        matrix_free(search->matrix);
        arena_free(search->arena);
}

/* the search */

static void push(struct search *search, uint32_t herd, uint32_t endpoint, uint32_t from)
{
        search->from[herd] = from;
        search->endpoint[herd] = endpoint;
        search->queue[search->queue_len++] = herd;
}

/* Visits all herds that one reaches at a step. *ret is a herd that is wanted, or NONE. */
static int step(struct search *search, struct world *world, uint32_t herd, uint32_t *ret)
{
        size_t len;
        int r = world_reach(world, search->herds[herd].identity, search->reach, &len);

        for (size_t i = 0; r == 0 && *ret == NONE && i < len; i++) {
                for (uint32_t next = search->first[search->reach[i]]; next != NONE; next = search->herds[next].next) {
                        struct matrix_flow flow;

                        if (search->from[next] != NONE)
                                continue;
                        r = matrix_between(search->matrix, search->endpoint[herd], search->herds[next].endpoint, &flow);
                        if (r < 0)
                                return r;
                        if (conns_is_empty(flow.conns))
                                continue;
                        push(search, next, search->herds[next].endpoint, herd);
                        if (search->wanted[search->reach[i]])
                                *ret = next;
                }
        }
        return r;
}

/* Breadth first, so what is found is reached in the fewest steps. */
static int walk(struct search *search, struct world *world, uint32_t *ret)
{
        int r = 0;

        *ret = NONE;
        for (size_t i = 0; r == 0 && *ret == NONE && i < search->queue_len; i++)
                r = step(search, world, search->queue[i], ret);
        return r;
}

/* telling */

static struct lint_port first_port(const struct conns *conns)
{
        for (enum conns_proto proto = 0; proto < CONNS_PROTO_MAX; proto++)
                if (conns->ports_len[proto] > 0)
                        return (struct lint_port){conns_proto_number(proto), conns->ports[proto][0].first};
        return (struct lint_port){0, 0};
}

/* The rule that lets the hop in, or else out; NULL where none decides. */
static const struct src_loc *hop_loc(struct lint *lint, size_t src, size_t dst, const struct lint_port *port)
{
        const struct endpoint *endpoints = lint->world->inventory->endpoints;
        struct explain_query query = {
                .src = {.endpoint = src},
                .dst = {.endpoint = dst},
                .protocol = port->protocol ? port->protocol : IPPROTO_ICMP,
                .port = port->port,
        };

        for (size_t i = 0; i == 0 || i < endpoints[src].addrs_len; i++) {
                for (size_t j = 0; j == 0 || j < endpoints[dst].addrs_len; j++) {
                        _cleanup_(explanation_freep) struct explanation *explanation = NULL;
                        const struct rule *in, *out;

                        query.src.has_addr = endpoints[src].addrs_len > 0;
                        query.dst.has_addr = endpoints[dst].addrs_len > 0;
                        if (query.src.has_addr)
                                query.src.addr = endpoints[src].addrs[i];
                        if (query.dst.has_addr)
                                query.dst.addr = endpoints[dst].addrs[j];
                        if (explain(&explanation, lint->world, &query) < 0) {
                                lint->r = -ENOMEM;
                                return NULL;
                        }
                        in = explanation->sides[DIR_INGRESS].cause.rule;
                        out = explanation->sides[DIR_EGRESS].cause.rule;
                        if (explanation->verdict == ACTION_ALLOW)
                                return in ? &in->loc : out ? &out->loc : NULL;
                }
        }
        return NULL;
}

/* "a b TCP/80" of one hop. */
static const char *hop_text(struct lint *lint, struct search *search, uint32_t herd, struct lint_port *port,
                            char buf[static 3 * LINT_NAME_MAX])
{
        size_t src = search->endpoint[search->from[herd]], dst = search->endpoint[herd];
        char one[LINT_NAME_MAX], two[LINT_NAME_MAX], service[32] = "icmp";
        struct matrix_flow flow;

        if (matrix_between(search->matrix, src, dst, &flow) < 0) {
                lint->r = -ENOMEM;
                return NULL;
        }
        *port = first_port(flow.conns);
        if (port->protocol != 0)
                snprintf(service, sizeof(service), "%s/%u", lint_protocol_name(port->protocol), port->port);
        snprintf(buf, 3 * LINT_NAME_MAX, "%s %s %s", lint_endpoint_name(lint, src, one),
                 lint_endpoint_name(lint, dst, two), service);
        return buf;
}

static void report_path(struct lint *lint, const struct policy *policy, struct search *search, uint32_t last)
{
        _cleanup_free_ uint32_t *path = calloc(search->queue_len + 1, sizeof(*path));
        _cleanup_(strbuf_fini) struct strbuf hops = STRBUF_INIT;
        char witness[3 * LINT_NAME_MAX], one[LINT_NAME_MAX], two[LINT_NAME_MAX];
        struct lint_note note = {.witness = witness,
                                 .hint = "close one of the hops, or correct the annotation if it is meant"};
        size_t len = 0, places = 0;
        struct lint_port port;

        for (uint32_t herd = last; path && search->from[herd] != herd; herd = search->from[herd])
                path[len++] = herd;
        for (size_t i = len; path && lint->r == 0 && i-- > 0;) {
                size_t src = search->endpoint[search->from[path[i]]], dst = search->endpoint[path[i]];

                if (!hop_text(lint, search, path[i], &port, witness))
                        return;
                strbuf_printf(&hops, "%s%s", i + 1 < len ? ", then " : "", witness);
                if (places < LINT_PLACES_MAX)
                        note.places[places].loc = hop_loc(lint, src, dst, &port);
                if (places < LINT_PLACES_MAX && note.places[places].loc)
                        note.places[places++].message = "a hop passes by this rule";
        }
        if (!path || strbuf_check(&hops) < 0)
                lint->r = -ENOMEM;
        if (lint->r < 0)
                return;
        lint_endpoint_name(lint, search->endpoint[last], two);
        lint_endpoint_name(lint, search->endpoint[search->from[path[len - 1]]], one);
        lint_report(lint, "VW314", &policy->unreachable.loc, &note, "%s reaches %s %s: %s", one, two,
                    len == 1 ? "directly" : "through others", hops.text);
}

/* assertions */

static bool part_matches(const char *pattern, size_t len, const char *text)
{
        return (len == 1 && pattern[0] == '*') || (strlen(text) == len && memcmp(pattern, text, len) == 0);
}

/* Begins at every endpoint that the pattern, "namespace/name" with "*" for either, names. Returns whether there is one. */
static bool begin(const struct lint *lint, struct search *search, const char *pattern, size_t len)
{
        const struct world *world = lint->world;
        const char *slash = memchr(pattern, '/', len);
        size_t ns_len = slash ? (size_t)(slash - pattern) : 0;
        bool any = false;

        search->queue_len = 0;
        for (size_t i = 0; i < search->herds_len; i++)
                search->from[i] = NONE;
        for (uint32_t i = 0; slash && i < world->inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &world->inventory->endpoints[i];

                if (!part_matches(pattern, ns_len, endpoint->ns) ||
                    !part_matches(slash + 1, len - ns_len - 1, endpoint->name))
                        continue;
                any = true;
                if (world->endpoint_identity[i] == NONE || search->wanted[world->endpoint_identity[i]] ||
                    search->from[search->endpoint_herd[i]] != NONE)
                        continue;
                push(search, search->endpoint_herd[i], i, search->endpoint_herd[i]);
        }
        return any;
}

static void check_pattern(struct lint *lint, const struct policy *policy, struct search *search, const char *pattern,
                          size_t len)
{
        static const struct lint_note note = {
                .hint = "write namespace/name, or namespace/* for all of a namespace, with commas between",
        };
        uint32_t found;

        if (!begin(lint, search, pattern, len)) {
                lint_report(lint, "VW314", &policy->unreachable.loc, &note, "\"%.*s\" is no endpoint of the inventory",
                            (int)(len < 200 ? len : 200), pattern);
                return;
        }
        if (walk(search, lint->world, &found) < 0)
                lint->r = -ENOMEM;
        else if (found != NONE)
                report_path(lint, policy, search, found);
}

static void check_policy(struct lint *lint, uint32_t p, struct search *search)
{
        const struct policy *policy = &lint->policies->policies[p];

        memset(search->wanted, 0, lint->world->identities_len * sizeof(*search->wanted));
        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t i = lint->first[d][p]; i < lint->first[d][p + 1]; i++) {
                        const struct class *class = &lint->world->classes[d][lint->classes[d][i]];

                        for (size_t j = 0; j < class->identities_len; j++)
                                search->wanted[class->identities[j]] = true;
                }
        for (const char *at = policy->unreachable.text; lint->r == 0 && *at;) {
                size_t len = strcspn(at, ", \t\n");

                if (len > 0)
                        check_pattern(lint, policy, search, at, len);
                at += len + (at[len] != '\0');
        }
}

void lint_paths(struct lint *lint)
{
        struct search search = {0};

        for (uint32_t i = 0; lint->r == 0 && i < lint->policies->policies_len; i++) {
                if (!lint->policies->policies[i].unreachable.text)
                        continue;
                if (!search.arena)
                        lint->r = search_init(&search, lint->world);
                if (lint->r == 0)
                        check_policy(lint, i, &search);
        }
        search_fini(&search);
}
