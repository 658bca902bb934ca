/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vethwalld does once, without staying: the rules that stand before it has started, and their removal. */
#include <errno.h>

#include <vethwall/compile.h>

#include "agent.h"
#include "log.h"
#include "reconcile.h"

/* Others may change the ruleset between reading and committing. */
#define TRIES_MAX 8

/* Nobody is known, so managed interfaces pass nothing. */
static int compile_base(struct ruleset **ret, struct config *config)
{
        _cleanup_(inventory_freep) struct inventory *inventory = NULL;
        _cleanup_(realm_freep) struct realm *realm = NULL;
        int r;

        r = inventory_new(&inventory);
        if (r == 0)
                r = inventory_seal(inventory);
        if (r == 0)
                r = realm_new(&realm, config, NULL, steal(inventory));
        return r < 0 ? r : compile(ret, realm->world);
}

static int compile_nothing(struct ruleset **ret)
{
        int r = ruleset_new(ret);

        if (r == 0)
                ruleset_seal(*ret);
        return r;
}

/* Makes the kernel's tables of ours what is wanted; where only_if_absent, only while there are none. *ret_had: how many there
 * were. 0 or a negative errno. */
static int become(struct nft *nft, const struct ruleset *wanted, bool only_if_absent, size_t *ret_had)
{
        int r = -EAGAIN;

        for (unsigned i = 0; r == -EAGAIN && i < TRIES_MAX; i++) {
                _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
                _cleanup_(ruleset_freep) struct ruleset *actual = NULL;
                _cleanup_(plan_fini) struct plan plan = PLAN_INIT;
                struct nft_result result;
                uint32_t genid;

                r = nft_read(nft, RULESET_TABLE, &actual, &genid);
                if (r < 0)
                        return r;
                *ret_had = actual->tables_len;
                if (only_if_absent && actual->tables_len > 0)
                        return 0;
                r = ruleset_diff(&plan, actual, wanted, true);
                if (r < 0)
                        return r;
                r = nft_commit(nft, &plan, genid, false, &result, &diags);
                log_diags(&diags);
                if (r == NFT_E_REFUSED)
                        return -result.error;
                if (r == NFT_E_CHANGED)
                        r = -EAGAIN;
        }
        return r;
}

int agent_teardown(size_t *ret_removed)
{
        _cleanup_(ruleset_freep) struct ruleset *nothing = NULL;
        _cleanup_(nft_closep) struct nft *nft = NULL;
        int r = nft_open(&nft);

        if (r == 0)
                r = compile_nothing(&nothing);
        return r < 0 ? r : become(nft, nothing, false, ret_removed);
}

int agent_base(struct config *config, bool *ret_loaded)
{
        _cleanup_(ruleset_freep) struct ruleset *base = NULL;
        _cleanup_(nft_closep) struct nft *nft = NULL;
        size_t had = 0;
        int r = nft_open(&nft);

        if (r == 0)
                r = compile_base(&base, config);
        if (r == 0)
                r = become(nft, base, true, &had);
        *ret_loaded = r == 0 && had == 0;
        return r;
}
