/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conflict.c - two owners claim the same blocks: the one with less evidence loses them, the rest of its file stays.
 *
 * Evidence, strongest first: metadata of the AG; a block of a btree, whose header names its inode; the header of the
 * block itself (directories, attributes, symlinks on V5), or that there is none where they have one; an inode whose checksum and forks are whole.  Between equals
 * the lower inode number keeps the blocks.
 */
#include "repair/scan.h"
#include "repair/space.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/inode/inode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PAIRS ((size_t)1 << 16)	/* settled at a time; what is left comes up in the next round */

struct pair {
	struct xfs_claim a, b;
};

struct pairs {
	struct pair *p;
	size_t n, room;
};

static int add_pair(void *payload, const struct xfs_claim *a, const struct xfs_claim *b)
{
	struct pairs *s = payload;

	if (s->n == MOST_PAIRS)
		return -XFS_E_STOP;
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct pair *grown = realloc(s->p, room * sizeof(*grown));

		if (!grown)
			return -XFS_E_NOMEM;
		s->p = grown;
		s->room = room;
	}
	s->p[s->n++] = (struct pair){ *a, *b };
	return 0;
}

uint64_t repair_header_owner(struct repair *r, uint64_t fsbno)
{
	static const struct { uint32_t magic; uint8_t at, owner, uuid; } headers[] = {
		{ 0x58444233, 0, 40, 24 }, { 0x58444433, 0, 40, 24 }, { 0x58444633, 0, 40, 24 },	/* XDB3 XDD3 XDF3 */
		{ 0x5841524d, 0, 32, 16 }, { 0x58534c4d, 0, 32, 16 },				/* XARM XSLM */
		{ 0x3ebe, 8, 48, 32 }, { 0x3df1, 8, 48, 32 }, { 0x3dff, 8, 48, 32 }, { 0x3bee, 8, 48, 32 },
	};
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

static unsigned fork_of(const struct xfs_claim *c)
{
	return c->offset & XFS_RMAP_ATTR ? XFS_FORK_ATTR : XFS_FORK_DATA;
}

int repair_fork_is_whole(struct repair *r, uint64_t ino, unsigned fork, uint8_t *image, int *whole)
{
	uint64_t blocks = 0;
	bool damaged = false;
	struct xfs_dinode d;
	int error = repair_read_inode(r, ino, image, &d);

	*whole = 0;
	if (error)
		return error == -XFS_E_NOMEM ? error : 0;
	for (unsigned k = 0; k < 2 && !error; k++) {
		struct repair_fork f;

		error = repair_fork_scan(r, ino, &d, image, (enum xfs_fork)k, &f, NULL, NULL);
		damaged |= f.damaged && k == fork;
		blocks += f.blocks + f.nown;
		repair_fork_release(&f);
	}
	*whole = !error && !damaged && blocks == d.core.nblocks &&
		 (!r->geo.v5 || xfs_crc32c_check(image, r->geo.inodesize, XFS_DINODE_CRC_OFF));
	return error;
}

/*
 * V5: what the block at `agbno`, or the directory block that it is a part of, says of this claim. 1: names its inode;
 * -1: would have to if it were a directory's, an attribute fork's, a target's, and does not; 0: nothing.
 */
static int hear(struct repair *r, uint32_t agno, const struct xfs_claim *c, uint32_t agbno, uint8_t *image, int *said)
{
	uint64_t off = (c->offset & XFS_RMAP_OFFMASK) + (agbno - c->agbno);
	struct xfs_dinode d;
	int error = repair_read_inode(r, c->owner, image, &d);
	unsigned type, skip;

	*said = 0;
	if (error || !r->geo.v5 || c->offset & XFS_RMAP_BMBT)
		return error == -XFS_E_NOMEM ? error : 0;
	type = fork_of(c) == XFS_FORK_ATTR ? 0 : d.core.mode & XFS_MODE_FMT;
	skip = type == XFS_MODE_DIR ? (unsigned)(off % r->geo.dirblkfsbs) : 0;
	if ((!type || type == XFS_MODE_DIR || (type == XFS_MODE_LNK && !off)) && agbno - c->agbno >= skip)
		*said = repair_header_owner(r, xfs_fsbno_of(&r->geo, XFS_AGNO(agno), XFS_AGBNO(agbno - skip)).v) == c->owner ? 1 : -1;
	return 0;
}

/* Bitmap and summary of the realtime section are made anew from files, wherever they lie. */
static bool is_derived(const struct repair *r, const struct xfs_claim *c)
{
	enum xfs_inode_role role = xfs_inode_role(r->fs, XFS_INO(c->owner));

	return role == XFS_INODE_RTBITMAP || role == XFS_INODE_RTSUMMARY;
}

/* *second: b loses, otherwise a. Both are claims of inodes. */
static int weigh(struct repair *r, uint32_t agno, const struct xfs_claim *a, const struct xfs_claim *b, bool *second)
{
	uint64_t owner = repair_header_owner(r, xfs_fsbno_of(&r->geo, XFS_AGNO(agno), XFS_AGBNO(b->agbno)).v);
	bool tree_a = a->offset & XFS_RMAP_BMBT, tree_b = b->offset & XFS_RMAP_BMBT;
	uint8_t *image;
	int good_a, good_b, error;

	*second = a->owner < b->owner || (a->owner == b->owner && (a->offset & ~XFS_RMAP_UNWRITTEN) < (b->offset & ~XFS_RMAP_UNWRITTEN));
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
	error = hear(r, agno, a, b->agbno, image, &good_a);
	if (!error)
		error = hear(r, agno, b, b->agbno, image, &good_b);
	if (!error && good_a == good_b) {
		error = repair_fork_is_whole(r, a->owner, fork_of(a), image, &good_a);
		if (!error)
			error = repair_fork_is_whole(r, b->owner, fork_of(b), image, &good_b);
	}
	if (!error && good_a != good_b)
		*second = good_a > good_b;
	free(image);
	return error;
}

/* ---- the loser ---- */

/* The inode's entry with its fork in c->map: from now on the fork is what stands there. */
int repair_open_fork(struct repair *r, uint64_t ino, unsigned k, struct repair_inode **out)
{
	struct repair_inode *c = repair_find_changed(r, ino);
	uint8_t *image = NULL;
	struct repair_fork f = { 0 };
	struct xfs_dinode d;
	int error = 0;

	if (!c) {
		image = malloc(r->geo.inodesize);
		error = image ? repair_read_inode(r, ino, image, &d) : -XFS_E_NOMEM;
		if (!error)
			error = repair_changed_inode(r, ino, image, &c);
		free(image);
	}
	if (error)
		return error;
	*out = c;
	if (c->fork[k])
		return 0;
	xfs_dinode_decode(&d, c->image);
	error = repair_fork_scan_any(r, ino, &d, c->image, (enum xfs_fork)k, &f, repair_keep_mapping, &c->map[k]);
	for (size_t i = 0; i < f.nown; i++)
		repair_ag_of(r, f.own[i])->reasons |= REPAIR_FORK;
	repair_fork_release(&f);
	if (!error) {
		int64_t cut = xfs_mapset_normalise(&c->map[k]);

		error = cut < 0 ? (int)cut : 0;
	}
	c->fork[k] = true;
	return error;
}

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

/* Takes blocks [from, from + len) of the claim out of the loser's fork; a block of its btree is only given up. */
static int take_out(struct repair *r, uint32_t agno, const struct xfs_claim *loser, uint32_t from, uint32_t len)
{
	unsigned k = fork_of(loser);
	struct xfs_mapset cut = { 0 }, left = { 0 };
	struct xfs_mapping m = { (loser->offset & XFS_RMAP_OFFMASK) + (from - loser->agbno),
				 xfs_fsbno_of(&r->geo, XFS_AGNO(agno), XFS_AGBNO(from)).v, len,
				 (loser->offset & XFS_RMAP_UNWRITTEN) != 0, 0 };
	struct repair_inode *c;
	int error = repair_open_fork(r, loser->owner, k, &c);

	if (error || loser->offset & XFS_RMAP_BMBT)
		return error;
	error = xfs_mapset_add(&cut, &m);
	if (!error)
		error = xfs_mapset_subtract(&left, &c->map[k], &cut);
	if (!error) {
		xfs_mapset_release(&c->map[k]);
		c->map[k] = left;
		left = (struct xfs_mapset){ 0 };
	}
	/* a map that led to a block of others may have led to one of its own */
	if (!error && k == XFS_FORK_DATA && (xfs_be16(c->image + XFS_OFF(dinode_core, mode)) & XFS_MODE_FMT) == XFS_MODE_DIR)
		error = repair_add_stray_entries(r, loser->owner, &c->map[k]);
	xfs_mapset_release(&cut);
	xfs_mapset_release(&left);
	return error;
}

/* What was decided for inodes of a chunk that is none must not be written: other bytes lie there. */
static void forget_inodes(struct repair *r, struct repair_ag *ag, const struct xfs_inode_chunk *c)
{
	for (unsigned i = 0; i < XFS_INODES_PER_CHUNK; i++)
		repair_drop_changed(r, xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(c->startino + i)).v);
}

