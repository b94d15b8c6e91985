/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge_damaged.c - what a damaged fork becomes.
 *
 * The reverse mappings say what it held.  Where not all of them can be read, what is good of the fork itself counts,
 * and before that whether one wrong byte of the core, the format or the count, explains the damage.
 */
#include "repair/content.h"
#include "repair/judge.h"
#include "repair/realtime.h"
#include "repair/realtime_owned.h"

#include "libxfs/name/dir.h"

#include <inttypes.h>
#include <string.h>

static bool is_special_file(const struct xfs_dinode *d)
{
	unsigned type = d->core.mode & XFS_MODE_FMT;

	return type == XFS_MODE_CHR || type == XFS_MODE_BLK || type == XFS_MODE_FIFO || type == XFS_MODE_SOCK;
}

/* Device numbers, fifos, sockets have no blocks, and nobody knows of any: then only the core says otherwise. */
static int judge_blockless(struct repair *r, struct evidence *e)
{
	const struct evidence_side *s = &e->side[XFS_FORK_DATA];
	bool fixed = is_special_file(&e->d) && !s->rmap.n && !s->nbmbt && !s->fork.n;
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	judge_note_fork(r, e, XFS_FORK_DATA, XFS_F_FORK_DAMAGED, fixed, s->f.why);
	if (!fixed)
		return repair_add_lost(r, e->ino);
	error = repair_changed_inode(r, e->ino, e->image, &c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	d.core.format = XFS_DINODE_FMT_DEV;
	d.core.size = 0;
	if (!xfs_dinode_set_nextents(&d, XFS_FORK_DATA, 0))
		return -XFS_E_INTERNAL;
	xfs_dinode_encode(c->image, &d);
	return 0;
}

/* One that has blocks is none of these: the blocks say what it is, or it is a file. */
static void mend_mode(struct repair *r, struct evidence *e)
{
	const struct evidence_side *s = &e->side[XFS_FORK_DATA];
	unsigned type = s->rmap.n ? repair_block_type(r, e->ino, s->rmap.m[0].fsbno) : 0;
	struct xfs_finding f = xfs_finding_of(XFS_F_INODE_TYPE, "inode");

	f.ino = e->ino;
	f.field = "mode";
	f.found = e->d.core.mode;
	e->d.core.mode = (uint16_t)((e->d.core.mode & ~XFS_MODE_FMT) | (type ? type : XFS_MODE_REG));
	f.expected = e->d.core.mode;
	repair_note(r, &f, true);
	xfs_dinode_encode(e->image, &e->d);
	e->suspect = true;
}

/* Attributes in the inode begin with their size. */
static bool begins_short(struct repair *r, const struct evidence *e)
{
	uint32_t off = xfs_dinode_fork_off((unsigned)e->d.core.version, e->d.core.forkoff, r->geo.inodesize,
					   XFS_FORK_ATTR);
	uint32_t room = repair_fork_size(r, &e->d, XFS_FORK_ATTR), size = room >= 4 ? xfs_be16(e->image + off) : 0;

	return size >= 4 && size <= room;
}

/* A directory that has no entries and no size; names say later what belongs into it, and what is above it. */
static void make_empty_dir(const struct repair *r, struct xfs_dinode *d, uint8_t *image)
{
	uint8_t *fork = image + xfs_dinode_literal_off((unsigned)d->core.version);

	d->core.size = xfs_dir_sf_hdr_len(false);
	memset(fork, 0, (size_t)d->core.size);
	xfs_dir_sf_set_parent(fork, false, r->primary.rootino);
}

/*
 * Contents in the inode, or so it must be, as nobody knows of blocks: format byte and counter are set, a size that does
 * not fit stays for another day.  An empty map would throw the contents away; but attributes that do not begin as such
 * were an empty map.
 */
static int judge_local(struct repair *r, struct evidence *e, unsigned k)
{
	bool fits = k || e->d.core.size <= repair_fork_size(r, &e->d, XFS_FORK_DATA);
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	judge_note_fork(r, e, k, XFS_F_FORK_DAMAGED, fits, e->side[k].f.why);
	if (!fits)
		return repair_add_lost(r, e->ino);
	error = repair_changed_inode(r, e->ino, e->image, &c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	*(k ? &d.core.aformat : &d.core.format) =
		k && !begins_short(r, e) ? XFS_DINODE_FMT_EXTENTS : XFS_DINODE_FMT_LOCAL;
	if (!xfs_dinode_set_nextents(&d, (enum xfs_fork)k, 0))
		return -XFS_E_INTERNAL;
	if (!k && (d.core.mode & XFS_MODE_FMT) == XFS_MODE_DIR && !d.core.size)
		make_empty_dir(r, &d, c->image);
	xfs_dinode_encode(c->image, &d);
	return 0;
}

/* Without the help of all reverse mappings: does the fork read well in another format?  Then that byte is wrong. */
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
		error = repair_fork_scan_any(r, e->ino, &d, e->image, (enum xfs_fork)k, &f, repair_keep_mapping,
					     &final);
		*done = !error && !f.damaged && f.records == count;
		for (size_t b = 0; *done && b < f.nown; b++)
			repair_ag_of(r, f.own[b])->reasons |= REPAIR_FORK;
		if (*done) {
			judge_note_fork(r, e, k, XFS_F_FORK_DAMAGED, true, "its format byte is wrong");
			error = judge_replace_fork(r, e, k, &final);
		}
		repair_fork_release(&f);
		xfs_mapset_release(&final);
	}
	return error;
}

