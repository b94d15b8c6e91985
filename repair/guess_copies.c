/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guess_copies.c - what copies of the superblock that can't be believed as a whole add to one that everything else
 * tells (format sheet 01, sections 3 to 6).
 *
 * They lie where AG headers want them and vote field by field.  What they say is taken, part by part, where the rest of
 * the filesystem does not speak against it: headers, contents and the survey know most fields better, and only copies
 * know label, stripes and what no file uses yet.
 */
#include "repair/sbcopy.h"
#include "repair/superblock.h"
#include "repair/survey.h"

#include "libxfs/log/logsize.h"

#include <stdlib.h>
#include <string.h>

#define MOST_COPIES 64u
#define SB_BYTES sizeof(struct xfs_sb_disk)
#define ALIKE 6u		/* of the ten that are compared */
#define MANY_INODES 8u		/* more than the superblock names: some of them have names */
#define SURVEY_WEIGHT 3u	/* of one thing that all blocks of a kind say, in points of repair_sb_evidence() */

struct copies {
	uint8_t raw[MOST_COPIES][SB_BYTES];
	unsigned n;
	bool primary;		/* the first one is what is left of it */
};

/* ---- the vote ---- */

static bool resembles(const struct xfs_sb *a, const struct xfs_sb *b)
{
	unsigned same = 0;

	same += a->magicnum == b->magicnum;
	same += a->blocksize == b->blocksize && a->blocklog == b->blocklog;
	same += a->dblocks == b->dblocks;
	same += !memcmp(a->uuid, b->uuid, 16);
	same += a->logstart == b->logstart;
	same += a->agblocks == b->agblocks && a->agblklog == b->agblklog;
	same += a->agcount == b->agcount;
	same += xfs_sb_version(a) == xfs_sb_version(b);
	same += a->sectsize == b->sectsize;
	same += a->inodesize == b->inodesize && a->inopblog == b->inopblog;
	return same >= ALIKE;
}

static void read_copies(struct repair *r, const struct xfs_sb *like, struct copies *c)
{
	uint64_t step = like->agcount > 1 ? (uint64_t)like->agblocks * like->blocksize : r->dev.data->size;

	for (uint64_t off = 0; off < r->dev.data->size && r->dev.data->size - off >= XFS_BBSIZE && c->n < MOST_COPIES;
	     off += xfs_max(step, XFS_BBSIZE)) {
		uint8_t sector[XFS_BBSIZE];
		struct xfs_sb sb;

		if (xfs_dev_read(r->dev.data, off, sector, sizeof(sector)))
			continue;
		xfs_sb_decode(&sb, sector);
		if (!resembles(&sb, like))
			continue;
		c->primary |= !off;
		memcpy(c->raw[c->n++], sector, SB_BYTES);
	}
}

static bool is_no_inode(const struct xfs_row *row, const uint8_t *value)
{
	return row->fmt == XF_INO && xfs_be64(value) == XFS_NULL64;
}

/* The value that most copies hold goes to `out`; of several `out` stays when it is one of them. */
static void vote(const struct copies *c, const struct xfs_row *row, uint8_t *out)
{
	size_t at = row->bit / 8, len = row->bits / 8;
	unsigned most = 0;

	for (unsigned i = 0; i < c->n; i++) {
		unsigned votes = 0;

		/* most secondaries do not know inodes */
		for (unsigned k = 0; k < c->n && !is_no_inode(row, c->raw[i] + at); k++)
			votes += !memcmp(c->raw[i] + at, c->raw[k] + at, len);
		if (votes < most || (votes == most && most && memcmp(c->raw[i] + at, out + at, len)))
			continue;
		most = votes;
		memcpy(out + at, c->raw[i] + at, len);
	}
}

static void set_logarithms(struct xfs_sb *sb)
{
	sb->blocklog = (uint8_t)xfs_log2_ceil(sb->blocksize);
	sb->sectlog = (uint8_t)xfs_log2_ceil(sb->sectsize);
	sb->inodelog = (uint8_t)xfs_log2_ceil(sb->inodesize);
	sb->inopblock = (uint16_t)(sb->inodesize ? sb->blocksize / sb->inodesize : 0);
	sb->inopblog = (uint8_t)(sb->blocklog - sb->inodelog);
	sb->agblklog = (uint8_t)xfs_log2_ceil(sb->agblocks);
	sb->rextslog = (uint8_t)(sb->rextents ? xfs_log2_floor(sb->rextents) : 0);
	if (xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR))
		sb->rgblklog = (uint8_t)xfs_log2_ceil((uint64_t)sb->rgextents * sb->rextsize);
}

