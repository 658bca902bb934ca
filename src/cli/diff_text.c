/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff for people, on a terminal and in a review: the changes by what caused them, so that one rule that changed
 * is one entry with every flow that it turned. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cause.h"
#include "diff.h"
#include "flow.h"
#include "output.h"

/* Members of a kind named before the rest is only counted. */
#define MEMBERS_SHOWN 8

/* One part of a change, seen from its inner end: the source or, where that is the outside, the destination. */
struct entry {
        const struct change_reason *reason;
        const struct conns *conns;
        bool from_outside;
        char sign; /* '+' nothing was allowed before, '-' nothing is now, '~' something before and after */
        size_t kind;
        struct change_end other;
        size_t order;
};

/* Entries that differ in the other end alone. */
struct row {
        const struct entry *entries;
        size_t len;
        bool done;
};

struct rows {
        struct entry *entries; /* owned */
        struct row *items;     /* owned; by reason */
        size_t len;
};

static void rows_fini(struct rows *rows)
{
        free(rows->entries);
        free(rows->items);
}

static int entry_cmp_row(const struct entry *a, const struct entry *b)
{
        if (a->reason != b->reason)
                return a->reason->id < b->reason->id ? -1 : 1;
        if (a->from_outside != b->from_outside)
                return a->from_outside ? 1 : -1;
        if (a->kind != b->kind)
                return a->kind < b->kind ? -1 : 1;
        if (a->sign != b->sign)
                return a->sign < b->sign ? -1 : 1;
        if (a->conns != b->conns)
                return a->conns->id < b->conns->id ? -1 : 1;
        return 0;
}

