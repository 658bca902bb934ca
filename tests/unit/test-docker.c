/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Docker runtime against a scripted engine: what it reports, whatever the order and the trouble. */
#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <vethwall/arena.h>
#include <vethwall/strbuf.h>

#include "fake-docker.h"
#include "runtime/runtime.h"

#define DEADLINE_S 10
#define SEEN_MAX 64

/* What the agent would know of one container, in a form that tests can read. */
struct seen {
        char id[160];
        char *text;
        bool named; /* since the last RESYNC */
};

struct test {
        char dir[64];
        char socket[96];
        struct event_base *base;
        struct fake_docker *fake;
        struct runtime *runtime;
        struct seen seen[SEEN_MAX];
        size_t seen_len;
        unsigned kinds[RUNTIME_EVENT_MAX];
        char lost_reason[512];
        struct strbuf story; /* every event, a line each */
        struct strbuf log;
        uint64_t max_lag_us;
        bool late;
};

/* ---- the agent's part ---- */

static void describe(struct strbuf *buf, const struct container *container)
{
        char text[ADDR_TEXT_MAX];

        strbuf_printf(buf, "name=%s pid=%d", container->name, (int)container->pid);
        for (size_t i = 0; i < container->labels.len; i++)
                strbuf_printf(buf, " %s=%s", container->labels.items[i].key, container->labels.items[i].value);
        for (size_t i = 0; i < container->networks_len; i++)
                strbuf_printf(buf, " on:%s", container->networks[i]);
        for (size_t i = 0; i < container->addrs_len; i++)
                strbuf_printf(buf, " addr:%s:%s", container->addrs[i].network,
                              addr_format(&container->addrs[i].addr, text));
        for (size_t i = 0; i < container->published_len; i++)
                strbuf_printf(buf, " port:%s:%u->%u", addr_format(&container->published[i].host_addr, text),
                              container->published[i].host_port, container->published[i].container_port);
        if (container->netns)
                strbuf_printf(buf, " netns:%s", container->netns);
        if (container->joined)
                strbuf_printf(buf, " joined:%s", container->joined);
        if (container->host_network)
                strbuf_puts(buf, " host");
        if (container->unenforced)
                strbuf_printf(buf, " unenforced:%s", container->unenforced);
        strbuf_putc(buf, ' ');
}

static struct seen *find(struct test *test, const char *id)
{
        for (size_t i = 0; i < test->seen_len; i++) {
                if (!strcmp(test->seen[i].id, id))
                        return &test->seen[i];
        }
        return NULL;
}

static void drop(struct test *test, struct seen *seen)
{
        free(seen->text);
        *seen = test->seen[--test->seen_len];
}

static void learn(struct test *test, const struct container *container)
{
        struct seen *seen = find(test, container->id);
        struct strbuf buf = STRBUF_INIT;

        assert_string_equal(container->runtime, "docker");
        if (!seen) {
                assert_true(test->seen_len < SEEN_MAX);
                seen = &test->seen[test->seen_len++];
                *seen = (struct seen){0};
                snprintf(seen->id, sizeof(seen->id), "%s", container->id);
        }
        describe(&buf, container);
        assert_int_equal(strbuf_check(&buf), 0);
        free(seen->text);
        seen->text = buf.text;
        seen->named = true;
        strbuf_printf(&test->story, "%s %s\n", container->id, seen->text);
}

static void on_event(void *user, const struct runtime_event *event)
{
        struct test *test = user;
        struct seen *seen;

        test->kinds[event->kind]++;
        assert_true(event->received_us > 0);
        switch (event->kind) {
        case RUNTIME_RESYNC:
                strbuf_puts(&test->story, "resync\n");
                for (size_t i = 0; i < test->seen_len; i++)
                        test->seen[i].named = false;
                break;
        case RUNTIME_CONTAINER:
                learn(test, event->container);
                break;
        case RUNTIME_GONE:
                strbuf_printf(&test->story, "%s gone\n", event->id);
                seen = find(test, event->id);
                assert_non_null(seen);
                drop(test, seen);
                break;
        case RUNTIME_SYNCED:
                strbuf_puts(&test->story, "synced\n");
                for (size_t i = test->seen_len; i-- > 0;) {
                        if (!test->seen[i].named)
                                drop(test, &test->seen[i]);
                }
                break;
        case RUNTIME_LOST:
                strbuf_puts(&test->story, "lost\n");
                snprintf(test->lost_reason, sizeof(test->lost_reason), "%s", event->reason);
                break;
        case RUNTIME_EVENT_MAX:
                fail();
        }
}

