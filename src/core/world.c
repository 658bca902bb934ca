/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds a world: on the namespaces and identities of world_identity.c, its groups, rules and classes.
 * world_profile.c answers questions about it; world_internal.h says what these things are. */
#include <vethwall/world.h>

#include <errno.h>
#include <string.h>

#include "world_internal.h"

/* groups */

void selector_key(struct strbuf *buf, const struct selector *selector)
{
        if (!selector) {
                strbuf_putc(buf, '-');
                return;
        }
        strbuf_putc(buf, '{');
        for (size_t i = 0; i < selector->len; i++) {
                const struct label_requirement *req = &selector->requirements[i];

                strbuf_printf(buf, "%s %s", req->key, label_op_name(req->op));
                for (size_t j = 0; j < req->values_len; j++)
                        strbuf_printf(buf, " '%s'", req->values[j]);
                strbuf_putc(buf, ';');
        }
        strbuf_putc(buf, '}');
}

static int group_fill(struct world *world, struct group *group, const char *own_ns, const struct peer *peer)
{
        uint32_t own = own_ns ? world_find_namespace(world, own_ns) : NONE;
        size_t cap = 0;
        uint32_t *ids = NULL;
        int r = 0;

        for (uint32_t ns = 0; r == 0 && ns < world->namespaces_len; ns++) {
                if (peer->ns_selector ? !selector_matches(peer->ns_selector, &world->namespaces[ns].labels) : ns != own)
                        continue;
                for (uint32_t i = world->ns_identities[ns]; i < world->ns_identities[ns + 1]; i++) {
                        const struct identity *identity = &world->identities[i];

                        if (peer->pod_selector && !selector_matches(peer->pod_selector, &identity->labels))
                                continue;
                        r = array_reserve(&ids, &cap, group->len + 1, sizeof(*ids));
                        if (r < 0)
                                break;
                        ids[group->len++] = i;
                        for (int f = 0; f < ADDR_FAMILY_MAX; f++)
                                group->addrs_len[f] += identity->addrs_len[f];
                }
        }
        if (r == 0) {
                group->ns = peer->ns_selector ? NULL : own_ns;
                group->identities = arena_array(world->arena, group->len, sizeof(*ids));
                if (!group->identities)
                        r = -ENOMEM;
                else if (group->len > 0)
                        memcpy(group->identities, ids, group->len * sizeof(*ids));
        }
        free(ids);
        return r;
}

int world_peer_group(struct world *world, const char *own_ns, const struct peer *peer, uint32_t *ret)
{
        _cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
        struct group group = {0};
        int r;

        if (!peer->ns_selector)
                strbuf_puts(&key, own_ns ? own_ns : "");
        selector_key(&key, peer->ns_selector);
        selector_key(&key, peer->pod_selector);
        r = strbuf_check(&key);
        if (r < 0)
                return r;
        if (str_index_get(&world->group_index, key.text, key.len, ret))
                return 0;

        r = group_fill(world, &group, own_ns, peer);
        if (r < 0)
                return r;
        group.key = arena_strndup(world->arena, key.text, key.len);
        if (!group.key)
                return -ENOMEM;
        r = array_reserve(&world->groups, &world->groups_cap, world->groups_len + 1, sizeof(group));
        if (r < 0)
                return r;
        r = str_index_put(&world->group_index, group.key, key.len, (uint32_t)world->groups_len);
        if (r < 0)
                return r;
        *ret = (uint32_t)world->groups_len;
        world->groups[world->groups_len++] = group;
        return 0;
}