static int entry_cmp(const void *a, const void *b)
{
        const struct entry *x = a, *y = b;
        int c = entry_cmp_row(x, y);

        return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

static char change_sign(const struct change *change)
{
        return conns_is_empty(change->conns[CHANGE_OLD]) ? '+' : conns_is_empty(change->conns[CHANGE_NEW]) ? '-' : '~';
}

static int rows_make(const struct changes *changes, struct rows *ret)
{
        size_t len = 0, n = 0;

        for (size_t i = 0; i < changes->len; i++)
                len += changes->items[i].parts_len;

        ret->entries = calloc(len + 1, sizeof(*ret->entries));
        ret->items = calloc(len + 1, sizeof(*ret->items));
        if (!ret->entries || !ret->items)
                return -ENOMEM;

        for (size_t i = 0; i < changes->len; i++) {
                const struct change *change = &changes->items[i];

                for (size_t j = 0; j < change->parts_len; j++, n++) {
                        struct entry *entry = &ret->entries[n];

                        entry->reason = change->parts[j].reason;
                        entry->conns = change->parts[j].conns;
                        entry->from_outside = change->src.outside;
                        entry->sign = change_sign(change);
                        entry->kind = change->src.outside ? change->dst.kind : change->src.kind;
                        entry->other = change->src.outside ? change->src : change->dst;
                        if (entry->other.outside)
                                entry->other.range = change->parts[j].range;
                        entry->order = n;
                }
        }

        qsort(ret->entries, len, sizeof(*ret->entries), entry_cmp);
        for (size_t i = 0; i < len; i++) {
                if (ret->len == 0 || entry_cmp_row(ret->items[ret->len - 1].entries, &ret->entries[i]) != 0)
                        ret->items[ret->len++].entries = &ret->entries[i];
                ret->items[ret->len - 1].len++;
        }

        return 0;
}

static bool other_is_own(const struct entry *entry)
{
        return !entry->other.outside && entry->other.kind == entry->kind;
}

/* Rows of one reason that can be told in one line: all alike but for the inner end. */
static bool rows_join(const struct row *a, const struct row *b)
{
        const struct entry *x = a->entries, *y = b->entries;

        if (a->len != b->len || x->from_outside != y->from_outside || x->sign != y->sign || x->conns != y->conns)
                return false;

        for (size_t i = 0; i < a->len; i++) {
                const struct change_end *p = &x[i].other, *q = &y[i].other;

                if (p->outside != q->outside || other_is_own(&x[i]) || other_is_own(&y[i]))
                        return false;
                if (p->outside ? !addr_equal(&p->range.first, &q->range.first) ||
                                         !addr_equal(&p->range.last, &q->range.last)
                               : p->kind != q->kind)
                        return false;
        }

        return true;
}

static void put_party(struct strbuf *buf, const struct change_party *party)
{
        put_endpoint(buf, party->endpoint[party->endpoint[CHANGE_NEW] ? CHANGE_NEW : CHANGE_OLD]);
}

static void put_kind(struct strbuf *buf, const struct changes *changes, size_t kind)
{
        put_party(buf, &changes->parties[changes->kinds[kind].parties[0]]);
        if (changes->kinds[kind].len > 1)
                strbuf_printf(buf, " (+%zu)", changes->kinds[kind].len - 1);
}

static bool is_whole(const struct addr_range *range)
{
        struct addr first = addr_lowest(range->first.family), last = addr_highest(range->first.family);

        return addr_equal(&range->first, &first) && addr_equal(&range->last, &last);
}

/* Both families whole are everything outside. */
static bool both_whole(const struct entry *a, const struct entry *b)
{
        return a->other.outside && b->other.outside && a->other.range.first.family != b->other.range.first.family &&
               is_whole(&a->other.range) && is_whole(&b->other.range);
}

static void put_others(struct strbuf *buf, const struct changes *changes, const struct row *row)
{
        for (size_t i = 0; i < row->len; i++) {
                const struct entry *entry = &row->entries[i];

                if (i > 0)
                        strbuf_puts(buf, ", ");
                if (i + 1 < row->len && both_whole(entry, entry + 1)) {
                        strbuf_puts(buf, "outside");
                        i++;
                } else if (entry->other.outside) {
                        put_range(buf, &entry->other.range);
                } else if (other_is_own(entry)) {
                        strbuf_puts(buf, "one another");
                } else {
                        put_kind(buf, changes, entry->other.kind);
                }
        }
}

/* The inner ends of the row, and of all rows of its reason that join it. */
static void put_inner(struct strbuf *buf, const struct changes *changes, struct row *row, const struct row *end)
{
        put_kind(buf, changes, row->entries->kind);
        for (struct row *other = row + 1; other < end; other++) {
                if (other->done || !rows_join(row, other))
                        continue;

                strbuf_puts(buf, ", ");
                put_kind(buf, changes, other->entries->kind);
                other->done = true;
        }
}

/* The end of the reason's rows. */
static struct row *reason_end(const struct rows *rows, const struct row *row)
{
        struct row *end = rows->items + rows->len, *next = rows->items + (row - rows->items);

        while (next < end && next->entries->reason == row->entries->reason)
                next++;

        return next;
}

static void put_cause(struct strbuf *buf, const struct policy_set *policies, enum direction d,
                      const struct cause *cause)
{
        const struct src_loc *loc = cause_loc(cause);

        if (cause->tier == TIER_MAX) {
                strbuf_puts(buf, "impossible, as an end is not in the inventory");
                return;
        }

        strbuf_puts(buf, cause->action == ACTION_ALLOW ? "allowed" : "denied");
        if (!cause->policy) {
                strbuf_printf(buf, " by default, as no policy isolates the %s", direction_name(d));
                return;
        }

        strbuf_printf(buf, " by %s ", tier_name(cause->tier));
        put_policy(buf, cause->policy);
        if (cause->rule)
                strbuf_printf(buf, ", %s[%u]", direction_name(d), cause->rule->index);
        else
                strbuf_puts(buf, ", which isolates, and no rule allows it");
        if (loc) {
                strbuf_puts(buf, ", ");
                put_loc(buf, policies, loc);
        }
}

static void put_plural(struct strbuf *buf, size_t n, const char *what, bool *any)
{
        if (n == 0)
                return;

        strbuf_printf(buf, "%s%zu %s", *any ? ", " : "", n, what);
        *any = true;
}

static void put_summary(struct strbuf *buf, const struct difference *difference)
{
        bool any = false;

        put_plural(buf, difference->widened, "widened", &any);
        put_plural(buf, difference->narrowed, "narrowed", &any);
        put_plural(buf, difference->both, "widened and narrowed", &any);
        if (any)
                return;

        switch (difference->text) {
        case DIFF_TEXT_SAME:
                strbuf_puts(buf, "identical: neither text nor flows changed");
                break;
        case DIFF_TEXT_CHANGED:
                strbuf_puts(buf, "text changed, no flow changed");
                break;
        case DIFF_TEXT_UNKNOWN:
                strbuf_puts(buf, "no flow changed");
                break;
        }
}

/* Where the pair keeps other connections, it is said that these are not all; elsewhere the sign says enough. */
static void put_turned(struct strbuf *buf, const struct entry *entry)
{
        if (entry->sign == '~')
                strbuf_puts(buf, entry->reason->widens ? "now also " : "no longer ");
        put_conns(buf, entry->conns);
}

/* Kinds of more than one endpoint that some change is about. */
static int mark_kinds(const struct changes *changes, bool **ret)
{
        bool *marks;

        marks = calloc(changes->kinds_len + 1, sizeof(*marks));
        if (!marks)
                return -ENOMEM;

        for (size_t i = 0; i < changes->len; i++) {
                const struct change_end *ends[] = {&changes->items[i].src, &changes->items[i].dst};

                for (size_t j = 0; j < ARRAY_SIZE(ends); j++)
                        if (!ends[j]->outside && changes->kinds[ends[j]->kind].len > 1)
                                marks[ends[j]->kind] = true;
        }

        *ret = marks;
        return 0;
}

static void put_members(struct strbuf *buf, const struct changes *changes, size_t kind)
{
        const struct change_kind *members = &changes->kinds[kind];

        for (size_t i = 0; i < members->len && i < MEMBERS_SHOWN; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                put_party(buf, &changes->parties[members->parties[i]]);
        }
        if (members->len > MEMBERS_SHOWN)
                strbuf_printf(buf, " and %zu more", members->len - MEMBERS_SHOWN);
}

static int text_kinds(struct difference *difference)
{
        const struct changes *changes = difference->changes;
        _cleanup_free_ bool *marks = NULL;
        bool any = false;
        int r;

        r = mark_kinds(changes, &marks);
        if (r < 0)
                return r;

        for (size_t i = 0; i < changes->kinds_len; i++) {
                if (!marks[i])
                        continue;

                if (!any)
                        put_colour(difference->buf, difference->colour, COLOUR_BOLD, "Alike, and shown as one:\n");
                any = true;
                strbuf_puts(difference->buf, "  ");
                put_kind(difference->buf, changes, i);
                strbuf_puts(difference->buf, ": ");
                put_members(difference->buf, changes, i);
                strbuf_putc(difference->buf, '\n');
        }

        if (any)
                strbuf_putc(difference->buf, '\n');
        return 0;
}

static void text_reason(struct difference *difference, const struct change_reason *reason)
{
        static const enum direction order[] = {DIR_EGRESS, DIR_INGRESS};
        struct strbuf *buf = difference->buf;

        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
                enum direction d = order[i];

                if (!reason->turned[d])
                        continue;

                put_colour(buf, difference->colour, COLOUR_BOLD, d == DIR_EGRESS ? "Egress" : "Ingress");
                strbuf_puts(buf, "\n  was ");
                put_cause(buf, difference->policies[CHANGE_OLD], d, &reason->causes[d][CHANGE_OLD]);
                strbuf_puts(buf, "\n  now ");
                put_cause(buf, difference->policies[CHANGE_NEW], d, &reason->causes[d][CHANGE_NEW]);
                strbuf_putc(buf, '\n');
        }
}

