/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conflict.c - two owners claim the same blocks: the one with less evidence loses them, the rest of its file stays.
 *
 * Evidence, strongest first: metadata of the AG; a block of a btree, whose header names its inode; the header of the
 * block itself (directories, attributes, symlinks on V5), or that there is none where they have one; zeroes behind the
 * end of a file in its last block, where there have to be some; on V4 an inode that was written since it came from the
 * log (a replay sets its counter of writes to zero); an inode whose checksum and forks are whole.  Between equals the
 * lower inode number keeps the blocks.
 */
#include "repair/cuts.h"
#include "repair/scan.h"
#include "repair/space.h"

#include "libxfs/base/search.h"
#include "libxfs/inode/inode.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/dir.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct settling {
	struct repair *r;
	struct repair_ag *ag;
	struct repair_cuts *cuts;
	bool *gone;				/* by chunk: it is dropped */
	uint64_t n;
};

uint64_t repair_header_owner(struct repair *r, uint64_t fsbno)
{
#define HEADER(number, S) { number, XFS_OFF(S, magic), XFS_OFF(S, owner), XFS_OFF(S, uuid) }
	static const struct { uint32_t magic; uint8_t at, owner, uuid; } headers[] = {
		HEADER(XFS_DIR3_BLOCK_MAGIC, dir_blkhdr), HEADER(XFS_DIR3_DATA_MAGIC, dir_blkhdr),
		HEADER(XFS_DIR3_FREE_MAGIC, dir_blkhdr), HEADER(XFS_ATTR_REMOTE_MAGIC, attr_rmt_hdr),
		HEADER(XFS_SYMLINK_MAGIC, symlink_hdr), HEADER(XFS_DA3_NODE_MAGIC, da3_blkinfo),
		HEADER(XFS_DIR3_LEAF1_MAGIC, da3_blkinfo), HEADER(XFS_DIR3_LEAFN_MAGIC, da3_blkinfo),
		HEADER(XFS_ATTR_LEAF_MAGIC, da3_blkinfo),
	};
#undef HEADER
	uint8_t p[64];

	if (!r->geo.v5 || xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, XFS_FSBNO(fsbno)), p, sizeof(p)))
		return 0;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(headers); i++) {
		uint32_t magic = headers[i].at ? xfs_be16(p + headers[i].at) : xfs_be32(p);

		if (magic == headers[i].magic && !memcmp(p + headers[i].uuid, r->geo.uuid, 16))
			return xfs_be64(p + headers[i].owner);
	}
	return 0;
}

static uint32_t end_of_overlap(const struct xfs_claim *a, const struct xfs_claim *b)
{
	return (uint32_t)xfs_min((uint64_t)a->agbno + a->len, (uint64_t)b->agbno + b->len);
}

static unsigned fork_of(const struct xfs_claim *c)
{
	return c->offset & XFS_RMAP_ATTR ? XFS_FORK_ATTR : XFS_FORK_DATA;
}

/*
 * These blocks lie behind the end of the file, where it has nothing to lose; or the last one is among them, and holds
 * something behind that end.
 */
static int goes_on(struct repair *r, uint32_t agno, const struct xfs_claim *c, uint32_t agbno, uint32_t end,
		   const struct xfs_dinode *d, bool *yes)
{
	uint64_t size = (uint64_t)d->core.size, last = size >> r->geo.blocklog, off = c->offset & XFS_RMAP_OFFMASK;
	uint32_t used = (uint32_t)(size & (r->geo.blocksize - 1));
	xfs_fsbno_t at;
	uint8_t *p;

	*yes = off + (agbno - c->agbno) >= last + !!used;
	if (*yes || !used || c->offset & XFS_RMAP_UNWRITTEN || last < off || last - off < agbno - c->agbno ||
	    last - off >= end - c->agbno)
		return 0;
	p = malloc(r->geo.blocksize);
	if (!p)
		return -XFS_E_NOMEM;
	at = xfs_fsbno_of(&r->geo, XFS_AGNO(agno), XFS_AGBNO((uint32_t)(c->agbno + (last - off))));
	if (!xfs_dev_read(r->dev.data, xfs_fsbno_byte(&r->geo, at), p, r->geo.blocksize))
		for (uint32_t i = used; i < r->geo.blocksize; i++)
			*yes |= p[i] != 0;
	free(p);
	return 0;
}

