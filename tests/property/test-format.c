/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formatting documents that were written by chance: what they say stays the same, every comment is there once, other
 * documents keep their bytes, and what is formatted stays as it is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <core/doc_comment.h>
#include <vethwall/format.h>

#include "gen.h"
#include "rough.h"

struct tally {
        size_t files, docs, comments, foreign, aliases;
};

static const char foreign[] =
        "---  # kept\nkind:   Deployment\napiVersion: apps/v1 # as it is\nspec: {  a: [1,2]}\n\n\n";

/* One of the world's files, roughly; with line ends of another kind now and then. */
static int write_roughly(struct strbuf *ret, struct arena *arena, struct rng *rng, const struct strbuf *file,
                         struct tally *tally)
{
        struct rough rough = {.buf = ret,
                              .rng = rng_for(rng_next(rng), 0, 9),
                              .arena = arena,
                              .comments = rng_below(rng, 4) > 0,
                              .order = true};
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct doc_file doc;
        int r;

        if (rough.comments && rng_below(rng, 2))
                strbuf_puts(ret, "# first\n\n");
        r = doc_parse(&doc, arena, "", file->text, file->len, &diags);
        for (size_t i = 0; r == 0 && i < doc.docs_len; i++) {
                r = rough_doc(&rough, doc.docs[i]);
                tally->docs++;
                tally->aliases += rough.anchors_len;
                if (rng_below(rng, 5) == 0) {
                        strbuf_puts(ret, foreign);
                        tally->foreign++;
                }
        }
        return r == 0 ? strbuf_check(ret) : r;
}

static int use_crlf(struct strbuf *text)
{
        _cleanup_(strbuf_fini) struct strbuf with = STRBUF_INIT;

        for (size_t i = 0; i < text->len; i++) {
                if (text->text[i] == '\n')
                        strbuf_putc(&with, '\r');
                strbuf_putc(&with, text->text[i]);
        }
        strbuf_clear(text);
        strbuf_add(text, with.text, with.len);
        return with.failed ? -ENOMEM : strbuf_check(text);
}

static int complain(const char *why, const struct strbuf *before, const struct strbuf *after)
{
        printf("# %s\n# before:\n%s\n# after:\n%s\n", why, before->text,
               after && after->text ? after->text : "(nothing)");
        return -EBADMSG;
}

struct texts {
        const char **items;
        size_t len;
};

static int cmp_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int find_comments(struct texts *ret, struct arena *arena, const struct strbuf *text)
{
        struct doc_comment *comments = NULL;
        const char *bytes = NULL;
        int r = doc_comments_of(text->text, text->len, arena, &bytes, &comments, &ret->len);

        ret->items = r == 0 ? arena_array(arena, ret->len, sizeof(*ret->items)) : NULL;
        if (!ret->items)
                return -ENOMEM;
        for (size_t i = 0; i < ret->len; i++) {
                ret->items[i] = arena_strndup(arena, bytes + comments[i].offset, comments[i].size);
                if (!ret->items[i])
                        return -ENOMEM;
        }
        qsort(ret->items, ret->len, sizeof(*ret->items), cmp_text);
        return 0;
}

static int compare(struct arena *arena, const struct strbuf *before, const struct strbuf *after, struct tally *tally)
{
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        struct texts old = {NULL, 0}, new = {NULL, 0};
        struct doc_file a, b;
        bool same = false;
        int r;

        r = doc_parse(&a, arena, "", before->text, before->len, &diags);
        if (r == 0)
                r = doc_parse(&b, arena, "", after->text, after->len, &diags);
        if (r < 0)
                return r;
        if (diags.errors > 0 || a.docs_len != b.docs_len)
                return complain("not the same documents", before, after);
        for (size_t i = 0; i < a.docs_len; i++) {
                r = doc_compare(arena, a.docs[i], b.docs[i], &same);
                if (r < 0)
                        return r;
                if (!same)
                        return complain("does not say the same", before, after);
        }
        r = find_comments(&old, arena, before);
        if (r == 0)
                r = find_comments(&new, arena, after);
        if (r < 0)
                return r;
        tally->comments += old.len;
        for (size_t i = 0; i < old.len && old.len == new.len; i++)
                if (strcmp(old.items[i], new.items[i]) != 0)
                        return complain("another comment", before, after);
        return old.len == new.len ? 0 : complain("not all comments, or more", before, after);
}

static size_t count(const char *text, const char *part)
{
        size_t n = 0;

        for (; (text = strstr(text, part)); text += strlen(part))
                n++;
        return n;
}

static int try_file(struct rng *rng, const struct strbuf *file, struct tally *tally)
{
        _cleanup_(strbuf_fini) struct strbuf rough = STRBUF_INIT, once = STRBUF_INIT, twice = STRBUF_INIT,
                                             why = STRBUF_INIT;
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        bool crlf = rng_below(rng, 8) == 0;
        int r;

        if (!arena)
                return -ENOMEM;
        r = write_roughly(&rough, arena, rng, file, tally);
        if (r == 0 && crlf)
                r = use_crlf(&rough);
        if (r == 0)
                r = format_policies(&once, "rough.yaml", rough.text, rough.len, &diags);
        if (r == 0 && diags.errors == 0)
                r = format_policies(&twice, "once.yaml", once.text, once.len, &diags);
        if (r < 0)
                return r;
        if (diags.errors > 0) {
                diag_list_format(&why, &diags, false);
                return complain(why.text, &rough, &once);
        }
        tally->files++;
        if (once.len != twice.len || memcmp(once.text, twice.text, once.len) != 0)
                return complain("changes again", &once, &twice);
        if (!crlf && count(rough.text, foreign) != count(once.text, foreign))
                return complain("a document that is no policy has changed", &rough, &once);
        return compare(arena, &rough, &once, tally);
}

static int try_world(uint64_t seed, void *user)
{
        struct tally *tally = user;
        _cleanup_(gen_world_fini) struct gen_world world = {.pieces = NULL};
        _cleanup_(gen_loaded_fini) struct gen_loaded loaded = {.policies = NULL};
        struct rng rng = rng_for(seed, 0, 8);
        int r;

        r = gen_world(&world, seed);
        if (r == 0)
                r = gen_load(&loaded, &world, &(struct gen_order){.shuffle = seed});
        for (size_t i = 0; r == 0 && i < GEN_FILES; i++)
                r = try_file(&rng, &loaded.policy_files[i], tally);
        return r;
}

int main(int argc, char **argv)
{
        struct tally tally = {0};
        uint64_t worlds;

        if (!gen_run(argc, argv, 300, try_world, &tally, &worlds))
                return 1;
        printf("%zu files with %zu documents, %zu others between them, %zu comments and %zu anchors\n", tally.files,
               tally.docs, tally.foreign, tally.comments, tally.aliases);
        if (worlds >= 100 && (tally.comments < 1000 || tally.foreign == 0 || tally.aliases == 0)) {
                printf("not ok: the files do not show everything\n");
                return 1;
        }
        return 0;
}
