/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How diff names many endpoints, future containers and addresses at once: by a name for exactly these where there is one,
 * else one after the other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/changes.h>
#include <vethwall/latent.h>
#include <vethwall/strbuf.h>

/* The changes that are shown: of the present, or the latent ones. */
struct diff_view {
        const struct changes *changes; /* those that are shown */
        const struct latent *latent;   /* NULL: they are of the present */
};

/* Everybody there is, by namespace. */
struct diff_names {
        const struct changes *present;
        size_t *namespaces; /* owned; of each party, by number */
        size_t *sizes;      /* owned; parties of each namespace */
        size_t *seen;       /* owned; scratch, of each namespace */
        size_t *first;      /* owned; the first party of each namespace */
        bool *in;           /* owned; scratch, per kind */
        bool *marks;        /* owned; kinds of several endpoints that were named by one of them */
        size_t futures_len; /* kinds of future containers */
        const char **keys;  /* owned; the labels that selectors of either side name, sorted */
        size_t keys_len, keys_cap;
};

/* 0 or -ENOMEM. */
int diff_names_init(struct diff_names *names, const struct changes *present, const struct latent *latent,
                    const struct policy_set *const policies[static CHANGE_SIDE_MAX]);
void diff_names_fini(struct diff_names *names);

/* "all of shop", "app=web in shop", "shop/web-1, lab/probe and 12 more": kinds of the view, ascending. own, or SIZE_MAX, is
 * the only kind at the other end, so that among the kinds it means one another. source: flows come from them. */
void put_kinds_text(struct strbuf *buf, struct diff_names *names, const struct diff_view *view, const size_t *kinds,
                    size_t len, size_t own, bool source);

/* "10.0.0.0/8, 192.0.2.1", "0.0.0.0/0 except 10.0.0.0/8": ascending, disjoint. */
void put_ranges_text(struct strbuf *buf, const struct addr_range *ranges, size_t len);

/* "shop/web-1 (+2)"; it is then marked. */
void put_kind_text(struct strbuf *buf, struct diff_names *names, size_t kind);
void put_party_text(struct strbuf *buf, const struct change_party *party);

/* "a future container with app=web in namespace shop"; what ports it has or has not means nothing of a source. */
void put_future_text(struct strbuf *buf, const struct latent_party *party, bool source);
