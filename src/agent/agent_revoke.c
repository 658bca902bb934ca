/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When connections are looked at again: at once where policies or the configuration changed, else as often as it does not
 * take much of the time. */
#include "agent_internal.h"
#include "log.h"

/* The table may be large, and containers come and go all the time: a twentieth of the time at most. */
#define PACE 20u

static void run(struct agent *agent)
{
        struct revoke_result result;
        uint64_t begin = agent_now_us();
        int r = revoke_run(&agent->revoke, reconcile_realm(agent->reconcile), &result);

        agent->revoked_us = agent_now_us();
        agent->revoking_us = agent->revoked_us - begin;
        agent->metrics.revoked_denied += result.denied;
        agent->metrics.revoked_released += result.released;
        agent->metrics.revoked_failed += result.failed;
        if (r < 0)
                agent->metrics.revoked_failed++;
        else
                r = result.error;
        if (r < 0 && !agent->revoke_complained)
                log_errno(LOG_ERR, r, "connections that are denied now cannot all be cut");
        agent->revoke_complained = r < 0;
        if (result.denied > 0 || result.released > 0)
                log_info("connections cut: %zu that are denied now, %zu of addresses that were released", result.denied,
                         result.released);
        log_debug("connections looked at in %llu us", (unsigned long long)agent->revoking_us);
}

void agent_revoke(struct agent *agent, bool at_once)
{
        uint64_t next = agent->revoked_us + PACE * agent->revoking_us, now = agent_now_us();

        if (at_once || now >= next) {
                evtimer_del(agent->on_revoke);
                run(agent);
        } else if (!evtimer_pending(agent->on_revoke, NULL)) {
                agent_arm(agent->on_revoke, next - now);
        }
}

void agent_on_revoke(evutil_socket_t fd _unused_, short events _unused_, void *user)
{
        run(user);
}
