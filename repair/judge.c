/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.c - decides what each fork becomes.
 *
 * A fork that is damaged: the reverse mappings say what it held; where an AG's rmapbt is damaged or absent, what is good
 * of the fork itself counts.  Fork and reverse mappings both whole but different: the side that other witnesses (free
 * space, other owners, the block counter of the inode) contradict gives way; the smallest unit is a mapping.
 */
#include "repair/evidence.h"
#include "repair/realtime.h"
#include "repair/space.h"

#include "libxfs/inode/symlink.h"
#include "libxfs/name/verify.h"
#include "libxfs/ondisk/dir.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fork_names[2] = { "data", "attr" };

static struct repair_ag *ag_of(struct repair *r, uint64_t fsbno)
{
	return &r->ags[fsbno >> r->geo.agblklog];
}

static bool ag_sound(struct repair *r, uint64_t fsbno)
{
	return ag_of(r, fsbno)->tree[XFS_TREE_RMAP].sound;
}

struct repair_inode *repair_find_changed(struct repair *r, uint64_t ino)
{
	size_t lo = 0, hi = r->ninodes;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->inodes[mid].ino < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < r->ninodes && r->inodes[lo].ino == ino ? &r->inodes[lo] : NULL;
}

int repair_changed_inode(struct repair *r, uint64_t ino, const uint8_t *image, struct repair_inode **out)
{
	struct repair_inode *c = repair_find_changed(r, ino);
	size_t at = r->ninodes;

	if (!c) {
		if (r->ninodes == r->inode_room) {
			size_t room = r->inode_room ? 2 * r->inode_room : 32;
			struct repair_inode *grown = realloc(r->inodes, room * sizeof(*grown));

			if (!grown)
				return -XFS_E_NOMEM;
			r->inodes = grown;
			r->inode_room = room;
		}
		/* judged in ascending order, so this is at the end as a rule */
		while (at && r->inodes[at - 1].ino > ino)
			at--;
		memmove(&r->inodes[at + 1], &r->inodes[at], (r->ninodes - at) * sizeof(*r->inodes));
		r->ninodes++;
		c = &r->inodes[at];
		*c = (struct repair_inode){ .ino = ino, .image = malloc(r->geo.inodesize) };
		if (!c->image)
			return -XFS_E_NOMEM;
		memcpy(c->image, image, r->geo.inodesize);
	}
	*out = c;
	return 0;
}

void repair_drop_changed(struct repair *r, uint64_t ino)
{
	struct repair_inode *c = repair_find_changed(r, ino);

	if (!c)
		return;
	repair_release_changed(c);
	memmove(c, c + 1, (size_t)(r->inodes + r->ninodes - (c + 1)) * sizeof(*c));
	r->ninodes--;
}

static void note_fork(struct repair *r, const struct evidence *e, unsigned k, enum xfs_finding_id id, bool fixed,
		      const char *why)
{
	struct xfs_finding f = xfs_finding_of(id, k ? "attr fork" : "data fork");

	f.ino = e->ino;
	xfs_finding_detail(&f, "%s", why);
	repair_note(r, &f, fixed);
}

/* ---- contradictions ---- */

struct rival {
	uint64_t ino;
	bool may_share;		/* the mapping in question could be shared */
	bool found;
};

static int rival_record(void *payload, const void *disk)
{
	struct rival *v = payload;
	const uint8_t *p = disk;
	struct xfs_claim c = { xfs_be32(p), xfs_be32(p + 4), xfs_be64(p + 8), xfs_be64(p + 16) };

	if (c.owner != v->ino && !(v->may_share && xfs_claim_shareable(&c)))
		v->found = true;
	return 0;
}

/* Does another owner hold blocks of this range that can't be shared? */
static bool owned_by_others(struct repair *r, uint64_t ino, const struct xfs_mapping *m, bool attr)
{
	uint32_t agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(m->fsbno)).v;
	struct xfs_btree_key lo = { { agbno, 0, 0 } }, hi = { { agbno + m->len - 1, UINT64_MAX, UINT64_MAX } };
	struct rival v = { ino, r->geo.reflink && !attr && !m->unwritten, false };
	struct xfs_btree bt;

	if (repair_ag_btree(r, ag_of(r, m->fsbno), XFS_BTREE_RMAP, &bt))
		return false;
	if (xfs_btree_query_range(&bt, &lo, &hi, rival_record, &v, NULL, NULL, NULL))
		return false;
	return v.found;
}

