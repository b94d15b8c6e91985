/* SPDX-License-Identifier: BSD-2-Clause */
/* attr.c - the form of an attribute fork from its attributes, and the steps of building it. */
#include "libxfs/build/attr_private.h"

#include "libxfs/build/hashkeys.h"
#include "libxfs/name/hash.h"

#include <stdlib.h>

#define FILL 85u			/* per cent of a leaf in a tree */
#define PARENT_INO 8u			/* bytes of the inode number in the value of a parent pointer */

static uint64_t parent_of(const struct xfs_build_attr *a)
{
	struct xfs_parent_rec rec;

	xfs_parent_rec_decode(&rec, a->value);
	return rec.inumber;
}

static bool is_good(const struct xfs_geometry *g, const struct xfs_build_attr *a)
{
	const struct xfs_attr attr = {
		.name = a->name, .namelen = a->namelen, .flags = a->flags, .valuelen = a->valuelen, .value = a->value,
	};

	if (a->flags & ~XFS_ATTR_NAMESPACES || (a->valuelen && !a->value) || xfs_attr_problem(g, &attr))
		return false;
	return !(a->flags & XFS_ATTR_PARENT) || xfs_ino_valid(g, XFS_INO(parent_of(a)));
}

/* ---- order ---- */

static uint32_t hash_of(const struct xfs_geometry *g, const struct xfs_build_attr *a)
{
	if (a->flags & XFS_ATTR_PARENT)
		return xfs_parent_hash(g, a->name, a->namelen, XFS_INO(parent_of(a)));
	return xfs_name_hash(a->name, a->namelen);
}

static int by_name(const void *a, const void *b)
{
	const struct xfs_build_attr *x = *(const struct xfs_build_attr *const *)a;
	const struct xfs_build_attr *y = *(const struct xfs_build_attr *const *)b;
	int order;

	if (x->flags != y->flags)
		return x->flags < y->flags ? -1 : 1;
	if (x->namelen != y->namelen)
		return x->namelen < y->namelen ? -1 : 1;
	order = memcmp(x->name, y->name, x->namelen);
	if (order || !(x->flags & XFS_ATTR_PARENT))
		return order;
	/* one link has one pointer, whatever generation it tells */
	return memcmp(x->value, y->value, PARENT_INO);
}

static int sort_names(struct xfs_attr_plan *p)
{
	const struct xfs_hash_records records = {
		.list = p->b->list, .size = sizeof(*p->b->list), .order = by_name,
	};

	p->keys = malloc((size_t)p->n * sizeof(*p->keys));
	if (!p->keys)
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < p->n; i++)
		p->keys[i] = (uint64_t)hash_of(p->b->to.geo, &p->b->list[i]) << 32 | i;
	return xfs_hash_keys_sort(p->keys, p->n, &records);
}

/* ---- short form ---- */

/* Size of the list in short form; 0: it cannot have that form. */
static uint32_t short_bytes(const struct xfs_build_attrs *b)
{
	uint64_t sum = sizeof(struct xfs_attr_sf_hdr_disk);

	if (b->n > UINT8_MAX)
		return 0;
	for (size_t i = 0; i < b->n; i++) {
		/* a length of 255 fits its byte but is not used (format sheet 03, section 6.1) */
		if (b->list[i].namelen >= UINT8_MAX || b->list[i].valuelen >= UINT8_MAX)
			return 0;
		sum += xfs_attr_sf_entsize(b->list[i].namelen, b->list[i].valuelen);
	}
	return sum <= b->to.geo->litino ? (uint32_t)sum : 0;
}

static void set_place(struct xfs_build_attrs *b, enum xfs_attr_form form, unsigned forkoff)
{
	b->form = form;
	b->forkoff = forkoff;
	b->forksize = forkoff ? b->to.geo->litino - 8 * forkoff : 0;
	b->levels = 0;
	b->index = b->values = 0;
	b->fork = (struct xfs_built){ .format = form == XFS_ATTR_SHORT ? XFS_DINODE_FMT_LOCAL
								       : XFS_DINODE_FMT_EXTENTS };
	memset(b->bytes, 0, b->forksize);
}

/* ---- blocks ---- */

static uint32_t cost_of(const struct xfs_attr_plan *p, uint32_t i)
{
	return (uint32_t)sizeof(struct xfs_attr_leaf_ent_disk) +
		xfs_attr_plan_record(p->b->to.geo, xfs_attr_plan_at(p, i));
}

