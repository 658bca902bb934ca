/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole analysis on two sets of policies and two inventories, the parts of the input; what is left out is as the one
 * before it. Everything is asked that can be, and the answers must agree with each other. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <vethwall/changes.h>
#include <vethwall/compile.h>
#include <vethwall/explain.h>
#include <vethwall/lint.h>
#include <vethwall/matrix.h>
#include <vethwall/settings.h>
#include <vethwall/strbuf.h>

#include "fuzz.h"
#include "oom.h"

/* Endpoints that are asked about one by one. */
#define ASKED_MAX 6

struct side {
        struct fuzz_part policy_file, inventory_file;
        struct policy_set *policies;
        struct inventory *inventory;
        struct world *world;
};

static void side_fini(struct side *side)
{
        world_free(side->world);
        policy_set_free(side->policies);
        inventory_free(side->inventory);
        fuzz_part_fini(&side->policy_file);
        fuzz_part_fini(&side->inventory_file);
}

static int load(struct side *side, const struct settings *settings, struct diag_list *diags)
{
        int r;

        r = policy_set_new(&side->policies);
        if (r == 0) {
                side->policies->keeps_sources = true;
                r = policy_set_load(side->policies, "policy.yaml", side->policy_file.bytes, side->policy_file.size,
                                    diags);
        }
        if (r == 0)
                r = policy_set_seal(side->policies, diags);
        if (r == 0)
                r = inventory_new(&side->inventory);
        if (r == 0)
                r = inventory_load(side->inventory, "inventory.yaml", side->inventory_file.bytes,
                                   side->inventory_file.size, diags);
        if (r == 0)
                r = inventory_seal(side->inventory);
        if (r == 0 && diags->errors == 0)
                r = world_new(&side->world, side->policies, side->inventory, settings);
        return r;
}

static int run_lint(struct side *side)
{
        struct lint_result result = {.findings = DIAG_LIST_INIT};
        struct strbuf buf = STRBUF_INIT;
        int r;

        r = lint(&result, side->policies, side->world);
        if (r == 0) {
                fuzz_must(result.counts[DIAG_ERROR] == result.findings.errors, "errors are counted alike");
                diag_list_format(&buf, &result.findings, true);
                r = strbuf_check(&buf);
        }
        strbuf_fini(&buf);
        lint_result_fini(&result);
        return r;
}

/* Addresses of one family for both, if there are any. */
static void find_addresses(const struct endpoint *src, const struct endpoint *dst, struct explain_query *query)
{
        for (size_t i = 0; !query->src.has_addr && i < src->addrs_len; i++)
                for (size_t j = 0; !query->src.has_addr && j < dst->addrs_len; j++) {
                        query->src.has_addr = query->dst.has_addr = src->addrs[i].family == dst->addrs[j].family;
                        query->src.addr = src->addrs[i];
                        query->dst.addr = dst->addrs[j];
                }
}

/* Where all address pairs are treated alike, what the matrix says of two endpoints is what an explanation of them says. */
static int explain_pair(struct side *side, struct matrix *matrix, size_t src, size_t dst)
{
        static const struct {
                uint8_t protocol;
                uint16_t port;
        } services[] = {{IPPROTO_TCP, 80}, {IPPROTO_UDP, 53}, {IPPROTO_SCTP, 65535}, {IPPROTO_ICMP, 0}};
        struct explain_query query = {.src.endpoint = src, .dst.endpoint = dst};
        struct matrix_flow flow;
        int r;

        find_addresses(&side->inventory->endpoints[src], &side->inventory->endpoints[dst], &query);
        r = matrix_between(matrix, src, dst, &flow);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(services); i++) {
                _cleanup_(explanation_freep) struct explanation *explanation = NULL;

                query.protocol = services[i].protocol;
                query.port = services[i].port;
                r = explain(&explanation, side->world, &query);
                if (r == 0 && query.src.has_addr && !flow.pairs)
                        fuzz_must((explanation->verdict == ACTION_ALLOW) ==
                                          conns_allow(flow.conns, query.protocol, query.port),
                                  "matrix and explanation agree");
        }
        return r;
}

