/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the tree: typed values, unknown fields, and messages that show the place. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doc_private.h"
#include "utf8.h"

#define WORD_MAX 63

struct doc_node *doc_get(const struct doc_node *node, const char *key)
{
        size_t i;

        if (!node || node->kind != DOC_MAP)
                return NULL;
        for (i = 0; i < node->len; i++)
                if (strcmp(node->pairs[i].key->text, key) == 0)
                        return node->pairs[i].value;
        return NULL;
}

const char *doc_shown(const char *text, char buf[static DOC_SHOWN_MAX])
{
        size_t len = strlen(text), out = 0;

        while (out < len) {
                uint32_t code;
                size_t size = utf8_decode(text + out, len - out, &code);

                size = size ? size : 1;
                if (out + size > DOC_SHOWN_MAX - sizeof("..."))
                        break;
                out += size;
        }
        memcpy(buf, text, out);
        memcpy(buf + out, out < len ? "..." : "", out < len ? sizeof("...") : 1);
        return buf;
}

/* A file of nothing but mistakes costs no more than its reading, and leaves room for what is said of others. */
static bool keeps_reports(const struct doc_file *file)
{
        return file->reports < DOC_REPORTS_MAX && file->diags->len < DIAG_LIST_MAX;
}

_printf_(3, 0) static void report(struct doc_file *file, struct diag *diag, const char *fmt, va_list args)
{
        _cleanup_free_ char *message = NULL;
        int r = 0;

        if (!keeps_reports(file)) {
                diag_drop(file->diags, diag->severity);
                return;
        }
        file->reports++;
        if (diag->line > 0)
                r = doc_source(file, diag->line, diag->col, &diag->source, &diag->source_col);
        if (vasprintf(&message, fmt, args) < 0)
                message = NULL;
        if (r < 0 || !message || diag_add(file->diags, diag, "%s", message) < 0)
                file->oom = true;
        free(diag->source);
}

void doc_diag(struct doc_file *file, const struct doc_node *node, enum diag_severity severity, const char *rule,
              const char *hint, const char *fmt, ...)
{
        struct diag diag = {
                .severity = severity,
                .rule = rule,
                .file = (char *)file->name,
                .line = node->line,
                .col = node->col,
                .end_col = node->end_col,
                .hint = (char *)hint,
        };
        va_list args;

        va_start(args, fmt);
        report(file, &diag, fmt, args);
        va_end(args);
}

void doc_diag_twice(struct doc_file *file, const struct doc_node *node, const char *rule, const char *hint,
                    const struct doc_node *other, const char *what, const char *fmt, ...)
{
        struct diag_place place = {
                .file = (char *)file->name,
                .line = other->line,
                .col = other->col,
                .end_col = other->end_col,
                .message = (char *)what,
        };
        struct diag diag = {
                .severity = DIAG_ERROR,
                .rule = rule,
                .file = (char *)file->name,
                .line = node->line,
                .col = node->col,
                .end_col = node->end_col,
                .hint = (char *)hint,
                .places = &place,
                .places_len = 1,
        };
        va_list args;

        if (keeps_reports(file) && doc_source(file, place.line, place.col, &place.source, &place.source_col) < 0)
                file->oom = true;
        va_start(args, fmt);
        report(file, &diag, fmt, args);
        va_end(args);
        free(place.source);
}

void doc_diag_at(struct doc_file *file, unsigned line, unsigned col, const char *rule, const char *hint,
                 const char *fmt, ...)
{
        struct diag diag = {
                .severity = DIAG_ERROR,
                .rule = rule,
                .file = (char *)file->name,
                .line = line,
                .col = col,
                .hint = (char *)hint,
        };
        va_list args;

        va_start(args, fmt);
        report(file, &diag, fmt, args);
        va_end(args);
}

const char *doc_kind_name(enum doc_kind kind)
{
        static const char *const names[] = {"nothing",  "a boolean", "a whole number", "a number with a fraction",
                                            "a string", "a list",    "a mapping"};

        static_assert(ARRAY_SIZE(names) == DOC_KIND_MAX, "names do not match enum doc_kind");
        return names[kind];
}

