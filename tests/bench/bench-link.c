/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the room link costs with 10, 100 and 500 namespaces of one veth each: taking the first dump, finding a
 * namespace's links and addresses, and a look into the table. Prints microseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <link/link.h>
#include <vethwall/base.h>

#include "../kernel/link-lab.h"

#define ROUNDS 4000
#define DUMPS 20

static void ignore(void *user _unused_, const struct link_change *change _unused_)
{
}

static double now_us(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
        const double *da = a, *db = b;

        return (*da > *db) - (*da < *db);
}

static void print_times(size_t namespaces, const char *what, double *times, size_t len)
{
        qsort(times, len, sizeof(*times), compare);
        printf("%4zu namespaces  %-28s p50 %8.2f us   p99 %8.2f us\n", namespaces, what, times[len / 2],
               times[len * 99 / 100]);
}

static void add_namespaces(size_t from, size_t to)
{
        for (size_t i = from; i < to; i++) {
                char name[16], addr[32];

                (void)snprintf(name, sizeof(name), "c%zu", i);
                (void)snprintf(addr, sizeof(addr), "10.%zu.%zu.1/24", i / 256, i % 256);
                lab_netns_add(name);
                lab_run("ip link add v%zu type veth peer name eth0 netns %s", i, name);
                lab_addr_add(name, "eth0", addr);
        }
}

static int measure_dumps(size_t namespaces, double *times)
{
        for (size_t i = 0; i < DUMPS; i++) {
                struct link_watch *watch;
                double start = now_us();

                if (link_watch_new(&watch, ignore, NULL) < 0)
                        return 1;
                times[i] = now_us() - start;
                link_watch_free(watch);
        }
        print_times(namespaces, "new watch, first dump", times, DUMPS);
        return 0;
}

static int measure_lookups(struct link_watch *watch, size_t namespaces, double *times)
{
        for (size_t i = 0; i < ROUNDS; i++) {
                struct link_netns netns;
                char name[16];
                double start;

                (void)snprintf(name, sizeof(name), "c%zu", i % namespaces);
                start = now_us();
                if (link_netns_by_path(watch, name, &netns) != 0 || netns.links_len != 1 || netns.addrs_len != 1)
                        return 1;
                link_netns_fini(&netns);
                times[i] = now_us() - start;
        }
        print_times(namespaces, "namespace: links, addresses", times, ROUNDS);
        return 0;
}

static int measure_names(const struct link_watch *watch, size_t namespaces, double *times)
{
        for (size_t i = 0; i < ROUNDS; i++) {
                char name[16];
                double start;

                (void)snprintf(name, sizeof(name), "v%zu", i % namespaces);
                start = now_us();
                if (!link_by_name(watch, name))
                        return 1;
                times[i] = now_us() - start;
        }
        print_times(namespaces, "link by name", times, ROUNDS);
        return 0;
}

int main(void)
{
        static const size_t sizes[] = {10, 100, 500};
        static double times[ROUNDS];
        size_t have = 0;
        int failed = 0;

        lab_enter();
        for (size_t i = 0; i < ARRAY_SIZE(sizes) && !failed; i++) {
                struct link_watch *watch;

                add_namespaces(have, sizes[i]);
                have = sizes[i];
                failed = measure_dumps(have, times) || link_watch_new(&watch, ignore, NULL) < 0;
                if (failed)
                        break;
                failed = measure_lookups(watch, have, times) || measure_names(watch, have, times);
                link_watch_free(watch);
        }
        if (failed)
                (void)fprintf(stderr, "bench-link: a lookup failed\n");
        return failed;
}
