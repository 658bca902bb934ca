/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and comments of the compiled ruleset: readable, within nft's grammar, and the same as long as what
 * they stand for is. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compile_internal.h"

#define PART_MAX 24

uint64_t compile_hash(uint64_t seed, const void *data, size_t size)
{
        const uint8_t *bytes = data;

        for (size_t i = 0; i < size; i++)
                seed = (seed ^ bytes[i]) * UINT64_C(0x100000001b3);
        return seed;
}

uint64_t compile_hash_text(uint64_t seed, const char *text)
{
        return compile_hash(seed, text, strlen(text) + 1);
}

static void add_part(struct strbuf *buf, const char *part)
{
        if (!part)
                return;
        strbuf_putc(buf, '_');
        for (size_t i = 0; part[i] && i < PART_MAX; i++) {
                char ch = part[i];
                bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
                             ch == '-' || ch == '_' || ch == '.';

                strbuf_putc(buf, plain ? ch : '_');
        }
}

const char *compile_name(struct compiler *c, const char *prefix, const char *part1, const char *part2, uint64_t hash,
                         const char *suffix)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        unsigned short_hash = (unsigned)(hash ^ (hash >> 32));
        uint32_t taken;
        size_t stem;
        char *name;

        strbuf_puts(&buf, prefix);
        add_part(&buf, part1);
        add_part(&buf, part2);
        stem = buf.len;
        strbuf_printf(&buf, "_%08x%s", short_hash, suffix);
        if (strbuf_check(&buf) < 0)
                return NULL;

        /* Two things may differ only in what the hash leaves out, or the hash may collide. */
        for (unsigned n = 2; str_index_get(&c->names, buf.text, buf.len, &taken); n++) {
                buf.len = stem;
                buf.text[stem] = '\0';
                strbuf_printf(&buf, "_%08x.%u%s", short_hash, n, suffix);
                if (strbuf_check(&buf) < 0)
                        return NULL;
        }
        name = arena_strndup(c->ruleset->arena, buf.text, buf.len);
        if (!name || str_index_put(&c->names, name, buf.len, 0) < 0)
                return NULL;
        return name;
}

const char *compile_comment(struct compiler *c, const char *fmt, ...)
{
        char text[RS_COMMENT_MAX + 1];
        va_list args;

        va_start(args, fmt);
        vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        for (char *p = text; *p; p++)
                if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || *p == '"' || *p == '\\')
                        *p = '_';
        return arena_strdup(c->ruleset->arena, text);
}

static void cause_text(struct strbuf *buf, enum direction direction, const struct cause *cause)
{
        const char *action = action_name(cause->action);

        if (!cause->policy) {
                strbuf_printf(buf, "default %s", action);
                return;
        }
        strbuf_puts(buf, cause->rule ? "" : "default ");
        strbuf_printf(buf, "%s ", action);
        if (cause->policy->tier != TIER_NETWORK_POLICY)
                strbuf_printf(buf, "%s ", tier_name(cause->policy->tier));
        if (cause->policy->ns)
                strbuf_printf(buf, "%s/", cause->policy->ns);
        strbuf_printf(buf, "%s %s", cause->policy->name, direction_name(direction));
        if (cause->rule)
                strbuf_printf(buf, "[%u]", cause->rule->index);
}

int compile_add_origin(struct compiler *c, const struct rs_origin *origin, const char *comment, uint32_t *ret)
{
        int r = array_reserve(&c->origins, &c->origins_cap, c->origins_len + 1, sizeof(*origin));

        if (r == 0)
                r = array_reserve(&c->origin_comments, &c->comments_cap, c->origins_len + 1, sizeof(comment));
        if (r < 0)
                return r;
        *ret = (uint32_t)c->origins_len;
        c->origin_comments[c->origins_len] = comment;
        c->origins[c->origins_len++] = *origin;
        return 0;
}

int compile_origin(struct compiler *c, enum direction direction, const struct cause *cause, uint32_t *ret)
{
        struct {
                uint64_t direction, action, tier;
                const struct policy *policy;
                const struct rule *rule;
        } key = {(uint64_t)direction, (uint64_t)cause->action, (uint64_t)cause->tier, cause->policy, cause->rule};
        struct rs_origin origin = {
                .direction = direction,
                .action = cause->action,
                .tier = cause->tier,
                .ns = "",
                .policy = "",
                .rule = cause->rule ? (int32_t)cause->rule->index : -1,
                .reason = cause->rule     ? "rule"
                          : cause->policy ? "isolated"
                                          : "default",
        };
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        const char *comment;
        void *copy;
        int r;

        if (str_index_get(&c->origin_index, &key, sizeof(key), ret))
                return 0;
        if (cause->policy) {
                origin.ns = arena_strdup(c->ruleset->arena, cause->policy->ns ? cause->policy->ns : "");
                origin.policy = arena_strdup(c->ruleset->arena, cause->policy->name);
        }
        cause_text(&text, direction, cause);
        r = strbuf_check(&text);
        if (r < 0)
                return r;
        comment = compile_comment(c, "%s", text.text);
        copy = arena_memdup(c->ruleset->arena, &key, sizeof(key));
        if (!origin.ns || !origin.policy || !copy || !comment)
                return -ENOMEM;
        r = compile_add_origin(c, &origin, comment, ret);
        return r < 0 ? r : str_index_put(&c->origin_index, copy, sizeof(key), *ret);
}
