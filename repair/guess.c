/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guess.c - a superblock from everything but superblocks (format sheet 01, sections 2 to 8; sheet 05, sections 8, 9).
 *
 * Where AG headers lie and what they say of themselves gives sector, AG and block size; contents give the rest: sizes
 * by checksums, features by what is in use, the log by its records.  What nothing tells gets the value that mkfs gives.
 */
#include "repair/quota.h"
#include "repair/superblock.h"
#include "repair/survey.h"

#include "libxfs/log/logsize.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MB (UINT64_C(1) << 20)
#define USUAL_RECORD (32u << 10)

struct candidate {
	const struct survey_group *g;
	bool v5;
	uint32_t sectsize;
	uint64_t agbytes;
	uint32_t confirmed, headers;	/* headers that lie where this geometry wants them, of all */
	struct xfs_sb sb;
};

/* ---- AG headers ---- */

static uint64_t base_of(const struct survey_header *h, uint32_t sectsize)
{
	uint64_t behind = (uint64_t)sectsize * (1 + h->agi);

	return h->off >= behind ? h->off - behind : XFS_NULL64;
}

/* V5 headers say their sector size; on V4 it is the distance between AGF and AGI of one AG. */
static uint32_t sector_size(const struct survey_group *g)
{
	for (size_t i = 0; i < g->nheaders; i++) {
		if (g->headers[i].sectsize)
			return g->headers[i].sectsize;
		for (size_t k = i + 1; k < g->nheaders && k < i + 4; k++) {
			uint64_t distance = g->headers[k].off - g->headers[i].off;

			if (g->headers[k].seqno == g->headers[i].seqno && g->headers[k].agi && !g->headers[i].agi &&
			    distance >= 512 && distance <= 32768 && xfs_is_pow2(distance))
				return (uint32_t)distance;
		}
	}
	return 512;
}

static uint32_t count_fitting(const struct candidate *c, uint64_t agbytes)
{
	uint32_t n = 0;

	for (size_t i = 0; i < c->g->nheaders; i++) {
		const struct survey_header *h = &c->g->headers[i];

		n += base_of(h, c->sectsize) == (uint64_t)h->seqno * agbytes;
	}
	return n;
}

/* The AG size with which most headers lie in their places. */
static void find_ag_size(struct candidate *c)
{
	const struct survey_group *g = c->g;

	for (size_t i = 0; i < g->nheaders && i < 64; i++) {
		const struct survey_header *h = &g->headers[i];
		uint64_t base = base_of(h, c->sectsize), size;
		uint32_t n;

		if (base == XFS_NULL64 || !h->seqno || base % h->seqno)
			continue;
		size = base / h->seqno;
		n = count_fitting(c, size);
		if (n > c->confirmed) {
			c->confirmed = n;
			c->agbytes = size;
		}
	}
	if (!c->agbytes) {
		c->confirmed = count_fitting(c, 0);
		c->sb.agcount = 1;
	}
}

/* Blocks of all AGs but the last, number of AGs, blocks of the last. */
static bool measure_groups(struct candidate *c)
{
	unsigned log = repair_survey_most(c->g->blocksize);
	uint32_t last = 0, last_length = 0, length = 0;

	for (size_t i = 0; i < c->g->nheaders; i++) {
		const struct survey_header *h = &c->g->headers[i];

		if (base_of(h, c->sectsize) != (uint64_t)h->seqno * c->agbytes || (!c->agbytes && h->seqno))
			continue;
		if (h->seqno >= last) {
			last = h->seqno;
			last_length = h->length;
		}
		length = xfs_max(length, h->length);
	}
	/* the longest AG is a full one, unless only the last one is left */
	if (!log && length && c->agbytes && c->agbytes % length == 0 && xfs_is_pow2(c->agbytes / length))
		log = xfs_log2_floor(c->agbytes / length);
	if (!log)
		log = 12;
	if (log < 9 || log > 16 || !length || c->agbytes >> log > UINT32_MAX)
		return false;
	c->sb.blocklog = (uint8_t)log;
	c->sb.blocksize = 1u << log;
	c->sb.agblocks = c->agbytes ? (uint32_t)(c->agbytes >> log) : length;
	c->sb.agcount = last + 1;
	c->sb.dblocks = (uint64_t)last * c->sb.agblocks + last_length;
	return c->sb.agblocks != 0;
}

