/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interprets a ruleset for one packet, as the kernel's nft_do_chain() does: what the tests hold against the policy text,
 * what explain shows, and what tells the agent which live connections are no longer allowed. */
#include <errno.h>
#include <string.h>

#include <vethwall/ruleset.h>

/* A base chain and what it calls may be this deep, jumps and gotos alike (NFT_JUMP_STACK_SIZE): the kernel refuses a
 * ruleset with a longer way, and with it every loop. */
#define DEPTH_MAX 16

struct eval {
        const struct rs_table *table;
        const struct rs_packet *packet;
        const struct ruleset *ruleset;
        struct rs_result *result;
};

static bool key_is_addr6(enum rs_key key)
{
        return key == RS_KEY_ADDR6 || key == RS_KEY_ADDR6_PAIR;
}

/* Whether a set of this key type can be asked for the field at all. */
static bool field_fits(enum rs_field field, enum rs_key key)
{
        switch (field) {
        case RS_FIELD_SADDR:
        case RS_FIELD_DADDR:
                return key == RS_KEY_ADDR4 || key == RS_KEY_ADDR6;
        case RS_FIELD_SADDR_DADDR:
                return key == RS_KEY_ADDR4_PAIR || key == RS_KEY_ADDR6_PAIR;
        case RS_FIELD_PROTO:
                return key == RS_KEY_PROTO;
        case RS_FIELD_PROTO_DPORT:
                return key == RS_KEY_PROTO_PORT;
        case RS_FIELD_ICMPV6_TYPE:
                return key == RS_KEY_ICMPV6_TYPE;
        case RS_FIELD_MAX:
                break;
        }
        return false;
}

/* The packet's value of the field. False where it has none: the kernel then leaves the rule. */
static bool load_field(const struct rs_packet *packet, enum rs_field field, enum rs_key type,
                       uint8_t key[static RS_KEY_SIZE_MAX])
{
        switch (field) {
        case RS_FIELD_SADDR:
        case RS_FIELD_DADDR:
        case RS_FIELD_SADDR_DADDR:
                if ((packet->saddr.family == ADDR_V6) != key_is_addr6(type))
                        return false;
                if (field == RS_FIELD_SADDR_DADDR)
                        rs_key_addr_pair(key, &packet->saddr, &packet->daddr);
                else
                        rs_key_addr(key, field == RS_FIELD_SADDR ? &packet->saddr : &packet->daddr);
                return true;
        case RS_FIELD_PROTO:
                memset(key, 0, RS_KEY_SIZE_MAX);
                key[0] = packet->protocol;
                return true;
        case RS_FIELD_PROTO_DPORT:
                rs_key_proto_port(key, packet->protocol, packet->dport);
                return packet->has_ports;
        case RS_FIELD_ICMPV6_TYPE:
                memset(key, 0, RS_KEY_SIZE_MAX);
                key[0] = packet->icmpv6_type;
                return packet->protocol == IPPROTO_ICMPV6;
        case RS_FIELD_MAX:
                break;
        }
        return false;
}

enum {
        EVAL_E_NO_FIELD = 1, /* the packet does not have the field */
};

/* *ret is the element, or NULL where the set holds none. 0, the condition above, or -EINVAL. */
static int look_up(struct eval *eval, const char *name, bool map, enum rs_field field, const struct rs_elem **ret)
{
        const struct rs_set *set = name ? rs_table_find_set(eval->table, name) : NULL;
        uint8_t key[RS_KEY_SIZE_MAX];

        if (!set || set->map != map || !field_fits(field, set->key))
                return -EINVAL;
        if (!load_field(eval->packet, field, set->key, key))
                return EVAL_E_NO_FIELD;
        ++eval->result->lookups;
        *ret = rs_set_find_elem(set, key);
        return 0;
}

static bool ifname_matches(const char *pattern, const char *name)
{
        size_t len = strlen(pattern);

        if (len > 0 && pattern[len - 1] == '*')
                return strncmp(pattern, name, len - 1) == 0;
        return strcmp(pattern, name) == 0;
}

/* 1: holds, 0: does not, or -EINVAL. */
static int match(struct eval *eval, const struct rs_match *match)
{
        const struct rs_packet *packet = eval->packet;
        const struct rs_elem *elem;
        int r;

        switch (match->kind) {
        case RS_MATCH_CT_STATE:
                return (packet->ct_state & match->ct_state) != 0;
        case RS_MATCH_IIFNAME:
                return ifname_matches(match->ifname, packet->iifname);
        case RS_MATCH_OIFNAME:
                return ifname_matches(match->ifname, packet->oifname);
        case RS_MATCH_SET:
                r = look_up(eval, match->set, false, match->field, &elem);
                if (r != 0)
                        return r < 0 ? r : 0;
                return (elem != NULL) != match->negate;
        case RS_MATCH_MAX:
                break;
        }
        return -EINVAL;
}

