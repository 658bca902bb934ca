/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the parts together around one event loop. Callbacks only note what happened and arm a timer; what follows from it
 * is one pass (agent_pass.c) for all that came meanwhile. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent_internal.h"
#include "control.h"
#include "log.h"
#include "notify.h"

/* How long changes are gathered. After a long pass it is as long again, so that bursts cannot take all the time. */
#define GATHER_US 3000u
#define GATHER_MAX_US 200000u
#define BACKOFF_US 100000u
#define BACKOFF_MAX_US 5000000u
#define TICK_US 2000000u
#define FOREIGN_LOG_US 10000000u

uint64_t agent_now_us(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void agent_arm(struct event *event, uint64_t us)
{
        const struct timeval delay = {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};

        event_add(event, &delay);
}

void agent_schedule(struct agent *agent)
{
        uint64_t delay = agent->pass_us;

        if (evtimer_pending(agent->on_pass, NULL) || agent->stopping)
                return;
        if (agent->failures > 0) {
                delay = BACKOFF_US << (agent->failures < 7 ? agent->failures - 1 : 6);
                delay = delay < BACKOFF_MAX_US ? delay : BACKOFF_MAX_US;
        } else if (delay < GATHER_US) {
                delay = GATHER_US;
        } else if (delay > GATHER_MAX_US) {
                delay = GATHER_MAX_US;
        }
        agent_arm(agent->on_pass, delay);
}

void agent_schedule_event(struct agent *agent, uint64_t received_us)
{
        if (agent->pending_len < PENDING_MAX)
                agent->pending_us[agent->pending_len++] = received_us;
        agent_schedule(agent);
}

static void on_pass(evutil_socket_t fd _unused_, short events _unused_, void *user)
{
        agent_pass(user);
}

/* runtimes */

static void on_runtime_event(void *user, const struct runtime_event *event)
{
        struct agent *agent = user;
        bool changed;

        if (event->kind == RUNTIME_LOST)
                log_warning("%s is out of reach: %s; what is known of its containers stays in force", event->runtime,
                            event->reason ? event->reason : "no reason given");
        if (state_event(agent->state, event, &changed) < 0) {
                log_error("no memory for an event of %s; its containers are listed anew", event->runtime);
                for (size_t i = 0; i < RUNTIMES_MAX; i++)
                        if (agent->runtimes[i] && strcmp(agent->runtimes[i]->vtable->name, event->runtime) == 0)
                                agent->runtimes[i]->vtable->resync(agent->runtimes[i]);
                return;
        }
        if (event->kind == RUNTIME_SYNCED)
                log_info("%s: containers listed", event->runtime);
        if (changed)
                agent_schedule_event(agent, event->received_us);
        else if (event->kind == RUNTIME_LOST)
                agent_schedule(agent);
}

static void on_runtime_log(void *user _unused_, int level, const char *text)
{
        log_line(level, "%s", text);
}

static void on_inventory_diags(void *user _unused_, const struct diag_list *diags)
{
        log_diags(diags);
        if (diags->errors > 0)
                log_error("the inventory was refused; its last good state stays");
}

static int add_runtime(struct agent *agent, unsigned which, struct runtime *runtime)
{
        int r;

        agent->runtimes[which] = runtime;
        r = state_add_runtime(agent->state, runtime->vtable->name);
        return r < 0 ? r : runtime->vtable->start(runtime);
}

static int follow_docker(struct agent *agent, const char *socket)
{
        struct runtime *runtime;
        int r;

        r = docker_new(&runtime, agent->base, socket, agent->started_with->trust_image_labels, on_runtime_event,
                       on_runtime_log, agent);
        return r < 0 ? r : add_runtime(agent, RUNTIME_DOCKER, runtime);
}

static int follow_static(struct agent *agent, const char *inventory)
{
        struct runtime *runtime;
        int r;

        r = static_new(&runtime, agent->base, inventory, on_runtime_event, on_runtime_log, on_inventory_diags, agent);
        return r < 0 ? r : add_runtime(agent, RUNTIME_STATIC, runtime);
}

/* Without a word in the configuration, engines are followed whose socket is found, now or later. */
static int find_runtimes(struct agent *agent)
{
        if (agent->started_with->runtimes_given || agent->runtimes[RUNTIME_DOCKER] ||
            access(CONFIG_DOCKER_SOCKET, F_OK) < 0)
                return 0;
        log_info("found %s", CONFIG_DOCKER_SOCKET);
        return follow_docker(agent, CONFIG_DOCKER_SOCKET);
}

static int start_runtimes(struct agent *agent)
{
        static const char *const unread[] = {CONFIG_PODMAN_SOCKET, CONFIG_CONTAINERD_SOCKET};
        const struct config *config = agent->config;
        int r = 0;

        if (config->docker_socket)
                r = follow_docker(agent, config->docker_socket);
        if (r == 0 && config->static_inventory)
                r = follow_static(agent, config->static_inventory);
        if (r == 0)
                r = find_runtimes(agent);
        for (size_t i = 0; i < ARRAY_SIZE(unread) && !config->runtimes_given; i++)
                if (access(unread[i], F_OK) == 0)
                        log_warning("found %s, which this version does not read: its containers are unknown endpoints",
                                    unread[i]);
        return r;
}

/* links */

static bool concerns(const struct state_container *container, int32_t netnsid)
{
        if (!container->netns && container->pid <= 0)
                return false;
        return container->netnsid < 0 || container->netnsid == netnsid;
}

/* netnsid -1: whichever. */
static void mark_stale(struct agent *agent, int32_t netnsid, bool all)
{
        size_t len;
        struct state_container *const *containers = state_containers(agent->state, &len);

        for (size_t i = 0; i < len; i++) {
                if (!all && !concerns(containers[i], netnsid))
                        continue;
                containers[i]->links_stale = true;
                if (containers[i]->addrs_from_netns)
                        agent_schedule_event(agent, agent_now_us());
        }
}

void agent_refresh_bridges(struct agent *agent)
{
        if (bridges_refresh(&agent->bridges, agent->links, &agent->config->settings) < 0)
                log_error("no memory to look at the bridges; it is tried again");
}

static void on_link_change(void *user, const struct link_change *change)
{
        struct agent *agent = user;

        if (!change) {
                mark_stale(agent, -1, true);
                agent_refresh_bridges(agent);
                return;
        }
        if (change->link && strcmp(change->link->kind, "bridge") == 0)
                agent_refresh_bridges(agent);
        if (change->kind == LINK_NETNS)
                mark_stale(agent, change->netnsid, false);
        else if (change->link && change->link->netnsid >= 0)
                mark_stale(agent, change->link->netnsid, false);
}

static void on_links(evutil_socket_t fd _unused_, short events _unused_, void *user)
{
        struct agent *agent = user;
        int r = link_watch_dispatch(agent->links);

        if (r < 0) {
                log_errno(LOG_ERR, r, "network interfaces can no longer be followed");
                event_base_loopbreak(agent->base);
        }
}

/* other people's changes of the ruleset */

static void on_nft_change(void *user, const struct nft_change *change)
{
        struct agent *agent = user;
        uint64_t now = agent_now_us();

        if (change->lost) {
                reconcile_forget(agent->reconcile);
                agent_schedule(agent);
                return;
        }
        if (reconcile_is_own(agent->reconcile, change->genid))
                return;
        if (!change->ours) {
                reconcile_moved(agent->reconcile, change->genid);
                return;
        }
        agent->metrics.foreign_changes++;
        if (agent->foreign_logged_us == 0 || now - agent->foreign_logged_us > FOREIGN_LOG_US) {
                agent->foreign_logged_us = now;
                log_warning("%s (pid %u) changed our rules; they are restored",
                            *change->program ? change->program : "?", change->pid);
        }
        reconcile_forget(agent->reconcile);
        agent_schedule(agent);
}

static void on_monitor(evutil_socket_t fd _unused_, short events _unused_, void *user)
{
        struct agent *agent = user;
        int r = nft_monitor_dispatch(agent->monitor);

        if (r < 0) {
                log_errno(LOG_ERR, r, "changes of the ruleset can no longer be followed");
                event_base_loopbreak(agent->base);
        }
}

/* signals and time */

static void on_signal(evutil_socket_t number, short events _unused_, void *user)
{
        struct agent *agent = user;

        if (number != SIGHUP) {
                log_info("stopping; the rules stay in force");
                agent->stopping = true;
                notify_send("STOPPING=1");
                event_base_loopbreak(agent->base);
                return;
        }
        notify_reloading();
        agent->reloading = true;
        evtimer_del(agent->on_reload);
        agent->reload = WATCH_POLICIES | WATCH_INVENTORY | WATCH_CONFIG;
        agent_reload(agent);
}

static void on_tick(evutil_socket_t fd _unused_, short events _unused_, void *user)
{
        struct agent *agent = user;

        agent_refresh_bridges(agent);
        if (find_runtimes(agent) < 0)
                log_error("%s cannot be followed", CONFIG_DOCKER_SOCKET);
        if (!reconcile_realm(agent->reconcile))
                agent_schedule(agent);
        agent_notify(agent);
        agent_arm(agent->on_tick, TICK_US);
}

/* setup */

static int nft_read_cb(void *user, struct ruleset **ret, uint32_t *ret_genid)
{
        return nft_read(user, RULESET_TABLE, ret, ret_genid);
}

static int nft_commit_cb(void *user, const struct plan *plan, uint32_t genid, struct nft_result *ret,
                         struct diag_list *diags)
{
        return nft_commit(user, plan, genid, false, ret, diags);
}

static const struct reconcile_kernel kernel = {nft_read_cb, nft_commit_cb};

static int open_kernel(struct agent *agent)
{
        int r;

        r = nft_monitor_new(&agent->monitor, RULESET_TABLE, on_nft_change, agent);
        if (r == 0)
                r = nft_open(&agent->nft);
        if (r < 0) {
                log_errno(LOG_ERR, r, "nftables cannot be reached (the agent needs CAP_NET_ADMIN)");
                return r;
        }
        r = link_watch_new(&agent->links, on_link_change, agent);
        if (r < 0) {
                log_errno(LOG_ERR, r, "network interfaces cannot be followed");
                return r;
        }
        return reconcile_new(&agent->reconcile, &kernel, agent->nft);
}

static int open_control(struct agent *agent)
{
        const char *path = agent->config->control_socket;
        int r = control_listen(path, &agent->control_fd);

        if (r == -EADDRINUSE)
                log_error("%s: another agent answers there", path);
        else if (r == -EEXIST)
                log_error("%s: is there and is no socket", path);
        else if (r < 0)
                log_errno(LOG_ERR, r, "%s cannot be opened", path);
        if (r < 0)
                return r;
        agent->control_bound = true;
        r = http_new_unix(&agent->control_server, agent->base, agent->control_fd, agent_answer_control, agent);
        if (r == 0)
                agent->control_fd = -1;
        return r;
}

static int open_metrics(struct agent *agent)
{
        const struct config *config = agent->config;
        char text[ADDR_TEXT_MAX];
        uint16_t port;
        int r;

        addr_format(&config->metrics_addr, text);
        r = http_new_tcp(&agent->metrics_server, agent->base, &config->metrics_addr, config->metrics_port,
                         agent_answer_metrics, agent, &port);
        if (r < 0) {
                log_errno(LOG_ERR, r, "metrics.listen: %s port %u cannot be had", text, config->metrics_port);
                return r;
        }
        log_info("metrics on %s port %u", text, port);
        return 0;
}

static int open_files(struct agent *agent)
{
        int r;

        r = watch_new(&agent->files);
        if (r == 0)
                r = agent_watch_policies(agent);
        if (r == 0 && agent->config->static_inventory)
                r = watch_add(agent->files, agent->config->static_inventory, WATCH_INVENTORY);
        if (r == 0)
                r = watch_add(agent->files, agent->config_path ? agent->config_path : CONFIG_PATH, WATCH_CONFIG);
        if (r < 0)
                log_errno(LOG_ERR, r, "files cannot be watched");
        return r;
}

static int follow_fd(struct agent *agent, int fd, event_callback_fn cb, struct event **ret)
{
        *ret = event_new(agent->base, fd, EV_READ | EV_PERSIST, cb, agent);
        return *ret && event_add(*ret, NULL) == 0 ? 0 : -ENOMEM;
}

static int make_events(struct agent *agent)
{
        static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
        int r;

        agent->on_pass = evtimer_new(agent->base, on_pass, agent);
        agent->on_reload = evtimer_new(agent->base, agent_on_reload, agent);
        agent->on_revoke = evtimer_new(agent->base, agent_on_revoke, agent);
        agent->on_tick = evtimer_new(agent->base, on_tick, agent);
        if (!agent->on_pass || !agent->on_reload || !agent->on_revoke || !agent->on_tick)
                return -ENOMEM;
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                agent->signals[i] = evsignal_new(agent->base, numbers[i], on_signal, agent);
                if (!agent->signals[i] || event_add(agent->signals[i], NULL) < 0)
                        return -ENOMEM;
        }
        r = follow_fd(agent, link_watch_fd(agent->links), on_links, &agent->on_links);
        if (r == 0)
                r = follow_fd(agent, nft_monitor_fd(agent->monitor), on_monitor, &agent->on_monitor);
        if (r == 0)
                r = follow_fd(agent, watch_fd(agent->files), agent_on_files, &agent->on_files);
        return r;
}

