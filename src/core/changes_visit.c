/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes, endpoint by endpoint: the kinds unfolded in the matrix's order. */
#include <errno.h>

#include <vethwall/changes.h>

size_t change_size(const struct changes *changes, const struct change *change)
{
        size_t src = change->src.outside ? 1 : changes->kinds[change->src.kind].len;
        size_t dst = change->dst.outside ? 1 : changes->kinds[change->dst.kind].len;
        bool own = !change->src.outside && !change->dst.outside && change->src.kind == change->dst.kind;

        return src * (own ? dst - 1 : dst);
}

/* Where the changes of each source kind begin, and, behind the last, those from the outside to each kind. */
static size_t *index_items(const struct changes *changes)
{
        size_t *starts, at = 0;

        starts = calloc(2 * changes->kinds_len + 1, sizeof(*starts));
        if (!starts)
                return NULL;

        for (size_t i = 0; i < 2 * changes->kinds_len; i++) {
                bool from_outside = i >= changes->kinds_len;
                size_t kind = from_outside ? i - changes->kinds_len : i;

                starts[i] = at;
                while (at < changes->len && changes->items[at].src.outside == from_outside &&
                       (from_outside ? changes->items[at].dst.kind : changes->items[at].src.kind) == kind)
                        at++;
        }
        starts[2 * changes->kinds_len] = at;

        return starts;
}

/* From one endpoint. by_kind has room for a change to each kind. */
static int visit_source(const struct changes *changes, const size_t *starts, size_t src, const struct change **by_kind,
                        change_visitor visit, void *userdata)
{
        const struct change_party *party = &changes->parties[src];
        size_t first = starts[party->kind], end = starts[party->kind + 1], at = first;
        int r = 0;

        if (first == end)
                return 0;

        for (size_t i = 0; i < changes->kinds_len; i++)
                by_kind[i] = NULL;
        for (; at < end && !changes->items[at].dst.outside; at++)
                by_kind[changes->items[at].dst.kind] = &changes->items[at];

        for (size_t dst = 0; r == 0 && at > first && dst < changes->parties_len; dst++) {
                const struct change *change = by_kind[changes->parties[dst].kind];

                if (change && dst != src)
                        r = visit(changes, change, party, &changes->parties[dst], userdata);
        }
        for (; r == 0 && at < end; at++)
                r = visit(changes, &changes->items[at], party, NULL, userdata);

        return r;
}

int changes_visit(const struct changes *changes, change_visitor visit, void *userdata)
{
        _cleanup_free_ const struct change **by_kind = NULL;
        _cleanup_free_ size_t *starts = NULL;
        int r = 0;

        starts = index_items(changes);
        by_kind = calloc(changes->kinds_len + 1, sizeof(struct change *));
        if (!starts || !by_kind)
                return -ENOMEM;

        for (size_t i = 0; r == 0 && i < changes->parties_len; i++)
                r = visit_source(changes, starts, i, by_kind, visit, userdata);

        for (size_t i = 0; r == 0 && i < changes->parties_len; i++) {
                size_t at = changes->kinds_len + changes->parties[i].kind;

                for (size_t j = starts[at]; r == 0 && j < starts[at + 1]; j++)
                        r = visit(changes, &changes->items[j], NULL, &changes->parties[i], userdata);
        }

        return r;
}
