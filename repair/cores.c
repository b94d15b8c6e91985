/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cores.c - one inode core: is it an inode at all, is it in use, and does the record of its chunk agree?
 *
 * An inode that identifies nothing is lost when it was in use: this version keeps what others say of it and leaves its
 * bytes alone.  One that is free is written afresh, as nobody misses anything.
 */
#include "repair/scan.h"

#include "repair/evidence.h"

#include "libxfs/base/crc32c.h"

#include <stdlib.h>
#include <string.h>

#define PAD2 (XFS_OFF(dinode_v3, cowextsize) + 4)
#define PAD2_LEN 12u

static void note(struct repair *r, enum xfs_finding_id id, uint64_t ino, const char *field, uint64_t found, uint64_t expected,
		 bool fixed)
{
	struct xfs_finding f = xfs_finding_of(id, "inode");

	f.ino = ino;
	f.field = field;
	f.found = found;
	f.expected = expected;
	repair_note(r, &f, fixed);
}

/* Nothing hangs on it: no name, no block, no content. */
static bool is_hollow(const struct xfs_dinode *d)
{
	return !xfs_dinode_nlink(d) && !d->core.nblocks && !d->core.size && !xfs_dinode_nextents(d, XFS_FORK_DATA) &&
	       !xfs_dinode_nextents(d, XFS_FORK_ATTR);
}

/* The inode becomes a free one as mkfs and kernel leave them. */
static int make_free(struct repair *r, struct repair_seen *s)
{
	struct xfs_dinode d = { .core = {
		.magic = XFS_DINODE_MAGIC, .version = r->geo.v5 ? 3 : 2, .format = XFS_DINODE_FMT_EXTENTS,
		.aformat = XFS_DINODE_FMT_EXTENTS, .next_unlinked = XFS_NULL32,
		/* file handles of what was here must not fit the next file */
		.gen = (s->identified ? s->d.core.gen : (uint32_t)s->ino) + 1,
	} };
	uint8_t *image = calloc(1, r->geo.inodesize);
	struct repair_inode *c;
	int error;

	if (!image)
		return -XFS_E_NOMEM;
	if (r->geo.v5) {
		d.v3.inumber = s->ino;
		memcpy(d.v3.uuid, r->geo.uuid, sizeof(d.v3.uuid));
	}
	xfs_dinode_encode(image, &d);
	error = repair_changed_inode(r, s->ino, image, &c);
	if (!error) {
		memcpy(c->image, image, r->geo.inodesize);
		c->made_free = true;
		c->was_nothing = !s->identified;
	}
	free(image);
	return error;
}

static void flip_record(struct repair *r, struct repair_seen *s)
{
	note(r, XFS_F_INOBT_DIFFERS, s->ino, "free", s->free, !s->free, true);
	repair_flip_free(s->ag, s->chunk, s->index);
	s->free = !s->free;
}

void repair_flip_free(struct repair_ag *ag, struct xfs_inode_chunk *c, unsigned index)
{
	uint64_t bit = UINT64_C(1) << index;

	c->freecount = (uint8_t)(c->freecount + (c->free & bit ? -1 : 1));
	c->free ^= bit;
	ag->chunks_changed = true;
	ag->reasons |= REPAIR_INODES;
}

static int unidentified(struct repair *r, struct repair_seen *s)
{
	bool magic = s->d.core.magic == XFS_DINODE_MAGIC, made_free = s->free && s->proven;
	bool fixed = made_free || s->ino == r->primary.rootino;		/* names_new.c makes a root */

	if (magic)
		note(r, XFS_F_BLOCK_OWNER, s->ino, "inumber", s->d.v3.inumber, s->ino, fixed);
	else
		note(r, XFS_F_BLOCK_MAGIC, s->ino, "magic", s->d.core.magic, XFS_DINODE_MAGIC, fixed);
	return made_free ? make_free(r, s) : repair_add_lost(r, s->ino);
}

