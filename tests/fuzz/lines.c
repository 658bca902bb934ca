/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mutator that knows lines, indentation and values, for inputs that are made of YAML: what comes of it is parsed far
 * more often than what comes of changing bytes. Half of the time libFuzzer's own is used. */
#include <string.h>

#include "fuzz.h"
#include "rng.h"

#define LINES_MAX 4096

size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed);

/* Indented as the line that they come before. */
static const char *const snippets[] = {
        "podSelector: {}",
        "podSelector: { matchLabels: { app: web } }",
        "podSelector: { matchExpressions: [{ key: app, operator: In, values: [web, db] }] }",
        "podSelector: { matchExpressions: [{ key: tier, operator: NotIn, values: [web] }] }",
        "podSelector: { matchExpressions: [{ key: app, operator: Exists }] }",
        "namespaceSelector: {}",
        "namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: shop } }",
        "- namespaceSelector: { matchExpressions: [{ key: team, operator: DoesNotExist }] }",
        "- podSelector: { matchLabels: { app: db } }",
        "- ipBlock: { cidr: 10.0.0.0/8, except: [10.0.0.0/9] }",
        "- ipBlock: { cidr: \"fd00::/16\" }",
        "- ipBlock: { cidr: 0.0.0.0/0 }",
        "ipBlock: { cidr: 10.0.0.2/32 }",
        "policyTypes: [Ingress, Egress]",
        "policyTypes: [Egress]",
        "ingress:",
        "egress:",
        "ingress: [{}]",
        "egress: [{ ports: [{ port: 53, protocol: UDP }] }]",
        "- from:",
        "- to:",
        "- ports: [{ port: http }, { port: 80, endPort: 90 }]",
        "ports: [{ protocol: SCTP }, { port: 80 }]",
        "- { port: 443, protocol: TCP }",
        "- {}",
        "namespace: shop",
        "namespace: default",
        "labels: { app: web, tier: \"\" }",
        "addresses: [10.0.0.2, \"fd00::2\"]",
        "addresses: [10.0.0.3]",
        "- { name: x, namespace: shop, labels: { app: web }, addresses: [10.1.0.1] }",
        "- { name: y, labels: { app: db }, ports: [{ name: http, port: 80 }] }",
        "- { name: h, hostNetwork: true, addresses: [10.0.0.1] }",
        "hostNetwork: true",
        "action: Deny",
        "action: Pass",
        "action: Accept",
        "action: Allow",
        "tier: Baseline",
        "tier: Admin",
        "priority: 3",
        "subject: { namespaces: {} }",
        "subject: { pods: { namespaceSelector: {}, podSelector: {} } }",
        "- { action: Deny, from: [{ namespaces: {} }] }",
        "- { action: Pass, to: [{ networks: [10.0.0.0/8, \"::/0\"] }] }",
        "protocols: [{ tcp: { destinationPort: { number: 80 } } }, { destinationNamedPort: http }]",
        "- { action: Accept, to: [{ domainNames: [example.com] }] }",
        "annotations: { vethwall.io/lint-ignore: \"VW202 it is meant\" }",
        "# vethwall: ignore VW202 it is meant",
        "---",
        "%%%",
};

struct text {
        uint8_t *bytes;
        size_t size, size_max;
        size_t lines[LINES_MAX + 1]; /* where they begin; the last one is the end */
        size_t lines_len;
};

static void find_lines(struct text *text)
{
        text->lines_len = 0;
        text->lines[0] = 0;
        for (size_t i = 0; i < text->size && text->lines_len < LINES_MAX; i++)
                if (text->bytes[i] == '\n' || i + 1 == text->size)
                        text->lines[++text->lines_len] = i + 1;
}

/* Puts new_size bytes in the place of old_size; false where they do not fit. */
static bool splice(struct text *text, size_t at, size_t old_size, const void *new, size_t new_size)
{
        uint8_t copy[1024];

        if (new_size > sizeof(copy) || text->size - old_size + new_size > text->size_max)
                return false;
        memcpy(copy, new, new_size); /* it may be a part of the text */
        memmove(text->bytes + at + new_size, text->bytes + at + old_size, text->size - at - old_size);
        memcpy(text->bytes + at, copy, new_size);
        text->size += new_size - old_size;
        return true;
}

