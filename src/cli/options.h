/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line, as a table of commands and a table of options; parsing and help are both made from these. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/base.h>
#include <vethwall/strbuf.h>

/* Exit codes: allowed or done, denied or different, and anything that kept the question from being answered. */
#define EXIT_DENIED 1
#define EXIT_DIFFERENT 1
#define EXIT_TROUBLE 2

enum format {
        FORMAT_TEXT,
        FORMAT_JSON,
        FORMAT_CSV,
        FORMAT_DOT,
        FORMAT_SVG,
        FORMAT_NFT,
        FORMAT_SARIF,
        FORMAT_GITHUB,
        FORMAT_MARKDOWN,
        FORMAT_MAX,
};

enum option {
        OPTION_POLICY,
        OPTION_INVENTORY,
        OPTION_OUTPUT,
        OPTION_COLOR,
        OPTION_SOCKET,
        OPTION_LIVE,
        OPTION_FAIL_ON,
        OPTION_EXPLAIN,
        OPTION_CHECK,
        OPTION_DIFF,
        OPTION_WRITE,
        OPTION_HELP,
        OPTION_VERSION,
        OPTION_MAX,
};

#define OPTION_BIT(option) (1u << (option))
#define OPTIONS_FILES (OPTION_BIT(OPTION_POLICY) | OPTION_BIT(OPTION_INVENTORY) | OPTION_BIT(OPTION_OUTPUT))
#define OPTIONS_AGENT (OPTION_BIT(OPTION_SOCKET) | OPTION_BIT(OPTION_OUTPUT))
#define OPTIONS_LIVE (OPTION_BIT(OPTION_LIVE) | OPTION_BIT(OPTION_SOCKET))
#define OPTIONS_COMMON (OPTION_BIT(OPTION_COLOR) | OPTION_BIT(OPTION_HELP) | OPTION_BIT(OPTION_VERSION))

struct options;

struct command {
        const char *name;
        const char *operands; /* for the usage line, "" where there are none */
        const char *summary;
        const char *details;     /* what its help says beyond the summary and the options; may be NULL */
        unsigned options;        /* OPTION_BIT()s, the common ones apart */
        unsigned formats;        /* 1u << enum format; the lowest is the default */
        bool needs_no_inventory; /* it takes one, and does without */
        size_t operands_min;
        size_t operands_max;
        size_t operands_live;                      /* with --live, exactly so many; 0: as without */
        int (*run)(const struct options *options); /* an exit code */
};

extern const struct command commands[];
extern const size_t commands_len;

/* Everything is borrowed from argv; the arrays are owned. */
struct options {
        const struct command *command; /* NULL only with help or version */
        const char **policies;
        size_t policies_len;
        const char **inventories;
        size_t inventories_len;
        const char **operands;
        size_t operands_len;
        enum format format;
        const char *socket; /* NULL: not given; and the next two */
        const char *fail_on;
        const char *explain;
        bool check;
        bool diff;
        bool live;
        bool write;
        bool colour_out; /* what is written to standard output may carry colour */
        bool colour_err;
        bool help;
        bool version;
};

void options_fini(struct options *options);

const char *format_name(enum format format); /* "text", "json", ... */

/* 0, or EXIT_TROUBLE after having said why on standard error. */
int options_parse(struct options *ret, int argc, char **argv);

/* How many of the paths are standard input ("-"). */
size_t count_stdin(const char *const *paths, size_t len);

/* 0, or EXIT_TROUBLE after having said that standard input cannot be read n times. */
int check_stdin(size_t n);

/* The help of the command, or of the program where it is NULL. */
void options_help(struct strbuf *buf, const struct command *command);
