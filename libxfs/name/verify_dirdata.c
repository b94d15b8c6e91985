/* SPDX-License-Identifier: BSD-2-Clause */
/* verify_dirdata.c - data blocks of a directory: entries, tiling, free areas. */
#include "libxfs/base/grow.h"
#include "libxfs/name/hash.h"
#include "libxfs/name/verify_dir.h"

#include <stdlib.h>

/* Free areas of one block, the three longest. */
struct areas {
	uint32_t length[XFS_DIR_BESTS];
	uint32_t n;
	const uint8_t *block;
};

static void add_area(struct areas *a, uint32_t length)
{
	for (unsigned i = 0; i < XFS_DIR_BESTS; i++)
		if (length > a->length[i]) {
			uint32_t pushed = a->length[i];

			a->length[i] = length;
			length = pushed;
		}
	a->n++;
}

/* Is there a free area of this length at this offset? The block was walked before. */
static bool is_area(const struct xfs_geometry *g, const uint8_t *block, uint32_t end, uint32_t off, uint32_t length)
{
	struct xfs_dir_item it;

	for (uint32_t at = xfs_dir_data_header_len(g->v5); xfs_dir_data_next(g, block, end, &at, &it) > 0;)
		if (it.off == off)
			return !it.used && it.len == length;
	return false;
}

static void check_bestfree(struct xfs_dir_check *c, uint64_t db, const uint8_t *block, uint32_t end,
			   const struct areas *a)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint32_t seen[XFS_DIR_BESTS] = { 0 };

	for (unsigned i = 0; i < XFS_DIR_BESTS; i++) {
		struct xfs_dir_best best;
		bool twice = false;

		xfs_dir_best_decode(&best, block + xfs_dir_bestfree_off(g->v5) + 4 * i);
		seen[i] = best.offset;
		for (unsigned k = 0; k < i; k++)
			twice |= best.length && seen[k] == best.offset;
		/* a slot without an area is zero */
		if (best.length != a->length[i] || twice || (!best.length && best.offset) ||
		    (best.length && !is_area(g, block, end, best.offset, best.length))) {
			xfs_dir_check_report(c, XFS_F_DIR_BESTFREE, db, "table of free areas", best.length,
					     a->length[i]);
			return;
		}
	}
}

static void check_dots(struct xfs_dir_check *c, uint64_t db, const struct xfs_dir_item *it, unsigned nth)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint32_t first = xfs_dir_data_header_len(g->v5);

	if (xfs_dir_is_dot(it)) {
		if (db || nth != 0 || it->off != first)
			xfs_dir_check_report(c, XFS_F_DIR_DOT, db, "\".\" is not at its place", it->off, first);
		else
			c->dots |= 1;
		if (it->ino != c->d.ip->ino.v)
			xfs_dir_check_report(c, XFS_F_DIR_DOT, db, "\".\" is another inode", it->ino, c->d.ip->ino.v);
	} else if (xfs_dir_is_dotdot(it)) {
		if (db || nth != 1)
			xfs_dir_check_report(c, XFS_F_DIR_DOT, db, "\"..\" is not at its place", it->off, first + 16);
		else
			c->dots |= 2;
		if (c->parent != XFS_NULL64 && it->ino != c->parent)
			xfs_dir_check_report(c, XFS_F_DIR_DOT, db, "\"..\" is another directory", it->ino, c->parent);
	} else {
		return;
	}
	if (g->ftype && it->ftype != XFS_DIR_FT_DIR)
		xfs_dir_check_report(c, XFS_F_DIR_FTYPE, db, "\".\" and \"..\" are directories", it->ftype,
				     XFS_DIR_FT_DIR);
}

static void check_used(struct xfs_dir_check *c, uint64_t db, const struct xfs_dir_item *it, unsigned nth)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	const char *problem = xfs_dir_entry_problem(g, it);

	if (problem)
		xfs_dir_check_report(c, XFS_F_DIR_ENTRY, db, problem, it->off, XFS_NULL64);
	else
		check_dots(c, db, it, nth);
	xfs_dir_check_add(c, &c->names, xfs_dir_hash(g, it->name, it->namelen),
			  (uint32_t)((db * g->dirblksize + it->off) / XFS_DIR_ALIGN));
}

static void check_items(struct xfs_dir_check *c, uint64_t db, const uint8_t *block, uint32_t end)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint32_t off = xfs_dir_data_header_len(g->v5);
	struct areas areas = { 0 };
	struct xfs_dir_item it;
	bool after_free = false;
	unsigned nth = 0;
	int more;

	while ((more = xfs_dir_data_next(g, block, end, &off, &it)) > 0) {
		if (it.tag != it.off)
			xfs_dir_check_report(c, XFS_F_DIR_TILING, db, "tag is not the offset", it.tag, it.off);
		if (it.used) {
			check_used(c, db, &it, nth++);
		} else {
			if (after_free)
				xfs_dir_check_report(c, XFS_F_DIR_TILING, db, "free areas lie side by side", it.off,
						     XFS_NULL64);
			add_area(&areas, it.len);
		}
		after_free = !it.used;
	}
	if (more < 0)
		xfs_dir_check_report(c, XFS_F_DIR_TILING, db, "what is here is no entry", off, XFS_NULL64);
	else
		check_bestfree(c, db, block, end, &areas);
	if (xfs_grow(&c->bests, c->nbests, &c->bests_room, 64)) {
		c->nomem = true;
		return;
	}
	c->bests[c->nbests++] = (struct xfs_dir_bestlen){ db, areas.length[0] };
}

static void check_block(struct xfs_dir_check *c, uint64_t db)
{
	bool want_block = c->d.form == XFS_DIR_BLOCK;
	struct xfs_buf *b;
	uint32_t end;
	int err = xfs_dir_get_data(&c->d, db, &b, &end);

	if (err) {
		c->nomem |= err == -XFS_E_NOMEM;
		xfs_dir_check_report(c, XFS_F_DIR_FORM, db, xfs_error_text(err), XFS_NULL64, XFS_NULL64);
		return;
	}
	if (c->d.form != XFS_DIR_ODD && xfs_dir_is_block_magic(xfs_be32(b->data)) != want_block)
		xfs_dir_check_report(c, XFS_F_DIR_FORM, db, "data block has the magic of another form",
				     xfs_be32(b->data), XFS_NULL64);
	check_items(c, db, b->data, end);
	xfs_buf_put(b);
}

void xfs_dir_check_data(struct xfs_dir_check *c)
{
	const struct xfs_geometry *g = &c->d.ip->fs->geo;
	uint64_t seen = 0;

	for (uint64_t db = 0; !c->nomem; db++) {
		int err = xfs_dir_next_data(&c->d, &db);

		if (err == -XFS_E_NOENT)
			return;
		if (!err && seen++ > g->dblocks / g->dirblkfsbs)
			err = -XFS_E_LOOP;
		if (err) {
			c->nomem |= err == -XFS_E_NOMEM;
			xfs_dir_check_report(c, XFS_F_DIR_FORM, db, xfs_error_text(err), XFS_NULL64, XFS_NULL64);
			return;
		}
		check_block(c, db);
	}
}
