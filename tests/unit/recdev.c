/* SPDX-License-Identifier: BSD-2-Clause */
/* recdev.c - a device in memory for unit tests. */
#include "tests/unit/recdev.h"
#include "tests/unit/quick.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct recdev *of(struct xfs_dev *d)
{
	return (struct recdev *)(void *)d;
}

static uint64_t len_of(const struct recdev *m)
{
	return m->dev.size - m->base;
}

static uint8_t *at(struct xfs_dev *d, uint64_t off, uint64_t len)
{
	struct recdev *m = of(d);

	qk_assert_uint_ge(off, m->base);
	qk_assert_uint_le(len, d->size);
	qk_assert_uint_le(off, d->size - len);
	return m->bytes + (off - m->base);
}

static int mem_read(struct xfs_dev *d, struct xfs_iovec *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(v[i].buf, at(d, v[i].off, v[i].len), v[i].len);
		v[i].error = 0;
	}
	return 0;
}

static void mark(struct recdev *m, uint64_t off, uint64_t len)
{
	for (uint64_t s = (off - m->base) / 512; s * 512 < off - m->base + len; s++)
		m->written[s] += m->written[s] < 255;
	m->ascending &= off >= m->last;
	m->last = off + len;
	m->vectors++;
}

static int mem_write(struct xfs_dev *d, struct xfs_iovec *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(at(d, v[i].off, v[i].len), v[i].buf, v[i].len);
		mark(of(d), v[i].off, v[i].len);
		v[i].error = 0;
	}
	return 0;
}

static int mem_barrier(struct xfs_dev *d)
{
	(void)d;
	return 0;
}

static int mem_zero(struct xfs_dev *d, uint64_t off, uint64_t len)
{
	memset(at(d, off, len), 0, len);
	mark(of(d), off, len);
	return 0;
}

static int mem_discard(struct xfs_dev *d, uint64_t off, uint64_t len)
{
	(void)d;
	(void)off;
	(void)len;
	return 0;
}

static void mem_close(struct xfs_dev *d)
{
	munmap(of(d)->bytes, len_of(of(d)));
	free(of(d)->written);
	free(d);
}

static const struct xfs_dev_ops mem_ops = {
	.read = mem_read, .write = mem_write, .barrier = mem_barrier, .zero = mem_zero, .discard = mem_discard,
	.close = mem_close,
};

struct recdev *recdev_new(uint64_t base, uint64_t len)
{
	struct recdev *m = calloc(1, sizeof(*m));

	qk_assert(m != NULL && base % 512 == 0);
	m->base = base;
	m->bytes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	m->written = calloc(1, len / 512 + 1);
	qk_assert(m->bytes != MAP_FAILED && m->written);
	m->dev = (struct xfs_dev){ .ops = &mem_ops, .name = "memory", .size = base + len, .sectsize = 512 };
	m->ascending = true;
	return m;
}

void recdev_forget(struct recdev *m)
{
	memset(m->written, 0, len_of(m) / 512 + 1);
	m->vectors = m->last = 0;
	m->ascending = true;
}
