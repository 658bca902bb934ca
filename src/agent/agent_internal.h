/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's parts. agent.c puts them together and owns the event loop, agent_files.c reads files, agent_pass.c turns what
 * changed into what is in force, agent_revoke.c cuts what no longer is allowed, agent_view.c answers questions. */
#pragma once

#include <event2/event.h>

#include "agent.h"
#include "bridges.h"
#include "confine.h"
#include "http.h"
#include "metrics.h"
#include "reconcile.h"
#include "report.h"
#include "revoke.h"
#include "state.h"
#include "watch.h"

enum {
        RUNTIME_DOCKER,
        RUNTIME_STATIC,
        RUNTIMES_MAX,
};

/* Events that have not reached the kernel yet: when they came. Past this many, the rest is not timed. */
#define PENDING_MAX 4096

struct agent {
        struct event_base *base;
        struct config *config;       /* a reference */
        struct config *started_with; /* a reference; keys that take effect at start are those of this one */
        const char *config_path;     /* borrowed; may be NULL */
        bool config_refused;         /* as last read */

        struct nft *nft;
        struct nft_monitor *monitor;
        struct link_watch *links;
        struct watch *files;
        struct runtime *runtimes[RUNTIMES_MAX]; /* NULL: not followed */
        struct http *metrics_server, *control_server;
        int control_fd;
        bool control_bound;

        struct state *state;
        struct bridges bridges;
        struct reconcile *reconcile;
        struct revoke revoke;
        struct policies *policies; /* a reference: the last good set; NULL: none yet */
        struct diag_list policy_diags;
        time_t last_good_policy;
        struct metrics metrics;

        int confined[CONFINE_MAX]; /* as confine() gives it */

        struct event *on_links, *on_monitor, *on_files;
        struct event *on_pass;   /* timer: changes are gathered until it fires */
        struct event *on_reload; /* timer: files are still until it fires */
        struct event *on_revoke; /* timer: connections are to be looked at */
        struct event *on_tick;
        struct event *signals[3];

        unsigned reload;          /* WATCH_ bits to read again */
        unsigned busy;            /* WATCH_ bits of files being written */
        uint64_t reload_since_us; /* when the first of them came; 0: none */
        uint64_t started_us;
        uint64_t pass_us;  /* how long the last pass took */
        unsigned failures; /* passes failed in a row */
        bool kept;         /* what an earlier agent left in the kernel stays, because nothing better is known */
        bool notified;     /* READY=1 was sent */
        bool reloading;    /* the service manager waits for READY=1 after RELOADING=1 */
        bool stopping;
        uint64_t revoked_us; /* when connections were last looked at, and how long that took */
        uint64_t revoking_us;
        bool revoke_complained;
        uint64_t counted_us; /* when the kernel's counters were last read, and how long that took */
        uint64_t counting_us;
        const char *last_failure; /* static; why the last pass failed; NULL: it did not */
        uint64_t pending_us[PENDING_MAX];
        size_t pending_len;
        uint64_t foreign_logged_us;
        char status[128]; /* as last told to the service manager */
};

uint64_t agent_now_us(void);

/* Something may have changed: a pass runs within milliseconds. */
void agent_schedule(struct agent *agent);
/* The same for an event that came at this time. */
void agent_schedule_event(struct agent *agent, uint64_t received_us);

void agent_arm(struct event *event, uint64_t us);
void agent_refresh_bridges(struct agent *agent);

/* agent_confine.c */
/* Nothing that needs more than what is named there may come after it. 0 or -ENOMEM. */
int agent_confine(struct agent *agent);

/* agent_files.c */
/* Reads the policy files; a set with errors leaves the last good one where it is. */
void agent_load_policies(struct agent *agent);
/* These are the policies' errors now; logged where they are news. Empties diags. */
void agent_keep_diags(struct agent *agent, struct diag_list *diags);
/* 0 or a negative errno. */
int agent_watch_policies(struct agent *agent);
/* Takes over a reference of the configuration. */
void agent_set_config(struct agent *agent, struct config *config);
/* A configuration that was read from the default place must be there from then on: its loss must not bring the defaults. */
void agent_find_config(struct agent *agent);
/* Reads again what agent->reload says. */
void agent_reload(struct agent *agent);
void agent_on_reload(evutil_socket_t fd, short events, void *user);
void agent_on_files(evutil_socket_t fd, short events, void *user);

/* agent_pass.c */
void agent_pass(struct agent *agent);
/* Asks what leads into the network namespaces that changed. *ret_changed: the inventory may be another. */
int agent_refresh_links(struct agent *agent, bool *ret_changed);

/* agent_revoke.c */
/* Cuts connections that what is in force now denies. at_once: more than the containers changed. */
void agent_revoke(struct agent *agent, bool at_once);
void agent_on_revoke(evutil_socket_t fd, short events, void *user);

/* agent_view.c */
void agent_answer_metrics(void *user, const char *path, const char *accept, struct http_reply *reply);
void agent_answer_control(void *user, const char *path, const char *accept, struct http_reply *reply);
/* Tells the service manager how it stands, where that is news. */
void agent_notify(struct agent *agent);
