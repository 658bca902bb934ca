/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether one policy, rule or peer covers another by what it says, whatever endpoints there are. */
#include <string.h>

#include "lint_internal.h"

/* Whether wide allows all that narrow does, whatever the inventory. */
static bool peer_covers(const struct policy *wide_policy, const struct peer *wide, const struct policy *narrow_policy,
                        const struct peer *narrow)
{
        if (wide->kind != narrow->kind)
                return false;
        if (wide->kind == PEER_BLOCK) {
                struct addr_range range = prefix_range(&narrow->cidr);

                return wide->excepts_len == 0 && wide->cidr.addr.family == narrow->cidr.addr.family &&
                       wide->cidr.len <= narrow->cidr.len && prefix_contains(&wide->cidr, &range.first);
        }
        if (!lint_selector_covers(wide->pod_selector, narrow->pod_selector))
                return false;
        if (wide->ns_selector)
                return narrow->ns_selector ? lint_selector_covers(wide->ns_selector, narrow->ns_selector)
                                           : wide->ns_selector->len == 0;
        return !narrow->ns_selector && narrow_policy->ns && wide_policy->ns &&
               strcmp(narrow_policy->ns, wide_policy->ns) == 0;
}

static bool ports_cover(const struct rule *wide, const struct rule *narrow)
{
        if (wide->any_port || narrow->any_port)
                return wide->any_port;
        for (size_t i = 0; i < narrow->ports_len; i++) {
                bool found = false;

                for (size_t j = 0; !found && j < wide->ports_len; j++) {
                        const struct port_match *w = &wide->ports[j], *n = &narrow->ports[i];

                        if (w->protocol != n->protocol || w->kind != n->kind)
                                continue;
                        found = n->kind == PORT_NAME
                                        ? strcmp(w->name, n->name) == 0
                                        : w->range.first <= n->range.first && n->range.last <= w->range.last;
                }
                if (!found)
                        return false;
        }
        return true;
}

bool lint_subject_covers(const struct policy *wide, const struct policy *narrow)
{
        if (!lint_selector_covers(wide->pod_selector, narrow->pod_selector))
                return false;
        if (wide->ns)
                return narrow->ns && strcmp(wide->ns, narrow->ns) == 0;
        if (!narrow->ns)
                return lint_selector_covers(wide->ns_selector, narrow->ns_selector);
        return !wide->ns_selector || wide->ns_selector->len == 0;
}

bool lint_rule_covers(const struct lint *lint, const struct world_rule *wide, const struct world_rule *narrow)
{
        const struct policy *w = &lint->policies->policies[wide->policy],
                            *n = &lint->policies->policies[narrow->policy];

        if (!lint_subject_covers(w, n) || !ports_cover(wide->rule, narrow->rule))
                return false;
        if (wide->rule->any_peer || narrow->rule->any_peer)
                return wide->rule->any_peer;
        for (size_t i = 0; i < narrow->rule->peers_len; i++) {
                bool found = false;

                for (size_t j = 0; !found && j < wide->rule->peers_len; j++)
                        found = peer_covers(w, &wide->rule->peers[j], n, &narrow->rule->peers[i]);
                if (!found)
                        return false;
        }
        return true;
}
