/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwalld: parse the command line, set up, run. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <files/files.h>
#include <vethwall/strbuf.h>

#include "agent.h"
#include "control.h"
#include "log.h"

enum {
        MODE_RUN,
        MODE_CHECK,
        MODE_TEARDOWN,
        MODE_BASE,
};

static const char usage[] =
        "vethwalld [-c FILE] [--check | --base | --teardown]\n"
        "\n"
        "Enforces NetworkPolicy files on this host's containers.\n"
        "\n"
        "  -c, --config FILE  configuration (default " CONFIG_PATH ", if it is there)\n"
        "      --check        check configuration, policies and inventory, change nothing\n"
        "      --base         load the rules that hold before any container is known, if there are none\n"
        "      --teardown     remove vethwall's rules from the kernel\n"
        "  -h, --help         show this\n"
        "      --version      show the version\n"
        "\n"
        "SIGHUP reads configuration and policies again. SIGTERM stops it; the rules stay in force.\n";

static void print_diags(const struct diag_list *diags)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        diag_list_format(&text, diags, isatty(STDERR_FILENO));
        if (text.text)
                fputs(text.text, stderr);
}

static int check(const struct config *config)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        int r;

        r = policies_read(config->policies, config->policies_len, &set, &diags);
        if (r == 0 && config->static_inventory)
                r = inventory_read(&config->static_inventory, 1, &inventory, &diags);
        diag_list_sort(&diags);
        print_diags(&diags);
        if (r < 0)
                log_errno(LOG_ERR, r, "the files cannot be checked");
        else if (diags.errors == 0)
                printf("policies: %zu, files: %zu, no errors\n", set->policies_len, set->files_len);
        return r < 0 || diags.errors > 0 ? 2 : 0;
}

static int teardown(const struct config *config)
{
        size_t removed = 0;
        int r;

        if (control_is_live(config->control_socket)) {
                log_error("an agent is running (%s) and would put its rules back; stop it first",
                          config->control_socket);
                return 1;
        }
        r = agent_teardown(&removed);
        if (r < 0) {
                log_errno(LOG_ERR, r, "the rules cannot be removed");
                return 1;
        }
        printf(removed > 0 ? "the rules are removed\n" : "there were no rules\n");
        return 0;
}

/* At boot nothing may stand open because a file is wrong: the base is then that of the default configuration. */
static int base(struct config *config, bool refused)
{
        _cleanup_(config_unrefp) struct config *fallback = NULL;
        bool loaded;
        int r = 0;

        if (!config) {
                r = config_default(&fallback);
                config = fallback;
        }
        if (r == 0)
                r = agent_base(config, &loaded);
        if (r < 0) {
                log_errno(LOG_ERR, r, "the base cannot be loaded");
                return 1;
        }
        if (refused)
                log_warning("the configuration is refused; the base is that of the default configuration");
        printf(loaded ? "the base is loaded\n" : "there are rules already; they stay\n");
        return 0;
}

static int run(struct config *config, const char *path)
{
        _cleanup_(agent_freep) struct agent *agent = NULL;
        int r;

        log_info("vethwalld %s", VETHWALL_VERSION);
        r = agent_new(&agent, config, path);
        if (r == 0)
                r = agent_run(agent);
        if (r < 0)
                log_errno(LOG_ERR, r, "giving up; the rules that are in force stay");
        return r < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
        static const struct option options[] = {
                {"config", required_argument, NULL, 'c'},
                {"check", no_argument, NULL, 'C'},
                {"teardown", no_argument, NULL, 'T'},
                {"base", no_argument, NULL, 'B'},
                {"help", no_argument, NULL, 'h'},
                {"version", no_argument, NULL, 'V'},
                {NULL, 0, NULL, 0},
        };
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(config_unrefp) struct config *config = NULL;
        const char *path = NULL;
        int mode = MODE_RUN, option, r;

        while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
                switch (option) {
                case 'c':
                        path = optarg;
                        break;
                case 'C':
                        mode = MODE_CHECK;
                        break;
                case 'T':
                        mode = MODE_TEARDOWN;
                        break;
                case 'B':
                        mode = MODE_BASE;
                        break;
                case 'h':
                        fputs(usage, stdout);
                        return 0;
                case 'V':
                        printf("vethwalld %s\n", VETHWALL_VERSION);
                        return 0;
                default:
                        return 2;
                }
        }
        if (optind < argc) {
                fprintf(stderr, "vethwalld: \"%s\" is no option; see vethwalld --help\n", argv[optind]);
                return 2;
        }
        log_setup();
        r = config_read(&config, path, &diags);
        print_diags(&diags);
        if (mode == MODE_BASE && r == 0)
                return base(config, !config);
        if (r < 0 || !config)
                return 2;
        if (mode == MODE_CHECK)
                return check(config);
        return mode == MODE_TEARDOWN ? teardown(config) : run(steal(config), path);
}
