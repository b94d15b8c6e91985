/* SPDX-License-Identifier: BSD-2-Clause */
/* geometry.c - sizes, stripes and allocation groups, and the superblock that they make (format sheet 05, 6 to 10). */
#include "mkfs/geometry.h"

#include "libxfs/base/errors.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define AG_MIN_BYTES (UINT64_C(16) << 20)
#define AG_MAX_BYTES ((UINT64_C(1) << 40) - 1)
#define AG_CONCURRENT_BYTES (UINT64_C(4) << 30)
#define MB (UINT64_C(1) << 20)
#define GB (UINT64_C(1) << 30)
#define TB (UINT64_C(1) << 40)

void mkfs_note(char *notes, size_t size, const char *format, ...)
{
	size_t used = strlen(notes);
	va_list ap;

	va_start(ap, format);
	vsnprintf(notes + used, size - used, format, ap);
	va_end(ap);
}

/* --- block, sector, directory block, inode --- */

static int block_size(const struct mkfs_options *o, struct mkfs_geometry *g, struct mkfs_error *err)
{
	uint32_t bs = (uint32_t)mkfs_number(o, MO_B_SIZE, 4096);

	if (bs < 1024 && mkfs_number(o, MO_M_CRC, 1))
		return mkfs_fail(err, true, "Minimum block size for CRC enabled filesystems is 1024 bytes.");
	g->sb.blocksize = bs;
	g->sb.blocklog = (uint8_t)xfs_log2_floor(bs);
	return 0;
}

static int64_t sector_asked(const struct mkfs_options *o)
{
	return mkfs_number(o, MO_S_SIZE, mkfs_number(o, MO_S_SECTSIZE, 0));
}

static int sector_size(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
		       struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize, lsect = facts->data.lsect, sect = (uint32_t)sector_asked(o);

	if (!sect)
		sect = (uint32_t)mkfs_number(o, MO_D_SECTSIZE, 0);
	if (!sect) {
		sect = facts->data.psect;
		if (facts->rt.present && facts->rt.psect > sect)
			sect = facts->rt.psect;
		if (sect > 32768)
			sect = lsect;
		if (bs < sect && bs >= lsect) {
			mkfs_note(g->warnings, sizeof(g->warnings),
				  "specified blocksize %u is less than device physical sector size %u\n"
				  "switching to logical sector size %u\n", bs, sect, lsect);
			sect = lsect;
		}
	}
	if (sect < 512 || sect > 32768 || !xfs_is_pow2(sect))
		return mkfs_fail(err, true, "illegal sector size %u", sect);
	if (bs < sect)
		return mkfs_fail(err, true, "block size %u cannot be smaller than sector size %u", bs, sect);
	if (sect < lsect)
		return mkfs_fail(err, true, "illegal sector size %u; hw sector is %u", sect, lsect);
	g->sb.sectsize = (uint16_t)sect;
	g->sb.sectlog = (uint8_t)xfs_log2_floor(sect);
	return 0;
}

static int log_sector_size(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			   struct mkfs_error *err)
{
	bool external = o->v[MO_L_LOGDEV].set || o->v[MO_L_NAME].set;
	uint32_t sect = external ? facts->log.lsect : g->sb.sectsize;

	if (sector_asked(o))
		sect = (uint32_t)sector_asked(o);
	if (o->v[MO_L_SECTSIZE].set) {
		sect = (uint32_t)o->v[MO_L_SECTSIZE].n;
		if (!external && sect != g->sb.sectsize)
			return mkfs_fail(err, true, "Can't change sector size on internal log!");
	}
	if (sect < 512 || sect > 32768 || sect > g->sb.blocksize || !xfs_is_pow2(sect))
		return mkfs_fail(err, true, "illegal log sector size %u", sect);
	g->logsect = sect;
	return 0;
}

