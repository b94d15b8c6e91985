/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ages.c - what is in place of a V4 filesystem, before or behind the damage of its log?
 *
 * Blocks of V4 have no LSN.  But the log has images of them: what stands in place is as of one that it equals.  Images
 * from behind the damage, where that can be read, tell what is later.  Inodes count how often they were written since
 * they were logged, so one may be known to be later than all that stands before the damage; blocks of its directory,
 * its attributes and its trees were logged and written with it, and count as later, too, unless they equal an image
 * from before.
 */
#include "repair/ages.h"

#include "repair/logrun.h"

#include "libxfs/base/grow.h"
#include "libxfs/base/search.h"
#include "libxfs/log/items.h"

#include <stdlib.h>

/* Of a place: what the log made of it, by all chunks that were logged until then. */
enum {
	PART_IN_PLACE = 1,		/* what it was at some time in the part is in place */
	BEHIND_IN_PLACE = 2		/* at some time behind the damage */
};

/* Of a chunk: its last image; of the first one in a sector: the sector was so at some time in the part. */
enum { LOGGED = 1, EQUAL = 2, SECTOR = 4 };

#define PER_SECTOR (XFS_BBSIZE / XFS_LOG_CHUNK)

struct seen_core {
	uint64_t ino, turn;		/* order in the log */
	uint16_t flush;			/* times written until it was logged */
	bool behind;			/* the damage */
	bool in_place;			/* as it was logged */
};

struct looking {
	struct repair *r;
	struct repair_ages *ages;
	uint32_t piece;			/* of the log: 0 is the part, the others are behind the damage */
	uint64_t turns;
	struct seen_core *cores;
	size_t ncores, room;
	uint8_t *buf;			/* XFS_BUF_MAXLEN bytes */
	uint8_t *chunks;		/* of all places, one after the other */
	size_t *first;			/* by place */
	uint32_t *seen;			/* by place: the piece that its chunks are of */
};

/* ---- images against what is in place ---- */

/* Are all chunks in place as they were logged last? */
static bool mark_sectors(uint8_t *chunk, uint32_t bbs)
{
	bool all = true;

	for (uint32_t s = 0; s < bbs; s++, chunk += PER_SECTOR) {
		bool logged = false, equal = true;

		for (unsigned k = 0; k < PER_SECTOR; k++) {
			logged |= chunk[k] & LOGGED;
			equal &= (chunk[k] & (LOGGED | EQUAL)) != LOGGED;
		}
		if (logged && equal)
			chunk[0] |= SECTOR;
		all &= equal;
	}
	return all;
}

/* A replay that was stopped by a loss of power may have left sectors of several times, all of the part. */
static void find_torn(struct looking *l)
{
	for (size_t i = 0; i < l->ages->nplaces; i++) {
		const uint8_t *chunk = l->chunks + l->first[i];
		bool all = true, any = false;

		for (uint32_t s = 0; s < l->ages->places[i].bbs; s++, chunk += PER_SECTOR) {
			bool logged = false;

			for (unsigned k = 0; k < PER_SECTOR; k++)
				logged |= chunk[k] & LOGGED;
			all &= !logged || chunk[0] & SECTOR;
			any |= logged;
		}
		if (all && any)
			l->ages->state[i] |= PART_IN_PLACE;
	}
}

