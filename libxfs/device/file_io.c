/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_io.c - vectors to and from a file: sorted, coalesced, and taken apart again where something fails.
 *
 * Vectors go out in ascending order of offset, neighbours as one preadv() or pwritev().  When that fails, each vector
 * of it is tried alone, and a read then sector by sector: a bad sector costs itself, not a whole request.
 */
#include "libxfs/base/bytes.h"
#include "libxfs/device/file_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define ORDER_ON_STACK 64u
#define BATCH 64u			/* vectors in one system call */
#define DIRECT_ALIGN 4096u		/* enough for every device that direct I/O works on */
#define HOLE_LEAST ((size_t)1 << 19)	/* bytes of a read for which it pays to ask for holes */
#define CALL_MAX ((size_t)1 << 30)	/* bytes in one system call */

static int transfer_call(int fd, const struct iovec *iov, unsigned n, uint64_t off, bool writing, size_t *done)
{
	ssize_t got;

	do {
		got = writing ? pwritev(fd, iov, (int)n, (off_t)off) : preadv(fd, iov, (int)n, (off_t)off);
	} while (got < 0 && errno == EINTR);
	*done = got > 0 ? (size_t)got : 0;
	return got < 0 ? errno : got == 0 ? -1 : 0;
}

static bool is_aligned(const struct iovec *iov, unsigned n, uint64_t off)
{
	uintptr_t bits = (uintptr_t)(off % DIRECT_ALIGN);

	for (unsigned i = 0; i < n; i++)
		bits |= (uintptr_t)iov[i].iov_base | iov[i].iov_len;
	return bits % DIRECT_ALIGN == 0;
}

/*
 * A large read that lies in a hole of a sparse image: whoever looks at every block of an AG would fill the page cache
 * with zeroes.
 */
static bool read_hole(const struct file_dev *f, const struct iovec *iov, unsigned n, uint64_t off)
{
#ifdef SEEK_DATA
	off_t data;

	if (f->block || n != 1 || iov->iov_len < HOLE_LEAST || off + iov->iov_len > f->dev.size)
		return false;
	/* the offset of the open file means nothing here: all transfers name theirs */
	data = lseek(f->fd, (off_t)off, SEEK_DATA);
	if (data < 0 ? errno != ENXIO : (uint64_t)data < off + iov->iov_len)
		return false;
	memset(iov->iov_base, 0, iov->iov_len);
	return true;
#else
	(void)f;
	(void)iov;
	(void)n;
	(void)off;
	return false;
#endif
}

/* Transfers all of iov[0..n), which it uses up. Returns 0 or a negated code. */
static int transfer_all(struct file_dev *f, struct iovec *iov, unsigned n, uint64_t off, bool writing)
{
	if (!writing && read_hole(f, iov, n, off))
		return 0;
	while (n) {
		bool direct = f->direct_fd >= 0 && !atomic_load(&f->direct_broken) && is_aligned(iov, n, off);
		size_t done;
		int err = transfer_call(direct ? f->direct_fd : f->fd, iov, n, off, writing, &done);

		if (err > 0 && err == EINVAL && direct) {
			atomic_store(&f->direct_broken, true);
			continue;
		}
		if (err > 0)
			return xfs_error_from_errno(err);
		if (err < 0)
			return writing ? -XFS_E_IO : -XFS_E_SHORT;
		for (off += done; n && done >= iov->iov_len; iov++, n--)
			done -= iov->iov_len;
		if (done) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= done;
		}
	}
	return 0;
}

static int transfer_part(struct file_dev *f, void *buf, size_t len, uint64_t off, bool writing)
{
	struct iovec iov = { buf, len };

	return len ? transfer_all(f, &iov, 1, off, writing) : 0;
}

/* Reads what can be read of a vector that failed as a whole; the rest becomes zero. Returns the first error. */
static int read_sectors(struct file_dev *f, const struct xfs_iovec *v)
{
	size_t sect = f->dev.sectsize, at, len;
	int err = 0, one;

	for (at = 0; at < v->len; at += len) {
		len = sect - (size_t)((v->off + at) % sect);
		if (len > v->len - at)
			len = v->len - at;
		one = transfer_part(f, (char *)v->buf + at, len, v->off + at, false);
		if (one) {
			memset((char *)v->buf + at, 0, len);
			err = err ? err : one;
		}
	}
	return err;
}

/* The vectors of a failed batch, each alone. */
static int one_by_one(struct file_dev *f, struct xfs_iovec *const *v, unsigned n, bool writing)
{
	int err = 0;

	for (unsigned i = 0; i < n; i++) {
		v[i]->error = transfer_part(f, v[i]->buf, v[i]->len, v[i]->off, writing);
		if (v[i]->error && !writing)
			v[i]->error = read_sectors(f, v[i]);
		if (!err)
			err = v[i]->error;
	}
	return err;
}

/* Vectors in ascending order: one call for each run of neighbours. */
static int transfer_sorted(struct file_dev *f, struct xfs_iovec *const *v, size_t n, bool writing)
{
	struct iovec iov[BATCH];
	int err = 0, one;

	for (size_t i = 0; i < n;) {
		uint64_t start = v[i]->off, end = start;
		unsigned k = 0;

		while (i + k < n && k < BATCH && v[i + k]->off == end && (k == 0 || end - start < CALL_MAX)) {
			iov[k] = (struct iovec){ v[i + k]->buf, v[i + k]->len };
			end += v[i + k]->len;
			v[i + k]->error = 0;
			k++;
		}
		one = end > start ? transfer_all(f, iov, k, start, writing) : 0;
		if (one)
			one = one_by_one(f, v + i, k, writing);
		err = err ? err : one;
		i += k;
	}
	return err;
}

static int by_offset(const void *a, const void *b)
{
	const struct xfs_iovec *x = *(struct xfs_iovec *const *)a, *y = *(struct xfs_iovec *const *)b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return x < y ? -1 : x > y;	/* as given, as qsort() is not stable */
}

static int transfer_vectors(struct file_dev *f, struct xfs_iovec *v, size_t n, bool writing)
{
	struct xfs_iovec *few[ORDER_ON_STACK], **order = few;
	bool sorted = true;
	int err = 0, one;

	if (n > ORDER_ON_STACK) {
		order = n <= SIZE_MAX / sizeof(*order) ? malloc(n * sizeof(*order)) : NULL;
		if (!order) {	/* in pieces then: order is a matter of speed only */
			for (size_t i = 0; i < n; i += ORDER_ON_STACK) {
				one = transfer_vectors(f, v + i, (size_t)xfs_min(n - i, ORDER_ON_STACK), writing);
				err = err ? err : one;
			}
			return err;
		}
	}
	for (size_t i = 0; i < n; i++) {
		order[i] = &v[i];
		sorted = sorted && (i == 0 || v[i - 1].off <= v[i].off);
	}
	if (!sorted)
		qsort(order, n, sizeof(*order), by_offset);
	err = transfer_sorted(f, order, n, writing);
	if (order != few)
		free(order);
	return err;
}

int xfs_file_dev_read(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return transfer_vectors((struct file_dev *)dev, v, n, false);
}

int xfs_file_dev_write(struct xfs_dev *dev, struct xfs_iovec *v, size_t n)
{
	return transfer_vectors((struct file_dev *)dev, v, n, true);
}
