/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vethwall convert: older cluster-wide policies in the newer words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vethwall/arena.h>
#include <vethwall/convert.h>

#include "commands.h"
#include "files/files.h"
#include "input.h"
#include "output.h"

struct converted {
        char *path;         /* owned */
        struct strbuf text; /* not filled where the file holds nothing older */
        size_t count;
};

/* Everything is converted before anything is written: the files are one set. */
struct converting {
        struct diag_list diags;
        struct policy_set *policies;
        struct converted *files; /* owned */
        size_t len, cap;
        bool keeps_all; /* the text of files without older policies too */
};

static void converting_fini(struct converting *job)
{
        for (size_t i = 0; i < job->len; i++) {
                free(job->files[i].path);
                strbuf_fini(&job->files[i].text);
        }
        free(job->files);
        policy_set_free(job->policies);
        diag_list_fini(&job->diags);
}

static int convert_file(void *arg, const char *path, const char *bytes, size_t size)
{
        struct converting *job = arg;
        size_t errors = job->diags.errors;
        struct converted *file;
        int r;

        r = policy_set_load(job->policies, file_shown(path), bytes, size, &job->diags);
        if (r == 0)
                r = array_reserve(&job->files, &job->cap, job->len + 1, sizeof(*job->files));
        if (r < 0 || job->diags.errors > errors)
                return r;
        file = &job->files[job->len++];
        *file = (struct converted){.path = strdup(path), .text = STRBUF_INIT};
        if (!file->path)
                return -ENOMEM;
        r = convert_policies(&file->text, &file->count, file_shown(path), bytes, size, &job->diags);
        if (r == 0 && !job->keeps_all && file->count == 0)
                strbuf_fini(&file->text);
        return r;
}

static int convert_all(struct converting *job, const struct options *options)
{
        int r;

        r = policy_set_new(&job->policies);
        if (r == 0)
                r = policy_files_visit(options->operands, options->operands_len, &job->diags, convert_file, job);
        if (r == 0)
                r = policy_set_seal(job->policies, &job->diags);
        if (r == 0 && job->diags.errors == 0)
                r = convert_check(job->policies, &job->diags);
        return r < 0 ? complain_errno(r) : input_judge(&job->diags, options->colour_err);
}

/* One stream of documents, whatever files they come from. */
static int print_all(const struct converting *job)
{
        _cleanup_(strbuf_fini) struct strbuf buf = STRBUF_INIT;

        for (size_t i = 0; i < job->len; i++) {
                const struct strbuf *text = &job->files[i].text;

                if (text->len == 0)
                        continue;
                if (buf.len > 0 && buf.text[buf.len - 1] != '\n')
                        strbuf_putc(&buf, '\n');
                if (buf.len > 0 && strncmp(text->text, "---", 3) != 0)
                        strbuf_puts(&buf, "---\n");
                strbuf_add(&buf, text->text, text->len);
        }
        return flush_out(&buf);
}

static int write_all(struct converting *job, const struct options *options)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(strbuf_fini) struct strbuf names = STRBUF_INIT;
        int r = 0, written;

        for (size_t i = 0; r == 0 && diags.errors == 0 && i < job->len; i++) {
                const struct converted *file = &job->files[i];

                if (file->count == 0)
                        continue;
                r = file_replace(file->path, file->text.text, file->text.len, &diags);
                if (diags.errors == 0)
                        strbuf_printf(&names, "%s\n", file->path);
        }
        written = flush_out(&names);
        if (r < 0)
                return complain_errno(r);
        r = input_judge(&diags, options->colour_err);
        return written ? written : r;
}

int command_convert(const struct options *options)
{
        _cleanup_(converting_fini) struct converting job = {.keeps_all = !options->write};
        int r;

        for (size_t i = 0; options->write && i < options->operands_len; i++) {
                if (strcmp(options->operands[i], "-") == 0) {
                        complain("standard input (-) cannot be written: leave out --write");
                        return EXIT_TROUBLE;
                }
        }
        r = convert_all(&job, options);
        if (r != 0)
                return r;
        if (job.len == 0)
                complain("warning: there is no policy file in what is named");
        return options->write ? write_all(&job, options) : print_all(&job);
}
