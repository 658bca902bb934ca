/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a file's events to its items. Recursion goes as deep as a document's nesting, which the parser bounds. */
#include <errno.h>
#include <string.h>

#include "index.h"
#include "layout.h"

/* A key that is longer might need more than a line, and than what parsers look ahead. */
#define KEY_SIZE_MAX 250

struct reader {
        struct layout *layout;
        struct arena *arena;
        const struct doc_event *events;
        size_t events_len, pos;
        const struct doc_comment *comments;
        size_t comments_len;
        size_t gap, gap_comment; /* where the last token ended, and the first comment behind it */
        struct layout_doc *doc;
        struct layout_mark *marks; /* owned */
        size_t marks_len, marks_cap;
        struct str_index anchors;   /* of the document: from the node to an index into items */
        struct str_index names;     /* of its anchors */
        struct layout_item **items; /* owned; those with anchors */
        size_t items_len, items_cap;
};

struct layout_item *layout_resolve(struct layout_item *item)
{
        return item && item->target ? item->target : item;
}

struct layout_item *layout_get(const struct layout_item *item, const char *key)
{
        struct layout_item *child;

        if (item && item->target)
                item = item->target;
        if (!item || item->kind != DOC_MAP)
                return NULL;
        for (child = item->first; child; child = child->next)
                if (strcmp(child->key, key) == 0)
                        return layout_resolve(child);
        return NULL;
}

void layout_add(struct layout_item *collection, struct layout_item *item)
{
        item->next = NULL;
        if (collection->last)
                collection->last->next = item;
        else
                collection->first = item;
        collection->last = item;
        collection->len++;
}

static int add_mark(struct reader *r, const struct layout_mark *mark)
{
        if (array_reserve(&r->marks, &r->marks_cap, r->marks_len + 1, sizeof(*r->marks)) < 0)
                return -ENOMEM;
        r->marks[r->marks_len] = *mark;
        r->marks[r->marks_len++].doc = r->doc;
        return 0;
}

/* The next "-" behind the last token: a dash of a list has no event of its own. */
static size_t find_dash(struct reader *r, size_t end)
{
        const char *bytes = r->layout->file.bytes;
        size_t at = r->gap, next = r->gap_comment;

        while (at < end && bytes[at] != '-') {
                while (next < r->comments_len && r->comments[next].offset < at)
                        next++;
                if (next < r->comments_len && r->comments[next].offset == at)
                        at += r->comments[next].size;
                else
                        at++;
        }
        return at;
}

static void pass_token(struct reader *r, size_t end)
{
        r->gap = end;
        while (r->gap_comment < r->comments_len && r->comments[r->gap_comment].offset < end)
                r->gap_comment++;
}

bool layout_blank_above(const struct layout *layout, size_t offset)
{
        const char *bytes = layout->file.bytes;

        while (offset > 0 && (bytes[offset - 1] == ' ' || bytes[offset - 1] == '\t'))
                offset--;
        if (offset == 0 || bytes[offset - 1] != '\n')
                return false;
        offset--;
        while (offset > 0 && strchr(" \t\r", bytes[offset - 1]))
                offset--;
        return offset > 0 && bytes[offset - 1] == '\n';
}

/* An anchor and a tag in front of a collection without brackets. */
static void pass_properties(struct reader *r, const struct doc_event *event)
{
        const struct doc_file *file = &r->layout->file;
        size_t at = event->offset;

        if (!event->anchor && !event->tagged)
                return;
        while (at < file->size && strchr("&! \t\r\n", file->bytes[at])) {
                if (strchr("&!", file->bytes[at]))
                        while (at < file->size && !strchr(" \t\r\n", file->bytes[at]))
                                at++;
                else
                        at++;
        }
        pass_token(r, at);
}

static unsigned column_of(const struct layout *layout, size_t offset)
{
        const char *bytes = layout->file.bytes;
        unsigned col = 1;

        for (; offset > 0 && bytes[offset - 1] != '\n' && bytes[offset - 1] != '\r'; offset--)
                col++;
        return col;
}

static int begin_item(struct reader *r, struct layout_item *collection, struct layout_item *item, size_t offset)
{
        const struct doc_event *event = &r->events[r->pos];

        layout_add(collection, item);
        item->line_no = event->line;
        item->col = offset == event->offset ? event->col : column_of(r->layout, offset);
        item->blank = layout_blank_above(r->layout, offset);
        if (collection->style == DOC_BLOCK && !collection->items_col)
                collection->items_col = item->col;
        return add_mark(r, &(struct layout_mark){.type = LAYOUT_ITEM, .offset = offset, .end = offset, .item = item});
}

static int read_value(struct reader *r, struct layout_item *item);