/*
 * V5: what the block at `agbno`, or the directory block that it is a part of, says of this claim. 1: names its inode;
 * -1: would have to if it were a directory's, an attribute fork's, a target's, and does not; 0: nothing.  -1 also: of
 * the blocks up to `end`, all lie behind the end of a file, or its last one holds something there.
 * V4: 1 when the inode was written since it came from the log.
 */
static int hear(struct repair *r, uint32_t agno, const struct xfs_claim *c, uint32_t agbno, uint32_t end,
		uint8_t *image, int *said)
{
	uint64_t off = (c->offset & XFS_RMAP_OFFMASK) + (agbno - c->agbno);
	struct xfs_dinode d;
	int error = repair_read_inode(r, c->owner, image, &d);
	unsigned type, skip;
	bool more = false;

	if (!error && fork_of(c) == XFS_FORK_DATA && !(c->offset & XFS_RMAP_BMBT) &&
	    (d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG)
		error = goes_on(r, agno, c, agbno, end, &d, &more);
	*said = -1;
	if (more)
		return 0;
	*said = !error && !r->geo.v5 && xfs_be16(image + XFS_OFF(dinode_core, flushiter));
	if (error || !r->geo.v5 || c->offset & XFS_RMAP_BMBT)
		return error == -XFS_E_NOMEM ? error : 0;
	type = fork_of(c) == XFS_FORK_ATTR ? 0 : d.core.mode & XFS_MODE_FMT;
	skip = type == XFS_MODE_DIR ? (unsigned)(off % r->geo.dirblkfsbs) : 0;
	if ((!type || type == XFS_MODE_DIR || (type == XFS_MODE_LNK && !off)) && agbno - c->agbno >= skip) {
		uint64_t fsbno = xfs_fsbno_of(&r->geo, XFS_AGNO(agno), XFS_AGBNO(agbno - skip)).v;

		*said = repair_header_owner(r, fsbno) == c->owner ? 1 : -1;
	}
	return 0;
}

/* Bitmap and summary of the realtime section are made anew from files, wherever they lie. */
static bool is_derived(const struct repair *r, const struct xfs_claim *c)
{
	enum xfs_inode_role role = xfs_inode_role(r->fs, XFS_INO(c->owner));

	return role == XFS_INODE_RTBITMAP || role == XFS_INODE_RTSUMMARY;
}

/* *second: b loses, otherwise a. Both are claims of inodes.  *told: by evidence, not by their numbers. */
static int weigh(struct settling *t, const struct xfs_claim *a, const struct xfs_claim *b, bool *second, bool *told)
{
	struct repair *r = t->r;
	uint32_t agno = t->ag->agno.v, end = end_of_overlap(a, b);
	uint64_t owner = repair_header_owner(r, xfs_fsbno_of(&r->geo, XFS_AGNO(agno), XFS_AGBNO(b->agbno)).v);
	bool tree_a = a->offset & XFS_RMAP_BMBT, tree_b = b->offset & XFS_RMAP_BMBT;
	uint8_t *image;
	int good_a, good_b, error;

	*second = a->owner < b->owner ||
		  (a->owner == b->owner &&
		   (a->offset & ~XFS_RMAP_UNWRITTEN) < (b->offset & ~XFS_RMAP_UNWRITTEN));
	*told = true;
	if (tree_a != tree_b) {
		*second = tree_a;
		return 0;
	}
	if (a->owner != b->owner && (owner == a->owner || owner == b->owner)) {
		*second = owner == a->owner;
		return 0;
	}
	if (is_derived(r, a) != is_derived(r, b)) {
		*second = is_derived(r, b);
		return 0;
	}
	image = malloc(r->geo.inodesize);
	if (!image)
		return -XFS_E_NOMEM;
	error = hear(r, agno, a, b->agbno, end, image, &good_a);
	if (!error)
		error = hear(r, agno, b, b->agbno, end, image, &good_b);
	if (!error && good_a == good_b) {
		error = repair_cuts_whole(t->cuts, a->owner, fork_of(a), image, &good_a);
		if (!error)
			error = repair_cuts_whole(t->cuts, b->owner, fork_of(b), image, &good_b);
	}
	*told = !error && good_a != good_b;
	if (*told)
		*second = good_a > good_b;
	free(image);
	return error;
}

/* ---- the loser ---- */

static void note_loss(struct repair *r, uint32_t agno, const struct xfs_claim *loser, const struct xfs_claim *keeper,
		      uint32_t from, uint32_t len)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_FORK_CONFLICT, "inode");

	f.agno = agno;
	f.agbno = from;
	f.len = len;
	f.ino = loser->owner;
	f.field = fork_of(loser) ? "attr" : "data";
	if (!xfs_claim_no_offset(loser))
		f.fileoff = (loser->offset & XFS_RMAP_OFFMASK) + (from - loser->agbno);
	if (xfs_owner_is_special(keeper->owner))
		xfs_finding_detail(&f, "%s fork: kept by metadata of the group", f.field);
	else
		xfs_finding_detail(&f, "%s fork: kept by inode %" PRIu64, f.field, keeper->owner);
	repair_note(r, &f, true);
}

