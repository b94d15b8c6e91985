/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_zero.c - zeroes and discard on a file: by the filesystem or the device where it can, by writing elsewhere.
 *
 * Regular files lose the blocks (a hole reads as zeroes), so that an image stays sparse.
 */
#include "libxfs/base/bytes.h"
#include "libxfs/device/file_priv.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#define ZEROES 65536u
#define ZERO_VECTORS 16

static const uint8_t zeroes[ZEROES];

static int write_zeroes(struct file_dev *f, uint64_t off, uint64_t len)
{
	struct iovec iov[ZERO_VECTORS];

	while (len) {
		uint64_t rest = xfs_min(len, ZEROES * ZERO_VECTORS);
		ssize_t n;
		int k;

		for (k = 0; rest; k++) {
			iov[k] = (struct iovec){ (void *)(uintptr_t)zeroes, (size_t)xfs_min(rest, ZEROES) };
			rest -= iov[k].iov_len;
		}
		n = pwritev(f->fd, iov, k, (off_t)off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? xfs_error_from_errno(errno) : -XFS_E_IO;
		off += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

/* 0, or an errno value; EOPNOTSUPP for all the ways to say so */
static int fallocate_checked(int fd, int mode, uint64_t off, uint64_t len)
{
	while (fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len)) {
		if (errno == EINTR)
			continue;
		return errno == ENOSYS || errno == EINVAL || errno == ENODEV ? EOPNOTSUPP : errno;
	}
	return 0;
}

/* One way to zero; *broken remembers that it is not there. Returns true when done or failed for good (*err). */
static bool try_fallocate(struct file_dev *f, int mode, atomic_bool *broken, uint64_t off, uint64_t len, int *err)
{
	int e;

	if (atomic_load(broken))
		return false;
	e = fallocate_checked(f->fd, mode, off, len);
	if (e == EOPNOTSUPP) {
		atomic_store(broken, true);
		return false;
	}
	*err = e ? xfs_error_from_errno(e) : 0;
	return true;
}

/* Whole sectors. */
static int zero_aligned(struct file_dev *f, uint64_t off, uint64_t len)
{
	uint64_t range[2] = { off, len };
	int err;

	/* a device may "punch" by writing each sector: ZERO_RANGE says what is meant and takes the best way */
	if (!f->block && try_fallocate(f, FALLOC_FL_PUNCH_HOLE, &f->no_punch, off, len, &err))
		return err;
	if (try_fallocate(f, FALLOC_FL_ZERO_RANGE, &f->no_zero_range, off, len, &err))
		return err;
	if (f->block && ioctl(f->fd, BLKZEROOUT, range) == 0)
		return 0;
	return write_zeroes(f, off, len);
}

int xfs_file_dev_zero(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct file_dev *f = (struct file_dev *)dev;
	uint64_t end = off + len, from, to;
	int err;

	if (!f->block)
		return zero_aligned(f, off, len);
	from = xfs_round_up(off, dev->sectsize);
	to = xfs_round_down(end, dev->sectsize);
	if (from >= to)
		return write_zeroes(f, off, len);
	err = write_zeroes(f, off, from - off);
	if (!err)
		err = zero_aligned(f, from, to - from);
	return err ? err : write_zeroes(f, to, end - to);
}

int xfs_file_dev_discard(struct xfs_dev *dev, uint64_t off, uint64_t len)
{
	struct file_dev *f = (struct file_dev *)dev;
	uint64_t from = xfs_round_up(off, dev->sectsize), to = xfs_round_down(off + len, dev->sectsize);
	uint64_t range[2] = { from, to - from };

	if (from >= to)
		return 0;
	if (f->block) {
		(void)ioctl(f->fd, BLKDISCARD, range);	/* a hint: what can't discard keeps its contents */
		return 0;
	}
	(void)fallocate_checked(f->fd, FALLOC_FL_PUNCH_HOLE, from, to - from);
	return 0;
}
