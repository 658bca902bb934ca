/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in force, whole: with it the command line answers as the agent would, and judges a change before it is made. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <vethwall/policy.h>

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

/* The host's own addresses: what is between them and a container is own-host traffic. */
static int put_host(struct strbuf *buf)
{
        struct ifaddrs *list;
        bool first = true;

        if (getifaddrs(&list) < 0)
                return -errno;
        for (const struct ifaddrs *item = list; item; item = item->ifa_next) {
                char text[INET6_ADDRSTRLEN];
                const void *addr;

                if (!item->ifa_addr || (item->ifa_addr->sa_family != AF_INET && item->ifa_addr->sa_family != AF_INET6))
                        continue;
                if (item->ifa_addr->sa_family == AF_INET)
                        addr = &((const struct sockaddr_in *)(const void *)item->ifa_addr)->sin_addr;
                else
                        addr = &((const struct sockaddr_in6 *)(const void *)item->ifa_addr)->sin6_addr;
                if (!inet_ntop(item->ifa_addr->sa_family, addr, text, sizeof(text)))
                        continue;
                strbuf_printf(buf, "%s\"%s\"", first ? "" : ", ", text);
                first = false;
        }
        freeifaddrs(list);
        return 0;
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
