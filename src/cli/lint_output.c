/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings as JSON, SARIF and GitHub's workflow commands; rules as text. */
#include <stdio.h>
#include <string.h>

#include "lint.h"
#include "output.h"

static void put_string(struct strbuf *buf, const char *key, const char *text)
{
        strbuf_printf(buf, ", \"%s\": ", key);
        if (text)
                strbuf_json(buf, text);
        else
                strbuf_puts(buf, "null");
}

static void put_number(struct strbuf *buf, const char *key, unsigned number)
{
        if (number > 0)
                strbuf_printf(buf, ", \"%s\": %u", key, number);
        else
                strbuf_printf(buf, ", \"%s\": null", key);
}

static void put_related(struct strbuf *buf, const struct diag *diag)
{
        strbuf_puts(buf, ", \"related\": [");
        for (size_t i = 0; i < diag->places_len; i++) {
                const struct diag_place *place = &diag->places[i];

                strbuf_puts(buf, i ? ", {\"file\": " : "{\"file\": ");
                strbuf_json(buf, place->file);
                put_number(buf, "line", place->line);
                put_number(buf, "column", place->col);
                put_number(buf, "endColumn", place->end_col);
                put_string(buf, "message", place->message);
                strbuf_putc(buf, '}');
        }
        strbuf_putc(buf, ']');
}

void lint_json(struct strbuf *buf, const struct lint_result *result)
{
        strbuf_puts(buf, "{\"findings\": [");
        for (size_t i = 0; i < result->findings.len; i++) {
                const struct diag *diag = &result->findings.items[i];

                strbuf_puts(buf, i ? ",\n  {\"rule\": " : "\n  {\"rule\": ");
                strbuf_json(buf, diag->rule);
                put_string(buf, "severity", diag_severity_name(diag->severity));
                put_string(buf, "file", diag->file);
                put_number(buf, "line", diag->line);
                put_number(buf, "column", diag->col);
                put_number(buf, "endColumn", diag->end_col);
                put_string(buf, "message", diag->message);
                put_string(buf, "help", diag->hint);
                put_string(buf, "witness", diag->witness);
                put_related(buf, diag);
                strbuf_putc(buf, '}');
        }
        strbuf_printf(buf, "%s], \"counts\": {", result->findings.len > 0 ? "\n" : "");
        for (enum diag_severity i = 0; i < DIAG_SEVERITY_MAX; i++)
                strbuf_printf(buf, "%s\"%s\": %zu", i ? ", " : "", diag_severity_name(i), result->counts[i]);
        strbuf_printf(buf, "}, \"suppressed\": %zu, \"notShown\": %zu}\n", lint_suppressed_len(result),
                      result->findings.dropped);
}

static const char *sarif_level(enum diag_severity severity)
{
        return severity == DIAG_INFO ? "note" : diag_severity_name(severity);
}

/* A file name as a relative or absolute reference: what is not plain is percent-encoded. */
static void put_uri(struct strbuf *buf, const char *name)
{
        strbuf_putc(buf, '"');
        for (const char *p = name; *p; p++) {
                bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                             strchr("-._~/", *p);

                if (plain)
                        strbuf_putc(buf, *p);
                else
                        strbuf_printf(buf, "%%%02X", (unsigned)(unsigned char)*p);
        }
        strbuf_putc(buf, '"');
}

static void put_sarif_rules(struct strbuf *buf)
{
        const struct lint_rule *rule;

        for (size_t i = 0; (rule = lint_rule_at(i)); i++) {
                strbuf_puts(buf, i ? ",\n      {\"id\": " : "\n      {\"id\": ");
                strbuf_json(buf, rule->id);
                strbuf_puts(buf, ", \"shortDescription\": {\"text\": ");
                strbuf_json(buf, rule->summary);
                strbuf_puts(buf, "}, \"fullDescription\": {\"text\": ");
                strbuf_json(buf, rule->why);
                strbuf_puts(buf, "}, \"defaultConfiguration\": {\"level\": ");
                strbuf_json(buf, sarif_level(rule->severity));
                strbuf_puts(buf, "}}");
        }
}