/* ---- the rest ---- */

static void set_features(struct candidate *c)
{
	const struct survey_group *g = c->g;
	struct xfs_sb *sb = &c->sb;

	sb->versionnum = (uint16_t)((c->v5 ? 5 : 4) | XFS_SB_VERSION_NLINK | XFS_SB_VERSION_ALIGN |
				    XFS_SB_VERSION_LOGV2 |
				    XFS_SB_VERSION_EXTFLG | XFS_SB_VERSION_DIRV2 | XFS_SB_VERSION_MOREBITS |
				    XFS_SB_VERSION_ATTR);	/* where no file has attributes it does no harm */
	sb->features2 = XFS_SB_FEAT2_LAZYSBCOUNT | XFS_SB_FEAT2_ATTR2 | XFS_SB_FEAT2_PROJID32 |
			(c->v5 ? XFS_SB_FEAT2_CRC : g->ftype >= g->no_ftype ? XFS_SB_FEAT2_FTYPE : 0);
	sb->bad_features2 = sb->features2;
	if (!(c->v5 && g->flags2 & XFS_DIFLAG2_METADATA)) {
		sb->uquotino = sb->gquotino = XFS_NULL64;
		sb->pquotino = c->v5 ? XFS_NULL64 : 0;
	}
	if (!c->v5)
		return;
	sb->features_incompat = XFS_SB_INCOMPAT_FTYPE;
	if (2 * g->finobt > g->agis)
		sb->features_ro_compat |= XFS_SB_ROCOMPAT_FINOBT;
	if (2 * g->inobtcnt > g->agis)
		sb->features_ro_compat |= XFS_SB_ROCOMPAT_INOBTCNT;
	if (2 * g->rmap > g->agfs)
		sb->features_ro_compat |= XFS_SB_ROCOMPAT_RMAPBT;
	if (2 * g->refcount > g->agfs)
		sb->features_ro_compat |= XFS_SB_ROCOMPAT_REFLINK;
	if (g->sparse > g->dense)
		sb->features_incompat |= XFS_SB_INCOMPAT_SPINODES;
	if (g->flags2 & XFS_DIFLAG2_BIGTIME)
		sb->features_incompat |= XFS_SB_INCOMPAT_BIGTIME;
	if (g->flags2 & XFS_DIFLAG2_NREXT64)
		sb->features_incompat |= XFS_SB_INCOMPAT_NREXT64;
	if (g->parents)
		sb->features_incompat |= XFS_SB_INCOMPAT_PARENT | XFS_SB_INCOMPAT_EXCHRANGE;
	if (g->flags2 & XFS_DIFLAG2_METADATA)
		sb->features_incompat |= XFS_SB_INCOMPAT_METADIR | XFS_SB_INCOMPAT_EXCHRANGE;
}

