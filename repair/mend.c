/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mend.c - the fields of one inode core that the inode itself, its place and the superblock can put right (format sheet
 * 03, sections 2 and 10.1).
 *
 * Every pass that reads inodes sees them mended, so all of them agree; what was changed is kept for the findings, and
 * makes the inode one that is written anew.  What needs reverse mappings or names is decided later (judge.c,
 * restore.c).
 */
#include "repair/content.h"
#include "repair/realtime.h"
#include "repair/scan.h"

#include "libxfs/inode/inode.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/dir.h"

#include <string.h>

void repair_add_fix(struct repair_seen *s, enum xfs_finding_id id, const char *field, uint64_t found, uint64_t expected)
{
	/* the first ones are told; any number is made */
	if (s->nfixes < REPAIR_MOST_FIXES)
		s->fixes[s->nfixes] = (struct repair_fix){ id, field, found, expected };
	s->nfixes++;
}

static void set64(struct repair_seen *s, const char *field, uint64_t *at, uint64_t value)
{
	if (*at == value)
		return;
	repair_add_fix(s, XFS_F_INODE_FIELD, field, *at, value);
	*at = value;
}

static void set32(struct repair_seen *s, const char *field, uint32_t *at, uint32_t value)
{
	uint64_t wide = *at;

	set64(s, field, &wide, value);
	*at = value;
}

static void set16(struct repair_seen *s, const char *field, uint16_t *at, uint16_t value)
{
	uint64_t wide = *at;

	set64(s, field, &wide, value);
	*at = value;
}

static void set8(struct repair_seen *s, const char *field, uint8_t *at, uint8_t value)
{
	uint64_t wide = *at;

	set64(s, field, &wide, value);
	*at = value;
}

static unsigned type_of(const struct xfs_dinode *d) { return d->core.mode & XFS_MODE_FMT; }
static bool is_reg(const struct xfs_dinode *d) { return type_of(d) == XFS_MODE_REG; }
static bool is_dir(const struct xfs_dinode *d) { return type_of(d) == XFS_MODE_DIR; }

static bool is_device(const struct xfs_dinode *d)
{
	unsigned t = type_of(d);

	return t == XFS_MODE_CHR || t == XFS_MODE_BLK || t == XFS_MODE_FIFO || t == XFS_MODE_SOCK;
}

static uint64_t counted(const struct xfs_dinode *d)
{
	return xfs_dinode_nextents(d, XFS_FORK_DATA);
}

/* ---- type and format ---- */

static void set_type(struct repair_seen *s, unsigned type)
{
	struct xfs_dinode *d = &s->d;
	uint16_t mode = (uint16_t)((d->core.mode & ~XFS_MODE_FMT) | type), old = d->core.mode;

	if (!old)	/* nothing is left of it: who may read it is the owner's to say */
		mode |= type == XFS_MODE_DIR ? 0700 : type == XFS_MODE_LNK ? 0777 : 0600;
	if (mode == old)
		return;
	repair_add_fix(s, XFS_F_INODE_TYPE, "mode", old, mode);
	d->core.mode = mode;
}

unsigned repair_type_of_role(const struct repair *r, uint64_t ino)
{
	switch (xfs_inode_role(r->fs, XFS_INO(ino))) {
	case XFS_INODE_ROOT:
	case XFS_INODE_METADIR:
		return XFS_MODE_DIR;
	case XFS_INODE_RTBITMAP:
	case XFS_INODE_RTSUMMARY:
	case XFS_INODE_QUOTA:
		return XFS_MODE_REG;
	default:
		return 0;
	}
}

static bool format_fits(const struct repair *r, const struct xfs_dinode *d, unsigned format)
{
	switch (type_of(d)) {
	case XFS_MODE_REG:
		return format == XFS_DINODE_FMT_EXTENTS || format == XFS_DINODE_FMT_BTREE ||
		       (format == XFS_DINODE_FMT_META_BTREE && r->geo.metadir && xfs_dinode_is_metadata(d));
	case XFS_MODE_DIR:
		return format >= XFS_DINODE_FMT_LOCAL && format <= XFS_DINODE_FMT_BTREE;
	case XFS_MODE_LNK:
		return format == XFS_DINODE_FMT_LOCAL || format == XFS_DINODE_FMT_EXTENTS;
	default:
		return format == XFS_DINODE_FMT_DEV;
	}
}