/* Blocks [from, from + len) of the claim leave the loser's fork; a block of its btree is only given up. */
static int take_out(struct settling *t, const struct xfs_claim *loser, uint32_t from, uint32_t len)
{
	struct xfs_mapping m = { (loser->offset & XFS_RMAP_OFFMASK) + (from - loser->agbno),
				 xfs_fsbno_of(&t->r->geo, t->ag->agno, XFS_AGBNO(from)).v, len,
				 (loser->offset & XFS_RMAP_UNWRITTEN) != 0, 0 };

	if (loser->offset & XFS_RMAP_BMBT)
		m.len = 0;
	return repair_cuts_add(t->cuts, loser->owner, fork_of(loser), &m);
}

static bool touches(const struct repair *r, const struct xfs_inode_chunk *chunk, const struct xfs_claim *c)
{
	uint32_t first = chunk->startino >> r->geo.inopblog,
		 last = (chunk->startino + XFS_INODES_PER_CHUNK - 1) >> r->geo.inopblog;

	return last >= c->agbno && first < c->agbno + c->len;
}

/* The first chunk of the AG that ends in this claim or behind it. */
static size_t first_chunk(const struct settling *t, const struct xfs_claim *c)
{
	const struct xfs_inode_chunk *list = t->ag->chunks;

	return xfs_search(t->ag->nchunks, i,
			  (list[i].startino + XFS_INODES_PER_CHUNK - 1) >> t->r->geo.inopblog < c->agbno);
}

/* Chunks that lie on what belongs to others: the record is wrong, whatever lies there. */
static int drop_chunk(struct settling *t, const struct xfs_claim *c)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_INOBT_DIFFERS, "inobt");
	struct repair_ag *ag = t->ag;
	bool any = false;

	if (!t->gone)
		t->gone = calloc(ag->nchunks + 1, sizeof(*t->gone));
	if (!t->gone)
		return -XFS_E_NOMEM;
	for (size_t i = first_chunk(t, c); i < ag->nchunks && touches(t->r, &ag->chunks[i], c); i++) {
		if (t->gone[i])
			continue;
		any = t->gone[i] = true;
	}
	ag->reasons |= REPAIR_INODES;
	f.agno = ag->agno.v;
	f.agbno = c->agbno;
	xfs_finding_detail(&f, "the chunk lies on what belongs to others");
	if (any)
		repair_note(t->r, &f, true);
	return 0;
}