static int read_pair(struct reader *r, struct layout_item *map)
{
        const struct doc_event *event = &r->events[r->pos];
        struct layout_item *item = arena_alloc(r->arena, sizeof(*item));
        int ret;

        if (!item)
                return -ENOMEM;
        item->key = event->node->text;
        item->key_kind = event->node->kind;
        r->doc->is_odd |= event->type == DOC_EVENT_ALIAS || event->anchor || strlen(item->key) > KEY_SIZE_MAX;
        ret = begin_item(r, map, item, event->offset);
        if (ret < 0)
                return ret;
        r->pos++;
        pass_token(r, event->end);
        return read_value(r, item);
}

static int read_list_item(struct reader *r, struct layout_item *list)
{
        const struct doc_event *event = &r->events[r->pos];
        struct layout_item *item = arena_alloc(r->arena, sizeof(*item));
        size_t offset = event->offset;
        int ret;

        if (!item)
                return -ENOMEM;
        if (list->style == DOC_BLOCK) {
                offset = find_dash(r, event->offset);
                pass_token(r, offset + 1);
        }
        ret = begin_item(r, list, item, offset);
        return ret < 0 ? ret : read_value(r, item);
}

static int read_collection(struct reader *r, struct layout_item *item)
{
        bool flow = item->style == DOC_FLOW;
        const struct doc_event *event;
        int ret = 0;

        if (flow)
                pass_token(r, r->events[r->pos - 1].end);
        else
                pass_properties(r, &r->events[r->pos - 1]);
        while (ret == 0 && r->events[r->pos].type != DOC_EVENT_END)
                ret = item->kind == DOC_MAP ? read_pair(r, item) : read_list_item(r, item);
        if (ret < 0)
                return ret;
        event = &r->events[r->pos++];
        if (flow)
                pass_token(r, event->end);
        return add_mark(r, &(struct layout_mark){.type = flow ? LAYOUT_FLOW_END : LAYOUT_BLOCK_END,
                                                 .offset = event->offset,
                                                 .end = event->end,
                                                 .item = item});
}

/* A name that stands for two things in one document would stand for the wrong one in another order. */
static int add_anchor(struct reader *r, struct layout_item *item)
{
        uint32_t index = (uint32_t)r->items_len;

        if (str_index_key(&r->names, item->anchor, strlen(item->anchor)))
                r->doc->is_odd = true;
        if (array_reserve(&r->items, &r->items_cap, r->items_len + 1, sizeof(*r->items)) < 0 ||
            str_index_put(&r->names, item->anchor, strlen(item->anchor), index) < 0 ||
            str_index_put(&r->anchors, &item->node, sizeof(item->node), index) < 0)
                return -ENOMEM;
        r->items[r->items_len++] = item;
        return 0;
}

static void set_scalar(struct reader *r, struct layout_item *item, const struct doc_event *event)
{
        const struct doc_node *node = event->node;

        item->text = node->text;
        if (node->kind == DOC_INT)
                item->integer = node->integer;
        else if (node->kind == DOC_BOOL)
                item->boolean = node->boolean;
        if (event->style == DOC_FOLDED && node->kind == DOC_STRING && !event->anchor && !event->tagged) {
                item->raw = r->layout->file.bytes + event->offset;
                item->raw_size = event->end - event->offset;
        }
}

static int read_value(struct reader *r, struct layout_item *item)
{
        const struct doc_event *event = &r->events[r->pos++];
        uint32_t index = 0;
        int ret = 0;

        item->kind = event->node->kind;
        item->style = event->style;
        item->node = event->node;
        if (event->type != DOC_EVENT_BEGIN || event->style == DOC_FLOW)
                ret = add_mark(r,
                               &(struct layout_mark){.type = LAYOUT_VALUE,
                                                     .offset = event->offset,
                                                     .end = event->type == DOC_EVENT_BEGIN ? event->offset : event->end,
                                                     .item = item});
        if (ret < 0)
                return ret;
        if (event->type == DOC_EVENT_ALIAS) {
                str_index_get(&r->anchors, &event->node, sizeof(event->node), &index);
                item->target = r->items[index];
                pass_token(r, event->end);
                return 0;
        }
        if (event->anchor) {
                item->anchor = event->anchor;
                ret = add_anchor(r, item);
                if (ret < 0)
                        return ret;
        }
        if (event->type == DOC_EVENT_BEGIN)
                return read_collection(r, item);
        set_scalar(r, item, event);
        pass_token(r, event->end);
        return 0;
}

