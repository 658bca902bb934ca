/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the Docker Engine's API says, as values: bytes in, structs out, no socket and no state. Every field is
 * checked for its type; what is absent or of another type counts as not said, and an object without what
 * identifies it is left out. Everything lives in the caller's arena. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vethwall/addr.h>
#include <vethwall/arena.h>
#include <vethwall/labels.h>

#include "runtime/runtime.h"

enum {
        DOCKER_E_MALFORMED = 1, /* not what the API promises: no JSON, or not of the expected shape */
};

enum docker_event_kind {
        DOCKER_EVENT_OTHER, /* nothing we act on */
        DOCKER_EVENT_CREATE,
        DOCKER_EVENT_START,
        DOCKER_EVENT_DIE,
        DOCKER_EVENT_DESTROY,
        DOCKER_EVENT_RENAME,
        DOCKER_EVENT_CONNECT,    /* container joined network */
        DOCKER_EVENT_DISCONNECT, /* container left network; may come twice */
        DOCKER_EVENT_NETWORK,    /* network was created, updated or destroyed */
        DOCKER_EVENT_RELOAD,     /* the daemon's configuration was read again */
        DOCKER_EVENT_MAX,
};

struct docker_event {
        enum docker_event_kind kind;
        const char *container; /* id; "" where none is concerned */
        const char *network;   /* id; "" where none is concerned */
};

/* A network as a container names it. */
struct docker_attachment {
        const char *name;
        const char *network_id;  /* "" until the container was started once */
        const char *endpoint_id; /* "" while it is not connected */
        struct addr addrs[2];    /* IPv4 and IPv6, those there are */
        size_t addrs_len;
};

/* A container, as the list and the inspection describe it alike. */
struct docker_info {
        const char *id;
        const char *name;  /* without the leading slash; "" unknown */
        const char *image; /* as the user named it */
        const char *image_id;
        const char *network_mode; /* "bridge", "host", "none", "container:ID", a network's name */
        bool running;
        pid_t pid;                             /* inspection only; 0: none */
        const char *netns;                     /* inspection only; "" none */
        struct label_set labels;               /* normalised */
        struct docker_attachment *attachments; /* sorted by name */
        size_t attachments_len;
        struct container_published *published; /* sorted */
        size_t published_len;
};

struct docker_endpoint {
        const char *container; /* id */
        const char *endpoint_id;
        struct addr addrs[2];
        size_t addrs_len;
        uint8_t mac[6];
};

struct docker_net {
        const char *id;
        const char *name;
        const char *driver;
        struct docker_endpoint *endpoints; /* of the network's own page only; sorted by container */
        size_t endpoints_len;
};

/* Ids go into paths and queries: letters and digits (and, in an image's, colons), at most 128. */
bool docker_id_is_valid(const char *id);

/* The image ids of image stores are digests with a prefix, "sha256:...". */
bool docker_image_id_is_valid(const char *id);

/* Each: 0, DOCKER_E_MALFORMED or -ENOMEM. */
int docker_decode_event(struct arena *arena, const char *bytes, size_t size, struct docker_event *ret);
int docker_decode_list(struct arena *arena, const char *bytes, size_t size, struct docker_info **ret, size_t *ret_len);
int docker_decode_inspect(struct arena *arena, const char *bytes, size_t size, struct docker_info *ret);
int docker_decode_networks(struct arena *arena, const char *bytes, size_t size, struct docker_net **ret,
                           size_t *ret_len);
int docker_decode_network(struct arena *arena, const char *bytes, size_t size, struct docker_net *ret);
int docker_decode_image(struct arena *arena, const char *bytes, size_t size, struct label_set *ret);

/* The message of an error answer; where it is none, the status in words. Never NULL but when memory is exhausted. */
const char *docker_decode_error(struct arena *arena, const char *bytes, size_t size, int status);

/* An API version "1.41" as major * 1000 + minor, 0 where text is none; what follows it does not matter. */
unsigned docker_version_parse(const char *text);

/* If the message is a refusal of the version asked for, the version it says it would take; else 0. */
unsigned docker_version_wanted(const char *message);