/* Blocks that free space or other owners deny to these mappings. */
static uint64_t denied(struct repair *r, uint64_t ino, const struct xfs_mapset *s, bool attr, bool ask_owners)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct xfs_mapping *m = &s->m[i];

		sum += repair_free_blocks(r, ag_of(r, m->fsbno), xfs_fsbno_agbno(&r->geo, XFS_FSBNO(m->fsbno)).v, (uint32_t)m->len);
		if (ask_owners && owned_by_others(r, ino, m, attr))
			sum += m->len;
	}
	return sum;
}

/* ---- one fork ---- */

bool repair_rmaps_whole(const struct repair *r)
{
	bool whole = r->geo.rmapbt;

	for (uint32_t i = 0; i < r->geo.agcount && whole; i++)
		whole = r->ags[i].tree[XFS_TREE_RMAP].sound;
	return whole;
}

/* Mappings of the fork in AGs whose rmapbt can't answer. */
static int keep_unanswered(struct repair *r, struct xfs_mapset *out, const struct xfs_mapset *fork)
{
	int error = 0;

	for (size_t i = 0; i < fork->n && !error; i++)
		if (!r->geo.rmapbt || !ag_sound(r, fork->m[i].fsbno))
			error = xfs_mapset_add(out, &fork->m[i]);
	return error;
}

static int keep_mapping(void *payload, const struct xfs_mapping *m)
{
	return xfs_mapset_add(payload, m);
}

/*
 * The fork as the reverse mappings have it, filled up with what only the fork, or leaves of its tree that it lost, can tell.  The
 * former are used up.
 */
static int make_final(struct repair *r, struct evidence *e, unsigned k, bool strays, struct xfs_mapset *out)
{
	struct evidence_side *s = &e->side[k];
	struct xfs_mapset found = { 0 };
	int64_t cut;
	int error;

	*out = s->rmap;
	s->rmap = (struct xfs_mapset){ 0 };
	error = keep_unanswered(r, out, &s->fork);
	if (!error && strays)
		error = repair_each_stray_mapping(r, e->ino, &e->side[1 - k].f, keep_mapping, &found);
	if (!error)
		error = keep_unanswered(r, out, &found);
	xfs_mapset_release(&found);
	if (error)
		return error;
	cut = xfs_mapset_normalise(out);
	return cut < 0 ? (int)cut : 0;
}

static void mark_ags(struct repair *r, const struct xfs_mapset *s, unsigned reason)
{
	for (size_t i = 0; i < s->n; i++)
		ag_of(r, s->m[i].fsbno)->reasons |= reason;
}

/* The fork gets new contents: its bmbt blocks, old ones by either witness, change hands. */
static int replace_fork(struct repair *r, struct evidence *e, unsigned k, struct xfs_mapset *final)
{
	struct evidence_side *s = &e->side[k];
	struct repair_inode *c;
	int error = repair_changed_inode(r, e->ino, e->image, &c);

	if (error)
		return error;
	c->fork[k] = true;
	xfs_mapset_release(&c->map[k]);
	c->map[k] = *final;
	*final = (struct xfs_mapset){ 0 };
	for (size_t i = 0; i < s->nbmbt; i++)
		ag_of(r, s->bmbt[i])->reasons |= REPAIR_FORK;
	for (size_t i = 0; i < s->f.nown; i++)
		ag_of(r, s->f.own[i])->reasons |= REPAIR_FORK;
	return 0;
}

/* Parts of either side that the other does not hold, in AGs whose rmapbt is whole. */
static int differences(struct repair *r, const struct evidence_side *s, struct xfs_mapset *only_fork, struct xfs_mapset *only_rmap)
{
	bool whole = repair_rmaps_whole(r);
	struct xfs_mapset fork = { 0 };
	int error = 0;

	for (size_t i = 0; i < s->fork.n && !whole && !error; i++)
		if (ag_sound(r, s->fork.m[i].fsbno))
			error = xfs_mapset_add(&fork, &s->fork.m[i]);
	if (!error)
		error = xfs_mapset_subtract(only_fork, whole ? &s->fork : &fork, &s->rmap);
	if (!error)
		error = xfs_mapset_subtract(only_rmap, &s->rmap, &s->fork);
	xfs_mapset_release(&fork);
	return error;
}

