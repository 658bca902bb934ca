/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-latent [SEED [WORLDS]]: a random world, and the same with some of its policies, or pieces of them, gone. A container
 * that fits the description of a future one is put into the inventory: then it has exactly the changes that were told of it,
 * with everybody there, with another future one, and with the outside. And a container of any labels has no change that was
 * told of nobody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/latent.h>

#include "gen.h"

#define TRIES 4

struct tally {
        size_t worlds, futures, latent, added, pairs, ports, new_namespaces, outside, random, told, not_grown, bounded;
};

struct trial {
        const struct gen_world *gen;
        struct gen_loaded old, new;
        struct inventory *inventory;
        struct world *worlds[CHANGE_SIDE_MAX];
        struct changes *changes;
        struct latent *latent;
        struct rng rng;
        struct tally *tally;
};

/* The world with containers added to it. */
struct grown {
        struct inventory *inventory;
        struct world *worlds[CHANGE_SIDE_MAX];
        struct changes *changes;
};

/* What became of some flows: nothing, a change, or what cannot be said. */
struct told {
        bool known;
        const struct change *change; /* NULL: none */
};

static void grown_fini(struct grown *grown)
{
        changes_free(grown->changes);
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                world_free(grown->worlds[side]);
        inventory_free(grown->inventory);
}

static void trial_fini(struct trial *trial)
{
        latent_free(trial->latent);
        changes_free(trial->changes);
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                world_free(trial->worlds[side]);
        inventory_free(trial->inventory);
        gen_loaded_fini(&trial->old);
        gen_loaded_fini(&trial->new);
}

/* Some pieces of the policies. */
static void drop(struct gen_world *gen)
{
        struct rng rng = rng_for(gen->seed, 11, 11);

        for (size_t i = 0; i < gen->len; i++)
                if (gen->pieces[i].kind != GEN_NAMESPACE && gen->pieces[i].kind != GEN_ENDPOINT)
                        gen->pieces[i].dropped = rng_chance(&rng, 20);
}

static int copy_inventory(struct inventory **ret, const struct inventory *from, bool addresses)
{
        int r;

        r = inventory_new(ret);
        for (size_t i = 0; r == 0 && i < from->namespaces_len; i++)
                r = inventory_add_namespace(*ret, &from->namespaces[i]);
        for (size_t i = 0; r == 0 && i < from->endpoints_len; i++) {
                struct endpoint endpoint = from->endpoints[i];

                if (!addresses)
                        endpoint.addrs_len = 0;
                r = inventory_add_endpoint(*ret, &endpoint);
        }

        return r;
}

static int make_changes(const struct trial *trial, const struct inventory *inventory,
                        struct world *worlds[static CHANGE_SIDE_MAX], struct changes **ret)
{
        const struct policy_set *const sets[] = {trial->old.policies, trial->new.policies};
        int r = 0;

        for (enum change_side side = 0; r == 0 && side < CHANGE_SIDE_MAX; side++)
                r = world_new(&worlds[side], sets[side], inventory, &trial->gen->settings);

        return r == 0 ? changes_new(ret, worlds[CHANGE_OLD], worlds[CHANGE_NEW]) : r;
}

static int trial_init(struct trial *trial, struct gen_world *gen)
{
        int r;

        trial->gen = gen;
        trial->rng = rng_for(gen->seed, 12, 12);
        r = gen_load(&trial->old, gen, &(struct gen_order){0});
        if (r == 0) {
                drop(gen);
                r = gen_load(&trial->new, gen, &(struct gen_order){0});
        }
        /* Where nobody has an address, labels alone decide what is told of whom. */
        if (r == 0)
                r = copy_inventory(&trial->inventory, trial->new.inventory, gen->seed % 2 == 0);
        if (r == 0)
                r = inventory_seal(trial->inventory);
        if (r == 0)
                r = make_changes(trial, trial->inventory, trial->worlds, &trial->changes);
        if (r == 0)
                r = latent_new(&trial->latent, trial->worlds[CHANGE_OLD], trial->worlds[CHANGE_NEW], trial->changes);
        return r;
}

