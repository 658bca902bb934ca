/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few idioms every file shares: ownership made visible, and nothing else. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Runs fn(&variable) when the variable leaves its scope. An owning local carries this and an
 * initialiser; every escape of what it owns is a steal(). */
#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _cleanup_free_ _cleanup_(free_ptr)
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

static inline void free_ptr(void *p)
{
        free(*(void **)p);
}

/* Hands the value of an owning pointer on and leaves NULL behind. */
#define steal(ptr)                                                                                                     \
        ({                                                                                                             \
                typeof(ptr) _p = (ptr);                                                                                \
                (ptr) = NULL;                                                                                          \
                _p;                                                                                                    \
        })

static inline int steal_fd(int *fd)
{
        int r = *fd;

        *fd = -1;
        return r;
}

/* Defines name##p() for _cleanup_(), from a free function that takes the pointer itself. */
#define DEFINE_CLEANUP(type, fn)                                                                                       \
        static inline void fn##p(type *ptr)                                                                            \
        {                                                                                                              \
                if (*ptr)                                                                                              \
                        fn(*ptr);                                                                                      \
        }
