/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule of lint about what a file does not show at a glance: aliases, and documents that hold nothing. */
#include <errno.h>
#include <string.h>

#include "doc_comment.h"
#include "doc_private.h"
#include "lint_internal.h"

/* A file without an anchor has no alias, and is not read again. */
static void check_aliases(struct lint *lint, uint32_t index)
{
        static const char hint[] = "write it out where the two may come to differ";
        const struct policy_source *source = &lint->policies->sources[index];
        _cleanup_(diag_list_fini) struct diag_list diags = DIAG_LIST_INIT;
        _cleanup_(arena_freep) struct arena *arena = NULL;
        struct doc_events events = {0};
        struct doc_file file;

        if (source->size == 0 || !memchr(source->bytes, '&', source->size) || !memchr(source->bytes, '*', source->size))
                return;
        arena = arena_new();
        if (!arena || doc_parse_events(&file, arena, "", source->bytes, source->size, &diags, &events) < 0)
                lint->r = -ENOMEM;
        for (size_t i = 0; lint->r == 0 && i < events.len; i++) {
                const struct doc_event *event = &events.items[i];
                struct src_loc loc = {.file = index, .line = event->line, .col = event->col}, anchor = loc;

                if (event->type != DOC_EVENT_ALIAS || !event->node)
                        continue;
                anchor.line = event->node->line;
                anchor.col = event->node->col;
                lint_report(lint, "VW011", &loc,
                            &(struct lint_note){.hint = hint, .places = {{&anchor, "what it stands for"}}},
                            "*%s stands for what is written elsewhere, and changes with it", event->anchor);
        }
        doc_events_fini(&events);
}

/* Whether a line is "---" and no more. */
static bool is_separator(const char *line, size_t len)
{
        if (len < 3 || memcmp(line, "---", 3) != 0)
                return false;
        for (size_t i = 3; i < len; i++) {
                if (line[i] == '#' && line[i - 1] != '-')
                        return true;
                if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
                        return false;
        }
        return true;
}

static bool is_blank(const char *line, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
                        return line[i] == '#';
        return true;
}

/* Two separators with nothing between them. A text in quotes or a block cannot hold one at the start of a line. */
static void check_empty(struct lint *lint, uint32_t index)
{
        static const struct lint_note note = {.hint = "remove one of the two lines, or put back what is missing"};
        const char *line = lint->policies->sources[index].bytes;
        const char *end = line + lint->policies->sources[index].size;
        bool separated = false;

        for (uint32_t number = 1; line < end; number++) {
                const char *stop = memchr(line, '\n', (size_t)(end - line));
                size_t len = (size_t)((stop ? stop : end) - line);

                if (is_separator(line, len)) {
                        if (separated)
                                lint_report(lint, "VW011", &(struct src_loc){.file = index, .line = number, .col = 1},
                                            &note, "the document before this line is empty");
                        separated = true;
                } else {
                        separated = separated && is_blank(line, len);
                }
                line = stop ? stop + 1 : end;
        }
}

void lint_files(struct lint *lint)
{
        for (uint32_t i = 0; lint->policies->sources && lint->r == 0 && i < lint->policies->files_len; i++) {
                check_aliases(lint, i);
                check_empty(lint, i);
        }
}
