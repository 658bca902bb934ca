/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of the metrics, and counters that never go backwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <agent/metrics.h>

/* A ruleset of one set with one element for each of the three keys, and the packets it counted (0: no such element). */
static struct ruleset *make(const uint64_t packets[static 3])
{
        struct ruleset *ruleset = NULL;
        struct rs_table *table;
        struct rs_set *set;

        assert_int_equal(ruleset_new(&ruleset), 0);
        table = ruleset_add_table(ruleset, RS_INET, "t");
        set = rs_table_add_set(table, "m", RS_KEY_ADDR4);
        set->map = true;
        set->counter = true;
        for (size_t i = 0; i < 3; i++) {
                struct addr addr = {.family = ADDR_V4, .bytes = {10, 0, 0, (uint8_t)i}};
                struct rs_elem *elem;

                if (packets[i] == 0)
                        continue;
                elem = rs_set_add_elem(set);
                rs_key_addr(elem->key, &addr);
                rs_key_addr(elem->key_end, &addr);
                /* The first two speak for one rule, the third for another. */
                elem->origin = i < 2 ? 0 : 1;
                elem->counter = (struct rs_counter){packets[i], packets[i] * 100};
        }
        ruleset->origins = arena_array(ruleset->arena, 2, sizeof(*ruleset->origins));
        ruleset->origins_len = 2;
        ruleset->origins[0] =
                (struct rs_origin){.action = ACTION_ALLOW, .ns = "shop", .policy = "web", .rule = 0, .reason = "rule"};
        ruleset->origins[1] =
                (struct rs_origin){.action = ACTION_DENY, .ns = "", .policy = "", .rule = -1, .reason = "default"};
        ruleset_seal(ruleset);
        return ruleset;
}

static void update(struct counters *counters, uint64_t a, uint64_t b, uint64_t c)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = make((const uint64_t[]){a, b, c});

        assert_int_equal(counters_update(counters, ruleset, ruleset), 0);
}

static uint64_t packets_of(const struct counters *counters, const char *policy)
{
        for (size_t i = 0; i < counters->len; i++)
                if (strcmp(counters->rows[i].policy, policy) == 0) {
                        struct rs_counter total = counter_total(&counters->rows[i]);

                        assert_int_equal(total.bytes, total.packets * 100);
                        return total.packets;
                }
        fail();
        return 0;
}

static void counters_are_summed_by_rule(void **unused _unused_)
{
        _cleanup_(counters_fini) struct counters counters = COUNTERS_INIT;

        update(&counters, 1, 2, 4);
        assert_int_equal(counters.len, 2);
        assert_int_equal(packets_of(&counters, "web"), 3);
        assert_int_equal(packets_of(&counters, ""), 4);
}

static void counters_never_go_backwards(void **unused _unused_)
{
        _cleanup_(counters_fini) struct counters counters = COUNTERS_INIT;

        update(&counters, 10, 20, 5);
        update(&counters, 11, 0, 6);
        assert_int_equal(packets_of(&counters, "web"), 30);
        update(&counters, 15, 0, 0);
        assert_int_equal(packets_of(&counters, "web"), 34);
        assert_int_equal(packets_of(&counters, ""), 6);
        update(&counters, 15, 1, 2);
        assert_int_equal(packets_of(&counters, "web"), 35);
        assert_int_equal(packets_of(&counters, ""), 8);
}

static void histograms_are_cumulative(void **unused _unused_)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        struct metrics metrics;
        struct counters counters = COUNTERS_INIT;

        metrics_init(&metrics);
        histogram_observe(&metrics.latency_seconds, 0.0005);
        histogram_observe(&metrics.latency_seconds, 0.02);
        histogram_observe(&metrics.latency_seconds, 60);
        metrics_render(&text, &(struct metrics_view){.metrics = &metrics, .counters = &counters}, false);
        assert_int_equal(strbuf_check(&text), 0);
        assert_non_null(strstr(text.text, "vethwall_event_latency_seconds_bucket{le=\"0.0005\"} 1\n"));
        assert_non_null(strstr(text.text, "vethwall_event_latency_seconds_bucket{le=\"0.01\"} 1\n"));
        assert_non_null(strstr(text.text, "vethwall_event_latency_seconds_bucket{le=\"0.025\"} 2\n"));
        assert_non_null(strstr(text.text, "vethwall_event_latency_seconds_bucket{le=\"5.0\"} 2\n"));
        assert_non_null(strstr(text.text, "vethwall_event_latency_seconds_bucket{le=\"+Inf\"} 3\n"));
        assert_non_null(strstr(text.text, "vethwall_event_latency_seconds_sum 60.0205\n"));
        assert_non_null(strstr(text.text, "vethwall_event_latency_seconds_count 3\n"));
}

