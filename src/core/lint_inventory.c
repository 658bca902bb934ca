/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint that hold one policy against an inventory: what selects nothing, what is misspelt, what
 * addresses come to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

/* words */

/* All labels that are there, sorted by key and value, unique. */
struct words {
        struct label *items; /* heap; borrowed texts */
        size_t len;
};

static int cmp_label(const void *pa, const void *pb)
{
        const struct label *a = pa, *b = pb;
        int cmp = strcmp(a->key, b->key);

        return cmp ? cmp : strcmp(a->value, b->value);
}

static void sort_words(struct words *words)
{
        size_t n = 0;

        if (words->len > 1)
                qsort(words->items, words->len, sizeof(*words->items), cmp_label);
        for (size_t i = 0; i < words->len; i++)
                if (n == 0 || cmp_label(&words->items[n - 1], &words->items[i]) != 0)
                        words->items[n++] = words->items[i];
        words->len = n;
}

static void add_words(struct words *words, const struct label_set *labels)
{
        for (size_t i = 0; i < labels->len; i++)
                words->items[words->len++] = labels->items[i];
}

static bool words_of_endpoints(const struct inventory *inventory, struct words *ret)
{
        size_t total = 0;

        for (size_t i = 0; i < inventory->endpoints_len; i++)
                total += inventory->endpoints[i].labels.len;
        ret->items = calloc(total + 1, sizeof(*ret->items));
        for (size_t i = 0; ret->items && i < inventory->endpoints_len; i++)
                add_words(ret, &inventory->endpoints[i].labels);
        sort_words(ret);
        return ret->items;
}

static bool words_of_namespaces(const struct world *world, struct words *ret)
{
        size_t total = 0;

        for (size_t i = 0; i < world->namespaces_len; i++)
                total += world->namespaces[i].labels.len;
        ret->items = calloc(total + 1, sizeof(*ret->items));
        for (size_t i = 0; ret->items && i < world->namespaces_len; i++)
                add_words(ret, &world->namespaces[i].labels);
        sort_words(ret);
        return ret->items;
}