/* ---- what is decided together ---- */

struct part {
	uint16_t at, size;	/* of the native form */
	uint32_t bits;		/* of a word of bits; 0: all of it */
};

#define PART(field) { offsetof(struct xfs_sb, field), sizeof(((struct xfs_sb *)0)->field), 0 }
#define BITS(field, bits) { offsetof(struct xfs_sb, field), sizeof(((struct xfs_sb *)0)->field), bits }
#define MOST_PARTS 10u
#define REALTIME									\
	{ BITS(features_incompat, XFS_SB_INCOMPAT_METADIR | XFS_SB_INCOMPAT_EXCHRANGE |	\
	       XFS_SB_INCOMPAT_ZONED | XFS_SB_INCOMPAT_ZONE_GAPS),			\
	  PART(rblocks), PART(rextents), PART(rextsize), PART(rbmblocks),		\
	  PART(rgcount), PART(rgextents), PART(rtstart), PART(rtreserved), PART(metadirino) }

static const struct part realtime[MOST_PARTS] = REALTIME;
static const struct part groups[][MOST_PARTS] = {
	{ PART(uuid), PART(meta_uuid), BITS(features_incompat, XFS_SB_INCOMPAT_META_UUID) },
	{ PART(dblocks), PART(agcount), PART(agblocks) },
	{ PART(inodesize), PART(inoalignmt), PART(spino_align) },
	{ PART(inoalignmt), PART(spino_align), BITS(features_incompat, XFS_SB_INCOMPAT_SPINODES),
	  BITS(versionnum, XFS_SB_VERSION_ALIGN) },
	{ PART(dirblklog) },
	{ BITS(features_ro_compat, XFS_SB_ROCOMPAT_FINOBT) },
	{ BITS(features_ro_compat, XFS_SB_ROCOMPAT_RMAPBT) },
	{ BITS(features_ro_compat, XFS_SB_ROCOMPAT_REFLINK) },
	{ BITS(features_ro_compat, XFS_SB_ROCOMPAT_INOBTCNT) },
	{ BITS(features_incompat, XFS_SB_INCOMPAT_FTYPE) },
	{ BITS(features_incompat, XFS_SB_INCOMPAT_BIGTIME) },
	{ BITS(features_incompat, XFS_SB_INCOMPAT_NREXT64) },
	{ BITS(features_incompat, XFS_SB_INCOMPAT_EXCHRANGE) },
	{ BITS(features_incompat, XFS_SB_INCOMPAT_PARENT) },
	REALTIME,
	{ PART(metadirino) },
	{ BITS(versionnum, XFS_SB_VERSION_ATTR) },
	{ BITS(versionnum, XFS_SB_VERSION_BORG) },
	{ BITS(features2, XFS_SB_FEAT2_LAZYSBCOUNT) },
	{ BITS(features2, XFS_SB_FEAT2_ATTR2) },
	{ BITS(features2, XFS_SB_FEAT2_PROJID32) },
	{ BITS(features2, XFS_SB_FEAT2_FTYPE) },
	{ PART(logstart), PART(logblocks) },
	{ BITS(versionnum, XFS_SB_VERSION_LOGV2), PART(logsunit) },
	{ BITS(versionnum, XFS_SB_VERSION_SECTOR), PART(logsectlog), PART(logsectsize) },
	{ BITS(versionnum, XFS_SB_VERSION_DALIGN), PART(unit), PART(width) },
	{ PART(imax_pct) },
	{ PART(fname) },
	{ BITS(versionnum, XFS_SB_VERSION_QUOTA), PART(qflags), PART(uquotino), PART(gquotino), PART(pquotino) },
	{ PART(rootino) },
	{ PART(rbmino) },
	{ PART(rsumino) },
};

static void take_bits(void *to, const void *from, const struct part *p)
{
	uint32_t a = 0, b = 0;
	uint16_t a16, b16;

	if (p->size == sizeof(a16)) {
		memcpy(&a16, to, sizeof(a16));
		memcpy(&b16, from, sizeof(b16));
		a16 = (uint16_t)((a16 & ~p->bits) | (b16 & p->bits));
		memcpy(to, &a16, sizeof(a16));
		return;
	}
	memcpy(&a, to, sizeof(a));
	memcpy(&b, from, sizeof(b));
	a = (a & ~p->bits) | (b & p->bits);
	memcpy(to, &a, sizeof(a));
}

