/* SPDX-License-Identifier: BSD-2-Clause */
/* symlink_make.c - targets of symbolic links are written (format sheet 03, section 4). */
#include "libxfs/inode/symlink.h"

#include "libxfs/inode/bmap.h"

/* One extent, one buffer, one header: its part of the target. */
static int put_piece(struct xfs_live_inode *li, const struct xfs_extent *e, const char *target, size_t len,
		     size_t *done)
{
	struct xfs_fs *fs = li->i.fs;
	const struct xfs_geometry *g = &fs->geo;
	uint64_t daddr = xfs_fsbno_daddr(g, XFS_FSBNO(e->block)).v;
	size_t head = xfs_remote_header_len(g->v5), part;
	struct xfs_buf *b;
	int err = xfs_change_get_new(li->change, daddr, (uint32_t)((uint64_t)e->len << g->blocklog >> XFS_BBSHIFT),
				     xfs_block_type(XFS_BLK_SYMLINK), &b);

	if (err)
		return err;
	part = xfs_min(len - *done, b->len - head);
	memset(b->data, 0, b->len);
	memcpy(b->data + head, target + *done, part);
	if (g->v5) {
		struct xfs_symlink_hdr h = {
			.magic = XFS_SYMLINK_MAGIC, .offset = (uint32_t)*done, .bytes = (uint32_t)part,
			.owner = li->i.ino.v, .bno = daddr,
		};

		memcpy(h.uuid, g->uuid, 16);
		xfs_symlink_hdr_encode(b->data, &h);
	}
	*done += part;
	return 0;
}

static int put_remote(struct xfs_live_inode *li, const char *target, size_t len)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	uint32_t blocks = xfs_remote_blocks(g->v5, g->blocksize, (uint32_t)len);
	uint64_t off = 0;
	size_t done = 0;
	int err = xfs_live_fork_clear(li, XFS_FORK_DATA);

	while (done < len && !err) {
		struct xfs_bmap_want w = { .off = off, .minlen = 1, .maxlen = blocks - (uint32_t)off,
					   .near = XFS_NULL64 };
		struct xfs_extent e;

		err = xfs_bmap_alloc(li, li->change, XFS_FORK_DATA, &w, &e);
		if (!err)
			err = put_piece(li, &e, target, len, &done);
		off += err ? 0 : e.len;
	}
	return err;
}

int xfs_symlink_set(struct xfs_live_inode *li, const char *target, size_t len)
{
	uint64_t writes;
	uint32_t room;
	int err;

	if (!li->change || xfs_inode_fmt(&li->i) != XFS_MODE_LNK || xfs_dinode_nextents(&li->i.d, XFS_FORK_DATA) ||
	    memchr(target, 0, len))
		return -XFS_E_INVALID;
	if (!len || len >= XFS_SYMLINK_MAXLEN)
		return len ? -XFS_E_NAMETOOLONG : -XFS_E_INVALID;
	writes = li->change->writes;
	xfs_inode_fork_bytes(&li->i, XFS_FORK_DATA, &room);
	err = len <= room ? xfs_live_fork_set_local(li, XFS_FORK_DATA, target, (uint32_t)len)
			  : put_remote(li, target, len);
	li->i.d.core.size = len;
	return xfs_change_check(li->change, writes, err);
}

int xfs_symlink_push_out(struct xfs_live_inode *li)
{
	char target[XFS_SYMLINK_MAXLEN];
	uint64_t writes;
	size_t len;
	int err;

	if (!li->change || li->i.d.core.format != XFS_DINODE_FMT_LOCAL)
		return -XFS_E_INVALID;
	err = xfs_symlink_target(&li->i, target, &len, &li->live->fs->sink);
	if (err)
		return err;
	writes = li->change->writes;
	return xfs_change_check(li->change, writes, put_remote(li, target, len));
}
