/* SPDX-License-Identifier: BSD-2-Clause */
/* sbcopy.c - reads one copy of the superblock, says whether it can be believed, and compares two. */
#include "repair/sbcopy.h"

#include "libxfs/base/crc32c.h"

#include <string.h>

static bool has_unknown(const struct xfs_sb *sb)
{
	return sb->features_compat || sb->features_ro_compat & ~XFS_SB_ROCOMPAT_KNOWN ||
	       sb->features_incompat & ~XFS_SB_INCOMPAT_KNOWN;
}

/* Inodes are aligned to 8 KiB, to that much for each 256 bytes of an inode, or to whole chunks; or not at all. */
static bool alignment_possible(const struct xfs_sb *sb)
{
	uint32_t align = sb->inoalignmt;

	return !align || align == 8192 / sb->blocksize || align == 8192u * (sb->inodesize / 256) / sb->blocksize ||
	       align == 64u * sb->inodesize / sb->blocksize;
}

/* What is wrong with a superblock of which the geometry is possible; NULL: nothing. */
static const char *problem_of(const struct xfs_sb *sb, const struct xfs_geometry *geo)
{
	if (xfs_sb_is_v5(sb) && has_unknown(sb))
		return "unknown features";
	if (!alignment_possible(sb))
		return "impossible inode alignment";
	if (sb->logstart && !xfs_fsbno_range_valid(geo, sb->logstart, sb->logblocks))
		return "log lies outside";
	return NULL;
}

/* The checksum that its sector should have; V4 has one only where the field is set. */
static bool is_whole(const uint8_t *buf, size_t len, const struct xfs_sb *sb)
{
	if (!xfs_sb_is_v5(sb) && !sb->crc)
		return true;
	return sb->sectsize <= len && sb->sectsize >= XFS_BBSIZE && xfs_is_pow2(sb->sectsize) &&
	       xfs_crc32c_check(buf, sb->sectsize, XFS_SB_CRC_OFF);
}

bool repair_sb_possible(const struct xfs_sb *sb)
{
	struct xfs_geometry geo;

	return !xfs_geometry_init(&geo, sb, NULL, NULL) && !problem_of(sb, &geo);
}

static int decode_copy(const uint8_t *buf, size_t len, struct repair_sb_copy *c)
{
	struct xfs_geometry geo;
	int error;

	c->readable = true;
	c->valid = false;
	xfs_sb_decode(&c->sb, buf);
	if (c->sb.magicnum != XFS_SB_MAGIC) {
		c->why = "bad magic number";
		return -XFS_E_BADMAGIC;
	}
	error = xfs_geometry_init(&geo, &c->sb, NULL, &c->why);
	/* what a damaged copy says of unknown features is no reason to give up */
	if ((!error || error == -XFS_E_UNSUPPORTED) && !is_whole(buf, len, &c->sb)) {
		c->why = "bad CRC in superblock";
		return -XFS_E_BADCRC;
	}
	if (error)
		return error;
	c->why = problem_of(&c->sb, &geo);
	if (c->why)
		return xfs_sb_is_v5(&c->sb) && has_unknown(&c->sb) ? -XFS_E_UNSUPPORTED : -XFS_E_BADSB;
	c->valid = true;
	return 0;
}

/* What one bit at most tells from the first word of a superblock: searching sectors of anything else takes long. */
static bool is_near(const uint8_t *buf)
{
	uint32_t differs = xfs_be32(buf) ^ XFS_SB_MAGIC;

	return !(differs & (differs - 1));
}

/* One flipped bit: which sector size is right only the checksum can say, as the bit may be in that field. */
static int flip_back(uint8_t *buf, size_t len, struct repair_sb_copy *c)
{
	for (size_t size = 512; size <= len && is_near(buf); size *= 2) {
		struct repair_sb_copy again = { 0 };
		size_t byte;
		unsigned bit;

		if (!xfs_crc32c_find_flip(buf, size, XFS_SB_CRC_OFF, &byte, &bit))
			continue;
		buf[byte] ^= (uint8_t)(1u << bit);
		if (!decode_copy(buf, len, &again) && xfs_sb_is_v5(&again.sb)) {
			*c = again;
			c->flipped = true;
			c->why = "one bit is flipped";
			return 0;
		}
		buf[byte] ^= (uint8_t)(1u << bit);
	}
	return -XFS_E_BADCRC;
}

int repair_sb_read(struct xfs_dev *dev, uint64_t off, struct repair_sb_copy *c)
{
	uint8_t buf[REPAIR_MAX_SECTOR];
	size_t len = sizeof(buf);
	int error;

	memset(c, 0, sizeof(*c));
	if (off >= dev->size || dev->size - off < 512) {
		c->why = "attempted to perform I/O beyond EOF";
		return -XFS_E_SHORT;
	}
	if (dev->size - off < len)
		len = (size_t)(dev->size - off) & ~(size_t)511;
	error = xfs_dev_read(dev, off, buf, len);
	if (error) {
		/* one bad sector behind the superblock must not hide it */
		len = 512;
		error = xfs_dev_read(dev, off, buf, len);
	}
	if (error) {
		c->why = "cannot be read";
		return error;
	}
	error = decode_copy(buf, len, c);
	return error && !flip_back(buf, len, c) ? 0 : error;
}

