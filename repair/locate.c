/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * locate.c - finds a superblock to trust (format sheet 06, section 3; sheet 01, section 6).
 *
 * Every copy of the superblock votes with its geometry; the primary is believed when enough copies agree, otherwise the
 * winner's geometry replaces it.  A primary that can't be used is replaced by the best candidate found by scanning.
 */
#include "repair/quota.h"
#include "repair/scan.h"
#include "repair/superblock.h"
#include "repair/write.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

#define SCAN_CHUNK (1u << 20)
#define SCAN_START (16u << 20)		/* no AG is smaller, so no secondary lies before this */
#define MAX_SECTOR 32768u

/* A superblock as read from one place. */
struct copy {
	bool readable, valid;
	bool flipped;			/* valid, when one bit is flipped back */
	struct xfs_sb sb;
	const char *why;		/* reason when not valid; static */
};

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

static int decode_copy(const uint8_t *buf, size_t len, struct copy *c)
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
	if (error)
		return error;
	if ((xfs_sb_is_v5(&c->sb) || c->sb.crc) && (c->sb.sectsize > len || !xfs_crc32c_check(buf, c->sb.sectsize, XFS_SB_CRC_OFF))) {
		c->why = "bad CRC in superblock";
		return -XFS_E_BADCRC;
	}
	if (xfs_sb_is_v5(&c->sb) && has_unknown(&c->sb)) {
		c->why = "unknown features";
		return -XFS_E_UNSUPPORTED;
	}
	if (!alignment_possible(&c->sb)) {
		c->why = "impossible inode alignment";
		return -XFS_E_BADSB;
	}
	if (c->sb.logstart && !xfs_fsbno_range_valid(&geo, c->sb.logstart, c->sb.logblocks)) {
		c->why = "log lies outside";
		return -XFS_E_BADSB;
	}
	c->valid = true;
	return 0;
}

