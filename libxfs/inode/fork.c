/* SPDX-License-Identifier: BSD-2-Clause */
/* fork.c - extents of a fork: records in the inode or a btree, checked one by one. */
#include "libxfs/inode/fork.h"

#define OFFSET_END (UINT64_C(1) << 54)

/* ---- btree source ---- */

static int source_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct xfs_fs *fs = owner;
	struct xfs_buf *b;
	int err = xfs_fs_get_block(fs, XFS_FSBNO(ptr), XFS_BLK_BMBT, &b);

	if (!err)
		*out = (struct xfs_btree_block){ .ptr = ptr, .data = b->data, .handle = b };
	return err;
}

static void source_put(void *owner, struct xfs_btree_block *block)
{
	(void)owner;
	xfs_buf_put(block->handle);
	block->handle = NULL;
	block->data = NULL;
}

static void source_readahead(void *owner, const uint64_t *ptrs, size_t n)
{
	struct xfs_fs *fs = owner;
	struct xfs_buf_extent e[64];
	struct xfs_buf_want w[64];
	size_t m = 0;

	for (size_t k = 0; k < n; k++) {
		if (!xfs_fsbno_range_valid(&fs->geo, ptrs[k], 1))
			continue;
		e[m] = (struct xfs_buf_extent){ xfs_fsbno_daddr(&fs->geo, XFS_FSBNO(ptrs[k])).v,
						fs->geo.blocksize / XFS_BBSIZE };
		w[m] = (struct xfs_buf_want){ &e[m], 1 };
		if (++m == 64) {
			xfs_buf_readahead(fs->cache, w, m);
			m = 0;
		}
	}
	xfs_buf_readahead(fs->cache, w, m);
}

static uint64_t source_daddr(void *owner, uint64_t ptr)
{
	struct xfs_fs *fs = owner;

	return xfs_fsbno_daddr(&fs->geo, XFS_FSBNO(ptr)).v;
}

/* ---- findings ---- */

static int damaged(struct xfs_ifork *f, const struct xfs_extent *e, const char *what)
{
	const char *fork = f->which == XFS_FORK_ATTR ? "attr fork" : "data fork";
	struct xfs_finding why = xfs_inode_finding(f->ip, XFS_F_FORK_DAMAGED, fork);

	if (e) {
		why.fileoff = e->off;
		why.len = e->len;
		xfs_finding_detail(&why, "%s: %s (block %llu)", why.field, what, (unsigned long long)e->block);
	} else {
		xfs_finding_detail(&why, "%s: %s", why.field, what);
	}
	xfs_finding_emit(f->sink, &why);
	return -XFS_E_CORRUPT;
}

/* ---- set up ---- */

void xfs_ifork_tree(struct xfs_ifork *f, unsigned levels)
{
	struct xfs_fs *fs = f->ip->fs;
	const struct xfs_geometry *g = &fs->geo;

	f->bt = (struct xfs_btree){
		.kind = &xfs_btree_kinds[XFS_BTREE_BMAP],
		.io = { fs, source_get, source_put, source_readahead },
		.blocksize = g->blocksize,
		.v5 = g->v5,
		.root = XFS_NULL64,
		.levels = levels,
		.inline_root = f->bytes,
		.inline_len = f->len,
		.uuid = g->v5 ? g->uuid : NULL,
		.owner = f->ip->ino.v,
		.daddr_of = g->v5 ? source_daddr : NULL,
		.ptr_min = 1,
		.ptr_max = (uint64_t)g->agcount << g->agblklog,
	};
}

static int init_btree(struct xfs_ifork *f)
{
	const struct xfs_geometry *g = &f->ip->fs->geo;
	struct xfs_bmdr root;

	if (f->len < sizeof(struct xfs_bmdr_disk))
		return damaged(f, NULL, "no room for a btree root");
	xfs_bmdr_decode(&root, f->bytes);
	if (root.level < 1 || root.level >= g->bmap_maxlevels[f->which == XFS_FORK_ATTR])
		return damaged(f, NULL, "btree root has an impossible level");
	if (root.numrecs < 1 || root.numrecs > xfs_bmdr_maxrecs(f->len))
		return damaged(f, NULL, "btree root has an impossible number of records");
	xfs_ifork_tree(f, root.level + 1u);
	return 0;
}

