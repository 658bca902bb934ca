/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What matrix, lint and diff cost beside reading and parsing the same files, in time and in memory, for an organisation of
 * 1 000 policies, 10 000 endpoints and 500 label sets, and for a tenth and ten times of it (bench-analysis [PROJECTS [WORK]]; 50 projects are the middle size). Each is measured in a process of
 * its own, so that a peak of memory is that work's alone; times are medians of several rounds. README.md here holds a run. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vethwall/changes.h>
#include <vethwall/diag.h>
#include <vethwall/latent.h>
#include <vethwall/lint.h>
#include <vethwall/map.h>
#include <vethwall/matrix.h>
#include <vethwall/settings.h>
#include <vethwall/world.h>

#include "worlds.h"

#define ROUNDS 5

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

static void must(int r, const char *what)
{
        if (r == 0)
                return;
        fprintf(stderr, "bench-analysis: %s: %s\n", what, r < 0 ? strerror(-r) : "refused");
        exit(1);
}

/* A file each for every namespace, as people keep them. */
struct files {
        struct strbuf *policies, *changed, *inventories;
        size_t len, bytes, changed_bytes;
};

static void files_init(struct files *files, size_t projects)
{
        *files = (struct files){
                .policies = calloc(projects, sizeof(struct strbuf)),
                .changed = calloc(projects, sizeof(struct strbuf)),
                .inventories = calloc(projects, sizeof(struct strbuf)),
                .len = projects,
        };
        must(files->policies && files->changed && files->inventories ? 0 : -ENOMEM, "files");
        for (size_t i = 0; i < projects; i++) {
                bench_department_text(i, false, &files->policies[i], &files->inventories[i]);
                /* A review touches few files. */
                bench_department_text(i, i % 10 == 0, &files->changed[i], NULL);
                files->bytes += files->policies[i].len + files->inventories[i].len;
                files->changed_bytes += files->changed[i].len;
        }
}

static void files_fini(struct files *files)
{
        for (size_t i = 0; i < files->len; i++) {
                strbuf_fini(&files->policies[i]);
                strbuf_fini(&files->changed[i]);
                strbuf_fini(&files->inventories[i]);
        }
        free(files->policies);
        free(files->changed);
        free(files->inventories);
}

static struct policy_set *parse_policies(const struct strbuf *texts, size_t len, struct diag_list *diags)
{
        struct policy_set *set = NULL;
        char name[64];

        must(policy_set_new(&set), "policies");
        set->keeps_sources = true;
        for (size_t i = 0; i < len; i++) {
                snprintf(name, sizeof(name), "policies/%zu.yaml", i);
                must(policy_set_load(set, name, texts[i].text, texts[i].len, diags), "policies");
        }
        must(policy_set_seal(set, diags), "policies");
        return set;
}

static struct inventory *parse_inventory(const struct files *files, struct diag_list *diags)
{
        struct inventory *inventory = NULL;
        char name[64];

        must(inventory_new(&inventory), "inventory");
        for (size_t i = 0; i < files->len; i++) {
                snprintf(name, sizeof(name), "inventory/%zu.yaml", i);
                must(inventory_load(inventory, name, files->inventories[i].text, files->inventories[i].len, diags),
                     "inventory");
        }
        must(inventory_seal(inventory), "inventory");
        return inventory;
}

enum work {
        WORK_PARSE,
        WORK_WORLD,
        WORK_MATRIX,
        WORK_LINT,
        WORK_DIFF,
        WORK_MAX,
};

static const char *const work_names[] = {
        [WORK_PARSE] = "read and parse",
        [WORK_WORLD] = "resolve",
        [WORK_MATRIX] = "matrix",
        [WORK_LINT] = "lint",
        [WORK_DIFF] = "diff",
};

/* Endpoints that are alike as one, and all that each can open to others and the outside: what every form of the table is
 * made of. */
static size_t run_matrix(struct world *world)
{
        _cleanup_(matrix_freep) struct matrix *matrix = NULL;
        _cleanup_(map_freep) struct map *map = NULL;
        const struct map_edge *edges;
        size_t n = 0, len;

        must(matrix_new(&matrix, world), "matrix");
        must(map_new(&map, matrix, world, true), "map");
        for (size_t i = 0; i < map->len; i++) {
                must(map_edges(map, i, &edges, &len), "edges");
                n += len;
        }
        return n;
}

static size_t run_lint(const struct policy_set *policies, struct world *world)
{
        _cleanup_(lint_result_fini) struct lint_result result = {.findings = DIAG_LIST_INIT};

        must(lint(&result, policies, world), "lint");
        return result.findings.len;
}