/* Devices have no extents: with no blocks either, a counter is the only thing that says so. */
static void drop_device_counter(struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;

	if (!is_device(d) || !counted(d) || d->core.nblocks > xfs_dinode_nextents(d, XFS_FORK_ATTR))
		return;
	repair_add_fix(s, XFS_F_INODE_NEXTENTS, "nextents", counted(d), 0);
	xfs_dinode_set_nextents(d, XFS_FORK_DATA, 0);
}

/*
 * Type and format contradict each other: the content says which is wrong; forks
 * with blocks are judged with all evidence.
 */
static void settle_format(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	bool blocks = repair_data_has_blocks(d);
	unsigned type;

	if (format_fits(r, d, d->core.format)) {
		drop_device_counter(s);
		/* no directory, and no symlink, has nothing in it: names tell what this was */
		s->unknown |= !blocks && !d->core.size && d->core.format == XFS_DINODE_FMT_EXTENTS &&
		(is_dir(d) || type_of(d) == XFS_MODE_LNK);
		return;
	}
	if (is_device(d) && !blocks && !d->core.size) {
		/* attributes of a device begin behind its number */
		if (d->core.format == XFS_DINODE_FMT_EXTENTS && d->core.forkoff > 1 &&
		    repair_forks_plausible(r, d, s->image))
			set_type(s, XFS_MODE_REG);
		else
			set8(s, "format", &d->core.format, XFS_DINODE_FMT_DEV);
		return;
	}
	type = repair_content_type(r, s->ino, d, s->image);
	if (is_device(d) && type) {
		set_type(s, type);
	} else if (!blocks && is_reg(d) && d->core.format == XFS_DINODE_FMT_LOCAL && type) {
		set_type(s, type);
	} else if (!blocks && is_dir(d) && repair_short_dir_size(r, d, s->image)) {
		set8(s, "format", &d->core.format, XFS_DINODE_FMT_LOCAL);
	} else if (!blocks && type_of(d) == XFS_MODE_LNK && d->core.size &&
		   repair_text_size(r, d, s->image) >= d->core.size) {
		set8(s, "format", &d->core.format, XFS_DINODE_FMT_LOCAL);
	} else if (!blocks && is_reg(d)) {
		set8(s, "format", &d->core.format, XFS_DINODE_FMT_EXTENTS);
	} else if (!blocks && !d->core.size && d->core.format == XFS_DINODE_FMT_DEV) {
		s->unknown = true;	/* a directory or symlink without anything in it: names tell what it was */
	}
}

/*
 * Blocks of directories and symlinks name themselves (V5).  They are asked where it costs little: links in blocks are
 * rare, and so are files with a second name, or directories without one, whose size goes up in directory blocks.
 */
static void ask_blocks(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	bool mapped = (d->core.format == XFS_DINODE_FMT_EXTENTS || d->core.format == XFS_DINODE_FMT_BTREE) &&
		      counted(d);
	bool whole = d->core.size && d->core.size % r->geo.dirblksize == 0;
	unsigned type;

	if (!mapped || d->core.flags & XFS_DIFLAG_REALTIME)
		return;
	if (!(is_reg(d) && whole && xfs_dinode_nlink(d) > 1) &&
	    !(is_dir(d) && r->geo.v5 && (!whole || xfs_dinode_nlink(d) < 2)) &&
	    !(type_of(d) == XFS_MODE_LNK && r->geo.v5))
		return;
	type = repair_content_type(r, s->ino, d, s->image);
	/* what does not name itself may be damaged: then only its size tells that it was a file */
	if (type == XFS_MODE_REG &&
	    ((is_dir(d) && whole) || (type_of(d) == XFS_MODE_LNK && d->core.size < XFS_SYMLINK_MAXLEN)))
		return;
	if (type)
		set_type(s, type);
}

