/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall fmt: policy files rewritten. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/format.h>

#include "commands.h"
#include "files/files.h"
#include "input.h"
#include "output.h"
#include "unified.h"

struct rewriting {
        const struct options *options;
        struct diag_list diags;
        struct strbuf out;
        size_t files, changed;
};

static int show(struct rewriting *job, const char *path, const char *bytes, size_t size, const struct strbuf *text)
{
        const struct options *options = job->options;

        if (options->check || !options->diff) {
                strbuf_puts(&job->out, file_shown(path));
                strbuf_putc(&job->out, '\n');
        }
        if (!options->diff)
                return 0;
        return unified_diff(&job->out, file_shown(path), bytes, size, text->text, text->len, options->colour_out);
}

/* Files with mistakes stay as they are, and the others are not held up by them. */
static int rewrite_file(void *arg, const char *path, const char *bytes, size_t size)
{
        struct rewriting *job = arg;
        const struct options *options = job->options;
        _cleanup_(strbuf_fini) struct strbuf text = STRBUF_INIT;
        size_t errors = job->diags.errors;
        bool writes = !options->check && !options->diff;
        int r;

        job->files++;
        r = format_policies(&text, file_shown(path), bytes, size, &job->diags);
        if (r < 0 || job->diags.errors > errors)
                return r;
        r = strbuf_check(&text);
        if (r < 0)
                return r;

        if (writes && strcmp(path, "-") == 0) {
                strbuf_add(&job->out, text.text, text.len);
                return 0;
        }
        if (text.len == size && memcmp(text.text, bytes, size) == 0)
                return 0;
        if (writes)
                r = file_replace(path, text.text, text.len, &job->diags);
        if (r < 0 || job->diags.errors > errors)
                return r;
        job->changed++;
        return show(job, path, bytes, size, &text);
}

static int rewrite_all(struct rewriting *job)
{
        const struct options *options = job->options;
        int r, written;

        r = policy_files_visit(options->operands, options->operands_len, &job->diags, rewrite_file, job);
        if (r < 0)
                return complain_errno(r);

        written = flush_out(&job->out);
        r = input_judge(&job->diags, options->colour_err);
        if (written != 0 || r != 0)
                return written ? written : r;
        if (job->files == 0)
                complain("warning: there is no policy file in what is named");
        return job->changed > 0 && (options->check || options->diff) ? EXIT_DIFFERENT : 0;
}

static void rewriting_fini(struct rewriting *job)
{
        diag_list_fini(&job->diags);
        strbuf_fini(&job->out);
}

int command_fmt(const struct options *options)
{
        _cleanup_(rewriting_fini) struct rewriting job = {.options = options};

        return rewrite_all(&job);
}