int judge_try_counts(struct repair *r, struct evidence *e, unsigned k, bool *done)
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
			error = repair_fork_scan_any(r, e->ino, &d, e->image, (enum xfs_fork)k, &f,
						     repair_keep_mapping, &final);
		fits = fits && !error && !f.damaged;
		*done = fits && f.blocks + others == e->d.core.nblocks;
		if (*done) {
			judge_note_fork(r, e, k, XFS_F_FORK_DAMAGED, true, "its count of extents is too small");
			error = judge_replace_fork(r, e, k, &final);
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

	judge_note_fork(r, e, XFS_FORK_ATTR, XFS_F_FORK_DAMAGED, !has_blocks, e->side[XFS_FORK_ATTR].f.why);
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

/* Blocks of the tree of a fork, wherever it is damaged: what was read of it, lost or found elsewhere (`strays`). */
static int tree_blocks(struct repair *r, const struct evidence *e, unsigned k, bool strays, uint64_t *n)
{
	const struct evidence_side *s = &e->side[k];
	uint64_t found = 0;
	int error = strays ? repair_count_stray_blocks(r, e->ino, &s->f, &e->side[!k].f, &found) : 0;

	*n = xfs_max(s->nbmbt, s->f.nown + s->f.nlost + found);
	return error;
}

/* Blocks that the inode says to have and that neither fork has any more, nor a tree that was theirs. */
static int missing_blocks(struct repair *r, const struct evidence *e, unsigned k, bool strays,
			  const struct xfs_mapset *final, uint64_t *n)
{
	const struct evidence_side *other = &e->side[!k];
	uint64_t own, others, have;
	int error = tree_blocks(r, e, k, strays, &own);

	if (!error)
		error = tree_blocks(r, e, !k, false, &others);
	if (error)
		return error;
	have = xfs_mapset_blocks(final) + xfs_mapset_blocks(&other->fork) + own + others;
	*n = e->d.core.nblocks > have ? e->d.core.nblocks - have : 0;
	return 0;
}

/* What is gone: as many blocks as the core counts, where it is to be believed. */
static int note_lost_part(struct repair *r, const struct evidence *e, unsigned k, bool strays,
			  const struct xfs_mapset *final)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_FORK_LOST, k ? "attr fork" : "data fork");
	int error = 0;

	f.ino = e->ino;
	if (!e->suspect && !e->lost && !(e->d.core.flags & XFS_DIFLAG_REALTIME) &&
	    e->d.core.nblocks <= r->geo.sb.dblocks)
		error = missing_blocks(r, e, k, strays, final, &f.len);
	if (f.len == XFS_NULL64)
		xfs_finding_detail(&f, "not all reverse mappings are there to fill the gaps");
	else
		xfs_finding_detail(&f, "not all reverse mappings are there to fill the gaps: "
				   "%" PRIu64 " of %" PRIu64 " bytes are missing",
				   f.len * r->geo.blocksize, e->d.core.nblocks * r->geo.blocksize);
	repair_note(r, &f, true);
	return error;
}

