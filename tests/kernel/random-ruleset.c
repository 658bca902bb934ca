/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random-ruleset SEED: prints the text of a random ruleset, in the form that replaces what is there. */
#include <stdio.h>
#include <stdlib.h>

#include <vethwall/strbuf.h>

#include "random_ruleset.h"

int main(int argc, char **argv)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        struct random_ruleset how = {.seed = argc == 2 ? strtoul(argv[1], NULL, 10) : 0};

        if (argc != 2 || random_ruleset(&ruleset, &how) < 0)
                return 1;
        ruleset_text(&buf, ruleset, true);
        if (strbuf_check(&buf) < 0)
                return 1;
        fputs(buf.text, stdout);
        return 0;
}
