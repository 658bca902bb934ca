/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The changes as lines: those of one reason together, and in one line all that have the same change with the same others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "diff_rows.h"

/* One part of a change, seen from its inner end: the source or, where that is the outside, the destination. */
struct entry {
        const struct change_reason *reason;
        const struct conns *conns;
        bool from_outside;
        char sign;
        size_t kind;
        struct change_end other;
        size_t order;
};

/* The entries of one inner end that differ in the other end alone: to kinds, ascending, and then to ranges. */
struct group {
        struct entry *entries;
        size_t len, kinds_len;
        bool with_own; /* its own kind counts as one of the others, as nobody else is of it */
        size_t order;
};

/* Groups with the same others; in the order of the first of each. */
struct line {
        size_t first, len, order;
};

struct making {
        const struct diff_view *view;
        struct diff_names *names;
        struct entry *entries; /* owned */
        struct group *groups;  /* owned */
        struct line *lines;    /* owned */
        size_t entries_len, groups_len, lines_len;
        size_t *kinds;             /* owned; scratch */
        struct addr_range *ranges; /* owned; scratch */
};

void rows_fini(struct rows *rows)
{
        for (size_t i = 0; i < rows->len; i++) {
                free(rows->items[i].src);
                free(rows->items[i].dst);
        }
        free(rows->items);
}

static void making_fini(struct making *making)
{
        free(making->entries);
        free(making->groups);
        free(making->lines);
        free(making->kinds);
        free(making->ranges);
}

#define CMP(a, b) (((a) > (b)) - ((a) < (b)))

/* All that a line has in common but for its ends. */
static int entry_cmp_line(const struct entry *a, const struct entry *b)
{
        int c = CMP(a->reason->id, b->reason->id);

        if (c == 0)
                c = CMP(a->from_outside, b->from_outside);
        if (c == 0)
                c = CMP(a->sign, b->sign);
        return c != 0 ? c : CMP(a->conns->id, b->conns->id);
}

static int entry_cmp(const void *a, const void *b)
{
        const struct entry *x = a, *y = b;
        int c = entry_cmp_line(x, y);

        if (c == 0)
                c = CMP(x->kind, y->kind);
        return c != 0 ? c : CMP(x->order, y->order);
}

/* The next of the others of a group, its own kind taken for one of them where it can be. */
static size_t next_kind(const struct group *group, size_t *at, bool *own_done)
{
        size_t own = group->entries->kind, next = SIZE_MAX;

        if (*at < group->kinds_len)
                next = group->entries[*at].other.kind;
        if (group->with_own && !*own_done && own < next) {
                *own_done = true;
                return own;
        }

        *at += next != SIZE_MAX;
        return next;
}

static int cmp_others(const struct group *a, const struct group *b)
{
        size_t i = 0, j = 0, x, y;
        bool own_a = false, own_b = false;
        int c;

        do {
                x = next_kind(a, &i, &own_a);
                y = next_kind(b, &j, &own_b);
        } while (x == y && x != SIZE_MAX);
        if (x != y)
                return CMP(x, y);

        c = CMP(a->len - a->kinds_len, b->len - b->kinds_len);
        for (size_t n = 0; c == 0 && n < a->len - a->kinds_len; n++) {
                const struct addr_range *p = &a->entries[a->kinds_len + n].other.range;
                const struct addr_range *q = &b->entries[b->kinds_len + n].other.range;

                c = addr_cmp(&p->first, &q->first);
                if (c == 0)
                        c = addr_cmp(&p->last, &q->last);
        }

        return c;
}

/* Groups of one line come together. */
static int group_cmp_line(const void *a, const void *b)
{
        const struct group *x = a, *y = b;
        int c = entry_cmp_line(x->entries, y->entries);

        if (c == 0)
                c = cmp_others(x, y);
        return c != 0 ? c : CMP(x->order, y->order);
}

static char change_sign(const struct change *change)
{
        return conns_is_empty(change->conns[CHANGE_OLD]) ? '+' : conns_is_empty(change->conns[CHANGE_NEW]) ? '-' : '~';
}

static void make_entries(struct making *making, const struct change *change)
{
        for (size_t i = 0; i < change->parts_len; i++) {
                struct entry *entry = &making->entries[making->entries_len];

                *entry = (struct entry){
                        .reason = change->parts[i].reason,
                        .conns = change->parts[i].conns,
                        .from_outside = change->src.outside,
                        .sign = change_sign(change),
                        .kind = change->src.outside ? change->dst.kind : change->src.kind,
                        .other = change->src.outside ? change->src : change->dst,
                        .order = making->entries_len++,
                };
                if (entry->other.outside)
                        entry->other.range = change->parts[i].range;
        }
}

static void make_groups(struct making *making)
{
        struct group *group = NULL;

        qsort(making->entries, making->entries_len, sizeof(*making->entries), entry_cmp);
        for (size_t i = 0; i < making->entries_len; i++) {
                struct entry *entry = &making->entries[i];

                if (!group || entry_cmp_line(group->entries, entry) != 0 || group->entries->kind != entry->kind) {
                        group = &making->groups[making->groups_len];
                        *group = (struct group){.entries = entry, .order = making->groups_len++};
                }
                group->len++;
                group->kinds_len += !entry->other.outside;
        }
}

/* Groups that have exactly the same others are a line; of new lines, those from first on. */
static void make_lines(struct making *making, size_t first)
{
        qsort(making->groups, making->groups_len, sizeof(*making->groups), group_cmp_line);
        for (size_t i = 0; i < making->groups_len; i++) {
                const struct group *group = &making->groups[i];
                struct line *line = making->lines_len > first ? &making->lines[making->lines_len - 1] : NULL;

                if (!line || entry_cmp_line(making->groups[line->first].entries, group->entries) != 0 ||
                    cmp_others(&making->groups[line->first], group) != 0) {
                        line = &making->lines[making->lines_len++];
                        *line = (struct line){i, 0, group->order};
                }
                line->len++;
        }
}

