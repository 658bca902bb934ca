/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The service manager's notification protocol, sd_notify(3), without its library: one datagram a message. */
#pragma once

#include <vethwall/base.h>

/* Sends the text ("READY=1\nSTATUS=...") to NOTIFY_SOCKET. Without that variable, and where nobody listens, it does
 * nothing: a service manager that is not there must not stop the agent. */
void notify_send(const char *fmt, ...) _printf_(1, 2);

/* RELOADING=1 needs the time at which reloading began, for the manager to tell reloads apart. */
void notify_reloading(void);
