/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names_new.c - inodes that names need or give up: a root directory where there is none, lost+found, deleted files.
 *
 * A new inode takes a free one of the lowest chunk; when none is free, a chunk is made in free space.  Its 64 inodes
 * are written with the new blocks, before anything points to them.
 */
#include "repair/names.h"
#include "repair/space.h"

#include "repair/evidence.h"
#include "repair/forks.h"
#include "repair/rebuild.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BIGTIME_1970 (XFS_BIGTIME_EPOCH * XFS_NSEC_PER_SEC)

/* A core as of a new, empty directory; times as in `like`, or the first day of 1970. */
void names_new_core(struct names *n, uint64_t ino, unsigned mode, const struct xfs_dinode *like, struct xfs_dinode *d)
{
	const struct xfs_geometry *g = &n->r->geo;
	uint64_t now = g->bigtime ? BIGTIME_1970 : 0;

	*d = (struct xfs_dinode){ .core = {
		.magic = XFS_DINODE_MAGIC, .mode = (uint16_t)mode, .version = g->v5 ? 3 : 2,
		.format = XFS_DINODE_FMT_LOCAL, .aformat = XFS_DINODE_FMT_EXTENTS, .nlinkv2 = 2,
		.next_unlinked = XFS_NULL32, .gen = (uint32_t)ino + 1, .size = xfs_dir_sf_hdr_len(false),
		.atime = now, .mtime = now, .ctime = now,
	} };
	if (g->v5) {
		d->v3.inumber = ino;
		memcpy(d->v3.uuid, g->uuid, sizeof(d->v3.uuid));
		d->v3.crtime = now;
		d->v3.flags2 = (g->bigtime ? XFS_DIFLAG2_BIGTIME : 0) | (g->nrext64 ? XFS_DIFLAG2_NREXT64 : 0);
	}
	if (!like || xfs_dinode_has_bigtime(like) != xfs_dinode_has_bigtime(d))
		return;
	d->core.atime = like->core.atime;
	d->core.mtime = d->core.ctime = like->core.mtime;
	if (g->v5)
		d->v3.crtime = like->core.mtime;
}

/* The inode, whose image is in the list of changes, is a directory from now on. */
int names_become_dir(struct names *n, uint64_t ino, const struct xfs_dinode *d, uint64_t said)
{
	struct names_dir dir = { .ino = ino, .said = said, .parent = XFS_NULL64, .entry = NAMES_NONE,
				 .gen = d->core.gen, .bad = true, .dirty = true };
	struct repair_fact *f = repair_fact_of(n->r, ino);

	f->used = true;
	f->ftype = XFS_DIR_FT_DIR;
	f->nlink = xfs_dinode_nlink(d);
	f->links = 0;
	return names_add_dir(n, &dir);
}

/* ---- a free inode ---- */

/* It is free from this run on, and what it had is given up under its number. */
static bool is_being_freed(struct repair *r, uint64_t ino)
{
	const struct repair_inode *c = repair_find_changed(r, ino);

	return c && c->made_free && !c->new_chunk;
}

static bool take_free(struct names *n, uint64_t *ino)
{
	struct repair *r = n->r;

	for (uint32_t agno = 0; agno < r->geo.agcount; agno++)
		for (size_t i = 0; i < r->ags[agno].nchunks; i++) {
			struct xfs_inode_chunk *c = &r->ags[agno].chunks[i];

			for (unsigned k = 0; k < XFS_INODES_PER_CHUNK; k++) {
				if (!(c->free >> k & 1) || c->holemask >> (k / 4) & 1)
					continue;
				*ino = xfs_ino_of(&r->geo, r->ags[agno].agno, XFS_AGINO(c->startino + k)).v;
				if (is_being_freed(r, *ino))
					continue;
				repair_flip_free(&r->ags[agno], c, k);
				return true;
			}
		}
	return false;
}

