/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that take the Docker Engine's JSON apart share. */
#pragma once

#include <jansson.h>

#include "runtime/docker_decode.h"

void docker_json_drop(json_t **json);
#define _cleanup_json_ _cleanup_(docker_json_drop)

/* 0, DOCKER_E_MALFORMED or -ENOMEM. */
int docker_json_parse(const char *bytes, size_t size, json_t **ret);

/* The member's string, "" where there is none; NULL when memory is exhausted. */
const char *docker_json_text(struct arena *arena, const json_t *object, const char *key);

/* The member if it is a valid id; borrowed from the JSON. */
bool docker_json_id(const json_t *object, const char *key, const char **ret);

/* Null and absent are no labels; another type, or a label of another type, is malformed. */
int docker_json_labels(struct arena *arena, const json_t *json, struct label_set *ret);

/* Appends "172.18.0.2" or "172.18.0.2/16"; what is no address is left out. */
void docker_json_addr(const json_t *json, struct addr *addrs, size_t *len);
