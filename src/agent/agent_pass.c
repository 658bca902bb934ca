/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pass: from what is known now to what is in force. Whatever happened, it is the same pass; what cannot be brought into
 * force leaves the last thing that could. */
#include <errno.h>
#include <string.h>

#include <files/files.h>

#include "agent_internal.h"
#include "log.h"

/* How long the first pass waits for the engines' full lists. Longer where an earlier agent's rules are in force anyway. */
#define WAIT_US 10000000u
#define WAIT_KEPT_US 30000000u

/* links */

static int copy_links(struct agent *agent, const struct link_netns *netns, struct state_link **ret)
{
        struct state_link *links = calloc(netns->links_len + 1, sizeof(*links));

        if (!links)
                return -ENOMEM;
        for (size_t i = 0; i < netns->links_len; i++) {
                const struct link *link = netns->links[i];
                const struct link *bridge = link->master ? link_by_index(agent->links, link->master) : NULL;

                memcpy(links[i].name, link->name, sizeof(links[i].name));
                if (bridge)
                        memcpy(links[i].bridge, bridge->name, sizeof(links[i].bridge));
        }
        *ret = links;
        return 0;
}

static int refresh_links_of(struct agent *agent, struct state_container *container, bool *ret_changed)
{
        _cleanup_(link_netns_fini) struct link_netns netns = {.netnsid = -1};
        _cleanup_free_ struct state_link *links = NULL;
        int r = LINK_E_GONE;

        if (container->netns)
                r = link_netns_by_path(agent->links, container->netns, &netns);
        else if (container->pid > 0)
                r = link_netns_by_pid(agent->links, container->pid, &netns);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                log_errno(LOG_DEBUG, r, "%s %s: its network namespace cannot be read", container->runtime,
                          container->id);
        r = copy_links(agent, &netns, &links);
        if (r < 0)
                return r;
        return state_set_links(agent->state, container, netns.netnsid, links, netns.links_len, netns.addrs,
                               netns.addrs_len, ret_changed);
}

int agent_refresh_links(struct agent *agent, bool *ret_changed)
{
        size_t len;
        struct state_container *const *containers = state_containers(agent->state, &len);

        *ret_changed = false;
        for (size_t i = 0; i < len; i++) {
                bool changed = false;
                int r;

                if (!containers[i]->links_stale)
                        continue;
                r = refresh_links_of(agent, containers[i], &changed);
                if (r < 0)
                        return r;
                *ret_changed |= changed;
        }
        return 0;
}

/* files */

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

static void keep_diags(struct agent *agent, struct diag_list *diags)
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
        r = policies_read(agent->config->policies, agent->config->policies_len, &set, &diags);
        if (r < 0) {
                agent->metrics.policy_loads_failed++;
                log_errno(LOG_ERR, r, "the policies cannot be read; those in force stay");
                return;
        }
        errors = diags.errors;
        diag_list_sort(&diags);
        keep_diags(agent, &diags);
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

/* the pass */

enum start {
        START_WAIT, /* not all is known yet that soon will be */
        START_KEEP, /* what an earlier agent left in the kernel says more than we could */
        START_GO,
};

/* Whether the first pass may be made. Without the full lists, containers would look unknown that an earlier agent knew;
 * and without any policies, whatever was programmed could be wider than what they say. */
static enum start may_start(struct agent *agent)
{
        uint64_t waited = agent_now_us() - agent->started_us;
        const struct state_runtime *runtimes;
        bool synced = true, lost = true, files = true, held = false;
        size_t len;

