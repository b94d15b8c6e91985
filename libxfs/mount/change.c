/* SPDX-License-Identifier: BSD-2-Clause */
/* change.c - a set of metadata buffers that change together. */
#include "libxfs/mount/change.h"

#include "libxfs/base/bytes.h"
#include "libxfs/base/grow.h"
#include "libxfs/mount/blocks.h"

#include <stdlib.h>
#include <string.h>

int xfs_change_init(struct xfs_change *c, struct xfs_fs *fs)
{
	memset(c, 0, sizeof(*c));
	c->fs = fs;
	c->last = &c->bufs;
	return fs->dev.data->readonly ? -XFS_E_READONLY : 0;
}

void xfs_change_release(struct xfs_change *c)
{
	struct xfs_change_buf *e;

	if (c->last)
		xfs_change_abort(c);
	while ((e = c->spares)) {
		c->spares = e->next;
		free(e->before);
		free(e);
	}
	free(c->notes);
	c->notes = NULL;
	c->notes_room = 0;
}

/* An entry with room for the contents of a buffer of `len` bytes. */
static struct xfs_change_buf *entry_new(struct xfs_change *c, uint32_t len)
{
	struct xfs_change_buf *e = c->spares;

	if (e)
		c->spares = e->next;
	else
		e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	if (e->room < len) {
		free(e->before);
		e->before = malloc(len);
		e->room = e->before ? len : 0;
	}
	if (!e->before) {
		e->next = c->spares;
		c->spares = e;
		return NULL;
	}
	return e;
}

int xfs_change_join(struct xfs_change *c, struct xfs_buf *b, const struct xfs_buf_type *type)
{
	struct xfs_change_buf *e = b->joined;

	if (e) {
		if (e->change != c)
			return -XFS_E_BUSY;
		e->type = type;
		return 0;
	}
	e = entry_new(c, b->len);
	if (!e)
		return -XFS_E_NOMEM;
	e->change = c;
	e->buf = b;
	e->type = type;
	e->fresh = e->changed = e->stale = e->ordered = false;
	memset(e->ranges, 0, sizeof(e->ranges));
	memcpy(e->before, b->data, b->len);
	xfs_buf_hold(b);
	b->joined = e;
	e->next = NULL;
	*c->last = e;
	c->last = &e->next;
	return 0;
}

int xfs_change_get(struct xfs_change *c, uint64_t daddr, uint32_t bbs, const struct xfs_buf_type *type,
		   struct xfs_buf **out)
{
	int err = xfs_buf_get1(c->fs->cache, daddr, bbs, type, 0, out);

	if (err)
		return err;
	err = xfs_change_join(c, *out, type);
	xfs_buf_put(*out);
	return err;
}

int xfs_change_get_new(struct xfs_change *c, uint64_t daddr, uint32_t bbs, const struct xfs_buf_type *type,
		       struct xfs_buf **out)
{
	bool joined;
	int err = xfs_buf_get1(c->fs->cache, daddr, bbs, NULL, XFS_BUF_NEW, out);

	if (err)
		return err;
	joined = (*out)->joined != NULL;
	err = xfs_change_join(c, *out, type);
	if (!err) {
		struct xfs_change_buf *e = (*out)->joined;

		if (!joined)
			e->fresh = true;
		e->stale = false;
		xfs_buf_trust(*out, type);
		xfs_change_dirty(*out, 0, (*out)->len);
	}
	xfs_buf_put(*out);
	return err;
}

void xfs_change_dirty(struct xfs_buf *b, uint32_t off, uint32_t len)
{
	struct xfs_change_buf *e = b->joined;

	if (!len)
		return;
	e->changed = true;
	e->change->writes++;
	for (uint32_t k = off / XFS_CHANGE_CHUNK; k <= (off + len - 1) / XFS_CHANGE_CHUNK; k++)
		e->ranges[k / 64] |= UINT64_C(1) << k % 64;
}