/* What no user's file has: the flag, and which file or directory of metadata it is; they outvote the mode. */
static unsigned type_of_metadata(const struct repair *r, const struct xfs_dinode *d)
{
	unsigned type = d->core.metatype;
	bool must = (d->core.flags & XFS_DIFLAG_METADATA_FILE) == XFS_DIFLAG_METADATA_FILE;

	if (!r->geo.metadir || !xfs_dinode_is_metadata(d) || type < XFS_METAFILE_DIR || type >= XFS_METAFILE_COUNT ||
	    !must)
		return 0;
	if (type == XFS_METAFILE_DIR)
		return (d->core.flags & XFS_DIFLAG_METADATA_DIR) == XFS_DIFLAG_METADATA_DIR ? XFS_MODE_DIR : 0;
	return d->core.flags & (XFS_DIFLAG_METADATA_DIR & ~XFS_DIFLAG_METADATA_FILE) ? 0 : XFS_MODE_REG;
}

static void settle_type(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	unsigned want = repair_type_of_role(r, s->ino), type = type_of(d);

	if (!want && type_of_metadata(r, d)) {
		set_type(s, type_of_metadata(r, d));
		type = type_of(d);
	}

	/* nobody names these */
	if (want == XFS_MODE_REG && d->core.version > 1)
		set32(s, "nlink", &d->core.nlinkv2, 1);
	/* the metadata directory keeps the group of a file there; without it there is none */
	if (want == XFS_MODE_REG && xfs_dinode_projid(d) && xfs_inode_role(r->fs, XFS_INO(s->ino)) != XFS_INODE_QUOTA) {
		repair_add_fix(s, XFS_F_INODE_FIELD, "projid", xfs_dinode_projid(d), 0);
		xfs_dinode_set_projid(d, 0);
	}
	if (want && type != want) {
		/* a root without a directory in it is made anew */
		if (want == XFS_MODE_DIR && repair_content_type(r, s->ino, d, s->image) != XFS_MODE_DIR) {
			s->unknown = true;
			return;
		}
		set_type(s, want);
	} else if (xfs_mode_ftype(d->core.mode) == XFS_DIR_FT_UNKNOWN) {
		type = repair_content_type(r, s->ino, d, s->image);
		if (!type) {
			s->unknown = true;
			return;
		}
		set_type(s, type);
	} else if (!want) {
		ask_blocks(r, s);
	}
	settle_format(r, s);
}

/* ---- size ---- */

/* Quota files and trees of realtime groups have blocks and no size. */
static bool has_no_size(const struct repair *r, const struct xfs_dinode *d)
{
	unsigned type = d->core.metatype;

	return r->geo.metadir && xfs_dinode_is_metadata(d) && is_reg(d) && type != XFS_METAFILE_RTBITMAP &&
	       type != XFS_METAFILE_RTSUMMARY && type > XFS_METAFILE_DIR && type < XFS_METAFILE_COUNT;
}

static void settle_size(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	enum xfs_inode_role role = xfs_inode_role(r->fs, XFS_INO(s->ino));
	uint32_t room = repair_fork_size(r, d, XFS_FORK_DATA);
	uint64_t size = d->core.size;
	/* blocks stand against the format: that is judged first */
	bool local = d->core.format == XFS_DINODE_FMT_LOCAL && !counted(d) &&
		     (!d->core.nblocks || !is_dir(d) || repair_short_dir_size(r, d, s->image));

	if (is_device(d) || role == XFS_INODE_QUOTA || has_no_size(r, d))
		size = 0;
	else if (repair_rt_file_blocks(r, s->ino, s->image))
		size = repair_rt_file_blocks(r, s->ino, s->image) * r->geo.blocksize;
	else if (role == XFS_INODE_RTBITMAP || role == XFS_INODE_RTSUMMARY)
		size = 0;
	else if (is_reg(d) && size >> 63)
		size = repair_mapped_size(r, s->ino, d, s->image);
	else if (is_dir(d) && local)
		size = repair_short_dir_size(r, d, s->image);
	else if (type_of(d) == XFS_MODE_LNK && (!size || size >= XFS_SYMLINK_MAXLEN ||
						(local && size > room)))
		size = local ? repair_text_size(r, d, s->image) :
		       repair_symlink_size(r, s->ino, d, s->image);
	/* more bytes than the counter's entries fill: which of the two is wrong the names decide */
	if (is_dir(d) && local && d->core.size > size && d->core.size <= room)
		size = d->core.size;
	if (is_dir(d) && local && !size)
		size = xfs_min(d->core.size, (uint64_t)room);	/* what is wrong with it is judged with the names */
	set64(s, "size", &d->core.size, size);
}

