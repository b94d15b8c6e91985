/* SPDX-License-Identifier: BSD-2-Clause */
/* inodes.c - replays inode items and the making of inode chunks (format sheet 04, sections 9.2 and 9.3). */
#include "libxfs/recovery/private.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/btree.h"

#define HEADER 176u

/* ---- inode items ---- */

/* What the core in the log says, as disk bytes; NULL or what is wrong. */
static const char *judge_core(const struct replay *rp, const struct xfs_log_inode_item *i, const struct xfs_dinode *d)
{
	uint64_t extents, aextents;
	unsigned type = d->core.mode & XFS_MODE_FMT;

	if (d->core.magic != XFS_DINODE_MAGIC)
		return "its core has the wrong magic number";
	if ((d->core.version >= 3) != rp->geo.v5)
		return "it is of the wrong version";
	if (rp->geo.v5 && i->core_len != HEADER)
		return "its core has the wrong length";
	if (!rp->geo.v5 && i->core_len > XFS_LOG_DINODE_V4)
		return "its core is too long";
	if (type == XFS_MODE_REG && d->core.format != XFS_DINODE_FMT_EXTENTS &&
	    d->core.format != XFS_DINODE_FMT_BTREE && d->core.format != XFS_DINODE_FMT_META_BTREE)
		return "the format of a file is not valid";
	if (type == XFS_MODE_DIR && (d->core.format < XFS_DINODE_FMT_LOCAL || d->core.format > XFS_DINODE_FMT_BTREE))
		return "the format of a directory is not valid";
	extents = xfs_dinode_nextents(d, XFS_FORK_DATA);
	aextents = xfs_dinode_nextents(d, XFS_FORK_ATTR);
	if (extents > d->core.nblocks || aextents > d->core.nblocks - extents)
		return "it has more extents than blocks";
	if (8u * d->core.forkoff > rp->geo.litino)
		return "its forks lie outside";
	return NULL;
}

/*
 * The root of a btree as it is in memory, into the form that inodes have.  Trees of the realtime section may be empty,
 * or have records in their root.
 */
static const char *put_root(const struct replay *rp, uint8_t *fork, uint32_t size, const struct xfs_log_region *r,
			    const struct xfs_btree_shape *shape)
{
	uint32_t hdr = rp->geo.v5 ? XFS_BTREE_LONG_V5 : XFS_BTREE_LONG_V4;
	uint32_t first = shape->keylen, second = shape->ptrlen;
	uint32_t from_max, to_max, n, level;

	if (r->len < hdr || size < sizeof(struct xfs_bmdr_disk))
		return "the root of its btree is cut off";
	n = xfs_be16(r->p + XFS_OFF(btree_long, numrecs));
	level = xfs_be16(r->p + XFS_OFF(btree_long, level));
	if (!level) {
		first = shape->reclen;
		second = 0;
	}
	from_max = (r->len - hdr) / (first + second);
	to_max = xfs_btree_root_maxrecs(shape, size - (uint32_t)sizeof(struct xfs_bmdr_disk), !level);
	if (n > from_max || n > to_max || (shape == &xfs_btree_shape_bmbt ? !n || !level : level && !n))
		return "the root of its btree is not valid";
	memset(fork, 0, size);
	memcpy(fork, r->p + XFS_OFF(btree_long, level), sizeof(struct xfs_bmdr_disk));
	fork += sizeof(struct xfs_bmdr_disk);
	memcpy(fork, r->p + hdr, (size_t)n * first);
	memcpy(fork + (size_t)to_max * first, r->p + hdr + (size_t)from_max * first, (size_t)n * second);
	return NULL;
}

/* Of a fork whose root the log holds; NULL: no inode has such a tree there. */
static const struct xfs_btree_shape *shape_of(const struct replay *rp, const struct xfs_dinode *d, unsigned fork)
{
	if (fork || d->core.format != XFS_DINODE_FMT_META_BTREE)
		return &xfs_btree_shape_bmbt;
	if (!rp->geo.metadir || !xfs_dinode_is_metadata(d))
		return NULL;
	return d->core.metatype == XFS_METAFILE_RTRMAP ? &xfs_btree_shape_rtrmapbt :
	       d->core.metatype == XFS_METAFILE_RTREFCOUNT ? &xfs_btree_shape_rtrefcbt : NULL;
}

