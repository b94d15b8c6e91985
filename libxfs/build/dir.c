/* SPDX-License-Identifier: BSD-2-Clause */
/* dir.c - the form of a directory from its entries, and the steps of building it. */
#include "libxfs/build/dir_private.h"

#include "libxfs/build/hashkeys.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>

#define DOTS 2u

struct xfs_build_dirent xfs_dir_plan_entry(const struct xfs_build_dir *b, uint32_t k)
{
	static const uint8_t dots[] = "..";

	if (k >= DOTS)
		return b->entries[k - DOTS];
	return (struct xfs_build_dirent){ k ? b->parent : b->to.ino, dots, (uint8_t)(k + 1), XFS_DIR_FT_DIR };
}

static bool is_good(const struct xfs_geometry *g, const struct xfs_build_dirent *e)
{
	const struct xfs_dir_item it = { .used = true, .ino = e->ino, .name = e->name, .namelen = e->namelen,
					 .ftype = e->ftype };

	return !xfs_dir_entry_problem(g, &it) && !xfs_dir_is_dot(&it) && !xfs_dir_is_dotdot(&it);
}

/* ---- shape ---- */

uint64_t xfs_dir_plan_place(const struct xfs_build_dir *b, uint32_t end, uint32_t *address, uint32_t *first,
			    uint16_t *best)
{
	const struct xfs_geometry *g = b->to.geo;
	uint32_t start = xfs_dir_data_header_len(g->v5), at = start, total = (uint32_t)b->n + DOTS;
	uint64_t db = 0;

	if (first)
		first[0] = 0;
	for (uint32_t k = 0; k < total; k++) {
		uint32_t size = xfs_dir_data_entsize(g->ftype, xfs_dir_plan_entry(b, k).namelen);

		if (size > end - at) {
			if (best)
				best[db] = (uint16_t)(end - at);
			db++;
			at = start;
			if (first)
				first[db] = k;
		}
		if (address)
			address[k] = (uint32_t)((db * g->dirblksize + at) / XFS_DIR_ALIGN);
		at += size;
	}
	if (best)
		best[db] = (uint16_t)(end - at);
	if (first)
		first[db + 1] = total;
	return db + 1;
}

uint64_t xfs_dir_plan_leaves(const struct xfs_geometry *g, uint32_t total)
{
	uint32_t most = xfs_da_maxents(g->v5, g->dirblksize);

	return total <= most ? 1 : xfs_ceil_div(total, (uint64_t)most * 85 / 100);
}

/* What the entries take in short form and in data blocks; both without headers and dots. */
struct sums {
	uint64_t names, data;
};

static int sum_up(const struct xfs_build_dir *b, struct sums *sum, struct xfs_build_dir_shape *s)
{
	const struct xfs_geometry *g = b->to.geo;

	if (!xfs_ino_valid(g, XFS_INO(b->to.ino)) || !xfs_ino_valid(g, XFS_INO(b->parent)))
		return -XFS_E_INVALID;
	s->wide = b->parent > UINT32_MAX;
	for (size_t i = 0; i < b->n; i++) {
		const struct xfs_build_dirent *e = &b->entries[i];

		if (!is_good(g, e))
			return -XFS_E_INVALID;
		s->subdirs += e->ftype == XFS_DIR_FT_DIR;
		s->wide += i < UINT8_MAX && e->ino > UINT32_MAX;	/* the short form has no more entries */
		sum->names += xfs_dir_sf_entsize(g->ftype, false, e->namelen);
		sum->data += xfs_dir_data_entsize(g->ftype, e->namelen);
	}
	return 0;
}