static void on_log(void *user, int level, const char *text)
{
        struct test *test = user;

        strbuf_printf(&test->log, "%d %s\n", level, text);
}

static void on_late(evutil_socket_t fd, short what, void *user)
{
        (void)fd;
        (void)what;
        ((struct test *)user)->late = true;
}

/* Runs the loop until the condition holds. */
#define WAIT_FOR(test, condition)                                                                                      \
        do {                                                                                                           \
                struct timeval deadline = {.tv_sec = DEADLINE_S};                                                      \
                struct event *late = evtimer_new((test)->base, on_late, (test));                                       \
                                                                                                                       \
                (test)->late = false;                                                                                  \
                event_add(late, &deadline);                                                                            \
                while (!(condition) && !(test)->late)                                                                  \
                        event_base_loop((test)->base, EVLOOP_ONCE);                                                    \
                event_free(late);                                                                                      \
                if (!(condition))                                                                                      \
                        fail_msg("never came: %s\n%s", #condition, (test)->story.text ? (test)->story.text : "");      \
        } while (0)

static bool says(struct test *test, const char *id, const char *part)
{
        const struct seen *seen = find(test, id);

        return seen && strstr(seen->text, part);
}

static bool knows(struct test *test, const char *id)
{
        return find(test, id) != NULL;
}

static bool story_has(const struct test *test, const char *part)
{
        return test->story.text && strstr(test->story.text, part);
}

/* ---- fixture ---- */

static int setup(void **state)
{
        struct test *test = calloc(1, sizeof(*test));

        assert_non_null(test);
        strcpy(test->dir, "/tmp/test-docker-XXXXXX");
        assert_non_null(mkdtemp(test->dir));
        snprintf(test->socket, sizeof(test->socket), "%s/docker.sock", test->dir);
        test->base = event_base_new();
        test->fake = fake_docker_new(test->base, test->socket);
        fake_network(test->fake, "n1", "front", "bridge");
        fake_network(test->fake, "n2", "back", "bridge");
        fake_network(test->fake, "nh", "host", "host");
        fake_image(test->fake, "sha256:aa", "{}");
        *state = test;
        return 0;
}

static int teardown(void **state)
{
        struct test *test = *state;

        if (test->runtime)
                test->runtime->vtable->free(test->runtime);
        fake_docker_free(test->fake);
        event_base_free(test->base);
        while (test->seen_len)
                drop(test, &test->seen[0]);
        strbuf_fini(&test->story);
        strbuf_fini(&test->log);
        rmdir(test->dir);
        free(test);
        return 0;
}

static void start(struct test *test, bool trust)
{
        assert_int_equal(docker_new(&test->runtime, test->base, test->socket, trust, on_event, on_log, test), 0);
        assert_int_equal(test->runtime->vtable->start(test->runtime), 0);
}

/* An engine that runs, and a runtime that follows it. */
static void start_synced(struct test *test)
{
        fake_docker_listen(test->fake);
        start(test, false);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 1);
}

static struct runtime_stats stats_of(const struct test *test)
{
        struct runtime_stats stats;

        test->runtime->vtable->stats(test->runtime, &stats);
        return stats;
}

/* A container as it is when it has started, on n1. */
static void model_running(struct test *test, const char *id, const char *name, const char *addr)
{
        fake_container(test->fake, id, name, "sha256:aa", "front", "{\"app\":\"web\"}");
        fake_link(test->fake, "n1", id, addr, "");
        fake_run(test->fake, id, 42);
}

