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

static void note(struct repair *r, enum xfs_finding_id id, uint64_t ino, const char *field, uint64_t found,
		 uint64_t expected, bool fixed)
{
	struct xfs_finding f = xfs_finding_of(id, "inode");

	f.ino = ino;
	f.field = field;
	f.found = found;
	f.expected = expected;
	repair_note(r, &f, fixed);
}

bool repair_is_hollow(const struct xfs_dinode *d)
{
	return !xfs_dinode_nlink(d) && !d->core.nblocks && !d->core.size && !xfs_dinode_nextents(d, XFS_FORK_DATA) &&
	       !xfs_dinode_nextents(d, XFS_FORK_ATTR);
}

int repair_make_free(struct repair *r, uint64_t ino, uint32_t gen)
{
	struct xfs_dinode d = { .core = {
		.magic = XFS_DINODE_MAGIC, .version = r->geo.v5 ? 3 : 2, .format = XFS_DINODE_FMT_EXTENTS,
		.aformat = XFS_DINODE_FMT_EXTENTS, .next_unlinked = XFS_NULL32,
		/* file handles of what was here must not fit the next file */
		.gen = gen + 1,
	} };
	uint8_t *image = calloc(1, r->geo.inodesize);
	struct repair_inode *c;
	int error;

	if (!image)
		return -XFS_E_NOMEM;
	if (r->geo.v5) {
		d.v3.inumber = ino;
		memcpy(d.v3.uuid, r->geo.uuid, sizeof(d.v3.uuid));
	}
	xfs_dinode_encode(image, &d);
	error = repair_changed_inode(r, ino, image, &c);
	if (!error) {
		memcpy(c->image, image, r->geo.inodesize);
		c->made_free = true;
	}
	free(image);
	return error;
}

static int make_free(struct repair *r, struct repair_seen *s)
{
	return repair_make_free(r, s->ino, s->d.core.gen);
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

/*
 * Whoever it was, other metadata may know it: reconcile.c asks, and restore.c makes it anew or free.  One finding says
 * it for all of a chunk.
 */
static int unidentified(struct repair *r, struct repair_seen *s)
{
	uint64_t first = s->ino - s->index;

	if (!r->nlost || r->lost[r->nlost - 1] < first)
		note(r, XFS_F_INODE_WIPED, s->ino, "magic", s->d.core.magic, XFS_DINODE_MAGIC, true);
	return repair_add_lost(r, s->ino);
}

static void note_fixes(struct repair *r, struct repair_seen *s)
{
	for (unsigned i = 0; i < s->nfixes && i < REPAIR_MOST_FIXES; i++)
		note(r, s->fixes[i].id, s->ino, s->fixes[i].field, s->fixes[i].found, s->fixes[i].expected, true);
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

static bool pads_used(const struct repair *r, const struct repair_seen *s)
{
	for (size_t i = PAD2; r->geo.v5 && i < PAD2 + PAD2_LEN; i++)
		if (s->image[i])
			return true;
	return false;
}

bool repair_core_flawed(const struct repair *r, const struct repair_seen *s)
{
	if (s->replaced)
		return false;
	return s->nfixes || !s->whole || pads_used(r, s) || (r->geo.v5 && xfs_lsn_is_wild(s->d.v3.lsn));
}

static bool is_free_format(unsigned format)
{
	return format == XFS_DINODE_FMT_DEV || format == XFS_DINODE_FMT_EXTENTS;
}

/* Hints stay in inodes that are freed. */
static bool hint_possible(const struct repair *r, uint32_t hint)
{
	return hint <= (r->geo.sb.rblocks ? XFS_BMBT_MAXLEN : xfs_min(r->geo.agblocks / 2, XFS_BMBT_MAXLEN));
}

/* What no kernel leaves in an inode that it frees: NULL, nothing. */
static const char *odd_in_free(const struct repair *r, const struct repair_seen *s)
{
	const struct xfs_dinode *d = &s->d;
	uint64_t flags2 = d->v3.flags2 & ~((r->geo.bigtime ? XFS_DIFLAG2_BIGTIME : 0) |
					   (r->geo.nrext64 ? XFS_DIFLAG2_NREXT64 : 0));

	if (d->core.flags || !hint_possible(r, d->core.extsize))
		return d->core.flags ? "flags" : "extsize";
	if (d->core.forkoff || !is_free_format(d->core.format) || !is_free_format(d->core.aformat))
		return d->core.forkoff ? "forkoff" : is_free_format(d->core.format) ? "aformat" : "format";
	if (!r->geo.v5)
		return NULL;
	if (d->core.big_nextents || flags2 || !hint_possible(r, d->v3.cowextsize))
		return flags2 ? "flags2" : !hint_possible(r, d->v3.cowextsize) ? "cowextsize" : "v3_pad";
	return pads_used(r, s) ? "pad2" : xfs_lsn_is_wild(d->v3.lsn) ? "lsn" : NULL;
}

/* A free inode in a free place. */
static int check_free(struct repair *r, struct repair_seen *s)
{
	const struct xfs_dinode *d = &s->d;
	const char *odd = d->core.nblocks ? "nblocks" : d->core.next_unlinked != XFS_NULL32 ? "next_unlinked" :
			  xfs_dinode_nextents(d, XFS_FORK_DATA) ? "nextents" :
			  xfs_dinode_nextents(d, XFS_FORK_ATTR) ? "naextents" :
			  d->core.size >> 63 ? "size" : odd_in_free(r, s);

	if (odd)
		note(r, XFS_F_INODE_FIELD, s->ino, odd, XFS_NULL64, XFS_NULL64, true);
	return odd || !s->whole || s->nfixes ? make_free(r, s) : 0;
}

static int type_is_lost(struct repair *r, struct repair_seen *s)
{
	if (s->d.core.mode || !s->free)
		note(r, XFS_F_INODE_TYPE, s->ino, "mode", s->d.core.mode, XFS_NULL64, true);
	return repair_add_lost(r, s->ino);
}

int repair_check_core(struct repair *r, struct repair_seen *s, bool *usable)
{
	const struct xfs_dinode *d = &s->d;
	bool used;

	*usable = false;
	if (!s->identified)
		return unidentified(r, s);
	used = d->core.mode != 0;
	if (!s->whole && !s->mended)
		note(r, XFS_F_BLOCK_CRC, s->ino, "crc", XFS_NULL64, XFS_NULL64, true);
	else if (r->geo.v5 && d->v3.lsn != XFS_NULL64 && !xfs_lsn_is_wild(d->v3.lsn))
		r->max_lsn = xfs_max(r->max_lsn, d->v3.lsn);
	note_fixes(r, s);
	if (used && s->free && repair_is_hollow(d)) {
		note(r, XFS_F_INODE_FIELD, s->ino, "mode", d->core.mode, 0, true);
		return make_free(r, s);
	}
	/* a core without a mode whose checksum is wrong says nothing: others may */
	if (s->unknown || (!used && !s->whole && !s->mended))
		return type_is_lost(r, s);
	if (used == s->free)
		flip_record(r, s);
	if (s->free)
		return check_free(r, s);
	*usable = true;
	s->suspect = repair_core_flawed(r, s);
	if (s->suspect && s->whole && !s->nfixes)
		note(r, XFS_F_INODE_FIELD, s->ino, pads_used(r, s) ? "pad2" : "lsn", XFS_NULL64, XFS_NULL64, true);
	return d->core.next_unlinked != XFS_NULL32 ? leave_list(r, s) : 0;
}
