/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latent changes: present and future containers compared, and what of it is worth telling. */
#include <errno.h>
#include <string.h>

#include "latent_internal.h"

/* Where the numbers begin that port names of future containers have. */
#define PORT_FIRST 50000

static bool rule_singles_out(const struct rule *rule, uint16_t port)
{
        for (size_t i = 0; i < rule->ports_len; i++)
                if (rule->ports[i].kind == PORT_RANGE &&
                    (rule->ports[i].range.first == port || rule->ports[i].range.last == port))
                        return true;

        return false;
}

static bool is_singled_out(const struct latent_build *build, uint16_t port)
{
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct world *world = build->worlds[side];

                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (size_t i = 0; i < world->rules_len[d]; i++)
                                if (rule_singles_out(world->rules[d][i].rule, port))
                                        return true;
        }

        return false;
}

/* A number for each name: one that stands for all that are nothing else to any rule. */
static int number_ports(struct latent_build *build)
{
        uint16_t port = PORT_FIRST;

        build->ports = arena_memdup(build->latent->arena, build->grown_ports, build->ports_len * sizeof(*build->ports));
        if (!build->ports)
                return -ENOMEM;

        for (size_t i = 0; i < build->ports_len; i++) {
                while (port < UINT16_MAX && is_singled_out(build, port))
                        port++;
                build->ports[i].port = port++;
        }

        return 0;
}

static int build_worlds(struct latent_build *build)
{
        struct latent *latent = build->latent;
        int r = 0;

        for (enum change_side side = 0; r == 0 && side < CHANGE_SIDE_MAX; side++)
                r = world_new(&latent->worlds[side], build->worlds[side]->policies, latent->inventory,
                              build->worlds[side]->settings);

        return r;
}

static const struct latent_party *end_party(const struct latent *latent, const struct change_end *end)
{
        return &latent->parties[latent->changes->kinds[end->kind].parties[0]];
}

/* The name that its namespace, which is a new one, must have; NULL: there is no such name. */
static const char *pinned_name(const struct latent_party *party)
{
        const struct latent_place *place = party->places;

        if (!party->future || party->places_len != 1 || place->namespaces_len > 0)
                return NULL;

        for (size_t i = 0; i < place->new_namespace->len; i++) {
                const struct label_requirement *requirement = &place->new_namespace->requirements[i];

                if (requirement->op == LABEL_IN && requirement->values_len == 1 &&
                    strcmp(requirement->key, NAMESPACE_NAME_LABEL) == 0)
                        return requirement->values[0];
        }

        return NULL;
}

/* A namespace that is still to come has these labels or those, but both ends are in it as it is. */
static bool can_both_be(const struct latent *latent, const struct change *change)
{
        const char *src, *dst, *ns[2];

        if (change->src.outside || change->dst.outside)
                return true;

        src = pinned_name(end_party(latent, &change->src));
        dst = pinned_name(end_party(latent, &change->dst));
        ns[0] = latent_example(latent, latent->changes->kinds[change->src.kind].parties[0])->ns;
        ns[1] = latent_example(latent, latent->changes->kinds[change->dst.kind].parties[0])->ns;
        return !src || !dst || strcmp(src, dst) != 0 || strcmp(ns[0], ns[1]) == 0;
}

/* Names of ports mean something of the destination alone. */
static bool is_worth_telling(const struct latent *latent, const struct change *change)
{
        return change->src.outside || end_party(latent, &change->src)->like == SIZE_MAX;
}

static int compare(struct latent_build *build)
{
        struct latent *latent = build->latent;
        _cleanup_free_ bool *wanted = NULL, *keeps = NULL;
        struct changes *changes;
        size_t len = 0;
        int r;

        wanted = calloc(latent->inventory->endpoints_len + 1, sizeof(*wanted));
        if (!wanted)
                return -ENOMEM;
        for (size_t i = 0; i < latent->inventory->endpoints_len; i++)
                wanted[i] = latent->parties[i].future;

        r = changes_new_of(&latent->changes, latent->worlds[CHANGE_OLD], latent->worlds[CHANGE_NEW], wanted);
        if (r < 0)
                return r;

        changes = latent->changes;
        keeps = calloc(changes->len + 1, sizeof(*keeps));
        if (!keeps)
                return -ENOMEM;
        for (size_t i = 0; i < changes->len; i++)
                keeps[i] = can_both_be(latent, &changes->items[i]) && is_worth_telling(latent, &changes->items[i]);
        for (size_t i = 0; i < changes->len; i++)
                if (keeps[i])
                        changes->items[len++] = changes->items[i];
        changes->len = len;
        return 0;
}

static void count(struct latent *latent)
{
        for (size_t i = 0; i < latent->changes->len; i++) {
                latent->widened += latent->changes->items[i].widens;
                latent->narrowed += latent->changes->items[i].narrows;
        }
}

static int build_all(struct latent_build *build)
{
        struct latent *latent = build->latent;
        int r;

        build->arena = arena_new();
        latent->arena = arena_new();
        if (!build->arena || !latent->arena)
                return -ENOMEM;

        r = inventory_new(&latent->inventory);
        if (r == 0)
                r = latent_find_entries(build);
        if (r == 0)
                r = number_ports(build);
        if (r == 0)
                r = latent_find_futures(build);
        if (r == 0)
                r = build_worlds(build);
        if (r == 0)
                r = compare(build);
        return r;
}

int latent_new(struct latent **ret, const struct world *old, const struct world *new, const struct changes *changes)
{
        _cleanup_(latent_freep) struct latent *latent = NULL;
        struct latent_build build = {.worlds = {old, new}, .changes = changes};
        int r;

        latent = calloc(1, sizeof(*latent));
        if (!latent)
                return -ENOMEM;

        build.latent = latent;
        r = build_all(&build);
        free(build.entries);
        free(build.grown_ports);
        str_index_fini(&build.entry_index);
        arena_free(build.arena);
        if (r < 0)
                return r;

        count(latent);
        *ret = steal(latent);
        return 0;
}

struct latent *latent_free(struct latent *latent)
{
        if (!latent)
                return NULL;

        changes_free(latent->changes);
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                world_free(latent->worlds[side]);
        inventory_free(latent->inventory);
        arena_free(latent->arena);
        free(latent);
        return NULL;
}

const struct endpoint *latent_example(const struct latent *latent, size_t party)
{
        return &latent->inventory->endpoints[party];
}
