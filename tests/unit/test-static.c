/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The static runtime: an inventory file as container records. */
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vethwall/diag.h>
#include <vethwall/strbuf.h>

#include "runtime/runtime.h"

struct test {
        char path[64];
        struct event_base *base;
        struct runtime *runtime;
        struct strbuf story;
        size_t diags;
};

static const char good[] = "apiVersion: vethwall.io/v1\n"
                           "kind: Inventory\n"
                           "namespaces:\n"
                           "  shop: { labels: { team: a } }\n"
                           "endpoints:\n"
                           "  - name: web-1\n"
                           "    namespace: shop\n"
                           "    labels: { app: web }\n"
                           "    addresses: [10.0.0.2, \"fd00::2\"]\n"
                           "    ports: [ { name: http, port: 80, protocol: TCP } ]\n"
                           "    netns: web-1\n"
                           "  - name: host\n"
                           "    hostNetwork: true\n";

static void describe(struct test *test, const struct container *container)
{
        char text[ADDR_TEXT_MAX];

        assert_string_equal(container->runtime, "static");
        strbuf_printf(&test->story, "%s name=%s ns=%s", container->id, container->name, container->ns);
        for (size_t i = 0; i < container->labels.len; i++)
                strbuf_printf(&test->story, " %s=%s", container->labels.items[i].key, container->labels.items[i].value);
        for (size_t i = 0; i < container->addrs_len; i++)
                strbuf_printf(&test->story, " %s", addr_format(&container->addrs[i].addr, text));
        for (size_t i = 0; i < container->ports_len; i++)
                strbuf_printf(&test->story, " %s:%u/%u", container->ports[i].name, container->ports[i].port,
                              container->ports[i].protocol);
        strbuf_printf(&test->story, " netns=%s%s\n", container->netns ? container->netns : "-",
                      container->host_network ? " host" : "");
}

static void on_event(void *user, const struct runtime_event *event)
{
        struct test *test = user;

        switch (event->kind) {
        case RUNTIME_RESYNC:
                strbuf_puts(&test->story, "resync");
                for (size_t i = 0; i < event->namespaces_len; i++)
                        strbuf_printf(&test->story, " %s:%zu", event->namespaces[i].name,
                                      event->namespaces[i].labels.len);
                strbuf_putc(&test->story, '\n');
                break;
        case RUNTIME_CONTAINER:
                describe(test, event->container);
                break;
        case RUNTIME_SYNCED:
                strbuf_puts(&test->story, "synced\n");
                break;
        case RUNTIME_LOST:
                strbuf_printf(&test->story, "lost %s\n", event->reason);
                break;
        case RUNTIME_GONE:
        case RUNTIME_EVENT_MAX:
                fail();
        }
}

static void on_diags(void *user, const struct diag_list *diags)
{
        struct test *test = user;

        test->diags = diags->len;
}

static void write_inventory(const struct test *test, const char *text)
{
        FILE *file = fopen(test->path, "w");

        assert_non_null(file);
        fputs(text, file);
        assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
        struct test *test = calloc(1, sizeof(*test));

        assert_non_null(test);
        strcpy(test->path, "/tmp/test-static-XXXXXX");
        close(mkstemp(test->path));
        test->base = event_base_new();
        assert_int_equal(static_new(&test->runtime, test->base, test->path, on_event, NULL, on_diags, test), 0);
        *state = test;
        return 0;
}

static int teardown(void **state)
{
        struct test *test = *state;

        test->runtime->vtable->free(test->runtime);
        event_base_free(test->base);
        strbuf_fini(&test->story);
        unlink(test->path);
        free(test);
        return 0;
}

/* What is told in one go. */
static const char *story(struct test *test)
{
        strbuf_clear(&test->story);
        event_base_loop(test->base, EVLOOP_NONBLOCK);
        strbuf_puts(&test->story, "");
        assert_int_equal(strbuf_check(&test->story), 0);
        return test->story.text;
}

static void an_inventory_is_a_full_list(void **state)
{
        struct test *test = *state;
        struct runtime_stats stats;

        write_inventory(test, good);
        assert_int_equal(test->runtime->vtable->start(test->runtime), 0);
        assert_string_equal(test->story.text ? test->story.text : "", "");
        assert_string_equal(
                story(test),
                "resync default:1 shop:2\n"
                "default/host name=host ns=default vethwall.io/name=host vethwall.io/runtime=static netns=- host\n"
                "shop/web-1 name=web-1 ns=shop app=web vethwall.io/name=web-1 vethwall.io/runtime=static "
                "10.0.0.2 fd00::2 http:80/6 netns=web-1\n"
                "synced\n");
        test->runtime->vtable->stats(test->runtime, &stats);
        assert_true(stats.connected);
        assert_int_equal(stats.resyncs, 1);
}

static void a_bad_file_is_reported_and_nothing_is_taken_away(void **state)
{
        struct test *test = *state;
        struct runtime_stats stats;
        const char *told;

        write_inventory(test, good);
        test->runtime->vtable->start(test->runtime);
        story(test);
        write_inventory(test, "apiVersion: vethwall.io/v1\nkind: Inventory\nendpoints: 7\n");
        test->runtime->vtable->resync(test->runtime);
        told = story(test);
        assert_memory_equal(told, "lost ", 5);
        assert_null(strstr(told, "resync"));
        assert_int_equal(test->diags, 1);
        test->runtime->vtable->stats(test->runtime, &stats);
        assert_false(stats.connected);
        assert_int_equal(stats.errors, 1);

        write_inventory(test, good);
        test->runtime->vtable->resync(test->runtime);
        assert_non_null(strstr(story(test), "shop/web-1"));
}

static void a_file_that_is_not_there_is_lost(void **state)
{
        struct test *test = *state;

        unlink(test->path);
        test->runtime->vtable->start(test->runtime);
        assert_memory_equal(story(test), "lost ", 5);
        assert_int_equal(test->diags, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(an_inventory_is_a_full_list, setup, teardown),
                cmocka_unit_test_setup_teardown(a_bad_file_is_reported_and_nothing_is_taken_away, setup, teardown),
                cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_lost, setup, teardown),
        };

        return cmocka_run_group_tests_name("static", tests, NULL, NULL);
}
