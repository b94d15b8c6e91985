/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * roots.c - finds the reverse mappings of an AG whose header does not lead to them any more.
 *
 * Blocks of an rmapbt name themselves (AG, place, filesystem, checksum).  One of the highest level in the AG that has no
 * neighbours and below which a whole tree verifies is the root.  An older root does not pass: it had fewer levels, or
 * the blocks below it have changed since.
 */
#include "repair/agtrees.h"
#include "repair/scan.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

#define MOST_ROOTS 64u

struct root {
	uint32_t agbno;
	unsigned level;
	uint64_t lsn;
};

struct search {
	struct repair_walk *w;
	struct root roots[MOST_ROOTS];
	size_t n;
	unsigned highest;
};

/* ---- a tree from its root ---- */

static int block_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct repair_ag *ag = owner;
	struct xfs_buf *buf;
	int error = xfs_fs_get_block(ag->fs, xfs_fsbno_of(&ag->fs->geo, ag->agno, XFS_AGBNO(ptr)), XFS_BLK_RMAPBT, &buf);

	if (!error)
		*out = (struct xfs_btree_block){ .ptr = ptr, .data = buf->data, .handle = buf };
	return error;
}

static void block_put(void *owner, struct xfs_btree_block *b)
{
	(void)owner;
	xfs_buf_put(b->handle);
}

static uint64_t block_daddr(void *owner, uint64_t ptr)
{
	struct repair_ag *ag = owner;

	return xfs_agbno_daddr(&ag->fs->geo, ag->agno, XFS_AGBNO(ptr)).v;
}

static void tree_at(struct repair_ag *ag, uint32_t root, unsigned levels, struct xfs_btree *out)
{
	const struct xfs_geometry *geo = &ag->fs->geo;

	*out = (struct xfs_btree){
		.kind = &xfs_btree_kinds[XFS_BTREE_RMAP], .io = { .owner = ag, .get = block_get, .put = block_put },
		.blocksize = geo->blocksize, .v5 = true, .root = root, .levels = levels, .uuid = geo->uuid,
		.owner = ag->agno.v, .daddr_of = block_daddr, .ptr_min = geo->agfl_block + 1, .ptr_max = ag->length,
	};
}

int repair_ag_btree(const struct repair *r, struct repair_ag *ag, enum xfs_btree_id id, struct xfs_btree *out)
{
	const struct repair_tree *t = &ag->tree[XFS_TREE_RMAP];

	if (id == XFS_BTREE_RMAP && t->found) {
		tree_at(ag, t->root, t->levels, out);
		return 0;
	}
	return xfs_fs_ag_btree(r->fs, ag->agno, id, out);
}

/* ---- the search ---- */

static int look_at(void *payload, uint32_t agbno, const uint8_t *block)
{
	struct search *s = payload;
	const struct repair_ag *ag = s->w->ag;
	const struct xfs_geometry *geo = &s->w->r->geo;
	unsigned level = xfs_be16(block + XFS_OFF(btree_short, level));

	if (xfs_be32(block) != xfs_btree_kinds[XFS_BTREE_RMAP].magic_v5 || level >= geo->rmap_maxlevels ||
	    xfs_be32(block + XFS_OFF(btree_short, owner)) != ag->agno.v ||
	    xfs_be64(block + XFS_OFF(btree_short, bno)) != xfs_agbno_daddr(geo, ag->agno, XFS_AGBNO(agbno)).v ||
	    memcmp(block + XFS_OFF(btree_short, uuid), geo->uuid, 16) ||
	    !xfs_crc32c_check(block, geo->blocksize, XFS_OFF(btree_short, crc)))
		return 0;
	if (level > s->highest) {
		s->highest = level;
		s->n = 0;
	}
	if (level < s->highest || s->n == MOST_ROOTS || xfs_be32(block + XFS_OFF(btree_short, leftsib)) != XFS_NULL32 ||
	    xfs_be32(block + XFS_OFF(btree_short, rightsib)) != XFS_NULL32)
		return 0;
	s->roots[s->n++] = (struct root){ agbno, level, xfs_be64(block + XFS_OFF(btree_short, lsn)) };
	return 0;
}

static int newest_first(const void *pa, const void *pb)
{
	const struct root *a = pa, *b = pb;

	return a->lsn < b->lsn ? 1 : a->lsn > b->lsn ? -1 : 0;
}

int repair_find_rmap_root(struct repair_walk *w)
{
	struct repair_tree *tree = &w->ag->tree[XFS_TREE_RMAP];
	struct search s = { .w = w };
	struct repair_blockscan all = { w->r->geo.agfl_block + 1, w->ag->length, 1, false, look_at, &s };
	int error = repair_scan_blocks(w->r, w->ag->agno, &all);

	if (error)
		return error;
	if (s.n)
		qsort(s.roots, s.n, sizeof(s.roots[0]), newest_first);
	for (size_t i = 0; i < s.n; i++) {
		struct xfs_btree_verify v = { .no_sharing = !w->r->geo.reflink };
		struct xfs_btree bt;

		tree_at(w->ag, s.roots[i].agbno, s.roots[i].level + 1, &bt);
		error = xfs_btree_verify(&bt, &v);
		if (error)
			return error;
		if (v.findings || (s.roots[i].agbno == tree->root && s.roots[i].level + 1 == tree->levels))
			continue;
		tree->root = s.roots[i].agbno;
		tree->levels = s.roots[i].level + 1;
		tree->found = true;
		return 0;
	}
	return 0;
}
