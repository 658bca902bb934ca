/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lint: reporting, order, source lines. The rules are in the files beside this one. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lint_census.h"
#include "lint_suppress.h"

void lint_result_fini(struct lint_result *result)
{
        diag_list_fini(&result->findings);
        diag_list_fini(&result->suppressed);
}

/* Fills places from the note's; the texts stay theirs. */
static size_t find_places(const struct lint *lint, const struct lint_note *note, struct diag_place *places)
{
        size_t len = 0;

        for (size_t i = 0; i < LINT_PLACES_MAX && note->places[i].loc; i++) {
                const struct src_loc *loc = note->places[i].loc;

                if (loc->file >= lint->policies->files_len || loc->line == 0)
                        continue;
                places[len++] = (struct diag_place){
                        .file = (char *)lint->policies->files[loc->file],
                        .line = loc->line,
                        .col = loc->col,
                        .message = (char *)note->places[i].message,
                };
        }
        return len;
}

static void report(struct lint *lint, enum diag_severity severity, const char *id, const struct src_loc *loc,
                   const struct lint_note *note, const char *fmt, va_list args)
{
        struct diag_place places[LINT_PLACES_MAX];
        struct diag where = {.severity = severity, .rule = id, .places = places};
        struct diag_list *list = &lint->result->findings;
        const struct suppression *suppression = NULL;
        _cleanup_free_ char *message = NULL;

        if (loc && loc->file < lint->policies->files_len)
                suppression = lint_find_suppression(lint, id, loc);
        if (suppression) {
                list = &lint->result->suppressed;
                where.reason = (char *)suppression->reason;
        } else {
                lint->result->counts[severity]++;
        }
        if (!diag_make_room(list, severity)) {
                diag_drop(list, severity);
                return;
        }
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
                where.places_len = find_places(lint, note, places);
        }
        if (diag_add(list, &where, "%s", message) < 0)
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

/* What to do with an object that is none of ours. */
static const char *skipped_hint(const struct skipped_object *object)
{
        static const char *const others[] = {"projectcalico.org/", "crd.projectcalico.org/", "cilium.io/",
                                             "security.istio.io/", "crd.antrea.io/"};

        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (strncmp(object->api_version, others[i], strlen(others[i])) == 0)
                        return "it is not enforced: only NetworkPolicy (networking.k8s.io/v1) and the cluster-wide "
                               "policies "
                               "(policy.networking.k8s.io) are";
        if (strcmp(object->kind, "Inventory") == 0)
                return "an inventory is given with -i";
        if (strcmp(object->kind, "AgentConfig") == 0)
                return "the agent's configuration is for vethwalld -c; keep it elsewhere";
        return "keep other objects in other files, or correct apiVersion and kind if it was meant as a policy";
}

static void report_skipped(struct lint *lint)
{
        for (size_t i = 0; i < lint->policies->skipped_len; i++) {
                const struct skipped_object *object = &lint->policies->skipped[i];
                const struct lint_note note = {.hint = skipped_hint(object)};

                lint_report(lint, "VW007", &object->loc, &note, "%s %s is no policy object and was skipped",
                            object->api_version, object->kind);
        }
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

const struct src_loc *lint_subject_loc(const struct policy *policy)
{
        return policy->pod_selector->loc.line > 0 ? &policy->pod_selector->loc : &policy->name_loc;
}

size_t lint_class_endpoint(const struct lint *lint, enum direction direction, uint32_t class)
{
        return lint->world->identities[lint->world->classes[direction][class].identities[0]].endpoints[0];
}

const struct group *lint_peer_group(struct lint *lint, const struct policy *policy, const struct peer *peer)
{
        uint32_t group;

        if (world_peer_group(lint->world, policy->ns, peer, &group) < 0) {
                lint->r = -ENOMEM;
                return NULL;
        }
        return &lint->world->groups[group];
}

static void ask_world(struct lint *lint)
{
        static void (*const groups[])(struct lint * lint) = {
                lint_take_census, lint_inventory, lint_selections, lint_ports, lint_dead,   lint_flows,    lint_open,
                lint_services,    lint_classes,   lint_tiers,      lint_paths, lint_shares, lint_elements,
        };
        struct lint_census census = {0};

        lint->census = &census;
        if (world_find_spots(lint->world) < 0 || lint_sites_fill(&lint->sites, lint->world->inventory) < 0)
                lint->r = -ENOMEM;
        for (enum direction d = 0; d < DIR_MAX; d++)
                if (index_classes(lint, d) < 0)
                        lint->r = -ENOMEM;
        for (size_t i = 0; lint->r == 0 && i < ARRAY_SIZE(groups); i++)
                groups[i](lint);
        for (enum direction d = 0; d < DIR_MAX; d++) {
                free(lint->first[d]);
                free(lint->classes[d]);
        }
        lint_sites_fini(&lint->sites);
        lint_census_fini(&census);
}

/* What needs no world. */
static void lint_alone(struct lint *lint)
{
        lint_files(lint);
        if (lint->r == 0)
                lint_documents(lint);
        if (lint->r == 0)
                lint_selectors(lint);
        if (lint->r == 0)
                lint_costs(lint);
}

static int finish(const struct policy_set *policies, struct diag_list *findings)
{
        int r;

        r = lint_add_sources(policies, findings);
        if (r == 0)
                diag_list_sort(findings);
        return r;
}

int lint(struct lint_result *result, const struct policy_set *policies, struct world *world)
{
        _cleanup_(suppressions_fini) struct suppressions suppressions = {0};
        struct lint job = {.result = result, .policies = policies, .world = world, .suppressions = &suppressions};
        bool usable = result->findings.errors == 0;
        size_t loaded = result->findings.len;

        result->counts[DIAG_ERROR] = result->findings.errors;
        lint_read_suppressions(&job);
        if (job.r == 0)
                report_skipped(&job);
        if (job.r == 0 && usable)
                lint_alone(&job);
        if (job.r == 0 && usable && world)
                ask_world(&job);
        else if (job.r == 0 && usable)
                lint_services(&job);
        if (job.r == 0)
                lint_report_unused(&job, loaded, usable);
        if (job.r == 0)
                job.r = finish(policies, &result->findings);
        if (job.r == 0)
                job.r = finish(policies, &result->suppressed);
        return job.r;
}