static int look_at_buf(struct looking *l, const struct xfs_log_item *it)
{
	struct xfs_recovery_place key;
	struct xfs_log_run run = { .len = 0 };
	struct xfs_log_buf_item b;
	uint8_t *chunk;
	size_t place;

	xfs_log_buf_load(&b, it);
	key = (struct xfs_recovery_place){ .daddr = b.daddr, .bbs = b.bbs };
	place = xfs_recovery_place_find(l->ages->places, l->ages->nplaces, &key);
	if (place == l->ages->nplaces || b.flags & XFS_BLF_CANCEL || (uint64_t)b.bbs * XFS_BBSIZE > XFS_BUF_MAXLEN ||
	    xfs_dev_read(l->r->dev.data, b.daddr * XFS_BBSIZE, l->buf, (size_t)b.bbs * XFS_BBSIZE))
		return 0;
	chunk = l->chunks + l->first[place];
	if (l->seen[place] != l->piece)		/* what came between is lost */
		memset(chunk, 0, (size_t)b.bbs * PER_SECTOR);
	l->seen[place] = l->piece;
	while (xfs_log_buf_next(&b, &run))
		for (uint32_t at = 0; at < run.len; at += XFS_LOG_CHUNK)
			chunk[(run.off + at) / XFS_LOG_CHUNK] =
				(chunk[(run.off + at) / XFS_LOG_CHUNK] & SECTOR) | LOGGED |
				(memcmp(l->buf + run.off + at, run.p + at, XFS_LOG_CHUNK) ? 0 : EQUAL);
	if (mark_sectors(chunk, b.bbs))
		l->ages->state[place] |= l->piece ? BEHIND_IN_PLACE : PART_IN_PLACE;
	return 0;
}

/* All but what reading a file changes, and what says how often it was written. */
static bool same_core(const uint8_t *a, const uint8_t *b)
{
	const size_t flush = XFS_OFF(dinode_core, flushiter), atime = XFS_OFF(dinode_core, atime);

	return !memcmp(a, b, flush) && !memcmp(a + flush + 2, b + flush + 2, atime - flush - 2) &&
	       !memcmp(a + atime + 8, b + atime + 8, XFS_LOG_DINODE_V4 - atime - 8);
}

static int look_at_inode(struct looking *l, const struct xfs_log_item *it)
{
	const struct xfs_geometry *g = &l->r->geo;
	uint8_t disk[XFS_DINODE_MAX_SIZE] = { 0 };
	struct xfs_log_inode_item i;
	struct seen_core *c;

	xfs_log_inode_load(&i, it);
	if (!xfs_ino_valid(g, XFS_INO(i.f.ino)) || i.core_len > XFS_LOG_DINODE_V4 ||
	    xfs_dev_read(l->r->dev.data, xfs_ino_byte(g, XFS_INO(i.f.ino)), l->buf, g->inodesize))
		return 0;
	xfs_log_dinode_to_disk(disk, i.core, i.core_len, it->writer_le);
	if (xfs_grow(&l->cores, l->ncores, &l->room, 256))
		return -XFS_E_NOMEM;
	c = &l->cores[l->ncores++];
	*c = (struct seen_core){ .ino = i.f.ino, .turn = l->turns++, .behind = l->piece != 0,
				 .in_place = same_core(disk, l->buf),
				 .flush = xfs_be16(disk + XFS_OFF(dinode_core, flushiter)) };
	return 0;
}

static int look_at_part(struct looking *l, const struct xfs_fs *fs, const struct xfs_log_state *part)
{
	struct xfs_log_iter *it;
	struct xfs_log_event e;
	int error = xfs_log_iter_new(&it, fs, part, false, NULL);

	while (!error) {
		error = xfs_log_iter_next(it, &e, NULL);
		if (error || e.kind != XFS_LOG_EV_TRANS)
			continue;
		for (size_t i = 0; i < e.trans->nitems && !error; i++) {
			const struct xfs_log_item *item = &e.trans->items[i];

			if (item->type == XFS_LI_BUF)
				error = look_at_buf(l, item);
			else if (item->type == XFS_LI_INODE)
				error = look_at_inode(l, item);
		}
	}
	xfs_log_iter_free(it);
	return error == -XFS_E_NOMEM ? error : 0;
}

/* Each piece that can be read again. */
static int look_behind(struct looking *l, const struct xfs_fs *fs, const struct xfs_log_parts *parts)
{
	uint32_t bad = parts->bad;
	struct xfs_log_parts piece;
	int error = 0;

	while (!error) {
		l->piece++;
		error = xfs_log_parts_next(fs, &parts->whole, &bad, &piece);
		if (!error)
			error = look_at_part(l, fs, &piece.before);
	}
	return error == -XFS_E_NOMEM ? error : 0;
}

/* ---- inodes that are later ---- */

