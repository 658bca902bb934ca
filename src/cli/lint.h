/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms in which vethwall lint prints. */
#pragma once

#include <vethwall/lint.h>
#include <vethwall/strbuf.h>

void lint_json(struct strbuf *buf, const struct lint_result *result);
void lint_sarif(struct strbuf *buf, const struct lint_result *result);

/* The workflow commands that GitHub turns into annotations. */
void lint_github(struct strbuf *buf, const struct lint_result *result);

/* What --explain prints: one rule, or a table of all. */
void lint_rule_text(struct strbuf *buf, const struct lint_rule *rule, bool colour);
void lint_rules_text(struct strbuf *buf, bool colour);
