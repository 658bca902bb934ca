/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts the set and map elements that four ordinary worlds cost under each of the candidate layouts, and checks the
 * count of the layout in use against the ruleset that the compiler makes. README.md here holds the figures and the
 * choice they led to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/compile.h>
#include <vethwall/diag.h>

#include "core/world_internal.h"
#include "worlds.h"

struct count {
        const char *name;
        size_t endpoints, local, policies, classes;
        size_t subject;  /* subject first, every peer spelt out */
        size_t wide;     /* the same with shared sets for wide groups: in use */
        size_t peer;     /* peer first */
        size_t both;     /* both directions in one verdict */
        size_t compiled; /* what the compiler made of it; 0 where some peers are elsewhere */
};

static bool is_local(const struct world *world, uint32_t identity)
{
        return strncmp(world->namespaces[world->identities[identity].ns].name, "far-", 4) != 0;
}

static size_t addrs(const struct world *world, uint32_t identity)
{
        return world->identities[identity].addrs_len[ADDR_V4] + world->identities[identity].addrs_len[ADDR_V6];
}

/* The address of the identity's first endpoint: in these worlds blocks do not tell members of an identity apart. */
static const struct addr *an_addr(const struct world *world, uint32_t identity)
{
        return world->inventory->endpoints[world->identities[identity].endpoints[0]].addrs;
}

static const struct profile *of(struct world *world, enum direction d, uint32_t class, uint32_t identity, bool outside)
{
        const struct profile *profile = NULL;

        if (world_profile(world, d, class, outside ? WORLD_OUTSIDE : world->identities[identity].endpoints[0],
                          an_addr(world, identity), &profile) < 0)
                abort();
        return profile;
}

static size_t nets(struct world *world, enum direction d, uint32_t class)
{
        const struct world_range *ranges;
        const struct profile *bare;
        size_t n = 0, len;

        if (world_profile(world, d, class, WORLD_OUTSIDE, NULL, &bare) < 0)
                abort();
        for (enum addr_family f = 0; f < ADDR_FAMILY_MAX; f++) {
                if (world_outside(world, d, class, f, &ranges, &len) < 0)
                        abort();
                for (size_t i = 0; i < len; i++)
                        n += ranges[i].profile != bare;
        }
        return n;
}

static bool subject_class(const struct world *world, enum direction d, uint32_t class)
{
        const struct class *c = &world->classes[d][class];

        return c->policies_len > 0 && is_local(world, c->identities[0]);
}

/* True if some rule of the class names the group and the group is wide: several class chains would spell it out. */
static bool in_wide_group(const struct world *world, enum direction d, uint32_t class, uint32_t identity,
                          const uint32_t *uses)
{
        const struct class *c = &world->classes[d][class];

        for (size_t i = 0; i < c->rules_len; i++) {
                const struct world_rule *rule = &world->rules[d][c->rules[i]];

                for (size_t j = 0; j < rule->groups_len; j++) {
                        const struct group *group = &world->groups[rule->groups[j]];

                        if (group->addrs_len[ADDR_V4] < 16 || uses[rule->groups[j]] < 2)
                                continue;
                        for (size_t k = 0; k < group->len; k++)
                                if (group->identities[k] == identity &&
                                    world->lists[class_peer_list(c, identity)].len == 1)
                                        return true;
                }
        }
        return false;
}

