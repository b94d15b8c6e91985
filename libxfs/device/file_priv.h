/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_priv.h - the file layer, shared by its sources: opening (file.c), mounts (file_mounted.c), vectors (file_io.c),
 * zeroes and discard (file_zero.c).
 */
#ifndef XFS_DEVICE_FILE_PRIV_H
#define XFS_DEVICE_FILE_PRIV_H

#include "libxfs/device/device.h"

#include <stdatomic.h>
#include <sys/stat.h>

struct file_dev {
	struct xfs_dev dev;		/* first: ops get a pointer to it */
	int fd;				/* buffered; holds the lock */
	int direct_fd;			/* O_DIRECT, or -1 */
	bool block;			/* block device, else regular file */
	atomic_bool direct_broken;	/* a direct transfer was refused as such: no more of them */
	atomic_bool no_punch, no_zero_range;	/* not supported by what holds the file: not tried again */
	atomic_int sync_error;		/* first failed sync: lost writes stay lost, so all later barriers fail too */
};

int xfs_file_dev_read(struct xfs_dev *, struct xfs_iovec *, size_t n);
int xfs_file_dev_write(struct xfs_dev *, struct xfs_iovec *, size_t n);
int xfs_file_dev_zero(struct xfs_dev *, uint64_t off, uint64_t len);
int xfs_file_dev_discard(struct xfs_dev *, uint64_t off, uint64_t len);
/* True when the block device, or a loop device above the regular file, is mounted as far as this process can see. */
bool xfs_file_dev_is_mounted(const struct stat *);

#endif
