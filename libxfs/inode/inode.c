/* SPDX-License-Identifier: BSD-2-Clause */
/* inode.c - reading inodes. */
#include "libxfs/inode/inode.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/dir.h"

int xfs_inode_parse(struct xfs_fs *fs, xfs_ino_t ino, const uint8_t *raw, struct xfs_inode *out)
{
	const struct xfs_geometry *g = &fs->geo;
	unsigned version;

	out->fs = fs;
	out->ino = ino;
	out->size = g->inodesize;
	memcpy(out->raw, raw, g->inodesize);
	xfs_dinode_decode(&out->d, out->raw);
	version = out->d.core.version;
	if (out->d.core.magic != XFS_DINODE_MAGIC)
		return -XFS_E_BADMAGIC;
	if (g->v5 ? version != 3 : version != 1 && version != 2)
		return -XFS_E_CORRUPT;
	if (!g->v5)
		return 0;
	if (out->d.v3.inumber != ino.v || memcmp(out->d.v3.uuid, g->uuid, 16))
		return -XFS_E_CORRUPT;
	return xfs_crc32c_check(out->raw, out->size, XFS_DINODE_CRC_OFF) ? 0 : -XFS_E_BADCRC;
}

int xfs_inode_read(struct xfs_fs *fs, xfs_ino_t ino, unsigned flags, struct xfs_inode *out)
{
	const struct xfs_geometry *g = &fs->geo;
	uint64_t byte, block;
	struct xfs_buf *b;
	int err;

	out->fs = fs;
	out->ino = ino;
	if (!xfs_ino_valid(g, ino))
		return -XFS_E_RANGE;
	byte = xfs_ino_byte(g, ino);
	block = byte >> g->blocklog << g->blocklog;
	err = xfs_buf_get1(fs->cache, block / XFS_BBSIZE, g->blocksize / XFS_BBSIZE, xfs_block_type(XFS_BLK_INODES), 0,
			   &b);
	if (err)
		return err;
	err = xfs_inode_parse(fs, ino, b->data + (byte - block), out);
	xfs_buf_put(b);
	return flags & XFS_INODE_NOCHECK || fs->flags & XFS_FS_NOVERIFY ? 0 : err;
}

enum xfs_inode_role xfs_inode_role(const struct xfs_fs *fs, xfs_ino_t ino)
{
	const struct xfs_sb *sb = &fs->geo.sb;

	if (ino.v == 0 || ino.v == XFS_NULL64)
		return XFS_INODE_ORDINARY;
	if (ino.v == sb->rootino)
		return XFS_INODE_ROOT;
	if (fs->geo.metadir)
		return ino.v == sb->metadirino ? XFS_INODE_METADIR : XFS_INODE_ORDINARY;
	if (ino.v == sb->rbmino)
		return XFS_INODE_RTBITMAP;
	if (ino.v == sb->rsumino)
		return XFS_INODE_RTSUMMARY;
	if (ino.v == sb->uquotino || ino.v == sb->gquotino || (fs->geo.v5 && ino.v == sb->pquotino))
		return XFS_INODE_QUOTA;
	return XFS_INODE_ORDINARY;
}

unsigned xfs_mode_ftype(unsigned mode)
{
	switch (mode & XFS_MODE_FMT) {
	case XFS_MODE_REG:
		return XFS_DIR_FT_REG;
	case XFS_MODE_DIR:
		return XFS_DIR_FT_DIR;
	case XFS_MODE_CHR:
		return XFS_DIR_FT_CHR;
	case XFS_MODE_BLK:
		return XFS_DIR_FT_BLK;
	case XFS_MODE_FIFO:
		return XFS_DIR_FT_FIFO;
	case XFS_MODE_SOCK:
		return XFS_DIR_FT_SOCK;
	case XFS_MODE_LNK:
		return XFS_DIR_FT_LNK;
	default:
		return XFS_DIR_FT_UNKNOWN;
	}
}

const uint8_t *xfs_inode_fork_bytes(const struct xfs_inode *ip, enum xfs_fork which, uint32_t *len)
{
	unsigned version = ip->d.core.version, forkoff = ip->d.core.forkoff;

	*len = xfs_dinode_fork_size(version, forkoff, ip->size, which);
	return ip->raw + xfs_dinode_fork_off(version, forkoff, ip->size, which);
}

struct xfs_finding xfs_inode_finding(const struct xfs_inode *ip, enum xfs_finding_id id, const char *field)
{
	struct xfs_finding f = xfs_finding_of(id, "inode");

	f.ino = ip->ino.v;
	f.field = field;
	return f;
}