static void text_row(struct difference *difference, struct row *row, const struct row *end)
{
        const char sign[] = {row->entries->sign, '\0'};
        struct strbuf *buf = difference->buf;

        strbuf_puts(buf, "    ");
        put_colour(buf, difference->colour, row->entries->reason->widens ? COLOUR_GREEN : COLOUR_RED, sign);
        strbuf_putc(buf, ' ');
        if (row->entries->from_outside) {
                put_others(buf, difference->changes, row);
                strbuf_puts(buf, " -> ");
        }
        put_inner(buf, difference->changes, row, end);
        if (!row->entries->from_outside) {
                strbuf_puts(buf, " -> ");
                put_others(buf, difference->changes, row);
        }
        strbuf_puts(buf, ": ");
        put_turned(buf, row->entries);
        strbuf_putc(buf, '\n');
}

static void put_addr(struct strbuf *buf, const struct endpoint *endpoint, size_t i)
{
        char text[ADDR_TEXT_MAX];

        strbuf_puts(buf, i < endpoint->addrs_len ? addr_format(&endpoint->addrs[i], text) : "no address");
}

static void put_pair(struct strbuf *buf, const struct change_pair *pair, const struct change_party *src,
                     const struct change_party *dst)
{
        put_party(buf, src);
        strbuf_puts(buf, " (");
        put_addr(buf, src->endpoint[CHANGE_NEW], pair->src);
        strbuf_puts(buf, ") -> ");
        put_party(buf, dst);
        strbuf_puts(buf, " (");
        put_addr(buf, dst->endpoint[CHANGE_NEW], pair->dst);
        strbuf_puts(buf, "): was ");
        put_conns(buf, pair->conns[CHANGE_OLD]);
        strbuf_puts(buf, "; now ");
        put_conns(buf, pair->conns[CHANGE_NEW]);
}

