/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall status, endpoints, policies, counters: what the running agent says, as tables or as it is. */
#include <stdlib.h>
#include <string.h>

#include <vethwall/strbuf.h>

#include "commands.h"
#include "control.h"
#include "output.h"

/* The text of a member; "" where it is none. */
static const char *text_of(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

/* A number, or a dash where there is none. */
static void add_number(struct table *table, const json_t *object, const char *key)
{
        const json_t *value = json_object_get(object, key);

        if (json_is_integer(value))
                table_add_number(table, json_integer_value(value));
        else
                table_add(table, NULL);
}

/* Texts joined into one cell. */
static void add_list(struct table *table, const json_t *list, const char *member)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        const json_t *item;
        size_t i;

        json_array_foreach(list, i, item)
        {
                if (i > 0)
                        strbuf_puts(&buf, ", ");
                strbuf_puts(&buf, member                    ? text_of(item, member)
                                  : json_string_value(item) ? json_string_value(item)
                                                            : "");
        }

        if (buf.failed)
                table->failed = true;
        else
                table_add(table, buf.text);
}

static void add_name(struct table *table, const char *ns, const char *name)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        strbuf_printf(&buf, "%s%s%s", ns, ns[0] != '\0' ? "/" : "", name);
        if (strbuf_check(&buf) < 0)
                table->failed = true;
        else
                table_add(table, buf.text);
}

static void put_field(struct strbuf *buf, const char *name, const char *value)
{
        strbuf_printf(buf, "%-14s ", name);
        strbuf_clean(buf, value[0] != '\0' ? value : "-");
        strbuf_putc(buf, '\n');
}

static void put_number(struct strbuf *buf, const char *name, const json_t *value)
{
        strbuf_printf(buf, "%-14s %lld\n", name, (long long)json_integer_value(value));
}

static void put_state(struct strbuf *buf, const json_t *status, bool colour)
{
        const char *state = text_of(status, "state");
        const json_t *reason;
        size_t i;

        strbuf_printf(buf, "%-14s ", "State:");
        if (strcmp(state, "ok") == 0)
                put_colour(buf, colour, COLOUR_GREEN, "ok");
        else if (strcmp(state, "degraded") == 0)
                put_colour(buf, colour, COLOUR_RED, "degraded");
        else
                strbuf_clean(buf, state[0] != '\0' ? state : "unknown");
        strbuf_putc(buf, '\n');

        json_array_foreach(json_object_get(status, "reasons"), i, reason)
                put_field(buf, i == 0 ? "Reasons:" : "", json_string_value(reason) ? json_string_value(reason) : "");
}

static void put_policy_errors(struct strbuf *buf, const json_t *errors)
{
        const json_t *error;
        size_t i;

        json_array_foreach(errors, i, error)
        {
                strbuf_puts(buf, i == 0 ? "\nPolicy errors; the last good policies stay in force:\n  " : "  ");
                strbuf_clean(buf, text_of(error, "file"));
                strbuf_printf(buf, ":%lld:%lld: ", (long long)json_integer_value(json_object_get(error, "line")),
                              (long long)json_integer_value(json_object_get(error, "column")));
                strbuf_clean(buf, text_of(error, "message"));
                strbuf_putc(buf, '\n');
        }
}

static void put_runtimes(struct strbuf *buf, const json_t *runtimes, bool colour)
{
        static const char *const headings[] = {"RUNTIME", "CONNECTED", "ENDPOINTS"};
        _cleanup_(table_fini) struct table table;
        const json_t *runtime;
        size_t i;

        table_init(&table, headings, ARRAY_SIZE(headings));
        json_array_foreach(runtimes, i, runtime)
        {
                table_add(&table, text_of(runtime, "name"));
                table_add(&table, json_is_true(json_object_get(runtime, "connected")) ? "yes" : "no");
                add_number(&table, runtime, "endpoints");
        }

        if (i > 0) {
                strbuf_putc(buf, '\n');
                table_print(buf, &table, colour);
        }
}

static void put_bridges(struct strbuf *buf, const json_t *bridges, bool colour)
{
        static const char *const headings[] = {"BRIDGE", "BACKEND", "ISOLATED", "REASON"};
        _cleanup_(table_fini) struct table table;
        const json_t *bridge;
        size_t i;

        table_init(&table, headings, ARRAY_SIZE(headings));
        json_array_foreach(bridges, i, bridge)
        {
                table_add(&table, text_of(bridge, "name"));
                table_add(&table, text_of(bridge, "backend"));
                table_add(&table, json_is_true(json_object_get(bridge, "isolated")) ? "yes" : "no");
                table_add(&table, text_of(bridge, "reason"));
        }

        if (i > 0) {
                strbuf_putc(buf, '\n');
                table_print(buf, &table, colour);
        }
}

