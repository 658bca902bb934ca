/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Docker Engine's JSON: recordings of a real engine (API 1.41, in docker-1.41/), the shapes of newer ones, and
 * what no engine should send. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/strbuf.h>

#include "runtime/docker_cache.h"
#include "runtime/docker_decode.h"

static struct arena *arena;

static int setup(void **state)
{
        (void)state;
        arena = arena_new();
        return arena ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        arena = arena_free(arena);
        return 0;
}

/* A recording; its directory is given by the build. */
static const char *recording(const char *name, size_t *size)
{
        char path[512];
        char *bytes;
        FILE *file;
        long len;

        assert_non_null(getenv("DOCKER_RECORDINGS"));
        snprintf(path, sizeof(path), "%s/%s", getenv("DOCKER_RECORDINGS"), name);
        file = fopen(path, "r");
        assert_non_null(file);
        fseek(file, 0, SEEK_END);
        len = ftell(file);
        rewind(file);
        bytes = arena_alloc(arena, (size_t)len + 1);
        assert_int_equal(fread(bytes, 1, (size_t)len, file), len);
        fclose(file);
        *size = (size_t)len;
        return bytes;
}

static char *addr_text(const struct addr *addr)
{
        static char text[ADDR_TEXT_MAX];

        return addr_format(addr, text);
}

/* ---- events ---- */

static int decode_event(const char *text, struct docker_event *ret)
{
        return docker_decode_event(arena, text, strlen(text), ret);
}

static void recorded_events_are_understood(void **state)
{
        unsigned counts[DOCKER_EVENT_MAX] = {0};
        struct docker_event event;
        const char *bytes, *end;
        size_t size;

        (void)state;
        bytes = recording("events.jsonl", &size);
        for (; (end = strchr(bytes, '\n')); bytes = end + 1) {
                assert_int_equal(docker_decode_event(arena, bytes, (size_t)(end - bytes), &event), 0);
                counts[event.kind]++;
                if (event.kind == DOCKER_EVENT_CONNECT || event.kind == DOCKER_EVENT_DISCONNECT) {
                        assert_int_equal(strlen(event.container), 64);
                        assert_int_equal(strlen(event.network), 64);
                } else if (event.kind != DOCKER_EVENT_OTHER && event.kind != DOCKER_EVENT_RELOAD) {
                        assert_int_equal(strlen(event.container) + strlen(event.network), 64);
                }
        }
        assert_int_equal(counts[DOCKER_EVENT_CREATE], 8);
        assert_int_equal(counts[DOCKER_EVENT_START], 8);
        assert_int_equal(counts[DOCKER_EVENT_DIE], 8);
        assert_int_equal(counts[DOCKER_EVENT_DESTROY], 8);
        assert_int_equal(counts[DOCKER_EVENT_RENAME], 1);
        assert_int_equal(counts[DOCKER_EVENT_CONNECT], 11);
        assert_int_equal(counts[DOCKER_EVENT_DISCONNECT], 12);
        assert_int_equal(counts[DOCKER_EVENT_NETWORK], 5);
        assert_int_equal(counts[DOCKER_EVENT_RELOAD], 1);
}

/* API 1.52 dropped status, id and from. */
static void newer_events_are_understood(void **state)
{
        struct docker_event event;

        (void)state;
        assert_int_equal(
                decode_event("{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"c1\",\"Attributes\":"
                             "{\"image\":\"x\",\"name\":\"y\"}},\"scope\":\"local\",\"time\":1,\"timeNano\":1}",
                             &event),
                0);
        assert_int_equal(event.kind, DOCKER_EVENT_START);
        assert_string_equal(event.container, "c1");
        assert_string_equal(event.network, "");
}

static void other_events_are_none_of_ours(void **state)
{
        static const char *const texts[] = {
                "{\"Type\":\"container\",\"Action\":\"exec_create: sh\",\"Actor\":{\"ID\":\"c1\"}}",
                "{\"Type\":\"container\",\"Action\":\"health_status: healthy\",\"Actor\":{\"ID\":\"c1\"}}",
                "{\"Type\":\"container\",\"Action\":\"oom\",\"Actor\":{\"ID\":\"c1\"}}",
                "{\"Type\":\"volume\",\"Action\":\"create\",\"Actor\":{\"ID\":\"a/b\"}}",
                "{\"Type\":\"container\",\"Action\":\"\"}",
        };
        struct docker_event event;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                assert_int_equal(decode_event(texts[i], &event), 0);
                assert_int_equal(event.kind, DOCKER_EVENT_OTHER);
        }
}

