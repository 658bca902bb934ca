/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's one logger: lines on standard error. Only the agent logs; the rooms below return errors.
 *
 * What the levels mean:
 *   error    the agent cannot do its work, or a part of it: rules were not programmed, a policy set was refused
 *   warning  it works, and somebody should look: a runtime is out of reach, a bridge is not isolated
 *   info     what an operator wants to find in the journal later: start, stop, policies loaded, runtimes connected
 *   debug    every event and every transaction */
#pragma once

#include <stdbool.h>
#include <syslog.h>

#include <vethwall/base.h>
#include <vethwall/diag.h>

/* Reads JOURNAL_STREAM (priority prefixes for journald in place of names) and VETHWALL_LOG_LEVEL (error, warning, info
 * or debug). Until then the level is info and lines carry names. */
void log_setup(void);

/* level is one of syslog(3)'s priorities. A line is one line: control characters in it are replaced, because names in
 * it come from outside. */
void log_line(int level, const char *fmt, ...) _printf_(2, 3);

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/* The same with ": " and the text of a negative errno. */
void log_errno(int level, int r, const char *fmt, ...) _printf_(3, 4);

/* Every diagnostic of the list, each with its own level, in one line. */
void log_diags(const struct diag_list *diags);
