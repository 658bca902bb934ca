/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prometheus' text format and OpenMetrics' (https://prometheus.io/docs/specs/om/open_metrics_spec/). They differ in how a
 * counter's family is called, in the type of build information, and in the closing line. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "metrics.h"

enum metric_type {
        METRIC_COUNTER,
        METRIC_GAUGE,
        METRIC_HISTOGRAM,
        METRIC_INFO,
        METRIC_TYPE_MAX,
};

static const char *const type_names[] = {
        [METRIC_COUNTER] = "counter",
        [METRIC_GAUGE] = "gauge",
        [METRIC_HISTOGRAM] = "histogram",
        [METRIC_INFO] = "info",
};
_Static_assert(ARRAY_SIZE(type_names) == METRIC_TYPE_MAX, "a metric type without a name");

static const double seconds_bounds[HISTOGRAM_BUCKETS] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                         0.05,   0.1,   0.25,   0.5,   1.0,  5.0};
static const double bytes_bounds[HISTOGRAM_BUCKETS] = {256,   512,    1024,   2048,    4096,    16384,
                                                       65536, 262144, 524288, 1048576, 4194304, 16777216};

struct writer {
        struct strbuf *buf;
        bool openmetrics;
        const char *name; /* of the family, without "_total" */
        enum metric_type type;
};

void metrics_init(struct metrics *metrics)
{
        *metrics = (struct metrics){
                .transaction_bytes.bounds = bytes_bounds,
                .transaction_seconds.bounds = seconds_bounds,
                .compile_seconds.bounds = seconds_bounds,
                .latency_seconds.bounds = seconds_bounds,
        };
}

void histogram_observe(struct histogram *histogram, double value)
{
        histogram->sum += value;
        histogram->count++;
        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
                if (value <= histogram->bounds[i]) {
                        histogram->counts[i]++;
                        return;
                }
}

bool metrics_wants_openmetrics(const char *accept)
{
        return accept && strstr(accept, "application/openmetrics-text");
}

static const char *suffix(const struct writer *w)
{
        switch (w->type) {
        case METRIC_COUNTER:
                return "_total";
        case METRIC_INFO:
                return "_info";
        case METRIC_GAUGE:
        case METRIC_HISTOGRAM:
        case METRIC_TYPE_MAX:
                break;
        }
        return "";
}

static void family(struct writer *w, const char *name, enum metric_type type, const char *help)
{
        const char *tail;

        w->name = name;
        w->type = type;
        tail = w->openmetrics ? "" : suffix(w);
        if (type == METRIC_INFO && !w->openmetrics)
                type = METRIC_GAUGE;
        strbuf_printf(w->buf, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, tail, help, name, tail, type_names[type]);
}

static void put_escaped(struct strbuf *buf, const char *text)
{
        for (; *text; text++) {
                if (*text == '\\' || *text == '"')
                        strbuf_putc(buf, '\\');
                if (*text == '\n')
                        strbuf_puts(buf, "\\n");
                else
                        strbuf_putc(buf, *text);
        }
}

/* Names and values of labels in turn, closed by NULL. */
static void begin_sample(struct writer *w, va_list labels)
{
        const char *sep = "{", *name;

        strbuf_printf(w->buf, "%s%s", w->name, suffix(w));
        while ((name = va_arg(labels, const char *))) {
                strbuf_printf(w->buf, "%s%s=\"", sep, name);
                put_escaped(w->buf, va_arg(labels, const char *));
                strbuf_putc(w->buf, '"');
                sep = ",";
        }
        strbuf_puts(w->buf, *sep == ',' ? "} " : " ");
}

static void sample(struct writer *w, uint64_t value, ...)
{
        va_list labels;

        va_start(labels, value);
        begin_sample(w, labels);
        va_end(labels);
        strbuf_printf(w->buf, "%llu\n", (unsigned long long)value);
}