static int read_doc(struct reader *r, size_t index)
{
        const struct doc_event *event = &r->events[r->pos++];
        const char *bytes = r->layout->file.bytes;
        int ret;

        r->doc = &r->layout->docs[index];
        r->doc->offset = index == 0 ? 0 : event->offset;
        r->doc->has_dashes = event->end > event->offset;
        r->doc->is_odd = r->doc->has_dashes && bytes[event->offset] == '%';
        r->doc->root = arena_alloc(r->arena, sizeof(*r->doc->root));
        if (!r->doc->root)
                return -ENOMEM;
        if (index > 0)
                r->doc[-1].end = event->offset;
        str_index_fini(&r->anchors);
        str_index_fini(&r->names);
        r->items_len = 0;
        ret = add_mark(r, &(struct layout_mark){.type = LAYOUT_DOC, .offset = event->offset, .end = event->end});
        if (ret < 0)
                return ret;
        pass_token(r, event->end);
        r->doc->root->line_no = r->events[r->pos].line;
        r->doc->root->col = r->events[r->pos].col;
        ret = read_value(r, r->doc->root);
        if (ret < 0)
                return ret;
        event = &r->events[r->pos++];
        r->doc->end = r->layout->file.size;
        return add_mark(r, &(struct layout_mark){.type = LAYOUT_DOC_END, .offset = event->offset, .end = event->end});
}

static bool is_json_number(const char *text)
{
        size_t digits;

        text += *text == '-';
        digits = strspn(text, "0123456789");
        if (digits == 0 || (digits > 1 && *text == '0'))
                return false;
        text += digits;
        if (*text == '.' && strspn(text + 1, "0123456789") == 0)
                return false;
        text += *text == '.' ? 1 + strspn(text + 1, "0123456789") : 0;
        if (*text == 'e' || *text == 'E') {
                text++;
                text += *text == '-' || *text == '+';
                if (*text == '\0')
                        return false;
                text += strspn(text, "0123456789");
        }
        return *text == '\0';
}

/* The scalar as JSON writes such a thing. */
static bool is_json_scalar(const struct doc_event *event)
{
        const struct doc_node *node = event->node;

        switch (node->kind) {
        case DOC_STRING:
                return event->style == DOC_DOUBLE_QUOTED;
        case DOC_NULL:
                return strcmp(node->text, "null") == 0;
        case DOC_BOOL:
                return strcmp(node->text, node->boolean ? "true" : "false") == 0;
        case DOC_INT:
        case DOC_FLOAT:
                return is_json_number(node->text);
        case DOC_LIST:
        case DOC_MAP:
        case DOC_KIND_MAX:
                break;
        }
        return false;
}

static bool is_json(const struct doc_events *events, size_t docs_len, size_t comments_len)
{
        size_t i;

        if (docs_len != 1 || comments_len > 0 || events->items[0].end > events->items[0].offset ||
            events->items[1].type != DOC_EVENT_BEGIN)
                return false;
        for (i = 0; i < events->len; i++) {
                const struct doc_event *event = &events->items[i];

                if (event->anchor || event->tagged || (event->type == DOC_EVENT_BEGIN && event->style != DOC_FLOW) ||
                    (event->type == DOC_EVENT_SCALAR && !is_json_scalar(event)))
                        return false;
        }
        return true;
}

static int read_docs(struct reader *r, const struct doc_events *events)
{
        size_t i, docs_len = 0;
        int ret = 0;

        for (i = 0; i < events->len; i++)
                docs_len += events->items[i].type == DOC_EVENT_DOCUMENT;
        r->layout->docs = arena_array(r->arena, docs_len, sizeof(*r->layout->docs));
        if (!r->layout->docs)
                return -ENOMEM;
        r->layout->docs_len = docs_len;
        r->layout->is_json = is_json(events, docs_len, r->comments_len);
        r->layout->notes = r->comments_len;
        for (i = 0; ret == 0 && i < docs_len; i++)
                ret = read_doc(r, i);
        return ret;
}

int layout_read(struct layout *ret, struct arena *arena, const char *name, const char *bytes, size_t size,
                struct diag_list *diags)
{
        struct reader reader = {.layout = ret, .arena = arena};
        struct doc_events events = {0};
        struct doc_comment *comments = NULL;
        size_t errors = diags->errors, len = 0;
        int r;

        *ret = (struct layout){.docs = NULL};
        r = doc_parse_events(&ret->file, arena, name, bytes, size, diags, &events);
        if (r == 0 && diags->errors == errors)
                r = doc_comments(&ret->file, &events, arena, &comments, &len);
        if (r == 0 && diags->errors == errors) {
                reader.events = events.items;
                reader.events_len = events.len;
                reader.comments = comments;
                reader.comments_len = len;
                r = read_docs(&reader, &events);
                if (r == 0)
                        r = layout_attach(ret, arena, reader.marks, reader.marks_len, comments, len);
        }
        free(reader.marks);
        free(reader.items);
        str_index_fini(&reader.anchors);
        str_index_fini(&reader.names);
        doc_events_fini(&events);
        return r;
}
