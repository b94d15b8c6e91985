/* SPDX-License-Identifier: BSD-2-Clause */
/* content.c - type, size and attribute fork of an inode, read from its forks. */
#include "repair/content.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/name/dirdata.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/dir.h"

#include <string.h>

#define ATTR_FLAGS 0x8eu	/* ROOT, SECURE, PARENT, INCOMPLETE */

static const uint8_t *fork_at(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image, enum xfs_fork k)
{
	return image + xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff, r->geo.inodesize, k);
}

/* ---- type ---- */

/* While AGs are observed nothing was written: whoever reads the block for its content will find it in the cache. */
static int first_bytes(struct repair *r, uint64_t byte, uint8_t *out, size_t len)
{
	struct xfs_buf *b;
	int error;

	if (!r->lane)
		return xfs_dev_read(r->dev.data, byte, out, len);
	error = xfs_buf_get1(r->fs->cache, byte / XFS_BBSIZE, r->geo.blocksize / XFS_BBSIZE, NULL, 0, &b);
	if (error)
		return error;
	xfs_buf_as_read(b, out, len);
	xfs_buf_put(b);
	return 0;
}

unsigned repair_block_type(struct repair *r, uint64_t ino, uint64_t fsbno)
{
	uint64_t byte = xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno));
	uint8_t p[64];
	/* V4: the first entry is ".", and names the directory */
	const uint8_t *dot = p + xfs_dir_data_header_len(false);
	uint32_t magic;

	if (first_bytes(r, byte, p, sizeof(p)))
		return 0;
	magic = xfs_be32(p);
	if (!r->geo.v5)
		return (magic == XFS_DIR2_BLOCK_MAGIC || magic == XFS_DIR2_DATA_MAGIC) &&
		       xfs_be64(dot + XFS_OFF(dir_data_ent, inumber)) == ino &&
		       dot[XFS_OFF(dir_data_ent, namelen)] == 1 && dot[sizeof(struct xfs_dir_data_ent_disk)] == '.'
			       ? XFS_MODE_DIR : 0;
	if (magic == XFS_DIR3_BLOCK_MAGIC || magic == XFS_DIR3_DATA_MAGIC)
		return xfs_be64(p + XFS_OFF(dir_blkhdr, owner)) == ino &&
		       xfs_be64(p + XFS_OFF(dir_blkhdr, bno)) == byte / XFS_BBSIZE &&
		       !memcmp(p + XFS_OFF(dir_blkhdr, uuid), r->geo.uuid, 16) ? XFS_MODE_DIR : 0;
	if (magic == XFS_SYMLINK_MAGIC)
		return xfs_be64(p + XFS_OFF(symlink_hdr, owner)) == ino &&
		       xfs_be64(p + XFS_OFF(symlink_hdr, bno)) == byte / XFS_BBSIZE &&
		       !memcmp(p + XFS_OFF(symlink_hdr, uuid), r->geo.uuid, 16) ? XFS_MODE_LNK : 0;
	return 0;
}

struct extent_walk {
	struct repair *r;
	uint64_t ino;
	unsigned looked, type;
	uint64_t end;		/* of the last mapping, blocks */
	uint64_t bytes;		/* of a symlink's pieces */
};

static int look_at_mapping(void *payload, const struct xfs_mapping *m)
{
	struct extent_walk *w = payload;

	w->end = m->off + m->len;
	/* a damaged first block does not hide the others; contents of a file are not searched through */
	if (!w->type && w->looked++ < 4)
		w->type = repair_block_type(w->r, w->ino, m->fsbno);
	return 0;
}

/* Walks the data fork as that of a file of `type` in `format`: false when it is damaged. */
static bool walk_as(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image, unsigned type,
		    unsigned format, repair_mapping_fn each, struct extent_walk *w)
{
	struct xfs_dinode copy = *d;
	struct repair_fork f;
	bool good;

	*w = (struct extent_walk){ .r = r, .ino = ino };
	copy.core.mode = (uint16_t)type;
	copy.core.format = (uint8_t)format;
	good = !repair_fork_scan(r, ino, &copy, image, XFS_FORK_DATA, &f, each, w) && !f.damaged;
	repair_fork_release(&f);
	return good;
}

static unsigned type_of_blocks(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image,
			       unsigned format)
{
	struct extent_walk w;
	bool good = walk_as(r, ino, d, image, XFS_MODE_REG, format, look_at_mapping, &w);

	return w.type ? w.type : good ? XFS_MODE_REG : 0;
}

