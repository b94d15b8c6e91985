/* SPDX-License-Identifier: BSD-2-Clause */
/* filemap.c - takes the blocks of a new fork, writes what is in them, maps them. */
#include "libxfs/build/filemap.h"

#include "libxfs/base/sort.h"
#include "libxfs/build/treewrite.h"
#include "libxfs/ondisk/attr.h"
#include "libxfs/ondisk/blocktypes.h"

#include <stdlib.h>

static uint64_t fork_flag(const struct xfs_filemap *m)
{
	return m->which == XFS_FORK_ATTR ? XFS_RMAP_ATTR : 0;
}

static void give_back(const struct xfs_build_target *to, uint64_t fsbno, uint64_t len)
{
	if (to->unalloc)
		to->unalloc(to->payload, fsbno, len);
}

static int map_run(struct xfs_filemap *m, uint64_t off, uint64_t fsbno, uint64_t len)
{
	uint32_t before = m->n ? m->extents[m->n - 1].len : 0;
	size_t n = m->n;
	int err = xfs_build_fork_extents(&m->extents, &m->n, &m->room, off, fsbno, len, false);

	if (!err)
		return 0;
	m->n = n;
	if (n)
		m->extents[n - 1].len = before;
	return err;
}

int xfs_filemap_take(struct xfs_filemap *m, uint64_t off, uint64_t len)
{
	const struct xfs_build_target *to = m->to;

	while (len) {
		uint64_t fsbno, got = 0;
		int err = to->alloc(to->payload, off | fork_flag(m), len, &fsbno, &got);

		if (err)
			return err;
		if (!got || got > len || !xfs_fsbno_range_valid(to->geo, fsbno, got))
			return -XFS_E_INVALID;
		err = map_run(m, off, fsbno, got);
		if (err) {
			give_back(to, fsbno, got);
			return err;
		}
		m->blocks += got;
		off += got;
		len -= got;
	}
	return 0;
}

void xfs_filemap_end(struct xfs_filemap *m, bool failed)
{
	while (failed && m->n) {
		const struct xfs_extent *e = &m->extents[--m->n];

		give_back(m->to, e->block, e->len);
	}
	free(m->extents);
	m->extents = NULL;
	m->n = m->room = 0;
}

/* ---- contents ---- */

struct writing {
	const struct xfs_filemap *m;
	const struct xfs_filemap_content *c;
	struct xfs_batch batch;
	uint8_t *block;
	uint32_t size;
};

/* Values of attributes are not logged: their LSN says so, and is there already. */
static void stamp(const struct writing *w, uint64_t fsbno)
{
	const struct xfs_build_target *to = w->m->to;
	const struct xfs_geometry *g = to->geo;
	const struct xfs_blockform *f = g->v5 ? xfs_blockform_of(w->c->type, true, w->block, w->size) : NULL;

	if (!f)
		return;
	memcpy(w->block + f->uuid, g->uuid, 16);
	xfs_put_be64(w->block + f->blkno, xfs_fsbno_daddr(g, XFS_FSBNO(fsbno)).v);
	xfs_put_be64(w->block + f->owner, to->ino);
	if (f->magic5 != XFS_ATTR_REMOTE_MAGIC)
		xfs_put_be64(w->block + f->lsn, to->lsn);
	xfs_blockform_seal(f, true, w->block, w->size);
}

/* The block at `off`, whose first piece is in extent i. */
static int put_pieces(struct writing *w, uint64_t off, size_t i)
{
	const struct xfs_geometry *g = w->m->to->geo;
	unsigned done = 0;
	int err = 0;

	while (done < w->c->fsbs && !err) {
		const struct xfs_extent *e = &w->m->extents[i++];
		uint64_t skip = off + done - e->off, n = xfs_min(e->len - skip, w->c->fsbs - done);

		err = xfs_batch_put(&w->batch, xfs_fsbno_byte(g, XFS_FSBNO(e->block + skip)),
				    w->block + ((size_t)done << g->blocklog), (size_t)n << g->blocklog);
		done += (unsigned)n;
	}
	return err;
}

/* All blocks that begin in extent i. */
static int write_extent(struct writing *w, size_t i)
{
	const struct xfs_extent *e = &w->m->extents[i];
	int err = 0;

	for (uint64_t off = xfs_round_up(e->off, w->c->fsbs); off < e->off + e->len && !err; off += w->c->fsbs) {
		memset(w->block, 0, w->size);
		w->c->make(w->c->payload, off, w->block);
		stamp(w, e->block + (off - e->off));
		err = put_pieces(w, off, i);
	}
	return err;
}

int xfs_filemap_write(struct xfs_filemap *m, const struct xfs_filemap_content *c)
{
	static const struct xfs_sort_spec by_place = { .size = 16, .words = 1, .word_off = { 0 } };
	struct writing w = { .m = m, .c = c, .size = c->fsbs << m->to->geo->blocklog };
	struct place { uint64_t fsbno, extent; } *order;
	int err = xfs_batch_init(&w.batch, m->to->dev, m->blocks << m->to->geo->blocklog);

	if (err)
		return err;
	err = -XFS_E_NOMEM;
	w.block = malloc(w.size);
	order = calloc(m->n + 1, sizeof(*order));
	if (!w.block || !order)
		goto out;
	for (size_t i = 0; i < m->n; i++)
		order[i] = (struct place){ m->extents[i].block, i };
	err = xfs_sort(&by_place, order, m->n);
	for (size_t i = 0; i < m->n && !err; i++)
		err = write_extent(&w, (size_t)order[i].extent);
	if (!err)
		err = xfs_batch_flush(&w.batch);
out:
	free(order);
	free(w.block);
	xfs_batch_release(&w.batch);
	return err;
}

/* ---- the fork ---- */

static int tree_block(void *payload, uint64_t *fsbno)
{
	struct xfs_filemap *m = payload;
	uint64_t got = 0;
	int err = m->to->alloc(m->to->payload, XFS_RMAP_BMBT | fork_flag(m), 1, fsbno, &got);

	return err ? err : got == 1 ? 0 : -XFS_E_INVALID;
}

static void untree_block(void *payload, uint64_t fsbno)
{
	struct xfs_filemap *m = payload;

	give_back(m->to, fsbno, 1);
}

int xfs_filemap_finish(struct xfs_filemap *m, uint32_t forksize, uint8_t *bytes, struct xfs_built *out)
{
	struct xfs_build_fork b = {
		.geo = m->to->geo, .ino = m->to->ino, .which = m->which, .forksize = forksize, .extents = m->extents,
		.nextents = m->n, .lsn = m->to->lsn, .dev = m->to->dev, .alloc = tree_block, .unalloc = untree_block,
		.payload = m, .bytes = bytes,
	};
	int err = xfs_build_fork(&b);

	if (!err)
		*out = (struct xfs_built){ b.format, m->n, m->blocks + b.blocks };
	return err;
}
