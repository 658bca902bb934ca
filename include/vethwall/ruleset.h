/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our own model of an nftables ruleset: only what we emit, so that it can be printed, encoded, decoded,
 * compared and interpreted completely. Values are laid out as in the kernel's registers
 * (include/uapi/linux/netfilter/nf_tables.h): network byte order, each part of a concatenation padded with
 * zeros to a multiple of four bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/arena.h>
#include <vethwall/policy.h>

enum rs_family {
        RS_INET,
        RS_BRIDGE,
        RS_FAMILY_MAX,
};

/* The type of a set's or map's key. */
enum rs_key {
        RS_KEY_ADDR4,       /* ipv4_addr: 4 bytes */
        RS_KEY_ADDR6,       /* ipv6_addr: 16 bytes */
        RS_KEY_ADDR4_PAIR,  /* ipv4_addr . ipv4_addr: 8 bytes */
        RS_KEY_ADDR6_PAIR,  /* ipv6_addr . ipv6_addr: 32 bytes */
        RS_KEY_PROTO,       /* inet_proto: 1 byte */
        RS_KEY_PROTO_PORT,  /* inet_proto . inet_service: 8 bytes */
        RS_KEY_ICMPV6_TYPE, /* icmpv6_type: 1 byte */
        RS_KEY_MAX,
};

#define RS_KEY_SIZE_MAX 32
#define RS_COMMENT_MAX 127 /* characters; nft's own limit is 128 bytes with the NUL */

enum rs_verdict_kind {
        RS_ACCEPT,
        RS_DROP,
        RS_RETURN,
        RS_JUMP,
        RS_GOTO,
        RS_VERDICT_MAX,
};

struct rs_verdict {
        enum rs_verdict_kind kind;
        const char *chain; /* RS_JUMP and RS_GOTO; else NULL */
};

struct rs_counter {
        uint64_t packets;
        uint64_t bytes;
};

#define RS_ORIGIN_NONE UINT32_MAX

/* Which line of which policy an element or rule speaks for; it is what counters are summed by. */
struct rs_origin {
        enum direction direction;
        enum action action; /* ACTION_ALLOW or ACTION_DENY */
        enum tier tier;
        const char *ns;     /* of the policy; "" for a cluster-wide one or where no policy decided */
        const char *policy; /* "" where no policy decided */
        int32_t rule;       /* index in the policy's direction; -1: isolated by it, nothing allowed it */
        const char *reason; /* static: "rule", "isolated", "default", "unknown-endpoint", "invalid" or "own-host" */
};

struct rs_elem {
        uint8_t key[RS_KEY_SIZE_MAX];
        uint8_t key_end[RS_KEY_SIZE_MAX]; /* interval sets: the last key, included; else equal to key */
        struct rs_verdict verdict;        /* maps only */
        const char *comment;              /* NULL: none */
        uint32_t origin;                  /* index into ruleset.origins, or RS_ORIGIN_NONE */
        struct rs_counter counter;        /* as read from the kernel; zero in a compiled ruleset */
};

struct rs_set {
        const char *name;
        enum rs_key key;
        bool map;              /* values are verdicts */
        bool interval;         /* elements may be ranges (of each part, where the key is a concatenation) */
        bool counter;          /* every element has a counter */
        struct rs_elem *elems; /* sorted by key, disjoint */
        size_t elems_len;
        size_t elems_cap;
        bool foreign; /* decoded, and not of a form we emit: equal to nothing */
};

/* What a lookup or comparison looks at. The address forms mean IPv4 or IPv6 as the set's key type says. */
enum rs_field {
        RS_FIELD_SADDR,
        RS_FIELD_DADDR,
        RS_FIELD_SADDR_DADDR,
        RS_FIELD_PROTO,       /* meta l4proto */
        RS_FIELD_PROTO_DPORT, /* meta l4proto . th dport */
        RS_FIELD_ICMPV6_TYPE, /* icmpv6 type */
        RS_FIELD_MAX,
};

enum rs_match_kind {
        RS_MATCH_CT_STATE, /* ct state, any of the bits in ct_state */
        RS_MATCH_IIFNAME,  /* iifname ifname, a trailing '*' is a wildcard */
        RS_MATCH_OIFNAME,
        RS_MATCH_SET, /* field in (or, negated, not in) the named set, which is no map */
        RS_MATCH_MAX,
};

/* Bits of ct_state. */
#define RS_CT_INVALID 1u
#define RS_CT_ESTABLISHED 2u
#define RS_CT_RELATED 4u
#define RS_CT_NEW 8u

struct rs_match {
        enum rs_match_kind kind;
        bool negate; /* RS_MATCH_SET only. A packet of the other family does not match either way */
        uint32_t ct_state;
        const char *ifname;
        enum rs_field field;
        const char *set;
};

enum rs_action {
        RS_DO_VERDICT,
        RS_DO_VMAP, /* the verdict that the named map holds for field; no element: the next rule */
};

struct rs_rule {
        struct rs_match *matches; /* all must hold; in this order */
        size_t matches_len;
        bool counter;
        enum rs_action action;
        struct rs_verdict verdict; /* RS_DO_VERDICT */
        enum rs_field field;       /* RS_DO_VMAP */
        const char *map;           /* RS_DO_VMAP */
        const char *comment;       /* NULL: none */
        uint32_t origin;
        uint64_t handle;         /* the kernel's, in a decoded ruleset; else 0 */
        struct rs_counter count; /* as read from the kernel */
        bool foreign;            /* decoded, and not of a form we emit: equal to nothing */
};

