/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * overlay.c - copy-on-write above a device that is never written, or above nothing.
 *
 * A block is one of three: stored (the table has its slot), zero (the table or the set of zeroed ranges says so, or
 * there is nothing below), or below.  The table is asked first, so a write to a zeroed range just adds an entry.
 * Zeroing a range costs one run in the set, whatever its length; above nothing it costs nothing at all.
 */
#include "libxfs/base/bytes.h"
#include "libxfs/device/overlay_priv.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK XFS_OVERLAY_BLOCK
#define SECTOR XFS_OVERLAY_SECTOR
#define BATCH 64u		/* blocks stored at once; vectors read at once from below */

enum kind { STORED, ZERO, BELOW };

/* --- reading --- */

/* Where the byte at pos is, and how many bytes from there (up to len) are in the same place. */
static uint64_t segment_find(const struct overlay_dev *o, uint64_t pos, uint64_t len, enum kind *kind,
			     struct overlay_entry *e)
{
	const struct overlay_entry *found = xfs_overlay_table_get(&o->table, pos / BLOCK), *next;
	uint64_t end = pos + len, at = (pos / BLOCK + 1) * BLOCK;
	size_t i;

	if (found)
		*e = *found;
	if (found && found->slot != XFS_SLOT_ZERO) {
		uint32_t slot = found->slot;

		*kind = STORED;
		for (; at < end && !e->bad && xfs_overlay_storage_adjoins(&o->storage, slot); at += BLOCK, slot++) {
			next = xfs_overlay_table_get(&o->table, at / BLOCK);
			if (!next || next->bad || next->slot != slot + 1)
				break;
		}
		return xfs_min(at, end) - pos;
	}
	i = xfs_extents_find(&o->zeroed, pos / BLOCK);
	*kind = BELOW;
	if (found || pos >= o->below_size) {
		*kind = ZERO;
		end = found ? xfs_min(end, at) : end;
	} else if (i < o->zeroed.n && o->zeroed.e[i].start <= pos / BLOCK) {
		*kind = ZERO;
		end = xfs_min(end, (o->zeroed.e[i].start + o->zeroed.e[i].len) * BLOCK);
	} else {
		end = xfs_min(end, o->below_size);
		if (i < o->zeroed.n)
			end = xfs_min(end, o->zeroed.e[i].start * BLOCK);
	}
	while (at < end && !xfs_overlay_table_get(&o->table, at / BLOCK) && o->table.used)
		at += BLOCK;
	return (o->table.used ? xfs_min(at, end) : end) - pos;
}

/* Pieces that come from below, gathered into one call. */
struct batch {
	struct xfs_iovec v[BATCH];
	struct xfs_iovec *whole[BATCH];	/* the vector that each is a piece of */
	size_t n;
};

static void batch_flush(struct overlay_dev *o, struct batch *b)
{
	if (b->n)
		xfs_dev_readv(o->below, b->v, b->n);
	for (size_t i = 0; i < b->n; i++)
		if (b->v[i].error && !b->whole[i]->error)
			b->whole[i]->error = b->v[i].error;
	b->n = 0;
}

static void batch_add(struct overlay_dev *o, struct batch *b, struct xfs_iovec *whole, uint64_t off, size_t len)
{
	if (b->n == BATCH)
		batch_flush(o, b);
	b->whole[b->n] = whole;
	b->v[b->n++] = (struct xfs_iovec){ .off = off, .len = len, .buf = (char *)whole->buf + (off - whole->off) };
}

/* Sectors of a block that [skip, skip + len) touches. */
static uint32_t sectors_touched(uint32_t skip, size_t len)
{
	uint32_t last = (uint32_t)((skip + len - 1) / SECTOR);

	return ((UINT32_C(2) << last) - 1) & ~((UINT32_C(1) << skip / SECTOR) - 1);
}

static int stored_read(const struct overlay_dev *o, const struct overlay_entry *e, uint32_t skip, void *buf, size_t len)
{
	int err = xfs_overlay_storage_read(&o->storage, e->slot, skip, buf, len);

	if (err)
		memset(buf, 0, len);
	else if (e->bad && (e->bad & sectors_touched(skip, len)))
		err = -XFS_E_IO;	/* these sectors are zero in the storage */
	return err;
}

static void read_one(struct overlay_dev *o, struct batch *b, struct xfs_iovec *v)
{
	uint64_t pos = v->off, end = v->off + v->len;

	v->error = 0;
	while (pos < end) {
		struct overlay_entry e = { 0, 0, 0 };
		char *buf = (char *)v->buf + (pos - v->off);
		enum kind kind;
		size_t len = (size_t)segment_find(o, pos, end - pos, &kind, &e);
		int err = 0;

		if (kind == STORED)
			err = stored_read(o, &e, (uint32_t)(pos % BLOCK), buf, len);
		else if (kind == ZERO)
			memset(buf, 0, len);
		else
			batch_add(o, b, v, pos, len);
		if (err && !v->error)
			v->error = err;
		pos += len;
	}
}

