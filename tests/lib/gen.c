/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generator of worlds: what is written into the pieces. gen_load.c puts them together. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/arena.h>

#include "gen.h"

static const char *const namespaces[] = {"red", "green", "blue", "default"};
static const char *const keys[] = {"app", "tier", "team"};
static const char *const values[] = {"web", "db", "\"\""};
static const char *const port_names[] = {"http", "dns", "x-1"};
static const char *const protocols[] = {"TCP", "UDP", "SCTP"};
static const uint16_t ports[] = {1, 79, 80, 81, 443, 8080, 65534, 65535};

/* Places for endpoints' addresses: in small worlds the first two subnets of sixteen. */
#define PLACES 256
#define PLACES_SMALL 32

#define PICK(rng, array) (array)[rng_below((rng), ARRAY_SIZE(array))]

struct gen {
        struct gen_world *world;
        struct rng rng;
        bool large;
        bool taken[ADDR_FAMILY_MAX][PLACES]; /* addresses that endpoints have */
        size_t namespaces_len;
};

static size_t add_piece(struct gen *gen, enum gen_kind kind, size_t parent, struct strbuf *text)
{
        struct gen_world *world = gen->world;

        if (strbuf_check(text) < 0 ||
            array_reserve(&world->pieces, &world->cap, world->len + 1, sizeof(*world->pieces)))
                return SIZE_MAX;
        world->pieces[world->len] = (struct gen_piece){
                .kind = kind,
                .parent = parent,
                .file = rng_below(&gen->rng, GEN_FILES),
                .text = steal(text->text),
        };
        *text = (struct strbuf)STRBUF_INIT;
        return world->len++;
}

/* "{ app: web, tier: "" }"; a key at most once. */
static void add_labels(struct gen *gen, struct strbuf *buf, unsigned percent)
{
        const char *comma = "";

        strbuf_puts(buf, "{");
        for (size_t i = 0; i < ARRAY_SIZE(keys); ++i) {
                if (!rng_chance(&gen->rng, percent))
                        continue;
                strbuf_printf(buf, "%s %s: %s", comma, keys[i], PICK(&gen->rng, values));
                comma = ",";
        }
        strbuf_puts(buf, " }");
}

static void add_expression(struct gen *gen, struct strbuf *buf)
{
        static const char *const operators[] = {"In", "NotIn", "Exists", "DoesNotExist"};
        size_t operator= rng_below(&gen->rng, ARRAY_SIZE(operators));
        const char *comma = "";

        strbuf_printf(buf, "{ key: %s, operator: %s", PICK(&gen->rng, keys), operators[operator]);
        if (operator<2) {
                size_t first = rng_below(&gen->rng, ARRAY_SIZE(values)), len = 1 + rng_below(&gen->rng, 2);

                strbuf_puts(buf, ", values: [");
                for (size_t i = 0; i < len; ++i, comma = ", ")
                        strbuf_printf(buf, "%s%s", comma, values[(first + i) % ARRAY_SIZE(values)]);
                strbuf_putc(buf, ']');
        }
        strbuf_puts(buf, " }");
}

static void add_selector(struct gen *gen, struct strbuf *buf)
{
        const char *comma = "";

        if (rng_chance(&gen->rng, 30)) {
                strbuf_puts(buf, "{}");
                return;
        }
        strbuf_puts(buf, "{ ");
        if (rng_chance(&gen->rng, 60)) {
                strbuf_puts(buf, "matchLabels: ");
                add_labels(gen, buf, 30);
                comma = ", ";
        }
        if (rng_chance(&gen->rng, 40)) {
                strbuf_printf(buf, "%smatchExpressions: [", comma);
                add_expression(gen, buf);
                if (rng_chance(&gen->rng, 30)) {
                        strbuf_puts(buf, ", ");
                        add_expression(gen, buf);
                }
                strbuf_puts(buf, "]");
        }
        strbuf_puts(buf, " }");
}

/* A namespace by its name, or by labels. */
static void add_namespace_selector(struct gen *gen, struct strbuf *buf)
{
        if (rng_chance(&gen->rng, 40))
                strbuf_printf(buf, "{ matchLabels: { " NAMESPACE_NAME_LABEL ": %s } }", PICK(&gen->rng, namespaces));
        else
                add_selector(gen, buf);
}

/* Endpoints live in 10.0.0.1 to 10.0.0.14, 10.0.1.1 to 10.0.1.14 and so on, and in the same places of fd00::/48, each
 * address once. Some come without any. */
