/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ruleset as nft's text, in the words and the order that "nft list ruleset" (1.0.6) uses, but for elements: one a
 * line, and no counters' values. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ruleset_text.h"

#define INDENT "\t\t"

static const char *const family_names[] = {
        [RS_INET] = "inet",
        [RS_BRIDGE] = "bridge",
};
static_assert(ARRAY_SIZE(family_names) == RS_FAMILY_MAX, "every family has a name");

static const char *const key_names[] = {
        [RS_KEY_ADDR4] = "ipv4_addr",
        [RS_KEY_ADDR6] = "ipv6_addr",
        [RS_KEY_ADDR4_PAIR] = "ipv4_addr . ipv4_addr",
        [RS_KEY_ADDR6_PAIR] = "ipv6_addr . ipv6_addr",
        [RS_KEY_PROTO] = "inet_proto",
        [RS_KEY_PROTO_PORT] = "inet_proto . inet_service",
        [RS_KEY_ICMPV6_TYPE] = "icmpv6_type",
};
static_assert(ARRAY_SIZE(key_names) == RS_KEY_MAX, "every key type has a name");

static const char *const verdict_names[] = {
        [RS_ACCEPT] = "accept", [RS_DROP] = "drop", [RS_RETURN] = "return", [RS_JUMP] = "jump", [RS_GOTO] = "goto",
};
static_assert(ARRAY_SIZE(verdict_names) == RS_VERDICT_MAX, "every verdict has a name");

static const char *const hook_names[] = {
        [RS_HOOK_NONE] = "none",       [RS_HOOK_PREROUTING] = "prerouting", [RS_HOOK_INPUT] = "input",
        [RS_HOOK_FORWARD] = "forward", [RS_HOOK_OUTPUT] = "output",         [RS_HOOK_POSTROUTING] = "postrouting",
};
static_assert(ARRAY_SIZE(hook_names) == RS_HOOK_MAX, "every hook has a name");

static const struct {
        uint8_t number;
        const char *name;
} protocols[] = {
        {IPPROTO_ICMP, "icmp"}, {IPPROTO_TCP, "tcp"}, {IPPROTO_UDP, "udp"},          {IPPROTO_GRE, "gre"},
        {IPPROTO_ESP, "esp"},   {IPPROTO_AH, "ah"},   {IPPROTO_ICMPV6, "ipv6-icmp"}, {IPPROTO_SCTP, "sctp"},
};

static const struct {
        uint8_t number;
        const char *name;
} icmpv6_types[] = {
        {1, "destination-unreachable"}, {2, "packet-too-big"},        {3, "time-exceeded"},
        {4, "parameter-problem"},       {128, "echo-request"},        {129, "echo-reply"},
        {130, "mld-listener-query"},    {131, "mld-listener-report"}, {132, "mld-listener-done"},
        {133, "nd-router-solicit"},     {134, "nd-router-advert"},    {135, "nd-neighbor-solicit"},
        {136, "nd-neighbor-advert"},    {137, "nd-redirect"},         {138, "router-renumbering"},
        {141, "ind-neighbor-solicit"},  {142, "ind-neighbor-advert"}, {143, "mld2-listener-report"},
};

/* In the order in which nft lists them. */
static const struct {
        uint32_t bit;
        const char *name;
} ct_states[] = {
        {RS_CT_INVALID, "invalid"},
        {RS_CT_ESTABLISHED, "established"},
        {RS_CT_RELATED, "related"},
        {RS_CT_NEW, "new"},
};

/* nft's names for priorities, which it uses for what is within ten of them. */
#define ANY_HOOK RS_HOOK_NONE
static const struct {
        enum rs_family family;
        enum rs_hook hook;
        int32_t priority;
        const char *name;
} priorities[] = {
        {RS_INET, ANY_HOOK, -300, "raw"},
        {RS_INET, ANY_HOOK, -150, "mangle"},
        {RS_INET, RS_HOOK_PREROUTING, -100, "dstnat"},
        {RS_INET, ANY_HOOK, 0, "filter"},
        {RS_INET, ANY_HOOK, 50, "security"},
        {RS_INET, RS_HOOK_POSTROUTING, 100, "srcnat"},
        {RS_BRIDGE, RS_HOOK_PREROUTING, -300, "dstnat"},
        {RS_BRIDGE, ANY_HOOK, -200, "filter"},
        {RS_BRIDGE, RS_HOOK_OUTPUT, 100, "out"},
        {RS_BRIDGE, RS_HOOK_POSTROUTING, 300, "srcnat"},
};

