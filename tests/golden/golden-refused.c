/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is refused, and in which words: every refused/NNN-title.yaml must be refused with exactly the text of
 * refused/NNN-title.txt. A title that begins with "inventory" is read as an inventory, others as policies.
 * Usage: golden-refused DIRECTORY; with REGENERATE=1 in the environment the texts are written instead. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/diag.h>
#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/strbuf.h>

#include "files/files.h"

/* Leaves in buf what a user would see. The file's name is shown without its directory. */
static int refuse(const char *path, const char *name, struct strbuf *buf)
{
        struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_free_ char *bytes = NULL;
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        size_t size = 0;
        int r;

        r = file_read(path, &bytes, &size, &diags);
        if (r == 0 && bytes && strncmp(name + strcspn(name, "-"), "-inventory", strlen("-inventory")) == 0) {
                r = inventory_new(&inventory);
                if (r == 0)
                        r = inventory_load(inventory, name, bytes, size, &diags);
        } else if (r == 0 && bytes) {
                r = policy_set_new(&set);
                if (r == 0)
                        r = policy_set_load(set, name, bytes, size, &diags);
                if (r == 0)
                        r = policy_set_seal(set, &diags);
        }
        diag_list_sort(&diags);
        diag_list_format(buf, &diags, false);
        if (r == 0 && diags.errors == 0)
                r = -1;
        diag_list_fini(&diags);
        return r < 0 ? r : strbuf_check(buf);
}

static bool write_text(const char *path, const char *text)
{
        FILE *file = fopen(path, "we");
        bool ok = file && fputs(text, file) >= 0;

        return file && fclose(file) == 0 && ok;
}

static bool run_case(const char *directory, const char *name)
{
        _cleanup_(strbuf_fini) struct strbuf got = STRBUF_INIT;
        struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_free_ char *wanted = NULL;
        char path[4096], text_path[4096];
        size_t size = 0;
        bool ok;

        snprintf(path, sizeof(path), "%s/%s", directory, name);
        snprintf(text_path, sizeof(text_path), "%s/%.*s.txt", directory, (int)(strlen(name) - strlen(".yaml")), name);
        if (refuse(path, name, &got) < 0) {
                printf("%s: not refused\n", name);
                return false;
        }
        if (getenv("REGENERATE"))
                return write_text(text_path, got.text);
        ok = file_read(text_path, &wanted, &size, &diags) == 0 && wanted && size == got.len &&
             memcmp(wanted, got.text, size) == 0;
        diag_list_fini(&diags);
        if (!ok)
                printf("%s: expected\n%.*sgot\n%s", name, (int)size, wanted ? wanted : "", got.text);
        return ok;
}

static int is_case(const struct dirent *entry)
{
        size_t len = strlen(entry->d_name);

        return len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

int main(int argc, char **argv)
{
        struct dirent **entries = NULL;
        int len, failed = 0, i;

        if (argc != 2)
                return 2;
        len = scandir(argv[1], &entries, is_case, alphasort);
        for (i = 0; i < len; i++) {
                failed += !run_case(argv[1], entries[i]->d_name);
                free(entries[i]);
        }
        free(entries);
        printf("%d cases, %d failed\n", len, failed);
        return len > 0 && failed == 0 ? 0 : 1;
}