int judge_damaged(struct repair *r, struct evidence *e, unsigned k)
{
	unsigned type = e->d.core.mode & XFS_MODE_FMT, format = k ? e->d.core.aformat : e->d.core.format;
	struct evidence_side *s = &e->side[k];
	struct xfs_mapset final = { 0 };
	bool whole = r->rmaps_whole, nothing = !s->rmap.n && !s->nbmbt && !s->fork.n;
	/* with two damaged trees nobody can tell whose leaves they are */
	bool strays = !whole && format != XFS_DINODE_FMT_EXTENTS && !e->side[1 - k].f.damaged, done;
	int error;

	if (k && !e->d.core.forkoff)
		return judge_no_fork(r, e, !nothing);
	if (!k && is_special_file(&e->d) && (s->rmap.n || s->nbmbt)) {
		mend_mode(r, e);
		type = e->d.core.mode & XFS_MODE_FMT;
	}
	error = judge_try_records(r, e, k, &done);
	if (error || done)
		return error;
	if (nothing && !whole) {

		error = try_formats(r, e, k, &done);
		if (error || done)
			return error;
	}
	if (nothing && format != XFS_DINODE_FMT_EXTENTS && format != XFS_DINODE_FMT_BTREE &&
	    (k || type == XFS_MODE_DIR || type == XFS_MODE_LNK))
		return judge_local(r, e, k);
	if (k == XFS_FORK_DATA && type != XFS_MODE_REG && type != XFS_MODE_DIR && type != XFS_MODE_LNK)
		return judge_blockless(r, e);
	error = judge_make_final(r, e, k, strays, &final);
	if (!error && !whole && k == XFS_FORK_DATA && type == XFS_MODE_DIR)
		error = repair_add_stray_entries(r, e->ino, &final);
	judge_note_fork(r, e, k, XFS_F_FORK_DAMAGED, true, s->f.why);
	if (!whole && !error)
		error = note_lost_part(r, e, k, strays, &final);
	if (!error)
		error = judge_replace_fork(r, e, k, &final);
	xfs_mapset_release(&final);
	return error;
}

/* The blocks of this map, of the trees and of attributes are as many as the core counts. */
static bool has_all_blocks(const struct repair *r, const struct evidence *e, const struct xfs_mapset *final)
{
	const struct repair_fork *attr = &e->side[XFS_FORK_ATTR].f;

	return r->rmaps_whole && !attr->damaged && e->d.core.nblocks ==
	       xfs_mapset_blocks(final) + e->side[XFS_FORK_DATA].nbmbt + attr->blocks + attr->nown;
}

/* What the reverse mappings of groups say of a fork, filled up with what only the fork can tell. */
static int make_realtime(struct repair *r, struct evidence *e, struct xfs_mapset *final)
{
	const struct xfs_mapset *fork = &e->side[XFS_FORK_DATA].fork;
	int64_t cut;
	int error = 0;

	*final = e->rt;
	e->rt = (struct xfs_mapset){ 0 };
	for (size_t i = 0; i < fork->n && !error; i++)
		error = xfs_mapset_add(final, &fork->m[i]);
	cut = error ? 0 : xfs_mapset_normalise(final);
	if (cut < 0)
		error = (int)cut;
	return error ? error : repair_rt_align(r, final);
}

/* Its extents lie in the realtime section, of which the reverse mappings of this device know nothing. */
int judge_damaged_realtime(struct repair *r, struct evidence *e)
{
	struct evidence_side *s = &e->side[XFS_FORK_DATA];
	struct xfs_mapset final = { 0 };
	bool done = false;
	int error = e->rt_whole || s->fork.n ? 0 : try_formats(r, e, XFS_FORK_DATA, &done);

	if (error || done)
		return error;
	error = make_realtime(r, e, &final);
	judge_note_fork(r, e, XFS_FORK_DATA, XFS_F_FORK_DAMAGED, true, s->f.why);
	if (!error && !e->rt_whole && !has_all_blocks(r, e, &final))
		judge_note_fork(r, e, XFS_FORK_DATA, XFS_F_FORK_LOST, true,
				e->rt_asked ? "not all reverse mappings of realtime groups are there to fill the gaps"
					    : "nothing else knows its extents in the realtime section");
	if (!error)
		error = judge_replace_fork(r, e, XFS_FORK_DATA, &final);
	xfs_mapset_release(&final);
	return error;
}

/* ---- a fork that reads well, and leads to the realtime section ---- */

int judge_realtime_differences(struct evidence *e, struct xfs_mapset *only_fork, struct xfs_mapset *only_rt)
{
	const struct evidence_side *s = &e->side[XFS_FORK_DATA];
	int64_t cut;
	int error;

	if (s->f.damaged || !e->rt_whole || !e->rt.n)
		return 0;
	cut = xfs_mapset_normalise(&e->side[XFS_FORK_DATA].fork);
	error = cut < 0 ? (int)cut : xfs_mapset_subtract(only_fork, &s->fork, &e->rt);
	return error ? error : xfs_mapset_subtract(only_rt, &e->rt, &s->fork);
}