static void events_without_what_they_are_about_are_malformed(void **state)
{
        static const char *const texts[] = {
                "",
                "null",
                "[]",
                "7",
                "{}",
                "{\"Type\":\"container\"}",
                "{\"Type\":1,\"Action\":\"start\",\"Actor\":{\"ID\":\"c1\"}}",
                "{\"Type\":\"container\",\"Action\":[\"start\"],\"Actor\":{\"ID\":\"c1\"}}",
                "{\"Type\":\"container\",\"Action\":\"start\"}",
                "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":\"c1\"}",
                "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":7}}",
                "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"\"}}",
                "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"../../info\"}}",
                "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"c1\\u0000\"}}",
                "{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"n 1\",\"Attributes\":{}}}",
                "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"c1\"}",
                "{\"Type\":\"container\",\"Action\":\"start\",\"Actor\":{\"ID\":\"c1\"}} trailing",
        };
        struct docker_event event;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_int_equal(decode_event(texts[i], &event), DOCKER_E_MALFORMED);
}

static void a_connect_without_a_valid_container_still_names_its_network(void **state)
{
        struct docker_event event;

        (void)state;
        assert_int_equal(
                decode_event("{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"n1\",\"Attributes\":"
                             "{\"container\":\"a/b\"}}}",
                             &event),
                0);
        assert_int_equal(event.kind, DOCKER_EVENT_CONNECT);
        assert_string_equal(event.network, "n1");
        assert_string_equal(event.container, "");
}

/* ---- the list ---- */

static const struct docker_info *by_name(const struct docker_info *infos, size_t len, const char *name)
{
        for (size_t i = 0; i < len; i++) {
                if (!strcmp(infos[i].name, name))
                        return &infos[i];
        }
        fail_msg("no container %s", name);
        return NULL;
}

static void a_recorded_list_is_understood(void **state)
{
        const struct docker_info *info;
        struct docker_info *infos;
        const char *bytes;
        size_t size, len;

        (void)state;
        bytes = recording("list.json", &size);
        assert_int_equal(docker_decode_list(arena, bytes, size, &infos, &len), 0);
        assert_int_equal(len, 5);
        info = by_name(infos, len, "web1");
        assert_true(info->running);
        assert_string_equal(info->image, "labelled");
        assert_string_equal(info->network_mode, "n1");
        assert_int_equal(info->labels.len, 4);
        assert_string_equal(label_set_get(&info->labels, "com.docker.compose.project"), "shop");
        assert_int_equal(info->attachments_len, 3);
        assert_string_equal(info->attachments[2].name, "n6");
        assert_int_equal(info->attachments[2].addrs_len, 2);
        assert_string_equal(addr_text(&info->attachments[2].addrs[0]), "172.20.0.2");
        assert_string_equal(addr_text(&info->attachments[2].addrs[1]), "fd00:5::2");
        assert_int_equal(info->published_len, 4);
        assert_int_equal(info->published[0].protocol, IPPROTO_TCP);
        assert_int_equal(info->published[0].host_port, 8080);
        assert_int_equal(info->published[0].container_port, 80);
        assert_string_equal(addr_text(&info->published[0].host_addr), "0.0.0.0");
        assert_string_equal(addr_text(&info->published[1].host_addr), "::");
        assert_int_equal(info->published[3].protocol, IPPROTO_UDP);
        assert_string_equal(addr_text(&info->published[3].host_addr), "127.0.0.1");
        assert_int_equal(info->pid, 0);
        assert_string_equal(info->netns, "");
        assert_string_equal(by_name(infos, len, "host")->network_mode, "host");
        assert_memory_equal(by_name(infos, len, "joined")->network_mode, "container:", 10);
        assert_true(docker_image_id_is_valid(info->image_id));
}