static int directory_and_inode(const struct mkfs_options *o, struct mkfs_geometry *g, struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize, least = g->f.crc ? 512 : 256, most = bs / 2 < 2048 ? bs / 2 : 2048;
	int64_t dir = bs > 4096 ? bs : 4096, inode = mkfs_number(o, MO_I_SIZE, least);

	if (mkfs_option_late(o, MO_N_SIZE, bs, g->sb.sectsize, &dir, err))
		return -1;
	if (dir < bs)
		return mkfs_fail(err, true, "illegal directory block size %" PRId64, dir);
	g->sb.dirblklog = (uint8_t)(xfs_log2_floor((uint64_t)dir) - g->sb.blocklog);
	if (o->v[MO_I_PERBLOCK].set)
		inode = bs / o->v[MO_I_PERBLOCK].n;
	if (inode < least || inode > most) {
		if (most <= least)
			return mkfs_fail(err, false,
					"illegal inode size %" PRId64 "\nallowable inode size with %u byte blocks is "
					"%u",
					 inode, bs, least);
		return mkfs_fail(err, false,
				"illegal inode size %" PRId64 "\nallowable inode size with %u byte blocks is between "
				"%u and %u",
				 inode, bs, least, most);
	}
	g->sb.inodesize = (uint16_t)inode;
	g->sb.inodelog = (uint8_t)xfs_log2_floor((uint64_t)inode);
	g->sb.inopblock = (uint16_t)(bs / (uint32_t)inode);
	g->sb.inopblog = (uint8_t)(g->sb.blocklog - g->sb.inodelog);
	return 0;
}

/* --- size of the data section --- */

static int data_size(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
		     struct mkfs_error *err)
{
	uint32_t bs = g->sb.blocksize, unit = g->sb.sectsize > 1024 ? g->sb.sectsize : 1024;
	uint64_t device = xfs_round_down(facts->data.size, unit) / bs, least = xfs_ceil_div(AG_MIN_BYTES, bs);
	int64_t asked = 0;

	if (mkfs_option_late(o, MO_D_SIZE, bs, g->sb.sectsize, &asked, err))
		return -1;
	if (asked % 512)
		return mkfs_fail(err, true, "illegal data length %" PRId64 ", not a multiple of %d", asked, 512);
	if (asked && asked % bs)
		mkfs_note(g->warnings, sizeof(g->warnings),
				"warning: data length %" PRId64 " not a multiple of %u, truncated to %" PRIu64 "\n",
			  asked, bs, xfs_round_down((uint64_t)asked, bs));
	if (o->v[MO_D_FILE].set && o->v[MO_D_FILE].n && !asked)
		return mkfs_fail(err, true, "if -d file then -d name and -d size are required");
	g->sb.dblocks = (uint64_t)asked / bs;
	if (!asked)
		g->sb.dblocks = device;
	else if (!facts->data.growable && g->sb.dblocks > device)
		return mkfs_fail(err, true,
				"size %s specified for data subvolume is too large, maximum is %" PRIu64 " blocks",
				 o->v[MO_D_SIZE].text, device);
	if (g->sb.dblocks < least)
		return mkfs_fail(err, true,
				"size %" PRIu64 " of data subvolume is too small, minimum %" PRIu64 " blocks",
				 g->sb.dblocks, least);
	return 0;
}

/* --- stripes; su and sw are in 512-byte units until they are known to be whole blocks --- */

static int asked_stripe(const struct mkfs_options *o, struct mkfs_geometry *g, uint64_t *su, uint64_t *sw,
			struct mkfs_error *err)
{
	int64_t unit = 0;