/* One flipped bit: which sector size is right only the checksum can say, as the bit may be in that field. */
static int flip_back(uint8_t *buf, size_t len, struct copy *c)
{
	for (size_t size = 512; size <= len; size *= 2) {
		struct copy again = { 0 };
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

static int read_copy(struct xfs_dev *dev, uint64_t off, struct copy *c)
{
	uint8_t buf[MAX_SECTOR];
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

/* The fields that copies vote on: those that are the same in every copy for the life of the filesystem. */
static bool same_geometry(const struct xfs_sb *a, const struct xfs_sb *b)
{
	const unsigned align = XFS_SB_VERSION_ALIGN | XFS_SB_VERSION_DALIGN;

	return a->blocksize == b->blocksize && a->dblocks == b->dblocks && a->rblocks == b->rblocks &&
	       a->rextents == b->rextents && a->logstart == b->logstart && a->rextsize == b->rextsize &&
	       a->agblocks == b->agblocks && a->agcount == b->agcount && a->rbmblocks == b->rbmblocks &&
	       a->rgcount == b->rgcount && a->rgextents == b->rgextents &&
	       a->logblocks == b->logblocks && a->sectsize == b->sectsize && a->inodesize == b->inodesize &&
	       (a->versionnum & align) == (b->versionnum & align) && xfs_sb_is_v5(a) == xfs_sb_is_v5(b) &&
	       !memcmp(a->uuid, b->uuid, 16);
}

/* What the copies at the places that `base` names say. */
struct vote {
	uint32_t readable, agreeing;	/* valid secondaries; those of base's geometry */
	uint32_t best;			/* most votes for one other geometry */
	struct xfs_sb rival;		/* that geometry */
	struct xfs_sb witness;		/* a secondary that agrees with base */
};

static int take_votes(struct repair *r, const struct xfs_sb *base, struct vote *v)
{
	uint64_t step = (uint64_t)base->agblocks * base->blocksize;
	struct copy c;

	memset(v, 0, sizeof(*v));
	for (uint32_t agno = 1; agno < base->agcount; agno++) {
		if (read_copy(r->dev.data, step * agno, &c))
			continue;
		v->readable++;
		if (same_geometry(base, &c.sb)) {
			if (!v->agreeing++)
				v->witness = c.sb;
		} else if (!v->best || same_geometry(&v->rival, &c.sb)) {
			/* rivals come from one damage as a rule: the first one stands for them */
			v->rival = c.sb;
			v->best++;
		}
	}
	return 0;
}

/* A copy of `from` as a primary: what only a primary knows is kept from the old one when that is believable. */
static void make_primary(struct repair *r, const struct xfs_sb *from, const struct copy *old)
{
	struct xfs_sb sb = *from;

	if (old->readable && old->sb.magicnum == XFS_SB_MAGIC && old->valid) {
		sb.rootino = old->sb.rootino;
		sb.rbmino = old->sb.rbmino;
		sb.rsumino = old->sb.rsumino;
		sb.uquotino = old->sb.uquotino;
		sb.gquotino = old->sb.gquotino;
		sb.pquotino = old->sb.pquotino;
		sb.qflags = old->sb.qflags;
		sb.metadirino = old->sb.metadirino;
		sb.lsn = old->sb.lsn;
	} else {
		/* secondaries do not know whether there are attributes; where there are none the bit does no harm */
		sb.versionnum |= XFS_SB_VERSION_ATTR;
	}
	sb.inprogress = 0;
	r->primary = sb;
	r->sb_changed = true;
}

/* What the superblock speaks of must be there: neither a cut image nor a boundless number of groups can be worked on. */
static bool fits_device(struct repair *r, const struct xfs_sb *sb)
{
	uint64_t have = r->dev.data->size / sb->blocksize;

	if (have >= sb->dblocks)
		return true;
	repair_say(r, "the device ends before the filesystem: %llu of %llu blocks", (unsigned long long)have,
		   (unsigned long long)sb->dblocks);
	return false;
}

/*
 * AG headers carry the uuid, too.  One superblock alone may have a damaged one; when more than half of the AGF and AGI
 * sectors agree on another, that is it.
 */
static void vote_uuid(struct repair *r, struct xfs_sb *sb)
{
	uint64_t step = (uint64_t)sb->agblocks * sb->blocksize;
	uint8_t rival[16] = { 0 }, buf[512];
	uint32_t votes = 0;

	if (!xfs_sb_is_v5(sb) || xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_META_UUID))
		return;
	for (uint32_t i = 0; i < 2 * sb->agcount; i++) {
		uint64_t off = step * (i / 2) + (uint64_t)sb->sectsize * (1 + i % 2);
		size_t at = i % 2 ? XFS_OFF(agi, uuid) : XFS_OFF(agf, uuid);

		if (xfs_dev_read(r->dev.data, off, buf, sizeof(buf)) || xfs_be32(buf) != (i % 2 ? XFS_AGI_MAGIC : XFS_AGF_MAGIC))
			continue;
		if (!memcmp(buf + at, sb->uuid, 16))
			return;		/* somebody confirms it */
		if (votes && memcmp(buf + at, rival, 16))
			continue;
		memcpy(rival, buf + at, 16);
		votes++;
	}
	if (votes > sb->agcount)
		memcpy(sb->uuid, rival, 16);
}

/* More than half of the AGFs that this geometry wants lie where it wants them, and say so. */
static bool headers_agree(struct repair *r, const struct xfs_sb *sb)
{
	uint64_t step = (uint64_t)sb->agblocks * sb->blocksize;
	uint32_t n = 0, last = (uint32_t)(sb->dblocks - (uint64_t)(sb->agcount - 1) * sb->agblocks);
	uint8_t buf[512];

	for (uint32_t i = 0; i < sb->agcount; i++)
		n += !xfs_dev_read(r->dev.data, step * i + sb->sectsize, buf, sizeof(buf)) && xfs_be32(buf) == XFS_AGF_MAGIC &&
		     xfs_be32(buf + XFS_OFF(agf, seqno)) == i &&
		     xfs_be32(buf + XFS_OFF(agf, length)) == (i == sb->agcount - 1 ? last : sb->agblocks);
	return 2 * n > sb->agcount;
}

/* AGF and AGI of the first AG, both whole, say another length (V5): then the other AGs do not begin where this one thinks. */
static bool headers_deny(struct repair *r, const struct xfs_sb *sb)
{
	uint64_t expected = sb->agcount > 1 ? sb->agblocks : sb->dblocks;
	uint8_t buf[MAX_SECTOR];
	unsigned n = 0;

	for (unsigned agi = 0; agi < 2 && xfs_sb_is_v5(sb); agi++)
		n += !xfs_dev_read(r->dev.data, (1u + agi) * (uint64_t)sb->sectsize, buf, sb->sectsize) &&
		     xfs_be32(buf) == (agi ? XFS_AGI_MAGIC : XFS_AGF_MAGIC) &&
		     xfs_crc32c_check(buf, sb->sectsize, agi ? XFS_OFF(agi, crc) : XFS_OFF(agf, crc)) &&
		     xfs_be32(buf + (agi ? XFS_OFF(agi, length) : XFS_OFF(agf, length))) != expected;
	return n == 2;
}

/* The copy at this place becomes the primary when others confirm its geometry. */
static bool try_copy(struct repair *r, uint64_t off, const struct copy *old)
{
	struct copy c;
	struct vote v;

	if (read_copy(r->dev.data, off, &c) || off % ((uint64_t)c.sb.agblocks * c.sb.blocksize))
		return false;	/* a copy inside a file or of an older filesystem */
	repair_say(r, "found candidate secondary superblock...");
	if (!fits_device(r, &c.sb))
		return false;
	take_votes(r, &c.sb, &v);
	if ((v.agreeing < c.sb.agcount / 2 || v.agreeing < v.best) && !headers_agree(r, &c.sb)) {
		repair_say(r, "unable to verify superblock, continuing...");
		return false;
	}
	repair_say(r, "verified secondary superblock...");
	vote_uuid(r, &c.sb);
	make_primary(r, &c.sb, old);
	return true;
}

/* Length of the first AG in blocks as its AGF says, which does not know how long a block is. 0: there is none. */
static uint64_t first_length(struct repair *r)
{
	uint8_t buf[512];

	for (uint64_t off = 512; off <= MAX_SECTOR && off < r->dev.data->size; off *= 2)
		if (!xfs_dev_read(r->dev.data, off, buf, sizeof(buf)) && xfs_be32(buf) == XFS_AGF_MAGIC &&
		    !xfs_be32(buf + XFS_OFF(agf, seqno)))
			return xfs_be32(buf + XFS_OFF(agf, length));
	return 0;
}

/* The second AG, where the first one's header puts it, or the AG size that mkfs chooses. Reading a whole disk takes hours. */
static bool try_likely(struct repair *r, const struct copy *old)
{
	uint64_t size = r->dev.data->size, length = first_length(r);

	for (uint64_t block = 512; block <= 65536; block *= 2) {
		const uint64_t places[] = { length * block, xfs_ceil_div(size / block, 4) * block, (UINT64_C(1) << 40) - block };

		for (size_t i = 0; i < XFS_ARRAY_SIZE(places); i++)
			if (places[i] && try_copy(r, places[i], old))
				return true;
	}
	return false;
}

/* The primary can't be used: the first superblock found whose geometry its own copies confirm. */
static int search_secondary(struct repair *r, const struct copy *old)
{
	struct xfs_dev *dev = r->dev.data;
	uint8_t *buf = malloc(SCAN_CHUNK);
	int error = buf ? -XFS_E_BADSB : -XFS_E_NOMEM;

	repair_say(r, "%s", "");
	repair_say(r, "attempting to find secondary superblock...");
	if (buf && try_likely(r, old))
		error = 0;
	for (uint64_t off = SCAN_START; error == -XFS_E_BADSB; off += SCAN_CHUNK) {
		size_t len;

		off = xfs_dev_next_data(dev, off);
		if (off >= dev->size)
			break;
		off &= ~(uint64_t)511;
		len = (size_t)xfs_min(SCAN_CHUNK, dev->size - off) & ~(size_t)511;
		/* unreadable parts come back as zeroes and can't hold the magic */
		xfs_dev_read(dev, off, buf, len);
		for (size_t at = 0; at + 512 <= len && error; at += 512)
			if (xfs_be32(buf + at) == XFS_SB_MAGIC && try_copy(r, off + at, old))
				error = 0;
	}
	if (error == -XFS_E_BADSB && !r->looking)
		error = repair_guess_superblock(r);
	if (error)
		repair_say(r, "Sorry, could not find valid secondary superblock");
	free(buf);
	return error;
}

static void note_primary(struct repair *r, const char *why)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_PRIMARY, "sb");

	f.agno = 0;
	xfs_finding_detail(&f, "%s", why);
	repair_note(r, &f, true);
}

