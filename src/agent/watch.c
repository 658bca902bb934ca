/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a path can begin to mean something else in any of its components, so for /etc/vethwall/policies the
 * directories /, /etc and /etc/vethwall are watched for the one name that leads on, and what the path leads to for
 * everything. inotify follows symbolic links, and gives the same descriptor for the same inode; one descriptor can
 * therefore serve several paths. A file in a watched directory that is itself a symbolic link is followed too. After any
 * event that may have changed what a name leads to, all watches are set anew, which is cheap and cannot go wrong
 * piecemeal. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vethwall/arena.h>

#include "watch.h"

/* What can change where a name leads, and what can change the bytes there. Two paths may share an inode: masks add up. */
#define MASK_NAMES (IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_ADD)
#define MASK_ALL (MASK_NAMES | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB)
/* Bounds the symbolic links followed in one directory. */
#define LINKS_MAX 1024

struct target {
        char *path; /* owned */
        unsigned what;
};

/* One reason for which a descriptor is watched. */
struct mark {
        int wd;
        unsigned what;
        char *name; /* owned; only events for this name count; NULL: every event */
        char *path; /* owned; of what is watched */
};

struct watch {
        int fd;
        struct target *targets; /* owned */
        size_t targets_len, targets_cap;
        struct mark *marks; /* owned */
        size_t marks_len, marks_cap;
};

static void marks_clear(struct watch *watch)
{
        for (size_t i = 0; i < watch->marks_len; i++) {
                free(watch->marks[i].name);
                free(watch->marks[i].path);
        }
        watch->marks_len = 0;
}

int watch_new(struct watch **ret)
{
        _cleanup_(watch_freep) struct watch *watch = calloc(1, sizeof(*watch));

        if (!watch)
                return -ENOMEM;
        watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watch->fd < 0)
                return -errno;
        *ret = steal(watch);
        return 0;
}

struct watch *watch_free(struct watch *watch)
{
        if (!watch)
                return NULL;
        if (watch->fd >= 0)
                close(watch->fd);
        for (size_t i = 0; i < watch->targets_len; i++)
                free(watch->targets[i].path);
        free(watch->targets);
        marks_clear(watch);
        free(watch->marks);
        free(watch);
        return NULL;
}

int watch_fd(const struct watch *watch)
{
        return watch->fd;
}

/* What is not there (yet), or may not be read, is watched through its parent alone. name_len 0: no name. */
static int add_mark(struct watch *watch, const char *path, uint32_t mask, unsigned what, const char *name,
                    size_t name_len)
{
        struct mark mark = {.what = what};
        int r;

        mark.wd = inotify_add_watch(watch->fd, path, mask);
        if (mark.wd < 0)
                return errno == ENOMEM || errno == ENOSPC ? -errno : 0;
        r = array_reserve(&watch->marks, &watch->marks_cap, watch->marks_len + 1, sizeof(mark));
        if (r < 0)
                return r;
        mark.path = strdup(path);
        mark.name = name_len > 0 ? strndup(name, name_len) : NULL;
        if (!mark.path || (name_len > 0 && !mark.name)) {
                free(mark.path);
                free(mark.name);
                return -ENOMEM;
        }
        watch->marks[watch->marks_len++] = mark;
        return 0;
}

/* The directories on the way, each for the name that leads on. */
static int add_ancestors(struct watch *watch, const struct target *target)
{
        size_t at = strspn(target->path, "/");

        while (target->path[at]) {
                size_t len = strcspn(target->path + at, "/");
                size_t next = at + len + strspn(target->path + at + len, "/");
                _cleanup_free_ char *dir = strndup(target->path, at);
                int r;

                if (!dir)
                        return -ENOMEM;
                r = add_mark(watch, dir, target->path[next] ? MASK_NAMES : MASK_ALL, target->what, target->path + at,
                             len);
                if (r < 0)
                        return r;
                at = next;
        }
        return 0;
}

static int add_links_of(struct watch *watch, const struct target *target)
{
        DIR *dir = opendir(target->path);
        struct dirent *entry;
        unsigned links = 0;
        int r = 0;

        if (!dir)
                return 0;
        while (r == 0 && links < LINKS_MAX && (entry = readdir(dir))) {
                char path[PATH_MAX];
                struct stat st;

                if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
                        continue;
                if (snprintf(path, sizeof(path), "%s/%s", target->path, entry->d_name) >= (int)sizeof(path))
                        continue;
                if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode) || stat(path, &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                links++;
                r = add_mark(watch, path, MASK_ALL, target->what, NULL, 0);
        }
        closedir(dir);
        return r;
}