static int insert_chunk(struct repair_ag *ag, const struct xfs_inode_chunk *c)
{
	struct xfs_inode_chunk *chunks = malloc((ag->nchunks + 1) * sizeof(*chunks));
	struct repair_fact *facts = calloc((ag->nchunks + 1) * XFS_INODES_PER_CHUNK, sizeof(*facts));
	const size_t per = XFS_INODES_PER_CHUNK;
	size_t at = 0;

	if (!chunks || !facts) {
		free(chunks);
		free(facts);
		return -XFS_E_NOMEM;
	}
	while (at < ag->nchunks && ag->chunks[at].startino < c->startino)
		at++;
	if (at) {
		memcpy(chunks, ag->chunks, at * sizeof(*chunks));
		memcpy(facts, ag->facts, at * per * sizeof(*facts));
	}
	chunks[at] = *c;
	if (at < ag->nchunks) {
		memcpy(chunks + at + 1, ag->chunks + at, (ag->nchunks - at) * sizeof(*chunks));
		memcpy(facts + (at + 1) * per, ag->facts + at * per, (ag->nchunks - at) * per * sizeof(*facts));
	}
	free(ag->chunks);
	free(ag->facts);
	ag->chunks = chunks;
	ag->facts = facts;
	ag->chunk_room = ++ag->nchunks;
	ag->chunks_changed = true;
	ag->reasons |= REPAIR_TREE | REPAIR_INODES;
	return 0;
}

struct place {
	const struct repair_ag *ag;
	unsigned inopblog;
	uint32_t blocks, align, at;
};

/* A free run with room for a chunk that is aligned, where no chunk was made before. */
static int find_place(void *payload, uint32_t agbno, uint32_t len, uint32_t refs)
{
	struct place *p = payload;
	uint32_t end = agbno + len;

	(void)refs;
	for (uint64_t at = xfs_round_up(agbno, p->align); at + p->blocks <= end; at += p->align) {
		if (repair_chunk_of(p->ag, (uint32_t)at << p->inopblog, NULL))
			continue;
		p->at = (uint32_t)at;
		return -XFS_E_STOP;
	}
	return 0;
}

/* Free inodes for a chunk in free space of the AG; *made false: it has no room for one. */
static int make_chunk(struct names *n, struct repair_ag *ag, bool *made)
{
	const struct xfs_geometry *g = &n->r->geo;
	struct place p = { .ag = ag, .inopblog = g->inopblog,
			   .blocks = (uint32_t)xfs_max(1, (uint64_t)XFS_INODES_PER_CHUNK >> g->inopblog) };
	struct xfs_inode_chunk c = { .count = XFS_INODES_PER_CHUNK, .freecount = XFS_INODES_PER_CHUNK,
				     .free = UINT64_MAX };
	int error;

	*made = false;
	p.align = (uint32_t)xfs_max(g->cluster_align, p.blocks);
	/* blocks that hold more than a chunk make more of them: such filesystems have room enough elsewhere */
	if (XFS_INODES_PER_CHUNK >> g->inopblog == 0)
		return 0;
	error = repair_each_free(n->r, ag, find_place, &p);
	if (error != -XFS_E_STOP)
		return error == -XFS_E_NOMEM ? error : 0;
	c.startino = p.at << g->inopblog;
	error = insert_chunk(ag, &c);
	*made = !error;
	for (unsigned k = 0; k < XFS_INODES_PER_CHUNK && !error; k++) {
		uint64_t ino = xfs_ino_of(g, ag->agno, XFS_AGINO(c.startino + k)).v;
		struct repair_inode *changed;
		struct xfs_dinode d;

		names_new_core(n, ino, 0, NULL, &d);
		d.core.nlinkv2 = 0;
		d.core.size = 0;
		d.core.format = d.core.aformat = 0;
		d.v3.flags2 = d.v3.crtime = d.core.atime = d.core.mtime = d.core.ctime = 0;
		memset(n->image, 0, g->inodesize);
		xfs_dinode_encode(n->image, &d);
		error = repair_changed_inode(n->r, ino, n->image, &changed);
		if (!error)
			changed->made_free = changed->new_chunk = true;
	}
	return error;
}

int names_new_inode(struct names *n, uint64_t *ino)
{
	bool made = false;
	int error = 0;

	if (take_free(n, ino))
		return 0;
	for (uint32_t agno = 0; agno < n->r->geo.agcount && !made && !error; agno++)
		error = make_chunk(n, &n->r->ags[agno], &made);
	if (error)
		return error;
	return made && take_free(n, ino) ? 0 : -XFS_E_NOSPC;
}

