/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command vethwall. */
#include <stdio.h>

#include "commands.h"
#include "options.h"
#include "output.h"

#define FORMATS_TEXT_JSON (1u << FORMAT_TEXT | 1u << FORMAT_JSON)

const struct command commands[] = {
        {
                .name = "compile",
                .operands = "",
                .summary = "The nftables ruleset that enforces the policies",
                .details = "It is what the agent would load, as text for nft -f. Nothing is loaded.\n",
                .options = OPTIONS_FILES | OPTIONS_LIVE,
                .formats = 1u << FORMAT_NFT,
                .run = command_compile,
        },
        {
                .name = "matrix",
                .operands = "[PROTO/PORT...]",
                .summary = "Who can reach whom",
                .details = "Without operands, everything that is allowed; with tcp/80, udp/53, icmp and the like, only "
                           "that.\nIt says what policy allows, and does not ask whether there is a route. Of more than "
                           "twelve\n"
                           "endpoints, text, dot and svg show those that nothing tells apart as one.\n",
                .options = OPTIONS_FILES | OPTIONS_LIVE,
                .formats = FORMATS_TEXT_JSON | 1u << FORMAT_CSV | 1u << FORMAT_DOT | 1u << FORMAT_SVG,
                .operands_max = SIZE_MAX,
                .run = command_matrix,
        },
        {
                .name = "explain",
                .operands = "SRC DST PROTO/PORT",
                .summary = "Why a flow is allowed or denied",
                .details = "SRC and DST are endpoints (namespace/name, or a name that is unique) or addresses.\n"
                           "Exit code: 0 allowed, 1 denied, 2 trouble.\n",
                .options = OPTIONS_FILES | OPTIONS_LIVE,
                .formats = FORMATS_TEXT_JSON,
                .operands_min = 3,
                .operands_max = 3,
                .run = command_explain,
        },
        {
                .name = "diff",
                .operands = "OLD NEW | --live NEW",
                .summary = "Which flows a change of policies allows or denies, and by which rules",
                .details =
                        "OLD and NEW are policy files, or directories of them. With -i twice, OLD is judged with the "
                        "first inventory\nand NEW with the second; without -i, only what becomes of containers that do "
                        "not exist yet is shown.\nWith --live, OLD and the inventory are those of the running agent. "
                        "Exit code: 0 no change as --fail-on\nsays (any, widen, narrow, latent; else any), 1 some, 2 "
                        "trouble.\n",
                .options = OPTION_BIT(OPTION_INVENTORY) | OPTION_BIT(OPTION_OUTPUT) | OPTION_BIT(OPTION_FAIL_ON) |
                           OPTIONS_LIVE,
                .formats = FORMATS_TEXT_JSON | 1u << FORMAT_MARKDOWN,
                .needs_no_inventory = true,
                .operands_min = 2,
                .operands_max = 2,
                .operands_live = 1,
                .run = command_diff,
        },
        {
                .name = "lint",
                .operands = "PATH...",
                .summary = "What is wrong or suspicious in policy files",
                .details = "PATH is a file, or a directory of policy files. With an inventory it also tells what\n"
                           "selects nothing, what is never reached, and which flows only one side allows.\n"
                           "Exit code: 0 no finding at or above --fail-on (error, warning, info, never; else\n"
                           "warning), 1 some, 2 trouble.\n",
                .options = OPTION_BIT(OPTION_INVENTORY) | OPTION_BIT(OPTION_OUTPUT) | OPTION_BIT(OPTION_FAIL_ON) |
                           OPTION_BIT(OPTION_EXPLAIN),
                .formats = FORMATS_TEXT_JSON | 1u << FORMAT_SARIF | 1u << FORMAT_GITHUB,
                .needs_no_inventory = true,
                .operands_max = SIZE_MAX,
                .run = command_lint,
        },
        {
                .name = "fmt",
                .operands = "PATH...",
                .summary = "Policy files in their canonical form, comments kept",
                .details =
                        "PATH is a file, or a directory of policy files; they are rewritten in place, and those that\n"
                        "changed are named. - is standard input, formatted to standard output. What a file says is\n"
                        "not changed; objects that are no policies are left as they are.\n"
                        "Exit code: 0 done, 1 something would change (--check, --diff), 2 trouble.\n",
                .options = OPTION_BIT(OPTION_CHECK) | OPTION_BIT(OPTION_DIFF),
                .operands_min = 1,
                .operands_max = SIZE_MAX,
                .run = command_fmt,
        },
        {
                .name = "convert",
                .operands = "PATH...",
                .summary = "AdminNetworkPolicy and its kin as ClusterNetworkPolicy",
                .details =
                        "PATH is a file, or a directory of policy files: all of one set, so that names are seen to "
                        "stay\n"
                        "different and priorities in order. Every flow is decided as before; what v1alpha2 cannot say\n"
                        "is refused, and then nothing is written. Other objects are left as they are.\n",
                .options = OPTION_BIT(OPTION_WRITE),
                .operands_min = 1,
                .operands_max = SIZE_MAX,
                .run = command_convert,
        },
        {
                .name = "status",
                .operands = "",
                .summary = "Whether the running agent enforces what it should",
                .options = OPTIONS_AGENT,
                .formats = FORMATS_TEXT_JSON,
                .run = command_status,
        },
        {
                .name = "endpoints",
                .operands = "",
                .summary = "The endpoints the running agent knows",
                .options = OPTIONS_AGENT,
                .formats = FORMATS_TEXT_JSON,
                .run = command_endpoints,
        },
        {
                .name = "inventory",
                .operands = "",
                .summary = "The endpoints the running agent knows, as a file for -i",
                .options = OPTIONS_AGENT,
                .formats = 1u << FORMAT_JSON,
                .run = command_inventory,
        },
        {
                .name = "policies",
                .operands = "",
                .summary = "The policies the running agent enforces",
                .options = OPTIONS_AGENT,
                .formats = FORMATS_TEXT_JSON,
                .run = command_policies,
        },
        {
                .name = "counters",
                .operands = "",
                .summary = "Packets and bytes of every rule, from the running agent",
                .options = OPTIONS_AGENT,
                .formats = FORMATS_TEXT_JSON,
                .run = command_counters,
        },
};
const size_t commands_len = ARRAY_SIZE(commands);

int main(int argc, char **argv)
{
        _cleanup_(options_fini) struct options options = {0};
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        int r;

        r = options_parse(&options, argc, argv);
        if (r != 0)
                return r;

        if (options.help) {
                options_help(&buf, options.command);
                return flush_out(&buf);
        }
        if (options.version) {
                strbuf_puts(&buf, "vethwall " VETHWALL_VERSION "\n");
                return flush_out(&buf);
        }

        return options.command->run(&options);
}
