/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Profiles to verdicts. A profile with one cause is a verdict by itself; any other becomes a chain:
 *
 *     chain ports_in_web_1a2b3c4d {
 *         meta l4proto . th dport vmap @..._ports     single ports, a hash
 *         meta l4proto . th dport vmap @..._ranges    runs of ports, only where there are any: pipapo costs more
 *         meta l4proto vmap @..._protos               what a protocol does on all its other ports
 *         counter drop                                everything else
 *     }
 *
 * Only what differs from the next line down has an element, so common profiles are one hash lookup. */
#include <errno.h>
#include <string.h>

#include "compile_internal.h"

/* Runs up to this long are written out port by port: a hash lookup costs less than a pipapo one, which was measured at
 * 60 to 380 ns more per packet. */
#define RANGE_UNROLL_MAX 8

static struct rs_verdict cause_verdict(enum direction direction, const struct cause *cause)
{
        /* Egress chains return to where the ingress side is asked; ingress has the last word. */
        if (cause->action == ACTION_DENY)
                return (struct rs_verdict){RS_DROP, NULL};
        return (struct rs_verdict){direction == DIR_EGRESS ? RS_RETURN : RS_ACCEPT, NULL};
}

static bool profile_is_uniform(const struct profile *profile)
{
        for (size_t i = 0; i < profile->spans_len; i++)
                if (!cause_equal(&profile->spans[i].cause, &profile->other))
                        return false;
        return true;
}

/* The cause that holds for most ports of a protocol. */
static const struct cause *protocol_background(const struct profile *profile, uint8_t protocol)
{
        const struct cause *best = &profile->other;
        uint32_t best_ports = 0;

        for (size_t i = 0; i < profile->spans_len; i++) {
                uint32_t ports = 0;

                if (profile->spans[i].protocol != protocol)
                        continue;
                for (size_t j = 0; j < profile->spans_len; j++)
                        if (profile->spans[j].protocol == protocol &&
                            cause_equal(&profile->spans[j].cause, &profile->spans[i].cause))
                                ports += profile->spans[j].ports.last - profile->spans[j].ports.first + 1u;
                if (ports > best_ports) {
                        best_ports = ports;
                        best = &profile->spans[i].cause;
                }
        }
        return best;
}

static uint64_t hash_cause(uint64_t hash, const struct cause *cause)
{
        int32_t parts[3] = {(int32_t)cause->action, (int32_t)cause->tier,
                            cause->rule ? (int32_t)cause->rule->index : -1};

        hash = compile_hash(hash, parts, sizeof(parts));
        if (cause->policy) {
                hash = compile_hash_text(hash, cause->policy->ns ? cause->policy->ns : "");
                hash = compile_hash_text(hash, cause->policy->name);
        }
        return hash;
}

static bool rule_names_ports(const struct rule *rule)
{
        for (size_t i = 0; rule && i < rule->ports_len; i++)
                if (rule->ports[i].kind == PORT_NAME)
                        return true;
        return false;
}

/* Stands for the deciding rules, not for the ports they give, so that an edit of a port changes elements and leaves the
 * chain's name; except where names resolve to ports, for then the same rules make several profiles. */
static uint64_t hash_profile(enum direction direction, const struct profile *profile)
{
        uint64_t hash = compile_hash(COMPILE_HASH_SEED, &direction, sizeof(direction));

        for (size_t i = 0; i < profile->spans_len; i++) {
                const struct profile_span *span = &profile->spans[i];

                hash = compile_hash(hash, &span->protocol, sizeof(span->protocol));
                hash = hash_cause(hash, &span->cause);
                if (rule_names_ports(span->cause.rule))
                        hash = compile_hash(hash, &span->ports, sizeof(span->ports));
        }
        return hash_cause(hash, &profile->other);
}

/* The policy that a person would name the profile after: the first that allows something. */
static const struct policy *profile_policy(const struct profile *profile)
{
        for (size_t i = 0; i < profile->spans_len; i++)
                if (profile->spans[i].cause.action == ACTION_ALLOW && profile->spans[i].cause.policy)
                        return profile->spans[i].cause.policy;
        for (size_t i = 0; i < profile->spans_len; i++)
                if (profile->spans[i].cause.policy)
                        return profile->spans[i].cause.policy;
        return profile->other.policy;
}

/* The three maps of a profile chain, made when their first element comes. */
struct port_maps {
        const char *chain;
        size_t sets[3]; /* index into table->sets, or SIZE_MAX */
};

enum {
        MAP_PORTS,
        MAP_RANGES,
        MAP_PROTOS,
};

static struct rs_elem *port_map_add(struct compiler *c, struct port_maps *maps, int which)
{
        static const char *const suffixes[] = {"ports", "ranges", "protos"};

