/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Naming the ends of changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vethwall/arena.h>

#include "diff_ends.h"
#include "flow.h"
#include "output.h"

/* Names before the rest is only counted. */
#define LISTED_MAX 10

/* A list in the making. */
struct listing {
        struct strbuf *buf;
        size_t shown;
        size_t more; /* not shown any more */
};

static const struct endpoint *shown_endpoint(const struct change_party *party)
{
        return party->endpoint[party->endpoint[CHANGE_NEW] ? CHANGE_NEW : CHANGE_OLD];
}

static int add_keys(struct diff_names *names, const struct selector *selector)
{
        int r;

        if (!selector)
                return 0;

        r = array_reserve(&names->keys, &names->keys_cap, names->keys_len + selector->len, sizeof(*names->keys));
        for (size_t i = 0; r == 0 && i < selector->len; i++)
                names->keys[names->keys_len++] = selector->requirements[i].key;
        return r;
}

static int key_cmp(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int collect_keys(struct diff_names *names, const struct policy_set *set)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < set->policies_len; i++) {
                const struct policy *policy = &set->policies[i];

                r = add_keys(names, policy->pod_selector);
                for (enum direction d = 0; d < DIR_MAX; d++)
                        for (size_t j = 0; r == 0 && j < policy->rules_len[d]; j++)
                                for (size_t k = 0; r == 0 && k < policy->rules[d][j].peers_len; k++)
                                        r = add_keys(names, policy->rules[d][j].peers[k].pod_selector);
        }

        return r;
}

/* A label that no policy asks for says nothing about one. */
static bool is_key(const struct diff_names *names, const char *key)
{
        return names->keys_len > 0 && bsearch(&key, names->keys, names->keys_len, sizeof(key), key_cmp);
}

int diff_names_init(struct diff_names *names, const struct changes *present, const struct latent *latent,
                    const struct policy_set *const policies[static CHANGE_SIDE_MAX])
{
        size_t parties = present->parties_len, ns = 0;

        *names = (struct diff_names){
                .present = present,
                .namespaces = calloc(parties + 1, sizeof(size_t)),
                .sizes = calloc(parties + 1, sizeof(size_t)),
                .seen = calloc(parties + 1, sizeof(size_t)),
                .first = calloc(parties + 1, sizeof(size_t)),
                .in = calloc(present->kinds_len + 1, sizeof(bool)),
                .marks = calloc(present->kinds_len + 1, sizeof(bool)),
        };
        if (!names->namespaces || !names->sizes || !names->seen || !names->first || !names->in || !names->marks) {
                diff_names_fini(names);
                return -ENOMEM;
        }

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                if (collect_keys(names, policies[side]) < 0) {
                        diff_names_fini(names);
                        return -ENOMEM;
                }
        }
        if (names->keys_len > 0)
                qsort(names->keys, names->keys_len, sizeof(*names->keys), key_cmp);

        for (size_t i = 0; i < parties; i++) {
                if (i > 0 &&
                    strcmp(shown_endpoint(&present->parties[i - 1])->ns, shown_endpoint(&present->parties[i])->ns) != 0)
                        ns++;
                if (names->sizes[ns]++ == 0)
                        names->first[ns] = i;
                names->namespaces[i] = ns;
        }
        for (size_t i = 0; latent && i < latent->changes->kinds_len; i++)
                names->futures_len += latent->parties[latent->changes->kinds[i].parties[0]].future;

        return 0;
}

void diff_names_fini(struct diff_names *names)
{
        free(names->namespaces);
        free(names->sizes);
        free(names->seen);
        free(names->first);
        free(names->in);
        free(names->marks);
        free(names->keys);
        *names = (struct diff_names){.present = NULL};
}

void put_party_text(struct strbuf *buf, const struct change_party *party)
{
        put_endpoint(buf, shown_endpoint(party));
}

void put_kind_text(struct strbuf *buf, struct diff_names *names, size_t kind)
{
        const struct change_kind *k = &names->present->kinds[kind];

        put_party_text(buf, &names->present->parties[k->parties[0]]);
        if (k->len > 1) {
                strbuf_printf(buf, " (+%zu)", k->len - 1);
                names->marks[kind] = true;
        }
}