/* ---- starts ---- */

static void a_list_is_told_between_resync_and_synced(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        fake_container(test->fake, "c2", "idle", "sha256:aa", "back", "{}");
        start_synced(test);
        assert_true(
                says(test, "c1", "name=web pid=42 app=web on:front addr:front:10.0.0.2 netns:/run/docker/netns/c1 "));
        assert_true(says(test, "c2", "name=idle pid=0 "));
        assert_memory_equal(test->story.text, "resync\n", 7);
        assert_string_equal(test->story.text + test->story.len - 7, "synced\n");
        assert_true(stats_of(test).connected);
        assert_int_equal(stats_of(test).resyncs, 1);
        assert_int_equal(stats_of(test).errors, 0);
}

static void a_start_is_told_before_the_process_runs(void **state)
{
        struct test *test = *state;

        start_synced(test);
        fake_container(test->fake, "c1", "web", "sha256:aa", "front", "{\"app\":\"web\"}");
        fake_event(test->fake, "create", "c1");
        WAIT_FOR(test, says(test, "c1", "app=web "));
        assert_false(says(test, "c1", "addr:"));

        /* As the engine does while it starts a container: an inspection waits. */
        fake_docker_hold(test->fake, "/containers/c1");
        fake_link(test->fake, "n1", "c1", "10.0.0.2", "fd00::2");
        fake_network_event(test->fake, "connect", "n1", "c1");
        WAIT_FOR(test, says(test, "c1", "addr:front:10.0.0.2 addr:front:fd00::2 "));
        assert_true(says(test, "c1", "pid=0 "));

        fake_run(test->fake, "c1", 42);
        fake_docker_release(test->fake);
        fake_event(test->fake, "start", "c1");
        WAIT_FOR(test, says(test, "c1", "pid=42 "));
        assert_true(says(test, "c1", "netns:/run/docker/netns/c1 "));
}

/* Docker 28: the task is there before the network, and events lack the deprecated fields from 29 on. */
static void the_order_of_newer_engines_gives_the_same(void **state)
{
        struct test *test = *state;

        fake_docker_versions(test->fake, 1044, 1052, 1052);
        fake_docker_new_events(test->fake, true);
        start_synced(test);
        fake_container(test->fake, "c1", "web", "sha256:aa", "front", "{\"app\":\"web\"}");
        fake_event(test->fake, "create", "c1");
        fake_run(test->fake, "c1", 42);
        fake_link(test->fake, "n1", "c1", "10.0.0.2", "");
        fake_network_event(test->fake, "connect", "n1", "c1");
        fake_event(test->fake, "start", "c1");
        WAIT_FOR(test,
                 says(test, "c1", "name=web pid=42 app=web on:front addr:front:10.0.0.2 netns:/run/docker/netns/c1 "));
        assert_non_null(strstr(fake_docker_last_uri(test->fake, "/events"), "/v1.47/"));

        /* And at the end: the network first, then the death. */
        fake_unlink(test->fake, "n1", "c1");
        fake_network_event(test->fake, "disconnect", "n1", "c1");
        WAIT_FOR(test, !says(test, "c1", "addr:"));
        fake_run(test->fake, "c1", 0);
        fake_event(test->fake, "die", "c1");
        WAIT_FOR(test, says(test, "c1", "pid=0 "));
        assert_false(says(test, "c1", "netns:"));
        fake_remove_container(test->fake, "c1");
        fake_event(test->fake, "destroy", "c1");
        WAIT_FOR(test, !knows(test, "c1"));
}

static void connect_before_create_is_known_is_enough(void **state)
{
        struct test *test = *state;

        start_synced(test);
        model_running(test, "c1", "web", "10.0.0.2");
        fake_network_event(test->fake, "connect", "n1", "c1");
        WAIT_FOR(test, says(test, "c1", "app=web on:front addr:front:10.0.0.2 "));
}

