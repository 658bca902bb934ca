/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a ruleset takes to become the kernel's, by us and by nft -f of its text, in a network namespace of its own.
 * Usage: bench-nft [ELEMENTS [RUNS]] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <vethwall/diff.h>
#include <vethwall/strbuf.h>

#include <nft/nft.h>

#include "rulesets.h"
#include "sandbox.h"

static double now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void must(int r, const char *what)
{
        if (r == 0)
                return;
        fprintf(stderr, "%s: %d\n", what, r);
        exit(EXIT_FAILURE);
}

/* What the agent does with a compiled ruleset whose predecessor it knows: compare, encode, send, wait. */
static double commit_ms(struct nft *nft, const struct ruleset *have, const struct ruleset *want, size_t *ret_bytes)
{
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        struct diag_list diags = DIAG_LIST_INIT;
        struct nft_result result;
        double start = now_ms();

        must(ruleset_diff(&plan, have, want, true), "diff");
        must(nft_commit(nft, &plan, 0, false, &result, &diags), "commit");
        *ret_bytes = result.bytes;
        return now_ms() - start;
}

/* What of that is ours and not the kernel's. */
static double encode_ms(const struct ruleset *have, const struct ruleset *want)
{
        _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
        _cleanup_(nft_batch_fini) struct nft_batch batch = NFT_BATCH_INIT;
        double start = now_ms();

        must(ruleset_diff(&plan, have, want, true), "diff");
        must(nft_encode(&batch, &plan, 1, 0), "encode");
        return now_ms() - start;
}

static double nft_ms(const char *text)
{
        double start = now_ms();

        must(sandbox_nft(text, NULL, "-f", "-", NULL), "nft -f");
        return now_ms() - start;
}

static double read_ms(struct nft *nft)
{
        _cleanup_(ruleset_freep) struct ruleset *got = NULL;
        double start = now_ms();

        must(nft_read(nft, "vethwall", &got, NULL), "read");
        return now_ms() - start;
}

static double best(double a, double b)
{
        return a < b ? a : b;
}

static void bench(uint32_t len, unsigned runs)
{
        _cleanup_(ruleset_freep) struct ruleset *want = ruleset_large(len), *more = ruleset_large(len + 1),
                                                *none = NULL;
        _cleanup_(ruleset_freep) struct ruleset *plain = ruleset_large(len + 1);
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        double whole = 1e9, one = 1e9, simple = 1e9, encode = 1e9, nft_whole = 1e9, nft_one = 1e9, read = 1e9;
        size_t bytes = 0, bytes_one = 0;
        struct nft *nft;
        char add[256];

        must(ruleset_new(&none), "ruleset_new");
        ruleset_seal(none);
        /* A new element that leads to a chain makes the kernel walk all of the map, in search of loops. */
        plain->tables[0].sets[0].elems[len].verdict = (struct rs_verdict){RS_ACCEPT, NULL};
        ruleset_text(&text, want, true);
        must(strbuf_check(&text), "ruleset_text");
        snprintf(add, sizeof(add), "add element inet vethwall egress4 { 10.%u.%u.%u : jump out_1 }\n", len >> 16 & 255,
                 len >> 8 & 255, len & 255);
        must(nft_open(&nft), "nft_open");
        for (unsigned i = 0; i < runs; i++) {
                must(sandbox_nft(NULL, NULL, "flush", "ruleset", NULL), "flush");
                encode = best(encode, encode_ms(none, want));
                whole = best(whole, commit_ms(nft, none, want, &bytes));
                one = best(one, commit_ms(nft, want, more, &bytes_one));
                (void)commit_ms(nft, more, want, &bytes_one);
                simple = best(simple, commit_ms(nft, want, plain, &bytes_one));
                read = best(read, read_ms(nft));
                must(sandbox_nft(NULL, NULL, "flush", "ruleset", NULL), "flush");
                nft_whole = best(nft_whole, nft_ms(text.text));
                nft_one = best(nft_one, nft_ms(add));
        }
        nft_close(nft);
        printf("%u elements, best of %u runs\n", len, runs);
        printf("  whole ruleset   %9.3f ms (%zu bytes)   nft -f %9.3f ms   ratio %.1f\n", whole, bytes, nft_whole,
               nft_whole / whole);
        printf("  of it encoding  %9.3f ms\n", encode);
        printf("  one jump        %9.3f ms               nft -f %9.3f ms   ratio %.1f\n", one, nft_one, nft_one / one);
        printf("  one accept      %9.3f ms (%zu bytes)\n", simple, bytes_one);
        printf("  reading it back %9.3f ms\n", read);
}

int main(int argc, char **argv)
{
        int len = argc > 1 ? atoi(argv[1]) : 20000, runs = argc > 2 ? atoi(argv[2]) : 5;

        if (len <= 0 || len > 1 << 23 || runs <= 0) {
                fprintf(stderr, "usage: bench-nft [ELEMENTS [RUNS]]\n");
                return 2;
        }
        sandbox_enter();
        bench((uint32_t)len, (unsigned)runs);
        return 0;
}
