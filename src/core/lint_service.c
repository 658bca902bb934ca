/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of lint about services that hand over a machine or its data: open to much of the world, or in reach of those
 * who need them not. Decided by what a rule says; with an inventory, also by whether it is what decides. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lint_census.h"

struct service {
        uint16_t port; /* TCP */
        const char *name;
};

/* What is administered by, or holds data behind, a password at best. */
static const struct service services[] = {
        {22, "SSH"},
        {23, "Telnet"},
        {445, "SMB"},
        {1433, "SQL Server"},
        {1521, "Oracle"},
        {2375, "the Docker Engine"},
        {2376, "the Docker Engine"},
        {2379, "etcd"},
        {3306, "MySQL"},
        {3389, "RDP"},
        {5432, "PostgreSQL"},
        {5900, "VNC"},
        {5984, "CouchDB"},
        {6379, "Redis"},
        {6443, "the Kubernetes API"},
        {9200, "Elasticsearch"},
        {10250, "the kubelet"},
        {11211, "memcached"},
        {27017, "MongoDB"},
};

/* Who reaches one of these can start what it likes. */
static const struct service controls[] = {
        {2375, "the Docker Engine"},
        {2376, "the Docker Engine"},
        {2377, "Swarm"},
        {2379, "etcd"},
        {2380, "etcd"},
        {6443, "the Kubernetes API"},
        {10250, "the kubelet"},
        {10255, "the kubelet"},
};

/* What a rule does with a list of services. */
struct hit {
        const struct service *service; /* the first that it allows; NULL: none */
        size_t more;
        const struct port_match *port; /* that allows it; NULL: all are */
};

static bool match_covers(const struct port_match *match, uint16_t port)
{
        return match->kind == PORT_RANGE && match->protocol == IPPROTO_TCP && match->range.first <= port &&
               port <= match->range.last;
}

/* exact: only ports that are given by their number alone. */
static struct hit find_services(const struct rule *rule, const struct service *list, size_t len, bool exact)
{
        struct hit ret = {0};

        for (size_t i = 0; i < len; i++) {
                const struct port_match *port = NULL;

                for (size_t j = 0; !port && j < rule->ports_len; j++)
                        if (match_covers(&rule->ports[j], list[i].port) &&
                            (!exact || rule->ports[j].range.first == rule->ports[j].range.last))
                                port = &rule->ports[j];
                if (!port && (!rule->any_port || exact))
                        continue;
                if (ret.service)
                        ret.more++;
                else
                        ret = (struct hit){.service = &list[i], .port = port};
        }
        return ret;
}

/* Much of a family: shorter than /16, or than /32. */
static bool is_broad(const struct peer *peer)
{
        return peer->kind == PEER_BLOCK && peer->cidr.len < (peer->cidr.addr.family == ADDR_V4 ? 16 : 32);
}

/* Networks that are nobody's outside. */
static bool is_private(const struct prefix *prefix)
{
        static const char *const networks[] = {"10.0.0.0/8",     "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                               "169.254.0.0/16", "127.0.0.0/8",   "fc00::/7",       "fe80::/10"};

        for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
                struct prefix network;

                if (prefix_parse(networks[i], &network) && network.addr.family == prefix->addr.family &&
                    network.len <= prefix->len && prefix_contains(&network, &prefix->addr))
                        return true;
        }
        return false;
}

/* An outside flow to the port that the rule decides. *ret_any: whether anybody is selected by its policy. */
static bool find_flow(struct lint *lint, uint32_t p, enum direction d, const struct rule *rule, uint16_t port,
                      struct lint_flow *ret, bool *ret_any)
{
        *ret_any = lint->first[d][p] < lint->first[d][p + 1];
        for (uint32_t i = lint->first[d][p]; i < lint->first[d][p + 1]; i++) {
                uint32_t class = lint->classes[d][i];

                for (enum addr_family f = 0; f < ADDR_FAMILY_MAX; f++) {
                        const struct world_range *ranges;
                        size_t len;

                        if (world_outside(lint->world, d, class, f, &ranges, &len) < 0) {
                                lint->r = -ENOMEM;
                                return false;
                        }
                        for (size_t j = 0; j < len; j++) {
                                if (profile_at(ranges[j].profile, IPPROTO_TCP, port)->rule != rule)
                                        continue;
                                *ret = (struct lint_flow){
                                        .direction = d,
                                        .class = class,
                                        .subject = lint_class_endpoint(lint, d, class),
                                        .peer = WORLD_OUTSIDE,
                                        .range = &ranges[j].range,
                                        .port = {IPPROTO_TCP, port},
                                };
                                return true;
                        }
                }
        }
        return false;
}

