/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents written by chance. Every choice is legal YAML and says the same. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <core/doc_private.h>

#include "rough.h"

static bool chance(struct rough *w, uint32_t of)
{
        return rng_below(&w->rng, of) == 0;
}

static void put_comment(struct rough *w)
{
        static const char *const texts[] = {"plain", "with: colon", "\"quoted", "it's", "- dash",
                                            "[",     "# twice",     "",         "é"};

        strbuf_printf(w->buf, "# c%zu %s", w->written++, texts[rng_below(&w->rng, ARRAY_SIZE(texts))]);
}

/* The end of a line, perhaps with a comment. */
static void end_line(struct rough *w)
{
        if (w->comments && chance(w, 6)) {
                strbuf_printf(w->buf, "%*s", (int)rng_below(&w->rng, 3) + 1, "");
                put_comment(w);
        } else if (chance(w, 8)) {
                strbuf_puts(w->buf, "  ");
        }
        strbuf_putc(w->buf, '\n');
}

/* Lines between items: empty ones and comments, near the column of the next or anywhere; but behind a text that is a block,
 * less indented than that. */
static void put_gap(struct rough *w, unsigned indent)
{
        uint32_t columns = w->block ? w->block : 12;

        while (chance(w, 7))
                strbuf_puts(w->buf, !w->block && chance(w, 3) ? "   \n" : "\n");
        while (w->comments && chance(w, 7)) {
                uint32_t column = chance(w, 3) || indent >= columns ? rng_below(&w->rng, columns) : indent;

                strbuf_printf(w->buf, "%*s", (int)column, "");
                put_comment(w);
                strbuf_puts(w->buf, chance(w, 4) ? "\n\n" : "\n");
        }
}

static bool is_word(const char *text)
{
        struct doc_node node = {.kind = DOC_STRING, .text = text};

        doc_type_plain(&node);
        return node.kind == DOC_STRING && *text &&
               strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./-") == strlen(text) &&
               *text != '-';
}