static void add_addresses(struct gen *gen, struct strbuf *buf)
{
        size_t v4 = rng_below(&gen->rng, 3), v6 = rng_below(&gen->rng, 3);
        const char *comma = "";

        strbuf_puts(buf, "[");
        for (size_t i = 0; i < v4 + v6; ++i) {
                bool *taken = gen->taken[i < v4 ? ADDR_V4 : ADDR_V6];
                unsigned place = rng_below(&gen->rng, gen->large ? PLACES : PLACES_SMALL);

                if (place % 16 == 0 || place % 16 == 15 || taken[place])
                        continue;
                taken[place] = true;
                strbuf_printf(buf, i < v4 ? "%s10.0.%u.%u" : "%s\"fd00:0:0:%x::%x\"", comma, place / 16, place % 16);
                comma = ", ";
        }
        strbuf_puts(buf, "]");
}

static void add_named_ports(struct gen *gen, struct strbuf *buf)
{
        const char *comma = "";

        strbuf_puts(buf, "[");
        for (size_t i = 0; i < ARRAY_SIZE(port_names); ++i)
                for (size_t j = 0; j < 2; ++j) {
                        if (!rng_chance(&gen->rng, 35))
                                continue;
                        /* The same name twice, but for different protocols. */
                        strbuf_printf(buf, "%s{ name: %s, port: %u, protocol: %s }", comma, port_names[i],
                                      PICK(&gen->rng, ports), protocols[j == 0 ? 0 : 1 + rng_below(&gen->rng, 2)]);
                        comma = ", ";
                }
        strbuf_puts(buf, "]");
}

static void add_endpoint(struct gen *gen, size_t i)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        strbuf_printf(&buf, "{ name: e%zu, namespace: %s, labels: ", i,
                      namespaces[rng_below(&gen->rng, (uint32_t)gen->namespaces_len)]);
        add_labels(gen, &buf, 50);
        strbuf_puts(&buf, ", addresses: ");
        add_addresses(gen, &buf);
        strbuf_puts(&buf, ", ports: ");
        add_named_ports(gen, &buf);
        strbuf_puts(&buf, rng_chance(&gen->rng, 8) ? ", hostNetwork: true }" : " }");
        add_piece(gen, GEN_ENDPOINT, 0, &buf);
}

/* Labels from the inventory, from a Namespace object, or none; not of one key from both. */
static void add_namespace(struct gen *gen, size_t i)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        if (rng_chance(&gen->rng, 50)) {
                strbuf_printf(&buf, "%s: { labels: ", namespaces[i]);
                add_labels(gen, &buf, 50);
                strbuf_puts(&buf, " }");
                add_piece(gen, GEN_NAMESPACE, 0, &buf);
        } else if (rng_chance(&gen->rng, 60)) {
                strbuf_printf(&buf,
                              "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  labels: ", namespaces[i]);
                add_labels(gen, &buf, 50);
                strbuf_puts(&buf, "\n");
                add_piece(gen, GEN_LABELS, 0, &buf);
        }
}

static const struct {
        bool v6;
        uint8_t bits; /* where the excepts' lengths begin */
        const char *text;
} blocks[] = {
        {false, 0, "0.0.0.0/0"},    {false, 8, "10.0.0.0/8"},
        {false, 16, "10.0.0.0/16"}, {false, 24, "10.0.0.0/24"},
        {false, 24, "10.0.1.0/24"}, {false, 28, "10.0.0.0/28"},
        {false, 29, "10.0.0.8/29"}, {false, 30, "10.0.0.5/30"},
        {false, 32, "10.0.0.5/32"}, {false, 24, "192.0.2.0/24"},
        {true, 0, "::/0"},          {true, 48, "fd00::/48"},
        {true, 64, "fd00::/64"},    {true, 64, "fd00:0:0:1::/64"},
        {true, 125, "fd00::8/125"}, {true, 128, "fd00::5/128"},
};

