/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forks.c - reads block maps, keeping what is good of damaged ones (format
 * sheet 02, 1.5, 2.3; sheet 03, sections 2, 3).
 */
#include "repair/forks.h"
#include "repair/realtime.h"

#include "libxfs/base/grow.h"
#include "libxfs/inode/fork.h"
#include "libxfs/ondisk/attr.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MOST_ASKED 65536u

struct scan {
	struct repair *r;
	struct repair_fork *out;
	repair_mapping_fn each;
	void *payload;
	enum xfs_fork fork;
	bool unwritten_allowed;
	bool realtime;		/* extents lie in the realtime section */
	bool hand_realtime;	/* they are handed out, too */
	uint64_t most;		/* blocks that the file may have; 0: any number */
	uint64_t ino;
	uint64_t count;		/* extents that the inode counts */
	unsigned root_level;	/* of a bmbt; 0: another tree */
	uint64_t got;		/* so many of its blocks were asked for */
	unsigned asked;		/* blocks whose headers were looked at */
	uint64_t need;		/* blocks of a target */
	uint64_t ends;		/* of directories, attributes, targets: where offsets end */
	uint64_t next_off;	/* first offset that is still free, in order */
	uint64_t next_block;	/* behind the last record */
	int stop;		/* error of each() */
	int (*record)(void *payload, const void *rec);	/* of realtime trees */
	bool as_they_are;	/* record() gets those of a block map, unseen */
};

static void __attribute__((format(printf, 2, 3))) damaged(struct repair_fork *f, const char *format, ...)
{
	va_list args;

	if (f->damaged)
		return;
	f->damaged = true;
	va_start(args, format);
	vsnprintf(f->why, sizeof(f->why), format, args);
	va_end(args);
}

/* Blocks from `fsbno` on that name this inode, in steps of a directory block; of a target: as many as it has. */
static uint64_t own_blocks(struct scan *s, uint64_t fsbno, uint64_t step)
{
	uint64_t n = 0;

	if (s->most && !s->r->geo.v5)
		return s->need > s->next_off ? s->need - s->next_off : 0;
	while (s->asked++ < MOST_ASKED && n < s->ends && xfs_fsbno_range_valid(&s->r->geo, fsbno + n, step) &&
	       repair_header_owner(s->r, fsbno + n) == s->ino)
		n += step;
	return n;
}

/*
 * Blocks of directories, attributes and targets say themselves what they are: a flag or an offset that cannot be does
 * not take them away. Without reverse mappings such a block gets the next place that is free; the names round reads it
 * there.
 */
static void excuse(struct scan *s, struct xfs_mapping *m)
{
	uint64_t step = s->fork == XFS_FORK_DATA && !s->most ? s->r->geo.dirblkfsbs : 1;

	if (!s->ends)
		return;
	if (m->unwritten) {
		damaged(s->out, "unwritten extent at offset %llu where none may be", (unsigned long long)m->off);
		m->unwritten = false;
	}
	if (s->r->geo.rmapbt)
		return;
	if (!m->len || !xfs_fsbno_range_valid(&s->r->geo, m->fsbno, m->len) || (s->most && m->len > s->most)) {
		damaged(s->out, "extent at offset %llu has an impossible length %llu", (unsigned long long)m->off,
			(unsigned long long)m->len);
		m->len = own_blocks(s, m->fsbno, step);
	}
	/* a block of a directory begins with its header, and at a multiple of its size */
	if (m->off + m->len <= s->ends &&
	    (m->off == s->next_off || !(m->off % step) || repair_header_owner(s->r, m->fsbno) != s->ino))
		return;
	damaged(s->out, "extent at offset %llu where none may be", (unsigned long long)m->off);
	m->off = (s->next_off + step - 1) / step * step;
}

static bool realtime_fits(const struct repair *r, const struct xfs_mapping *m)
{
	struct xfs_extent e = { m->off, m->fsbno, (uint32_t)m->len, m->unwritten };

	return xfs_extent_valid(&r->geo, &e, true);
}

