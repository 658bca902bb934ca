/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of a Docker engine through its decoders; the first byte says which. */
#include <string.h>

#include "fuzz.h"
#include "runtime/docker_decode.h"

static int decode(uint8_t kind, struct arena *arena, const char *bytes, size_t size)
{
        struct docker_event event;
        struct docker_info info, *infos;
        struct docker_net net, *nets;
        struct label_set labels;
        size_t len;

        switch (kind % 7) {
        case 0:
                return docker_decode_event(arena, bytes, size, &event);
        case 1:
                return docker_decode_list(arena, bytes, size, &infos, &len);
        case 2:
                return docker_decode_inspect(arena, bytes, size, &info);
        case 3:
                return docker_decode_networks(arena, bytes, size, &nets, &len);
        case 4:
                return docker_decode_network(arena, bytes, size, &net);
        case 5:
                return docker_decode_image(arena, bytes, size, &labels);
        default:
                docker_version_wanted(docker_decode_error(arena, bytes, size, 400));
                return 0;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
        struct fuzz_input input = {bytes, size};
        uint8_t kind = fuzz_byte(&input);
        _cleanup_(fuzz_part_fini) struct fuzz_part answer = fuzz_bytes(&input, input.size);
        struct arena *arena = arena_new();
        int r;

        fuzz_must(arena, "there is memory");
        r = decode(kind, arena, answer.bytes, answer.size);
        fuzz_must(r == 0 || r == DOCKER_E_MALFORMED, "an answer is understood or malformed");
        arena_free(arena);
        return 0;
}
