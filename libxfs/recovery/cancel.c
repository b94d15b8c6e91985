/* SPDX-License-Identifier: BSD-2-Clause */
/* cancel.c - a hash of freed blocks. */
#include "libxfs/recovery/cancel.h"

#include "libxfs/base/errors.h"

#include <stdlib.h>

/* Slot of a key, or the empty one where it would go. There is always an empty one. */
static struct xfs_cancel *slot_of(const struct xfs_cancels *c, uint64_t daddr, uint32_t bbs)
{
	for (size_t i = (size_t)xfs_mix2(&c->mix, daddr, bbs) & (c->nslots - 1);; i = (i + 1) & (c->nslots - 1)) {
		struct xfs_cancel *s = &c->slots[i];

		if (!s->bbs || (s->daddr == daddr && s->bbs == bbs))
			return s;
	}
}

static int grow(struct xfs_cancels *c)
{
	struct xfs_cancels more = { .nslots = c->nslots ? 2 * c->nslots : 256, .used = c->used,
				    .mix = c->mix };

	xfs_mix_init(&more.mix);
	more.slots = calloc(more.nslots, sizeof(*more.slots));
	if (!more.slots)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < c->nslots; i++)
		if (c->slots[i].bbs)
			*slot_of(&more, c->slots[i].daddr, c->slots[i].bbs) = c->slots[i];
	free(c->slots);
	*c = more;
	return 0;
}

int xfs_cancels_add(struct xfs_cancels *c, uint64_t daddr, uint32_t bbs)
{
	struct xfs_cancel *s;

	if (!bbs)
		return 0;
	if (4 * (c->used + 1) > 3 * c->nslots && grow(c))
		return -XFS_E_NOMEM;
	s = slot_of(c, daddr, bbs);
	if (!s->bbs) {
		s->daddr = daddr;
		s->bbs = bbs;
		c->used++;
	}
	s->count++;
	return 0;
}

bool xfs_cancels_has(const struct xfs_cancels *c, uint64_t daddr, uint32_t bbs)
{
	return c->nslots && bbs && slot_of(c, daddr, bbs)->count;
}

void xfs_cancels_drop(struct xfs_cancels *c, uint64_t daddr, uint32_t bbs)
{
	if (xfs_cancels_has(c, daddr, bbs))
		slot_of(c, daddr, bbs)->count--;
}

void xfs_cancels_free(struct xfs_cancels *c)
{
	free(c->slots);
	*c = (struct xfs_cancels){ .slots = NULL };
}