/* What else every copy holds. Inode numbers may be missing in secondaries. */
static bool same_rest(const struct xfs_sb *primary, const struct xfs_sb *sb)
{
	const uint64_t *const numbers[2][4] = {
		{ &primary->rootino, &primary->rbmino, &primary->rsumino, &primary->metadirino },
		{ &sb->rootino, &sb->rbmino, &sb->rsumino, &sb->metadirino },
	};

	for (unsigned i = 0; i < 3u + xfs_sb_has_incompat(primary, XFS_SB_INCOMPAT_METADIR); i++)
		if (*numbers[1][i] != *numbers[0][i] && *numbers[1][i] != XFS_NULL64)
			return false;
	return !memcmp(sb->fname, primary->fname, sizeof(sb->fname)) && sb->inopblock == primary->inopblock &&
	       sb->blocklog == primary->blocklog && sb->sectlog == primary->sectlog && sb->inodelog == primary->inodelog &&
	       sb->inopblog == primary->inopblog && sb->agblklog == primary->agblklog && sb->rextslog == primary->rextslog &&
	       sb->shared_vn == primary->shared_vn && sb->inoalignmt == primary->inoalignmt && sb->dirblklog == primary->dirblklog &&
	       sb->logsectlog == primary->logsectlog && sb->logsectsize == primary->logsectsize &&
	       sb->logsunit == primary->logsunit &&
	       (!xfs_sb_is_v5(primary) || (sb->spino_align == primary->spino_align &&
					   !memcmp(sb->meta_uuid, primary->meta_uuid, sizeof(sb->meta_uuid))));
}

