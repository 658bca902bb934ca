/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall diff for people: what text and markdown say in the same words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cause.h"
#include "diff_rows.h"
#include "flow.h"
#include "output.h"

/* Members of a kind named before the rest is only counted. */
#define MEMBERS_SHOWN 8

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

static void put_unchanged(struct strbuf *buf, enum diff_text text)
{
        switch (text) {
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

void put_summary(struct strbuf *buf, const struct difference *difference)
{
        size_t latent = difference->latent->changes->len;
        bool any = false;

        put_plural(buf, difference->widened, "widened", &any);
        put_plural(buf, difference->narrowed, "narrowed", &any);
        put_plural(buf, difference->both, "widened and narrowed", &any);
        if (any && difference->two_inventories)
                put_origins(buf, difference);

        if (!any && latent == 0) {
                put_unchanged(buf, difference->text);
        } else if (!any && difference->changes->parties_len > 0) {
                strbuf_puts(buf, "no flow of the present containers changed");
                any = true;
        }
        put_plural(buf, latent, "latent", &any);
        if (difference->latent->bounded)
                strbuf_puts(buf, "; there are too many kinds of future containers to look at them all");
}

/* Where the pair keeps other connections, it is said that these are not all; elsewhere the sign says enough. */
void put_turned(struct strbuf *buf, const struct row *row)
{
        if (row->sign == '~')
                strbuf_puts(buf, row->reason->widens ? "now also " : "no longer ");
        put_conns(buf, row->conns);
}

static void put_members(struct strbuf *buf, const struct changes *changes, size_t kind)
{
        const struct change_kind *members = &changes->kinds[kind];

        for (size_t i = 0; i < members->len && i < MEMBERS_SHOWN; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                put_party_text(buf, &changes->parties[members->parties[i]]);
        }
        if (members->len > MEMBERS_SHOWN)
                strbuf_printf(buf, " and %zu more", members->len - MEMBERS_SHOWN);
}

void put_line(struct difference *difference, const struct diff_form *form, struct strbuf *text)
{
        strbuf_puts(difference->buf, form->bullet);
        form->filter(difference->buf, text);
        strbuf_putc(difference->buf, '\n');
}

/* The kinds that were named by one of their endpoints. */
static void put_kinds(struct difference *difference, const struct diff_form *form, struct diff_names *names)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        bool any = false;

        for (size_t i = 0; i < difference->changes->kinds_len; i++) {
                if (!names->marks[i])
                        continue;

                if (!any)
                        form->title(difference, "Alike, and shown as one");
                any = true;
                put_kind_text(&text, names, i);
                strbuf_puts(&text, ": ");
                put_members(&text, difference->changes, i);
                put_line(difference, form, &text);
        }

        strbuf_puts(difference->buf, any ? form->end : "");
}

static void put_addr(struct strbuf *buf, const struct endpoint *endpoint, size_t i)
{
        char text[ADDR_TEXT_MAX];

        strbuf_puts(buf, i < endpoint->addrs_len ? addr_format(&endpoint->addrs[i], text) : "no address");
}

static void put_pair(struct strbuf *buf, const struct change_pair *pair, const struct change_party *src,
                     const struct change_party *dst)
{
        put_party_text(buf, src);
        strbuf_puts(buf, " (");
        put_addr(buf, src->endpoint[CHANGE_NEW], pair->src);
        strbuf_puts(buf, ") -> ");
        put_party_text(buf, dst);
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

/* Kinds that are not what they were, where that changed flows. */
static int put_facts(struct difference *difference, const struct diff_form *form, struct diff_names *names)
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
                        form->title(difference, "Different in the inventory");
                any = true;
                put_kind_text(&text, names, i);
                strbuf_puts(&text, ": ");
                for (enum change_fact fact = 0; fact < CHANGE_FACT_MAX; fact++) {
                        if (!(changes->kinds[i].facts & 1u << fact))
                                continue;
                        strbuf_printf(&text, "%s%s", comma ? ", " : "", change_fact_name(fact));
                        comma = true;
                }
                put_line(difference, form, &text);
        }

        strbuf_puts(difference->buf, any ? form->end : "");
        return 0;
}

struct pair_lines {
        struct difference *difference;
        const struct diff_form *form;
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
                put_line(lines->difference, lines->form, &lines->text);
        }

        return flush_out_partly(lines->difference->buf);
}

/* Where an endpoint's addresses are not treated alike: what becomes of each pair of them. */
static int put_pairs(struct difference *difference, const struct diff_form *form)
{
        struct pair_lines lines = {difference, form, STRBUF_INIT};
        int r;

        if (!any_pairs(difference->changes))
                return 0;

        form->title(difference, "Addresses that are treated differently");
        r = changes_visit(difference->changes, visit_pairs, &lines);
        strbuf_fini(&lines.text);
        if (r == 0)
                strbuf_puts(difference->buf, form->end);
        return r;
}

/* The rows of a view, reason by reason. */
static int put_rows(struct difference *difference, const struct diff_form *form, const struct rows *rows)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < rows->len; i++) {
                if (i == 0 || rows->items[i].reason != rows->items[i - 1].reason)
                        form->reason(difference, rows->items[i].reason);
                form->row(difference, &rows->items[i]);
                if (i + 1 == rows->len || rows->items[i].reason != rows->items[i + 1].reason)
                        form->rows_end(difference);
                r = flush_out_partly(difference->buf);
        }

        return r;
}

static int write_all(struct difference *difference, const struct diff_form *form, struct diff_names *names,
                     const struct rows *present, const struct rows *latent)
{
        int r;

        r = put_facts(difference, form, names);
        if (r < 0)
                return r;

        put_kinds(difference, form, names);
        r = put_rows(difference, form, present);
        if (r == 0)
                r = put_pairs(difference, form);
        if (r == 0 && latent->len > 0) {
                form->title(difference, "Latent, of containers that do not exist yet");
                strbuf_puts(difference->buf, form->end);
                r = put_rows(difference, form, latent);
        }

        return r == 0 ? put_connections(difference, form) : r;
}

int diff_write(struct difference *difference, const struct diff_form *form)
{
        const struct diff_view views[] = {{difference->changes, NULL},
                                          {difference->latent->changes, difference->latent}};
        _cleanup_(rows_fini) struct rows present = {0}, latent = {0};
        _cleanup_(diff_names_fini) struct diff_names names = {.present = NULL};
        int r;

        /* First all lines, so that it is known who is named in them. */
        r = diff_names_init(&names, difference->changes, difference->latent, difference->policies);
        if (r == 0)
                r = rows_make(&views[0], &names, &present);
        if (r == 0)
                r = rows_make(&views[1], &names, &latent);

        return r == 0 ? write_all(difference, form, &names, &present, &latent) : r;
}
