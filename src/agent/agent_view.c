/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers: metrics and health over TCP, the state of affairs on the control socket, and a line for the service manager. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent_internal.h"
#include "log.h"
#include "notify.h"

#define REASONS_MAX 16
#define BRIDGES_MAX 256

struct reasons {
        char texts[REASONS_MAX][256];
        const char *items[REASONS_MAX];
        size_t len;
};

static void _printf_(2, 3) add_reason(struct reasons *reasons, const char *fmt, ...)
{
        va_list args;

        if (reasons->len == REASONS_MAX)
                return;
        va_start(args, fmt);
        vsnprintf(reasons->texts[reasons->len], sizeof(reasons->texts[0]), fmt, args);
        va_end(args);
        reasons->items[reasons->len] = reasons->texts[reasons->len];
        reasons->len++;
}

/* What stands in the way of everything being as it should. */
static void find_reasons(const struct agent *agent, struct reasons *ret)
{
        const struct state_runtime *runtimes;
        size_t len;

        ret->len = 0;
        if (agent->policy_diags.errors > 0)
                add_reason(ret, "the policy files have %zu error%s; %s", agent->policy_diags.errors,
                           agent->policy_diags.errors == 1 ? "" : "s",
                           agent->policies ? "the last good set is in force"
                           : agent->kept   ? "the rules of an earlier agent stay"
                                           : "every endpoint is denied until they are mended");
        if (agent->config_refused)
                add_reason(ret, "the configuration was refused; the one before stays");
        if (agent->last_failure)
                add_reason(ret, "%s (%u in a row)", agent->last_failure, agent->failures);
        runtimes = state_runtimes(agent->state, &len);
        for (size_t i = 0; i < len; i++)
                if (runtimes[i].lost)
                        add_reason(ret, "%s is out of reach: %s", runtimes[i].name, runtimes[i].lost);
        for (size_t i = 0; i < agent->bridges.len; i++)
                if (!agent->bridges.items[i].isolated)
                        add_reason(ret, "traffic within bridge %s is not under policy: %s",
                                   agent->bridges.items[i].name, agent->bridges.items[i].reason);
}

static bool is_ready(const struct agent *agent)
{
        const struct realm *realm = reconcile_realm(agent->reconcile);

        return realm && agent->policies;
}

static const char *state_name(const struct agent *agent, const struct reasons *reasons)
{
        if (!reconcile_realm(agent->reconcile) && !agent->kept)
                return "starting";
        return reasons->len > 0 ? "degraded" : "ok";
}

static void fill_view(const struct agent *agent, const struct reasons *reasons, struct report_view *ret)
{
        *ret = (struct report_view){
                .state = state_name(agent, reasons),
                .reasons = reasons->items,
                .reasons_len = reasons->len,
                .containers = agent->state,
                .realm = reconcile_realm(agent->reconcile),
                .bridges = &agent->bridges,
                .policy_diags = &agent->policy_diags,
                .last_good_policy = agent->last_good_policy,
                .metrics = &agent->metrics,
                .counters = reconcile_counters(agent->reconcile),
                .confined = agent->confined,
        };
}

/* Reads the kernel's counters before they are asked for. Where its rules turn out not to be ours any more, they are
 * restored. */
static void count(struct agent *agent)
{
        uint64_t begin = agent_now_us();
        bool intact = true;
        int r;

        /* Whoever asks all the time takes a tenth of ours at most. */
        if (begin - agent->counted_us < 10 * agent->counting_us)
                return;
        r = reconcile_count(agent->reconcile, &intact);
        agent->counted_us = agent_now_us();
        agent->counting_us = agent->counted_us - begin;
        if (r < 0)
                log_errno(LOG_WARNING, r, "the kernel's counters cannot be read");
        if (r < 0 || intact)
                return;
        log_debug("the kernel's rules differ from ours");
        agent_schedule(agent);
}

/* metrics */

static size_t count_unenforced(const struct agent *agent, const struct report_view *view)
{
        size_t len, n = 0;
        struct state_container *const *containers = state_containers(agent->state, &len);
        char buf[256];

        for (size_t i = 0; i < len; i++)
                n += report_unenforced(view, containers[i], buf, sizeof(buf)) != NULL;
        return n;
}

static void fill_runtime(const struct agent *agent, const struct realm *realm, struct metrics_runtime *ret,
                         const struct state_runtime *runtime)
{
        ret->name = runtime->name;
        ret->connected = runtime->connected;
        for (size_t i = 0; i < RUNTIMES_MAX; i++)
                if (agent->runtimes[i] && strcmp(agent->runtimes[i]->vtable->name, runtime->name) == 0) {
                        struct runtime_stats stats = {0};

                        agent->runtimes[i]->vtable->stats(agent->runtimes[i], &stats);
                        ret->events = stats.events;
                        ret->resyncs = stats.resyncs;
                        ret->errors = stats.errors;
                }
        for (size_t i = 0; realm && i < realm->inventory->endpoints_len; i++)
                ret->endpoints += strcmp(realm->inventory->endpoints[i].runtime, runtime->name) == 0;
}

