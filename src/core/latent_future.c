/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latent changes: the future containers, one for each cell that nobody is in. */
#include <errno.h>
#include <string.h>

#include "latent_internal.h"

/* Namespaces that the entries do not tell apart. */
struct context {
        const char **grown; /* owned; the namespaces that are there, sorted; the first stands for all */
        size_t names_len, names_cap;
        const char *ns;                     /* where no such namespace is there: the name of a new one */
        const struct label_set *labels;     /* of a new one */
        const struct selector *fresh;       /* what makes a new one such; NULL: nothing does */
        uint32_t *reaches[CHANGE_SIDE_MAX]; /* the entries that reach into them */
};

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

        struct context *contexts; /* owned */
        size_t contexts_len, contexts_cap;
        struct str_index context_index, name_index; /* by what reaches in; by the name of a namespace */

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
        for (size_t i = 0; i < futures->contexts_len; i++)
                free(futures->contexts[i].grown);
        free(futures->contexts);
        for (size_t i = 0; i < futures->populations_len; i++)
                free(futures->populations[i].places);
        free(futures->populations);
        free(futures->members);
        str_index_fini(&futures->context_index);
        str_index_fini(&futures->name_index);
        str_index_fini(&futures->population_index);
}

/* namespaces */

/* Which entries reach into a namespace of these labels, on each side; one array. */
static uint32_t *find_reaches(const struct futures *futures, const char *ns,
                              const struct label_set *const labels[static CHANGE_SIDE_MAX])
{
        const struct latent_build *build = futures->build;
        uint32_t *reaches;

        reaches = arena_array(build->arena, CHANGE_SIDE_MAX * futures->words, sizeof(*reaches));
        for (enum change_side side = 0; reaches && side < CHANGE_SIDE_MAX; side++)
                for (size_t i = 0; i < build->entries_len; i++)
                        if (latent_entry_reaches(&build->entries[i], ns, labels[side]))
                                reaches[side * futures->words + i / 32] |= 1u << i % 32;

        return reaches;
}

/* The context of namespaces with these reaches, a new one where there is none yet. */
static int find_context(struct futures *futures, uint32_t *reaches, size_t *ret)
{
        size_t size = CHANGE_SIDE_MAX * futures->words * sizeof(*reaches);
        struct context context = {.reaches = {reaches, reaches + futures->words}};
        uint32_t id;
        int r;

        if (str_index_get(&futures->context_index, reaches, size, &id)) {
                *ret = id;
                return 0;
        }

        r = array_reserve(&futures->contexts, &futures->contexts_cap, futures->contexts_len + 1,
                          sizeof(*futures->contexts));
        if (r == 0)
                r = str_index_put(&futures->context_index, reaches, size, (uint32_t)futures->contexts_len);
        if (r < 0)
                return r;

        *ret = futures->contexts_len;
        futures->contexts[futures->contexts_len++] = context;
        return 0;
}

static int add_namespace(struct futures *futures, const char *ns)
{
        const struct world *const *worlds = futures->build->worlds;
        const struct label_set *labels[CHANGE_SIDE_MAX];
        struct context *context;
        uint32_t *reaches;
        size_t id;
        int r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                labels[side] = world_namespace_labels(worlds[side], ns);
                if (!labels[side])
                        labels[side] = world_namespace_labels(worlds[side == CHANGE_OLD ? CHANGE_NEW : CHANGE_OLD], ns);
        }

        reaches = find_reaches(futures, ns, labels);
        if (!reaches)
                return -ENOMEM;

        r = find_context(futures, reaches, &id);
        if (r < 0)
                return r;

        context = &futures->contexts[id];
        r = array_reserve(&context->grown, &context->names_cap, context->names_len + 1, sizeof(*context->grown));
        if (r < 0)
                return r;

        context->grown[context->names_len++] = ns;
        return str_index_put(&futures->name_index, ns, strlen(ns), (uint32_t)id);
}

/* The namespaces that either side knows, sorted. */
static int known_namespaces(const struct latent_build *build, const char ***ret, size_t *ret_len)
{
        const struct world *old = build->worlds[CHANGE_OLD], *new = build->worlds[CHANGE_NEW];
        const char **names;
        size_t i = 0, j = 0, len = 0;

        names = arena_array(build->latent->arena, old->namespaces_len + new->namespaces_len, sizeof(*names));
        if (!names)
                return -ENOMEM;

        while (i < old->namespaces_len || j < new->namespaces_len) {
                int c = i == old->namespaces_len   ? 1
                        : j == new->namespaces_len ? -1
                                                   : strcmp(old->namespaces[i].name, new->namespaces[j].name);

                names[len++] = c <= 0 ? old->namespaces[i].name : new->namespaces[j].name;
                i += c <= 0;
                j += c >= 0;
        }

        *ret = names;
        *ret_len = len;
        return 0;
}