static size_t run_diff(struct world *old, struct world *new)
{
        _cleanup_(changes_freep) struct changes *changes = NULL;
        _cleanup_(latent_freep) struct latent *latent = NULL;

        must(changes_new(&changes, old, new), "diff");
        must(latent_new(&latent, old, new, changes), "diff");
        return changes->len + latent->changes->len;
}

struct reading {
        double parse, work; /* ms */
        size_t result;      /* pairs, findings, changes */
        size_t peak;        /* bytes */
};

/* The old policies, where the work needs them, are read too: a diff reads two sets. */
static void measure(const struct files *files, enum work work, struct reading *ret)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(policy_set_freep) struct policy_set *policies = NULL, *changed = NULL;
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        _cleanup_(world_freep) struct world *world = NULL, *other = NULL;
        double t0 = now_ms(), t1;

        policies = parse_policies(files->policies, files->len, &diags);
        inventory = parse_inventory(files, &diags);
        if (work == WORK_DIFF)
                changed = parse_policies(files->changed, files->len, &diags);
        must(diags.errors > 0, "the generated files");
        t1 = now_ms();
        if (work != WORK_PARSE)
                must(world_new(&world, policies, inventory, &settings_default), "world");
        if (work == WORK_DIFF)
                must(world_new(&other, changed, inventory, &settings_default), "world");
        if (work == WORK_MATRIX)
                ret->result = run_matrix(world);
        else if (work == WORK_LINT)
                ret->result = run_lint(policies, world);
        else if (work == WORK_DIFF)
                ret->result = run_diff(world, other);
        ret->parse = t1 - t0;
        ret->work = now_ms() - t1;
}

static size_t peak(void)
{
        struct rusage usage;

        getrusage(RUSAGE_SELF, &usage);
        return (size_t)usage.ru_maxrss * 1024;
}

/* In a process of its own, whose memory before the work does not count: the files, and the program itself, whose pages are
 * there once it has done the same with one small file. */
static void measure_apart(const struct files *files, enum work work, struct reading *ret)
{
        double parse[ROUNDS], took[ROUNDS];
        struct files small;
        int status, fds[2];
        size_t before;
        pid_t pid;

        fflush(stdout);
        must(pipe(fds) < 0 ? -errno : 0, "pipe");
        pid = fork();
        must(pid < 0 ? -errno : 0, "fork");
        if (pid > 0) {
                close(fds[1]);
                must(read(fds[0], ret, sizeof(*ret)) == sizeof(*ret) ? 0 : -EIO, "measurement");
                close(fds[0]);
                must(waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -ECHILD, "measurement");
                return;
        }
        files_init(&small, 1);
        measure(&small, work, ret);
        files_fini(&small);
        before = peak();
        for (int i = 0; i < ROUNDS; i++) {
                measure(files, work, ret);
                parse[i] = ret->parse;
                took[i] = ret->work;
                if (i == 0)
                        ret->peak = peak() - before;
        }
        qsort(parse, ROUNDS, sizeof(*parse), double_cmp);
        qsort(took, ROUNDS, sizeof(*took), double_cmp);
        ret->parse = parse[ROUNDS / 2];
        ret->work = took[ROUNDS / 2];
        _exit(write(fds[1], ret, sizeof(*ret)) == sizeof(*ret) ? 0 : 1);
}

int main(int argc, char **argv)
{
        static const size_t sizes[] = {5, 50, 500};
        size_t largest = argc > 1 ? strtoul(argv[1], NULL, 10) : 50;
        const char *only = argc > 2 ? argv[2] : NULL;

        for (size_t i = 0; i < ARRAY_SIZE(sizes) && sizes[i] <= largest; i++) {
                struct files files;

                files_init(&files, sizes[i]);
                printf("%zu policies, %zu endpoints, %zu label sets: %zu kB of files\n",
                       sizes[i] * BENCH_DEPARTMENT_POLICIES, sizes[i] * BENCH_DEPARTMENT_ENDPOINTS,
                       sizes[i] * BENCH_DEPARTMENT_LABEL_SETS, files.bytes >> 10);
                for (enum work work = 0; work < WORK_MAX; work++) {
                        size_t bytes = files.bytes + (work == WORK_DIFF ? files.changed_bytes : 0);
                        struct reading reading = {0};

                        if (only && strcmp(only, work_names[work]) != 0)
                                continue;
                        measure_apart(&files, work, &reading);
                        printf("  %-15s parse %8.1f ms, work %8.1f ms (%4.2f of parse), peak %7zu kB (%4.1f of the "
                               "files), "
                               "result %zu\n",
                               work_names[work], reading.parse, reading.work, reading.work / reading.parse,
                               reading.peak >> 10, (double)reading.peak / (double)bytes, reading.result);
                }
                files_fini(&files);
        }
        return 0;
}
