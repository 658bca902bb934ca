/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket's place in the file system. What is answered there is in report.h. */
#pragma once

#include <stdbool.h>

/* Creates the directory (0755) and the socket (0600), and listens. A socket that a dead agent left is replaced; one that
 * somebody answers on is not (-EADDRINUSE), nor is anything else (-EEXIST). 0 or a negative errno. */
int control_listen(const char *path, int *ret_fd);

/* True if somebody listens there. */
bool control_is_live(const char *path);