static void count_subject_first(struct world *world, struct count *count)
{
        uint32_t *uses = calloc(world->groups_len + 1, sizeof(*uses));
        bool *made = calloc(world->groups_len + 1, sizeof(*made));

        if (!uses || !made)
                abort();
        for (enum direction d = 0; d < DIR_MAX; d++)
                for (uint32_t c = 0; c < world->classes_len[d]; c++)
                        for (uint32_t g = 0; subject_class(world, d, c) && g < world->groups_len; g++)
                                for (size_t i = 0; i < world->classes[d][c].rules_len; i++) {
                                        const struct world_rule *rule = &world->rules[d][world->classes[d][c].rules[i]];
                                        size_t j = 0;

                                        while (j < rule->groups_len && rule->groups[j] != g)
                                                j++;
                                        if (j < rule->groups_len) {
                                                uses[g]++;
                                                break;
                                        }
                                }
        for (enum direction d = 0; d < DIR_MAX; d++) {
                for (uint32_t c = 0; c < world->classes_len[d]; c++) {
                        if (!subject_class(world, d, c))
                                continue;
                        count->classes++;
                        count->subject += nets(world, d, c);
                        count->wide += nets(world, d, c);
                        for (uint32_t i = 0; i < world->identities_len; i++) {
                                if (of(world, d, c, i, false) == of(world, d, c, i, true))
                                        continue;
                                count->subject += addrs(world, i);
                                if (!in_wide_group(world, d, c, i, uses))
                                        count->wide += addrs(world, i);
                        }
                        for (size_t i = 0; i < world->classes[d][c].rules_len; i++) {
                                const struct world_rule *rule = &world->rules[d][world->classes[d][c].rules[i]];

                                for (size_t j = 0; j < rule->groups_len; j++)
                                        made[rule->groups[j]] = true;
                        }
                }
        }
        for (uint32_t g = 0; g < world->groups_len; g++)
                if (made[g] && uses[g] >= 2 && world->groups[g].addrs_len[ADDR_V4] >= 16)
                        count->wide += world->groups[g].addrs_len[ADDR_V4] + world->groups[g].addrs_len[ADDR_V6];
        for (uint32_t i = 0; i < world->identities_len; i++)
                if (is_local(world, i)) {
                        count->subject += 2 * addrs(world, i);
                        count->wide += 2 * addrs(world, i);
                }
        free(uses);
        free(made);
}

/* Peers that every subject class treats alike share a peer class; first[i] is the first identity of i's. */
static void peer_classes(struct world *world, enum direction d, uint32_t *first)
{
        for (uint32_t i = 0; i < world->identities_len; i++) {
                first[i] = i;
                for (uint32_t j = 0; j < i && first[i] == i; j++) {
                        bool same = first[j] == j;

                        for (uint32_t c = 0; same && c < world->classes_len[d]; c++)
                                same = !subject_class(world, d, c) ||
                                       of(world, d, c, i, false) == of(world, d, c, j, false);
                        if (same)
                                first[i] = j;
                }
        }
}

static void count_peer_first(struct world *world, struct count *count, uint32_t *first[DIR_MAX])
{
        for (enum direction d = 0; d < DIR_MAX; d++) {
                for (uint32_t i = 0; i < world->identities_len; i++) {
                        count->peer += addrs(world, i);
                        for (uint32_t c = 0; first[d][i] == i && c < world->classes_len[d]; c++) {
                                if (!subject_class(world, d, c) ||
                                    of(world, d, c, i, false) == of(world, d, c, i, true))
                                        continue;
                                for (size_t k = 0; k < world->classes[d][c].identities_len; k++)
                                        count->peer += addrs(world, world->classes[d][c].identities[k]);
                        }
                }
                for (uint32_t c = 0; c < world->classes_len[d]; c++)
                        if (subject_class(world, d, c))
                                count->peer += nets(world, d, c);
        }
}

