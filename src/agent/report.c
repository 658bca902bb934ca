/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON by jansson, whose objects keep the order in which they were filled. A value that could not be made (no memory)
 * makes the call that would take it fail, so that only the whole is checked. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "report.h"

static int finish(struct strbuf *buf, json_t *root, int r)
{
        char *text = root && r == 0 ? json_dumps(root, JSON_INDENT(2)) : NULL;

        json_decref(root);
        if (!text)
                return -ENOMEM;
        strbuf_puts(buf, text);
        strbuf_putc(buf, '\n');
        free(text);
        return strbuf_check(buf);
}

static const char *unenforced_by_bridge(const struct report_view *view, const struct state_container *container,
                                        char *buf, size_t size)
{
        for (size_t i = 0; i < container->links_len; i++) {
                const char *name = container->links[i].bridge;
                const struct bridge *bridge = *name ? bridges_find(view->bridges, name) : NULL;

                if (!*name || (bridge && bridge->isolated))
                        continue;
                snprintf(buf, size, "traffic within its bridge %s is not under policy: %s", name,
                         bridge ? bridge->reason : "the bridge is not among the managed interfaces");
                return buf;
        }
        return NULL;
}

const char *report_unenforced(const struct report_view *view, const struct state_container *container, char *buf,
                              size_t size)
{
        /* What joined an endpoint is spoken for by that, and what does not run has no traffic. */
        if (container->joined ? container->endpoint != NULL : !container->endpoint)
                return NULL;
        if (container->why_not) {
                snprintf(buf, size, "%s", container->why_not);
                return buf;
        }
        if (container->addrs_from_netns && container->addrs_len == 0) {
                snprintf(buf, size, "its network namespace %s is not there, or has no address yet", container->netns);
                return buf;
        }
        return unenforced_by_bridge(view, container, buf, size);
}

/* status */

static json_t *policy_errors(const struct report_view *view)
{
        json_t *list = json_array();

        for (size_t i = 0; i < view->policy_diags->len; i++) {
                const struct diag *diag = &view->policy_diags->items[i];

                if (diag->severity == DIAG_ERROR)
                        json_array_append_new(list, json_pack("{s:s?, s:i, s:i, s:s}", "file", diag->file, "line",
                                                              (int)diag->line, "column", (int)diag->col, "message",
                                                              diag->message));
        }
        return list;
}

static size_t endpoints_of(const struct report_view *view, const char *runtime)
{
        size_t len = 0;

        for (size_t i = 0; view->realm && i < view->realm->inventory->endpoints_len; i++)
                len += strcmp(view->realm->inventory->endpoints[i].runtime, runtime) == 0;
        return len;
}

static json_t *runtimes(const struct report_view *view)
{
        size_t len;
        const struct state_runtime *items = state_runtimes(view->containers, &len);
        json_t *list = json_array();

        for (size_t i = 0; i < len; i++)
                json_array_append_new(list, json_pack("{s:s, s:b, s:I}", "name", items[i].name, "connected",
                                                      items[i].connected, "endpoints",
                                                      (json_int_t)endpoints_of(view, items[i].name)));
        return list;
}

static json_t *bridge_list(const struct report_view *view)
{
        json_t *list = json_array();

        for (size_t i = 0; i < view->bridges->len; i++) {
                const struct bridge *bridge = &view->bridges->items[i];

                json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s?}", "name", bridge->name, "backend",
                                                      bridge->backend, "isolated", bridge->isolated, "reason",
                                                      *bridge->reason ? bridge->reason : NULL));
        }
        return list;
}

static json_t *unenforced(const struct report_view *view)
{
        size_t len;
        struct state_container *const *containers = state_containers(view->containers, &len);
        json_t *list = json_array();

        for (size_t i = 0; i < len; i++) {
                char buf[256];
                const char *reason = report_unenforced(view, containers[i], buf, sizeof(buf));

                if (reason)
                        json_array_append_new(
                                list, json_pack("{s:s, s:s}", "endpoint",
                                                containers[i]->endpoint ? containers[i]->endpoint : containers[i]->name,
                                                "reason", reason));
        }
        return list;
}