static void on_event_log(int severity, const char *text)
{
        log_line(severity == EVENT_LOG_ERR    ? LOG_ERR
                 : severity == EVENT_LOG_WARN ? LOG_WARNING
                                              : LOG_DEBUG,
                 "libevent: %s", text);
}

static int setup(struct agent *agent)
{
        int r;

        /* A client that hangs up must not end the agent: libevent writes without MSG_NOSIGNAL. */
        signal(SIGPIPE, SIG_IGN);
        event_set_log_callback(on_event_log);
        agent->base = event_base_new();
        if (!agent->base)
                return -ENOMEM;
        r = state_new(&agent->state);
        if (r == 0)
                r = open_kernel(agent);
        if (r == 0)
                r = open_control(agent);
        if (r == 0)
                r = open_metrics(agent);
        if (r == 0)
                r = open_files(agent);
        if (r == 0)
                r = make_events(agent);
        if (r < 0)
                return r;
        r = agent_confine(agent);
        if (r < 0)
                return r;
        agent_load_policies(agent);
        agent_refresh_bridges(agent);
        return start_runtimes(agent);
}

int agent_new(struct agent **ret, struct config *config, const char *config_path)
{
        _cleanup_(agent_freep) struct agent *agent = calloc(1, sizeof(*agent));
        int r;

        if (!agent) {
                config_unref(config);
                return -ENOMEM;
        }
        agent->config = config;
        agent->started_with = config_ref(config);
        agent->config_path = config_path;
        agent_find_config(agent);
        agent->control_fd = -1;
        agent->started_us = agent_now_us();
        metrics_init(&agent->metrics);
        r = setup(agent);
        if (r < 0)
                return r;
        *ret = steal(agent);
        return 0;
}

