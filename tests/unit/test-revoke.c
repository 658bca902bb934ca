/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which connections are cut. */
#include <netinet/in.h>

#include <agent/revoke.h>

#include "scene.h"

static const char policies[] = "apiVersion: networking.k8s.io/v1\n"
                               "kind: NetworkPolicy\n"
                               "metadata: {name: web, namespace: shop}\n"
                               "spec:\n"
                               "  podSelector: {matchLabels: {app: web}}\n"
                               "  ingress:\n"
                               "  - from: [{podSelector: {matchLabels: {app: client}}}]\n"
                               "    ports: [{port: 80}]\n";

static const char inventory[] =
        "apiVersion: vethwall.io/v1\n"
        "kind: Inventory\n"
        "endpoints:\n"
        "- {name: web, namespace: shop, labels: {app: web}, addresses: [10.0.0.2, 'fd00::2']}\n"
        "- {name: client, namespace: shop, labels: {app: client}, addresses: [10.0.0.3]}\n"
        "- {name: evil, namespace: shop, labels: {app: evil}, addresses: [10.0.0.4, 'fd00::4']}\n"
        "- {name: node, namespace: shop, addresses: [192.0.2.1], hostNetwork: true}\n";

#define HOST "10.0.0.1"
#define RELEASED "10.0.0.9"

static struct addr parse(const char *text)
{
        struct addr addr;

        assert_true(addr_parse(text, &addr));
        return addr;
}

/* From, asked for, who answers. */
static struct ct_flow flow_of(const char *src, const char *asked, const char *dst, uint16_t port)
{
        return (struct ct_flow){
                .protocol = IPPROTO_TCP,
                .original = {parse(src), parse(asked), 40000, 8080},
                .reply = {parse(dst), parse(src), port, 40000},
                .replied = true,
        };
}

struct fixture {
        struct scene scene;
        struct owners owners;
        struct addr host_addr, left;
        struct host host;
        struct revoke_view view;
};

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        scene_init(&f->scene, policies, inventory);
        assert_int_equal(owners_init(&f->owners, f->scene.inventory), 0);
        f->host_addr = parse(HOST);
        f->left = parse(RELEASED);
        f->host = (struct host){&f->host_addr, 1, 1};
        f->view = (struct revoke_view){f->scene.world, &f->owners, &f->host, false, &f->left, 1};
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        owners_fini(&f->owners);
        scene_fini(&f->scene);
        free(f);
        return 0;
}

static enum revoke_choice choose(const struct fixture *f, const struct ct_flow *flow)
{
        enum revoke_choice choice;

        assert_int_equal(revoke_choose(&f->view, flow, &choice), 0);
        return choice;
}

static void what_policy_denies_goes(void **state)
{
        static const struct {
                const char *src, *asked, *dst;
                uint16_t port;
                enum revoke_choice want;
        } cases[] = {
                {"10.0.0.3", "10.0.0.2", "10.0.0.2", 80, REVOKE_KEEP},
                {"10.0.0.3", "10.0.0.2", "10.0.0.2", 81, REVOKE_DENIED},
                {"10.0.0.4", "10.0.0.2", "10.0.0.2", 80, REVOKE_DENIED},
                {"fd00::4", "fd00::2", "fd00::2", 80, REVOKE_DENIED},
                /* by a published port: who answers is who is judged */
                {"10.0.0.4", "192.0.2.1", "10.0.0.2", 80, REVOKE_DENIED},
                {"10.0.0.4", "10.0.0.2", "198.51.100.1", 80, REVOKE_KEEP},
                {"198.51.100.1", "192.0.2.1", "10.0.0.2", 80, REVOKE_DENIED},
                {"10.0.0.2", "198.51.100.1", "198.51.100.1", 443, REVOKE_KEEP},
                /* nobody's */
                {"198.51.100.1", "198.51.100.2", "198.51.100.2", 80, REVOKE_KEEP},
                {"192.0.2.1", "198.51.100.2", "198.51.100.2", 80, REVOKE_KEEP},
                /* its own host */
                {HOST, "10.0.0.2", "10.0.0.2", 81, REVOKE_KEEP},
                /* released, whatever policy says */
                {RELEASED, "198.51.100.2", "198.51.100.2", 80, REVOKE_RELEASED},
                {"10.0.0.2", "192.0.2.1", RELEASED, 80, REVOKE_RELEASED},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct ct_flow flow = flow_of(cases[i].src, cases[i].asked, cases[i].dst, cases[i].port);

                if (choose(*state, &flow) != cases[i].want)
                        fail_msg("case %zu", i);
        }
}

