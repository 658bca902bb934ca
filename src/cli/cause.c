/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Causes, for people and for programs. */
#include "cause.h"

void put_policy(struct strbuf *buf, const struct policy *policy)
{
        if (policy->ns) {
                strbuf_clean(buf, policy->ns);
                strbuf_putc(buf, '/');
        }
        strbuf_clean(buf, policy->name);
}

static const char *loc_file(const struct policy_set *policies, const struct src_loc *loc)
{
        return loc->file == UINT32_MAX ? NULL : policies->files[loc->file];
}

const struct src_loc *cause_loc(const struct cause *cause)
{
        return cause->rule ? &cause->rule->loc : cause->policy ? &cause->policy->loc : NULL;
}

void put_loc(struct strbuf *buf, const struct policy_set *policies, const struct src_loc *loc)
{
        const char *file = loc_file(policies, loc);

        strbuf_clean(buf, file ? file : "?");
        if (loc->line > 0)
                strbuf_printf(buf, ":%u", loc->line);
}

void put_policy_json(struct strbuf *buf, const struct policy *policy)
{
        _cleanup_(strbuf_fini) struct strbuf name = STRBUF_INIT;

        if (!policy) {
                strbuf_puts(buf, "null");
                return;
        }

        strbuf_printf(&name, "%s%s%s", policy->ns ? policy->ns : "", policy->ns ? "/" : "", policy->name);
        if (strbuf_check(&name) < 0)
                buf->failed = true;
        else
                strbuf_json(buf, name.text);
}

void put_place_json(struct strbuf *buf, const struct policy_set *policies, const struct src_loc *loc)
{
        const char *file = loc ? loc_file(policies, loc) : NULL;

        strbuf_puts(buf, "\"file\": ");
        if (file)
                strbuf_json(buf, file);
        else
                strbuf_puts(buf, "null");

        if (loc && loc->line > 0)
                strbuf_printf(buf, ", \"line\": %u", loc->line);
        else
                strbuf_puts(buf, ", \"line\": null");
}

void put_cause_json(struct strbuf *buf, const struct policy_set *policies, const struct cause *cause, bool judged)
{
        strbuf_printf(buf, "{\"verdict\": \"%s\", \"tier\": ", action_name(cause->action));
        if (judged)
                strbuf_printf(buf, "\"%s\"", tier_name(cause->tier));
        else
                strbuf_puts(buf, "null");

        strbuf_puts(buf, ", \"policy\": ");
        put_policy_json(buf, cause->policy);

        if (cause->rule)
                strbuf_printf(buf, ", \"rule\": %u, ", cause->rule->index);
        else
                strbuf_puts(buf, ", \"rule\": null, ");
        put_place_json(buf, policies, cause_loc(cause));
        strbuf_putc(buf, '}');
}
