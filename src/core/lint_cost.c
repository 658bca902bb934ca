/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint about cost: what policies cost in elements of the kernel's sets, rules that could be one, and labels that
 * change with every start. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"

/* labels that change */

/* Set anew by an engine or a build for every container, task or version. */
static const char *const churning[] = {
        "app.kubernetes.io/version",
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
        "batch.kubernetes.io/job-name",
        "com.docker.compose.config-hash",
        "com.docker.compose.container-number",
        "com.docker.compose.image",
        "com.docker.compose.replace",
        "com.docker.compose.version",
        "com.docker.swarm.node.id",
        "com.docker.swarm.task",
        "com.docker.swarm.task.id",
        "com.docker.swarm.task.name",
        "controller-revision-hash",
        "controller-uid",
        "helm.sh/chart",
        "io.podman.compose.config-hash",
        "io.podman.compose.version",
        "job-name",
        "org.label-schema.build-date",
        "org.label-schema.vcs-ref",
        "org.label-schema.version",
        "org.opencontainers.image.created",
        "org.opencontainers.image.revision",
        "org.opencontainers.image.version",
        "pod-template-generation",
        "pod-template-hash",
        "statefulset.kubernetes.io/pod-name",
};

static void check_selector(struct lint *lint, const struct selector *selector)
{
        static const struct lint_note note = {
                .hint = "select by a label that says what the container is for, such as com.docker.compose.service",
        };

        for (size_t i = 0; selector && i < selector->len; i++) {
                const struct label_requirement *requirement = &selector->requirements[i];

                for (size_t j = 0; j < ARRAY_SIZE(churning); j++)
                        if (strcmp(requirement->key, churning[j]) == 0 &&
                            (requirement->op == LABEL_IN || requirement->op == LABEL_NOT_IN))
                                lint_report(lint, "VW603", &requirement->loc, &note,
                                            "the value of the label \"%s\" changes with the container: the policy will "
                                            "soon select others, or none",
                                            requirement->key);
        }
}

/* rules that could be one */

static int cmp_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_selector(struct strbuf *buf, const struct selector *selector)
{
        strbuf_putc(buf, selector ? '{' : '-');
        for (size_t i = 0; selector && i < selector->len; i++) {
                const struct label_requirement *requirement = &selector->requirements[i];

                strbuf_printf(buf, "%s %s", requirement->key, label_op_name(requirement->op));
                for (size_t j = 0; j < requirement->values_len; j++)
                        strbuf_printf(buf, " %s", requirement->values[j]);
                strbuf_putc(buf, ';');
        }
}

static void put_peer(struct strbuf *buf, const struct peer *peer)
{
        char text[ADDR_TEXT_MAX];

        if (peer->kind == PEER_SELECTOR) {
                put_selector(buf, peer->ns_selector);
                put_selector(buf, peer->pod_selector);
                return;
        }
        strbuf_puts(buf, prefix_format(&peer->cidr, text));
        for (size_t i = 0; i < peer->excepts_len; i++)
                strbuf_printf(buf, "-%s", prefix_format(&peer->excepts[i], text));
}

static void put_port(struct strbuf *buf, const struct port_match *port)
{
        if (port->kind == PORT_NAME)
                strbuf_printf(buf, "%u %s", port->protocol, port->name);
        else
                strbuf_printf(buf, "%u %u-%u", port->protocol, port->range.first, port->range.last);
}

/* The peers or the ports of a rule as a text that is equal where they are, in whatever order they stand. NULL where memory
 * is short. */
static const char *list_text(struct arena *arena, const struct rule *rule, bool peers)
{
        size_t len = peers ? rule->peers_len : rule->ports_len;
        _cleanup_free_ const char **texts = calloc(len + 1, sizeof(*texts));
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        for (size_t i = 0; texts && i < len; i++) {
                strbuf_clear(&buf);
                if (peers)
                        put_peer(&buf, &rule->peers[i]);
                else
                        put_port(&buf, &rule->ports[i]);
                if (strbuf_check(&buf) < 0)
                        return NULL;
                texts[i] = arena_strdup(arena, buf.text);
                if (!texts[i])
                        return NULL;
        }
        if (!texts)
                return NULL;
        if (len > 1)
                qsort(texts, len, sizeof(*texts), cmp_text);
        strbuf_clear(&buf);
        strbuf_puts(&buf, len == 0 ? "any" : "");
        for (size_t i = 0; i < len; i++)
                strbuf_printf(&buf, "%s\n", texts[i]);
        return strbuf_check(&buf) < 0 ? NULL : arena_strdup(arena, buf.text);
}