static void put_sarif_text(struct strbuf *buf, const struct diag *diag)
{
        struct strbuf text = STRBUF_INIT;

        strbuf_puts(&text, diag->message);
        if (diag->hint)
                strbuf_printf(&text, ". Help: %s", diag->hint);
        if (diag->witness)
                strbuf_printf(&text, ". Seen by: vethwall explain %s", diag->witness);
        if (strbuf_check(&text) < 0)
                buf->failed = true;
        else
                strbuf_json(buf, text.text);
        strbuf_fini(&text);
}

/* The members of a location: where it is in which file. */
static void put_sarif_location(struct strbuf *buf, const char *file, unsigned line, unsigned col, unsigned end_col)
{
        strbuf_puts(buf, "\"physicalLocation\": {\"artifactLocation\": {\"uri\": ");
        put_uri(buf, file);
        strbuf_putc(buf, '}');
        if (line > 0)
                strbuf_printf(buf, ", \"region\": {\"startLine\": %u", line);
        if (line > 0 && col > 0)
                strbuf_printf(buf, ", \"startColumn\": %u", col);
        if (line > 0 && col > 0 && end_col > 0)
                strbuf_printf(buf, ", \"endColumn\": %u", end_col);
        strbuf_puts(buf, line > 0 ? "}}" : "}");
}

static void put_sarif_related(struct strbuf *buf, const struct diag *diag)
{
        if (diag->places_len == 0)
                return;
        strbuf_puts(buf, ", \"relatedLocations\": [");
        for (size_t i = 0; i < diag->places_len; i++) {
                const struct diag_place *place = &diag->places[i];

                strbuf_printf(buf, "%s{\"id\": %zu, ", i ? ", " : "", i + 1);
                put_sarif_location(buf, place->file, place->line, place->col, place->end_col);
                strbuf_puts(buf, ", \"message\": {\"text\": ");
                strbuf_json(buf, place->message);
                strbuf_puts(buf, "}}");
        }
        strbuf_putc(buf, ']');
}

/* Where one result says whether it is suppressed, the format wants all to. */
static void put_sarif_result(struct strbuf *buf, const struct diag *diag)
{
        size_t index;

        strbuf_puts(buf, "{\"ruleId\": ");
        strbuf_json(buf, diag->rule);
        if (lint_rule_find(diag->rule, &index))
                strbuf_printf(buf, ", \"ruleIndex\": %zu", index);
        strbuf_puts(buf, ", \"level\": ");
        strbuf_json(buf, sarif_level(diag->severity));
        strbuf_puts(buf, ", \"message\": {\"text\": ");
        put_sarif_text(buf, diag);
        strbuf_putc(buf, '}');
        if (diag->file) {
                strbuf_puts(buf, ", \"locations\": [{");
                put_sarif_location(buf, diag->file, diag->line, diag->col, diag->end_col);
                strbuf_puts(buf, "}]");
        }
        put_sarif_related(buf, diag);
        strbuf_puts(buf, ", \"suppressions\": [");
        if (diag->reason) {
                strbuf_puts(buf, "{\"kind\": \"inSource\", \"status\": \"accepted\", \"justification\": ");
                strbuf_json(buf, diag->reason);
                strbuf_putc(buf, '}');
        }
        strbuf_puts(buf, "]}");
}

void lint_sarif(struct strbuf *buf, const struct lint_result *result)
{
        strbuf_puts(buf, "{\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\", \"version\": \"2.1.0\",\n"
                         "  \"runs\": [{\"tool\": {\"driver\": {\"name\": \"vethwall\", \"version\": "
                         "\"" VETHWALL_VERSION "\", \"rules\": [");
        put_sarif_rules(buf);
        strbuf_puts(buf, "\n    ]}}, \"columnKind\": \"unicodeCodePoints\", \"results\": [");
        for (size_t i = 0; i < result->findings.len; i++) {
                strbuf_puts(buf, i ? ",\n    " : "\n    ");
                put_sarif_result(buf, &result->findings.items[i]);
        }
        for (size_t i = 0; i < result->suppressed.len; i++) {
                strbuf_puts(buf, i || result->findings.len > 0 ? ",\n    " : "\n    ");
                put_sarif_result(buf, &result->suppressed.items[i]);
        }
        strbuf_puts(buf, "\n  ]}]}\n");
}

