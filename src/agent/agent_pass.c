/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One pass: from what is known now to what is in force. Whatever happened, it is the same pass; what cannot be brought into
 * force leaves the last thing that could. */
#include <errno.h>
#include <string.h>

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
        bool synced, lost = true, files = true, held = false;
        size_t len;

        if (reconcile_realm(agent->reconcile))
                return START_GO;
        if (reconcile_kernel_holds(agent->reconcile, &held) < 0)
                return START_WAIT;
        runtimes = state_runtimes(agent->state, &len);
        /* No socket found yet: an engine that is being started again has none for a while. */
        synced = len > 0 || agent->started_with->runtimes_given;
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

/* The kernel would not have what the files ask for, and would not the next time either. What is in force is tried again, so
 * that containers that come meanwhile are under its policies; where nothing is, everything is denied until the files are
 * changed. */
static void fall_back(struct agent *agent)
{
        const struct realm *realm = reconcile_realm(agent->reconcile);

        if (!realm) {
                agent->policies = policies_unref(agent->policies);
                return;
        }
        if (agent->policies && realm->policies != agent->policies) {
                policies_unref(agent->policies);
                agent->policies = policies_ref(realm->policies);
        }
        if (realm->config != agent->config) {
                agent->config_refused = true;
                agent_set_config(agent, config_ref(realm->config));
        }
}

/* What the kernel may say for lack of something that comes back. */
static bool is_passing(int error)
{
        return error == ENOMEM || error == ENOBUFS || error == EBUSY || error == EAGAIN || error == EINTR ||
               error == EMFILE || error == ENFILE;
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

static void failed(struct agent *agent, int r, const struct reconcile_result *result, struct diag_list *diags)
{
        bool refused = r == RECONCILE_E_REFUSED;

        agent->metrics.failed++;
        agent->failures++;
        agent->last_failure = refused ? "the kernel refused the last transaction" : "the last transaction failed";
        if (agent->failures == 1)
                log_errno(LOG_ERR, refused ? -result->error : r,
                          "rules could not be programmed; it is tried again, and those in force stay");
        if (!refused)
                return;
        agent_keep_diags(agent, diags);
        if (!is_passing(result->error))
                fall_back(agent);
}

/* Whether the next pass may bring more than other containers. */
static bool is_told_anew(const struct agent *agent)
{
        const struct realm *realm = reconcile_realm(agent->reconcile);

        return !realm || realm->config != agent->config || (agent->policies && realm->policies != agent->policies);
}

void agent_pass(struct agent *agent)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct reconcile_result result = {0};
        uint64_t begin = agent_now_us();
        bool anew = is_told_anew(agent);
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
                failed(agent, r, &result, &diags);
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
                agent_revoke(agent, anew);
        }
        agent_notify(agent);
}