static void set_sizes(struct candidate *c)
{
	const struct survey_group *g = c->g;
	struct xfs_sb *sb = &c->sb;
	unsigned isize = repair_survey_most(g->inodesize), dir = repair_survey_most(g->dirsize);
	bool sparse = sb->features_incompat & XFS_SB_INCOMPAT_SPINODES;
	uint64_t bytes = sb->dblocks * sb->blocksize;

	sb->inodelog = (uint8_t)(isize ? isize : c->v5 ? 9 : 8);
	sb->inodesize = (uint16_t)(1u << sb->inodelog);
	sb->inopblog = (uint8_t)(sb->blocklog - sb->inodelog);
	sb->inopblock = (uint16_t)(1u << sb->inopblog);
	sb->sectsize = (uint16_t)c->sectsize;
	sb->sectlog = (uint8_t)xfs_log2_floor(c->sectsize);
	if (c->sectsize != 512) {
		sb->versionnum |= XFS_SB_VERSION_SECTOR;
		sb->logsectsize = sb->sectsize;
		sb->logsectlog = sb->sectlog;
	}
	sb->logsunit = c->sectsize != 512 ? sb->blocksize : 1;
	sb->agblklog = (uint8_t)xfs_log2_ceil(sb->agblocks);
	sb->dirblklog = (uint8_t)(dir > sb->blocklog ? dir - sb->blocklog : 0);
	sb->rextsize = xfs_max(1u, 4096 / sb->blocksize);
	/* until groups are found: what mkfs writes without any */
	if (sb->features_incompat & XFS_SB_INCOMPAT_METADIR) {
		sb->rgextents = (uint32_t)((UINT64_C(1) << 40) / ((uint64_t)sb->rextsize * sb->blocksize));
		sb->rgblklog = (uint8_t)xfs_log2_ceil((uint64_t)sb->rgextents * sb->rextsize);
	}
	sb->imax_pct = bytes < MB << 20 ? 25 : bytes < 50 * (MB << 20) ? 5 : 1;
	sb->inoalignmt = (c->v5 ? 8192u * (sb->inodesize / 256) : 8192) / sb->blocksize;
	if (sparse) {
		sb->spino_align = sb->inoalignmt;
		sb->inoalignmt = 64u * sb->inodesize / sb->blocksize;
	}
}

/* ---- the log ---- */

/* The records' own places agree on where it starts. */
static bool log_start(const struct survey *s, const struct candidate *c, uint64_t *start,
		      const struct survey_record **of)
{
	uint32_t best = 0;

	for (size_t i = 0; i < s->nrecords; i++) {
		const struct survey_record *r = &s->records[i];
		uint32_t votes = 0;

		if ((i && r->start == s->records[i - 1].start) || r->start % c->sb.blocksize)
			continue;
		for (size_t k = 0; k < s->nrecords; k++)
			votes += s->records[k].start == r->start;
		if (votes <= best)
			continue;
		best = votes;
		*start = r->start;
		*of = r;
	}
	return best != 0;
}

/* Where a record is the first of a lap, the one before it ends at the end of the log, or goes on in front of it. */
static uint32_t log_length_by_lap(const struct survey *s, uint64_t start, uint32_t blocksize, uint32_t *least)
{
	uint32_t length = 0;

	*least = 0;
	for (size_t i = 0; i < s->nrecords; i++) {
		const struct survey_record *r = &s->records[i];

		if (r->start != start)
			continue;
		*least = xfs_max(*least, r->block + 1);
		for (size_t k = 0; r->prev > r->block && k < s->nrecords; k++)
			if (s->records[k].start == start && s->records[k].block == r->prev &&
			    s->records[k].block + s->records[k].total > r->block)
				length = s->records[k].block + s->records[k].total - r->block;
	}
	return length % (blocksize / XFS_BBSIZE) || length < *least ? 0 : length / (blocksize / XFS_BBSIZE);
}

static uint32_t default_log_length(const struct xfs_geometry *geo)
{
	uint64_t bytes = geo->dblocks * geo->blocksize, n = geo->dblocks / 2048,
		 least = xfs_log_minimum(geo, geo->sb.logsunit);
	uint64_t fixed = xfs_ceil_div(4 * geo->sectsize, geo->blocksize) + 7u + geo->finobt + geo->rmapbt +
			 geo->reflink;
	uint64_t most = geo->agblocks - fixed - 1;

	if (bytes >= MB << 10)
		least = xfs_max(least, xfs_ceil_div(10 * MB, geo->blocksize));
	n = xfs_max(n, 64 * MB / geo->blocksize);
	if (bytes < 300 * MB)
		n = least;
	n = xfs_min(xfs_max(n, least), most);
	return (uint32_t)xfs_min(n, xfs_min(XFS_LOG_MAX_BLOCKS, XFS_LOG_MAX_BYTES / geo->blocksize));
}

/* The device of an external log is the log; its records tell what those of an internal one tell. */
static void set_external_log(const struct repair *r, const struct survey *log, struct candidate *c,
			     const struct survey_record **of)
{
	uint64_t most = xfs_min(XFS_LOG_MAX_BLOCKS, XFS_LOG_MAX_BYTES / c->sb.blocksize);

	c->sb.logstart = 0;
	c->sb.logblocks = (uint32_t)xfs_min(r->dev.log->size / c->sb.blocksize, most);
	for (size_t i = 0; i < log->nrecords && !*of; i++)
		if (!log->records[i].start)
			*of = &log->records[i];
}