bool repair_data_has_blocks(const struct xfs_dinode *d)
{
	bool attrs = d->core.forkoff &&
		     (d->core.aformat == XFS_DINODE_FMT_EXTENTS || d->core.aformat == XFS_DINODE_FMT_BTREE) &&
		     xfs_dinode_nextents(d, XFS_FORK_ATTR);

	return xfs_dinode_nextents(d, XFS_FORK_DATA) || (d->core.nblocks && !attrs);
}

unsigned repair_content_type(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image)
{
	unsigned format = d->core.format, type = 0;
	uint64_t count = xfs_dinode_nextents(d, XFS_FORK_DATA);
	uint32_t room = repair_fork_size(r, d, XFS_FORK_DATA);

	if (format == XFS_DINODE_FMT_EXTENTS || format == XFS_DINODE_FMT_BTREE)
		return type_of_blocks(r, ino, d, image, format);
	if (count && d->core.nblocks)
		type = type_of_blocks(r, ino, d, image, count <= room / 16 ? XFS_DINODE_FMT_EXTENTS :
				      XFS_DINODE_FMT_BTREE);
	if (type || repair_data_has_blocks(d))
		return type;
	if (repair_short_dir_size(r, d, image))
		return XFS_MODE_DIR;
	return format == XFS_DINODE_FMT_LOCAL && d->core.size && d->core.size <= repair_text_size(r, d, image)
		       ? XFS_MODE_LNK : 0;
}

/* ---- size ---- */

uint32_t repair_short_dir_size(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image)
{
	struct xfs_dir_sf sf;
	struct xfs_dir_item item;
	int more;

	if (xfs_dir_sf_start(&sf, fork_at(r, d, image, XFS_FORK_DATA), repair_fork_size(r, d, XFS_FORK_DATA)) ||
	    !xfs_ino_valid(&r->geo, XFS_INO(sf.parent)))
		return 0;
	while ((more = xfs_dir_sf_next(&r->geo, &sf, &item)) == 1)
		if (xfs_dir_entry_problem(&r->geo, &item))
			return 0;
	return more ? 0 : sf.at;
}

uint32_t repair_text_size(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image)
{
	uint32_t room = repair_fork_size(r, d, XFS_FORK_DATA);

	return (uint32_t)strnlen((const char *)fork_at(r, d, image, XFS_FORK_DATA),
				 xfs_min(room, XFS_SYMLINK_MAXLEN - 1));
}

static int add_piece(void *payload, const struct xfs_mapping *m)
{
	struct extent_walk *w = payload;
	uint8_t p[XFS_SYMLINK_MAXLEN];
	uint64_t byte = xfs_fsbno_byte(&w->r->geo, XFS_FSBNO(m->fsbno));

	if (w->r->geo.v5) {
		if (!xfs_dev_read(w->r->dev.data, byte, p, sizeof(struct xfs_symlink_hdr_disk)) &&
		    xfs_be32(p) == XFS_SYMLINK_MAGIC && xfs_be64(p + XFS_OFF(symlink_hdr, owner)) == w->ino)
			w->bytes += xfs_be32(p + XFS_OFF(symlink_hdr, bytes));
	} else if (!xfs_dev_read(w->r->dev.data, byte, p, xfs_min(sizeof(p), w->r->geo.blocksize))) {
		w->bytes += strnlen((const char *)p, xfs_min(sizeof(p), w->r->geo.blocksize));
	}
	return 0;
}

uint64_t repair_symlink_size(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image)
{
	struct extent_walk w;

	walk_as(r, ino, d, image, XFS_MODE_LNK, XFS_DINODE_FMT_EXTENTS, add_piece, &w);
	return w.bytes && w.bytes < XFS_SYMLINK_MAXLEN ? w.bytes : d->core.size;
}

uint64_t repair_mapped_size(struct repair *r, uint64_t ino, const struct xfs_dinode *d, const uint8_t *image)
{
	struct extent_walk w;

	walk_as(r, ino, d, image, XFS_MODE_REG, d->core.format, look_at_mapping, &w);
	return w.end << r->geo.blocklog;
}

/* ---- where the attribute fork starts ---- */

static bool records_fit(const struct repair *r, const uint8_t *bytes, uint64_t count, uint32_t room, bool realtime)
{
	uint64_t next = 0;

	if (count > room / 16)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		struct xfs_bmbt_rec rec;

		xfs_bmbt_rec_decode(&rec, bytes + 16 * i);
		if (!rec.blockcount || rec.startoff < next ||
		    (!realtime && !xfs_fsbno_range_valid(&r->geo, rec.startblock, rec.blockcount)))
			return false;
		next = rec.startoff + rec.blockcount;
	}
	return true;
}

