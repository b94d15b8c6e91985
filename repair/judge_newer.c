/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge_newer.c - a fork and its reverse mappings when a log was given up: which of them says what was so later.
 *
 * Every block of the fifth version says as of which LSN it is what it is.  A log that is brought to its places, or was
 * closed, leaves no two blocks that contradict each other for their age, so LSNs say nothing then.  Where changes were
 * lost with it, each side may be true of its own time: the fork changes first, and the reverse mappings follow in later
 * transactions.
 */
#include "repair/judge.h"

#include "libxfs/base/search.h"
#include "libxfs/inode/fork.h"

#include <stdlib.h>

struct leaf {
	uint64_t off;		/* of its first record */
	uint64_t lsn;
};

struct leaves {			/* of one fork; n = 0: its records lie in the inode */
	struct leaf *list;
	size_t n;
	uint64_t core;		/* LSN of the inode */
};

static uint64_t known(uint64_t lsn)
{
	return lsn == XFS_NULL64 ? 0 : lsn;
}

static int by_offset(const void *pa, const void *pb)
{
	const struct leaf *a = pa, *b = pb;

	return a->off < b->off ? -1 : a->off > b->off;
}

static int read_leaves(struct repair *r, const struct repair_fork *f, struct leaves *out)
{
	out->list = f->nown ? malloc(f->nown * sizeof(*out->list)) : NULL;
	if (f->nown && !out->list)
		return -XFS_E_NOMEM;
	for (size_t i = 0; i < f->nown; i++) {
		struct xfs_bmbt_rec rec;
		struct xfs_buf *buf;
		int error = xfs_fs_get_block(r->fs, XFS_FSBNO(f->own[i]), XFS_BLK_BMBT, &buf);

		if (error == -XFS_E_NOMEM)
			return error;
		if (error)
			continue;
		if (!xfs_be16(buf->data + XFS_OFF(btree_long, level))) {
			uint64_t lsn = xfs_be64(buf->data + XFS_OFF(btree_long, lsn));

			xfs_bmbt_rec_decode(&rec, buf->data + XFS_BTREE_LONG_V5);
			out->list[out->n++] = (struct leaf){ rec.startoff, known(lsn) };
		}
		xfs_buf_put(buf);
	}
	if (out->n)
		qsort(out->list, out->n, sizeof(*out->list), by_offset);
	return 0;
}

/* As of when the fork says what is at this offset. */
static uint64_t fork_lsn(const struct leaves *l, uint64_t off)
{
	size_t behind = xfs_search(l->n, i, l->list[i].off <= off);

	return l->n ? l->list[behind ? behind - 1 : 0].lsn : l->core;
}

/*
 * *lsn: as of when the rmapbt says what is at this block: of the leaf where its record is, or would be. 0: not known.
 * Errors: NOMEM.
 */
static int rmap_lsn(struct xfs_btree *bt, uint32_t agbno, uint64_t *lsn)
{
	const struct xfs_btree_key key = { { agbno, UINT64_MAX, UINT64_MAX } };
	struct xfs_btree_cursor c;
	int error;

	*lsn = 0;
	xfs_btree_cursor_init(&c, bt);
	error = xfs_btree_lookup(&c, XFS_LOOKUP_LE, &key);
	if (error == -XFS_E_NOENT)
		error = xfs_btree_first(&c);
	if (!error)
		*lsn = known(xfs_be64(c.lev[0].b.data + XFS_OFF(btree_short, lsn)));
	xfs_btree_cursor_close(&c);
	return error == -XFS_E_NOMEM ? error : 0;
}

/* The fork says so as of later than all that the reverse mappings say of these blocks; *newer stays, or is not so. */
static int check_newer(struct repair *r, const struct leaves *l, const struct xfs_mapset *s, bool *newer)
{
	for (size_t i = 0; i < s->n && *newer; i++) {
		const struct xfs_mapping *m = &s->m[i];
		uint32_t agbno = xfs_fsbno_agbno(&r->geo, XFS_FSBNO(m->fsbno)).v;
		struct xfs_btree bt;
		uint64_t first = 0, last = 0;
		int error = repair_ag_btree(r, repair_ag_of(r, m->fsbno), XFS_BTREE_RMAP, &bt);

		if (!error)
			error = rmap_lsn(&bt, agbno, &first);
		if (!error)
			error = rmap_lsn(&bt, agbno + (uint32_t)m->len - 1, &last);
		if (error == -XFS_E_NOMEM)
			return error;
		*newer = first && last && fork_lsn(l, m->off) > xfs_max(first, last);
	}
	return 0;
}

int judge_fork_is_newer(struct repair *r, const struct evidence *e, unsigned k, const struct xfs_mapset *only_fork,
			const struct xfs_mapset *only_rmap, bool *newer)
{
	struct leaves l = { .core = known(e->d.v3.lsn) };
	int error;

	*newer = false;
	if (!r->log_given_up || !r->geo.v5)
		return 0;
	error = read_leaves(r, &e->side[k].f, &l);
	*newer = !error;
	if (!error)
		error = check_newer(r, &l, only_fork, newer);
	if (!error)
		error = check_newer(r, &l, only_rmap, newer);
	free(l.list);
	return error;
}
