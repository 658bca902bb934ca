/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint: reporting, order, source lines. The rules are in the files beside this one. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "lint_internal.h"

void lint_result_fini(struct lint_result *result)
{
        diag_list_fini(&result->findings);
}

static void report(struct lint *lint, enum diag_severity severity, const char *id, const struct src_loc *loc,
                   const struct lint_note *note, const char *fmt, va_list args)
{
        struct diag where = {.severity = severity, .rule = id};
        _cleanup_free_ char *message = NULL;

        if (vasprintf(&message, fmt, args) < 0) {
                message = NULL;
                lint->r = -ENOMEM;
                return;
        }
        if (loc && loc->file < lint->policies->files_len) {
                where.file = (char *)lint->policies->files[loc->file];
                where.line = loc->line;
                where.col = loc->col;
        }
        if (note) {
                where.hint = (char *)note->hint;
                where.witness = (char *)note->witness;
        }
        lint->result->counts[severity]++;
        if (diag_add(&lint->result->findings, &where, "%s", message) < 0)
                lint->r = -ENOMEM;
}

void lint_report(struct lint *lint, const char *id, const struct src_loc *loc, const struct lint_note *note,
                 const char *fmt, ...)
{
        const struct lint_rule *rule = lint_rule_find(id, NULL);
        va_list args;

        va_start(args, fmt);
        report(lint, rule ? rule->severity : DIAG_ERROR, id, loc, note, fmt, args);
        va_end(args);
}

void lint_report_as(struct lint *lint, enum diag_severity severity, const char *id, const struct src_loc *loc,
                    const struct lint_note *note, const char *fmt, ...)
{
        va_list args;

        va_start(args, fmt);
        report(lint, severity, id, loc, note, fmt, args);
        va_end(args);
}

const char *lint_policy_name(const struct policy *policy, char buf[static LINT_NAME_MAX])
{
        snprintf(buf, LINT_NAME_MAX, "%s %s%s%s", policy->kind, policy->ns ? policy->ns : "", policy->ns ? "/" : "",
                 policy->name);
        return buf;
}

const char *lint_rule_name(const struct policy *policy, enum direction direction, const struct rule *rule,
                           char buf[static LINT_NAME_MAX])
{
        char name[LINT_NAME_MAX];

        snprintf(buf, LINT_NAME_MAX, "%s[%u] of %.*s", direction_name(direction), rule->index, LINT_NAME_MAX - 32,
                 lint_policy_name(policy, name));
        return buf;
}

const char *lint_endpoint_name(const struct lint *lint, size_t endpoint, char buf[static LINT_NAME_MAX])
{
        const struct endpoint *e = &lint->world->inventory->endpoints[endpoint];

        snprintf(buf, LINT_NAME_MAX, "%s/%s", e->ns, e->name);
        return buf;
}

const char *lint_protocol_name(uint8_t protocol)
{
        switch (protocol) {
        case IPPROTO_UDP:
                return "UDP";
        case IPPROTO_SCTP:
                return "SCTP";
        default:
                return "TCP";
        }
}

static void report_skipped(struct lint *lint)
{
        static const struct lint_note note = {
                .hint = "keep other objects in other files, or correct apiVersion and kind if it was meant as a policy",
        };

        for (size_t i = 0; i < lint->policies->skipped_len; i++) {
                const struct skipped_object *object = &lint->policies->skipped[i];

                lint_report(lint, "VW007", &object->loc, &note, "%s %s is no policy object and was skipped",
                            object->api_version, object->kind);
        }
}

/* Where the word, quoted text or bracketed part that begins at text ends. */
static size_t token_len(const char *text)
{
        const char *end;

        if (text[0] == '{' || text[0] == '[') {
                end = strchr(text, text[0] == '{' ? '}' : ']');
                return end ? (size_t)(end - text) + 1 : 1;
        }
        if (text[0] == '"' || text[0] == '\'') {
                end = strchr(text + 1, text[0]);
                return end ? (size_t)(end - text) + 1 : 1;
        }
        end = text + strcspn(text, ": ,]}\t");
        return end > text ? (size_t)(end - text) : 1;
}

/* Only where what is before the end is ASCII: then a byte is a character. */
static void find_end(struct diag *diag)
{
        unsigned first = diag->source_col > 1 ? diag->source_col : 1;
        size_t start = diag->col >= first ? diag->col - first : 0, len;

        if (!diag->source || diag->col < first || start >= strlen(diag->source))
                return;
        len = token_len(diag->source + start);
        for (size_t i = 0; i < start + len; i++)
                if ((unsigned char)diag->source[i] >= 0x80)
                        return;
        diag->end_col = diag->col + (unsigned)len;
}