/* With the lock held. */
static int read_all(struct overlay_dev *o, struct xfs_iovec *v, size_t n)
{
	struct batch b;
	int err = 0;

	b.n = 0;
	for (size_t i = 0; i < n; i++)
		read_one(o, &b, &v[i]);
	batch_flush(o, &b);
	for (size_t i = 0; i < n && !err; i++)
		err = v[i].error;
	return err;
}

static int overlay_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct overlay_dev *o = (struct overlay_dev *)dev;
	int err;

	pthread_rwlock_rdlock(&o->lock);
	err = read_all(o, v, n);
	pthread_rwlock_unlock(&o->lock);
	return err;
}

/* --- writing; with the lock held for writing --- */

/* Writes runs of adjoining slots with one call each. */
static int slots_write(struct overlay_dev *o, const uint32_t *slots, size_t n, const uint8_t *buf)
{
	int err = 0;

	for (size_t i = 0, k; i < n && !err; i += k) {
		for (k = 1; i + k < n && slots[i + k] == slots[i + k - 1] + 1 &&
		     xfs_overlay_storage_adjoins(&o->storage, slots[i + k - 1]); k++)
			;
		err = xfs_overlay_storage_write(&o->storage, slots[i], 0, buf + i * BLOCK, k * BLOCK);
	}
	return err;
}

/* Stores n <= BATCH whole blocks. Entries of new ones are made when their contents are in place. */
static int blocks_store(struct overlay_dev *o, uint64_t block, size_t n, const uint8_t *buf, uint32_t bad)
{
	uint32_t slots[BATCH];
	bool fresh[BATCH];
	size_t have;
	int err = xfs_overlay_table_reserve(&o->table, n);

	for (have = 0; have < n && !err; have++) {
		const struct overlay_entry *e = xfs_overlay_table_get(&o->table, block + have);

		fresh[have] = !e || e->slot == XFS_SLOT_ZERO;
		if (!fresh[have])
			slots[have] = e->slot;
		else
			err = xfs_overlay_storage_take(&o->storage, &slots[have]);
		if (err)
			break;
	}
	if (!err)
		err = slots_write(o, slots, n, buf);
	for (size_t i = 0; i < have; i++) {
		if (!err)
			xfs_overlay_table_set(&o->table, block + i, slots[i], bad);
		else if (fresh[i])
			xfs_overlay_storage_give(&o->storage, slots[i]);
	}
	return err;
}

/* Fills buf with a whole block as it is now; *bad says which sectors could not be read. */
static int block_compose(struct overlay_dev *o, uint64_t block, uint8_t *buf, uint32_t *bad)
{
	struct xfs_iovec v = { .off = block * BLOCK, .len = BLOCK, .buf = buf };

	*bad = 0;
	if (!read_all(o, &v, 1))
		return 0;
	for (uint32_t i = 0; i < BLOCK / SECTOR; i++) {
		v = (struct xfs_iovec){ .off = block * BLOCK + i * SECTOR, .len = SECTOR, .buf = buf + i * SECTOR };
		if (read_all(o, &v, 1) == -XFS_E_NOMEM)
			return -XFS_E_NOMEM;
		if (v.error)
			*bad |= UINT32_C(1) << i;
	}
	return 0;
}

/* Sectors of a block that [skip, skip + len) covers: they are good from now on. */
static uint32_t sectors_covered(uint32_t skip, size_t len)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < BLOCK / SECTOR; i++)
		if (skip <= i * SECTOR && (i + 1) * SECTOR <= skip + len)
			mask |= UINT32_C(1) << i;
	return mask;
}

/* Part of one block. */
static int part_write(struct overlay_dev *o, uint64_t pos, const void *buf, size_t len)
{
	struct overlay_entry *e = xfs_overlay_table_get(&o->table, pos / BLOCK);
	uint32_t skip = (uint32_t)(pos % BLOCK), bad;
	uint8_t whole[BLOCK];
	int err;

	if (e && e->slot != XFS_SLOT_ZERO) {
		err = xfs_overlay_storage_write(&o->storage, e->slot, skip, buf, len);
		if (!err)
			e->bad &= ~sectors_covered(skip, len);
		return err;
	}
	err = block_compose(o, pos / BLOCK, whole, &bad);
	if (err)
		return err;
	memcpy(whole + skip, buf, len);
	return blocks_store(o, pos / BLOCK, 1, whole, bad & ~sectors_covered(skip, len));
}

static int bytes_write(struct overlay_dev *o, uint64_t pos, const uint8_t *buf, uint64_t len)
{
	int err = 0;

	while (len && !err) {
		uint64_t step = xfs_min(BLOCK - pos % BLOCK, len);

		if (step < BLOCK) {
			err = part_write(o, pos, buf, (size_t)step);
		} else {
			step = xfs_min(len / BLOCK, BATCH);
			err = blocks_store(o, pos / BLOCK, (size_t)step, buf, 0);
			step *= BLOCK;
		}
		pos += step;
		buf += step;
		len -= step;
	}
	return err;
}

static int overlay_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct overlay_dev *o = (struct overlay_dev *)dev;
	int err = 0;

	pthread_rwlock_wrlock(&o->lock);
	for (size_t i = 0; i < n; i++) {
		v[i].error = bytes_write(o, v[i].off, v[i].buf, v[i].len);
		err = err ? err : v[i].error;
	}
	pthread_rwlock_unlock(&o->lock);
	return err;
}