/* The verdict of a rule, and the origin it speaks for. 1: there is one; 0: the next rule; or -EINVAL. */
static int eval_rule(struct eval *eval, const struct rs_rule *rule, const struct rs_verdict **ret, uint32_t *ret_origin)
{
        const struct rs_elem *elem;
        int r;

        if (rule->foreign)
                return -EINVAL;
        for (size_t i = 0; i < rule->matches_len; ++i) {
                r = match(eval, &rule->matches[i]);
                if (r <= 0)
                        return r;
        }
        if (rule->action == RS_DO_VERDICT) {
                *ret = &rule->verdict;
                *ret_origin = rule->origin;
                return 1;
        }
        r = look_up(eval, rule->map, true, rule->field, &elem);
        if (r != 0)
                return r < 0 ? r : 0;
        if (!elem)
                return 0;
        *ret = &elem->verdict;
        *ret_origin = elem->origin;
        return 1;
}

static void note_origin(struct eval *eval, uint32_t origin, const struct rs_chain *chain)
{
        enum direction direction;

        if (origin >= eval->ruleset->origins_len)
                return;
        direction = eval->ruleset->origins[origin].direction;
        eval->result->origins[direction] = origin;
        eval->result->chains[direction] = chain;
}

/* Returns RS_ACCEPT, RS_DROP, RS_RETURN (also at the chain's end), or -EINVAL. */
static int eval_chain(struct eval *eval, const struct rs_chain *chain, unsigned depth)
{
        const struct rs_verdict *verdict;
        const struct rs_chain *target;
        uint32_t origin;
        int r;

        if (chain->foreign || depth == DEPTH_MAX)
                return -EINVAL;
        for (size_t i = 0; i < chain->rules_len; ++i) {
                r = eval_rule(eval, &chain->rules[i], &verdict, &origin);
                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                if (verdict->kind != RS_JUMP && verdict->kind != RS_GOTO) {
                        note_origin(eval, origin, chain);
                        return (int)verdict->kind;
                }
                target = verdict->chain ? rs_table_find_chain(eval->table, verdict->chain) : NULL;
                if (!target || target->hook != RS_HOOK_NONE)
                        return -EINVAL;
                /* What a goto's target returns from is this chain, too. */
                r = eval_chain(eval, target, depth + 1);
                if (r != RS_RETURN || verdict->kind == RS_GOTO)
                        return r;
        }
        return RS_RETURN;
}

/* Where a base chain stands in the order in which the kernel calls them. */
struct place {
        const struct rs_table *table;
        const struct rs_chain *chain;
};

static bool comes_before(const struct place *a, const struct place *b)
{
        if (a->chain->priority != b->chain->priority)
                return a->chain->priority < b->chain->priority;
        return a->table != b->table ? a->table < b->table : a->chain < b->chain;
}

/* The next base chain of the hook after *place, which has no chain at the start. */
static bool next_base_chain(const struct ruleset *ruleset, enum rs_hook hook, struct place *place)
{
        struct place best = {NULL, NULL};

        for (size_t i = 0; i < ruleset->tables_len; ++i)
                for (size_t j = 0; j < ruleset->tables[i].chains_len; ++j) {
                        struct place here = {&ruleset->tables[i], &ruleset->tables[i].chains[j]};

                        if (here.chain->hook != hook || (place->chain && !comes_before(place, &here)))
                                continue;
                        if (!best.chain || comes_before(&here, &best))
                                best = here;
                }
        *place = best;
        return best.chain != NULL;
}

int ruleset_eval(const struct ruleset *ruleset, const struct rs_packet *packet, struct rs_result *ret)
{
        struct rs_result result = {.verdict = RS_ACCEPT};
        struct eval eval = {.packet = packet, .ruleset = ruleset, .result = &result};
        struct place place = {NULL, NULL};
        int r;

        for (size_t i = 0; i < DIR_MAX; ++i)
                result.origins[i] = RS_ORIGIN_NONE;
        if (packet->hook == RS_HOOK_NONE)
                return -EINVAL;
        while (result.verdict == RS_ACCEPT && next_base_chain(ruleset, packet->hook, &place)) {
                eval.table = place.table;
                r = eval_chain(&eval, place.chain, 0);
                if (r < 0)
                        return r;
                if (r == RS_DROP)
                        result.verdict = RS_DROP;
        }
        *ret = result;
        return 0;
}