/* A feature that is being added stands in the primary first, which says so. */
static bool same_features(const struct xfs_sb *primary, const struct xfs_sb *sb)
{
	return xfs_sb_has_incompat(primary, XFS_SB_INCOMPAT_NEEDSREPAIR) || !xfs_sb_is_v5(primary) ||
	       (primary->features_incompat == (sb->features_incompat & ~XFS_SB_INCOMPAT_NEEDSREPAIR) &&
		primary->features_ro_compat == sb->features_ro_compat && primary->features_compat == sb->features_compat);
}

/* Fields that are not geometry: what more than half of the copies hold against the primary is right; one alone needs
 * other witnesses. */
static void vote_rest(struct repair *r, const struct copy *primary)
{
	uint64_t step = (uint64_t)primary->sb.agblocks * primary->sb.blocksize;
	struct xfs_sb rival = { 0 };
	uint32_t votes = 0;
	struct copy c;

	for (uint32_t agno = 1; agno < primary->sb.agcount; agno++) {
		if (read_copy(r->dev.data, step * agno, &c) || !same_geometry(&primary->sb, &c.sb) ||
		    (same_rest(&primary->sb, &c.sb) && same_features(&primary->sb, &c.sb)) ||
		    (votes && !same_rest(&rival, &c.sb)))
			continue;
		rival = c.sb;
		votes++;
	}
	if (!votes || votes <= (primary->sb.agcount - 1) / 2)
		return;
	if ((votes < 2 || !same_features(&primary->sb, &rival)) &&
	    repair_sb_evidence(r, &rival) <= repair_sb_evidence(r, &primary->sb))
		return;
	note_primary(r, "fields differ from those that most secondaries hold");
	make_primary(r, &rival, primary);
}

