/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inode_verify.c - the rules of an inode core as one table (format sheet 03, sections 2, 8.2 and 10.1).
 *
 * Each rule is safe by itself for any content.  A row says what is expected of which field, and whether breaking it is
 * corrected (FIELD) or makes the inode unusable (BAD).
 */
#include "libxfs/inode/inode.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/ondisk/dir.h"

#define MAX_HINT 0x1fffffu

typedef bool (*rule_fn)(const struct xfs_inode *);

static const struct xfs_geometry *geo_of(const struct xfs_inode *i) { return &i->fs->geo; }
static bool in_use(const struct xfs_inode *i) { return i->d.core.mode != 0; }
static bool is_v3(const struct xfs_inode *i) { return i->d.core.version >= 3; }
static bool is_reg(const struct xfs_inode *i) { return xfs_inode_fmt(i) == XFS_MODE_REG; }
static bool is_link(const struct xfs_inode *i) { return xfs_inode_fmt(i) == XFS_MODE_LNK; }
static bool is_metadata(const struct xfs_inode *i) { return xfs_dinode_is_metadata(&i->d); }
static uint64_t flags2(const struct xfs_inode *i) { return is_v3(i) ? i->d.v3.flags2 : 0; }
static uint64_t data_count(const struct xfs_inode *i) { return xfs_dinode_nextents(&i->d, XFS_FORK_DATA); }
static uint64_t attr_count(const struct xfs_inode *i) { return xfs_dinode_nextents(&i->d, XFS_FORK_ATTR); }

static bool is_special(const struct xfs_inode *i)
{
	unsigned f = xfs_inode_fmt(i);

	return f == XFS_MODE_CHR || f == XFS_MODE_BLK || f == XFS_MODE_FIFO || f == XFS_MODE_SOCK;
}

static uint32_t fork_size(const struct xfs_inode *i, enum xfs_fork which)
{
	uint32_t len;

	xfs_inode_fork_bytes(i, which, &len);
	return len;
}

/* ---- identity ---- */

static bool magic(const struct xfs_inode *i) { return i->d.core.magic == XFS_DINODE_MAGIC; }
static bool version(const struct xfs_inode *i)
{
	return geo_of(i)->v5 ? i->d.core.version == 3 : i->d.core.version == 1 || i->d.core.version == 2;
}
static bool number(const struct xfs_inode *i) { return !is_v3(i) || i->d.v3.inumber == i->ino.v; }
static bool uuid(const struct xfs_inode *i) { return !is_v3(i) || !memcmp(i->d.v3.uuid, geo_of(i)->uuid, 16); }
static bool checksum(const struct xfs_inode *i)
{
	return !is_v3(i) || xfs_crc32c_check(i->raw, i->size, XFS_DINODE_CRC_OFF);
}

static bool next_unlinked(const struct xfs_inode *i)
{
	uint32_t next = i->d.core.next_unlinked;

	return next == XFS_NULL32 || xfs_agino_valid(geo_of(i), xfs_ino_agno(geo_of(i), i->ino), next);
}

/* ---- type, size, link count ---- */

static bool mode(const struct xfs_inode *i)
{
	return !in_use(i) || xfs_mode_ftype(i->d.core.mode) != XFS_DIR_FT_UNKNOWN;
}

static bool size_sign(const struct xfs_inode *i) { return !(i->d.core.size >> 63); }

static bool size_empty(const struct xfs_inode *i)
{
	return i->d.core.size || !(xfs_inode_is_dir(i) || is_link(i)) || !xfs_dinode_nlink(&i->d);
}

static bool size_zero(const struct xfs_inode *i)
{
	return !(is_special(i) || xfs_inode_role(i->fs, i->ino) == XFS_INODE_QUOTA) || i->d.core.size == 0;
}

static bool size_dir(const struct xfs_inode *i)
{
	return !xfs_inode_is_dir(i) || i->d.core.size <= UINT64_C(1) << XFS_DIR_SPACE_SHIFT;
}