static uint64_t blocks_behind(const struct xfs_mapset *s, uint64_t end)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->m[i].off + s->m[i].len > end)
			sum += s->m[i].off + s->m[i].len - xfs_max(s->m[i].off, end);
	return sum;
}

/* Blocks of directories, attributes and symlinks say whose they are, and fit each other in one order alone. */
static bool contents_fit(struct repair *r, const struct evidence *e, unsigned k)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOLASTBLOCK, .sb = &r->primary };
	unsigned type = e->d.core.mode & XFS_MODE_FMT;
	struct xfs_inode *ip = malloc(sizeof(*ip));
	char target[XFS_SYMLINK_MAXLEN + 1];
	bool fit = false;
	size_t len;

	/* unlike r->fs this one refuses blocks whose own verifier does */
	if (!ip || (!r->strict && xfs_fs_open(&r->strict, &r->dev, &options, NULL))) {
		free(ip);
		return false;
	}
	xfs_inode_parse(r->strict, XFS_INO(e->ino), e->image, ip);
	if (k == XFS_FORK_ATTR)
		fit = !xfs_attrs_verify(ip, NULL);
	else if (type == XFS_MODE_DIR)
		fit = !xfs_dir_verify(ip, XFS_NULL64, NULL);
	else if (type == XFS_MODE_LNK)
		fit = !xfs_symlink_target(ip, target, &len, NULL);
	free(ip);
	return fit;
}

/* Both sides are whole and differ: true when the reverse mappings are to be believed. */
static bool rmap_wins(struct repair *r, const struct evidence *e, unsigned k, const struct xfs_mapset *only_fork,
		      const struct xfs_mapset *only_rmap)
{
	uint64_t against_fork = denied(r, e->ino, only_fork, k == XFS_FORK_ATTR, true);
	uint64_t against_rmap = denied(r, e->ino, only_rmap, k == XFS_FORK_ATTR, false);
	uint64_t fork_blocks = 0;

	/* contents that read well through what only the fork maps are the strongest witness of all */
	if (r->geo.v5 && only_fork->n && contents_fit(r, e, k))
		return false;
	if (!only_fork->n && repair_fork_holds_uncounted(r, e->ino, &e->d, e->image, (enum xfs_fork)k, only_rmap))
		return true;
	for (unsigned i = 0; i < 2; i++)
		fork_blocks += e->side[i].f.blocks + e->side[i].f.nown;
	/*
	 * The inode's own counter first: a lying reverse mapping makes its false owner a rival of the true one, so "another
	 * owner holds it" may be the lie itself.
	 */
	if ((fork_blocks == e->d.core.nblocks) != (e->rmap_blocks == e->d.core.nblocks))
		return e->rmap_blocks == e->d.core.nblocks;
	if (!against_fork != !against_rmap)
		return against_fork != 0;
	/* reverse mappings that claim one place of the file twice lie; the end of the file is a weaker hint */
	if (e->side[k].rmap_cut)
		return false;
	if (k == XFS_FORK_DATA && (e->d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG) {
		uint64_t end = xfs_ceil_div(e->d.core.size, r->geo.blocksize);

		if (blocks_behind(only_fork, end) != blocks_behind(only_rmap, end))
			return blocks_behind(only_rmap, end) < blocks_behind(only_fork, end);
	}
	/* the fork only holds more, and nobody denies it */
	return only_rmap->n != 0;
}

static int same_bmbt(const void *pa, const void *pb)
{
	uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

	return a < b ? -1 : a > b;
}

/* The blocks of a good bmbt against their reverse mappings: the tree itself is the better witness. */
static void judge_own_blocks(struct repair *r, struct evidence *e, unsigned k)
{
	struct evidence_side *s = &e->side[k];
	size_t i = 0, j = 0;

	if (s->nbmbt)
		qsort(s->bmbt, s->nbmbt, sizeof(*s->bmbt), same_bmbt);
	if (s->f.nown)
		qsort(s->f.own, s->f.nown, sizeof(*s->f.own), same_bmbt);
	while (i < s->f.nown || j < s->nbmbt) {
		bool missing = j == s->nbmbt || (i < s->f.nown && s->f.own[i] < s->bmbt[j]);
		uint64_t fsbno = missing ? s->f.own[i] : s->bmbt[j];

		if (i < s->f.nown && j < s->nbmbt && s->f.own[i] == s->bmbt[j]) {
			i++;
			j++;
			continue;
		}
		if (ag_sound(r, fsbno)) {
			struct xfs_finding f = xfs_finding_of(missing ? XFS_F_RMAP_MISSING : XFS_F_RMAP_SURPLUS, "rmapbt");

			f.agno = ag_of(r, fsbno)->agno.v;
			f.agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(fsbno)).v;
			f.ino = e->ino;
			xfs_finding_detail(&f, "block of the %s fork's btree", fork_names[k]);
			repair_note(r, &f, true);
			ag_of(r, fsbno)->reasons |= REPAIR_TREE;
		}
		if (missing)
			i++;
		else
			j++;
	}
}

