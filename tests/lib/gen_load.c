/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pieces of a generated world as files, in any order, and the files through the loaders; and the packets that such a
 * world is asked about. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/diag.h>

#include "gen.h"

/* "from: [ ... ]" of the rule's children of one kind. */
static bool render_children(struct strbuf *buf, const struct gen_world *world, const size_t *order, size_t rule,
                            enum gen_kind kind, const char *start)
{
        bool any = false;

        for (size_t i = 0; i < world->len; ++i) {
                const struct gen_piece *piece = &world->pieces[order[i]];

                if (piece->kind != kind || piece->parent != rule || piece->dropped)
                        continue;
                strbuf_printf(buf, "%s%s", any ? ", " : start, piece->text);
                any = true;
        }
        strbuf_puts(buf, any ? " ]" : "");
        return any;
}

static bool has_peers(const struct gen_world *world, size_t rule)
{
        for (size_t i = 0; i < world->len; ++i)
                if (world->pieces[i].kind == GEN_PEER && world->pieces[i].parent == rule && !world->pieces[i].dropped)
                        return true;
        return false;
}

/* Rules stay in their order: it is their name. A tier's rule must name some peer. */
static void render_rules(struct strbuf *buf, const struct gen_world *world, const size_t *order, size_t policy,
                         enum gen_kind kind)
{
        char ports[32];
        bool any = false;

        snprintf(ports, sizeof(ports), "%s: [ ", world->pieces[policy].ports);
        for (size_t i = 0; i < world->len; ++i) {
                const struct gen_piece *piece = &world->pieces[i];

                if (piece->kind != kind || piece->parent != policy || piece->dropped ||
                    (world->pieces[policy].tiered && !has_peers(world, i)))
                        continue;
                if (!any)
                        strbuf_printf(buf, "  %s:\n", kind == GEN_INGRESS ? "ingress" : "egress");
                any = true;
                strbuf_printf(buf, "  - { %s", piece->text);
                if (render_children(buf, world, order, i, GEN_PEER, kind == GEN_INGRESS ? "from: [ " : "to: [ "))
                        strbuf_puts(buf, ", ");
                render_children(buf, world, order, i, GEN_PORT, ports);
                strbuf_puts(buf, " }\n");
        }
}

/* The head of a policy, whose own name is the first in it. */
static void render_head(struct strbuf *buf, const char *text, bool rename)
{
        const char *name = strstr(text, "name: ");
        size_t len = name ? (size_t)(name - text) + strlen("name: ") : 0;

        strbuf_add(buf, text, len);
        strbuf_puts(buf, rename && name && strncmp(text + len, "default\n", strlen("default\n")) != 0 ? "x-" : "");
        strbuf_puts(buf, text + len);
}

static void render_policies(struct gen_loaded *loaded, const struct gen_world *world, const size_t *order,
                            const size_t *files, bool rename)
{
        for (size_t i = 0; i < world->len; ++i) {
                const struct gen_piece *piece = &world->pieces[order[i]];
                struct strbuf *buf = &loaded->policy_files[files[piece->file]];

                if (piece->dropped || (piece->kind != GEN_POLICY && piece->kind != GEN_LABELS))
                        continue;
                strbuf_puts(buf, "---\n");
                render_head(buf, piece->text, rename && piece->kind == GEN_POLICY);
                if (piece->kind == GEN_POLICY) {
                        render_rules(buf, world, order, order[i], GEN_INGRESS);
                        render_rules(buf, world, order, order[i], GEN_EGRESS);
                }
        }
}

static void render_section(struct strbuf *buf, const struct gen_world *world, const size_t *order, enum gen_kind kind,
                           const char *title, const char *bullet)
{
        for (size_t i = 0; i < world->len; ++i) {
                const struct gen_piece *piece = &world->pieces[order[i]];

                if (piece->kind != kind || piece->dropped)
                        continue;
                strbuf_printf(buf, "%s%s%s\n", title, bullet, piece->text);
                title = "";
        }
}

static int load_policies(struct gen_loaded *loaded, const struct gen_order *order, struct diag_list *diags)
{
        static const char *const names[2][GEN_FILES] = {{"a.yaml", "b.yaml", "c.yaml"}, {"z.yaml", "1.yml", "m.json"}};
        int r;

        r = policy_set_new(&loaded->policies);
        for (size_t i = 0; r == 0 && i < GEN_FILES; ++i)
                r = policy_set_load(loaded->policies, names[order->rename][i], loaded->policy_files[i].text,
                                    loaded->policy_files[i].len, diags);
        return r == 0 ? policy_set_seal(loaded->policies, diags) : r;
}