/* A prefix inside the block that is longer than its; most of the time around where endpoints are. */
static void add_except(struct gen *gen, struct strbuf *buf, size_t block)
{
        char text[ADDR_TEXT_MAX];
        struct prefix prefix;
        struct addr *addr = &prefix.addr;
        size_t max, start;

        if (!prefix_parse(blocks[block].text, &prefix))
                return;
        max = addr_size(addr->family) * 8;
        start = blocks[block].bits;
        /* The bits after the block's are those of an endpoint's place, or random. */
        for (size_t i = start; i < max; ++i) {
                uint8_t bit = (uint8_t)(0x80 >> i % 8);
                bool set = i >= max - 4 || rng_chance(&gen->rng, 5) ? rng_chance(&gen->rng, 50) : false;

                if (start < 16 && i < 16)
                        set = (addr->family == ADDR_V4 ? 0x0a00 : 0xfd00) >> (15 - i) & 1;
                addr->bytes[i / 8] = (uint8_t)(set ? addr->bytes[i / 8] | bit : addr->bytes[i / 8] & ~bit);
        }
        prefix.len = (uint8_t)(rng_chance(&gen->rng, 50) ? max - rng_below(&gen->rng, 4)
                                                         : start + 1 + rng_below(&gen->rng, (uint32_t)(max - start)));
        if (prefix.len <= start)
                prefix.len = (uint8_t)(start + 1);
        strbuf_printf(buf, "\"%s\"", prefix_format(&prefix, text));
}

static void add_block(struct gen *gen, struct strbuf *buf)
{
        size_t block = rng_below(&gen->rng, ARRAY_SIZE(blocks)), excepts = rng_below(&gen->rng, 3);
        size_t max = blocks[block].v6 ? 128 : 32;

        strbuf_printf(buf, "{ ipBlock: { cidr: \"%s\"", blocks[block].text);
        for (size_t i = 0; blocks[block].bits < max && i < excepts; ++i) {
                strbuf_puts(buf, i == 0 ? ", except: [" : ", ");
                add_except(gen, buf, block);
                if (i == excepts - 1)
                        strbuf_putc(buf, ']');
        }
        strbuf_puts(buf, " } }");
}

static void add_peer(struct gen *gen, size_t rule)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        size_t form = rng_below(&gen->rng, 10);

        if (form < 4) {
                add_block(gen, &buf);
        } else {
                strbuf_puts(&buf, "{ ");
                if (form != 4 && form != 5) {
                        strbuf_puts(&buf, "namespaceSelector: ");
                        add_namespace_selector(gen, &buf);
                }
                if (form == 8 || form == 9)
                        strbuf_puts(&buf, ", ");
                if (form != 6 && form != 7) {
                        strbuf_puts(&buf, "podSelector: ");
                        add_selector(gen, &buf);
                }
                strbuf_puts(&buf, " }");
        }
        add_piece(gen, GEN_PEER, rule, &buf);
}

static void add_port(struct gen *gen, size_t rule)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        bool named = rng_chance(&gen->rng, 30), any = !named && rng_chance(&gen->rng, 20);
        size_t first = rng_below(&gen->rng, ARRAY_SIZE(ports));

        strbuf_puts(&buf, "{ ");
        if (any || rng_chance(&gen->rng, 70))
                strbuf_printf(&buf, "protocol: %s%s", PICK(&gen->rng, protocols), any ? "" : ", ");
        if (named)
                strbuf_printf(&buf, "port: %s", PICK(&gen->rng, port_names));
        else if (!any)
                strbuf_printf(&buf, "port: %u", ports[first]);
        if (!named && !any && rng_chance(&gen->rng, 40))
                strbuf_printf(&buf, ", endPort: %u",
                              ports[first + rng_below(&gen->rng, (uint32_t)(ARRAY_SIZE(ports) - first))]);
        strbuf_puts(&buf, " }");
        add_piece(gen, GEN_PORT, rule, &buf);
}

static void add_rule(struct gen *gen, enum gen_kind kind, size_t policy)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        size_t peers = rng_below(&gen->rng, 4), port_count = rng_below(&gen->rng, 4), rule;

        /* Every peer, or every port, in one rule of four each. */
        rule = add_piece(gen, kind, policy, &buf);
        for (size_t i = 0; i < peers; ++i)
                add_peer(gen, rule);
        for (size_t i = 0; i < port_count; ++i)
                add_port(gen, rule);
}