/* ---- counters, forks ---- */

/* The flag says which of two places counts extents: the one that fits the blocks is right. */
static void settle_counters(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	bool wide = d->v3.flags2 & XFS_DIFLAG2_NREXT64;
	uint64_t data = counted(d), attr = xfs_dinode_nextents(d, XFS_FORK_ATTR);

	if (!r->geo.v5)
		return;
	if (wide && !r->geo.nrext64) {
		/* a flag that was never set leaves the counters where they were */
		if (!d->core.big_nextents && (d->core.nextents32 || d->core.nextents16)) {
			data = d->core.nextents32;
			attr = d->core.nextents16;
		}
		set64(s, "flags2", &d->v3.flags2, d->v3.flags2 & ~XFS_DIFLAG2_NREXT64);
		d->core.big_nextents = d->core.nextents32 = d->core.nextents16 = 0;
		xfs_dinode_set_nextents(d, XFS_FORK_DATA, data);
		xfs_dinode_set_nextents(d, XFS_FORK_ATTR, attr);
	} else if (!wide && d->core.big_nextents) {
		if (r->geo.nrext64 && d->core.big_nextents <= d->core.nblocks && !d->core.nextents16)
			set64(s, "flags2", &d->v3.flags2, d->v3.flags2 | XFS_DIFLAG2_NREXT64);
		else
			set64(s, "v3_pad", &d->core.big_nextents, 0);
	} else if (wide) {
		set16(s, "nrext64_pad", &d->core.nextents16, 0);
	}
}

static uint32_t links_of(const struct xfs_dinode *d)
{
	return d->core.version == 1 ? d->core.metatype : d->core.nlinkv2;
}

/* Without a border, a format of extents and blocks enough a counter of them is damage. */
static bool may_have_attr_extents(const struct xfs_dinode *d)
{
	uint64_t n = xfs_dinode_nextents(d, XFS_FORK_ATTR);

	return n && n <= d->core.nblocks && d->core.forkoff &&
	       (d->core.aformat == XFS_DINODE_FMT_EXTENTS || d->core.aformat == XFS_DINODE_FMT_BTREE);
}

static void settle_forks(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	uint8_t forkoff, aformat;

	if (!repair_forks_plausible(r, d, s->image)) {
		if (repair_find_aformat(r, d, s->image, &aformat))
			set8(s, "aformat", &d->core.aformat, aformat);
		else if (repair_find_forkoff(r, d, s->image, &forkoff))
			set8(s, "forkoff", &d->core.forkoff, forkoff);
		else if (repair_find_attr_fork(r, d, s->image, &aformat, &forkoff)) {
			set8(s, "forkoff", &d->core.forkoff, forkoff);
			set8(s, "aformat", &d->core.aformat, aformat);
		}
	}
	if (d->core.forkoff >= xfs_dinode_literal_size((unsigned)d->core.version, r->geo.inodesize) / 8)
		set8(s, "forkoff", &d->core.forkoff, 0);
	/*
	 * where files have parent pointers a fork never goes away: one that is not there lost its border and its format
	 */
	if (r->geo.parent && d->core.aformat != XFS_DINODE_FMT_LOCAL && !may_have_attr_extents(d) && links_of(d) &&
	    xfs_inode_role(r->fs, XFS_INO(s->ino)) == XFS_INODE_ORDINARY &&
	    repair_find_pointers(r, d, s->image, &forkoff)) {
		set8(s, "forkoff", &d->core.forkoff, forkoff);
		set8(s, "aformat", &d->core.aformat, XFS_DINODE_FMT_LOCAL);
		if (xfs_dinode_nextents(d, XFS_FORK_ATTR)) {
			repair_add_fix(s, XFS_F_INODE_NEXTENTS, "naextents", xfs_dinode_nextents(d, XFS_FORK_ATTR), 0);
			xfs_dinode_set_nextents(d, XFS_FORK_ATTR, 0);
		}
	}
	/* a fork that never held anything, in a format that must hold something */
	if (d->core.forkoff && d->core.aformat == XFS_DINODE_FMT_LOCAL && !xfs_dinode_nextents(d, XFS_FORK_ATTR) &&
	    !xfs_be32(s->image + xfs_dinode_fork_off((unsigned)d->core.version, d->core.forkoff, r->geo.inodesize,
						     XFS_FORK_ATTR)))
		set8(s, "aformat", &d->core.aformat, XFS_DINODE_FMT_EXTENTS);
	/* zero is a format that only never used inodes have */
	if (!d->core.forkoff && d->core.aformat != XFS_DINODE_FMT_EXTENTS && !xfs_dinode_nextents(d, XFS_FORK_ATTR))
		set8(s, "aformat", &d->core.aformat, XFS_DINODE_FMT_EXTENTS);
}

