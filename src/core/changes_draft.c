/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes: one change, from its parts. */
#include <errno.h>
#include <string.h>

#include "changes_internal.h"

void change_draft_fini(struct change_draft *draft)
{
        free(draft->parts);
        free(draft->pairs);
}

void change_draft_start(struct change_draft *draft, const struct change_end *src, const struct change_end *dst)
{
        draft->change = (struct change){.src = *src, .dst = *dst};
        draft->only = NULL;
        draft->parts_len = 0;
        draft->pairs_len = 0;
        draft->apart = false;
}

int change_draft_add_part(struct change_draft *draft, const struct change_part *part)
{
        int r;

        r = array_reserve(&draft->parts, &draft->parts_cap, draft->parts_len + 1, sizeof(*draft->parts));
        if (r < 0)
                return r;

        draft->parts[draft->parts_len++] = *part;
        return 0;
}

/* What turned in another way, or in other addresses, by the same reason. */
static int draft_unite_part(struct change_draft *draft, struct matrix *sets, const struct change_part *part)
{
        for (size_t i = 0; i < draft->parts_len; i++)
                if (draft->parts[i].reason == part->reason)
                        return matrix_unite(sets, draft->parts[i].conns, part->conns, &draft->parts[i].conns);

        return change_draft_add_part(draft, part);
}

int change_draft_add_shift(struct change_draft *draft, struct matrix *sets, const struct change_shift *shift,
                           size_t src, size_t dst)
{
        struct change_pair pair = {src, dst, {shift->conns[CHANGE_OLD], shift->conns[CHANGE_NEW]}};
        struct change *change = &draft->change;
        int r;

        r = array_reserve(&draft->pairs, &draft->pairs_cap, draft->pairs_len + 1, sizeof(*draft->pairs));
        if (r < 0)
                return r;

        draft->only = draft->pairs_len == 0 ? shift : NULL;
        for (enum change_side side = 0; side < CHANGE_SIDE_MAX; side++) {
                if (draft->pairs_len == 0)
                        change->conns[side] = pair.conns[side];
                draft->apart |= draft->pairs_len > 0 && draft->pairs[0].conns[side] != pair.conns[side];
                r = matrix_unite(sets, change->conns[side], pair.conns[side], &change->conns[side]);
                if (r < 0)
                        return r;
        }
        draft->pairs[draft->pairs_len++] = pair;

        for (size_t i = 0; i < shift->parts_len; i++) {
                r = draft_unite_part(draft, sets, &shift->parts[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* A change made of one shift has its parts, which thousands share. */
static int draft_keep_parts(const struct change_draft *draft, struct arena *arena, struct change *change)
{
        change->parts_len = draft->parts_len;
        if (draft->only) {
                change->parts = draft->only->parts;
                return 0;
        }

        change->parts = arena_memdup(arena, draft->parts, draft->parts_len * sizeof(*draft->parts));
        return change->parts ? 0 : -ENOMEM;
}

int change_draft_finish(struct change_draft *draft, struct changes *changes)
{
        struct change *change = &draft->change;
        int r;

        if (draft->parts_len == 0)
                return 0;

        r = draft_keep_parts(draft, changes->arena, change);
        if (r < 0)
                return r;

        change->origin = change->parts[0].reason->origin;
        for (size_t i = 0; i < change->parts_len; i++) {
                const struct change_reason *reason = change->parts[i].reason;

                change->widens |= reason->widens;
                change->narrows |= !reason->widens;
                if (reason->origin != change->origin)
                        change->origin = CHANGE_JOINT;
        }

        if (draft->apart) {
                change->pairs_len = draft->pairs_len;
                change->pairs = arena_memdup(changes->arena, draft->pairs, draft->pairs_len * sizeof(*draft->pairs));
                if (!change->pairs)
                        return -ENOMEM;
        }

        r = array_reserve(&changes->items, &changes->cap, changes->len + 1, sizeof(*changes->items));
        if (r < 0)
                return r;

        changes->items[changes->len++] = *change;
        return 0;
}
