/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host with two managed bridges, a network namespace on one of them for each endpoint of an inventory, one for a
 * container that nobody knows, and one, routed, for the outside. Packets are sent with any source address and seen where
 * they arrive; every neighbour is known beforehand, and everything happens on one processor, so that packets from one
 * node to another arrive in the order in which they were sent. It all ends with the process.
 *
 * Whatever fails to be set up ends the process, with 77 where the kernel does not allow such a host at all. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vethwall/inventory.h>

#include "wire.h"

enum {
        LAB_HOST,
        LAB_OUTSIDE,
        LAB_STRANGER, /* on a managed bridge, in no inventory */
        LAB_FIRST,    /* the first endpoint; the others follow as in the inventory */
};

#define LAB_SOCKETS_MAX 16

struct lab_node {
        int netns;
        int send[ADDR_FAMILY_MAX];
        int receive[LAB_SOCKETS_MAX]; /* every packet that arrives */
        size_t receive_len;
        const char *ifname; /* through which the host meets it: "br-0", "br-1", "up0"; "" for the host */
        struct addr addrs[ADDR_FAMILY_MAX]; /* one of each family, where has_addr */
        bool has_addr[ADDR_FAMILY_MAX];
};

struct packet_lab {
        struct lab_node *nodes; /* owned */
        size_t len;
        const struct inventory *inventory; /* borrowed */
};

/* Once for the process. */
void lab_enter(void);

/* Leaves the process in the new host's network namespace. */
void lab_start(struct packet_lab *ret, const struct inventory *inventory);
void lab_stop(struct packet_lab *lab);

/* Where packets to this address are delivered. */
size_t lab_node_of(const struct packet_lab *lab, const struct addr *addr);

/* False where the host's own firewall refused at once. */
bool lab_send(const struct packet_lab *lab, size_t node, const struct wire_packet *packet);

/* The next packet of ours that has arrived anywhere, if there is any. */
bool lab_receive(const struct packet_lab *lab, size_t *ret_node, uint32_t *ret_id);

/* Runs a program in the host, which must succeed, with input as its standard input. */
void lab_run(const char *input, const char *const *argv);
