/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The growing text buffer of <vethwall/strbuf.h>. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/strbuf.h>

#include "utf8.h"

void strbuf_fini(struct strbuf *buf)
{
        free(buf->text);
        *buf = (struct strbuf)STRBUF_INIT;
}

/* Room for len more bytes and the NUL. */
static bool grow(struct strbuf *buf, size_t len)
{
        if (buf->failed)
                return false;
        if (len >= SIZE_MAX - buf->len || array_reserve(&buf->text, &buf->cap, buf->len + len + 1, 1) < 0)
                buf->failed = true;
        return !buf->failed;
}

void strbuf_add(struct strbuf *buf, const char *text, size_t len)
{
        if (!grow(buf, len))
                return;
        if (len > 0)
                memcpy(buf->text + buf->len, text, len);
        buf->len += len;
        buf->text[buf->len] = '\0';
}

void strbuf_puts(struct strbuf *buf, const char *text)
{
        strbuf_add(buf, text, strlen(text));
}

void strbuf_putc(struct strbuf *buf, char c)
{
        strbuf_add(buf, &c, 1);
}

void strbuf_printf(struct strbuf *buf, const char *fmt, ...)
{
        va_list args;
        int len;

        va_start(args, fmt);
        len = vsnprintf(NULL, 0, fmt, args);
        va_end(args);
        if (len < 0) {
                buf->failed = true;
                return;
        }
        if (!grow(buf, (size_t)len))
                return;
        va_start(args, fmt);
        vsnprintf(buf->text + buf->len, (size_t)len + 1, fmt, args);
        va_end(args);
        buf->len += (size_t)len;
}

/* What JSON must escape, and what YAML, which would otherwise read the same, does not take or takes for the end of a line. */
static bool is_escaped(uint32_t code)
{
        return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff ||
               code == 0xfffe || code == 0xffff;
}

static void json_char(struct strbuf *buf, const char *bytes, size_t len, uint32_t code)
{
        if (code == '"' || code == '\\')
                strbuf_putc(buf, '\\');
        if (code == '\n')
                strbuf_puts(buf, "\\n");
        else if (code == '\t')
                strbuf_puts(buf, "\\t");
        else if (code == '\r')
                strbuf_puts(buf, "\\r");
        else if (is_escaped(code))
                strbuf_printf(buf, "\\u%04x", code);
        else
                strbuf_add(buf, bytes, len);
}

void strbuf_json(struct strbuf *buf, const char *text)
{
        size_t left = strlen(text), len;
        uint32_t code;

        strbuf_putc(buf, '"');
        for (; left > 0; text += len, left -= len) {
                len = utf8_decode(text, left, &code);
                if (len == 0) {
                        len = 1;
                        strbuf_puts(buf, UTF8_REPLACEMENT);
                } else {
                        json_char(buf, text, len, code);
                }
        }
        strbuf_putc(buf, '"');
}

void strbuf_clean(struct strbuf *buf, const char *text)
{
        size_t left = strlen(text), len;

        for (; left > 0; text += len, left -= len) {
                uint32_t code = 0;

                len = utf8_decode(text, left, &code);
                if (len == 0 || utf8_is_control(code))
                        strbuf_puts(buf, UTF8_REPLACEMENT);
                else
                        strbuf_add(buf, text, len);
                len = len ? len : 1;
        }
}

void strbuf_clear(struct strbuf *buf)
{
        buf->len = 0;
        buf->failed = false;
        if (buf->text)
                buf->text[0] = '\0';
}

int strbuf_check(struct strbuf *buf)
{
        grow(buf, 0);
        if (buf->failed)
                return -ENOMEM;
        buf->text[buf->len] = '\0';
        return 0;
}
