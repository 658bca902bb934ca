/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one subject class needs in one direction:
 *
 *     chain in_shop_db_1a2b3c4d {
 *         ip saddr vmap @..._peers4        endpoints for which the lines below would be wrong
 *         ip saddr @peers_shop_5e6f7a8b4   wide groups: sets that several classes share
 *         ip saddr vmap @..._nets4         CIDRs that decide otherwise than the last line
 *         counter drop                     everyone else
 *     }
 *
 * Theory of operation. Each line is the answer to all that the lines above left over, so an endpoint needs an
 * element only where its own verdict differs from what the lines below would give it. A group that many classes
 * name is a set of its own, held once; without that, "from the whole namespace" would cost (classes) x (endpoints)
 * elements. Counted on four worlds in tests/bench, elements stay linear in endpoints and rules. */
#include <errno.h>
#include <string.h>

#include "compile_internal.h"

/* A group becomes a set of its own when at least two class chains would spell out at least this many addresses. At most
 * WIDE_MAX sets are asked in one chain, so that the cost of a packet stays bounded. */
#define WIDE_MIN 16
#define WIDE_MAX 4

struct wide {
        uint32_t group;
        size_t addrs_len;
        const struct profile *profile;
};

/* One class in the making. */
struct class_job {
        struct compiler *c;
        enum direction direction;
        uint32_t id;
        const struct class *class;
        const struct profile *bare; /* of those whom only any-peer rules match */
        struct wide wides[WIDE_MAX];
        size_t wides_len;
        const char *name;
        size_t chain;                  /* index into table->chains */
        size_t peers[ADDR_FAMILY_MAX]; /* index into table->sets, or SIZE_MAX */
        size_t nets[ADDR_FAMILY_MAX];
};

static enum rs_field peer_field(enum direction direction)
{
        return direction == DIR_INGRESS ? RS_FIELD_SADDR : RS_FIELD_DADDR;
}

static int job_profile(struct class_job *job, uint32_t peer_list, uint32_t block_list, uint32_t peer,
                       const struct profile **ret)
{
        uint32_t lists[2] = {peer_list, block_list};

        return world_list_profile(job->c->world, job->direction, job->id, lists, ARRAY_SIZE(lists), peer, ret);
}

/* wide groups */

/* The rules of the class that name the group, as a list; NONE where some rule's ports depend on the peer, for then the
 * group's members are not all alike. */
static int wide_list(struct class_job *job, uint32_t group, uint32_t *ret)
{
        const struct world *world = job->c->world;
        _cleanup_free_ uint32_t *rules = malloc((job->class->rules_len + 1) * sizeof(*rules));
        size_t len = 0;

        if (!rules)
                return -ENOMEM;
        *ret = NONE;
        for (size_t i = 0; i < job->class->rules_len; i++) {
                const struct world_rule *rule = &world->rules[job->direction][job->class->rules[i]];
                bool named = false;

                for (size_t j = 0; j < rule->groups_len; j++)
                        named |= rule->groups[j] == group;
                if (job->direction == DIR_EGRESS && rule->has_names && (named || rule->rule->any_peer))
                        return 0;
                if (named)
                        rules[len++] = job->class->rules[i];
        }
        return world_intern_list(job->c->world, rules, len, ret);
}

/* Largest first; equal ones by key, so that the order does not hang on the order of input. */
static int wide_cmp(const struct compiler *c, const struct wide *a, const struct wide *b)
{
        if (a->addrs_len != b->addrs_len)
                return a->addrs_len > b->addrs_len ? -1 : 1;
        return strcmp(c->world->groups[a->group].key, c->world->groups[b->group].key);
}

static void wide_insert(struct class_job *job, const struct wide *wide)
{
        size_t i = job->wides_len;

        for (size_t j = 0; j < job->wides_len; j++)
                if (job->wides[j].group == wide->group)
                        return;
        while (i > 0 && wide_cmp(job->c, wide, &job->wides[i - 1]) < 0)
                i--;
        if (i == WIDE_MAX)
                return;
        if (job->wides_len < WIDE_MAX)
                job->wides_len++;
        memmove(job->wides + i + 1, job->wides + i, (job->wides_len - i - 1) * sizeof(*job->wides));
        job->wides[i] = *wide;
}

