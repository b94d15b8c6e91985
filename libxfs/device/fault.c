/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.c - fails, tears or stops as planned: the disk of the crash tests.
 *
 * With a write cache to lose (lose_seed) writes go to an overlay, which barrier() empties to the device.  At the stop
 * each sector in it lands or not by chance: as on a disk that loses power, whatever the order of the writes was.
 */
#include "libxfs/base/bytes.h"
#include "libxfs/device/device.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u
#define CACHE_MEMORY ((size_t)64 << 20)	/* the rest is in a file */

struct fault_dev {
	struct xfs_dev dev;
	struct xfs_dev *below;
	struct xfs_dev *top;		/* the write cache above below, or below itself; owns it */
	struct xfs_dev_fault *plan;	/* the caller's */
	pthread_mutex_t lock;		/* over *plan */
	pthread_mutex_t cache_lock;	/* with a cache: one call at a time */
	uint64_t lose_seed;		/* while the cache is written: 0 = all of it */
};

/* --- write cache --- */

static void cache_enter(struct fault_dev *f)
{
	if (f->top != f->below)
		pthread_mutex_lock(&f->cache_lock);
}

static void cache_leave(struct fault_dev *f)
{
	if (f->top != f->below)
		pthread_mutex_unlock(&f->cache_lock);
}

/* Does this sector survive? */
static bool is_kept(const struct fault_dev *f, uint64_t sector)
{
	uint64_t v = (sector + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ f->lose_seed;

	v = (v ^ v >> 31) * UINT64_C(0xbf58476d1ce4e5b9);
	return !f->lose_seed || (v >> 40 & 1);
}

static int range_land(void *payload, uint64_t off, uint64_t len)
{
	struct fault_dev *f = payload;
	uint8_t buf[SECTOR];
	int err = 0;

	for (uint64_t at = off, n; at < off + len && !err; at += n) {
		n = xfs_min(SECTOR - at % SECTOR, off + len - at);
		if (!is_kept(f, at / SECTOR))
			continue;
		err = xfs_dev_read(f->top, at, buf, (size_t)n);
		if (!err)
			err = xfs_dev_write(f->below, at, buf, (size_t)n);
	}
	return err;
}

/* Writes the cache to the device: all of it (seed 0), or what chance lets survive. */
static int cache_flush(struct fault_dev *f, uint64_t seed)
{
	int err;

	if (f->top == f->below)
		return 0;
	f->lose_seed = seed;
	err = xfs_dev_overlay_changes(f->top, range_land, f);
	return err ? err : xfs_dev_overlay_reset(f->top);
}

/* --- the layer --- */

enum verdict { PASS, FAIL, TEAR, STOPPED };

static bool has_stopped(const struct xfs_dev_fault *plan)
{
	return plan->stop_write_at && plan->writes >= plan->stop_write_at;
}

/* Counts a write and says what becomes of it. */
static enum verdict write_count(struct fault_dev *f)
{
	struct xfs_dev_fault *plan = f->plan;
	enum verdict v = PASS;

	pthread_mutex_lock(&f->lock);
	if (has_stopped(plan))
		v = STOPPED;
	plan->writes++;
	if (v == PASS && has_stopped(plan))
		v = TEAR;
	else if (v == PASS && plan->writes == plan->fail_write_at)
		v = FAIL;
	pthread_mutex_unlock(&f->lock);
	return v;
}

/* True when the n-th read is to fail. */
static bool read_count(struct fault_dev *f, uint64_t *bad_off, uint64_t *bad_len)
{
	bool fail;

	pthread_mutex_lock(&f->lock);
	fail = ++f->plan->reads == f->plan->fail_read_at;
	*bad_off = f->plan->bad_off;
	*bad_len = f->plan->bad_len;
	pthread_mutex_unlock(&f->lock);
	return fail;
}

static int fault_read_one(struct fault_dev *f, struct xfs_iovec *v)
{
	uint64_t off, len, from, to;
	int err;

	if (read_count(f, &off, &len)) {
		memset(v->buf, 0, v->len);
		return -XFS_E_FAULT;
	}
	cache_enter(f);
	err = xfs_dev_readv(f->top, v, 1);
	cache_leave(f);
	/* like a disk: the sectors that meet the range are lost, the others are read */
	from = xfs_max(v->off, xfs_round_down(off, f->dev.sectsize));
	to = xfs_min(v->off + v->len, xfs_round_up(off + len, f->dev.sectsize));
	if (err || !len || from >= to)
		return err;
	memset((char *)v->buf + (from - v->off), 0, (size_t)(to - from));
	return -XFS_E_FAULT;
}

static int fault_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		v[i].error = fault_read_one((struct fault_dev *)dev, &v[i]);
		err = err ? err : v[i].error;
	}
	return err;
}