static void put_quoted(struct strbuf *buf, const char *text)
{
        strbuf_putc(buf, '"');
        for (; *text; text++) {
                if (*text == '\n')
                        strbuf_puts(buf, "\\n");
                else if (strncmp(text, "\xe2\x80\xa8", 3) == 0 || strncmp(text, "\xef\xbf\xbe", 3) == 0) {
                        strbuf_puts(buf, *text == '\xe2' ? "\\L" : "\\uFFFE");
                        text += 2;
                } else if (*text == '\t')
                        strbuf_puts(buf, "\\t");
                else if ((unsigned char)*text < 0x20)
                        strbuf_printf(buf, "\\x%02x", *text);
                else
                        strbuf_printf(buf, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
        }
        strbuf_putc(buf, '"');
}

static void put_scalar(struct rough *w, const struct doc_node *node)
{
        if (node->kind != DOC_STRING)
                strbuf_puts(w->buf, node->text);
        else if (is_word(node->text) && !chance(w, 3))
                strbuf_puts(w->buf, node->text);
        else if (!strpbrk(node->text, "'"
                                      "\n\t\x01\xe2\xef") &&
                 chance(w, 2))
                strbuf_printf(w->buf, "'%s'", node->text);
        else
                put_quoted(w->buf, node->text);
}

/* Behind a key or a dash, a text can be a block. */
static bool put_block_scalar(struct rough *w, const struct doc_node *node, unsigned indent)
{
        const char *text = node->kind == DOC_STRING ? node->text : "";
        size_t len = strlen(text);
        bool folded = !strchr(text, '\n') && chance(w, 2);

        if (len < 2 || strpbrk(text, "\t\x01\xe2\xef") || strchr(" \n", text[0]) ||
            (text[len - 1] == '\n' && text[len - 2] == '\n') || text[len - 1] == ' ' || !chance(w, 3))
                return false;
        strbuf_printf(w->buf, " %c%s", folded ? '>' : '|', text[len - 1] == '\n' ? "" : "-");
        end_line(w);
        strbuf_printf(w->buf, "%*s", (int)indent, "");
        for (; *text; text++) {
                if (*text == '\n' && text[1] == '\0')
                        break;
                if (folded && *text == ' ' && text[1] != ' ' && text[-1] != ' ' && chance(w, 2))
                        strbuf_printf(w->buf, "\n%*s", (int)indent, "");
                else
                        strbuf_putc(w->buf, *text);
                if (*text == '\n')
                        strbuf_printf(w->buf, "%*s", text[1] == '\n' ? 0 : (int)indent, "");
        }
        strbuf_putc(w->buf, '\n');
        w->block = indent;
        return true;
}

/* Between tokens inside brackets. */
static void flow_space(struct rough *w)
{
        if (!chance(w, 6)) {
                strbuf_puts(w->buf, chance(w, 2) ? " " : "");
                return;
        }
        strbuf_putc(w->buf, ' ');
        end_line(w);
        put_gap(w, 10);
        strbuf_printf(w->buf, "%*s", 40, "");
}

static size_t *key_order(struct rough *w, const struct doc_node *node)
{
        size_t *order = arena_array(w->arena, node->len, sizeof(*order));

        for (size_t i = 0; order && i < node->len; i++)
                order[i] = i;
        if (order && w->order && node->kind == DOC_MAP)
                rng_order(&w->rng, order, node->len);
        return order;
}

/* An alias of an equal mapping, or a new anchor now and then. True for an alias, which is all that is to be written. */
static bool put_anchor(struct rough *w, const struct doc_node *node, const char *space)
{
        for (size_t i = 0; i < w->anchors_len && node->kind == DOC_MAP && node->len > 0; i++) {
                bool same = false;

                if (doc_compare(w->arena, node, w->anchors[i], &same) == 0 && same && chance(w, 2)) {
                        strbuf_printf(w->buf, "%s*a-%zu ", space, i);
                        return true;
                }
        }
        if (node->kind == DOC_MAP && node->len > 0 && w->anchors_len < ARRAY_SIZE(w->anchors) && chance(w, 12)) {
                strbuf_printf(w->buf, "%s&a-%zu ", space, w->anchors_len);
                w->anchors[w->anchors_len++] = node;
        }
        return false;
}

static int put_flow(struct rough *w, const struct doc_node *node)
{
        size_t *order;
        int r = 0;

        if (node->kind != DOC_LIST && node->kind != DOC_MAP) {
                put_scalar(w, node);
                return 0;
        }
        if (put_anchor(w, node, ""))
                return 0;
        order = key_order(w, node);
        if (!order)
                return -ENOMEM;
        strbuf_putc(w->buf, node->kind == DOC_LIST ? '[' : '{');
        for (size_t i = 0; r == 0 && i < node->len; i++) {
                flow_space(w);
                if (node->kind == DOC_MAP) {
                        put_scalar(w, node->pairs[order[i]].key);
                        strbuf_puts(w->buf, ": ");
                        r = put_flow(w, node->pairs[order[i]].value);
                } else {
                        r = put_flow(w, node->items[order[i]]);
                }
                flow_space(w);
                if (i + 1 < node->len)
                        strbuf_putc(w->buf, ',');
        }
        flow_space(w);
        strbuf_putc(w->buf, node->kind == DOC_LIST ? ']' : '}');
        return r;
}

static int put_block(struct rough *w, const struct doc_node *node, unsigned indent, bool inlined);

/* What stands behind "key:" or "-" at indent, with the end of its line. */
static int put_value(struct rough *w, const struct doc_node *node, unsigned indent, bool in_list)
{
        bool collection = (node->kind == DOC_LIST || node->kind == DOC_MAP) && node->len > 0;
        bool flat = !in_list && node->kind == DOC_LIST && chance(w, 3);
        size_t before = w->buf->len;
        int r = 0;

        if (!collection || chance(w, 4)) {
                if (put_block_scalar(w, node, indent + 1 + (unsigned)rng_below(&w->rng, 4)))
                        return 0;
                strbuf_putc(w->buf, ' ');
                r = put_flow(w, node);
                end_line(w);
                return r;
        }
        if (put_anchor(w, node, " ")) {
                end_line(w);
                return 0;
        }
        if (in_list && w->buf->len == before && !chance(w, 5)) {
                strbuf_putc(w->buf, ' ');
                return put_block(w, node, indent + 2, true);
        }
        end_line(w);
        return put_block(w, node, flat ? indent : indent + 1 + (unsigned)rng_below(&w->rng, 4), false);
}

static int put_block(struct rough *w, const struct doc_node *node, unsigned indent, bool inlined)
{
        size_t *order = key_order(w, node);
        int r = order ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < node->len; i++) {
                if (i > 0 || !inlined) {
                        put_gap(w, indent);
                        strbuf_printf(w->buf, "%*s", (int)indent, "");
                }
                w->block = 0;
                if (node->kind == DOC_MAP) {
                        put_scalar(w, node->pairs[order[i]].key);
                        strbuf_putc(w->buf, ':');
                        r = put_value(w, node->pairs[order[i]].value, indent, false);
                } else {
                        strbuf_putc(w->buf, '-');
                        r = put_value(w, node->items[order[i]], indent, true);
                }
        }
        put_gap(w, indent);
        return r;
}

