/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From bytes to a tree: libyaml's events, typed, counted, and put together without recursion. The only file that knows
 * libyaml. Children wait on one shared stack until their collection ends and its size is known. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "doc_private.h"
#include "index.h"

/* Field names are short, few, and come again and again: one copy of each is kept. What goes beyond these bounds is no
 * field name. */
#define INTERN_SIZE_MAX 64
#define INTERN_MAX 1024

struct frame {
        struct doc_node *node;
        size_t first;  /* its first child on the stack of values */
        size_t nodes;  /* nodes counted when it began */
        size_t height; /* of the highest child */
        size_t anchor; /* index into anchors, or SIZE_MAX */
};

struct anchor {
        struct doc_node *node;
        size_t nodes;  /* 0 while it is being read: it cannot contain itself */
        size_t height; /* nested collections in it */
};

struct parse {
        yaml_parser_t yaml;
        struct doc_file *file;
        struct arena *arena;
        struct frame frames[DOC_DEPTH_MAX];
        size_t depth;
        struct doc_node **values; /* owned */
        size_t values_len, values_cap;
        struct doc_node **docs; /* owned */
        size_t docs_len, docs_cap;
        struct anchor *anchors; /* owned */
        size_t anchors_len, anchors_cap;
        struct doc_pair **sorted; /* owned; room for finding duplicate keys */
        size_t sorted_cap;
        struct str_index anchor_names;
        struct str_index texts;    /* keys, each kept once */
        size_t nodes;              /* of the file so far, aliases expanded */
        struct doc_events *events; /* NULL where nobody asks */
        struct doc_node *latest;   /* what the last event made or stood for */
};

static void parse_fini(struct parse *p)
{
        yaml_parser_delete(&p->yaml);
        str_index_fini(&p->anchor_names);
        str_index_fini(&p->texts);
        free(p->values);
        free(p->docs);
        free(p->anchors);
        free(p->sorted);
}

static unsigned mark_line(const yaml_mark_t *mark)
{
        return (unsigned)mark->line + 1;
}

static unsigned mark_col(const yaml_mark_t *mark)
{
        return (unsigned)mark->column + 1;
}

#define refuse(p, event, rule, hint, ...)                                                                              \
        (doc_diag_at((p)->file, mark_line(&(event)->start_mark), mark_col(&(event)->start_mark), rule, hint,           \
                     __VA_ARGS__),                                                                                     \
         -EINVAL)

static bool is_key(const struct parse *p)
{
        const struct frame *frame = p->depth > 0 ? &p->frames[p->depth - 1] : NULL;

        return frame && frame->node->kind == DOC_MAP && (p->values_len - frame->first) % 2 == 0;
}

static int count_nodes(struct parse *p, const yaml_event_t *event, size_t n)
{
        p->nodes += n;
        if (p->nodes > DOC_NODES_MAX)
                return refuse(p, event, "VW008", "split the file; an alias counts with all that it stands for",
                              "the file holds more than %u values", DOC_NODES_MAX);
        return 0;
}

static struct doc_node *new_node(struct parse *p, enum doc_kind kind, const yaml_event_t *event)
{
        struct doc_node *node = arena_alloc(p->arena, sizeof(*node));

        if (!node)
                return NULL;
        node->kind = kind;
        node->line = mark_line(&event->start_mark);
        node->col = mark_col(&event->start_mark);
        if (event->type == YAML_SCALAR_EVENT && event->start_mark.line == event->end_mark.line)
                node->end_col = mark_col(&event->end_mark);
        p->latest = node;
        return node;
}

/* Puts a complete value where it belongs. */
static int add_value(struct parse *p, struct doc_node *node, size_t height)
{
        struct frame *frame;

        if (p->depth == 0) {
                if (node->kind == DOC_NULL)
                        return 0;
                if (array_reserve(&p->docs, &p->docs_cap, p->docs_len + 1, sizeof(*p->docs)) < 0)
                        return -ENOMEM;
                p->docs[p->docs_len++] = node;
                return 0;
        }
        frame = &p->frames[p->depth - 1];
        if (height > frame->height)
                frame->height = height;
        if (array_reserve(&p->values, &p->values_cap, p->values_len + 1, sizeof(*p->values)) < 0)
                return -ENOMEM;
        p->values[p->values_len++] = node;
        return 0;
}

