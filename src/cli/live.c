/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent has in force, read from its answer by the same loaders that read files. The answer is trusted no further
 * than a file is: a socket may not be the agent's, or the agent not of this version. */
#include <errno.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/diag.h>
#include <vethwall/settings.h>

#include "files/files.h"

#include "commands.h"
#include "connections.h"
#include "control.h"
#include "diff.h"
#include "live.h"
#include "output.h"

/* A loader takes no file of any size: so many endpoints at a time stay far below. */
#define PIECE_LEN 2000

static int misunderstood(const char *what)
{
        complain("the agent's answer has no %s that is understood here: is it of this version?", what);
        return EXIT_TROUBLE;
}

/* settings */

/* Which of two texts it is. */
static bool read_choice(const json_t *object, const char *key, const char *no, const char *yes, bool *ret)
{
        const char *text = json_string_value(json_object_get(object, key));

        if (!text || (strcmp(text, no) != 0 && strcmp(text, yes) != 0))
                return false;

        *ret = strcmp(text, yes) == 0;
        return true;
}

static int read_settings(const json_t *object, struct arena *arena, const struct settings **ret)
{
        const json_t *list = json_object_get(object, "interfaces"), *item;
        struct settings *settings = arena_alloc(arena, sizeof(*settings));
        const char **interfaces = arena_array(arena, json_array_size(list), sizeof(*interfaces));
        bool deny = false;
        size_t i;

        if (!settings || !interfaces)
                return -ENOMEM;

        if (!read_choice(object, "defaultAction", "allow", "deny", &deny) ||
            !read_choice(object, "hostTraffic", "allow", "policy", &settings->host_policy) ||
            !read_choice(object, "unknownEndpoints", "allow", "deny", &settings->unknown_deny) || !json_is_array(list))
                return misunderstood("settings");

        json_array_foreach(list, i, item)
        {
                if (!json_is_string(item))
                        return misunderstood("settings");
                interfaces[i] = arena_strdup(arena, json_string_value(item));
                if (!interfaces[i])
                        return -ENOMEM;
        }

        settings->default_action = deny ? ACTION_DENY : ACTION_ALLOW;
        settings->interfaces = interfaces;
        settings->interfaces_len = i;
        *ret = settings;
        return 0;
}

static int read_host(const json_t *list, struct input *ret)
{
        struct addr *addrs = arena_array(ret->arena, json_array_size(list), sizeof(*addrs));
        const json_t *item;
        size_t i;

        if (!addrs)
                return -ENOMEM;
        if (!json_is_array(list))
                return misunderstood("host");

        json_array_foreach(list, i,
                           item) if (!json_is_string(item) ||
                                     !addr_parse(json_string_value(item), &addrs[i])) return misunderstood("host");

        ret->host = addrs;
        ret->host_len = i;
        return 0;
}

/* policies */

static int read_policies(const json_t *list, struct policy_set **ret, struct diag_list *diags)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        const json_t *item;
        size_t i;
        int r;

        if (!json_is_array(list))
                return misunderstood("policies");

        r = policy_set_new(&set);
        if (r < 0)
                return r;

        set->keeps_sources = true;
        json_array_foreach(list, i, item)
        {
                const json_t *file = json_object_get(item, "file"), *text = json_object_get(item, "text");

                if (!json_is_string(file) || !json_is_string(text))
                        return misunderstood("policies");
                r = policy_set_load(set, json_string_value(file), json_string_value(text), json_string_length(text),
                                    diags);
                if (r < 0)
                        return r;
        }

        r = policy_set_seal(set, diags);
        if (r < 0)
                return r;

        *ret = steal(set);
        return 0;
}

/* inventory */

static void put_value(struct strbuf *buf, const json_t *value);

static void put_list(struct strbuf *buf, const json_t *list, size_t first, size_t len)
{
        strbuf_putc(buf, '[');
        for (size_t i = first; i < json_array_size(list) && i < first + len; i++) {
                strbuf_puts(buf, i > first ? ", " : "");
                put_value(buf, json_array_get(list, i));
        }
        strbuf_putc(buf, ']');
}

/* As the loader reads it, which jansson's own writing is not: YAML does not take every JSON. */
static void put_value(struct strbuf *buf, const json_t *value)
{
        const char *key, *separator = "{";
        json_t *member;

        switch (json_typeof(value)) {
        case JSON_OBJECT:
                json_object_foreach((json_t *)value, key, member)
                {
                        strbuf_puts(buf, separator);
                        strbuf_json(buf, key);
                        strbuf_puts(buf, ": ");
                        put_value(buf, member);
                        separator = ", ";
                }
                strbuf_puts(buf, separator[0] == '{' ? "{}" : "}");
                break;
        case JSON_ARRAY:
                put_list(buf, value, 0, SIZE_MAX);
                break;
        case JSON_STRING:
                strbuf_json(buf, json_string_value(value));
                break;
        case JSON_INTEGER:
                strbuf_printf(buf, "%lld", (long long)json_integer_value(value));
                break;
        case JSON_REAL:
                strbuf_printf(buf, "%g", json_real_value(value));
                break;
        case JSON_TRUE:
                strbuf_puts(buf, "true");
                break;
        case JSON_FALSE:
                strbuf_puts(buf, "false");
                break;
        case JSON_NULL:
                strbuf_puts(buf, "null");
                break;
        }
}