	if (o->v[MO_D_SUNIT].set != o->v[MO_D_SWIDTH].set)
		return mkfs_fail(err, true, "both data sunit and data swidth options must be specified");
	if (o->v[MO_D_SU].set != o->v[MO_D_SW].set)
		return mkfs_fail(err, true, "both data su and data sw options must be specified");
	*su = (uint64_t)mkfs_number(o, MO_D_SUNIT, 0);
	*sw = (uint64_t)mkfs_number(o, MO_D_SWIDTH, 0);
	if (!o->v[MO_D_SU].set)
		return 0;
	if (mkfs_option_late(o, MO_D_SU, g->sb.blocksize, g->sb.sectsize, &unit, err))
		return -1;
	if (unit % g->sb.sectsize)
		return mkfs_fail(err, true, "stripe unit (%" PRId64 ") must be a multiple of the sector size (%u)",
				unit, g->sb.sectsize);
	*su = (uint64_t)unit / 512;
	*sw = *su * (uint64_t)o->v[MO_D_SW].n;
	if (*sw > INT32_MAX)
		return mkfs_fail(err, true,
				"data stripe width (%" PRIu64 ") is too large of a multiple of the data stripe unit "
				"(%" PRId64 ")",
				 *sw * 512, unit);
	if (unit && !o->v[MO_D_SW].n)
		return mkfs_fail(err, true, "stripe unit (%" PRId64 ") is larger than the stripe width (0)", unit);
	return 0;
}

/* Format sheet 05, 8.4, of bytes. */
static int check_stripe(uint64_t unit, uint64_t width, uint32_t sect, struct mkfs_error *err)
{
	if (width > INT32_MAX)
		return mkfs_fail(err, true, "stripe width (%" PRIu64 ") is too large", width);
	if (unit > width)
		return mkfs_fail(err, true, "stripe unit (%" PRIu64 ") is larger than the stripe width (%" PRIu64 ")",
				unit, width);
	if (unit % sect)
		return mkfs_fail(err, true, "stripe unit (%" PRIu64 ") must be a multiple of the sector size (%u)",
				unit, sect);
	if (width && !unit)
		return mkfs_fail(err, true, "invalid stripe width (%" PRIu64 ") and stripe unit of 0", width);
	if (unit && width % unit)
		return mkfs_fail(err, true,
				"stripe width (%" PRIu64 ") must be a multiple of the stripe unit (%" PRIu64 ")",
				width, unit);
	return 0;
}

/* what the device reports is a hint: dropped when it makes no sense */
static void device_stripe(const struct mkfs_device_facts *facts, struct mkfs_geometry *g, uint64_t *su, uint64_t *sw)
{
	struct mkfs_error ignored;

	*su = facts->data.sunit;
	*sw = facts->data.swidth;
	if (!*su && !*sw)
		return;
	if (check_stripe(*su * 512, *sw * 512, g->sb.sectsize, &ignored) || !*su) {
		mkfs_note(g->warnings, sizeof(g->warnings),
				"mkfs.xfs: Volume reports invalid stripe unit (%" PRIu64 ") and stripe width "
				"(%" PRIu64 "), ignoring.\n",
			  *su * 512, *sw * 512);
		*su = *sw = 0;
	} else if (g->sb.dblocks * g->sb.blocksize < GB) {
		mkfs_note(g->warnings, sizeof(g->warnings),
				"mkfs.xfs: small data volume, ignoring data volume stripe unit %" PRIu64 " and "
				"stripe width %" PRIu64 "\n",
			  *su, *sw);
		*su = *sw = 0;
	}
}

static int stripe(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
		  struct mkfs_error *err)
{
	uint64_t su = 0, sw = 0;
	bool asked = o->v[MO_D_SU].set || o->v[MO_D_SUNIT].set || o->v[MO_D_SW].set || o->v[MO_D_SWIDTH].set;

	if (asked) {
		if (asked_stripe(o, g, &su, &sw, err) || check_stripe(su * 512, sw * 512, g->sb.sectsize, err))
			return -1;
		if (su && facts->data.sunit && su != facts->data.sunit)
			mkfs_note(g->warnings, sizeof(g->warnings),
					"mkfs.xfs: Specified data stripe unit %" PRIu64 " is not the same as the "
					"volume stripe unit %u\n",
				  su, facts->data.sunit);
		if (sw && facts->data.swidth && sw != facts->data.swidth)
			mkfs_note(g->warnings, sizeof(g->warnings),
					"mkfs.xfs: Specified data stripe width %" PRIu64 " is not the same as the "
					"volume stripe width %u\n",
				  sw, facts->data.swidth);
	} else if (!mkfs_number(o, MO_D_NOALIGN, 0)) {
		device_stripe(facts, g, &su, &sw);
	}
	if (su * 512 % g->sb.blocksize || sw * 512 % g->sb.blocksize) {
		if (asked)
			return mkfs_fail(err, false,
					"mkfs.xfs: Stripe unit(%" PRIu64 ") or stripe width(%" PRIu64 ") is not a "
					"multiple of the block size(%u)",
					 su * 512, sw * 512, g->sb.blocksize);
		su = sw = 0;
	}
	g->dsunit = (uint32_t)(su * 512 / g->sb.blocksize);
	g->dswidth = (uint32_t)(sw * 512 / g->sb.blocksize);
	return 0;
}