static bool size_rtbitmap(const struct xfs_inode *i)
{
	const struct xfs_geometry *g = geo_of(i);

	return xfs_inode_role(i->fs, i->ino) != XFS_INODE_RTBITMAP ||
		i->d.core.size == (uint64_t)g->sb.rbmblocks * g->blocksize;
}

static bool role_type(const struct xfs_inode *i)
{
	switch (xfs_inode_role(i->fs, i->ino)) {
	case XFS_INODE_ROOT:
	case XFS_INODE_METADIR:
		return xfs_inode_is_dir(i);
	case XFS_INODE_RTBITMAP:
	case XFS_INODE_RTSUMMARY:
	case XFS_INODE_QUOTA:
		return is_reg(i);
	default:
		return true;
	}
}

static bool free_blocks(const struct xfs_inode *i) { return in_use(i) || i->d.core.nblocks == 0; }

/* ---- counters ---- */

static bool nrext64_pads(const struct xfs_inode *i)
{
	if (!is_v3(i))
		return true;
	return xfs_dinode_has_nrext64(&i->d) ? i->d.core.nextents16 == 0 : i->d.core.big_nextents == 0;
}

static bool counts_within_blocks(const struct xfs_inode *i)
{
	uint64_t sum;

	return !in_use(i) || (!xfs_add_overflows(data_count(i), attr_count(i), &sum) && sum <= i->d.core.nblocks);
}

static bool blocks_without_extents(const struct xfs_inode *i)
{
	return !in_use(i) || !i->d.core.nblocks || data_count(i) || attr_count(i) ||
		i->d.core.format == XFS_DINODE_FMT_META_BTREE;
}

static bool blocks_exist(const struct xfs_inode *i)
{
	const struct xfs_geometry *g = geo_of(i);

	return i->d.core.nblocks <= (xfs_inode_is_realtime(i) ? g->dblocks + g->sb.rblocks : g->dblocks);
}

static bool dir_extents(const struct xfs_inode *i)
{
	return !xfs_inode_is_dir(i) || data_count(i) <= (UINT64_C(96) << 30) / geo_of(i)->blocksize;
}

/* ---- forks ---- */

static bool forkoff(const struct xfs_inode *i)
{
	if (!in_use(i))
		return true;
	if (i->d.core.format == XFS_DINODE_FMT_DEV)
		return i->d.core.forkoff <= 1;
	return i->d.core.forkoff < xfs_dinode_literal_size(i->d.core.version, i->size) / 8;
}

static bool format_of_type(const struct xfs_inode *i)
{
	unsigned f = i->d.core.format;

	if (!in_use(i) || !mode(i))
		return true;
	if (is_special(i))
		return f == XFS_DINODE_FMT_DEV;
	if (is_link(i))
		return f == XFS_DINODE_FMT_LOCAL || f == XFS_DINODE_FMT_EXTENTS;
	if (xfs_inode_is_dir(i))
		return f >= XFS_DINODE_FMT_LOCAL && f <= XFS_DINODE_FMT_BTREE;
	if (f == XFS_DINODE_FMT_META_BTREE)
		return geo_of(i)->metadir && is_metadata(i) && (i->d.core.metatype == XFS_METAFILE_RTRMAP ||
								i->d.core.metatype == XFS_METAFILE_RTREFCOUNT);
	return f == XFS_DINODE_FMT_EXTENTS || f == XFS_DINODE_FMT_BTREE;
}

static bool format_of_size(const struct xfs_inode *i)
{
	uint32_t room = fork_size(i, XFS_FORK_DATA);

	if (!in_use(i) || i->d.core.size == 0)
		return true;
	if (i->d.core.size > room)
		return i->d.core.format != XFS_DINODE_FMT_LOCAL;
	return !xfs_inode_is_dir(i) || i->d.core.format == XFS_DINODE_FMT_LOCAL;
}