static bool same_conns(const struct conns *a, const struct conns *b)
{
        for (size_t i = 0; i < CONNS_PROTO_MAX; i++)
                if (a->ports_len[i] != b->ports_len[i] ||
                    (a->ports_len[i] > 0 &&
                     memcmp(a->ports[i], b->ports[i], a->ports_len[i] * sizeof(*a->ports[i])) != 0))
                        return false;

        return a->other == b->other;
}

static bool same_change(const struct change *a, const struct change *b)
{
        if (!a || !b)
                return a == b;

        return same_conns(a->conns[CHANGE_OLD], b->conns[CHANGE_OLD]) &&
               same_conns(a->conns[CHANGE_NEW], b->conns[CHANGE_NEW]);
}

/* The change between two kinds, or NULL. */
static const struct change *find_change(const struct changes *changes, size_t src, size_t dst)
{
        for (size_t i = 0; i < changes->len; i++) {
                const struct change *change = &changes->items[i];

                if (!change->src.outside && !change->dst.outside && change->src.kind == src && change->dst.kind == dst)
                        return change;
        }

        return NULL;
}

/* The change between a kind and an address of the outside, or NULL. */
static const struct change *find_outside(const struct changes *changes, enum direction d, size_t kind,
                                         const struct addr *addr)
{
        for (size_t i = 0; i < changes->len; i++) {
                const struct change *change = &changes->items[i];
                const struct change_end *inside = d == DIR_EGRESS ? &change->src : &change->dst;
                const struct change_end *outside = d == DIR_EGRESS ? &change->dst : &change->src;

                if (!inside->outside && outside->outside && inside->kind == kind &&
                    addr_range_contains(&outside->range, addr))
                        return change;
        }

        return NULL;
}

static size_t latent_kind(const struct trial *trial, size_t party)
{
        return trial->latent->changes->parties[party].kind;
}

/* Whether what is told of the other that the party is like as a source goes for it. Not where that one is there and has
 * addresses, by which blocks may know it. */
static bool is_like(const struct trial *trial, size_t party)
{
        size_t like = trial->latent->parties[party].like;

        return trial->latent->parties[like].future || latent_example(trial->latent, like)->addrs_len == 0;
}

/* What was told of flows between two parties of the latent. */
static struct told find_told(const struct trial *trial, size_t src, size_t dst)
{
        const struct latent_party *parties = trial->latent->parties;

        if (parties[src].like != SIZE_MAX)
                return is_like(trial, src) ? find_told(trial, parties[src].like, dst) : (struct told){false, NULL};
        if (parties[src].future || parties[dst].future)
                return (struct told){
                        true, find_change(trial->latent->changes, latent_kind(trial, src), latent_kind(trial, dst))};

        /* Of somebody with itself nothing is told. */
        if (parties[src].kind == parties[dst].kind && trial->changes->kinds[parties[src].kind].len == 1)
                return (struct told){false, NULL};
        return (struct told){true, find_change(trial->changes, parties[src].kind, parties[dst].kind)};
}

static struct told find_told_outside(const struct trial *trial, enum direction d, size_t party, const struct addr *addr)
{
        const struct latent_party *p = &trial->latent->parties[party];

        if (!p->future)
                return (struct told){true, find_outside(trial->changes, d, p->kind, addr)};
        if (p->like != SIZE_MAX && d == DIR_EGRESS)
                return is_like(trial, party) ? find_told_outside(trial, d, p->like, addr) : (struct told){false, NULL};

        return (struct told){true, find_outside(trial->latent->changes, d, latent_kind(trial, party), addr)};
}

/* A namespace that fits the place, any of those that do. */
static const char *pick_namespace(struct trial *trial, const struct latent_place *place)
{
        const char *name = NULL;

        if (place->namespaces_len > 0 && (!place->new_namespace || rng_chance(&trial->rng, 50)))
                return place->namespaces[rng_below(&trial->rng, (uint32_t)place->namespaces_len)];

        for (size_t i = 0; i < place->new_namespace->len; i++)
                if (place->new_namespace->requirements[i].op == LABEL_IN &&
                    strcmp(place->new_namespace->requirements[i].key, NAMESPACE_NAME_LABEL) == 0)
                        name = place->new_namespace->requirements[i].values[0];

        trial->tally->new_namespaces++;
        return name ? name : "zz-new";
}

/* Labels of the alphabet that the selector admits, and a name among them unless it is NULL; false where many tries find
 * none. */