static int confirm_primary(struct repair *r, const struct copy *primary)
{
	const struct xfs_sb *sb = &primary->sb;
	struct vote v;

	r->primary = *sb;
	take_votes(r, sb, &v);
	if (v.agreeing >= sb->agcount / 2 && v.agreeing >= v.best) {
		vote_rest(r, primary);
		return 0;
	}
	if (v.best) {
		unsigned mine = repair_sb_evidence(r, sb), theirs = repair_sb_evidence(r, &v.rival);

		if (theirs > mine) {
			note_primary(r, "differs from a secondary that the rest of the filesystem confirms");
			make_primary(r, &v.rival, primary);
		}
		if (theirs != mine)
			return 0;
	}
	if (sb->agcount == 1) {
		if (r->force_geometry)
			return 0;
		repair_say(r, "Only one AG detected - cannot validate filesystem geometry.");
		repair_say(r, "Use the -o force_geometry option to proceed.");
		return -XFS_E_BADSB;
	}
	if (v.best > v.agreeing && v.best >= sb->agcount / 2 && sb->agcount > 2) {
		note_primary(r, "differs from the geometry that most secondaries hold");
		make_primary(r, &v.rival, primary);
		return 0;
	}
	if (sb->agcount == 2 && v.best && !r->force_geometry) {
		repair_say(r, "Only two AGs detected and they do not match - cannot validate filesystem geometry.");
		repair_say(r, "Use the -o force_geometry option to proceed.");
		return -XFS_E_BADSB;
	}
	/* no secondary where they should be: when the headers contradict the primary, it is wrong about the place */
	if (!v.best && !v.agreeing && headers_deny(r, sb) && !search_secondary(r, primary)) {
		note_primary(r, "the headers of its first group have another length");
		return 0;
	}
	/*
	 * Secondaries are lost, nothing contradicts the primary, and its own checksum is good: on V5 that is a better
	 * witness than any number of missing ones.  Without a checksum the AG headers decide, or the user.
	 */
	if (!v.best && (xfs_sb_is_v5(sb) || r->force_geometry || headers_agree(r, sb)))
		return 0;
	/* two that nothing tells apart, and the user says to go on: the primary is what is mounted */
	if (sb->agcount == 2 && r->force_geometry)
		return 0;
	repair_say(r, "Not enough matching superblocks - cannot proceed.");
	return -XFS_E_BADSB;
}

size_t repair_sb_used(const struct xfs_sb *sb)
{
	if (xfs_sb_is_v5(sb)) {
		if (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_ZONED))
			return XFS_OFF(sb, rtreserved) + 8;
		if (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR))
			return XFS_OFF(sb, rtstart);
		return XFS_OFF(sb, meta_uuid) + (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_META_UUID) ? 16 : 0);
	}
	if (sb->versionnum & XFS_SB_VERSION_MOREBITS)
		return XFS_OFF(sb, features_compat);
	if (sb->versionnum & XFS_SB_VERSION_LOGV2)
		return XFS_OFF(sb, features2);
	return sb->versionnum & XFS_SB_VERSION_SECTOR ? XFS_OFF(sb, logsunit) : XFS_OFF(sb, logsectlog);
}

/* Bytes behind the fields of this format are zero, and so is the word of flags. */
static const char *odd_rest(struct repair *r, uint64_t off, const struct xfs_sb *sb)
{
	size_t used = repair_sb_used(sb);
	uint8_t buf[MAX_SECTOR];

	if (xfs_dev_read(r->dev.data, off, buf, sb->sectsize))
		return NULL;
	for (size_t i = used; i < sb->sectsize; i++)
		if (buf[i])
			return "bytes behind the last field are not zero";
	return sb->flags ? "flags are not zero" : NULL;
}