static void requested_ports_are_known_before_the_start(void **state)
{
        struct test *test = *state;

        start_synced(test);
        fake_container(test->fake, "c1", "web", "sha256:aa", "front", "{}");
        fake_publish(test->fake, "c1", "80/tcp", "8080", "");
        fake_event(test->fake, "create", "c1");
        WAIT_FOR(test, says(test, "c1", "port:0.0.0.0:8080->80 port::::8080->80 "));
}

/* ---- changes ---- */

static void an_address_moves_although_the_old_disconnect_comes_last(void **state)
{
        struct test *test = *state;
        const char *lost, *gained;

        model_running(test, "c1", "old", "10.0.0.2");
        start_synced(test);
        assert_true(says(test, "c1", "addr:front:10.0.0.2 "));

        fake_container(test->fake, "c0", "new", "sha256:aa", "front", "{}");
        fake_event(test->fake, "create", "c0");
        WAIT_FOR(test, knows(test, "c0"));
        fake_unlink(test->fake, "n1", "c1");
        fake_link(test->fake, "n1", "c0", "10.0.0.2", "");
        strbuf_clear(&test->story);
        fake_network_event(test->fake, "connect", "n1", "c0");
        WAIT_FOR(test, says(test, "c0", "addr:front:10.0.0.2 "));
        assert_false(says(test, "c1", "addr:"));
        /* At no time do two containers hold it. */
        lost = strstr(test->story.text, "c1 ");
        gained = strstr(test->story.text, "c0 ");
        assert_true(lost && gained && lost < gained);

        fake_run(test->fake, "c1", 0);
        fake_network_event(test->fake, "disconnect", "n1", "c1");
        fake_event(test->fake, "die", "c1");
        WAIT_FOR(test, says(test, "c1", "pid=0 "));
        assert_true(says(test, "c0", "addr:front:10.0.0.2 "));
}

static void a_second_network_comes_and_goes(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        fake_link(test->fake, "n2", "c1", "10.1.0.2", "");
        fake_network_event(test->fake, "connect", "n2", "c1");
        WAIT_FOR(test, says(test, "c1", "on:back on:front addr:front:10.0.0.2 addr:back:10.1.0.2 "));
        fake_unlink(test->fake, "n2", "c1");
        fake_network_event(test->fake, "disconnect", "n2", "c1");
        fake_network_event(test->fake, "disconnect", "n2", "c1");
        WAIT_FOR(test, says(test, "c1", "pid=42 app=web on:front addr:front:10.0.0.2 netns"));
        assert_int_equal(test->kinds[RUNTIME_GONE], 0);
}

static void a_removed_network_takes_its_addresses(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        fake_link(test->fake, "n2", "c1", "10.1.0.2", "");
        start_synced(test);
        assert_true(says(test, "c1", "addr:back:10.1.0.2 "));
        fake_remove_network(test->fake, "n2");
        fake_network_event(test->fake, "destroy", "n2", NULL);
        WAIT_FOR(test, !says(test, "c1", "addr:back"));
        assert_true(says(test, "c1", "addr:front:10.0.0.2 "));
}

static void a_rename_is_told(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        fake_rename(test->fake, "c1", "shop");
        fake_event(test->fake, "rename", "c1");
        WAIT_FOR(test, says(test, "c1", "name=shop pid=42 "));
}

static void a_restart_keeps_the_container_and_changes_its_process(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        fake_run(test->fake, "c1", 0);
        fake_unlink(test->fake, "n1", "c1");
        fake_event(test->fake, "die", "c1");
        fake_network_event(test->fake, "disconnect", "n1", "c1");
        WAIT_FOR(test, says(test, "c1", "pid=0 ") && !says(test, "c1", "addr:"));
        fake_link(test->fake, "n1", "c1", "10.0.0.3", "");
        fake_network_event(test->fake, "connect", "n1", "c1");
        fake_run(test->fake, "c1", 43);
        fake_event(test->fake, "start", "c1");
        WAIT_FOR(test, says(test, "c1", "pid=43 ") && says(test, "c1", "addr:front:10.0.0.3 "));
        assert_int_equal(test->kinds[RUNTIME_GONE], 0);
}

