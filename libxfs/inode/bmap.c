/* SPDX-License-Identifier: BSD-2-Clause */
/* bmap.c - extents are mapped, unmapped, converted (format sheet 02, sections 2.3 and 6.2). */
#include "libxfs/inode/bmap_priv.h"

#define FILE_BLOCKS (UINT64_C(1) << 54)

/* ---- work that follows ---- */

/* The variant follows the flag at the time of queueing (format sheet 02, section 4.10). */
static bool is_shared(const struct xfs_bmap *b)
{
	return b->which == XFS_FORK_DATA && b->li->i.d.core.version >= 3 &&
		(b->li->i.d.v3.flags2 & XFS_DIFLAG2_REFLINK);
}

int xfs_bmap_defer_rmap(struct xfs_bmap *b, enum xfs_rmap_op op, const struct xfs_extent *e)
{
	struct xfs_work w = {
		.kind = XFS_WORK_RMAP, .op = op, .shared = is_shared(b), .attr_fork = b->which == XFS_FORK_ATTR,
		.unwritten = e->unwritten, .realtime = b->f.realtime, .block = e->block, .len = e->len,
		.owner = b->li->i.ino.v,
		.offset = e->off | (b->which == XFS_FORK_ATTR ? XFS_RMAP_ATTR : 0),
	};

	return b->li->i.fs->geo.rmapbt ? xfs_change_defer(b->li->change, &w) : 0;
}

static int defer_unmapped(struct xfs_bmap *b, const struct xfs_extent *e, enum xfs_bmap_fate fate)
{
	struct xfs_work w = { .realtime = b->f.realtime, .block = e->block, .len = e->len };
	int err = xfs_bmap_defer_rmap(b, XFS_RMAP_UNMAP, e);

	if (err || fate == XFS_BMAP_KEEP)
		return err;
	if (is_shared(b)) {
		w.kind = XFS_WORK_REFC;
		w.op = XFS_REFC_DECREASE;
	} else {
		w.kind = XFS_WORK_FREE;
		w.owner = XFS_OWN_NULL;
	}
	return xfs_change_defer(b->li->change, &w);
}

/* ---- map ---- */

static int check_new(const struct xfs_bmap *b, const struct xfs_extent *e)
{
	if (!e->len || e->len > XFS_BMBT_MAXLEN || (e->unwritten && b->which == XFS_FORK_ATTR))
		return -XFS_E_INVALID;
	return xfs_extent_valid(&b->li->i.fs->geo, e, b->f.realtime) ? 0 : -XFS_E_RANGE;
}

/* Neighbours of a range where nothing is mapped: the extents that end and begin there. */
static int find_neighbours(struct xfs_bmap *b, const struct xfs_extent *e, struct xfs_extent *left, bool *has_left,
			   struct xfs_extent *right, bool *has_right)
{
	int err = xfs_ifork_lookup(&b->f, e->off, right);

	*has_left = *has_right = false;
	if (!err && right->off < e->off + e->len)
		return -XFS_E_EXISTS;
	*has_right = !err && right->off == e->off + e->len;
	if (!err || err == -XFS_E_NOENT)
		err = xfs_bmap_before(b, e->off, left);
	*has_left = !err && left->off + left->len == e->off;
	return err == -XFS_E_NOENT ? 0 : err;
}

/* Records that say the same with e between its neighbours. */
static int put_between(struct xfs_bmap *b, const struct xfs_extent *e, bool has_left, const struct xfs_extent *left,
		       bool has_right, const struct xfs_extent *right)
{
	struct xfs_extent old[2], new = *e;
	unsigned n = 0;

	if (has_left && xfs_bmap_joins(b, left, &new)) {
		new.off = left->off;
		new.block = left->block;
		new.len += left->len;
		old[n++] = *left;
	}
	if (has_right && xfs_bmap_joins(b, &new, right)) {
		new.len += right->len;
		old[n++] = *right;
	}
	return xfs_bmap_splice(b, old, n, &new, 1);
}

int xfs_bmap_map(struct xfs_live_inode *li, enum xfs_fork which, const struct xfs_extent *e, bool quiet)
{
	struct xfs_extent left, right;
	bool has_left, has_right;
	struct xfs_bmap b;
	uint64_t writes;
	int err = xfs_bmap_open(&b, li, which);

	if (!err)
		err = check_new(&b, e);
	if (!err)
		err = find_neighbours(&b, e, &left, &has_left, &right, &has_right);
	if (err)
		return err;
	writes = li->change->writes;
	xfs_bmap_count_blocks(li, e->len);
	err = put_between(&b, e, has_left, &left, has_right, &right);
	if (!err && !quiet)
		err = xfs_bmap_defer_rmap(&b, XFS_RMAP_MAP, e);
	return xfs_change_check(li->change, writes, err);
}

/* ---- unmap ---- */

/* The part [from, end) of an extent. */
static struct xfs_extent part_of(const struct xfs_extent *e, uint64_t from, uint64_t end)
{
	return (struct xfs_extent){ from, e->block + (from - e->off), (uint32_t)(end - from), e->unwritten };
}

/* Takes [from, end) out of the extent. */
static int cut(struct xfs_bmap *b, const struct xfs_extent *e, uint64_t from, uint64_t end)
{
	struct xfs_extent new[2];
	unsigned n = 0;

	if (e->off < from)
		new[n++] = part_of(e, e->off, from);
	if (end < e->off + e->len)
		new[n++] = part_of(e, end, e->off + e->len);
	return xfs_bmap_splice(b, e, 1, new, n);
}