static int run_matrix(struct side *side)
{
        _cleanup_(matrix_freep) struct matrix *matrix = NULL;
        size_t len = side->inventory->endpoints_len;
        int r;

        len = len < ASKED_MAX ? len : ASKED_MAX;
        r = matrix_new(&matrix, side->world);
        for (size_t i = 0; r == 0 && i < len; i++) {
                for (size_t j = 0; r == 0 && j < len; j++)
                        r = explain_pair(side, matrix, i, j);
                for (unsigned j = 0; r == 0 && j < DIR_MAX * ADDR_FAMILY_MAX; j++) {
                        const struct matrix_range *ranges;
                        size_t ranges_len;

                        r = matrix_outside(matrix, j % DIR_MAX, i, j / DIR_MAX, &ranges, &ranges_len);
                        if (r == 0)
                                fuzz_must(ranges_len > 0, "ranges cover the family");
                }
        }
        return r;
}

static int run_compile(struct side *side)
{
        _cleanup_(ruleset_freep) struct ruleset *ruleset = NULL;
        struct strbuf buf = STRBUF_INIT;
        int r;

        r = compile(&ruleset, side->world);
        if (r == 0) {
                ruleset_text(&buf, ruleset, false);
                r = strbuf_check(&buf);
        }
        strbuf_fini(&buf);
        return r;
}

static int count_pair(const struct changes *changes, const struct change *change, const struct change_party *src,
                      const struct change_party *dst, void *userdata)
{
        (void)changes;
        (void)change;
        (void)src;
        (void)dst;
        ++*(size_t *)userdata;
        return 0;
}

static int run_changes(struct side *old, struct side *new)
{
        _cleanup_(changes_freep) struct changes *changes = NULL;
        size_t size = 0, pairs = 0;
        int r;

        r = changes_new(&changes, old->world, new->world);
        if (r == 0 && old == new)
                fuzz_must(changes->len == 0, "nothing has changed");
        for (size_t i = 0; r == 0 && i < changes->len; i++)
                size += change_size(changes, &changes->items[i]);
        if (r == 0)
                r = changes_visit(changes, count_pair, &pairs);
        if (r == 0)
                fuzz_must(pairs == size, "changes are as large as they say");
        return r;
}

static int run(struct side sides[static 2], const struct settings *settings)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        int r = 0;

        for (size_t i = 0; r == 0 && i < 2; i++)
                r = load(&sides[i], settings, &diags);
        if (r < 0 || diags.errors > 0)
                return r;
        r = run_lint(&sides[1]);
        if (r == 0)
                r = run_matrix(&sides[1]);
        if (r == 0)
                r = run_compile(&sides[1]);
        if (r == 0)
                r = run_changes(&sides[0], &sides[1]);
        return r == 0 ? run_changes(&sides[1], &sides[1]) : r;
}

static struct fuzz_part part_or(struct fuzz_input *input, const struct fuzz_part *other)
{
        struct fuzz_input copy = {(const uint8_t *)other->bytes, other->size};

        return fuzz_more(input) ? fuzz_part(input) : fuzz_bytes(&copy, copy.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
        struct fuzz_input input = {bytes, size};
        struct settings settings = settings_default;
        struct side sides[2] = {0};
        uint8_t flags = fuzz_byte(&input);
        uint32_t oom = fuzz_oom(&input);

        settings.default_action = flags & 1 ? ACTION_DENY : ACTION_ALLOW;
        settings.host_policy = flags & 2;
        settings.unknown_deny = !(flags & 4);
        sides[1].policy_file = fuzz_part(&input);
        sides[1].inventory_file = fuzz_part(&input);
        sides[0].policy_file = part_or(&input, &sides[1].policy_file);
        sides[0].inventory_file = part_or(&input, &sides[1].inventory_file);
        oom_after(oom);
        fuzz_judge(run(sides, &settings), true);
        side_fini(&sides[0]);
        side_fini(&sides[1]);
        return 0;
}