static int choose_wides(struct class_job *job)
{
        const struct world *world = job->c->world;
        int r;

        for (size_t i = 0; i < job->class->rules_len; i++) {
                const struct world_rule *rule = &world->rules[job->direction][job->class->rules[i]];

                for (size_t j = 0; j < rule->groups_len; j++) {
                        const struct group *group = &world->groups[rule->groups[j]];
                        struct wide wide = {rule->groups[j], group->addrs_len[ADDR_V4] + group->addrs_len[ADDR_V6],
                                            NULL};
                        uint32_t list;

                        if (wide.addrs_len < WIDE_MIN || job->c->group_uses[wide.group] < 2)
                                continue;
                        r = wide_list(job, wide.group, &list);
                        if (r < 0)
                                return r;
                        if (list == NONE)
                                continue;
                        r = job_profile(job, list, NONE, NONE, &wide.profile);
                        if (r < 0)
                                return r;
                        if (wide.profile != job->bare)
                                wide_insert(job, &wide);
                }
        }
        for (size_t i = job->wides_len; i-- > 0;) {
                const struct group *group = &world->groups[job->wides[i].group];

                for (size_t j = 0; j < group->len; j++)
                        job->c->wide[group->identities[j]] = (uint8_t)(i + 1);
        }
        return 0;
}

static void forget_wides(struct class_job *job)
{
        for (size_t i = 0; i < job->wides_len; i++) {
                const struct group *group = &job->c->world->groups[job->wides[i].group];

                for (size_t j = 0; j < group->len; j++)
                        job->c->wide[group->identities[j]] = 0;
        }
}

static int fill_group_set(struct compiler *c, const struct group *group, enum addr_family family, size_t set)
{
        const struct inventory *inventory = c->world->inventory;

        for (size_t i = 0; i < group->len; i++) {
                const struct identity *identity = &c->world->identities[group->identities[i]];

                for (size_t j = 0; j < identity->endpoints_len; j++) {
                        const struct endpoint *endpoint = &inventory->endpoints[identity->endpoints[j]];

                        for (size_t k = 0; k < endpoint->addrs_len; k++) {
                                struct rs_elem *elem;

                                if (endpoint->addrs[k].family != family ||
                                    !compile_owns(c, identity->endpoints[j], &endpoint->addrs[k]))
                                        continue;
                                elem = rs_set_add_elem(&c->table->sets[set]);
                                if (!elem)
                                        return -ENOMEM;
                                rs_key_addr(elem->key, &endpoint->addrs[k]);
                                memcpy(elem->key_end, elem->key, sizeof(elem->key));
                                elem->comment = compile_comment(c, "%s/%s", endpoint->ns, endpoint->name);
                                if (!elem->comment)
                                        return -ENOMEM;
                        }
                }
        }
        return 0;
}

/* The group's set of a family, made on first use; *ret NULL where it would be empty. */
static int group_set(struct compiler *c, uint32_t id, enum addr_family family, const char **ret)
{
        const struct group *group = &c->world->groups[id];
        int r = 0;

        if (!c->group_made[family][id] && group->addrs_len[family] > 0) {
                const char *name =
                        compile_name(c, "peers", group->ns ? group->ns : "any", NULL,
                                     compile_hash_text(COMPILE_HASH_SEED, group->key), family == ADDR_V4 ? "_4" : "_6");

                if (!name || !rs_table_add_set(c->table, name, family == ADDR_V4 ? RS_KEY_ADDR4 : RS_KEY_ADDR6))
                        return -ENOMEM;
                c->group_sets[family][id] = name;
                r = fill_group_set(c, group, family, c->table->sets_len - 1);
        }
        c->group_made[family][id] = true;
        *ret = c->group_sets[family][id];
        return r;
}

/* elements */

static struct rs_set *job_map(struct class_job *job, size_t *index, const char *suffix, enum addr_family family,
                              bool interval)
{
        struct compiler *c = job->c;

        if (*index == SIZE_MAX) {
                const char *name =
                        arena_printf(c->ruleset->arena, "%s_%s%c", job->name, suffix, family == ADDR_V4 ? '4' : '6');
                struct rs_set *set;

                if (!name)
                        return NULL;
                set = rs_table_add_set(c->table, name, family == ADDR_V4 ? RS_KEY_ADDR4 : RS_KEY_ADDR6);
                if (!set)
                        return NULL;
                set->map = true;
                set->counter = true;
                set->interval = interval;
                *index = c->table->sets_len - 1;
        }
        return &c->table->sets[*index];
}

