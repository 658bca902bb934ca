/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall lint: what is wrong or suspicious in policy files. */
#include <stdio.h>
#include <string.h>

#include <vethwall/settings.h>

#include "commands.h"
#include "files/files.h"
#include "lint.h"
#include "output.h"

static int explain_rule(const struct options *options)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        const struct lint_rule *rule = lint_rule_find(options->explain, NULL);

        if (!rule && strcmp(options->explain, "all") != 0) {
                complain("there is no rule '%s': vethwall lint --explain all lists them", options->explain);
                return EXIT_TROUBLE;
        }
        if (rule)
                lint_rule_text(&buf, rule, options->colour_out);
        else
                lint_rules_text(&buf, options->colour_out);
        return flush_out(&buf);
}

/* The least severe finding that fails; -1: none does. -2 where the text is none of these. */
static int parse_fail_on(const char *text)
{
        if (!text)
                return DIAG_WARNING;
        if (strcmp(text, "never") == 0)
                return -1;
        for (enum diag_severity i = 0; i < DIAG_SEVERITY_MAX; i++)
                if (strcmp(text, diag_severity_name(i)) == 0)
                        return (int)i;
        complain("--fail-on takes error, warning, info or never, not '%s'", text);
        return -2;
}

static int check_operands(const struct options *options)
{
        if (options->operands_len == 0) {
                complain("usage: vethwall lint [OPTION...] PATH...");
                return EXIT_TROUBLE;
        }
        return check_stdin(count_stdin(options->operands, options->operands_len) +
                           count_stdin(options->inventories, options->inventories_len));
}

struct lint_input {
        struct policy_set *policies;
        struct inventory *inventory; /* NULL: none was given */
        struct world *world;
        bool usable; /* the documents have no errors, so that all was looked for */
};

static void lint_input_fini(struct lint_input *input)
{
        world_free(input->world);
        policy_set_free(input->policies);
        inventory_free(input->inventory);
}

/* An inventory with mistakes is no finding but trouble: nothing could be said by it. */
static int read_inventory(struct lint_input *input, const struct options *options)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        int r;

        r = inventory_read(options->inventories, options->inventories_len, &input->inventory, &diags);
        if (r < 0)
                return complain_errno(r);
        if (diags.len == 0)
                return 0;
        diag_list_format(&buf, &diags, options->colour_err);
        r = strbuf_check(&buf);
        if (r < 0)
                return complain_errno(r);
        fputs(buf.text, stderr);
        return diags.errors > 0 ? EXIT_TROUBLE : 0;
}

static int find_all(struct lint_result *result, struct lint_input *input, const struct options *options)
{
        int r;

        if (options->inventories_len > 0) {
                r = read_inventory(input, options);
                if (r != 0)
                        return r;
        }
        r = policies_read_with_sources(options->operands, options->operands_len, &input->policies, &result->findings);
        input->usable = result->findings.errors == 0;
        if (r == 0 && input->inventory && input->usable)
                r = world_new(&input->world, input->policies, input->inventory, &settings_default);
        if (r == 0)
                r = lint(result, input->policies, input->world);
        return r < 0 ? complain_errno(r) : 0;
}

static void format(struct strbuf *buf, const struct lint_result *result, const struct options *options)
{
        if (options->format == FORMAT_JSON)
                lint_json(buf, result);
        else if (options->format == FORMAT_SARIF)
                lint_sarif(buf, result);
        else if (options->format == FORMAT_GITHUB)
                lint_github(buf, result);
        else
                diag_list_format_beside(buf, &result->findings, lint_suppressed_len(result), options->colour_out);
}

/* A file that is not there is an error without a line. */
static bool is_unread(const struct lint_result *result)
{
        for (size_t i = 0; i < result->findings.len; i++)
                if (result->findings.items[i].severity == DIAG_ERROR && result->findings.items[i].file &&
                    result->findings.items[i].line == 0)
                        return true;
        return false;
}

int command_lint(const struct options *options)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        _cleanup_(lint_result_fini) struct lint_result result = {.findings = DIAG_LIST_INIT};
        _cleanup_(lint_input_fini) struct lint_input input = {0};
        int fail_on = parse_fail_on(options->fail_on), r;

        if (fail_on < -1)
                return EXIT_TROUBLE;
        if (options->explain)
                return explain_rule(options);
        r = check_operands(options);
        if (r == 0)
                r = find_all(&result, &input, options);
        if (r != 0)
                return r;

        format(&buf, &result, options);
        r = flush_out(&buf);
        if (r != 0)
                return r;
        if (input.policies->files_len == 0 && input.usable)
                complain("warning: there is no policy file in what is named");
        if (!input.usable && options->format == FORMAT_TEXT)
                complain("note: more is looked for once the documents have no errors");
        if (is_unread(&result))
                return EXIT_TROUBLE;
        for (int i = 0; i <= fail_on; i++)
                if (result.counts[i] > 0)
                        return 1;
        return 0;
}