/* What a fork of this format and size may count. */
static bool count_fits(const struct xfs_inode *i, enum xfs_fork which, unsigned format, uint64_t count)
{
	uint32_t room = fork_size(i, which) / 16;
	bool wide = xfs_dinode_has_nrext64(&i->d);

	switch (format) {
	case XFS_DINODE_FMT_EXTENTS:
		return count <= room;
	case XFS_DINODE_FMT_BTREE:
		if (which == XFS_FORK_DATA)
			return count > room && count <= (wide ? XFS_MAX_DATA_EXTENTS_64 : XFS_MAX_DATA_EXTENTS_32);
		return count > room && count <= (wide ? XFS_MAX_ATTR_EXTENTS_64 : XFS_MAX_ATTR_EXTENTS_32);
	default:
		return count == 0;
	}
}

static bool data_count_fits(const struct xfs_inode *i)
{
	return !in_use(i) || count_fits(i, XFS_FORK_DATA, i->d.core.format, data_count(i));
}

static bool attr_count_fits(const struct xfs_inode *i)
{
	return !in_use(i) || !i->d.core.forkoff || count_fits(i, XFS_FORK_ATTR, i->d.core.aformat, attr_count(i));
}

static bool attr_format(const struct xfs_inode *i)
{
	if (!in_use(i) || !i->d.core.forkoff)
		return true;
	return i->d.core.aformat >= XFS_DINODE_FMT_LOCAL && i->d.core.aformat <= XFS_DINODE_FMT_BTREE;
}

static bool no_attr_fork(const struct xfs_inode *i)
{
	return !in_use(i) || i->d.core.forkoff || (attr_count(i) == 0 && (i->d.core.aformat == XFS_DINODE_FMT_EXTENTS ||
									  i->d.core.aformat == XFS_DINODE_FMT_DEV));
}

/* ---- flags and hints ---- */

static bool known_flags(const struct xfs_inode *i)
{
	unsigned f = i->d.core.flags, type = 0;

	if (!in_use(i))
		return true;
	if (!xfs_inode_is_dir(i))
		type |= XFS_DIFLAG_RTINHERIT | XFS_DIFLAG_PROJINHERIT | XFS_DIFLAG_NOSYMLINKS | XFS_DIFLAG_EXTSZINHERIT;
	if (!is_reg(i))
		type |= XFS_DIFLAG_REALTIME | XFS_DIFLAG_PREALLOC | XFS_DIFLAG_EXTSIZE;
	return !(f & ~XFS_DIFLAG_ANY) && !(f & type);
}

static bool newrtbm(const struct xfs_inode *i)
{
	return !(i->d.core.flags & XFS_DIFLAG_NEWRTBM) || !in_use(i) ||
	       (!geo_of(i)->metadir && xfs_inode_role(i->fs, i->ino) == XFS_INODE_RTBITMAP);
}

static bool realtime(const struct xfs_inode *i) { return !xfs_inode_is_realtime(i) || geo_of(i)->sb.rblocks; }
static bool known_flags2(const struct xfs_inode *i) { return !(flags2(i) & ~XFS_DIFLAG2_ANY); }
static bool bigtime(const struct xfs_inode *i) { return !(flags2(i) & XFS_DIFLAG2_BIGTIME) || geo_of(i)->bigtime; }
static bool nrext64(const struct xfs_inode *i) { return !(flags2(i) & XFS_DIFLAG2_NREXT64) || geo_of(i)->nrext64; }
static bool dax(const struct xfs_inode *i)
{
	return !(flags2(i) & XFS_DIFLAG2_DAX) || !in_use(i) || is_reg(i) || xfs_inode_is_dir(i);
}

static bool reflink(const struct xfs_inode *i)
{
	if (!(flags2(i) & XFS_DIFLAG2_REFLINK) || !in_use(i))
		return true;
	return geo_of(i)->reflink && is_reg(i) && (!xfs_inode_is_realtime(i) || geo_of(i)->metadir);
}

