/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latent changes: the selectors that matter to what differs between two policy sets. */
#include <errno.h>
#include <string.h>

#include "latent_internal.h"
#include "policy_build.h"

/* The containers that something is about. */
struct reach {
        bool whole;                 /* everybody */
        struct latent_entry *items; /* owned */
        size_t len, cap;
};

struct search {
        struct latent_build *build;
        uint32_t *contents[CHANGE_SIDE_MAX];
        bool *differs[CHANGE_SIDE_MAX];
        struct reach near[DIR_MAX]; /* subjects of policies that differ */
        struct reach far[DIR_MAX];  /* peers of rules that differ */
};

static const struct policy_set *search_set(const struct search *search, enum change_side side)
{
        return search->build->worlds[side]->policies;
}

/* differing policies */

/* The contents of one set that the other has not, as often as that. */
static int mark_unmatched(struct search *search)
{
        _cleanup_free_ int32_t *counts = NULL;
        size_t len = 0;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                len += search_set(search, side)->policies_len;
        counts = calloc(len + 1, sizeof(*counts));
        if (!counts)
                return -ENOMEM;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                for (size_t i = 0; i < search_set(search, side)->policies_len; i++)
                        counts[search->contents[side][i]] += side == CHANGE_OLD ? 1 : -1;
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                for (size_t i = 0; i < search_set(search, side)->policies_len; i++)
                        search->differs[side][i] = counts[search->contents[side][i]] != 0;

        return 0;
}

/* The next policy of a tier with an order that does not differ; policies_len where there is none. */
static size_t next_ordered(const struct search *search, enum change_side side, size_t i)
{
        const struct policy_set *set = search_set(search, side);

        while (i < set->policies_len && (set->policies[i].tier == TIER_NETWORK_POLICY || search->differs[side][i]))
                i++;

        return i;
}

/* In tiers the order of policies means something. Where it is another, all of them differ. */
static void mark_reordered(struct search *search)
{
        size_t at[CHANGE_SIDE_MAX], len[CHANGE_SIDE_MAX];
        bool same = true, more = true;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                len[side] = search_set(search, side)->policies_len;
                at[side] = next_ordered(search, side, 0);
        }
        while (same && more) {
                more = at[CHANGE_OLD] < len[CHANGE_OLD] && at[CHANGE_NEW] < len[CHANGE_NEW];
                if (!more)
                        break;
                same = search->contents[CHANGE_OLD][at[CHANGE_OLD]] == search->contents[CHANGE_NEW][at[CHANGE_NEW]];
                for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                        at[side] = next_ordered(search, side, at[side] + 1);
        }
        if (same)
                return;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                for (size_t i = 0; i < len[side]; i++)
                        search->differs[side][i] |= search_set(search, side)->policies[i].tier != TIER_NETWORK_POLICY;
}

/* Whether the Namespace objects say the same. */
static bool same_namespaces(const struct search *search)
{
        const struct policy_set *old = search_set(search, CHANGE_OLD), *new = search_set(search, CHANGE_NEW);

        if (old->namespaces_len != new->namespaces_len)
                return false;

        for (size_t i = 0; i < old->namespaces_len; i++)
                if (strcmp(old->namespaces[i].name, new->namespaces[i].name) != 0 ||
                    label_set_cmp(&old->namespaces[i].labels, &new->namespaces[i].labels) != 0)
                        return false;

        return true;
}

/* Where labels of namespaces differ, any selector may be what that means something to. */
static int find_differing(struct search *search)
{
        struct latent_build *build = search->build;
        const struct policy_set *const sets[] = {search_set(search, CHANGE_OLD), search_set(search, CHANGE_NEW)};
        bool all = !same_namespaces(search);
        int r;

        r = changes_policy_contents(build->arena, sets, search->contents);
        for (enum change_side side = 0; r == 0 && side < CHANGE_SIDE_MAX; side++) {
                search->differs[side] = arena_array(build->arena, sets[side]->policies_len, sizeof(bool));
                if (!search->differs[side])
                        r = -ENOMEM;
        }
        if (r == 0)
                r = mark_unmatched(search);
        if (r < 0)
                return r;

        mark_reordered(search);
        for (enum change_side side = 0; all && side < CHANGE_SIDE_MAX; side++)
                for (size_t i = 0; i < sets[side]->policies_len; i++)
                        search->differs[side][i] = true;

        return 0;
}

/* whom they are about */

bool latent_entry_reaches(const struct latent_entry *entry, const char *ns, const struct label_set *labels)
{
        if (entry->ns)
                return ns && strcmp(entry->ns, ns) == 0;

        return !entry->ns_selector || selector_matches(entry->ns_selector, labels);
}

static struct latent_entry subject_entry(const struct policy *policy)
{
        return (struct latent_entry){
                .ns = policy->ns, .ns_selector = policy->ns_selector, .pod_selector = policy->pod_selector};
}

static struct latent_entry peer_entry(const struct policy *policy, const struct peer *peer)
{
        return (struct latent_entry){
                .ns = peer->ns_selector ? NULL : policy->ns,
                .ns_selector = peer->ns_selector,
                .pod_selector = peer->pod_selector,
        };
}