static void report(struct lint *lint, uint32_t p, enum direction d, const struct rule *rule, const struct peer *peer,
                   const struct hit *hit)
{
        static const char *const hints[DIR_MAX] = {
                "name those who need it, by label or by a longer prefix",
                "name the addresses and the ports that are needed",
        };
        char witness[LINT_FLOW_MAX], text[ADDR_TEXT_MAX], more[64] = "";
        struct lint_note note = {.hint = hints[d]};
        const struct src_loc *loc = hit->port ? &hit->port->loc : peer ? &peer->loc : &rule->loc;
        struct lint_flow flow;
        bool any = false;

        if (lint->world) {
                if (find_flow(lint, p, d, rule, hit->service->port, &flow, &any))
                        note.witness = lint_flow_text(lint, &flow, witness);
                else if (any || lint->r < 0)
                        return;
        }
        if (hit->more > 0)
                snprintf(more, sizeof(more), ", and %zu more services of this kind", hit->more);
        if (hit->port && peer)
                note.places[0] = (struct lint_place){&peer->loc, "these addresses"};
        lint_report(lint, d == DIR_INGRESS ? "VW215" : "VW313", loc, &note,
                    d == DIR_INGRESS ? "TCP %u, which is %s, is open to %s%s"
                                     : "TCP %u, which is %s, is in reach at %s%s",
                    hit->service->port, hit->service->name,
                    peer               ? prefix_format(&peer->cidr, text)
                    : d == DIR_INGRESS ? "everybody"
                                       : "every address",
                    more);
}

static void check_ingress(struct lint *lint, uint32_t p, const struct rule *rule)
{
        struct hit hit = find_services(rule, services, ARRAY_SIZE(services), false);
        const struct peer *broad = NULL;

        for (size_t i = 0; !broad && i < rule->peers_len; i++)
                if (is_broad(&rule->peers[i]) && !is_private(&rule->peers[i].cidr))
                        broad = &rule->peers[i];
        if (hit.service && (broad || (rule->any_peer && !rule->any_port)))
                report(lint, p, DIR_INGRESS, rule, broad, &hit);
}

static bool holds_host(const struct lint *lint, const struct peer *peer)
{
        for (size_t i = 0; i < lint->sites.hosts_len; i++)
                if (prefix_contains(&peer->cidr, lint->sites.hosts[i].addr))
                        return true;
        return false;
}

/* One address and one number are a deliberate choice. */
static void check_egress(struct lint *lint, uint32_t p, const struct rule *rule)
{
        struct hit hit = find_services(rule, controls, ARRAY_SIZE(controls), false),
                   exact = find_services(rule, controls, ARRAY_SIZE(controls), true);

        if (rule->any_peer && !rule->any_port && hit.service)
                report(lint, p, DIR_EGRESS, rule, NULL, &hit);
        for (size_t i = 0; hit.service && i < rule->peers_len; i++) {
                const struct peer *peer = &rule->peers[i];

                if (peer->kind != PEER_BLOCK || peer->cidr.len == (peer->cidr.addr.family == ADDR_V4 ? 32 : 128))
                        continue;
                if (!exact.service && !is_broad(peer) && !holds_host(lint, peer))
                        continue;
                report(lint, p, DIR_EGRESS, rule, peer, exact.service ? &exact : &hit);
                return;
        }
}

void lint_services(struct lint *lint)
{
        for (uint32_t i = 0; i < lint->policies->policies_len; i++) {
                const struct policy *policy = &lint->policies->policies[i];

                for (enum direction d = 0; d < DIR_MAX; d++) {
                        for (size_t j = 0; lint->r == 0 && policy->applies[d] && j < policy->rules_len[d]; j++) {
                                const struct rule *rule = &policy->rules[d][j];

                                if (rule->action != ACTION_ALLOW)
                                        continue;
                                if (d == DIR_INGRESS)
                                        check_ingress(lint, i, rule);
                                else
                                        check_egress(lint, i, rule);
                        }
                }
        }
}