static int judge_difference(struct repair *r, struct evidence *e, unsigned k)
{
	struct evidence_side *s = &e->side[k];
	struct xfs_mapset only_fork = { 0 }, only_rmap = { 0 }, final = { 0 };
	int error = differences(r, s, &only_fork, &only_rmap);

	if (error || (!only_fork.n && !only_rmap.n)) {
		if (!error)
			judge_own_blocks(r, e, k);
		goto out;
	}
	if (rmap_wins(r, e, k, &only_fork, &only_rmap)) {
		char why[100];

		snprintf(why, sizeof(why), "%" PRIu64 " blocks only in the fork, %" PRIu64 " only in the reverse mappings",
			 xfs_mapset_blocks(&only_fork), xfs_mapset_blocks(&only_rmap));
		note_fork(r, e, k, XFS_F_FORK_DIFFERS, true, why);
		error = make_final(r, e, k, false, &final);
		if (!error)
			error = replace_fork(r, e, k, &final);
	} else {
		const struct xfs_mapset *sides[2] = { &only_fork, &only_rmap };

		for (unsigned i = 0; i < 2; i++) {
			struct xfs_finding f = xfs_finding_of(i ? XFS_F_RMAP_SURPLUS : XFS_F_RMAP_MISSING, "rmapbt");

			if (!sides[i]->n)
				continue;
			f.agno = ag_of(r, sides[i]->m[0].fsbno)->agno.v;
			f.agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(sides[i]->m[0].fsbno)).v;
			f.ino = e->ino;
			f.len = xfs_mapset_blocks(sides[i]);
			repair_note(r, &f, true);
			mark_ags(r, sides[i], REPAIR_TREE);
		}
	}
out:
	xfs_mapset_release(&only_fork);
	xfs_mapset_release(&only_rmap);
	xfs_mapset_release(&final);
	return error;
}

static bool is_special_file(const struct xfs_dinode *d)
{
	unsigned type = d->core.mode & XFS_MODE_FMT;

	return type == XFS_MODE_CHR || type == XFS_MODE_BLK || type == XFS_MODE_FIFO || type == XFS_MODE_SOCK;
}

/* Device numbers, fifos, sockets have no blocks; an inode that has some has a wrong mode, and is left to another day. */
static int judge_blockless(struct repair *r, struct evidence *e)
{
	const struct evidence_side *s = &e->side[XFS_FORK_DATA];
	struct repair_inode *c;
	bool fixed = is_special_file(&e->d) && !s->rmap.n && !s->nbmbt && !e->d.core.size &&
		     !xfs_dinode_nextents(&e->d, XFS_FORK_DATA);
	int error;

	note_fork(r, e, XFS_FORK_DATA, XFS_F_FORK_DAMAGED, fixed, s->f.why);
	if (!fixed)
		return repair_add_lost(r, e->ino);
	error = repair_changed_inode(r, e->ino, e->image, &c);
	if (!error)
		c->image[XFS_OFF(dinode_core, format)] = XFS_DINODE_FMT_DEV;
	return error;
}

/* Attributes in the inode begin with their size. */
static bool begins_short(struct repair *r, const struct evidence *e)
{
	uint32_t off = xfs_dinode_fork_off((unsigned)e->d.core.version, e->d.core.forkoff, r->geo.inodesize, XFS_FORK_ATTR);
	uint32_t room = repair_fork_size(r, &e->d, XFS_FORK_ATTR), size = room >= 4 ? xfs_be16(e->image + off) : 0;

	return size >= 4 && size <= room;
}

