/* SPDX-License-Identifier: BSD-2-Clause */
/* writelog.c - remembers writes. */
#include "tests/lib/writelog.h"

#include <stdlib.h>
#include <string.h>

struct log_dev {
	struct xfs_dev dev;
	struct xfs_dev *below;
	struct writelog *log;
};

void writelog_init(struct writelog *l)
{
	*l = (struct writelog){ .e = NULL };
	pthread_mutex_init(&l->lock, NULL);
}

void writelog_free(struct writelog *l)
{
	free(l->e);
	free(l->bytes);
	pthread_mutex_destroy(&l->lock);
}

static void *grown(void *p, size_t *room, size_t need, size_t each)
{
	if (need <= *room)
		return p;
	*room = 2 * need + 64;
	p = realloc(p, *room * each);
	if (!p) {
		fputs("writelog: out of memory\n", stderr);
		exit(2);
	}
	return p;
}

static void add(struct writelog *l, enum writelog_kind kind, uint64_t off, uint64_t len, const void *bytes)
{
	pthread_mutex_lock(&l->lock);
	l->e = grown(l->e, &l->room, l->n + 1, sizeof(*l->e));
	l->e[l->n++] = (struct writelog_entry){ kind, off, len, l->nbytes };
	if (bytes) {
		l->bytes = grown(l->bytes, &l->bytes_room, l->nbytes + (size_t)len, 1);
		memcpy(l->bytes + l->nbytes, bytes, (size_t)len);
		l->nbytes += (size_t)len;
	}
	l->writes += kind != WRITELOG_BARRIER;
	pthread_mutex_unlock(&l->lock);
}

static int log_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return xfs_dev_readv(((struct log_dev *)dev)->below, v, n);
}

static int log_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	struct log_dev *d = (struct log_dev *)dev;

	for (size_t i = 0; i < n; i++)
		if (v[i].len)
			add(d->log, WRITELOG_WRITE, v[i].off, v[i].len, v[i].buf);
	return xfs_dev_writev(d->below, v, n);
}

static int log_barrier(struct xfs_dev *dev)
{
	struct log_dev *d = (struct log_dev *)dev;

	add(d->log, WRITELOG_BARRIER, 0, 0, NULL);
	return xfs_dev_barrier(d->below);
}

static int log_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct log_dev *d = (struct log_dev *)dev;

	add(d->log, WRITELOG_ZERO, off, len, NULL);
	return xfs_dev_zero(d->below, off, len);
}

static int log_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct log_dev *d = (struct log_dev *)dev;

	add(d->log, WRITELOG_DISCARD, off, len, NULL);
	return xfs_dev_discard(d->below, off, len);
}

static void log_close(struct xfs_dev *dev)
{
	xfs_dev_close(((struct log_dev *)dev)->below);
	free(dev);
}

int writelog_dev(struct xfs_dev **out, struct xfs_dev *below, struct writelog *log)
{
	static const struct xfs_dev_ops ops = {
		.read = log_read, .write = log_write, .barrier = log_barrier, .zero = log_zero, .discard = log_discard,
		.close = log_close,
	};
	struct log_dev *d = calloc(1, sizeof(*d));

	if (!d)
		return -XFS_E_NOMEM;
	d->dev = *below;
	d->dev.ops = &ops;
	d->below = below;
	d->log = log;
	*out = &d->dev;
	return 0;
}

void writelog_play(const struct writelog *l, struct xfs_dev *dev)
{
	int err = 0;

	for (size_t i = 0; i < l->n && !err; i++) {
		const struct writelog_entry *e = &l->e[i];

		switch (e->kind) {
		case WRITELOG_WRITE:
			err = xfs_dev_write(dev, e->off, l->bytes + e->at, (size_t)e->len);
			break;
		case WRITELOG_ZERO:
			err = xfs_dev_zero(dev, e->off, e->len);
			break;
		case WRITELOG_DISCARD:
			err = xfs_dev_discard(dev, e->off, e->len);
			break;
		case WRITELOG_BARRIER:
			err = xfs_dev_barrier(dev);
			break;
		}
	}
}

uint64_t writelog_length(const struct writelog *l, uint64_t n)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->e[i].kind != WRITELOG_BARRIER && !--n)
			return l->e[i].len;
	return 0;
}
