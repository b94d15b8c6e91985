/* SPDX-License-Identifier: BSD-2-Clause */
/* symlink.c - targets of symbolic links. */
#include "libxfs/inode/symlink.h"

static int bad(const struct xfs_inode *ip, const struct xfs_sink *sink, const char *what, uint64_t found,
	       uint64_t expected)
{
	struct xfs_finding f = xfs_inode_finding(ip, XFS_F_SYMLINK_TARGET, "target");

	f.found = found;
	f.expected = expected;
	xfs_finding_detail(&f, "%s", what);
	xfs_finding_emit(sink, &f);
	return -XFS_E_CORRUPT;
}

/* The bytes of one mapped extent: on V5 behind one header, which says how many there are and from where. */
static int read_piece(struct xfs_ifork *f, uint64_t off, unsigned blocks, char *target, size_t done, size_t len,
		      size_t *part)
{
	const struct xfs_geometry *g = &f->ip->fs->geo;
	struct xfs_symlink_hdr h;
	struct xfs_buf *b;
	size_t room;
	int err = xfs_ifork_get(f, off, blocks, XFS_BLK_SYMLINK, &b);

	if (err)
		return err;
	room = b->len - xfs_remote_header_len(g->v5);
	*part = xfs_min(room, len - done);
	if (g->v5) {
		xfs_symlink_hdr_decode(&h, b->data);
		if (h.offset != done || h.bytes != *part)
			err = bad(f->ip, f->sink, "header of a block has another offset or length", h.bytes, *part);
	}
	if (!err)
		memcpy(target + done, b->data + xfs_remote_header_len(g->v5), *part);
	xfs_buf_put(b);
	return err;
}

static int read_remote(struct xfs_ifork *f, char *target, size_t len)
{
	const struct xfs_geometry *g = &f->ip->fs->geo;
	uint64_t off = 0;
	size_t done = 0, part;

	while (done < len) {
		struct xfs_extent e;
		unsigned blocks;
		int err = xfs_ifork_lookup(f, off, &e);

		if (err == -XFS_E_NOENT || (!err && (e.off != off || e.unwritten)))
			return bad(f->ip, f->sink, "blocks are missing", off, XFS_NULL64);
		if (err)
			return err;
		blocks = (unsigned)xfs_min(e.len, XFS_BUF_MAXLEN >> g->blocklog);
		err = read_piece(f, off, blocks, target, done, len, &part);
		if (err)
			return err;
		done += part;
		off += blocks;
	}
	return 0;
}

int xfs_symlink_target(const struct xfs_inode *ip, char *target, size_t *len, const struct xfs_sink *sink)
{
	uint64_t size = ip->d.core.size;
	struct xfs_ifork f;
	int err;

	*len = 0;
	target[0] = 0;
	if (xfs_inode_fmt(ip) != XFS_MODE_LNK)
		return -XFS_E_INVALID;
	if (!size || size >= XFS_SYMLINK_MAXLEN)
		return bad(ip, sink, "length is impossible", size, XFS_NULL64);
	err = xfs_ifork_init(&f, ip, XFS_FORK_DATA);
	f.sink = sink;
	if (err)
		return bad(ip, sink, "data fork is not valid", XFS_NULL64, XFS_NULL64);
	if (f.format == XFS_DINODE_FMT_LOCAL) {
		if (size > f.len)
			return bad(ip, sink, "is longer than the fork", size, f.len);
		memcpy(target, f.bytes, (size_t)size);
	} else {
		err = read_remote(&f, target, (size_t)size);
		if (err)
			return err;
	}
	target[size] = 0;
	if (memchr(target, 0, (size_t)size))
		return bad(ip, sink, "holds a zero byte", XFS_NULL64, XFS_NULL64);
	*len = (size_t)size;
	return 0;
}