static void only_broken_items_are_left_out_of_a_list(void **state)
{
        static const char text[] =
                "[7, null, {}, {\"Id\":\"a/b\"}, {\"Id\":\"c1\",\"Labels\":[]}, {\"Id\":\"c2\",\"Labels\":{\"a\":1}},"
                "{\"Id\":\"c3\",\"Labels\":null,\"Names\":[\"/x/alias\",\"/own\",7],\"Ports\":[7,{\"Type\":\"tcp\"},"
                "{\"Type\":\"tcp\",\"PrivatePort\":80,\"PublicPort\":70000},{\"Type\":\"icmp\",\"PrivatePort\":1,"
                "\"PublicPort\":1},{\"Type\":\"udp\",\"PrivatePort\":53,\"PublicPort\":5353,\"IP\":\"nonsense\"},"
                "{\"Type\":\"udp\",\"PrivatePort\":53,\"PublicPort\":5353}],\"State\":{},\"NetworkSettings\":{"
                "\"Networks\":{\"n\":{\"IPAddress\":\"999.1.1.1\",\"GlobalIPv6Address\":3}}}},"
                "{\"Id\":\"c4\",\"Names\":7,\"NetworkSettings\":[],\"Ports\":{}}]";
        struct docker_info *infos;
        size_t len;

        (void)state;
        assert_int_equal(docker_decode_list(arena, text, sizeof(text) - 1, &infos, &len), 0);
        assert_int_equal(len, 2);
        assert_string_equal(infos[0].id, "c3");
        assert_string_equal(infos[0].name, "own");
        assert_false(infos[0].running);
        assert_int_equal(infos[0].published_len, 2); /* no address: all of both families */
        assert_int_equal(infos[0].attachments_len, 1);
        assert_int_equal(infos[0].attachments[0].addrs_len, 0);
        assert_string_equal(infos[1].id, "c4");
        assert_string_equal(infos[1].name, "");
        assert_int_equal(docker_decode_list(arena, "{}", 2, &infos, &len), DOCKER_E_MALFORMED);
}

static void a_nul_in_one_label_hides_no_container(void **state)
{
        static const char text[] =
                "[{\"Id\":\"c1\",\"Labels\":{\"a\\u0000b\":\"x\\u0000\",\"c\":\"\\\\u0000\"}},{\"Id\":\"c2\"}]";
        struct docker_info *infos;
        size_t len;

        (void)state;
        assert_int_equal(docker_decode_list(arena, text, sizeof(text) - 1, &infos, &len), 0);
        assert_int_equal(len, 2);
        assert_string_equal(label_set_get(&infos[0].labels, "a\xef\xbf\xbd"
                                                            "b"),
                            "x\xef\xbf\xbd");
        /* A backslash that is escaped itself begins no escape. */
        assert_string_equal(label_set_get(&infos[0].labels, "c"), "\\u0000");
}

/* ---- the inspection ---- */

static void a_recorded_inspection_is_understood(void **state)
{
        struct docker_info info;
        const char *bytes;
        size_t size;

        (void)state;
        bytes = recording("inspect.json", &size);
        assert_int_equal(docker_decode_inspect(arena, bytes, size, &info), 0);
        assert_string_equal(info.name, "web1");
        assert_true(info.running);
        assert_int_equal(info.pid, 648);
        assert_string_equal(info.netns, "/run/docker/netns/508ef5b2ac3d");
        assert_string_equal(info.image, "labelled");
        assert_int_equal(info.labels.len, 4);
        assert_int_equal(info.attachments_len, 3);
        assert_int_equal(info.published_len, 4);
        assert_int_equal(info.published[2].host_port, 9000);

        bytes = recording("inspect-created.json", &size);
        assert_int_equal(docker_decode_inspect(arena, bytes, size, &info), 0);
        assert_false(info.running);
        assert_int_equal(info.pid, 0);
        assert_string_equal(info.netns, "");
        assert_string_equal(info.attachments[0].network_id, "");
}

static void a_dead_container_has_no_process_and_no_namespace(void **state)
{
        static const char text[] = "{\"Id\":\"c1\",\"State\":{\"Running\":false,\"Pid\":7},\"NetworkSettings\":"
                                   "{\"SandboxKey\":\"/run/docker/netns/x\"}}";
        struct docker_info info;

        (void)state;
        assert_int_equal(docker_decode_inspect(arena, text, sizeof(text) - 1, &info), 0);
        assert_int_equal(info.pid, 0);
        assert_string_equal(info.netns, "");
}

