/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff: the command, and its form for programs. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <vethwall/settings.h>

#include "files/files.h"

#include "cause.h"
#include "commands.h"
#include "diff.h"
#include "flow.h"
#include "input.h"
#include "output.h"

enum fail_on {
        FAIL_ON_ANY,
        FAIL_ON_WIDEN,
        FAIL_ON_NARROW,
        FAIL_ON_MAX,
};

static const char *const fail_on_names[] = {
        [FAIL_ON_ANY] = "any",
        [FAIL_ON_WIDEN] = "widen",
        [FAIL_ON_NARROW] = "narrow",
};
static_assert(ARRAY_SIZE(fail_on_names) == FAIL_ON_MAX, "a reason to fail without a name");

/* Everything that was read; with one inventory, both sides share it. */
struct sources {
        struct policy_set *policies[CHANGE_SIDE_MAX];
        struct inventory *inventories[CHANGE_SIDE_MAX];
        struct world *worlds[CHANGE_SIDE_MAX];
};

static void sources_fini(struct sources *sources)
{
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                world_free(sources->worlds[side]);
                policy_set_free(sources->policies[side]);
                if (side == CHANGE_OLD || sources->inventories[side] != sources->inventories[CHANGE_OLD])
                        inventory_free(sources->inventories[side]);
        }
}

/* json */

static void json_cause(struct difference *difference, enum change_side side, const struct cause *cause)
{
        if (cause->tier == TIER_MAX)
                strbuf_puts(difference->buf, "null");
        else
                put_cause_json(difference->buf, difference->policies[side], cause, true);
}

/* True if an earlier part of the change names the same two causes. */
static bool named_before(const struct change *change, size_t part, enum direction d)
{
        const struct change_reason *reason = change->parts[part].reason;

        for (size_t i = 0; i < part; i++) {
                const struct change_reason *other = change->parts[i].reason;

                if (other->turned[d] && cause_equal(&other->causes[d][CHANGE_OLD], &reason->causes[d][CHANGE_OLD]) &&
                    cause_equal(&other->causes[d][CHANGE_NEW], &reason->causes[d][CHANGE_NEW]))
                        return true;
        }

        return false;
}

static void json_rules(struct difference *difference, const struct change *change)
{
        static const enum direction order[] = {DIR_EGRESS, DIR_INGRESS};
        struct strbuf *buf = difference->buf;
        bool first = true;

        strbuf_puts(buf, ",\n   \"rules\": [");
        for (size_t i = 0; i < change->parts_len; i++) {
                const struct change_reason *reason = change->parts[i].reason;

                for (size_t j = 0; j < ARRAY_SIZE(order); j++) {
                        enum direction d = order[j];

                        if (!reason->turned[d] || named_before(change, i, d))
                                continue;

                        strbuf_printf(buf, "%s\n    {\"direction\": \"%s\", \"old\": ", first ? "" : ",",
                                      direction_name(d));
                        first = false;
                        json_cause(difference, CHANGE_OLD, &reason->causes[d][CHANGE_OLD]);
                        strbuf_puts(buf, ", \"new\": ");
                        json_cause(difference, CHANGE_NEW, &reason->causes[d][CHANGE_NEW]);
                        strbuf_putc(buf, '}');
                }
        }
        strbuf_putc(buf, ']');
}

static void json_addr(struct strbuf *buf, const struct endpoint *endpoint, size_t i)
{
        char text[ADDR_TEXT_MAX];

        if (i < endpoint->addrs_len)
                strbuf_printf(buf, "\"%s\"", addr_format(&endpoint->addrs[i], text));
        else
                strbuf_puts(buf, "null");
}

/* Addresses apart are those of both sides. */
static void json_pairs(struct strbuf *buf, const struct change *change, const struct change_party *src,
                       const struct change_party *dst)
{
        for (size_t i = 0; i < change->pairs_len; i++) {
                const struct change_pair *pair = &change->pairs[i];

                strbuf_puts(buf, i == 0 ? ",\n   \"byAddress\": [\n    {\"src\": " : ",\n    {\"src\": ");
                json_addr(buf, src->endpoint[CHANGE_NEW], pair->src);
                strbuf_puts(buf, ", \"dst\": ");
                json_addr(buf, dst->endpoint[CHANGE_NEW], pair->dst);
                strbuf_puts(buf, ", \"old\": ");
                put_conns_json_object(buf, pair->conns[CHANGE_OLD]);
                strbuf_puts(buf, ", \"new\": ");
                put_conns_json_object(buf, pair->conns[CHANGE_NEW]);
                strbuf_puts(buf, i == change->pairs_len - 1 ? "}]" : "}");
        }
}

