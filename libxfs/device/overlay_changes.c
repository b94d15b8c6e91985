/* SPDX-License-Identifier: BSD-2-Clause */
/* overlay_changes.c - what an overlay holds: where it differs from below, and dropping it. */
#include "libxfs/base/bytes.h"
#include "libxfs/device/overlay_priv.h"

#include <stdlib.h>

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Ranges, in blocks, that are stored or zeroed. With the lock held. */
static int held_collect(const struct overlay_dev *o, struct xfs_extents *held)
{
	uint64_t *blocks = NULL;
	size_t n = 0;
	int err = 0;

	if (o->table.used) {
		blocks = malloc(o->table.used * sizeof(*blocks));
		if (!blocks)
			return -XFS_E_NOMEM;
		for (size_t i = 0; i <= o->table.mask; i++)
			if (o->table.entries[i].key)
				blocks[n++] = o->table.entries[i].key - 1;
		qsort(blocks, n, sizeof(*blocks), by_number);
	}
	for (size_t i = 0; i < n && !err; i++)
		err = xfs_extents_add(held, blocks[i], 1);
	for (size_t i = 0; i < o->zeroed.n && !err; i++)
		err = xfs_extents_add(held, o->zeroed.e[i].start, o->zeroed.e[i].len);
	free(blocks);
	return err;
}

#define CHUNK (16 * XFS_OVERLAY_BLOCK)
#define SECTORS (CHUNK / XFS_OVERLAY_SECTOR)

struct changes {
	struct overlay_dev *o;
	int (*found)(void *payload, uint64_t off, uint64_t len);
	void *payload;
	uint64_t start, len;		/* run that was found but not handed over yet */
	uint8_t mine[CHUNK], theirs[CHUNK];
};

static int change_add(struct changes *c, uint64_t off, uint64_t len)
{
	int err = 0;

	if (c->len && c->start + c->len == off) {
		c->len += len;
		return 0;
	}
	if (c->len)
		err = c->found(c->payload, c->start, c->len);
	c->start = off;
	c->len = len;
	return err;
}

/* Reads; what can't be read is zero, and its sectors are noted. NOMEM is the one error. */
static int range_read(struct xfs_dev *dev, uint64_t pos, uint8_t *buf, size_t len, bool bad[SECTORS])
{
	int err = xfs_dev_read(dev, pos, buf, len);

	memset(bad, 0, SECTORS * sizeof(*bad));
	for (size_t at = 0; err && at < len; at += XFS_OVERLAY_SECTOR) {
		size_t n = (size_t)xfs_min(XFS_OVERLAY_SECTOR, len - at);
		int one = xfs_dev_read(dev, pos + at, buf + at, n);

		if (one == -XFS_E_NOMEM)
			return one;
		bad[at / XFS_OVERLAY_SECTOR] = one != 0;
	}
	return 0;
}

/* Compares [pos, pos + len), len at most a buffer. */
static int range_compare(struct changes *c, uint64_t pos, size_t len)
{
	uint64_t shown = pos < c->o->below_size ? xfs_min(len, c->o->below_size - pos) : 0;
	bool mine_bad[SECTORS], theirs_bad[SECTORS] = { false };
	int err = range_read(&c->o->dev, pos, c->mine, len, mine_bad);

	memset(c->theirs, 0, len);
	if (!err && shown)
		err = range_read(c->o->below, pos, c->theirs, (size_t)shown, theirs_bad);
	for (size_t at = 0, n; at < len && !err; at += n) {
		size_t i = at / XFS_OVERLAY_SECTOR;

		n = (size_t)xfs_min(XFS_OVERLAY_SECTOR, len - at);
		/* a bad sector that was written is a change even when zeroes were written */
		if (!mine_bad[i] && (theirs_bad[i] || memcmp(c->mine + at, c->theirs + at, n)))
			err = change_add(c, pos + at, n);
	}
	return err;
}

int xfs_dev_overlay_changes(struct xfs_dev *dev, int (*found)(void *payload, uint64_t off, uint64_t len), void *payload)
{
	struct overlay_dev *o = xfs_overlay_of(dev);
	struct xfs_extents held = { 0 };
	struct changes *c;
	int err;

	if (!o)
		return -XFS_E_INVALID;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -XFS_E_NOMEM;
	c->o = o;
	c->found = found;
	c->payload = payload;
	pthread_rwlock_rdlock(&o->lock);
	err = held_collect(o, &held);
	pthread_rwlock_unlock(&o->lock);
	for (size_t i = 0; i < held.n && !err; i++) {
		uint64_t pos = held.e[i].start * XFS_OVERLAY_BLOCK;
		uint64_t end = xfs_min(pos + held.e[i].len * XFS_OVERLAY_BLOCK, dev->size), n;

		for (; pos < end && !err; pos += n) {
			n = xfs_min(sizeof(c->mine), end - pos);
			err = range_compare(c, pos, (size_t)n);
		}
	}
	if (!err && c->len)
		err = found(payload, c->start, c->len);
	xfs_extents_free(&held);
	free(c);
	return err;
}

int xfs_dev_overlay_reset(struct xfs_dev *dev)
{
	struct overlay_dev *o = xfs_overlay_of(dev);

	if (!o)
		return -XFS_E_INVALID;
	pthread_rwlock_wrlock(&o->lock);
	if (o->table.used)
		memset(o->table.entries, 0, (o->table.mask + 1) * sizeof(*o->table.entries));
	o->table.used = 0;
	xfs_overlay_storage_reset(&o->storage);
	o->zeroed.n = 0;
	pthread_rwlock_unlock(&o->lock);
	return 0;
}
