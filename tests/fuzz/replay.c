/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target without libFuzzer: every file of the directories named, once. What libFuzzer once found stays found. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

static void close_dir(DIR **dir)
{
        if (*dir)
                closedir(*dir);
}

static bool replay(int dir, const char *name)
{
        _cleanup_free_ uint8_t *bytes = NULL;
        struct stat st;
        int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
        bool ok = false;

        if (fd >= 0 && fstat(fd, &st) == 0) {
                bytes = malloc((size_t)st.st_size + 1);
                ok = bytes && read(fd, bytes, (size_t)st.st_size) == st.st_size;
        }
        if (fd >= 0)
                close(fd);
        if (!ok)
                return false;
        fprintf(stderr, "%s\n", name);
        LLVMFuzzerTestOneInput(bytes, (size_t)st.st_size);
        return true;
}

int main(int argc, char **argv)
{
        unsigned n = 0;

        if (!freopen("/dev/null", "we", stdout))
                return 1;
        for (int i = 1; i < argc; i++) {
                _cleanup_(close_dir) DIR *dir = opendir(argv[i]);
                struct dirent *entry;

                if (!dir) {
                        fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
                        return 1;
                }
                while ((entry = readdir(dir))) {
                        if (entry->d_name[0] == '.')
                                continue;
                        if (!replay(dirfd(dir), entry->d_name)) {
                                fprintf(stderr, "%s/%s cannot be read\n", argv[i], entry->d_name);
                                return 1;
                        }
                        n++;
                }
        }
        fprintf(stderr, "%u inputs\n", n);
        return n == 0;
}
