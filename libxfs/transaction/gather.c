/* SPDX-License-Identifier: BSD-2-Clause */
/* gather.c - committed changes, buffer by buffer, until the next checkpoint. */
#include "libxfs/transaction/journal.h"

#include "libxfs/base/grow.h"
#include "libxfs/mount/blocks.h"
#include "libxfs/ondisk/inode.h"

#include <stdlib.h>

#define UNLINKED_OFF ((uint32_t)XFS_OFF(dinode_core, next_unlinked))

/* ---- by address ---- */

static uint32_t *slot_of(const struct xfs_journal *j, uint64_t daddr)
{
	return &j->slots[xfs_mix(&j->mix, daddr) & (j->nslots - 1)];
}

static struct xfs_logged *find(const struct xfs_journal *j, uint64_t daddr, uint32_t bbs)
{
	uint32_t k = j->nslots ? *slot_of(j, daddr) : XFS_NULL32;

	while (k != XFS_NULL32 && (j->v[k].daddr != daddr || j->v[k].bbs != bbs))
		k = j->v[k].next;
	return k == XFS_NULL32 ? NULL : &j->v[k];
}

/* There is room: see xfs_journal_room(). */
static struct xfs_logged *obtain(struct xfs_journal *j, uint64_t daddr, uint32_t bbs)
{
	struct xfs_logged *l = find(j, daddr, bbs);
	uint32_t *slot;

	if (l)
		return l;
	slot = slot_of(j, daddr);
	l = &j->v[j->n];
	*l = (struct xfs_logged){ .daddr = daddr, .bbs = bbs, .next = *slot };
	*slot = j->n++;
	return l;
}

static int grow_table(struct xfs_journal *j, size_t need)
{
	size_t same = j->room, nslots = 256;
	uint32_t *slots;
	int err;

	if (need > UINT32_MAX / 4)
		return -XFS_E_NOMEM;
	err = xfs_grow_to(&j->listed, &same, need, sizeof(*j->listed));
	if (!err)
		err = xfs_grow_to(&j->v, &j->room, need, sizeof(*j->v));
	if (err || j->nslots >= j->room)
		return err;
	while (nslots < j->room)
		nslots *= 2;
	slots = malloc(nslots * sizeof(*slots));
	if (!slots)
		return -XFS_E_NOMEM;
	xfs_mix_init(&j->mix);
	free(j->slots);
	j->slots = slots;
	j->nslots = (uint32_t)nslots;
	memset(slots, 0xff, nslots * sizeof(*slots));
	for (uint32_t k = 0; k < j->n; k++) {
		uint32_t *slot = slot_of(j, j->v[k].daddr);

		j->v[k].next = *slot;
		*slot = k;
	}
	return 0;
}

int xfs_journal_room(struct xfs_journal *j, const struct xfs_change *c)
{
	size_t bufs = 0, cancels = 0, icreates = 0, freed = 0;
	int err;

	for (const struct xfs_change_buf *e = c->bufs; e; e = e->next)
		bufs++;
	for (size_t i = 0; i < c->nnotes; i++) {
		cancels += c->notes[i].kind == XFS_NOTE_CANCEL;
		icreates += c->notes[i].kind == XFS_NOTE_ICREATE;
		freed += c->notes[i].kind == XFS_NOTE_FREED;
	}
	err = grow_table(j, j->n + bufs + cancels);
	if (!err)
		err = xfs_grow_to(&j->icreates, &j->icreates_room, j->nicreates + icreates, sizeof(*j->icreates));
	if (!err)
		err = xfs_grow_to(&j->freed, &j->freed_room, j->nfreed + freed, sizeof(*j->freed));
	return err;
}

uint64_t xfs_journal_measure(const struct xfs_change *c)
{
	uint64_t bytes = 256;

	for (const struct xfs_change_buf *e = c->bufs; e; e = e->next)
		if (e->changed && !e->stale)
			bytes += 2 * (uint64_t)e->buf->len + 512;
	return bytes + 128 * c->nnotes;
}

/* ---- the next checkpoint ---- */

static void list(struct xfs_journal *j, struct xfs_logged *l, uint64_t bytes)
{
	if (l->listed)
		return;
	l->listed = true;
	j->listed[j->nlisted++] = (uint32_t)(l - j->v);
	j->estimate += bytes;
}

