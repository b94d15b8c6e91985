/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdio.h - whole reads and writes on a file descriptor, and unlinked temporary files.
 *
 * Interrupted and short transfers are carried on until all is done or an error shows.  Offsets and lengths are bytes.
 * Layer: base. Thread-safe as far as the ranges differ.
 */
#ifndef XFS_BASE_FDIO_H
#define XFS_BASE_FDIO_H

#include <stddef.h>
#include <stdint.h>

/* Reads len bytes at off. Errors: SHORT (file ends before), IO. */
int xfs_fd_read(int fd, void *buf, size_t len, uint64_t off);
/* Writes len bytes at off. Errors: NOSPC, TOOBIG, IO. */
int xfs_fd_write(int fd, const void *buf, size_t len, uint64_t off);
/*
 * Opens an empty temporary file that has no name any more: it goes away with the descriptor, however the process ends.
 * dir NULL: the environment's TMPDIR, or /tmp.  Returns the descriptor (>= 0) or a negative code; caller closes.
 */
int xfs_fd_temporary(const char *dir);

#endif
