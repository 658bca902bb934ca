/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transactions on a real kernel, in a network namespace of the test's own. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vethwall/diff.h>
#include <vethwall/strbuf.h>

#include <nft/nft.h>

#include "rulesets.h"
#include "sandbox.h"

/* Each test begins with no tables. */
static int start(void **state)
{
        struct nft *nft;

        if (sandbox_nft(NULL, NULL, "flush", "ruleset", NULL) != 0 || nft_open(&nft) < 0)
                return -1;
        *state = nft;
        return 0;
}

static int stop(void **state)
{
        nft_close(*state);
        return 0;
}

/* Not every kernel follows connections on a bridge. */
static bool bridge_has_ct(void)
{
        _cleanup_free_ char *output = NULL;

        return sandbox_nft("table bridge probe {\n chain c {\n ct state new accept\n }\n }\n", &output, "-c", "-f", "-",
                           NULL) == 0;
}

static struct ruleset *read_back(struct nft *nft, uint32_t *ret_genid)
{
        struct ruleset *ruleset = NULL;

        assert_int_equal(nft_read(nft, "vethwall", &ruleset, ret_genid), 0);
        return ruleset;
}

/* Large texts that differ are only of use from the first different line on. */
static void assert_same_text(const char *a, const char *b)
{
        size_t line = 0, i;

        for (i = 0; a[i] && a[i] == b[i]; i++)
                if (a[i] == '\n')
                        line = i + 1;
        if (a[i] != b[i])
                fail_msg("differ from here:\n%.300s\n--- or ---\n%.300s", a + line, b + line);
}

static void assert_same(const struct ruleset *got, const struct ruleset *want)
{
        _cleanup_(strbuf_fini) struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;

        ruleset_text(&a, got, false);
        ruleset_text(&b, want, false);
        if (a.len != 0 || b.len != 0)
                assert_same_text(a.len ? a.text : "", b.len ? b.text : "");
        assert_true(ruleset_equal(got, want));
}

/* What is there becomes what is wanted; the plan's length is returned. */
static size_t commit(struct nft *nft, const struct ruleset *want)
{
        _cleanup_(ruleset_freep) struct ruleset *have = NULL;
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        struct diag_list diags = DIAG_LIST_INIT;
        struct nft_result result;
        uint32_t genid, now;
        int r;

        have = read_back(nft, &genid);
        assert_int_equal(ruleset_diff(&plan, have, want, true), 0);
        r = nft_commit(nft, &plan, genid, false, &result, &diags);
        if (r != 0) {
                _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

                diag_list_format(&text, &diags, false);
                plan_text(&text, &plan);
                fail_msg("commit: %d\n%s", r, text.text);
        }
        assert_int_equal(nft_genid(nft, &now), 0);
        assert_int_equal(result.genid, now);
        return plan.len;
}

static void what_was_committed_is_read_back(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_sample(bridge_has_ct());
        _cleanup_(ruleset_freep) struct ruleset *got = NULL;
        uint32_t before, after;

        assert_true(commit(*state, want) > 0);
        got = read_back(*state, &before);
        assert_same(got, want);
        assert_int_equal(commit(*state, want), 0);
        assert_int_equal(nft_genid(*state, &after), 0);
        assert_int_equal(before, after);
}

static void any_ruleset_becomes_any_other(void **state)
{
        unsigned rounds = getenv("VETHWALL_ROUNDS") ? (unsigned)atoi(getenv("VETHWALL_ROUNDS")) : 300;

        for (uint64_t seed = 1; seed <= rounds; seed++) {
                _cleanup_(ruleset_freep) struct ruleset *want = ruleset_random(seed), *got = NULL;

                commit(*state, want);
                got = read_back(*state, NULL);
                assert_same(got, want);
        }
}

static void hundred_thousand_elements_fit_one_transaction(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(100000), *got = NULL,
                                                *fewer = ruleset_large(99999);

        commit(*state, want);
        got = read_back(*state, NULL);
        assert_true(ruleset_equal(got, want));
        assert_int_equal(commit(*state, fewer), 1);
}