/* Makes room for what the name stands for; *ret is its index. A name given again stands for the later value. A name
 * costs as much as a value does, and counts as one. */
static int add_anchor(struct parse *p, const yaml_event_t *event, const yaml_char_t *name, struct doc_node *node,
                      size_t nodes, size_t *ret)
{
        const char *copy;

        *ret = SIZE_MAX;
        if (!name)
                return 0;
        if (count_nodes(p, event, 1) < 0)
                return -EINVAL;
        copy = arena_strdup(p->arena, (const char *)name);
        if (!copy || array_reserve(&p->anchors, &p->anchors_cap, p->anchors_len + 1, sizeof(*p->anchors)) < 0 ||
            str_index_put(&p->anchor_names, copy, strlen(copy), (uint32_t)p->anchors_len) < 0)
                return -ENOMEM;
        p->anchors[p->anchors_len] = (struct anchor){.node = node, .nodes = nodes};
        *ret = p->anchors_len++;
        return 0;
}

static int on_alias(struct parse *p, const yaml_event_t *event)
{
        const char *name = (const char *)event->data.alias.anchor;
        const struct anchor *anchor;
        char shown[DOC_SHOWN_MAX];
        uint32_t index;
        int r;

        if (!str_index_get(&p->anchor_names, name, strlen(name), &index))
                return refuse(p, event, "VW001", "a text that begins with * needs quotes",
                              "the alias *%s refers to no anchor", doc_shown(name, shown));
        anchor = &p->anchors[index];
        p->latest = anchor->node;
        if (anchor->nodes == 0)
                return refuse(p, event, "VW001", NULL, "the alias *%s refers to what it is a part of",
                              doc_shown(name, shown));
        if (is_key(p) && anchor->height > 0)
                return refuse(p, event, "VW001", NULL, "a key must be a text, not %s",
                              doc_kind_name(anchor->node->kind));
        if (p->depth + anchor->height > DOC_DEPTH_MAX)
                return refuse(p, event, "VW008", NULL, "more than %d levels of nesting", DOC_DEPTH_MAX);
        r = count_nodes(p, event, anchor->nodes);
        return r < 0 ? r : add_value(p, anchor->node, anchor->height);
}

static const char *keep_text(struct parse *p, const char *text, size_t len, bool key)
{
        bool intern = key && len <= INTERN_SIZE_MAX;
        const char *kept = intern ? str_index_key(&p->texts, text, len) : NULL;

        if (kept)
                return kept;
        kept = arena_strndup(p->arena, text, len);
        if (kept && intern && p->texts.len < INTERN_MAX && str_index_put(&p->texts, kept, len, 0) < 0)
                return NULL;
        return kept;
}

/* A tag can force a scalar to be text, or state what it is anyhow. */
static int apply_tag(struct parse *p, struct doc_node *node, const yaml_event_t *event)
{
        static const struct {
                const char *tag;
                enum doc_kind kind;
        } tags[] = {
                {YAML_STR_TAG, DOC_STRING}, {"!", DOC_STRING},           {YAML_INT_TAG, DOC_INT},
                {YAML_BOOL_TAG, DOC_BOOL},  {YAML_FLOAT_TAG, DOC_FLOAT}, {YAML_NULL_TAG, DOC_NULL},
        };
        const char *tag = (const char *)event->data.scalar.tag;
        char shown[DOC_SHOWN_MAX];
        size_t i;

        for (i = 0; i < ARRAY_SIZE(tags) && strcmp(tags[i].tag, tag) != 0; i++)
                continue;
        if (i == ARRAY_SIZE(tags))
                return refuse(p, event, "VW001", "remove the tag; a text that begins with ! needs quotes",
                              "the tag %s is not understood", doc_shown(tag, shown));
        if (tags[i].kind == DOC_STRING)
                return 0;
        doc_type_plain(node);
        if (node->kind != tags[i].kind)
                return refuse(p, event, "VW001", "remove the tag", "the value is not what its tag says: %s", tag);
        return 0;
}

