/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rule of v1alpha1 in the words of v1alpha2. */
#include <errno.h>
#include <string.h>

#include "convert_internal.h"

#define ITEMS_MAX 25

struct layout_item *convert_new(struct convert *c, const char *key, enum doc_kind kind, const char *text)
{
        struct layout_item *item = arena_alloc(c->arena, sizeof(*item));

        if (!item)
                return NULL;
        item->key = key;
        item->key_kind = DOC_STRING;
        item->kind = kind;
        item->text = text;
        return item;
}

/* The value without its comments. */
static struct layout_item *copy_of(struct convert *c, const struct layout_item *item)
{
        const struct layout_item *value = item->target ? item->target : item, *child;
        struct layout_item *copy = convert_new(c, item->key, value->kind, value->text);

        if (!copy)
                return NULL;
        copy->key_kind = item->key_kind;
        copy->style = value->style;
        copy->integer = value->integer;
        copy->boolean = value->boolean;
        copy->raw = value->raw;
        copy->raw_size = value->raw_size;
        copy->line_no = item->line_no;
        copy->col = item->col;
        for (child = value->first; child; child = child->next) {
                struct layout_item *inner = copy_of(c, child);

                if (!inner)
                        return NULL;
                layout_add(copy, inner);
        }
        return copy;
}

static int expand_aliases(struct convert *c, struct layout_item *item)
{
        struct layout_item *child;
        int r = 0;

        if (item->target) {
                struct layout_item *copy = copy_of(c, item);

                if (!copy)
                        return -ENOMEM;
                item->target = NULL;
                item->text = copy->text;
                item->integer = copy->integer;
                item->boolean = copy->boolean;
                item->style = copy->style;
                item->first = copy->first;
                item->last = copy->last;
                item->len = copy->len;
                /* The comment behind the alias has no line of its own where the copy has several. */
                if (item->line && !item->key && item->len > 0) {
                        layout_notes_add(&item->head, item->line);
                        item->line = NULL;
                }
                return 0;
        }
        for (child = item->first; r == 0 && child; child = child->next)
                r = expand_aliases(c, child);
        return r;
}

static void forget_anchors(struct layout_item *item)
{
        struct layout_item *child;

        item->anchor = NULL;
        for (child = item->first; child; child = child->next)
                forget_anchors(child);
}

int convert_expand(struct convert *c, struct layout_item *item)
{
        int r = expand_aliases(c, item);

        if (r == 0)
                forget_anchors(item);
        return r;
}

/* An absent field and null are the same. */
static struct layout_item *get(const struct layout_item *map, const char *key)
{
        struct layout_item *item = layout_get(map, key);

        return item && item->kind != DOC_NULL ? item : NULL;
}

static void take_out(struct layout_item *collection, struct layout_item *item)
{
        struct layout_item *child = collection->first, *next;

        collection->first = collection->last = NULL;
        collection->len = 0;
        for (; child; child = next) {
                next = child->next;
                if (child != item)
                        layout_add(collection, child);
        }
}

/* All comments of one go above another. */
static void move_notes(struct layout_item *to, struct layout_item *from)
{
        layout_notes_move(&to->head, &from->head);
        if (from->line)
                layout_notes_add(&to->head, from->line);
        layout_notes_move(&to->head, &from->foot);
        from->line = NULL;
}

/* ports */

/* portNumber: {protocol, port} and portRange: {protocol, start, end} become tcp: {destinationPort: ...}. */
static int convert_numbers(struct convert *c, struct layout_item *field, bool range)
{
        static const char *const words[][2] = {{"TCP", "tcp"}, {"UDP", "udp"}, {"SCTP", "sctp"}};
        struct layout_item *protocol = layout_get(field, "protocol"), *child, *next;
        struct layout_item *port = convert_new(c, "destinationPort", DOC_MAP, NULL);
        struct layout_item *inner = range ? convert_new(c, "range", DOC_MAP, NULL) : port;
        size_t i;

        if (!port || !inner)
                return -ENOMEM;
        field->key = "tcp";
        for (i = 0; protocol && protocol->kind == DOC_STRING && i < ARRAY_SIZE(words); i++)
                if (strcmp(protocol->text, words[i][0]) == 0)
                        field->key = words[i][1];
        if (protocol) {
                take_out(field, protocol);
                move_notes(field, protocol);
        }
        for (child = field->first; child; child = next) {
                next = child->next;
                if (!range)
                        child->key = "number";
                layout_add(inner, child);
        }
        field->first = field->last = NULL;
        field->len = 0;
        if (range)
                layout_add(port, inner);
        layout_add(field, port);
        return 0;
}

