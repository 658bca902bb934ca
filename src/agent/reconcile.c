/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: there is one way into the kernel, whatever happened. The ruleset that should be is compiled from
 * scratch; the difference to what the kernel holds becomes one transaction; where there is none, nothing is sent. What the
 * kernel holds is read once and then kept up to date by applying our own transactions to the copy; each transaction names
 * the generation it was made against, so that a copy that is out of date is found out by the kernel and read again.
 *
 * The copy lacks one thing: the kernel names rules by handles, which a rule that we added only shows when read. A plan
 * that needs one therefore reads first. So does a plan that takes away what counts: what it counted since the last
 * reading would be lost. Neither happens when a container comes into a class that is there. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "reconcile.h"

/* Somebody may change other tables all the time; each time the generation moves under us. */
#define TRIES 8
#define OWN_MAX 32

struct reconcile {
        const struct reconcile_kernel *kernel;
        void *user;
        struct realm *realm;      /* in force */
        struct ruleset *compiled; /* what it compiled to */
        struct ruleset *actual;   /* the kernel's, or NULL where it must be read */
        uint32_t genid;           /* generation that actual stands for */
        uint32_t own[OWN_MAX];    /* generations after our last transactions; their notices come later */
        size_t own_next;
        struct counters counters;
};

struct policies *policies_new(struct policy_set *set)
{
        struct policies *policies = malloc(sizeof(*policies));

        if (policies)
                *policies = (struct policies){1, set};
        else
                policy_set_free(set);
        return policies;
}

struct policies *policies_ref(struct policies *policies)
{
        policies->refs++;
        return policies;
}

struct policies *policies_unref(struct policies *policies)
{
        if (!policies || --policies->refs > 0)
                return NULL;
        policy_set_free(policies->set);
        free(policies);
        return NULL;
}

static int no_policies(struct policies **ret)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(policy_set_freep) struct policy_set *set = NULL;
        int r;

        r = policy_set_new(&set);
        if (r < 0)
                return r;
        r = policy_set_seal(set, &diags);
        if (r < 0)
                return r;
        *ret = policies_new(steal(set));
        return *ret ? 0 : -ENOMEM;
}

int realm_new(struct realm **ret, struct config *config, struct policies *policies, struct inventory *inventory)
{
        _cleanup_(realm_freep) struct realm *realm = calloc(1, sizeof(*realm));
        int r;

        if (!realm) {
                inventory_free(inventory);
                return -ENOMEM;
        }
        realm->inventory = inventory;
        realm->config = config_ref(config);
        realm->settings = config->settings;
        if (policies) {
                realm->policies = policies_ref(policies);
        } else {
                realm->settings.default_action = ACTION_DENY;
                realm->settings.unknown_deny = true;
                r = no_policies(&realm->policies);
                if (r < 0)
                        return r;
        }
        r = world_new(&realm->world, realm->policies->set, realm->inventory, &realm->settings);
        if (r < 0)
                return r;
        *ret = steal(realm);
        return 0;
}

struct realm *realm_free(struct realm *realm)
{
        if (!realm)
                return NULL;
        world_free(realm->world);
        inventory_free(realm->inventory);
        policies_unref(realm->policies);
        config_unref(realm->config);
        free(realm);
        return NULL;
}

int reconcile_new(struct reconcile **ret, const struct reconcile_kernel *kernel, void *user)
{
        struct reconcile *reconcile = calloc(1, sizeof(*reconcile));

        if (!reconcile)
                return -ENOMEM;
        reconcile->kernel = kernel;
        reconcile->user = user;
        *ret = reconcile;
        return 0;
}

struct reconcile *reconcile_free(struct reconcile *reconcile)
{
        if (!reconcile)
                return NULL;
        realm_free(reconcile->realm);
        ruleset_free(reconcile->compiled);
        ruleset_free(reconcile->actual);
        counters_fini(&reconcile->counters);
        free(reconcile);
        return NULL;
}