static int load_inventory(struct gen_loaded *loaded, struct diag_list *diags)
{
        int r;

        r = inventory_new(&loaded->inventory);
        if (r == 0)
                r = inventory_load(loaded->inventory, "inventory.yaml", loaded->inventory_file.text,
                                   loaded->inventory_file.len, diags);
        return r == 0 ? inventory_seal(loaded->inventory) : r;
}

static int load_files(struct gen_loaded *loaded, const struct gen_order *order)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        int r;

        for (size_t i = 0; i < GEN_FILES; ++i)
                if (strbuf_check(&loaded->policy_files[i]) < 0)
                        return -ENOMEM;
        if (strbuf_check(&loaded->inventory_file) < 0)
                return -ENOMEM;
        r = load_policies(loaded, order, &diags);
        if (r == 0)
                r = load_inventory(loaded, &diags);
        if (r == 0 && diags.errors > 0) {
                diag_list_format(&buf, &diags, false);
                if (!order->quiet)
                        fprintf(stderr, "%s", buf.text ? buf.text : "");
                r = -EINVAL;
        }
        return r;
}

int gen_load(struct gen_loaded *ret, const struct gen_world *world, const struct gen_order *order)
{
        struct gen_loaded loaded = {.policies = NULL};
        _cleanup_free_ size_t *places = calloc(world->len + 1, sizeof(*places));
        struct rng rng = rng_for(world->seed, order->shuffle, 3);
        size_t files[GEN_FILES] = {0, 1, 2};
        int r;

        if (!places)
                return -ENOMEM;
        for (size_t i = 0; i < world->len; ++i)
                places[i] = i;
        if (order->shuffle) {
                rng_order(&rng, places, world->len);
                rng_order(&rng, files, GEN_FILES);
        }
        render_policies(&loaded, world, places, files, order->rename_policies);
        strbuf_puts(&loaded.inventory_file, "apiVersion: vethwall.io/v1\nkind: Inventory\n");
        render_section(&loaded.inventory_file, world, places, GEN_NAMESPACE, "namespaces:\n", "  ");
        render_section(&loaded.inventory_file, world, places, GEN_ENDPOINT, "endpoints:\n", "- ");
        r = load_files(&loaded, order);
        if (r < 0) {
                gen_loaded_fini(&loaded);
                return r;
        }
        *ret = loaded;
        return 0;
}

void gen_loaded_fini(struct gen_loaded *loaded)
{
        for (size_t i = 0; i < GEN_FILES; ++i)
                strbuf_fini(&loaded->policy_files[i]);
        strbuf_fini(&loaded->inventory_file);
        loaded->policies = policy_set_free(loaded->policies);
        loaded->inventory = inventory_free(loaded->inventory);
}

static int add_addr(struct gen_targets *targets, const struct addr *addr)
{
        size_t family = addr->family;

        if (array_reserve(&targets->addrs[family], &targets->addrs_cap[family], targets->addrs_len[family] + 1,
                          sizeof(*addr)) < 0)
                return -ENOMEM;
        targets->addrs[family][targets->addrs_len[family]++] = *addr;
        return 0;
}

static int add_port(struct gen_targets *targets, unsigned port)
{
        if (port > UINT16_MAX)
                return 0;
        if (array_reserve(&targets->ports, &targets->ports_cap, targets->ports_len + 1, sizeof(*targets->ports)) < 0)
                return -ENOMEM;
        targets->ports[targets->ports_len++] = (uint16_t)port;
        return 0;
}

/* The first and last address of a prefix and their neighbours outside. */
static int add_edges(struct gen_targets *targets, const struct prefix *prefix)
{
        struct addr_range range = prefix_range(prefix);
        int r;

        r = add_addr(targets, &range.first);
        if (r == 0)
                r = add_addr(targets, &range.last);
        if (r == 0 && addr_prev(&range.first))
                r = add_addr(targets, &range.first);
        if (r == 0 && addr_next(&range.last))
                r = add_addr(targets, &range.last);
        return r;
}

static int add_rule(struct gen_targets *targets, const struct rule *rule)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < rule->peers_len; ++i) {
                if (rule->peers[i].kind != PEER_BLOCK)
                        continue;
                r = add_edges(targets, &rule->peers[i].cidr);
                for (size_t j = 0; r == 0 && j < rule->peers[i].excepts_len; ++j)
                        r = add_edges(targets, &rule->peers[i].excepts[j]);
        }
        for (size_t i = 0; r == 0 && i < rule->ports_len; ++i) {
                const struct port_match *port = &rule->ports[i];

                if (port->kind == PORT_NAME)
                        continue;
                r = add_port(targets, port->range.first);
                if (r == 0)
                        r = add_port(targets, port->range.last + 1u);
        }
        return r;
}