static void put_unenforced(struct strbuf *buf, const json_t *unenforced, bool colour)
{
        static const char *const headings[] = {"NOT ENFORCED", "REASON"};
        _cleanup_(table_fini) struct table table;
        const json_t *endpoint;
        size_t i;

        table_init(&table, headings, ARRAY_SIZE(headings));
        json_array_foreach(unenforced, i, endpoint)
        {
                table_add(&table, text_of(endpoint, "endpoint"));
                table_add(&table, text_of(endpoint, "reason"));
        }

        if (i > 0) {
                strbuf_putc(buf, '\n');
                table_print(buf, &table, colour);
        }
}

/* "no-new-privileges, seccomp (without landlock: Operation not supported)" */
static void put_confinement(struct strbuf *buf, const json_t *confinement)
{
        _cleanup_(strbuf_fini) struct strbuf has = STRBUF_INIT, lacks = STRBUF_INIT;
        const json_t *item;
        size_t i;

        json_array_foreach(confinement, i, item)
        {
                bool in_force = json_is_true(json_object_get(item, "inForce"));
                struct strbuf *list = in_force ? &has : &lacks;

                strbuf_printf(list, "%s%s", list->len > 0 ? ", " : "", text_of(item, "name"));
                if (!in_force)
                        strbuf_printf(list, ": %s", text_of(item, "reason"));
        }
        if (i == 0)
                return;
        if (lacks.len > 0)
                strbuf_printf(&has, "%s(without %s)", has.len > 0 ? " " : "", lacks.text);
        if (strbuf_check(&has) < 0 || strbuf_check(&lacks) < 0)
                buf->failed = true;
        else
                put_field(buf, "Confined by:", has.text);
}

static void put_status(struct strbuf *buf, const json_t *status, bool colour)
{
        const json_t *transactions = json_object_get(status, "transactions"),
                     *revoked = json_object_get(status, "revoked");

        put_state(buf, status, colour);
        put_field(buf, "Version:", text_of(status, "version"));
        put_number(buf, "Endpoints:", json_object_get(status, "endpoints"));
        put_number(buf, "Policies:", json_object_get(status, "policies"));
        put_field(buf, "Policies from:", text_of(status, "lastGoodPolicy"));
        strbuf_printf(buf, "%-14s %lld committed, %lld empty, %lld failed\n",
                      "Transactions:", (long long)json_integer_value(json_object_get(transactions, "committed")),
                      (long long)json_integer_value(json_object_get(transactions, "empty")),
                      (long long)json_integer_value(json_object_get(transactions, "failed")));
        strbuf_printf(buf, "%-14s %lld denied, %lld released, %lld failed\n",
                      "Cut:", (long long)json_integer_value(json_object_get(revoked, "denied")),
                      (long long)json_integer_value(json_object_get(revoked, "released")),
                      (long long)json_integer_value(json_object_get(revoked, "failed")));
        put_confinement(buf, json_object_get(status, "confinement"));

        put_policy_errors(buf, json_object_get(status, "policyErrors"));
        put_runtimes(buf, json_object_get(status, "runtimes"), colour);
        put_bridges(buf, json_object_get(status, "bridges"), colour);
        put_unenforced(buf, json_object_get(status, "unenforced"), colour);
}

/* The policies that select the endpoint, or "open" where none does. */
static void add_direction(struct table *table, const json_t *direction)
{
        const json_t *policies = json_object_get(direction, "policies");

        if (json_array_size(policies) > 0)
                add_list(table, policies, NULL);
        else
                table_add(table, "open");
}

static void put_endpoints(struct strbuf *buf, const json_t *answer, bool colour)
{
        static const char *const headings[] = {"ENDPOINT", "RUNTIME", "ADDRESSES", "LINKS",
                                               "INGRESS",  "EGRESS",  "ENFORCED"};
        _cleanup_(table_fini) struct table table;
        const json_t *endpoint;
        size_t i;

        table_init(&table, headings, ARRAY_SIZE(headings));
        json_array_foreach(json_object_get(answer, "endpoints"), i, endpoint)
        {
                add_name(&table, text_of(endpoint, "namespace"), text_of(endpoint, "name"));
                table_add(&table, text_of(endpoint, "runtime"));
                add_list(&table, json_object_get(endpoint, "addresses"), NULL);
                add_list(&table, json_object_get(endpoint, "links"), "name");
                add_direction(&table, json_object_get(endpoint, "ingress"));
                add_direction(&table, json_object_get(endpoint, "egress"));
                if (json_is_true(json_object_get(endpoint, "enforced")))
                        table_add(&table, "yes");
                else
                        add_name(&table, "", text_of(endpoint, "reason")[0] ? text_of(endpoint, "reason") : "no");
        }

        table_print(buf, &table, colour);
}