/* ---- flags and hints ---- */

/* What describes the realtime section lies outside of it, and quota files do, too. */
static bool lies_on_data_device(struct repair *r, const struct repair_seen *s)
{
	enum xfs_inode_role role = xfs_inode_role(r->fs, XFS_INO(s->ino));

	return role == XFS_INODE_RTBITMAP || role == XFS_INODE_RTSUMMARY || role == XFS_INODE_QUOTA ||
	       (r->geo.metadir && xfs_dinode_is_metadata(&s->d));
}

static void settle_flags(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	unsigned flags = d->core.flags & XFS_DIFLAG_ANY;

	if (!is_dir(d))
		flags &= ~(XFS_DIFLAG_RTINHERIT | XFS_DIFLAG_PROJINHERIT | XFS_DIFLAG_NOSYMLINKS |
			   XFS_DIFLAG_EXTSZINHERIT);
	if (!is_reg(d))
		flags &= ~(XFS_DIFLAG_REALTIME | XFS_DIFLAG_PREALLOC | XFS_DIFLAG_EXTSIZE);
	if (!r->geo.sb.rblocks || lies_on_data_device(r, s))
		flags &= ~XFS_DIFLAG_REALTIME;
	else if (is_reg(d) && repair_rt_flag_is_wrong(r, s))
		flags ^= XFS_DIFLAG_REALTIME;
	if (r->geo.metadir || xfs_inode_role(r->fs, XFS_INO(s->ino)) != XFS_INODE_RTBITMAP)
		flags &= ~XFS_DIFLAG_NEWRTBM;
	else if (r->geo.sb.rblocks)	/* (an upstream that makes an empty bitmap anew leaves it out) */
		flags |= XFS_DIFLAG_NEWRTBM;
	if (xfs_dinode_is_metadata(d) && r->geo.metadir)
		flags |= is_dir(d) ? XFS_DIFLAG_METADATA_DIR : XFS_DIFLAG_METADATA_FILE;
	set16(s, "flags", &d->core.flags, (uint16_t)flags);
}

/* Everything but the flag: no user's file has all of it. */
static bool looks_like_metadata(const struct xfs_dinode *d)
{
	unsigned flags = is_dir(d) ? XFS_DIFLAG_METADATA_DIR : XFS_DIFLAG_METADATA_FILE;

	return (is_dir(d) ? d->core.metatype == XFS_METAFILE_DIR : is_reg(d) && d->core.metatype > XFS_METAFILE_DIR &&
							 d->core.metatype < XFS_METAFILE_COUNT) &&
	       !(d->core.mode & 07777) && !d->core.uid && !d->core.gid && (d->core.flags & flags) == flags;
}

/* Nothing but the flag says otherwise. */
static bool looks_like_users(const struct xfs_dinode *d)
{
	unsigned flags = is_dir(d) ? XFS_DIFLAG_METADATA_DIR : XFS_DIFLAG_METADATA_FILE;

	return !d->core.metatype && (d->core.mode & 0777 || (d->core.flags & flags) != flags);
}