const char *rs_family_name(enum rs_family family)
{
        return family_names[family];
}

/* nft knows no escapes: what could end or break the text is replaced, and what is too long is cut where a character
 * ends. */
static void add_comment(struct strbuf *buf, const char *comment)
{
        size_t len = strnlen(comment, RS_COMMENT_MAX + 1);

        if (len > RS_COMMENT_MAX) {
                len = RS_COMMENT_MAX;
                while (len > 0 && ((unsigned char)comment[len] & 0xc0) == 0x80)
                        --len;
        }
        strbuf_puts(buf, " comment \"");
        for (size_t i = 0; i < len; ++i) {
                unsigned char c = (unsigned char)comment[i];

                strbuf_putc(buf, c == '"' ? '\'' : c < 0x20 || c == 0x7f ? '?' : (char)c);
        }
        strbuf_putc(buf, '"');
}

static void add_verdict(struct strbuf *buf, const struct rs_verdict *verdict)
{
        strbuf_puts(buf, verdict_names[verdict->kind]);
        if (verdict->chain) {
                strbuf_putc(buf, ' ');
                strbuf_puts(buf, verdict->chain);
        }
}

static void add_addr(struct strbuf *buf, enum addr_family family, const uint8_t *first, const uint8_t *last)
{
        struct addr_range range = {{.family = (uint8_t)family}, {.family = (uint8_t)family}};
        size_t size = addr_size(family);
        char text[ADDR_TEXT_MAX];
        struct prefix prefix;

        memcpy(range.first.bytes, first, size);
        memcpy(range.last.bytes, last, size);
        if (memcmp(first, last, size) == 0) {
                strbuf_puts(buf, addr_format(&range.first, text));
        } else if (addr_range_is_prefix(&range, &prefix)) {
                strbuf_puts(buf, prefix_format(&prefix, text));
        } else {
                strbuf_printf(buf, "%s-", addr_format(&range.first, text));
                strbuf_puts(buf, addr_format(&range.last, text));
        }
}

static void add_protocol(struct strbuf *buf, uint8_t number)
{
        for (size_t i = 0; i < ARRAY_SIZE(protocols); ++i)
                if (protocols[i].number == number) {
                        strbuf_puts(buf, protocols[i].name);
                        return;
                }
        strbuf_printf(buf, "%u", number);
}

static void add_icmpv6_type(struct strbuf *buf, uint8_t number)
{
        for (size_t i = 0; i < ARRAY_SIZE(icmpv6_types); ++i)
                if (icmpv6_types[i].number == number) {
                        strbuf_puts(buf, icmpv6_types[i].name);
                        return;
                }
        strbuf_printf(buf, "%u", number);
}

/* A range of names would be read as one name. */
static void add_range(struct strbuf *buf, uint8_t first, uint8_t last, void (*add)(struct strbuf *, uint8_t))
{
        if (last != first)
                strbuf_printf(buf, "%u-%u", first, last);
        else
                add(buf, first);
}

static void add_key(struct strbuf *buf, enum rs_key type, const uint8_t *key, const uint8_t *end)
{
        unsigned first, last;

        switch (type) {
        case RS_KEY_ADDR4:
                add_addr(buf, ADDR_V4, key, end);
                break;
        case RS_KEY_ADDR6:
                add_addr(buf, ADDR_V6, key, end);
                break;
        case RS_KEY_ADDR4_PAIR:
                add_addr(buf, ADDR_V4, key, end);
                strbuf_puts(buf, " . ");
                add_addr(buf, ADDR_V4, key + 4, end + 4);
                break;
        case RS_KEY_ADDR6_PAIR:
                add_addr(buf, ADDR_V6, key, end);
                strbuf_puts(buf, " . ");
                add_addr(buf, ADDR_V6, key + 16, end + 16);
                break;
        case RS_KEY_PROTO:
                add_range(buf, key[0], end[0], add_protocol);
                break;
        case RS_KEY_PROTO_PORT:
                add_range(buf, key[0], end[0], add_protocol);
                first = (unsigned)key[4] << 8 | key[5];
                last = (unsigned)end[4] << 8 | end[5];
                if (first == last)
                        strbuf_printf(buf, " . %u", first);
                else
                        strbuf_printf(buf, " . %u-%u", first, last);
                break;
        case RS_KEY_ICMPV6_TYPE:
                add_range(buf, key[0], end[0], add_icmpv6_type);
                break;
        case RS_KEY_MAX:
                break;
        }
}

