/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the kernel and nft describe the keys of our sets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/ruleset.h>

struct keytype {
        uint32_t type;      /* NFTA_SET_KEY_TYPE: nft's own number, six bits a part; the kernel does not look at it */
        uint32_t byteorder; /* NFTNL_UDATA_SET_KEYBYTEORDER: 2 is big endian, 0 is left open as nft does */
        uint8_t parts_len;
        uint8_t parts[2]; /* bytes of each, without padding */
};

const struct keytype *keytype_get(enum rs_key key);

/* RS_KEY_MAX: none of ours. */
enum rs_key keytype_find(uint32_t type);

/* Ranges of a plain key are kept in the kernel as a tree of starts and ends, those of a concatenation with both in one
 * element. */
bool set_has_ends(const struct rs_set *set);

/* The key one past, for the end of a range. False at the highest key. */
bool key_next(enum rs_key key, const uint8_t bytes[static RS_KEY_SIZE_MAX], uint8_t ret[static RS_KEY_SIZE_MAX]);
/* The key one before; the caller knows that there is one. */
void key_prev(enum rs_key key, const uint8_t bytes[static RS_KEY_SIZE_MAX], uint8_t ret[static RS_KEY_SIZE_MAX]);