/* The first word whose key is not below key, or, with after, is above it. */
static size_t find_key(const struct words *words, const char *key, bool after)
{
        size_t low = 0, high = words->len;

        while (low < high) {
                size_t mid = low + (high - low) / 2;
                int cmp = strcmp(words->items[mid].key, key);

                if (cmp < 0 || (after && cmp == 0))
                        low = mid + 1;
                else
                        high = mid;
        }
        return low;
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* One letter changed, missing, added, or two neighbours exchanged. web-1 and web-2 are both meant, so digits do not count. */
static bool is_slip(const char *a, const char *b)
{
        size_t a_len = strlen(a), b_len = strlen(b), from = 0, a_end = a_len, b_end = b_len;

        if (a_len < 3 || b_len < 3 || a_len > b_len + 1 || b_len > a_len + 1)
                return false;
        while (from < a_len && from < b_len && a[from] == b[from])
                from++;
        while (a_end > from && b_end > from && a[a_end - 1] == b[b_end - 1]) {
                a_end--;
                b_end--;
        }
        if (a_end - from == 2 && b_end - from == 2)
                return a[from] == b[from + 1] && a[from + 1] == b[from] && !is_digit(a[from]);
        if (a_end - from > 1 || b_end - from > 1 || (a_end == from && b_end == from))
                return false;
        return !(a_end > from && is_digit(a[from])) && !(b_end > from && is_digit(b[from]));
}

#define CANDIDATES_MAX 1000u

static void report_slip(struct lint *lint, const struct label_requirement *requirement, const char *what,
                        const char *given, const char *meant)
{
        char hint[160];

        snprintf(hint, sizeof(hint), "did you mean \"%.63s\"?", meant);
        lint_report(lint, "VW107", &requirement->loc, &(struct lint_note){.hint = hint},
                    "no label in the inventory has the %s \"%s\"; \"%s\" is one letter away", what, given, meant);
}

static void check_value_slips(struct lint *lint, const struct words *words, const struct label_requirement *requirement,
                              size_t first, size_t end)
{
        if (end - first > CANDIDATES_MAX)
                return;
        for (size_t i = 0; i < requirement->values_len; i++) {
                const char *value = requirement->values[i], *meant = NULL;
                bool known = false;

                for (size_t j = first; j < end && !known; j++) {
                        known = strcmp(words->items[j].value, value) == 0;
                        if (!known && !meant && is_slip(words->items[j].value, value))
                                meant = words->items[j].value;
                }
                if (!known && meant)
                        report_slip(lint, requirement, "value", value, meant);
        }
}

static void check_slips(struct lint *lint, const struct words *words, const struct selector *selector)
{
        for (size_t i = 0; selector && i < selector->len; i++) {
                const struct label_requirement *requirement = &selector->requirements[i];
                size_t first = find_key(words, requirement->key, false), end = find_key(words, requirement->key, true);

                if (first < end) {
                        check_value_slips(lint, words, requirement, first, end);
                        continue;
                }
                for (size_t j = 0, n = 0; j < words->len && n < CANDIDATES_MAX; n++) {
                        if (is_slip(words->items[j].key, requirement->key)) {
                                report_slip(lint, requirement, "key", requirement->key, words->items[j].key);
                                break;
                        }
                        j = find_key(words, words->items[j].key, true);
                }
        }
}

static void check_words(struct lint *lint)
{
        struct words pods = {0}, namespaces = {0};

        if (!words_of_endpoints(lint->world->inventory, &pods) || !words_of_namespaces(lint->world, &namespaces))
                lint->r = -ENOMEM;
        for (size_t i = 0; lint->r == 0 && i < lint->policies->policies_len; i++) {
                const struct policy *policy = &lint->policies->policies[i];

                check_slips(lint, &namespaces, policy->ns_selector);
                check_slips(lint, &pods, policy->pod_selector);
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        for (size_t j = 0; j < policy->rules_len[d]; j++) {
                                for (size_t k = 0; k < policy->rules[d][j].peers_len; k++) {
                                        check_slips(lint, &namespaces, policy->rules[d][j].peers[k].ns_selector);
                                        check_slips(lint, &pods, policy->rules[d][j].peers[k].pod_selector);
                                }
                        }
                }
        }
        free(pods.items);
        free(namespaces.items);
}

/* what is selected */

static bool matches_a_namespace(const struct lint *lint, const struct selector *selector)
{
        for (size_t i = 0; i < lint->world->namespaces_len; i++)
                if (selector_matches(selector, &lint->world->namespaces[i].labels))
                        return true;
        return false;
}

static void check_empty_peer(struct lint *lint, const struct policy *policy, bool selected, const struct peer *peer)
{
        static const struct lint_note ns = {
                .hint = "a namespace is a project; it always has the label kubernetes.io/metadata.name",
        };
        static const struct lint_note pods = {.hint = "compare with the labels in the inventory"};
        const struct group *group = peer->kind == PEER_SELECTOR ? lint_peer_group(lint, policy, peer) : NULL;

        if (!group || group->len > 0)
                return;
        if (peer->ns_selector && !matches_a_namespace(lint, peer->ns_selector))
                lint_report(lint, "VW106", &peer->loc, &ns, "the namespaceSelector matches no namespace");
        else if (peer->ns_selector || selected)
                lint_report(lint, "VW105", &peer->loc, &pods, "the peer selects no endpoint of the inventory");
}