static int u32_cmp(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

static size_t u32_sort_unique(uint32_t *items, size_t len)
{
        size_t n = 0;

        if (len == 0)
                return 0;
        qsort(items, len, sizeof(*items), u32_cmp);
        for (size_t i = 0; i < len; i++)
                if (n == 0 || items[n - 1] != items[i])
                        items[n++] = items[i];
        return n;
}

/* rules */

static int world_rule_fill(struct world *world, struct world_rule *ret, uint32_t policy, const struct rule *rule)
{
        const char *ns = world->policies->policies[policy].ns;

        ret->policy = policy;
        ret->rule = rule;
        ret->groups = arena_array(world->arena, rule->peers_len, sizeof(*ret->groups));
        if (!ret->groups)
                return -ENOMEM;
        for (size_t i = 0; i < rule->peers_len; i++) {
                int r;

                if (rule->peers[i].kind == PEER_BLOCK) {
                        ret->has_blocks = true;
                        continue;
                }
                r = world_peer_group(world, ns, &rule->peers[i], &ret->groups[ret->groups_len]);
                if (r < 0)
                        return r;
                ret->groups_len++;
        }
        ret->groups_len = u32_sort_unique(ret->groups, ret->groups_len);
        for (size_t i = 0; i < rule->ports_len; i++)
                ret->has_names |= rule->ports[i].kind == PORT_NAME;
        return 0;
}

static int world_build_rules(struct world *world, enum direction d)
{
        const struct policy_set *policies = world->policies;
        size_t total = 0;

        for (size_t i = 0; i < policies->policies_len; i++)
                if (policies->policies[i].applies[d])
                        total += policies->policies[i].rules_len[d];

        world->rules[d] = arena_array(world->arena, total, sizeof(*world->rules[d]));
        world->policy_rules[d] = arena_array(world->arena, policies->policies_len + 1, sizeof(uint32_t));
        if (!world->rules[d] || !world->policy_rules[d])
                return -ENOMEM;
        for (uint32_t i = 0; i < policies->policies_len; i++) {
                const struct policy *policy = &policies->policies[i];

                world->policy_rules[d][i] = (uint32_t)world->rules_len[d];
                for (size_t j = 0; policy->applies[d] && j < policy->rules_len[d]; j++) {
                        int r = world_rule_fill(world, &world->rules[d][world->rules_len[d]], i, &policy->rules[d][j]);

                        if (r < 0)
                                return r;
                        world->rules_len[d]++;
                }
        }
        world->policy_rules[d][policies->policies_len] = (uint32_t)world->rules_len[d];
        return 0;
}

/* classes */

/* Policies of each identity, as chained lists: a policy selects few of them, so no matrix is kept. */
struct selection {
        uint32_t policy;
        uint32_t next; /* NONE: the last */
};

struct selections {
        struct selection *items; /* heap */
        size_t len, cap;
        uint32_t *first, *last; /* per identity; heap */
};

static int selections_add(struct selections *sel, uint32_t identity, uint32_t policy)
{
        int r = array_reserve(&sel->items, &sel->cap, sel->len + 1, sizeof(*sel->items));
        uint32_t id = (uint32_t)sel->len;

        if (r < 0)
                return r;
        sel->items[sel->len++] = (struct selection){policy, NONE};
        if (sel->first[identity] == NONE)
                sel->first[identity] = id;
        else
                sel->items[sel->last[identity]].next = id;
        sel->last[identity] = id;
        return 0;
}

static int select_subjects(struct world *world, enum direction d, struct selections *sel)
{
        for (uint32_t i = 0; i < world->policies->policies_len; i++) {
                const struct policy *policy = &world->policies->policies[i];
                uint32_t first = 0, end = (uint32_t)world->identities_len;

                if (!policy->applies[d])
                        continue;
                if (policy->ns) {
                        uint32_t ns = world_find_namespace(world, policy->ns);

                        first = world->ns_identities[ns];
                        end = world->ns_identities[ns + 1];
                }
                for (uint32_t j = first; j < end; j++) {
                        const struct identity *identity = &world->identities[j];
                        int r;

                        if (policy->ns_selector &&
                            !selector_matches(policy->ns_selector, &world->namespaces[identity->ns].labels))
                                continue;
                        if (!selector_matches(policy->pod_selector, &identity->labels))
                                continue;
                        r = selections_add(sel, j, i);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* The port names that the class's own rules use, as this member resolves them. */
static int class_ports(struct world *world, struct class *class, const struct identity *identity)
{
        class->ports = arena_array(world->arena, identity->ports_len, sizeof(*class->ports));
        if (!class->ports)
                return -ENOMEM;
        for (size_t i = 0; i < identity->ports_len; i++) {
                bool used = false;

                for (size_t j = 0; !used && j < class->rules_len; j++) {
                        const struct rule *rule = world->rules[DIR_INGRESS][class->rules[j]].rule;

                        for (size_t k = 0; !used && k < rule->ports_len; k++)
                                used = rule->ports[k].kind == PORT_NAME &&
                                       strcmp(rule->ports[k].name, identity->ports[i].name) == 0;
                }
                if (used)
                        class->ports[class->ports_len++] = identity->ports[i];
        }
        return 0;
}

static int class_fill(struct world *world, enum direction d, struct class *class, const struct selections *sel,
                      uint32_t id)
{
        const struct policy *policies = world->policies->policies;
        bool names = false;
        size_t n = 0, rules = 0;

        for (uint32_t i = sel->first[id]; i != NONE; i = sel->items[i].next) {
                uint32_t p = sel->items[i].policy;

                n++;
                rules += world->policy_rules[d][p + 1] - world->policy_rules[d][p];
        }
        class->policies = arena_array(world->arena, n, sizeof(*class->policies));
        class->policy_ids = arena_array(world->arena, n, sizeof(*class->policy_ids));
        class->rules = arena_array(world->arena, rules, sizeof(*class->rules));
        if (!class->policies || !class->policy_ids || !class->rules)
                return -ENOMEM;
        for (uint32_t i = sel->first[id]; i != NONE; i = sel->items[i].next) {
                uint32_t p = sel->items[i].policy;

                class->policy_ids[class->policies_len] = p;
                class->policies[class->policies_len++] = &policies[p];
                if (!class->isolated_by && policies[p].tier == TIER_NETWORK_POLICY)
                        class->isolated_by = &policies[p];
                for (uint32_t j = world->policy_rules[d][p]; j < world->policy_rules[d][p + 1]; j++) {
                        class->rules[class->rules_len++] = j;
                        names |= world->rules[d][j].has_names;
                }
        }
        if (d == DIR_INGRESS && names)
                return class_ports(world, class, &world->identities[id]);
        return 0;
}

static void class_key(struct strbuf *key, const struct class *class)
{
        strbuf_clear(key);
        strbuf_add(key, (const char *)&class->policies_len, sizeof(class->policies_len));
        strbuf_add(key, (const char *)class->policy_ids, class->policies_len * sizeof(*class->policy_ids));
        for (size_t i = 0; i < class->ports_len; i++)
                strbuf_printf(key, "%s/%u/%u;", class->ports[i].name, class->ports[i].protocol, class->ports[i].port);
}

static int class_intern(struct world *world, enum direction d, struct str_index *index, const struct class *class,
                        uint32_t *ret)
{
        _cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
        void *copy;
        int r;

        class_key(&key, class);
        r = strbuf_check(&key);
        if (r < 0)
                return r;
        if (str_index_get(index, key.text, key.len, ret))
                return 0;
        copy = arena_memdup(world->arena, key.text, key.len);
        if (!copy)
                return -ENOMEM;
        r = array_reserve(&world->classes[d], &world->classes_cap[d], world->classes_len[d] + 1, sizeof(*class));
        if (r < 0)
                return r;
        r = str_index_put(index, copy, key.len, (uint32_t)world->classes_len[d]);
        if (r < 0)
                return r;
        *ret = (uint32_t)world->classes_len[d];
        world->classes[d][world->classes_len[d]++] = *class;
        return 0;
}

static int class_members(struct world *world, enum direction d)
{
        for (size_t i = 0; i < world->identities_len; i++)
                world->classes[d][world->identities[i].class[d]].identities_len++;
        for (size_t i = 0; i < world->classes_len[d]; i++) {
                struct class *class = &world->classes[d][i];

                class->identities = arena_array(world->arena, class->identities_len, sizeof(*class->identities));
                if (!class->identities)
                        return -ENOMEM;
                class->identities_len = 0;
        }
        for (uint32_t i = 0; i < world->identities_len; i++) {
                struct class *class = &world->classes[d][world->identities[i].class[d]];

                class->identities[class->identities_len++] = i;
        }
        return 0;
}

static int world_build_classes(struct world *world, enum direction d)
{
        _cleanup_(str_index_fini) struct str_index index = STR_INDEX_INIT;
        struct selections sel = {0};
        int r = 0;

        if (world->identities_len == 0)
                return 0;
        sel.first = malloc(world->identities_len * sizeof(*sel.first));
        sel.last = malloc(world->identities_len * sizeof(*sel.last));
        if (!sel.first || !sel.last)
                r = -ENOMEM;
        for (size_t i = 0; r == 0 && i < world->identities_len; i++)
                sel.first[i] = NONE;
        if (r == 0)
                r = select_subjects(world, d, &sel);
        for (uint32_t i = 0; r == 0 && i < world->identities_len; i++) {
                struct class class = {0};

                r = class_fill(world, d, &class, &sel, i);
                if (r == 0)
                        r = class_intern(world, d, &index, &class, &world->identities[i].class[d]);
        }
        free(sel.items);
        free(sel.first);
        free(sel.last);
        return r < 0 ? r : class_members(world, d);
}

int world_new(struct world **ret, const struct policy_set *policies, const struct inventory *inventory,
              const struct settings *settings)
{
        _cleanup_(world_freep) struct world *world = calloc(1, sizeof(*world));
        int r;

        if (!world)
                return -ENOMEM;
        world->arena = arena_new();
        if (!world->arena)
                return -ENOMEM;
        world->policies = policies;
        world->inventory = inventory;
        world->settings = settings;

        r = world_build_namespaces(world);
        if (r < 0)
                return r;
        r = world_build_identities(world);
        if (r < 0)
                return r;
        for (enum direction d = 0; d < DIR_MAX; d++) {
                r = world_build_rules(world, d);
                if (r < 0)
                        return r;
                r = world_build_classes(world, d);
                if (r < 0)
                        return r;
        }
        *ret = steal(world);
        return 0;
}

struct world *world_free(struct world *world)
{
        if (!world)
                return NULL;
        for (int d = 0; d < DIR_MAX; d++)
                free(world->classes[d]);
        free(world->spots);
        free(world->groups);
        free(world->lists);
        free(world->profiles);
        str_index_fini(&world->group_index);
        str_index_fini(&world->list_index);
        str_index_fini(&world->peers_index);
        str_index_fini(&world->profile_by_list);
        str_index_fini(&world->profile_by_content);
        arena_free(world->arena);
        free(world);
        return NULL;
}

size_t world_identities(const struct world *world)
{
        return world->identities_len;
}

const struct inventory *world_inventory(const struct world *world)
{
        return world->inventory;
}

const struct policy_set *world_policies(const struct world *world)
{
        return world->policies;
}

const struct label_set *world_namespace_labels(const struct world *world, const char *ns)
{
        uint32_t i = world_find_namespace(world, ns);

        return i == NONE ? NULL : &world->namespaces[i].labels;
}

size_t world_classes(const struct world *world, enum direction direction)
{
        return world->classes_len[direction];
}

uint32_t world_class(const struct world *world, enum direction direction, size_t endpoint)
{
        uint32_t identity = world->endpoint_identity[endpoint];

        return identity == NONE ? NONE : world->identities[identity].class[direction];
}

uint32_t world_identity(const struct world *world, size_t endpoint)
{
        return world->endpoint_identity[endpoint];
}

bool world_class_is_isolated(const struct world *world, enum direction direction, uint32_t class)
{
        return world->classes[direction][class].isolated_by;
}

size_t world_class_policies(const struct world *world, enum direction direction, uint32_t class,
                            const struct policy *const **ret)
{
        *ret = world->classes[direction][class].policies;
        return world->classes[direction][class].policies_len;
}
