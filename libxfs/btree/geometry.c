/* SPDX-License-Identifier: BSD-2-Clause */
/* geometry.c - how many records and blocks a tree has on each level (format sheet 02, sections 1.6 and 7.2). */
#include "libxfs/btree/priv.h"

struct limits {
	uint32_t most, least, desired;	/* entries of a block */
};

static struct limits limits_of(const struct xfs_btree_shape *s, bool v5, uint32_t blocksize, bool leaf, int slack)
{
	struct limits l = { .most = xfs_btree_maxrecs(s, v5, blocksize, leaf) };

	l.least = l.most / 2;
	if (slack < 0)
		l.desired = (l.most + l.least) / 2;
	else
		l.desired = l.most - (uint32_t)xfs_min((unsigned)slack, l.most - l.least);
	return l;
}

/* Spreads `items` evenly over as few blocks as the desired fill asks for. */
static void spread(struct xfs_btree_geometry *g, unsigned level, uint64_t items, const struct limits *l)
{
	uint64_t blocks = xfs_max(1, items / l->desired);

	if (items / blocks > l->most || (items / blocks == l->most && items % blocks))
		blocks++;
	g->lev[level].blocks = blocks;
	g->lev[level].per = items / blocks;
	g->lev[level].extra = items % blocks;
	g->blocks += blocks;
}

int xfs_btree_bulk_geometry(struct xfs_btree_geometry *g, const struct xfs_btree_kind *kind, bool v5,
			    uint32_t blocksize, uint64_t records, int leaf_slack, int node_slack, size_t inline_len)
{
	uint64_t items = records;

	if (blocksize < xfs_btree_header_len(kind->shape, v5) + 128 || (v5 ? kind->magic_v5 : kind->magic_v4) == 0 ||
	    kind->inode_root != (inline_len != 0))
		return -XFS_E_INVALID;
	/* an inode without extents has no bmbt, and a root that holds nothing can't be one */
	if (kind->inode_root && (xfs_btree_inline_max(kind, inline_len, false) == 0 ||
				 (records == 0 && !kind->root_leaf)))
		return -XFS_E_INVALID;
	memset(g, 0, sizeof(*g));
	g->records = records;
	for (unsigned level = 0; level < XFS_BTREE_MAXLEVELS; level++) {
		struct limits l = limits_of(kind->shape, v5, blocksize, level == 0, level ? node_slack : leaf_slack);

		g->levels = level + 1;
		if (kind->inode_root && (level > 0 || kind->root_leaf) &&
		    items <= xfs_btree_inline_max(kind, inline_len, level == 0)) {
			g->lev[level].per = items;	/* the root in the fork: no block */
			return 0;
		}
		spread(g, level, items, &l);
		items = g->lev[level].blocks;
		if (items == 1 && !kind->inode_root)
			return 0;
	}
	return -XFS_E_TOOBIG;
}

uint64_t xfs_btree_blocks_for(const struct xfs_btree_kind *kind, bool v5, uint32_t blocksize, uint64_t records,
			      bool worst, unsigned *levels)
{
	uint64_t items = records, total = 0;
	unsigned level = 0;

	do {
		uint32_t per = xfs_btree_maxrecs(kind->shape, v5, blocksize, level == 0);

		items = xfs_max(1, xfs_ceil_div(items, worst ? per / 2 : per));
		total += items;
		level++;
	} while (items > 1);
	if (levels)
		*levels = level;
	return total;
}