static void before_the_start_the_bindings_asked_for_count(void **state)
{
        static const char text[] =
                "{\"Id\":\"c1\",\"State\":{\"Running\":false},\"HostConfig\":{\"PortBindings\":{"
                "\"80/tcp\":[{\"HostIp\":\"127.0.0.1\",\"HostPort\":\"8080\"},{\"HostIp\":\"\",\"HostPort\":\"\"},7],"
                "\"53/udp\":[{\"HostIp\":\"\",\"HostPort\":\"5353-5360\"}],\"x/tcp\":[{\"HostPort\":\"1\"}],"
                "\"99999/tcp\":[{\"HostPort\":\"1\"}],\"1\":[{\"HostPort\":\"1\"}],\"2/tcp\":{},"
                "\"3/tcp\":[{\"HostPort\":\"65536\"},{\"HostPort\":\"0\"},{\"HostPort\":3},{\"HostPort\":\"-1\"}]}},"
                "\"NetworkSettings\":{\"Ports\":{\"80/tcp\":null}}}";
        struct docker_info info;

        (void)state;
        assert_int_equal(docker_decode_inspect(arena, text, sizeof(text) - 1, &info), 0);
        assert_int_equal(info.published_len, 1);
        assert_int_equal(info.published[0].host_port, 8080);
        assert_int_equal(info.published[0].container_port, 80);
}

static void a_pid_is_a_pid(void **state)
{
        static const char *const pids[] = {"-1", "0", "99999999999", "\"7\"", "1e3", "null"};
        struct docker_info info;
        char text[256];

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
                snprintf(text, sizeof(text), "{\"Id\":\"c1\",\"State\":{\"Running\":true,\"Pid\":%s}}", pids[i]);
                assert_int_equal(docker_decode_inspect(arena, text, strlen(text), &info), 0);
                assert_int_equal(info.pid, 0);
        }
}

/* ---- networks and images ---- */

static void recorded_networks_are_understood(void **state)
{
        struct docker_net *nets, net;
        const char *bytes;
        size_t size, len;

        (void)state;
        bytes = recording("networks.json", &size);
        assert_int_equal(docker_decode_networks(arena, bytes, size, &nets, &len), 0);
        assert_int_equal(len, 7);
        bytes = recording("network.json", &size);
        assert_int_equal(docker_decode_network(arena, bytes, size, &net), 0);
        assert_string_equal(net.name, "n6");
        assert_string_equal(net.driver, "bridge");
        assert_int_equal(net.endpoints_len, 1);
        assert_int_equal(net.endpoints[0].addrs_len, 2);
        assert_string_equal(addr_text(&net.endpoints[0].addrs[1]), "fd00:5::2");
        assert_memory_equal(net.endpoints[0].mac, "\x02\x42\xac\x14\x00\x02", 6);
}

static void endpoints_of_no_container_are_left_out(void **state)
{
        static const char text[] =
                "{\"Id\":\"n1\",\"Name\":\"n\",\"Driver\":\"bridge\",\"Containers\":{\"ep-12\":{\"IPv4Address\":\"10.0."
                "0.9/8\"},"
                "\"ingress-sbox\":{},\"c2\":{\"IPv4Address\":\"10.0.0.3/8\",\"MacAddress\":\"02:42:zz:00:00:01\"},"
                "\"c1\":{\"IPv4Address\":\"10.0.0.2\",\"MacAddress\":\"02:42:00:00:00:01x\"},\"c3\":7}}";
        struct docker_net net;

        (void)state;
        assert_int_equal(docker_decode_network(arena, text, sizeof(text) - 1, &net), 0);
        assert_int_equal(net.endpoints_len, 3);
        assert_string_equal(net.endpoints[0].container, "c1");
        assert_string_equal(addr_text(&net.endpoints[0].addrs[0]), "10.0.0.2");
        assert_memory_equal(net.endpoints[0].mac, "\0\0\0\0\0\0", 6);
        assert_memory_equal(net.endpoints[1].mac, "\0\0\0\0\0\0", 6);
        assert_int_equal(net.endpoints[2].addrs_len, 0);
        assert_int_equal(docker_decode_network(arena, "{\"Name\":\"n\"}", 12, &net), DOCKER_E_MALFORMED);
        assert_int_equal(docker_decode_network(arena, "[]", 2, &net), DOCKER_E_MALFORMED);
}

static void an_image_s_labels_are_known_or_not(void **state)
{
        static const char *const broken[] = {"{}", "{\"Config\":null}", "{\"Config\":{\"Labels\":7}}",
                                             "{\"Config\":{\"Labels\":{\"a\":null}}}"};
        struct label_set labels;
        const char *bytes;
        size_t size;

        (void)state;
        bytes = recording("image.json", &size);
        assert_int_equal(docker_decode_image(arena, bytes, size, &labels), 0);
        assert_int_equal(labels.len, 2);
        assert_string_equal(label_set_get(&labels, "vethwall.io/namespace"), "prod");
        assert_int_equal(docker_decode_image(arena, "{\"Config\":{}}", 13, &labels), 0);
        assert_int_equal(labels.len, 0);
        for (size_t i = 0; i < ARRAY_SIZE(broken); i++)
                assert_int_equal(docker_decode_image(arena, broken[i], strlen(broken[i]), &labels), DOCKER_E_MALFORMED);
}

