/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transfer.h - the block by block walk over a range that pread and pwrite share.
 *
 * Forward, backward (from the offset down; the first step reaches a block boundary), random (as many blocks as a scan
 * of the range has, each at a block position drawn at random, never outside of the range) or as one single call.
 * Layer: tool.
 */
#ifndef XFSKIT_IO_TRANSFER_H
#define XFSKIT_IO_TRANSFER_H

#include "io/io.h"

#include <sys/uio.h>

enum io_pattern { IO_FORWARD, IO_BACKWARD, IO_RANDOM, IO_ONCE };

struct io_transfer {
	int fd;
	int pattern;			/* enum io_pattern */
	int64_t offset, length;		/* bytes */
	int64_t block;			/* bytes of one buffer */
	uint32_t vectors;		/* buffers of one call; 0: plain call without vector */
	int rwf;			/* RWF_* */
	unsigned seed;			/* of the random pattern */
	unsigned char *buf;		/* block * max(vectors, 1) bytes, page aligned */
	struct iovec *iov;
	/* Moves len bytes at off. Returns bytes moved (fewer end the walk), 0 at the end, -1 with errno. */
	ssize_t (*step)(struct io_transfer *t, int64_t off, size_t len);
	void *payload;			/* of step */
	int64_t done, ops;		/* results */
};

/* Number of option -V (NULL: not given, 0); false after a message. */
bool io_transfer_vectors(const char *text, uint32_t *n);
/* Allocates buffers; byte fills them unless it is -1. Returns 0 or -1 (errno). */
int io_transfer_setup(struct io_transfer *t, int byte);
void io_transfer_free(struct io_transfer *t);
/* Runs all steps. Returns 0 or -1 (errno of the failing step). */
int io_transfer_run(struct io_transfer *t);
/* Sets the vector up for the first len bytes of the buffer; returns how many entries. */
int io_transfer_vector(struct io_transfer *t, size_t len);

#endif
