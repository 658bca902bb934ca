/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines that findings and their other places stand in, and where on them what is meant ends. */
#include <errno.h>
#include <string.h>

#include "doc_private.h"
#include "index.h"
#include "lint_internal.h"
#include "utf8.h"

/* The files of a set, each scanned once a line of it is asked for. */
struct sources {
        const struct policy_set *policies;
        struct arena *arena;
        struct doc_file *files; /* heap; bytes is NULL before the first question */
        struct str_index names; /* to indexes of files */
        struct diag_list refused;
};

static void sources_fini(struct sources *sources)
{
        str_index_fini(&sources->names);
        diag_list_fini(&sources->refused);
        arena_free(sources->arena);
        free(sources->files);
}

static int sources_init(struct sources *sources, const struct policy_set *policies)
{
        *sources = (struct sources){.policies = policies, .refused = DIAG_LIST_INIT};
        sources->arena = arena_new();
        sources->files = calloc(policies->files_len + 1, sizeof(*sources->files));
        if (!sources->arena || !sources->files)
                return -ENOMEM;
        for (size_t i = 0; i < policies->files_len; i++)
                if (str_index_put(&sources->names, policies->files[i], strlen(policies->files[i]), (uint32_t)i) < 0)
                        return -ENOMEM;
        return 0;
}

/* NULL where there is no such file, or -ENOMEM in *r. */
static const struct doc_file *find_file(struct sources *sources, const char *name, int *r)
{
        struct doc_file *file;
        uint32_t i;

        if (!str_index_get(&sources->names, name, strlen(name), &i))
                return NULL;
        file = &sources->files[i];
        if (!file->bytes) {
                const struct policy_source *source = &sources->policies->sources[i];

                doc_file_init(file, sources->policies->files[i], source->bytes, source->size, &sources->refused);
                if (doc_scan(file, sources->arena) == -ENOMEM)
                        *r = -ENOMEM;
        }
        return file;
}

/* How many bytes of a quoted text, its quotes included. */
static size_t quoted_len(const char *text)
{
        const char *p = text + 1;

        for (; *p && *p != text[0]; p++)
                p += text[0] == '"' && *p == '\\' && p[1] != '\0';
        return (size_t)(p - text) + (*p != '\0');
}

/* How many bytes from an opening bracket to the one that closes it, or to the line's end. */
static size_t bracketed_len(const char *text)
{
        unsigned depth = 0;
        const char *p = text;

        while (*p) {
                if (*p == '"' || *p == '\'') {
                        p += quoted_len(p);
                        continue;
                }
                if (*p == '{' || *p == '[')
                        depth++;
                else if ((*p == '}' || *p == ']') && --depth == 0)
                        return (size_t)(p - text) + 1;
                p++;
        }
        while (p > text + 1 && (p[-1] == ' ' || p[-1] == '\t'))
                p--;
        return (size_t)(p - text);
}

/* How many bytes the word, quoted text or bracketed part takes that begins at text. */
static size_t token_len(const char *text)
{
        size_t len;

        if (text[0] == '{' || text[0] == '[')
                return bracketed_len(text);
        if (text[0] == '"' || text[0] == '\'')
                return quoted_len(text);
        len = strcspn(text, ": ,]}\t");
        while (text[len] == ':' && text[len + 1] != '\0' && text[len + 1] != ' ')
                len += 1 + strcspn(text + len + 1, ": ,]}\t");
        return len > 0 ? len : 1;
}

/* The bytes of n characters of a text, or of all of it; *n is what is left of them. */
static size_t chars_size(const char *text, unsigned *n)
{
        size_t size = 0, len = strlen(text);

        for (; *n > 0 && size < len; (*n)--) {
                uint32_t code;
                size_t one = utf8_decode(text + size, len - size, &code);

                size += one > 0 ? one : 1;
        }
        return size;
}

static unsigned count_chars(const char *text, size_t len)
{
        unsigned n = 0;

        for (size_t i = 0; i < len; i++)
                n += ((unsigned char)text[i] & 0xc0) != 0x80;
        return n;
}

/* 0 where the place is not in what is shown of the line. */
static unsigned find_end(const char *source, unsigned source_col, unsigned col)
{
        unsigned before = source_col > 1 ? source_col : 1, left;
        const char *place;

        if (col < before)
                return 0;
        left = col - before;
        place = source + chars_size(source, &left);
        if (left > 0)
                return 0;
        return col + (*place ? count_chars(place, token_len(place)) : 1);
}

static int add_source(struct sources *sources, const char *name, unsigned line, unsigned col, char **source,
                      unsigned *source_col, unsigned *end_col)
{
        const struct doc_file *file;
        int r = 0;

        if (line == 0 || !name)
                return 0;
        if (!*source) {
                file = find_file(sources, name, &r);
                if (file && r == 0)
                        r = doc_source(file, line, col, source, source_col);
        }
        if (r == 0 && *source && *end_col == 0)
                *end_col = find_end(*source, *source_col, col);
        return r;
}

int lint_add_sources(const struct policy_set *policies, struct diag_list *findings)
{
        _cleanup_(sources_fini) struct sources sources = {0};
        int r;

        if (!policies->sources)
                return 0;
        r = sources_init(&sources, policies);
        for (size_t i = 0; r == 0 && i < findings->len; i++) {
                struct diag *diag = &findings->items[i];

                r = add_source(&sources, diag->file, diag->line, diag->col, &diag->source, &diag->source_col,
                               &diag->end_col);
                for (size_t j = 0; r == 0 && j < diag->places_len; j++) {
                        struct diag_place *place = &diag->places[j];

                        r = add_source(&sources, place->file, place->line, place->col, &place->source,
                                       &place->source_col, &place->end_col);
                }
        }
        return r;
}