static int on_scalar(struct parse *p, const yaml_event_t *event)
{
        const char *text = (const char *)event->data.scalar.value;
        size_t len = event->data.scalar.length, anchor;
        bool key = is_key(p);
        struct doc_node *node;
        int r;

        if (memchr(text, '\0', len))
                return refuse(p, event, "VW001", NULL, "a text must not hold a NUL character");
        node = new_node(p, DOC_STRING, event);
        if (!node)
                return -ENOMEM;
        node->text = keep_text(p, text, len, key);
        if (!node->text)
                return -ENOMEM;
        if (event->data.scalar.tag) {
                r = apply_tag(p, node, event);
                if (r < 0)
                        return r;
        } else if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
                if (key && strcmp(text, "<<") == 0)
                        return refuse(p, event, "VW001", "write the fields out", "merge keys (<<) are not supported");
                doc_type_plain(node);
        }
        r = count_nodes(p, event, 1);
        if (r == 0)
                r = add_anchor(p, event, event->data.scalar.anchor, node, 1, &anchor);
        return r < 0 ? r : add_value(p, node, 0);
}

static int begin_collection(struct parse *p, const yaml_event_t *event, enum doc_kind kind, const yaml_char_t *tag,
                            const yaml_char_t *anchor)
{
        const char *expected = kind == DOC_LIST ? YAML_SEQ_TAG : YAML_MAP_TAG;
        char shown[DOC_SHOWN_MAX];
        struct frame frame = {.first = p->values_len, .nodes = p->nodes};
        int r;

        if (tag && strcmp((const char *)tag, expected) != 0 && strcmp((const char *)tag, "!") != 0)
                return refuse(p, event, "VW001", "remove the tag", "the tag %s is not understood",
                              doc_shown((const char *)tag, shown));
        if (is_key(p))
                return refuse(p, event, "VW001", "is this a template? Render it first", "a key must be a text, not %s",
                              doc_kind_name(kind));
        if (p->depth == DOC_DEPTH_MAX)
                return refuse(p, event, "VW008", NULL, "more than %d levels of nesting", DOC_DEPTH_MAX);
        frame.node = new_node(p, kind, event);
        if (!frame.node)
                return -ENOMEM;
        r = count_nodes(p, event, 1);
        if (r == 0)
                r = add_anchor(p, event, anchor, frame.node, 0, &frame.anchor);
        if (r == 0)
                p->frames[p->depth++] = frame;
        return r;
}

static int cmp_pair(const void *pa, const void *pb)
{
        const struct doc_pair *a = *(const struct doc_pair *const *)pa, *b = *(const struct doc_pair *const *)pb;
        int cmp = strcmp(a->key->text, b->key->text);

        return cmp ? cmp : (a > b) - (a < b);
}

static void report_duplicate(struct parse *p, const struct doc_node *key, const struct doc_node *earlier)
{
        char shown[DOC_SHOWN_MAX];

        doc_diag_twice(p->file, key, "VW002", "remove one of the two", earlier, "the first of them",
                       "duplicate key \"%s\", first given in line %u", doc_shown(key->text, shown), earlier->line);
}

/* The key of an object that begins again where the line between two documents was forgotten; NULL where that is not it. */
static const struct doc_node *find_second_object(const struct parse *p, const struct doc_node *map)
{
        const struct doc_node *first = NULL;
        size_t versions = 0, kinds = 0, i;

        for (i = 1; p->depth == 0 && i < map->len; i++) {
                const struct doc_node *key = p->sorted[i]->key;

                if (strcmp(p->sorted[i - 1]->key->text, key->text) != 0)
                        continue;
                versions += strcmp(key->text, "apiVersion") == 0;
                kinds += strcmp(key->text, "kind") == 0;
                if (!first || key->line < first->line)
                        first = key;
        }
        return versions > 0 && kinds > 0 ? first : NULL;
}

static int find_duplicates(struct parse *p, const struct doc_node *map)
{
        const struct doc_node *second;
        size_t i;

        if (map->len < 2)
                return 0;
        if (array_reserve(&p->sorted, &p->sorted_cap, map->len, sizeof(struct doc_pair *)) < 0)
                return -ENOMEM;
        for (i = 0; i < map->len; i++)
                p->sorted[i] = &map->pairs[i];
        qsort(p->sorted, map->len, sizeof(struct doc_pair *), cmp_pair);
        second = find_second_object(p, map);
        if (second)
                doc_diag(p->file, second, DIAG_ERROR, "VW002", "write a line --- before it",
                         "a second object begins in the middle of the first");
        for (i = 1; !second && i < map->len; i++)
                if (strcmp(p->sorted[i - 1]->key->text, p->sorted[i]->key->text) == 0)
                        report_duplicate(p, p->sorted[i]->key, p->sorted[i - 1]->key);
        return 0;
}

