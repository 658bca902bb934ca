/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes: which kinds have something about them that differs, so that only these are compared. */
#include <errno.h>
#include <string.h>

#include "changes_internal.h"
#include "world_internal.h"

static void put_number(struct strbuf *buf, uint64_t number)
{
        strbuf_add(buf, (const char *)&number, sizeof(number));
}

static void put_prefix(struct strbuf *buf, const struct prefix *prefix)
{
        struct addr_range range = prefix_range(prefix);

        strbuf_putc(buf, (char)range.first.family);
        strbuf_add(buf, (const char *)range.first.bytes, sizeof(range.first.bytes));
        strbuf_putc(buf, (char)prefix->len);
}

static void put_peer(struct strbuf *buf, const struct peer *peer)
{
        strbuf_putc(buf, (char)peer->kind);
        switch (peer->kind) {
        case PEER_SELECTOR:
                selector_key(buf, peer->ns_selector);
                selector_key(buf, peer->pod_selector);
                break;
        case PEER_BLOCK:
                put_prefix(buf, &peer->cidr);
                put_number(buf, peer->excepts_len);
                for (size_t i = 0; i < peer->excepts_len; i++)
                        put_prefix(buf, &peer->excepts[i]);
                break;
        }
}

static void put_port(struct strbuf *buf, const struct port_match *port)
{
        strbuf_putc(buf, (char)port->protocol);
        strbuf_putc(buf, (char)port->kind);
        switch (port->kind) {
        case PORT_RANGE:
                put_number(buf, (uint64_t)port->range.first << 16 | port->range.last);
                break;
        case PORT_NAME:
                strbuf_add(buf, port->name, strlen(port->name) + 1);
                break;
        }
}

static void put_rule(struct strbuf *buf, const struct rule *rule)
{
        strbuf_putc(buf, (char)rule->action);
        strbuf_putc(buf, rule->fails_closed ? 'c' : '-');
        strbuf_putc(buf, rule->any_peer ? 'a' : '-');
        put_number(buf, rule->peers_len);
        for (size_t i = 0; i < rule->peers_len; i++)
                put_peer(buf, &rule->peers[i]);
        strbuf_putc(buf, rule->any_port ? 'a' : '-');
        put_number(buf, rule->ports_len);
        for (size_t i = 0; i < rule->ports_len; i++)
                put_port(buf, &rule->ports[i]);
}

bool changes_same_rule(const struct rule *a, const struct rule *b)
{
        _cleanup_(strbuf_fini) struct strbuf x = STRBUF_INIT, y = STRBUF_INIT;

        put_rule(&x, a);
        put_rule(&y, b);
        /* Without memory they count as different, which is never wrong. */
        return strbuf_check(&x) == 0 && strbuf_check(&y) == 0 && x.len == y.len && memcmp(x.text, y.text, x.len) == 0;
}

/* What the policy means, as bytes. Its name means nothing: where names break ties, the order of the policies shows it. */
static void put_policy(struct strbuf *buf, const struct policy *policy)
{
        strbuf_clear(buf);
        strbuf_putc(buf, (char)policy->tier);
        put_number(buf, (uint64_t)policy->priority);
        strbuf_puts(buf, policy->ns ? policy->ns : "");
        strbuf_putc(buf, '\0');
        selector_key(buf, policy->ns_selector);
        selector_key(buf, policy->pod_selector);
        for (enum direction d = 0; d < DIR_MAX; d++) {
                strbuf_putc(buf, policy->applies[d] ? 'a' : '-');
                put_number(buf, policy->applies[d] ? policy->rules_len[d] : 0);
                for (size_t i = 0; policy->applies[d] && i < policy->rules_len[d]; i++)
                        put_rule(buf, &policy->rules[d][i]);
        }
}