static bool hint_fits(const struct xfs_inode *i, uint32_t hint)
{
	const struct xfs_geometry *g = geo_of(i);

	if (hint > MAX_HINT)
		return false;
	if (xfs_inode_is_realtime(i))
		return g->sb.rextsize && hint % g->sb.rextsize == 0;
	return hint <= g->agblocks / 2;
}

static bool extsize(const struct xfs_inode *i)
{
	unsigned own = xfs_inode_is_dir(i) ? XFS_DIFLAG_EXTSZINHERIT : is_reg(i) ? XFS_DIFLAG_EXTSIZE : 0;

	if (!in_use(i))
		return true;
	return i->d.core.flags & own ? i->d.core.extsize && hint_fits(i, i->d.core.extsize) : i->d.core.extsize == 0;
}

static bool cowextsize(const struct xfs_inode *i)
{
	bool want = flags2(i) & XFS_DIFLAG2_COWEXTSIZE;

	if (!in_use(i) || !is_v3(i))
		return true;
	if (geo_of(i)->zoned && is_metadata(i) && i->d.core.metatype == XFS_METAFILE_RTRMAP)
		return true;		/* counts used blocks of the group there */
	if (!want)
		return i->d.v3.cowextsize == 0;
	return geo_of(i)->reflink && (is_reg(i) || xfs_inode_is_dir(i)) && i->d.v3.cowextsize &&
		hint_fits(i, i->d.v3.cowextsize);
}

/* ---- metadata directory ---- */

static bool metatype(const struct xfs_inode *i)
{
	if (i->d.core.version == 1)
		return true;		/* the link count of that version */
	return is_metadata(i) ? i->d.core.metatype < XFS_METAFILE_COUNT : i->d.core.metatype == 0;
}

static bool metadata(const struct xfs_inode *i)
{
	unsigned need = xfs_inode_is_dir(i) ? XFS_DIFLAG_METADATA_DIR : XFS_DIFLAG_METADATA_FILE;

	if (!is_metadata(i) || !in_use(i))
		return true;
	return geo_of(i)->metadir && (is_reg(i) || xfs_inode_is_dir(i)) && !(i->d.core.mode & 0777) && !i->d.core.uid &&
		!i->d.core.gid && (i->d.core.flags & need) == need && !(flags2(i) & XFS_DIFLAG2_DAX) &&
		!i->d.core.dmevmask && !i->d.core.dmstate;
}

static bool metadata_root(const struct xfs_inode *i)
{
	return xfs_inode_role(i->fs, i->ino) != XFS_INODE_METADIR || is_metadata(i);
}

/* ---- times ---- */

static bool time_fits(const struct xfs_inode *i, uint64_t raw)
{
	return xfs_dinode_has_bigtime(&i->d) || (raw & XFS_NULL32) < XFS_NSEC_PER_SEC;
}
static bool atime(const struct xfs_inode *i)
{
	/* a sequence number there in the old realtime bitmap */
	return xfs_inode_role(i->fs, i->ino) == XFS_INODE_RTBITMAP || time_fits(i, i->d.core.atime);
}
static bool mtime(const struct xfs_inode *i) { return time_fits(i, i->d.core.mtime); }
static bool ctime_(const struct xfs_inode *i) { return time_fits(i, i->d.core.ctime); }
static bool crtime(const struct xfs_inode *i) { return !is_v3(i) || time_fits(i, i->d.v3.crtime); }