static int add_peer(struct class_job *job, const struct endpoint *endpoint, const struct addr *addr,
                    const struct profile *profile)
{
        struct compiled_profile compiled;
        struct rs_set *set;
        struct rs_elem *elem;
        int r = compile_profile(job->c, job->direction, profile, &compiled);

        if (r < 0)
                return r;
        set = job_map(job, &job->peers[addr->family], "peers", addr->family, false);
        elem = set ? rs_set_add_elem(set) : NULL;
        if (!elem)
                return -ENOMEM;
        rs_key_addr(elem->key, addr);
        memcpy(elem->key_end, elem->key, sizeof(elem->key));
        elem->verdict = compiled.verdict;
        elem->origin = compiled.origin;
        /* The comment names the peer, and, where the element itself decides, the rule. */
        if (compiled.origin == RS_ORIGIN_NONE)
                elem->comment = compile_comment(job->c, "%s/%s", endpoint->ns, endpoint->name);
        else
                elem->comment = compile_comment(job->c, "%s/%s: %s", endpoint->ns, endpoint->name,
                                                job->c->origin_comments[compiled.origin]);
        return elem->comment ? 0 : -ENOMEM;
}

/* What the chain gives an address of the identity if it has no element of its own. */
static int fall_through(struct class_job *job, uint32_t identity, uint32_t block_list, const struct profile **ret)
{
        if (job->c->wide[identity] > 0) {
                *ret = job->wides[job->c->wide[identity] - 1].profile;
                return 0;
        }
        return job_profile(job, NONE, block_list, NONE, ret);
}