static void old_events_change_nothing(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        fake_event(test->fake, "die", "c1");
        fake_network_event(test->fake, "disconnect", "n1", "c1");
        WAIT_FOR(test, fake_docker_requests(test->fake, "/containers/c1/json") >= 2);
        fake_rename(test->fake, "c1", "last");
        fake_event(test->fake, "rename", "c1");
        WAIT_FOR(test, says(test, "c1", "name=last "));
        assert_true(says(test, "c1", "pid=42 ") && says(test, "c1", "addr:front:10.0.0.2 "));
}

static void nothing_changed_tells_nothing(void **state)
{
        struct test *test = *state;
        unsigned told;

        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        told = test->kinds[RUNTIME_CONTAINER];
        fake_event(test->fake, "start", "c1");
        fake_network_event(test->fake, "connect", "n1", "c1");
        WAIT_FOR(test, fake_docker_requests(test->fake, "/containers/c1/json") >= 2);
        fake_container(test->fake, "c2", "mark", "sha256:aa", "front", "{}");
        fake_event(test->fake, "create", "c2");
        WAIT_FOR(test, knows(test, "c2"));
        assert_null(strstr(strstr(test->story.text, "synced\n"), "c1 "));
        assert_true(test->kinds[RUNTIME_CONTAINER] > told);
}

/* ---- kinds of networks ---- */

static void special_networks_are_told_as_such(void **state)
{
        struct test *test = *state;

        fake_network(test->fake, "n3", "lan", "macvlan");
        fake_container(test->fake, "c1", "hosted", "sha256:aa", "host", "{}");
        fake_link(test->fake, "nh", "c1", "", "");
        fake_run(test->fake, "c1", 42);
        fake_container(test->fake, "c2", "joined", "sha256:aa", "container:c3", "{}");
        fake_container(test->fake, "c3", "main", "sha256:aa", "front", "{}");
        fake_container(test->fake, "c4", "lan", "sha256:aa", "lan", "{}");
        fake_link(test->fake, "n3", "c4", "192.0.2.2", "");
        fake_container(test->fake, "c5", "byname", "sha256:aa", "container:main", "{}");
        start_synced(test);
        assert_true(says(test, "c1", "on:host host "));
        assert_false(says(test, "c1", "netns:"));
        assert_true(says(test, "c2", "joined:c3 "));
        assert_true(says(test, "c5", "joined:c3 "));
        assert_true(says(test, "c4", "unenforced:network lan uses the driver macvlan"));
        assert_false(says(test, "c3", "unenforced:"));
}

/* ---- labels of images ---- */

static void image_labels_are_left_out(void **state)
{
        struct test *test = *state;

        fake_image(test->fake, "sha256:bb", "{\"app\":\"db\",\"tier\":\"1\",\"vethwall.io/namespace\":\"prod\"}");
        fake_container(test->fake, "c1", "web", "sha256:bb", "front",
                       "{\"app\":\"web\",\"tier\":\"1\",\"vethwall.io/namespace\":\"prod\",\"own\":\"yes\"}");
        start_synced(test);
        assert_true(says(test, "c1", "pid=0 app=web own=yes "));
        assert_false(says(test, "c1", "tier="));
        assert_false(says(test, "c1", "vethwall.io/"));
}

static void trusted_image_labels_stay_but_ours_do_not(void **state)
{
        struct test *test = *state;

        fake_image(test->fake, "sha256:bb", "{\"tier\":\"1\",\"vethwall.io/namespace\":\"prod\"}");
        fake_container(test->fake, "c1", "web", "sha256:bb", "front",
                       "{\"tier\":\"1\",\"vethwall.io/namespace\":\"prod\"}");
        fake_docker_listen(test->fake);
        start(test, true);
        WAIT_FOR(test, knows(test, "c1"));
        assert_true(says(test, "c1", "tier=1 "));
        assert_false(says(test, "c1", "vethwall.io/"));
}