static json_t *time_text(time_t when)
{
        struct tm tm;
        char text[32];

        if (when == 0 || !gmtime_r(&when, &tm))
                return json_null();
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
        return json_string(text);
}

/* What the agent gave up, and what the kernel did not let it give up. */
static json_t *confinement(const struct report_view *view)
{
        json_t *list = json_array();

        for (enum confinement i = 0; i < CONFINE_MAX; i++) {
                int r = view->confined[i];
                const char *reason = r == -ECANCELED ? "not wanted" : r < 0 ? strerror(-r) : NULL;

                json_array_append_new(list, json_pack("{s:s, s:b, s:s?}", "name", confine_name(i), "inForce", r == 0,
                                                      "reason", reason));
        }
        return list;
}

int report_status(struct strbuf *buf, const struct report_view *view)
{
        json_t *root, *reasons = json_array();
        int r = 0;

        for (size_t i = 0; i < view->reasons_len; i++)
                r |= json_array_append_new(reasons, json_string(view->reasons[i]));
        root = json_pack(
                "{s:s, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:I}, s:{s:I, s:I, s:I}}",
                "version", VETHWALL_VERSION, "state", view->state, "reasons", reasons, "endpoints",
                (json_int_t)(view->realm ? view->realm->inventory->endpoints_len : 0), "policies",
                (json_int_t)(view->realm ? view->realm->policies->set->policies_len : 0), "policyErrors",
                policy_errors(view), "lastGoodPolicy", time_text(view->last_good_policy), "runtimes", runtimes(view),
                "bridges", bridge_list(view), "unenforced", unenforced(view), "confinement", confinement(view),
                "transactions", "committed", (json_int_t)view->metrics->committed, "empty",
                (json_int_t)view->metrics->empty, "failed", (json_int_t)view->metrics->failed, "revoked", "denied",
                (json_int_t)view->metrics->revoked_denied, "released", (json_int_t)view->metrics->revoked_released,
                "failed", (json_int_t)view->metrics->revoked_failed);
        return finish(buf, root, r);
}

/* endpoints */

static int append_policy_name(json_t *list, const struct policy *policy)
{
        return json_array_append_new(list, policy->ns ? json_sprintf("%s/%s", policy->ns, policy->name)
                                                      : json_string(policy->name));
}

static json_t *direction(const struct world *world, enum direction d, size_t endpoint)
{
        uint32_t class = world_class(world, d, endpoint);
        const struct policy *const *policies = NULL;
        json_t *list = json_array();
        size_t len = 0;

        if (class != UINT32_MAX)
                len = world_class_policies(world, d, class, &policies);
        for (size_t i = 0; i < len; i++)
                append_policy_name(list, policies[i]);
        return json_pack("{s:b, s:o}", "isolated", class != UINT32_MAX && world_class_is_isolated(world, d, class),
                         "policies", list);
}

static json_t *addr_list(const struct endpoint *endpoint)
{
        json_t *list = json_array();
        char text[ADDR_TEXT_MAX];

        for (size_t i = 0; i < endpoint->addrs_len; i++)
                json_array_append_new(list, json_string(addr_format(&endpoint->addrs[i], text)));
        return list;
}

static json_t *label_object(const struct label_set *labels)
{
        json_t *object = json_object();

        for (size_t i = 0; i < labels->len; i++)
                json_object_set_new(object, labels->items[i].key, json_string(labels->items[i].value));
        return object;
}

static json_t *link_list(const struct state_container *container)
{
        json_t *list = json_array();

        for (size_t i = 0; container && i < container->links_len; i++)
                json_array_append_new(list, json_pack("{s:s, s:s?}", "name", container->links[i].name, "bridge",
                                                      *container->links[i].bridge ? container->links[i].bridge : NULL));
        return list;
}