static int add_identity(struct class_job *job, uint32_t id, uint32_t peer_list)
{
        struct compiler *c = job->c;
        const struct identity *identity = &c->world->identities[id];
        const struct profile *own = NULL, *below = NULL;

        for (size_t i = 0; i < identity->endpoints_len; i++) {
                const struct endpoint *endpoint = &c->world->inventory->endpoints[identity->endpoints[i]];

                for (size_t j = 0; j < endpoint->addrs_len; j++) {
                        const struct addr *addr = &endpoint->addrs[j];
                        bool blocks = job->class->blocks_len[addr->family] > 0;
                        uint32_t block_list = blocks ? class_blocks_at(job->class, addr) : NONE;
                        int r;

                        if (!compile_owns(c, identity->endpoints[i], addr))
                                continue;
                        r = job_profile(job, peer_list, block_list, id, &own);
                        if (r == 0)
                                r = fall_through(job, id, block_list, &below);
                        if (r == 0 && own != below)
                                r = add_peer(job, endpoint, addr, own);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static int add_peers(struct class_job *job)
{
        /* A port name that any peer may resolve makes even unselected endpoints differ from the outside. */
        bool all = job->direction == DIR_EGRESS && job->class->has_names;
        int r = 0;

        if (!all) {
                for (size_t i = 0; r == 0 && i < job->class->peers_len; i++)
                        r = add_identity(job, job->class->peers[i], job->class->peer_lists[i]);
                return r;
        }
        for (uint32_t i = 0; r == 0 && i < job->c->world->identities_len; i++)
                r = add_identity(job, i, class_peer_list(job->class, i));
        return r;
}

static int add_nets(struct class_job *job, enum addr_family family)
{
        const struct world_range *ranges;
        size_t len;
        int r = world_outside(job->c->world, job->direction, job->id, family, &ranges, &len);

        for (size_t i = 0; r == 0 && i < len; i++) {
                struct compiled_profile compiled;
                struct rs_set *set;
                struct rs_elem *elem;

                if (ranges[i].profile == job->bare)
                        continue;
                r = compile_profile(job->c, job->direction, ranges[i].profile, &compiled);
                if (r < 0)
                        return r;
                set = job_map(job, &job->nets[family], "nets", family, true);
                elem = set ? rs_set_add_elem(set) : NULL;
                if (!elem)
                        return -ENOMEM;
                rs_key_addr(elem->key, &ranges[i].range.first);
                rs_key_addr(elem->key_end, &ranges[i].range.last);
                elem->verdict = compiled.verdict;
                elem->origin = compiled.origin;
                if (compiled.origin != RS_ORIGIN_NONE)
                        elem->comment = job->c->origin_comments[compiled.origin];
        }
        return r;
}

/* the chain */

static int vmap_rules(struct class_job *job, const size_t sets[static ADDR_FAMILY_MAX])
{
        for (int f = 0; f < ADDR_FAMILY_MAX; f++) {
                int r;

                if (sets[f] == SIZE_MAX)
                        continue;
                r = compile_vmap_rule(job->c, job->chain, peer_field(job->direction),
                                      job->c->table->sets[sets[f]].name);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int verdict_rule(struct class_job *job, struct rs_rule *rule, const struct profile *profile)
{
        struct compiled_profile compiled;
        int r = rule ? compile_profile(job->c, job->direction, profile, &compiled) : -ENOMEM;

        if (r < 0)
                return r;
        rule->verdict = compiled.verdict;
        rule->origin = compiled.origin;
        rule->counter = compiled.origin != RS_ORIGIN_NONE;
        if (rule->counter)
                rule->comment = job->c->origin_comments[compiled.origin];
        return 0;
}

static int wide_rules(struct class_job *job)
{
        for (size_t i = 0; i < job->wides_len; i++) {
                for (enum addr_family f = 0; f < ADDR_FAMILY_MAX; f++) {
                        const char *set;
                        int r = group_set(job->c, job->wides[i].group, f, &set);

                        if (r == 0 && set)
                                r = verdict_rule(job,
                                                 compile_set_rule(job->c, job->chain, peer_field(job->direction), set),
                                                 job->wides[i].profile);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static uint64_t class_hash(enum direction direction, const struct class *class)
{
        uint64_t hash = compile_hash(COMPILE_HASH_SEED, &direction, sizeof(direction));

        for (size_t i = 0; i < class->policies_len; i++) {
                const struct policy *policy = class->policies[i];

                hash = compile_hash(hash, &policy->tier, sizeof(policy->tier));
                hash = compile_hash_text(hash, policy->ns ? policy->ns : "");
                hash = compile_hash_text(hash, policy->name);
        }
        for (size_t i = 0; i < class->ports_len; i++) {
                hash = compile_hash_text(hash, class->ports[i].name);
                hash = compile_hash(hash, &class->ports[i].protocol, sizeof(class->ports[i].protocol));
                hash = compile_hash(hash, &class->ports[i].port, sizeof(class->ports[i].port));
        }
        return hash;
}

static int class_chain(struct class_job *job)
{
        struct compiler *c = job->c;
        const struct policy *first = job->class->isolated_by ? job->class->isolated_by : job->class->policies[0];
        int r;

        job->name = compile_name(c, job->direction == DIR_INGRESS ? "in" : "out", first->ns, first->name,
                                 class_hash(job->direction, job->class), "");
        if (!job->name || !rs_table_add_chain(c->table, job->name))
                return -ENOMEM;
        job->chain = c->table->chains_len - 1;

        r = choose_wides(job);
        if (r == 0)
                r = add_peers(job);
        for (enum addr_family f = 0; r == 0 && f < ADDR_FAMILY_MAX; f++)
                r = add_nets(job, f);
        if (r == 0)
                r = vmap_rules(job, job->peers);
        if (r == 0)
                r = wide_rules(job);
        if (r == 0)
                r = vmap_rules(job, job->nets);
        if (r == 0)
                r = verdict_rule(job, compile_rule(c, job->chain, 0), job->bare);
        forget_wides(job);
        return r;
}

int compile_class(struct compiler *c, enum direction direction, uint32_t class, struct rs_verdict *ret,
                  uint32_t *ret_origin)
{
        struct class_job job = {
                .c = c,
                .direction = direction,
                .id = class,
                .class = &c->world->classes[direction][class],
                .peers = {SIZE_MAX, SIZE_MAX},
                .nets = {SIZE_MAX, SIZE_MAX},
        };
        struct compiled_profile compiled;
        int r = world_resolve_class(c->world, direction, class);

        if (r == 0)
                r = job_profile(&job, NONE, NONE, NONE, &job.bare);
        if (r < 0)
                return r;
        if (job.class->policies_len == 0) {
                r = compile_profile(c, direction, job.bare, &compiled);
                if (r < 0)
                        return r;
                *ret = compiled.verdict;
                *ret_origin = compiled.origin;
                return 0;
        }
        r = class_chain(&job);
        *ret = (struct rs_verdict){RS_GOTO, job.name};
        *ret_origin = RS_ORIGIN_NONE;
        return r;
}
