/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The linker sends allocations here (--wrap). */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <vethwall/base.h>

#include "oom.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t len, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *text);
int __real_vasprintf(char **ret, const char *fmt, va_list args);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t len, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *text);
int __wrap_vasprintf(char **ret, const char *fmt, va_list args) _printf_(2, 0);
int __wrap_asprintf(char **ret, const char *fmt, ...) _printf_(2, 3);

static uint32_t left = OOM_NEVER;
static bool failed;

void oom_after(uint32_t n)
{
        left = n;
        failed = false;
}

bool oom_failed(void)
{
        return failed;
}

static bool fails(void)
{
        if (left == OOM_NEVER)
                return false;
        if (left-- > 0)
                return false;
        left = OOM_NEVER;
        failed = true;
        return true;
}

void *__wrap_malloc(size_t size)
{
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t len, size_t size)
{
        return fails() ? NULL : __real_calloc(len, size);
}

void *__wrap_realloc(void *p, size_t size)
{
        return fails() ? NULL : __real_realloc(p, size);
}

char *__wrap_strdup(const char *text)
{
        return fails() ? NULL : __real_strdup(text);
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list args)
{
        return fails() ? -1 : __real_vasprintf(ret, fmt, args);
}

int __wrap_asprintf(char **ret, const char *fmt, ...)
{
        va_list args;
        int r;

        va_start(args, fmt);
        r = __wrap_vasprintf(ret, fmt, args);
        va_end(args);
        return r;
}
