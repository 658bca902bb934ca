/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each connection goes from who asked to who answers: translated destinations are those that policy speaks of, translated
 * sources are not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/owners.h>

#include "connections.h"
#include "control.h"
#include "output.h"

void connections_fini(struct connections *connections)
{
        free(connections->items);
}

/* reading */

static bool read_number(const json_t *object, const char *key, json_int_t max, json_int_t *ret)
{
        const json_t *value = json_object_get(object, key);

        *ret = json_integer_value(value);
        return json_is_integer(value) && *ret >= 0 && *ret <= max;
}

static bool read_addr(const json_t *object, const char *key, struct addr *ret)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text && addr_parse(text, ret);
}

static bool read_connection(const json_t *item, const struct owners *owners, struct explain_query *ret)
{
        const json_t *original = json_object_get(item, "original"), *reply = json_object_get(item, "reply");
        json_int_t protocol, port;
        struct addr src, dst;

        if (!read_number(item, "protocol", UINT8_MAX, &protocol) || !read_number(reply, "sport", UINT16_MAX, &port) ||
            !read_addr(original, "src", &src) || !read_addr(reply, "src", &dst))
                return false;

        *ret = (struct explain_query){
                .src = owners_party(owners, &src),
                .dst = owners_party(owners, &dst),
                .protocol = (uint8_t)protocol,
                .port = (uint16_t)port,
        };
        return true;
}

static int by_query(const void *a, const void *b)
{
        const struct explain_query *x = &((const struct connection *)a)->query,
                                   *y = &((const struct connection *)b)->query;
        int order;

        /* Endpoints in their order, the outside behind them. */
        if (x->src.endpoint != y->src.endpoint)
                return x->src.endpoint < y->src.endpoint ? -1 : 1;
        if (x->dst.endpoint != y->dst.endpoint)
                return x->dst.endpoint < y->dst.endpoint ? -1 : 1;
        order = addr_cmp(&x->src.addr, &y->src.addr);
        if (order == 0)
                order = addr_cmp(&x->dst.addr, &y->dst.addr);
        if (order == 0)
                order = (int)x->protocol - (int)y->protocol;
        return order != 0 ? order : (int)x->port - (int)y->port;
}

/* Each as it is, sorted. */
static int read_list(struct connections *connections, const json_t *list, const struct owners *owners)
{
        const json_t *item;
        size_t i;
        int r;

        r = array_reserve(&connections->items, &connections->cap, json_array_size(list) + 1,
                          sizeof(*connections->items));
        if (r < 0)
                return r;

        json_array_foreach(list, i, item)
        {
                struct connection connection = {.count = 1};

                if (!read_connection(item, owners, &connection.query)) {
                        complain("the agent's answer has a connection that is not understood here: is it of this "
                                 "version?");
                        return EXIT_TROUBLE;
                }
                /* The kernel also follows what has nothing to do with any of them. */
                if (connection.query.src.endpoint != WORLD_OUTSIDE || connection.query.dst.endpoint != WORLD_OUTSIDE)
                        connections->items[connections->len++] = connection;
        }

        qsort(connections->items, connections->len, sizeof(*connections->items), by_query);
        return 0;
}

/* One for those that differ in nothing but the port that they come from. */
static void merge(struct connections *connections)
{
        size_t len = 0;

        for (size_t i = 0; i < connections->len; i++) {
                if (len > 0 && by_query(&connections->items[len - 1], &connections->items[i]) == 0)
                        connections->items[len - 1].count++;
                else
                        connections->items[len++] = connections->items[i];
        }

        connections->len = len;
}

/* Keeps those that the new policies deny. */
static int judge(struct connections *connections, const struct input *input, struct world *new)
{
        size_t len = 0;
        int r;

        for (size_t i = 0; i < connections->len; i++) {
                struct connection *connection = &connections->items[i];
                struct explain_query *query = &connection->query;

                query->own_host = input_own_host(input, query->src.endpoint, &query->src.addr) ||
                                  input_own_host(input, query->dst.endpoint, &query->dst.addr);
                r = explain_judge(input->world, query, &connection->judgements[CHANGE_OLD]);
                if (r == 0)
                        r = explain_judge(new, query, &connection->judgements[CHANGE_NEW]);
                if (r < 0)
                        return r;

                if (connection->judgements[CHANGE_NEW].verdict == ACTION_DENY)
                        connections->items[len++] = *connection;
        }

        connections->len = len;
        return 0;
}

int connections_read(struct connections *ret, const struct options *options, const struct input *input,
                     struct world *new)
{
        _cleanup_(owners_fini) struct owners owners = {0};
        json_auto_t *answer = NULL;
        const json_t *list, *error;
        int r;

        *ret = (struct connections){.inventory = input->inventory};
        r = control_get(options, "/v1/connections", &answer);
        if (r != 0)
                return r;

        list = json_object_get(answer, "connections");
        if (!json_is_array(list)) {
                error = json_object_get(answer, "error");
                complain("warning: the agent cannot read the open connections: %s",
                         json_is_string(error) ? json_string_value(error) : "it does not say why");
                return 0;
        }

        r = owners_init(&owners, input->inventory);
        if (r == 0)
                r = read_list(ret, list, &owners);
        if (r != 0)
                return r;

        merge(ret);
        ret->known = true;
        ret->complete = !json_is_true(json_object_get(answer, "truncated"));
        return judge(ret, input, new);
}