/* Forks that the log holds. */
static const char *put_forks(const struct replay *rp, uint8_t *raw, const struct xfs_log_inode_item *i,
			     const struct xfs_dinode *d)
{
	const uint32_t fields[2][2] = { { XFS_ILF_DDATA | XFS_ILF_DEXT, XFS_ILF_DBROOT },
					{ XFS_ILF_ADATA | XFS_ILF_AEXT, XFS_ILF_ABROOT } };
	const struct xfs_log_region *regions[2] = { &i->data, &i->attr };

	for (unsigned k = 0; k < 2; k++) {
		uint32_t off = xfs_dinode_fork_off(d->core.version, d->core.forkoff, rp->geo.inodesize,
						   (enum xfs_fork)k);
		uint32_t size = xfs_dinode_fork_size(d->core.version, d->core.forkoff, rp->geo.inodesize,
						     (enum xfs_fork)k);
		const char *why = NULL;

		if (i->f.fields & fields[k][0]) {
			if (regions[k]->len > size)
				return "its fork is larger than its place";
			memcpy(raw + off, regions[k]->p, regions[k]->len);
		} else if (i->f.fields & fields[k][1]) {
			const struct xfs_btree_shape *shape = shape_of(rp, d, k);

			why = shape ? put_root(rp, raw + off, size, regions[k], shape) :
				      "it is no file that has such a btree";
		}
		if (why)
			return why;
	}
	if ((i->f.fields & XFS_ILF_DEV) && rp->geo.litino >= 4)
		xfs_put_be32(raw + xfs_dinode_literal_off(d->core.version), i->f.rdev);
	return NULL;
}

/* Is the inode in place newer? V5 by its LSN, strictly; V4 by a counter. */
static bool inode_is_newer(const struct replay *rp, const uint8_t *raw, const uint8_t *disk)
{
	uint64_t lsn = xfs_be64(raw + XFS_OFF(dinode_v3, lsn));

	if (rp->geo.v5)
		return raw[XFS_OFF(dinode_core, version)] >= 3 && lsn && lsn != XFS_NULL64 && lsn > rp->lsn &&
			(replay_is_beyond(rp, lsn) || xfs_crc32c_check(raw, rp->geo.inodesize, XFS_DINODE_CRC_OFF));
	return xfs_recovery_flushed_since(xfs_be16(raw + XFS_OFF(dinode_core, flushiter)),
					  xfs_be16(disk + XFS_OFF(dinode_core, flushiter)));
}

/* The core, but for what the item does not carry. */
static void put_core(const struct replay *rp, uint8_t *raw, uint8_t *disk)
{
	const size_t next = XFS_OFF(dinode_core, next_unlinked);

	if (!rp->geo.v5)
		memset(disk + XFS_OFF(dinode_core, flushiter), 0, 2);
	memcpy(raw, disk, next);
	if (!rp->geo.v5)
		return;
	memcpy(raw + next + 4, disk + next + 4, HEADER - next - 4);
	xfs_put_be64(raw + XFS_OFF(dinode_v3, lsn), rp->lsn);
}

static int bad_inode(struct replay *rp, uint64_t ino, const char *why)
{
	return replay_bad(rp, "inode", ino, why);
}