static uint64_t now_us(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void reconcile_forget(struct reconcile *reconcile)
{
        reconcile->actual = ruleset_free(reconcile->actual);
}

static int read_kernel(struct reconcile *reconcile)
{
        struct ruleset *actual = NULL;
        uint32_t genid = 0;
        int r;

        r = reconcile->kernel->read(reconcile->user, &actual, &genid);
        if (r < 0)
                return r;
        ruleset_free(reconcile->actual);
        reconcile->actual = actual;
        reconcile->genid = genid;
        return 0;
}

static int count(struct reconcile *reconcile)
{
        if (!reconcile->compiled || !reconcile->actual)
                return 0;
        return counters_update(&reconcile->counters, reconcile->compiled, reconcile->actual);
}

static bool wants_fresh_copy(const struct plan *plan)
{
        for (size_t i = 0; i < plan->len; i++) {
                const struct plan_op *op = &plan->ops[i];

                switch (op->kind) {
                case PLAN_DEL_TABLE:
                case PLAN_DEL_RULE:
                case PLAN_DEL_CHAIN:
                        return true;
                case PLAN_DEL_ELEMS:
                case PLAN_DEL_SET:
                        if (op->set->counter)
                                return true;
                        break;
                case PLAN_ADD_RULE:
                        if (op->old_rule && op->old_rule->handle == 0)
                                return true;
                        break;
                case PLAN_ADD_TABLE:
                case PLAN_ADD_CHAIN:
                case PLAN_ADD_SET:
                case PLAN_ADD_ELEMS:
                case PLAN_KIND_MAX:
                        break;
                }
        }
        return false;
}

/* After a transaction: the copy follows, without a word to the kernel. Where there is no memory for that, it is read. */
static void follow(struct reconcile *reconcile, const struct plan *plan, uint32_t genid)
{
        struct ruleset *actual;

        if (ruleset_apply(&actual, reconcile->actual, plan) < 0) {
                reconcile_forget(reconcile);
                return;
        }
        ruleset_free(reconcile->actual);
        reconcile->actual = actual;
        reconcile->genid = genid;
}

/* Compares and commits, until the kernel's ruleset is the compiled one. */
static int commit(struct reconcile *reconcile, const struct ruleset *compiled, struct reconcile_result *ret,
                  struct diag_list *diags)
{
        bool fresh = false;

        for (unsigned i = 0; i < TRIES; i++) {
                _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
                struct nft_result result = {0};
                int r = 0;

                if (!reconcile->actual) {
                        r = read_kernel(reconcile);
                        fresh = true;
                }
                if (r == 0)
                        r = ruleset_diff(&plan, reconcile->actual, compiled, true);
                if (r < 0 || plan.len == 0)
                        return r;
                if (!fresh && wants_fresh_copy(&plan)) {
                        reconcile_forget(reconcile);
                        continue;
                }
                if (fresh) {
                        r = count(reconcile);
                        if (r < 0)
                                return r;
                }
                r = reconcile->kernel->commit(reconcile->user, &plan, reconcile->genid, &result, diags);
                if (r == NFT_E_CHANGED) {
                        reconcile_forget(reconcile);
                        continue;
                }
                if (r != 0) {
                        reconcile_forget(reconcile);
                        ret->error = result.error;
                        return r == NFT_E_REFUSED ? RECONCILE_E_REFUSED : r;
                }
                reconcile->own[reconcile->own_next++ % OWN_MAX] = result.genid;
                ret->committed = true;
                ret->committed_us = now_us();
                ret->ops = plan.len;
                ret->bytes = result.bytes;
                follow(reconcile, &plan, result.genid);
                return 0;
        }
        return -EAGAIN;
}

int reconcile_apply(struct reconcile *reconcile, struct realm *realm, struct reconcile_result *ret,
                    struct diag_list *diags)
{
        _cleanup_(ruleset_freep) struct ruleset *compiled = NULL;
        _cleanup_(realm_freep) struct realm *owned = realm;
        uint64_t begin = now_us(), compiled_us;
        int r;

        *ret = (struct reconcile_result){0};
        r = compile(&compiled, realm->world);
        if (r < 0)
                return r;
        compiled_us = now_us();
        ret->compile_us = compiled_us - begin;
        r = commit(reconcile, compiled, ret, diags);
        if (!ret->committed)
                ret->committed_us = now_us();
        ret->transaction_us = ret->committed_us - compiled_us;
        if (r != 0)
                return r;

        realm_free(reconcile->realm);
        reconcile->realm = steal(owned);
        ruleset_free(reconcile->compiled);
        reconcile->compiled = steal(compiled);
        /* Without memory for it the counters are as old as before; the rules are in force all the same. */
        (void)count(reconcile);
        return 0;
}

void reconcile_moved(struct reconcile *reconcile, uint32_t genid)
{
        /* Notices come late: one from before our last transaction says nothing new. */
        if ((int32_t)(genid - reconcile->genid) > 0)
                reconcile->genid = genid;
}

bool reconcile_is_own(const struct reconcile *reconcile, uint32_t genid)
{
        for (size_t i = 0; i < OWN_MAX && i < reconcile->own_next; i++)
                if (reconcile->own[i] == genid)
                        return true;
        return false;
}

int reconcile_kernel_holds(struct reconcile *reconcile, bool *ret)
{
        int r = reconcile->actual ? 0 : read_kernel(reconcile);

        if (r < 0)
                return r;
        *ret = reconcile->actual->tables_len > 0;
        return 0;
}

int reconcile_count(struct reconcile *reconcile, bool *ret_intact)
{
        int r;

        *ret_intact = true;
        if (!reconcile->compiled)
                return 0;
        r = read_kernel(reconcile);
        if (r == 0)
                r = count(reconcile);
        if (r < 0)
                return r;
        *ret_intact = ruleset_equal(reconcile->actual, reconcile->compiled);
        return 0;
}

const struct realm *reconcile_realm(const struct reconcile *reconcile)
{
        return reconcile->realm;
}

const struct counters *reconcile_counters(const struct reconcile *reconcile)
{
        return &reconcile->counters;
}
