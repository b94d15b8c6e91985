/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_inodes.c - looks at every inode once: core, forks, counters.
 *
 * Mappings are not kept: they go into the fingerprint.  An inode with anything odd puts its bucket on the list of those
 * that reconcile.c judges one by one, with all evidence side by side.
 */
#include "repair/forks.h"
#include "repair/scan.h"

#include "libxfs/base/crc32c.h"
#include "libxfs/inode/inode.h"

#include <stdlib.h>
#include <string.h>

struct adding {
	struct repair *r;
	uint64_t ino, flags;
};

static bool ag_knows(const struct repair *r, uint64_t fsbno)
{
	return r->ags[fsbno >> r->geo.agblklog].tree[XFS_TREE_RMAP].sound;
}

static int add_mapping(void *payload, const struct xfs_mapping *m)
{
	struct adding *a = payload;

	if (ag_knows(a->r, m->fsbno))
		xfs_fingerprint_add(&a->r->fork_sums, a->ino, m->off | a->flags | (m->unwritten ? XFS_RMAP_UNWRITTEN : 0),
				    m->fsbno, m->len);
	return 0;
}

static void make_odd(struct repair *r, uint64_t ino)
{
	r->odd_buckets[xfs_fingerprint_bucket(&r->fork_sums, ino)] = 1;
	r->any_odd = true;
}

static void note_inode(struct repair *r, enum xfs_finding_id id, uint64_t ino, const char *field, uint64_t found,
		       uint64_t expected, bool fixed)
{
	struct xfs_finding f = xfs_finding_of(id, "inode");

	f.ino = ino;
	f.field = field;
	f.found = found;
	f.expected = expected;
	repair_note(r, &f, fixed);
}

/*
 * Does the core identify itself?  A wrong checksum alone does not make an inode unusable.
 * Returns false when this is no inode that anything can be said about.
 */
static bool check_identity(struct repair *r, struct repair_seen *s)
{
	const struct xfs_dinode *d = &s->d;

	if (d->core.magic != XFS_DINODE_MAGIC) {
		note_inode(r, XFS_F_BLOCK_MAGIC, s->ino, "magic", d->core.magic, XFS_DINODE_MAGIC, false);
		return false;
	}
	if (!r->geo.v5)
		return d->core.version == 1 || d->core.version == 2;
	if (d->core.version != 3 || d->v3.inumber != s->ino || memcmp(d->v3.uuid, r->geo.uuid, 16)) {
		note_inode(r, XFS_F_BLOCK_OWNER, s->ino, "inumber", d->v3.inumber, s->ino, false);
		return false;
	}
	if (!xfs_crc32c_check(s->image, r->geo.inodesize, XFS_DINODE_CRC_OFF)) {
		note_inode(r, XFS_F_BLOCK_CRC, s->ino, "crc", XFS_NULL64, XFS_NULL64, true);
		make_odd(r, s->ino);
	} else if (d->v3.lsn > r->max_lsn && d->v3.lsn != XFS_NULL64) {
		r->max_lsn = d->v3.lsn;
	}
	return true;
}

/* The record of the chunk follows the inode: an inode in use is never called free because a bit says so. */
static void check_allocation(struct repair *r, struct repair_seen *s)
{
	bool used = s->d.core.mode != 0;
	uint64_t bit = UINT64_C(1) << s->index;

	if (used != s->free)
		return;
	note_inode(r, XFS_F_INOBT_DIFFERS, s->ino, "free", s->free, !used, true);
	s->chunk->free ^= bit;
	s->chunk->freecount = (uint8_t)(s->chunk->freecount + (used ? -1 : 1));
	s->free = !used;
	s->ag->chunks_changed = true;
	s->ag->reasons |= REPAIR_INODES;
}

static void keep_facts(struct repair_seen *s)
{
	struct repair_fact *f = &s->ag->facts[(size_t)(s->chunk - s->ag->chunks) * XFS_INODES_PER_CHUNK + s->index];

	f->used = true;
	f->ftype = (uint8_t)xfs_mode_ftype(s->d.core.mode);
	f->nlink = xfs_dinode_nlink(&s->d);
	f->unlinked = f->nlink == 0;
}

static int observe_inode(void *payload, struct repair_seen *s)
{
	struct repair *r = payload;
	uint64_t counted = 0;
	bool damaged = false;

	if (s->free && (s->d.core.mode == 0 || s->d.core.magic != XFS_DINODE_MAGIC))
		return 0;
	if (!check_identity(r, s))
		return repair_add_lost(r, s->ino);
	check_allocation(r, s);
	if (s->free)
		return 0;
	keep_facts(s);
	for (unsigned k = 0; k < 2; k++) {
		struct adding a = { r, s->ino, k ? XFS_RMAP_ATTR : 0 };
		struct repair_fork f;
		bool realtime = k == XFS_FORK_DATA && (s->d.core.flags & XFS_DIFLAG_REALTIME);
		int error;

		if (realtime)
			continue;	/* its blocks lie on the realtime device */
		error = repair_fork_scan(r, s->ino, &s->d, s->image, (enum xfs_fork)k, &f, add_mapping, &a);
		for (size_t i = 0; i < f.nown; i++)
			if (ag_knows(r, f.own[i]))
				xfs_fingerprint_add(&r->fork_sums, s->ino, a.flags | XFS_RMAP_BMBT, f.own[i], 1);
		counted += f.blocks + f.nown;
		damaged |= f.damaged;
		repair_fork_release(&f);
		if (error)
			return error;
	}
	if (damaged || (!(s->d.core.flags & XFS_DIFLAG_REALTIME) && s->d.core.format != XFS_DINODE_FMT_META_BTREE &&
			counted != s->d.core.nblocks))
		make_odd(r, s->ino);
	return 0;
}

static int observe_ag_inodes(void *payload, size_t agno)
{
	struct repair *r = payload;
	int error = repair_find_chunks(r, &r->ags[agno]);

	if (!error && r->ags[agno].nchunks) {
		r->ags[agno].facts = calloc(r->ags[agno].nchunks * XFS_INODES_PER_CHUNK, sizeof(struct repair_fact));
		error = r->ags[agno].facts ? 0 : -XFS_E_NOMEM;
	}
	if (!error && !r->looking)
		repair_say(r, "        - agno = %zu", agno);
	return error ? error : repair_scan_ag_inodes(r, &r->ags[agno], observe_inode, r);
}

int repair_observe_inodes(struct repair *r)
{
	int error;

	if (!r->looking)
		repair_say(r, "        - process known inodes and perform inode discovery...");
	error = repair_each_ag(r, observe_ag_inodes, r);
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
