/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files made to exhaust whoever reads them: each is read or refused within 64 MiB, and none hangs. Every one is read and
 * linted in a child of its own whose memory is limited by the kernel; the limit on processor time only ends a hang. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <vethwall/doc.h>
#include <vethwall/lint.h>
#include <vethwall/strbuf.h>

#include "files/files.h"

#define MEMORY_MAX ((rlim_t)64 << 20)
#define HANG_S 60

/* Sanitizers map more than any limit allows. */
#if defined(__SANITIZE_ADDRESS__)
#define LIMITS_MEMORY false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMITS_MEMORY false
#endif
#endif
#ifndef LIMITS_MEMORY
#define LIMITS_MEMORY true
#endif

#define POLICY(spec)                                                                                                   \
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p$, namespace: shop}, spec: {" spec  \
        "}}\n"
#define PLAIN_POLICY                                                                                                   \
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p$\n  namespace: "             \
        "shop\nspec:\n"                                                                                                \
        "  podSelector:\n    matchLabels:\n      app: a$\n  policyTypes: [Ingress]\n  ingress:\n    - from:\n"         \
        "        - podSelector:\n            matchLabels:\n              app: b$\n      ports:\n        - port: 80\n"  \
        "          protocol: TCP\n"
#define SPEC_BEGIN                                                                                                     \
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {"        \
        "policyTypes: [Ingress], "
#define X18 "xxxxxxxxxxxxxxxxxx"

/* head, then unit n times with $ as the number of the time, then tail; rule is that of the first error, NULL where the
 * file is accepted. */
static const struct hostile {
        const char *what;
        const char *head, *unit;
        unsigned n;
        const char *tail;
        const char *rule;
} files[] = {
        {"a thousand policies", "", PLAIN_POLICY, 1000, "", NULL},
        {"9000 policies", "", PLAIN_POLICY, 9000, "", NULL},
        {"8 MB of policies", "", PLAIN_POLICY, 24000, "", "VW008"},
        {"10 MB of policies", "", PLAIN_POLICY, 30000, "", "VW001"},
        {"rules", SPEC_BEGIN "podSelector: {}, ingress: [", "{},", 390000, "]}}", NULL},
        {"peers", SPEC_BEGIN "podSelector: {}, ingress: [{from: [", "{podSelector: {}},", 130000, "]}]}}", NULL},
        {"ports", SPEC_BEGIN "podSelector: {}, ingress: [{ports: [", "{port: p$},", 130000, "]}]}}", NULL},
        {"exceptions", SPEC_BEGIN "podSelector: {}, ingress: [{from: [{ipBlock: {cidr: \"::/0\", except: [",
         "'$::/16',", 9000, "]}}]}]}}", NULL},
        {"values", SPEC_BEGIN "podSelector: {matchExpressions: [{key: a, operator: In, values: [", "v$,", 390000,
         "]}]}}}", NULL},
        {"labels", SPEC_BEGIN "podSelector: {matchLabels: {", "k$: v,", 190000, "}}}}", NULL},
        {"policies in a line", "apiVersion: v1\nkind: List\nitems: [", POLICY("podSelector: {}") ",", 25000, "]", NULL},
        {"other objects", "", "---\n{apiVersion: apps/v1, kind: D}\n", 79000, "", NULL},
        {"documents of one word", "", "--- a\n", 390000, "", "VW004"},
        {"empty documents", "", "---\n", 2000000, "", "VW008"},
        {"comments", "", "# a line\n", 900000, "", NULL},
        {"empty lines", "", "\n", DOC_SIZE_MAX, "", NULL},
        {"one long text", "a: ", "x", DOC_SIZE_MAX - 3, "", "VW005"},
        {"one long quoted text", "a: \"", "x", DOC_SIZE_MAX - 5, "\"", "VW005"},
        {"one long key", "", "x", DOC_SIZE_MAX - 3, ": 1", "VW001"},
        {"a list", "[", "1,", 4000000, "]", "VW008"},
        {"a list of texts", "[", "\"" X18 "\",", 380000, "]", "VW004"},
        {"empty lists", "[", "[],", 2700000, "]", "VW008"},
        {"keys", "", "k$:\n", 800000, "", "VW008"},
        {"the same key", "", "k: 1\n", 190000, "", "VW002"},
        {"unknown fields", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n", "k$: 1\n", 190000, "", "VW003"},
        {"anchors", "", "- &a$ x\n", 600000, "", "VW008"},
        {"an anchor again and again", "", "- &a x\n", 900000, "", "VW008"},
        {"aliases", "- &a [x]\n", "- *a\n", 900000, "", "VW008"},
        {"lists in lists", "", "[", 10000, "", "VW008"},
        {"lists in lists in lines", "", "- ", 10000, "a", "VW008"},
        {"objects in objects", "", "{\"a\":", 10000, "1", "VW008"},
        {"mappings and lists", "", "[{a: ", 10000, "1", "VW008"},
        {"mappings as keys", "", "? ", 10000, "a", "VW001"},
        {"lists in lists, 8 MB of them", "", "[", DOC_SIZE_MAX, "", "VW008"},
        {"tags", "", "- !!str x\n", 700000, "", "VW008"},
        {"directives", "", "%YAML 1.1\n", 700000, "", "VW001"},
        {"colons", "", ": ", 4000000, "", "VW001"},
        {"no text", "", "\xf7", DOC_SIZE_MAX, "", "VW001"},
};

static void put_unit(struct strbuf *buf, const char *unit, unsigned number)
{
        const char *next;

        for (; (next = strchr(unit, '$')); unit = next + 1) {
                strbuf_add(buf, unit, (size_t)(next - unit));
                strbuf_printf(buf, "%u", number);
        }
        strbuf_puts(buf, unit);
}

/* A file without a name: the path of its descriptor, which the child inherits. */
static int write_file(const struct hostile *hostile)
{
        struct strbuf buf = STRBUF_INIT;
        int fd = memfd_create("hostile", 0);
        size_t done = 0;

        assert_true(fd >= 0);
        strbuf_puts(&buf, hostile->head);
        for (unsigned i = 0; i < hostile->n; i++)
                put_unit(&buf, hostile->unit, i);
        strbuf_puts(&buf, hostile->tail);
        assert_int_equal(strbuf_check(&buf), 0);
        while (done < buf.len) {
                ssize_t n = write(fd, buf.text + done, buf.len - done);

                assert_true(n > 0);
                done += (size_t)n;
        }
        strbuf_fini(&buf);
        return fd;
}

/* What the process has mapped, in bytes. */
static rlim_t mapped(void)
{
        FILE *file = fopen("/proc/self/statm", "re");
        unsigned long pages = 0;

        if (!file || fscanf(file, "%lu", &pages) != 1)
                _exit(10);
        fclose(file);
        return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void read_limited(const char *path, const char *rule)
{
        const struct rlimit cpu = {HANG_S, HANG_S}, memory = {mapped() + MEMORY_MAX, mapped() + MEMORY_MAX};
        struct lint_result result = {.findings = DIAG_LIST_INIT};
        struct policy_set *set = NULL;
        const char *first;

        if (setrlimit(RLIMIT_CPU, &cpu) < 0 || (LIMITS_MEMORY && setrlimit(RLIMIT_AS, &memory) < 0))
                _exit(11);
        if (policies_read_with_sources(&path, 1, &set, &result.findings) < 0)
                _exit(12);
        first = result.findings.errors > 0 ? result.findings.items[0].rule : NULL;
        if (lint(&result, set, NULL) < 0)
                _exit(13);
        policy_set_free(set);
        if ((first != NULL) != (rule != NULL) || (rule && strcmp(first, rule) != 0)) {
                fprintf(stderr, "the first error is %s\n", first ? first : "none");
                _exit(14);
        }
        if (result.findings.len > DIAG_LIST_MAX)
                _exit(15);
        lint_result_fini(&result);
        _exit(0);
}

static void test_files(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                int fd = write_file(&files[i]), status;
                char path[64];
                pid_t pid;

                snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                fflush(NULL);
                pid = fork();
                assert_true(pid >= 0);
                if (pid == 0)
                        read_limited(path, files[i].rule);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                if (status != 0)
                        fail_msg("%s: %s %d", files[i].what, WIFSIGNALED(status) ? "signal" : "exit",
                                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
                close(fd);
        }
}

/* Nine references to nine references, and so on: 9^9 values in a few hundred bytes; and a pair of each, 2^60. */
static void test_laughs(void **state)
{
        static const char *const units[] = {"*a$,*a$,*a$,*a$,*a$,*a$,*a$,*a$,*a$", "*a$, *a$", "{k: *a$, l: *a$}"};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
                struct strbuf buf = STRBUF_INIT;
                struct policy_set *set = NULL;
                struct diag_list diags = DIAG_LIST_INIT;

                strbuf_puts(&buf, "- &a0 [x]\n");
                for (unsigned j = 0; j < 60; j++) {
                        strbuf_printf(&buf, "- &a%u [", j + 1);
                        put_unit(&buf, units[i], j);
                        strbuf_puts(&buf, "]\n");
                }
                assert_int_equal(strbuf_check(&buf), 0);
                assert_int_equal(policy_set_new(&set), 0);
                assert_int_equal(policy_set_load(set, "laughs.yaml", buf.text, buf.len, &diags), 0);
                assert_int_equal(diags.errors, 1);
                assert_string_equal(diags.items[0].rule, "VW008");
                policy_set_free(set);
                diag_list_fini(&diags);
                strbuf_fini(&buf);
        }
}

/* What is wrong with one file does not crowd out what is said of the next. */
static void test_reports_per_file(void **state)
{
        struct diag_list diags = DIAG_LIST_INIT;
        struct strbuf buf = STRBUF_INIT;
        struct policy_set *set = NULL;

        (void)state;
        for (unsigned i = 0; i < 5000; i++)
                put_unit(&buf, "--- a\n", i);
        assert_int_equal(strbuf_check(&buf), 0);
        assert_int_equal(policy_set_new(&set), 0);
        assert_int_equal(policy_set_load(set, "a.yaml", buf.text, buf.len, &diags), 0);
        assert_int_equal(policy_set_load(set, "b.yaml", "--- b\n", 6, &diags), 0);
        assert_int_equal(diags.errors, 5001);
        assert_int_equal(diags.len, DOC_REPORTS_MAX + 1);
        assert_int_equal(diags.dropped, 5000 - DOC_REPORTS_MAX);
        assert_string_equal(diags.items[DOC_REPORTS_MAX].file, "b.yaml");
        policy_set_free(set);
        diag_list_fini(&diags);
        strbuf_fini(&buf);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_laughs),
                cmocka_unit_test(test_reports_per_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