/* Realtime extents are mapped from their beginning; only records within one follow each other otherwise. */
static bool starts_extent(const struct scan *s, const struct xfs_mapping *m)
{
	return xfs_rtblock_linear(&s->r->geo, m->fsbno) % s->r->geo.sb.rextsize == 0 ||
	       (s->out->records && s->next_off == m->off && s->next_block == m->fsbno);
}

/* One extent record in disk form. Returns nonzero only to stop. */
static int take_record(struct scan *s, const void *disk)
{
	struct xfs_bmbt_rec rec;
	struct xfs_mapping m;

	if (s->as_they_are) {
		s->out->records++;
		s->stop = s->stop ? s->stop : s->record(s->payload, disk);
		return s->stop;
	}
	xfs_bmbt_rec_decode(&rec, disk);
	m = (struct xfs_mapping){ rec.startoff, rec.startblock, rec.blockcount, rec.extentflag, 0 };
	excuse(s, &m);
	if (!xfs_fileoff_range_valid(&s->r->geo, m.off, m.len)) {
		damaged(s->out, "extent at offset %llu has an impossible length %llu", (unsigned long long)m.off,
			(unsigned long long)m.len);
		return 0;
	}
	if (s->realtime && !realtime_fits(s->r, &m)) {
		damaged(s->out, "extent at offset %llu lies outside the realtime section: block %llu, %llu blocks",
			(unsigned long long)m.off, (unsigned long long)m.fsbno, (unsigned long long)m.len);
		return 0;
	}
	if (!s->realtime && !xfs_fsbno_range_valid(&s->r->geo, m.fsbno, m.len)) {
		damaged(s->out, "extent at offset %llu lies outside: fsblock %llu, %llu blocks",
			(unsigned long long)m.off, (unsigned long long)m.fsbno, (unsigned long long)m.len);
		return 0;
	}
	if (s->most && m.off + m.len > s->most) {
		damaged(s->out, "extent at offset %llu of %llu blocks in a symlink", (unsigned long long)m.off,
			(unsigned long long)m.len);
		return 0;
	}
	if (m.unwritten && !s->unwritten_allowed) {
		/* the flag is wrong, not the mapping */
		damaged(s->out, "unwritten extent at offset %llu where none may be", (unsigned long long)m.off);
		m.unwritten = false;
	}
	if (m.off < s->next_off) {
		damaged(s->out, "extent at offset %llu is out of order or overlaps", (unsigned long long)m.off);
		return 0;
	}
	if (s->realtime && !starts_extent(s, &m))
		damaged(s->out, "extent at offset %llu begins within a realtime extent: block %llu",
			(unsigned long long)m.off, (unsigned long long)m.fsbno);
	s->next_off = m.off + m.len;
	s->next_block = m.fsbno + m.len;
	s->out->records++;
	s->out->blocks += m.len;
	s->stop = s->each && (!s->realtime || s->hand_realtime) ? s->each(s->payload, &m) : 0;
	return s->stop;
}

/* --- btree format --- */

/* V5: the block says that it is here and of this inode. V4 blocks say nothing but what they are. */
static bool names_itself(const struct scan *s, uint64_t ptr, const uint8_t *p)
{
	const struct xfs_geometry *geo = &s->r->geo;

	if (!geo->v5)
		return xfs_be32(p) == xfs_btree_kinds[XFS_BTREE_BMAP].magic_v4;
	return xfs_be64(p + XFS_OFF(btree_long, bno)) == xfs_fsbno_daddr(geo, XFS_FSBNO(ptr)).v &&
	       xfs_be64(p + XFS_OFF(btree_long, owner)) == s->ino &&
	       !memcmp(p + XFS_OFF(btree_long, uuid), geo->uuid, 16);
}

