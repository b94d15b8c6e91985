/* SPDX-License-Identifier: BSD-2-Clause */
/* owner.c - blocks of a fork's btree get a new owner (format sheet 04, section 9.3, step 8). */
#include "libxfs/recovery/private.h"

#include "libxfs/ondisk/btree.h"

#include <stdlib.h>

/* Pointers of one level. */
struct level {
	uint64_t *ptrs;
	size_t n, room;
};

static int add_pointers(struct level *l, const uint8_t *p, uint32_t n)
{
	if (xfs_grow_to(&l->ptrs, &l->room, l->n + n, sizeof(*l->ptrs)))
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < n; i++)
		l->ptrs[l->n++] = xfs_be64(p + 8 * (size_t)i);
	return 0;
}

/* The block becomes this inode's; its pointers go to `below` unless it is a leaf. */
static int change_block(struct replay *rp, uint64_t ino, uint64_t fsbno, unsigned level, struct level *below)
{
	const struct xfs_geometry *g = &rp->geo;
	struct touched *t;
	uint8_t *p;
	uint32_t n;
	int err;

	if (!xfs_fsbno_range_valid(g, fsbno, 1))
		return replay_bad(rp, "bmbt", fsbno, "a pointer leads outside");
	err = replay_touch(rp, xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v, g->blocksize / XFS_BBSIZE, &t);
	if (err)
		return err;
	p = t->buf->data;
	n = xfs_be16(p + XFS_OFF(btree_long, numrecs));
	if (xfs_be32(p) != XFS_BMBT_MAGIC || xfs_be16(p + XFS_OFF(btree_long, level)) != level ||
	    n > xfs_btree_maxrecs(&xfs_btree_shape_bmbt, true, g->blocksize, !level))
		return replay_bad(rp, "bmbt", fsbno, "it is no block of that tree");
	if (xfs_be64(p + XFS_OFF(btree_long, owner)) != ino) {
		xfs_put_be64(p + XFS_OFF(btree_long, owner), ino);
		if (!t->stamp)	/* not in the log itself: keeps its LSN */
			replay_stamp(g, XFS_BLFT_BTREE, p, t->buf->len, XFS_NULL64);
		replay_dirty(t);
	}
	return level ? add_pointers(below, p + xfs_btree_ptrs_off(&xfs_btree_shape_bmbt, true, g->blocksize), n) : 0;
}

int replay_change_owner(struct replay *rp, uint64_t ino, const uint8_t *raw, enum xfs_fork which)
{
	struct level now = { .n = 0 }, below = { .n = 0 };
	uint32_t off, size, n;
	struct xfs_dinode d;
	uint64_t blocks = 0;
	unsigned level;
	int err;

	xfs_dinode_decode(&d, raw);
	if ((which == XFS_FORK_ATTR ? d.core.aformat : d.core.format) != XFS_DINODE_FMT_BTREE)
		return 0;
	off = xfs_dinode_fork_off(d.core.version, d.core.forkoff, rp->geo.inodesize, which);
	size = xfs_dinode_fork_size(d.core.version, d.core.forkoff, rp->geo.inodesize, which);
	if (size < 4)
		return 0;
	level = xfs_be16(raw + off);
	n = xfs_be16(raw + off + 2);
	if (!level || level >= XFS_BTREE_MAXLEVELS || n > xfs_bmdr_maxrecs(size))
		return replay_bad(rp, "inode", ino, "the root of its btree is not valid");
	err = add_pointers(&now, raw + off + xfs_bmdr_ptrs_off(size), n);
	while (!err && level-- > 0) {
		struct level swap = now;

		below.n = 0;
		blocks += now.n;
		if (blocks > d.core.nblocks)
			err = replay_bad(rp, "inode", ino, "its btree has more blocks than it");
		for (size_t i = 0; i < now.n && !err; i++)
			err = change_block(rp, ino, now.ptrs[i], level, &below);
		now = below;
		below = swap;
	}
	free(now.ptrs);
	free(below.ptrs);
	return err;
}