/* Room for one more, that stands for as many; false where only their number is kept. */
static bool listing_next(struct listing *listing, size_t count)
{
        if (listing->shown == LISTED_MAX) {
                listing->more += count;
                return false;
        }

        strbuf_puts(listing->buf, listing->shown > 0 ? ", " : "");
        listing->shown++;
        return true;
}

static void listing_end(const struct listing *listing)
{
        if (listing->more > 0)
                strbuf_printf(listing->buf, " and %zu more", listing->more);
}

/* present endpoints */

/* The parties of one namespace that have a label: how many, or 0 where one of them is of a kind that is not in. */
static size_t count_label(const struct diff_names *names, size_t ns, const struct label *label)
{
        size_t n = 0;

        for (size_t i = names->first[ns]; i < names->first[ns] + names->sizes[ns]; i++) {
                const struct change_party *party = &names->present->parties[i];
                const char *value = label_set_get(&shown_endpoint(party)->labels, label->key);

                if (!value || strcmp(value, label->value) != 0)
                        continue;
                if (!names->in[party->kind])
                        return 0;
                n++;
        }

        return n;
}

/* The label of the kind's first endpoint that most others in have too, and nobody else; NULL: none, or it has it alone. */
static const struct label *find_label(const struct diff_names *names, size_t kind)
{
        size_t party = names->present->kinds[kind].parties[0], most = 1;
        const struct label_set *labels = &shown_endpoint(&names->present->parties[party])->labels;
        const struct label *found = NULL;

        for (size_t i = 0; i < labels->len; i++) {
                size_t n = is_key(names, labels->items[i].key)
                                   ? count_label(names, names->namespaces[party], &labels->items[i])
                                   : 0;

                if (n > most) {
                        most = n;
                        found = &labels->items[i];
                }
        }

        return found;
}

/* Takes the kinds out of which every endpoint has the label: they are named by it. A kind of which only some have it stays. */
static void take_label(struct diff_names *names, size_t ns, const struct label *label)
{
        for (size_t i = names->first[ns]; i < names->first[ns] + names->sizes[ns]; i++) {
                const struct change_kind *kind = &names->present->kinds[names->present->parties[i].kind];
                bool all = true;

                for (size_t j = 0; all && j < kind->len; j++) {
                        const struct endpoint *endpoint = shown_endpoint(&names->present->parties[kind->parties[j]]);
                        const char *value = label_set_get(&endpoint->labels, label->key);

                        all = value && strcmp(value, label->value) == 0;
                }
                if (all)
                        names->in[names->present->parties[i].kind] = false;
        }
}

/* Whether all its endpoints are in namespaces that were named as a whole; these have nothing left to be seen. */
static bool kind_is_covered(const struct diff_names *names, size_t kind)
{
        const struct change_kind *k = &names->present->kinds[kind];

        for (size_t i = 0; i < k->len; i++)
                if (names->seen[names->namespaces[k->parties[i]]] != SIZE_MAX)
                        return false;

        return true;
}

/* The only endpoint of the kind at the other end is here for the sake of a name for all, and does not count. */
static bool is_filler(const struct diff_names *names, size_t own)
{
        return own != SIZE_MAX && names->present->kinds[own].len == 1;
}

/* Namespaces of which every endpoint is in. */
static void list_namespaces(struct listing *listing, struct diff_names *names, const size_t *kinds, size_t len,
                            size_t own)
{
        size_t filled = is_filler(names, own) ? names->namespaces[names->present->kinds[own].parties[0]] : SIZE_MAX;

        for (size_t i = 0; i < len; i++) {
                const struct change_kind *kind = &names->present->kinds[kinds[i]];

                for (size_t j = 0; j < kind->len; j++)
                        names->seen[names->namespaces[kind->parties[j]]]++;
        }

        for (size_t i = 0; i < len; i++) {
                const struct change_kind *kind = &names->present->kinds[kinds[i]];

                for (size_t j = 0; j < kind->len; j++) {
                        size_t ns = names->namespaces[kind->parties[j]];

                        if (names->sizes[ns] < (ns == filled ? 3 : 2) || names->seen[ns] != names->sizes[ns])
                                continue;
                        names->seen[ns] = SIZE_MAX;
                        if (listing_next(listing, names->sizes[ns])) {
                                strbuf_puts(listing->buf, "all of ");
                                strbuf_clean(listing->buf,
                                             shown_endpoint(&names->present->parties[names->first[ns]])->ns);
                        }
                }
        }
}