/* What lands of a write at the stop, and then of the cache. */
static void stop(struct fault_dev *f, const struct xfs_iovec *v)
{
	uint64_t torn = xfs_min(v->len, f->plan->tear_bytes);

	if (torn && v->buf)
		(void)xfs_dev_write(f->top, v->off, v->buf, (size_t)torn);
	else if (torn)
		(void)xfs_dev_zero(f->top, v->off, torn);
	(void)cache_flush(f, f->plan->lose_seed);
}

/* A write, or (buf NULL) zeroes. */
static int change_one(struct fault_dev *f, struct xfs_iovec *v, uint64_t len)
{
	enum verdict verdict;
	int err = -XFS_E_FAULT;

	cache_enter(f);
	verdict = write_count(f);
	if (verdict == PASS)
		err = v->buf ? xfs_dev_writev(f->top, v, 1) : xfs_dev_zero(f->top, v->off, len);
	else if (verdict == TEAR)
		stop(f, v);
	cache_leave(f);
	return err;
}

static int fault_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		v[i].error = v[i].len ? change_one((struct fault_dev *)dev, &v[i], 0) : 0;
		err = err ? err : v[i].error;
	}
	return err;
}

static int fault_barrier(struct xfs_dev *dev)
{
	struct fault_dev *f = (struct fault_dev *)dev;
	bool stopped;
	int err;

	pthread_mutex_lock(&f->lock);
	f->plan->barriers++;
	stopped = has_stopped(f->plan);
	pthread_mutex_unlock(&f->lock);
	if (stopped)
		return -XFS_E_FAULT;
	cache_enter(f);
	err = cache_flush(f, 0);
	cache_leave(f);
	return err ? err : xfs_dev_barrier(f->below);
}

static int fault_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct xfs_iovec v = { .off = off, .len = (size_t)xfs_min(len, SIZE_MAX) };

	return change_one((struct fault_dev *)dev, &v, len);
}

static int fault_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct fault_dev *f = (struct fault_dev *)dev;
	struct xfs_iovec v = { .off = off, .len = 0 };
	enum verdict verdict;
	int err = -XFS_E_FAULT;

	cache_enter(f);
	verdict = write_count(f);
	if (verdict == PASS)
		err = xfs_dev_discard(f->top, off, len);
	else if (verdict == TEAR)
		stop(f, &v);
	cache_leave(f);
	return err;
}

static uint64_t fault_next_data(struct xfs_dev *dev, uint64_t off)
{
	return xfs_dev_next_data(((struct fault_dev *)dev)->top, off);
}

static void fault_close(struct xfs_dev *dev)
{
	struct fault_dev *f = (struct fault_dev *)dev;

	/* power that stays on writes the cache in the end; after the stop it is empty */
	(void)cache_flush(f, 0);
	xfs_dev_close(f->top);
	pthread_mutex_destroy(&f->lock);
	pthread_mutex_destroy(&f->cache_lock);
	free(f);
}

static const struct xfs_dev_ops fault_ops = {
	.read = fault_read, .write = fault_write, .barrier = fault_barrier, .zero = fault_zero,
	.discard = fault_discard, .close = fault_close, .next_data = fault_next_data,
};

int xfs_dev_fault(struct xfs_dev **out, struct xfs_dev *below, struct xfs_dev_fault *plan)
{
	struct fault_dev *f = calloc(1, sizeof(*f));
	int err = 0;

	if (!f)
		return -XFS_E_NOMEM;
	f->dev = *below;
	f->dev.ops = &fault_ops;
	f->below = f->top = below;
	f->plan = plan;
	if (plan->lose_seed && !below->readonly)
		err = xfs_dev_overlay(&f->top, below, 0, CACHE_MEMORY, NULL);
	if (err) {
		free(f);
		return err;
	}
	pthread_mutex_init(&f->lock, NULL);
	pthread_mutex_init(&f->cache_lock, NULL);
	*out = &f->dev;
	return 0;
}