int names_make_lost_found(struct names *n, uint64_t *ino)
{
	static const uint8_t name[] = "lost+found";
	uint64_t root = n->r->primary.rootino;
	struct xfs_dinode like, d;
	struct repair_inode *c;
	uint32_t at;
	bool fresh;
	int error = names_read_inode(n, root, n->image, &like);

	if (!error)
		error = names_new_inode(n, ino);
	if (error)
		return error;
	names_new_core(n, *ino, XFS_MODE_DIR | 0755, &like, &d);
	c = repair_find_changed(n->r, *ino);
	fresh = c && c->new_chunk;
	/* file handles of what was here must not fit */
	if (!fresh && !names_read_inode(n, *ino, n->image, &like))
		d.core.gen = like.core.gen + 1;
	memset(n->image, 0, n->r->geo.inodesize);
	xfs_dinode_encode(n->image, &d);
	error = repair_changed_inode(n->r, *ino, n->image, &c);
	if (error)
		return error;
	memcpy(c->image, n->image, n->r->geo.inodesize);
	c->made_free = false;
	c->last = true;
	error = names_become_dir(n, *ino, &d, XFS_NULL64);
	if (!error)
		error = names_insert(n, root, *ino, name, sizeof(name) - 1, &at);
	if (error)
		return error;
	repair_fact_of(n->r, *ino)->links = 1;
	names_find_dir(n, *ino)->entry = at;
	names_find_dir(n, *ino)->parent = root;
	return 0;
}

/* ---- the root ---- */

struct blocks {
	struct names *n;
	struct repair_ag *ag;
	struct xfs_mapset map, all;
	int error;
};

static int of_root(void *payload, const void *disk)
{
	struct blocks *b = payload;
	struct xfs_claim c = xfs_claim_decode(disk);
	struct xfs_mapping m = { c.offset & XFS_RMAP_OFFMASK, 0, c.len, false, 0 };

	if (b->error || c.owner != b->n->r->primary.rootino ||
	    !xfs_agbno_range_valid(&b->n->r->geo, b->ag->agno, c.agbno, c.len))
		return 0;
	m.fsbno = xfs_fsbno_of(&b->n->r->geo, b->ag->agno, XFS_AGBNO(c.agbno)).v;
	b->ag->reasons |= REPAIR_FORK;
	b->error = xfs_mapset_add(&b->all, &m);
	if (!b->error && !(c.offset & (XFS_RMAP_BMBT | XFS_RMAP_ATTR)))
		b->error = xfs_mapset_add(&b->map, &m);
	return 0;
}

static int find_blocks(struct blocks *b)
{
	struct repair *r = b->n->r;
	int error = 0;

	for (uint32_t agno = 0; agno < r->geo.agcount && r->geo.rmapbt && !error; agno++) {
		struct xfs_btree_verify v = { .record = of_root, .payload = b };
		struct xfs_btree bt;

		b->ag = &r->ags[agno];
		if (!repair_ag_btree(r, b->ag, XFS_BTREE_RMAP, &bt))
			error = xfs_btree_verify(&bt, &v);
	}
	if (!error)
		error = b->error;
	if (!error && xfs_mapset_normalise(&b->map) < 0)
		error = -XFS_E_NOMEM;
	return error;
}

static void forget_lost(struct repair *r, uint64_t ino)
{
	size_t keep = 0;

	for (size_t i = 0; i < r->nlost; i++)
		if (r->lost[i] != ino)
			r->lost[keep++] = r->lost[i];
	r->nlost = keep;
}

/* The inode that stands there is of this place, but no directory: what it has of a core and of blocks counts. */
static int own_core(struct names *n, struct blocks *b, struct xfs_dinode *d, bool *known)
{
	uint64_t root = n->r->primary.rootino;
	uint8_t *image = n->image;
	int error = names_read_inode(n, root, image, d);

	*known = !error && repair_is_inode(n->r, image, root) && d->core.mode;
	if (!*known)
		return error == -XFS_E_NOMEM ? error : 0;
	if (!b->map.n && (d->core.format == XFS_DINODE_FMT_EXTENTS || d->core.format == XFS_DINODE_FMT_BTREE))
		error = names_map(n, root, d, image, XFS_FORK_DATA, &b->map);
	d->core.mode = XFS_MODE_DIR | (d->core.mode & 07777);
	if (!b->map.n && d->core.format != XFS_DINODE_FMT_LOCAL) {
		d->core.format = XFS_DINODE_FMT_LOCAL;
		d->core.size = 0;
	}
	return error;
}

