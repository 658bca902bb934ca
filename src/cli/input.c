/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies and inventory of a command, with everything that is wrong with them said on standard error. */
#include <errno.h>
#include <stdio.h>

#include <vethwall/arena.h>
#include <vethwall/diag.h>
#include <vethwall/settings.h>
#include <vethwall/strbuf.h>

#include "files/files.h"
#include "input.h"
#include "live.h"
#include "output.h"

void input_fini(struct input *input)
{
        world_free(input->world);
        policy_set_free(input->policies);
        inventory_free(input->inventory);
        arena_free(input->arena);
        *input = (struct input)INPUT_INIT;
}

bool input_own_host(const struct input *input, size_t endpoint, const struct addr *addr)
{
        if (!input->is_live || input->settings->host_policy)
                return false;
        if (endpoint != WORLD_OUTSIDE)
                return input->inventory->endpoints[endpoint].host_network;

        for (size_t i = 0; i < input->host_len; i++)
                if (addr_equal(&input->host[i], addr))
                        return true;

        return false;
}

int input_warn_skipped(struct diag_list *diags, const struct policy_set *set)
{
        int r;

        for (size_t i = 0; i < set->skipped_len; i++) {
                const struct skipped_object *object = &set->skipped[i];
                const struct diag where = {
                        .severity = DIAG_WARNING,
                        .rule = "VW007",
                        .file = object->loc.file == UINT32_MAX ? NULL : (char *)set->files[object->loc.file],
                        .line = object->loc.line,
                        .col = object->loc.col,
                };

                r = diag_add(diags, &where, "%s %s is no policy object and was skipped", object->api_version,
                             object->kind);
                if (r < 0)
                        return r;
        }

        return 0;
}

int input_policies(struct policy_set **ret, const char *const *paths, size_t len, struct diag_list *diags)
{
        _cleanup_(policy_set_freep) struct policy_set *policies = NULL;
        int r;

        r = policies_read(paths, len, &policies, diags);
        if (r < 0)
                return r;

        r = input_warn_skipped(diags, policies);
        if (r < 0)
                return r;

        *ret = steal(policies);
        return 0;
}

int input_judge(const struct diag_list *diags, bool colour)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        diag_list_format(&buf, diags, colour);
        if (strbuf_check(&buf) < 0)
                return complain_errno(-ENOMEM);

        fputs(buf.text, stderr);
        return diags->errors > 0 ? EXIT_TROUBLE : 0;
}

int input_read(struct input *ret, const struct options *options)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(input_fini) struct input input = INPUT_INIT;
        int r;

        if (options->live)
                return live_read(ret, options);

        r = input_policies(&input.policies, options->policies, options->policies_len, &diags);
        if (r == 0)
                r = inventory_read(options->inventories, options->inventories_len, &input.inventory, &diags);
        if (r < 0)
                return complain_errno(r);

        r = input_judge(&diags, options->colour_err);
        if (r != 0)
                return r;
        if (input.policies->files_len == 0)
                complain("warning: there is no policy file in what -p names, so nothing is isolated");

        input.settings = &settings_default;
        r = world_new(&input.world, input.policies, input.inventory, input.settings);
        if (r < 0)
                return complain_errno(r);

        *ret = input;
        input = (struct input)INPUT_INIT;
        return 0;
}
