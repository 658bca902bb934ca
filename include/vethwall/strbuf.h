/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing text buffer. Everything the core prints goes into one of these; writing it anywhere is the
 * caller's affair. An append that runs out of memory marks the buffer as failed and later appends do
 * nothing, so that only the end needs a check. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <vethwall/base.h>

struct strbuf {
        char *text; /* owned; NUL-terminated once anything was appended, else NULL */
        size_t len; /* without the NUL */
        size_t cap;
        bool failed;
};

#define STRBUF_INIT                                                                                                    \
        {                                                                                                              \
                NULL, 0, 0, false                                                                                      \
        }

void strbuf_fini(struct strbuf *buf);
void strbuf_add(struct strbuf *buf, const char *text, size_t len);
void strbuf_puts(struct strbuf *buf, const char *text);
void strbuf_putc(struct strbuf *buf, char c);
void strbuf_printf(struct strbuf *buf, const char *fmt, ...) _printf_(2, 3);

/* The text as a JSON string, quotes included, that YAML reads alike; invalid UTF-8 bytes become U+FFFD. */
void strbuf_json(struct strbuf *buf, const char *text);

/* The text as a terminal may show it: control characters, marks that reorder text and invalid UTF-8 become U+FFFD. */
void strbuf_clean(struct strbuf *buf, const char *text);

/* Empties the buffer, keeps its memory. */
void strbuf_clear(struct strbuf *buf);

/* 0, or -ENOMEM if any append failed. On 0 buf->text is not NULL. */
int strbuf_check(struct strbuf *buf);
