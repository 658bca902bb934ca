/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking an input apart. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fuzz.h"
#include "oom.h"

#define SEPARATOR "%%%\n"

uint8_t fuzz_byte(struct fuzz_input *input)
{
        if (input->size == 0)
                return 0;
        input->size--;
        return *input->bytes++;
}

uint32_t fuzz_oom(struct fuzz_input *input)
{
        uint32_t low = fuzz_byte(input), n = low | (uint32_t)fuzz_byte(input) << 8;

        return n == 0 ? OOM_NEVER : n - 1;
}

struct fuzz_part fuzz_bytes(struct fuzz_input *input, size_t size)
{
        struct fuzz_part part = {.size = size < input->size ? size : input->size};

        part.bytes = malloc(part.size);
        fuzz_must(part.bytes, "there is memory for the input");
        if (part.size > 0)
                memcpy(part.bytes, input->bytes, part.size);
        input->bytes += part.size;
        input->size -= part.size;
        return part;
}

struct fuzz_part fuzz_part(struct fuzz_input *input)
{
        const uint8_t *end = memmem(input->bytes, input->size, "\n" SEPARATOR, strlen("\n" SEPARATOR));
        struct fuzz_part part;

        if (!end)
                return fuzz_bytes(input, input->size);
        part = fuzz_bytes(input, (size_t)(end - input->bytes) + 1);
        input->bytes += strlen(SEPARATOR);
        input->size -= strlen(SEPARATOR);
        return part;
}

bool fuzz_more(const struct fuzz_input *input)
{
        return input->size > 0;
}

void fuzz_judge(int r, bool seals)
{
        fuzz_must(r == 0 || r == -ENOMEM, "nothing fails but for memory");
        fuzz_must(r == 0 || oom_failed(), "memory is said to be missing only where it is");
        fuzz_must(r < 0 || seals || !oom_failed(), "memory that is missing is said to be");
        oom_after(OOM_NEVER);
}

void fuzz_must(bool holds, const char *what)
{
        if (holds)
                return;
        fprintf(stderr, "it does not hold that %s\n", what);
        abort();
}