/* The labels that a namespace has on either side; a NULL that it is not there. */
static bool fixed_meets(const struct latent_build *build, const struct latent_entry *fixed,
                        const struct latent_entry *other)
{
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct label_set *labels = world_namespace_labels(build->worlds[side], fixed->ns);

                if (labels && latent_entry_reaches(other, fixed->ns, labels))
                        return true;
        }

        return false;
}

/* Whether there can be a container that both select. */
static bool entries_meet(const struct latent_build *build, const struct latent_entry *a, const struct latent_entry *b)
{
        if (a->ns && b->ns ? strcmp(a->ns, b->ns) != 0
            : a->ns        ? !fixed_meets(build, a, b)
            : b->ns        ? !fixed_meets(build, b, a)
                           : !selectors_meet(a->ns_selector, b->ns_selector))
                return false;

        return selectors_meet(a->pod_selector, b->pod_selector);
}

static bool reach_meets(const struct latent_build *build, const struct reach *reach, const struct latent_entry *entry)
{
        if (reach->whole)
                return true;

        for (size_t i = 0; i < reach->len; i++)
                if (entries_meet(build, &reach->items[i], entry))
                        return true;

        return false;
}

static int reach_add(struct reach *reach, const struct latent_entry *entry)
{
        int r;

        r = array_reserve(&reach->items, &reach->cap, reach->len + 1, sizeof(*reach->items));
        if (r < 0)
                return r;

        reach->items[reach->len++] = *entry;
        return 0;
}

static int add_entry(struct latent_build *build, const struct latent_entry *entry)
{
        _cleanup_(strbuf_fini) struct strbuf key = STRBUF_INIT;
        uint32_t known;
        void *copy;
        int r;

        strbuf_puts(&key, entry->ns ? entry->ns : "");
        strbuf_putc(&key, '\0');
        selector_key(&key, entry->ns_selector);
        selector_key(&key, entry->pod_selector && entry->pod_selector->len > 0 ? entry->pod_selector : NULL);
        r = strbuf_check(&key);
        if (r < 0)
                return r;
        if (str_index_get(&build->entry_index, key.text, key.len, &known)) {
                build->entries[known].names |= entry->names;
                return 0;
        }

        copy = arena_memdup(build->arena, key.text, key.len);
        if (!copy)
                return -ENOMEM;
        r = array_reserve(&build->entries, &build->entries_cap, build->entries_len + 1, sizeof(*build->entries));
        if (r == 0)
                r = str_index_put(&build->entry_index, copy, key.len, (uint32_t)build->entries_len);
        if (r < 0)
                return r;

        build->entries[build->entries_len++] = *entry;
        return 0;
}

static int add_port_names(struct latent_build *build, const struct rule *rule)
{
        for (size_t i = 0; i < rule->ports_len; i++) {
                const struct port_match *port = &rule->ports[i];
                bool known = port->kind != PORT_NAME;
                int r;

                for (size_t j = 0; !known && j < build->ports_len; j++)
                        known = build->grown_ports[j].protocol == port->protocol &&
                                strcmp(build->grown_ports[j].name, port->name) == 0;
                if (known)
                        continue;
                if (build->ports_len == LATENT_PORTS_MAX) {
                        build->latent->bounded = true;
                        return 0;
                }

                r = array_reserve(&build->grown_ports, &build->ports_cap, build->ports_len + 1,
                                  sizeof(*build->grown_ports));
                if (r < 0)
                        return r;
                build->grown_ports[build->ports_len++] = (struct named_port){port->name, port->protocol, 0};
        }

        return 0;
}

static bool names_ports(const struct rule *rule)
{
        for (size_t i = 0; i < rule->ports_len; i++)
                if (rule->ports[i].kind == PORT_NAME)
                        return true;

        return false;
}

/* The destinations, whose ports the rule names. */
static int add_named(struct latent_build *build, enum direction d, const struct policy *policy, const struct rule *rule)
{
        struct latent_entry entry = subject_entry(policy);
        int r = 0;

        entry.names = true;
        if (d == DIR_INGRESS)
                return add_entry(build, &entry);

        build->names_of_all |= rule->any_peer || rule->fails_closed;
        for (size_t i = 0; r == 0 && i < rule->peers_len; i++) {
                entry = peer_entry(policy, &rule->peers[i]);
                entry.names = true;
                if (rule->peers[i].kind == PEER_SELECTOR)
                        r = add_entry(build, &entry);
        }

        return r;
}

/* Whom a rule that differs names, and how it names ports. */
static int add_rule_reach(struct search *search, enum direction d, const struct policy *policy, const struct rule *rule)
{
        struct reach *far = &search->far[d];
        int r;

        far->whole |= rule->any_peer || rule->fails_closed;
        r = add_port_names(search->build, rule);
        if (r == 0 && names_ports(rule))
                r = add_named(search->build, d, policy, rule);
        for (size_t i = 0; r == 0 && i < rule->peers_len; i++) {
                struct latent_entry entry = peer_entry(policy, &rule->peers[i]);

                if (rule->peers[i].kind == PEER_SELECTOR)
                        r = reach_add(far, &entry);
        }

        return r;
}