static int overlay_barrier(struct xfs_dev *dev)
{
	(void)dev;	/* nothing outlives the process */
	return 0;
}

static void entry_zero(struct overlay_dev *o, struct overlay_entry *e)
{
	if (e->slot != XFS_SLOT_ZERO)
		xfs_overlay_storage_give(&o->storage, e->slot);
	e->slot = XFS_SLOT_ZERO;
	e->bad = 0;
}

/* Whole blocks [from, to). */
static int blocks_zero(struct overlay_dev *o, uint64_t from, uint64_t to)
{
	int err = 0;

	if (from * BLOCK < o->below_size)
		err = xfs_extents_add(&o->zeroed, from, to - from);
	if (err || !o->table.used)
		return err;
	if (to - from <= o->table.mask) {
		for (uint64_t b = from; b < to; b++) {
			struct overlay_entry *e = xfs_overlay_table_get(&o->table, b);

			if (e)
				entry_zero(o, e);
		}
		return 0;
	}
	for (size_t i = 0; i <= o->table.mask; i++) {
		struct overlay_entry *e = &o->table.entries[i];

		if (e->key > from && e->key <= to)
			entry_zero(o, e);
	}
	return 0;
}

static int overlay_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct overlay_dev *o = (struct overlay_dev *)dev;
	uint64_t end = off + len, from = xfs_ceil_div(off, BLOCK), to = end / BLOCK;
	static const uint8_t zeroes[BLOCK];
	int err = 0;

	pthread_rwlock_wrlock(&o->lock);
	if (from >= to) {	/* no whole block: at most two parts */
		uint64_t head = xfs_min(len, from * BLOCK - off);

		err = head ? bytes_write(o, off, zeroes, head) : 0;
		if (!err && len > head)
			err = bytes_write(o, off + head, zeroes, len - head);
	} else {
		if (off < from * BLOCK)
			err = bytes_write(o, off, zeroes, from * BLOCK - off);
		if (!err)
			err = blocks_zero(o, from, to);
		if (!err && to * BLOCK < end)
			err = bytes_write(o, to * BLOCK, zeroes, end - to * BLOCK);
	}
	pthread_rwlock_unlock(&o->lock);
	return err;
}

/* Gives storage back; what is discarded then reads as zeroes. */
static int overlay_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct overlay_dev *o = (struct overlay_dev *)dev;
	uint64_t from = xfs_ceil_div(off, BLOCK), to = (off + len) / BLOCK;
	int err;

	if (from >= to)
		return 0;
	pthread_rwlock_wrlock(&o->lock);
	err = blocks_zero(o, from, to);
	pthread_rwlock_unlock(&o->lock);
	return err;
}

/* What was changed is not in order: from the first change on anything may be anywhere. */
static uint64_t overlay_next_data(struct xfs_dev *dev, uint64_t off)
{
	struct overlay_dev *o = (struct overlay_dev *)dev;
	uint64_t next;
	bool changed;

	pthread_rwlock_rdlock(&o->lock);
	changed = o->table.used;
	pthread_rwlock_unlock(&o->lock);
	if (changed)
		return off;
	next = off < o->below_size ? xfs_dev_next_data(o->below, off) : o->below_size;
	return next < o->below_size ? next : dev->size;
}

static void overlay_close(struct xfs_dev *dev)
{
	struct overlay_dev *o = (struct overlay_dev *)dev;

	xfs_dev_close(o->below);
	pthread_rwlock_destroy(&o->lock);
	free(o->table.entries);
	xfs_overlay_storage_free(&o->storage);
	xfs_extents_free(&o->zeroed);
	free(o);
}

static const struct xfs_dev_ops overlay_ops = {
	.read = overlay_read, .write = overlay_write, .barrier = overlay_barrier, .zero = overlay_zero,
	.discard = overlay_discard, .close = overlay_close, .next_data = overlay_next_data,
};

struct overlay_dev *xfs_overlay_of(struct xfs_dev *dev)
{
	return dev->ops == &overlay_ops ? (struct overlay_dev *)dev : NULL;
}

int xfs_dev_overlay(struct xfs_dev **out, struct xfs_dev *below, uint64_t size, size_t memory, const char *tmpdir)
{
	struct overlay_dev *o;
	int err;

	if (!size)
		size = below ? below->size : 0;
	if (!size || size > INT64_MAX)
		return -XFS_E_INVALID;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -XFS_E_NOMEM;
	err = xfs_overlay_storage_create(&o->storage, memory, tmpdir);
	if (err) {
		free(o);
		return err;
	}
	pthread_rwlock_init(&o->lock, NULL);
	o->dev = (struct xfs_dev){
		.ops = &overlay_ops, .name = below ? below->name : "overlay", .size = size,
		.sectsize = below ? below->sectsize : SECTOR,
	};
	o->below = below;
	o->below_size = below ? xfs_min(size, below->size) : 0;
	*out = &o->dev;
	return 0;
}