/* --- allocation groups (8.1 to 8.3) --- */

struct groups {
	uint64_t count, size;	/* blocks */
};

static struct groups default_groups(uint64_t dblocks, uint32_t bs, bool many_disks)
{
	uint64_t bytes = dblocks * bs, most = AG_MAX_BYTES / bs;
	struct groups ag = { 0, most };
	unsigned shift = 2;

	if (many_disks || bytes < 128 * MB)
		shift = 5u - (bytes <= 512 * GB) - (bytes <= 8 * GB) - (bytes < 128 * MB) - (bytes < 64 * MB) -
			(bytes < 32 * MB);
	if (bytes < 32 * TB && (many_disks || bytes < 4 * TB)) {
		ag.size = dblocks >> shift;
		if (dblocks & ((UINT64_C(1) << shift) - 1) && ag.size < most)
			ag.size++;
	}
	ag.count = xfs_ceil_div(dblocks, ag.size);
	return ag;
}

/* one group for each writer, but not small ones */
static struct groups concurrent_groups(uint64_t dblocks, uint32_t bs, bool many_disks, uint64_t writers)
{
	struct groups ag = default_groups(dblocks, bs, many_disks);
	uint64_t size, threads = writers, most = AG_MAX_BYTES / bs;

	if (writers == 0 || writers < ag.count)
		return ag;
	size = dblocks / threads;
	if (size < AG_CONCURRENT_BYTES / bs) {
		while (size < AG_CONCURRENT_BYTES / bs) {
			if (--threads <= ag.count) {
				size = ag.size;
				break;
			}
			size = dblocks / threads;
		}
	} else {
		while (size > most && size > ag.size) {
			threads += writers;
			size = dblocks / threads;
		}
	}
	ag.size = size;
	ag.count = xfs_ceil_div(dblocks, size);
	return ag;
}

static int choose_groups(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			 struct groups *ag, struct mkfs_error *err)
{
	uint64_t dblocks = g->sb.dblocks, writers = 0;
	uint32_t bs = g->sb.blocksize;
	int64_t size = 0;

	if (o->v[MO_D_CONCURRENCY].set)
		writers = o->v[MO_D_CONCURRENCY].n == 1 ? facts->cpus : (uint64_t)o->v[MO_D_CONCURRENCY].n;
	else if (facts->data.solid)
		writers = facts->cpus;
	if (mkfs_option_late(o, MO_D_AGSIZE, bs, g->sb.sectsize, &size, err))
		return -1;
	if (o->v[MO_D_AGSIZE].set) {
		if (size % bs)
			return mkfs_fail(err, true, "agsize (%" PRId64 ") not a multiple of fs blk size (%u)", size,
					bs);
		ag->size = (uint64_t)size / bs;
		ag->count = xfs_ceil_div(dblocks, ag->size);
	} else if (o->v[MO_D_AGCOUNT].set) {
		ag->count = (uint64_t)o->v[MO_D_AGCOUNT].n;
		ag->size = xfs_ceil_div(dblocks, ag->count);
	} else {
		*ag = concurrent_groups(dblocks, bs, g->dsunit != 0, writers);
	}
	return 0;
}

