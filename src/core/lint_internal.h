/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of lint share: reporting, names, and the walk over all cases that a class can be asked about. Private to
 * the core. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/lint.h>

#include "world_internal.h"

struct lint_census;

/* An address and the endpoint that has it. */
struct lint_site {
        const struct addr *addr;
        size_t endpoint;
};

/* Every address that endpoints have. */
struct lint_sites {
        struct lint_site *items; /* owned; by address */
        size_t len;
        struct lint_site *hosts; /* owned; the addresses of endpoints in the host's network */
        size_t hosts_len;
};

struct lint {
        struct lint_result *result;
        const struct policy_set *policies;
        struct world *world; /* NULL: there is no inventory */
        /* The classes that each policy is in: those of policy p from first[p] on, up to first[p + 1]. NULL without a world. */
        uint32_t *first[DIR_MAX];
        uint32_t *classes[DIR_MAX];
        struct lint_sites sites;    /* empty without a world */
        struct lint_census *census; /* NULL without a world */
        struct suppressions *suppressions;
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

/* True where narrow holds only where wide does, whatever the labels. */
bool lint_requirement_implies(const struct label_requirement *narrow, const struct label_requirement *wide);

/* True where everything that narrow selects is selected by wide too, whatever the labels. NULL selects everything. */
bool lint_selector_covers(const struct selector *wide, const struct selector *narrow);

/* Whether the subject or the whole rule covers the other's by what it says, whatever endpoints there are. */
bool lint_subject_covers(const struct policy *wide, const struct policy *narrow);
bool lint_rule_covers(const struct lint *lint, const struct world_rule *wide, const struct world_rule *narrow);

/* How many endpoints a policy selects in a direction in which it applies, and one of them (WORLD_OUTSIDE: none). */
size_t lint_subjects(const struct lint *lint, uint32_t policy, size_t *ret_endpoint);

/* Where a policy says what it selects. Of a cluster-wide one that speaks of namespaces alone the pod selector stands nowhere. */
const struct src_loc *lint_subject_loc(const struct policy *policy);

/* An endpoint of a class. */
size_t lint_class_endpoint(const struct lint *lint, enum direction direction, uint32_t class);

/* The endpoints that a peer selects, as its policy means it. NULL where memory is short. */
const struct group *lint_peer_group(struct lint *lint, const struct policy *policy, const struct peer *peer);

/* 0 or -ENOMEM. */
int lint_sites_fill(struct lint_sites *sites, const struct inventory *inventory);
void lint_sites_fini(struct lint_sites *sites);

/* The first of items that is not before addr. */
size_t lint_sites_from(const struct lint_sites *sites, const struct addr *addr);

/* One thing that a class can be asked: a peer, and the rules that match it in the order in which they decide. */
struct lint_case {
        enum direction direction;
        uint32_t class;
        size_t subject;                 /* an endpoint of the class, and not the peer */
        uint32_t peer;                  /* identity, or NONE: outside */
        size_t peer_endpoint;           /* or WORLD_OUTSIDE */
        const struct addr *addr;        /* that the peer is met under, or NULL */
        const struct addr_range *range; /* outside: the addresses it stands for; NULL: all that no block holds */
        const uint32_t *rules;          /* indexes into world.rules[direction] */
        size_t rules_len;
};

/* Calls fn with all cases that differ in their rules (or, where ports have names, in what these mean). Stops where
 * lint->r is set. */
void lint_cases(struct lint *lint, enum direction direction, uint32_t class,
                void (*fn)(struct lint *lint, const struct lint_case *c, void *arg), void *arg);

/* The same, with every peer, whether others are like it or not. */
void lint_all_cases(struct lint *lint, enum direction direction, uint32_t class,
                    void (*fn)(struct lint *lint, const struct lint_case *c, void *arg), void *arg);

/* Protocol 0 stands for all protocols without ports. */
struct lint_port {
        uint8_t protocol;
        uint16_t port;
};

/* A run of ports that the rules of a case treat alike. */
struct lint_run {
        uint8_t protocol; /* 0: all without ports */
        struct port_range ports;
        const uint32_t *held; /* the case's rules that hold there, in their order */
        size_t len;
};

/* Calls fn with the runs of a case: they cover every protocol and port from 1 on. */
void lint_runs(struct lint *lint, const struct lint_case *c,
               void (*fn)(struct lint *lint, const struct lint_case *c, const struct lint_run *run, void *arg),
               void *arg);

/* The groups of rules; each reports what it finds. */
void lint_files(struct lint *lint);
void lint_documents(struct lint *lint);
void lint_selectors(struct lint *lint);
void lint_services(struct lint *lint);
void lint_inventory(struct lint *lint);  /* with a world only */
void lint_selections(struct lint *lint); /* with a world only */
void lint_ports(struct lint *lint);      /* with a world only */
void lint_dead(struct lint *lint);       /* with a world only */
void lint_open(struct lint *lint);       /* with a world only */
void lint_classes(struct lint *lint);    /* with a world only */
void lint_tiers(struct lint *lint);      /* with a world only */
void lint_flows(struct lint *lint);      /* with a world only */
void lint_costs(struct lint *lint);
void lint_paths(struct lint *lint);    /* with a world only */
void lint_shares(struct lint *lint);   /* with a world only */
void lint_elements(struct lint *lint); /* with a world only */