static int make_root(struct names *n, struct blocks *b)
{
	uint64_t root = n->r->primary.rootino, said;
	struct repair_inode *c = NULL;
	struct xfs_dinode d;
	bool known;
	int error = find_blocks(b);

	if (!error)
		error = own_core(n, b, &d, &known);
	if (error)
		return error;
	if (!known) {
		names_new_core(n, root, XFS_MODE_DIR | 0755, NULL, &d);
		d.core.gen = 0;
		memset(n->image, 0, n->r->geo.inodesize);
	}
	xfs_dinode_encode(n->image, &d);
	error = repair_changed_inode(n->r, root, n->image, &c);
	if (error)
		return error;
	memcpy(c->image, n->image, n->r->geo.inodesize);
	if (!known) {
		c->old = b->all;
		b->all = (struct xfs_mapset){ 0 };
	}
	error = names_become_dir(n, root, &d, root);
	return error ? error : names_gather_dir(n, root, &d, c->image, &b->map, &said);
}

int names_root(struct names *n)
{
	uint64_t root = n->r->primary.rootino;
	struct repair_fact *f = repair_fact_of(n->r, root);
	struct repair_ag *ag = &n->r->ags[xfs_ino_agno(&n->r->geo, XFS_INO(root)).v];
	struct blocks b = { .n = n };
	struct xfs_inode_chunk *chunk;
	unsigned index;
	int error;

	if (names_find_dir(n, root) || (f && f->used && f->ftype == XFS_DIR_FT_DIR && !f->touched))
		return 0;
	names_note(n, XFS_F_ROOT_LOST, "directory", root, f != NULL,
		   f ? "the root directory is not there" : "no chunk holds its inode");
	if (!f)
		return 0;
	names_say(n, "reinitializing root directory", "would reinitialize root directory");
	chunk = repair_chunk_of(ag, xfs_ino_agino(&n->r->geo, XFS_INO(root)).v, &index);
	if (chunk->free >> index & 1)
		repair_flip_free(ag, chunk, index);
	forget_lost(n->r, root);
	error = make_root(n, &b);
	xfs_mapset_release(&b.map);
	xfs_mapset_release(&b.all);
	return error;
}

/* ---- deleted files ---- */

int names_free_inode(struct names *n, uint64_t ino, struct repair_fact *f)
{
	struct repair *r = n->r;
	struct repair_ag *ag = &r->ags[xfs_ino_agno(&r->geo, XFS_INO(ino)).v];
	struct xfs_inode_chunk *chunk;
	struct repair_inode *c;
	struct xfs_dinode d, empty;
	unsigned index;
	int error = names_read_inode(n, ino, n->image, &d);

	if (!error)
		error = repair_changed_inode(r, ino, n->image, &c);
	if (!error)
		error = names_give_up(n, c, &d, n->image, XFS_FORK_DATA);
	if (!error)
		error = names_give_up(n, c, &d, n->image, XFS_FORK_ATTR);
	if (error)
		return error;
	names_new_core(n, ino, 0, NULL, &empty);
	empty.core.nlinkv2 = 0;
	empty.core.size = 0;
	empty.core.format = empty.core.aformat = XFS_DINODE_FMT_EXTENTS;
	empty.core.gen = d.core.gen + 1;
	empty.v3.flags2 = 0;
	memset(c->image, 0, r->geo.inodesize);
	xfs_dinode_encode(c->image, &empty);
	c->made_free = true;
	c->fork[0] = c->fork[1] = false;
	chunk = repair_chunk_of(ag, xfs_ino_agino(&r->geo, XFS_INO(ino)).v, &index);
	repair_flip_free(ag, chunk, index);
	f->used = false;
	return 0;
}