static void compose_labels_on_built_images_stay_compose_s(void **state)
{
        struct test *test = *state;

        fake_image(test->fake, "sha256:bb", "{\"com.docker.compose.project\":\"shop\"}");
        fake_container(test->fake, "c1", "made-by-compose", "sha256:bb", "front",
                       "{\"com.docker.compose.project\":\"shop\",\"com.docker.compose.config-hash\":\"1234\"}");
        fake_container(test->fake, "c2", "run-by-hand", "sha256:bb", "front",
                       "{\"com.docker.compose.project\":\"shop\"}");
        start_synced(test);
        assert_true(says(test, "c1", "com.docker.compose.project=shop "));
        assert_true(knows(test, "c2"));
        assert_false(says(test, "c2", "com.docker.compose.project"));
}

static void unknown_images_keep_containers_unknown(void **state)
{
        struct test *test = *state;

        fake_container(test->fake, "c1", "web", "sha256:cc", "front", "{\"app\":\"web\"}");
        fake_container(test->fake, "c2", "plain", "sha256:cc", "front", "{}");
        start_synced(test);
        assert_true(knows(test, "c2"));
        assert_false(knows(test, "c1"));
        assert_non_null(strstr(test->log.text, "sha256:cc"));
        fake_image(test->fake, "sha256:cc", "{}");
        WAIT_FOR(test, says(test, "c1", "app=web "));
}

/* ---- trouble ---- */

static void a_socket_that_comes_later_is_found(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        start(test, false);
        WAIT_FOR(test, test->kinds[RUNTIME_LOST] == 1);
        assert_non_null(strstr(test->lost_reason, "docker.sock: No such file or directory"));
        assert_false(stats_of(test).connected);
        fake_docker_listen(test->fake);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 1);
        assert_true(knows(test, "c1"));
}

static void a_stream_cut_within_a_line_is_a_full_list(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        model_running(test, "c2", "gone-meanwhile", "10.0.0.3");
        start_synced(test);
        WAIT_FOR(test, fake_docker_streams(test->fake) == 1);
        fake_docker_die(test->fake, "{\"Type\":\"container\",\"Action\":\"destroy\",\"Actor\":{\"ID\":\"c1\"");
        WAIT_FOR(test, test->kinds[RUNTIME_LOST] >= 1);
        assert_true(knows(test, "c1") && knows(test, "c2"));
        fake_unlink(test->fake, "n1", "c2");
        fake_remove_container(test->fake, "c2");
        model_running(test, "c3", "new-meanwhile", "10.0.0.3");
        fake_docker_listen(test->fake);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 2);
        assert_true(says(test, "c1", "addr:front:10.0.0.2 "));
        assert_false(knows(test, "c2"));
        assert_true(says(test, "c3", "addr:front:10.0.0.3 "));
        /* What was known was not asked again: an image is for ever. */
        assert_int_equal(fake_docker_requests(test->fake, "/images/"), 1);
}

static void create_in_gap(void *user)
{
        struct test *test = user;

        model_running(test, "c9", "gap", "10.0.0.9");
        fake_event(test->fake, "create", "c9");
        fake_network_event(test->fake, "connect", "n1", "c9");
}

static void what_happens_before_the_subscription_is_not_lost(void **state)
{
        struct test *test = *state;

        fake_docker_listen(test->fake);
        fake_docker_on_request(test->fake, "/events", create_in_gap, test);
        start(test, false);
        WAIT_FOR(test, says(test, "c9", "addr:front:10.0.0.9 "));
}

static void destroy_in_gap(void *user)
{
        struct test *test = user;

        fake_unlink(test->fake, "n1", "c1");
        fake_event(test->fake, "destroy", "c1");
}

/* The list may be older than an event that is already here. */
static void events_during_the_list_are_applied_to_it(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        fake_docker_listen(test->fake);
        fake_docker_hold(test->fake, "/containers/json");
        fake_docker_on_request(test->fake, "/containers/json", destroy_in_gap, test);
        start(test, false);
        WAIT_FOR(test, stats_of(test).events == 1);
        fake_docker_release(test->fake);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 1);
        assert_false(knows(test, "c1"));
}

