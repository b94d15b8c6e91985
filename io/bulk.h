/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bulk.h - inode records in bulk, for bulkstat, inumbers, inode and imap.
 *
 * Version 5 are the ioctls of today.  Version 1 are the old ones; their answers are turned into the new records with
 * version 1 in them, fields that they lack are 0.
 * Layer: tool.
 */
#ifndef XFSKIT_IO_BULK_H
#define XFSKIT_IO_BULK_H

#include "io/io.h"
#include "io/xfs_ioctl.h"

/* A header with its records behind it, as the kernel wants it. */
struct io_bulk {
	int fd;
	unsigned version;		/* 1 or 5 */
	struct xfs_bulk_header *head;	/* ino: next inode to look at; ocount: records that the last call gave */
	union {
		struct xfs_bulkstat *stat;
		struct xfs_inumbers *inumbers;
	};
	uint32_t ag_inode_bits;		/* an AG's inode numbers have so many bits */
};

/* Room for n records of either kind. Returns 0 or -1 (errno). */
int io_bulk_setup(struct io_bulk *b, int fd, unsigned version, uint32_t n);
void io_bulk_free(struct io_bulk *b);
/* Next batch. Returns 0 (ocount 0 at the end) or -1 (errno). */
int io_bulk_stat(struct io_bulk *b);
int io_bulk_inumbers(struct io_bulk *b);
/* One inode: the one with the number in the header, as the kernel answers it. */
int io_bulk_stat_single(struct io_bulk *b);

#endif