/* The findings of one file, sorted, so a file is scanned once. */
static int add_sources(const struct policy_set *policies, struct diag_list *findings)
{
        for (size_t i = 0; policies->sources && i < policies->files_len; i++) {
                _cleanup_(arena_freep) struct arena *arena = NULL;
                struct doc_file file = {
                        .name = policies->files[i],
                        .bytes = policies->sources[i].bytes,
                        .size = policies->sources[i].size,
                        .diags = findings,
                };

                for (size_t j = 0; j < findings->len; j++) {
                        struct diag *diag = &findings->items[j];

                        if (diag->source || diag->line == 0 || !diag->file || strcmp(diag->file, file.name) != 0)
                                continue;
                        if (!arena) {
                                arena = arena_new();
                                if (!arena || doc_scan(&file, arena) == -ENOMEM)
                                        return -ENOMEM;
                        }
                        if (doc_source(&file, diag->line, diag->col, &diag->source, &diag->source_col) < 0)
                                return -ENOMEM;
                        find_end(diag);
                }
        }
        return 0;
}

/* Which classes each policy is in. */
static int index_classes(struct lint *lint, enum direction d)
{
        const struct world *world = lint->world;
        size_t policies = lint->policies->policies_len, total = 0;
        uint32_t *first = calloc(policies + 2, sizeof(*first));

        lint->first[d] = first;
        for (size_t i = 0; i < world->classes_len[d]; i++)
                total += world->classes[d][i].policies_len;
        lint->classes[d] = calloc(total + 1, sizeof(*lint->classes[d]));
        if (!first || !lint->classes[d])
                return -ENOMEM;
        for (size_t i = 0; i < world->classes_len[d]; i++)
                for (size_t j = 0; j < world->classes[d][i].policies_len; j++)
                        first[world->classes[d][i].policy_ids[j] + 2]++;
        for (size_t i = 2; i < policies + 2; i++)
                first[i] += first[i - 1];
        for (uint32_t i = 0; i < world->classes_len[d]; i++)
                for (size_t j = 0; j < world->classes[d][i].policies_len; j++)
                        lint->classes[d][first[world->classes[d][i].policy_ids[j] + 1]++] = i;
        return 0;
}

size_t lint_subjects(const struct lint *lint, uint32_t policy, size_t *ret_endpoint)
{
        size_t n = 0;

        *ret_endpoint = WORLD_OUTSIDE;
        for (enum direction d = 0; n == 0 && d < DIR_MAX; d++) {
                for (uint32_t i = lint->first[d][policy]; i < lint->first[d][policy + 1]; i++) {
                        const struct class *class = &lint->world->classes[d][lint->classes[d][i]];

                        for (size_t j = 0; j < class->identities_len; j++) {
                                const struct identity *identity = &lint->world->identities[class->identities[j]];

                                n += identity->endpoints_len;
                                if (*ret_endpoint == WORLD_OUTSIDE || identity->endpoints[0] < *ret_endpoint)
                                        *ret_endpoint = identity->endpoints[0];
                        }
                }
        }
        return n;
}

static void ask_world(struct lint *lint)
{
        if (world_find_spots(lint->world) < 0)
                lint->r = -ENOMEM;
        for (enum direction d = 0; d < DIR_MAX; d++)
                if (index_classes(lint, d) < 0)
                        lint->r = -ENOMEM;
        if (lint->r == 0)
                lint_inventory(lint);
        if (lint->r == 0)
                lint_dead(lint);
        if (lint->r == 0)
                lint_flows(lint);
        if (lint->r == 0)
                lint_classes(lint);
        if (lint->r == 0)
                lint_tiers(lint);
        for (enum direction d = 0; d < DIR_MAX; d++) {
                free(lint->first[d]);
                free(lint->classes[d]);
        }
}

int lint(struct lint_result *result, const struct policy_set *policies, struct world *world)
{
        struct lint job = {.result = result, .policies = policies, .world = world};

        result->counts[DIAG_ERROR] = result->findings.errors;
        report_skipped(&job);
        if (result->findings.errors == 0) {
                lint_documents(&job);
                if (world && job.r == 0)
                        ask_world(&job);
        }
        if (job.r == 0)
                job.r = add_sources(policies, &result->findings);
        if (job.r == 0)
                diag_list_sort(&result->findings);
        return job.r;
}
