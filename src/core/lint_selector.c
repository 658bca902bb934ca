/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint about what selectors really take in: those who lack a label, everybody, or whoever claims to be meant. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_internal.h"
#include "names.h"

/* who lacks a label */

#define NAMED_MAX 3

/* Endpoints or namespaces that a selector takes in though they lack a label, by their names. */
struct lacking {
        size_t items[NAMED_MAX]; /* indexes into the inventory's endpoints, or the world's namespaces */
        size_t len;
        bool more;
};

/* What was found out about groups: many peers share one. */
struct memory {
        struct arena *arena;
        struct str_index found;  /* from group, kind and key to indexes of lacking */
        struct lacking *lacking; /* owned */
        size_t len, cap;
};

static void memory_fini(struct memory *memory)
{
        str_index_fini(&memory->found);
        arena_free(memory->arena);
        free(memory->lacking);
}

static void add_lacking(const struct world *world, uint32_t id, const char *key, bool of_namespaces,
                        struct lacking *ret)
{
        const struct identity *identity = &world->identities[id];
        const struct label_set *labels = of_namespaces ? &world->namespaces[identity->ns].labels : &identity->labels;

        if (ret->more || label_set_get(labels, key))
                return;
        for (size_t i = 0; i < (of_namespaces ? 1 : identity->endpoints_len); i++) {
                size_t item = of_namespaces ? identity->ns : identity->endpoints[i];

                /* The identities of a namespace stand together. */
                if (ret->len > 0 && ret->items[ret->len - 1] == item)
                        continue;
                if (ret->len == NAMED_MAX) {
                        ret->more = true;
                        return;
                }
                ret->items[ret->len++] = item;
        }
}

static struct lacking ask_group(struct lint *lint, struct memory *memory, const struct group *group, const char *key,
                                bool of_namespaces)
{
        uint32_t head[2] = {(uint32_t)(group - lint->world->groups), of_namespaces}, index;
        size_t size = sizeof(head) + strlen(key);
        struct lacking ret = {0};
        char *name;

        if (!memory->arena)
                memory->arena = arena_new();
        name = memory->arena ? arena_alloc(memory->arena, size) : NULL;
        if (!name) {
                lint->r = -ENOMEM;
                return ret;
        }
        memcpy(name, head, sizeof(head));
        memcpy(name + sizeof(head), key, strlen(key));
        if (str_index_get(&memory->found, name, size, &index))
                return memory->lacking[index];
        for (size_t i = 0; i < group->len && !ret.more; i++)
                add_lacking(lint->world, group->identities[i], key, of_namespaces, &ret);
        if (array_reserve(&memory->lacking, &memory->cap, memory->len + 1, sizeof(ret)) < 0 ||
            str_index_put(&memory->found, name, size, (uint32_t)memory->len) < 0)
                lint->r = -ENOMEM;
        else
                memory->lacking[memory->len++] = ret;
        return ret;
}

static struct lacking ask_subjects(const struct lint *lint, uint32_t p, const char *key, bool of_namespaces)
{
        struct lacking ret = {0};
        enum direction d = lint->policies->policies[p].applies[DIR_INGRESS] ? DIR_INGRESS : DIR_EGRESS;

        for (uint32_t i = lint->first[d][p]; i < lint->first[d][p + 1]; i++) {
                const struct class *class = &lint->world->classes[d][lint->classes[d][i]];

                for (size_t j = 0; j < class->identities_len && !ret.more; j++)
                        add_lacking(lint->world, class->identities[j], key, of_namespaces, &ret);
        }
        return ret;
}

static void report_lacking(struct lint *lint, const struct label_requirement *requirement, bool of_namespaces,
                           const struct lacking *lacking)
{
        struct strbuf names = STRBUF_INIT;
        char name[LINT_NAME_MAX], hint[128];

        for (size_t i = 0; i < lacking->len; i++) {
                bool last = i + 1 == lacking->len && !lacking->more;

                strbuf_printf(&names, "%s%s",
                              i == 0 ? ""
                              : last ? " and "
                                     : ", ",
                              of_namespaces ? lint->world->namespaces[lacking->items[i]].name
                                            : lint_endpoint_name(lint, lacking->items[i], name));
        }
        if (lacking->more)
                strbuf_puts(&names, " and others");
        snprintf(hint, sizeof(hint), "if they are not meant, add { key: %.63s, operator: Exists }", requirement->key);
        if (strbuf_check(&names) < 0)
                lint->r = -ENOMEM;
        else
                lint_report(lint, "VW108", &requirement->loc, &(struct lint_note){.hint = hint},
                            "NotIn also selects who has no label \"%s\" at all: %s", requirement->key, names.text);
        strbuf_fini(&names);
}

/* Whether the selector asks for the label elsewhere. */
static bool must_exist(const struct selector *selector, const char *key)
{
        for (size_t i = 0; i < selector->len; i++) {
                const struct label_requirement *other = &selector->requirements[i];

                if ((other->op == LABEL_IN || other->op == LABEL_EXISTS) && strcmp(other->key, key) == 0)
                        return true;
        }
        return false;
}

