/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The links of the agent's namespace as plain data: what messages do to it, without a socket.
 *
 * What a link's own message says of its name, master, address and state is always taken: each change of those is
 * announced. Where its peer is, is not: a peer that moves announces itself, not the other end. So a message that
 * disagrees with the known pairing, whosever it is, only makes the table ask for the link anew (struct link_asks), and
 * the kernel's answer decides. That also makes a message harmless that waited in the socket while a newer dump was
 * taken, and one from inside a container that claims to be somebody's peer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <link/decode.h>
#include <link/link.h>

struct link_table {
        struct link *links; /* in order of ifindex */
        size_t len;
        size_t alloc;
        uint64_t generation; /* the youngest link's */
};

void link_table_fini(struct link_table *table);

struct link *link_table_find(const struct link_table *table, uint32_t ifindex);
struct link *link_table_find_name(const struct link_table *table, const char *name);

/* Links that the kernel is to be asked about. */
struct link_asks {
        uint32_t ifindex[2];
        size_t len;
};

/* A notification, from the namespace with the id origin (-1: the agent's own). Calls back for what changed. 0 or
 * -ENOMEM. *ret_asks is set in any case. */
int link_table_notify(struct link_table *table, const struct link_message *message, int32_t origin, link_cb cb,
                      void *user, struct link_asks *ret_asks);

/* The kernel's answer about one link. An answer about a link that is not in the table is passed over: its own
 * notification is on the way. */
void link_table_answer(struct link_table *table, const struct link_message *message, link_cb cb, void *user);

/* A dump is gathered in a table of its own, in any order and with repetitions (the later counts), and then takes the
 * place of the old one. Links that were known keep their generation, if nothing tells them from what was known. */
int link_table_gather(struct link_table *dump, const struct link_message *message);
void link_table_replace(struct link_table *table, struct link_table *dump);
