/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent reads from files, and reads again when they change: policies and configuration. What is wrong in them is
 * reported, and what was read before stays. */
#include <string.h>
#include <unistd.h>

#include <files/files.h>

#include "agent_internal.h"
#include "log.h"

/* Files must be still for so long, but a change applies within a second even where they never are. */
#define STILL_US 40000u
#define STILL_MAX_US 700000u

/* policies */

/* The same errors again, because another file was touched, are no news. */
static bool same_diags(const struct diag_list *a, const struct diag_list *b)
{
        if (a->len != b->len)
                return false;
        for (size_t i = 0; i < a->len; i++)
                if (strcmp(a->items[i].message, b->items[i].message) != 0 || a->items[i].line != b->items[i].line ||
                    strcmp(a->items[i].file ? a->items[i].file : "", b->items[i].file ? b->items[i].file : "") != 0)
                        return false;
        return true;
}

void agent_keep_diags(struct agent *agent, struct diag_list *diags)
{
        if (!same_diags(&agent->policy_diags, diags))
                log_diags(diags);
        diag_list_fini(&agent->policy_diags);
        agent->policy_diags = *diags;
        *diags = (struct diag_list)DIAG_LIST_INIT;
}

static void log_skipped(const struct policy_set *set)
{
        for (size_t i = 0; i < set->skipped_len; i++) {
                const struct skipped_object *object = &set->skipped[i];

                log_info("%s:%u: %s %s is no policy of ours and is left out [VW007]",
                         object->loc.file < set->files_len ? set->files[object->loc.file] : "?", object->loc.line,
                         object->api_version, object->kind);
        }
}

void agent_load_policies(struct agent *agent)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct policies *policies;
        size_t errors;
        int r;

        agent->metrics.policy_loads++;
        r = policies_read_with_sources(agent->config->policies, agent->config->policies_len, &set, &diags);
        if (r < 0) {
                agent->metrics.policy_loads_failed++;
                log_errno(LOG_ERR, r, "the policies cannot be read; those in force stay");
                return;
        }
        errors = diags.errors;
        diag_list_sort(&diags);
        agent_keep_diags(agent, &diags);
        if (errors > 0) {
                agent->metrics.policy_loads_failed++;
                log_error("policies refused: %zu error%s; %s", errors, errors == 1 ? "" : "s",
                          agent->policies ? "the last good set stays in force"
                                          : "there is no good set yet, and what is not known is denied");
                return;
        }
        policies = policies_new(steal(set));
        if (!policies)
                return;
        policies_unref(agent->policies);
        agent->policies = policies;
        agent->last_good_policy = time(NULL);
        log_info("policies read: %zu, from %zu file%s", policies->set->policies_len, policies->set->files_len,
                 policies->set->files_len == 1 ? "" : "s");
        log_skipped(policies->set);
}

/* configuration */

int agent_watch_policies(struct agent *agent)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < agent->config->policies_len; i++)
                r = watch_add(agent->files, agent->config->policies[i], WATCH_POLICIES);
        return r;
}

void agent_set_config(struct agent *agent, struct config *config)
{
        int r;

        config_unref(agent->config);
        agent->config = config;
        watch_remove(agent->files, WATCH_POLICIES);
        r = agent_watch_policies(agent);
        if (r < 0)
                log_errno(LOG_ERR, r, "the policies cannot be watched; SIGHUP reads them");
        agent_refresh_bridges(agent);
}

void agent_find_config(struct agent *agent)
{
        if (!agent->config_path && access(CONFIG_PATH, F_OK) == 0)
                agent->config_path = CONFIG_PATH;
}

static void load_config(struct agent *agent)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct config *config = NULL;
        const char *restart;
        int r;

        agent_find_config(agent);
        r = config_read(&config, agent->config_path, &diags);
        log_diags(&diags);
        agent->config_refused = r < 0 || !config;
        if (agent->config_refused) {
                log_error("the configuration was refused; the one before stays");
                return;
        }
        restart = config_needs_restart(agent->started_with, config);
        if (restart)
                log_warning("a change of %s takes effect when the agent is started again", restart);
        agent_set_config(agent, config);
        log_info("configuration read");
}

/* changes */

void agent_reload(struct agent *agent)
{
        unsigned what = agent->reload;

        agent->reload = 0;
        agent->busy = 0;
        agent->reload_since_us = 0;
        if (what & WATCH_CONFIG)
                load_config(agent);
        if (what & (WATCH_POLICIES | WATCH_CONFIG))
                agent_load_policies(agent);
        if ((what & WATCH_INVENTORY) && agent->runtimes[RUNTIME_STATIC])
                agent->runtimes[RUNTIME_STATIC]->vtable->resync(agent->runtimes[RUNTIME_STATIC]);
        agent_schedule(agent);
}

void agent_on_reload(evutil_socket_t fd _unused_, short events _unused_, void *user)
{
        struct agent *agent = user;

        agent_schedule_event(agent, agent->reload_since_us);
        agent_reload(agent);
}

void agent_on_files(evutil_socket_t fd _unused_, short events _unused_, void *user)
{
        struct agent *agent = user;
        unsigned changed, busy;
        uint64_t now = agent_now_us(), waited;
        int r = watch_dispatch(agent->files, &changed, &busy);

        if (r < 0)
                log_errno(LOG_ERR, r, "files cannot be watched; SIGHUP reads them");
        agent->reload |= changed;
        agent->busy = (agent->busy & ~changed) | busy;
        if (agent->reload == 0)
                return;
        if (agent->reload_since_us == 0)
                agent->reload_since_us = now;
        waited = now - agent->reload_since_us;
        if (waited >= STILL_MAX_US)
                agent_arm(agent->on_reload, 0);
        else
                agent_arm(agent->on_reload, agent->busy & agent->reload ? STILL_MAX_US - waited : STILL_US);
}
