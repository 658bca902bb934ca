/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 1 000 endpoints and 500 policies: what the first program costs, and what one more endpoint costs, from parsed input to
 * committed kernel state, beside stock nft -f of the same ruleset's text in the same run. Needs root, and works in a
 * network namespace of its own. Figures are medians of several rounds; README.md here holds a run. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vethwall/compile.h>
#include <vethwall/diag.h>
#include <vethwall/diff.h>

#include "nft/nft.h"
#include "worlds.h"

#define ROUNDS 7

static double now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int double_cmp(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static double median(double values[static ROUNDS])
{
        qsort(values, ROUNDS, sizeof(*values), double_cmp);
        return values[ROUNDS / 2];
}

static void must(int r, const char *what)
{
        if (r == 0)
                return;
        fprintf(stderr, "bench-office: %s: %s\n", what, r < 0 ? strerror(-r) : "refused");
        exit(1);
}

struct input {
        struct policy_set *policies;
        struct inventory *inventory;
};

static void input_init(struct input *in, const char *policies, size_t policies_len, const char *inventory,
                       size_t inventory_len)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;

        must(policy_set_new(&in->policies), "policies");
        must(policy_set_load(in->policies, "policies", policies, policies_len, &diags), "policies");
        must(policy_set_seal(in->policies, &diags), "policies");
        must(inventory_new(&in->inventory), "inventory");
        must(inventory_load(in->inventory, "inventory", inventory, inventory_len, &diags), "inventory");
        must(inventory_seal(in->inventory), "inventory");
        must(diags.errors > 0, "the generated files");
}

static void input_fini(struct input *in)
{
        policy_set_free(in->policies);
        inventory_free(in->inventory);
}

static struct ruleset *compiled(const struct input *in)
{
        _cleanup_(world_freep) struct world *world = NULL;
        struct ruleset *ruleset = NULL;

        must(world_new(&world, in->policies, in->inventory, &settings_default), "world");
        must(compile(&ruleset, world), "compile");
        return ruleset;
}

struct split {
        double compile[ROUNDS], diff[ROUNDS], commit[ROUNDS], total[ROUNDS];
};

/* From parsed input to the kernel; old is what the kernel holds. Returns the new ruleset. */
static struct ruleset *program(struct nft *nft, const struct ruleset *old, const struct input *in, struct split *split,
                               int round, size_t *elems)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct plan plan = PLAN_INIT;
        struct nft_result result = {0};
        double t0 = now_ms(), t1, t2, t3;
        struct ruleset *ruleset = compiled(in);

        t1 = now_ms();
        must(ruleset_diff(&plan, old, ruleset, false), "diff");
        t2 = now_ms();
        must(nft_commit(nft, &plan, 0, false, &result, &diags), "commit");
        t3 = now_ms();
        split->compile[round] = t1 - t0;
        split->diff[round] = t2 - t1;
        split->commit[round] = t3 - t2;
        split->total[round] = t3 - t0;
        *elems = 0;
        for (size_t i = 0; i < plan.len; i++)
                *elems += plan.ops[i].elems_len;
        plan_fini(&plan);
        return ruleset;
}

static void run_nft(const char *path)
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                execlp("nft", "nft", "-f", path, (char *)NULL);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
                fprintf(stderr, "bench-office: nft -f failed\n");
                exit(1);
        }
}

static double nft_text(const struct ruleset *ruleset, const char *path)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        FILE *file = fopen(path, "we");
        double t0;

        ruleset_text(&text, ruleset, true);
        must(strbuf_check(&text), "text");
        if (!file || fwrite(text.text, 1, text.len, file) != text.len || fclose(file) != 0)
                must(-errno, path);
        t0 = now_ms();
        run_nft(path);
        return now_ms() - t0;
}

static void report(const char *what, struct split *split, size_t elems, double nft)
{
        double total = median(split->total);

        printf("%-22s %8.2f ms = compile %.2f + diff %.2f + commit %.2f   (%zu elements)\n", what, total,
               median(split->compile), median(split->diff), median(split->commit), elems);
        printf("%-22s %8.2f ms   %.1f times as long\n", "  nft -f, whole text", nft, nft / total);
}

static void forget(struct nft *nft, const struct ruleset *ruleset)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct ruleset *nothing;
        struct plan plan = PLAN_INIT;
        struct nft_result result;

        must(ruleset_new(&nothing), "empty ruleset");
        ruleset_seal(nothing);
        must(ruleset_diff(&plan, ruleset, nothing, true), "diff");
        must(nft_commit(nft, &plan, 0, false, &result, &diags), "commit");
        plan_fini(&plan);
        ruleset_free(nothing);
}

int main(int argc, char **argv)
{
        _cleanup_(strbuf_fini) struct strbuf policies = STRBUF_INIT, inventory = STRBUF_INIT;
        size_t scale = argc > 1 ? strtoul(argv[1], NULL, 10) : 1, len, first_elems = 0, change_elems = 0;
        char path[] = "/tmp/bench-office-XXXXXX";
        struct split first = {0}, change = {0};
        double nft_first[ROUNDS], nft_change[ROUNDS];
        struct input before = {0}, after = {0};
        struct nft *nft = NULL;
        int fd;

        if (unshare(CLONE_NEWNET) < 0)
                must(-errno, "a network namespace of its own");
        fd = mkstemp(path);
        if (fd < 0)
                must(-errno, path);
        close(fd);
        bench_world_text(WORLD_OFFICE, scale, &policies, &inventory);
        len = inventory.len;
        strbuf_puts(&inventory, "- {name: new, namespace: p7, labels: {app: web}, addresses: [10.200.0.1]}\n");
        must(strbuf_check(&inventory), "text");
        input_init(&before, policies.text, policies.len, inventory.text, len);
        input_init(&after, policies.text, policies.len, inventory.text, inventory.len);
        must(nft_open(&nft), "nft");

        printf("%zu endpoints, %zu policies\n", before.inventory->endpoints_len, before.policies->policies_len);
        for (int i = 0; i < ROUNDS; i++) {
                struct ruleset *nothing, *a, *b;

                must(ruleset_new(&nothing), "empty ruleset");
                ruleset_seal(nothing);
                a = program(nft, nothing, &before, &first, i, &first_elems);
                b = program(nft, a, &after, &change, i, &change_elems);
                forget(nft, b);
                nft_first[i] = nft_text(a, path);
                nft_change[i] = nft_text(b, path);
                forget(nft, b);
                ruleset_free(nothing);
                ruleset_free(a);
                ruleset_free(b);
        }
        report("first program", &first, first_elems, median(nft_first));
        report("one more endpoint", &change, change_elems, median(nft_change));
        unlink(path);
        nft_close(nft);
        input_fini(&before);
        input_fini(&after);
        return 0;
}