static int convert_port(struct convert *c, struct layout_item *item, struct layout_item **ret_named)
{
        struct layout_item *number = get(item, "portNumber"), *range = get(item, "portRange");
        struct layout_item *named = get(item, "namedPort");

        if (number)
                return convert_numbers(c, number, false);
        if (range)
                return convert_numbers(c, range, true);
        named->key = "destinationNamedPort";
        if (!*ret_named)
                *ret_named = named;
        return 0;
}

/* Fields that are there and empty have no meaning, and in the newer words no place. */
static void drop_nulls(struct layout_item *map)
{
        struct layout_item *child, *next;

        for (child = map->first; child; child = next) {
                next = child->next;
                if (child->kind != DOC_NULL)
                        continue;
                take_out(map, child);
                move_notes(map, child);
        }
}

static int convert_ports(struct convert *c, struct layout_item *rule, struct layout_item **ret_named)
{
        struct layout_item *ports = layout_get(rule, "ports"), *item;
        int r = 0;

        *ret_named = NULL;
        if (!ports)
                return 0;
        ports->key = "protocols";
        for (item = ports->first; r == 0 && item; item = item->next) {
                drop_nulls(item);
                r = convert_port(c, item, ret_named);
        }
        return r;
}

/* splitting */

/* A second rule behind the first, like it but for one list, which it gets empty. */
static struct layout_item *split_rule(struct convert *c, struct layout_item *rules, struct layout_item *rule,
                                      const struct layout_item *list)
{
        struct layout_item *second = convert_new(c, NULL, DOC_MAP, NULL), *child, *copy;

        if (!second)
                return NULL;
        for (child = rule->first; child; child = child->next) {
                copy = child == list ? convert_new(c, list->key, DOC_LIST, NULL) : copy_of(c, child);
                if (!copy)
                        return NULL;
                layout_add(second, copy);
        }
        second->line_no = rule->line_no;
        second->col = rule->col;
        second->next = rule->next;
        rule->next = second;
        if (rules->last == rule)
                rules->last = second;
        rules->len++;
        return second;
}

/* Moves what is behind the first max items to the end of another list. */
static void move_rest(struct layout_item *list, size_t max, struct layout_item *to)
{
        struct layout_item *child = list->first, *next;
        size_t i;

        list->first = list->last = NULL;
        list->len = 0;
        for (i = 0; child; child = next, i++) {
                next = child->next;
                layout_add(i < max ? list : to, child);
        }
}

static int split_long(struct convert *c, struct layout_item *rules, struct layout_item *rule, const char *key)
{
        struct layout_item *list = layout_get(rule, key), *second;

        while (list && list->len > ITEMS_MAX) {
                second = split_rule(c, rules, rule, list);
                if (!second)
                        return -ENOMEM;
                move_rest(list, ITEMS_MAX, layout_get(second, key));
                rule = second;
                list = layout_get(rule, key);
        }
        return 0;
}

/* peers */

struct peers {
        struct layout_item *list;
        struct layout_item *nodes, *networks, *names; /* the first of each */
        bool others;                                  /* some without nodes */
};

/* A peer of more networks than there may be becomes several. */
static int split_networks(struct convert *c, struct layout_item *list, struct layout_item *peer)
{
        struct layout_item *networks = get(peer, "networks"), *second, *field;

        while (networks && networks->len > ITEMS_MAX) {
                second = convert_new(c, NULL, DOC_MAP, NULL);
                field = convert_new(c, "networks", DOC_LIST, NULL);
                if (!second || !field)
                        return -ENOMEM;
                layout_add(second, field);
                move_rest(networks, ITEMS_MAX, field);
                second->next = peer->next;
                peer->next = second;
                if (list->last == peer)
                        list->last = second;
                list->len++;
                peer = second;
                networks = field;
        }
        return 0;
}