/* The document with some of its endpoints, and, in the first piece, everything else. */
static int load_piece(struct inventory *inventory, const json_t *document, size_t first, struct diag_list *diags)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        const char *key, *separator = "{";
        json_t *member;
        int r;

        json_object_foreach((json_t *)document, key, member)
        {
                if (first > 0 && strcmp(key, "namespaces") == 0)
                        continue;
                strbuf_puts(&text, separator);
                strbuf_json(&text, key);
                strbuf_puts(&text, ": ");
                if (strcmp(key, "endpoints") == 0)
                        put_list(&text, member, first, PIECE_LEN);
                else
                        put_value(&text, member);
                separator = ", ";
        }
        strbuf_putc(&text, '}');
        r = strbuf_check(&text);
        if (r < 0)
                return r;

        return inventory_load(inventory, "the agent's inventory", text.text, text.len, diags);
}

static int read_inventory(const json_t *document, struct inventory **ret, struct diag_list *diags)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        const json_t *endpoints = json_object_get(document, "endpoints");
        size_t first = 0;
        int r;

        if (!json_is_array(endpoints))
                return misunderstood("inventory");

        r = inventory_new(&inventory);
        if (r < 0)
                return r;

        do {
                r = load_piece(inventory, document, first, diags);
                if (r < 0)
                        return r;
                first += PIECE_LEN;
        } while (first < json_array_size(endpoints));

        r = inventory_seal(inventory);
        if (r < 0)
                return r;

        *ret = steal(inventory);
        return 0;
}

static int read_state(const json_t *state, struct input *ret, struct diag_list *diags)
{
        int r;

        ret->is_live = true;
        ret->arena = arena_new();
        if (!ret->arena)
                return -ENOMEM;

        r = read_settings(json_object_get(state, "settings"), ret->arena, &ret->settings);
        if (r == 0)
                r = read_host(json_object_get(state, "host"), ret);
        if (r == 0)
                r = read_policies(json_object_get(state, "policies"), &ret->policies, diags);
        if (r == 0)
                r = read_inventory(json_object_get(state, "inventory"), &ret->inventory, diags);
        return r;
}

int live_read(struct input *ret, const struct options *options)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(input_fini) struct input input = INPUT_INIT;
        json_auto_t *state = NULL;
        int r;

        r = control_get(options, "/v1/state", &state);
        if (r != 0)
                return r;

        r = read_state(state, &input, &diags);
        if (r < 0)
                return complain_errno(r);
        if (r == 0 && diags.errors > 0) {
                complain("what the agent has in force is not understood here: is it of this version?");
                r = input_judge(&diags, options->colour_err);
        }
        if (r != 0)
                return r;

        r = world_new(&input.world, input.policies, input.inventory, input.settings);
        if (r < 0)
                return complain_errno(r);

        *ret = input;
        input = (struct input)INPUT_INIT;
        return 0;
}

int command_inventory(const struct options *options)
{
        _cleanup_(input_fini) struct input input = INPUT_INIT;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        int r;

        r = live_read(&input, options);
        if (r != 0)
                return r;

        inventory_write(&buf, input.inventory);
        strbuf_putc(&buf, '\n');
        return flush_out(&buf);
}

/* diff */

/* Whether the files differ from those that the agent read. */
static enum diff_text compare(const struct policy_set *old, const struct policy_set *new)
{
        if (old->files_len != new->files_len)
                return DIFF_TEXT_CHANGED;

        for (size_t i = 0; i < old->files_len; i++) {
                const struct policy_source *a = &old->sources[i], *b = &new->sources[i];

                if (a->size != b->size || memcmp(a->bytes, b->bytes, a->size) != 0)
                        return DIFF_TEXT_CHANGED;
        }

        return DIFF_TEXT_SAME;
}

static int read_new(const struct options *options, struct policy_set **ret)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        int r;

        r = policies_read_with_sources(options->operands, 1, &set, &diags);
        if (r == 0)
                r = input_warn_skipped(&diags, set);
        if (r < 0)
                return complain_errno(r);

        r = input_judge(&diags, options->colour_err);
        if (r != 0)
                return r;

        if (set->files_len == 0)
                complain("warning: there is no policy file in %s, so nothing is isolated", options->operands[0]);
        *ret = steal(set);
        return 0;
}

int live_diff(const struct options *options)
{
        _cleanup_(input_fini) struct input input = INPUT_INIT;
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        _cleanup_(connections_fini) struct connections connections = {0};
        _cleanup_(world_freep) struct world *world = NULL;
        struct diff_sides sides = {0};
        int r;

        r = read_new(options, &set);
        if (r == 0)
                r = live_read(&input, options);
        if (r == 0)
                r = world_new(&world, set, input.inventory, input.settings);
        if (r == 0)
                r = connections_read(&connections, options, &input, world);
        if (r != 0)
                return r < 0 ? complain_errno(r) : r;

        sides.policies[CHANGE_OLD] = input.policies;
        sides.policies[CHANGE_NEW] = set;
        sides.inventories[CHANGE_OLD] = input.inventory;
        sides.inventories[CHANGE_NEW] = input.inventory;
        sides.settings = input.settings;
        sides.text = compare(input.policies, set);
        sides.connections = &connections;
        return diff_report(&sides, options);
}