static bool pick_labels(struct trial *trial, const struct selector *selector, const char *name, struct label *items,
                        struct label_set *ret)
{
        static const char *const keys[] = {"app", "team", "tier"}, *const values[] = {"web", "db", "", "mail"};

        for (int i = 0; i < 300; i++) {
                *ret = (struct label_set){items, 0};
                for (size_t j = 0; j < ARRAY_SIZE(keys); j++)
                        if (rng_chance(&trial->rng, 50))
                                items[ret->len++] =
                                        (struct label){keys[j], values[rng_below(&trial->rng, ARRAY_SIZE(values))]};
                if (name)
                        items[ret->len++] = (struct label){NAMESPACE_NAME_LABEL, name};
                label_set_normalise(ret);
                if (selector_matches(selector, ret))
                        return true;
        }

        return false;
}

/* A container that fits one of the party's places. Condition: no labels were found, or a namespace of another kind has the
 * name that this one should have. */
enum {
        NOT_GROWN = 1,
};

static int add_fitting(struct trial *trial, struct inventory *inventory, size_t party, const char *name, size_t twins)
{
        static const char *const names[] = {"zz-1", "zz-2"};
        const struct latent_party *p = &trial->latent->parties[party];
        const struct latent_place *place = &p->places[rng_below(&trial->rng, (uint32_t)p->places_len)];
        struct label items[4], ns_items[4];
        struct namespace ns;
        struct endpoint endpoint = {
                .ns = pick_namespace(trial, place),
                .runtime = "",
                .id = "",
                .ports = (struct named_port *)p->ports,
                .ports_len = p->has_ports ? p->ports_len : 0,
        };
        int r = 0;

        if (!pick_labels(trial, place->labels, NULL, items, &endpoint.labels))
                return NOT_GROWN;
        if (!inventory_find_namespace(trial->inventory, endpoint.ns) && place->new_namespace) {
                ns.name = endpoint.ns = strcmp(endpoint.ns, "zz-new") == 0 ? name : endpoint.ns;
                if (!pick_labels(trial, place->new_namespace, ns.name, ns_items, &ns.labels))
                        return NOT_GROWN;
                r = inventory_add_namespace(inventory, &ns);
        }

        for (size_t i = 0; r == 0 && i < twins; i++) {
                endpoint.name = twins > 1 ? names[i] : name;
                r = inventory_add_endpoint(inventory, &endpoint);
        }

        return r == INVENTORY_E_DUPLICATE ? NOT_GROWN : r;
}

/* The inventory with "zz-1" that fits a party, and perhaps with "zz-2" that fits the same or another. */
static int grow(struct trial *trial, const size_t *parties, size_t len, struct grown *ret)
{
        bool twins = len > 1 && parties[0] == parties[1];
        int r;

        r = copy_inventory(&ret->inventory, trial->inventory, true);
        if (r == 0)
                r = add_fitting(trial, ret->inventory, parties[0], "zz-1", twins ? 2 : 1);
        if (r == 0 && len > 1 && !twins)
                r = add_fitting(trial, ret->inventory, parties[1], "zz-2", 1);
        if (r == 0)
                r = inventory_seal(ret->inventory);
        if (r == 0)
                r = make_changes(trial, ret->inventory, ret->worlds, &ret->changes);
        trial->tally->not_grown += r == NOT_GROWN;
        return r;
}

/* The number of an endpoint among the parties of changes. */
static size_t find_party(const struct changes *changes, const char *name)
{
        size_t i = 0;

        while (strcmp(changes->parties[i].endpoint[CHANGE_NEW]->name, name) != 0)
                i++;

        return i;
}

static size_t find_latent_party(const struct trial *trial, size_t kind)
{
        size_t i = 0;

        while (trial->latent->parties[i].future || trial->latent->parties[i].kind != kind)
                i++;

        return i;
}

static const struct change *grown_change(const struct grown *grown, size_t src, size_t dst)
{
        return find_change(grown->changes, grown->changes->parties[src].kind, grown->changes->parties[dst].kind);
}

static int compare(const struct told *told, const struct change *change, const char *what)
{
        if (!told->known || same_change(told->change, change))
                return 0;

        printf("# %s: %s, and it is %s\n", what, told->change ? "a change was told" : "nothing was told",
               !change        ? "none"
               : told->change ? "another"
                              : "one");
        return -EBADMSG;
}