static char fold(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Edits from a to b: insert, delete, replace, and swap neighbours; case does not count. Both at most WORD_MAX long. */
static size_t count_edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
        size_t rows[3][WORD_MAX + 1], *before = rows[0], *last = rows[1], *row = rows[2], *spare, i, j;

        for (j = 0; j <= b_len; j++)
                last[j] = before[j] = j;
        for (i = 1; i <= a_len; i++) {
                row[0] = i;
                for (j = 1; j <= b_len; j++) {
                        bool same = fold(a[i - 1]) == fold(b[j - 1]);
                        size_t best = last[j - 1] + !same;

                        best = last[j] + 1 < best ? last[j] + 1 : best;
                        best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
                        if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]) &&
                            before[j - 2] + 1 < best)
                                best = before[j - 2] + 1;
                        row[j] = best;
                }
                spare = before;
                before = last;
                last = row;
                row = spare;
        }
        return last[b_len];
}

const char *doc_nearest(const char *word, const char *const *names, size_t len)
{
        size_t word_len = strlen(word), best = SIZE_MAX, i;
        const char *nearest = NULL;

        if (word_len == 0 || word_len > WORD_MAX)
                return NULL;
        for (i = 0; i < len; i++) {
                size_t name_len = strlen(names[i]), edits;

                if (name_len > WORD_MAX)
                        continue;
                edits = count_edits(word, word_len, names[i], name_len);
                if (edits < best && edits <= (name_len > word_len ? name_len : word_len) / 3) {
                        best = edits;
                        nearest = names[i];
                }
        }
        return nearest;
}

/* "a, b, c" into buf; cut where it is full. */
static void join_names(char *buf, size_t size, const char *const *names, size_t len)
{
        size_t at = 0, i;

        buf[0] = '\0';
        for (i = 0; i < len && at < size; i++) {
                int n = snprintf(buf + at, size - at, "%s%s", i > 0 ? ", " : "", names[i]);

                at += n > 0 ? (size_t)n : 0;
        }
}

/* How what stands in a mapping's place becomes one. */
static const char *mapping_hint(const struct doc_node *node)
{
        if (node->kind == DOC_LIST)
                return "write \"key: value\" lines, not a list";
        if (node->kind == DOC_STRING && strchr(node->text, ':') && !strchr(node->text, ' '))
                return "write a space after the colon";
        if (node->kind == DOC_STRING && strchr(node->text, '=') && !strchr(node->text, ':'))
                return "write \"key: value\", with a colon and a space";
        return "write \"key: value\" lines, indented";
}

/* What word processors put in the place of plain quotes and spaces; 0 where there is none. */
static uint32_t find_typographic(const char *text)
{
        size_t len = strlen(text), at = 0;

        while (at < len) {
                uint32_t code = 0;
                size_t size = utf8_decode(text + at, len - at, &code);

                if (code == 0xa0 || (code >= 0x2000 && code <= 0x200f) || (code >= 0x2018 && code <= 0x201f) ||
                    code == 0x202f)
                        return code;
                at += size ? size : 1;
        }
        return 0;
}

bool doc_hint_character(char buf[static DOC_HINT_MAX], const char *text)
{
        uint32_t code = find_typographic(text);

        if (code >= 0x2018 && code <= 0x201f)
                snprintf(buf, DOC_HINT_MAX, "it holds a typographic quote (U+%04X); write \" or '", (unsigned)code);
        else if (code != 0)
                snprintf(buf, DOC_HINT_MAX, "it holds a space that is none (U+%04X); remove it", (unsigned)code);
        return code != 0;
}