/* Where the records of the next leaf begin; what it has is not of this one. */
static uint64_t next_leaf_off(struct scan *s, const uint8_t *p, uint32_t head)
{
	uint64_t next = xfs_be64(p + XFS_OFF(btree_long, rightsib)), off = XFS_NULL64;
	struct xfs_bmbt_rec rec;
	struct xfs_buf *buf;

	if (!xfs_fsbno_range_valid(&s->r->geo, next, 1) ||
	    xfs_fs_get_block(s->r->fs, XFS_FSBNO(next), XFS_BLK_BMBT, &buf))
		return XFS_NULL64;
	if (names_itself(s, next, buf->data) && !xfs_be16(buf->data + XFS_OFF(btree_long, level)) &&
	    xfs_be16(buf->data + XFS_OFF(btree_long, numrecs))) {
		xfs_bmbt_rec_decode(&rec, buf->data + head);
		off = rec.startoff;
	}
	xfs_buf_put(buf);
	return off;
}

/* Records of a leaf that follow each other, as many as the inode counts at most: behind them lies what it once had. */
static uint32_t count_records(struct scan *s, const uint8_t *p, uint32_t head, uint32_t room)
{
	uint64_t end = next_leaf_off(s, p, head), next = s->next_off;
	uint64_t left = s->count > s->out->records ? s->count - s->out->records : 0;
	uint32_t n;

	for (n = 0; n < room && n < left; n++) {
		struct xfs_bmbt_rec rec;

		xfs_bmbt_rec_decode(&rec, p + head + n * sizeof(struct xfs_bmbt_rec_disk));
		if (rec.startoff < next || !xfs_fileoff_range_valid(&s->r->geo, rec.startoff, rec.blockcount) ||
		    (!s->realtime && !xfs_fsbno_range_valid(&s->r->geo, rec.startblock, rec.blockcount)) ||
		    rec.startoff + rec.blockcount > end)
			break;
		next = rec.startoff + rec.blockcount;
	}
	return n;
}

/* Do all entries look like those of a node? */
static bool is_node(const struct scan *s, const uint8_t *p)
{
	const struct xfs_btree_shape *shape = &xfs_btree_shape_bmbt;
	const struct xfs_geometry *geo = &s->r->geo;
	const uint8_t *keys = p + xfs_btree_header_len(shape, geo->v5),
		      *ptrs = p + xfs_btree_ptrs_off(shape, geo->v5, geo->blocksize);
	uint32_t n = xfs_be16(p + XFS_OFF(btree_long, numrecs)),
		 room = xfs_btree_maxrecs(shape, geo->v5, geo->blocksize, false);

	for (uint32_t i = 0; i < n && n <= room; i++, keys += shape->keylen, ptrs += shape->ptrlen)
		if ((i && xfs_be64(keys) <= xfs_be64(keys - shape->keylen)) ||
		    !xfs_fsbno_range_valid(geo, xfs_be64(ptrs), 1))
			return false;
	return n && n <= room;
}

/* The level of the next block, where the order in which they are asked for tells it; otherwise what it says itself. */
static unsigned level_of(const struct scan *s, const uint8_t *p)
{
	return s->root_level == 1 || !s->got ? s->root_level - 1 : xfs_be16(p + XFS_OFF(btree_long, level));
}

/*
 * A block that says itself whose it is and where holds its mappings whatever its magic and its level, and a leaf also
 * with a count that cannot be: *copy is the block as it should be, or NULL.  Errors: NOMEM.
 */
