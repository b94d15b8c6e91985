/* SPDX-License-Identifier: BSD-2-Clause */
/* bmap_records.c - records of a fork, in the inode or in its tree: found, added, removed, replaced. */
#include "libxfs/inode/bmap_priv.h"

#include "libxfs/base/search.h"

enum { REC = sizeof(struct xfs_bmbt_rec_disk) };

int xfs_bmap_open(struct xfs_bmap *b, struct xfs_live_inode *li, enum xfs_fork which)
{
	int err;

	b->li = li;
	b->which = which;
	if (!li->change)
		return -XFS_E_INVALID;
	err = xfs_ifork_init(&b->f, &li->i, which);
	if (err)
		return err;
	if (b->f.realtime && !li->live->realtime_later)
		return -XFS_E_UNSUPPORTED;
	if (b->f.format != XFS_DINODE_FMT_EXTENTS && b->f.format != XFS_DINODE_FMT_BTREE)
		return -XFS_E_INVALID;
	b->f.sink = &li->live->fs->sink;
	if (b->f.format == XFS_DINODE_FMT_BTREE)
		xfs_bmap_attach_space(b);
	return 0;
}

void xfs_bmap_dirty(struct xfs_bmap *b)
{
	xfs_live_inode_dirty(b->li, b->which == XFS_FORK_ATTR ? XFS_LIVE_ATTR : XFS_LIVE_DATA);
}

void xfs_bmap_count_blocks(struct xfs_live_inode *li, int64_t by)
{
	li->i.d.core.nblocks += (uint64_t)by;
	xfs_live_inode_dirty(li, XFS_LIVE_CORE);
}

void xfs_bmap_encode(void *rec, const struct xfs_extent *e)
{
	struct xfs_bmbt_rec r = {
		.startoff = e->off, .startblock = e->block, .blockcount = e->len, .extentflag = e->unwritten
	};

	xfs_bmbt_rec_encode(rec, &r);
}

/* In one group: of the realtime section the first block of one may have the number that follows the last of another. */
static bool group_joins(const struct xfs_bmap *b, const struct xfs_extent *left, const struct xfs_extent *right)
{
	const struct xfs_geometry *g = &b->li->i.fs->geo;

	return !b->f.realtime || !g->metadir || left->block >> g->sb.rgblklog == right->block >> g->sb.rgblklog;
}

bool xfs_bmap_joins(const struct xfs_bmap *on, const struct xfs_extent *a, const struct xfs_extent *b)
{
	return group_joins(on, a, b) && a->unwritten == b->unwritten && a->off + a->len == b->off &&
	       a->block + a->len == b->block && a->len + (uint64_t)b->len <= XFS_BMBT_MAXLEN;
}

/* The counter of the fork; widened when the filesystem can (format sheet 03, section 2, NREXT64). */
static int set_count(struct xfs_bmap *b, uint64_t n)
{
	struct xfs_dinode *d = &b->li->i.d;

	if (!xfs_dinode_set_nextents(d, b->which, n)) {
		uint64_t data = xfs_dinode_nextents(d, XFS_FORK_DATA), attr = xfs_dinode_nextents(d, XFS_FORK_ATTR);

		if (!b->li->i.fs->geo.nrext64 || xfs_dinode_has_nrext64(d) || d->core.version < 3)
			return -XFS_E_TOOBIG;
		d->v3.flags2 |= XFS_DIFLAG2_NREXT64;
		d->core.big_nextents = 0;
		d->core.nextents32 = d->core.nextents16 = 0;
		xfs_dinode_set_nextents(d, XFS_FORK_DATA, data);
		xfs_dinode_set_nextents(d, XFS_FORK_ATTR, attr);
		if (!xfs_dinode_set_nextents(d, b->which, n))
			return -XFS_E_TOOBIG;
	}
	b->f.count = n;
	xfs_live_inode_dirty(b->li, XFS_LIVE_CORE);
	return 0;
}

/* ---- in the inode ---- */

static uint64_t off_at(const uint8_t *recs, uint64_t k)
{
	return xfs_bmbt_rec_get_startoff((const void *)(recs + REC * k));
}

/* Records that start before `off`. */
static uint64_t index_of(const struct xfs_bmap *b, uint64_t off)
{
	return xfs_search((size_t)b->f.count, i, off_at(b->f.bytes, i) < off);
}

static uint8_t *inline_bytes(struct xfs_bmap *b)
{
	uint32_t len;

	xfs_bmap_dirty(b);
	return xfs_live_fork_bytes(b->li, b->which, &len);
}

static void inline_insert(struct xfs_bmap *b, const struct xfs_extent *e)
{
	uint64_t at = index_of(b, e->off);
	uint8_t *p = inline_bytes(b) + REC * at;

	memmove(p + REC, p, (size_t)(b->f.count - at) * REC);
	xfs_bmap_encode(p, e);
}

