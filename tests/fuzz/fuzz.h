/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the targets share. A target takes any bytes: libFuzzer finds them, replay.c reads them from files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <vethwall/base.h>

/* 0. Ends the program where what must hold does not. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What is left of an input. */
struct fuzz_input {
        const uint8_t *bytes;
        size_t size;
};

/* The next byte, 0 at the end. */
uint8_t fuzz_byte(struct fuzz_input *input);

/* The next two bytes say which allocation is to fail, none where they are 0: what oom_after() takes, once the input is in
 * pieces. */
uint32_t fuzz_oom(struct fuzz_input *input);

/* A part of an input, in memory of its own and just as large, so that reading past it is noticed. */
struct fuzz_part {
        char *bytes; /* owned */
        size_t size;
};

static inline void fuzz_part_fini(struct fuzz_part *part)
{
        free(part->bytes);
}

/* The next size bytes, or fewer at the end. */
struct fuzz_part fuzz_bytes(struct fuzz_input *input, size_t size);

/* Up to the next line "%%%", which is left out, or the end. */
struct fuzz_part fuzz_part(struct fuzz_input *input);

/* True if there is another part. */
bool fuzz_more(const struct fuzz_input *input);

/* No allocation fails any more. r is 0, or -ENOMEM where one has failed, and then nothing else; only the sealing of a ruleset
 * can do without. */
void fuzz_judge(int r, bool seals);

/* Ends the program, saying what does not hold. */
void fuzz_must(bool holds, const char *what);
