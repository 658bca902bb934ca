/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why one flow is allowed or denied: the deciding rule of each side as the world has it, and, for people, what every
 * rule of every policy concerned says to the flow and where it fails to match. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/base.h>
#include <vethwall/labels.h>
#include <vethwall/policy.h>
#include <vethwall/world.h>

/* One side of a flow. */
struct explain_party {
        size_t endpoint;  /* index into inventory->endpoints, or WORLD_OUTSIDE */
        struct addr addr; /* the address it is met under, where has_addr */
        bool has_addr;    /* always for the outside */
};

struct explain_query {
        struct explain_party src;
        struct explain_party dst; /* not outside if src is */
        uint8_t protocol;
        uint16_t port; /* TCP, UDP and SCTP only; 1 to 65535 */
        bool own_host; /* an endpoint and the host it is on, which the configuration lets pass whatever policy says */
};

/* How a peer entry of a rule answers. */
enum explain_peer_answer {
        EXPLAIN_PEER_MATCHES,
        EXPLAIN_PEER_OUTSIDE,    /* a selector, and the peer is no endpoint */
        EXPLAIN_PEER_HOST,       /* a selector, and the peer is the host */
        EXPLAIN_PEER_NAMESPACE,  /* the policy's own namespace is meant, the peer is in another */
        EXPLAIN_PEER_NS_LABELS,  /* failed holds not for the labels of the peer's namespace */
        EXPLAIN_PEER_LABELS,     /* failed holds not for the peer's labels */
        EXPLAIN_PEER_NO_ADDRESS, /* a block, and the peer has no address */
        EXPLAIN_PEER_BLOCK,      /* the address is not in the block */
        EXPLAIN_PEER_EXCEPT,     /* the address is in except */
        EXPLAIN_PEER_MAX,
};

struct explain_peer {
        const struct peer *peer;
        enum explain_peer_answer answer;
        const struct label_requirement *failed; /* EXPLAIN_PEER_NS_LABELS and _LABELS; else NULL */
        const struct prefix *except;            /* EXPLAIN_PEER_EXCEPT; else NULL */
};

/* How the ports of a rule answer. */
enum explain_port_answer {
        EXPLAIN_PORT_MATCHES,
        EXPLAIN_PORT_DIFFERS,
        EXPLAIN_PORT_NONE, /* the rule lists ports, and the protocol has none */
        EXPLAIN_PORT_MAX,
};

struct explain_rule {
        const struct rule *rule;
        bool asked;   /* false: what came before had settled it; what it would have said is told all the same */
        bool matches; /* peer_matches, and the ports do */
        bool peer_matches;
        enum explain_port_answer ports;
        const struct explain_peer *peers; /* as in the rule */
        size_t peers_len;
};

struct explain_policy {
        const struct policy *policy;
        const struct explain_rule *rules; /* as in the policy's direction */
        size_t rules_len;
};

/* What became of a flow in one tier. */
enum explain_outcome {
        EXPLAIN_NOT_ASKED, /* a tier before it had decided */
        EXPLAIN_NO_POLICY, /* no policy of it selects the endpoint */
        EXPLAIN_NO_MATCH,  /* no rule of it matches: the next tier is asked */
        EXPLAIN_PASSED,    /* a rule leaves it to the next tier */
        EXPLAIN_DECIDED,
        EXPLAIN_OUTCOME_MAX,
};

struct explain_tier {
        enum explain_outcome outcome;
        const struct policy *policy; /* EXPLAIN_PASSED, EXPLAIN_DECIDED: whose word it was; TIER_DEFAULT: NULL */
        const struct rule *rule;     /* and which rule's; NULL: the policy isolates, and nothing allowed it */
        size_t first, len;           /* its policies among the side's */
};

/* Whether a side is judged at all. */
enum explain_status {
        EXPLAIN_JUDGED,
        EXPLAIN_OUTSIDE,  /* no endpoint: no policy judges it */
        EXPLAIN_HOST,     /* the host: no policy selects it */
        EXPLAIN_SELF,     /* source and destination are one endpoint */
        EXPLAIN_OWN_HOST, /* query.own_host */
        EXPLAIN_STATUS_MAX,
};

struct explain_side {
        enum explain_status status;
        struct cause cause;                    /* where not judged: allowed, TIER_DEFAULT */
        const struct explain_policy *policies; /* all that select the endpoint, in the order in which they decide */
        size_t policies_len;
        struct explain_tier tiers[TIER_MAX]; /* where judged; they come to the same cause */
};

struct explanation {
        struct arena *arena;
        enum action verdict; /* ACTION_ALLOW if both sides allow, else ACTION_DENY */
        struct explain_side sides[DIR_MAX];
};

/* The same without what each rule says: for many flows. */
struct explain_judgement {
        enum action verdict;
        enum explain_status status[DIR_MAX];
        struct cause causes[DIR_MAX];
};

int explain_judge(struct world *world, const struct explain_query *query, struct explain_judgement *ret);

/* Borrows from the world, which must outlive it. 0 or -ENOMEM. */
int explain(struct explanation **ret, struct world *world, const struct explain_query *query);
struct explanation *explanation_free(struct explanation *explanation);
DEFINE_CLEANUP(struct explanation *, explanation_free)