static size_t indentation(const struct text *text, size_t line)
{
        size_t n = 0;

        while (text->lines[line] + n < text->lines[line + 1] && text->bytes[text->lines[line] + n] == ' ')
                n++;
        return n;
}

static bool insert_snippet(struct text *text, struct rng *rng, size_t line)
{
        const char *snippet = snippets[rng_below(rng, ARRAY_SIZE(snippets))];
        size_t indent = indentation(text, line), len = strlen(snippet);
        char copy[512];

        if (snippet[0] == '%' || snippet[0] == '-')
                indent = snippet[1] == ' ' ? indent : 0;
        if (indent + len + 1 > sizeof(copy))
                return false;
        memset(copy, ' ', indent);
        memcpy(copy + indent, snippet, len);
        copy[indent + len] = '\n';
        return splice(text, text->lines[line], 0, copy, indent + len + 1);
}

/* Deeper or shallower by up to two, this line and some after it. */
static bool shift_lines(struct text *text, struct rng *rng, size_t line)
{
        size_t n = 1 + rng_below(rng, 4), by = 1 + rng_below(rng, 2);
        bool deeper = rng_chance(rng, 50), done = false;

        for (size_t i = line + n < text->lines_len ? line + n : text->lines_len; i-- > line;) {
                if (deeper)
                        done |= splice(text, text->lines[i], 0, "  ", by);
                else if (indentation(text, i) >= by)
                        done |= splice(text, text->lines[i], by, "", 0);
        }
        return done;
}

/* Where the value of a line begins; its end where it has none. */
static size_t find_value(const struct text *text, size_t line)
{
        size_t end = text->lines[line + 1], at = text->lines[line];

        while (at + 1 < end && !(text->bytes[at] == ':' && text->bytes[at + 1] == ' '))
                at++;
        return at + 1 < end ? at + 2 : end;
}

static bool copy_value(struct text *text, size_t line, size_t other)
{
        size_t to = find_value(text, line), from = find_value(text, other);

        if (to == text->lines[line + 1] || from == text->lines[other + 1])
                return false;
        return splice(text, to, text->lines[line + 1] - to, text->bytes + from, text->lines[other + 1] - from);
}

static bool copy_lines(struct text *text, struct rng *rng, size_t line, size_t other)
{
        size_t n = 1 + rng_below(rng, 8), end = other + n < text->lines_len ? other + n : text->lines_len;

        return splice(text, text->lines[line], 0, text->bytes + text->lines[other],
                      text->lines[end] - text->lines[other]);
}

static bool drop_lines(struct text *text, struct rng *rng, size_t line)
{
        size_t n = 1 + rng_below(rng, 3), end = line + n < text->lines_len ? line + n : text->lines_len;

        return splice(text, text->lines[line], text->lines[end] - text->lines[line], "", 0);
}

static bool mutate(struct text *text, struct rng *rng)
{
        size_t line, other;

        find_lines(text);
        if (text->lines_len == 0)
                return false;
        line = rng_below(rng, (uint32_t)text->lines_len);
        other = rng_below(rng, (uint32_t)text->lines_len);
        switch (rng_below(rng, 6)) {
        case 0:
                return insert_snippet(text, rng, line);
        case 1:
                return shift_lines(text, rng, line);
        case 2:
                return copy_value(text, line, other);
        case 3:
                return copy_lines(text, rng, line, other);
        case 4:
                return drop_lines(text, rng, line);
        default:
                return insert_snippet(text, rng, line) && copy_value(text, line, other);
        }
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed)
{
        static struct text text;
        struct rng rng = rng_for(seed, size, 0);
        bool done = false;

        text.bytes = bytes;
        text.size = size;
        text.size_max = size_max;
        if (rng_chance(&rng, 60))
                for (unsigned n = 1 + rng_below(&rng, 3); n > 0; n--)
                        done |= mutate(&text, &rng);
        return done ? text.size : LLVMFuzzerMutate(bytes, size, size_max);
}
