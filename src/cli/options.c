/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing the command line. Options and operands come in any order; the first operand is the command. */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vethwall/doc.h>

#include "options.h"
#include "output.h"

static const struct {
        const char *name;
        char letter;       /* 0: none */
        const char *value; /* NULL: takes none */
        const char *help;
} option_specs[] = {
        [OPTION_POLICY] = {"policy", 'p', "PATH", "policy file, or directory of them; repeatable; - is standard input"},
        [OPTION_INVENTORY] = {"inventory", 'i', "FILE", "inventory file; repeatable; - is standard input"},
        [OPTION_OUTPUT] = {"output", 'o', "FORMAT", NULL},
        [OPTION_COLOR] = {"color", 0, "WHEN", "auto, always or never"},
        [OPTION_SOCKET] = {"socket", 0, "PATH", "the agent's control socket (VETHWALL_SOCKET, " CONTROL_SOCKET ")"},
        [OPTION_LIVE] = {"live", 0, NULL, "ask about the policies and endpoints of the running agent"},
        [OPTION_FAIL_ON] = {"fail-on", 0, "WHAT", "what makes the exit code 1"},
        [OPTION_EXPLAIN] = {"explain", 0, "RULE", "tell about a rule, VW301 for example, or list all rules"},
        [OPTION_CHECK] = {"check", 0, NULL, "write nothing; name the files that would change"},
        [OPTION_DIFF] = {"diff", 0, NULL, "write nothing; show what would change"},
        [OPTION_WRITE] = {"write", 0, NULL, "write the files instead of printing them"},
        [OPTION_HELP] = {"help", 'h', NULL, "this help"},
        [OPTION_VERSION] = {"version", 0, NULL, "the version"},
};
static_assert(ARRAY_SIZE(option_specs) == OPTION_MAX, "an option without a specification");

static const char *const format_names[] = {
        [FORMAT_TEXT] = "text",   [FORMAT_JSON] = "json",     [FORMAT_CSV] = "csv",
        [FORMAT_DOT] = "dot",     [FORMAT_SVG] = "svg",       [FORMAT_NFT] = "nft",
        [FORMAT_SARIF] = "sarif", [FORMAT_GITHUB] = "github", [FORMAT_MARKDOWN] = "markdown",
};
static_assert(ARRAY_SIZE(format_names) == FORMAT_MAX, "a format without a name");

const char *format_name(enum format format)
{
        return format_names[format];
}

enum when {
        WHEN_AUTO,
        WHEN_ALWAYS,
        WHEN_NEVER,
        WHEN_MAX,
};

static const char *const when_names[] = {
        [WHEN_AUTO] = "auto",
        [WHEN_ALWAYS] = "always",
        [WHEN_NEVER] = "never",
};
static_assert(ARRAY_SIZE(when_names) == WHEN_MAX, "a time for colour without a name");

#define COMMANDS_MAX 32

/* What parsing needs beside its result. */
struct parser {
        struct options *options;
        const char *command; /* the first operand, NULL until it is there */
        const char *format;  /* as given */
        enum when colour;
        unsigned seen; /* OPTION_BIT()s */
};

void options_fini(struct options *options)
{
        free(options->policies);
        free(options->inventories);
        free(options->operands);
        *options = (struct options){0};
}

static void append(const char **items, size_t *len, const char *item)
{
        items[(*len)++] = item;
}

static int set_colour(struct parser *parser, const char *value)
{
        for (enum when i = 0; i < WHEN_MAX; i++) {
                if (strcmp(value, when_names[i]) == 0) {
                        parser->colour = i;
                        return 0;
                }
        }

        complain("--color takes auto, always or never, not '%s'", value);
        return EXIT_TROUBLE;
}

