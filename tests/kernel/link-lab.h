/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host of one's own to make links and namespaces in: user, network and mount namespaces that end with the process.
 * Whatever fails to be set up ends the process, with 77 where the kernel does not allow such a host at all. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <vethwall/base.h>

/* Enters new namespaces, with an own /run/netns for names. Once, before any thread. */
void lab_enter(void);

/* Takes away all named namespaces and enters a new, empty network namespace. */
void lab_reset(void);

/* Runs a shell command, which must succeed. */
void lab_run(const char *format, ...) _printf_(1, 2);

/* The same namespaces as `ip netns add` and `ip netns del` make. */
void lab_netns_add(const char *name);
void lab_netns_del(const char *name);

/* Adds an address ("10.0.0.1/24") in a named namespace and sets the device up. IPv6 is usable at once. */
void lab_addr_add(const char *netns, const char *device, const char *address);

/* A socket in a named namespace. */
int lab_socket(const char *netns, int family, int type);

/* A process in new namespaces (CLONE_NEWNET, CLONE_NEWUSER, or 0 for none), which waits until it is killed. Returns once
 * it is there. lab_kill() leaves a zombie, lab_reap() takes it away; both may be called for one that is gone. */
pid_t lab_process(int namespaces);
void lab_kill(pid_t pid);
void lab_reap(pid_t pid);

/* Descriptors of this process. */
size_t lab_open_fds(void);
