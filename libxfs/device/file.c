/* SPDX-License-Identifier: BSD-2-Clause */
/* file.c - a regular file or block device as the bottom of a stack: opening, locking, durability. */
#include "libxfs/device/file_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int file_barrier(struct xfs_dev *dev)
{
	struct file_dev *f = (struct file_dev *)dev;
	int err = atomic_load(&f->sync_error), none = 0;

	if (err)
		return err;
	while (fdatasync(f->fd)) {
		if (errno == EINTR)
			continue;
		err = xfs_error_from_errno(errno);
		atomic_compare_exchange_strong(&f->sync_error, &none, err);
		return err;
	}
	return 0;
}

static void file_close(struct xfs_dev *dev)
{
	struct file_dev *f = (struct file_dev *)dev;

	if (f->direct_fd >= 0)
		close(f->direct_fd);
	if (f->fd >= 0)
		close(f->fd);
	free((char *)(uintptr_t)dev->name);
	free(f);
}

static uint64_t file_next_data(struct xfs_dev *dev, uint64_t off)
{
	const struct file_dev *f = (const struct file_dev *)dev;
	off_t data = f->block ? -1 : lseek(f->fd, (off_t)off, SEEK_DATA);

	if (data >= 0)
		return (uint64_t)data;
	return !f->block && errno == ENXIO ? dev->size : off;
}

static const struct xfs_dev_ops file_ops = {
	.read = xfs_file_dev_read, .write = xfs_file_dev_write, .barrier = file_barrier, .zero = xfs_file_dev_zero,
	.discard = xfs_file_dev_discard, .close = file_close,
	.next_data = file_next_data,
};

static int size_of(int fd, bool block, uint64_t *size)
{
	struct stat st;

	if (block) {
		if (ioctl(fd, BLKGETSIZE64, size))
			return errno;
		return 0;
	}
	if (fstat(fd, &st))
		return errno;
	*size = (uint64_t)st.st_size;
	return 0;
}

/* Empties and sizes a regular file. Returns an errno value. */
static int size_set(int fd, unsigned flags, uint64_t want)
{
	uint64_t have = 0;
	int err;

	if ((flags & XFS_DEV_TRUNCATE) && ftruncate(fd, 0))
		return errno;
	err = size_of(fd, false, &have);
	if (err || want <= have)
		return err;
	if (want > INT64_MAX)
		return EFBIG;
	return ftruncate(fd, (off_t)want) ? errno : 0;
}

/* Takes the lock, looks for mounts. Returns an errno value; EBUSY when it is in use. */
static int claim(const struct file_dev *f, unsigned flags, const struct stat *st)
{
	bool writing = !(flags & XFS_DEV_READONLY);

	if (!(flags & XFS_DEV_EXCLUSIVE))
		return 0;
	if (xfs_file_dev_is_mounted(st))
		return EBUSY;
	while (flock(f->fd, (writing ? LOCK_EX : LOCK_SH) | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return EBUSY;
		if (errno != EINTR)	/* not every filesystem has locks */
			break;
	}
	return 0;
}

/* Opens without waiting (a pipe without a writer would hang) and says what it is. Returns an errno value. */
static int open_checked(struct file_dev *f, const char *path, unsigned flags, struct stat *st)
{
	int mode = (flags & XFS_DEV_READONLY) ? O_RDONLY : O_RDWR;

	if (!stat(path, st) && S_ISBLK(st->st_mode) && (flags & XFS_DEV_EXCLUSIVE))
		mode |= O_EXCL;
	else if (flags & XFS_DEV_CREATE)
		mode |= O_CREAT;
	f->fd = open(path, mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
	if (f->fd < 0 || fstat(f->fd, st))
		return errno;
	if (!S_ISBLK(st->st_mode) && !S_ISREG(st->st_mode))
		return S_ISDIR(st->st_mode) ? EISDIR : ENOTBLK;
	f->block = S_ISBLK(st->st_mode);
	return 0;
}

/* Returns an errno value. */
static int setup(struct file_dev *f, const char *path, unsigned flags, uint64_t size)
{
	int mode = (flags & XFS_DEV_READONLY) ? O_RDONLY : O_RDWR, sect = 512, err;
	struct stat st;

	err = open_checked(f, path, flags, &st);
	if (!err)
		err = claim(f, flags, &st);
	if (!err && !f->block && !(flags & XFS_DEV_READONLY))
		err = size_set(f->fd, flags, size);
	if (!err)
		err = size_of(f->fd, f->block, &f->dev.size);
	if (err)
		return err;
	if (f->block && (ioctl(f->fd, BLKSSZGET, &sect) || sect < 512))
		sect = 512;
	f->dev.sectsize = (uint32_t)sect;
	if (flags & XFS_DEV_DIRECT)
		f->direct_fd = open(path, mode | O_DIRECT | O_CLOEXEC);
	return 0;
}

int xfs_dev_file(struct xfs_dev **out, const char *path, unsigned flags, uint64_t size, int *err)
{
	struct file_dev *f = calloc(1, sizeof(*f));
	int code = 0;

	if (err)
		*err = f ? 0 : ENOMEM;
	if (!f)
		return -XFS_E_NOMEM;
	f->fd = f->direct_fd = -1;
	f->dev.ops = &file_ops;
	f->dev.readonly = (flags & XFS_DEV_READONLY) != 0;
	f->dev.name = strdup(path);
	code = f->dev.name ? setup(f, path, flags, size) : ENOMEM;
	if (!code) {
		*out = &f->dev;
		return 0;
	}
	file_close(&f->dev);
	if (err)
		*err = code;
	return code == EBUSY ? -XFS_E_BUSY : code == ENOMEM ? -XFS_E_NOMEM : -XFS_E_OPEN;
}