static bool is_of_gone(void *payload, uint64_t ino)
{
	const struct settling *t = payload;
	const struct xfs_inode_chunk *c = repair_chunk_of(t->ag, xfs_ino_agino(&t->r->geo, XFS_INO(ino)).v, NULL);

	return c && t->gone[c - t->ag->chunks];
}

/* What was decided for inodes of a chunk that is none must not be written: other bytes lie there. */
static void forget_inodes(struct settling *t)
{
	const struct xfs_geometry *geo = &t->r->geo;
	uint64_t first = xfs_ino_of(geo, t->ag->agno, XFS_AGINO(0)).v;

	repair_drop_changed(t->r, first, xfs_ino_of(geo, XFS_AGNO(t->ag->agno.v + 1), XFS_AGINO(0)).v, is_of_gone, t);
}

static void close_gaps(struct repair_ag *ag, const bool *gone)
{
	size_t keep = 0;

	for (size_t i = 0; i < ag->nchunks; i++) {
		if (gone[i])
			continue;
		if (ag->facts && keep != i)
			memcpy(ag->facts + keep * XFS_INODES_PER_CHUNK, ag->facts + i * XFS_INODES_PER_CHUNK,
			       XFS_INODES_PER_CHUNK * sizeof(*ag->facts));
		ag->chunks[keep++] = ag->chunks[i];
	}
	ag->nchunks = keep;
	ag->chunks_changed = true;
}

/* Does a whole rmapbt say that there are inodes? Its runs are in order. */
static bool is_mapped(const struct repair_ag *ag, const struct xfs_claim *c)
{
	size_t lo = xfs_search(ag->special.n, i, ag->special.r[i].agbno + ag->special.r[i].len <= c->agbno);

	for (; lo < ag->special.n && ag->special.r[lo].agbno < c->agbno + c->len; lo++)
		if (ag->special.r[lo].owner == XFS_OWN_INODES)
			return true;
	return false;
}

/* *proven: some inode on the disk, or a whole rmapbt, stands behind the chunks of this claim.  Errors: NOMEM. */
static int find_proof(struct settling *t, const struct xfs_claim *c, bool *proven)
{
	struct repair *r = t->r;
	size_t size = (size_t)XFS_INODES_PER_CHUNK * r->geo.inodesize;
	uint8_t *bytes;

	*proven = t->ag->tree[XFS_TREE_RMAP].sound && is_mapped(t->ag, c);
	if (*proven)
		return 0;
	bytes = malloc(size);
	if (!bytes)
		return -XFS_E_NOMEM;
	for (size_t i = first_chunk(t, c); i < t->ag->nchunks && touches(r, &t->ag->chunks[i], c) && !*proven; i++) {
		uint64_t ino = xfs_ino_of(&r->geo, t->ag->agno, XFS_AGINO(t->ag->chunks[i].startino)).v;

		if ((t->gone && t->gone[i]) ||
		    xfs_dev_read(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(ino)), bytes, size))
			continue;
		for (unsigned k = 0; k < XFS_INODES_PER_CHUNK && !*proven; k++)
			*proven = repair_is_inode(r, bytes + (size_t)k * r->geo.inodesize, ino + k);
	}
	free(bytes);
	return 0;
}

static void note_trees(struct repair *r, const struct repair_ag *ag, const struct xfs_claim *c)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SPACE_DIFFER, "metadata");

	f.agno = ag->agno.v;
	f.agbno = c->agbno;
	xfs_finding_detail(&f, "claimed twice");
	repair_note(r, &f, true);
}

/* Leaks are known where no reverse mappings are asked; nothing is said of what only looks. */
static bool may_move(const struct settling *t, const struct xfs_claim *c)
{
	return !t->r->geo.rmapbt && !t->r->looking && t->r->leaks_known && !xfs_owner_is_special(c->owner) &&
	       !repair_is_lost(t->r, c->owner);
}