static void list_present(struct listing *listing, struct diff_names *names, const size_t *kinds, size_t len, size_t own)
{
        size_t total = 0;

        for (size_t i = 0; i < len; i++)
                total += names->present->kinds[kinds[i]].len;
        if (total == names->present->parties_len && total > (is_filler(names, own) ? 2 : 1)) {
                if (listing_next(listing, total))
                        strbuf_puts(listing->buf, "every endpoint");
                return;
        }

        list_namespaces(listing, names, kinds, len, own);
        for (size_t i = 0; i < len; i++)
                names->in[kinds[i]] = !kind_is_covered(names, kinds[i]);
        if (is_filler(names, own))
                names->in[own] = false;
        for (size_t i = 0; i < len; i++) {
                size_t ns = names->namespaces[names->present->kinds[kinds[i]].parties[0]];
                const struct label *label = NULL;

                if (names->in[kinds[i]] && kinds[i] != own && listing->shown < LISTED_MAX)
                        label = find_label(names, kinds[i]);
                if (label && listing_next(listing, 1)) {
                        strbuf_clean(listing->buf, label->key);
                        strbuf_putc(listing->buf, '=');
                        strbuf_clean(listing->buf, label->value);
                        strbuf_puts(listing->buf, " in ");
                        strbuf_clean(listing->buf, shown_endpoint(&names->present->parties[names->first[ns]])->ns);
                        take_label(names, ns, label);
                }
                if (names->in[kinds[i]] && listing_next(listing, names->present->kinds[kinds[i]].len)) {
                        if (kinds[i] == own)
                                strbuf_puts(listing->buf, "one another");
                        else
                                put_kind_text(listing->buf, names, kinds[i]);
                }
                names->in[kinds[i]] = false;
        }

        for (size_t i = 0; i < len; i++)
                for (size_t j = 0; j < names->present->kinds[kinds[i]].len; j++)
                        names->seen[names->namespaces[names->present->kinds[kinds[i]].parties[j]]] = 0;
}

/* future containers */

static void put_values(struct strbuf *buf, const struct label_requirement *requirement)
{
        strbuf_puts(buf, " (");
        for (size_t i = 0; i < requirement->values_len; i++) {
                strbuf_puts(buf, i > 0 ? ", " : "");
                strbuf_clean(buf, requirement->values[i][0] ? requirement->values[i] : "\"\"");
        }
        strbuf_putc(buf, ')');
}

/* As kubectl -l has it: "app=web,tier notin (a, b),!team". */
static void put_selector(struct strbuf *buf, const struct selector *selector)
{
        for (size_t i = 0; i < selector->len; i++) {
                const struct label_requirement *requirement = &selector->requirements[i];

                strbuf_puts(buf, i > 0 ? "," : "");
                strbuf_puts(buf, requirement->op == LABEL_DOES_NOT_EXIST ? "!" : "");
                strbuf_clean(buf, requirement->key);
                switch (requirement->op) {
                case LABEL_IN:
                        if (requirement->values_len == 1) {
                                strbuf_putc(buf, '=');
                                strbuf_clean(buf, requirement->values[0]);
                                break;
                        }
                        strbuf_puts(buf, " in");
                        put_values(buf, requirement);
                        break;
                case LABEL_NOT_IN:
                        strbuf_puts(buf, " notin");
                        put_values(buf, requirement);
                        break;
                case LABEL_EXISTS:
                case LABEL_DOES_NOT_EXIST:
                case LABEL_OP_MAX:
                        break;
                }
        }
}

