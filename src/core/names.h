/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syntax of names that Kubernetes' API prescribes (k8s.io/apimachinery, pkg/util/validation). Private to the core. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Parts of lower-case letters, digits and inner dashes, with dots between; at most 253 characters. */
bool dns_subdomain_is_valid(const char *text, size_t len);

/* An object's name: a DNS subdomain in which "_" may stand for "-", since no cluster is there to insist. */
bool object_name_is_valid(const char *text);

/* A namespace: as a DNS label, but "_" may stand in it and it may end in "-" or "_", as names of Compose projects do. */
bool namespace_name_is_valid(const char *text);

/* IANA_SVC_NAME: lower-case letters, digits and single inner dashes, at least one letter, at most 15 characters. */
bool port_name_is_valid(const char *text);