static void note_mended(struct repair *r, struct repair_seen *s)
{
	enum xfs_finding_id id = *s->mended == 'm' ? XFS_F_BLOCK_MAGIC : *s->mended == 'i' ? XFS_F_BLOCK_OWNER :
				 *s->mended == 'u' ? XFS_F_BLOCK_UUID : XFS_F_INODE_FIELD;

	note(r, id, s->ino, s->mended, s->found, *s->mended == 'i' ? s->ino : *s->mended == 'm' ? XFS_DINODE_MAGIC : XFS_NULL64,
	     true);
}

/* Links of lists that are cleared, or that never were: an inode in use is on none afterwards. */
static int leave_list(struct repair *r, struct repair_seen *s)
{
	struct repair_inode *c;
	struct xfs_dinode d;
	int error;

	note(r, XFS_F_INODE_FIELD, s->ino, "next_unlinked", s->d.core.next_unlinked, XFS_NULL32, true);
	error = repair_changed_inode(r, s->ino, s->image, &c);
	if (error)
		return error;
	xfs_dinode_decode(&d, c->image);
	d.core.next_unlinked = XFS_NULL32;
	xfs_dinode_encode(c->image, &d);
	return 0;
}

bool repair_core_flawed(const struct repair *r, const struct repair_seen *s)
{
	if (!r->geo.v5)
		return false;
	for (size_t i = PAD2; i < PAD2 + PAD2_LEN; i++)
		if (s->image[i])
			return true;
	return s->mended || !xfs_crc32c_check(s->image, r->geo.inodesize, XFS_DINODE_CRC_OFF) ||
	       repair_lsn_is_wild(s->d.v3.lsn);
}

int repair_check_core(struct repair *r, struct repair_seen *s, bool *usable)
{
	const struct xfs_dinode *d = &s->d;
	bool whole = true, used = d->core.mode != 0;

	*usable = false;
	if (!s->identified)
		return unidentified(r, s);
	if (r->geo.v5 && !s->mended) {
		whole = xfs_crc32c_check(s->image, r->geo.inodesize, XFS_DINODE_CRC_OFF);
		if (!whole)
			note(r, XFS_F_BLOCK_CRC, s->ino, "crc", XFS_NULL64, XFS_NULL64, true);
		else if (d->v3.lsn != XFS_NULL64 && !repair_lsn_is_wild(d->v3.lsn))
			r->max_lsn = xfs_max(r->max_lsn, d->v3.lsn);
	}
	if (s->mended)
		note_mended(r, s);
	if (!used && !s->free && (!is_hollow(d) || !whole)) {
		note(r, XFS_F_INODE_BAD, s->ino, "mode", 0, XFS_NULL64, false);
		return repair_add_lost(r, s->ino);
	}
	if (used && s->free && is_hollow(d)) {
		note(r, XFS_F_INODE_FIELD, s->ino, "mode", d->core.mode, 0, true);
		return make_free(r, s);
	}
	if (used == s->free)
		flip_record(r, s);
	if (s->free) {
		const char *odd = d->core.nblocks ? "nblocks" : d->core.next_unlinked != XFS_NULL32 ? "next_unlinked" :
				  xfs_dinode_nextents(d, XFS_FORK_DATA) ? "nextents" :
				  xfs_dinode_nextents(d, XFS_FORK_ATTR) ? "naextents" : NULL;

		if (odd)
			note(r, XFS_F_INODE_FIELD, s->ino, odd, XFS_NULL64, XFS_NULL64, true);
		return odd || !whole || s->mended ? make_free(r, s) : 0;
	}
	*usable = true;
	s->suspect = repair_core_flawed(r, s);
	if (s->suspect && whole && !s->mended)
		note(r, XFS_F_INODE_FIELD, s->ino, repair_lsn_is_wild(d->v3.lsn) ? "lsn" : "pad2", XFS_NULL64, XFS_NULL64, true);
	return d->core.next_unlinked != XFS_NULL32 ? leave_list(r, s) : 0;
}
