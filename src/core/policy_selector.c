/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Label selectors as policies write them: matchLabels and matchExpressions. */
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "policy_build.h"

static const char *const selector_fields[] = {"matchLabels", "matchExpressions"};
static const char *const expression_fields[] = {"key", "operator", "values"};
static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist"};

#define LABEL_KEY_HINT                                                                                                 \
        "a key is at most 63 letters, digits, \"-\", \"_\" and \".\", with a letter or digit at both ends, and may "   \
        "have a DNS name and \"/\" before it"
#define LABEL_VALUE_HINT                                                                                               \
        "a value is at most 63 letters, digits, \"-\", \"_\" and \".\", with a letter or digit at both ends, or empty"

static bool check_key(struct policy_loader *loader, const struct doc_node *node)
{
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];

        if (label_key_is_valid(node->text))
                return true;
        doc_diag(loader->file, node, DIAG_ERROR, "VW101", hint_text(hint, node->text, LABEL_KEY_HINT),
                 "\"%s\" is not a valid label key", doc_shown(node->text, shown));
        return false;
}

static bool check_value(struct policy_loader *loader, const struct doc_node *node)
{
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];

        if (label_value_is_valid(node->text))
                return true;
        doc_diag(loader->file, node, DIAG_ERROR, "VW101", hint_text(hint, node->text, LABEL_VALUE_HINT),
                 "\"%s\" is not a valid label value", doc_shown(node->text, shown));
        return false;
}

static const char **one_value(struct policy_loader *loader, const char *text)
{
        const char **values = loader_array(loader, 1, sizeof(*values));

        if (values)
                values[0] = loader_strdup(loader, text);
        return values;
}

/* Several values for one label: somebody wants an In. */
static void report_values(struct policy_loader *loader, const struct doc_pair *pair)
{
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];

        doc_shown(pair->key->text, shown);
        snprintf(hint, sizeof(hint),
                 "several values stand in matchExpressions: - { key: %.63s, operator: In, values: [...] }", shown);
        doc_diag(loader->file, pair->value, DIAG_ERROR, "VW004", hint, "label \"%s\" must be a string, not a list",
                 shown);
}

static void add_match_labels(struct policy_loader *loader, const struct doc_node *labels, struct selector *selector)
{
        size_t i;

        for (i = 0; i < labels->len; i++) {
                const struct doc_pair *pair = &labels->pairs[i];
                struct label_requirement *requirement = &selector->requirements[selector->len];
                const char *value;

                if (pair->value->kind == DOC_LIST && pair->key->kind == DOC_STRING) {
                        report_values(loader, pair);
                        continue;
                }
                value = doc_pair_text(loader->file, pair, "label");
                if (!value || !check_key(loader, pair->key) || !check_value(loader, pair->value))
                        continue;
                requirement->op = LABEL_IN;
                requirement->key = loader_strdup(loader, pair->key->text);
                requirement->values = one_value(loader, value);
                requirement->values_len = 1;
                requirement->loc = loader_loc(loader, pair->key);
                if (requirement->key && requirement->values && requirement->values[0])
                        selector->len++;
        }
}

/* A field that is not known, and was reported, stands for the one that is missing. */
static bool expression_is_misspelt(const struct doc_node *expression)
{
        size_t known = 0, i;

        for (i = 0; i < ARRAY_SIZE(expression_fields); i++)
                known += doc_get(expression, expression_fields[i]) != NULL;
        return known < expression->len;
}

static bool load_operator(struct policy_loader *loader, const struct doc_node *expression, enum label_op *ret)
{
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];
        const char *text = NULL;
        enum label_op op;

        if (!doc_get(expression, "operator")) {
                if (expression_is_misspelt(expression))
                        return false;
                doc_diag(loader->file, expression, DIAG_ERROR, "VW005",
                         "an operator is In, NotIn, Exists or DoesNotExist", "the expression has no \"operator\"");
                return false;
        }
        if (!doc_get_string(loader->file, expression, "operator", &text))
                return false;
        for (op = 0; op < LABEL_OP_MAX; op++) {
                if (strcmp(text, operators[op]) == 0) {
                        *ret = op;
                        return true;
                }
        }
        doc_hint_nearest(hint, text, operators, ARRAY_SIZE(operators),
                         "an operator is In, NotIn, Exists or DoesNotExist");
        doc_diag(loader->file, doc_get(expression, "operator"), DIAG_ERROR, "VW102", hint, "unknown operator \"%s\"",
                 doc_shown(text, shown));
        return false;
}

/* The values that fit; what does not is reported. */
static bool load_values(struct policy_loader *loader, const struct doc_node *list,
                        struct label_requirement *requirement)
{
        size_t i;

