/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Latent changes: the namespaces that there are and that there could be, as far as the entries tell them apart. */
#include <errno.h>
#include <string.h>

#include "latent_internal.h"

void latent_contexts_fini(struct latent_contexts *contexts)
{
        for (size_t i = 0; i < contexts->len; i++)
                free(contexts->items[i].names);
        free(contexts->items);
        str_index_fini(&contexts->index);
        str_index_fini(&contexts->name_index);
}

/* Which entries reach into a namespace of these labels, on each side; one array. */
static uint32_t *find_reaches(const struct latent_contexts *contexts, const char *ns,
                              const struct label_set *const labels[static CHANGE_SIDE_MAX])
{
        const struct latent_build *build = contexts->build;
        uint32_t *reaches;

        reaches = arena_array(build->arena, CHANGE_SIDE_MAX * contexts->words, sizeof(*reaches));
        for (enum change_side side = 0; reaches && side < CHANGE_SIDE_MAX; side++)
                for (size_t i = 0; i < build->entries_len; i++)
                        if (latent_entry_reaches(&build->entries[i], ns, labels[side]))
                                reaches[side * contexts->words + i / 32] |= 1u << i % 32;

        return reaches;
}

/* The context of namespaces with these reaches, a new one where there is none yet. */
static int find_context(struct latent_contexts *contexts, uint32_t *reaches, size_t *ret)
{
        size_t size = CHANGE_SIDE_MAX * contexts->words * sizeof(*reaches);
        struct latent_context context = {.reaches = {reaches, reaches + contexts->words}};
        uint32_t id;
        int r;

        if (str_index_get(&contexts->index, reaches, size, &id)) {
                *ret = id;
                return 0;
        }

        r = array_reserve(&contexts->items, &contexts->cap, contexts->len + 1, sizeof(*contexts->items));
        if (r == 0)
                r = str_index_put(&contexts->index, reaches, size, (uint32_t)contexts->len);
        if (r < 0)
                return r;

        *ret = contexts->len;
        contexts->items[contexts->len++] = context;
        return 0;
}

static int add_namespace(struct latent_contexts *contexts, const char *ns)
{
        const struct world *const *worlds = contexts->build->worlds;
        const struct label_set *labels[CHANGE_SIDE_MAX];
        struct latent_context *context;
        uint32_t *reaches;
        size_t id;
        int r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                labels[side] = world_namespace_labels(worlds[side], ns);
                if (!labels[side])
                        labels[side] = world_namespace_labels(worlds[side == CHANGE_OLD ? CHANGE_NEW : CHANGE_OLD], ns);
        }

        reaches = find_reaches(contexts, ns, labels);
        if (!reaches)
                return -ENOMEM;

        r = find_context(contexts, reaches, &id);
        if (r < 0)
                return r;

        context = &contexts->items[id];
        r = array_reserve(&context->names, &context->names_cap, context->names_len + 1, sizeof(*context->names));
        if (r < 0)
                return r;

        context->names[context->names_len++] = ns;
        return str_index_put(&contexts->name_index, ns, strlen(ns), (uint32_t)id);
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
static int add_new_namespace(struct latent_contexts *contexts, struct cell *cell)
{
        const struct label_set *const labels[] = {&cell->labels, &cell->labels};
        struct latent_context *context;
        uint32_t *reaches, known;
        size_t id;
        int r;

        reaches = find_reaches(contexts, NULL, labels);
        if (!reaches)
                return -ENOMEM;

        r = find_context(contexts, reaches, &id);
        if (r < 0)
                return r;

        context = &contexts->items[id];
        context->fresh = &cell->fits;
        if (context->names_len > 0)
                return 0;

        context->labels = &cell->labels;
        do {
                context->ns = arena_printf(contexts->build->latent->arena, "new-%u", ++contexts->serial);
                if (!context->ns)
                        return -ENOMEM;
        } while (str_index_get(&contexts->name_index, context->ns, strlen(context->ns), &known));

        return 0;
}

/* Whatever labels a new namespace could have. */
static int find_new_namespaces(struct latent_contexts *contexts, const char *const *names, size_t names_len)
{
        const struct cells_name name = {NAMESPACE_NAME_LABEL, names, names_len};
        struct latent_build *build = contexts->build;
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

        r = cells_find(contexts->build->latent->arena, selectors, len, &name, LATENT_CELLS_IN_NAMESPACE_MAX, &cells);
        if (r < 0)
                return r;

        build->latent->bounded |= cells.bounded;
        for (size_t i = 0; r == 0 && i < cells.len; i++)
                r = add_new_namespace(contexts, &cells.items[i]);

        return r;
}

int latent_find_contexts(struct latent_build *build, struct latent_contexts *contexts)
{
        const char **names;
        size_t len;
        int r;

        *contexts = (struct latent_contexts){.build = build, .words = cells_words(build->entries_len)};
        r = known_namespaces(build, &names, &len);
        for (size_t i = 0; r == 0 && i < len; i++)
                r = add_namespace(contexts, names[i]);
        if (r == 0)
                r = find_new_namespaces(contexts, names, len);
        return r;
}
