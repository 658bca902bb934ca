/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Suppressions: collected, indexed, asked, and judged themselves. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "lint_suppress.h"

void suppressions_fini(struct suppressions *suppressions)
{
        arena_free(suppressions->arena);
        free(suppressions->items);
}

/* Their chapter is about suppressions: what that says could be silenced by nothing but more of the same. */
static bool is_own_rule(const char *id)
{
        return strncmp(id, "VW9", 3) == 0;
}

/* The id that was meant, or NULL. */
static const char *nearest_id(struct lint *lint, const char *id)
{
        size_t len = lint_rules_len();
        _cleanup_free_ const char **ids = calloc(len + 1, sizeof(*ids));

        if (!ids) {
                lint->r = -ENOMEM;
                return NULL;
        }
        for (size_t i = 0; i < len; i++)
                ids[i] = lint_rule_at(i)->id;
        return doc_nearest(id, ids, len);
}

static void report_unknown(struct lint *lint, const struct src_loc *loc, const char *id)
{
        const char *nearest = nearest_id(lint, id);
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX] = "vethwall lint --explain all lists the rules";

        if (nearest)
                snprintf(hint, sizeof(hint), "did you mean %s?", nearest);
        lint_report(lint, "VW903", loc, &(struct lint_note){.hint = hint}, "there is no rule \"%s\" to ignore",
                    doc_shown(id, shown));
}

void lint_report_no_reason(struct lint *lint, const struct src_loc *loc)
{
        static const struct lint_note note = {.hint = "say behind it why this is right here"};

        lint_report(lint, "VW901", loc, &note, "a suppression without a reason is not heeded");
}

void lint_add_suppression(struct lint *lint, const struct suppression *item, const char *id)
{
        struct suppressions *all = lint->suppressions;
        size_t rule;

        if (!lint_rule_find(id, &rule)) {
                report_unknown(lint, &item->loc, id);
        } else if (is_own_rule(id)) {
                lint_report(lint, "VW902", &item->loc, &(struct lint_note){.hint = "correct the other suppression"},
                            "%s is about suppressions, and cannot be suppressed", id);
        } else if (item->reason) {
                if (array_reserve(&all->items, &all->cap, all->len + 1, sizeof(*all->items)) < 0) {
                        lint->r = -ENOMEM;
                        return;
                }
                all->items[all->len] = *item;
                all->items[all->len++].rule = (uint32_t)rule;
        }
}

const char *lint_trim_reason(char *text)
{
        size_t len;
        bool says = false;

        text += strspn(text, " \t:-");
        len = strlen(text);
        while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
                text[--len] = '\0';
        for (size_t i = 0; i < len; i++)
                says |= (unsigned char)text[i] >= 0x80 || (text[i] >= '0' && text[i] <= '9') ||
                        ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z');
        return says ? text : NULL;
}

static void read_annotations(struct lint *lint)
{
        for (size_t i = 0; i < lint->policies->ignores_len; i++) {
                const struct policy_ignore *ignore = &lint->policies->ignores[i];
                char *text = arena_strdup(lint->suppressions->arena, ignore->reason);
                struct suppression item = {
                        .file = ignore->loc.file,
                        .first = lint_spot(ignore->first.line, ignore->first.col),
                        .last = lint_spot(ignore->last.line, ignore->last.col),
                        .loc = ignore->loc,
                };

                if (!text) {
                        lint->r = -ENOMEM;
                        return;
                }
                item.reason = lint_trim_reason(text);
                if (!item.reason)
                        lint_report_no_reason(lint, &item.loc);
                lint_add_suppression(lint, &item, ignore->rule);
        }
}

/* Those that cover more stand first where they begin together. */
static int cmp_suppression(const void *pa, const void *pb)
{
        const struct suppression *a = pa, *b = pb;

        if (a->file != b->file)
                return a->file < b->file ? -1 : 1;
        if (a->rule != b->rule)
                return a->rule < b->rule ? -1 : 1;
        if (a->first != b->first)
                return a->first < b->first ? -1 : 1;
        if (a->last != b->last)
                return a->last > b->last ? -1 : 1;
        if (a->loc.line != b->loc.line)
                return a->loc.line < b->loc.line ? -1 : 1;
        return (a->loc.col > b->loc.col) - (a->loc.col < b->loc.col);
}

static bool is_alike(const struct suppression *a, const struct suppression *b)
{
        return a->file == b->file && a->rule == b->rule;
}

