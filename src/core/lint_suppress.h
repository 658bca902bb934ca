/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the policy files themselves tell lint to leave out. Private to lint.
 *
 *   # vethwall: ignore[VW301, VW302] reason       beside or above what it is about
 *   vethwall.io/ignore.VW301: reason              an annotation of the object that it is about
 *
 * A comment is about the line that it stands on, or, alone on its line, about the next line that holds anything else; and
 * about all that this line begins: the lines below that are indented further, so that above "- from:" it covers the whole
 * rule and above "policyTypes:" that field. On or above the first line of a document it covers the document. Of several
 * that cover a finding the innermost counts. */
#pragma once

#include "lint_internal.h"

struct suppression {
        uint32_t file;
        uint32_t rule;        /* index in the table of rules */
        uint64_t first, last; /* what it covers, as spots; first 0: nothing */
        struct src_loc loc;   /* of the rule's id */
        const char *reason;
        uint32_t outer; /* the next one that covers its beginning too, or NONE */
        bool used;
};

struct suppressions {
        struct arena *arena;       /* of the reasons; NULL while there is none */
        struct suppression *items; /* owned; once all are read by file, rule, and first */
        size_t len, cap;
};

static inline uint64_t lint_spot(unsigned line, unsigned col)
{
        return (uint64_t)line << 32 | col;
}

void suppressions_fini(struct suppressions *suppressions);

/* Reads what comments and annotations say and reports what is wrong with it. Sets lint->r. */
void lint_read_suppressions(struct lint *lint);

/* What covers a finding there, marked as used; or NULL. */
const struct suppression *lint_find_suppression(struct lint *lint, const char *id, const struct src_loc *loc);

/* Reports those that were of no use. loaded: the number of findings that were there before lint; usable: there was no error
 * among them, so that everything was looked for. */
void lint_report_unused(struct lint *lint, size_t loaded, bool usable);

/* For the readers: takes one more id, as it was written. Reports it where there is no such rule. Covers what item says of
 * it; a reason of NULL is not taken (and was reported). */
void lint_add_suppression(struct lint *lint, const struct suppression *item, const char *id);

/* The comments of a file of the set. */
void lint_read_comments(struct lint *lint, uint32_t file);

/* The reason without what stands around it, or NULL where there is none. Changes text. */
const char *lint_trim_reason(char *text);

/* There is no reason (VW901). */
void lint_report_no_reason(struct lint *lint, const struct src_loc *loc);