/* group NULL: of the policy's subjects. */
static void check_negative(struct lint *lint, struct memory *memory, uint32_t p, const struct group *group,
                           const struct selector *selector, bool of_namespaces)
{
        for (size_t i = 0; selector && lint->r == 0 && i < selector->len; i++) {
                const struct label_requirement *requirement = &selector->requirements[i];
                struct lacking lacking;

                if (requirement->op != LABEL_NOT_IN || must_exist(selector, requirement->key))
                        continue;
                lacking = group ? ask_group(lint, memory, group, requirement->key, of_namespaces)
                                : ask_subjects(lint, p, requirement->key, of_namespaces);
                if (lint->r == 0 && lacking.len > 0)
                        report_lacking(lint, requirement, of_namespaces, &lacking);
        }
}

/* what selects everything */

static size_t count_endpoints(const struct world *world, uint32_t first, uint32_t end)
{
        size_t n = 0;

        for (uint32_t i = first; i < end; i++)
                n += world->identities[i].endpoints_len;
        return n;
}

static void report_everything(struct lint *lint, const struct selector *selector, const char *of)
{
        static const struct lint_note note = {
                .hint = "write {} if all are meant, those to come included",
        };

        lint_report(lint, "VW110", &selector->loc, &note, "the selector takes in every endpoint of %s", of);
}

/* Of a namespace with one endpoint nothing follows. */
static void check_subject(struct lint *lint, uint32_t p, const size_t *sizes)
{
        const struct policy *policy = &lint->policies->policies[p];
        uint32_t ns = policy->ns ? world_find_namespace(lint->world, policy->ns) : NONE;
        size_t first;

        if (ns != NONE && policy->pod_selector->len > 0 && sizes[ns] > 1 && lint_subjects(lint, p, &first) == sizes[ns])
                report_everything(lint, policy->pod_selector, "its namespace");
}

static void check_peer(struct lint *lint, struct memory *memory, uint32_t p, const struct peer *peer,
                       const size_t *sizes)
{
        const struct policy *policy = &lint->policies->policies[p];
        const struct world *world = lint->world;
        const struct group *group = peer->kind == PEER_SELECTOR ? lint_peer_group(lint, policy, peer) : NULL;
        uint32_t ns = policy->ns ? world_find_namespace(world, policy->ns) : NONE;

        if (!group)
                return;
        check_negative(lint, memory, p, group, peer->ns_selector, true);
        check_negative(lint, memory, p, group, peer->pod_selector, false);
        if (peer->pod_selector && peer->pod_selector->len > 0 && !peer->ns_selector && ns != NONE && sizes[ns] > 1 &&
            group->len == world->ns_identities[ns + 1] - world->ns_identities[ns])
                report_everything(lint, peer->pod_selector, "its namespace");
        else if (peer->ns_selector && peer->ns_selector->len > 0 && world->namespaces_len > 1 &&
                 (!peer->pod_selector || peer->pod_selector->len == 0) && group->len == world->identities_len)
                report_everything(lint, peer->ns_selector, "every namespace");
}

void lint_selections(struct lint *lint)
{
        _cleanup_(memory_fini) struct memory memory = {0};
        const struct world *world = lint->world;
        _cleanup_free_ size_t *sizes = calloc(world->namespaces_len + 1, sizeof(*sizes));

        if (!sizes) {
                lint->r = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < world->namespaces_len; i++)
                sizes[i] = count_endpoints(world, world->ns_identities[i], world->ns_identities[i + 1]);
        for (uint32_t p = 0; lint->r == 0 && p < lint->policies->policies_len; p++) {
                const struct policy *policy = &lint->policies->policies[p];

                check_negative(lint, &memory, p, NULL, policy->ns_selector, true);
                check_negative(lint, &memory, p, NULL, policy->pod_selector, false);
                check_subject(lint, p, sizes);
                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (size_t i = 0; policy->applies[d] && i < policy->rules_len[d]; i++)
                                for (size_t j = 0; lint->r == 0 && j < policy->rules[d][i].peers_len; j++)
                                        check_peer(lint, &memory, p, &policy->rules[d][i].peers[j], sizes);
        }
}

/* what needs no inventory */

/* As many requirements of one label are compared with each other. */
#define COMPARED_MAX 16

static void check_implied(struct lint *lint, const struct selector *selector)
{
        for (size_t i = 0; i < selector->len; i++) {
                const struct label_requirement *one = &selector->requirements[i];
                size_t end = i < COMPARED_MAX ? 0 : i - COMPARED_MAX;

                for (size_t j = end; j < selector->len && j <= i + COMPARED_MAX; j++) {
                        const struct label_requirement *other = &selector->requirements[j];

                        /* Of two that say the same the later is too much. */
                        if (j == i || !lint_requirement_implies(other, one) ||
                            (j > i && lint_requirement_implies(one, other)))
                                continue;
                        lint_report(lint, "VW110", &one->loc,
                                    &(struct lint_note){.hint = "remove it",
                                                        .places = {{&other->loc, "this asks for at least as much"}}},
                                    "this says nothing more of the label \"%s\": another requirement implies it",
                                    one->key);
                        break;
                }
        }
}