static bool root_fits(const struct repair *r, const uint8_t *bytes, uint32_t room, enum xfs_fork fork)
{
	const uint8_t *keys = bytes + sizeof(struct xfs_bmdr_disk), *ptrs = bytes + xfs_bmdr_ptrs_off(room);
	uint32_t most = xfs_bmdr_maxrecs(room), n;

	if (!most)
		return false;
	n = xfs_be16(bytes + XFS_OFF(bmdr, numrecs));
	if (!n || n > most || !xfs_be16(bytes + XFS_OFF(bmdr, level)) ||
	    xfs_be16(bytes + XFS_OFF(bmdr, level)) >= r->geo.bmap_maxlevels[fork])
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!xfs_fsbno_range_valid(&r->geo, xfs_be64(ptrs + 8 * i), 1) ||
		    (i && xfs_be64(keys + 8 * i) <= xfs_be64(keys + 8 * (i - 1))))
			return false;
	return true;
}

/* A root of a tree of a realtime group: records, which may be none, or keys and blocks. */
static bool group_root_fits(const struct repair *r, const struct xfs_dinode *d, const uint8_t *bytes, uint32_t room)
{
	const struct xfs_btree_shape *s = d->core.metatype == XFS_METAFILE_RTREFCOUNT ? &xfs_btree_shape_rtrefcbt
										      : &xfs_btree_shape_rtrmapbt;
	uint32_t most;
	struct xfs_bmdr root;

	if (room < sizeof(struct xfs_bmdr_disk))
		return false;
	xfs_bmdr_decode(&root, bytes);
	most = xfs_btree_root_maxrecs(s, room - (uint32_t)sizeof(struct xfs_bmdr_disk), !root.level);
	if (root.numrecs > most || root.level > XFS_BTREE_MAXLEVELS || (root.level && !root.numrecs))
		return false;
	bytes += sizeof(struct xfs_bmdr_disk) + (size_t)most * s->keylen;
	for (uint32_t i = 0; root.level && i < root.numrecs; i++)
		if (!xfs_fsbno_range_valid(&r->geo, xfs_be64(bytes + 8 * i), 1))
			return false;
	return true;
}

static bool data_fits(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image)
{
	const uint8_t *bytes = fork_at(r, d, image, XFS_FORK_DATA);
	uint32_t room = repair_fork_size(r, d, XFS_FORK_DATA);

	switch (d->core.format) {
	case XFS_DINODE_FMT_LOCAL:
		return d->core.size <= room;
	case XFS_DINODE_FMT_EXTENTS:
		return records_fit(r, bytes, xfs_dinode_nextents(d, XFS_FORK_DATA), room,
				   d->core.flags & XFS_DIFLAG_REALTIME);
	case XFS_DINODE_FMT_BTREE:
		return root_fits(r, bytes, room, XFS_FORK_DATA);
	case XFS_DINODE_FMT_META_BTREE:
		return group_root_fits(r, d, bytes, room);
	case XFS_DINODE_FMT_DEV:
		return d->core.forkoff <= 1;
	default:
		return true;
	}
}

/* A short list of attributes that fills its size exactly. */
static bool list_fits(const uint8_t *p, uint32_t room)
{
	uint32_t end, at = sizeof(struct xfs_attr_sf_hdr_disk);

	if (room < at)
		return false;
	end = xfs_be16(p);
	if (end < at || end > room)
		return false;
	for (unsigned i = 0; i < p[XFS_OFF(attr_sf_hdr, count)]; i++) {
		struct xfs_attr_sf_ent e;

		if (end - at < sizeof(struct xfs_attr_sf_ent_disk))
			return false;
		xfs_attr_sf_ent_decode(&e, p + at);
		if (!e.namelen || e.flags & ~ATTR_FLAGS || end - at < xfs_attr_sf_entsize(e.namelen, e.valuelen))
			return false;
		at += xfs_attr_sf_entsize(e.namelen, e.valuelen);
	}
	return at == end;
}

/* *strong: something is there that would not look so by chance. */
static bool attr_fits(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image, bool *strong)
{
	const uint8_t *bytes = fork_at(r, d, image, XFS_FORK_ATTR);
	uint32_t room = repair_fork_size(r, d, XFS_FORK_ATTR);
	uint64_t count = xfs_dinode_nextents(d, XFS_FORK_ATTR);

	*strong = false;
	if (!d->core.forkoff)
		return !count && d->core.aformat != XFS_DINODE_FMT_LOCAL && d->core.aformat != XFS_DINODE_FMT_BTREE;
	switch (d->core.aformat) {
	case XFS_DINODE_FMT_LOCAL:
		if (!list_fits(bytes, room))
			return false;
		*strong = bytes[XFS_OFF(attr_sf_hdr, count)] != 0;
		return true;
	case XFS_DINODE_FMT_EXTENTS:
		*strong = count != 0;
		return records_fit(r, bytes, count, room, false);
	case XFS_DINODE_FMT_BTREE:
		*strong = true;
		return root_fits(r, bytes, room, XFS_FORK_ATTR);
	default:
		return false;
	}
}

