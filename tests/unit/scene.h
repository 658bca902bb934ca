/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A world from policy and inventory text, for tests that ask questions about one. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <vethwall/diag.h>
#include <vethwall/inventory.h>
#include <vethwall/policy.h>
#include <vethwall/settings.h>
#include <vethwall/strbuf.h>
#include <vethwall/world.h>

struct scene {
        struct policy_set *policies;
        struct inventory *inventory;
        struct world *world;
};

static inline void scene_fini(struct scene *scene)
{
        world_free(scene->world);
        policy_set_free(scene->policies);
        inventory_free(scene->inventory);
}

static inline void scene_check(const struct diag_list *diags)
{
        struct strbuf buf = STRBUF_INIT;

        if (diags->len > 0) {
                diag_list_format(&buf, diags, false);
                print_error("%s", buf.text);
                strbuf_fini(&buf);
        }
        assert_int_equal(diags->len, 0);
}

static inline void scene_init(struct scene *scene, const char *policies, const char *inventory)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;

        assert_int_equal(policy_set_new(&scene->policies), 0);
        assert_int_equal(policy_set_load(scene->policies, "policy.yaml", policies, strlen(policies), &diags), 0);
        assert_int_equal(policy_set_seal(scene->policies, &diags), 0);
        assert_int_equal(inventory_new(&scene->inventory), 0);
        assert_int_equal(inventory_load(scene->inventory, "inventory.yaml", inventory, strlen(inventory), &diags), 0);
        assert_int_equal(inventory_seal(scene->inventory), 0);
        scene_check(&diags);
        assert_int_equal(world_new(&scene->world, scene->policies, scene->inventory, &settings_default), 0);
}

/* The index of "ns/name". */
static inline size_t scene_endpoint(const struct scene *scene, const char *text)
{
        for (size_t i = 0; i < scene->inventory->endpoints_len; i++) {
                const struct endpoint *endpoint = &scene->inventory->endpoints[i];
                size_t len = strlen(endpoint->ns);

                if (strncmp(text, endpoint->ns, len) == 0 && text[len] == '/' &&
                    strcmp(text + len + 1, endpoint->name) == 0)
                        return i;
        }

        fail_msg("no endpoint %s", text);
        return WORLD_OUTSIDE;
}
