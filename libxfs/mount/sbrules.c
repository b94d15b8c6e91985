/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sbrules.c - what makes a superblock usable (format sheet 01, sections 1, 4 and 5A), one row a rule.
 *
 * Every condition is safe by itself for any content: no rule relies on an earlier one.  So all are judged and a reader
 * of the findings sees the whole damage.
 */
#include "libxfs/mount/geometry_priv.h"

#include "libxfs/base/errors.h"
#include "libxfs/base/types.h"

#define MAX_LOG_BYTES UINT64_C(2136997888)	/* 2 GiB - 10 MiB */
#define RTGROUP_MAX UINT64_C(0x7fffffff)	/* blocks */

static bool is_log(uint64_t value, unsigned log, unsigned low, unsigned high)
{
	return log >= low && log <= high && value == UINT64_C(1) << log;
}

static bool agcount_fits(const struct xfs_sb *sb)
{
	return sb->agblocks && sb->agcount && sb->agcount == xfs_ceil_div(sb->dblocks, sb->agblocks);
}

static bool last_ag_fits(const struct xfs_sb *sb)
{
	/* both products are below 2^64 */
	return sb->agcount && sb->dblocks <= (uint64_t)sb->agcount * sb->agblocks &&
		sb->dblocks >= (uint64_t)(sb->agcount - 1) * sb->agblocks &&
		sb->dblocks - (uint64_t)(sb->agcount - 1) * sb->agblocks >= 64;
}

/* the size in bytes must fit a 64-bit file offset */
static bool addressable(const struct xfs_sb *sb)
{
	uint64_t bytes;

	return !xfs_mul_overflows(sb->dblocks, (uint64_t)sb->blocksize, &bytes) && bytes <= INT64_MAX;
}

static bool sparse_align(const struct xfs_sb *sb)
{
	if (!xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_SPINODES))
		return true;
	return sb->blocksize && sb->inoalignmt == 64u * sb->inodesize / sb->blocksize;
}

static bool spino_align(const struct xfs_sb *sb)
{
	if (!xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_SPINODES))
		return sb->spino_align == 0;
	return sb->spino_align == 0 || (sb->spino_align <= sb->inoalignmt && sb->inoalignmt % sb->spino_align == 0);
}

/* V5 knows no "other" quota bits, V4 none of group and project apart */
static bool qflags(const struct xfs_sb *sb)
{
	return !(sb->qflags & (xfs_sb_is_v5(sb) ? XFS_SB_QUOTA_V4_ONLY : XFS_SB_QUOTA_V5_ONLY));
}

static uint32_t needed_version_bits(const struct xfs_sb *sb)
{
	uint32_t both = XFS_SB_VERSION_EXTFLG | XFS_SB_VERSION_DIRV2;

	return xfs_sb_is_v5(sb) ? both | XFS_SB_VERSION_NLINK | XFS_SB_VERSION_ALIGN | XFS_SB_VERSION_LOGV2 |
		XFS_SB_VERSION_MOREBITS : both;
}

static bool features2(const struct xfs_sb *sb)
{
	uint32_t need = XFS_SB_FEAT2_LAZYSBCOUNT | XFS_SB_FEAT2_ATTR2 | XFS_SB_FEAT2_PROJID32 | XFS_SB_FEAT2_CRC;

	if (xfs_sb_is_v5(sb))
		return (sb->features2 & need) == need && !(sb->features2 & ~(need | XFS_SB_FEAT2_FTYPE));
	if (!(sb->versionnum & XFS_SB_VERSION_MOREBITS))
		return true;
	need &= ~XFS_SB_FEAT2_CRC;
	return !(sb->features2 & ~(need | XFS_SB_FEAT2_FTYPE));
}

static bool log_sector(const struct xfs_sb *sb)
{
	if (!(sb->versionnum & XFS_SB_VERSION_SECTOR))
		return sb->logsectsize == 0 && sb->logsectlog == 0;
	return is_log(sb->logsectsize, sb->logsectlog, 9, 15);
}

static bool log_unit(const struct xfs_sb *sb)
{
	return sb->logsunit <= 1 || (sb->blocksize && sb->logsunit % sb->blocksize == 0 && sb->logsunit <= 256u << 10);
}

static bool stripe(const struct xfs_sb *sb)
{
	if (!sb->unit || !sb->width)
		return !sb->unit && !sb->width;
	return sb->unit <= sb->width && sb->width % sb->unit == 0 &&
		(uint64_t)sb->width * sb->blocksize <= INT32_MAX;
}

static uint64_t rtbitmap_blocks(const struct xfs_sb *sb)
{
	bool metadir = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR);

	if (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONED))
		return 0;
	if (sb->blocksize < 512)
		return 0;
	return metadir ? xfs_ceil_div(sb->rgextents, 8 * ((uint64_t)sb->blocksize - 48))
		       : xfs_ceil_div(sb->rextents, 8 * (uint64_t)sb->blocksize);
}