/* No search for hints that nobody will read. */
static void report_unknown(struct doc_file *file, const struct doc_node *key, const char *what,
                           const char *const *names, size_t len, const char *(*hint)(const char *field))
{
        const char *nearest, *special;
        char shown[DOC_SHOWN_MAX], text[256], all[220], character[DOC_HINT_MAX];

        if (!keeps_reports(file)) {
                diag_drop(file->diags, DIAG_ERROR);
                return;
        }
        nearest = doc_nearest(key->text, names, len);
        special = hint ? hint(key->text) : NULL;
        if (doc_hint_character(character, key->text)) {
                snprintf(text, sizeof(text), "%s", character);
        } else if (special) {
                snprintf(text, sizeof(text), "%s", special);
        } else if (nearest) {
                snprintf(text, sizeof(text), "did you mean \"%s\"?", nearest);
        } else {
                join_names(all, sizeof(all), names, len);
                snprintf(text, sizeof(text), "the fields here are: %s", all);
        }
        doc_diag(file, key, DIAG_ERROR, "VW003", text, "unknown field \"%s\" in %s", doc_shown(key->text, shown), what);
}

bool doc_check_fields_hinting(struct doc_file *file, const struct doc_node *node, const char *what,
                              const char *const *names, size_t len, const char *(*hint)(const char *field))
{
        size_t i, j;

        if (node->kind != DOC_MAP) {
                doc_diag(file, node, DIAG_ERROR, "VW004", mapping_hint(node), "%s must be a mapping, not %s", what,
                         doc_kind_name(node->kind));
                return false;
        }
        for (i = 0; i < node->len; i++) {
                for (j = 0; j < len && strcmp(node->pairs[i].key->text, names[j]) != 0; j++)
                        continue;
                if (j == len)
                        report_unknown(file, node->pairs[i].key, what, names, len, hint);
        }
        return true;
}

bool doc_check_fields(struct doc_file *file, const struct doc_node *node, const char *what, const char *const *names,
                      size_t len)
{
        return doc_check_fields_hinting(file, node, what, names, len, NULL);
}

/* What was meant as a list, but for a space. */
static bool is_dashed(const struct doc_node *node)
{
        if (node->kind == DOC_STRING)
                return node->text[0] == '-' && node->text[1] != '\0';
        return node->kind == DOC_MAP && node->len > 0 && node->pairs[0].key->text[0] == '-';
}

/* The value of a key where there is one of the wanted kind; anything but null of another is reported. */
static struct doc_node *get_typed(struct doc_file *file, const struct doc_node *node, const char *key,
                                  enum doc_kind kind)
{
        struct doc_node *value = doc_get(node, key);
        char shown[DOC_SHOWN_MAX], hint[DOC_SHOWN_MAX + 64] = "";
        bool scalar;

        if (!value || value->kind == DOC_NULL)
                return NULL;
        if (value->kind == kind)
                return value;
        scalar = value->kind != DOC_LIST && value->kind != DOC_MAP;
        if (kind == DOC_STRING && scalar)
                snprintf(hint, sizeof(hint), "put it in quotes: \"%s\"", doc_shown(value->text, shown));
        else if (kind == DOC_LIST && is_dashed(value))
                snprintf(hint, sizeof(hint), "write a space after each \"-\"");
        else if (kind == DOC_LIST)
                snprintf(hint, sizeof(hint),
                         value->kind == DOC_MAP ? "begin the first line of each item with \"- \""
                                                : "begin each item with \"- \", or write [ ... ]");
        else if (kind == DOC_MAP)
                snprintf(hint, sizeof(hint), "%s", mapping_hint(value));
        else if (kind == DOC_INT && value->kind == DOC_STRING &&
                 strspn(value->text, "0123456789") == strlen(value->text))
                snprintf(hint, sizeof(hint), "write it without quotes");
        else if (kind == DOC_BOOL)
                snprintf(hint, sizeof(hint), "write true or false, without quotes");
        if (scalar)
                doc_diag(file, value, DIAG_ERROR, "VW004", *hint ? hint : NULL, "\"%s\" must be %s, not %s (%s)", key,
                         doc_kind_name(kind), doc_kind_name(value->kind), doc_shown(value->text, shown));
        else
                doc_diag(file, value, DIAG_ERROR, "VW004", *hint ? hint : NULL, "\"%s\" must be %s, not %s", key,
                         doc_kind_name(kind), doc_kind_name(value->kind));
        return NULL;
}

