/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The annotations by which an object tells lint to leave something out: kept as they are, for lint to judge. */
#include <string.h>

#include "policy_build.h"

static bool is_after(const struct doc_node *node, const struct src_loc *loc)
{
        return node->line > loc->line || (node->line == loc->line && node->col > loc->col);
}

/* The last place of a node. What an alias stands for was written before, and does not count. The tree is not deep. */
static void find_last(const struct doc_node *node, struct src_loc *last)
{
        if (is_after(node, last)) {
                last->line = node->line;
                last->col = node->col;
        }
        for (size_t i = 0; node->kind == DOC_LIST && i < node->len; i++)
                find_last(node->items[i], last);
        for (size_t i = 0; node->kind == DOC_MAP && i < node->len; i++) {
                find_last(node->pairs[i].key, last);
                find_last(node->pairs[i].value, last);
        }
}

void load_ignores(struct policy_loader *loader, const struct doc_node *object)
{
        const struct doc_node *annotations = doc_get(doc_get(object, "metadata"), "annotations");
        struct policy_build *build = loader->set->build;
        struct policy_ignore ignore = {.first = loader_loc(loader, object)};

        for (size_t i = 0; annotations && annotations->kind == DOC_MAP && i < annotations->len; i++) {
                const struct doc_pair *pair = &annotations->pairs[i];

                if (strncmp(pair->key->text, POLICY_IGNORE_PREFIX, strlen(POLICY_IGNORE_PREFIX)) != 0 ||
                    pair->value->kind != DOC_STRING)
                        continue;
                if (ignore.last.line == 0) {
                        ignore.last = ignore.first;
                        find_last(object, &ignore.last);
                }
                ignore.rule = loader_strdup(loader, pair->key->text + strlen(POLICY_IGNORE_PREFIX));
                ignore.reason = loader_strdup(loader, pair->value->text);
                ignore.loc = loader_loc(loader, pair->key);
                if (!ignore.rule || !ignore.reason ||
                    array_reserve(&build->ignores, &build->ignores_cap, build->ignores_len + 1, sizeof(ignore)) < 0)
                        loader->file->oom = true;
                else
                        build->ignores[build->ignores_len++] = ignore;
        }
}