static void add_policy(struct gen *gen, size_t i)
{
        static const char *const types[] = {"", "  policyTypes: [Ingress]\n", "  policyTypes: [Egress]\n",
                                            "  policyTypes: [Egress, Ingress]\n"};
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        size_t ingress = rng_below(&gen->rng, 3), egress = rng_below(&gen->rng, 3), policy;

        /* Names that are not in order, and are the same in several namespaces. */
        strbuf_printf(&buf,
                      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                      "metadata:\n  name: p%zu\n  namespace: %s\nspec:\n  podSelector: ",
                      i / gen->namespaces_len * 7 % 10, namespaces[i % gen->namespaces_len]);
        add_selector(gen, &buf);
        strbuf_printf(&buf, "\n%s", PICK(&gen->rng, types));
        policy = add_piece(gen, GEN_POLICY, 0, &buf);
        if (policy == SIZE_MAX)
                return;
        gen->world->pieces[policy].ports = "ports";
        for (size_t j = 0; j < ingress; ++j)
                add_rule(gen, GEN_INGRESS, policy);
        for (size_t j = 0; j < egress; ++j)
                add_rule(gen, GEN_EGRESS, policy);
}

/* The cluster-wide kinds, whose rules say what they do. */
static const struct dialect {
        const char *kind, *version, *ports;
        const char *tier; /* NULL: the kind says it */
        const char *actions[3];
        size_t actions_len;
        bool priority;
} dialects[] = {
        {"ClusterNetworkPolicy", "v1alpha2", "protocols", "Admin", {"Accept", "Deny", "Pass"}, 3, true},
        {"ClusterNetworkPolicy", "v1alpha2", "protocols", "Baseline", {"Accept", "Deny", "Pass"}, 3, true},
        {"AdminNetworkPolicy", "v1alpha1", "ports", NULL, {"Allow", "Deny", "Pass"}, 3, true},
        {"BaselineAdminNetworkPolicy", "v1alpha1", "ports", NULL, {"Allow", "Deny"}, 2, false},
};

/* "namespaces: SELECTOR" or "pods: { ... }". */
static void add_tier_selector(struct gen *gen, struct strbuf *buf)
{
        if (rng_chance(&gen->rng, 30)) {
                strbuf_puts(buf, "{ namespaces: {} }");
                return;
        }
        if (rng_chance(&gen->rng, 50)) {
                strbuf_puts(buf, "{ namespaces: ");
                add_namespace_selector(gen, buf);
        } else {
                strbuf_puts(buf, "{ pods: { namespaceSelector: ");
                add_namespace_selector(gen, buf);
                strbuf_puts(buf, ", podSelector: ");
                add_selector(gen, buf);
                strbuf_puts(buf, " }");
        }
        strbuf_puts(buf, " }");
}

static void add_tier_port(struct gen *gen, const struct dialect *dialect, size_t rule, bool names)
{
        static const char *const lower[] = {"tcp", "udp", "sctp"};
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        size_t protocol = rng_below(&gen->rng, 3), first = rng_below(&gen->rng, ARRAY_SIZE(ports) - 1);
        unsigned start = ports[first],
                 end = ports[first + 1 + rng_below(&gen->rng, ARRAY_SIZE(ports) - 1 - (uint32_t)first)];
        bool old = !dialect->tier, range = rng_chance(&gen->rng, 40);

        if (names && rng_chance(&gen->rng, 40))
                strbuf_printf(&buf, old ? "{ namedPort: %s }" : "{ destinationNamedPort: %s }",
                              PICK(&gen->rng, port_names));
        else if (old && range)
                strbuf_printf(&buf, "{ portRange: { protocol: %s, start: %u, end: %u } }", protocols[protocol], start,
                              end);
        else if (old)
                strbuf_printf(&buf, "{ portNumber: { protocol: %s, port: %u } }", protocols[protocol], start);
        else if (range)
                strbuf_printf(&buf, "{ %s: { destinationPort: { range: { start: %u, end: %u } } } }", lower[protocol],
                              start, end);
        else if (rng_chance(&gen->rng, 80))
                strbuf_printf(&buf, "{ %s: { destinationPort: { number: %u } } }", lower[protocol], start);
        else
                strbuf_printf(&buf, "{ %s: {} }", lower[protocol]);
        add_piece(gen, GEN_PORT, rule, &buf);
}

static void add_tier_rule(struct gen *gen, const struct dialect *dialect, enum gen_kind kind, size_t policy)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        size_t peers = 1 + rng_below(&gen->rng, 2), port_count = rng_below(&gen->rng, 3), rule;
        bool networks = false;

        strbuf_printf(&buf, "action: %s, ", dialect->actions[rng_below(&gen->rng, (uint32_t)dialect->actions_len)]);
        rule = add_piece(gen, kind, policy, &buf);
        for (size_t i = 0; i < peers; ++i) {
                if (kind == GEN_EGRESS && rng_chance(&gen->rng, 40)) {
                        networks = true;
                        strbuf_printf(&buf, "{ networks: [\"%s\", \"%s\"] }", PICK(&gen->rng, blocks).text,
                                      PICK(&gen->rng, blocks).text);
                } else {
                        add_tier_selector(gen, &buf);
                }
                add_piece(gen, GEN_PEER, rule, &buf);
        }
        for (size_t i = 0; i < port_count; ++i)
                add_tier_port(gen, dialect, rule, !networks);
}

