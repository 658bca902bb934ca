/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint that hold the ports of a rule against those of its destinations: names, numbers nobody listens on, and
 * the host's ports taken for the container's. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

#define PORT_LABEL_PREFIX "vethwall.io/port."

struct published {
        const struct published_port *port;
        uint32_t endpoint;
};

/* What is known of the ports of an identity's endpoints. */
struct listing {
        uint32_t *listed; /* protocol and number, ascending, unique */
        size_t listed_len;
        struct published *published; /* by protocol, port, target, endpoint */
        size_t published_len;
        uint32_t silent; /* an endpoint that lists none, so that nothing is known of it; NONE: all list some */
};

struct ports {
        struct listing *listings; /* per identity */
};

static uint32_t port_key(uint8_t protocol, uint16_t port)
{
        return (uint32_t)protocol << 16 | port;
}

static int cmp_key(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

static int cmp_published(const void *pa, const void *pb)
{
        const struct published *a = pa, *b = pb;
        uint32_t x = port_key(a->port->protocol, a->port->port), y = port_key(b->port->protocol, b->port->port);

        if (x != y)
                return x < y ? -1 : 1;
        if (a->port->target != b->port->target)
                return (int)a->port->target - (int)b->port->target;
        return (a->endpoint > b->endpoint) - (a->endpoint < b->endpoint);
}

/* What a label names, it names for the policies' sake, and what is published need not be all: neither says what else is
 * listened on. */
static bool lists_ports(const struct endpoint *endpoint)
{
        for (size_t i = 0; i < endpoint->ports_len; i++) {
                char key[sizeof(PORT_LABEL_PREFIX) + 16];

                snprintf(key, sizeof(key), PORT_LABEL_PREFIX "%s", endpoint->ports[i].name);
                if (!label_set_get(&endpoint->labels, key))
                        return true;
        }
        return false;
}

static int fill_listing(const struct world *world, const struct identity *identity, struct arena *arena,
                        struct listing *ret)
{
        size_t ports = 0, published = 0, len = 0;

        ret->silent = NONE;
        for (size_t i = 0; i < identity->endpoints_len; i++) {
                const struct endpoint *endpoint = &world->inventory->endpoints[identity->endpoints[i]];

                ports += endpoint->ports_len + endpoint->published_len;
                published += endpoint->published_len;
                if (ret->silent == NONE && !lists_ports(endpoint))
                        ret->silent = identity->endpoints[i];
        }
        ret->listed = arena_array(arena, ports, sizeof(*ret->listed));
        ret->published = arena_array(arena, published, sizeof(*ret->published));
        if (!ret->listed || !ret->published)
                return -ENOMEM;
        for (size_t i = 0; i < identity->endpoints_len; i++) {
                const struct endpoint *endpoint = &world->inventory->endpoints[identity->endpoints[i]];

                for (size_t j = 0; j < endpoint->ports_len; j++)
                        ret->listed[len++] = port_key(endpoint->ports[j].protocol, endpoint->ports[j].port);
                for (size_t j = 0; j < endpoint->published_len; j++) {
                        ret->listed[len++] = port_key(endpoint->published[j].protocol, endpoint->published[j].target);
                        ret->published[ret->published_len++] =
                                (struct published){&endpoint->published[j], identity->endpoints[i]};
                }
        }
        if (len > 1)
                qsort(ret->listed, len, sizeof(*ret->listed), cmp_key);
        for (size_t i = 0; i < len; i++)
                if (ret->listed_len == 0 || ret->listed[ret->listed_len - 1] != ret->listed[i])
                        ret->listed[ret->listed_len++] = ret->listed[i];
        if (published > 1)
                qsort(ret->published, published, sizeof(*ret->published), cmp_published);
        return 0;
}

/* Whether some port of the range is listed. */
static bool is_listed(const struct listing *listing, uint8_t protocol, const struct port_range *range)
{
        uint32_t first = port_key(protocol, range->first), last = port_key(protocol, range->last);
        size_t lo = 0, hi = listing->listed_len;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (listing->listed[mid] < first)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo < listing->listed_len && listing->listed[lo] <= last;
}

/* The first that is published under the number; NULL: none is. */
static const struct published *find_published(const struct listing *listing, uint8_t protocol, uint16_t port)
{
        size_t lo = 0, hi = listing->published_len;
        uint32_t key = port_key(protocol, port);

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;
                const struct published_port *other = listing->published[mid].port;

                if (port_key(other->protocol, other->port) < key)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        if (lo == listing->published_len ||
            port_key(listing->published[lo].port->protocol, listing->published[lo].port->port) != key)
                return NULL;
        return &listing->published[lo];
}

/* The destinations of a rule: its policy's subjects for ingress, its peers for egress. */
struct destinations {
        uint32_t *identities; /* heap; ascending, unique */
        size_t len;
        const struct selector *selector; /* the one that selects them all; NULL: there are several, or none */
};

static bool find_destinations(struct lint *lint, uint32_t p, enum direction direction, const struct rule *rule,
                              struct destinations *ret)
{
        const struct policy *policy = &lint->policies->policies[p];
        size_t cap = 0, len = 0;

        *ret = (struct destinations){.selector = direction == DIR_INGRESS ? policy->pod_selector : NULL};
        for (uint32_t i = lint->first[direction][p]; direction == DIR_INGRESS && i < lint->first[direction][p + 1];
             i++) {
                const struct class *class = &lint->world->classes[direction][lint->classes[direction][i]];

                if (array_reserve(&ret->identities, &cap, ret->len + class->identities_len, sizeof(uint32_t)) < 0)
                        goto oom;
                memcpy(ret->identities + ret->len, class->identities, class->identities_len * sizeof(uint32_t));
                ret->len += class->identities_len;
        }
        for (size_t i = 0; direction == DIR_EGRESS && i < rule->peers_len; i++) {
                const struct group *group;

                if (rule->peers[i].kind != PEER_SELECTOR)
                        continue;
                group = lint_peer_group(lint, policy, &rule->peers[i]);
                if (!group || array_reserve(&ret->identities, &cap, ret->len + group->len, sizeof(uint32_t)) < 0)
                        goto oom;
                if (group->len > 0)
                        memcpy(ret->identities + ret->len, group->identities, group->len * sizeof(uint32_t));
                ret->len += group->len;
                ret->selector = rule->peers_len == 1 ? rule->peers[i].pod_selector : NULL;
        }
        if (ret->len > 1)
                qsort(ret->identities, ret->len, sizeof(*ret->identities), cmp_key);
        for (size_t i = 0; i < ret->len; i++)
                if (len == 0 || ret->identities[len - 1] != ret->identities[i])
                        ret->identities[len++] = ret->identities[i];
        ret->len = len;
        return true;
oom:
        lint->r = -ENOMEM;
        free(steal(ret->identities));
        return false;
}

/* names */

struct resolved {
        size_t with, without;
        uint32_t lacking;    /* an identity that does not know the name */
        bool other_protocol; /* somebody has the name for another protocol */
        uint32_t first;      /* an identity that knows it; the next three are set then */
        uint16_t number;
        uint32_t differing; /* an identity that has another number for it, or NONE */
        uint16_t other_number;
};

static void resolve(const struct lint *lint, uint32_t id, const struct port_match *port, struct resolved *ret)
{
        const struct identity *identity = &lint->world->identities[id];
        bool has = false;

        for (size_t i = 0; i < identity->ports_len; i++) {
                const struct named_port *named = &identity->ports[i];

                if (strcmp(named->name, port->name) != 0)
                        continue;
                ret->other_protocol |= named->protocol != port->protocol;
                if (named->protocol != port->protocol)
                        continue;
                has = true;
                if (ret->first == NONE) {
                        ret->first = id;
                        ret->number = named->port;
                } else if (ret->differing == NONE && named->port != ret->number) {
                        ret->differing = id;
                        ret->other_number = named->port;
                }
        }
        if (has)
                ret->with += identity->endpoints_len;
        else if (ret->without == 0)
                ret->lacking = id;
        if (!has)
                ret->without += identity->endpoints_len;
}

static void report_lacking(struct lint *lint, const struct port_match *port, const struct resolved *result)
{
        static const struct lint_note note = {
                .hint = "give the port's number, or name the port by the label vethwall.io/port.NAME",
        };
        char name[LINT_NAME_MAX];

        if (result->with == 0)
                lint_report(lint, "VW204", &port->loc, &note, "no destination has a %s port named \"%s\"%s",
                            lint_protocol_name(port->protocol), port->name,
                            result->other_protocol ? "; for another protocol there is one" : "");
        else
                lint_report(lint, "VW204", &port->loc, &note,
                            "%zu of %zu destinations have no %s port named \"%s\", %s for one", result->without,
                            result->without + result->with, lint_protocol_name(port->protocol), port->name,
                            lint_endpoint_name(lint, lint->world->identities[result->lacking].endpoints[0], name));
}

/* Over a whole namespace each has a number of its own, which is what names are for. What is selected by label is taken to
 * be of one kind. */
static void report_differing(struct lint *lint, const struct port_match *port, const struct resolved *result,
                             const struct destinations *destinations)
{
        static const struct lint_note note = {
                .hint = "give the same name the same number everywhere, or use a name of its own for each",
        };
        bool one_kind = destinations->selector && destinations->selector->len > 0;
        char one[LINT_NAME_MAX], other[LINT_NAME_MAX];

        lint_endpoint_name(lint, lint->world->identities[result->first].endpoints[0], one);
        lint_endpoint_name(lint, lint->world->identities[result->differing].endpoints[0], other);
        if (result->first == result->differing)
                lint_report(lint, "VW205", &port->loc, &note,
                            "%s has two %s ports named \"%s\", %u and %u: both are meant", one,
                            lint_protocol_name(port->protocol), port->name, result->number, result->other_number);
        else
                lint_report_as(lint, one_kind ? DIAG_WARNING : DIAG_INFO, "VW205", &port->loc, &note,
                               "the %s port named \"%s\" is %u on %s and %u on %s", lint_protocol_name(port->protocol),
                               port->name, result->number, one, result->other_number, other);
}

static void check_name(struct lint *lint, const struct port_match *port, const struct destinations *destinations)
{
        struct resolved result = {.first = NONE, .differing = NONE};

        for (size_t i = 0; i < destinations->len; i++)
                resolve(lint, destinations->identities[i], port, &result);
        if (result.without > 0)
                report_lacking(lint, port, &result);
        if (result.differing != NONE)
                report_differing(lint, port, &result, destinations);
}

/* numbers */

static void range_text(const struct port_match *port, char buf[static 32])
{
        if (port->range.first == port->range.last)
                snprintf(buf, 32, "%s %u", lint_protocol_name(port->protocol), port->range.first);
        else
                snprintf(buf, 32, "%s %u-%u", lint_protocol_name(port->protocol), port->range.first, port->range.last);
}

static bool rule_allows(const struct rule *rule, uint8_t protocol, uint16_t port)
{
        for (size_t i = 0; i < rule->ports_len; i++)
                if (rule->ports[i].kind == PORT_RANGE && rule->ports[i].protocol == protocol &&
                    rule->ports[i].range.first <= port && port <= rule->ports[i].range.last)
                        return true;
        return rule->any_port;
}

/* Returns whether it was the mistake. */
static bool check_published(struct lint *lint, const struct ports *ports, const struct rule *rule,
                            const struct port_match *port, const struct destinations *destinations)
{
        char name[LINT_NAME_MAX], text[32], hint[96];

        for (size_t i = 0; port->range.first == port->range.last && i < destinations->len; i++) {
                const struct listing *listing = &ports->listings[destinations->identities[i]];
                const struct published *found = find_published(listing, port->protocol, port->range.first);

                if (!found || is_listed(listing, port->protocol, &port->range) ||
                    rule_allows(rule, port->protocol, found->port->target))
                        continue;
                range_text(port, text);
                snprintf(hint, sizeof(hint), "allow %s %u: policies see connections after the translation",
                         lint_protocol_name(port->protocol), found->port->target);
                lint_report(lint, "VW211", &port->loc, &(struct lint_note){.hint = hint},
                            "%s is the host's port under which %s is published; its own port is %u", text,
                            lint_endpoint_name(lint, found->endpoint, name), found->port->target);
                return true;
        }
        return false;
}

static void check_listed(struct lint *lint, const struct ports *ports, const struct port_match *port,
                         const struct destinations *destinations)
{
        static const struct lint_note note = {
                .hint = "correct or remove the port, or add it to the endpoint's ports in the inventory",
        };
        char name[LINT_NAME_MAX], text[32];

        if (destinations->len == 0 || port->range.first == 0)
                return;
        for (size_t i = 0; i < destinations->len; i++) {
                const struct listing *listing = &ports->listings[destinations->identities[i]];

                if (listing->silent != NONE || is_listed(listing, port->protocol, &port->range))
                        return;
        }
        range_text(port, text);
        lint_report(lint, "VW212", &port->loc, &note, "no destination has %s among its ports, %s for one", text,
                    lint_endpoint_name(lint, lint->world->identities[destinations->identities[0]].endpoints[0], name));
}

/* all */

/* Whether only those that it selects can be its destinations. */
static bool knows_destinations(enum direction direction, const struct rule *rule)
{
        if (direction == DIR_INGRESS)
                return true;
        for (size_t i = 0; i < rule->peers_len; i++)
                if (rule->peers[i].kind == PEER_BLOCK)
                        return false;
        return !rule->any_peer;
}

static void check_rule(struct lint *lint, const struct ports *ports, uint32_t p, enum direction direction,
                       const struct rule *rule)
{
        enum tier tier = lint->policies->policies[p].tier;
        struct destinations destinations;

        if (rule->ports_len == 0 || !find_destinations(lint, p, direction, rule, &destinations))
                return;
        for (size_t i = 0; i < rule->ports_len; i++) {
                const struct port_match *port = &rule->ports[i];

                if (port->kind == PORT_NAME && tier == TIER_NETWORK_POLICY)
                        check_name(lint, port, &destinations);
                else if (port->kind == PORT_RANGE && rule->action == ACTION_ALLOW &&
                         !check_published(lint, ports, rule, port, &destinations) &&
                         knows_destinations(direction, rule))
                        check_listed(lint, ports, port, &destinations);
        }
        free(destinations.identities);
}

void lint_ports(struct lint *lint)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct ports ports = {0};

        if (arena)
                ports.listings = arena_array(arena, lint->world->identities_len, sizeof(*ports.listings));
        if (!ports.listings)
                lint->r = -ENOMEM;
        for (size_t i = 0; lint->r == 0 && i < lint->world->identities_len; i++)
                lint->r = fill_listing(lint->world, &lint->world->identities[i], arena, &ports.listings[i]);
        for (uint32_t i = 0; i < lint->policies->policies_len; i++) {
                const struct policy *policy = &lint->policies->policies[i];

                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (size_t j = 0; lint->r == 0 && policy->applies[d] && j < policy->rules_len[d]; j++)
                                check_rule(lint, &ports, i, d, &policy->rules[d][j]);
        }
}