static void take(struct xfs_sb *to, const struct xfs_sb *from, const struct part *parts)
{
	for (unsigned i = 0; i < MOST_PARTS && parts[i].size; i++) {
		void *a = (uint8_t *)to + parts[i].at;
		const void *b = (const uint8_t *)from + parts[i].at;

		if (parts[i].bits)
			take_bits(a, b, &parts[i]);
		else
			memcpy(a, b, parts[i].size);
	}
	to->bad_features2 = to->features2;
	set_logarithms(to);
}

/* ---- what copies say, all together ---- */

/* Only a primary knows quota; what stands twice is settled; what is counted, or must be zero, is not voted on. */
static void settle_vote(const struct copies *c, const struct xfs_sb *guess, struct xfs_sb *sb)
{
	struct xfs_sb first;

	xfs_sb_decode(&first, c->raw[0]);
	sb->uquotino = c->primary ? first.uquotino : guess->uquotino;
	sb->gquotino = c->primary ? first.gquotino : guess->gquotino;
	sb->pquotino = c->primary ? first.pquotino : guess->pquotino;
	if (!xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR))
		sb->qflags = c->primary && sb->versionnum & XFS_SB_VERSION_QUOTA ? first.qflags : guess->qflags;
	if (!xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_META_UUID))
		memset(sb->meta_uuid, 0, sizeof(sb->meta_uuid));
	sb->features_log_incompat = c->primary ? first.features_log_incompat & XFS_SB_LOG_INCOMPAT_XATTRS : 0;
	sb->versionnum &= (uint16_t)~XFS_SB_VERSION_SHARED;
	sb->features2 = sb->features2 == guess->features2 ? sb->features2 : sb->bad_features2;
	sb->bad_features2 = sb->features2;
	sb->magicnum = XFS_SB_MAGIC;
	sb->inprogress = sb->flags = sb->shared_vn = 0;
	sb->icount = sb->ifree = sb->fdblocks = sb->frextents = sb->lsn = 0;
	sb->features_compat = 0;
	sb->features_ro_compat &= XFS_SB_ROCOMPAT_KNOWN;
	sb->features_incompat &= XFS_SB_INCOMPAT_KNOWN & ~XFS_SB_INCOMPAT_NEEDSREPAIR;
	memset(sb->pad, 0, sizeof(sb->pad));
	set_logarithms(sb);
}

/* One number of the realtime section, made from the others. */
static bool set_by_others(struct xfs_sb *sb, unsigned which)
{
	if (!sb->rextsize || !sb->rgextents || !sb->rgcount)
		return false;
	switch (which) {
	case 0: break;
	case 1: sb->rextents = sb->rblocks / sb->rextsize; break;
	case 2: sb->rblocks = sb->rextents * sb->rextsize; break;
	case 3: sb->rgcount = (uint32_t)xfs_ceil_div(sb->rextents, sb->rgextents); break;
	case 4: sb->rbmblocks = 0; break;
	case 5: sb->rextsize = 1; break;
	case 6: sb->rgextents = (uint32_t)(sb->rextents / sb->rgcount); break;
	default: return false;
	}
	set_logarithms(sb);
	return true;
}

/* The numbers of a zoned device fit each other: where one does not, and the others do, they tell it. */
static void mend_zones(const struct xfs_sb *guess, struct xfs_sb *sb)
{
	struct xfs_sb with = *guess, changed;

	take(&with, sb, realtime);
	for (unsigned which = 0; which < 7; which++) {
		changed = with;
		if (set_by_others(&changed, which) && repair_sb_possible(&changed)) {
			take(sb, &changed, realtime);
			return;
		}
	}
}

static struct xfs_sb vote_on_all(const struct copies *c, const struct xfs_sb *guess)
{
	uint8_t raw[SB_BYTES] = { 0 };
	struct xfs_sb sb;

	xfs_sb_encode(raw, guess);
	for (uint32_t i = 0; i < xfs_sb_desc.nrows; i++)
		vote(c, &xfs_sb_desc.rows[i], raw);
	xfs_sb_decode(&sb, raw);
	settle_vote(c, guess, &sb);
	if (xfs_sb_has_incompat(&sb, XFS_SB_INCOMPAT_ZONED))
		mend_zones(guess, &sb);
	return sb;
}