static int inline_remove(struct xfs_bmap *b, uint64_t off)
{
	uint64_t at = index_of(b, off);
	uint8_t *p;

	if (at == b->f.count || off_at(b->f.bytes, at) != off)
		return -XFS_E_CORRUPT;
	p = inline_bytes(b) + REC * at;
	memmove(p, p + REC, (size_t)(b->f.count - at - 1) * REC);
	memset(p + REC * (b->f.count - at - 1), 0, REC);
	return 0;
}

static int inline_replace(struct xfs_bmap *b, uint64_t off, const struct xfs_extent *e)
{
	uint64_t at = index_of(b, off);

	if (at == b->f.count || off_at(b->f.bytes, at) != off)
		return -XFS_E_CORRUPT;
	xfs_bmap_encode(inline_bytes(b) + REC * at, e);
	return 0;
}

/* ---- in the tree ---- */

/* Puts the cursor on the record of `off`, then removes or replaces it. */
static int tree_change(struct xfs_bmap *b, uint64_t off, const struct xfs_extent *to)
{
	const struct xfs_btree_key key = { { off, 0, 0 } };
	uint8_t rec[REC];
	struct xfs_btree_cursor cur;
	int err;

	xfs_btree_cursor_init(&cur, &b->f.bt);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_EQ, &key);
	if (err == -XFS_E_NOENT)
		err = -XFS_E_CORRUPT;
	if (!err && to) {
		xfs_bmap_encode(rec, to);
		err = xfs_btree_update(&cur, rec);
	} else if (!err) {
		err = xfs_btree_delete(&cur);
	}
	xfs_btree_cursor_close(&cur);
	return err;
}

static int tree_before(struct xfs_bmap *b, uint64_t off, struct xfs_extent *out)
{
	const struct xfs_btree_key key = { { off - 1, 0, 0 } };
	struct xfs_btree_cursor cur;
	int err;

	xfs_btree_cursor_init(&cur, &b->f.bt);
	err = xfs_btree_lookup(&cur, XFS_LOOKUP_LE, &key);
	if (!err)
		err = xfs_ifork_record(&b->f, xfs_btree_record(&cur), out);
	xfs_btree_cursor_close(&cur);
	return err;
}

/* ---- in either ---- */

int xfs_bmap_before(struct xfs_bmap *b, uint64_t off, struct xfs_extent *out)
{
	uint64_t at;

	if (!off)
		return -XFS_E_NOENT;
	if (b->f.format == XFS_DINODE_FMT_BTREE)
		return tree_before(b, off, out);
	at = index_of(b, off);
	return at ? xfs_ifork_record(&b->f, b->f.bytes + REC * (at - 1), out) : -XFS_E_NOENT;
}

static int insert(struct xfs_bmap *b, const struct xfs_extent *e)
{
	uint8_t rec[REC];
	int err = 0;

	if (b->f.format == XFS_DINODE_FMT_EXTENTS && b->f.count >= xfs_bmap_inline_most(b))
		err = xfs_bmap_to_btree(b);
	if (err)
		return err;
	if (b->f.format == XFS_DINODE_FMT_EXTENTS) {
		inline_insert(b, e);
	} else {
		xfs_bmap_encode(rec, e);
		err = xfs_btree_insert(&b->f.bt, rec);
	}
	return err ? err : set_count(b, b->f.count + 1);
}

static int remove_at(struct xfs_bmap *b, uint64_t off)
{
	int err = b->f.format == XFS_DINODE_FMT_EXTENTS ? inline_remove(b, off) : tree_change(b, off, NULL);

	if (!err)
		err = set_count(b, b->f.count - 1);
	if (!err && b->f.format == XFS_DINODE_FMT_BTREE && b->f.count <= xfs_bmap_inline_most(b))
		err = xfs_bmap_to_extents(b);
	return err;
}

static int replace(struct xfs_bmap *b, uint64_t off, const struct xfs_extent *e)
{
	return b->f.format == XFS_DINODE_FMT_EXTENTS ? inline_replace(b, off, e) : tree_change(b, off, e);
}

int xfs_bmap_splice(struct xfs_bmap *b, const struct xfs_extent *old, unsigned nold, const struct xfs_extent *new,
		    unsigned nnew)
{
	int err = 0;

	for (unsigned i = 0; (i < nold || i < nnew) && !err; i++) {
		if (i >= nold)
			err = insert(b, &new[i]);
		else if (i >= nnew)
			err = remove_at(b, old[i].off);
		else
			err = replace(b, old[i].off, &new[i]);
	}
	return err;
}
