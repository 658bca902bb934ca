/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in force, whole: with it the command line answers as the agent would, and judges a change before it is made. */
#include <errno.h>

#include <vethwall/policy.h>

#include "host.h"
#include "report.h"

static void put_settings(struct strbuf *buf, const struct settings *settings)
{
        strbuf_printf(buf, "{\"defaultAction\": \"%s\", \"hostTraffic\": \"%s\", \"unknownEndpoints\": \"%s\", ",
                      action_name(settings->default_action), settings->host_policy ? "policy" : "allow",
                      settings->unknown_deny ? "deny" : "allow");
        strbuf_puts(buf, "\"interfaces\": [");
        for (size_t i = 0; i < settings->interfaces_len; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                strbuf_json(buf, settings->interfaces[i]);
        }
        strbuf_puts(buf, "]}");
}

static int put_host(struct strbuf *buf)
{
        _cleanup_(host_fini) struct host host = {0};
        int r = host_read(&host);

        for (size_t i = 0; i < host.len; i++) {
                char text[ADDR_TEXT_MAX];

                strbuf_printf(buf, "%s\"%s\"", i > 0 ? ", " : "", addr_format(&host.addrs[i], text));
        }
        return r;
}

/* The files as they were when they were read last without a mistake, however they are now. */
static void put_files(struct strbuf *buf, const struct policy_set *set)
{
        for (size_t i = 0; set->sources && i < set->files_len; i++) {
                _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

                strbuf_add(&text, set->sources[i].bytes, set->sources[i].size);
                if (strbuf_check(&text) < 0) {
                        buf->failed = true;
                        return;
                }
                strbuf_puts(buf, i > 0 ? ",\n  {\"file\": " : "\n  {\"file\": ");
                strbuf_json(buf, set->files[i]);
                strbuf_puts(buf, ", \"text\": ");
                strbuf_json(buf, text.text);
                strbuf_putc(buf, '}');
        }
}

int report_state(struct strbuf *buf, const struct report_view *view)
{
        const struct realm *realm = view->realm;
        int r;

        if (!realm)
                return REPORT_E_EARLY;
        strbuf_puts(buf, "{\"version\": \"" VETHWALL_VERSION "\",\n\"settings\": ");
        put_settings(buf, &realm->settings);
        strbuf_puts(buf, ",\n\"host\": [");
        r = put_host(buf);
        if (r < 0)
                return r;
        strbuf_puts(buf, "],\n\"policies\": [");
        put_files(buf, realm->policies->set);
        strbuf_puts(buf, "],\n\"inventory\": ");
        inventory_write(buf, realm->inventory);
        strbuf_puts(buf, "}\n");
        return strbuf_check(buf);
}
