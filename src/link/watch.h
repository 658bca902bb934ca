/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this room share of a watch. */
#pragma once

#include <sys/types.h>

#include <link/decode.h>
#include <link/link.h>
#include <link/query.h>
#include <link/table.h>

struct link_watch {
        int fd; /* notifications */
        struct query query;
        struct link_table table;
        link_cb cb;
        void *user;
        struct link_stats stats;

        /* The file of the agent's own namespace. */
        dev_t own_dev;
        ino_t own_ino;
};

/* A disturbed dump is taken again, but not for ever: what disturbs it is announced as well. */
#define LINK_DUMP_TRIES 8

/* One link, freshly from the kernel. 0, -ENODEV, or another negative errno. */
int link_query(struct query *query, uint32_t ifindex, struct link_message *ret);
