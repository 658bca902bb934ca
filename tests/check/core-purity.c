/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole core linked with nothing but libyaml and libc: that this links is the proof that the core needs no other
 * room and no other library. */
#include <vethwall/policy.h>

int main(void)
{
        struct policy_set *set = NULL;

        if (policy_set_new(&set) < 0)
                return 1;
        policy_set_free(set);
        return 0;
}