/* Which secondaries differ from what they should hold; they are rewritten at the end. */
static int judge_secondaries(struct repair *r)
{
	uint64_t step = (uint64_t)r->geo.agblocks * r->geo.blocksize;
	const uint32_t needsrepair = XFS_SB_INCOMPAT_NEEDSREPAIR;

	r->secondary_bad = calloc(r->geo.agcount, sizeof(*r->secondary_bad));
	if (!r->secondary_bad)
		return -XFS_E_NOMEM;
	for (uint32_t agno = 1; agno < r->geo.agcount; agno++) {
		struct copy c;
		int error = read_copy(r->dev.data, step * agno, &c);
		const char *why = error ? c.why : NULL;

		if (!error && !same_geometry(&r->primary, &c.sb))
			why = "geometry differs from the primary";
		else if (!error && ((c.sb.features_incompat ^ r->primary.features_incompat) & ~needsrepair ||
				    c.sb.features_ro_compat != r->primary.features_ro_compat ||
				    c.sb.features_compat != r->primary.features_compat))
			why = "feature words differ from the primary";
		else if (!error && !same_rest(&r->primary, &c.sb))
			why = "fields differ from the primary";
		else if (!error && c.sb.inprogress > 1)
			why = "impossible flag of mkfs";
		else if (!error)
			why = odd_rest(r, step * agno, &c.sb);
		if (!why && c.flipped)
			why = c.why;
		if (!why)
			continue;
		r->secondary_bad[agno] = true;
		struct xfs_finding f = xfs_finding_of(XFS_F_SB_SECONDARY, "sb");
		f.agno = agno;
		xfs_finding_detail(&f, "%s", why);
		repair_note(r, &f, true);
	}
	return 0;
}

/* Without the bit (and in a metadata directory) the superblock names no quota files. */
static void clear_quota_inodes(struct repair *r)
{
	uint64_t *const numbers[] = { &r->primary.uquotino, &r->primary.gquotino, &r->primary.pquotino };
	static const char *const names[] = { "uquotino", "gquotino", "pquotino" };

	if (r->primary.versionnum & XFS_SB_VERSION_QUOTA && !xfs_sb_has_incompat(&r->primary, XFS_SB_INCOMPAT_METADIR))
		return;
	for (size_t i = 0; i < 2u + xfs_sb_is_v5(&r->primary); i++) {
		struct xfs_finding f = xfs_finding_of(XFS_F_SB_FIELD, "sb");

		if (*numbers[i] == 0 || *numbers[i] == XFS_NULL64)
			continue;
		f.field = names[i];
		f.found = *numbers[i];
		repair_note(r, &f, true);
		*numbers[i] = XFS_NULL64;
		r->sb_changed = true;
	}
}

/* Features that this program does not know, and another copy knows them, too: no damage. */
static bool is_newer(struct repair *r, const struct xfs_sb *sb)
{
	struct copy c;

	if (sb->agcount > 1) {
		read_copy(r->dev.data, (uint64_t)sb->agblocks * sb->blocksize, &c);
		if (!c.readable || c.sb.magicnum != XFS_SB_MAGIC || xfs_sb_version(&c.sb) != xfs_sb_version(sb) ||
		    c.sb.features_ro_compat != sb->features_ro_compat ||
		    c.sb.features_compat != sb->features_compat ||
		    (c.sb.features_incompat ^ sb->features_incompat) & ~XFS_SB_INCOMPAT_NEEDSREPAIR)
			return false;
	}
	repair_say(r, "Superblock has unknown compat/rocompat/incompat features (0x%x/0x%x/0x%x).", sb->features_compat,
		   sb->features_ro_compat & ~XFS_SB_ROCOMPAT_KNOWN, sb->features_incompat & ~XFS_SB_INCOMPAT_KNOWN);
	repair_say(r, "Using a more recent xfs_repair is recommended.");
	repair_say(r, "Found unsupported filesystem features.  Exiting now.");
	return true;
}

