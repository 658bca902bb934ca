/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files and directories into memory, and from there through the core's loaders. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vethwall/arena.h>
#include <vethwall/doc.h>

#include "files/files.h"

static void close_file(FILE **file)
{
        if (*file && *file != stdin)
                fclose(*file);
}

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

static int report(struct diag_list *diags, const char *path, const char *problem, const char *hint)
{
        const struct diag where = {
                .severity = DIAG_ERROR,
                .rule = "VW001",
                .file = (char *)path,
                .hint = (char *)hint,
        };

        return diag_add(diags, &where, "%s", problem);
}

static int report_errno(struct diag_list *diags, const char *path, int error)
{
        char buf[256], problem[300];

        snprintf(problem, sizeof(problem), "cannot be read: %s", strerror_r(error, buf, sizeof(buf)));
        return report(diags, path, problem, NULL);
}

/* Up to one byte past the limit, so that the parser, which knows the limit, is not asked about a part of a file. A file
 * that says how large it is gets as much memory and no more. 0, -errno, or -EFBIG. */
static int read_all(FILE *file, size_t expected, char **ret, size_t *ret_size)
{
        size_t size = 0, cap = expected < DOC_SIZE_MAX ? expected + 1 : DOC_SIZE_MAX + 1;
        _cleanup_free_ char *bytes = malloc(cap);

        if (!bytes)
                return -ENOMEM;
        for (;;) {
                int r = size < cap ? 0 : array_reserve(&bytes, &cap, size + 65536, 1);

                if (r < 0)
                        return r;
                size += fread(bytes + size, 1, cap - size, file);
                if (ferror(file))
                        return errno > 0 ? -errno : -EIO;
                if (size > DOC_SIZE_MAX)
                        return -EFBIG;
                if (feof(file))
                        break;
        }
        *ret = steal(bytes);
        *ret_size = size;
        return 0;
}

int file_read(const char *path, char **ret, size_t *ret_size, struct diag_list *diags)
{
        _cleanup_(close_file) FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
        struct stat st = {0};
        int r;

        *ret = NULL;
        *ret_size = 0;
        if (!file)
                return errno == ENOMEM ? -ENOMEM : report_errno(diags, path, errno);
        if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode))
                return report_errno(diags, path, EISDIR);
        r = read_all(file, S_ISREG(st.st_mode) ? (size_t)st.st_size : 0, ret, ret_size);
        if (r == -ENOMEM || r == 0)
                return r;
        if (r == -EFBIG) {
                char problem[64];

                snprintf(problem, sizeof(problem), "the file is larger than %u MiB", DOC_SIZE_MAX >> 20);
                return report(diags, path, problem, "split the file");
        }
        return report_errno(diags, path, -r);
}

struct path_list {
        char **items; /* owned, with what they point to */
        size_t len, cap;
};

static void path_list_fini(struct path_list *list)
{
        size_t i;

        for (i = 0; i < list->len; i++)
                free(list->items[i]);
        free(list->items);
}

/* Takes path; NULL means that there was no memory for it. */
static int path_list_add(struct path_list *list, char *path)
{
        if (!path || array_reserve(&list->items, &list->cap, list->len + 1, sizeof(*list->items)) < 0) {
                free(path);
                return -ENOMEM;
        }
        list->items[list->len++] = path;
        return 0;
}