/* mkfs takes the free list from the blocks behind the log. */
static uint32_t length_by_agfl(const struct repair *r, const struct candidate *c, const struct xfs_geometry *geo,
			       uint64_t start)
{
	uint32_t agno = (uint32_t)(start / c->sb.agblocks), agbno = (uint32_t)(start % c->sb.agblocks),
		 next = XFS_NULL32;
	uint64_t at = ((uint64_t)agno * c->sb.agblocks << c->sb.blocklog) + c->sectsize;
	size_t head = c->v5 ? sizeof(struct xfs_agfl_disk) : 0;
	uint8_t *buf = malloc(3 * (size_t)c->sectsize), *list;
	struct xfs_agf agf;

	if (!buf || xfs_dev_read(r->dev.data, at, buf, 3 * (size_t)c->sectsize)) {
		free(buf);
		return 0;
	}
	xfs_agf_decode(&agf, buf);
	list = buf + 2 * (size_t)c->sectsize + head;
	for (uint32_t i = 0; i < agf.flcount && i < geo->agfl_size; i++) {
		uint32_t bno = xfs_be32(list + 4 * (size_t)((agf.flfirst + i) % geo->agfl_size));

		if (bno > agbno && bno < next)
			next = bno;
	}
	free(buf);
	if (next == XFS_NULL32 || next >= geo->agblocks || next - agbno < xfs_log_minimum(geo, geo->sb.logsunit) ||
	    next - agbno > xfs_min(XFS_LOG_MAX_BLOCKS, XFS_LOG_MAX_BYTES / geo->blocksize))
		return 0;
	return next - agbno;
}

/* V4: no feature but that of the log tells the version of its records. */
static void set_log_version(struct candidate *c, const struct survey_record *of)
{
	if (c->v5 || !of || of->version != 1)
		return;
	c->sb.versionnum &= (uint16_t)~XFS_SB_VERSION_LOGV2;
	c->sb.logsunit = 0;
}

static bool set_log(const struct repair *r, const struct survey *s, const struct survey *log, struct candidate *c,
		    const struct survey_record **of)
{
	struct xfs_sb *sb = &c->sb;
	uint64_t start, block;
	uint32_t length, least = 0;
	struct xfs_geometry geo;

	*of = NULL;
	sb->logblocks = XFS_LOG_MIN_BLOCKS;	/* for the geometry; the length follows */
	if (xfs_geometry_init(&geo, sb, NULL, NULL))
		return false;
	if (r->dev.log) {
		set_external_log(r, log, c, of);
		set_log_version(c, *of);
		return sb->logblocks != 0;
	}
	if (!log_start(s, c, &start, of)) {
		sb->logblocks = c->g->log_blocks ? c->g->log_blocks : default_log_length(&geo);
		if (c->g->log_blocks)
			sb->logstart = (uint64_t)c->g->log_agno << sb->agblklog | c->g->log_agbno;
		return c->g->log_blocks;
	}
	if ((*of)->size > USUAL_RECORD && (*of)->size % sb->blocksize == 0)
		sb->logsunit = (*of)->size;	/* a record holds a whole unit */
	set_log_version(c, *of);
	if (xfs_geometry_init(&geo, sb, NULL, NULL))	/* how long a log mkfs makes follows from both */
		return false;
	block = start / sb->blocksize;
	sb->logstart = block / sb->agblocks << sb->agblklog | block % sb->agblocks;
	length = log_length_by_lap(s, start, sb->blocksize, &least);
	if (c->g->log_blocks && c->g->log_agno == block / sb->agblocks && c->g->log_agbno == block % sb->agblocks)
		length = c->g->log_blocks;
	if (!length && least <= (uint64_t)length_by_agfl(r, c, &geo, block) * (sb->blocksize / XFS_BBSIZE))
		length = length_by_agfl(r, c, &geo, block);
	sb->logblocks = length ? length : xfs_max(default_log_length(&geo), least / (sb->blocksize / XFS_BBSIZE) + 1);
	return true;
}