static int by_block(struct xfs_mapset *out, const struct xfs_mapset *s)
{
	int64_t cut;
	int error = 0;

	for (size_t i = 0; i < s->n && !error; i++)
		error = xfs_mapset_add(out, &(struct xfs_mapping){ s->m[i].fsbno, s->m[i].fsbno, s->m[i].len,
								    false, 0 });
	cut = error ? error : xfs_mapset_normalise(out);
	return cut < 0 ? (int)cut : 0;
}

/* Counters of zones bear out what the trees say there; do these know nothing of blocks that the fork alone has? */
static int ask_zones(struct repair *r, struct evidence *e, const struct xfs_mapset *only_fork,
		     const struct xfs_mapset *only_rt, bool *used, bool *any_free)
{
	struct xfs_mapset fork = { 0 }, rt = { 0 }, rest = { 0 };
	int error = 0;

	*used = repair_rt_zones_agree(r, only_fork) && repair_rt_zones_agree(r, only_rt);
	if (*used)
		error = by_block(&fork, only_fork);
	if (*used && !error)
		error = by_block(&rt, &e->rt);
	if (*used && !error)
		error = xfs_mapset_subtract(&rest, &fork, &rt);
	*any_free = !error && rest.n;
	xfs_mapset_release(&fork);
	xfs_mapset_release(&rt);
	xfs_mapset_release(&rest);
	return error;
}

static int ask_bitmaps(struct repair *r, const struct xfs_mapset *only_fork, const struct xfs_mapset *only_rt,
		       bool *used, bool *any_free)
{
	bool is_used, is_free;
	int error = 0;

	*used = true;
	*any_free = false;
	for (size_t i = 0; i < only_rt->n && *used && !error; i++) {
		error = repair_rt_bits(r, &only_rt->m[i], &is_used, &is_free);
		*used = is_used;
	}
	for (size_t i = 0; i < only_fork->n && *used && !*any_free && !error; i++)
		error = repair_rt_bits(r, &only_fork->m[i], &is_used, any_free);
	return error;
}

/*
 * The bitmaps have in use what the fork lacks, nobody else is there by the trees, and what the fork alone says is free,
 * or is another's.  Zones have counters that bear out their trees.  (After changes were lost with the log the trees may
 * be the older ones.)
 */
static int ask_others(struct repair *r, struct evidence *e, bool *denied)
{
	struct xfs_mapset only_fork = { 0 }, only_rt = { 0 };
	bool used = false, any_free = false;
	int error = judge_realtime_differences(e, &only_fork, &only_rt);

	if (!error && only_fork.n && only_rt.n && !e->rt_others && !r->log_given_up)
		error = r->geo.zoned ? ask_zones(r, e, &only_fork, &only_rt, &used, &any_free)
				     : ask_bitmaps(r, &only_fork, &only_rt, &used, &any_free);
	*denied = !error && used && (any_free || e->rt_strange);
	xfs_mapset_release(&only_fork);
	xfs_mapset_release(&only_rt);
	return error;
}

/*
 * What the reverse mappings say fits the block counter, and the fork lacks something of it, or the checksum of the
 * inode is wrong, or others deny the fork; or records that are not counted say the same.
 */
static int ask_groups(struct repair *r, struct evidence *e, bool *better)
{
	const struct xfs_mapset *fork = &e->side[XFS_FORK_DATA].fork;
	bool more = xfs_mapset_blocks(&e->rt) > xfs_mapset_blocks(fork);
	bool fits = has_all_blocks(r, e, &e->rt);

	*better = false;
	if (!e->rt_whole || !e->rt.n || xfs_mapset_equal(&e->rt, fork))
		return 0;
	*better = fits ? more || e->suspect
		       : more && repair_fork_holds_uncounted(r, e->ino, &e->d, e->image, XFS_FORK_DATA, &e->rt);
	return *better || !fits ? 0 : ask_others(r, e, better);
}

int judge_whole_realtime(struct repair *r, struct evidence *e)
{
	bool done = false, better;
	int error = ask_groups(r, e, &better);

	if (error)
		return error;
	if (better) {
		judge_note_fork(r, e, XFS_FORK_DATA, XFS_F_FORK_DAMAGED, true,
				"it contradicts all reverse mappings of realtime groups");
		return judge_replace_fork(r, e, XFS_FORK_DATA, &e->rt);
	}
	if (!e->rt_whole)
		error = judge_try_counts(r, e, XFS_FORK_DATA, &done);
	if (!error && !done && r->geo.rmapbt)
		judge_own_blocks(r, e, XFS_FORK_DATA);
	return error;
}