int xfs_ifork_init(struct xfs_ifork *f, const struct xfs_inode *ip, enum xfs_fork which)
{
	memset(f, 0, sizeof(*f));
	f->ip = ip;
	f->which = which;
	f->bytes = xfs_inode_fork_bytes(ip, which, &f->len);
	f->count = xfs_dinode_nextents(&ip->d, which);
	if (which == XFS_FORK_ATTR) {
		if (!ip->d.core.forkoff || !f->len)
			return -XFS_E_NOENT;
		f->format = ip->d.core.aformat;
	} else {
		f->format = ip->d.core.format;
		f->realtime = xfs_inode_is_realtime(ip);
	}
	switch (f->format) {
	case XFS_DINODE_FMT_EXTENTS:
		return f->count <= f->len / 16 ? 0 : damaged(f, NULL, "more extents than there is room for");
	case XFS_DINODE_FMT_BTREE:
		return init_btree(f);
	case XFS_DINODE_FMT_DEV:
	case XFS_DINODE_FMT_META_BTREE:
		if (which == XFS_FORK_ATTR)
			return damaged(f, NULL, "unknown format");
		return 0;
	case XFS_DINODE_FMT_LOCAL:
		return 0;
	default:
		return damaged(f, NULL, "unknown format");
	}
}

/* ---- records ---- */

static bool rt_range_valid(const struct xfs_geometry *g, uint64_t block, uint32_t len)
{
	uint64_t group, in_group, last;

	if (!g->metadir)	/* a tail that is shorter than an extent is never used */
		return block < g->sb.rextents * g->sb.rextsize && len <= g->sb.rextents * g->sb.rextsize - block;
	group = block >> g->sb.rgblklog;
	in_group = block & ((UINT64_C(1) << g->sb.rgblklog) - 1);
	if (group >= g->sb.rgcount || (!group && !g->zoned && in_group < g->sb.rextsize))
		return false;	/* the realtime superblock is no file's */
	last = (uint64_t)g->sb.rgextents * g->sb.rextsize;
	if (group == g->sb.rgcount - 1)
		last = (g->sb.rextents - group * g->sb.rgextents) * g->sb.rextsize;
	return in_group < last && len <= last - in_group;
}

bool xfs_extent_valid(const struct xfs_geometry *g, const struct xfs_extent *e, bool realtime)
{
	if (!e->len || e->off >= OFFSET_END || e->len > OFFSET_END - e->off)
		return false;
	return realtime ? rt_range_valid(g, e->block, e->len) : xfs_fsbno_range_valid(g, e->block, e->len);
}

static bool record_fits(const struct xfs_ifork *f, const struct xfs_extent *e)
{
	return xfs_extent_valid(&f->ip->fs->geo, e, f->realtime) &&
		(!e->unwritten || (f->which == XFS_FORK_DATA && xfs_inode_fmt(f->ip) == XFS_MODE_REG));
}

static void decode(struct xfs_extent *e, const void *rec)
{
	struct xfs_bmbt_rec r;

	xfs_bmbt_rec_decode(&r, rec);
	*e = (struct xfs_extent){ r.startoff, r.startblock, r.blockcount, r.extentflag };
}

struct walk {
	struct xfs_ifork *f;
	xfs_extent_fn fn;
	void *payload;
	uint64_t seen, next_off;
};

static int one_record(void *payload, const void *rec)
{
	struct walk *w = payload;
	struct xfs_extent e;

	decode(&e, rec);
	if (!record_fits(w->f, &e))
		return damaged(w->f, &e, "impossible extent");
	if (w->seen && e.off < w->next_off)
		return damaged(w->f, &e, "extent out of order");
	w->next_off = e.off + e.len;
	w->seen++;
	return w->fn(w->payload, &e);
}

