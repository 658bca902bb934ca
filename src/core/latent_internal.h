/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The making of latent changes, shared by the files that do it.
 *
 * Theory of operation. A policy that means the same on both sides can cause no change; it can hide one. So the selectors that
 * matter are those of policies that differ, of the policies that select the same containers in the same direction, and of
 * those that select, in the other direction, whom the rules that differ name. Containers with the same place in all of them
 * are one cell; a cell that no container is in gets one, and the comparison does the rest. */
#pragma once

#include <vethwall/latent.h>

#include "cells.h"
#include "changes_internal.h"
#include "world_internal.h"

/* At most so many kinds of future containers are looked at, and in one namespace. */
#define LATENT_CELLS_MAX 2048
#define LATENT_CELLS_IN_NAMESPACE_MAX 512

/* Names of ports beyond these are not told apart. */
#define LATENT_PORTS_MAX 32

/* A selector that matters, with the namespaces it reaches into: ns alone, or those that ns_selector matches (NULL: all). */
struct latent_entry {
        const char *ns;
        const struct selector *ns_selector;
        const struct selector *pod_selector; /* NULL: all */
        bool names;                          /* a rule that differs names ports of whom it selects */
};

struct latent_build {
        struct latent *latent;
        struct arena *arena; /* of the build alone */
        const struct world *worlds[CHANGE_SIDE_MAX];
        const struct changes *changes; /* of the present */

        struct latent_entry *entries; /* owned */
        size_t entries_len, entries_cap;
        struct str_index entry_index;

        struct named_port *grown_ports; /* owned: names that rules which differ use */
        struct named_port *ports;       /* the same, each with a number that no rule singles out */
        size_t ports_len, ports_cap;
        bool names_of_all; /* a rule that differs names ports of everybody */
};

/* Fills entries and ports. 0 or -ENOMEM. */
int latent_find_entries(struct latent_build *build);

/* Whether the namespace is one that the entry reaches into. */
bool latent_entry_reaches(const struct latent_entry *entry, const char *ns, const struct label_set *labels);

/* Namespaces that the entries do not tell apart. */
struct latent_context {
        const char **names; /* owned; the namespaces that are there, sorted; the first stands for all */
        size_t names_len, names_cap;
        const char *ns;                     /* where no such namespace is there: the name of a new one */
        const struct label_set *labels;     /* of a new one */
        const struct selector *fresh;       /* what makes a new one such; NULL: nothing does */
        uint32_t *reaches[CHANGE_SIDE_MAX]; /* the entries that reach into them */
};

struct latent_contexts {
        struct latent_build *build;
        struct latent_context *items; /* owned */
        size_t len, cap;
        size_t words;                       /* of a bit for each entry */
        unsigned serial;                    /* of names of new ones */
        struct str_index index, name_index; /* by what reaches into them; by the name of a namespace */
};

/* 0 or -ENOMEM. */
int latent_find_contexts(struct latent_build *build, struct latent_contexts *ret);
void latent_contexts_fini(struct latent_contexts *contexts);

/* Fills the latent changes' inventory and parties, from the cells. 0 or -ENOMEM. */
int latent_find_futures(struct latent_build *build);
