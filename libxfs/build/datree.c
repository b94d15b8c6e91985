/* SPDX-License-Identifier: BSD-2-Clause */
/* datree.c - the nodes of a hash tree. */
#include "libxfs/build/datree.h"

#include "libxfs/base/errors.h"

int xfs_datree_plan(struct xfs_datree *t, uint64_t leaves)
{
	uint32_t most = xfs_da_maxents(t->v5, t->size);

	memset(t->count, 0, sizeof(t->count));
	t->count[0] = leaves;
	for (t->levels = 1; t->count[t->levels - 1] > 1; t->levels++) {
		uint64_t below = t->count[t->levels - 1];

		if (t->levels > XFS_DA_MAX_LEVEL)
			return -XFS_E_TOOBIG;
		/* one in eight stays free, so that the next split of a child is not a split all the way up */
		t->count[t->levels] = below <= most ? 1 : xfs_ceil_div(below, most - most / 8);
	}
	return 0;
}

uint64_t xfs_datree_blocks(const struct xfs_datree *t)
{
	uint64_t n = 0;

	for (unsigned level = 0; level < t->levels; level++)
		n += t->count[level];
	return n;
}

uint64_t xfs_datree_place(const struct xfs_datree *t, unsigned level, uint64_t i)
{
	for (unsigned above = level + 1; above < t->levels; above++)
		i += t->count[above];
	return t->root + i * t->fsbs;
}

void xfs_datree_find(const struct xfs_datree *t, uint64_t off, unsigned *level, uint64_t *i)
{
	*i = (off - t->root) / t->fsbs;
	for (*level = t->levels - 1; *level && *i >= t->count[*level]; --*level)
		*i -= t->count[*level];
}

void xfs_datree_links(const struct xfs_datree *t, unsigned level, uint64_t i, uint32_t *forw, uint32_t *back)
{
	*back = i ? (uint32_t)xfs_datree_place(t, level, i - 1) : 0;
	*forw = i + 1 < t->count[level] ? (uint32_t)xfs_datree_place(t, level, i + 1) : 0;
}

/* The last hash below block i of a level. */
static uint32_t last_hash(const struct xfs_datree *t, unsigned level, uint64_t i)
{
	for (; level; level--)
		i = xfs_share(t->count[level - 1], t->count[level], i + 1) - 1;
	return t->last[i];
}

void xfs_datree_node(const struct xfs_datree *t, unsigned level, uint64_t i, uint8_t *block)
{
	uint64_t from = xfs_share(t->count[level - 1], t->count[level], i);
	uint64_t to = xfs_share(t->count[level - 1], t->count[level], i + 1);
	struct xfs_da3_node_hdr h = {
		.magic = t->v5 ? XFS_DA3_NODE_MAGIC : XFS_DA_NODE_MAGIC, .count = (uint16_t)(to - from),
		.level = (uint16_t)level,
	};
	uint8_t *at = block + xfs_da_header_len(t->v5);

	xfs_datree_links(t, level, i, &h.forw, &h.back);
	xfs_da_node_hdr_store(block, &h, t->v5);
	for (; from < to; from++, at += sizeof(struct xfs_da_node_ent_disk)) {
		struct xfs_da_node_ent e = {
			last_hash(t, level - 1, from), (uint32_t)xfs_datree_place(t, level - 1, from)
		};

		xfs_da_node_ent_encode(at, &e);
	}
}
