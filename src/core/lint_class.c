/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint that look at endpoints rather than at policies: who is held by none, who is cut off, who cannot ask for
 * names. */
#include <string.h>

#include "lint_census.h"

/* namespaces */

static void check_unselected(struct lint *lint, uint32_t ns)
{
        static const struct lint_note note = {.hint = "add a policy with podSelector: {} to the namespace"};
        const struct world *world = lint->world;
        size_t n = 0, first = WORLD_OUTSIDE;
        char name[LINT_NAME_MAX];

        for (uint32_t i = world->ns_identities[ns]; i < world->ns_identities[ns + 1]; i++) {
                const struct identity *identity = &world->identities[i];
                bool selected = false;

                for (enum direction d = 0; d < DIR_MAX; d++)
                        selected |= world->classes[d][identity->class[d]].policies_len > 0;
                if (selected)
                        continue;
                n += identity->endpoints_len;
                if (first == WORLD_OUTSIDE || identity->endpoints[0] < first)
                        first = identity->endpoints[0];
        }
        if (n == 0)
                return;
        lint_endpoint_name(lint, first, name);
        if (n == 1)
                lint_report(lint, "VW306", NULL, &note, "%s is selected by no policy: it is open in both directions",
                            name);
        else
                lint_report(lint, "VW306", NULL, &note,
                            "%s and %zu more of its namespace are selected by no policy: they are open in both "
                            "directions",
                            name, n - 1);
}

/* The policies of a tier and namespace stand together. */
static void check_default_deny(struct lint *lint)
{
        static const struct lint_note note = {
                .hint = "add a policy with podSelector: {} and no rules for this direction"};
        const struct policy_set *set = lint->policies;

        for (size_t i = 0, j; i < set->policies_len; i = j) {
                bool closed[DIR_MAX] = {false};

                for (j = i; j < set->policies_len && set->policies[j].tier == set->policies[i].tier &&
                            (j == i || (set->policies[i].ns && strcmp(set->policies[j].ns, set->policies[i].ns) == 0));
                     j++)
                        for (enum direction d = 0; d < DIR_MAX; d++)
                                closed[d] |= set->policies[j].applies[d] && set->policies[j].pod_selector->len == 0;
                for (enum direction d = 0; set->policies[i].tier == TIER_NETWORK_POLICY && d < DIR_MAX; d++)
                        if (!closed[d])
                                lint_report(lint, "VW307", &set->policies[i].name_loc, &note,
                                            "no policy of namespace %s isolates the %s of all its endpoints: one that "
                                            "is added later is open",
                                            set->policies[i].ns, direction_name(d));
        }
}

/* reach */

static void check_class(struct lint *lint, enum direction direction, uint32_t id)
{
        static const struct lint_note dns = {.hint = "allow UDP and TCP port 53 to the resolver"};
        const struct class *class = &lint->world->classes[direction][id];
        const struct lint_reach *reach = &lint->census->reach[direction][id];
        char name[LINT_NAME_MAX];

        if (!class->isolated_by)
                return;
        lint_endpoint_name(lint, lint->world->identities[class->identities[0]].endpoints[0], name);
        if (!reach->any)
                lint_report(lint, "VW309", &class->isolated_by->name_loc, NULL, "%s %s nobody", name,
                            direction == DIR_INGRESS ? "can be reached by" : "can reach");
        if (direction == DIR_EGRESS && reach->outside && !(reach->dns_udp && reach->dns_tcp))
                lint_report(lint, "VW308", &class->isolated_by->name_loc, &dns,
                            "%s may reach addresses outside but ask nobody for names by %s", name,
                            reach->dns_udp   ? "TCP, which long answers need"
                            : reach->dns_tcp ? "UDP"
                                             : "UDP or TCP");
}

void lint_classes(struct lint *lint)
{
        for (uint32_t i = 0; i < lint->world->namespaces_len; i++)
                check_unselected(lint, i);
        check_default_deny(lint);
        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t i = 0; lint->r == 0 && i < lint->world->classes_len[d]; i++)
                        check_class(lint, d, i);
}