static bool touches(const struct repair *r, const struct xfs_inode_chunk *chunk, const struct xfs_claim *c)
{
	uint32_t first = chunk->startino >> r->geo.inopblog, last = (chunk->startino + XFS_INODES_PER_CHUNK - 1) >> r->geo.inopblog;

	return last >= c->agbno && first < c->agbno + c->len;
}

/* Chunks that lie on what belongs to others: the record is wrong, whatever lies there. */
static void drop_chunk(struct repair *r, struct repair_ag *ag, const struct xfs_claim *c)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_INOBT_DIFFERS, "inobt");
	size_t keep = 0;

	for (size_t i = 0; i < ag->nchunks; i++) {
		if (touches(r, &ag->chunks[i], c)) {
			forget_inodes(r, ag, &ag->chunks[i]);
			continue;
		}
		if (ag->facts)
			memmove(ag->facts + keep * XFS_INODES_PER_CHUNK, ag->facts + i * XFS_INODES_PER_CHUNK,
				XFS_INODES_PER_CHUNK * sizeof(*ag->facts));
		ag->chunks[keep++] = ag->chunks[i];
	}
	ag->nchunks = keep;
	ag->chunks_changed = true;
	ag->reasons |= REPAIR_INODES;
	f.agno = ag->agno.v;
	f.agbno = c->agbno;
	xfs_finding_detail(&f, "the chunk lies on what belongs to others");
	repair_note(r, &f, true);
}

