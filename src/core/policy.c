/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy set's life, its names for people, and the settings' defaults. policy_load.c fills it. */
#include <assert.h>
#include <errno.h>

#include <vethwall/policy.h>
#include <vethwall/settings.h>

#include "policy_build.h"

int policy_set_new(struct policy_set **ret)
{
        _cleanup_(policy_set_freep) struct policy_set *set = calloc(1, sizeof(*set));

        if (!set)
                return -ENOMEM;
        set->arena = arena_new();
        set->build = calloc(1, sizeof(*set->build));
        if (!set->arena || !set->build)
                return -ENOMEM;
        *ret = steal(set);
        return 0;
}

void policy_build_free(struct policy_build *build)
{
        if (!build)
                return;
        free(build->files);
        free(build->sources);
        free(build->policies);
        free(build->namespaces);
        free(build->skipped);
        free(build->ignores);
        free(build);
}

struct policy_set *policy_set_free(struct policy_set *set)
{
        if (!set)
                return NULL;
        policy_build_free(set->build);
        arena_free(set->arena);
        free(set);
        return NULL;
}

const char *direction_name(enum direction direction)
{
        static const char *const names[] = {"ingress", "egress"};

        static_assert(ARRAY_SIZE(names) == DIR_MAX, "names do not match enum direction");
        return names[direction];
}

const char *tier_name(enum tier tier)
{
        static const char *const names[] = {"Admin", "NetworkPolicy", "Baseline", "Default"};

        static_assert(ARRAY_SIZE(names) == TIER_MAX, "names do not match enum tier");
        return names[tier];
}

const char *action_name(enum action action)
{
        static const char *const names[] = {"allow", "deny", "pass"};

        static_assert(ARRAY_SIZE(names) == ACTION_MAX, "names do not match enum action");
        return names[action];
}

static const char *const default_interfaces[] = {"docker0", "br-*", "podman*", "cni*"};

const struct settings settings_default = {
        .default_action = ACTION_ALLOW,
        .host_policy = false,
        .unknown_deny = true,
        .interfaces = default_interfaces,
        .interfaces_len = ARRAY_SIZE(default_interfaces),
};