        requirement->values = loader_array(loader, list->len, sizeof(*requirement->values));
        if (!requirement->values)
                return false;
        for (i = 0; i < list->len; i++) {
                const struct doc_node *item = list->items[i];

                if (!doc_is_text(loader->file, item, "a value of label", requirement->key) ||
                    !check_value(loader, item))
                        continue;
                requirement->values[requirement->values_len] = loader_strdup(loader, item->text);
                if (!requirement->values[requirement->values_len++])
                        return false;
        }
        return requirement->values_len == list->len;
}

static bool check_values_fit(struct policy_loader *loader, const struct doc_node *expression,
                             const struct doc_node *values, enum label_op op)
{
        bool takes = op == LABEL_IN || op == LABEL_NOT_IN;

        if (takes && (!values || values->len == 0)) {
                doc_diag(loader->file, values ? values : expression, DIAG_ERROR, "VW102",
                         "give at least one; to ask only whether the label is there, use Exists or DoesNotExist",
                         "operator %s needs \"values\"", label_op_name(op));
                return false;
        }
        if (!takes && values && values->len > 0) {
                doc_diag(loader->file, values, DIAG_ERROR, "VW102",
                         op == LABEL_EXISTS ? "remove them, or use In" : "remove them, or use NotIn",
                         "operator %s takes no \"values\"", label_op_name(op));
                return false;
        }
        return true;
}

static bool load_expression(struct policy_loader *loader, const struct doc_node *node,
                            struct label_requirement *requirement)
{
        struct doc_node *values = NULL;
        const char *key = NULL;

        if (!loader_check_fields(loader, node, "an item of matchExpressions", expression_fields,
                                 ARRAY_SIZE(expression_fields)))
                return false;
        if (!doc_get(node, "key") && !expression_is_misspelt(node))
                doc_diag(loader->file, node, DIAG_ERROR, "VW005", "name the label: key: app",
                         "the expression has no \"key\"");
        if (!doc_get_string(loader->file, node, "key", &key) || !check_key(loader, doc_get(node, "key")))
                return false;
        requirement->key = loader_strdup(loader, key);
        requirement->loc = loader_loc(loader, node);
        if (!requirement->key || !load_operator(loader, node, &requirement->op))
                return false;
        if (!doc_get_list(loader->file, node, "values", &values) && doc_get(node, "values") &&
            doc_get(node, "values")->kind != DOC_NULL)
                return false;
        if (!check_values_fit(loader, node, values, requirement->op))
                return false;
        return !values || load_values(loader, values, requirement);
}

static const char *selector_hint(const char *field)
{
        if (doc_nearest(field, selector_fields, ARRAY_SIZE(selector_fields)))
                return NULL;
        return "labels stand under matchLabels";
}

static const char *namespace_selector_hint(const char *field)
{
        static const char *const names[] = {"name", "names", "namespace", "namespaces", "matchName", "matchNames"};
        size_t i;

        for (i = 0; i < ARRAY_SIZE(names); i++)
                if (strcmp(field, names[i]) == 0)
                        return "a namespace's name is a label too: matchLabels: { " NAMESPACE_NAME_LABEL ": ... }";
        return selector_hint(field);
}

struct selector *load_selector(struct policy_loader *loader, const struct doc_node *node, const char *what)
{
        struct selector *selector = loader_array(loader, 1, sizeof(*selector));
        struct doc_node *labels = NULL, *expressions = NULL;
        char hint[DOC_HINT_MAX];
        size_t i;

        if (!selector)
                return NULL;
        selector->loc = loader_loc(loader, node);
        if (node->kind == DOC_NULL)
                return selector;
        if (node->kind != DOC_MAP) {
                doc_diag(loader->file, node, DIAG_ERROR, "VW004", hint_selector(hint, node, what),
                         "%s must be a mapping, not %s", what, doc_kind_name(node->kind));
                return selector;
        }
        doc_check_fields_hinting(loader->file, node, what, selector_fields, ARRAY_SIZE(selector_fields),
                                 strcmp(what, "namespaceSelector") == 0 ? namespace_selector_hint : selector_hint);
        doc_get_map(loader->file, node, "matchLabels", &labels);
        doc_get_list(loader->file, node, "matchExpressions", &expressions);
        selector->requirements = loader_array(loader, (labels ? labels->len : 0) + (expressions ? expressions->len : 0),
                                              sizeof(*selector->requirements));
        if (!selector->requirements)
                return NULL;
        if (labels)
                add_match_labels(loader, labels, selector);
        for (i = 0; expressions && i < expressions->len; i++) {
                struct label_requirement requirement = {0};

                if (load_expression(loader, expressions->items[i], &requirement))
                        selector->requirements[selector->len++] = requirement;
        }
        selector_normalise(selector);
        return selector;
}