static int mend_block(struct scan *s, uint64_t ptr, const uint8_t *p, uint8_t **copy)
{
	const struct xfs_geometry *geo = &s->r->geo;
	const struct xfs_btree_kind *kind = &xfs_btree_kinds[XFS_BTREE_BMAP];
	uint32_t magic = geo->v5 ? kind->magic_v5 : kind->magic_v4, n = xfs_be16(p + XFS_OFF(btree_long, numrecs));
	uint32_t head = xfs_btree_header_len(&xfs_btree_shape_bmbt, geo->v5),
		 room = xfs_btree_maxrecs(&xfs_btree_shape_bmbt, geo->v5, geo->blocksize, true);
	unsigned level = level_of(s, p);
	bool other = xfs_be32(p) != magic, counts = !level && (!n || n > room),
	     moved = level != xfs_be16(p + XFS_OFF(btree_long, level));

	*copy = NULL;
	if ((!other && !counts && !moved) || !names_itself(s, ptr, p))
		return 0;
	/* the pointer may be what is wrong, and the block another one of this tree */
	if (moved && (level ? !is_node(s, p) : count_records(s, p, head, room) < n))
		return 0;
	*copy = malloc(geo->blocksize);
	if (!*copy)
		return -XFS_E_NOMEM;
	memcpy(*copy, p, geo->blocksize);
	xfs_put_be32(*copy, magic);
	xfs_put_be16(*copy + XFS_OFF(btree_long, level), (uint16_t)level);
	if (counts)
		xfs_put_be16(*copy + XFS_OFF(btree_long, numrecs), (uint16_t)count_records(s, p, head, room));
	damaged(s->out, "%s: fsblock %llu", xfs_finding_text(other ? XFS_F_BLOCK_MAGIC : moved ? XFS_F_BTREE_LEVEL :
							     XFS_F_BTREE_NUMRECS), (unsigned long long)ptr);
	return 0;
}

static int block_get(void *owner, uint64_t ptr, struct xfs_btree_block *out)
{
	struct scan *s = owner;
	struct xfs_buf *buf;
	uint8_t *copy = NULL;
	int error = xfs_fs_get_block(s->r->fs, XFS_FSBNO(ptr), XFS_BLK_BMBT, &buf);

	if (error)
		return error;
	error = s->root_level ? mend_block(s, ptr, buf->data, &copy) : 0;	/* of a bmbt */
	s->got++;
	if (error) {
		xfs_buf_put(buf);
		return error;
	}
	if (s->r->geo.v5 && xfs_lsn_is_wild(xfs_be64(buf->data + XFS_OFF(btree_long, lsn))))
		damaged(s->out, "fsblock %llu has an impossible log sequence number", (unsigned long long)ptr);
	*out = (struct xfs_btree_block){ .ptr = ptr, .data = copy ? copy : buf->data, .handle = buf };
	return 0;
}

static void block_put(void *owner, struct xfs_btree_block *b)
{
	struct xfs_buf *buf = b->handle;

	(void)owner;
	if (b->data != buf->data)
		free((void *)b->data);
	xfs_buf_put(buf);
}

static uint64_t block_daddr(void *owner, uint64_t ptr)
{
	struct scan *s = owner;

	return xfs_fsbno_daddr(&s->r->geo, XFS_FSBNO(ptr)).v;
}

static int btree_record(void *payload, const void *rec)
{
	take_record(payload, rec);
	return 0;	/* order and validity are told through take_record() */
}

static int btree_block(void *payload, uint64_t ptr, unsigned level)
{
	struct scan *s = payload;
	struct repair_fork *f = s->out;

	(void)level;
	if (ptr == XFS_NULL64)
		return 0;
	if (xfs_grow(&f->own, f->nown, &f->room, 16))
		return -XFS_E_NOMEM;
	f->own[f->nown++] = ptr;
	return 0;
}

static void btree_finding(void *payload, const struct xfs_finding *found)
{
	struct scan *s = payload;

	damaged(s->out, "%s: %s", xfs_finding_text(found->id), found->detail);
}

/* A tree with its root in the inode; of its records only those of a bmbt are looked at here. */
static int meta_record(void *payload, const void *rec)
{
	struct scan *s = payload;

	if (!s->stop)
		s->stop = s->record(s->payload, rec);
	return 0;
}