void xfs_change_order(struct xfs_buf *b)
{
	b->joined->ordered = true;
}

/* ---- notes ---- */

static int note(struct xfs_change *c, const struct xfs_change_note *n)
{
	if (!c->logged)
		return 0;
	if (xfs_grow(&c->notes, c->nnotes, &c->notes_room, 32))
		return -XFS_E_NOMEM;
	c->notes[c->nnotes++] = *n;
	c->writes++;
	return 0;
}

int xfs_change_icreate(struct xfs_change *c, xfs_agno_t agno, uint32_t agbno, uint32_t blocks, uint32_t gen)
{
	const struct xfs_geometry *g = &c->fs->geo;
	struct xfs_change_note n = {
		XFS_NOTE_ICREATE, xfs_agbno_daddr(g, agno, XFS_AGBNO(agbno)).v, blocks, blocks << g->inopblog, gen,
	};

	return note(c, &n);
}

int xfs_change_freed(struct xfs_change *c, uint64_t fsblock, uint32_t blocks)
{
	struct xfs_change_note n = { XFS_NOTE_FREED, fsblock, blocks, 0, 0 };

	return note(c, &n);
}

/* The buffer, if somebody has it, is not written any more. */
static int forget(struct xfs_change *c, uint64_t daddr, uint32_t bbs)
{
	struct xfs_buf *b;
	int err = xfs_buf_get1(c->fs->cache, daddr, bbs, NULL, XFS_BUF_CACHED, &b);

	if (err)	/* nobody has it: nothing will be written */
		return err == -XFS_E_NOENT ? 0 : err;
	err = xfs_change_join(c, b, b->joined ? b->joined->type : b->type);
	if (!err)
		b->joined->stale = true;
	xfs_buf_put(b);
	return err;
}

int xfs_change_forget(struct xfs_change *c, uint64_t daddr, uint32_t bbs)
{
	struct xfs_change_note n = { XFS_NOTE_CANCEL, daddr, bbs, 0, 0 };
	int err = forget(c, daddr, bbs);

	return err ? err : note(c, &n);
}

int xfs_change_iremove(struct xfs_change *c, xfs_agno_t agno, uint32_t agbno, uint32_t blocks)
{
	const struct xfs_geometry *g = &c->fs->geo;
	uint64_t daddr = xfs_agbno_daddr(g, agno, XFS_AGBNO(agbno)).v;
	uint32_t bbs = g->blocksize / XFS_BBSIZE;
	int err = 0;

	for (uint32_t i = 0; i < blocks && !err; i++)
		err = forget(c, daddr + (uint64_t)i * bbs, bbs);
	for (uint32_t i = 0; i < blocks && !err; i += g->blocks_per_cluster) {
		struct xfs_change_note n = {
			XFS_NOTE_CANCEL, daddr + (uint64_t)i * bbs, xfs_min(blocks - i, g->blocks_per_cluster) * bbs, 0,
			0,
		};

		err = note(c, &n);
	}
	return err;
}

void xfs_change_add_member(struct xfs_change *c, struct xfs_change_member *m)
{
	m->next = c->members;
	c->members = m;
}

int xfs_change_check(struct xfs_change *c, uint64_t writes, int err)
{
	if (err && c->writes != writes && !c->error)
		c->error = err;
	return err;
}

void xfs_change_prepare(struct xfs_change *c)
{
	for (struct xfs_change_member *m = c->members; m; m = m->next)
		m->prepare(m);
}

/* Members learn how it ended, while buffers are still held; then all are let go. */
static void end(struct xfs_change *c, bool committed)
{
	struct xfs_change_member *m;
	struct xfs_change_buf *e;

	while ((m = c->members)) {
		c->members = m->next;
		m->ended(m, committed);
	}
	while ((e = c->bufs)) {
		c->bufs = e->next;
		e->buf->joined = NULL;
		xfs_buf_put(e->buf);
		e->buf = NULL;
		e->next = c->spares;
		c->spares = e;
	}
	c->last = &c->bufs;
	c->fdblocks = c->icount = c->ifree = 0;
	c->nnotes = 0;
	c->error = 0;
}