static void report_mergeable(struct lint *lint, const struct policy *policy, enum direction d, const struct rule *first,
                             const struct rule *rule, bool peers)
{
        char one[LINT_NAME_MAX], two[LINT_NAME_MAX];
        const struct lint_note note = {
                .hint = peers ? "write the ports of both into one rule" : "write the peers of both into one rule",
                .places = {{&first->loc, "the rule that it could be part of"}},
        };

        lint_report(lint, "VW602", &rule->loc, &note, "%s has the %s of %s: one rule would say the same",
                    lint_rule_name(policy, d, rule, one), peers ? "peers" : "ports",
                    lint_rule_name(policy, d, first, two));
}

/* Looks for the last rule before i with the same peers or ports, and enters i. Where there is an order, only neighbours that
 * say the same can be one. */
static bool find_same(struct lint *lint, struct arena *arena, const struct policy *policy, enum direction d, uint32_t i,
                      bool peers, struct str_index *index, uint32_t *ret)
{
        const struct rule *rules = policy->rules[d];
        const char *text = list_text(arena, &rules[i], peers);
        bool found;

        if (!text) {
                lint->r = -ENOMEM;
                return false;
        }
        found = str_index_get(index, text, strlen(text), ret);
        if (str_index_put(index, text, strlen(text), i) < 0)
                lint->r = -ENOMEM;
        return found &&
               (policy->tier == TIER_NETWORK_POLICY || (*ret + 1 == i && rules[*ret].action == rules[i].action));
}

static void check_mergeable(struct lint *lint, const struct policy *policy, enum direction d)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        _cleanup_(str_index_fini) struct str_index by_peers = STR_INDEX_INIT, by_ports = STR_INDEX_INIT;

        for (uint32_t i = 0; arena && lint->r == 0 && i < policy->rules_len[d]; i++) {
                uint32_t by_peers_of = NONE, by_ports_of = NONE;
                bool same_peers, same_ports;

                if (policy->rules[d][i].fails_closed)
                        continue;
                same_peers = find_same(lint, arena, policy, d, i, true, &by_peers, &by_peers_of);
                same_ports = find_same(lint, arena, policy, d, i, false, &by_ports, &by_ports_of);
                /* One that is the same in both is dead, which is told elsewhere. */
                if (same_peers != same_ports || (same_peers && by_peers_of != by_ports_of))
                        report_mergeable(lint, policy, d, &policy->rules[d][same_peers ? by_peers_of : by_ports_of],
                                         &policy->rules[d][i], same_peers);
        }
        if (!arena)
                lint->r = -ENOMEM;
}

void lint_costs(struct lint *lint)
{
        for (size_t i = 0; i < lint->policies->policies_len; i++) {
                const struct policy *policy = &lint->policies->policies[i];

                check_selector(lint, policy->pod_selector);
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        for (size_t j = 0; j < policy->rules_len[d]; j++)
                                for (size_t k = 0; k < policy->rules[d][j].peers_len; k++)
                                        check_selector(lint, policy->rules[d][j].peers[k].pod_selector);
                        if (policy->applies[d] && policy->rules_len[d] > 1)
                                check_mergeable(lint, policy, d);
                }
        }
}

/* elements */

#define POLICY_ELEMENTS_MAX 10000u
#define TOTAL_ELEMENTS_MAX 100000u

/* As in the compiler: from so many addresses on, a group that two classes name is a set of its own. */
#define SHARED_MIN 16u

/* Rules that name a group, once for each class they are asked in. */
static uint64_t *count_uses(const struct lint *lint)
{
        const struct world *world = lint->world;
        uint64_t *uses = calloc(world->groups_len + 1, sizeof(*uses));

        for (enum direction d = 0; uses && d < DIR_MAX; d++)
                for (size_t i = 0; i < world->rules_len[d]; i++) {
                        const struct world_rule *rule = &world->rules[d][i];

                        for (size_t j = 0; j < rule->groups_len; j++)
                                uses[rule->groups[j]] +=
                                        lint->first[d][rule->policy + 1] - lint->first[d][rule->policy];
                }
        return uses;
}

