/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parsed policy set: what the files say, checked, with the place of everything kept for diagnostics
 * and for explanations. NetworkPolicy v1: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/ */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/arena.h>
#include <vethwall/inventory.h>
#include <vethwall/labels.h>

enum direction {
        DIR_INGRESS,
        DIR_EGRESS,
        DIR_MAX,
};

enum tier {
        TIER_ADMIN,
        TIER_NETWORK_POLICY,
        TIER_BASELINE,
        TIER_DEFAULT, /* no policy decided: the configuration's default action */
        TIER_MAX,
};

enum action {
        ACTION_ALLOW,
        ACTION_DENY,
        ACTION_PASS, /* leave the tier; Admin and Baseline tiers only */
        ACTION_MAX,
};

enum peer_kind {
        PEER_SELECTOR, /* endpoints, by namespace and label */
        PEER_BLOCK,    /* any address in a CIDR, an endpoint's included */
};

struct peer {
        enum peer_kind kind;
        struct src_loc loc;
        /* PEER_SELECTOR: without ns_selector only the policy's own namespace; without pod_selector every
         * endpoint of the namespaces. At least one is there. */
        struct selector *ns_selector;
        struct selector *pod_selector;
        /* PEER_BLOCK */
        struct prefix cidr;
        struct prefix *excepts; /* each strictly inside cidr */
        size_t excepts_len;
};

enum port_kind {
        PORT_RANGE, /* protocol and ports first..last; all ports of a protocol: 0..65535 */
        PORT_NAME,  /* protocol and a name that the destination endpoint resolves */
};

struct port_match {
        enum port_kind kind;
        uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP */
        struct port_range range;
        const char *name;
        bool protocol_defaulted; /* none was written, so TCP is meant */
        struct src_loc loc;
};

struct rule {
        enum action action;
        const char *name;  /* as given by the policy, or NULL (NetworkPolicy rules have none) */
        uint32_t index;    /* position in spec.ingress or spec.egress, from 0 */
        bool fails_closed; /* some peer (nodes, domainNames) cannot be told on this host: an allow rule then matches
                            * nothing, any other denies every peer */
        bool any_peer;     /* from/to absent or empty: every peer, inside and outside; peers is then empty */
        struct peer *peers;
        size_t peers_len;
        bool any_port; /* ports absent or empty: every protocol, ICMP included; ports is then empty */
        struct port_match *ports;
        size_t ports_len;
        struct src_loc loc;
};

/* What an object's author expects of it, in an annotation; lint judges it, nothing else does. */
struct policy_expectation {
        const char *text;   /* NULL: none */
        struct src_loc loc; /* of the text */
};

#define POLICY_UNREACHABLE_ANNOTATION "vethwall.io/assert-unreachable"
#define POLICY_ELEMENTS_ANNOTATION "vethwall.io/max-elements"

struct policy {
        const char *kind; /* as in the file: "NetworkPolicy", "ClusterNetworkPolicy", ...; static */
        enum tier tier;
        int priority;   /* tiers other than TIER_NETWORK_POLICY: lower first; else 0 */
        const char *ns; /* namespace of a NetworkPolicy; NULL for a cluster-wide one */
        const char *name;
        struct selector *ns_selector;  /* subject's namespaces, cluster-wide policies only; NULL: every one */
        struct selector *pod_selector; /* subject; never NULL */
        bool applies[DIR_MAX];         /* policyTypes after defaulting; a NetworkPolicy isolates where true */
        struct rule *rules[DIR_MAX];   /* in order; a direction that does not apply keeps its inert rules */
        size_t rules_len[DIR_MAX];
        bool ns_defaulted;                     /* none was written */
        bool types_defaulted;                  /* policyTypes was not written, or is empty */
        struct src_loc loc;                    /* the document */
        struct src_loc name_loc;               /* metadata.name */
        struct policy_expectation unreachable; /* from whom what it selects is not to be reached, even through others */
        struct policy_expectation elements;    /* as how many elements of the kernel's sets it may cost */
};

/* An object of another API group in the same files: not ours, said aloud. */
struct skipped_object {
        const char *api_version;
        const char *kind;
        struct src_loc loc;
};

#define POLICY_IGNORE_PREFIX "vethwall.io/ignore."

/* An annotation of an object, of whatever kind, that tells lint what to leave out of it. */
struct policy_ignore {
        const char *rule;           /* what the annotation's name has behind the prefix */
        const char *reason;         /* its value */
        struct src_loc loc;         /* of its name */
        struct src_loc first, last; /* of the object: where its first and its last value begin */
};

/* A file's bytes, for showing lines of it. */
struct policy_source {
        const char *bytes;
        size_t size;
};

struct policy_set {
        struct arena *arena; /* owns everything below */
        const char **files;  /* names as given to policy_set_load(); src_loc.file indexes this */
        size_t files_len;
        struct policy *policies; /* after sealing: by tier, priority, ns, name: the order in which they decide */
        size_t policies_len;
        struct namespace *namespaces; /* from Namespace objects; sorted by name, unique */
        size_t namespaces_len;
        struct skipped_object *skipped; /* in order of appearance */
        size_t skipped_len;
        struct policy_ignore *ignores; /* in order of appearance */
        size_t ignores_len;
        bool keeps_sources;            /* set before loading by who wants the sources; else sources is NULL */
        struct policy_source *sources; /* as files */
        struct policy_build *build;    /* filling state, NULL once sealed */
};

/* 0 or -ENOMEM. */
int policy_set_new(struct policy_set **ret);
struct policy_set *policy_set_free(struct policy_set *set);
DEFINE_CLEANUP(struct policy_set *, policy_set_free)

struct diag_list;

/* Adds every document of one file (YAML or JSON; bytes in memory, name for messages). Errors go to diags
 * and the call goes on, so that all are found. 0 (look at diags->errors) or -ENOMEM. */
int policy_set_load(struct policy_set *set, const char *name, const char *bytes, size_t size, struct diag_list *diags);

/* Finds duplicate objects across files, sorts, freezes. 0 or -ENOMEM. */
int policy_set_seal(struct policy_set *set, struct diag_list *diags);

const char *direction_name(enum direction direction); /* "ingress", "egress" */
const char *tier_name(enum tier tier);                /* "Admin", "NetworkPolicy", "Baseline", "Default" */
const char *action_name(enum action action);          /* "allow", "deny", "pass" */