static void the_host_is_judged_where_the_settings_say_so(void **state)
{
        struct fixture *f = *state;
        struct ct_flow flow = flow_of(HOST, "10.0.0.2", "10.0.0.2", 81);

        assert_int_equal(choose(f, &flow), REVOKE_KEEP);
        f->view.host_policy = true;
        assert_int_equal(choose(f, &flow), REVOKE_DENIED);
}

static void only_what_passes_unasked_is_judged(void **state)
{
        struct ct_flow flow = flow_of("10.0.0.4", "10.0.0.2", "10.0.0.2", 80);

        flow.replied = false;
        assert_int_equal(choose(*state, &flow), REVOKE_KEEP);
        flow.replied = true;
        flow.related = true;
        assert_int_equal(choose(*state, &flow), REVOKE_KEEP);
        flow.related = false;
        flow.open = false;
        assert_int_equal(choose(*state, &flow), REVOKE_DENIED);
        flow = flow_of("10.0.0.2", "198.51.100.2", RELEASED, 80);
        flow.replied = false;
        assert_int_equal(choose(*state, &flow), REVOKE_RELEASED);
}

static void list_tenants(struct tenants *ret, const char *text)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(inventory_freep) struct inventory *list = NULL;
        _cleanup_(owners_fini) struct owners owners = {0};

        assert_int_equal(inventory_new(&list), 0);
        assert_int_equal(inventory_load(list, "inventory.yaml", text, strlen(text), &diags), 0);
        assert_int_equal(inventory_seal(list), 0);
        scene_check(&diags);
        assert_int_equal(owners_init(&owners, list), 0);
        assert_int_equal(tenants_init(ret, &owners, list), 0);
}

static void an_address_is_released_by_going_and_by_a_new_tenant(void **unused _unused_)
{
        static const char now_text[] = "apiVersion: vethwall.io/v1\n"
                                       "kind: Inventory\n"
                                       "endpoints:\n"
                                       "- {name: web, namespace: shop, addresses: [10.0.0.2]}\n"
                                       "- {name: new, namespace: shop, addresses: [10.0.0.3, 10.0.0.7]}\n"
                                       "- {name: evil, namespace: shop, labels: {app: good}, addresses: [10.0.0.4, "
                                       "'fd00::4']}\n";
        _cleanup_(tenants_fini) struct tenants none = {0}, before = {0}, now = {0};
        _cleanup_free_ struct addr *left = NULL, *first = NULL;
        struct addr gone = parse("fd00::2"), taken = parse("10.0.0.3");
        size_t len;

        list_tenants(&before, inventory);
        list_tenants(&now, now_text);
        assert_int_equal(tenants_left(&before, &now, &left, &len), 0);
        assert_int_equal(len, 2);
        assert_true(addr_equal(&left[0], &taken));
        assert_true(addr_equal(&left[1], &gone));
        assert_int_equal(tenants_left(&none, &now, &first, &len), 0);
        assert_int_equal(len, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_policy_denies_goes, setup, teardown),
                cmocka_unit_test_setup_teardown(the_host_is_judged_where_the_settings_say_so, setup, teardown),
                cmocka_unit_test_setup_teardown(only_what_passes_unasked_is_judged, setup, teardown),
                cmocka_unit_test(an_address_is_released_by_going_and_by_a_new_tenant),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