static int scan_tree(struct scan *s, uint64_t ino, const uint8_t *bytes, uint32_t size, enum xfs_btree_id id)
{
	const struct xfs_geometry *geo = &s->r->geo;
	struct xfs_sink sink = { btree_finding, s };
	struct xfs_btree bt = {
		.kind = &xfs_btree_kinds[id], .io = { .owner = s, .get = block_get, .put = block_put },
		.blocksize = geo->blocksize, .v5 = geo->v5, .root = XFS_NULL64,
		.levels = xfs_be16(bytes + XFS_OFF(bmdr, level)) + 1u, .inline_root = bytes, .inline_len = size,
		.uuid = geo->v5 ? geo->uuid : NULL, .owner = ino, .daddr_of = block_daddr,
		.ptr_max = (uint64_t)geo->agcount << geo->agblklog,
	};
	struct xfs_btree_verify v = { .sink = &sink, .record = id == XFS_BTREE_BMAP ? btree_record :
				      s->record ? meta_record : NULL, .all = s->as_they_are, .block = btree_block,
				      .payload = s };
	uint32_t numrecs = xfs_be16(bytes + XFS_OFF(bmdr, numrecs));
	int error;

	if (id != XFS_BTREE_BMAP && bt.levels <= XFS_BTREE_MAXLEVELS) {
		error = xfs_btree_verify(&bt, &v);
		if (error && error != -XFS_E_NOMEM)
			damaged(s->out, "tree cannot be walked: %s", xfs_error_text(error));
		return error == -XFS_E_NOMEM ? error : 0;
	}
	if (bt.levels < 2 || bt.levels > geo->bmap_maxlevels[s->fork]) {
		damaged(s->out, "level %u of the root is impossible", bt.levels - 1);
		return 0;
	}
	if (!numrecs || numrecs > xfs_bmdr_maxrecs(size)) {
		damaged(s->out, "root holds %u entries, room is for %u", numrecs, xfs_bmdr_maxrecs(size));
		return 0;
	}
	s->root_level = bt.levels - 1;
	error = xfs_btree_verify(&bt, &v);
	s->out->nlost = v.lost;
	if (s->stop)
		return s->stop;
	if (error == -XFS_E_NOMEM)
		return error;
	if (error)
		damaged(s->out, "tree cannot be walked: %s", xfs_error_text(error));
	return 0;
}

static int scan_extents(struct scan *s, const uint8_t *bytes, uint32_t size, uint64_t count)
{
	uint64_t room = size / 16;

	if (count > room) {
		damaged(s->out, "%llu extents do not fit in %u bytes", (unsigned long long)count, size);
		count = room;
	}
	for (uint64_t i = 0; i < count && !s->stop; i++)
		take_record(s, bytes + 16 * i);
	return s->stop;
}

uint32_t repair_fork_size(const struct repair *r, const struct xfs_dinode *d, enum xfs_fork fork)
{
	return xfs_dinode_fork_size((unsigned)d->core.version, d->core.forkoff, r->geo.inodesize, fork);
}

/* What this fork may be, by the type of the file (format sheet 03, section 2). */
static bool format_allowed(const struct xfs_dinode *d, enum xfs_fork fork, unsigned format)
{
	unsigned type = d->core.mode & XFS_MODE_FMT;

	if (fork == XFS_FORK_ATTR)
		return format >= XFS_DINODE_FMT_LOCAL && format <= XFS_DINODE_FMT_BTREE;
	switch (type) {
	case XFS_MODE_REG:
		return format == XFS_DINODE_FMT_EXTENTS || format == XFS_DINODE_FMT_BTREE ||
		       (format == XFS_DINODE_FMT_META_BTREE && xfs_dinode_is_metadata(d));
	case XFS_MODE_DIR:
		return format >= XFS_DINODE_FMT_LOCAL && format <= XFS_DINODE_FMT_BTREE;
	case XFS_MODE_LNK:
		return format == XFS_DINODE_FMT_LOCAL || format == XFS_DINODE_FMT_EXTENTS;
	default:
		return format == XFS_DINODE_FMT_DEV;
	}
}

/*
 * Contents that should lie in the inode are longer than it.  (A directory whose blocks stand against a small size has a
 * wrong size, not a wrong map: that is told with the names.)
 */
static bool size_contradicts(const struct xfs_dinode *d, unsigned format, uint32_t forksize)
{
	unsigned type = d->core.mode & XFS_MODE_FMT;

	return (type == XFS_MODE_DIR || type == XFS_MODE_LNK) && format == XFS_DINODE_FMT_LOCAL &&
	       d->core.size > forksize;
}

