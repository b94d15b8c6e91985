/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attrleaf.c - changes of attribute leaves (format sheet 03, section 6.2).
 *
 * Records lie at the end of the block.  Free space is told of the gap between table and records alone, in the first
 * slot of the map of free areas; when records go from the middle the flag `holes` says that packing would help.
 */
#include "libxfs/name/attrprivate.h"

#include <stdlib.h>

#define ENTRY ((uint32_t)sizeof(struct xfs_attr_leaf_ent_disk))

/* A leaf's header in host order. */
struct top {
	struct xfs_attr_leaf_hdr h;
	uint32_t head, first;		/* bytes of the header; lowest byte that records use */
};

static int load(const struct xfs_forkop *op, const struct xfs_buf *b, struct top *t)
{
	bool v5 = op->g->v5;

	xfs_attr_leaf_hdr_load(&t->h, b->data, v5);
	t->head = xfs_attr_leaf_header_len(v5);
	t->first = t->h.firstused ? t->h.firstused : XFS_BUF_MAXLEN;
	if (t->h.magic != (v5 ? XFS_ATTR_LEAF_MAGIC : XFS_ATTR_LEAF_MAGIC_V4) || t->first > op->size ||
	    t->first < t->head || ENTRY * t->h.count > t->first - t->head || t->h.usedbytes > op->size - t->first)
		return -XFS_E_CORRUPT;
	return 0;
}

static uint32_t table_end(const struct top *t)
{
	return t->head + ENTRY * t->h.count;
}

static void store(const struct xfs_forkop *op, struct xfs_buf *b, struct top *t)
{
	const struct xfs_attr_freemap none = { 0, 0 };
	struct xfs_attr_freemap gap = { (uint16_t)table_end(t), (uint16_t)(t->first - table_end(t)) };
	uint8_t *map = b->data + xfs_attr_freemap_off(op->g->v5);

	if (!gap.size)
		gap.base = 0;
	t->h.firstused = (uint16_t)t->first;		/* 65536 becomes 0 */
	t->h.holes = op->size - t->first != t->h.usedbytes;
	xfs_attr_leaf_hdr_store(b->data, &t->h, op->g->v5);
	xfs_attr_freemap_encode(map, &gap);
	for (unsigned i = 1; i < XFS_ATTR_FREEMAPS; i++)
		xfs_attr_freemap_encode(map + sizeof(struct xfs_attr_freemap_disk) * i, &none);
	xfs_change_dirty(b, 0, t->head);
}

static uint8_t *entry(struct xfs_buf *b, const struct top *t, uint32_t i)
{
	return b->data + t->head + ENTRY * (size_t)i;
}

int xfs_attrleaf_cost(const struct xfs_forkop *op, const struct xfs_buf *b, uint32_t i, uint32_t *cost)
{
	struct xfs_attr a;
	uint32_t at, size;
	int err = xfs_attr_leaf_entry(op->g, b->data, i, &a, &at, &size);

	*cost = size + ENTRY;
	return err;
}

/* ---- packing ---- */

/* Appends entries [from, to) of the image of another leaf. */
static int append(const struct xfs_forkop *op, struct xfs_buf *b, struct top *t, const uint8_t *image, uint32_t from,
		  uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		const uint8_t *old = image + t->head + ENTRY * (size_t)i;
		uint8_t *new = entry(b, t, t->h.count);
		struct xfs_attr a;
		uint32_t at, size;
		int err = xfs_attr_leaf_entry(op->g, image, i, &a, &at, &size);

		if (err)
			return err;
		if (t->first - table_end(t) < size + ENTRY)
			return -XFS_E_CORRUPT;
		t->first -= size;
		memcpy(b->data + t->first, image + at, size);
		memcpy(new, old, ENTRY);
		xfs_attr_leaf_ent_set_nameidx((void *)new, (uint16_t)t->first);
		t->h.count++;
		t->h.usedbytes = (uint16_t)(t->h.usedbytes + size);
	}
	return 0;
}

static void empty(const struct xfs_forkop *op, struct xfs_buf *b, struct top *t)
{
	t->h.count = t->h.usedbytes = 0;
	t->first = op->size;
	memset(b->data + t->head, 0, op->size - t->head);
}

/* What an image is made of. */
struct part {
	const struct xfs_buf *b;
	uint32_t from, to;
};

/* The leaf gets the entries of both parts, packed; it may be one of them. */
static int repack(const struct xfs_forkop *op, struct xfs_buf *b, const struct part parts[2])
{
	uint8_t *images = malloc(2 * (size_t)op->size);
	struct top t;
	int err = images ? load(op, b, &t) : -XFS_E_NOMEM;

	for (unsigned k = 0; k < 2 && !err; k++)
		if (parts[k].b)
			memcpy(images + k * (size_t)op->size, parts[k].b->data, op->size);
	if (!err)
		empty(op, b, &t);
	for (unsigned k = 0; k < 2 && !err; k++)
		if (parts[k].b)
			err = append(op, b, &t, images + k * (size_t)op->size, parts[k].from, parts[k].to);
	if (!err) {
		store(op, b, &t);
		xfs_change_dirty(b, 0, op->size);
	}
	free(images);
	return err;
}

/* ---- for the tree ---- */

static uint32_t used(const struct xfs_forkop *op, const struct xfs_da_block *b)
{
	struct xfs_attr_leaf_hdr h;

	xfs_attr_leaf_hdr_load(&h, b->buf->data, op->g->v5);
	return h.usedbytes + ENTRY * b->count;
}