static int check_outside(struct trial *trial, const struct grown *grown, size_t party, size_t x)
{
        static const char *const texts[] = {"0.0.0.0",   "10.0.0.5", "10.0.0.9",  "10.0.1.3", "10.77.0.1",
                                            "192.0.2.1", "::",       "fd00::5",   "fd00::9",  "fd00:0:0:1::3",
                                            "ffff::1",   "8.8.8.8",  "10.0.0.14", "fd00::f"};
        size_t kind = grown->changes->parties[x].kind;
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++) {
                struct addr addr;

                addr_parse(texts[i], &addr);
                for (enum direction d = 0; r == 0 && d < DIR_MAX; d++) {
                        const struct change *change = find_outside(grown->changes, d, kind, &addr);
                        struct told told = find_told_outside(trial, d, party, &addr);

                        trial->tally->outside += change != NULL;
                        r = compare(&told, change, "the outside");
                }
        }

        return r;
}

/* One that fits the party is there: what becomes of its flows? */
static int check_one(struct trial *trial, size_t party)
{
        struct grown grown = {NULL};
        size_t x;
        int r;

        r = grow(trial, &party, 1, &grown);
        if (r == 0) {
                x = find_party(grown.changes, "zz-1");
                for (size_t i = 0; r == 0 && i < grown.changes->parties_len; i++) {
                        const struct endpoint *endpoint = grown.changes->parties[i].endpoint[CHANGE_NEW];
                        size_t there, other;
                        struct told out, in;

                        if (i == x)
                                continue;
                        there = (size_t)(inventory_find(trial->inventory, endpoint->ns, endpoint->name) -
                                         trial->inventory->endpoints);
                        other = find_latent_party(trial, trial->changes->parties[there].kind);
                        out = find_told(trial, party, other);
                        in = find_told(trial, other, party);
                        r = compare(&out, grown_change(&grown, x, i), "to one who is there");
                        if (r == 0)
                                r = compare(&in, grown_change(&grown, i, x), "from one who is there");
                }
                if (r == 0)
                        r = check_outside(trial, &grown, party, x);
        }
        grown_fini(&grown);
        trial->tally->added += r == 0;
        trial->tally->ports += r == 0 && trial->latent->parties[party].has_ports;
        return r == NOT_GROWN ? 0 : r;
}

/* Two future ones meet. */
static int check_two(struct trial *trial, size_t a, size_t b)
{
        const size_t parties[] = {a, b};
        struct told told = find_told(trial, a, b);
        struct grown grown = {NULL};
        int r;

        r = grow(trial, parties, 2, &grown);
        if (r == 0)
                r = compare(&told,
                            grown_change(&grown, find_party(grown.changes, "zz-1"), find_party(grown.changes, "zz-2")),
                            "one another");
        grown_fini(&grown);
        trial->tally->pairs += r == 0;
        return r == NOT_GROWN ? 0 : r;
}

/* Whether somebody, there or future, was told to have this change with the party. */
static bool is_told(const struct trial *trial, const struct change *change, size_t other, bool to)
{
        for (size_t i = 0; i < trial->latent->changes->parties_len; i++) {
                struct told told = to ? find_told(trial, i, other) : find_told(trial, other, i);

                if (told.known && told.change && same_change(told.change, change))
                        return true;
        }

        return false;
}

/* Whether two have the same changes with everybody else: then they are of one cell, and what becomes of flows between them is
 * told of nobody while there is one. */
static bool are_alike(const struct grown *grown, size_t x, size_t y)
{
        for (size_t i = 0; i < grown->changes->parties_len; i++)
                if (i != x && i != y &&
                    (!same_change(grown_change(grown, x, i), grown_change(grown, y, i)) ||
                     !same_change(grown_change(grown, i, x), grown_change(grown, i, y))))
                        return false;

        return true;
}

