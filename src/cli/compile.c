/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall compile: the ruleset as text. */
#include <vethwall/compile.h>
#include <vethwall/ruleset.h>
#include <vethwall/strbuf.h>

#include "commands.h"
#include "input.h"
#include "output.h"

int command_compile(const struct options *options)
{
        _cleanup_(input_fini) struct input input = INPUT_INIT;
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        int r;

        r = input_read(&input, options);
        if (r != 0)
                return r;

        r = compile(&ruleset, input.world);
        if (r < 0)
                return complain_errno(r);

        ruleset_text(&buf, ruleset, true);
        return flush_out(&buf);
}
