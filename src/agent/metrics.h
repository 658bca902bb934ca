/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent counts, and its text for Prometheus. Rendering is pure: a view in, text out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/strbuf.h>

#include "counters.h"

#define HISTOGRAM_BUCKETS 12

struct histogram {
        const double *bounds;               /* HISTOGRAM_BUCKETS upper bounds, static; +Inf is implied */
        uint64_t counts[HISTOGRAM_BUCKETS]; /* not cumulative */
        double sum;
        uint64_t count;
};

/* Totals over the life of the process. */
struct metrics {
        uint64_t committed, empty, failed;                         /* transactions */
        uint64_t foreign_changes;                                  /* of our tables by others, restored */
        uint64_t revoked_denied, revoked_released, revoked_failed; /* connections */
        uint64_t policy_loads, policy_loads_failed;
        struct histogram transaction_bytes;
        struct histogram transaction_seconds;
        struct histogram compile_seconds;
        struct histogram latency_seconds; /* event to kernel */
};

void metrics_init(struct metrics *metrics);
void histogram_observe(struct histogram *histogram, double value);

struct metrics_runtime {
        const char *name;
        bool connected;
        size_t endpoints;
        uint64_t events, resyncs, errors;
};

struct metrics_bridge {
        const char *name;
        bool isolated;
};

/* All borrowed. */
struct metrics_view {
        const struct metrics *metrics;
        const struct metrics_runtime *runtimes;
        size_t runtimes_len;
        const struct metrics_bridge *bridges;
        size_t bridges_len;
        const struct counters *counters;
        size_t unenforced;
        size_t policies;
        size_t policy_errors;
        double last_good_policy; /* UNIX time; 0: never */
        bool ready;
        uint64_t link_events, link_resyncs;
};

#define METRICS_TYPE_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_TYPE_OPENMETRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* True if an HTTP Accept header asks for OpenMetrics; NULL: no header. */
bool metrics_wants_openmetrics(const char *accept);

void metrics_render(struct strbuf *buf, const struct metrics_view *view, bool openmetrics);