enum rs_hook {
        RS_HOOK_NONE, /* a regular chain */
        RS_HOOK_PREROUTING,
        RS_HOOK_INPUT,
        RS_HOOK_FORWARD,
        RS_HOOK_OUTPUT,
        RS_HOOK_POSTROUTING,
        RS_HOOK_MAX,
};

struct rs_chain {
        const char *name;
        enum rs_hook hook; /* base chains: type filter, policy accept */
        int32_t priority;
        struct rs_rule *rules;
        size_t rules_len;
        size_t rules_cap;
        bool foreign;
};

struct rs_table {
        enum rs_family family;
        const char *name;
        struct rs_chain *chains; /* sorted by name once sealed */
        size_t chains_len;
        size_t chains_cap;
        struct rs_set *sets; /* sorted by name once sealed */
        size_t sets_len;
        size_t sets_cap;
        bool foreign; /* decoded, and with flags we never set (dormant, owned): equal to nothing, a diff
                                  * replaces it */
};

struct ruleset {
        struct arena *arena;     /* owns names, comments, matches, origins; the arrays that grow are on the heap */
        struct rs_table *tables; /* sorted by family, name once sealed */
        size_t tables_len;
        size_t tables_cap;
        struct rs_origin *origins; /* arena */
        size_t origins_len;
};

/* 0 or -ENOMEM. */
int ruleset_new(struct ruleset **ret);
struct ruleset *ruleset_free(struct ruleset *ruleset);
DEFINE_CLEANUP(struct ruleset *, ruleset_free)

/* Each appends one object, zeroed but for what is given, and returns it for filling in; NULL: no memory. Names
 * are borrowed: they must live in ruleset->arena. The pointer is good until the next add of the same kind. */
struct rs_table *ruleset_add_table(struct ruleset *ruleset, enum rs_family family, const char *name);
struct rs_chain *rs_table_add_chain(struct rs_table *table, const char *name);
struct rs_set *rs_table_add_set(struct rs_table *table, const char *name, enum rs_key key);
struct rs_rule *rs_chain_add_rule(struct rs_chain *chain);
struct rs_elem *rs_set_add_elem(struct rs_set *set);

/* Brings tables, chains, sets and elements into canonical order. Needed before comparing, finding, printing. */
void ruleset_seal(struct ruleset *ruleset);

/* On a sealed ruleset; NULL where there is none. */
struct rs_table *ruleset_find_table(const struct ruleset *ruleset, enum rs_family family, const char *name);
struct rs_chain *rs_table_find_chain(const struct rs_table *table, const char *name);
struct rs_set *rs_table_find_set(const struct rs_table *table, const char *name);
/* The element whose key or interval holds key, or NULL. */
struct rs_elem *rs_set_find_elem(const struct rs_set *set, const uint8_t *key);

/* What a person would call the same: handles, counters and origins do not count; foreign objects equal nothing. */
bool rs_verdict_equal(const struct rs_verdict *a, const struct rs_verdict *b);
bool rs_rule_equal(const struct rs_rule *a, const struct rs_rule *b);
bool rs_elem_equal(const struct rs_elem *a, const struct rs_elem *b);
bool ruleset_equal(const struct ruleset *a, const struct ruleset *b);

/* Bytes of a key of this type. */
size_t rs_key_size(enum rs_key key);
/* The order of elements in a set, by key. */
int rs_elem_cmp(enum rs_key key, const struct rs_elem *a, const struct rs_elem *b);

/* Fills a key of the matching type. */
void rs_key_addr(uint8_t key[static RS_KEY_SIZE_MAX], const struct addr *addr);
void rs_key_addr_pair(uint8_t key[static RS_KEY_SIZE_MAX], const struct addr *a, const struct addr *b);
void rs_key_proto_port(uint8_t key[static RS_KEY_SIZE_MAX], uint8_t protocol, uint16_t port);

struct strbuf;

/* The ruleset as text that nft -f takes, and that stays the same for equal rulesets. With replace, it begins by
 * deleting the tables it names, so that loading it twice gives the same; counters are not printed. */
void ruleset_text(struct strbuf *buf, const struct ruleset *ruleset, bool replace);

/* A packet, or the first of a flow, as the ruleset sees it. */
struct rs_packet {
        enum rs_hook hook;
        const char *iifname; /* "" where there is none */
        const char *oifname;
        struct addr saddr, daddr; /* of one family */
        uint8_t protocol;
        bool has_ports;      /* the transport header has a destination port */
        uint16_t dport;      /* host byte order */
        uint8_t icmpv6_type; /* IPPROTO_ICMPV6 only */
        uint32_t ct_state;   /* one RS_CT_ bit */
};

struct rs_result {
        enum rs_verdict_kind verdict;           /* RS_ACCEPT or RS_DROP */
        uint32_t origins[DIR_MAX];              /* what decided each direction; RS_ORIGIN_NONE where none did */
        const struct rs_chain *chains[DIR_MAX]; /* and where that stands; NULL where none did */
        unsigned lookups;                       /* set and map lookups made, a measure of cost */
};

/* Interprets the table's base chains of the packet's hook, in order of priority, as the kernel does (a chain's
 * end, accept in one base chain goes on with the next, drop is final). A jump to a chain that is not there, a
 * lookup in a set that is not there or has no key of the field's type, a foreign rule on the way, or more than 15 nested
 * jumps and gotos are -EINVAL: the kernel would have refused the ruleset, or we cannot tell. */
int ruleset_eval(const struct ruleset *ruleset, const struct rs_packet *packet, struct rs_result *ret);
