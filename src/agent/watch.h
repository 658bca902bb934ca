/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and directories that are read again when they change, followed by inotify: writes, renames, symbolic links
 * swapped (as Kubernetes' mounted config maps do it), a directory removed and made anew. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <vethwall/base.h>

enum {
        WATCH_POLICIES = 1u << 0,
        WATCH_INVENTORY = 1u << 1,
        WATCH_CONFIG = 1u << 2,
};

struct watch;

/* 0 or a negative errno. */
int watch_new(struct watch **ret);
struct watch *watch_free(struct watch *watch);
DEFINE_CLEANUP(struct watch *, watch_free)

/* Follows an absolute path, file or directory, there or not; what is the WATCH_ bit to report. 0 or a negative errno. */
int watch_add(struct watch *watch, const char *path, unsigned what);

/* Forgets every path of this kind. */
void watch_remove(struct watch *watch, unsigned what);

int watch_fd(const struct watch *watch);

/* Reads what is there, never blocks. *ret_changed: the bits of what may read differently now. *ret_busy: the bits of what
 * was begun to be written and not closed since; reading it now could find half a file. 0 or a negative errno. */
int watch_dispatch(struct watch *watch, unsigned *ret_changed, unsigned *ret_busy);