        if (reconcile_realm(agent->reconcile))
                return START_GO;
        if (reconcile_kernel_holds(agent->reconcile, &held) < 0)
                return START_WAIT;
        runtimes = state_runtimes(agent->state, &len);
        for (size_t i = 0; i < len; i++) {
                synced &= runtimes[i].synced;
                lost &= runtimes[i].synced || runtimes[i].lost;
                if (strcmp(runtimes[i].name, "static") == 0)
                        files = runtimes[i].synced;
        }
        if (!held)
                return synced || lost || waited >= WAIT_US ? START_GO : START_WAIT;
        /* An engine may be down, and its containers with it; an inventory that cannot be read says nothing of the kind. */
        if (!agent->policies || (!files && lost))
                return START_KEEP;
        return synced || (files && waited >= WAIT_KEPT_US) ? START_GO : START_WAIT;
}

static void observe(struct agent *agent, const struct reconcile_result *result)
{
        struct metrics *metrics = &agent->metrics;

        histogram_observe(&metrics->compile_seconds, (double)result->compile_us / 1e6);
        if (!result->committed) {
                metrics->empty++;
                agent->pending_len = 0;
                return;
        }
        metrics->committed++;
        histogram_observe(&metrics->transaction_seconds, (double)result->transaction_us / 1e6);
        histogram_observe(&metrics->transaction_bytes, (double)result->bytes);
        for (size_t i = 0; i < agent->pending_len; i++)
                if (agent->pending_us[i] <= result->committed_us)
                        histogram_observe(&metrics->latency_seconds,
                                          (double)(result->committed_us - agent->pending_us[i]) / 1e6);
        agent->pending_len = 0;
}

/* The kernel would not have what the files ask for. What is in force is tried again, so that containers that come meanwhile
 * are under its policies. */
static void fall_back(struct agent *agent, struct diag_list *diags)
{
        const struct realm *realm = reconcile_realm(agent->reconcile);

        keep_diags(agent, diags);
        if (!realm || !agent->policies || realm->policies == agent->policies)
                return;
        log_error("the kernel refused the new policies; the last good set stays in force");
        policies_unref(agent->policies);
        agent->policies = policies_ref(realm->policies);
}

static int try_pass(struct agent *agent, struct reconcile_result *result, struct diag_list *diags)
{
        struct inventory *inventory;
        struct realm *realm;
        bool changed;
        int r;

        r = agent_refresh_links(agent, &changed);
        if (r < 0)
                return r;
        r = state_snapshot(agent->state, &inventory);
        if (r < 0)
                return r;
        r = realm_new(&realm, agent->config, agent->policies, inventory);
        if (r < 0)
                return r;
        return reconcile_apply(agent->reconcile, realm, result, diags);
}

static void failed(struct agent *agent, int r, struct diag_list *diags)
{
        agent->metrics.failed++;
        agent->failures++;
        agent->last_failure =
                r == RECONCILE_E_REFUSED ? "the kernel refused the last transaction" : "the last transaction failed";
        if (r == RECONCILE_E_REFUSED)
                fall_back(agent, diags);
        else if (agent->failures == 1)
                log_errno(LOG_ERR, r, "rules could not be programmed; it is tried again, and those in force stay");
}

void agent_pass(struct agent *agent)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct reconcile_result result = {0};
        uint64_t begin = agent_now_us();
        int r;

        switch (may_start(agent)) {
        case START_WAIT:
                return;
        case START_KEEP:
                agent->kept = true;
                agent_notify(agent);
                return;
        case START_GO:
                agent->kept = false;
                break;
        }
        r = try_pass(agent, &result, &diags);
        agent->pass_us = agent_now_us() - begin;
        if (r != 0) {
                failed(agent, r, &diags);
                agent_schedule(agent);
        } else {
                if (agent->failures > 0)
                        log_info("rules are programmed again, after %u failures", agent->failures);
                agent->failures = 0;
                agent->last_failure = NULL;
                observe(agent, &result);
                log_debug("%s: %zu operations, %zu bytes; compiled in %llu us, compared and committed in %llu us",
                          result.committed ? "committed" : "nothing to change", result.ops, result.bytes,
                          (unsigned long long)result.compile_us, (unsigned long long)result.transaction_us);
        }
        agent_notify(agent);
}
