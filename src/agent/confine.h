/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Least privilege: what the agent gives up once everything is open. It parses what others write (policies, engines' answers,
 * packets' traces), so a mistake in it must be worth as little as can be. Sources: capabilities(7), seccomp(2),
 * landlock(7), prctl(2) PR_SET_NO_NEW_PRIVS. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum confinement {
        CONFINE_NO_NEW_PRIVILEGES, /* no program that is run could gain any */
        CONFINE_CAPABILITIES,      /* only those of confine_capabilities[] are left, where they were there */
        CONFINE_FILES,             /* Landlock: nothing is run, and written only where it must be */
        CONFINE_SYSTEM_CALLS,      /* seccomp: only those that it uses */
        CONFINE_MAX,
};

/* "no-new-privileges", "capabilities", "landlock", "seccomp" */
const char *confine_name(enum confinement what);

struct confine_capability {
        int number; /* CAP_NET_ADMIN, ... */
        const char *reason;
};
extern const struct confine_capability confine_capabilities[];
extern const size_t confine_capabilities_len;

/* Gives up what is wanted[] for good. writable are directories in which files may still be made, written and removed; one that
 * is not there is passed over. ret[i] becomes 0, or a negative errno where the kernel would not: -EOPNOTSUPP where it has no
 * such thing (Landlock before Linux 5.13). Where that is not wanted it becomes -ECANCELED. 0 or -ENOMEM. */
int confine(const bool wanted[static CONFINE_MAX], const char *const *writable, size_t writable_len,
            int ret[static CONFINE_MAX]);
