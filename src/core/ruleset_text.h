/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of nft's language for single objects: the ruleset's text, a plan's and the kernel's refusals are made of
 * them. */
#pragma once

#include <vethwall/ruleset.h>
#include <vethwall/strbuf.h>

const char *rs_family_name(enum rs_family family); /* "inet", "bridge" */

/* "10.0.0.2 comment "shop/web" : goto out_shop". */
void rs_elem_text(struct strbuf *buf, const struct rs_set *set, const struct rs_elem *elem);

/* "ip saddr vmap @egress4"; the table tells the families of the sets it names. */
void rs_rule_text(struct strbuf *buf, const struct rs_table *table, const struct rs_rule *rule);

/* The statements of a declaration, each between start and end ("type ipv4_addr : verdict"; for a base chain "type filter
 * hook forward priority filter; policy accept;", for a regular one nothing). */
void rs_set_text(struct strbuf *buf, const struct rs_set *set, const char *start, const char *end);
void rs_chain_text(struct strbuf *buf, enum rs_family family, const struct rs_chain *chain, const char *start,
                   const char *end);