static void json_end(struct strbuf *buf, const struct change_party *party, const struct change_end *end)
{
        char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX];

        if (party)
                put_endpoint_json(buf, party->endpoint[party->endpoint[CHANGE_NEW] ? CHANGE_NEW : CHANGE_OLD]);
        else
                strbuf_printf(buf, "\"%s-%s\"", addr_format(&end->range.first, first),
                              addr_format(&end->range.last, last));
}

struct json_state {
        struct difference *difference;
        bool any;
};

static int json_change(_unused_ const struct changes *changes, const struct change *change,
                       const struct change_party *src, const struct change_party *dst, void *userdata)
{
        struct json_state *state = userdata;
        struct strbuf *buf = state->difference->buf;

        strbuf_printf(buf, "%s\n  {\"type\": \"%s\", \"src\": ", state->any ? "," : "",
                      conns_is_empty(change->conns[CHANGE_OLD])   ? "added"
                      : conns_is_empty(change->conns[CHANGE_NEW]) ? "removed"
                                                                  : "changed");
        state->any = true;
        json_end(buf, src, &change->src);
        strbuf_puts(buf, ", \"dst\": ");
        json_end(buf, dst, &change->dst);
        strbuf_puts(buf, ",\n   \"old\": ");
        put_conns_json_object(buf, change->conns[CHANGE_OLD]);
        strbuf_puts(buf, ", \"new\": ");
        put_conns_json_object(buf, change->conns[CHANGE_NEW]);
        json_pairs(buf, change, src, dst);
        json_rules(state->difference, change);
        strbuf_putc(buf, '}');
        return flush_out_partly(buf);
}

int diff_json(struct difference *difference)
{
        static const char *const text_changed[] = {
                [DIFF_TEXT_SAME] = "false",
                [DIFF_TEXT_CHANGED] = "true",
                [DIFF_TEXT_UNKNOWN] = "null",
        };
        struct json_state state = {difference, false};
        struct strbuf *buf = difference->buf;
        int r;

        strbuf_printf(buf, "{\"textChanged\": %s, \"widened\": %zu, \"narrowed\": %zu, \"both\": %zu,\n \"changes\": [",
                      text_changed[difference->text], difference->widened, difference->narrowed, difference->both);
        r = changes_visit(difference->changes, json_change, &state);
        if (r != 0)
                return r;

        strbuf_puts(buf, state.any ? "\n ]}\n" : "]}\n");
        return 0;
}

/* the command */

static int parse_fail_on(const struct options *options, enum fail_on *ret)
{
        for (enum fail_on i = 0; i < FAIL_ON_MAX; i++) {
                if (!options->fail_on || strcmp(options->fail_on, fail_on_names[i]) == 0) {
                        *ret = i;
                        return 0;
                }
        }

        complain("diff --fail-on takes widen, narrow or any, not '%s'", options->fail_on);
        return EXIT_TROUBLE;
}

/* How many of the files are standard input. */
static size_t count_stdin(const char *const *paths, size_t len)
{
        size_t n = 0;

        for (size_t i = 0; i < len; i++)
                n += strcmp(paths[i], "-") == 0;

        return n;
}

static int check_paths(const struct options *options)
{
        if (options->inventories_len > CHANGE_SIDE_MAX) {
                complain("diff takes one inventory, or two: the old and the new");
                return EXIT_TROUBLE;
        }

        if (count_stdin(options->operands, options->operands_len) +
                    count_stdin(options->inventories, options->inventories_len) >
            1) {
                complain("standard input (-) can be read only once");
                return EXIT_TROUBLE;
        }

        return 0;
}

static int read_sources(struct sources *sources, const struct options *options, struct diag_list *diags)
{
        int r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                r = input_policies(&sources->policies[side], &options->operands[side], 1, diags);
                if (r < 0)
                        return r;
        }

        for (enum change_side side = 0; side < options->inventories_len; side++) {
                r = inventory_read(&options->inventories[side], 1, &sources->inventories[side], diags);
                if (r < 0)
                        return r;
        }
        if (options->inventories_len == 1)
                sources->inventories[CHANGE_NEW] = sources->inventories[CHANGE_OLD];

        return 0;
}