void rs_elem_text(struct strbuf *buf, const struct rs_set *set, const struct rs_elem *elem)
{
        add_key(buf, set->key, elem->key, set->interval ? elem->key_end : elem->key);
        if (elem->comment)
                add_comment(buf, elem->comment);
        if (set->map) {
                strbuf_puts(buf, " : ");
                add_verdict(buf, &elem->verdict);
        }
}

static void add_field(struct strbuf *buf, enum rs_field field, const struct rs_set *set)
{
        const char *ip = set && (set->key == RS_KEY_ADDR6 || set->key == RS_KEY_ADDR6_PAIR) ? "ip6" : "ip";

        switch (field) {
        case RS_FIELD_SADDR:
                strbuf_printf(buf, "%s saddr", ip);
                break;
        case RS_FIELD_DADDR:
                strbuf_printf(buf, "%s daddr", ip);
                break;
        case RS_FIELD_SADDR_DADDR:
                strbuf_printf(buf, "%s saddr . %s daddr", ip, ip);
                break;
        case RS_FIELD_PROTO:
                strbuf_puts(buf, "meta l4proto");
                break;
        case RS_FIELD_PROTO_DPORT:
                strbuf_puts(buf, "meta l4proto . th dport");
                break;
        case RS_FIELD_ICMPV6_TYPE:
                strbuf_puts(buf, "icmpv6 type");
                break;
        case RS_FIELD_MAX:
                break;
        }
}

static void add_match(struct strbuf *buf, const struct rs_table *table, const struct rs_match *match)
{
        const char *comma = "";

        switch (match->kind) {
        case RS_MATCH_CT_STATE:
                strbuf_puts(buf, "ct state ");
                for (size_t i = 0; i < ARRAY_SIZE(ct_states); ++i)
                        if (match->ct_state & ct_states[i].bit) {
                                strbuf_printf(buf, "%s%s", comma, ct_states[i].name);
                                comma = ",";
                        }
                strbuf_putc(buf, ' ');
                break;
        case RS_MATCH_IIFNAME:
                strbuf_printf(buf, "iifname \"%s\" ", match->ifname);
                break;
        case RS_MATCH_OIFNAME:
                strbuf_printf(buf, "oifname \"%s\" ", match->ifname);
                break;
        case RS_MATCH_SET:
                add_field(buf, match->field, rs_table_find_set(table, match->set));
                strbuf_printf(buf, "%s @%s ", match->negate ? " !=" : "", match->set);
                break;
        case RS_MATCH_MAX:
                break;
        }
}

void rs_rule_text(struct strbuf *buf, const struct rs_table *table, const struct rs_rule *rule)
{
        if (rule->foreign) {
                strbuf_printf(buf, "# a rule of another form, handle %llu", (unsigned long long)rule->handle);
                return;
        }
        for (size_t i = 0; i < rule->matches_len; ++i)
                add_match(buf, table, &rule->matches[i]);
        if (rule->counter)
                strbuf_puts(buf, "counter ");
        switch (rule->action) {
        case RS_DO_VERDICT:
                add_verdict(buf, &rule->verdict);
                break;
        case RS_DO_VMAP:
                add_field(buf, rule->field, rs_table_find_set(table, rule->map));
                strbuf_printf(buf, " vmap @%s", rule->map);
                break;
        }
        if (rule->comment)
                add_comment(buf, rule->comment);
}

void rs_set_text(struct strbuf *buf, const struct rs_set *set, const char *start, const char *end)
{
        strbuf_printf(buf, "%stype %s%s%s", start, key_names[set->key], set->map ? " : verdict" : "", end);
        if (set->interval)
                strbuf_printf(buf, "%sflags interval%s", start, end);
        if (set->counter)
                strbuf_printf(buf, "%scounter%s", start, end);
}

static void add_priority(struct strbuf *buf, enum rs_family family, enum rs_hook hook, int32_t priority)
{
        for (size_t i = 0; i < ARRAY_SIZE(priorities); ++i) {
                int64_t offset = (int64_t)priority - priorities[i].priority;

                if (priorities[i].family != family || offset < -10 || offset > 10 ||
                    (priorities[i].hook != ANY_HOOK && priorities[i].hook != hook))
                        continue;
                strbuf_puts(buf, priorities[i].name);
                if (offset != 0)
                        strbuf_printf(buf, " %c %d", offset < 0 ? '-' : '+', abs((int)offset));
                return;
        }
        strbuf_printf(buf, "%d", priority);
}