static int end_collection(struct parse *p)
{
        struct frame *frame = &p->frames[--p->depth];
        struct doc_node *node = frame->node, **values = p->values ? p->values + frame->first : NULL;
        size_t len = p->values_len - frame->first, i;
        int r = 0;

        p->values_len = frame->first;
        if (node->kind == DOC_LIST) {
                node->len = len;
                node->items = arena_memdup(p->arena, values, len * sizeof(*values));
                if (!node->items)
                        return -ENOMEM;
        } else {
                node->len = len / 2;
                node->pairs = arena_array(p->arena, node->len, sizeof(*node->pairs));
                if (!node->pairs)
                        return -ENOMEM;
                for (i = 0; i < node->len; i++)
                        node->pairs[i] = (struct doc_pair){.key = values[2 * i], .value = values[2 * i + 1]};
                r = find_duplicates(p, node);
        }
        if (frame->anchor != SIZE_MAX) {
                p->anchors[frame->anchor].nodes = p->nodes - frame->nodes;
                p->anchors[frame->anchor].height = frame->height + 1;
        }
        return r < 0 ? r : add_value(p, node, frame->height + 1);
}

static enum doc_style event_style(const yaml_event_t *event)
{
        if (event->type == YAML_SEQUENCE_START_EVENT)
                return event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE ? DOC_FLOW : DOC_BLOCK;
        if (event->type == YAML_MAPPING_START_EVENT)
                return event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE ? DOC_FLOW : DOC_BLOCK;
        if (event->type != YAML_SCALAR_EVENT)
                return DOC_PLAIN;
        switch (event->data.scalar.style) {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE:
                return DOC_SINGLE_QUOTED;
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
                return DOC_DOUBLE_QUOTED;
        case YAML_LITERAL_SCALAR_STYLE:
                return DOC_LITERAL;
        case YAML_FOLDED_SCALAR_STYLE:
                return DOC_FOLDED;
        case YAML_ANY_SCALAR_STYLE:
        case YAML_PLAIN_SCALAR_STYLE:
                break;
        }
        return DOC_PLAIN;
}

/* The anchor and the tag of what begins. */
static void event_properties(const yaml_event_t *event, const yaml_char_t **ret_anchor, bool *ret_tagged)
{
        *ret_anchor = NULL;
        *ret_tagged = false;
        if (event->type == YAML_SCALAR_EVENT) {
                *ret_anchor = event->data.scalar.anchor;
                *ret_tagged = event->data.scalar.tag;
        } else if (event->type == YAML_SEQUENCE_START_EVENT) {
                *ret_anchor = event->data.sequence_start.anchor;
                *ret_tagged = event->data.sequence_start.tag;
        } else if (event->type == YAML_MAPPING_START_EVENT) {
                *ret_anchor = event->data.mapping_start.anchor;
                *ret_tagged = event->data.mapping_start.tag;
        } else if (event->type == YAML_ALIAS_EVENT) {
                *ret_anchor = event->data.alias.anchor;
        }
}

/* Keeps an event that was taken. libyaml counts characters; doc_place_events() makes bytes of them. */
static int keep_event(struct parse *p, const yaml_event_t *event)
{
        static const enum doc_event_type types[] = {
                [YAML_DOCUMENT_START_EVENT] = DOC_EVENT_DOCUMENT,
                [YAML_DOCUMENT_END_EVENT] = DOC_EVENT_DOCUMENT_END,
                [YAML_ALIAS_EVENT] = DOC_EVENT_ALIAS,
                [YAML_SCALAR_EVENT] = DOC_EVENT_SCALAR,
                [YAML_SEQUENCE_START_EVENT] = DOC_EVENT_BEGIN,
                [YAML_SEQUENCE_END_EVENT] = DOC_EVENT_END,
                [YAML_MAPPING_START_EVENT] = DOC_EVENT_BEGIN,
                [YAML_MAPPING_END_EVENT] = DOC_EVENT_END,
        };
        struct doc_events *events = p->events;
        const yaml_char_t *anchor;
        struct doc_event *kept;

        if (!events || event->type == YAML_STREAM_START_EVENT || event->type == YAML_NO_EVENT)
                return 0;
        if (array_reserve(&events->items, &events->cap, events->len + 1, sizeof(*events->items)) < 0)
                return -ENOMEM;
        kept = &events->items[events->len++];
        *kept = (struct doc_event){
                .type = types[event->type],
                .style = event_style(event),
                .line = mark_line(&event->start_mark),
                .col = mark_col(&event->start_mark),
                .end_line = mark_line(&event->end_mark),
                .offset = event->start_mark.index,
                .end = event->end_mark.index,
        };
        event_properties(event, &anchor, &kept->tagged);
        if (anchor)
                kept->anchor = arena_strdup(p->arena, (const char *)anchor);
        if (kept->type == DOC_EVENT_SCALAR || kept->type == DOC_EVENT_ALIAS || kept->type == DOC_EVENT_BEGIN)
                kept->node = p->latest;
        return anchor && !kept->anchor ? -ENOMEM : 0;
}

