/* SPDX-License-Identifier: BSD-2-Clause */
/* fork_io.c - blocks and file data read through a block map. */
#include "libxfs/inode/fork.h"

uint64_t xfs_rtblock_linear(const struct xfs_geometry *g, uint64_t rtblock)
{
	if (!g->metadir || g->sb.features_incompat & XFS_SB_INCOMPAT_ZONE_GAPS)
		return rtblock;
	return (rtblock >> g->sb.rgblklog) * ((uint64_t)g->sb.rgextents * g->sb.rextsize) +
	       (rtblock & ((UINT64_C(1) << g->sb.rgblklog) - 1));
}

uint64_t xfs_rtblock_byte(const struct xfs_fs *fs, uint64_t rtblock, struct xfs_dev **dev)
{
	const struct xfs_geometry *g = &fs->geo;
	bool on_data = g->zoned && g->sb.rtstart;	/* the realtime section follows the data on one device */

	if (dev)
		*dev = on_data ? fs->dev.data : fs->dev.rt;
	return (xfs_rtblock_linear(g, rtblock) + (on_data ? g->sb.rtstart : 0)) << g->blocklog;
}

int xfs_ifork_map(struct xfs_ifork *f, uint64_t off, unsigned n, struct xfs_buf_extent *out, unsigned *count)
{
	const struct xfs_geometry *g = &f->ip->fs->geo;
	unsigned done = 0;

	*count = 0;
	if (f->realtime)
		return -XFS_E_CORRUPT;
	while (done < n) {
		struct xfs_extent e;
		int err = xfs_ifork_lookup(f, off + done, &e);
		uint64_t skip, take, daddr;

		if (!err && e.off > off + done)
			err = -XFS_E_NOENT;
		if (err == -XFS_E_NOENT && done)
			return -XFS_E_CORRUPT;
		if (err)
			return err;
		if (e.unwritten)
			return -XFS_E_CORRUPT;
		skip = off + done - e.off;
		take = xfs_min(e.len - skip, n - done);
		daddr = xfs_fsbno_daddr(g, XFS_FSBNO(e.block + skip)).v;
		if (*count && out[*count - 1].daddr + out[*count - 1].bbs == daddr)
			out[*count - 1].bbs += (uint32_t)(take << g->blocklog >> XFS_BBSHIFT);
		else
			out[(*count)++] = (struct xfs_buf_extent){ daddr,
								  (uint32_t)(take << g->blocklog >> XFS_BBSHIFT) };
		done += (unsigned)take;
	}
	return 0;
}

/* Broken blocks are handed out, too: what is wrong with this one is said all the same. */
static void say_flaws(struct xfs_ifork *f, uint64_t off, enum xfs_block_kind kind, struct xfs_buf *b)
{
	const struct xfs_geometry *g = &f->ip->fs->geo;
	struct xfs_finding why;
	uint64_t owner;

	if (!f->sink)
		return;
	if (xfs_buf_check(b, xfs_block_type(kind), &why)) {
		why.ino = f->ip->ino.v;
		why.fileoff = off;
		xfs_finding_emit(f->sink, &why);
	} else if (xfs_block_owner(g, kind, b->data, b->len, &owner) && owner != f->ip->ino.v) {
		why = xfs_inode_finding(f->ip, XFS_F_BLOCK_OWNER, "owner");
		why.fileoff = off;
		why.found = owner;
		why.expected = f->ip->ino.v;
		xfs_finding_emit(f->sink, &why);
	}
}

int xfs_ifork_get(struct xfs_ifork *f, uint64_t off, unsigned n, enum xfs_block_kind kind, struct xfs_buf **out)
{
	struct xfs_fs *fs = f->ip->fs;
	struct xfs_buf_extent e[XFS_BUF_MAXEXTENTS];
	unsigned count;
	uint64_t owner;
	int err;

	*out = NULL;
	if (!n || n > XFS_BUF_MAXEXTENTS)
		return -XFS_E_RANGE;
	err = xfs_ifork_map(f, off, n, e, &count);
	if (!err)
		err = xfs_buf_get(fs->cache, e, count, xfs_block_type(kind), fs->buf_flags, out);
	if (err)
		return err;
	if (fs->flags & XFS_FS_NOVERIFY)
		say_flaws(f, off, kind, *out);
	else if (xfs_block_owner(&fs->geo, kind, (*out)->data, (*out)->len, &owner) &&
	    owner != f->ip->ino.v) {
		struct xfs_finding why = xfs_inode_finding(f->ip, XFS_F_BLOCK_OWNER, "owner");

		why.fileoff = off;
		why.found = owner;
		why.expected = f->ip->ino.v;
		xfs_finding_emit(f->sink, &why);
		xfs_buf_put(*out);
		*out = NULL;
		return -XFS_E_CORRUPT;
	}
	return 0;
}

void xfs_ifork_readahead(struct xfs_ifork *f, const uint64_t *offs, size_t count, unsigned n)
{
	enum { ROOM = 512 };
	struct xfs_buf_extent e[ROOM];
	struct xfs_buf_want w[ROOM];
	size_t used = 0, m = 0;

	if (!n || n > XFS_BUF_MAXEXTENTS)
		return;
	for (size_t i = 0; i < count; i++) {
		unsigned pieces;

		if (used + n > ROOM || m == ROOM) {
			xfs_buf_readahead(f->ip->fs->cache, w, m);
			used = m = 0;
		}
		if (xfs_ifork_map(f, offs[i], n, e + used, &pieces))
			continue;
		w[m++] = (struct xfs_buf_want){ e + used, pieces };
		used += pieces;
	}
	xfs_buf_readahead(f->ip->fs->cache, w, m);
}

/* Reads `len` bytes from byte `skip` of an extent. */
static int read_extent(struct xfs_ifork *f, const struct xfs_extent *e, uint64_t skip, void *buf, size_t len)
{
	struct xfs_fs *fs = f->ip->fs;
	struct xfs_dev *dev = fs->dev.data;
	uint64_t byte;

	if (f->realtime)
		byte = xfs_rtblock_byte(fs, e->block, &dev);
	else
		byte = xfs_fsbno_byte(&fs->geo, XFS_FSBNO(e->block));
	if (!dev)
		return -XFS_E_UNSUPPORTED;
	return xfs_dev_read(dev, byte + skip, buf, len);
}

int xfs_ifork_read(struct xfs_ifork *f, uint64_t off, void *buf, size_t len, size_t *got)
{
	unsigned blocklog = f->ip->fs->geo.blocklog;
	uint64_t size = f->ip->d.core.size;
	uint8_t *p = buf;

	*got = 0;
	if (size >> 63 || off >= size)
		return 0;
	len = (size_t)xfs_min(len, size - off);
	while (*got < len) {
		uint64_t at = off + *got, start = len - *got, part;
		struct xfs_extent e;
		int err = xfs_ifork_lookup(f, at >> blocklog, &e);

		if (err && err != -XFS_E_NOENT)
			return err;
		if (!err)
			start = e.off << blocklog > at ? (e.off << blocklog) - at : 0;
		if (start) {		/* a hole up to the extent or to the end */
			part = xfs_min(start, len - *got);
			memset(p + *got, 0, (size_t)part);
		} else {
			uint64_t skip = at - (e.off << blocklog);

			part = xfs_min(((uint64_t)e.len << blocklog) - skip, len - *got);
			if (e.unwritten)
				memset(p + *got, 0, (size_t)part);
			else
				err = read_extent(f, &e, skip, p + *got, (size_t)part);
			if (err)
				return err;
		}
		*got += (size_t)part;
	}
	return 0;
}
