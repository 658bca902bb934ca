/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test-convert [SEED [WORLDS]]: random worlds with older cluster-wide policies, written roughly and with rules of nodes, names
 * and more items than the newer kind allows. What is converted holds no older policy, decides every flow as before (the
 * difference of the two sets is empty, and the oracle agrees on packets), and keeps every comment. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <core/doc_comment.h>
#include <vethwall/changes.h>
#include <vethwall/convert.h>

#include "gen.h"
#include "rough.h"

#define PACKETS 200

struct tally {
        size_t worlds, converted, refused, policies, split, comments, packets;
};

/* One of the two sets, and the files it is read from. */
struct side {
        struct strbuf files[GEN_FILES];
        struct policy_set *policies;
        struct world *world;
};

static void side_fini(struct side *side)
{
        world_free(side->world);
        policy_set_free(side->policies);
        for (size_t i = 0; i < GEN_FILES; i++)
                strbuf_fini(&side->files[i]);
}

static int side_load(struct side *side, const struct gen_loaded *loaded, const struct settings *settings,
                     struct diag_list *diags)
{
        static const char *const names[] = {"a.yaml", "b.yaml", "c.yaml"};
        int r;

        r = policy_set_new(&side->policies);
        for (size_t i = 0; r == 0 && i < GEN_FILES; i++)
                r = policy_set_load(side->policies, names[i], side->files[i].text ? side->files[i].text : "",
                                    side->files[i].len, diags);
        if (r == 0)
                r = policy_set_seal(side->policies, diags);
        if (r == 0 && diags->errors == 0)
                r = world_new(&side->world, side->policies, loaded->inventory, settings);
        return r;
}

/* heavier rules */

struct maker {
        struct arena *arena;
        struct rng rng;
        bool failed;
};

static struct doc_node *make(struct maker *m, enum doc_kind kind, const char *text, size_t len)
{
        struct doc_node *node = arena_alloc(m->arena, sizeof(*node));

        m->failed |= !node;
        if (!node)
                return NULL;
        node->kind = kind;
        if (kind == DOC_STRING || kind == DOC_INT)
                node->text = text;
        else if (kind == DOC_MAP)
                node->pairs = arena_array(m->arena, len, sizeof(*node->pairs));
        else
                node->items = arena_array(m->arena, len, sizeof(*node->items));
        m->failed |= kind == DOC_MAP ? !node->pairs : kind == DOC_LIST && !node->items;
        return m->failed ? NULL : node;
}

/* { key: value } */
static struct doc_node *make_map(struct maker *m, const char *key, struct doc_node *value)
{
        struct doc_node *map = make(m, DOC_MAP, NULL, 1), *text = make(m, DOC_STRING, key, 0);

        if (!map || !text || !value)
                return NULL;
        map->pairs[0] = (struct doc_pair){.key = text, .value = value};
        map->len = 1;
        return map;
}

static struct doc_node *make_texts(struct maker *m, const char *fmt, size_t len)
{
        struct doc_node *list = make(m, DOC_LIST, NULL, len);

        for (size_t i = 0; list && i < len; i++) {
                char digits[8];

                snprintf(digits, sizeof(digits), "%zu", i);
                list->items[i] =
                        make(m, DOC_STRING,
                             arena_printf(m->arena, "%s%s%s", fmt, digits, fmt[0] == '1' ? ".0.0/16" : ".example"), 0);
                list->len++;
        }
        return list;
}

static void append(struct maker *m, struct doc_node *list, struct doc_node *item)
{
        struct doc_node **items = arena_array(m->arena, list->len + 1, sizeof(struct doc_node *));

        m->failed |= !items || !item;
        if (m->failed)
                return;
        memcpy(items, list->items, list->len * sizeof(*items));
        items[list->len++] = item;
        list->items = items;
}

