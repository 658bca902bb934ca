/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy files in their canonical form: the order of fields that people expect, one style, comments kept. What it does not
 * do is change what a file says: nothing is added, nothing dropped, lists keep their order. */
#pragma once

#include <stddef.h>

#include <vethwall/diag.h>
#include <vethwall/strbuf.h>

/* Appends the file's canonical form to ret. Documents that are no policy objects stay as they are, to the byte. A file
 * with mistakes is refused: they go to diags, and ret gets nothing. 0 (look at diags->errors) or -ENOMEM. */
int format_policies(struct strbuf *ret, const char *name, const char *bytes, size_t size, struct diag_list *diags);