static void render(struct strbuf *text, bool openmetrics)
{
        static const struct metrics_runtime runtimes[] = {{.name = "docker", .connected = true, .endpoints = 3}};
        static const struct metrics_bridge bridges[] = {{"br\"0\\\n", true}};
        _cleanup_(counters_fini) struct counters counters = COUNTERS_INIT;
        struct metrics metrics;
        const struct metrics_view view = {
                .metrics = &metrics,
                .runtimes = runtimes,
                .runtimes_len = ARRAY_SIZE(runtimes),
                .bridges = bridges,
                .bridges_len = ARRAY_SIZE(bridges),
                .counters = &counters,
        };

        metrics_init(&metrics);
        metrics.committed = 7;
        update(&counters, 1, 2, 4);
        metrics_render(text, &view, openmetrics);
        assert_int_equal(strbuf_check(text), 0);
}

static void the_two_formats_differ_where_they_must(void **unused _unused_)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        _cleanup_(strbuf_fini) struct strbuf open = STRBUF_INIT;

        render(&text, false);
        render(&open, true);
        assert_non_null(strstr(text.text, "# TYPE vethwall_transactions_total counter\n"));
        assert_non_null(strstr(open.text, "# TYPE vethwall_transactions counter\n"));
        assert_non_null(strstr(text.text, "\nvethwall_transactions_total{result=\"committed\"} 7\n"));
        assert_non_null(strstr(open.text, "\nvethwall_transactions_total{result=\"committed\"} 7\n"));
        assert_non_null(strstr(text.text, "# TYPE vethwall_build_info gauge\n"));
        assert_non_null(strstr(open.text, "# TYPE vethwall_build info\n"));
        assert_null(strstr(text.text, "# EOF"));
        assert_string_equal(open.text + open.len - strlen("\n# EOF\n"), "\n# EOF\n");
}

static void labels_are_escaped(void **unused _unused_)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        render(&text, false);
        assert_non_null(strstr(text.text, "\nvethwall_bridge_isolated{bridge=\"br\\\"0\\\\\\n\"} 1\n"));
        assert_non_null(strstr(text.text, "\nvethwall_rule_packets_total{namespace=\"shop\",policy=\"web\",rule=\"0\","
                                          "direction=\"ingress\",verdict=\"allow\",reason=\"rule\"} 3\n"));
        assert_non_null(strstr(text.text,
                               "{namespace=\"\",policy=\"\",rule=\"\",direction=\"ingress\",verdict=\"deny\","
                               "reason=\"default\"} 4\n"));
}

/* Every sample's family has its HELP and TYPE, once, right before it. */
static void every_family_is_described_once(void **unused _unused_)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        char family[128] = "";
        char *line, *rest;

        render(&text, true);
        for (line = strtok_r(text.text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                if (strncmp(line, "# HELP ", 7) == 0) {
                        char *next = strtok_r(NULL, "\n", &rest);

                        assert_true(sscanf(line, "# HELP %127s", family) == 1);
                        assert_true(strncmp(next, "# TYPE ", 7) == 0);
                        assert_int_equal(strncmp(next + 7, family, strlen(family)), 0);
                        assert_int_equal(next[7 + strlen(family)], ' ');
                } else if (strcmp(line, "# EOF") != 0) {
                        assert_int_equal(strncmp(line, family, strlen(family)), 0);
                }
        }
}

static void the_accept_header_chooses(void **unused _unused_)
{
        assert_false(metrics_wants_openmetrics(NULL));
        assert_false(metrics_wants_openmetrics("*/*"));
        assert_false(metrics_wants_openmetrics("text/plain;version=0.0.4"));
        assert_true(metrics_wants_openmetrics("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(counters_are_summed_by_rule), cmocka_unit_test(counters_never_go_backwards),
                cmocka_unit_test(histograms_are_cumulative),   cmocka_unit_test(the_two_formats_differ_where_they_must),
                cmocka_unit_test(labels_are_escaped),          cmocka_unit_test(every_family_is_described_once),
                cmocka_unit_test(the_accept_header_chooses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
