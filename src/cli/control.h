/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the running agent over its control socket. */
#pragma once

#include <jansson.h>

#include "options.h"

/* What the agent answers to GET path: an object. The caller's to json_decref(). 0, or EXIT_TROUBLE after a message. */
int control_get(const struct options *options, const char *path, json_t **ret);