bool doc_get_string(struct doc_file *file, const struct doc_node *node, const char *key, const char **ret)
{
        const struct doc_node *value = get_typed(file, node, key, DOC_STRING);

        if (value)
                *ret = value->text;
        return value;
}

bool doc_get_int(struct doc_file *file, const struct doc_node *node, const char *key, int64_t min, int64_t max,
                 int64_t *ret)
{
        const struct doc_node *value = get_typed(file, node, key, DOC_INT);
        char shown[DOC_SHOWN_MAX];

        if (!value)
                return false;
        if (value->integer < min || value->integer > max) {
                doc_diag(file, value, DIAG_ERROR, "VW004", NULL, "\"%s\" must be from %lld to %lld, not %s", key,
                         (long long)min, (long long)max, doc_shown(value->text, shown));
                return false;
        }
        *ret = value->integer;
        return true;
}

bool doc_get_bool(struct doc_file *file, const struct doc_node *node, const char *key, bool *ret)
{
        const struct doc_node *value = get_typed(file, node, key, DOC_BOOL);

        if (value)
                *ret = value->boolean;
        return value;
}

bool doc_get_list(struct doc_file *file, const struct doc_node *node, const char *key, struct doc_node **ret)
{
        struct doc_node *value = get_typed(file, node, key, DOC_LIST);

        if (value)
                *ret = value;
        return value;
}

bool doc_get_map(struct doc_file *file, const struct doc_node *node, const char *key, struct doc_node **ret)
{
        struct doc_node *value = get_typed(file, node, key, DOC_MAP);

        if (value)
                *ret = value;
        return value;
}

bool doc_is_text(struct doc_file *file, const struct doc_node *node, const char *what, const char *key)
{
        char shown[DOC_SHOWN_MAX], name[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];

        if (node->kind == DOC_STRING)
                return true;
        doc_shown(key, name);
        if (node->kind == DOC_NULL) {
                doc_diag(file, node, DIAG_ERROR, "VW004", "an empty value is written \"\"", "%s \"%s\" has no value",
                         what, name);
        } else if (node->kind == DOC_LIST || node->kind == DOC_MAP) {
                doc_diag(file, node, DIAG_ERROR, "VW004", NULL, "%s \"%s\" must be a string, not %s", what, name,
                         doc_kind_name(node->kind));
        } else {
                doc_shown(node->text, shown);
                snprintf(hint, sizeof(hint), "put it in quotes: \"%s\"", shown);
                doc_diag(file, node, DIAG_ERROR, "VW004", hint, "%s \"%s\" must be a string, not %s (%s)", what, name,
                         doc_kind_name(node->kind), shown);
        }
        return false;
}

const char *doc_pair_text(struct doc_file *file, const struct doc_pair *pair, const char *what)
{
        char shown[DOC_SHOWN_MAX], hint[DOC_HINT_MAX];

        if (pair->key->kind != DOC_STRING) {
                doc_shown(pair->key->text, shown);
                snprintf(hint, sizeof(hint), "put it in quotes: \"%s\"", shown);
                doc_diag(file, pair->key, DIAG_ERROR, "VW004", hint, "a key must be a string, not %s (%s)",
                         doc_kind_name(pair->key->kind), shown);
                return NULL;
        }
        return doc_is_text(file, pair->value, what, pair->key->text) ? pair->value->text : NULL;
}

const char *doc_hint_nearest(char buf[static DOC_HINT_MAX], const char *word, const char *const *names, size_t len,
                             const char *otherwise)
{
        const char *nearest = doc_nearest(word, names, len);

        if (nearest)
                snprintf(buf, DOC_HINT_MAX, "did you mean \"%s\"?", nearest);
        else
                snprintf(buf, DOC_HINT_MAX, "%s", otherwise);
        return buf;
}
