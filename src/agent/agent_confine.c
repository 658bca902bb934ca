/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent gives up what it does not need, once it has everything open. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent_internal.h"
#include "log.h"

/* LeakSanitizer stops the process from a helper that ptraces it; under the filter it could not. Other tools that live in the
 * process (valgrind) are run with VETHWALL_CONFINE=no. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* "/run/vethwall/control.sock" -> "/run/vethwall" */
static char *directory_of(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash && slash > path ? strndup(path, (size_t)(slash - path)) : strdup(slash ? "/" : ".");
}

int agent_confine(struct agent *agent)
{
        const char *wish = getenv("VETHWALL_CONFINE");
        bool confined = !wish || strcmp(wish, "no") != 0;
        const bool wanted[CONFINE_MAX] = {
                [CONFINE_NO_NEW_PRIVILEGES] = confined,
                [CONFINE_CAPABILITIES] = confined,
                [CONFINE_FILES] = confined,
                [CONFINE_SYSTEM_CALLS] = confined && !SANITIZED,
        };
        const struct config *config = agent->started_with;
        _cleanup_free_ char *control = directory_of(config->control_socket);
        const char *writable[] = {control, config->state};
        int r;

        if (!control)
                return -ENOMEM;
        if (!confined)
                log_warning("VETHWALL_CONFINE=no: the agent keeps privileges that it does not need");
        r = confine(wanted, writable, ARRAY_SIZE(writable), agent->confined);
        if (r < 0)
                return r;
        for (enum confinement i = 0; i < CONFINE_MAX; i++) {
                if (agent->confined[i] == -EOPNOTSUPP)
                        log_info("%s: this kernel has none; the agent runs without", confine_name(i));
                else if (agent->confined[i] < 0 && agent->confined[i] != -ECANCELED)
                        log_errno(LOG_WARNING, agent->confined[i], "%s: the agent runs without", confine_name(i));
        }
        return 0;
}
