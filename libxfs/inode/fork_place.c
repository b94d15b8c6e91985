/* SPDX-License-Identifier: BSD-2-Clause */
/* fork_place.c - local forks, and the border between the forks of an inode (format sheet 03, sections 2 and 3). */
#include "libxfs/inode/bmap_priv.h"

static unsigned format_of(const struct xfs_live_inode *li, enum xfs_fork which)
{
	return which == XFS_FORK_ATTR ? li->i.d.core.aformat : li->i.d.core.format;
}

static void set_format(struct xfs_live_inode *li, enum xfs_fork which, unsigned format)
{
	if (which == XFS_FORK_ATTR)
		li->i.d.core.aformat = (uint8_t)format;
	else
		li->i.d.core.format = (uint8_t)format;
	xfs_live_inode_dirty(li, which == XFS_FORK_ATTR ? XFS_LIVE_ATTR : XFS_LIVE_DATA);
}

static int changeable(const struct xfs_live_inode *li, enum xfs_fork which)
{
	if (!li->change || (which == XFS_FORK_ATTR && !li->i.d.core.forkoff))
		return -XFS_E_INVALID;
	return xfs_dinode_nextents(&li->i.d, which) ? -XFS_E_INVALID : 0;
}

int xfs_live_fork_clear(struct xfs_live_inode *li, enum xfs_fork which)
{
	uint32_t len;
	uint8_t *p;
	int err = changeable(li, which);

	if (err)
		return err;
	p = xfs_live_fork_bytes(li, which, &len);
	memset(p, 0, len);
	set_format(li, which, XFS_DINODE_FMT_EXTENTS);
	return 0;
}

int xfs_live_fork_set_local(struct xfs_live_inode *li, enum xfs_fork which, const void *bytes, uint32_t n)
{
	uint32_t len;
	uint8_t *p;
	int err = changeable(li, which);

	if (err)
		return err;
	p = xfs_live_fork_bytes(li, which, &len);
	if (n > len)
		return -XFS_E_TOOBIG;
	memmove(p, bytes, n);
	memset(p + n, 0, len - n);
	set_format(li, which, XFS_DINODE_FMT_LOCAL);
	return 0;
}

uint32_t xfs_live_fork_used(const struct xfs_live_inode *li, enum xfs_fork which)
{
	uint32_t len, used = 0;
	const uint8_t *p = xfs_inode_fork_bytes(&li->i, which, &len);

	switch (format_of(li, which)) {
	case XFS_DINODE_FMT_LOCAL:
		if (which == XFS_FORK_DATA)
			used = (uint32_t)xfs_min(li->i.d.core.size, len);
		else	/* totsize */
			used = len < 2 ? 0 : xfs_be16(p);
		break;
	case XFS_DINODE_FMT_EXTENTS:
		used = (uint32_t)xfs_min(xfs_dinode_nextents(&li->i.d, which), len / 16) * 16;
		break;
	case XFS_DINODE_FMT_BTREE:
		used = len < 4 ? 0 : 4 + 16 * (uint32_t)xfs_bmdr_get_numrecs((const void *)p);
		break;
	case XFS_DINODE_FMT_DEV:
		used = which == XFS_FORK_DATA ? 4 : 0;
		break;
	default:
		used = len;
	}
	return (uint32_t)xfs_min(used, len);
}

/* A fork as it lies in the inode. */
struct place {
	unsigned format;
	uint32_t used, len;
	uint8_t bytes[XFS_DINODE_MAX_SIZE];
};

static void take(const struct xfs_live_inode *li, enum xfs_fork which, struct place *p)
{
	const uint8_t *bytes = xfs_inode_fork_bytes(&li->i, which, &p->len);

	p->format = format_of(li, which);
	p->used = xfs_live_fork_used(li, which);
	memcpy(p->bytes, bytes, p->len);
}

/* Into a fork of another size; the pointers of a root lie where its size says. */
static void put(uint8_t *to, uint32_t len, const struct place *p)
{
	uint32_t n, keys;

	memset(to, 0, len);
	if (p->format != XFS_DINODE_FMT_BTREE) {
		memcpy(to, p->bytes, xfs_min(p->used, len));
		return;
	}
	n = xfs_bmdr_get_numrecs((const void *)p->bytes);
	keys = (uint32_t)sizeof(struct xfs_bmdr_disk) + 8 * n;
	memcpy(to, p->bytes, keys);
	memcpy(to + xfs_bmdr_ptrs_off(len), p->bytes + xfs_bmdr_ptrs_off(p->len), 8 * (size_t)n);
}