/* Groups that stand alone come last, and are in no line any more. */
static int set_apart(struct making *making, size_t *ret)
{
        _cleanup_free_ struct group *groups = NULL;
        size_t n = 0, lines = 0, single = 0;

        groups = calloc(making->groups_len + 1, sizeof(*groups));
        if (!groups)
                return -ENOMEM;

        for (size_t i = 0; i < making->lines_len; i++)
                if (making->lines[i].len == 1)
                        single++;
        for (size_t i = 0, alone = making->groups_len - single; i < making->lines_len; i++) {
                struct line line = making->lines[i];

                if (line.len == 1) {
                        groups[alone++] = making->groups[line.first];
                        continue;
                }
                memcpy(groups + n, making->groups + line.first, line.len * sizeof(*groups));
                line.first = n;
                n += line.len;
                making->lines[lines++] = line;
        }

        making->lines_len = lines;
        if (making->groups_len > 0)
                memcpy(making->groups, groups, making->groups_len * sizeof(*groups));
        *ret = single;
        return 0;
}

/* Those that stand alone may still be everybody with everybody else, each lacking only itself among the others. */
static int join_single(struct making *making)
{
        struct group *groups = making->groups;
        size_t all = making->groups_len, lines, single = 0;
        int r;

        r = set_apart(making, &single);
        if (r < 0)
                return r;

        for (size_t i = all - single; i < all; i++)
                groups[i].with_own = groups[i].kinds_len > 0 && !making->view->latent &&
                                     making->view->changes->kinds[groups[i].entries->kind].len == 1;

        lines = making->lines_len;
        making->groups = groups + all - single;
        making->groups_len = single;
        make_lines(making, lines);
        making->groups = groups;
        making->groups_len = all;
        for (size_t i = lines; i < making->lines_len; i++)
                making->lines[i].first += all - single;

        return 0;
}

static int steal_text(struct strbuf *text, char **ret)
{
        int r;

        r = strbuf_check(text);
        if (r < 0)
                return r;

        *ret = steal(text->text);
        *text = (struct strbuf)STRBUF_INIT;
        return 0;
}

/* The others of a group. Where it stands alone its own kind is only there if it is one of them; and where several do, each of
 * them has the change with all of these but itself. */
static void put_others(struct making *making, struct strbuf *text, const struct group *group, bool alone)
{
        size_t len = 0, at = 0, own = alone ? group->entries->kind : SIZE_MAX, kind, ranges = 0;
        bool own_done = false;

        while ((kind = next_kind(group, &at, &own_done)) != SIZE_MAX)
                making->kinds[len++] = kind;
        if (len > 0)
                put_kinds_text(text, making->names, making->view, making->kinds, len, own, false);

        for (size_t i = group->kinds_len; i < group->len; i++)
                making->ranges[ranges++] = group->entries[i].other.range;
        strbuf_puts(text, len > 0 && ranges > 0 ? ", " : "");
        if (ranges > 0)
                put_ranges_text(text, making->ranges, ranges);
}

/* A line of the groups, which have the same others. */
static int make_row(struct making *making, const struct group *groups, size_t len, struct row *row)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        const struct entry *entry = groups->entries;
        int r;

        *row = (struct row){.reason = entry->reason, .conns = entry->conns, .sign = entry->sign};
        for (size_t i = 0; i < len; i++)
                making->kinds[i] = groups[i].entries->kind;
        put_kinds_text(&text, making->names, making->view, making->kinds, len, SIZE_MAX, !entry->from_outside);
        r = steal_text(&text, entry->from_outside ? &row->dst : &row->src);
        if (r < 0)
                return r;

        put_others(making, &text, groups, len == 1);
        return steal_text(&text, entry->from_outside ? &row->src : &row->dst);
}

static int line_cmp(const void *a, const void *b)
{
        return CMP(((const struct line *)a)->order, ((const struct line *)b)->order);
}

static int make_rows(struct making *making, struct rows *ret)
{
        int r = 0;

        qsort(making->lines, making->lines_len, sizeof(*making->lines), line_cmp);
        ret->items = calloc(making->lines_len + 1, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < making->lines_len; i++)
                r = make_row(making, &making->groups[making->lines[i].first], making->lines[i].len,
                             &ret->items[ret->len++]);

        return r;
}

int rows_make(const struct diff_view *view, struct diff_names *names, struct rows *ret)
{
        _cleanup_(making_fini) struct making making = {.view = view, .names = names};
        const struct changes *changes = view->changes;
        size_t len = 0;
        int r;

        for (size_t i = 0; i < changes->len; i++)
                len += changes->items[i].parts_len;

        making.entries = calloc(len + 1, sizeof(*making.entries));
        making.groups = calloc(len + 1, sizeof(*making.groups));
        making.kinds = calloc(changes->kinds_len + 1, sizeof(*making.kinds));
        making.ranges = calloc(len + 1, sizeof(*making.ranges));
        making.lines = calloc(len + 1, sizeof(*making.lines));
        if (!making.lines || !making.entries || !making.groups || !making.kinds || !making.ranges)
                return -ENOMEM;

        for (size_t i = 0; i < changes->len; i++)
                make_entries(&making, &changes->items[i]);
        make_groups(&making);
        make_lines(&making, 0);
        r = join_single(&making);
        return r == 0 ? make_rows(&making, ret) : r;
}
