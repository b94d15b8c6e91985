/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contents.c - buffer items in a careful replay whose flags contradict what they carry.
 *
 * Flags decide whether an image is brought to its place at all: a bit more makes it the end of its block, or of quota
 * that is off.  So where they do not fit the data the data counts, and the block says itself, with its address and the
 * uuid of the filesystem, what it is (replay_content()).  The fourth version has no such blocks: there the flags are
 * believed.
 */
#include "libxfs/recovery/private.h"

#include "libxfs/ondisk/dquot.h"

#define QUOTA_FLAGS (XFS_BLF_UDQUOT | XFS_BLF_PDQUOT | XFS_BLF_GDQUOT)

/* The part of an inode that holds its link begins where the inode does. */
static bool carries_inodes(const struct replay *rp, const struct xfs_log_buf_item *b)
{
	struct xfs_log_run run = { .len = 0 };

	return xfs_log_buf_next(b, &run) && run.off % rp->geo.inodesize == 0 && xfs_be16(run.p) == XFS_DINODE_MAGIC;
}

static bool carries_dquots(const struct xfs_log_buf_item *b)
{
	struct xfs_log_run run = { .len = 0 };
	bool any = false;

	while (xfs_log_buf_next(b, &run)) {
		if (xfs_be16(run.p) != XFS_DQUOT_MAGIC)
			return false;
		any = true;
	}
	return any;
}

static bool is_quota(unsigned content)
{
	return content == XFS_BLFT_UDQUOT || content == XFS_BLFT_PDQUOT || content == XFS_BLFT_GDQUOT;
}

static void believe_data(const struct replay *rp, struct xfs_log_buf_item *b)
{
	if (b->flags & XFS_BLF_INODE_BUF || b->content == XFS_BLFT_INODES) {
		bool inodes = carries_inodes(rp, b);

		b->flags &= (uint16_t)~(inodes ? QUOTA_FLAGS : XFS_BLF_INODE_BUF);
		b->flags |= inodes ? XFS_BLF_INODE_BUF : 0;
		if (inodes)
			b->content = XFS_BLFT_INODES;
		else if (b->content == XFS_BLFT_INODES)
			b->content = XFS_BLFT_UNKNOWN;
	}
	if ((b->flags & QUOTA_FLAGS || is_quota(b->content)) && !carries_dquots(b)) {
		b->flags &= (uint16_t)~QUOTA_FLAGS;
		if (is_quota(b->content))
			b->content = XFS_BLFT_UNKNOWN;
	}
	if (b->content >= XFS_BLFT_COUNT || replay_is_misplaced(rp, b->content, b->daddr))
		b->content = XFS_BLFT_UNKNOWN;
}

void replay_load_buf(const struct replay *rp, struct xfs_log_buf_item *b, const struct xfs_log_item *it)
{
	xfs_log_buf_load(b, it);
	if (!rp->careful)
		return;
	/* the end of a block carries nothing */
	if (b->flags & XFS_BLF_CANCEL && it->nregions > 1)
		b->flags &= (uint16_t)~XFS_BLF_CANCEL;
	if (rp->geo.v5 && !(b->flags & XFS_BLF_CANCEL))
		believe_data(rp, b);
}