static void free_event(struct event *event)
{
        if (event)
                event_free(event);
}

struct agent *agent_free(struct agent *agent)
{
        if (!agent)
                return NULL;
        for (size_t i = 0; i < RUNTIMES_MAX; i++)
                if (agent->runtimes[i])
                        agent->runtimes[i]->vtable->free(agent->runtimes[i]);
        http_free(agent->metrics_server);
        http_free(agent->control_server);
        if (agent->control_fd >= 0)
                close(agent->control_fd);
        if (agent->control_bound)
                (void)unlink(agent->started_with->control_socket);
        free_event(agent->on_links);
        free_event(agent->on_monitor);
        free_event(agent->on_files);
        free_event(agent->on_pass);
        free_event(agent->on_reload);
        free_event(agent->on_revoke);
        free_event(agent->on_tick);
        for (size_t i = 0; i < ARRAY_SIZE(agent->signals); i++)
                free_event(agent->signals[i]);
        reconcile_free(agent->reconcile);
        revoke_fini(&agent->revoke);
        bridges_fini(&agent->bridges);
        state_free(agent->state);
        policies_unref(agent->policies);
        diag_list_fini(&agent->policy_diags);
        watch_free(agent->files);
        link_watch_free(agent->links);
        nft_monitor_free(agent->monitor);
        nft_close(agent->nft);
        if (agent->base)
                event_base_free(agent->base);
        libevent_global_shutdown();
        config_unref(agent->config);
        config_unref(agent->started_with);
        free(agent);
        return NULL;
}

int agent_run(struct agent *agent)
{
        agent_arm(agent->on_tick, TICK_US);
        agent_schedule(agent);
        if (event_base_dispatch(agent->base) < 0)
                return -EIO;
        return agent->stopping ? 0 : -EIO;
}