static bool is_lower_alnum(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_project(const char *text)
{
        if (!is_lower_alnum(text[0]))
                return false;
        for (; *text; text++)
                if (!is_lower_alnum(*text) && *text != '_' && *text != '-')
                        return false;
        return true;
}

static bool is_number(const char *text)
{
        return *text && text[strspn(text, "0123456789")] == '\0';
}

static bool is_true(const char *text)
{
        return strcmp(text, "true") == 0;
}

/* Labels that are always set by the same hand, and what that can make of them. */
static const struct {
        const char *key;
        bool prefix; /* of a key */
        bool of_namespaces;
        bool (*can_be)(const char *value);
        const char *values;
} made[] = {
        {NAMESPACE_NAME_LABEL, false, true, namespace_name_is_valid, "lower-case letters, digits, \"-\" and \"_\""},
        {"com.docker.compose.project", false, false, is_project, "lower-case letters, digits, \"-\" and \"_\""},
        {"com.docker.compose.container-number", false, false, is_number, "a number"},
        {"vethwall.io/network.", true, false, is_true, "\"true\""},
};

static void check_values(struct lint *lint, const struct label_requirement *requirement, bool of_namespaces)
{
        char hint[128];

        for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
                size_t len = strlen(made[i].key);

                if (made[i].of_namespaces != of_namespaces || strncmp(requirement->key, made[i].key, len) != 0 ||
                    (!made[i].prefix && requirement->key[len] != '\0'))
                        continue;
                snprintf(hint, sizeof(hint), "its value is %s", made[i].values);
                for (size_t j = 0; j < requirement->values_len; j++)
                        if (!made[i].can_be(requirement->values[j]))
                                lint_report(lint, "VW112", &requirement->loc, &(struct lint_note){.hint = hint},
                                            "the label \"%s\" is never \"%s\"", requirement->key,
                                            requirement->values[j]);
        }
}

static void check_requirements(struct lint *lint, const struct selector *selector, bool of_namespaces)
{
        static const struct lint_note note = {.hint = "namespaces have it: use namespaceSelector"};

        if (!selector)
                return;
        check_implied(lint, selector);
        for (size_t i = 0; i < selector->len; i++) {
                const struct label_requirement *requirement = &selector->requirements[i];

                check_values(lint, requirement, of_namespaces);
                if (!of_namespaces && strcmp(requirement->key, NAMESPACE_NAME_LABEL) == 0)
                        lint_report(lint, "VW112", &requirement->loc, &note,
                                    "no container is given the label " NAMESPACE_NAME_LABEL);
        }
}

/* Whether a namespace that nobody knows yet could be meant, and nobody who gives namespaces their labels is asked. */
static bool is_open_to_new(const struct selector *namespaces)
{
        for (size_t i = 0; i < namespaces->len; i++)
                if (namespaces->requirements[i].op == LABEL_IN || namespaces->requirements[i].op == LABEL_EXISTS)
                        return false;
        return true;
}

static void check_claim(struct lint *lint, const struct peer *peer)
{
        static const struct lint_note note = {
                .hint = "say which namespaces are meant: { matchLabels: { kubernetes.io/metadata.name: ... } }",
        };

        if (peer->kind != PEER_SELECTOR || !peer->ns_selector || !peer->pod_selector ||
            !is_open_to_new(peer->ns_selector))
                return;
        for (size_t i = 0; i < peer->pod_selector->len; i++) {
                const struct label_requirement *requirement = &peer->pod_selector->requirements[i];

                if (requirement->op != LABEL_IN && requirement->op != LABEL_EXISTS)
                        continue;
                lint_report(
                        lint, "VW111", &requirement->loc, &note,
                        "whoever starts a container, in whatever namespace, can give it the label \"%s\" and is let "
                        "in",
                        requirement->key);
                return;
        }
}

void lint_selectors(struct lint *lint)
{
        for (size_t i = 0; lint->r == 0 && i < lint->policies->policies_len; i++) {
                const struct policy *policy = &lint->policies->policies[i];

                check_requirements(lint, policy->ns_selector, true);
                check_requirements(lint, policy->pod_selector, false);
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        for (size_t j = 0; j < policy->rules_len[d]; j++) {
                                const struct rule *rule = &policy->rules[d][j];

                                for (size_t k = 0; k < rule->peers_len; k++) {
                                        check_requirements(lint, rule->peers[k].ns_selector, true);
                                        check_requirements(lint, rule->peers[k].pod_selector, false);
                                        if (d == DIR_INGRESS && policy->applies[d] && rule->action == ACTION_ALLOW)
                                                check_claim(lint, &rule->peers[k]);
                                }
                        }
                }
        }
}
