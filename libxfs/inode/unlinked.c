/* SPDX-License-Identifier: BSD-2-Clause */
/* unlinked.c - lists of inodes that have no name any more (format sheet 01, section 9.2). */
#include "libxfs/inode/alloc.h"

#include "libxfs/inode/aginodes.h"

static int list_of(struct xfs_live_inode *li, struct xfs_aginodes **ag, uint32_t *agino)
{
	const struct xfs_geometry *g = &li->i.fs->geo;

	if (!li->change)
		return -XFS_E_INVALID;
	*agino = xfs_ino_agino(g, li->i.ino).v;
	return xfs_live_aginodes(li->live, li->change, xfs_ino_agno(g, li->i.ino), ag);
}

static void set_next(struct xfs_live_inode *li, uint32_t next)
{
	li->i.d.core.next_unlinked = next;
	xfs_live_inode_dirty(li, XFS_LIVE_UNLINKED);
}

int xfs_unlinked_add(struct xfs_live_inode *li)
{
	struct xfs_aginodes *ag;
	uint32_t agino, head;
	int err;

	if (xfs_dinode_nlink(&li->i.d) || li->i.d.core.next_unlinked != XFS_NULL32)
		return -XFS_E_INVALID;
	err = list_of(li, &ag, &agino);
	if (err)
		return err;
	head = ag->unlinked[agino % XFS_AGI_BUCKETS];
	if (head == agino)
		return -XFS_E_INVALID;
	if (head != XFS_NULL32)
		set_next(li, head);
	xfs_aginodes_set_bucket(ag, agino % XFS_AGI_BUCKETS, agino);
	return 0;
}

/* The inode before `agino` in its list, held. */
static int find_before(struct xfs_live_inode *li, struct xfs_aginodes *ag, uint32_t agino, struct xfs_live_inode **out)
{
	uint32_t at = ag->unlinked[agino % XFS_AGI_BUCKETS];

	for (uint64_t n = 0; at != XFS_NULL32; n++) {
		struct xfs_live_inode *before;
		int err;

		if (n > ag->agi.count)
			return -XFS_E_LOOP;
		if (at % XFS_AGI_BUCKETS != agino % XFS_AGI_BUCKETS)
			return -XFS_E_CORRUPT;
		err = xfs_live_inode_get(li->live, xfs_ino_of(&ag->fs->geo, ag->agno, XFS_AGINO(at)).v, &before);
		if (err)
			return err;
		at = before->i.d.core.next_unlinked;
		if (at == agino) {
			*out = before;
			return 0;
		}
		xfs_live_inode_put(before);
	}
	return -XFS_E_NOENT;
}

int xfs_unlinked_remove(struct xfs_live_inode *li)
{
	struct xfs_live_inode *before = NULL;
	struct xfs_aginodes *ag;
	uint32_t agino, bucket, next = li->i.d.core.next_unlinked;
	int err = list_of(li, &ag, &agino);

	if (err)
		return err;
	bucket = agino % XFS_AGI_BUCKETS;
	if (next != XFS_NULL32 && next % XFS_AGI_BUCKETS != bucket)
		return -XFS_E_CORRUPT;
	if (ag->unlinked[bucket] == agino) {
		xfs_aginodes_set_bucket(ag, bucket, next);
	} else {
		err = find_before(li, ag, agino, &before);
		if (err)
			return err;
		err = xfs_live_inode_join(before, li->change);
		if (!err)
			set_next(before, next);
		xfs_live_inode_put(before);
	}
	if (!err && next != XFS_NULL32)
		set_next(li, XFS_NULL32);
	return err;
}