/* "- namespaceSelector" and "- podSelector" one below the other are two peers; with one dash less they would be one. */
static void check_and_or(struct lint *lint, const struct policy *policy, const struct peer *a, const struct peer *b)
{
        const struct lint_note note = {
                .hint = "without the second \"- \" the two are one item, and both must hold",
                .places = {{&a->loc, "the first of the two items"}},
        };
        const struct peer *ns = a->ns_selector ? a : b, *pods = a->ns_selector ? b : a;
        const struct group *group;
        size_t both = 0;

        if (a->kind != PEER_SELECTOR || b->kind != PEER_SELECTOR || !ns->ns_selector || ns->pod_selector ||
            pods->ns_selector || !pods->pod_selector || pods->pod_selector->len == 0)
                return;
        group = lint_peer_group(lint, policy, ns);
        for (size_t i = 0; group && i < group->len; i++)
                both += selector_matches(pods->pod_selector, &lint->world->identities[group->identities[i]].labels);
        if (both > 0 && both < group->len)
                lint_report(lint, "VW109", &b->loc, &note,
                            "these two items mean \"or\": every endpoint of those namespaces, and the selected ones of "
                            "this namespace");
}

/* addresses */

static void check_block_of_endpoints(struct lint *lint, const struct lint_sites *sites, const struct peer *peer)
{
        static const struct lint_note note = {
                .hint = "select endpoints by label, and except their network from the block",
        };
        struct addr_range range = prefix_range(&peer->cidr);
        char text[ADDR_TEXT_MAX], name[LINT_NAME_MAX];
        size_t i;

        if (peer->cidr.len == 0)
                return;
        for (i = lint_sites_from(sites, &range.first); i < sites->len; i++) {
                bool excepted = false;

                if (addr_cmp(sites->items[i].addr, &range.last) > 0)
                        return;
                for (size_t j = 0; !excepted && j < peer->excepts_len; j++) {
                        struct addr_range hole = prefix_range(&peer->excepts[j]);
                        struct addr after = hole.last;

                        excepted = prefix_contains(&peer->excepts[j], sites->items[i].addr);
                        if (excepted && !addr_next(&after))
                                return;
                        if (excepted)
                                i = lint_sites_from(sites, &after) - 1;
                }
                if (!excepted)
                        break;
        }
        if (i < sites->len)
                lint_report(lint, "VW208", &peer->loc, &note,
                            "%s holds the address of %s, which is matched by it whatever its labels",
                            prefix_format(&peer->cidr, text), lint_endpoint_name(lint, sites->items[i].endpoint, name));
}

static void check_host_except(struct lint *lint, const struct lint_sites *sites, const struct peer *peer)
{
        static const struct lint_note note = {
                .hint = "say hostTraffic: policy in the agent's configuration if the host is to be judged",
        };
        char text[ADDR_TEXT_MAX], name[LINT_NAME_MAX];

        for (size_t i = 0; i < peer->excepts_len; i++) {
                for (size_t j = 0; j < sites->hosts_len; j++) {
                        if (!prefix_contains(&peer->excepts[i], sites->hosts[j].addr))
                                continue;
                        lint_report(lint, "VW502", &peer->loc, &note,
                                    "the except %s holds the host's address (%s), and the host reaches its containers "
                                    "all the same",
                                    prefix_format(&peer->excepts[i], text),
                                    lint_endpoint_name(lint, sites->hosts[j].endpoint, name));
                        break;
                }
        }
}

static const struct peer *find_everything(const struct policy *policy, enum direction direction,
                                          enum addr_family family)
{
        for (size_t i = 0; i < policy->rules_len[direction]; i++) {
                const struct rule *rule = &policy->rules[direction][i];

                for (size_t j = 0; j < rule->peers_len; j++)
                        if (rule->peers[j].kind == PEER_BLOCK && rule->peers[j].cidr.len == 0 &&
                            rule->peers[j].cidr.addr.family == family)
                                return &rule->peers[j];
        }
        return NULL;
}