static int by_ino(const void *pa, const void *pb)
{
	const struct seen_core *a = pa, *b = pb;

	if (a->ino != b->ino)
		return a->ino < b->ino ? -1 : 1;
	return a->turn < b->turn ? -1 : a->turn > b->turn;
}

/* `last`: of the part, NULL: it has none. What is not as it was logged last and was written since was changed since. */
static bool is_later(struct looking *l, const struct seen_core *last, bool behind)
{
	const struct xfs_geometry *g = &l->r->geo;

	if (!last)
		return behind;
	if (last->in_place ||
	    xfs_dev_read(l->r->dev.data, xfs_ino_byte(g, XFS_INO(last->ino)), l->buf, g->inodesize) ||
	    xfs_be16(l->buf) != XFS_DINODE_MAGIC)
		return false;
	return behind || xfs_recovery_flushed_since(xfs_be16(l->buf + XFS_OFF(dinode_core, flushiter)), last->flush);
}

static int find_later(struct looking *l)
{
	struct repair_ages *a = l->ages;

	if (l->ncores)
		qsort(l->cores, l->ncores, sizeof(*l->cores), by_ino);
	a->later = malloc((l->ncores + 1) * sizeof(*a->later));
	if (!a->later)
		return -XFS_E_NOMEM;
	for (size_t i = 0, end; i < l->ncores; i = end) {
		const struct seen_core *last = NULL;
		bool behind = false;

		for (end = i; end < l->ncores && l->cores[end].ino == l->cores[i].ino; end++) {
			if (!l->cores[end].behind)
				last = &l->cores[end];
			behind |= l->cores[end].behind && l->cores[end].in_place;
		}
		if (is_later(l, last, behind))
			a->later[a->nlater++] = l->cores[i].ino;
	}
	return 0;
}

/* ---- answers ---- */

static int make_chunks(struct looking *l)
{
	size_t n = 0;

	l->first = malloc((l->ages->nplaces + 1) * sizeof(*l->first));
	l->seen = calloc(l->ages->nplaces + 1, sizeof(*l->seen));
	if (!l->first || !l->seen)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < l->ages->nplaces; i++) {
		l->first[i] = n;
		n += (size_t)l->ages->places[i].bbs * PER_SECTOR;
	}
	l->first[l->ages->nplaces] = n;
	l->chunks = calloc(n + 1, 1);
	return l->chunks ? 0 : -XFS_E_NOMEM;
}

int repair_ages_find(struct repair *r, const struct xfs_log_parts *parts, const struct xfs_recovery_place *places,
		     size_t n, struct repair_ages *out)
{
	struct looking l = { .r = r, .ages = out, .buf = malloc(XFS_BUF_MAXLEN) };
	struct xfs_fs *fs = NULL;
	int error;

	*out = (struct repair_ages){ .places = places, .nplaces = n, .state = calloc(n + 1, 1) };
	error = l.buf && out->state ? make_chunks(&l) : -XFS_E_NOMEM;
	if (!error)
		error = repair_open_for_log(r, &r->dev, &fs);
	if (!error)
		error = look_at_part(&l, fs, &parts->before);
	if (!error)
		find_torn(&l);
	if (!error)
		error = look_behind(&l, fs, parts);
	if (!error)
		error = find_later(&l);
	xfs_fs_close(fs);
	free(l.cores);
	free(l.buf);
	free(l.first);
	free(l.seen);
	free(l.chunks);
	return error;
}

bool repair_ages_inode_is_later(const struct repair_ages *a, uint64_t ino)
{
	size_t at = xfs_search(a->nlater, i, a->later[i] < ino);

	return at < a->nlater && a->later[at] == ino;
}

enum repair_age repair_ages_of(const struct repair_ages *a, size_t place, bool owner_is_later)
{
	unsigned s = a->state[place];

	if (s & PART_IN_PLACE)
		return REPAIR_AGE_KNOWN;
	return s & BEHIND_IN_PLACE || owner_is_later ? REPAIR_AGE_LATER : REPAIR_AGE_UNKNOWN;
}

void repair_ages_release(struct repair_ages *a)
{
	free(a->later);
	free(a->state);
	*a = (struct repair_ages){ .nplaces = 0 };
}