/* Where an endpoint's addresses are not treated alike, the lines above speak of all of them together. */
static int text_pairs(_unused_ const struct changes *changes, const struct change *change,
                      const struct change_party *src, const struct change_party *dst, void *userdata)
{
        struct difference *difference = userdata;

        for (size_t i = 0; i < change->pairs_len; i++) {
                if (change->pairs[i].conns[CHANGE_OLD] == change->pairs[i].conns[CHANGE_NEW])
                        continue;

                strbuf_puts(difference->buf, "  ");
                put_pair(difference->buf, &change->pairs[i], src, dst);
                strbuf_putc(difference->buf, '\n');
        }

        return flush_out_partly(difference->buf);
}

static bool any_pairs(const struct changes *changes)
{
        for (size_t i = 0; i < changes->len; i++)
                if (changes->items[i].pairs_len > 0)
                        return true;

        return false;
}

int diff_text(struct difference *difference)
{
        _cleanup_(rows_fini) struct rows rows = {0};
        struct strbuf *buf = difference->buf;
        int r;

        r = rows_make(difference->changes, &rows);
        if (r == 0)
                r = text_kinds(difference);

        for (struct row *row = rows.items; r == 0 && row < rows.items + rows.len;) {
                const struct row *end = reason_end(&rows, row);

                text_reason(difference, row->entries->reason);
                for (; r == 0 && row < end; row++) {
                        if (!row->done)
                                text_row(difference, row, end);
                        r = flush_out_partly(buf);
                }
                strbuf_putc(buf, '\n');
        }
        if (r != 0)
                return r;

        if (any_pairs(difference->changes)) {
                put_colour(buf, difference->colour, COLOUR_BOLD, "Addresses that are treated differently\n");
                r = changes_visit(difference->changes, text_pairs, difference);
                if (r != 0)
                        return r;
                strbuf_putc(buf, '\n');
        }

        put_summary(buf, difference);
        strbuf_putc(buf, '\n');
        return 0;
}

/* Markdown: everything between the marks is escaped, so that a name stays a name. */

static void md_escape(struct strbuf *buf, struct strbuf *text)
{
        if (strbuf_check(text) < 0) {
                buf->failed = true;
                return;
        }

        for (const char *c = text->text; *c; c++) {
                if (strchr("\\`*_[]<>|#~&@!", *c))
                        strbuf_putc(buf, '\\');
                strbuf_putc(buf, *c);
        }
        strbuf_clear(text);
}

