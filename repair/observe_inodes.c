/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_inodes.c - looks at every inode once: core, forks, counters.
 *
 * Mappings are not kept: they go into the fingerprint.  An inode with anything odd puts its bucket on the list of those
 * that reconcile.c judges one by one, with all evidence side by side.
 */
#include "repair/forks.h"
#include "repair/lanes.h"
#include "repair/metafiles.h"
#include "repair/quota.h"
#include "repair/realtime.h"
#include "repair/realtime_owned.h"
#include "repair/scan.h"
#include "repair/space.h"

#include "libxfs/inode/inode.h"
#include "libxfs/ondisk/dir.h"

#include <stdlib.h>

struct adding {
	struct repair *r;
	uint64_t ino, flags;
	bool unflagged;		/* the inode says that it shares nothing */
	bool shares;		/* but it does */
	struct repair_ag *ag;	/* of the inode */
	bool realtime, shareable;
	uint64_t end;		/* of the last mapping below the leaf blocks of a directory, blocks */
	uint64_t eof;		/* of a file, blocks; without reverse mappings */
	bool behind;		/* something that is written lies there */
};

static bool ag_knows(const struct repair *r, uint64_t fsbno)
{
	return repair_ag_of(r, fsbno)->tree[XFS_TREE_RMAP].sound;
}

static int add_mapping(void *payload, const struct xfs_mapping *m)
{
	struct adding *a = payload;
	uint64_t offword = m->off | a->flags | (m->unwritten ? XFS_RMAP_UNWRITTEN : 0);

	if (a->realtime && a->r->rt_sums.sums)
		xfs_fingerprint_add(&a->r->rt_sums, a->ino, offword, m->fsbno, m->len);
	if (a->realtime)
		return repair_rt_add(a->r, a->ag, a->ino, a->shareable, m);
	if (m->off < UINT64_C(1) << (XFS_DIR_SPACE_SHIFT - a->r->geo.blocklog))
		a->end = m->off + m->len;
	a->behind |= m->off >= a->eof && !m->unwritten;
	if (a->unflagged && !a->shares && !m->unwritten && ag_knows(a->r, m->fsbno))
		a->shares = repair_is_shared(a->r, m->fsbno, m->len);
	if (ag_knows(a->r, m->fsbno))
		xfs_fingerprint_add(&a->r->fork_sums, a->ino, offword, m->fsbno, m->len);
	return a->r->claims ? repair_claim(a->r, m->fsbno, m->len, a->ino, offword) : 0;
}

static void make_odd(struct repair *r, uint64_t ino)
{
	__atomic_store_n(&r->odd_buckets[xfs_fingerprint_bucket(&r->fork_sums, ino)], 1, __ATOMIC_RELAXED);
	r->any_odd = true;
}

static struct repair_fact *keep_facts(struct repair *r, struct repair_seen *s)
{
	struct repair_fact *f = &s->ag->facts[(size_t)(s->chunk - s->ag->chunks) * XFS_INODES_PER_CHUNK + s->index];

	f->used = true;
	f->ftype = (uint8_t)xfs_mode_ftype(s->d.core.mode);
	f->nlink = xfs_dinode_nlink(&s->d);
	f->shares = s->d.v3.flags2 & XFS_DIFLAG2_REFLINK;
	f->meta = xfs_dinode_is_metadata(&s->d);
	f->open = s->ag->agi_ok && s->ag->unlinked[(s->chunk->startino + s->index) % XFS_AGI_BUCKETS] != XFS_NULL32;
	r->before.inodes++;
	r->before.blocks += s->d.core.nblocks;
	return f;
}

static int add_own(struct adding *a, const struct repair_fork *f)
{
	int error = 0;

	for (size_t i = 0; i < f->nown && !error; i++) {
		if (ag_knows(a->r, f->own[i]))
			xfs_fingerprint_add(&a->r->fork_sums, a->ino, a->flags | XFS_RMAP_BMBT, f->own[i], 1);
		if (a->r->claims && !f->damaged)
			error = repair_claim(a->r, f->own[i], 1, a->ino, a->flags | XFS_RMAP_BMBT);
	}
	return error;
}