static int take_option(struct parser *parser, enum option option, const char *value)
{
        struct options *options = parser->options;

        parser->seen |= OPTION_BIT(option);
        switch (option) {
        case OPTION_POLICY:
                append(options->policies, &options->policies_len, value);
                return 0;
        case OPTION_INVENTORY:
                append(options->inventories, &options->inventories_len, value);
                return 0;
        case OPTION_OUTPUT:
                parser->format = value;
                return 0;
        case OPTION_COLOR:
                return set_colour(parser, value);
        case OPTION_SOCKET:
                options->socket = value;
                return 0;
        case OPTION_LIVE:
                options->live = true;
                return 0;
        case OPTION_FAIL_ON:
                options->fail_on = value;
                return 0;
        case OPTION_EXPLAIN:
                options->explain = value;
                return 0;
        case OPTION_CHECK:
                options->check = true;
                return 0;
        case OPTION_DIFF:
                options->diff = true;
                return 0;
        case OPTION_WRITE:
                options->write = true;
                return 0;
        case OPTION_HELP:
                options->help = true;
                return 0;
        case OPTION_VERSION:
                options->version = true;
                return 0;
        case OPTION_MAX:
                break;
        }

        return EXIT_TROUBLE;
}

static void take_operand(struct parser *parser, const char *operand)
{
        if (!parser->command)
                parser->command = operand;
        else
                append(parser->options->operands, &parser->options->operands_len, operand);
}

static enum option find_long(const char *name, size_t len)
{
        for (enum option i = 0; i < OPTION_MAX; i++)
                if (strlen(option_specs[i].name) == len && memcmp(option_specs[i].name, name, len) == 0)
                        return i;

        return OPTION_MAX;
}

static enum option find_short(char letter)
{
        for (enum option i = 0; i < OPTION_MAX; i++)
                if (option_specs[i].letter == letter && letter)
                        return i;

        return OPTION_MAX;
}

static int unknown_option(const char *text, size_t len)
{
        const char *names[OPTION_MAX], *nearest = NULL;
        char name[64];

        for (enum option i = 0; i < OPTION_MAX; i++)
                names[i] = option_specs[i].name;

        if (strncmp(text, "--", 2) == 0 && len - 2 < sizeof(name)) {
                snprintf(name, sizeof(name), "%.*s", (int)(len - 2), text + 2);
                nearest = doc_nearest(name, names, OPTION_MAX);
        }

        if (nearest)
                complain("unknown option '%.*s': did you mean '--%s'?", (int)len, text, nearest);
        else
                complain("unknown option '%.*s': see vethwall --help", (int)len, text);
        return EXIT_TROUBLE;
}

/* argv[*i] begins with a dash. Moves *i on where the value is the next argument. */
static int parse_option(struct parser *parser, int argc, char **argv, int *i)
{
        const char *text = argv[*i], *value = NULL;
        enum option option;
        size_t len;

        if (text[1] == '-') {
                len = strcspn(text, "=");
                option = find_long(text + 2, len - 2);
                if (text[len] == '=')
                        value = text + len + 1;
        } else {
                len = 2;
                option = find_short(text[1]);
                if (text[2] != '\0')
                        value = text + 2;
        }
        if (option == OPTION_MAX)
                return unknown_option(text, text[1] == '-' ? len : strlen(text));

        if (!option_specs[option].value) {
                if (value) {
                        complain("option '%.*s' takes no value", (int)len, text);
                        return EXIT_TROUBLE;
                }
        } else if (!value) {
                if (*i + 1 >= argc) {
                        complain("option '%s' needs a value: --%s %s", text, option_specs[option].name,
                                 option_specs[option].value);
                        return EXIT_TROUBLE;
                }
                value = argv[++*i];
        }

        return take_option(parser, option, value);
}

static int find_command(const char *name, const struct command **ret)
{
        const char *names[COMMANDS_MAX], *nearest;

        assert(commands_len <= COMMANDS_MAX);
        for (size_t i = 0; i < commands_len; i++) {
                if (strcmp(commands[i].name, name) == 0) {
                        *ret = &commands[i];
                        return 0;
                }
                names[i] = commands[i].name;
        }

        nearest = doc_nearest(name, names, commands_len);
        if (nearest)
                complain("unknown command '%s': did you mean '%s'?", name, nearest);
        else
                complain("unknown command '%s': see vethwall --help", name);
        return EXIT_TROUBLE;
}