/* Any container, without port names, in a namespace that is there. */
static int check_random(struct trial *trial)
{
        static const char *const keys[] = {"app", "team", "tier"}, *const values[] = {"web", "db", "", "mail"};
        const struct inventory *inventory = trial->inventory;
        struct grown grown = {NULL};
        struct label items[3];
        struct endpoint endpoint = {.name = "zz-1", .runtime = "", .id = "", .labels = {items, 0}};
        size_t x;
        int r;

        endpoint.ns = inventory->namespaces[rng_below(&trial->rng, (uint32_t)inventory->namespaces_len)].name;
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (rng_chance(&trial->rng, 50))
                        items[endpoint.labels.len++] =
                                (struct label){keys[i], values[rng_below(&trial->rng, ARRAY_SIZE(values))]};

        r = copy_inventory(&grown.inventory, inventory, true);
        if (r == 0)
                r = inventory_add_endpoint(grown.inventory, &endpoint);
        if (r == 0)
                r = inventory_seal(grown.inventory);
        if (r == 0)
                r = make_changes(trial, grown.inventory, grown.worlds, &grown.changes);
        x = r == 0 ? find_party(grown.changes, "zz-1") : 0;
        for (size_t i = 0; r == 0 && i < grown.changes->parties_len; i++) {
                const struct endpoint *other = grown.changes->parties[i].endpoint[CHANGE_NEW];
                size_t there, party;

                if (i == x || are_alike(&grown, x, i))
                        continue;
                there = (size_t)(inventory_find(inventory, other->ns, other->name) - inventory->endpoints);
                party = find_latent_party(trial, trial->changes->parties[there].kind);
                for (int to = 0; r == 0 && to < 2; to++) {
                        const struct change *change = to ? grown_change(&grown, x, i) : grown_change(&grown, i, x);

                        trial->tally->told += change != NULL;
                        if (change && !is_told(trial, change, party, to)) {
                                printf("# a change of a new container was told of nobody\n");
                                r = -EBADMSG;
                        }
                }
        }
        grown_fini(&grown);
        trial->tally->random++;
        return r;
}

/* A future party, at random; SIZE_MAX: there is none. */
static size_t pick_future(struct trial *trial)
{
        size_t len = trial->latent->changes->parties_len, first = len > 0 ? rng_below(&trial->rng, (uint32_t)len) : 0;

        for (size_t i = 0; i < len; i++)
                if (trial->latent->parties[(first + i) % len].future)
                        return (first + i) % len;

        return SIZE_MAX;
}

static int try_world(uint64_t seed, void *user)
{
        struct tally *tally = user;
        _cleanup_(gen_world_fini) struct gen_world gen = {.pieces = NULL};
        struct trial trial = {.tally = tally};
        int r;

        r = gen_world(&gen, seed);
        if (r == 0)
                r = trial_init(&trial, &gen);
        tally->bounded += r == 0 && trial.latent->bounded;
        for (int i = 0; r == 0 && i < TRIES; i++) {
                size_t a = pick_future(&trial), b = pick_future(&trial);

                if (a != SIZE_MAX)
                        r = check_one(&trial, a);
                if (r == 0 && a != SIZE_MAX)
                        r = check_two(&trial, a, b);
                if (r == 0 && gen.seed % 2 == 1 && !trial.latent->bounded)
                        r = check_random(&trial);
        }
        for (size_t i = 0; r == 0 && i < trial.latent->changes->parties_len; i++)
                tally->futures += trial.latent->parties[i].future;
        tally->latent += r == 0 ? trial.latent->changes->len : 0;
        tally->worlds++;
        trial_fini(&trial);
        return r;
}

int main(int argc, char **argv)
{
        struct tally tally = {0};
        uint64_t worlds;

        if (!gen_run(argc, argv, 150, try_world, &tally, &worlds))
                return 1;

        printf("%zu worlds: %zu latent changes of %zu future containers; %zu came (%zu with port names, %zu in a new "
               "namespace), %zu pairs, %zu addresses outside with changes; %zu of any labels, %zu changes of them; %zu "
               "that "
               "could not be, %zu worlds with too many kinds\n",
               tally.worlds, tally.latent, tally.futures, tally.added, tally.ports, tally.new_namespaces, tally.pairs,
               tally.outside, tally.random, tally.told, tally.not_grown, tally.bounded);
        if (worlds >= 100 && (tally.latent == 0 || tally.ports == 0 || tally.new_namespaces == 0 ||
                              tally.outside == 0 || tally.told == 0 || tally.bounded > worlds / 20)) {
                printf("not ok: the worlds do not show everything\n");
                return 1;
        }

        return 0;
}