/* Shares the sorted attributes among leaves; `first` may be NULL. Returns the number of leaves. */
static uint64_t pack_leaves(const struct xfs_attr_plan *p, uint32_t *first)
{
	const struct xfs_geometry *g = p->b->to.geo;
	uint32_t room = g->blocksize - xfs_attr_leaf_header_len(g->v5), used = 0;
	uint64_t total = 0, goal, leaf = 0;

	for (uint32_t i = 0; i < p->n; i++)
		total += cost_of(p, i);
	goal = total <= room ? room : xfs_ceil_div(total, xfs_ceil_div(total, (uint64_t)room * FILL / 100));
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t cost = cost_of(p, i);

		if (i && (used >= goal || used + cost > room)) {
			leaf++;
			used = 0;
		}
		if (first && !used)
			first[leaf] = i;
		used += cost;
	}
	if (first)
		first[leaf + 1] = p->n;
	return leaf + 1;
}

static int lay_out_leaves(struct xfs_attr_plan *p)
{
	const struct xfs_geometry *g = p->b->to.geo;

	p->leaves = pack_leaves(p, NULL);
	p->first = malloc((size_t)(p->leaves + 1) * sizeof(*p->first));
	p->last = malloc((size_t)p->leaves * sizeof(*p->last));
	if (!p->first || !p->last)
		return -XFS_E_NOMEM;
	pack_leaves(p, p->first);
	for (uint64_t i = 0; i < p->leaves; i++)
		p->last[i] = (uint32_t)(p->keys[p->first[i + 1] - 1] >> 32);
	p->tree = (struct xfs_datree){ .v5 = g->v5, .size = g->blocksize, .fsbs = 1, .root = 0, .last = p->last };
	return xfs_datree_plan(&p->tree, p->leaves);
}

/* Values behind the tree, in the order of the hashes. */
static int lay_out_values(struct xfs_attr_plan *p, struct xfs_build_attrs *b)
{
	const struct xfs_geometry *g = b->to.geo;
	uint64_t at = b->index;

	p->value = malloc(((size_t)p->n + 1) * sizeof(*p->value));
	if (!p->value)
		return -XFS_E_NOMEM;
	for (uint32_t i = 0; i < p->n; i++) {
		const struct xfs_build_attr *a = xfs_attr_plan_at(p, i);

		p->value[i] = (uint32_t)at;
		if (xfs_attr_plan_is_remote(g, a))
			at += xfs_remote_blocks(g->v5, g->blocksize, a->valuelen);
		if (at > UINT32_MAX)
			return -XFS_E_TOOBIG;
	}
	p->value[p->n] = (uint32_t)at;
	b->values = at - b->index;
	return 0;
}

static int write_blocks(struct xfs_build_attrs *b, struct xfs_attr_plan *p)
{
	const struct xfs_filemap_content content = { .fsbs = 1, .type = XT_ATTR, .make = xfs_attr_plan_make,
						     .payload = p };
	struct xfs_filemap m = { .to = &b->to, .which = XFS_FORK_ATTR };
	int err = xfs_filemap_take(&m, 0, b->index + b->values);

	if (!err)
		err = xfs_filemap_write(&m, &content);
	if (!err)
		err = xfs_filemap_finish(&m, b->forksize, b->bytes, &b->fork);
	xfs_filemap_end(&m, err != 0);
	return err;
}

static int build_blocks(struct xfs_build_attrs *b, struct xfs_attr_plan *p)
{
	int err = lay_out_leaves(p);

	if (err)
		return err;
	set_place(b, p->leaves > 1 ? XFS_ATTR_NODE : XFS_ATTR_LEAF, xfs_forkoff_blocks(b->to.geo, &b->data));
	b->levels = p->tree.levels;
	b->index = xfs_datree_blocks(&p->tree);
	err = lay_out_values(p, b);
	return err ? err : write_blocks(b, p);
}

int xfs_build_attrs(struct xfs_build_attrs *b)
{
	struct xfs_attr_plan p = { .b = b, .n = (uint32_t)b->n };
	uint32_t bytes = short_bytes(b);
	unsigned forkoff;
	int err;

	if (b->n > UINT32_MAX / 2)
		return -XFS_E_TOOBIG;
	if (b->data.forkoff > UINT8_MAX || 8 * b->data.forkoff >= b->to.geo->litino)
		return -XFS_E_INVALID;
	for (size_t i = 0; i < b->n; i++)
		if (!is_good(b->to.geo, &b->list[i]))
			return -XFS_E_INVALID;
	if (!b->n) {
		set_place(b, XFS_ATTR_NONE, b->data.forkoff);
		return 0;
	}
	err = sort_names(&p);
	forkoff = !err && bytes ? xfs_forkoff_short(b->to.geo, &b->data, bytes) : 0;
	if (forkoff) {
		set_place(b, XFS_ATTR_SHORT, forkoff);
		xfs_attr_plan_short(b, bytes, b->bytes);
	} else if (!err) {
		err = build_blocks(b, &p);
	}
	free(p.keys);
	free(p.value);
	free(p.first);
	free(p.last);
	return err;
}