/* format sheet 01, section 12 */
static bool rt_geometry(const struct xfs_sb *sb)
{
	if (sb->rblocks == 0)
		return sb->rextents == 0 && sb->rbmblocks == 0 && sb->rextslog == 0 && sb->frextents == 0;
	return sb->rextsize && sb->rextents && sb->rextents == sb->rblocks / sb->rextsize &&
		sb->rextslog == xfs_log2_floor(sb->rextents) && sb->rbmblocks == rtbitmap_blocks(sb);
}

static bool rt_size(const struct xfs_sb *sb)
{
	uint64_t bytes;

	return !xfs_mul_overflows(sb->rblocks, (uint64_t)sb->blocksize, &bytes) && bytes <= INT64_MAX;
}

static bool rt_groups(const struct xfs_sb *sb)
{
	if (!xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR))
		return true;
	return sb->rextsize && sb->rgextents >= 2 && sb->rgextents <= RTGROUP_MAX / sb->rextsize &&
		sb->rgcount == xfs_ceil_div(sb->rextents, sb->rgextents) &&
		sb->rgblklog == xfs_log2_ceil((uint64_t)sb->rgextents * sb->rextsize);
}

static bool pad_zero(const struct xfs_sb *sb)
{
	static const uint8_t none[sizeof(sb->pad)];

	return !xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR) || memcmp(sb->pad, none, sizeof(none)) == 0;
}

static bool metadir_needs(const struct xfs_sb *sb)
{
	return !xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR) ||
		xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_EXCHRANGE);
}

static bool zoned_needs(const struct xfs_sb *sb)
{
	if (!xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONED))
		return !xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONE_GAPS);
	return xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR);
}

static bool zoned_layout(const struct xfs_sb *sb)
{
	if (!xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONED))
		return true;
	return sb->frextents == 0 && sb->rextsize == 1 && (sb->rtstart == 0 || sb->rtstart >= sb->dblocks) &&
		(sb->rtreserved == 0 || sb->rtreserved < sb->rblocks) &&
		(sb->rgextents == 0 || sb->rextents % sb->rgextents == 0);	/* zones are whole; Linux 7.3 */
}