static void let_go(struct xfs_logged *l)
{
	xfs_buf_put(l->buf);
	l->buf = NULL;
	l->image = l->inodes = l->ordered = false;
	memset(l->ranges, 0, sizeof(l->ranges));
	memset(l->cores, 0, sizeof(l->cores));
	memset(l->links, 0, sizeof(l->links));
}

static void hold(struct xfs_logged *l, const struct xfs_change_buf *e)
{
	if (l->buf != e->buf) {
		xfs_buf_put(l->buf);
		xfs_buf_hold(e->buf);
		l->buf = e->buf;
	}
	l->type = e->type;
}

/* What is cancelled is dropped; what is made in place of something that was cancelled is no longer. */
static void gather_note(struct xfs_journal *j, const struct xfs_change_note *n)
{
	const struct xfs_geometry *g = &j->edit->fs->geo;
	uint32_t bbs = g->blocksize / XFS_BBSIZE;
	struct xfs_logged *l;

	switch (n->kind) {
	case XFS_NOTE_CANCEL:
		l = obtain(j, n->at, n->len);
		let_go(l);
		l->cancel = true;
		list(j, l, 128);
		break;
	case XFS_NOTE_FREED:
		j->freed[j->nfreed++] = *n;
		break;
	case XFS_NOTE_ICREATE:
		j->icreates[j->nicreates++] = *n;
		j->estimate += 128 * ((uint64_t)n->len / g->ialloc_min_blks + 1);
		for (uint32_t i = 0; i < n->len; i += g->blocks_per_cluster) {
			l = find(j, n->at + (uint64_t)i * bbs,
				 (uint32_t)xfs_min(n->len - i, g->blocks_per_cluster) * bbs);
			if (l)
				l->cancel = false;
		}
	}
}

/* ---- inodes ---- */

/* The generation that an ICREATE of this change gives to the inodes of a block. */
static bool is_new(const struct xfs_change *c, uint64_t daddr, uint32_t *gen)
{
	uint32_t bbs = c->fs->geo.blocksize / XFS_BBSIZE;

	for (size_t i = c->nnotes; i-- > 0;)
		if (c->notes[i].kind == XFS_NOTE_ICREATE && daddr >= c->notes[i].at &&
		    daddr < c->notes[i].at + (uint64_t)c->notes[i].len * bbs) {
			*gen = c->notes[i].gen;
			return true;
		}
	return false;
}

/* An inode as replay of an ICREATE leaves it. */
static void new_inode(const struct xfs_geometry *g, uint8_t *raw, uint64_t byte, uint32_t gen)
{
	struct xfs_dinode d = { .core = { .magic = XFS_DINODE_MAGIC, .version = 3, .gen = gen,
					  .next_unlinked = XFS_NULL32 } };
	xfs_agno_t agno;
	xfs_agbno_t agbno;

	xfs_daddr_ag(g, XFS_DADDR(byte / XFS_BBSIZE), &agno, &agbno);
	d.v3.inumber = xfs_ino_of(g, agno, XFS_AGINO((agbno.v << g->inopblog) +
						     (uint32_t)(byte % g->blocksize) / g->inodesize)).v;
	memcpy(d.v3.uuid, g->uuid, sizeof(d.v3.uuid));
	memset(raw, 0, g->inodesize);
	xfs_dinode_encode(raw, &d);
}

/*
 * Compares one inode with what it was; checksums do not count, and the link to the next unlinked one is a thing apart.
 */
static void compare(struct xfs_logged *l, unsigned k, const uint8_t *a, const uint8_t *b, uint32_t size)
{
	const uint32_t behind = UNLINKED_OFF + 8;

	if (memcmp(a, b, UNLINKED_OFF) || memcmp(a + behind, b + behind, size - behind))
		l->cores[k / 64] |= UINT64_C(1) << k % 64;
	if (memcmp(a + UNLINKED_OFF, b + UNLINKED_OFF, 4))
		l->links[k / 64] |= UINT64_C(1) << k % 64;
}