static void init(const struct xfs_forkop *op, struct xfs_buf *b)
{
	struct top t = { .head = xfs_attr_leaf_header_len(op->g->v5), .first = op->size };

	xfs_attr_leaf_hdr_load(&t.h, b->data, op->g->v5);
	store(op, b, &t);
}

static int move(const struct xfs_forkop *op, struct xfs_da_block *from, uint32_t first, struct xfs_da_block *to)
{
	const struct part joined[2] = { { to->buf, 0, to->count }, { from->buf, first, from->count } };
	const struct part rest[2] = { { from->buf, 0, first }, { NULL, 0, 0 } };
	int err = repack(op, to->buf, joined);

	to->count += from->count - first;
	if (!err)
		err = repack(op, from->buf, rest);
	from->count = first;
	return err;
}

struct xfs_hashtree_leaves xfs_attrleaf_ops(const struct xfs_attrop *op)
{
	return (struct xfs_hashtree_leaves){
		.kind = XFS_BLK_ATTR_ANY, .magic = { XFS_ATTR_LEAF_MAGIC_V4, XFS_ATTR_LEAF_MAGIC },
		.used = used, .room = op->k.size - xfs_attr_leaf_header_len(op->k.g->v5), .init = init, .move = move,
	};
}

/* ---- changes ---- */

bool xfs_attrleaf_has_room(const struct xfs_forkop *op, const struct xfs_buf *b, uint32_t record)
{
	struct top t;

	return !load(op, b, &t) && record + ENTRY <= op->size - table_end(&t) - t.h.usedbytes;
}

static void put_record(const struct xfs_attrop *op, uint8_t *at, uint32_t valueblk)
{
	const struct xfs_attr_want *w = op->want;

	memset(at, 0, op->record);
	if (op->remote) {
		const struct xfs_attr_remote r = {
			.valueblk = valueblk, .valuelen = w->valuelen, .namelen = w->namelen,
		};

		xfs_attr_remote_encode(at, &r);
		memcpy(at + sizeof(struct xfs_attr_remote_disk), w->name, w->namelen);
		return;
	}
	xfs_attr_local_encode(at, &(struct xfs_attr_local){ .valuelen = (uint16_t)w->valuelen, .namelen = w->namelen });
	at += sizeof(struct xfs_attr_local_disk);
	memcpy(at, w->name, w->namelen);
	if (w->valuelen)
		memcpy(at + w->namelen, w->value, w->valuelen);
}

int xfs_attrleaf_add(const struct xfs_attrop *op, struct xfs_buf *b, uint32_t i, uint32_t valueblk)
{
	struct xfs_attr_leaf_ent e = {
		.hashval = op->hash, .flags = (uint8_t)(op->want->space | (op->remote ? 0 : XFS_ATTR_LOCAL)),
	};
	struct top t;
	uint32_t tail;
	int err = load(&op->k, b, &t);

	if (!err && t.first - table_end(&t) < op->record + ENTRY) {
		const struct part all[2] = { { b, 0, t.h.count }, { NULL, 0, 0 } };

		err = repack(&op->k, b, all);
		if (!err)
			err = load(&op->k, b, &t);
		if (!err && t.first - table_end(&t) < op->record + ENTRY)
			err = -XFS_E_NOSPC;
	}
	if (err)
		return err;
	t.first -= op->record;
	put_record(op, b->data + t.first, valueblk);
	xfs_change_dirty(b, t.first, op->record);
	e.nameidx = (uint16_t)t.first;
	tail = ENTRY * (t.h.count - i);
	memmove(entry(b, &t, i + 1), entry(b, &t, i), tail);
	xfs_attr_leaf_ent_encode(entry(b, &t, i), &e);
	entry(b, &t, i)[7] = 0;
	xfs_change_dirty(b, t.head + ENTRY * i, tail + ENTRY);
	t.h.count++;
	t.h.usedbytes = (uint16_t)(t.h.usedbytes + op->record);
	store(&op->k, b, &t);
	return 0;
}

int xfs_attrleaf_remove(const struct xfs_forkop *op, struct xfs_buf *b, uint32_t i)
{
	uint32_t at, size, tail;
	struct xfs_attr a;
	struct top t;
	int err = load(op, b, &t);

	if (!err)
		err = xfs_attr_leaf_entry(op->g, b->data, i, &a, &at, &size);
	if (err)
		return err;
	if (at < table_end(&t) || size > t.h.usedbytes)
		return -XFS_E_CORRUPT;
	memset(b->data + at, 0, size);
	xfs_change_dirty(b, at, size);
	tail = ENTRY * (t.h.count - i - 1);
	memmove(entry(b, &t, i), entry(b, &t, i + 1), tail);
	t.h.count--;
	memset(entry(b, &t, t.h.count), 0, ENTRY);
	xfs_change_dirty(b, t.head + ENTRY * i, tail + ENTRY);
	t.h.usedbytes = (uint16_t)(t.h.usedbytes - size);
	t.first = op->size;
	for (uint32_t k = 0; k < t.h.count; k++) {
		uint32_t idx = xfs_attr_leaf_ent_get_nameidx((void *)entry(b, &t, k));

		t.first = idx < t.first ? idx : t.first;
	}
	if (t.first < table_end(&t))
		return -XFS_E_CORRUPT;
	store(op, b, &t);
	return 0;
}