#define BAD XFS_F_INODE_BAD
#define FIELD XFS_F_INODE_FIELD
static const struct {
	enum xfs_finding_id id;
	const char *field;
	rule_fn holds;
	const char *text;
} rules[] = {
	{ XFS_F_BLOCK_MAGIC, "magic", magic, "" },
	{ FIELD, "version", version, "does not fit the filesystem's" },
	{ BAD, "inumber", number, "is another inode's" },
	{ BAD, "uuid", uuid, "is another filesystem's" },
	{ XFS_F_BLOCK_CRC, "crc", checksum, "" },
	{ FIELD, "next_unlinked", next_unlinked, "is no inode of this AG" },
	{ BAD, "mode", mode, "has no known file type" },
	{ BAD, "mode", role_type, "has the wrong type for this inode of the superblock" },
	{ BAD, "size", size_sign, "is negative" },
	{ BAD, "size", size_empty, "of a linked directory or symlink is zero" },
	{ BAD, "size", size_zero, "must be zero for this type" },
	{ BAD, "size", size_dir, "is above 32 GiB for a directory" },
	{ BAD, "size", size_rtbitmap, "is not that of the realtime bitmap" },
	{ FIELD, "nblocks", free_blocks, "of a free inode is not zero" },
	{ FIELD, "nextents", nrext64_pads, "has bits outside the counters" },
	{ BAD, "nblocks", counts_within_blocks, "is below the number of extents" },
	{ BAD, "nblocks", blocks_without_extents, "is not zero without extents" },
	{ BAD, "nblocks", blocks_exist, "is above the size of the filesystem" },
	{ BAD, "nextents", dir_extents, "is too high for a directory" },
	{ BAD, "forkoff", forkoff, "lies outside" },
	{ BAD, "format", format_of_type, "does not fit the type" },
	{ BAD, "format", format_of_size, "does not fit the size" },
	{ BAD, "nextents", data_count_fits, "does not fit the format of the data fork" },
	{ BAD, "aformat", attr_format, "is not known" },
	{ BAD, "naextents", attr_count_fits, "does not fit the format of the attribute fork" },
	{ FIELD, "aformat", no_attr_fork, "or its counter is set without an attribute fork" },
	{ FIELD, "flags", known_flags, "has bits that are unknown or of another type" },
	{ FIELD, "newrtbm", newrtbm, "is set outside the realtime bitmap" },
	{ BAD, "realtime", realtime, "is set without a realtime device" },
	{ FIELD, "flags2", known_flags2, "has unknown bits" },
	{ FIELD, "bigtime", bigtime, "is set without the feature" },
	{ FIELD, "nrext64", nrext64, "is set without the feature" },
	{ FIELD, "dax", dax, "is set on a type that has none" },
	{ BAD, "reflink", reflink, "is set where nothing can be shared" },
	{ FIELD, "extsize", extsize, "does not fit its flag or the geometry" },
	{ FIELD, "cowextsize", cowextsize, "does not fit its flag or the geometry" },
	{ FIELD, "metatype", metatype, "must be zero or a known type" },
	{ BAD, "metadata", metadata, "is set on an inode that breaks the rules for metadata" },
	{ BAD, "metadata", metadata_root, "is clear on the metadata directory" },
	{ FIELD, "atime", atime, "has too many nanoseconds" },
	{ FIELD, "mtime", mtime, "has too many nanoseconds" },
	{ FIELD, "ctime", ctime_, "has too many nanoseconds" },
	{ FIELD, "crtime", crtime, "has too many nanoseconds" },
};

static int verify(const struct xfs_inode *ip, const struct xfs_sink *sink, bool whole)
{
	int err = 0;

	for (size_t i = 0; i < XFS_ARRAY_SIZE(rules); i++) {
		struct xfs_finding f;

		if ((whole && rules[i].holds == checksum) || rules[i].holds(ip))
			continue;
		err = -XFS_E_CORRUPT;
		if (!sink)
			break;
		f = xfs_inode_finding(ip, rules[i].id, rules[i].field);
		if (*rules[i].text)
			xfs_finding_detail(&f, "%s %s", rules[i].field, rules[i].text);
		xfs_finding_emit(sink, &f);
	}
	return err;
}

int xfs_inode_verify(const struct xfs_inode *ip, const struct xfs_sink *sink)
{
	return verify(ip, sink, false);
}

int xfs_inode_verify_fields(const struct xfs_inode *ip, const struct xfs_sink *sink)
{
	return verify(ip, sink, true);
}