static void md_reason(struct difference *difference, const struct change_reason *reason, struct strbuf *text)
{
        static const enum direction order[] = {DIR_EGRESS, DIR_INGRESS};
        struct strbuf *buf = difference->buf;

        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
                enum direction d = order[i];

                if (!reason->turned[d])
                        continue;

                strbuf_puts(buf, d == DIR_EGRESS ? "\n**Egress** was " : "\n**Ingress** was ");
                put_cause(text, difference->policies[CHANGE_OLD], d, &reason->causes[d][CHANGE_OLD]);
                md_escape(buf, text);
                strbuf_puts(buf, "; now ");
                put_cause(text, difference->policies[CHANGE_NEW], d, &reason->causes[d][CHANGE_NEW]);
                md_escape(buf, text);
                strbuf_puts(buf, ".\n");
        }
        strbuf_puts(buf, "\n| | from | to | connections |\n| --- | --- | --- | --- |\n");
}

static void md_row(struct difference *difference, struct row *row, const struct row *end, struct strbuf *text)
{
        struct strbuf *buf = difference->buf;

        strbuf_printf(buf, "| `%c` | ", row->entries->sign);
        for (int i = 0; i < 2; i++) {
                if (row->entries->from_outside == (i == 0))
                        put_others(text, difference->changes, row);
                else
                        put_inner(text, difference->changes, row, end);
                md_escape(buf, text);
                strbuf_puts(buf, " | ");
        }
        put_turned(text, row->entries);
        md_escape(buf, text);
        strbuf_puts(buf, " |\n");
}

static int md_kinds(struct difference *difference, struct strbuf *text)
{
        const struct changes *changes = difference->changes;
        _cleanup_free_ bool *marks = NULL;
        bool any = false;
        int r;

        r = mark_kinds(changes, &marks);
        if (r < 0)
                return r;

        for (size_t i = 0; i < changes->kinds_len; i++) {
                if (!marks[i])
                        continue;

                if (!any)
                        strbuf_puts(difference->buf, "\nAlike, and shown as one:\n\n");
                any = true;
                strbuf_puts(difference->buf, "- ");
                put_kind(text, changes, i);
                strbuf_puts(text, ": ");
                put_members(text, changes, i);
                md_escape(difference->buf, text);
                strbuf_putc(difference->buf, '\n');
        }

        return 0;
}

struct md_state {
        struct difference *difference;
        struct strbuf *text;
};

static int md_pairs(_unused_ const struct changes *changes, const struct change *change, const struct change_party *src,
                    const struct change_party *dst, void *userdata)
{
        struct md_state *state = userdata;
        struct strbuf *buf = state->difference->buf;

        for (size_t i = 0; i < change->pairs_len; i++) {
                if (change->pairs[i].conns[CHANGE_OLD] == change->pairs[i].conns[CHANGE_NEW])
                        continue;

                strbuf_puts(buf, "- ");
                put_pair(state->text, &change->pairs[i], src, dst);
                md_escape(buf, state->text);
                strbuf_putc(buf, '\n');
        }

        return flush_out_partly(buf);
}

int diff_markdown(struct difference *difference)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        _cleanup_(rows_fini) struct rows rows = {0};
        struct strbuf *buf = difference->buf;
        int r;

        strbuf_puts(buf, "### Network policy: ");
        put_summary(buf, difference);
        strbuf_putc(buf, '\n');

        r = rows_make(difference->changes, &rows);
        if (r == 0)
                r = md_kinds(difference, &text);

        for (struct row *row = rows.items; r == 0 && row < rows.items + rows.len;) {
                const struct row *end = reason_end(&rows, row);

                md_reason(difference, row->entries->reason, &text);
                for (; r == 0 && row < end; row++) {
                        if (!row->done)
                                md_row(difference, row, end, &text);
                        r = flush_out_partly(buf);
                }
        }
        if (r != 0 || !any_pairs(difference->changes))
                return r;

        strbuf_puts(buf, "\nAddresses that are treated differently:\n\n");
        return changes_visit(difference->changes, md_pairs, &(struct md_state){difference, &text});
}