static int look_at_peers(struct convert *c, struct layout_item *rule, const char *key, struct peers *ret)
{
        struct layout_item *peer;
        int r = 0;

        *ret = (struct peers){.list = layout_get(rule, key)};
        for (peer = ret->list->first; r == 0 && peer; peer = peer->next) {
                struct layout_item *nodes = get(peer, "nodes"), *names = get(peer, "domainNames");

                if (nodes && !ret->nodes)
                        ret->nodes = nodes;
                if (names && !ret->names)
                        ret->names = names;
                if (!ret->networks)
                        ret->networks = get(peer, "networks");
                ret->others |= !nodes;
                r = split_networks(c, ret->list, peer);
        }
        return r;
}

/* Nodes select nothing on this host, and a rule of v1alpha2 that accepts them matches nothing: neither must keep the peers
 * beside them from being matched. */
static int move_nodes(struct convert *c, struct layout_item *rules, struct layout_item *rule, const struct peers *peers)
{
        struct layout_item *second = split_rule(c, rules, rule, peers->list), *to, *peer, *next;

        if (!second)
                return -ENOMEM;
        to = layout_get(second, peers->list->key);
        peer = peers->list->first;
        peers->list->first = peers->list->last = NULL;
        peers->list->len = 0;
        for (; peer; peer = next) {
                next = peer->next;
                layout_add(get(peer, "nodes") ? to : peers->list, peer);
        }
        return 0;
}

static bool is_expressible(struct convert *c, const struct peers *peers, const struct layout_item *named,
                           const char *action)
{
        if (named && (peers->networks || peers->nodes || peers->names)) {
                convert_refuse(
                        c, named, "give the port's number, or let the rule name no networks, nodes or domainNames",
                        "in a ClusterNetworkPolicy a named port cannot stand with networks, nodes or domainNames");
                return false;
        }
        if (peers->nodes && strcmp(action, "Allow") != 0) {
                convert_refuse(c, peers->nodes, "write the nodes' addresses as networks, or remove the peer",
                               "nodes select nothing here, but in a ClusterNetworkPolicy a rule with them denies "
                               "everybody");
                return false;
        }
        if (peers->names && peers->list->len > ITEMS_MAX) {
                convert_refuse(c, peers->list, "move the other peers to a rule of their own",
                               "a rule with domainNames and more than %d peers cannot be split", ITEMS_MAX);
                return false;
        }
        return true;
}

static int convert_rule(struct convert *c, struct layout_item *rules, struct layout_item *rule, const char *key)
{
        struct layout_item *action = layout_get(rule, "action"), *named;
        struct layout_item *const end = rule->next;
        struct peers peers;
        int r;

        r = look_at_peers(c, rule, key, &peers);
        if (r == 0)
                r = convert_ports(c, rule, &named);
        if (r < 0 || !is_expressible(c, &peers, named, action->text))
                return r;
        if (strcmp(action->text, "Allow") == 0) {
                action->text = "Accept";
                action->style = DOC_PLAIN;
                action->raw = NULL;
        }
        if (peers.nodes && peers.others && !peers.names)
                r = move_nodes(c, rules, rule, &peers);
        for (; r == 0 && rule != end; rule = rule->next)
                r = split_long(c, rules, rule, key);
        return r;
}

int convert_rules(struct convert *c, struct layout_item *rules, enum direction direction)
{
        const char *key = direction == DIR_EGRESS ? "to" : "from";
        struct layout_item *rule, *next;
        int r = 0;

        for (rule = rules->first; r == 0 && rule; rule = next) {
                next = rule->next;
                r = convert_rule(c, rules, rule, key);
        }
        for (rule = rules->first; r == 0 && rule; rule = rule->next)
                r = split_long(c, rules, rule, "protocols");
        return r;
}