/* From each a way outwards, over what covers its beginning too: who asks goes it until one covers the finding. */
static void link_outwards(struct suppressions *all)
{
        if (all->len > 1)
                qsort(all->items, all->len, sizeof(*all->items), cmp_suppression);
        for (uint32_t i = 0; i < all->len; i++) {
                struct suppression *item = &all->items[i];
                const struct suppression *before = i > 0 ? &all->items[i - 1] : NULL;

                item->outer = NONE;
                if (!before || !is_alike(before, item))
                        continue;
                /* Of two that cover the same the first is enough: a way over many would be long. */
                if (before->first == item->first && before->last == item->last) {
                        item->outer = before->outer;
                        continue;
                }
                item->outer = i - 1;
                while (item->outer != NONE && all->items[item->outer].last < item->first)
                        item->outer = all->items[item->outer].outer;
        }
}

void lint_read_suppressions(struct lint *lint)
{
        lint->suppressions->arena = arena_new();
        if (!lint->suppressions->arena) {
                lint->r = -ENOMEM;
                return;
        }
        for (uint32_t i = 0; lint->r == 0 && lint->policies->sources && i < lint->policies->files_len; i++)
                lint_read_comments(lint, i);
        if (lint->r == 0)
                read_annotations(lint);
        link_outwards(lint->suppressions);
}

/* The last one of a file and rule that begins at or before a spot, or NONE. */
static uint32_t find_last(const struct suppressions *all, uint32_t file, uint32_t rule, uint64_t spot)
{
        size_t low = 0, high = all->len;

        while (low < high) {
                size_t mid = low + (high - low) / 2;
                const struct suppression *item = &all->items[mid];
                bool before = item->file != file   ? item->file < file
                              : item->rule != rule ? item->rule < rule
                                                   : item->first <= spot;

                if (before)
                        low = mid + 1;
                else
                        high = mid;
        }
        if (low == 0 || all->items[low - 1].file != file || all->items[low - 1].rule != rule)
                return NONE;
        return (uint32_t)low - 1;
}

static struct suppression *find(const struct suppressions *all, const char *id, uint32_t file, unsigned line,
                                unsigned col)
{
        uint64_t spot = lint_spot(line, col);
        uint32_t i = NONE;
        size_t rule;

        if (all->len > 0 && line > 0 && lint_rule_find(id, &rule))
                i = find_last(all, file, (uint32_t)rule, spot);
        while (i != NONE && all->items[i].last < spot)
                i = all->items[i].outer;
        return i != NONE && all->items[i].first > 0 ? &all->items[i] : NULL;
}

const struct suppression *lint_find_suppression(struct lint *lint, const char *id, const struct src_loc *loc)
{
        struct suppression *found = find(lint->suppressions, id, loc->file, loc->line, loc->col);

        if (found)
                found->used = true;
        return found;
}

/* Who tries to silence an error of a document is told that it does not go. */
static void report_errors_kept(struct lint *lint, size_t loaded)
{
        const struct diag_list *findings = &lint->result->findings;
        struct suppression *found = NULL;

        for (size_t i = 0; i < loaded; i++, found = NULL) {
                const struct diag *diag = &findings->items[i];

                for (uint32_t j = 0; diag->file && !found && j < lint->policies->files_len; j++)
                        if (strcmp(diag->file, lint->policies->files[j]) == 0)
                                found = find(lint->suppressions, diag->rule, j, diag->line, diag->col);
                if (!found || found->used)
                        continue;
                found->used = true;
                lint_report(lint, "VW902", &found->loc, &(struct lint_note){.hint = "correct the document"},
                            "this %s cannot be suppressed: with an error in it the document is not read at all",
                            lint_rule_at(found->rule)->id);
        }
}

void lint_report_unused(struct lint *lint, size_t loaded, bool usable)
{
        static const struct lint_note note = {.hint = "remove it"};

        if (!usable && lint->suppressions->len > 0)
                report_errors_kept(lint, loaded);
        for (size_t i = 0; usable && i < lint->suppressions->len; i++) {
                const struct suppression *item = &lint->suppressions->items[i];
                const struct lint_rule *rule = lint_rule_at(item->rule);

                /* A rule that was not asked may have something to say with an inventory. */
                if (!item->used && (lint->world || !rule->inventory))
                        lint_report(lint, "VW902", &item->loc, &note, "there is no %s here to suppress", rule->id);
        }
}
