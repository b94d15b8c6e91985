/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc.c - which inode is taken, what it is at first, and how it becomes free. */
#include "libxfs/inode/alloc.h"

#include "libxfs/inode/alloc_priv.h"
#include "libxfs/ondisk/dir.h"

/* ---- choice ---- */

/* Takes the lowest free inode of a chunk. */
static int take_from(struct xfs_aginodes *ag, const struct xfs_inobt_rec *rec, uint32_t *agino)
{
	struct xfs_inobt_rec new = *rec;
	uint64_t free = rec->free & xfs_inobt_existing(rec->holemask);
	unsigned n;

	if (!free)
		return -XFS_E_CORRUPT;
	n = (unsigned)__builtin_ctzll(free);
	new.free &= ~(UINT64_C(1) << n);
	new.freecount--;
	*agino = rec->startino + n;
	return xfs_aginodes_change(ag, rec, &new);
}

static int take_in_ag(struct xfs_live *l, struct xfs_change *c, xfs_agno_t agno, const struct xfs_inode_want *w,
		      uint32_t *agino)
{
	const struct xfs_geometry *g = &l->fs->geo;
	bool here = xfs_ino_agno(g, XFS_INO(w->near)).v == agno.v;
	struct xfs_inobt_rec rec;
	struct xfs_aginodes *ag;
	int err = xfs_live_aginodes(l, c, agno, &ag);

	if (err)
		return err;
	err = xfs_aginodes_find_free(ag, here ? xfs_ino_agino(g, XFS_INO(w->near)).v : ag->agi.newino, &rec);
	if (err == -XFS_E_NOENT && w->no_new_chunk)
		return -XFS_E_NOSPC;
	if (err == -XFS_E_NOENT)
		err = xfs_chunk_make(l, ag, &rec);
	return err ? err : take_from(ag, &rec, agino);
}

static int take(struct xfs_live *l, struct xfs_change *c, const struct xfs_inode_want *w, uint64_t *ino)
{
	const struct xfs_geometry *g = &l->fs->geo;
	bool dir = (w->mode & XFS_MODE_FMT) == XFS_MODE_DIR;
	uint32_t first = dir ? l->rotor % g->agcount : xfs_ino_agno(g, XFS_INO(w->near)).v, agino;
	int err = -XFS_E_NOSPC;

	for (uint32_t n = 0; n < g->agcount && err == -XFS_E_NOSPC && !c->error; n++) {
		xfs_agno_t agno = XFS_AGNO((first + n) % g->agcount);

		err = take_in_ag(l, c, agno, w, &agino);
		if (err)
			continue;
		*ino = xfs_ino_of(g, agno, XFS_AGINO(agino)).v;
		if (dir)
			l->rotor = (agno.v + 1) % g->agcount;
	}
	return err;
}

/* ---- what it is at first ---- */

static unsigned first_format(unsigned type)
{
	switch (type) {
	case XFS_MODE_REG:
		return XFS_DINODE_FMT_EXTENTS;
	case XFS_MODE_DIR:
	case XFS_MODE_LNK:
		return XFS_DINODE_FMT_LOCAL;
	default:
		return XFS_DINODE_FMT_DEV;
	}
}

static void set_v3(struct xfs_live_inode *li, const struct xfs_inode_want *w)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	struct xfs_dinode *d = &li->i.d;

	d->v3.flags2 = (g->bigtime ? XFS_DIFLAG2_BIGTIME : 0) | (g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0) |
		(w->cowextsize ? XFS_DIFLAG2_COWEXTSIZE : 0);
	d->v3.cowextsize = w->cowextsize;
	d->v3.change_count = 0;
	memset(li->i.raw + 132, 0, 12);		/* di_pad2 */
}