int xfs_ifork_each(struct xfs_ifork *f, xfs_extent_fn fn, void *payload)
{
	struct walk w = { .f = f, .fn = fn, .payload = payload };
	int err = 0;

	if (f->format == XFS_DINODE_FMT_EXTENTS) {
		for (uint64_t i = 0; i < f->count && !err; i++)
			err = one_record(&w, f->bytes + 16 * i);
	} else if (f->format == XFS_DINODE_FMT_BTREE) {
		err = xfs_btree_query_all(&f->bt, one_record, &w);
		if (!err && w.seen != f->count) {
			struct xfs_finding why = xfs_inode_finding(f->ip, XFS_F_INODE_NEXTENTS, "nextents");

			why.found = f->count;
			why.expected = w.seen;
			xfs_finding_emit(f->sink, &why);
			err = -XFS_E_CORRUPT;
		}
	}
	return err;
}

int xfs_ifork_record(struct xfs_ifork *f, const void *rec, struct xfs_extent *out)
{
	decode(out, rec);
	return record_fits(f, out) ? 0 : damaged(f, out, "impossible extent");
}

static int lookup_inline(struct xfs_ifork *f, uint64_t off, struct xfs_extent *out)
{
	uint32_t low = 0, high = (uint32_t)f->count;

	while (low < high) {		/* the first record that ends behind off */
		uint32_t mid = low + (high - low) / 2;
		struct xfs_extent e;

		decode(&e, f->bytes + 16 * (size_t)mid);
		if (e.off + e.len <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->count ? xfs_ifork_record(f, f->bytes + 16 * (size_t)low, out) : -XFS_E_NOENT;
}

static int lookup_btree(struct xfs_ifork *f, uint64_t off, struct xfs_extent *out)
{
	struct xfs_btree_key key = { { off, 0, 0 } };
	struct xfs_btree_cursor cur;
	int err;

	xfs_btree_cursor_init(&cur, &f->bt);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
	if (!err) {
		err = xfs_ifork_record(f, xfs_btree_record(&cur), out);
		if (err || off - out->off < out->len)
			goto out;
		err = xfs_btree_next(&cur);
	} else if (err == -XFS_E_NOENT) {
		err = xfs_btree_first(&cur);
	}
	if (!err)
		err = xfs_ifork_record(f, xfs_btree_record(&cur), out);
	if (!err && out->off < off)
		err = damaged(f, out, "extent out of order");
out:
	xfs_btree_cursor_close(&cur);
	return err;
}

int xfs_ifork_lookup(struct xfs_ifork *f, uint64_t off, struct xfs_extent *out)
{
	int err = -XFS_E_NOENT;

	if (f->format == XFS_DINODE_FMT_EXTENTS)
		err = lookup_inline(f, off, out);
	else if (f->format == XFS_DINODE_FMT_BTREE)
		err = lookup_btree(f, off, out);
	if (!err && out->off < off && off - out->off >= out->len)
		err = damaged(f, out, "extent out of order");
	return err;
}

int xfs_ifork_last(struct xfs_ifork *f, struct xfs_extent *out)
{
	struct xfs_btree_cursor cur;
	int err;

	if (f->format == XFS_DINODE_FMT_EXTENTS)
		return f->count ? xfs_ifork_record(f, f->bytes + 16 * (f->count - 1), out) : -XFS_E_NOENT;
	if (f->format != XFS_DINODE_FMT_BTREE)
		return -XFS_E_NOENT;
	xfs_btree_cursor_init(&cur, &f->bt);
	err = xfs_btree_last(&cur);
	if (!err)
		err = xfs_ifork_record(f, xfs_btree_record(&cur), out);
	xfs_btree_cursor_close(&cur);
	return err;
}

int xfs_ifork_before(struct xfs_ifork *f, uint64_t off, struct xfs_extent *out)
{
	struct xfs_btree_key key = { { off - 1, 0, 0 } };
	struct xfs_btree_cursor cur;
	int err = -XFS_E_NOENT;

	if (!off)
		return err;
	if (f->format == XFS_DINODE_FMT_EXTENTS) {
		for (uint64_t i = f->count; i-- > 0;) {
			decode(out, f->bytes + 16 * i);
			if (out->off < off)
				return xfs_ifork_record(f, f->bytes + 16 * i, out);
		}
	} else if (f->format == XFS_DINODE_FMT_BTREE) {
		xfs_btree_cursor_init(&cur, &f->bt);
		err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
		if (!err)
			err = xfs_ifork_record(f, xfs_btree_record(&cur), out);
		xfs_btree_cursor_close(&cur);
	}
	return err;
}
