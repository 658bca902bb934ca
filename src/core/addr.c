/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The address values of <vethwall/addr.h>. */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include <vethwall/addr.h>

static_assert(ADDR_TEXT_MAX >= INET6_ADDRSTRLEN + sizeof("/128"), "ADDR_TEXT_MAX does not hold a prefix");

static unsigned addr_bits(const struct addr *addr)
{
        return addr->family == ADDR_V4 ? 32 : 128;
}

bool addr_parse(const char *text, struct addr *ret)
{
        struct addr addr = {.family = strchr(text, ':') ? ADDR_V6 : ADDR_V4};

        if (inet_pton(addr.family == ADDR_V4 ? AF_INET : AF_INET6, text, addr.bytes) != 1)
                return false;
        *ret = addr;
        return true;
}

char *addr_format(const struct addr *addr, char buf[static ADDR_TEXT_MAX])
{
        if (!inet_ntop(addr->family == ADDR_V4 ? AF_INET : AF_INET6, addr->bytes, buf, ADDR_TEXT_MAX))
                buf[0] = '\0';
        return buf;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
        if (a->family != b->family)
                return a->family < b->family ? -1 : 1;
        return memcmp(a->bytes, b->bytes, addr_size(a->family));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
        return addr_cmp(a, b) == 0;
}

bool addr_next(struct addr *addr)
{
        struct addr highest = addr_highest(addr->family);
        size_t i = addr_size(addr->family);

        if (addr_equal(addr, &highest))
                return false;
        while (i > 0 && ++addr->bytes[i - 1] == 0)
                i--;
        return true;
}

bool addr_prev(struct addr *addr)
{
        struct addr lowest = addr_lowest(addr->family);
        size_t i = addr_size(addr->family);

        if (addr_equal(addr, &lowest))
                return false;
        while (i > 0 && addr->bytes[i - 1]-- == 0)
                i--;
        return true;
}

struct addr addr_lowest(enum addr_family family)
{
        return (struct addr){.family = (uint8_t)family};
}

struct addr addr_highest(enum addr_family family)
{
        struct addr addr = {.family = (uint8_t)family};

        memset(addr.bytes, 0xff, addr_size(family));
        return addr;
}

/* One to three digits without a leading zero, nothing else; -1 where text is not that. */
static int parse_length(const char *text)
{
        int len = 0;
        size_t i;

        for (i = 0; text[i] >= '0' && text[i] <= '9' && i < 3; i++)
                len = len * 10 + (text[i] - '0');
        if (i == 0 || text[i] != '\0' || (text[0] == '0' && i > 1))
                return -1;
        return len;
}

bool prefix_parse(const char *text, struct prefix *ret)
{
        const char *slash = strchr(text, '/');
        char buf[ADDR_TEXT_MAX];
        struct prefix prefix;
        int len;

        if (!slash || (size_t)(slash - text) >= sizeof(buf))
                return false;
        memcpy(buf, text, (size_t)(slash - text));
        buf[slash - text] = '\0';
        len = parse_length(slash + 1);
        if (len < 0 || !addr_parse(buf, &prefix.addr) || (unsigned)len > addr_bits(&prefix.addr))
                return false;
        prefix.len = (uint8_t)len;
        *ret = prefix;
        return true;
}

char *prefix_format(const struct prefix *prefix, char buf[static ADDR_TEXT_MAX])
{
        size_t at;
        unsigned len = prefix->len;

        addr_format(&prefix->addr, buf);
        at = strlen(buf);
        buf[at++] = '/';
        if (len >= 100)
                buf[at++] = (char)('0' + len / 100);
        if (len >= 10)
                buf[at++] = (char)('0' + len / 10 % 10);
        buf[at++] = (char)('0' + len % 10);
        buf[at] = '\0';
        return buf;
}

/* The bits of byte i that lie outside the prefix. */
static uint8_t host_mask(unsigned len, size_t i)
{
        if (len >= (i + 1) * 8)
                return 0;
        if (len <= i * 8)
                return 0xff;
        return (uint8_t)(0xff >> (len - i * 8));
}

struct addr_range prefix_range(const struct prefix *prefix)
{
        struct addr_range range = {.first = prefix->addr, .last = prefix->addr};
        size_t i;

        for (i = 0; i < addr_size(prefix->addr.family); i++) {
                range.first.bytes[i] &= (uint8_t)~host_mask(prefix->len, i);
                range.last.bytes[i] |= host_mask(prefix->len, i);
        }
        return range;
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
        struct addr_range range = prefix_range(prefix);

        return addr_range_contains(&range, addr);
}

bool prefix_has_host_bits(const struct prefix *prefix)
{
        struct addr_range range = prefix_range(prefix);

        return !addr_equal(&range.first, &prefix->addr);
}

bool prefix_is_strictly_inside(const struct prefix *inner, const struct prefix *outer)
{
        return inner->len > outer->len && prefix_contains(outer, &inner->addr);
}

bool addr_range_contains(const struct addr_range *range, const struct addr *addr)
{
        return range->first.family == addr->family && addr_cmp(&range->first, addr) <= 0 &&
               addr_cmp(addr, &range->last) <= 0;
}

bool addr_range_is_prefix(const struct addr_range *range, struct prefix *ret)
{
        struct prefix prefix = {.addr = range->first};
        struct addr_range whole;
        unsigned len = 0;

        if (range->first.family != range->last.family)
                return false;
        while (len < addr_bits(&range->first) &&
               ((range->first.bytes[len / 8] ^ range->last.bytes[len / 8]) & (0x80 >> len % 8)) == 0)
                len++;
        prefix.len = (uint8_t)len;
        whole = prefix_range(&prefix);
        if (!addr_equal(&whole.first, &range->first) || !addr_equal(&whole.last, &range->last))
                return false;
        *ret = prefix;
        return true;
}