bool repair_forks_plausible(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image)
{
	bool strong;

	return d->core.forkoff < xfs_dinode_literal_size((unsigned)d->core.version, r->geo.inodesize) / 8 &&
	       data_fits(r, d, image) && attr_fits(r, d, image, &strong);
}

bool repair_find_aformat(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image, uint8_t *aformat)
{
	static const uint8_t formats[] = { XFS_DINODE_FMT_LOCAL, XFS_DINODE_FMT_EXTENTS, XFS_DINODE_FMT_BTREE };
	struct xfs_dinode copy = *d;
	bool strong;

	if (!d->core.forkoff ||
	    d->core.forkoff >= xfs_dinode_literal_size((unsigned)d->core.version, r->geo.inodesize) / 8 ||
	    !data_fits(r, d, image))
		return false;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(formats); i++) {
		copy.core.aformat = formats[i];
		if (formats[i] == d->core.aformat || !attr_fits(r, &copy, image, &strong) || !strong)
			continue;
		*aformat = formats[i];
		return true;
	}
	return false;
}

static bool list_points(const uint8_t *p)
{
	uint32_t at = sizeof(struct xfs_attr_sf_hdr_disk);

	for (unsigned i = 0; i < p[XFS_OFF(attr_sf_hdr, count)]; i++) {
		struct xfs_attr_sf_ent e;

		xfs_attr_sf_ent_decode(&e, p + at);
		if (e.flags & XFS_ATTR_PARENT)
			return true;
		at += xfs_attr_sf_entsize(e.namelen, e.valuelen);
	}
	return false;
}

bool repair_find_pointers(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image, uint8_t *forkoff)
{
	unsigned end = xfs_dinode_literal_size((unsigned)d->core.version, r->geo.inodesize) / 8;
	struct xfs_dinode copy = *d;
	bool strong;

	copy.core.aformat = XFS_DINODE_FMT_LOCAL;
	/* where it is, if it is anywhere, first */
	for (unsigned i = 0; i < end; i++) {
		copy.core.forkoff = i ? (uint8_t)i : d->core.forkoff;
		if (copy.core.forkoff && data_fits(r, &copy, image) && attr_fits(r, &copy, image, &strong) && strong &&
		    list_points(fork_at(r, &copy, image, XFS_FORK_ATTR))) {
			*forkoff = (uint8_t)i;
			return true;
		}
	}
	return false;
}

bool repair_find_forkoff(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image, uint8_t *forkoff)
{
	unsigned end = xfs_dinode_literal_size((unsigned)d->core.version, r->geo.inodesize) / 8;
	struct xfs_dinode copy = *d;
	int weak = -1;
	bool strong;

	if (d->core.format == XFS_DINODE_FMT_DEV)
		end = 2;
	for (unsigned i = 0; i < end; i++) {
		copy.core.forkoff = (uint8_t)i;
		if (!data_fits(r, &copy, image) || !attr_fits(r, &copy, image, &strong))
			continue;
		if (strong) {
			*forkoff = (uint8_t)i;
			return true;
		}
		weak = weak < 0 ? (int)i : weak;
	}
	*forkoff = weak < 0 ? 0 : (uint8_t)weak;
	return weak >= 0;
}

bool repair_find_attr_fork(const struct repair *r, const struct xfs_dinode *d, const uint8_t *image, uint8_t *aformat,
			   uint8_t *forkoff)
{
	static const uint8_t formats[] = { XFS_DINODE_FMT_EXTENTS, XFS_DINODE_FMT_BTREE, XFS_DINODE_FMT_LOCAL };
	unsigned end = xfs_dinode_literal_size((unsigned)d->core.version, r->geo.inodesize) / 8;
	struct xfs_dinode copy = *d;
	bool strong;

	/* extents stand against a list in the inode */
	for (size_t k = 0; k < XFS_ARRAY_SIZE(formats) - !!xfs_dinode_nextents(d, XFS_FORK_ATTR); k++)
		for (unsigned i = 1; i < end; i++) {
			copy.core.aformat = *aformat = formats[k];
			copy.core.forkoff = *forkoff = (uint8_t)i;
			if (data_fits(r, &copy, image) && attr_fits(r, &copy, image, &strong) && strong)
				return true;
		}
	return false;
}
