/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latent changes: the future containers, one for each cell that nobody is in. */
#include <errno.h>
#include <string.h>

#include "latent_internal.h"

/* Containers that the entries do not tell apart. */
struct population {
        struct latent_place *places; /* owned */
        size_t places_len, places_cap;
        bool unselected;                   /* no entry matches them */
        bool names;                        /* what their ports are called matters */
        bool present_plain, present_ports; /* somebody has none, or all, of the build's port names */
        bool told;                         /* their future one is a member */
        size_t first;                      /* the first member of them; SIZE_MAX: none */
};

/* A future or present party, before the inventory has put them in order. */
struct member {
        const char *ns, *name;
        struct latent_party party;
        size_t population; /* of a future one */
};

struct futures {
        struct latent_build *build;
        struct arena *arena; /* the latent changes' */
        size_t words;        /* of a bit for each entry */
        struct latent_contexts contexts;

        struct population *populations; /* owned */
        size_t populations_len, populations_cap;
        struct str_index population_index;

        struct member *members; /* owned */
        size_t members_len, members_cap;
        size_t cells;    /* looked at */
        unsigned serial; /* of names */
};

static void futures_fini(struct futures *futures)
{
        latent_contexts_fini(&futures->contexts);
        for (size_t i = 0; i < futures->populations_len; i++)
                free(futures->populations[i].places);
        free(futures->populations);
        free(futures->members);
        str_index_fini(&futures->population_index);
}

/* populations */

/* The population with this place in the entries, on each side. */
static int find_population(struct futures *futures, const uint32_t *places, size_t *ret)
{
        struct population *population;
        size_t size = CHANGE_SIDE_MAX * futures->words * sizeof(*places);
        uint32_t id;
        void *copy;
        int r;

        if (str_index_get(&futures->population_index, places, size, &id)) {
                *ret = id;
                return 0;
        }

        copy = arena_memdup(futures->build->arena, places, size);
        if (!copy)
                return -ENOMEM;
        r = array_reserve(&futures->populations, &futures->populations_cap, futures->populations_len + 1,
                          sizeof(*futures->populations));
        if (r == 0)
                r = str_index_put(&futures->population_index, copy, size, (uint32_t)futures->populations_len);
        if (r < 0)
                return r;

        *ret = futures->populations_len;
        population = &futures->populations[futures->populations_len++];
        *population = (struct population){
                .first = SIZE_MAX,
                .unselected = true,
                .names = futures->build->names_of_all && futures->build->ports_len > 0,
        };
        for (size_t i = 0; i < futures->build->entries_len; i++) {
                if (!cells_bit(places, i) && !cells_bit(places + futures->words, i))
                        continue;
                population->unselected = false;
                population->names |= futures->build->entries[i].names;
        }

        return 0;
}

/* How many of the build's port names the endpoint has. */
static size_t count_ports(const struct latent_build *build, const struct endpoint *endpoint)
{
        size_t n = 0;

        for (size_t i = 0; i < build->ports_len; i++) {
                bool has = false;

                for (size_t j = 0; !has && j < endpoint->ports_len; j++)
                        has = endpoint->ports[j].protocol == build->ports[i].protocol &&
                              strcmp(endpoint->ports[j].name, build->ports[i].name) == 0;
                n += has;
        }

        return n;
}

static int add_member(struct futures *futures, const struct endpoint *endpoint, const struct latent_party *party)
{
        struct latent *latent = futures->build->latent;
        int r;

        r = inventory_add_endpoint(latent->inventory, endpoint);
        if (r == 0)
                r = array_reserve(&futures->members, &futures->members_cap, futures->members_len + 1,
                                  sizeof(*futures->members));
        if (r != 0)
                return r;

        futures->members[futures->members_len++] =
                (struct member){.ns = endpoint->ns, .name = endpoint->name, .party = *party};
        return 0;
}

/* Who is there: one of each kind. */
static int add_present(struct futures *futures, size_t kind, uint32_t *places)
{
        const struct latent_build *build = futures->build;
        const struct change_kind *k = &build->changes->kinds[kind];
        const struct endpoint *endpoint = build->changes->parties[k->parties[0]].endpoint[CHANGE_NEW];
        const struct latent_party party = {.kind = kind, .like = SIZE_MAX};
        uint32_t context = 0;
        size_t id;
        int r;

        if (!endpoint)
                return 0;

        r = add_member(futures, endpoint, &party);
        if (r != 0 || endpoint->host_network)
                return r;

        str_index_get(&futures->contexts.name_index, endpoint->ns, strlen(endpoint->ns), &context);
        memset(places, 0, CHANGE_SIDE_MAX * futures->words * sizeof(*places));
        for (size_t i = 0; i < build->entries_len; i++)
                for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                        if (cells_bit(futures->contexts.items[context].reaches[side], i) &&
                            (!build->entries[i].pod_selector ||
                             selector_matches(build->entries[i].pod_selector, &endpoint->labels)))
                                places[side * futures->words + i / 32] |= 1u << i % 32;

        r = find_population(futures, places, &id);
        if (r < 0)
                return r;

        if (futures->populations[id].first == SIZE_MAX)
                futures->populations[id].first = futures->members_len - 1;
        for (size_t i = 0; i < k->len; i++) {
                size_t ports = count_ports(build, build->changes->parties[k->parties[i]].endpoint[CHANGE_NEW]);

                futures->populations[id].present_plain |= ports == 0;
                futures->populations[id].present_ports |= ports == build->ports_len;
        }
        return 0;
}