/* ---- errors and versions ---- */

static void errors_are_said_in_one_line(void **state)
{
        static const char plain[] =
                "client version 1.11 is too old. Minimum supported API version is 1.12, please upgrade\n";
        static const char json[] = "{\"message\":\"No such\\ncontainer: x\"}";

        (void)state;
        assert_string_equal(docker_decode_error(arena, json, sizeof(json) - 1, 404), "No such container: x");
        assert_string_equal(docker_decode_error(arena, "", 0, 502), "HTTP status 502");
        assert_string_equal(docker_decode_error(arena, "{}", 2, 500), "HTTP status 500");
        assert_int_equal(docker_version_wanted(docker_decode_error(arena, plain, sizeof(plain) - 1, 400)), 1012);
}

static void versions_are_numbers(void **state)
{
        (void)state;
        assert_int_equal(docker_version_parse("1.41"), 1041);
        assert_int_equal(docker_version_parse("1.100, please"), 1100);
        assert_int_equal(docker_version_parse(""), 0);
        assert_int_equal(docker_version_parse("1"), 0);
        assert_int_equal(docker_version_parse("-1.4"), 0);
        assert_int_equal(docker_version_parse("one.two"), 0);
        assert_int_equal(docker_version_wanted("client version 1.99 is too new. Maximum supported API version is 1.41"),
                         1041);
        assert_int_equal(docker_version_wanted("page not found"), 0);
}

/* ---- whose label ---- */

static char *labels_text(const struct label_set *labels)
{
        struct strbuf buf = STRBUF_INIT;

        strbuf_puts(&buf, "");
        for (size_t i = 0; i < labels->len; i++)
                strbuf_printf(&buf, "%s=%s ", labels->items[i].key, labels->items[i].value);
        assert_int_equal(strbuf_check(&buf), 0);
        return buf.text;
}

static void assert_own(struct label_set container, struct label_set image, bool trust, const char *expected)
{
        struct label_set own;
        char *text;

        assert_int_equal(docker_own_labels(arena, &container, &image, trust, &own), 0);
        text = labels_text(&own);
        assert_string_equal(text, expected);
        free(text);
}

#define LABELS(...)                                                                                                    \
        ((struct label_set){(struct label[]){__VA_ARGS__},                                                             \
                            sizeof((struct label[]){__VA_ARGS__}) / sizeof(struct label)})

static void a_label_equal_to_the_image_s_is_the_image_s(void **state)
{
        struct label_set container = LABELS({"app", "web"}, {"tier", "1"}, {"vethwall.io/namespace", "prod"});

        (void)state;
        assert_own(container, LABELS({"app", "web"}, {"tier", "2"}, {"vethwall.io/namespace", "prod"}), false,
                   "tier=1 ");
        assert_own(container, LABELS({"app", "web"}, {"vethwall.io/namespace", "prod"}), true, "app=web tier=1 ");
        /* The image named another namespace; the user's word stands. */
        assert_own(container, LABELS({"vethwall.io/namespace", "other"}), false,
                   "app=web tier=1 vethwall.io/namespace=prod ");
        assert_own(container, LABELS({"none", ""}), false, "app=web tier=1 vethwall.io/namespace=prod ");
}

static void compose_s_labels_need_compose_s_own_mark(void **state)
{
        struct label_set made = LABELS({"com.docker.compose.config-hash", "h"}, {"com.docker.compose.project", "shop"});

        (void)state;
        assert_own(made, LABELS({"com.docker.compose.project", "shop"}), false,
                   "com.docker.compose.config-hash=h com.docker.compose.project=shop ");
        assert_own(made, made, false, "");
        assert_own(LABELS({"com.docker.compose.project", "shop"}), LABELS({"com.docker.compose.project", "shop"}),
                   false, "");
}

/* ---- whatever else ---- */

