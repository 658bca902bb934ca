/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What docker.c (the connection, the order of things) and docker_fetch.c (what is asked meanwhile) share. Nobody
 * else includes it: the agent knows runtime.h. */
#pragma once

#include "runtime/docker_cache.h"
#include "runtime/http.h"

/* An answer of the engine: a list of many thousand containers, and anything else. */
#define DOCKER_LIST_MAX (64u << 20)
#define DOCKER_ANSWER_MAX (16u << 20)
#define DOCKER_LINE_MAX (1u << 20)
#define DOCKER_ID_SIZE 129

enum docker_state {
        DOCKER_STOPPED,
        DOCKER_WAITING, /* for the next attempt to connect */
        DOCKER_PINGING, /* asking for the API's version */
        DOCKER_LISTING, /* subscribed; the lists are on their way, events are kept for later */
        DOCKER_FILLING, /* lists are here; what they do not tell is being asked */
        DOCKER_LIVE,
        DOCKER_STATE_MAX,
};

struct docker_queued {
        enum docker_event_kind kind;
        char container[DOCKER_ID_SIZE];
        char network[DOCKER_ID_SIZE];
        uint64_t received_us;
};

struct docker {
        struct runtime runtime; /* first */
        struct docker_cache cache;
        struct http_client *http;
        struct event *timer; /* next attempt, retry or deadline, whichever comes first */
        char *socket;
        enum docker_state state;
        unsigned version;        /* of the API, in use */
        unsigned version_wanted; /* what the engine asked for when it refused ours; 0: nothing */
        int64_t since;           /* seconds; the events' beginning */
        uint64_t backoff_us;
        uint64_t attempt_us;   /* when the next attempt to connect is due */
        uint64_t following_us; /* when the events were subscribed; 0: they are not */
        uint64_t synced_us;    /* when the last full list was complete */
        uint64_t fill_us;      /* when the lists were here */
        uint64_t networks_us;  /* when the networks' pages were here too; 0: not yet */
        uint64_t cause_us;     /* when the list of containers came */
        bool resync_wanted;
        char *lost_reason; /* as last told; NULL: not lost */
        struct http_request *ping;
        struct http_request *stream;
        struct http_request *lists;        /* first the networks, then the containers */
        struct docker_fetch summary_fetch; /* the list of some containers, by id */
        struct docker_queued *queue;
        size_t queue_len, queue_cap;
        struct runtime_stats stats;
};

/* docker.c */

/* The connection is of no more use: forgets what is under way, tells the agent, tries again later. */
void docker_fail(struct docker *docker, const char *fmt, ...) _printf_(2, 3);
void docker_log(struct docker *docker, int level, const char *fmt, ...) _printf_(3, 4);
void docker_forget_record(struct docker *docker, struct docker_record *record, uint64_t cause_us);
void docker_forget_network(struct docker *docker, struct docker_network *network);

/* Takes every next step there is: asks what is wanted, tells the agent what changed, sets the timer. */
void docker_pump(struct docker *docker);

void docker_fail_by_reply(struct docker *docker, const char *what, const struct http_reply *reply);
void docker_tell(struct docker *docker, struct runtime_event event);
void docker_tell_changes(struct docker *docker);
int docker_apply_event(struct docker *docker, const struct docker_queued *event);

/* Something happened that makes the answer to this worth having; cause_us as in struct docker_fetch. */
void docker_want(struct docker_fetch *fetch, uint64_t cause_us);

/* docker_sync.c */

/* A full list is called complete after this long even where some network or image does not answer, and without the
 * inspections, which may wait for a container's start, after that long. What comes later is told as a change. */
#define DOCKER_FILL_MAX_US 5000000u
#define DOCKER_INSPECTS_MAX_US 500000u

/* From LIVE, or once the events are subscribed, to LISTING. */
void docker_begin_listing(struct docker *docker);

bool docker_is_followed(const struct docker *docker);

/* In FILLING: tells what is known, and goes on to LIVE when there is nothing more to wait for. */
void docker_finish_filling(struct docker *docker, uint64_t now_us);

/* docker_fetch.c */

/* Asks what is wanted and due, within the limits on how much at once. */
void docker_fetch_serve(struct docker *docker, uint64_t now_us);

/* The earliest time after now at which something wanted becomes due; UINT64_MAX: nothing waits for time to pass. */
uint64_t docker_fetch_due(const struct docker *docker, uint64_t now_us);

/* Is something wanted or under way? */
bool docker_fetch_networks_pending(const struct docker *docker);
bool docker_fetch_labels_pending(const struct docker *docker);
bool docker_fetch_inspects_pending(const struct docker *docker);

/* Cancels all that is under way and forgets that anything was wanted. */
void docker_fetch_reset(struct docker *docker);

/* A GET on the engine's API in the version agreed on. */
int docker_get(struct docker *docker, struct http_request **ret, const char *path, unsigned timeout_ms, size_t max,
               http_done_cb done, void *user);
