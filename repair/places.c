/* SPDX-License-Identifier: BSD-2-Clause */
/* places.c - names for bytes of the data device. */
#include "repair/places.h"
#include "repair/agtrees.h"
#include "repair/watch.h"

#include "libxfs/base/grow.h"
#include "libxfs/ondisk/blocktypes.h"

#include <stdlib.h>

#define MOST_HITS 65536u

bool repair_place_of(const struct repair *r, uint64_t off, uint32_t *agno, uint32_t *agbno)
{
	uint64_t block = off >> r->geo.blocklog;

	if (!r->geo.agblocks || block >= r->geo.dblocks)
		return false;
	*agno = (uint32_t)(block / r->geo.agblocks);
	*agbno = (uint32_t)(block % r->geo.agblocks);
	return true;
}

static const char *header_name(const struct repair *r, uint64_t in_ag)
{
	static const char *const names[] = { "sb", "agf", "agi", "agfl" };

	return in_ag / r->geo.sectsize < 4 ? names[in_ag / r->geo.sectsize] : NULL;
}

static bool is_inode(const struct repair_ag *ag, const struct xfs_geometry *geo, uint32_t agbno)
{
	for (size_t i = 0; i < ag->nchunks; i++) {
		uint32_t first = ag->chunks[i].startino >> geo->inopblog;
		uint32_t last = (ag->chunks[i].startino + XFS_INODES_PER_CHUNK - 1) >> geo->inopblog;

		if (agbno >= first && agbno <= last)
			return true;
	}
	return false;
}

/* A block of a tree as it was walked; it may not be one any more. */
static const char *tree_name(const struct repair_ag *ag, uint32_t agbno)
{
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		if (agbno && ag->tree[t].present && ag->tree[t].root == agbno)
			return repair_tree_name((enum xfs_build_tree)t);
	for (unsigned t = 0; t < XFS_TREE_COUNT; t++)
		for (size_t i = 0; i < ag->tree[t].nown; i++)
			if (ag->tree[t].own[i] == agbno)
				return repair_tree_name((enum xfs_build_tree)t);
	return NULL;
}

const char *repair_structure_at(const struct repair *r, uint64_t off, const uint8_t *block, uint64_t *end)
{
	const struct xfs_sb *sb = &r->primary;
	uint64_t log = sb->logstart ? xfs_fsbno_byte(&r->geo, XFS_FSBNO(sb->logstart)) : 0;
	uint64_t log_end = log + (uint64_t)sb->logblocks * r->geo.blocksize, ag_byte;
	const struct xfs_blockform *form;
	uint32_t agno, agbno;
	const char *name;

	*end = (off | (r->geo.blocksize - 1)) + 1;
	if (sb->logstart && off >= log && off < log_end) {
		*end = log_end;
		return "log";
	}
	if (!repair_place_of(r, off, &agno, &agbno))
		return "outside";
	ag_byte = off - (uint64_t)agno * r->geo.agblocks * r->geo.blocksize;
	name = header_name(r, ag_byte);
	if (name) {
		*end = off - ag_byte % r->geo.sectsize + r->geo.sectsize;
		return name;
	}
	if (r->ags && is_inode(&r->ags[agno], &r->geo, agbno)) {
		*end = off - off % r->geo.inodesize + r->geo.inodesize;
		return "inode";
	}
	form = xfs_blockform_of(XT_NONE, r->geo.v5, block, r->geo.blocksize);
	if (form)
		return form->name;
	name = r->ags ? tree_name(&r->ags[agno], agbno) : NULL;
	return name ? name : "block";
}

/* ---- unreadable ranges ---- */

/* Who wanted to read the block, or NULL. */
static const char *asked_by(const struct repair *r, uint32_t agno, uint32_t agbno)
{
	for (size_t i = 0; i < r->nunread; i++)
		if (r->unread[i].agno == agno && r->unread[i].agbno == agbno)
			return r->unread[i].structure;
	return NULL;
}

