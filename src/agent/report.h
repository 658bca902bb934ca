/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent says of itself on the control socket: JSON, made from what is in force. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <vethwall/diag.h>
#include <vethwall/strbuf.h>

#include "bridges.h"
#include "confine.h"
#include "metrics.h"
#include "reconcile.h"
#include "state.h"

/* Everything an answer may need, borrowed. */
struct report_view {
        const char *state; /* "starting", "ok" or "degraded" */
        const char *const *reasons;
        size_t reasons_len;
        const struct state *containers;
        const struct realm *realm; /* in force; NULL: nothing yet */
        const struct bridges *bridges;
        const struct diag_list *policy_diags;
        time_t last_good_policy; /* 0: never */
        const struct metrics *metrics;
        const struct counters *counters;
        const int *confined; /* CONFINE_MAX of them */
};

/* Why policy does not fully hold for a container, into buf. NULL: it does, or it is part of an endpoint that says so, or
 * it is none. */
const char *report_unenforced(const struct report_view *view, const struct state_container *container, char *buf,
                              size_t size);

enum {
        REPORT_E_EARLY = 1, /* nothing is in force yet that could be told */
};

/* Each appends one document. 0, REPORT_E_EARLY or a negative errno. */
int report_status(struct strbuf *buf, const struct report_view *view);
int report_endpoints(struct strbuf *buf, const struct report_view *view);
int report_policies(struct strbuf *buf, const struct report_view *view);
int report_counters(struct strbuf *buf, const struct report_view *view);

/* report_state.c: settings, the host's addresses, policy files and inventory in force. */
int report_state(struct strbuf *buf, const struct report_view *view);

/* report_connections.c: open connections of endpoints; where the kernel does not tell them, why. */
int report_connections(struct strbuf *buf, const struct report_view *view);
