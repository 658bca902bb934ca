/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A policy set that is complete: objects given twice are found, all are put in order, and what was needed to fill it goes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/diag.h>

#include "policy_build.h"

static int cmp_text(const char *a, const char *b)
{
        if (!a || !b)
                return (a != NULL) - (b != NULL);
        return strcmp(a, b);
}

static int cmp_loc(const struct src_loc *a, const struct src_loc *b)
{
        if (a->file != b->file)
                return a->file < b->file ? -1 : 1;
        if (a->line != b->line)
                return a->line < b->line ? -1 : 1;
        return (a->col > b->col) - (a->col < b->col);
}

/* Which objects are the same one. */
static int cmp_policy_identity(const struct policy *a, const struct policy *b)
{
        int cmp = strcmp(a->kind, b->kind);

        if (cmp == 0)
                cmp = cmp_text(a->ns, b->ns);
        return cmp ? cmp : strcmp(a->name, b->name);
}

static int cmp_built_policy(const void *pa, const void *pb)
{
        const struct built_policy *a = pa, *b = pb;
        int cmp = cmp_policy_identity(&a->policy, &b->policy);

        return cmp ? cmp : cmp_loc(&a->place.loc, &b->place.loc);
}

/* The order in which policies decide. */
int policy_cmp(const struct policy *a, const struct policy *b)
{
        int cmp = (a->tier > b->tier) - (a->tier < b->tier);

        if (cmp == 0)
                cmp = (a->priority > b->priority) - (a->priority < b->priority);
        if (cmp == 0)
                cmp = cmp_text(a->ns, b->ns);
        if (cmp == 0)
                cmp = strcmp(a->name, b->name);
        return cmp ? cmp : strcmp(a->kind, b->kind);
}

static int cmp_policy_order(const void *a, const void *b)
{
        return policy_cmp(a, b);
}

static int cmp_namespace(const void *pa, const void *pb)
{
        const struct built_namespace *a = pa, *b = pb;
        int cmp = strcmp(a->ns.name, b->ns.name);

        return cmp ? cmp : cmp_loc(&a->place.loc, &b->place.loc);
}

static int report_duplicate(const struct policy_set *set, struct diag_list *diags, const char *what,
                            const struct name_place *first, const struct name_place *again)
{
        struct diag_place place = {
                .file = (char *)set->files[first->loc.file],
                .line = first->loc.line,
                .col = first->loc.col,
                .end_col = first->end_col,
                .message = (char *)"the first of them",
                .source = (char *)first->source,
                .source_col = first->source_col,
        };
        const struct diag where = {
                .severity = DIAG_ERROR,
                .rule = "VW006",
                .file = (char *)set->files[again->loc.file],
                .line = again->loc.line,
                .col = again->loc.col,
                .end_col = again->end_col,
                .source = (char *)again->source,
                .source_col = again->source_col,
                .hint = (char *)"rename or remove one of the two",
                .places = &place,
                .places_len = 1,
        };

        return diag_add(diags, &where, "%s is given twice, first at %s:%u", what, place.file, place.line);
}

static int seal_policies(struct policy_set *set, struct diag_list *diags)
{
        struct policy_build *build = set->build;
        char what[DOC_SHOWN_MAX + 340];
        size_t i, first = 0;

        set->policies = arena_array(set->arena, build->policies_len, sizeof(*set->policies));
        if (!set->policies)
                return -ENOMEM;
        if (build->policies_len > 0)
                qsort(build->policies, build->policies_len, sizeof(*build->policies), cmp_built_policy);
        for (i = 0; i < build->policies_len; i++) {
                const struct built_policy *item = &build->policies[i], *other = &build->policies[first];

                if (i == 0 || cmp_policy_identity(&other->policy, &item->policy) != 0) {
                        first = i;
                        set->policies[set->policies_len++] = item->policy;
                        continue;
                }
                snprintf(what, sizeof(what), "%s %s%s%s", item->policy.kind, item->policy.ns ? item->policy.ns : "",
                         item->policy.ns ? "/" : "", item->policy.name);
                if (report_duplicate(set, diags, what, &other->place, &item->place) < 0)
                        return -ENOMEM;
        }
        if (set->policies_len > 0)
                qsort(set->policies, set->policies_len, sizeof(*set->policies), cmp_policy_order);
        return 0;
}

static int seal_namespaces(struct policy_set *set, struct diag_list *diags)
{
        struct policy_build *build = set->build;
        char what[DOC_SHOWN_MAX + 20];
        size_t i, first = 0;

        set->namespaces = arena_array(set->arena, build->namespaces_len, sizeof(*set->namespaces));
        if (!set->namespaces)
                return -ENOMEM;
        if (build->namespaces_len > 0)
                qsort(build->namespaces, build->namespaces_len, sizeof(*build->namespaces), cmp_namespace);
        for (i = 0; i < build->namespaces_len; i++) {
                const struct built_namespace *item = &build->namespaces[i], *other = &build->namespaces[first];

                if (i == 0 || strcmp(other->ns.name, item->ns.name) != 0) {
                        first = i;
                        set->namespaces[set->namespaces_len++] = item->ns;
                        continue;
                }
                snprintf(what, sizeof(what), "Namespace %s", item->ns.name);
                if (report_duplicate(set, diags, what, &other->place, &item->place) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int policy_set_seal(struct policy_set *set, struct diag_list *diags)
{
        struct policy_build *build = set->build;
        int r;

        set->files = arena_memdup(set->arena, build->files, build->files_len * sizeof(*build->files));
        set->skipped = arena_memdup(set->arena, build->skipped, build->skipped_len * sizeof(*build->skipped));
        set->ignores = arena_memdup(set->arena, build->ignores, build->ignores_len * sizeof(*build->ignores));
        if (build->sources)
                set->sources = arena_memdup(set->arena, build->sources, build->sources_len * sizeof(*build->sources));
        if (!set->files || !set->skipped || !set->ignores || (build->sources && !set->sources))
                return -ENOMEM;
        set->files_len = build->files_len;
        set->skipped_len = build->skipped_len;
        set->ignores_len = build->ignores_len;
        r = seal_policies(set, diags);
        if (r == 0)
                r = seal_namespaces(set, diags);
        if (r == 0)
                policy_build_free(steal(set->build));
        return r;
}