/*
 * Contents in the inode, or so it must be, as nobody knows of blocks: format byte and counter are set, a size that does not
 * fit stays for another day.  An empty map would throw the contents away; but attributes that do not begin as such were an
 * empty map.
 */
static int judge_local(struct repair *r, struct evidence *e, unsigned k)
{
	bool fits = k || e->d.core.size <= repair_fork_size(r, &e->d, XFS_FORK_DATA);
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	note_fork(r, e, k, XFS_F_FORK_DAMAGED, fits, e->side[k].f.why);
	if (!fits)
		return repair_add_lost(r, e->ino);
	error = repair_changed_inode(r, e->ino, e->image, &c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	*(k ? &d.core.aformat : &d.core.format) = k && !begins_short(r, e) ? XFS_DINODE_FMT_EXTENTS : XFS_DINODE_FMT_LOCAL;
	if (!xfs_dinode_set_nextents(&d, (enum xfs_fork)k, 0))
		return -XFS_E_INTERNAL;
	xfs_dinode_encode(c->image, &d);
	return 0;
}

/* Without the help of all reverse mappings: does the fork read well in another format?  Then the format byte is wrong. */
static int try_formats(struct repair *r, struct evidence *e, unsigned k, bool *done)
{
	static const uint8_t formats[] = { XFS_DINODE_FMT_EXTENTS, XFS_DINODE_FMT_BTREE };
	uint64_t count = xfs_dinode_nextents(&e->d, (enum xfs_fork)k);
	int error = 0;

	*done = false;
	for (size_t i = 0; i < XFS_ARRAY_SIZE(formats) && count && !*done && !error; i++) {
		struct xfs_mapset final = { 0 };
		struct xfs_dinode d = e->d;
		struct repair_fork f;

		*(k ? &d.core.aformat : &d.core.format) = formats[i];
		error = repair_fork_scan_any(r, e->ino, &d, e->image, (enum xfs_fork)k, &f, keep_mapping, &final);
		*done = !error && !f.damaged && f.records == count;
		for (size_t b = 0; *done && b < f.nown; b++)
			ag_of(r, f.own[b])->reasons |= REPAIR_FORK;
		if (*done) {
			note_fork(r, e, k, XFS_F_FORK_DAMAGED, true, "its format byte is wrong");
			error = replace_fork(r, e, k, &final);
		}
		repair_fork_release(&f);
		xfs_mapset_release(&final);
	}
	return error;
}

/*
 * Without the help of all reverse mappings: more entries than are counted stand in the inode, and with them the blocks are as
 * many as the inode says.  Then the counter is wrong.
 */
static int try_counts(struct repair *r, struct evidence *e, unsigned k, bool *done)
{
	const struct repair_fork *other = &e->side[1 - k].f;
	uint64_t others = other->blocks + other->nown, count = xfs_dinode_nextents(&e->d, (enum xfs_fork)k);
	uint64_t room = repair_fork_size(r, &e->d, (enum xfs_fork)k) / sizeof(struct xfs_bmbt_rec_disk);
	bool fits = true;
	int error = 0;

	*done = false;
	if ((k ? e->d.core.aformat : e->d.core.format) != XFS_DINODE_FMT_EXTENTS)
		return 0;
	while (e->side[k].f.blocks + others < e->d.core.nblocks && count++ < room && fits && !*done && !error) {
		struct xfs_mapset final = { 0 };
		struct xfs_dinode d = e->d;
		struct repair_fork f = { 0 };

		fits = xfs_dinode_set_nextents(&d, (enum xfs_fork)k, count);
		if (fits)
			error = repair_fork_scan(r, e->ino, &d, e->image, (enum xfs_fork)k, &f, keep_mapping, &final);
		fits = fits && !error && !f.damaged;
		*done = fits && f.blocks + others == e->d.core.nblocks;
		if (*done) {
			note_fork(r, e, k, XFS_F_FORK_DAMAGED, true, "its count of extents is too small");
			error = replace_fork(r, e, k, &final);
		}
		repair_fork_release(&f);
		xfs_mapset_release(&final);
	}
	return error;
}

/* No room for attributes: then there are none, unless reverse mappings know of some. */
static int judge_no_fork(struct repair *r, struct evidence *e, bool has_blocks)
{
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	note_fork(r, e, XFS_FORK_ATTR, XFS_F_FORK_DAMAGED, !has_blocks, e->side[XFS_FORK_ATTR].f.why);
	if (has_blocks)
		return repair_add_lost(r, e->ino);
	error = repair_changed_inode(r, e->ino, e->image, &c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	d.core.aformat = XFS_DINODE_FMT_EXTENTS;
	if (!xfs_dinode_set_nextents(&d, XFS_FORK_ATTR, 0))
		return -XFS_E_INTERNAL;
	xfs_dinode_encode(c->image, &d);
	return 0;
}

/* Every reverse mapping there ever was can still be read. */
/* Blocks that the inode says to have and that neither fork has any more; what its trees took is not told apart. */
static uint64_t missing_blocks(const struct evidence *e, unsigned k, const struct xfs_mapset *final)
{
	const struct evidence_side *other = &e->side[!k];
	uint64_t have = xfs_mapset_blocks(final) + xfs_mapset_blocks(&other->fork) + other->f.nown;

	return e->d.core.nblocks > have ? e->d.core.nblocks - have : 0;
}

/* What is gone: as many blocks as the core counts, where it is to be believed. */
static void note_lost_part(struct repair *r, const struct evidence *e, unsigned k, const struct xfs_mapset *final)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_FORK_LOST, k ? "attr fork" : "data fork");

	f.ino = e->ino;
	if (!e->suspect && !e->lost && !(e->d.core.flags & XFS_DIFLAG_REALTIME) && e->d.core.nblocks <= r->geo.sb.dblocks)
		f.len = missing_blocks(e, k, final);
	if (f.len == XFS_NULL64)
		xfs_finding_detail(&f, "not all reverse mappings are there to fill the gaps");
	else
		xfs_finding_detail(&f, "not all reverse mappings are there to fill the gaps: %" PRIu64 " of %" PRIu64 " bytes are missing",
				   f.len * r->geo.blocksize, e->d.core.nblocks * r->geo.blocksize);
	repair_note(r, &f, true);
}