static void check_families(struct lint *lint, uint32_t p, enum direction direction)
{
        static const struct lint_note notes[ADDR_FAMILY_MAX] = {
                {.hint = "add - ipBlock: { cidr: \"::/0\" }"},
                {.hint = "add - ipBlock: { cidr: 0.0.0.0/0 }"},
        };
        const struct policy *policy = &lint->policies->policies[p];
        size_t addrs[ADDR_FAMILY_MAX] = {0};

        for (uint32_t i = lint->first[direction][p]; i < lint->first[direction][p + 1]; i++) {
                const struct class *class = &lint->world->classes[direction][lint->classes[direction][i]];

                for (size_t j = 0; j < class->identities_len; j++)
                        for (enum addr_family f = 0; f < ADDR_FAMILY_MAX; f++)
                                addrs[f] += lint->world->identities[class->identities[j]].addrs_len[f];
        }
        for (enum addr_family f = 0; f < ADDR_FAMILY_MAX; f++) {
                enum addr_family other = f == ADDR_V4 ? ADDR_V6 : ADDR_V4;
                const struct peer *peer = find_everything(policy, direction, f);

                if (peer && addrs[other] > 0 && !find_everything(policy, direction, other))
                        lint_report(
                                lint, "VW209", &peer->loc, &notes[f],
                                "this is every address of IPv%c alone, and the selected endpoints have addresses of "
                                "IPv%c too",
                                f == ADDR_V4 ? '4' : '6', f == ADDR_V4 ? '6' : '4');
        }
}

/* policies */

static void check_hosts(struct lint *lint)
{
        static const struct lint_note note = {
                .hint = "a container in the host's network is the host; use the host's own firewall"};
        const struct inventory *inventory = lint->world->inventory;
        _cleanup_free_ bool *said = calloc(lint->policies->policies_len + 1, sizeof(*said));
        char name[LINT_NAME_MAX], endpoint[LINT_NAME_MAX];

        if (!said)
                lint->r = -ENOMEM;
        for (size_t i = 0; said && i < inventory->endpoints_len; i++) {
                for (size_t j = 0; inventory->endpoints[i].host_network && j < lint->policies->policies_len; j++) {
                        const struct policy *policy = &lint->policies->policies[j];

                        if (said[j] || !policy->ns || strcmp(policy->ns, inventory->endpoints[i].ns) != 0 ||
                            !selector_matches(policy->pod_selector, &inventory->endpoints[i].labels))
                                continue;
                        said[j] = true;
                        lint_report(lint, "VW501", lint_subject_loc(policy), &note,
                                    "%s means %s too, which is in the host's network and is not held by any policy",
                                    lint_policy_name(policy, name), lint_endpoint_name(lint, i, endpoint));
                }
        }
}

static void check_rule(struct lint *lint, uint32_t p, enum direction direction, const struct rule *rule, bool selected,
                       const struct lint_sites *sites)
{
        const struct policy *policy = &lint->policies->policies[p];

        for (size_t i = 0; i < rule->peers_len; i++) {
                check_empty_peer(lint, policy, selected, &rule->peers[i]);
                if (i > 0)
                        check_and_or(lint, policy, &rule->peers[i - 1], &rule->peers[i]);
                if (rule->peers[i].kind != PEER_BLOCK)
                        continue;
                check_block_of_endpoints(lint, sites, &rule->peers[i]);
                if (direction == DIR_INGRESS)
                        check_host_except(lint, sites, &rule->peers[i]);
        }
}

static void check_policy(struct lint *lint, uint32_t p, const struct lint_sites *sites)
{
        static const struct lint_note note = {.hint = "compare with the namespaces and labels in the inventory"};
        const struct policy *policy = &lint->policies->policies[p];
        char name[LINT_NAME_MAX];
        size_t first, selected = lint_subjects(lint, p, &first);

        if (selected == 0)
                lint_report(lint, "VW104", lint_subject_loc(policy), &note, "%s selects no endpoint of the inventory",
                            lint_policy_name(policy, name));
        for (enum direction d = 0; d < DIR_MAX; d++) {
                for (size_t i = 0; policy->applies[d] && i < policy->rules_len[d]; i++)
                        check_rule(lint, p, d, &policy->rules[d][i], selected > 0, sites);
                if (policy->applies[d])
                        check_families(lint, p, d);
        }
}

void lint_inventory(struct lint *lint)
{
        check_words(lint);
        check_hosts(lint);
        for (uint32_t i = 0; lint->r == 0 && i < lint->policies->policies_len; i++)
                check_policy(lint, i, &lint->sites);
}