/* Log records carry the uuid that users see; metadata keeps the first one that the filesystem had. */
static void set_uuids(struct candidate *c, const struct survey_record *of)
{
	struct xfs_sb *sb = &c->sb;

	memcpy(sb->uuid, c->v5 || !of ? c->g->uuid : of->uuid, 16);
	if (!c->v5 || !of || !memcmp(of->uuid, c->g->uuid, 16))
		return;
	memcpy(sb->uuid, of->uuid, 16);
	memcpy(sb->meta_uuid, c->g->uuid, 16);
	sb->features_incompat |= XFS_SB_INCOMPAT_META_UUID;
}

/* ---- inodes ---- */

/* Where mkfs puts the root directory. */
uint64_t repair_expected_root(const struct xfs_geometry *geo)
{
	uint32_t block = xfs_ceil_div(4 * geo->sectsize, geo->blocksize) + 3 +
			 xfs_agfl_minimum(geo, 1, 1, geo->rmapbt) +
			 geo->finobt + geo->rmapbt + geo->reflink;

	if (geo->sb.logstart && geo->sb.logstart >> geo->agblklog == 0)
		block += geo->sb.logblocks;
	if (geo->ialloc_align)
		block = (uint32_t)xfs_round_up(block, geo->ialloc_align);
	else if (geo->sb.inoalignmt > 1)
		block = (uint32_t)(xfs_ceil_div(block, geo->sb.inoalignmt) * geo->sb.inoalignmt);
	return (uint64_t)block << geo->inopblog;
}

static bool has_realtime(struct repair *r, const struct xfs_sb *sb, const struct xfs_geometry *geo)
{
	uint8_t image[XFS_DINODE_MAX_SIZE];
	struct xfs_dinode d;

	if (xfs_dev_read(r->dev.data, xfs_ino_byte(geo, XFS_INO(sb->rbmino)), image, geo->inodesize))
		return false;
	xfs_dinode_decode(&d, image);
	return d.core.magic == XFS_DINODE_MAGIC && d.core.flags & XFS_DIFLAG_NEWRTBM && d.core.size;
}

/* What was seen there; what copies of the superblock say; where mkfs puts it. */
static uint64_t choose_inode(const struct xfs_geometry *geo, uint64_t seen, uint64_t said, uint64_t usual)
{
	if (seen != XFS_NULL64 && xfs_ino_valid(geo, XFS_INO(seen)))
		return seen;
	return said && xfs_ino_valid(geo, XFS_INO(said)) ? said : usual;
}

/* Realtime and quota files have names there, and their numbers stand nowhere. */
static bool set_metadata(struct repair *r, struct candidate *c, const struct xfs_geometry *geo)
{
	int error;

	c->sb.metadirino = choose_inode(geo, c->g->metaroot, c->sb.metadirino, c->sb.rootino + 1);
	error = repair_guess_groups(r, &c->sb);
	if (!error)
		return true;
	if (error == -XFS_E_NOMEM)
		repair_say(r, "files of the metadata directory can't be looked for: %s", xfs_error_text(error));
	else
		repair_say(r, "a filesystem with realtime groups was here: "
			   "the files of its metadata directory fit no geometry");
	return false;
}

static bool set_inodes(struct repair *r, struct candidate *c)
{
	struct xfs_geometry geo;

	if (xfs_geometry_init(&geo, &c->sb, NULL, NULL))
		return false;
	c->sb.rootino = choose_inode(&geo, c->g->root, c->sb.rootino, repair_expected_root(&geo));
	if (geo.metadir)
		return set_metadata(r, c, &geo);
	c->sb.rbmino = choose_inode(&geo, XFS_NULL64, c->sb.rbmino, c->sb.rootino + 1);
	c->sb.rsumino = choose_inode(&geo, XFS_NULL64, c->sb.rsumino, c->sb.rootino + 2);
	if (!c->sb.rblocks && has_realtime(r, &c->sb, &geo) && repair_guess_realtime(r, c->g, &c->sb)) {
		repair_say(r,
			   "a filesystem with a realtime section was here: "
			   "its bitmap, its files and the device%s fit no geometry",
			   r->dev.rt ? "" : " (-r, not given)");
		return false;
	}
	repair_quota_find(r, &geo, &c->sb);
	return true;
}

