/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ranges of addresses in the fewest words. */
#include <stdlib.h>

#include "diff_ends.h"
#include "output.h"

/* More prefixes than these say less than the two ends of a range. */
#define PREFIXES_MAX 8

static bool is_whole(const struct addr_range *range)
{
        struct addr first = addr_lowest(range->first.family), last = addr_highest(range->first.family);

        return addr_equal(&range->first, &first) && addr_equal(&range->last, &last);
}

/* The largest prefix that begins where the range does and does not reach beyond it. */
static struct addr_range first_prefix(const struct addr_range *range, struct prefix *ret)
{
        struct prefix prefix = {range->first, (uint8_t)(8 * addr_size(range->first.family))};
        struct addr_range covered = {range->first, range->first};

        while (prefix.len > 0) {
                struct prefix wider = {range->first, (uint8_t)(prefix.len - 1)};
                struct addr_range wide = prefix_range(&wider);

                if (!addr_equal(&wide.first, &range->first) || addr_cmp(&wide.last, &range->last) > 0)
                        break;
                prefix = wider;
                covered = wide;
        }

        *ret = prefix;
        return covered;
}

/* The fewest prefixes that are together the ranges; returns how many there are, and writes them unless buf is NULL. */
static size_t put_prefixes(struct strbuf *buf, const struct addr_range *ranges, size_t len)
{
        char text[ADDR_TEXT_MAX];
        struct prefix prefix;
        size_t n = 0;

        for (size_t i = 0; i < len; i++) {
                struct addr_range rest = ranges[i], covered;

                do {
                        covered = first_prefix(&rest, &prefix);
                        rest.first = covered.last;
                        if (buf) {
                                strbuf_puts(buf, n > 0 ? ", " : "");
                                strbuf_puts(buf, prefix.len == 8 * addr_size(prefix.addr.family)
                                                         ? addr_format(&prefix.addr, text)
                                                         : prefix_format(&prefix, text));
                        }
                        n++;
                } while (addr_next(&rest.first) && addr_cmp(&rest.first, &rest.last) <= 0);
        }

        return n;
}

/* The smallest prefix that all the ranges are in. */
static struct prefix find_cover(const struct addr_range *ranges, size_t len)
{
        struct prefix prefix = {ranges[0].first, (uint8_t)(8 * addr_size(ranges[0].first.family))};

        while (!prefix_contains(&prefix, &ranges[len - 1].last))
                prefix.len--;

        prefix.addr = prefix_range(&prefix).first;
        return prefix;
}

/* What of the cover is in none of the ranges. */
static size_t find_holes(const struct prefix *cover, const struct addr_range *ranges, size_t len,
                         struct addr_range *holes)
{
        struct addr_range rest = prefix_range(cover);
        bool more = true;
        size_t n = 0;

        for (size_t i = 0; i < len; i++) {
                if (addr_cmp(&rest.first, &ranges[i].first) < 0) {
                        holes[n] = (struct addr_range){rest.first, ranges[i].first};
                        addr_prev(&holes[n++].last);
                }
                rest.first = ranges[i].last;
                more = addr_next(&rest.first);
        }
        if (more && addr_cmp(&rest.first, &rest.last) <= 0)
                holes[n++] = rest;

        return n;
}

/* Of one family: as prefixes, or as one prefix and what is not of it, whichever is shorter. */
static void put_family(struct strbuf *buf, const struct addr_range *ranges, size_t len)
{
        _cleanup_free_ struct addr_range *holes = NULL;
        struct prefix cover = find_cover(ranges, len);
        size_t prefixes = put_prefixes(NULL, ranges, len), holes_len, excepts;
        char text[ADDR_TEXT_MAX];

        holes = calloc(len + 1, sizeof(*holes));
        if (!holes) {
                buf->failed = true;
                return;
        }

        holes_len = find_holes(&cover, ranges, len, holes);
        excepts = put_prefixes(NULL, holes, holes_len);
        if (prefixes <= excepts + 1 && prefixes <= PREFIXES_MAX) {
                put_prefixes(buf, ranges, len);
        } else if (excepts <= PREFIXES_MAX) {
                strbuf_printf(buf, "%s except ", prefix_format(&cover, text));
                put_prefixes(buf, holes, holes_len);
        } else {
                for (size_t i = 0; i < len; i++) {
                        strbuf_puts(buf, i > 0 ? ", " : "");
                        put_range(buf, &ranges[i]);
                }
        }
}

void put_ranges_text(struct strbuf *buf, const struct addr_range *ranges, size_t len)
{
        size_t v4 = 0;

        while (v4 < len && ranges[v4].first.family == ADDR_V4)
                v4++;
        if (v4 == 1 && len == 2 && is_whole(&ranges[0]) && is_whole(&ranges[1])) {
                strbuf_puts(buf, "outside");
                return;
        }

        if (v4 > 0)
                put_family(buf, ranges, v4);
        strbuf_puts(buf, v4 > 0 && v4 < len ? ", " : "");
        if (v4 < len)
                put_family(buf, ranges + v4, len - v4);
}