static void count(struct xfs_change *c)
{
	struct xfs_sb *sb = &c->fs->geo.sb;

	if (!c->fdblocks && !c->icount && !c->ifree)
		return;
	pthread_mutex_lock(&c->fs->lock);
	sb->fdblocks += (uint64_t)c->fdblocks;
	sb->icount += (uint64_t)c->icount;
	sb->ifree += (uint64_t)c->ifree;
	pthread_mutex_unlock(&c->fs->lock);
}

/* Hands what has changed to the cache; fails on read-only devices alone: see init. */
static void hand_over(struct xfs_change_buf *e)
{
	if (e->stale)
		xfs_buf_cancel(e->buf);
	else if (e->changed)
		xfs_buf_dirty(e->buf, e->type);
}

void xfs_change_roll(struct xfs_change *c)
{
	xfs_change_prepare(c);
	for (struct xfs_change_buf *e = c->bufs; e; e = e->next) {
		hand_over(e);
		if (e->changed)
			memcpy(e->before, e->buf->data, e->buf->len);
		memset(e->ranges, 0, sizeof(e->ranges));
		e->changed = e->fresh = e->ordered = false;
	}
	c->nnotes = 0;
}

int xfs_change_commit(struct xfs_change *c)
{
	int err = c->error;

	if (err) {
		xfs_change_abort(c);
		return err;
	}
	xfs_change_prepare(c);
	for (struct xfs_change_buf *e = c->bufs; e; e = e->next)
		hand_over(e);
	count(c);
	end(c, true);
	return 0;
}

void xfs_change_abort(struct xfs_change *c)
{
	for (struct xfs_change_buf *e = c->bufs; e; e = e->next) {
		if (e->fresh)
			xfs_buf_cancel(e->buf);
		else if (e->changed)
			memcpy(e->buf->data, e->before, e->buf->len);
	}
	end(c, false);
}

int xfs_change_sb_bits(struct xfs_change *c, uint32_t off, uint16_t clear, uint16_t set)
{
	const struct xfs_buf_type *type = xfs_block_type(XFS_BLK_SB);
	uint16_t was, bits;
	struct xfs_buf *b;
	int err = xfs_buf_get1(c->fs->cache, 0, c->fs->geo.sectsize / XFS_BBSIZE, type, 0, &b);

	if (err)
		return err;
	was = xfs_be16(b->data + off);
	bits = (uint16_t)((was & ~clear) | set);
	if (bits != was) {
		err = xfs_change_join(c, b, type);
		if (!err) {
			xfs_put_be16(b->data + off, bits);
			xfs_change_dirty(b, off, sizeof(bits));
		}
	}
	xfs_buf_put(b);
	return err;
}

int xfs_change_sync(struct xfs_fs *fs)
{
	const struct xfs_sb *sb = &fs->geo.sb;
	struct xfs_sb_disk *d;
	struct xfs_buf *b;
	int err = xfs_buf_get1(fs->cache, 0, fs->geo.sectsize / XFS_BBSIZE, xfs_block_type(XFS_BLK_SB), 0, &b);

	if (err)
		return err;
	d = (void *)b->data;
	if (xfs_sb_get_fdblocks(d) != sb->fdblocks || xfs_sb_get_icount(d) != sb->icount ||
	    xfs_sb_get_ifree(d) != sb->ifree) {
		err = xfs_buf_dirty(b, xfs_block_type(XFS_BLK_SB));
		if (!err) {
			xfs_sb_set_fdblocks(d, sb->fdblocks);
			xfs_sb_set_icount(d, sb->icount);
			xfs_sb_set_ifree(d, sb->ifree);
		}
	}
	xfs_buf_put(b);
	if (!err)
		err = xfs_buf_flush(fs->cache);
	return err ? err : xfs_dev_barrier(fs->dev.data);
}
