/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8, one character at a time. Private to the core. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Decodes the first character of text (len bytes, at least one). Returns its bytes, or 0 where they are no UTF-8:
 * truncated, overlong, a surrogate, or past U+10FFFF (RFC 3629, section 4). */
static inline size_t utf8_decode(const char *text, size_t len, uint32_t *ret)
{
        static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *p = (const unsigned char *)text;
        size_t size = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf8 ? 4 : 0;
        uint32_t code;
        size_t i;

        if (size == 0 || size > len)
                return 0;
        code = size == 1 ? p[0] : p[0] & (0xffu >> (size + 1));
        for (i = 1; i < size; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (p[i] & 0x3f);
        }
        if (code < lowest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
                return 0;
        *ret = code;
        return size;
}

/* Would change what a terminal shows beyond itself: C0, DEL, C1, and the marks that reorder text. */
static inline int utf8_is_control(uint32_t code)
{
        return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
               (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}
