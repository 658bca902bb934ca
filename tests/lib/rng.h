/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small seeded random number generator (splitmix64): the same seed gives the same test on every machine. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
        uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
        uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
}

/* 0 to n - 1; n is not 0. */
static inline uint32_t rng_below(struct rng *rng, uint32_t n)
{
        return (uint32_t)((rng_next(rng) >> 32) * n >> 32);
}

/* True in percent of a hundred cases. */
static inline bool rng_chance(struct rng *rng, unsigned percent)
{
        return rng_below(rng, 100) < percent;
}

/* A generator of its own for what a and b name, whatever was drawn before. */
static inline struct rng rng_for(uint64_t seed, uint64_t a, uint64_t b)
{
        struct rng rng = {seed};

        rng.state = rng_next(&rng) ^ a;
        rng.state = rng_next(&rng) ^ b;
        return rng;
}

/* Fills order with 0 to len - 1, shuffled. */
static inline void rng_order(struct rng *rng, size_t *order, size_t len)
{
        for (size_t i = 0; i < len; ++i) {
                size_t j = rng_below(rng, (uint32_t)i + 1);

                order[i] = order[j];
                order[j] = i;
        }
}