/* 1 at the end of the stream. */
static int on_event(struct parse *p, const yaml_event_t *event)
{
        switch (event->type) {
        case YAML_STREAM_END_EVENT:
                return 1;
        case YAML_DOCUMENT_START_EVENT:
                str_index_fini(&p->anchor_names);
                p->anchors_len = 0;
                return 0;
        case YAML_ALIAS_EVENT:
                return on_alias(p, event);
        case YAML_SCALAR_EVENT:
                return on_scalar(p, event);
        case YAML_SEQUENCE_START_EVENT:
                return begin_collection(p, event, DOC_LIST, event->data.sequence_start.tag,
                                        event->data.sequence_start.anchor);
        case YAML_MAPPING_START_EVENT:
                return begin_collection(p, event, DOC_MAP, event->data.mapping_start.tag,
                                        event->data.mapping_start.anchor);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                return end_collection(p);
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
                break;
        }
        return 0;
}

static void report_problem(struct parse *p)
{
        const yaml_parser_t *yaml = &p->yaml;
        const struct doc_problem problem = {
                .problem = yaml->problem,
                .context = yaml->context,
                .line = mark_line(&yaml->problem_mark),
                .col = mark_col(&yaml->problem_mark),
                .context_line = mark_line(&yaml->context_mark),
                .context_col = mark_col(&yaml->context_mark),
        };

        doc_report_problem(p->file, &problem);
}

static int run(struct parse *p)
{
        int r = 0;

        while (r == 0) {
                yaml_event_t event;

                if (!yaml_parser_parse(&p->yaml, &event)) {
                        if (p->yaml.error == YAML_MEMORY_ERROR)
                                return -ENOMEM;
                        report_problem(p);
                        return -EINVAL;
                }
                r = on_event(p, &event);
                if (r == 0)
                        r = keep_event(p, &event);
                yaml_event_delete(&event);
        }
        return r;
}

int doc_parse_events(struct doc_file *ret, struct arena *arena, const char *name, const char *bytes, size_t size,
                     struct diag_list *diags, struct doc_events *events)
{
        struct parse p = {.file = ret, .arena = arena, .events = events};
        int r;

        doc_file_init(ret, name, bytes, size, diags);
        if (size > DOC_SIZE_MAX) {
                doc_diag_at(ret, 0, 0, "VW008", "split the file", "the file is larger than %u MiB", DOC_SIZE_MAX >> 20);
                return ret->oom ? -ENOMEM : 0;
        }
        r = doc_scan(ret, arena);
        if (r == -EINVAL)
                return ret->oom ? -ENOMEM : 0;
        if (r < 0)
                return r;
        if (!yaml_parser_initialize(&p.yaml))
                return -ENOMEM;
        yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&p.yaml, (const unsigned char *)ret->bytes, ret->size);
        r = run(&p);
        if (r != -ENOMEM) {
                ret->docs_len = p.docs_len;
                ret->docs = arena_memdup(arena, p.docs, p.docs_len * sizeof(*p.docs));
        }
        parse_fini(&p);
        if (events) {
                events->complete = r == 1;
                doc_place_events(ret, events);
        }
        return r == -ENOMEM || !ret->docs || ret->oom ? -ENOMEM : 0;
}

int doc_parse(struct doc_file *ret, struct arena *arena, const char *name, const char *bytes, size_t size,
              struct diag_list *diags)
{
        return doc_parse_events(ret, arena, name, bytes, size, diags, NULL);
}