/* Extents that will have `len` bytes only become a tree while there is room. */
static int shrink_to(struct xfs_live_inode *li, enum xfs_fork which, uint32_t len)
{
	struct xfs_bmap b;
	int err;

	if (format_of(li, which) != XFS_DINODE_FMT_EXTENTS || xfs_live_fork_used(li, which) <= len)
		return 0;
	if (!xfs_bmdr_maxrecs(len))
		return -XFS_E_TOOBIG;
	err = xfs_bmap_open(&b, li, which);
	return err ? err : xfs_bmap_to_btree(&b);
}

/* A tree whose records fit now. */
static int grown_to(struct xfs_live_inode *li, enum xfs_fork which)
{
	struct xfs_bmap b;
	int err;

	if (format_of(li, which) != XFS_DINODE_FMT_BTREE)
		return 0;
	err = xfs_bmap_open(&b, li, which);
	return err || b.f.count > xfs_bmap_inline_most(&b) ? err : xfs_bmap_to_extents(&b);
}

static bool fits(const struct xfs_live_inode *li, enum xfs_fork which, uint32_t len)
{
	return format_of(li, which) == XFS_DINODE_FMT_EXTENTS || xfs_live_fork_used(li, which) <= len;
}

/* Is it a place, and do both forks fit? */
static int check_place(const struct xfs_live_inode *li, unsigned forkoff, uint32_t data, uint32_t attr)
{
	const struct xfs_dinode_core *d = &li->i.d.core;

	if (d->format == XFS_DINODE_FMT_DEV ? forkoff > 1 :
	    forkoff >= xfs_dinode_literal_size(d->version, li->i.size) / 8)
		return -XFS_E_INVALID;
	if (!fits(li, XFS_FORK_DATA, data))
		return -XFS_E_TOOBIG;
	if (!d->forkoff)
		return 0;
	if (!forkoff)
		return d->aformat == XFS_DINODE_FMT_EXTENTS && !xfs_dinode_nextents(&li->i.d, XFS_FORK_ATTR)
			? 0 : -XFS_E_INVALID;
	return fits(li, XFS_FORK_ATTR, attr) ? 0 : -XFS_E_TOOBIG;
}

static void move(struct xfs_live_inode *li, unsigned forkoff)
{
	struct xfs_dinode_core *d = &li->i.d.core;
	struct place data, attr = { .format = XFS_DINODE_FMT_EXTENTS };
	bool had = d->forkoff;
	uint32_t len;
	uint8_t *p;

	take(li, XFS_FORK_DATA, &data);
	if (had)
		take(li, XFS_FORK_ATTR, &attr);
	d->forkoff = (uint8_t)forkoff;
	p = xfs_live_fork_bytes(li, XFS_FORK_DATA, &len);
	put(p, len, &data);
	if (forkoff) {
		p = xfs_live_fork_bytes(li, XFS_FORK_ATTR, &len);
		put(p, len, &attr);
	}
	if (!had || !forkoff)
		d->aformat = XFS_DINODE_FMT_EXTENTS;
	xfs_live_inode_dirty(li, XFS_LIVE_DATA | XFS_LIVE_ATTR);
}

int xfs_live_forkoff_set(struct xfs_live_inode *li, unsigned forkoff)
{
	unsigned version = li->i.d.core.version;
	uint32_t data = xfs_dinode_fork_size(version, forkoff, li->i.size, XFS_FORK_DATA);
	uint32_t attr = xfs_dinode_fork_size(version, forkoff, li->i.size, XFS_FORK_ATTR);
	uint64_t writes;
	int err;

	if (!li->change)
		return -XFS_E_INVALID;
	if (li->i.d.core.forkoff == forkoff)
		return 0;
	err = check_place(li, forkoff, data, attr);
	if (err)
		return err;
	writes = li->change->writes;
	err = shrink_to(li, XFS_FORK_DATA, data);
	if (!err && li->i.d.core.forkoff && forkoff)
		err = shrink_to(li, XFS_FORK_ATTR, attr);
	if (!err) {
		move(li, forkoff);
		err = grown_to(li, XFS_FORK_DATA);
	}
	if (!err && forkoff)
		err = grown_to(li, XFS_FORK_ATTR);
	return xfs_change_check(li->change, writes, err);
}
