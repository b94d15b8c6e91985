/* SPDX-License-Identifier: BSD-2-Clause */
/* truncate.c - forks and inodes are given up. */
#include "libxfs/inode/truncate.h"

#include "libxfs/inode/alloc.h"
#include "libxfs/inode/bmap_priv.h"

/* Blocks that are one buffer: what the cache and the log know them as. */
static uint32_t buffer_blocks(const struct xfs_live_inode *li, enum xfs_fork which)
{
	const struct xfs_geometry *g = &li->i.fs->geo;

	if (which == XFS_FORK_ATTR)
		return 1;
	return xfs_inode_is_dir(&li->i) ? g->dirblkfsbs : XFS_BUF_MAXLEN >> g->blocklog;
}

static int forget(struct xfs_live_inode *li, enum xfs_fork which, const struct xfs_extent *e)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	uint32_t whole = buffer_blocks(li, which), n;
	/* symlinks: buffers are cut from the start of the extent; directories: at multiples of their blocks */
	uint64_t at = e->off, base = xfs_inode_is_dir(&li->i) ? 0 : e->off;
	int err = 0;

	for (; at < e->off + e->len && !err; at += n) {
		uint64_t daddr = xfs_fsbno_daddr(g, XFS_FSBNO(e->block + (at - e->off))).v;

		n = (uint32_t)xfs_min(whole - (at - base) % whole, e->off + e->len - at);
		err = xfs_change_forget(li->change, daddr, (uint32_t)((uint64_t)n << g->blocklog >> XFS_BBSHIFT));
	}
	return err;
}

int xfs_fork_drop(struct xfs_live_inode *li, enum xfs_fork which, uint64_t from, unsigned most, bool *left)
{
	bool metadata = which == XFS_FORK_ATTR || xfs_inode_fmt(&li->i) != XFS_MODE_REG;
	uint64_t writes;
	struct xfs_bmap b;
	int err = xfs_bmap_open(&b, li, which);

	*left = false;
	if (err == -XFS_E_NOENT || (err == -XFS_E_INVALID && li->change))
		return 0;
	if (err)
		return err;
	writes = li->change->writes;
	for (unsigned n = 0; !err; n++) {
		struct xfs_extent e;

		err = xfs_ifork_last(&b.f, &e);
		if (err == -XFS_E_NOENT || (!err && e.off + e.len <= from))
			return 0;
		if (n == most) {
			*left = !err;
			break;
		}
		if (!err && metadata)
			err = forget(li, which, &e);
		if (!err)
			err = xfs_bmap_unmap(li, which, xfs_max(e.off, from), e.off + e.len - xfs_max(e.off, from),
					     XFS_BMAP_FREE, 1, NULL);
		if (!err)	/* its form may have changed */
			err = xfs_bmap_open(&b, li, which);
	}
	return xfs_change_check(li->change, writes, err);
}

/* Local contents go with the inode, but a fork that says it has some must not stay. */
static int empty(struct xfs_live_inode *li, enum xfs_fork which)
{
	unsigned format = which == XFS_FORK_ATTR ? li->i.d.core.aformat : li->i.d.core.format;

	return format == XFS_DINODE_FMT_LOCAL ? xfs_live_fork_clear(li, which) : 0;
}

int xfs_inode_bury(struct xfs_live_inode *li)
{
	uint64_t writes;
	int err;

	if (!li->change || xfs_dinode_nlink(&li->i.d))
		return -XFS_E_INVALID;
	writes = li->change->writes;
	err = xfs_unlinked_remove(li);
	if (err == -XFS_E_NOENT)
		err = 0;
	if (!err)
		err = empty(li, XFS_FORK_DATA);
	if (!err && li->i.d.core.forkoff)
		err = empty(li, XFS_FORK_ATTR);
	if (!err)
		err = xfs_inode_free(li);
	return xfs_change_check(li->change, writes, err);
}
