/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall matrix: the command. */
#include <errno.h>
#include <string.h>

#include "commands.h"
#include "input.h"
#include "matrix.h"
#include "output.h"

static int parse_services(struct report *report, const struct options *options, struct service **ret)
{
        _cleanup_free_ struct service *services = NULL;
        int r;

        services = calloc(options->operands_len + 1, sizeof(*services));
        if (!services)
                return -ENOMEM;

        for (size_t i = 0; i < options->operands_len; i++) {
                r = service_parse(options->operands[i], &services[i]);
                if (r != 0)
                        return r;
        }

        report->services_len = options->operands_len;
        report->services = services;
        *ret = steal(services);
        return 0;
}

/* Limits the matrix to what was asked for. */
static int limit(struct report *report)
{
        _cleanup_free_ struct conns_part *parts = NULL;
        const struct conns *conns;
        int r;

        if (report->services_len == 0)
                return 0;

        parts = calloc(report->services_len, sizeof(*parts));
        if (!parts)
                return -ENOMEM;

        for (size_t i = 0; i < report->services_len; i++) {
                const struct service *service = &report->services[i];

                parts[i] = (struct conns_part){conns_proto_of(service->protocol), {service->port, service->port}};
        }

        r = matrix_conns(report->matrix, parts, report->services_len, &conns);
        if (r < 0)
                return r;

        matrix_limit(report->matrix, conns);
        return 0;
}

static int report_text(struct report *report)
{
        /* A grid has a column for each endpoint. */
        if (report->services_len > 0 && report->inventory->endpoints_len <= REPORT_FEW)
                return report_grids(report);

        return report_list(report);
}

static int write_report(struct report *report, enum format format)
{
        switch (format) {
        case FORMAT_TEXT:
                return report_text(report);
        case FORMAT_JSON:
                return report_json(report);
        case FORMAT_CSV:
                return report_csv(report);
        case FORMAT_DOT:
                return report_dot(report);
        case FORMAT_SVG:
                return report_svg(report);
        case FORMAT_NFT:
        case FORMAT_SARIF:
        case FORMAT_GITHUB:
        case FORMAT_MARKDOWN:
        case FORMAT_MAX:
                break;
        }

        return -EINVAL;
}

int command_matrix(const struct options *options)
{
        _cleanup_(input_fini) struct input input = INPUT_INIT;
        _cleanup_(matrix_freep) struct matrix *matrix = NULL;
        _cleanup_(map_freep) struct map *map = NULL;
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;
        _cleanup_free_ struct service *services = NULL;
        struct report report = {.buf = &buf, .colour = options->colour_out};
        int r;

        r = parse_services(&report, options, &services);
        if (r == 0)
                r = input_read(&input, options);
        if (r == 0)
                r = matrix_new(&matrix, input.world);
        if (r == 0) {
                report.inventory = input.inventory;
                report.matrix = matrix;
                r = limit(&report);
        }
        if (r == 0 && options->format != FORMAT_JSON && options->format != FORMAT_CSV)
                r = map_new(&map, matrix, input.world, report.inventory->endpoints_len > REPORT_FEW);
        report.map = map;
        if (r == 0)
                r = write_report(&report, options->format);
        if (r == 0)
                r = flush_out(&buf);

        return r < 0 ? complain_errno(r) : r;
}
