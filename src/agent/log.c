/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines on standard error, for a person or for journald. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define LINE_MAX_SIZE 4096

static struct {
        int level;
        bool journal;
} log_state = {LOG_INFO, false};

static const struct {
        const char *name;
        int level;
} level_names[] = {
        {"error", LOG_ERR},
        {"warning", LOG_WARNING},
        {"info", LOG_INFO},
        {"debug", LOG_DEBUG},
};

/* systemd sets JOURNAL_STREAM to the device and inode of the stream that it connected to the journal; standard error
 * may have been sent elsewhere since (systemd.exec(5)). */
static bool is_journal(void)
{
        const char *text = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        return text && sscanf(text, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
               st.st_dev == dev && st.st_ino == ino;
}

void log_setup(void)
{
        const char *level = getenv("VETHWALL_LOG_LEVEL");

        log_state.journal = is_journal();
        for (size_t i = 0; level && i < ARRAY_SIZE(level_names); i++)
                if (strcmp(level, level_names[i].name) == 0)
                        log_state.level = level_names[i].level;
}

static const char *level_name(int level)
{
        for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
                if (level <= level_names[i].level)
                        return level_names[i].name;
        return "debug";
}

static void log_args(int level, int r, const char *fmt, va_list args)
{
        char line[LINE_MAX_SIZE];
        size_t len, start;

        if (level > log_state.level)
                return;
        len = (size_t)(log_state.journal ? snprintf(line, sizeof(line), "<%d>", level)
                                         : snprintf(line, sizeof(line), "vethwalld: %s: ", level_name(level)));
        start = len;
        vsnprintf(line + len, sizeof(line) - len, fmt, args);
        len += strlen(line + len);
        if (r < 0) {
                snprintf(line + len, sizeof(line) - len, ": %s", strerror(-r));
                len += strlen(line + len);
        }
        for (size_t i = start; i < len; i++)
                if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
                        line[i] = '?';
        if (len == sizeof(line) - 1)
                len--;
        line[len++] = '\n';

        /* One write() a line, so that lines of several processes do not mix. Where nobody reads, it is lost. */
        if (write(STDERR_FILENO, line, len) < 0)
                return;
}

void log_line(int level, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        log_args(level, 0, fmt, args);
        va_end(args);
}

void log_errno(int level, int r, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        log_args(level, r, fmt, args);
        va_end(args);
}

static int diag_level(enum diag_severity severity)
{
        switch (severity) {
        case DIAG_ERROR:
                return LOG_ERR;
        case DIAG_WARNING:
                return LOG_WARNING;
        case DIAG_INFO:
        case DIAG_SEVERITY_MAX:
                break;
        }
        return LOG_INFO;
}

static void log_diag(const struct diag *diag)
{
        char place[32] = "";

        if (diag->line > 0 && diag->col > 0)
                snprintf(place, sizeof(place), ":%u:%u", diag->line, diag->col);
        else if (diag->line > 0)
                snprintf(place, sizeof(place), ":%u", diag->line);
        log_line(diag_level(diag->severity), "%s%s%s%s%s%s%s%s%s", diag->file ? diag->file : "", place,
                 diag->file ? ": " : "", diag->message, diag->rule ? " [" : "", diag->rule ? diag->rule : "",
                 diag->rule ? "]" : "", diag->hint ? "; " : "", diag->hint ? diag->hint : "");
}

void log_diags(const struct diag_list *diags)
{
        for (size_t i = 0; i < diags->len; i++)
                log_diag(&diags->items[i]);
        if (diags->dropped > 0)
                log_line(LOG_WARNING, "%zu more messages are not shown", diags->dropped);
}
