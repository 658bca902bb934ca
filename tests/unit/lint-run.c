/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runs of lint-run.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/settings.h>

#include "lint-run.h"

void run_fini(struct run *run)
{
        world_free(run->world);
        policy_set_free(run->policies);
        inventory_free(run->inventory);
        lint_result_fini(&run->result);
}

void run_lint(struct run *run, const char *policies, const char *inventory)
{
        struct diag_list *diags = &run->result.findings;

        *run = (struct run){0};
        assert_int_equal(policy_set_new(&run->policies), 0);
        run->policies->keeps_sources = true;
        assert_int_equal(policy_set_load(run->policies, "policy.yaml", policies, strlen(policies), diags), 0);
        assert_int_equal(policy_set_seal(run->policies, diags), 0);
        if (inventory) {
                size_t before = diags->len;

                assert_int_equal(inventory_new(&run->inventory), 0);
                assert_int_equal(inventory_load(run->inventory, "inventory.yaml", inventory, strlen(inventory), diags),
                                 0);
                assert_int_equal(inventory_seal(run->inventory), 0);
                assert_int_equal(diags->len, before);
                assert_int_equal(world_new(&run->world, run->policies, run->inventory, &settings_default), 0);
        }
        assert_int_equal(lint(&run->result, run->policies, run->world), 0);
}

size_t count(const struct run *run, const char *id)
{
        size_t n = 0;

        for (size_t i = 0; i < run->result.findings.len; i++)
                n += strcmp(run->result.findings.items[i].rule, id) == 0;
        return n;
}

const struct diag *find(const struct run *run, const char *id)
{
        for (size_t i = 0; i < run->result.findings.len; i++)
                if (strcmp(run->result.findings.items[i].rule, id) == 0)
                        return &run->result.findings.items[i];
        fail_msg("no %s", id);
        return NULL;
}

/* "ns/name" or an address, as the command takes it. */
static struct explain_party party(const struct run *run, const char *text, size_t len)
{
        struct explain_party ret = {.endpoint = WORLD_OUTSIDE};
        char name[512], full[512];

        assert_true(len < sizeof(name));
        memcpy(name, text, len);
        name[len] = '\0';
        ret.has_addr = addr_parse(name, &ret.addr);
        for (size_t i = 0; i < run->inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &run->inventory->endpoints[i];

                snprintf(full, sizeof(full), "%s/%s", endpoint->ns, endpoint->name);
                if (!ret.has_addr && strcmp(full, name) == 0)
                        ret.endpoint = i;
                for (size_t j = 0; ret.has_addr && j < endpoint->addrs_len; j++)
                        if (addr_equal(&endpoint->addrs[j], &ret.addr))
                                ret.endpoint = i;
        }
        if (!ret.has_addr && ret.endpoint == WORLD_OUTSIDE)
                fail_msg("no endpoint: %s", name);
        return ret;
}

/* A named endpoint's address of the other's family, or its first. */
static void choose_addr(const struct run *run, struct explain_party *one, const struct explain_party *other)
{
        const struct endpoint *endpoint = one->has_addr ? NULL : &run->inventory->endpoints[one->endpoint];

        if (!endpoint || endpoint->addrs_len == 0)
                return;
        one->addr = endpoint->addrs[0];
        one->has_addr = true;
        for (size_t i = 0; other->has_addr && i < endpoint->addrs_len; i++)
                if (endpoint->addrs[i].family == other->addr.family)
                        one->addr = endpoint->addrs[i];
}

struct explanation *replay(const struct run *run, const char *witness)
{
        struct explanation *ret = NULL;
        struct explain_query query = {0};
        const char *dst, *service;
        unsigned port;

        assert_non_null(witness);
        dst = strchr(witness, ' ') + 1;
        service = strchr(dst, ' ') + 1;
        query.src = party(run, witness, (size_t)(dst - witness - 1));
        query.dst = party(run, dst, (size_t)(service - dst - 1));
        choose_addr(run, &query.src, &query.dst);
        choose_addr(run, &query.dst, &query.src);
        assert_false(query.src.endpoint == WORLD_OUTSIDE && query.dst.endpoint == WORLD_OUTSIDE);
        assert_false(query.src.endpoint == query.dst.endpoint);
        query.protocol = strncmp(service, "TCP/", 4) == 0    ? IPPROTO_TCP
                         : strncmp(service, "UDP/", 4) == 0  ? IPPROTO_UDP
                         : strncmp(service, "SCTP/", 5) == 0 ? IPPROTO_SCTP
                                                             : IPPROTO_ICMP;
        if (query.protocol == IPPROTO_ICMP) {
                assert_string_equal(service, "icmp");
        } else {
                assert_int_equal(sscanf(strchr(service, '/'), "/%u", &port), 1);
                assert_in_range(port, 1, UINT16_MAX);
                query.port = (uint16_t)port;
        }
        assert_int_equal(explain(&ret, run->world, &query), 0);
        return ret;
}

void check_findings(const struct run *run)
{
        size_t counts[DIAG_SEVERITY_MAX] = {0};

        for (size_t i = 0; i < run->result.findings.len; i++) {
                const struct diag *diag = &run->result.findings.items[i];

                assert_non_null(diag->rule);
                if (!lint_rule_find(diag->rule, NULL))
                        fail_msg("%s is not in the table", diag->rule);
                counts[diag->severity]++;
                if (diag->witness)
                        explanation_free(replay(run, diag->witness));
                for (size_t j = 0; j < diag->places_len; j++) {
                        assert_true(diag->places[j].line > 0);
                        assert_true(diag->places[j].col > 0);
                        assert_true(diag->places[j].end_col > diag->places[j].col);
                        assert_non_null(diag->places[j].source);
                        assert_true(strlen(diag->places[j].message) > 0);
                }
                if (!diag->file)
                        continue;
                assert_true(diag->line > 0);
                assert_true(diag->col > 0);
                assert_true(diag->end_col > diag->col);
                assert_non_null(diag->source);
        }
        assert_memory_equal(counts, run->result.counts, sizeof(counts));
}

void found(const struct run *run, const char *ids, char *buf, size_t size)
{
        buf[0] = '\0';
        for (size_t i = 0; i < run->result.findings.len; i++) {
                const struct diag *diag = &run->result.findings.items[i];

                if (!strstr(ids, diag->rule) || strstr(buf, diag->rule))
                        continue;
                snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", buf[0] ? " " : "", diag->rule);
        }
}
