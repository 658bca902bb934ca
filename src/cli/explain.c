/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall explain: the verdict on one flow, and why. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <string.h>

#include <vethwall/compile.h>
#include <vethwall/explain.h>

#include "commands.h"
#include "explain.h"
#include "flow.h"
#include "input.h"
#include "output.h"

static struct explain_party party_at(const struct inventory *inventory, const struct end *end, size_t i)
{
        struct explain_party party = {.endpoint = end->endpoint};

        if (end->by_address) {
                party.addr = end->addr;
                party.has_addr = true;
        } else if (inventory->endpoints[end->endpoint].addrs_len > 0) {
                party.addr = inventory->endpoints[end->endpoint].addrs[i];
                party.has_addr = true;
        }

        return party;
}

/* How many ways there are to meet an end. */
static size_t end_ways(const struct inventory *inventory, const struct end *end)
{
        size_t len = end->by_address ? 0 : inventory->endpoints[end->endpoint].addrs_len;

        return len > 0 ? len : 1;
}

static bool one_family(const struct explain_query *query)
{
        return query->src.has_addr && query->dst.has_addr && query->src.addr.family == query->dst.addr.family;
}

/* The address pairs to judge: those of one family, or, where there are none, all. */
static int list_queries(const struct input *input, const struct end *src, const struct end *dst,
                        const struct service *service, struct explain_query **ret, size_t *ret_len)
{
        const struct inventory *inventory = input->inventory;
        size_t src_ways = end_ways(inventory, src), dst_ways = end_ways(inventory, dst), len = 0, same = 0;
        _cleanup_free_ struct explain_query *queries = NULL;

        queries = calloc(src_ways * dst_ways, sizeof(*queries));
        if (!queries)
                return -ENOMEM;

        for (size_t i = 0; i < src_ways; i++) {
                for (size_t j = 0; j < dst_ways; j++) {
                        struct explain_query query = {
                                .src = party_at(inventory, src, i),
                                .dst = party_at(inventory, dst, j),
                                .protocol = service->protocol,
                                .port = service->port,
                        };

                        query.own_host = input_own_host(input, query.src.endpoint, &query.src.addr) ||
                                         input_own_host(input, query.dst.endpoint, &query.dst.addr);
                        if (one_family(&query) && same++ == 0)
                                len = 0;
                        if (one_family(&query) || same == 0)
                                queries[len++] = query;
                }
        }

        *ret = steal(queries);
        *ret_len = len;
        return 0;
}

/* Explains every address pair. What is shown is the first that is allowed or, where none is, the first. */
static int explain_pairs(struct answer *answer, struct world *world)
{
        _cleanup_(explanation_freep) struct explanation *explanation = NULL;
        int r;

        for (size_t i = 0; i < answer->queries_len; i++) {
                r = explain(&explanation, world, &answer->queries[i]);
                if (r < 0)
                        return r;

                answer->verdicts[i] = explanation->verdict;
                if (!answer->explanation ||
                    (answer->explanation->verdict == ACTION_DENY && explanation->verdict == ACTION_ALLOW)) {
                        explanation_free(answer->explanation);
                        answer->explanation = steal(explanation);
                        answer->shown = i;
                }
                explanation = explanation_free(explanation);
        }

        return 0;
}

/* Where in the agent's ruleset a packet of the flow is decided. */
static int find_chains(struct answer *answer)
{
        const struct explain_query *query = &answer->queries[answer->shown];
        const struct rs_packet packet = {
                .hook = RS_HOOK_FORWARD,
                .iifname = "",
                .oifname = "",
                .saddr = query->src.addr,
                .daddr = query->dst.addr,
                .protocol = query->protocol,
                .has_ports = conns_proto_of(query->protocol) != CONNS_PROTO_MAX,
                .dport = query->port,
                .icmpv6_type = ICMP6_ECHO_REQUEST,
                .ct_state = RS_CT_NEW,
        };
        struct rs_result result;
        int r;

        if (!one_family(query) || query->own_host)
                return 0;

        r = compile(&answer->ruleset, answer->world);
        if (r == 0)
                r = ruleset_eval(answer->ruleset, &packet, &result);
        if (r < 0)
                return r;

        for (enum direction d = 0; d < DIR_MAX; d++)
                answer->chains[d] = result.chains[d] ? result.chains[d]->name : NULL;
        return 0;
}

static void answer_fini(struct answer *answer)
{
        ruleset_free(answer->ruleset);
        explanation_free(answer->explanation);
        free(answer->queries);
        free(answer->verdicts);
}

static int parse_operands(const struct inventory *inventory, const struct options *options, struct end *src,
                          struct end *dst)
{
        int r;

        r = end_parse(inventory, options->operands[0], src);
        if (r == 0)
                r = end_parse(inventory, options->operands[1], dst);
        if (r != 0)
                return r;

        if (src->endpoint == WORLD_OUTSIDE && dst->endpoint == WORLD_OUTSIDE) {
                complain("neither %s nor %s is an endpoint of the inventory: no policy speaks of them",
                         options->operands[0], options->operands[1]);
                return EXIT_TROUBLE;
        }
        if (src->by_address && dst->by_address && src->addr.family != dst->addr.family) {
                complain("%s and %s are not of one family", options->operands[0], options->operands[1]);
                return EXIT_TROUBLE;
        }

        return 0;
}

static int make_answer(struct answer *answer, const struct options *options, struct input *input)
{
        struct end src, dst;
        int r;

        r = parse_operands(input->inventory, options, &src, &dst);
        if (r != 0)
                return r;

        r = list_queries(input, &src, &dst, &answer->service, &answer->queries, &answer->queries_len);
        if (r < 0)
                return r;

        answer->verdicts = calloc(answer->queries_len, sizeof(*answer->verdicts));
        if (!answer->verdicts)
                return -ENOMEM;

        answer->policies = input->policies;
        answer->inventory = input->inventory;
        answer->world = input->world;
        r = explain_pairs(answer, input->world);
        return r == 0 && input->is_live ? find_chains(answer) : r;
}

int command_explain(const struct options *options)
{
        _cleanup_(input_fini) struct input input = INPUT_INIT;
        _cleanup_(answer_fini) struct answer answer = {.colour = options->colour_out};
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        int r;

        r = service_parse(options->operands[2], &answer.service);
        if (r == 0)
                r = input_read(&input, options);
        if (r == 0)
                r = make_answer(&answer, options, &input);
        if (r != 0)
                return r < 0 ? complain_errno(r) : r;

        if (options->format == FORMAT_JSON)
                answer_json(&buf, &answer);
        else
                answer_text(&buf, &answer);

        r = flush_out(&buf);
        if (r != 0)
                return r;

        return answer.explanation->verdict == ACTION_ALLOW ? 0 : EXIT_DENIED;
}