static void a_list_that_nothing_follows_is_not_complete(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        fake_docker_listen(test->fake);
        fake_docker_hold(test->fake, "/events");
        start(test, false);
        WAIT_FOR(test, says(test, "c1", "pid=42 "));
        assert_int_equal(test->kinds[RUNTIME_SYNCED], 0);
        fake_docker_release(test->fake);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 1);
        assert_int_equal(test->kinds[RUNTIME_LOST], 0);
}

static void a_container_whose_events_were_lost_is_found(void **state)
{
        struct test *test = *state;

        start_synced(test);
        model_running(test, "c1", "lost", "10.0.0.2");
        model_running(test, "c2", "heard", "10.0.0.3");
        fake_network_event(test->fake, "connect", "n1", "c2");
        WAIT_FOR(test, says(test, "c1", "pid=42 ") && says(test, "c1", "addr:front:10.0.0.2 "));
}

static void errors_of_the_engine_are_tried_again(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        fake_docker_listen(test->fake);
        fake_docker_refuse(test->fake, "/networks/n1", 500, 3);
        start(test, false);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 1);
        /* Nothing is told of it without its address. */
        assert_true(says(test, "c1", "addr:front:10.0.0.2 "));
        assert_null(strstr(test->story.text, "on:front netns"));
        assert_int_equal(stats_of(test).errors, 3);

        fake_docker_refuse(test->fake, "/containers/json", 500, 2);
        fake_rename(test->fake, "c1", "shop");
        fake_event(test->fake, "rename", "c1");
        WAIT_FOR(test, says(test, "c1", "name=shop "));
}

static void a_refused_list_begins_anew(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        fake_docker_listen(test->fake);
        fake_docker_refuse(test->fake, "/containers/json", 500, 2);
        start(test, false);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 1);
        assert_true(knows(test, "c1"));
        assert_non_null(strstr(test->lost_reason, "as the test wants it"));
}

static void a_slow_inspection_holds_up_nothing(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "stuck", "10.0.0.2");
        model_running(test, "c2", "web", "10.0.0.3");
        fake_docker_listen(test->fake);
        fake_docker_hold(test->fake, "/containers/c1/json");
        start(test, false);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 1);
        assert_true(says(test, "c1", "pid=0 app=web on:front addr:front:10.0.0.2 "));
        assert_true(says(test, "c2", "pid=42 "));
        fake_docker_release(test->fake);
        WAIT_FOR(test, says(test, "c1", "pid=42 "));
}

static void an_engine_too_new_for_us_gets_its_minimum(void **state)
{
        struct test *test = *state;

        fake_docker_versions(test->fake, 1050, 1060, 1060);
        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        assert_true(knows(test, "c1"));
        assert_non_null(strstr(fake_docker_last_uri(test->fake, "/containers/json"), "/v1.50/"));
        assert_non_null(strstr(test->lost_reason, "too old"));
}

static void an_engine_that_does_not_say_is_asked_for_the_oldest(void **state)
{
        struct test *test = *state;

        fake_docker_versions(test->fake, 1012, 1041, 0);
        start_synced(test);
        assert_non_null(strstr(fake_docker_last_uri(test->fake, "/networks"), "/v1.41/"));
}

static void an_engine_too_old_is_refused_until_it_is_newer(void **state)
{
        struct test *test = *state;

        fake_docker_versions(test->fake, 1012, 1030, 1030);
        fake_docker_listen(test->fake);
        start(test, false);
        WAIT_FOR(test, test->kinds[RUNTIME_LOST] == 1);
        assert_string_equal(test->lost_reason, "the engine's API 1.30 is too old: at least 1.41 is needed");
        assert_int_equal(fake_docker_requests(test->fake, "/events"), 0);
        fake_docker_versions(test->fake, 1012, 1041, 1041);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 1);
}