/* Once a fork: not all of `why`. */
static void clear(struct repair_fork *f)
{
	f->mapped = f->damaged = false;
	f->why[0] = '\0';
	f->records = f->blocks = 0;
	f->own = NULL;
	f->nown = f->room = 0;
	f->nlost = 0;
}

bool repair_fork_is_realtime(const struct xfs_dinode *d, unsigned fork)
{
	return fork == XFS_FORK_DATA && d->core.flags & XFS_DIFLAG_REALTIME &&
	       (d->core.mode & XFS_MODE_FMT) == XFS_MODE_REG;
}

/* A header in each block of a target at most. */
static uint64_t most_of_target(const struct repair *r)
{
	return xfs_ceil_div(XFS_SYMLINK_MAXLEN, r->geo.blocksize - sizeof(struct xfs_symlink_hdr_disk));
}

uint64_t repair_fork_ends(const struct repair *r, const struct xfs_dinode *d, enum xfs_fork fork)
{
	if (fork == XFS_FORK_ATTR)
		return UINT64_C(1) << 32;
	switch (d->core.mode & XFS_MODE_FMT) {
	case XFS_MODE_DIR:
		return (2 * XFS_DIR_FREE_OFFSET - XFS_DIR_LEAF_OFFSET) >> r->geo.blocklog;
	case XFS_MODE_LNK:
		return most_of_target(r);
	default:
		return UINT64_C(1) << 54;
	}
}

static int scan_fork(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
		     enum xfs_fork fork, struct repair_fork *out, bool hand_realtime, repair_mapping_fn each,
				   void *payload)
{
	unsigned version = (unsigned)d->core.version, format = fork == XFS_FORK_DATA ? d->core.format : d->core.aformat;
	uint32_t size = repair_fork_size(r, d, fork);
	const uint8_t *bytes = image + xfs_dinode_fork_off(version, d->core.forkoff, r->geo.inodesize, fork);
	uint64_t count = xfs_dinode_nextents(d, fork);
	struct scan s = { .r = r, .ino = ino, .count = count, .out = out, .each = each, .payload = payload,
			  .fork = fork,
			  .realtime = repair_fork_is_realtime(d, fork), .hand_realtime = hand_realtime,
			  .unwritten_allowed = fork == XFS_FORK_DATA && (d->core.mode & XFS_MODE_FMT) == XFS_MODE_REG };
	int error = 0;

	if (fork == XFS_FORK_DATA && (d->core.mode & XFS_MODE_FMT) == XFS_MODE_LNK)
		s.most = most_of_target(r);
	s.need = xfs_min(xfs_ceil_div((uint64_t)d->core.size, r->geo.blocksize), s.most);
	if (fork == XFS_FORK_ATTR || s.most || (d->core.mode & XFS_MODE_FMT) == XFS_MODE_DIR)
		s.ends = repair_fork_ends(r, d, fork);
	clear(out);
	if (fork == XFS_FORK_ATTR && !d->core.forkoff) {
		if (format != XFS_DINODE_FMT_EXTENTS || count)
			damaged(out, "format %u and %llu extents without an attr fork", format,
				(unsigned long long)count);
		return 0;
	}
	if (!format_allowed(d, fork, format)) {
		damaged(out, "format %u does not fit mode %#o", format, d->core.mode);
		return 0;
	}
	if (fork == XFS_FORK_DATA && size_contradicts(d, format, size))
		damaged(out, "format %u does not fit a size of %llu bytes", format, (unsigned long long)d->core.size);
	out->mapped = format == XFS_DINODE_FMT_EXTENTS || format == XFS_DINODE_FMT_BTREE;
	if (format == XFS_DINODE_FMT_EXTENTS)
		error = scan_extents(&s, bytes, size, count);
	else if (format == XFS_DINODE_FMT_BTREE && size >= 4)
		error = scan_tree(&s, ino, bytes, size, XFS_BTREE_BMAP);
	else if (format == XFS_DINODE_FMT_META_BTREE && size >= 4)
		error = scan_tree(&s, ino, bytes, size, d->core.metatype == XFS_METAFILE_RTREFCOUNT ? XFS_BTREE_RTREFC
												    : XFS_BTREE_RTRMAP);
	else if (count && format != XFS_DINODE_FMT_META_BTREE)
		damaged(out, "%llu extents counted in format %u", (unsigned long long)count, format);
	if (error)
		return error;
	if (out->mapped && !out->damaged && out->records != count)
		damaged(out, "%llu extents counted, %llu found", (unsigned long long)count,
			(unsigned long long)out->records);
	if (format == XFS_DINODE_FMT_BTREE && !out->damaged && count <= size / 16)
		damaged(out, "%llu extents in btree format would fit in the inode", (unsigned long long)count);
	return 0;
}

