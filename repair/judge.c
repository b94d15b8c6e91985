/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.c - decides what the forks of an inode become, and with them the sizes and counters of its core.
 *
 * Here is which judgement a fork gets: judge_damaged.c or judge_differ.c; and what both do when a fork is replaced.
 */
#include "repair/judge.h"
#include "repair/realtime.h"

#include "libxfs/ondisk/dir.h"

void judge_note_fork(struct repair *r, const struct evidence *e, unsigned k, enum xfs_finding_id id, bool fixed,
		     const char *why)
{
	struct xfs_finding f = xfs_finding_of(id, k ? "attr fork" : "data fork");

	f.ino = e->ino;
	xfs_finding_detail(&f, "%s", why);
	repair_note(r, &f, fixed);
}

/* ---- a fork that is replaced ---- */

struct unanswered {
	struct repair *r;
	struct xfs_mapset *out;
};

/* Mappings of the fork in AGs whose rmapbt can't answer. */
static int keep_unanswered(void *payload, const struct xfs_mapping *m)
{
	struct unanswered *u = payload;

	return u->r->geo.rmapbt && judge_ag_sound(u->r, m->fsbno) ? 0 : xfs_mapset_add(u->out, m);
}

int judge_make_final(struct repair *r, struct evidence *e, unsigned k, bool strays, struct xfs_mapset *out)
{
	struct evidence_side *s = &e->side[k];
	struct unanswered u = { r, out };
	int64_t cut;
	int error = 0;

	*out = s->rmap;
	s->rmap = (struct xfs_mapset){ 0 };
	for (size_t i = 0; i < s->fork.n && !error; i++)
		error = keep_unanswered(&u, &s->fork.m[i]);
	if (!error && strays)
		error = repair_each_stray_mapping(r, e->ino, &e->side[1 - k].f, keep_unanswered, &u);
	if (error)
		return error;
	cut = xfs_mapset_normalise(out);
	return cut < 0 ? (int)cut : 0;
}

int judge_replace_fork(struct repair *r, struct evidence *e, unsigned k, struct xfs_mapset *final)
{
	struct evidence_side *s = &e->side[k];
	struct repair_inode *c;
	int error = repair_changed_inode(r, e->ino, e->image, &c);

	if (error)
		return error;
	if (k == XFS_FORK_DATA && !repair_fork_is_realtime(&e->d, k))
		judge_pull_back(r, e, final);
	c->fork[k] = true;
	xfs_mapset_release(&c->map[k]);
	c->map[k] = *final;
	*final = (struct xfs_mapset){ 0 };
	for (size_t i = 0; i < s->nbmbt; i++)
		repair_ag_of(r, s->bmbt[i])->reasons |= REPAIR_FORK;
	for (size_t i = 0; i < s->f.nown; i++)
		repair_ag_of(r, s->f.own[i])->reasons |= REPAIR_FORK;
	return 0;
}

/* ---- which judgement ---- */

/*
 * Reverse mappings of this device know data, those of groups do not, and the fork that would have to say where it lies
 * holds nothing: the flag is wrong.
 */
static int drop_realtime(struct repair *r, struct evidence *e)
{
	struct evidence_side *s = &e->side[XFS_FORK_DATA];
	struct xfs_finding f = xfs_finding_of(XFS_F_INODE_FIELD, "inode");
	int64_t cut;
	int error;

	f.ino = e->ino;
	f.field = "flags";
	f.found = e->d.core.flags;
	e->d.core.flags &= (uint16_t)~XFS_DIFLAG_REALTIME;
	f.expected = e->d.core.flags;
	repair_note(r, &f, true);
	xfs_dinode_encode(e->image, &e->d);
	e->suspect = true;
	repair_fork_release(&s->f);
	error = repair_fork_scan_any(r, e->ino, &e->d, e->image, XFS_FORK_DATA, &s->f, repair_keep_mapping, &s->fork);
	cut = error ? 0 : xfs_mapset_normalise(&s->fork);
	return cut < 0 ? (int)cut : error;
}

/* Extents in the realtime section: reverse mappings of this device know the blocks of the tree alone. */
static int judge_realtime(struct repair *r, struct evidence *e)
{
	if (e->side[XFS_FORK_DATA].rmap.n)
		judge_note_surplus(r, e, &e->side[XFS_FORK_DATA].rmap);
	if (e->side[XFS_FORK_DATA].f.damaged)
		return judge_damaged_realtime(r, e);
	return judge_whole_realtime(r, e);
}

/* Its data fork is not as it was: the block counter of the core stands for more than the other one. */
static bool is_replaced(struct repair *r, const struct evidence *e)
{
	const struct repair_inode *c = repair_find_changed(r, e->ino);

	return c && c->fork[XFS_FORK_DATA];
}

/* Either fork: blocks that its extents beyond the count have are not missing in the other one. */
static int try_counts(struct repair *r, struct evidence *e, unsigned k)
{
	int error = 0;

	if (!e->counted[0] && !e->counted[1])
		error = judge_try_counts(r, e, k, &e->counted[k]);
	if (!error && !e->counted[k] && k == XFS_FORK_DATA && !e->side[XFS_FORK_ATTR].f.damaged)
		error = judge_try_counts(r, e, XFS_FORK_ATTR, &e->counted[XFS_FORK_ATTR]);
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
	if (repair_fork_is_realtime(&e->d, k) && s->rmap.n && !s->fork.n && !e->rt.n) {
		int error = drop_realtime(r, e);

		if (error)
			return error;
	}
	if (repair_fork_is_realtime(&e->d, k))
		return judge_realtime(r, e);
	/* where the blocks of these are is not in the reverse mappings of this device */
	if (k == XFS_FORK_DATA && e->d.core.format == XFS_DINODE_FMT_META_BTREE && r->geo.metadir &&
	    xfs_dinode_is_metadata(&e->d)) {
		if (s->f.damaged)	/* made anew: realtime_trees.c */
			judge_note_fork(r, e, k, XFS_F_FORK_DAMAGED, repair_rt_is_tree(r, &e->d), s->f.why);
		for (size_t i = 0; i < s->nbmbt && s->f.damaged; i++)
			repair_ag_of(r, s->bmbt[i])->reasons |= REPAIR_FORK;
		if (!s->f.damaged && r->geo.rmapbt)
			judge_own_blocks(r, e, k);
		return 0;
	}
	if (s->f.damaged)
		return judge_damaged(r, e, k);
	if (!r->rmaps_whole) {
		bool done;
		int error = try_counts(r, e, k);

		done = e->counted[k];
		if (!error && !done && !e->counted[!k] && !(k && is_replaced(r, e)))
			error = judge_try_numbers(r, e, k, &done);
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
	const struct xfs_mapset *s = c && c->fork[XFS_FORK_DATA] ? &c->map[XFS_FORK_DATA]
								  : &e->side[XFS_FORK_DATA].fork;
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