/* "text, json" */
static void format_list(unsigned formats, char *text, size_t size)
{
        text[0] = '\0';
        for (enum format i = 0; i < FORMAT_MAX; i++) {
                if (!(formats & 1u << i))
                        continue;
                if (text[0] != '\0')
                        strncat(text, ", ", size - strlen(text) - 1);
                strncat(text, format_names[i], size - strlen(text) - 1);
        }
}

static int find_format(const struct command *command, const char *name, enum format *ret)
{
        char known[128];

        for (enum format i = 0; i < FORMAT_MAX; i++) {
                if (command->formats & 1u << i && (!name || strcmp(name, format_names[i]) == 0)) {
                        *ret = i;
                        return 0;
                }
        }

        format_list(command->formats, known, sizeof(known));
        complain("%s has no output format '%s': it has %s", command->name, name, known);
        return EXIT_TROUBLE;
}

static bool want_colour(enum when when, int fd)
{
        const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

        switch (when) {
        case WHEN_ALWAYS:
                return true;
        case WHEN_NEVER:
        case WHEN_MAX:
                return false;
        case WHEN_AUTO:
                break;
        }

        return isatty(fd) && (!no_colour || no_colour[0] == '\0') && term && strcmp(term, "dumb") != 0;
}

size_t count_stdin(const char *const *paths, size_t len)
{
        size_t n = 0;

        for (size_t i = 0; i < len; i++)
                n += strcmp(paths[i], "-") == 0;

        return n;
}

int check_stdin(size_t n)
{
        if (n <= 1)
                return 0;

        complain("standard input (-) can be read only once");
        return EXIT_TROUBLE;
}

static int check_operands(const struct options *options)
{
        const struct command *command = options->command;
        bool other = options->live && command->operands_live > 0;
        size_t min = other ? command->operands_live : command->operands_min;
        size_t max = other ? command->operands_live : command->operands_max;

        if (options->operands_len >= min && options->operands_len <= max)
                return 0;

        complain("usage: vethwall %s [OPTION...]%s%s", command->name, command->operands[0] ? " " : "",
                 command->operands);
        return EXIT_TROUBLE;
}

/* Policies and inventory come from files or from the agent. */
static int check_sources(const struct options *options, unsigned seen)
{
        const struct command *command = options->command;

        if (options->live && seen & (OPTION_BIT(OPTION_POLICY) | OPTION_BIT(OPTION_INVENTORY))) {
                complain("with --live, policies and inventory are the agent's: leave out -p and -i");
                return EXIT_TROUBLE;
        }
        if (options->live)
                return 0;

        if (command->options & OPTION_BIT(OPTION_LIVE) && seen & OPTION_BIT(OPTION_SOCKET)) {
                complain("%s asks the agent only with --live", command->name);
                return EXIT_TROUBLE;
        }
        if (command->options & OPTION_BIT(OPTION_POLICY) && options->policies_len == 0) {
                complain("%s needs policies: give a file or directory with -p PATH", command->name);
                return EXIT_TROUBLE;
        }
        if (command->options & OPTION_BIT(OPTION_INVENTORY) && !command->needs_no_inventory &&
            options->inventories_len == 0) {
                complain("%s needs an inventory: give a file with -i FILE", command->name);
                return EXIT_TROUBLE;
        }

        return 0;
}

/* What depends on the command, once all is read. */
static int check(struct parser *parser)
{
        struct options *options = parser->options;
        const struct command *command = options->command;

        for (enum option i = 0; i < OPTION_MAX; i++) {
                if (parser->seen & OPTION_BIT(i) & ~(command->options | OPTIONS_COMMON)) {
                        complain("%s takes no option --%s", command->name, option_specs[i].name);
                        return EXIT_TROUBLE;
                }
        }

        if (check_operands(options) || check_sources(options, parser->seen))
                return EXIT_TROUBLE;

        if (command->options & OPTION_BIT(OPTION_OUTPUT) && find_format(command, parser->format, &options->format))
                return EXIT_TROUBLE;

        return check_stdin(count_stdin(options->policies, options->policies_len) +
                           count_stdin(options->inventories, options->inventories_len));
}