void rs_chain_text(struct strbuf *buf, enum rs_family family, const struct rs_chain *chain, const char *start,
                   const char *end)
{
        if (chain->hook == RS_HOOK_NONE)
                return;
        strbuf_printf(buf, "%stype filter hook %s priority ", start, hook_names[chain->hook]);
        add_priority(buf, family, chain->hook, chain->priority);
        strbuf_printf(buf, "; policy accept;%s", end);
}

static void add_set(struct strbuf *buf, const struct rs_set *set)
{
        if (set->foreign) {
                strbuf_printf(buf, "\t# a set of another form: %s\n", set->name);
                return;
        }
        strbuf_printf(buf, "\t%s %s {\n", set->map ? "map" : "set", set->name);
        rs_set_text(buf, set, INDENT, "\n");
        for (size_t i = 0; i < set->elems_len; ++i) {
                strbuf_puts(buf, i == 0 ? INDENT "elements = {\n" : ",\n");
                strbuf_puts(buf, INDENT "\t");
                rs_elem_text(buf, set, &set->elems[i]);
        }
        if (set->elems_len > 0)
                strbuf_puts(buf, "\n" INDENT "}\n");
        strbuf_puts(buf, "\t}\n");
}

static void add_chain(struct strbuf *buf, const struct rs_table *table, const struct rs_chain *chain)
{
        if (chain->foreign) {
                strbuf_printf(buf, "\t# a chain of another form: %s\n", chain->name);
                return;
        }
        strbuf_printf(buf, "\tchain %s {\n", chain->name);
        rs_chain_text(buf, table->family, chain, INDENT, "\n");
        for (size_t i = 0; i < chain->rules_len; ++i) {
                strbuf_puts(buf, INDENT);
                rs_rule_text(buf, table, &chain->rules[i]);
                strbuf_putc(buf, '\n');
        }
        strbuf_puts(buf, "\t}\n");
}

static bool base_chain_before(const struct rs_chain *a, const struct rs_chain *b)
{
        if (a->hook != b->hook)
                return a->hook < b->hook;
        return a->priority != b->priority ? a->priority < b->priority : a < b;
}

/* The base chain after last, by hook and priority; NULL: none. */
static const struct rs_chain *next_base_chain(const struct rs_table *table, const struct rs_chain *last)
{
        const struct rs_chain *best = NULL;

        for (size_t i = 0; i < table->chains_len; ++i) {
                const struct rs_chain *chain = &table->chains[i];

                if (chain->hook != RS_HOOK_NONE && (!last || base_chain_before(last, chain)) &&
                    (!best || base_chain_before(chain, best)))
                        best = chain;
        }
        return best;
}

/* Base chains in the order in which packets meet them, then the regular ones by name. */
static void add_chains(struct strbuf *buf, const struct rs_table *table, bool blank)
{
        for (const struct rs_chain *chain = NULL; (chain = next_base_chain(table, chain)); blank = true) {
                strbuf_puts(buf, blank ? "\n" : "");
                add_chain(buf, table, chain);
        }
        for (size_t i = 0; i < table->chains_len; ++i) {
                if (table->chains[i].hook != RS_HOOK_NONE)
                        continue;
                strbuf_puts(buf, blank ? "\n" : "");
                add_chain(buf, table, &table->chains[i]);
                blank = true;
        }
}

void ruleset_text(struct strbuf *buf, const struct ruleset *ruleset, bool replace)
{
        for (size_t i = 0; i < ruleset->tables_len; ++i) {
                const struct rs_table *table = &ruleset->tables[i];
                const char *family = family_names[table->family];

                /* Deleting what is not there is an error, adding what is there is none. */
                if (replace)
                        strbuf_printf(buf, "table %s %s\ndelete table %s %s\n", family, table->name, family,
                                      table->name);
                strbuf_printf(buf, "table %s %s {\n", family, table->name);
                for (size_t j = 0; j < table->sets_len; ++j) {
                        strbuf_puts(buf, j > 0 ? "\n" : "");
                        add_set(buf, &table->sets[j]);
                }
                add_chains(buf, table, table->sets_len > 0);
                strbuf_puts(buf, "}\n");
        }
}