static int load_sources(struct sources *sources, const struct options *options)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        int r;

        r = read_sources(sources, options, &diags);
        if (r < 0)
                return r;

        r = input_judge(&diags, options->colour_err);
        if (r != 0)
                return r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                if (sources->policies[side]->files_len == 0)
                        complain("warning: there is no policy file in %s, so nothing is isolated",
                                 options->operands[side]);

                r = world_new(&sources->worlds[side], sources->policies[side], sources->inventories[side],
                              &settings_default);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Compares two files by their bytes. */
static int compare_files(const char *old, const char *new, enum diff_text *text)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_free_ char *a = NULL, *b = NULL;
        size_t a_size = 0, b_size = 0;
        int r;

        r = file_read(old, &a, &a_size, &diags);
        if (r == 0)
                r = file_read(new, &b, &b_size, &diags);
        if (r < 0)
                return r;

        if (!a || !b || a_size != b_size || memcmp(a, b, a_size) != 0)
                *text = DIFF_TEXT_CHANGED;
        return 0;
}

/* Whether the files differ at all. */
static int compare_texts(const struct sources *sources, const struct options *options, enum diff_text *ret)
{
        const struct policy_set *old = sources->policies[CHANGE_OLD], *new = sources->policies[CHANGE_NEW];
        enum diff_text text = old->files_len == new->files_len ? DIFF_TEXT_SAME : DIFF_TEXT_CHANGED;
        int r = 0;

        if (count_stdin(options->operands, options->operands_len) > 0 ||
            (options->inventories_len == CHANGE_SIDE_MAX &&
             count_stdin(options->inventories, options->inventories_len) > 0)) {
                *ret = DIFF_TEXT_UNKNOWN;
                return 0;
        }

        for (size_t i = 0; r == 0 && text == DIFF_TEXT_SAME && i < old->files_len; i++)
                r = compare_files(old->files[i], new->files[i], &text);
        if (r == 0 && text == DIFF_TEXT_SAME && options->inventories_len == CHANGE_SIDE_MAX)
                r = compare_files(options->inventories[CHANGE_OLD], options->inventories[CHANGE_NEW], &text);

        *ret = text;
        return r;
}

static void count(struct difference *difference)
{
        const struct changes *changes = difference->changes;

        for (size_t i = 0; i < changes->len; i++) {
                const struct change *change = &changes->items[i];
                size_t size = change_size(changes, change);

                if (change->widens && change->narrows)
                        difference->both += size;
                else if (change->widens)
                        difference->widened += size;
                else
                        difference->narrowed += size;
        }
}

static int write_difference(struct difference *difference, enum format format)
{
        int r = -EINVAL;

        switch (format) {
        case FORMAT_TEXT:
                r = diff_text(difference);
                break;
        case FORMAT_JSON:
                r = diff_json(difference);
                break;
        case FORMAT_MARKDOWN:
                r = diff_markdown(difference);
                break;
        case FORMAT_CSV:
        case FORMAT_NFT:
        case FORMAT_SARIF:
        case FORMAT_GITHUB:
        case FORMAT_MAX:
                break;
        }

        return r == 0 ? flush_out(difference->buf) : r;
}

static bool fails(const struct difference *difference, enum fail_on fail_on)
{
        switch (fail_on) {
        case FAIL_ON_WIDEN:
                return difference->widened + difference->both > 0;
        case FAIL_ON_NARROW:
                return difference->narrowed + difference->both > 0;
        case FAIL_ON_ANY:
        case FAIL_ON_MAX:
                break;
        }

        return difference->widened + difference->narrowed + difference->both > 0;
}

int command_diff(const struct options *options)
{
        _cleanup_(sources_fini) struct sources sources = {0};
        _cleanup_(changes_freep) struct changes *changes = NULL;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        struct difference difference = {.buf = &buf, .colour = options->colour_out};
        enum fail_on fail_on = FAIL_ON_ANY;
        int r;

        r = parse_fail_on(options, &fail_on);
        if (r == 0)
                r = check_paths(options);
        if (r == 0)
                r = load_sources(&sources, options);
        if (r == 0)
                r = compare_texts(&sources, options, &difference.text);
        if (r == 0)
                r = changes_new(&changes, sources.worlds[CHANGE_OLD], sources.worlds[CHANGE_NEW]);
        if (r == 0) {
                memcpy(difference.policies, sources.policies, sizeof(sources.policies));
                difference.changes = changes;
                count(&difference);
                r = write_difference(&difference, options->format);
        }
        if (r != 0)
                return r < 0 ? complain_errno(r) : r;

        return fails(&difference, fail_on) ? EXIT_DIFFERENT : 0;
}
