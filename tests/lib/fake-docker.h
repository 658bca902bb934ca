/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Docker Engine for tests: HTTP over a UNIX socket, in the test's own event loop, with a small model of containers,
 * networks and images behind it. What changes the model and what tells of it (an event) are separate steps, since
 * their order is what differs between real engines. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct fake_docker;

/* Not yet listening: the socket is not there until fake_docker_listen(). NULL: no memory. */
struct fake_docker *fake_docker_new(struct event_base *base, const char *socket);
void fake_docker_free(struct fake_docker *fake);

/* The engine starts; it remembers no event from before. */
void fake_docker_listen(struct fake_docker *fake);
/* The engine dies: every connection ends, the socket is gone. Half a line may be the last thing the event stream says. */
void fake_docker_die(struct fake_docker *fake, const char *last_words);

/* The range of API versions it takes, as 1041 for 1.41. Default: 1012 to 1041. What it says in answer to _ping may be
 * another (0: nothing at all). */
void fake_docker_versions(struct fake_docker *fake, unsigned min, unsigned max, unsigned pinged);
/* From API 1.52 on the events lack their deprecated fields. */
void fake_docker_new_events(struct fake_docker *fake, bool on);

/* The next times requests whose path (without version and query) begins so are answered with this status. */
void fake_docker_refuse(struct fake_docker *fake, const char *path, int status, unsigned times);
/* Requests whose path begins so are kept waiting until fake_docker_release(). One path at a time. */
void fake_docker_hold(struct fake_docker *fake, const char *path);
void fake_docker_release(struct fake_docker *fake);
/* Called once, before the next request whose path begins so is answered. */
void fake_docker_on_request(struct fake_docker *fake, const char *path, void (*call)(void *user), void *user);
/* Requests seen whose path begins so; and the last such path whole, "" for none. */
unsigned fake_docker_requests(const struct fake_docker *fake, const char *path);
const char *fake_docker_last_uri(const struct fake_docker *fake, const char *path);
/* Event streams that are open. */
unsigned fake_docker_streams(const struct fake_docker *fake);

/* The model. Ids may be of any length; labels is a JSON object as text. */
void fake_image(struct fake_docker *fake, const char *id, const char *labels);
void fake_remove_image(struct fake_docker *fake, const char *id);
void fake_network(struct fake_docker *fake, const char *id, const char *name, const char *driver);
void fake_remove_network(struct fake_docker *fake, const char *id);
void fake_container(struct fake_docker *fake, const char *id, const char *name, const char *image, const char *mode,
                    const char *labels);
void fake_rename(struct fake_docker *fake, const char *id, const char *name);
void fake_remove_container(struct fake_docker *fake, const char *id);
/* Whether the container runs, as the list and the inspection say it. pid 0: it does not. */
void fake_run(struct fake_docker *fake, const char *id, pid_t pid);
/* A published port, as the inspection has it: "80/tcp", host port as text, host address or "". */
void fake_publish(struct fake_docker *fake, const char *id, const char *port, const char *host_port, const char *host);
/* The network's page gains or loses an endpoint. ipv6 may be "". */
void fake_link(struct fake_docker *fake, const char *network, const char *container, const char *ipv4,
               const char *ipv6);
void fake_unlink(struct fake_docker *fake, const char *network, const char *container);

/* Tells of it: a container event ("create"), a network event ("connect") or the daemon's ("reload"). */
void fake_event(struct fake_docker *fake, const char *action, const char *container);
void fake_network_event(struct fake_docker *fake, const char *action, const char *network, const char *container);
void fake_daemon_event(struct fake_docker *fake, const char *action);
/* A line as it is into every stream. */
void fake_line(struct fake_docker *fake, const char *text);