/* A selector that is nothing but the name of a namespace. */
static bool is_name(const struct selector *selector)
{
        const struct label_requirement *requirement = selector->requirements;

        return selector->len == 1 && requirement->op == LABEL_IN && requirement->values_len == 1 &&
               strcmp(requirement->key, NAMESPACE_NAME_LABEL) == 0;
}

static void put_place(struct strbuf *buf, const struct latent_place *place)
{
        struct listing listing = {.buf = buf};

        if (place->labels->len > 0) {
                strbuf_puts(buf, " with ");
                put_selector(buf, place->labels);
        }

        if (place->namespaces_len > 0)
                strbuf_puts(buf, place->namespaces_len > 1 ? " in namespaces " : " in namespace ");
        for (size_t i = 0; i < place->namespaces_len; i++)
                if (listing_next(&listing, 1))
                        strbuf_clean(buf, place->namespaces[i]);
        listing_end(&listing);
        if (!place->new_namespace)
                return;

        strbuf_puts(buf, place->namespaces_len > 0 ? " or a new one" : " in a new namespace");
        if (is_name(place->new_namespace)) {
                strbuf_putc(buf, ' ');
                strbuf_clean(buf, place->new_namespace->requirements[0].values[0]);
        } else if (place->new_namespace->len > 0) {
                strbuf_puts(buf, " with ");
                put_selector(buf, place->new_namespace);
        }
}

void put_future_text(struct strbuf *buf, const struct latent_party *party, bool source)
{
        if (party->unselected)
                strbuf_puts(buf, "any other future container");
        for (size_t i = 0; !party->unselected && i < party->places_len; i++) {
                bool any = party->places[i].labels->len == 0;

                if (i == 0)
                        strbuf_puts(buf, any ? "any future container" : "a future container");
                else
                        strbuf_puts(buf, any ? " or any" : " or one");
                put_place(buf, &party->places[i]);
        }
        for (size_t i = 0; !source && i < party->ports_len; i++) {
                strbuf_puts(buf, i > 0 ? " and " : party->has_ports ? " that has port " : " that has no port ");
                strbuf_clean(buf, party->ports[i].name);
                if (party->has_ports)
                        strbuf_printf(buf, "=%u", party->ports[i].port);
                strbuf_printf(buf, "/%s", conns_proto_name(conns_proto_of(party->ports[i].protocol)));
        }
}

/* Kinds of a view of the latent: those that are there by their kinds of the present, then the future ones. */
static void list_latent(struct listing *listing, struct diff_names *names, const struct diff_view *view,
                        const size_t *kinds, size_t len, size_t own, bool source)
{
        _cleanup_free_ size_t *present = NULL;
        size_t present_len = 0, futures = 0;

        present = calloc(len + 1, sizeof(*present));
        if (!present) {
                listing->buf->failed = true;
                return;
        }

        for (size_t i = 0; i < len; i++) {
                const struct latent_party *party = &view->latent->parties[view->changes->kinds[kinds[i]].parties[0]];

                if (party->future)
                        futures++;
                else
                        present[present_len++] = party->kind;
        }
        if (present_len > 0)
                list_present(listing, names, present, present_len, SIZE_MAX);

        if (futures > 2 && futures == names->futures_len) {
                if (listing_next(listing, futures))
                        strbuf_puts(listing->buf, "any future container that is like none of the present");
                return;
        }
        for (size_t i = 0; i < len; i++) {
                const struct latent_party *party = &view->latent->parties[view->changes->kinds[kinds[i]].parties[0]];

                if (!party->future || !listing_next(listing, 1))
                        continue;
                if (kinds[i] == own)
                        strbuf_puts(listing->buf, "one another");
                else
                        put_future_text(listing->buf, party, source);
        }
}

void put_kinds_text(struct strbuf *buf, struct diff_names *names, const struct diff_view *view, const size_t *kinds,
                    size_t len, size_t own, bool source)
{
        struct listing listing = {.buf = buf};

        if (view->latent)
                list_latent(&listing, names, view, kinds, len, own, source);
        else
                list_present(&listing, names, kinds, len, own);
        listing_end(&listing);
}