/* ---- all together ---- */

static bool make_candidate(struct repair *r, const struct survey *s, const struct survey *log,
			   const struct survey_group *g, struct candidate *c)
{
	static const uint8_t none[16];
	const struct survey_record *of;
	bool known;

	*c = (struct candidate){ .g = g, .v5 = memcmp(g->uuid, none, 16) != 0, .headers = (uint32_t)g->nheaders,
				 .sb = { .magicnum = XFS_SB_MAGIC } };
	if (!g->nheaders)
		return false;
	c->sectsize = sector_size(g);
	find_ag_size(c);
	if (!c->confirmed || !measure_groups(c))
		return false;
	set_features(c);
	set_sizes(c);
	known = set_log(r, s, log, c, &of);
	set_uuids(c, of);
	repair_guess_by_copies(r, g, of, &c->sb);
	if (!known && !(c->sb.logstart || r->dev.log))
		return false;
	if (!set_inodes(r, c) || r->dev.data->size / c->sb.blocksize < c->sb.dblocks)
		return false;
	repair_guess_case(r, &c->sb);
	return true;
}

static void tell(struct repair *r, const struct candidate *c, unsigned rank)
{
	const struct xfs_sb *sb = &c->sb;

	repair_say(r,
		   "candidate %u: V%u, %u of %u AG headers agree: %u AGs of %u blocks of %u bytes, %" PRIu64 " in all, "
		   "sectors of %u, inodes of %u", rank, c->v5 ? 5 : 4, c->confirmed, c->headers, sb->agcount,
		   sb->agblocks, sb->blocksize, sb->dblocks, sb->sectsize, sb->inodesize);
	repair_say(r, "\tfeatures 0x%x/0x%x, log at fsblock %" PRIu64 " of %u blocks, root inode %" PRIu64,
		   sb->features_ro_compat, sb->features_incompat, sb->logstart, sb->logblocks, sb->rootino);
}

static int better_first(const void *pa, const void *pb)
{
	const struct candidate *a = pa, *b = pb;

	return a->confirmed > b->confirmed ? -1 : a->confirmed < b->confirmed;
}

static int choose(struct repair *r, const struct survey *s, const struct survey *log)
{
	struct candidate c[SURVEY_GROUPS];
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_GUESSED, "sb");
	unsigned n = 0;

	for (size_t i = 0; i < s->ngroups; i++)
		n += make_candidate(r, s, log, &s->groups[i], &c[n]);
	if (!n)
		return -XFS_E_BADSB;
	qsort(c, n, sizeof(c[0]), better_first);
	for (unsigned i = 0; i < n; i++)
		tell(r, &c[i], i + 1);
	/* one header alone, or two filesystems that have left as much: the user decides */
	if (!r->force_geometry && (c[0].confirmed < 2 || (n > 1 && c[1].confirmed == c[0].confirmed))) {
		repair_say(r, "This does not suffice to tell the geometry.");
		repair_say(r, "Use the -o force_geometry option to proceed.");
		return -XFS_E_BADSB;
	}
	r->primary = c[0].sb;
	r->sb_changed = true;
	f.agno = 0;
	xfs_finding_detail(&f, "%u of %u AG headers agree", c[0].confirmed, c[0].headers);
	repair_note(r, &f, true);
	return 0;
}

int repair_guess_superblock(struct repair *r)
{
	struct survey s, log = { 0 };
	int error;

	repair_say(r, "no superblock is left; looking for AG headers and other metadata...");
	error = repair_survey(r->dev.data, &s);
	if (!error && r->dev.log)
		error = repair_survey(r->dev.log, &log);
	if (!error)
		error = choose(r, &s, &log);
	repair_survey_release(&log);
	repair_survey_release(&s);
	return error;
}