static int cmp_path(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_wanted(const char *name)
{
        static const char *const endings[] = {".yaml", ".yml", ".json"};
        size_t len = strlen(name), i;

        if (name[0] == '.')
                return false;
        for (i = 0; i < ARRAY_SIZE(endings); i++) {
                size_t ending = strlen(endings[i]);

                if (len > ending && strcmp(name + len - ending, endings[i]) == 0)
                        return true;
        }
        return false;
}

/* The directory's files, in order of name, behind what the list holds. */
static int add_directory(struct path_list *list, const char *path, DIR *dir, struct diag_list *diags)
{
        size_t first = list->len;
        struct dirent *entry;
        struct stat st;
        char *full;
        int r;

        for (errno = 0; (entry = readdir(dir)); errno = 0) {
                if (!is_wanted(entry->d_name))
                        continue;
                if (asprintf(&full, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", entry->d_name) < 0)
                        return -ENOMEM;
                if (stat(full, &st) == 0 && !S_ISREG(st.st_mode)) {
                        /* Opening a pipe that nobody writes to would not return. */
                        r = S_ISDIR(st.st_mode) ? 0 : report(diags, full, "is not a regular file", "remove it");
                        free(full);
                        if (r < 0)
                                return r;
                        continue;
                }
                r = path_list_add(list, full);
                if (r < 0)
                        return r;
        }
        if (errno != 0)
                return report_errno(diags, path, errno);
        if (list->len > first)
                qsort(list->items + first, list->len - first, sizeof(*list->items), cmp_path);
        return 0;
}

static int expand(struct path_list *list, const char *const *paths, size_t len, struct diag_list *diags)
{
        size_t i;
        int r;

        for (i = 0; i < len; i++) {
                _cleanup_(close_dir) DIR *dir = strcmp(paths[i], "-") == 0 ? NULL : opendir(paths[i]);

                if (dir)
                        r = add_directory(list, paths[i], dir, diags);
                else
                        r = path_list_add(list, strdup(paths[i]));
                if (r < 0)
                        return r;
        }
        return 0;
}

const char *file_shown(const char *path)
{
        return strcmp(path, "-") == 0 ? "<stdin>" : path;
}

int policy_files_visit(const char *const *paths, size_t len, struct diag_list *diags,
                       int (*visit)(void *arg, const char *path, const char *bytes, size_t size), void *arg)
{
        _cleanup_(path_list_fini) struct path_list list = {NULL, 0, 0};
        size_t i;
        int r;

        r = expand(&list, paths, len, diags);
        for (i = 0; r == 0 && i < list.len; i++) {
                _cleanup_free_ char *bytes = NULL;
                size_t size;

                r = file_read(list.items[i], &bytes, &size, diags);
                if (r == 0 && bytes)
                        r = visit(arg, list.items[i], bytes, size);
        }
        return r;
}

/* Loaders of the core, given files. */
struct loading {
        int (*load)(void *into, const char *name, const char *bytes, size_t size, struct diag_list *diags);
        void *into;
        struct diag_list *diags;
};

static int load_file(void *arg, const char *path, const char *bytes, size_t size)
{
        const struct loading *loading = arg;

        return loading->load(loading->into, file_shown(path), bytes, size, loading->diags);
}

static int read_each(const char *const *paths, size_t len, struct diag_list *diags,
                     int (*load)(void *into, const char *name, const char *bytes, size_t size, struct diag_list *diags),
                     void *into)
{
        struct loading loading = {.load = load, .into = into, .diags = diags};

        return policy_files_visit(paths, len, diags, load_file, &loading);
}

static int load_policies(void *into, const char *name, const char *bytes, size_t size, struct diag_list *diags)
{
        return policy_set_load(into, name, bytes, size, diags);
}

static int load_inventory(void *into, const char *name, const char *bytes, size_t size, struct diag_list *diags)
{
        return inventory_load(into, name, bytes, size, diags);
}

static int read_policies(const char *const *paths, size_t len, bool keep, struct policy_set **ret,
                         struct diag_list *diags)
{
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        int r;

        r = policy_set_new(&set);
        if (r == 0)
                set->keeps_sources = keep;
        if (r == 0)
                r = read_each(paths, len, diags, load_policies, set);
        if (r == 0)
                r = policy_set_seal(set, diags);
        if (r == 0)
                *ret = steal(set);
        return r;
}

int policies_read(const char *const *paths, size_t len, struct policy_set **ret, struct diag_list *diags)
{
        return read_policies(paths, len, false, ret, diags);
}

int policies_read_with_sources(const char *const *paths, size_t len, struct policy_set **ret, struct diag_list *diags)
{
        return read_policies(paths, len, true, ret, diags);
}

int inventory_read(const char *const *paths, size_t len, struct inventory **ret, struct diag_list *diags)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        int r;

        r = inventory_new(&inventory);
        if (r == 0)
                r = read_each(paths, len, diags, load_inventory, inventory);
        if (r == 0)
                r = inventory_seal(inventory);
        if (r == 0)
                *ret = steal(inventory);
        return r;
}

static void close_fd(int *fd)
{
        if (*fd >= 0)
                close(*fd);
}

static int write_all(int fd, const char *bytes, size_t size)
{
        while (size > 0) {
                ssize_t n = write(fd, bytes, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                bytes += n;
                size -= (size_t)n;
        }
        return 0;
}

/* A new file beside the old one, like it in all but its bytes. An owner that may not be given stays the caller, as when an
 * editor saves. */
static int write_beside(int fd, const struct stat *like, const char *bytes, size_t size)
{
        int r = write_all(fd, bytes, size);

        if (r < 0)
                return r;
        if ((like->st_uid != geteuid() || like->st_gid != getegid()) && fchown(fd, like->st_uid, like->st_gid) < 0 &&
            errno != EPERM)
                return -errno;
        if (fchmod(fd, like->st_mode & 07777) < 0 || fsync(fd) < 0)
                return -errno;
        return 0;
}

static int replace(const char *path, const char *bytes, size_t size)
{
        _cleanup_free_ char *real = realpath(path, NULL), *beside = NULL;
        _cleanup_(close_fd) int fd = -1;
        struct stat st;
        int r;

        if (!real || stat(real, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (access(real, W_OK) < 0)
                return -errno;
        if (asprintf(&beside, "%s.XXXXXX", real) < 0)
                return -ENOMEM;
        fd = mkostemp(beside, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = write_beside(fd, &st, bytes, size);
        if (r == 0 && rename(beside, real) < 0)
                r = -errno;
        if (r < 0)
                unlink(beside);
        return r;
}

int file_replace(const char *path, const char *bytes, size_t size, struct diag_list *diags)
{
        char buf[256], problem[300];
        int r = replace(path, bytes, size);

        if (r == 0 || r == -ENOMEM)
                return r;
        snprintf(problem, sizeof(problem), "cannot be written: %s", strerror_r(-r, buf, sizeof(buf)));
        return report(diags, path, problem, NULL);
}