/* X(field, must hold, error, reason) */
#define SB_RULES(X)											\
	X(magicnum, sb->magicnum == XFS_SB_MAGIC, BADSB, "sb_magicnum is not XFSB")			\
	X(versionnum, xfs_sb_version(sb) == 4 || xfs_sb_version(sb) == 5, UNSUPPORTED,			\
		"sb_versionnum is neither version 4 nor 5")						\
	X(versionnum, (sb->versionnum & needed_version_bits(sb)) == needed_version_bits(sb), BADSB,	\
		"sb_versionnum lacks a required bit")							\
	X(versionnum, !(sb->versionnum & XFS_SB_VERSION_SHARED), BADSB, "sb_versionnum has the SHARED bit")	\
	X(features2, features2(sb), BADSB, "sb_features2 is not possible for this version")		\
	X(features_incompat, !xfs_sb_has_incompat(sb, ~XFS_SB_INCOMPAT_KNOWN), UNSUPPORTED,		\
		"sb_features_incompat has unknown bits")						\
	X(blocksize, is_log(sb->blocksize, sb->blocklog, xfs_sb_is_v5(sb) ? 10 : 9, 16), BADSB,		\
		"sb_blocksize is out of range or not 2^sb_blocklog")					\
	X(sectsize, is_log(sb->sectsize, sb->sectlog, 9, 15), BADSB,					\
		"sb_sectsize is out of range or not 2^sb_sectlog")					\
	X(sectsize, sb->sectsize <= sb->blocksize, BADSB, "sb_sectsize is larger than sb_blocksize")	\
	X(inodesize, is_log(sb->inodesize, sb->inodelog, 8, 11), BADSB,					\
		"sb_inodesize is out of range or not 2^sb_inodelog")					\
	X(inopblock, sb->inodesize && sb->inopblock == sb->blocksize / sb->inodesize && sb->inopblock, BADSB,	\
		"sb_inopblock is not sb_blocksize / sb_inodesize")					\
	X(inopblog, (int)sb->inopblog == (int)sb->blocklog - (int)sb->inodelog, BADSB,			\
		"sb_inopblog is not sb_blocklog - sb_inodelog")						\
	X(dirblklog, (unsigned)sb->dirblklog + sb->blocklog <= 16, BADSB, "sb_dirblklog is too large")	\
	X(dblocks, sb->dblocks != 0 && addressable(sb), BADSB, "sb_dblocks is zero or too large")	\
	X(agblocks, (uint64_t)sb->agblocks * sb->blocksize >= UINT64_C(1) << 24 &&			\
		(uint64_t)sb->agblocks * sb->blocksize <= UINT64_C(1) << 40, BADSB, "sb_agblocks is out of range") \
	X(agblklog, sb->agblocks && sb->agblklog == xfs_log2_ceil(sb->agblocks), BADSB,			\
		"sb_agblklog does not fit sb_agblocks")							\
	X(agcount, agcount_fits(sb), BADSB, "sb_agcount is not sb_dblocks / sb_agblocks, rounded up")	\
	X(dblocks, last_ag_fits(sb), BADSB, "sb_dblocks leaves a last group that is too short or too long")	\
	X(imax_pct, sb->imax_pct <= 100, BADSB, "sb_imax_pct is above 100")				\
	X(shared_vn, sb->shared_vn == 0, BADSB, "sb_shared_vn is not zero")				\
	X(qflags, qflags(sb), BADSB, "sb_qflags has bits of another version")				\
	X(inoalignmt, sparse_align(sb), BADSB, "sb_inoalignmt is not one inode chunk")			\
	X(spino_align, spino_align(sb), BADSB, "sb_spino_align does not fit sb_inoalignmt")		\
	X(logblocks, sb->logblocks <= 1u << 20 && (uint64_t)sb->logblocks * sb->blocksize <= MAX_LOG_BYTES, BADSB, \
		"sb_logblocks is too large")								\
	X(logsectsize, log_sector(sb), BADSB, "sb_logsectsize does not fit sb_logsectlog and the SECTOR bit")	\
	X(logsunit, log_unit(sb), BADSB, "sb_logsunit is no multiple of the block size or above 256 KiB")	\
	X(unit, (sb->unit != 0) == ((sb->versionnum & XFS_SB_VERSION_DALIGN) != 0), BADSB,		\
		"sb_unit does not fit the DALIGN bit")							\
	X(width, stripe(sb), BADSB, "sb_width is not a multiple of sb_unit or too large")		\
	X(rextsize, (uint64_t)sb->rextsize * sb->blocksize >= 4096 &&					\
		(uint64_t)sb->rextsize * sb->blocksize <= UINT64_C(1) << 30, BADSB, "sb_rextsize is out of range") \
	X(rblocks, rt_size(sb), BADSB, "sb_rblocks is too large")					\
	X(rextents, rt_geometry(sb), BADSB, "sb_rextents, sb_rextslog or sb_rbmblocks does not fit sb_rblocks")	\
	X(rgextents, rt_groups(sb), BADSB, "sb_rgcount, sb_rgextents or sb_rgblklog is not possible")	\
	X(rgblklog, pad_zero(sb), BADSB, "sb_pad is not zero")						\
	X(features_incompat, metadir_needs(sb), BADSB, "sb_features_incompat has METADIR without EXCHRANGE")	\
	X(features_incompat, zoned_needs(sb), BADSB, "sb_features_incompat has zone bits without what they need") \
	X(rtstart, zoned_layout(sb), BADSB,								\
	  "sb_rtstart, sb_rtreserved, sb_rextsize, sb_rextents or sb_frextents does not fit a zoned device")

static const struct sb_rule {
	const char *field, *why;
	int error;
} rules[] = {
#define X(field, holds, error, why) { #field, why, XFS_E_##error },
	SB_RULES(X)
#undef X
};

struct sb_verdict {
	bool holds;
	uint64_t found;
};

static void judge_all(const struct xfs_sb *sb, struct sb_verdict *v)
{
	size_t n = 0;

#define X(field, holds, error, why) v[n++] = (struct sb_verdict){ holds, sb->field };
	SB_RULES(X)
#undef X
}

static void report(const struct xfs_sink *sink, const struct sb_rule *rule, uint64_t found)
{
	struct xfs_finding f = {
		.id = rule->error == XFS_E_UNSUPPORTED ? XFS_F_SB_FEATURE : XFS_F_SB_FIELD, .structure = "sb",
		.field = rule->field, .agno = XFS_NULL32, .agbno = XFS_NULL32, .ino = XFS_NULL64,
		.fileoff = XFS_NULL64, .len = XFS_NULL64, .found = found, .expected = XFS_NULL64,
	};

	if (!sink || !sink->emit)
		return;
	strncpy(f.detail, rule->why, sizeof(f.detail) - 1);
	xfs_finding_emit(sink, &f);
}

int xfs_sb_judge(const struct xfs_sb *sb, const struct xfs_sink *sink, const char **why)
{
	struct sb_verdict verdict[XFS_ARRAY_SIZE(rules)];
	int error = 0;

	judge_all(sb, verdict);
	for (size_t i = 0; i < XFS_ARRAY_SIZE(rules); i++) {
		if (verdict[i].holds)
			continue;
		if (!error) {
			error = -rules[i].error;
			if (why)
				*why = rules[i].why;
		}
		report(sink, &rules[i], verdict[i].found);
	}
	return error;
}
