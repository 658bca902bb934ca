/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What formatting and converting share. Private to the core. */
#pragma once

#include <stdbool.h>

#include "layout.h"

/* The kinds that are read; those whose objects are formatted. */
bool format_knows(const struct layout_item *object);

/* Puts the fields of an object, and of all in it, into their order. */
int format_sort(struct arena *arena, struct layout_item *object);

/* Reads the file, and loads it to find its mistakes. 0 (look at diags->errors) or -ENOMEM. */
int format_read(struct layout *ret, struct arena *arena, const char *name, const char *bytes, size_t size,
                struct diag_list *diags);

/* Appends the file: the documents for which wanted is set are printed, all others keep their bytes. */
void format_write(struct strbuf *ret, struct layout *layout, const bool *wanted);

/* Says that what was printed is not what was meant, a mistake of the printer's. 0 or -ENOMEM. */
int format_report_unwritable(const char *name, struct diag_list *diags);
