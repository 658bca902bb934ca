/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of an engine's containers, networks and images, and what is wanted of them: plain data, changed by
 * the answers of the engine and turned into container records. No socket, no clock. docker.c drives it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/docker_decode.h"
#include "runtime/runtime.h"

/* Of the labels that are ours. */
#define DOCKER_OWN_PREFIX "vethwall.io/"

struct http_request;
struct docker;

/* One thing that can be asked of the engine, again and again. Events only ever set wanted; whoever serves it asks, and
 * asks once more if it was wanted again meanwhile. So neither the order nor the number of events matters. */
struct docker_fetch {
        bool wanted;
        struct http_request *request; /* under way */
        unsigned failures;            /* in a row */
        uint64_t not_before_us;
        uint64_t cause_us; /* when the first event came that made it wanted; 0: none did */
        uint64_t asked_us; /* the same of the request under way */
};

struct docker_image {
        struct docker *docker; /* for whoever serves the fetch */
        char *id;
        struct arena *arena; /* owns labels */
        struct label_set labels;
        bool known;
        bool complained; /* that it cannot be had; said once */
        struct docker_fetch fetch;
};

struct docker_network {
        struct docker *docker;
        char *id;
        char *name;   /* "" until known */
        char *driver; /* "" until known */
        bool seen;    /* in the list that is being applied */
        struct docker_fetch fetch;
};

/* A container's end of a network. */
struct docker_link {
        struct docker_network *network;
        char *endpoint_id;
        struct addr addrs[2];
        size_t addrs_len;
        uint8_t mac[6];
};

struct docker_record {
        struct docker *docker;
        char *id;
        struct arena *arena;     /* owns info and labels */
        struct docker_info info; /* last said by list or inspection */
        bool listed;             /* info is there */
        struct label_set labels; /* what of info.labels is the container's own */
        bool labels_known;
        struct docker_link *links; /* the truth about addresses: from the networks' own pages */
        size_t links_len;
        size_t links_cap;
        bool seen;         /* in the list that is being applied */
        bool asked;        /* in the list request under way */
        unsigned missing;  /* lists in a row that did not have it */
        bool reported;     /* the agent knows it */
        bool changed;      /* since it was reported */
        bool released;     /* an address went: tell that before another container gets it */
        uint64_t cause_us; /* when the event came that made it change; 0: none did */
        struct docker_fetch list;
        struct docker_fetch inspect;
};

struct docker_cache {
        struct docker *docker;
        bool trust_image_labels;
        struct docker_record **records; /* sorted by id */
        size_t records_len, records_cap;
        struct docker_network **networks; /* sorted by id */
        size_t networks_len, networks_cap;
        struct docker_image **images; /* sorted by id */
        size_t images_len, images_cap;
};

void docker_cache_fini(struct docker_cache *cache);

/* NULL where there is none. */
struct docker_record *docker_cache_record(const struct docker_cache *cache, const char *id);
struct docker_network *docker_cache_network(const struct docker_cache *cache, const char *id);

/* The one there is or a new one; NULL when memory is exhausted. */
struct docker_record *docker_cache_add_record(struct docker_cache *cache, const char *id);
struct docker_network *docker_cache_add_network(struct docker_cache *cache, const char *id);

/* No request of theirs may be under way. Removing a network takes its addresses from all containers. */
void docker_cache_remove_record(struct docker_cache *cache, struct docker_record *record);
void docker_cache_remove_network(struct docker_cache *cache, struct docker_network *network);

/* Frees the images that no container comes from, but those being asked for. */
void docker_cache_prune_images(struct docker_cache *cache);

/* What an answer said. Each marks what changed and wants what is now needed. 0 or -ENOMEM. */
int docker_cache_apply_list(struct docker_cache *cache, struct docker_record *record, const struct docker_info *info);
int docker_cache_apply_inspect(struct docker_cache *cache, struct docker_record *record,
                               const struct docker_info *info);
int docker_cache_apply_network(struct docker_cache *cache, struct docker_network *network,
                               const struct docker_net *net);
/* Only what it is called and who drives it. */
int docker_cache_apply_network_name(struct docker_cache *cache, struct docker_network *network,
                                    const struct docker_net *net);
int docker_cache_apply_image(struct docker_cache *cache, struct docker_image *image, const struct label_set *labels);

/* Networks whose page says nothing of use: the host's own and the one that is none. */
bool docker_network_is_plain(const struct docker_network *network);

/* True once everything that policy needs is known of it. */
bool docker_record_is_complete(const struct docker_record *record);

/* The record as the agent gets it; parts of it live in arena. 0 or -ENOMEM. */
int docker_record_container(const struct docker_cache *cache, const struct docker_record *record, struct arena *arena,
                            struct container *ret);

/* The labels of a container that are its own rather than its image's. Docker merges the two, so one that is equal in both
 * counts as the image's, an author of images must not be able to grant access. Compose writes its labels on the images it
 * builds too: they count as the container's where it carries com.docker.compose.config-hash as its own, which only Compose
 * puts on containers. With trust only the image's vethwall.io/ labels are left out. 0 or -ENOMEM. */
int docker_own_labels(struct arena *arena, const struct label_set *container, const struct label_set *image, bool trust,
                      struct label_set *ret);