static void add_tier_policy(struct gen *gen, const struct dialect *dialect, size_t i)
{
        static const unsigned priorities[] = {0, 5, 5, 1000};
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        size_t ingress = rng_below(&gen->rng, 5), egress = rng_below(&gen->rng, 5), policy;

        strbuf_printf(&buf, "apiVersion: policy.networking.k8s.io/%s\nkind: %s\nmetadata:\n  name: ", dialect->version,
                      dialect->kind);
        if (dialect->priority)
                strbuf_printf(&buf, "t%zu\nspec:\n  priority: %u\n", i * 7 % 10, PICK(&gen->rng, priorities));
        else
                strbuf_puts(&buf, "default\nspec:\n");
        if (dialect->tier)
                strbuf_printf(&buf, "  tier: %s\n", dialect->tier);
        strbuf_puts(&buf, "  subject: ");
        add_tier_selector(gen, &buf);
        strbuf_putc(&buf, '\n');
        policy = add_piece(gen, GEN_POLICY, 0, &buf);
        if (policy == SIZE_MAX)
                return;
        gen->world->pieces[policy].ports = dialect->ports;
        gen->world->pieces[policy].tiered = true;
        for (size_t j = 0; j < ingress; ++j)
                add_tier_rule(gen, dialect, GEN_INGRESS, policy);
        for (size_t j = 0; j < egress; ++j)
                add_tier_rule(gen, dialect, GEN_EGRESS, policy);
}

/* Most worlds have some. There is at most one of the kind that has no priority. */
static void add_tiers(struct gen *gen)
{
        size_t len = rng_chance(&gen->rng, 40) ? 0 : 1 + rng_below(&gen->rng, 5);
        bool has_default = false;

        for (size_t i = 0; i < len; ++i) {
                const struct dialect *dialect = &PICK(&gen->rng, dialects);

                if (!dialect->priority && has_default)
                        continue;
                has_default = has_default || !dialect->priority;
                add_tier_policy(gen, dialect, i);
        }
}

int gen_world(struct gen_world *ret, uint64_t seed)
{
        struct gen_world world = {.seed = seed, .settings = settings_default};
        struct gen gen = {.world = &world, .rng = rng_for(seed, 0, 0)};
        size_t endpoints = 1 + rng_below(&gen.rng, 10), policies = rng_below(&gen.rng, 8);

        /* Peers that are many are compiled in another way. */
        gen.large = rng_chance(&gen.rng, 10);
        if (gen.large)
                endpoints += 40;
        world.settings.default_action = rng_chance(&gen.rng, 75) ? ACTION_ALLOW : ACTION_DENY;
        world.settings.host_policy = rng_chance(&gen.rng, 50);
        world.settings.unknown_deny = rng_chance(&gen.rng, 75);
        gen.namespaces_len = 1 + rng_below(&gen.rng, ARRAY_SIZE(namespaces));
        for (size_t i = 0; i < gen.namespaces_len; ++i)
                add_namespace(&gen, i);
        for (size_t i = 0; i < endpoints; ++i)
                add_endpoint(&gen, i);
        for (size_t i = 0; i < policies; ++i)
                add_policy(&gen, i);
        add_tiers(&gen);
        *ret = world;
        return 0;
}

void gen_world_fini(struct gen_world *world)
{
        for (size_t i = 0; i < world->len; ++i)
                free(world->pieces[i].text);
        free(world->pieces);
        *world = (struct gen_world){0};
}

bool gen_run(int argc, char **argv, uint64_t worlds, int (*try)(uint64_t seed, void *user), void *user,
             uint64_t *ret_worlds)
{
        uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

        worlds = argc > 2 ? strtoull(argv[2], NULL, 0) : worlds;
        for (uint64_t i = 0; i < worlds; i++) {
                int r = try(seed + i, user);

                if (r < 0) {
                        printf("not ok: %s; %s %" PRIu64 " 1 shows it again\n",
                               r == -EBADMSG ? "see above" : strerror(-r), argv[0], seed + i);
                        return false;
                }
        }
        if (ret_worlds)
                *ret_worlds = worlds;
        return true;
}