/* Bounds are written as floating point numbers, which OpenMetrics wants canonical. */
static void put_bound(struct strbuf *buf, double bound)
{
        char text[32];

        snprintf(text, sizeof(text), "%.10g", bound);
        strbuf_printf(buf, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void histogram(struct writer *w, const char *name, const char *help, const struct histogram *values)
{
        uint64_t below = 0;

        family(w, name, METRIC_HISTOGRAM, help);
        for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
                below += values->counts[i];
                strbuf_printf(w->buf, "%s_bucket{le=\"", name);
                put_bound(w->buf, values->bounds[i]);
                strbuf_printf(w->buf, "\"} %llu\n", (unsigned long long)below);
        }
        strbuf_printf(w->buf, "%s_bucket{le=\"+Inf\"} %llu\n", name, (unsigned long long)values->count);
        strbuf_printf(w->buf, "%s_sum %.9g\n%s_count %llu\n", name, values->sum, name,
                      (unsigned long long)values->count);
}

static void render_agent(struct writer *w, const struct metrics_view *view)
{
        const struct metrics *metrics = view->metrics;

        family(w, "vethwall_build", METRIC_INFO, "The agent's version.");
        sample(w, 1, "version", VETHWALL_VERSION, NULL);
        family(w, "vethwall_ready", METRIC_GAUGE, "1 if the policies that were read are in force in the kernel.");
        sample(w, view->ready, NULL);
        family(w, "vethwall_policies", METRIC_GAUGE, "Policies in force.");
        sample(w, view->policies, NULL);
        family(w, "vethwall_policy_errors", METRIC_GAUGE,
               "Errors in the policy files as last read. While there are any, the last good set stays in force.");
        sample(w, view->policy_errors, NULL);
        family(w, "vethwall_policy_loads", METRIC_COUNTER, "Times the policy files were read.");
        sample(w, metrics->policy_loads - metrics->policy_loads_failed, "result", "good", NULL);
        sample(w, metrics->policy_loads_failed, "result", "refused", NULL);
        family(w, "vethwall_policy_last_good_timestamp_seconds", METRIC_GAUGE,
               "When a policy set without errors was last read, in UNIX time; 0: never.");
        strbuf_printf(w->buf, "%s %.3f\n", w->name, view->last_good_policy);
        family(w, "vethwall_endpoints_unenforced", METRIC_GAUGE,
               "Containers that no policy can hold for; the status says which and why.");
        sample(w, view->unenforced, NULL);

        family(w, "vethwall_transactions", METRIC_COUNTER,
               "Passes from events to the kernel: committed, empty (nothing to change) or failed.");
        sample(w, metrics->committed, "result", "committed", NULL);
        sample(w, metrics->empty, "result", "empty", NULL);
        sample(w, metrics->failed, "result", "failed", NULL);
        family(w, "vethwall_foreign_changes", METRIC_COUNTER,
               "Changes of vethwall's tables by others; they are undone.");
        sample(w, metrics->foreign_changes, NULL);
        family(w, "vethwall_revoked_connections", METRIC_COUNTER,
               "Connections cut: denied by what came into force, or of an address that was released.");
        sample(w, metrics->revoked_denied, "reason", "denied", NULL);
        sample(w, metrics->revoked_released, "reason", "released", NULL);
        family(w, "vethwall_revocation_failures", METRIC_COUNTER,
               "Connections that should have been cut and could not be, and times that they could not be read.");
        sample(w, metrics->revoked_failed, NULL);
        histogram(w, "vethwall_transaction_size_bytes", "Size of the netlink batches committed.",
                  &metrics->transaction_bytes);
        histogram(w, "vethwall_transaction_duration_seconds", "Time to compare and commit a transaction.",
                  &metrics->transaction_seconds);
        histogram(w, "vethwall_compile_duration_seconds", "Time from policies and inventory to a ruleset.",
                  &metrics->compile_seconds);
        histogram(w, "vethwall_event_latency_seconds", "Time from the arrival of an event to its rules in the kernel.",
                  &metrics->latency_seconds);
}

static void render_sources(struct writer *w, const struct metrics_view *view)
{
        const struct metrics_runtime *runtimes = view->runtimes;

        family(w, "vethwall_endpoints", METRIC_GAUGE, "Endpoints known.");
        for (size_t i = 0; i < view->runtimes_len; i++)
                sample(w, runtimes[i].endpoints, "runtime", runtimes[i].name, NULL);
        family(w, "vethwall_runtime_connected", METRIC_GAUGE, "1 if the container engine is in reach.");
        for (size_t i = 0; i < view->runtimes_len; i++)
                sample(w, runtimes[i].connected, "runtime", runtimes[i].name, NULL);
        family(w, "vethwall_runtime_events", METRIC_COUNTER, "Events read from the container engine.");
        for (size_t i = 0; i < view->runtimes_len; i++)
                sample(w, runtimes[i].events, "runtime", runtimes[i].name, NULL);
        family(w, "vethwall_runtime_resyncs", METRIC_COUNTER, "Full lists taken from the container engine.");
        for (size_t i = 0; i < view->runtimes_len; i++)
                sample(w, runtimes[i].resyncs, "runtime", runtimes[i].name, NULL);
        family(w, "vethwall_runtime_errors", METRIC_COUNTER, "Failed requests to the container engine.");
        for (size_t i = 0; i < view->runtimes_len; i++)
                sample(w, runtimes[i].errors, "runtime", runtimes[i].name, NULL);
        family(w, "vethwall_link_events", METRIC_COUNTER, "Notices of network interfaces and addresses.");
        sample(w, view->link_events, NULL);
        family(w, "vethwall_link_resyncs", METRIC_COUNTER, "Full dumps of the interfaces after notices were lost.");
        sample(w, view->link_resyncs, NULL);
        family(w, "vethwall_bridge_isolated", METRIC_GAUGE,
               "1 if policy holds between two endpoints on the same bridge, 0 if their traffic passes unseen.");
        for (size_t i = 0; i < view->bridges_len; i++)
                sample(w, view->bridges[i].isolated, "bridge", view->bridges[i].name, NULL);
}

static void rule_sample(struct writer *w, const struct counter_row *row, uint64_t value)
{
        char rule[16] = "";

        if (row->rule >= 0)
                snprintf(rule, sizeof(rule), "%d", row->rule);
        sample(w, value, "namespace", row->ns, "policy", row->policy, "rule", rule, "direction",
               direction_name(row->direction), "verdict", action_name(row->action), "reason", row->reason, NULL);
}

static void render_rules(struct writer *w, const struct counters *counters)
{
        family(w, "vethwall_rule_packets", METRIC_COUNTER,
               "Packets that a rule decided: those that begin a connection, and all that are denied. Without a rule: "
               "the default.");
        for (size_t i = 0; i < counters->len; i++)
                rule_sample(w, &counters->rows[i], counter_total(&counters->rows[i]).packets);
        family(w, "vethwall_rule_bytes", METRIC_COUNTER, "Bytes of those packets.");
        for (size_t i = 0; i < counters->len; i++)
                rule_sample(w, &counters->rows[i], counter_total(&counters->rows[i]).bytes);
}

void metrics_render(struct strbuf *buf, const struct metrics_view *view, bool openmetrics)
{
        struct writer w = {.buf = buf, .openmetrics = openmetrics};

        render_agent(&w, view);
        render_sources(&w, view);
        render_rules(&w, view->counters);
        if (openmetrics)
                strbuf_puts(buf, "# EOF\n");
}