static void count_both(struct world *world, struct count *count, uint32_t *first[DIR_MAX])
{
        for (uint32_t s = 0; s < world->identities_len; s++) {
                uint32_t out = world->identities[s].class[DIR_EGRESS];
                bool seen = false;

                count->both += addrs(world, s);
                for (uint32_t t = 0; !seen && t < s; t++)
                        seen = first[DIR_INGRESS][t] == first[DIR_INGRESS][s] &&
                               world->identities[t].class[DIR_EGRESS] == out &&
                               is_local(world, t) == is_local(world, s);
                if (seen)
                        continue;
                if (subject_class(world, DIR_EGRESS, out))
                        count->both += nets(world, DIR_EGRESS, out);
                for (uint32_t i = 0; i < world->identities_len; i++) {
                        uint32_t in = world->identities[i].class[DIR_INGRESS];
                        bool differs = false;

                        if (subject_class(world, DIR_EGRESS, out))
                                differs |= of(world, DIR_EGRESS, out, i, false) != of(world, DIR_EGRESS, out, i, true);
                        if (subject_class(world, DIR_INGRESS, in))
                                differs |= of(world, DIR_INGRESS, in, s, false) != of(world, DIR_INGRESS, in, s, true);
                        if (differs)
                                count->both += addrs(world, i);
                }
        }
}

static size_t compiled_elements(struct world *world)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        size_t n = 0;

        if (compile(&ruleset, world) < 0)
                abort();
        for (size_t i = 0; i < ruleset->tables[0].sets_len; i++) {
                const struct rs_set *set = &ruleset->tables[0].sets[i];

                /* What every layout has alike is left out: profiles, known endpoints, an endpoint with itself. */
                if (strncmp(set->name, "ports_", 6) != 0 && strncmp(set->name, "self", 4) != 0 &&
                    strncmp(set->name, "endpoints", 9) != 0 && strcmp(set->name, "neighbour_discovery") != 0)
                        n += set->elems_len;
        }
        return n;
}

static int count_world(enum bench_world kind, struct count *count)
{
        _cleanup_(strbuf_fini) struct strbuf policy_text = STRBUF_INIT, inventory_text = STRBUF_INIT;
        _cleanup_(policy_set_freep) struct policy_set *policies = NULL;
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        _cleanup_(world_freep) struct world *world = NULL;
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        uint32_t *first[DIR_MAX];

        count->name = bench_world_name(kind);
        count->local = bench_world_text(kind, 1, &policy_text, &inventory_text);
        if (policy_set_new(&policies) < 0 || inventory_new(&inventory) < 0 ||
            policy_set_load(policies, "policies", policy_text.text, policy_text.len, &diags) < 0 ||
            policy_set_seal(policies, &diags) < 0 ||
            inventory_load(inventory, "inventory", inventory_text.text, inventory_text.len, &diags) < 0 ||
            inventory_seal(inventory) < 0 || diags.errors > 0 ||
            world_new(&world, policies, inventory, &settings_default) < 0) {
                _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

                diag_list_format(&text, &diags, false);
                fputs(text.text ? text.text : "", stderr);
                return -EINVAL;
        }
        for (enum direction d = 0; d < DIR_MAX; d++) {
                first[d] = malloc((world->identities_len + 1) * sizeof(**first));
                if (!first[d])
                        return -ENOMEM;
                peer_classes(world, d, first[d]);
        }
        count->endpoints = inventory->endpoints_len;
        count->policies = policies->policies_len;
        count_subject_first(world, count);
        count_peer_first(world, count, first);
        count_both(world, count, first);
        if (count->local == count->endpoints)
                count->compiled = compiled_elements(world);
        free(first[DIR_INGRESS]);
        free(first[DIR_EGRESS]);
        return 0;
}

int main(void)
{
        printf("%-8s %9s %6s %8s %7s | %9s %9s %9s %9s | %9s\n", "world", "endpoints", "local", "policies", "classes",
               "subject", "in use", "peer", "both", "compiled");
        for (enum bench_world w = 0; w < WORLD_MAX; w++) {
                struct count count = {0};

                if (count_world(w, &count) < 0) {
                        fprintf(stderr, "%s: cannot be built\n", bench_world_name(w));
                        return 1;
                }
                printf("%-8s %9zu %6zu %8zu %7zu | %9zu %9zu %9zu %9zu | %9zu\n", count.name, count.endpoints,
                       count.local, count.policies, count.classes, count.subject, count.wide, count.peer, count.both,
                       count.compiled);
        }
        return 0;
}
