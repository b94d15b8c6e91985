/* SPDX-License-Identifier: BSD-2-Clause */
/* fault.c - fails, tears or stops as planned: the disk of the crash tests. */
#include "libxfs/base/bytes.h"
#include "libxfs/device/device.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct fault_dev {
	struct xfs_dev dev;
	struct xfs_dev *below;
	struct xfs_dev_fault *plan;	/* the caller's */
	pthread_mutex_t lock;		/* over *plan */
};

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
	err = xfs_dev_readv(f->below, v, 1);
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

static int fault_write_one(struct fault_dev *f, struct xfs_iovec *v)
{
	enum verdict verdict = write_count(f);

	if (verdict == PASS)
		return xfs_dev_writev(f->below, v, 1);
	if (verdict == TEAR && f->plan->tear_bytes)
		(void)xfs_dev_write(f->below, v->off, v->buf, (size_t)xfs_min(v->len, f->plan->tear_bytes));
	return -XFS_E_FAULT;
}

static int fault_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n; i++) {
		v[i].error = fault_write_one((struct fault_dev *)dev, &v[i]);
		err = err ? err : v[i].error;
	}
	return err;
}

static int fault_barrier(struct xfs_dev *dev)
{
	struct fault_dev *f = (struct fault_dev *)dev;
	bool stopped;

	pthread_mutex_lock(&f->lock);
	f->plan->barriers++;
	stopped = has_stopped(f->plan);
	pthread_mutex_unlock(&f->lock);
	return stopped ? -XFS_E_FAULT : xfs_dev_barrier(f->below);
}

static int fault_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct fault_dev *f = (struct fault_dev *)dev;
	enum verdict verdict = write_count(f);

	if (verdict == PASS)
		return xfs_dev_zero(f->below, off, len);
	if (verdict == TEAR && f->plan->tear_bytes)
		(void)xfs_dev_zero(f->below, off, xfs_min(len, f->plan->tear_bytes));
	return -XFS_E_FAULT;
}

static int fault_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct fault_dev *f = (struct fault_dev *)dev;
	enum verdict verdict = write_count(f);

	if (verdict == PASS)
		return xfs_dev_discard(f->below, off, len);
	return -XFS_E_FAULT;
}

static void fault_close(struct xfs_dev *dev)
{
	struct fault_dev *f = (struct fault_dev *)dev;

	xfs_dev_close(f->below);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static const struct xfs_dev_ops fault_ops = {
	.read = fault_read, .write = fault_write, .barrier = fault_barrier, .zero = fault_zero,
	.discard = fault_discard, .close = fault_close,
};

int xfs_dev_fault(struct xfs_dev **out, struct xfs_dev *below, struct xfs_dev_fault *plan)
{
	struct fault_dev *f = calloc(1, sizeof(*f));

	if (!f)
		return -XFS_E_NOMEM;
	pthread_mutex_init(&f->lock, NULL);
	f->dev = *below;
	f->dev.ops = &fault_ops;
	f->below = below;
	f->plan = plan;
	*out = &f->dev;
	return 0;
}
