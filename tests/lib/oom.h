/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that runs out when it is told to. Whoever links oom_dep has the allocations of its own objects and of the static
 * libraries come through here; those of shared libraries do not. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OOM_NEVER UINT32_MAX

/* After n more allocations one fails; those after it succeed again. */
void oom_after(uint32_t n);

/* True if one has failed since the last oom_after(). */
bool oom_failed(void);
