/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel refused, in words. */
#pragma once

#include <stddef.h>

#include <vethwall/diff.h>

#define DESCRIBE_NO_ELEM SIZE_MAX

struct strbuf;

/* "add element inet vethwall egress4 { 10.0.0.2 }". elem is an index into the operation's elements; where it is
 * DESCRIBE_NO_ELEM they are elems_len from first_elem on, and it is not known which. */
void describe_op(struct strbuf *buf, const struct plan_op *op, size_t elem, size_t first_elem, size_t elems_len);