static void settle_flags2(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	uint64_t flags = d->v3.flags2 & XFS_DIFLAG2_ANY;

	if (!is_reg(d) && !is_dir(d))
		flags &= ~(XFS_DIFLAG2_DAX | XFS_DIFLAG2_COWEXTSIZE | XFS_DIFLAG2_METADATA);
	if (!r->geo.reflink)
		flags &= ~(XFS_DIFLAG2_REFLINK | XFS_DIFLAG2_COWEXTSIZE);
	if (!is_reg(d) || (d->core.flags & XFS_DIFLAG_REALTIME && !r->geo.metadir))
		flags &= ~XFS_DIFLAG2_REFLINK;
	if (!r->geo.metadir)
		flags &= ~XFS_DIFLAG2_METADATA;
	else if (xfs_inode_role(r->fs, XFS_INO(s->ino)) == XFS_INODE_METADIR || looks_like_metadata(d))
		flags |= XFS_DIFLAG2_METADATA;
	else if (looks_like_users(d))
		flags &= ~XFS_DIFLAG2_METADATA;
	set64(s, "flags2", &d->v3.flags2, flags);
}

static bool hint_fits(const struct repair *r, const struct xfs_dinode *d, uint32_t hint)
{
	if (!hint || hint > XFS_BMBT_MAXLEN)
		return false;
	if (is_reg(d) && d->core.flags & XFS_DIFLAG_REALTIME)
		return r->geo.sb.rextsize && hint % r->geo.sb.rextsize == 0;
	return hint <= r->geo.agblocks / 2;
}

static void settle_hints(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	unsigned own = is_dir(d) ? XFS_DIFLAG_EXTSZINHERIT : is_reg(d) ? XFS_DIFLAG_EXTSIZE : 0;

	if (!(d->core.flags & own)) {
		set32(s, "extsize", &d->core.extsize, 0);
	} else if (!hint_fits(r, d, d->core.extsize)) {
		set32(s, "extsize", &d->core.extsize, 0);
		set16(s, "flags", &d->core.flags, (uint16_t)(d->core.flags & ~own));
	}
	if (!r->geo.v5 || (r->geo.zoned && xfs_dinode_is_metadata(d) && d->core.metatype == XFS_METAFILE_RTRMAP))
		return;
	if (!(d->v3.flags2 & XFS_DIFLAG2_COWEXTSIZE)) {
		set32(s, "cowextsize", &d->v3.cowextsize, 0);
	} else if (!hint_fits(r, d, d->v3.cowextsize)) {
		set32(s, "cowextsize", &d->v3.cowextsize, 0);
		set64(s, "flags2", &d->v3.flags2, d->v3.flags2 & ~XFS_DIFLAG2_COWEXTSIZE);
	}
}

#define MEANT_FOR_OTHERS (XFS_DIFLAG_REALTIME | XFS_DIFLAG_PREALLOC | XFS_DIFLAG_NEWRTBM | \
			  XFS_DIFLAG_RTINHERIT | XFS_DIFLAG_PROJINHERIT | XFS_DIFLAG_EXTSIZE | XFS_DIFLAG_EXTSZINHERIT)

