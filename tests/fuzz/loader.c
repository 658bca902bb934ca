/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files through the loaders: policies, an inventory where the input begins with "i", the agent's configuration with "c".
 * Policies are linted as well, put in canonical form, and converted. What is found is printed. */
#include <errno.h>
#include <string.h>

#include <vethwall/convert.h>
#include <vethwall/format.h>
#include <vethwall/lint.h>
#include <vethwall/strbuf.h>

#include "agent/config.h"
#include "fuzz.h"
#include "oom.h"

static int load_inventory(const struct fuzz_part *file, struct diag_list *diags)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        int r;

        r = inventory_new(&inventory);
        if (r == 0)
                r = inventory_load(inventory, "inventory.yaml", file->bytes, file->size, diags);
        if (r == 0)
                r = inventory_seal(inventory);
        return r;
}

static int load_config(const struct fuzz_part *file, struct diag_list *diags)
{
        struct config *config = NULL;
        int r;

        r = config_parse(&config, "config.yaml", file->bytes, file->size, diags);
        if (r == 0)
                fuzz_must((config != NULL) == (diags->errors == 0), "a configuration without errors is taken");
        config_unref(config);
        return r;
}

/* The canonical form of a file without mistakes is without mistakes, and its own canonical form. */
static int format(const struct fuzz_part *file, struct diag_list *diags)
{
        _cleanup_(strbuf_fini) struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
        int r;

        r = format_policies(&once, "policy.yaml", file->bytes, file->size, diags);
        if (r < 0 || diags->errors > 0)
                return r;
        r = format_policies(&twice, "formatted.yaml", once.text, once.len, diags);
        if (r == 0)
                fuzz_must(diags->errors == 0, "what is formatted is without mistakes");
        if (r == 0)
                fuzz_must(once.len == twice.len && (once.len == 0 || memcmp(once.text, twice.text, once.len) == 0),
                          "what is formatted stays as it is");
        return r;
}

/* What is converted can be read, and there is nothing left to convert. */
static int convert(const struct fuzz_part *file, struct diag_list *diags)
{
        _cleanup_(strbuf_fini) struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
        size_t converted = 0, again = 0;
        int r;

        r = convert_policies(&once, &converted, "policy.yaml", file->bytes, file->size, diags);
        if (r < 0 || diags->errors > 0)
                return r;
        r = convert_policies(&twice, &again, "converted.yaml", once.text, once.len, diags);
        if (r == 0)
                fuzz_must(diags->errors == 0 && again == 0, "what is converted is without mistakes and new");
        return r;
}

static int load_policies(const struct fuzz_part *file, struct lint_result *result)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        int r;

        r = policy_set_new(&set);
        if (r < 0)
                return r;
        set->keeps_sources = true;
        r = policy_set_load(set, "policy.yaml", file->bytes, file->size, &result->findings);
        if (r == 0)
                r = policy_set_seal(set, &result->findings);
        if (r == 0)
                r = lint(result, set, NULL);
        if (r == 0 && result->findings.errors == 0)
                r = format(file, &result->findings);
        if (r == 0 && result->findings.errors == 0)
                r = convert(file, &result->findings);
        return r;
}

/* Every message says where, and can be printed. */
static int print(struct diag_list *diags)
{
        struct strbuf buf = STRBUF_INIT;
        int r;

        for (size_t i = 0; i < diags->len; i++)
                fuzz_must(diags->items[i].file && diags->items[i].rule, "a message has a file and a rule");
        diag_list_sort(diags);
        diag_list_format(&buf, diags, true);
        r = strbuf_check(&buf);
        strbuf_fini(&buf);
        return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
        struct fuzz_input input = {bytes, size};
        struct lint_result result = {.findings = DIAG_LIST_INIT};
        uint8_t kind = fuzz_byte(&input);
        uint32_t oom = fuzz_oom(&input);
        _cleanup_(fuzz_part_fini) struct fuzz_part file = fuzz_bytes(&input, input.size);
        int r;

        oom_after(oom);
        if (kind == 'i')
                r = load_inventory(&file, &result.findings);
        else if (kind == 'c')
                r = load_config(&file, &result.findings);
        else
                r = load_policies(&file, &result);
        if (r == 0)
                r = print(&result.findings);
        fuzz_judge(r, false);
        lint_result_fini(&result);
        return 0;
}