/* The two copies of features2 hold both what either has, unless one of them has bits that nobody knows. */
static void check_features2(struct repair *r)
{
	const uint32_t known = XFS_SB_FEAT2_LAZYSBCOUNT | XFS_SB_FEAT2_ATTR2 | XFS_SB_FEAT2_PARENT | XFS_SB_FEAT2_PROJID32 |
			       XFS_SB_FEAT2_CRC | XFS_SB_FEAT2_FTYPE;
	struct xfs_sb *sb = &r->primary;
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_FEATURES2, "sb");

	if (sb->features_log_incompat & ~XFS_SB_LOG_INCOMPAT_XATTRS) {
		struct xfs_finding odd = xfs_finding_of(XFS_F_SB_FIELD, "sb");

		odd.field = "features_log_incompat";
		odd.found = sb->features_log_incompat;
		repair_note(r, &odd, true);
		sb->features_log_incompat &= XFS_SB_LOG_INCOMPAT_XATTRS;
		r->sb_changed = true;
	}
	if (sb->features2 == sb->bad_features2)
		return;
	f.found = sb->bad_features2;
	f.expected = sb->features2;
	repair_note(r, &f, true);
	if (sb->features2 & ~known)
		sb->features2 = sb->bad_features2;
	else if (!(sb->bad_features2 & ~known))
		sb->features2 |= sb->bad_features2;
	sb->bad_features2 = sb->features2;
	r->sb_changed = true;
}

int repair_locate(struct repair *r)
{
	struct copy primary;
	const char *why = NULL;
	int error = read_copy(r->dev.data, 0, &primary);

	if (!error && primary.sb.inprogress) {
		primary.valid = false;
		primary.why = "filesystem mkfs-in-progress bit set";
		error = -XFS_E_BADSB;
	}
	if (!error && !fits_device(r, &primary.sb)) {
		primary.valid = false;
		primary.why = "attempted to perform I/O beyond EOF";
		error = -XFS_E_SHORT;
	}
	if (error == -XFS_E_NOMEM || (error == -XFS_E_UNSUPPORTED && is_newer(r, &primary.sb)))
		return error;
	if (error) {
		repair_say(r, "bad primary superblock - %s !!!", primary.why);
		error = search_secondary(r, &primary);
		if (error)
			return error;
		note_primary(r, primary.why);
	} else {
		error = confirm_primary(r, &primary);
		if (error)
			return error;
		if (primary.flipped) {
			note_primary(r, primary.why);
			r->sb_changed = true;
		}
	}
	check_features2(r);
	if (!r->sb_changed && odd_rest(r, 0, &r->primary)) {
		note_primary(r, odd_rest(r, 0, &r->primary));
		r->sb_changed = true;
	}
	r->primary.flags = 0;
	clear_quota_inodes(r);
	if (r->primary.lsn && (r->primary.lsn == XFS_NULL64 || repair_lsn_is_wild(r->primary.lsn))) {
		if (!r->sb_changed)
			note_primary(r, "impossible log sequence number");
		r->primary.lsn = 0;
		r->sb_changed = true;
	}
	if (xfs_sb_has_incompat(&r->primary, XFS_SB_INCOMPAT_NEEDSREPAIR)) {
		repair_say(r, r->no_modify ? "would clear needsrepair flag and regenerate metadata"
					   : "clearing needsrepair flag and regenerating metadata");
		r->primary.features_incompat &= ~XFS_SB_INCOMPAT_NEEDSREPAIR;
		r->sb_changed = r->had_needsrepair = true;
	}
	error = xfs_geometry_init(&r->geo, &r->primary, NULL, &why);
	if (error)
		return error;
	repair_settle_specials(r);
	repair_quota_numbers(r);
	r->geo.sb = r->primary;
	return judge_secondaries(r);
}