/* The policy of the same name and subject on the other side, or NULL. */
static const struct policy *find_counterpart(const struct search *search, enum change_side side,
                                             const struct policy *policy, enum direction d)
{
        const struct policy_set *other = search_set(search, side == CHANGE_OLD ? CHANGE_NEW : CHANGE_OLD);
        size_t lo = 0, hi = other->policies_len;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;
                const struct policy *found = &other->policies[mid];
                int c = policy_cmp(found, policy);

                if (c == 0) {
                        struct latent_entry a = subject_entry(policy), b = subject_entry(found);

                        return found->applies[d] && selector_cmp(a.pod_selector, b.pod_selector) == 0 &&
                                               (a.ns_selector && b.ns_selector
                                                        ? selector_cmp(a.ns_selector, b.ns_selector) == 0
                                                        : a.ns_selector == b.ns_selector)
                                       ? found
                                       : NULL;
                }
                if (c < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }

        return NULL;
}

/* The rules of a policy that its counterpart lacks, or has elsewhere: those between what both begin and end with. */
static int add_rules_reach(struct search *search, enum direction d, const struct policy *policy,
                           const struct policy *counterpart)
{
        size_t first = 0, end = policy->rules_len[d], other_end = counterpart ? counterpart->rules_len[d] : 0;
        int r = 0;

        while (first < end && first < other_end &&
               changes_same_rule(&policy->rules[d][first], &counterpart->rules[d][first]))
                first++;
        while (end > first && other_end > first &&
               changes_same_rule(&policy->rules[d][end - 1], &counterpart->rules[d][other_end - 1])) {
                end--;
                other_end--;
        }

        for (size_t i = first; r == 0 && i < end; i++)
                r = add_rule_reach(search, d, policy, &policy->rules[d][i]);

        return r;
}

/* Where a NetworkPolicy comes or goes, it isolates from everybody. */
static int find_reach(struct search *search)
{
        int r = 0;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct policy_set *set = search_set(search, side);

                for (size_t i = 0; i < set->policies_len; i++) {
                        const struct policy *policy = &set->policies[i], *counterpart;
                        struct latent_entry subject = subject_entry(policy);

                        for (enum direction d = 0; search->differs[side][i] && d < DIR_MAX; d++) {
                                if (!policy->applies[d])
                                        continue;

                                counterpart = find_counterpart(search, side, policy, d);
                                search->far[d].whole |= !counterpart && policy->tier == TIER_NETWORK_POLICY;
                                r = reach_add(&search->near[d], &subject);
                                if (r == 0)
                                        r = add_rules_reach(search, d, policy, counterpart);
                                if (r < 0)
                                        return r;
                        }
                }
        }

        return 0;
}

/* what matters to them */

/* The policy's subject, and those peers of its rules that are among whom it matters to. */
static int add_policy(struct search *search, const struct policy *policy, enum direction d, const struct reach *peers)
{
        struct latent_build *build = search->build;
        struct latent_entry entry = subject_entry(policy);
        int r;

        r = add_entry(build, &entry);
        for (size_t i = 0; i < policy->rules_len[d]; i++) {
                const struct rule *rule = &policy->rules[d][i];

                for (size_t j = 0; r == 0 && j < rule->peers_len; j++) {
                        entry = peer_entry(policy, &rule->peers[j]);
                        if (rule->peers[j].kind == PEER_SELECTOR && reach_meets(build, peers, &entry))
                                r = add_entry(build, &entry);
                }
        }

        return r;
}

/* A flow of which one side differs is judged by what selects its near end in the same direction, and by what selects its far
 * end in the other. */
static int add_policies(struct search *search, enum change_side side, enum direction differing)
{
        const struct policy_set *set = search_set(search, side);
        const struct reach *near = &search->near[differing], *far = &search->far[differing];
        enum direction opposite = differing == DIR_EGRESS ? DIR_INGRESS : DIR_EGRESS;
        int r = 0;

        for (size_t i = 0; r == 0 && near->len > 0 && i < set->policies_len; i++) {
                const struct policy *policy = &set->policies[i];
                struct latent_entry subject = subject_entry(policy);

                if (policy->applies[differing] && reach_meets(search->build, near, &subject))
                        r = add_policy(search, policy, differing, far);
                if (r == 0 && policy->applies[opposite] && reach_meets(search->build, far, &subject))
                        r = add_policy(search, policy, opposite, near);
        }

        return r;
}

int latent_find_entries(struct latent_build *build)
{
        struct search search = {.build = build};
        int r;

        r = find_differing(&search);
        if (r == 0)
                r = find_reach(&search);
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                for (enum direction d = 0; r == 0 && d < DIR_MAX; d++)
                        r = add_policies(&search, side, d);

        for (enum direction d = 0; d < DIR_MAX; d++) {
                free(search.near[d].items);
                free(search.far[d].items);
        }
        return r;
}