static int add_endpoint(struct gen_targets *targets, const struct endpoint *endpoint)
{
        int r = 0;

        /* Several times, so that half of all packets meet endpoints. */
        for (size_t i = 0; r == 0 && i < endpoint->addrs_len * 6; ++i)
                r = add_addr(targets, &endpoint->addrs[i / 6]);
        for (size_t i = 0; r == 0 && i < endpoint->ports_len; ++i)
                r = add_port(targets, endpoint->ports[i].port);
        return r;
}

static int add_outside(struct gen_targets *targets)
{
        static const char *const outside[] = {"192.0.2.1", "198.51.100.7", "10.0.0.0", "10.0.0.15",
                                              "10.0.2.3",  "2001:db8::1",  "fd00::",   "fd00:0:0:2::3"};
        static const uint16_t ports[] = {0, 53, 80, 443, 65535};
        struct addr addr;
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(outside); ++i)
                r = addr_parse(outside[i], &addr) ? add_addr(targets, &addr) : -EINVAL;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(ports); ++i)
                r = add_port(targets, ports[i]);
        return r;
}

int gen_targets(struct gen_targets *ret, const struct gen_loaded *loaded)
{
        _cleanup_(gen_targets_fini) struct gen_targets targets = {.ports = NULL};
        int r;

        r = add_outside(&targets);
        for (size_t i = 0; r == 0 && i < loaded->inventory->endpoints_len; ++i)
                r = add_endpoint(&targets, &loaded->inventory->endpoints[i]);
        for (size_t i = 0; r == 0 && i < loaded->policies->policies_len; ++i)
                for (size_t d = 0; r == 0 && d < DIR_MAX; ++d)
                        for (size_t j = 0; r == 0 && j < loaded->policies->policies[i].rules_len[d]; ++j)
                                r = add_rule(&targets, &loaded->policies->policies[i].rules[d][j]);
        if (r < 0)
                return r;
        *ret = targets;
        targets = (struct gen_targets){.ports = NULL};
        return 0;
}

void gen_targets_fini(struct gen_targets *targets)
{
        for (size_t i = 0; i < ADDR_FAMILY_MAX; ++i)
                free(targets->addrs[i]);
        free(targets->ports);
}

static void pick_protocol(struct oracle_packet *packet, struct rng *rng, const struct gen_targets *targets)
{
        static const uint8_t with_ports[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};
        size_t form = rng_below(rng, 20);

        if (form < 17) {
                packet->protocol = form == 16 ? IPPROTO_UDPLITE : with_ports[form % 3];
                packet->has_ports = true;
                packet->dport = targets->ports[rng_below(rng, (uint32_t)targets->ports_len)];
        } else if (form == 17) {
                packet->protocol = IPPROTO_GRE;
        } else {
                packet->protocol = packet->saddr.family == ADDR_V4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
                packet->icmpv6_type = rng_chance(rng, 60) ? 128 : (uint8_t)(132 + rng_below(rng, 7));
        }
}

/* Endpoints are behind a managed bridge nearly always, the outside nearly never. */
static const char *pick_interface(struct rng *rng, bool endpoint)
{
        return rng_chance(rng, endpoint ? 90 : 10) ? "br-0" : "eth0";
}

void gen_packet(struct oracle_packet *ret, struct rng *rng, const struct oracle *oracle,
                const struct gen_targets *targets)
{
        size_t family = rng_below(rng, ADDR_FAMILY_MAX);
        const struct addr *addrs = targets->addrs[family];
        uint32_t len = (uint32_t)targets->addrs_len[family];
        struct oracle_packet packet = {.saddr = addrs[rng_below(rng, len)], .daddr = addrs[rng_below(rng, len)]};
        bool source = oracle_endpoint(oracle, &packet.saddr), target = oracle_endpoint(oracle, &packet.daddr);

        packet.iifname = pick_interface(rng, source);
        packet.oifname = pick_interface(rng, target);
        /* The host itself is no endpoint, and what it sends or takes passes one interface only. */
        if (!source != !target && rng_chance(rng, 20)) {
                packet.own_host = true;
                if (source)
                        packet.oifname = "";
                else
                        packet.iifname = "";
        }
        pick_protocol(&packet, rng, targets);
        *ret = packet;
}
