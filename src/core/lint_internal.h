/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lint share: reporting, names, and the walk over all cases that a class can be asked about. Private to
 * the core. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/lint.h>

#include "world_internal.h"

struct lint {
        struct lint_result *result;
        const struct policy_set *policies;
        struct world *world; /* NULL: there is no inventory */
        /* The classes that each policy is in: those of policy p from first[p] on, up to first[p + 1]. NULL without a world. */
        uint32_t *first[DIR_MAX];
        uint32_t *classes[DIR_MAX];
        int r; /* 0, or -ENOMEM once memory was short; the end looks */
};

/* Another place that a finding speaks of, and what stands there: {&rule->loc, "this rule decides in its stead"}. */
struct lint_place {
        const struct src_loc *loc;
        const char *message;
};

#define LINT_PLACES_MAX 4

/* What a finding says beside its message; all may be left out. Everything is copied. */
struct lint_note {
        const char *hint;
        const char *witness;
        struct lint_place places[LINT_PLACES_MAX]; /* up to the first without loc */
};

/* A finding of a rule, with the severity of the rule's entry. loc NULL: of no file. */
void lint_report(struct lint *lint, const char *id, const struct src_loc *loc, const struct lint_note *note,
                 const char *fmt, ...) _printf_(5, 6);

/* The same, with another severity. */
void lint_report_as(struct lint *lint, enum diag_severity severity, const char *id, const struct src_loc *loc,
                    const struct lint_note *note, const char *fmt, ...) _printf_(6, 7);

/* Shows the lines that the findings and their places stand in, where the set keeps its sources. 0 or -ENOMEM. */
int lint_add_sources(const struct policy_set *policies, struct diag_list *findings);

#define LINT_NAME_MAX 384

/* "NetworkPolicy shop/web". Returns buf. */
const char *lint_policy_name(const struct policy *policy, char buf[static LINT_NAME_MAX]);

/* "ingress[0] of NetworkPolicy shop/web". Returns buf. */
const char *lint_rule_name(const struct policy *policy, enum direction direction, const struct rule *rule,
                           char buf[static LINT_NAME_MAX]);

/* "shop/web-1". Returns buf. */
const char *lint_endpoint_name(const struct lint *lint, size_t endpoint, char buf[static LINT_NAME_MAX]);

/* "TCP", "UDP", "SCTP" */
const char *lint_protocol_name(uint8_t protocol);

/* True where everything that narrow selects is selected by wide too, whatever the labels. NULL selects everything. */
bool lint_selector_covers(const struct selector *wide, const struct selector *narrow);

/* How many endpoints a policy selects in a direction in which it applies, and one of them (WORLD_OUTSIDE: none). */
size_t lint_subjects(const struct lint *lint, uint32_t policy, size_t *ret_endpoint);

/* The endpoints that a peer selects, as its policy means it. NULL where memory is short. */
const struct group *lint_peer_group(struct lint *lint, const struct policy *policy, const struct peer *peer);

/* One thing that a class can be asked: a peer, and the rules that match it in the order in which they decide. */
struct lint_case {
        enum direction direction;
        uint32_t class;
        uint32_t peer;           /* identity, or NONE: outside */
        const struct addr *addr; /* that it is met under, or NULL */
        const uint32_t *rules;   /* indexes into world.rules[direction] */
        size_t rules_len;
};

/* Calls fn with all cases that differ in their rules (or, where ports have names, in what these mean). Stops where
 * lint->r is set. */
void lint_cases(struct lint *lint, enum direction direction, uint32_t class,
                void (*fn)(struct lint *lint, const struct lint_case *c, void *arg), void *arg);

/* A port of each run that the case's rules treat alike; protocol 0 stands for all protocols without ports. */
struct lint_port {
        uint8_t protocol;
        uint16_t port;
};

/* The case's ports, into an array that the caller frees; NULL where memory is short. */
struct lint_port *lint_case_ports(struct lint *lint, const struct lint_case *c, size_t *ret_len);

/* Whether rule, an index into world.rules[direction], holds for a port in the case. */
bool lint_rule_holds(const struct lint *lint, const struct lint_case *c, uint32_t rule, const struct lint_port *port);

/* The groups of rules; each reports what it finds. */
void lint_documents(struct lint *lint);
void lint_inventory(struct lint *lint); /* with a world only */
void lint_ports(struct lint *lint);     /* with a world only */
void lint_dead(struct lint *lint);      /* with a world only */
void lint_classes(struct lint *lint);   /* with a world only */
void lint_tiers(struct lint *lint);     /* with a world only */
void lint_flows(struct lint *lint);     /* with a world only */
