/* SPDX-License-Identifier: BSD-2-Clause */
/* bmap_shift.c - extents change their place in the file: collapse and insert. */
#include "libxfs/inode/bmap_priv.h"

#define FILE_BLOCKS (UINT64_C(1) << 54)

static int moved(struct xfs_bmap *b, const struct xfs_extent *from, const struct xfs_extent *to)
{
	int err = xfs_bmap_defer_rmap(b, XFS_RMAP_UNMAP, from);

	return err ? err : xfs_bmap_defer_rmap(b, XFS_RMAP_MAP, to);
}

/* The next extent at or behind `at` goes down; *at: behind it. */
static int shift_down(struct xfs_bmap *b, uint64_t *at, uint64_t shift)
{
	struct xfs_extent old[2], new, left;
	unsigned n = 0;
	int err = xfs_ifork_lookup(&b->f, *at, &new);
	uint64_t end;

	if (err == -XFS_E_NOENT) {
		*at = XFS_NULL64;
		return 0;
	}
	if (err)
		return err;
	if (new.off < *at || new.off < shift)
		return -XFS_E_INVALID;
	err = xfs_bmap_before(b, new.off, &left);
	if (err && err != -XFS_E_NOENT)
		return err;
	end = err ? 0 : left.off + left.len;
	if (new.off - shift < end)
		return -XFS_E_EXISTS;
	*at = new.off + new.len;
	old[n++] = new;
	new.off -= shift;
	if (!err && xfs_bmap_joins(b, &left, &new)) {
		struct xfs_extent all = left;

		all.len += new.len;
		old[1] = old[0];
		old[0] = left;
		err = xfs_bmap_splice(b, old, 2, &all, 1);
		return err ? err : moved(b, &old[1], &new);
	}
	err = xfs_bmap_splice(b, old, n, &new, 1);
	return err ? err : moved(b, &old[0], &new);
}

/* The last extent before `at`, if it is not below `off`, goes up; *at: where it began. */
static int shift_up(struct xfs_bmap *b, uint64_t off, uint64_t *at, uint64_t shift)
{
	struct xfs_extent old, new, right;
	int err = xfs_bmap_before(b, *at, &old);

	if (err == -XFS_E_NOENT || (!err && old.off + old.len <= off)) {
		*at = XFS_NULL64;
		return 0;
	}
	if (err)
		return err;
	if (old.off < off)
		return -XFS_E_INVALID;
	if (shift > FILE_BLOCKS || old.off + old.len > FILE_BLOCKS - shift)
		return -XFS_E_RANGE;
	new = old;
	new.off += shift;
	err = xfs_ifork_lookup(&b->f, old.off + old.len, &right);
	if (!err && right.off < new.off + new.len)
		return -XFS_E_EXISTS;
	if (err && err != -XFS_E_NOENT)
		return err;
	*at = old.off;
	err = xfs_bmap_splice(b, &old, 1, &new, 1);
	return err ? err : moved(b, &old, &new);
}

int xfs_bmap_shift(struct xfs_live_inode *li, uint64_t off, uint64_t shift, bool up, unsigned most, uint64_t *next)
{
	uint64_t at = *next != XFS_NULL64 ? *next : up ? FILE_BLOCKS : off, writes;
	struct xfs_bmap b;
	int err = xfs_bmap_open(&b, li, XFS_FORK_DATA);

	if (err)
		return err;
	if (!shift)
		return -XFS_E_INVALID;
	writes = li->change->writes;
	for (unsigned n = 0; (!most || n < most) && at != XFS_NULL64 && !err; n++)
		err = up ? shift_up(&b, off, &at, shift) : shift_down(&b, &at, shift);
	*next = at;
	return xfs_change_check(li->change, writes, err);
}

int xfs_bmap_split(struct xfs_live_inode *li, uint64_t off)
{
	struct xfs_extent e, new[2];
	struct xfs_bmap b;
	uint64_t writes;
	int err = xfs_bmap_open(&b, li, XFS_FORK_DATA);

	if (!err)
		err = xfs_ifork_lookup(&b.f, off, &e);
	if (err == -XFS_E_NOENT || (!err && e.off >= off))
		return 0;
	if (err)
		return err;
	new[0] = new[1] = e;
	new[0].len = (uint32_t)(off - e.off);
	new[1].off = off;
	new[1].block += new[0].len;
	new[1].len -= new[0].len;
	writes = li->change->writes;
	return xfs_change_check(li->change, writes, xfs_bmap_splice(&b, &e, 1, new, 2));
}