/* The value of a property of a workflow command, or, with a list of properties over, its text. */
static void put_github(struct strbuf *buf, const char *text, bool property)
{
        for (const char *p = text; *p; p++) {
                if (*p == '%' || *p == '\r' || *p == '\n' || (property && (*p == ':' || *p == ',')))
                        strbuf_printf(buf, "%%%02X", (unsigned)(unsigned char)*p);
                else
                        strbuf_putc(buf, *p);
        }
}

static const char *github_command(enum diag_severity severity)
{
        return severity == DIAG_INFO ? "notice" : diag_severity_name(severity);
}

void lint_github(struct strbuf *buf, const struct lint_result *result)
{
        for (size_t i = 0; i < result->findings.len; i++) {
                const struct diag *diag = &result->findings.items[i];

                strbuf_printf(buf, "::%s ", github_command(diag->severity));
                if (diag->file) {
                        strbuf_puts(buf, "file=");
                        put_github(buf, diag->file, true);
                        if (diag->line > 0)
                                strbuf_printf(buf, ",line=%u,endLine=%u", diag->line, diag->line);
                        if (diag->line > 0 && diag->col > 0)
                                strbuf_printf(buf, ",col=%u", diag->col);
                        if (diag->line > 0 && diag->col > 0 && diag->end_col > 0)
                                strbuf_printf(buf, ",endColumn=%u", diag->end_col);
                        strbuf_putc(buf, ',');
                }
                strbuf_printf(buf, "title=%s::", diag->rule);
                put_github(buf, diag->message, false);
                if (diag->hint) {
                        strbuf_puts(buf, "; ");
                        put_github(buf, diag->hint, false);
                }
                for (size_t j = 0; j < diag->places_len; j++) {
                        const struct diag_place *place = &diag->places[j];

                        strbuf_puts(buf, "; ");
                        put_github(buf, place->file, false);
                        strbuf_printf(buf, ":%u: ", place->line);
                        put_github(buf, place->message, false);
                }
                strbuf_putc(buf, '\n');
        }
}

/* Indented, as a document's comment would be. */
static void put_example(struct strbuf *buf, const char *heading, const char *text, bool colour)
{
        strbuf_putc(buf, '\n');
        put_colour(buf, colour, COLOUR_BOLD, heading);
        strbuf_puts(buf, "\n\n");
        while (*text) {
                size_t len = strcspn(text, "\n");

                strbuf_puts(buf, "    ");
                strbuf_add(buf, text, len);
                strbuf_putc(buf, '\n');
                text += len + (text[len] == '\n');
        }
}

void lint_rule_text(struct strbuf *buf, const struct lint_rule *rule, bool colour)
{
        put_colour(buf, colour, COLOUR_BOLD, rule->id);
        strbuf_printf(buf, " (%s): %s\n\n%s\n", diag_severity_name(rule->severity), rule->summary, rule->why);
        put_example(buf, "Found in:", rule->bad, colour);
        put_example(buf, "Not in:", rule->good, colour);
        if (rule->inventory)
                put_example(buf, "With the inventory:", rule->inventory, colour);
}

void lint_rules_text(struct strbuf *buf, bool colour)
{
        static const char *const headings[] = {"RULE", "SEVERITY", "INVENTORY", "FINDS"};
        const struct lint_rule *rule;
        struct table table;

        table_init(&table, headings, ARRAY_SIZE(headings));
        for (size_t i = 0; (rule = lint_rule_at(i)); i++) {
                table_add(&table, rule->id);
                table_add(&table, diag_severity_name(rule->severity));
                table_add(&table, rule->inventory ? "needed" : "");
                table_add(&table, rule->summary);
        }
        table_print(buf, &table, colour);
        table_fini(&table);
}