/* One of the fields that stand in a superblock twice, as a number and as its logarithm, made from the others. */
static void set_by_twin(struct xfs_sb *sb, unsigned which)
{
	switch (which) {
	case 0: sb->blocksize = UINT32_C(1) << xfs_min(sb->blocklog, 31); break;
	case 1: sb->sectsize = (uint16_t)(1u << xfs_min(sb->sectlog, 15)); break;
	case 2: sb->inodesize = (uint16_t)(1u << xfs_min(sb->inodelog, 15)); break;
	case 3: sb->inopblock = (uint16_t)(1u << xfs_min(sb->inopblog, 15)); break;
	case 4: sb->blocklog = (uint8_t)xfs_log2_ceil(sb->blocksize); break;
	case 5: sb->sectlog = (uint8_t)xfs_log2_ceil(sb->sectsize); break;
	case 6: sb->inodelog = (uint8_t)xfs_log2_ceil(sb->inodesize); break;
	case 7: sb->inopblog = (uint8_t)xfs_log2_ceil(sb->inopblock); break;
	case 8: sb->agblklog = (uint8_t)xfs_log2_ceil(sb->agblocks); break;
	default: sb->rextslog = (uint8_t)(sb->rextents ? xfs_log2_floor(sb->rextents) : 0); break;
	}
}

bool repair_sb_by_twins(const struct repair_sb_copy *c, struct xfs_sb *out)
{
	if (!c->readable || c->valid || c->sb.magicnum != XFS_SB_MAGIC)
		return false;
	for (unsigned which = 0; which < 10; which++) {
		*out = c->sb;
		set_by_twin(out, which);
		if (repair_sb_possible(out))
			return true;
	}
	return false;
}

bool repair_sb_same_geometry(const struct xfs_sb *a, const struct xfs_sb *b)
{
	const unsigned align = XFS_SB_VERSION_ALIGN | XFS_SB_VERSION_DALIGN;

	return a->blocksize == b->blocksize && a->dblocks == b->dblocks && a->rblocks == b->rblocks &&
	       a->rextents == b->rextents && a->logstart == b->logstart && a->rextsize == b->rextsize &&
	       a->agblocks == b->agblocks && a->agcount == b->agcount && a->rbmblocks == b->rbmblocks &&
	       (!xfs_sb_has_incompat(a, XFS_SB_INCOMPAT_METADIR) ||
		(a->rgcount == b->rgcount && a->rgextents == b->rgextents)) &&
	       a->logblocks == b->logblocks && a->sectsize == b->sectsize && a->inodesize == b->inodesize &&
	       (a->versionnum & align) == (b->versionnum & align) && xfs_sb_is_v5(a) == xfs_sb_is_v5(b) &&
	       !memcmp(a->uuid, b->uuid, 16);
}

bool repair_sb_same_rest(const struct xfs_sb *primary, const struct xfs_sb *sb)
{
	const uint64_t *const numbers[2][4] = {
		{ &primary->rootino, &primary->rbmino, &primary->rsumino, &primary->metadirino },
		{ &sb->rootino, &sb->rbmino, &sb->rsumino, &sb->metadirino },
	};

	for (unsigned i = 0; i < 3u + xfs_sb_has_incompat(primary, XFS_SB_INCOMPAT_METADIR); i++)
		if (*numbers[1][i] != *numbers[0][i] && *numbers[1][i] != XFS_NULL64)
			return false;
	return !memcmp(sb->fname, primary->fname, sizeof(sb->fname)) && sb->inopblock == primary->inopblock &&
	       sb->blocklog == primary->blocklog && sb->sectlog == primary->sectlog &&
	       sb->inodelog == primary->inodelog && sb->inopblog == primary->inopblog &&
	       sb->agblklog == primary->agblklog && sb->rextslog == primary->rextslog &&
	       sb->shared_vn == primary->shared_vn && sb->inoalignmt == primary->inoalignmt &&
	       sb->dirblklog == primary->dirblklog && sb->logsectlog == primary->logsectlog &&
	       sb->logsectsize == primary->logsectsize && sb->logsunit == primary->logsunit &&
	       (!xfs_sb_is_v5(primary) || (sb->spino_align == primary->spino_align &&
					   !memcmp(sb->meta_uuid, primary->meta_uuid, sizeof(sb->meta_uuid))));
}

bool repair_sb_same_words(const struct xfs_sb *a, const struct xfs_sb *b)
{
	return !((a->features_incompat ^ b->features_incompat) & ~(uint32_t)XFS_SB_INCOMPAT_NEEDSREPAIR) &&
	       a->features_ro_compat == b->features_ro_compat && a->features_compat == b->features_compat;
}

bool repair_sb_same_features(const struct xfs_sb *primary, const struct xfs_sb *sb)
{
	return xfs_sb_has_incompat(primary, XFS_SB_INCOMPAT_NEEDSREPAIR) || !xfs_sb_is_v5(primary) ||
	       repair_sb_same_words(primary, sb);
}