/* A value as nft lists it, the counters' state left out. */
static char *list(void)
{
        char *text;

        assert_int_equal(sandbox_nft(NULL, &text, "-s", "list", "ruleset", NULL), 0);
        return text;
}

/* One object of a listing, its name to its closing bracket; to be freed. */
static char *excerpt(const char *listing, enum rs_family family, const char *kind, const char *name)
{
        char start[300];
        const char *pos, *end;

        pos = strstr(listing, family == RS_INET ? "table inet vethwall {" : "table bridge vethwall {");
        assert_non_null(pos);
        snprintf(start, sizeof(start), "\t%s %s {\n", kind, name);
        pos = strstr(pos, start);
        assert_non_null(pos);
        end = strstr(pos, "\n\t}\n");
        assert_non_null(end);
        return strndup(pos, (size_t)(end - pos));
}

static void assert_same_object(const char *a, const char *b, enum rs_family family, const char *kind, const char *name)
{
        _cleanup_free_ char *one = excerpt(a, family, kind, name), *other = excerpt(b, family, kind, name);

        assert_same_text(one, other);
}

/* Object by object: the order of chains is the order in which they were made, which is nobody's concern. */
static void assert_same_listing(const char *a, const char *b, const struct ruleset *ruleset)
{
        for (size_t i = 0; i < ruleset->tables_len; i++) {
                const struct rs_table *table = &ruleset->tables[i];

                for (size_t k = 0; k < table->sets_len; k++)
                        assert_same_object(a, b, table->family, table->sets[k].map ? "map" : "set",
                                           table->sets[k].name);
                for (size_t k = 0; k < table->chains_len; k++)
                        assert_same_object(a, b, table->family, "chain", table->chains[k].name);
        }
        assert_int_equal(strlen(a), strlen(b));
}

static void assert_as_nft_would(struct nft *nft, const struct ruleset *want)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        _cleanup_(ruleset_freep) struct ruleset *got = NULL;
        _cleanup_free_ char *ours = NULL, *theirs = NULL, *output = NULL;

        ruleset_text(&text, want, false);
        assert_int_equal(strbuf_check(&text), 0);
        assert_int_equal(sandbox_nft(NULL, NULL, "flush", "ruleset", NULL), 0);
        commit(nft, want);
        ours = list();
        if (sandbox_nft(ours, &output, "-c", "-f", "-", NULL) != 0)
                fail_msg("%s\n%s", output, ours);

        assert_int_equal(sandbox_nft(NULL, NULL, "flush", "ruleset", NULL), 0);
        free(output);
        output = NULL;
        if (sandbox_nft(text.text, &output, "-f", "-", NULL) != 0)
                fail_msg("%s\n%s", output, text.text);
        theirs = list();
        assert_same_listing(ours, theirs, want);

        /* And what nft made of the text is ours as well, expression by expression. */
        got = read_back(nft, NULL);
        assert_same(got, want);
}

static void nft_lists_and_reads_it_as_its_own(void **state)
{
        _cleanup_(ruleset_freep) struct ruleset *sample = ruleset_sample(bridge_has_ct());
        _cleanup_free_ char *text = NULL;

        if (!sandbox_is_privileged())
                skip();
        assert_as_nft_would(*state, sample);
        text = list();
        assert_non_null(strstr(text, "ip saddr vmap @s_0_3"));
        assert_non_null(strstr(text, "meta l4proto . th dport vmap @s_5_3"));
        assert_non_null(strstr(text, "comment \"shop/web egress 3\""));
        for (uint64_t seed = 1000; seed < 1020; seed++) {
                _cleanup_(ruleset_freep) struct ruleset *ruleset = ruleset_random(seed);

                assert_as_nft_would(*state, ruleset);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_committed_is_read_back, start, stop),
                cmocka_unit_test_setup_teardown(any_ruleset_becomes_any_other, start, stop),
                cmocka_unit_test_setup_teardown(hundred_thousand_elements_fit_one_transaction, start, stop),
                cmocka_unit_test_setup_teardown(nft_lists_and_reads_it_as_its_own, start, stop),
        };

        sandbox_enter();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