static void align_groups(const struct mkfs_options *o, struct mkfs_geometry *g, struct groups *ag)
{
	uint64_t su = g->dsunit, sw = g->dswidth, most = AG_MAX_BYTES / g->sb.blocksize;
	bool fixed = o->v[MO_D_AGCOUNT].set;

	if (su == 0)
		return;
	if (ag->size % su) {
		uint64_t up = xfs_round_up(ag->size, su);

		ag->size = up > most ? xfs_round_down(ag->size, su) : up;
		if (o->v[MO_D_AGSIZE].set)
			mkfs_note(g->warnings, sizeof(g->warnings),
					"agsize rounded to %" PRIu64 ", sunit = %" PRIu64 "\n", ag->size, su);
		if (!fixed && ag->size)
			ag->count = xfs_ceil_div(g->sb.dblocks, ag->size);
	}
	if (ag->size % sw || sw == su || ag->count <= 1)
		return;
	if (fixed || o->v[MO_D_AGSIZE].set) {
		mkfs_note(g->notes, sizeof(g->notes),
			  "Warning: AG size is a multiple of stripe width.  This can cause performance\n"
			  "problems by aligning all AGs on the same disk.  To avoid this, run mkfs with\n"
			  "an AG size that is one stripe unit smaller or larger, for example %" PRIu64 ".\n",
					ag->size - su);
		return;
	}
	if (ag->size - su < AG_MIN_BYTES / g->sb.blocksize)
		ag->size += su;
	else
		ag->size -= su;
	ag->count = xfs_ceil_div(g->sb.dblocks, ag->size);
}

static int check_groups(const struct mkfs_geometry *g, const struct groups *ag, struct mkfs_error *err)
{
	uint64_t least = AG_MIN_BYTES / g->sb.blocksize, most = AG_MAX_BYTES / g->sb.blocksize, last;

	if (ag->size < least)
		return mkfs_fail(err, true, "agsize (%" PRIu64 " blocks) too small, need at least %" PRIu64 " blocks",
				ag->size, least);
	if (ag->size > most)
		return mkfs_fail(err, true, "agsize (%" PRIu64 " blocks) too big, maximum is %" PRIu64 " blocks",
				ag->size, most);
	if (ag->size > g->sb.dblocks)
		return mkfs_fail(err, true, "agsize (%" PRIu64 " blocks) too big, data area is %" PRIu64 " blocks",
				ag->size, g->sb.dblocks);
	if (ag->count > UINT32_MAX - 1)
		return mkfs_fail(err, true, "%" PRIu64 " allocation groups is too many, maximum is %" PRIu64,
				ag->count, (uint64_t)UINT32_MAX - 1);
	if (ag->size * ag->count < g->sb.dblocks)
		return mkfs_fail(err, true, "agsize (%" PRIu64 " blocks) too small, need at least %" PRIu64 " blocks",
				ag->size,
				 xfs_ceil_div(g->sb.dblocks, ag->count));
	last = ag->size * (ag->count - 1) < g->sb.dblocks ? g->sb.dblocks - ag->size * (ag->count - 1) : 0;
	if (last < least && last != ag->size)
		return mkfs_fail(err, true,
				"last AG size %" PRIu64 " blocks too small, minimum size is %" PRIu64 " blocks", last,
				least);
	return 0;
}

static int groups(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
		  struct mkfs_error *err)
{
	uint64_t least = AG_MIN_BYTES / g->sb.blocksize, rest;
	struct groups ag = { 0, 0 };

	if (choose_groups(o, facts, g, &ag, err))
		return -1;
	align_groups(o, g, &ag);
	rest = ag.size ? g->sb.dblocks % ag.size : 0;
	if (rest && rest < least && ag.count > 1 && ag.size >= least && g->sb.dblocks / ag.size == ag.count - 1) {
		ag.count--;
		g->sb.dblocks -= rest;
	}
	if (check_groups(g, &ag, err))
		return -1;
	g->sb.agblocks = (uint32_t)ag.size;
	g->sb.agcount = (uint32_t)ag.count;
	g->sb.agblklog = (uint8_t)xfs_log2_ceil(ag.size);
	return 0;
}

/* --- hints --- */

