/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a change of policies means for containers that do not exist yet. Everybody that there could be is in a cell, of those
 * that have the same place in every selector that bears on what differs; of each cell that nobody is in today, one future
 * container stands for all. Their flows, among themselves, with those that there are and with the outside, are compared as
 * those of the present are. A future container is judged by its namespace, its labels and the names of its ports: what its
 * address would add, the changes of the outside tell. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/changes.h>

/* Some who are in a cell: by their namespace, and by their labels there. */
struct latent_place {
        const char **namespaces; /* it is one of these, sorted, */
        size_t namespaces_len;
        const struct selector *new_namespace; /* or a new one whose labels match this; NULL: not */
        const struct selector *labels;
};

/* Who a party of the latent changes is. */
struct latent_party {
        bool future;
        size_t kind; /* not future: its kind in the changes of the present */

        /* Future: every container that fits one of the places, with the ports, has the changes told of it. */
        const struct latent_place *places;
        size_t places_len;
        bool unselected; /* no selector that matters matches it */
        /* The port names that rules which differ use: it has all of them, with these numbers, or none. As a source they
         * mean nothing, so that only one of the two is told of. */
        const struct named_port *ports;
        size_t ports_len;
        bool has_ports;
        size_t like; /* another party that it is like as a source; SIZE_MAX: it is told of itself */
};

struct latent {
        struct arena *arena;                   /* owned */
        struct inventory *inventory;           /* owned: one of each kind that is there, and the future ones */
        struct world *worlds[CHANGE_SIDE_MAX]; /* owned */
        struct changes *changes;               /* owned; each has a future end */
        const struct latent_party *parties;    /* as changes->parties */
        size_t widened, narrowed;              /* changes; those that are both are in both */
        bool bounded; /* there are more cells than were looked at: what is not listed may change too */
};

/* Borrows the worlds and what they are made of, and the changes between them. 0 or -ENOMEM. */
int latent_new(struct latent **ret, const struct world *old, const struct world *new, const struct changes *changes);
struct latent *latent_free(struct latent *latent);
DEFINE_CLEANUP(struct latent *, latent_free)

/* The party's other self: a container with its labels, namespace and ports, and no address. A new namespace has a name of no
 * meaning there; the one that selectors see is among its labels. */
const struct endpoint *latent_example(const struct latent *latent, size_t party);
