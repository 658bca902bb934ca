/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff: the command, and the report on any two sides. */
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
#include "live.h"
#include "output.h"

enum fail_on {
        FAIL_ON_ANY,
        FAIL_ON_WIDEN,
        FAIL_ON_NARROW,
        FAIL_ON_LATENT,
        FAIL_ON_MAX,
};

static const char *const fail_on_names[] = {
        [FAIL_ON_ANY] = "any",
        [FAIL_ON_WIDEN] = "widen",
        [FAIL_ON_NARROW] = "narrow",
        [FAIL_ON_LATENT] = "latent",
};
static_assert(ARRAY_SIZE(fail_on_names) == FAIL_ON_MAX, "a reason to fail without a name");

/* Everything that was read; with one inventory, both sides share it. */
struct sources {
        struct policy_set *policies[CHANGE_SIDE_MAX];
        struct inventory *inventories[CHANGE_SIDE_MAX];
};

static void sources_fini(struct sources *sources)
{
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                policy_set_free(sources->policies[side]);
                if (side == CHANGE_OLD || sources->inventories[side] != sources->inventories[CHANGE_OLD])
                        inventory_free(sources->inventories[side]);
        }
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

        complain("diff --fail-on takes widen, narrow, latent or any, not '%s'", options->fail_on);
        return EXIT_TROUBLE;
}

static int check_paths(const struct options *options)
{
        if (options->inventories_len > CHANGE_SIDE_MAX) {
                complain("diff takes one inventory, or two: the old and the new");
                return EXIT_TROUBLE;
        }

        return check_stdin(count_stdin(options->operands, options->operands_len) +
                           count_stdin(options->inventories, options->inventories_len));
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
        if (options->inventories_len == 0) {
                r = inventory_new(&sources->inventories[CHANGE_OLD]);
                if (r == 0)
                        r = inventory_seal(sources->inventories[CHANGE_OLD]);
                if (r < 0)
                        return r;
        }
        if (options->inventories_len < CHANGE_SIDE_MAX)
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

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                if (sources->policies[side]->files_len == 0)
                        complain("warning: there is no policy file in %s, so nothing is isolated",
                                 options->operands[side]);

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
                difference->origins[change->origin] += size;
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
        case FORMAT_DOT:
        case FORMAT_SVG:
        case FORMAT_NFT:
        case FORMAT_SARIF:
        case FORMAT_GITHUB:
        case FORMAT_MAX:
                break;
        }

        return r == 0 ? flush_out(difference->buf) : r;
}

/* What could not be looked at may be a latent change. */
static bool fails(const struct difference *difference, enum fail_on fail_on)
{
        bool latent = difference->latent->changes->len > 0 || difference->latent->bounded;

        switch (fail_on) {
        case FAIL_ON_WIDEN:
                return difference->widened + difference->both > 0;
        case FAIL_ON_NARROW:
                return difference->narrowed + difference->both > 0;
        case FAIL_ON_LATENT:
                return latent;
        case FAIL_ON_ANY:
        case FAIL_ON_MAX:
                break;
        }

        return latent || difference->widened + difference->narrowed + difference->both > 0;
}

int diff_report(const struct diff_sides *sides, const struct options *options)
{
        _cleanup_(world_freep) struct world *old = NULL, *new = NULL;
        _cleanup_(changes_freep) struct changes *changes = NULL;
        _cleanup_(latent_freep) struct latent *latent = NULL;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        struct difference difference = {
                .buf = &buf,
                .policies = {sides->policies[CHANGE_OLD], sides->policies[CHANGE_NEW]},
                .text = sides->text,
                .connections = sides->connections,
                .two_inventories = sides->inventories[CHANGE_OLD] != sides->inventories[CHANGE_NEW],
                .colour = options->colour_out,
        };
        enum fail_on fail_on = FAIL_ON_ANY;
        int r;

        r = parse_fail_on(options, &fail_on);
        if (r == 0)
                r = world_new(&old, sides->policies[CHANGE_OLD], sides->inventories[CHANGE_OLD], sides->settings);
        if (r == 0)
                r = world_new(&new, sides->policies[CHANGE_NEW], sides->inventories[CHANGE_NEW], sides->settings);
        if (r == 0)
                r = changes_new(&changes, old, new);
        if (r == 0)
                r = latent_new(&latent, old, new, changes);
        if (r == 0) {
                difference.latent = latent;
                difference.changes = changes;
                count(&difference);
                r = write_difference(&difference, options->format);
        }
        if (r != 0)
                return r < 0 ? complain_errno(r) : r;

        return fails(&difference, fail_on) ? EXIT_DIFFERENT : 0;
}

int command_diff(const struct options *options)
{
        _cleanup_(sources_fini) struct sources sources = {0};
        struct diff_sides sides = {.settings = &settings_default};
        enum fail_on fail_on;
        int r;

        r = parse_fail_on(options, &fail_on);
        if (r == 0 && options->live)
                return live_diff(options);
        if (r == 0)
                r = check_paths(options);
        if (r == 0)
                r = load_sources(&sources, options);
        if (r == 0)
                r = compare_texts(&sources, options, &sides.text);
        if (r != 0)
                return r < 0 ? complain_errno(r) : r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                sides.policies[side] = sources.policies[side];
                sides.inventories[side] = sources.inventories[side];
        }

        return diff_report(&sides, options);
}