static int hints(const struct mkfs_options *o, struct mkfs_geometry *g, struct mkfs_error *err)
{
	uint32_t most = (uint32_t)xfs_min(XFS_BMBT_MAXLEN, g->sb.agblocks / 2);

	g->extsize = (uint32_t)mkfs_number(o, MO_D_EXTSZINHERIT, 0);
	g->cowextsize = (uint32_t)mkfs_number(o, MO_D_COWEXTSIZE, 0);
	g->projid = (uint32_t)mkfs_number(o, MO_D_PROJINHERIT, 0);
	g->projinherit = o->v[MO_D_PROJINHERIT].set;
	g->daxinherit = mkfs_number(o, MO_D_DAXINHERIT, 0) != 0;
	if (g->extsize && g->extsize >= most)
		return mkfs_fail(err, true, "illegal extent size hint %u, must be less than %u.", g->extsize, most);
	if (g->extsize && g->f.rtinherit && g->extsize % g->sb.rextsize)
		return mkfs_fail(err, true,
				"illegal extent size hint %u, must be a multiple of the rt extent size %u.",
				g->extsize,
				 g->sb.rextsize);
	if (g->cowextsize && g->cowextsize >= most)
		return mkfs_fail(err, true, "illegal CoW extent size hint %u, must be less than %u.", g->cowextsize,
				most);
	return 0;
}

/* --- the superblock --- */

static void set_versions(struct mkfs_geometry *g)
{
	const struct mkfs_features *f = &g->f;
	struct xfs_sb *sb = &g->sb;
	uint32_t v = XFS_SB_VERSION_DIRV2 | XFS_SB_VERSION_EXTFLG | XFS_SB_VERSION_NLINK;

	sb->features2 = (f->lazy ? XFS_SB_FEAT2_LAZYSBCOUNT : 0) | (f->attr == 2 ? XFS_SB_FEAT2_ATTR2 : 0) |
		(f->projid32 ? XFS_SB_FEAT2_PROJID32 : 0) | (f->crc ? XFS_SB_FEAT2_CRC : 0) |
		(f->ftype && !f->crc ? XFS_SB_FEAT2_FTYPE : 0);
	sb->bad_features2 = sb->features2;
	v |= f->crc ? 5 : 4;
	v |= f->align ? XFS_SB_VERSION_ALIGN : 0;
	v |= g->dsunit ? XFS_SB_VERSION_DALIGN : 0;
	v |= f->log_version == 2 ? XFS_SB_VERSION_LOGV2 : 0;
	v |= f->attr == 1 || f->parent || f->autofsck >= 0 ? XFS_SB_VERSION_ATTR : 0;
	v |= f->qflags ? XFS_SB_VERSION_QUOTA : 0;
	v |= f->ci ? XFS_SB_VERSION_BORG : 0;
	v |= sb->features2 ? XFS_SB_VERSION_MOREBITS : 0;
	if (sb->sectsize > 512 || g->logsect > 512) {
		v |= XFS_SB_VERSION_SECTOR;
		sb->logsectsize = (uint16_t)g->logsect;
		sb->logsectlog = (uint8_t)xfs_log2_floor(g->logsect);
	}
	sb->versionnum = (uint16_t)v;
	if (!f->crc)
		return;
	sb->features_ro_compat = (f->finobt ? XFS_SB_ROCOMPAT_FINOBT : 0) | (f->rmapbt ? XFS_SB_ROCOMPAT_RMAPBT : 0) |
		(f->reflink ? XFS_SB_ROCOMPAT_REFLINK : 0) | (f->inobtcount ? XFS_SB_ROCOMPAT_INOBTCNT : 0);
	sb->features_incompat = XFS_SB_INCOMPAT_FTYPE | (f->sparse ? XFS_SB_INCOMPAT_SPINODES : 0) |
		(f->bigtime ? XFS_SB_INCOMPAT_BIGTIME : 0) | (f->nrext64 ? XFS_SB_INCOMPAT_NREXT64 : 0) |
		(f->exchange ? XFS_SB_INCOMPAT_EXCHRANGE : 0) | (f->parent ? XFS_SB_INCOMPAT_PARENT : 0) |
		(f->metadir ? XFS_SB_INCOMPAT_METADIR : 0) | (f->zoned ? XFS_SB_INCOMPAT_ZONED : 0);
}