/* ---- what speaks against it ---- */

static unsigned fit_sizes(const struct survey_group *g, const struct xfs_sb *sb)
{
	unsigned block = repair_survey_most(g->blocksize), inode = repair_survey_most(g->inodesize),
		 dir = repair_survey_most(g->dirsize), points = 0;

	points += !block || block == sb->blocklog;
	points += !inode || inode == sb->inodelog;
	points += !dir || dir == (unsigned)sb->blocklog + sb->dirblklog;
	points += sb->agcount > 1 || sb->agblocks == sb->dblocks;
	return points;
}

static unsigned fit_features(const struct survey_group *g, const struct xfs_sb *sb)
{
	bool sparse = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_SPINODES),
	     parents = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_PARENT),
	     metadir = xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_METADIR);
	unsigned points = 0;

	points += g->sparse == g->dense || sparse == (g->sparse > g->dense);
	points += !(g->flags2 & XFS_DIFLAG2_BIGTIME) || xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_BIGTIME);
	points += !(g->flags2 & XFS_DIFLAG2_NREXT64) || xfs_sb_has_incompat(sb, XFS_SB_INCOMPAT_NREXT64);
	points += parents == g->parents || (parents && g->used <= MANY_INODES);
	points += metadir == !!(g->flags2 & XFS_DIFLAG2_METADATA);
	points += xfs_sb_is_v5(sb) ? xfs_sb_has_ftype(sb) : g->ftype == g->no_ftype ||
							   xfs_sb_has_ftype(sb) == (g->ftype > g->no_ftype);
	return points;
}

/* A record has as many bytes as the unit of the log, or several of them, or as many as any. */
static unsigned fit_log(const struct survey_group *g, const struct survey_record *of, const struct xfs_sb *sb)
{
	bool version2 = sb->versionnum & XFS_SB_VERSION_LOGV2;
	uint64_t agbno = sb->logstart & ((UINT64_C(1) << sb->agblklog) - 1);
	unsigned points = 0;

	points += !g->log_blocks || (sb->logblocks == g->log_blocks &&
				     sb->logstart == ((uint64_t)g->log_agno << sb->agblklog | g->log_agbno));
	points += !of || !sb->logstart ||
		  of->start == ((sb->logstart >> sb->agblklog) * sb->agblocks + agbno) * sb->blocksize;
	points += !of || version2 == (of->version == 2);
	points += version2 ? !of || sb->logsunit <= 1 || of->size % sb->logsunit == 0 : sb->logsunit == 0;
	return points;
}

/* How well a superblock stands with all that was found; 0: it is impossible. */
static unsigned judge(struct repair *r, const struct survey_group *g, const struct survey_record *of,
		      const struct xfs_sb *sb)
{
	if (!repair_sb_possible(sb) || r->dev.data->size / sb->blocksize < sb->dblocks)
		return 0;
	return 1 + SURVEY_WEIGHT * (fit_sizes(g, sb) + fit_features(g, sb) + fit_log(g, of, sb)) +
	       repair_sb_evidence(r, sb);
}

void repair_guess_by_copies(struct repair *r, const struct survey_group *g, const struct survey_record *of,
			    struct xfs_sb *sb)
{
	struct copies *c = calloc(1, sizeof(*c));
	struct xfs_sb said, other;
	unsigned points, rival;
	bool whole;

	if (c)
		read_copies(r, sb, c);
	if (!c || !c->n) {
		free(c);
		return;
	}
	repair_say(r, "%u damaged superblock%s of it can be asked", c->n, c->n > 1 ? "s" : "");
	said = vote_on_all(c, sb);
	free(c);
	other = *sb;
	points = judge(r, g, of, &other);
	rival = judge(r, g, of, &said);
	/* the vote is taken where nothing tells the two apart, and else what more speaks for */
	whole = rival && rival >= points;
	if (whole) {
		*sb = said;
		points = rival;
	} else {
		other = said;
	}
	for (size_t i = 0; i < XFS_ARRAY_SIZE(groups); i++) {
		struct xfs_sb with = *sb;

		take(&with, &other, groups[i]);
		if (!memcmp(&with, sb, sizeof(with)))
			continue;
		rival = judge(r, g, of, &with);
		if (rival > points || (!whole && rival == points)) {
			*sb = with;
			points = rival;
		}
	}
}