/* In every class: the addresses of peers, blocks with their holes, and ports. A set that is shared is shared out. */
static uint64_t rule_cost(const struct lint *lint, enum direction d, const struct world_rule *rule,
                          const uint64_t *uses)
{
        uint64_t classes = lint->first[d][rule->policy + 1] - lint->first[d][rule->policy], cost = 0, each = 0;

        for (size_t i = 0; i < rule->groups_len; i++) {
                const struct group *group = &lint->world->groups[rule->groups[i]];
                uint64_t addrs = group->addrs_len[ADDR_V4] + group->addrs_len[ADDR_V6];

                if (addrs >= SHARED_MIN && uses[rule->groups[i]] > 1 && !(d == DIR_EGRESS && rule->has_names))
                        cost += addrs * classes / uses[rule->groups[i]];
                else
                        each += addrs;
        }
        for (size_t i = 0; i < rule->rule->peers_len; i++)
                if (rule->rule->peers[i].kind == PEER_BLOCK)
                        each += 1 + 2 * rule->rule->peers[i].excepts_len;
        return cost + classes * (each + rule->rule->ports_len);
}

/* What the policy's annotation says, or else the limit for all. */
static uint64_t find_limit(struct lint *lint, const struct policy *policy)
{
        static const struct lint_note note = {.hint = "write a number from 1 to 999999999, in quotes"};
        const char *text = policy->elements.text;
        uint64_t limit = 0;

        if (!text)
                return POLICY_ELEMENTS_MAX;
        if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 9 || text[0] == '0' || !text[0]) {
                lint_report(lint, "VW601", &policy->elements.loc, &note,
                            "the annotation " POLICY_ELEMENTS_ANNOTATION " is not a number of elements");
                return POLICY_ELEMENTS_MAX;
        }
        for (; *text; text++)
                limit = limit * 10 + (uint64_t)(*text - '0');
        return limit;
}

static void report_cost(struct lint *lint, uint32_t p, uint64_t cost, uint64_t limit)
{
        static const struct lint_note note = {
                .hint = "select peers by namespaces or labels that other policies use too: such sets are held once",
        };
        const struct policy *policy = &lint->policies->policies[p];
        char name[LINT_NAME_MAX];
        uint32_t classes = 0;

        for (enum direction d = 0; d < DIR_MAX; d++)
                classes += lint->first[d][p + 1] - lint->first[d][p];
        lint_report(
                lint, "VW601", &policy->name_loc, &note,
                "%s costs about %llu elements of the kernel's sets, more than %llu: its peers, blocks and ports are "
                "written out for %u classes of endpoints",
                lint_policy_name(policy, name), (unsigned long long)cost, (unsigned long long)limit, classes);
}

void lint_elements(struct lint *lint)
{
        static const struct lint_note note = {.hint = "begin with this one"};
        _cleanup_free_ uint64_t *uses = count_uses(lint);
        uint64_t total = 0, most = 0;
        uint32_t costliest = 0;
        char name[LINT_NAME_MAX];

        if (!uses) {
                lint->r = -ENOMEM;
                return;
        }
        for (uint32_t i = 0; i < lint->policies->policies_len; i++) {
                uint64_t cost = 0, limit = find_limit(lint, &lint->policies->policies[i]);

                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (uint32_t j = lint->world->policy_rules[d][i]; j < lint->world->policy_rules[d][i + 1]; j++)
                                cost += rule_cost(lint, d, &lint->world->rules[d][j], uses);
                if (cost > limit)
                        report_cost(lint, i, cost, limit);
                if (cost > most) {
                        most = cost;
                        costliest = i;
                }
                total += cost;
        }
        if (total > TOTAL_ELEMENTS_MAX)
                lint_report(
                        lint, "VW601", &lint->policies->policies[costliest].name_loc, &note,
                        "all policies together cost about %llu elements of the kernel's sets, more than %u; %s costs "
                        "most, about %llu",
                        (unsigned long long)total, TOTAL_ELEMENTS_MAX,
                        lint_policy_name(&lint->policies->policies[costliest], name), (unsigned long long)most);
}