struct listing {
	struct repair *r;
	struct repair_hit *hits;
	size_t n, room;
	uint8_t *block;
	uint32_t agno;			/* whose rmapbt is read */
};

static int add_hit(struct listing *l, const struct repair_hit *h)
{
	if (l->n == MOST_HITS)
		return 0;
	if (xfs_grow(&l->hits, l->n, &l->room, 64))
		return -XFS_E_NOMEM;
	l->hits[l->n++] = *h;
	return 0;
}

static int hit_range(void *payload, uint64_t off, uint64_t len)
{
	struct listing *l = payload;
	struct repair *r = l->r;
	int error = 0;

	while (len && !error) {
		uint64_t end = off + len, block = off & ~(uint64_t)(r->geo.blocksize - 1);
		struct repair_hit h = { .off = off, .agno = XFS_NULL32, .agbno = XFS_NULL32, .owner = XFS_NULL64,
				       .structure = "block" };

		if (r->geo.blocksize && l->block) {
			xfs_dev_read(r->dev.data, block, l->block, r->geo.blocksize);
			h.structure = repair_structure_at(r, off, l->block, &end);
			/* what lay there, even when something else was written there since */
			if (repair_place_of(r, off, &h.agno, &h.agbno) && h.agbno && asked_by(r, h.agno, h.agbno))
				h.structure = asked_by(r, h.agno, h.agbno);
			else if (h.agno != XFS_NULL32 && h.agbno && r->ags && tree_name(&r->ags[h.agno], h.agbno))
				h.structure = tree_name(&r->ags[h.agno], h.agbno);
		}
		h.len = xfs_min(end - off, len);
		h.gone = l->block && h.len <= r->geo.blocksize && !xfs_dev_read(r->dev.data, off, l->block,
										(size_t)h.len);
		error = add_hit(l, &h);
		off += h.len;
		len -= h.len;
	}
	return error;
}

static int owner_record(void *payload, const void *disk)
{
	struct listing *l = payload;
	struct xfs_claim c = xfs_claim_decode(disk);

	for (size_t i = 0; !xfs_owner_is_special(c.owner) && i < l->n; i++)
		if (l->hits[i].agno == l->agno && l->hits[i].agbno >= c.agbno && l->hits[i].agbno - c.agbno < c.len)
			l->hits[i].owner = c.owner;
	return 0;
}

static int find_owners(struct listing *l)
{
	struct xfs_fs_options options = { .flags = XFS_FS_NOVERIFY | XFS_FS_NOLASTBLOCK, .cache = l->r->cache,
					 .sb = &l->r->primary };
	struct xfs_fs *fs;
	int error = xfs_fs_open(&fs, &l->r->dev, &options, NULL);

	if (error)
		return error == -XFS_E_NOMEM ? error : 0;
	for (size_t i = 0; i < l->n && !error; i++) {
		struct xfs_btree_verify v = { .record = owner_record, .payload = l };
		struct xfs_btree bt;

		if (l->hits[i].agno == XFS_NULL32 || (i && l->hits[i].agno == l->hits[i - 1].agno))
			continue;
		l->agno = l->hits[i].agno;
		if (!xfs_fs_ag_btree(fs, XFS_AGNO(l->agno), XFS_BTREE_RMAP, &bt))
			error = xfs_btree_verify(&bt, &v);
	}
	xfs_fs_close(fs);
	return error;
}

int repair_list_hits(struct repair *r, const struct xfs_dev *watch, struct repair_hit **hits, size_t *n)
{
	struct listing l = { .r = r, .block = r->geo.blocksize ? malloc(r->geo.blocksize) : NULL };
	int error = repair_watch_each(watch, hit_range, &l);

	if (!error && l.n && r->geo.rmapbt)
		error = find_owners(&l);
	free(l.block);
	if (error) {
		free(l.hits);
		return error;
	}
	*hits = l.hits;
	*n = l.n;
	return 0;
}