static void put_policies(struct strbuf *buf, const json_t *answer, bool colour)
{
        static const char *const headings[] = {"POLICY", "KIND", "DIRECTIONS", "ENDPOINTS", "FILE"};
        _cleanup_(table_fini) struct table table;
        const json_t *policy;
        size_t i;

        table_init(&table, headings, ARRAY_SIZE(headings));
        json_array_foreach(json_object_get(answer, "policies"), i, policy)
        {
                _cleanup_(strbuf_fini) struct strbuf place = STRBUF_INIT;

                add_name(&table, text_of(policy, "namespace"), text_of(policy, "name"));
                table_add(&table, text_of(policy, "kind"));
                add_list(&table, json_object_get(policy, "directions"), NULL);
                add_number(&table, policy, "endpoints");
                strbuf_printf(&place, "%s:%lld", text_of(policy, "file"),
                              (long long)json_integer_value(json_object_get(policy, "line")));
                if (strbuf_check(&place) < 0)
                        table.failed = true;
                else
                        table_add(&table, place.text);
        }

        table_print(buf, &table, colour);
}

/* The policy, or, where none decided, what did: "(unknown-endpoint)". */
static void add_decider(struct table *table, const json_t *rule)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        const char *reason = text_of(rule, "reason");

        if (text_of(rule, "policy")[0] != '\0') {
                add_name(table, text_of(rule, "namespace"), text_of(rule, "policy"));
                return;
        }

        strbuf_printf(&buf, "(%s)", reason[0] != '\0' ? reason : "default");
        if (strbuf_check(&buf) < 0)
                table->failed = true;
        else
                table_add(table, buf.text);
}

static void put_counters(struct strbuf *buf, const json_t *answer, bool colour)
{
        static const char *const headings[] = {"POLICY", "RULE", "VERDICT", "PACKETS", "BYTES"};
        _cleanup_(table_fini) struct table table;
        const json_t *rule;
        size_t i;

        table_init(&table, headings, ARRAY_SIZE(headings));
        json_array_foreach(json_object_get(answer, "rules"), i, rule)
        {
                _cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;
                const json_t *index = json_object_get(rule, "rule");

                add_decider(&table, rule);

                strbuf_puts(&name, text_of(rule, "direction"));
                if (json_is_integer(index))
                        strbuf_printf(&name, "[%lld]", (long long)json_integer_value(index));
                if (strbuf_check(&name) < 0)
                        table.failed = true;
                else
                        table_add(&table, name.text);

                table_add(&table, text_of(rule, "verdict"));
                add_number(&table, rule, "packets");
                add_number(&table, rule, "bytes");
        }

        table_print(buf, &table, colour);
}

/* As the agent gave it, but in our own writing, so that nothing in a name can reach the terminal as it is. */
static void put_json(struct strbuf *buf, const json_t *answer)
{
        _cleanup_free_ char *text = json_dumps(answer, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_PRESERVE_ORDER);

        if (!text) {
                buf->failed = true;
                return;
        }

        /* A DEL is the one control character that JSON may hold unescaped in ASCII. */
        for (const char *c = text; *c; c++) {
                if (*c == 0x7f)
                        strbuf_puts(buf, "\\u007f");
                else
                        strbuf_putc(buf, *c);
        }
        strbuf_putc(buf, '\n');
}

static int ask(const struct options *options, const char *path,
               void (*put)(struct strbuf *buf, const json_t *answer, bool colour))
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        json_auto_t *answer = NULL;
        int r;

        r = control_get(options, path, &answer);
        if (r != 0)
                return r;

        if (options->format == FORMAT_JSON)
                put_json(&buf, answer);
        else
                put(&buf, answer, options->colour_out);

        return flush_out(&buf);
}

int command_status(const struct options *options)
{
        return ask(options, "/v1/status", put_status);
}

int command_endpoints(const struct options *options)
{
        return ask(options, "/v1/endpoints", put_endpoints);
}

int command_policies(const struct options *options)
{
        return ask(options, "/v1/policies", put_policies);
}

int command_counters(const struct options *options)
{
        return ask(options, "/v1/counters", put_counters);
}