int report_endpoints(struct strbuf *buf, const struct report_view *view)
{
        json_t *list = json_array();
        int r = 0;

        for (size_t i = 0; view->realm && i < view->realm->inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &view->realm->inventory->endpoints[i];
                const struct state_container *container = state_find(view->containers, endpoint->runtime, endpoint->id);
                char text[256];
                const char *reason =
                        container ? report_unenforced(view, container, text, sizeof(text)) : "it is gone already";

                r |= json_array_append_new(
                        list,
                        json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:s?}", "namespace", endpoint->ns,
                                  "name", endpoint->name, "runtime", endpoint->runtime, "id", endpoint->id, "addresses",
                                  addr_list(endpoint), "labels", label_object(&endpoint->labels), "links",
                                  link_list(container), "ingress", direction(view->realm->world, DIR_INGRESS, i),
                                  "egress", direction(view->realm->world, DIR_EGRESS, i), "enforced", !reason, "reason",
                                  reason));
        }
        return finish(buf, json_pack("{s:o}", "endpoints", list), r);
}

/* policies */

/* How many endpoints each policy selects, by its index. NULL: no memory. */
static size_t *selected(const struct realm *realm)
{
        const struct policy_set *set = realm->policies->set;
        size_t *ret = calloc(set->policies_len + 1, sizeof(*ret));

        for (enum direction d = 0; ret && d < DIR_MAX; d++) {
                for (size_t i = 0; i < realm->inventory->endpoints_len; i++) {
                        uint32_t class = world_class(realm->world, d, i);
                        const struct policy *const *policies;
                        size_t len;

                        if (class == UINT32_MAX)
                                continue;
                        len = world_class_policies(realm->world, d, class, &policies);
                        /* What applies both ways is counted one way. */
                        for (size_t j = 0; j < len; j++)
                                if (d == DIR_INGRESS || !policies[j]->applies[DIR_INGRESS])
                                        ret[policies[j] - set->policies]++;
                }
        }
        return ret;
}

int report_policies(struct strbuf *buf, const struct report_view *view)
{
        const struct policy_set *set = view->realm ? view->realm->policies->set : NULL;
        _cleanup_free_ size_t *counts = set ? selected(view->realm) : NULL;
        json_t *list = json_array();
        int r = set && !counts ? -ENOMEM : 0;

        for (size_t i = 0; r == 0 && set && i < set->policies_len; i++) {
                const struct policy *policy = &set->policies[i];
                json_t *directions = json_array();

                for (enum direction d = 0; d < DIR_MAX; d++)
                        if (policy->applies[d])
                                json_array_append_new(directions, json_string(direction_name(d)));
                r = json_array_append_new(
                        list,
                        json_pack("{s:s, s:s?, s:s, s:s?, s:i, s:o, s:I}", "kind", policy->kind, "namespace",
                                  policy->ns, "name", policy->name, "file",
                                  policy->loc.file < set->files_len ? set->files[policy->loc.file] : NULL, "line",
                                  (int)policy->loc.line, "directions", directions, "endpoints", (json_int_t)counts[i]));
        }
        return finish(buf, json_pack("{s:o}", "policies", list), r);
}

/* counters */

int report_counters(struct strbuf *buf, const struct report_view *view)
{
        json_t *list = json_array();
        int r = 0;

        for (size_t i = 0; i < view->counters->len; i++) {
                const struct counter_row *row = &view->counters->rows[i];
                struct rs_counter total = counter_total(row);

                r |= json_array_append_new(
                        list, json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:I, s:I}", "namespace", row->ns, "policy",
                                        row->policy, "rule", row->rule < 0 ? json_null() : json_integer(row->rule),
                                        "direction", direction_name(row->direction), "verdict",
                                        action_name(row->action), "reason", row->reason, "packets",
                                        (json_int_t)total.packets, "bytes", (json_int_t)total.bytes));
        }
        return finish(buf, json_pack("{s:o}", "rules", list), r);
}
