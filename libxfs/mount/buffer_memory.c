/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer_memory.c - memory of the contents of buffers: units of one length, cut from slabs.
 *
 * A block that is aligned to its length takes twice as much when it is allocated by itself, for the allocator's own
 * words lie before it.  Units of a shard are used again by that shard alone; its lock is held.
 */
#include "libxfs/mount/buffer_priv.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/sanitized.h"

#include <stdlib.h>

#define SLAB_BYTES 131072u
/* Bits of a mask; or each by itself: who reads beyond it is found. */
#define MOST_UNITS (XFS_SANITIZED ? 1u : 32u)

struct xfs_buf_slab {
	/* among those of the shard that have a free unit; at NULL: it has none */
	struct xfs_buf_slab *next, **at;
	uint8_t *bytes;
	uint32_t unit, all, free;		/* bytes of a unit; all of them and the free ones, a bit each */
};

static void link_slab(struct xfs_buf_shard *s, struct xfs_buf_slab *l)
{
	l->next = s->slabs;
	l->at = &s->slabs;
	if (l->next)
		l->next->at = &l->next;
	s->slabs = l;
}

static void unlink_slab(struct xfs_buf_slab *l)
{
	*l->at = l->next;
	if (l->next)
		l->next->at = l->at;
	l->at = NULL;
}

static struct xfs_buf_slab *new_slab(struct xfs_buf_shard *s, uint32_t unit)
{
	uint32_t align = unit < 4096 ? XFS_BBSIZE : 4096, units = xfs_min(xfs_max(SLAB_BYTES / unit, 1), MOST_UNITS);
	struct xfs_buf_slab *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->bytes = aligned_alloc(align, (size_t)unit * units);
	if (!l->bytes) {
		free(l);
		return NULL;
	}
	l->unit = unit;
	l->all = l->free = UINT32_MAX >> (32 - units);
	link_slab(s, l);
	return l;
}

int xfs_buf_memory_get(struct xfs_buf_shard *s, struct xfs_buf *b, uint32_t len)
{
	uint32_t unit = len < 4096 ? xfs_round_up(len, XFS_BBSIZE) : xfs_round_up(len, 4096);
	struct xfs_buf_slab *l = s->slabs;
	unsigned k;

	while (l && l->unit != unit)
		l = l->next;
	if (!l)
		l = new_slab(s, unit);
	if (!l)
		return -XFS_E_NOMEM;
	k = (unsigned)__builtin_ctz(l->free);
	l->free &= l->free - 1;
	if (!l->free)
		unlink_slab(l);
	b->data = l->bytes + (size_t)k * unit;
	b->slab = l;
	return 0;
}

void xfs_buf_memory_put(struct xfs_buf_shard *s, struct xfs_buf *b)
{
	struct xfs_buf_slab *l = b->slab;

	if (!l->free)
		link_slab(s, l);
	l->free |= 1u << (size_t)(b->data - l->bytes) / l->unit;
	b->data = NULL;
	if (l->free != l->all)
		return;
	unlink_slab(l);
	free(l->bytes);
	free(l);
}