/* Sets every watch anew, and drops those of inodes that no path leads to any more. */
static int arm(struct watch *watch)
{
        size_t old_len = watch->marks_len;
        _cleanup_free_ int *old = calloc(old_len + 1, sizeof(*old));
        int r = 0;

        if (!old)
                return -ENOMEM;
        for (size_t i = 0; i < old_len; i++)
                old[i] = watch->marks[i].wd;
        marks_clear(watch);
        for (size_t i = 0; r == 0 && i < watch->targets_len; i++) {
                const struct target *target = &watch->targets[i];

                r = add_ancestors(watch, target);
                if (r == 0)
                        r = add_mark(watch, target->path, MASK_ALL, target->what, NULL, 0);
                if (r == 0)
                        r = add_links_of(watch, target);
        }
        for (size_t i = 0; i < old_len; i++) {
                bool used = false;

                for (size_t j = 0; j < watch->marks_len && !used; j++)
                        used = watch->marks[j].wd == old[i];
                if (!used)
                        (void)inotify_rm_watch(watch->fd, old[i]);
        }
        return r;
}

int watch_add(struct watch *watch, const char *path, unsigned what)
{
        char *copy;
        int r;

        r = array_reserve(&watch->targets, &watch->targets_cap, watch->targets_len + 1, sizeof(struct target));
        if (r < 0)
                return r;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        watch->targets[watch->targets_len++] = (struct target){copy, what};
        return arm(watch);
}

void watch_remove(struct watch *watch, unsigned what)
{
        size_t len = 0;

        for (size_t i = 0; i < watch->targets_len; i++) {
                if (watch->targets[i].what == what)
                        free(watch->targets[i].path);
                else
                        watch->targets[len++] = watch->targets[i];
        }
        watch->targets_len = len;
        (void)arm(watch);
}

/* A plain file that was just created is empty still; its writer's close will tell. */
static bool is_unwritten(const struct mark *mark, const struct inotify_event *event)
{
        char path[PATH_MAX];
        struct stat st;

        if (!(event->mask & IN_CREATE) || event->len == 0 ||
            snprintf(path, sizeof(path), "%s/%s", mark->path, event->name) >= (int)sizeof(path))
                return false;
        return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1;
}

static void take_event(const struct watch *watch, const struct inotify_event *event, unsigned *changed, unsigned *busy)
{
        for (size_t i = 0; i < watch->marks_len; i++) {
                const struct mark *mark = &watch->marks[i];

                if (mark->wd != event->wd)
                        continue;
                if (mark->name && !(event->mask & (IN_DELETE_SELF | IN_MOVE_SELF)) &&
                    (event->len == 0 || strcmp(event->name, mark->name) != 0))
                        continue;
                /* Truncated or half written: its close will tell; until then, do not read it for another's sake. */
                if ((event->mask & IN_MODIFY) || is_unwritten(mark, event)) {
                        *busy |= mark->what;
                } else if (!(event->mask & IN_IGNORED)) {
                        *changed |= mark->what;
                        *busy &= ~mark->what;
                }
        }
}

int watch_dispatch(struct watch *watch, unsigned *ret_changed, unsigned *ret_busy)
{
        alignas(struct inotify_event) char buf[16384];
        unsigned changed = 0, busy = 0;
        ssize_t size;
        int r = 0;

        while ((size = read(watch->fd, buf, sizeof(buf))) > 0) {
                const struct inotify_event *event;

                for (char *p = buf; p < buf + size; p += sizeof(*event) + event->len) {
                        event = (const struct inotify_event *)(const void *)p;
                        if (event->mask & IN_Q_OVERFLOW)
                                changed |= WATCH_POLICIES | WATCH_INVENTORY | WATCH_CONFIG;
                        else
                                take_event(watch, event, &changed, &busy);
                }
        }
        if (size < 0 && errno != EAGAIN && errno != EINTR)
                return -errno;
        if (changed != 0)
                r = arm(watch);
        *ret_changed = changed;
        *ret_busy = busy;
        return r;
}
