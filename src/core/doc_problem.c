/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps a file from being parsed, in the words of those who write policies. */
#include <string.h>

#include "doc_private.h"

/* What libyaml says, and find_sign() after it, in the words of those who write policies. */
static const struct {
        const char *problem;
        const char *message;
        const char *hint;
} problems[] = {
        {"mapping values are not allowed in this context", "a key is not allowed here",
         "check the indentation of this line and the one before; a text that holds \": \" needs quotes"},
        {"did not find expected key", "this line does not continue the mapping it stands in",
         "keys of one mapping begin in the same column; check the indentation"},
        {"did not find expected '-' indicator", "this line does not continue the list it stands in",
         "items of one list begin with \"- \" in the same column; check the indentation"},
        {"could not find expected ':'", "a key without \": \"", "write key: value, with a space after the colon"},
        {"block sequence entries are not allowed in this context", "a list item is not allowed here",
         "begin the list on its own line"},
        {"found character that cannot start any token", "a value cannot begin with this character",
         "indent with spaces, not tabs; put a text that begins with a special character in quotes"},
        {"found a tab character that violates indentation", "a tab cannot indent", "indent with spaces"},
        {"found a tab character where an indentation space is expected", "a tab cannot indent", "indent with spaces"},
        {"found unexpected end of stream", "the quoted text does not end", "close the quotes"},
        {"found unexpected document indicator", "the quoted text does not end", "close the quotes"},
        {"did not find expected ',' or ']'", "the list does not end, or a comma is missing",
         "check the [ ] and the commas"},
        {"did not find expected ',' or '}'", "the mapping does not end, or a comma is missing",
         "check the { } and the commas"},
        {"did not find expected node content", "a value is missing", "check the brackets and commas"},
        {"did not find expected alphabetic or numeric character", "an anchor or alias without a name",
         "a text that begins with & or * needs quotes"},
        {"did not find expected <document start>", "the document has ended, and more follows",
         "begin another document with a line ---"},
        {"found unknown escape character", "an escape that YAML does not know",
         "write \\\\ for a backslash, or use single quotes"},
        {"merge conflict", "the file holds a merge conflict", "decide for one of the two sides and remove these lines"},
        {"comma outside of brackets", "a comma is not allowed here",
         "outside of { } and [ ] each value has its own line, without a comma"},
        {"found undefined tag handle", "a tag that is not understood", "a text that begins with ! needs quotes"},
};

/* A sign of what went wrong that libyaml has no words for. */
enum sign {
        SIGN_NONE,
        SIGN_TAB,      /* in the place of indentation */
        SIGN_CONFLICT, /* left by a merge */
        SIGN_COMMA,    /* after a value that is not in brackets */
};

static bool is_conflict(const char *line)
{
        return strncmp(line, "<<<<<<< ", 8) == 0 || strncmp(line, ">>>>>>> ", 8) == 0 || strcmp(line, "=======") == 0;
}

/* What the line says of a problem at col in it. */
static enum sign find_sign(struct doc_file *file, unsigned line, unsigned col)
{
        _cleanup_free_ char *source = NULL;
        unsigned start = 1;

        if (doc_source(file, line, col, &source, &start) < 0)
                file->oom = true;
        if (!source || start != 1)
                return SIGN_NONE;
        if (is_conflict(source))
                return SIGN_CONFLICT;
        if (source[strspn(source, " ")] == '\t' && strspn(source, " \t") + 1 >= col)
                return SIGN_TAB;
        return col <= strlen(source) && source[col - 1] == ',' ? SIGN_COMMA : SIGN_NONE;
}

/* A text in quotes that does not end, and a merge conflict, are reported where they begin; all else where it was noticed. */
void doc_report_problem(struct doc_file *file, const struct doc_problem *problem)
{
        const char *message = problem->problem ? problem->problem : "the text cannot be read", *hint = NULL;
        bool begun = problem->context && problem->context_line < problem->line, at_start = false;
        enum sign sign = find_sign(file, problem->line, problem->col);
        unsigned line = problem->line, col = problem->col;
        size_t i;

        if (begun && find_sign(file, problem->context_line, 1) == SIGN_CONFLICT) {
                sign = SIGN_CONFLICT;
                at_start = true;
        }
        if (sign == SIGN_TAB)
                message = "found a tab character that violates indentation";
        else if (sign == SIGN_CONFLICT)
                message = "merge conflict";
        else if (sign == SIGN_COMMA && strcmp(message, "did not find expected key") == 0)
                message = "comma outside of brackets";
        for (i = 0; i < ARRAY_SIZE(problems); i++) {
                if (strcmp(problems[i].problem, message) == 0) {
                        message = problems[i].message;
                        hint = problems[i].hint;
                        break;
                }
        }
        at_start |= begun && strcmp(problem->context, "while scanning a quoted scalar") == 0;
        if (at_start) {
                line = problem->context_line;
                col = problem->context_col;
        }
        if (begun && !at_start)
                doc_diag_at(file, line, col, "VW001", hint, "%s (begun in line %u)", message, problem->context_line);
        else
                doc_diag_at(file, line, col, "VW001", hint, "%s", message);
}