int repair_fork_scan(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
		     enum xfs_fork fork, struct repair_fork *out, repair_mapping_fn each, void *payload)
{
	return scan_fork(r, ino, d, image, fork, out, false, each, payload);
}

int repair_fork_scan_any(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
			 enum xfs_fork fork, struct repair_fork *out, repair_mapping_fn each, void *payload)
{
	return scan_fork(r, ino, d, image, fork, out, true, each, payload);
}

int repair_fork_scan_records(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
			     enum xfs_fork fork, struct repair_fork *out,
			     int (*record)(void *payload, const void *rec), void *payload)
{
	uint32_t size = repair_fork_size(r, d, fork);
	const uint8_t *bytes = image + xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff,
							   r->geo.inodesize, fork);
	struct scan s = { .r = r, .ino = ino, .count = xfs_dinode_nextents(d, fork), .out = out, .fork = fork,
			  .payload = payload, .record = record, .as_they_are = true };

	clear(out);
	if ((fork == XFS_FORK_DATA ? d->core.format : d->core.aformat) == XFS_DINODE_FMT_EXTENTS)
		return scan_extents(&s, bytes, size, s.count);
	return size >= 4 ? scan_tree(&s, ino, bytes, size, XFS_BTREE_BMAP) : 0;
}

int repair_fork_scan_meta(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
			  struct repair_fork *out, int (*record)(void *payload, const void *rec), void *payload)
{
	uint32_t size = repair_fork_size(r, d, XFS_FORK_DATA);
	struct scan s = { .r = r, .ino = ino, .out = out, .payload = payload, .record = record };
	int error = 0;

	clear(out);
	if (d->core.format != XFS_DINODE_FMT_META_BTREE || size < 4)
		damaged(out, "format %u is none of a realtime tree", d->core.format);
	else
		error = scan_tree(&s, ino, image + xfs_dinode_literal_off((unsigned)d->core.version), size,
				  d->core.metatype == XFS_METAFILE_RTREFCOUNT ? XFS_BTREE_RTREFC : XFS_BTREE_RTRMAP);
	if (s.stop)
		damaged(out, "another record");
	return error;
}

void repair_fork_release(struct repair_fork *f)
{
	free(f->own);
	f->own = NULL;
	f->nown = f->room = 0;
}

int repair_keep_mapping(void *set, const struct xfs_mapping *m)
{
	return xfs_mapset_add(set, m);
}

bool repair_fork_holds_uncounted(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
				 enum xfs_fork fork, const struct xfs_mapset *s)
{
	struct xfs_mapset seen = { 0 }, rest = { 0 };
	struct xfs_dinode all = *d;
	struct repair_fork f = { 0 };
	bool held = false;

	if ((fork == XFS_FORK_DATA ? d->core.format : d->core.aformat) != XFS_DINODE_FMT_EXTENTS || !s->n ||
	    !xfs_dinode_set_nextents(&all, fork, repair_fork_size(r, d, fork) / 16))
		return false;
	if (!repair_fork_scan_any(r, ino, &all, image, fork, &f, repair_keep_mapping, &seen) &&
	    xfs_mapset_normalise(&seen) >= 0 && !xfs_mapset_subtract(&rest, s, &seen))
		held = !rest.n;
	repair_fork_release(&f);
	xfs_mapset_release(&seen);
	xfs_mapset_release(&rest);
	return held;
}