static int judge_damaged(struct repair *r, struct evidence *e, unsigned k)
{
	unsigned type = e->d.core.mode & XFS_MODE_FMT, format = k ? e->d.core.aformat : e->d.core.format;
	struct evidence_side *s = &e->side[k];
	struct xfs_mapset final = { 0 };
	bool whole = repair_rmaps_whole(r), nothing = !s->rmap.n && !s->nbmbt && !s->fork.n;
	int error;

	if (k && !e->d.core.forkoff)
		return judge_no_fork(r, e, !nothing);
	if (nothing && !whole) {
		bool done;

		error = try_formats(r, e, k, &done);
		if (error || done)
			return error;
	}
	if (nothing && format != XFS_DINODE_FMT_EXTENTS && format != XFS_DINODE_FMT_BTREE &&
	    (k || type == XFS_MODE_DIR || type == XFS_MODE_LNK))
		return judge_local(r, e, k);
	if (k == XFS_FORK_DATA && type != XFS_MODE_REG && type != XFS_MODE_DIR && type != XFS_MODE_LNK)
		return judge_blockless(r, e);
	/* with two damaged trees nobody can tell whose leaves they are */
	error = make_final(r, e, k, !whole && format != XFS_DINODE_FMT_EXTENTS && !e->side[1 - k].f.damaged, &final);
	if (!error && !whole && k == XFS_FORK_DATA && type == XFS_MODE_DIR)
		error = repair_add_stray_entries(r, e->ino, &final);
	note_fork(r, e, k, XFS_F_FORK_DAMAGED, true, s->f.why);
	if (!whole && !error)
		note_lost_part(r, e, k, &final);
	if (!error)
		error = replace_fork(r, e, k, &final);
	xfs_mapset_release(&final);
	return error;
}

/* Extents in the realtime section: reverse mappings of this device know the blocks of the tree alone. */
static int judge_realtime(struct repair *r, struct evidence *e)
{
	struct evidence_side *s = &e->side[XFS_FORK_DATA];
	struct xfs_mapset final = { 0 };
	bool done = false;
	int error;

	if (!s->f.damaged) {
		if (r->geo.rmapbt)
			judge_own_blocks(r, e, XFS_FORK_DATA);
		return 0;
	}
	error = s->fork.n ? 0 : try_formats(r, e, XFS_FORK_DATA, &done);
	if (error || done)
		return error;
	for (size_t i = 0; i < s->fork.n && !error; i++)
		error = xfs_mapset_add(&final, &s->fork.m[i]);
	if (!error)
		error = repair_rt_align(r, &final);
	note_fork(r, e, XFS_FORK_DATA, XFS_F_FORK_DAMAGED, true, s->f.why);
	note_fork(r, e, XFS_FORK_DATA, XFS_F_FORK_LOST, true, "nothing else knows its extents in the realtime section");
	if (!error)
		error = replace_fork(r, e, XFS_FORK_DATA, &final);
	xfs_mapset_release(&final);
	return error;
}