static void a_line_that_is_no_event_is_a_full_list(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        WAIT_FOR(test, fake_docker_streams(test->fake) == 1);
        fake_remove_container(test->fake, "c1");
        fake_unlink(test->fake, "n1", "c1");
        fake_line(test->fake, "{\"Type\":\"container\",\"Action\":\"des");
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 2);
        assert_false(knows(test, "c1"));
        assert_int_equal(test->kinds[RUNTIME_LOST], 0);
}

static void a_container_that_vanished_without_a_word_goes(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        fake_remove_container(test->fake, "c1");
        fake_event(test->fake, "die", "c1");
        WAIT_FOR(test, !knows(test, "c1"));
        assert_int_equal(test->kinds[RUNTIME_GONE], 1);
}

static void an_empty_create_is_forgotten(void **state)
{
        struct test *test = *state;

        start_synced(test);
        fake_event(test->fake, "create", "c7");
        fake_event(test->fake, "destroy", "c7");
        model_running(test, "c1", "web", "10.0.0.2");
        fake_event(test->fake, "create", "c1");
        WAIT_FOR(test, knows(test, "c1"));
        assert_false(story_has(test, "c7"));
}

static void a_resync_on_request_keeps_the_stream(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        start_synced(test);
        fake_remove_container(test->fake, "c1");
        fake_unlink(test->fake, "n1", "c1");
        test->runtime->vtable->resync(test->runtime);
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 2);
        assert_false(knows(test, "c1"));
        assert_int_equal(fake_docker_requests(test->fake, "/events"), 1);
        fake_daemon_event(test->fake, "reload");
        WAIT_FOR(test, test->kinds[RUNTIME_SYNCED] == 3);
}

static void it_can_be_freed_at_any_moment(void **state)
{
        struct test *test = *state;

        model_running(test, "c1", "web", "10.0.0.2");
        fake_docker_listen(test->fake);
        fake_docker_hold(test->fake, "/networks/");
        start(test, false);
        WAIT_FOR(test, fake_docker_requests(test->fake, "/networks/") == 2);
        /* The teardown frees it with requests under way. */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(a_list_is_told_between_resync_and_synced),
                TEST(a_start_is_told_before_the_process_runs),
                TEST(the_order_of_newer_engines_gives_the_same),
                TEST(connect_before_create_is_known_is_enough),
                TEST(requested_ports_are_known_before_the_start),
                TEST(an_address_moves_although_the_old_disconnect_comes_last),
                TEST(a_second_network_comes_and_goes),
                TEST(a_removed_network_takes_its_addresses),
                TEST(a_rename_is_told),
                TEST(a_restart_keeps_the_container_and_changes_its_process),
                TEST(old_events_change_nothing),
                TEST(nothing_changed_tells_nothing),
                TEST(special_networks_are_told_as_such),
                TEST(image_labels_are_left_out),
                TEST(trusted_image_labels_stay_but_ours_do_not),
                TEST(compose_labels_on_built_images_stay_compose_s),
                TEST(unknown_images_keep_containers_unknown),
                TEST(a_socket_that_comes_later_is_found),
                TEST(a_stream_cut_within_a_line_is_a_full_list),
                TEST(what_happens_before_the_subscription_is_not_lost),
                TEST(events_during_the_list_are_applied_to_it),
                TEST(a_list_that_nothing_follows_is_not_complete),
                TEST(a_container_whose_events_were_lost_is_found),
                TEST(errors_of_the_engine_are_tried_again),
                TEST(a_refused_list_begins_anew),
                TEST(a_slow_inspection_holds_up_nothing),
                TEST(an_engine_too_new_for_us_gets_its_minimum),
                TEST(an_engine_that_does_not_say_is_asked_for_the_oldest),
                TEST(an_engine_too_old_is_refused_until_it_is_newer),
                TEST(a_line_that_is_no_event_is_a_full_list),
                TEST(a_container_that_vanished_without_a_word_goes),
                TEST(an_empty_create_is_forgotten),
                TEST(a_resync_on_request_keeps_the_stream),
                TEST(it_can_be_freed_at_any_moment),
        };

        /* The engine's side writes to connections that the other one has closed. */
        signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests_name("docker", tests, NULL, NULL);
}