static void burden_rule(struct maker *m, struct doc_node *rule, bool egress)
{
        struct doc_node *peers = doc_get(rule, egress ? "to" : "from"), *ports = doc_get(rule, "ports"), *node;
        bool allows = strcmp(doc_get(rule, "action")->text, "Allow") == 0;
        uint32_t what = rng_below(&m->rng, 24);

        if (egress && (what == 0 || (what == 1 && allows)))
                append(m, peers, make_map(m, "nodes", make(m, DOC_MAP, NULL, 0)));
        else if (egress && what == 2 && allows && rng_below(&m->rng, 2))
                append(m, peers, make_map(m, "domainNames", make_texts(m, "name", 1 + rng_below(&m->rng, 3))));
        else if (egress && what == 3)
                append(m, peers, make_map(m, "networks", make_texts(m, "10.", 20 + rng_below(&m->rng, 50))));
        for (uint32_t i = what == 4 || what == 5 ? 20 + rng_below(&m->rng, 50) : 0; i > 0 && !m->failed; i--)
                append(m, peers, peers->items[rng_below(&m->rng, (uint32_t)peers->len)]);
        for (uint32_t i = ports && (what == 5 || what == 6) ? 20 + rng_below(&m->rng, 30) : 0; i > 0 && !m->failed;
             i--) {
                node = make_map(m, "port", make(m, DOC_INT, arena_printf(m->arena, "%u", 1000 + i), 0));
                append(m, ports, make_map(m, "portNumber", node));
        }
}

/* The older policies among the documents, with some rules made heavier. The tree is changed in place. */
static void burden(struct maker *m, const struct doc_file *file)
{
        for (size_t i = 0; i < file->docs_len; i++) {
                const struct doc_node *version = doc_get(file->docs[i], "apiVersion"),
                                      *spec = doc_get(file->docs[i], "spec");

                if (strcmp(version->text, "policy.networking.k8s.io/v1alpha1") != 0)
                        continue;
                for (enum direction d = 0; d < DIR_MAX; d++) {
                        const struct doc_node *rules = doc_get(spec, direction_name(d));

                        for (size_t j = 0; rules && j < rules->len; j++)
                                burden_rule(m, rules->items[j], d == DIR_EGRESS);
                }
        }
}

static int write_old(struct side *old, const struct gen_loaded *loaded, uint64_t seed)
{
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        struct maker maker = {.arena = arena, .rng = rng_for(seed, 1, 7)};
        int r = arena ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < GEN_FILES; i++) {
                _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
                struct rough rough = {.buf = &old->files[i],
                                      .rng = rng_for(seed, i, 9),
                                      .arena = arena,
                                      .comments = true,
                                      .order = true};
                const struct strbuf *file = &loaded->policy_files[i];
                struct doc_file doc;

                r = doc_parse(&doc, arena, "", file->text, file->len, &diags);
                if (r == 0)
                        burden(&maker, &doc);
                for (size_t j = 0; r == 0 && j < doc.docs_len; j++)
                        r = rough_doc(&rough, doc.docs[j]);
                if (r == 0)
                        r = maker.failed ? -ENOMEM : strbuf_check(&old->files[i]);
        }
        return r;
}

static int count_comments(const struct side *side, size_t *ret)
{
        for (size_t i = 0; i < GEN_FILES; i++) {
                _cleanup_(arena_freep) struct arena *arena = arena_new();
                struct doc_comment *comments;
                const char *text;
                size_t len = 0;
                int r;

                if (!arena)
                        return -ENOMEM;
                r = doc_comments_of(side->files[i].text, side->files[i].len, arena, &text, &comments, &len);
                if (r < 0)
                        return r;
                *ret += len;
        }
        return 0;
}

static int complain(const char *why, const struct side *old, const struct side *new, const struct diag_list *diags)
{
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;

        diag_list_format(&text, diags, false);
        printf("# %s\n%s", why, text.text ? text.text : "");
        for (size_t i = 0; i < GEN_FILES; i++)
                printf("# file %zu, before:\n%s\n# after:\n%s\n", i, old->files[i].text ? old->files[i].text : "",
                       new->files[i].text ? new->files[i].text : "");
        return -EBADMSG;
}

static size_t count_rules(const struct policy_set *set)
{
        size_t n = 0;

        for (size_t i = 0; i < set->policies_len; i++)
                n += set->policies[i].rules_len[DIR_INGRESS] + set->policies[i].rules_len[DIR_EGRESS];
        return n;
}