static int number_content(struct arena *arena, struct str_index *index, struct strbuf *buf, const struct policy *policy,
                          uint32_t *ids_len, uint32_t *ret)
{
        void *copy;
        int r;

        put_policy(buf, policy);
        r = strbuf_check(buf);
        if (r < 0)
                return r;

        if (str_index_get(index, buf->text, buf->len, ret))
                return 0;

        copy = arena_memdup(arena, buf->text, buf->len);
        if (!copy)
                return -ENOMEM;

        *ret = (*ids_len)++;
        return str_index_put(index, copy, buf->len, *ret);
}

int changes_policy_contents(struct arena *arena, const struct policy_set *const sets[static CHANGE_SIDE_MAX],
                            uint32_t *ret[static CHANGE_SIDE_MAX])
{
        _cleanup_(str_index_fini) struct str_index index = STR_INDEX_INIT;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        uint32_t ids_len = 0;
        int r;

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                ret[side] = arena_array(arena, sets[side]->policies_len, sizeof(*ret[side]));
                if (!ret[side])
                        return -ENOMEM;

                for (size_t i = 0; i < sets[side]->policies_len; i++) {
                        r = number_content(arena, &index, &buf, &sets[side]->policies[i], &ids_len, &ret[side][i]);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

/* Whether the same contents select the kind on both sides, in the same order. */
static bool same_policies(const struct change_build *build, uint32_t *const contents[static CHANGE_SIDE_MAX],
                          enum direction d, size_t kind)
{
        const struct class *classes[CHANGE_SIDE_MAX];

        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                const struct world *world = build->worlds[side];
                const struct endpoint *endpoint = changes_member(build, kind, side);
                uint32_t class = world_class(world, d, (size_t)(endpoint - world->inventory->endpoints));

                /* The host, which nothing selects; on both sides, as the kind did not move. */
                if (class == NONE)
                        return true;
                classes[side] = &world->classes[d][class];
        }

        if (classes[CHANGE_OLD]->policies_len != classes[CHANGE_NEW]->policies_len)
                return false;

        for (size_t i = 0; i < classes[CHANGE_OLD]->policies_len; i++)
                if (contents[CHANGE_OLD][classes[CHANGE_OLD]->policy_ids[i]] !=
                    contents[CHANGE_NEW][classes[CHANGE_NEW]->policy_ids[i]])
                        return false;

        return true;
}

/* The labels of the kind's namespace, which policy files give too, in every world. */
static bool same_namespace(const struct change_build *build, size_t kind)
{
        const char *ns = changes_member(build, kind, CHANGE_OLD)->ns;
        const struct label_set *labels = world_namespace_labels(build->worlds[CHANGE_OLD], ns);

        for (size_t w = 1; w < build->worlds_len; w++)
                if (label_set_cmp(labels, world_namespace_labels(build->worlds[w], ns)) != 0)
                        return false;

        return true;
}

int changes_find_touched(struct change_build *build)
{
        const struct policy_set *const sets[] = {build->worlds[CHANGE_OLD]->policies,
                                                 build->worlds[CHANGE_NEW]->policies};
        const struct changes *changes = build->changes;
        uint32_t *contents[CHANGE_SIDE_MAX];
        bool same_settings = build->worlds[CHANGE_OLD]->settings == build->worlds[CHANGE_NEW]->settings;
        int r;

        r = changes_policy_contents(build->arena, sets, contents);
        if (r < 0)
                return r;

        build->moved = arena_array(build->arena, changes->kinds_len, sizeof(*build->moved));
        if (!build->moved)
                return -ENOMEM;
        for (size_t i = 0; i < changes->kinds_len; i++)
                build->moved[i] = changes->kinds[i].facts != 0 || !same_settings || !same_namespace(build, i);

        for (enum direction d = 0; d < DIR_MAX; d++) {
                build->touched[d] = arena_array(build->arena, changes->kinds_len, sizeof(*build->touched[d]));
                if (!build->touched[d])
                        return -ENOMEM;
                for (size_t i = 0; i < changes->kinds_len; i++)
                        build->touched[d][i] = build->moved[i] || !same_policies(build, contents, d, i);
        }

        return changes_find_reach(build, contents);
}