/* All decoders on one text; each must come back with one of its documented results. */
static void decode_all(const char *bytes, size_t size)
{
        struct arena *scratch = arena_new();
        char *exact = malloc(size ? size : 1);
        struct docker_event event;
        struct docker_info info, *infos;
        struct docker_net net, *nets;
        struct label_set labels;
        size_t len;

        /* Without anything behind it, so that a read too far is found. */
        memcpy(exact, bytes, size);
        assert_in_range(docker_decode_event(scratch, exact, size, &event), 0, DOCKER_E_MALFORMED);
        assert_in_range(docker_decode_list(scratch, exact, size, &infos, &len), 0, DOCKER_E_MALFORMED);
        assert_in_range(docker_decode_inspect(scratch, exact, size, &info), 0, DOCKER_E_MALFORMED);
        assert_in_range(docker_decode_networks(scratch, exact, size, &nets, &len), 0, DOCKER_E_MALFORMED);
        assert_in_range(docker_decode_network(scratch, exact, size, &net), 0, DOCKER_E_MALFORMED);
        assert_in_range(docker_decode_image(scratch, exact, size, &labels), 0, DOCKER_E_MALFORMED);
        assert_non_null(docker_decode_error(scratch, exact, size, 500));
        free(exact);
        arena_free(scratch);
}

static void cut_texts_are_malformed(void **state)
{
        static const char *const names[] = {"network.json", "image.json"};
        struct docker_net net;
        struct label_set labels;
        const char *bytes;
        size_t size;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                bytes = recording(names[i], &size);
                for (size_t cut = 0; cut + 2 < size; cut++) {
                        assert_int_equal(docker_decode_network(arena, bytes, cut, &net), DOCKER_E_MALFORMED);
                        assert_int_equal(docker_decode_image(arena, bytes, cut, &labels), DOCKER_E_MALFORMED);
                }
        }
}

static void damaged_texts_do_no_harm(void **state)
{
        static const char *const names[] = {"list.json", "inspect.json", "network.json", "image.json"};
        static const char pieces[] = "{}[]\",:\\0-9eEu \x80\xff\x01";
        uint64_t random = 1;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                size_t size;
                const char *bytes = recording(names[i], &size);
                char *copy = malloc(size);

                for (unsigned round = 0; round < 150; round++) {
                        memcpy(copy, bytes, size);
                        for (unsigned hits = 0; hits <= round % 4; hits++) {
                                random = random * 6364136223846793005u + 1442695040888963407u;
                                copy[(random >> 33) % size] = pieces[(random >> 20) % (sizeof(pieces) - 1)];
                        }
                        decode_all(copy, size);
                }
                free(copy);
        }
}

static void strange_texts_do_no_harm(void **state)
{
        char *deep = malloc(100001);

        (void)state;
        memset(deep, '[', 100000);
        decode_all(deep, 100000);
        for (size_t i = 0; i < 100000; i += 5)
                memcpy(deep + i, "{\"a\":", 5);
        decode_all(deep, 100000);
        free(deep);
        decode_all("1e999999", 8);
        decode_all("{\"Id\":\"c\",\"State\":{\"Running\":true,\"Pid\":9e999}}", 48);
        decode_all("\"\\ud800\"", 8);
        decode_all("\\u0000\\u00", 10);
        decode_all("\\", 1);
        decode_all("\0\0\0", 3);
        decode_all("\xef\xbb\xbf[]", 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(recorded_events_are_understood),
                cmocka_unit_test(newer_events_are_understood),
                cmocka_unit_test(other_events_are_none_of_ours),
                cmocka_unit_test(events_without_what_they_are_about_are_malformed),
                cmocka_unit_test(a_connect_without_a_valid_container_still_names_its_network),
                cmocka_unit_test(a_recorded_list_is_understood),
                cmocka_unit_test(only_broken_items_are_left_out_of_a_list),
                cmocka_unit_test(a_nul_in_one_label_hides_no_container),
                cmocka_unit_test(a_recorded_inspection_is_understood),
                cmocka_unit_test(a_dead_container_has_no_process_and_no_namespace),
                cmocka_unit_test(before_the_start_the_bindings_asked_for_count),
                cmocka_unit_test(a_pid_is_a_pid),
                cmocka_unit_test(recorded_networks_are_understood),
                cmocka_unit_test(endpoints_of_no_container_are_left_out),
                cmocka_unit_test(an_image_s_labels_are_known_or_not),
                cmocka_unit_test(errors_are_said_in_one_line),
                cmocka_unit_test(versions_are_numbers),
                cmocka_unit_test(a_label_equal_to_the_image_s_is_the_image_s),
                cmocka_unit_test(compose_s_labels_need_compose_s_own_mark),
                cmocka_unit_test(cut_texts_are_malformed),
                cmocka_unit_test(damaged_texts_do_no_harm),
                cmocka_unit_test(strange_texts_do_no_harm),
        };

        return cmocka_run_group_tests_name("docker-decode", tests, setup, teardown);
}