/* What only metadata inodes may have, and what they must. */
static void settle_metadata(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	unsigned must = is_dir(d) ? XFS_DIFLAG_METADATA_DIR : XFS_DIFLAG_METADATA_FILE;

	if (d->core.version == 1)
		return;		/* the link count lies there */
	if (!r->geo.metadir || !xfs_dinode_is_metadata(d)) {
		set16(s, "metatype", &d->core.metatype, 0);
		return;
	}
	if (d->core.metatype >= XFS_METAFILE_COUNT || (is_dir(d) && d->core.metatype != XFS_METAFILE_DIR))
		set16(s, "metatype", &d->core.metatype, is_dir(d) ? XFS_METAFILE_DIR : XFS_METAFILE_UNKNOWN);
	set16(s, "mode", &d->core.mode, (uint16_t)(d->core.mode & ~07777u));
	set32(s, "uid", &d->core.uid, 0);
	set32(s, "gid", &d->core.gid, 0);
	set32(s, "dmevmask", &d->core.dmevmask, 0);
	set16(s, "dmstate", &d->core.dmstate, 0);
	set64(s, "flags2", &d->v3.flags2, d->v3.flags2 & ~XFS_DIFLAG2_DAX);
	if (d->core.format == XFS_DINODE_FMT_META_BTREE && counted(d)) {	/* records, and no extents */
		repair_add_fix(s, XFS_F_INODE_NEXTENTS, "nextents", counted(d), 0);
		xfs_dinode_set_nextents(d, XFS_FORK_DATA, 0);
	}
	/* bits besides those are tolerated where they mean nothing there */
	if ((d->core.flags & must) != must || d->core.flags & MEANT_FOR_OTHERS)
		set16(s, "flags", &d->core.flags, (uint16_t)must);
	if (d->core.metatype < XFS_METAFILE_RTBITMAP && xfs_dinode_projid(d)) {
		repair_add_fix(s, XFS_F_INODE_FIELD, "projid", xfs_dinode_projid(d), 0);
		xfs_dinode_set_projid(d, 0);
	}
}

/* ---- times ---- */

/*
 * The flag without the feature: either the flag is damage, then the times are in the old form, or the feature word was.
 */
static void drop_bigtime(struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	uint64_t *const times[] = { &d->core.atime, &d->core.mtime, &d->core.ctime, &d->v3.crtime };
	bool old = true;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(times); i++)
		old &= (*times[i] & XFS_NULL32) < XFS_NSEC_PER_SEC;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(times) && !old; i++)
		*times[i] = xfs_time_encode(xfs_time_decode(*times[i], true), false);
	set64(s, "flags2", &d->v3.flags2, d->v3.flags2 & ~XFS_DIFLAG2_BIGTIME);
}

static void settle_times(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode *d = &s->d;
	const struct { const char *name; uint64_t *at; } times[] = {
		{ "atime", &d->core.atime }, { "mtime", &d->core.mtime }, { "ctime", &d->core.ctime },
		{ "crtime", &d->v3.crtime },
	};
	/* a sequence number stands there in the old realtime bitmap, as seconds */
	bool bitmap = xfs_inode_role(r->fs, XFS_INO(s->ino)) == XFS_INODE_RTBITMAP;

	if (xfs_dinode_has_bigtime(d) && !r->geo.bigtime)
		drop_bigtime(s);
	for (size_t i = bitmap && xfs_dinode_has_bigtime(d); i < 3u + r->geo.v5; i++) {
		uint64_t raw = *times[i].at;

		if (xfs_dinode_has_bigtime(d)) {
			uint64_t most = xfs_time_encode((struct xfs_timestamp){ XFS_BIGTIME_MAX_SECONDS, 0 }, true);

			set64(s, times[i].name, times[i].at, xfs_min(raw, most));
		} else if ((raw & XFS_NULL32) >= XFS_NSEC_PER_SEC) {
			set64(s, times[i].name, times[i].at, raw & ~(uint64_t)XFS_NULL32);
		}
	}
}

/* V2: bytes that nobody uses. */
static void settle_pads(struct repair *r, struct repair_seen *s)
{
	if (!r->geo.v5 && s->d.core.version == 2)
		set64(s, "v2_pad", &s->d.core.big_nextents, s->d.core.big_nextents & 0xffff);
}

void repair_mend_core(struct repair *r, struct repair_seen *s, uint8_t *image)
{
	struct xfs_dinode *d = &s->d;
	unsigned before = s->nfixes;

	s->unknown = false;
	if (d->core.mode || (!s->free && !repair_is_hollow(d))) {
		settle_counters(r, s);
		settle_type(r, s);
		if (s->unknown)
			return;
		settle_flags(r, s);
		if (r->geo.v5)
			settle_flags2(r, s);
		settle_forks(r, s);
		settle_size(r, s);
		settle_hints(r, s);
		settle_metadata(r, s);
		settle_times(r, s);
		settle_pads(r, s);
	}
	if (s->nfixes != before)
		xfs_dinode_encode(image, d);
}