static void set_superblock(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g)
{
	struct xfs_sb *sb = &g->sb;
	uint32_t align = (g->f.crc ? 8192u / 256 * sb->inodesize : 8192u) / sb->blocksize;
	uint64_t bytes = sb->dblocks * sb->blocksize;

	sb->magicnum = XFS_SB_MAGIC;
	memcpy(sb->uuid, o->v[MO_M_UUID].set ? o->uuid : facts->uuid, 16);
	if (o->label)
		memcpy(sb->fname, o->label, strnlen(o->label, sizeof(sb->fname)));
	sb->imax_pct = (uint8_t)mkfs_number(o, MO_I_MAXPCT, bytes < TB ? 25 : bytes < 50 * TB ? 5 : 1);
	sb->unit = g->dsunit;
	sb->width = g->dswidth;
	sb->qflags = g->f.qflags;
	if (g->f.align) {
		sb->inoalignmt = align;
		if (g->f.sparse) {
			sb->inoalignmt = 64u * sb->inodesize / sb->blocksize;
			sb->spino_align = align;
		}
	}
	sb->logsunit = g->f.log_version == 1 ? 0 : g->lsunit ? g->lsunit * sb->blocksize : 1;
	set_versions(g);
}

/* As repair expects the root's chunk (format sheet 05, 11.1): behind the free list, aligned. */
static uint64_t chunk_place(const struct xfs_geometry *geo, uint64_t b)
{
	b += xfs_agfl_minimum(geo, 1, 1, 1);
	if (geo->sb.unit && geo->ialloc_align)
		return xfs_round_up(b, geo->sb.unit);
	if (geo->sb.versionnum & XFS_SB_VERSION_ALIGN && geo->sb.inoalignmt > 1)
		return xfs_round_up(b, geo->sb.inoalignmt);
	return b;
}

/*
 * Inodes of the metadata directory but its root lie in the log's AG (format sheet 10, 4.3).  When that is AG 0 or has
 * no room, the first chunk takes them.
 */
static void place_chunks(struct mkfs_geometry *g)
{
	const struct xfs_geometry *geo = &g->geo;
	uint64_t behind_log = (uint64_t)g->log_agbno + g->sb.logblocks, place;

	g->chunk[0].agbno = (uint32_t)chunk_place(geo, g->sb.logstart && g->log_agno == 0 ? behind_log : g->prealloc);
	g->nchunks = 1;
	g->sb.rootino = (uint64_t)g->chunk[0].agbno << geo->inopblog;
	if (!g->f.metadir)
		return;
	g->rtgroups_ino = g->sb.rootino + 2;
	if (!g->sb.logstart || g->log_agno == 0)
		return;
	place = chunk_place(geo, behind_log);
	if (place + geo->ialloc_blks > xfs_ag_length(geo, XFS_AGNO(g->log_agno)))
		return;
	g->chunk[1].agno = g->log_agno;
	g->chunk[1].agbno = (uint32_t)place;
	g->nchunks = 2;
	g->rtgroups_ino = xfs_ino_of(geo, XFS_AGNO(g->log_agno), XFS_AGINO(place << geo->inopblog)).v;
}