static int apply_inode(struct replay *rp, struct touched *t, const struct xfs_log_inode_item *i, bool le)
{
	uint8_t *raw = t->buf->data + i->f.boffset, disk[HEADER], before[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;
	const char *why;

	if (xfs_be16(raw) != XFS_DINODE_MAGIC || (rp->careful && !replay_is_inode(rp, raw, i->f.ino)))
		return bad_inode(rp, i->f.ino, "no inode stands in its place");
	xfs_log_dinode_to_disk(disk, i->core, i->core_len, le);
	xfs_dinode_decode(&d, disk);
	why = judge_core(rp, i, &d);
	if (why)
		return bad_inode(rp, i->f.ino, why);
	if (inode_is_newer(rp, raw, disk)) {
		rp->out->counts.inodes_newer++;
	} else {
		memcpy(before, raw, rp->geo.inodesize);
		put_core(rp, raw, disk);
		why = put_forks(rp, raw, i, &d);
		if (why) {
			memcpy(raw, before, rp->geo.inodesize);
			return bad_inode(rp, i->f.ino, why);
		}
		if (rp->geo.v5)
			xfs_crc32c_store(raw, rp->geo.inodesize, XFS_DINODE_CRC_OFF);
		replay_dirty(t);
		rp->out->counts.inodes++;
	}
	return (d.core.mode & XFS_MODE_FMT) == XFS_MODE_DIR ? replay_add_dir(rp, i->f.ino) : 0;
}

/* Old programs exchanged forks and left the owners in the blocks to be changed, also when the inode is newer. */
static int change_owners(struct replay *rp, const struct xfs_log_inode_item *i)
{
	uint8_t raw[XFS_DINODE_MAX_SIZE];
	struct touched *t;
	int err;

	if (!rp->geo.v5 || !(i->f.fields & (XFS_ILF_DOWNER | XFS_ILF_AOWNER)))
		return 0;
	err = replay_touch(rp, i->f.blkno, i->f.len, &t);
	if (err)
		return err;
	memcpy(raw, t->buf->data + i->f.boffset, rp->geo.inodesize);
	if (!xfs_be16(raw + XFS_OFF(dinode_core, mode)))
		return 0;
	if (i->f.fields & XFS_ILF_DOWNER)
		err = replay_change_owner(rp, i->f.ino, raw, XFS_FORK_DATA);
	if (!err && (i->f.fields & XFS_ILF_AOWNER))
		err = replay_change_owner(rp, i->f.ino, raw, XFS_FORK_ATTR);
	return err;
}

int replay_inode(struct replay *rp, const struct xfs_log_item *it)
{
	struct xfs_log_inode_item i;
	struct touched *t;
	int err;

	xfs_log_inode_load(&i, it);
	if (xfs_cancels_has(&rp->cancels, i.f.blkno, i.f.len)) {
		rp->out->counts.inodes_cancelled++;
		return 0;
	}
	replay_builds_on(rp, i.f.ino, UINT32_MAX);
	if (!xfs_ino_valid(&rp->geo, XFS_INO(i.f.ino)))
		return bad_inode(rp, i.f.ino, "there is no such inode");
	if (i.f.blkno > UINT64_MAX >> (XFS_BBSHIFT + 1) || i.f.boffset % rp->geo.inodesize ||
	    i.f.blkno * XFS_BBSIZE + i.f.boffset != xfs_ino_byte(&rp->geo, XFS_INO(i.f.ino)) ||
	    (uint64_t)i.f.boffset + rp->geo.inodesize > (uint64_t)i.f.len * XFS_BBSIZE)
		return bad_inode(rp, i.f.ino, "it is said to be where it cannot be");
	err = replay_touch(rp, i.f.blkno, i.f.len, &t);
	if (err == -XFS_E_RANGE)
		return bad_inode(rp, i.f.ino, "its cluster is not on the device");
	if (!err)
		err = apply_inode(rp, t, &i, it->writer_le);
	return err ? err : change_owners(rp, &i);
}

/* ---- chunks ---- */

static const char *judge_icreate(const struct xfs_geometry *g, const struct xfs_log_icreate *c)
{
	uint32_t per_block = g->blocksize / g->inodesize;

	if (c->ag >= g->agcount || !c->agbno || c->agbno >= g->agblocks || c->isize != g->inodesize || !c->count ||
	    !c->length || c->length >= g->agblocks || !xfs_agbno_range_valid(g, XFS_AGNO(c->ag), c->agbno, c->length))
		return "new inodes lie where they cannot be";
	if (c->length != g->ialloc_blks && (!g->sparse || c->length != g->ialloc_min_blks))
		return "new inodes fill the wrong number of blocks";
	if (c->count % per_block || c->count / per_block != c->length)
		return "new inodes do not fill their blocks";
	return NULL;
}

static void new_inode(const struct replay *rp, uint8_t *raw, uint64_t ino, uint32_t gen)
{
	struct xfs_dinode d = { .core = { .magic = XFS_DINODE_MAGIC, .version = rp->geo.v5 ? 3 : 2, .gen = gen,
					  .next_unlinked = XFS_NULL32 } };

	memset(raw, 0, rp->geo.inodesize);
	if (rp->geo.v5) {
		d.v3.inumber = ino;
		memcpy(d.v3.uuid, rp->geo.uuid, sizeof(d.v3.uuid));
	}
	xfs_dinode_encode(raw, &d);
	if (rp->geo.v5)
		xfs_crc32c_store(raw, rp->geo.inodesize, XFS_DINODE_CRC_OFF);
}

/* Clusters [agbno, + n blocks): their addresses one by one; the last one may be short. */
static uint32_t cluster_bbs(const struct replay *rp, uint32_t left)
{
	return (uint32_t)xfs_min(left, rp->geo.blocks_per_cluster) << (rp->geo.blocklog - XFS_BBSHIFT);
}

/* Is there an inode that the lost part of the log, or this one, changed later? Then it is no new one. */
static bool was_used_later(const struct replay *rp, const uint8_t *raw, uint64_t ino)
{
	uint64_t lsn = xfs_be64(raw + XFS_OFF(dinode_v3, lsn));

	return rp->careful && rp->geo.v5 && replay_is_inode(rp, raw, ino) && lsn != XFS_NULL64 && lsn >= rp->lsn;
}

static int make_cluster(struct replay *rp, const struct xfs_log_icreate *c, uint32_t at, uint64_t daddr, uint32_t bbs)
{
	uint64_t first = xfs_ino_of(&rp->geo, XFS_AGNO(c->ag),
				    XFS_AGINO((uint64_t)(c->agbno + at) << rp->geo.inopblog)).v;
	struct touched *t;
	int err = replay_touch(rp, daddr, bbs, &t);
	struct replay_image image = { .headless = true };
	bool inodes = false;

	if (err == -XFS_E_RANGE)
		return replay_bad(rp, "icreate", c->agbno, "new inodes are not on the device");
	if (err)
		return err;
	for (uint32_t k = 0; k < t->buf->len / rp->geo.inodesize && rp->careful; k++)
		inodes |= replay_is_inode(rp, t->buf->data + (size_t)k * rp->geo.inodesize, first + k);
	if (!inodes && replay_is_taken(rp, t, &image, &err))
		return err;
	for (uint32_t off = 0; off + rp->geo.inodesize <= t->buf->len; off += rp->geo.inodesize, first++)
		if (!was_used_later(rp, t->buf->data + off, first))
			new_inode(rp, t->buf->data + off, first, c->gen);
	replay_dirty(t);
	return 0;
}

int replay_icreate(struct replay *rp, const struct xfs_log_item *it)
{
	const uint32_t step = rp->geo.blocks_per_cluster;
	struct xfs_log_icreate c;
	const char *why;
	uint64_t daddr;
	int err = 0;

	xfs_log_icreate_load(&c, it);
	why = judge_icreate(&rp->geo, &c);
	if (why)
		return replay_bad(rp, "icreate", c.agbno, why);
	daddr = xfs_agbno_daddr(&rp->geo, XFS_AGNO(c.ag), XFS_AGBNO(c.agbno)).v;
	for (uint32_t at = 0; at < c.length; at += step)
		if (xfs_cancels_has(&rp->cancels, daddr + ((uint64_t)at << (rp->geo.blocklog - XFS_BBSHIFT)),
				    cluster_bbs(rp, c.length - at))) {
			rp->out->counts.icreates_cancelled++;
			return 0;
		}
	for (uint32_t at = 0; at < c.length && !err; at += step)
		err = make_cluster(rp, &c, at, daddr + ((uint64_t)at << (rp->geo.blocklog - XFS_BBSHIFT)),
				   cluster_bbs(rp, c.length - at));
	rp->out->counts.icreates++;
	return err;
}