        if (maps->sets[which] == SIZE_MAX) {
                const char *name = arena_printf(c->ruleset->arena, "%s_%s", maps->chain, suffixes[which]);
                struct rs_set *set;

                if (!name)
                        return NULL;
                set = rs_table_add_set(c->table, name, which == MAP_PROTOS ? RS_KEY_PROTO : RS_KEY_PROTO_PORT);
                if (!set)
                        return NULL;
                set->map = true;
                set->counter = true;
                set->interval = which == MAP_RANGES;
                maps->sets[which] = c->table->sets_len - 1;
        }
        return rs_set_add_elem(&c->table->sets[maps->sets[which]]);
}

static int fill_elem(struct compiler *c, enum direction direction, struct rs_elem *elem, const struct cause *cause)
{
        int r = elem ? compile_origin(c, direction, cause, &elem->origin) : -ENOMEM;

        if (r < 0)
                return r;
        elem->verdict = cause_verdict(direction, cause);
        elem->comment = c->origin_comments[elem->origin];
        return 0;
}

static int add_span(struct compiler *c, enum direction direction, struct port_maps *maps,
                    const struct profile_span *span)
{
        uint32_t first = span->ports.first, last = span->ports.last;
        bool range = last - first >= RANGE_UNROLL_MAX;

        for (uint32_t port = first; port <= last; port++) {
                struct rs_elem *elem = port_map_add(c, maps, range ? MAP_RANGES : MAP_PORTS);
                int r = fill_elem(c, direction, elem, &span->cause);

                if (r < 0)
                        return r;
                rs_key_proto_port(elem->key, span->protocol, (uint16_t)port);
                rs_key_proto_port(elem->key_end, span->protocol, (uint16_t)(range ? last : port));
                if (range)
                        break;
        }
        return 0;
}

static int add_protocol(struct compiler *c, enum direction direction, struct port_maps *maps,
                        const struct profile *profile, uint8_t protocol)
{
        const struct cause *background = protocol_background(profile, protocol);
        int r;

        for (size_t i = 0; i < profile->spans_len; i++) {
                const struct profile_span *span = &profile->spans[i];

                if (span->protocol != protocol || cause_equal(&span->cause, background))
                        continue;
                r = add_span(c, direction, maps, span);
                if (r < 0)
                        return r;
        }
        if (!cause_equal(background, &profile->other)) {
                struct rs_elem *elem = port_map_add(c, maps, MAP_PROTOS);

                r = fill_elem(c, direction, elem, background);
                if (r < 0)
                        return r;
                elem->key[0] = protocol;
                elem->key_end[0] = protocol;
        }
        return 0;
}

static int profile_chain(struct compiler *c, enum direction direction, const struct profile *profile,
                         struct compiled_profile *ret)
{
        static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
        static const enum rs_field fields[] = {RS_FIELD_PROTO_DPORT, RS_FIELD_PROTO_DPORT, RS_FIELD_PROTO};
        const struct policy *policy = profile_policy(profile);
        struct port_maps maps = {.sets = {SIZE_MAX, SIZE_MAX, SIZE_MAX}};
        struct rs_rule *rule;
        size_t chain;
        int r;

        maps.chain = compile_name(c, direction == DIR_INGRESS ? "ports_in" : "ports_out", policy ? policy->name : NULL,
                                  NULL, hash_profile(direction, profile), "");
        if (!maps.chain || !rs_table_add_chain(c->table, maps.chain))
                return -ENOMEM;
        chain = c->table->chains_len - 1;
        for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
                r = add_protocol(c, direction, &maps, profile, protocols[i]);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                if (maps.sets[i] == SIZE_MAX)
                        continue;
                r = compile_vmap_rule(c, chain, fields[i], c->table->sets[maps.sets[i]].name);
                if (r < 0)
                        return r;
        }
        rule = compile_rule(c, chain, 0);
        if (!rule)
                return -ENOMEM;
        rule->counter = true;
        rule->verdict = cause_verdict(direction, &profile->other);
        r = compile_origin(c, direction, &profile->other, &rule->origin);
        if (r < 0)
                return r;
        rule->comment = c->origin_comments[rule->origin];
        ret->verdict = (struct rs_verdict){RS_GOTO, maps.chain};
        ret->origin = RS_ORIGIN_NONE;
        return 0;
}

int compile_profile(struct compiler *c, enum direction direction, const struct profile *profile,
                    struct compiled_profile *ret)
{
        struct compiled_profile *entry;
        size_t cap = c->profiles_cap[direction];
        int r = array_reserve(&c->profiles[direction], &c->profiles_cap[direction], profile->id + 1u, sizeof(*entry));

        if (r < 0)
                return r;
        if (c->profiles_cap[direction] > cap)
                memset(c->profiles[direction] + cap, 0, (c->profiles_cap[direction] - cap) * sizeof(*entry));
        entry = &c->profiles[direction][profile->id];
        if (!entry->done) {
                if (profile_is_uniform(profile)) {
                        entry->verdict = cause_verdict(direction, &profile->other);
                        r = compile_origin(c, direction, &profile->other, &entry->origin);
                } else {
                        r = profile_chain(c, direction, profile, entry);
                }
                if (r < 0)
                        return r;
                entry->done = true;
        }
        *ret = *entry;
        return 0;
}