/* Other members keep what they must: magic, version, number, uuid, lsn, next_unlinked. */
static void initialise(struct xfs_live_inode *li, const struct xfs_inode_want *w)
{
	struct xfs_dinode *d = &li->i.d;
	struct xfs_dinode_core old = d->core;
	unsigned type = w->mode & XFS_MODE_FMT;
	uint32_t len;
	uint8_t *p;

	memset(&d->core, 0, sizeof(d->core));
	d->core.magic = old.magic;
	d->core.version = old.version > 2 ? 3 : 2;
	d->core.next_unlinked = old.next_unlinked;
	d->core.mode = w->mode;
	d->core.format = (uint8_t)first_format(type);
	d->core.aformat = XFS_DINODE_FMT_EXTENTS;
	d->core.uid = w->uid;
	d->core.gid = w->gid;
	d->core.nlinkv2 = w->nlink;
	d->core.flags = w->flags;
	d->core.extsize = w->extsize;
	d->core.gen = li->live->generation++;
	xfs_dinode_set_projid(d, w->projid);
	if (d->core.version >= 3)
		set_v3(li, w);
	xfs_live_inode_stamp(li, 1 | 2 | 4 | 8);
	p = xfs_live_fork_bytes(li, XFS_FORK_DATA, &len);
	memset(p, 0, len);
	if (type == XFS_MODE_CHR || type == XFS_MODE_BLK)
		xfs_put_be32(p, w->rdev);
	xfs_live_inode_dirty(li, XFS_LIVE_DATA);
}

int xfs_inode_alloc(struct xfs_live *l, struct xfs_change *c, const struct xfs_inode_want *w,
		    struct xfs_live_inode **out)
{
	struct xfs_live_inode *li = NULL;
	uint64_t writes = c->writes, ino;
	int err;

	*out = NULL;
	if (xfs_mode_ftype(w->mode) == XFS_DIR_FT_UNKNOWN || !xfs_ino_valid(&l->fs->geo, XFS_INO(w->near)))
		return -XFS_E_INVALID;
	err = take(l, c, w, &ino);
	if (!err)
		err = xfs_live_inode_get(l, ino, &li);
	if (!err)
		err = xfs_live_inode_join(li, c);
	/* the tree says that it is free (format sheet 03, section 2: refused otherwise) */
	if (!err && (li->i.d.core.mode || li->i.d.core.nblocks))
		err = -XFS_E_CORRUPT;
	if (err) {
		xfs_live_inode_put(li);
		return xfs_change_check(c, writes, err);
	}
	initialise(li, w);
	*out = li;
	return 0;
}

/* ---- freeing ---- */

/* Format sheet 03, section 11.1: what a freed inode keeps. */
static void make_free(struct xfs_live_inode *li)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	struct xfs_dinode *d = &li->i.d;

	d->core.mode = 0;
	d->core.metatype = 0;
	d->core.nlinkv2 = 0;
	d->core.size = 0;
	d->core.format = d->core.aformat = XFS_DINODE_FMT_EXTENTS;
	d->core.forkoff = 0;
	d->core.flags = 0;
	d->core.dmevmask = 0;
	d->core.gen++;
	if (d->core.version >= 3)
		d->v3.flags2 = (g->bigtime ? XFS_DIFLAG2_BIGTIME : 0) | (g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0);
	d->core.big_nextents = 0;
	d->core.nextents32 = d->core.nextents16 = 0;
	xfs_live_inode_stamp(li, 4);
	xfs_live_inode_dirty(li, XFS_LIVE_DATA | XFS_LIVE_ATTR);
}

int xfs_inode_free(struct xfs_live_inode *li)
{
	const struct xfs_geometry *g = &li->i.fs->geo;
	uint32_t agino = xfs_ino_agino(g, li->i.ino).v, bit;
	struct xfs_inobt_rec old, new;
	struct xfs_aginodes *ag;
	uint64_t writes;
	int err;

	if (!li->change || !li->i.d.core.mode || li->i.d.core.nblocks || xfs_dinode_nlink(&li->i.d) ||
	    xfs_dinode_nextents(&li->i.d, XFS_FORK_DATA) || xfs_dinode_nextents(&li->i.d, XFS_FORK_ATTR))
		return -XFS_E_INVALID;
	writes = li->change->writes;
	err = xfs_live_aginodes(li->live, li->change, xfs_ino_agno(g, li->i.ino), &ag);
	if (!err)
		err = xfs_aginodes_lookup(ag, agino, &old);
	if (err)
		return err == -XFS_E_NOENT ? -XFS_E_CORRUPT : err;
	bit = agino - old.startino;
	if (old.free >> bit & 1 || !xfs_chunk_has_inode(old.holemask, bit))
		return -XFS_E_CORRUPT;
	make_free(li);
	new = old;
	new.free |= UINT64_C(1) << bit;
	new.freecount++;
	/* blocks that hold more than one chunk are kept */
	if (new.freecount == new.count && (1u << g->inopblog) <= XFS_INODES_PER_CHUNK)
		err = xfs_chunk_drop(li->live, ag, &old);
	else
		err = xfs_aginodes_change(ag, &old, &new);
	return xfs_change_check(li->change, writes, err);
}