/* Format sheet 03, section 9.2. */
static bool is_short(const struct xfs_build_dir *b, const struct sums *sum, struct xfs_build_dir_shape *s)
{
	const struct xfs_geometry *g = b->to.geo;

	s->size = xfs_dir_sf_hdr_len(s->wide) + sum->names + (s->wide ? 4 * (uint64_t)b->n : 0);
	return b->n <= UINT8_MAX && s->size <= b->forksize &&
		xfs_dir_data_first_off(g->v5) + sum->data + (b->n + DOTS) * 8 + 8 <= g->dirblksize;
}

static int tree_shape(const struct xfs_build_dir *b, struct xfs_build_dir_shape *s)
{
	const struct xfs_geometry *g = b->to.geo;
	struct xfs_datree tree = { .v5 = g->v5, .size = g->dirblksize };
	uint64_t total = b->n + DOTS;
	int err;

	s->data = xfs_dir_plan_place(b, g->dirblksize, NULL, NULL, NULL);
	if (s->data > XFS_DIR_LEAF_OFFSET / g->dirblksize)
		return -XFS_E_TOOBIG;
	s->form = XFS_DIR_LEAF;
	s->index = s->levels = 1;
	if (xfs_da_header_len(g->v5) + 8 * total + 2 * s->data + 4 <= g->dirblksize)
		return 0;
	s->form = XFS_DIR_NODE;
	err = xfs_datree_plan(&tree, xfs_dir_plan_leaves(g, (uint32_t)total));
	s->index = xfs_datree_blocks(&tree);
	s->levels = tree.levels;
	s->free = xfs_ceil_div(s->data, xfs_dir_free_maxbests(g->v5, g->dirblksize));
	return err;
}

int xfs_build_dir_shape(const struct xfs_build_dir *b, struct xfs_build_dir_shape *s)
{
	const struct xfs_geometry *g = b->to.geo;
	struct sums sum = { 0, 0 };
	int err;

	*s = (struct xfs_build_dir_shape){ .form = XFS_DIR_SHORT };
	/* 16 bytes are the least that an entry takes */
	if (b->n > XFS_DIR_LEAF_OFFSET / 16)
		return -XFS_E_TOOBIG;
	err = sum_up(b, &sum, s);
	if (err || is_short(b, &sum, s))
		return err;
	s->form = XFS_DIR_BLOCK;
	s->data = 1;
	if (xfs_dir_data_first_off(g->v5) + sum.data + (b->n + DOTS) * 8 + 8 > g->dirblksize)
		err = tree_shape(b, s);
	s->size = s->data * g->dirblksize;
	s->blocks = (s->data + s->index + s->free) * g->dirblkfsbs;
	return err;
}

/* ---- names ---- */

static int compare_names(const void *a, const void *b, uint8_t (*fold)(uint8_t))
{
	const struct xfs_build_dirent *x = *(const struct xfs_build_dirent *const *)a;
	const struct xfs_build_dirent *y = *(const struct xfs_build_dirent *const *)b;

	if (x->namelen != y->namelen)
		return x->namelen < y->namelen ? -1 : 1;
	if (!fold)
		return memcmp(x->name, y->name, x->namelen);
	for (unsigned i = 0; i < x->namelen; i++)
		if (fold(x->name[i]) != fold(y->name[i]))
			return fold(x->name[i]) < fold(y->name[i]) ? -1 : 1;
	return 0;
}

static int plain_order(const void *a, const void *b)
{
	return compare_names(a, b, NULL);
}

static int folded_order(const void *a, const void *b)
{
	return compare_names(a, b, xfs_name_lower);
}

static int sort_names(struct xfs_dir_plan *p)
{
	const struct xfs_geometry *g = p->b->to.geo;
	const struct xfs_hash_records records = {
		/* no entry is named as the dots */
		.list = p->b->entries, .size = sizeof(*p->b->entries), .first = DOTS,
		.order = g->asciici ? folded_order : plain_order,
	};

	p->keys = malloc((size_t)p->total * sizeof(*p->keys));
	if (!p->keys)
		return -XFS_E_NOMEM;
	for (uint32_t k = 0; k < p->total; k++) {
		struct xfs_build_dirent e = xfs_dir_plan_entry(p->b, k);

		p->keys[k] = (uint64_t)xfs_dir_hash(g, e.name, e.namelen) << 32 | k;
	}
	return xfs_hash_keys_sort(p->keys, p->total, &records);
}