static int parse(struct parser *parser, int argc, char **argv)
{
        struct options *options = parser->options;
        bool only_operands = false;
        int r;

        for (int i = 1; i < argc; i++) {
                if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
                        take_operand(parser, argv[i]);
                } else if (strcmp(argv[i], "--") == 0) {
                        only_operands = true;
                } else {
                        r = parse_option(parser, argc, argv, &i);
                        if (r != 0)
                                return r;
                }
        }

        options->colour_out = want_colour(parser->colour, STDOUT_FILENO);
        options->colour_err = want_colour(parser->colour, STDERR_FILENO);
        if (options->version && !parser->command)
                return 0;

        /* git and kubectl have a command "help" too. */
        if (parser->command && strcmp(parser->command, "help") == 0) {
                options->help = true;
                parser->command = options->operands_len > 0 ? options->operands[0] : NULL;
        }
        if (!parser->command) {
                if (options->help)
                        return 0;
                complain("no command given: see vethwall --help");
                return EXIT_TROUBLE;
        }

        r = find_command(parser->command, &options->command);
        if (r != 0 || options->help || options->version)
                return r;

        return check(parser);
}

int options_parse(struct options *ret, int argc, char **argv)
{
        _cleanup_(options_fini) struct options options = {0};
        struct parser parser = {.options = &options};
        int r;

        /* No list can be longer than the command line. */
        options.policies = calloc((size_t)argc + 1, sizeof(*options.policies));
        options.inventories = calloc((size_t)argc + 1, sizeof(*options.inventories));
        options.operands = calloc((size_t)argc + 1, sizeof(*options.operands));
        if (!options.policies || !options.inventories || !options.operands) {
                complain("out of memory");
                return EXIT_TROUBLE;
        }

        r = parse(&parser, argc, argv);
        if (r != 0)
                return r;

        *ret = options;
        options = (struct options){0};
        return 0;
}

static void put_option(struct strbuf *buf, enum option option, const struct command *command)
{
        const char *help = option_specs[option].help, *value = option_specs[option].value;
        char left[64], formats[128];

        if (option == OPTION_OUTPUT) {
                format_list(command ? command->formats : ~0u, formats, sizeof(formats));
                help = formats;
        }

        snprintf(left, sizeof(left), "%c%c%s--%s%s%s", option_specs[option].letter ? '-' : ' ',
                 option_specs[option].letter ? option_specs[option].letter : ' ',
                 option_specs[option].letter ? ", " : "  ", option_specs[option].name, value ? " " : "",
                 value ? value : "");
        strbuf_printf(buf, "  %-23s %s\n", left, help);
}

void options_help(struct strbuf *buf, const struct command *command)
{
        if (command) {
                strbuf_printf(buf, "Usage: vethwall %s [OPTION...]%s%s\n\n%s.\n", command->name,
                              command->operands[0] ? " " : "", command->operands, command->summary);
                if (command->details)
                        strbuf_printf(buf, "%s", command->details);
        } else {
                strbuf_printf(buf, "Usage: vethwall COMMAND [OPTION...] [OPERAND...]\n\n"
                                   "Kubernetes NetworkPolicy for the containers of a Linux host.\n\nCommands:\n");
                for (size_t i = 0; i < commands_len; i++)
                        strbuf_printf(buf, "  %-10s %s\n", commands[i].name, commands[i].summary);
                strbuf_printf(buf, "\nvethwall COMMAND --help says more about one.\n");
        }

        strbuf_printf(buf, "\nOptions:\n");
        for (enum option i = 0; i < OPTION_MAX; i++)
                if (!command || (command->options | OPTIONS_COMMON) & OPTION_BIT(i))
                        put_option(buf, i, command);
}