static int judge_fork(struct repair *r, struct evidence *e, unsigned k)
{
	struct evidence_side *s = &e->side[k];
	bool has_blocks = s->rmap.n || s->nbmbt;
	int64_t cut = xfs_mapset_normalise(&s->fork);

	if (cut >= 0)
		cut = xfs_mapset_normalise(&s->rmap);
	if (cut < 0)
		return (int)cut;
	s->rmap_cut = cut != 0;
	if (repair_fork_is_realtime(&e->d, k))
		return judge_realtime(r, e);
	/* where the blocks of these are is not in the reverse mappings of this device */
	if (k == XFS_FORK_DATA && e->d.core.format == XFS_DINODE_FMT_META_BTREE) {
		if (s->f.damaged)
			note_fork(r, e, k, XFS_F_FORK_DAMAGED, false, s->f.why);
		else if (r->geo.rmapbt)
			judge_own_blocks(r, e, k);
		return 0;
	}
	if (s->f.damaged)
		return judge_damaged(r, e, k);
	if (!repair_rmaps_whole(r)) {
		bool done;
		int error = try_counts(r, e, k, &done);

		if (error || done)
			return error;
	}
	if (!r->geo.rmapbt || (!s->f.mapped && !has_blocks))
		return 0;
	return judge_difference(r, e, k);
}

/* A directory ends with its last data block; the blocks of its index lie far behind. */
static int judge_dir_size(struct repair *r, struct evidence *e)
{
	uint64_t limit = UINT64_C(1) << (XFS_DIR_SPACE_SHIFT - r->geo.blocklog), end = 0;
	struct repair_inode *c = repair_find_changed(r, e->ino);
	const struct xfs_mapset *s = c && c->fork[XFS_FORK_DATA] ? &c->map[XFS_FORK_DATA] : &e->side[XFS_FORK_DATA].fork;
	struct xfs_finding f = xfs_finding_of(XFS_F_INODE_FIELD, "inode");
	int error;

	for (size_t i = 0; i < s->n; i++)
		if (s->m[i].off < limit)
			end = xfs_min(s->m[i].off + s->m[i].len, limit);
	end <<= r->geo.blocklog;
	if (!end || e->d.core.size == end)
		return 0;
	f.ino = e->ino;
	f.field = "size";
	f.found = e->d.core.size;
	f.expected = end;
	repair_note(r, &f, true);
	error = repair_changed_inode(r, e->ino, e->image, &c);
	if (!error)
		xfs_put_be64(c->image + XFS_OFF(dinode_core, size), end);
	return error;
}

int repair_judge(struct repair *r, struct evidence *e)
{
	struct repair_inode *c;
	uint64_t blocks = 0;
	int error = 0;

	for (unsigned k = 0; k < 2 && !error; k++)
		error = judge_fork(r, e, k);
	if (!error && (e->d.core.mode & XFS_MODE_FMT) == XFS_MODE_DIR && e->side[XFS_FORK_DATA].f.mapped)
		error = judge_dir_size(r, e);
	if (error)
		return error;
	c = repair_find_changed(r, e->ino);
	if (c)
		return 0;	/* counters are set when the forks are built */
	for (unsigned k = 0; k < 2; k++)
		blocks += e->side[k].f.blocks + e->side[k].f.nown;
	if (blocks != e->d.core.nblocks) {
		struct xfs_finding f = xfs_finding_of(XFS_F_INODE_NBLOCKS, "inode");

		f.ino = e->ino;
		f.field = "nblocks";
		f.found = e->d.core.nblocks;
		f.expected = blocks;
		repair_note(r, &f, true);
		error = repair_changed_inode(r, e->ino, e->image, &c);
	} else if (e->suspect) {
		error = repair_changed_inode(r, e->ino, e->image, &c);
	}
	return error;
}