/* Counters and inode numbers of the finished filesystem; a realtime section's files are not counted here. */
static int set_counters(struct mkfs_geometry *g, struct mkfs_error *err)
{
	struct xfs_sb *sb = &g->sb;

	place_chunks(g);
	if (g->chunk[0].agbno + (uint64_t)g->geo.ialloc_blks > xfs_ag_length(&g->geo, XFS_AGNO(0)))
		return mkfs_fail(err, false, "mkfs.xfs: no room for the root directory in the first allocation group");
	g->fdblocks_before = sb->dblocks - (uint64_t)sb->agcount * g->prealloc - (sb->logstart ? sb->logblocks : 0);
	sb->fdblocks = g->fdblocks_before - (uint64_t)g->nchunks * g->geo.ialloc_blks;
	sb->icount = (uint64_t)g->nchunks * g->geo.ialloc_inos;
	sb->ifree = sb->icount - 3;
	sb->frextents = g->f.zoned || !sb->rextents ? 0 : sb->rextents - g->f.metadir;
	if (g->f.metadir) {
		sb->metadirino = sb->rootino + 1;
	} else {
		sb->rbmino = sb->rootino + 1;
		sb->rsumino = sb->rootino + 2;
	}
	return 0;
}

static int derive(struct mkfs_geometry *g, struct mkfs_error *err)
{
	const char *why = "";
	int error = xfs_geometry_init(&g->geo, &g->sb, NULL, &why);

	if (error)
		return mkfs_fail(err, false, "mkfs.xfs: this geometry is not possible: %s", why);
	return 0;
}

static int check_supported(const struct mkfs_device_facts *facts, const struct mkfs_geometry *g, struct mkfs_error *err)
{
	uint64_t bs = g->sb.blocksize;

	if (facts->small_allowed)
		return 0;
	if (g->sb.dblocks * bs < 300 * MB)
		return mkfs_fail(err, true, "Filesystem must be larger than 300MB.");
	if (g->sb.logblocks * bs < 64 * MB)
		return mkfs_fail(err, true, "Log size must be at least 64MB.");
	if (g->sb.agcount < 2)
		return mkfs_fail(err, true, "Filesystem must have at least 2 superblocks for redundancy!");
	return 0;
}

static void set_later(const struct mkfs_options *o, struct mkfs_geometry *g)
{
	if (g->f.zoned)
		g->later = "a zoned realtime section (-r zoned)";
	else if (g->f.rt)
		g->later = "a realtime section (-r)";
	else if (o->v[MO_P_FILE].set)
		g->later = "filling the filesystem (-p)";
}

static int compute(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
		   struct mkfs_error *err)
{
	if (o->unsupported)
		mkfs_note(g->notes, sizeof(g->notes), "Filesystems formatted with --unsupported are not supported!!\n");
	if (block_size(o, g, err) || sector_size(o, facts, g, err) || log_sector_size(o, facts, g, err) ||
	    mkfs_decide_features(o, g->sb.blocksize, g, err))
		return -1;
	if (g->f.log_version == 1 && g->logsect > 512)
		return mkfs_fail(err, true, "Version 1 logs do not support sector size %u", g->logsect);
	if (directory_and_inode(o, g, err) || mkfs_compute_rt_extent(o, facts, g, err) || data_size(o, facts, g, err) ||
	    mkfs_compute_rt(o, facts, g, err) || stripe(o, facts, g, err) || groups(o, facts, g, err) ||
	    mkfs_compute_log_unit(o, g, err))
		return -1;
	set_superblock(o, facts, g);
	g->max_usable = g->sb.agblocks - xfs_ceil_div(4u * g->sb.sectsize, g->sb.blocksize) - 4 - 3 -
		g->f.finobt - g->f.rmapbt - g->f.reflink;
	g->prealloc = (uint32_t)xfs_ceil_div(4u * g->sb.sectsize,
			g->sb.blocksize) + 3 + g->f.finobt + g->f.rmapbt + g->f.reflink;
	if (derive(g, err) || mkfs_compute_log(o, facts, g, err) || hints(o, g, err) || check_supported(facts, g,
			err) || derive(g, err))
		return -1;
	if (set_counters(g, err))
		return -1;
	set_later(o, g);
	g->data_size = g->sb.dblocks * g->sb.blocksize;
	return derive(g, err);
}

int mkfs_geometry_compute(const struct mkfs_options *o, const struct mkfs_device_facts *facts, struct mkfs_geometry *g,
			  struct mkfs_error *err)
{
	memset(g, 0, sizeof(*g));
	return compute(o, facts, g, err);
}
