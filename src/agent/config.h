/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's configuration file (kind AgentConfig) as a value. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/addr.h>
#include <vethwall/arena.h>
#include <vethwall/diag.h>
#include <vethwall/settings.h>

#define CONFIG_PATH "/etc/vethwall/config.yaml"
#define CONFIG_DOCKER_SOCKET "/var/run/docker.sock"
#define CONFIG_PODMAN_SOCKET "/run/podman/podman.sock"
#define CONFIG_CONTAINERD_SOCKET "/run/containerd/containerd.sock"

enum same_bridge {
        SAME_BRIDGE_AUTO,
        SAME_BRIDGE_BR_NETFILTER,
};

/* Shared by count: what was compiled from it goes on using it while a newer one is tried. */
struct config {
        unsigned refs;
        struct arena *arena; /* owns everything below */
        const char **policies;
        size_t policies_len;
        bool runtimes_given;          /* false: whichever sockets are found */
        const char *docker_socket;    /* NULL: not asked for */
        const char *static_inventory; /* NULL: not asked for */
        enum same_bridge same_bridge;
        struct settings settings;
        bool trust_image_labels;
        struct addr metrics_addr;
        uint16_t metrics_port; /* host byte order; 0: the kernel chooses */
        const char *control_socket;
        const char *state; /* directory */
};

/* The configuration of an empty file. 0 or -ENOMEM. */
int config_default(struct config **ret);

/* Reads bytes; every mistake goes to diags, and *ret is NULL if there was one. 0 or -ENOMEM. */
int config_parse(struct config **ret, const char *name, const char *bytes, size_t size, struct diag_list *diags);

/* Reads a file. path NULL: CONFIG_PATH, and the defaults where that is not there. As config_parse(). */
int config_read(struct config **ret, const char *path, struct diag_list *diags);

struct config *config_ref(struct config *config);
struct config *config_unref(struct config *config); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct config *, config_unref)

/* The first key whose value differs and takes effect only at start, or NULL. */
const char *config_needs_restart(const struct config *running, const struct config *wanted);