static int observe_forks(struct repair *r, struct repair_seen *s)
{
	bool damaged = false;
	uint64_t counted = 0, realtime = 0;

	for (unsigned k = 0; k < 2; k++) {
		struct adding a = { .r = r, .ino = s->ino, .flags = k ? XFS_RMAP_ATTR : 0, .ag = s->ag,
				    .realtime = repair_fork_is_realtime(&s->d, k),
				    .shareable = s->d.v3.flags2 & XFS_DIFLAG2_REFLINK };
		struct repair_fork f;
		int error;

		/* where no rmapbt is sound, repair_check_flags() tells by the claims */
		a.unflagged = k == XFS_FORK_DATA && (s->d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG && !a.realtime &&
			      !(s->d.v3.flags2 & XFS_DIFLAG2_REFLINK) && repair_may_share(r, s->ino);
		a.eof = k == XFS_FORK_DATA && !r->geo.rmapbt && (s->d.core.mode & XFS_MODE_FMT) == XFS_MODE_REG
			? xfs_ceil_div((uint64_t)s->d.core.size, r->geo.blocksize) : UINT64_MAX;
		error = repair_fork_scan_any(r, s->ino, &s->d, s->image, (enum xfs_fork)k, &f, add_mapping, &a);
		if (!error)
			error = add_own(&a, &f);
		/* of a damaged map nobody knows yet what it shares */
		if (!error && a.shares && !f.damaged)
			error = repair_set_reflink(r, s->ino, s->image);
		counted += f.blocks + f.nown;
		realtime += a.realtime ? f.blocks : 0;
		damaged |= f.damaged || a.behind;
		damaged |= k == XFS_FORK_DATA && f.mapped && (s->d.core.mode & XFS_MODE_FMT) == XFS_MODE_DIR &&
			   s->d.core.size != a.end << r->geo.blocklog;
		repair_fork_release(&f);
		if (error)
			return error;
	}
	if (damaged || s->suspect || counted != s->d.core.nblocks)
		make_odd(r, s->ino);
	return repair_quota_add(r, s, realtime);
}

static int observe_inode(void *payload, struct repair_seen *s)
{
	struct repair *r = payload;
	struct repair_fact *fact;
	bool usable;
	int error = repair_check_core(r, s, &usable);

	if (!error && !usable && repair_is_lost(r, s->ino))
		make_odd(r, s->ino);
	if (error || !usable)
		return error;
	fact = keep_facts(r, s);
	s->ag->has_attrs |= s->d.core.forkoff != 0;
	error = repair_rt_note_file(r, s);
	if (error)
		return error;
	error = observe_forks(r, s);
	return error ? error : repair_glance(r, s, fact);
}

static int find_ag_chunks(void *payload, size_t agno)
{
	struct repair *r = payload;

	return repair_find_chunks(r, &r->ags[agno]);
}

static int observe_ag_inodes(struct repair *r, size_t agno)
{
	int error = 0;

	if (r->ags[agno].nchunks && !r->ags[agno].facts) {
		r->ags[agno].facts = calloc(r->ags[agno].nchunks * XFS_INODES_PER_CHUNK, sizeof(struct repair_fact));
		error = r->ags[agno].facts ? 0 : -XFS_E_NOMEM;
	}
	if (!error && !r->looking)
		repair_say(r, "        - agno = %zu", agno);
	return error ? error : repair_scan_ag_inodes(r, &r->ags[agno], observe_inode, r);
}

/* Attributes exist, so the superblock must say so; secondaries are as old as the filesystem and do not know. */
static void check_attr_bit(struct repair *r)
{
	struct xfs_finding f = xfs_finding_of(XFS_F_SB_FIELD, "sb");
	bool any = false;

	for (uint32_t i = 0; i < r->geo.agcount; i++)
		any |= r->ags[i].has_attrs;
	if (!any || r->primary.versionnum & XFS_SB_VERSION_ATTR)
		return;
	f.field = "versionnum";
	f.found = r->primary.versionnum;
	f.expected = r->primary.versionnum | XFS_SB_VERSION_ATTR;
	if (!r->sb_changed)
		repair_note(r, &f, true);
	r->primary.versionnum |= XFS_SB_VERSION_ATTR;
	r->sb_changed = true;
}

int repair_observe_inodes(struct repair *r)
{
	int error;

	if (!r->looking) {
		repair_say(r, r->no_modify ? "        - scan (but don't clear) agi unlinked lists..." :
					     "        - scan and clear agi unlinked lists...");
		repair_say(r, "        - process known inodes and perform inode discovery...");
	}
	/* without reverse mappings, free space and reference counts are compared with what the files claim */
	error = r->geo.rmapbt ? 0 : xfs_claims_new(&r->claims, &r->geo, r->memory, NULL);
	if (!error && repair_rt_has_owners(r))
		error = xfs_fingerprint_init(&r->rt_sums, r->fork_sums.bits, r->fork_sums.key);
	if (!error)
		error = repair_glance_begin(r);
	if (error)
		return error;
	error = repair_each_ag(r, find_ag_chunks, r);
	if (!error)
		error = repair_find_chunks_of_owners(r);
	r->ahead = !r->glance->off;
	if (!error)
		error = repair_each_lane(r, observe_ag_inodes);
	r->ahead = false;
	repair_glance_end(r);
	if (!error && !r->looking)
		repair_say(r, "        - process newly discovered inodes...");
	if (!error)
		check_attr_bit(r);
	if (!error && r->geo.metadir)
		error = repair_metafiles_index(r);
	if (!error)
		error = repair_rt_find_odd(r);
	if (error || !r->geo.rmapbt)
		return error;
	for (uint32_t i = 0; i < 1u << r->fork_sums.bits; i++) {
		if (!xfs_fingerprint_differs(&r->fork_sums, &r->rmap_sums, i))
			continue;
		r->odd_buckets[i] = 1;
		r->any_odd = true;
	}
	return 0;
}