static void render_metrics(struct agent *agent, bool openmetrics, struct strbuf *buf)
{
        const struct realm *realm = reconcile_realm(agent->reconcile);
        struct metrics_runtime runtimes[RUNTIMES_MAX] = {0};
        struct metrics_bridge bridges[BRIDGES_MAX];
        struct metrics_view view = {.metrics = &agent->metrics, .runtimes = runtimes, .bridges = bridges};
        const struct state_runtime *items;
        struct link_stats link_stats = {0};
        struct report_view report;
        struct reasons reasons;
        size_t len;

        count(agent);
        find_reasons(agent, &reasons);
        fill_view(agent, &reasons, &report);
        items = state_runtimes(agent->state, &len);
        for (size_t i = 0; i < len && i < RUNTIMES_MAX; i++)
                fill_runtime(agent, realm, &runtimes[view.runtimes_len++], &items[i]);
        for (size_t i = 0; i < agent->bridges.len && i < BRIDGES_MAX; i++)
                bridges[view.bridges_len++] =
                        (struct metrics_bridge){agent->bridges.items[i].name, agent->bridges.items[i].isolated};
        link_watch_stats(agent->links, &link_stats);
        view.counters = reconcile_counters(agent->reconcile);
        view.unenforced = count_unenforced(agent, &report);
        view.policies = realm ? realm->policies->set->policies_len : 0;
        view.policy_errors = agent->policy_diags.errors;
        view.last_good_policy = (double)agent->last_good_policy;
        view.ready = is_ready(agent);
        view.link_events = link_stats.events;
        view.link_resyncs = link_stats.resyncs;
        metrics_render(buf, &view, openmetrics);
}

static void answer_ready(const struct agent *agent, struct http_reply *reply)
{
        struct reasons reasons;

        if (is_ready(agent)) {
                strbuf_puts(&reply->body, "ready\n");
                return;
        }
        reply->code = 503;
        find_reasons(agent, &reasons);
        strbuf_puts(&reply->body, "not ready\n");
        for (size_t i = 0; i < reasons.len; i++)
                strbuf_printf(&reply->body, "%s\n", reasons.items[i]);
}

void agent_answer_metrics(void *user, const char *path, const char *accept, struct http_reply *reply)
{
        struct agent *agent = user;
        bool openmetrics = metrics_wants_openmetrics(accept);

        if (strcmp(path, "/metrics") == 0) {
                reply->type = openmetrics ? METRICS_TYPE_OPENMETRICS : METRICS_TYPE_TEXT;
                render_metrics(agent, openmetrics, &reply->body);
        } else if (strcmp(path, "/healthz") == 0) {
                /* That it answers is the health that a supervisor can mend: no restart cures a wrong policy file. */
                strbuf_puts(&reply->body, "ok\n");
        } else if (strcmp(path, "/readyz") == 0) {
                answer_ready(agent, reply);
        } else {
                reply->code = 404;
                strbuf_puts(&reply->body, "there are /metrics, /healthz and /readyz\n");
        }
}

/* control */

static void fill_reply(struct http_reply *reply, int r)
{
        if (r < 0) {
                reply->body.failed = true;
        } else if (r == REPORT_E_EARLY) {
                reply->code = 503;
                strbuf_puts(&reply->body, "{\"error\": \"nothing is in force yet\"}\n");
        }
}

void agent_answer_control(void *user, const char *path, const char *accept _unused_, struct http_reply *reply)
{
        static const struct {
                const char *path;
                int (*report)(struct strbuf *buf, const struct report_view *view);
        } reports[] = {
                {"/v1/status", report_status},     {"/v1/endpoints", report_endpoints},
                {"/v1/policies", report_policies}, {"/v1/counters", report_counters},
                {"/v1/state", report_state},       {"/v1/connections", report_connections},
        };
        struct agent *agent = user;
        struct report_view view;
        struct reasons reasons;
        bool changed;

        if (strcmp(path, "/v1/counters") == 0)
                count(agent);
        if (agent_refresh_links(agent, &changed) == 0 && changed)
                agent_schedule(agent);
        find_reasons(agent, &reasons);
        fill_view(agent, &reasons, &view);
        reply->type = "application/json";
        for (size_t i = 0; i < ARRAY_SIZE(reports); i++)
                if (strcmp(path, reports[i].path) == 0) {
                        fill_reply(reply, reports[i].report(&reply->body, &view));
                        return;
                }
        reply->code = 404;
        strbuf_puts(&reply->body, "{\"error\": \"no such resource\"}\n");
}

/* service manager */

void agent_notify(struct agent *agent)
{
        const struct realm *realm = reconcile_realm(agent->reconcile);
        struct reasons reasons;
        char status[sizeof(agent->status)];

        find_reasons(agent, &reasons);
        if (reasons.len > 0)
                snprintf(status, sizeof(status), "%s: %.100s", state_name(agent, &reasons), reasons.items[0]);
        else if (realm)
                snprintf(status, sizeof(status), "endpoints: %zu, policies: %zu", realm->inventory->endpoints_len,
                         realm->policies->set->policies_len);
        else
                snprintf(status, sizeof(status), "waiting for the container engines");
        if (strcmp(status, agent->status) != 0) {
                memcpy(agent->status, status, sizeof(status));
                notify_send("STATUS=%s", status);
        }
        /* What protects is in the kernel: ours, or what an earlier agent left there and we would not loosen. */
        if (!realm && !agent->kept)
                return;
        if (!agent->notified)
                log_info("ready: %s", status);
        if (!agent->notified || agent->reloading)
                notify_send("READY=1");
        agent->notified = true;
        agent->reloading = false;
}