/* The example of a new namespace has a name of no meaning; what selectors see of it are the labels of the cell, the name that
 * they ask for among them. */
static int add_new_namespace(struct futures *futures, struct cell *cell)
{
        const struct label_set *const labels[] = {&cell->labels, &cell->labels};
        struct context *context;
        uint32_t *reaches, known;
        size_t id;
        int r;

        reaches = find_reaches(futures, NULL, labels);
        if (!reaches)
                return -ENOMEM;

        r = find_context(futures, reaches, &id);
        if (r < 0)
                return r;

        context = &futures->contexts[id];
        context->fresh = &cell->fits;
        if (context->names_len > 0)
                return 0;

        context->labels = &cell->labels;
        do {
                context->ns = arena_printf(futures->arena, "new-%u", ++futures->serial);
                if (!context->ns)
                        return -ENOMEM;
        } while (str_index_get(&futures->name_index, context->ns, strlen(context->ns), &known));

        return 0;
}

/* Whatever labels a new namespace could have. */
static int find_new_namespaces(struct futures *futures, const char *const *names, size_t names_len)
{
        const struct cells_name name = {NAMESPACE_NAME_LABEL, names, names_len};
        struct latent_build *build = futures->build;
        _cleanup_free_ const struct selector **selectors = NULL;
        struct cells cells;
        size_t len = 0;
        int r;

        selectors = calloc(build->entries_len + 1, sizeof(*selectors));
        if (!selectors)
                return -ENOMEM;

        for (size_t i = 0; i < build->entries_len; i++)
                if (build->entries[i].ns_selector)
                        selectors[len++] = build->entries[i].ns_selector;

        r = cells_find(futures->arena, selectors, len, &name, LATENT_CELLS_IN_NAMESPACE_MAX, &cells);
        if (r < 0)
                return r;

        build->latent->bounded |= cells.bounded;
        for (size_t i = 0; r == 0 && i < cells.len; i++)
                r = add_new_namespace(futures, &cells.items[i]);

        return r;
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

        str_index_get(&futures->name_index, endpoint->ns, strlen(endpoint->ns), &context);
        memset(places, 0, CHANGE_SIDE_MAX * futures->words * sizeof(*places));
        for (size_t i = 0; i < build->entries_len; i++)
                for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++)
                        if (cells_bit(futures->contexts[context].reaches[side], i) &&
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
static int add_twins(struct futures *futures, const struct context *context, const struct cell *cell, size_t population,
                     bool has_ports)
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
                .ns = context->names_len > 0 ? context->grown[0] : context->ns,
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
                                       const struct context *context, const struct cell *cell)
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

static int add_place(struct futures *futures, struct population *population, const struct context *context,
                     const struct cell *cell)
{
        struct latent_place *place = find_place(futures, population, context, cell);

        if (!place)
                return -ENOMEM;

        for (size_t i = 0; i < context->names_len; i++)
                place->namespaces[place->namespaces_len++] = context->grown[i];
        if (place->namespaces_len > 0)
                qsort(place->namespaces, place->namespaces_len, sizeof(*place->namespaces), name_cmp);
        if (context->fresh)
                place->new_namespace = context->fresh;
        return 0;
}

/* A cell of a context; others may have the same. */
static int add_cell(struct futures *futures, const struct context *context, const struct cell *cell,
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

static int add_cells(struct futures *futures, const struct context *context, uint32_t *places)
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

static int find_contexts(struct futures *futures)
{
        const char **names;
        size_t len;
        int r;

        r = known_namespaces(futures->build, &names, &len);
        for (size_t i = 0; r == 0 && i < len; i++)
                r = add_namespace(futures, names[i]);
        if (r == 0)
                r = find_new_namespaces(futures, names, len);
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

        for (size_t i = 0; i < futures->contexts_len; i++) {
                const struct context *context = &futures->contexts[i];
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

        r = find_contexts(&futures);
        for (size_t i = 0; r == 0 && i < build->changes->kinds_len; i++)
                r = add_present(&futures, i, places);
        for (size_t i = 0; r == 0 && i < futures.contexts_len; i++)
                r = add_cells(&futures, &futures.contexts[i], places);
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