/* Two of them, so that they can meet one another. */
static int add_twins(struct futures *futures, const struct latent_context *context, const struct cell *cell,
                     size_t population, bool has_ports)
{
        const struct latent_build *build = futures->build;
        struct latent_party party = {
                .future = true,
                .kind = SIZE_MAX,
                .unselected = futures->populations[population].unselected,
                .ports = build->ports,
                .ports_len = futures->populations[population].names ? build->ports_len : 0,
                .has_ports = has_ports,
                .like = futures->populations[population].first,
        };
        struct endpoint endpoint = {
                .ns = context->names_len > 0 ? context->names[0] : context->ns,
                .runtime = "",
                .id = "",
                .labels = cell->labels,
                .ports = build->ports,
                .ports_len = has_ports ? build->ports_len : 0,
        };
        int r;

        for (int twin = 0; twin < 2;) {
                endpoint.name = arena_printf(futures->arena, "future-%u", ++futures->serial);
                if (!endpoint.name)
                        return -ENOMEM;

                r = add_member(futures, &endpoint, &party);
                if (r < 0)
                        return r;
                /* Else somebody who is there has that name. */
                if (r == 0) {
                        futures->members[futures->members_len - 1].population = population;
                        if (futures->populations[population].first == SIZE_MAX)
                                futures->populations[population].first = futures->members_len - 1;
                        twin++;
                }
        }

        return 0;
}

/* The place of the cell's labels among those of the population, with room for the context's namespaces; a new one where none
 * has the same labels, or it has new namespaces and so has the context. */
static struct latent_place *find_place(struct futures *futures, struct population *population,
                                       const struct latent_context *context, const struct cell *cell)
{
        struct latent_place *place = NULL;
        const char **namespaces;

        for (size_t i = 0; !place && i < population->places_len; i++)
                if (selector_cmp(population->places[i].labels, &cell->fits) == 0 &&
                    !(population->places[i].new_namespace && context->fresh))
                        place = &population->places[i];
        if (!place) {
                if (array_reserve(&population->places, &population->places_cap, population->places_len + 1,
                                  sizeof(*population->places)) < 0)
                        return NULL;
                place = &population->places[population->places_len++];
                *place = (struct latent_place){.labels = &cell->fits};
        }

        namespaces = arena_array(futures->arena, place->namespaces_len + context->names_len, sizeof(*namespaces));
        if (!namespaces)
                return NULL;
        if (place->namespaces_len > 0)
                memcpy(namespaces, place->namespaces, place->namespaces_len * sizeof(*namespaces));
        place->namespaces = namespaces;
        return place;
}