static int settle(struct settling *t, const struct xfs_claim *a, const struct xfs_claim *b)
{
	bool special_a = xfs_owner_is_special(a->owner), special_b = xfs_owner_is_special(b->owner), second = special_a;
	uint32_t end = end_of_overlap(a, b);
	const struct xfs_claim *inodes = a->owner == XFS_OWN_INODES ? a : b->owner == XFS_OWN_INODES ? b : NULL, *loser;
	struct repair_elsewhere at[2];
	bool proven = true, told = true, elsewhere[2];
	int error = 0;

	if (special_a && special_b) {
		/* two trees claim one block: both are built anew, then neither does */
		t->ag->reasons |= REPAIR_TREE;
		if (!inodes)
			note_trees(t->r, t->ag, b);
		return inodes && !t->r->looking ? drop_chunk(t, inodes) : 0;
	}
	/* a chunk where no inode is left, and a file that was whole: the file stays */
	if (special_a != special_b && inodes && !t->r->looking)
		error = find_proof(t, inodes, &proven);
	if (!error && !proven)
		return drop_chunk(t, inodes);
	for (unsigned i = 0; i < 2; i++)
		elsewhere[i] = may_move(t, i ? b : a) &&
			       repair_belongs_elsewhere(t->r, t->ag->agno.v, i ? b : a, b->agbno, end - b->agbno,
							&at[i]);
	if (!special_a && !special_b && elsewhere[0] != elsewhere[1])
		second = elsewhere[1];
	else if (!special_a && !special_b)
		error = weigh(t, a, b, &second, &told);
	if (error)
		return error;
	loser = second ? b : a;
	/* a guess would give each of them what the other one had */
	if (elsewhere[second] && told)
		return repair_move_extent(t->r, t->cuts, t->ag->agno.v, &at[second]);
	note_loss(t->r, t->ag->agno.v, loser, second ? a : b, b->agbno, end - b->agbno);
	if (t->r->looking || repair_is_lost(t->r, loser->owner))
		return t->r->looking ? 0 : -XFS_E_OVERLAP;
	t->ag->reasons |= REPAIR_TREE;
	return take_out(t, loser, b->agbno, end - b->agbno);
}

/*
 * Files share what they hold, nobody else does; and one that says that it shares nothing, of blocks that the refcountbt
 * calls nobody's but its own, does not.
 */
static bool may_share(void *payload, const struct xfs_claim *c)
{
	struct settling *t = payload;
	const struct repair_fact *f = repair_fact_of(t->r, c->owner);
	uint64_t fsbno = xfs_fsbno_of(&t->r->geo, t->ag->agno, XFS_AGBNO(c->agbno)).v;

	return !f || !f->used || (f->ftype == XFS_DIR_FT_REG && (f->shares || !t->ag->tree[XFS_TREE_REFC].sound ||
								 !repair_is_unshared(t->r, fsbno, c->len)));
}

static int conflict(void *payload, const struct xfs_claim *a, const struct xfs_claim *b)
{
	struct settling *t = payload;

	if (!repair_cuts_room(t->cuts))
		return -XFS_E_STOP;	/* what is left comes up in the next round */
	t->n++;
	return settle(t, a, b);
}

int repair_settle_conflicts(struct repair *r, uint32_t agno, struct repair_cuts *cuts, uint64_t *settled)
{
	struct settling t = { .r = r, .ag = &r->ags[agno], .cuts = cuts };
	int error = xfs_claims_each_conflict(r->claims, XFS_AGNO(agno), conflict,
					     r->geo.rmapbt ? NULL : may_share, &t);

	if (t.gone) {
		forget_inodes(&t);
		close_gaps(t.ag, t.gone);
	}
	free(t.gone);
	*settled += t.n;
	return error == -XFS_E_STOP ? 0 : error;
}