/* Is there any inode on the disk, or a whole rmapbt that says so, behind the chunks of this claim? */
static bool is_proven(struct repair *r, struct repair_ag *ag, const struct xfs_claim *c)
{
	size_t size = (size_t)XFS_INODES_PER_CHUNK * r->geo.inodesize;
	uint8_t *bytes = malloc(size);
	bool proven = !bytes;

	for (size_t i = 0; ag->tree[XFS_TREE_RMAP].sound && i < ag->special.n && !proven; i++)
		proven = ag->special.r[i].owner == XFS_OWN_INODES && ag->special.r[i].agbno < c->agbno + c->len &&
			 c->agbno < ag->special.r[i].agbno + ag->special.r[i].len;
	for (size_t i = 0; i < ag->nchunks && !proven; i++) {
		uint64_t ino = xfs_ino_of(&r->geo, ag->agno, XFS_AGINO(ag->chunks[i].startino)).v;

		if (!touches(r, &ag->chunks[i], c) || xfs_dev_read(r->dev.data, xfs_ino_byte(&r->geo, XFS_INO(ino)), bytes, size))
			continue;
		for (unsigned k = 0; k < XFS_INODES_PER_CHUNK && !proven; k++)
			proven = repair_is_inode(r, bytes + (size_t)k * r->geo.inodesize, ino + k);
	}
	free(bytes);
	return proven;
}

static void note_trees(struct repair *r, const struct repair_ag *ag, const struct xfs_claim *c)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SPACE_DIFFER, "metadata");

	f.agno = ag->agno.v;
	f.agbno = c->agbno;
	xfs_finding_detail(&f, "claimed twice");
	repair_note(r, &f, true);
}

static int settle(struct repair *r, struct repair_ag *ag, const struct pair *p)
{
	bool special_a = xfs_owner_is_special(p->a.owner), special_b = xfs_owner_is_special(p->b.owner), second = special_a;
	uint32_t end = (uint32_t)xfs_min((uint64_t)p->a.agbno + p->a.len, (uint64_t)p->b.agbno + p->b.len);
	const struct xfs_claim *loser;
	int error = 0;

	if (special_a && special_b) {
		/* two trees claim one block: both are built anew, then neither does */
		ag->reasons |= REPAIR_TREE;
		if (p->a.owner != XFS_OWN_INODES && p->b.owner != XFS_OWN_INODES)
			note_trees(r, ag, &p->b);
		else if (!r->looking)
			drop_chunk(r, ag, p->a.owner == XFS_OWN_INODES ? &p->a : &p->b);
		return 0;
	}
	/* a chunk where no inode is left, and a file that was whole: the file stays */
	if (special_a != special_b && (special_a ? &p->a : &p->b)->owner == XFS_OWN_INODES && !r->looking &&
	    !is_proven(r, ag, special_a ? &p->a : &p->b)) {
		drop_chunk(r, ag, special_a ? &p->a : &p->b);
		return 0;
	}
	if (!special_a && !special_b)
		error = weigh(r, ag->agno.v, &p->a, &p->b, &second);
	if (error)
		return error;
	loser = second ? &p->b : &p->a;
	note_loss(r, ag->agno.v, loser, second ? &p->a : &p->b, p->b.agbno, end - p->b.agbno);
	if (r->looking || repair_is_lost(r, loser->owner))
		return r->looking ? 0 : -XFS_E_OVERLAP;
	ag->reasons |= REPAIR_TREE;
	return take_out(r, ag->agno.v, loser, p->b.agbno, end - p->b.agbno);
}

int repair_settle_conflicts(struct repair *r, uint32_t agno, uint64_t *settled)
{
	struct pairs s = { 0 };
	int error = xfs_claims_each_conflict(r->claims, XFS_AGNO(agno), add_pair, &s);

	if (error == -XFS_E_STOP)
		error = 0;
	for (size_t i = 0; i < s.n && !error; i++)
		error = settle(r, &r->ags[agno], &s.p[i]);
	*settled += s.n;
	free(s.p);
	return error;
}