static int unmap(struct xfs_bmap *b, uint64_t off, uint64_t len, enum xfs_bmap_fate fate, unsigned most, uint64_t *left)
{
	unsigned n = 0;

	*left = len;
	for (;;) {
		struct xfs_extent e, gone;
		uint64_t from, end;
		int err = xfs_bmap_before(b, off + *left, &e);

		if (err == -XFS_E_NOENT || (!err && e.off + e.len <= off)) {
			*left = 0;
			return 0;
		}
		if (err)
			return err;
		end = xfs_min(e.off + e.len, off + *left);
		*left = end - off;
		if (most && n++ == most)
			return 0;
		from = xfs_max(e.off, off);
		gone = part_of(&e, from, end);
		err = cut(b, &e, from, end);
		if (err)
			return err;
		xfs_bmap_count_blocks(b->li, -(int64_t)gone.len);
		err = defer_unmapped(b, &gone, fate);
		if (err)
			return err;
		*left = from - off;
	}
}

int xfs_bmap_unmap(struct xfs_live_inode *li, enum xfs_fork which, uint64_t off, uint64_t len, enum xfs_bmap_fate fate,
		   unsigned most, uint64_t *left)
{
	struct xfs_bmap b;
	uint64_t rest = len, writes;
	int err = xfs_bmap_open(&b, li, which);

	if (left)
		*left = len;
	if (err)
		return err;
	if (off > FILE_BLOCKS || !len)
		return off > FILE_BLOCKS ? -XFS_E_RANGE : 0;
	len = xfs_min(len, FILE_BLOCKS - off);
	writes = li->change->writes;
	err = unmap(&b, off, len, fate, most, &rest);
	if (left)
		*left = rest;
	return xfs_change_check(li->change, writes, err);
}

/* ---- convert ---- */

/* Neighbours that the new state may join. */
static int state_neighbours(struct xfs_bmap *b, const struct xfs_extent *e, const struct xfs_extent *part,
			    struct xfs_extent *left, bool *has_left, struct xfs_extent *right, bool *has_right)
{
	int err = 0;

	*has_left = *has_right = false;
	if (part->off == e->off) {
		err = xfs_bmap_before(b, e->off, left);
		*has_left = !err && xfs_bmap_joins(b, left, part);
	}
	if ((!err || err == -XFS_E_NOENT) && part->off + part->len == e->off + e->len) {
		err = xfs_ifork_lookup(&b->f, e->off + e->len, right);
		*has_right = !err && xfs_bmap_joins(b, part, right);
	}
	return err == -XFS_E_NOENT ? 0 : err;
}

static int convert(struct xfs_bmap *b, const struct xfs_extent *e, struct xfs_extent part)
{
	struct xfs_extent left, right, old[3], new[3];
	bool has_left, has_right;
	unsigned nold = 0, nnew = 0;
	int err = state_neighbours(b, e, &part, &left, &has_left, &right, &has_right);

	if (err)
		return err;
	if (has_right && has_left && left.len + (uint64_t)part.len + right.len > XFS_BMBT_MAXLEN)
		has_right = false;
	if (has_left)
		old[nold++] = left;
	old[nold++] = *e;
	if (has_right)
		old[nold++] = right;
	if (e->off < part.off)
		new[nnew++] = part_of(e, e->off, part.off);
	new[nnew] = part;
	if (has_left) {
		new[nnew] = left;
		new[nnew].len += part.len;
	}
	if (has_right)
		new[nnew].len += right.len;
	nnew++;
	if (part.off + part.len < e->off + e->len)
		new[nnew++] = part_of(e, part.off + part.len, e->off + e->len);
	return xfs_bmap_splice(b, old, nold, new, nnew);
}

int xfs_bmap_convert(struct xfs_live_inode *li, uint64_t off, uint32_t len, bool unwritten)
{
	struct xfs_extent e, part;
	struct xfs_bmap b;
	uint64_t writes;
	int err = xfs_bmap_open(&b, li, XFS_FORK_DATA);

	if (!err)
		err = xfs_ifork_lookup(&b.f, off, &e);
	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_INVALID : err;
	if (!len || e.off > off || e.off + e.len < off + (uint64_t)len || e.unwritten == unwritten)
		return -XFS_E_INVALID;
	part = part_of(&e, off, off + len);
	part.unwritten = unwritten;
	writes = li->change->writes;
	err = convert(&b, &e, part);
	if (!err)
		err = xfs_bmap_defer_rmap(&b, XFS_RMAP_CONVERT, &part);
	return xfs_change_check(li->change, writes, err);
}

/* ---- work of this kind ---- */

int xfs_bmap_finish(struct xfs_live *l, struct xfs_change *c, struct xfs_work *w)
{
	enum xfs_fork which = w->attr_fork ? XFS_FORK_ATTR : XFS_FORK_DATA;
	struct xfs_extent e = { w->offset, w->block, (uint32_t)w->len, w->unwritten };
	struct xfs_live_inode *li;
	uint64_t left = 0;
	int err;

	if (!w->len || w->len > XFS_BMBT_MAXLEN)
		return -XFS_E_CORRUPT;
	err = xfs_live_inode_get(l, w->owner, &li);
	if (err)
		return err;
	err = li->i.d.core.mode && w->realtime == (xfs_inode_is_realtime(&li->i) && !w->attr_fork)
	      ? xfs_live_inode_join(li, c) : -XFS_E_CORRUPT;
	if (!err && w->op == XFS_BMAP_MAP) {
		err = xfs_bmap_map(li, which, &e, false);
	} else if (!err) {
		err = xfs_bmap_unmap(li, which, w->offset, w->len, XFS_BMAP_KEEP, 1, &left);
		w->len = left;
		if (!err && left)
			err = -XFS_E_AGAIN;
	}
	xfs_live_inode_put(li);
	return err;
}