static struct doc_node *new_text(struct rough *w, const char *text)
{
        struct doc_node *node = arena_alloc(w->arena, sizeof(*node));

        if (node)
                *node = (struct doc_node){.kind = DOC_STRING, .text = text};
        return node;
}

/* Texts that are easily taken for something else, or hard to write. */
static struct doc_node *hard_texts(struct rough *w)
{
        static const char *const texts[] = {
                "",
                "yes",
                "~",
                "null",
                "0x1F",
                "010",
                "1:20",
                "1.5e3",
                "2024-01-31",
                "1_000",
                "=",
                "<<",
                "- a",
                "a: b",
                "a #b",
                "a#b",
                "#a",
                "*a",
                "&a",
                "!a",
                "%a",
                "@a",
                "`a",
                "it's \"so\"",
                "a\\b",
                "{a",
                "[a",
                "a]",
                " a",
                "a ",
                "a\tb",
                "a\nb",
                "a\nb\n",
                "a\n\nb",
                "a\n  b\nc",
                " a\nb",
                "a\n\n",
                "\n",
                "a\n \nb",
                "a\x01"
                "b",
                "é ü",
                "\xe2\x80\xa8x",
                "\xf0\x9f\x98\x80",
                "a b c d e f",
                "a b c\n",
                "...",
                "---",
                "a:",
                "::1",
                "-1",
                ".5",
                "+",
                "y",
                "N",
                "\xef\xbf\xbe"
                "a",
                "? a",
        };
        struct doc_node *map = arena_alloc(w->arena, sizeof(*map));
        size_t len = 1 + rng_below(&w->rng, 4);

        if (!map)
                return NULL;
        map->kind = DOC_MAP;
        map->pairs = arena_array(w->arena, len, sizeof(*map->pairs));
        for (size_t i = 0; map->pairs && i < len; i++) {
                char *key = arena_printf(w->arena, "k%zu/%s", i, texts[12 + rng_below(&w->rng, 3)]);
                struct doc_node *value = new_text(w, texts[rng_below(&w->rng, ARRAY_SIZE(texts))]);

                if (!key || !value)
                        return NULL;
                map->pairs[map->len++] = (struct doc_pair){.key = new_text(w, key), .value = value};
        }
        return map->pairs ? map : NULL;
}

/* The object with annotations; the items of a List stay as they are. */
static struct doc_node *annotate(struct rough *w, const struct doc_node *root)
{
        struct doc_node *copy = arena_memdup(w->arena, root, sizeof(*root)), *meta = doc_get(root, "metadata"), *with;
        struct doc_pair *pairs;

        if (!copy || !meta || meta->kind != DOC_MAP || doc_get(meta, "annotations"))
                return copy;
        with = arena_memdup(w->arena, meta, sizeof(*meta));
        pairs = arena_array(w->arena, meta->len + 1, sizeof(*pairs));
        copy->pairs = arena_memdup(w->arena, root->pairs, root->len * sizeof(*root->pairs));
        if (!with || !pairs || !copy->pairs)
                return NULL;
        memcpy(pairs, meta->pairs, meta->len * sizeof(*pairs));
        pairs[meta->len] = (struct doc_pair){.key = new_text(w, "annotations"), .value = hard_texts(w)};
        if (!pairs[meta->len].key || !pairs[meta->len].value)
                return NULL;
        with->pairs = pairs;
        with->len++;
        for (size_t i = 0; i < copy->len; i++)
                if (copy->pairs[i].value == meta)
                        copy->pairs[i].value = with;
        return copy;
}

int rough_doc(struct rough *w, const struct doc_node *root)
{
        const struct doc_node *object = annotate(w, root);
        int r;

        if (!object)
                return -ENOMEM;
        w->anchors_len = 0;
        strbuf_puts(w->buf, "---");
        end_line(w);
        if (chance(w, 10)) {
                r = put_flow(w, object);
                end_line(w);
        } else {
                r = put_block(w, object, 0, false);
        }
        if (chance(w, 10)) {
                strbuf_puts(w->buf, "...");
                end_line(w);
        }
        return r;
}
