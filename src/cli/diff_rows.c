/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff for people: what text and markdown have in common. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cause.h"
#include "diff_rows.h"
#include "flow.h"
#include "output.h"

/* Members of a kind named before the rest is only counted. */
#define MEMBERS_SHOWN 8

void rows_fini(struct rows *rows)
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

int rows_make(const struct changes *changes, struct rows *ret)
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

void put_others(struct strbuf *buf, const struct changes *changes, const struct row *row)
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
void put_inner(struct strbuf *buf, const struct changes *changes, struct row *row, const struct row *end)
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
struct row *rows_reason_end(const struct rows *rows, const struct row *row)
{
        struct row *end = rows->items + rows->len, *next = rows->items + (row - rows->items);

        while (next < end && next->entries->reason == row->entries->reason)
                next++;

        return next;
}

void put_change_cause(struct strbuf *buf, const struct policy_set *policies, enum direction d,
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

static const char *const origin_texts[] = {
        [CHANGE_BY_POLICY] = "by policy",
        [CHANGE_BY_INVENTORY] = "by inventory",
        [CHANGE_JOINT] = "joint",
};

static void put_plural(struct strbuf *buf, size_t n, const char *what, bool *any)
{
        if (n == 0)
                return;

        strbuf_printf(buf, "%s%zu %s", *any ? ", " : "", n, what);
        *any = true;
}

/* " (3 by policy, 1 by inventory)" */
static void put_origins(struct strbuf *buf, const struct difference *difference)
{
        bool any = false;

        strbuf_puts(buf, " (");
        for (enum change_origin origin = 0; origin < CHANGE_ORIGIN_MAX; origin++)
                put_plural(buf, difference->origins[origin], origin_texts[origin], &any);
        strbuf_putc(buf, ')');
}

void put_summary(struct strbuf *buf, const struct difference *difference)
{
        bool any = false;

        put_plural(buf, difference->widened, "widened", &any);
        put_plural(buf, difference->narrowed, "narrowed", &any);
        put_plural(buf, difference->both, "widened and narrowed", &any);
        if (any && difference->two_inventories)
                put_origins(buf, difference);
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
void put_turned(struct strbuf *buf, const struct entry *entry)
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

void put_line(struct difference *difference, const struct diff_list *list, struct strbuf *text)
{
        strbuf_puts(difference->buf, list->bullet);
        list->filter(difference->buf, text);
        strbuf_putc(difference->buf, '\n');
}

int put_kinds(struct difference *difference, const struct diff_list *list)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
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
                        list->title(difference, "Alike, and shown as one");
                any = true;
                put_kind(&text, changes, i);
                strbuf_puts(&text, ": ");
                put_members(&text, changes, i);
                put_line(difference, list, &text);
        }

        strbuf_puts(difference->buf, any ? list->end : "");
        return 0;
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

static bool any_pairs(const struct changes *changes)
{
        for (size_t i = 0; i < changes->len; i++)
                if (changes->items[i].pairs_len > 0)
                        return true;

        return false;
}

/* The kinds that are not what they were and have to do with some change. */
static int mark_facts(const struct changes *changes, bool **ret)
{
        bool *marks;

        marks = calloc(changes->kinds_len + 1, sizeof(*marks));
        if (!marks)
                return -ENOMEM;

        for (size_t i = 0; i < changes->len; i++) {
                const struct change_end *ends[] = {&changes->items[i].src, &changes->items[i].dst};

                for (size_t j = 0; j < ARRAY_SIZE(ends); j++)
                        if (changes->items[i].origin != CHANGE_BY_POLICY && !ends[j]->outside)
                                marks[ends[j]->kind] = changes->kinds[ends[j]->kind].facts != 0;
        }

        *ret = marks;
        return 0;
}

int put_facts(struct difference *difference, const struct diff_list *list)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        const struct changes *changes = difference->changes;
        _cleanup_free_ bool *marks = NULL;
        bool any = false;
        int r;

        r = mark_facts(changes, &marks);
        if (r < 0)
                return r;

        for (size_t i = 0; i < changes->kinds_len; i++) {
                bool comma = false;

                if (!marks[i])
                        continue;

                if (!any)
                        list->title(difference, "Different in the inventory");
                any = true;
                put_kind(&text, changes, i);
                strbuf_puts(&text, ": ");
                for (enum change_fact fact = 0; fact < CHANGE_FACT_MAX; fact++) {
                        if (!(changes->kinds[i].facts & 1u << fact))
                                continue;
                        strbuf_printf(&text, "%s%s", comma ? ", " : "", change_fact_name(fact));
                        comma = true;
                }
                put_line(difference, list, &text);
        }

        strbuf_puts(difference->buf, any ? list->end : "");
        return 0;
}

struct pair_lines {
        struct difference *difference;
        const struct diff_list *list;
        struct strbuf text; /* scratch */
};

static int visit_pairs(_unused_ const struct changes *changes, const struct change *change,
                       const struct change_party *src, const struct change_party *dst, void *userdata)
{
        struct pair_lines *lines = userdata;

        for (size_t i = 0; i < change->pairs_len; i++) {
                if (change->pairs[i].conns[CHANGE_OLD] == change->pairs[i].conns[CHANGE_NEW])
                        continue;

                put_pair(&lines->text, &change->pairs[i], src, dst);
                put_line(lines->difference, lines->list, &lines->text);
        }

        return flush_out_partly(lines->difference->buf);
}

int put_pairs(struct difference *difference, const struct diff_list *list)
{
        struct pair_lines lines = {difference, list, STRBUF_INIT};
        int r;

        if (!any_pairs(difference->changes))
                return 0;

        list->title(difference, "Addresses that are treated differently");
        r = changes_visit(difference->changes, visit_pairs, &lines);
        strbuf_fini(&lines.text);
        if (r == 0)
                strbuf_puts(difference->buf, list->end);
        return r;
}