static void gather_inodes(struct xfs_journal *j, const struct xfs_change *c, const struct xfs_change_buf *e)
{
	const struct xfs_geometry *g = &j->edit->fs->geo;
	uint64_t daddr = e->buf->extents[0].daddr;
	struct xfs_logged *l = obtain(j, daddr, e->buf->len / XFS_BBSIZE);
	uint8_t raw[XFS_DINODE_MAX_SIZE];
	uint32_t gen, each = g->inodesize / XFS_CHANGE_CHUNK;
	bool new = is_new(c, daddr, &gen);

	if (l->image || l->ordered)
		let_go(l);
	hold(l, e);
	l->inodes = true;
	for (unsigned k = 0; k < e->buf->len / g->inodesize; k++) {
		const uint8_t *now = e->buf->data + (size_t)k * g->inodesize,
			       *was = e->before + (size_t)k * g->inodesize;
		bool touched = false;

		for (uint32_t chunk = k * each; chunk < (k + 1) * each; chunk++)
			touched = touched || (e->ranges[chunk / 64] >> chunk % 64 & 1);
		if (!touched)
			continue;
		if (new) {
			new_inode(g, raw, daddr * XFS_BBSIZE + (uint64_t)k * g->inodesize, gen);
			was = raw;
		}
		compare(l, k, was, now, g->inodesize);
	}
	if (g->blocks_per_cluster == 1)
		l->cancel = false;
	list(j, l, 2 * (uint64_t)e->buf->len + 512);
}

/* ---- all of a change ---- */

static uint32_t bbs_of(const struct xfs_buf *b)
{
	return b->len / XFS_BBSIZE;
}

/* Are blocks of this buffer among what became free since the last checkpoint? Then they must not be written yet. */
static bool was_freed(const struct xfs_journal *j, const struct xfs_buf *b)
{
	const struct xfs_geometry *g = &j->edit->fs->geo;
	uint32_t bbs = g->blocksize / XFS_BBSIZE;

	for (size_t i = 0; i < j->nfreed; i++) {
		uint64_t start = xfs_fsbno_daddr(g, XFS_FSBNO(j->freed[i].at)).v;

		if (b->extents[0].daddr < start + (uint64_t)j->freed[i].len * bbs &&
		    start < b->extents[0].daddr + bbs_of(b))
			return true;
	}
	return false;
}

static void gather_buf(struct xfs_journal *j, const struct xfs_change_buf *e)
{
	struct xfs_logged *l = obtain(j, e->buf->extents[0].daddr, bbs_of(e->buf));

	if (l->inodes)
		let_go(l);
	hold(l, e);
	l->cancel = false;
	if (e->ordered && !l->image && !was_freed(j, e->buf)) {
		l->ordered = true;
	} else {
		l->ordered = false;
		l->image = true;
	}
	for (unsigned i = 0; i < XFS_CHUNK_WORDS; i++)
		l->ranges[i] |= e->ranges[i];
	list(j, l, (uint64_t)e->buf->len + 512);
}

void xfs_journal_gather(struct xfs_journal *j, struct xfs_change *c)
{
	for (size_t i = 0; i < c->nnotes; i++)
		gather_note(j, &c->notes[i]);
	for (const struct xfs_change_buf *e = c->bufs; e; e = e->next) {
		struct xfs_logged *l;

		if (e->stale) {
			l = find(j, e->buf->extents[0].daddr, bbs_of(e->buf));
			if (l)
				let_go(l);
		} else if (e->changed && e->type == xfs_block_type(XFS_BLK_INODES)) {
			gather_inodes(j, c, e);
		} else if (e->changed) {
			gather_buf(j, e);
		}
	}
}

void xfs_journal_written(struct xfs_journal *j)
{
	for (uint32_t i = 0; i < j->nlisted; i++) {
		struct xfs_logged *l = &j->v[j->listed[i]];

		if (l->image)
			l->imaged = true;
		else if (l->cancel || l->ordered)
			l->imaged = false;
		let_go(l);
		l->listed = l->cancel = false;
	}
	j->nlisted = 0;
	j->nicreates = j->nfreed = 0;
	j->estimate = 0;
}

void xfs_journal_forget(struct xfs_journal *j)
{
	j->n = 0;
	if (j->nslots)
		memset(j->slots, 0xff, j->nslots * sizeof(*j->slots));
}