static int name_cmp(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_place(struct futures *futures, struct population *population, const struct latent_context *context,
                     const struct cell *cell)
{
        struct latent_place *place = find_place(futures, population, context, cell);

        if (!place)
                return -ENOMEM;

        for (size_t i = 0; i < context->names_len; i++)
                place->namespaces[place->namespaces_len++] = context->names[i];
        if (place->namespaces_len > 0)
                qsort(place->namespaces, place->namespaces_len, sizeof(*place->namespaces), name_cmp);
        if (context->fresh)
                place->new_namespace = context->fresh;
        return 0;
}

/* A cell of a context; others may have the same. */
static int add_cell(struct futures *futures, const struct latent_context *context, const struct cell *cell,
                    const uint32_t *applicable, uint32_t *places)
{
        const struct latent_build *build = futures->build;
        struct population *population;
        size_t id, n = 0;
        int r;

        memset(places, 0, CHANGE_SIDE_MAX * futures->words * sizeof(*places));
        for (size_t i = 0; i < build->entries_len; i++) {
                if (!cells_bit(applicable, i))
                        continue;
                for (enum change_side side = 0; cells_bit(cell->matched, n) && side < CHANGE_SIDE_MAX; side++)
                        if (cells_bit(context->reaches[side], i))
                                places[side * futures->words + i / 32] |= 1u << i % 32;
                n++;
        }

        r = find_population(futures, places, &id);
        if (r == 0)
                r = add_place(futures, &futures->populations[id], context, cell);
        if (r < 0)
                return r;

        population = &futures->populations[id];
        if (population->told)
                return 0;

        population->told = true;
        if (population->names ? !population->present_plain : population->first == SIZE_MAX)
                r = add_twins(futures, context, cell, id, false);
        if (r == 0 && population->names && !population->present_ports)
                r = add_twins(futures, context, cell, id, true);
        return r;
}

static int add_cells(struct futures *futures, const struct latent_context *context, uint32_t *places)
{
        struct latent_build *build = futures->build;
        _cleanup_free_ const struct selector **selectors = NULL;
        _cleanup_free_ uint32_t *applicable = NULL;
        struct cells cells;
        size_t len = 0, left = LATENT_CELLS_MAX - futures->cells;
        int r;

        selectors = calloc(build->entries_len + 1, sizeof(*selectors));
        applicable = calloc(futures->words + 1, sizeof(*applicable));
        if (!selectors || !applicable)
                return -ENOMEM;

        for (size_t i = 0; i < futures->words; i++)
                applicable[i] = context->reaches[CHANGE_OLD][i] | context->reaches[CHANGE_NEW][i];
        for (size_t i = 0; i < build->entries_len; i++)
                if (cells_bit(applicable, i))
                        selectors[len++] = build->entries[i].pod_selector;

        r = cells_find(futures->arena, selectors, len, NULL,
                       left < LATENT_CELLS_IN_NAMESPACE_MAX ? left : LATENT_CELLS_IN_NAMESPACE_MAX, &cells);
        if (r < 0)
                return r;

        build->latent->bounded |= cells.bounded;
        futures->cells += cells.len;
        for (size_t i = 0; r == 0 && i < cells.len; i++)
                r = add_cell(futures, context, &cells.items[i], applicable, places);

        return r;
}

/* Namespaces with their labels, as the inventory has them. */
static int add_namespaces(struct futures *futures)
{
        const struct inventory *inventory = futures->build->worlds[CHANGE_NEW]->inventory;
        int r = 0;

        for (size_t i = 0; r == 0 && i < inventory->namespaces_len; i++)
                r = inventory_add_namespace(futures->build->latent->inventory, &inventory->namespaces[i]);

        return r;
}

/* And the new ones, of which a sealed inventory knows no more than that somebody is in them. */
static void label_new_namespaces(struct futures *futures)
{
        struct inventory *inventory = futures->build->latent->inventory;

        for (size_t i = 0; i < futures->contexts.len; i++) {
                const struct latent_context *context = &futures->contexts.items[i];
                const struct namespace *ns = context->ns ? inventory_find_namespace(inventory, context->ns) : NULL;

                if (ns)
                        inventory->namespaces[ns - inventory->namespaces].labels = *context->labels;
        }
}

/* The parties in the order of the sealed inventory. */
static int sort_members(struct futures *futures)
{
        struct latent *latent = futures->build->latent;
        _cleanup_free_ size_t *places = NULL;
        struct latent_party *parties;

        parties = arena_array(futures->arena, futures->members_len, sizeof(*parties));
        places = calloc(futures->members_len + 1, sizeof(*places));
        if (!parties || !places)
                return -ENOMEM;

        for (size_t i = 0; i < futures->members_len; i++)
                places[i] =
                        (size_t)(inventory_find(latent->inventory, futures->members[i].ns, futures->members[i].name) -
                                 latent->inventory->endpoints);
        for (size_t i = 0; i < futures->members_len; i++) {
                const struct population *population = &futures->populations[futures->members[i].population];
                struct latent_party *party = &parties[places[i]];

                *party = futures->members[i].party;
                if (party->like != SIZE_MAX)
                        party->like = places[party->like];
                if (!party->future)
                        continue;
                party->places_len = population->places_len;
                party->places = arena_memdup(futures->arena, population->places,
                                             population->places_len * sizeof(*population->places));
                if (!party->places)
                        return -ENOMEM;
        }

        latent->parties = parties;
        return 0;
}

int latent_find_futures(struct latent_build *build)
{
        _cleanup_(futures_fini) struct futures futures = {
                .build = build,
                .arena = build->latent->arena,
                .words = cells_words(build->entries_len),
        };
        _cleanup_free_ uint32_t *places = NULL;
        int r;

        places = calloc(CHANGE_SIDE_MAX * futures.words + 1, sizeof(*places));
        if (!places)
                return -ENOMEM;

        r = latent_find_contexts(build, &futures.contexts);
        for (size_t i = 0; r == 0 && i < build->changes->kinds_len; i++)
                r = add_present(&futures, i, places);
        for (size_t i = 0; r == 0 && i < futures.contexts.len; i++)
                r = add_cells(&futures, &futures.contexts.items[i], places);
        if (r == 0)
                r = add_namespaces(&futures);
        if (r == 0)
                r = inventory_seal(build->latent->inventory);
        if (r == 0)
                r = sort_members(&futures);
        if (r == 0)
                label_new_namespaces(&futures);
        return r < 0 ? r : 0;
}
