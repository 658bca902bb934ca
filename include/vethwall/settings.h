/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the configuration decides about enforcement, as a plain value for the core. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/policy.h>

struct settings {
        enum action default_action;    /* of an endpoint that no policy isolates: ACTION_ALLOW or ACTION_DENY */
        bool host_policy;              /* traffic between a container and its own host is judged by policy */
        bool unknown_deny;             /* what is no known endpoint passes nothing on a managed interface */
        const char *const *interfaces; /* managed bridges and veths; a trailing '*' matches any rest */
        size_t interfaces_len;
};

/* The contract's defaults: allow, allow, deny, and docker0, br-*, podman*, cni*. */
extern const struct settings settings_default;