/* Empty where the two decide the same. */
static const char *compare(const struct side *old, const struct side *new, const struct gen_world *gen,
                           const struct gen_loaded *loaded, struct tally *tally)
{
        _cleanup_(changes_freep) struct changes *changes = NULL;
        _cleanup_(gen_targets_fini) struct gen_targets targets = {.ports = NULL};
        struct oracle before = {old->policies, loaded->inventory, &gen->settings},
                      after = {new->policies, loaded->inventory, &gen->settings};
        struct rng rng = rng_for(gen->seed, 2, 7);

        for (size_t i = 0; i < new->policies->policies_len; i++)
                if (new->policies->policies[i].tier != TIER_NETWORK_POLICY &&
                    strcmp(new->policies->policies[i].kind, "ClusterNetworkPolicy") != 0)
                        return "an older policy is left";
        if (old->policies->policies_len != new->policies->policies_len)
                return "not as many policies";
        if (changes_new(&changes, old->world, new->world) < 0 || gen_targets(&targets, loaded) < 0)
                return "out of memory";
        if (changes->len > 0)
                return "some flow has changed";
        for (size_t i = 0; i < PACKETS; i++) {
                struct oracle_packet packet;

                gen_packet(&packet, &rng, &before, &targets);
                if (oracle_allows(&before, &packet) != oracle_allows(&after, &packet))
                        return "the oracle sees a difference";
                tally->packets++;
        }
        tally->split += count_rules(new->policies) > count_rules(old->policies);
        return "";
}

static int convert(struct side *new, const struct side *old, struct diag_list *diags, struct tally *tally)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < GEN_FILES; i++) {
                r = convert_policies(&new->files[i], &tally->policies, "old.yaml", old->files[i].text,
                                     old->files[i].len, diags);
                if (r == 0)
                        r = strbuf_check(&new->files[i]);
        }
        return r == 0 ? convert_check(old->policies, diags) : r;
}

/* Refusals are what they should be: of the rule that names a remedy. */
static bool is_refusal(const struct diag_list *diags)
{
        for (size_t i = 0; i < diags->len; i++)
                if (!diags->items[i].rule || strcmp(diags->items[i].rule, "VW409") != 0 || !diags->items[i].hint)
                        return false;
        return true;
}

static int try_sides(struct side *old, struct side *new, const struct gen_world *gen, const struct gen_loaded *loaded,
                     struct tally *tally)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        size_t before = 0, after = 0;
        const char *why;
        int r;

        r = write_old(old, loaded, gen->seed);
        if (r == 0)
                r = side_load(old, loaded, &gen->settings, &diags);
        if (r < 0)
                return r;
        if (diags.errors > 0)
                return complain("the world is refused", old, new, &diags);
        r = convert(new, old, &diags, tally);
        if (r < 0)
                return r;
        if (diags.errors > 0) {
                tally->refused++;
                return is_refusal(&diags) ? 0 : complain("refused for no reason", old, new, &diags);
        }
        r = side_load(new, loaded, &gen->settings, &diags);
        if (r < 0)
                return r;
        if (diags.errors > 0)
                return complain("what was converted is refused", old, new, &diags);
        why = compare(old, new, gen, loaded, tally);
        if (*why)
                return complain(why, old, new, &diags);
        r = count_comments(old, &before);
        if (r == 0)
                r = count_comments(new, &after);
        if (r < 0)
                return r;
        tally->converted++;
        tally->comments += before;
        return before == after ? 0 : complain("not all comments, or more", old, new, &diags);
}

static int try_world(uint64_t seed, void *user)
{
        struct tally *tally = user;
        _cleanup_(gen_world_fini) struct gen_world gen = {.pieces = NULL};
        _cleanup_(gen_loaded_fini) struct gen_loaded loaded = {.policies = NULL};
        struct side old = {.policies = NULL}, new = {.policies = NULL};
        int r;

        r = gen_world(&gen, seed);
        if (r == 0)
                r = gen_load(&loaded, &gen, &(struct gen_order){.shuffle = seed});
        if (r == 0)
                r = try_sides(&old, &new, &gen, &loaded, tally);
        side_fini(&old);
        side_fini(&new);
        tally->worlds++;
        return r;
}

int main(int argc, char **argv)
{
        struct tally tally = {0};
        uint64_t worlds;

        if (!gen_run(argc, argv, 300, try_world, &tally, &worlds))
                return 1;
        printf("%zu worlds, %zu refused, %zu converted with %zu comments, %zu with rules split; %zu policies, %zu "
               "packets\n",
               tally.worlds, tally.refused, tally.converted, tally.comments, tally.split, tally.policies,
               tally.packets);
        if (worlds >= 100 && (tally.refused == 0 || tally.converted < worlds / 2 || tally.split == 0)) {
                printf("not ok: the worlds do not show everything\n");
                return 1;
        }
        return 0;
}