/* ---- building ---- */

static int lay_out(struct xfs_dir_plan *p)
{
	const struct xfs_geometry *g = p->b->to.geo;
	uint32_t end = g->dirblksize;

	p->address = malloc((size_t)p->total * sizeof(*p->address));
	p->first = malloc((size_t)(p->shape.data + 1) * sizeof(*p->first));
	p->best = malloc((size_t)p->shape.data * sizeof(*p->best));
	p->leaves = p->shape.form == XFS_DIR_NODE ? xfs_dir_plan_leaves(g, p->total) : 1;
	p->last = malloc((size_t)p->leaves * sizeof(*p->last));
	if (!p->address || !p->first || !p->best || !p->last)
		return -XFS_E_NOMEM;
	if (p->shape.form == XFS_DIR_BLOCK)
		end = xfs_dir_block_leaf_off(g->dirblksize, p->total);
	xfs_dir_plan_place(p->b, end, p->address, p->first, p->best);
	for (uint64_t i = 0; i < p->leaves; i++)
		p->last[i] = (uint32_t)(p->keys[xfs_share(p->total, p->leaves, i + 1) - 1] >> 32);
	p->tree = (struct xfs_datree){ .v5 = g->v5, .size = g->dirblksize, .fsbs = g->dirblkfsbs,
				       .root = XFS_DIR_LEAF_OFFSET >> g->blocklog, .last = p->last };
	return xfs_datree_plan(&p->tree, p->leaves);
}

static int take_blocks(const struct xfs_dir_plan *p, struct xfs_filemap *m)
{
	const struct xfs_geometry *g = p->b->to.geo;
	int err = xfs_filemap_take(m, 0, p->shape.data * g->dirblkfsbs);

	if (!err)
		err = xfs_filemap_take(m, XFS_DIR_LEAF_OFFSET >> g->blocklog, p->shape.index * g->dirblkfsbs);
	if (!err)
		err = xfs_filemap_take(m, XFS_DIR_FREE_OFFSET >> g->blocklog, p->shape.free * g->dirblkfsbs);
	return err;
}

static int build_blocks(struct xfs_build_dir *b, struct xfs_dir_plan *p)
{
	const struct xfs_filemap_content content = {
		.fsbs = b->to.geo->dirblkfsbs, .type = XT_DIR, .make = xfs_dir_plan_make, .payload = p,
	};
	struct xfs_filemap m = { .to = &b->to, .which = XFS_FORK_DATA };
	int err = lay_out(p);

	if (!err)
		err = take_blocks(p, &m);
	if (!err)
		err = xfs_filemap_write(&m, &content);
	if (!err)
		err = xfs_filemap_finish(&m, b->forksize, b->bytes, &b->fork);
	xfs_filemap_end(&m, err != 0);
	return err;
}

int xfs_build_dir(struct xfs_build_dir *b)
{
	struct xfs_dir_plan p = { .b = b };
	int err = xfs_build_dir_shape(b, &p.shape);

	if (err)
		return err;
	b->shape = p.shape;
	p.total = (uint32_t)b->n + DOTS;
	err = sort_names(&p);
	if (err)
		goto out;
	if (p.shape.form == XFS_DIR_SHORT) {
		memset(b->bytes, 0, b->forksize);
		xfs_dir_plan_short(&p, b->bytes);
		b->fork = (struct xfs_built){ .format = XFS_DINODE_FMT_LOCAL };
	} else {
		err = build_blocks(b, &p);
	}
out:
	free(p.keys);
	free(p.address);
	free(p.first);
	free(p.best);
	free(p.last);
	return err;
}
