/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint, chapter after chapter. Every example is a test. */
#include <string.h>

#include "lint_rules.h"

static const struct {
        const struct lint_rule *rules;
        const size_t *len;
} chapters[] = {
        {lint_rules_document, &lint_rules_document_len}, {lint_rules_selector, &lint_rules_selector_len},
        {lint_rules_rule, &lint_rules_rule_len},         {lint_rules_flow, &lint_rules_flow_len},
        {lint_rules_tier, &lint_rules_tier_len},         {lint_rules_host, &lint_rules_host_len},
        {lint_rules_cost, &lint_rules_cost_len},         {lint_rules_suppress, &lint_rules_suppress_len},
};

size_t lint_rules_len(void)
{
        size_t len = 0;

        for (size_t i = 0; i < ARRAY_SIZE(chapters); i++)
                len += *chapters[i].len;
        return len;
}

const struct lint_rule *lint_rule_at(size_t index)
{
        for (size_t i = 0; i < ARRAY_SIZE(chapters); i++) {
                if (index < *chapters[i].len)
                        return &chapters[i].rules[index];
                index -= *chapters[i].len;
        }
        return NULL;
}

const struct lint_rule *lint_rule_find(const char *id, size_t *ret_index)
{
        const struct lint_rule *rule;

        for (size_t i = 0; (rule = lint_rule_at(i)); i++) {
                if (strcmp(rule->id, id) == 0) {
                        if (ret_index)
                                *ret_index = i;
                        return rule;
                }
        }
        return NULL;
}
